"""Coming and going: by code and PIN on a telephone, by hand, and when nobody clocks out."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.hours import Anomaly, PeriodRefused, hours_of
from realtime.access import VIGIA
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.errors import NotAllowed
from realtime.journal import Entry
from resources.attendance import (
    AlreadyThere,
    ClockPoint,
    EndOutOfBounds,
    How,
    NotClockedIn,
    Stint,
    clock,
    correct_end,
    end_forgotten,
    end_point,
    make_point,
    mark_in,
    mark_out,
    point_of,
    renew_point,
    stay_on,
)
from resources.crews import crew_of
from resources.staff import Member, StaffStatus, set_pin, set_standing
from tests.builders import City, an_assignment, an_incident
from tests.conftest import Client, SignIn
from tests.staff.people import DAY, HOUR, a_member, a_placement, a_slot, a_stint, boss

PIN = "2580"


async def a_point(session: AsyncSession, city: City, unit: str = "M1") -> ClockPoint:
    """The code in a unit."""
    return await make_point(session, boss(city), new_id(), unit_id=city.units[unit])


async def test_a_code_is_ours_until_it_is_renewed_or_ended(session: AsyncSession, city: City) -> None:
    point = await a_point(session, city)
    token = point.token
    assert await point_of(session, token) is point
    forged = ("A" if token[-1] != "A" else "B").join([token[:-1], ""])
    for wrong in (forged, token[:-1], token + "A", "", "x", "é", "=" * 40):
        assert await point_of(session, wrong) is None
    await renew_point(session, boss(city), point.id)
    assert await point_of(session, token) is None
    assert await point_of(session, point.token) is point
    await end_point(session, boss(city), point.id)
    assert await point_of(session, point.token) is None


async def test_in_over_and_out(session: AsyncSession, city: City) -> None:
    ana, m1, m2 = await a_member(session, city), await a_point(session, city), await a_point(session, city, "M2")
    first = await clock(session, ana.id, m1, key=new_id())
    assert (first.what, first.where, first.stint.role) == ("in", "M1", "chofer")
    assert [one.member_id for one in (await crew_of(session, [city.units["M1"]], now()))[city.units["M1"]]] == [ana.id]
    over = await clock(session, ana.id, m2, key=new_id())
    assert (over.what, over.where, first.stint.ended_how) == ("moved", "M2", How.MOVED)
    assert list(await crew_of(session, list(city.units.values()), now())) == [city.units["M2"]]
    out = await clock(session, ana.id, m2, key=new_id())
    assert (out.what, out.stint.ended_how) == ("out", How.QR)
    assert await crew_of(session, list(city.units.values()), now()) == {}


async def test_a_second_tap_does_nothing_more(session: AsyncSession, city: City) -> None:
    ana, point = await a_member(session, city), await a_point(session, city)
    come, go = new_id(), new_id()
    assert [(await clock(session, ana.id, point, key=come)).what for _ in range(3)] == ["in"] * 3
    assert [(await clock(session, ana.id, point, key=go)).what for _ in range(3)] == ["out"] * 3
    assert (await clock(session, ana.id, point, key=come)).what == "in"  # late, from a telephone that had no signal
    assert await crew_of(session, list(city.units.values()), now()) == {}


async def test_whoever_comes_for_a_shift_takes_its_role_and_its_end(session: AsyncSession, city: City) -> None:
    at, ana, point = now(), await a_member(session, city, role="agente"), await a_point(session, city)
    slot = await a_slot(session, city.units["M1"], at + HOUR, at + 9 * HOUR)
    placement = await a_placement(session, slot, ana)
    placement.role = "chofer"
    done = await clock(session, ana.id, point, key=new_id())
    assert (done.stint.role, done.stint.due_at, done.stint.slot_id) == ("chofer", slot.ends_at, slot.id)


async def test_marks_by_hand(session: AsyncSession, city: City) -> None:
    desk, ana = city.actor("dispatcher"), await a_member(session, city)
    m1 = city.units["M1"]
    stint = await mark_in(session, desk, new_id(), member_id=ana.id, unit_id=m1, reason="sin teléfono")
    assert (stint.started_how, stint.marked_by, stint.reason) == (How.HAND, "dispatcher", "sin teléfono")
    with pytest.raises(AlreadyThere):
        await mark_in(session, desk, new_id(), member_id=ana.id, unit_id=m1, reason="otra vez")
    with pytest.raises(EndOutOfBounds):
        await mark_out(session, desk, ana.id, reason="antes de entrar", at=stint.started_at - HOUR)
    await mark_out(session, desk, ana.id, reason="se descompuso")
    with pytest.raises(NotClockedIn):
        await mark_out(session, desk, ana.id, reason="otra vez")
    with pytest.raises(NotAllowed):
        await mark_in(session, city.actor("crew m1"), new_id(), member_id=ana.id, unit_id=m1, reason="yo")


async def test_the_journal_holds_ids_and_neither_names_nor_reasons(session: AsyncSession, city: City) -> None:
    ana = await a_member(session, city, name="Nombre Secreto")
    await mark_in(
        session, city.actor("dispatcher"), new_id(), member_id=ana.id, unit_id=city.units["M1"], reason="está enferma"
    )
    entries = (await session.scalars(select(Entry).where(Entry.kind.in_(["staff.added", "attendance.in"])))).all()
    told = " ".join(f"{entry.detail} {entry.faces}" for entry in entries)
    assert str(ana.id) in told
    assert not any(word in told for word in ("Secreto", "enferma", "341 555"))


async def test_a_forgotten_clock_out_ends_with_the_grace_and_is_flagged(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    stint = await a_stint(session, ana, city.units["M1"], at - 9 * HOUR, due=at - HOUR)
    ours = await hours_of(session, boss(city), ana.id, at - DAY, at)
    assert [one.code for one in ours.anomalies] == [Anomaly.NO_CLOCK_OUT]
    assert ours.on_duty == 8 * HOUR + dt.timedelta(minutes=30)
    await end_forgotten(session)
    assert (stint.ended_how, stint.ended_at) == (How.FORGOTTEN, at - HOUR / 2)
    assert (await hours_of(session, boss(city), ana.id, at - DAY, at)).on_duty == ours.on_duty
    with pytest.raises(EndOutOfBounds):
        await correct_end(session, boss(city), stint.id, ended_at=stint.started_at - HOUR, reason="mal")
    await correct_end(session, boss(city), stint.id, ended_at=at - 2 * HOUR, reason="lo dijo la base")
    right = await hours_of(session, boss(city), ana.id, at - DAY, at)
    assert (right.on_duty, right.anomalies) == (7 * HOUR, ())


async def test_somebody_who_stays_on_is_there_and_the_plan_stays_what_it_was(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    stint = await a_stint(session, ana, city.units["M1"], at - 8 * HOUR, due=at)
    await stay_on(session, city.actor("dispatcher"), ana.id, until=at + 3 * HOUR, reason="tormenta")
    assert city.units["M1"] in await crew_of(session, [city.units["M1"]], at + 3 * HOUR)
    assert stint.due_at == at
    with pytest.raises(EndOutOfBounds):
        await stay_on(session, city.actor("dispatcher"), ana.id, until=at + 30 * HOUR, reason="siempre")


# ── Hours ─────────────────────────────────────────────────────────────────────────────────────────


async def test_hours_are_told_apart(session: AsyncSession, city: City) -> None:
    """Eight planned, nine worked, two of them sent; two assignments at once count once, and others' not at all."""
    at, ana = now(), await a_member(session, city)
    trained = city.actor("trained")
    slot = await a_slot(session, city.units["M1"], at - 10 * HOUR, at - 2 * HOUR)
    await a_placement(session, slot, ana)
    await a_stint(session, ana, city.units["M1"], at - 10 * HOUR, at - HOUR, slot=slot)
    for start, end, unit in ((-9, -8, "M1"), (-7, -6, "M1"), (-5, -4, "M2")):
        sent = await an_assignment(session, trained, await an_incident(session, trained), city.units[unit])
        sent.made_at, sent.released_at = at + start * HOUR, at + end * HOUR
        await session.flush()
    hours = await hours_of(session, boss(city), ana.id, at - DAY, at)
    assert (hours.on_duty, hours.planned, hours.overtime) == (9 * HOUR, 8 * HOUR, HOUR)
    assert hours.committed == 2 * HOUR
    assert (await hours_of(session, boss(city), ana.id, at - 8.5 * HOUR, at)).committed == 1.5 * HOUR
    with pytest.raises(PeriodRefused):
        await hours_of(session, boss(city), ana.id, at + DAY, at + 2 * DAY)


