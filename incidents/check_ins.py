"""Check-ins (PAR, personnel accountability): a crew on scene says that all of it is well, every so often.

How often is a rule of `watchdogs.py`; by when the next one is due stands on the assignment.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment, AssignmentStatus, live_assignments
from incidents.incident import Incident, access_incident, tell
from incidents.moments import moment
from incidents.watchdogs import check_in_due
from realtime.access import Actor, Permission, Role, require
from realtime.errors import NotFound, Refusal


class NotOnScene(Refusal):
    """{call_sign} is not on scene: there is nothing to check in."""

    status = 409


class NobodyOnScene(Refusal):
    """Nobody is on scene at {incident_code}."""

    status = 409


async def check_in(
    session: AsyncSession,
    actor: Actor,
    assignment_id: UUID,
    *,
    occurred_at: dt.datetime | None = None,
) -> Assignment:
    """All is well with a unit on scene: its crew says so, or the desk that heard it. Raises `NotOnScene`."""
    require(actor, Permission.ASSIGNMENT_REPORT)
    found = await session.get(Assignment, assignment_id)
    if found is None or (actor.role is Role.CREW and found.unit_id != actor.unit_id):
        raise NotFound
    incident = await access_incident(session, actor, found.incident_id, lock=True)
    assignment = await session.get_one(
        Assignment, assignment_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if assignment.status != AssignmentStatus.ON_SCENE:
        raise NotOnScene(call_sign=assignment.call_sign)
    at = moment(occurred_at)
    await _mark(session, incident, assignment, at)
    detail = {
        "assignment_id": str(assignment.id),
        "unit_id": str(assignment.unit_id),
        "call_sign": assignment.call_sign,
    }
    await tell(session, actor, "check_in.made", incident, detail=detail, occurred_at=at)
    return assignment


async def check_in_everybody(
    session: AsyncSession, actor: Actor, incident_id: UUID, *, occurred_at: dt.datetime | None = None
) -> list[Assignment]:
    """The desk asked every unit on scene by radio and all are well. Raises `NobodyOnScene`."""
    require(actor, Permission.UNIT_DISPATCH)
    incident = await access_incident(session, actor, incident_id, lock=True)
    at = moment(occurred_at)
    live = (await live_assignments(session, [incident.id], lock=True))[incident.id]
    there = [one for one in live if one.status == AssignmentStatus.ON_SCENE]
    if not there:
        raise NobodyOnScene(incident_code=incident.code)
    for assignment in there:
        await _mark(session, incident, assignment, at)
    detail = {
        "assignment_ids": [str(one.id) for one in there],
        "call_sign": ", ".join(one.call_sign for one in there),
    }
    await tell(session, actor, "check_in.made_by_all", incident, detail=detail, occurred_at=at)
    return there


async def _mark(session: AsyncSession, incident: Incident, assignment: Assignment, at: dt.datetime) -> None:
    assignment.checked_in_at = max(at, assignment.checked_in_at) if assignment.checked_in_at else at
    assignment.check_in_due_at = await check_in_due(session, incident, assignment)
