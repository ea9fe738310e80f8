"""The gateway over real sockets: who gets in, who is put out, and what they see in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import text, update
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from incidents.closing import hold_incident
from realtime import hub as hub_module
from realtime.access import Actor, Role
from realtime.database import Sessions, transaction
from realtime.frames import json_frame
from realtime.hub import Hub
from resources.people import Person, disable_person
from resources.sign_in import hash_of, sign_out
from resources.units import Duty, set_duty
from tests.builders import City, an_incident
from tests.realtime.conftest import PATIENCE, Token, Watch, fresh, numbered, until
from web import feed as feed_module
from web.feed import BURST, Gateway
from web.front_door import FrontDoor
from web.settings import Settings

HELLO = json.dumps({"type": "hello", "resume": None})


async def move(sessions: Sessions, city: City, unit: str, duty: Duty = Duty.BREAK) -> None:
    """Some fact."""
    async with transaction(sessions) as session:
        await set_duty(session, city.actor("dispatcher"), city.units[unit], duty=duty)


@pytest.fixture
def door(gateway: Gateway, feed_socket: Path) -> Any:
    """`async with door(headers…) as connection`: a WebSocket, nothing said yet."""

    @asynccontextmanager
    async def open_door(path: str = "/feed", **headers: str) -> AsyncIterator[ClientConnection]:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        async with unix_connect(str(feed_socket), f"ws://vigia.test{path}", additional_headers=headers) as connection:
            yield connection

    return open_door


async def code_of(connection: ClientConnection) -> int | None:
    """How it was closed, whatever came before."""
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.recv()
    return connection.close_code


# ── Getting in ────────────────────────────────────────────────────────────────────────────────────


async def test_a_screen_follows_the_city(watch: Watch, sessions: Sessions, city: City) -> None:
    async with watch("dispatcher") as screen:
        assert screen.state == await fresh(sessions, city.actor("dispatcher"))
        async with transaction(sessions) as session:
            incident = await an_incident(session, city.actor("call_taker"))
        await until(lambda: incident.subject in screen.state)
        assert screen.state == await fresh(sessions, city.actor("dispatcher"))


async def test_the_cookie_opens_only_for_our_own_pages(door: Any, token: Token) -> None:
    cookie = f"other=1; vigia={await token('wall')}"
    for ours in ("http://vigia.test", "https://vigia.test"):
        async with door(Cookie=cookie, Origin=ours) as connection:
            await connection.send(HELLO)
            assert json.loads(await connection.recv())["type"] == "snapshot"
    for foreign in ("http://evil.test", "null", "http://vigia.test.evil.test", "http://vigia.test:81", ""):
        with pytest.raises(InvalidStatus, match="403"):
            await door(Cookie=cookie, Origin=foreign).__aenter__()
    with pytest.raises(InvalidStatus, match="403"):
        await door(Cookie=cookie).__aenter__()  # no page at all


async def test_with_public_origins_the_list_is_exact(
    hub: Hub, sessions: Sessions, database_url: str, tmp_path: Path, token: Token, feed_socket: Path
) -> None:
    address = feed_socket.with_name("exact.sock")
    settings = Settings(
        database_url=database_url, feed_address=f"unix:{address}", public_origins=["https://vigia.example"]
    )
    headers = {"Authorization": f"Bearer {await token('wall')}"}
    async with Gateway(settings, sessions, hub).listening():
        for origin, welcome in (("https://vigia.example", True), ("http://vigia.test", False)):
            opening = unix_connect(
                str(address), "ws://vigia.test/feed", additional_headers=headers | {"Origin": origin}
            )
            if welcome:
                await (await opening).close()
            else:
                with pytest.raises(InvalidStatus, match="403"):
                    await opening


async def test_there_is_nothing_else_here(door: Any) -> None:
    for path in ("/", "/feed/", "/api/v1/session"):
        with pytest.raises(InvalidStatus, match="404"):
            await door(path, Authorization="Bearer x").__aenter__()


async def test_without_a_session_the_feed_closes_with_4401(door: Any) -> None:
    for bearer in ("nobody's", "x" * 4000):
        async with door(Authorization=f"Bearer {bearer}") as connection:
            assert await code_of(connection) == 4401


async def test_a_token_in_the_address_opens_nothing(door: Any, token: Token) -> None:
    async with door(f"/feed?token={await token('wall')}", Authorization="Bearer x") as connection:
        assert await code_of(connection) == 4401


NO_HELLOS = [
    "",
    "hello",
    "[]",
    "null",
    "7",
    "{}",
    '{"type": "hello"}',
    '{"type": "hello", "resume": 7}',
    '{"type": "hello", "resume": {"epoch": "x"}}',
    '{"type": "hello", "resume": {"epoch": "x", "seq": "1"}}',
    '{"type": "hello", "resume": {"epoch": "x", "seq": true}}',
    '{"type": "hello", "resume": {"epoch": 1, "seq": 1}}',
    '{"type": "hello", "resume": {"epoch": "x", "seq": 1.5}}',
    '{"type": "hello", "resume": {"epoch": "x", "seq": NaN}}',
    '{"type": "subscribe", "to": "*"}',
    "[" * 5000,
    b"\x00\xff",
    b'{"type": "hello", "resume": null}',
]


async def test_what_is_no_hello_is_refused(door: Any, token: Token) -> None:
    bearer = f"Bearer {await token('wall')}"
    for hello in NO_HELLOS:
        async with door(Authorization=bearer) as connection:
            await connection.send(hello)
            assert await code_of(connection) == 4400, hello


async def test_a_cursor_from_nowhere_gets_a_snapshot_or_a_refusal(watch: Watch, door: Any, token: Token) -> None:
    bearer = await token("wall")
    async with watch("wall", token_=bearer) as screen:
        epoch = screen.epoch
    for seq in (-1, -(1 << 70), 1 << 53, 1 << 63, (1 << 63) - 1, 10**15):
        async with door(Authorization=f"Bearer {bearer}") as connection:
            await connection.send(json.dumps({"type": "hello", "resume": {"epoch": epoch, "seq": seq}}))
            try:
                assert json.loads(await connection.recv())["type"] == "snapshot", seq
            except ConnectionClosed:
                assert connection.close_code == 4400, seq


async def test_who_says_nothing_is_shown_the_door(door: Any, token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "HELLO_WITHIN", 0.2)
    async with door(Authorization=f"Bearer {await token('wall')}") as connection:
        assert await code_of(connection) == 4408


async def test_only_so_many_wait_at_the_door(door: Any, feed_socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "AT_THE_DOOR", 5)
    waiting = [await asyncio.open_unix_connection(str(feed_socket)) for _ in range(5)]
    reader, writer = await asyncio.open_unix_connection(str(feed_socket))
    assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
    writer.close()
    waiting.pop()[1].close()
    await asyncio.sleep(0.1)
    async with door(Authorization="Bearer x") as connection:  # somebody left: the next may come
        assert await code_of(connection) == 4401
    for _, writer in waiting:
        writer.close()


async def test_one_address_cannot_fill_the_door(door: Any, token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "AT_THE_DOOR_EACH", 2)
    bearer = f"Bearer {await token('wall')}"
    async with (
        door(Authorization=bearer, X_Forwarded_For="1.2.3.4, 10.0.0.1"),
        door(Authorization=bearer, X_Forwarded_For="10.0.0.1"),
    ):
        with pytest.raises(InvalidStatus, match="503"):
            await door(Authorization=bearer, X_Forwarded_For="9.9.9.9, 10.0.0.1").__aenter__()
        async with door(Authorization=bearer, X_Forwarded_For="10.0.0.2") as connection:
            await connection.send(HELLO)
            await connection.recv()


# ── Staying in ────────────────────────────────────────────────────────────────────────────────────


async def test_after_the_hello_there_is_nothing_to_say(door: Any, token: Token) -> None:
    async with door(Authorization=f"Bearer {await token('wall')}") as connection:
        await connection.send(HELLO)
        await connection.recv()
        await connection.send('{"type": "subscribe"}')
        assert await code_of(connection) == 4400


async def test_a_flood_is_cut_off(door: Any, token: Token) -> None:
    async with door(Authorization=f"Bearer {await token('wall')}") as connection:
        await connection.send(HELLO)
        await connection.recv()
        with contextlib.suppress(ConnectionClosed):
            for _ in range(BURST * 100):
                await connection.ping()
        assert await code_of(connection) in {4029, 1006}  # 1006 when the flood outran the goodbye


async def test_a_message_too_large_is_refused(door: Any, token: Token) -> None:
    async with door(Authorization=f"Bearer {await token('wall')}") as connection:
        await connection.send("x" * (64 * 1024 + 1))
        assert await code_of(connection) == 1009


async def test_a_resumed_screen_is_true_again(watch: Watch, sessions: Sessions, city: City) -> None:
    async with watch("dispatcher") as screen:
        pass
    async with transaction(sessions) as session:
        incident = await an_incident(session, city.actor("call_taker"))
    await move(sessions, city, "M1")
    await numbered(sessions)
    async with watch("dispatcher", resume={"epoch": screen.epoch, "seq": screen.seq}) as back:
        resumed = back.messages[0]
        assert {line["subject"] for line in resumed["lines"]} == {incident.subject, f"unit:{city.units['M1']}"}
        screen.apply(resumed)
        assert screen.state == await fresh(sessions, city.actor("dispatcher"))
        await move(sessions, city, "M2")
        await until(lambda: back.count("line") == 1)


async def test_who_does_not_read_is_cut_and_the_others_see_everything(
    watch: Watch, door: Any, token: Token, hub: Hub, sessions: Sessions, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "ROOM", 64 * 1024)
    async with watch("dispatcher") as screen, door(Authorization=f"Bearer {await token('dispatcher')}") as stuck:
        await stuck.send(HELLO)
        await stuck.recv()
        stuck.transport.pause_reading()
        await flood_until(lambda: len(hub.feeds) == 1, hub)
        async with transaction(sessions) as session:
            incident = await an_incident(session, city.actor("call_taker"))
        await until(lambda: incident.subject in screen.state)
        assert screen.state == await fresh(sessions, city.actor("dispatcher"))
        assert screen.code is None
        stuck.transport.resume_reading()
        assert await code_of(stuck) in {4008, 1006}  # 1006 when it came back after the goodbye's patience


async def test_frames_stay_whole_and_in_order_whoever_writes_them(
    door: Any, token: Token, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "BURST", 10_000)
    async with door(Authorization=f"Bearer {await token('wall')}") as connection:
        await connection.send(HELLO)
        await connection.recv()
        [feed] = hub.feeds
        feed.heard += 60
        read: list[int] = []

        async def read_by_fits_and_starts() -> None:
            while len(read) < 400:
                message = json.loads(await connection.recv())  # a frame torn by another would not parse
                if message["type"] == "number":
                    read.append(message["n"])
                if random.random() < 0.3:
                    await connection.ping(random.randbytes(100))  # the library answers, beside the hub
                if random.random() < 0.05:
                    await asyncio.sleep(0.02)

        reading_ = asyncio.create_task(read_by_fits_and_starts())
        for number in range(400):
            padding = "x" * random.choice([10, 1_000, 30_000, 60_000])
            hub._write([feed], json_frame({"type": "number", "n": number, "padding": padding}))
            await until(lambda: feed.transport.get_write_buffer_size() < 400_000)
            await asyncio.sleep(random.choice([0, 0, 0.001]))
        await asyncio.wait_for(reading_, 60)
        assert read == list(range(400))


async def test_the_session_ends_and_so_does_the_feed(watch: Watch, sessions: Sessions, token: Token) -> None:
    bearer = await token("dispatcher")
    async with watch("dispatcher", token_=bearer) as screen, watch("dispatcher") as other:
        async with transaction(sessions) as session:
            await sign_out(session, hash_of(bearer))
        await until(lambda: screen.code)
        assert (screen.code, other.code) == (4401, None)


async def test_a_disabled_person_is_put_out(watch: Watch, sessions: Sessions, city: City) -> None:
    async with watch("police") as screen:
        async with transaction(sessions) as session:
            await disable_person(session, city.actor("supervisor"), city.people["police"][0])
        await until(lambda: screen.code)
        assert screen.code == 4401


async def test_other_rights_give_another_snapshot_and_other_lines(watch: Watch, sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        secret = await an_incident(session, city.actor("trained"), type_code="SEG-07")
    await numbered(sessions)
    async with watch("trained") as screen:
        assert screen.state[secret.subject]["properties"]["masked"] is False
        async with transaction(sessions) as session:
            await session.execute(update(Person).where(Person.id == city.people["trained"][0]).values(clearance=0))
        await until(lambda: screen.count("snapshot") == 2)
        plain = Actor(name="x", role=Role.DISPATCHER)
        assert screen.state == await fresh(sessions, plain)
        async with transaction(sessions) as session:
            await hold_incident(session, city.actor("supervisor"), secret.id)
        await move(sessions, city, "M1")
        await until(lambda: screen.state[f"unit:{city.units['M1']}"]["properties"]["status"] == "break")
        assert screen.state == await fresh(sessions, plain)


async def test_stopping_asks_everybody_to_come_back(
    hub: Hub, sessions: Sessions, database_url: str, feed_socket: Path, token: Token
) -> None:
    settings = Settings(database_url=database_url, feed_address=f"unix:{feed_socket}")
    headers = {"Authorization": f"Bearer {await token('wall')}"}
    async with Gateway(settings, sessions, hub).listening():
        connection = await unix_connect(str(feed_socket), "ws://vigia.test/feed", additional_headers=headers)
        await connection.send(HELLO)
        await connection.recv()
    assert await code_of(connection) == 1012


# ── As processes ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.faults
async def test_a_gateway_that_was_killed_is_resumed_elsewhere(
    sessions: Sessions, database_url: str, redis_url: str, relay: None, city: City, feed_socket: Path, token: Token
) -> None:
    headers = {"Authorization": f"Bearer {await token('dispatcher')}"}
    cursor: dict[str, Any] | None = None
    state: dict[str, Any] = {}
    for turn in range(3):
        address = feed_socket.with_name(f"{turn}.sock")
        environment = os.environ | {
            "VIGIA_DATABASE_URL": database_url,
            "VIGIA_REDIS_URL": redis_url,
            "VIGIA_FEED_ADDRESS": f"unix:{address}",
        }
        gateway = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "web.cli", "feed", env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        await until(address.exists, within=60)
        await asyncio.sleep(0.2)  # it is there a moment before it listens
        async with unix_connect(str(address), "ws://vigia.test/feed", additional_headers=headers) as connection:
            await connection.send(json.dumps({"type": "hello", "resume": cursor}))
            first = json.loads(await connection.recv())
            assert first["type"] == ("resumed" if turn else "snapshot")
            for feature in first.get("features", []):
                state[feature["properties"]["subject"]] = feature
            for line in first.get("lines", []):
                state[line["subject"]] = line["feature"]
            assert state == await fresh(sessions, city.actor("dispatcher"))
            cursor = {"epoch": first["epoch"], "seq": first["seq"]}
            gateway.send_signal(signal.SIGKILL)
            await gateway.wait()
            await code_of(connection)
        await move(sessions, city, "M1", Duty.ON_DUTY if turn % 2 else Duty.BREAK)
        await numbered(sessions)


# ── Through the front door ────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def front_port(gateway: Gateway, feed_socket: Path) -> AsyncIterator[int]:
    """A web server whose `/feed` leads to the gateway."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"hi"})

    settings = Settings(feed_address=f"unix:{feed_socket}")
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, ws=FrontDoor.towards(settings), lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving
    listening.close()


