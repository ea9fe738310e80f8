"""Two dispatchers on one incident: what both change is asked about, the rest is merged; one of them handles it."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import close_incident
from incidents.handling import CannotHandle, hand_incident, possible_handlers
from incidents.incident import Incident, reclassify, relocate
from incidents.meanwhile import ChangedMeanwhile
from incidents.presence import GONE_AFTER, Presence, be_present
from incidents.summary import summarise
from incidents.timeline import timeline
from incidents.undo import offered, undo
from realtime.database import new_id, now
from realtime.errors import NotAllowed, NotFound
from tests.builders import City, an_assignment, an_incident


async def test_a_priority_and_a_type_changed_by_two_are_both_kept(session: AsyncSession, city: City) -> None:
    one, other = city.actor("dispatcher"), city.actor("supervisor")
    incident = await an_incident(session, one)
    await reclassify(session, other, incident.id, type_code="MET-01", priority=3, was={"type_code": "SIN-01"})
    await reclassify(session, one, incident.id, priority=2, was={"priority": 3})
    assert (incident.type_code, incident.priority) == ("MET-01", 2)


async def test_a_field_that_both_changed_is_asked_about(session: AsyncSession, city: City) -> None:
    one, other = city.actor("dispatcher"), city.actor("supervisor")
    incident = await an_incident(session, one)
    began = incident.priority
    await reclassify(session, other, incident.id, priority=3)
    with pytest.raises(ChangedMeanwhile) as told:
        await reclassify(session, one, incident.id, priority=4, was={"priority": began})
    assert told.value.facts["by"] == "supervisor"
    assert told.value.facts["fields"] == {"priority": 3}
    assert incident.priority == 3
    # Who wants the same has nothing to decide, and who says what it says now decides.
    await reclassify(session, one, incident.id, priority=3, was={"priority": began})
    await reclassify(session, one, incident.id, priority=4, was={"priority": 3})
    assert incident.priority == 4


async def test_a_place_that_both_moved_is_asked_about(session: AsyncSession, city: City) -> None:
    one, other = city.actor("dispatcher"), city.actor("supervisor")
    incident = await an_incident(session, one)
    was = {"place": incident.place, "location": [city.west.x, city.west.y]}
    await relocate(session, other, incident.id, location=city.east, place="Salta 100")
    with pytest.raises(ChangedMeanwhile) as told:
        await relocate(session, one, incident.id, location=city.west, place="Mitre 1", was=was)
    assert told.value.facts["fields"] == {"place": "Salta 100", "location": [city.east.x, city.east.y]}


async def test_a_summary_is_corrected_and_its_former_words_stay(session: AsyncSession, city: City) -> None:
    one, other = city.actor("dispatcher"), city.actor("supervisor")
    incident = await an_incident(session, one, summary="dos autos")
    await summarise(session, other, incident.id, summary="tres autos", was="dos autos")
    with pytest.raises(ChangedMeanwhile):
        await summarise(session, one, incident.id, summary="un auto y una moto", was="dos autos")
    last = (await timeline(session, one, incident.id))[-1]
    assert (last["kind"], last["actor"]["name"], last["note"]["text"]) == (
        "incident.summarised",
        "supervisor",
        "dos autos",
    )

    await summarise(session, one, incident.id, summary="tres autos y una moto", was="tres autos")
    offer = offered(session)
    assert offer is not None
    await undo(session, one, offer["id"])
    assert incident.summary == "tres autos"


async def test_the_first_dispatcher_who_acts_handles_it(session: AsyncSession, city: City) -> None:
    taken_by_phone = await an_incident(session, city.actor("call_taker"))
    assert taken_by_phone.handler_id is None
    await an_assignment(session, city.actor("dispatcher"), taken_by_phone, city.units["M1"])
    assert taken_by_phone.handler == "dispatcher"
    await an_assignment(session, city.actor("supervisor"), taken_by_phone, city.units["M2"])
    assert taken_by_phone.handler == "dispatcher", "helping is not taking"
    assert (await an_incident(session, city.actor("supervisor"))).handler == "supervisor"


async def test_it_is_taken_and_given(session: AsyncSession, city: City) -> None:
    one, other = city.actor("dispatcher"), city.actor("supervisor")
    ids = {name: city.people[name][0] for name in ("dispatcher", "supervisor", "trained", "call_taker")}
    incident = await an_incident(session, one)
    await hand_incident(session, other, incident.id, to=ids["supervisor"], was=ids["dispatcher"])
    assert incident.handler == "supervisor"
    with pytest.raises(ChangedMeanwhile) as told:
        await hand_incident(session, one, incident.id, to=ids["trained"], was=ids["dispatcher"])
    assert told.value.facts["fields"] == {"handler_id": str(ids["supervisor"])}
    with pytest.raises(CannotHandle):
        await hand_incident(session, one, incident.id, to=ids["call_taker"])

    protected = await an_incident(session, city.actor("trained"), type_code="SEG-07")
    assert {person.name for person in await possible_handlers(session, other, protected.id)} == {
        "supervisor",
        "trained",
    }
    with pytest.raises(CannotHandle):
        await hand_incident(session, other, protected.id, to=ids["dispatcher"])
    with pytest.raises(NotFound):
        await possible_handlers(session, one, protected.id)

    await close_incident(session, other, incident.id, disposition="resolved")
    assert (await session.get_one(Incident, incident.id)).handler == "supervisor"


async def test_who_is_there_is_told_while_they_are(session: AsyncSession, city: City) -> None:
    one, other = city.actor("dispatcher"), city.actor("supervisor")
    incident, elsewhere = await an_incident(session, one), await an_incident(session, one)
    mine, theirs = new_id(), new_id()
    assert await be_present(session, one, mine, incident_id=incident.id) == []
    here = await be_present(session, other, theirs, incident_id=incident.id, editing="summary")
    assert [(each.name, each.editing) for each in here] == [("dispatcher", "")]
    here = await be_present(session, one, mine, incident_id=incident.id)
    assert [(each.name, each.editing) for each in here] == [("supervisor", "summary")]

    await be_present(session, other, theirs, incident_id=elsewhere.id)
    assert await be_present(session, one, mine, incident_id=incident.id) == []
    await be_present(session, other, theirs, incident_id=incident.id)
    await session.execute(update(Presence).values(seen_at=now() - GONE_AFTER - dt.timedelta(seconds=1)))
    assert await be_present(session, one, mine, incident_id=incident.id) == []


async def test_nobody_learns_of_what_they_may_not_see(session: AsyncSession, city: City) -> None:
    protected = await an_incident(session, city.actor("trained"), type_code="SEG-07")
    await be_present(session, city.actor("trained"), new_id(), incident_id=protected.id)
    with pytest.raises(NotFound):
        await be_present(session, city.actor("dispatcher"), new_id(), incident_id=protected.id)
    with pytest.raises(NotAllowed):
        await be_present(session, city.actor("crew m1"), new_id(), incident_id=None)


async def test_a_window_is_one_persons(session: AsyncSession, city: City) -> None:
    incident = await an_incident(session, city.actor("dispatcher"))
    seat = new_id()
    await be_present(session, city.actor("dispatcher"), seat, incident_id=incident.id)
    await be_present(session, city.actor("supervisor"), seat, incident_id=None)
    kept = (await session.scalars(select(Presence).where(Presence.seat == seat))).one()
    assert (kept.person_id, kept.incident_id) == (city.people["dispatcher"][0], incident.id)
