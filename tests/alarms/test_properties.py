"""Whatever happens, in whatever order: no cause has two alarms, and no alarm outlives its cause."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarms import AlarmKind, AlarmState, answer_alarm, shelve_alarm
from incidents.assignments import MOVES, Assignment, AssignmentStatus
from incidents.check_ins import check_in
from incidents.dispatch import report_status
from incidents.incident import Incident, reclassify
from incidents.watchdogs import amend_rule, causes_of, look, look_around, watchdog_rules
from realtime.database import now
from realtime.errors import Refusal
from tests.alarms.clock import Clockwork, age, alarms
from tests.builders import City, an_assignment, an_incident

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("status"), st.sampled_from(list(AssignmentStatus))),
        st.tuples(st.just("age"), st.sampled_from([30, 61, 200, 700, 1300, 4000])),
        st.tuples(st.just("type"), st.sampled_from(["INC-01", "INC-02", "SEG-07", "CON-04"])),
        st.tuples(st.just("rule"), st.sampled_from([10, 60, 900])),
        st.tuples(st.just("switch"), st.booleans()),
        st.sampled_from([("send", 0), ("check in", 0), ("answer", 0), ("shelve", 0)]),
        st.sampled_from([("look", 0), ("look", 0), ("ring", 0), ("settle", 0), ("around", 0)]),
    ),
    min_size=3,
    max_size=14,
)


class Story:
    """One incident with one unit, and what befalls them."""

    def __init__(self, session: AsyncSession, city: City, work: Clockwork, incident: Incident) -> None:
        self.session, self.city, self.work, self.incident = session, city, work, incident
        self.actor = city.actor("supervisor")
        self.assignment: Assignment | None = None

    async def happen(self, what: str, word: Any) -> None:
        """Let something happen, if it can."""
        session, actor, one = self.session, self.actor, self.assignment
        match what:
            case "send" if one is None or one.released_at is not None:
                self.assignment = await an_assignment(session, actor, self.incident, self.city.units["M1"])
            case "status" if one is not None and word in MOVES.get(AssignmentStatus(one.status), ()):
                await report_status(session, actor, one.id, status=word, reason="prueba")
            case "age" if one is not None and one.released_at is None:
                await age(session, one, word)
            case "type":
                await reclassify(session, actor, self.incident.id, type_code=word)
            case "rule":
                await amend_rule(session, actor, "unacknowledged-p1", seconds=word)
            case "switch":
                await amend_rule(session, actor, "stuck-acknowledged-p1", enabled=word)
            case "check in" if one is not None and one.status == AssignmentStatus.ON_SCENE:
                await check_in(session, actor, one.id)
            case "answer" | "shelve":
                await self._take(what)
            case "look":
                await look(session, str(self.incident.id))
            case "ring":
                await self.work.ring()
            case "settle":
                await self.work.settle()
            case "around":
                await look_around(session)

    async def _take(self, what: str) -> None:
        for alarm in await alarms(self.session):
            try:
                if what == "answer":
                    await answer_alarm(self.session, self.actor, alarm.id)
                else:
                    await shelve_alarm(self.session, self.actor, alarm.id, minutes=5, reason="prueba")
            except Refusal:
                continue


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(events=EVENTS)
async def test_no_cause_has_two_alarms_and_none_outlives_it(
    session: AsyncSession, city: City, events: list[tuple[str, Any]]
) -> None:
    savepoint = await session.begin_nested()
    try:
        work = Clockwork(session)
        await work.settle()
        incident = await an_incident(session, city.actor("trained"), type_code="INC-01")
        story = Story(session, city, work, incident)
        await story.happen("send", 0)
        for what, word in events:
            await story.happen(what, word)
        await work.settle()
        found = await alarms(session)
        causes = [(one.kind, one.about, one.since) for one in found]
        assert len(set(causes)) == len(causes)
        up = [one for one in found if one.state != AlarmState.CLEARED]
        assert len({(one.kind, one.about) for one in up}) == len(up)
        await session.refresh(incident)
        standing = {cause.key: cause for cause in await causes_of(session, incident, await watchdog_rules(session))}
        for one in up:
            assert (one.kind, one.about, one.since) in standing, "its cause is gone, and the alarm is not"
            assert one.sensitivity == incident.sensitivity
        late = now() - dt.timedelta(seconds=1)
        told = {(one.kind, one.about, one.since) for one in up}
        for key, cause in standing.items():
            assert cause.due > late or key in told, "it is due, and nobody was told"
            assert AlarmKind(key[0])
    finally:
        await savepoint.rollback()
        session.expire_all()
