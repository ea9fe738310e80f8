"""Nobody answers: the next one is called, in the order of who is on call. Answering, shelving and coming back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

import incidents.alarms
from incidents.alarms import (
    Alarm,
    AlarmKind,
    AlarmState,
    Step,
    answer_alarm,
    board,
    raise_alarm,
    shelve_alarm,
    to_be_told,
)
from incidents.watchdogs import amend_rule, look
from realtime.access import Role
from realtime.database import new_id, now
from realtime.errors import IllegalMove, NotAllowed, VersionMismatch
from resources.on_call import OnCall
from tests.alarms.clock import Clockwork, age, alarms
from tests.alarms.test_watchdogs import sent
from tests.builders import City

CALLED = [
    OnCall(new_id(), name, title, phone, rank)
    for rank, (name, title, phone) in enumerate(
        [("Marta Ruiz", "Directora", "341 555 0001"), ("Raúl Vera", "Secretario", "341 555 0002")], start=1
    )
]


async def _order(session: AsyncSession, at: dt.datetime) -> Sequence[OnCall]:
    return CALLED


@pytest.fixture
async def alarm(session: AsyncSession, city: City, clockwork: Clockwork) -> Alarm:
    """A P1 that its unit has not acknowledged: desk, supervisor, first and second on call."""
    _, assignment = await sent(session, city)
    await age(session, assignment, 61)
    await clockwork.settle()
    (found,) = await alarms(session)
    return found


async def test_it_goes_up_step_by_step_to_those_on_call(
    session: AsyncSession, alarm: Alarm, clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents.alarms, "on_call_order", _order)
    told = []
    for _ in range(6):
        await session.refresh(alarm)
        whom = await to_be_told(session, alarm)
        assert whom is not None
        told.append((alarm.level, whom.step, whom.on_call.name if whom.on_call else sorted(whom.roles)))
        await clockwork.ring()  # too early: the clock finds that its time has not come
        before = alarm.level
        await session.refresh(alarm)
        assert alarm.level == before
        await age(session, alarm, 61)
        await clockwork.ring()
    assert told[:4] == [
        (0, Step.DESK, [Role.DISPATCHER, Role.SUPERVISOR]),
        (1, Step.SUPERVISOR, [Role.SUPERVISOR]),
        (2, Step.ON_CALL_1, "Marta Ruiz"),
        (3, Step.ON_CALL_2, "Raúl Vera"),
    ]
    assert told[4:] == [told[3]] * 2, "there is nobody after the last"
    await session.refresh(alarm)
    assert alarm.whom == "Raúl Vera, Secretario"
    assert CALLED[1].phone not in str([await board(session, City().actor("dispatcher"))])


async def test_nobody_is_on_call_and_it_stays_with_the_supervisor(
    session: AsyncSession, alarm: Alarm, clockwork: Clockwork
) -> None:
    for _ in range(4):
        await age(session, alarm, 61)
        await clockwork.ring()
        await session.refresh(alarm)
    assert (alarm.level, alarm.step) == (1, Step.SUPERVISOR)


async def test_who_answers_stops_it(session: AsyncSession, city: City, alarm: Alarm, clockwork: Clockwork) -> None:
    with pytest.raises(NotAllowed):
        await answer_alarm(session, city.actor("call_taker"), alarm.id)
    with pytest.raises(VersionMismatch):
        await answer_alarm(session, city.actor("dispatcher"), alarm.id, expected=99)
    answered = await answer_alarm(session, city.actor("dispatcher"), alarm.id, note="lo llamo por radio")
    assert (answered.state, answered.answered_by) == (AlarmState.ANSWERED, "dispatcher")
    assert await to_be_told(session, answered) is None
    await age(session, alarm, 600)
    await clockwork.ring()
    await session.refresh(alarm)
    assert (alarm.state, alarm.level) == (AlarmState.ANSWERED, 0)
    assert len(await board(session, city.actor("dispatcher"))) == 1, "it stays listed until its cause is gone"
    with pytest.raises(IllegalMove):
        await answer_alarm(session, city.actor("supervisor"), alarm.id)
    with pytest.raises(IllegalMove):
        await shelve_alarm(session, city.actor("supervisor"), alarm.id, minutes=5, reason="tarde")


async def test_what_is_shelved_comes_back_by_itself(
    session: AsyncSession, city: City, alarm: Alarm, clockwork: Clockwork
) -> None:
    await age(session, alarm, 61)
    await clockwork.ring()
    await session.refresh(alarm)
    assert alarm.level == 1
    shelved = await shelve_alarm(session, city.actor("dispatcher"), alarm.id, minutes=15, reason="túnel, sin señal")
    assert shelved.shelved_until is not None
    await clockwork.ring()
    await session.refresh(alarm)
    assert alarm.state == AlarmState.SHELVED, "not yet"
    past = now() - dt.timedelta(seconds=1)
    await session.execute(update(Alarm).where(Alarm.id == alarm.id).values(shelved_until=past))
    await clockwork.ring()
    await session.refresh(alarm)
    assert (alarm.state, alarm.level, alarm.step, alarm.shelved_until) == (AlarmState.RAISED, 0, Step.DESK, None)


async def test_an_answer_is_not_for_ever_where_the_rule_says_so(
    session: AsyncSession, city: City, alarm: Alarm, clockwork: Clockwork
) -> None:
    await amend_rule(session, city.actor("supervisor"), "unacknowledged-p1", repeat_after=60)
    await answer_alarm(session, city.actor("dispatcher"), alarm.id)
    await age(session, alarm, 61)
    await clockwork.ring()
    await session.refresh(alarm)
    assert (alarm.state, alarm.answered_by) == (AlarmState.RAISED, "dispatcher")
    assert len(await alarms(session)) == 1


async def test_a_shorter_patience_counts_for_an_alarm_that_is_raised(
    session: AsyncSession, city: City, alarm: Alarm, clockwork: Clockwork
) -> None:
    await age(session, alarm, 20)
    await amend_rule(session, city.actor("supervisor"), "unacknowledged-p1", escalate_after=15)
    await clockwork.settle()
    await session.refresh(alarm)
    assert alarm.level == 1


async def test_an_sos_begins_with_the_supervisor(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    raised = await raise_alarm(
        session, AlarmKind.SOS_UNANSWERED, about=f"sos:{new_id()}", since=now(), step=Step.SUPERVISOR
    )
    assert raised is not None
    await look(session, str(new_id()))  # an incident that is not there is nobody's business
    await age(session, raised, 100)
    await clockwork.ring()
    await session.refresh(raised)
    assert (raised.state, raised.step) == (AlarmState.RAISED, Step.SUPERVISOR)
