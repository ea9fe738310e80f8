"""Closures over HTTP: drawing them, changing them, lifting them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, PlainValidator, WithJsonSchema
from shapely.geometry.base import BaseGeometry

from geo.closures import (
    SHAPES,
    Closure,
    ClosureKind,
    Validity,
    access_closure,
    amend_closure,
    closures_in_force,
    draw_closure,
    features_of,
    lift_closure,
)
from geo.places import parse_geometry
from realtime.access import Actor
from realtime.database import now
from resources.units import UnitKind
from web.bodies import Body, Name, NewId, When
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(prefix="/closures", tags=["closures"])


def _shape(raw: Any) -> BaseGeometry:
    return parse_geometry(raw, SHAPES)


Shape = Annotated[
    BaseGeometry,
    PlainValidator(_shape),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"type": {"enum": sorted(SHAPES)}, "coordinates": {"type": "array", "items": {}}},
            "required": ["type", "coordinates"],
            "description": "A GeoJSON geometry, WGS 84, longitude first, of 2,000 vertices at most",
        }
    ),
]
Passing = Annotated[tuple[UnitKind, ...], Field(max_length=len(UnitKind))]


class ClosureBody(Body):
    """A new closure. The reason is read by everybody with an account: it speaks of the street, not of people."""

    id: NewId
    kind: ClosureKind
    reason: Name
    shape: Shape
    passable_by: Passing = ()
    valid_from: When | None = None
    valid_until: When | None = None


class KindBody(Body):
    """What sort of closure it is after all."""

    kind: ClosureKind


class ReasonBody(Body):
    """Why, in other words."""

    reason: Name


class ValidityBody(Body):
    """Until when; null until somebody lifts it. A beginning that is left out stays."""

    valid_until: When | None
    valid_from: When | None = None


class PassableBody(Body):
    """Which kinds of units get through."""

    passable_by: Passing


class ShapeBody(Body):
    """What is closed after all."""

    shape: Shape


@router.post("", status_code=201)
async def post_closure(body: ClosureBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Close a street, a crossing or an area."""

    async def do() -> dict[str, Any]:
        drawn = await draw_closure(
            session,
            actor,
            body.id,
            kind=body.kind,
            reason=body.reason,
            shape=body.shape,
            passable_by=body.passable_by,
            validity=Validity(body.valid_from, body.valid_until),
        )
        return _shown(actor, drawn)

    return await once(body.id, do)


@router.get("")
async def get_closures(session: Session, actor: CurrentActor, at: When | None = None) -> dict[str, Any]:
    """What bars the way now, or at another moment."""
    moment = at or now()
    return {"at": moment, "features": features_of(actor, await closures_in_force(session, moment))}


@router.get("/{closure_id}")
async def get_closure(closure_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """One closure, also when it is over."""
    return _shown(actor, await access_closure(session, actor, closure_id))


@router.post("/{closure_id}/lift")
async def post_lift(closure_id: UUID, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """Open the way again."""
    return _shown(actor, await lift_closure(session, actor, closure_id, expected=expected))


@router.post("/{closure_id}/kind")
async def post_kind(
    closure_id: UUID, body: KindBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another kind."""
    return _shown(actor, await amend_closure(session, actor, closure_id, kind=body.kind, expected=expected))


@router.post("/{closure_id}/reason")
async def post_reason(
    closure_id: UUID, body: ReasonBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another reason."""
    return _shown(actor, await amend_closure(session, actor, closure_id, reason=body.reason, expected=expected))


@router.post("/{closure_id}/validity")
async def post_validity(
    closure_id: UUID, body: ValidityBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Longer, shorter, or until somebody lifts it."""
    validity = Validity(body.valid_from, body.valid_until)
    return _shown(actor, await amend_closure(session, actor, closure_id, validity=validity, expected=expected))


@router.post("/{closure_id}/passable-by")
async def post_passable_by(
    closure_id: UUID, body: PassableBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Others may pass."""
    amended = await amend_closure(session, actor, closure_id, passable_by=body.passable_by, expected=expected)
    return _shown(actor, amended)


@router.post("/{closure_id}/shape")
async def post_shape(
    closure_id: UUID, body: ShapeBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Something else is closed."""
    return _shown(actor, await amend_closure(session, actor, closure_id, shape=body.shape, expected=expected))


def _shown(actor: Actor, closure: Closure) -> dict[str, Any]:
    return features_of(actor, [closure])[0]
