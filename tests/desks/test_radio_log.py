"""The radio log: written once, tied to what its unit is doing, struck and never deleted, as secret as its incident."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.incident import reclassify
from incidents.past import look_at_past
from incidents.radio_lines import RadioLine, audience_of, board, visible_to
from incidents.radio_log import LineAlreadyStruck, log_radio, radio_log, strike_radio, take_off_air
from incidents.timeline import timeline
from incidents.undo import Undo, undo
from realtime.access import Actor, Permission
from realtime.database import new_id, now
from realtime.errors import NotAllowed, NotFound
from realtime.journal import Entry
from tests.builders import City, an_assignment, an_incident
from tests.conftest import SignIn
from tests.scenes.desks import SECRET, a_line


async def texts(session: AsyncSession, actor: Actor, **wanted: Any) -> list[str]:
    return [line.text for line in await radio_log(session, actor, limit=50, **wanted)]


async def test_a_line_belongs_to_what_its_unit_is_doing_and_stands_in_its_timeline_once(
    session: AsyncSession, city: City
) -> None:
    dispatcher = city.actor("dispatcher")
    incident = await an_incident(session, dispatcher)
    await an_assignment(session, dispatcher, incident, city.units["M1"])
    line = await log_radio(session, dispatcher, new_id(), text="llegando", unit_id=city.units["M1"])
    assert (line.incident_id, line.incident_code, line.call_sign) == (incident.id, incident.code, "M1")
    alone = await log_radio(session, dispatcher, new_id(), text="pinchamos", unit_id=city.units["M1"], tie=False)
    free = await log_radio(session, dispatcher, new_id(), text="base a todos")
    assert (alone.incident_id, free.unit_id, free.incident_id) == (None, None, None)

    told = [entry for entry in await timeline(session, dispatcher, incident.id) if entry["kind"].startswith("radio.")]
    assert [(entry["kind"], entry["radio"]["text"]) for entry in told] == [("radio.logged", "llegando")]
    await strike_radio(session, dispatcher, line.id, reason="era M2")
    told = [entry for entry in await timeline(session, dispatcher, incident.id) if entry["kind"].startswith("radio.")]
    assert [entry["kind"] for entry in told] == ["radio.logged", "radio.struck"]
    assert all(entry["radio"]["struck"]["reason"] == "era M2" for entry in told)
    kept = (await session.scalars(select(Entry.detail).where(Entry.kind.startswith("radio.")))).all()
    assert "llegando" not in str(kept)  # words stand in the line alone, never in the journal's details


async def test_the_book_is_filtered_and_paged_without_losing_a_line(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    said = [f"parte número {number}" for number in range(7)]
    for number, words in enumerate(said):
        await log_radio(session, actor, new_id(), text=words, unit_id=city.units["M1" if number % 2 else "M2"])
    await session.execute(update(RadioLine).values(logged_at=now()))  # all at one instant
    read: list[str] = []
    before: UUID | None = None
    while page := await radio_log(session, actor, limit=3, before=before):
        read += [line.text for line in page]
        before = page[-1].id
    assert sorted(read) == said
    assert await texts(session, actor, unit_id=city.units["M1"]) == [said[5], said[3], said[1]]
    assert await texts(session, actor, words="NUMERO 4 m2") == [said[4]]
    assert await texts(session, actor, words="número%") == []
    assert await texts(session, actor, until=now() - dt.timedelta(minutes=1)) == []


async def test_who_wrote_it_may_strike_it_and_so_may_who_strikes_notes(session: AsyncSession, city: City) -> None:
    taker, dispatcher = city.actor("call_taker"), city.actor("dispatcher")
    mine = await log_radio(session, taker, new_id(), text="uno")
    theirs = await log_radio(session, dispatcher, new_id(), text="dos")
    with pytest.raises(NotAllowed):
        await strike_radio(session, taker, theirs.id, reason="no")
    await strike_radio(session, taker, mine.id, reason="repetida")
    with pytest.raises(LineAlreadyStruck):
        await strike_radio(session, dispatcher, mine.id, reason="otra vez")
    assert await texts(session, taker) == ["dos", "uno"]  # crossed out is not gone


async def test_taken_back_it_is_struck(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    line = await log_radio(session, actor, new_id(), text="uno")
    await undo(session, actor, (await session.scalars(select(Undo.id))).one())
    await session.refresh(line)
    assert (line.struck_by, line.struck_reason, line.text) == ("dispatcher", "", "uno")


async def test_a_protected_incidents_line_is_nowhere_for_who_may_not_see_it(session: AsyncSession, city: City) -> None:
    trained, untrained, began = city.actor("trained"), city.actor("dispatcher"), now()
    incident = await an_incident(session, trained, type_code=SECRET)
    await an_assignment(session, trained, incident, city.units["M1"])
    line = await log_radio(session, trained, new_id(), text="la víctima está bien", unit_id=city.units["M1"])
    assert line.incident_id == incident.id  # though nobody said so

    async def seen_by(actor: Actor) -> set[str]:
        past = await look_at_past(session, actor, since=began, until=now() + dt.timedelta(seconds=1))
        replayed = {one.subject for one in past.lines if one.feature and one.subject == line.subject}
        live = {one["properties"]["subject"] for one in await board(session, actor)}
        listed = {one.subject for one in await radio_log(session, actor, limit=50)}
        found = {one.subject for one in await radio_log(session, actor, limit=50, words="víctima")}
        assert live == listed == found
        return live | replayed

    assert await seen_by(trained) == {line.subject}
    assert await seen_by(untrained) == set()
    with pytest.raises(NotFound):
        await strike_radio(session, untrained, line.id, reason="?")
    with pytest.raises(NotFound):
        await log_radio(session, untrained, new_id(), text="x", incident_id=incident.id)
    # What somebody writes who may not know of it is tied to nothing, and tells nobody what the unit is doing.
    assert (
        await log_radio(session, untrained, new_id(), text="víctima, dicen", unit_id=city.units["M1"])
    ).incident_id is None

    open_again = await reclassify(session, trained, incident.id, type_code="MET-01")
    assert open_again.sensitivity == 0
    assert line.subject in await seen_by(untrained)
    await reclassify(session, trained, incident.id, type_code=SECRET)
    assert line.subject not in await seen_by(untrained)


async def test_rows_and_queries_agree_about_everybody(session: AsyncSession, city: City) -> None:
    trained = city.actor("trained")
    for level in range(4):
        (await a_line(session, trained, city)).sensitivity = level
    await session.flush()
    lines = (await session.scalars(select(RadioLine))).all()
    for name, actor in city.everybody.items():
        by_row = {line.id for line in lines if not audience_of(line).isdisjoint(actor.keys)}
        assert set(await session.scalars(select(RadioLine.id).where(visible_to(actor)))) == by_row, name
        assert bool(by_row) == actor.may(Permission.RADIO_LOG), name


async def test_after_an_hour_it_leaves_the_boards_and_stays_in_the_book(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    old, fresh = await a_line(session, actor, city), await a_line(session, actor, city)
    old.logged_at = now() - dt.timedelta(minutes=61)
    await session.flush()
    await take_off_air(session)
    assert [one["properties"]["id"] for one in await board(session, actor)] == [str(fresh.id)]
    assert len(await radio_log(session, actor, limit=50)) == 2
    await strike_radio(session, actor, old.id, reason="tarde")
    assert len(await board(session, actor)) == 1


async def test_sent_twice_it_is_written_once_and_what_is_wrong_is_said(signed_in: SignIn, city: City) -> None:
    body = {"id": str(new_id()), "unit_id": str(city.units["M1"]), "text": "llegando"}
    log = "/api/v1/radio-log"
    async with signed_in("dispatcher") as desk:
        first, second = [await desk.post(log, json=body) for _ in range(2)]
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json()
        assert (first.json()["call_sign"], first.json()["by"]) == ("M1", "dispatcher")
        assert first.json()["undo"]["id"]
        book = (await desk.get(log)).json()
        assert [line["text"] for line in book["lines"]] == ["llegando"]
        assert book["next"] is None
        for wrong, status in (
            ({"text": "   "}, 422),
            ({"text": "x" * 2001}, 422),
            ({"text": "otro"}, 422),
            ({"id": str(new_id()), "unit_id": str(new_id())}, 404),
            ({"id": str(new_id()), "incident_id": str(new_id())}, 404),
        ):
            said = await desk.post(log, json={**body, **wrong})
            assert (said.status_code, bool(said.json()["title"])) == (status, True), wrong
