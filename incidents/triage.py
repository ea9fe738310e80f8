"""Triage: a report becomes an incident, joins one, or is dismissed with a reason."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.catalogue import catalogue
from incidents.dispatch import IncidentOver
from incidents.incident import OVER, Incident, access_incident, nearby, open_incident
from incidents.incident import tell as tell_of_incident
from incidents.moments import moment
from incidents.reports import AlreadyHandled, Report, ReportStatus, access_report, tell
from realtime.access import Actor, Permission, require
from realtime.errors import Malformed

# Wide enough for every duplicate window of the catalogue; each type's own window narrows it.
WIDEST_METRES, WIDEST_AGE = 1000, dt.timedelta(hours=6)


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
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """Open an incident out of a report. Raises `AlreadyHandled`, `PlaceNeeded`."""
    require(actor, Permission.REPORT_TRIAGE)
    at = moment(occurred_at)
    report = await _waiting(session, actor, report_id, expected)
    where = location or report.shape
    if where is None:
        raise PlaceNeeded
    incident = await open_incident(
        session,
        actor,
        incident_id,
        type_code=type_code,
        priority=priority,
        location=where,
        place=report.place if place is None else place,
        place_match=report.place_match if place_match is None and where is report.shape else place_match,
        summary=report.words if summary is None else summary,
        received_at=report.told_at,
        reports=1,
        occurred_at=at,
    )
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
    """Say that a report tells of an incident that is already known."""
    require(actor, Permission.REPORT_TRIAGE)
    at = moment(occurred_at)
    incident = await access_incident(session, actor, incident_id, lock=True)
    if incident.state in OVER:
        raise IncidentOver(incident_code=incident.code, state=incident.state)
    report = await _waiting(session, actor, report_id, expected)
    report.status, report.incident_id = ReportStatus.JOINED, incident.id
    incident.reports += 1
    joined_to = {"incident_id": str(incident.id)}
    await tell(session, actor, "report.joined_to", report, detail=joined_to, occurred_at=at)
    joined = {"report_id": str(report.id)}
    await tell_of_incident(session, actor, "report.joined", incident, detail=joined, occurred_at=at)
    return report


async def dismiss_report(
    session: AsyncSession,
    actor: Actor,
    report_id: UUID,
    *,
    reason: str,
    note: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Report:
    """Say that nothing follows from a report, and why (a dismissal of the catalogue)."""
    require(actor, Permission.REPORT_TRIAGE)
    at = moment(occurred_at)
    report = await _waiting(session, actor, report_id, expected)
    report.status = ReportStatus.DISMISSED
    report.dismissal = (await catalogue(session)).check_dismissal(reason)
    await tell(session, actor, "report.dismissed", report, detail={"reason": reason, "note": note}, occurred_at=at)
    return report


async def similar_incidents(session: AsyncSession, actor: Actor, report_id: UUID) -> list[dict[str, Any]]:
    """Open incidents that the report may be telling of: near in place and time by their type's duplicate window.

    Distances are metres; `seconds` is how long before the report was told the incident was opened (negative: after).
    """
    require(actor, Permission.REPORT_TRIAGE)
    report = await access_report(session, actor, report_id)
    if report.shape is None:
        return []
    since, until = report.told_at - WIDEST_AGE, report.told_at + WIDEST_AGE
    found = await nearby(session, actor, report.shape, metres=WIDEST_METRES, since=since, until=until, limit=50)
    likely = []
    for incident, metres in found:
        kind = (await catalogue(session, incident.catalogue_version)).type(incident.type_code)
        window = kind.duplicate
        seconds = (report.told_at - incident.opened_at).total_seconds()
        # A window and a half: the person decides, the list only has to be short.
        if metres <= window["metres"] * 1.5 and seconds <= window["seconds"] * 1.5:
            likely.append(
                {
                    "incident_id": str(incident.id),
                    "code": incident.code,
                    "type_name": kind.name,
                    "state": incident.state,
                    "metres": round(metres),
                    "seconds": round(seconds),
                }
            )
    return likely[:8]


async def _waiting(session: AsyncSession, actor: Actor, report_id: UUID, expected: int | None) -> Report:
    report = await access_report(session, actor, report_id, lock=True)
    if report.status != ReportStatus.RECEIVED:
        raise AlreadyHandled(status=report.status)
    return await access_report(session, actor, report_id, lock=True, expected=expected)
