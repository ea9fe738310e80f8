"""Follow-up: a reaction to the journal that keeps every reporter's tracking page as things stand."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.catalogue import catalogue
from incidents.incident import Incident, IncidentState
from incidents.reports import Report, ReportStatus
from incidents.tracking import Step, Tracking, reached
from realtime.access import Sensitivity
from realtime.journal import Entry

STEPS: dict[IncidentState, Step] = {
    IncidentState.RECEIVED: Step.LOOKED_AT,
    IncidentState.CLASSIFIED: Step.LOOKED_AT,
    IncidentState.WAITING: Step.LOOKED_AT,
    IncidentState.DISPATCHED: Step.ON_THE_WAY,
    IncidentState.EN_ROUTE: Step.ON_THE_WAY,
    IncidentState.ON_SCENE: Step.THERE,
    IncidentState.UNDER_CONTROL: Step.THERE,
    IncidentState.FINISHED: Step.THERE,
    IncidentState.CLOSED: Step.DONE,
    IncidentState.CANCELLED: Step.DONE,
    IncidentState.REFERRED: Step.REFERRED,
    IncidentState.MERGED: Step.LOOKED_AT,
}


async def follow_for_reporters(session: AsyncSession, entry: Entry) -> None:
    """The reaction: bring the pages that an entry concerns to how things stand now. Twice does no harm."""
    kind, _, id_ = entry.subject.partition(":")
    if kind == "report":
        reports = await session.scalars(select(Report).where(Report.id == UUID(id_)))
    elif kind == "incident":
        reports = await session.scalars(select(Report).where(Report.incident_id == UUID(id_)))
    else:
        return
    for report in reports:
        await _bring_up(session, report, entry.occurred_at)


async def _bring_up(session: AsyncSession, report: Report, at: dt.datetime) -> None:
    page = await session.get(Tracking, report.tracking_code, with_for_update=True)
    if page is None:
        return
    step, outcome, subject = Step.RECEIVED, report.dismissal, None
    if report.status == ReportStatus.DISMISSED:
        step = Step.DISMISSED
    elif report.incident_id is not None:
        incident = await session.get_one(Incident, report.incident_id)
        step, outcome = STEPS[IncidentState(incident.state)], incident.disposition
        if incident.sensitivity <= Sensitivity.OPERATIONAL:
            words = await catalogue(session, incident.catalogue_version)
            subject = words.type(incident.type_code).name
    if page.steps[-1]["step"] != step.value:
        page.steps = [*page.steps, reached(step, at)]
    page.deflected_to = report.deflected_to
    page.outcome, page.subject, page.updated_at = outcome, subject, max(page.updated_at, at)
