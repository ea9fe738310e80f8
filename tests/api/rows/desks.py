"""Rows of the radio log and of handing over."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.handover import hand_over
from realtime.access import VIGIA, Role
from realtime.database import new_id
from resources.people import add_person
from tests.api.matrix import DESK, NEW, STAFF, Row, row
from tests.builders import City
from tests.scenes.desks import a_line

ROWS: dict[str, Row] = {
    "POST /radio-log": row(STAFF, 201, id=NEW, text="en camino"),
    "GET /radio-log": row(STAFF, query="?q=lugar&limit=5"),
    "GET /incidents/{incident_id}/handlers": row(DESK),
    "POST /incidents/{incident_id}/handler": row(DESK, person_id=str(City.people["supervisor"][0])),
    "POST /handovers": row(STAFF, 201, id=NEW, to_id="a colleague", pass_on=True),
    "GET /handovers": row(STAFF, query="?limit=5"),
    "GET /handovers/people": row(STAFF),
    "POST /handovers/{handover_id}/receive": row(frozenset({"supervisor"}), 200, "call_taker", "dispatcher", "trained"),
    "POST /presence": row(STAFF, seat=NEW, editing="summary"),
    "POST /radio-log/{line_id}/strike": row(STAFF - {"call_taker"}, reason="era otro móvil"),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """Something was said, a shift was handed over, and there is one more at the desks."""
    trained = city.actor("trained")
    page = await hand_over(session, trained, new_id(), to=city.people["supervisor"][0])
    colleague = await add_person(
        session,
        VIGIA,
        new_id(),
        username="colleague",
        password=City.password,
        name="colleague",
        role=Role.DISPATCHER,
        organization_id=city.organizations["municipality"],
    )
    return {"line_id": (await a_line(session, trained, city)).id, "handover_id": page.id, "a colleague": colleague.id}
