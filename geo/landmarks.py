"""Landmarks: what people name instead of an address. A hospital, a square, a bridge, a school.

Each `source` (the city's OSM file, a list of facilities) keeps its own: laying one again leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import shapely
from sqlalchemy import Index, Text, delete
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.copying import copy_rows
from geo.layers import mark_layer
from geo.places import Shape, shape_checks
from realtime.database import Base

LANDMARKS = "landmarks"  # the name of this layer in `map_layers`


class Landmark(Base):
    """One named place. `kind` is a word of the Protomaps schema (`hospital police school park bus_station …`)."""

    __tablename__ = "landmarks"
    __table_args__ = (
        Index("ix_landmarks_shape", "shape", postgresql_using="gist"),
        Index("ix_landmarks_source", "source"),
        *shape_checks("shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    alt_names: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    address: Mapped[str | None]
    shape: Mapped[shapely.Point] = mapped_column(Shape("POINT"))


async def lay_landmarks(
    session: AsyncSession, source: str, landmarks: Iterable[Landmark], attribution: str | None = None
) -> None:
    """Replace all landmarks of one source."""
    await session.execute(delete(Landmark).where(Landmark.source == source))
    columns = ("id", "source", "kind", "name", "alt_names", "address", "shape")
    await copy_rows(session, "landmarks", columns, ([getattr(one, name) for name in columns] for one in landmarks))
    await mark_layer(session, LANDMARKS, attribution)
