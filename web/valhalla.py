"""An optional second opinion: a Valhalla beside us, asked over HTTP through the same interface as our own router.

It drives as a civilian who dislikes turning, and knows none of our closures but those it is told; so it answers
benchmarks and comparisons, never a dispatch. When it is slow or away it is left alone for a while.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx2
import numpy as np
import shapely

from geo.drives import Drive
from geo.network import Floats
from geo.places import BadGeometry, Point, parse_geometry
from geo.routes import Route, Step, TurnWord
from geo.travel import NO_POSITION, Eta, NoWay

PATIENCE = 5.0  # seconds for one answer
FAILURES, REST = 3, 30.0  # after so many in a row it is not asked for so many seconds

# Valhalla's kinds of manoeuvres, in our words: the numbers of its `DirectionsLeg_Maneuver_Type`.
_TURNS: dict[int, TurnWord] = {
    **dict.fromkeys((1, 2, 3), TurnWord.START),
    **dict.fromkeys((9, 18, 20, 23), TurnWord.SLIGHT_RIGHT),
    **dict.fromkeys((10, 11), TurnWord.RIGHT),
    **dict.fromkeys((12, 13), TurnWord.U_TURN),
    **dict.fromkeys((14, 15), TurnWord.LEFT),
    **dict.fromkeys((16, 19, 21, 24), TurnWord.SLIGHT_LEFT),
}


class ValhallaAway(Exception):
    """Valhalla does not answer, or was left alone because it did not."""


class Valhalla:
    """A Valhalla service. Closes with `close`; may be asked from several threads."""

    def __init__(self, url: str, *, patience: float = PATIENCE, clock: Any = time.monotonic) -> None:
        self._client = httpx2.Client(base_url=url, timeout=patience)
        self._clock = clock
        self._failures = 0
        self._rests_until = 0.0

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def status(self) -> None:
        """Whether it answers at all. Raises `ValhallaAway`."""
        try:
            self._client.get("/status").raise_for_status()
        except httpx2.HTTPError as error:
            raise ValhallaAway from error

    def etas(self, origins: Sequence[tuple[Point | None, Drive]], to: Point) -> list[Eta]:
        """As `Travel.etas`, in one request. Of a drive it takes only its pace. Raises `ValhallaAway`."""
        known = [(n, place, drive) for n, (place, drive) in enumerate(origins) if place is not None]
        found = [NO_POSITION] * len(origins)
        if known:
            seconds, metres = self._matrix([place for _, place, _ in known], [to])
            for (n, _, drive), took, far in zip(known, seconds[:, 0], metres[:, 0], strict=True):
                found[n] = (
                    Eta(round(float(took) / drive.pace, 1), round(float(far), 1), "road")
                    if np.isfinite(took)
                    else Eta(None, None, "unreachable", None, "no_way")
                )
        return found

    def matrix(self, origins: Sequence[Point], destinations: Sequence[Point], drive: Drive) -> tuple[Floats, Floats]:
        """As `Travel.matrix`. Raises `ValhallaAway`."""
        seconds, metres = self._matrix(origins, destinations)
        return seconds / drive.pace, metres

    def _matrix(self, origins: Sequence[Point], destinations: Sequence[Point]) -> tuple[Floats, Floats]:
        body = {"sources": _places(origins), "targets": _places(destinations), "costing": "auto", "verbose": False}
        answer = self._ask("/sources_to_targets", body)
        if answer is None:
            shape = (len(origins), len(destinations))
            return np.full(shape, np.inf), np.full(shape, np.nan)
        table = answer["sources_to_targets"]
        seconds = np.array(table["durations"], dtype=np.float64)
        metres = np.array(table["distances"], dtype=np.float64) * 1000
        return np.where(np.isnan(seconds), np.inf, seconds), metres

    def route(self, start: Point, end: Point, drive: Drive) -> Route:
        """As `Travel.route`. Raises `NoWay` or `ValhallaAway`."""
        body = {"locations": _places([start, end]), "costing": "auto", "language": "es-ES"}
        answer = self._ask("/route", body)
        if answer is None:
            raise NoWay
        (leg,) = answer["trip"]["legs"]
        line = _decoded(leg["shape"])
        seconds, metres = [0.0] * len(line), [0.0] * len(line)
        steps = []
        for one in leg["maneuvers"]:
            first, last = one["begin_shape_index"], one["end_shape_index"]
            took, far = one["time"] / drive.pace, one["length"] * 1000
            for n in range(first + 1, last + 1):  # evenly: it tells no more
                share = (n - first) / (last - first)
                seconds[n], metres[n] = seconds[first] + took * share, metres[first] + far * share
            if far > 0:
                street = next(iter(one.get("street_names", [])), None)
                turn = _TURNS.get(one["type"], TurnWord.STRAIGHT)
                steps.append(Step(turn, street, far, took, line[first], against=False))
        return Route(tuple(line), tuple(seconds), tuple(metres), tuple(steps))

    def isochrones(self, origin: Point, minutes: Sequence[float]) -> list[shapely.Geometry]:
        """The areas reached within each number of minutes. Raises `ValhallaAway`."""
        contours = [{"time": one} for one in minutes]
        body = {"locations": _places([origin]), "costing": "auto", "contours": contours, "polygons": True}
        answer = self._ask("/isochrone", body) or {"features": []}
        areas = frozenset({"Polygon", "MultiPolygon"})
        try:
            return [parse_geometry(one["geometry"], areas, max_vertices=20_000) for one in answer["features"]]
        except BadGeometry as bad:
            raise ValhallaAway from bad

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        """Its answer; None where it knows no way."""
        if self._clock() < self._rests_until:
            raise ValhallaAway
        try:
            answer = self._client.post(path, json=body)
        except httpx2.HTTPError as error:
            self._failed()
            raise ValhallaAway from error
        if answer.status_code == 400:
            self._failures = 0
            return None
        if answer.status_code != 200:
            self._failed()
            raise ValhallaAway
        self._failures = 0
        return answer.json()

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._failures, self._rests_until = 0, self._clock() + REST


def _places(places: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lon": place.x, "lat": place.y} for place in places]


def _decoded(line: str) -> list[tuple[float, float]]:
    """Google's encoded polyline with six decimals."""
    numbers, number, shift = [], 0, 0
    for symbol in line:
        bits = ord(symbol) - 63
        number |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            numbers.append(~(number >> 1) if number & 1 else number >> 1)
            number = shift = 0
    lats, lons = np.cumsum(numbers[0::2]) / 1e6, np.cumsum(numbers[1::2]) / 1e6
    return [(float(lon), float(lat)) for lon, lat in zip(lons, lats, strict=True)]
