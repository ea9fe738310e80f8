"""Zones: what they are, what they were, whose a place is, and how they are drawn over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import pytest
import shapely
from shapely import box
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.layers import edition_of
from geo.places import geojson, point
from geo.zones import (
    ZONES,
    EndsBeforeItBegins,
    Zone,
    ZoneEnded,
    ZoneKind,
    amend_zone,
    draw_zone,
    end_zone,
    history,
    lay_zones,
    lay_zones_over,
    whose,
    zones,
    zones_at,
)
from realtime.database import Sessions, new_id, now, transaction
from realtime.errors import AlreadyExists, NotAllowed, VersionMismatch
from tests.builders import WEST, City, a_report, a_zone, an_incident
from tests.conftest import Client, SignIn

DAY = dt.timedelta(days=1)
INSIDE = box(-60.661, -32.951, -60.659, -32.949)  # around WEST


async def names_at(session: AsyncSession, at: dt.datetime | None = None) -> list[str]:
    return [zone.name for zone in await zones_at(session, WEST, ZoneKind.BARRIO, at=at)]


# ── What a zone was ───────────────────────────────────────────────────────────────────────────────


async def test_which_zone_a_place_was_in_on_a_date(session: AsyncSession, city: City) -> None:
    supervisor = city.actor("supervisor")
    zone = a_zone("Las Latas", source_key="7")
    await lay_zones(session, [zone])
    first = now()
    await amend_zone(session, supervisor, zone.id, name="Villa Nueva", desk="Distrito Oeste")
    second = now()
    await amend_zone(session, supervisor, zone.id, shape=shapely.MultiPolygon([box(-60.61, -32.96, -60.6, -32.95)]))
    third = now()
    await end_zone(session, supervisor, zone.id)

    assert await names_at(session, first - 9 * 365 * DAY) == ["Las Latas"], "the first name goes back for ever"
    assert await names_at(session, first) == ["Las Latas"]
    assert await names_at(session, second) == ["Villa Nueva"]
    assert await names_at(session, third) == [], "it had moved away"
    east = [zone.name for zone in await zones_at(session, point(-60.605, -32.955), ZoneKind.BARRIO, at=third)]
    assert east == ["Villa Nueva"]
    assert await zones_at(session, point(-60.605, -32.955), ZoneKind.BARRIO) == [], "it has ended"
    assert [(was.version, was.name, was.desk) for was in await history(session, zone.id)] == [
        (2, "Villa Nueva", "Distrito Oeste"),
        (1, "Las Latas", None),
    ]
    assert {zone.name for zone in await zones(session, "barrio", at=second)} == {"Villa Nueva"}
    assert {zone.name for zone in await zones(session, "barrio", at=first, within=INSIDE)} == {"Las Latas"}
    assert await zones(session, "barrio", at=third, within=INSIDE) == []


async def test_a_validity_that_is_put_right_was_always_so(session: AsyncSession, city: City) -> None:
    supervisor = city.actor("supervisor")
    drawn = await draw_zone(session, supervisor, new_id(), kind=ZoneKind.RISK, name="Barranca", shape=INSIDE)
    yesterday = now() - DAY
    assert await zones_at(session, WEST, ZoneKind.RISK, at=yesterday) == [], "it counts from when it was drawn"
    await amend_zone(session, supervisor, drawn.id, valid_from=now() - 9 * DAY, valid_until=now() + DAY)
    assert [zone.name for zone in await zones_at(session, WEST, ZoneKind.RISK, at=yesterday)] == ["Barranca"]
    with pytest.raises(EndsBeforeItBegins):
        await amend_zone(session, supervisor, drawn.id, valid_until=now() - 10 * DAY)


async def test_what_has_ended_is_not_changed_but_can_come_back(session: AsyncSession, city: City) -> None:
    supervisor, oeste = city.actor("supervisor"), city.zones["Oeste"]
    await end_zone(session, supervisor, oeste)
    with pytest.raises(ZoneEnded):
        await end_zone(session, supervisor, oeste)
    with pytest.raises(ZoneEnded):
        await amend_zone(session, supervisor, oeste, name="Poniente")
    assert await session.get(Zone, oeste) is not None, "nothing is deleted"
    await amend_zone(session, supervisor, oeste, valid_until=None)
    assert [zone.name for zone in await zones_at(session, WEST)] == ["Oeste"]


async def test_only_who_may_edits_zones_and_only_the_version_that_was_read(session: AsyncSession, city: City) -> None:
    oeste = city.zones["Oeste"]
    for who in ("dispatcher", "crew m1", "government"):
        with pytest.raises(NotAllowed):
            await amend_zone(session, city.actor(who), oeste, name="Mío")
    supervisor = city.actor("supervisor")
    changed = await amend_zone(session, supervisor, oeste, name="Poniente", expected=1)
    assert changed.version == 2
    with pytest.raises(VersionMismatch):
        await amend_zone(session, supervisor, oeste, name="Occidente", expected=1)
    with pytest.raises(AlreadyExists):
        await draw_zone(session, supervisor, oeste, kind=ZoneKind.BARRIO, name="Otra", shape=INSIDE)


# ── Laying many ───────────────────────────────────────────────────────────────────────────────────


async def test_a_file_laid_again_changes_what_changed_and_says_so(session: AsyncSession) -> None:
    def edition(*rows: tuple[str, str, float]) -> list[Zone]:
        return [
            a_zone(name, box(-60.67, -32.96 + at, -60.66, -32.955 + at), kind=ZoneKind.BARRIO, source_key=key)
            for key, name, at in rows
        ]

    first = await lay_zones_over(
        session, edition(("1", "Alberdi", 0), ("2", "Azcuénaga", 0.01), ("3", "Echesortu", 0.02))
    )
    assert (sorted(first.added), first.before, first.after) == (["Alberdi", "Azcuénaga", "Echesortu"], 0, 3)
    before = {zone.source_key: zone.id for zone in await zones(session, "barrio")}
    quiet = await edition_of(session, ZONES)
    same = await lay_zones_over(
        session, edition(("1", "Alberdi", 0), ("2", "Azcuénaga", 0.01), ("3", "Echesortu", 0.02)), replacing=["barrio"]
    )
    assert not same
    assert same.unchanged == 3
    assert await edition_of(session, ZONES) == quiet, "nothing changed, so no map has to be drawn again"

    drawn_by_hand = a_zone("A mano", box(-60.67, -32.99, -60.66, -32.98))
    await lay_zones(session, [drawn_by_hand])
    second = await lay_zones_over(
        session,
        edition(("1", "Juan B. Alberdi", 0), ("2", "Azcuénaga", 0.0101), ("4", "Fisherton", 0.03), ("5", "Sur", 0.04)),
        replacing=["barrio"],
    )
    assert second.renamed == [("Alberdi", "Juan B. Alberdi")]
    assert second.reshaped == ["Azcuénaga"]
    assert sorted(second.added) == ["Fisherton", "Sur"]
    assert second.ended == ["Echesortu"], "and what people drew stays"
    assert (second.before, second.after) == (4, 5)
    after = {zone.source_key: zone.id for zone in await zones(session, "barrio")}
    assert {key: after[key] for key in "12"} == {key: before[key] for key in "12"}, "ids stay, others refer to them"


async def test_what_a_file_leaves_out_stays(session: AsyncSession, city: City) -> None:
    zone = a_zone("Alberdi", source_key="1")
    await lay_zones(session, [zone])
    await amend_zone(session, city.actor("supervisor"), zone.id, desk="Distrito Norte", population=900)
    await lay_zones(session, [a_zone("Alberdi", source_key="1")])
    kept = await session.get_one(Zone, zone.id, populate_existing=True)
    assert (kept.desk, kept.population) == ("Distrito Norte", 900)


# ── Whose a place is ──────────────────────────────────────────────────────────────────────────────


async def test_the_smallest_of_each_kind_and_the_smallest_with_a_desk(session: AsyncSession) -> None:
    def around(metres: float) -> shapely.Polygon:
        size = metres / 111_000
        return box(WEST.x - size, WEST.y - size, WEST.x + size, WEST.y + size)

    await lay_zones(
        session,
        [
            a_zone("Rosario", around(9000), kind=ZoneKind.JURISDICTION, desk="COM"),
            a_zone("Gran Rosario", around(9900), kind=ZoneKind.JURISDICTION, desk="Provincia"),
            a_zone("Distrito Oeste", around(4000), kind=ZoneKind.DISTRICT, desk="Distrito Oeste"),
            a_zone("Echesortu", around(1000)),
            a_zone("Echesortu y alrededores", around(1500)),
            a_zone("Bañado", around(50), kind=ZoneKind.FLOOD),
        ],
    )
    found = await whose(session, WEST)
    assert (found.jurisdiction, found.barrio, found.district) == ("Rosario", "Echesortu", "Distrito Oeste")
    assert (found.vecinal, found.desk, found.outside) == ("Oeste", "Distrito Oeste", False)
    assert found.name == "Echesortu", "nobody lives in a flood zone"
    assert [zone.name for zone in found.zones][:2] == ["Bañado", "Echesortu"]


async def test_the_border_is_in_both_and_the_answer_is_always_the_same(session: AsyncSession) -> None:
    west, east = box(-60.66, -32.96, -60.65, -32.95), box(-60.65, -32.96, -60.64, -32.95)
    await lay_zones(session, [a_zone("Poniente", west), a_zone("Levante", east)])
    border = point(-60.65, -32.955)
    found = [zone.name for zone in await zones_at(session, border, ZoneKind.BARRIO)]
    assert sorted(found) == ["Levante", "Poniente"]
    assert {(await whose(session, border)).barrio for _ in range(3)} == {found[0]}


async def test_beyond_every_jurisdiction_is_said_where_the_city_has_any(session: AsyncSession, city: City) -> None:
    far = point(-61.5, -33.5)
    assert (await whose(session, far)).outside is False, "a city that does not say where it ends has no outside"
    report = await a_report(session, city.actor("call_taker"), place=far)
    assert (report.jurisdiction, report.outside, report.desk) == (None, False, None)
    await lay_zones(
        session, [a_zone("Rosario", box(-60.8, -33.1, -60.5, -32.8), kind=ZoneKind.JURISDICTION, desk="COM")]
    )
    assert (await whose(session, far)).outside is True
    assert (await whose(session, WEST)).outside is False
    for place, expected in ((far, (None, True, None)), (WEST, ("Rosario", False, "COM"))):
        report = await a_report(session, city.actor("call_taker"), place=place)
        assert (report.jurisdiction, report.outside, report.desk) == expected
        incident = await an_incident(session, city.actor("dispatcher"), place=place)
        assert (incident.jurisdiction, incident.outside, incident.desk) == expected
    nowhere = await a_report(session, city.actor("call_taker"), place=None)
    assert (nowhere.jurisdiction, nowhere.outside) == (None, False)


# ── Over the API ──────────────────────────────────────────────────────────────────────────────────


def a_body(**more: Any) -> dict[str, Any]:
    return {"id": str(new_id()), "kind": "barrio", "name": "Centro", "shape": geojson(INSIDE)} | more


async def test_a_zone_is_drawn_amended_and_ended_over_the_api(signed_in: SignIn, client: Client) -> None:
    async with signed_in("supervisor") as desk:
        body = a_body(desk="Distrito Centro")
        drawn = await desk.post("/api/v1/zones", json=body)
        assert drawn.status_code == 201, drawn.text
        assert (await desk.post("/api/v1/zones", json=body)).json() == drawn.json(), "the same again is the same"
        where = f"/api/v1/zones/{body['id']}"
        assert (await client.get("/api/v1/places/whose?lon=-60.66&lat=-32.95")).json()["desk"] == "Distrito Centro"
        for field, value in (("name", "Casco"), ("desk", ""), ("population", 1200)):
            changed = await desk.post(f"{where}/{field}", json={field: value})
            assert changed.status_code == 200, changed.text
            assert changed.json()["properties"][field] == (value or None)
        stale = await desk.post(f"{where}/name", json={"name": "Otro"}, headers={"If-Match": '"1"'})
        assert stale.status_code == 412
        moved = await desk.post(
            f"{where}/shape", json={"shape": geojson(box(-60.62, -32.95, -60.61, -32.94))}, headers={"If-Match": '"4"'}
        )
        assert moved.json()["geometry"]["type"] == "MultiPolygon"
        assert (await client.get(where)).json()["history"][0]["name"] == "Casco"
        assert (await desk.post(f"{where}/end")).status_code == 200
        assert (await desk.post(f"{where}/end")).json()["code"] == "ZoneEnded"
        assert (await desk.post(f"/api/v1/zones/{uuid4()}/end")).status_code == 404
    names = [zone["properties"]["name"] for zone in (await client.get("/api/v1/zones?kind=barrio")).json()["features"]]
    assert names == []


async def test_zones_are_read_again_only_when_they_changed(signed_in: SignIn, client: Client) -> None:
    first = await client.get("/api/v1/zones")
    tag = {"If-None-Match": first.headers["etag"]}
    assert (await client.get("/api/v1/zones", headers=tag)).status_code == 304
    assert (await client.get("/api/v1/zones?bbox=-60.68,-32.97,-60.65,-32.93", headers=tag)).status_code == 200
    async with signed_in("supervisor") as desk:
        before = await desk.get("/api/v1/snapshot")
        await desk.post("/api/v1/zones", json=a_body())
        after = await desk.get("/api/v1/snapshot")
    (was,), (is_now,) = (
        [one["properties"] for one in snapshot.json()["features"] if one["properties"]["subject"].startswith("zones:")]
        for snapshot in (before, after)
    )
    assert is_now["version"] == was["version"] + 1
    assert is_now["edition"] != was["edition"]
    assert is_now["changed"]["name"] == "Centro"
    assert (await client.get("/api/v1/zones", headers=tag)).status_code == 200


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "nan,1,2,3", "2,1,1,2", "-190,0,1,1", "1" * 200, "1,2,3,inf"])
async def test_a_box_that_is_none_is_refused(client: Client, bbox: str) -> None:
    assert (await client.get("/api/v1/zones", params={"bbox": bbox})).status_code == 422


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"shape": {"type": "Point", "coordinates": [-60.66, -32.95]}}, "GeometryTypeRefused"),
        ({"shape": geojson(box(-75, -55, -54, -22))}, "ShapeTooWide"),
        ({"shape": geojson(box(-179, -80, 179, 80))}, "OverTheEdge"),
        ({"shape": geojson(box(-60, -89, -59, -86))}, "OverTheEdge"),
        ({"valid_until": "2001-01-01T00:00:00Z"}, "EndsBeforeItBegins"),
        ({"kind": "country"}, "Malformed"),
        ({"name": " "}, "Malformed"),
        ({"version": 7}, "Malformed"),
    ],
)
async def test_what_is_no_zone_is_refused(signed_in: SignIn, change: dict[str, Any], code: str) -> None:
    async with signed_in("supervisor") as desk:
        answer = await desk.post("/api/v1/zones", json=a_body() | change)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def a_feature(name: str, at: float = 0, **more: Any) -> dict[str, Any]:
    shape = geojson(box(-60.67, -32.96 + at, -60.66, -32.955 + at))
    return {"type": "Feature", "geometry": shape, "properties": {"name": name, "FID": 3}} | more


async def test_many_zones_come_in_as_geojson_and_go_out_and_in_again(signed_in: SignIn, client: Client) -> None:
    def body(features: list[Any], **more: Any) -> dict[str, Any]:
        return {"id": str(new_id()), "type": "FeatureCollection", "kind": "district", "features": features} | more

    async with signed_in("administrator") as desk:
        bow = {"type": "Polygon", "coordinates": [[[-60, -32], [-59, -33], [-59, -32], [-60, -33], [-60, -32]]]}
        dirty = [
            a_feature("Norte", id="N"),
            a_feature("Sur", 0.01) | {"geometry": bow},
            {"type": "Feature"},
            a_feature(""),
        ]
        answer = await desk.post("/api/v1/zones/import", json=body(dirty))
        assert (answer.status_code, answer.json()["laid"], answer.json()["difference"]) == (200, 0, None)
        assert [(one["index"], one["code"]) for one in answer.json()["refused"]] == [
            (1, "ShapeInvalid"),
            (2, "NotAZone"),
            (3, "NotAZone"),
        ]
        assert answer.json()["refused"][0]["message"].startswith("La figura se cruza")
        assert (await client.get("/api/v1/zones?kind=district")).json()["features"] == []

        answer = await desk.post("/api/v1/zones/import", json=body(dirty, even_if_some_are_refused=True))
        assert answer.json()["laid"] == 1
        out = (await client.get("/api/v1/zones?kind=district")).json()
        out["features"][0]["properties"] |= {"name": "Norte Grande", "desk": "Distrito Norte"}
        answer = await desk.post("/api/v1/zones/import", json=body([*out["features"], a_feature("Este", 0.03)]))
        assert answer.json()["difference"]["renamed"] == [{"from": "Norte", "to": "Norte Grande"}]
        assert answer.json()["difference"]["added"] == ["Este"]
        again = (await client.get("/api/v1/zones?kind=district")).json()["features"]
        assert {zone["properties"]["name"] for zone in again} == {"Este", "Norte Grande"}
        assert out["features"][0]["id"] in {zone["id"] for zone in again}

        many = await desk.post("/api/v1/zones/import", json=body([a_feature(str(n)) for n in range(501)]))
        assert (many.status_code, many.json()["code"]) == (413, "TooManyZones")
    async with signed_in("dispatcher") as desk:
        assert (await desk.post("/api/v1/zones/import", json=body([]))).status_code == 403


async def test_two_who_amend_the_same_version_do_not_both_win(sessions: Sessions, city: City) -> None:
    oeste = city.zones["Oeste"]
    async with transaction(sessions) as one:
        await amend_zone(one, city.actor("supervisor"), oeste, name="Uno", expected=1)
    async with sessions() as session:
        assert await session.scalar(select(Zone.version).where(Zone.id == oeste)) == 2
    with pytest.raises(VersionMismatch):
        async with transaction(sessions) as two:
            await amend_zone(two, city.actor("administrator"), UUID(str(oeste)), name="Dos", expected=1)
