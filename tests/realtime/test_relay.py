"""The relay may die at any moment, twice over, or have a rival: the numbers have no hole, no double, no disorder."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, make_url, select, text

from realtime.access import VIGIA, Face
from realtime.bus import Bus
from realtime.database import Sessions, new_id, reading, transaction
from realtime.journal import Entry, Line, Told, head, lines_after, record
from realtime.relay import _number, new_epoch, run_relay
from tests.realtime.conftest import until

WRITERS = 8  # of the ten connections that `sessions` has


@dataclass
class Thing:
    """Something that facts are about, without a table: one writer each, so its versions need no lock."""

    id: UUID = field(default_factory=new_id)
    version: int = 0
    told_to: list[str] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """Its name."""
        return f"thing:{self.id}"


async def write(sessions: Sessions, thing: Thing, *, pause: float = 0.0) -> None:
    """One fact; the transaction stays open for `pause` after its entry was inserted."""
    thing.version += 1
    faces = (Face(frozenset({"ops:0"}), {"properties": {"version": thing.version}}),)
    async with transaction(sessions) as session:
        await record(session, VIGIA, "thing.changed", cast(Told, thing), faces)
        await asyncio.sleep(pause)


async def write_many(sessions: Sessions, stop: asyncio.Event) -> int:
    """Write until told to stop, each transaction open for a while of its own; how many were acknowledged."""
    things = [Thing() for _ in range(WRITERS)]

    async def one(thing: Thing) -> None:
        while not stop.is_set():
            await write(sessions, thing, pause=random.uniform(0, 0.03))
            await asyncio.sleep(random.uniform(0, 0.02))

    await asyncio.gather(*(one(thing) for thing in things))
    return sum(thing.version for thing in things)


class Reader:
    """Follows the numbers as feeds and reactions do."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.lines: list[Line] = []

    async def read(self) -> None:
        """Everything that is there by now."""
        async with reading(self.sessions) as session:
            upto = (await head(session)).seq
            self.lines += await lines_after(session, len(self.lines), upto=upto, limit=10_000)

    async def follow(self) -> None:
        """For ever."""
        while True:
            await self.read()
            await asyncio.sleep(0.005)

    async def has(self, count: int) -> None:
        """Wait until so many lines were read."""
        await until(lambda: len(self.lines) >= count)

    def check(self, written: int) -> None:
        """Nothing missing, nothing twice, each subject in the order of its versions."""
        things = [line for line in self.lines if line.subject.startswith("thing:")]
        assert [line.seq for line in self.lines] == list(range(1, len(self.lines) + 1))
        assert len(things) == written
        versions = defaultdict(list)
        for line in things:
            versions[line.subject].append(line.version)
        for seen in versions.values():
            assert seen == list(range(1, len(seen) + 1))


async def all_numbered(sessions: Sessions) -> bool:
    """Whether no entry waits."""
    async with reading(sessions) as session:
        return not await session.scalar(select(func.count()).where(Entry.seq.is_(None)))


async def until_numbered(sessions: Sessions) -> None:
    """Wait for that."""
    for _ in range(500):
        if await all_numbered(sessions):
            return
        await asyncio.sleep(0.03)
    raise AssertionError("entries were left without a number")


@asynccontextmanager
async def following(reader: Reader) -> AsyncIterator[None]:
    """Read meanwhile."""
    task = asyncio.create_task(reader.follow())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await reader.read()


