"""Everybody at once: a unit is sent once, a key works once, and nobody waits for ever for anybody."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from psycopg.errors import LockNotAvailable
from pwdlib import PasswordHash
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from coordination.sharing import share_incident, withdraw_incident
from incidents.assignments import Assignment, AssignmentStatus, live_assignments
from incidents.closing import close_incident, hold_incident, reopen_incident
from incidents.dispatch import (
    OnBusy,
    Sending,
    UnitAlreadyAssigned,
    dispatch_units,
    reassign,
    report_status,
    stand_down_all,
    swap_units,
)
from incidents.incident import OVER, Incident, derived_state, reclassify, relocate
from incidents.reports import AlreadyHandled, Report, ReportStatus
from incidents.timeline import add_note
from incidents.triage import accept_report, dismiss_report, join_report
from incidents.undo import offered, undo
from realtime.access import Actor, Role
from realtime.database import Sessions, connect, new_id, reading, sessions_of, transaction
from realtime.errors import NotFound, Refusal, VersionMismatch
from realtime.idempotency import KeptAnswer
from realtime.journal import Entry
from resources import people
from resources.people import Person
from resources.units import Duty, Unit, set_duty
from tests.api.desks import badge, badges, desk, machinery_of, persistently
from tests.builders import City, a_report, a_sending, an_assignment, an_incident
from tests.conftest import Client

CROWD = 64
SEED = 20_261_122
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def dispatcher(number: int) -> Actor:
    """One of many."""
    return Actor(name=f"Despachante {number}", role=Role.DISPATCHER, id=new_id(), clearance=3)


async def together(acts: list[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """Start all of them at one moment; what each gave, or raised."""
    start = asyncio.Event()

    async def one(act: Callable[[], Awaitable[Any]]) -> Any:
        await start.wait()
        return await act()

    tasks = [asyncio.create_task(one(act)) for act in acts]
    await asyncio.sleep(0)
    start.set()
    async with asyncio.timeout(60):
        return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def many(database_url: str) -> AsyncIterator[Sessions]:
    """Sessions over a pool in which nobody is refused for want of a connection."""
    engine: AsyncEngine = connect(database_url, pool=20)
    engine.pool._timeout = 60  # type: ignore[attr-defined]
    yield sessions_of(engine)
    await engine.dispose()


@pytest.fixture
async def room(app: FastAPI) -> AsyncIterator[list[Client]]:
    """A room of 64 dispatchers, each signed in at a desk of their own."""
    city = City()
    async with AsyncExitStack() as desks:
        tokens = []
        async with transaction(machinery_of(app).sessions) as session:
            for number in range(CROWD):
                person = Person(
                    id=new_id(),
                    username=f"d{number}",
                    name=f"Despachante {number}",
                    password_hash="",
                    role=Role.DISPATCHER,
                    organization_id=city.organizations["municipality"],
                )
                session.add(person)
                await session.flush()
                tokens.append(await badge(session, person.id))
        yield [await desks.enter_async_context(desk(app, token)) for token in tokens]


# ── One unit, many dispatchers ────────────────────────────────────────────────────────────────────


async def test_64_dispatchers_send_one_unit_and_one_of_them_has_it(
    room: list[Client], sessions: Sessions, city: City
) -> None:
    async with transaction(sessions) as session:
        wanted = [await an_incident(session, city.actor("dispatcher")) for _ in range(4)]
    unit_id = str(city.units["M1"])

    def send(number: int, client: Client) -> Callable[[], Awaitable[httpx2.Response]]:
        path = f"incidents/{wanted[number % 4].id}/assignments"
        return lambda: persistently(client, path, a_sending(unit_id))

    answers = await together([send(number, client) for number, client in enumerate(room)])

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: CROWD - 1}
    [winner] = [number for number, answer in enumerate(answers) if answer.status_code == 201]
    for answer in answers:
        if answer.status_code == 409:
            refusal = answer.json()
            assert refusal["code"] == "UnitAlreadyAssigned"
            assert refusal["facts"]["call_sign"] == "M1"
            assert refusal["facts"]["by"] == f"Despachante {winner}"
            assert refusal["facts"]["incident_code"] == wanted[winner % 4].code
            assert dt.datetime.fromisoformat(refusal["facts"]["since"]).tzinfo is not None
            assert f"Despachante {winner}" in refusal["title"]
    async with reading(sessions) as session:
        [assignment] = (await session.scalars(select(Assignment))).all()
        unit = await session.get_one(Unit, city.units["M1"])
    assert (assignment.incident_id, assignment.made_by) == (wanted[winner % 4].id, f"Despachante {winner}")
    assert (unit.assignment_id, unit.incident_id) == (assignment.id, assignment.incident_id)


async def test_64_verbs_at_once_send_each_unit_once(many: Sessions, city: City) -> None:
    async with transaction(many) as session:
        incidents = [(await an_incident(session, dispatcher(0))).id for _ in range(8)]

    def send(number: int) -> Callable[[], Awaitable[Assignment]]:
        async def act() -> Assignment:
            while True:  # whoever ran into the bounded wait is told 503, and tries again
                with contextlib.suppress(OperationalError):
                    async with transaction(many) as session:
                        unit_id = city.units[sorted(city.units)[number % 4]]
                        incident = await session.get_one(Incident, incidents[number // 4 % 8])
                        return await an_assignment(session, dispatcher(number), incident, unit_id)

        return act

    outcomes = await together([send(number) for number in range(CROWD)])

    sent = [one for one in outcomes if isinstance(one, Assignment)]
    refused = [one for one in outcomes if isinstance(one, UnitAlreadyAssigned)]
    assert sorted(one.call_sign for one in sent) == sorted(city.units)
    assert len(refused) == CROWD - 4, [one for one in outcomes if one not in sent and one not in refused]
    holders = {one.call_sign: one.made_by for one in sent}
    assert all(one.facts["by"] == holders[one.facts["call_sign"]] for one in refused)


UNITS, CASES, TRIES = 200, 40, 25


async def test_64_dispatchers_over_200_units_make_200_sendings(many: Sessions, city: City) -> None:
    """Each wants 25 of them, in acts of one, two or three at once: every unit is wanted by eight, and goes once."""
    async with transaction(many) as session:
        incidents = [(await an_incident(session, dispatcher(0))).id for _ in range(CASES)]
        fleet = [new_id() for _ in range(UNITS)]
        for number, unit_id in enumerate(fleet):
            municipality = city.organizations["municipality"]
            session.add(Unit(id=unit_id, call_sign=f"X{number:03d}", kind="patrol", organization_id=municipality))
    won: dict[UUID, str] = {}
    lost: list[tuple[str, str]] = []  # a unit, and who was said to have it

    async def attempt(actor: Actor, dice: random.Random, wanted: list[UUID]) -> None:
        while True:  # whoever ran into the bounded wait is told 503, and tries again
            with contextlib.suppress(OperationalError):
                async with transaction(many) as session:
                    sendings = [Sending(new_id(), unit_id) for unit_id in wanted]
                    await dispatch_units(session, actor, dice.choice(incidents), sendings)
                break
        for unit_id in wanted:
            assert unit_id not in won, "sent twice"
            won[unit_id] = actor.name

    async def shift(number: int) -> None:
        dice, actor = random.Random(SEED + number), dispatcher(number)
        wanted = [fleet[(number * TRIES + step) % UNITS] for step in range(TRIES)]
        dice.shuffle(wanted)
        while wanted:
            some = [wanted.pop() for _ in range(min(len(wanted), dice.choice([1, 2, 3])))]
            while some:
                try:
                    await attempt(actor, dice, some)
                    break
                except UnitAlreadyAssigned as refusal:
                    busy = refusal.facts["units"]
                    assert busy, "refused, and nobody has it"
                    lost.extend((one["unit_id"], one["by"]) for one in busy)
                    some = [unit_id for unit_id in some if str(unit_id) not in {one["unit_id"] for one in busy}]

    outcomes = await together([partial(shift, number) for number in range(CROWD)])
    assert outcomes == [None] * CROWD

    assert len(won) == UNITS
    assert len(won) + len(lost) == CROWD * TRIES, "every attempt was won, or lost to somebody by name"
    holders = {str(unit_id): name for unit_id, name in won.items()}
    assert all(holders[unit_id] == by for unit_id, by in lost)
    async with reading(many) as session:
        rows = (await session.scalars(select(Assignment))).all()
        assert {row.unit_id: row.made_by for row in rows} == won
        assert len(rows) == UNITS
        assert await session.scalar(text(DEADLOCKS)) == 0
        await _units_say_what_their_assignments_say(session)
        await _incidents_say_what_their_assignments_say(session)
        await _versions_are_told_in_order(session)


async def test_the_index_stands_behind_the_lock(sessions: Sessions, city: City) -> None:
    """Were the lock on the unit ever forgotten, PostgreSQL would still refuse the second sending."""
    async with transaction(sessions) as session:
        first, second = [await an_incident(session, city.actor("dispatcher")) for _ in range(2)]
        unit_id = city.units["M1"]
        sent = await an_assignment(session, city.actor("dispatcher"), first, unit_id)
        once_more = Assignment(
            id=new_id(),
            incident_id=second.id,
            unit_id=unit_id,
            call_sign="M1",
            status=AssignmentStatus.ASSIGNED,
            since=sent.since,
            made_at=sent.made_at,
            made_by="",
        )
    async with sessions() as session:
        session.add(once_more)
        with pytest.raises(IntegrityError, match="one_live_exclusive_assignment_per_unit"):
            await session.flush()


# ── One key, many requests ────────────────────────────────────────────────────────────────────────


async def test_32_requests_with_one_key_make_one_report_and_get_one_answer(app: FastAPI, sessions: Sessions) -> None:
    token = (await badges(sessions, ["call_taker"]))["call_taker"]
    body = {"id": str(new_id()), "words": "humo negro", "channel": "phone"}
    async with desk(app, token) as client:
        answers = await together([lambda: persistently(client, "reports", body)] * 32)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1

        again = await client.post("reports", json=dict(reversed(body.items())))
        assert again.content == answers[0].content, "the order of keys is no other request"
        other = await client.post("reports", json=body | {"words": "humo blanco"})
        assert (other.status_code, other.json()["code"]) == (422, "KeyReused")
    async with reading(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(Report)) == 1
        kinds = (await session.scalars(select(Entry.kind).where(Entry.subject.like("report:%")))).all()
        assert kinds == ["report.received"]
        assert await session.scalar(select(func.count()).select_from(KeptAnswer)) == 1


async def test_the_same_key_of_two_people_is_two_keys(app: FastAPI, sessions: Sessions, city: City) -> None:
    tokens = await badges(sessions, ["dispatcher", "trained"])
    async with transaction(sessions) as session:
        incident = await an_incident(session, city.actor("dispatcher"))
    note = {"id": str(new_id()), "text": "llegó el fiscal"}
    async with desk(app, tokens["dispatcher"]) as one, desk(app, tokens["trained"]) as other:
        path = f"incidents/{incident.id}/notes"
        answers = await together([lambda: one.post(path, json=note), lambda: other.post(path, json=note)])
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        for client, answer in zip((one, other), answers, strict=True):  # and each gets its own answer again
            assert (await client.post(path, json=note)).status_code == answer.status_code


async def test_a_refused_creation_may_be_tried_again_with_its_key(app: FastAPI, sessions: Sessions, city: City) -> None:
    token = (await badges(sessions, ["dispatcher"]))["dispatcher"]
    async with transaction(sessions) as session:
        incident = await an_incident(session, city.actor("dispatcher"))
        await set_duty(session, city.actor("dispatcher"), city.units["M1"], duty=Duty.BREAK)
    sending = a_sending(city.units["M1"])
    async with desk(app, token) as client:
        refused = await client.post(f"incidents/{incident.id}/assignments", json=sending)
        assert refused.json()["code"] == "UnitNotOnDuty"
        await client.post(f"units/{city.units['M1']}/duty", json={"duty": "on_duty"})
        assert (await client.post(f"incidents/{incident.id}/assignments", json=sending)).status_code == 201


# ── Two people, one thing ─────────────────────────────────────────────────────────────────────────


async def test_a_report_that_many_accept_becomes_one_incident(room: list[Client], sessions: Sessions) -> None:
    for kind in ("SIN-01", "SEG-07"):  # the second is masked to all of them as soon as it is there
        async with transaction(sessions) as session:
            report = await a_report(session, dispatcher(0))

        def accept(client: Client, report: Report = report, kind: str = kind) -> Callable[[], Awaitable[Any]]:
            body = {"incident_id": str(new_id()), "type_code": kind}
            return lambda: persistently(client, f"reports/{report.id}/accept", body)

        answers = await together([accept(client) for client in room[:12]])

        codes = Counter(answer.status_code for answer in answers)
        assert codes[201] == 1
        if kind == "SIN-01":
            assert {answer.json()["code"] for answer in answers if answer.status_code != 201} == {"AlreadyHandled"}
        async with reading(sessions) as session:
            accepted = await session.get_one(Report, report.id)
            count = select(func.count()).select_from(Incident).where(Incident.type_code == kind)
            assert await session.scalar(count) == 1
            assert accepted.status == ReportStatus.ACCEPTED


async def test_accepting_joining_and_dismissing_at_once_do_one_of_the_three(many: Sessions, city: City) -> None:
    for _ in range(6):
        async with transaction(many) as session:
            report, incident = await a_report(session, dispatcher(0)), await an_incident(session, dispatcher(0))

        def act(verb: Callable[..., Awaitable[Any]], id_: UUID = report.id, **words: Any) -> Callable[[], Any]:
            async def do() -> Any:
                async with transaction(many) as session:
                    return await verb(session, dispatcher(1), id_, **words)

            return do

        accept = act(accept_report, incident_id=new_id(), type_code="SIN-01")
        join = act(join_report, incident_id=incident.id)
        outcomes = await together([accept, join, act(dismiss_report, reason="hoax")])

        assert sorted(isinstance(one, AlreadyHandled) for one in outcomes) == [False, True, True], outcomes
        async with reading(many) as session:
            joined = await session.get_one(Incident, incident.id)
            count = select(func.count()).where(Report.incident_id == incident.id)
            assert joined.reports == await session.scalar(count)


async def test_two_who_read_the_same_version_do_not_overwrite_each_other(
    app: FastAPI, sessions: Sessions, city: City
) -> None:
    tokens = await badges(sessions, ["dispatcher", "trained"])
    async with transaction(sessions) as session:
        incident = await an_incident(session, city.actor("dispatcher"))
    version = {"If-Match": f'"{incident.version}"'}
    async with desk(app, tokens["dispatcher"]) as one, desk(app, tokens["trained"]) as other:
        answers = await together(
            [
                lambda: one.post(f"incidents/{incident.id}/reclassify", json={"type_code": "INC-01"}, headers=version),
                lambda: other.post(
                    f"incidents/{incident.id}/reclassify", json={"type_code": "INC-02"}, headers=version
                ),
            ]
        )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    [late] = [answer.json() for answer in answers if answer.status_code == 412]
    assert late["facts"] == {"expected": incident.version, "current": incident.version + 1}
    async with reading(sessions) as session:
        assert (await session.get_one(Incident, incident.id)).version == incident.version + 1


async def test_an_incident_that_is_closed_while_a_unit_is_sent_keeps_no_unit(
    room: list[Client], sessions: Sessions, city: City
) -> None:
    for number in range(6):
        async with transaction(sessions) as session:
            incident = await an_incident(session, dispatcher(0))
        close, send = room[2 * number], room[2 * number + 1]

        def closing(client: Client = close, path: str = f"incidents/{incident.id}/close") -> Awaitable[Any]:
            return persistently(client, path, {"disposition": "resolved"})

        def sending(client: Client = send, path: str = f"incidents/{incident.id}/assignments") -> Awaitable[Any]:
            return persistently(client, path, a_sending(city.units["M1"]))

        answers = await together([closing, sending] if number % 2 else [sending, closing])
        closed, sent = answers if number % 2 else reversed(answers)

        assert closed.status_code == 200
        assert sent.status_code == 201 or sent.json()["code"] == "IncidentOver"
        async with reading(sessions) as session:
            now_ = await session.get_one(Incident, incident.id)
            unit = await session.get_one(Unit, city.units["M1"])
            assert now_.state == "closed"
            assert (await live_assignments(session, [incident.id]))[incident.id] == []
            assert (unit.status, unit.incident_id) == ("available", None)


async def test_many_guesses_of_a_password_at_once_are_no_more_than_ten(app: FastAPI) -> None:
    async with desk(app) as client:
        guess = {"username": "dispatcher", "password": "no es esta, pero casi"}
        answers = await together([lambda: persistently(client, "session", guess)] * 24)
    assert Counter(answer.status_code for answer in answers) == {401: 10, 429: 14}


async def test_a_stranger_with_an_old_cookie_needs_no_second_connection_of_the_dispatchers(app: FastAPI) -> None:
    """Counting an attempt beside the request takes another connection; fifteen at once would wait for each other."""
    async with AsyncExitStack() as others, desk(app, "a session that ended yesterday") as client:
        engine = machinery_of(app).engine
        for _ in range(engine.pool.size() - 1):  # type: ignore[attr-defined]
            await others.enter_async_context(engine.connect())
        answer = await client.post("reports", json={"id": str(new_id()), "words": "humo"})
    assert answer.status_code == 201


async def test_while_passwords_are_checked_dispatchers_work(
    app: FastAPI, sessions: Sessions, real_hasher: PasswordHash, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shift that signs in all at once waits for its hashes without a connection in its hands."""
    nobodys = real_hasher.hash("nobody has this password")
    monkeypatch.setattr(people, "HASHER", real_hasher)
    monkeypatch.setattr(people, "_nobodys_hash", lambda: nobodys)
    token = (await badges(sessions, ["dispatcher"]))["dispatcher"]
    async with desk(app) as crowd, desk(app, token) as dispatcher_:
        signing = [
            asyncio.create_task(crowd.post("session", json={"username": f"nadie {number}", "password": "x" * 12}))
            for number in range(8)
        ]
        pool = machinery_of(app).engine.pool
        held = []
        while not all(one.done() for one in signing):
            assert (await dispatcher_.get("units")).status_code == 200
            held.append(pool.checkedout())  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
        assert {(await one).status_code for one in signing} == {401}
    assert held[-1] <= 2, "whoever waits for a hash holds a connection"


