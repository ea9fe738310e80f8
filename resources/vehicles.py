"""Vehicles: what units drive, with their papers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resources.gaps import Gap


async def vehicle_gaps(
    session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime
) -> Mapping[UUID, Sequence[Gap]]:
    """What each unit's vehicle lacks at a moment."""
    _ = session, unit_ids, at
    return {}
