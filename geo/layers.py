"""The layers of the base map: which edition of each is in the database, and the areas drawn under the streets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import uuid4

from shapely.geometry.base import BaseGeometry
from sqlalchemy import BigInteger, Identity, Index, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.copying import copy_rows
from geo.places import Shape, shape_checks
from realtime.database import Base, now


class MapLayer(Base):
    """Which edition of a layer is in the database. `edition` is new after every change, on every database."""

    __tablename__ = "map_layers"

    name: Mapped[str] = mapped_column(primary_key=True)
    edition: Mapped[str]
    attribution: Mapped[str | None]
    changed_at: Mapped[dt.datetime]


class MapArea(Base):
    """Something on the base map that is no street: land, water, a park, a building, the name of a suburb.

    `layer`, `kind` and `kind_detail` are words of the Protomaps schema (`earth landuse water buildings places
    boundaries`, and of `roads` what is no street: rails, footpaths, piers). `rank` is what decides who is drawn
    first: a place's population, a building's height in metres.
    """

    __tablename__ = "map_areas"
    __table_args__ = (
        Index("ix_map_areas_shape", "shape", postgresql_using="gist"),
        *shape_checks("shape", vertices=1_000_000),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    layer: Mapped[str]
    kind: Mapped[str]
    kind_detail: Mapped[str | None]
    name: Mapped[str | None]
    rank: Mapped[int | None]
    shape: Mapped[BaseGeometry] = mapped_column(Shape("GEOMETRY"))


async def lay_areas(session: AsyncSession, layer: str, areas: Iterable[MapArea], attribution: str) -> None:
    """Replace all areas of one layer, by COPY."""
    await session.execute(delete(MapArea).where(MapArea.layer == layer))
    columns = ("layer", "kind", "kind_detail", "name", "rank", "shape")
    await copy_rows(session, "map_areas", columns, ([getattr(one, name) for name in columns] for one in areas))
    await mark_layer(session, layer, attribution)


async def mark_layer(session: AsyncSession, name: str, attribution: str | None = None) -> None:
    """Say that a layer has changed: tiles and networks made from the old edition are stale from now on.

    Who lays a part of a layer and names nobody takes the credit of the rest from no one.
    """
    row = {"edition": uuid4().hex[:12], "changed_at": now()} | ({"attribution": attribution} if attribution else {})
    put = insert(MapLayer).values(name=name, **row)
    await session.execute(put.on_conflict_do_update(index_elements=[MapLayer.name], set_=row))


async def edition_of(session: AsyncSession, *names: str) -> str:
    """The editions of some layers, or of all, as one short text; empty when there are none yet."""
    query = select(MapLayer.edition).order_by(MapLayer.name)
    return "-".join((await session.scalars(query.where(MapLayer.name.in_(names)) if names else query)).all())
