"""A grave incident is noticed, seats tell what they let hear, and what a person likes follows to another seat."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarm_report import alarm_report
from incidents.assignments import AssignmentStatus
from incidents.closing import close_incident, reopen_incident
from incidents.dispatch import IncidentOver, report_status
from incidents.heard import hear_incident, is_heard
from incidents.incident import reclassify
from incidents.soundings import Earcon, Sounding, Told, keep_soundings, sound_tests, sweep_soundings
from realtime.database import Sessions, new_id, now, transaction
from realtime.errors import NotAllowed, NotFound
from realtime.journal import Entry
from tests.builders import City, an_assignment, an_incident
from tests.conftest import SignIn
from tests.scenes.alarms import an_alarm

API = "/api/v1"


async def test_noticing_is_said_once_and_is_not_for_ever(session: AsyncSession, city: City) -> None:
    desk = city.actor("dispatcher")
    incident = await an_incident(session, desk)
    for _ in range(2):
        await hear_incident(session, desk, incident.id)
    told = select(func.count()).where(Entry.kind == "incident.heard", Entry.incident_id == incident.id)
    assert (is_heard(incident), await session.scalar(told)) == (True, 1)
    sent = await an_assignment(session, desk, incident, city.units["M1"])
    assert is_heard(incident)
    await report_status(session, desk, sent.id, status=AssignmentStatus.REFUSED, reason="sin nafta")
    await session.refresh(incident)
    assert not is_heard(incident)  # its last unit left: it is new to everybody
    await hear_incident(session, desk, incident.id)
    await close_incident(session, desk, incident.id, disposition="no_action")
    with pytest.raises(IncidentOver):
        await hear_incident(session, desk, incident.id)
    await reopen_incident(session, city.actor("supervisor"), incident.id, reason="sigue")
    assert not is_heard(incident)


async def test_what_becomes_graver_is_new_again(session: AsyncSession, city: City) -> None:
    desk = city.actor("dispatcher")
    incident = await an_incident(session, desk)
    await reclassify(session, desk, incident.id, type_code=incident.type_code, priority=3)
    await hear_incident(session, desk, incident.id)
    await reclassify(session, desk, incident.id, type_code=incident.type_code, priority=4)
    assert is_heard(incident)
    await reclassify(session, desk, incident.id, type_code=incident.type_code, priority=1)
    assert not is_heard(incident)


async def test_who_may_not_know_it_cannot_say_that_it_was_noticed(session: AsyncSession, city: City) -> None:
    secret = await an_incident(session, city.actor("trained"), type_code="SEG-07")
    with pytest.raises(NotFound):
        await hear_incident(session, city.actor("dispatcher"), secret.id)
    with pytest.raises(NotAllowed):
        await hear_incident(session, city.actor("call_taker"), secret.id)


async def test_seats_tell_once_and_nothing_of_what_their_person_may_not_know(session: AsyncSession, city: City) -> None:
    trained, desk = city.actor("trained"), city.actor("dispatcher")
    secret = await an_alarm(session, city, type_code="SEG-07")
    open_ = await an_incident(session, desk)
    told = [
        Told(new_id(), Earcon.UNIT, now(), secret.subject),
        Told(new_id(), Earcon.P1, now(), open_.subject),
        Told(new_id(), Earcon.UNIT, now(), f"alarm:{new_id()}"),
        Told(new_id(), Earcon.SEAT, now() + dt.timedelta(hours=3)),
    ]
    assert await keep_soundings(session, desk, told) == 2
    assert await keep_soundings(session, desk, told) == 0
    assert await keep_soundings(session, trained, told) == 1
    latest = await session.scalar(select(func.max(Sounding.at)))
    assert latest is not None
    assert latest <= now()  # a clock that is ahead is not believed
    kept = dict((await session.execute(select(Sounding.about, Sounding.sensitivity))).all())
    assert kept == {open_.subject: open_.sensitivity, "": 0, secret.subject: 3}


async def test_the_report_says_week_by_week_what_one_person_had_to_hear(session: AsyncSession, city: City) -> None:
    desk, boss = city.actor("dispatcher"), city.actor("supervisor")
    alarm = await an_alarm(session, city)
    seats = [Told(new_id(), Earcon.SEAT, now()) for _ in range(4)]
    rest = [Told(new_id(), Earcon.UNIT, now(), alarm.subject, sounded) for sounded in (True, True, True, False)]
    links = [Told(new_id(), Earcon.LOST, now()), Told(new_id(), Earcon.TEST, now())]
    await keep_soundings(session, desk, [*seats, *rest, *links])
    this, last = (await alarm_report(session, boss, weeks=2))["weeks"]
    assert {name: this[name] for name in ("raised", "unanswered", "heard", "silenced", "seats")} == {
        "raised": 1, "unanswered": 1, "heard": 3, "silenced": 1, "seats": 4,
    }  # fmt: skip
    assert (this["heard_per_ten_minutes"], last["heard_per_ten_minutes"], last["raised"]) == (0.75, None, 0)
    assert this["since"] == last["until"]
    await session.execute(update(Sounding).values(sensitivity=3))
    assert (await alarm_report(session, city.actor("administrator")))["weeks"][0]["heard"] == 0
    await session.execute(update(Sounding).values(at=now() - dt.timedelta(weeks=30)))
    await sweep_soundings(session)
    assert await session.scalar(select(func.count()).select_from(Sounding)) == 0


async def test_a_supervisor_sees_whose_sound_was_not_tried(sessions: Sessions, city: City, signed_in: SignIn) -> None:
    async with signed_in("dispatcher") as desk, signed_in("call_taker"), signed_in("supervisor") as boss:
        seats = (await boss.get(f"{API}/soundings/tests")).json()["seats"]
        assert {"dispatcher", "call_taker", "supervisor"} <= {one["name"] for one in seats}
        assert {one["tested_at"] for one in seats} == {None}
        tried: dict[str, Any] = {"id": str(new_id()), "earcon": "test", "at": now().isoformat(), "sounded": False}
        assert (await desk.post(f"{API}/soundings", json={"soundings": [tried]})).json() == {"kept": 1}
        seats = (await boss.get(f"{API}/soundings/tests")).json()["seats"]
        assert (seats[-1]["name"], seats[-1]["heard"]) == ("dispatcher", False)
        bad = [{"earcon": "bang"}, {"about": "unit:1"}, {"at": "ayer"}, {"id": "x"}]
        for wrong in bad:
            assert (await desk.post(f"{API}/soundings", json={"soundings": [tried | wrong]})).status_code == 422, wrong
    async with transaction(sessions) as session:
        assert await sound_tests(session, city.actor("administrator"))


async def test_what_a_person_likes_follows_to_another_seat(city: City, signed_in: SignIn) -> None:
    async with signed_in("dispatcher") as one, signed_in("dispatcher") as other, signed_in("supervisor") as boss:
        assert (await one.get(f"{API}/preferences")).json()["volume"] == 80
        likes = {"volume": 35, "letters": False, "keys": {"a": "q"}, "theme": "light", "vibration": True, "desk": "Sur"}
        assert (await one.post(f"{API}/preferences", json=likes)).status_code == 200
        found = (await other.get(f"{API}/preferences")).json()
        assert {name: found[name] for name in likes} == likes
        assert (await boss.get(f"{API}/preferences")).json()["volume"] == 80
        for bad in (
            {"volume": 101},
            {"keys": {"a": "q", "b": "q"}},
            {"keys": {"a": "qq"}},
            {"theme": "pink"},
            {"x": 1},
        ):
            assert (await one.post(f"{API}/preferences", json=bad)).status_code == 422, bad
