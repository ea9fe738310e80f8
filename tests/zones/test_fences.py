"""Geofences: drawn over the API, watched by the real watch over positions that were sent, seen by operations only."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from shapely import LineString, box
from sqlalchemy import func, select, text, update

from geo.fences import FenceEnded, FenceVisit, Watch, amend_fence, end_fence, tidy_visits
from geo.places import METRES_PER_DEGREE, geojson
from incidents.closing import close_incident
from incidents.fencing import watch_incidents
from incidents.incident import reclassify, relocate
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.journal import Entry
from realtime.reactions import react
from resources.fence_watch import FenceCursor, FenceStanding, FenceWatch, give_up_the_lost, run_fence_watch
from resources.positions import UnitPosition
from resources.tracks import Fix, write_history
from resources.units import Unit
from tests.builders import EAST, WEST, City, a_fence, an_incident
from tests.conftest import Client, SignIn

TIMEZONE = "America/Argentina/Buenos_Aires"
WIDE = METRES_PER_DEGREE * math.cos(math.radians(WEST.y))
BLOCK = box(WEST.x - 190 / WIDE, WEST.y - 0.002, WEST.x + 190 / WIDE, WEST.y + 0.002)


def fix(unit: UUID, x: float, at: dt.datetime, **more: Any) -> dict[str, Any]:
    """A fix so many metres east of the middle of the block."""
    place = {"type": "Point", "coordinates": [WEST.x + x / WIDE, WEST.y]}
    return {"unit_id": str(unit), "location": place, "fixed_at": at.isoformat(), "accuracy_m": 8} | more


async def send(desk: Client, app: FastAPI, fixes: Sequence[dict[str, Any]]) -> None:
    """Over the API, and written down before we go on."""
    answer = await desk.post("/api/v1/positions", json={"positions": list(fixes)})
    assert answer.json() == {"accepted": len(fixes), "refused": []}, answer.text
    await app.state.machinery.positions.flush()


async def look(sessions: Sessions, watch: FenceWatch) -> int:
    async with transaction(sessions) as session:
        return await watch.look(session)


async def facts(sessions: Sessions) -> list[str]:
    async with reading(sessions) as session:
        query = select(Entry.kind).where(Entry.subject.like("visit:%")).order_by(Entry.id)
        return [kind.removeprefix("fence.") for kind in await session.scalars(query)]


async def visits_of(sessions: Sessions) -> list[FenceVisit]:
    async with reading(sessions) as session:
        return list(await session.scalars(select(FenceVisit).order_by(FenceVisit.entered_at, FenceVisit.id)))


@asynccontextmanager
async def drawn(sessions: Sessions, city: City, *, ago: float = 3600, **how: Any) -> AsyncIterator[UUID]:
    """A fence that has been watched for an hour."""
    async with transaction(sessions) as session:
        fence = await a_fence(session, city.actor("supervisor"), **({"shape": BLOCK} | how))
        fence.watched_since = fence.valid_from = now() - dt.timedelta(seconds=ago)
    yield fence.id


def minutes_ago(minutes: float) -> dt.datetime:
    return now() - dt.timedelta(minutes=minutes)


# ── Units ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_drive_through_over_the_api_is_told_once_however_often_and_by_whomever_it_is_looked_at(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    unit, start = city.units["M1"], minutes_ago(10)
    one, other = FenceWatch(TIMEZONE), FenceWatch(TIMEZONE)
    async with signed_in("dispatcher") as desk, drawn(sessions, city, watch=Watch(dwell_seconds=30)) as fence:
        way = [fix(unit, x, start + dt.timedelta(seconds=5 * n)) for n, x in enumerate(range(-500, 501, 50))]
        for n, step in enumerate(way):
            await send(desk, app, [step])
            await asyncio.gather(look(sessions, one if n % 2 else other), look(sessions, other if n % 3 else one))
            if n == 10:
                one = FenceWatch(TIMEZONE)  # a worker that died and came back
        assert await facts(sessions) == ["entered", "dwelled", "exited"]
        answer = await desk.get(f"/api/v1/fences/{fence}/visits?unit={unit}")
    (visit,) = answer.json()["visits"]
    assert (visit["who"], visit["ending"], visit["already_there"]) == ("M1", "left", False)
    entered = dt.datetime.fromisoformat(visit["entered_at"])
    assert entered == start + dt.timedelta(seconds=35), "the fix at −150 m, not when we heard of it"
    assert dt.datetime.fromisoformat(visit["dwelled_at"]) == entered + dt.timedelta(seconds=30)
    async with reading(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(FenceStanding)) == 0, "nothing to remember"


async def test_the_worker_tells_it_within_two_seconds(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    """Not how fast this machine is: that nothing on the way waits for a minute."""
    async with signed_in("dispatcher") as desk, drawn(sessions, city):
        await send(desk, app, [fix(city.units["M1"], -500, now() - dt.timedelta(seconds=20))])
        watching = asyncio.create_task(run_fence_watch(sessions, TIMEZONE))
        try:
            await asyncio.sleep(1)
            await send(desk, app, [fix(city.units["M1"], 0, now())])
            async with asyncio.timeout(20):
                while await facts(sessions) != ["entered"]:  # noqa: ASYNC110  it is another's transaction
                    await asyncio.sleep(0.1)
        finally:
            watching.cancel()


async def test_what_is_not_believed_moves_nobody_into_a_fence(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    unit, start, watch = city.units["M1"], minutes_ago(10), FenceWatch(TIMEZONE)
    async with signed_in("dispatcher") as desk, drawn(sessions, city):
        second = dt.timedelta(seconds=1)
        await send(desk, app, [fix(unit, 9000, start)])
        await look(sessions, watch)
        await send(desk, app, [fix(unit, 0, start + second)])  # nine kilometres in a second
        await send(desk, app, [fix(unit, 9000, start + 2 * second), fix(unit, 0, start + 3 * second, mock=True)])
        await send(desk, app, [fix(unit, 8990, start + 4 * second)])
        await send(desk, app, [fix(unit, 0, start - 60 * second)])  # late, and from before
        await look(sessions, watch)
        assert await facts(sessions) == []
        await send(desk, app, [fix(unit, 0, start + 300 * second)])
        await look(sessions, watch)
        assert await facts(sessions) == ["entered"]


async def test_a_fix_that_comes_after_a_newer_one_is_looked_at_by_nobody_and_blocks_nobody(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    """A web process that writes late: its rows have a smaller time than what was already looked at."""
    watch, start = FenceWatch(TIMEZONE), minutes_ago(10)
    async with signed_in("dispatcher") as desk, drawn(sessions, city):
        await send(desk, app, [fix(city.units["M1"], -500, start)])
        await look(sessions, watch)
        async with transaction(sessions) as session:
            late = "INSERT INTO position_history VALUES (:unit, :at, now(), :lon, :lat, NULL, NULL, NULL, 0)"
            when = start - dt.timedelta(seconds=30)
            await session.execute(text(late), {"unit": city.units["M1"], "at": when, "lon": WEST.x, "lat": WEST.y})
        await look(sessions, watch)
        assert await facts(sessions) == []
        await send(desk, app, [fix(city.units["M1"], 0, start + dt.timedelta(seconds=30))])
        await look(sessions, watch)
        assert await facts(sessions) == ["entered"]


async def test_a_silence_is_said_and_after_hours_of_it_nobody_is_there(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    unit, watch = city.units["M1"], FenceWatch(TIMEZONE)
    async with signed_in("dispatcher") as desk, drawn(sessions, city):
        await send(desk, app, [fix(unit, -500, minutes_ago(30))])
        await look(sessions, watch)
        await send(desk, app, [fix(unit, 0, minutes_ago(5))])
        await look(sessions, watch)
        (visit,) = await visits_of(sessions)
        assert visit.unseen_seconds == pytest.approx(25 * 60, abs=2)
        async with transaction(sessions) as session:
            await session.execute(update(FenceCursor).values(fixed_at=now() - dt.timedelta(hours=7)))
            await give_up_the_lost(session)
            await give_up_the_lost(session)
        (visit,) = await visits_of(sessions)
        assert (visit.ending, await facts(sessions)) == ("lost", ["entered", "exited"])
        await send(desk, app, [fix(unit, 0, now())])
        await look(sessions, watch)
        assert await facts(sessions) == ["entered", "exited", "entered"]


async def test_only_the_kinds_and_hours_that_are_watched(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    watch, local = FenceWatch(TIMEZONE), now().astimezone(ZoneInfo(TIMEZONE))
    later = (local + dt.timedelta(hours=2)).strftime("%H:%M"), (local + dt.timedelta(hours=3)).strftime("%H:%M")
    closed = Watch(hours=[{"days": [1, 2, 3, 4, 5, 6, 7], "from": later[0], "until": later[1]}])
    async with (
        signed_in("dispatcher") as desk,
        drawn(sessions, city, name="Policía", watch=Watch(unit_kinds=["police"])),
        drawn(sessions, city, name="De noche", watch=closed),
        drawn(sessions, city, name="Solo incidentes", watch=Watch(units=False, incidents=True)),
    ):
        for name in ("M1", "P1"):
            await send(
                desk, app, [fix(city.units[name], -500, minutes_ago(3)), fix(city.units[name], 0, minutes_ago(2))]
            )
        await look(sessions, watch)
    assert [(visit.fence, visit.who) for visit in await visits_of(sessions)] == [("Policía", "P1")]


async def test_when_its_hours_end_the_visit_does(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    unit, watch, local = city.units["M1"], FenceWatch(TIMEZONE), now().astimezone(ZoneInfo(TIMEZONE))
    ends = local.replace(second=0, microsecond=0)
    hours = {"days": [1, 2, 3, 4, 5, 6, 7], "from": (ends - dt.timedelta(minutes=20)).strftime("%H:%M")}
    open_till_now = Watch(hours=[hours | {"until": ends.strftime("%H:%M")}])
    async with signed_in("dispatcher") as desk, drawn(sessions, city, watch=open_till_now):
        before, after = ends - dt.timedelta(minutes=5), ends + dt.timedelta(milliseconds=1)
        await send(desk, app, [fix(unit, -500, before), fix(unit, 0, before + dt.timedelta(minutes=1))])
        await send(desk, app, [fix(unit, 1, after)])
        await look(sessions, watch)
    (visit,) = await visits_of(sessions)
    assert visit.ending == "unwatched"


async def test_a_line_is_crossed_with_its_direction(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    bridge = LineString([(WEST.x, WEST.y - 0.01), (WEST.x, WEST.y + 0.01)])  # northwards
    watch, start = FenceWatch(TIMEZONE), minutes_ago(10)
    async with signed_in("dispatcher") as desk, drawn(sessions, city, shape=bridge):
        xs = (-300, -100, 5, -3, 6, -2, 4, 100, 300, 100, -100)
        await send(
            desk, app, [fix(city.units["M1"], x, start + dt.timedelta(seconds=20 * n)) for n, x in enumerate(xs)]
        )
        await look(sessions, watch)
    found = await visits_of(sessions)
    assert [visit.direction for visit in found] == ["left_to_right", "right_to_left"]
    assert all(visit.entered_at == visit.exited_at for visit in found)
    assert await facts(sessions) == ["crossed", "crossed"]


async def test_a_fence_that_is_moved_or_ended_takes_its_visits_with_it(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    unit, supervisor, watch = city.units["M1"], city.actor("supervisor"), FenceWatch(TIMEZONE)
    async with signed_in("dispatcher") as desk, drawn(sessions, city) as fence:
        await send(desk, app, [fix(unit, -500, minutes_ago(5)), fix(unit, 0, minutes_ago(4))])
        await look(sessions, watch)
        async with transaction(sessions) as session:
            await amend_fence(session, supervisor, fence, shape=BLOCK.buffer(0.001))
        assert await facts(sessions) == ["entered", "exited"]
        await send(desk, app, [fix(unit, 1, now())])
        await look(sessions, watch)
        last = (await visits_of(sessions))[-1]
        assert (last.already_there, last.exited_at) == (True, None)
        async with transaction(sessions) as session:
            await end_fence(session, supervisor, fence)
        await send(desk, app, [fix(unit, 500, now())])
        await look(sessions, watch)
        assert await facts(sessions) == ["entered", "exited", "entered", "exited"]
        async with transaction(sessions) as session:
            with pytest.raises(FenceEnded):
                await amend_fence(session, supervisor, fence, name="Otra")


async def test_a_fence_that_is_a_zone_moves_with_it(
    signed_in: SignIn, app: FastAPI, sessions: Sessions, city: City
) -> None:
    unit, watch, oeste = city.units["M1"], FenceWatch(TIMEZONE), city.zones["Oeste"]
    async with (
        signed_in("dispatcher") as desk,
        signed_in("supervisor") as boss,
        drawn(sessions, city, shape=None, zone_id=oeste),
    ):
        await send(desk, app, [fix(unit, 0, minutes_ago(5))])
        await look(sessions, watch)
        assert [visit.already_there for visit in await visits_of(sessions)] == [True]
        shape = geojson(box(-60.60, -32.97, -60.59, -32.93))
        assert (await boss.post(f"/api/v1/zones/{oeste}/shape", json={"shape": shape})).status_code == 200
        await send(desk, app, [fix(unit, 1, now())])
        await look(sessions, watch)
    (visit,) = await visits_of(sessions)
    assert visit.ending == "left"


CROWD = text("""
    INSERT INTO units (id, call_sign, kind, organization_id, capabilities, base, duty, duty_since, version, told_to)
    SELECT gen_random_uuid(), 'X' || n, 'patrol', :organization, '{}', '', 'on_duty', now(), 1, '{}'
    FROM generate_series(1, 500) n
