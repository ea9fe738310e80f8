"""The feed process: the WebSocket gateway. It lets people in and leaves them to the hub.

After the hello the hub writes whole frames straight to the transport, beside the library, which keeps the
handshake, the reading and the goodbyes. That holds as long as nobody sends fragments: nobody does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError
from websockets.asyncio.server import Server, ServerConnection, serve, unix_serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import Event
from websockets.server import ServerProtocol

from realtime.access import Actor
from realtime.bus import Bus
from realtime.catch_up import Boards, Cursor
from realtime.database import Sessions, connect, reading, sessions_of, transaction
from realtime.hub import COME_BACK, SIGNED_OUT, Feed, Hub, cannot
from resources.positions import positions_now
from resources.sign_in import hash_of, keep_alive, still_signed_in
from web.context import cookie_name
from web.origin import origin_is_ours
from web.settings import Settings

log = structlog.get_logger()

MALFORMED, TOO_MANY, NO_HELLO, RESTARTING = 4400, 4029, 4408, 1012

HELLO_WITHIN = 10.0  # seconds
GOODBYE = 3.0  # seconds for the closing handshake; somebody who does not read is cut then
BURST, PER_SECOND = 20, 2.0  # frames from a client: one hello, and pongs; the rest is not for us
LARGEST = 64 * 1024  # bytes of a message from a client
AT_THE_DOOR = 500  # sockets that have not said hello …
AT_THE_DOOR_EACH = 50  # … and from one address: a command centre comes back all at once behind one router
UNSENT = 128 * 1024  # bytes that the kernel may queue ahead; more would only be older when it arrives
UNANSWERED = 20_000  # milliseconds that sent bytes may go without an answer
KEEP_ALIVE = 300.0  # seconds between notes that the sessions of open feeds are in use


class Malformed(Exception):
    """That was no hello."""


class Client(ServerConnection):
    """One WebSocket, with what the library leaves out: counting at the door, counting frames, short goodbyes."""

    def __init__(self, gateway: Gateway, protocol: ServerProtocol, server: Server, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self.gateway = gateway
        self.feed: Feed | None = None
        self.address = ""
        self._socket: socket.socket | None = None
        self._frames_left = float(BURST)
        self._counted_at = time.monotonic()
        self._parting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket: nobody yet. Too many of those, and it is closed without a word."""
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED)
            self.address = transport.get_extra_info("peername")[0]
        if connection is not None:
            # A descriptor of our own: the transport's number may be somebody else's socket the moment it closes.
            with contextlib.suppress(OSError):  # no descriptors left: the transport will do
                self._socket = socket.socket(fileno=os.dup(connection.fileno()))
                self._socket.setblocking(False)
        super().connection_made(transport)
        if not self.gateway.enter(self):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if self._socket is not None:
            self._socket.close()
        self.gateway.admit(self)
        if self.feed is not None:
            self.gateway.hub.leave(self.feed)
        super().connection_lost(exc)

    def process_event(self, event: Event) -> None:
        """A frame of any kind: a sign of life, and one off the allowance."""
        if self.request is not None:
            at = time.monotonic()
            self._frames_left = min(BURST, self._frames_left + (at - self._counted_at) * PER_SECOND) - 1
            self._counted_at = at
            if self.feed is not None:
                self.feed.heard = at
        if self._frames_left < 0:
            self.transport.pause_reading()
            self.goodbye(TOO_MANY)
        else:
            super().process_event(event)

    def send_data(self) -> None:
        """The library writes: a pong, a close. It may be left half said, and then nothing may go past it."""
        if self.feed is not None:
            self.feed.clogged = True
        super().send_data()

    @property
    def send_straight(self) -> Callable[[bytes], int]:
        """Past the transport, which must hold nothing then."""
        return cannot if self._socket is None else self._socket.send

    def goodbye(self, code: int) -> None:
        """Close without waiting for anybody; the first word counts."""
        if self.feed is not None:
            self.gateway.hub.leave(self.feed)  # nothing may follow a close frame
        if self._parting is None:
            self._parting = asyncio.create_task(self._part(code))

    async def _part(self, code: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE):  # the library waits for ever where a client does not read
                await self.close(code)
        self.transport.abort()


