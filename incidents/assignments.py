"""Assignments: one unit sent to one incident. Status lives here; a unit's and an incident's are derived from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, select, text
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


class Assignment(Base):
    """One sending. It is live until `released_at`; a unit has at most one live one, and the database sees to it."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index("one_live_assignment_per_unit", "unit_id", unique=True, postgresql_where=text("released_at IS NULL")),
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
    reason: Mapped[str] = mapped_column(Text, default="")


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


async def live_assignment_of(session: AsyncSession, unit_id: UUID) -> Assignment | None:
    """What this unit is on, if anything."""
    query = select(Assignment).where(Assignment.unit_id == unit_id, Assignment.released_at.is_(None))
    return (await session.scalars(query)).first()


def shown(assignments: Sequence[Assignment]) -> list[dict[str, Any]]:
    """Assignments as an incident's feature lists them."""
    return [
        {
            "id": str(one.id),
            "unit_id": str(one.unit_id),
            "call_sign": one.call_sign,
            "status": one.status,
            "since": one.since.isoformat(),
        }
        for one in assignments
    ]


def assignment_document(assignment: Assignment) -> dict[str, Any]:
    """An assignment as the API answers it."""
    return {
        "id": str(assignment.id),
        "incident_id": str(assignment.incident_id),
        "unit_id": str(assignment.unit_id),
        "call_sign": assignment.call_sign,
        "status": assignment.status,
        "since": assignment.since.isoformat(),
        "stamps": assignment.stamps,
    }
