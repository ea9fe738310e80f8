"""The demo's shifts: everybody is there but two on purpose, and it stays so when a shift ends."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select, update

from realtime.access import VIGIA
from realtime.database import Sessions, now, reading, transaction
from resources.attendance import Stint, mark_in
from resources.crews import crew_gaps, on_duty
from resources.on_call import on_call_order
from resources.organizations import OrganizationKind, add_organization
from resources.shifts import Placement, ShiftSlot
from resources.staff import Member
from resources.units import add_unit
from web.demo.city import id_of
from web.demo.fleet import FLEET, MUNICIPALITY
from web.demo.staff import EXPIRED, PATROLS, SHORT, staff_the_city


@pytest.fixture
async def town(sessions: Sessions) -> Sessions:
    """The demo's patrols, with their staff."""
    async with transaction(sessions) as session:
        ours = id_of("organization", MUNICIPALITY)
        await add_organization(session, VIGIA, ours, name=MUNICIPALITY, kind=OrganizationKind.MUNICIPALITY)
        for unit in FLEET:
            if unit.call_sign in PATROLS:
                id_ = id_of("unit", unit.call_sign)
                await add_unit(session, VIGIA, id_, call_sign=unit.call_sign, kind=unit.kind, organization_id=ours)
    await staff_the_city(sessions, id_of)
    return sessions


async def told(sessions: Sessions, at: dt.datetime) -> dict[str, list[str]]:
    """Which patrols lack what, in codes that block."""
    units = {id_of("unit", call_sign): call_sign for call_sign in PATROLS}
    async with reading(sessions) as session:
        found = await crew_gaps(session, list(units), at)
    return {units[id_]: [gap.code for gap in gaps if gap.blocks] for id_, gaps in found.items()}


WRONG = {SHORT: ["short_crew"], EXPIRED: ["credential_expired"]}


async def test_two_patrols_are_not_ready_and_say_why(town: Sessions) -> None:
    assert await told(town, now()) == WRONG
    async with reading(town) as session:
        assert 60 <= (await session.scalar(select(func.count()).select_from(Member)) or 0) <= 80
        assert [one.rank for one in await on_call_order(session, now())] == [1, 2, 3, 4]


async def test_a_second_run_changes_nothing(town: Sessions) -> None:
    async def counts() -> list[int | None]:
        async with reading(town) as session:
            tables = (Member, ShiftSlot, Placement, Stint)
            return [await session.scalar(select(func.count()).select_from(table)) for table in tables]

    before = await counts()
    await staff_the_city(town, id_of)
    assert await counts() == before


async def test_whoever_comes_next_makes_no_other_gaps(town: Sessions) -> None:
    """Eight shifts on: those who are placed come, as the simulator lets them, and the same two are wrong."""
    async with reading(town) as session:
        start = await session.scalar(select(func.max(Stint.due_at)))
    assert start is not None
    for turn in range(8):
        at = start + turn * dt.timedelta(hours=8) + dt.timedelta(hours=1)
        async with transaction(town) as session:
            await session.execute(update(Stint).where(Stint.ended_at.is_(None)).values(ended_at=Stint.due_at))
            duty = await on_duty(session, VIGIA, at)
            for slot, placement, _ in duty.absent:
                stint = await mark_in(
                    session,
                    VIGIA,
                    placement.id,
                    member_id=placement.member_id,
                    unit_id=slot.unit_id,
                    reason="cambio de turno",
                )
                stint.started_at, stint.slot_id = slot.starts_at, slot.id
                stint.due_at, stint.ends_by = slot.ends_at, slot.ends_at + dt.timedelta(minutes=30)
        assert await told(town, at) == WRONG
