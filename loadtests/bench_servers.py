"""The three servers that `bench feed` compares, each in a process of its own: `python -m loadtests.bench_servers NAME`.

All send the same line to everybody who is connected. `limit` makes one `send` of a finished frame per socket, and
nothing else. `vigia` is the gateway: hub, frames, the `websockets` connections. `naive` is what most people write
with FastAPI. A server prints its port, then obeys `go COUNT INTERVAL` on its input and prints what that cost.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import hashlib
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import uvicorn
import uvloop
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from realtime.access import Actor, Face, Role
from realtime.bus import Bus
from realtime.catch_up import Caught, Cursor
from realtime.database import connect, sessions_of
from realtime.frames import json_frame
from realtime.hub import Hub
from realtime.journal import Head, Line
from web.feed import Gateway
from web.settings import Settings

Publish = Callable[[dict[str, Any]], Awaitable[None]]

READY = {"type": "snapshot", "features": []}
WHO = Actor(name="bench", role=Role.DISPATCHER)
SUBJECT = f"incident:{uuid4()}"
_FIRST = 1_000_000  # so that all messages are of one length
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def feature(number: int) -> dict[str, Any]:
    """Something of the size that an incident has, with the time at which it was told."""
    properties = {"subject": SUBJECT, "version": number, "sent": time.monotonic_ns(), "summary": "x" * 100}
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [-60.65, -32.95]}, "properties": properties}


def message(number: int) -> dict[str, Any]:
    """The line that everybody is to get."""
    return {"type": "line", "seq": number, "subject": SUBJECT, "version": number, "feature": feature(number)}


async def obey(port: int, publish: Publish, everybody: Callable[[], int]) -> None:
    """Do what the input says, and account for it."""
    loop = asyncio.get_running_loop()
    orders: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(sys.stdin.fileno(), lambda: orders.put_nowait(sys.stdin.readline()))
    print(port, flush=True)
    gc.collect()
    gc.freeze()
    number = _FIRST
    while order := (await orders.get()).split():
        count, interval = int(order[1]), float(order[2])
        began, cost = loop.time(), _cpu()
        for turn in range(count):
            await asyncio.sleep(began + turn * interval - loop.time())
            number += 1
            await publish(message(number))
        await asyncio.sleep(0.05)  # what the loop still holds goes out
        print(json.dumps({"cpu": _cpu() - cost, "feeds": everybody(), "pid": os.getpid()}), flush=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# ── The limit ─────────────────────────────────────────────────────────────────────────────────────


async def limit() -> None:
    """One `send` of a finished frame per socket."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listening.setblocking(False)
    sockets: list[socket.socket] = []
    loop = asyncio.get_running_loop()

    async def welcome(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += await loop.sock_recv(connection, 4096)
        key = next(line.split()[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        await loop.sock_sendall(
            connection,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n",
        )
        await loop.sock_recv(connection, 4096)  # the hello
        await loop.sock_sendall(connection, json_frame(READY))
        sockets.append(connection)

    async def accept() -> None:
        while True:
            connection, _ = await loop.sock_accept(listening)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await welcome(connection)

    async def publish(line: dict[str, Any]) -> None:
        frame = json_frame(line)
        for connection in sockets:
            connection.send(frame)

    accepting = asyncio.create_task(accept())
    await obey(listening.getsockname()[1], publish, lambda: len(sockets))
    accepting.cancel()


# ── Vigía ─────────────────────────────────────────────────────────────────────────────────────────


class BenchHub(Hub):
    """The hub, told its lines by hand instead of by the journal; everything after that is the real thing."""

    at_bench = Head(UUID(int=7), _FIRST)

    def begin(self) -> None:
        """Start somewhere."""
        self._at = self.at_bench

    async def _make(self, _actor: Actor, _since: Cursor | None) -> tuple[Caught, bytes]:
        return Caught(READY, self._at, frozenset()), json_frame(READY)

    async def publish(self, line: dict[str, Any]) -> None:
        """Tell a line as the journal holds it: faces for several audiences, of which this is one."""
        crew, police = frozenset({"unit:1"}), frozenset({"org:1"})
        faces = (Face(crew | {"ops:1"}, line["feature"]), Face(police, {"properties": {"masked": True}}))
        await self._tell([Line(line["seq"], line["subject"], line["version"], faces, frozenset({"ops:1"}))])


class BenchGateway(Gateway):
    """The gateway, to which everybody is known."""

    async def _who(self, _token_hash: bytes) -> Actor | None:
        return WHO


async def vigia() -> None:
    """The real gateway."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    engine = connect("postgresql+psycopg://nobody@/nowhere")  # never asked
    sessions = sessions_of(engine)

    async def no_positions(*_: object) -> list[Any]:
        return []

    async def nobody(*_: object) -> dict[bytes, Actor]:
        return {}

    hub = BenchHub(sessions, Bus(None), {}, no_positions, nobody)
    hub.begin()
    gateway = BenchGateway(Settings(feed_address=f"127.0.0.1:{port}"), sessions, hub)
    async with gateway.listening():
        await obey(port, hub.publish, lambda: len(hub.feeds))


# ── Naive ─────────────────────────────────────────────────────────────────────────────────────────


async def naive() -> None:
    """A loop of `await send_text`, as in the tutorial."""
    app, sockets = FastAPI(), set[WebSocket]()

    @app.websocket("/feed")
    async def feed(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()
        await websocket.send_text(json.dumps(READY))
        sockets.add(websocket)
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.receive_text()
        sockets.discard(websocket)

    async def publish(line: dict[str, Any]) -> None:
        for websocket in list(sockets):
            await websocket.send_text(json.dumps(line, separators=(",", ":")))

    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws_ping_interval=None))
    serving = asyncio.create_task(server.serve(sockets=[listening]))  # who connects before it serves just waits
    await obey(listening.getsockname()[1], publish, lambda: len(sockets))
    server.force_exit = server.should_exit = True
    await serving


SERVERS = {"limit": limit, "vigia": vigia, "naive": naive}


def main() -> None:
    """Serve as the first argument says, on the first core where there is more than one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    uvloop.run(SERVERS[sys.argv[1]]())


if __name__ == "__main__":
    main()
