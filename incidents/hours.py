"""Hours: how long somebody was on duty, and how much of it their unit was sent somewhere.

On duty is what attendance says; committed is when the unit that one was on had a live assignment meanwhile. Assignments
that overlap count once, and nothing is told of what they were for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment
from realtime.access import Actor, Permission, require
from realtime.database import now
from realtime.errors import Malformed
from resources.attendance import How, Stint, stints_between
from resources.shifts import Placement, ShiftSlot, Span, overlap
from resources.staff import Member, access_member, all_members

LONGEST = dt.timedelta(days=93)


class PeriodRefused(Malformed):
    """Hours are counted for a period of up to 93 days that has begun."""


class Anomaly(StrEnum):
    """What is not as it should be in somebody's hours."""

    NO_CLOCK_OUT = "no_clock_out"  # ended by itself
    BY_HAND = "by_hand"  # somebody else marked it
    ABSENT = "absent"  # placed, and never came


@dataclass(frozen=True, slots=True)
class Oddity:
    """One anomaly, and the day and time that it is about."""

    code: Anomaly
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Hours:
    """Somebody's time in a period: `overtime` is what was worked beyond each planned shift, or without one."""

    member: Member
    on_duty: dt.timedelta
    committed: dt.timedelta
    planned: dt.timedelta
    overtime: dt.timedelta
    stints: tuple[Stint, ...]
    anomalies: tuple[Oddity, ...]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time, with what overlaps or touches as one span."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def shared(some: Sequence[Span], others: Sequence[Span]) -> dt.timedelta:
    """How long both last at once; each is merged."""
    return sum((overlap(one, other) for one in some for other in others), dt.timedelta())


async def hours_of(
    session: AsyncSession, actor: Actor, member_id: UUID, since: dt.datetime, until: dt.datetime
) -> Hours:
    """Somebody's hours in a period: for who runs the staff, and one's own. Raises `PeriodRefused`."""
    member = await access_member(session, actor, member_id)
    return (await _hours(session, [member], since, until))[0]


async def everybodys_hours(
    session: AsyncSession, actor: Actor, since: dt.datetime, until: dt.datetime
) -> Sequence[Hours]:
    """The hours of everybody who worked or should have, by name. Raises `PeriodRefused`."""
    require(actor, Permission.STAFF_MANAGE)
    found = await _hours(session, await all_members(session, actor), since, until)
    return [one for one in found if one.on_duty or one.planned or one.anomalies]


async def _hours(
    session: AsyncSession, members: Sequence[Member], since: dt.datetime, until: dt.datetime
) -> list[Hours]:
    at = now()
    if not since < until <= since + LONGEST or since > at:
        raise PeriodRefused
    ids = [member.id for member in members]
    stints = await stints_between(session, since, until, member_ids=ids)
    slots = await _slots_of(session, ids, since, until)
    units = {stint.unit_id for some in stints.values() for stint in some if stint.unit_id}
    sent = await _sent(session, units, since, until, at)
    return [
        _reckoned(one, stints.get(one.id, []), slots.get(one.id, []), sent, Span(since, until), at) for one in members
    ]


def _reckoned(
    member: Member,
    stints: Sequence[Stint],
    slots: Sequence[ShiftSlot],
    sent: dict[UUID, list[Span]],
    period: Span,
    at: dt.datetime,
) -> Hours:
    there = merged(one for stint in stints if (one := _within(Span(stint.started_at, stint.end(at)), period)))
    planned = merged(one for slot in slots if (one := _within(Span(slot.starts_at, slot.ends_at), period)))
    committed = [
        one
        for stint in stints
        if stint.unit_id is not None and (mine := _within(Span(stint.started_at, stint.end(at)), period))
        for span in sent.get(stint.unit_id, ())
        if (one := _within(span, mine))
    ]
    odd = [Oddity(Anomaly.NO_CLOCK_OUT, stint.ended_at or stint.ends_by) for stint in stints if stint.forgotten]
    odd += [Oddity(Anomaly.BY_HAND, stint.started_at) for stint in stints if stint.started_how == How.HAND]
    odd += [
        Oddity(Anomaly.ABSENT, slot.starts_at)
        for slot in slots
        if slot.ends_at <= at and not shared([Span(slot.starts_at, slot.ends_at)], there)
    ]
    on_duty = _length(there)
    return Hours(
        member=member,
        on_duty=on_duty,
        committed=_length(merged(committed)),
        planned=_length(planned),
        overtime=on_duty - shared(there, planned),
        stints=tuple(stints),
        anomalies=tuple(sorted(odd, key=lambda one: (one.at, one.code))),
    )


def _within(span: Span, period: Span) -> Span | None:
    start, end = max(span.start, period.start), min(span.end, period.end)
    return Span(start, end) if start < end else None


def _length(spans: Iterable[Span]) -> dt.timedelta:
    return sum((span.end - span.start for span in spans), dt.timedelta())


async def _slots_of(
    session: AsyncSession, member_ids: Collection[UUID], since: dt.datetime, until: dt.datetime
) -> dict[UUID, list[ShiftSlot]]:
    query = (
        select(Placement.member_id, ShiftSlot)
        .join(ShiftSlot, ShiftSlot.id == Placement.slot_id)
        .where(
            Placement.member_id.in_(member_ids),
            Placement.removed_at.is_(None),
            ShiftSlot.cancelled_at.is_(None),
            ShiftSlot.starts_at < until,
            ShiftSlot.ends_at > since,
        )
        .order_by(ShiftSlot.starts_at)
    )
    found: dict[UUID, list[ShiftSlot]] = {}
    for member_id, slot in await session.execute(query):
        found.setdefault(member_id, []).append(slot)
    return found


async def _sent(
    session: AsyncSession, unit_ids: Collection[UUID], since: dt.datetime, until: dt.datetime, at: dt.datetime
) -> dict[UUID, list[Span]]:
    query = select(Assignment.unit_id, Assignment.made_at, func.coalesce(Assignment.released_at, at)).where(
        Assignment.unit_id.in_(unit_ids),
        Assignment.made_at < until,
        or_(Assignment.released_at.is_(None), Assignment.released_at > since),
    )
    found: dict[UUID, list[Span]] = {}
    for unit_id, start, end in await session.execute(query):
        if start < end:
            found.setdefault(unit_id, []).append(Span(start, end))
    return {unit_id: merged(spans) for unit_id, spans in found.items()}
