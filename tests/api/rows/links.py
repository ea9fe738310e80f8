"""Rows of links, merges and splits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.bonds import LinkKind
from incidents.links import link_incidents
from incidents.triage import join_report
from realtime.database import new_id
from tests.api.matrix import DESK, NEW, SHARED, STAFF, UNAWARE, Row, row
from tests.builders import City, a_report, an_incident

WHOLE = SHARED | {"government"}
BLIND = (*UNAWARE, "wall")
NOT_THEIRS = tuple(set(BLIND) | {"police", "crew m1"})

ROWS: dict[str, Row] = {
    "GET /incidents/{incident_id}/links": row(WHOLE, 200, *BLIND),
    "GET /incidents/{incident_id}/lineage": row(WHOLE, 200, *BLIND),
    "GET /incidents/{incident_id}/near": row(WHOLE, 200, *BLIND),
    "GET /incidents/{incident_id}/reports": row(WHOLE, 200, *BLIND),
    "POST /incidents/{incident_id}/links": row(STAFF, 201, id=NEW, other_id="another incident", kind="related"),
    "POST /incidents/{incident_id}/merge": row(DESK, 201, id=NEW, into_id="another incident"),
    "POST /incidents/{incident_id}/split": row(
        DESK, 201, on="a linked incident", id=NEW, incident_id=NEW, report_ids=["a joined report"]
    ),
    "POST /links/{link_id}/undo": row(STAFF, 200, reason="no era"),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """A link between two incidents that only the desks see, and one that nobody linked."""
    trained = city.actor("trained")
    one, other, alone = [await an_incident(session, trained) for _ in range(3)]
    report = await a_report(session, trained)
    await join_report(session, trained, report.id, incident_id=one.id)
    link = await link_incidents(session, trained, one.id, link_id=new_id(), other_id=other.id, kind=LinkKind.RELATED)
    return {"link_id": link.id, "another incident": alone.id, "a linked incident": one.id, "a joined report": report.id}
