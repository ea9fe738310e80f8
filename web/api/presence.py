"""Who is at which incident: a window says where it is every few seconds and learns who else is there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter

from incidents.presence import be_present
from web.bodies import Body, NewId
from web.context import CurrentActor, Session

router = APIRouter(prefix="/presence", tags=["incidents"])


class PresenceBody(Body):
    """Which window, at which incident (none: at no one's), and which field is being changed there."""

    seat: NewId
    incident_id: UUID | None = None
    editing: Literal["", "summary", "type", "place"] = ""


@router.post("")
async def post_presence(body: PresenceBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Be there; `here` is who else is."""
    others = await be_present(session, actor, body.seat, incident_id=body.incident_id, editing=body.editing)
    return {"here": [asdict(one) for one in others]}
