"""Answers: whoever reported something is told how it ended, and why.

Each disposition and each dismissal of the catalogue has its answer, in words for the reporter; whoever closes may say
others, for all or for one. What is protected is answered only in words that somebody chose for it: a page can be read
over a shoulder. `follow_up.py` brings the answer to the reporter's page, and the page notes when it was first seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.catalogue import Catalogue, catalogue
from incidents.incident import Incident
from incidents.reports import Report
from incidents.reports import visible_to as report_visible_to
from incidents.tracking import Tracking
from realtime.access import Actor, Permission, Sensitivity, require
from realtime.errors import Malformed, NotFound

REFERRED, CANCELLED = "referred", "cancelled"  # what ends an incident without a disposition is answered as these


class AnswerNeeded(Malformed):
    """Somebody reported this: say how it ended in words for them."""


def answer_to(report: Report, incident: Incident | None, words: Catalogue, ending: str | None) -> str | None:
    """What a reporter is told once it is over: the words for him, those for all, else those of the ending."""
    if report.answer is not None:
        return report.answer
    if incident is None:
        return words.answer(ending)
    if incident.answer is not None or incident.sensitivity > Sensitivity.OPERATIONAL:
        return incident.answer
    return words.answer(ending)


async def say_answers(
    session: AsyncSession, incident: Incident, disposition: str, answer: str, apart: Mapping[UUID, str]
) -> None:
    """Keep what the reporters of a locked incident are told; `apart` are words for one of them, by report.

    Raises `AnswerNeeded` where there are reporters and neither somebody nor the catalogue says anything to them, and
    `NotFound` for a report that is not in the incident.
    """
    incident.answer = answer or None
    inside = set(await session.scalars(select(Report.id).where(Report.incident_id == incident.id)))
    if not apart.keys() <= inside:
        raise NotFound
    # Past the session, because undoing the end of an incident is nothing that happens to its reports: the next end
    # says its own answers, and until then nobody is shown one.
    await session.execute(update(Report).where(Report.id.in_(inside)).values(answer=None))
    for report_id, words in apart.items():
        await session.execute(update(Report).where(Report.id == report_id).values(answer=words or None))
    unsaid = inside - {report_id for report_id, words in apart.items() if words}
    if unsaid and not answer and (await catalogue(session)).answer(disposition) is None:
        raise AnswerNeeded


async def count_answers(
    session: AsyncSession, actor: Actor, *, since: dt.datetime, until: dt.datetime
) -> dict[str, Any]:
    """Of the reports that were over between two moments: how many were answered and read, and how soon (seconds).

    `answer` is from the end to the reporter's page saying so, `read` from the end to its first being seen: the median
    and the ninetieth per cent, null where there is none.
    """
    require(actor, Permission.REPORT_TRIAGE)

    def after(moment: Any) -> tuple[Any, Any]:
        seconds = func.extract("epoch", moment - Tracking.ended_at)
        return (
            func.percentile_cont(0.5).within_group(seconds),
            func.percentile_cont(0.9).within_group(seconds),
        )

    query = (
        select(
            func.count(),
            func.count(Tracking.answered_at),
            func.count(Tracking.read_at),
            *after(Tracking.answered_at),
            *after(Tracking.read_at),
        )
        .join(Report, Report.id == Tracking.report_id)
        .where(Tracking.ended_at >= since, Tracking.ended_at < until, report_visible_to(actor))
    )
    ended, answered, read, *times = (await session.execute(query)).one()
    told = [None if seconds is None else round(float(seconds), 1) for seconds in times]
    return {
        "ended": ended,
        "answered": answered,
        "read": read,
        "answer": {"p50": told[0], "p90": told[1]},
        "seen": {"p50": told[2], "p90": told[3]},
    }
