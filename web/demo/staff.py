"""The demo's staff: invented people, three shifts a day on eight patrols, and four authorities on call.

Four people take turns at each seat, eight hours on and a day off, so nobody works more than 42 hours a week. Two things
are wrong on purpose: M17 has nobody beside the driver, and the licences of M18's drivers have run out.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import VIGIA
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.registers import Register, turn_page
from resources import people
from resources.attendance import How, Stint, make_point
from resources.on_call import OnCallDuty
from resources.shifts import Placement, Seat, ShiftSlot, ShiftTemplate, draw_template, generate_slots
from resources.staff import DEFAULT_RULES, Credential, Member, StaffStatus, rules_at, set_rules
from web.demo.fleet import MUNICIPALITY
from web.demo.names import FIRST_NAMES, LAST_NAMES

PIN = "2580"  # everybody's in the demo; file numbers begin with D101
CLOCK = ZoneInfo("America/Argentina/Buenos_Aires")
TURN = dt.timedelta(hours=8)
SHIFTS = (("Mañana", dt.time(6)), ("Tarde", dt.time(14)), ("Noche", dt.time(22)))
PATROLS = tuple(f"M1{number}" for number in range(1, 9))
SHORT, EXPIRED = "M17", "M18"
CREW = ("chofer", "agente")
IN_TURN = 4  # people for each seat
AHEAD = 8  # days that are planned whenever the demo is prepared
BEFORE = 3  # days of attendance that there are from the start
AUTHORITIES = (
    "Secretaria de Gobierno",
    "Subsecretario de Protección Civil",
    "Director de Guardia Urbana",
    "Intendencia",
)


class IdOf(Protocol):
    """The id of a thing of the demo, from its name."""

    def __call__(self, kind: str, name: str) -> UUID:
        """Always the same."""


@dataclass(frozen=True, slots=True)
class Seats:
    """A seat of a unit, and the people who take turns at it."""

    unit: str
    role: str
    members: tuple[UUID, ...]

    def turn(self, at: dt.datetime) -> UUID:
        """Whose turn it is in the shift that begins at an instant."""
        return self.members[int(at.timestamp() // TURN.total_seconds()) % len(self.members)]


def seats_of(id_of: IdOf) -> list[Seats]:
    """Every seat that is filled: the one beside M17's driver is not."""
    return [
        Seats(unit, role, tuple(id_of("member", f"{unit} {role} {turn}") for turn in range(IN_TURN)))
        for unit in PATROLS
        for role in CREW
        if (unit, role) != (SHORT, "agente")
    ]


async def staff_the_city(sessions: Sessions, id_of: IdOf) -> None:
    """Hire, plan and clock in whoever is not yet: a second run only fills gaps, and plans the days that have come."""
    seats = seats_of(id_of)
    async with reading(sessions) as session:
        hired = await session.get(Member, seats[0].members[0]) is not None
    if not hired:
        pin_hash = await people.digest(PIN)
        async with transaction(sessions) as session:
            await _hire(session, seats, id_of, pin_hash)
    async with transaction(sessions) as session:
        await _plan(session, seats, id_of, first_time=not hired)
        await _put_on_call(session, id_of)


