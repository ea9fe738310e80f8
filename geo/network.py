"""The street network in memory: the quickest way from one place to another.

A network is made once from the street links and never changes; what changes (closures, speeds of the hour) comes
beside it. Directions are what the law allows, times are free-flow times of each link divided by a `pace`.
Everything inside is in flat metres around the city's middle, where a degree east is as long as a degree north.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.layers import edition_of
from geo.places import METRES_PER_DEGREE, Point, Position
from geo.streets import STREETS, StreetLink

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

SNAP_METRES = 500.0  # farther from any street than this, a drive there would be a guess
GPS_NOISE = 15.0  # metres; a place so little behind on a one-way street is here, not round the block
BLINK = 0.01  # seconds; the sparse graph must not hold a zero, and no link is passed in no time
NOWHERE = -9999  # how scipy says "no way leads here"


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


@dataclass(frozen=True, slots=True)
class Snap:
    """The spot on a link nearest to a place: `along` is 0 at the link's start and 1 at its end."""

    link: int
    along: float
    metres: float
    place: Position


@dataclass(frozen=True, slots=True)
class Fix:
    """Where somebody is at an instant of a drive."""

    longitude: float
    latitude: float
    heading: float
    speed_kmh: float


@dataclass(frozen=True)
class Route:
    """A drive: its line, and the seconds and metres from the start at each of the line's positions."""

    line: tuple[Position, ...]
    seconds_at: tuple[float, ...]
    metres_at: tuple[float, ...]
    streets: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self.seconds_at[-1]

    @property
    def metres(self) -> float:
        """How far it is."""
        return self.metres_at[-1]

    def at(self, seconds: float) -> Fix:
        """Position, heading and speed after so many seconds; the end of the line when it is over."""
        ahead = min(max(bisect_right(self.seconds_at, seconds), 1), len(self.line) - 1)
        (x0, y0), (x1, y1) = self.line[ahead - 1], self.line[ahead]
        took = self.seconds_at[ahead] - self.seconds_at[ahead - 1]
        share = min(max((seconds - self.seconds_at[ahead - 1]) / took, 0.0), 1.0) if took else 1.0
        heading = math.degrees(math.atan2((x1 - x0) * math.cos(math.radians(y0)), y1 - y0)) % 360
        went = self.metres_at[ahead] - self.metres_at[ahead - 1]
        moving = took > 0 and seconds < self.seconds
        return Fix(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, heading, went / took * 3.6 if moving else 0.0)


class NoStreetNear(Exception):
    """No street lies within the distance a place may be snapped."""


class NoWay(Exception):
    """No way leads from one place to the other."""


