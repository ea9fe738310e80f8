"""What may be done with alarms, check-ins and the rules behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarms import (
    Alarm,
    AlarmKind,
    Recipient,
    Step,
    Why,
    answer_alarm,
    clear_alarm,
    escalate_alarm,
    raise_alarm,
    return_alarm,
    shelve_alarm,
    show_alarm_to,
)
from incidents.assignments import AssignmentStatus
from incidents.check_ins import check_in, check_in_everybody
from incidents.dispatch import report_status
from incidents.heard import hear_incident
from incidents.watchdogs import Rule, add_rule, amend_rule, look, remove_rule
from realtime.access import Actor
from realtime.database import now
from tests.builders import City, an_assignment, an_incident
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


async def an_alarm(
    session: AsyncSession, city: City, *, type_code: str = "SIN-01", kind: AlarmKind = AlarmKind.UNACKNOWLEDGED
) -> Alarm:
    """Of a unit that was sent to an incident."""
    actor = city.actor("trained")
    incident = await an_incident(session, actor, type_code=type_code)
    sent = await an_assignment(session, actor, incident, city.units["T1"])
    words: dict[str, Any] = {"incident_id": incident.id, "unit_id": sent.unit_id, "assignment_id": sent.id}
    alarm = await raise_alarm(session, kind, about=f"assignment:{sent.id}", since=now(), **words)
    assert alarm is not None
    return alarm


@scene(raise_alarm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: an_alarm(session, city)


@scene(raise_alarm, "about a protected incident")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: an_alarm(session, city, type_code="SEG-07")


@scene(raise_alarm, "of which a crew is told")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor)
    sent = await an_assignment(session, actor, incident, city.units["M1"])
    about = f"assignment:{sent.id}"
    return lambda: raise_alarm(
        session, AlarmKind.CHECK_IN_DUE, about=about, since=now(), incident_id=incident.id, unit_id=sent.unit_id
    )


@scene(answer_alarm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    alarm = await an_alarm(session, city)
    return lambda: answer_alarm(session, actor, alarm.id, note="lo llamo")


@scene(shelve_alarm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    alarm = await an_alarm(session, city)
    return lambda: shelve_alarm(session, actor, alarm.id, minutes=5, reason="túnel")


@scene(return_alarm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    alarm = await an_alarm(session, city)
    await shelve_alarm(session, actor, alarm.id, minutes=5, reason="túnel")
    return lambda: return_alarm(session, alarm, Step.DESK)


@scene(escalate_alarm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    alarm = await an_alarm(session, city)
    return lambda: escalate_alarm(session, alarm, 1, Recipient(Step.SUPERVISOR))


@scene(clear_alarm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    alarm = await an_alarm(session, city, kind=AlarmKind.CHECK_IN_DUE)
    return lambda: clear_alarm(session, alarm, Why.CAUSE_GONE)


@scene(show_alarm_to)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    alarm = await an_alarm(session, city)
    secret = await an_incident(session, city.actor("trained"), type_code="SEG-07")
    return lambda: show_alarm_to(session, alarm, secret)


@scene(check_in)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor)
    sent = await an_assignment(session, actor, incident, city.units["M1"])
    await report_status(session, actor, sent.id, status=AssignmentStatus.ON_SCENE)
    return lambda: check_in(session, city.actor("crew m1"), sent.id)


@scene(check_in_everybody)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor)
    for call_sign in ("M1", "M2"):
        sent = await an_assignment(session, actor, incident, city.units[call_sign])
        await report_status(session, actor, sent.id, status=AssignmentStatus.ON_SCENE)
    return lambda: check_in_everybody(session, actor, incident.id)


@scene(look, "which tells by when to check in")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor)
    sent = await an_assignment(session, actor, incident, city.units["M1"])
    await report_status(session, actor, sent.id, status=AssignmentStatus.ON_SCENE)
    return lambda: look(session, str(incident.id))


@scene(add_rule)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    rule = Rule("de-noche", AlarmKind.UNACKNOWLEDGED, 90, 60, priority=3)
    return lambda: add_rule(session, city.actor("supervisor"), rule)


@scene(amend_rule)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: amend_rule(session, city.actor("supervisor"), "unacknowledged-p1", seconds=45)


@scene(remove_rule)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: remove_rule(session, city.actor("supervisor"), "battery-low")


@scene(hear_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor)
    return lambda: hear_incident(session, actor, incident.id)
