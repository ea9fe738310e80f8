"""Equipment, vehicles and stock over HTTP."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from realtime.database import now
from resources.equipment import (
    Equipment,
    EquipmentState,
    MoveKind,
    StockItem,
    add_equipment,
    add_stock,
    amend_equipment,
    amend_stock,
    move_equipment,
    move_stock,
    moves_of,
    remove_equipment,
    remove_stock,
    stock,
)
from resources.vehicles import (
    Vehicle,
    add_vehicle,
    all_vehicles,
    amend_vehicle,
    papers_of,
    post_vehicle,
    postings_of_vehicle,
    retire_vehicle,
)
from web.bodies import Body, Day, Name, NewId, Quantity, Short, Text
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(tags=["equipment"])

Plate = Annotated[str, Field(pattern=r"^[A-Z0-9]{3,12}$")]
Year = Annotated[int, Field(strict=True, ge=1900, le=2100)]
Pieces = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class PieceBody(Body):
    """Something that a unit carries."""

    id: NewId
    name: Name
    quantity: Pieces = 1
    serial: Short = ""
    state: EquipmentState = EquipmentState.WORKING
    valid_until: Day | None = None
    note: Short = ""


class PieceChange(Body):
    """What is other than it was said; what is left out stays."""

    name: Name | None = None
    quantity: Pieces | None = None
    serial: Short | None = None
    state: EquipmentState | None = None
    valid_until: Day | None = None
    note: Short | None = None


class UnitOnly(Body):
    """Which unit has it from now on."""

    unit_id: UUID


class UnitOrNone(Body):
    """Which unit has it from now on; null: none."""

    unit_id: UUID | None


class VehicleBody(Body):
    """A new vehicle, and the unit that has it."""

    id: NewId
    plate: Plate
    make: Short = ""
    model: Short = ""
    year: Year | None = None
    inspection_until: Day | None = None
    insurance_until: Day | None = None
    notes: Text = ""
    unit_id: UUID | None = None


class VehicleChange(Body):
    """What is other than it was said; what is left out stays."""

    plate: Plate | None = None
    make: Short | None = None
    model: Short | None = None
    year: Year | None = None
    inspection_until: Day | None = None
    insurance_until: Day | None = None
    notes: Text | None = None


class StockBody(Body):
    """Something to keep count of in a facility."""

    id: NewId
    facility_id: UUID
    item: Name
    unit: Name
    quantity: Quantity = Decimal(0)
    minimum: Quantity = Decimal(0)


class StockChange(Body):
    """What is other than it was said; what is left out stays."""

    item: Name | None = None
    unit: Name | None = None
    minimum: Quantity | None = None


class MoveBody(Body):
    """So much in or out, or what was counted, and why."""

    id: NewId
    kind: MoveKind
    quantity: Quantity
    reason: Short = ""


# Where null is a value, what was said is told from what was left out.
_NOTHING_MEANT = {"year", "inspection_until", "insurance_until", "valid_until"}


def _said(body: Body) -> dict[str, Any]:
    said = body.model_dump(exclude_unset=True)
    return {name: value for name, value in said.items() if value is not None or name in _NOTHING_MEANT}


# ── Equipment ─────────────────────────────────────────────────────────────────────────────────────


@router.post("/units/{unit_id}/equipment", status_code=201)
async def post_piece(
    unit_id: UUID, body: PieceBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Put something on a unit."""

    async def do() -> dict[str, Any]:
        said = body.model_dump(exclude={"id"})
        return piece_document(await add_equipment(session, actor, body.id, unit_id=unit_id, **said))

    return await once(body.id, do)


