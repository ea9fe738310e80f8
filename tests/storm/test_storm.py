"""A storm: when it is one, what is gathered, and circuits that go on by themselves and give way to the urgent."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from shapely import Point
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import AssignmentStatus, live_jobs
from incidents.circuits import (
    Circuit,
    CircuitOver,
    CircuitState,
    CircuitStop,
    InAnotherCircuit,
    NotForCircuits,
    StopState,
    TooManyStops,
    UnitGoesRound,
    board,
    call_off_circuit,
    follow_circuits,
    give_circuit,
    skip_stop,
)
from incidents.closing import close_incident
from incidents.dispatch import OnBusy, Sending, dispatch_units, report_status
from incidents.incident import Incident, IncidentState, reclassify
from incidents.reports import AlreadyHandled, Channel, Report, ReportStatus, receive_report
from incidents.storm import (
    BadStormPolicy,
    NoStorm,
    NothingToAccept,
    Storm,
    StormAlready,
    accept_cluster,
    begin_storm,
    end_storm,
    incident_clusters,
    load_now,
    publish_storm_policy,
    report_clusters,
    storm_now,
    storm_policy,
    watch_load,
)
from incidents.triage import dismiss_report
from realtime.access import ANYBODY, VIGIA
from realtime.database import Sessions, new_id, now, transaction
from realtime.errors import NotAllowed, NotFound
from realtime.journal import Entry
from resources.units import Duty, set_duty
from tests.builders import EAST, WEST, City, an_incident
from tests.scenes.storm import a_circuit, leading, small_ones

S = StopState


async def told(session: AsyncSession, place: Point = WEST, hint: str | None = "MET-01", words: str = "cayó") -> Report:
    """A neighbour's report with a hint of what it is."""
    return await receive_report(
        session, ANYBODY, new_id(), words=words, channel=Channel.WEB, location=place, type_hint=hint
    )


async def follow(session: AsyncSession, since: int) -> int:
    """Let the reaction see all that was recorded since; the number of the last entry."""
    seen = since
    for _ in range(4):
        entries = (await session.scalars(select(Entry).where(Entry.id > seen).order_by(Entry.id))).all()
        for entry in entries:
            await follow_circuits(session, entry)
            seen = entry.id
    return seen


async def mark(session: AsyncSession) -> int:
    """The number of the last entry."""
    await session.flush()
    return await session.scalar(select(func.max(Entry.id))) or 0


async def states(session: AsyncSession, circuit: Circuit) -> list[tuple[str, str]]:
    """The stops' states with their reasons, in order."""
    query = select(CircuitStop).where(CircuitStop.circuit_id == circuit.id).order_by(CircuitStop.place)
    rows = await session.scalars(query.execution_options(populate_existing=True))
    return [(str(one.state), one.reason) for one in rows]


async def job(session: AsyncSession, city: City, unit: str = "T1") -> Any:
    """The incident that a unit is on; None of a free one."""
    jobs = (await live_jobs(session, [city.units[unit]]))[city.units[unit]]
    return jobs[0].incident_id if jobs else None


async def done(session: AsyncSession, city: City, unit: str = "T1") -> None:
    """The unit says that it has finished where it is."""
    actor, assignment = city.actor("trained"), await leading(session, city, unit)
    for status in (AssignmentStatus.ON_SCENE, AssignmentStatus.RELEASED):
        await report_status(session, actor, assignment, status=status)


# ── The load line ─────────────────────────────────────────────────────────────────────────────────


async def test_a_storm_begins_over_the_line_and_ends_when_it_has_been_calm(session: AsyncSession, city: City) -> None:
    await publish_storm_policy(session, city.actor("supervisor"), {"reports_line": 8, "calm_minutes": 5})
    for _ in range(7):
        await told(session)
    await watch_load(session)
    assert await storm_now(session) is None
    await told(session)
    await watch_load(session)
    storm = await storm_now(session)
    assert storm is not None
    assert (storm.automatic, storm.why["reports"], storm.why["over"]) == (True, 8, True)
    await watch_load(session)  # once
    assert await session.scalar(select(func.count()).select_from(Storm)) == 1

    await session.execute(update(Report).values(received_at=Report.received_at - dt.timedelta(hours=1)))
    await watch_load(session)
    assert storm.calm_since is not None
    await watch_load(session)
    assert storm.ended_at is None, "calm only just now"
    storm.calm_since -= dt.timedelta(minutes=6)
    await watch_load(session)
    assert storm.ended_at is not None
    assert storm.ended_by == VIGIA.name
    assert await storm_now(session) is None


