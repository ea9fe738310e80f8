"""Scenes of run cards, alarm levels and tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarm_levels import lower_alarm_level, raise_alarm_level
from incidents.card_trials import ask_trial
from incidents.run_cards import CardLevel, Need, RunCardEdition, editions_of, publish_edition, withdraw_edition
from incidents.tasks import (
    IncidentTask,
    add_task,
    complete_task,
    drop_task,
    follow_cards,
    mark_overdue,
    reopen_task,
    tick_step,
)
from realtime.access import Actor
from realtime.database import new_id, now
from realtime.journal import Entry
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


@scene(ask_trial)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    await an_incident(session, actor, type_code="SIN-02")
    levels = [CardLevel(needs=(Need("GUM"),))]
    boss = city.actor("supervisor")
    return lambda: ask_trial(session, boss, new_id(), type_code="SIN-02", priority=None, levels=levels)


@scene(raise_alarm_level)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    return lambda: raise_alarm_level(session, actor, incident.id, level=2)


@scene(lower_alarm_level)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    await raise_alarm_level(session, actor, incident.id, level=3)
    return lambda: lower_alarm_level(session, actor, incident.id, level=1, reason="fue un error")


async def a_task(session: AsyncSession, actor: Actor, *, type_code: str = "SIN-01") -> IncidentTask:
    """Something to be done in two steps, on an incident of its own."""
    incident = await an_incident(session, actor, type_code=type_code)
    return await add_task(session, actor, incident.id, new_id(), text="Avisá", checklist=["a uno", "a otro"])


@scene(add_task)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    return lambda: add_task(session, actor, incident.id, new_id(), text="Avisá a la escuela", within_minutes=5)


@scene(tick_step)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    task = await a_task(session, actor)
    return lambda: tick_step(session, actor, task.incident_id, task.id, step=0)


@scene(tick_step, "the last one, taken back")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    task = await a_task(session, actor)
    for step in (0, 1):
        await tick_step(session, actor, task.incident_id, task.id, step=step)
    return lambda: tick_step(session, actor, task.incident_id, task.id, step=1, done=False)


@scene(complete_task, "of a public incident")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    task = await a_task(session, actor, type_code="MET-01")
    return lambda: complete_task(session, actor, task.incident_id, task.id)


@scene(drop_task)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    task = await a_task(session, actor)
    return lambda: drop_task(session, actor, task.incident_id, task.id, reason="ya lo hizo Policía")


@scene(reopen_task)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    task = await a_task(session, actor)
    await complete_task(session, actor, task.incident_id, task.id)
    return lambda: reopen_task(session, actor, task.incident_id, task.id)


@scene(follow_cards)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    entry = await an_opening(session, actor)
    return lambda: follow_cards(session, entry)


@scene(mark_overdue)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    await follow_cards(session, await an_opening(session, actor))
    await session.execute(update(IncidentTask).values(due_at=now() - dt.timedelta(minutes=1)))
    return lambda: mark_overdue(session)


async def an_opening(session: AsyncSession, actor: Actor, *, type_code: str = "SIN-01") -> Entry:
    """The journal's entry of an incident that has just been opened."""
    incident = await an_incident(session, actor, type_code=type_code)
    return await last_entry(session, incident.id)


async def last_entry(session: AsyncSession, incident_id: UUID) -> Entry:
    """What was recorded last about an incident."""
    query = select(Entry).where(Entry.incident_id == incident_id).order_by(Entry.id.desc()).limit(1)
    return (await session.scalars(query)).one()