# ── Anything at once ──────────────────────────────────────────────────────────────────────────────

WORKERS, STEPS = 8, 24


class Shift:
    """A shift of people who do whatever comes to their mind, all at once, with the same few things."""

    def __init__(self, sessions: Sessions, city: City) -> None:
        self.sessions, self.city = sessions, city
        self.incidents: list[UUID] = []
        self.reports: list[UUID] = []
        self.done: Counter[str] = Counter()
        self.ways: list[UUID] = []  # back from what was done

    async def step(self, dice: random.Random, actor: Actor) -> None:
        """One act, done or refused; anything else is a bug."""
        name, act = dice.choice(list(self.acts(dice).items()))
        try:
            async with transaction(self.sessions) as session:
                await act(session, actor)
                offer = offered(session)
        except Refusal as refusal:
            self.done[type(refusal).__name__] += 1
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            self.done["busy: try again"] += 1
        else:
            self.done[name] += 1
            self.ways += [UUID(offer["id"])] if offer else []

    def acts(self, dice: random.Random) -> dict[str, Callable[[AsyncSession, Actor], Awaitable[Any]]]:
        """Everything that can be done to an incident, a report or a unit."""
        incident, report = dice.choice(self.incidents), dice.choice(self.reports)
        unit = dice.choice(sorted(self.city.units.values()))
        kind = dice.choice(["MET-01", "SIN-01", "SEG-07"])
        police = self.city.organizations["police"]
        place = dice.choice([self.city.west, self.city.east])
        status = dice.choice([*AssignmentStatus, *([AssignmentStatus.EN_ROUTE, AssignmentStatus.ON_SCENE] * 3)])

        async def move(session: AsyncSession, actor: Actor) -> None:
            live = (await live_assignments(session, self.incidents)).values()
            all_live = sorted((one.id for found in live for one in found), key=str)
            if all_live:
                await report_status(session, actor, dice.choice(all_live), status=status)

        others = dice.sample(sorted(self.city.units.values()), 2)
        elsewhere, on_busy = dice.choice(self.incidents), dice.choice(list(OnBusy))
        boss = Actor(name="Supervisora", role=Role.SUPERVISOR, id=new_id(), clearance=3)

        async def some_job(session: AsyncSession) -> Assignment | None:
            live = (await live_assignments(session, self.incidents)).values()
            all_live = sorted((one for found in live for one in found), key=lambda one: str(one.id))
            return dice.choice(all_live) if all_live else None

        async def turn(session: AsyncSession, actor: Actor) -> None:
            if job := await some_job(session):
                words: dict[str, Any] = {
                    "new_assignment_id": new_id(),
                    "incident_id": elsewhere,
                    "reason": "hace falta",
                }
                await reassign(session, actor, job.id, **words)

        async def swap(session: AsyncSession, actor: Actor) -> None:
            if job := await some_job(session):
                await swap_units(session, actor, job.id, Sending(new_id(), unit, on_busy, "hace falta"))

        async def take_back(session: AsyncSession, actor: Actor) -> None:
            if self.ways:
                await undo(session, boss, self.ways[-dice.randint(1, min(4, len(self.ways)))])

        return {
            "dispatch": lambda s, a: dispatch_units(s, a, incident, [Sending(new_id(), unit)]),
            "send two": lambda s, a: dispatch_units(
                s, a, incident, [Sending(new_id(), one, on_busy, "hace falta") for one in others]
            ),
            "reassign": turn,
            "swap": swap,
            "take back": take_back,
            "take back again": take_back,
            "stand down": lambda s, a: stand_down_all(s, a, incident, reason="no hace falta"),
            "move": move,
            "move again": move,
            "duty": lambda s, a: set_duty(s, a, unit, duty=dice.choice([Duty.ON_DUTY, Duty.ON_DUTY, Duty.BREAK])),
            "close": lambda s, a: close_incident(s, a, incident, disposition="resolved", note="listo"),
            "reopen": lambda s, a: reopen_incident(s, a, incident, reason="volvió"),
            "hold": lambda s, a: hold_incident(s, a, incident),
            "reclassify": lambda s, a: reclassify(s, a, incident, type_code=kind),
            "relocate": lambda s, a: relocate(s, a, incident, location=place),
            "note": lambda s, a: add_note(s, a, incident, note_id=new_id(), text="…"),
            "share": lambda s, a: share_incident(s, a, incident, organization_id=police),
            "withdraw": lambda s, a: withdraw_incident(s, a, incident, organization_id=police),
            "join": lambda s, a: join_report(s, a, report, incident_id=incident),
            "accept": lambda s, a: accept_report(s, a, report, incident_id=new_id(), type_code=kind),
            "dismiss": lambda s, a: dismiss_report(s, a, report, reason="hoax"),
        }


