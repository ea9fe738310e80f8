"""Travel times: how long it takes whom to get where, at this hour, with the closures that are in force now.

One search answers for many: it runs from the destination backwards over the arcs, once for each way of driving.
The weights are made for each drive, hour and set of closures, and kept (`geo/ground.py`).

It never guesses: what no way leads to is `unreachable`, a line as the crow flies is called `straight_line`, and what
lies off the streets is walked and said.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, Protocol, TypeAlias
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from geo.barriers import Barrier, Stretch, closed_by
from geo.closures import closures_in_force
from geo.coverage import Cover, Held, Loss, Losses, People, cover_of, loss_of
from geo.drives import Drive
from geo.ground import (
    TOP,
    Anchor,
    Ground,
    Way,
    Why,
    metres_of,
    packed,
    seconds_of,
    seeds_of,
    walking,
)
from geo.isochrones import Reach, area_of
from geo.layers import edition_of
from geo.network import SNAP_METRES, Flags, Floats, Ints, NoStreetNear, StreetNetwork, load_network
from geo.places import Point, metres
from geo.routes import Leg, Route, drive_along
from geo.speeds import Flow, learned_flow, usual_flow
from geo.streets import STREETS
from realtime.database import now

CROW_KMH, CROW_DETOUR = 30.0, 1.3  # as the crow flies, where there is no street to go by
AT_ONCE = 32  # searches of a matrix: each takes 0.7 MB in a city of 90,000 nodes
GROUNDS_KEPT = 12  # sets of weights; some 8 MB each in a city of 90,000 nodes

How: TypeAlias = Literal["road", "straight_line", "unreachable", "no_position"]


class Router(Protocol):
    """Whatever answers questions about travel: our own `Travel`, or another engine to compare it with."""

    def etas(self, origins: Sequence[tuple[Point | None, Drive]], to: Point) -> list[Eta]: ...
    def matrix(
        self, origins: Sequence[Point], destinations: Sequence[Point], drive: Drive
    ) -> tuple[Floats, Floats]: ...
    def route(self, start: Point, end: Point, drive: Drive) -> Route: ...


class NoWay(Exception):
    """No way leads from one place to the other. `why` is `closed` or `no_way`."""

    def __init__(self, why: Why = "no_way") -> None:
        super().__init__(why)
        self.why = why


# ── What is found ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Eta:
    """How long it takes to get there. `metres` are on the road; `snap_metres` off it, at both ends, and walked."""

    seconds: float | None
    metres: float | None
    how: How
    snap_metres: float | None = None
    why: Why | None = None


NO_POSITION = Eta(None, None, "no_position")


class _Kept:
    """What was worked out about a network and may be asked again: weights, and what shapes close."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._grounds: OrderedDict[object, Ground] = OrderedDict()
        self._closed: OrderedDict[object, list[Stretch]] = OrderedDict()

    def ground(
        self,
        network: StreetNetwork,
        drive: Drive,
        flow: Flow,
        learned: Flow,
        barriers: Sequence[Barrier],
        opened: frozenset[int] = frozenset(),
    ) -> Ground:
        barring = [one for one in barriers if drive.passes not in one.passable_by]
        any_pace = replace(drive, pace=1.0, passes="")
        key = (
            any_pace,
            tuple(sorted(flow.items())),
            tuple(sorted(learned.items())),
            frozenset(map(_key, barring)),
            opened,
        )
        with self._lock:
            if key in self._grounds:
                self._grounds.move_to_end(key)
                return self._grounds[key].at_pace_of(drive)
        stretches = [stretch for one in barring for stretch in self._stretches(network, one)]
        made = Ground(network, any_pace, flow, learned, stretches, opened)
        with self._lock:
            self._grounds[key] = made
            while len(self._grounds) > GROUNDS_KEPT:
                self._grounds.popitem(last=False)
        return made.at_pace_of(drive)

    def _stretches(self, network: StreetNetwork, barrier: Barrier) -> list[Stretch]:
        key = _key(barrier)
        with self._lock:
            found = self._closed.get(key)
        if found is None:
            found = closed_by(network, barrier.shape)
            with self._lock:
                self._closed[key] = found
                while len(self._closed) > 2000:
                    self._closed.popitem(last=False)
        return found


