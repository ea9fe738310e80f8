"""Units over HTTP: what they are and can do, field by field; their sheet; many at once from a spreadsheet."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Unpack
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from incidents.dispatch import report_duty
from incidents.undo import offered
from realtime.access import Actor, Permission, Role
from realtime.database import now
from realtime.errors import NotFound
from resources.equipment import equipment_of
from resources.photos import photo_document, photos_of
from resources.readiness import readiness_of
from resources.units import (
    Amendment,
    Duty,
    Skills,
    Station,
    Unit,
    UnitKind,
    access_sheet,
    add_unit,
    amend_unit,
    board,
    reinstate_unit,
    retire_unit,
    retired_units,
)
from resources.vehicles import postings_of_unit, vehicles_of
from web.api.equipment import piece_document, vehicle_document
from web.bodies import Body, Capability, Location, Name, NewId, Short, Text
from web.context import CurrentActor, Expected, Machines, OnceOnly, Session
from web.rows import check_accepted, csv_file, errors_document, read_rows
from web.unit_rows import COLUMNS, HEADER, apply_units, plan_units, unit_rows

router = APIRouter(prefix="/units", tags=["units"])

CallSign = Annotated[Name, Field(max_length=20)]
Capabilities = Annotated[tuple[Capability, ...], Field(max_length=30)]
Amounts = Annotated[dict[Capability, Annotated[float, Field(strict=True, gt=0, le=1e6)]], Field(max_length=30)]


class Apply(StrEnum):
    """What to do with a file: only say what it would do; all of it or nothing; the rows that are right."""

    NONE = "none"
    ALL = "all"
    GOOD = "good"


class UnitBody(Body):
    """A new unit. `base_id` names a facility; else `base` and `base_location` say where it stands."""

    id: NewId
    call_sign: CallSign
    kind: UnitKind
    organization_id: UUID
    capabilities: Capabilities = ()
    amounts: Amounts = Field(default_factory=dict)
    base: Short = ""
    base_location: Location | None = None
    base_id: UUID | None = None
    home_zone_id: UUID | None = None
    notes: Text = ""


class DutyBody(Body):
    """Whether it can be sent."""

    duty: Duty
    reason: Short = ""


class CallSignBody(Body):
    """What it is called after all."""

    call_sign: CallSign


class KindBody(Body):
    """What sort of unit it is after all."""

    kind: UnitKind


class OrganizationBody(Body):
    """Whose it is after all."""

    organization_id: UUID


class CapabilitiesBody(Body):
    """What it can do, all of it, and how much where that is measured."""

    capabilities: Capabilities
    amounts: Amounts = Field(default_factory=dict)


class BaseBody(Body):
    """Where it stands: a facility, or words and a place."""

    base: Short = ""
    base_location: Location | None = None
    base_id: UUID | None = None


class HomeZoneBody(Body):
    """The zone that is its own; null: none."""

    home_zone_id: UUID | None


class NotesBody(Body):
    """What one should know of it."""

    notes: Text


@router.get("")
async def get_units(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The units that the actor sees."""
    return {"features": await board(session, actor)}


