"""Who handles an incident at the desks: the first dispatcher who acts on it, until another takes it or is given it.

It is a name, not a lock: everybody who may act on an incident still may. Who watches over the room reads each seat's
load off it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.dispatch import IncidentOver
from incidents.incident import OVER, Incident, access_incident, tell
from incidents.meanwhile import expect
from incidents.undo import remember, watch
from realtime.access import GRANTS, Actor, Permission, Role, require
from realtime.errors import Refusal
from resources.people import Person

_ROLES = tuple(
    role for role, grants in GRANTS.items() if Permission.UNIT_DISPATCH in grants and role is not Role.SYSTEM
)


class CannotHandle(Refusal):
    """That person cannot handle it: they dispatch nobody, or may not see it."""

    status = 409


async def possible_handlers(session: AsyncSession, actor: Actor, incident_id: UUID) -> Sequence[Person]:
    """Who could handle an incident, by name: those who dispatch and see all of it."""
    require(actor, Permission.UNIT_DISPATCH)
    return await _dispatchers(session, await access_incident(session, actor, incident_id))


async def hand_incident(
    session: AsyncSession, actor: Actor, incident_id: UUID, *, to: UUID, was: UUID | None = None
) -> Incident:
    """Let somebody handle it from now on: oneself (*tomar*) or another (*reasignar*).

    `was`: who had it when the actor decided. Raises `CannotHandle`, `ChangedMeanwhile`, `IncidentOver`.
    """
    require(actor, Permission.UNIT_DISPATCH)
    before = watch(session)
    incident = await access_incident(session, actor, incident_id, lock=True)
    if incident.state in OVER:
        raise IncidentOver(incident_code=incident.code, state=incident.state)
    if was is not None:
        await expect(session, incident, {"handler_id": was}, {"handler_id": to})
    person = next((one for one in await _dispatchers(session, incident) if one.id == to), None)
    if person is None:
        raise CannotHandle
    if incident.handler_id == to:
        return incident
    detail = {"from": incident.handler, "to": person.name}
    incident.handler_id, incident.handler = person.id, person.name
    await tell(session, actor, "incident.handled", incident, detail=detail)
    act, permission = "incident.handled", Permission.UNIT_DISPATCH
    await remember(session, actor, act, before, permission=permission, incident_id=incident.id)
    return incident


async def _dispatchers(session: AsyncSession, incident: Incident) -> list[Person]:
    query = select(Person).where(Person.role.in_(_ROLES), Person.disabled_at.is_(None)).order_by(Person.name, Person.id)
    return [person for person in await session.scalars(query) if reach_of(person) >= incident.sensitivity]


def reach_of(person: Person) -> int:
    """How far somebody may see."""
    return Actor(name=person.name, role=Role(person.role), clearance=person.clearance).reach
