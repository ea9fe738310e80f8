"""Bytes that no browser sends, straight into the sockets: the web server's and the feed's.

Nothing here may cost more than the connection it came through.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import struct
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from websockets.asyncio.client import unix_connect
from websockets.exceptions import InvalidHandshake
from websockets.frames import Opcode

from realtime.bus import Bus
from realtime.database import new_id
from realtime.hub import Hub
from resources.positions import positions_now
from resources.sign_in import still_signed_in
from tests.bad_input.conftest import Victim
from web.boards import BOARDS
from web.feed import Gateway
from web.front_door import FrontDoor
from web.settings import Settings

PATIENCE = 15.0


# ── HTTP ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
async def port(victim: Victim) -> AsyncIterator[int]:
    """The web server, put together as `python -m web.cli serve` does."""
    settings = Settings(feed_address="unix:/nowhere/feed.sock")
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        victim.app,
        http="httptools",
        ws=FrontDoor.towards(settings),
        lifespan="off",
        log_level="critical",
        timeout_keep_alive=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving
    listening.close()


async def said_to(port: int, request: bytes, *, then_close: bool = False) -> list[int]:
    """Send these bytes; the statuses of whatever comes back until the other side is done."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        await writer.drain()
        if then_close:
            writer.write_eof()
        async with asyncio.timeout(3):
            answer = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


def head(line: str, *headers: str) -> bytes:
    """A request's head, as it stands."""
    return "\r\n".join([line, "Host: vigia.test", "Connection: close", *headers, "", ""]).encode("latin-1")


