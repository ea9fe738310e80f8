"""A city that everything bad is thrown at, and the question whether it is still well."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from realtime.database import Sessions, reading, transaction
from tests.api.desks import app_on, badges, copy_of, desk, machinery_of
from tests.api.stage import Stage, staged
from tests.builders import City, a_report, an_assignment, an_incident
from tests.conftest import Client
from web.tables import METADATA

# Attempts are counted whatever becomes of them; a session notes that it is in use.
COUNTED = sorted(set(METADATA.tables) - {"attempts", "sign_ins", "position_history", "unit_positions"})


@dataclass
class Victim:
    """The application on a city of its own, and whoever talks to it."""

    app: FastAPI
    sessions: Sessions
    clients: dict[str, Client]
    incident: UUID
    report: UUID
    assignment: UUID
    database_url: str
    tokens: dict[str, str]

    async def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        each = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in COUNTED)  # noqa: S608
        async with reading(self.sessions) as session:
            return {row[0]: row[1] for row in await session.execute(text(each))}

    async def is_well(self) -> None:
        """Every screen can still read its city."""
        for who in ("trained", "wall", "police", "vecinal oeste", "crew m1"):
            for path in ("snapshot", "incidents", "units"):
                answer = await self.clients[who].get(path)
                assert answer.status_code == 200, f"{who}: {path}"
                strictly(answer.content)


def strictly(content: bytes) -> Any:
    """JSON as a browser reads it: UTF-8, without NaN."""

    def no_constant(name: str) -> NoReturn:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(content.decode("utf-8"), parse_constant=no_constant)


def is_a_refusal(answer: httpx2.Response) -> dict[str, Any]:
    """The problem document of an answer that says no: whole, in words, and without an echo of anything binary."""
    assert 400 <= answer.status_code < 500, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = strictly(answer.content)
    assert problem["status"] == answer.status_code
    assert problem["code"]
    assert problem["title"]
    assert len(answer.content) < 16_000, "a refusal repeats what it was sent"
    return problem


@pytest.fixture(scope="session")
def victims_database(maintenance_url: str, template: str) -> Iterator[str]:
    """A copy of the city to be maltreated."""
    with copy_of(maintenance_url, template) as url:
        yield url


@pytest.fixture(scope="session")
async def victim(
    victims_database: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Victim]:
    """The city to be maltreated, with an incident, a report and a unit on its way."""
    city = City()
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(app_on(victims_database, redis_url, tmp_path_factory.mktemp("victim")))
        sessions = machinery_of(app).sessions
        async with transaction(sessions) as session:
            incident = await an_incident(session, city.actor("trained"))
            sent = await an_assignment(session, city.actor("trained"), incident, city.units["M1"])
            report = await a_report(session, city.actor("police"))
        tokens = await badges(sessions)
        clients = {who: await stack.enter_async_context(desk(app, token)) for who, token in tokens.items()}
        clients["neighbour"] = await stack.enter_async_context(desk(app))
        yield Victim(app, sessions, clients, incident.id, report.id, sent.id, victims_database, tokens)


@pytest.fixture(scope="module")
async def stage(
    maintenance_url: str, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A stage on which whatever succeeds is taken back."""
    async with staged(maintenance_url, template, redis_url, tmp_path_factory.mktemp("stage")) as stage:
        yield stage
