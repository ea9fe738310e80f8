"""Files, credentials by the day, rules by editions, lists, and the rota of authorities."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import VIGIA
from realtime.database import Sessions, new_id, now, transaction
from realtime.errors import AlreadyExists, NotAllowed, VersionMismatch
from resources.on_call import AlreadyOnCall, on_call_order, put_on_call, rota_gaps, take_off_call
from resources.staff import (
    DEFAULT_RULES,
    BadPin,
    JobRole,
    RulesRefused,
    StaffRow,
    StaffStatus,
    UnknownRole,
    access_member,
    add_member,
    amend_member,
    credentials_of,
    import_staff,
    rules_at,
    set_pin,
    set_rules,
    set_standing,
)
from tests.builders import City
from tests.conftest import SignIn
from tests.staff.people import DAY, HERE, HOUR, WITH_LICENCES, a_member, boss, licences_count


async def test_a_file_number_is_one(session: AsyncSession, city: City) -> None:
    ana = await a_member(session, city)
    with pytest.raises(AlreadyExists):
        await add_member(
            session,
            VIGIA,
            new_id(),
            file_number=f" {ana.file_number} ",
            name="Otra",
            role="chofer",
            organization_id=city.organizations["municipality"],
        )
    with pytest.raises(UnknownRole):
        await amend_member(session, boss(city), ana.id, role="mago")
    with pytest.raises(VersionMismatch):
        await amend_member(session, boss(city), ana.id, phone="0", expected=ana.version + 1)


async def test_ones_own_file_and_nobody_elses(session: AsyncSession, city: City) -> None:
    ana, eva = await a_member(session, city, person="crew m1"), await a_member(session, city)
    assert (await access_member(session, city.actor("crew m1"), ana.id)).id == ana.id
    for who in ("crew m1", "crew m2", "dispatcher", "police", "wall"):
        with pytest.raises(NotAllowed):
            await access_member(session, city.actor(who), eva.id)
        with pytest.raises(NotAllowed):  # absent and forbidden look the same
            await access_member(session, city.actor(who), new_id())


@pytest.mark.parametrize("pin", ["", "123", "1234", "4321", "0000", "123456789", "12a4", "١٢٣٤"])
async def test_a_pin_that_anybody_guesses_is_refused(session: AsyncSession, city: City, pin: str) -> None:
    ana = await a_member(session, city)
    with pytest.raises(BadPin):
        await set_pin(session, boss(city), ana.id, pin=pin)


async def test_a_credential_is_valid_on_its_last_day_here(signed_in: SignIn, sessions: Sessions, city: City) -> None:
    """Days are the city's: three hours after midnight in London it is still the last day."""
    async with transaction(sessions) as session:
        ana = await a_member(session, city)
    body = {"id": str(new_id()), "kind": "licencia", "valid_from": "2026-01-01", "valid_to": "2026-03-31"}
    async with signed_in("supervisor") as client:
        answer = await client.post(f"/api/v1/staff/{ana.id}/credentials", json=body)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["valid_from"], answer.json()["valid_to"]) == ("2026-01-01", "2026-03-31")
    async with transaction(sessions) as session:
        (licence,) = (await credentials_of(session, [ana.id]))[ana.id]
        midnight = dt.datetime(2026, 4, 1, tzinfo=HERE)
        assert licence.in_force(midnight - dt.timedelta(seconds=1))
        assert not licence.in_force(midnight)


async def test_rules_hold_from_when_they_were_made(session: AsyncSession, city: City) -> None:
    before = now()
    assert (await rules_at(session)).number == 0
    await licences_count(session)
    assert (await rules_at(session)).role("chofer") == JobRole("chofer", "Chofer", ("licencia",))
    assert (await rules_at(session, before)).number == 0
    with pytest.raises(VersionMismatch):
        await set_rules(session, boss(city), WITH_LICENCES, expected=0)
    with pytest.raises(RulesRefused):
        await set_rules(session, boss(city), replace(DEFAULT_RULES, credentials=(), roles=WITH_LICENCES.roles))


async def test_a_list_comes_in_line_by_line(session: AsyncSession, city: City) -> None:
    ana, ours = await a_member(session, city), city.organizations["municipality"]
    rows = {
        2: StaffRow(ana.file_number, "Ana María Ruiz", "chofer", credential="licencia", valid_until=now() + DAY),
        3: StaffRow("L900", "Eva Paz", "agente"),
        4: StaffRow("L901", "Sin Rol", "mago"),
        5: StaffRow("L902", "Sin Papel", "agente", credential="magia"),
    }
    done = await import_staff(session, boss(city), rows, organization_id=ours)
    assert (done.added, done.amended, done.same) == (1, 1, 0)
    assert [(line, trouble.code) for line, trouble in done.refused] == [(4, "UnknownRole"), (5, "UnknownCredential")]
    again = await import_staff(session, boss(city), rows, organization_id=ours)
    assert (again.added, again.amended, again.same) == (0, 0, 2)
    assert len((await credentials_of(session, [ana.id]))[ana.id]) == 1


