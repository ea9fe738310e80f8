"""What tests stand on: a real PostGIS, a real Redis, a city, and somebody to ask.

`./vigia test` hands over a throw-away cluster (`VIGIA_TEST_DATABASE_URL`); a bare `pytest` starts one of its own.
Every test that commits gets its own database, cloned from a migrated template.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import psycopg
import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from realtime.database import Sessions, connect, sessions_of
from resources import people
from tests.builders import City, furnish
from web.app import create_app
from web.launcher.postgres import PrivatePostgres
from web.launcher.redis import PrivateRedis
from web.settings import Settings

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def real(name: str) -> Path:
    """A file of the shared data, or a reason to skip."""
    file = SHARED_DATA / name
    if not file.exists():
        pytest.skip(f"the shared data are not here: {file}")
    return file


# Files that take long for the number of their tests: begun last, as xdist would have it, one process would end alone.
LONG = (
    "tests/test_feeds_agree.py",
    "tests/bad_input/test_schema.py",
    "tests/browser/test_closures.py",
    "tests/browser/test_storm.py",
    "tests/browser/test_zones.py",
    "tests/browser/test_recommendation.py",
    "tests/faults/test_servers_die.py",
    "tests/faults/test_whole_stories.py",
    "tests/launcher/test_life_of_an_instance.py",
    "tests/demo/test_living_city.py",
    "tests/dispatch/test_machine.py",
    "tests/replay/test_replaying.py",
    "tests/api/test_authorisation.py",
)
# The other browser tests are one share: whoever has it starts its installation and its browsers, nobody else.
SHARED_SCREENS = "tests/browser"


class Shares(LoadFileScheduling):  # type: ignore[misc]
    """A file at a time, the browser tests of the shared installation and the long ones first."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return SHARED_SCREENS if file.startswith(f"{SHARED_SCREENS}/") and file not in LONG else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        waiting = (share for share in (SHARED_SCREENS, *LONG) if share in self.workqueue)
        if (share := next(waiting, None)) is not None:
            self.workqueue.move_to_end(share, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares | None:
    """How `--dist loadfile` shares out the work here."""
    return Shares(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say at once what failed: a run that is cut off says nothing at its end."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.stderr.write(f"\n{report.nodeid}: {report.when} failed\n")


@pytest.fixture(scope="session")
def maintenance_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A superuser's address of a cluster in which tests make their databases."""
    if given := os.environ.get("VIGIA_TEST_DATABASE_URL"):
        yield given
        return
    with PrivatePostgres(tmp_path_factory.mktemp("pg"), durable=False) as server:
        yield server.url


@pytest.fixture(scope="session", autouse=True)
def real_hasher() -> Iterator[PasswordHash]:
    """The application's hasher; meanwhile passwords are hashed at the lowest cost, because everybody here signs in."""
    with pytest.MonkeyPatch.context() as patch:
        real = people.HASHER
        patch.setattr(people, "HASHER", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))
        yield real


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this worker's own: publishing reaches everybody on a server, whatever its database number."""
    with PrivateRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


def _administer(maintenance_url: str, *statements: str) -> None:
    url = make_url(maintenance_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _database(maintenance_url: str, name: str) -> str:
    return make_url(maintenance_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template(maintenance_url: str) -> Iterator[str]:
    """A migrated database with the catalogue and the city of `tests/builders.py`, to be cloned."""
    name = f"template_{uuid4().hex[:12]}"
    _administer(maintenance_url, f"CREATE DATABASE {name}")
    furnish(_database(maintenance_url, name))
    yield name
    _administer(maintenance_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(maintenance_url: str, template: str) -> Iterator[str]:
    """The address of a fresh copy of the template."""
    name = f"test_{uuid4().hex[:12]}"
    _administer(maintenance_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield _database(maintenance_url, name)
    _administer(maintenance_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the fresh copy."""
    engine = connect(database_url, pool=10)
    yield engine
    await engine.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    """Sessions on the fresh copy; `async with transaction(sessions) as session` commits."""
    return sessions_of(engine)


@pytest.fixture(scope="session")
def shared_copy(maintenance_url: str, template: str) -> Iterator[str]:
    """A copy that every rolled-back test of a worker shares."""
    name = f"shared_{uuid4().hex[:12]}"
    _administer(maintenance_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield _database(maintenance_url, name)
    _administer(maintenance_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def shared_engine(shared_copy: str) -> AsyncIterator[AsyncEngine]:
    """One connection to it, kept: what was compiled and prepared for one test serves the next, as in production."""
    engine = connect(shared_copy, pool=1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def session(shared_engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A transaction that is rolled back: for verbs that need no second observer."""
    async with sessions_of(shared_engine)() as session:
        yield session
        await session.rollback()


@pytest.fixture
def city() -> City:
    """The city that every template holds."""
    return City()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings for an application on the fresh copy."""
    return Settings(database_url=database_url, redis_url=redis_url, data=tmp_path, demo=True)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The web application, started."""
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


Client = httpx2.AsyncClient
SignIn = Callable[[str], AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def browser_of(app: FastAPI) -> AsyncIterator[Client]:
    """A client of the application that keeps its cookies and comes from our own pages."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://vigia.test") as client:
        client.headers["Origin"] = "http://vigia.test"
        yield client


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[Client]:
    """Somebody who has not signed in."""
    async with browser_of(app) as client:
        yield client


@pytest.fixture
def signed_in(app: FastAPI, city: City) -> SignIn:
    """`async with signed_in("dispatcher") as client`: somebody of the city, by the name of their account."""

    @asynccontextmanager
    async def enter(username: str) -> AsyncIterator[Client]:
        async with browser_of(app) as client:
            answer = await client.post("/api/v1/session", json={"username": username, "password": city.password})
            assert answer.status_code == 200, answer.text
            yield client

    return enter
