"""A day looked at again: what is known of it, what is not, who may look, and that each look stays in the books."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from incidents.closing import close_incident
from realtime.database import Sessions, now, transaction
from realtime.journal import Entry
from resources.tracks import GAP, Doubt, Fix, replayed, write_history
from tests.builders import City, an_assignment, an_incident
from tests.conftest import SignIn

HERE = (-60.65, -32.95)
DEGREE_M = 93_400.0
SECOND = dt.timedelta(seconds=1)
BEGAN = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
UNIT = UUID(int=7)


def fix(seconds: float, east_m: float = 0.0, doubt: Doubt = Doubt(0), *, unit_id: UUID = UNIT, **more: Any) -> Fix:
    """So many seconds after it began, so many metres east of `HERE`."""
    at = BEGAN + seconds * SECOND
    return Fix(unit_id, HERE[0] + east_m / DEGREE_M, HERE[1], at, at, doubt=doubt, **more)


def test_stops_gaps_and_metres() -> None:
    drive = [fix(10 * n, 100 * n) for n in range(30)]  # 2.9 km in 290 s
    stand = [fix(300 + 15 * n, 2900 + (n % 3)) for n in range(20)]
    after_silence = [fix(1200 + 10 * n, 3000 + 80 * n) for n in range(10)]
    seen = replayed([*drive, *stand, *after_silence], BEGAN, BEGAN + 1300 * SECOND)
    assert seen.gaps == [(BEGAN + 585 * SECOND, BEGAN + 1200 * SECOND)]
    [stop] = seen.stops
    assert (stop.since, stop.until) == (BEGAN + 290 * SECOND, BEGAN + 585 * SECOND)
    assert seen.metres == pytest.approx(2900 + 720, rel=0.02)
    silent = replayed([], BEGAN, BEGAN + 1300 * SECOND)
    assert (silent.points, silent.stops, silent.gaps) == ([], [], [(BEGAN, BEGAN + 1300 * SECOND)])


def test_what_trembles_stands_and_what_is_doubted_is_apart() -> None:
    seen = replayed(
        [
            fix(0),
            fix(10, 6, Doubt.JITTER),
            fix(20, 90_000, Doubt.IMPLAUSIBLE),
            fix(30, -5, Doubt.JITTER | Doubt.LATE),
            fix(40, 700, Doubt.COARSE),
            fix(50, 30, Doubt.MOCK),
            fix(60, 60, Doubt.LATE),
        ],
        BEGAN,
        BEGAN + 60 * SECOND,
    )
    assert [round((one.lon - HERE[0]) * DEGREE_M) for one in seen.points] == [0, 0, 0, 60]
    assert [one.doubt for one in seen.doubtful] == [Doubt.IMPLAUSIBLE, Doubt.COARSE, Doubt.MOCK]


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 7200), st.integers(-500, 500), st.integers(0, 127)), max_size=60))
def test_every_moment_is_known_or_a_gap(told: list[tuple[int, int, int]]) -> None:
    fixes = [fix(at, east, Doubt(doubt)) for at, east, doubt in sorted(told)]
    until = BEGAN + 7200 * SECOND
    seen = replayed(fixes, BEGAN, until)
    assert len(seen.points) + len(seen.doubtful) == len(fixes)
    known = [one.fixed_at for one in seen.points]
    for minute in range(0, 7200, 60):
        at = BEGAN + minute * SECOND
        silent = any(one < at < other for one, other in seen.gaps)
        near = any(abs(at - moment) <= GAP for moment in known)
        assert silent or near or at in {BEGAN, until} or min(at - BEGAN, until - at) <= GAP
    for one, other in zip(seen.stops, seen.stops[1:], strict=False):
        assert one.until <= other.since


async def test_a_look_is_recorded_and_shows_what_it_was_sent_to(
    signed_in: SignIn, sessions: Sessions, city: City
) -> None:
    unit, since = city.units["M1"], now() - dt.timedelta(days=3)
    day = since.date()
    async with transaction(sessions) as session:
        at = [since + n * 10 * SECOND for n in range(60)]
        await write_history(
            session, [Fix(unit, HERE[0] + n / 1000, HERE[1], when, when, 90.0, 30.0) for n, when in enumerate(at)]
        )
        open_one = await an_incident(session, city.actor("trained"))
        secret = await an_incident(session, city.actor("trained"), type_code="SAN-03")
        for incident in (open_one, secret):
            assignment = await an_assignment(session, city.actor("trained"), incident, unit)
            await close_incident(session, city.actor("trained"), incident.id, disposition="resolved")
            assignment.made_at, assignment.released_at = since, since + 300 * SECOND
    assert secret.sensitivity == 3
    window = {"since": (since - SECOND).isoformat(), "until": (since + 900 * SECOND).isoformat()}
    async with signed_in("dispatcher") as client, signed_in("supervisor") as boss, signed_in("police") as stranger:
        answer = await client.post(f"/api/v1/units/{unit}/track", json=window)
        assert answer.status_code == 200, answer.text
        seen = answer.json()
        assert len(seen["points"]) == 60
        assert seen["points"][0][2:4] == [90, 30.0]
        assert [one["incident_code"] for one in seen["assignments"]] == [open_one.code]
        assert len(seen["gaps"]) == 1
        assert seen["stops"] == []
        cleared = (await boss.post(f"/api/v1/units/{unit}/track", json=window)).json()
        assert len(cleared["assignments"]) == 2
        async with signed_in("crew m1") as crew:  # it sees its own way, and no incident that it is not on
            mine = await crew.post(f"/api/v1/units/{unit}/track", json=window)
            assert (mine.status_code, len(mine.json()["points"]), mine.json()["assignments"]) == (200, 60, [])
        assert (await stranger.post(f"/api/v1/units/{unit}/track", json=window)).status_code == 404
        for wrong in (window | {"until": window["since"]}, window | {"until": now().isoformat()}):
            assert (await client.post(f"/api/v1/units/{unit}/track", json=wrong)).status_code == 422
        past = {"since": window["since"], "until": window["until"]}
        assert (await client.get(f"/api/v1/units/{unit}/track", params=past)).json() == {"points": []}
    async with transaction(sessions) as session:
        looks = (await session.scalars(select(Entry).where(Entry.kind == "device.track_seen").order_by(Entry.id))).all()
    assert [one.actor_name for one in looks] == ["dispatcher", "supervisor", "crew m1"]
    assert looks[0].detail["unit_id"] == str(unit)
    assert looks[0].detail["since"][:10] in {day.isoformat(), (day - dt.timedelta(days=1)).isoformat()}
