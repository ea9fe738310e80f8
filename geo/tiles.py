"""Base-map tiles, cut by PostGIS, with the layer and attribute names of the Protomaps schema.

A tile is made once per process and edition of the map. What a zoom level leaves out is decided here and not in
the style, so that a phone never loads streets it will not draw.
"""

from __future__ import annotations

import gzip
import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.city import City, attribution, extent
from geo.landmarks import LANDMARKS
from geo.layers import edition_of
from geo.numbering import NUMBERING
from geo.streets import STREETS
from geo.zones import ZONES

MAX_ZOOM = 15  # beyond it a style stretches these: one unit is then three decimetres
KEPT_BYTES = 64 * 1024 * 1024  # a city of 20,000 links has about 4 MB of tiles down to zoom 14

# From which zoom a class of street is drawn, and its Protomaps kind. Any other class is `other`.
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
    ("footway", "path", 14),
)
OTHER_ROADS = 14
RAMPS = 12  # before it they are thinner than the roads that they join
NAMES_OF_MINOR_ROADS = 14  # before it their names would only make lines that could be drawn as one
DIRECTIONS = 15
STRUCTURES = 13  # likewise whether they run over a bridge
BUILDINGS = 14

# The words of `landuse` that the style paints (`web/ui/src/lib/map/words.json`).
GROUND = (
    *(
        "national_park",
        "park",
        "cemetery",
        "protected_area",
        "nature_reserve",
        "forest",
        "golf_course",
        "wood",
        "scrub",
    ),
    *("grassland", "grass", "glacier", "sand", "military", "naval_base", "airfield", "allotments", "village_green"),
    *("playground", "hospital", "industrial", "school", "university", "college", "beach", "zoo", "aerodrome", "runway"),
    *("taxiway", "pedestrian", "dam", "pier", "garden", "pitch", "recreation_ground", "meadow", "dog_park", "stadium"),
)

# From which zoom a landmark is named. What an emergency asks for first comes first; all others wait for `OTHER_POIS`.
POIS = {
    **dict.fromkeys(("hospital", "aerodrome", "stadium"), 12),
    **dict.fromkeys(("fire_station", "police", "ambulance_station", "university", "station"), 13),
    **dict.fromkeys(("townhall", "courthouse", "prison", "park", "cemetery", "zoo", "marina", "beach", "college"), 14),
    **dict.fromkeys(("clinic", "bus_station", "ferry_terminal", "mall", "nature_reserve", "theme_park"), 14),
    **dict.fromkeys(("school", "library", "museum", "theatre", "square", "marketplace", "bridge", "helipad"), 15),
    **dict.fromkeys(("kindergarten", "nursing_home", "place_of_worship", "fuel", "supermarket", "garden"), 16),
    **dict.fromkeys(("sports_centre", "attraction", "cinema", "government", "tram_stop", "community_centre"), 16),
}
OTHER_POIS = 17

