"""SOS over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from incidents.sos import answer_sos, false_alarm, raise_sos, shown
from incidents.undo import offered
from web.bodies import Body, Location, Name, Short
from web.context import CurrentActor, Session

router = APIRouter(tags=["sos"])


class SosBody(Body):
    """What the device knows, and what there was time to say."""

    location: Location | None = None
    message: Short = ""


class FalseAlarmBody(Body):
    """Why nobody is in danger."""

    reason: Name


@router.post("/units/{unit_id}/sos", status_code=201)
async def post_sos(unit_id: UUID, session: Session, actor: CurrentActor, body: SosBody | None = None) -> dict[str, Any]:
    """A crew in danger. While one is live it is the answer, so it may be sent as often as the signal is bad."""
    said = body or SosBody()
    return shown(actor, await raise_sos(session, actor, unit_id, place=said.location, message=said.message))


@router.post("/sos/{sos_id}/answer")
async def post_answer(sos_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Take it."""
    return shown(actor, await answer_sos(session, actor, sos_id))


@router.post("/sos/{sos_id}/false-alarm")
async def post_false_alarm(sos_id: UUID, body: FalseAlarmBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Nobody is in danger; its incident is closed."""
    return shown(actor, await false_alarm(session, actor, sos_id, reason=body.reason)) | {"undo": offered(session)}
