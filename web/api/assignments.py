"""Assignments over HTTP: how far a unit is, and where else it goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from incidents.assignments import AssignmentStatus, assignment_document
from incidents.dispatch import (
    OnBusy,
    Sending,
    advance,
    jobs_of,
    reassign,
    report_status,
    stage,
    stand_down,
    swap_units,
)
from incidents.undo import offered
from web.bodies import Body, Location, Name, NewId, Short, When
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(tags=["assignments"])


class StatusBody(Body):
    """How far it is, and since when."""

    status: AssignmentStatus
    occurred_at: When | None = None
    reason: Short = ""


class ReassignBody(Body):
    """Where it goes instead. `reason` is needed where it leaves something as grave."""

    id: NewId
    incident_id: UUID
    reason: Short = ""
    occurred_at: When | None = None


class SwapBody(Body):
    """Who goes instead."""

    id: NewId
    unit_id: UUID
    on_busy: OnBusy = OnBusy.REFUSE
    override: Short = ""
    reason: Short = ""
    occurred_at: When | None = None


class StageBody(Body):
    """Where it waits."""

    name: Name
    location: Location
    occurred_at: When | None = None


class StandDownBody(Body):
    """Why it is called back."""

    reason: Name
    occurred_at: When | None = None


class AdvanceBody(Body):
    """When it went on, where that is not now."""

    occurred_at: When | None = None


@router.get("/units/{unit_id}/assignments")
async def get_jobs(unit_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What a unit is on: the assignment that leads, then what waits behind it, each with its incident."""
    return {"assignments": await jobs_of(session, actor, unit_id)}


@router.post("/assignments/{assignment_id}/status")
async def post_status(assignment_id: UUID, body: StatusBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Report a status: by the crew, or by who heard it on the radio. Saying it twice changes nothing."""
    reported = await report_status(
        session, actor, assignment_id, status=body.status, occurred_at=body.occurred_at, reason=body.reason
    )
    return assignment_document(reported) | {"undo": offered(session)}


@router.post("/assignments/{assignment_id}/reassign", status_code=201)
async def post_reassign(
    assignment_id: UUID,
    body: ReassignBody,
    session: Session,
    actor: CurrentActor,
    expected: Expected,
    once: OnceOnly,
) -> dict[str, Any]:
    """Turn a unit to another incident; who is driving drives on."""

    async def do() -> dict[str, Any]:
        made = await reassign(
            session,
            actor,
            assignment_id,
            new_assignment_id=body.id,
            incident_id=body.incident_id,
            reason=body.reason,
            occurred_at=body.occurred_at,
            expected=expected,
        )
        return assignment_document(made) | {"undo": offered(session)}

    return await once(body.id, do)


@router.post("/assignments/{assignment_id}/swap", status_code=201)
async def post_swap(
    assignment_id: UUID, body: SwapBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Another unit goes instead."""

    async def do() -> dict[str, Any]:
        sending = Sending(body.id, body.unit_id, body.on_busy, body.override)
        made = await swap_units(
            session, actor, assignment_id, sending, reason=body.reason, occurred_at=body.occurred_at
        )
        return assignment_document(made) | {"undo": offered(session)}

    return await once(body.id, do)


@router.post("/assignments/{assignment_id}/stage")
async def post_stage(assignment_id: UUID, body: StageBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Let it wait at a place on its way."""
    staged = await stage(
        session, actor, assignment_id, name=body.name, place=body.location, occurred_at=body.occurred_at
    )
    return assignment_document(staged) | {"undo": offered(session)}


@router.post("/assignments/{assignment_id}/advance")
async def post_advance(
    assignment_id: UUID, session: Session, actor: CurrentActor, body: AdvanceBody | None = None
) -> dict[str, Any]:
    """Let it go on."""
    at = body.occurred_at if body else None
    return assignment_document(await advance(session, actor, assignment_id, occurred_at=at)) | {
        "undo": offered(session)
    }


@router.post("/assignments/{assignment_id}/stand-down")
async def post_stand_down(
    assignment_id: UUID, body: StandDownBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Call it back."""
    stood = await stand_down(session, actor, assignment_id, reason=body.reason, occurred_at=body.occurred_at)
    return assignment_document(stood) | {"undo": offered(session)}
