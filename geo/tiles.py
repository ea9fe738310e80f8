"""Base-map tiles, cut by PostGIS, with the layer and attribute names of the Protomaps schema.

A tile is made once per process and edition of the map. What a zoom level leaves out is decided here and not in
the style, so that a phone never loads streets it will not draw.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.layers import edition_of
from geo.streets import STREETS
from geo.zones import ZONES

MAX_ZOOM = 16  # beyond it a style stretches these: one unit is then a decimetre
KEPT_BYTES = 64 * 1024 * 1024  # a city of 20,000 links has about 4 MB of tiles down to zoom 14

# The layers of `map_layers` that tiles are cut from.
LAYERS = (STREETS, ZONES, "earth", "landuse", "water", "buildings", "places", "boundaries")

# From which zoom a class of street is drawn, and its Protomaps kind.
ROADS = (
    ("motorway", "highway", 0),
    ("trunk", "major_road", 0),
    ("primary", "major_road", 7),
    ("secondary", "major_road", 9),
    ("tertiary", "major_road", 11),
    ("unclassified", "minor_road", 12),
    ("residential", "minor_road", 12),
    ("living_street", "minor_road", 13),
    ("service", "minor_road", 14),
    ("track", "path", 14),
    ("footway", "path", 15),
)
NAMES_OF_MINOR_ROADS = 14  # before it their names would only make lines that could be drawn as one
DIRECTIONS = 15

TILE = text(
    """
WITH tile AS (
    SELECT ST_TileEnvelope(:z, :x, :y) AS here,
           ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => 0.02), 4326) AS around,
           40075016.7 / 2 ^ :z / 4096 AS unit
), road AS (
    SELECT * FROM unnest(
        CAST(:details AS text[]), CAST(:kinds AS text[]), CAST(:zooms AS int[])) AS road (detail, kind, zoom)
), street AS (
    SELECT road.kind, road.detail, road.zoom,
           CASE WHEN road.kind IN ('highway', 'major_road') OR :named THEN link.name END AS name,
           CASE WHEN :directed THEN link.oneway ELSE false END AS oneway,
           link.shape
    FROM tile, street_links link JOIN road ON road.detail = link.kind
    WHERE link.shape && tile.around AND road.zoom <= :z
), joined AS (
    SELECT kind, detail, zoom, name, oneway,
           CASE WHEN oneway THEN ST_LineMerge(ST_Collect(shape), true)
                ELSE ST_LineMerge(ST_Collect(shape)) END AS line
    FROM street GROUP BY kind, detail, zoom, name, oneway
), roads AS (
    SELECT kind, detail AS kind_detail, zoom AS min_zoom, name, nullif(oneway, false) AS oneway,
           ST_AsMVTGeom(ST_Simplify(ST_Transform(line, 3857), unit), here, 4096, 64, true) AS geom
    FROM tile, joined
), places AS (
    SELECT CASE zone.kind WHEN 'jurisdiction' THEN 'locality' ELSE 'neighbourhood' END AS kind,
           zone.name, zone.population,
           ST_AsMVTGeom(ST_Transform(ST_PointOnSurface(zone.shape), 3857), here, 4096, 0, true) AS geom
    FROM tile, zones zone
    WHERE zone.kind = CASE WHEN :z < 12 THEN 'jurisdiction' ELSE 'barrio' END
      AND (valid_from IS NULL OR valid_from <= now()) AND (valid_until IS NULL OR valid_until > now())
      AND zone.shape && tile.around
), ground AS (
    SELECT layer, kind, name,
           ST_AsMVTGeom(ST_Simplify(ST_Transform(shape, 3857), unit), here, 4096, 64, true) AS geom
    FROM tile, map_areas WHERE shape && tile.around
    UNION ALL  -- a city that knows no coast stands on land everywhere
    SELECT 'earth', 'earth', NULL, ST_AsMVTGeom(ST_Expand(here, unit * 64), here, 4096, 64, true)
    FROM tile WHERE NOT EXISTS (SELECT FROM map_areas WHERE layer = 'earth')
)
SELECT coalesce((SELECT ST_AsMVT(e, 'earth', 4096, 'geom')
                 FROM (SELECT kind, name, geom FROM ground WHERE layer = 'earth' AND geom IS NOT NULL) e), '')
    || coalesce((SELECT ST_AsMVT(l, 'landuse', 4096, 'geom')
                 FROM (SELECT kind, name, geom FROM ground WHERE layer = 'landuse' AND geom IS NOT NULL) l), '')
    || coalesce((SELECT ST_AsMVT(w, 'water', 4096, 'geom')
                 FROM (SELECT kind, name, geom FROM ground WHERE layer = 'water' AND geom IS NOT NULL) w), '')
    || coalesce((SELECT ST_AsMVT(r, 'roads', 4096, 'geom')
                 FROM (SELECT * FROM roads WHERE geom IS NOT NULL ORDER BY min_zoom DESC) r), '')
    || coalesce((SELECT ST_AsMVT(p, 'places', 4096, 'geom')
                 FROM (SELECT * FROM places WHERE geom IS NOT NULL) p), '')
"""
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile ready to be sent. Compressed once, sent many times."""

    plain: bytes
    gzipped: bytes


class Tiles:
    """The tiles of this process: those of the present edition that were asked for, the latest ones."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        """An empty cache."""
        self._room = kept_bytes
        self._kept: OrderedDict[tuple[str, int, int, int], Tile] = OrderedDict()

    async def tile(self, session: AsyncSession, edition: str, z: int, x: int, y: int) -> Tile:
        """The tile, from memory or from the database."""
        key = (edition, z, x, y)
        tile = self._kept.get(key)
        if tile is None:
            plain = await cut_tile(session, z, x, y)
            tile = Tile(plain, gzip.compress(plain, 6, mtime=0))
            self._keep(key, tile)
        self._kept.move_to_end(key)
        return tile

    def _keep(self, key: tuple[str, int, int, int], tile: Tile) -> None:
        if key in self._kept:  # two asked at once; both cut it
            return
        self._kept[key] = tile
        self._room -= len(tile.plain) + len(tile.gzipped)
        while self._room < 0 and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._room += len(old.plain) + len(old.gzipped)


async def map_edition(session: AsyncSession) -> str:
    """Changes whenever anything on the base map does; closures come and go above it."""
    return await edition_of(session, *LAYERS)


def exists(z: int, x: int, y: int) -> bool:
    """Whether there is such a tile in the scheme at all."""
    return 0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z


async def cut_tile(session: AsyncSession, z: int, x: int, y: int) -> bytes:
    """Cut a tile out of the database. A place without anything gives an empty one."""
    details, kinds, zooms = zip(*ROADS, strict=True)
    found = await session.scalar(
        TILE,
        {
            "z": z,
            "x": x,
            "y": y,
            "details": list(details),
            "kinds": list(kinds),
            "zooms": list(zooms),
            "named": z >= NAMES_OF_MINOR_ROADS,
            "directed": z >= DIRECTIONS,
        },
    )
    return bytes(found or b"")
