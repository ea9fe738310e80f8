"""Rows of major incidents."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.major_log import write_entry
from incidents.majors import MajorRole, add_incidents, close_major, give_post, set_objective
from realtime.database import new_id, now
from tests.api.matrix import A_BLOCK, DESK, NEW, PEOPLE, STAFF, Row, row
from tests.builders import City, an_incident
from tests.scenes.majors import a_major, a_sector

WATCHING = STAFF | {"government"}
BLIND = tuple(PEOPLE - WATCHING)
AT, LATER = "2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z"

ROWS: dict[str, Row] = {
    "POST /majors": row(DESK, 201, id=NEW, name="Temporal norte", kind="storm", perimeter=A_BLOCK),
    "GET /majors": row(PEOPLE),
    "GET /majors/{major_id}": row(WATCHING, 200, *BLIND),
    "POST /majors/{major_id}/name": row(DESK, name="Temporal sur"),
    "POST /majors/{major_id}/level": row(DESK, level=2),
    "POST /majors/{major_id}/summary": row(DESK, summary="dos frentes"),
    "POST /majors/{major_id}/place": row(DESK, place="al norte"),
    "POST /majors/{major_id}/perimeter": row(DESK, perimeter=A_BLOCK),
    "POST /majors/{major_id}/close": row(DESK, outcome="pasó", with_open=True),
    "POST /majors/{major_id}/reopen": replace(row(DESK, reason="volvió"), on={"major_id": "a closed major"}),
    "GET /majors/{major_id}/incidents": row(WATCHING, 200, *BLIND),
    "GET /majors/{major_id}/proposed": row(WATCHING, 200, *BLIND),
    "POST /majors/{major_id}/incidents": row(DESK, 201, id=NEW, incident_ids=["a free incident"]),
    "POST /majors/{major_id}/incidents/{incident_id}/remove": row(DESK, on="a member", reason="no es de acá"),
    "POST /majors/{major_id}/incidents/{incident_id}/sector": row(DESK, on="a member", sector_id=None),
    "POST /majors/{major_id}/sectors": row(DESK, 201, id=NEW, name="Sur", colour="sky"),
    "POST /majors/{major_id}/sectors/{sector_id}/name": row(DESK, name="Este"),
    "POST /majors/{major_id}/sectors/{sector_id}/colour": row(DESK, colour="pink"),
    "POST /majors/{major_id}/sectors/{sector_id}/lead": row(DESK, lead="Rita Paz"),
    "POST /majors/{major_id}/sectors/{sector_id}/shape": row(DESK, shape=A_BLOCK),
    "POST /majors/{major_id}/sectors/{sector_id}/end": row(DESK),
    "GET /majors/{major_id}/posts": row(WATCHING, 200, *BLIND),
    "POST /majors/{major_id}/posts": row(DESK, 201, id=NEW, role="safety", holder="Rita Paz"),
    "POST /majors/{major_id}/posts/leave": row(DESK, role="command"),
    "POST /majors/{major_id}/objectives": row(
        DESK, 201, id=NEW, text="abrir la avenida", period_from=AT, period_until=LATER
    ),
    "POST /majors/{major_id}/objectives/{objective_id}": row(DESK, reached=True),
    "GET /majors/{major_id}/log": row(WATCHING, 200, *BLIND),
    "POST /majors/{major_id}/log": row(DESK, 201, id=NEW, text="sin energía"),
    "POST /majors/{major_id}/log/{entry_id}/strike": row(DESK, reason="era otro"),
    "GET /majors/{major_id}/resources": row(WATCHING, 200, *BLIND),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """An open major incident with everything in it, a closed one, and an incident that belongs to none."""
    trained = city.actor("trained")
    major, closed = await a_major(session, trained), await a_major(session, trained)
    await close_major(session, trained, closed.id, outcome="pasó")
    sector_id = await a_sector(session, trained, major)
    member, alone = await an_incident(session, trained), await an_incident(session, trained)
    await add_incidents(session, trained, major.id, incident_ids=[member.id])
    await give_post(session, trained, major.id, role=MajorRole.COMMAND, post_id=new_id(), holder="Rita Paz")
    objective_id, entry_id = new_id(), new_id()
    period: dict[str, Any] = {"period_from": now(), "period_until": now() + dt.timedelta(hours=6)}
    await set_objective(session, trained, major.id, objective_id=objective_id, text="abrir la avenida", **period)
    await write_entry(session, trained, major.id, entry_id=entry_id, text="sin energía")
    return {
        "major_id": major.id,
        "a closed major": closed.id,
        "sector_id": sector_id,
        "a member": member.id,
        "a free incident": alone.id,
        "objective_id": objective_id,
        "entry_id": entry_id,
    }
