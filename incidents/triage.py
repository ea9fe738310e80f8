"""Triage: a report becomes an incident, joins one, or is dismissed with a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.answers import AnswerNeeded
from incidents.catalogue import catalogue
from incidents.dispatch import IncidentOver
from incidents.incident import OVER, Incident, access_incident, open_incident
from incidents.incident import tell as tell_of_incident
from incidents.moments import moment
from incidents.reports import AlreadyHandled, Report, ReportStatus, access_report, tell
from incidents.type_questions import Answered, answered, gravest
from incidents.undo import remember, watch
from realtime.access import Actor, Permission, require
from realtime.errors import Malformed

DEFLECTED = "not_emergency"  # the dismissal of what is no emergency of ours


class ReasonNotDeflected(Malformed):
    """Only what is no emergency is sent to another channel."""


class PlaceNeeded(Malformed):
    """An incident needs a place on the map, and the report has none: give one."""


async def accept_report(
    session: AsyncSession,
    actor: Actor,
    report_id: UUID,
    *,
    incident_id: UUID,
    type_code: str,
    priority: int | None = None,
    location: Point | None = None,
    place: str | None = None,
    place_match: dict[str, Any] | None = None,
    summary: str | None = None,
    answers: Mapping[str, str] | None = None,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """Open an incident out of a report. Raises `AlreadyHandled`, `PlaceNeeded`, `NotAsked`, `NoSuchAnswer`.

    Without a `priority` said by hand the gravest of the `answers` (`{question: answer}`) sets it, or else the type.
    """
    require(actor, Permission.REPORT_TRIAGE)
    at = moment(occurred_at)
    said = answered((await catalogue(session)).questions, type_code, answers or {})
    weighty = gravest(said)
    report = await _waiting(session, actor, report_id, expected)
    where = location or report.shape
    if where is None:
        raise PlaceNeeded
    incident = await open_incident(
        session,
        actor,
        incident_id,
        type_code=type_code,
        priority=priority or (weighty.answer.priority if weighty else None),
        location=where,
        place=report.place if place is None else place,
        place_match=report.place_match if place_match is None and where is report.shape else place_match,
        summary=report.words if summary is None else summary,
        received_at=report.told_at,
        reports=1,
        occurred_at=at,
    )
    if said:
        by = "hand" if priority else "answers" if weighty else "type"
        await tell_answers(session, actor, incident, said, by=by, at=at)
    report.status, report.incident_id = ReportStatus.ACCEPTED, incident.id
    await tell(session, actor, "report.accepted", report, detail={"incident_id": str(incident.id)}, occurred_at=at)
    return incident


async def join_report(
    session: AsyncSession,
    actor: Actor,
    report_id: UUID,
    *,
    incident_id: UUID,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Report:
    """Say that a report tells of an incident that is already known. Undone, it waits again."""
    require(actor, Permission.REPORT_TRIAGE)
    at = moment(occurred_at)
    before = watch(session)
    incident = await access_incident(session, actor, incident_id, lock=True)
    if incident.state in OVER:
        raise IncidentOver(incident_code=incident.code, state=incident.state)
    report = await _waiting(session, actor, report_id, expected)
    await put_in(session, actor, report, incident, at)
    act, permission = "report.joined", Permission.REPORT_TRIAGE
    await remember(session, actor, act, before, permission=permission, incident_id=incident.id)
    return report


async def put_in(session: AsyncSession, actor: Actor, report: Report, incident: Incident, at: dt.datetime) -> None:
    """Count a waiting report as one of a locked incident's."""
    report.status, report.incident_id = ReportStatus.JOINED, incident.id
    incident.reports += 1
    joined_to = {"incident_id": str(incident.id)}
    await tell(session, actor, "report.joined_to", report, detail=joined_to, occurred_at=at)
    joined = {"report_id": str(report.id)}
    await tell_of_incident(session, actor, "report.joined", incident, detail=joined, occurred_at=at)


async def dismiss_report(
    session: AsyncSession,
    actor: Actor,
    report_id: UUID,
    *,
    reason: str,
    note: str = "",
    channel: str | None = None,
    answer: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Report:
    """Say that nothing follows from a report, and why (a dismissal of the catalogue). Undone, it waits again.

    `channel` is whose it is, of those that the catalogue names for what is no emergency. Whoever told it is told
    `answer`, else what the reason says. Raises `ReasonNotDeflected`, `AnswerNeeded`.
    """
    require(actor, Permission.REPORT_TRIAGE)
    at = moment(occurred_at)
    before, words = watch(session), await catalogue(session)
    if channel is not None and reason != DEFLECTED:
        raise ReasonNotDeflected
    report = await _waiting(session, actor, report_id, expected)
    report.status = ReportStatus.DISMISSED
    report.dismissal = words.check_dismissal(reason)
    report.answer = answer or None
    if report.answer is None and channel is None and words.answer(reason) is None:
        raise AnswerNeeded
    report.deflected_to = words.check_channel(channel) if channel is not None else None
    detail = {"reason": reason, "note": note} | ({"channel": channel} if channel is not None else {})
    await tell(session, actor, "report.dismissed", report, detail=detail, occurred_at=at)
    await remember(session, actor, "report.dismissed", before, permission=Permission.REPORT_TRIAGE)
    return report


async def tell_answers(
    session: AsyncSession, actor: Actor, incident: Incident, said: Sequence[Answered], *, by: str, at: dt.datetime
) -> None:
    """Record what a caller answered, on a locked incident: which answers, and what set its priority (`by`)."""
    weighty = gravest(said)
    detail = {
        "answers": [one.shown() for one in said],
        "priority": incident.priority,
        "by": by,
        "says": weighty.answer.priority if weighty else None,
        "why": weighty.answer.why if weighty else "",
    }
    await tell_of_incident(session, actor, "incident.answered", incident, detail=detail, occurred_at=at)


async def _waiting(session: AsyncSession, actor: Actor, report_id: UUID, expected: int | None) -> Report:
    report = await access_report(session, actor, report_id, lock=True)
    if report.status != ReportStatus.RECEIVED:
        raise AlreadyHandled(status=report.status)
    return await access_report(session, actor, report_id, lock=True, expected=expected)
