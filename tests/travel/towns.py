"""Towns small enough to check by hand: a grid of blocks of 100 m, driven at 36 km/h, ten metres a second."""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely

from geo.network import Link
from geo.places import METRES_PER_DEGREE, Point, Position

SOUTH, WEST = -32.95, -60.65
NORTHWARD = 100 / METRES_PER_DEGREE
EASTWARD = NORTHWARD / math.cos(math.radians(SOUTH))


def at(x: float, y: float) -> Position:
    """So many blocks east and north of the corner of the town."""
    return (WEST + x * EASTWARD, SOUTH + y * NORTHWARD)


def spot(x: float, y: float) -> Point:
    """The same as a point."""
    return Point(at(x, y))


def node(x: int, y: int) -> int:
    """The number of a corner."""
    return 100 * y + x + 1


def street(
    *corners: tuple[int, int],
    name: str | None = None,
    oneway: bool = False,
    kmh: float = 36,
    kind: str = "residential",
    access: str = "all",
    osm_id: int | None = None,
) -> Link:
    """One link from the first corner to the last, straight over those between."""
    return Link(
        node(*corners[0]),
        node(*corners[-1]),
        shapely.LineString([at(*corner) for corner in corners]),
        kind,
        name,
        oneway,
        kmh,
        access,
        osm_id,
    )


def grid(width: int, height: int, *, without: Sequence[frozenset[tuple[int, int]]] = ()) -> list[Link]:
    """Two-way streets: `Calle n` runs east in row n, `Avenida n` north in column n. Ways are numbered by their name."""
    links = []
    for y in range(height + 1):
        for x in range(width + 1):
            for other, name, way in (((x + 1, y), f"Calle {y}", 1000 + y), ((x, y + 1), f"Avenida {x}", 2000 + x)):
                inside = other[0] <= width and other[1] <= height
                if inside and frozenset({(x, y), other}) not in without:
                    links.append(street((x, y), other, name=name, osm_id=way))
    return links


def line(*positions: tuple[float, float]) -> shapely.LineString:
    """A line drawn over the town, in blocks."""
    return shapely.LineString([at(*position) for position in positions])


def area(*positions: tuple[float, float]) -> shapely.Polygon:
    """An area drawn over the town, in blocks."""
    return shapely.Polygon([at(*position) for position in positions])
