"""Zones: the named areas a city thinks in. A point in a zone decides whose it is.

A zone counts while it is valid; expiry is judged when it is read, never by a job at night.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, Index, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.layers import mark_layer
from geo.places import Point, Shape, geojson, in_sql, shape_checks
from realtime.database import Base, now

ZONES = "zones"  # the name of this layer in `map_layers`
COLUMNS = ("kind", "name", "shape", "population", "valid_from", "valid_until")


class ZoneKind(StrEnum):
    """What a zone is for. Barrio and vecinal keep their names: no English word is the same thing."""

    BARRIO = "barrio"
    DISTRICT = "district"
    VECINAL = "vecinal"
    JURISDICTION = "jurisdiction"
    GRID = "grid"
    FLOOD = "flood"
    RISK = "risk"


class Zone(Base):
    """One area of one kind. Areas of a kind may touch or overlap; the smallest one names a place."""

    __tablename__ = "zones"
    __table_args__ = (
        Index("ix_zones_shape", "shape", postgresql_using="gist"),
        Index("ix_zones_kind", "kind"),
        # Real boundaries have far more vertices than anything a person draws.
        *shape_checks("shape", vertices=200_000),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    shape: Mapped[shapely.MultiPolygon] = mapped_column(Shape("MULTIPOLYGON"))
    population: Mapped[int | None]
    valid_from: Mapped[dt.datetime | None]
    valid_until: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


def multipolygon(shape: BaseGeometry) -> shapely.MultiPolygon:
    """The shape as zones are stored; a lone polygon becomes a multipolygon of one."""
    if isinstance(shape, shapely.Polygon):
        return shapely.MultiPolygon([shape])
    assert isinstance(shape, shapely.MultiPolygon)  # noqa: S101  (callers parse with these two allowed)
    return shape


async def lay_zones(session: AsyncSession, zones: Iterable[Zone]) -> int:
    """Put zones on the map, replacing those with the same id (and raising their version). Returns how many."""
    count = 0
    for zone in zones:
        row = {name: getattr(zone, name) for name in COLUMNS}
        put = insert(Zone).values(id=zone.id, version=1, **row)
        await session.execute(
            put.on_conflict_do_update(
                index_elements=[Zone.id],
                set_={**{name: put.excluded[name] for name in COLUMNS}, "version": Zone.version + 1},
            )
        )
        count += 1
    await mark_layer(session, ZONES)
    return count


def _valid(at: dt.datetime) -> ColumnElement[bool]:
    return and_(
        or_(Zone.valid_from.is_(None), Zone.valid_from <= at),
        or_(Zone.valid_until.is_(None), Zone.valid_until > at),
    )


async def zones_at(session: AsyncSession, place: Point, kind: str | None = None) -> Sequence[Zone]:
    """The zones that hold a point now, smallest first. A point on the border is in both."""
    query = (
        select(Zone)
        .where(func.ST_Covers(Zone.shape, in_sql(place)), _valid(now()))
        .order_by(func.ST_Area(Zone.shape), Zone.id)
    )
    if kind is not None:
        query = query.where(Zone.kind == kind)
    return (await session.scalars(query)).all()


async def zone_at(session: AsyncSession, place: Point, kind: str = ZoneKind.BARRIO) -> Zone | None:
    """The smallest zone of a kind that holds a point now."""
    return next(iter(await zones_at(session, place, kind)), None)


async def zones(session: AsyncSession, kind: str | None = None) -> Sequence[Zone]:
    """All zones in force, of one kind or of every kind."""
    query = select(Zone).where(_valid(now())).order_by(Zone.kind, Zone.name, Zone.id)
    return (await session.scalars(query.where(Zone.kind == kind) if kind else query)).all()


def zone_feature(zone: Zone) -> dict[str, Any]:
    """A zone as maps take it."""
    return {
        "type": "Feature",
        "id": str(zone.id),
        "geometry": geojson(zone.shape),
        "properties": {
            "id": str(zone.id),
            "kind": zone.kind,
            "name": zone.name,
            "population": zone.population,
            "version": zone.version,
        },
    }
