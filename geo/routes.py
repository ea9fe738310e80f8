"""A drive as it is shown and told: its line with the clock running, and what to do street by street."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import shapely

from geo.network import StreetNetwork
from geo.places import Position

SLIGHT, SHARP, BACK = 30.0, 75.0, 160.0  # degrees from which a turn is no longer straight on, slight, or a turn at all
A_LOOK = 12.0  # metres of street from which its direction is judged


class TurnWord(StrEnum):
    """How one gets into the next street."""

    START = "start"
    STRAIGHT = "straight"
    SLIGHT_LEFT = "slight_left"
    LEFT = "left"
    SLIGHT_RIGHT = "slight_right"
    RIGHT = "right"
    U_TURN = "u_turn"


@dataclass(frozen=True, slots=True)
class Fix:
    """Where somebody is at an instant of a drive."""

    longitude: float
    latitude: float
    heading: float
    speed_kmh: float


@dataclass(frozen=True, slots=True)
class Step:
    """One street of a drive. `against` says that it is driven against its one-way sign."""

    turn: TurnWord
    street: str | None
    metres: float
    seconds: float
    place: Position
    against: bool


@dataclass(frozen=True)
class Route:
    """A drive: its line, and the seconds and metres from the start at each of the line's positions.

    `snap_metres` is what has to be gone on foot at both ends; `why` is said where the road ends before the place.
    """

    line: tuple[Position, ...]
    seconds_at: tuple[float, ...]
    metres_at: tuple[float, ...]
    steps: tuple[Step, ...]
    snap_metres: float = 0.0
    walk_seconds: float = 0.0
    why: str | None = None

    @property
    def streets(self) -> tuple[str, ...]:
        """The names along the way."""
        names = [step.street for step in self.steps if step.street]
        return tuple(name for n, name in enumerate(names) if n == 0 or name != names[n - 1])

    @property
    def seconds(self) -> float:
        """How long the drive takes."""
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


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of one link on a drive: the shares where it is joined and left, and the seconds that all of it takes."""

    link: int
    enter: float
    leave: float
    seconds: float
    against: bool


def drive_along(
    network: StreetNetwork, legs: Sequence[Leg], *, snap_metres: float, walk_seconds: float, why: str | None
) -> Route:
    """Put the legs together, with the clock running."""
    line: list[Position] = []
    seconds, metres = [0.0], [0.0]
    steps: list[Step] = []
    came: float | None = None
    for leg in legs:
        part = _part(network.lines[leg.link], leg.enter, leg.leave)
        if not line:
            line.append(network.round(*_spot(network.lines[leg.link], leg.enter)))
        length = max(float(network.metres[leg.link]), 1e-9)
        began_s, began_m = seconds[-1], metres[-1]
        for (x0, y0), (x1, y1) in pairwise(part):
            went = math.hypot(x1 - x0, y1 - y0)
            if went < 0.01:  # metres; two positions in one spot have no heading
                continue
            line.append(network.round(x1, y1))
            metres.append(metres[-1] + went)
            seconds.append(seconds[-1] + went / length * leg.seconds)
        if metres[-1] == began_m:
            continue
        heads, leaves = _heading(part), _heading(part[::-1])
        turn = _turn(came, heads)
        came = (leaves + 180) % 360
        name, took, went = network.names[leg.link], seconds[-1] - began_s, metres[-1] - began_m
        last = steps[-1] if steps else None
        if last and last.street == name and last.against == leg.against and turn in _STRAIGHT_ON:
            steps[-1] = Step(last.turn, name, last.metres + went, last.seconds + took, last.place, leg.against)
        else:
            steps.append(Step(turn, name, went, took, network.round(*part[0]), leg.against))
    if len(line) == 1:  # already there
        line, seconds, metres = line * 2, [0.0, 0.0], [0.0, 0.0]
    return Route(tuple(line), tuple(seconds), tuple(metres), tuple(steps), snap_metres, walk_seconds, why)


_STRAIGHT_ON = frozenset({TurnWord.STRAIGHT, TurnWord.SLIGHT_LEFT, TurnWord.SLIGHT_RIGHT})


def _turn(came: float | None, goes: float) -> TurnWord:
    """The word for a change from one heading to another (degrees)."""
    if came is None:
        return TurnWord.START
    turned = (goes - came + 180) % 360 - 180
    right = turned > 0
    if abs(turned) < SLIGHT:
        return TurnWord.STRAIGHT
    if abs(turned) < SHARP:
        return TurnWord.SLIGHT_RIGHT if right else TurnWord.SLIGHT_LEFT
    if abs(turned) < BACK:
        return TurnWord.RIGHT if right else TurnWord.LEFT
    return TurnWord.U_TURN


def _heading(positions: Sequence[Position]) -> float:
    """The direction in which a line sets out, degrees from north."""
    x0, y0 = positions[0]
    x, y = next((p for p in positions[1:] if math.hypot(p[0] - x0, p[1] - y0) >= A_LOOK), positions[-1])
    return math.degrees(math.atan2(x - x0, y - y0)) % 360


def _spot(line: shapely.LineString, share: float) -> Position:
    on = line.interpolate(share, normalized=True)
    return (on.x, on.y)


def _part(line: shapely.LineString, enter: float, leave: float) -> list[Position]:
    """The positions of a line from one share of it to another, backwards where `leave` is the smaller."""
    if enter == leave:
        return [_spot(line, enter)]
    low, high = sorted((enter, leave))
    if (low, high) == (0.0, 1.0):
        positions = [(p[0], p[1]) for p in line.coords]
    else:
        positions = [_spot(line, low), *_between(line, low, high), _spot(line, high)]
    return positions if enter < leave else positions[::-1]


def _between(line: shapely.LineString, low: float, high: float) -> Iterator[Position]:
    """The line's own positions between two shares. Counted along it, as a loop passes a spot twice."""
    went = 0.0
    for (x0, y0), (x1, y1) in pairwise(line.coords):
        went += math.hypot(x1 - x0, y1 - y0)
        if low * line.length < went < high * line.length:
            yield (x1, y1)
