"""Filters that mean harm, and filters that are merely too much: a 400 each, and the database never hears of them."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator

import httpx2
import psycopg
import pytest

from tests.opendata.conftest import plain
from web.opendata import role
from web.opendata.service import create_open_data
from web.settings import Settings

Reader = httpx2.AsyncClient
ITEMS = "/collections/calles/items"

HARMFUL = [
    "pg_sleep(10) = 1",
    "pg_read_file('/etc/passwd') = 'x'",
    "nombre = pg_ls_dir('/')",
    "current_setting('is_superuser') = 'on'",
    "query_to_xml('select * from people', true, true, '') IS NOT NULL",
    "lo_import('/etc/passwd') = 1",
    "dblink('host=x', 'select 1') IS NULL",
    "set_config('statement_timeout', '0', false) = '0'",
    "version() = ''",
    "accenti(nombre) = 'x'",
    "1/0 = 1",
    "nombre || 'x' = 'x'",
    "password = 'x'",
    "oid = 1",
    "ctid = '(0,1)'",
    "xmin = 1",
    "tableoid = 1",
    "calles = 'x'",
    "public.people.name = 'x'",
    '"nombre"" = \'x\' OR 1=1 --" = 1',
    "nombre = 'x'; DROP TABLE people; --'",
    "nombre = 'x' UNION SELECT name FROM people",
    "nombre IN (SELECT name FROM people)",
    "EXISTS (SELECT 1 FROM people)",
    "nombre = $$x$$",
    "nombre = E'\\x41'",
    "nombre::text = 'x'",
    "true",
    "1",
    "'x'",
    "nombre",
    "",
    " ",
    "(((",
    "nombre =",
    "= 'x'",
    "nombre = 'x",
    "nombre > 5",
    "mano_unica = 'quizás'",
    "osm_id = 'abc'",
    "osm_id = 1e400",
    "desde > TIMESTAMP('2026-13-45T00:00:00Z')",
    "S_INTERSECTS(geom, POLYGON((0 0, 1 1)))",
    "S_INTERSECTS(geom, POLYGON((0 0, 1 1, 0 1)))",
    "S_INTERSECTS(nombre, POINT(1 2))",
    "S_INTERSECTS(geom, geom, geom)",
    "S_INTERSECTS(geom)",
    "S_INTERSECTS(geom, BBOX(1,2,3))",
    "S_INTERSECTS(geom, BBOX(170,0,-170,1))",
    "T_AFTER(osm_id, TIMESTAMP('2026-01-01T00:00:00Z'))",
    "A_CONTAINS(nombre, ('a','b'))",
    "casei(osm_id) = 'x'",
    "nombre LIKE 5",
]


@pytest.mark.parametrize("words", HARMFUL)
async def test_it_is_refused(reader: Reader, words: str) -> None:
    answer = await reader.get(ITEMS, params={"filter": words or " ", "limit": 1})
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "tree",
    [
        {"op": "pg_sleep", "args": [10]},
        {"op": "=", "args": [{"property": "nombre"}, {"op": "pg_read_file", "args": ["/etc/passwd"]}]},
        {"op": "=", "args": [{"property": "name FROM people --"}, 1]},
        {"op": "st_transform", "args": [{"property": "geom"}, 22185]},
        {"op": "=", "args": []},
        {"op": "="},
        {"op": 5, "args": [1]},
        {"args": [1]},
        {},
        [],
        5,
        None,
        "nombre = 'x'",
        {"op": "s_intersects", "args": [{"property": "geom"}, {"type": "Point", "coordinates": ["x'); --", 1]}]},
        {"op": "s_intersects", "args": [{"property": "geom"}, {"type": "GeometryCollection", "geometries": []}]},
        {"op": "s_intersects", "args": [{"property": "geom"}, {"bbox": ["1), pg_sleep(9", 2, 3, 4]}]},
        {"op": "=", "args": [{"property": "desde"}, {"timestamp": "x'); --"}]},
        {"op": "=", "args": [{"property": "desde"}, {"interval": ["x", "y"]}]},
    ],
)
async def test_as_json_it_is_refused_too(reader: Reader, tree: object) -> None:
    answer = await reader.get(ITEMS, params={"filter": json.dumps(tree), "filter-lang": "cql2-json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "words",
    [
        "(" * 500 + "nombre = 'x'" + ")" * 500,
        "NOT " * 500 + "nombre = 'x'",
        "NOT (" * 200 + "nombre = 'x'" + ")" * 200,
        " OR ".join(f"nombre = 'Calle {i}'" for i in range(1000)),
        "nombre IN (" + ",".join(f"'{i}'" for i in range(1500)) + ")",
        "casei(" * 300 + "nombre" + ")" * 300 + " = 'x'",
        "nombre = '" + "x" * 10_000 + "'",
        "osm_id = " + "-" * 2000 + "1",
        '{"op":"not","args":[' * 500 + "1" + "]}" * 500,
        "[" * 3000,
        '{"a":' * 1000,
    ],
)
async def test_too_much_of_it_is_refused(reader: Reader, words: str) -> None:
    answer = await reader.get(ITEMS, params={"filter": words})
    assert answer.status_code == 400, answer.text[:300]


@pytest.mark.parametrize(
    "value",
    [
        "O'Higgins",
        "x\\",
        "\\'; --",
        "x' OR '1'='1",
        "%",
        "_",
        "{}",
        "$1",
        "${x}",
        "ñandú 🚒",
        "'; DROP TABLE people; --",
    ],
)
async def test_whatever_a_value_holds_it_is_only_compared(reader: Reader, value: str) -> None:
    quoted = value.replace("'", "''")
    for parameters in ({"filter": f"nombre = '{quoted}'"}, {"nombre": value}):
        answer = await reader.get(ITEMS, params=parameters)
        assert answer.status_code == 200, answer.text
        assert answer.json()["numberMatched"] == 0


async def test_either_or_stays_together_with_what_else_is_asked(reader: Reader) -> None:
    """An OR that escapes its brackets would bring back what the other conditions exclude."""
    found = await reader.get(ITEMS, params={"filter": "nombre = 'Calle 12' OR nombre LIKE '%'", "bbox": "0,0,1,1"})
    assert found.json()["numberMatched"] == 0


async def test_pieces_of_filters_thrown_together_never_break_it(reader: Reader) -> None:
    """A thousand random sentences of the language's own words."""
    words = [
        "nombre",
        "geom",
        "osm_id",
        "people",
        "=",
        "<",
        "LIKE",
        "AND",
        "OR",
        "NOT",
        "(",
        ")",
        "'x'",
        "'",
        '"',
        "5",
        "-",
    ]
    words += [
        ",",
        "IN",
        "IS",
        "NULL",
        "S_INTERSECTS",
        "POINT(1 2)",
        "BBOX(1,2,3,4)",
        "casei",
        "pg_sleep",
        "BETWEEN",
        ";",
        "--",
    ]
    words += [
        "TIMESTAMP('2026-01-01T00:00:00Z')",
        "POLYGON((0 0,1 0,1 1,0 0))",
        "true",
        "mano_unica",
        "\\",
        "{",
        "}",
        ":",
    ]
    dice = random.Random(20261125)
    for _ in range(400):
        sentence = " ".join(dice.choices(words, k=dice.randint(1, 12)))
        answer = await reader.get(ITEMS, params={"filter": sentence, "limit": 1})
        assert answer.status_code in {200, 400}, (sentence, answer.text)


