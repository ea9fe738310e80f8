"""Our times beside pgRouting's, an independent engine, on real networks: the same ways, the same seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from geo.network import Link, StreetNetwork
from geo.osm.reading import read_osm
from geo.streets import USUAL_SPEED
from loadtests.routing_rivals import PgRouting, compare, random_pairs
from tests.conftest import SHARED_DATA

CITIES = {
    "Porto Alegre": SHARED_DATA / "osm_porto_alegre_br" / "poa_osm.pbf",
    "Monaco": SHARED_DATA / "osm_small" / "monaco.osm.pbf",
}


def plain(url: str, database: str | None = None) -> str:
    """An address as psycopg takes it."""
    made = make_url(url).set(drivername="postgresql", database=database or make_url(url).database)
    return made.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def connection(maintenance_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A database with pgRouting in it."""
    with psycopg.connect(plain(maintenance_url), autocommit=True) as maintenance:
        if not maintenance.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pgrouting'").fetchone():
            pytest.skip("this PostgreSQL has no pgRouting; ./vigia bench routing fetches it where it can be had")
        name = f"compared_{uuid4().hex[:12]}"
        maintenance.execute(f"CREATE DATABASE {name}".encode())
        with psycopg.connect(plain(maintenance_url, name), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pgrouting CASCADE")
            yield connection
        maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def links_of(file: Path) -> list[Link]:
    return [
        Link(
            *(one.a_node, one.b_node, one.shape, one.kind, one.name, one.oneway),
            one.speed_kmh or USUAL_SPEED[one.kind],
            one.access,
            one.osm_id,
        )
        for one in read_osm(file).streets
    ]


@pytest.mark.parametrize("city", CITIES)
def test_the_same_ways_and_the_same_seconds(city: str, connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if not CITIES[city].exists():
        pytest.skip(f"{CITIES[city]} is not here: real data lie beside the repository")
    links = links_of(CITIES[city])
    found = compare(StreetNetwork(links), links, PgRouting(connection, links), random_pairs(links, 200, seed=3))
    assert found.pairs == 200
    assert found.both_reach > 100
    assert (found.only_ours, found.only_theirs) == ((), ())
    assert found.apart == ()
    assert found.differences.max() < 0.005, "a flat city and a round one differ by less than half a per cent"
