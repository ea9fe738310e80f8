"""Feeds agree: for every verb and every kind of actor, snapshot + lines = a fresh snapshot.

The heart of the suite (Zulip's `verify_action`). A verb that is not in `SCENES` fails the last test.
"""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import pkgutil
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from types import ModuleType
from typing import Any

import pytest
from shapely import box
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

import coordination
import geo
import incidents.answers
import incidents.calls
import incidents.catalogue
import incidents.circuits
import incidents.duplicates
import incidents.handling
import incidents.handover
import incidents.hours
import incidents.presence
import incidents.radio_log
import incidents.run_cards
import incidents.soundings
import incidents.storm
import incidents.triage
import resources.facilities
import resources.organizations
import resources.people
import resources.positions
import resources.shifts
import resources.sign_in
import resources.vehicles
import tests.scenes
import web.demo.control
from coordination.sharing import share_incident, withdraw_incident
from geo.closures import Validity, amend_closure, draw_closure, expire_closure, lift_closure, sweep_closures
from geo.fences import (
    Ending,
    FenceVisit,
    Watch,
    amend_fence,
    close_visit,
    draw_fence,
    end_fence,
    mark_dwell,
    open_visit,
    show_visit_to,
    tidy_fences,
    tidy_visits,
)
from geo.imports import record_import
from geo.passage import Direction, Passage, What
from geo.speeds import use_learned_speeds
from geo.zones import ZoneKind, amend_zone, draw_zone, end_zone, import_zones
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
from incidents.dispatch import dispatch_units, report_status
from incidents.incident import Incident, open_incident, reclassify, relocate, take_off_board
from incidents.reports import receive_report, see_contact
from incidents.timeline import add_note, strike_note
from incidents.triage import accept_report, dismiss_report, join_report
from realtime.access import Actor
from realtime.catch_up import snapshot
from realtime.database import new_id, now, sessions_of
from realtime.hub import told
from realtime.journal import Entry, Line, faces_from
from resources.positions import positions_now
from resources.units import Duty, UnitKind, add_unit, set_duty
from tests.builders import City, a_closure, a_fence, a_report, a_zone, an_assignment, an_incident
from tests.scenes import SCENES, scene
from web.boards import BOARDS
from web.demo.control import control_simulation, start_simulation

State = dict[str, dict[str, Any]]  # features by subject


async def _state(session: AsyncSession, actor: Actor, kinds: Collection[str] = frozenset(BOARDS)) -> State:
    boards = {kind: board for kind, board in BOARDS.items() if kind in kinds}
    caught = await snapshot(session, actor, boards, positions_now)
    return {feature["properties"]["subject"]: feature for feature in caught.message["features"]}


def _kinds(subjects: Iterable[str]) -> set[str]:
    return {subject.partition(":")[0] for subject in subjects}


def _apply(state: State, line: dict[str, Any]) -> None:
    """The client's three lines."""
    if line["feature"] is None:
        state.pop(line["subject"], None)
    else:
        state[line["subject"]] = line["feature"]


# ── Reports and triage ────────────────────────────────────────────────────────────────────────────


@scene(receive_report)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: a_report(session, actor)


@scene(receive_report, "by a vecinal")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: a_report(session, city.actor("vecinal oeste"))


@scene(see_contact)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    report = await a_report(session, actor)
    return lambda: see_contact(session, actor, report.id)


@scene(accept_report)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    report = await a_report(session, city.actor("vecinal oeste"))
    return lambda: accept_report(session, actor, report.id, incident_id=new_id(), type_code="MET-01")


@scene(accept_report, "of a protected type")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    report = await a_report(session, actor)
    return lambda: accept_report(session, actor, report.id, incident_id=new_id(), type_code="SEG-07")


@scene(join_report)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    report, incident = await a_report(session, actor), await an_incident(session, actor)
    return lambda: join_report(session, actor, report.id, incident_id=incident.id)


@scene(dismiss_report)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    report = await a_report(session, actor)
    return lambda: dismiss_report(session, actor, report.id, reason="hoax")


# ── Incidents ─────────────────────────────────────────────────────────────────────────────────────


@scene(open_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: an_incident(session, actor)


@scene(open_incident, "that is public")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: an_incident(session, actor, type_code="MET-01")


@scene(open_incident, "that is protected")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: an_incident(session, actor, type_code="SEG-07")


@scene(reclassify, "to protected: most lose it")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor, type_code="MET-01")
    await an_assignment(session, actor, incident, city.units["M1"])
    return lambda: reclassify(session, actor, incident.id, type_code="SEG-07")


@scene(reclassify, "to public: most gain it")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor, type_code="SEG-07")
    return lambda: reclassify(session, actor, incident.id, type_code="MET-01", priority=2)


