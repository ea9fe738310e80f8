"""Incidents at geofences: a reaction to the journal that keeps their visits as things stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.fences import Ending, Fence, FenceVisit, close_visit, fences_with_places, open_visit, show_visit_to
from geo.passage import Passage, What
from geo.places import in_sql
from incidents.incident import OVER, Incident
from realtime.access import VIGIA
from realtime.database import now
from realtime.journal import Entry
from realtime.reactions import Reaction

MOVING = frozenset(
    {
        "incident.opened",
        "incident.relocated",
        "incident.reclassified",
        "incident.state",
        "incident.closed",
        "incident.reopened",
    }
)
MOST = 500  # incidents that a new fence may find inside at once


def watch_incidents(timezone: str) -> Reaction:
    """The reaction: which incidents are in which fences, as things stand. Twice does no harm."""
    zone = ZoneInfo(timezone)

    async def react(session: AsyncSession, entry: Entry) -> None:
        kind, _, id_ = entry.subject.partition(":")
        if kind == "incident" and entry.kind in MOVING:
            incident = await session.get(Incident, UUID(id_), populate_existing=True)
            if incident is not None:
                moved = entry.kind in {"incident.opened", "incident.relocated", "incident.reopened"}
                await _bring_up(session, incident, await _holding(session, incident), entry.occurred_at, zone, moved)
        elif entry.kind in {"fence.drawn", "fence.amended"}:
            fence = await session.get(Fence, UUID(id_), populate_existing=True)
            if fence is not None and fence.watches_incidents:
                for incident in await _inside(session, fence):
                    await _bring_up(
                        session, incident, await _holding(session, incident), entry.occurred_at, zone, moved=False
                    )

    return react


async def _holding(session: AsyncSession, incident: Incident) -> list[Fence]:
    return [
        fence
        for fence, place in await fences_with_places(session)
        if fence.watches_incidents and place.covers(incident.shape)
    ]


async def _inside(session: AsyncSession, fence: Fence) -> Sequence[Incident]:
    places = [place for one, place in await fences_with_places(session) if one.id == fence.id]
    if not places:
        return []
    query = (
        select(Incident)
        .where(Incident.state.not_in(OVER), func.ST_Covers(in_sql(places[0]), Incident.shape))
        .order_by(Incident.id)
        .limit(MOST)
    )
    return (await session.scalars(query)).all()


async def _bring_up(
    session: AsyncSession, incident: Incident, holding: Sequence[Fence], at: dt.datetime, zone: ZoneInfo, moved: bool
) -> None:
    wanted = {fence.id: fence for fence in holding if incident.state not in OVER and _watches(fence, incident)}
    query = (
        select(FenceVisit)
        .where(FenceVisit.incident_id == incident.id, FenceVisit.exited_at.is_(None))
        .order_by(FenceVisit.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for visit in await session.scalars(query):
        if visit.fence_id not in wanted:
            await close_visit(session, VIGIA, visit, at, Ending.LEFT)
            continue
        del wanted[visit.fence_id]
        if visit.sensitivity != incident.sensitivity:
            await show_visit_to(session, visit, incident.sensitivity)
    for fence in wanted.values():
        if not fence.counts(now(), zone):
            continue
        passage = Passage(What.ENTERED, at, already_there=not moved or at < fence.watched_since)
        await open_visit(
            session,
            fence,
            passage,
            who=incident.code,
            incident_id=incident.id,
            sensitivity=incident.sensitivity,
        )


def _watches(fence: Fence, incident: Incident) -> bool:
    """Types are codes ("INC-01") or whole groups of them ("INC")."""
    if fence.least_priority is not None and incident.priority > fence.least_priority:
        return False
    types = fence.incident_types
    return not types or any(incident.type_code == one or incident.type_code.startswith(f"{one}-") for one in types)
