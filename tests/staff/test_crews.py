"""What a crew lacks, now and at any moment of the past."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.database import new_id, now
from resources.capabilities import amend_capability
from resources.crews import crew_gaps, crew_of, on_duty, set_crew_minimums
from resources.gaps import Gap
from resources.readiness import readiness_of
from resources.shifts import Seat
from resources.staff import StaffStatus, add_credential, withdraw_credential
from tests.builders import City
from tests.staff.people import DAY, HOUR, a_licence, a_member, a_placement, a_slot, a_stint, boss, licences_count


async def gaps_of(session: AsyncSession, city: City, at: dt.datetime, unit: str = "M1") -> list[Gap]:
    """What a unit lacked."""
    return list((await crew_gaps(session, list(city.units.values()), at)).get(city.units[unit], ()))


def codes(gaps: list[Gap]) -> list[tuple[str, bool]]:
    """The gaps in short."""
    return [(gap.code, gap.blocks) for gap in gaps]


async def test_a_city_that_told_nothing_has_no_gaps(session: AsyncSession, city: City) -> None:
    assert await crew_gaps(session, list(city.units.values()), now()) == {}
    assert await readiness_of(session, list(city.units.values()), now()) == {}


async def test_a_minimum_is_missed_until_enough_people_came(session: AsyncSession, city: City) -> None:
    at = now()
    await set_crew_minimums(session, boss(city), city.units["M1"], minimums={"chofer": 1, "agente": 2})
    short = {gap.facts["role"]: (gap.facts["have"], gap.facts["need"]) for gap in await gaps_of(session, city, now())}
    assert short == {"agente": (0, 2), "chofer": (0, 1)}
    for role in ("chofer", "agente"):
        await a_stint(session, await a_member(session, city, role=role), city.units["M1"], at - HOUR)
    (gap,) = await gaps_of(session, city, now())
    assert gap == Gap("short_crew", {"role": "agente", "have": 1, "need": 2})
    assert gap.shown() == {"code": "short_crew", "blocks": True, "role": "agente", "have": 1, "need": 2}
    assert (await readiness_of(session, list(city.units.values()), now())) == {city.units["M1"]: (gap,)}
    await a_stint(session, await a_member(session, city, role="agente"), city.units["M1"], at - HOUR)
    assert await gaps_of(session, city, now()) == []


async def test_a_running_shift_says_what_is_needed_and_not_the_unit(session: AsyncSession, city: City) -> None:
    at = now()
    await set_crew_minimums(session, boss(city), city.units["M1"], minimums={"agente": 3})
    await a_slot(session, city.units["M1"], at - HOUR, at + HOUR)
    assert [gap.facts["role"] for gap in await gaps_of(session, city, now())] == ["chofer"]
    assert [gap.facts["role"] for gap in await gaps_of(session, city, at + 2 * HOUR)] == ["agente"]


async def test_a_relief_that_overlaps_asks_for_the_larger_crew_not_for_both(session: AsyncSession, city: City) -> None:
    at = now()
    await a_slot(session, city.units["M1"], at - HOUR, at + HOUR, [Seat("chofer", 1, 1)])
    await a_slot(session, city.units["M1"], at - HOUR / 2, at + 8 * HOUR, [Seat("chofer", 2, 2)])
    assert [gap.facts["need"] for gap in await gaps_of(session, city, at)] == [2]


async def test_an_expired_credential_blocks_while_nobody_else_can_drive(session: AsyncSession, city: City) -> None:
    at = now()
    await licences_count(session)
    ana = await a_member(session, city)
    licence = await a_licence(session, ana, until=at + DAY)
    await a_stint(session, ana, city.units["M1"], at - HOUR, due=at + 2 * DAY)
    assert await gaps_of(session, city, now()) == []
    (gap,) = await gaps_of(session, city, at + DAY)  # the very instant in which it ends
    facts = {"role": "chofer", "member_id": str(ana.id), "credential": "licencia"}
    assert gap == Gap("credential_expired", facts | {"until": (at + DAY).isoformat()})
    await a_stint(session, other := await a_member(session, city), city.units["M1"], at - HOUR)
    await a_licence(session, other)
    await withdraw_credential(session, boss(city), licence.id, reason="inhabilitada")
    assert codes(await gaps_of(session, city, now())) == [("credential_expired", False)]


async def test_what_a_unit_can_do_asks_for_a_crew_that_can(session: AsyncSession, city: City) -> None:
    """Where the city says who crews it; a unit of which nothing is told has no gaps."""
    at, m1 = now(), city.units["M1"]
    needs = [{"role": "paramedico", "count": 1, "credential": "matricula"}]
    await amend_capability(session, boss(city), "GUM", crew=needs)
    assert await crew_gaps(session, list(city.units.values()), at) == {}
    await a_stint(session, await a_member(session, city), m1, at - HOUR)
    (gap,) = await gaps_of(session, city, at)
    assert gap == Gap("short_crew", {"role": "paramedico", "have": 0, "need": 1, "capability": "GUM"})
    eva = await a_member(session, city, role="paramedico")
    await a_stint(session, eva, m1, at - HOUR)
    assert codes(await gaps_of(session, city, at)) == [("credential_missing", True)]
    await add_credential(session, boss(city), new_id(), member_id=eva.id, kind="matricula", valid_from=at - DAY)
    assert await gaps_of(session, city, at) == []


async def test_a_credential_that_nobody_told_of_is_missing(session: AsyncSession, city: City) -> None:
    await licences_count(session)
    await a_stint(session, await a_member(session, city), city.units["M1"], now() - HOUR)
    assert codes(await gaps_of(session, city, now())) == [("credential_missing", True)]


async def test_a_renewed_credential_counts_without_a_seam(session: AsyncSession, city: City) -> None:
    at = now()
    await licences_count(session)
    ana = await a_member(session, city)
    await a_licence(session, ana, until=at)
    await a_licence(session, ana, since=at, until=at + DAY)
    await a_stint(session, ana, city.units["M1"], at - HOUR, due=at + 3 * DAY)
    for moment in (at - HOUR / 2, at, at + HOUR):
        assert codes(await gaps_of(session, city, moment)) == []


@pytest.mark.parametrize(("rested", "tired"), [(12 * HOUR, False), (12 * HOUR - dt.timedelta(seconds=1), True)])
async def test_rest_is_twelve_hours_to_the_second(
    session: AsyncSession, city: City, rested: dt.timedelta, tired: bool
) -> None:
    at, ana = now(), await a_member(session, city)
    begins = at - HOUR
    await a_stint(session, ana, city.units["M2"], begins - rested - 8 * HOUR, begins - rested)
    await a_stint(session, ana, city.units["M1"], begins)
    assert codes(await gaps_of(session, city, at)) == ([("resting", True)] if tired else [])


async def test_a_second_shift_right_after_the_first_is_no_rest(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    first = await a_slot(session, city.units["M2"], at - 9 * HOUR, at - HOUR)
    second = await a_slot(session, city.units["M1"], at - HOUR, at + 7 * HOUR)
    await a_stint(session, ana, city.units["M2"], first.starts_at, first.ends_at, slot=first)
    await a_stint(session, ana, city.units["M1"], second.starts_at, slot=second)
    (gap,) = await gaps_of(session, city, at)
    assert (gap.code, gap.facts["hours"], gap.facts["least"]) == ("resting", 0.0, 12)


async def test_changing_units_within_a_shift_needs_no_rest(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    slot = await a_slot(session, city.units["M2"], at - 4 * HOUR, at + 4 * HOUR)
    await a_stint(session, ana, city.units["M2"], at - 4 * HOUR, at - 3 * HOUR, slot=slot)
    await a_stint(session, ana, city.units["M1"], at - HOUR, slot=slot)
    assert await gaps_of(session, city, at) == []


async def test_more_than_the_weeks_hours_block_unless_somebody_said_why(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    for day in range(1, 7):
        await a_stint(session, ana, city.units["M2"], at - day * DAY, at - day * DAY + 8 * HOUR)
    slot = await a_slot(session, city.units["M1"], at - HOUR, at + HOUR)
    await a_stint(session, ana, city.units["M1"], at - HOUR, slot=slot)
    (gap,) = await gaps_of(session, city, at)
    assert (gap.code, gap.blocks, gap.facts["hours"], gap.facts["most"]) == ("over_hours", True, 49.0, 48)
    await a_placement(session, slot, ana, reason="no hay otro")
    assert codes(await gaps_of(session, city, at)) == [("over_hours", False)]


async def test_whoever_forgot_to_clock_out_is_not_there_for_ever(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    await a_stint(session, ana, city.units["M1"], at - 9 * HOUR, due=at - HOUR)
    assert city.units["M1"] in await crew_of(session, [city.units["M1"]], at - HOUR + dt.timedelta(minutes=29))
    assert await crew_of(session, [city.units["M1"]], at - HOUR + dt.timedelta(minutes=30)) == {}


async def test_the_past_is_read_from_the_past(session: AsyncSession, city: City) -> None:
    """Yesterday's crew, minimums, rules and licences, whatever has become of them."""
    at, m1 = now(), city.units["M1"]
    yesterday = at - DAY
    await licences_count(session, since=at - 2 * HOUR)
    ana, eva = await a_member(session, city), await a_member(session, city, name="Eva Paz")
    slot = await a_slot(session, m1, yesterday - HOUR, yesterday + 7 * HOUR, [Seat("chofer", 2, 2)])
    await a_stint(session, ana, m1, yesterday - HOUR, yesterday + HOUR, slot=slot)
    await a_stint(session, eva, m1, yesterday, yesterday + 7 * HOUR, slot=slot)
    then = {one.name for one in (await crew_of(session, [m1], yesterday))[m1]}
    assert then == {"Ana Ruiz", "Eva Paz"}
    assert await gaps_of(session, city, yesterday) == []  # licences were not asked for then
    assert [gap.facts["have"] for gap in await gaps_of(session, city, yesterday - dt.timedelta(minutes=1))] == [1]
    assert [gap.facts["have"] for gap in await gaps_of(session, city, yesterday + 2 * HOUR)] == [1]
    slot.cancelled_at = at  # what becomes of it later changes nothing of what was
    ana.status_since, ana.status = at, StaffStatus.LEFT
    await session.flush()
    assert await gaps_of(session, city, yesterday) == []
    assert [gap.facts["have"] for gap in await gaps_of(session, city, yesterday + 2 * HOUR)] == [1]
    assert await crew_of(session, [m1], at) == {}


