"""The ground that a drive finds: what each arc weighs for it, where places meet the streets, and the search.

A weight is milliseconds and decimetres in one number (`PACK`), so that the quickest way brings its length with it;
what may not be driven weighs infinity.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.barriers import Stretch
from geo.drives import AGAINST_PACE, AGAINST_SECONDS, AMONG_PEOPLE_KMH, NEVER_AGAINST, Drive
from geo.network import SNAP_METRES, Flags, Floats, Ints, StreetNetwork
from geo.places import Point
from geo.speeds import Flow
from geo.streets import Access

PACK = float(2**26)  # milliseconds go above, decimetres below: up to 37 hours and 6,700 km, exact to the bit
TOP = float(2**53)
GPS_NOISE = 15.0  # metres; a place so little behind on a one-way street is here, not round the block
FRONTAGE = 30.0  # metres from the middle of the street to a door, or GPS noise: nobody walks these
SPARE = 12  # arcs of a seed that need no graph of their own: both ends of a link, and what remembers a turn there
WALK = 1.4  # metres a second on foot, beyond that

Why: TypeAlias = Literal["closed", "no_way", "no_street_near", "no_streets", "ends_at_closure", "on_foot"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A spot where a place meets the streets. `low` and `high` say whether the link is open to its start and end."""

    link: int
    along: float
    metres: float
    low: bool = True
    high: bool = True
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Spots:
    """Those of many places that meet the streets without a second thought: `rows` says which, the rest where."""

    rows: Ints
    links: Ints
    along: Floats
    metres: Floats
    walks: Floats


@dataclass(frozen=True, slots=True)
class Way:
    """On or off a link: the node at which the search takes over, what it costs to it, and along which arc."""

    node: int
    cost: float
    arc: int
    anchor: Anchor


def packed(seconds: float, decimetres: float = 0.0) -> float:
    """Seconds and decimetres as one weight."""
    return round(seconds * 1000) * PACK + round(decimetres)


def seconds_of(weights: Floats) -> Floats:
    """The seconds in weights; infinity stays."""
    return np.floor(weights / PACK) / 1000


def metres_of(weights: Floats) -> Floats:
    """The metres in weights; not a number where there is no way."""
    with np.errstate(invalid="ignore"):
        return np.mod(weights, PACK) / 10


def part_of(weight: float, share: float) -> float:
    """What a share of an arc costs. To stand at its end costs nothing, even where it may not be driven."""
    if share <= 0:
        return 0.0
    if math.isinf(weight):
        return weight
    above, below = divmod(weight, PACK)
    return round(above * share) * PACK + round(below * share)


