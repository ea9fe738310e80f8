"""Addresses in the database: the index follows the layers, a point is told in words, and the API answers both."""

from __future__ import annotations

import logging

import pytest
import shapely
from sqlalchemy.ext.asyncio import AsyncSession

from geo.addresses import Precision, address_index, describe_place, find_place
from geo.landmarks import Landmark, lay_landmarks
from geo.numbering import lay_address_points
from geo.places import point
from geo.streets import lay_streets
from geo.zones import Zone, ZoneKind, lay_zones
from realtime.database import Sessions, new_id, transaction
from tests.addresses.rosario import BLOCK_LAT, BLOCK_LON, CENTRO, HOSPITAL, corner, rows
from tests.conftest import Client, SignIn

AVENUE = "Avenida San Martín"


async def lay(session: AsyncSession) -> None:
    """The small city, whole."""
    streets, doors = rows()
    await lay_streets(session, streets, "© tests")
    await lay_address_points(session, doors, "© tests")
    place = point(HOSPITAL.longitude, HOSPITAL.latitude)
    hospital = Landmark(
        id=new_id(),
        source="tests",
        kind="hospital",
        name=HOSPITAL.name,
        alt_names=list(HOSPITAL.alt_names),
        address=HOSPITAL.address,
        shape=place,
    )
    await lay_landmarks(session, "tests", [hospital])
    shape = shapely.MultiPolygon([CENTRO.shape])
    kinds = ((ZoneKind.BARRIO, "Centro"), (ZoneKind.VECINAL, "Vecinal 12"), (ZoneKind.JURISDICTION, "Comisaría 2.ª"))
    await lay_zones(
        session, [Zone(id=new_id(), kind=kind, name=name, shape=shape, population=None) for kind, name in kinds]
    )


async def test_the_index_is_made_once_and_follows_the_layers(session: AsyncSession) -> None:
    await lay(session)
    first = await address_index(session)
    assert await address_index(session) is first
    (match, *_) = await find_place(session, "san martin 1150")
    assert (match.label, match.precision, match.zone) == ("Avenida San Martín 1150", "interpolated", "Centro")
    streets, doors = rows()
    await lay_address_points(session, [door for door in doors if door.number != 1090], "© tests")
    assert await address_index(session) is not first
    assert (await find_place(session, "san martin 1090"))[0].precision is Precision.INTERPOLATED
    await lay_streets(session, [street for street in streets if street.name != "Salta"], "© tests")
    assert all(match.street != "Salta" for match in await find_place(session, "Salta"))


@pytest.mark.parametrize(
    ("blocks", "aside", "number", "precision"),
    [(1.5, 0.05, 1151, "exact"), (0.5, -0.03, 1046, "interpolated"), (2.6, 0.03, 1261, "interpolated")],
)
async def test_a_point_is_told_with_its_height_and_whose_it_is(
    session: AsyncSession, blocks: float, aside: float, number: int, precision: str
) -> None:
    await lay(session)
    foot = corner(AVENUE, "Rioja")
    told = await describe_place(session, point(foot.x + aside * BLOCK_LON, foot.y + blocks * BLOCK_LAT))
    assert told.street == AVENUE
    assert told.precision == precision
    assert told.number is not None
    assert abs(told.number - number) <= 6
    assert told.number % 2 == number % 2, "the side of the street counts"
    assert told.address == f"{AVENUE} {told.number}"
    assert (told.zone, told.vecinal, told.jurisdiction) == ("Centro", "Vecinal 12", "Comisaría 2.ª")
    assert {"Centro", "Comisaría 2.ª", "Vecinal 12"} <= set(told.zones)
    assert " entre " in told.place


async def test_a_point_where_no_door_is_known_has_no_height(session: AsyncSession) -> None:
    await lay(session)
    there = corner("Italia", "Salta")
    told = await describe_place(session, point(there.x, there.y + 0.5 * BLOCK_LAT))
    assert (told.street, told.number, told.precision) == ("Italia", None, Precision.STREET)
    assert (await describe_place(session, point(-60.1, -32.1))).precision is None


async def test_searching_over_http_for_anybody_without_a_word_in_the_log(
    sessions: Sessions, client: Client, signed_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    async with transaction(sessions) as session:
        await lay(session)
    caplog.set_level(logging.DEBUG)
    async with signed_in("dispatcher") as dispatcher:
        for somebody in (client, dispatcher):
            answer = await somebody.get("/api/v1/places/search", params={"q": "Moreno y Rioja", "limit": 3})
            assert answer.status_code == 200, answer.text
            assert answer.json()["sure"] is True
            first = answer.json()["matches"][0]
            assert first["label"] == "Moreno y Rioja"
            assert (first["kind"], first["precision"]) == ("corner", "exact")
            assert first["location"]["type"] == "Point"
    assert not [
        record for record in caplog.records if record.name.startswith(("web", "geo")) and "Moreno" in str(record)
    ]
    told = (await client.get("/api/v1/places/describe?lon=-60.65679&lat=-32.95865")).json()
    assert told["street"] == AVENUE
    assert told["number"] is not None


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("q=" + "a" * 201, 422),
        ("q=Mitre%00", 422),
        ("q=Mitre%1b", 422),
        ("q=Mitre&limit=0", 422),
        ("q=Mitre&limit=999", 422),
        ("q=Mitre&lon=NaN&lat=1", 422),
        ("q=Mitre&lon=999&lat=1", 422),
        ("q=Mitre&lon=-60.6", 200),
        ("q=%F0%9F%94%A5", 200),
    ],
)
async def test_what_is_too_much_is_refused(client: Client, query: str, status: int) -> None:
    answer = await client.get(f"/api/v1/places/search?{query}")
    assert answer.status_code == status, answer.text


async def test_strangers_may_type_but_not_without_end(
    client: Client, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.api.addresses.LOOKUPS", 12)
    answers = [(await client.get("/api/v1/places/search?q=Mitre")).status_code for _ in range(14)]
    assert answers == [200] * 12 + [429] * 2
    async with signed_in("dispatcher") as dispatcher:
        assert (await dispatcher.get("/api/v1/places/search?q=Mitre")).status_code == 200
