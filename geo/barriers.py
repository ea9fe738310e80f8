"""What stands in the way: which stretches of which streets a shape on the map closes.

A line closes what it runs along and what it crosses away from the corners; a point closes the street it is on, at
that spot; an area closes all that touches it. The rest of a closed link stays a street up to the barrier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.network import StreetNetwork

BESIDE = 12.0  # metres beside a drawn line within which a street is meant by it
RUN = 15.0  # metres that a line must run along a street to close it; for a shorter link, half of it
CORNER = 12.0  # metres from its ends within which a link is only touched at the corner
POINT_METRES = 25.0  # from a point to the street that it closes
SPOT = 5.0  # metres to each side that a crossed or pointed-at spot takes


@dataclass(frozen=True, slots=True)
class Barrier:
    """Something that bars traffic now. `passable_by` are the unit kinds that may pass all the same.

    `id` names one version of it: what was found out about the same id and shape is kept.
    """

    id: str
    shape: BaseGeometry
    passable_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a link that is closed, as shares of its length."""

    link: int
    begins: float
    ends: float


def closed_by(network: StreetNetwork, shape: BaseGeometry) -> list[Stretch]:
    """The stretches that a shape (degrees) closes."""
    found: list[Stretch] = []
    for part in _parts(network.flat(shape)):
        match part.geom_type:
            case "Point":
                found += _at(network, part)
            case "LineString" | "LinearRing":
                found += _along(network, part)
            case "Polygon":
                found += _inside(network, part)
    return found


def _parts(shape: BaseGeometry) -> Iterator[BaseGeometry]:
    if hasattr(shape, "geoms"):
        for part in shape.geoms:
            yield from _parts(part)
    elif not shape.is_empty:
        yield shape


def _at(network: StreetNetwork, spot: shapely.Point) -> Iterator[Stretch]:
    everything = np.ones(len(network), dtype=np.bool_)
    link = network.nearest(spot, everything, POINT_METRES)
    if link is not None:
        yield _spot(network, link, float(network.lines[link].project(spot)))


def _spot(network: StreetNetwork, link: int, metres: float) -> Stretch:
    length = max(float(network.metres[link]), 1e-6)
    return Stretch(link, max(0.0, (metres - SPOT) / length), min(1.0, (metres + SPOT) / length))


def _along(network: StreetNetwork, line: shapely.LineString) -> Iterator[Stretch]:
    beside = line.buffer(BESIDE, cap_style="flat")
    for index in network.tree.query(beside, predicate="intersects"):
        link, street = int(index), network.lines[index]
        enough = min(RUN, street.length / 2)
        runs = False
        for piece in _parts(street.intersection(beside)):
            if piece.geom_type != "LineString":
                continue
            first, last = (shapely.Point(piece.coords[end]) for end in (0, -1))
            went = abs(line.project(first) - line.project(last))
            # A street that crosses is beside the line too, but goes nowhere along it.
            if went >= enough and went >= piece.length / 2:
                runs = True
                yield _piece(network, link, piece)
        if not runs:
            for crossing in _parts(street.intersection(line)):
                metres = float(street.project(crossing.centroid))
                if CORNER <= metres <= street.length - CORNER:
                    yield _spot(network, link, metres)


def _inside(network: StreetNetwork, area: shapely.Polygon) -> Iterator[Stretch]:
    touched = network.tree.query(area, predicate="intersects")
    shapely.prepare(area)
    whole = shapely.contains_properly(area, network.lines[touched])
    for index in touched[whole]:
        yield Stretch(int(index), 0.0, 1.0)
    for index in touched[~whole]:
        for piece in _parts(network.lines[index].intersection(area)):
            if piece.geom_type == "LineString":
                yield _piece(network, int(index), piece)
            elif piece.geom_type == "Point":
                at = float(network.lines[index].project(piece, normalized=True))
                yield Stretch(int(index), at, at)


def _piece(network: StreetNetwork, link: int, piece: shapely.LineString) -> Stretch:
    """From its first to its last position; both lie on the link."""
    street = network.lines[link]
    ends = [float(street.project(shapely.Point(piece.coords[end]), normalized=True)) for end in (0, -1)]
    if street.is_ring and piece.length > street.length * 0.99:
        return Stretch(link, 0.0, 1.0)
    return Stretch(link, min(ends), max(ends))
