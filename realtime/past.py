"""The past: what each thing looked like, for longer than the journal keeps faces.

An archive follows the journal an hour behind. Its rows hold, for one thing and one hour, each version's moment and
faces, packed; every day begins with what was on the boards when it began, so a past board is found within one day,
and a day is forgotten by dropping its table. Whoever reads it reads both: the archive, and what the journal has added.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Faces
from realtime.database import Base, now
from realtime.journal import Entry, faces_from

ARCHIVED_AFTER = dt.timedelta(hours=1)  # no transaction is open for so long: no entry comes late and is missed
FACES_KEPT = dt.timedelta(days=7)  # after that no feed can ask for them
KEPT_DAYS = 365  # unless the city says otherwise
BATCH = 1_000  # entries of one transaction
_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)

past_hours = Table(
    "past_hours",
    Base.metadata,
    Column("hour", DateTime(timezone=True), nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("hour", "subject"),
    postgresql_partition_by="RANGE (hour)",
)


class PastHead(Base):
    """The single row that says how far the journal is archived, and since when the past is known."""

    __tablename__ = "past_head"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[dt.datetime | None]  # the last day of which something is archived: its midnight, UTC
    begins_at: Mapped[dt.datetime]


@dataclass(frozen=True, slots=True)
class PastLine:
    """What a thing looked like from a moment on; without faces it was on no board."""

    subject: str
    version: int
    at: dt.datetime
    faces: Faces

    @property
    def kind(self) -> str:
        """What it is: `incident`, `unit`, …"""
        return self.subject.partition(":")[0]

    @property
    def id(self) -> UUID:
        """Which one it is."""
        return UUID(self.subject.partition(":")[2])


Packed = list[Any]  # [version, microseconds since 1970, faces]


def _packed(lines: Iterable[Packed]) -> bytes:
    return zlib.compress(orjson.dumps(list(lines)), 9)


def _unpacked(body: bytes) -> list[Packed]:
    lines: list[Packed] = orjson.loads(zlib.decompress(body))
    return lines


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def _line(subject: str, packed: Packed) -> PastLine:
    version, at, faces = packed
    return PastLine(subject, version, _EPOCH + at * _MICROSECOND, faces_from(faces))


def _hour_of(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _day_of(moment: dt.datetime) -> dt.datetime:
    return _hour_of(moment).replace(hour=0)


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────


async def archive_past(session: AsyncSession, *, older_than: dt.timedelta = ARCHIVED_AFTER) -> int:
    """Archive the next entries that are old enough; how many there were. Several workers take turns."""
    query = select(PastHead).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    head = (await session.scalars(query)).first()
    if head is None:
        return 0  # another worker is at it
    following = (
        select(Entry.id, Entry.seq, Entry.subject, Entry.version, Entry.recorded_at, Entry.faces)
        .where(Entry.id > head.entry_id)
        .order_by(Entry.id)
        .limit(BATCH)
    )
    ripe = now() - older_than
    # What nobody has numbered was told to nobody yet; order is kept by stopping there.
    entries = list(
        takewhile(lambda one: one.seq is not None and one.recorded_at < ripe, await session.execute(following))
    )
    added: dict[tuple[dt.datetime, str], list[Packed]] = defaultdict(list)
    for entry in entries:
        day = _day_of(entry.recorded_at)
        if head.day is None or day > head.day:
            await _put(session, added)
            added.clear()
            await _begin_day(session, day, head.day)
            head.day = day
        hour = max(_hour_of(entry.recorded_at), head.day)  # an id may be drawn just before midnight
        moment = (entry.recorded_at - _EPOCH) // _MICROSECOND
        added[hour, entry.subject].append([entry.version, moment, entry.faces])
        head.entry_id = entry.id
    await _put(session, added)
    return len(entries)


async def _put(session: AsyncSession, added: dict[tuple[dt.datetime, str], list[Packed]]) -> None:
    """Add lines to the rows of their hours."""
    if not added:
        return
    hours = past_hours.c
    there = select(past_hours).where(tuple_(hours.hour, hours.subject).in_(list(added)))
    before = {(row.hour.astimezone(dt.UTC), row.subject): row.body for row in await session.execute(there)}
    rows = [
        {"hour": hour, "subject": subject, "body": _packed((*_before(before.get((hour, subject))), *lines))}
        for (hour, subject), lines in added.items()
    ]
    statement = insert(past_hours)
    replaced = {"body": statement.excluded.body}
    await session.execute(statement.on_conflict_do_update(index_elements=["hour", "subject"], set_=replaced), rows)


def _before(body: bytes | None) -> list[Packed]:
    return [] if body is None else _unpacked(body)


async def _begin_day(session: AsyncSession, day: dt.datetime, former: dt.datetime | None) -> None:
    """A table for a day, with what was on the boards when it began."""
    name, end = _partition(day), (day + _DAY).isoformat()
    await session.execute(
        text(f"CREATE TABLE {name} PARTITION OF past_hours FOR VALUES FROM ('{day.isoformat()}') TO ('{end}')")
    )
    if former is not None:
        last = await _last_of_day(session, former, former + _DAY)
        await _put(session, {(day, subject): [line] for subject, line in last.items() if line[2]})


def _partition(day: dt.datetime) -> str:
    return f"past_hours_{day:%Y%m%d}"


_PARTITIONS = text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'past_hours'::regclass"
)


async def tend_past(session: AsyncSession, *, kept_days: int = KEPT_DAYS) -> None:
    """Forget the days past keeping. Never the last one, which the next day begins with."""
    query = select(PastHead).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    head = (await session.scalars(query)).first()
    if head is None or head.day is None:
        return
    oldest = min(_day_of(now()) - kept_days * _DAY, head.day)
    for name in sorted(await session.scalars(_PARTITIONS)):
        if name < _partition(oldest):
            await session.execute(text(f"DROP TABLE {name}"))
            head.begins_at = max(head.begins_at, oldest)


async def forget_faces(session: AsyncSession) -> None:
    """Empty the faces of old entries, once they are archived: the facts stay in the journal."""
    archived = select(PastHead.entry_id).scalar_subquery()
    old = Entry.recorded_at < now() - FACES_KEPT
    batch = select(Entry.id).where(old, Entry.id <= archived, Entry.faces != []).order_by(Entry.id).limit(BATCH)
    await session.execute(update(Entry).where(Entry.id.in_(batch)).values(faces=[]))


async def forget_subjects(session: AsyncSession, subjects: Collection[str]) -> None:
    """Forget for good what these things looked like, in the archive and in the journal: for what the law erases."""
    await session.execute(select(PastHead).with_for_update())  # what is being archived meanwhile is forgotten too
    await session.execute(delete(past_hours).where(past_hours.c.subject.in_(subjects)))
    await session.execute(update(Entry).where(Entry.subject.in_(subjects)).values(faces=[]))


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def past_begins(session: AsyncSession) -> dt.datetime:
    """The first moment of which the board is known."""
    return (await session.scalars(select(PastHead.begins_at))).one()


async def past_board(session: AsyncSession, at: dt.datetime) -> list[PastLine]:
    """What was on the boards at a moment: of each thing the last version that was recorded by then.

    As the desk knew it then: an entry counts from when it was recorded, not from when it is said to have happened.
    """
    # How far the archive is before what is in it: what moves there meanwhile is read twice, never not at all.
    head = await _head(session)
    since = and_(Entry.id > head.entry_id, Entry.recorded_at <= at)
    newest = select(func.max(Entry.id)).where(since).group_by(Entry.subject).scalar_subquery()
    added = {line.subject: line for line in await _entries(session, Entry.id.in_(newest))}
    day = head.day
    if day is not None and at < day:  # a day on which nothing happened has no rows
        day = await session.scalar(select(func.max(past_hours.c.hour)).where(past_hours.c.hour <= at))
    archived = {} if day is None else await _last_of_day(session, _day_of(day), at)
    last = {subject: _line(subject, line) for subject, line in archived.items()} | added
    return [line for line in last.values() if line.faces]


async def _last_of_day(session: AsyncSession, day: dt.datetime, at: dt.datetime) -> dict[str, Packed]:
    """Of each thing of a day the last line until a moment."""
    hours, hour = past_hours.c, _hour_of(at)
    earlier = (
        select(hours.subject, hours.body)
        .where(hours.hour >= day, hours.hour < min(hour, day + _DAY))
        .ext(distinct_on(hours.subject))
        .order_by(hours.subject, hours.hour.desc())
    )
    last = {row.subject: _unpacked(row.body)[-1] for row in await session.execute(earlier)}
    if hour < day + _DAY:
        moment = (at - _EPOCH) // _MICROSECOND
        for row in await session.execute(select(hours.subject, hours.body).where(hours.hour == hour)):
            until = [line for line in _unpacked(row.body) if line[1] <= moment]
            if until:
                last[row.subject] = until[-1]
    return last


async def past_lines(
    session: AsyncSession, since: dt.datetime, until: dt.datetime, *, limit: int
) -> tuple[list[PastLine], dt.datetime]:
    """What changed after `since`, in order, and the moment up to which that is all: `until`, or earlier.

    About `limit` lines at most; those of one moment are never divided.
    """
    found: dict[tuple[str, int], PastLine] = {}
    archived_to = (await _head(session)).entry_id
    hours, hour, end = past_hours.c, _hour_of(since), _hour_of(until)
    while hour <= end and len(found) <= limit:
        for row in await session.execute(select(hours.subject, hours.body).where(hours.hour == hour)):
            for packed in _unpacked(row.body):
                line = _line(row.subject, packed)
                if since < line.at <= until:
                    found[line.subject, line.version] = line
        hour += _HOUR
    known_until = min(hour - dt.timedelta(microseconds=1), until)
    added = (
        Entry.id > archived_to,
        Entry.recorded_at > since,
        Entry.recorded_at <= known_until,
    )
    for line in await _entries(session, *added, limit=limit + 1):
        found[line.subject, line.version] = line
    lines = sorted(found.values(), key=lambda line: (line.at, line.subject, line.version))
    if len(lines) <= limit:
        return lines, known_until
    last = lines[limit - 1].at
    return [line for line in lines if line.at <= last], last


async def _head(session: AsyncSession) -> PastHead:
    return (await session.scalars(select(PastHead).execution_options(populate_existing=True))).one()


async def _entries(session: AsyncSession, *which: Any, limit: int | None = None) -> list[PastLine]:
    query = (
        select(Entry.subject, Entry.version, Entry.recorded_at, Entry.faces)
        .where(*which)
        .order_by(Entry.recorded_at, Entry.id)
        .limit(limit)
    )
    return [
        PastLine(row.subject, row.version, row.recorded_at, faces_from(row.faces))
        for row in await session.execute(query)
    ]
