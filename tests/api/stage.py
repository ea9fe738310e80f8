"""The matrix of routes and people, and the stage on which each request is made and taken back.

Whatever a request does is done in a savepoint that is rolled back, so that the order of requests does not matter
and each finds the same things: an incident with a unit on scene, a waiting report, and so on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from coordination.sharing import share_incident
from incidents.assignments import AssignmentStatus
from incidents.closing import close_incident
from incidents.dispatch import report_status
from incidents.timeline import add_note
from realtime.database import connect, new_id
from tests.api.desks import app_on, badge, copy_of
from tests.api.matrix import (
    A_BLOCK,
    DESK,
    EVERYBODY,
    HERE_AND_NOW,
    MANAGERS,
    NEW,
    NOT_WATCHERS,
    OTHERS_UNIT,
    OWN_UNIT,
    PEOPLE,
    REPORTERS,
    SHARED,
    STAFF,
    UNAWARE,
    WATCHERS,
    Row,
    row,
)
from tests.api.rows import ROWS, STAGES
from tests.builders import PASSWORD, City, a_closure, a_fence, a_report, an_assignment, an_incident
from web import context
from web.city.pack import PACK, write_pack
from web.demo.control import start_simulation

MATRIX: dict[str, Row] = {
    "POST /session": row(EVERYBODY, username="dispatcher", password=PASSWORD),
    "GET /session": row(PEOPLE),
    "DELETE /session": row(PEOPLE, 204),
    "GET /catalogue": row(EVERYBODY),
    "POST /reports": row(REPORTERS, 201, id=NEW, words="humo"),
    "GET /reports/{report_id}": row(STAFF | {"police"}, 200, *(PEOPLE - STAFF - {"police"})),
    "POST /reports/{report_id}/contact": row(STAFF),
    "GET /reports/{report_id}/similar": row(STAFF),
    "POST /reports/{report_id}/accept": row(STAFF, 201, incident_id=NEW, type_code="SIN-01"),
    "POST /reports/{report_id}/join": row(STAFF, incident_id="the incident"),
    "POST /reports/{report_id}/dismiss": row(STAFF, reason="hoax"),
    "POST /incidents": row(STAFF, 201, id=NEW, type_code="SIN-01", location=HERE_AND_NOW),
    "GET /incidents": row(PEOPLE),
    "GET /incidents/mine": row(PEOPLE),
    "GET /incidents/{incident_id}": row(SHARED | {"government", "wall"}, 200, *UNAWARE),
    "GET /incidents/{incident_id}/timeline": row(SHARED | {"government"}, 200, *UNAWARE, "wall"),
    "POST /incidents/{incident_id}/notes": row(SHARED, 201, "crew m2", "ambulances", id=NEW, text="llegó el fiscal"),
    "POST /incidents/{incident_id}/notes/{note_id}/strike": row(DESK, reason="era otro"),
    "POST /incidents/{incident_id}/reclassify": row(STAFF, type_code="INC-01"),
    "POST /incidents/{incident_id}/relocate": row(STAFF, location=HERE_AND_NOW),
    "POST /incidents/{incident_id}/summary": row(STAFF, summary="tres autos"),
    "POST /incidents/{incident_id}/hold": row(STAFF, on="waiting", reason="sin móviles"),
    "POST /incidents/{incident_id}/under-control": row(STAFF),
    "POST /incidents/{incident_id}/finish": row(STAFF),
    "POST /incidents/{incident_id}/close": row(DESK, disposition="resolved"),
    "POST /incidents/{incident_id}/cancel": row(DESK, reason="error"),
    "POST /incidents/{incident_id}/refer": row(DESK, reason="es de la provincia"),
    "POST /incidents/{incident_id}/reopen": row(DESK, on="closed", reason="volvió"),
    "POST /incidents/{incident_id}/share": row(DESK, organization_id="an agency"),
    "POST /incidents/{incident_id}/unshare": row(DESK, organization_id="an agency"),
    "POST /incidents/{incident_id}/assignments": row(
        *(DESK, 201), id=NEW, units=[{"id": NEW, "unit_id": "a free unit"}]
    ),
    "POST /assignments/{assignment_id}/status": row(DESK | {"crew m1"}, 200, "crew m2", status="transporting"),
    "GET /units": row(PEOPLE),
    "GET /units/{unit_id}": row(OWN_UNIT, 200, *OTHERS_UNIT),
    "GET /units/{unit_id}/track": row(OWN_UNIT, 200, *OTHERS_UNIT),
    "POST /units": row(MANAGERS, 201, id=NEW, call_sign="Z9", kind="patrol", organization_id="an agency"),
    "POST /units/{unit_id}/duty": row(DESK | {"crew m1"}, duty="break"),
    "POST /positions": row(DESK | {"crew m1", "crew m2"}, positions=[]),
    "GET /organizations": row(PEOPLE),
    "POST /organizations": row(MANAGERS, 201, id=NEW, name="Club", kind="neighbourhood"),
    "GET /people": row(MANAGERS),
    "POST /people": row(
        *(MANAGERS, 201),
        id=NEW,
        username="nuevo",
        password=PASSWORD,
        name="N",
        role="wall",
        organization_id="an agency",
    ),
    "POST /people/{person_id}/disable": row(MANAGERS),
    "POST /people/{person_id}/password": row(MANAGERS, 204, password="otra clave de prueba"),
    "GET /zones": row(EVERYBODY),
    "GET /zones/{zone_id}": row(EVERYBODY),
    "GET /places/whose": row(EVERYBODY, query="?lon=-60.66&lat=-32.95"),
    "POST /zones": row(MANAGERS, 201, id=NEW, kind="barrio", name="Centro", shape=A_BLOCK),
    "POST /zones/import": row(
        MANAGERS,
        id=NEW,
        type="FeatureCollection",
        features=[{"type": "Feature", "geometry": A_BLOCK, "properties": {"name": "Centro", "kind": "barrio"}}],
    ),
    "POST /zones/{zone_id}/name": row(MANAGERS, name="Poniente"),
    "POST /zones/{zone_id}/shape": row(MANAGERS, shape=A_BLOCK),
    "POST /zones/{zone_id}/desk": row(MANAGERS, desk="COM"),
    "POST /zones/{zone_id}/population": row(MANAGERS, population=1200),
    "POST /zones/{zone_id}/validity": row(MANAGERS, valid_from=None, valid_until="2031-01-01T00:00:00Z"),
    "POST /zones/{zone_id}/end": row(MANAGERS),
    "GET /places/describe": row(EVERYBODY, query="?lon=-60.66&lat=-32.95"),
    "GET /places/search": row(EVERYBODY, query="?q=Mitre 1234"),
    "GET /tiles/{z}/{x}/{y}.mvt": row(EVERYBODY),
    "GET /travel/etas": row(PEOPLE, query="?lon=-60.66&lat=-32.95"),
    "GET /travel/isochrones": row(PEOPLE, 404, query="?lon=-60.66&lat=-32.95"),
    "GET /travel/coverage": row(PEOPLE, 404, query="?minutes=5"),
    "GET /travel/speeds": row(PEOPLE),
    "POST /travel/speeds": row(MANAGERS, in_use=True),
    "GET /travel/route": row(PEOPLE, 404, query="?from_lon=-60.66&from_lat=-32.95&to_lon=-60.65&to_lat=-32.95"),
    "POST /fences": row(DESK, 201, id=NEW, name="Terminal", shape=A_BLOCK),
    "GET /fences": row(PEOPLE),
    "GET /fences/{fence_id}": row(STAFF, 200, *(PEOPLE - STAFF)),
    "GET /fences/{fence_id}/visits": row(STAFF, 200, *(PEOPLE - STAFF)),
    "POST /fences/{fence_id}/name": row(DESK, name="Puerto"),
    "POST /fences/{fence_id}/place": row(DESK, shape=A_BLOCK),
    "POST /fences/{fence_id}/watch": row(DESK, dwell_seconds=60),
    "POST /fences/{fence_id}/validity": row(DESK, valid_until="2031-01-01T00:00:00Z"),
    "POST /fences/{fence_id}/end": row(DESK),
    "POST /closures": row(DESK, 201, id=NEW, kind="works", reason="caño roto", shape=HERE_AND_NOW),
    "GET /closures": row(PEOPLE),
    "GET /closures/{closure_id}": row(PEOPLE),
    "POST /closures/{closure_id}/lift": row(DESK),
    "POST /closures/{closure_id}/kind": row(DESK, kind="flooded"),
    "POST /closures/{closure_id}/reason": row(DESK, reason="sigue cortado"),
    "POST /closures/{closure_id}/validity": row(DESK, valid_until="2031-01-01T00:00:00Z"),
    "POST /closures/{closure_id}/passable-by": row(DESK, passable_by=["fire"]),
    "POST /closures/{closure_id}/shape": row(DESK, shape=HERE_AND_NOW),
    "GET /tiles.json": row(EVERYBODY),
    "GET /city.pmtiles": row(EVERYBODY),
    "GET /snapshot": row(PEOPLE),
    "GET /events": row(PEOPLE, 410, query="?epoch=another&after=0"),
    "GET /simulation": row(WATCHERS, 200, *NOT_WATCHERS),
    "POST /simulation": row(DESK, running=False),
    "GET /openapi.json": row(EVERYBODY),
} | ROWS


@dataclass
class Stage:
    """What the requests are about."""

    app: FastAPI
    tokens: dict[str, str]
    ids: dict[str, str]

    def fill(self, template: str, on: dict[str, str]) -> str:
        """A path with the ids of the stage in it."""
        return re.sub(r"\{(\w+)\}", lambda name: self.ids[on.get(name[1], name[1])], template)

    def dress(self, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """A body with ids in it."""
        if body is None:
            return None
        return {name: self._word(word) for name, word in body.items()}

    def sent(self, row: Row) -> dict[str, Any]:
        """The body of a row as a client takes it."""
        if row.content is None:
            return {"json": self.dress(row.body)}
        return {"content": row.content[1], "headers": {"Content-Type": row.content[0]}}

    def _word(self, word: Any) -> Any:
        if isinstance(word, dict):
            return self.dress(word)
        if isinstance(word, list):
            return [self._word(one) for one in word]
        if word == NEW:
            return str(new_id())
        return self.ids.get(word, word) if isinstance(word, str) else word


async def _set(session: AsyncSession, app: FastAPI, data: Path) -> Stage:
    city = City()
    trained = city.actor("trained")
    incident = await an_incident(session, trained)
    sent = await an_assignment(session, trained, incident, city.units["M1"])
    await report_status(session, trained, sent.id, status=AssignmentStatus.ON_SCENE)
    await share_incident(session, trained, incident.id, organization_id=city.organizations["police"])
    note = await add_note(session, trained, incident.id, note_id=new_id(), text="nota")
    waiting, closed = await an_incident(session, trained), await an_incident(session, trained)
    await close_incident(session, trained, closed.id, disposition="resolved")
    report = await a_report(session, city.actor("police"))
    closure = await a_closure(session, trained)
    await start_simulation(session, trained)
    fence = await a_fence(session, city.actor("supervisor"))
    ids: dict[str, UUID | str] = {
        "incident_id": incident.id,
        "the incident": incident.id,
        "waiting": waiting.id,
        "closed": closed.id,
        "note_id": note.id,
        "report_id": report.id,
        "assignment_id": sent.id,
        "unit_id": city.units["M1"],
        "a free unit": city.units["M2"],
        "an agency": city.organizations["ambulances"],
        "closure_id": closure.id,
        "zone_id": city.zones["Oeste"],
        "fence_id": fence.id,
        "person_id": city.people["government"][0],
    }
    for stage in STAGES:
        ids |= await stage(session, city)
    tokens = {name: await badge(session, person[0]) for name, person in city.people.items()}
    await session.flush()
    await write_pack(session, data / PACK, max_zoom=1)
    tile = {"z": "12", "x": "1357", "y": "2443"}
    return Stage(app, tokens, {name: str(id_) for name, id_ in ids.items()} | tile)


@asynccontextmanager
async def staged(maintenance_url: str, template: str, redis_url: str, data: Path) -> AsyncIterator[Stage]:
    """One transaction that never ends well, with the stage in it."""
    with copy_of(maintenance_url, template) as url, pytest.MonkeyPatch.context() as patch:
        engine = connect(url, pool=1, limits="-c statement_timeout=10000")
        async with app_on(url, redis_url, data) as app, engine.connect() as connection:
            await connection.begin()
            patch.setattr(context, "reading", lambda _: _taken_back(connection))
            patch.setattr(context, "transaction", lambda _: _taken_back(connection))
            async with AsyncSession(
                connection, expire_on_commit=False, join_transaction_mode="conditional_savepoint"
            ) as session:
                yield await _set(session, app, data)
            await connection.rollback()
        await engine.dispose()


@asynccontextmanager
async def _taken_back(connection: AsyncConnection) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
        await session.begin()
        try:
            yield session
        finally:
            await session.rollback()
