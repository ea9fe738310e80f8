"""What the units cover: the area and the people that some unit reaches in time, and what is lost when one leaves.

A zone's people are spread over the length of its streets: nobody lives in the hills and the fields of a large barrio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from sqlalchemy.ext.asyncio import AsyncSession

from geo.isochrones import CELL, Reach, area_of
from geo.layers import edition_of
from geo.network import Floats, StreetNetwork
from geo.places import METRES_PER_DEGREE, square_metres
from geo.streets import StreetKind
from geo.zones import ZONES, ZoneKind, zones

NOBODY_LIVES = frozenset({StreetKind.MOTORWAY, StreetKind.TRUNK, StreetKind.TRACK, StreetKind.SERVICE})


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """As much of a zone as coverage needs."""

    name: str
    shape: shapely.Geometry
    population: int


@dataclass(frozen=True, slots=True)
class Cover:
    """What is reached in time. `people` is None where no zone tells how many live there."""

    square_km: float
    street_km: float
    people: int | None
    area: shapely.MultiPolygon


@dataclass(frozen=True, slots=True)
class Loss:
    """What nobody reaches in time any more. `zones` tells people by zone, most first."""

    square_km: float
    street_km: float
    people: int | None
    zones: tuple[tuple[str, int], ...]
    area: shapely.MultiPolygon


class People:
    """How many live along each link."""

    def __init__(self, network: StreetNetwork, places: Sequence[Neighbourhood]) -> None:
        self.network, self.places = network, places

    @cached_property
    def by_link(self) -> tuple[Floats, Floats]:
        """For each link the number of its zone (-1: none) and its people."""
        network = self.network
        lived = ~np.isin(network.kind, [n for n, kind in enumerate(network.kinds) if kind in NOBODY_LIVES])
        zone, people = np.full(len(network), -1), np.zeros(len(network))
        middles = network.rounded(shapely.line_interpolate_point(network.lines, 0.5, normalized=True))
        links, inside = shapely.STRtree([place.shape for place in self.places]).query(middles, predicate="within")
        zone[links] = inside
        zone[~lived] = -1
        some = zone >= 0
        length = np.bincount(zone[some], network.metres[some], minlength=len(self.places))
        counts = np.array([place.population for place in self.places], dtype=np.float64)
        people[some] = counts[zone[some]] * network.metres[some] / np.maximum(length[zone[some]], 1e-9)
        return zone, people

    def along(self, metres: Floats) -> tuple[int, tuple[tuple[str, int], ...]] | None:
        """How many live along so many metres of each link: in all, and by zone."""
        if not self.places:
            return None
        zone, people = self.by_link
        share = np.divide(metres, self.network.metres, out=np.zeros(len(metres)), where=self.network.metres > 0)
        some = zone >= 0
        found = np.bincount(zone[some].astype(int), (people * share)[some], minlength=len(self.places))
        by_zone = sorted(
            ((place.name, round(float(n))) for place, n in zip(self.places, found, strict=True)), key=_most
        )
        return round(float(found.sum())), tuple((name, count) for name, count in by_zone if count > 0)


def _most(one: tuple[str, int]) -> tuple[int, str]:
    return -one[1], one[0]


def cover_of(reaches: Sequence[Reach], within: float, people: People) -> Cover:
    """What is reached within so many seconds by whoever is nearest."""
    area = shapely.union_all([area_of(reach, within) for reach in reaches]) if reaches else shapely.MultiPolygon()
    metres = _reached(reaches, within, len(people.network))
    living = people.along(metres)
    return Cover(_km2(area), float(metres.sum()) / 1000, living[0] if living else None, _many(area))


def loss_of(before: Sequence[Reach], after: Sequence[Reach], within: float, people: People) -> Loss:
    """What is reached in time before and not after."""
    lost = _reached(before, within, len(people.network)) - _reached(after, within, len(people.network))
    lost = np.maximum(lost, 0.0)
    had, has = cover_of(before, within, people).area, cover_of(after, within, people).area
    # The rims of both areas were drawn cell by cell: a sliver of one is no loss.
    sliver = CELL / METRES_PER_DEGREE
    area = (
        shapely.difference(had, has).buffer(-sliver / 2).buffer(sliver / 2)
        if lost.sum() > 0
        else shapely.MultiPolygon()
    )
    living = people.along(lost)
    return Loss(
        _km2(area),
        float(lost.sum()) / 1000,
        living[0] if living else None,
        living[1] if living else (),
        _many(area),
    )


def _reached(reaches: Sequence[Reach], within: float, count: int) -> Floats:
    """Metres of each link that somebody reaches."""
    found: Floats = np.zeros(count)
    for reach in reaches:
        found = np.maximum(found, reach.metres(within))
    return found


def _km2(area: shapely.Geometry) -> float:
    return 0.0 if area.is_empty else square_metres(area) / 1e6


def _many(area: shapely.Geometry) -> shapely.MultiPolygon:
    parts = [part for part in shapely.get_parts(area) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)


_KEPT: WeakKeyDictionary[StreetNetwork, tuple[str, People]] = WeakKeyDictionary()


async def people_of(session: AsyncSession, network: StreetNetwork) -> People:
    """How many live along each link, by the barrios of which that is known. Kept until zones change."""
    edition = await edition_of(session, ZONES)
    kept = _KEPT.get(network)
    if kept is None or kept[0] != edition:
        known = [zone for zone in await zones(session, ZoneKind.BARRIO) if zone.population]
        places = [Neighbourhood(zone.name, zone.shape, zone.population or 0) for zone in known]
        kept = _KEPT[network] = edition, People(network, places)
    return kept[1]
