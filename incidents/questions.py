"""What is asked of the recommendation: an incident as a call with its run card, and all that compete for units."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import Point
from geo.zones import whose
from incidents.incident import Incident, IncidentState, access_incident, visible_whole_to
from incidents.recommendation import Call
from incidents.rewind import rewound
from incidents.run_cards import RunCard, run_card
from realtime.access import Actor
from realtime.errors import Malformed

# Incidents in these states may still want somebody; once under control, what is missing is no longer missed.
WANTING = frozenset(
    {
        IncidentState.RECEIVED,
        IncidentState.CLASSIFIED,
        IncidentState.WAITING,
        IncidentState.DISPATCHED,
        IncidentState.EN_ROUTE,
        IncidentState.ON_SCENE,
    }
)
MOST = 40  # calls weighed together: the gravest, and of those the oldest

Question = tuple[Call, RunCard | None, int]


class NotYetThere(Malformed):
    """That incident had not been opened at that moment."""


async def question(session: AsyncSession, actor: Actor, incident_id: UUID, level: int | None = None) -> Question:
    """What an incident asks for now, up to its alarm level or to another one. Raises `NotFound`."""
    incident = await access_incident(session, actor, incident_id)
    card = await run_card(session, incident.type_code, incident.priority)
    return _call(incident), card, level or incident.alarm_level


async def question_at(
    session: AsyncSession, actor: Actor, incident_id: UUID, at: dt.datetime, level: int | None = None
) -> Question:
    """What it asked for at a past moment, by what was known then. Raises `NotFound`, `NotYetThere`."""
    incident = await access_incident(session, actor, incident_id)
    past = await rewound(session, at)
    if incident.opened_at > at:
        raise NotYetThere
    was = past.incidents.get(incident.id, {})
    place, type_code = was.get("place", incident.shape), was.get("type", incident.type_code)
    priority = was.get("priority", incident.priority)
    jurisdiction = (await whose(session, place, at=at)).jurisdiction
    card = await run_card(session, type_code, priority, at)
    call = Call(place, priority, type_code, incident.id, jurisdiction)
    return call, card, level or was.get("alarm_level", incident.alarm_level)


async def question_before(session: AsyncSession, *, type_code: str, priority: int, place: Point) -> Question:
    """What an incident would ask for that does not exist yet."""
    jurisdiction = (await whose(session, place)).jurisdiction
    card = await run_card(session, type_code, priority)
    return Call(place, priority, type_code, None, jurisdiction), card, 1


async def questions(session: AsyncSession, actor: Actor) -> tuple[list[Question], dict[UUID, str]]:
    """What all open incidents that the actor sees whole ask for, gravest first, and their codes."""
    query = (
        select(Incident)
        .where(visible_whole_to(actor), Incident.on_board, Incident.state.in_(WANTING))
        .order_by(Incident.priority, Incident.opened_at, Incident.id)
        .limit(MOST)
    )
    cards: dict[tuple[str, int], RunCard | None] = {}
    found, codes = [], {}
    for incident in await session.scalars(query):
        key = incident.type_code, incident.priority
        if key not in cards:
            cards[key] = await run_card(session, *key)
        codes[incident.id] = incident.code
        found.append((_call(incident), cards[key], incident.alarm_level))
    return found, codes


def _call(incident: Incident) -> Call:
    return Call(incident.shape, incident.priority, incident.type_code, incident.id, incident.jurisdiction)
