"""The city as a whole: its name, where it lies on the map, and who is to be credited for its data."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, SmallInteger, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.layers import MapLayer, edition_of
from geo.streets import STREETS
from geo.zones import Zone
from realtime.database import Base


class City(Base):
    """The one city of this installation: its name, and the file that its map was made from."""

    __tablename__ = "cities"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, default=1)
    name: Mapped[str]
    source: Mapped[str]
    made_at: Mapped[dt.datetime]


async def present_city(session: AsyncSession) -> City | None:
    """The city of this installation, if it has one."""
    return (await session.scalars(select(City))).first()


# A city is where its streets are: zones reach far into the country, and a map of hills helps nobody.
# One part in fifty is left out at each side, so that a lone road does not set the frame.
_DENSE = text("""
    SELECT percentile_disc(ARRAY[0.02, 0.98]) WITHIN GROUP (ORDER BY ST_X(ST_StartPoint(shape))) AS lon,
           percentile_disc(ARRAY[0.02, 0.98]) WITHIN GROUP (ORDER BY ST_Y(ST_StartPoint(shape))) AS lat
    FROM street_links
""")
_frames: dict[str, list[float]] = {}  # by the edition of the streets


async def extent(session: AsyncSession) -> list[float] | None:
    """West, south, east, north of the city (degrees, WGS 84); None before it was drawn."""
    edition = await edition_of(session, STREETS)
    if edition in _frames:
        return _frames[edition]
    row = (await session.execute(_DENSE)).one()
    if row.lon is None:
        return await _zones_extent(session)
    frame = [round(float(degrees), 6) for degrees in (row.lon[0], row.lat[0], row.lon[1], row.lat[1])]
    _frames.clear()
    _frames[edition] = frame
    return frame


async def _zones_extent(session: AsyncSession) -> list[float] | None:
    box = func.ST_Extent(Zone.shape)
    corners = select(func.ST_XMin(box), func.ST_YMin(box), func.ST_XMax(box), func.ST_YMax(box)).select_from(Zone)
    row = (await session.execute(corners)).one()
    return None if row[0] is None else [round(float(degrees), 6) for degrees in row]


async def attribution(session: AsyncSession) -> str:
    """The credits that every map must show."""
    found = await session.scalars(select(MapLayer.attribution).where(MapLayer.attribution.is_not(None)).distinct())
    return " · ".join(sorted(credit for credit in found if credit))
