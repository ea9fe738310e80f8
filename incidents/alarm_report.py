"""How alarms fare: which rules are noisy, how many nobody answered, how long the desk was flooded.

An alarm that nobody needs teaches people not to look. This is the paper by which rules get fixed.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarms import Alarm
from incidents.soundings import heard_by_week
from realtime.access import Actor, Sensitivity
from realtime.database import now

# ISA-18.2's flood: it begins with more than ten alarms in ten minutes and ends with fewer than five.
WINDOW, BEGINS, ENDS = dt.timedelta(minutes=10), 10, 5
ABSURD = 100_000  # alarms of a report; a desk with more has no need of a report to know it
TOP = 10
WEEK = dt.timedelta(weeks=1)


def _counted_for(actor: Actor) -> ColumnElement[bool]:
    """Numbers tell too: nobody counts what he may not know."""
    return Alarm.sensitivity <= max(actor.reach, Sensitivity.OPERATIONAL)


async def alarm_report(session: AsyncSession, actor: Actor, *, weeks: int = 1) -> dict[str, Any]:
    """By rule, the noisiest first: how many in the last weeks, answered, shelved, gone unanswered; and the floods."""
    until = now()
    since = until - dt.timedelta(weeks=weeks)
    counted = (Alarm.raised_at >= since, Alarm.raised_at <= until, _counted_for(actor))
    unanswered = Alarm.answered_at.is_(None)
    query = (
        select(
            Alarm.rule,
            Alarm.kind,
            func.count().label("raised"),
            func.count().filter(unanswered).label("unanswered"),
            func.count().filter(unanswered, Alarm.cleared_at.is_not(None)).label("gone_unanswered"),
            func.count().filter(Alarm.shelve_reason != "").label("shelved"),
            func.count().filter(Alarm.level > 0).label("escalated"),
            func.percentile_cont(0.5)
            .within_group(func.extract("epoch", Alarm.answered_at - Alarm.raised_at))
            .label("median"),
        )
        .where(*counted)
        .group_by(Alarm.rule, Alarm.kind)
        .order_by(func.count().desc(), Alarm.rule)
    )
    rows = (await session.execute(query)).all()
    moments = (
        await session.scalars(select(Alarm.raised_at).where(*counted).order_by(Alarm.raised_at).limit(ABSURD))
    ).all()
    total = sum(row.raised for row in rows)
    flooded = list(floods(moments))
    return {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "raised": total,
        "unanswered_percent": _percent(sum(row.unanswered for row in rows), total),
        "flood_minutes": _minutes(flooded, since, until),
        "weeks": await _by_week(session, actor, until, weeks, flooded),
        "rules": [
            {
                "rule": row.rule,
                "kind": row.kind,
                "raised": row.raised,
                "per_day": round(row.raised / (7 * weeks), 1),
                "unanswered_percent": _percent(row.unanswered, row.raised),
                "gone_unanswered": row.gone_unanswered,
                "shelved": row.shelved,
                "escalated": row.escalated,
                "answered_after_seconds": None if row.median is None else round(row.median),
            }
            for row in rows[:TOP]
        ],
    }


async def _by_week(
    session: AsyncSession, actor: Actor, until: dt.datetime, weeks: int, flooded: Sequence[Flood]
) -> list[dict[str, Any]]:
    """Week by week, the last first: alarms, how many nobody answered, floods, and what one person had to hear."""
    back = func.floor(func.extract("epoch", until - Alarm.raised_at) / WEEK.total_seconds())
    query = (
        select(back, func.count(), func.count().filter(Alarm.answered_at.is_(None)))
        .where(Alarm.raised_at > until - weeks * WEEK, Alarm.raised_at <= until, _counted_for(actor))
        .group_by(back)
    )
    counted = {int(week): (raised, unanswered) for week, raised, unanswered in await session.execute(query)}
    heard = await heard_by_week(session, actor, until, weeks)
    found = []
    for week in range(weeks):
        begin, end = until - (week + 1) * WEEK, until - week * WEEK
        raised, unanswered = counted.get(week, (0, 0))
        found.append(
            {
                "since": begin.isoformat(),
                "until": end.isoformat(),
                "raised": raised,
                "unanswered": unanswered,
                "unanswered_percent": _percent(unanswered, raised),
                "flood_minutes": _minutes(flooded, begin, end),
            }
            | heard[week]
        )
    return found


Flood = tuple[dt.datetime, dt.datetime]


def _minutes(flooded: Iterable[Flood], since: dt.datetime, until: dt.datetime) -> int:
    """How long of a time was flood."""
    seconds = (max(0.0, (min(end, until) - max(begin, since)).total_seconds()) for begin, end in flooded)
    return round(sum(seconds) / 60)


def floods(moments: Sequence[dt.datetime]) -> Iterable[Flood]:
    """When alarms came too fast for anybody: from the eleventh within ten minutes until fewer than five are."""
    recent: deque[dt.datetime] = deque()
    begun: dt.datetime | None = None
    for moment in moments:
        while recent and recent[0] <= moment - WINDOW:
            gone = recent.popleft()
            if begun is not None and len(recent) < ENDS:
                yield begun, gone + WINDOW
                begun = None
        recent.append(moment)
        if begun is None and len(recent) > BEGINS:
            begun = moment
    if begun is not None:
        last = recent[-ENDS] if len(recent) >= ENDS else recent[-1]
        yield begun, last + WINDOW


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0
