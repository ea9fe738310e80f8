"""The relay numbers what was committed: `seq` without gaps, in an order that no reader can fall through.

An entry's `id` is drawn before its commit, so a reader of `id > cursor` passes entries that become visible
later. Here numbers are drawn after the commit, by one relay at a time. Its lock and its numbering live on the
same connection: whoever loses the connection has lost both. Start as many relays as you like; one leads.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from uuid import UUID

import orjson
import psycopg
import structlog
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.bus import Bus
from realtime.database import new_id
from realtime.journal import Head, Line, faces_from, head

log = structlog.get_logger()

LEADER = 7_316_001  # the advisory lock; any number, the same for ever
BATCH = 500
EVERY = 0.03  # seconds between looks: the floor of the time from commit to screen
TRY_AGAIN = 1.0  # seconds between attempts to lead, and to connect

# A leader looks every 30 ms and a candidate every second, so a session idle for 10 s belongs to a relay that is
# stopped or cut off: PostgreSQL ends it, and with it its lock.
_LIMITS = (
    "-c statement_timeout=3000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"
    " -c idle_session_timeout=10000 -c application_name=vigia-relay"
)

_FIRST_HEAD = (
    "INSERT INTO stream_head (id, epoch, seq) SELECT 1, %s, coalesce(max(seq), 0) FROM journal ON CONFLICT DO NOTHING"
)
_WAITING = "SELECT EXISTS (SELECT FROM journal WHERE seq IS NULL)"
_HEAD = "SELECT epoch, seq FROM stream_head FOR UPDATE"
_NUMBER = """
    WITH next AS (
        SELECT id, row_number() OVER (ORDER BY id) AS place
        FROM (SELECT id FROM journal WHERE seq IS NULL ORDER BY id LIMIT %(batch)s) AS first
    )
    UPDATE journal SET seq = %(head)s + next.place FROM next WHERE journal.id = next.id
    RETURNING seq, subject, version, faces, told_before
"""
_ADVANCE = "UPDATE stream_head SET seq = %s"


async def run_relay(database_url: str, bus: Bus, stop: asyncio.Event) -> None:
    """Try to lead, and number while leading, until `stop`. Outlives restarts of PostgreSQL and absences of Redis."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    quiet = False
    while not stop.is_set():
        try:
            connection = await psycopg.AsyncConnection.connect(
                url, autocommit=True, connect_timeout=2, options=_LIMITS, tcp_user_timeout=5000
            )
            async with connection:
                set_json_loads(orjson.loads, connection)
                quiet = False
                await _lead(connection, bus, stop)
        except psycopg.Error as failure:
            if not quiet:  # say it once, not each second
                log.warning("relay.no_database", reason=str(failure).strip())
            quiet = True
            await _sleep(TRY_AGAIN, stop)


async def serve(database_url: str, redis_url: str | None, *, name: str = "vigia") -> None:
    """The relay process: runs until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bus = Bus(redis_url, name=name)
    await run_relay(database_url, bus, stop)
    await bus.close()


async def new_epoch(session: AsyncSession) -> Head:
    """Declare that history is not what it was (restored, failed over): every feed takes a new snapshot."""
    await session.execute(text("UPDATE stream_head SET epoch = :epoch"), {"epoch": new_id()})
    return await head(session)


async def _lead(connection: psycopg.AsyncConnection[TupleRow], bus: Bus, stop: asyncio.Event) -> None:
    while not await _one(connection, "SELECT pg_try_advisory_lock(%s)", LEADER):
        await _sleep(TRY_AGAIN, stop)
        if stop.is_set():
            return
    await connection.execute(_FIRST_HEAD, (new_id(),))
    log.info("relay.leads")
    cursor = await connection.execute("SELECT epoch, seq FROM stream_head")
    epoch, seq = await _row(cursor)
    await bus.announce(epoch, seq, seq)  # the leader before may have died between its commit and its bell
    while not stop.is_set():
        if not await _one(connection, _WAITING):  # asked without a lock: a quiet night writes nothing
            await _sleep(EVERY, stop)
            continue
        epoch, lines = await _number(connection)
        if lines:
            await bus.announce(epoch, lines[0].seq, lines[-1].seq, lines)


async def _number(connection: psycopg.AsyncConnection[TupleRow]) -> tuple[UUID, list[Line]]:
    """Number one batch: its epoch and its lines, committed."""
    async with connection.transaction():
        # Two statements, not one: each has its own snapshot (READ COMMITTED). If a former leader still held the
        # head, the second sees what it numbered; a single statement would number those entries twice.
        epoch, last = await _row(await connection.execute(_HEAD))
        numbered = await connection.execute(_NUMBER, {"batch": BATCH, "head": last})
        rows = sorted(await numbered.fetchall())  # RETURNING promises no order; seq comes first and is unique
        if rows:
            await connection.execute(_ADVANCE, (last + len(rows),))
    return epoch, [Line(row[0], row[1], row[2], faces_from(row[3]), frozenset(row[4])) for row in rows]


async def _one(connection: psycopg.AsyncConnection[TupleRow], query: str, *values: object) -> bool:
    return bool((await _row(await connection.execute(query, values)))[0])


async def _row(cursor: psycopg.AsyncCursor[TupleRow]) -> TupleRow:
    row = await cursor.fetchone()
    if row is None:
        raise psycopg.DataError("stream_head is empty")
    return row


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