async def test_a_new_gust_starts_the_calm_again(session: AsyncSession, city: City) -> None:
    await publish_storm_policy(session, city.actor("supervisor"), {"reports_line": 2})
    await told(session), await told(session)
    await watch_load(session)
    storm = await storm_now(session)
    assert storm is not None
    storm.calm_since = now() - dt.timedelta(hours=1)
    await watch_load(session)
    assert storm.calm_since is None


async def test_waiting_incidents_are_a_load_too(session: AsyncSession, city: City) -> None:
    _, policy = await publish_storm_policy(session, city.actor("supervisor"), {"waiting_least": 3, "waiting_line": 1.0})
    assert not (await load_now(session, policy)).over
    await small_ones(session, city, 3)
    load = await load_now(session, policy)
    assert (load.waiting, load.free, load.over) == (3, 3, True)
    for _ in range(5):
        await an_incident(session, city.actor("trained"))  # the urgent do not make a storm: they are answered
    assert (await load_now(session, policy)).waiting == 3


async def test_a_storm_by_hand_stays_until_somebody_ends_it(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    storm = await begin_storm(session, boss, new_id(), reason="alerta roja")
    storm.calm_since = now() - dt.timedelta(days=1)
    await watch_load(session)
    assert storm.ended_at is None
    with pytest.raises(StormAlready):
        await begin_storm(session, boss, new_id())
    with pytest.raises(NotAllowed):
        await end_storm(session, city.actor("dispatcher"))
    await end_storm(session, boss)
    with pytest.raises(NoStorm):
        await end_storm(session, boss)


async def test_two_who_begin_at_once_begin_one(sessions: Sessions, city: City) -> None:
    async def begin() -> str:
        try:
            async with transaction(sessions) as session:
                await begin_storm(session, city.actor("supervisor"), new_id())
        except StormAlready:
            return "already"
        return "begun"

    assert sorted(await asyncio.gather(*(begin() for _ in range(6)))) == ["already"] * 5 + ["begun"]


@pytest.mark.parametrize(
    "content",
    [
        {"nonsense": 1},
        {"reports_line": 0},
        {"reports_line": 2.5},
        {"reports_line": True},
        {"priorities": [1, 4]},
        {"priorities": []},
        {"zone_share": 1.2},
        {"zone_share": "mucho"},
        {"cluster_metres": float("nan")},
        {"automatic": 1},
    ],
)
async def test_a_policy_that_cannot_be_is_refused_and_nothing_changes(
    session: AsyncSession, city: City, content: dict[str, Any]
) -> None:
    before = await storm_policy(session)
    with pytest.raises(BadStormPolicy):
        await publish_storm_policy(session, city.actor("supervisor"), content)
    assert await storm_policy(session) == before


# ── What belongs together ─────────────────────────────────────────────────────────────────────────


async def test_many_reports_are_one_line_and_become_one_incident(session: AsyncSession, city: City) -> None:
    reports = [await told(session) for _ in range(14)] + [await told(session, EAST), await told(session, hint=None)]
    actor = city.actor("call_taker")
    _, policy = await storm_policy(session)
    clusters = await report_clusters(session, actor, policy)
    assert [(one.kind, len(one.members)) for one in clusters] == [("MET-01", 14), ("MET-01", 1), (None, 1)]
    incident = await accept_cluster(
        session, actor, [one.thing.id for one in clusters[0].members], incident_id=new_id(), type_code="MET-01"
    )
    assert incident.reports == 14
    assert {one.status for one in reports[:14]} == {ReportStatus.ACCEPTED, ReportStatus.JOINED}
    assert {one.incident_id for one in reports[:14]} == {incident.id}
    assert [len(one.members) for one in await report_clusters(session, actor, policy)] == [1, 1]


async def test_a_cluster_of_which_somebody_took_one_is_left_alone(session: AsyncSession, city: City) -> None:
    reports, actor = [await told(session) for _ in range(3)], city.actor("call_taker")
    await dismiss_report(session, actor, reports[1].id, reason="hoax")
    ids = [one.id for one in reports]
    with pytest.raises(AlreadyHandled):
        async with session.begin_nested():
            await accept_cluster(session, actor, ids, incident_id=new_id(), type_code="MET-01")
    await session.refresh(reports[0])
    assert reports[0].status == ReportStatus.RECEIVED
    with pytest.raises(NotFound):
        await accept_cluster(session, actor, [new_id()], incident_id=new_id(), type_code="MET-01")
    with pytest.raises(NothingToAccept):
        await accept_cluster(session, actor, [], incident_id=new_id(), type_code="MET-01")


async def test_what_is_secret_or_urgent_or_answered_is_in_no_cluster(session: AsyncSession, city: City) -> None:
    actor = city.actor("trained")
    small = await small_ones(session, city, 2)
    await an_incident(session, actor)  # urgent
    secret = await an_incident(session, actor, type_code="SEG-07")
    await reclassify(session, actor, secret.id, type_code="SEG-07", priority=4)
    answered = (await small_ones(session, city, 1))[0]
    await dispatch_units(session, actor, answered.id, [Sending(new_id(), city.units["M1"])])
    _, policy = await storm_policy(session)
    [cluster] = await incident_clusters(session, policy)
    assert {one.thing.id for one in cluster.members} == {one.id for one in small}


# ── Circuits ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_circuit_goes_on_by_itself_until_it_is_done(session: AsyncSession, city: City) -> None:
    circuit, stops = await a_circuit(session, city)
    seen = await mark(session)
    assert await states(session, circuit) == [(S.AT_HAND, ""), (S.PENDING, ""), (S.PENDING, "")]
    for n in range(3):
        assert await job(session, city) == stops[n].id
        await done(session, city)
        seen = await follow(session, seen)
    assert await states(session, circuit) == [(S.DONE, "")] * 3
    assert circuit.state == CircuitState.DONE
    for stop in stops:
        await session.refresh(stop)
        assert stop.state == IncidentState.FINISHED, "what is done does not wait for anybody"
    assert await job(session, city) is None
    made = await session.scalar(
        select(func.count()).select_from(Entry).where(Entry.kind == "assignment.made", Entry.incident_id.is_not(None))
    )
    assert made == 3
    await follow(session, 0)  # all of it once more, as after a backup was restored
    assert await job(session, city) is None
    assert await states(session, circuit) == [(S.DONE, "")] * 3


async def test_the_urgent_take_the_unit_and_the_circuit_waits(session: AsyncSession, city: City) -> None:
    circuit, stops = await a_circuit(session, city)
    seen = await mark(session)
    actor = city.actor("trained")
    urgent = await an_incident(session, actor)
    await dispatch_units(session, actor, urgent.id, [Sending(new_id(), city.units["T1"], on_busy=OnBusy.RELEASE)])
    seen = await follow(session, seen)
    assert await job(session, city) == urgent.id
    assert await states(session, circuit) == [(S.PENDING, ""), (S.PENDING, ""), (S.PENDING, "")]
    assert circuit.state == CircuitState.GIVEN
    await done(session, city)
    await follow(session, seen)
    assert await job(session, city) == stops[0].id, "it takes up where it was"


async def test_what_somebody_else_answered_is_passed_over(session: AsyncSession, city: City) -> None:
    circuit, stops = await a_circuit(session, city)
    seen = await mark(session)
    actor = city.actor("trained")
    await dispatch_units(session, actor, stops[1].id, [Sending(new_id(), city.units["M2"])])
    await done(session, city)
    await follow(session, seen)
    assert await states(session, circuit) == [(S.DONE, ""), (S.SKIPPED, "answered"), (S.AT_HAND, "")]
    assert await job(session, city) == stops[2].id


async def test_a_unit_off_duty_is_not_sent_on_until_it_is_back(session: AsyncSession, city: City) -> None:
    circuit, stops = await a_circuit(session, city)
    seen = await mark(session)
    await done(session, city)
    await set_duty(session, city.actor("trained"), city.units["T1"], duty=Duty.BREAK)
    seen = await follow(session, seen)
    assert await job(session, city) is None
    assert await states(session, circuit) == [(S.DONE, ""), (S.PENDING, ""), (S.PENDING, "")]
    await set_duty(session, city.actor("trained"), city.units["T1"], duty=Duty.ON_DUTY)
    await follow(session, seen)
    assert await job(session, city) == stops[1].id


async def test_a_circuit_waits_while_too_few_are_free_for_the_urgent(session: AsyncSession, city: City) -> None:
    actor = city.actor("trained")
    stops = [await an_incident(session, actor, type_code="SEG-05") for _ in range(2)]  # takes GUM, as all units have
    ids = [one.id for one in stops]
    circuit = await give_circuit(session, actor, new_id(), unit_id=city.units["T1"], incident_ids=ids)
    seen = await mark(session)
    urgent = await an_incident(session, actor)
    [sent] = await dispatch_units(session, actor, urgent.id, [Sending(new_id(), city.units["M1"])])
    await done(session, city)
    seen = await follow(session, seen)
    assert await job(session, city) is None, "of three, two stay free"
    assert await states(session, circuit) == [(S.DONE, ""), (S.PENDING, "reserve")]
    for status in (AssignmentStatus.ON_SCENE, AssignmentStatus.RELEASED):
        await report_status(session, actor, sent.id, status=status)
    await follow(session, seen)
    assert await job(session, city) == stops[1].id, "now there are enough"


async def test_what_becomes_secret_leaves_the_circuit_and_its_words(session: AsyncSession, city: City) -> None:
    circuit, stops = await a_circuit(session, city)
    seen = await mark(session)
    await reclassify(session, city.actor("trained"), stops[2].id, type_code="SEG-07")
    [at_once] = await board(session, city.actor("dispatcher"), [circuit.id])
    hidden = at_once["properties"]["stops"][2]
    assert (hidden["code"], hidden["place"], hidden["at"], hidden["incident_id"]) == (None, None, None, None)
    await follow(session, seen)
    assert (await states(session, circuit))[2] == (S.SKIPPED, "reserved")
    last = (
        await session.scalars(select(Entry).where(Entry.subject == circuit.subject).order_by(Entry.id.desc()).limit(1))
    ).one()
    assert stops[2].code not in str(last.faces)


async def test_only_what_can_wait_and_only_once(session: AsyncSession, city: City) -> None:
    actor = city.actor("trained")
    _, stops = await a_circuit(session, city)
    [free] = await small_ones(session, city, 1)

    async def give(unit: str, *incidents: Incident) -> None:
        async with session.begin_nested():
            ids = [one.id for one in incidents]
            await give_circuit(session, actor, new_id(), unit_id=city.units[unit], incident_ids=ids)

    with pytest.raises(UnitGoesRound):
        await give("T1", free)
    with pytest.raises(InAnotherCircuit):
        await give("M1", stops[1])
    with pytest.raises(NotForCircuits):
        await give("M1", await an_incident(session, actor))
    with pytest.raises(NotForCircuits):
        await give("M1", stops[0])  # somebody is on it
    with pytest.raises(TooManyStops):
        await give("M1", free, free)
    with pytest.raises(TooManyStops):
        await give("M1")
    with pytest.raises(NotAllowed):
        await give_circuit(
            session, city.actor("call_taker"), new_id(), unit_id=city.units["M1"], incident_ids=[free.id]
        )
    closed = (await small_ones(session, city, 1))[0]
    await close_incident(session, actor, closed.id, disposition="resolved")
    with pytest.raises(NotForCircuits):
        await give("M1", closed)


async def test_skipping_and_calling_off_leave_the_stops_to_others(session: AsyncSession, city: City) -> None:
    actor = city.actor("trained")
    circuit, stops = await a_circuit(session, city)
    with pytest.raises(NotFound):
        await skip_stop(session, actor, circuit.id, incident_id=stops[0].id, reason="está ahí")
    await skip_stop(session, actor, circuit.id, incident_id=stops[1].id, reason="lo hizo un vecino")
    await call_off_circuit(session, actor, circuit.id, reason="fin del turno")
    assert await states(session, circuit) == [(S.DONE, ""), (S.SKIPPED, "lo hizo un vecino"), (S.SKIPPED, "called_off")]
    assert await job(session, city) == stops[0].id, "the stop at hand stays the unit's"
    with pytest.raises(CircuitOver):
        await call_off_circuit(session, actor, circuit.id, reason="otra vez")
    again = await give_circuit(
        session, actor, new_id(), unit_id=city.units["M1"], incident_ids=[stops[1].id, stops[2].id]
    )
    assert again.state == CircuitState.GIVEN


async def test_who_may_see_a_circuit(session: AsyncSession, city: City) -> None:
    circuit, _ = await a_circuit(session, city, city.units["M1"])
    seen = {name for name, actor in city.everybody.items() if await board(session, actor, [circuit.id])}
    assert seen == {"call_taker", "dispatcher", "trained", "supervisor", "crew m1"}


async def test_two_who_give_the_same_stops_give_them_once(sessions: Sessions, city: City) -> None:
    async with transaction(sessions) as session:
        stops = [one.id for one in await small_ones(session, city, 3)]

    async def give(unit: str) -> str:
        try:
            async with transaction(sessions) as session:
                await give_circuit(
                    session, city.actor("trained"), new_id(), unit_id=city.units[unit], incident_ids=stops
                )
        except (NotForCircuits, InAnotherCircuit):
            return "refused"
        return "given"

    assert sorted(await asyncio.gather(give("M1"), give("M2"), give("T1"))) == ["given", "refused", "refused"]
    async with transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(CircuitStop)) == 3
        assert (await session.get_one(Incident, stops[0])).state == IncidentState.DISPATCHED


