"""Crews: who is on a unit now, and what that crew lacks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resources.gaps import Gap


async def crew_gaps(session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime) -> Mapping[UUID, Sequence[Gap]]:
    """What each unit's crew lacks at a moment."""
    _ = session, unit_ids, at
    return {}