class Gateway:
    """Lets people in: whose page, whose session, from where on."""

    def __init__(self, settings: Settings, sessions: Sessions, hub: Hub) -> None:
        self.settings = settings
        self.sessions = sessions
        self.hub = hub
        self._door: dict[Client, str] = {}
        self._door_by_address: Counter[str] = Counter()
        self._asked: dict[bytes, asyncio.Future[Actor | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Server]:
        """Accept feeds while the block lasts, then ask everybody to come back."""
        address = self.settings.feed_address
        options: dict[str, Any] = {
            "create_connection": cast(type[ServerConnection], partial(Client, self)),
            "process_request": self._check,
            "compression": None,  # a frame compressed per connection could not be shared
            "max_size": LARGEST,
            "max_queue": 4,
            "open_timeout": HELLO_WITHIN,
            "close_timeout": GOODBYE,
            "ping_interval": None,  # the hub's heartbeat carries one shared ping
            "server_header": None,
            "backlog": 1024,  # all come back at once after a restart
        }
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            server = await unix_serve(self._handle, path, **options)
            os.chmod(path, 0o660)
        else:
            host, _, port = address.rpartition(":")
            server = await serve(self._handle, host.strip("[]"), int(port), **options)
        keeping = asyncio.create_task(self._keep_alive())
        try:
            yield server
        finally:
            keeping.cancel()
            self.hub.drop_all(RESTARTING)
            server.close(code=RESTARTING)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * GOODBYE):
                    await server.wait_closed()

    # ── The door ──────────────────────────────────────────────────────────────────────────────────

    def enter(self, client: Client) -> bool:
        """Count a socket that has not said hello yet; False when there are too many."""
        self._door[client] = client.address
        if client.address:
            self._door_by_address[client.address] += 1
        return len(self._door) <= AT_THE_DOOR and self._door_by_address[client.address] <= AT_THE_DOOR_EACH

    def admit(self, client: Client) -> None:
        """It said hello, or went away."""
        address = self._door.pop(client, "")
        self._door_by_address[address] -= 1
        if self._door_by_address[address] <= 0:
            del self._door_by_address[address]

    def _moved_behind(self, client: Client, address: str) -> bool:
        """Count a socket that a proxy brought under the address that it names."""
        self._door_by_address[client.address] -= 1
        client.address = self._door[client] = address
        self._door_by_address[address] += 1
        return self._door_by_address[address] <= AT_THE_DOOR_EACH

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        client = cast(Client, connection)
        if request.path.partition("?")[0] != "/feed":
            return client.respond(HTTPStatus.NOT_FOUND, "Not here.\n")
        forwarded = _forwarded_for(request.headers)
        behind_proxy = not client.address or client.address in self.settings.trusted_proxies
        if forwarded and behind_proxy and not self._moved_behind(client, forwarded):
            return client.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Too many at the door.\n")
        if not self._from_our_page(request.headers):
            return client.respond(HTTPStatus.FORBIDDEN, "That page is not ours.\n")
        return None

    def _from_our_page(self, headers: Headers) -> bool:
        origins, hosts = headers.get_all("Origin"), headers.get_all("Host")
        if not origins:  # no browser; but then no cookie either, that some page might have made it send
            return _bearer(headers) is not None
        return len(origins) == len(hosts) == 1 and origin_is_ours(self.settings, origins[0], hosts[0])

    # ── One feed ──────────────────────────────────────────────────────────────────────────────────

    async def _handle(self, connection: ServerConnection) -> None:
        client = cast(Client, connection)
        try:
            await self._serve(client)
        except ConnectionClosed:
            pass
        except TimeoutError:
            client.goodbye(NO_HELLO)
        except (Malformed, ValueError, RecursionError):
            client.goodbye(MALFORMED)
        except (SQLAlchemyError, OSError) as failure:
            log.warning("feed.cannot_serve", reason=repr(failure))
            client.goodbye(COME_BACK)
        with contextlib.suppress(ConnectionClosed):
            await client.wait_closed()  # the goodbye is said by `goodbye`, with its own code

    async def _serve(self, client: Client) -> None:
        assert client.request is not None  # noqa: S101  the handshake is over
        token = _bearer(client.request.headers) or _cookie(client.request.headers, cookie_name(self.settings))
        token_hash = hash_of(token or "")
        actor = await self._who(token_hash) if token else None
        if actor is None:
            return client.goodbye(SIGNED_OUT)
        async with asyncio.timeout(HELLO_WITHIN):
            since = _hello(await client.recv())
        self.admit(client)
        client.feed = Feed(actor, token_hash, client.transport, client.goodbye, client.send_straight)
        try:
            await self.hub.join(client.feed, since)
            await client.recv()
            raise Malformed  # there is nothing to say after the hello
        finally:
            self.hub.leave(client.feed)

    async def _who(self, token_hash: bytes) -> Actor | None:
        """Ask the database for all who came while it was answering the ones before: a storm is a few queries."""
        answer = self._asked.get(token_hash)
        if answer is None:
            answer = self._asked[token_hash] = asyncio.get_running_loop().create_future()
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(answer)

    async def _ask(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                async with reading(self.sessions) as session:
                    found = await still_signed_in(session, list(asked))
            except (SQLAlchemyError, OSError) as failure:
                for answer in asked.values():
                    answer.set_exception(failure)
                    answer.exception()  # read here: its asker may have gone
                continue
            for token_hash, answer in asked.items():
                answer.set_result(found.get(token_hash))

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE)
            try:
                async with transaction(self.sessions) as session:
                    await keep_alive(session, list({feed.token_hash for feed in self.hub.feeds}))
            except (SQLAlchemyError, OSError) as failure:
                log.warning("feed.cannot_keep_alive", reason=repr(failure))


