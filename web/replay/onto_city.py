"""Laying a log over a city: its box stretched onto the city's, and every place moved to the nearest street."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from geo.network import NoStreetNear, StreetNetwork
from geo.places import metres, point
from geo.streets import place_words
from web.replay.log import Position

Box = tuple[float, float, float, float]  # west, south, east, north
REACH = 20_000.0  # metres: a place that falls into the sea goes to the nearest street of the shore
AROUND = 120.0  # metres in which streets are looked for to name a place


@dataclass(slots=True)
class Laying:
    """The log's box, the city's, and the city's streets when it has any."""

    log: Box
    city: Box
    streets: StreetNetwork | None
    moved: list[float] = field(default_factory=list)

    def place(self, position: Position) -> tuple[Position, str]:
        """Where a place of the log comes to lie, and its words (empty without streets)."""
        shares = [(position[axis] - self.log[axis]) / ((self.log[axis + 2] - self.log[axis]) or 1.0) for axis in (0, 1)]
        there = point(
            self.city[0] + shares[0] * (self.city[2] - self.city[0]),
            self.city[1] + shares[1] * (self.city[3] - self.city[1]),
        )
        words = ""
        if self.streets is not None:
            try:
                snap = self.streets.snap(there, REACH)
                self.moved.append(snap.metres)
                there = point(*snap.place)
            except NoStreetNear:
                pass
            words = place_words(self.streets.links_near(there, AROUND), there, None).place
        return (round(there.x, 7), round(there.y, 7)), words[:200]

    def sizes(self) -> tuple[str, str, str, str]:
        """Kilometres from west to east and from south to north: of the log, and of the city."""
        return (*_size(self.log), *_size(self.city))


def box_of(positions: Sequence[Position]) -> Box | None:
    """The box around all places; None without any."""
    if not positions:
        return None
    xs, ys = [x for x, _ in positions], [y for _, y in positions]
    return min(xs), min(ys), max(xs), max(ys)


def _size(box: Box) -> tuple[str, str]:
    middle = (box[1] + box[3]) / 2
    wide = metres(point(box[0], middle), point(box[2], middle)) / 1000
    return f"{wide:.1f}", f"{metres(point(box[0], box[1]), point(box[0], box[3])) / 1000:.1f}"
