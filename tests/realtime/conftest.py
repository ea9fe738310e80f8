"""A journal with a relay at work, and screens that follow it, each over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, text
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed

from realtime.access import Actor
from realtime.bus import Bus
from realtime.catch_up import snapshot
from realtime.database import Sessions, now, reading, transaction
from realtime.hub import Hub
from realtime.relay import run_relay
from resources.positions import positions_now
from resources.sign_in import SignIn, hash_of, still_signed_in
from tests.builders import City
from web.boards import BOARDS
from web.feed import Gateway
from web.launcher.redis import PrivateRedis
from web.settings import Settings

PATIENCE = 15.0  # seconds: tests say what must happen, not how fast


async def until(condition: Callable[[], object], within: float = PATIENCE) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


class Screen:
    """A client of the feed as the front end is one: a few lines, and the state they lead to."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.state: dict[str, dict[str, Any]] = {}
        self.places: dict[str, list[Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.epoch = ""
        self.seq = -1
        self.code: int | None = None

    async def follow(self) -> None:
        """Read until the end."""
        try:
            async for message in self.connection:
                self.apply(json.loads(message))
        except ConnectionClosed:
            pass
        self.code = self.connection.close_code

    def apply(self, message: dict[str, Any]) -> None:
        """Take one message in."""
        self.messages.append(message)
        match message["type"]:
            case "snapshot":
                self.state = {feature["properties"]["subject"]: feature for feature in message["features"]}
                self.places = {row[0]: row for row in message["positions"]}
            case "resumed":
                for line in message["lines"]:
                    self.take(line)
                self.places |= {row[0]: row for row in message["positions"]}
            case "line":
                self.take(message)
            case "positions":
                self.places |= {row[0]: row for row in message["units"]}
        self.epoch = message.get("epoch", self.epoch)
        self.seq = message.get("seq", self.seq)

    def take(self, line: dict[str, Any]) -> None:
        """The protocol."""
        held = self.state.get(line["subject"])
        if held is not None and held["properties"]["version"] > line["version"]:
            return
        if line["feature"] is None:
            self.state.pop(line["subject"], None)
        else:
            self.state[line["subject"]] = line["feature"]

    def count(self, kind: str) -> int:
        """How many messages of a kind came."""
        return sum(message["type"] == kind for message in self.messages)


Watch = Callable[..., AbstractAsyncContextManager[Screen]]
Token = Callable[[str], Awaitable[str]]


@pytest.fixture
def redis_name() -> str:
    """A name of this test's own on the shared Redis."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
async def bus(redis_url: str, redis_name: str) -> AsyncIterator[Bus]:
    """A living bus."""
    bus = Bus(redis_url, name=redis_name)
    yield bus
    await bus.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    """A Redis to be maltreated."""
    with PrivateRedis(tmp_path) as server:
        yield server


async def numbered(sessions: Sessions) -> int:
    """Wait until the relay has numbered everything; the last number."""
    while True:
        async with transaction(sessions) as session:
            query = text("SELECT (SELECT count(*) FROM journal WHERE seq IS NULL), (SELECT seq FROM stream_head)")
            waiting, seq = (await session.execute(query)).one()
        if not waiting:
            return int(seq)
        await asyncio.sleep(0.02)


@pytest.fixture
async def relay(database_url: str, sessions: Sessions, bus: Bus) -> AsyncIterator[None]:
    """A relay that numbers while the test lasts; what built the city has its numbers."""
    stop = asyncio.Event()
    running = asyncio.create_task(run_relay(database_url, bus, stop))
    await numbered(sessions)
    yield
    stop.set()
    await running


@pytest.fixture
async def hub(sessions: Sessions, redis_url: str, redis_name: str, relay: None) -> AsyncIterator[Hub]:
    """The hub of a feed process."""
    bus = Bus(redis_url, name=redis_name)
    hub = Hub(sessions, bus, BOARDS, positions_now, still_signed_in)
    async with hub.running():
        yield hub
        assert not hub.broken.is_set()
    await bus.close()


@pytest.fixture
def feed_socket() -> Iterator[Path]:
    """Where the gateway listens; short, because addresses of sockets are."""
    with tempfile.TemporaryDirectory(prefix="vf") as directory:
        yield Path(directory) / "feed.sock"


@pytest.fixture
async def gateway(hub: Hub, sessions: Sessions, database_url: str, feed_socket: Path) -> AsyncIterator[Gateway]:
    """The gateway, listening."""
    settings = Settings(database_url=database_url, feed_address=f"unix:{feed_socket}")
    gateway = Gateway(settings, sessions, hub)
    async with gateway.listening():
        yield gateway


@pytest.fixture
def token(sessions: Sessions, city: City) -> Token:
    """`await token("dispatcher")`: a new session of somebody of the city."""

    async def make(name: str) -> str:
        token = uuid4().hex
        row = {"token_hash": hash_of(token), "person_id": city.people[name][0], "user_agent": "test"}
        async with transaction(sessions) as session:
            await session.execute(insert(SignIn).values(**row, created_at=now(), last_seen_at=now()))
        return token

    return make


@pytest.fixture
def watch(gateway: Gateway, feed_socket: Path, token: Token) -> Watch:
    """`async with watch("dispatcher") as screen`: somebody's screen, caught up."""

    @asynccontextmanager
    async def open_screen(
        name: str, *, resume: dict[str, Any] | None = None, token_: str | None = None
    ) -> AsyncIterator[Screen]:
        headers = {"Authorization": f"Bearer {token_ or await token(name)}"}
        async with unix_connect(str(feed_socket), "ws://vigia.test/feed", additional_headers=headers) as connection:
            screen = Screen(connection)
            await connection.send(json.dumps({"type": "hello", "resume": resume}))
            following = asyncio.create_task(screen.follow())
            await until(lambda: screen.messages or screen.code)
            yield screen
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    return open_screen


async def fresh(sessions: Sessions, actor: Actor) -> dict[str, dict[str, Any]]:
    """What a new snapshot would show, by subject."""
    async with reading(sessions) as session:
        caught = await snapshot(session, actor, BOARDS, positions_now)
    message = json.loads(json.dumps(caught.message, default=str))
    return {feature["properties"]["subject"]: feature for feature in message["features"]}


@contextlib.contextmanager
def counted(screen: Screen, kind: str) -> Iterator[Callable[[], int]]:
    """How many messages of a kind came since."""
    before = screen.count(kind)
    yield lambda: screen.count(kind) - before