@asynccontextmanager
async def relaying(database_url: str, bus: Bus) -> AsyncIterator[asyncio.Task[None]]:
    """A relay in this process."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_relay(database_url, bus, stop))
    yield task
    stop.set()
    await task


async def relay_process(database_url: str, redis_url: str, name: str) -> asyncio.subprocess.Process:
    """A relay in a process of its own."""
    work = f"serve({database_url!r}, {redis_url!r}, name={name!r})"
    program = f"import asyncio; from realtime.relay import serve; asyncio.run({work})"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )


async def leader_of(sessions: Sessions) -> int | None:
    """The database process that holds the relays' lock."""
    async with reading(sessions) as session:
        return cast(
            int | None,
            await session.scalar(text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 7316001")),
        )


async def test_facts_are_numbered_in_the_order_of_their_commits(
    sessions: Sessions, database_url: str, bus: Bus
) -> None:
    slow, quick = Thing(), Thing()
    async with relaying(database_url, bus):
        first = asyncio.create_task(write(sessions, slow, pause=0.5))
        await asyncio.sleep(0.1)
        await write(sessions, quick)  # a greater id, committed before
        await first
        await until_numbered(sessions)
    reader = Reader(sessions)
    await reader.read()
    assert [line.subject for line in reader.lines][-2:] == [quick.subject, slow.subject]


async def test_a_quiet_stream_is_not_written_to(sessions: Sessions, database_url: str, bus: Bus) -> None:
    async with relaying(database_url, bus):
        await until_numbered(sessions)
        query = text("SELECT xmin::text || ',' || xmax::text FROM stream_head")
        async with reading(sessions) as session:
            before = await session.scalar(query)
        await asyncio.sleep(0.3)
        async with reading(sessions) as session:
            assert await session.scalar(query) == before


@pytest.mark.faults
async def test_a_relay_killed_again_and_again_loses_doubles_and_skips_nothing(
    sessions: Sessions, database_url: str, redis_url: str, redis_name: str
) -> None:
    stop, reader = asyncio.Event(), Reader(sessions)
    relays = [await relay_process(database_url, redis_url, redis_name) for _ in range(2)]
    killed = 0
    async with following(reader):
        writing = asyncio.create_task(write_many(sessions, stop))
        for _ in range(10):
            await reader.has(len(reader.lines) + 20)  # somebody leads, in mid-work
            relays[killed % 2].send_signal(signal.SIGKILL)
            await relays[killed % 2].wait()
            relays[killed % 2] = await relay_process(database_url, redis_url, redis_name)
            killed += 1
        stop.set()
        written = await writing
        await until_numbered(sessions)
    for relay in relays:
        relay.terminate()
        assert await relay.wait() in {0, -signal.SIGTERM}  # the latter: it had only begun to start
    reader.check(written)
    print(f"relay kills: {killed}, acked={written}, missing=0, dup=0, gaps=0")  # noqa: T201


async def test_of_two_relays_one_leads(sessions: Sessions, database_url: str, bus: Bus) -> None:
    stop, reader = asyncio.Event(), Reader(sessions)
    async with relaying(database_url, bus), relaying(database_url, bus), following(reader):
        writing = asyncio.create_task(write_many(sessions, stop))
        await asyncio.sleep(1.5)
        stop.set()
        written = await writing
        await until_numbered(sessions)
    reader.check(written)


async def test_two_leaders_by_mistake_still_take_turns(sessions: Sessions, database_url: str) -> None:
    for _ in range(20):
        await asyncio.gather(*(write(sessions, Thing()) for _ in range(10)))
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    numbered: list[int] = []

    async def lead_without_the_lock() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while True:
                _, lines = await _number(connection)
                numbered.extend(line.seq for line in lines)
                if not lines and await all_numbered(sessions):
                    return

    await asyncio.gather(*(lead_without_the_lock() for _ in range(3)))
    assert sorted(numbered) == list(range(1, len(numbered) + 1))
    assert len(numbered) >= 200


async def test_losing_the_connection_loses_the_lead_and_finds_it_again(
    sessions: Sessions, database_url: str, bus: Bus
) -> None:
    reader, thing = Reader(sessions), Thing()
    async with relaying(database_url, bus):
        for _ in range(3):
            await write(sessions, thing)
            await until_numbered(sessions)
            async with transaction(sessions) as session:
                await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": await leader_of(sessions)})
        await write(sessions, thing)
        await until_numbered(sessions)
    await reader.read()
    reader.check(4)


async def test_an_open_transaction_holds_nobody_else_up(sessions: Sessions, database_url: str, bus: Bus) -> None:
    reader, thing = Reader(sessions), Thing()
    async with relaying(database_url, bus), transaction(sessions) as forgetful:
        await forgetful.execute(text("SELECT pg_current_xact_id()"))
        await write(sessions, thing)
        await until_numbered(sessions)
    await reader.read()
    reader.check(1)


async def test_without_redis_numbers_are_given_all_the_same(sessions: Sessions, database_url: str) -> None:
    async with relaying(database_url, Bus(None)):
        await write(sessions, Thing())
        await until_numbered(sessions)
    async with relaying(database_url, Bus("redis://127.0.0.1:1")):
        await write(sessions, Thing())
        await until_numbered(sessions)


async def test_a_new_epoch_keeps_the_numbers(sessions: Sessions, database_url: str, bus: Bus) -> None:
    async with relaying(database_url, bus):
        await until_numbered(sessions)
        async with transaction(sessions) as session:
            before = await head(session)
            after = await new_epoch(session)
        assert (after.seq, after.epoch != before.epoch) == (before.seq, True)
        await write(sessions, Thing())
        await until_numbered(sessions)
        async with reading(sessions) as session:
            assert (await head(session)).seq == before.seq + 1
