"""Shifts: templates, the slots they become, who is placed in them, and who swaps with whom.

A template says hours as the city's clock shows them; a slot is made of instants, so a night shift and a change of the
clocks are nothing special: what is planned is how long it lasts. Nobody is in two overlapping slots: every verb that
places somebody locks the swap, if any, then the slot, then the people, and looks. Rest and hours are rules that a
reason may pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text, delete, exists, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, new_id, now
from realtime.errors import AlreadyExists, Malformed, NotAllowed, NotFound, Refusal, VersionMismatch
from realtime.lifecycle import move
from realtime.registers import Register, turn_page
from resources.staff import (
    Credential,
    EndsBeforeItBegins,
    Member,
    Seen,
    StaffRules,
    StaffStatus,
    UnknownRole,
    access_member,
    credentials_of,
    lock_members,
    member_of,
    paper_at,
    require_sight,
    rules_at,
)
from resources.units import Unit

WEEK = dt.timedelta(days=7)
LONGEST_PLAN = 62  # days at once
LONGEST_SHIFT = 24 * 60  # minutes


class SwapState(StrEnum):
    """How far a swap is."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


W = SwapState
SWAP_MOVES: dict[SwapState, frozenset[SwapState]] = {
    W.ASKED: frozenset({W.ACCEPTED, W.REJECTED, W.WITHDRAWN}),
    W.ACCEPTED: frozenset({W.APPROVED, W.REJECTED, W.WITHDRAWN}),
}


class BadTemplate(Malformed):
    """A shift has a unit or a place, at least one weekday from 1 (Monday) to 7, and lasts from 15 minutes to a day."""


class BadSeats(Malformed):
    """Each role stands once, with a minimum and a maximum that is not below it and not 0."""


class PlanTooLong(Malformed):
    """At most 62 days are planned at once, and none that is over."""


class SlotOver(Refusal):
    """That shift is over or was cancelled."""

    status = 409


class SlotFull(Refusal):
    """That shift has all it needs of {role}."""

    status = 409


class RoleNotInSlot(Refusal):
    """That shift has no seat for {role}."""

    status = 409


class AlreadyPlaced(Refusal):
    """That person already has a shift from {since} to {until}."""

    status = 409


class NotThere(Refusal):
    """That person is on leave or no longer works here."""

    status = 409


class AgainstTheRules(Refusal):
    """That goes against the rules for rest, hours or credentials: say why it has to be."""

    status = 409


class SlotHasPeople(Refusal):
    """Somebody is placed in that shift: take them out first."""

    status = 409


