"""What a track of fixes tells about the streets it followed: how fast it went on each class of them.

A fix belongs to the street next to it. Between two fixes on the same street, some way apart, the time counts in full,
with the red lights in it; where a fix is missing, or the street changes, nothing is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from geo.drives import Drive
from geo.ground import felt
from geo.network import StreetNetwork
from geo.places import haversine
from geo.speeds import Flow

BESIDE = 35.0  # metres from a street within which a fix is on it
APART = 40.0  # metres between two fixes that tell a speed: several times the noise of GPS
SILENCE = 30.0  # seconds without a fix after which nobody knows where it went
SLOWEST, FASTEST = 2.0, 200.0  # km/h; slower is standing somewhere, faster is an error
LEAST_METRES = 150.0  # of a class in a journey, to tell anything about it


@dataclass(frozen=True, slots=True)
class Sighting:
    """A fix: degrees, and seconds on any clock."""

    lon: float
    lat: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Driven:
    """What a track tells of one class of street."""

    kind: str
    metres: float
    seconds: float
    expected_seconds: float


def driven(network: StreetNetwork, track: Sequence[Sighting], drive: Drive, flow: Flow) -> list[Driven]:
    """Metres and seconds by class of street, and the seconds that such a drive would have been expected to take."""
    if len(track) < 2:
        return []
    spots = network.flat(shapely.points([(one.lon, one.lat) for one in track]))
    rows, links = network.tree.query_nearest(spots, max_distance=BESIDE, all_matches=False)
    on = np.full(len(track), -1, dtype=np.int64)
    on[rows] = links
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    since = 0
    for n in range(1, len(track)):
        if track[n].seconds - track[n - 1].seconds > SILENCE or not _same_street(network, int(on[since]), int(on[n])):
            since = n
            continue
        far = haversine(track[since].lon, track[since].lat, track[n].lon, track[n].lat)
        if far < APART:
            continue
        took = track[n].seconds - track[since].seconds
        if took > 0 and SLOWEST <= far / took * 3.6 <= FASTEST:
            kind = network.kinds[network.kind[on[n]]]
            kmh = float(network.kmh[on[n]]) * felt(flow.get(kind, 1.0), drive) * drive.pace
            for total, more in enumerate((far, took, far / kmh * 3.6)):
                sums[kind][total] += more
        since = n
    return [Driven(kind, *totals) for kind, totals in sorted(sums.items()) if totals[0] >= LEAST_METRES]


def _same_street(network: StreetNetwork, one: int, other: int) -> bool:
    """Whether two links are the same street of the same class: without a corner between them."""
    if one < 0 or other < 0:
        return False
    alike = network.kind[one] == network.kind[other] and network.names[one] == network.names[other]
    return one == other or bool(alike and network.names[one])
