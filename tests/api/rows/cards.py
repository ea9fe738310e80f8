"""Run cards, alarm levels and tasks."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarm_levels import raise_alarm_level
from tests.api.matrix import STAFF, Row, row
from tests.builders import City, an_incident

ROWS: dict[str, Row] = {
    "POST /incidents/{incident_id}/alarm/raise": row(STAFF, level=2),
    "POST /incidents/{incident_id}/alarm/lower": row(STAFF, on="grown", level=1, reason="fue un error"),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """An incident at its second alarm."""
    trained = city.actor("trained")
    grown = await an_incident(session, trained)
    await raise_alarm_level(session, trained, grown.id, level=2)
    return {"grown": grown.id}
