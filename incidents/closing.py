"""How an incident ends, and how it begins again. Ending releases its units in the same act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.answers import CANCELLED, REFERRED, say_answers
from incidents.catalogue import catalogue
from incidents.dispatch import end_incident, hold_to_end
from incidents.incident import OVER, Incident, IncidentState, access_incident, set_state
from incidents.moments import moment
from incidents.sos import end_sos
from incidents.timeline import write_note
from incidents.undo import Watch, remember, watch
from realtime.access import VIGIA, Actor, Permission, require
from realtime.database import new_id, now
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
    answer: str = "",
    answers: Mapping[UUID, str] | None = None,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """Close it with one of the catalogue's dispositions; its units are free.

    Its reporters are told `answer` (`answers`: one of them, by report), else the disposition's own: `AnswerNeeded`.
    """
    require(actor, Permission.INCIDENT_CLOSE)
    at, before = moment(occurred_at), watch(session)
    incident = await hold_to_end(session, actor, incident_id, expected=expected)
    incident.disposition = (await catalogue(session)).check_disposition(disposition)
    await say_answers(session, incident, disposition, answer, answers or {})
    if note:
        await write_note(session, actor, incident, note_id=new_id(), text=note, occurred_at=at)
    await end_sos(session, actor, incident, at)
    detail = {"disposition": disposition} | ({"answer": answer} if answer else {})
    await end_incident(session, actor, incident, IncidentState.CLOSED, detail, at)
    return await _remembered(session, actor, "incident.closed", before, incident)


async def cancel_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    reason: str,
    answer: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """It turned out that nobody is needed."""
    require(actor, Permission.INCIDENT_CLOSE)
    at, before = moment(occurred_at), watch(session)
    incident = await hold_to_end(session, actor, incident_id, expected=expected)
    await say_answers(session, incident, CANCELLED, answer, {})
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
    answer: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """It is somebody else's: hand it over."""
    require(actor, Permission.INCIDENT_CLOSE)
    at, before = moment(occurred_at), watch(session)
    incident = await hold_to_end(session, actor, incident_id, expected=expected)
    if organization_id is not None:
        await access_organization(session, organization_id)
    await say_answers(session, incident, REFERRED, answer, {})
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
    await _reopen(session, actor, incident, {"reason": reason}, moment(occurred_at))
    return await _remembered(session, actor, "incident.reopened", before, incident)


async def reopen_unsolved(session: AsyncSession, incident: Incident) -> None:
    """The same with a locked incident, by the word of whoever reported it: it was not solved."""
    await _reopen(session, VIGIA, incident, {"reason": "", "unsolved": True}, now())


async def _reopen(
    session: AsyncSession, actor: Actor, incident: Incident, detail: dict[str, Any], at: dt.datetime
) -> None:
    if incident.state not in OVER:
        raise IllegalMove(current=incident.state, wanted=IncidentState.WAITING.value)
    incident.closed_at, incident.disposition, incident.on_board, incident.answer = None, None, True, None
    await set_state(session, actor, incident, IncidentState.WAITING, at=at, kind="incident.reopened", detail=detail)


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
