"""The situation from the database: of now, of any past moment, and what a reader may know of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from geo.closures import amend_closure, lift_closure
from incidents.assignments import AssignmentStatus
from incidents.coverage_targets import end_target, set_target
from incidents.dispatch import OnBusy, Sending, dispatch_units, report_duty, report_status, stand_down
from incidents.dispatch_policy import publish_policy
from incidents.incident import reclassify, relocate
from incidents.questions import question, question_at
from incidents.recommendation import recommend
from incidents.run_cards import CardLevel, Need, RunCard
from incidents.situation import Situation, situation
from incidents.undo import offered, undo
from realtime.access import VIGIA
from realtime.database import new_id, now
from resources.units import Duty, UnitKind, add_unit, retire_unit
from tests.builders import City, a_closure, an_assignment, an_incident
from tests.recommendation.conftest import ZONE, place
from tests.travel.towns import line, spot

Act = Callable[[AsyncSession, City], Awaitable[Any]]
ACTS: dict[str, Act] = {}


def act(function: Act) -> Act:
    """Something that happens before, or after, the moment that is remembered."""
    ACTS[function.__name__] = function
    return function


@act
async def nothing(session: AsyncSession, city: City) -> None:
    pass


@act
async def a_unit_is_sent_and_arrives(session: AsyncSession, city: City) -> None:
    sent = await an_assignment(
        session, city.actor("trained"), await an_incident(session, city.actor("trained")), city.units["M1"]
    )
    await report_status(session, city.actor("trained"), sent.id, status=AssignmentStatus.EN_ROUTE)
    await report_status(session, city.actor("trained"), sent.id, status=AssignmentStatus.ON_SCENE)


@act
async def a_unit_is_sent_and_comes_free(session: AsyncSession, city: City) -> None:
    sent = await an_assignment(
        session, city.actor("trained"), await an_incident(session, city.actor("trained")), city.units["M2"]
    )
    await stand_down(session, city.actor("trained"), sent.id, reason="no hace falta")


@act
async def two_jobs_and_the_second_comes_to_lead(session: AsyncSession, city: City) -> None:
    trained = city.actor("trained")
    first, second = await an_incident(session, trained), await an_incident(session, trained, type_code="SIN-02")
    sent = await an_assignment(session, trained, first, city.units["T1"])
    await dispatch_units(session, trained, second.id, [Sending(new_id(), city.units["T1"], OnBusy.ADD)])
    await stand_down(session, trained, sent.id, reason="resuelto")


@act
async def duty_changes_twice(session: AsyncSession, city: City) -> None:
    for duty in (Duty.BREAK, Duty.OUT_OF_SERVICE):
        await report_duty(session, city.actor("trained"), city.units["P1"], duty=duty)


@act
async def duty_is_changed_and_taken_back(session: AsyncSession, city: City) -> None:
    await report_duty(session, city.actor("trained"), city.units["M2"], duty=Duty.BREAK)
    offer = offered(session)
    assert offer is not None
    await undo(session, city.actor("trained"), offer["id"])


@act
async def one_is_retired_and_one_comes(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await retire_unit(session, boss, city.units["M2"])
    await add_unit(
        session,
        boss,
        new_id(),
        call_sign="M3",
        kind=UnitKind.PATROL,
        organization_id=city.organizations["municipality"],
    )


@act
async def everybody_drives_on(session: AsyncSession, city: City) -> None:
    await place(session, city, "M1", 5, 5, age=0)
    await place(session, city, "M2", 6, 5, age=0)


@act
async def a_street_is_closed(session: AsyncSession, city: City) -> None:
    await a_closure(session, city.actor("trained"), shape=line((1.5, -1), (1.5, 9)))


@act
async def what_is_wanted_changes(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    target = await set_target(session, boss, new_id(), capability="GUM", minutes=8, minimum=0.9)
    await set_target(session, boss, new_id(), capability="GUM", minutes=6, minimum=0.8, replaces=target.id)
    await publish_policy(session, boss, {"last_s": 90})


BEFORE = ("nothing", "a_unit_is_sent_and_arrives", "duty_changes_twice", "two_jobs_and_the_second_comes_to_lead")


@pytest.mark.parametrize(("before", "later"), [(b, a) for b in BEFORE for a in sorted(ACTS) if a != b])
async def test_a_past_moment_is_what_it_was_when_it_was_now(
    town: AsyncSession, city: City, before: str, later: str
) -> None:
    """The heart of it: what was live at t is what is told of t, whatever has happened since."""
    await ACTS[before](town, city)
    live = await situation(town, VIGIA, timezone=ZONE)
    await ACTS[later](town, city)
    past = await situation(town, VIGIA, live.at, timezone=ZONE)
    for was, told in zip(live.units, past.units, strict=True):
        assert told == was
    assert past == live
    assert past.unknown == ()


async def test_a_closure_that_is_lifted_since_barred_the_way_then(town: AsyncSession, city: City) -> None:
    closure = await a_closure(town, city.actor("trained"))
    live = await situation(town, VIGIA, timezone=ZONE)
    await lift_closure(town, city.actor("trained"), closure.id)
    past = await situation(town, VIGIA, live.at, timezone=ZONE)
    assert [one.id.partition(":")[0] for one in past.travel.barriers] == [str(closure.id)]
    assert past.unknown == ()
    assert (await situation(town, VIGIA, timezone=ZONE)).travel.barriers == []


async def test_what_cannot_be_known_any_more_is_named(town: AsyncSession, city: City) -> None:
    closure = await a_closure(town, city.actor("trained"))
    moment = now()
    await amend_closure(town, city.actor("trained"), closure.id, shape=line((1.5, -1), (1.5, 9)))
    assert (await situation(town, VIGIA, moment, timezone=ZONE)).unknown == ("closures",)
    old = await situation(town, VIGIA, now() - dt.timedelta(days=40), timezone=ZONE)
    assert "positions" in old.unknown
    assert old.units == (), "they were not there yet"


async def test_nothing_of_a_protected_incident_is_in_what_a_dispatcher_is_told(town: AsyncSession, city: City) -> None:
    hidden = await an_incident(town, city.actor("trained"), type_code="SEG-07")
    await an_assignment(town, city.actor("trained"), hidden, city.units["M1"])

    def job(found: Situation) -> Any:
        return next(unit.jobs[0] for unit in found.units if unit.call_sign == "M1")

    told = job(await situation(town, city.actor("dispatcher"), timezone=ZONE))
    assert (told.code, told.priority) == (None, None)
    assert job(await situation(town, city.actor("trained"), timezone=ZONE)).code == hidden.code
    past = job(await situation(town, city.actor("dispatcher"), now(), timezone=ZONE))
    assert (past.code, past.priority) == (None, None)


async def test_only_the_municipality_is_sent(town: AsyncSession, city: City) -> None:
    found = {unit.call_sign: unit.ours for unit in (await situation(town, VIGIA, timezone=ZONE)).units}
    assert found == {"M1": True, "M2": True, "T1": True, "P1": False}


async def test_a_call_is_asked_about_as_it_was_then(town: AsyncSession, city: City) -> None:
    trained = city.actor("trained")
    incident = await an_incident(town, trained, type_code="SIN-01", place=spot(1, 2))
    moment = now()
    await reclassify(town, trained, incident.id, type_code="SIN-02")
    await relocate(town, trained, incident.id, location=spot(7, 8))
    call, card, level = await question_at(town, trained, incident.id, moment)
    assert (call.type_code, call.priority, call.place.equals_exact(spot(1, 2), 1e-6)) == ("SIN-01", 1, True)
    assert (card.type_code if card else None, level) == ("SIN-01", 1)
    here, _, _ = await question(town, trained, incident.id)
    assert (here.type_code, here.priority) == ("SIN-02", 3)


async def test_the_same_answer_then_and_now(town: AsyncSession, city: City) -> None:
    """What would it have sent? What it did propose."""
    incident = await an_incident(town, city.actor("trained"), place=spot(2, 3))
    card = RunCard(None, "SIN-01", 1, 1, None, (CardLevel((Need("GUM", 2),)),))
    call, _, _ = await question(town, city.actor("trained"), incident.id)
    live = await situation(town, VIGIA, timezone=ZONE)
    proposed = recommend(live, call, card, 1)
    assert [pick.option.unit.call_sign for pick in proposed.picks] == ["M2", "M1"]
    await ACTS["everybody_drives_on"](town, city)
    await report_duty(town, city.actor("trained"), city.units["M2"], duty=Duty.OUT_OF_SERVICE)
    past = await situation(town, VIGIA, live.at, timezone=ZONE)
    assert recommend(past, call, card, 1) == replace(proposed, unknown=())


async def test_a_target_that_ended_is_judged_only_then(town: AsyncSession, city: City) -> None:
    target = await set_target(town, city.actor("supervisor"), new_id(), kind="patrol", minutes=8, minimum=0.9)
    moment = now()
    await end_target(town, city.actor("supervisor"), target.id)
    assert [one.id for one in (await situation(town, VIGIA, moment, timezone=ZONE)).targets] == [target.id]
    assert (await situation(town, VIGIA, timezone=ZONE)).targets == ()
