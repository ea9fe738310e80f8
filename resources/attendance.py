"""Attendance: who came, by QR and PIN or marked by hand, and until when they stay.

A *stint* is somebody's presence on a unit or at a place, from when they clocked in until they clocked out. Only the
server's clock counts. One that nobody ended is over by itself when the shift has ended and the grace has passed
(`ends_by`): that is judged when it is read, and the worker's chore only writes it down.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, LargeBinary, Text, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import VIGIA, Actor, Permission, Role, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal
from realtime.registers import Register, turn_page
from resources.shifts import ShiftSlot, slot_for
from resources.staff import Member, Seen, StaffStatus, UnknownRole, lock_members, require_sight, rules_at
from resources.units import Unit

EARLY = dt.timedelta(hours=2)  # how long before a shift somebody may come for it
LONGEST_STAY = dt.timedelta(hours=16)  # beyond what was planned, by one mark


class How(StrEnum):
    """How a stint began or ended."""

    QR = "qr"
    HAND = "hand"
    MOVED = "moved"  # clocked in elsewhere
    FORGOTTEN = "forgotten"  # nobody ended it


class NotRecognized(Refusal):
    """The code, the file number or the PIN is not right."""

    status = 403


class NotClockedIn(Refusal):
    """That person is not clocked in."""

    status = 409


class AlreadyThere(Refusal):
    """That person is clocked in there already."""

    status = 409


class GoneForGood(Refusal):
    """That person no longer works here."""

    status = 409


class BadPoint(Malformed):
    """A clocking point is a unit's or a place's: one of the two."""


class EndOutOfBounds(Malformed):
    """A stint ends after it began, not in the future, and within a day and a half."""


class ClockPoint(Base):
    """A code to clock in with: it hangs in a unit or at a place. Another secret makes the printed ones worthless."""

    __tablename__ = "clock_points"
    __table_args__ = (CheckConstraint("(unit_id IS NULL) <> (place = '')", name="somewhere"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    place: Mapped[str] = mapped_column(Text, default="")
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    ended_at: Mapped[dt.datetime | None]

    @property
    def token(self) -> str:
        """What stands in the QR: which point, and the proof that we made it."""
        proof = hmac.digest(self.secret, self.id.bytes, hashlib.sha256)[:15]
        return base64.urlsafe_b64encode(self.id.bytes + proof).decode().rstrip("=")


class Stint(Base):
    """Somebody's presence. `due_at` is when the shift ends, `ends_by` when a forgotten one is over."""

    __tablename__ = "stints"
    __table_args__ = (
        Index("one_open_stint_per_member", "member_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_stints_unit_id_started_at", "unit_id", "started_at"),
        Index("ix_stints_member_id_started_at", "member_id", "started_at"),
        Index("ix_stints_out_key", "out_key", unique=True, postgresql_where=text("out_key IS NOT NULL")),
        CheckConstraint("ended_at IS NULL OR started_at <= ended_at", name="ends_after_it_begins"),
        CheckConstraint("(unit_id IS NULL) <> (place = '')", name="somewhere"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    place: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[str] = mapped_column(Text)
    slot_id: Mapped[UUID | None] = mapped_column(ForeignKey("shift_slots.id"))
    started_at: Mapped[dt.datetime]
    started_how: Mapped[How] = mapped_column(Text)
    due_at: Mapped[dt.datetime]
    ends_by: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    ended_how: Mapped[How | None] = mapped_column(Text)
    out_key: Mapped[UUID | None]
    marked_by: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")

    def end(self, at: dt.datetime) -> dt.datetime:
        """When it ended, or until when it lasts as far as is known at `at`."""
        return self.ended_at if self.ended_at is not None else min(self.ends_by, at)

    @property
    def forgotten(self) -> bool:
        """Whether nobody ended it."""
        return self.ended_how == How.FORGOTTEN or (self.ended_at is None and self.ends_by <= now())


@dataclass(frozen=True, slots=True)
class Clocked:
    """What a clocking did."""

    what: str  # in, out, moved
    stint: Stint
    where: str
    at: dt.datetime


# ── Codes ─────────────────────────────────────────────────────────────────────────────────────────


async def make_point(
    session: AsyncSession, actor: Actor, point_id: UUID, *, unit_id: UUID | None = None, place: str = ""
) -> ClockPoint:
    """A code for a unit or a place; each has one. Raises `AlreadyExists`."""
    require(actor, Permission.SHIFT_MANAGE)
    if (unit_id is None) == (not place):
        raise BadPoint
    if unit_id is not None and await session.get(Unit, unit_id) is None:
        raise NotFound
    there = ClockPoint.unit_id == unit_id if unit_id else ClockPoint.place == place
    query = select(ClockPoint.id).where(or_(ClockPoint.id == point_id, there & ClockPoint.ended_at.is_(None)))
    if await session.scalar(query):
        raise AlreadyExists
    point = ClockPoint(id=point_id, unit_id=unit_id, place=place, secret=secrets.token_bytes(32), made_at=now())
    session.add(point)
    detail = {"point_id": str(point_id)}
    await turn_page(session, actor, Register.SHIFTS, "attendance.point_made", detail=detail)
    return point


async def renew_point(session: AsyncSession, actor: Actor, point_id: UUID) -> ClockPoint:
    """Another secret: what was printed before no longer works."""
    require(actor, Permission.SHIFT_MANAGE)
    point = await _lock_point(session, point_id)
    point.secret = secrets.token_bytes(32)
    detail = {"point_id": str(point_id)}
    await turn_page(session, actor, Register.SHIFTS, "attendance.point_renewed", detail=detail)
    return point


async def end_point(session: AsyncSession, actor: Actor, point_id: UUID) -> ClockPoint:
    """Nobody clocks in there any more."""
    require(actor, Permission.SHIFT_MANAGE)
    point = await _lock_point(session, point_id)
    point.ended_at = now()
    detail = {"point_id": str(point_id)}
    await turn_page(session, actor, Register.SHIFTS, "attendance.point_ended", detail=detail)
    return point


async def _lock_point(session: AsyncSession, point_id: UUID) -> ClockPoint:
    query = select(ClockPoint).where(ClockPoint.id == point_id, ClockPoint.ended_at.is_(None))
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    point = (await session.scalars(query)).first()
    if point is None:
        raise NotFound
    return point


async def all_points(session: AsyncSession, actor: Actor) -> Sequence[ClockPoint]:
    """The codes, for who prints them."""
    require(actor, Permission.SHIFT_MANAGE)
    return (
        await session.scalars(select(ClockPoint).where(ClockPoint.ended_at.is_(None)).order_by(ClockPoint.id))
    ).all()


async def point_of(session: AsyncSession, token: str) -> ClockPoint | None:
    """The point that a code belongs to, if we made it and it still holds."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if len(raw) != 31:
        return None
    point = await session.get(ClockPoint, UUID(bytes=raw[:16]))
    known = point if point is not None and point.ended_at is None else None
    return known if known is not None and hmac.compare_digest(known.token, token) else None


# ── Coming and going ──────────────────────────────────────────────────────────────────────────────


async def clock(session: AsyncSession, member_id: UUID, point: ClockPoint, *, key: UUID) -> Clocked:
    """Somebody who showed their PIN comes, goes, or comes from elsewhere. The same `key` again does it once."""
    member = (await lock_members(session, [member_id]))[member_id]
    where = await _where(session, point.unit_id, point.place)
    query = select(Stint).where(Stint.member_id == member_id, or_(Stint.id == key, Stint.out_key == key))
    if done := (await session.scalars(query)).first():
        out = done.out_key == key
        moved = not out and await session.scalar(select(Stint.id).where(Stint.out_key == key))
        at = done.ended_at if out and done.ended_at else done.started_at
        return Clocked("out" if out else "moved" if moved else "in", done, where, at)
    actor = Actor(name=member.name, role=Role.CREW, id=member.person_id, unit_id=point.unit_id)
    here = await _open_stint(session, member_id)
    if here is not None and (here.unit_id, here.place) == (point.unit_id, point.place):
        here.out_key = key
        await _end(session, actor, here, How.QR)
        return Clocked("out", here, where, here.ended_at or now())
    if here is not None:
        await _end(session, actor, here, How.MOVED)
    stint = await _begin(session, actor, key, member, point.unit_id, point.place, How.QR)
    return Clocked("moved" if here is not None else "in", stint, where, stint.started_at)


async def mark_in(
    session: AsyncSession,
    actor: Actor,
    stint_id: UUID,
    *,
    member_id: UUID,
    unit_id: UUID | None = None,
    place: str = "",
    role: str | None = None,
    reason: str,
) -> Stint:
    """Say that somebody is there, who could not clock in. Raises `AlreadyThere`, `GoneForGood`, `UnknownRole`."""
    require(actor, Permission.ATTENDANCE_MARK)
    if (unit_id is None) == (not place):
        raise BadPoint
    if unit_id is not None and await session.get(Unit, unit_id) is None:
        raise NotFound
    if role is not None and (await rules_at(session)).role(role) is None:
        raise UnknownRole(role=role)
    member = (await lock_members(session, [member_id]))[member_id]
    if member.standing(now()) == StaffStatus.LEFT:
        raise GoneForGood
    if await session.get(Stint, stint_id) is not None:
        raise AlreadyExists
    here = await _open_stint(session, member_id)
    if here is not None and (here.unit_id, here.place) == (unit_id, place):
        raise AlreadyThere
    if here is not None:
        await _end(session, actor, here, How.MOVED)
    return await _begin(session, actor, stint_id, member, unit_id, place, How.HAND, role=role, reason=reason)


async def mark_out(
    session: AsyncSession, actor: Actor, member_id: UUID, *, reason: str, at: dt.datetime | None = None
) -> Stint:
    """Say that somebody left, now or at a moment before. Raises `NotClockedIn`, `EndOutOfBounds`."""
    require(actor, Permission.ATTENDANCE_MARK)
    await lock_members(session, [member_id])
    stint = await _open_stint(session, member_id)
    if stint is None:
        raise NotClockedIn
    if at is not None and not stint.started_at <= at <= now():
        raise EndOutOfBounds
    stint.reason = reason
    await _end(session, actor, stint, How.HAND, at=at)
    return stint


async def stay_on(session: AsyncSession, actor: Actor, member_id: UUID, *, until: dt.datetime, reason: str) -> Stint:
    """Somebody stays beyond the end of the shift. What was planned stays what it was. Raises `EndOutOfBounds`."""
    require(actor, Permission.ATTENDANCE_MARK)
    await lock_members(session, [member_id])
    stint = await _open_stint(session, member_id)
    if stint is None:
        raise NotClockedIn
    if not now() < until <= max(stint.due_at, now()) + LONGEST_STAY:
        raise EndOutOfBounds
    stint.ends_by, stint.reason = until + (await rules_at(session)).grace, reason
    detail = _said_of(stint) | {"until": until.isoformat()}
    await turn_page(session, actor, Register.SHIFTS, "attendance.extended", detail=detail)
    return stint


async def correct_end(
    session: AsyncSession, actor: Actor, stint_id: UUID, *, ended_at: dt.datetime, reason: str
) -> Stint:
    """Put right when somebody left, where nobody had said it or it was said wrong. Raises `EndOutOfBounds`."""
    require(actor, Permission.SHIFT_MANAGE)
    member_id = await session.scalar(select(Stint.member_id).where(Stint.id == stint_id))
    if member_id is None:
        raise NotFound
    await lock_members(session, [member_id])
    stint = await session.get_one(Stint, stint_id, populate_existing=True)
    following = select(func.min(Stint.started_at)).where(
        Stint.member_id == member_id, Stint.started_at >= stint.started_at, Stint.id != stint_id
    )
    latest = min(now(), stint.started_at + dt.timedelta(hours=36), (await session.scalar(following)) or now())
    if not stint.started_at <= ended_at <= latest:
        raise EndOutOfBounds
    was = stint.ended_at
    stint.ended_at, stint.ended_how, stint.reason = ended_at, How.HAND, reason
    detail = _said_of(stint) | {"was": was.isoformat() if was else None}
    await turn_page(session, actor, Register.SHIFTS, "attendance.corrected", detail=detail)
    return stint


async def end_forgotten(session: AsyncSession) -> None:
    """Write down the end of stints that nobody ended. They are over since then; this only tells it."""
    query = (
        select(Stint)
        .where(Stint.ended_at.is_(None), Stint.ends_by <= now())
        .order_by(Stint.member_id)
        .limit(300)
        .with_for_update(skip_locked=True, key_share=True)
    )
    for stint in await session.scalars(query):
        await _end(session, VIGIA, stint, How.FORGOTTEN)


async def _open_stint(session: AsyncSession, member_id: UUID) -> Stint | None:
    """The stint that runs; one that was forgotten is ended on the way. The member is locked."""
    query = select(Stint).where(Stint.member_id == member_id, Stint.ended_at.is_(None))
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    stint = (await session.scalars(query)).first()
    if stint is not None and stint.ends_by <= now():
        await _end(session, VIGIA, stint, How.FORGOTTEN)
        return None
    return stint


async def _begin(
    session: AsyncSession,
    actor: Actor,
    stint_id: UUID,
    member: Member,
    unit_id: UUID | None,
    place: str,
    how: How,
    *,
    role: str | None = None,
    reason: str = "",
) -> Stint:
    at, rules = now(), await rules_at(session)
    found = await slot_for(session, member.id, at, early=EARLY)
    slot: ShiftSlot | None = found[0] if found else None
    due = slot.ends_at if slot is not None else at + dt.timedelta(hours=rules.unplanned_hours)
    stint = Stint(
        id=stint_id,
        member_id=member.id,
        unit_id=unit_id,
        place=place,
        role=role or (found[1].role if found else member.role),
        slot_id=slot.id if slot is not None else None,
        started_at=at,
        started_how=how,
        due_at=due,
        ends_by=due + rules.grace,
        marked_by=actor.name if how == How.HAND else "",
        reason=reason,
    )
    session.add(stint)
    detail = _said_of(stint) | {"how": how.value}
    await turn_page(session, actor, Register.SHIFTS, "attendance.in", detail=detail, occurred_at=at)
    return stint


async def _end(session: AsyncSession, actor: Actor, stint: Stint, how: How, *, at: dt.datetime | None = None) -> None:
    at = stint.ends_by if how == How.FORGOTTEN else at or now()
    stint.ended_at, stint.ended_how = at, how
    detail = _said_of(stint) | {"how": how.value}
    kind = "attendance.forgotten" if how == How.FORGOTTEN else "attendance.out"
    await _turn(session, actor, kind, detail, at)


async def _turn(session: AsyncSession, actor: Actor, kind: str, detail: dict[str, Any], at: dt.datetime) -> None:
    await turn_page(session, actor, Register.SHIFTS, kind, detail=detail, occurred_at=at)


def _said_of(stint: Stint) -> dict[str, Any]:
    return {
        "stint_id": str(stint.id),
        "member_id": str(stint.member_id),
        "unit_id": str(stint.unit_id) if stint.unit_id else None,
        "role": stint.role,
    }


async def _where(session: AsyncSession, unit_id: UUID | None, place: str) -> str:
    return place if unit_id is None else (await session.get_one(Unit, unit_id)).call_sign


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


def there_at(at: dt.datetime) -> ColumnElement[bool]:
    """The stints that were running at a moment."""
    return (Stint.started_at <= at) & (func.coalesce(Stint.ended_at, Stint.ends_by) > at)


async def stints_at(
    session: AsyncSession, at: dt.datetime, *, unit_ids: Collection[UUID] | None = None
) -> Sequence[Stint]:
    """Who was there at a moment (on these units, when given), those who came first first."""
    query = select(Stint).where(there_at(at)).order_by(Stint.started_at, Stint.id)
    if unit_ids is not None:
        query = query.where(Stint.unit_id.in_(unit_ids))
    return (await session.scalars(query.execution_options(populate_existing=True))).all()


async def stints_between(
    session: AsyncSession,
    since: dt.datetime,
    until: dt.datetime,
    *,
    member_ids: Collection[UUID] | None = None,
) -> dict[UUID, list[Stint]]:
    """The stints that touch this time, by person, in order."""
    query = select(Stint).where(Stint.started_at < until, func.coalesce(Stint.ended_at, Stint.ends_by) > since)
    if member_ids is not None:
        query = query.where(Stint.member_id.in_(member_ids))
    found: dict[UUID, list[Stint]] = {}
    for stint in await session.scalars(query.order_by(Stint.started_at, Stint.id)):
        found.setdefault(stint.member_id, []).append(stint)
    return found


async def on_duty_members(session: AsyncSession, actor: Actor, at: dt.datetime) -> frozenset[UUID]:
    """Who is clocked in anywhere at a moment, for whoever sees names."""
    require_sight(actor, Seen.NAMES)
    return frozenset(await session.scalars(select(Stint.member_id).where(there_at(at))))
