"""The hub of one feed process: follows the journal and writes each line, framed once per audience, to its feeds.

Two lanes, and they never wait for a client. *Facts* are followed by number: cursor, next, next; the bell only
says when to look. *Positions* are coalesced per unit and told at a tick. A feed joins by looking back in one
turn of the loop, with nothing awaited between what it has missed and its place in a group: no fact falls between.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import orjson
import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import NOBODY, Actor, Audience, Role, everyone_in, face_for
from realtime.bus import Bell, Bus, Moved
from realtime.catch_up import Boards, Caught, Cursor, Positions, changes, snapshot
from realtime.database import Sessions, now, reading
from realtime.frames import PING, json_frame, text_frame
from realtime.journal import Head, Line, head, lines_after

log = structlog.get_logger()

Keys = frozenset[str]
StillSignedIn = Callable[[AsyncSession, Collection[bytes]], Awaitable[dict[bytes, Actor]]]

BATCH = 500  # lines written in one turn of the loop
RING = 2_000  # lines kept to look back in: many times what a snapshot takes
POLL = 1.0  # seconds between looks while the bell rings …
POLL_DEAF = 0.25  # … and without it
POSITIONS_DEAF = 2.0  # seconds between looks at the positions table, without Redis
TICK, CROWD = 0.1, 2_000  # seconds that positions gather, and how many feeds a tick that short is for
HEARTBEAT = 5.0  # seconds; clients call the data old after two missed ones
WALL_BEAT = 1.5  # seconds; a wall says within five that it is dead, so it is told that we live more often
SILENT = 30.0  # seconds without even a pong: the client is gone (two pings of 10 s, and grace)
UNVERIFIED = 10.0  # seconds without a successful look: no heartbeat may claim that the feed is complete
RECHECK = 1.0  # seconds between looks at the sessions: a revoked right has 2 s
ROOM = 1 << 20  # bytes that may wait for one client
TICK_ROOM = 1 << 18  # bytes waiting beyond which positions are held back: they would be old on arrival
CAUGHT_WITHIN = 5.0  # seconds that a snapshot may take to be made and shared
SHARED = 0.25  # seconds that a snapshot serves everybody with the same keys: four a second at most
AT_ONCE = 3  # snapshots in the making: a reconnecting city must not take every database connection

SIGNED_OUT, TOO_SLOW, COME_BACK = 4401, 4008, 1013

_DATABASE = (SQLAlchemyError, psycopg.Error, OSError, TimeoutError)


class Transport(Protocol):
    """What the hub needs of a connection: the asyncio transport's own methods."""

    def write(self, data: bytes) -> None:
        """Never waits."""

    def get_write_buffer_size(self) -> int:
        """Bytes that wait in this process."""


def cannot(_: bytes) -> int:
    """For transports without a socket of their own: nothing was sent."""
    return 0


@dataclass(eq=False, slots=True)
class Feed:
    """One client. `close(code)` says goodbye and must not wait; `heard` is when it last gave a sign of life.

    `send` tries the socket itself and says how much went out: going through the transport costs a sixth of a
    delivery. Whoever writes to the transport says so in `clogged`; what waits there must go first.
    """

    actor: Actor
    token_hash: bytes
    transport: Transport
    close: Callable[[int], None]
    send: Callable[[bytes], int] = cannot
    clogged: bool = True
    heard: float = field(default_factory=time.monotonic)
    room: int = ROOM
    owed_positions: bool = False
    catching_up: bool = False


def told(line: Line, keys: Keys) -> dict[str, Any] | None:
    """What holders of `keys` are told of `line`: a feature, a drop, or None for nothing."""
    feature = face_for(keys, line.faces)
    if feature is None and line.told_before.isdisjoint(keys):
        return None
    return {"type": "line", "seq": line.seq, "subject": line.subject, "version": line.version, "feature": feature}