POST, JSON = "POST /api/v1/reports HTTP/1.1", "Content-Type: application/json"
REPORT = b'{"id": "%s", "words": "humo"}'
WIRES: dict[str, bytes] = {
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "a word": b"HELP\r\n\r\n",
    "nothing but line breaks": b"\r\n" * 1000,
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/3.7": b"GET /health HTTP/3.7\r\nHost: x\r\n\r\n",
    "HTTP/2, with prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 50,
    "bytes that are no letters in the path": b"GET /api/v1/incidents/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in the path": b"GET /api/v1/\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a percent in the path": head("GET /api/v1/incidents/%f HTTP/1.1"),
    "bad UTF-8 behind percents": head("GET /api/v1/incidents/%ff%c0%af HTTP/1.1"),
    "a path out of the house": head("GET /static/../../../../etc/passwd HTTP/1.1"),
    "a path out of the house, backwards": head("GET /static/%2e%2e%5c%2e%2e%5cweb%5csettings.py HTTP/1.1"),
    "encoded twice": head("GET /static/%252e%252e%252fsettings.py HTTP/1.1"),
    "an address of somebody else": head("GET http://169.254.169.254/latest HTTP/1.1"),
    "an address of 100 KB": head(f"GET /{'a' * 100_000} HTTP/1.1"),
    "a question of 60 KB": head(f"GET /api/v1/incidents?x={'a' * 60_000} HTTP/1.1"),
    "a header of 64 KB": head("GET /health HTTP/1.1", f"X-Long: {'a' * 65_536}"),
    "ten thousand headers": head("GET /health HTTP/1.1", *[f"X-{number}: x" for number in range(10_000)]),
    "a header with NUL": head("GET /health HTTP/1.1", "X-Nul: a\x00b"),
    "a header over two lines": head("GET /health HTTP/1.1", "X-Folded: a", " b"),
    "a header without a name": head("GET /health HTTP/1.1", ": x"),
    "a header with a space in its name": head("GET /health HTTP/1.1", "X y : x"),
    "two hosts": head("GET /health HTTP/1.1", "Host: evil.test"),
    "no host": b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two lengths": head(POST, JSON, "Content-Length: 5", "Content-Length: 50") + b"[1,2]",
    "a length and chunks": head(POST, JSON, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a length below zero": head(POST, JSON, "Content-Length: -5") + b"[1,2]",
    "a length with a sign": head(POST, JSON, "Content-Length: +5") + b"[1,2]",
    "a length beyond numbers": head(POST, JSON, f"Content-Length: {'9' * 100}") + b"[1,2]",
    "a length in other digits": head(POST, JSON, "Content-Length: \xb2") + b"[1,2]",
    "a length of 10 GB": head(POST, JSON, "Content-Length: 10000000000") + b"[1,2]",
    "chunks of no size": head(POST, JSON, "Transfer-Encoding: chunked") + b"zz\r\n[1,2]\r\n0\r\n\r\n",
    "a chunk of every size": head(POST, JSON, "Transfer-Encoding: chunked") + b"f" * 40 + b"\r\n",
    "chunks for ever": head(POST, JSON, "Transfer-Encoding: chunked") + b"2710\r\n" + b"x" * 10_000 + b"\r\n" * 20,
    "an unknown encoding of transfer": head(POST, JSON, "Transfer-Encoding: gzip, cow"),
    "a body in gzip": head(POST, JSON, "Content-Encoding: gzip", "Content-Length: 4") + b"\x1f\x8b\x08\x00",
    "expects something odd": head(POST, JSON, "Expect: the-unexpected", "Content-Length: 2") + b"{}",
    "TRACE": head("TRACE / HTTP/1.1"),
    "CONNECT": head("CONNECT evil.test:443 HTTP/1.1"),
    "a method of 10 KB": head(f"{'A' * 10_000} / HTTP/1.1"),
    "an upgrade to something else": head("GET / HTTP/1.1").replace(b"close", b"Upgrade\r\nUpgrade: h2c"),
    "ten thousand ranges": head("GET /favicon.ico HTTP/1.1", "Range: bytes=" + "0-0," * 10_000 + "0-0"),
    "a smuggled second request": head(POST, JSON, "Content-Length: 4", "Transfer-Encoding : chunked")
    + b"0\r\n\r\nGET /api/v1/people HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("wire", WIRES)
async def test_strange_bytes_are_refused_or_cut_off_and_never_break_us(victim: Victim, port: int, wire: str) -> None:
    before = await victim.rows()
    statuses = await said_to(port, WIRES[wire])
    assert all(status < 500 for status in statuses), statuses
    assert len(statuses) <= 2
    assert await victim.rows() == before
    assert await said_to(port, head("GET /health HTTP/1.1")) == [200]


async def test_a_body_that_breaks_off_changes_nothing(victim: Victim, port: int) -> None:
    before = await victim.rows()
    body = REPORT % str(new_id()).encode()
    for length in (len(body) + 1, 60_000):
        statuses = await said_to(
            port, head(POST, JSON, f"Content-Length: {length}") + body[: -length % 7 or None], then_close=True
        )
        assert all(400 <= status < 500 for status in statuses)
    assert await victim.rows() == before


async def test_many_who_say_nothing_keep_nobody_out(port: int) -> None:
    """F30: half-said requests wait; whoever speaks is heard."""
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    for _, writer in silent:
        writer.write(b"GET /health HTTP/1.1\r\nX-Slow: ")
    assert await said_to(port, head("GET /health HTTP/1.1")) == [200]
    for _, writer in silent:
        writer.close()


async def test_requests_one_behind_the_other_are_answered_in_order(victim: Victim, port: int) -> None:
    ask = b"GET /api/v1/%s HTTP/1.1\r\nHost: x\r\n%s\r\n"
    lines = ask % (b"catalogue", b"") + ask % (b"session", b"") + ask % (b"nothing", b"Connection: close\r\n")
    assert await said_to(port, lines) == [200, 401, 404]


# ── The feed ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
async def feed(victim: Victim) -> AsyncIterator[Path]:
    """The feed's socket."""
    with tempfile.TemporaryDirectory(prefix="vb") as directory:
        path = Path(directory) / "feed.sock"
        bus = Bus(None)
        hub = Hub(victim.sessions, bus, BOARDS, positions_now, still_signed_in)
        settings = Settings(database_url=victim.database_url, feed_address=f"unix:{path}")
        async with hub.running(), Gateway(settings, victim.sessions, hub).listening():
            yield path
        assert not hub.broken.is_set()


SHAKE = (
    "GET /feed HTTP/1.1\r\nHost: vigia.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


async def shaken(feed: Path, token: str, more: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    """A WebSocket after its handshake, as bare bytes."""
    reader, writer = await asyncio.open_unix_connection(str(feed))
    writer.write(f"{SHAKE}Authorization: Bearer {token}\r\n{more}\r\n".encode("latin-1"))
    async with asyncio.timeout(PATIENCE):
        answer = await reader.readuntil(b"\r\n\r\n")
    return reader, writer, answer.decode()


async def code_after(reader: asyncio.StreamReader) -> int:
    """With what the other side closed; 1006 without a word."""
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, second = await reader.readexactly(2)
                size: int = second & 0x7F
                if size == 126:
                    [size] = struct.unpack("!H", await reader.readexactly(2))
                elif size == 127:
                    [size] = struct.unpack("!Q", await reader.readexactly(8))
                payload = await reader.readexactly(size)
                if first & 0x0F == Opcode.CLOSE:
                    return int(struct.unpack("!H", payload[:2])[0])
    return 1006


def frame(opcode: int, data: bytes, *, fin: bool = True, rsv1: bool = False, mask: bool = True) -> bytes:
    """One frame, as wrong as wanted (its mask is zero, which is one as good as another)."""
    first = opcode | 0x80 * fin | 0x40 * rsv1
    size, masked = len(data), 0x80 * mask
    length = bytes((size | masked,)) if size < 126 else struct.pack("!BH", 126 | masked, size)
    return bytes((first,)) + length + bytes(4 * mask) + data


HELLO = json.dumps({"type": "hello", "resume": None}).encode()
FRAMES: dict[str, tuple[bytes, set[int]]] = {
    "103 not masked": (frame(Opcode.TEXT, HELLO, mask=False), {1002}),
    "103 not UTF-8": (frame(Opcode.TEXT, b"\xff\xfe\xfd"), {1007}),
    "103 binary": (frame(Opcode.BINARY, HELLO), {4400}),
    "102 compressed, which was not agreed": (frame(Opcode.TEXT, HELLO, rsv1=True), {1002}),
    "102 fragments beyond the limit": (
        frame(Opcode.TEXT, b"x" * 1000, fin=False) + frame(Opcode.CONT, b"x" * 1000, fin=False) * 70,
        {1009, 4029, 1006},
    ),
    "102 empty fragments for ever": (
        frame(Opcode.TEXT, b"", fin=False) + frame(Opcode.CONT, b"", fin=False) * 10_000,
        {4029, 1006},
    ),
    "102 a continuation of nothing": (frame(Opcode.CONT, b"x"), {1002}),
    "102 a new message within another": (frame(Opcode.TEXT, b"{", fin=False) + frame(Opcode.TEXT, b"}"), {1002}),
    "102 a length of half the world": (b"\x81\xff" + struct.pack("!Q", (1 << 63) - 1), {1009}),
    "102 a length below zero": (b"\x81\xff" + struct.pack("!Q", 1 << 63), {1002, 1009}),
    "an opcode that there is not": (b"\x83\x80\x00\x00\x00\x00", {1002}),
    "a ping that is too long": (b"\x89\xfe\x00\x7e" + bytes(4) + bytes(126), {1002}),
    "a ping in fragments": (b"\x09\x80\x00\x00\x00\x00", {1002}),
    "107 a flood of pings": (frame(Opcode.PING, b"?") * 5000, {4029, 1006}),
    "109 a close code that there is not": (frame(Opcode.CLOSE, struct.pack("!H", 9999)), {1002}),
    "109 the close code that is never sent": (frame(Opcode.CLOSE, struct.pack("!H", 1005)), {1002}),
    "109 half a close code": (frame(Opcode.CLOSE, b"\x03"), {1002}),
    "109 a goodbye that is not UTF-8": (frame(Opcode.CLOSE, struct.pack("!H", 1000) + b"\xff"), {1007, 1002}),
    "109 more after the goodbye": (frame(Opcode.CLOSE, struct.pack("!H", 1000)) + frame(Opcode.TEXT, HELLO), {1000}),
    "a hello of 60 KB": (frame(Opcode.TEXT, json.dumps({"type": "x" * 60_000}).encode()), {4400}),
    "a hello with a key twice": (frame(Opcode.TEXT, b'{"type": "hello", "type": "x", "resume": null}'), {4400}),
    "a hello in the wrong case": (frame(Opcode.TEXT, b'{"Type": "hello", "resume": null}'), {4400}),
}


@pytest.mark.parametrize("name", FRAMES)
async def test_a_broken_frame_ends_its_own_connection_and_no_other(victim: Victim, feed: Path, name: str) -> None:
    frames, codes = FRAMES[name]
    reader, writer, answer = await shaken(feed, victim.tokens["dispatcher"])
    assert answer.startswith("HTTP/1.1 101 ")
    writer.write(frames)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    assert await code_after(reader) in codes
    writer.close()
    headers = {"Authorization": f"Bearer {victim.tokens['wall']}"}
    async with unix_connect(str(feed), "ws://vigia.test/feed", additional_headers=headers) as screen:
        await screen.send(HELLO.decode())
        assert json.loads(await screen.recv())["type"] == "snapshot"


async def test_102_compression_is_not_agreed_to(victim: Victim, feed: Path) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    _, writer, answer = await shaken(feed, victim.tokens["wall"], offer)
    assert "101" in answer
    assert "extensions" not in answer.lower()
    writer.close()


SHAKES: dict[str, str] = {
    "no key": SHAKE.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
    "a key that is none": SHAKE.replace("dGhlIHNhbXBsZSBub25jZQ==", "x"),
    "a version from the past": SHAKE.replace("Version: 13", "Version: 7"),
    "no upgrade": SHAKE.replace("Upgrade: websocket\r\n", ""),
    "a POST": SHAKE.replace("GET", "POST"),
    "a foreign page": f"{SHAKE}Origin: https://evil.test\r\n",
    "no page at all": f"{SHAKE}Origin: null\r\n",
    "two pages": f"{SHAKE}Origin: http://vigia.test\r\nOrigin: https://evil.test\r\n",
    "bytes in the path": SHAKE.replace("/feed", "/feed/%ff"),
    "a header of 100 KB": f"{SHAKE}X-Long: {'x' * 100_000}\r\n",
    "three hundred headers": SHAKE + "".join(f"X-{number}: x\r\n" for number in range(300)),
    "no HTTP": "\x16\x03\x01\x02",
}


@pytest.mark.parametrize("shake", SHAKES)
async def test_99_a_handshake_that_is_none_opens_nothing(victim: Victim, feed: Path, shake: str) -> None:
    reader, writer = await asyncio.open_unix_connection(str(feed))
    cookie = f"Cookie: vigia={victim.tokens['dispatcher']}\r\n"
    writer.write(f"{SHAKES[shake]}{cookie}\r\n".encode("latin-1"))
    answer = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
    writer.close()
    statuses = [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d{3}) ", answer, re.MULTILINE)]
    assert all(400 <= status < 500 for status in statuses), answer


async def test_101_a_token_in_the_address_opens_nothing(victim: Victim, feed: Path) -> None:
    with pytest.raises(InvalidHandshake):
        async with unix_connect(str(feed), f"ws://vigia.test/feed?token={victim.tokens['wall']}"):
            pass
