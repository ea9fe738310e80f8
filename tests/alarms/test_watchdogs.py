"""Each watchdog fires once and only then; it says nothing of what was done meanwhile, and goes when its cause goes."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarms import Alarm, AlarmKind, AlarmState, Severity, Step, Why, answer_alarm, board, raise_alarm
from incidents.assignments import Assignment
from incidents.assignments import AssignmentStatus as A
from incidents.check_ins import NobodyOnScene, NotOnScene, check_in, check_in_everybody
from incidents.closing import close_incident
from incidents.dispatch import OnBusy, Sending, dispatch_units, report_status
from incidents.incident import Incident, reclassify
from incidents.merging import merge_incidents
from incidents.sos import answer_sos, raise_sos
from incidents.watchdogs import (
    LOOK,
    BadRule,
    Rule,
    add_rule,
    amend_rule,
    look,
    look_around,
    remove_rule,
    watchdog_rules,
)
from realtime.database import new_id, now
from realtime.errors import AlreadyExists, NotAllowed, NotFound, VersionMismatch
from realtime.journal import Entry
from resources.positions import UnitPosition
from resources.tracks import position_history
from resources.units import UnitKind
from tests.alarms.clock import Clockwork, age, alarms, waiting
from tests.builders import City, an_assignment, an_incident

K = AlarmKind
P1, P2, PROTECTED = "INC-01", "INC-02", "SEG-07"


async def sent(
    session: AsyncSession, city: City, *, type_code: str = P1, status: A = A.ASSIGNED, unit: str = "M1"
) -> tuple[Incident, Assignment]:
    """An incident of the highest priority with a unit that is so far."""
    actor = city.actor("trained")
    incident = await an_incident(session, actor, type_code=type_code)
    assignment = await an_assignment(session, actor, incident, city.units[unit])
    if status is not A.ASSIGNED:
        await report_status(session, actor, assignment.id, status=A.ON_SCENE if status in PAST_SCENE else status)
    if status in PAST_SCENE:
        for step in PAST_SCENE[: PAST_SCENE.index(status) + 1]:
            await report_status(session, actor, assignment.id, status=step)
    return incident, assignment


PAST_SCENE = [A.TRANSPORTING, A.AT_DESTINATION]


async def place(
    session: AsyncSession,
    unit_id: UUID,
    *,
    fixes: list[tuple[float, float]],
    battery: float | None = None,
    heard: float = 0,
) -> None:
    """Put a unit where the last of `fixes` (metres east of the incident, seconds ago) says, with its track."""
    await session.execute(delete(UnitPosition).where(UnitPosition.unit_id == unit_id))
    rows: list[dict[str, Any]] = []
    for metres, ago in fixes:
        at = now() - dt.timedelta(seconds=ago)
        rows.append(
            {
                "unit_id": unit_id,
                "lon": City.west.x + metres / (111_320 * 0.839),
                "lat": City.west.y,
                "fixed_at": at,
                "received_at": at - dt.timedelta(seconds=heard),
            }
        )
    await session.execute(insert(position_history), [row | {"doubt": 0} for row in rows])
    session.add(UnitPosition(**rows[-1], battery=battery))
    await session.flush()


# ── What has a clock ──────────────────────────────────────────────────────────────────────────────


async def test_nobody_acknowledges_a_p1_in_a_minute(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    incident, assignment = await sent(session, city)
    await clockwork.settle()
    assert await alarms(session) == []
    due = assignment.since + dt.timedelta(seconds=60)
    assert any(abs((at - due).total_seconds()) < 0.01 for at in await waiting(session))
    await age(session, assignment, 61)
    await clockwork.ring()
    (alarm,) = await alarms(session, K.UNACKNOWLEDGED)
    assert (alarm.severity, alarm.state, alarm.step) == (Severity.HIGH, AlarmState.RAISED, Step.DESK)
    assert (alarm.about, alarm.since) == (f"assignment:{assignment.id}", assignment.since)
    assert (alarm.incident_id, alarm.unit_id, alarm.assignment_id) == (incident.id, assignment.unit_id, assignment.id)
    for _ in range(3):
        await look(session, str(incident.id))
    await clockwork.ring()
    assert len(await alarms(session, K.UNACKNOWLEDGED)) == 1
    await report_status(session, city.actor("crew m1"), assignment.id, status=A.ACKNOWLEDGED)
    await clockwork.settle()
    (alarm,) = await alarms(session, K.UNACKNOWLEDGED)
    assert (alarm.state, alarm.cleared_why) == (AlarmState.CLEARED, Why.CAUSE_GONE)


async def test_who_acknowledges_in_time_raises_nothing(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    _, assignment = await sent(session, city)
    await clockwork.settle()
    await report_status(session, city.actor("crew m1"), assignment.id, status=A.EN_ROUTE)
    await clockwork.ring()  # the old clock goes off and finds it done
    assert await alarms(session) == []


async def test_a_p2_has_three_minutes(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    _, assignment = await sent(session, city, type_code=P2)
    await age(session, assignment, 175)
    await clockwork.settle()
    assert await alarms(session) == []
    await age(session, assignment, 181)
    await clockwork.ring()
    (alarm,) = await alarms(session)
    assert (alarm.kind, alarm.severity) == (K.UNACKNOWLEDGED, Severity.MEDIUM)


@pytest.mark.parametrize(
    ("status", "seconds"),
    [(A.ACKNOWLEDGED, 120), (A.EN_ROUTE, 1200), (A.TRANSPORTING, 3600), (A.AT_DESTINATION, 3600)],
)
async def test_a_unit_stays_too_long_in_a_status(
    session: AsyncSession, city: City, clockwork: Clockwork, status: A, seconds: int
) -> None:
    incident, assignment = await sent(session, city, status=status)
    await age(session, assignment, seconds - 5)
    await clockwork.settle()
    assert await alarms(session, K.STUCK) == []
    await age(session, assignment, seconds + 1)
    await look(session, str(incident.id))
    (alarm,) = await alarms(session, K.STUCK)
    assert alarm.facts["status"] == status
    await report_status(session, city.actor("dispatcher"), assignment.id, status=A.RELEASED)
    await clockwork.settle()
    (alarm,) = await alarms(session, K.STUCK)
    assert alarm.state == AlarmState.CLEARED


async def test_a_promise_runs_out(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    incident, assignment = await sent(session, city, status=A.EN_ROUTE)
    await clockwork.settle()
    await age(session, incident, 8 * 60 + 1)
    await clockwork.ring()
    (alarm,) = await alarms(session, K.PAST_PROMISED)
    assert (alarm.about, alarm.facts["promised"]) == (incident.subject, 480)
    await report_status(session, city.actor("crew m1"), assignment.id, status=A.ON_SCENE)
    await clockwork.settle()
    assert [one.state for one in await alarms(session, K.PAST_PROMISED)] == [AlarmState.CLEARED]


async def test_a_crew_on_scene_must_say_that_it_is_well(
    session: AsyncSession, city: City, clockwork: Clockwork
) -> None:
    incident, assignment = await sent(session, city, status=A.ON_SCENE)
    await clockwork.settle()
    await session.refresh(assignment)
    assert assignment.check_in_due_at == assignment.since + dt.timedelta(seconds=1200)
    await age(session, assignment, 5000)
    await look(session, str(incident.id))
    (first,) = await alarms(session, K.CHECK_IN_DUE)
    crew = city.actor("crew m1")
    assert [one["properties"]["kind"] for one in await board(session, crew)] == ["check_in_due"]
    assert "answered_by" not in (await board(session, crew))[0]["properties"]
    assert await board(session, city.actor("crew m2")) == []
    checked = await check_in(session, crew, assignment.id)
    assert checked.checked_in_at is not None
    assert checked.check_in_due_at == checked.checked_in_at + dt.timedelta(seconds=1200)
    await clockwork.settle()
    await session.refresh(first)
    assert first.state == AlarmState.CLEARED
    await session.execute(
        update(Assignment).where(Assignment.id == assignment.id).values(checked_in_at=now() - dt.timedelta(minutes=21))
    )
    await look(session, str(incident.id))
    assert len(await alarms(session, K.CHECK_IN_DUE)) == 2, "the next one is due: another cause"


async def test_everybody_on_scene_checks_in_at_once(session: AsyncSession, city: City) -> None:
    incident, one = await sent(session, city, status=A.ON_SCENE)
    actor = city.actor("trained")
    other = await an_assignment(session, actor, incident, city.units["M2"])
    with pytest.raises(NotOnScene):
        await check_in(session, actor, other.id)
    with pytest.raises(NotFound):
        await check_in(session, city.actor("crew m2"), one.id)
    assert [each.id for each in await check_in_everybody(session, actor, incident.id)] == [one.id]
    with pytest.raises(NobodyOnScene):
        await check_in_everybody(session, actor, (await an_incident(session, actor)).id)


async def test_a_p1_without_anybody(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    actor = city.actor("trained")
    incident = await an_incident(session, actor, type_code=P1)
    await age(session, incident, 91)
    await clockwork.settle()
    (alarm,) = await alarms(session, K.UNATTENDED)
    await an_assignment(session, actor, incident, city.units["M1"])
    await clockwork.settle()
    await session.refresh(alarm)
    assert alarm.state == AlarmState.CLEARED


async def test_what_is_over_has_no_alarms(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    incident, assignment = await sent(session, city)
    await age(session, assignment, 100)
    await clockwork.settle()
    assert len(await alarms(session)) == 1
    await close_incident(session, city.actor("trained"), incident.id, disposition="resolved")
    await clockwork.ring()
    assert [one.state for one in await alarms(session)] == [AlarmState.CLEARED]


# ── What is looked for ────────────────────────────────────────────────────────────────────────────


async def test_what_waits_behind_another_has_no_clock_yet(
    session: AsyncSession, city: City, clockwork: Clockwork
) -> None:
    actor = city.actor("trained")
    first, leading = await sent(session, city, status=A.ON_SCENE)
    second = await an_incident(session, actor, type_code=P1)
    behind = Sending(new_id(), city.units["M1"], on_busy=OnBusy.ADD)
    (waits,) = await dispatch_units(session, actor, second.id, [behind])
    await age(session, waits, 500)
    await clockwork.settle()
    assert await alarms(session, K.UNACKNOWLEDGED) == []
    await report_status(session, actor, leading.id, status=A.RELEASED)
    await clockwork.settle()
    await session.refresh(waits)
    await age(session, waits, 61)
    await clockwork.ring()
    (alarm,) = await alarms(session, K.UNACKNOWLEDGED)
    assert alarm.incident_id == second.id != first.id


async def test_by_when_to_acknowledge_follows_the_rule(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    _, assignment = await sent(session, city)
    await clockwork.settle()
    assert not [one for one in await session.scalars(select(Entry)) if one.kind == "watchdog.set"], "it was right"
    await amend_rule(session, city.actor("supervisor"), "unacknowledged-p1", seconds=45)
    await clockwork.settle()
    await session.refresh(assignment)
    assert assignment.acknowledge_by == assignment.since + dt.timedelta(seconds=45)


async def test_a_unit_stands_still_on_its_way(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    _, assignment = await sent(session, city, status=A.EN_ROUTE)
    await age(session, assignment, 600)
    unit = city.units["M1"]
    await place(session, unit, fixes=[(3000, 500), (2000, 200), (1990, 100), (2005, 1)])
    await look_around(session)
    (alarm,) = await alarms(session)
    assert alarm.kind == K.NOT_MOVING
    assert 1900 < alarm.facts["metres_away"] < 2100
    assert abs((now() - alarm.since).total_seconds() - 200) < 5, "it stands since it came here"
    await look_around(session)
    assert len(await alarms(session)) == 1
    await place(session, unit, fixes=[(1500, 0)])
    await look_around(session)
    await session.refresh(alarm)
    assert (alarm.state, alarm.cleared_why) == (AlarmState.CLEARED, Why.CAUSE_GONE)
    await clockwork.settle()


@pytest.mark.parametrize(
    "fixes",
    [
        [(3000, 500), (2000, 170), (2005, 1)],  # it moved less than three minutes ago
        [(3000, 500), (2000, 400)],  # it has been silent since: lost, not still
        [(2000, 500), (1990, 10)],
    ],
)
async def test_who_moves_or_is_silent_does_not_stand_still(
    session: AsyncSession, city: City, fixes: list[tuple[float, float]]
) -> None:
    _, assignment = await sent(session, city, status=A.EN_ROUTE)
    await age(session, assignment, 600 if len(fixes) == 3 or fixes[-1][1] == 400 else 100)
    await place(session, city.units["M1"], fixes=fixes)
    await look_around(session)
    assert await alarms(session, K.NOT_MOVING) == []


async def test_who_has_arrived_no_longer_stands_still(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    _, assignment = await sent(session, city, status=A.EN_ROUTE)
    await age(session, assignment, 600)
    await place(session, city.units["M1"], fixes=[(20, 500), (20, 1)])
    await look_around(session)
    (alarm,) = await alarms(session)
    assert alarm.facts["metres_away"] == 20
    await report_status(session, city.actor("crew m1"), assignment.id, status=A.ON_SCENE)
    await clockwork.settle()
    await session.refresh(alarm)
    assert alarm.state == AlarmState.CLEARED


async def test_a_busy_unit_is_lost_from_the_map(session: AsyncSession, city: City) -> None:
    _, assignment = await sent(session, city, status=A.ON_SCENE)
    await age(session, assignment, 900)
    await place(session, city.units["M1"], fixes=[(0, 301)])
    await place(session, city.units["M2"], fixes=[(0, 3000)])  # free: nobody waits for it
    for _ in range(2):
        await look_around(session)
    (alarm,) = await alarms(session)
    assert (alarm.kind, alarm.unit_id) == (K.POSITION_LOST, city.units["M1"])
    await place(session, city.units["M1"], fixes=[(0, 0)])
    await look_around(session)
    await session.refresh(alarm)
    assert alarm.state == AlarmState.CLEARED


async def test_a_battery_is_low_until_it_is_well_again(session: AsyncSession, city: City) -> None:
    unit = city.units["M2"]
    for battery, wanted in [(0.25, 0), (0.19, 1), (0.1, 1), (0.22, 1), (0.26, 1), (0.19, 2)]:
        await place(session, unit, fixes=[(0, 0)], battery=battery)
        await look_around(session)
        assert len(await alarms(session, K.BATTERY_LOW)) == wanted, battery
    assert [one.state for one in await alarms(session)] == [AlarmState.CLEARED, AlarmState.RAISED]


# ── Rules ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_changed_rule_counts_for_what_is_under_way(
    session: AsyncSession, city: City, clockwork: Clockwork
) -> None:
    boss = city.actor("supervisor")
    _, assignment = await sent(session, city)
    await age(session, assignment, 40)
    await clockwork.settle()
    assert await alarms(session) == []
    await amend_rule(session, boss, "unacknowledged-p1", seconds=30)
    await clockwork.settle()
    assert [one.kind for one in await alarms(session)] == [K.UNACKNOWLEDGED]


async def test_a_longer_rule_lets_the_old_clock_pass(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    _, assignment = await sent(session, city)
    await clockwork.settle()
    await amend_rule(session, city.actor("supervisor"), "unacknowledged-p1", seconds=120)
    await age(session, assignment, 70)
    await clockwork.ring()
    assert await alarms(session) == []
    await age(session, assignment, 121)
    await clockwork.ring()
    assert len(await alarms(session)) == 1


async def test_a_rule_that_is_off_takes_its_alarms_with_it_and_brings_them_back(
    session: AsyncSession, city: City, clockwork: Clockwork
) -> None:
    boss = city.actor("supervisor")
    _, assignment = await sent(session, city)
    await age(session, assignment, 100)
    await clockwork.settle()
    await amend_rule(session, boss, "unacknowledged-p1", enabled=False)
    await clockwork.settle()
    (alarm,) = await alarms(session)
    assert (alarm.state, alarm.cleared_why) == (AlarmState.CLEARED, Why.RULE_OFF)
    await amend_rule(session, boss, "unacknowledged-p1", enabled=True)
    await clockwork.settle()
    (alarm,) = await alarms(session)
    assert (alarm.state, alarm.cleared_why) == (AlarmState.RAISED, None)


async def test_the_rule_that_says_most_holds(session: AsyncSession, city: City) -> None:
    rules = await watchdog_rules(session)

    def key(**words: Any) -> str | None:
        rule = rules.rule(K.CHECK_IN_DUE, **words)
        return rule.key if rule else None

    assert key(priority=1, unit_kind="fire") == "check-in-fire"
    assert key(priority=1, unit_kind="patrol") == "check-in-p1"
    assert key(priority=3, unit_kind="patrol") is None
    assert rules.rule(K.PAST_PROMISED, priority=4) is None, "it is there, but off"


async def test_rules_are_edited_by_those_who_make_policy_and_keep_their_history(
    session: AsyncSession, city: City
) -> None:
    boss = city.actor("supervisor")
    made = Rule("fire-ack", K.UNACKNOWLEDGED, 45, 45, unit_kind=UnitKind.FIRE)
    with pytest.raises(NotAllowed):
        await add_rule(session, city.actor("dispatcher"), made)
    rules = await add_rule(session, boss, made, expected=0)
    assert rules.version == 1
    assert rules.rule(K.UNACKNOWLEDGED, priority=1, unit_kind="fire") == made
    with pytest.raises(AlreadyExists):
        await add_rule(session, boss, made)
    with pytest.raises(VersionMismatch):
        await amend_rule(session, boss, "fire-ack", seconds=50, expected=0)
    assert (await amend_rule(session, boss, "fire-ack", seconds=45)).version == 1, "nothing changed"
    with pytest.raises(NotFound):
        await remove_rule(session, boss, "nothing")
    await remove_rule(session, boss, "fire-ack", expected=1)
    assert (await watchdog_rules(session)).rules == (await watchdog_rules(session)).rules
    assert "fire-ack" not in (await watchdog_rules(session)).by_key


@pytest.mark.parametrize(
    "words",
    [
        {"seconds": 4},
        {"seconds": 90_000},
        {"escalate_after": 1},
        {"repeat_after": 5},
        {"steps": ()},
        {"steps": (Step.DESK, Step.DESK)},
        {"threshold": 60.0},
        {"status": A.EN_ROUTE},
    ],
)
async def test_what_is_no_rule_is_refused(session: AsyncSession, city: City, words: dict[str, Any]) -> None:
    with pytest.raises(BadRule):
        await amend_rule(session, city.actor("supervisor"), "unacknowledged-p1", **words)


# ── Secrets ───────────────────────────────────────────────────────────────────────────────────────


async def test_an_alarm_is_as_secret_as_its_incident(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    incident, assignment = await sent(session, city, type_code=PROTECTED)
    await age(session, assignment, 4000)
    await clockwork.settle()
    assert await alarms(session) != []

    async def who_sees() -> set[str]:
        return {name for name, actor in city.everybody.items() if await board(session, actor)}

    assert await who_sees() == {"trained", "supervisor"}
    await reclassify(session, city.actor("trained"), incident.id, type_code=P1)
    await clockwork.settle()
    assert await who_sees() == {"trained", "supervisor", "dispatcher", "call_taker"}
    await reclassify(session, city.actor("trained"), incident.id, type_code=PROTECTED)
    await clockwork.settle()
    assert await who_sees() == {"trained", "supervisor"}
    with pytest.raises(NotFound):
        await answer_alarm(session, city.actor("dispatcher"), (await alarms(session))[-1].id)


async def test_an_sos_that_nobody_answers_is_told_once_until_somebody_does(
    session: AsyncSession, city: City, clockwork: Clockwork
) -> None:
    sos = await raise_sos(session, city.actor("crew m1"), city.units["M1"])
    await clockwork.settle()
    assert await alarms(session, K.SOS_UNANSWERED) == []
    await age(session, sos, 21)
    await clockwork.ring()
    await clockwork.ring()
    [alarm] = await alarms(session, K.SOS_UNANSWERED)
    assert (alarm.about, alarm.state, alarm.severity) == (sos.subject, AlarmState.RAISED, Severity.HIGH)
    assert (alarm.incident_id, alarm.unit_id) == (sos.incident_id, city.units["M1"])
    await answer_sos(session, city.actor("dispatcher"), sos.id)
    await clockwork.settle()
    [alarm] = await alarms(session, K.SOS_UNANSWERED)
    assert alarm.state == AlarmState.CLEARED


async def test_an_sos_that_is_answered_in_time_is_no_alarm(
    session: AsyncSession, city: City, clockwork: Clockwork
) -> None:
    sos = await raise_sos(session, city.actor("crew m1"), city.units["M1"])
    await answer_sos(session, city.actor("dispatcher"), sos.id)
    await age(session, sos, 60)
    await clockwork.ring()
    assert await alarms(session, K.SOS_UNANSWERED) == []


async def test_raised_by_others_it_is_raised_once(session: AsyncSession, city: City, clockwork: Clockwork) -> None:
    at = now()
    about = f"sos:{city.units['M1']}"
    first = await raise_alarm(session, K.SOS_UNANSWERED, about=about, since=at, unit_id=city.units["M1"])
    assert isinstance(first, Alarm)
    assert await raise_alarm(session, K.SOS_UNANSWERED, about=about, since=at) is None
    assert await raise_alarm(session, K.SOS_UNANSWERED, about=about, since=at + dt.timedelta(seconds=1)) is None
    await clockwork.settle()
    assert len(await alarms(session)) == 1
    assert LOOK == "watchdogs.look"


async def test_an_alarm_goes_with_its_unit_when_incidents_are_merged(
    session: AsyncSession, city: City, clockwork: Clockwork
) -> None:
    actor = city.actor("supervisor")
    incident, assignment = await sent(session, city)
    kept = await an_incident(session, actor, type_code=PROTECTED)
    await age(session, assignment, 61)
    await clockwork.settle()
    (alarm,) = await alarms(session, K.UNACKNOWLEDGED)
    await merge_incidents(session, actor, incident.id, link_id=new_id(), into_id=kept.id, reason="es lo mismo")
    await clockwork.settle()
    await session.refresh(alarm)
    assert (alarm.state, alarm.incident_id, alarm.sensitivity) == (AlarmState.RAISED, kept.id, 3)
    assert await board(session, city.actor("dispatcher")) == []
    await report_status(session, actor, assignment.id, status=A.EN_ROUTE)
    await clockwork.settle()
    await session.refresh(alarm)
    assert alarm.state == AlarmState.CLEARED
