"""Numbering: where the doors of a street are known to be. What lies between two known doors is worked out from them."""

from __future__ import annotations

from collections.abc import Iterable

import shapely
from sqlalchemy import BigInteger, Identity, Index, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.copying import copy_rows
from geo.layers import mark_layer
from geo.places import Shape, shape_checks
from realtime.database import Base

NUMBERING = "numbering"  # the name of this layer in `map_layers`


class AddressPoint(Base):
    """A door whose number is known. `street` is as its source writes it; `suffix` is a letter or "bis"."""

    __tablename__ = "address_points"
    __table_args__ = (
        Index("ix_address_points_shape", "shape", postgresql_using="gist"),
        Index("ix_address_points_street", "street"),
        *shape_checks("shape"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    osm_id: Mapped[int | None] = mapped_column(BigInteger)
    street: Mapped[str]
    number: Mapped[int]
    suffix: Mapped[str | None]
    shape: Mapped[shapely.Point] = mapped_column(Shape("POINT"))


async def lay_address_points(session: AsyncSession, points: Iterable[AddressPoint], attribution: str) -> None:
    """Replace all known doors."""
    await session.execute(delete(AddressPoint))
    columns = ("osm_id", "street", "number", "suffix", "shape")
    await copy_rows(session, "address_points", columns, ([getattr(one, name) for name in columns] for one in points))
    await mark_layer(session, NUMBERING, attribution)
