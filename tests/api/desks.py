"""Places to work at: a copy of the city that a whole module shares, the application on it, and people signed in.

Signing in takes a tenth of a second of hashing by design; tests that are not about passwords take a badge instead.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
from fastapi import FastAPI
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.database import Sessions, now, transaction
from resources.sign_in import SignIn, hash_of
from tests.builders import City
from tests.conftest import Client, _administer, _database
from web.app import create_app
from web.context import Machinery
from web.settings import Settings

HERE = "http://vigia.test"
API = f"{HERE}/api/v1/"


@contextmanager
def copy_of(maintenance_url: str, template: str) -> Iterator[str]:
    """A fresh copy of the template for as long as the block lasts."""
    name = f"desk_{uuid4().hex[:12]}"
    _administer(maintenance_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield _database(maintenance_url, name)
    finally:
        _administer(maintenance_url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def app_on(database_url: str, redis_url: str | None, data: Path) -> AsyncIterator[FastAPI]:
    """The web application on a database, started."""
    app = create_app(Settings(database_url=database_url, redis_url=redis_url, data=data, demo=True))
    async with app.router.lifespan_context(app):
        yield app


def machinery_of(app: FastAPI) -> Machinery:
    """What the application holds open."""
    machinery: Machinery = app.state.machinery
    return machinery


async def badge(session: AsyncSession, person_id: UUID) -> str:
    """A new session of somebody: its token."""
    token = secrets.token_urlsafe(32)
    await session.execute(
        insert(SignIn).values(
            token_hash=hash_of(token), person_id=person_id, created_at=now(), last_seen_at=now(), user_agent=""
        )
    )
    return token


async def badges(sessions: Sessions, names: Collection[str] | None = None) -> dict[str, str]:
    """A token for everybody of the city, by the name of their account."""
    async with transaction(sessions) as session:
        people = {name: person[0] for name, person in City.people.items() if names is None or name in names}
        return {name: await badge(session, person_id) for name, person_id in people.items()}


@asynccontextmanager
async def desk(app: FastAPI, token: str | None = None) -> AsyncIterator[Client]:
    """A machine at the application's API, with a badge or without; addresses are relative to `/api/v1/`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=API, headers=headers) as client:
        yield client


async def persistently(client: Client, path: str, body: object, **options: object) -> httpx2.Response:
    """POST as every client of Vigía does: told that it is busy (503), it asks again with the same ids."""
    for _ in range(20):
        answer = await client.post(path, json=body, **options)  # type: ignore[arg-type]
        if answer.status_code != 503:
            return answer
        assert answer.headers["Retry-After"].isdigit()
        await asyncio.sleep(0.1)  # a test has no two seconds
    raise AssertionError("busy for ever")
