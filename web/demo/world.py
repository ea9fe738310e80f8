"""What the simulator knows of the city: what the feed tells a dispatcher, and what it has asked for itself."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from geo.barriers import Barrier
from geo.closures import SHAPES
from geo.places import Position, parse_geometry

Properties = Mapping[str, Any]

OVER = frozenset({"closed", "cancelled", "merged", "referred"})
ANSWER_SECONDS = 6.0  # real ones: by then an answer has come round through the feed, or the thing may be asked again
MARK = 0xD0D0  # how ids made here end, so that after a restart ours are told from people's


@dataclass(frozen=True, slots=True)
class Act:
    """One request to be made: by whom, where, what. `about` is the thing it is for.

    `hands_off`: not if a person did something with this incident lately.
    """

    who: str
    path: str
    body: dict[str, Any]
    about: str
    hands_off: str | None = None


def demo_id(rng: random.Random) -> UUID:
    """A UUIDv7 with our mark at its end."""
    stamp = time.time_ns() // 1_000_000 & (1 << 48) - 1
    number = stamp << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(46) << 16 | MARK
    return UUID(int=number)


def ours(id_: str) -> bool:
    """Whether the simulator made the thing with this id; one in 65,536 of other ids looks like it, harmlessly."""
    return id_.endswith(f"{MARK:04x}")


@dataclass
class World:
    """The features by subject, as the three-line rule of docs/api.md keeps them."""

    epoch: str = ""
    seq: int = 0
    features: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _asked: dict[str, float] = field(default_factory=dict)

    def replace(self, snapshot: Mapping[str, Any]) -> None:
        """Start again from a snapshot."""
        self.epoch, self.seq = str(snapshot["epoch"]), int(snapshot["seq"])
        self.features = {feature["properties"]["subject"]: feature for feature in snapshot["features"]}

    def follow(self, events: Mapping[str, Any]) -> None:
        """Take the lines that came since."""
        for line in events["lines"]:
            if line["feature"] is None:
                self.features.pop(line["subject"], None)
            else:
                self.features[line["subject"]] = line["feature"]
        self.seq = int(events["seq"])

    def awaits(self, about: str) -> bool:
        """Whether something was asked about this thing so lately that the answer may not have come round yet."""
        return self.clock() < self._asked.get(about, 0.0)

    def asked(self, about: str) -> None:
        """Something is being asked about this thing."""
        now = self.clock()
        self._asked[about] = now + ANSWER_SECONDS
        if len(self._asked) > 1000:
            self._asked = {thing: until for thing, until in self._asked.items() if until > now}

    def _of(self, kind: str) -> Iterator[tuple[Properties, Position | None]]:
        for subject, feature in self.features.items():
            if subject.startswith(kind):
                shape = feature["geometry"]
                yield feature["properties"], (tuple(shape["coordinates"]) if shape else None)

    def reports(self) -> list[tuple[Properties, Position | None]]:
        """The reports that wait for somebody."""
        return [one for one in self._of("report:") if one[0]["status"] == "received"]

    def incidents(self) -> list[tuple[Properties, Position]]:
        """The open incidents that we may know."""
        return [
            (properties, place)
            for properties, place in self._of("incident:")
            if place is not None and not properties["masked"] and properties["state"] not in OVER
        ]

    def incident(self, id_: str | None) -> tuple[Properties, Position] | None:
        """One incident, open or over."""
        feature = self.features.get(f"incident:{id_}")
        if feature is None or feature["geometry"] is None or feature["properties"]["masked"]:
            return None
        longitude, latitude = feature["geometry"]["coordinates"]
        return feature["properties"], (longitude, latitude)

    def alarms(self) -> list[Properties]:
        """The alarms that nobody has answered or put aside."""
        alarms = [one["properties"] for subject, one in self.features.items() if subject.startswith("alarm:")]
        return [one for one in alarms if one["state"] == "raised"]

    def units(self) -> dict[str, Properties]:
        """The units by id."""
        return {properties["id"]: properties for properties, _ in self._of("unit:")}

    def closures(self, at: dt.datetime) -> list[Barrier]:
        """What bars the way at a moment, in the order of its making."""
        found = []
        for subject, feature in sorted(self.features.items()):
            said = feature["properties"]
            if not subject.startswith("closure:") or dt.datetime.fromisoformat(said["valid_from"]) > at:
                continue
            if said["valid_until"] is None or dt.datetime.fromisoformat(said["valid_until"]) > at:
                shape = parse_geometry(feature["geometry"], SHAPES)
                found.append(Barrier(f"{said['id']}:{said['version']}", shape, frozenset(said["passable_by"])))
        return found

    @property
    def pace(self) -> float:
        """How fast the simulation shall run; 0 while it is paused, or where there is none."""
        switch = next((properties for properties, _ in self._of("simulation:")), None)
        return float(switch["speed"]) if switch and switch["running"] else 0.0
