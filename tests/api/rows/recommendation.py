"""Rows of whom to send, coverage targets and move-ups."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.coverage_targets import set_target
from realtime.database import new_id
from tests.api.matrix import DESK, MANAGERS, NEW, STAFF, Row, row
from tests.builders import City
from tests.recommendation.fleets import a_move_up

READERS = STAFF | {"government", "administrator"}

ROWS: dict[str, Row] = {
    "GET /incidents/{incident_id}/recommendation": row(DESK),
    "GET /recommendation": row(DESK, query="?type_code=SIN-01&lon=-60.66&lat=-32.95"),
    "GET /recommendation/lost": row(DESK, query="?unit_id=01900000-0000-7000-8000-000000000022"),
    "GET /recommendations": row(DESK),
    "GET /dispatch-policy": row(DESK | {"administrator"}),
    "POST /dispatch-policy": row(MANAGERS, values={"last_s": 90}),
    "GET /coverage/targets": row(READERS),
    "POST /coverage/targets": row(MANAGERS, 201, id=NEW, capability="GUM", minutes=8, minimum=0.9),
    "POST /coverage/targets/{target_id}/end": row(MANAGERS),
    "GET /coverage/now": row(READERS),
    "POST /move-ups/{move_up_id}/confirm": row(DESK),
    "POST /move-ups/{move_up_id}/refuse": row(DESK, reason="lluvia"),
    "POST /move-ups/{move_up_id}/call-off": row(DESK, reason="lluvia"),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """A target, and a proposal to meet it."""
    target = await set_target(session, city.actor("supervisor"), new_id(), kind="traffic", minutes=8, minimum=0.9)
    one = a_move_up(city, target.id)
    session.add(one)
    await session.flush()
    return {"target_id": target.id, "move_up_id": one.id}