async def run_feed(settings: Settings, boards: Boards) -> None:
    """The feed process: runs until SIGTERM or SIGINT, or until its hub fails (then the exit code is 1)."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    engine = connect(settings.database, pool=8)
    bus = Bus(settings.redis_url, name=settings.redis_name)
    hub = Hub(sessions_of(engine), bus, boards, positions_now, still_signed_in)
    async with hub.running(), Gateway(settings, hub.sessions, hub).listening():
        log.info("feed.listening", address=settings.feed_address)
        ends = [asyncio.ensure_future(event.wait()) for event in (stop, hub.broken)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
    await bus.close()
    await engine.dispose()
    if hub.broken.is_set():
        raise SystemExit(1)


def _hello(message: str | bytes) -> Cursor | None:
    hello = orjson.loads(message) if isinstance(message, str) else None
    match hello:
        case {"type": "hello", "resume": None}:
            return None
        case {"type": "hello", "resume": {"epoch": str(epoch), "seq": int(seq)}} if type(seq) is int and seq >= 0:
            return Cursor(epoch, seq)
        case _:
            raise Malformed


def _bearer(headers: Headers) -> str | None:
    for value in headers.get_all("Authorization"):
        if value.startswith("Bearer "):
            return value.removeprefix("Bearer ").strip()
    return None


def _cookie(headers: Headers, name: str) -> str | None:
    for value in headers.get_all("Cookie"):
        with contextlib.suppress(CookieError):
            found = SimpleCookie(value).get(name)
            if found is not None:
                return found.value
    return None


def _forwarded_for(headers: Headers) -> str | None:
    """The address that the nearest proxy saw: the last one, the others are only said."""
    said = [part.strip() for value in headers.get_all("X-Forwarded-For") for part in value.split(",")]
    try:
        return str(ipaddress.ip_address(said[-1])) if said else None
    except ValueError:
        return None
