"""Vehicles: what units drive, with their papers.

A vehicle belongs to nobody: it is posted to a unit, one at a time, and moves to another; `vehicle_postings` keeps
which unit had which, from when until when. A paper holds through the whole of its last day, and whether it does is
judged when it is read: *not* by a job at night.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, new_id, now
from realtime.errors import AlreadyExists, NotFound, VersionMismatch
from realtime.registers import Register, turn_page
from resources.gaps import Gap
from resources.units import Unit, access_unit

SOON = dt.timedelta(days=30)
PAPERS = ("inspection", "insurance")
BEHIND = dt.timedelta(hours=3)  # papers are Argentina's, and so are their days


class PlateTaken(AlreadyExists):
    """There is already a vehicle with the plate {plate}."""


class Vehicle(Base):
    """One vehicle. `inspection_until` (VTV) and `insurance_until` are the last days on which they hold; None: nobody
    has told."""

    __tablename__ = "vehicles"
    __table_args__ = (
        Index("uq_vehicles_plate", text("lower(plate)"), unique=True, postgresql_where=text("retired_at IS NULL")),
        CheckConstraint("year BETWEEN 1900 AND 2100", name="year"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    plate: Mapped[str] = mapped_column(Text)
    make: Mapped[str] = mapped_column(Text, default="")
    model: Mapped[str] = mapped_column(Text, default="")
    year: Mapped[int | None] = mapped_column(SmallInteger)
    inspection_until: Mapped[dt.date | None]
    insurance_until: Mapped[dt.date | None]
    notes: Mapped[str] = mapped_column(Text, default="")
    retired_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class VehiclePosting(Base):
    """That a unit had a vehicle, from when until when; `until` None: it has it now."""

    __tablename__ = "vehicle_postings"
    __table_args__ = (
        Index("uq_vehicle_postings_vehicle", "vehicle_id", unique=True, postgresql_where=text("until IS NULL")),
        Index("uq_vehicle_postings_unit", "unit_id", unique=True, postgresql_where=text("until IS NULL")),
        Index("ix_vehicle_postings_unit_since", "unit_id", "since"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("vehicles.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    since: Mapped[dt.datetime]
    until: Mapped[dt.datetime | None]
    by: Mapped[str] = mapped_column(Text)


class Papers(TypedDict, total=False):
    """What may be said of a vehicle."""

    plate: str
    make: str
    model: str
    year: int | None
    inspection_until: dt.date | None
    insurance_until: dt.date | None
    notes: str


async def access_vehicle(
    session: AsyncSession, vehicle_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Vehicle:
    """The way to a vehicle for a verb that has asked. Raises `NotFound` and `VersionMismatch`."""
    query = select(Vehicle).where(Vehicle.id == vehicle_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    vehicle = (await session.scalars(query)).first()
    if vehicle is None:
        raise NotFound
    if expected is not None and expected != vehicle.version:
        raise VersionMismatch(expected=expected, current=vehicle.version)
    return vehicle


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def add_vehicle(session: AsyncSession, actor: Actor, vehicle_id: UUID, **said: Unpack[Papers]) -> Vehicle:
    """Register a vehicle; its plate must be said. Raises `PlateTaken`."""
    require(actor, Permission.UNIT_MANAGE)
    if await session.scalar(select(Vehicle.id).where(Vehicle.id == vehicle_id)):
        raise AlreadyExists
    vehicle = Vehicle(id=vehicle_id, version=0)
    await _write(session, vehicle, said)
    session.add(vehicle)
    await turn_page(session, actor, Register.EQUIPMENT, "vehicle.added", detail={"vehicle_id": str(vehicle.id)})
    return vehicle


async def amend_vehicle(
    session: AsyncSession, actor: Actor, vehicle_id: UUID, *, expected: int | None = None, **said: Unpack[Papers]
) -> Vehicle:
    """Change what is said of a vehicle; the rest stays. Raises `PlateTaken`."""
    require(actor, Permission.UNIT_MANAGE)
    vehicle = await access_vehicle(session, vehicle_id, lock=True, expected=expected)
    await _write(session, vehicle, said)
    detail = {"vehicle_id": str(vehicle.id), "fields": sorted(said)}
    await turn_page(session, actor, Register.EQUIPMENT, "vehicle.amended", detail=detail)
    return vehicle


async def post_vehicle(session: AsyncSession, actor: Actor, vehicle_id: UUID, *, unit_id: UUID | None) -> Vehicle:
    """Give a vehicle to a unit, or to none. The unit's former vehicle and the vehicle's former unit go without."""
    require(actor, Permission.UNIT_MANAGE)
    if unit_id is not None:
        await access_unit(session, actor, unit_id, lock=True)
    vehicle = await access_vehicle(session, vehicle_id, lock=True)
    which = VehiclePosting.vehicle_id == vehicle_id
    which = which if unit_id is None else or_(which, VehiclePosting.unit_id == unit_id)
    query = select(VehiclePosting).where(which, VehiclePosting.until.is_(None)).with_for_update()
    ends = (await session.scalars(query.order_by(VehiclePosting.id))).all()
    if any(one.vehicle_id == vehicle_id and one.unit_id == unit_id for one in ends):
        return vehicle
    at = now()
    for posting in ends:
        posting.until = at
    await session.flush()
    if unit_id is not None:
        posting = VehiclePosting(
            id=new_id(), vehicle_id=vehicle_id, unit_id=unit_id, since=at, until=None, by=actor.name
        )
        session.add(posting)
    vehicle.version += 1
    detail = {"vehicle_id": str(vehicle_id), "unit_id": str(unit_id) if unit_id else None}
    await turn_page(session, actor, Register.EQUIPMENT, "vehicle.posted", detail=detail)
    return vehicle


async def retire_vehicle(
    session: AsyncSession, actor: Actor, vehicle_id: UUID, *, expected: int | None = None
) -> Vehicle:
    """The vehicle is no more: no unit has it, its plate is free; its past stays."""
    require(actor, Permission.UNIT_MANAGE)
    vehicle = await access_vehicle(session, vehicle_id, lock=True, expected=expected)
    at = now()
    query = select(VehiclePosting).where(VehiclePosting.vehicle_id == vehicle_id, VehiclePosting.until.is_(None))
    for posting in await session.scalars(query.with_for_update()):
        posting.until = at
    vehicle.retired_at = vehicle.retired_at or at
    vehicle.version += 1
    await turn_page(session, actor, Register.EQUIPMENT, "vehicle.retired", detail={"vehicle_id": str(vehicle_id)})
    return vehicle


async def _write(session: AsyncSession, vehicle: Vehicle, said: Papers) -> None:
    if plate := said.get("plate"):
        taken = select(Vehicle.id).where(
            func.lower(Vehicle.plate) == func.lower(plate), Vehicle.retired_at.is_(None), Vehicle.id != vehicle.id
        )
        if await session.scalar(taken):
            raise PlateTaken(plate=plate)
    for name, value in said.items():
        setattr(vehicle, name, value)
    vehicle.version += 1


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def all_vehicles(session: AsyncSession, actor: Actor) -> list[tuple[Vehicle, UUID | None]]:
    """Every vehicle in use with the unit that has it; for those who manage them. By plate."""
    require(actor, Permission.UNIT_MANAGE)
    query = (
        select(Vehicle, VehiclePosting.unit_id)
        .outerjoin(VehiclePosting, (VehiclePosting.vehicle_id == Vehicle.id) & VehiclePosting.until.is_(None))
        .where(Vehicle.retired_at.is_(None))
        .order_by(Vehicle.plate)
    )
    return [(vehicle, unit_id) for vehicle, unit_id in await session.execute(query)]


async def vehicles_of(session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime) -> dict[UUID, Vehicle]:
    """The vehicle that each unit had at a moment; units without one are not in it."""
    query = (
        select(VehiclePosting.unit_id, Vehicle)
        .join(Vehicle, Vehicle.id == VehiclePosting.vehicle_id)
        .where(VehiclePosting.unit_id.in_(unit_ids), VehiclePosting.since <= at)
        .where(or_(VehiclePosting.until.is_(None), VehiclePosting.until > at))
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def postings_of_unit(session: AsyncSession, unit_id: UUID) -> list[dict[str, Any]]:
    """Which vehicles a unit had, the last first: `{"vehicle_id", "plate", "since", "until", "by"}`."""
    return await _postings(session, VehiclePosting.unit_id == unit_id)


async def postings_of_vehicle(session: AsyncSession, actor: Actor, vehicle_id: UUID) -> list[dict[str, Any]]:
    """Which units had a vehicle, the last first: `{"unit_id", "call_sign", "since", "until", "by"}`."""
    require(actor, Permission.UNIT_MANAGE)
    await access_vehicle(session, vehicle_id)
    return await _postings(session, VehiclePosting.vehicle_id == vehicle_id)


async def _postings(session: AsyncSession, which: Any) -> list[dict[str, Any]]:
    query = (
        select(VehiclePosting, Vehicle.plate, Unit.call_sign)
        .join(Vehicle, Vehicle.id == VehiclePosting.vehicle_id)
        .join(Unit, Unit.id == VehiclePosting.unit_id)
        .where(which)
        .order_by(VehiclePosting.since.desc(), VehiclePosting.id)
        .limit(200)
    )
    return [
        {
            "vehicle_id": str(posting.vehicle_id),
            "plate": plate,
            "unit_id": str(posting.unit_id),
            "call_sign": call_sign,
            "since": posting.since,
            "until": posting.until,
            "by": posting.by,
        }
        for posting, plate, call_sign in await session.execute(query)
    ]


async def vehicle_gaps(
    session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime
) -> Mapping[UUID, Sequence[Gap]]:
    """What each unit's vehicle lacks at a moment: a paper that has run out blocks, one that soon will is a warning."""
    if not unit_ids:
        return {}
    found: dict[UUID, list[Gap]] = defaultdict(list)
    for unit_id, vehicle in (await vehicles_of(session, unit_ids, at)).items():
        found[unit_id] = papers_of(vehicle, at)
    return {unit_id: gaps for unit_id, gaps in found.items() if gaps}


def papers_of(vehicle: Vehicle, at: dt.datetime) -> list[Gap]:
    """The gaps of one vehicle's papers. A paper holds through the whole of its last day."""
    today = (at.astimezone(dt.UTC) - BEHIND).date()
    gaps = []
    for paper in PAPERS:
        until: dt.date | None = getattr(vehicle, f"{paper}_until")
        if until is None:
            continue
        facts = {"plate": vehicle.plate, "until": until.isoformat()}
        if until < today:
            gaps.append(Gap(f"{paper}_expired", facts))
        elif until - today <= SOON:
            gaps.append(Gap(f"{paper}_expiring", facts | {"days": (until - today).days}, blocks=False))
    return gaps
