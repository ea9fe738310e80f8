"""Facilities: bases, hospitals, shelters, hydrants, cameras. Where help comes from, and where it goes.

They come from files, or are put on the map by hand; one that a later edition of its file no longer has is closed, and
kept. Those that people name instead of an address are landmarks too, laid in the same transaction. What a facility has
room for (beds of each kind, places of a shelter) is told by those who count it, with its age: an old number is shown as
old and never as none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any, TypedDict, Unpack
from uuid import UUID

import shapely
from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, Text, false, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.landmarks import Landmark, lay_landmarks
from geo.places import Shape, geojson, shape_checks
from realtime.access import OPERATIONS, Actor, Permission, Role, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotAllowed, NotFound, VersionMismatch
from realtime.registers import Register, turn_page
from resources.organizations import access_organization

SOURCE = "facilities"  # of their landmarks
BY_HAND = "hand"  # the source of those that came from no file
MOST_PLACES = 100_000


class FacilityClosed(Malformed):
    """That facility is closed."""

    status = 409


class CountRefused(Malformed):
    """Of {total} places {free} cannot be free."""


class FacilityKind(StrEnum):
    """What a facility is. Vecinal keeps its name: the seat of a neighbourhood association."""

    BASE = "base"
    CAMERA = "camera"
    CLINIC = "clinic"
    FIRE_STATION = "fire_station"
    HOSPITAL = "hospital"
    HYDRANT = "hydrant"
    POLICE = "police"
    SCHOOL = "school"
    SHELTER = "shelter"
    VECINAL = "vecinal"


K = FacilityKind
NOT_NAMED = frozenset({K.CAMERA, K.HYDRANT})  # nobody gives one as an address, and a camera's place is not public
LANDMARK_KINDS = {K.BASE: "ambulance_station", K.VECINAL: "community_centre"}  # else the same word


class Facility(Base):
    """One facility. `source` and `source_key` find it again in the next edition of its file; `attributes` hold
    nothing about anybody."""

    __tablename__ = "facilities"
    __table_args__ = (
        Index("ix_facilities_shape", "shape", postgresql_using="gist"),
        Index("ix_facilities_kind_source_key", "kind", "source", "source_key", unique=True),
        *shape_checks("shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    address: Mapped[str | None]
    shape: Mapped[shapely.Point] = mapped_column(Shape("POINT"))
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"))
    source: Mapped[str]
    source_key: Mapped[str]
    attributes: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    flow_l_min: Mapped[int | None]
    out_of_service_since: Mapped[dt.datetime | None]
    out_of_service_reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    closed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class Capacity(Base):
    """Room of one kind in a facility: `guardia`, `UTI`, `pediatría`, `quemados`, `plazas`. `free` of `total`, as
    counted at `updated_at`; `total` None: nobody has told how many there are."""

    __tablename__ = "facility_capacities"
    __table_args__ = (
        CheckConstraint("free >= 0 AND (total IS NULL OR free <= total)", name="counts"),
        CheckConstraint(f"total BETWEEN 0 AND {MOST_PLACES}", name="total"),
    )

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    total: Mapped[int | None]
    free: Mapped[int]
    note: Mapped[str] = mapped_column(Text, default="")
    updated_at: Mapped[dt.datetime]
    updated_by: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)


class Amendment(TypedDict, total=False):
    """What may be changed of a facility. `out_of_service` is the reason; None: it works."""

    kind: FacilityKind
    name: str
    address: str | None
    place: shapely.Point
    organization_id: UUID | None
    note: str
    flow_l_min: int | None
    out_of_service: str | None


LANDMARKS_CHANGE = {"kind", "name", "address", "place"}


# --- who may see ----------------------------------------------------------------------------------------


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Everybody with an account sees them, cameras only those who work with them."""
    if actor.role in OPERATIONS or actor.role in {Role.ADMINISTRATOR, Role.SYSTEM}:
        return true()
    return false() if actor.role is Role.NEIGHBOUR else Facility.kind != FacilityKind.CAMERA


def may_keep(actor: Actor, facility: Facility) -> bool:
    """Who tells how it stands in a facility: those who may at all, and the agency whose it is."""
    if actor.may(Permission.FACILITY_UPDATE):
        return True
    return actor.role is Role.AGENCY and facility.organization_id == actor.organization_id is not None


async def access_facility(session: AsyncSession, facility_id: UUID) -> Facility:
    """An open facility for a verb of another concept that has asked. Raises `NotFound` and `FacilityClosed`."""
    facility = await session.get(Facility, facility_id)
    if facility is None:
        raise NotFound
    if facility.closed_at is not None:
        raise FacilityClosed
    return facility


