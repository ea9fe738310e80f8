"""Alarm levels and tasks over HTTP: how far an incident has grown, what is to be done on it, and who did it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from incidents.alarm_levels import lower_alarm_level, raise_alarm_level
from incidents.catalogue import catalogue
from incidents.incident import feature
from incidents.run_cards import MOST_LEVELS, MOST_MINUTES, MOST_STEPS
from incidents.tasks import add_task, complete_task, drop_task, reopen_task, task_document, tasks_of, tick_step
from web.bodies import Body, Name, NewId, Short, When
from web.context import CurrentActor, Expected, OnceOnly, Session

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


class TaskBody(Body):
    """Something to be done that no card knew of."""

    id: NewId
    text: Name
    checklist: Annotated[tuple[Name, ...], Field(max_length=MOST_STEPS)] = ()
    within_minutes: Annotated[int, Field(strict=True, ge=1, le=MOST_MINUTES)] | None = None


class TickBody(Body):
    """Which step, counted from 0, and whether it is done."""

    step: Annotated[int, Field(strict=True, ge=0, lt=MOST_STEPS)]
    done: bool = True


class DropBody(Body):
    """Why it is not needed."""

    reason: Name


@router.get("/tasks")
async def get_tasks(incident_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What is to be done on an incident, level by level."""
    return {"tasks": await tasks_of(session, actor, incident_id)}


@router.post("/tasks", status_code=201)
async def post_task(
    incident_id: UUID, body: TaskBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Add something to be done."""

    async def do() -> dict[str, Any]:
        task = await add_task(
            session,
            actor,
            incident_id,
            body.id,
            text=body.text,
            checklist=body.checklist,
            within_minutes=body.within_minutes,
        )
        return task_document(task, await catalogue(session))

    return await once(body.id, do)


@router.post("/tasks/{task_id}/tick")
async def post_tick(
    incident_id: UUID, task_id: UUID, body: TickBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Tick a step, or take the tick back."""
    ticked = await tick_step(session, actor, incident_id, task_id, step=body.step, done=body.done)
    return task_document(ticked, await catalogue(session))


@router.post("/tasks/{task_id}/done")
async def post_done(incident_id: UUID, task_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """It is done."""
    return task_document(await complete_task(session, actor, incident_id, task_id), await catalogue(session))


@router.post("/tasks/{task_id}/not-needed")
async def post_not_needed(
    incident_id: UUID, task_id: UUID, body: DropBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """It is not needed here."""
    dropped = await drop_task(session, actor, incident_id, task_id, reason=body.reason)
    return task_document(dropped, await catalogue(session))


@router.post("/tasks/{task_id}/reopen")
async def post_reopen_task(incident_id: UUID, task_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """It is still to be done."""
    return task_document(await reopen_task(session, actor, incident_id, task_id), await catalogue(session))
