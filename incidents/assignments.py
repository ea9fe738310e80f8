"""Assignments: one unit sent to one incident. Status lives here; a unit's and an incident's are derived from it.

A unit works on one thing at a time: its *leading* assignment, the exclusive one. What was added meanwhile waits behind
it (`exclusive` False), and when the leading one ends, the oldest that waits leads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.database import Base


class AssignmentStatus(StrEnum):
    """How far a unit is with what it was sent to."""

    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    TRANSPORTING = "transporting"
    AT_DESTINATION = "at_destination"
    RELEASED = "released"
    REFUSED = "refused"
    CANCELLED = "cancelled"


A = AssignmentStatus
OVER = frozenset({A.RELEASED, A.REFUSED, A.CANCELLED})

# Radios fail and crews forget: a step may be skipped forward, never backward, and anything live may be released.
MOVES: dict[AssignmentStatus, frozenset[AssignmentStatus]] = {
    A.ASSIGNED: frozenset({A.ACKNOWLEDGED, A.EN_ROUTE, A.ON_SCENE, A.RELEASED, A.REFUSED, A.CANCELLED}),
    A.ACKNOWLEDGED: frozenset({A.EN_ROUTE, A.ON_SCENE, A.RELEASED, A.REFUSED, A.CANCELLED}),
    A.EN_ROUTE: frozenset({A.ON_SCENE, A.RELEASED, A.REFUSED, A.CANCELLED}),
    A.ON_SCENE: frozenset({A.TRANSPORTING, A.RELEASED}),
    A.TRANSPORTING: frozenset({A.AT_DESTINATION, A.RELEASED}),
    A.AT_DESTINATION: frozenset({A.RELEASED}),
}

# Which time stamp of the field's T0–T17 a status writes; the incident keeps the first of each, T14 the last.
STAMPS: dict[AssignmentStatus, str] = {
    A.ACKNOWLEDGED: "T7",
    A.EN_ROUTE: "T8",
    A.ON_SCENE: "T9",
    A.TRANSPORTING: "T12",
    A.AT_DESTINATION: "T13",
}


# What may be said of an assignment that waits behind another: that it was heard, or that it will not be.
MOVES_WAITING = frozenset({A.ACKNOWLEDGED, A.REFUSED, A.CANCELLED})
# On the way, or about to be: here the clock of the acknowledgement runs, and a staging area makes sense.
BEFORE_ARRIVAL = frozenset({A.ASSIGNED, A.ACKNOWLEDGED, A.EN_ROUTE})
CARRYING = frozenset({A.TRANSPORTING, A.AT_DESTINATION})  # somebody is aboard


class Assignment(Base):
    """One sending. It is live until `released_at`; a unit has at most one live exclusive one, by the database's word.

    `acknowledge_by` is there as long as the crew has not said that it heard, and only while it leads. `staging` is
    where it waits (`name`, `lon`, `lat`, `since`), `need` for what of the run card it was sent, `override` the gaps or
    the graver incident that somebody passed over (`gaps`, `reason`, `by`), `replaces` the assignment it took over from.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        Index(
            "one_live_exclusive_assignment_per_unit",
            "unit_id",
            unique=True,
            postgresql_where=text("released_at IS NULL AND exclusive"),
        ),
        Index("ix_assignments_live_unit_id", "unit_id", postgresql_where=text("released_at IS NULL")),
        Index("ix_assignments_live_incident_id", "incident_id", postgresql_where=text("released_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    call_sign: Mapped[str] = mapped_column(Text)
    status: Mapped[AssignmentStatus] = mapped_column(Text)
    since: Mapped[dt.datetime]
    made_at: Mapped[dt.datetime]
    made_by: Mapped[str] = mapped_column(Text)
    stamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    released_at: Mapped[dt.datetime | None]
    checked_in_at: Mapped[dt.datetime | None]  # the crew last said that all is well …
    check_in_due_at: Mapped[dt.datetime | None]  # … and must say it again by then
    reason: Mapped[str] = mapped_column(Text, default="")
    exclusive: Mapped[bool] = mapped_column(default=True)
    acknowledge_by: Mapped[dt.datetime | None]
    staging: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    need: Mapped[str | None] = mapped_column(Text)
    override: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("assignments.id"))


async def live_assignments(
    session: AsyncSession, incident_ids: Collection[UUID], *, lock: bool = False
) -> dict[UUID, list[Assignment]]:
    """The live assignments of these incidents, oldest first."""
    query = (
        select(Assignment)
        .where(Assignment.incident_id.in_(incident_ids), Assignment.released_at.is_(None))
        .order_by(Assignment.made_at, Assignment.id)
        .execution_options(populate_existing=True)
    )
    if lock:
        query = query.with_for_update(key_share=True)
    found: dict[UUID, list[Assignment]] = {incident_id: [] for incident_id in incident_ids}
    for assignment in await session.scalars(query):
        found[assignment.incident_id].append(assignment)
    return found


async def live_jobs(session: AsyncSession, unit_ids: Collection[UUID]) -> dict[UUID, list[Assignment]]:
    """What these units are on: of each the leading assignment first, then what waits behind it, oldest first."""
    query = (
        select(Assignment)
        .where(Assignment.unit_id.in_(unit_ids), Assignment.released_at.is_(None))
        .order_by(Assignment.exclusive.desc(), Assignment.made_at, Assignment.id)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[Assignment]] = {unit_id: [] for unit_id in unit_ids}
    for assignment in await session.scalars(query):
        found[assignment.unit_id].append(assignment)
    return found


def shown(assignments: Sequence[Assignment]) -> list[dict[str, Any]]:
    """Assignments as an incident's feature lists them."""
    return [
        {
            "id": str(one.id),
            "unit_id": str(one.unit_id),
            "call_sign": one.call_sign,
            "status": one.status,
            "since": one.since.isoformat(),
            "exclusive": one.exclusive,
            "acknowledge_by": one.acknowledge_by.isoformat() if one.acknowledge_by else None,
            "staging": one.staging,
            "need": one.need,
            "overridden": one.override is not None,
            "made_at": one.made_at.isoformat(),
            "made_by": one.made_by,
            "check_in_due_at": one.check_in_due_at.isoformat() if one.check_in_due_at else None,
        }
        for one in assignments
    ]


def shown_to_onlookers(assignments: Sequence[Assignment]) -> list[dict[str, Any]]:
    """The same for those who only see that somebody goes: not where they wait, nor why they were sent."""
    hidden = {"staging": None, "need": None, "overridden": False, "made_by": ""}
    return [one | hidden for one in shown(assignments)]


def assignment_document(assignment: Assignment) -> dict[str, Any]:
    """An assignment as the API answers it."""
    [listed] = shown([assignment])
    return listed | {
        "incident_id": str(assignment.incident_id),
        "stamps": assignment.stamps,
        "released_at": assignment.released_at.isoformat() if assignment.released_at else None,
        "reason": assignment.reason,
        "override": assignment.override,
        "replaces": str(assignment.replaces) if assignment.replaces else None,
    }
