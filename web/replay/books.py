"""What the database holds of a log's calls: read before a replay, to know what an earlier one did, and after it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment, AssignmentStatus
from incidents.incident import OVER, Incident
from incidents.reports import Report
from realtime.journal import Entry
from resources.units import Unit

AT_A_TIME = 2000  # ids in one query: it has three seconds


@dataclass(slots=True)
class Ids:
    """What a replay's things are called."""

    reports: list[UUID]
    incidents: list[UUID]
    assignments: list[UUID]
    units: list[UUID]


@dataclass(slots=True)
class Books:
    """The rows by id, the statuses that the journal tells, and how many facts of each kind who told."""

    reports: dict[UUID, Row[Any]] = field(default_factory=dict)
    incidents: dict[UUID, Row[Any]] = field(default_factory=dict)
    assignments: dict[UUID, Row[Any]] = field(default_factory=dict)
    units: dict[UUID, Row[Any]] = field(default_factory=dict)
    statuses: Counter[tuple[UUID, AssignmentStatus, dt.datetime]] = field(default_factory=Counter)
    told: Counter[tuple[UUID | None, str]] = field(default_factory=Counter)

    def closed(self, incident_id: UUID) -> bool:
        """Whether an incident is over."""
        found = self.incidents.get(incident_id)
        return found is not None and found.state in OVER

    def reached(self) -> set[tuple[UUID, AssignmentStatus]]:
        """The statuses that assignments have had."""
        return {(assignment_id, status) for assignment_id, status, _ in self.statuses}


async def read_books(session: AsyncSession, ids: Ids) -> Books:
    """Everything under these ids, and everything that hangs on these incidents, whoever made it."""
    books = Books()
    for some in _batches(ids.reports):
        await _keep(session, books.reports, _REPORTS.where(Report.id.in_(some)))
        await _count(session, books, [f"report:{one}" for one in some])
    for some in _batches(ids.incidents):
        await _keep(session, books.incidents, _INCIDENTS.where(Incident.id.in_(some)))
        await _keep(session, books.reports, _REPORTS.where(Report.incident_id.in_(some)))
        await _keep(session, books.assignments, _ASSIGNMENTS.where(Assignment.incident_id.in_(some)))
        await _read_statuses(session, books, some)
        await _count(session, books, [f"incident:{one}" for one in some])
    for some in _batches(ids.assignments):
        await _keep(session, books.assignments, _ASSIGNMENTS.where(Assignment.id.in_(some)))
    for some in _batches(ids.units):
        await _keep(session, books.units, select(Unit.id, Unit.call_sign, Unit.kind).where(Unit.id.in_(some)))
    return books


_REPORTS = select(Report.id, Report.status, Report.incident_id, Report.dismissal, Report.channel, Report.occurred_at)
_INCIDENTS = select(
    Incident.id,
    Incident.state,
    Incident.disposition,
    Incident.type_code,
    Incident.opened_at,
    Incident.closed_at,
    Incident.reports,
    Incident.stamps,
)
_ASSIGNMENTS = select(
    Assignment.id,
    Assignment.incident_id,
    Assignment.unit_id,
    Assignment.status,
    Assignment.made_at,
    Assignment.released_at,
    Assignment.stamps,
)


async def _keep(session: AsyncSession, into: dict[UUID, Row[Any]], query: Any) -> None:
    for row in await session.execute(query):
        into[row.id] = row


async def _count(session: AsyncSession, books: Books, subjects: list[str]) -> None:
    query = (
        select(Entry.actor_id, Entry.kind, func.count())
        .where(Entry.subject.in_(subjects), or_(Entry.kind.in_(KINDS)))
        .group_by(Entry.actor_id, Entry.kind)
    )
    for actor_id, kind, count in await session.execute(query):
        books.told[actor_id, kind] += count


# The facts that a replay makes; the rest (somebody's note, the board being cleared) is not its business.
KINDS = (
    "report.received",
    "report.accepted",
    "report.joined_to",
    "report.dismissed",
    "report.joined",
    "incident.opened",
    "incident.closed",
    "assignment.made",
    "assignment.status",
)


async def _read_statuses(session: AsyncSession, books: Books, incident_ids: Collection[UUID]) -> None:
    query = select(Entry.detail, Entry.occurred_at).where(
        Entry.incident_id.in_(incident_ids), Entry.kind == "assignment.status"
    )
    for detail, occurred_at in await session.execute(query):
        books.statuses[UUID(detail["assignment_id"]), AssignmentStatus(detail["to"]), occurred_at] += 1


def _batches(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    waiting = iter(ids)
    while some := list(itertools.islice(waiting, AT_A_TIME)):
        yield some
