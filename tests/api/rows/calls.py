"""Rows of calls, callers and premise warnings."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.callers import flag_caller
from incidents.premises import PremiseKind, write_warning
from realtime.database import new_id
from tests.api.matrix import HERE_AND_NOW, NEW, STAFF, UNAWARE, Row, row
from tests.builders import City

WHOLE = STAFF | {"crew m1", "police", "government"}

ROWS: dict[str, Row] = {
    "POST /calls": row(
        *(STAFF, 201), id=NEW, outcome="opened", incident_id=NEW, type_code="INC-01", location=HERE_AND_NOW
    ),
    "GET /calls/counts": row(STAFF),
    "GET /answers/counts": row(STAFF),
    "POST /callers/look": row(STAFF, phone="341 555 0000"),
    "POST /callers/flags": row(STAFF, 201, id=NEW, phone="341 555 9999", why="lo pidió"),
    "POST /callers/flags/{flag_id}/lift": row(STAFF, why="ya no"),
    "POST /duplicates/score": row(STAFF, location=HERE_AND_NOW, phone="341 555 0000"),
    "GET /duplicates/unlinked": row(STAFF),
    "GET /premises": row(STAFF, query="?lon=-60.66&lat=-32.95"),
    "GET /incidents/{incident_id}/premises": row(WHOLE, 200, *UNAWARE, "wall"),
    "POST /premises": row(STAFF, 201, id=NEW, kind="dog", words="perro suelto", location=HERE_AND_NOW),
    "POST /premises/{warning_id}/lift": row(STAFF, why="se mudaron"),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """A number that is not to be called back, and a dog."""
    trained = city.actor("trained")
    flag = await flag_caller(session, trained, new_id(), phone="341 555 1111", why="lo pidió")
    warning = await write_warning(
        session, trained, new_id(), kind=PremiseKind.DOG, words="perro suelto", location=city.west
    )
    return {"flag_id": flag.id, "warning_id": warning.id}
