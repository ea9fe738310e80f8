"""Facilities: bases, hospitals, shelters, hydrants, cameras. Where help comes from, and where it goes.

They come from files; one that a later edition of its file no longer has is closed, and kept. Those that people name
instead of an address are landmarks too, laid in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import shapely
from sqlalchemy import ColumnElement, ForeignKey, Index, false, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.landmarks import Landmark, lay_landmarks
from geo.places import Shape, geojson, shape_checks
from realtime.access import OPERATIONS, Actor, Permission, Role, require
from realtime.database import Base, now

SOURCE = "facilities"  # of their landmarks


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
    closed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


# --- who may see ----------------------------------------------------------------------------------------


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Everybody with an account sees them, cameras only those who work with them."""
    if actor.role in OPERATIONS or actor.role in {Role.ADMINISTRATOR, Role.SYSTEM}:
        return true()
    return false() if actor.role is Role.NEIGHBOUR else Facility.kind != FacilityKind.CAMERA


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


def facility_feature(facility: Facility) -> dict[str, Any]:
    """A facility as maps take it."""
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
            "version": facility.version,
        },
    }