def _key(barrier: Barrier) -> tuple[str, bytes]:
    return barrier.id, barrier.shape.wkb


_KEPT: WeakKeyDictionary[StreetNetwork, _Kept] = WeakKeyDictionary()

# What was searched while one question is answered; the weights are kept with it, so that their id stays theirs.
_Searched: TypeAlias = dict[tuple[int, Anchor, float], tuple[Floats, Floats]]


# ── Asking ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Travel:
    """A network, what is closed on it and how traffic flows at one moment. Cheap to make; ask it in a thread."""

    network: StreetNetwork | None
    barriers: Sequence[Barrier] = ()
    flow: Flow = field(default_factory=dict)
    learned: Flow = field(default_factory=dict)

    def ground(self, drive: Drive, opened: frozenset[int] = frozenset(), *, closures: bool = True) -> Ground:
        """The weights for a drive. `opened` are gated areas that it may cross because it begins or ends there."""
        assert self.network is not None  # noqa: S101  (asked by every caller)
        kept = _KEPT.setdefault(self.network, _Kept())
        return kept.ground(self.network, drive, self.flow, self.learned, self.barriers if closures else (), opened)

    # --- one place, many units --------------------------------------------------------------------------

    def etas(self, origins: Sequence[tuple[Point | None, Drive]], to: Point) -> list[Eta]:
        """How long each would take to a place: one search back from it for each way of driving."""
        found: list[Eta] = [NO_POSITION] * len(origins)
        by_drive: dict[Drive, list[tuple[int, Point]]] = {}
        for n, (place, drive) in enumerate(origins):
            if place is not None:
                by_drive.setdefault(drive, []).append((n, place))
        searched: _Searched = {}
        for drive, some in by_drive.items():
            places = [place for _, place in some]
            for (n, _), eta in zip(some, self._etas(drive, places, to, searched), strict=True):
                found[n] = eta
        return found

    def _etas(self, drive: Drive, places: Sequence[Point], to: Point, searched: _Searched | None = None) -> list[Eta]:
        if self.network is None:
            return [_as_the_crow_flies(place, to, drive, "no_streets") for place in places]
        ground = self.ground(drive)
        searched = {} if searched is None else searched
        found = self._arrive(ground, places, to, searched)
        missed = [n for n, eta in enumerate(found) if eta.how == "unreachable"]
        if missed and self.barriers:
            free = self.ground(drive, closures=False)
            for n, eta in zip(missed, self._arrive(free, [places[n] for n in missed], to, searched), strict=True):
                if eta.how == "road":
                    found[n] = replace(found[n], why="closed")
        return found

    def _arrive(self, ground: Ground, places: Sequence[Point], to: Point, searched: _Searched) -> list[Eta]:
        ends = ground.anchors(to)
        if not ends:
            near = self.network is not None and self.network.nearest(
                self.network.flatten(to), np.ones(len(self.network), dtype=np.bool_), SNAP_METRES
            )
            if near is None:
                return [_as_the_crow_flies(place, to, ground.drive, "no_street_near") for place in places]
            return [Eta(None, None, "unreachable", None, "no_way") for _ in places]
        best = _Best(len(places))
        for end in ends:
            self._arrive_at(ground, places, end, best, searched)
        return [
            eta or _as_the_crow_flies(place, to, ground.drive, "no_street_near")
            for eta, place in zip(best.etas(ground.drive), places, strict=True)
        ]

    def _arrive_at(
        self, ground: Ground, places: Sequence[Point], end: Anchor, best: _Best, searched: _Searched
    ) -> None:
        opened = self._opened(ground, end)
        at_end = self._open(ground, opened)
        key = id(at_end.weights), end, at_end.walk(end)  # drives that differ in pace only share weights, and the search
        if key not in searched:
            searched[key] = at_end.weights, at_end.search([seeds_of(at_end.arriving(end))], back=True)[0][0]
        _, reach = searched[key]
        spots = ground.spots(places)
        elsewhere = spots.links != end.link
        easy = spots.rows[elsewhere]
        best.offer(easy, ground.from_spots(spots, reach)[elsewhere], (spots.metres + end.metres)[elsewhere], end.why)
        reaches: dict[frozenset[int], tuple[Ground, Floats]] = {opened: (at_end, reach)}
        for n in sorted(set(range(len(places))) - set(easy.tolist())):
            for start in ground.anchors(places[n]):
                through = opened | self._opened(ground, start)
                if through not in reaches:
                    via = self._open(ground, through)
                    reaches[through] = via, via.search([seeds_of(via.arriving(end))], back=True)[0][0]
                via, there = reaches[through]
                costs = [way.cost + float(there[way.node]) for way in via.leaving(start)]
                if (straight := via.direct(start, end)) is not None:
                    costs.append(straight[0])
                off_road = np.array([start.metres + end.metres])
                best.offer(np.array([n]), np.array([min(costs, default=np.inf)]), off_road, end.why or start.why)

    def _opened(self, ground: Ground, anchor: Anchor) -> frozenset[int]:
        """The gated area that an anchor stands in; pedestrian streets count as one."""
        return frozenset({int(ground.network.gated[anchor.link])}) if ground.gated[anchor.link] else frozenset()

    def _open(self, ground: Ground, opened: frozenset[int]) -> Ground:
        return self.ground(ground.drive, opened, closures=bool(ground.stretches)) if opened else ground

    # --- many places ------------------------------------------------------------------------------------

    def matrix(self, origins: Sequence[Point], destinations: Sequence[Point], drive: Drive) -> tuple[Floats, Floats]:
        """Seconds and metres from each origin to each destination; infinity and not-a-number where there is no way."""
        weights = np.full((len(origins), len(destinations)), np.inf)
        if self.network is None or not origins or not destinations:
            return weights, np.full(weights.shape, np.nan)
        ground = self.ground(drive)
        back = len(destinations) < len(origins)  # searches run from the fewer
        few, many = (destinations, origins) if back else (origins, destinations)
        table = weights.T if back else weights
        spots = ground.spots(many)
        known = np.zeros(table.shape, dtype=np.bool_)
        seeds = [(n, found[0]) for n, place in enumerate(few) if len(found := ground.anchors(place)) == 1]
        seeds = [(n, anchor) for n, anchor in seeds if ground.plain[anchor.link]]
        for some in (seeds[n : n + AT_ONCE] for n in range(0, len(seeds), AT_ONCE)):
            ways = [ground.arriving(anchor) if back else ground.leaving(anchor) for _, anchor in some]
            reaches, _ = ground.search([seeds_of(one) for one in ways], back=back)
            for (n, anchor), reach in zip(some, reaches, strict=True):
                elsewhere = spots.links != anchor.link
                costs = ground.from_spots(spots, reach) if back else ground.to_spots(spots, reach)
                table[n, spots.rows[elsewhere]] = costs[elsewhere]
                known[n, spots.rows[elsewhere]] = True
        seconds, lengths = np.round(seconds_of(weights) / drive.pace, 1), np.round(metres_of(weights), 1)
        self._fill(~(known.T if back else known), origins, destinations, drive, seconds, lengths)
        return seconds, lengths

    def _fill(
        self,
        unknown: Flags,
        origins: Sequence[Point],
        destinations: Sequence[Point],
        drive: Drive,
        seconds: Floats,
        lengths: Floats,
    ) -> None:
        """The pairs of a matrix that need a second thought, one destination after the other."""
        for column in np.flatnonzero(unknown.any(axis=0)):
            rows = np.flatnonzero(unknown[:, column])
            for row, eta in zip(
                rows, self._etas(drive, [origins[int(n)] for n in rows], destinations[int(column)]), strict=True
            ):
                if eta.how == "road" and eta.seconds is not None and eta.metres is not None:
                    seconds[row, column], lengths[row, column] = eta.seconds, eta.metres

    # --- one drive --------------------------------------------------------------------------------------

    def route(self, start: Point, end: Point, drive: Drive, *, within: float = SNAP_METRES) -> Route:
        """The quickest drive between two places, street by street. Raises `NoStreetNear` or `NoWay`."""
        if self.network is None:
            raise NoStreetNear
        ground = self.ground(drive)
        starts, ends = ground.anchors(start, within), ground.anchors(end, within)
        if not starts or not ends:
            everything = np.ones(len(self.network), dtype=np.bool_)
            if all(
                self.network.nearest(self.network.flatten(one), everything, within) is not None for one in (start, end)
            ):
                raise NoWay
            raise NoStreetNear
        best: tuple[float, Route] | None = None
        for last in ends:
            for first in starts:
                found = self._drive(ground, first, last)
                if found is not None and (best is None or found[0] < best[0]):
                    best = found
        if best is None:
            if self.barriers and Travel(self.network, (), self.flow, self.learned)._leads(start, end, drive):
                raise NoWay("closed")
            raise NoWay
        return best[1]

    def _leads(self, start: Point, end: Point, drive: Drive) -> bool:
        return self._etas(drive, [start], end)[0].how == "road"

    def _drive(self, ground: Ground, start: Anchor, end: Anchor) -> tuple[float, Route] | None:
        via = self._open(ground, self._opened(ground, start) | self._opened(ground, end))
        arriving, leaving = via.arriving(end), via.leaving(start)
        straight = via.direct(start, end)
        best, legs = math.inf, None
        if straight is not None:
            best, legs = straight[0], [_leg(via, straight[1], start.along, end.along)]
        for limit in _limits(via, start, end) if leaving and arriving else ():
            ((reach,), tree) = via.search([seeds_of(arriving)], back=True, limit=limit, tree=True)
            assert tree is not None  # noqa: S101  (it was asked for)
            first = min(leaving, key=lambda way: way.cost + float(reach[way.node]))
            cost = first.cost + float(reach[first.node])
            if cost <= limit:  # beyond it a way that was not found yet might be quicker
                if cost < best:
                    best, legs = cost, _legs(via, first, arriving, tree[0])
                break
        if legs is None or math.isinf(best):
            return None
        paced = [replace(leg, seconds=leg.seconds / ground.drive.pace) for leg in legs]
        walk = walking(start.metres) + walking(end.metres)
        off = start.metres + end.metres
        route = drive_along(ground.network, paced, snap_metres=off, walk_seconds=walk, why=end.why or start.why)
        return best, route

    # --- areas ------------------------------------------------------------------------------------------

    def isochrones(
        self, origin: Point, minutes: Sequence[float], drive: Drive
    ) -> list[tuple[float, shapely.MultiPolygon]]:
        """The area reached within each number of minutes. Raises `NoStreetNear`."""
        reaches = self._reaches([(origin, drive)], max(minutes) * 60)
        if not reaches:
            raise NoStreetNear
        return [(one, area_of(reaches[0], one * 60)) for one in minutes]

    def coverage(self, units: Sequence[tuple[Point, Drive]], target_seconds: float, people: People) -> Cover:
        """What some unit reaches in time. Raises `NoStreetNear` where there are no streets at all."""
        if self.network is None:
            raise NoStreetNear
        return cover_of(self._reaches(units, target_seconds), target_seconds, people)

    def lost_coverage(
        self,
        units: Sequence[tuple[Point, Drive]],
        target_seconds: float,
        leaving: Collection[int],
        people: People,
    ) -> Loss:
        """What nobody reaches in time any more when some of the units (by their place in the list) leave."""
        if self.network is None:
            raise NoStreetNear
        staying = [unit for n, unit in enumerate(units) if n not in leaving]
        before, after = (self._reaches(some, target_seconds) for some in (units, staying))
        return loss_of(before, after, target_seconds, people)

    def losses(self, units: Sequence[tuple[Point, Drive]], target_seconds: float, people: People) -> Losses:
        """`lost_coverage` of each of the units alone, for all of them in two searches for each way of driving.

        Raises `NoStreetNear` where there are no streets at all.
        """
        if self.network is None:
            raise NoStreetNear
        found = []
        by_drive: dict[Drive, list[tuple[int, Point]]] = {}
        for n, (place, drive) in enumerate(units):
            by_drive.setdefault(drive, []).append((n, place))
        for drive, some in by_drive.items():
            ground = self.ground(drive)
            anchors = [(n, anchor) for n, place in some for anchor in ground.anchors(place)]
            opened = frozenset().union(*(self._opened(ground, anchor) for _, anchor in anchors))
            via = self._open(ground, opened)
            numbers = np.array([n for n, _ in some])
            seeds = [seeds_of(way for m, anchor in anchors if m == n for way in via.leaving(anchor)) for n in numbers]
            if any(seeds):
                limit = packed(target_seconds * drive.pace + 1)
                first, owner, second = via.two_nearest(seeds, limit=limit)
                owner = np.where(owner >= 0, numbers[owner], -1)
                found.append(Held.of(via, (first, owner, second), anchors, target_seconds))
        return Losses(found, people)

    def compared(self, other: Travel, drive: Drive, trips: int = 60) -> list[float]:
        """How much longer this takes than another, as a ratio, over trips between streets all over the city."""
        if self.network is None:
            return []
        network = self.network
        ends = np.random.default_rng(1).choice(np.flatnonzero(network.main), 2 * trips)
        spots = network.rounded(shapely.line_interpolate_point(network.lines[ends], 0.5, normalized=True))
        ratios = []
        for to in spots[:5]:  # one search answers for many
            starts = [(start, drive) for start in spots[5 :: len(spots) // trips + 1]]
            for ours, theirs in zip(self.etas(starts, to), other.etas(starts, to), strict=True):
                if ours.how == theirs.how == "road" and ours.seconds and theirs.seconds:
                    ratios.append(ours.seconds / theirs.seconds)
        return ratios

    def _reaches(self, units: Sequence[tuple[Point, Drive]], within: float) -> list[Reach]:
        """One search away from all units that drive alike: each node belongs to the nearest of them."""
        found = []
        by_drive: dict[Drive, list[Point]] = {}
        for place, drive in units:
            by_drive.setdefault(drive, []).append(place)
        for drive, places in by_drive.items() if self.network else ():
            ground = self.ground(drive)
            anchors = [anchor for place in places for anchor in ground.anchors(place)]
            opened = frozenset().union(*(self._opened(ground, anchor) for anchor in anchors))
            via = self._open(ground, opened)
            ways = [way for anchor in anchors for way in via.leaving(anchor)]
            if ways:
                ((reach,), _) = via.search([seeds_of(ways)], back=False, limit=packed(within * drive.pace + 1))
                found.append(Reach.of(via, reach, anchors))
        return found


def _limits(ground: Ground, start: Anchor, end: Anchor) -> tuple[float, ...]:
    """How far to search for one route: first about as far as it should lead, and everywhere only if that fails."""
    spots = [ground.network.lines[one.link].interpolate(one.along, normalized=True) for one in (start, end)]
    seconds = float(spots[0].distance(spots[1])) * CROW_DETOUR / (CROW_KMH / 3.6)
    return packed(seconds + 60), packed(3 * (seconds + 60)), TOP


def _legs(ground: Ground, first: Way, arriving: Sequence[Way], tree: NDArray[np.int32]) -> list[Leg]:
    """The links of a way, following the tree of a search back from its end."""
    arcs, size = ground.network.arcs, ground.network.size
    nodes = [first.node]
    while (following := int(tree[nodes[-1]])) < size:
        nodes.append(following)
    last = min((way for way in arriving if way.node == nodes[-1]), key=lambda way: way.cost)
    start, end = first.anchor, last.anchor
    legs = [_leg(ground, first.arc, start.along, 0.0 if arcs.backward[first.arc] else 1.0)]
    for tail, head in pairwise(nodes):
        out = np.arange(arcs.starts[tail], arcs.starts[tail + 1])
        out = out[arcs.heads[out] == head]
        arc = int(out[ground.weights[out].argmin()])
        legs.append(_leg(ground, arc, *((1.0, 0.0) if arcs.backward[arc] else (0.0, 1.0))))
    legs.append(_leg(ground, last.arc, 1.0 if arcs.backward[last.arc] else 0.0, end.along))
    return legs


def _leg(ground: Ground, arc: int, enter: float, leave: float) -> Leg:
    arcs = ground.network.arcs
    weight = float(ground.free[arc])
    if math.isinf(weight):  # a few metres back on a one-way street, within the noise of GPS
        link, count = int(arcs.link[arc]), len(ground.network)
        weight = min(float(ground.free[arcs.plain[n]]) for n in (link, count + link))
    seconds = 0.0 if math.isinf(weight) else float(seconds_of(np.array(weight)))
    return Leg(int(arcs.link[arc]), enter, leave, seconds, bool(arcs.against[arc]) and enter != leave)


class _Best:
    """The best way found so far for each of many origins."""

    def __init__(self, count: int) -> None:
        self.known: Flags = np.zeros(count, dtype=np.bool_)  # whether the origin is on a street at all
        self._cost: Floats = np.full(count, np.inf)
        self._off: Floats = np.zeros(count)
        self._why: list[Why | None] = [None] * count

    def offer(self, rows: Ints, costs: Floats, off: Floats, why: Why | None) -> None:
        """A way for some of them."""
        self.known[rows] = True
        better = costs < self._cost[rows]
        for n in rows[better].tolist():
            self._why[n] = why
        self._cost[rows[better]] = costs[better]
        self._off[rows[better]] = off[better]

    def etas(self, drive: Drive) -> list[Eta | None]:
        """What to say of each; None of one that is on no street."""
        seconds = np.round(seconds_of(self._cost) / drive.pace, 1).tolist()
        lengths = np.round(metres_of(self._cost), 1).tolist()
        off = np.round(self._off, 1).tolist()
        nowhere = Eta(None, None, "unreachable", None, "no_way")
        return [
            (Eta(took, far, "road", walked, why) if took < math.inf else nowhere) if known else None
            for known, took, far, walked, why in zip(self.known.tolist(), seconds, lengths, off, self._why, strict=True)
        ]


def _as_the_crow_flies(start: Point, end: Point, drive: Drive, why: Why) -> Eta:
    """A guess, and called one."""
    far = metres(start, end)
    return Eta(round(far * CROW_DETOUR / (CROW_KMH / 3.6 * drive.pace), 1), round(far, 1), "straight_line", None, why)


# ── In this process ───────────────────────────────────────────────────────────────────────────────


class _Loaded:
    """The network of this process. A new edition is built by the first who asks, beside the loop; others wait."""

    def __init__(self) -> None:
        self._edition = ""
        self._network: StreetNetwork | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def at(self, session: AsyncSession) -> StreetNetwork | None:
        edition = await edition_of(session, STREETS)
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            if edition != self._edition:
                links, turns = await load_network(session)
                self._network = await asyncio.to_thread(StreetNetwork, links, turns) if links else None
                self._edition = edition
            return self._network


_LOADED = _Loaded()
BUENOS_AIRES = "America/Argentina/Buenos_Aires"


async def network_of(session: AsyncSession) -> StreetNetwork | None:
    """The street network as the database has it now; None while there are no streets."""
    return await _LOADED.at(session)


async def travel(session: AsyncSession, at: dt.datetime | None = None, *, timezone: str = BUENOS_AIRES) -> Travel:
    """What may be asked about travel at a moment (now, unless said): streets and closures of this transaction."""
    at = at or now()
    local = at.astimezone(ZoneInfo(timezone))
    network = await network_of(session)
    barriers = await barriers_in_force(session, at)
    return Travel(network, barriers, usual_flow(local), await learned_flow(session, local))


async def barriers_in_force(session: AsyncSession, at: dt.datetime) -> list[Barrier]:
    """What bars traffic at a moment."""
    return [
        Barrier(f"{one.id}:{one.version}", one.shape, frozenset(one.passable_by))
        for one in await closures_in_force(session, at)
    ]