class Hub:
    """One per process. `running()` it, then `join` feeds and `leave` them."""

    def __init__(
        self, sessions: Sessions, bus: Bus, boards: Boards, positions: Positions, still_signed_in: StillSignedIn
    ) -> None:
        self.sessions = sessions
        self._bus = bus
        self._boards = boards
        self._positions = positions
        self._still_signed_in = still_signed_in
        self.feeds: set[Feed] = set()  # all, also those that have not caught up
        self._live: defaultdict[Keys, dict[Feed, None]] = defaultdict(dict)  # dicts for their order: sets are sparse
        self._told: Counter[Keys] = Counter()  # lines told to each group: whoever counts fewer has lost some
        self.broken = asyncio.Event()  # a loop of ours failed: half a hub is worse than none, end the process
        self._at = Head(UUID(int=0), -1)  # how far the live feeds have been told
        self._histories = 0  # how often it had to start over
        self._ring: deque[Line] = deque(maxlen=RING)
        self._look = asyncio.Event()
        self._advanced = asyncio.Condition()
        self._bell: Bell | None = None
        self._looked_at = -UNVERIFIED
        self._units: dict[Keys, frozenset[str]] = {}  # as the last snapshot for these keys showed …
        self._unit_audience: dict[str, Audience] = {}  # … and as lines have said since
        self._fixes: dict[str, Moved] = {}
        self._moved: dict[str, Moved] = {}
        self._moved_at: dict[str, float] = {}
        self._stirred = asyncio.Event()
        self._caught: dict[tuple[Keys, Cursor | None], tuple[float, asyncio.Task[tuple[Caught, bytes]]]] = {}
        self._catching = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    # ── Life ──────────────────────────────────────────────────────────────────────────────────────

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Hub]:
        """Follow the journal and the positions while the block lasts."""
        loops = [
            self._follow(),
            self._tick(),
            self._beat(),
            self._beat_for_walls(),
            self._recheck(),
            self._positions_without_redis(),
        ]
        for loop in [*loops, self._bus.follow(self._on_bell, self._on_positions)]:
            self._spawn(loop, self.broken.set)
        try:
            yield self
        finally:
            while self._tasks:  # again and again: redis-py swallows a cancellation that comes while it connects
                for task in self._tasks:
                    task.cancel()
                await asyncio.wait(self._tasks, timeout=0.5)

    async def join(self, feed: Feed, since: Cursor | None) -> None:
        """Bring a feed up to date and keep it so until it leaves. Returns when it is live, or was closed."""
        self.feeds.add(feed)
        await self._catch_up(feed, since)

    def leave(self, feed: Feed) -> None:
        """Forget a feed; harmless when it was forgotten before."""
        self.feeds.discard(feed)
        self._unseat(feed)

    def drop(self, feed: Feed, code: int) -> None:
        """Forget a feed and say goodbye."""
        if feed in self.feeds:
            self.leave(feed)
            feed.close(code)

    def drop_all(self, code: int) -> None:
        """Say goodbye to everybody."""
        for feed in list(self.feeds):
            self.drop(feed, code)

    def _unseat(self, feed: Feed) -> None:
        group = self._live.get(feed.actor.keys)
        if group is not None:
            group.pop(feed, None)
            if not group:
                del self._live[feed.actor.keys], self._told[feed.actor.keys]

    def _spawn(self, work: Coroutine[Any, Any, None], if_it_fails: Callable[[], object]) -> None:
        def look(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and (failure := task.exception()) is not None:
                log.error("hub.failed", exc_info=failure)
                if_it_fails()

        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(look)

    # ── Joining ───────────────────────────────────────────────────────────────────────────────────

    async def _catch_up(self, feed: Feed, since: Cursor | None) -> None:
        feed.catching_up = True
        try:
            while feed in self.feeds and not self._seat(feed, *await self._look_back(feed.actor, since)):
                since = None
        except _DATABASE as failure:
            log.warning("hub.cannot_catch_up", reason=repr(failure))
            self.drop(feed, COME_BACK)
        finally:
            feed.catching_up = False

    async def _look_back(self, actor: Actor, since: Cursor | None) -> tuple[Keys, Caught, bytes]:
        histories = self._histories
        caught, frame = await self._caught_up(actor, since)
        if self._at != caught.at:
            self._look.set()
            async with asyncio.timeout(5), self._advanced:
                # The snapshot may be ahead of what the live feeds were told: let them draw level first.
                await self._advanced.wait_for(lambda: self._histories != histories or self._at.seq >= caught.at.seq)
        return actor.keys, caught, frame

    def _seat(self, feed: Feed, keys: Keys, caught: Caught, frame: bytes) -> bool:
        """Give a feed what it missed and its place, or False: look again. Nothing is awaited here: no line is
        told, no right is taken between the one and the other."""
        if feed not in self.feeds:
            return True
        at = caught.at
        covered = self._at.seq == at.seq or (bool(self._ring) and self._ring[0].seq <= at.seq + 1)
        if feed.actor.keys != keys or self._at.epoch != at.epoch or self._at.seq < at.seq or not covered:
            self._caught.clear()
            return False
        self._units[keys] = caught.units
        missed, count = _frames((line for line in self._ring if line.seq > at.seq), keys)
        missed += self._just_moved(keys) + self._heartbeat(keys, base=self._told[keys] - count)
        feed.room = ROOM + len(frame) + len(missed)  # else a large city would be too slow for its own snapshot
        feed.owed_positions = False
        self._live[keys][feed] = None
        self._write((feed,), frame + missed)
        return True

    async def _caught_up(self, actor: Actor, since: Cursor | None) -> tuple[Caught, bytes]:
        """Shared: whoever has equal keys and the same cursor, at about the same time, gets the same bytes."""
        key = (actor.keys, since)
        began, task = self._caught.get(key, (0.0, None))
        if task is None or time.monotonic() - began > SHARED:
            self._forget_caught()
            task = asyncio.create_task(self._make(actor, since))
            self._caught[key] = (time.monotonic(), task)
        return await asyncio.shield(task)

    async def _make(self, actor: Actor, since: Cursor | None) -> tuple[Caught, bytes]:
        async with self._catching, reading(self.sessions) as session:
            caught = since and await changes(session, actor, self._boards, self._positions, since)
            caught = caught or await snapshot(session, actor, self._boards, self._positions)
        return caught, json_frame(caught.message)

    def _forget_caught(self) -> None:
        horizon = time.monotonic() - SHARED
        self._caught = {k: (began, task) for k, (began, task) in self._caught.items() if began > horizon}

    def _rejoin(self, feeds: Iterable[Feed]) -> None:
        """Out of their groups at once, and back with a fresh snapshot."""
        for feed in feeds:
            self._unseat(feed)
            if not feed.catching_up:  # whoever is at it already notices by itself, see `_seat`
                feed.catching_up = True
                self._spawn(self._catch_up(feed, None), partial(self.drop, feed, COME_BACK))

    # ── Facts ─────────────────────────────────────────────────────────────────────────────────────

    def _on_bell(self, bell: Bell | None) -> None:
        self._bell = bell
        self._look.set()

    async def _follow(self) -> None:
        polled_at = 0.0
        while True:
            poll = POLL if self._bus.alive else POLL_DEAF
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the bell.
                async with asyncio.timeout(max(0.0, polled_at + poll - time.monotonic())):
                    await self._look.wait()
            self._look.clear()  # cleared before looking: a bell during the look makes another look
            bell, self._bell = self._bell, None
            if bell is not None and time.monotonic() < polled_at + poll and await self._take_recent(bell):
                continue
            try:
                await self._take_from_journal()
                self._looked_at = time.monotonic()
            except _DATABASE as failure:
                log.warning("hub.cannot_look", reason=repr(failure))
            polled_at = time.monotonic()

    async def _take_recent(self, bell: Bell) -> bool:
        """Tell the lines from the cache; False when they are not all there."""
        if bell.epoch != self._at.epoch:
            return False
        if bell.last <= self._at.seq:
            return True  # heard late: told already
        lines = await self._bus.recent(bell.epoch, self._at.seq, bell.last)
        if lines is None:
            return False
        for start in range(0, len(lines), BATCH):
            await self._tell(lines[start : start + BATCH])
        return True

    async def _take_from_journal(self) -> None:
        async with reading(self.sessions) as session:
            there = await head(session)
            if there.epoch != self._at.epoch or there.seq < self._at.seq:
                await self._begin(there)
                return
            while self._at.seq < there.seq:
                await self._tell(await lines_after(session, self._at.seq, upto=there.seq, limit=BATCH))

    async def _begin(self, there: Head) -> None:
        """Start over at `there`: at first, and when history changed."""
        self._at = there
        self._histories += 1
        self._ring.clear()
        self._caught.clear()
        self._units.clear()
        self._unit_audience.clear()
        self._rejoin(list(self.feeds))
        async with self._advanced:
            self._advanced.notify_all()

    async def _tell(self, lines: Iterable[Line]) -> None:
        lines = list(lines)
        for line in lines:
            if line.subject.startswith("unit:"):
                self._unit_audience[line.subject[5:]] = everyone_in(line.faces)
        cache: dict[tuple[int, int], bytes] = {}
        for keys, feeds in list(self._live.items()):
            frames, count = _frames(lines, keys, cache)
            if count:
                self._told[keys] += count
                self._write(feeds, frames)
        self._ring.extend(lines)
        self._at = Head(self._at.epoch, lines[-1].seq)
        async with self._advanced:
            self._advanced.notify_all()

    # ── Writing ───────────────────────────────────────────────────────────────────────────────────

    def _write(self, feeds: Iterable[Feed], frame: bytes) -> None:
        """The one hot loop. Whoever has too much waiting is dropped, never waited for."""
        slow: list[Feed] = []
        size = len(frame)
        for feed in feeds:
            try:
                if feed.clogged:
                    feed.clogged = feed.transport.get_write_buffer_size() > 0
                sent = 0 if feed.clogged else feed.send(frame)
                if sent == size:
                    continue
            except BlockingIOError:
                sent = 0
            except OSError:
                continue  # it is gone; its transport will say so
            feed.clogged, transport = True, feed.transport
            try:
                transport.write(frame[sent:])
            except RuntimeError:  # uvloop: the client said goodbye within this turn of the loop
                continue
            waiting = transport.get_write_buffer_size()
            if waiting > feed.room:
                slow.append(feed)
            elif waiting < ROOM:
                feed.room = ROOM
        for feed in slow:
            log.info("hub.too_slow", actor=feed.actor.name, waiting=feed.transport.get_write_buffer_size())
            self.drop(feed, TOO_SLOW)

    # ── Positions ─────────────────────────────────────────────────────────────────────────────────

    def _on_positions(self, rows: list[Moved]) -> None:
        for row in rows:
            known = self._fixes.get(row[0])
            if known is None or known[5] < row[5]:  # two web processes may publish out of order
                self._fixes[row[0]] = self._moved[row[0]] = row
                self._moved_at[row[0]] = time.monotonic()
        self._stirred.set()

    async def _tick(self) -> None:
        while True:
            await self._stirred.wait()  # after a quiet time the first position goes at once …
            self._stirred.clear()
            moved, self._moved = self._moved, {}
            self._tell_positions(moved)
            await asyncio.sleep(TICK * max(1.0, len(self.feeds) / CROWD))  # … and then they gather

    def _tell_positions(self, moved: dict[str, Moved]) -> None:
        packed = {unit: orjson.dumps(row) for unit, row in moved.items()}
        for keys, feeds in list(self._live.items()):
            frame = _positions_frame(packed[unit] for unit in packed if self._follows(keys, unit))
            ready: list[Feed] = []
            owed: list[Feed] = []
            for feed in feeds:
                if feed.clogged and feed.transport.get_write_buffer_size() > TICK_ROOM:
                    feed.owed_positions = True
                else:
                    (owed if feed.owed_positions else ready).append(feed)
                    feed.owed_positions = False
            if frame:
                self._write(ready, frame)
            if owed:
                fixes = self._fixes.items()
                self._write(owed, _positions_frame(orjson.dumps(row) for u, row in fixes if self._follows(keys, u)))

    def _just_moved(self, keys: Keys) -> bytes:
        """Where units went that may have moved since a snapshot was begun: no line says it."""
        since = time.monotonic() - CAUGHT_WITHIN
        units = (unit for unit, at in self._moved_at.items() if at > since and self._follows(keys, unit))
        return _positions_frame(orjson.dumps(self._fixes[unit]) for unit in units)

    def _follows(self, keys: Keys, unit: str) -> bool:
        audience = self._unit_audience.get(unit)
        return unit in self._units.get(keys, NOBODY) if audience is None else not audience.isdisjoint(keys)

    async def _positions_without_redis(self) -> None:
        while True:
            await asyncio.sleep(POSITIONS_DEAF)
            if self._bus.alive or not self.feeds:
                continue
            try:
                async with reading(self.sessions) as session:
                    self._on_positions(await self._positions(session, None))
            except _DATABASE as failure:
                log.warning("hub.cannot_look", reason=repr(failure))

    # ── Life signs ────────────────────────────────────────────────────────────────────────────────

    async def _beat(self) -> None:
        beats = 0
        while True:
            await asyncio.sleep(HEARTBEAT)
            beats += 1
            self._drop_silent()
            ping = PING if beats % 2 == 0 else b""
            for keys, feeds in list(self._live.items()):
                if frame := ping + self._heartbeat(keys):
                    self._write(feeds, frame)

    async def _beat_for_walls(self) -> None:
        while True:
            await asyncio.sleep(WALL_BEAT)
            for keys, feeds in list(self._live.items()):
                if next(iter(feeds)).actor.role is Role.WALL and (frame := self._heartbeat(keys)):
                    self._write(feeds, frame)

    def _heartbeat(self, keys: Keys, *, base: int | None = None) -> bytes:
        """`told` counts the group's lines, so that a client knows whether it has all; its first says from where."""
        if time.monotonic() - self._looked_at >= UNVERIFIED:  # clients shall see that their data is old
            return b""
        sign = {"type": "heartbeat", "seq": self._at.seq, "server_time": now(), "bus": self._bus.alive}
        return json_frame(sign | {"told": self._told[keys]} | ({} if base is None else {"base": base}))

    def _drop_silent(self) -> None:
        horizon = time.monotonic() - SILENT
        for feed in [feed for feed in self.feeds if feed.heard < horizon]:
            self.drop(feed, TOO_SLOW)

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK)
            feeds = list(self.feeds)
            if not feeds:
                continue
            try:
                async with reading(self.sessions) as session:
                    actors = await self._still_signed_in(session, {feed.token_hash for feed in feeds})
            except _DATABASE as failure:
                log.warning("hub.cannot_recheck", reason=repr(failure))
                continue
            for feed in feeds:
                self._judge(feed, actors.get(feed.token_hash))

    def _judge(self, feed: Feed, actor: Actor | None) -> None:
        if feed not in self.feeds:
            return
        if actor is None:
            self.drop(feed, SIGNED_OUT)
        elif actor.keys != feed.actor.keys:
            self._unseat(feed)  # by its old keys, and at once: what is told from now on may not be its to see
            feed.actor = actor
            self._rejoin((feed,))
        else:
            feed.actor = actor


def _frames(lines: Iterable[Line], keys: Keys, cache: dict[tuple[int, int], bytes] | None = None) -> tuple[bytes, int]:
    """The frames of what `keys` are told, and how many; `cache` shares one encoding between all who see a face."""
    frames: list[bytes] = []
    cache = {} if cache is None else cache
    for line in lines:
        message = told(line, keys)
        if message is not None:
            face = (line.seq, id(message["feature"]))
            frame = cache.get(face)
            if frame is None:
                frame = cache[face] = json_frame(message)
            frames.append(frame)
    return b"".join(frames), len(frames)


def _positions_frame(rows: Iterable[bytes]) -> bytes:
    """One frame for many units; empty when there is nothing to tell."""
    units = b",".join(rows)
    return text_frame(b'{"type":"positions","units":[' + units + b"]}") if units else b""
