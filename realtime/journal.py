"""The journal: one entry per fact, written in the same transaction as the change it tells.

An entry has no number when it is written; the relay numbers it after the commit (`seq`). Readers that follow
`id > cursor` would lose rows, because commit order is not insertion order: follow `seq`, always.
Lock the row of a thing before recording about it, so that its entries stand in the order of its versions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, SmallInteger, Text, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Face, Faces, everyone_in
from realtime.database import Base, now


class Entry(Base):
    """One fact. `faces` is what feeds show of its subject from now on; empty means that it leaves every board."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_unnumbered", "id", postgresql_where=text("seq IS NULL")),
        Index("ix_journal_incident_id", "incident_id", "id", postgresql_where=text("incident_id IS NOT NULL")),
        Index("ix_journal_recorded_at", "recorded_at", postgresql_using="brin"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    seq: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    kind: Mapped[str]
    subject: Mapped[str]
    version: Mapped[int]
    incident_id: Mapped[UUID | None]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    actor_role: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime] = mapped_column(server_default=func.clock_timestamp())
    detail: Mapped[dict[str, Any]]
    faces: Mapped[list[Any]]
    told_before: Mapped[list[str]] = mapped_column(ARRAY(Text))


class StreamHead(Base):
    """The single row that says how far the journal is numbered; `epoch` changes when history was restored."""

    __tablename__ = "stream_head"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    epoch: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)


class Told:
    """What a table needs to be live: a version, and whom its last line was told, so that leaving can be told too."""

    version: Mapped[int] = mapped_column(default=0)
    told_to: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)

    @property
    def subject(self) -> str:
        """`<kind>:<id>`, the name of this thing on feeds."""
        raise NotImplementedError  # each table says its own


@dataclass(frozen=True, slots=True)
class Line:
    """A numbered entry as feeds need it."""

    seq: int
    subject: str
    version: int
    faces: Faces
    told_before: frozenset[str]


@dataclass(frozen=True, slots=True)
class Head:
    """How far the stream is numbered."""

    epoch: UUID
    seq: int


async def record(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    thing: Told,
    faces: Faces,
    *,
    incident_id: UUID | None = None,
    occurred_at: dt.datetime | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write down that `actor` did `kind` to `thing`, which from now on looks like `faces`.

    Every recorded fact is a new version: the caller has raised `thing.version` and made `faces` from it.
    `occurred_at` is when it happened when that is not now (heard late, or back-dated). `detail` holds no personal
    data: entries are kept for years, people's words and contacts are erasable elsewhere.
    """
    told_before = thing.told_to
    thing.told_to = sorted(everyone_in(faces))
    await session.flush()  # the thing's row first, its entry after: entries stand in the order of versions
    await session.execute(
        insert(Entry).values(
            kind=kind,
            subject=thing.subject,
            version=thing.version,
            incident_id=incident_id,
            actor_id=actor.id,
            actor_name=actor.name,
            actor_role=actor.role.value,
            occurred_at=occurred_at or now(),
            detail=detail or {},
            faces=[[sorted(face.audience), face.feature] for face in faces],
            told_before=told_before,
        )
    )


async def head(session: AsyncSession) -> Head:
    """Epoch and the last number given, as this transaction sees them."""
    row = (await session.execute(select(StreamHead.epoch, StreamHead.seq))).one()
    return Head(row.epoch, row.seq)


async def lines_after(session: AsyncSession, seq: int, *, upto: int | None = None, limit: int) -> Sequence[Line]:
    """Numbered entries with `seq` < number ≤ `upto`, in order, at most `limit`."""
    query = (
        select(Entry.seq, Entry.subject, Entry.version, Entry.faces, Entry.told_before)
        .where(Entry.seq > seq)
        .order_by(Entry.seq)
        .limit(limit)
    )
    if upto is not None:
        query = query.where(Entry.seq <= upto)
    return [
        Line(row.seq, row.subject, row.version, faces_from(row.faces), frozenset(row.told_before))
        for row in await session.execute(query)
    ]


def faces_from(stored: list[Any]) -> Faces:
    """Faces as they lie in the journal: `[[keys], feature]` each."""
    return tuple(Face(frozenset(keys), feature) for keys, feature in stored)
