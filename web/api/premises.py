"""Premise warnings over HTTP: what holds at a place, writing one, lifting one."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from geo.places import point
from incidents.premises import LARGEST_RADIUS, PremiseKind, lift_warning, warnings_at, warnings_of, write_warning
from web.bodies import Body, Location, Name, NewId, Short, When
from web.context import CurrentActor, OnceOnly, Session

router = APIRouter(tags=["premises"])

Degrees = Annotated[float, Query(allow_inf_nan=False)]


class WarningBody(Body):
    """What to know before going there. About a point with its radius in metres, or a zone."""

    id: NewId
    kind: PremiseKind
    words: Name
    place: Short = ""
    location: Location | None = None
    radius: Annotated[int, Field(strict=True, ge=5, le=LARGEST_RADIUS)] = 30
    zone_id: UUID | None = None
    sensitivity: Annotated[int, Field(strict=True, ge=0, le=3)] = 1
    until: When | None = None


class LiftBody(Body):
    """Why it no longer holds, if there is something to say."""

    why: Short = ""


@router.get("/premises")
async def get_premises(session: Session, actor: CurrentActor, *, lon: Degrees, lat: Degrees) -> dict[str, Any]:
    """What holds at a place now."""
    return {"warnings": await warnings_at(session, actor, point(lon, lat))}


@router.get("/incidents/{incident_id}/premises")
async def get_premises_of(incident_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What holds where an incident is."""
    return {"warnings": await warnings_of(session, actor, incident_id)}


@router.post("/premises", status_code=201)
async def post_premise(body: WarningBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Warn of a place."""

    async def do() -> dict[str, Any]:
        warning = await write_warning(
            session,
            actor,
            body.id,
            kind=body.kind,
            words=body.words,
            place=body.place,
            location=body.location,
            radius=body.radius,
            zone_id=body.zone_id,
            sensitivity=body.sensitivity,
            until=body.until,
        )
        return warning.shown()

    return await once(body.id, do)


@router.post("/premises/{warning_id}/lift")
async def post_lift(warning_id: UUID, body: LiftBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """It no longer holds."""
    return (await lift_warning(session, actor, warning_id, why=body.why)).shown()
