"""Who may know what: rows, queries, boards, lists, the way in and the answers over HTTP agree about everybody.

The tables below are written from docs/api.md and the need-to-know table of the design, not from the code.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from shapely import Point
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import geo.fences
from coordination.sharing import share_incident
from geo.closures import Closure, access_closure
from geo.closures import board as board_of_closures
from geo.closures import faces_of as faces_of_closure
from geo.closures import visible_to as closure_visible_to
from geo.fences import Fence, FenceVisit, open_visit
from geo.passage import Passage, What
from incidents.assignments import Assignment, live_assignments
from incidents.catalogue import catalogue
from incidents.closing import close_incident
from incidents.duplicates import similar_incidents
from incidents.incident import (
    Incident,
    access_incident,
    audience_of,
    board,
    faces_of,
    features,
    listed,
    open_incident,
    seen_incident,
    tell,
    visible_to,
    visible_whole_to,
)
from incidents.reports import Channel, Contact, Report, access_report, receive_report
from incidents.reports import audience_of as audience_of_report
from incidents.reports import board as board_of_reports
from incidents.reports import faces_of as faces_of_report
from incidents.reports import visible_to as report_visible_to
from incidents.timeline import add_note, timeline
from incidents.triage import accept_report, dismiss_report, join_report
from realtime.access import VIGIA, Actor, Role, face_for
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.errors import NotFound
from resources.units import Unit, UnitKind, access_unit, add_unit
from resources.units import board as board_of_units
from resources.units import faces_of as faces_of_unit
from resources.units import visible_to as unit_visible_to
from tests.api.desks import app_on, badges, copy_of, desk, machinery_of
from tests.builders import City, a_closure, a_fence, a_sending, an_assignment
from tests.conftest import Client

WHOLE, BARE, MASKED, HIDDEN = "whole", "bare", "masked", "hidden"
TYPES = {0: "MET-01", 1: "SIN-01", 2: "SIN-01", 3: "SEG-07"}  # no type of the default catalogue is S2: made by hand
MASKED_WORDS = {"subject", "id", "version", "code", "masked", "state", "opened_at"}


class Case(NamedTuple):
    """One incident of the matrix."""

    sensitivity: int
    shared: str
    sent: bool
    where: str
    closed: bool = False


class Fate(NamedTuple):
    """One report of the matrix: who made it, and what became of it."""

    by: str
    became: str


# Zones matter to what is public; elsewhere one more is enough to show that they do not.
WHERE = {0: ("west", "east", "nowhere"), 1: ("west", "east"), 2: ("west",), 3: ("west", "east")}
CASES = [
    *(
        Case(sensitivity, shared, sent, where)
        for sensitivity in range(4)
        for shared, sent, where in itertools.product(("", "police", "vecinal este"), (False, True), WHERE[sensitivity])
    ),
    *(Case(sensitivity, shared, False, "west", True) for sensitivity in range(4) for shared in ("", "police")),
]
FATES = [
    Fate(by, became)
    for by in ("call_taker", "police", "vecinal oeste", "neighbour")
    for became in ("waiting", "accepted", "accepted, protected", "joined, protected", "dismissed")
]


@dataclass(frozen=True)
class Secret:
    """What nobody may find who does not see it: words, a place in words, a place on the map."""

    story: str
    place: str
    point: Point


@dataclass
class Town:
    """The city with every case in it."""

    app: FastAPI
    sessions: Sessions
    tokens: dict[str, str]
    incidents: dict[Case, UUID]
    secrets: dict[Case, Secret]
    crews: dict[Case, Actor]
    reports: dict[Fate, UUID]

    def desk(self, name: str) -> Any:
        """Somebody of the city at work; `neighbour` did not sign in."""
        return desk(self.app, self.tokens.get(name))


def sight(who: str, case: Case) -> str:  # noqa: PLR0911  a table has as many rows as it has
    """The table: what somebody of the city sees of an incident."""
    if who in {"trained", "supervisor"}:
        return WHOLE
    if who in {"call_taker", "dispatcher", "government"}:
        return WHOLE if case.sensitivity <= 2 else MASKED
    if who == "wall":
        return BARE if case.sensitivity <= 1 else HIDDEN
    if who == case.shared:
        return WHOLE
    if who.startswith("crew"):  # the crew that was sent is asked apart
        return BARE if case.sensitivity == 0 else HIDDEN
    if who in {"vecinal oeste", "vecinal este"}:
        home = "west" if who == "vecinal oeste" else "east"
        return BARE if case.sensitivity == 0 and case.where == home else HIDDEN
    return HIDDEN  # agencies, the administrator, anybody


def sees_report(who: str, fate: Fate) -> bool:
    """The table: whoever triages, and the organization that made it; protected once the incident is."""
    if who == fate.by and who in {"police", "vecinal oeste"}:
        return True
    if fate.became.endswith("protected"):
        return who in {"trained", "supervisor"}
    return who in {"call_taker", "dispatcher", "trained", "supervisor"}


def sees_unit(who: str, call_sign: str) -> str:
    """The table for units: operations, the own crew and the own agency whole; onlookers without its incident."""
    if who in {"call_taker", "dispatcher", "trained", "supervisor"} or who == f"crew {call_sign.lower()}":
        return WHOLE
    if who == "police" and call_sign == "P1":
        return WHOLE
    return BARE if who in {"government", "wall", "administrator"} else HIDDEN


def shown(feature: dict[str, Any] | None) -> str:
    """Which face that is."""
    if feature is None:
        return HIDDEN
    properties = feature["properties"]
    if properties["masked"]:
        return MASKED
    return WHOLE if properties["summary"] else BARE


# ── Building it ───────────────────────────────────────────────────────────────────────────────────


async def _build(session: AsyncSession, town: Town, city: City) -> None:
    trained = city.actor("trained")
    for number, case in enumerate(CASES):
        corner = {"west": (-60.66, -32.96), "east": (-60.62, -32.96), "nowhere": (-60.5, -32.96)}[case.where]
        secret = Secret(
            f"relato-{uuid4().hex}",
            f"calle-{uuid4().hex}",
            Point(corner[0], round(corner[1] + 3e-4 * number + 0.000137, 6)),
        )
        incident = await open_incident(
            session,
            trained,
            new_id(),
            type_code=TYPES[case.sensitivity],
            location=secret.point,
            place=secret.place,
            summary=secret.story,
        )
        if case.sensitivity == 2:
            incident.sensitivity = 2
            await tell(session, trained, "incident.reclassified", incident)
        await add_note(session, trained, incident.id, note_id=new_id(), text=f"nota de {secret.story}")
        if case.shared:
            organization = city.organizations[case.shared]
            await share_incident(session, trained, incident.id, organization_id=organization)
        if case.sent:
            await _send(session, town, city, case, incident)
        if case.closed:
            await close_incident(session, trained, incident.id, disposition="resolved")
        town.incidents[case], town.secrets[case] = incident.id, secret


async def _send(session: AsyncSession, town: Town, city: City, case: Case, incident: Incident) -> None:
    unit_id = city.units["M1"]
    if case != Case(3, "", True, "west"):  # M1 goes to the protected one; each of the others gets a unit of its own
        unit_id = new_id()
        municipality = city.organizations["municipality"]
        call_sign = f"X{len(town.crews)}"
        await add_unit(session, VIGIA, unit_id, call_sign=call_sign, kind=UnitKind.PATROL, organization_id=municipality)
    town.crews[case] = Actor(name="crew", role=Role.CREW, id=new_id(), unit_id=unit_id)
    await an_assignment(session, city.actor("trained"), incident, unit_id)


async def _tell_reports(session: AsyncSession, town: Town, city: City) -> None:
    trained = city.actor("trained")
    for fate in FATES:
        report = await receive_report(
            session,
            city.everybody[fate.by],
            new_id(),
            words=f"aviso-{uuid4().hex}",
            channel=Channel.WEB,
            place="Mitre y Rioja",
            location=city.west,
            contact=Contact("Ana", "341 555 0000"),
        )
        if fate.became.startswith("accepted"):
            kind = "SEG-07" if fate.became.endswith("protected") else "SIN-01"
            await accept_report(session, trained, report.id, incident_id=new_id(), type_code=kind)
        elif fate.became == "joined, protected":
            await join_report(session, trained, report.id, incident_id=town.incidents[Case(3, "", False, "east")])
        elif fate.became == "dismissed":
            await dismiss_report(session, trained, report.id, reason="hoax")
        town.reports[fate] = report.id


@pytest.fixture(scope="module")
def copy(maintenance_url: str, template: str) -> Iterator[str]:
    """This module's copy of the city."""
    with copy_of(maintenance_url, template) as url:
        yield url


