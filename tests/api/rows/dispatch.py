"""Rows for dispatch and undo."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import hold_incident
from incidents.sos import raise_sos
from incidents.undo import Undo, offered
from tests.api.matrix import DESK, HERE_AND_NOW, NEW, OTHERS_UNIT, OWN_UNIT, PEOPLE, Row, row
from tests.builders import City, an_incident

ACTED = frozenset({"trained", "supervisor"})  # who did it on the stage, and who may take back what others did

ROWS: dict[str, Row] = {
    "POST /undo/{undo_id}": row(ACTED, 200, *(PEOPLE - ACTED)),
    "GET /units/{unit_id}/assignments": row(OWN_UNIT, 200, *OTHERS_UNIT),
    "POST /assignments/{assignment_id}/reassign": row(
        *(DESK, 201), id=NEW, incident_id="waiting", reason="es más grave"
    ),
    "POST /assignments/{assignment_id}/swap": row(DESK, 201, id=NEW, unit_id="a free unit", reason="más cerca"),
    "POST /assignments/{assignment_id}/stage": row(DESK, 409, name="Plaza", location=HERE_AND_NOW),
    "POST /assignments/{assignment_id}/advance": row(DESK),
    "POST /assignments/{assignment_id}/stand-down": row(DESK, reason="no hace falta"),
    "POST /incidents/{incident_id}/stand-down": row(DESK, reason="no hace falta"),
    "POST /units/{unit_id}/sos": row(DESK | {"crew m1"}, 201, "crew m2"),
    "POST /sos/{sos_id}/answer": row(DESK),
    "POST /sos/{sos_id}/false-alarm": row(DESK, reason="se apretó solo"),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """An incident that was made to wait a moment ago: a moment that lasts as long as the tests."""
    trained = city.actor("trained")
    held = await an_incident(session, trained)
    await hold_incident(session, trained, held.id, reason="sin móviles")
    offer = offered(session)
    assert offer is not None
    await session.execute(update(Undo).values(until=Undo.until + dt.timedelta(hours=1)))
    sos = await raise_sos(session, city.actor("crew m2"), city.units["M2"])
    return {"undo_id": UUID(offer["id"]), "sos_id": sos.id}
