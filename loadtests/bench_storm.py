"""`./vigia bench storm`: 500 reports in ten minutes, and whether the urgent keep their times.

One city, one fleet, the same urgent calls; four days that differ in what else happens and how it is dealt with:

- calm: nothing else;
- one by one: every report is a job for the nearest free unit, the most urgent first;
- gathered: the same, but what tells of the same thing is one job (`incidents/clusters.py`);
- storm mode: gathered, given as circuits (`incidents/rounds.py`) with a reserve; the urgent take whoever is best,
  from between two stops or from the way to one, as the recommendation has it.

Printed: the response times of the urgent, as a ratio to the calm day; how much of the rest is done after some hours;
and how long the worst-off and the best-off neighbourhood wait.
"""

from __future__ import annotations

import argparse
import datetime as dt
import heapq
import itertools
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import numpy as np
from scipy.cluster.vq import kmeans2
from shapely import Point

from geo.travel import Travel
from incidents.clusters import Spotted, clusters_of
from incidents.recommendation import Call, recommend
from incidents.rounds import Crew, Stop, plan_rounds
from incidents.run_cards import CardLevel, Need, RunCard
from incidents.situation import Candidate, Job, Situation
from incidents.storm import StormPolicy
from loadtests.bench_dispatch import CITY, PEOPLE, network_of, people_of
from loadtests.dispatch_world import Streets
from resources.units import Duty

UNITS, REPORTS, WINDOW = 24, 500, 600.0
HOURS, URGENT_EVERY, URGENT_WORK, SMALL_WORK = 4.0, 150.0, 1500.0, 900.0
HOT, TYPES = 60, ("MET-01", "MET-03", "SIN-04")
DISTRICTS, PLAN_EVERY = 12, 300.0
KIND, CAPABILITY = "patrol", "GUM"
EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CARD = RunCard(None, "SIN-01", None, 1, None, (CardLevel((Need(CAPABILITY),)),))


@dataclass(slots=True)
class Task:
    """Something to be done: urgent, or small. `told` is how many reports tell of it."""

    number: int
    at: float
    node: int
    urgent: bool
    district: int
    told: int = 1
    arrived: float | None = None


@dataclass(slots=True)
class Unit:
    """A unit: at `left` since `free_at`, or on its way to a job, where it is from `arrives` on."""

    number: int
    left: int
    free_at: float = 0.0
    job: Task | None = None
    started: float = 0.0
    arrives: float = 0.0
    round: list[Task] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Leg:
    """A unit that was sent to something; whether it still is, is asked when it should be there."""

    unit: Unit
    task: Task


@dataclass(frozen=True)
class Day:
    """The city and what happens in it."""

    streets: Streets
    bases: Sequence[int]
    urgent: Sequence[Task]
    small: Sequence[Task]


def make_day(streets: Streets, people: tuple[np.ndarray, np.ndarray], seed: int) -> Day:
    """Urgent calls where people live; reports around places where something fell, most of them about the same."""
    rng = np.random.default_rng(seed)
    nodes, counts = people
    weights = counts / counts.sum()
    _, district = kmeans2(streets.spots[nodes], DISTRICTS, minit="++", rng=np.random.default_rng(0))
    bases = rng.choice(nodes, UNITS, p=weights).tolist()
    urgent = []
    hours = np.cumsum(rng.exponential(URGENT_EVERY, int(2 * HOURS * 3600 / URGENT_EVERY)))
    for n, at in enumerate(hours[hours < HOURS * 3600 - 1800]):  # the last ones have half an hour to be answered
        which = int(rng.choice(len(nodes), p=weights))
        urgent.append(Task(n, float(at), int(nodes[which]), True, int(district[which])))
    hot = rng.choice(len(nodes), HOT, p=weights)
    share = rng.dirichlet(np.full(HOT, 0.5))  # a few places have most of the reports
    small = []
    for n, at in enumerate(np.sort(rng.uniform(0, WINDOW, REPORTS))):
        which = int(hot[rng.choice(HOT, p=share)])
        x, y = streets.spots[nodes[which]] + rng.normal(0, 60, 2)
        node = streets.node(Point(streets.network.round(x, y)))
        small.append(Task(n, float(at), node, False, int(district[which])))
    return Day(streets, bases, urgent, small)


def gathered(day: Day, policy: StormPolicy) -> list[Task]:
    """The small jobs, those that tell of the same as one."""
    spotted = [
        Spotted(one, TYPES[one.node % 3], day.streets.points[one.node], EPOCH + dt.timedelta(seconds=one.at))
        for one in day.small
    ]
    found = clusters_of(spotted, within=policy.cluster_metres, seconds=policy.cluster_minutes * 60)
    return [replace(one.first.thing, told=len(one.members)) for one in found]


