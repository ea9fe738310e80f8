"""The city as a whole: where it lies on the map, and who is to be credited for its data."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.layers import MapLayer
from geo.zones import Zone


async def extent(session: AsyncSession) -> list[float] | None:
    """West, south, east, north of all zones (degrees, WGS 84); None before the city was drawn."""
    box = func.ST_Extent(Zone.shape)
    row = (
        await session.execute(
            select(func.ST_XMin(box), func.ST_YMin(box), func.ST_XMax(box), func.ST_YMax(box)).select_from(Zone)
        )
    ).one()
    return None if row[0] is None else [round(float(value), 6) for value in row]


async def attribution(session: AsyncSession) -> str:
    """The credits that every map must show."""
    credits = await session.scalars(select(MapLayer.attribution).where(MapLayer.attribution.is_not(None)).distinct())
    return " · ".join(sorted(credit for credit in credits if credit))
