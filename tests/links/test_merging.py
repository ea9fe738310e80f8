"""Merging, splitting, and taking back: nothing is lost, nothing is there twice, and every neighbour reads the truth."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment, AssignmentStatus
from incidents.bonds import Link, LinkKind
from incidents.closing import close_incident
from incidents.dispatch import IncidentOver, OnBusy, Sending, dispatch_units, report_status
from incidents.follow_up import STEPS, follow_for_reporters
from incidents.incident import Incident, IncidentState, reclassify
from incidents.links import AlreadyUndone, LinkToItself, lineage
from incidents.merging import (
    NothingToSplit,
    SurvivorMerged,
    WhyLeft,
    merge_incidents,
    reports_inside,
    split_incident,
    take_back,
    unmerge_incident,
)
from incidents.reports import Report, ReportStatus
from incidents.timeline import add_note, timeline
from incidents.tracking import Step, tracked
from incidents.triage import accept_report, join_report
from realtime.access import Actor
from realtime.database import Sessions, connect, new_id, reading, sessions_of, transaction
from realtime.errors import NotAllowed, NotFound, Refusal, VersionMismatch
from realtime.journal import Entry
from resources.units import Unit
from tests.builders import City, a_report, an_assignment, an_incident
from tests.test_races import together

OPEN, SECRET = "MET-01", "SEG-07"


async def merge(session: AsyncSession, actor: Actor, gone: Incident, kept: Incident) -> Link:
    return await merge_incidents(session, actor, gone.id, link_id=new_id(), into_id=kept.id, reason="el mismo")


async def told(session: AsyncSession, actor: Actor, type_code: str = OPEN) -> tuple[Report, Incident]:
    """A report and the incident that was made of it."""
    report = await a_report(session, actor)
    incident = await accept_report(session, actor, report.id, incident_id=new_id(), type_code=type_code)
    return report, incident


async def catch_up(session: AsyncSession, after: int = 0) -> int:
    """Let the reaction see what was written in this transaction after an entry; which was the last."""
    await session.flush()
    for entry in await session.scalars(select(Entry).where(Entry.id > after).order_by(Entry.id)):
        await follow_for_reporters(session, entry)
        after = entry.id
    return after


async def test_reports_units_and_reporters_go_with_a_merge_and_come_back(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    (first, gone), (second, kept) = await told(session, actor), await told(session, actor)
    sent = await an_assignment(session, actor, gone, city.units["M1"])
    await report_status(session, actor, sent.id, status=AssignmentStatus.ON_SCENE)
    stamps, since = dict(sent.stamps), sent.since
    note = await add_note(session, actor, gone.id, note_id=new_id(), text="hay un herido")

    link = await merge(session, actor, gone, kept)

    assert (gone.state, gone.reports, kept.reports) == (IncidentState.MERGED, 0, 2)
    assert gone.closed_at is not None
    assert kept.state == IncidentState.ON_SCENE
    assert (sent.incident_id, sent.status, sent.stamps, sent.since) == (
        kept.id,
        AssignmentStatus.ON_SCENE,
        stamps,
        since,
    )
    unit = await session.get_one(Unit, city.units["M1"])
    assert (unit.incident_id, unit.incident_code, unit.engaged_since) == (kept.id, kept.code, since)
    assert kept.stamps["T9"] == stamps["T9"]
    assert {one["properties"]["id"] for one in await reports_inside(session, actor, kept.id)} == {
        str(first.id),
        str(second.id),
    }
    lines = await timeline(session, actor, kept.id)
    [written] = [line for line in lines if line.get("note")]
    assert (written["note"]["id"], written["incident"]["code"]) == (str(note.id), gone.code)
    [ended] = [line for line in await timeline(session, actor, gone.id) if line["kind"] == "incident.merged"]
    assert ended["link"]["to"]["code"] == kept.code
    await catch_up(session)
    assert (await tracked(session, first.tracking_code)).steps[-1]["step"] == Step.THERE

    _, left = await unmerge_incident(session, actor, link.id, reason="no era")

    assert left == []
    assert (gone.state, gone.reports, kept.reports) == (IncidentState.ON_SCENE, 1, 1)
    assert str(kept.state) == "classified"
    assert not gone.closed_at
    assert (first.incident_id, first.status) == (gone.id, ReportStatus.ACCEPTED)
    assert (sent.incident_id, sent.stamps) == (gone.id, stamps)
    assert "T9" not in kept.stamps
    assert unit.incident_id == gone.id
    await catch_up(session)
    assert (await tracked(session, first.tracking_code)).steps[-1]["step"] == Step.THERE
    assert (await tracked(session, second.tracking_code)).steps[-1]["step"] == Step.LOOKED_AT
    with pytest.raises(AlreadyUndone):
        await unmerge_incident(session, actor, link.id)


async def test_a_reporter_reads_how_the_survivor_ended_and_of_a_protected_one_no_word(
    session: AsyncSession, city: City
) -> None:
    trained = city.actor("trained")
    (first, gone), (_, kept) = await told(session, trained), await told(session, trained, SECRET)
    await merge(session, trained, gone, kept)
    await close_incident(session, trained, kept.id, disposition="resolved")
    await catch_up(session)
    page = await tracked(session, first.tracking_code)
    assert (page.steps[-1]["step"], page.outcome, page.subject) == (Step.DONE, "resolved", None)


async def test_a_split_takes_a_report_and_a_unit_and_its_reporter_follows(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    (_, incident), other = await told(session, actor), await a_report(session, actor, words="un árbol", place=city.east)
    await join_report(session, actor, other.id, incident_id=incident.id)
    sent = await an_assignment(session, actor, incident, city.units["M1"])

    fresh_id = new_id()
    link = await split_incident(
        session,
        actor,
        incident.id,
        link_id=new_id(),
        fresh_id=fresh_id,
        report_ids=[other.id],
        assignment_ids=[sent.id],
        reason="eran dos",
    )

    fresh = await session.get_one(Incident, fresh_id)
    assert (fresh.summary, fresh.shape, fresh.type_code, fresh.reports) == ("un árbol", city.east, OPEN, 1)
    assert fresh.stamps["T0"] == other.told_at.isoformat()
    assert (fresh.state, incident.state, incident.reports) == (IncidentState.DISPATCHED, IncidentState.WAITING, 1)
    assert (link.from_eido, link.to_eido) == ("SPLIT", "SPLIT")
    await catch_up(session)
    assert (await tracked(session, other.tracking_code)).steps[-1]["step"] == Step.ON_THE_WAY

    await take_back(session, actor, link.id, reason="era el mismo")

    assert (fresh.state, incident.reports, sent.incident_id) == (IncidentState.MERGED, 2, incident.id)
    told_in_order = await lineage(session, actor, incident.id)
    assert [(one["kind"], one["undone"] is not None) for one in told_in_order] == [("split", True), ("merged", False)]
    assert told_in_order == await lineage(session, actor, fresh_id)


async def test_what_is_refused(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    (_, one), (_, two), (report, three) = [await told(session, actor) for _ in range(3)]
    secret = await an_incident(session, city.actor("trained"), type_code=SECRET)
    with pytest.raises(NotAllowed):
        await merge(session, city.actor("call_taker"), one, two)
    with pytest.raises(LinkToItself):
        await merge(session, actor, one, one)
    with pytest.raises(NotFound):
        await merge(session, actor, one, secret)
    with pytest.raises(VersionMismatch):
        await merge_incidents(session, actor, one.id, link_id=new_id(), into_id=two.id, expected=99)
    link = await merge(session, actor, one, two)
    with pytest.raises(IncidentOver):
        await merge(session, actor, one, three)
    with pytest.raises(IncidentOver):
        await merge(session, actor, three, one)
    split: dict[str, Any] = {"link_id": new_id(), "fresh_id": new_id()}
    with pytest.raises(NothingToSplit):
        await split_incident(session, actor, two.id, **split)
    with pytest.raises(NotFound):
        await split_incident(session, actor, two.id, report_ids=[report.id], **split)
    with pytest.raises(NotFound):
        await split_incident(session, actor, two.id, assignment_ids=[new_id()], **split)
    await merge(session, actor, two, three)
    with pytest.raises(SurvivorMerged):
        await unmerge_incident(session, actor, link.id)


async def test_the_survivor_is_as_secret_as_what_it_took_in_whatever_it_is_called(
    session: AsyncSession, city: City
) -> None:
    trained = city.actor("trained")
    gone, kept = await an_incident(session, trained, type_code=SECRET), await an_incident(session, trained)
    before = kept.sensitivity
    link = await merge(session, trained, gone, kept)
    assert kept.sensitivity == 3
    await reclassify(session, trained, kept.id, type_code=OPEN)
    assert kept.sensitivity == 3
    fresh_id, report = new_id(), await a_report(session, trained)
    await join_report(session, trained, report.id, incident_id=kept.id)
    await split_incident(
        session, trained, kept.id, link_id=new_id(), fresh_id=fresh_id, report_ids=[report.id], type_code="INC-01"
    )
    assert (await session.get_one(Incident, fresh_id)).sensitivity == 3
    _, left = await unmerge_incident(session, trained, link.id)
    assert [one.why for one in left] == [WhyLeft.SENSITIVITY_KEPT]  # something was said in between
    assert kept.sensitivity == 3
    await reclassify(session, trained, kept.id, type_code="SIN-01")  # but now a person may say what it is
    assert kept.sensitivity == before


async def test_taken_back_at_once_a_survivor_is_as_it_was(session: AsyncSession, city: City) -> None:
    trained = city.actor("trained")
    gone, kept = await an_incident(session, trained, type_code=SECRET), await an_incident(session, trained)
    before = (kept.sensitivity, kept.least_sensitivity, kept.stamps, kept.state)
    link = await merge(session, trained, gone, kept)
    _, left = await unmerge_incident(session, trained, link.id)
    assert left == []
    assert (kept.sensitivity, kept.least_sensitivity, kept.stamps, kept.state) == before


async def test_what_cannot_be_put_back_is_named(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    (report, gone), (_, kept) = await told(session, actor), await told(session, actor)
    sent = await an_assignment(session, actor, gone, city.units["M1"])
    link = await merge(session, actor, gone, kept)
    await split_incident(session, actor, kept.id, link_id=new_id(), fresh_id=new_id(), report_ids=[report.id])
    await report_status(session, actor, sent.id, status=AssignmentStatus.CANCELLED)
    _, left = await unmerge_incident(session, actor, link.id)
    assert {(one.why, one.id) for one in left} == {
        (WhyLeft.REPORT_MOVED_ON, report.id),
        (WhyLeft.UNIT_RELEASED, sent.id),
    }
    assert (gone.reports, gone.state) == (0, IncidentState.WAITING)


# ── Any story ─────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Town:
    """Incidents, their reports and their units, and what must hold of them whatever is merged and split."""

    session: AsyncSession
    actor: Actor
    incidents: list[UUID] = field(default_factory=list)
    reports: dict[UUID, str] = field(default_factory=dict)
    stamps: dict[UUID, dict[str, str]] = field(default_factory=dict)
    links: list[UUID] = field(default_factory=list)
    seen: int = 0

    async def furnish(self, city: City) -> None:
        for number, call_sign in enumerate(city.units):
            report, incident = await told(self.session, self.actor, SECRET if number == 2 else OPEN)
            extra = await a_report(self.session, self.actor)
            await join_report(self.session, self.actor, extra.id, incident_id=incident.id)
            sent = await an_assignment(self.session, self.actor, incident, city.units[call_sign])
            if number % 2:
                await report_status(self.session, self.actor, sent.id, status=AssignmentStatus.EN_ROUTE)
            self.incidents.append(incident.id)
            self.reports |= {one.id: one.tracking_code for one in (report, extra)}
            self.stamps[sent.id] = dict(sent.stamps)

    async def do(self, word: str, dice: random.Random) -> None:
        """Do something at random, or be refused."""
        session, actor = self.session, self.actor
        one, other = dice.choice(self.incidents), dice.choice(self.incidents)
        link_id = new_id()
        try:
            async with session.begin_nested():
                if word == "merge":
                    await merge_incidents(session, actor, one, link_id=link_id, into_id=other)
                elif word == "split":
                    inside = (await session.scalars(select(Report.id).where(Report.incident_id == one))).all()
                    there = (await session.scalars(select(Assignment.id).where(Assignment.incident_id == one))).all()
                    fresh_id = new_id()
                    await split_incident(
                        session,
                        actor,
                        one,
                        link_id=link_id,
                        fresh_id=fresh_id,
                        report_ids=dice.sample(list(inside), dice.randint(0, len(inside))),
                        assignment_ids=dice.sample(list(there), dice.randint(0, len(there))),
                    )
                    self.incidents.append(fresh_id)
                elif self.links:
                    await take_back(session, actor, dice.choice(self.links))
                self.links = list(await session.scalars(select(Link.id).where(Link.from_id.in_(self.incidents))))
        except Refusal:
            session.expire_all()

    async def is_whole(self) -> None:
        """Nothing is lost, nothing is there twice."""
        session = self.session
        self.seen = await catch_up(session, self.seen)
        session.expire_all()
        incidents = {
            one.id: one for one in await session.scalars(select(Incident).where(Incident.id.in_(self.incidents)))
        }
        reports = (await session.scalars(select(Report).where(Report.id.in_(self.reports)))).all()
        assert {one.id: one.tracking_code for one in reports} == self.reports
        lying = Counter(one.incident_id for one in reports)
        assert {id_: one.reports for id_, one in incidents.items()} == {id_: lying[id_] for id_ in incidents}
        for report in reports:
            assert report.incident_id is not None
            home = incidents[report.incident_id]
            assert home.state != IncidentState.MERGED
            page = await tracked(session, report.tracking_code)
            assert page.steps[-1]["step"] == STEPS[IncidentState(home.state)]
        assignments = (await session.scalars(select(Assignment).where(Assignment.id.in_(self.stamps)))).all()
        assert {one.id: one.stamps for one in assignments} == self.stamps
        for assignment in assignments:
            unit = await session.get_one(Unit, assignment.unit_id)
            assert assignment.released_at is None
            assert (unit.incident_id, unit.assignment_id) == (assignment.incident_id, assignment.id)
            assert unit.incident_code == incidents[assignment.incident_id].code
            assert incidents[assignment.incident_id].state in {IncidentState.DISPATCHED, IncidentState.EN_ROUTE}
        live = await session.scalars(select(Link).where(Link.kind == LinkKind.MERGED, Link.undone_at.is_(None)))
        into = {link.from_id: link.to_id for link in live if link.from_id in incidents}
        assert into.keys() == {id_ for id_, one in incidents.items() if one.state == IncidentState.MERGED}
        for gone, kept in into.items():
            assert incidents[kept].sensitivity >= incidents[gone].sensitivity


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    words=st.lists(st.sampled_from(["merge", "merge", "split", "back"]), min_size=3, max_size=7),
    seed=st.integers(0, 10_000),
)
def test_whatever_is_merged_split_and_taken_back_all_are_there_once(
    shared_copy: str, words: list[str], seed: int
) -> None:
    async def story() -> None:
        engine, city = connect(shared_copy, pool=1), City()
        async with sessions_of(engine)() as session:
            town, dice = Town(session, city.actor("trained")), random.Random(seed)
            await town.furnish(city)
            for word in words:
                await town.do(word, dice)
                await town.is_whole()
            await session.rollback()
        await engine.dispose()

    asyncio.run(story())


# ── Everybody at once ─────────────────────────────────────────────────────────────────────────────


async def test_a_unit_that_is_sent_to_both_is_on_the_survivor_once(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    for leads_on_the_duplicate in (True, False):
        gone, kept = await an_incident(session, actor), await an_incident(session, actor)
        first, second = (gone, kept) if leads_on_the_duplicate else (kept, gone)
        leading = await an_assignment(session, actor, first, city.units["M1"])
        [waiting] = await dispatch_units(
            session, actor, second.id, [Sending(new_id(), city.units["M1"], on_busy=OnBusy.ADD)]
        )
        link = await merge(session, actor, gone, kept)
        assert (leading.incident_id, leading.released_at, leading.exclusive) == (kept.id, None, True)
        assert waiting.status == AssignmentStatus.CANCELLED
        unit = await session.get_one(Unit, city.units["M1"])
        assert (unit.incident_id, unit.assignment_id) == (kept.id, leading.id)
        _, left = await unmerge_incident(session, actor, link.id)
        assert (WhyLeft.UNIT_RELEASED, waiting.id) in {(one.why, one.id) for one in left}
        assert leading.incident_id == first.id
        await close_incident(session, actor, first.id, disposition="resolved")


async def test_of_merges_at_once_one_wins_and_nothing_is_lost(sessions: Sessions, city: City) -> None:
    actor = city.actor("dispatcher")
    async with transaction(sessions) as session:
        found = [await told(session, actor) for _ in range(3)]
        [one, two, three] = [incident for _, incident in found]

    async def attempt(gone: Incident, kept: Incident) -> None:
        async with transaction(sessions) as session:
            await merge(session, actor, gone, kept)

    pairs = [(one, two), (two, one), (one, three), (two, three), (three, one), (one, two)]
    answers = await together([lambda pair=pair: attempt(*pair) for pair in pairs])  # type: ignore[misc]
    assert all(answer is None or isinstance(answer, IncidentOver) for answer in answers), answers
    async with reading(sessions) as session:
        states = Counter(await session.scalars(select(Incident.state)))
        assert (states[IncidentState.MERGED], states[IncidentState.CLASSIFIED]) == (2, 1)
        homes = set(await session.scalars(select(Report.incident_id)))
        assert len(homes) == 1
        [kept_reports] = await session.scalars(select(Incident.reports).where(Incident.id.in_(homes)))
        assert kept_reports == 3


async def test_merging_while_others_send_move_and_join(sessions: Sessions, city: City) -> None:
    """Whoever comes first: a unit is on the survivor or was refused, and its crew's word reaches it."""
    actor = city.actor("dispatcher")
    for _ in range(4):
        async with transaction(sessions) as session:
            (_, gone), (_, kept) = await told(session, actor), await told(session, actor)
            sent = await an_assignment(session, actor, gone, city.units["M1"])
            extra = await a_report(session, actor)

        async def merging() -> None:
            async with transaction(sessions) as session:
                await merge(session, actor, gone, kept)  # noqa: B023

        async def sending() -> None:
            async with transaction(sessions) as session:
                await an_assignment(session, actor, gone, city.units["M2"])  # noqa: B023

        async def arriving() -> None:
            async with transaction(sessions) as session:
                await report_status(
                    session,
                    city.actor("crew m1"),
                    sent.id,  # noqa: B023
                    status=AssignmentStatus.EN_ROUTE,
                )

        async def joining() -> None:
            async with transaction(sessions) as session:
                await join_report(session, actor, extra.id, incident_id=gone.id)  # noqa: B023

        merged, went, moved, joined = await together([merging, sending, arriving, joining])
        assert merged is None
        assert moved is None, moved
        assert went is None or isinstance(went, IncidentOver), went
        assert joined is None or isinstance(joined, IncidentOver), joined
        async with transaction(sessions) as session:
            live = (await session.scalars(select(Assignment).where(Assignment.released_at.is_(None)))).all()
            assert {one.incident_id for one in live} == {kept.id}
            assert len(live) == (2 if went is None else 1)
            survivor = await session.get_one(Incident, kept.id)
            assert survivor.state == IncidentState.EN_ROUTE
            assert survivor.reports == (3 if joined is None else 2)
            await close_incident(session, actor, kept.id, disposition="resolved")
