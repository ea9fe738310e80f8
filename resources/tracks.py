"""Where units have been: every fix as it came, partitioned by the day on which it reached us.

By our own clock, because a device's may say 1970 or 2099. A day is forgotten by dropping its table.
"""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from itertools import pairwise
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from sqlalchemy import CheckConstraint, Column, DateTime, Double, Index, SmallInteger, Table, Uuid, func, select, text
from sqlalchemy.dialects.postgresql import REAL, distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import haversine
from realtime.access import Actor
from realtime.database import Base, now
from realtime.errors import Malformed
from realtime.registers import Register, turn_page
from resources.units import access_unit

KEPT = dt.timedelta(days=30)  # enough for a complaint or an inquiry to ask for it; a track is personal data
AHEAD = 3  # days of partitions made in advance: a worker may be away over a weekend
MOST = 20_000  # points of one track: a shift at one a second is 28,800, and nobody sees the difference

LONGEST_REPLAY = dt.timedelta(hours=25)  # a day, also the one on which clocks are put back
MOST_REPLAYED = 30_000  # points of a day that is looked at again: one each three seconds
GAP = dt.timedelta(minutes=3)  # silent for longer, nobody knows where it was
STOP_M, STOP_LASTS = 40.0, dt.timedelta(minutes=2)  # so near to one place for so long, it stood

ON_EARTH = "lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90"  # NaN is greater than all numbers


class Doubt(IntFlag):
    """What was wrong with a fix that was kept all the same."""

    IMPLAUSIBLE = 1  # too fast or too far: the marker did not follow
    CLOCK = 2  # it said to come from the future: its time is when it reached us
    ACCURACY = 4  # it gave an accuracy that cannot be
    MOCK = 8  # the device says that it was made up
    LATE = 16  # a newer one was here before it: the marker did not go back
    JITTER = 32  # the unit stands and this is GPS trembling: the marker stayed where it was
    COARSE = 64  # known to some hundred metres, while a better one was fresh: the marker did not follow


SURE = Doubt(0)
ASTRAY = Doubt.IMPLAUSIBLE | Doubt.COARSE  # what says nothing of where the unit was


@dataclass(frozen=True, slots=True)
class Fix:
    """A place at a time, as a device told it and as we took it."""

    unit_id: UUID
    lon: float
    lat: float
    fixed_at: dt.datetime
    received_at: dt.datetime
    heading: float | None = None
    speed_kmh: float | None = None
    accuracy_m: float | None = None
    doubt: Doubt = SURE
    battery: float | None = None  # 0…1; of the marker only
    device_id: UUID | None = None  # whose counts it belongs to


FIELDS = ("unit_id", "lon", "lat", "fixed_at", "received_at", "heading", "speed_kmh", "accuracy_m", "doubt")


class BadWindow(Malformed):
    """A track is looked at from one moment to a later one, at most {hours} hours after."""


