"""Rounds: which crew goes to which small stops, in which order. Pure; OR-tools does the routing.

What is weighed: driving, the promise of each stop (minutes past it cost), and leaving a stop out, which costs the more
the longer it has waited. What is held: what a crew can do, how many stops and how long a circuit is, and the fairness
limit: no neighbourhood gets more than its share of a plan's stops while others wait. The answer names what was left out
and why, and how each neighbourhood fared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from geo.drives import Drive, drive_of
from geo.places import Point
from geo.travel import Travel
from incidents.storm import StormPolicy

MOST_STOPS, MOST_CREWS = 120, 25  # of one plan: what is beyond it waits for the next
SOLUTIONS, LONGEST_SECONDS = 400, 4  # of the search: where it ends, and where it ends in any case
FAR = 10**7  # seconds; nobody gets there
LEFT_OUT = 3600  # seconds that leaving a stop out costs at least: dearer than a detour
MUST = 10**6


@dataclass(frozen=True, slots=True)
class Stop:
    """Something small to be done. `capability` is what it takes; `promise` seconds from now until it is overdue."""

    incident_id: UUID
    place: Point
    zone: str
    priority: int
    capability: str
    waited: float
    promise: float


@dataclass(frozen=True, slots=True)
class Crew:
    """Somebody who could go round."""

    unit_id: UUID
    call_sign: str
    kind: str
    place: Point
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A stop of a circuit: how many seconds from now the crew is there, and how far it drove from the one before."""

    stop: Stop
    arrives: float
    drive_seconds: float
    metres: float


@dataclass(frozen=True, slots=True)
class PlannedCircuit:
    """One crew's stops in order; `seconds` until it is done with the last."""

    crew: Crew
    stops: tuple[PlannedStop, ...]
    seconds: float
    metres: float


