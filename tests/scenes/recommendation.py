"""Scenes of coverage targets, the dispatch policy and move-ups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.coverage_targets import end_target, set_target
from incidents.dispatch_policy import publish_policy
from realtime.access import Actor
from realtime.database import new_id
from tests.builders import City
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
