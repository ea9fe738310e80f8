"""Incidents found by a few letters, open and past, for whoever sees them whole: what is masked is not found at all."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import geojson
from incidents.catalogue import Catalogue, catalogue
from incidents.incident import Incident, visible_whole_to
from realtime.access import Actor
from realtime.looking import EACH, Found, bare, holds

NEWEST = 50_000  # whose words are read; older ones are found by their codes
_NUMBER = re.compile(r"^(?:(\d{4})-|#)?(\d{1,9})$")


async def search_incidents(session: AsyncSession, actor: Actor, words: tuple[str, ...]) -> list[Found]:
    """Incidents by code, place, type, zone and summary; every word must be in one of them.

    Open ones first, then newer ones. A number finds those whose code ends in it, of any year, and a whole code the one.
    """
    present = await catalogue(session)
    coded = _coded(words)
    oldest = select(Incident.opened_at).order_by(Incident.opened_at.desc()).offset(NEWEST).limit(1).scalar_subquery()
    told = and_(
        or_(oldest.is_(None), Incident.opened_at > oldest),
        *(or_(_of_type(present, word), _written(word)) for word in words),
    )
    query = (
        select(Incident)
        .where(visible_whole_to(actor), or_(coded, told) if coded is not None else told)
        .order_by(Incident.closed_at.is_not(None), Incident.opened_at.desc(), Incident.id)
        .limit(EACH)
    )
    if coded is not None:
        query = query.order_by(None).order_by(
            ~coded, Incident.closed_at.is_not(None), Incident.opened_at.desc(), Incident.id
        )
    found = []
    for incident in await session.scalars(query):
        kind = (await catalogue(session, incident.catalogue_version)).type(incident.type_code)
        facts = {
            "priority": incident.priority,
            "state": incident.state,
            "opened_at": incident.opened_at.isoformat(),
        }
        detail = " · ".join(part for part in (kind.name, incident.place) if part)
        found.append(Found("incident", incident.id, incident.code, detail, geojson(incident.shape), facts))
    return found


def _coded(words: tuple[str, ...]) -> ColumnElement[bool] | None:
    """Whether the code is what a single number says."""
    said = _NUMBER.match(words[0]) if len(words) == 1 else None
    if said is None:
        return None
    year, number = said.groups()
    return Incident.code == f"{year}-{number:0>6}" if year else Incident.code.endswith(f"-{number:0>6}")


def _written(word: str) -> ColumnElement[bool]:
    return holds(word.lstrip("#"), Incident.code, Incident.place, Incident.summary, Incident.zone)


def _of_type(words: Catalogue, word: str) -> ColumnElement[bool]:
    """Whether its type is called so."""
    return Incident.type_code.in_([one.code for one in words.types.values() if word in bare(one.name)])
