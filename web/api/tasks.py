"""Alarm levels and tasks over HTTP: how far an incident has grown, what is to be done on it, and who did it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from incidents.alarm_levels import lower_alarm_level, raise_alarm_level
from incidents.incident import feature
from incidents.run_cards import MOST_LEVELS
from web.bodies import Body, Name, Short, When
from web.context import CurrentActor, Expected, Session

router = APIRouter(prefix="/incidents/{incident_id}", tags=["tasks"])

Level = Annotated[int, Field(strict=True, ge=1, le=MOST_LEVELS)]


class RaiseBody(Body):
    """Up to which level."""

    level: Level
    reason: Short = ""
    occurred_at: When | None = None


class LowerBody(Body):
    """Down to which level, and why."""

    level: Level
    reason: Name


@router.post("/alarm/raise")
async def post_raise(
    incident_id: UUID, body: RaiseBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """A higher alarm level: what its card lists for it is added."""
    raised = await raise_alarm_level(
        session,
        actor,
        incident_id,
        level=body.level,
        reason=body.reason,
        occurred_at=body.occurred_at,
        expected=expected,
    )
    return await feature(session, actor, raised)


@router.post("/alarm/lower")
async def post_lower(
    incident_id: UUID, body: LowerBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """A lower alarm level: it was raised too far."""
    lowered = await lower_alarm_level(
        session, actor, incident_id, level=body.level, reason=body.reason, expected=expected
    )
    return await feature(session, actor, lowered)
