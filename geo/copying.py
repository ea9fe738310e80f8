"""Rows by the hundred thousand: COPY, in the session's own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import shapely
from psycopg import AsyncConnection
from shapely.geometry.base import BaseGeometry
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import WGS84


async def copy_rows(session: AsyncSession, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Put rows into `table` by COPY; shapely geometries are written as EWKB. Returns how many there were."""
    pooled = await (await session.connection()).get_raw_connection()
    wire = pooled.driver_connection
    assert isinstance(wire, AsyncConnection)  # noqa: S101  (Vigía speaks psycopg; COPY has no common API)
    count = 0
    into = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    async with wire.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            await copy.write_row([ewkb(value) if isinstance(value, BaseGeometry) else value for value in row])
            count += 1
    return count


def ewkb(shape: BaseGeometry) -> str:
    """A geometry as PostGIS reads it from text."""
    return str(shapely.to_wkb(shapely.set_srid(shape, WGS84), hex=True, include_srid=True))