class ShiftTemplate(Base):
    """A shift that comes again: at which unit or place, on which weekdays (1 Monday … 7), from when, how long."""

    __tablename__ = "shift_templates"
    __table_args__ = (
        CheckConstraint("unit_id IS NOT NULL OR place <> ''", name="somewhere"),
        CheckConstraint("minutes BETWEEN 15 AND 1440", name="minutes"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    place: Mapped[str] = mapped_column(Text, default="")
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    starts: Mapped[dt.time]
    minutes: Mapped[int]
    seats: Mapped[list[Any]]
    ended_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class ShiftSlot(Base):
    """One shift of one day. What it asks for stays as it was when it began."""

    __tablename__ = "shift_slots"
    __table_args__ = (
        Index("uq_shift_slots_template_id_starts_at", "template_id", "starts_at", unique=True),
        Index("ix_shift_slots_starts_at", "starts_at"),
        Index("ix_shift_slots_unit_id_starts_at", "unit_id", "starts_at"),
        CheckConstraint("unit_id IS NOT NULL OR place <> ''", name="somewhere"),
        CheckConstraint("starts_at < ends_at", name="ends_after_it_begins"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    template_id: Mapped[UUID | None] = mapped_column(ForeignKey("shift_templates.id"))
    name: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    place: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    seats: Mapped[list[Any]]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    cancelled_at: Mapped[dt.datetime | None]


class Placement(Base):
    """Somebody in a slot, in a role. `reason` says why although the rules were against it."""

    __tablename__ = "shift_placements"
    __table_args__ = (
        Index("ix_shift_placements_slot_id", "slot_id"),
        Index("ix_shift_placements_member_id", "member_id"),
        Index(
            "one_placement_of_a_member_in_a_slot",
            "slot_id",
            "member_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("shift_slots.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    role: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    placed_at: Mapped[dt.datetime] = mapped_column(default=now)
    placed_by: Mapped[str] = mapped_column(Text)
    removed_at: Mapped[dt.datetime | None]
    removed_for: Mapped[str] = mapped_column(Text, default="")


class Swap(Base):
    """Somebody offers a placement; somebody else takes it when it is approved."""

    __tablename__ = "shift_swaps"
    __table_args__ = (
        Index(
            "one_open_swap_per_placement",
            "placement_id",
            unique=True,
            postgresql_where=text("state IN ('asked', 'accepted')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    placement_id: Mapped[UUID] = mapped_column(ForeignKey("shift_placements.id"))
    from_id: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    to_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    state: Mapped[SwapState] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[dt.datetime] = mapped_column(default=now)
    accepted_at: Mapped[dt.datetime | None]
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str] = mapped_column(Text, default="")
    decided_for: Mapped[str] = mapped_column(Text, default="")


@dataclass(frozen=True, slots=True)
class Seat:
    """How many of a role a shift needs, and has room for."""

    role: str
    least: int
    most: int

    def shown(self) -> dict[str, Any]:
        """As it is stored and told."""
        return {"role": self.role, "min": self.least, "max": self.most}


def seats_of(stored: Iterable[dict[str, Any]]) -> tuple[Seat, ...]:
    """Seats as a row holds them."""
    return tuple(Seat(one["role"], one["min"], one["max"]) for one in stored)


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


async def _access_template(
    session: AsyncSession, template_id: UUID, *, lock: bool = False, expected: int | None = None
) -> ShiftTemplate:
    query = select(ShiftTemplate).where(ShiftTemplate.id == template_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    template = (await session.scalars(query)).first()
    if template is None:
        raise NotFound
    if expected is not None and expected != template.version:
        raise VersionMismatch(expected=expected, current=template.version)
    return template


async def _access_slot(session: AsyncSession, slot_id: UUID, *, lock: bool = False) -> ShiftSlot:
    query = select(ShiftSlot).where(ShiftSlot.id == slot_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    slot = (await session.scalars(query)).first()
    if slot is None:
        raise NotFound
    return slot


async def _access_swap(session: AsyncSession, swap_id: UUID) -> Swap:
    query = select(Swap).where(Swap.id == swap_id).with_for_update(key_share=True)
    swap = (await session.scalars(query.execution_options(populate_existing=True))).first()
    if swap is None:
        raise NotFound
    return swap


# ── Templates and slots ───────────────────────────────────────────────────────────────────────────


async def draw_template(
    session: AsyncSession,
    actor: Actor,
    template_id: UUID,
    *,
    name: str,
    weekdays: Collection[int],
    starts: dt.time,
    minutes: int,
    seats: Sequence[Seat],
    unit_id: UUID | None = None,
    place: str = "",
) -> ShiftTemplate:
    """A shift that comes again. `starts` is the city's clock. Raises `BadTemplate`, `BadSeats`, `UnknownRole`."""
    require(actor, Permission.SHIFT_MANAGE)
    if await session.get(ShiftTemplate, template_id) is not None:
        raise AlreadyExists
    await _check_somewhere(session, unit_id, place)
    _check_rhythm(weekdays, minutes)
    await check_seats(session, seats)
    template = ShiftTemplate(
        id=template_id,
        name=name,
        unit_id=unit_id,
        place=place,
        weekdays=sorted(set(weekdays)),
        starts=starts,
        minutes=minutes,
        seats=[seat.shown() for seat in seats],
        version=1,
    )
    session.add(template)
    detail = {"template_id": str(template_id)}
    await turn_page(session, actor, Register.SHIFTS, "shift.template_drawn", detail=detail)
    return template


async def _check_somewhere(session: AsyncSession, unit_id: UUID | None, place: str) -> None:
    if (unit_id is None) == (not place):
        raise BadTemplate
    if unit_id is not None and await session.get(Unit, unit_id) is None:
        raise NotFound


def _check_rhythm(weekdays: Collection[int], minutes: int) -> None:
    if not weekdays or not set(weekdays) <= set(range(1, 8)) or not 15 <= minutes <= LONGEST_SHIFT:
        raise BadTemplate


async def check_seats(session: AsyncSession, seats: Sequence[Seat]) -> None:
    """Raises `BadSeats` and `UnknownRole`."""
    rules = await rules_at(session)
    for seat in seats:
        if rules.role(seat.role) is None:
            raise UnknownRole(role=seat.role)
    sound = all(0 <= seat.least <= seat.most <= 50 and seat.most > 0 for seat in seats)
    if not seats or len({seat.role for seat in seats}) < len(seats) or not sound:
        raise BadSeats


async def amend_template(
    session: AsyncSession,
    actor: Actor,
    template_id: UUID,
    *,
    name: str | None = None,
    weekdays: Collection[int] | None = None,
    starts: dt.time | None = None,
    minutes: int | None = None,
    seats: Sequence[Seat] | None = None,
    expected: int | None = None,
) -> ShiftTemplate:
    """Change what is said. Slots to come in which nobody is placed go: the next plan makes them anew."""
    require(actor, Permission.SHIFT_MANAGE)
    template = await _access_template(session, template_id, lock=True, expected=expected)
    if template.ended_at is not None:
        raise SlotOver
    _check_rhythm(weekdays or template.weekdays, minutes or template.minutes)
    if seats is not None:
        await check_seats(session, seats)
        template.seats = [seat.shown() for seat in seats]
    template.name = name or template.name
    template.weekdays = sorted(set(weekdays)) if weekdays else template.weekdays
    template.starts = template.starts if starts is None else starts
    template.minutes = minutes or template.minutes
    template.version += 1
    await _forget_empty_slots(session, template_id)
    detail = {"template_id": str(template_id)}
    await turn_page(session, actor, Register.SHIFTS, "shift.template_amended", detail=detail)
    return template


async def end_template(
    session: AsyncSession, actor: Actor, template_id: UUID, *, expected: int | None = None
) -> ShiftTemplate:
    """It comes no more. Slots to come in which nobody is placed go with it."""
    require(actor, Permission.SHIFT_MANAGE)
    template = await _access_template(session, template_id, lock=True, expected=expected)
    template.ended_at = template.ended_at or now()
    template.version += 1
    await _forget_empty_slots(session, template_id)
    detail = {"template_id": str(template_id)}
    await turn_page(session, actor, Register.SHIFTS, "shift.template_ended", detail=detail)
    return template


async def _forget_empty_slots(session: AsyncSession, template_id: UUID) -> None:
    occupied = exists().where(Placement.slot_id == ShiftSlot.id)
    to_come = ShiftSlot.template_id == template_id, ShiftSlot.starts_at > now(), ShiftSlot.cancelled_at.is_(None)
    await session.execute(delete(ShiftSlot).where(*to_come, ~occupied))


def instants(day: dt.date, starts: dt.time, minutes: int, timezone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """When a shift of a day begins and ends, in UTC. It lasts as long as it says, whatever the clocks do meanwhile."""
    begins = dt.datetime.combine(day, starts, timezone).astimezone(dt.UTC)
    return begins, begins + dt.timedelta(minutes=minutes)


async def generate_slots(
    session: AsyncSession,
    actor: Actor,
    *,
    first: dt.date,
    last: dt.date,
    timezone: ZoneInfo,
    template_ids: Collection[UUID] | None = None,
) -> int:
    """Make the slots of the templates for these days, both included; how many are new.

    Again for the same days it makes none, and one that was cancelled stays so. Days are the city's.
    Raises `PlanTooLong`.
    """
    require(actor, Permission.SHIFT_MANAGE)
    at = now()
    if last < first or (last - first).days >= LONGEST_PLAN or last < at.astimezone(timezone).date():
        raise PlanTooLong
    query = select(ShiftTemplate).where(ShiftTemplate.ended_at.is_(None)).order_by(ShiftTemplate.id)
    if template_ids is not None:
        query = query.where(ShiftTemplate.id.in_(template_ids))
    rows = []
    for template in await session.scalars(query.with_for_update(key_share=True, read=True)):
        for day in (first + dt.timedelta(days=ahead) for ahead in range((last - first).days + 1)):
            starts_at, ends_at = instants(day, template.starts, template.minutes, timezone)
            if day.isoweekday() in template.weekdays and ends_at > at:
                rows.append(_slot_values(template, starts_at, ends_at))
    made = 0
    for start in range(0, len(rows), 500):
        there = insert(ShiftSlot).values(rows[start : start + 500])
        there = there.on_conflict_do_nothing(index_elements=["template_id", "starts_at"])
        made += len((await session.execute(there.returning(ShiftSlot.id))).all())
    if made:
        detail = {"first": first.isoformat(), "last": last.isoformat(), "made": made}
        await turn_page(session, actor, Register.SHIFTS, "shift.generated", detail=detail)
    return made


def _slot_values(template: ShiftTemplate, starts_at: dt.datetime, ends_at: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "template_id": template.id,
        "name": template.name,
        "unit_id": template.unit_id,
        "place": template.place,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "seats": template.seats,
        "made_at": now(),
    }


async def add_slot(
    session: AsyncSession,
    actor: Actor,
    slot_id: UUID,
    *,
    name: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    seats: Sequence[Seat],
    unit_id: UUID | None = None,
    place: str = "",
) -> ShiftSlot:
    """A shift that comes once: a match, a storm. Raises `SlotOver` when it would be over already."""
    require(actor, Permission.SHIFT_MANAGE)
    await _check_somewhere(session, unit_id, place)
    await check_seats(session, seats)
    if ends_at <= starts_at:
        raise EndsBeforeItBegins
    if ends_at - starts_at > dt.timedelta(minutes=LONGEST_SHIFT):
        raise BadTemplate
    if ends_at <= now():
        raise SlotOver
    if await session.get(ShiftSlot, slot_id) is not None:
        raise AlreadyExists
    slot = ShiftSlot(
        id=slot_id,
        name=name,
        unit_id=unit_id,
        place=place,
        starts_at=starts_at,
        ends_at=ends_at,
        seats=[seat.shown() for seat in seats],
        made_at=now(),
    )
    session.add(slot)
    await turn_page(session, actor, Register.SHIFTS, "shift.slot_added", detail={"slot_id": str(slot_id)})
    return slot


async def cancel_slot(session: AsyncSession, actor: Actor, slot_id: UUID) -> ShiftSlot:
    """It does not take place. Raises `SlotHasPeople`, `SlotOver`."""
    require(actor, Permission.SHIFT_MANAGE)
    slot = await _access_slot(session, slot_id, lock=True)
    if slot.ends_at <= now():
        raise SlotOver
    if (await placements_in(session, [slot_id]))[slot_id]:
        raise SlotHasPeople
    if slot.cancelled_at is None:
        slot.cancelled_at = now()
        await turn_page(session, actor, Register.SHIFTS, "shift.slot_cancelled", detail={"slot_id": str(slot_id)})
    return slot


# ── Placing people ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Trouble:
    """One rule that a placement goes against, in a code with its facts; the words are the screen's."""

    code: str  # rest, week_hours, credential_expired, credential_missing
    facts: dict[str, Any]

    def shown(self) -> dict[str, Any]:
        """As the API tells it."""
        return {"code": self.code, **self.facts}


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when."""

    start: dt.datetime
    end: dt.datetime


def rest_troubles(wanted: Span, others: Sequence[Span], rules: StaffRules) -> list[Trouble]:
    """What a shift does to somebody's rest and hours, beside their other shifts. Overlaps are not its business."""
    troubles = []
    before = max((other.end for other in others if other.end <= wanted.start), default=None)
    after = min((other.start for other in others if other.start >= wanted.end), default=None)
    rests = [wanted.start - before if before else None, after - wanted.end if after else None]
    shortest = min((rest for rest in rests if rest is not None), default=None)
    if shortest is not None and shortest < rules.rest:
        facts = {"hours": _hours(shortest), "least": rules.rest_hours}
        troubles.append(Trouble("rest", facts))
    hours = most_in_a_week(wanted, others)
    if hours > rules.week:
        troubles.append(Trouble("week_hours", {"hours": _hours(hours), "most": rules.week_hours}))
    return troubles


def most_in_a_week(wanted: Span, others: Sequence[Span]) -> dt.timedelta:
    """The most that any seven days hold which hold all of `wanted`."""
    spans = [*others, wanted]
    # The fullest window begins with a shift or ends with one.
    starts = {span.start for span in spans} | {span.end - WEEK for span in spans}
    windows = [start for start in starts if start <= wanted.start and wanted.end <= start + WEEK]
    return max(sum((overlap(span, Span(start, start + WEEK)) for span in spans), dt.timedelta()) for start in windows)


def overlap(one: Span, other: Span) -> dt.timedelta:
    """How long both last at once."""
    return max(dt.timedelta(), min(one.end, other.end) - max(one.start, other.start))


def _hours(span: dt.timedelta) -> float:
    return round(span.total_seconds() / 3600, 1)


def troubles_of(
    member: Member, slot: ShiftSlot, role: str, *, others: Sequence[Span], held: Sequence[Credential], rules: StaffRules
) -> list[Trouble]:
    """What speaks against somebody in a slot, beside their other shifts.

    Raises `AlreadyPlaced` and `NotThere`, which no reason passes.
    """
    if member.standing(slot.starts_at) != StaffStatus.ACTIVE or member.standing(slot.ends_at) == StaffStatus.LEFT:
        raise NotThere
    wanted = Span(slot.starts_at, slot.ends_at)
    for other in others:
        if overlap(wanted, other):
            raise AlreadyPlaced(since=other.start, until=other.end)
    troubles = rest_troubles(wanted, others, rules)
    asked = rules.role(role)
    for kind in asked.credentials if asked else ():
        paper = paper_at(held, kind, slot.starts_at)
        if paper.valid:  # it has to last as long as the shift
            paper = paper_at(held, kind, slot.ends_at - dt.timedelta(seconds=1))
        if not paper.valid:
            facts = {"credential": kind, "until": paper.until.isoformat() if paper.until else None}
            troubles.append(Trouble("credential_expired" if paper.held else "credential_missing", facts))
    return troubles


async def shifts_around(session: AsyncSession, member_ids: Collection[UUID], slot: ShiftSlot) -> dict[UUID, list[Span]]:
    """The shifts of people within a week of a slot, which rest and hours are judged by."""
    query = (
        select(Placement.member_id, ShiftSlot.starts_at, ShiftSlot.ends_at)
        .join(ShiftSlot, ShiftSlot.id == Placement.slot_id)
        .where(
            Placement.member_id.in_(member_ids),
            Placement.removed_at.is_(None),
            ShiftSlot.ends_at > slot.starts_at - WEEK,
            ShiftSlot.starts_at < slot.ends_at + WEEK,
        )
        .order_by(ShiftSlot.starts_at)
    )
    found: dict[UUID, list[Span]] = {member_id: [] for member_id in member_ids}
    for member_id, start, end in await session.execute(query):
        found[member_id].append(Span(start, end))
    return found


async def place_member(
    session: AsyncSession,
    actor: Actor,
    placement_id: UUID,
    *,
    slot_id: UUID,
    member_id: UUID,
    role: str | None = None,
    reason: str = "",
) -> Placement:
    """Put somebody in a slot, in their own role unless another is said.

    Raises `SlotOver`, `RoleNotInSlot`, `SlotFull`, `AlreadyPlaced`, `NotThere`, and `AgainstTheRules` without a reason.
    """
    require(actor, Permission.SHIFT_MANAGE)
    slot = await _access_slot(session, slot_id, lock=True)
    member = (await lock_members(session, [member_id]))[member_id]
    placement = await _place(session, actor, placement_id, slot, member, role or member.role, reason)
    await turn_page(session, actor, Register.SHIFTS, "shift.placed", detail=_said_of(placement))
    return placement


def _said_of(placement: Placement) -> dict[str, Any]:
    return {
        "placement_id": str(placement.id),
        "slot_id": str(placement.slot_id),
        "member_id": str(placement.member_id),
        "role": placement.role,
        "excused": bool(placement.reason),
    }


async def _place(
    session: AsyncSession,
    actor: Actor,
    placement_id: UUID,
    slot: ShiftSlot,
    member: Member,
    role: str,
    reason: str,
) -> Placement:
    """Slot and member are locked."""
    if slot.cancelled_at is not None or slot.ends_at <= now():
        raise SlotOver
    if await session.get(Placement, placement_id) is not None:
        raise AlreadyExists
    seat = next((seat for seat in seats_of(slot.seats) if seat.role == role), None)
    if seat is None:
        raise RoleNotInSlot(role=role)
    taken = [one for one in (await placements_in(session, [slot.id]))[slot.id] if one.role == role]
    if len(taken) >= seat.most:
        raise SlotFull(role=role)
    others = (await shifts_around(session, [member.id], slot))[member.id]
    held = (await credentials_of(session, [member.id]))[member.id]
    troubles = troubles_of(member, slot, role, others=others, held=held, rules=await rules_at(session))
    if troubles and not reason:
        raise AgainstTheRules(troubles=[trouble.shown() for trouble in troubles])
    placement = Placement(
        id=placement_id,
        slot_id=slot.id,
        member_id=member.id,
        role=role,
        reason=reason if troubles else "",
        placed_at=now(),
        placed_by=actor.name,
        removed_for="",
    )
    session.add(placement)
    await session.flush()
    return placement


async def remove_placement(session: AsyncSession, actor: Actor, placement_id: UUID, *, reason: str = "") -> Placement:
    """Take somebody out of a slot; a swap that was asked for it ends."""
    require(actor, Permission.SHIFT_MANAGE)
    slot_id = await session.scalar(select(Placement.slot_id).where(Placement.id == placement_id))
    if slot_id is None:
        raise NotFound
    query = select(Swap).where(Swap.placement_id == placement_id, Swap.state.in_(SWAP_MOVES))
    open_swaps = (
        await session.scalars(query.with_for_update(key_share=True))
    ).all()  # before the slot, as in approving
    slot = await _access_slot(session, slot_id, lock=True)
    if slot.ends_at <= now():
        raise SlotOver
    placement = await session.get_one(Placement, placement_id, populate_existing=True)
    if placement.removed_at is None:
        placement.removed_at, placement.removed_for = now(), reason
        for swap in open_swaps:
            swap.state, swap.decided_at, swap.decided_by = W.WITHDRAWN, now(), actor.name
        detail = {"placement_id": str(placement_id), "member_id": str(placement.member_id)}
        await turn_page(session, actor, Register.SHIFTS, "shift.removed", detail=detail)
    return placement


# ── Swaps ─────────────────────────────────────────────────────────────────────────────────────────


async def _for_oneself(session: AsyncSession, actor: Actor, member_id: UUID | None) -> bool:
    """Whether `actor` speaks for this person: it is them, or somebody who runs the shifts."""
    own = await member_of(session, actor)
    return actor.may(Permission.SHIFT_MANAGE) or (own is not None and own.id == member_id)


async def ask_swap(
    session: AsyncSession,
    actor: Actor,
    swap_id: UUID,
    *,
    placement_id: UUID,
    to_id: UUID | None = None,
    reason: str = "",
) -> Swap:
    """Offer one's slot, to somebody or to whoever takes it. Raises `SlotOver`, `AlreadyExists` when it is offered."""
    slot_id = await session.scalar(select(Placement.slot_id).where(Placement.id == placement_id))
    slot = await _access_slot(session, slot_id, lock=True) if slot_id else None
    placement = await session.get(Placement, placement_id, populate_existing=True)
    if not actor.may(Permission.SHIFT_MANAGE):
        own = await member_of(session, actor)
        if own is None or placement is None or placement.member_id != own.id:
            raise NotAllowed(permission=Permission.SHIFT_MANAGE.value)
    if placement is None or slot is None:
        raise NotFound
    if placement.removed_at is not None or slot.starts_at <= now():
        raise SlotOver
    if to_id is not None and (to_id == placement.member_id or await session.get(Member, to_id) is None):
        raise NotFound
    there = select(Swap.id).where(Swap.placement_id == placement_id, Swap.state.in_(SWAP_MOVES))
    if await session.scalar(there) is not None or await session.get(Swap, swap_id) is not None:
        raise AlreadyExists
    swap = Swap(
        id=swap_id,
        placement_id=placement_id,
        from_id=placement.member_id,
        to_id=to_id,
        state=W.ASKED,
        reason=reason,
        asked_at=now(),
        decided_by="",
        decided_for="",
    )
    session.add(swap)
    await _tell_of_swap(session, actor, "swap.asked", swap)
    return swap


async def accept_swap(session: AsyncSession, actor: Actor, swap_id: UUID, *, member_id: UUID | None = None) -> Swap:
    """Take what was offered: oneself, or somebody for whom a supervisor speaks. It still has to be approved."""
    own = await member_of(session, actor)
    if own is None and not actor.may(Permission.SHIFT_MANAGE):
        raise NotAllowed(permission=Permission.SHIFT_MANAGE.value)
    swap = await _access_swap(session, swap_id)
    taker = member_id or swap.to_id or (own.id if own else None)
    if taker is None or not await _for_oneself(session, actor, taker) or swap.to_id not in {None, taker}:
        raise NotAllowed(permission=Permission.SHIFT_MANAGE.value)
    if taker == swap.from_id or await session.get(Member, taker) is None:
        raise NotFound
    swap.state = move(SwapState(swap.state), W.ACCEPTED, SWAP_MOVES)
    swap.to_id, swap.accepted_at = taker, now()
    await _tell_of_swap(session, actor, "swap.accepted", swap)
    return swap


async def approve_swap(session: AsyncSession, actor: Actor, swap_id: UUID, *, reason: str = "") -> Swap:
    """Let them: everything is looked at again, and the seat goes from one to the other in one act.

    Raises `IllegalMove` for a swap that is decided, and what `place_member` raises.
    """
    require(actor, Permission.SHIFT_MANAGE)
    swap = await _access_swap(session, swap_id)
    state = move(SwapState(swap.state), W.APPROVED, SWAP_MOVES)
    placement = await session.get_one(Placement, swap.placement_id)
    slot = await _access_slot(session, placement.slot_id, lock=True)
    await session.refresh(placement)
    assert swap.to_id is not None  # noqa: S101  (it was accepted by somebody)
    members = await lock_members(session, [swap.from_id, swap.to_id])
    if placement.removed_at is not None or slot.starts_at <= now():
        raise SlotOver
    placement.removed_at, placement.removed_for = now(), "swap"
    await session.flush()
    role = placement.role
    taken = await _place(session, actor, new_id(), slot, members[swap.to_id], role, reason)
    swap.state, swap.decided_at, swap.decided_by, swap.decided_for = state, now(), actor.name, reason
    await _tell_of_swap(session, actor, "swap.approved", swap, {"new_placement_id": str(taken.id)})
    return swap


async def reject_swap(session: AsyncSession, actor: Actor, swap_id: UUID, *, reason: str = "") -> Swap:
    """Not this one: by who approves, or by whom it was offered to."""
    own = await member_of(session, actor)
    if own is None and not actor.may(Permission.SHIFT_MANAGE):
        raise NotAllowed(permission=Permission.SHIFT_MANAGE.value)
    swap = await _access_swap(session, swap_id)
    if not actor.may(Permission.SHIFT_MANAGE) and (own is None or swap.to_id != own.id):
        raise NotAllowed(permission=Permission.SHIFT_MANAGE.value)
    return await _end_swap(session, actor, swap, W.REJECTED, reason)


async def withdraw_swap(session: AsyncSession, actor: Actor, swap_id: UUID) -> Swap:
    """Keep one's slot after all."""
    own = await member_of(session, actor)
    if own is None and not actor.may(Permission.SHIFT_MANAGE):
        raise NotAllowed(permission=Permission.SHIFT_MANAGE.value)
    swap = await _access_swap(session, swap_id)
    if not await _for_oneself(session, actor, swap.from_id):
        raise NotAllowed(permission=Permission.SHIFT_MANAGE.value)
    return await _end_swap(session, actor, swap, W.WITHDRAWN, "")


async def _end_swap(session: AsyncSession, actor: Actor, swap: Swap, state: SwapState, reason: str) -> Swap:
    swap.state = move(SwapState(swap.state), state, SWAP_MOVES)
    swap.decided_at, swap.decided_by, swap.decided_for = now(), actor.name, reason
    kind = "swap.rejected" if state == W.REJECTED else "swap.withdrawn"
    await _tell_of_swap(session, actor, kind, swap)
    return swap


async def _tell_of_swap(
    session: AsyncSession, actor: Actor, kind: str, swap: Swap, more: dict[str, Any] | None = None
) -> None:
    detail = {
        "swap_id": str(swap.id),
        "placement_id": str(swap.placement_id),
        "from_id": str(swap.from_id),
        "to_id": str(swap.to_id) if swap.to_id else None,
    }
    await turn_page(session, actor, Register.SHIFTS, kind, detail=detail | (more or {}))


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def all_templates(session: AsyncSession, actor: Actor) -> Sequence[ShiftTemplate]:
    """The shifts that come again, by name."""
    require_sight(actor, Seen.NAMES)
    query = select(ShiftTemplate).where(ShiftTemplate.ended_at.is_(None))
    return (await session.scalars(query.order_by(ShiftTemplate.name, ShiftTemplate.id))).all()


async def slots_between(
    session: AsyncSession, actor: Actor, since: dt.datetime, until: dt.datetime
) -> Sequence[ShiftSlot]:
    """The slots that touch this time and were not cancelled, as far as `actor` sees them. Raises `PlanTooLong`."""
    seen = require_sight(actor, Seen.OWN_UNIT)
    if not since < until <= since + dt.timedelta(days=LONGEST_PLAN):
        raise PlanTooLong
    query = select(ShiftSlot).where(
        ShiftSlot.starts_at < until, ShiftSlot.ends_at > since, ShiftSlot.cancelled_at.is_(None)
    )
    if seen == Seen.OWN_UNIT:
        query = query.where(ShiftSlot.unit_id == actor.unit_id)
    return (await session.scalars(query.order_by(ShiftSlot.starts_at, ShiftSlot.id))).all()


async def slots_at(session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime) -> dict[UUID, list[ShiftSlot]]:
    """The slots of units that were running at a moment."""
    query = select(ShiftSlot).where(
        ShiftSlot.unit_id.in_(unit_ids),
        ShiftSlot.starts_at <= at,
        ShiftSlot.ends_at > at,
        or_(ShiftSlot.cancelled_at.is_(None), ShiftSlot.cancelled_at > at),
    )
    found: dict[UUID, list[ShiftSlot]] = {}
    for slot in await session.scalars(query.order_by(ShiftSlot.starts_at, ShiftSlot.id)):
        if slot.unit_id is not None:
            found.setdefault(slot.unit_id, []).append(slot)
    return found


async def placements_in(
    session: AsyncSession, slot_ids: Collection[UUID], at: dt.datetime | None = None
) -> dict[UUID, list[Placement]]:
    """Who is placed in slots now, or was at a moment."""
    found: dict[UUID, list[Placement]] = {slot_id: [] for slot_id in slot_ids}
    query = select(Placement).where(Placement.slot_id.in_(slot_ids))
    if at is None:
        query = query.where(Placement.removed_at.is_(None))
    else:
        query = query.where(Placement.placed_at <= at, or_(Placement.removed_at.is_(None), Placement.removed_at > at))
    query = query.order_by(Placement.placed_at, Placement.id).execution_options(populate_existing=True)
    for placement in await session.scalars(query):
        found[placement.slot_id].append(placement)
    return found


async def slot_for(
    session: AsyncSession, member_id: UUID, at: dt.datetime, *, early: dt.timedelta
) -> tuple[ShiftSlot, Placement] | None:
    """The slot that somebody comes for at a moment: the one that runs, or that begins within `early`."""
    query = (
        select(ShiftSlot, Placement)
        .join(Placement, Placement.slot_id == ShiftSlot.id)
        .where(
            Placement.member_id == member_id,
            Placement.removed_at.is_(None),
            ShiftSlot.cancelled_at.is_(None),
            ShiftSlot.starts_at <= at + early,
            ShiftSlot.ends_at > at,
        )
        .order_by(ShiftSlot.starts_at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be placed, and what speaks against it. `refusal`: no reason passes it."""

    member: Member
    troubles: tuple[Trouble, ...]
    refusal: Refusal | None


async def candidates(session: AsyncSession, actor: Actor, slot_id: UUID, *, role: str) -> Sequence[Candidate]:
    """Who could take a seat in a slot: those of the role first, and of them those whom nothing speaks against."""
    require(actor, Permission.SHIFT_MANAGE)
    slot, rules = await _access_slot(session, slot_id), await rules_at(session)
    query = select(Member).where(Member.status != StaffStatus.LEFT).order_by(Member.name, Member.id)
    members = (await session.scalars(query)).all()
    ids = [member.id for member in members]
    others, held = await shifts_around(session, ids, slot), await credentials_of(session, ids)
    found = []
    for member in members:
        try:
            troubles = troubles_of(member, slot, role, others=others[member.id], held=held[member.id], rules=rules)
            found.append(Candidate(member, tuple(troubles), None))
        except Refusal as refusal:
            found.append(Candidate(member, (), refusal))
    return sorted(found, key=lambda one: (one.member.role != role, one.refusal is not None, len(one.troubles)))


async def swaps(session: AsyncSession, actor: Actor, *, open_only: bool = False) -> Sequence[tuple[Swap, ShiftSlot]]:
    """Swaps with their slots, newest first: all for who runs the shifts, else one's own and what is offered."""
    query = (
        select(Swap, ShiftSlot)
        .join(Placement, Placement.id == Swap.placement_id)
        .join(ShiftSlot, ShiftSlot.id == Placement.slot_id)
        .order_by(Swap.asked_at.desc(), Swap.id)
        .limit(300)
    )
    if open_only:
        query = query.where(Swap.state.in_(SWAP_MOVES))
    if not actor.may(Permission.SHIFT_MANAGE):
        own = await member_of(session, actor)
        if own is None:
            raise NotAllowed(permission=Permission.SHIFT_MANAGE.value)
        offered = (Swap.to_id.is_(None)) & (Swap.state == W.ASKED)
        query = query.where(or_(Swap.from_id == own.id, Swap.to_id == own.id, offered))
    return [(swap, slot) for swap, slot in await session.execute(query)]


async def own_slots(session: AsyncSession, actor: Actor, member_id: UUID) -> Sequence[tuple[ShiftSlot, Placement]]:
    """Somebody's slots from a week ago on: for who runs the shifts, and for oneself."""
    await access_member(session, actor, member_id)
    query = (
        select(ShiftSlot, Placement)
        .join(Placement, Placement.slot_id == ShiftSlot.id)
        .where(Placement.member_id == member_id, Placement.removed_at.is_(None), ShiftSlot.ends_at > now() - WEEK)
        .order_by(ShiftSlot.starts_at)
        .limit(200)
    )
    return [(slot, placement) for slot, placement in await session.execute(query)]
