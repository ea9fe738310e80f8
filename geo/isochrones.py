"""How far one gets within so many minutes, as areas on the map.

The reached parts of the streets are drawn onto a fine grid of cells, grown until blocks close and shrunk again, and
the cells become polygons: what no street reaches (a hill, a river, a flood) stays a hole or a bay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from contourpy import FillType, contour_generator
from numpy.typing import NDArray
from scipy.ndimage import binary_opening, distance_transform_edt

from geo.ground import PACK, Anchor, Ground
from geo.network import Flags, Floats, Ints, StreetNetwork

CELL = 25.0  # metres; a quarter of a block
MOST_CELLS = 1500  # to a side: what reaches farther is drawn more coarsely
GROWN, LEFT = 80.0, 30.0  # metres: streets nearer than twice the first close the ground between them; the rim they keep


@dataclass(frozen=True, slots=True)
class Reach:
    """How long it takes to each node of a network, seconds; infinity where nobody gets."""

    network: StreetNetwork
    seconds: Floats  # by node
    arc_seconds: Floats  # by arc, at the same pace
    starts: tuple[tuple[int, float, float, float], ...]  # link, along, and its seconds forward and backward

    @staticmethod
    def of(ground: Ground, weights: Floats, anchors: Sequence[Anchor]) -> Reach:
        """From the weights of a search away from some anchors."""
        network, pace = ground.network, ground.drive.pace
        with np.errstate(invalid="ignore"):
            return Reach(
                network,
                np.floor(weights[: network.size] / PACK) / 1000 / pace,
                np.floor(ground.weights / PACK) / 1000 / pace,
                tuple(
                    (one.link, one.along, ground.whole(one.link) / pace, ground.whole(one.link, back=True) / pace)
                    for one in anchors
                ),
            )

    def shares(self, within: float) -> tuple[Floats, Floats]:
        """How much of each link is reached within so many seconds, from its start and from its end."""
        arcs, count = self.network.arcs, len(self.network)
        left = within - self.seconds[arcs.tails]
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.clip(left / self.arc_seconds, 0.0, 1.0)
        shares[~np.isfinite(shares)] = 0.0
        reached: Floats = np.zeros(2 * count)
        np.maximum.at(reached, arcs.link + count * arcs.backward, shares)
        return reached[:count], reached[count:]

    def pieces(self, within: float) -> tuple[Ints, Floats, Floats]:
        """What is reached of the links that one sets out on: the link, and from which share to which."""
        links = np.array([link for link, *_ in self.starts], dtype=np.int64)
        ends = [
            (max(0.0, along - within / backward), min(1.0, along + within / forward))
            for _, along, forward, backward in self.starts
        ]
        begins, stops = np.array(ends, dtype=np.float64).reshape(-1, 2).T
        return links, begins, stops

    def metres(self, within: float) -> Floats:
        """Metres of each link that are reached within so many seconds."""
        start, end = self.shares(within)
        shares = np.minimum(start + end, 1.0)
        links, begins, stops = self.pieces(within)
        np.maximum.at(shares, links, stops - begins)
        return shares * self.network.metres


def area_of(reach: Reach, within: float) -> shapely.MultiPolygon:
    """The area reached within so many seconds, in degrees."""
    spots = _spots(reach, within)
    if not len(spots):
        return shapely.MultiPolygon()
    flat = _polygons(*_cells(spots))
    return _whole(reach.network.rounded(flat))


class _Samples:
    """Spots a cell apart along every link, made once for a network: 20 MB in a city of 90,000 nodes."""

    def __init__(self, network: StreetNetwork) -> None:
        steps = np.ceil(network.metres / CELL).astype(np.int64) + 1
        nth = np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps)
        self.links = np.repeat(np.arange(len(network)), steps).astype(np.int32)
        self.starts: Ints = np.append(0, np.cumsum(steps))  # where those of each link begin
        self.along = (nth / np.repeat(np.maximum(steps - 1, 1), steps)).astype(np.float32)
        lines = network.lines[self.links]
        found = shapely.get_coordinates(shapely.line_interpolate_point(lines, self.along, normalized=True))
        self.places = found.astype(np.float32)


_SAMPLES: WeakKeyDictionary[StreetNetwork, _Samples] = WeakKeyDictionary()


def samples_of(network: StreetNetwork) -> _Samples:
    """Spots along every link of a network."""
    if (samples := _SAMPLES.get(network)) is None:
        samples = _SAMPLES[network] = _Samples(network)
    return samples


def _spots(reach: Reach, within: float) -> Floats:
    """Positions a cell apart along all that is reached, in flat metres."""
    network = reach.network
    samples = samples_of(network)
    start, end = reach.shares(within)
    # All of a link that is reached at all from an end, up to where it is reached.
    reached = (samples.along <= start[samples.links]) & (start[samples.links] > 0)
    reached |= (1 - samples.along <= end[samples.links]) & (end[samples.links] > 0)
    links, begins, stops = reach.pieces(within)
    shares = np.array([begins, (begins + stops) / 2, stops])
    pieces = shapely.line_interpolate_point(network.lines[links], shares, normalized=True)
    for link, low, high in zip(links, begins, stops, strict=True):
        on = np.searchsorted(samples.links, [link, link + 1])
        reached[on[0] : on[1]] |= (samples.along[on[0] : on[1]] >= low) & (samples.along[on[0] : on[1]] <= high)
    return np.concatenate([samples.places[reached].astype(np.float64), shapely.get_coordinates(pieces)])


def _cells(spots: Floats) -> tuple[Flags, float, float, float]:
    """The cells that belong to the area, the corner of the first and the side of each."""
    return _filled(spots, spots.min(axis=0) - GROWN - CELL, spots.max(axis=0) + GROWN + CELL)


def _filled(spots: Floats, low: Floats, high: Floats) -> tuple[Flags, float, float, float]:
    side = max(CELL, float((high - low).max()) / MOST_CELLS)
    low = np.floor(low / side) * side  # areas of the same grain lie on the same grid, so that one holds the other
    shape = np.ceil((high - low) / side).astype(int) + 1
    streets: Flags = np.zeros((shape[1], shape[0]), dtype=np.bool_)
    x, y = np.floor((spots - low) / side).astype(int).T
    streets[y, x] = True
    grown = distance_transform_edt(~streets) * side <= GROWN
    shrunk = distance_transform_edt(np.pad(grown, 1))[1:-1, 1:-1] * side > GROWN - LEFT
    return shrunk | streets, float(low[0]), float(low[1]), side


def area_between(network: StreetNetwork, before: Floats, after: Floats) -> shapely.MultiPolygon:
    """The area of the first spots that is not the area of the second, which are among them; in degrees."""
    if not len(before):
        return shapely.MultiPolygon()
    low, high = before.min(axis=0) - GROWN - CELL, before.max(axis=0) + GROWN + CELL
    had, x0, y0, side = _filled(before, low, high)
    lost = had & ~_filled(after, low, high)[0] if len(after) else had
    lost = binary_opening(lost, np.ones((3, 3)))  # the rims of both were drawn cell by cell: a sliver is no loss
    return _whole(network.rounded(_polygons(lost, x0, y0, side))) if lost.any() else shapely.MultiPolygon()


def _polygons(cells: Flags, x0: float, y0: float, side: float) -> shapely.MultiPolygon:
    """The cells as polygons, their stairs made smooth."""
    field = np.pad(cells, 1).astype(np.float64)  # cell 0 has its middle at x0 + side / 2
    areas: Any = contour_generator(z=field, fill_type=FillType.OuterOffset).filled(0.5, np.inf)
    corners, offsets = areas
    found = []
    for places, ends in zip(corners, offsets, strict=True):
        shell, *holes = np.split((places - 0.5) * side + (x0, y0), ends[1:-1])
        found.append(shapely.Polygon(shell, holes))
    return _whole(shapely.simplify(shapely.MultiPolygon(found), side * 0.8))


def _whole(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """As one valid multipolygon."""
    valid = shapely.make_valid(shape)
    parts: NDArray[np.object_] = shapely.get_parts(shapely.get_parts(np.array([valid])))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon" and part.area > 0])
