"""The log of a major incident: what people write, what was decided, and what happens on its incidents.

The three are told together and kept apart. Entries by hand have a table of their own, are struck and never deleted,
and may quote a line of an incident's timeline; such an entry is known to those who see that incident whole. What
happens on its incidents is read from the journal for the time that each was under its command, and nothing is copied.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Text, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.bonds import MajorMember
from incidents.incident import Incident, access_incident, visible_whole_to
from incidents.majors import Major, access_major, tell
from incidents.moments import moment
from incidents.timeline import AlreadyStruck
from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, NotFound
from realtime.journal import Entry

# What the log tells of its incidents by itself: that they move, who goes, who arrives. The rest is a click away.
AUTOMATIC = (
    "major.incident_added",
    "major.incident_removed",
    "major.incident_placed",
    "incident.state",
    "incident.closed",
    "incident.reopened",
    "incident.reclassified",
    "incident.alarm_raised",
    "incident.merged",
    "incident.absorbed",
    "incident.split",
    "incident.unmerged",
    "assignment.made",
    "assignment.status",
)
MOST = 500


class MajorEntry(Base):
    """An entry by hand. `quotes` is the journal's line of `incident_id` that it stands beside."""

    __tablename__ = "major_entries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    major_id: Mapped[UUID] = mapped_column(ForeignKey("majors.id"), index=True)
    text: Mapped[str | None] = mapped_column(Text)  # None once erased by law
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incidents.id"))
    quotes: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[dt.datetime]
    written_at: Mapped[dt.datetime] = mapped_column(default=now)
    written_by: Mapped[str] = mapped_column(Text)
    struck_at: Mapped[dt.datetime | None]
    struck_by: Mapped[str | None] = mapped_column(Text)
    struck_reason: Mapped[str | None] = mapped_column(Text)


async def write_entry(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    entry_id: UUID,
    text: str,
    incident_id: UUID | None = None,
    quotes: int | None = None,
    occurred_at: dt.datetime | None = None,
) -> MajorEntry:
    """Write into the log, also after it is closed; about an incident, or a line of its timeline, where one is named."""
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    if incident_id is not None:
        await access_incident(session, actor, incident_id)
    if quotes is not None and not await session.scalar(
        select(Entry.id).where(Entry.id == quotes, Entry.incident_id == incident_id)
    ):
        raise NotFound
    major = await access_major(session, actor, major_id, lock=True)
    if await session.get(MajorEntry, entry_id) is not None:
        raise AlreadyExists
    entry = MajorEntry(
        id=entry_id,
        major_id=major.id,
        text=text,
        incident_id=incident_id,
        quotes=quotes,
        at=at,
        written_at=now(),
        written_by=actor.name,
    )
    session.add(entry)
    await tell(session, actor, "major.entry_written", major, detail={"entry_id": str(entry_id)}, occurred_at=at)
    return entry


async def strike_entry(
    session: AsyncSession, actor: Actor, major_id: UUID, *, entry_id: UUID, reason: str
) -> MajorEntry:
    """Cross an entry out: it was wrong. Its text stays. Raises `AlreadyStruck`."""
    require(actor, Permission.MAJOR_RUN)
    major = await access_major(session, actor, major_id, lock=True)
    entry = await session.get(MajorEntry, entry_id, with_for_update=True, populate_existing=True)
    if entry is None or entry.major_id != major.id:
        raise NotFound
    if entry.incident_id is not None:
        await access_incident(session, actor, entry.incident_id)
    if entry.struck_at is not None:
        raise AlreadyStruck
    entry.struck_at, entry.struck_by, entry.struck_reason = now(), actor.name, reason
    await tell(session, actor, "major.entry_struck", major, detail={"entry_id": str(entry_id)})
    return entry


async def log_of(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    before: dt.datetime | None = None,
    limit: int = 200,
    by_hand: bool = False,
) -> list[dict[str, Any]]:
    """The log, oldest first: the last `limit` lines `before` a moment; only what people wrote, when `by_hand`.

    Lines about an incident are there for those who see it whole.
    """
    major = await access_major(session, actor, major_id)
    until = before or now() + dt.timedelta(days=1)
    lines = await _written(session, actor, major, until, limit)
    if not by_hand:
        lines += await _decided(session, major, until, limit)
        lines += await _happened(session, actor, major, until, limit)
    return sorted(lines, key=lambda line: (line["at"], line["id"]))[-limit:]


async def _written(
    session: AsyncSession, actor: Actor, major: Major, until: dt.datetime, limit: int
) -> list[dict[str, Any]]:
    whole = select(Incident.id).where(visible_whole_to(actor))
    query = (
        select(MajorEntry, Incident.code)
        .outerjoin(Incident, Incident.id == MajorEntry.incident_id)
        .where(
            MajorEntry.major_id == major.id,
            MajorEntry.at < until,
            or_(MajorEntry.incident_id.is_(None), MajorEntry.incident_id.in_(whole)),
        )
        .order_by(MajorEntry.at.desc(), MajorEntry.id.desc())
        .limit(limit)
    )
    rows = (await session.execute(query)).all()
    quoted = {
        entry.id: entry
        for entry in await session.scalars(
            select(Entry).where(Entry.id.in_([one.quotes for one, _ in rows if one.quotes]))
        )
    }
    return [
        {
            "id": str(one.id),
            "at": one.at.isoformat(),
            "recorded_at": one.written_at.isoformat(),
            "kind": "written",
            "by": one.written_by,
            "text": one.text,
            "struck": {"at": one.struck_at.isoformat(), "by": one.struck_by, "reason": one.struck_reason}
            if one.struck_at
            else None,
            "incident": {"id": str(one.incident_id), "code": code} if one.incident_id else None,
            "quotes": _line(quoted[one.quotes], code) if one.quotes in quoted else None,
        }
        for one, code in rows
    ]


async def _decided(session: AsyncSession, major: Major, until: dt.datetime, limit: int) -> list[dict[str, Any]]:
    query = (
        select(Entry)
        .where(
            Entry.incident_id == major.id,
            Entry.occurred_at < until,
            Entry.kind.not_in(["major.entry_written", "major.entry_struck"]),
        )
        .order_by(Entry.id.desc())
        .limit(limit)
    )
    return [_line(entry, None) for entry in await session.scalars(query)]


async def _happened(
    session: AsyncSession, actor: Actor, major: Major, until: dt.datetime, limit: int
) -> list[dict[str, Any]]:
    under_command = and_(
        Entry.occurred_at >= MajorMember.added_at,
        or_(MajorMember.removed_at.is_(None), Entry.occurred_at <= MajorMember.removed_at),
    )
    query = (
        select(Entry, Incident.code)
        .join(MajorMember, MajorMember.incident_id == Entry.incident_id)
        .join(Incident, Incident.id == MajorMember.incident_id)
        .where(
            MajorMember.major_id == major.id,
            Entry.kind.in_(AUTOMATIC),
            Entry.occurred_at < until,
            under_command,
            visible_whole_to(actor),
        )
        .order_by(Entry.id.desc())
        .limit(limit)
    )
    if major.closed_at is not None:
        query = query.where(Entry.occurred_at <= major.closed_at)
    return [_line(entry, code) for entry, code in await session.execute(query)]


def _line(entry: Entry, code: str | None) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "at": entry.occurred_at.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
        "kind": entry.kind,
        "by": entry.actor_name,
        "detail": entry.detail,
        "incident": {"id": str(entry.incident_id), "code": code} if code else None,
    }
