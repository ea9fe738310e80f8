"""The wall behind the door: what no column takes, and what a row that got in all the same must not cost."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
from shapely import box
from sqlalchemy import Table, make_url, text

from geo.fences import Watch, fences_with_places
from geo.landmarks import Landmark, lay_landmarks
from geo.layers import MapArea, lay_areas
from geo.places import Shape, geojson
from geo.streets import lay_streets
from geo.zones import lay_zones
from realtime.database import Sessions, new_id, transaction
from tests.bad_input.conftest import strictly
from tests.builders import EAST, WEST, City, a_closure, a_fence, a_report, a_zone, an_incident
from tests.conftest import Client, SignIn
from tests.geo.test_map import STREETS, tile_over
from web.tables import METADATA

COLUMNS = [
    (table, column.name, str(getattr(column.type.impl_instance, "geometry_type", "")))
    for table in METADATA.sorted_tables
    for column in table.columns
    if isinstance(column.type, Shape)
]
PLACES_IN_NUMBERS = [
    table for table in METADATA.sorted_tables if {"lon", "lat"} <= {column.name for column in table.columns}
]

NAN = "'NaN'::float8"


def _points(*pairs: tuple[Any, Any]) -> str:
    return "ARRAY[" + ", ".join(f"ST_MakePoint({x}, {y})" for x, y in pairs) + "]"


def _line(*pairs: tuple[Any, Any]) -> str:
    return f"ST_MakeLine({_points(*pairs)})"


def _area(*pairs: tuple[Any, Any]) -> str:
    return f"ST_Multi(ST_MakePolygon({_line(*pairs, pairs[0])}))"


GOOD = {
    "POINT": "ST_MakePoint(1, 2)",
    "LINESTRING": _line((1, 1), (2, 2)),
    "MULTIPOLYGON": _area((1, 1), (2, 1), (2, 2)),
}
GOOD["GEOMETRY"] = GOOD["MULTIPOLYGON"]
BAD = {
    "POINT": {
        "empty": "'POINT EMPTY'::geometry",
        "NaN": f"ST_MakePoint({NAN}, 1)",
        "NaN in the second": f"ST_MakePoint(1, {NAN})",
        "infinite": "ST_MakePoint('Infinity', 1)",
        "east of the world": "ST_MakePoint(180.1, 1)",
        "south of the world": "ST_MakePoint(1, -90.1)",
    },
    "LINESTRING": {
        "empty": "'LINESTRING EMPTY'::geometry",
        "NaN at the end": _line((1, 1), (NAN, NAN)),
        "NaN in the middle": _line((1, 1), (NAN, NAN), (2, 2)),
        "infinite in the middle": _line((1, 1), ("'Infinity'", 1), (2, 2)),
        "out of the world": _line((1, 1), (1, 95), (2, 2)),
    },
    "MULTIPOLYGON": {
        "empty": "'MULTIPOLYGON EMPTY'::geometry",
        "NaN in the middle": _area((1, 1), (NAN, NAN), (2, 1), (2, 2)),
        "NaN for a latitude": _area((1, 1), (2, NAN), (2, 1), (2, 2)),
        "infinite": _area((1, 1), ("'-Infinity'", 1), (2, 1), (2, 2)),
        "out of the world": _area((1, 1), (-181, 1), (2, 2)),
    },
}
BAD["GEOMETRY"] = BAD["LINESTRING"] | BAD["MULTIPOLYGON"] | {f"point {name}": sql for name, sql in BAD["POINT"].items()}


def _bare_copy(cursor: psycopg.Cursor, table: Table) -> str:
    """A table with the same checks, of which only the shape has to be filled in."""
    name = f"wall_{table.name}"
    cursor.execute(f"CREATE TEMP TABLE {name} (LIKE {table.name} INCLUDING CONSTRAINTS)".encode())
    for column in table.columns:
        cursor.execute(f"ALTER TABLE {name} ALTER {column.name} DROP NOT NULL".encode())
    return name


@pytest.mark.parametrize(
    ("table", "column", "kind"), COLUMNS, ids=[f"{table.name}.{column}" for table, column, _ in COLUMNS]
)
def test_no_column_of_shapes_takes_what_is_none(database_url: str, table: Table, column: str, kind: str) -> None:
    """Every column there is, also those that others will add; in the database as the migrations make it."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        copy = _bare_copy(cursor, table)

        def put(shape: str) -> None:
            cursor.execute(f"INSERT INTO {copy} ({column}) VALUES (ST_SetSRID({shape}, 4326))".encode())  # noqa: S608

        put(GOOD[kind])
        taken = []
        for name, shape in BAD[kind].items():
            try:
                put(shape)
            except psycopg.errors.CheckViolation:
                continue
            taken.append(name)
        assert taken == []
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            cursor.execute(f"INSERT INTO {copy} ({column}) VALUES (ST_SetSRID({GOOD[kind]}, 3857))".encode())  # noqa: S608
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
            (table.name,),
        )
        limits = [re.search(rf"st_npoints\({column}\) <= (\d+)", row[0], re.IGNORECASE) for row in cursor.fetchall()]
        assert any(limits), f"{table.name}.{column} takes shapes without end"


@pytest.mark.parametrize("table", PLACES_IN_NUMBERS, ids=[table.name for table in PLACES_IN_NUMBERS])
def test_no_pair_of_numbers_is_taken_that_is_no_place(database_url: str, table: Table) -> None:
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        copy = _bare_copy(cursor, table)
        cursor.execute(f"INSERT INTO {copy} (lon, lat) VALUES (-60, -32)".encode())  # noqa: S608
        for lon, lat in (("'NaN'", "1"), ("1", "'NaN'"), ("'Infinity'", "1"), ("181", "1"), ("1", "-90.5")):
            with pytest.raises(psycopg.errors.CheckViolation):
                cursor.execute(f"INSERT INTO {copy} (lon, lat) VALUES ({lon}, {lat})".encode())  # noqa: S608


