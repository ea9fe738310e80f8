"""Who may do what in a storm."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import VIGIA
from realtime.database import new_id
from resources.units import UnitKind, add_unit
from tests.api.matrix import BOSSES, DESK, MANAGERS, NEW, PEOPLE, STAFF, row
from tests.builders import City, a_report
from tests.scenes.storm import a_circuit, small_ones

ROWS = {
    "GET /storm": row(STAFF),
    "POST /storm": row(BOSSES, 201, id=NEW, reason="temporal"),
    "POST /storm/end": row(BOSSES, 409, reason="pasó"),
    "POST /storm/policy": row(MANAGERS, policy={"reports_line": 60}),
    "GET /storm/clusters": row(STAFF),
    "POST /storm/clusters/accept": row(
        *(STAFF, 201), id=NEW, incident_id=NEW, type_code="MET-01", report_ids=["a waiting report"]
    ),
    "GET /storm/plan": row(DESK),
    "GET /circuits": row(PEOPLE),
    "POST /circuits": row(DESK, 201, id=NEW, unit_id="a free unit", incident_ids=["a small incident"]),
    "POST /circuits/{circuit_id}/skip": row(DESK, incident_id="a pending stop", reason="lo hizo un vecino"),
    "POST /circuits/{circuit_id}/call-off": row(DESK, reason="fin del turno"),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """A unit goes round; something small waits, and a report."""
    unit = await add_unit(
        session,
        VIGIA,
        new_id(),
        call_sign="R1",
        kind=UnitKind.WORKS,
        organization_id=city.organizations["municipality"],
    )
    circuit, stops = await a_circuit(session, city, unit.id)
    [small] = await small_ones(session, city, 1)
    report = await a_report(session, city.actor("trained"))
    return {
        "circuit_id": circuit.id,
        "a pending stop": stops[1].id,
        "a small incident": small.id,
        "a waiting report": report.id,
    }
