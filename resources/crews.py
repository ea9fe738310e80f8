"""Crews: who is on a unit at a moment, and what that crew lacks.

Everything is read from what was written down for the moment that is asked for: stints, slots, minimums, credentials and
rules all have their times. A unit of which the city has told nothing has no gaps: nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, new_id, now
from realtime.errors import NotFound
from realtime.registers import Register, turn_page
from resources.attendance import Stint, stints_at, stints_between
from resources.capabilities import capabilities
from resources.gaps import Gap
from resources.shifts import (
    WEEK,
    Placement,
    Seat,
    ShiftSlot,
    Span,
    check_seats,
    overlap,
    placements_in,
    seats_of,
    slots_at,
)
from resources.staff import (
    Credential,
    Seen,
    StaffRules,
    credentials_of,
    members_by_id,
    paper_at,
    require_sight,
    rules_at,
)
from resources.units import Unit

INSTANT = dt.timedelta(microseconds=1)
SAME_SHIFT = dt.timedelta(hours=2)  # a pause shorter than this, in no other slot, is no rest between two shifts


class CrewMinimum(Base):
    """How many of a role a unit needs where no shift says it, and for which time that held."""

    __tablename__ = "unit_crew_minimums"
    __table_args__ = (
        Index("one_crew_minimum_per_role", "unit_id", "role", unique=True, postgresql_where=text("ended_at IS NULL")),
        CheckConstraint("count BETWEEN 1 AND 50", name="count"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    role: Mapped[str] = mapped_column(Text)
    count: Mapped[int]
    since: Mapped[dt.datetime] = mapped_column(default=now)
    ended_at: Mapped[dt.datetime | None]


@dataclass(frozen=True, slots=True)
class CrewMember:
    """Somebody on a unit at a moment. `excused`: somebody placed them knowing what the rules say."""

    member_id: UUID
    name: str
    role: str
    since: dt.datetime
    slot_id: UUID | None = None
    excused: bool = False
    due_at: dt.datetime | None = None


# ── Minimums ──────────────────────────────────────────────────────────────────────────────────────


async def set_crew_minimums(session: AsyncSession, actor: Actor, unit_id: UUID, *, minimums: Mapping[str, int]) -> None:
    """How many of each role a unit needs where no shift says it; none takes the minimum away. Raises `UnknownRole`."""
    require(actor, Permission.SHIFT_MANAGE)
    query = select(Unit).where(Unit.id == unit_id).with_for_update(key_share=True)
    if (await session.scalars(query)).first() is None:
        raise NotFound
    if minimums:
        await check_seats(session, [Seat(role, count, max(count, 1)) for role, count in minimums.items()])
    wanted = {role: count for role, count in minimums.items() if count}
    standing = select(CrewMinimum).where(CrewMinimum.unit_id == unit_id, CrewMinimum.ended_at.is_(None))
    for row in await session.scalars(standing):
        if wanted.get(row.role) == row.count:
            del wanted[row.role]
        else:
            row.ended_at = now()
    await session.flush()
    for role, count in wanted.items():
        session.add(CrewMinimum(id=new_id(), unit_id=unit_id, role=role, count=count, since=now()))
    await turn_page(session, actor, Register.SHIFTS, "shift.crew_minimums", detail={"unit_id": str(unit_id)})


async def crew_minimums(session: AsyncSession, at: dt.datetime | None = None) -> dict[UUID, dict[str, int]]:
    """Each unit's own minimum by role, now or at a moment."""
    at = at or now()
    query = select(CrewMinimum).where(
        CrewMinimum.since <= at, or_(CrewMinimum.ended_at.is_(None), CrewMinimum.ended_at > at)
    )
    found: dict[UUID, dict[str, int]] = {}
    for row in await session.scalars(query.order_by(CrewMinimum.role)):
        found.setdefault(row.unit_id, {})[row.role] = row.count
    return found


# ── Who is there ──────────────────────────────────────────────────────────────────────────────────


