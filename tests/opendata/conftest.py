"""A small city with its streets and waters, the role that reads open data, and the two processes that serve it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from fastapi import FastAPI
from shapely import LineString, MultiPolygon, Point, box
from sqlalchemy import make_url

from geo.closures import ClosureKind, Validity, draw_closure, lift_closure
from geo.landmarks import Landmark, lay_landmarks
from geo.layers import MapArea, lay_areas
from geo.streets import Street, StreetKind, lay_streets
from geo.zones import Zone, ZoneKind, lay_zones
from realtime.database import connect, new_id, now, sessions_of, transaction
from resources.facilities import Facility, FacilityKind, lay_facilities
from tests.builders import City
from tests.served import Served, cloned, eventually
from web.launcher import gdal
from web.launcher.layout import ROOT
from web.opendata.service import PLACE, create_open_data
from web.settings import Settings

ROLE = (ROOT / "web" / "deploy" / "database" / "open_data.sql").read_text(encoding="utf-8")
CREDIT = "© las calles de prueba"
REASON = "lo que un operador escribió sobre alguien"


def address_of(maintenance_url: str, database_url: str, role: str) -> str:
    """The same database, as somebody else."""
    database = make_url(database_url).database
    return make_url(maintenance_url).set(username=role, database=database).render_as_string(hide_password=False)


def plain(url: str) -> str:
    """As psycopg itself wants it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def make_role(maintenance_url: str, database_url: str) -> str:
    """What the launcher and the container do; roles are the cluster's, so one test process at a time."""
    with psycopg.connect(plain(maintenance_url), autocommit=True) as turn:
        turn.execute("SELECT pg_advisory_lock(600600)")
        with psycopg.connect(plain(database_url), autocommit=True) as connection:
            connection.execute(ROLE.encode())
    return address_of(maintenance_url, database_url, "vigia_open")


async def furnish_map(database_url: str) -> None:
    """Streets, a zone that has ended, waters, a park, landmarks from the map and from a list of our own."""
    engine = connect(database_url, pool=1)
    avenue = LineString([(-60.66, -32.95), (-60.65, -32.95)])
    streets = [
        Street(1, 2, avenue, StreetKind.PRIMARY, "Avenida Pellegrini", osm_id=77, oneway=True, alt_names=("Vieja",)),
        *(
            Street(
                i,
                i + 1,
                LineString([(-60.66 + i / 1e4, -32.94), (-60.66 + i / 1e4, -32.93)]),
                "residential",
                f"Calle {i}",
            )
            for i in range(10, 260)
        ),
    ]
    over = Zone(
        id=new_id(),
        kind=ZoneKind.FLOOD,
        name="Ya terminó",
        shape=MultiPolygon([box(-60.7, -33, -60.6, -32.9)]),
        population=None,
        valid_from=None,
        valid_until=now(),
    )
    places = [
        Landmark(
            id=new_id(), source=source, kind=kind, name=name, alt_names=[], address=None, shape=Point(-60.65, -32.95)
        )
        for source, kind, name in (("osm", "school", "Escuela 6"), ("lista propia", "camera", "Cámara 12"))
    ]
    async with transaction(sessions_of(engine)) as session:
        await lay_streets(session, streets, CREDIT)
        await lay_zones(session, [over])
        await lay_landmarks(session, "osm", places[:1])
        await lay_landmarks(session, "lista propia", places[1:])
        water = {"layer": "water", "kind_detail": None, "name": "Ludueña", "rank": None}
        river = MapArea(kind="river", shape=box(-60.66, -32.96, -60.65, -32.955), **water)
        stream = MapArea(kind="stream", shape=LineString([(-60.66, -32.96), (-60.65, -32.95)]), **water)
        await lay_areas(session, "water", [river, stream], CREDIT)
        park = MapArea(layer="landuse", kind="park", kind_detail=None, name="Parque", rank=None, shape=river.shape)
        await lay_areas(session, "landuse", [park], CREDIT)
    async with transaction(sessions_of(engine)) as session:
        await lay_facilities(session, City().actor("supervisor"), [*_facilities()])
    async with transaction(sessions_of(engine)) as session:
        actor, lifted, later = City().actor("dispatcher"), new_id(), Validity(now() + dt.timedelta(hours=1))
        works, event = ClosureKind.WORKS, ClosureKind.EVENT
        await draw_closure(session, actor, new_id(), kind=works, reason=REASON, shape=stream.shape)
        await draw_closure(session, actor, new_id(), kind=event, reason=REASON, shape=stream.shape, validity=later)
        await draw_closure(session, actor, lifted, kind=event, reason=REASON, shape=river.shape)
        await lift_closure(session, actor, lifted)
    await engine.dispose()


def _facilities() -> Iterator[Facility]:
    """A hospital, a school that has closed, and what is not for everybody."""
    kinds = FacilityKind
    for kind, name in (
        (kinds.HOSPITAL, "Hospital"),
        (kinds.SCHOOL, "Cerrada"),
        (kinds.CAMERA, "Cámara 3"),
        (kinds.HYDRANT, "Boca 4"),
    ):
        closed = now() if name == "Cerrada" else None
        yield Facility(
            id=new_id(), kind=kind, name=name, address="San Juan 1", shape=Point(-60.65, -32.95), source="lista",
            source_key=name, attributes={"note": REASON}, closed_at=closed, version=1,
        )  # fmt: skip


@pytest.fixture(scope="session")
def open_city(maintenance_url: str, template: str) -> Iterator[str]:
    """A database with that city in it, as its owner reaches it."""
    with cloned(maintenance_url, template) as database_url:
        asyncio.run(furnish_map(database_url))
        yield database_url


@pytest.fixture(scope="session")
def as_anybody(maintenance_url: str, open_city: str) -> str:
    """The address of that database for the role that reads open data."""
    return make_role(maintenance_url, open_city)


@pytest.fixture
async def service(as_anybody: str) -> AsyncIterator[FastAPI]:
    """The application, started."""
    application = create_open_data(Settings(open_database_url=as_anybody))
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def reader(service: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with a client of HTTP. Errors of ours come out as answers, not as exceptions."""
    transport = httpx2.ASGITransport(app=service, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=f"http://ciudad.test{PLACE}") as client:
        yield client


@pytest.fixture(scope="session")
def served(open_city: str, as_anybody: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The web process and the open data process behind it, as `./vigia up` runs them."""
    directory = tmp_path_factory.mktemp("opendata")
    environment = {"VIGIA_OPEN_DATABASE_URL": as_anybody, "VIGIA_OPEN_ADDRESS": f"unix:{directory / 'open.sock'}"}
    with Served(directory, open_city, None, environment=environment, programs=("serve", "opendata")) as running:
        address = f"{running.address}{PLACE}/"
        eventually(lambda: httpx2.get(address, timeout=5).status_code == 200, 60, running.last_words)
        yield running


@pytest.fixture(scope="session")
def ogr() -> Callable[..., str]:
    """GDAL's programs: `ogr("ogrinfo", …)` gives what it prints."""
    programs = gdal.directory()
    if programs is None:
        pytest.skip("no ogrinfo and ogr2ogr here: ./vigia test fetches them where there is apt-get and a network")

    def run(program: str, *words: str) -> str:
        done = subprocess.run(
            [str(Path(programs) / program), *words], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert "ERROR" not in done.stderr, done.stderr
        return done.stdout

    return run


def features(said: str) -> list[dict[str, Any]]:
    """The features of a GeoJSON document."""
    found: list[dict[str, Any]] = json.loads(said)["features"]
    return found