# ── The urgent keep their times ───────────────────────────────────────────────────────────────────


async def test_five_hundred_reports_are_few_lines_and_the_urgent_find_a_unit(session: AsyncSession, city: City) -> None:
    actor = city.actor("trained")
    corners = [Point(-60.675 + 0.006 * n, -32.965 + 0.007 * (n % 5)) for n in range(10)]
    for n in range(500):
        await told(session, corners[n % 10], ("MET-01", "MET-03", "SIN-04")[n % 3], words=f"aviso {n}")
    await watch_load(session)
    assert await storm_now(session) is not None
    _, policy = await storm_policy(session)
    clusters = await report_clusters(session, actor, policy)
    assert len(clusters) == 30
    assert sum(len(one.members) for one in clusters) == 500
    incidents = [
        await accept_cluster(
            session,
            actor,
            [one.thing.id for one in cluster.members],
            incident_id=new_id(),
            type_code=cluster.kind or "MET-01",
            priority=3,
        )
        for cluster in clusters
    ]
    assert sum(one.reports for one in incidents) == 500, "none is lost"
    circuit = await give_circuit(
        session, actor, new_id(), unit_id=city.units["T1"], incident_ids=[one.id for one in incidents[:8]]
    )
    seen = await mark(session)
    for _ in range(3):  # while the crew goes round, the urgent take it between two stops and at one
        urgent = await an_incident(session, actor)
        [sent] = await dispatch_units(
            session, actor, urgent.id, [Sending(new_id(), city.units["T1"], on_busy=OnBusy.RELEASE)]
        )
        seen = await follow(session, seen)
        assert await job(session, city) == urgent.id
        for status in (AssignmentStatus.ON_SCENE, AssignmentStatus.RELEASED):
            await report_status(session, actor, sent.id, status=status)
        seen = await follow(session, seen)
        assert await job(session, city) == incidents[0].id
    assert circuit.state == CircuitState.GIVEN
