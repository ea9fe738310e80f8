"""Units over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from incidents.dispatch import report_duty
from incidents.undo import offered
from realtime.errors import NotFound
from resources.units import Duty, UnitKind, add_unit, board
from web.bodies import Body, Code, Location, Name, NewId, Short
from web.context import CurrentActor, OnceOnly, Session

router = APIRouter(prefix="/units", tags=["units"])


class UnitBody(Body):
    """A new unit."""

    id: NewId
    call_sign: Annotated[Name, Field(max_length=20)]
    kind: UnitKind
    organization_id: UUID
    capabilities: Annotated[tuple[Code, ...], Field(max_length=30)] = ()
    base: Short = ""
    base_location: Location | None = None


class DutyBody(Body):
    """Whether it can be sent."""

    duty: Duty
    reason: Short = ""


@router.get("")
async def get_units(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The units that the actor sees."""
    return {"features": await board(session, actor)}


@router.get("/{unit_id}")
async def get_unit(unit_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """One unit."""
    found = await board(session, actor, [unit_id])
    if not found:
        raise NotFound
    return found[0]


@router.post("", status_code=201)
async def post_unit(body: UnitBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Register a unit."""

    async def do() -> dict[str, Any]:
        unit = await add_unit(
            session,
            actor,
            body.id,
            call_sign=body.call_sign,
            kind=body.kind,
            organization_id=body.organization_id,
            capabilities=body.capabilities,
            base=body.base,
            base_place=body.base_location,
        )
        return {"id": str(unit.id), "version": unit.version}

    return await once(body.id, do)


@router.post("/{unit_id}/duty")
async def post_duty(unit_id: UUID, body: DutyBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Say whether a unit can be sent."""
    unit = await report_duty(session, actor, unit_id, duty=body.duty, reason=body.reason)
    return (await board(session, actor, [unit.id]))[0] | {"undo": offered(session)}
