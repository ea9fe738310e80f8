"""Rows for dispatch and undo."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import hold_incident
from incidents.undo import Undo, offered
from tests.api.matrix import PEOPLE, Row, row
from tests.builders import City, an_incident

ACTED = frozenset({"trained", "supervisor"})  # who did it on the stage, and who may take back what others did

ROWS: dict[str, Row] = {
    "POST /undo/{undo_id}": row(ACTED, 200, *(PEOPLE - ACTED)),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """An incident that was made to wait a moment ago: a moment that lasts as long as the tests."""
    trained = city.actor("trained")
    held = await an_incident(session, trained)
    await hold_incident(session, trained, held.id, reason="sin móviles")
    offer = offered(session)
    assert offer is not None
    await session.execute(update(Undo).values(until=Undo.until + dt.timedelta(hours=1)))
    return {"undo_id": UUID(offer["id"])}
