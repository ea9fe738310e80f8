"""Follow-up: a reaction to the journal that keeps every reporter's tracking page as things stand."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.answers import CANCELLED, REFERRED, answer_to
from incidents.assignments import Assignment
from incidents.catalogue import catalogue
from incidents.incident import Incident, IncidentState, due_at
from incidents.reports import Report, ReportStatus
from incidents.tracking import OVER, Step, Tracking, reached
from realtime.access import Sensitivity
from realtime.database import now
from realtime.journal import Entry
from resources.organizations import Organization, OrganizationKind
from resources.units import Unit

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

ENDINGS = {IncidentState.CANCELLED: CANCELLED, IncidentState.REFERRED: REFERRED}  # those without a disposition


async def follow_for_reporters(session: AsyncSession, entry: Entry) -> None:
    """The reaction: bring the pages that an entry concerns to how things stand now. Twice does no harm."""
    kind, _, id_ = entry.subject.partition(":")
    if kind == "report":
        reports = await session.scalars(select(Report).where(Report.id == UUID(id_)))
    elif kind == "incident":
        reports = await session.scalars(select(Report).where(Report.incident_id == UUID(id_)))
    else:
        return
    areas: dict[UUID, str | None] = {}  # one question for all the reports of an incident
    for report in reports:
        await _bring_up(session, report, entry.occurred_at, areas)


async def _bring_up(session: AsyncSession, report: Report, at: dt.datetime, areas: dict[UUID, str | None]) -> None:
    page = await session.get(Tracking, report.tracking_code, with_for_update=True)
    if page is None:
        return
    words, incident = await catalogue(session), None
    step, outcome, ending, subject = Step.RECEIVED, report.dismissal, report.dismissal, None
    page.area = page.promised_at = None
    if report.status == ReportStatus.DISMISSED:
        step = Step.DISMISSED
    elif report.incident_id is not None:
        incident = await session.get_one(Incident, report.incident_id)
        state = IncidentState(incident.state)
        step, outcome = STEPS[state], incident.disposition
        ending = incident.disposition or ENDINGS.get(state)
        page.promised_at = due_at(incident, words)
        if incident.sensitivity <= Sensitivity.OPERATIONAL:
            subject = (await catalogue(session, incident.catalogue_version)).type(incident.type_code).name
            if incident.id not in areas:
                areas[incident.id] = await _area_of(session, incident)
            page.area = areas[incident.id]
    if page.steps[-1]["step"] != step.value:
        page.steps = [*page.steps, reached(step, at)]
    page.deflected_to = report.deflected_to
    page.outcome, page.subject, page.updated_at = outcome, subject, max(page.updated_at, at)
    if step not in OVER:
        page.answer = page.ended_at = page.answered_at = page.read_at = None
        return
    answer = answer_to(report, incident, words, ending)
    if page.ended_at is None:
        page.ended_at = at
    if answer != page.answer:
        page.answer, page.answered_at, page.read_at = answer, now(), None


async def _area_of(session: AsyncSession, incident: Incident) -> str | None:
    """Whose hands it is in: the agency of the unit that leads there, or what sort of unit of ours it is."""
    query = (
        select(Unit.kind, Organization.name, Organization.kind)
        .join(Assignment, Assignment.unit_id == Unit.id)
        .join(Organization, Organization.id == Unit.organization_id)
        .where(Assignment.incident_id == incident.id, Assignment.released_at.is_(None))
        .order_by(Assignment.exclusive.desc(), Assignment.made_at, Assignment.id)
        .limit(1)
    )
    found = (await session.execute(query)).first()
    if found is None:
        return None
    kind, name, sort = found
    return str(kind) if sort == OrganizationKind.MUNICIPALITY else str(name)