PLACES = (
    *(("country", 0), ("state", 4), ("region", 4), ("city", 6), ("town", 8), ("village", 10), ("suburb", 11)),
    *(("borough", 11), ("quarter", 12), ("neighbourhood", 12), ("hamlet", 12), ("island", 12)),
)
OTHER_PLACES = 13
# A population's rank is the number of these that it reaches (Protomaps: 8 is a large town, 10 half a million).
RANKS = (200, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a tile: its attributes with their TileJSON types, and the query that gives them and `geom`."""

    name: str
    fields: dict[str, str]
    features: str
    min_zoom: int = 0


LAYERS = (
    Layer(
        "earth",
        {"kind": "String", "name": "String"},
        """
    SELECT kind, NULL AS name, geom FROM ground WHERE layer = 'earth'
    UNION ALL
    SELECT kind, name, ST_AsMVTGeom(ST_Transform(shape, 3857), here, 4096, 0, true)
    FROM tile, spot WHERE kind = 'island' AND min_zoom <= :z
    UNION ALL  -- a city that knows no coast stands on land everywhere
    SELECT 'earth', NULL, ST_AsMVTGeom(ST_Expand(here, unit * 64), here, 4096, 64, true)
    FROM tile WHERE NOT EXISTS (SELECT FROM map_areas WHERE layer = 'earth')""",
    ),
    Layer(
        "landuse",
        {"kind": "String"},
        "SELECT kind, geom FROM ground WHERE layer = 'landuse' AND kind = ANY(:ground) ORDER BY size DESC",
        6,
    ),
    Layer(
        "water",
        {"kind": "String", "kind_detail": "String", "name": "String"},
        """
    SELECT CASE WHEN flat AND kind IN ('river', 'stream', 'canal') THEN 'water' ELSE kind END AS kind,
           coalesce(kind_detail, CASE WHEN flat THEN nullif(kind, 'water') END) AS kind_detail,
           CASE WHEN NOT flat AND :z >= 13 THEN name END AS name, geom
    FROM ground WHERE layer = 'water'
    UNION ALL  -- the name of a sheet of water stands at one point of it, in one tile
    SELECT CASE WHEN kind IN ('river', 'stream', 'canal') THEN 'water' ELSE kind END, kind_detail, name,
           ST_AsMVTGeom(ST_Transform(ST_PointOnSurface(shape), 3857), here, 4096, 0, true)
    FROM tile, area WHERE layer = 'water' AND flat AND name IS NOT NULL AND size > 800 * step""",
    ),
    Layer(
        "roads",
        {
            **dict.fromkeys(("kind", "kind_detail", "name", "oneway"), "String"),
            **dict.fromkeys(("is_link", "is_bridge", "is_tunnel"), "Boolean"),
            "min_zoom": "Number",
        },
        """
    SELECT kind, kind_detail, name, min_zoom, oneway, is_link, is_bridge, is_tunnel, geom FROM roads
    UNION ALL
    SELECT kind, kind_detail, CASE WHEN :z >= 14 THEN name END, 12, NULL, NULL, NULL, NULL, geom
    FROM ground WHERE layer = 'roads' AND :z >= CASE WHEN kind IN ('rail', 'aeroway') THEN 11 ELSE 14 END
    ORDER BY min_zoom DESC""",
    ),
    Layer(
        "buildings",
        {"kind": "String", "height": "Number", "addr_housenumber": "String"},
        """
    SELECT 'building' AS kind, rank AS height, NULL AS addr_housenumber, geom FROM ground WHERE layer = 'buildings'
    UNION ALL
    SELECT 'address', NULL, number || coalesce(suffix, ''),
           ST_AsMVTGeom(ST_Transform(shape, 3857), here, 4096, 0, true)
    FROM tile, address_points WHERE :z = :max_zoom AND shape && around AND shape @ world""",
        BUILDINGS,
    ),
    Layer(
        "boundaries",
        {"kind": "String", "kind_detail": "Number"},
        """
    SELECT kind, CASE WHEN kind_detail ~ '^[0-9]{1,2}$' THEN kind_detail::int ELSE 8 END AS kind_detail,
           CASE WHEN flat THEN ST_Boundary(geom) ELSE geom END AS geom
    FROM ground WHERE layer = 'boundaries'
    UNION ALL
    SELECT 'locality', 8, ST_AsMVTGeom(ST_Boundary(ST_Simplify(ST_Transform(shape, 3857), unit)), here, 4096, 64, true)
    FROM tile, in_force
    WHERE kind = 'jurisdiction' AND NOT EXISTS (SELECT FROM map_areas WHERE layer = 'boundaries')""",
    ),
    Layer(
        "places",
        {
            **dict.fromkeys(("kind", "kind_detail", "name"), "String"),
            **dict.fromkeys(("population", "population_rank", "min_zoom", "sort_key"), "Number"),
        },
        """
    SELECT kind, kind_detail, name, population, population_rank, min_zoom,
           min_zoom * 100 - population_rank AS sort_key,
           ST_AsMVTGeom(ST_Transform(shape, 3857), here, 4096, 0, true) AS geom
    FROM tile,
         (SELECT *, width_bucket(coalesce(population, 0), CAST(:ranks AS int[])) AS population_rank FROM spot) ranked
    WHERE min_zoom <= :z AND kind <> 'island' ORDER BY sort_key""",
    ),
    Layer(
        "pois",
        {"kind": "String", "name": "String", "min_zoom": "Number"},
        """
    SELECT kind, name, min_zoom, ST_AsMVTGeom(ST_Transform(shape, 3857), here, 4096, 0, true) AS geom
    FROM tile, (SELECT landmark.kind, landmark.name, coalesce(poi.zoom, :other_pois) AS min_zoom, shape
                FROM landmarks landmark
                LEFT JOIN unnest(CAST(:pois AS text[]), CAST(:poi_zooms AS int[])) AS poi (kind, zoom)
                       ON poi.kind = landmark.kind) landmark
    WHERE shape && around AND shape @ world AND (min_zoom <= :z OR :z = :max_zoom) ORDER BY min_zoom""",
        min(POIS.values()),
    ),
)

# A shape that Mercator cannot show, or that is none at all, is left out by itself: a NaN or an infinity anywhere
# in it makes its length one too, and PostgreSQL holds NaN to be greater than any number.
SOUND = "ST_Length({0}) + ST_Perimeter({0}) < 'Infinity' AND NOT ST_HasArc({0})"

CUT = f"""
WITH tile AS (
    SELECT ST_TileEnvelope(:z, :x, :y) AS here,
           ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => 0.02), 4326) AS around,
           ST_MakeEnvelope(-180, -85.05, 180, 85.05, 4326) AS world,
           40075016.7 / 2 ^ :z / 4096 AS unit,
           360.0 / 2 ^ :z / 4096 AS step  -- the same in degrees
), in_force AS (
    SELECT zone.kind, zone.name, zone.population, zone.shape FROM tile, zones zone
    WHERE zone.shape && around AND zone.shape @ world AND {SOUND.format("zone.shape")}
      AND (valid_from IS NULL OR valid_from <= now()) AND (valid_until IS NULL OR valid_until > now())
), area AS (
    SELECT area.*, ST_Dimension(shape) = 2 AS flat,
           greatest(ST_XMax(shape) - ST_XMin(shape), ST_YMax(shape) - ST_YMin(shape)) AS size
    FROM tile, map_areas area
    WHERE shape && around AND (layer <> 'buildings' OR :z >= {BUILDINGS}) AND {SOUND.format("shape")}
), ground AS (
    SELECT layer, kind, kind_detail, name, rank, flat, size,
           ST_AsMVTGeom(ST_Simplify(ST_Transform(
               CASE WHEN NOT shape @ world THEN ST_ClipByBox2D(shape, ST_Intersection(around, world))
                    WHEN ST_NPoints(shape) > 4000 THEN ST_ClipByBox2D(shape, around)
                    ELSE shape END, 3857), unit * :coarse), here, 4096, 64, true) AS geom
    FROM tile, area
    WHERE layer <> 'places'
      AND (NOT flat OR layer = 'earth' OR size > step * CASE layer WHEN 'buildings' THEN 10 ELSE 20 END)
      AND (layer <> 'water' OR flat OR :z >= CASE kind WHEN 'river' THEN 8 WHEN 'canal' THEN 12 ELSE 13 END)
), road AS (
    SELECT * FROM unnest(
        CAST(:details AS text[]), CAST(:kinds AS text[]), CAST(:zooms AS int[])) AS road (detail, kind, zoom)
), street AS (
    SELECT coalesce(road.kind, 'other') AS kind, link.kind AS detail, coalesce(road.zoom, {OTHER_ROADS}) AS zoom,
           CASE WHEN road.kind IN ('highway', 'major_road') OR :z >= {NAMES_OF_MINOR_ROADS} THEN link.name END AS name,
           link.oneway AND :z >= {DIRECTIONS} AS oneway, link.ramp,
           CASE WHEN :z >= {STRUCTURES} THEN link.structure END AS structure, link.shape
    FROM tile, street_links link LEFT JOIN road ON road.detail = link.kind
    WHERE link.shape && tile.around AND link.shape @ world AND {SOUND.format("link.shape")}
      AND greatest(coalesce(road.zoom, {OTHER_ROADS}), CASE WHEN link.ramp THEN {RAMPS} END) <= :z
), joined AS (
    SELECT kind, detail, zoom, name, oneway, ramp, structure,
           CASE WHEN oneway THEN ST_LineMerge(ST_Collect(shape), true)
                ELSE ST_LineMerge(ST_Collect(shape)) END AS line
    FROM street GROUP BY kind, detail, zoom, name, oneway, ramp, structure
), roads AS (
    SELECT kind, detail AS kind_detail, zoom AS min_zoom, name, CASE WHEN oneway THEN 'yes' END AS oneway,
           nullif(ramp, false) AS is_link, nullif(structure = 'bridge', false) AS is_bridge,
           nullif(structure = 'tunnel', false) AS is_tunnel,
           ST_AsMVTGeom(ST_Simplify(ST_Transform(line, 3857), unit * :coarse), here, 4096, 64, true) AS geom
    FROM tile, joined
), spot AS (  -- zones lend their names where the map has none
    SELECT area.kind, coalesce(kind_detail, area.kind) AS kind_detail, area.name, rank AS population,
           ST_PointOnSurface(shape) AS shape, coalesce(place.zoom, {OTHER_PLACES}) AS min_zoom
    FROM tile, area LEFT JOIN unnest(CAST(:places AS text[]), CAST(:place_zooms AS int[])) AS place (detail, zoom)
         ON place.detail = coalesce(kind_detail, area.kind)
    WHERE layer = 'places' AND name IS NOT NULL AND shape @ world
    UNION ALL
    SELECT 'locality', 'city', name, population, ST_PointOnSurface(shape), 6 FROM in_force
    WHERE kind = 'jurisdiction' AND NOT EXISTS (SELECT FROM map_areas WHERE layer = 'places' AND kind = 'locality')
    UNION ALL
    SELECT 'neighbourhood', 'suburb', name, population, ST_PointOnSurface(shape), 12 FROM in_force
    WHERE kind = 'barrio' AND NOT EXISTS (
        SELECT FROM map_areas WHERE layer = 'places' AND kind IN ('neighbourhood', 'macrohood'))
)
SELECT """  # noqa: S608  (our own words only)

TILE = text(
    CUT
    + "\n    || ".join(
        f"coalesce((SELECT ST_AsMVT(feature, '{layer.name}', 4096, 'geom')"  # noqa: S608
        f" FROM (SELECT * FROM ({layer.features}) made WHERE geom IS NOT NULL) feature"
        f" WHERE :z >= {layer.min_zoom}), '')"
        for layer in LAYERS
    )
)


FRAME = text("""
    SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)
    FROM (SELECT ST_Extent(shape) AS box FROM street_links) streets
