"""Scenes of personnel: staff, shifts, swaps, attendance, on call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import VIGIA, Actor
from realtime.database import new_id, now
from resources.attendance import (
    clock,
    correct_end,
    end_forgotten,
    end_point,
    make_point,
    mark_in,
    mark_out,
    renew_point,
    stay_on,
)
from resources.crews import set_crew_minimums
from resources.on_call import OnCallDuty, put_on_call, take_off_call
from resources.shifts import (
    Seat,
    ShiftTemplate,
    Swap,
    accept_swap,
    add_slot,
    amend_template,
    approve_swap,
    ask_swap,
    cancel_slot,
    draw_template,
    end_template,
    generate_slots,
    place_member,
    reject_swap,
    remove_placement,
    withdraw_swap,
)
from resources.staff import (
    DEFAULT_RULES,
    StaffRow,
    StaffStatus,
    add_credential,
    add_member,
    amend_member,
    import_staff,
    set_pin,
    set_rules,
    set_standing,
    withdraw_credential,
)
from tests.builders import City
from tests.scenes import scene
from tests.staff.people import DAY, HERE, HOUR, a_licence, a_member, a_placement, a_slot, a_stint, boss

Act = Callable[[], Awaitable[Any]]


@scene(add_member)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: a_member(session, city)


@scene(amend_member)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ana = await a_member(session, city)
    return lambda: amend_member(session, boss(city), ana.id, phone="0")


@scene(set_standing)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ana = await a_member(session, city)
    return lambda: set_standing(session, boss(city), ana.id, status=StaffStatus.LEAVE)


@scene(add_credential)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ana = await a_member(session, city)
    return lambda: a_licence(session, ana)


@scene(withdraw_credential)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    licence = await a_licence(session, await a_member(session, city))
    return lambda: withdraw_credential(session, boss(city), licence.id, reason="inhabilitada")


@scene(set_pin)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ana = await a_member(session, city)
    return lambda: set_pin(session, boss(city), ana.id, pin="2580")


@scene(set_rules)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: set_rules(session, boss(city), DEFAULT_RULES)


@scene(import_staff)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    rows = {2: StaffRow("L77", "Eva Paz", "chofer")}
    return lambda: import_staff(session, boss(city), rows, organization_id=city.organizations["municipality"])


async def _a_template(session: AsyncSession, city: City) -> ShiftTemplate:
    return await draw_template(
        session,
        boss(city),
        new_id(),
        name="Mañana",
        weekdays=range(1, 8),
        starts=dt.time(6),
        minutes=480,
        seats=[Seat("chofer", 1, 1)],
        unit_id=city.units["M1"],
    )


@scene(draw_template)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: _a_template(session, city)


@scene(amend_template)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    template = await _a_template(session, city)
    return lambda: amend_template(session, boss(city), template.id, minutes=500)


@scene(end_template)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    template = await _a_template(session, city)
    return lambda: end_template(session, boss(city), template.id)


@scene(generate_slots)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await _a_template(session, city)
    day = (now() + DAY).date()
    return lambda: generate_slots(session, boss(city), first=day, last=day, timezone=HERE)


@scene(add_slot)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    starts, seats = now() + HOUR, [Seat("agente", 1, 4)]
    return lambda: add_slot(
        session, boss(city), new_id(), name="Clásico", starts_at=starts, ends_at=starts + HOUR, seats=seats, place="X"
    )


@scene(cancel_slot)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    slot = await a_slot(session, city.units["M1"], now(), now() + HOUR)
    return lambda: cancel_slot(session, boss(city), slot.id)


@scene(place_member)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    slot, ana = await a_slot(session, city.units["M1"], now(), now() + HOUR), await a_member(session, city)
    return lambda: place_member(session, boss(city), new_id(), slot_id=slot.id, member_id=ana.id)


@scene(remove_placement)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    slot = await a_slot(session, city.units["M1"], now(), now() + HOUR)
    placement = await a_placement(session, slot, await a_member(session, city))
    return lambda: remove_placement(session, boss(city), placement.id)


async def _a_swap(session: AsyncSession, city: City, *, taken: bool = False) -> Swap:
    slot = await a_slot(session, city.units["M1"], now() + HOUR, now() + 9 * HOUR)
    placement = await a_placement(session, slot, await a_member(session, city))
    swap = await ask_swap(session, boss(city), new_id(), placement_id=placement.id)
    if taken:
        await accept_swap(session, boss(city), swap.id, member_id=(await a_member(session, city)).id)
    return swap


@scene(ask_swap)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: _a_swap(session, city)


@scene(accept_swap)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    swap, eva = await _a_swap(session, city), await a_member(session, city)
    return lambda: accept_swap(session, boss(city), swap.id, member_id=eva.id)


@scene(approve_swap)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    swap = await _a_swap(session, city, taken=True)
    return lambda: approve_swap(session, boss(city), swap.id)


@scene(reject_swap)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    swap = await _a_swap(session, city, taken=True)
    return lambda: reject_swap(session, boss(city), swap.id, reason="no alcanza")


@scene(withdraw_swap)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    swap = await _a_swap(session, city)
    return lambda: withdraw_swap(session, boss(city), swap.id)


@scene(set_crew_minimums)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: set_crew_minimums(session, boss(city), city.units["M1"], minimums={"chofer": 1})


@scene(make_point)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: make_point(session, boss(city), new_id(), unit_id=city.units["M1"])


@scene(renew_point)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    point = await make_point(session, boss(city), new_id(), unit_id=city.units["M1"])
    return lambda: renew_point(session, boss(city), point.id)


@scene(end_point)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    point = await make_point(session, boss(city), new_id(), place="Base")
    return lambda: end_point(session, boss(city), point.id)


@scene(clock, "into another unit")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ana = await a_member(session, city)
    await a_stint(session, ana, city.units["M2"], now() - HOUR)
    point = await make_point(session, boss(city), new_id(), unit_id=city.units["M1"])
    return lambda: clock(session, ana.id, point, key=new_id())


@scene(mark_in)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ana = await a_member(session, city)
    return lambda: mark_in(session, actor, new_id(), member_id=ana.id, unit_id=city.units["M1"], reason="sin teléfono")


@scene(mark_out)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ana = await a_member(session, city)
    await a_stint(session, ana, city.units["M1"], now() - HOUR)
    return lambda: mark_out(session, actor, ana.id, reason="se fue antes")


@scene(stay_on)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ana = await a_member(session, city)
    await a_stint(session, ana, city.units["M1"], now() - HOUR)
    return lambda: stay_on(session, actor, ana.id, until=now() + 14 * HOUR, reason="tormenta")


@scene(correct_end)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    stint = await a_stint(session, await a_member(session, city), city.units["M1"], now() - 3 * HOUR, now() - HOUR)
    return lambda: correct_end(session, boss(city), stint.id, ended_at=now() - 2 * HOUR, reason="se olvidó")


@scene(end_forgotten)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await a_stint(session, await a_member(session, city), city.units["M1"], now() - 9 * HOUR, due=now() - HOUR)
    return lambda: end_forgotten(session)


async def _a_duty(session: AsyncSession, city: City) -> OnCallDuty:
    ana = await a_member(session, city, role="autoridad")
    return await put_on_call(
        session,
        VIGIA,
        new_id(),
        member_id=ana.id,
        title="Secretaria",
        rank=1,
        starts_at=now() - HOUR,
        ends_at=now() + DAY,
    )


@scene(put_on_call)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: _a_duty(session, city)


@scene(take_off_call)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    duty = await _a_duty(session, city)
    return lambda: take_off_call(session, boss(city), duty.id)
