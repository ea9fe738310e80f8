"""Jobs: the tables are the library's, what was put down is done once, and no death of a worker loses one."""

from __future__ import annotations

import asyncio
import datetime as dt
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarms import Alarm, AlarmKind, AlarmState
from incidents.assignments import Assignment
from incidents.watchdogs import JOBS, LOOK, look, start_clocks
from realtime.database import Sessions, now, reading, transaction
from realtime.jobs import defer, run_jobs
from realtime.journal import Entry
from realtime.reactions import react
from tests.alarms.clock import age, waiting
from tests.builders import City, an_assignment, an_incident
from tests.served import Served

MIGRATIONS = Path(__file__).parents[2] / "web" / "migrations"


def test_the_tables_are_those_of_the_library_that_runs() -> None:
    """When this fails the library has moved on: a migration must bring its changes (its `sql/migrations`)."""
    (ours,) = MIGRATIONS.glob("procrastinate_*.sql")
    assert ours.stem == f"procrastinate_{version('procrastinate')}"
    assert ours.read_text(encoding="utf-8") == (resources.files("procrastinate.sql") / "schema.sql").read_text("utf-8")


async def test_a_job_is_there_when_its_cause_is_and_only_then(sessions: Sessions) -> None:
    async def put_down() -> None:
        async with transaction(sessions) as session:
            await defer(session, LOOK, at=now(), key="one", incident_id="x")
            await defer(session, LOOK, at=now(), key="one", incident_id="x")
            assert len(await waiting(session)) == 1, "under the same key one is enough"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await put_down()
    async with reading(sessions) as session:
        assert await waiting(session) == []


async def test_what_cannot_be_put_down_is_refused_as_the_session_would(session: AsyncSession) -> None:
    with pytest.raises(DBAPIError):
        await defer(session, "x" * 200, at=now(), key="k")


async def test_several_workers_do_each_job_once_and_a_failed_one_again(sessions: Sessions, database_url: str) -> None:
    done: list[str] = []
    failed, ready = set(), asyncio.Event()

    async def job(session: AsyncSession, name: str) -> None:
        assert await session.scalar(text("SELECT 1")) == 1
        if name == "7" and name not in failed:
            failed.add(name)
            raise ValueError("the first time it fails")
        done.append(name)
        if len(done) == 40:
            ready.set()

    async with transaction(sessions) as session:
        for number in range(40):
            await defer(session, "count", at=now(), key=f"count:{number}", name=str(number))
        await defer(session, "count", at=now() + dt.timedelta(hours=1), key="later", name="later")
    workers = [asyncio.create_task(run_jobs(database_url, sessions, {"count": job})) for _ in range(2)]
    try:
        async with asyncio.timeout(60):
            await ready.wait()
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    assert sorted(done, key=int) == [str(number) for number in range(40)]


async def test_two_workers_that_look_at_once_raise_one_alarm(sessions: Sessions, city: City) -> None:
    incident_id = await _overdue(sessions, city)

    async def one() -> None:
        async with transaction(sessions) as session:
            await look(session, incident_id)

    await asyncio.gather(*(one() for _ in range(8)))
    async with reading(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(Alarm)) == 1
        told = select(func.count()).where(Entry.kind == "alarm.raised")
        assert await session.scalar(told) == 1


async def test_cursor_and_job_are_one_transaction(sessions: Sessions, city: City) -> None:
    await _overdue(sessions, city)
    async with transaction(sessions) as session:
        await session.execute(text("UPDATE journal SET seq = id"))

    async def breaks(session: AsyncSession, entry: Entry) -> None:
        await start_clocks(session, entry)
        if entry.kind == "assignment.made":
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        await react(sessions, "watchdogs", breaks)
    async with reading(sessions) as session:
        assert await waiting(session) == []
    await react(sessions, "watchdogs", start_clocks)
    async with reading(sessions) as session:
        assert len(await waiting(session)) == 1


async def _overdue(sessions: Sessions, city: City) -> str:
    async with transaction(sessions) as session:
        actor = city.actor("trained")
        incident = await an_incident(session, actor, type_code="INC-01")
        await age(session, await an_assignment(session, actor, incident, city.units["M1"]), 61)
        return str(incident.id)


async def test_workers_die_and_every_alarm_comes_once_though_late(
    sessions: Sessions, database_url: str, redis_url: str, city: City, tmp_path: Path
) -> None:
    """Real processes: the worker is killed before the time has come, two come back, one of them in the middle of it."""

    async def raised() -> list[Alarm]:
        async with reading(sessions) as session:
            query = select(Alarm).where(Alarm.kind == AlarmKind.UNACKNOWLEDGED).order_by(Alarm.id)
            return list(await session.scalars(query))

    with Served(tmp_path / "one", database_url, redis_url, programs=("relay", "worker")) as first:
        async with transaction(sessions) as session:
            actor = city.actor("trained")
            for call_sign in ("M1", "M2", "T1"):
                incident = await an_incident(session, actor, type_code="INC-01")
                await an_assignment(session, actor, incident, city.units[call_sign])
        await _until(sessions, "SELECT count(*) >= 3 FROM procrastinate_jobs WHERE status = 'todo'")
        first.kill("worker")
        async with transaction(sessions) as session:  # the minute passes while nobody works
            for assignment in await session.scalars(select(Assignment)):
                await age(session, assignment, 61)
            await session.execute(
                text(
                    "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - interval '61 s' WHERE status = 'todo'"
                )
            )
            # One job was being done by the worker that died.
            await session.execute(
                text(
                    "UPDATE procrastinate_jobs SET status = 'doing' WHERE id ="
                    " (SELECT id FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id LIMIT 1)"
                )
            )
            await session.execute(text("UPDATE procrastinate_events SET at = at - interval '61 s'"))
        assert await raised() == []
        with Served(tmp_path / "two", database_url, redis_url, programs=("worker",)) as second:
            first.start("worker")
            second.kill("worker")
            await _until(sessions, "SELECT count(*) = 3 FROM alarms WHERE kind = 'unacknowledged'")
            await _until(sessions, "SELECT count(*) = 0 FROM procrastinate_jobs WHERE status = 'doing'")
    alarms = await raised()
    assert [one.state for one in alarms] == [AlarmState.RAISED] * 3
    assert len({one.about for one in alarms}) == 3
    assert JOBS.keys() >= {LOOK}


async def _until(sessions: Sessions, question: str) -> None:
    async with asyncio.timeout(90):
        while True:
            async with reading(sessions) as session:
                if await session.scalar(text(question)):
                    return
            await asyncio.sleep(0.1)
