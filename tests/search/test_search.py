"""Search: what is found by which letters, by whom, and that nobody learns of anything through it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import close_incident
from incidents.incident import Incident, reclassify, take_off_board
from incidents.search import search_incidents
from realtime.access import Actor
from realtime.database import new_id, now
from realtime.looking import EACH, Found, bare, words_of
from resources.facilities import FacilityKind, add_facility
from resources.search import search_facilities, search_staff, search_units
from tests.builders import City, an_assignment, an_incident
from tests.staff.people import a_member, a_stint
from web.sources import SOURCES

SECRET = "SEG-07"


async def look(session: AsyncSession, actor: Actor, query: str) -> list[Found]:
    """Everything that a query finds."""
    return [one for source in SOURCES for one in await source(session, actor, words_of(query))]


async def codes(session: AsyncSession, actor: Actor, query: str) -> list[str]:
    return [one.title for one in await search_incidents(session, actor, words_of(query))]


async def at(session: AsyncSession, actor: Actor, place: str, summary: str = "", type_code: str = "MET-01") -> Incident:
    incident = await an_incident(session, actor, type_code=type_code)
    incident.place, incident.summary = place, summary
    await session.flush()
    return incident


async def test_an_incident_by_its_code_place_type_and_summary_without_accents(
    session: AsyncSession, city: City
) -> None:
    actor = city.actor("dispatcher")
    one = await at(session, actor, "Córdoba 1234", "cruza la ñandubay entera")
    await at(session, actor, "Mendoza 900")
    number = one.code.split("-")[1].lstrip("0")
    for query in ("cordoba", "CÓRDOBA 1234", "nandubay", "arbol cordoba", one.code, f"#{number}", number.zfill(2)):
        assert one.code in await codes(session, actor, query), query
    for query in ("cordoba mendoza", "zzz", "cor%", "c_rdoba", "incendio cordoba"):
        assert one.code not in await codes(session, actor, query), query


async def test_past_ones_are_found_after_open_ones_and_six_are_enough(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    made = [await at(session, actor, "Pasaje Escondido 55") for _ in range(EACH + 2)]
    gone = made[-1]
    await close_incident(session, actor, gone.id, disposition="resolved")
    await take_off_board(session, actor, gone)
    found = await codes(session, actor, "escondido")
    assert len(found) == EACH
    assert gone.code not in found
    assert await codes(session, actor, gone.code) == [gone.code]


async def test_what_is_masked_is_not_found_by_anything_of_it(session: AsyncSession, city: City) -> None:
    trained, untrained = city.actor("trained"), city.actor("dispatcher")
    one = await at(session, trained, "Pasaje Reservado 77", "palabra secretísima", SECRET)
    number = one.code.split("-")[1].lstrip("0").zfill(2)
    for query in (one.code, f"#{number}", "reservado 77", "secretisima", "violencia genero"):
        assert one.code in await codes(session, trained, query), query
        found = await look(session, untrained, query)
        assert str(one.id) not in {str(each.id) for each in found}, query
        assert not any(each.kind == "incident" for each in found), query


@pytest.mark.parametrize("secret", [True, False])
async def test_everybody_finds_what_he_sees_whole_and_nothing_else(
    session: AsyncSession, city: City, secret: bool
) -> None:
    trained = city.actor("trained")
    one = await at(session, trained, "Pasaje de Nadie 3", type_code=SECRET if secret else "MET-01")
    await an_assignment(session, trained, one, city.units["M1"])
    sent = {"crew m1"}
    allowed = {"trained", "supervisor"} | sent
    if not secret:
        allowed |= {"call_taker", "dispatcher", "government"}
    for name, actor in city.everybody.items():
        assert (one.code in await codes(session, actor, "pasaje nadie")) is (name in allowed), name


async def test_what_becomes_secret_is_found_no_more(session: AsyncSession, city: City) -> None:
    trained, untrained = city.actor("trained"), city.actor("dispatcher")
    one = await at(session, trained, "Pasaje Cambiante 9")
    assert await codes(session, untrained, "cambiante") == [one.code]
    await reclassify(session, trained, one.id, type_code=SECRET)
    assert await codes(session, untrained, "cambiante") == []


async def test_units_by_call_sign_with_and_without_what_stands_between(session: AsyncSession, city: City) -> None:
    for query in ("m1", "M-1", "m 1"):
        first = (await search_units(session, city.actor("dispatcher"), words_of(query)))[0]
        assert (first.title, first.facts["status"]) == ("M1", "available")
    assert [one.title for one in await search_units(session, city.actor("crew m2"), words_of("m1"))] == []
    assert [one.title for one in await search_units(session, city.actor("crew m2"), words_of("m2"))] == ["M2"]
    assert await search_units(session, city.everybody["neighbour"], words_of("m1")) == []


async def test_staff_only_for_those_who_see_names(session: AsyncSession, city: City) -> None:
    member = await a_member(session, city, name="Íñigo Zúñiga")
    await a_stint(session, member, city.units["M1"], now() - dt.timedelta(hours=1))
    for name, actor in city.everybody.items():
        found = await search_staff(session, actor, words_of("zuniga"))
        if name in {"call_taker", "dispatcher", "trained", "supervisor", "government", "administrator"}:
            assert [(one.title, one.facts["unit_id"]) for one in found] == [(member.name, str(city.units["M1"]))], name
            assert member.phone not in str(found)
        else:
            assert found == [], name


async def test_facilities_by_name_and_address_cameras_only_for_the_room(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    here = Point(-60.65, -32.95)
    for kind, name in ((FacilityKind.HOSPITAL, "Hospital Eva Perón"), (FacilityKind.CAMERA, "Cámara Perón y Ríos")):
        await add_facility(session, boss, new_id(), kind=kind, name=name, place=here, address="Av. del Rosario 1")
    for name, actor in city.everybody.items():
        found = {one.facts["kind"] for one in await search_facilities(session, actor, words_of("peron"))}
        assert ("hospital" in found) is (name != "neighbour"), name
        assert ("camera" in found) is (actor.role in {"call_taker", "dispatcher", "supervisor", "administrator"}), name
    assert [one.title for one in await search_facilities(session, boss, words_of("eva rosario"))] == [
        "Hospital Eva Perón"
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=st.text(max_size=40))
def test_words_are_bare_and_few(query: str) -> None:
    words = words_of(query)
    assert len(words) <= 6
    assert all(word == bare(word) and not any(symbol.isspace() for symbol in word) for word in words)


@pytest.mark.parametrize("query", ["", " ", "a", "%", "_ _", "# #", "!!!"])
async def test_too_little_finds_nothing(session: AsyncSession, city: City, query: str) -> None:
    assert words_of(query) == ()


@pytest.mark.parametrize("query", ["%%aa", "a_b", "\\x \\", "'; --x", "ß ﬁ İ", "🚒 ab", "#99999999999999", "2026-1"])
async def test_odd_letters_are_only_letters(session: AsyncSession, city: City, query: str) -> None:
    await an_incident(session, city.actor("dispatcher"))
    assert isinstance(await look(session, city.actor("supervisor"), query), list)
