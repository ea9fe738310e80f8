"""The radio log over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from incidents.radio_lines import shown
from incidents.radio_log import log_radio, radio_log, strike_radio
from incidents.undo import offered
from web.bodies import Body, Name, NewId, Short, When, Words
from web.context import CurrentActor, OnceOnly, Session

router = APIRouter(tags=["radio log"])


class LogBody(Body):
    """What was said. `incident_id: null` ties it to nothing, whatever the unit is working on."""

    id: NewId
    text: Words
    unit_id: UUID | None = None
    incident_id: UUID | None = None
    occurred_at: When | None = None


class StrikeBody(Body):
    """Why it was wrong."""

    reason: Name


@router.post("/radio-log", status_code=201)
async def post_radio(body: LogBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Write a line down."""

    async def do() -> dict[str, Any]:
        line = await log_radio(
            session,
            actor,
            body.id,
            text=body.text,
            unit_id=body.unit_id,
            incident_id=body.incident_id,
            tie="incident_id" not in body.model_fields_set,
            occurred_at=body.occurred_at,
        )
        return {**shown(line), "undo": offered(session)}

    return await once(body.id, do)


@router.get("/radio-log")
async def get_radio(
    session: Session,
    actor: CurrentActor,
    *,
    unit_id: UUID | None = None,
    incident_id: UUID | None = None,
    q: Short = "",
    since: When | None = None,
    until: When | None = None,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """The book, the last line first; `next` is the `before` of the page after this one."""
    found = await radio_log(
        session,
        actor,
        limit=limit,
        unit_id=unit_id,
        incident_id=incident_id,
        words=q,
        since=since,
        until=until,
        before=before,
    )
    following = str(found[-1].id) if len(found) == limit else None
    return {"lines": [shown(line) for line in found], "next": following}


@router.post("/radio-log/{line_id}/strike")
async def post_radio_strike(line_id: UUID, body: StrikeBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Cross a line out."""
    return shown(await strike_radio(session, actor, line_id, reason=body.reason))