@scene(relocate, "into another zone")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor, type_code="MET-01", place=city.west)
    return lambda: relocate(session, actor, incident.id, location=city.east, place="Salta 100")


@scene(hold_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    return lambda: hold_incident(session, actor, incident.id, reason="sin móviles")


async def _on_scene(session: AsyncSession, actor: Actor, city: City, type_code: str = "MET-01") -> Incident:
    incident = await an_incident(session, actor, type_code=type_code)
    for call_sign in ("M1", "M2"):
        sent = await an_assignment(session, actor, incident, city.units[call_sign])
        await report_status(session, actor, sent.id, status=AssignmentStatus.ON_SCENE)
    return incident


@scene(control_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await _on_scene(session, actor, city)
    return lambda: control_incident(session, actor, incident.id)


@scene(finish_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await _on_scene(session, actor, city)
    return lambda: finish_incident(session, actor, incident.id)


@scene(close_incident, "with two units there")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await _on_scene(session, actor, city, type_code="SIN-01")
    return lambda: close_incident(session, actor, incident.id, disposition="resolved", note="sin novedad")


@scene(cancel_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    await an_assignment(session, actor, incident, city.units["M1"])
    return lambda: cancel_incident(session, actor, incident.id, reason="ya no hace falta")


@scene(refer_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    return lambda: refer_incident(session, actor, incident.id, reason="es de la provincia")


@scene(reopen_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    await close_incident(session, actor, incident.id, disposition="resolved")
    return lambda: reopen_incident(session, actor, incident.id, reason="volvió")


@scene(reopen_incident, "after it left the board")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor, type_code="MET-01")
    await close_incident(session, actor, incident.id, disposition="resolved")
    await take_off_board(session, actor, incident)
    return lambda: reopen_incident(session, actor, incident.id, reason="volvió")


@scene(take_off_board)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor, type_code="MET-01")
    await share_incident(session, actor, incident.id, organization_id=city.organizations["police"])
    await close_incident(session, actor, incident.id, disposition="resolved")
    return lambda: take_off_board(session, actor, incident)


# ── Notes and sharing ─────────────────────────────────────────────────────────────────────────────


@scene(add_note)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    return lambda: add_note(session, actor, incident.id, note_id=new_id(), text="llegó el fiscal")


@scene(strike_note)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    note = await add_note(session, actor, incident.id, note_id=new_id(), text="llegó el fiscal")
    return lambda: strike_note(session, actor, incident.id, note_id=note.id, reason="era otro")


@scene(share_incident, "a protected one")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor, type_code="SEG-07")
    return lambda: share_incident(session, actor, incident.id, organization_id=city.organizations["police"])


@scene(share_incident, "with a vecinal")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor, type_code="MET-01")
    return lambda: share_incident(session, actor, incident.id, organization_id=city.organizations["vecinal este"])


@scene(withdraw_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    police = city.organizations["police"]
    await share_incident(session, actor, incident.id, organization_id=police)
    return lambda: withdraw_incident(session, actor, incident.id, organization_id=police)


# ── Units and assignments ─────────────────────────────────────────────────────────────────────────


@scene(add_unit)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    police = city.organizations["police"]
    supervisor = city.actor("supervisor")
    return lambda: add_unit(session, supervisor, new_id(), call_sign="P9", kind=UnitKind.POLICE, organization_id=police)


@scene(set_duty)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: set_duty(session, city.actor("crew m1"), city.units["M1"], duty=Duty.BREAK)


@scene(dispatch_units, "to a protected incident")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor, type_code="SEG-07")
    return lambda: an_assignment(session, actor, incident, city.units["M1"])


@scene(dispatch_units, "of a partner")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    incident = await an_incident(session, actor)
    return lambda: an_assignment(session, actor, incident, city.units["P1"])


def _step(status: AssignmentStatus, *before: AssignmentStatus) -> None:
    @scene(report_status, status.value)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
        incident = await an_incident(session, actor, type_code="MET-01")
        sent = await an_assignment(session, actor, incident, city.units["M1"])
        for earlier in before:
            await report_status(session, actor, sent.id, status=earlier)
        reason = "cubierta pinchada" if status is AssignmentStatus.REFUSED else ""
        return lambda: report_status(session, city.actor("crew m1"), sent.id, status=status, reason=reason)


_step(AssignmentStatus.ACKNOWLEDGED)
_step(AssignmentStatus.EN_ROUTE)
_step(AssignmentStatus.ON_SCENE)
_step(AssignmentStatus.TRANSPORTING, AssignmentStatus.ON_SCENE)
_step(AssignmentStatus.AT_DESTINATION, AssignmentStatus.ON_SCENE, AssignmentStatus.TRANSPORTING)
_step(AssignmentStatus.RELEASED, AssignmentStatus.ON_SCENE)
_step(AssignmentStatus.REFUSED)
_step(AssignmentStatus.CANCELLED)


# ── Closures ──────────────────────────────────────────────────────────────────────────────────────


@scene(record_import)
async def _a_file_on_the_map(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    words = {"layer": "zones", "kind": "barrio", "source": "barrio", "file": "barrios.gml"}
    return lambda: record_import(session, city.actor("supervisor"), **words, counts={"added": 53})


@scene(use_learned_speeds)
async def _what_was_learned(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: use_learned_speeds(session, city.actor("supervisor"), in_use=True)


@scene(draw_closure)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: a_closure(session, actor)


@scene(draw_closure, "for tomorrow")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    tomorrow = now() + dt.timedelta(days=1)
    return lambda: a_closure(session, actor, validity=Validity(tomorrow, tomorrow + dt.timedelta(hours=4)))


@scene(amend_closure, "to last longer")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    closure = await a_closure(session, actor, validity=Validity(None, now() + dt.timedelta(hours=1)))
    longer = Validity(None, now() + dt.timedelta(hours=4))
    return lambda: amend_closure(session, actor, closure.id, validity=longer, reason="dos caños", shape=city.west)


@scene(lift_closure)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    closure = await a_closure(session, actor)
    return lambda: lift_closure(session, actor, closure.id)


@scene(expire_closure)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    closure = await a_closure(session, actor, validity=Validity(now() - dt.timedelta(hours=1), None))

    async def sweep_when_over() -> None:
        closure.valid_until = now()  # as if its last hour had passed
        await session.flush()
        await sweep_closures(session)
        assert not closure.on_board

    return sweep_when_over


# ── Zones ─────────────────────────────────────────────────────────────────────────────────────────


@scene(draw_zone)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    supervisor, shape = city.actor("supervisor"), box(-60.66, -32.96, -60.65, -32.95)
    return lambda: draw_zone(session, supervisor, new_id(), kind=ZoneKind.BARRIO, name="Centro", shape=shape)


@scene(amend_zone)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: amend_zone(session, city.actor("supervisor"), city.zones["Oeste"], name="Poniente", desk="COM")


@scene(end_zone)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: end_zone(session, city.actor("administrator"), city.zones["Oeste"])


@scene(import_zones)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: import_zones(session, city.actor("supervisor"), [a_zone("Norte")])


# ── Fences ────────────────────────────────────────────────────────────────────────────────────────


@scene(draw_fence)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: a_fence(session, city.actor("supervisor"))


async def _visit(session: AsyncSession, city: City, what: What = What.ENTERED, *, sensitivity: int = 0) -> FenceVisit:
    fence = await a_fence(session, city.actor("supervisor"))
    unit = {"unit_id": city.units["M1"]} if not sensitivity else {"incident_id": new_id()}
    passage = Passage(what, now(), direction=Direction.LEFT_TO_RIGHT if what is What.CROSSED else None)
    return await open_visit(session, fence, passage, who="M1", sensitivity=sensitivity, **unit)


@scene(amend_fence, "with somebody inside")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    visit = await _visit(session, city)
    watch = Watch(unit_kinds=["fire"], dwell_seconds=60)
    return lambda: amend_fence(session, city.actor("supervisor"), visit.fence_id, name="Otra", watch=watch)


@scene(end_fence, "with somebody inside")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    visit = await _visit(session, city)
    return lambda: end_fence(session, city.actor("supervisor"), visit.fence_id)


@scene(tidy_fences)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    fence = await a_fence(session, city.actor("supervisor"))
    fence.valid_until = now()
    return lambda: tidy_fences(session)


@scene(open_visit)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: _visit(session, city)


@scene(open_visit, "over a line")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: _visit(session, city, What.CROSSED)


@scene(open_visit, "of a protected incident")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: _visit(session, city, sensitivity=3)


@scene(mark_dwell)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    visit = await _visit(session, city)
    return lambda: mark_dwell(session, visit, now())


@scene(close_visit)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    visit = await _visit(session, city)
    return lambda: close_visit(session, actor, visit, now(), Ending.LEFT)


@scene(show_visit_to, "fewer, since its incident is protected")
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    visit = await _visit(session, city, sensitivity=1)
    return lambda: show_visit_to(session, visit, 3)


@scene(tidy_visits)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    visit = await _visit(session, city)
    visit.entered_at = visit.exited_at = now() - dt.timedelta(hours=1)
    return lambda: tidy_visits(session)


# ── The demo ──────────────────────────────────────────────────────────────────────────────────────


@scene(start_simulation)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    return lambda: start_simulation(session, actor)


@scene(control_simulation)
async def _(session: AsyncSession, actor: Actor, city: City) -> Callable[[], Awaitable[Any]]:
    await start_simulation(session, actor)
    return lambda: control_simulation(session, actor, running=False)


for _found in pkgutil.iter_modules(tests.scenes.__path__, "tests.scenes."):
    importlib.import_module(_found.name)  # each registers its scenes


# ── The test ──────────────────────────────────────────────────────────────────────────────────────


# Whoever sees every kind of thing finds out which kinds an act changes, told of or not; everybody is asked for those.
ALL_SEEING = "supervisor"


@pytest.fixture(scope="module")
async def beforehand(shared_engine: AsyncEngine) -> dict[str, State]:
    """What everybody sees of the city of the template, which every scene begins with."""
    async with sessions_of(shared_engine)() as session:
        return {who: await _state(session, actor) for who, actor in City().everybody.items()}


async def _entries(session: AsyncSession, after: int) -> list[Entry]:
    await session.flush()
    return list(await session.scalars(select(Entry).where(Entry.id > after).order_by(Entry.id)))


@pytest.mark.parametrize("name", SCENES)
async def test_snapshot_and_lines_give_a_fresh_snapshot(
    name: str, session: AsyncSession, city: City, beforehand: dict[str, State]
) -> None:
    _, stage = SCENES[name]
    mark = await session.scalar(select(func.max(Entry.id))) or 0
    act = await stage(session, city.actor("trained"), city)
    staged = await _entries(session, mark)
    mark = staged[-1].id if staged else mark

    await act()

    acted = await _entries(session, mark)
    assert acted, "a verb that changes what people see must record it"
    told_of = _kinds(entry.subject for entry in (*staged, *acted))
    everything = await _state(session, city.actor(ALL_SEEING))
    changed = _kinds(
        subject for subject, feature in everything.items() if beforehand[ALL_SEEING].get(subject) != feature
    )
    lost = _kinds(beforehand[ALL_SEEING].keys() - everything.keys())
    kinds = told_of | changed | lost
    for who, actor in city.everybody.items():
        held = {subject: feature for subject, feature in beforehand[who].items() if subject.partition(":")[0] in kinds}
        for entry in (*staged, *acted):
            line = Line(entry.id, entry.subject, entry.version, faces_from(entry.faces), frozenset(entry.told_before))
            message = told(line, actor.keys)
            if message is not None:
                assert message["feature"] is not None or message["subject"] in held, (
                    f"{who} is told of the end of something that {who} never saw"
                )
                _apply(held, message)
        assert held == await _state(session, actor, kinds), who


NOT_LIVE = {
    incidents.catalogue.publish_catalogue,  # read with GET
    incidents.run_cards.lay_default_cards,  # at the founding, before anybody listens
    resources.facilities.lay_facilities,
    resources.positions.may_send,  # positions have a lane of their own
    resources.organizations.add_organization,  # organizations are on no board
    resources.people.add_person,  # nor are accounts
    resources.people.disable_person,
    resources.sign_in.set_password,
    incidents.presence.be_present,  # answered to who says it, every few seconds
    incidents.soundings.keep_soundings,  # a seat's own account of what it played
    incidents.soundings.sound_tests,
}


def floors() -> Iterator[ModuleType]:
    """Every module that may hold verbs."""
    for floor in (coordination, incidents, resources, geo):
        for found in pkgutil.iter_modules(floor.__path__, f"{floor.__name__}."):
            yield importlib.import_module(found.name)
    yield web.demo.control


ASKS = re.compile(r"require\(|access_(kept|stock)\([^)]*lock=True|access_subject\([^)]*change=True")


def test_every_verb_has_a_scene() -> None:
    verbs = {
        function
        for module in floors()
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        # what asks for a permission and changes something: reading functions take no lock
        if ASKS.search(inspect.getsource(function)) and "all_" not in name and "access_" not in name
    }
    verbs -= {incidents.duplicates.similar_incidents, incidents.duplicates.unlinked_duplicates}  # they only read, …
    verbs -= {resources.vehicles.postings_of_vehicle}
    verbs -= {incidents.hours.everybodys_hours, resources.shifts.candidates}  # … as do these two, of personnel, …
    verbs -= {incidents.answers.count_answers, incidents.calls.count_calls}
    verbs -= {incidents.radio_log.radio_log, incidents.handling.possible_handlers}
    verbs -= {incidents.handover.desk_people, incidents.handover.handovers}
    verbs -= {incidents.circuits.plan_circuits, incidents.storm.report_clusters}  # … and these only propose
    assert verbs <= {verb for verb, _ in SCENES.values()} | NOT_LIVE
