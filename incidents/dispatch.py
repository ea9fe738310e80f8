"""Dispatch: a unit is sent, reports how far it is, and is released. A unit is sent once.

The unit's row is locked before anybody looks whether it is free, and a partial unique index stands behind that
lock; the loser learns who has the unit.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import (
    MOVES,
    OVER,
    STAMPS,
    Assignment,
    AssignmentStatus,
    live_assignment_of,
    live_assignments,
)
from incidents.incident import OVER as INCIDENT_OVER
from incidents.incident import Incident, IncidentState, access_incident, stamp, stamp_status, tell
from incidents.moments import moment
from realtime.access import Actor, Permission, Role, require
from realtime.errors import AlreadyExists, NotFound, Refusal
from realtime.lifecycle import move
from resources.units import Duty, Engagement, Unit, access_unit, engage


class UnitAlreadyAssigned(Refusal):
    """{call_sign} is already on {incident_code}, sent by {by} at {since}."""

    status = 409


class UnitNotOnDuty(Refusal):
    """{call_sign} cannot be sent: it is {duty}."""

    status = 409


class IncidentOver(Refusal):
    """{incident_code} is over ({state}): reopen it first."""

    status = 409


async def dispatch_unit(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    assignment_id: UUID,
    unit_id: UUID,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Assignment:
    """Send a unit to an incident. Raises `UnitAlreadyAssigned`, `UnitNotOnDuty`, `IncidentOver`."""
    require(actor, Permission.UNIT_DISPATCH)
    at = moment(occurred_at)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    if incident.state in INCIDENT_OVER | {IncidentState.FINISHED}:
        raise IncidentOver(incident_code=incident.code, state=incident.state)
    unit = await access_unit(session, actor, unit_id, lock=True)
    await _must_be_free(session, unit)
    if await session.get(Assignment, assignment_id) is not None:
        raise AlreadyExists
    assignment = Assignment(
        id=assignment_id,
        incident_id=incident.id,
        unit_id=unit.id,
        call_sign=unit.call_sign,
        status=AssignmentStatus.ASSIGNED,
        since=at,
        made_at=at,
        made_by=actor.name,
        stamps={"T5": at.isoformat(), "T6": at.isoformat()},
    )
    try:
        async with session.begin_nested():
            session.add(assignment)
            await session.flush()
    except IntegrityError:  # the index caught what the lock should have
        await _must_be_free(session, unit)
        raise
    stamp(incident, "T5", at)
    stamp(incident, "T6", at)
    await _engage(session, actor, unit, incident, assignment, at)
    detail = {"assignment_id": str(assignment.id), "unit_id": str(unit.id), "call_sign": unit.call_sign}
    await tell(session, actor, "assignment.made", incident, detail=detail, occurred_at=at)
    return assignment


async def report_status(
    session: AsyncSession,
    actor: Actor,
    assignment_id: UUID,
    *,
    status: AssignmentStatus,
    occurred_at: dt.datetime | None = None,
    reason: str = "",
) -> Assignment:
    """Say how far an assignment is: by its crew, or by the dispatcher who heard it on the radio.

    Saying again what already is changes nothing: a telephone with bad signal repeats itself.
    """
    require(actor, Permission.ASSIGNMENT_REPORT)
    found = await session.get(Assignment, assignment_id)
    if found is None or (actor.role is Role.CREW and found.unit_id != actor.unit_id):
        raise NotFound
    if actor.role is Role.CREW and found.status == status:
        return found  # released, it no longer sees the incident, but it may still be told so again
    incident = await access_incident(session, actor, found.incident_id, lock=True)
    assignment = await session.get_one(
        Assignment, assignment_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if assignment.status == status:
        return assignment
    await _advance(session, actor, incident, assignment, status, at=moment(occurred_at), reason=reason)
    return assignment


async def release_all(session: AsyncSession, actor: Actor, incident: Incident, *, reason: str, at: dt.datetime) -> None:
    """Release every unit of a locked incident: it is over."""
    for assignment in (await live_assignments(session, [incident.id], lock=True))[incident.id]:
        wanted = (
            AssignmentStatus.RELEASED
            if AssignmentStatus.RELEASED in MOVES[AssignmentStatus(assignment.status)]
            else AssignmentStatus.CANCELLED
        )
        await _advance(session, actor, incident, assignment, wanted, at=at, reason=reason)


async def _advance(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    assignment: Assignment,
    status: AssignmentStatus,
    *,
    at: dt.datetime,
    reason: str,
) -> None:
    before = assignment.status
    assignment.status = move(AssignmentStatus(assignment.status), status, MOVES)
    assignment.since, assignment.reason = at, reason
    if status in STAMPS:
        assignment.stamps = assignment.stamps | {STAMPS[status]: at.isoformat()}
    stamp_status(incident, status, at)
    if status in OVER:
        assignment.released_at = at
        assignment.stamps = assignment.stamps | {"T14": at.isoformat()}
        stamp(incident, "T14", at, last=True)
    unit = await access_unit(session, _whole_sight(actor), assignment.unit_id, lock=True)
    await _engage(session, actor, unit, incident, assignment, at)
    detail = {
        "assignment_id": str(assignment.id),
        "unit_id": str(assignment.unit_id),
        "call_sign": assignment.call_sign,
        "from": before,
        "to": status.value,
        "reason": reason,
    }
    await tell(session, actor, "assignment.status", incident, detail=detail, occurred_at=at)


async def _engage(
    session: AsyncSession, actor: Actor, unit: Unit, incident: Incident, assignment: Assignment, at: dt.datetime
) -> None:
    """Show on the (locked) unit what its assignment says."""
    over = assignment.released_at is not None
    engagement = Engagement(assignment.id, incident.id, incident.code, assignment.status, assignment.since)
    await engage(session, actor, unit, None if over else engagement, at=at)


async def _must_be_free(session: AsyncSession, unit: Unit) -> None:
    holding = await live_assignment_of(session, unit.id)
    if holding is not None:
        code = await session.scalar(select(Incident.code).where(Incident.id == holding.incident_id))
        raise UnitAlreadyAssigned(
            call_sign=unit.call_sign, incident_code=code, since=holding.made_at, by=holding.made_by
        )
    if unit.duty != Duty.ON_DUTY:
        raise UnitNotOnDuty(call_sign=unit.call_sign, duty=unit.duty)


def _whole_sight(actor: Actor) -> Actor:
    """An incident's units follow it even where the actor could not have found them by himself."""
    return Actor(name=actor.name, role=Role.SYSTEM, id=actor.id)
