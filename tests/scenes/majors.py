"""Scenes of major incidents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

from shapely import box
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.bonds import LinkKind
from incidents.incident import Incident, reclassify
from incidents.links import link_incidents
from incidents.major_log import strike_entry, write_entry
from incidents.majors import (
    Major,
    MajorKind,
    MajorRole,
    SectorColour,
    add_incidents,
    add_sector,
    amend_major,
    amend_sector,
    close_major,
    end_sector,
    give_post,
    leave_post,
    mark_objective,
    open_major,
    place_incident,
    remove_incident,
    reopen_major,
    set_objective,
    set_perimeter,
)
from incidents.merging import merge_incidents
from realtime.access import Actor
from realtime.database import new_id, now
from tests.builders import City, an_incident
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]
WESTERN = box(-60.68, -32.97, -60.64, -32.93)


async def a_major(session: AsyncSession, actor: Actor, **words: Any) -> Major:
    """A storm over the west."""
    said: dict[str, Any] = {"name": "Temporal norte", "kind": MajorKind.STORM, "perimeter": WESTERN} | words
    return await open_major(session, actor, new_id(), **said)


async def a_sector(session: AsyncSession, actor: Actor, major: Major) -> UUID:
    """A sector without an area."""
    sector_id = new_id()
    await add_sector(session, actor, major.id, sector_id=sector_id, name="Norte", colour=SectorColour.SKY)
    return sector_id


async def with_members(session: AsyncSession, actor: Actor) -> tuple[Major, UUID, list[Incident]]:
    """A major incident with a public incident and a protected one in its sector."""
    major = await a_major(session, actor)
    sector_id = await a_sector(session, actor, major)
    inside = [await an_incident(session, actor, type_code=code) for code in ("MET-01", "SEG-07")]
    await add_incidents(session, actor, major.id, incident_ids=[one.id for one in inside], sector_id=sector_id)
    return major, sector_id, inside


@scene(open_major)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: a_major(session, actor)


@scene(open_major, "that is protected")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: a_major(session, actor, sensitivity=3)


def _simple(verb: Callable[..., Coroutine[Any, Any, Any]], /, **words: Any) -> None:
    @scene(verb)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        major, _, _ = await with_members(session, actor)
        return lambda: verb(session, actor, major.id, **words)


_simple(amend_major, name="Temporal oeste", level=2, summary="dos frentes", place="al oeste")
_simple(set_perimeter, shape=None)
_simple(close_major, outcome="pasó", with_open=True)
_simple(add_sector, sector_id=new_id(), name="Sur", colour=SectorColour.ORANGE, shape=WESTERN)
_simple(give_post, role=MajorRole.COMMAND, post_id=new_id(), holder="Rita Paz", organization="Defensa Civil")
_simple(write_entry, entry_id=new_id(), text="sin energía al norte")


@scene(reopen_major)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    major, _, _ = await with_members(session, actor)
    await close_major(session, actor, major.id, outcome="pasó", with_open=True)
    return lambda: reopen_major(session, actor, major.id, reason="volvió")


@scene(add_incidents)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: with_members(session, actor)


@scene(remove_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    major, _, inside = await with_members(session, actor)
    return lambda: remove_incident(session, actor, major.id, incident_id=inside[1].id, reason="no es de acá")


@scene(place_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    major, _, inside = await with_members(session, actor)
    return lambda: place_incident(session, actor, major.id, incident_id=inside[1].id, sector_id=None)


@scene(reclassify, "an incident of a major one, to protected")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, _, inside = await with_members(session, actor)
    return lambda: reclassify(session, actor, inside[0].id, type_code="SEG-07")


@scene(merge_incidents, "two of a major one")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, _, inside = await with_members(session, actor)
    other = await an_incident(session, actor)
    await link_incidents(session, actor, other.id, link_id=new_id(), other_id=inside[0].id, kind=LinkKind.DUPLICATE)
    return lambda: merge_incidents(session, actor, inside[0].id, link_id=new_id(), into_id=other.id)


@scene(amend_sector)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    major, sector_id, _ = await with_members(session, actor)
    return lambda: amend_sector(session, actor, major.id, sector_id=sector_id, lead="Rita Paz", shape=WESTERN)


@scene(end_sector)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    major, sector_id, _ = await with_members(session, actor)
    return lambda: end_sector(session, actor, major.id, sector_id=sector_id)


@scene(leave_post)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    major = await a_major(session, actor)
    person = city.people["supervisor"][0]
    await give_post(session, actor, major.id, role=MajorRole.SAFETY, post_id=new_id(), person_id=person)
    return lambda: leave_post(session, actor, major.id, role=MajorRole.SAFETY)


async def _with_objective(session: AsyncSession, actor: Actor) -> tuple[Major, UUID]:
    major, objective_id = await a_major(session, actor), new_id()
    period: dict[str, Any] = {"period_from": now(), "period_until": now() + dt.timedelta(hours=6)}
    await set_objective(session, actor, major.id, objective_id=objective_id, text="abrir la avenida", **period)
    return major, objective_id


@scene(set_objective)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: _with_objective(session, actor)


@scene(mark_objective)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    major, objective_id = await _with_objective(session, actor)
    return lambda: mark_objective(session, actor, major.id, objective_id=objective_id, reached=True)


@scene(strike_entry)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    major, entry_id = await a_major(session, actor), new_id()
    await write_entry(session, actor, major.id, entry_id=entry_id, text="dos heridos")
    return lambda: strike_entry(session, actor, major.id, entry_id=entry_id, reason="eran tres")
