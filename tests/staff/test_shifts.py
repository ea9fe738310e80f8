"""Shifts: the clock's changes, nobody in two places, rest and hours, swaps that two approve at once."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import VIGIA
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.errors import IllegalMove, NotAllowed, Refusal
from resources.shifts import (
    WEEK,
    AgainstTheRules,
    AlreadyPlaced,
    BadSeats,
    BadTemplate,
    NotThere,
    Placement,
    PlanTooLong,
    RoleNotInSlot,
    Seat,
    ShiftSlot,
    ShiftTemplate,
    SlotFull,
    SlotHasPeople,
    SlotOver,
    Span,
    Swap,
    accept_swap,
    amend_template,
    approve_swap,
    ask_swap,
    cancel_slot,
    candidates,
    draw_template,
    generate_slots,
    instants,
    most_in_a_week,
    place_member,
    placements_in,
    reject_swap,
    remove_placement,
    rest_troubles,
    withdraw_swap,
)
from resources.staff import DEFAULT_RULES, Member, StaffStatus, set_standing
from tests.builders import City
from tests.staff.people import DAY, HERE, HOUR, a_licence, a_member, a_placement, a_slot, boss, licences_count

NIGHT = dt.time(22)
SANTIAGO = ZoneInfo("America/Santiago")  # its clocks change


async def a_template(
    session: AsyncSession, city: City, *, starts: dt.time = NIGHT, minutes: int = 480, weekdays: tuple[int, ...] = (1,)
) -> ShiftTemplate:
    """A shift of M1 that comes again."""
    return await draw_template(
        session,
        boss(city),
        new_id(),
        name="Noche",
        weekdays=weekdays,
        starts=starts,
        minutes=minutes,
        seats=[Seat("chofer", 1, 1)],
        unit_id=city.units["M1"],
    )


# ── Templates and slots ───────────────────────────────────────────────────────────────────────────


async def test_a_night_shift_is_one_slot_that_ends_the_next_morning(session: AsyncSession, city: City) -> None:
    await a_template(session, city, weekdays=(1, 2, 3, 4, 5, 6, 7))
    day = now().astimezone(HERE).date() + DAY
    assert await generate_slots(session, boss(city), first=day, last=day + 2 * DAY, timezone=HERE) == 3
    slots = (await session.scalars(select(ShiftSlot).order_by(ShiftSlot.starts_at))).all()
    first = slots[0].starts_at.astimezone(HERE), slots[0].ends_at.astimezone(HERE)
    assert first == (dt.datetime.combine(day, NIGHT, HERE), dt.datetime.combine(day + DAY, dt.time(6), HERE))


async def test_planning_again_makes_nothing_twice_and_revives_nothing(session: AsyncSession, city: City) -> None:
    template = await a_template(session, city, weekdays=(1, 2, 3, 4, 5, 6, 7))
    day = now().astimezone(HERE).date() + DAY
    plan = partial(generate_slots, session, boss(city), first=day, last=day + 6 * DAY, timezone=HERE)
    assert await plan() == 7
    assert await plan() == 0
    one = (await session.scalars(select(ShiftSlot).order_by(ShiftSlot.starts_at))).first()
    assert one is not None
    await cancel_slot(session, boss(city), one.id)
    assert await plan() == 0
    assert await plan(template_ids=[new_id()]) == 0
    await amend_template(session, boss(city), template.id, starts=dt.time(23))
    assert await plan() == 7
    live = select(func.count()).where(ShiftSlot.cancelled_at.is_(None))
    assert await session.scalar(live.select_from(ShiftSlot)) == 7


async def test_slots_in_which_somebody_is_placed_outlive_a_change(session: AsyncSession, city: City) -> None:
    template = await a_template(session, city, weekdays=(1, 2, 3, 4, 5, 6, 7))
    day = now().astimezone(HERE).date() + DAY
    await generate_slots(session, boss(city), first=day, last=day + DAY, timezone=HERE)
    first = (await session.scalars(select(ShiftSlot).order_by(ShiftSlot.starts_at))).first()
    assert first is not None
    await place_member(session, boss(city), new_id(), slot_id=first.id, member_id=(await a_member(session, city)).id)
    await amend_template(session, boss(city), template.id, minutes=600)
    assert (await session.scalars(select(ShiftSlot.id))).all() == [first.id]
    with pytest.raises(SlotHasPeople):
        await cancel_slot(session, boss(city), first.id)


@pytest.mark.parametrize("days", [(1, 0), (0, 62), (-9, -8)])
async def test_only_days_to_come_are_planned_and_not_too_many(
    session: AsyncSession, city: City, days: tuple[int, int]
) -> None:
    day = now().astimezone(HERE).date()
    with pytest.raises(PlanTooLong):
        await generate_slots(session, boss(city), first=day + days[0] * DAY, last=day + days[1] * DAY, timezone=HERE)


@pytest.mark.parametrize("wrong", [{"minutes": 14}, {"minutes": 1441}, {"weekdays": (0,)}, {"weekdays": (8,)}])
async def test_a_template_that_cannot_be_is_refused(session: AsyncSession, city: City, wrong: dict[str, int]) -> None:
    with pytest.raises(BadTemplate):
        await a_template(session, city, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("seats", [[], [Seat("chofer", 2, 1)], [Seat("chofer", 0, 0)], [Seat("chofer", 1, 1)] * 2])
async def test_seats_that_cannot_be_are_refused(session: AsyncSession, city: City, seats: list[Seat]) -> None:
    template = await a_template(session, city)
    with pytest.raises(BadSeats):
        await amend_template(session, boss(city), template.id, seats=seats)


@given(
    day=st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31)),
    starts=st.times().map(lambda time: time.replace(second=0, microsecond=0)),
    minutes=st.integers(15, 1440),
    zone=st.sampled_from([HERE, SANTIAGO, ZoneInfo("Europe/Madrid"), ZoneInfo("UTC")]),
)
def test_a_shift_lasts_as_long_as_it_says_whatever_the_clocks_do(
    day: dt.date, starts: dt.time, minutes: int, zone: ZoneInfo
) -> None:
    begins, ends = instants(day, starts, minutes, zone)
    assert ends - begins == dt.timedelta(minutes=minutes)
    assert begins.tzinfo is dt.UTC
    shown = begins.astimezone(zone)
    asked = dt.datetime.combine(day, starts)
    # The clock shows what was asked, unless that hour does not exist: then it is at most an hour later.
    assert dt.timedelta() <= shown.replace(tzinfo=None) - asked <= HOUR
    if zone is not SANTIAGO and zone.key != "Europe/Madrid":
        assert shown.replace(tzinfo=None) == asked


def test_the_night_in_which_the_clocks_change_is_eight_hours_too() -> None:
    begins, ends = instants(dt.date(2026, 4, 4), NIGHT, 480, SANTIAGO)  # back at midnight: 24:00 is 23:00 again
    assert ends.astimezone(SANTIAGO).time() == dt.time(5)
    assert ends - begins == 8 * HOUR


# ── Rest and hours ────────────────────────────────────────────────────────────────────────────────

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def spans(pairs: list[tuple[int, int]]) -> list[Span]:
    """Spans that do not overlap, from pauses and lengths in hours."""
    found, at = [], MONDAY
    for pause, length in pairs:
        start = at + pause * HOUR
        found.append(Span(start, at := start + length * HOUR))
    return found


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 24)), min_size=1, max_size=12), st.integers(0, 11))
def test_the_fullest_week_is_the_fullest_of_all_weeks(pairs: list[tuple[int, int]], which: int) -> None:
    """Against looking at every hour at which seven days could begin."""
    every = spans(pairs)
    wanted = every.pop(which % len(every))
    counted = most_in_a_week(wanted, every)
    start, best = wanted.end - WEEK, dt.timedelta()
    while start <= wanted.start:
        window = Span(start, start + WEEK)
        inside = [min(one.end, window.end) - max(one.start, window.start) for one in [*every, wanted]]
        best = max(best, sum((max(dt.timedelta(), one) for one in inside), dt.timedelta()))
        start += HOUR
    assert counted == best


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 24)), min_size=1, max_size=12), st.integers(0, 11))
def test_rest_is_troubled_exactly_where_a_neighbour_is_too_near(pairs: list[tuple[int, int]], which: int) -> None:
    every = spans(pairs)
    place = which % len(every)
    near = [one for one in every[max(0, place - 1) : place + 2] if one is not every[place]]
    pauses = [max(one.start - every[place].end, every[place].start - one.end) for one in near]
    wanted = every.pop(place)
    told = {trouble.code for trouble in rest_troubles(wanted, every, DEFAULT_RULES)}
    assert ("rest" in told) == any(pause < 12 * HOUR for pause in pauses)


# ── Placing ───────────────────────────────────────────────────────────────────────────────────────


async def placed(
    session: AsyncSession, city: City, slot: ShiftSlot, member: Member, reason: str = "", role: str | None = None
) -> Placement:
    """Put somebody there, through the verb."""
    return await place_member(
        session, boss(city), new_id(), slot_id=slot.id, member_id=member.id, reason=reason, role=role
    )


async def test_nobody_is_in_two_shifts_at_once_and_no_reason_helps(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    first = await a_slot(session, city.units["M1"], at, at + 8 * HOUR)
    await placed(session, city, first, ana)
    for start, end in ((-7, 1), (0, 8), (2, 3), (7, 15)):
        other = await a_slot(session, city.units["M2"], at + start * HOUR, at + end * HOUR)
        with pytest.raises(AlreadyPlaced):
            await placed(session, city, other, ana, reason="hace falta")
    touching = await a_slot(session, city.units["M2"], at + 8 * HOUR, at + 9 * HOUR)
    with pytest.raises(AgainstTheRules) as refused:
        await placed(session, city, touching, ana)
    assert refused.value.facts["troubles"] == [{"code": "rest", "hours": 0.0, "least": 12}]
    assert (await placed(session, city, touching, ana, reason="tormenta")).reason == "tormenta"


async def test_a_shift_holds_what_it_has_seats_for(session: AsyncSession, city: City) -> None:
    at = now()
    slot = await a_slot(session, city.units["M1"], at, at + 8 * HOUR, [Seat("chofer", 1, 1)])
    await placed(session, city, slot, await a_member(session, city))
    with pytest.raises(SlotFull):
        await placed(session, city, slot, await a_member(session, city))
    with pytest.raises(RoleNotInSlot):
        await placed(session, city, slot, await a_member(session, city, role="agente"))


async def test_whoever_is_on_leave_then_is_not_placed(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    await set_standing(session, boss(city), ana.id, status=StaffStatus.LEAVE, since=at + DAY, until=at + 3 * DAY)
    for day, there in ((0, True), (2, False), (4, True)):
        slot = await a_slot(session, city.units["M1"], at + day * DAY, at + day * DAY + 8 * HOUR)
        if there:
            await placed(session, city, slot, ana)
        else:
            with pytest.raises(NotThere):
                await placed(session, city, slot, ana, reason="hace falta")


async def test_a_credential_has_to_last_as_long_as_the_shift(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    await licences_count(session)
    await a_licence(session, ana, until=at + 4 * HOUR)
    slot = await a_slot(session, city.units["M1"], at, at + 8 * HOUR)
    with pytest.raises(AgainstTheRules) as refused:
        await placed(session, city, slot, ana)
    assert [one["code"] for one in refused.value.facts["troubles"]] == ["credential_expired"]
    await a_licence(session, ana, until=at + 8 * HOUR)
    assert (await placed(session, city, slot, ana, reason="no hace falta")).reason == ""


async def test_what_is_over_is_not_changed(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    slot = await a_slot(session, city.units["M1"], at - 9 * HOUR, at - HOUR)
    with pytest.raises(SlotOver):
        await placed(session, city, slot, ana)
    placement = await a_placement(session, slot, ana)
    with pytest.raises(SlotOver):
        await remove_placement(session, boss(city), placement.id)


async def test_who_could_be_placed_is_told_with_what_speaks_against_it(session: AsyncSession, city: City) -> None:
    at = now()
    slot = await a_slot(session, city.units["M1"], at + DAY, at + DAY + 8 * HOUR)
    free, busy, tired = [await a_member(session, city, name=name) for name in ("Zoe", "Ana", "Eva")]
    other = await a_member(session, city, role="agente", name="Abel")
    await a_placement(session, await a_slot(session, city.units["M2"], at + DAY, at + DAY + HOUR), busy)
    await a_placement(session, await a_slot(session, city.units["M2"], at + DAY - 9 * HOUR, at + DAY - HOUR), tired)
    found = await candidates(session, boss(city), slot.id, role="chofer")
    told = [(one.member.id, [trouble.code for trouble in one.troubles], one.refusal) for one in found]
    assert [one[0] for one in told] == [free.id, tired.id, busy.id, other.id]
    assert [one[1] for one in told] == [[], ["rest"], [], []]
    assert isinstance(told[2][2], AlreadyPlaced)


# ── Swaps ─────────────────────────────────────────────────────────────────────────────────────────


async def an_offer(session: AsyncSession, city: City, person: str | None = None) -> tuple[Swap, Member, ShiftSlot]:
    """Somebody offers a shift of tomorrow."""
    at, ana = now(), await a_member(session, city, person=person)
    slot = await a_slot(session, city.units["M1"], at + DAY, at + DAY + 8 * HOUR, [Seat("chofer", 1, 1)])
    placement = await a_placement(session, slot, ana)
    actor = city.actor(person) if person else boss(city)
    return await ask_swap(session, actor, new_id(), placement_id=placement.id), ana, slot


async def test_a_swap_goes_from_one_to_the_other_when_it_is_approved(session: AsyncSession, city: City) -> None:
    swap, _, slot = await an_offer(session, city, "crew m1")
    eva = await a_member(session, city, person="crew m2")
    with pytest.raises(NotAllowed):  # not for somebody else
        await accept_swap(session, city.actor("crew m2"), swap.id, member_id=swap.from_id)
    await accept_swap(session, city.actor("crew m2"), swap.id)
    with pytest.raises(NotAllowed):  # nor by themselves
        await approve_swap(session, city.actor("crew m2"), swap.id)
    await approve_swap(session, boss(city), swap.id)
    assert [one.member_id for one in (await placements_in(session, [slot.id]))[slot.id]] == [eva.id]
    with pytest.raises(IllegalMove):
        await withdraw_swap(session, city.actor("crew m1"), swap.id)


async def test_approving_looks_at_everything_again(session: AsyncSession, city: City) -> None:
    swap, ana, slot = await an_offer(session, city)
    eva = await a_member(session, city)
    await accept_swap(session, boss(city), swap.id, member_id=eva.id)
    before = await a_slot(session, city.units["M2"], slot.starts_at - 9 * HOUR, slot.starts_at - HOUR)
    await placed(session, city, before, eva)
    with pytest.raises(AgainstTheRules):
        async with session.begin_nested():
            await approve_swap(session, boss(city), swap.id)
    assert [one.member_id for one in (await placements_in(session, [slot.id]))[slot.id]] == [ana.id]
    await approve_swap(session, boss(city), swap.id, reason="acordado")
    (one,) = (await placements_in(session, [slot.id]))[slot.id]
    assert (one.member_id, one.reason) == (eva.id, "acordado")


async def test_strangers_have_no_say_in_a_swap(session: AsyncSession, city: City) -> None:
    swap, _, _ = await an_offer(session, city, "crew m1")
    await a_member(session, city, person="crew m2")
    for act in (withdraw_swap, reject_swap):
        with pytest.raises(NotAllowed):
            await act(session, city.actor("crew m2"), swap.id)
        with pytest.raises(NotAllowed):
            await act(session, city.actor("dispatcher"), swap.id)
    await withdraw_swap(session, city.actor("crew m1"), swap.id)


async def test_taking_somebody_out_ends_what_they_offered(session: AsyncSession, city: City) -> None:
    swap, _, _ = await an_offer(session, city)
    await remove_placement(session, boss(city), swap.placement_id)
    assert swap.state == "withdrawn"


async def outcome(sessions: Sessions, act: object) -> str:
    """Do it in a transaction of its own; the name of the refusal, or nothing."""
    try:
        async with transaction(sessions) as session:
            await act(session)  # type: ignore[operator]
    except Refusal as refused:
        return refused.code
    return ""


async def test_two_who_approve_at_once_approve_once(sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        swap, _, slot = await an_offer(session, city)
        await accept_swap(session, boss(city), swap.id, member_id=(await a_member(session, city)).id)
    acts = [outcome(sessions, lambda session: approve_swap(session, boss(city), swap.id)) for _ in range(4)]
    assert sorted(await asyncio.gather(*acts)) == ["", "IllegalMove", "IllegalMove", "IllegalMove"]
    async with reading(sessions) as session:
        assert len((await placements_in(session, [slot.id]))[slot.id]) == 1


async def test_two_who_place_the_same_person_at_once_place_them_once(sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        at, ana = now(), await a_member(session, city)
        slots = [await a_slot(session, city.units["M1"], at, at + 8 * HOUR) for _ in range(4)]
    acts = [
        outcome(
            sessions,
            lambda session, slot=slot: place_member(
                session, VIGIA, new_id(), slot_id=slot.id, member_id=ana.id, reason="urgente"
            ),
        )
        for slot in slots
    ]
    assert sorted(await asyncio.gather(*acts)) == ["", "AlreadyPlaced", "AlreadyPlaced", "AlreadyPlaced"]


async def test_the_last_seat_is_taken_once(sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        at = now()
        slot = await a_slot(session, city.units["M1"], at, at + 8 * HOUR, [Seat("chofer", 1, 2)])
        people = [await a_member(session, city) for _ in range(4)]
    acts = [
        outcome(
            sessions,
            lambda session, one=one: place_member(session, VIGIA, new_id(), slot_id=slot.id, member_id=one.id),
        )
        for one in people
    ]
    assert sorted(await asyncio.gather(*acts)) == ["", "", "SlotFull", "SlotFull"]
