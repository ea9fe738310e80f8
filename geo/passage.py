"""Passage: from the fixes of one thing that moves to entered, dwelled, exited, crossed. Times are the fixes' own.

GPS wanders: a van parked at a fence would enter and leave it all day. So a side is believed when a fix is deeper in
it than the fix may be wrong, or when several in a row say the same; and a line is crossed when what crossed it is
clear of it, on the other side, however often it wavered in between.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.places import METRES_PER_DEGREE

USUAL_ERROR = 15.0  # metres, where a device does not say
LEAST_ERROR, MOST_ERROR = 8.0, 100.0  # metres; phones promise three and hold ten
GOOD, FAIR = 25.0, 50.0  # metres of error: good enough for a small fence, good enough to count at all
TIMES, SECONDS = 3, 10.0  # so many fixes in a row inside, or two of them so far apart
FAR_OUT = 2.5  # times the error: one fix is enough to say that it left
SURE_TIMES, SURE_SECONDS = 3, 4.0  # fixes in a row, and seconds, outside by more than the error
LINGERING, TIMES_OUTSIDE = 60.0, 6  # seconds and fixes just outside, which errors are too for a while
SILENCE = dt.timedelta(minutes=5)  # without a fix for longer, what happened in between is not known
FINE = 2_000  # vertices; a shape with more is simplified by less than GPS can tell
SIMPLER = 2.0  # metres


class What(StrEnum):
    """What happened at a fence."""

    ENTERED = "entered"
    DWELLED = "dwelled"
    EXITED = "exited"
    CROSSED = "crossed"


class Direction(StrEnum):
    """Over a line, as one sees it who walks along it the way it was drawn."""

    LEFT_TO_RIGHT = "left_to_right"
    RIGHT_TO_LEFT = "right_to_left"


@dataclass(frozen=True, slots=True)
class Sight:
    """A fix that is believed: where, when, and by how many metres it may be wrong."""

    lon: float
    lat: float
    at: dt.datetime
    accuracy_m: float | None = None

    @property
    def error(self) -> float:
        """Metres by which it may be wrong."""
        said = USUAL_ERROR if self.accuracy_m is None else self.accuracy_m
        return min(max(said, LEAST_ERROR), MOST_ERROR)


@dataclass(frozen=True, slots=True)
class Passage:
    """Something that happened at a fence. `unseen` is how long nothing had been heard before it, when that was long.

    `already_there`: it was inside when we began to look, so when it came is not known.
    """

    what: What
    at: dt.datetime
    unseen: dt.timedelta | None = None
    already_there: bool = False
    direction: Direction | None = None


@dataclass(slots=True)
class Standing:
    """How something stands to one fence. A blank one need not be kept."""

    since: dt.datetime | None = None  # inside since then
    dwelled: bool = False
    doubts: int = 0  # fixes in a row that say the other side and are not believed yet …
    doubted_since: dt.datetime | None = None  # … and the first of them
    sure: int = 0  # of them those, in a row, that say it by more than they may be wrong
    net: int = 0  # times over the line from left to right less those back, since it was last clear of it
    crossed_at: dt.datetime | None = None

    @property
    def inside(self) -> bool:
        """Whether it is inside."""
        return self.since is not None

    @property
    def blank(self) -> bool:
        """Whether there is nothing to remember."""
        return self.since is None and not self.doubts and not self.net

    def settle(self) -> None:
        """Forget what was doubtful."""
        self.doubts, self.doubted_since, self.sure = 0, None, 0


class Ground:
    """The shape of a fence, laid flat in metres around its middle: right to a thousandth within a city."""

    def __init__(self, shape: BaseGeometry) -> None:
        """`shape` is an area or a line in WGS 84."""
        middle = shape.centroid
        self._west, self._south = middle.x, middle.y
        self._tall = METRES_PER_DEGREE
        self._wide = METRES_PER_DEGREE * math.cos(math.radians(middle.y))
        flat = shapely.transform(shape, self._flat)
        if shapely.get_num_coordinates(flat) > FINE:
            flat = shapely.simplify(flat, SIMPLER)
        self.is_line = flat.geom_type.endswith("LineString")
        self._shape = flat
        self._border = flat if self.is_line else flat.boundary
        shapely.prepare(self._shape)
        # A quarter of a strip's width: in a narrow fence nothing is ever as deep as GPS may be wrong.
        self.slack = 0.0 if self.is_line else float(flat.area / (2 * flat.length))
        lines = flat.geoms if flat.geom_type == "MultiLineString" else [flat]
        self._sides = [side for line in lines for side in pairwise(line.coords)] if self.is_line else []

    def _flat(self, degrees: np.ndarray) -> np.ndarray:
        return np.column_stack(((degrees[:, 0] - self._west) * self._wide, (degrees[:, 1] - self._south) * self._tall))

    def _at(self, sight: Sight) -> tuple[float, float]:
        return (sight.lon - self._west) * self._wide, (sight.lat - self._south) * self._tall

    def depth(self, sight: Sight) -> float:
        """Metres inside the area, negative outside; for a line the distance from it, always negative or zero."""
        here = shapely.Point(self._at(sight))
        away = float(self._border.distance(here))
        return away if not self.is_line and self._shape.covers(here) else -away

    def crossings(self, one: Sight, other: Sight) -> int:
        """How often the straight way from one to the other goes over the line from left to right, less those back."""
        start, end = self._at(one), self._at(other)
        return sum(_over(start, end, first, second) for first, second in self._sides)


def _left(first: tuple[float, ...], second: tuple[float, ...], place: tuple[float, ...]) -> bool:
    """Half-open, so that a way through the very end of one piece of a line crosses it or the next, never both."""
    return (second[0] - first[0]) * (place[1] - first[1]) - (second[1] - first[1]) * (place[0] - first[0]) > 0


def _over(
    start: tuple[float, float], end: tuple[float, float], first: tuple[float, ...], second: tuple[float, ...]
) -> int:
    before, after = _left(first, second, start), _left(first, second, end)
    if before == after or _left(start, end, first) == _left(start, end, second):
        return 0
    return 1 if before else -1


def look(
    ground: Ground,
    standing: Standing,
    sight: Sight,
    before: Sight | None,
    *,
    watched_since: dt.datetime,
    dwell: dt.timedelta | None = None,
) -> list[Passage]:
    """What the next fix tells; `standing` is brought up to it. `before` is the last fix of the same thing, if any.

    A fix that is older than the last, or than the fence, tells nothing.
    """
    if sight.at < watched_since or (before is not None and sight.at <= before.at):
        return []
    fresh = before is None or before.at < watched_since
    unseen = sight.at - before.at if before is not None and not fresh else None
    unseen = unseen if unseen is not None and unseen > SILENCE else None
    if ground.is_line:
        return _look_at_line(ground, standing, sight, None if fresh else before, unseen)
    return _look_at_area(ground, standing, sight, unseen, fresh, dwell)


def _look_at_line(
    ground: Ground, standing: Standing, sight: Sight, before: Sight | None, unseen: dt.timedelta | None
) -> list[Passage]:
    if before is not None and (over := ground.crossings(before, sight)):
        standing.net += over
        standing.crossed_at = sight.at
    if not standing.net or -ground.depth(sight) < sight.error:
        return []
    direction = Direction.LEFT_TO_RIGHT if standing.net > 0 else Direction.RIGHT_TO_LEFT
    crossed = Passage(What.CROSSED, standing.crossed_at or sight.at, unseen, direction=direction)
    standing.net, standing.crossed_at = 0, None
    return [crossed]


def _look_at_area(
    ground: Ground,
    standing: Standing,
    sight: Sight,
    unseen: dt.timedelta | None,
    fresh: bool,
    dwell: dt.timedelta | None,
) -> list[Passage]:
    depth, error = ground.depth(sight), sight.error
    if unseen is not None:
        standing.settle()  # what was half believed then says nothing about now
    if standing.since is None:
        entered = _entered(ground, standing, sight, depth, fresh)
        if entered is None:
            return []
        standing.since, standing.dwelled = entered, False
        standing.settle()
        return [Passage(What.ENTERED, entered, unseen, already_there=fresh), *_dwelled(standing, sight, unseen, dwell)]
    left = _exited(standing, sight, depth)
    if left is not None:
        standing.since, standing.dwelled = None, False
        standing.settle()
        return [Passage(What.EXITED, left, unseen)]
    if depth > -error:
        return _dwelled(standing, sight, unseen, dwell)
    return []


def _entered(ground: Ground, standing: Standing, sight: Sight, depth: float, fresh: bool) -> dt.datetime | None:
    error = sight.error
    if depth >= error or (depth > 0 and depth >= ground.slack and error <= GOOD):
        return standing.doubted_since or sight.at
    if depth <= 0 or error > FAIR:
        standing.settle()
        return None
    standing.doubts += 1
    standing.doubted_since = standing.doubted_since or sight.at
    waited = (sight.at - standing.doubted_since).total_seconds()
    believed = fresh or standing.doubts >= TIMES or (standing.doubts > 1 and waited >= SECONDS)
    return standing.doubted_since if believed else None


def _exited(standing: Standing, sight: Sight, depth: float) -> dt.datetime | None:
    """One fix in a hundred is wrong by more than it admits, which a night in front of the gate has many of."""
    error = sight.error
    if depth > -error / 2:
        standing.settle()
        return None
    standing.doubts += 1
    standing.sure = standing.sure + 1 if depth <= -error else 0
    standing.doubted_since = standing.doubted_since or sight.at
    waited = (sight.at - standing.doubted_since).total_seconds()
    believed = (
        depth <= -error * FAR_OUT
        or (standing.sure >= SURE_TIMES and waited >= SURE_SECONDS)
        or (standing.doubts >= TIMES_OUTSIDE and waited >= LINGERING)
    )
    return standing.doubted_since if believed else None


def _dwelled(
    standing: Standing, sight: Sight, unseen: dt.timedelta | None, dwell: dt.timedelta | None
) -> list[Passage]:
    if dwell is None or standing.dwelled or standing.since is None or sight.at - standing.since < dwell:
        return []
    standing.dwelled = True
    return [Passage(What.DWELLED, standing.since + dwell, unseen)]
