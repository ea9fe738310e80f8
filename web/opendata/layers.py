"""The layers that are open: one for each view of `open_data` that has a shape, read from the database as it is now.

`tipg` asks the questions (SQL from CQL2, pages, tiles); what it would read through temporary functions, for which our
role has no right, is read here.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import tipg.collections as engine
from asyncpg import Connection, Pool
from cql2 import Expr

SCHEMA = "open_data"
SHAPE = "geom"
FRESH = 30.0  # seconds that the list of layers, their extents and their credits may be old
MANY = 20_000  # features; a layer with more is drawn in tiles only from `CLOSE` on
CLOSE = 13
MOST_IN_TILE = 10_000
MAX_ZOOM = 18

engine.mvt_settings.set_mvt_layername = True  # the layer in a tile is called as its collection
engine.mvt_settings.max_features_per_tile = MOST_IN_TILE

_COLUMNS = """
    SELECT c.relname AS layer, obj_description(c.oid, 'pg_class') AS words, a.attname AS name,
           format_type(a.atttypid, NULL) AS type, col_description(c.oid, a.attnum) AS title,
           CASE WHEN a.atttypid = 'geometry'::regtype THEN postgis_typmod_type(a.atttypmod) END AS shape
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'v' AND a.attnum > 0 AND NOT a.attisdropped
      AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY c.relname, a.attnum
"""
_EXTENT = """
    SELECT n, ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
    FROM (SELECT count(*) AS n, ST_Extent(geom) AS box FROM open_data."{layer}") AS all_of_it
"""
_CITY = "SELECT nombre FROM open_data.ciudad"
_CREDITS = "SELECT DISTINCT credito FROM open_data.creditos WHERE credito IS NOT NULL ORDER BY credito"
_PLAIN = {"timestamp with time zone": "timestamptz", "double precision": "float8", "character varying": "text"}


class Layer(engine.PgCollection):
    """A collection: `title` and `description` come from the view's comment, the columns' titles from theirs."""

    title: str
    id_column: engine.Column
    geometry_column: engine.Column
    count: int = 0
    box: tuple[float, float, float, float] | None = None  # of what is in it; None while it is empty

    @property
    def shape(self) -> str:
        """What is drawn: `Point`, `LineString`, `MultiPolygon`… or `Geometry` for anything."""
        return str(self.geometry_column.geometry_type)

    @property
    def min_zoom(self) -> int:
        """From where on its tiles hold something."""
        return CLOSE if self.count > MANY else 0

    def cql_where(  # type: ignore[override]  # tipg calls it by keywords only
        self, *, datetime: list[str] | None = None, cql: Expr | None = None, **rest: Any
    ) -> Expr | None:
        """As tipg has it, but time is what OGC means by it: what was in force at some moment of the interval.

        What has no time is always in force.
        """
        during = self._in_force(datetime) if datetime else None
        both = during if cql is None else cql if during is None else cql + during
        return super().cql_where(cql=both, **rest)

    def _in_force(self, interval: list[str]) -> Expr | None:
        names = {column.name for column in self.datetime_columns}
        start, end = interval[0], interval[-1]
        bounds = []
        if "desde" in names and end != "..":
            bounds.append(_or_open("desde", "<=", end))
        if "hasta" in names and start != "..":
            bounds.append(_or_open("hasta", ">=", start))
        if not bounds:
            return None
        return Expr(bounds[0] if len(bounds) == 1 else {"op": "and", "args": bounds})


def _or_open(name: str, operator: str, moment: str) -> dict[str, Any]:
    column = {"property": name}
    compared = {"op": operator, "args": [column, {"timestamp": moment}]}
    return {"op": "or", "args": [{"op": "isNull", "args": [column]}, compared]}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Every layer by its id, whose they are, and whom to credit."""

    layers: dict[str, Layer]
    city: str | None
    credits: str


class Shelves:
    """The shelf as it is now, or was a moment ago."""

    def __init__(self, pool: Pool) -> None:
        """Reads nothing yet."""
        self._pool = pool
        self._shelf: Shelf | None = None
        self._read_at = 0.0
        self._turn = asyncio.Lock()

    async def now(self) -> Shelf:
        """At most `FRESH` seconds old; one reads it anew, the others take what there is."""
        if self._shelf is not None and (time.monotonic() - self._read_at < FRESH or self._turn.locked()):
            return self._shelf
        async with self._turn:
            if self._shelf is None or time.monotonic() - self._read_at >= FRESH:
                async with self._pool.acquire(timeout=5) as connection:
                    self._shelf = await read_shelf(connection)
                self._read_at = time.monotonic()
            return self._shelf


async def read_shelf(connection: Connection) -> Shelf:
    """What is open. Empty before the first migration."""
    columns: dict[str, list[dict[str, Any]]] = {}
    words: dict[str, str] = {}
    for row in await connection.fetch(_COLUMNS, SCHEMA):
        columns.setdefault(row["layer"], []).append(_column(row))
        words[row["layer"]] = row["words"] or row["layer"]
    layers = {}
    for name, found in columns.items():
        if any(column["name"] == SHAPE for column in found):
            layers[name] = _layer(name, words[name], found, await connection.fetchrow(_EXTENT.format(layer=name)))
    credited = [row["credito"] for row in await connection.fetch(_CREDITS)] if "creditos" in columns else []
    city = await connection.fetchval(_CITY) if "ciudad" in columns else None
    return Shelf(layers, city, " · ".join(credited))


def _column(row: Any) -> dict[str, Any]:
    column = {"name": row["name"], "type": _PLAIN.get(row["type"], row["type"]), "description": row["title"]}
    return column | {"geometry_type": row["shape"], "srid": 4326} if row["shape"] else column


def _layer(name: str, words: str, columns: list[dict[str, Any]], extent: Any) -> Layer:
    title, _, description = words.partition("\n")
    box = None if extent["west"] is None else (extent["west"], extent["south"], extent["east"], extent["north"])
    drawn = [engine.Column(**column) for column in columns]
    by_name = {column.name: column for column in drawn}
    return Layer(
        type="Table",
        id=name,
        table=name,
        schema=SCHEMA,
        title=title,
        description=description,
        table_columns=drawn,
        properties=drawn,
        id_column=by_name["id"],
        datetime_column=by_name.get("desde"),
        geometry_column=by_name[SHAPE],
        count=extent["n"],
        box=box,
    )