async def test_whatever_people_do_at_once_nobody_blocks_anybody_and_the_books_agree(many: Sessions, city: City) -> None:
    shift = Shift(many, city)
    async with transaction(many) as session:
        shift.incidents = [(await an_incident(session, dispatcher(0))).id for _ in range(3)]
        shift.reports = [(await a_report(session, dispatcher(0))).id for _ in range(12)]

    async def work(number: int) -> None:
        dice, actor = random.Random(SEED + number), dispatcher(number)
        for _ in range(STEPS):
            await shift.step(dice, actor)

    outcomes = await together([partial(work, number) for number in range(WORKERS)])
    failures = [one for one in outcomes if one is not None]

    assert not [one for one in failures if isinstance(one, OperationalError)], "a deadlock, or a lock held too long"
    assert not failures
    assert sum(shift.done.values()) == WORKERS * STEPS
    assert shift.done["dispatch"] + shift.done["send two"] > 0
    assert shift.done["take back"] + shift.done["take back again"] > 0
    assert shift.done["busy: try again"] <= WORKERS, "nobody should wait for anybody but in the rarest case"
    async with reading(many) as session:
        assert await session.scalar(text(DEADLOCKS)) == 0
        await _units_say_what_their_assignments_say(session)
        await _incidents_say_what_their_assignments_say(session)
        await _versions_are_told_in_order(session)


