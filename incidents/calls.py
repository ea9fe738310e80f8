"""A call that was taken: a report by telephone and what came of it, in one act, so that no call is lost half-way.

It opens an incident, joins one, goes to the right channel, or is closed as silent or a prank; each by the verb that a
waiting report has for it. There is no second way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.callers import flag_number
from incidents.catalogue import catalogue
from incidents.incident import Incident, access_incident
from incidents.moments import moment
from incidents.reports import Channel, Contact, Report, ReportStatus, receive_report, visible_to
from incidents.telephone import normal_phone
from incidents.triage import DEFLECTED, accept_report, dismiss_report, join_report, tell_answers
from incidents.type_questions import answered
from realtime.access import Actor, Permission, require
from realtime.database import new_id
from realtime.errors import Malformed


class Outcome(StrEnum):
    """What came of a call."""

    OPENED = "opened"
    JOINED = "joined"
    DEFLECTED = "deflected"
    SILENT = "silent"
    PRANK = "prank"


DISMISSALS = {Outcome.DEFLECTED: DEFLECTED, Outcome.SILENT: "silent", Outcome.PRANK: "hoax"}


class CallIncomplete(Malformed):
    """A call that was {outcome} needs its {field}."""


@dataclass(frozen=True, slots=True)
class Call:
    """What the call-taker wrote down. `priority` only where it was said by hand; `answers` are `{question: answer}`."""

    words: str = ""
    place: str = ""
    place_match: dict[str, Any] | None = None
    location: Point | None = None
    contact: Contact | None = None
    type_code: str | None = None
    priority: int | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    incident_id: UUID | None = None
    channel: str | None = None
    do_not_call_back: bool = False
    occurred_at: dt.datetime | None = None


async def take_call(
    session: AsyncSession, actor: Actor, report_id: UUID, call: Call, *, outcome: Outcome
) -> tuple[Report, Incident | None]:
    """Write a call down with what came of it; the incident is the one that it opened or joined.

    Raises `CallIncomplete` and whatever the verbs of triage refuse; then nothing is written.
    """
    require(actor, Permission.REPORT_TRIAGE)
    _check(call, outcome)
    if outcome is Outcome.JOINED and call.incident_id is not None:
        await access_incident(session, actor, call.incident_id, lock=True)  # before the report that joins it
    report = await receive_report(
        session,
        actor,
        report_id,
        words=call.words,
        channel=Channel.PHONE,
        place=call.place,
        place_match=call.place_match,
        location=call.location,
        type_hint=call.type_code,
        contact=call.contact,
        occurred_at=call.occurred_at,
    )
    if call.do_not_call_back:
        await flag_number(session, actor, new_id(), report.contact_number or "")
    at, incident = call.occurred_at, None
    if outcome is Outcome.OPENED and call.incident_id is not None and call.type_code is not None:
        incident = await accept_report(
            session,
            actor,
            report.id,
            incident_id=call.incident_id,
            type_code=call.type_code,
            priority=call.priority,
            answers=call.answers,
            occurred_at=at,
        )
    elif outcome is Outcome.JOINED and call.incident_id is not None:
        incident = await _join(session, actor, report, call, call.incident_id)
    else:
        await dismiss_report(
            session, actor, report.id, reason=DISMISSALS[outcome], channel=call.channel, occurred_at=at
        )
    return report, incident


def _check(call: Call, outcome: Outcome) -> None:
    needs: dict[Outcome, tuple[str, ...]] = {
        Outcome.OPENED: ("incident_id", "type_code", "location"),
        Outcome.JOINED: ("incident_id",),
        Outcome.DEFLECTED: ("channel",),
    }
    missing = [name for name in needs.get(outcome, ()) if getattr(call, name) is None]
    if call.do_not_call_back and (call.contact is None or not normal_phone(call.contact.phone)):
        missing.append("phone")
    if call.answers and call.type_code is None:
        missing.append("type_code")
    if missing:
        raise CallIncomplete(outcome=outcome.value, field=missing[0])


async def _join(session: AsyncSession, actor: Actor, report: Report, call: Call, incident_id: UUID) -> Incident:
    """What was answered is told on the incident too, and leaves its priority to whoever answers for it."""
    said = []
    if call.type_code is not None:
        said = answered((await catalogue(session)).questions, call.type_code, call.answers)
    incident = await access_incident(session, actor, incident_id, lock=True)
    if said:
        await tell_answers(session, actor, incident, said, by="joined", at=moment(call.occurred_at))
    await join_report(session, actor, report.id, incident_id=incident_id, occurred_at=call.occurred_at)
    return incident


async def count_calls(session: AsyncSession, actor: Actor, *, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """How many calls came between two moments and what became of them, as far as the actor may see them.

    `deflected` counts by channel. A report that waits again, because somebody took its joining back, is `waiting`.
    """
    require(actor, Permission.REPORT_TRIAGE)
    query = (
        select(Report.status, Report.dismissal, Report.deflected_to, func.count())
        .where(
            Report.channel == Channel.PHONE, Report.received_at >= since, Report.received_at < until, visible_to(actor)
        )
        .group_by(Report.status, Report.dismissal, Report.deflected_to)
    )
    counts: dict[str, int] = dict.fromkeys([*(one.value for one in Outcome), "dismissed", "waiting"], 0)
    channels: dict[str, int] = {}
    for status, dismissal, channel, number in await session.execute(query):
        name = outcome_of(status, dismissal, channel)
        counts[name] += number
        if channel is not None:
            channels[channel] = channels.get(channel, 0) + number
    return {"calls": sum(counts.values()), "outcomes": counts, "channels": channels}


def outcome_of(status: str, dismissal: str | None, channel: str | None) -> str:
    """What became of a report, in the words of calls; `dismissed` is for reasons that calls do not have."""
    if channel is not None:
        return Outcome.DEFLECTED.value
    if status == ReportStatus.DISMISSED:
        return {"silent": Outcome.SILENT.value, "hoax": Outcome.PRANK.value}.get(dismissal or "", "dismissed")
    known = {ReportStatus.ACCEPTED: Outcome.OPENED.value, ReportStatus.JOINED: Outcome.JOINED.value}
    return known.get(ReportStatus(status), "waiting")
