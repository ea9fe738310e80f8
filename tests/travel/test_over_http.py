"""Travel times over HTTP, on streets in the database."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.closures import Validity, lift_closure
from geo.network import StreetNetwork
from geo.speeds import ENOUGH, JourneySpeed
from geo.streets import Street, lay_streets
from geo.travel import network_of
from geo.zones import Zone, ZoneKind, lay_zones
from realtime.database import Sessions, new_id, now, transaction
from resources.positions import UnitPosition
from tests.builders import City, a_closure
from tests.conftest import SignIn, browser_of
from tests.travel.towns import area, grid, line, spot
from web.app import create_app
from web.settings import Settings

STREETS = [
    Street(link.a_node, link.b_node, link.shape, link.kind, link.name, link.osm_id, link.oneway, link.speed_kmh)
    for link in grid(4, 4)
]
TO = {"lon": spot(2.5, 1).x, "lat": spot(2.5, 1).y}


@pytest.fixture(autouse=True)
async def town(sessions: Sessions, city: City) -> None:
    """The grid, with M1 two blocks west of where it is needed and P1 far away; the others have no position."""
    async with transaction(sessions) as session:
        await lay_streets(session, STREETS, "© somebody")
        for unit, x, age in (("M1", 0.5, 30), ("P1", 4.0, 300)):
            fixed = now() - dt.timedelta(seconds=age)
            place = spot(x, 1)
            session.add(
                UnitPosition(unit_id=city.units[unit], lon=place.x, lat=place.y, fixed_at=fixed, received_at=fixed)
            )


def by_call_sign(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["call_sign"]: one for one in answer.json()["etas"]}


async def test_each_unit_says_how_long_it_would_take(signed_in: SignIn) -> None:
    async with signed_in("dispatcher") as dispatcher:
        answer = await dispatcher.get("/api/v1/travel/etas", params=TO)
        etas = by_call_sign(answer)
        assert answer.json()["closures"] == 0
    assert [one["call_sign"] for one in answer.json()["etas"]][:2] == ["P1", "M1"]
    assert etas["M1"]["how"] == "road"
    assert etas["M1"]["metres"] == pytest.approx(200, abs=1)
    assert 5 < etas["M1"]["seconds"] < 60
    assert etas["M1"]["position_age_s"] == pytest.approx(30, abs=20)
    assert (etas["M2"]["how"], etas["M2"]["seconds"], etas["M2"]["position_age_s"]) == ("no_position", None, None)


async def test_a_closure_counts_at_once_and_ends_when_it_is_read(
    signed_in: SignIn, sessions: Sessions, city: City
) -> None:
    async with signed_in("dispatcher") as dispatcher:
        before = by_call_sign(await dispatcher.get("/api/v1/travel/etas", params=TO))["M1"]
        async with transaction(sessions) as session:
            closure = await a_closure(session, city.actor("dispatcher"), shape=line((1, 1), (2, 1)))
        closed = await dispatcher.get("/api/v1/travel/etas", params=TO)
        assert closed.json()["closures"] == 1
        assert by_call_sign(closed)["M1"]["metres"] == pytest.approx(400, abs=2)
        async with transaction(sessions) as session:
            await lift_closure(session, city.actor("dispatcher"), closure.id)
        assert by_call_sign(await dispatcher.get("/api/v1/travel/etas", params=TO))["M1"]["metres"] == before["metres"]
        async with transaction(sessions) as session:
            later = Validity(now() + dt.timedelta(hours=1))
            await a_closure(session, city.actor("dispatcher"), shape=line((1, 1), (2, 1)), validity=later)
        planned = await dispatcher.get("/api/v1/travel/etas", params=TO)
        assert planned.json()["closures"] == 0
        assert by_call_sign(planned)["M1"]["metres"] == before["metres"]


async def test_a_crew_sees_its_own_way_only(signed_in: SignIn) -> None:
    async with signed_in("crew m1") as crew:
        assert set(by_call_sign(await crew.get("/api/v1/travel/etas", params=TO))) == {"M1"}


async def test_a_route_is_told_street_by_street(signed_in: SignIn, city: City) -> None:
    ends = {"from_lon": spot(0.5, 1).x, "from_lat": spot(0.5, 1).y, "to_lon": spot(2, 2.5).x, "to_lat": spot(2, 2.5).y}
    async with signed_in("crew m1") as crew:
        answer = await crew.get("/api/v1/travel/route", params=ends | {"unit_id": str(city.units["M1"])})
        assert answer.status_code == 200, answer.text
        route = answer.json()
        hidden = await crew.get("/api/v1/travel/route", params=ends | {"unit_id": str(city.units["M2"])})
        assert hidden.status_code == 404
        ends["to_lat"] = -33.5
        nowhere = await crew.get("/api/v1/travel/route", params=ends)
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "NoStreetThere")
        ends["to_lat"] = 97
        assert (await crew.get("/api/v1/travel/route", params=ends)).status_code == 422
    assert route["steps"][0]["turn"] == "start"
    assert route["steps"][-1]["street"] == "Avenida 2"
    assert route["metres"] == pytest.approx(300, abs=2)
    assert route["geometry"]["type"] == "LineString"


async def test_how_far_one_gets(signed_in: SignIn) -> None:
    async with signed_in("call_taker") as person:
        answer = await person.get("/api/v1/travel/isochrones", params=TO | {"minutes": "1,0.5", "kind": "fire"})
        assert answer.status_code == 200, answer.text
        small, large = answer.json()["features"]
        for minutes in ("", "0", "-1", "61", "nan", "1,2,3,4,5,6,7", "a"):
            refused = await person.get("/api/v1/travel/isochrones", params=TO | {"minutes": minutes})
            assert (refused.status_code, refused.json()["code"]) == (422, "BadMinutes"), minutes
    assert (small["properties"]["minutes"], large["properties"]["minutes"]) == (0.5, 1)
    assert 0 < small["properties"]["square_km"] < large["properties"]["square_km"]
    assert large["geometry"]["type"] == "MultiPolygon"


async def test_what_is_lost_when_a_unit_leaves(signed_in: SignIn, sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        shape = shapely.MultiPolygon([area((-1, -1), (5, -1), (5, 5), (-1, 5))])
        zone = Zone(id=new_id(), kind=ZoneKind.BARRIO, name="Centro", shape=shape, population=4000)
        await lay_zones(session, [zone])
    async with signed_in("dispatcher") as dispatcher:
        params: dict[str, str | float] = {"minutes": 0.3, "leaving": str(city.units["P1"])}
        answer = await dispatcher.get("/api/v1/travel/coverage", params=params)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["units"] == ["M1", "P1"]
        assert 0 < told["lost"]["people"] < told["covered"]["people"] < 4000
        assert [zone["name"] for zone in told["lost"]["zones"]] == ["Centro"]
        params["leaving"] = str(city.units["M2"])
        refused = await dispatcher.get("/api/v1/travel/coverage", params=params)
        assert (refused.status_code, refused.json()["code"]) == (409, "NotFreeThere")


async def test_what_was_learned_is_shown_with_its_effect(signed_in: SignIn, sessions: Sessions) -> None:
    local = now().astimezone(ZoneInfo("America/Argentina/Buenos_Aires"))
    async with transaction(sessions) as session:
        for _ in range(ENOUGH):
            session.add(
                JourneySpeed(
                    journey_id=new_id(),
                    kind="residential",
                    hour=local.hour,
                    metres=1000,
                    seconds=200,
                    expected_seconds=100,
                    driven_at=now(),
                )
            )
    async with signed_in("supervisor") as supervisor:
        told = (await supervisor.get("/api/v1/travel/speeds")).json()
        assert told["in_use"] is False
        assert told["speeds"][0] | {"hour": 0} == {
            "kind": "residential",
            "hour": 0,
            "samples": ENOUGH,
            "kmh": 18.0,
            "expected_kmh": 36.0,
            "factor": 0.5,
            "enough": True,
        }
        assert told["effect"]["trips"] > 20
        assert told["effect"]["median_change"] == pytest.approx(1.0, abs=0.1)
        before = by_call_sign(await supervisor.get("/api/v1/travel/etas", params=TO))["M1"]["seconds"]
        switched = await supervisor.post("/api/v1/travel/speeds", json={"in_use": True})
        assert switched.json()["in_use"] is True
        after = by_call_sign(await supervisor.get("/api/v1/travel/etas", params=TO))["M1"]["seconds"]
    assert after == pytest.approx(2 * before, rel=0.15)


async def test_a_process_that_lives_has_the_streets_at_hand_before_anybody_asks(
    settings: Settings, sessions: Sessions, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = asyncio.Event()

    async def looked_up(session: AsyncSession) -> StreetNetwork | None:
        network = await network_of(session)
        known.set()
        return network

    monkeypatch.setattr("web.app.network_of", looked_up)
    app = create_app(settings, at_hand=True)
    async with app.router.lifespan_context(app), browser_of(app) as client:
        await client.post("/api/v1/session", json={"username": "dispatcher", "password": city.password})
        await asyncio.wait_for(known.wait(), 60)
        async with transaction(sessions) as session:  # whoever had to read them now would find nothing
            await session.execute(text("DELETE FROM street_links"))
        etas = by_call_sign(await client.get("/api/v1/travel/etas", params=TO))
    assert etas["M1"]["how"] == "road"
