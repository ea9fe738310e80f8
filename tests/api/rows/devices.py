"""Who may do what with devices."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tests.api.matrix import MANAGERS, NEW, OTHERS_UNIT, OWN_UNIT, row
from tests.builders import City
from tests.scenes.devices import a_device

ROWS = {
    "GET /devices": row(MANAGERS),
    "POST /devices": row(MANAGERS, 201, id=NEW, name="Teléfono", kind="osmand", unit_id="a free unit"),
    "GET /devices/{device_id}/quality": row(MANAGERS),
    "POST /devices/{device_id}/name": row(MANAGERS, name="Otro"),
    "POST /devices/{device_id}/note": row(MANAGERS, note="pantalla rota"),
    "POST /devices/{device_id}/unit": row(MANAGERS, unit_id="a free unit"),
    "POST /devices/{device_id}/token": row(MANAGERS),
    "POST /devices/{device_id}/revoke": row(MANAGERS),
    "POST /units/{unit_id}/track": row(
        *(OWN_UNIT, 200, *OTHERS_UNIT), since="2026-01-01T00:00:00Z", until="2026-01-02T00:00:00Z"
    ),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """A telephone that goes with a unit."""
    return {"device_id": (await a_device(session, city)).id}