async def test_a_spreadsheet_as_it_really_comes(signed_in: SignIn, sessions: Sessions, city: City) -> None:
    sheet = (
        "Legajo;Nombre y apellido;Función;Credencial;Vence\n"
        "A1;Núñez, Inés;chofer;Licencia de conducir;31/12/2031\n"
        "A2;Paz, Eva;Paramédico;;\n"
        "A3;Ruiz, Ana;mago;;\n"
        "A1;Otra;chofer;;\n"
        "A4;Sosa, Luz;agente;licencia;31/02/2031\n"
    ).encode("cp1252")
    async with signed_in("government") as client:
        answer = await client.post("/api/v1/staff/import", content=sheet, headers={"Content-Type": "text/csv"})
        assert answer.status_code == 200, answer.text
        done = answer.json()
        assert (done["added"], done["amended"], done["same"]) == (2, 0, 0)
        assert [(one["line"], one["code"]) for one in done["errors"]] == [
            (4, "WordUnknown"),
            (5, "RowTwice"),
            (6, "DateRefused"),
        ]
        people = {one["file_number"]: one for one in (await client.get("/api/v1/staff")).json()["members"]}
    assert (people["A1"]["name"], people["A1"]["credentials"][0]["valid_to"]) == ("Núñez, Inés", "2031-12-31")
    assert people["A2"]["role"] == "paramedico"


# ── On call ───────────────────────────────────────────────────────────────────────────────────────


async def test_authorities_are_woken_in_order_and_those_who_left_are_passed_over(
    session: AsyncSession, city: City
) -> None:
    at = now()

    async def put(name: str, rank: int, start: dt.datetime, end: dt.datetime) -> None:
        member = await a_member(session, city, role="autoridad", name=name)
        await put_on_call(
            session, boss(city), new_id(), member_id=member.id, title="T", rank=rank, starts_at=start, ends_at=end
        )
        if name == "Se fue":
            await set_standing(session, boss(city), member.id, status=StaffStatus.LEFT)

    await put("Segunda", 2, at - DAY, at + DAY)
    await put("Primero", 1, at - DAY, at + DAY)
    await put("Mañana", 1, at + DAY, at + 2 * DAY)
    await put("Se fue", 1, at - DAY, at + DAY)
    order = await on_call_order(session, now())
    assert [(one.name, one.rank, one.phone) for one in order] == [
        ("Primero", 1, "341 555 1234"),
        ("Segunda", 2, "341 555 1234"),
    ]
    assert [one.name for one in await on_call_order(session, at + DAY)] == ["Mañana"]
    assert "Se fue" in [one.name for one in await on_call_order(session, at - HOUR)]


async def test_nobody_is_on_call_twice_and_who_is_taken_off_is_not_woken(session: AsyncSession, city: City) -> None:
    at, ana = now(), await a_member(session, city, role="autoridad")
    times = {"starts_at": at - HOUR, "ends_at": at + DAY}
    duty = await put_on_call(session, boss(city), new_id(), member_id=ana.id, title="T", rank=1, **times)
    with pytest.raises(AlreadyOnCall):
        await put_on_call(session, boss(city), new_id(), member_id=ana.id, title="T", rank=2, **times)
    before = now()
    await take_off_call(session, boss(city), duty.id)
    assert await on_call_order(session, now()) == []
    assert len(await on_call_order(session, before)) == 1
    await put_on_call(
        session, boss(city), new_id(), member_id=ana.id, title="T", rank=2, starts_at=now(), ends_at=at + DAY
    )


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=8))
def test_gaps_of_the_rota_are_the_hours_that_nobody_has(pairs: list[tuple[int, int]]) -> None:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    duties = [(start + one * HOUR, start + (one + length) * HOUR) for one, length in pairs]
    gaps = rota_gaps(duties, start, start + 50 * HOUR)
    empty = {hour for hour in range(50) if not any(a <= start + hour * HOUR < b for a, b in duties)}
    told = {hour for hour in range(50) if any(gap.start <= start + hour * HOUR < gap.end for gap in gaps)}
    assert told == empty
    assert all(one.end < other.start for one, other in pairwise(gaps))
