"""The one door for places from outside, and how a place is stored, measured and written out.

WGS 84, longitude first, metres. Whatever a client, a file or a partner sends becomes a shapely geometry in
`parse_geometry` or is refused there: PostGIS and shapely both accept things that are not places at all
(`["1", "2"]`, `POINT EMPTY`, a `crs` that changes the SRID), and repairing what a stranger drew can hold a
server for minutes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import shapely
import structlog
from geoalchemy2 import Geography, Geometry, WKBElement
from geoalchemy2.shape import from_shape, to_shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity
from sqlalchemy import CheckConstraint, ColumnElement, Dialect, Float, and_, cast, func, literal
from sqlalchemy.types import TypeDecorator

from realtime.errors import Malformed

log = structlog.get_logger()

Point: TypeAlias = shapely.Point
Position: TypeAlias = tuple[float, float]
T = TypeVar("T")

WGS84 = 4326
DECIMALS = 7  # 1 cm, finer than any GPS a crew carries
MAX_BYTES = 64 * 1024
MAX_DEPTH = 6  # a MultiPolygon has five levels; one to spare
MAX_VERTICES = 2000  # the dearest validity check at this size takes milliseconds, measured in tests/geo
MIN_SQUARE_METRES = 1.0  # less than a doorstep is a slip of the hand
POLAR = 85.0  # degrees; nearer to a pole no map of ours is drawn and no distance of ours is right
EARTH_RADIUS = 6_371_008.8  # metres, mean
METRES_PER_DEGREE = math.pi * EARTH_RADIUS / 180


class BadGeometry(Malformed):
    """The place could not be understood."""


class NotGeometry(BadGeometry):
    """A place is a GeoJSON geometry: an object with `type` and `coordinates`, and nothing else."""


class GeometryTypeRefused(BadGeometry):
    """A {given} cannot be used here; use {allowed}."""


class CrsRefused(BadGeometry):
    """Coordinates are always WGS 84: leave `crs` out."""


class CoordinatesRefused(BadGeometry):
    """A position is [longitude, latitude] in plain finite numbers, with at most a height."""


class OutsideTheWorld(BadGeometry):
    """Longitude {longitude}, latitude {latitude} is not on Earth. Longitude goes first."""


class NullIsland(BadGeometry):
    """0, 0 is what a device says when it does not know where it is."""


class GeometryEmpty(BadGeometry):
    """The place is empty."""


class RingNotClosed(BadGeometry):
    """A ring has at least four positions and ends where it begins."""


class GeometryTooLarge(BadGeometry):
    """The place is too large: at most {limit} {what}."""

    status = 413


class GeometryTooSmall(BadGeometry):
    """The place is too small to be meant."""


class BoxRefused(BadGeometry):
    """A box is west,south,east,north in degrees."""


class ShapeInvalid(BadGeometry):
    """The shape crosses or touches itself: {why}."""


class ShapeTooWide(BadGeometry):
    """The shape is too wide: at most {limit} km² here."""


class OverTheEdge(BadGeometry):
    """A shape cannot go over the 180th meridian or reach a pole."""


# --- in -------------------------------------------------------------------------------------------------


def parse_geometry(
    raw: bytes | Mapping[str, Any],
    allowed: Collection[str] = frozenset({"Point"}),
    *,
    max_bytes: int = MAX_BYTES,
    max_vertices: int = MAX_VERTICES,
    max_square_metres: float | None = None,
) -> BaseGeometry:
    """The only way in for geometry from outside: GeoJSON → shapely, or a `BadGeometry` that says why not.

    `max_square_metres` is for areas that do something (a zone, a closure): nobody means half a country.
    """
    document = _read_json(raw, max_bytes) if isinstance(raw, bytes) else raw
    if not isinstance(document, Mapping):
        raise NotGeometry
    given = document.get("type")
    if not isinstance(given, str) or given not in allowed or given not in BUILDERS:
        raise GeometryTypeRefused(given=str(given)[:40], allowed=", ".join(sorted(allowed)))
    if "crs" in document:
        raise CrsRefused
    if not document.keys() <= {"type", "coordinates", "bbox"} or "coordinates" not in document:
        raise NotGeometry
    shape = BUILDERS[given](document["coordinates"], _Budget(max_vertices))
    if given != "Point":
        check_shape(shape, max_square_metres=max_square_metres)
    return shape


def parse_point(raw: bytes | Mapping[str, Any]) -> Point:
    """`parse_geometry` for the commonest case, typed."""
    shape = parse_geometry(raw)
    assert isinstance(shape, shapely.Point)  # noqa: S101  (nothing else is allowed by default)
    return shape


def point(longitude: float, latitude: float) -> Point:
    """A point from two numbers, under the same rules."""
    return shapely.Point(_position([longitude, latitude]))


def parse_box(raw: str) -> shapely.Polygon:
    """`west,south,east,north` as a query has it. Raises `BoxRefused`, `OutsideTheWorld`."""
    parts = raw.split(",")
    if len(raw) > 120 or len(parts) != 4:
        raise BoxRefused
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError as error:
        raise BoxRefused from error
    for longitude, latitude in ((west, south), (east, north)):
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise OutsideTheWorld(longitude=_shown(longitude), latitude=_shown(latitude))
    if west >= east or south >= north:
        raise BoxRefused
    return shapely.box(west, south, east, north)


def _read_json(raw: bytes, max_bytes: int) -> Any:
    """JSON without its traps: size and depth first, no NaN, no key twice, UTF-8 only."""
    if len(raw) > max_bytes:
        raise GeometryTooLarge(limit=max_bytes, what="bytes")
    depth = 0
    for bracket in re.finditer(rb"[\[\]{}]", raw):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > MAX_DEPTH:
            raise NotGeometry
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except ValueError as error:  # also bad UTF-8 and integers of thousands of digits
        raise NotGeometry from error


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of a document with a key twice need not agree which one counts."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise NotGeometry
    return document


def _no_constant(_: str) -> float:
    raise CoordinatesRefused


class _Budget:
    """Counts vertices while reading, so that a bomb is refused before anything is built from it."""

    def __init__(self, vertices: int) -> None:
        self.limit = self.left = vertices

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise GeometryTooLarge(limit=self.limit, what="vertices")


def _position(raw: object, budget: _Budget | None = None) -> Position:
    if budget:
        budget.spend()
    if not isinstance(raw, list | tuple):
        raise CoordinatesRefused
    if not raw:
        raise GeometryEmpty
    if not 2 <= len(raw) <= 3 or any(type(number) not in (int, float) for number in raw):
        raise CoordinatesRefused  # `type() in`, because True is an int to isinstance
    if any(isinstance(number, float) and not math.isfinite(number) for number in raw):
        raise CoordinatesRefused
    longitude, latitude = raw[0], raw[1]
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise OutsideTheWorld(longitude=_shown(longitude), latitude=_shown(latitude))
    if len(raw) == 3 and not -12_000 <= raw[2] <= 100_000:  # metres, Challenger Deep to the edge of space
        raise CoordinatesRefused
    place = (round(float(longitude), DECIMALS) + 0.0, round(float(latitude), DECIMALS) + 0.0)  # -0.0 + 0.0 = 0.0
    if place == (0.0, 0.0):
        raise NullIsland
    return place


def _shown(number: float) -> str:
    """A number for a message: an integer of a thousand digits stays out of it."""
    return f"{number:.6g}" if abs(number) < 1e15 else "?"


def _many(raw: object, each: Callable[[object, _Budget], T], budget: _Budget, least: int = 1) -> list[T]:
    if not isinstance(raw, list | tuple):
        raise CoordinatesRefused
    if not raw:
        raise GeometryEmpty
    if len(raw) < least:
        raise CoordinatesRefused
    return [each(item, budget) for item in raw]


def _line(raw: object, budget: _Budget) -> list[Position]:
    return _many(raw, _position, budget, least=2)


def _ring(raw: object, budget: _Budget) -> list[Position]:
    ring = _many(raw, _position, budget)
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise RingNotClosed
    return ring


def _polygon(raw: object, budget: _Budget) -> shapely.Polygon:
    shell, *holes = _many(raw, _ring, budget)
    return shapely.Polygon(shell, holes)


BUILDERS: dict[str, Callable[[object, _Budget], BaseGeometry]] = {
    "Point": lambda raw, budget: shapely.Point(_position(raw, budget)),
    "MultiPoint": lambda raw, budget: shapely.MultiPoint(_many(raw, _position, budget)),
    "LineString": lambda raw, budget: shapely.LineString(_line(raw, budget)),
    "MultiLineString": lambda raw, budget: shapely.MultiLineString(_many(raw, _line, budget)),
    "Polygon": _polygon,
    "MultiPolygon": lambda raw, budget: shapely.MultiPolygon(_many(raw, _polygon, budget)),
}


def check_shape(shape: BaseGeometry, *, max_square_metres: float | None = None) -> None:
    """What a line or an area must be: checked, never repaired. Its vertices were counted before.

    Also for what a file reader made; raises `BadGeometry`.
    """
    if shape.is_empty:
        raise GeometryEmpty
    if not is_finite(shape):
        raise CoordinatesRefused
    west, south, east, north = shape.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise OutsideTheWorld(longitude=_shown(west), latitude=_shown(south))
    if east - west > 180 or south < -POLAR or north > POLAR:
        raise OverTheEdge
    if not shape.is_valid:
        raise ShapeInvalid(why=explain_validity(shape)[:120])
    if shape.geom_type.endswith("LineString") and west == east and south == north:
        raise GeometryTooSmall
    if shape.geom_type.endswith("Polygon"):
        area = square_metres(shape)
        if area < MIN_SQUARE_METRES:
            raise GeometryTooSmall
        if max_square_metres is not None and area > max_square_metres:
            raise ShapeTooWide(limit=round(max_square_metres / 1e6, 3))


def is_finite(shape: BaseGeometry) -> bool:
    """Whether every coordinate is a number; of `NaN` neither shapely nor PostGIS says anything useful."""
    return bool(np.isfinite(shapely.get_coordinates(shape)).all())


# --- measured -------------------------------------------------------------------------------------------


def metres(one: Point, other: Point) -> float:
    """Great-circle distance; at city scale within half a per cent of the ellipsoid."""
    return haversine(one.x, one.y, other.x, other.y)


def haversine(west: float, south: float, east: float, north: float) -> float:
    """Metres between two positions given as bare numbers."""
    lat1, lat2 = math.radians(south), math.radians(north)
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(east - west) / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(half)))


def square_metres(shape: BaseGeometry) -> float:
    """Area, good enough to tell a block from a slip of the hand."""
    _, south, _, north = shape.bounds
    squeeze = math.cos(math.radians((south + north) / 2))
    return float(shape.area) * METRES_PER_DEGREE**2 * squeeze


# --- stored ---------------------------------------------------------------------------------------------


class Shape(TypeDecorator[BaseGeometry]):
    """A column of shapely geometries in PostGIS, `Shape("POINT")`.

    It makes no spatial index: say `Index(..., "shape", postgresql_using="gist")` where one is wanted.
    """

    impl = Geometry
    cache_ok = True

    def __init__(self, kind: str = "POINT") -> None:
        """`kind` is the PostGIS type name; PostGIS refuses any other in this column."""
        super().__init__(kind, srid=WGS84, spatial_index=False)

    def process_bind_param(self, value: BaseGeometry | None, dialect: Dialect) -> WKBElement | None:  # noqa: ARG002
        """Shapely → PostGIS."""
        return None if value is None else from_shape(value, WGS84)

    def process_result_value(self, value: WKBElement | None, dialect: Dialect) -> BaseGeometry | None:  # noqa: ARG002
        """PostGIS → shapely. What is no shape is handed on as it is; whoever writes it out leaves it out."""
        with np.errstate(invalid="ignore"):
            return None if value is None else to_shape(value)


def shape_checks(column: str, *, vertices: int = MAX_VERTICES) -> tuple[CheckConstraint, ...]:
    """The wall behind the door, for `__table_args__`: on Earth, not empty, not endless, all of it numbers.

    Emptiness needs its own check: of an empty geometry every bound is NULL, and a CHECK lets NULL pass. So does
    NaN: bounds pass over a vertex in the middle that is none, but its length is NaN, which is greater than all.
    """
    return (
        CheckConstraint(f"NOT ST_IsEmpty({column})", name=f"{column}_not_empty"),
        CheckConstraint(
            f"ST_XMin({column}) >= -180 AND ST_XMax({column}) <= 180"
            f" AND ST_YMin({column}) >= -90 AND ST_YMax({column}) <= 90",
            name=f"{column}_on_earth",
        ),
        CheckConstraint(f"ST_NPoints({column}) <= {vertices}", name=f"{column}_not_endless"),
        CheckConstraint(sound(column), name=f"{column}_finite"),
    )


def sound(column: str) -> str:
    """SQL that is true of a shape whose every coordinate is a number. GEOS raises at others, and ends the query."""
    return f"ST_Length({column}) + ST_Perimeter({column}) < 'Infinity'"


def is_sound(column: ColumnElement[Any] | Any) -> ColumnElement[bool]:
    """`sound` for a query that reads shapes into memory: one row that is none must not cost all the others."""
    return (func.ST_Length(column) + func.ST_Perimeter(column)) < cast(literal("Infinity"), Float)


def in_sql(shape: BaseGeometry) -> ColumnElement[Any]:
    """A shape as a value inside a query."""
    return literal(shape, Shape("GEOMETRY"))


def metres_to(column: ColumnElement[Any] | Any, shape: BaseGeometry) -> ColumnElement[float]:
    """Metres from a column to a shape, on the ellipsoid. For what `near` has already narrowed down."""
    return cast(func.ST_Distance(cast(column, Geography), cast(in_sql(shape), Geography)), Float)


def near(column: ColumnElement[Any] | Any, shape: BaseGeometry, within: float) -> ColumnElement[bool]:
    """True within so many metres. The box goes first: it is what the index can answer."""
    west, south, east, north = shape.bounds
    tall = within / METRES_PER_DEGREE * 1.01  # a hundredth more, as the ellipsoid is no sphere
    wide = tall / max(0.01, math.cos(math.radians(max(abs(south), abs(north)))))
    box = func.ST_MakeEnvelope(west - wide, south - tall, east + wide, north + tall, WGS84)
    return and_(
        column.op("&&")(box),
        is_sound(column),
        func.ST_DWithin(cast(column, Geography), cast(in_sql(shape), Geography), within),
    )


# --- out ------------------------------------------------------------------------------------------------


def geojson(shape: BaseGeometry | None) -> dict[str, Any] | None:
    """A GeoJSON geometry, rounded; null where the place is not known.

    A row that is no place after all (it came in past the door and the wall) is null too, and said in the log: one
    NaN would make the whole answer unreadable.
    """
    if shape is None:
        return None
    if shape.is_empty or not is_finite(shape):
        log.error("places.not_a_place", shape=shape.wkt[:80])
        return None
    if isinstance(shape, shapely.Point):
        return {"type": "Point", "coordinates": [round(shape.x, DECIMALS), round(shape.y, DECIMALS)]}
    return {"type": shape.geom_type, "coordinates": _rounded(shapely.geometry.mapping(shape)["coordinates"])}


def _rounded(numbers: Sequence[Any]) -> list[Any]:
    return [_rounded(n) if isinstance(n, list | tuple) else round(n, DECIMALS) for n in numbers]