# ── Rows that got in all the same ─────────────────────────────────────────────────────────────────

POISONED_AREA = f"ST_SetSRID({_area((-60.70, -33), (-60.5, NAN), (-60.5, -32.9), (-60.6, -32.9))}, 4326)"
POISONED_POINT = f"ST_SetSRID(ST_MakePoint({NAN}, -32.95), 4326)"


async def _poison(sessions: Sessions, **rows: tuple[str, str]) -> None:
    """Drop the checks on shapes and spoil a row: table=(shape, which)."""
    async with transaction(sessions) as session:
        for table, (shape, which) in rows.items():
            checks = await session.scalars(
                text("SELECT conname FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND contype = 'c'"),
                {"table": table},
            )
            for check in checks.all():
                await session.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{check}"'))
            await session.execute(text(f"UPDATE {table} SET shape = {shape} WHERE {which}"))  # noqa: S608


async def test_one_spoilt_row_does_not_cost_the_others(
    signed_in: SignIn, client: Client, sessions: Sessions, city: City
) -> None:
    """In zones, incidents, reports, fences and closures: left out or without a place, and everything else goes on."""
    async with transaction(sessions) as session:
        await lay_zones(session, [a_zone("Podrida")])
        spoilt = await an_incident(session, city.actor("dispatcher"))
        await an_incident(session, city.actor("dispatcher"), place=EAST)
        await a_report(session, city.actor("call_taker"))
        await a_fence(session, city.actor("supervisor"), name="Podrida", watch=Watch(incidents=True))
        await a_fence(session, city.actor("supervisor"), name="Sana", watch=Watch(incidents=True))
        await a_closure(session, city.actor("dispatcher"))
    await _poison(
        sessions,
        zones=(POISONED_AREA, "name = 'Podrida'"),
        incidents=(POISONED_POINT, f"id = '{spoilt.id}'"),
        reports=(POISONED_POINT, "true"),
        fences=(POISONED_AREA, "name = 'Podrida'"),
        closures=(POISONED_AREA, "true"),
    )
    found = strictly((await client.get("/api/v1/zones")).content)
    assert {zone["properties"]["name"] for zone in found["features"]} == {"Oeste", "Este"}
    whose = await client.get("/api/v1/places/whose?lon=-60.66&lat=-32.95")
    assert whose.json()["vecinal"] == "Oeste"
    assert (await client.get("/api/v1/tiles/12/1357/2443.mvt")).status_code == 200
    told = await client.post("/api/v1/reports", json={"id": str(new_id()), "words": "humo", "location": geojson(WEST)})
    assert told.status_code == 201, "and people can still tell us things"
    async with signed_in("trained") as desk:
        snapshot = strictly((await desk.get("/api/v1/snapshot")).content)
        places = {one["properties"]["subject"]: one["geometry"] for one in snapshot["features"]}
        assert places[spoilt.subject] is None, "it is still there, without a place"
        assert sum(subject.startswith("incident:") for subject in places) == 2
        for path in ("incidents", f"incidents/{spoilt.id}", "closures", "fences"):
            answer = await desk.get(f"/api/v1/{path}")
            assert answer.status_code == 200, path
            strictly(answer.content)
        moved = await desk.post(f"/api/v1/incidents/{spoilt.id}/relocate", json={"location": geojson(WEST)})
        assert moved.status_code == 200, "and can be put right"
    async with transaction(sessions) as session:
        assert [fence.name for fence, _ in await fences_with_places(session)] == ["Sana"]


async def test_one_spoilt_street_does_not_cost_the_city(
    signed_in: SignIn, client: Client, sessions: Sessions, city: City
) -> None:
    """Tiles, words for a place, search and travel times are made of what is left."""
    async with transaction(sessions) as session:
        await lay_streets(session, STREETS, "© somebody")
        plaza = Landmark(id=new_id(), source="test", kind="park", name="Plaza Podrida", shape=WEST, alt_names=[])
        await lay_landmarks(session, "test", [plaza])
        park = MapArea(layer="landuse", kind="park", shape=box(-60.66, -32.96, -60.65, -32.95))
        await lay_areas(session, "landuse", [park], "© somebody")
    spoilt_line = f"ST_SetSRID({_line((-60.65, -32.95), (NAN, NAN), (-60.649, -32.95))}, 4326)"
    await _poison(
        sessions,
        street_links=(spoilt_line, "name = 'Jujuy'"),
        landmarks=(POISONED_POINT, "true"),
        map_areas=(POISONED_AREA, "true"),
    )
    z, x, y = tile_over(-60.6495, -32.9495, 14)
    assert (await client.get(f"/api/v1/tiles/{z}/{x}/{y}.mvt")).status_code == 200
    words = await client.get("/api/v1/places/describe?lon=-60.6495&lat=-32.95001")
    assert words.json()["street"] == "Rioja"
    found = await client.get("/api/v1/places/search?q=Rioja y Salta")
    assert found.status_code == 200
    assert found.json()["matches"]
    nowhere = await client.get("/api/v1/places/search?q=Plaza Podrida")
    assert [one["label"] for one in nowhere.json()["matches"] if "Podrida" in one["label"]] == []
    async with signed_in("dispatcher") as desk:
        answer = await desk.get("/api/v1/travel/etas?lon=-60.6495&lat=-32.95")
        assert answer.status_code == 200, answer.text
        strictly(answer.content)
