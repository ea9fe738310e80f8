"""Scenes of coverage targets, the dispatch policy and move-ups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.coverage_targets import end_target, set_target
from incidents.dispatch_policy import publish_policy
from incidents.move_ups import MoveUp, call_off_move_up, confirm_move_up, refuse_move_up, tell, tend_move_ups
from realtime.access import VIGIA, Actor
from realtime.database import new_id
from tests.builders import City, an_assignment, an_incident
from tests.recommendation.fleets import a_move_up
from tests.scenes import scene


@scene(set_target)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    supervisor = city.actor("supervisor")
    return lambda: set_target(session, supervisor, new_id(), capability="GUM", minutes=8, minimum=0.9)


@scene(end_target)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    supervisor = city.actor("supervisor")
    target = await set_target(session, supervisor, new_id(), kind="patrol", minutes=8, minimum=0.9)
    return lambda: end_target(session, supervisor, target.id)


@scene(publish_policy)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: publish_policy(session, city.actor("administrator"), {"last_s": 90})


async def _proposed(session: AsyncSession, city: City) -> MoveUp:
    """A move-up of M2 to the east, as the worker would have proposed it."""
    target = await set_target(session, city.actor("supervisor"), new_id(), capability="GUM", minutes=8, minimum=0.9)
    one = a_move_up(city, target.id)
    session.add(one)
    await tell(session, VIGIA, "move_up.proposed", one, {})
    return one


@scene(confirm_move_up)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    one = await _proposed(session, city)
    return lambda: confirm_move_up(session, actor, one.id)


@scene(refuse_move_up)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    one = await _proposed(session, city)
    return lambda: refuse_move_up(session, actor, one.id, reason="lluvia")


@scene(call_off_move_up, "that its crew was told of")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    one = await _proposed(session, city)
    await confirm_move_up(session, actor, one.id)
    return lambda: call_off_move_up(session, actor, one.id)


@scene(tend_move_ups, "when its unit was sent")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    one = await _proposed(session, city)
    await confirm_move_up(session, actor, one.id)
    await an_assignment(session, actor, await an_incident(session, actor), city.units["M2"])
    return lambda: tend_move_ups(session)
