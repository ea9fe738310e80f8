"""Coverage targets and move-ups over HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from geo.places import geojson
from geo.zones import Zone
from incidents.coverage_targets import CoverageTarget, coverage_targets, end_target, set_target
from incidents.move_ups import MoveUp, call_off_move_up, confirm_move_up, refuse_move_up
from incidents.situation import Situation, Target, situation
from incidents.standing import coverings
from realtime.access import OPERATIONS, Actor, Permission, Role
from realtime.errors import NotAllowed
from resources.units import UnitKind
from web.bodies import Body, Name, NewId, Short
from web.context import CurrentActor, Expected, Machines, OnceOnly, Session

router = APIRouter(tags=["coverage"])

Code = Annotated[str, Field(min_length=1, max_length=40)]
READERS = OPERATIONS | {Role.GOVERNMENT, Role.ADMINISTRATOR}


def _may_read(actor: Actor) -> None:
    """How the city stands is for those who run it: an uncovered neighbourhood is nobody else's business."""
    if actor.role not in READERS:
        raise NotAllowed(permission=Permission.POLICY_EDIT.value)


class TargetBody(Body):
    """A capability or a kind of unit, within so many minutes, for a least share of the people (0…1)."""

    id: NewId
    capability: Code | None = None
    kind: UnitKind | None = None
    minutes: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]
    minimum: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    zone_id: UUID | None = None
    replaces: UUID | None = None


class ReasonBody(Body):
    """Why not."""

    reason: Name


class CallOffBody(Body):
    """Why it need not go on."""

    reason: Short = ""


@router.get("/coverage/targets")
async def get_targets(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The targets in force, oldest first."""
    _may_read(actor)
    return {"targets": [_target(target, zone) for target, zone in await coverage_targets(session)]}


@router.post("/coverage/targets", status_code=201)
async def post_target(body: TargetBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Set a target; `replaces` ends the one in whose place it stands."""

    async def do() -> dict[str, Any]:
        target = await set_target(
            session,
            actor,
            body.id,
            capability=body.capability,
            kind=body.kind.value if body.kind else None,
            minutes=body.minutes,
            minimum=body.minimum,
            zone_id=body.zone_id,
            replaces=body.replaces,
        )
        return _target(target, await session.get(Zone, body.zone_id) if body.zone_id else None)

    return await once(body.id, do)


@router.post("/coverage/targets/{target_id}/end")
async def post_target_end(target_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """It is no longer wanted."""
    return _target(await end_target(session, actor, target_id), None)


@router.get("/coverage/now")
async def get_coverage_now(session: Session, actor: CurrentActor, machines: Machines) -> dict[str, Any]:
    """How each target stands now: the share that some free unit reaches in time, and where it does not."""
    _may_read(actor)
    here = await situation(session, actor, timezone=machines.settings.timezone)
    return await asyncio.to_thread(_judged, here)


def _judged(here: Situation) -> dict[str, Any]:
    found = []
    for one in coverings(here):
        share, target = one.share(), one.target
        zones = [{"name": name, "people": has, "of": of} for name, has, of in one.by_zone() if has < of]
        found.append(
            _wanted(target)
            | {
                "share": round(share.share, 4),
                "met": share.share >= target.minimum,
                "people": share.people,
                "of_people": share.of_people,
                "street_km": round(share.street_km, 1),
                "units": [unit.call_sign for unit in one.units],
                "beyond": zones[:12],
            }
        )
    return {"at": here.at.isoformat(), "closures": len(here.travel.barriers), "targets": found}


def _wanted(target: Target) -> dict[str, Any]:
    return {
        "id": str(target.id),
        "capability": target.capability,
        "kind": target.kind,
        "minutes": target.minutes,
        "minimum": target.minimum,
        "zone": target.zone,
    }


def _target(target: CoverageTarget, zone: Zone | None) -> dict[str, Any]:
    return {
        "id": str(target.id),
        "capability": target.capability,
        "kind": target.kind,
        "minutes": target.minutes,
        "minimum": target.minimum,
        "zone_id": str(target.zone_id) if target.zone_id else None,
        "zone": zone.name if zone else None,
        "made_at": target.made_at.isoformat(),
        "made_by": target.made_by,
        "ended_at": target.ended_at.isoformat() if target.ended_at else None,
    }


# ── Move-ups ──────────────────────────────────────────────────────────────────────────────────────


@router.post("/move-ups/{move_up_id}/confirm")
async def post_confirm(move_up_id: UUID, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """Let the unit go and stand there; it stays free."""
    return _move_up(await confirm_move_up(session, actor, move_up_id, expected=expected))


@router.post("/move-ups/{move_up_id}/refuse")
async def post_refuse(
    move_up_id: UUID, body: ReasonBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Not this one; its target is left alone for a while."""
    return _move_up(await refuse_move_up(session, actor, move_up_id, reason=body.reason, expected=expected))


@router.post("/move-ups/{move_up_id}/call-off")
async def post_call_off(
    move_up_id: UUID, body: CallOffBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """The unit need not go on."""
    return _move_up(await call_off_move_up(session, actor, move_up_id, reason=body.reason, expected=expected))


def _move_up(one: MoveUp) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "version": one.version,
        "state": one.state,
        "unit_id": str(one.unit_id),
        "call_sign": one.call_sign,
        "place": one.place_name,
        "location": geojson(one.place),
        "reason": one.reason,
        "decided_by": one.decided_by,
        "ending": one.ending,
    }