""")


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
            tile = Tile(plain, compressed(plain))
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


def compressed(tile: bytes) -> bytes:
    """A tile as it is kept: the same bytes for the same tile, so that packs can hold one of them."""
    return gzip.compress(tile, 6, mtime=0)


async def map_edition(session: AsyncSession) -> str:
    """Changes whenever anything on the base map does; closures come and go above it."""
    return await edition_of(session, STREETS, ZONES, LANDMARKS, NUMBERING, *(layer.name for layer in LAYERS))


def exists(z: int, x: int, y: int) -> bool:
    """Whether there is such a tile in the scheme at all."""
    return 0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z


async def cut_tile(session: AsyncSession, z: int, x: int, y: int) -> bytes:
    """Cut a tile out of the database. A place without anything gives an empty one."""
    details, kinds, zooms = zip(*ROADS, strict=True)
    places, place_zooms = zip(*PLACES, strict=True)
    found = await session.scalar(
        TILE,
        {
            "z": z,
            "x": x,
            "y": y,
            "max_zoom": MAX_ZOOM,
            "coarse": 1 if z == MAX_ZOOM else 3,  # a quarter of a pixel, where nothing will be stretched
            "details": list(details),
            "kinds": list(kinds),
            "zooms": list(zooms),
            "ground": list(GROUND),
            "places": list(places),
            "place_zooms": list(place_zooms),
            "ranks": list(RANKS),
            "pois": list(POIS),
            "poi_zooms": list(POIS.values()),
            "other_pois": OTHER_POIS,
        },
    )
    return bytes(found or b"")


async def map_words(session: AsyncSession) -> dict[str, Any] | None:
    """The map's name, credits, frame (all of its streets) and centre; None before there is a city."""
    centre = await extent(session)
    if centre is None:
        return None
    row = (await session.execute(FRAME)).one()
    frame = None if row[0] is None else [round(float(degrees), 6) for degrees in row]
    city = await session.get(City, 1)
    west, south, east, north = centre
    return {
        "name": city.name if city else "Vigía",
        "attribution": await attribution(session),
        "bounds": frame or centre,
        "center": [round((west + east) / 2, 6), round((south + north) / 2, 6), 12],
    }


def tiles_over(bounds: Sequence[float], max_zoom: int = MAX_ZOOM) -> Iterator[tuple[int, int, int]]:
    """The tiles that west, south, east, north (degrees) touch, from the whole world down."""
    west, south, east, north = bounds
    for z in range(max_zoom + 1):
        left, top = _tile_at(west, north, z)
        right, bottom = _tile_at(east, south, z)
        yield from ((z, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))


def _tile_at(longitude: float, latitude: float, z: int) -> tuple[int, int]:
    wide = 2**z
    down = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2
    return min(wide - 1, int((longitude + 180) / 360 * wide)), min(wide - 1, max(0, int(down * wide)))


def vector_layers() -> list[dict[str, Any]]:
    """What is in a tile, as TileJSON says it."""
    return [
        {"id": layer.name, "fields": layer.fields, "minzoom": layer.min_zoom, "maxzoom": MAX_ZOOM} for layer in LAYERS
    ]