class Simulation:
    """One day, event by event. `storm` None: jobs go one by one to the nearest free unit, the urgent first."""

    def __init__(self, day: Day, small: Sequence[Task], storm: StormPolicy | None) -> None:
        self.day, self.streets, self.storm = day, day.streets, storm
        self.urgent = [replace(one) for one in day.urgent]
        self.small = [replace(one) for one in small]
        self.units = [Unit(n, base) for n, base in enumerate(day.bases)]
        self.waiting: list[Task] = []
        self.ticket = itertools.count()
        self.planning = 0.0  # seconds of our own time

    def run(self) -> None:
        """Until the hours are over."""
        events: list[tuple[float, int, str, object]] = []

        def push(at: float, what: str, thing: object = None) -> None:
            heapq.heappush(events, (at, next(self.ticket), what, thing))

        for job in [*self.urgent, *self.small]:
            push(job.at, "job", job)
        if self.storm is not None:
            for at in np.arange(PLAN_EVERY, HOURS * 3600, PLAN_EVERY):
                push(float(at), "plan")
        while events:
            at, _, what, thing = heapq.heappop(events)
            if at > HOURS * 3600:
                break
            if what == "job":
                assert isinstance(thing, Task)  # noqa: S101
                self.waiting.append(thing)
            elif what == "arrive":
                assert isinstance(thing, Leg)  # noqa: S101
                if thing.unit.job is thing.task and thing.unit.arrives == at:
                    thing.task.arrived = at
                continue
            elif what == "free":
                assert isinstance(thing, Leg)  # noqa: S101
                if thing.unit.job is not thing.task or thing.unit.free_at != at:
                    continue
                thing.unit.left, thing.unit.job = thing.task.node, None
            if what == "plan":
                self._plan(at)
            for unit, job in self._decide(at):
                self._send(unit, job, at)
                push(unit.arrives, "arrive", Leg(unit, job))
                push(unit.free_at, "free", Leg(unit, job))

    def _where(self, unit: Unit, at: float) -> int:
        if unit.job is None:
            return unit.left
        share = (at - unit.started) / max(unit.arrives - unit.started, 1.0)
        return self.streets.between(unit.left, unit.job.node, min(max(share, 0.0), 1.0))

    def _send(self, unit: Unit, job: Task, at: float) -> None:
        here = self._where(unit, at)
        seconds = float(self.streets.to(job.node, KIND, urgent=job.urgent)[here])
        if unit.job is not None and not unit.job.urgent:  # taken on its way: what it was sent to waits again
            unit.round.insert(0, unit.job)
        if job in self.waiting:
            self.waiting.remove(job)
        unit.left, unit.job, unit.started, unit.arrives = here, job, at, at + seconds
        unit.free_at = unit.arrives + (URGENT_WORK if job.urgent else SMALL_WORK)

    def _decide(self, at: float) -> list[tuple[Unit, Task]]:
        sent: list[tuple[Unit, Task]] = []
        if self.storm is None:
            free = [unit for unit in self.units if unit.job is None]
            for job in sorted(self.waiting, key=lambda job: (not job.urgent, job.at)):
                if not free:
                    break
                to = self.streets.to(job.node, KIND, urgent=job.urgent)
                best = min(free, key=lambda unit: float(to[unit.left]))
                free.remove(best)
                sent.append((best, job))
            return sent
        for job in [one for one in self.waiting if one.urgent]:
            chosen = self._recommended(job, at, {unit.number for unit, _ in sent})
            if chosen is not None:
                sent.append((chosen, job))
        gone = {unit.number for unit, _ in sent}
        free = [unit for unit in self.units if unit.job is None and unit.number not in gone]
        spare = len(free) - self._reserve()
        for unit in [one for one in free if one.round][: max(0, spare)]:
            sent.append((unit, unit.round.pop(0)))  # noqa: PERF401  (each takes from its own round)
        return sent

    def _reserve(self) -> int:
        """How many units stay free for the urgent."""
        assert self.storm is not None  # noqa: S101
        return math.ceil(self.storm.reserve_share * len(self.units))

    def _recommended(self, job: Task, at: float, gone: set[int]) -> Unit | None:
        began = time.perf_counter()
        now = EPOCH + dt.timedelta(seconds=at)
        candidates = []
        for unit in self.units:
            jobs: tuple[Job, ...] = ()
            if unit.number in gone or unit.job is not None:
                status = "on_scene" if unit.number in gone or at >= unit.arrives else "en_route"
                urgent = unit.number in gone or (unit.job is not None and unit.job.urgent)
                jobs = (Job(UUID(int=2**64 + unit.number), None, 1 if urgent else 4, status, now),)
            candidates.append(
                Candidate(
                    *(UUID(int=unit.number), f"M{unit.number}", KIND, UUID(int=0), "", True),
                    *({CAPABILITY: None}, self.streets.points[self._where(unit, at)], 0.0, Duty.ON_DUTY, jobs),
                )
            )
        here = Situation(now, tuple(candidates), self.streets.travel)
        found = recommend(here, Call(self.streets.points[job.node], 1, "SIN-01", UUID(int=job.number)), CARD).picks
        self.planning += time.perf_counter() - began
        return self.units[found[0].option.unit.id.int] if found else None

    def _plan(self, at: float) -> None:
        assert self.storm is not None  # noqa: S101
        began = time.perf_counter()
        free = [unit for unit in self.units if unit.job is None and not unit.round]
        crews = [
            Crew(
                UUID(int=unit.number), f"M{unit.number}", KIND, self.streets.points[unit.left], frozenset({CAPABILITY})
            )
            for unit in free[: max(0, len(free) - self._reserve())]
        ]
        jobs = {UUID(int=job.number): job for job in self.waiting if not job.urgent}
        stops = [
            Stop(
                id_, self.streets.points[job.node], f"D{job.district}", 3, CAPABILITY, at - job.at, 3600 - (at - job.at)
            )
            for id_, job in jobs.items()
        ]
        plan = plan_rounds(self.streets.travel, crews, stops, self.storm)
        for circuit in plan.circuits:
            unit = self.units[circuit.crew.unit_id.int]
            unit.round = [jobs[one.stop.incident_id] for one in circuit.stops]
            for job in unit.round:
                self.waiting.remove(job)
        self.planning += time.perf_counter() - began

    def figures(self) -> dict[str, float]:
        """What came of it; of jobs that nobody reached the wait counts until the end."""
        end = HOURS * 3600
        urgent = np.array([(one.arrived or end) - one.at for one in self.urgent])
        done = [one for one in self.small if one.arrived is not None]
        told = sum(one.told for one in self.small)
        waits: dict[int, list[float]] = {}
        for one in self.small:
            waits.setdefault(one.district, []).append((one.arrived or end) - one.at)
        by_district = [float(np.mean(some)) for some in waits.values()] or [0.0]
        return {
            "P1 mean": float(urgent.mean()),
            "P1 P90": float(np.quantile(urgent, 0.9)),
            "P1 worst": float(urgent.max()),
            "jobs": len(self.small),
            "answered": sum(one.told for one in done) / told if told else 1.0,
            "worst district": max(by_district),
            "best district": min(by_district),
        }


