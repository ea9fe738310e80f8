"""The neighbours of the demo city: what they report, when, from where, and how often two tell of the same."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import shapely

from geo.network import StreetNetwork
from geo.places import Point, Position, haversine, point
from geo.streets import StreetKind, place_words
from web.demo.coquimbo import CensusZone
from web.demo.names import FIRST_NAMES, LAST_NAMES
from web.demo.stories import NOTHING, STORIES, Story, by_code
from web.demo.world import Act, World, demo_id

DESK = "sim-recepcion"

EVERY_SECONDS = 50.0  # between two calls at an even hour: what a city of 450,000 gives its emergency number
# How busy each hour is: quiet before dawn, up through the day, busiest in the evening.
BY_HOUR = (
    *(0.8, 0.6, 0.5, 0.4, 0.35, 0.35, 0.45, 0.7, 0.9, 1.0, 1.0, 1.1),
    *(1.2, 1.1, 1.0, 1.0, 1.1, 1.2, 1.3, 1.4, 1.4, 1.3, 1.2, 1.0),
)
NOTHING_SHARE = 0.12  # of all calls; in a real room about half, but a demo of hoaxes shows little
MOST_OPEN = 30  # incidents and waiting reports: as many as forty units and a desk can turn over
CLOSE_BY = 900.0  # metres; a drive of a minute or two
PLACED_SHARE = 0.85  # how often a report comes with a place on the map

CHANNELS = (("phone", 60), ("web", 14), ("app", 9), ("radio", 6), ("camera", 4), ("agency", 4), ("panic_button", 3))
# A newcomer must see a city at work at once: what is under way when the curtain rises.
OPENING = ("SIN-01", "INC-03", "SAN-01", "SEG-05", "MET-01", "SIN-02", "CON-01", "ANI-01")
STREETS = frozenset({StreetKind.RESIDENTIAL, StreetKind.TERTIARY, StreetKind.SECONDARY, StreetKind.PRIMARY})


@dataclass(order=True)
class Call:
    """A call that is going to come."""

    due: float
    code: str = field(compare=False)
    place: Point | None = field(compare=False, default=None)
    words: str = field(compare=False, default="")


class Neighbours:
    """Makes reports. Times are seconds of the simulation's own clock."""

    def __init__(self, rng: random.Random, network: StreetNetwork, zones: list[CensusZone]) -> None:
        """People live where the census says, along streets with names."""
        self._rng = rng
        self._network = network
        self._links, self._weights = _addresses(network, zones)
        self._waiting: list[Call] = []
        self._next = 0.0
        self.told_at: dict[str, Position] = {}  # where it really is, for the desk that asks back

    def open_the_day(self, now: float, bases: Sequence[Position]) -> None:
        """Let a few things happen at once, not far from where units stand."""
        for number, code in enumerate(OPENING):
            place = next(
                (spot for _ in range(300) if _near(spot := self._somewhere(), bases) < CLOSE_BY), self._somewhere()
            )
            self._waiting.append(Call(now + 1 + 2.0 * number, code, place))

    def acts(self, now: float, world: World, hour: int) -> list[Act]:
        """The reports that are due."""
        load = (len(world.incidents()) + len(world.reports())) / MOST_OPEN
        if now >= self._next:
            # A city that has all hands full calls less: the simulation must not drown those who play with it.
            pace = BY_HOUR[hour] * max(0.05, 1 - load)
            if self._next and load < 1:
                self._waiting.append(Call(now, self._choose(hour)))
            self._next = now + self._rng.expovariate(pace / EVERY_SECONDS)
        due = sorted(call for call in self._waiting if call.due <= now)
        self._waiting = [call for call in self._waiting if call.due > now]
        return [self._report(call) for call in due]

    def _choose(self, hour: int) -> str:
        if self._rng.random() < NOTHING_SHARE:
            return self._rng.choice(list(NOTHING))
        dark = hour >= 21 or hour < 6
        weights = [story.weight * (story.night if dark else 1.0) for story in STORIES]
        return self._rng.choices(STORIES, weights)[0].code

    def _report(self, call: Call) -> Act:
        story = by_code().get(call.code)
        place = call.place or self._somewhere()
        where = self._words(place)
        told = [words for words in (story.told if story else NOTHING[call.code]) if words != call.words]
        words = self._rng.choice(told)
        if story and call.place is None and self._rng.random() < story.echo:
            self._echo(call, story, place, words)
        id_ = demo_id(self._rng)
        body: dict[str, Any] = {"id": str(id_), "channel": self._channel(call.code)}
        body |= {"words": words.format(place=where), "place": where}
        if self._rng.random() < PLACED_SHARE or body["channel"] in {"app", "camera", "panic_button"}:
            body["location"] = {"type": "Point", "coordinates": [place.x, place.y]}
        if story and body["channel"] in {"web", "app"} and self._rng.random() < 0.6:
            body["type_hint"] = story.code
        if body["channel"] in {"phone", "web", "app"} and self._rng.random() < 0.7 and call.code != "silent":
            body["contact"] = {"name": self._name(), "phone": f"+54 9 341 555-{self._rng.randrange(10_000):04d}"}
        self._remember(id_, place)
        return Act(DESK, "/reports", body, about=f"report:{id_}")

    def _echo(self, call: Call, story: Story, place: Point, words: str) -> None:
        """Others see the same: from a few steps away, a little later, in other words."""
        for _ in range(1 + (self._rng.random() < 0.35)):
            near = point(place.x + self._rng.gauss(0, 0.0002), place.y + self._rng.gauss(0, 0.0002))
            self._waiting.append(Call(call.due + self._rng.uniform(15, 150), story.code, near, words))

    def _channel(self, code: str) -> str:
        if code == "SEG-06":
            return self._rng.choice(["panic_button", "phone"])
        names = [name for name, _ in CHANNELS if name != "panic_button"]
        weights = [weight for name, weight in CHANNELS if name != "panic_button"]
        return "phone" if code in NOTHING else self._rng.choices(names, weights)[0]

    def _name(self) -> str:
        return f"{self._rng.choice(FIRST_NAMES)} {self._rng.choice(LAST_NAMES)}"

    def _somewhere(self) -> Point:
        link = self._network.link(self._rng.choices(self._links, cum_weights=self._weights)[0])
        spot = link.shape.interpolate(self._rng.random(), normalized=True)
        return point(spot.x + self._rng.gauss(0, 4e-5), spot.y + self._rng.gauss(0, 4e-5))

    def _words(self, place: Point) -> str:
        return place_words(self._network.links_near(place, 300), place, None).place

    def _remember(self, id_: UUID, place: Point) -> None:
        self.told_at[str(id_)] = (place.x, place.y)
        if len(self.told_at) > 500:
            del self.told_at[next(iter(self.told_at))]


def _near(place: Point, bases: Sequence[Position]) -> float:
    return min((haversine(place.x, place.y, *base) for base in bases), default=math.inf)


def _addresses(network: StreetNetwork, zones: list[CensusZone]) -> tuple[list[int], list[float]]:
    """Links where people live, and the running sum of how many: a zone's people spread over its streets' length."""
    lived_in = [
        index
        for index, name in enumerate(network.names)
        if name and network.kinds[network.kind[index]] in STREETS and network.well_connected(index)
    ]
    middles = network.rounded(shapely.line_interpolate_point(network.lines[lived_in], 0.5, normalized=True))
    in_zone = dict(shapely.STRtree([zone.shape for zone in zones]).query(middles, predicate="within").T.tolist())
    length = network.metres[lived_in]
    total = np.zeros(len(zones))
    for link, zone in in_zone.items():
        total[zone] += length[link]
    people = [
        zones[in_zone[link]].population * length[link] / total[in_zone[link]] if link in in_zone else 0.0
        for link in range(len(lived_in))
    ]
    return lived_in, [float(count) for count in np.cumsum(people)]
