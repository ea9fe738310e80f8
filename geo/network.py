"""The street network in memory: links, the arcs one may drive along, and the nearest spot on a street.

A network is made once from the street links and never changes; what changes (closures, the hour, who drives) is a
weight for each arc and comes beside it, in `geo/travel.py`. Everything inside is in flat metres around the city's
middle, where a degree east is as long as a degree north.

Turn restrictions are nodes: whoever came by the first arc of a restriction arrives at a node of its own, from which
the forbidden arc is marked. So the quickest way needs nothing but nodes and arcs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import METRES_PER_DEGREE, Point, Position, is_sound
from geo.streets import Access, StreetLink, TurnRestriction

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

PORTION = 1000  # links that are read at a time
SNAP_METRES = 500.0  # farther from any street than this, a drive there would be a guess
SAME = 1e-6  # metres: streets that are so equally near lie on each other, and the first of them counts
LOOK_AROUND = (60.0, 180.0, SNAP_METRES)  # metres; where the nearest street will not do, look so far for another
AT_HAND = 12.0  # metres, the usual noise of GPS: most places are so near a street, and so small a box holds few


@dataclass(frozen=True, slots=True)
class Link:
    """What the network needs to know of a street link. One-way links run from `a_node` to `b_node`."""

    a_node: int
    b_node: int
    shape: shapely.LineString
    kind: str
    name: str | None
    oneway: bool
    speed_kmh: float
    access: str = Access.ALL
    osm_id: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn restriction, as `geo.streets.TurnRestriction` means it."""

    only: bool
    nodes: tuple[int, ...]
    ways: tuple[int, ...]
    excepted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Snap:
    """The spot on a link nearest to a place: `along` is 0 at the link's start and 1 at its end."""

    link: int
    along: float
    metres: float
    place: Position


class NoStreetNear(Exception):
    """No street lies within the distance a place may be snapped."""


@dataclass(frozen=True, slots=True)
class Arcs:
    """Everything that anybody may drive along, by tail. Arc `i` goes to `heads[i]` along link `link[i]`.

    `backward` is against the link's own direction, `against` also against the law. `ban` numbers the exceptions of
    the turn restrictions that an arc would break (0: it breaks none).
    """

    starts: NDArray[np.int32]  # where the arcs of each node begin
    tails: NDArray[np.int32]
    heads: NDArray[np.int32]
    link: NDArray[np.int32]
    backward: Flags
    against: Flags
    ban: NDArray[np.int32]
    by_head: Ints  # the arcs in order of their heads …
    head_starts: NDArray[np.int32]  # … and where those of each node begin
    by_link: Ints  # the arcs in order of their links …
    link_starts: Ints  # … and where those of each link begin
    plain: Ints  # for link n, at n the arc that drives it forward out of a node that remembers nothing, …
    # … and at n plus the number of links the one that drives it backward

    def along(self, link: int) -> Ints:
        """The arcs along a link, in both directions and from every node that stands for its end."""
        found: Ints = self.by_link[self.link_starts[link] : self.link_starts[link + 1]]
        return found


