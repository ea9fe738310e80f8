"""What may be done with the past: to look at it, which is recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.past import look_at_past, look_at_past_positions
from realtime.access import Actor
from realtime.database import now
from realtime.past import past_begins
from tests.builders import City
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


@scene(look_at_past)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    since = await past_begins(session)
    return lambda: look_at_past(session, actor, since=since, until=now())


@scene(look_at_past_positions)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    since = await past_begins(session)
    return lambda: look_at_past_positions(session, actor, since=since, until=since + dt.timedelta(minutes=1))