def bench_storm(osm: Path, people_file: Path, seeds: int) -> int:
    """All days for all seeds. 0 when the urgent of the storm mode's day keep within a quarter of the calm day's P90."""
    network = network_of(osm)
    streets = Streets(Travel(network))
    people = people_of(streets, people_file)
    policy = StormPolicy()
    print(
        f"{osm.name}: {UNITS} units, {REPORTS} reports in {WINDOW / 60:g} min, urgent calls every"
        f" {URGENT_EVERY / 60:g} min for {HOURS:g} h; {seeds} seeds, medians\n"
    )
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(seeds):
        day = make_day(streets, people, seed)
        few = gathered(day, policy)
        for name, small, storm in (
            ("calm", [], None),
            ("one by one", day.small, None),
            ("gathered", few, None),
            ("storm mode", few, policy),
        ):
            one = Simulation(day, small, storm)
            began = time.perf_counter()
            one.run()
            found.setdefault(name, []).append(one.figures())
            spent = time.perf_counter() - began
            print(f"  seed {seed} {name:<11} {spent:5.1f} s, of which ours {one.planning:5.1f} s", flush=True)
    names = list(found["calm"][0])
    print(f"\n  {'':<12}" + "".join(f"{name:>16}" for name in names))
    for what, some in found.items():
        print(
            f"  {what:<12}"
            + "".join(f"{_said(name, float(np.median([one[name] for one in some]))):>16}" for name in names)
        )
    print("\n  the urgent as a ratio to the calm day, mean ± standard deviation over the seeds")
    kept = True
    for what in ("one by one", "gathered", "storm mode"):
        cells = []
        for name in names[:3]:
            ratios = [one[name] / calm[name] for one, calm in zip(found[what], found["calm"], strict=True)]
            cells.append(f"{name} {np.mean(ratios):.2f} ± {np.std(ratios):.2f}")
            if (what, name) == ("storm mode", "P1 P90"):
                kept = bool(np.mean(ratios) <= 1.25)
        print(f"  {what:<12}" + "   ".join(cells))
    print(f"\naim: P1 P90 in storm mode ≤ 1.25 × calm: {'met' if kept else 'NOT MET'}")
    return 0 if kept else 1


def _said(name: str, value: float) -> str:
    if name == "jobs":
        return f"{value:.0f}"
    return f"{value:.0%}" if name == "answered" else f"{value / 60:.1f} min"


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="vigia bench storm", description=__doc__)
    parser.add_argument("--osm", type=Path, default=CITY, help="an extract of OSM with the streets")
    parser.add_argument("--people", type=Path, default=PEOPLE, help="CSV of lon, lat, population")
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    if not chosen.osm.exists():
        print(f"{chosen.osm} is not here", file=sys.stderr)
        return 2
    return bench_storm(chosen.osm, chosen.people, chosen.seeds)
