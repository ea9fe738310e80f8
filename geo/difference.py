"""Two editions of the same data: which thing of the new one is which of the old, and what changed about it.

A thing is the one with its key. Of things that share a key (flood zones named "2") the nearest shapes are one; what is
left without a partner but lies where an old thing lies was renamed. So ids stay, and with them what hangs on them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from geo.places import METRES_PER_DEGREE, metres, square_metres

SAME_PLACE = 0.8  # of the area of both together; less in common, and it is another zone
SAME_POINT = 30.0  # metres; the other corner of the same building
OVERLAPPING = 0.3  # things of one name with less in common are two things
NEIGHBOUR = 300.0  # metres between points of one name that may still be one
NOISE = 0.5  # metres; what another program rounds away


@dataclass(frozen=True, slots=True)
class Thing:
    """A zone, facility or closure of one edition. Several may share a key."""

    key: str
    name: str
    shape: BaseGeometry
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """An old thing and its successor, as positions in their lists; one of them is None when it is new or gone."""

    old: int | None
    new: int | None


def key_of(name: str) -> str:
    """A name as a key: no accents, no case, no stray signs."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return " ".join(re.findall(r"[a-z0-9]+", plain)) or name.strip().casefold()


def pairs(old: Sequence[Thing], new: Sequence[Thing]) -> list[Pair]:
    """Who is who, in the order of `new`, with what is gone at the end."""
    partner: dict[int, int] = {}
    by_key: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, things in enumerate((old, new)):
        for index, thing in enumerate(things):
            by_key[thing.key][side].append(index)
    for ours, theirs in by_key.values():
        if len(ours) == len(theirs) == 1:
            partner[theirs[0]] = ours[0]
        elif ours and theirs:
            partner |= _nearest(old, new, ours, theirs, OVERLAPPING, NEIGHBOUR)
            partner |= _moved_a_little(old, new, ours, theirs, partner)
    left = [index for index in range(len(old)) if index not in partner.values()]
    fresh = [index for index in range(len(new)) if index not in partner]
    partner |= _nearest(old, new, left, fresh, SAME_PLACE, SAME_POINT)
    gone = [Pair(index, None) for index in range(len(old)) if index not in partner.values()]
    return [Pair(partner.get(index), index) for index in range(len(new))] + gone


def _nearest(
    old: Sequence[Thing],
    new: Sequence[Thing],
    ours: Sequence[int],
    theirs: Sequence[int],
    least: float,
    within: float,
) -> dict[int, int]:
    """Partners by shape, the surest first: in common at least so much, or within so many metres."""
    if not ours or not theirs:
        return {}
    index = shapely.STRtree([old[one].shape for one in ours])
    reach = within / METRES_PER_DEGREE / 0.3  # degrees of longitude are shorter, even far from the equator
    sure: list[tuple[float, int, int]] = []
    for other in theirs:
        shape = new[other].shape
        for found in index.query(shape.buffer(reach) if isinstance(shape, shapely.Point) else shape):
            closeness = _closeness(old[ours[found]].shape, shape, least, within)
            if closeness is not None:
                sure.append((-closeness, ours[found], other))
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, other in sorted(sure):
        if one not in taken and other not in partner:
            partner[other] = one
            taken.add(one)
    return partner


def _moved_a_little(
    old: Sequence[Thing], new: Sequence[Thing], ours: Sequence[int], theirs: Sequence[int], partner: dict[int, int]
) -> dict[int, int]:
    """Of one name, whose shapes have little in common but whose middles are neighbours."""
    taken = set(partner.values())
    apart = sorted(
        (metres(old[one].shape.centroid, new[other].shape.centroid), one, other)
        for one in ours
        for other in theirs
        if one not in taken and other not in partner
    )
    found: dict[int, int] = {}
    for distance, one, other in apart:
        if distance < NEIGHBOUR and one not in found.values() and other not in found:
            found[other] = one
    return found


def _closeness(one: BaseGeometry, other: BaseGeometry, least: float, within: float) -> float | None:
    """Between 0 and 1, or None where they are no match."""
    if isinstance(one, shapely.Point) and isinstance(other, shapely.Point):
        apart = metres(one, other)
        return 1 - apart / within if apart < within else None
    if one.area and other.area:
        common = one.intersection(other).area
        share = common / (one.area + other.area - common)
        return share if share >= least else None
    apart = float(one.hausdorff_distance(other)) * METRES_PER_DEGREE
    return 1 - apart / within if apart < within else None


@dataclass(frozen=True, slots=True)
class Move:
    """How a shape changed: metres between the middles, and hectares more or less."""

    metres: float
    hectares: float


def moved(one: BaseGeometry, other: BaseGeometry) -> Move | None:
    """What changed between two shapes; None where it is no more than rounding."""
    if shapely.equals_exact(one, other, 0.0, normalize=True):
        return None
    if float(one.hausdorff_distance(other)) * METRES_PER_DEGREE < NOISE:
        return None
    return Move(metres(one.centroid, other.centroid), (square_metres(other) - square_metres(one)) / 10_000)


def unique_keys(keys: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The keys, each once: the second of a name becomes `name~2`."""
    used = set(taken)
    found = []
    for key in keys:
        name, number = key, 1
        while name in used:
            number += 1
            name = f"{key}~{number}"
        used.add(name)
        found.append(name)
    return found


def base_key(key: str) -> str:
    """The key without its number."""
    return re.sub(r"~\d+$", "", key)
