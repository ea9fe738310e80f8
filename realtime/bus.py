"""Redis, and the only module that knows it: a doorbell, the recent lines, and the lane of positions.

Nothing here is the truth. A lost doorbell costs one poll, a lost cache one query, a lost position the time to
the next one. Without Redis (`Bus(None)`, or a server that is away, hung, full or emptied) every call returns
at once and says so; whoever calls goes on with PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from realtime.journal import Line, faces_from

log = structlog.get_logger()

Moved = list[Any]  # [unit_id, lon, lat, heading | None, speed_kmh | None, fixed_at_ms], as it goes to the clients

KEPT = 5_000  # lines: further behind than that, a feed takes a snapshot anyway
KEPT_SECONDS = 3600  # so that the cache of an old epoch goes away by itself
PATIENCE = 0.2  # seconds for any answer; redis-py alone would retry a hung server for 25 s
TRIPS = 3  # failures in a row, then …
REST = 1.0  # … so many seconds without asking
LISTEN = 1.0  # seconds without a message, then a ping
SILENCE = 3.0  # seconds without anything, not even a pong: the subscription is dead

_FAILURES = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Bell:
    """Lines `first`…`last` of `epoch` were numbered."""

    epoch: UUID
    first: int
    last: int


class Bus:
    """One per process. `alive` says whether what is published arrives; never wait for it."""

    def __init__(self, url: str | None, *, name: str = "vigia") -> None:
        """`name` keeps several installations apart on one server."""
        self.name = name
        self._redis = None if url is None else _client(url)
        self._failures = 0
        self._asked_again_at = 0.0
        self._listening: bool | None = None  # None: this process only publishes

    @property
    def alive(self) -> bool:
        """Whether Redis answers, as far as the last calls tell."""
        return self._redis is not None and self._failures < TRIPS and self._listening is not False

    # ── Facts ─────────────────────────────────────────────────────────────────────────────────────

    async def announce(self, epoch: UUID, first: int, last: int, lines: Sequence[Line] = ()) -> None:
        """Cache these numbered lines and ring. Everybody looks at the journal by themselves if this is lost."""
        if self._redis is None:
            return
        pipe = self._redis.pipeline(transaction=False)
        if lines:
            key = self._lines(epoch)
            pipe.zadd(key, {_packed(line): line.seq for line in lines})
            pipe.zremrangebyrank(key, 0, -KEPT - 1)
            pipe.expire(key, KEPT_SECONDS)
        # The bell comes last, so that whoever hears it finds the lines; it rings even if the cache is full.
        bell = orjson.dumps({"epoch": str(epoch), "first": first, "last": last})
        pipe.publish(f"{self.name}:bell", bell)
        await self._ask(lambda: pipe.execute(raise_on_error=False))

    async def recent(self, epoch: UUID, after: int, upto: int) -> list[Line] | None:
        """The lines `after` < seq ≤ `upto`, or None when the cache does not hold every one of them."""
        if self._redis is None or upto - after > KEPT:
            return None
        redis = self._redis
        packed = await self._ask(lambda: redis.zrange(self._lines(epoch), after + 1, upto, byscore=True))
        if packed is None or len(packed) != upto - after:
            return None
        try:
            lines = [_unpacked(line) for line in packed]
        except (ValueError, TypeError):
            return None  # not ours: somebody else writes into this Redis
        return lines if [line.seq for line in lines] == list(range(after + 1, upto + 1)) else None

    # ── Positions ─────────────────────────────────────────────────────────────────────────────────

    async def publish_positions(self, rows: Sequence[Moved]) -> bool:
        """Tell every feed process where these units are now; False when nobody could be told."""
        if self._redis is None or not rows:
            return False
        redis = self._redis
        return await self._ask(lambda: redis.publish(f"{self.name}:positions", orjson.dumps(rows))) is not None

    # ── Listening ─────────────────────────────────────────────────────────────────────────────────

    async def follow(self, on_bell: Callable[[Bell | None], None], on_positions: Callable[[list[Moved]], None]) -> None:
        """Listen for ever. The callbacks only take note: a subscriber that does not read loses messages unseen.

        `on_bell(None)` means: bells may have been missed, look for yourself.
        """
        if self._redis is None:
            await asyncio.get_running_loop().create_future()  # nothing will ever come
            return
        self._listening = False
        while True:
            subscription = self._redis.pubsub(ignore_subscribe_messages=True)
            try:
                await subscription.subscribe(f"{self.name}:bell", f"{self.name}:positions")
                self._listening = True
                on_bell(None)  # first listen, then look back: whatever rang before is found by looking
                await self._hear(subscription, on_bell, on_positions)
            except _FAILURES as failure:
                if self._listening:
                    log.warning("bus.lost", reason=repr(failure))
                self._listening = False
                on_bell(None)
                await asyncio.sleep(REST)
            finally:
                with contextlib.suppress(*_FAILURES):
                    await subscription.aclose()  # type: ignore[no-untyped-call]

    async def _hear(
        self,
        subscription: PubSub,
        on_bell: Callable[[Bell | None], None],
        on_positions: Callable[[list[Moved]], None],
    ) -> None:
        bells = f"{self.name}:bell".encode()
        heard = time.monotonic()
        while True:
            message = await subscription.get_message(timeout=LISTEN)
            if message is None:
                if time.monotonic() - heard > SILENCE:
                    raise TimeoutError("the subscription is silent")
                await subscription.ping()
                continue
            heard = time.monotonic()
            if message["type"] != "message":
                continue  # the pong
            try:
                content = orjson.loads(message["data"])
                if message["channel"] == bells:
                    on_bell(Bell(UUID(str(content["epoch"])), int(content["first"]), int(content["last"])))
                else:
                    on_positions([row for row in content if isinstance(row, list) and len(row) == 6])
            except (ValueError, TypeError, LookupError) as failure:
                log.warning("bus.strange_message", reason=repr(failure))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._redis is not None:
            with contextlib.suppress(*_FAILURES):
                await self._redis.aclose()

    # ── Not waiting ───────────────────────────────────────────────────────────────────────────────

    async def _ask(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """The answer, or None. After `TRIPS` failures in a row only one call per `REST` is tried."""
        if self._failures >= TRIPS and time.monotonic() < self._asked_again_at:
            return None
        try:
            # The driver's own time-out is per read; a pipeline has many.
            async with asyncio.timeout(2 * PATIENCE):
                answer = await call()
        except _FAILURES as failure:
            self._failures += 1
            self._asked_again_at = time.monotonic() + REST
            if self._failures == TRIPS:
                log.warning("bus.resting", reason=repr(failure))
            return None
        self._failures = 0
        return answer

    def _lines(self, epoch: UUID) -> str:
        return f"{self.name}:lines:{epoch}"


def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
        max_connections=8,
    )


def _packed(line: Line) -> bytes:
    faces = [[sorted(face.audience), face.feature] for face in line.faces]
    return orjson.dumps([line.seq, line.subject, line.version, faces, sorted(line.told_before)])


def _unpacked(packed: bytes) -> Line:
    seq, subject, version, faces, told_before = orjson.loads(packed)
    return Line(seq, subject, version, faces_from(faces), frozenset(told_before))