async def _units_say_what_their_assignments_say(session: AsyncSession) -> None:
    live = (await session.scalars(select(Assignment).where(Assignment.released_at.is_(None)))).all()
    leading = [one for one in live if one.exclusive]
    on = {one.unit_id: one for one in leading}
    assert len(on) == len(leading), "a unit was sent twice"
    assert {one.unit_id for one in live} == on.keys(), "something waits behind nothing"
    for unit in await session.scalars(select(Unit)):
        held = on.get(unit.id)
        shown = (unit.assignment_id, unit.incident_id, unit.engaged_status)
        assert shown == ((held.id, held.incident_id, held.status) if held else (None, None, None)), unit.call_sign


async def _incidents_say_what_their_assignments_say(session: AsyncSession) -> None:
    incidents = (await session.scalars(select(Incident))).all()
    assigned = await live_assignments(session, [incident.id for incident in incidents])
    for incident in incidents:
        assert incident.state == derived_state(incident, assigned[incident.id])
        assert incident.state not in OVER or not assigned[incident.id]
        joined = select(func.count()).where(Report.incident_id == incident.id)
        assert incident.reports == await session.scalar(joined)


async def _versions_are_told_in_order(session: AsyncSession) -> None:
    told: dict[str, list[int]] = defaultdict(list)
    for entry in await session.scalars(select(Entry).order_by(Entry.id)):
        told[entry.subject].append(entry.version)
    for subject, versions in told.items():
        assert versions == list(range(1, len(versions) + 1)), subject