async def crew_of(
    session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime
) -> dict[UUID, tuple[CrewMember, ...]]:
    """Who was on each unit at a moment, those who came first first. Units with nobody are not in it."""
    stints = await stints_at(session, at, unit_ids=unit_ids)
    members = await members_by_id(session, {stint.member_id for stint in stints})
    slot_ids = {stint.slot_id for stint in stints if stint.slot_id is not None}
    placed = await placements_in(session, slot_ids, at)
    excused = {(one.slot_id, one.member_id) for some in placed.values() for one in some if one.reason}
    found: dict[UUID, list[CrewMember]] = {}
    for stint in stints:
        if stint.unit_id is not None:
            found.setdefault(stint.unit_id, []).append(
                CrewMember(
                    stint.member_id,
                    members[stint.member_id].name,
                    stint.role,
                    stint.started_at,
                    stint.slot_id,
                    (stint.slot_id, stint.member_id) in excused,
                    stint.due_at,
                )
            )
    return {unit_id: tuple(crew) for unit_id, crew in found.items()}


async def call_signs(session: AsyncSession, unit_ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """What units are called; their names are no secret to anybody who sees a shift."""
    wanted = {unit_id for unit_id in unit_ids if unit_id is not None}
    query = select(Unit.id, Unit.call_sign).where(Unit.id.in_(wanted))
    return {row.id: row.call_sign for row in await session.execute(query)}


# ── What is missing ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Need:
    """What one of a unit's capabilities asks of its crew: so many of a role, perhaps with a credential."""

    capability: str
    role: str
    count: int
    credential: str | None


@dataclass(slots=True)
class Evidence:
    """What is known of some units' crews at a moment; gaps are judged from it alone."""

    at: dt.datetime
    rules: StaffRules
    crews: Mapping[UUID, Sequence[CrewMember]]
    seats: Mapping[UUID, Mapping[str, Seat]]
    stints: Mapping[UUID, Sequence[Stint]]
    credentials: Mapping[UUID, Sequence[Credential]]
    slots: Mapping[UUID, Sequence[ShiftSlot]] = field(default_factory=dict)
    needs: Mapping[UUID, Sequence[Need]] = field(default_factory=dict)


async def evidence_at(session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime) -> Evidence:
    """All that was known of these units' crews at a moment."""
    crews = await crew_of(session, unit_ids, at)
    people = {one.member_id for crew in crews.values() for one in crew}
    rules = await rules_at(session, at)
    slots, own = await slots_at(session, unit_ids, at), await crew_minimums(session, at)
    seats: dict[UUID, dict[str, Seat]] = {}
    for unit_id in unit_ids:
        asked = _asked_by(slots.get(unit_id, ()))
        if not asked:
            asked = {role: Seat(role, count, count) for role, count in own.get(unit_id, {}).items()}
        if asked:
            seats[unit_id] = asked
    stints = await stints_between(session, at - WEEK - rules.rest, at + INSTANT, member_ids=people) if people else {}
    # Where nothing was told of who crews a unit, what it can do asks for nobody either.
    told = {unit_id for unit_id in unit_ids if unit_id in crews or unit_id in seats or unit_id in slots}
    needs = await _needs_of(session, told)
    return Evidence(at, rules, crews, seats, stints, await credentials_of(session, people), slots, needs)


async def _needs_of(session: AsyncSession, unit_ids: Collection[UUID]) -> dict[UUID, list[Need]]:
    """What units' capabilities ask of their crews: as they are now, for they have no history."""
    query = select(Unit.id, Unit.capabilities).where(Unit.id.in_(unit_ids))
    skills = {row.id: row.capabilities for row in await session.execute(query)}
    known = await capabilities(session, {code for codes in skills.values() for code in codes}) if skills else {}
    found: dict[UUID, list[Need]] = {}
    for unit_id, codes in skills.items():
        for code in codes:
            for asked in known[code].crew if code in known else ():
                need = Need(code, asked["role"], asked["count"], asked.get("credential"))
                found.setdefault(unit_id, []).append(need)
    return found


def _asked_by(slots: Sequence[ShiftSlot]) -> dict[str, Seat]:
    """What running shifts ask for; where two overlap, the larger counts: one crew relieves the other."""
    asked: dict[str, Seat] = {}
    for slot in slots:
        for seat in seats_of(slot.seats):
            had = asked.get(seat.role, seat)
            asked[seat.role] = Seat(seat.role, max(seat.least, had.least), max(seat.most, had.most))
    return asked


async def crew_gaps(session: AsyncSession, unit_ids: Collection[UUID], at: dt.datetime) -> Mapping[UUID, Sequence[Gap]]:
    """What each unit's crew lacks at a moment, past or present: `short_crew {role, have, need}`,
    `credential_expired {role, member_id, credential, until}`, `credential_missing {role, member_id, credential}`,
    `resting {role, member_id, hours, least}`, `over_hours {role, member_id, hours, most}`.

    What is wrong with one person blocks only if too few of the role are left without them, and not if whoever placed
    them gave a reason. A unit with neither a shift nor a minimum nor anybody on it has no gaps.
    """
    if not unit_ids:
        return {}
    evidence = await evidence_at(session, unit_ids, at)
    found = {unit_id: gaps_in(evidence, unit_id) for unit_id in unit_ids}
    return {unit_id: gaps for unit_id, gaps in found.items() if gaps}


def gaps_in(evidence: Evidence, unit_id: UUID) -> list[Gap]:
    """What one unit's crew lacks, from what is known."""
    crew, seats = evidence.crews.get(unit_id, ()), evidence.seats.get(unit_id, {})
    gaps: list[Gap] = []
    for role in dict.fromkeys([*seats, *(one.role for one in crew)]):
        there = [one for one in crew if one.role == role]
        need = seats[role].least if role in seats else 0
        if len(there) < need:
            gaps.append(Gap("short_crew", {"role": role, "have": len(there), "need": need}))
        faults = {one.member_id: _faults_of(evidence, one) for one in there}
        fit = sum(1 for one in there if one.excused or not faults[one.member_id])
        too_few = fit < max(need, 1)
        for one in there:
            for code, facts in faults[one.member_id]:
                gaps.append(Gap(code, facts, blocks=too_few and not one.excused))
    for asked in evidence.needs.get(unit_id, ()):
        gaps.extend(_gaps_of_need(evidence, crew, asked))
    return gaps


def _gaps_of_need(evidence: Evidence, crew: Sequence[CrewMember], need: Need) -> list[Gap]:
    """What a capability's need lacks: people of the role, or the credential that they should hold."""
    there = [one for one in crew if one.role == need.role]
    if len(there) < need.count:
        facts = {"role": need.role, "have": len(there), "need": need.count, "capability": need.capability}
        return [Gap("short_crew", facts)]
    if need.credential is None:
        return []
    papers = [
        (one, paper_at(evidence.credentials.get(one.member_id, ()), need.credential, evidence.at)) for one in there
    ]
    wrong = [(one, paper) for one, paper in papers if not paper.valid]
    if len(there) - len(wrong) >= need.count:
        return []
    return [
        Gap(
            "credential_expired" if paper.held else "credential_missing",
            {
                "role": one.role,
                "member_id": str(one.member_id),
                "credential": need.credential,
                "capability": need.capability,
                **({"until": paper.until.isoformat() if paper.until else None} if paper.held else {}),
            },
            blocks=not one.excused,
        )
        for one, paper in wrong
    ]


def _faults_of(evidence: Evidence, one: CrewMember) -> list[tuple[str, dict[str, Any]]]:
    who = {"role": one.role, "member_id": str(one.member_id)}
    found: list[tuple[str, dict[str, Any]]] = []
    role = evidence.rules.role(one.role)
    for kind in role.credentials if role else ():
        paper = paper_at(evidence.credentials.get(one.member_id, ()), kind, evidence.at)
        if not paper.valid and paper.held:
            until = paper.until.isoformat() if paper.until else None
            found.append(("credential_expired", who | {"credential": kind, "until": until}))
        elif not paper.valid:
            found.append(("credential_missing", who | {"credential": kind}))
    stints = evidence.stints.get(one.member_id, ())
    rest = rest_before(stints, evidence.at)
    if rest is not None and rest < evidence.rules.rest:
        found.append(("resting", who | {"hours": _hours(rest), "least": evidence.rules.rest_hours}))
    worked = worked_in_week(stints, evidence.at)
    if worked > evidence.rules.week:
        found.append(("over_hours", who | {"hours": _hours(worked), "most": evidence.rules.week_hours}))
    return found


def rest_before(stints: Sequence[Stint], at: dt.datetime) -> dt.timedelta | None:
    """How long somebody had rested when the shift began that they are in; None when there was none before it.

    Stints of one slot are one shift; without slots, stints with a short pause between them are.
    """
    mine = sorted((one for one in stints if one.started_at <= at), key=lambda one: one.started_at)
    if not mine:
        return None
    shift = mine.pop()
    begins, slot = shift.started_at, shift.slot_id
    while mine:
        before = mine.pop()
        pause = begins - before.end(at)
        same = before.slot_id == slot if slot or before.slot_id else pause < SAME_SHIFT
        if not same:
            return max(pause, dt.timedelta())
        begins = before.started_at
    return None


def worked_in_week(stints: Sequence[Stint], at: dt.datetime) -> dt.timedelta:
    """How long somebody was there in the seven days before a moment."""
    week = Span(at - WEEK, at)
    return sum((overlap(Span(one.started_at, one.end(at)), week) for one in stints), dt.timedelta())


def _hours(span: dt.timedelta) -> float:
    return round(span.total_seconds() / 3600, 1)


# ── Who is on duty ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class UnitOnDuty:
    """One unit at a moment: its people, what is asked of its crew, and what it lacks."""

    unit: Unit
    people: tuple[CrewMember, ...]
    seats: tuple[Seat, ...]
    slots: tuple[ShiftSlot, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class PlaceOnDuty:
    """A place at a moment, and who is there."""

    place: str
    people: tuple[CrewMember, ...]


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who is on duty at a moment, and who should be."""

    units: tuple[UnitOnDuty, ...]
    places: tuple[PlaceOnDuty, ...]
    absent: tuple[tuple[ShiftSlot, Placement, str], ...]  # placed in a running shift and not clocked in, with the name


async def on_duty(session: AsyncSession, actor: Actor, at: dt.datetime) -> OnDuty:
    """Who is on duty at a moment, as far as `actor` sees it: a crew sees its own unit."""
    seen = require_sight(actor, Seen.OWN_UNIT)
    query = select(Unit).where(Unit.retired_at.is_(None)).order_by(Unit.call_sign)
    if seen == Seen.OWN_UNIT:
        query = query.where(Unit.id == actor.unit_id)
    units = {unit.id: unit for unit in await session.scalars(query)}
    evidence = await evidence_at(session, list(units), at)
    told = tuple(
        UnitOnDuty(
            unit,
            tuple(evidence.crews.get(unit_id, ())),
            tuple(evidence.seats.get(unit_id, {}).values()),
            tuple(evidence.slots.get(unit_id, ())),
            tuple(gaps_in(evidence, unit_id)),
        )
        for unit_id, unit in units.items()
        if unit_id in evidence.crews or unit_id in evidence.seats or unit_id in evidence.slots
    )
    if seen == Seen.OWN_UNIT:
        return OnDuty(told, (), ())
    stints = await stints_at(session, at)
    running = select(ShiftSlot).where(
        ShiftSlot.starts_at <= at,
        ShiftSlot.ends_at > at,
        or_(ShiftSlot.cancelled_at.is_(None), ShiftSlot.cancelled_at > at),
    )
    slots = {slot.id: slot for slot in await session.scalars(running)}
    placed = await placements_in(session, list(slots), at)
    here = {stint.member_id for stint in stints}
    missing = [one for some in placed.values() for one in some if one.member_id not in here]
    names = await members_by_id(session, {*here, *(one.member_id for one in missing)})
    places: dict[str, list[CrewMember]] = {}
    for stint in stints:
        if stint.unit_id is None:
            name = names[stint.member_id].name
            one = CrewMember(stint.member_id, name, stint.role, stint.started_at, stint.slot_id, due_at=stint.due_at)
            places.setdefault(stint.place, []).append(one)
    return OnDuty(
        told,
        tuple(PlaceOnDuty(place, tuple(some)) for place, some in sorted(places.items())),
        tuple((slots[one.slot_id], one, names[one.member_id].name) for one in missing),
    )