class StreetNetwork:
    """A directed graph of streets, with its geometry."""

    def __init__(self, links: Sequence[Link]) -> None:
        """Build the graph; some 20,000 links take under half a second."""
        self.links = links
        nodes = {node: i for i, node in enumerate(sorted({n for link in links for n in (link.a_node, link.b_node)}))}
        self._from: Ints = np.array([nodes[link.a_node] for link in links], dtype=np.int64)
        self._to: Ints = np.array([nodes[link.b_node] for link in links], dtype=np.int64)
        self._middle = _middle(links)
        self._flat = [shapely.LineString(self._flatten(link.shape.coords)) for link in links]
        self._metres: Floats = np.array([line.length for line in self._flat], dtype=np.float64)
        speeds: Floats = np.array([link.speed_kmh for link in links], dtype=np.float64)
        self._seconds: Floats = np.maximum(self._metres / np.maximum(speeds, 1.0) * 3.6, BLINK)
        self._weigh_arcs(len(nodes))
        self._tree = shapely.STRtree(self._flat)
        self._main_links: Ints = np.flatnonzero([self.well_connected(i) for i in range(len(links))])
        self._main_tree = shapely.STRtree([self._flat[i] for i in self._main_links])

    def _weigh_arcs(self, nodes: int) -> None:
        """Two arcs for a two-way link, one for a one-way; of parallel arcs the quickest stays."""
        both: Ints = np.flatnonzero([not link.oneway for link in self.links])
        tails: Ints = np.concatenate([self._from, self._to[both]])
        heads: Ints = np.concatenate([self._to, self._from[both]])
        links: Ints = np.concatenate([np.arange(len(self.links)), both])
        seconds = self._seconds[links]
        order: Ints = np.lexsort((seconds, heads, tails))
        tails, heads, links, seconds = tails[order], heads[order], links[order], seconds[order]
        # scipy would add parallel arcs together: keep the first, quickest, of each pair.
        first = np.append(True, (np.diff(tails) != 0) | (np.diff(heads) != 0))
        tails, heads, links, seconds = tails[first], heads[first], links[first], seconds[first]
        self._graph = csr_array((seconds, (tails, heads)), shape=(nodes, nodes))
        self._arc_link = {(int(t), int(h)): int(i) for t, h, i in zip(tails, heads, links, strict=True)}
        _, parts = connected_components(self._graph, directed=True, connection="strong")
        self._main: NDArray[np.bool_] = parts == np.bincount(parts).argmax()

    def _flatten(self, positions: Iterable[Sequence[float]]) -> list[Position]:
        x0, y0, squeeze = self._middle
        return [((p[0] - x0) * METRES_PER_DEGREE * squeeze, (p[1] - y0) * METRES_PER_DEGREE) for p in positions]

    def _round(self, x: float, y: float) -> Position:
        """Flat metres back to longitude and latitude."""
        x0, y0, squeeze = self._middle
        return (x / METRES_PER_DEGREE / squeeze + x0, y / METRES_PER_DEGREE + y0)

    def well_connected(self, link: int) -> bool:
        """Whether one can drive from this link to nearly everywhere and back."""
        return bool(self._main[self._from[link]] and self._main[self._to[link]])

    def links_near(self, place: Point, within: float) -> list[Link]:
        """The links within so many metres of a place."""
        (here,) = self._flatten([(place.x, place.y)])
        found = self._tree.query(shapely.Point(here), predicate="dwithin", distance=within)
        return [self.links[int(index)] for index in found]

    def snap(self, place: Point, within: float = SNAP_METRES, *, connected: bool = False) -> Snap:
        """The nearest spot on any street, or on one that is `connected` with the rest. Raises `NoStreetNear`."""
        (here,) = self._flatten([(place.x, place.y)])
        spot = shapely.Point(here)
        tree = self._main_tree if connected else self._tree
        found = tree.query_nearest(spot, max_distance=within, all_matches=False)
        if not len(found):
            raise NoStreetNear
        index = int(self._main_links[found[0]] if connected else found[0])
        line = self._flat[index]
        along = float(line.project(spot, normalized=True)) if line.length else 0.0
        on = line.interpolate(along, normalized=True)
        return Snap(index, along, float(on.distance(spot)), self._round(on.x, on.y))

    def route(self, start: Point, end: Point, *, pace: float = 1.0, within: float = SNAP_METRES) -> Route:
        """The quickest drive between two places. Raises `NoStreetNear` or `NoWay`.

        `pace` multiplies every speed: below 1 for traffic, above 1 with lights and siren.
        """
        return self.route_between(self.snap(start, within), self.snap(end, within), pace=pace)

    def route_between(self, start: Snap, end: Snap, *, pace: float = 1.0) -> Route:
        """`route` for places already on their streets."""
        direct = self._along_one_link(start, end)
        leave = self._ways_off(start)
        arrive = self._ways_onto(end)
        reach, before = dijkstra(self._graph, indices=[node for node, _ in leave], return_predecessors=True)
        best, legs = math.inf, direct
        if direct is not None:
            best = abs(end.along - start.along) * float(self._seconds[start.link])
        for row, (first, spent) in enumerate(leave):
            for last, to_spend in arrive:
                total = spent + float(reach[row, last]) + to_spend
                if total < best:
                    best = total
                    legs = self._legs(start, end, first, last, before[row])
        if legs is None:
            raise NoWay
        return self._drive(legs, start, end, pace)

    def _along_one_link(self, start: Snap, end: Snap) -> list[tuple[int, float, float]] | None:
        """Both on the same link and the way there is allowed: no crossing is touched."""
        if start.link != end.link:
            return None
        behind = (start.along - end.along) * float(self._metres[start.link])
        if behind > GPS_NOISE and self.links[start.link].oneway:
            return None
        return [(start.link, start.along, end.along)]

    def _ways_off(self, snap: Snap) -> list[tuple[int, float]]:
        """The nodes a link can be left by, with the seconds to get there."""
        seconds = float(self._seconds[snap.link])
        ways = [(int(self._to[snap.link]), (1 - snap.along) * seconds)]
        if not self.links[snap.link].oneway:
            ways.append((int(self._from[snap.link]), snap.along * seconds))
        return ways

    def _ways_onto(self, snap: Snap) -> list[tuple[int, float]]:
        """The nodes a link can be entered by, with the seconds from there."""
        seconds = float(self._seconds[snap.link])
        ways = [(int(self._from[snap.link]), snap.along * seconds)]
        if not self.links[snap.link].oneway:
            ways.append((int(self._to[snap.link]), (1 - snap.along) * seconds))
        return ways

    def _legs(
        self, start: Snap, end: Snap, first: int, last: int, before: NDArray[Any]
    ) -> list[tuple[int, float, float]]:
        """The links of a way, each with the share where it is joined and the share where it is left."""
        nodes = [last]
        while nodes[-1] != first:
            previous = int(before[nodes[-1]])
            if previous == NOWHERE:
                raise NoWay
            nodes.append(previous)
        nodes.reverse()
        legs = [(start.link, start.along, 1.0 if first == self._to[start.link] else 0.0)]
        for tail, head in pairwise(nodes):
            link = self._arc_link[tail, head]
            legs.append((link, 0.0, 1.0) if tail == self._from[link] else (link, 1.0, 0.0))
        legs.append((end.link, 0.0 if last == self._from[end.link] else 1.0, end.along))
        return legs

    def _drive(self, legs: list[tuple[int, float, float]], start: Snap, end: Snap, pace: float) -> Route:
        """Put the legs together, with the clock running."""
        line: list[Position] = [start.place]
        seconds, metres = [0.0], [0.0]
        streets: list[str] = []
        for link, enter, leave in legs:
            name = self.links[link].name
            mps = self.links[link].speed_kmh / 3.6 * pace
            before = len(line)
            for (x0, y0), (x1, y1) in pairwise(_part(self._flat[link], enter, leave)):
                went = math.hypot(x1 - x0, y1 - y0)
                if went < 0.01:  # metres; two positions in one spot have no heading
                    continue
                line.append(self._round(x1, y1))
                metres.append(metres[-1] + went)
                seconds.append(seconds[-1] + went / mps)
            if name and len(line) > before and streets[-1:] != [name]:
                streets.append(name)
        if len(line) == 1:  # already there
            line, seconds, metres = [start.place, end.place], [0.0, 0.0], [0.0, 0.0]
        return Route(tuple(line), tuple(seconds), tuple(metres), tuple(streets))


