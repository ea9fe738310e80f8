"""Who may do what with alarms, check-ins and the rules behind them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tests.api.matrix import DESK, MANAGERS, PEOPLE, STAFF, row
from tests.builders import City
from tests.scenes.alarms import an_alarm

READERS = STAFF | {"government", "administrator"}

ROWS = {
    "GET /alarms": row(PEOPLE),
    "GET /alarms/report": row(MANAGERS),
    "GET /alarms/{alarm_id}/whom": row(DESK),
    "POST /alarms/{alarm_id}/answer": row(DESK, note="lo llamo"),
    "POST /alarms/{alarm_id}/shelve": row(DESK, minutes=5, reason="túnel"),
    "POST /assignments/{assignment_id}/check-in": row(DESK | {"crew m1"}, 200, "crew m2", occurred_at=None),
    "POST /incidents/{incident_id}/check-in": row(DESK, occurred_at=None),
    "GET /watchdogs": row(READERS),
    "GET /watchdogs/history": row(READERS),
    "POST /watchdogs": row(
        MANAGERS, 201, key="de-noche", kind="unacknowledged", seconds=90, escalate_after=60, steps=["desk"]
    ),
    "POST /watchdogs/{key}": row(MANAGERS, seconds=45),
    "POST /watchdogs/{key}/remove": row(MANAGERS),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID | str]:
    """A unit that has not acknowledged, and a rule by its key."""
    return {"alarm_id": (await an_alarm(session, city)).id, "key": "battery-low"}