async def test_a_question_that_takes_too_long_is_ended(
    as_anybody: str, open_city: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database ends it, the answer says so, and the next question is answered."""
    monkeypatch.setattr(role, "PATIENCE", 0.5)
    application = create_open_data(Settings(open_database_url=as_anybody))
    async with application.router.lifespan_context(application):
        transport = httpx2.ASGITransport(app=application, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://ciudad.test/datos") as client:
            assert (await client.get("/collections/suelo/items")).status_code == 200
            with slowed(open_city, "suelo"):
                answer = await client.get("/collections/suelo/items")
            assert answer.status_code == 503
            assert "Eso lleva demasiado" in answer.json()["title"]
            assert (await client.get("/collections/suelo/items")).status_code == 200


@contextlib.contextmanager
def slowed(database_url: str, view: str) -> Iterator[None]:
    """A view that takes half a minute for each row."""
    with psycopg.connect(plain(database_url), autocommit=True) as owner:
        row = owner.execute("SELECT pg_get_viewdef(%s::regclass)", [f"open_data.{view}"]).fetchone()
        assert row is not None
        meant = str(row[0]).rstrip(";")
        slow = f"SELECT * FROM ({meant}) AS meant WHERE pg_sleep(30) IS NOT NULL"  # noqa: S608
        owner.execute(f"CREATE OR REPLACE VIEW open_data.{view} AS {slow}".encode())
        try:
            yield
        finally:
            owner.execute(f"CREATE OR REPLACE VIEW open_data.{view} AS {meant}".encode())
