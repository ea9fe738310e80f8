"""Dispatch as it should be, in plain Python: what `tests/dispatch/test_machine.py` holds the real one against.

Written from the rules and not from the code: no session, no locks, no rows. An act either changes the model and says
which facts the journal must have got from it, or raises `No` with the name of the refusal.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BEFORE_ARRIVAL = {"assigned", "acknowledged", "en_route"}
STEPS: dict[str, set[str]] = {
    "assigned": {"acknowledged", "en_route", "on_scene", "released", "refused", "cancelled"},
    "acknowledged": {"en_route", "on_scene", "released", "refused", "cancelled"},
    "en_route": {"on_scene", "released", "refused", "cancelled"},
    "on_scene": {"transporting", "released"},
    "transporting": {"at_destination", "released"},
    "at_destination": {"released"},
}
ENDS = {"released", "refused", "cancelled"}
GONE = {"closed", "cancelled", "referred"}
SAID = GONE | {"under_control", "finished"}
MOVES = {
    "classified": {"waiting", "finished"} | GONE,
    "waiting": {"finished"} | GONE,
    "dispatched": GONE,
    "en_route": GONE,
    "on_scene": {"under_control", "finished"} | GONE,
    "under_control": {"finished"} | GONE,
    "finished": GONE,
}
TYPES = {"MET-01": (2, 0), "SIN-01": (1, 1), "SIN-02": (3, 0), "SEG-07": (1, 3), "SOS-01": (1, 1)}

DESK = {"dispatcher", "trained", "supervisor"}
SEES = {"dispatcher": 2, "call_taker": 2, "government": 2, "trained": 3, "supervisor": 3}
CREWS = {"crew m1": "M1", "crew m2": "M2"}


class No(Exception):
    """Refused; the name of the refusal."""


@dataclass
class Job:
    """One assignment. `revision` rises with every change, so that the same words are not taken for the same fact."""

    key: str
    incident: str
    unit: str
    status: str
    leads: bool
    order: int
    revision: int
    since: int
    live: bool = True
    unheard: bool = False
    staged: bool = False
    has_led: bool = False


@dataclass
class Case:
    """One incident."""

    key: str
    kind: str
    state: str = "classified"
    said: int = 0  # when somebody last said its state

    @property
    def priority(self) -> int:
        """By its type."""
        return TYPES[self.kind][0]

    @property
    def sensitivity(self) -> int:
        """By its type."""
        return TYPES[self.kind][1]


@dataclass
class Crew:
    """One unit's people."""

    duty: str = "on_duty"
    duty_since: int = 0


@dataclass
class Call:
    """One SOS."""

    unit: str
    case: str
    answered_by: str | None = None
    live: bool = True


@dataclass
class World:
    """Everything there is."""

    jobs: dict[str, Job] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    crews: dict[str, Crew] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    struck: set[str] = field(default_factory=set)


@dataclass
class Way:
    """A way back: who may take it, and the world before and after the act."""

    actor: str
    before: World
    after: World
    used: bool = False
    late: bool = False