async def test_a_minimum_that_was_changed_is_still_what_it_was(session: AsyncSession, city: City) -> None:
    m1 = city.units["M1"]
    await set_crew_minimums(session, boss(city), m1, minimums={"chofer": 2})
    before = now()
    await set_crew_minimums(session, boss(city), m1, minimums={"chofer": 1})
    assert [gap.facts["need"] for gap in await gaps_of(session, city, now())] == [1]
    assert [gap.facts["need"] for gap in await gaps_of(session, city, before)] == [2]
    await set_crew_minimums(session, boss(city), m1, minimums={})
    assert await gaps_of(session, city, now()) == []


async def test_who_is_on_duty_by_who_asks(session: AsyncSession, city: City) -> None:
    at = now()
    for call_sign in ("M1", "M2"):
        slot = await a_slot(session, city.units[call_sign], at - HOUR, at + HOUR)
        ana = await a_member(session, city, name=f"Ana {call_sign}")
        await a_placement(session, slot, ana)
        if call_sign == "M1":
            await a_stint(session, ana, city.units["M1"], at - HOUR, slot=slot)

    async def seen(who: str) -> dict[str, Any]:
        duty = await on_duty(session, city.actor(who), at)
        people = {one.unit.call_sign: [person.name for person in one.people] for one in duty.units}
        return {"units": people, "absent": [name for _, _, name in duty.absent]}

    whole = {"units": {"M1": ["Ana M1"], "M2": []}, "absent": ["Ana M2"]}
    assert [await seen(who) for who in ("dispatcher", "government", "supervisor", "administrator")] == [whole] * 4
    assert await seen("crew m1") == {"units": {"M1": ["Ana M1"]}, "absent": []}
