"""Assignments over HTTP: how far a unit is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from incidents.assignments import AssignmentStatus, assignment_document
from incidents.dispatch import report_status
from incidents.undo import offered
from web.bodies import Body, Short, When
from web.context import CurrentActor, Session

router = APIRouter(prefix="/assignments", tags=["assignments"])


class StatusBody(Body):
    """How far it is, and since when."""

    status: AssignmentStatus
    occurred_at: When | None = None
    reason: Short = ""


@router.post("/{assignment_id}/status")
async def post_status(assignment_id: UUID, body: StatusBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Report a status: by the crew, or by who heard it on the radio. Saying it twice changes nothing."""
    reported = await report_status(
        session, actor, assignment_id, status=body.status, occurred_at=body.occurred_at, reason=body.reason
    )
    return assignment_document(reported) | {"undo": offered(session)}
