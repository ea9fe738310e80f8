"""A city in which calls come as a real log has them, and policies send units: what `./vigia bench dispatch` runs.

Everybody meets the same calls, the same units at the same bases, the same streets and the same luck on the road: how
far a drive's real time is from what was expected is drawn once for each call and unit, whoever sends it. Between two
calls a unit drives home, and may be sent from wherever it then is. Times are seconds since the first call.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely import Point

from geo.drives import drive_of
from geo.ground import seconds_of
from geo.network import StreetNetwork
from geo.places import metres
from geo.travel import Travel

Floats32 = NDArray[np.float32]
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Need:
    """One unit that a call needs: for how long it is busy there and afterwards, and whether it ends at a hospital."""

    number: int
    call: int
    capability: str
    busy_seconds: float
    transports: bool


@dataclass(frozen=True, slots=True)
class SimCall:
    """One call of the log, laid onto the city; `number` is its place among them. `at` is when it came in."""

    number: int
    at: float
    place: Point
    priority: int
    type_code: str
    needs: tuple[Need, ...]


@dataclass(slots=True)
class SimUnit:
    """A unit. It is free from `free_at` on, at `left`; from there it drives `home`, where it is at `home_at`."""

    number: int
    call_sign: str
    kind: str
    capability: str
    base: int  # nodes
    home: int
    free_at: float = 0.0
    left: int = -1
    home_at: float = 0.0
    driven: float = 0.0  # seconds, towards calls and home

    def is_free(self, at: float) -> bool:
        """Whether it may be sent at a moment."""
        return self.free_at <= at


class Policy(Protocol):
    """Who decides. `waiting` are needs that nobody answers yet, oldest first."""

    @property
    def name(self) -> str: ...

    def choose(self, world: World, at: float, waiting: Sequence[Need], units: Sequence[SimUnit]) -> list[Sent]: ...

    def reposition(self, world: World, at: float, units: Sequence[SimUnit]) -> list[tuple[SimUnit, int]]: ...


Sent = tuple[Need, SimUnit]


class Streets:
    """The network as the simulation uses it: places are nodes, and the way to a place is looked up."""

    def __init__(self, travel: Travel) -> None:
        """`travel` without closures, at one hour."""
        assert travel.network is not None  # noqa: S101
        self.travel, self.network = travel, travel.network
        self.spots = _node_places(self.network)
        self._to: dict[tuple[int, str, bool], Floats32] = {}
        self._usable = self._well_connected()
        self._tree = KDTree(self.spots[self._usable])
        lonlat = shapely.get_coordinates(self.network.rounded(shapely.points(self.spots)))
        self.points = [Point(*one) for one in lonlat]

    def _well_connected(self) -> NDArray[np.int64]:
        """The nodes that anybody can drive to and from, whatever he drives."""
        usable = np.zeros(self.network.nodes, dtype=np.bool_)
        usable[self.network.a[self.network.main]] = usable[self.network.b[self.network.main]] = True
        some = int(np.flatnonzero(usable)[usable.sum() // 2])
        for kind in ("ambulance", "fire"):
            for urgent in (True, False):
                ground = self.travel.ground(drive_of(kind, urgent))
                for back in (True, False):
                    ((weights,), _) = ground.search([{some: 0.0}], back=back)
                    usable &= np.isfinite(weights[: self.network.nodes])
        return np.flatnonzero(usable)

    def node(self, place: Point) -> int:
        """The nearest node from which one can drive anywhere."""
        flat = self.network.flatten(place)
        return int(self._usable[self._tree.query((flat.x, flat.y))[1]])

    def to(self, node: int, kind: str, *, urgent: bool) -> Floats32:
        """Seconds from every node to this one, as such a unit drives."""
        key = (node, kind, urgent)
        if key not in self._to:
            ground = self.travel.ground(drive_of(kind, urgent))
            ((weights,), _) = ground.search([{node: 0.0}], back=True)
            seconds = seconds_of(weights[: self.network.nodes]) / ground.drive.pace
            self._to[key] = seconds.astype(np.float32)
        return self._to[key]

    def between(self, start: int, end: int, share: float) -> int:
        """The node about where a drive is when so much of it is done."""
        x, y = self.spots[start] + (self.spots[end] - self.spots[start]) * share
        return int(self._usable[self._tree.query((x, y))[1]])


def _node_places(network: StreetNetwork) -> NDArray[np.float64]:
    """Flat metres of every node."""
    found = np.zeros((network.nodes, 2))
    for nodes, nth in ((network.a, 0), (network.b, -1)):
        found[nodes] = shapely.get_coordinates(shapely.get_point(network.lines, nth))
    return found


@dataclass
class World:
    """What all policies meet alike. `people` are nodes and how many live around each."""

    streets: Streets
    calls: Sequence[SimCall]
    fleet: Sequence[SimUnit]
    hospitals: Sequence[int]
    people: tuple[NDArray[np.int64], NDArray[np.float64]]
    target_seconds: float
    seed: int = 0
    luck: float = 0.2  # of a drive's time, as the deviation of its logarithm; 0 makes every drive as expected
    node_of_call: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Lay the calls onto nodes."""
        self.node_of_call = [self.streets.node(call.place) for call in self.calls]
        self._hex_to: dict[str, Floats32] = {}

    def urgent(self, call: int) -> bool:
        """Whether units drive there with lights."""
        return self.calls[call].priority <= 2

    def eta(self, unit: SimUnit, need: Need, at: float) -> float:
        """Expected seconds from where the unit is now."""
        to = self.streets.to(self.node_of_call[need.call], unit.kind, urgent=self.urgent(need.call))
        return float(to[self.where(unit, at)])

    def etas(self, units: Sequence[SimUnit], need: Need, at: float) -> list[float]:
        """The same for many."""
        return [self.eta(unit, need, at) for unit in units]

    def drive(self, unit: SimUnit, need: Need, at: float) -> float:
        """Real seconds: what was expected, times the luck of this unit on this call."""
        chance = np.random.default_rng((self.seed, need.call, unit.number)).normal()
        return self.eta(unit, need, at) * float(np.exp(self.luck * chance - self.luck**2 / 2))

    def after(self, unit: SimUnit, need: Need, arrived: float) -> SimUnit:
        """The unit as it is once it has answered a need, for which it arrived then."""
        left = self.node_of_call[need.call]
        if need.transports and self.hospitals:
            left = min(self.hospitals, key=lambda node: self.home_seconds(unit, self.node_of_call[need.call], node))
        free_at = arrived + need.busy_seconds
        home_at = free_at + self.home_seconds(unit, left, unit.base)
        return replace(unit, free_at=free_at, left=left, home=unit.base, home_at=home_at)

    def home_seconds(self, unit: SimUnit, start: int, end: int) -> float:
        """Seconds of a drive without lights."""
        return float(self.streets.to(end, unit.kind, urgent=False)[start])

    def where(self, unit: SimUnit, at: float) -> int:
        """The node at which a free unit is."""
        if unit.left < 0 or at >= unit.home_at:
            return unit.home
        share = (at - unit.free_at) / max(unit.home_at - unit.free_at, 1.0)
        return self.streets.between(unit.left, unit.home, min(max(share, 0.0), 1.0))

    def covered(self, units: Sequence[SimUnit], capability: str, at: float) -> float:
        """The share of the people whom some free unit with the capability reaches in time."""
        nodes, counts = self.people
        free = [unit for unit in units if unit.capability == capability and unit.is_free(at)]
        if not free:
            return 0.0
        here = [self.where(unit, at) for unit in free]
        within = np.zeros(len(nodes), dtype=np.bool_)
        table = self._to_people(free[0].kind)
        for node in here:
            within |= table[:, node] <= self.target_seconds
        return float(counts[within].sum() / counts.sum())

    def _to_people(self, kind: str) -> Floats32:
        if kind not in self._hex_to:
            self._hex_to[kind] = np.stack([self.streets.to(int(n), kind, urgent=True) for n in self.people[0]])
        return self._hex_to[kind]