@router.get("/retired")
async def get_retired(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Those that are no more; none for who may not bring them back."""
    units = await retired_units(session, actor)
    return {
        "units": [
            {"id": str(unit.id), "call_sign": unit.call_sign, "kind": unit.kind, "retired_at": unit.retired_at}
            for unit in units
        ]
    }


@router.get("/export")
async def get_export(session: Session, actor: CurrentActor) -> Response:
    """Every unit as CSV, which the import reads again."""
    return csv_file("moviles.csv", HEADER, await unit_rows(session, actor))


CSV = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}}


@router.post("/import", openapi_extra=CSV)
async def post_import(
    request: Request,
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    apply: Apply = Apply.NONE,
    rows: Annotated[int | None, Query(ge=0, le=10_000)] = None,
) -> dict[str, Any]:
    """Many units from a CSV file, by call sign. `rows`: how many right ones whoever accepted has seen."""
    sheet = read_rows(await request.body(), COLUMNS)
    planned = await plan_units(session, actor, sheet)
    if apply is not Apply.NONE:
        check_accepted(sheet, only_good=apply is Apply.GOOD, expected=rows)
        await apply_units(session, actor, planned)
    counts = {what: sum(one.what == what for one in planned) for what in ("add", "change", "same")}
    return {
        "applied": apply is not Apply.NONE,
        "counts": counts | {"bad": len(sheet.bad_lines)},
        "rows": [one.document() for one in planned],
        "errors": errors_document(request, sheet.errors, machines.settings.timezone),
        "ignored": sheet.ignored,
    }


@router.get("/{unit_id}")
async def get_unit(unit_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """One unit."""
    found = await board(session, actor, [unit_id])
    if not found:
        raise NotFound
    return found[0]


@router.get("/{unit_id}/sheet")
async def get_sheet(unit_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What a unit carries and drives, with papers, photos, and what it lacks to be sent."""
    unit = await access_sheet(session, actor, unit_id)
    at = now()
    vehicle = (await vehicles_of(session, [unit_id], at)).get(unit_id)
    gaps = (await readiness_of(session, [unit_id], at)).get(unit_id, ())
    return {
        "id": str(unit.id),
        "version": unit.version,
        "at": at,
        "vehicle": vehicle_document(vehicle, at) if vehicle else None,
        "vehicles": await postings_of_unit(session, unit_id) if actor.may(Permission.UNIT_MANAGE) else [],
        "equipment": [piece_document(piece) for piece in await equipment_of(session, unit_id)],
        "photos": [photo_document(photo) for photo in await photos_of(session, f"unit:{unit_id}")],
        "gaps": [gap.shown() for gap in gaps] if actor.role is not Role.GOVERNMENT else [],
    }


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
            skills=Skills(body.capabilities, body.amounts),
            station=Station(body.base, body.base_location, body.base_id),
            home_zone_id=body.home_zone_id,
            notes=body.notes,
        )
        return {"id": str(unit.id), "version": unit.version}

    return await once(body.id, do)


@router.post("/{unit_id}/duty")
async def post_duty(unit_id: UUID, body: DutyBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Say whether a unit can be sent."""
    unit = await report_duty(session, actor, unit_id, duty=body.duty, reason=body.reason)
    return (await board(session, actor, [unit.id]))[0] | {"undo": offered(session)}


async def _amended(
    session: Session, actor: Actor, unit_id: UUID, expected: int | None, **to: Unpack[Amendment]
) -> dict[str, Any]:
    await amend_unit(session, actor, unit_id, expected=expected, **to)
    return (await board(session, actor, [unit_id]))[0]


@router.post("/{unit_id}/call-sign")
async def post_call_sign(
    unit_id: UUID, body: CallSignBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another call sign."""
    return await _amended(session, actor, unit_id, expected, call_sign=body.call_sign)


@router.post("/{unit_id}/kind")
async def post_kind(
    unit_id: UUID, body: KindBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another kind."""
    return await _amended(session, actor, unit_id, expected, kind=body.kind)


@router.post("/{unit_id}/organization")
async def post_organization(
    unit_id: UUID, body: OrganizationBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another organization."""
    return await _amended(session, actor, unit_id, expected, organization_id=body.organization_id)


@router.post("/{unit_id}/capabilities")
async def post_capabilities(
    unit_id: UUID, body: CapabilitiesBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It can do other things."""
    return await _amended(session, actor, unit_id, expected, skills=Skills(body.capabilities, body.amounts))


@router.post("/{unit_id}/base")
async def post_base(
    unit_id: UUID, body: BaseBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It stands elsewhere."""
    station = Station(body.base, body.base_location, body.base_id)
    return await _amended(session, actor, unit_id, expected, station=station)


@router.post("/{unit_id}/home-zone")
async def post_home_zone(
    unit_id: UUID, body: HomeZoneBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another zone is its own."""
    return await _amended(session, actor, unit_id, expected, home_zone_id=body.home_zone_id)


@router.post("/{unit_id}/notes")
async def post_notes(
    unit_id: UUID, body: NotesBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Other notes."""
    return await _amended(session, actor, unit_id, expected, notes=body.notes)


@router.post("/{unit_id}/retire")
async def post_retire(unit_id: UUID, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """It is no more, once it is free."""
    return _retired(await retire_unit(session, actor, unit_id, expected=expected))


@router.post("/{unit_id}/reinstate")
async def post_reinstate(unit_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """It is back, out of service."""
    return _retired(await reinstate_unit(session, actor, unit_id))


def _retired(unit: Unit) -> dict[str, Any]:
    at: dt.datetime | None = unit.retired_at
    return {"id": str(unit.id), "call_sign": unit.call_sign, "retired_at": at, "version": unit.version}
