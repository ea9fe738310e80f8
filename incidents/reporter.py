"""What a reporter may still do with his code: say which incident it is, add a fact, say it was not solved, go nameless.

The code is the key, as it is to the page; whoever calls these limits how often anybody may. Nothing of a person is in
the journal: facts are in the report's row, and the contact is erased there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import reopen_unsolved
from incidents.duplicates import Telling, public_duplicates
from incidents.incident import OVER, Incident, IncidentState, access_incident
from incidents.incident import tell as tell_of_incident
from incidents.reports import Report, ReportStatus, access_report, tell
from incidents.tracking import Tracking, tracked
from incidents.triage import put_in
from realtime.access import ANYBODY, VIGIA
from realtime.database import now
from realtime.errors import NotFound, Refusal

MOST_FACTS = 12
REOPENED_WITHIN = dt.timedelta(days=7)
MOST_REOPENED = 2


class EnoughFacts(Refusal):
    """You have added {count} facts already. If it got worse, call or report it again."""

    status = 409


class TooLateToReopen(Refusal):
    """It is over for more than {days} days: report it again."""

    status = 409


class ReopenedEnough(Refusal):
    """It was opened again {count} times already: call, or report it again."""

    status = 409


class NotOver(Refusal):
    """It is still being worked on: add what you know."""

    status = 409


def may_reopen(page: Tracking) -> bool:
    """Whether its reporter may still say that it was not solved."""
    recent = page.ended_at is not None and now() - page.ended_at <= REOPENED_WITHIN
    return recent and page.reopened < MOST_REOPENED and page.deflected_to is None


async def add_fact(session: AsyncSession, code: str, *, words: str) -> Tracking:
    """Add something to what was reported. Raises `NotFound`, `EnoughFacts`."""
    page, report, incident = await _held(session, code)
    await _write_fact(session, report, incident, words)
    return page


async def same_as(session: AsyncSession, code: str) -> list[dict[str, Any]]:
    """What is open and may be the same as a report that still waits, as `public_duplicates` tells of it."""
    page = await tracked(session, code)
    report = await access_report(session, VIGIA, page.report_id)
    if report.status != ReportStatus.RECEIVED or report.shape is None:
        return []
    telling = Telling(report.shape, report.told_at, report.type_hint, report.words, channel=report.channel)
    return await public_duplicates(session, telling)


async def join_own(session: AsyncSession, code: str, incident_id: UUID) -> Tracking:
    """Count a waiting report as one of an incident that it may be, by its reporter's word. A desk can split it off.

    Raises `NotFound` for an incident that nobody asked him about. Handled or over meanwhile: it stays as it is.
    """
    if str(incident_id) not in {one["incident_id"] for one in await same_as(session, code)}:
        raise NotFound
    incident = await access_incident(session, VIGIA, incident_id, lock=True)
    page, report, _ = await _held(session, code)
    if incident.state not in OVER and report.status == ReportStatus.RECEIVED:
        await put_in(session, ANYBODY, report, incident, now())
    return page


async def say_unsolved(session: AsyncSession, code: str, *, words: str = "") -> Tracking:
    """Say that what is over was not solved: it waits again on everybody's board.

    Raises `NotFound`, `NotOver`, `TooLateToReopen`, `ReopenedEnough`.
    """
    page, report, incident = await _held(session, code)
    over = report.status == ReportStatus.DISMISSED or (
        incident is not None and incident.state in {IncidentState.CLOSED, IncidentState.CANCELLED}
    )
    if not over or page.deflected_to is not None:
        raise NotOver
    if page.ended_at is not None and now() - page.ended_at > REOPENED_WITHIN:
        raise TooLateToReopen(days=REOPENED_WITHIN.days)
    if page.reopened >= MOST_REOPENED:
        raise ReopenedEnough(count=MOST_REOPENED)
    page.reopened += 1
    if words:
        await _write_fact(session, report, incident, words)
    if incident is not None:
        await reopen_unsolved(session, incident)
    else:
        report.status, report.dismissal, report.answer = ReportStatus.RECEIVED, None, None
        await tell(session, ANYBODY, "report.unsolved", report)
    return page


async def erase_contact(session: AsyncSession, code: str) -> Tracking:
    """Take a reporter's name and telephone out of his report, for good. Twice does no harm."""
    page, report, _ = await _held(session, code)
    page.erased = True
    if report.erased_at is None:
        report.contact_name = report.contact_phone = report.contact_number = None
        report.erased_at = now()
        await tell(session, ANYBODY, "contact.erased", report, incident_id=report.incident_id)
    return page


async def _held(session: AsyncSession, code: str) -> tuple[Tracking, Report, Incident | None]:
    """The page, its report and its incident, each locked; the incident first, as triage does."""
    page = await tracked(session, code)
    report = await access_report(session, VIGIA, page.report_id)
    incident = None
    if report.incident_id is not None:
        incident = await access_incident(session, VIGIA, report.incident_id, lock=True)
    report = await access_report(session, VIGIA, page.report_id, lock=True)
    await session.refresh(page, with_for_update=True)
    return page, report, incident


async def _write_fact(session: AsyncSession, report: Report, incident: Incident | None, words: str) -> None:
    if len(report.facts) >= MOST_FACTS:
        raise EnoughFacts(count=len(report.facts))
    report.facts = [*report.facts, {"at": now().isoformat(), "words": words}]
    await tell(session, ANYBODY, "report.fact", report)
    if incident is not None:
        detail = {"report_id": str(report.id), "fact": len(report.facts) - 1}
        await tell_of_incident(session, ANYBODY, "report.fact_added", incident, detail=detail)
