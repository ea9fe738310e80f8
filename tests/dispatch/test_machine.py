"""The whole dispatch machine under random acts, legal and illegal, by many people, against a model and its own books.

After every act: done or refused as the model says, with exactly the facts that it says; assignments, units and
incidents as in the model. In the end the journal, read alone, gives the same city.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from incidents.assignments import Assignment, AssignmentStatus
from incidents.closing import (
    cancel_incident,
    close_incident,
    control_incident,
    finish_incident,
    hold_incident,
    refer_incident,
    reopen_incident,
)
from incidents.dispatch import (
    OnBusy,
    Sending,
    advance,
    dispatch_units,
    reassign,
    report_duty,
    report_status,
    stage,
    stand_down,
    stand_down_all,
    swap_units,
)
from incidents.incident import Incident, derived_state, reclassify
from incidents.sos import Sos, answer_sos, false_alarm, raise_sos
from incidents.timeline import add_note
from incidents.undo import Undo, offered, undo
from realtime.database import connect, new_id
from realtime.errors import Refusal
from realtime.journal import Entry
from resources.units import Duty, Unit
from tests.builders import City, an_incident
from tests.dispatch.books import Books, replayed
from tests.dispatch.model import GONE, Model, No, Way

EXAMPLES, STEPS = 12, 25
LONG = 250  # acts of a long day
COUNTS: Counter[str] = Counter()

CITY = City()
UNITS = sorted(CITY.units)
NAMES = {unit_id: name for name, unit_id in CITY.units.items()}
PEOPLE = ["dispatcher", "trained", "supervisor", "crew m1", "crew m2"]
STRANGERS = ["call_taker", "police", "government"]
actors = st.sampled_from([*PEOPLE * 3, "trained", "trained", *STRANGERS])
desk = st.sampled_from(["trained", "trained", "supervisor", "dispatcher", "dispatcher", "crew m1", "call_taker"])
which = st.integers(0, 1_000)
busy = st.sampled_from(["refuse", "refuse", "release", "add", "add"])
reasons = st.booleans()
kinds = st.sampled_from(["MET-01", "SIN-01", "SIN-02", "SEG-07"])
units = st.sampled_from(UNITS)
statuses = st.sampled_from([*AssignmentStatus, *[AssignmentStatus.EN_ROUTE, AssignmentStatus.ON_SCENE] * 2])

Work = Callable[[AsyncSession], Awaitable[Any]]


class Dispatching(RuleBasedStateMachine):
    """A room of people, four units, and whatever comes to their minds."""

    url: ClassVar[str]

    def __init__(self) -> None:
        """One transaction that is taken back in the end; each act is a savepoint in it."""
        super().__init__()
        self.runner = asyncio.Runner()
        self.model = Model(UNITS)
        self.ids: dict[str, UUID] = {}  # of the model's words
        self.ways: list[tuple[UUID, Way, list[str]]] = []
        self.engine: AsyncEngine = connect(self.url, pool=1, limits="-c statement_timeout=20000")
        self.connection: AsyncConnection = self.runner.run(self._begin())
        self.read = self.runner.run(self._last_entry())
        self.first = self.read

    async def _begin(self) -> AsyncConnection:
        connection = await self.engine.connect()
        await connection.begin()
        return connection

    async def _last_entry(self) -> int:
        async with self._session() as session:
            return await session.scalar(select(func.coalesce(func.max(Entry.id), 0))) or 0

    def _session(self) -> AsyncSession:
        return AsyncSession(
            self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint", autobegin=True
        )

    # ── An act, in both worlds ────────────────────────────────────────────────────────────────────

    def act(
        self, actor: str, name: str, expected: Callable[[], None], work: Work, *, notes: tuple[str, ...] = ()
    ) -> Any:
        """Do it in the model and in the city: both do it, or both refuse it for the same reason."""
        before = deepcopy(self.model.world)
        refusal: str | None = None
        try:
            with self.model.act():
                expected()
        except No as no:
            refusal = str(no)
        done, said, offer = self.runner.run(self._do(work))
        assert said == refusal, f"{actor} {name}: the city says {said or 'done'}, the model {refusal or 'done'}"
        COUNTS[f"{name} {refusal or 'done'}"] += 1
        COUNTS["refused" if refusal else "accepted"] += 1
        if offer is not None:
            way = Way(actor, before, deepcopy(self.model.world))
            self.ways.append((UUID(offer["id"]), way, list(notes)))
        self.runner.run(self._compare(Counter() if refusal else self.model.told))
        return done

    async def _do(self, work: Work) -> tuple[Any, str | None, dict[str, Any] | None]:
        session = self._session()
        try:
            done = await work(session)
            await session.commit()
            return done, None, offered(session)
        except Refusal as refusal:
            await session.rollback()
            return None, type(refusal).__name__, None
        finally:
            await session.close()

    async def _compare(self, told: Counter[str]) -> None:
        async with self._session() as session:
            fresh = (await session.scalars(select(Entry).where(Entry.id > self.read).order_by(Entry.id))).all()
            assert Counter(entry.kind for entry in fresh) == told, "every act is on the timeline, once"
            self.read = max([self.read, *(entry.id for entry in fresh)])
            await self._assignments_agree(session)
            await self._units_agree(session)
            await self._incidents_agree(session)

    async def _assignments_agree(self, session: AsyncSession) -> None:
        rows = {row.id: row for row in await session.scalars(select(Assignment))}
        assert rows.keys() == {self.ids[key] for key in self.model.world.jobs}
        leading: Counter[UUID] = Counter()
        for key, job in self.model.world.jobs.items():
            row = rows[self.ids[key]]
            found = (
                *(row.incident_id, NAMES[row.unit_id], row.status, row.exclusive, row.released_at is None),
                *(row.acknowledge_by is not None, row.staging is not None),
            )
            wanted = (self.ids[job.incident], job.unit, job.status, job.leads, job.live, job.unheard, job.staged)
            assert found == wanted, key
            leading[row.unit_id] += row.exclusive and row.released_at is None
        assert not [unit for unit, count in leading.items() if count > 1], "a unit was sent twice"

    async def _units_agree(self, session: AsyncSession) -> None:
        for unit in await session.scalars(select(Unit)):
            key, case, status = self.model.shown(NAMES[unit.id])
            wanted = (self.ids[key] if key else None, self.ids[case] if case else None, status)
            assert (unit.assignment_id, unit.incident_id, unit.status) == wanted, unit.call_sign
            assert unit.duty == self.model.world.crews[unit.call_sign].duty

    async def _incidents_agree(self, session: AsyncSession) -> None:
        incidents = {row.id: row for row in await session.scalars(select(Incident))}
        live = (await session.scalars(select(Assignment).where(Assignment.released_at.is_(None)))).all()
        for key, case in self.model.world.cases.items():
            row = incidents[self.ids[key]]
            assert (row.state, row.type_code) == (case.state, case.kind), key
            assert row.state == derived_state(row, [one for one in live if one.incident_id == row.id])
            led = any(job.has_led for job in self.model.jobs_on(key))
            assert ("T5" in row.stamps) == led, f"{key}: when its first unit was sent"
        calls = {row.id: row for row in await session.scalars(select(Sos))}
        for key, call in self.model.world.calls.items():
            sos = calls[self.ids[key]]
            assert (sos.ended_at is None, sos.answered_by) == (call.live, call.answered_by)

    # ── What people do ────────────────────────────────────────────────────────────────────────────

    def _case(self, number: int) -> str:
        cases = sorted(self.model.world.cases)
        return cases[number % len(cases)]

    def _job(self, number: int, *, live: bool = True) -> str:
        jobs = sorted(key for key, job in self.model.world.jobs.items() if job.live or not live)
        jobs = jobs or sorted(self.model.world.jobs)
        return jobs[number % len(jobs)]

    def _new(self, what: str) -> str:
        key = f"{what} {len(self.ids):03d}"
        self.ids[key] = new_id()
        return key

    @initialize()
    def a_morning(self) -> None:
        """Three incidents, so that there is something to do."""
        for kind in ("MET-01", "SIN-01", "SEG-07"):
            self.open("trained", kind)

    @rule(actor=actors, kind=kinds)
    def open(self, actor: str, kind: str) -> None:
        """A new incident."""
        key = self._new("case")

        async def work(session: AsyncSession) -> None:
            opened = await an_incident(session, CITY.actor(actor), type_code=kind)
            self.ids[key] = opened.id

        self.act(actor, "open", lambda: self.model.open(actor, key, kind), work)

    @rule(
        actor=desk,
        number=which,
        wanted=st.lists(st.tuples(units, busy, reasons), min_size=1, max_size=3),
    )
    def send(self, actor: str, number: int, wanted: list[tuple[str, str, bool]]) -> None:
        """Units to an incident."""
        case = self._case(number)
        sendings = [(self._new("job"), unit, on_busy, why) for unit, on_busy, why in wanted]

        async def work(session: AsyncSession) -> None:
            asked = [
                Sending(self.ids[key], CITY.units[unit], OnBusy(on_busy), "hace falta" if why else "")
                for key, unit, on_busy, why in sendings
            ]
            await dispatch_units(session, CITY.actor(actor), self.ids[case], asked)

        self.act(actor, "send", lambda: self.model.send(actor, case, sendings), work)

    @precondition(lambda self: self.model.world.jobs)
    @rule(actor=actors, number=which, status=statuses, why=reasons, over=st.booleans())
    def status(self, actor: str, number: int, status: AssignmentStatus, why: bool, over: bool) -> None:
        """Somebody says how far a unit is."""
        job = self._job(number, live=not over)

        async def work(session: AsyncSession) -> None:
            reason = "cubierta pinchada" if why else ""
            await report_status(session, CITY.actor(actor), self.ids[job], status=status, reason=reason)

        self.act(actor, "status", lambda: self.model.status(actor, job, status.value, why), work)

    @precondition(lambda self: self.model.world.jobs)
    @rule(number=which, over=st.sampled_from([False, False, False, True]))
    def next_step(self, number: int, over: bool) -> None:
        """The crew of a job, or the desk for it, goes on as crews do."""
        key = self._job(number, live=not over)
        job = self.model.world.jobs[key]
        following = {"assigned": "acknowledged", "acknowledged": "en_route", "en_route": "on_scene"}
        following |= {"on_scene": "transporting", "transporting": "at_destination"}
        actor = {"M1": "crew m1", "M2": "crew m2"}.get(job.unit, "trained")
        status = AssignmentStatus(following.get(job.status, "released"))

        async def work(session: AsyncSession) -> None:
            await report_status(session, CITY.actor(actor), self.ids[key], status=status)

        self.act(actor, "next step", lambda: self.model.status(actor, key, status.value, why=False), work)

    @precondition(lambda self: self.model.world.jobs)
    @rule(actor=desk, number=which, to=which, why=reasons, over=st.booleans())
    def reassign(self, actor: str, number: int, to: int, why: bool, over: bool) -> None:
        """A unit goes elsewhere."""
        job, case, new = self._job(number, live=not over), self._case(to), self._new("job")

        async def work(session: AsyncSession) -> None:
            words: dict[str, Any] = {"new_assignment_id": self.ids[new], "incident_id": self.ids[case]}
            reason = "hace falta" if why else ""
            await reassign(session, CITY.actor(actor), self.ids[job], **words, reason=reason)

        self.act(actor, "reassign", lambda: self.model.reassign(actor, job, new, case, why), work)

    @precondition(lambda self: self.model.world.jobs)
    @rule(actor=desk, number=which, unit=units, on_busy=busy, why=reasons)
    def swap(self, actor: str, number: int, unit: str, on_busy: str, why: bool) -> None:
        """Another unit goes instead."""
        job, new = self._job(number), self._new("job")

        async def work(session: AsyncSession) -> None:
            sending = Sending(self.ids[new], CITY.units[unit], OnBusy(on_busy), "hace falta" if why else "")
            await swap_units(session, CITY.actor(actor), self.ids[job], sending)

        self.act(actor, "swap", lambda: self.model.swap(actor, job, (new, unit, on_busy, why)), work)

    @precondition(lambda self: self.model.world.jobs)
    @rule(actor=desk, number=which, over=st.booleans(), act=st.sampled_from(["stage", "advance", "stand down"]))
    def about_one(self, actor: str, number: int, over: bool, act: str) -> None:
        """Wait on the way, go on, come back."""
        job = self._job(number, live=not over)
        who, id_ = CITY.actor(actor), self.ids[job]
        pairs: dict[str, tuple[Callable[[], None], Work]] = {
            "stage": (
                lambda: self.model.stage(actor, job),
                lambda session: stage(session, who, id_, name="Plaza", place=CITY.east),
            ),
            "advance": (lambda: self.model.advance(actor, job), lambda session: advance(session, who, id_)),
            "stand down": (
                lambda: self.model.stand_down(actor, job),
                lambda session: stand_down(session, who, id_, reason="no hace falta"),
            ),
        }
        expected, work = pairs[act]
        self.act(actor, act, expected, work)

    @rule(actor=desk, number=which)
    def stand_down_all(self, actor: str, number: int) -> None:
        """All units of an incident come back."""
        case = self._case(number)

        async def work(session: AsyncSession) -> None:
            await stand_down_all(session, CITY.actor(actor), self.ids[case], reason="no hace falta")

        self.act(actor, "stand down all", lambda: self.model.stand_down_all(actor, case), work)

    @rule(actor=desk, number=which, how=st.sampled_from(["closed", "closed", "cancelled", "referred"]))
    def end(self, actor: str, number: int, how: str) -> None:
        """An incident ends."""
        case = self._case(number)
        who, id_ = CITY.actor(actor), self.ids[case]
        ways: dict[str, Work] = {
            "closed": lambda session: close_incident(session, who, id_, disposition="resolved"),
            "cancelled": lambda session: cancel_incident(session, who, id_, reason="no era"),
            "referred": lambda session: refer_incident(session, who, id_, reason="es de otro"),
        }
        self.act(actor, how, lambda: self.model.end(actor, case, how), ways[how])

    @rule(actor=desk, number=which, how=st.sampled_from(["waiting", "under_control", "finished", "reopen"]))
    def say(self, actor: str, number: int, how: str) -> None:
        """Somebody says where an incident stands."""
        case = self._case(number)
        who, id_ = CITY.actor(actor), self.ids[case]
        ways: dict[str, Work] = {
            "waiting": lambda session: hold_incident(session, who, id_),
            "under_control": lambda session: control_incident(session, who, id_),
            "finished": lambda session: finish_incident(session, who, id_),
            "reopen": lambda session: reopen_incident(session, who, id_, reason="volvió"),
        }
        if how == "reopen":
            self.act(actor, how, lambda: self.model.reopen(actor, case), ways[how])
        else:
            self.act(actor, how, lambda: self.model.say(actor, case, how), ways[how])

    @rule(actor=desk, number=which, kind=kinds)
    def reclassify(self, actor: str, number: int, kind: str) -> None:
        """It was something else."""
        case = self._case(number)

        async def work(session: AsyncSession) -> None:
            await reclassify(session, CITY.actor(actor), self.ids[case], type_code=kind)

        self.act(actor, "reclassify", lambda: self.model.reclassify(actor, case, kind), work)

    @rule(actor=actors, number=which)
    def note(self, actor: str, number: int) -> None:
        """Somebody writes a note."""
        case, note = self._case(number), self._new("note")

        async def work(session: AsyncSession) -> None:
            await add_note(session, CITY.actor(actor), self.ids[case], note_id=self.ids[note], text="…")

        self.act(actor, "note", lambda: self.model.note(actor, case), work, notes=(note,))

    @rule(actor=actors, unit=units, duty=st.sampled_from([*Duty, Duty.ON_DUTY, Duty.ON_DUTY]))
    def duty(self, actor: str, unit: str, duty: Duty) -> None:
        """A unit can be sent, or not."""

        async def work(session: AsyncSession) -> None:
            await report_duty(session, CITY.actor(actor), CITY.units[unit], duty=duty)

        self.act(actor, "duty", lambda: self.model.duty(actor, unit, duty.value), work)

    @rule(actor=actors, unit=units)
    def sos(self, actor: str, unit: str) -> None:
        """A crew in danger."""
        key, case = self._new("sos"), self._new("case")

        async def work(session: AsyncSession) -> None:
            raised = await raise_sos(session, CITY.actor(actor), CITY.units[unit])
            self.ids[key], self.ids[case] = raised.id, raised.incident_id

        self.act(actor, "sos", lambda: self.model.sos(actor, unit, key, case), work)

    @precondition(lambda self: self.model.world.calls)
    @rule(actor=desk, number=which, false=st.booleans())
    def answer(self, actor: str, number: int, false: bool) -> None:
        """Somebody takes it, or says that nobody was in danger."""
        calls = sorted(self.model.world.calls)
        key = calls[number % len(calls)]

        async def work(session: AsyncSession) -> None:
            who, id_ = CITY.actor(actor), self.ids[key]
            await (false_alarm(session, who, id_, reason="se apretó solo") if false else answer_sos(session, who, id_))

        if false:
            self.act(actor, "false alarm", lambda: self.model.false_alarm(actor, key), work)
        else:
            self.act(actor, "answer", lambda: self.model.answer(actor, key), work)

    @precondition(lambda self: self.ways)
    @rule(back=st.sampled_from([1, 1, 1, 2, 2, 3, 5, 8]), somebody=st.none() | actors, late=st.integers(0, 9))
    def undo(self, back: int, somebody: str | None, late: int) -> None:
        """Somebody takes one of the last acts back: in time, twice, too late, or after others."""
        undo_id, way, notes = self.ways[-min(back, len(self.ways))]
        actor = somebody or way.actor

        async def work(session: AsyncSession) -> None:
            await undo(session, CITY.actor(actor), undo_id)

        if late == 0:
            way.late = True
            self.runner.run(self._outdate(undo_id))
        self.act(actor, "undo", lambda: self.model.undo(actor, way, notes=notes), work)

    async def _outdate(self, undo_id: UUID) -> None:
        async with self._session() as session:
            late = update(Undo).where(Undo.id == undo_id).values(until=Undo.made_at - dt.timedelta(minutes=1))
            await session.execute(late)
            await session.commit()

    # ── In the end ────────────────────────────────────────────────────────────────────────────────

    def teardown(self) -> None:
        """The journal alone gives the same city."""
        try:
            self.runner.run(self._replay())
        finally:
            self.runner.run(self._end())
            self.runner.close()

    async def _replay(self) -> None:
        async with self._session() as session:
            entries = (await session.scalars(select(Entry).where(Entry.id > self.first).order_by(Entry.id))).all()
            books = replayed(entries, {unit.id for unit in await session.scalars(select(Unit))})
            assert books == await Books.of(session, since=self.first)
            COUNTS["facts replayed"] += len(entries)
            COUNTS["examples"] += 1

    async def _end(self) -> None:
        await self.connection.rollback()
        await self.connection.close()
        await self.engine.dispose()


def _told(capsys: pytest.CaptureFixture[str]) -> int:
    """Say what was tried; how many acts."""
    steps = COUNTS["accepted"] + COUNTS["refused"]
    with capsys.disabled():
        words = ("examples", "accepted", "refused", "facts replayed")
        sys.stdout.write(f"\n{steps} acts: " + ", ".join(f"{COUNTS[word]} {word}" for word in words) + "\n")
        each = [f"{name} {many}" for name, many in sorted(COUNTS.items()) if name not in words]
        sys.stdout.write(", ".join(each) + "\n")
    return steps


def test_whatever_many_do_each_unit_is_on_one_thing_and_the_books_tell_it_all(
    shared_copy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Dispatching.url = shared_copy
    COUNTS.clear()
    few = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(Dispatching, settings=few)
    assert _told(capsys) > 0


# How often each comes up on a long day, where hypothesis tries each as often as the other.
DAY = {"send": 8, "next_step": 10, "status": 4, "undo": 6, "reassign": 4, "swap": 3, "about_one": 4, "end": 2}
DAY |= {"say": 2, "stand_down_all": 1, "open": 1, "reclassify": 1, "note": 1, "duty": 1, "sos": 1, "answer": 1}
SEEN = (
    *("send done", "send UnitAlreadyAssigned", "send AlreadyOnIt", "swap done", "reassign AlreadyOnIt"),
    *("status done", "next step NotLeading", "status IllegalMove", "stage done", "stand down done", "closed done"),
    *("undo done", "undo ChangedSince", "sos done"),
)


@pytest.mark.parametrize("seed", [20_261_126, 4])
def test_a_long_day_ends_as_its_books_say(shared_copy: str, capsys: pytest.CaptureFixture[str], seed: int) -> None:
    """Many acts in one city: what interferes with what has time to come up."""
    Dispatching.url = shared_copy
    COUNTS.clear()
    dice = random.Random(seed)
    machine = Dispatching()
    try:
        machine.a_morning()
        while COUNTS["accepted"] + COUNTS["refused"] < LONG:
            _something(machine, dice)
    finally:
        machine.teardown()
    _told(capsys)
    assert COUNTS["accepted"] > LONG // 3, "most of what was tried was refused: nothing was tested"
    assert [name for name in SEEN if not COUNTS[name]] == [], "nobody ever came to that"


def _something(machine: Dispatching, dice: random.Random) -> None:
    name = dice.choices(list(DAY), list(DAY.values()))[0]
    actor = dice.choice(["trained"] * 8 + ["supervisor", "supervisor", "dispatcher", "dispatcher", "crew m1", "police"])
    other, maybe = dice.randrange(1000), dice.random() < 0.5
    rarely = dice.random() < 0.1
    on_busy = dice.choice(["refuse", "refuse", "release", "add", "add"])
    world = machine.model.world
    still_open = [index for index, key in enumerate(sorted(world.cases)) if world.cases[key].state not in GONE]
    number = dice.choice(still_open) if still_open and not rarely else dice.randrange(1000)
    if name in {"next_step", "status", "reassign", "swap", "about_one"} and not world.jobs:
        name = "send"
    if (name == "answer" and not world.calls) or (name == "undo" and not machine.ways):
        name = "note"
    kind = dice.choice(["MET-01", "SIN-01", "SIN-02", "SEG-07"])
    acts: dict[str, Callable[[], None]] = {
        "send": lambda: machine.send(
            actor, number, [(unit, on_busy, maybe) for unit in dice.sample(UNITS, dice.choice([1, 1, 2, 3]))]
        ),
        "next_step": lambda: machine.next_step(number, over=False),
        "status": lambda: machine.status(
            dice.choice([actor, "crew m1", "crew m2"]), number, dice.choice(list(AssignmentStatus)), maybe, rarely
        ),
        "undo": lambda: machine.undo(
            dice.choice([1, 1, 1, 2, 3, 5]), actor if rarely else None, 0 if dice.random() < 0.05 else 1
        ),
        "reassign": lambda: machine.reassign(actor, number, other, maybe, rarely),
        "swap": lambda: machine.swap(actor, number, dice.choice(UNITS), on_busy, maybe),
        "about_one": lambda: machine.about_one(actor, number, rarely, dice.choice(["stage", "advance", "stand down"])),
        "end": lambda: machine.end(actor, number, dice.choice(["closed", "closed", "cancelled", "referred"])),
        "say": lambda: machine.say(
            actor, number, dice.choice(["waiting", "under_control", "finished", "reopen", "reopen"])
        ),
        "stand_down_all": lambda: machine.stand_down_all(actor, number),
        "open": lambda: machine.open(actor, kind),
        "reclassify": lambda: machine.reclassify(actor, number, kind),
        "note": lambda: machine.note(actor, number),
        "duty": lambda: machine.duty(
            actor, dice.choice(UNITS), dice.choice([Duty.ON_DUTY, Duty.ON_DUTY, Duty.ON_DUTY, Duty.BREAK])
        ),
        "sos": lambda: machine.sos(actor, dice.choice(UNITS)),
        "answer": lambda: machine.answer(actor, number, maybe),
    }
    acts[name]()