def _middle(links: Sequence[Link]) -> tuple[float, float, float]:
    """The middle of the city, and how much shorter a degree east is there than a degree north."""
    bounds = np.array([link.shape.bounds for link in links])
    x = float(bounds[:, 0].min() + bounds[:, 2].max()) / 2
    y = float(bounds[:, 1].min() + bounds[:, 3].max()) / 2
    return x, y, math.cos(math.radians(y))


def _part(line: shapely.LineString, enter: float, leave: float) -> list[Position]:
    """The positions of a line from one share of it to another, backwards where `leave` is the smaller."""
    if enter == leave:
        return []
    low, high = sorted((enter, leave))
    if (low, high) == (0.0, 1.0):
        positions = [(p[0], p[1]) for p in line.coords]
    else:
        ends = [line.interpolate(share, normalized=True) for share in (low, high)]
        inner = [(p[0], p[1]) for p in line.coords if low < line.project(shapely.Point(p), normalized=True) < high]
        positions = [(ends[0].x, ends[0].y), *inner, (ends[1].x, ends[1].y)]
    return positions if enter < leave else positions[::-1]


async def load_network(session: AsyncSession) -> tuple[StreetNetwork | None, str]:
    """The network as the database has it, and its edition; None while there are no streets."""
    query = select(
        StreetLink.a_node,
        StreetLink.b_node,
        StreetLink.shape,
        StreetLink.kind,
        StreetLink.name,
        StreetLink.oneway,
        StreetLink.speed_kmh,
    ).order_by(StreetLink.id)
    edition = await edition_of(session, STREETS)  # first: streets laid meanwhile make the next load a new one
    links = [Link(*row) for row in await session.execute(query)]
    return (StreetNetwork(links) if links else None), edition
