"""Redis may be there, away, hung, emptied or talked into by strangers: only time is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from realtime.access import Face
from realtime.bus import KEPT, Bell, Bus, Moved
from realtime.journal import Line
from tests.realtime.conftest import until
from web.launcher.redis import PrivateRedis

EPOCH = uuid4()


def line(seq: int) -> Line:
    """Some line."""
    face = Face(frozenset({"ops:0", "crew:0"}), {"properties": {"version": seq}})
    return Line(seq, f"unit:{seq}", seq, (face,), frozenset({"ops:0"}))


@pytest.fixture
async def own_bus(own_redis: PrivateRedis) -> AsyncIterator[Bus]:
    """A bus on it."""
    bus = Bus(own_redis.url)
    yield bus
    await bus.close()


class Ear:
    """What was heard."""

    def __init__(self) -> None:
        self.bells: list[Bell | None] = []
        self.moved: list[Moved] = []

    def bell(self, bell: Bell | None) -> None:
        """Take note."""
        self.bells.append(bell)

    def positions(self, rows: list[Moved]) -> None:
        """Take note."""
        self.moved += rows


@pytest.fixture
async def ear(own_bus: Bus) -> AsyncIterator[Ear]:
    """Somebody who listens to it."""
    ear = Ear()
    listening = asyncio.create_task(own_bus.follow(ear.bell, ear.positions))
    await until(lambda: own_bus.alive and ear.bells)
    yield ear
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_lines_come_back_as_they_were(bus: Bus) -> None:
    await bus.announce(EPOCH, 1, 3, [line(1), line(2), line(3)])
    assert await bus.recent(EPOCH, 0, 3) == [line(1), line(2), line(3)]
    assert await bus.recent(EPOCH, 1, 2) == [line(2)]


async def test_a_hole_is_no_answer(bus: Bus) -> None:
    await bus.announce(EPOCH, 1, 1, [line(1)])
    await bus.announce(EPOCH, 3, 3, [line(3)])
    assert await bus.recent(EPOCH, 0, 3) is None
    assert await bus.recent(EPOCH, 2, 4) is None
    assert await bus.recent(uuid4(), 0, 1) is None


async def test_only_the_newest_lines_are_kept(bus: Bus) -> None:
    lines = [line(seq) for seq in range(1, KEPT + 101)]
    for start in range(0, len(lines), 500):
        batch = lines[start : start + 500]
        await bus.announce(EPOCH, batch[0].seq, batch[-1].seq, batch)
    assert await bus.recent(EPOCH, 100, KEPT + 100) == lines[100:]
    assert await bus.recent(EPOCH, 99, KEPT + 99) is None


async def test_bells_and_positions_are_heard(own_bus: Bus, ear: Ear) -> None:
    await own_bus.announce(EPOCH, 4, 7)
    assert await own_bus.publish_positions([["u", -60.6, -32.9, None, 12.5, 1]])
    await until(lambda: ear.moved)
    assert ear.bells[-1] == Bell(EPOCH, 4, 7)
    assert ear.moved == [["u", -60.6, -32.9, None, 12.5, 1]]


async def test_without_redis_nothing_waits_and_nothing_fails() -> None:
    bus = Bus(None)
    await bus.announce(EPOCH, 1, 1, [line(1)])
    assert await bus.recent(EPOCH, 0, 1) is None
    assert not await bus.publish_positions([["u", 0, 0, None, None, 1]])
    assert not bus.alive
    await bus.close()


async def test_a_hung_redis_holds_nobody_up(own_redis: PrivateRedis, own_bus: Bus, ear: Ear) -> None:
    own_redis.pause()
    began = time.monotonic()
    for seq in range(1, 51):
        await own_bus.announce(EPOCH, seq, seq, [line(seq)])
    assert time.monotonic() - began < 5  # three tries of 0.2 s, then the breaker is open
    assert not own_bus.alive
    own_redis.resume()
    ear.bells.clear()
    await asyncio.sleep(1.1)  # the breaker's rest
    await own_bus.announce(EPOCH, 51, 51)
    await until(lambda: own_bus.alive and ear.bells)


async def test_a_silent_subscription_is_noticed(own_redis: PrivateRedis, own_bus: Bus, ear: Ear) -> None:
    own_redis.pause()
    await until(lambda: not own_bus.alive)  # though nobody asked it anything
    own_redis.resume()
    await until(lambda: own_bus.alive)
    assert ear.bells[-1] is None  # look for yourself: bells may have been missed


async def test_a_redis_that_comes_back_empty_is_taken_up_again(own_redis: PrivateRedis, own_bus: Bus, ear: Ear) -> None:
    await own_bus.announce(EPOCH, 1, 1, [line(1)])
    own_redis.kill()
    await until(lambda: not own_bus.alive)
    own_redis.start()
    await until(lambda: own_bus.alive)
    assert await own_bus.recent(EPOCH, 0, 1) is None
    await own_bus.announce(EPOCH, 2, 2, [line(2)])
    await until(lambda: Bell(EPOCH, 2, 2) in ear.bells)


async def test_strangers_are_ignored(own_redis: PrivateRedis, own_bus: Bus, ear: Ear) -> None:
    stranger = Redis.from_url(own_redis.url)
    for words in (b"\xff", b"[]", b'{"epoch": 1}', b"null", b'{"epoch": "x", "first": 1, "last": 2}'):
        await stranger.publish("vigia:bell", words)
        await stranger.publish("vigia:positions", words)
    await stranger.zadd(f"vigia:lines:{EPOCH}", {b"nonsense": 1})
    assert await own_bus.recent(EPOCH, 0, 1) is None
    await stranger.set(f"vigia:lines:{EPOCH}", "not a set")
    assert await own_bus.recent(EPOCH, 0, 1) is None
    await own_bus.announce(EPOCH, 2, 2, [line(2)])  # the cache cannot be written; the bell still rings
    await stranger.aclose()
    await until(lambda: Bell(EPOCH, 2, 2) in ear.bells)
    assert not ear.moved
