"""What may be done with devices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import Actor
from realtime.database import new_id, now
from resources.devices import (
    Device,
    DeviceKind,
    add_device,
    amend_device,
    make_token,
    pair_device,
    revoke_device,
)
from resources.tracks import look_at_track
from tests.builders import City
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


async def a_device(session: AsyncSession, city: City, *, unit: str | None = "M1") -> Device:
    """A telephone that goes with a unit."""
    unit_id = city.units[unit] if unit else None
    kind = DeviceKind.OSMAND
    return await add_device(session, city.actor("supervisor"), new_id(), name="Teléfono 7", kind=kind, unit_id=unit_id)


@scene(add_device)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: add_device(
        session,
        city.actor("supervisor"),
        new_id(),
        name="Teléfono 8",
        kind=DeviceKind.OWNTRACKS,
        unit_id=city.units["M1"],
    )


@scene(amend_device)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    device = await a_device(session, city)
    return lambda: amend_device(session, city.actor("supervisor"), device.id, name="Otro")


@scene(pair_device)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    device = await a_device(session, city)
    return lambda: pair_device(session, city.actor("supervisor"), device.id, unit_id=city.units["M2"])


@scene(make_token)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    device = await a_device(session, city)
    return lambda: make_token(session, city.actor("supervisor"), device.id)


@scene(revoke_device)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    device = await a_device(session, city)
    return lambda: revoke_device(session, city.actor("supervisor"), device.id)


@scene(look_at_track)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    at = now()
    return lambda: look_at_track(session, actor, city.units["M1"], since=at - dt.timedelta(hours=2), until=at)
