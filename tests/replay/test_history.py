"""History, and what was written on paper during a blackout, is entered with the hour at which it happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import AssignmentStatus
from incidents.closing import (
    cancel_incident,
    close_incident,
    control_incident,
    finish_incident,
    hold_incident,
    refer_incident,
    reopen_incident,
)
from incidents.dispatch import Sending, dispatch_units, report_status
from incidents.duplicates import similar_incidents
from incidents.incident import open_incident
from incidents.moments import CLOCK_SKEW, InTheFuture
from incidents.reports import Channel, Report, receive_report
from incidents.tracking import Tracking
from incidents.triage import accept_report, dismiss_report, join_report
from realtime.access import Actor
from realtime.database import new_id, now
from realtime.journal import Entry
from tests.builders import WEST, City, a_report, an_assignment, an_incident

THEN = dt.datetime(2019, 3, 2, 22, 15, tzinfo=dt.UTC)


def after(minutes: int) -> dt.datetime:
    return THEN + dt.timedelta(minutes=minutes)


async def an_old_report(session: AsyncSession, actor: Actor) -> Report:
    return await receive_report(
        session, actor, new_id(), words="humo", channel=Channel.PHONE, location=WEST, occurred_at=THEN
    )


async def test_a_whole_story_keeps_its_hours(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    report = await an_old_report(session, actor)
    incident = await accept_report(
        session, actor, report.id, incident_id=new_id(), type_code="INC-03", occurred_at=after(1)
    )
    sending = [Sending(new_id(), city.units["M1"])]
    [sent] = await dispatch_units(session, actor, incident.id, sending, occurred_at=after(2))
    await report_status(session, actor, sent.id, status=AssignmentStatus.ON_SCENE, occurred_at=after(9))
    await control_incident(session, actor, incident.id, occurred_at=after(20))
    await finish_incident(session, actor, incident.id, occurred_at=after(30))
    closed = await close_incident(session, actor, incident.id, disposition="resolved", occurred_at=after(40))
    assert closed.code.startswith("2019-")
    assert (closed.opened_at, closed.closed_at) == (after(1), after(40))
    hours = {"T0": 0, "T3": 1, "T4": 1, "T5": 2, "T6": 2, "T9": 9, "T11": 20, "T14": 40, "T16": 40}
    assert closed.stamps == {name: after(minutes).isoformat() for name, minutes in hours.items()}
    assert (sent.made_at, sent.released_at) == (after(2), after(40))
    told = list(await session.scalars(select(Entry).where(Entry.incident_id == incident.id).order_by(Entry.id)))
    assert [entry.occurred_at for entry in told] == [after(minutes) for minutes in (1, 2, 9, 20, 30, 40, 40)]
    assert all(entry.recorded_at > now() - dt.timedelta(minutes=5) for entry in told)
    page = await session.get_one(Tracking, report.tracking_code)
    assert page.steps[0]["at"] == THEN.isoformat()


async def test_a_report_is_like_what_was_open_at_its_hour(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    await an_incident(session, actor, type_code="INC-03")  # now, at the same place
    old = await open_incident(session, actor, new_id(), type_code="INC-03", location=WEST, occurred_at=after(-5))
    report = await an_old_report(session, actor)
    assert [like["incident_id"] for like in await similar_incidents(session, actor, report.id)] == [str(old.id)]
    assert (await similar_incidents(session, actor, report.id))[0]["seconds"] == 300
    fresh = await a_report(session, actor)
    assert str(old.id) not in [like["incident_id"] for like in await similar_incidents(session, actor, fresh.id)]


class Stage(NamedTuple):
    """Somebody at a desk, with a report that waits, an incident and a free unit."""

    session: AsyncSession
    actor: Actor
    report_id: UUID
    incident_id: UUID
    unit_id: UUID

    @property
    def incident(self) -> tuple[AsyncSession, Actor, UUID]:
        return self.session, self.actor, self.incident_id

    @property
    def report(self) -> tuple[AsyncSession, Actor, UUID]:
        return self.session, self.actor, self.report_id


Verb = Callable[[Stage, dt.datetime], Awaitable[object]]
VERBS: dict[str, Verb] = {
    "report": lambda on, at: receive_report(on.session, on.actor, new_id(), words="x", occurred_at=at),
    "accept": lambda on, at: accept_report(*on.report, incident_id=new_id(), type_code="INC-03", occurred_at=at),
    "join": lambda on, at: join_report(*on.report, incident_id=on.incident_id, occurred_at=at),
    "dismiss": lambda on, at: dismiss_report(*on.report, reason="hoax", occurred_at=at),
    "open": lambda on, at: open_incident(
        on.session, on.actor, new_id(), type_code="INC-03", location=WEST, occurred_at=at
    ),
    "send": lambda on, at: dispatch_units(*on.incident, [Sending(new_id(), on.unit_id)], occurred_at=at),
    "hold": lambda on, at: hold_incident(*on.incident, occurred_at=at),
    "close": lambda on, at: close_incident(*on.incident, disposition="resolved", occurred_at=at),
    "cancel": lambda on, at: cancel_incident(*on.incident, reason="x", occurred_at=at),
    "refer": lambda on, at: refer_incident(*on.incident, reason="x", occurred_at=at),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
async def test_nothing_happened_in_the_future(session: AsyncSession, city: City, verb: Verb) -> None:
    actor = city.actor("dispatcher")
    report, incident = await a_report(session, actor), await an_incident(session, actor)
    stage = Stage(session, actor, report.id, incident.id, city.units["M2"])
    with pytest.raises(InTheFuture):
        async with session.begin_nested():
            await verb(stage, now() + CLOCK_SKEW + dt.timedelta(seconds=20))
    await verb(stage, now() + CLOCK_SKEW - dt.timedelta(seconds=20))


async def test_what_is_under_way_or_over_keeps_to_it_too(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    incident = await an_incident(session, actor)
    assignment = await an_assignment(session, actor, incident, city.units["M1"])
    await report_status(session, actor, assignment.id, status=AssignmentStatus.ON_SCENE)
    soon = now() + dt.timedelta(hours=1)
    for verb in (control_incident, finish_incident):
        with pytest.raises(InTheFuture):
            await verb(session, actor, incident.id, occurred_at=soon)
    await close_incident(session, actor, incident.id, disposition="resolved")
    with pytest.raises(InTheFuture):
        await reopen_incident(session, actor, incident.id, reason="x", occurred_at=soon)