@pytest.fixture(scope="module")
async def town(copy: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The city with every case in it."""
    data: Path = tmp_path_factory.mktemp("town")
    async with app_on(copy, redis_url, data) as app:
        sessions = machinery_of(app).sessions
        town = Town(app, sessions, await badges(sessions), {}, {}, {}, {})
        async with transaction(sessions) as session:
            await _build(session, town, City())
            await _tell_reports(session, town, City())
        yield town


# ── Incidents ─────────────────────────────────────────────────────────────────────────────────────


async def _access(session: AsyncSession, actor: Actor, incident_id: UUID) -> bool:
    try:
        await access_incident(session, actor, incident_id)
    except NotFound:
        return False
    return True


async def _seen(session: AsyncSession, actor: Actor, incident_id: UUID) -> bool:
    try:
        await seen_incident(session, actor, incident_id)
    except NotFound:
        return False
    return True


async def test_everybody_sees_of_each_incident_what_the_table_says(town: Town, city: City) -> None:
    async with reading(town.sessions) as session:
        words = await catalogue(session)
        assigned = await live_assignments(session, list(town.incidents.values()))
        for case, incident_id in town.incidents.items():
            incident = await session.get_one(Incident, incident_id)
            faces = faces_of(incident, assigned[incident_id], words)
            for who, actor in city.everybody.items():
                wanted = WHOLE if who == "crew m1" and case == Case(3, "", True, "west") else sight(who, case)
                feature = face_for(actor.keys, faces)
                assert shown(feature) == wanted, f"{who}: {case}"
                if feature is not None and wanted == BARE:
                    assert feature["properties"]["shared_with"] == [], f"{who}: {case}"
                opens = not audience_of(incident, assigned[incident_id]).isdisjoint(actor.keys)
                assert opens == (wanted == WHOLE), f"{who}: {case}"


async def test_queries_boards_lists_and_the_way_in_agree_with_the_faces(town: Town, city: City) -> None:
    async with reading(town.sessions) as session:
        rows = [await session.get_one(Incident, incident_id) for incident_id in town.incidents.values()]
        cases = {incident_id: case for case, incident_id in town.incidents.items()}
        for who, actor in city.everybody.items():
            faces = {UUID(one["properties"]["id"]): one for one in await features(session, actor, rows)}
            seen = set(await session.scalars(select(Incident.id).where(visible_to(actor)))) & cases.keys()
            whole = set(await session.scalars(select(Incident.id).where(visible_whole_to(actor)))) & cases.keys()
            on_board = {UUID(one["properties"]["id"]): one for one in await board(session, actor)}
            lists = [one.id for over in (False, True) for one in await listed(session, actor, over=over, limit=10_000)]
            assert seen == faces.keys(), who
            assert whole == {one for one, face in faces.items() if shown(face) == WHOLE}, who
            assert {one: face for one, face in on_board.items() if one in cases} == faces, who
            assert set(lists) & cases.keys() == seen, who
            for incident_id in cases:
                assert await _access(session, actor, incident_id) == (incident_id in whole), f"{who}: {cases}"
                assert await _seen(session, actor, incident_id) == (incident_id in seen), f"{who}: {cases}"


async def test_the_crew_that_was_sent_sees_all_of_its_incident_and_nothing_else_for_it(town: Town) -> None:
    async with reading(town.sessions) as session:
        for case, crew in town.crews.items():
            whole = set(await session.scalars(select(Incident.id).where(visible_whole_to(crew))))
            assert whole == {town.incidents[case]}
            mine = [one for one in await board(session, crew) if shown(one) == WHOLE]
            assert [one["properties"]["id"] for one in mine] == [str(town.incidents[case])]
            assert await timeline(session, crew, town.incidents[case])


async def test_a_masked_incident_says_that_something_is_under_way_and_nothing_else(town: Town, city: City) -> None:
    async with reading(town.sessions) as session:
        for who in ("dispatcher", "call_taker", "government"):
            masked = [one for one in await board(session, city.actor(who)) if one["properties"].get("masked")]
            assert len(masked) >= sum(case.sensitivity == 3 for case in CASES)
            for feature in masked:
                assert feature["geometry"] is None
                assert feature["properties"].keys() == MASKED_WORDS


def _id_of(feature: dict[str, Any]) -> UUID:
    return UUID(feature["properties"]["id"])


async def test_the_answers_over_http_are_what_the_table_says(town: Town, city: City) -> None:
    absent = uuid4()
    for who in city.everybody:
        if who == "neighbour":
            continue
        async with town.desk(who) as client:
            told = {
                _id_of(one): one
                for state in ("open", "closed")
                for one in (await client.get("incidents", params={"state": state, "limit": 200})).json()["features"]
            }
            nothing = await client.get(f"incidents/{absent}")
            assert nothing.status_code == 404
            for case, incident_id in town.incidents.items():
                wanted = WHOLE if who == "crew m1" and case == Case(3, "", True, "west") else sight(who, case)
                assert shown(told.get(incident_id)) == wanted, f"{who}: {case}"
                if case.where != "west" or case.closed or case.sent == bool(case.shared):
                    continue  # the same question once more; the list has answered it
                one = await client.get(f"incidents/{incident_id}")
                story = await client.get(f"incidents/{incident_id}/timeline")
                assert story.status_code == (200 if wanted == WHOLE else 404), f"{who}: {case}"
                if wanted == HIDDEN:
                    assert (one.status_code, one.content) == (404, nothing.content)
                else:
                    assert one.json() == told[incident_id]
                if wanted != WHOLE:
                    assert story.content == nothing.content


async def _everything(client: Client) -> str:
    """All that somebody can read without knowing an id."""
    start = (await client.get("snapshot")).json()
    paths = [
        "incidents?state=open&limit=200",
        "incidents?state=closed&limit=200",
        f"events?epoch={start['epoch']}&after=0",
        *("units", "people", "organizations", "simulation", "catalogue", "session", "zones"),
    ]
    texts = [json.dumps(start), *[(await client.get(path)).text for path in paths]]
    return "\n".join(texts)


async def test_no_list_gives_away_what_its_reader_may_not_know(town: Town, city: City) -> None:
    # The journal is numbered here by hand: no relay runs, and `events` must have lines to tell.
    async with transaction(town.sessions) as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE journal SET seq = id")
        await connection.exec_driver_sql(
            "INSERT INTO stream_head (id, epoch, seq) SELECT 1, gen_random_uuid(), max(seq) FROM journal"
            " ON CONFLICT (id) DO UPDATE SET seq = excluded.seq"
        )
    async with reading(town.sessions) as session:
        codes = {row.id: row.code for row in await session.execute(select(Incident.id, Incident.code))}
    for who in city.people:
        async with town.desk(who) as client:
            text = await _everything(client)
        for case, incident_id in town.incidents.items():
            seen, secret = sight(who, case), town.secrets[case]
            if who == "crew m1" and case == Case(3, "", True, "west"):
                continue
            if seen != WHOLE:
                assert secret.story not in text, f"{who}: {case}"
            if seen in {MASKED, HIDDEN}:
                assert secret.place not in text, f"{who}: {case}"
                assert f"{secret.point.y}" not in text, f"{who}: {case}"
            if seen == HIDDEN and case.sensitivity != 2:  # those were S1 at first: a screen is told that they left
                assert str(incident_id) not in text, f"{who}: {case}"
                assert codes[incident_id] not in text, f"{who}: {case}"


async def test_a_report_beside_a_protected_incident_does_not_name_it_to_the_untrained(town: Town, city: City) -> None:
    protected = Case(3, "", False, "west")
    async with transaction(town.sessions) as session:
        report = await receive_report(
            session,
            city.actor("call_taker"),
            new_id(),
            words="gritos",
            channel=Channel.PHONE,
            location=town.secrets[protected].point,
        )
        for who, wanted in (("call_taker", False), ("dispatcher", False), ("trained", True)):
            likely = {one["incident_id"] for one in await similar_incidents(session, city.actor(who), report.id)}
            assert (str(town.incidents[protected]) in likely) == wanted, who


# ── Absent and forbidden ──────────────────────────────────────────────────────────────────────────


UNTRAINED = ("call_taker", "dispatcher", "crew m2", "police", "vecinal oeste", "government", "wall", "administrator")


def _acts(incident_id: UUID, city: City) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Everything that can be asked about one incident; ids are new each time."""
    here = f"incidents/{incident_id}"
    place = {"type": "Point", "coordinates": [-60.66, -32.95]}
    yield here, None
    yield f"{here}/timeline", None
    yield f"{here}/notes", {"id": str(new_id()), "text": "¿qué pasa?"}
    yield f"{here}/notes/{new_id()}/strike", {"reason": "error"}
    yield f"{here}/reclassify", {"type_code": "SIN-01"}
    yield f"{here}/relocate", {"location": place}
    yield f"{here}/hold", {}
    yield f"{here}/under-control", {}
    yield f"{here}/finish", {}
    yield f"{here}/close", {"disposition": "resolved", "note": "listo"}
    yield f"{here}/cancel", {"reason": "error"}
    yield f"{here}/refer", {"reason": "error"}
    yield f"{here}/reopen", {"reason": "error"}
    yield f"{here}/share", {"organization_id": str(city.organizations["police"])}
    yield f"{here}/unshare", {"organization_id": str(city.organizations["police"])}
    yield f"{here}/assignments", a_sending(city.units["M2"])


async def _ask(client: Client, path: str, body: dict[str, Any] | None, **headers: str) -> tuple[int, bytes]:
    answer = await (client.get(path) if body is None else client.post(path, json=body, headers=headers))
    return answer.status_code, answer.content


async def test_a_hidden_incident_answers_every_question_as_an_absent_one_does(town: Town, city: City) -> None:
    protected = town.incidents[Case(3, "", False, "west")]
    for who in UNTRAINED:
        async with town.desk(who) as client:
            hidden, absent = _acts(protected, city), _acts(uuid4(), city)
            for (path, body), (nowhere, same) in zip(hidden, absent, strict=True):
                if path == f"incidents/{protected}" and sight(who, Case(3, "", False, "west")) == MASKED:
                    continue  # they may know that it is there, and are told nothing else
                told = await _ask(client, path, body, **{"If-Match": '"99"'})
                assert told == await _ask(client, nowhere, same, **{"If-Match": '"99"'}), f"{who}: {path}"
                assert told[0] in {403, 404}, f"{who}: {path}"


async def test_a_hidden_assignment_and_its_incident_are_not_found_by_their_ids(town: Town, city: City) -> None:
    sent = Case(3, "", True, "west")
    async with reading(town.sessions) as session:
        query = select(Assignment.id).where(Assignment.incident_id == town.incidents[sent])
        assignment_id = (await session.scalars(query)).one()
    fate = Fate("call_taker", "waiting")
    for who in ("call_taker", "dispatcher", "crew m2", "police", "government", "administrator"):
        async with town.desk(who) as client:
            for path, key in ((f"reports/{town.reports[fate]}/join", "incident_id"),):
                hidden = await _ask(client, path, {key: str(town.incidents[sent])})
                assert hidden == await _ask(client, path, {key: str(uuid4())}), who
            status = {"status": "en_route"}
            hidden = await _ask(client, f"assignments/{assignment_id}/status", status)
            assert hidden == await _ask(client, f"assignments/{uuid4()}/status", status), who
            assert hidden[0] in {403, 404}


# ── Reports ───────────────────────────────────────────────────────────────────────────────────────


async def test_everybody_sees_of_each_report_what_the_table_says(town: Town, city: City) -> None:
    async with reading(town.sessions) as session:
        for who, actor in city.everybody.items():
            visible = set(await session.scalars(select(Report.id).where(report_visible_to(actor))))
            waiting = {_id_of(one) for one in await board_of_reports(session, actor)}
            for fate, report_id in town.reports.items():
                wanted = sees_report(who, fate)
                assert (report_id in visible) == wanted, f"{who}: {fate}"
                assert (report_id in waiting) == (wanted and fate.became == "waiting"), f"{who}: {fate}"
                try:
                    report = await access_report(session, actor, report_id)
                except NotFound:
                    assert not wanted, f"{who}: {fate}"
                    continue
                assert wanted, f"{who}: {fate}"
                if fate.became == "waiting":
                    assert not audience_of_report(report).isdisjoint(actor.keys), f"{who}: {fate}"
                    assert face_for(actor.keys, faces_of_report(report)) is not None
                else:
                    assert faces_of_report(report) == ()


ASKED_ABOUT = (Fate("call_taker", "waiting"), Fate("neighbour", "accepted, protected"))


async def test_a_hidden_report_answers_as_an_absent_one_and_never_gives_the_contact(town: Town, city: City) -> None:
    for who in city.people:
        async with town.desk(who) as client:
            for fate, report_id in town.reports.items():
                if fate.became not in {"waiting", "accepted, protected"}:
                    continue
                told = await client.get(f"reports/{report_id}")
                assert (told.status_code == 200) == sees_report(who, fate), f"{who}: {fate}"
                assert "341 555 0000" not in told.text
                if sees_report(who, fate) or fate not in ASKED_ABOUT or who not in UNTRAINED:
                    continue
                absent = uuid4()
                for verb, body in (
                    ("", None),
                    ("/similar", None),
                    ("/contact", {}),
                    ("/accept", {"incident_id": str(new_id()), "type_code": "SIN-01"}),
                    ("/join", {"incident_id": str(town.incidents[Case(1, "", False, "west")])}),
                    ("/dismiss", {"reason": "hoax"}),
                ):
                    hidden = await _ask(client, f"reports/{report_id}{verb}", body)
                    assert hidden == await _ask(client, f"reports/{absent}{verb}", body), f"{who}: {fate} {verb}"
                    assert hidden[0] in {403, 404}


# ── Units ─────────────────────────────────────────────────────────────────────────────────────────


async def test_everybody_sees_of_each_unit_what_the_table_says(town: Town, city: City) -> None:
    for who, actor in city.everybody.items():
        async with reading(town.sessions) as session:
            visible = set(await session.scalars(select(Unit.id).where(unit_visible_to(actor))))
            on_board = {_id_of(one): one for one in await board_of_units(session, actor)}
            assert on_board.keys() == visible, who
            for call_sign, unit_id in city.units.items():
                wanted = sees_unit(who, call_sign)
                feature = on_board.get(unit_id)
                assert (feature is None) == (wanted == HIDDEN), f"{who}: {call_sign}"
                unit = await session.get_one(Unit, unit_id)
                assert face_for(actor.keys, faces_of_unit(unit, "Municipality" if call_sign != "P1" else "Police")) == (
                    feature
                ), f"{who}: {call_sign}"
                try:
                    await access_unit(session, actor, unit_id)
                except NotFound:
                    assert wanted == HIDDEN, f"{who}: {call_sign}"
                else:
                    assert wanted != HIDDEN, f"{who}: {call_sign}"
                if feature is not None and call_sign == "M1":
                    engaged = feature["properties"]
                    assert engaged["status"] == "assigned"
                    assert (engaged["incident_code"] is not None) == (wanted == WHOLE), who
                    assert (engaged["incident_id"] is not None) == (wanted == WHOLE), who
                    assert (engaged["assignment_id"] is not None) == (wanted == WHOLE), who


async def test_units_over_http_are_what_the_table_says(town: Town, city: City) -> None:
    for who in city.people:
        async with town.desk(who) as client:
            listed_units = {_id_of(one): one for one in (await client.get("units")).json()["features"]}
            absent = await client.get(f"units/{uuid4()}")
            for call_sign, unit_id in city.units.items():
                one, path = await client.get(f"units/{unit_id}"), await client.get(f"units/{unit_id}/track")
                if sees_unit(who, call_sign) == HIDDEN:
                    assert unit_id not in listed_units, who
                    assert (one.status_code, one.content) == (404, absent.content), who
                    assert (path.status_code, path.content) == (404, absent.content), who
                else:
                    assert one.json() == listed_units[unit_id], who
                    assert path.status_code == 200, who


async def test_closures_are_seen_by_everybody_with_an_account_and_nobody_else(town: Town, city: City) -> None:
    async with transaction(town.sessions) as session:
        closure = await a_closure(session, city.actor("dispatcher"))
    for who, actor in city.everybody.items():
        wanted = who != "neighbour"
        async with reading(town.sessions) as session:
            visible = set(await session.scalars(select(Closure.id).where(closure_visible_to(actor))))
            assert (closure.id in visible) == wanted, who
            assert (closure.id in {_id_of(one) for one in await board_of_closures(session, actor)}) == wanted, who
            assert (face_for(actor.keys, faces_of_closure(closure)) is not None) == wanted, who
            try:
                await access_closure(session, actor, closure.id)
            except NotFound:
                assert not wanted, who
            else:
                assert wanted, who
    for who in city.people:
        async with town.desk(who) as client:
            assert [_id_of(one) for one in (await client.get("closures")).json()["features"]] == [closure.id], who
            absent = await client.post(f"closures/{uuid4()}/lift")
            assert absent.status_code == (404 if who in {"dispatcher", "trained", "supervisor"} else 403), who


async def test_fences_and_visits_are_seen_by_operations_as_far_as_the_incident_may_be_known(
    town: Town, city: City
) -> None:
    async with transaction(town.sessions) as session:
        fence = await a_fence(session, city.actor("supervisor"))
        passage = Passage(What.ENTERED, now())
        visits = [
            await open_visit(session, fence, passage, who="M1", unit_id=city.units["M1"]),
            *[
                await open_visit(session, fence, passage, who="2026-1", incident_id=uuid4(), sensitivity=level)
                for level in range(4)
            ],
        ]
    for who, actor in city.everybody.items():
        sees_fence = who in {"call_taker", "dispatcher", "trained", "supervisor"}
        async with reading(town.sessions) as session:
            board = {_id_of(one) for one in await geo.fences.board(session, actor)}
            visible = set(await session.scalars(select(Fence.id).where(geo.fences.visible_to(actor))))
            assert (fence.id in board) == (fence.id in visible) == sees_fence, who
            assert (face_for(actor.keys, geo.fences.faces_of(fence)) is not None) == sees_fence, who
            board = {_id_of(one) for one in await geo.fences.board_of_visits(session, actor)}
            visible = set(await session.scalars(select(FenceVisit.id).where(geo.fences.visit_visible_to(actor))))
            for visit in visits:
                sees = sees_fence and (visit.sensitivity <= 2 or who in {"trained", "supervisor"})
                assert (visit.id in board) == (visit.id in visible) == sees, (who, visit.sensitivity)
                face = face_for(actor.keys, geo.fences.faces_of_visit(visit))
                assert (face is not None) == sees, (who, visit.sensitivity)


async def test_of_people_only_those_who_manage_them_hear(town: Town, city: City) -> None:
    async with AsyncExitStack() as desks:
        for who in city.people:
            client: Client = await desks.enter_async_context(town.desk(who))
            answer = await client.get("people")
            assert (answer.status_code == 200) == (who in {"supervisor", "administrator"}), who
            assert "password" not in answer.text, who
            assert "argon2" not in answer.text, who