class Model:
    """The whole machine, and the facts that its last act has told."""

    def __init__(self, units: Iterable[str]) -> None:
        """A city at rest."""
        self.world = World(crews={unit: Crew() for unit in units})
        self.told: Counter[str] = Counter()
        self.clock = 0

    # ── Seeing ────────────────────────────────────────────────────────────────────────────────────

    def sees(self, actor: str, case: Case) -> bool:
        """Whether somebody sees all of an incident."""
        if actor in CREWS:
            return any(job.live and job.unit == CREWS[actor] for job in self.jobs_on(case.key))
        return SEES.get(actor, -1) >= case.sensitivity

    def jobs_on(self, case: str) -> list[Job]:
        """The jobs of an incident."""
        return [job for job in self.world.jobs.values() if job.incident == case]

    def jobs_of(self, unit: str) -> list[Job]:
        """What a unit has to do, what leads first."""
        live = [job for job in self.world.jobs.values() if job.live and job.unit == unit]
        return sorted(live, key=lambda job: (not job.leads, job.order))

    def shown(self, unit: str) -> tuple[str | None, str | None, str]:
        """The assignment, the incident and the status that a unit shows."""
        jobs = self.jobs_of(unit)
        if jobs:
            return jobs[0].key, jobs[0].incident, jobs[0].status
        duty = self.world.crews[unit].duty
        return None, None, "available" if duty == "on_duty" else duty

    # ── The frame of an act ───────────────────────────────────────────────────────────────────────

    @contextmanager
    def act(self) -> Iterator[None]:
        """One act: refused, it has changed nothing; done, each unit that shows something else has told it once."""
        before = copy.deepcopy(self.world)
        shown = {unit: self._engaged(unit) for unit in self.world.crews}
        self.told.clear()
        try:
            yield
            for unit, was in shown.items():
                if self._engaged(unit) != was:
                    self.told["unit.status"] += 1
        except No:
            self.world = before
            self.told.clear()
            raise

    def _engaged(self, unit: str) -> tuple[str, str, int] | None:
        jobs = self.jobs_of(unit)
        return (jobs[0].key, jobs[0].status, jobs[0].since) if jobs else None

    def _tick(self) -> int:
        self.clock += 1
        return self.clock

    # ── Opening, ending ───────────────────────────────────────────────────────────────────────────

    def open(self, actor: str, key: str, kind: str) -> None:
        """A new incident."""
        _may(actor, DESK | {"call_taker"})
        self.world.cases[key] = Case(key, kind)
        self.told["incident.opened"] += 1

    def end(self, actor: str, key: str, wanted: str) -> None:
        """Close, cancel, refer."""
        _may(actor, DESK)
        case = self._case(actor, key)
        for call in self.world.calls.values():
            if call.case == key and call.live:
                if call.answered_by is None:
                    raise No("SosUnanswered")
                call.live = False
                self.told["sos.ended"] += 1
        self._finish_off(case, wanted)

    def say(self, actor: str, key: str, wanted: str) -> None:
        """Hold, under control, finish."""
        _may(actor, DESK | {"call_taker"})
        case = self._case(actor, key)
        self._move(case, wanted)
        self.told["incident.state"] += 1

    def reopen(self, actor: str, key: str) -> None:
        """It was not over."""
        _may(actor, DESK)
        case = self._case(actor, key)
        if case.state not in GONE:
            raise No("IllegalMove")
        case.state, case.said = "waiting", self._tick()
        self._derive(case)
        self.told["incident.reopened"] += 1

    def reclassify(self, actor: str, key: str, kind: str) -> None:
        """Another type."""
        _may(actor, DESK | {"call_taker"})
        case = self._case(actor, key)
        case.kind = kind
        self.told["incident.reclassified"] += 1

    def note(self, actor: str, key: str) -> None:
        """A note."""
        _may(actor, DESK | {"call_taker", "police"} | CREWS.keys())
        self._case(actor, key)
        self.told["note.added"] += 1

    def _finish_off(self, case: Case, wanted: str) -> None:
        if wanted not in MOVES.get(case.state, ()):
            raise No("IllegalMove")
        for job in self._in_order(case):
            self._let_go(job)
            self._settle(job.unit)
        self._move(case, wanted)
        self.told["incident.closed"] += 1

    def _move(self, case: Case, wanted: str) -> None:
        if wanted not in MOVES.get(case.state, ()):
            raise No("IllegalMove")
        case.state, case.said = wanted, self._tick()
        self._derive(case)

    # ── Sending ───────────────────────────────────────────────────────────────────────────────────

    def send(self, actor: str, key: str, sendings: list[tuple[str, str, str, bool]]) -> None:
        """Send units: (the new job's key, unit, on_busy, whether there is a reason) each."""
        _may(actor, DESK)
        self._ask_for(actor, key, sendings)
        self._send(actor, self.world.cases[key], sendings)

    def _ask_for(self, actor: str, key: str, sendings: list[tuple[str, str, str, bool]]) -> None:
        if len({unit for _, unit, _, _ in sendings}) < len(sendings):
            raise No("SameUnitTwice")
        case = self._case(actor, key)
        if case.state in GONE | {"finished"}:
            raise No("IncidentOver")
        if any(busy == "refuse" and self.jobs_of(unit) for _, unit, busy, _ in sendings):
            raise No("UnitAlreadyAssigned")

    def _send(self, actor: str, case: Case, sendings: list[tuple[str, str, str, bool]]) -> None:
        for _, unit, busy, why in sendings:
            jobs = self.jobs_of(unit)
            if any(job.incident == case.key for job in jobs):
                raise No("AlreadyOnIt")
            if self.world.crews[unit].duty != "on_duty":
                raise No("UnitNotOnDuty")
            if jobs and busy == "release":
                left = self.world.cases[jobs[0].incident]
                if not self.sees(actor, left):
                    raise No("HiddenWork")
                self._must_be_takeable(jobs[0], left, case, why)
        for key, unit, busy, _ in sendings:
            jobs = self.jobs_of(unit)
            if jobs and busy == "release":
                self._let_go(jobs[0])
                self._make(key, unit, case, leads=True)
            else:
                self._make(key, unit, case, leads=not jobs)
            self._settle(unit)

    def _must_be_takeable(self, job: Job, left: Case, case: Case, why: bool) -> None:
        if job.status in {"transporting", "at_destination"}:
            raise No("UnitCarrying")
        if left.priority <= case.priority and not why:
            raise No("GraverWork")

    def swap(self, actor: str, key: str, sending: tuple[str, str, str, bool]) -> None:
        """Another unit goes instead."""
        _may(actor, DESK)
        job = self.world.jobs[key]
        self._case(actor, job.incident)
        self._ask_for(actor, job.incident, [sending])
        self._must_live(job)
        self._send(actor, self.world.cases[job.incident], [sending])
        self._let_go(job)
        self._settle(job.unit)

    def reassign(self, actor: str, key: str, new: str, to: str, why: bool) -> None:
        """The unit goes elsewhere."""
        _may(actor, DESK)
        job = self.world.jobs[key]
        left, case = self._case(actor, job.incident), self._case(actor, to)
        if case.state in GONE | {"finished"}:
            raise No("IncidentOver")
        self._must_live(job)
        if any(other.incident == to for other in self.jobs_of(job.unit)):
            raise No("AlreadyOnIt")
        if job.leads:
            self._must_be_takeable(job, left, case, why)
        status = "en_route" if job.status == "en_route" else "assigned"
        self._let_go(job)
        self._make(new, job.unit, case, leads=job.leads, status=status)
        self._settle(job.unit)

    # ── How far it is ─────────────────────────────────────────────────────────────────────────────

    def status(self, actor: str, key: str, wanted: str, why: bool) -> None:
        """Somebody says how far one job is."""
        _may(actor, DESK | CREWS.keys())
        job = self.world.jobs[key]
        if actor in CREWS and job.unit != CREWS[actor]:
            raise No("NotFound")
        if actor in CREWS and job.status == wanted:
            return
        if wanted == "refused" and not why:
            raise No("ReasonNeeded")
        case = self._case(actor, job.incident)
        if job.status == wanted:
            return
        if job.unheard and (job.status, wanted) == ("en_route", "acknowledged"):
            job.unheard, job.revision = False, self._tick()
            self.told["assignment.heard"] += 1
            return
        self._step(job, wanted)
        self._derive(case)
        self._settle(job.unit)

    def stage(self, actor: str, key: str) -> None:
        """Wait on the way."""
        _may(actor, DESK)
        job = self.world.jobs[key]
        self._case(actor, job.incident)
        if job.live and not job.leads:
            raise No("NotLeading")
        if job.status not in BEFORE_ARRIVAL:
            raise No("NotOnTheWay")
        job.staged, job.revision = True, self._tick()
        self.told["assignment.staged"] += 1

    def advance(self, actor: str, key: str) -> None:
        """Go on."""
        _may(actor, DESK)
        job = self.world.jobs[key]
        self._case(actor, job.incident)
        if not job.live:
            raise No("NotOnTheWay")
        if job.staged:
            job.staged, job.revision = False, self._tick()
            self.told["assignment.advanced"] += 1

    def stand_down(self, actor: str, key: str) -> None:
        """Call one back."""
        _may(actor, DESK)
        job = self.world.jobs[key]
        self._case(actor, job.incident)
        if job.live:
            self._let_go(job)
            self._settle(job.unit)

    def stand_down_all(self, actor: str, key: str) -> None:
        """Call all back."""
        _may(actor, DESK)
        for job in self._in_order(self._case(actor, key)):
            self._let_go(job)
            self._settle(job.unit)

    def duty(self, actor: str, unit: str, wanted: str) -> None:
        """Whether a unit can be sent."""
        if CREWS.get(actor) != unit:
            _may(actor, DESK)
        crew = self.world.crews[unit]
        crew.duty, crew.duty_since = wanted, self._tick()
        self.told["unit.duty"] += 1

    # ── SOS ───────────────────────────────────────────────────────────────────────────────────────

    def sos(self, actor: str, unit: str, key: str, case: str) -> None:
        """A crew in danger; again, it is the same."""
        _may(actor, DESK | CREWS.keys())
        if actor in CREWS and CREWS[actor] != unit:
            raise No("NotFound")
        if any(call.unit == unit and call.live for call in self.world.calls.values()):
            return
        self.world.cases[case] = Case(case, "SOS-01")
        self.world.calls[key] = Call(unit, case)
        self.told.update(["incident.opened", "sos.raised"])

    def answer(self, actor: str, key: str) -> None:
        """Somebody takes it."""
        _may(actor, DESK)
        call = self.world.calls[key]
        self._case(actor, call.case)
        if not call.live:
            raise No("SosOver")
        if call.answered_by not in {None, actor}:
            raise No("SosAnswered")
        if call.answered_by is None:
            call.answered_by = actor
            self.told["sos.answered"] += 1

    def false_alarm(self, actor: str, key: str) -> None:
        """Nobody was in danger."""
        _may(actor, DESK)
        call = self.world.calls[key]
        case = self._case(actor, call.case)
        if not call.live:
            raise No("SosOver")
        call.answered_by, call.live = call.answered_by or actor, False
        self.told["sos.false_alarm"] += 1
        if case.state not in GONE:
            self._finish_off(case, "closed")

    # ── Taking back ───────────────────────────────────────────────────────────────────────────────

    def undo(self, actor: str, way: Way, *, notes: Iterable[str] = ()) -> None:
        """Put the fields that an act changed back, if each still is what the act made it."""
        if actor not in {way.actor, "supervisor"}:
            raise No("NotFound")
        if way.used:
            return
        if way.late:
            raise No("UndoOver")
        was, made, is_now = way.before, way.after, self.world
        changed = [key for key, job in made.jobs.items() if was.jobs.get(key) != job]
        if any(is_now.jobs[key] != made.jobs[key] for key in changed):
            raise No("ChangedSince")
        self._cases_back(way, with_jobs=bool(changed))
        self._crews_back(way)
        self._calls_back(way)
        self._jobs_back(way, changed)
        for case in is_now.cases.values():
            if case.state in GONE and any(job.live for job in self.jobs_on(case.key)):
                raise No("ChangedSince")
        for note in notes:
            is_now.struck.add(note)
            self.told["note.struck"] += 1
        for job in [is_now.jobs[key] for key in changed]:
            self._derive(is_now.cases[job.incident])
            self._settle(job.unit, by_undo=True)
        way.used = True

    def _crews_back(self, way: Way) -> None:
        for unit, made in way.after.crews.items():
            was, is_now = way.before.crews[unit], self.world.crews[unit]
            if made.duty_since != was.duty_since:
                if is_now.duty_since != made.duty_since:
                    raise No("ChangedSince")
                is_now.duty_since = was.duty_since
            if made.duty != was.duty:
                is_now.duty = was.duty
                self.told["unit.undone"] += 1

    def _calls_back(self, way: Way) -> None:
        for key, made in way.after.calls.items():
            if key in way.before.calls and made != way.before.calls[key]:
                again = [one for one in self.world.calls.values() if one.unit == made.unit and one.live]
                if self.world.calls[key] != made or again:
                    raise No("ChangedSince")
                self.world.calls[key] = copy.copy(way.before.calls[key])
                self.told["sos.undone"] += 1

    def _jobs_back(self, way: Way, changed: list[str]) -> None:
        jobs = self.world.jobs
        for key in changed:
            if key in way.before.jobs:
                jobs[key] = copy.copy(way.before.jobs[key])
            else:
                job = jobs[key]
                job.status, job.live, job.unheard, job.staged, job.has_led = "cancelled", False, False, False, False
                job.revision = job.since = self._tick()
            self.told["assignment.undone"] += 1
        for job in [jobs[key] for key in changed]:
            if job.live and job.leads and sum(other.leads for other in self.jobs_of(job.unit)) > 1:
                raise No("ChangedSince")

    def _cases_back(self, way: Way, *, with_jobs: bool) -> None:
        for key, made in way.after.cases.items():
            was, is_now = way.before.cases.get(key), self.world.cases[key]
            if was is None:
                continue
            put_back = False
            if made.kind != was.kind:
                if is_now.kind != made.kind:
                    raise No("ChangedSince")
                is_now.kind, put_back = was.kind, True
            if made.state != was.state:
                if with_jobs and not {made.state, was.state} & SAID:
                    if is_now.state not in SAID:
                        is_now.state = was.state
                else:
                    if is_now.state != made.state or ({made.state, was.state} & GONE and is_now.said != made.said):
                        raise No("ChangedSince")
                    is_now.state, is_now.said, put_back = was.state, was.said, True
            if put_back:
                self.told["incident.undone"] += 1

    # ── What follows ──────────────────────────────────────────────────────────────────────────────

    def _case(self, actor: str, key: str) -> Case:
        case = self.world.cases[key]
        if not self.sees(actor, case):
            raise No("NotFound")
        return case

    def _in_order(self, case: Case) -> list[Job]:
        return sorted((job for job in self.jobs_on(case.key) if job.live), key=lambda job: job.order)

    def _must_live(self, job: Job) -> None:
        if not job.live:
            raise No("IllegalMove")

    def _make(self, key: str, unit: str, case: Case, *, leads: bool, status: str = "assigned") -> None:
        tick = self._tick()
        self.world.jobs[key] = Job(key, case.key, unit, status, leads, tick, tick, tick, unheard=leads, has_led=leads)
        self._derive(case)
        self.told["assignment.made"] += 1

    def _let_go(self, job: Job) -> None:
        self._step(job, "released" if job.leads else "cancelled")
        self._derive(self.world.cases[job.incident])

    def _step(self, job: Job, wanted: str) -> None:
        if wanted not in STEPS.get(job.status, ()):
            raise No("IllegalMove")
        if not job.leads and wanted not in {"acknowledged", "refused", "cancelled"}:
            raise No("NotLeading")
        job.status, job.unheard, job.staged = wanted, False, job.staged and wanted in BEFORE_ARRIVAL
        job.live = wanted not in ENDS
        job.revision = job.since = self._tick()
        self.told["assignment.status"] += 1

    def _settle(self, unit: str, *, by_undo: bool = False) -> None:
        """The oldest that waits leads, where nothing does."""
        jobs = self.jobs_of(unit)
        if not jobs:
            crew = self.world.crews[unit]
            crew.duty_since = crew.duty_since if by_undo else self._tick()
            return
        if not jobs[0].leads:
            job = jobs[0]
            job.leads, job.has_led, job.unheard = True, True, job.status != "acknowledged"
            job.revision = job.since = self._tick()
            self.told["assignment.promoted"] += 1
            self._derive(self.world.cases[job.incident])

    def _derive(self, case: Case) -> None:
        if case.state in SAID:
            return
        live = [job for job in self.jobs_on(case.key) if job.live]
        reached = {job.status for job in live if job.leads}
        if reached & {"on_scene", "transporting", "at_destination"}:
            case.state = "on_scene"
        elif "en_route" in reached:
            case.state = "en_route"
        elif reached:
            case.state = "dispatched"
        elif live or any(job.has_led for job in self.jobs_on(case.key)):
            case.state = "waiting"


def _may(actor: str, who: Iterable[str]) -> None:
    if actor not in set(who):
        raise No("NotAllowed")