position_history = Table(
    "position_history",
    Base.metadata,
    Column("unit_id", Uuid(), nullable=False),
    Column("fixed_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("heading", REAL),
    Column("speed_kmh", REAL),
    Column("accuracy_m", REAL),
    Column("doubt", SmallInteger, nullable=False),
    CheckConstraint(ON_EARTH, name="on_earth"),
    Index("ix_position_history_unit_id_fixed_at", "unit_id", "fixed_at"),
    postgresql_partition_by="RANGE (received_at)",
)


async def track(session: AsyncSession, unit_id: UUID, since: dt.datetime, until: dt.datetime) -> list[list[Any]]:
    """`[lon, lat, heading, speed_kmh, fixed_at_ms]` in order of time, without what leads astray."""
    history = position_history.c
    query = (
        select(history.lon, history.lat, history.heading, history.speed_kmh, history.fixed_at)
        .where(
            history.unit_id == unit_id,
            history.fixed_at.between(since, until),
            history.received_at >= since - dt.timedelta(hours=1),  # only to pass over older partitions
            history.doubt.bitwise_and(ASTRAY.value) == 0,
        )
        .ext(distinct_on(history.fixed_at))  # the same fix sent twice is one
        .order_by(history.fixed_at)
        .limit(MOST)
    )
    return [
        [row.lon, row.lat, row.heading, row.speed_kmh, milliseconds(row.fixed_at)]
        for row in await session.execute(query)
    ]


# ── A day again ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Stop:
    """A unit stood here, from when until when."""

    lon: float
    lat: float
    since: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Replay:
    """Where a unit was, to be looked at again. `points` are believed, in order of time; `doubtful` are not.

    `gaps` are times of which nothing is known: between two fixes, before the first and after the last.
    """

    points: list[Fix]
    doubtful: list[Fix]
    gaps: list[tuple[dt.datetime, dt.datetime]]
    stops: list[Stop]
    metres: float


async def look_at_track(
    session: AsyncSession, actor: Actor, unit_id: UUID, *, since: dt.datetime, until: dt.datetime
) -> Replay:
    """Where a unit was between two moments of the days that are kept. Whoever sees the unit may; each look is recorded.

    A unit's track is that of the people in it: what somebody looked at, and when, must be known to whoever asks later.
    """
    unit = await access_unit(session, actor, unit_id)
    until = min(until, now())
    if not since < until <= since + LONGEST_REPLAY:
        raise BadWindow(hours=int(LONGEST_REPLAY.total_seconds() // 3600))
    fixes = await _fixes(session, unit.id, since, until)
    detail = {"unit_id": str(unit.id), "since": since.isoformat(), "until": until.isoformat()}
    await turn_page(session, actor, Register.DEVICES, "device.track_seen", detail=detail)
    return replayed(fixes, since, until)


async def _fixes(session: AsyncSession, unit_id: UUID, since: dt.datetime, until: dt.datetime) -> list[Fix]:
    """One fix for each of so many equal parts of the time, so that a day of one a second is no 86,400."""
    step = dt.timedelta(seconds=max(1, math.ceil((until - since).total_seconds() / MOST_REPLAYED)))
    history = position_history.c
    part = func.date_bin(step, history.fixed_at, since)
    believed = history.doubt.bitwise_and((ASTRAY | Doubt.MOCK).value) == 0
    query = (
        select(*(history[name] for name in FIELDS))
        .where(
            history.unit_id == unit_id,
            history.fixed_at >= since,
            history.fixed_at < until,
            history.received_at >= since - dt.timedelta(hours=1),
        )
        .ext(distinct_on(part, believed))
        .order_by(part, believed, history.fixed_at)
    )
    rows = [Fix(**{**row._mapping, "doubt": Doubt(row.doubt)}) for row in await session.execute(query)]
    return sorted(rows, key=lambda fix: fix.fixed_at)


def replayed(fixes: Sequence[Fix], since: dt.datetime, until: dt.datetime) -> Replay:
    """What a track says: where it stood, how far it went, and where it is silent. `fixes` in order of time."""
    points: list[Fix] = []
    for fix in fixes:
        if not fix.doubt & (ASTRAY | Doubt.MOCK):
            stood = points[-1] if points and fix.doubt & Doubt.JITTER else fix
            points.append(replace(fix, lon=stood.lon, lat=stood.lat))
    moments = [since, *(fix.fixed_at for fix in points), until]
    gaps = [(one, other) for one, other in pairwise(moments) if other - one > GAP]
    return Replay(
        points,
        [fix for fix in fixes if fix.doubt & (ASTRAY | Doubt.MOCK)],
        gaps,
        _stops(points),
        sum(_metres(one, other) for one, other in pairwise(points) if other.fixed_at - one.fixed_at <= GAP),
    )


def _stops(points: Sequence[Fix]) -> list[Stop]:
    """Where it stayed within some metres for some minutes; silence ends a stop."""
    stops: list[Stop] = []
    first = last = 0
    for place, fix in enumerate(points):
        near = _metres(points[first], fix) <= STOP_M
        if not near or fix.fixed_at - points[last].fixed_at > GAP:
            stops += _stop(points[first], points[last])
            first = place
        last = place
    return stops + (_stop(points[first], points[last]) if points else [])


def _stop(first: Fix, last: Fix) -> list[Stop]:
    stood = last.fixed_at - first.fixed_at >= STOP_LASTS
    return [Stop(first.lon, first.lat, first.fixed_at, last.fixed_at)] if stood else []


def _metres(one: Fix, other: Fix) -> float:
    return haversine(one.lon, one.lat, other.lon, other.lat)


def milliseconds(moment: dt.datetime) -> int:
    """Since 1970, as browsers count."""
    return int(moment.timestamp() * 1000)


# ── Everybody's places, as they were seen ─────────────────────────────────────────────────────────

SEEN_EVERY = dt.timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Passing:
    """A place that a marker went to: `seen_at` is when it reached us, `fixed_at` when the unit was there."""

    lon: float
    lat: float
    heading: float | None
    speed_kmh: float | None
    fixed_at: dt.datetime
    seen_at: dt.datetime


_LAST_SEEN = dt.timedelta(hours=24)  # a marker that has not moved for longer is not looked for
_PASSINGS = text("""
    (
        SELECT DISTINCT ON (unit_id) unit_id, lon, lat, heading, speed_kmh, fixed_at, received_at
        FROM position_history
        WHERE received_at > :earliest AND received_at <= :since AND doubt & :doubts = 0
        ORDER BY unit_id, fixed_at DESC
    )
    UNION ALL
    (
        SELECT DISTINCT ON (unit_id, date_bin(:step, received_at, :since))
            unit_id, lon, lat, heading, speed_kmh, fixed_at, received_at
        FROM position_history
        WHERE received_at > :since AND received_at <= :until AND doubt & :doubts = 0
        ORDER BY unit_id, date_bin(:step, received_at, :since), fixed_at DESC
    )
    ORDER BY unit_id, received_at
""")


async def passings(session: AsyncSession, since: dt.datetime, until: dt.datetime) -> dict[UUID, list[Passing]]:
    """Of each unit the last place that was known at `since`, then one for each `SEEN_EVERY`, in order of time.

    As the map showed it: what reached us late or led astray moved no marker.
    """
    doubts = int(ASTRAY | Doubt.LATE | Doubt.JITTER)
    asked = {"earliest": since - _LAST_SEEN, "since": since, "until": until, "step": SEEN_EVERY, "doubts": doubts}
    found: dict[UUID, list[Passing]] = {}
    for row in await session.execute(_PASSINGS, asked):
        place = Passing(row.lon, row.lat, row.heading, row.speed_kmh, row.fixed_at, row.received_at)
        found.setdefault(row.unit_id, []).append(place)
    return found


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────

_COPY = (
    "COPY position_history (unit_id, fixed_at, received_at, lon, lat, doubt, heading, speed_kmh, accuracy_m)"
    " FROM STDIN (FORMAT BINARY)"
)
_START = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_ALWAYS = struct.Struct("!h i16s iq iq id id ih")  # how many fields there are, then each with its length
_SOMETIMES = struct.Struct("!if")
_NULL = b"\xff\xff\xff\xff"
_POSTGRES_BEGAN = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


async def write_history(session: AsyncSession, fixes: Sequence[Fix]) -> None:
    """Add fixes to the history: one COPY, packed here, three times as fast as row by row."""
    packed = b"".join((_START, *map(_packed, fixes), _END))
    connection = (await (await session.connection()).get_raw_connection()).driver_connection
    assert isinstance(connection, AsyncConnection)  # noqa: S101  no other driver is installed
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        await copy.write(packed)


def _packed(fix: Fix) -> bytes:
    fixed_at = (fix.fixed_at - _POSTGRES_BEGAN) // _MICROSECOND
    received_at = (fix.received_at - _POSTGRES_BEGAN) // _MICROSECOND
    always = _ALWAYS.pack(
        9, 16, fix.unit_id.bytes, 8, fixed_at, 8, received_at, 8, fix.lon, 8, fix.lat, 2, int(fix.doubt)
    )
    sometimes = (fix.heading, fix.speed_kmh, fix.accuracy_m)
    return always + b"".join(_NULL if value is None else _SOMETIMES.pack(4, value) for value in sometimes)


# ── Partitions ────────────────────────────────────────────────────────────────────────────────────


_PARTITIONS = text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
    " WHERE inhparent = 'position_history'::regclass"
)


async def tend_history(session: AsyncSession) -> None:
    """Make the partitions of the coming days and drop those past keeping. Call it daily; more often is harmless."""
    await session.execute(text("SELECT pg_advisory_xact_lock(7316003)"))  # one process at a time
    there = set(await session.scalars(_PARTITIONS))
    today = now().date()
    if "position_history_default" not in there:  # nothing is refused because a worker was away too long
        await session.execute(text("CREATE TABLE position_history_default PARTITION OF position_history DEFAULT"))
    for day in (today + dt.timedelta(days=n) for n in range(AHEAD + 1)):
        if _partition(day) not in there:
            await _make_partition(session, day)
    oldest = _partition((now() - KEPT).date())
    for name in sorted(there - {"position_history_default"}):
        if name < oldest:
            await session.execute(text(f"DROP TABLE {name}"))


async def _make_partition(session: AsyncSession, day: dt.date) -> None:
    name, start, end = _partition(day), day.isoformat(), (day + dt.timedelta(days=1)).isoformat()
    whole_day = f"received_at >= '{start} 00:00+00' AND received_at < '{end} 00:00+00'"
    # What reached the default meanwhile must leave it first, or the day could not be attached.
    stray = f"WITH stray AS (DELETE FROM position_history_default WHERE {whole_day} RETURNING *)"  # noqa: S608
    bounds = f"FROM ('{start} 00:00+00') TO ('{end} 00:00+00')"
    for statement in (
        f"CREATE TABLE {name} (LIKE position_history INCLUDING ALL)",
        f"{stray} INSERT INTO {name} SELECT * FROM stray",  # noqa: S608  our own dates
        f"ALTER TABLE position_history ATTACH PARTITION {name} FOR VALUES {bounds}",
    ):
        await session.execute(text(statement))


def _partition(day: dt.date) -> str:
    return f"position_history_{day:%Y%m%d}"
