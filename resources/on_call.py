"""On call: the authorities who can be woken, in the order in which they are.

A duty is somebody's, with a title and a rank, from one moment to another. Whoever is on call is judged when it is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, Text, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, NotFound, Refusal
from realtime.registers import Register, turn_page
from resources.staff import EndsBeforeItBegins, Member, Seen, StaffStatus, access_member, require_sight


class AlreadyOnCall(Refusal):
    """That person is on call then already."""

    status = 409


class OnCallDuty(Base):
    """One authority's time on call. One that was taken off ended then."""

    __tablename__ = "on_call_duties"
    __table_args__ = (
        Index("ix_on_call_duties_starts_at", "starts_at"),
        CheckConstraint("starts_at < ends_at", name="ends_after_it_begins"),
        CheckConstraint("rank BETWEEN 1 AND 20", name="rank"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    title: Mapped[str] = mapped_column(Text)
    rank: Mapped[int]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    taken_off_at: Mapped[dt.datetime | None]
    taken_off_for: Mapped[str] = mapped_column(Text, default="")
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(default=now)

    @property
    def end(self) -> dt.datetime:
        """When it ends, or ended early."""
        return min(self.ends_at, self.taken_off_at or self.ends_at)


@dataclass(frozen=True, slots=True)
class OnCall:
    """One authority who is on call at a moment; `rank` 1 is woken first."""

    staff_id: UUID
    name: str
    title: str
    phone: str
    rank: int


@dataclass(frozen=True, slots=True)
class RotaGap:
    """A time in which nobody is on call."""

    start: dt.datetime
    end: dt.datetime


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def put_on_call(
    session: AsyncSession,
    actor: Actor,
    duty_id: UUID,
    *,
    member_id: UUID,
    title: str,
    rank: int,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
) -> OnCallDuty:
    """Put somebody on call. Raises `AlreadyOnCall` when they are, `EndsBeforeItBegins`."""
    require(actor, Permission.SHIFT_MANAGE)
    if ends_at <= starts_at:
        raise EndsBeforeItBegins
    await access_member(session, actor, member_id, lock=True)
    if await session.get(OnCallDuty, duty_id) is not None:
        raise AlreadyExists
    overlapping = select(OnCallDuty.id).where(
        OnCallDuty.member_id == member_id, OnCallDuty.starts_at < ends_at, _end() > starts_at
    )
    if await session.scalar(overlapping):
        raise AlreadyOnCall
    duty = OnCallDuty(
        id=duty_id,
        member_id=member_id,
        title=title,
        rank=rank,
        starts_at=starts_at,
        ends_at=ends_at,
        made_by=actor.name,
        made_at=now(),
        taken_off_for="",
    )
    session.add(duty)
    detail = {"duty_id": str(duty_id), "member_id": str(member_id), "rank": rank}
    await turn_page(session, actor, Register.ON_CALL, "on_call.put", detail=detail)
    return duty


async def take_off_call(session: AsyncSession, actor: Actor, duty_id: UUID, *, reason: str = "") -> OnCallDuty:
    """From now on they are not on call; what has been stays."""
    require(actor, Permission.SHIFT_MANAGE)
    query = select(OnCallDuty).where(OnCallDuty.id == duty_id).with_for_update(key_share=True)
    duty = (await session.scalars(query.execution_options(populate_existing=True))).first()
    if duty is None:
        raise NotFound
    if duty.taken_off_at is None and duty.ends_at > now():
        duty.taken_off_at, duty.taken_off_for = now(), reason
        detail = {"duty_id": str(duty_id), "member_id": str(duty.member_id)}
        await turn_page(session, actor, Register.ON_CALL, "on_call.taken_off", detail=detail)
    return duty


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


def _end() -> ColumnElement[dt.datetime]:
    return func.least(OnCallDuty.ends_at, func.coalesce(OnCallDuty.taken_off_at, OnCallDuty.ends_at))


async def on_call_order(session: AsyncSession, at: dt.datetime) -> Sequence[OnCall]:
    """Who is on call at a moment, first to be woken first. Whoever has left the staff by then is passed over."""
    query = (
        select(OnCallDuty, Member)
        .join(Member, Member.id == OnCallDuty.member_id)
        .where(OnCallDuty.starts_at <= at, _end() > at)
        .order_by(OnCallDuty.rank, OnCallDuty.starts_at, OnCallDuty.id)
    )
    return [
        OnCall(member.id, member.name, duty.title, member.phone, duty.rank)
        for duty, member in await session.execute(query)
        if member.standing(at) != StaffStatus.LEFT
    ]


async def rota_between(
    session: AsyncSession, actor: Actor, since: dt.datetime, until: dt.datetime
) -> Sequence[tuple[OnCallDuty, Member]]:
    """The duties that touch this time, by rank and beginning, for the room and for who makes the rota."""
    require_sight(actor, Seen.NAMES)
    query = (
        select(OnCallDuty, Member)
        .join(Member, Member.id == OnCallDuty.member_id)
        .where(
            OnCallDuty.starts_at < until,
            _end() > since,
            or_(OnCallDuty.taken_off_at.is_(None), OnCallDuty.taken_off_at > OnCallDuty.starts_at),
        )
        .order_by(OnCallDuty.rank, OnCallDuty.starts_at, OnCallDuty.id)
    )
    return [(duty, member) for duty, member in await session.execute(query)]


def rota_gaps(
    spans: Sequence[tuple[dt.datetime, dt.datetime]], since: dt.datetime, until: dt.datetime
) -> list[RotaGap]:
    """The times between `since` and `until` in which no span holds."""
    gaps, reached = [], since
    for start, end in sorted(spans):
        if start > reached:
            gaps.append(RotaGap(reached, min(start, until)))
        reached = max(reached, end)
        if reached >= until:
            break
    if reached < until:
        gaps.append(RotaGap(reached, until))
    return [gap for gap in gaps if gap.start < gap.end]