""")


async def test_five_hundred_units_in_one_look(sessions: Sessions, city: City) -> None:
    """Many units, and fences one over the other: each is told exactly what it did."""
    first, then = minutes_ago(2), minutes_ago(1)
    async with transaction(sessions) as session:
        await session.execute(CROWD, {"organization": city.organizations["municipality"]})
        crowd = list(await session.scalars(select(Unit.id).where(Unit.call_sign.like("X%"))))
        for n in range(3):
            fence = await a_fence(session, city.actor("supervisor"), shape=BLOCK.buffer(0.0001 * n), name=f"Cerca {n}")
            fence.watched_since = fence.valid_from = minutes_ago(60)
        away = [Fix(unit, WEST.x - 3000 / WIDE, WEST.y, first, first, accuracy_m=8) for unit in crowd]
        here = [Fix(unit, WEST.x, WEST.y, then, then, accuracy_m=8) for unit in crowd]
        await write_history(session, [*away, *here])
        for unit in crowd:
            session.add(UnitPosition(unit_id=unit, lon=WEST.x, lat=WEST.y, fixed_at=then, received_at=then))
            session.add(FenceCursor(unit_id=unit, fixed_at=first - dt.timedelta(minutes=1)))
    watch = FenceWatch(TIMEZONE)
    assert await look(sessions, watch) == 1000
    assert await look(sessions, watch) == 0
    async with reading(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(FenceVisit)) == 500 * 3


# ── Incidents ─────────────────────────────────────────────────────────────────────────────────────


async def follow(sessions: Sessions) -> None:
    """The journal is numbered and the reaction has seen all of it; then again, as after a backup was restored."""
    async with transaction(sessions) as session:
        await session.execute(text("UPDATE journal SET seq = id WHERE seq IS NULL"))
    told = []
    for _ in range(2):
        while await react(sessions, "fences", watch_incidents(TIMEZONE)):
            pass
        told.append(await facts(sessions))
        async with transaction(sessions) as session:
            await session.execute(text("UPDATE reaction_cursors SET seq = 0 WHERE name = 'fences'"))
    assert told[0] == told[1], "twice does no harm"


async def test_an_incident_enters_and_leaves_fences_as_it_is_opened_moved_and_closed(
    sessions: Sessions, city: City
) -> None:
    dispatcher = city.actor("dispatcher")
    listens = Watch(units=False, incidents=True, incident_types=["SIN"], least_priority=3)
    async with drawn(sessions, city, watch=listens) as fence:
        async with transaction(sessions) as session:
            incident = await an_incident(session, dispatcher, place=WEST)
            await an_incident(session, dispatcher, place=EAST)
            await an_incident(session, dispatcher, place=WEST, type_code="MET-01")
        await follow(sessions)
        (visit,) = await visits_of(sessions)
        assert (visit.incident_id, visit.fence_id, visit.who) == (incident.id, fence, incident.code)
        async with transaction(sessions) as session:
            await relocate(session, dispatcher, incident.id, location=EAST)
        await follow(sessions)
        assert await facts(sessions) == ["entered", "exited"]
        async with transaction(sessions) as session:
            await relocate(session, dispatcher, incident.id, location=WEST)
        await follow(sessions)
        async with transaction(sessions) as session:
            await close_incident(session, dispatcher, incident.id, disposition="resolved")
        await follow(sessions)
        assert await facts(sessions) == ["entered", "exited", "entered", "exited"]
    async with reading(sessions) as session:
        kinds = await session.scalars(select(Entry.kind).where(Entry.incident_id == incident.id).order_by(Entry.id))
        assert [kind for kind in kinds if kind.startswith("fence.")][:2] == ["fence.entered", "fence.exited"]


async def test_a_fence_finds_the_incidents_that_are_there_when_it_is_drawn(sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        await an_incident(session, city.actor("dispatcher"), place=WEST)
        await a_fence(session, city.actor("supervisor"), shape=BLOCK, watch=Watch(units=False, incidents=True))
    await follow(sessions)
    (visit,) = await visits_of(sessions)
    assert visit.already_there


async def test_where_a_protected_incident_is_is_not_told_by_its_visit(
    signed_in: SignIn, sessions: Sessions, city: City
) -> None:
    trained = city.actor("trained")
    async with drawn(sessions, city, watch=Watch(units=False, incidents=True)) as fence:
        async with transaction(sessions) as session:
            incident = await an_incident(session, trained, place=WEST, type_code="MET-01")
        await follow(sessions)

        async def who_sees() -> set[str]:
            found = set()
            for who in ("call_taker", "trained", "supervisor"):
                async with signed_in(who) as desk:
                    listed = (await desk.get(f"/api/v1/fences/{fence}/visits")).json()["visits"]
                    snapshot = (await desk.get("/api/v1/snapshot")).json()["features"]
                live = [one for one in snapshot if one["properties"]["subject"].startswith("visit:")]
                assert bool(listed) == bool(live)
                found |= {who} if listed else set()
            return found

        assert await who_sees() == {"call_taker", "trained", "supervisor"}
        async with transaction(sessions) as session:
            await reclassify(session, trained, incident.id, type_code="SEG-07")
        await follow(sessions)
        assert await who_sees() == {"trained", "supervisor"}


# ── Over the API ──────────────────────────────────────────────────────────────────────────────────


def a_body(**more: Any) -> dict[str, Any]:
    return {"id": str(new_id()), "name": "Terminal", "shape": geojson(BLOCK)} | more


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"shape": None}, "FenceNeedsPlace"),
        ({"zone_id": str(City.zones["Oeste"])}, "FenceNeedsPlace"),
        ({"shape": geojson(box(-80, -50, -60, -30))}, "ShapeTooWide"),
        ({"shape": geojson(WEST.buffer(0.01, quad_segs=200))}, "GeometryTooLarge"),
        ({"shape": geojson(WEST)}, "GeometryTypeRefused"),
        ({"units": None}, "FenceWatchesNothing"),
        ({"shape": geojson(LineString([WEST, EAST])), "incidents": {}}, "FenceWatchesNothing"),
        ({"units": {"kinds": ["submarine"]}}, "Malformed"),
        ({"dwell_seconds": 1}, "Malformed"),
        ({"hours": [{"days": [0], "from": "10:00", "until": "11:00"}]}, "Malformed"),
        ({"hours": [{"days": [1], "from": "10:00", "until": "10:00"}]}, "FenceHoursRefused"),
        ({"hours": [{"days": [1], "from": "25:00", "until": "10:00"}]}, "Malformed"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "FenceEnded"),
    ],
)
async def test_what_is_no_fence_is_refused(signed_in: SignIn, change: dict[str, Any], code: str) -> None:
    async with signed_in("supervisor") as desk:
        answer = await desk.post("/api/v1/fences", json=a_body() | change)
    assert answer.json()["code"] == code
    assert 400 <= answer.status_code < 500


async def test_a_fence_over_the_api(signed_in: SignIn) -> None:
    body = a_body(units={"kinds": ["fire"]}, incidents={"types": ["INC"], "least_priority": 2}, dwell_seconds=60)
    async with signed_in("supervisor") as boss, signed_in("dispatcher") as desk, signed_in("crew m1") as crew:
        made = await boss.post("/api/v1/fences", json=body)
        assert made.status_code == 201, made.text
        assert (await boss.post("/api/v1/fences", json=body)).json() == made.json()
        where = f"/api/v1/fences/{body['id']}"
        assert made.json()["properties"]["incidents"] == {"types": ["INC"], "least_priority": 2}
        assert len((await desk.get("/api/v1/fences")).json()["features"]) == 1
        assert (await crew.get("/api/v1/fences")).json()["features"] == []
        assert (await crew.get(f"{where}/visits")).status_code == 404
        assert (await crew.post(f"{where}/end")).status_code == 403
        stale = await boss.post(f"{where}/name", json={"name": "Puerto"}, headers={"If-Match": '"7"'})
        assert stale.status_code == 412
        hours = [{"days": [6, 7], "from": "22:00", "until": "06:00"}]
        changed = await boss.post(f"{where}/watch", json={"hours": hours})
        assert changed.json()["properties"]["hours"] == hours
        assert changed.json()["properties"]["incidents"] is None
        moved = await boss.post(f"{where}/place", json={"zone_id": str(City.zones["Este"])})
        assert (moved.json()["geometry"], moved.json()["properties"]["zone_id"]) == (None, str(City.zones["Este"]))
        assert (await boss.post(f"{where}/end")).status_code == 200
        assert (await boss.post(f"{where}/end")).json()["code"] == "FenceEnded"
        assert (await desk.get("/api/v1/fences")).json()["features"] == []


async def test_visits_of_units_are_forgotten_with_their_tracks(sessions: Sessions, city: City) -> None:
    async with drawn(sessions, city) as fence:
        async with transaction(sessions) as session:
            for days in (31, 5):
                at = now() - dt.timedelta(days=days)
                visit = FenceVisit(
                    id=new_id(), fence_id=fence, fence="Terminal", who="M1", unit_id=city.units["M1"], sensitivity=0
                )
                visit.entered_at = visit.exited_at = at
                visit.on_board, visit.already_there, visit.version, visit.told_to = False, False, 1, []
                session.add(visit)
        async with transaction(sessions) as session:
            await tidy_visits(session)
    assert [(now() - visit.entered_at).days for visit in await visits_of(sessions)] == [5]
