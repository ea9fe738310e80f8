"""Positions: what is believed, what is kept, what is refused, and that none of it holds anything else up."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from realtime.bus import Bus, Moved
from realtime.database import Sessions, new_id, now, reading, transaction
from resources.positions import BadFix, Claim, PositionLane, judged, positions_now
from resources.tracks import KEPT, Doubt, Fix, position_history, tend_history, track, write_history
from resources.units import Duty, set_duty
from tests.builders import City
from tests.conftest import SignIn
from tests.realtime.conftest import until

HERE = (-60.65, -32.95)
SECOND = dt.timedelta(seconds=1)
DEGREE_KM = 93.4  # of longitude, there


@pytest.fixture
async def lane(sessions: Sessions, bus: Bus) -> AsyncIterator[PositionLane]:
    """A lane that writes when it is told to."""
    lane = PositionLane(sessions, bus)
    yield lane
    await lane.flush()


def a_claim(unit_id: UUID, *, east_km: float = 0.0, at: dt.datetime | None = None, **more: Any) -> Claim:
    """A fix, so many kilometres east of `HERE`."""
    return Claim(unit_id, HERE[0] + east_km / DEGREE_KM, HERE[1], at or now(), **more)


def a_fix(unit_id: UUID, *, east_km: float = 0.0, at: dt.datetime | None = None, **more: Any) -> Fix:
    """The same, as we take it."""
    return judged(a_claim(unit_id, east_km=east_km, at=at, **more), now())


async def marker(sessions: Sessions, unit_id: UUID) -> Moved | None:
    """Where the unit is."""
    async with reading(sessions) as session:
        found = await positions_now(session, [unit_id])
    return found[0] if found else None


async def history(sessions: Sessions, unit_id: UUID) -> list[Any]:
    """All that is kept of a unit."""
    query = position_history.select().where(position_history.c.unit_id == unit_id).order_by("fixed_at")
    async with reading(sessions) as session:
        return list(await session.execute(query))


# ── What is believed ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [
        {"lon": math.nan},
        {"lat": math.inf},
        {"lon": 180.5},
        {"lat": -91.0},
        {"heading": 720.0},
        {"heading": -1.0},
        {"heading": math.nan},
        {"speed_kmh": -3.0},
        {"speed_kmh": math.nan},
        {"speed_kmh": 1e9},
        {"fixed_at": dt.datetime(1970, 1, 1, tzinfo=dt.UTC)},
        {"fixed_at": dt.datetime(1, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadFix):
        judged(replace(a_claim(new_id()), **wrong), now())


def test_what_is_odd_is_kept_and_marked() -> None:
    at = now()
    assert judged(a_claim(new_id(), at=at), at).doubt == 0
    assert judged(a_claim(new_id(), speed_kmh=2000.0), at).doubt == Doubt.IMPLAUSIBLE
    assert judged(a_claim(new_id(), mock=True), at).doubt == Doubt.MOCK
    for accuracy in (-1.0, math.nan, 1e9):
        fix = judged(a_claim(new_id(), accuracy_m=accuracy), at)
        assert (fix.accuracy_m, fix.doubt) == (None, Doubt.ACCURACY)
    future = judged(a_claim(new_id(), at=at + dt.timedelta(hours=48)), at)
    assert (future.fixed_at, future.doubt) == (at, Doubt.CLOCK)
    edge = judged(Claim(new_id(), -180.0, 90.0, at, heading=360.0), at)
    assert (edge.lon, edge.lat, edge.heading) == (-180.0, 90.0, 0.0)
    assert math.copysign(1, judged(Claim(new_id(), -0.0, -0.0, at), at).lon) == 1


async def test_a_newer_fix_moves_the_marker_and_an_older_one_is_only_kept(
    lane: PositionLane, sessions: Sessions, city: City
) -> None:
    unit, at = city.units["M1"], now() - dt.timedelta(minutes=5)
    lane.put([a_fix(unit, at=at)])
    await lane.flush()
    lane.put([a_fix(unit, east_km=0.1, at=at + 30 * SECOND, heading=90.0, speed_kmh=12.0)])
    lane.put([a_fix(unit, east_km=-0.1, at=at - 30 * SECOND)])
    await lane.flush()
    here = await marker(sessions, unit)
    assert here is not None
    assert here[1:] == [
        round(HERE[0] + 0.1 / DEGREE_KM, 6), HERE[1], 90, 12.0, int((at + 30 * SECOND).timestamp() * 1000)
    ]  # fmt: skip
    assert [Doubt(row.doubt) for row in await history(sessions, unit)] == [Doubt.LATE, Doubt(0), Doubt(0)]


async def test_two_processes_agree_on_the_newest(sessions: Sessions, bus: Bus, city: City) -> None:
    unit, at = city.units["M1"], now()
    one, other = PositionLane(sessions, bus), PositionLane(sessions, bus)
    one.put([a_fix(unit, east_km=0.2, at=at)])
    other.put([a_fix(unit, at=at - 10 * SECOND)])
    await asyncio.gather(one.flush(), other.flush())
    here = await marker(sessions, unit)
    assert here is not None
    assert here[5] == int(at.timestamp() * 1000)


async def test_the_same_fix_twice_is_one(lane: PositionLane, sessions: Sessions, city: City) -> None:
    fix = a_fix(city.units["M1"])
    lane.put([fix, fix])
    await lane.flush()
    lane.put([fix])
    await lane.flush()
    assert len(await history(sessions, city.units["M1"])) == 1


async def test_one_leap_is_not_followed_and_a_second_fix_there_is(
    lane: PositionLane, sessions: Sessions, city: City
) -> None:
    unit, at = city.units["M1"], now() - dt.timedelta(minutes=1)
    leap, back = a_fix(unit, east_km=50, at=at + SECOND), a_fix(unit, east_km=0.01, at=at + 2 * SECOND)
    lane.put([a_fix(unit, at=at), leap, back])
    await lane.flush()
    here = await marker(sessions, unit)
    assert here is not None
    assert here[1] == pytest.approx(HERE[0] + 0.01 / DEGREE_KM, abs=1e-5)
    lane.put([a_fix(unit, east_km=50, at=at + 3 * SECOND), a_fix(unit, east_km=50.01, at=at + 4 * SECOND)])
    await lane.flush()
    here = await marker(sessions, unit)
    assert here is not None
    assert here[1] == pytest.approx(HERE[0] + 50.01 / DEGREE_KM, abs=1e-5)
    doubts = [Doubt(row.doubt) for row in await history(sessions, unit)]
    assert doubts == [0, Doubt.IMPLAUSIBLE, 0, Doubt.IMPLAUSIBLE, 0]
    async with reading(sessions) as session:
        assert len(await track(session, unit, at, at + dt.timedelta(minutes=1))) == 3


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_lane_writes_by_itself_tells_the_bus_and_empties_at_its_end(
    sessions: Sessions, bus: Bus, city: City
) -> None:
    told: list[Moved] = []
    listening = asyncio.create_task(bus.follow(lambda _: None, told.extend))
    await until(lambda: bus.alive)
    async with PositionLane(sessions, bus).running() as lane:
        lane.put([a_fix(city.units["M1"], heading=359.6)])
        await until(lambda: told)
        lane.put([a_fix(city.units["M2"])])
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert told[0] == await marker(sessions, city.units["M1"])
    assert await marker(sessions, city.units["M2"])


async def test_history_holds_what_was_packed(sessions: Sessions, city: City) -> None:
    at = dt.datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=dt.UTC)
    unit = city.units["M1"]
    fixes = [
        Fix(unit, -60.6512345, -32.9512345, at, now(), 12.5, 33.25, 4.5, Doubt.MOCK),
        Fix(unit, 180.0, -90.0, at + SECOND, now()),
    ]
    async with transaction(sessions) as session:
        await write_history(session, fixes)
    assert [
        Fix(**{**row._mapping, "doubt": Doubt(row.doubt)}) for row in await history_in_order(sessions, unit)
    ] == fixes


async def history_in_order(sessions: Sessions, unit_id: UUID) -> list[Any]:
    """The history with its columns in the order of `Fix`."""
    names = "unit_id, lon, lat, fixed_at, received_at, heading, speed_kmh, accuracy_m, doubt"
    query = text(f"SELECT {names} FROM position_history WHERE unit_id = :unit ORDER BY fixed_at")  # noqa: S608
    async with reading(sessions) as session:
        return list(await session.execute(query, {"unit": unit_id}))


async def test_a_database_that_is_away_costs_nothing_but_time(
    sessions: Sessions, bus: Bus, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = PositionLane(sessions, bus)
    async with transaction(sessions) as session:  # somebody holds the lane's lock for longer than anybody waits
        await session.execute(text("SELECT pg_advisory_xact_lock(7316002)"))
        lane.put([a_fix(city.units["M1"])])
        await lane.flush()
        assert len(lane._history) == 1
    lane.put([a_fix(city.units["M2"])])
    await lane.flush()
    assert await marker(sessions, city.units["M1"])
    assert await marker(sessions, city.units["M2"])


async def test_a_batch_that_can_never_be_written_does_not_stop_the_lane(
    lane: PositionLane, sessions: Sessions, city: City
) -> None:
    lane.put([a_fix(new_id())])  # no such unit
    await lane.flush()
    lane.put([a_fix(city.units["M1"])])
    await lane.flush()
    assert await marker(sessions, city.units["M1"])


async def test_updates_stay_on_their_page(lane: PositionLane, sessions: Sessions, city: City) -> None:
    at = now() - dt.timedelta(minutes=5)
    for turn in range(20):
        lane.put([a_fix(city.units["M1"], at=at + turn * SECOND)])
        await lane.flush()
    await asyncio.sleep(1.2)  # the statistics of a session are told at most once a second
    async with transaction(sessions) as session:
        await session.execute(text("SELECT pg_stat_force_next_flush()"))
        query = text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'unit_positions'")
        moved, in_place = (await session.execute(query)).one()
    assert moved == in_place


# ── Keeping ───────────────────────────────────────────────────────────────────────────────────────


async def test_days_are_made_ahead_and_dropped_when_they_are_over(sessions: Sessions, city: City) -> None:
    old, unit = now() - KEPT - dt.timedelta(days=2), city.units["M1"]
    name = f"position_history_{old:%Y%m%d}"
    async with transaction(sessions) as session:
        await session.execute(
            text(
                f"CREATE TABLE {name} PARTITION OF position_history"
                f" FOR VALUES FROM ('{old:%Y-%m-%d} 00:00+00') TO ('{old + dt.timedelta(days=1):%Y-%m-%d} 00:00+00')"
            )
        )
        stray = now() + dt.timedelta(days=3)
        for partition in (f"position_history_{now() + dt.timedelta(days=ahead):%Y%m%d}" for ahead in (2, 3)):
            await session.execute(text(f"DROP TABLE IF EXISTS {partition}"))
        await write_history(session, [Fix(unit, *HERE, old, old), Fix(unit, *HERE, stray, stray)])
    assert len(await history(sessions, unit)) == 2
    for _ in range(2):  # twice is as good as once
        async with transaction(sessions) as session:
            await tend_history(session)
    assert len(await history(sessions, unit)) == 1  # the old day is gone, the stray one has its day
    async with reading(sessions) as session:
        assert await session.scalar(text("SELECT count(*) FROM position_history_default")) == 0
        assert await session.scalar(text(f"SELECT count(*) FROM position_history_{stray:%Y%m%d}")) == 1  # noqa: S608
        assert await session.scalar(text(f"SELECT to_regclass('{name}')")) is None


# ── Over HTTP ─────────────────────────────────────────────────────────────────────────────────────


def told(unit_id: UUID, **more: Any) -> dict[str, Any]:
    """A fix as a device sends it."""
    location = {"type": "Point", "coordinates": list(HERE)}
    return {"unit_id": str(unit_id), "location": location, "fixed_at": now().isoformat()} | more


async def test_a_crew_tells_where_it_is_and_everybody_who_may_sees_it(signed_in: SignIn, city: City) -> None:
    unit = city.units["M1"]
    async with signed_in("crew m1") as crew, signed_in("dispatcher") as dispatcher, signed_in("police") as police:
        fix = told(unit, heading=90, speed_kmh=30.5, accuracy_m=5)
        answer = await crew.post("/api/v1/positions", json={"positions": [fix]})
        assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "refused": []})
        for _ in range(100):
            seen = (await dispatcher.get("/api/v1/snapshot")).json()
            if seen["positions"]:
                break
            await asyncio.sleep(0.1)
        assert [row[0] for row in seen["positions"]] == [str(unit)]
        assert seen["positions"][0][3:5] == [90, 30.5]
        assert (await police.get("/api/v1/snapshot")).json()["positions"] == []
        points = (await crew.get(f"/api/v1/units/{unit}/track")).json()["points"]
        assert [point[:4] for point in points] == [[*HERE, 90.0, 30.5]]
        assert (await police.get(f"/api/v1/units/{unit}/track")).status_code == 404


async def test_one_bad_fix_does_not_cost_the_others(signed_in: SignIn, city: City) -> None:
    unit = city.units["M1"]
    bad: list[dict[str, Any]] = [
        {},
        told(unit, heading=720),
        told(unit, heading="90"),
        told(unit, heading=True),
        told(unit, location={"type": "Point", "coordinates": [0, 0]}),
        told(unit, location={"type": "Point", "coordinates": ["1", "2"]}),
        told(unit, location={"type": "Point", "coordinates": [500, 0]}),
        told(unit, location={"type": "point", "coordinates": list(HERE)}),
        told(unit, fixed_at="yesterday"),
        told(unit, fixed_at="2026-01-01T00:00:00"),
        told(unit, fixed_at="1970-01-01T00:00:00Z"),
        told(unit) | {"unit_id": "x"},
        told(unit, role="admin"),
        told(new_id()),
        told(city.units["M2"]),
    ]
    async with signed_in("crew m1") as crew:
        answer = await crew.post("/api/v1/positions", json={"positions": [told(unit), *bad, told(unit)]})
    assert answer.status_code == 200
    found = answer.json()
    assert found["accepted"] == 2
    assert [refusal["index"] for refusal in found["refused"]] == list(range(1, len(bad) + 1))
    assert found["refused"][-1]["code"] == "NotAllowed"
    assert all(refusal["message"] and "{" not in refusal["message"] for refusal in found["refused"])


async def test_who_may_not_send_is_refused(signed_in: SignIn, client: Any, city: City) -> None:
    body = {"positions": [told(city.units["M1"])]}
    assert (await client.post("/api/v1/positions", json=body)).status_code == 401
    for name in ("wall", "government", "police", "vecinal oeste"):
        async with signed_in(name) as somebody:
            assert (await somebody.post("/api/v1/positions", json=body)).status_code == 403


async def test_a_unit_out_of_service_is_not_followed(signed_in: SignIn, sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        await set_duty(session, city.actor("dispatcher"), city.units["M1"], duty=Duty.OUT_OF_SERVICE)
    async with signed_in("crew m1") as crew:
        answer = (await crew.post("/api/v1/positions", json={"positions": [told(city.units["M1"])]})).json()
    assert [refusal["code"] for refusal in answer["refused"]] == ["OffDuty"]
    assert not await history(sessions, city.units["M1"])


async def test_a_malformed_batch_is_refused(signed_in: SignIn) -> None:
    batches: list[tuple[dict[str, Any], int]] = [
        ({}, 422),
        ({"positions": "x"}, 422),
        ({"positions": [7]}, 422),
        ({"positions": [], "more": 1}, 422),
        ({"positions": []}, 200),
        ({"positions": [{}] * 501}, 413),
    ]
    async with signed_in("crew m1") as crew:
        for body, status in batches:
            assert (await crew.post("/api/v1/positions", json=body)).status_code == status, body


async def test_a_flood_is_told_to_wait(signed_in: SignIn, city: City) -> None:
    body = {"positions": [told(city.units["M1"])] * 500}
    async with signed_in("crew m1") as crew:
        answers = [await crew.post("/api/v1/positions", json=body) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200, 429}
        assert (await crew.get("/api/v1/units")).status_code == 200  # nothing else is held up


async def test_events_tell_what_changed_or_ask_for_a_snapshot(
    signed_in: SignIn, sessions: Sessions, relay: None, city: City
) -> None:
    async with signed_in("dispatcher") as client:
        seen = (await client.get("/api/v1/snapshot")).json()
        cursor = {"epoch": seen["epoch"], "after": seen["seq"]}
        assert (await client.get("/api/v1/events", params=cursor)).json()["lines"] == []
        async with transaction(sessions) as session:
            await set_duty(session, city.actor("dispatcher"), city.units["M1"], duty=Duty.BREAK)
        for _ in range(200):
            later = (await client.get("/api/v1/events", params=cursor)).json()
            if later["lines"]:
                break
            await asyncio.sleep(0.05)
        [line] = later["lines"]
        assert line["feature"]["properties"]["status"] == "break"
        gone: list[dict[str, Any]] = [{"epoch": "x", "after": 0}, cursor | {"after": 10**12}]
        for wrong in gone:
            answer = await client.get("/api/v1/events", params=wrong)
            assert (answer.status_code, answer.json()["code"]) == (410, "SnapshotNeeded")
        malformed: list[dict[str, Any]] = [{}, {"epoch": "x", "after": -1}, {"epoch": "x", "after": 1 << 64}]
        for wrong in [*malformed, {"epoch": "x" * 500, "after": 1}]:
            assert (await client.get("/api/v1/events", params=wrong)).status_code == 422
