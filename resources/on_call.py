"""On call: the authorities who can be woken, in the order in which they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class OnCall:
    """One authority who is on call at a moment; `rank` 1 is woken first."""

    staff_id: UUID
    name: str
    title: str
    phone: str
    rank: int


async def on_call_order(session: AsyncSession, at: dt.datetime) -> Sequence[OnCall]:
    """Who is on call at a moment, first to be woken first."""
    _ = session, at
    return []