# ── The ground a drive finds ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Alone:
    """The graphs in which lone seeds are put, by whether they search back; one search at a time."""

    graphs: dict[bool, csr_array] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Ground:
    """The weights of all arcs for one way of driving, at one hour, with what is closed to it."""

    def __init__(
        self,
        network: StreetNetwork,
        drive: Drive,
        flow: Flow,
        learned: Flow,
        stretches: Sequence[Stretch] = (),
        opened: frozenset[int] = frozenset(),
    ) -> None:
        self.network, self.drive = network, drive
        self.stretches: dict[int, list[Stretch]] = {}
        for stretch in stretches:
            self.stretches.setdefault(stretch.link, []).append(stretch)
        self.free = self._weigh(flow, learned, opened)  # without closures: for the rest of a closed link
        self.weights = self.free
        if self.stretches:
            closed = np.zeros(len(network), dtype=np.bool_)
            closed[list(self.stretches)] = True
            self.weights = np.where(closed[network.arcs.link], np.inf, self.free)
        self._alone = _Alone()
        can = [word in drive.enters or word in drive.ends_in for word in network.accesses]
        self.usable: Flags = np.array(can, dtype=np.bool_)[network.access]
        through = [word in drive.enters for word in network.accesses]
        self.gated: Flags = self.usable & ~np.array(through, dtype=np.bool_)[network.access]
        self.plain: Flags = self.usable & network.main & ~self.gated  # where nothing needs a second thought
        if self.stretches:
            self.plain &= ~closed

    def _weigh(self, flow: Flow, learned: Flow, opened: frozenset[int]) -> Floats:
        network, drive, arcs = self.network, self.drive, self.network.arcs
        shares = [felt(flow.get(kind, 1.0), drive) * learned.get(kind, 1.0) for kind in network.kinds]
        kmh = network.kmh * np.array(shares)[network.kind]
        on_foot = np.array([word == Access.FOOT for word in network.accesses])[network.access]
        kmh = np.where(on_foot, np.minimum(kmh, AMONG_PEOPLE_KMH), kmh)
        milliseconds = np.maximum(np.rint(network.metres / kmh * 3600), 1.0)
        with_law = milliseconds * PACK + np.rint(network.metres * 10)
        weights: Floats = with_law[arcs.link]
        may = np.array([word in drive.enters for word in network.accesses])[network.access]
        if opened:
            behind = np.isin(network.gated, list(opened)) | on_foot
            ends = np.array([word in drive.ends_in for word in network.accesses])[network.access]
            may |= behind & ends
        weights[~may[arcs.link]] = np.inf
        against = arcs.against
        if drive.against_oneway:
            slow = np.rint(milliseconds / AGAINST_PACE + AGAINST_SECONDS * 1000) * PACK + np.rint(network.metres * 10)
            slow[np.isin(network.kind, [n for n, k in enumerate(network.kinds) if k in NEVER_AGAINST])] = np.inf
            weights[against] = np.where(np.isfinite(weights[against]), slow[arcs.link[against]], np.inf)
        else:
            weights[against] = np.inf
        if not drive.lights and len(network.exceptions) > 1:
            binds = [any(not (excepted & drive.traffic) for excepted in one) for one in network.exceptions]
            weights[np.array(binds, dtype=np.bool_)[arcs.ban]] = np.inf
        return weights

    def at_pace_of(self, drive: Drive) -> Ground:
        """The same ground for a faster or slower drive of the same manners."""
        paced = copy(self)
        paced.drive = drive
        return paced

    # --- searching --------------------------------------------------------------------------------------

    def search(
        self, seeds: Sequence[Mapping[int, float]], *, back: bool, limit: float = TOP, tree: bool = False
    ) -> tuple[Floats, NDArray[np.int32] | None]:
        """The weight of the quickest way from some nodes to every node, or with `back` to them; a row for each seed.

        A seed is an extra node with an arc to each of its nodes. `limit` bounds the weight.
        """
        if len(seeds) == 1 and len(seeds[0]) <= SPARE:
            return self._search_alone(seeds[0], back=back, limit=limit, tree=tree)
        graph = _seeded(*self._arcs(back=back), seeds)
        return _dijkstra(graph, np.arange(self.network.size, graph.shape[0]), limit, tree=tree)

    def two_nearest(self, seeds: Sequence[Mapping[int, float]], *, limit: float) -> tuple[Floats, Ints, Floats]:
        """For every node the weight from the nearest seed, which seed that is (-1: none), and the weight without it.

        Two searches, however many the seeds. The first parts the nodes into the cells of their nearest seeds. What
        comes second to a node either enters its cell from another one, where it was first until then (or sets out
        inside of it), or has entered before and stays in the cell: the second search knows the arcs within cells only.
        """
        arcs, size = self.network.arcs, self.network.size
        starts, heads, weights = self._arcs(back=False)
        graph = _seeded(starts, heads, weights, seeds)
        found, _, sources = dijkstra(
            graph, indices=np.arange(size, size + len(seeds)), limit=limit, min_only=True, return_predecessors=True
        )
        first = found[:size]
        owner: Ints = np.where(np.isfinite(first), sources[:size].astype(np.int64) - size, -1)
        stays = owner[arcs.tails] == owner[heads]
        enters = ~stays & (owner[arcs.tails] >= 0)
        entry: Floats = np.full(size, np.inf)
        np.minimum.at(entry, heads[enters], first[arcs.tails[enters]] + weights[enters])
        for number, seed in enumerate(seeds):
            for node, cost in seed.items():
                if owner[node] != number:
                    entry[node] = min(entry[node], cost)
        stays &= owner[arcs.tails] >= 0
        kept = np.concatenate([[0], np.cumsum(np.bincount(arcs.tails[stays], minlength=size))]).astype(np.int32)
        doors = np.flatnonzero(entry <= limit)
        within = _seeded(
            kept, heads[stays], weights[stays], [dict(zip(doors.tolist(), entry[doors].tolist(), strict=True))]
        )
        second = dijkstra(within, indices=np.array([size]), limit=limit)[0, :size]
        return first, owner, second

    def _search_alone(
        self, seed: Mapping[int, float], *, back: bool, limit: float, tree: bool
    ) -> tuple[Floats, NDArray[np.int32] | None]:
        """One seed: its arcs take spare places in a graph that is kept, so that nothing is copied."""
        size = self.network.size
        with self._alone.lock:
            if (graph := self._alone.graphs.get(back)) is None:
                starts, ends, kept = self._arcs(back=back)
                indices = np.concatenate([ends, np.zeros(SPARE, dtype=np.int32)])
                weights = np.concatenate([kept, np.full(SPARE, np.inf)])
                following = np.concatenate([starts, [starts[-1] + SPARE]]).astype(np.int32)
                graph = csr_array((weights, indices, following), shape=(size + 1, size + 1))
                self._alone.graphs[back] = graph
            graph.data[-SPARE:] = np.inf
            graph.data[-SPARE:][: len(seed)] = list(seed.values())
            graph.indices[-SPARE:][: len(seed)] = list(seed)
            return _dijkstra(graph, np.array([size]), limit, tree=tree)

    def _arcs(self, *, back: bool) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
        """Where each node's arcs begin, where they end, and what they weigh."""
        arcs = self.network.arcs
        if back:
            return arcs.head_starts, arcs.tails[arcs.by_head], self.weights[arcs.by_head]
        return arcs.starts, arcs.heads, self.weights

    # --- places -----------------------------------------------------------------------------------------

    def anchors(self, place: Point, within: float = SNAP_METRES) -> list[Anchor]:
        """Where a place meets the streets: at the nearest that will do, and at the nearest that leads everywhere."""
        spot = self.network.flatten(place)
        nearest = self.network.nearest(spot, self.usable, within)
        if nearest is None:
            return []
        if self.plain[nearest]:
            snap = self.network.snap_onto(nearest, spot)
            return [Anchor(nearest, snap.along, snap.metres)]
        found = [self._anchor(nearest, spot)]
        if not (self.network.main[nearest] and (found[0].low or found[0].high)):
            found += self._elsewhere(spot, within, found[0])
        return [anchor for anchor in found if anchor.low or anchor.high]

    def _elsewhere(self, spot: shapely.Point, within: float, first: Anchor) -> list[Anchor]:
        """The nearest spot from which one gets away, when the nearest street of all will not do."""
        why: Why = "on_foot" if first.low or first.high else "ends_at_closure"
        around = self.network.tree.query(spot, predicate="dwithin", distance=within)
        around = around[self.usable[around] & self.network.main[around]]
        order = np.argsort(shapely.distance(self.network.lines[around], spot), kind="stable")
        best: Anchor | None = None
        for index in around[order]:
            if best is not None and shapely.distance(self.network.lines[index], spot) >= best.metres:
                break
            for one in self._open_spots(int(index), spot):
                if best is None or one.metres < best.metres:
                    best = replace(one, why=why)
        return [best] if best else []

    def _open_spots(self, link: int, spot: shapely.Point) -> list[Anchor]:
        """The nearest spots to a place on the open parts of a link."""
        here = self._anchor(link, spot)
        if here.low or here.high:
            return [here]
        closed, line = self.stretches[link], self.network.lines[link]
        spots = []
        for share, low in ((min(one.begins for one in closed), True), (max(one.ends for one in closed), False)):
            if (share > 0) if low else (share < 1):
                on = line.interpolate(share, normalized=True)
                spots.append(Anchor(link, share, float(on.distance(spot)), low, not low))
        return spots

    def _anchor(self, link: int, spot: shapely.Point) -> Anchor:
        snap = self.network.snap_onto(link, spot)
        closed = self.stretches.get(link, ())
        return Anchor(
            link,
            snap.along,
            snap.metres,
            all(one.begins > snap.along for one in closed),
            all(one.ends < snap.along for one in closed),
        )

    def spots(self, places: Sequence[Point]) -> Spots:
        """The anchors of many places at once; those that need `anchors` are left out."""
        where = self.network.flat(np.array(places, dtype=object))
        rows, links, far = self.network.nearest_each(where)
        plain = self.plain[links]
        rows, links, far = rows[plain], links[plain], far[plain]
        along = shapely.line_locate_point(self.network.lines[links], where[rows], normalized=True)
        walks = np.rint(np.maximum(0.0, far - FRONTAGE) / WALK * self.drive.pace * 1000) * PACK
        return Spots(rows, links, np.nan_to_num(along), far, walks)

    def from_spots(self, spots: Spots, reach: Floats) -> Floats:
        """What it costs from each spot, given what it costs from each node."""
        arcs, count = self.network.arcs, len(self.network)
        ahead, back = arcs.plain[spots.links], arcs.plain[count + spots.links]
        best = np.minimum(
            parts_of(self.free[ahead], 1 - spots.along) + reach[arcs.heads[ahead]],
            parts_of(self.free[back], spots.along) + reach[arcs.heads[back]],
        )
        return np.asarray(best + spots.walks)

    def to_spots(self, spots: Spots, reach: Floats) -> Floats:
        """What it costs to each spot, given what it costs to each node, and to those that remember a turn."""
        arcs = self.network.arcs
        if not len(spots.links):
            return np.zeros(0)
        counts = arcs.link_starts[spots.links + 1] - arcs.link_starts[spots.links]
        begins = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) - np.repeat(begins, counts)
        which = arcs.by_link[np.repeat(arcs.link_starts[spots.links], counts) + within]
        along = np.repeat(spots.along, counts)
        shares = np.where(arcs.backward[which], 1 - along, along)
        costs = parts_of(self.free[which], shares) + reach[arcs.tails[which]]
        return np.asarray(np.minimum.reduceat(costs, begins) + spots.walks)

    def leaving(self, anchor: Anchor) -> list[Way]:
        """The ways off a link, with what they cost from the anchor."""
        arcs, count = self.network.arcs, len(self.network)
        ways = []
        for arc, share, clear in (
            (int(arcs.plain[anchor.link]), 1 - anchor.along, anchor.high),
            (int(arcs.plain[count + anchor.link]), anchor.along, anchor.low),
        ):
            cost = part_of(float(self.free[arc]), share)
            if clear and cost < TOP:
                ways.append(Way(int(arcs.heads[arc]), cost + self.walk(anchor), arc, anchor))
        return ways

    def arriving(self, anchor: Anchor) -> list[Way]:
        """The ways onto a link, from every node that stands for one of its ends."""
        arcs = self.network.arcs
        ways = []
        for arc in arcs.along(anchor.link):
            backward = bool(arcs.backward[arc])
            cost = part_of(float(self.free[arc]), 1 - anchor.along if backward else anchor.along)
            if (anchor.high if backward else anchor.low) and cost < TOP:
                ways.append(Way(int(arcs.tails[arc]), cost + self.walk(anchor), int(arc), anchor))
        return ways

    def whole(self, link: int, *, back: bool = False) -> float:
        """Seconds along a whole link, or back along it; infinity where that may not be driven."""
        arc = self.network.arcs.plain[link + back * len(self.network)]
        return float(seconds_of(self.weights[arc]))

    def walk(self, anchor: Anchor) -> float:
        """What it costs on foot between a place and its anchor. Feet do not go at the drive's pace."""
        return packed(walking(anchor.metres) * self.drive.pace)

    def direct(self, start: Anchor, end: Anchor) -> tuple[float, int] | None:
        """Along one link, without touching a crossing: what it costs, and by which arc."""
        if start.link != end.link:
            return None
        low, high = sorted((start.along, end.along))
        if any(one.begins < high and one.ends > low for one in self.stretches.get(start.link, ())):
            return None
        length, count = float(self.network.metres[start.link]), len(self.network)
        forward, backward = (int(self.network.arcs.plain[n]) for n in (start.link, count + start.link))
        walks = self.walk(start) + self.walk(end)
        if end.along >= start.along:
            cost, arc = part_of(float(self.free[forward]), high - low), forward
            noise = math.isinf(self.free[forward])
        else:
            cost, arc = part_of(float(self.free[backward]), high - low), backward
            noise = math.isinf(self.free[backward])
        if noise and (high - low) * length <= GPS_NOISE:
            other = backward if arc == forward else forward
            cost = part_of(float(self.free[other]), high - low)
        return (cost + walks, arc) if cost < TOP else None


