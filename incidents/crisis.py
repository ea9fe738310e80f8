"""What a wall shows of one incident or major incident, and the city's numbers beside those of an hour ago.

Anybody in the room, and whoever visits it, reads a wall: no story, no names of people, nothing above the wall's reach.
So the log here is made of what happened and never of what somebody wrote.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment, AssignmentStatus
from incidents.bonds import MajorMember
from incidents.catalogue import catalogue
from incidents.incident import OVER, Incident, visible_to
from incidents.majors import Major, MajorPost, MajorSector
from realtime.access import Actor
from realtime.database import now
from realtime.errors import NotFound
from realtime.journal import Entry

LINES = 8  # of the log
HOUR = dt.timedelta(hours=1)
# What happened, without anybody's words: the kinds of the journal that a wall may tell.
TOLD = frozenset(
    {
        *("incident.opened", "incident.answered", "incident.alarm_raised", "incident.alarm_lowered", "incident.state"),
        *("incident.closed", "incident.reopened", "assignment.made", "assignment.status", "sos.raised", "sos.ended"),
        *("major.opened", "major.amended", "major.closed", "major.reopened"),
        *("major.sector_added", "major.sector_ended", "major.post_given", "major.objective_marked"),
    }
)
ASKED = frozenset({AssignmentStatus.ASSIGNED, AssignmentStatus.ACKNOWLEDGED})


async def crisis(session: AsyncSession, actor: Actor, about: str) -> dict[str, Any]:
    """`incident:<id>` or `major:<id>` as a wall shows it. Raises `NotFound` for what the actor may not see."""
    kind, _, raw = about.partition(":")
    try:
        subject_id = UUID(raw)
    except ValueError:
        raise NotFound from None
    if kind == "incident":
        return await _of_incident(session, actor, subject_id)
    if kind == "major":
        return await _of_major(session, actor, subject_id)
    raise NotFound


async def _of_incident(session: AsyncSession, actor: Actor, incident_id: UUID) -> dict[str, Any]:
    incident = (await session.scalars(select(Incident).where(Incident.id == incident_id, visible_to(actor)))).first()
    if incident is None or incident.sensitivity > actor.reach:
        raise NotFound
    words = await catalogue(session, incident.catalogue_version)
    return {
        "about": incident.subject,
        "code": incident.code,
        "name": words.type(incident.type_code).name,
        "priority": incident.priority,
        "level": incident.alarm_level,
        "place": incident.place,
        "state": incident.state,
        "opened_at": incident.opened_at.isoformat(),
        "over": incident.state in OVER,
        "sectors": [],
        "posts": [],
        "incidents": [],
        "resources": await _resources(session, {incident.id: None}),
        "log": await _log(session, [incident.id]),
    }


async def _of_major(session: AsyncSession, actor: Actor, major_id: UUID) -> dict[str, Any]:
    major = await session.get(Major, major_id)
    if major is None or major.sensitivity > actor.reach:
        raise NotFound
    sectors = (
        await session.scalars(select(MajorSector).where(MajorSector.major_id == major.id).order_by(MajorSector.id))
    ).all()
    posts = await session.scalars(
        select(MajorPost).where(MajorPost.major_id == major.id, MajorPost.until.is_(None)).order_by(MajorPost.since)
    )
    members = (
        await session.execute(
            select(MajorMember.sector_id, Incident)
            .join(Incident, Incident.id == MajorMember.incident_id)
            .where(
                MajorMember.major_id == major.id,
                MajorMember.removed_at.is_(None),
                visible_to(actor),
                Incident.sensitivity <= actor.reach,
            )
            .order_by(Incident.priority, Incident.opened_at)
        )
    ).all()
    shown = []
    for sector_id, incident in members:
        words = await catalogue(session, incident.catalogue_version)
        shown.append(
            {
                "code": incident.code,
                "name": words.type(incident.type_code).name,
                "priority": incident.priority,
                "state": incident.state,
                "place": incident.place,
                "sector_id": str(sector_id) if sector_id else None,
            }
        )
    resources = await _resources(session, {incident.id: sector_id for sector_id, incident in members})
    return {
        "about": major.subject,
        "code": major.code,
        "name": major.name,
        "priority": None,
        "level": major.level,
        "place": major.place,
        "state": None,
        "opened_at": major.opened_at.isoformat(),
        "over": major.closed_at is not None,
        "sectors": [
            {
                "id": str(one.id),
                "name": one.name,
                "colour": one.colour,
                "open": sum(sector == one.id and incident.state not in OVER for sector, incident in members),
                "there": sum(row["sector_id"] == str(one.id) and row["there"] for row in resources),
            }
            for one in sectors
        ],
        "posts": [{"role": one.role, "organization": one.organization} for one in posts],
        "incidents": [one for one in shown if one["state"] not in OVER],
        "resources": resources,
        "log": await _log(session, [major.id, *(incident.id for _, incident in members)]),
    }


async def _resources(session: AsyncSession, of: dict[UUID, UUID | None]) -> list[dict[str, Any]]:
    """Who was sent and how far they are: those who have not set out, those on the way, those who are there."""
    query = (
        select(Assignment)
        .where(Assignment.incident_id.in_(of), Assignment.released_at.is_(None))
        .order_by(Assignment.made_at, Assignment.id)
    )
    return [
        {
            "call_sign": one.call_sign,
            "status": one.status,
            "since": one.since.isoformat(),
            "asked": one.status in ASKED,
            "there": one.status not in ASKED and one.status != AssignmentStatus.EN_ROUTE,
            "sector_id": str(of[one.incident_id]) if of[one.incident_id] else None,
        }
        for one in await session.scalars(query)
    ]


async def _log(session: AsyncSession, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    query = select(Entry).where(Entry.incident_id.in_(ids), Entry.kind.in_(TOLD)).order_by(Entry.id.desc()).limit(LINES)
    entries = (await session.scalars(query)).all()
    return [
        {
            "at": entry.occurred_at.isoformat(),
            "kind": entry.kind,
            "call_sign": entry.detail.get("call_sign"),
            "status": entry.detail.get("to"),
        }
        for entry in entries
    ]


# ── The city's numbers ────────────────────────────────────────────────────────────────────────────


async def hour_beside_hour(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """What an hour's comparison is honest about: how much is open, came in and ended, and how long arrivals took.

    `then` is an hour ago, or the hour before the last; null where nothing was measured. Units that are free and
    incidents that are late are compared with nothing: how they stood an hour ago was not written down.
    """
    at = now()
    seen = (visible_to(actor), Incident.sensitivity <= actor.reach)

    async def count(*conditions: Any) -> int:
        return await session.scalar(select(func.count()).select_from(Incident).where(*seen, *conditions)) or 0

    def open_at(then: dt.datetime) -> Any:
        return (Incident.opened_at <= then) & or_(Incident.closed_at.is_(None), Incident.closed_at > then)

    def within(column: Any, until: dt.datetime) -> Any:
        return (column > until - HOUR) & (column <= until)

    arrived_at = cast(Incident.stamps["T9"].astext, DateTime(timezone=True))

    async def median(until: dt.datetime) -> tuple[int | None, int]:
        took = func.extract("epoch", arrived_at) - func.extract("epoch", Incident.opened_at)
        query = select(func.percentile_cont(0.5).within_group(took), func.count()).where(
            *seen, Incident.stamps.has_key("T9"), within(arrived_at, until)
        )
        value, measured = (await session.execute(query)).one()
        return (round(float(value)) if value is not None else None), measured

    urgent = Incident.priority <= 2
    arrived, measured = await median(at)
    arrived_then, _ = await median(at - HOUR)
    return {
        "at": at.isoformat(),
        "open": {"now": await count(open_at(at)), "then": await count(open_at(at - HOUR))},
        "urgent": {"now": await count(urgent, open_at(at)), "then": await count(urgent, open_at(at - HOUR))},
        "came": {
            "now": await count(within(Incident.opened_at, at)),
            "then": await count(within(Incident.opened_at, at - HOUR)),
        },
        "ended": {
            "now": await count(within(Incident.closed_at, at)),
            "then": await count(within(Incident.closed_at, at - HOUR)),
        },
        "arrival_seconds": {
            "now": arrived,
            "then": arrived_then,
            "measured": measured,
        },
    }
