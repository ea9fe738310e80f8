"""The Valhalla adapter: the same questions to a real service, and left alone when there is none."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from geo.drives import Drive
from geo.places import point
from geo.travel import NO_POSITION
from loadtests.routing_rivals import valhalla_beside
from tests.builders import City
from tests.conftest import SHARED_DATA, browser_of
from web.app import create_app
from web.launcher.layout import TOOLS
from web.settings import Settings
from web.valhalla import FAILURES, REST, Valhalla, ValhallaAway

MONACO = SHARED_DATA / "osm_small" / "monaco.osm.pbf"
PROGRAMS = TOOLS / "valhalla" / "valhalla"
CASINO, HARBOUR = point(7.4276, 43.7396), point(7.4197, 43.7333)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_valhalla_that_is_away_is_left_alone_for_a_while() -> None:
    clock = [0.0]
    away = Valhalla(f"http://127.0.0.1:{free_port()}", patience=1, clock=lambda: clock[0])
    for _ in range(FAILURES):
        with pytest.raises(ValhallaAway) as asked:
            away.etas([(CASINO, Drive())], HARBOUR)
        assert asked.value.__cause__ is not None, "it was asked"
    with pytest.raises(ValhallaAway) as spared:
        away.route(CASINO, HARBOUR, Drive())
    assert spared.value.__cause__ is None, "it is left alone"
    clock[0] = REST + 1
    with pytest.raises(ValhallaAway) as again:
        away.route(CASINO, HARBOUR, Drive())
    assert again.value.__cause__ is not None, "it is asked again"
    assert away.etas([(None, Drive())], HARBOUR) == [NO_POSITION]
    away.close()


async def test_a_second_opinion_that_is_away_holds_nobody_up(settings: Settings, city: City) -> None:
    app = create_app(settings.model_copy(update={"valhalla_url": f"http://127.0.0.1:{free_port()}"}))
    async with app.router.lifespan_context(app), browser_of(app) as client:
        who = {"username": "dispatcher", "password": city.password}
        assert (await client.post("/api/v1/session", json=who)).status_code == 200
        where = {"lon": city.west.x, "lat": city.west.y, "compare": True}
        answer = await client.get("/api/v1/travel/etas", params=where)
    assert answer.status_code == 200
    assert {one["valhalla_s"] for one in answer.json()["etas"]} == {None}
    assert len(answer.json()["etas"]) == len(city.units)


def test_a_real_valhalla_answers_in_our_words(tmp_path: Path) -> None:
    if not MONACO.exists() or not (PROGRAMS / "bin" / "valhalla_service").exists():
        pytest.skip("Valhalla or Monaco is not here; ./vigia bench routing fetches the first")
    with valhalla_beside(PROGRAMS, MONACO, tmp_path, free_port()) as (service, _, _):
        calm, hurried, lost = service.etas([(CASINO, Drive()), (CASINO, Drive(pace=2)), (None, Drive())], HARBOUR)
        assert (calm.how, hurried.how, lost) == ("road", "road", NO_POSITION)
        assert calm.seconds == pytest.approx(2 * (hurried.seconds or 0), abs=0.2)
        seconds, metres = service.matrix([CASINO], [HARBOUR, CASINO], Drive())
        # Its search forward and its search back do not agree about one pair: 139 and 181 seconds.
        assert seconds[0].tolist() == [pytest.approx(calm.seconds, rel=0.4), pytest.approx(0, abs=5)]
        assert metres[0, 0] == pytest.approx(calm.metres, rel=0.4)
        route = service.route(CASINO, HARBOUR, Drive())
        assert route.steps[0].turn == "start"
        assert route.metres == pytest.approx(sum(step.metres for step in route.steps), rel=0.01)
        assert len(route.line) == len(route.seconds_at) == len(route.metres_at)
        assert route.line[0] == pytest.approx((CASINO.x, CASINO.y), abs=0.002)
        (area,) = service.isochrones(CASINO, [2])
        assert area.area > 0
