"""Readiness: what a unit lacks to be sent. The gate of the recommendation and of dispatch, and both say its reasons.

A gap that blocks is passed only by somebody who may (`gate.override`), with a reason that is recorded. A city that has
not told who crews a unit has no gaps there: nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resources.crews import crew_gaps
from resources.gaps import Gap
from resources.vehicles import vehicle_gaps


async def readiness_of(
    session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime
) -> dict[UUID, tuple[Gap, ...]]:
    """What each unit lacked at a moment: its crew's gaps, then its vehicle's. Units without gaps are not in it."""
    found: dict[UUID, list[Gap]] = {}
    for gaps in (await crew_gaps(session, unit_ids, at), await vehicle_gaps(session, unit_ids, at)):
        for unit_id, some in gaps.items():
            found.setdefault(unit_id, []).extend(some)
    return {unit_id: tuple(gaps) for unit_id, gaps in found.items() if gaps}