async def access_kept(
    session: AsyncSession, actor: Actor, facility_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Facility:
    """The way to an open facility: it must be visible. `lock` is for those who change it: they must keep it too."""
    query = select(Facility).where(Facility.id == facility_id, visible_to(actor))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    facility = (await session.scalars(query)).first()
    if facility is None:
        raise NotFound
    if lock and not may_keep(actor, facility):
        raise NotAllowed(permission=Permission.FACILITY_UPDATE.value)
    if facility.closed_at is not None:
        raise FacilityClosed
    if expected is not None and expected != facility.version:
        raise VersionMismatch(expected=expected, current=facility.version)
    return facility


# --- verbs ----------------------------------------------------------------------------------------------

LAID = ("name", "address", "shape", "attributes")


async def lay_facilities(
    session: AsyncSession, actor: Actor, facilities: Collection[Facility], *, closing: Collection[UUID] = ()
) -> None:
    """Put facilities on the map; those whose id is there change in place, `closing` names those that are no more."""
    require(actor, Permission.ZONE_EDIT)
    ids = [*(facility.id for facility in facilities), *closing]
    query = select(Facility).where(Facility.id.in_(ids)).order_by(Facility.id).with_for_update(key_share=True)
    there = {facility.id: facility for facility in await session.scalars(query)}
    for facility in facilities:
        known = there.get(facility.id)
        if known is None:
            session.add(facility)
            continue
        for name in (*LAID, "source_key"):
            setattr(known, name, getattr(facility, name))
        known.closed_at = None
        known.version += 1
    for facility_id in closing:
        there[facility_id].closed_at = now()
        there[facility_id].version += 1
    await session.flush()
    await _lay_landmarks(session)
    counts = {"laid": len(facilities), "closed": len(closing)}
    await turn_page(session, actor, Register.FACILITIES, "facility.laid", detail=counts)


async def add_facility(session: AsyncSession, actor: Actor, facility_id: UUID, **said: Unpack[Amendment]) -> Facility:
    """Put a facility on the map by hand; its kind, its name and its place must be said."""
    require(actor, Permission.FACILITY_UPDATE)
    if await session.scalar(select(Facility.id).where(Facility.id == facility_id)):
        raise AlreadyExists
    facility = Facility(
        id=facility_id, address=None, source=BY_HAND, source_key=str(facility_id), attributes={}, note="", version=0
    )
    await _write(session, facility, said)
    session.add(facility)
    await session.flush()
    await _lay_landmarks(session)
    await _turn(session, actor, "facility.added", facility, {"kind": facility.kind})
    return facility


async def amend_facility(
    session: AsyncSession, actor: Actor, facility_id: UUID, *, expected: int | None = None, **said: Unpack[Amendment]
) -> Facility:
    """Change what is said of a facility; the rest stays. Whose it is, is said by those who may do so anywhere."""
    facility = await access_kept(session, actor, facility_id, lock=True, expected=expected)
    if {"organization_id", "kind"} & said.keys():
        require(actor, Permission.FACILITY_UPDATE)
    await _write(session, facility, said)
    await session.flush()
    if LANDMARKS_CHANGE & said.keys():
        await _lay_landmarks(session)
    await _turn(session, actor, "facility.amended", facility, {"fields": sorted(said)})
    return facility


async def close_facility(
    session: AsyncSession, actor: Actor, facility_id: UUID, *, expected: int | None = None
) -> Facility:
    """It is no more; units keep the words of their base."""
    require(actor, Permission.FACILITY_UPDATE)
    facility = await access_kept(session, actor, facility_id, lock=True, expected=expected)
    facility.closed_at = now()
    facility.version += 1
    await session.flush()
    await _lay_landmarks(session)
    await _turn(session, actor, "facility.closed", facility, {"kind": facility.kind})
    return facility


async def set_capacity(
    session: AsyncSession,
    actor: Actor,
    facility_id: UUID,
    kind: str,
    *,
    total: int | None,
    free: int,
    note: str = "",
) -> Capacity:
    """Tell how much room of a kind there is, counted now. Raises `CountRefused`."""
    await access_kept(session, actor, facility_id, lock=True)
    if total is not None and free > total:
        raise CountRefused(total=total, free=free)
    capacity = await _capacity(session, facility_id, kind)
    if capacity is None:
        capacity = Capacity(facility_id=facility_id, kind=kind, version=0)
        session.add(capacity)
    capacity.total, capacity.free, capacity.note = total, free, note
    await _counted(session, actor, capacity)
    return capacity


async def change_capacity(session: AsyncSession, actor: Actor, facility_id: UUID, kind: str, *, by: int) -> Capacity:
    """So many more are free, or fewer: two people who count at once are both right. Raises `CountRefused`."""
    await access_kept(session, actor, facility_id, lock=True)
    capacity = await _capacity(session, facility_id, kind)
    if capacity is None:
        raise NotFound
    free = capacity.free + by
    most = MOST_PLACES if capacity.total is None else capacity.total
    if not 0 <= free <= most:
        raise CountRefused(total=most, free=free)
    capacity.free = free
    await _counted(session, actor, capacity)
    return capacity


async def drop_capacity(session: AsyncSession, actor: Actor, facility_id: UUID, kind: str) -> None:
    """A facility has no room of this kind."""
    await access_kept(session, actor, facility_id, lock=True)
    capacity = await _capacity(session, facility_id, kind)
    if capacity is None:
        raise NotFound
    await session.delete(capacity)
    detail = {"facility_id": str(facility_id), "capacity": kind}
    await turn_page(session, actor, Register.FACILITIES, "facility.capacity_dropped", detail=detail)


async def _capacity(session: AsyncSession, facility_id: UUID, kind: str) -> Capacity | None:
    return await session.get(Capacity, (facility_id, kind), populate_existing=True)


async def _counted(session: AsyncSession, actor: Actor, capacity: Capacity) -> None:
    capacity.updated_at, capacity.updated_by = now(), actor.name
    capacity.version += 1
    counts = {"capacity": capacity.kind, "free": capacity.free, "total": capacity.total}
    detail = {"facility_id": str(capacity.facility_id)} | counts
    await turn_page(session, actor, Register.FACILITIES, "facility.counted", detail=detail)


async def _write(session: AsyncSession, facility: Facility, said: Amendment) -> None:
    if said.get("organization_id"):
        await access_organization(session, said["organization_id"])  # type: ignore[arg-type]
    for name, value in said.items():
        if name == "place":
            facility.shape = said["place"]
        elif name == "out_of_service":
            reason = said["out_of_service"]
            facility.out_of_service_since = None if reason is None else (facility.out_of_service_since or now())
            facility.out_of_service_reason = reason or ""
        else:
            setattr(facility, name, value)
    facility.version += 1


async def _turn(session: AsyncSession, actor: Actor, kind: str, facility: Facility, detail: dict[str, Any]) -> None:
    await turn_page(session, actor, Register.FACILITIES, kind, detail={"facility_id": str(facility.id)} | detail)


async def _lay_landmarks(session: AsyncSession) -> None:
    await lay_landmarks(session, SOURCE, [_landmark(one) for one in await _named(session)])


async def _named(session: AsyncSession) -> Sequence[Facility]:
    query = select(Facility).where(Facility.closed_at.is_(None), Facility.kind.not_in(NOT_NAMED))
    return (await session.scalars(query.order_by(Facility.id))).all()


def _landmark(facility: Facility) -> Landmark:
    kind = LANDMARK_KINDS.get(FacilityKind(facility.kind), facility.kind)
    words = {"name": facility.name, "alt_names": [], "address": facility.address, "shape": facility.shape}
    return Landmark(id=facility.id, source=SOURCE, kind=kind, **words)


# --- reading --------------------------------------------------------------------------------------------


async def facilities(session: AsyncSession, actor: Actor, kind: str | None = None) -> Sequence[Facility]:
    """Those that are open, of one kind or of every kind, by their names."""
    query = select(Facility).where(Facility.closed_at.is_(None), visible_to(actor))
    query = query.where(Facility.kind == kind) if kind else query
    return (await session.scalars(query.order_by(Facility.kind, Facility.name, Facility.id))).all()


async def from_source(session: AsyncSession, kind: str, source: str) -> Sequence[Facility]:
    """Everything that came from a file, closed ones too."""
    query = select(Facility).where(Facility.kind == kind, Facility.source == source).order_by(Facility.id)
    return (await session.scalars(query)).all()


async def capacities_of(
    session: AsyncSession, actor: Actor, facility_ids: Collection[UUID]
) -> dict[UUID, list[Capacity]]:
    """Room by facility, by kind; neighbourhood organizations see where help is and not how full it is."""
    if actor.role is Role.NEIGHBOURHOOD or not facility_ids:
        return {}
    query = select(Capacity).where(Capacity.facility_id.in_(facility_ids)).order_by(Capacity.kind)
    found: dict[UUID, list[Capacity]] = {}
    for capacity in await session.scalars(query):
        found.setdefault(capacity.facility_id, []).append(capacity)
    return found


def capacity_document(capacity: Capacity) -> dict[str, Any]:
    """Room of one kind, as the API answers it."""
    return {
        "kind": capacity.kind,
        "total": capacity.total,
        "free": capacity.free,
        "note": capacity.note,
        "updated_at": capacity.updated_at.isoformat(),
        "updated_by": capacity.updated_by,
        "version": capacity.version,
    }


def facility_feature(actor: Actor, facility: Facility, capacities: Sequence[Capacity] = ()) -> dict[str, Any]:
    """A facility as maps take it; its note is for those who work with it."""
    since = facility.out_of_service_since
    return {
        "type": "Feature",
        "id": str(facility.id),
        "geometry": geojson(facility.shape),
        "properties": {
            "id": str(facility.id),
            "kind": facility.kind,
            "name": facility.name,
            "address": facility.address,
            "organization_id": str(facility.organization_id) if facility.organization_id else None,
            "attributes": facility.attributes,
            "by_hand": facility.source == BY_HAND,
            "note": facility.note if actor.role not in {Role.NEIGHBOURHOOD, Role.WALL} else "",
            "flow_l_min": facility.flow_l_min,
            "out_of_service": {"since": since.isoformat(), "reason": facility.out_of_service_reason} if since else None,
            "capacities": [capacity_document(one) for one in capacities],
            "version": facility.version,
        },
    }
