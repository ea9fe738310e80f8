"""Shifts and swaps over HTTP. Times of templates are the city's clock; everything else is instants."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from realtime.access import Permission
from realtime.database import now
from realtime.errors import Refusal
from resources.crews import CrewMember, call_signs, crew_minimums, on_duty, set_crew_minimums
from resources.shifts import (
    Placement,
    PlanTooLong,
    Seat,
    ShiftSlot,
    ShiftTemplate,
    Swap,
    accept_swap,
    add_slot,
    all_templates,
    amend_template,
    approve_swap,
    ask_swap,
    cancel_slot,
    candidates,
    draw_template,
    end_template,
    generate_slots,
    place_member,
    placements_in,
    reject_swap,
    remove_placement,
    seats_of,
    slots_between,
    swaps,
    withdraw_swap,
)
from resources.staff import Seen, members_by_id, require_sight
from web.bodies import Body, Code, Name, NewId, Short, When
from web.city_days import Day, begins, clock_of, ends
from web.context import CurrentActor, Expected, Machines, OnceOnly, Session

router = APIRouter(tags=["shifts"])


class SeatBody(Body):
    """How many of a role."""

    role: Code
    min: Annotated[int, Field(strict=True, ge=0, le=50)]
    max: Annotated[int, Field(strict=True, ge=1, le=50)]


Seats = Annotated[tuple[SeatBody, ...], Field(min_length=1, max_length=20)]
Weekdays = Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=7)], ...], Field(min_length=1, max_length=7)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Minutes = Annotated[int, Field(strict=True, ge=15, le=1440)]


class TemplateBody(Body):
    """A shift that comes again: of a unit or at a place, on weekdays 1 (Monday) … 7, at a time of the city's clock."""

    id: NewId
    name: Name
    unit_id: UUID | None = None
    place: Short = ""
    weekdays: Weekdays
    starts: Clock
    minutes: Minutes
    seats: Seats


class AmendBody(Body):
    """What is to change; the rest stays."""

    name: Name | None = None
    weekdays: Weekdays | None = None
    starts: Clock | None = None
    minutes: Minutes | None = None
    seats: Seats | None = None


class PlanBody(Body):
    """Which days are planned, both included, and of which templates; of all unless said."""

    first: Day
    last: Day
    template_ids: Annotated[tuple[UUID, ...], Field(max_length=500)] | None = None


class SlotBody(Body):
    """A shift that comes once."""

    id: NewId
    name: Name
    unit_id: UUID | None = None
    place: Short = ""
    starts_at: When
    ends_at: When
    seats: Seats


class PlacementBody(Body):
    """Who, in which role (their own unless said); a reason where the rules are against it."""

    id: NewId
    member_id: UUID
    role: Code | None = None
    reason: Short = ""


class WhyBody(Body):
    """Why, if there is something to say."""

    reason: Short = ""


class SwapBody(Body):
    """The placement that is offered, and to whom; to whoever takes it unless said."""

    id: NewId
    placement_id: UUID
    to_id: UUID | None = None
    reason: Short = ""


class TakerBody(Body):
    """Who takes it; whoever asks unless said."""

    member_id: UUID | None = None


class MinimumsBody(Body):
    """How many of each role a unit needs where no shift says it."""

    minimums: Annotated[dict[Code, Annotated[int, Field(strict=True, ge=1, le=50)]], Field(max_length=20)]


# ── Templates ─────────────────────────────────────────────────────────────────────────────────────