async def _hire(session: AsyncSession, seats: Sequence[Seats], id_of: IdOf, pin_hash: str) -> None:
    chance, at = random.Random(60), now()
    if (await rules_at(session)).number == 0:
        roles = [replace(one, credentials=("licencia",) if one.code == "chofer" else ()) for one in DEFAULT_RULES.roles]
        await set_rules(session, VIGIA, replace(DEFAULT_RULES, roles=tuple(roles)))
    jobs = [(member_id, seat.role, seat.unit) for seat in seats for member_id in seat.members]
    jobs += [(id_of("member", title), "autoridad", "") for title in AUTHORITIES]
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    papers: list[dict[str, Any]] = []
    for number, ((member_id, role, unit), name) in enumerate(
        zip(jobs, chance.sample(names, len(jobs)), strict=True), start=101
    ):
        session.add(
            Member(
                id=member_id,
                file_number=f"D{number}",
                name=name,
                role=role,
                organization_id=id_of("organization", MUNICIPALITY),
                phone=f"(demo) {number:04}",
                notes="",
                pin_hash=pin_hash,
                status=StaffStatus.ACTIVE,
                status_since=at,
                added_at=at,
                version=1,
            )
        )
        if role == "chofer":
            left = -chance.randint(2, 20) if unit == EXPIRED else chance.choice([12, 200, 400, 700, 1100])
            papers.append(_paper(member_id, "licencia", at, left))
        elif role == "agente" and chance.random() < 0.5:
            papers.append(_paper(member_id, "rcp", at, chance.choice([20, 90, 300])))
    await session.flush()
    await session.execute(insert(Credential), papers)
    ids = [str(member_id) for member_id, _, _ in jobs]
    await turn_page(session, VIGIA, Register.STAFF, "staff.imported", detail={"member_ids": ids})
    for unit in PATROLS:
        await make_point(session, VIGIA, id_of("clock", unit), unit_id=id_of("unit", unit))
        for name, starts in SHIFTS:
            await draw_template(
                session,
                VIGIA,
                id_of("shift", f"{unit} {name}"),
                name=name,
                weekdays=range(1, 8),
                starts=starts,
                minutes=int(TURN.total_seconds() // 60),
                seats=[Seat(role, 1, 1) for role in CREW],
                unit_id=id_of("unit", unit),
            )


def _paper(member_id: UUID, kind: str, at: dt.datetime, days_left: int) -> dict[str, Any]:
    midnight = dt.datetime.combine(at.astimezone(CLOCK).date(), dt.time(), CLOCK)
    until = midnight + dt.timedelta(days=days_left + 1)
    began = until - dt.timedelta(days=5 * 365)
    return {
        "id": new_id(),
        "member_id": member_id,
        "kind": kind,
        "number": "",
        "valid_from": began,
        "valid_until": until,
        "added_at": at,
        "withdrawn_for": "",
    }


async def _plan(session: AsyncSession, seats: Sequence[Seats], id_of: IdOf, *, first_time: bool) -> None:
    at, day = now(), dt.timedelta(days=1)
    today = at.astimezone(CLOCK).date()
    ours = [id_of("shift", f"{unit} {name}") for unit in PATROLS for name, _ in SHIFTS]
    known = set(await session.scalars(select(ShiftTemplate.id).where(ShiftTemplate.id.in_(ours))))
    await generate_slots(
        session, VIGIA, first=today - day, last=today + AHEAD * day, timezone=CLOCK, template_ids=known
    )
    by_unit: dict[UUID, list[Seats]] = {}
    for seat in seats:
        by_unit.setdefault(id_of("unit", seat.unit), []).append(seat)
    empty = select(ShiftSlot).where(
        ShiftSlot.template_id.in_(ours),
        ShiftSlot.ends_at > at,
        ~select(Placement.id).where(Placement.slot_id == ShiftSlot.id).exists(),
    )
    placements, stints = [], []
    for slot in await session.scalars(empty):
        for seat in by_unit.get(slot.unit_id, ()) if slot.unit_id else ():
            placements.append(_placement(slot, seat, at))
            if slot.starts_at <= at:
                stints.append(_stint(seat, id_of, slot.starts_at, slot.ends_at, slot.id))
    if placements:
        await session.execute(insert(Placement), placements)
    there = set(await session.scalars(select(Stint.member_id).where(Stint.ended_at.is_(None))))
    fresh = [stint for stint in stints if stint["member_id"] not in there]
    if first_time and stints:
        begun = min(stint["due_at"] for stint in stints) - TURN
        fresh += [
            _stint(seat, id_of, begun - turn * TURN, begun - (turn - 1) * TURN, None)
            for turn in range(1, BEFORE * 3 + 1)
            for seat in seats
        ]
    if fresh:
        await session.execute(insert(Stint), fresh)
    if placements or fresh:
        await turn_page(session, VIGIA, Register.SHIFTS, "shift.generated", detail={"placed": len(placements)})


def _placement(slot: ShiftSlot, seat: Seats, at: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "slot_id": slot.id,
        "member_id": seat.turn(slot.starts_at),
        "role": seat.role,
        "reason": "",
        "placed_at": min(at, slot.starts_at),
        "placed_by": VIGIA.name,
        "removed_for": "",
    }


def _stint(seat: Seats, id_of: IdOf, starts: dt.datetime, due: dt.datetime, slot_id: UUID | None) -> dict[str, Any]:
    """Somebody's presence in a shift; those of shifts that are over ended with them."""
    over = slot_id is None
    return {
        "id": new_id(),
        "member_id": seat.turn(starts),
        "unit_id": id_of("unit", seat.unit),
        "place": "",
        "role": seat.role,
        "slot_id": slot_id,
        "started_at": starts,
        "started_how": How.QR,
        "due_at": due,
        "ends_by": due + DEFAULT_RULES.grace,
        "ended_at": due if over else None,
        "ended_how": How.QR if over else None,
        "marked_by": "",
        "reason": "",
    }


async def _put_on_call(session: AsyncSession, id_of: IdOf) -> None:
    """Four authorities for the two weeks to come; the first of them changes in between."""
    at = now()
    soon = select(OnCallDuty.id).where(OnCallDuty.starts_at <= at, OnCallDuty.ends_at > at + dt.timedelta(days=1))
    if await session.scalar(soon):
        return
    half, whole = at + dt.timedelta(days=7), at + dt.timedelta(days=14)
    times = [(1, 0, at, half), (2, 1, at, half), (1, 1, half, whole), (2, 0, half, whole)]
    times += [(3, 2, at, whole), (4, 3, at, whole)]
    for rank, which, starts, ends in times:
        title = AUTHORITIES[which]
        session.add(
            OnCallDuty(
                id=new_id(),
                member_id=id_of("member", title),
                title=title,
                rank=rank,
                starts_at=starts,
                ends_at=ends,
                taken_off_for="",
                made_by=VIGIA.name,
                made_at=at,
            )
        )
    await turn_page(session, VIGIA, Register.ON_CALL, "on_call.put", detail={"duties": len(times)})
