"""Time in tests: what was put down is done when it is due, and the past is written into the rows."""

from __future__ import annotations

import datetime as dt
import json
from uuid import UUID

from sqlalchemy import TextClause, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarms import Alarm, AlarmKind
from incidents.assignments import Assignment
from incidents.incident import Incident
from incidents.sos import Sos
from incidents.watchdogs import JOBS, start_clocks
from realtime.database import now
from realtime.journal import Entry

_TAKE = text("""
    DELETE FROM procrastinate_jobs WHERE id = ANY(:ids) RETURNING id, task_name, args::text AS args
""")
_DUE = text("SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at <= clock_timestamp()")
_ALL = text("SELECT id FROM procrastinate_jobs WHERE status = 'todo'")


class Clockwork:
    """The worker's part, done by hand in a transaction that is rolled back."""

    def __init__(self, session: AsyncSession) -> None:
        self.session, self.read = session, 0

    async def settle(self) -> None:
        """React to everything and do what is due, until nothing moves."""
        for _ in range(30):
            if not await self._react() + await self._work(_DUE):
                return
        raise AssertionError("it never comes to rest")

    async def ring(self) -> None:
        """Let every clock that waits go off now, once; then settle."""
        await self.settle()
        await self._work(_ALL)
        await self.settle()

    async def _react(self) -> int:
        query = select(Entry).where(Entry.id > self.read).order_by(Entry.id)
        entries = (await self.session.scalars(query)).all()
        for entry in entries:
            await start_clocks(self.session, entry)
            self.read = entry.id
        return len(entries)

    async def _work(self, which: TextClause) -> int:
        ids = list(await self.session.scalars(which))
        jobs = sorted((await self.session.execute(_TAKE, {"ids": ids})).all())
        for _, name, args in jobs:
            await JOBS[name](self.session, **json.loads(args))
        return len(jobs)


async def waiting(session: AsyncSession) -> list[dt.datetime]:
    """When the jobs that wait are due."""
    query = text("SELECT scheduled_at FROM procrastinate_jobs WHERE status = 'todo' ORDER BY scheduled_at")
    return list(await session.scalars(query))


async def age(session: AsyncSession, thing: Assignment | Incident | Alarm | Sos, seconds: float) -> None:
    """Let a thing's present state have begun so long ago."""
    past = now() - dt.timedelta(seconds=seconds)
    column = {Assignment: "since", Incident: "opened_at", Alarm: "state_since", Sos: "raised_at"}[type(thing)]
    await session.flush()
    await session.execute(update(type(thing)).where(type(thing).id == thing.id).values({column: past}))
    await session.refresh(thing)


async def alarms(session: AsyncSession, kind: AlarmKind | None = None, about: UUID | None = None) -> list[Alarm]:
    """All alarms there ever were (of a kind, about something), oldest first."""
    query = select(Alarm).order_by(Alarm.id).execution_options(populate_existing=True)
    if kind is not None:
        query = query.where(Alarm.kind == kind)
    found = (await session.scalars(query)).all()
    return [one for one in found if about is None or str(about) in one.about]
