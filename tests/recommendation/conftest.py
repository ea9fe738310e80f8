"""The city of the tests on a small grid: M1 and M2 in the west, T1 in the east, P1 of the police."""

from __future__ import annotations

import datetime as dt

import pytest
from shapely import box
from sqlalchemy.ext.asyncio import AsyncSession

from geo.streets import Street, lay_streets
from geo.zones import Zone, ZoneKind, lay_zones, multipolygon
from realtime.database import new_id, now
from resources.positions import UnitPosition
from resources.tracks import Fix, write_history
from tests.builders import City
from tests.travel.towns import at, grid, spot

STANDS = {"M1": (1.0, 1.0), "M2": (2.0, 2.0), "T1": (7.0, 7.0), "P1": (4.0, 4.0)}
ZONE = "America/Argentina/Buenos_Aires"


async def place(session: AsyncSession, city: City, call_sign: str, x: float, y: float, age: float = 5.0) -> None:
    """A unit is seen somewhere, `age` seconds ago: its marker moves, and its history grows."""
    seen, where = now() - dt.timedelta(seconds=age), spot(x, y)
    marker = await session.get(UnitPosition, city.units[call_sign])
    if marker is None:
        marker = UnitPosition(unit_id=city.units[call_sign])
        session.add(marker)
    marker.lon, marker.lat, marker.fixed_at, marker.received_at = where.x, where.y, seen, seen
    await session.flush()
    await write_history(session, [Fix(city.units[call_sign], where.x, where.y, seen, seen)])


async def lay_town(session: AsyncSession, city: City) -> None:
    """Eight by eight blocks with two barrios, and everybody at his place."""
    links = grid(8, 8)
    streets = [
        Street(one.a_node, one.b_node, one.shape, one.kind, one.name, one.osm_id, one.oneway, one.speed_kmh)
        for one in links
    ]
    await lay_streets(session, streets, "© somebody")
    (west, south), (middle, north), (east, _) = at(-0.1, -0.1), at(4, 8.1), at(8.1, 0)
    for name, shape, people in (
        ("Poniente", box(west, south, middle, north), 8000),
        ("Levante", box(middle, south, east, north), 4000),
    ):
        zone = Zone(
            id=new_id(), kind=ZoneKind.BARRIO, name=name, shape=multipolygon(shape), population=people, version=1
        )
        await lay_zones(session, [zone])
    for call_sign, (x, y) in STANDS.items():
        await place(session, city, call_sign, x, y)


@pytest.fixture
async def town(session: AsyncSession, city: City) -> AsyncSession:
    """The town, in a transaction that is rolled back."""
    await lay_town(session, city)
    return session