async def test_whoever_was_placed_and_never_came_is_named(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city)
    slot = await a_slot(session, city.units["M1"], at - 10 * HOUR, at - 2 * HOUR)
    await a_placement(session, slot, ana)
    hours = await hours_of(session, boss(city), ana.id, at - DAY, at)
    assert [(one.code, one.at) for one in hours.anomalies] == [(Anomaly.ABSENT, slot.starts_at)]


# ── On the telephone ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def ready(sessions: Sessions, city: City) -> tuple[Member, str]:
    """Somebody with a PIN, and the code that hangs in M1."""
    async with transaction(sessions) as session:
        ana = await a_member(session, city)
        await set_pin(session, boss(city), ana.id, pin=PIN)
        return ana, (await a_point(session, city)).token


async def clocks(client: Client, code: str, file_number: str, pin: str, **more: str) -> Any:
    """Ask to clock in or out."""
    body = {"id": str(new_id()), "code": code, "file_number": file_number, "pin": pin} | more
    return await client.post("/api/v1/attendance/clock", json=body)


async def test_clocking_in_needs_no_account_and_says_what_happened(
    client: Client, ready: tuple[Member, str], sessions: Sessions, city: City
) -> None:
    ana, code = ready
    assert (await client.get(f"/api/v1/attendance/where?code={code}")).json() == {"where": "M1", "unit": True}
    key = str(new_id())
    said = [(await clocks(client, code, ana.file_number, PIN, id=key)).json() for _ in range(2)]
    assert said[0] == said[1]
    assert (said[0]["what"], said[0]["where"], said[0]["role"]) == ("in", "M1", "Chofer")
    async with reading(sessions) as session:
        assert city.units["M1"] in await crew_of(session, [city.units["M1"]], now())
    assert (await clocks(client, code, ana.file_number, PIN)).json()["what"] == "out"


