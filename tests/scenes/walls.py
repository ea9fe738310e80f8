"""What may be done with walls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import Actor, Role
from realtime.database import new_id, now
from resources.walls import (
    SILENT,
    Wall,
    WallView,
    amend_wall,
    brighten_wall,
    calibrate_wall,
    centre_wall,
    hear_wall,
    make_wall,
    reload_wall,
    renew_wall,
    revoke_wall,
    show_on_wall,
    watch_walls,
)
from tests.builders import WEST, City
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


async def a_wall(session: AsyncSession, city: City) -> Wall:
    """A wall with a link."""
    boss = city.actor("supervisor")
    wall = await make_wall(session, boss, new_id(), name="Pared norte")
    return (await renew_wall(session, boss, wall.id))[1]


def eyes_of(wall: Wall) -> Actor:
    """The wall itself."""
    return Actor(name=wall.name, role=Role.WALL, id=wall.id)


@scene(make_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: make_wall(session, city.actor("supervisor"), new_id(), name="Pared sur")


@scene(renew_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await a_wall(session, city)
    return lambda: renew_wall(session, city.actor("supervisor"), wall.id)


@scene(revoke_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await a_wall(session, city)
    return lambda: revoke_wall(session, city.actor("supervisor"), wall.id)


@scene(amend_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await a_wall(session, city)
    return lambda: amend_wall(session, city.actor("supervisor"), wall.id, name="Pared este", views=[WallView.BOARD])


@scene(show_on_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await a_wall(session, city)
    return lambda: show_on_wall(session, city.actor("trained"), wall.id, view=WallView.BOARD)


@scene(centre_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await a_wall(session, city)
    return lambda: centre_wall(session, city.actor("trained"), wall.id, centre=WEST, zoom=15)


@scene(brighten_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await a_wall(session, city)
    return lambda: brighten_wall(session, city.actor("trained"), wall.id, brightness=0.6)


@scene(reload_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await a_wall(session, city)
    return lambda: reload_wall(session, city.actor("trained"), wall.id)


@scene(calibrate_wall)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await a_wall(session, city)
    return lambda: calibrate_wall(session, city.actor("trained"), wall.id, ruler=True, inches=65, metres=8)


async def _silent(session: AsyncSession, city: City) -> Wall:
    wall = await a_wall(session, city)
    await session.execute(update(Wall).where(Wall.id == wall.id).values(heard_at=now() - 2 * SILENT))
    await session.refresh(wall)
    return wall


@scene(watch_walls)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await _silent(session, city)
    return lambda: watch_walls(session)


@scene(hear_wall, "again")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    wall = await _silent(session, city)
    await watch_walls(session)
    return lambda: hear_wall(session, wall.id, {"view": "board"})