@router.get("/shift-templates")
async def get_templates(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The shifts that come again."""
    found = await all_templates(session, actor)
    signs = await call_signs(session, [one.unit_id for one in found])
    return {"templates": [_template(one) | {"where": signs.get(one.unit_id, one.place)} for one in found]}


@router.post("/shift-templates", status_code=201)
async def post_template(body: TemplateBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Draw one."""

    async def do() -> dict[str, Any]:
        template = await draw_template(
            session,
            actor,
            body.id,
            name=body.name,
            weekdays=body.weekdays,
            starts=dt.time.fromisoformat(body.starts),
            minutes=body.minutes,
            seats=_seats(body.seats),
            unit_id=body.unit_id,
            place=body.place,
        )
        return _template(template)

    return await once(body.id, do)


@router.post("/shift-templates/{template_id}")
async def post_amend(
    template_id: UUID, body: AmendBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Change one: slots to come in which nobody is placed go, and are planned anew."""
    template = await amend_template(
        session,
        actor,
        template_id,
        name=body.name,
        weekdays=body.weekdays,
        starts=dt.time.fromisoformat(body.starts) if body.starts else None,
        minutes=body.minutes,
        seats=_seats(body.seats) if body.seats else None,
        expected=expected,
    )
    return _template(template)


@router.post("/shift-templates/{template_id}/end")
async def post_end(template_id: UUID, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """It comes no more."""
    return _template(await end_template(session, actor, template_id, expected=expected))


def _seats(bodies: tuple[SeatBody, ...]) -> list[Seat]:
    return [Seat(one.role, one.min, one.max) for one in bodies]


def _template(template: ShiftTemplate) -> dict[str, Any]:
    return {
        "id": str(template.id),
        "version": template.version,
        "name": template.name,
        "unit_id": str(template.unit_id) if template.unit_id else None,
        "place": template.place,
        "weekdays": template.weekdays,
        "starts": template.starts.isoformat("minutes"),
        "minutes": template.minutes,
        "seats": template.seats,
    }


# ── Slots and placements ──────────────────────────────────────────────────────────────────────────


@router.get("/shifts")
async def get_shifts(
    session: Session, actor: CurrentActor, machines: Machines, first: Day, last: Day
) -> dict[str, Any]:
    """The shifts of some days, both included, with who is in them. A crew sees its own unit's."""
    clock = clock_of(machines)
    if last < first:
        raise PlanTooLong
    since, until = begins(first, clock), ends(last, clock)
    slots = await slots_between(session, actor, since, until)
    placed = await placements_in(session, [slot.id for slot in slots])
    names = await members_by_id(session, {one.member_id for some in placed.values() for one in some})
    signs = await call_signs(session, [slot.unit_id for slot in slots])
    told = actor.may(Permission.SHIFT_MANAGE)  # why the rules were passed may be personal
    called = {member_id: member.name for member_id, member in names.items()}
    shown = [
        _slot(slot, placed[slot.id], called, reasons=told) | {"where": signs.get(slot.unit_id, slot.place)}
        for slot in slots
    ]
    return {"since": since, "until": until, "at": now(), "slots": shown}


@router.get("/shifts/now")
async def get_now(session: Session, actor: CurrentActor, at: When | None = None) -> dict[str, Any]:
    """Who is on duty now, or was at a moment: units with people, what is asked of them and what they lack."""
    moment = at or now()
    duty = await on_duty(session, actor, moment)
    return {
        "at": moment,
        "units": [
            {
                "unit_id": str(one.unit.id),
                "call_sign": one.unit.call_sign,
                "people": [_person(person) for person in one.people],
                "needs": [
                    seat.shown() | {"have": sum(1 for person in one.people if person.role == seat.role)}
                    for seat in one.seats
                ],
                "until": max((slot.ends_at for slot in one.slots), default=None),
                "gaps": [gap.shown() for gap in one.gaps],
            }
            for one in duty.units
        ],
        "places": [{"place": one.place, "people": [_person(person) for person in one.people]} for one in duty.places],
        "absent": [
            {
                "slot_id": str(slot.id),
                "unit_id": str(slot.unit_id) if slot.unit_id else None,
                "place": slot.place,
                "member_id": str(placement.member_id),
                "name": name,
                "role": placement.role,
                "since": slot.starts_at,
            }
            for slot, placement, name in duty.absent
        ],
    }


@router.post("/shifts", status_code=201)
async def post_slot(body: SlotBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """A shift that comes once."""

    async def do() -> dict[str, Any]:
        slot = await add_slot(
            session,
            actor,
            body.id,
            name=body.name,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
            seats=_seats(body.seats),
            unit_id=body.unit_id,
            place=body.place,
        )
        return _slot(slot, [], {})

    return await once(body.id, do)


@router.post("/shifts/generate")
async def post_plan(body: PlanBody, session: Session, actor: CurrentActor, machines: Machines) -> dict[str, Any]:
    """Make the shifts of some days out of the templates. Again, it makes none twice."""
    made = await generate_slots(
        session,
        actor,
        first=body.first,
        last=body.last,
        timezone=clock_of(machines),
        template_ids=body.template_ids,
    )
    return {"made": made}


@router.post("/shifts/{slot_id}/cancel")
async def post_cancel(slot_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """It does not take place."""
    return _slot(await cancel_slot(session, actor, slot_id), [], {})


@router.get("/shifts/{slot_id}/candidates")
async def get_candidates(
    slot_id: UUID, session: Session, actor: CurrentActor, role: Annotated[str, Query(max_length=40)]
) -> dict[str, Any]:
    """Who could be placed, and what speaks against each: those of the role first. `troubles` pass with a reason."""
    found = await candidates(session, actor, slot_id, role=role)
    return {
        "candidates": [
            {
                "member_id": str(one.member.id),
                "name": one.member.name,
                "role": one.member.role,
                "troubles": [trouble.shown() for trouble in one.troubles],
                "refusal": _refusal(one.refusal),
            }
            for one in found
        ]
    }


def _refusal(refusal: Refusal | None) -> dict[str, Any] | None:
    return None if refusal is None else {"code": refusal.code, **refusal.facts}


@router.post("/shifts/{slot_id}/placements", status_code=201)
async def post_placement(
    slot_id: UUID, body: PlacementBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Put somebody in a shift."""

    async def do() -> dict[str, Any]:
        placement = await place_member(
            session,
            actor,
            body.id,
            slot_id=slot_id,
            member_id=body.member_id,
            role=body.role,
            reason=body.reason,
        )
        return _placement(placement)

    return await once(body.id, do)


@router.post("/placements/{placement_id}/remove")
async def post_remove(placement_id: UUID, body: WhyBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Take somebody out of a shift."""
    return _placement(await remove_placement(session, actor, placement_id, reason=body.reason))


def _slot(
    slot: ShiftSlot, placements: list[Placement], names: dict[UUID, str], *, reasons: bool = True
) -> dict[str, Any]:
    return {
        "id": str(slot.id),
        "template_id": str(slot.template_id) if slot.template_id else None,
        "name": slot.name,
        "unit_id": str(slot.unit_id) if slot.unit_id else None,
        "place": slot.place,
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "cancelled": slot.cancelled_at is not None,
        "seats": [
            seat.shown() | {"have": sum(1 for one in placements if one.role == seat.role)}
            for seat in seats_of(slot.seats)
        ],
        "people": [
            _placement(one) | {"name": names.get(one.member_id, "")} | ({} if reasons else {"reason": ""})
            for one in placements
        ],
    }


def _placement(placement: Placement) -> dict[str, Any]:
    return {
        "id": str(placement.id),
        "slot_id": str(placement.slot_id),
        "member_id": str(placement.member_id),
        "role": placement.role,
        "excused": bool(placement.reason),
        "reason": placement.reason,
        "removed": placement.removed_at is not None,
    }


def _person(person: CrewMember) -> dict[str, Any]:
    return {
        "member_id": str(person.member_id),
        "name": person.name,
        "role": person.role,
        "since": person.since,
        "due_at": person.due_at,
        "excused": person.excused,
    }


# ── Minimums ──────────────────────────────────────────────────────────────────────────────────────


@router.get("/crew-minimums")
async def get_minimums(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Each unit's own minimum crew."""
    require_sight(actor, Seen.NAMES)
    found = await crew_minimums(session)
    return {"units": {str(unit_id): minimums for unit_id, minimums in found.items()}}


@router.post("/units/{unit_id}/crew-minimums")
async def post_minimums(unit_id: UUID, body: MinimumsBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """A unit's own minimum crew, by role; what is not named is no longer asked for."""
    await set_crew_minimums(session, actor, unit_id, minimums=body.minimums)
    return {"unit_id": unit_id, "minimums": body.minimums}


# ── Swaps ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/swaps")
async def get_swaps(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Swaps, newest first: all for who runs the shifts, else one's own and what is offered to all."""
    found = await swaps(session, actor)
    ids = {one for swap, _ in found for one in (swap.from_id, swap.to_id) if one}
    names = {member.id: member.name for member in (await members_by_id(session, ids)).values()}
    signs = await call_signs(session, [slot.unit_id for _, slot in found])
    return {
        "swaps": [_swap(swap, slot, names) | {"where": signs.get(slot.unit_id, slot.place)} for swap, slot in found]
    }


@router.post("/swaps", status_code=201)
async def post_swap(body: SwapBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Offer one's shift."""

    async def do() -> dict[str, Any]:
        swap = await ask_swap(
            session, actor, body.id, placement_id=body.placement_id, to_id=body.to_id, reason=body.reason
        )
        return _swap(swap)

    return await once(body.id, do)


@router.post("/swaps/{swap_id}/accept")
async def post_accept(swap_id: UUID, body: TakerBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Take it; it still has to be approved."""
    return _swap(await accept_swap(session, actor, swap_id, member_id=body.member_id))


@router.post("/swaps/{swap_id}/approve")
async def post_approve(swap_id: UUID, body: WhyBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Let them: everything is looked at again."""
    return _swap(await approve_swap(session, actor, swap_id, reason=body.reason))


@router.post("/swaps/{swap_id}/reject")
async def post_reject(swap_id: UUID, body: WhyBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Not this one."""
    return _swap(await reject_swap(session, actor, swap_id, reason=body.reason))


@router.post("/swaps/{swap_id}/withdraw")
async def post_withdraw(swap_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Keep it after all."""
    return _swap(await withdraw_swap(session, actor, swap_id))


def _swap(swap: Swap, slot: ShiftSlot | None = None, names: dict[UUID, str] | None = None) -> dict[str, Any]:
    names = names or {}
    shown: dict[str, Any] = {
        "id": str(swap.id),
        "placement_id": str(swap.placement_id),
        "from": {"id": str(swap.from_id), "name": names.get(swap.from_id, "")},
        "to": {"id": str(swap.to_id), "name": names.get(swap.to_id, "")} if swap.to_id else None,
        "state": swap.state,
        "reason": swap.reason,
        "asked_at": swap.asked_at.isoformat(),
        "decided_at": swap.decided_at.isoformat() if swap.decided_at else None,
        "decided_by": swap.decided_by,
        "decided_for": swap.decided_for,
    }
    if slot is not None:
        shown["slot"] = {
            "id": str(slot.id),
            "name": slot.name,
            "unit_id": str(slot.unit_id) if slot.unit_id else None,
            "place": slot.place,
            "starts_at": slot.starts_at.isoformat(),
            "ends_at": slot.ends_at.isoformat(),
        }
    return shown
