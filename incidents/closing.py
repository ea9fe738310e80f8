"""How an incident ends, and how it begins again. Ending releases its units in the same act."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.catalogue import catalogue
from incidents.dispatch import end_incident, hold_to_end
from incidents.incident import OVER, Incident, IncidentState, access_incident, set_state
from incidents.moments import moment
from incidents.sos import end_sos
from incidents.timeline import write_note
from incidents.undo import Watch, remember, watch
from realtime.access import Actor, Permission, require
from realtime.database import new_id
from realtime.errors import IllegalMove
from resources.organizations import access_organization


async def hold_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    reason: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """Let it wait: nobody can be sent now."""
    return await _by_hand(session, actor, incident_id, IncidentState.WAITING, {"reason": reason}, occurred_at, expected)


async def control_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """It is under control: no longer growing, not yet finished."""
    return await _by_hand(session, actor, incident_id, IncidentState.UNDER_CONTROL, {}, occurred_at, expected)


async def finish_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """The work is done; it still has to be closed with a disposition."""
    return await _by_hand(session, actor, incident_id, IncidentState.FINISHED, {}, occurred_at, expected)


async def close_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    disposition: str,
    note: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """Close it with one of the catalogue's dispositions; its units are free."""
    require(actor, Permission.INCIDENT_CLOSE)
    at, before = moment(occurred_at), watch(session)
    incident = await hold_to_end(session, actor, incident_id, expected=expected)
    incident.disposition = (await catalogue(session)).check_disposition(disposition)
    if note:
        await write_note(session, actor, incident, note_id=new_id(), text=note, occurred_at=at)
    await end_sos(session, actor, incident, at)
    await end_incident(session, actor, incident, IncidentState.CLOSED, {"disposition": disposition}, at)
    return await _remembered(session, actor, "incident.closed", before, incident)


async def cancel_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    reason: str,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """It turned out that nobody is needed."""
    require(actor, Permission.INCIDENT_CLOSE)
    at, before = moment(occurred_at), watch(session)
    incident = await hold_to_end(session, actor, incident_id, expected=expected)
    await end_sos(session, actor, incident, at)
    await end_incident(session, actor, incident, IncidentState.CANCELLED, {"reason": reason}, at)
    return await _remembered(session, actor, "incident.cancelled", before, incident)


async def refer_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    reason: str,
    organization_id: UUID | None = None,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """It is somebody else's: hand it over."""
    require(actor, Permission.INCIDENT_CLOSE)
    at, before = moment(occurred_at), watch(session)
    incident = await hold_to_end(session, actor, incident_id, expected=expected)
    if organization_id is not None:
        await access_organization(session, organization_id)
    await end_sos(session, actor, incident, at)
    detail = {"reason": reason, "organization_id": str(organization_id) if organization_id else None}
    await end_incident(session, actor, incident, IncidentState.REFERRED, detail, at)
    return await _remembered(session, actor, "incident.referred", before, incident)


async def reopen_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    reason: str,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """It was not over: it waits again, on everybody's board."""
    require(actor, Permission.INCIDENT_CLOSE)
    before = watch(session)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    if incident.state not in OVER:
        raise IllegalMove(current=incident.state, wanted=IncidentState.WAITING.value)
    incident.closed_at, incident.disposition, incident.on_board = None, None, True
    detail, at = {"reason": reason}, moment(occurred_at)
    await set_state(session, actor, incident, IncidentState.WAITING, at=at, kind="incident.reopened", detail=detail)
    return await _remembered(session, actor, "incident.reopened", before, incident)


async def _by_hand(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    wanted: IncidentState,
    detail: dict[str, Any],
    occurred_at: dt.datetime | None,
    expected: int | None,
) -> Incident:
    require(actor, Permission.INCIDENT_UPDATE)
    before = watch(session)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    if incident.state in OVER:  # the only way back from there is reopening
        raise IllegalMove(current=incident.state, wanted=wanted.value)
    await set_state(session, actor, incident, wanted, at=moment(occurred_at), detail=detail)
    act, permission = "incident.state", Permission.INCIDENT_UPDATE
    return await _remembered(session, actor, act, before, incident, permission=permission)


async def _remembered(
    session: AsyncSession,
    actor: Actor,
    act: str,
    before: Watch,
    incident: Incident,
    *,
    permission: Permission = Permission.INCIDENT_CLOSE,
) -> Incident:
    await remember(session, actor, act, before, permission=permission, incident_id=incident.id)
    return incident