async def test_the_front_door_leads_to_the_feed(front_port: int, token: Token, sessions: Sessions, city: City) -> None:
    headers = {"Cookie": f"vigia={await token('dispatcher')}", "Origin": f"http://127.0.0.1:{front_port}"}
    async with connect(f"ws://127.0.0.1:{front_port}/feed", additional_headers=headers) as connection:
        await connection.send(HELLO)
        assert json.loads(await connection.recv())["type"] == "snapshot"
        await move(sessions, city, "M1")
        while json.loads(await connection.recv())["type"] != "line":
            pass
        await connection.send("more")
        assert await code_of(connection) == 4400


async def test_the_front_door_leads_nowhere_else(front_port: int, token: Token) -> None:
    with pytest.raises(InvalidStatus, match="404"):
        await connect(f"ws://127.0.0.1:{front_port}/elsewhere")
    with pytest.raises(InvalidStatus, match="403"):
        await connect(f"ws://127.0.0.1:{front_port}/feed", origin="http://evil.test")  # type: ignore[arg-type]


async def test_the_front_door_says_when_the_feed_is_away(feed_socket: Path) -> None:
    settings = Settings(feed_address=f"unix:{feed_socket}")
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(lambda *_: None, ws=FrontDoor.towards(settings), lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    with pytest.raises(InvalidStatus, match="503"):
        await connect(f"ws://127.0.0.1:{listening.getsockname()[1]}/feed")
    server.should_exit = True
    await serving
    listening.close()


async def test_the_front_door_holds_back_for_who_does_not_read(
    front_port: int, hub: Hub, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "ROOM", 64 * 1024)
    headers = {"Authorization": f"Bearer {await token('dispatcher')}"}
    async with connect(
        f"ws://127.0.0.1:{front_port}/feed", additional_headers=headers, max_queue=1, close_timeout=1
    ) as connection:
        await connection.send(HELLO)
        await connection.recv()
        connection.transport.pause_reading()
        await flood_until(lambda: not hub.feeds, hub)


async def flood_until(condition: Callable[[], object], hub: Hub) -> None:
    """Write large frames to every feed until something happens: what is stuck must fill up first."""
    frame = json_frame({"type": "padding", "x": "x" * 32_000})
    for _ in range(2_000):
        if condition():
            return
        hub._write(list(hub.feeds), frame)
        await asyncio.sleep(0.002)
    raise AssertionError("it was never cut")


async def test_nothing_is_left_of_those_who_left(watch: Watch, hub: Hub, gateway: Gateway, sessions: Sessions) -> None:
    for _ in range(3):
        async with watch("dispatcher"), watch("police"):
            pass
    await until(lambda: not hub.feeds)
    assert not hub._live
    assert not gateway._door
    assert not +gateway._door_by_address
    async with transaction(sessions) as session:
        assert await session.scalar(text("SELECT 1")) == 1
