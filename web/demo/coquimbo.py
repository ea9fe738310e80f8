"""The streets and zones of La Serena and Coquimbo, out of the file that AequilibraE ships.

The file is a SpatiaLite database in a zip, with data of OpenStreetMap (ODbL). Standard-library sqlite3 reads it;
its geometry blobs are WKB in another wrapping, undone here.
"""

from __future__ import annotations

import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geo.streets import Street

ATTRIBUTION = "© OpenStreetMap contributors (ODbL), network prepared by AequilibraE"
INNER_WHEEL_PATH = "aequilibrae/reference_files/coquimbo.zip"
DATABASE = "project_database.sqlite"


@dataclass(frozen=True, slots=True)
class CensusZone:
    """A zone of the traffic model: an area with people and no name."""

    number: int
    population: int
    shape: shapely.MultiPolygon


def read_streets(database: sqlite3.Connection) -> list[Street]:
    """All real links; a one-way link that runs against its line is turned round."""
    rows = database.execute(
        "SELECT osm_id, a_node, b_node, direction, link_type, name, speed_ab, speed_ba, geometry FROM links"
        " WHERE link_type <> 'centroid_connector' ORDER BY link_id"
    )
    return [_street(row) for row in rows]


def _street(row: tuple[Any, ...]) -> Street:
    osm_id, a_node, b_node, direction, kind, name, speed_ab, speed_ba, blob = row
    shape = from_spatialite(blob)
    assert isinstance(shape, shapely.LineString)  # noqa: S101  (the table's declared type)
    if direction == -1:
        a_node, b_node, shape = b_node, a_node, shape.reverse()
    return Street(
        a_node=a_node,
        b_node=b_node,
        shape=shape,
        kind=kind,
        name=name,
        osm_id=osm_id,
        oneway=direction != 0,
        speed_kmh=speed_ab or speed_ba,
    )


def read_zones(database: sqlite3.Connection) -> list[CensusZone]:
    """The zones with their population."""
    rows = database.execute("SELECT zone_id, population, geometry FROM zones ORDER BY zone_id")
    zones = []
    for number, population, blob in rows:
        shape = from_spatialite(blob)
        assert isinstance(shape, shapely.MultiPolygon)  # noqa: S101
        zones.append(CensusZone(number, round(population or 0), shape))
    return zones


# North of this latitude the coast has no bay: all that lies east of it is land.
NORTH_OF_THE_BAY = -29.87
ROW = 0.001  # degrees, about 110 m: finer than the zones' own outline
BEYOND = 0.35  # degrees; farther than a screen shows around the city


def land(zones: list[CensusZone]) -> shapely.MultiPolygon:
    """Roughly where the ground is: the zones, and what lies inland of them. The file knows no coast."""
    city = shapely.unary_union([zone.shape for zone in zones]).buffer(ROW / 2).buffer(-ROW / 2)
    west, south, east, north = city.bounds
    pieces = [city]
    coast = east
    for step in range(int((north - south + 2 * BEYOND) / ROW)):
        low = south - BEYOND + step * ROW
        seen = min(max(low, south), north - ROW)  # beyond the ends, as at the ends
        row = city.intersection(shapely.box(west, seen, east, seen + ROW))
        if low > NORTH_OF_THE_BAY:
            coast = min(coast, row.bounds[0])
        inland = coast if low > NORTH_OF_THE_BAY else row.bounds[0] if low < south else row.bounds[2] - 3 * ROW
        pieces.append(shapely.box(inland, low - ROW / 10, east + BEYOND, low + ROW))
    # The zones are made of hexagons of some 150 m; the shore is not.
    whole = shapely.unary_union(pieces).buffer(2.5 * ROW).buffer(-2.5 * ROW).simplify(ROW / 3)
    parts = whole.geoms if isinstance(whole, shapely.MultiPolygon) else [whole]
    return shapely.MultiPolygon([shapely.Polygon(part.exterior) for part in parts])


@contextmanager
def network_database(source: Path) -> Iterator[sqlite3.Connection]:
    """The database inside `source`: AequilibraE's wheel, the zip in it, or the database itself."""
    with tempfile.TemporaryDirectory(prefix="vigia-demo-") as place:
        path = _unpack(source, Path(place))
        database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        try:
            yield database
        finally:
            database.close()


def _unpack(source: Path, place: Path) -> Path:
    if not zipfile.is_zipfile(source):
        return source
    with zipfile.ZipFile(source) as archive:
        names = archive.namelist()
        if INNER_WHEEL_PATH in names:
            return _unpack(Path(archive.extract(INNER_WHEEL_PATH, place)), place)
        inside = next(name for name in names if name.rsplit("/", 1)[-1] == DATABASE)
        return Path(archive.extract(inside, place))


# --- SpatiaLite blobs -----------------------------------------------------------------------------------

# 0x00, byte order, SRID (4), bounding box (4 × 8), 0x7C, then class and coordinates, 0xFE at the end.
HEADER = 39
START, MBR_END, END = 0x00, 0x7C, 0xFE
POINT, LINE, POLYGON, MULTI = 1, 2, 3, (4, 5, 6, 7)


def from_spatialite(blob: bytes) -> BaseGeometry:
    """A SpatiaLite geometry blob → shapely. Plain two-dimensional classes only; anything else is a ValueError."""
    if len(blob) < HEADER + 5 or blob[0] != START or blob[HEADER - 1] != MBR_END or blob[-1] != END:
        raise ValueError("not a SpatiaLite geometry")
    order = blob[1]
    wkb = bytearray([order])
    end = _copy_body(blob, HEADER, order, wkb)
    if end != len(blob) - 1:
        raise ValueError("a SpatiaLite geometry with something after its end")
    shape: BaseGeometry = shapely.from_wkb(bytes(wkb))
    return shape


def _copy_body(blob: bytes, at: int, order: int, wkb: bytearray) -> int:
    """Copy one geometry (class and coordinates) and return where it ends.

    Members of a collection carry the byte 0x69 where WKB carries the byte order: the only difference.
    """
    number: Any = struct.Struct("<I" if order == 1 else ">I")
    (kind,) = number.unpack_from(blob, at)
    if kind == POINT:
        end = at + 4 + 16
    elif kind == LINE:
        end = at + 8 + 16 * number.unpack_from(blob, at + 4)[0]
    elif kind == POLYGON:
        end = at + 8
        for _ in range(number.unpack_from(blob, at + 4)[0]):
            end += 4 + 16 * number.unpack_from(blob, end)[0]
    elif kind in MULTI:
        wkb += blob[at : at + 8]
        end = at + 8
        for _ in range(number.unpack_from(blob, at + 4)[0]):
            if blob[end] != 0x69:
                raise ValueError("a SpatiaLite collection without its mark")
            wkb.append(order)
            end = _copy_body(blob, end + 1, order, wkb)
        return end
    else:
        raise ValueError(f"a SpatiaLite geometry of class {kind} is not read here")
    wkb += blob[at:end]
    return end