async def test_what_was_wrong_is_not_said(
    client: Client, ready: tuple[Member, str], sessions: Sessions, city: City
) -> None:
    ana, code = ready
    async with transaction(sessions) as session:
        gone = await a_member(session, city)
        await set_pin(session, boss(city), gone.id, pin=PIN)
        await set_standing(session, boss(city), gone.id, status=StaffStatus.LEFT, since=now() - HOUR)
        without = await a_member(session, city)
    wrong = [
        (code, ana.file_number, "9999"),
        (code, "L0000", PIN),
        ("A" * 42, ana.file_number, PIN),
        (code, gone.file_number, PIN),
        (code, without.file_number, PIN),
    ]
    answers = [await clocks(client, *one) for one in wrong]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1


async def test_a_pin_cannot_be_tried_out(client: Client, ready: tuple[Member, str]) -> None:
    ana, code = ready
    tries = [(await clocks(client, code, ana.file_number, f"{number:04}")).status_code for number in range(8)]
    assert tries == [403] * 5 + [429] * 3
    right = await clocks(client, code, ana.file_number, PIN)
    assert right.status_code == 429  # also the right one, and however it is written
    assert (await clocks(client, code, ana.file_number.lower(), PIN)).status_code == 429


async def test_many_tries_at_once_count_each(client: Client, ready: tuple[Member, str]) -> None:
    ana, code = ready
    answers = await asyncio.gather(*(clocks(client, code, ana.file_number, "9998") for _ in range(8)))
    assert sum(answer.status_code == 403 for answer in answers) <= 5


async def test_a_right_pin_forgives_the_wrong_ones(client: Client, ready: tuple[Member, str]) -> None:
    ana, code = ready
    for _ in range(3):
        statuses = [(await clocks(client, code, ana.file_number, pin)).status_code for pin in ("9998", "9998", PIN)]
        assert statuses == [403, 403, 200]


async def test_the_devices_clock_is_not_believed(client: Client, ready: tuple[Member, str], sessions: Sessions) -> None:
    ana, code = ready
    answer = await clocks(client, code, ana.file_number, PIN, at="2020-01-01T00:00:00Z")
    assert answer.status_code == 422
    before = now()
    await clocks(client, code, ana.file_number, PIN)
    async with reading(sessions) as session:
        assert before <= (await session.scalars(select(Stint.started_at))).one() <= now()


async def test_two_telephones_at_once_leave_one_stint(
    sessions: Sessions, city: City, ready: tuple[Member, str]
) -> None:
    ana, code = ready

    async def come() -> str:
        async with transaction(sessions) as session:
            point = await point_of(session, code)
            assert point is not None
            return (await clock(session, ana.id, point, key=new_id())).what

    assert sorted(await asyncio.gather(come(), come(), come())) == ["in", "in", "out"]
    async with reading(sessions) as session:
        running = (await session.scalars(select(Stint).where(Stint.ended_at.is_(None)))).all()
        assert len(running) == 1


async def test_payroll_takes_no_name_for_a_formula(signed_in: SignIn, sessions: Sessions, city: City) -> None:
    at = now()
    async with transaction(sessions) as session:
        ana = await a_member(session, city, name='=HYPERLINK("http://x")')
        await a_stint(session, ana, city.units["M1"], at - HOUR * 3 / 2, at)
    today = at.date()
    async with signed_in("government") as client:
        answer = await client.get(f"/api/v1/attendance/hours.csv?first={today - DAY}&last={today + DAY}")
        sheet = answer.content.decode("utf-8-sig")
        assert "'=HYPERLINK" in sheet
        assert ";1,50;" in sheet
        assert answer.headers["content-type"].startswith("text/csv")


async def test_the_code_is_drawn_for_who_prints_it(signed_in: SignIn, sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        point = await make_point(session, VIGIA, new_id(), place="Base Centro")
    async with signed_in("supervisor") as client:
        answer = await client.get(f"/api/v1/attendance/points/{point.id}/qr.svg")
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.text.startswith("<?xml")
        assert answer.headers["cache-control"] == "private, no-store"


async def test_names_and_telephones_by_who_asks(signed_in: SignIn, sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        await a_member(session, city)
        await session.execute(update(Member).values(notes="en tratamiento"))
    for who, whole in (("government", True), ("administrator", True), ("dispatcher", False), ("call_taker", False)):
        async with signed_in(who) as client:
            answer = await client.get("/api/v1/staff")
            (member,) = answer.json()["members"]
            assert member["name"] == "Ana Ruiz"
            assert ("341 555 1234" in answer.text, "tratamiento" in answer.text) == (whole, whole), who
            assert ("file_number" in member) == whole