def _seeded(
    starts: NDArray[np.int32], ends: NDArray[np.int32], weights: Floats, seeds: Sequence[Mapping[int, float]]
) -> csr_array:
    """A graph with one more node for each seed."""
    more = np.cumsum([len(seed) for seed in seeds], dtype=np.int32) + starts[-1]
    indices = np.concatenate([ends, *(np.fromiter(seed.keys(), np.int32, len(seed)) for seed in seeds)])
    costs = np.concatenate([weights, *(np.fromiter(s.values(), np.float64, len(s)) for s in seeds)])
    whole = len(starts) - 1 + len(seeds)
    return csr_array((costs, indices, np.concatenate([starts, more])), shape=(whole, whole))


def _dijkstra(graph: csr_array, rows: Ints, limit: float, *, tree: bool) -> tuple[Floats, NDArray[np.int32] | None]:
    if tree:
        reach, before = dijkstra(graph, indices=rows, limit=limit, return_predecessors=True)
        return reach, before
    return dijkstra(graph, indices=rows, limit=limit), None


def walking(metres: float) -> float:
    """Seconds on foot from the street to a place so many metres off it."""
    return max(0.0, metres - FRONTAGE) / WALK


def felt(flow: float, drive: Drive) -> float:
    """The share of free speed that is left to a drive that feels only some of the congestion."""
    return 1 - (1 - flow) * drive.held_up


def parts_of(weights: Floats, shares: Floats) -> Floats:
    """`part_of` for many."""
    with np.errstate(invalid="ignore"):
        above, below = np.floor(weights / PACK), np.mod(weights, PACK)
        parts = np.rint(above * shares) * PACK + np.rint(below * shares)
    parts[~np.isfinite(weights)] = np.inf
    parts[shares <= 0] = 0.0
    return parts


def seeds_of(ways: Iterable[Way]) -> dict[int, float]:
    """The seeds of a search: the cheapest way for each node."""
    seeds: dict[int, float] = {}
    for way in ways:
        seeds[way.node] = min(way.cost, seeds.get(way.node, TOP))
    return seeds
