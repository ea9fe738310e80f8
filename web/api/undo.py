"""Taking things back, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from incidents.undo import undo
from web.context import CurrentActor, Session

router = APIRouter(tags=["undo"])


@router.post("/undo/{undo_id}")
async def post_undo(undo_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Take back what was done, within its ten seconds. Asking twice changes nothing."""
    undone = await undo(session, actor, undo_id)
    return {
        "id": str(undone.id),
        "act": undone.act,
        "undone_at": undone.used_at.isoformat() if undone.used_at else None,
    }
