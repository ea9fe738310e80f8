"""Clusters: reports or incidents of one type, near each other in place and time, as one line with a counter.

Pure and deterministic. A cluster never grows beyond its own reach: its members lie within `metres` and `seconds` of its
first one, so that a street under water does not become the whole city.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from geo.places import Point, metres

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Spotted(Generic[Thing]):
    """Something of a type, at a place and a time. `kind` None: nobody said what it is."""

    thing: Thing
    kind: str | None
    place: Point
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Cluster(Generic[Thing]):
    """What belongs together, oldest first; the first is what the others are near to."""

    kind: str | None
    members: tuple[Spotted[Thing], ...]

    @property
    def first(self) -> Spotted[Thing]:
        """The oldest."""
        return self.members[0]


def clusters_of(spotted: Iterable[Spotted[Thing]], *, within: float, seconds: float) -> list[Cluster[Thing]]:
    """Everything in clusters, the largest first; each thing is in one. `within` is metres."""
    open_ones: list[list[Spotted[Thing]]] = []
    for one in sorted(spotted, key=lambda one: (one.at, one.place.x, one.place.y)):
        best = _nearest(open_ones, one, within, seconds)
        if best is None:
            open_ones.append([one])
        else:
            best.append(one)
    found = [Cluster(members[0].kind, tuple(members)) for members in open_ones]
    return sorted(found, key=lambda cluster: (-len(cluster.members), cluster.first.at))


def _nearest(
    open_ones: Sequence[list[Spotted[Thing]]], one: Spotted[Thing], within: float, seconds: float
) -> list[Spotted[Thing]] | None:
    reached = [
        (metres(members[0].place, one.place), n)
        for n, members in enumerate(open_ones)
        if members[0].kind == one.kind and (one.at - members[0].at).total_seconds() <= seconds
    ]
    near = [(far, n) for far, n in reached if far <= within]
    return open_ones[min(near)[1]] if near else None
