"""How likely two tellings are of one thing: an open sum of points, each part of it shown.

Record linkage as Fellegi and Sunter have it: each part gives points for or against (natural log-odds), the sum is a
chance between 0 and 1, and what is not known gives none. Distance and time are counted in the type's own duplicate
window, because ten minutes are long for a crash and nothing for a fallen tree.

Points of distance, time, type and channel are fitted to a real log (`./vigia bench duplicates FILE --fit`;
docs/duplicates.md has the curve). That log has neither words nor telephones: theirs are judged, and kept small.
Pure: metres in a straight line, seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

START = 0.1
NEAR: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, -0.8), (2.0, -1.4), (3.3, -2.1), (5.3, -2.9), (10.0, -4.2))
SOON: tuple[tuple[float, float], ...] = ((0.0, 0.0), (0.7, 0.0), (2.0, -0.4), (4.0, -0.8), (8.0, -1.6), (24.0, -3.5))
TYPE: Mapping[str, float] = {"same": 0.6, "family": 0.0, "other": -2.5}
STILL_OPEN = 1.3
CHANNEL: Mapping[str, float] = {"radio": -1.4, "camera": -1.4, "panic_button": -0.4}
WORDS = (-0.3, 1.5)  # where none is shared, and where all are
CALLER = 1.5


@dataclass(frozen=True, slots=True)
class Part:
    """One part: the fact, and the points that it gives; None where it is not known."""

    value: Any
    points: float | None

    def shown(self) -> dict[str, Any]:
        """As answers carry it."""
        return {"value": self.value, "points": None if self.points is None else round(self.points, 2)}


@dataclass(frozen=True, slots=True)
class Likeness:
    """The chance that it is the same, from 0 to 1, and the parts that it is the sum of."""

    chance: float
    parts: dict[str, Part]


def likeness(
    *,
    metres: float,
    seconds: float,
    window: Mapping[str, int],
    type_is: str | None,
    channel: str = "phone",
    still_open: bool = True,
    words: Sequence[str] | None = None,
    share: float = 0.0,
    same_caller: bool = False,
) -> Likeness:
    """Weigh what is known of two tellings.

    `window` is the type's duplicate window (metres, seconds), `type_is` is `same`, `family`, `other` or None, `words`
    are those that both used and `share` how many of the fewer words they are (None: somebody said nothing). That
    another telephone called says nothing, because most duplicates come from different people.
    """
    parts = {
        "start": Part(None, START + STILL_OPEN * still_open),
        "metres": Part(round(metres), between(NEAR, metres / window["metres"])),
        "minutes": Part(round(seconds / 60), between(SOON, abs(seconds) / window["seconds"])),
        "type": Part(type_is, TYPE.get(type_is or "")),
        "channel": Part(channel, CHANNEL.get(channel, 0.0)),
        "words": Part(" ".join(words or ()), None if words is None else WORDS[0] + (WORDS[1] - WORDS[0]) * share),
        "caller": Part(same_caller, CALLER if same_caller else None),
    }
    return Likeness(chance_of(sum(part.points or 0.0 for part in parts.values())), parts)


def chance_of(points: float) -> float:
    """Log-odds as a chance."""
    return 1.0 / (1.0 + math.exp(-points))


def between(curve: Sequence[tuple[float, float]], at: float) -> float:
    """The points of a curve of straight pieces; beyond its last knot it goes on falling as it did."""
    before = curve[0]
    for knot in curve[1:]:
        if at <= knot[0] or knot is curve[-1]:
            (x0, y0), (x1, y1) = before, knot
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
        before = knot
    return before[1]