@dataclass(frozen=True, slots=True)
class ZoneShare:
    """How a neighbourhood fares in a plan. `limit` is how many stops it may have while others wait."""

    zone: str
    waiting: int
    planned: int
    longest_wait: float
    limit: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The circuits, the stops that were left out with why (`no_crew`, `unreachable`, `no_room`), and the fairness."""

    circuits: tuple[PlannedCircuit, ...]
    left_out: tuple[tuple[Stop, str], ...]
    zones: tuple[ZoneShare, ...]


def plan_rounds(travel: Travel, crews: Sequence[Crew], stops: Sequence[Stop], policy: StormPolicy) -> Plan:
    """The best circuits for these crews and stops. Blocks for up to some seconds: ask it in a thread."""
    ranked = sorted(
        stops, key=lambda stop: (stop.waited < policy.longest_wait_minutes * 60, stop.priority, -stop.waited)
    )
    able = [stop for stop in ranked if any(stop.capability in crew.capabilities for crew in crews)]
    beyond = able[MOST_STOPS:]
    chosen, used = able[:MOST_STOPS], list(crews[:MOST_CREWS])
    without = [(stop, "no_crew") for stop in ranked if stop not in set(able)]
    if not chosen or not used:
        return Plan((), tuple(without + [(stop, "no_room") for stop in chosen + beyond]), _zones(stops, (), {}))
    limits = _limits(chosen, used, policy)
    ways = _Ways(travel, used, chosen)
    circuits = _solve(ways, used, chosen, policy, limits)
    planned = {one.stop.incident_id for circuit in circuits for one in circuit.stops}
    for n, stop in enumerate(chosen):
        if stop.incident_id not in planned:
            without.append((stop, "no_room" if ways.reached(n) else "unreachable"))
    without += [(stop, "no_room") for stop in beyond]
    return Plan(circuits, tuple(without), _zones(stops, circuits, limits))


class _Ways:
    """Seconds and metres from each crew and each stop to each stop, for each way of driving that the crews have."""

    def __init__(self, travel: Travel, crews: Sequence[Crew], stops: Sequence[Stop]) -> None:
        places = [stop.place for stop in stops]
        self.drives: list[Drive] = [drive_of(crew.kind, urgent=False) for crew in crews]
        origins = [*(crew.place for crew in crews), *places]
        self.tables: dict[Drive, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
        for drive in dict.fromkeys(self.drives):
            seconds, lengths = travel.matrix(origins, places, drive)
            self.tables[drive] = np.where(np.isfinite(seconds), seconds, FAR), lengths
        self.crews = len(crews)

    def table(self, drive: Drive, service: int) -> list[list[int]]:
        """Whole seconds between all nodes: the crews, the stops with the work at them, and the end, which is near."""
        seconds, _ = self.tables[drive]
        nodes = len(seconds) + 1
        found = np.full((nodes, nodes), FAR, dtype=np.int64)
        found[: nodes - 1, self.crews : nodes - 1] = np.minimum(np.rint(seconds), FAR)
        found[:, nodes - 1] = 0
        found[self.crews : nodes - 1, self.crews :] += service
        rows: list[list[int]] = found.tolist()
        return rows

    def seconds(self, crew: int, origin: int, stop: int) -> float:
        """How long a crew takes; `origin` counts the crews first, then the stops."""
        return float(self.tables[self.drives[crew]][0][origin, stop])

    def metres(self, crew: int, origin: int, stop: int) -> float:
        """And how far it is."""
        found = float(self.tables[self.drives[crew]][1][origin, stop])
        return found if math.isfinite(found) else 0.0

    def reached(self, stop: int) -> bool:
        """Whether any crew can get there at all."""
        return any(self.seconds(crew, crew, stop) < FAR for crew in range(self.crews))


def _limits(stops: Sequence[Stop], crews: Sequence[Crew], policy: StormPolicy) -> dict[str, int]:
    """How many stops each neighbourhood may have: its share, and so many more that no crew stands idle for it."""
    room = min(len(stops), len(crews) * policy.stops_most)
    waiting = Counter(stop.zone for stop in stops)
    limit = max(1, math.ceil(policy.zone_share * room))
    while sum(min(count, limit) for count in waiting.values()) < room:
        limit += 1
    return dict.fromkeys(waiting, limit)


def _solve(
    ways: _Ways, crews: Sequence[Crew], stops: Sequence[Stop], policy: StormPolicy, limits: dict[str, int]
) -> tuple[PlannedCircuit, ...]:
    # Nodes: where each crew is, each stop, and one end where all circuits end for nothing.
    end = len(crews) + len(stops)
    manager = pywrapcp.RoutingIndexManager(end + 1, len(crews), list(range(len(crews))), [end] * len(crews))
    routing = pywrapcp.RoutingModel(manager)
    service = round(policy.service_minutes * 60)

    tables = {drive: routing.RegisterTransitMatrix(ways.table(drive, service)) for drive in ways.tables}
    evaluators = [tables[drive] for drive in ways.drives]
    for crew, evaluator in enumerate(evaluators):
        routing.SetArcCostEvaluatorOfVehicle(evaluator, crew)
    longest = round(policy.circuit_minutes * 60)
    routing.AddDimensionWithVehicleTransits(evaluators, 0, longest, True, "time")
    ones = routing.RegisterUnaryTransitCallback(lambda index: int(len(crews) <= manager.IndexToNode(index) < end))
    routing.AddDimension(ones, 0, policy.stops_most, True, "stops")
    time = routing.GetDimensionOrDie("time")
    by_zone: dict[str, list[Any]] = {}
    for n, stop in enumerate(stops):
        index = manager.NodeToIndex(len(crews) + n)
        may = [crew for crew, one in enumerate(crews) if stop.capability in one.capabilities]
        routing.VehicleVar(index).SetValues([-1, *may])  # -1: left out
        overdue = stop.waited >= policy.longest_wait_minutes * 60
        routing.AddDisjunction([index], MUST if overdue else LEFT_OUT * (5 - stop.priority) + round(stop.waited))
        time.SetCumulVarSoftUpperBound(index, max(0, round(stop.promise)), 5 - stop.priority)
        by_zone.setdefault(stop.zone, []).append(routing.ActiveVar(index))
    solver = routing.solver()
    for zone, active in by_zone.items():
        if limits[zone] < len(active):
            solver.Add(solver.Sum(active) <= limits[zone])
    how = pywrapcp.DefaultRoutingSearchParameters()
    how.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    how.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    how.solution_limit = SOLUTIONS
    how.time_limit.FromSeconds(LONGEST_SECONDS)
    found = routing.SolveWithParameters(how)
    if found is None:
        return ()
    circuits = []
    for crew, one in enumerate(crews):
        nodes, index = [], routing.Start(crew)
        while not routing.IsEnd(index):
            nodes.append(manager.IndexToNode(index))
            index = found.Value(routing.NextVar(index))
        if len(nodes) > 1:
            circuits.append(_told(ways, crew, one, stops, nodes, policy))
    return tuple(circuits)


def _told(
    ways: _Ways, crew: int, one: Crew, stops: Sequence[Stop], nodes: Sequence[int], policy: StormPolicy
) -> PlannedCircuit:
    at, far, planned = 0.0, 0.0, []
    for origin, node in pairwise(nodes):
        n = node - ways.crews
        took, metres = ways.seconds(crew, origin, n), ways.metres(crew, origin, n)
        at, far = at + took, far + metres
        planned.append(PlannedStop(stops[n], round(at, 1), round(took, 1), round(metres, 1)))
        at += policy.service_minutes * 60
    return PlannedCircuit(one, tuple(planned), round(at, 1), round(far, 1))


def _zones(stops: Sequence[Stop], circuits: Sequence[PlannedCircuit], limits: dict[str, int]) -> tuple[ZoneShare, ...]:
    waiting = Counter(stop.zone for stop in stops)
    planned = Counter(one.stop.zone for circuit in circuits for one in circuit.stops)
    longest: dict[str, float] = {}
    for stop in stops:
        longest[stop.zone] = max(longest.get(stop.zone, 0.0), stop.waited)
    found = [
        ZoneShare(zone, count, planned[zone], longest[zone], limits.get(zone, 0)) for zone, count in waiting.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.waiting, one.zone)))
