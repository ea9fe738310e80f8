"""Equipment and stock: what is on a unit or in a facility, how much of it, and how little is too little.

Equipment is things one by one, with a serial and a date until which they hold (a DEA's electrodes). Stock is
quantities: each change is a move with its reason, and the quantity is what the last move left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, Text, false, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import OPERATIONS, Actor, Permission, Role, require
from realtime.database import Base, new_id, now
from realtime.errors import AlreadyExists, Malformed, NotFound, VersionMismatch
from realtime.registers import Register, turn_page
from resources.facilities import Facility, access_kept
from resources.units import access_unit

MOST = Decimal(1_000_000)


class EquipmentState(StrEnum):
    """How a piece of equipment is."""

    WORKING = "working"
    FAULTY = "faulty"
    IN_REPAIR = "in_repair"
    MISSING = "missing"


class MoveKind(StrEnum):
    """How stock changed: brought in, taken out, or counted again."""

    IN = "in"
    OUT = "out"
    ADJUST = "adjust"


class NotThatMuch(Malformed):
    """There is not that much: {there} {unit} are there."""

    status = 409


class TooMuch(Malformed):
    """That is more than anybody has in store: {limit} at most."""


class Equipment(Base):
    """Something that a unit carries. `valid_until` is the last day on which it may be used."""

    __tablename__ = "equipment"
    __table_args__ = (
        Index("ix_equipment_unit_id", "unit_id"),
        CheckConstraint("quantity BETWEEN 1 AND 100000", name="quantity"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    name: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int] = mapped_column(default=1)
    serial: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[EquipmentState] = mapped_column(Text, default=EquipmentState.WORKING)
    valid_until: Mapped[dt.date | None]
    note: Mapped[str] = mapped_column(Text, default="")
    removed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class StockItem(Base):
    """So much of something in a facility. It runs low at `minimum` and below."""

    __tablename__ = "stock_items"
    __table_args__ = (
        Index("ix_stock_items_facility_id", "facility_id"),
        CheckConstraint("quantity >= 0 AND minimum >= 0", name="not_negative"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"))
    item: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 2), default=Decimal(0))
    minimum: Mapped[Decimal] = mapped_column(Numeric(12, 2), default=Decimal(0))
    updated_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def low(self) -> bool:
        """Whether somebody should bring more."""
        return self.quantity <= self.minimum and self.minimum > 0


class StockMove(Base):
    """One change of a stock: `quantity` in or out, or what was counted; `left` is what there was afterwards."""

    __tablename__ = "stock_moves"
    __table_args__ = (Index("ix_stock_moves_item_id_at", "item_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("stock_items.id"))
    kind: Mapped[MoveKind] = mapped_column(Text)
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    left: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[dt.datetime]
    by: Mapped[str] = mapped_column(Text)


class Piece(TypedDict, total=False):
    """What may be said of a piece of equipment."""

    name: str
    quantity: int
    serial: str
    state: EquipmentState
    valid_until: dt.date | None
    note: str


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


def stock_visible_to(actor: Actor) -> Any:
    """Those who work with stock; an agency sees what is in its own facilities."""
    if actor.role in OPERATIONS | {Role.GOVERNMENT, Role.ADMINISTRATOR, Role.SYSTEM}:
        return true()
    if actor.role is Role.AGENCY and actor.organization_id:
        return Facility.organization_id == actor.organization_id
    return false()


async def access_stock(
    session: AsyncSession, actor: Actor, item_id: UUID, *, lock: bool = False, expected: int | None = None
) -> StockItem:
    """The way to a stock item: it must be visible, its facility kept by whoever changes it."""
    query = select(StockItem).join(Facility, Facility.id == StockItem.facility_id)
    query = query.where(StockItem.id == item_id, StockItem.removed_at.is_(None), stock_visible_to(actor))
    item = (await session.scalars(query)).first()
    if item is None:
        raise NotFound
    if lock:
        await access_kept(session, actor, item.facility_id, lock=True)
        await session.refresh(item, with_for_update={"key_share": True})
    if expected is not None and expected != item.version:
        raise VersionMismatch(expected=expected, current=item.version)
    return item


# ── Equipment ─────────────────────────────────────────────────────────────────────────────────────


async def add_equipment(
    session: AsyncSession, actor: Actor, equipment_id: UUID, *, unit_id: UUID, **said: Unpack[Piece]
) -> Equipment:
    """Put something on a unit; its name must be said."""
    require(actor, Permission.UNIT_MANAGE)
    await access_unit(session, actor, unit_id, lock=True)
    if await session.scalar(select(Equipment.id).where(Equipment.id == equipment_id)):
        raise AlreadyExists
    piece = Equipment(id=equipment_id, unit_id=unit_id, quantity=1, serial="", note="", version=1)
    piece.state = EquipmentState.WORKING
    _write(piece, said)
    session.add(piece)
    await _turn(session, actor, "equipment.added", piece)
    return piece


async def amend_equipment(
    session: AsyncSession, actor: Actor, equipment_id: UUID, *, expected: int | None = None, **said: Unpack[Piece]
) -> Equipment:
    """Change what is said of a piece; the rest stays."""
    require(actor, Permission.UNIT_MANAGE)
    piece = await _piece(session, actor, equipment_id, expected)
    _write(piece, said)
    piece.version += 1
    await _turn(session, actor, "equipment.amended", piece, fields=sorted(said))
    return piece


async def move_equipment(session: AsyncSession, actor: Actor, equipment_id: UUID, *, unit_id: UUID) -> Equipment:
    """Give a piece to another unit."""
    require(actor, Permission.UNIT_MANAGE)
    await access_unit(session, actor, unit_id, lock=True)
    piece = await _piece(session, actor, equipment_id, None)
    piece.unit_id = unit_id
    piece.version += 1
    await _turn(session, actor, "equipment.moved", piece)
    return piece


async def remove_equipment(
    session: AsyncSession, actor: Actor, equipment_id: UUID, *, expected: int | None = None
) -> Equipment:
    """The unit does not carry it any more; what was stays in the books."""
    require(actor, Permission.UNIT_MANAGE)
    piece = await _piece(session, actor, equipment_id, expected)
    piece.removed_at = now()
    piece.version += 1
    await _turn(session, actor, "equipment.removed", piece)
    return piece


async def _piece(session: AsyncSession, actor: Actor, equipment_id: UUID, expected: int | None) -> Equipment:
    query = select(Equipment).where(Equipment.id == equipment_id, Equipment.removed_at.is_(None))
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    piece = (await session.scalars(query)).first()
    if piece is None:
        raise NotFound
    await access_unit(session, actor, piece.unit_id)
    if expected is not None and expected != piece.version:
        raise VersionMismatch(expected=expected, current=piece.version)
    return piece


def _write(piece: Equipment, said: Piece) -> None:
    for name, value in said.items():
        setattr(piece, name, value)


async def _turn(session: AsyncSession, actor: Actor, kind: str, piece: Equipment, **more: Any) -> None:
    detail = {"equipment_id": str(piece.id), "unit_id": str(piece.unit_id)} | more
    await turn_page(session, actor, Register.EQUIPMENT, kind, detail=detail)


async def equipment_of(session: AsyncSession, unit_id: UUID) -> Sequence[Equipment]:
    """What a unit carries, by name; for those who were let at its sheet."""
    query = select(Equipment).where(Equipment.unit_id == unit_id, Equipment.removed_at.is_(None))
    return (await session.scalars(query.order_by(Equipment.name, Equipment.id))).all()


# ── Stock ─────────────────────────────────────────────────────────────────────────────────────────


async def add_stock(
    session: AsyncSession,
    actor: Actor,
    item_id: UUID,
    *,
    facility_id: UUID,
    item: str,
    unit: str,
    quantity: Decimal = Decimal(0),
    minimum: Decimal = Decimal(0),
) -> StockItem:
    """Begin to keep count of something in a facility."""
    await access_kept(session, actor, facility_id, lock=True)
    if await session.scalar(select(StockItem.id).where(StockItem.id == item_id)):
        raise AlreadyExists
    at = now()
    kept = StockItem(
        id=item_id,
        facility_id=facility_id,
        item=item,
        unit=unit,
        quantity=quantity,
        minimum=minimum,
        updated_at=at,
        version=1,
    )
    session.add(kept)
    await session.flush()
    session.add(_a_move(actor, kept, MoveKind.ADJUST, quantity, "", at))
    await _turn_stock(session, actor, "stock.added", kept)
    return kept


async def move_stock(
    session: AsyncSession,
    actor: Actor,
    item_id: UUID,
    *,
    move_id: UUID,
    kind: MoveKind,
    quantity: Decimal,
    reason: str = "",
) -> StockItem:
    """Bring in, take out, or say what was counted. Raises `NotThatMuch`."""
    kept = await access_stock(session, actor, item_id, lock=True)
    if await session.scalar(select(StockMove.id).where(StockMove.id == move_id)):
        raise AlreadyExists
    left = {
        MoveKind.IN: kept.quantity + quantity,
        MoveKind.OUT: kept.quantity - quantity,
        MoveKind.ADJUST: quantity,
    }[kind]
    if left < 0:
        raise NotThatMuch(there=_plain(kept.quantity), unit=kept.unit)
    if left > MOST:
        raise TooMuch(limit=int(MOST))
    kept.quantity, kept.updated_at = left, now()
    kept.version += 1
    move = _a_move(actor, kept, kind, quantity, reason, kept.updated_at)
    move.id = move_id
    session.add(move)
    await _turn_stock(session, actor, "stock.moved", kept, move=kind.value)
    return kept


async def amend_stock(
    session: AsyncSession,
    actor: Actor,
    item_id: UUID,
    *,
    item: str | None = None,
    unit: str | None = None,
    minimum: Decimal | None = None,
    expected: int | None = None,
) -> StockItem:
    """Change what it is called, how it is counted, or how little is too little."""
    kept = await access_stock(session, actor, item_id, lock=True, expected=expected)
    kept.item, kept.unit = item or kept.item, unit or kept.unit
    kept.minimum = kept.minimum if minimum is None else minimum
    kept.version += 1
    await _turn_stock(session, actor, "stock.amended", kept)
    return kept


async def remove_stock(session: AsyncSession, actor: Actor, item_id: UUID, *, expected: int | None = None) -> StockItem:
    """Keep count of it no more; its moves stay."""
    kept = await access_stock(session, actor, item_id, lock=True, expected=expected)
    kept.removed_at = now()
    kept.version += 1
    await _turn_stock(session, actor, "stock.removed", kept)
    return kept


def _a_move(
    actor: Actor, kept: StockItem, kind: MoveKind, quantity: Decimal, reason: str, at: dt.datetime
) -> StockMove:
    return StockMove(
        id=new_id(),
        item_id=kept.id,
        kind=kind,
        quantity=quantity,
        left=kept.quantity,
        reason=reason,
        at=at,
        by=actor.name,
    )


async def _turn_stock(session: AsyncSession, actor: Actor, kind: str, kept: StockItem, **more: Any) -> None:
    detail = {"item_id": str(kept.id), "facility_id": str(kept.facility_id), "low": kept.low} | more
    await turn_page(session, actor, Register.EQUIPMENT, kind, detail=detail)


async def stock(session: AsyncSession, actor: Actor, facility_id: UUID | None = None) -> list[tuple[StockItem, str]]:
    """What there is with the name of where it is: what runs low first, the emptiest first of those."""
    query = (
        select(StockItem, Facility.name)
        .join(Facility, Facility.id == StockItem.facility_id)
        .where(StockItem.removed_at.is_(None), Facility.closed_at.is_(None), stock_visible_to(actor))
    )
    query = query.where(StockItem.facility_id == facility_id) if facility_id else query
    found = [(item, name) for item, name in await session.execute(query)]
    return sorted(found, key=lambda one: (not one[0].low, _fullness(one[0]), one[0].item.casefold(), one[1]))


def _fullness(item: StockItem) -> Decimal:
    return item.quantity / item.minimum if item.low else Decimal(0)


async def moves_of(session: AsyncSession, actor: Actor, item_id: UUID) -> Sequence[StockMove]:
    """The last 200 moves of a stock, the last first."""
    await access_stock(session, actor, item_id)
    query = select(StockMove).where(StockMove.item_id == item_id).order_by(StockMove.at.desc(), StockMove.id.desc())
    return (await session.scalars(query.limit(200))).all()


def _plain(quantity: Decimal) -> str:
    return f"{quantity:f}".rstrip("0").rstrip(".") or "0"
