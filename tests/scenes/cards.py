"""Scenes of run cards, alarm levels and tasks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarm_levels import lower_alarm_level, raise_alarm_level
from incidents.run_cards import CardLevel, Need, RunCardEdition, editions_of, publish_edition, withdraw_edition
from realtime.access import Actor
from realtime.database import new_id
from tests.builders import City, an_incident
from tests.scenes import scene


async def an_edition(session: AsyncSession, actor: Actor, *, type_code: str = "SIN-02") -> RunCardEdition:
    """The next edition of a type's card: one unit of Tránsito and one of the Guardia."""
    before = await editions_of(session, type_code, None)
    levels = [CardLevel(needs=(Need("TRA"), Need("GUM")))]
    return await publish_edition(
        session, actor, new_id(), type_code=type_code, priority=None, levels=levels, seen=before[-1].number
    )


@scene(publish_edition)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: an_edition(session, city.actor("supervisor"))


@scene(withdraw_edition)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    edition = await an_edition(session, city.actor("supervisor"))
    return lambda: withdraw_edition(session, city.actor("supervisor"), edition.id, reason="no alcanza")


@scene(raise_alarm_level)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    return lambda: raise_alarm_level(session, actor, incident.id, level=2)


@scene(lower_alarm_level)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    await raise_alarm_level(session, actor, incident.id, level=3)
    return lambda: lower_alarm_level(session, actor, incident.id, level=1, reason="fue un error")