async def test_a_hidden_thing_is_not_found_however_one_hurries(many: Sessions, city: City) -> None:
    """While an incident becomes protected, an untrained dispatcher either acts before, or does not find it."""
    for _ in range(4):
        async with transaction(many) as session:
            incident = await an_incident(session, dispatcher(0), type_code="MET-01")

        async def protect(id_: UUID = incident.id) -> Any:
            async with transaction(many) as session:
                return await reclassify(session, dispatcher(0), id_, type_code="SEG-07")

        async def look(id_: UUID = incident.id) -> Any:
            async with transaction(many) as session:
                return await add_note(session, city.actor("dispatcher"), id_, note_id=new_id(), text="…")

        outcomes = await together([look, protect, look, look])
        assert not [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, NotFound)]
        async with reading(many) as session:
            query = select(Entry.kind).where(Entry.incident_id == incident.id).order_by(Entry.id)
            kinds = list(await session.scalars(query))
        after = kinds[kinds.index("incident.reclassified") + 1 :]
        assert after == [], "somebody wrote on an incident that was hidden from him"


async def test_of_many_who_expect_one_version_one_is_right(many: Sessions) -> None:
    async with transaction(many) as session:
        incident = await an_incident(session, dispatcher(0))

    async def write(number: int) -> Incident:
        async with transaction(many) as session:
            return await relocate(
                session, dispatcher(number), incident.id, location=City.east, expected=incident.version
            )

    outcomes = await together([partial(write, number) for number in range(16)])
    assert sum(isinstance(one, VersionMismatch) for one in outcomes) == 15