@dataclass
class Outcome:
    """What came of it: by need when somebody was there (seconds after the call), and how well the city was covered."""

    world: World
    arrivals: dict[int, float] = field(default_factory=dict)
    coverage: list[float] = field(default_factory=list)
    unit_hours: float = 0.0
    driven_hours: float = 0.0
    moves: int = 0

    def responses(self, *, first: bool, priority: int | None = None) -> NDArray[np.float64]:
        """Seconds from each call to its first unit on scene, or to its last."""
        found = []
        for call in self.world.calls:
            if priority is not None and call.priority != priority:
                continue
            there = [self.arrivals[need.number] for need in call.needs if need.number in self.arrivals]
            if there:
                found.append(min(there) if first else max(there))
        return np.array(found)


CALL, FREE, LOOK, MOVE = 0, 1, 2, 3
LOOK_EVERY = 120.0  # seconds between two looks at the coverage …
MOVE_EVERY = 900.0  # … and between two occasions to send somebody elsewhere


def simulate(world: World, policy: Policy, *, measure: bool = True) -> Outcome:
    """Let a policy answer all calls; ends when everybody who was sent is free again."""
    outcome = Outcome(world)
    units = [replace(unit) for unit in world.fleet]
    waiting: list[Need] = []
    ticket = itertools.count()
    events: list[tuple[float, int, int, int]] = [(call.at, CALL, next(ticket), call.number) for call in world.calls]
    last = max((call.at for call in world.calls), default=0.0)
    if measure:
        looks = np.arange(world.calls[0].at, last, LOOK_EVERY)
        events += [(float(at), LOOK, next(ticket), 0) for at in looks]
        events += [(float(at), MOVE, next(ticket), 0) for at in np.arange(world.calls[0].at, last, MOVE_EVERY)]
    heapq.heapify(events)
    capabilities = sorted({unit.capability for unit in units})
    while events:
        at, kind, _, number = heapq.heappop(events)
        if kind == LOOK:
            outcome.coverage.append(float(np.mean([world.covered(units, one, at) for one in capabilities])))
            continue
        if kind == MOVE:
            for unit, node in policy.reposition(world, at, units):
                _go_home(world, unit, world.where(unit, at), at, node)
                outcome.moves += 1
            continue
        if kind == CALL:
            waiting += world.calls[number].needs
        if not waiting:
            continue
        for need, unit in policy.choose(world, at, list(waiting), units):
            if need not in waiting or not unit.is_free(at) or unit.capability != need.capability:
                raise AssertionError(f"{policy.name} sent {unit.call_sign} against the rules")
            waiting.remove(need)
            busy_until = _send(world, outcome, unit, need, at)
            heapq.heappush(events, (busy_until, FREE, next(ticket), unit.number))
    outcome.driven_hours = sum(unit.driven for unit in units) / 3600
    return outcome


def _send(world: World, outcome: Outcome, unit: SimUnit, need: Need, at: float) -> float:
    seconds = world.drive(unit, need, at)
    outcome.arrivals[need.number] = at + seconds - world.calls[need.call].at
    sent = world.after(unit, need, at + seconds)
    outcome.unit_hours += (sent.free_at - at) / 3600
    unit.driven += seconds
    unit.free_at = sent.free_at
    _go_home(world, unit, sent.left, sent.free_at, unit.base)
    return unit.free_at


def _go_home(world: World, unit: SimUnit, start: int, at: float, home: int) -> None:
    """From where it is to where it waits."""
    seconds = world.home_seconds(unit, start, home)
    unit.driven += seconds
    unit.left, unit.home, unit.free_at, unit.home_at = start, home, at, at + seconds


def as_the_crow_flies(world: World, unit: SimUnit, need: Need, at: float) -> float:
    """Metres in a straight line."""
    return metres(world.streets.points[world.where(unit, at)], world.calls[need.call].place)