@router.post("/equipment/{equipment_id}")
async def post_piece_change(
    equipment_id: UUID, body: PieceChange, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Change what is said of a piece."""
    return piece_document(await amend_equipment(session, actor, equipment_id, expected=expected, **_said(body)))


@router.post("/equipment/{equipment_id}/move")
async def post_piece_move(equipment_id: UUID, body: UnitOnly, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Give it to another unit."""
    return piece_document(await move_equipment(session, actor, equipment_id, unit_id=body.unit_id))


@router.post("/equipment/{equipment_id}/remove")
async def post_piece_removal(
    equipment_id: UUID, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """The unit does not carry it any more."""
    return piece_document(await remove_equipment(session, actor, equipment_id, expected=expected))


# ── Vehicles ──────────────────────────────────────────────────────────────────────────────────────


@router.get("/vehicles")
async def get_vehicles(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Every vehicle in use; for those who manage them."""
    at = now()
    found = await all_vehicles(session, actor)
    return {
        "at": at,
        "vehicles": [
            vehicle_document(vehicle, at) | {"unit_id": str(unit_id) if unit_id else None} for vehicle, unit_id in found
        ],
    }


@router.get("/vehicles/{vehicle_id}/postings")
async def get_postings(vehicle_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Which units had it, the last first."""
    return {"postings": await postings_of_vehicle(session, actor, vehicle_id)}


@router.post("/vehicles", status_code=201)
async def post_new_vehicle(body: VehicleBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Register a vehicle."""

    async def do() -> dict[str, Any]:
        made = await add_vehicle(session, actor, body.id, **body.model_dump(exclude={"id", "unit_id"}))
        if body.unit_id is not None:
            await post_vehicle(session, actor, made.id, unit_id=body.unit_id)
        return vehicle_document(made, now())

    return await once(body.id, do)


@router.post("/vehicles/{vehicle_id}")
async def post_vehicle_change(
    vehicle_id: UUID, body: VehicleChange, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Change what is said of a vehicle."""
    return vehicle_document(await amend_vehicle(session, actor, vehicle_id, expected=expected, **_said(body)), now())


@router.post("/vehicles/{vehicle_id}/unit")
async def post_vehicle_unit(
    vehicle_id: UUID, body: UnitOrNone, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Give it to a unit, or to none."""
    return vehicle_document(await post_vehicle(session, actor, vehicle_id, unit_id=body.unit_id), now())


@router.post("/vehicles/{vehicle_id}/retire")
async def post_vehicle_retirement(
    vehicle_id: UUID, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It is no more."""
    return vehicle_document(await retire_vehicle(session, actor, vehicle_id, expected=expected), now())


# ── Stock ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/stock")
async def get_stock(session: Session, actor: CurrentActor, facility_id: UUID | None = None) -> dict[str, Any]:
    """What there is and where; what runs low first."""
    return {"stock": [stock_document(item, name) for item, name in await stock(session, actor, facility_id)]}


@router.post("/stock", status_code=201)
async def post_stock(body: StockBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Begin to keep count of something."""

    async def do() -> dict[str, Any]:
        return stock_document(await add_stock(session, actor, body.id, **body.model_dump(exclude={"id"})))

    return await once(body.id, do)


@router.get("/stock/{item_id}/moves")
async def get_moves(item_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What went in and out, the last first."""
    return {
        "moves": [
            {
                "id": str(move.id),
                "kind": move.kind,
                "quantity": float(move.quantity),
                "left": float(move.left),
                "reason": move.reason,
                "at": move.at,
                "by": move.by,
            }
            for move in await moves_of(session, actor, item_id)
        ]
    }


@router.post("/stock/{item_id}/moves", status_code=201)
async def post_move(
    item_id: UUID, body: MoveBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Bring in, take out, or count."""

    async def do() -> dict[str, Any]:
        moved = await move_stock(
            session, actor, item_id, move_id=body.id, kind=body.kind, quantity=body.quantity, reason=body.reason
        )
        return stock_document(moved)

    return await once(body.id, do)


@router.post("/stock/{item_id}")
async def post_stock_change(
    item_id: UUID, body: StockChange, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another name, another measure, another minimum."""
    return stock_document(await amend_stock(session, actor, item_id, expected=expected, **_said(body)))


@router.post("/stock/{item_id}/remove")
async def post_stock_removal(
    item_id: UUID, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Keep count of it no more."""
    return stock_document(await remove_stock(session, actor, item_id, expected=expected))


# ── Documents ─────────────────────────────────────────────────────────────────────────────────────


def piece_document(piece: Equipment) -> dict[str, Any]:
    """A piece of equipment as the API answers it."""
    return {
        "id": str(piece.id),
        "unit_id": str(piece.unit_id),
        "name": piece.name,
        "quantity": piece.quantity,
        "serial": piece.serial,
        "state": piece.state,
        "valid_until": piece.valid_until.isoformat() if piece.valid_until else None,
        "note": piece.note,
        "version": piece.version,
    }


def vehicle_document(vehicle: Vehicle, at: dt.datetime) -> dict[str, Any]:
    """A vehicle as the API answers it, with what its papers lack at a moment."""
    days = (vehicle.inspection_until, vehicle.insurance_until)
    inspection, insurance = (day.isoformat() if day else None for day in days)
    return {
        "id": str(vehicle.id),
        "plate": vehicle.plate,
        "make": vehicle.make,
        "model": vehicle.model,
        "year": vehicle.year,
        "inspection_until": inspection,
        "insurance_until": insurance,
        "notes": vehicle.notes,
        "gaps": [gap.shown() for gap in papers_of(vehicle, at)],
        "version": vehicle.version,
    }


def stock_document(item: StockItem, facility: str | None = None) -> dict[str, Any]:
    """A stock as the API answers it."""
    return {
        "id": str(item.id),
        "facility_id": str(item.facility_id),
        "facility": facility,
        "item": item.item,
        "unit": item.unit,
        "quantity": float(item.quantity),
        "minimum": float(item.minimum),
        "low": item.low,
        "updated_at": item.updated_at.isoformat(),
        "version": item.version,
    }