class StreetNetwork:
    """A directed graph of streets, with its geometry."""

    def __init__(self, links: Sequence[Link], turns: Sequence[Turn] = ()) -> None:
        """Build the graph; 150,000 links take a few seconds."""
        self._middle = _middle(links)
        numbers, codes = np.unique(
            np.array([(link.a_node, link.b_node) for link in links], dtype=np.int64), return_inverse=True
        )
        shapes = np.array([link.shape for link in links], dtype=object)
        self.lines = shapely.transform(shapes, self._flat_array)
        place = _neighbourly(_corners(self.lines, codes.reshape(-1, 2), len(numbers)))
        numbers, ends = numbers[np.argsort(place)], place[codes.reshape(-1, 2)]
        self.nodes = len(numbers)  # that a map knows; those that stand for a restriction come after them
        self.a: Ints = ends[:, 0].astype(np.int64)
        self.b: Ints = ends[:, 1].astype(np.int64)
        self._numbers: Ints = numbers
        self.names = [link.name for link in links]
        self.oneway: Flags = np.array([link.oneway for link in links], dtype=np.bool_)
        self.kmh: Floats = np.maximum([link.speed_kmh for link in links], 1.0)
        self.kinds, self.kind = _coded([link.kind for link in links])
        self.accesses, self.access = _coded([link.access for link in links])
        self.metres: Floats = shapely.length(self.lines)
        self.tree = shapely.STRtree(self.lines)
        forbidden = _Forbidden(self, numbers, links, turns) if turns else None
        self.exceptions: list[tuple[frozenset[str], ...]] = [()]  # of arcs that break a restriction, by their `ban`
        self.arcs = self._arcs(forbidden)
        self.size = len(self.arcs.starts) - 1
        self.main = self._main()
        self.gated = self._gated_areas()

    def __len__(self) -> int:
        """How many links."""
        return len(self.names)

    def link(self, index: int) -> Link:
        """One link, as it came."""
        line = shapely.LineString([self.round(x, y) for x, y in self.lines[index].coords])
        return Link(
            int(self._numbers[self.a[index]]),
            int(self._numbers[self.b[index]]),
            line,
            self.kinds[self.kind[index]],
            self.names[index],
            bool(self.oneway[index]),
            float(self.kmh[index]),
            self.accesses[self.access[index]],
        )

    # --- the graph --------------------------------------------------------------------------------------

    def _arcs(self, forbidden: _Forbidden | None) -> Arcs:
        """Both directions of every link, sorted by where they start. Parallel arcs stand side by side."""
        count = len(self)
        tails = np.concatenate([self.a, self.b])
        heads = np.concatenate([self.b, self.a])
        base = np.arange(2 * count, dtype=np.int64)  # arc n is link n forward, arc count + n is link n backward
        ban = np.zeros(2 * count, dtype=np.int64)
        size = self.nodes
        if forbidden is not None:
            heads, (more_tails, more_heads, more_base, more_ban) = forbidden.expand(heads, self.exceptions)
            tails = np.concatenate([tails, more_tails])
            heads = np.concatenate([heads, more_heads])
            base = np.concatenate([base, more_base])
            ban = np.concatenate([ban, more_ban])
            size += forbidden.states
        order = np.argsort(tails, kind="stable")
        tails, heads, base, ban = tails[order], heads[order], base[order], ban[order]
        link = base % max(count, 1)
        backward: Flags = base >= count
        by_link = np.argsort(link, kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        return Arcs(
            np.searchsorted(tails, np.arange(size + 1)).astype(np.int32),
            tails.astype(np.int32),
            heads.astype(np.int32),
            link.astype(np.int32),
            backward,
            backward & self.oneway[link],
            ban.astype(np.int32),
            np.argsort(heads, kind="stable"),
            np.searchsorted(np.sort(heads), np.arange(size + 1)).astype(np.int32),
            by_link,
            np.searchsorted(link[by_link], np.arange(count + 1)),
            place[: 2 * count],
        )

    def _main(self) -> Flags:
        """Which links belong to the largest part within which one can drive from anywhere to anywhere."""
        driven = self.access != self._code(self.accesses, Access.FOOT)
        both: Flags = driven & ~self.oneway
        tails = np.concatenate([self.a[driven], self.b[both]])
        heads = np.concatenate([self.b[driven], self.a[both]])
        graph = csr_array((np.ones(len(tails), dtype=np.int8), (tails, heads)), shape=(self.nodes, self.nodes))
        _, parts = connected_components(graph, directed=True, connection="strong")
        largest = parts == np.bincount(parts[self.a[driven]] if driven.any() else parts).argmax()
        found: Flags = driven & largest[self.a] & largest[self.b]
        return found

    def _gated_areas(self) -> Ints:
        """The number of the area behind a gate that a link is part of: private, or for who has business there.

        -1 where there is no gate.
        """
        gated = np.isin(self.access, [self._code(self.accesses, one) for one in (Access.DESTINATION, Access.PRIVATE)])
        areas: Ints = np.full(len(self), -1, dtype=np.int64)
        if gated.any():
            tails, heads = self.a[gated], self.b[gated]
            graph = csr_array((np.ones(len(tails), dtype=np.int8), (tails, heads)), shape=(self.nodes, self.nodes))
            _, parts = connected_components(graph, directed=False)
            areas[gated] = parts[tails]
        return areas

    @staticmethod
    def _code(words: list[str], word: str) -> int:
        return words.index(word) if word in words else -1

    def well_connected(self, link: int) -> bool:
        """Whether one can drive from this link to nearly everywhere and back."""
        return bool(self.main[link])

    # --- the ground -------------------------------------------------------------------------------------

    def flatten(self, place: Point) -> shapely.Point:
        """Longitude and latitude to flat metres."""
        x0, y0, squeeze = self._middle
        return shapely.Point((place.x - x0) * METRES_PER_DEGREE * squeeze, (place.y - y0) * METRES_PER_DEGREE)

    def flat(self, shapes: Any) -> Any:
        """The same for any shape, or for many."""
        return shapely.transform(shapes, self._flat_array)

    def _flat_array(self, positions: Floats) -> Floats:
        x0, y0, squeeze = self._middle
        return (positions - (x0, y0)) * (METRES_PER_DEGREE * squeeze, METRES_PER_DEGREE)

    def round(self, x: float, y: float) -> Position:
        """Flat metres back to longitude and latitude."""
        x0, y0, squeeze = self._middle
        return (x / METRES_PER_DEGREE / squeeze + x0, y / METRES_PER_DEGREE + y0)

    def rounded(self, shapes: Any) -> Any:
        """The same for any shape, or for many."""
        x0, y0, squeeze = self._middle
        return shapely.transform(shapes, lambda p: p / (METRES_PER_DEGREE * squeeze, METRES_PER_DEGREE) + (x0, y0))

    def near(self, place: Point, within: float) -> Ints:
        """The numbers of the links within so many metres of a place."""
        found: Ints = self.tree.query(self.flatten(place), predicate="dwithin", distance=within)
        return found

    def links_near(self, place: Point, within: float) -> list[Link]:
        """The links within so many metres of a place."""
        return [self.link(int(index)) for index in self.near(place, within)]

    def snap(self, place: Point, within: float = SNAP_METRES, *, connected: bool = False) -> Snap:
        """The nearest spot on any street, or on one that is `connected` with the rest. Raises `NoStreetNear`."""
        spot = self.flatten(place)
        usable = self.main if connected else np.ones(len(self), dtype=np.bool_)
        index = self.nearest(spot, usable, within)
        if index is None:
            raise NoStreetNear
        return self.snap_onto(index, spot)

    def snap_onto(self, index: int, spot: shapely.Point) -> Snap:
        """The spot on this link nearest to a flat place."""
        line = self.lines[index]
        along = float(line.project(spot, normalized=True)) if line.length else 0.0
        on = line.interpolate(along, normalized=True)
        return Snap(index, along, float(on.distance(spot)), self.round(on.x, on.y))

    def nearest_each(self, spots: NDArray[Any]) -> tuple[Ints, Ints, Floats]:
        """For many flat places: which of them are near a street, its link and the metres to it."""
        x, y = shapely.get_x(spots), shapely.get_y(spots)
        boxes = shapely.box(x - AT_HAND, y - AT_HAND, x + AT_HAND, y + AT_HAND)
        rows, links = self.tree.query(boxes)
        far = shapely.distance(self.lines[links], spots[rows])
        order = np.lexsort((links, np.round(far, 6), rows))  # of streets that lie on each other the first
        order = order[far[order] <= AT_HAND]  # beyond it something nearer may lie outside of the box
        rows, links, far = rows[order], links[order], far[order]
        first = np.append(True, np.diff(rows) != 0)[: len(rows)]
        rows, links, far = rows[first], links[first], far[first]
        alone = np.ones(len(spots), dtype=np.bool_)
        alone[rows] = False
        others = np.flatnonzero(alone)
        if len(others):
            more, which = self.tree.query_nearest(spots[others], max_distance=SNAP_METRES, all_matches=False)
            others, away = others[more], shapely.distance(self.lines[which], spots[others[more]])
            more, which = self.tree.query(spots[others], predicate="dwithin", distance=away + SAME)
            firsts = np.lexsort((which, more))
            more, at = np.unique(more[firsts], return_index=True)
            which = which[firsts][at]
            rows, links = np.concatenate([rows, others[more]]), np.concatenate([links, which])
            far = np.concatenate([far, away])
        return rows, links, far

    def nearest(self, spot: shapely.Point, usable: Flags, within: float) -> int | None:
        """The nearest usable link to a flat place, if there is one."""
        found: Ints = self.tree.query_nearest(spot, max_distance=within, all_matches=False)
        if not len(found):
            return None
        if usable[found[0]]:
            far = float(shapely.distance(self.lines[found[0]], spot))
            same: Ints = self.tree.query(spot, predicate="dwithin", distance=far + SAME)
            return int(same[usable[same]].min())
        for radius in sorted({*(r for r in LOOK_AROUND if r < within), within}):
            around = self.tree.query(spot, predicate="dwithin", distance=radius)
            around = around[usable[around]]
            if len(around):
                away = shapely.distance(self.lines[around], spot)
                return int(around[away <= away.min() + SAME].min())
        return None


class _Forbidden:
    """The sequences of arcs that restrictions forbid, and the nodes that remember how far one is in them."""

    def __init__(self, network: StreetNetwork, numbers: Ints, links: Sequence[Link], turns: Sequence[Turn]) -> None:
        count = len(network)
        self._count = count
        self._heads: Ints = np.concatenate([network.b, network.a])
        self._out: dict[int, list[int]] = defaultdict(list)
        passed = {node for turn in turns for node in turn.nodes}
        known = np.flatnonzero(np.isin(numbers, list(passed)))
        here = dict(zip(numbers[known].tolist(), known.tolist(), strict=True))
        close = np.isin(network.a, known) | np.isin(network.b, known)
        arcs: dict[tuple[int, int, int | None], list[int]] = defaultdict(list)
        for index in np.flatnonzero(close).tolist():
            link, a, b = links[index], int(network.a[index]), int(network.b[index])
            arcs[a, b, link.osm_id].append(index)
            self._out[a].append(index)
            self._out[b].append(count + index)
            if not link.oneway:
                arcs[b, a, link.osm_id].append(count + index)
        self.rules: dict[tuple[int, ...], list[frozenset[str]]] = defaultdict(list)
        only: dict[tuple[int, ...], tuple[set[int], list[frozenset[str]]]] = {}
        for turn in turns:
            if any(node not in here for node in turn.nodes):
                continue
            for way in _ways(turn, here, arcs):
                if not turn.only:
                    self.rules[way].append(turn.excepted)
                    continue
                for passed_arcs in range(1, len(way)):
                    allowed, excepted = only.setdefault(way[:passed_arcs], (set(), []))
                    allowed.add(way[passed_arcs])
                    excepted.append(turn.excepted)
        for prefix, (allowed, excepted) in only.items():
            for arc in self._out[int(self._heads[prefix[-1]])]:
                if arc not in allowed:
                    self.rules[*prefix, arc].append(frozenset.intersection(*excepted))
        self._numbers = {
            prefix: network.nodes + n
            for n, prefix in enumerate(sorted({rule[:n] for rule in self.rules for n in range(1, len(rule))}))
        }
        self.states = len(self._numbers)

    def _after(self, path: tuple[int, ...]) -> int:
        """The node that remembers as much of a path as matters."""
        for start in range(len(path)):
            if path[start:] in self._numbers:
                return self._numbers[path[start:]]
        return int(self._heads[path[-1]])

    def expand(
        self, heads: Ints, exceptions: list[tuple[frozenset[str], ...]]
    ) -> tuple[Ints, tuple[Ints, Ints, Ints, Ints]]:
        """Where the plain arcs lead now, and the arcs (tail, head, plain arc, ban) out of the nodes that remember."""
        heads = heads.copy()
        for prefix, node in self._numbers.items():
            if len(prefix) == 1:
                heads[prefix[0]] = node
        more: list[tuple[int, int, int, int]] = []
        bans: dict[tuple[frozenset[str], ...], int] = {}
        for prefix, node in self._numbers.items():
            for arc in self._out[int(self._heads[prefix[-1]])]:
                path = (*prefix, arc)
                broken = tuple(excepted for start in range(len(path)) for excepted in self.rules.get(path[start:], ()))
                if broken and broken not in bans:
                    bans[broken] = len(exceptions)
                    exceptions.append(broken)
                more.append((node, self._after(path), arc, bans.get(broken, 0)))
        columns = np.array(more, dtype=np.int64).reshape(-1, 4).T
        return heads, (columns[0], columns[1], columns[2], columns[3])


def _ways(
    turn: Turn, here: dict[int, int], arcs: dict[tuple[int, int, int | None], list[int]]
) -> Iterator[tuple[int, ...]]:
    """Every sequence of arcs that a restriction speaks of: one, unless a way has two links between two crossings."""
    found: list[tuple[int, ...]] = [()]
    for (tail, head), way in zip(zip(turn.nodes, turn.nodes[1:], strict=False), turn.ways, strict=False):
        found = [(*path, arc) for path in found for arc in arcs.get((here[tail], here[head], way), ())]
    yield from (path for path in found if len(path) > 1)


def _corners(lines: NDArray[Any], ends: Ints, count: int) -> Floats:
    """Where each node lies, in flat metres."""
    corners = np.zeros((count, 2))
    for column, position in ((0, 0), (1, -1)):
        corners[ends[:, column]] = shapely.get_coordinates(shapely.get_point(lines, position))
    return corners


def _neighbourly(corners: Floats) -> Ints:
    """A number for each node, such that neighbours on the ground are neighbours in memory: the order of Morton.

    A search over a city of 90,000 nodes numbered at random takes a quarter less for it.
    """
    low, high = corners.min(axis=0), corners.max(axis=0)
    cells = ((corners - low) / np.maximum(high - low, 1e-9).max() * 65535).astype(np.uint64)
    key = np.zeros(len(corners), dtype=np.uint64)
    for bit in range(16):
        for axis in (0, 1):
            key |= ((cells[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    place: Ints = np.empty(len(corners), dtype=np.int64)
    place[np.argsort(key, kind="stable")] = np.arange(len(corners))
    return place


def _coded(words: Iterable[str]) -> tuple[list[str], NDArray[np.int8]]:
    """The different words, and the number of each one's word."""
    different, codes = np.unique(np.array(list(words), dtype=object), return_inverse=True)
    return [str(word) for word in different], codes.astype(np.int8)


def _middle(links: Sequence[Link]) -> tuple[float, float, float]:
    """The middle of the city, and how much shorter a degree east is there than a degree north."""
    west, south, east, north = shapely.total_bounds(np.array([link.shape for link in links], dtype=object))
    y = float(south + north) / 2
    return float(west + east) / 2, y, math.cos(math.radians(y))


async def load_network(session: AsyncSession) -> tuple[list[Link], list[Turn]]:
    """The links and the restrictions as the database has them, to build a `StreetNetwork` of outside of the loop.

    They come in portions: between them others of this process get their turn.
    """
    query = select(
        StreetLink.a_node,
        StreetLink.b_node,
        func.ST_AsBinary(StreetLink.shape),
        StreetLink.kind,
        StreetLink.name,
        StreetLink.oneway,
        StreetLink.speed_kmh,
        StreetLink.access,
        StreetLink.osm_id,
    )
    query = query.where(is_sound(StreetLink.shape)).order_by(StreetLink.id)
    links: list[Link] = []
    stream = await session.stream(query.execution_options(yield_per=PORTION))
    async for rows in stream.partitions():
        shapes = shapely.from_wkb([bytes(row[2]) for row in rows])
        links += [Link(row[0], row[1], shape, *row[3:]) for row, shape in zip(rows, shapes, strict=True)]
    restrictions = select(
        TurnRestriction.only, TurnRestriction.nodes, TurnRestriction.ways, TurnRestriction.excepted
    ).order_by(TurnRestriction.id)
    turns = [
        Turn(only, tuple(nodes), tuple(ways), frozenset(excepted))
        for only, nodes, ways, excepted in await session.execute(restrictions)
    ]
    return links, turns
