"""What sounded at each seat and what was kept silent there: the paper behind "how many alarms can one person hear?".

A seat sends what it played and what it did not (in a storm only P1 and SOS sound), that its sound was tried, and once
in ten minutes that somebody sits there. Kept half a year; reports count, they name nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, Text, delete, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.alarms import Alarm
from incidents.alarms import visible_whole_to as alarm_seen_by
from incidents.incident import Incident
from incidents.incident import visible_whole_to as incident_seen_by
from incidents.sos import Sos
from realtime.access import OPERATIONS, Actor, Permission, Sensitivity, require
from realtime.database import Base, now
from resources.people import Person
from resources.sign_in import SignIn

KEPT = dt.timedelta(weeks=27)
SHIFT = dt.timedelta(hours=12)  # how long a test of the sound holds
SEAT_EVERY = dt.timedelta(minutes=10)
EARLY = dt.timedelta(days=1)  # a seat without a link tells later, not days later


class Earcon(StrEnum):
    """What a seat tells of: its sounds, that they were tried, and that somebody sits there."""

    SOS = "sos"
    P1 = "p1"
    UNIT = "unit"
    SOFT = "soft"
    LOST = "lost"
    BACK = "back"
    TEST = "test"
    SEAT = "seat"


AUDIBLE = (Earcon.SOS, Earcon.P1, Earcon.UNIT, Earcon.SOFT)  # what counts as an alarm that somebody heard


class Sounding(Base):
    """One alarm that a seat let hear, or kept silent (`sounded` false); `about` is its subject, where it has one."""

    __tablename__ = "soundings"
    __table_args__ = (Index("ix_soundings_at", "at"), Index("ix_soundings_person_id", "person_id", "earcon", "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    at: Mapped[dt.datetime]
    earcon: Mapped[Earcon] = mapped_column(Text)
    about: Mapped[str] = mapped_column(Text, default="")
    sounded: Mapped[bool]
    sensitivity: Mapped[int] = mapped_column(SmallInteger, default=0)


@dataclass(frozen=True, slots=True)
class Told:
    """What a seat says: its own id for it, so that a second sending is none."""

    id: UUID
    earcon: Earcon
    at: dt.datetime
    about: str = ""
    sounded: bool = True


async def keep_soundings(session: AsyncSession, actor: Actor, told: Sequence[Told]) -> int:
    """Keep what a seat tells, each once; how many were new. What its person may not know is left out."""
    require(actor, Permission.REPORT_TRIAGE)
    at = now()
    secrecy = await _secrecy(session, actor, {one.about for one in told if one.about})
    rows = [
        {
            "id": one.id,
            "person_id": actor.id,
            "at": min(max(one.at, at - EARLY), at),
            "earcon": one.earcon,
            "about": one.about,
            "sounded": one.sounded,
            "sensitivity": secrecy.get(one.about, 0),
        }
        for one in told
        if not one.about or one.about in secrecy
    ]
    if not rows:
        return 0
    made = insert(Sounding).values(rows).on_conflict_do_nothing().returning(Sounding.id)
    return len((await session.scalars(made)).all())


async def _secrecy(session: AsyncSession, actor: Actor, subjects: set[str]) -> dict[str, int]:
    """How secret each subject is, of those that the actor sees."""
    ids: dict[str, set[UUID]] = {}
    for subject in subjects:
        kind, _, id_ = subject.partition(":")
        ids.setdefault(kind, set()).add(UUID(id_))
    found: dict[str, int] = {}
    for kind, query in {
        "incident": select(Incident.id, Incident.sensitivity).where(
            Incident.id.in_(ids.get("incident", ())), incident_seen_by(actor)
        ),
        "alarm": select(Alarm.id, Alarm.sensitivity).where(Alarm.id.in_(ids.get("alarm", ())), alarm_seen_by(actor)),
        "sos": select(Sos.id, Incident.sensitivity)
        .join(Incident, Incident.id == Sos.incident_id)
        .where(Sos.id.in_(ids.get("sos", ()))),
    }.items():
        if kind in ids:
            found |= {f"{kind}:{id_}": sensitivity for id_, sensitivity in await session.execute(query)}
    return found


async def sound_tests(session: AsyncSession, actor: Actor) -> list[dict[str, Any]]:
    """Who is signed in at a desk, and whether that seat's sound was tried this shift and heard; the untried first."""
    require(actor, Permission.POLICY_EDIT)
    at = now()
    here = (
        select(SignIn.person_id, func.max(SignIn.last_seen_at).label("seen"))
        .where(SignIn.last_seen_at > at - dt.timedelta(minutes=15))
        .group_by(SignIn.person_id)
        .subquery()
    )
    tried = (
        select(Sounding.person_id, Sounding.at, Sounding.sounded)
        .ext(distinct_on(Sounding.person_id))
        .where(Sounding.earcon == Earcon.TEST, Sounding.at > at - SHIFT)
        .order_by(Sounding.person_id, Sounding.at.desc())
        .subquery()
    )
    query = (
        select(Person.name, Person.role, here.c.seen, tried.c.at, tried.c.sounded)
        .join(here, here.c.person_id == Person.id)
        .outerjoin(tried, tried.c.person_id == Person.id)
        .where(Person.role.in_(OPERATIONS), Person.disabled_at.is_(None))
        .order_by(tried.c.at.is_not(None), Person.name)
    )
    return [
        {
            "name": row.name,
            "role": row.role,
            "seen_at": row.seen.isoformat(),
            "tested_at": row.at.isoformat() if row.at else None,
            "heard": row.sounded,
        }
        for row in await session.execute(query)
    ]


async def heard_by_week(session: AsyncSession, actor: Actor, until: dt.datetime, weeks: int) -> list[dict[str, Any]]:
    """Week by week, the last first: what was heard and kept silent, and how much that is for one person in ten minutes.

    `seats` are the ten minutes in which somebody sat at a desk: what is heard is divided by them; None without any.
    """
    reach = Sounding.sensitivity <= max(actor.reach, Sensitivity.OPERATIONAL)  # nobody counts what he may not know
    back = func.floor(func.extract("epoch", until - Sounding.at) / dt.timedelta(weeks=1).total_seconds())
    audible = Sounding.earcon.in_(AUDIBLE)
    query = (
        select(
            back.label("week"),
            func.count().filter(audible, Sounding.sounded).label("heard"),
            func.count().filter(audible, Sounding.sounded.is_(False)).label("silenced"),
            func.count().filter(Sounding.earcon == Earcon.SEAT).label("seats"),
        )
        .where(Sounding.at > until - dt.timedelta(weeks=weeks), Sounding.at <= until, reach)
        .group_by(back)
    )
    counted = {int(row.week): row for row in await session.execute(query)}
    found: list[dict[str, Any]] = []
    for week in range(weeks):
        row = counted.get(week)
        heard, silenced, seats = (row.heard, row.silenced, row.seats) if row else (0, 0, 0)
        mean = round(heard / seats, 2) if seats else None
        found.append({"heard": heard, "silenced": silenced, "seats": seats, "heard_per_ten_minutes": mean})
    return found


async def sweep_soundings(session: AsyncSession) -> None:
    """Forget what is older than any report."""
    await session.execute(delete(Sounding).where(Sounding.at < now() - KEPT))
