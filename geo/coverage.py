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
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from geo.ground import PACK, Anchor, Ground
from geo.isochrones import CELL, GROWN, Reach, area_between, area_of, samples_of
from geo.layers import edition_of
from geo.network import Flags, Floats, Ints, StreetNetwork
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
        self._inside: dict[bytes, Flags] = {}

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

    def inside(self, shape: shapely.Geometry) -> Flags:
        """Which links have their middle in a shape (degrees)."""
        key = shape.wkb
        if key not in self._inside:
            middles = self.network.rounded(shapely.line_interpolate_point(self.network.lines, 0.5, normalized=True))
            shapely.prepare(shape)
            self._inside[key] = shapely.contains(shape, middles)
        return self._inside[key]

    def along(self, metres: Floats, links: Ints | None = None) -> tuple[int, tuple[tuple[str, int], ...]] | None:
        """How many live along so many metres of each link (of `links`, when given): in all, and by zone."""
        if not self.places:
            return None
        zone, people = self.by_link
        length = self.network.metres
        if links is not None:
            zone, people, length = zone[links], people[links], length[links]
        share = np.divide(metres, length, out=np.zeros(len(metres)), where=length > 0)
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


# ── What each alone holds ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Held:
    """Who covers each link in time among units that drive alike, and how much of it would be left without him.

    Shares of links from their start, from their end, and in between where somebody sets out on the link; each with
    its owner (the number of a unit, -1: nobody) and with what the others hold.
    """

    network: StreetNetwork
    shares: tuple[Floats, Floats, Floats]
    owners: tuple[Ints, Ints, Ints]
    others: tuple[Floats, Floats, Floats]

    @staticmethod
    def of(
        ground: Ground, nearest: tuple[Floats, Ints, Floats], anchors: Sequence[tuple[int, Anchor]], within: float
    ) -> Held:
        """From the two nearest of each node, and where each unit (by its number) meets the streets."""
        network, arcs, pace = ground.network, ground.network.arcs, ground.drive.pace
        first, owner, second = nearest
        count = len(network)
        some = np.flatnonzero(owner[arcs.tails] >= 0)
        tails, keys = arcs.tails[some], arcs.link[some] + count * arcs.backward[some]
        took = np.floor(ground.weights[some] / PACK) / 1000 / pace
        by_first, by_second = (_share(within, reach[tails], pace, took) for reach in (first, second))
        shares, owners, others = np.zeros(2 * count), np.full(2 * count, -1), np.zeros(2 * count)
        np.maximum.at(shares, keys, by_first)
        best = (by_first == shares[keys]) & (by_first > 0)
        owners[keys[best]] = owner[tails[best]]
        np.maximum.at(others, keys, np.where(owner[tails] == owners[keys], by_second, by_first))
        pieces = [np.zeros(count), np.full(count, -1), np.zeros(count)]
        for number, one in anchors:
            forward, backward = ground.whole(one.link) / pace, ground.whole(one.link, back=True) / pace
            piece = min(1.0, one.along + within / forward) - max(0.0, one.along - within / backward)
            held, whose, rest = (each[one.link] for each in pieces)
            if piece > held:
                if whose not in (-1, number):
                    pieces[2][one.link] = held
                pieces[0][one.link], pieces[1][one.link] = piece, number
            elif whose != number:
                pieces[2][one.link] = max(rest, piece)
        return Held(
            network,
            (shares[:count], shares[count:], pieces[0]),
            (owners[:count], owners[count:], pieces[1].astype(np.int64)),
            (others[:count], others[count:], pieces[2]),
        )

    def reached(self) -> Floats:
        """The share of each link that somebody reaches."""
        return _joined(*self.shares)

    def reaches(self, links: NDArray[np.int32], along: NDArray[np.float32], gone: int = -2) -> Flags:
        """Which spots on links are reached, also if a unit is gone. Who sets out on a link is taken to reach it."""
        start, end, piece = (
            np.where(owners[links] == gone, others[links], shares[links])
            for shares, owners, others in zip(self.shares, self.owners, self.others, strict=True)
        )
        found: Flags = ((along <= start) & (start > 0)) | ((1 - along <= end) & (end > 0)) | (piece > 0)
        return found

    def without(self, role: int) -> tuple[Ints, Ints, Floats]:
        """Links, the unit that holds a part of them in this role, and the share that is left if it goes."""
        whose = self.owners[role]
        links = np.flatnonzero(whose >= 0)
        for earlier in range(role):  # it has been asked for in the earlier role
            links = links[self.owners[earlier][links] != whose[links]]
        units = whose[links]
        left = [
            np.where(owners[links] == units, others[links], shares[links])
            for shares, owners, others in zip(self.shares, self.owners, self.others, strict=True)
        ]
        return links, units, _joined(*left)


def _joined(start: Floats, end: Floats, piece: Floats) -> Floats:
    return np.maximum(np.minimum(start + end, 1.0), piece)


def _share(within: float, weights: Floats, pace: float, took: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip((within - np.floor(weights / PACK) / 1000 / pace) / took, 0.0, 1.0)
    share[~np.isfinite(share)] = 0.0
    return np.asarray(share)


class Losses:
    """What nobody would reach in time if one unit left, for each of them: from one look at who is second."""

    def __init__(self, held: Sequence[Held], people: People) -> None:
        self.people, self._held = people, held
        metres = people.network.metres
        reached = [one.reached() for one in held]
        self.metres: Floats = np.max(reached, axis=0) * metres if held else np.zeros(len(metres))
        rows: list[tuple[Ints, Ints, Floats]] = []
        for n, one in enumerate(held):
            elsewhere = [each for m, each in enumerate(reached) if m != n]
            by_others = np.max(elsewhere, axis=0) if elsewhere else np.zeros(len(metres))
            for role in range(3):
                links, units, left = one.without(role)
                lost = self.metres[links] - np.maximum(left, by_others[links]) * metres[links]
                some = lost > 1e-6
                rows.append((units[some], links[some], lost[some]))
        self._units = np.concatenate([units for units, _, _ in rows]) if rows else np.zeros(0, dtype=np.int64)
        self._links = np.concatenate([links for _, links, _ in rows]) if rows else np.zeros(0, dtype=np.int64)
        self._lost = np.concatenate([lost for _, _, lost in rows]) if rows else np.zeros(0)

    def of(self, unit: int, within: Flags | None = None) -> Lost:
        """What is lost if this unit (by its number) leaves; of some links only, when given."""
        mine = self._units == unit
        if within is not None:
            mine &= within[self._links]
        living = self.people.along(self._lost[mine], self._links[mine])
        return Lost(float(self._lost[mine].sum()) / 1000, living[0] if living else None, living[1] if living else ())

    def area(self, unit: int) -> shapely.MultiPolygon:
        """The ground that is lost if this unit (by its number) leaves, in degrees."""
        network = self.people.network
        links = self._links[self._units == unit]
        if not len(links):
            return shapely.MultiPolygon()
        around = shapely.box(*shapely.total_bounds(network.lines[links])).buffer(2 * GROWN)
        near = np.sort(network.tree.query(around))
        samples = samples_of(network)
        counts = samples.starts[near + 1] - samples.starts[near]
        nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        which = np.repeat(samples.starts[near], counts) + nth
        had, has = (np.zeros(len(which), dtype=np.bool_) for _ in range(2))
        for one in self._held:
            had |= one.reaches(samples.links[which], samples.along[which])
            has |= one.reaches(samples.links[which], samples.along[which], unit)
        spots = samples.places[which].astype(np.float64)
        return area_between(network, spots[had], spots[had & has])


@dataclass(frozen=True, slots=True)
class Lost:
    """What nobody reaches in time any more, without its outline."""

    street_km: float
    people: int | None
    zones: tuple[tuple[str, int], ...]


# ── Areas ─────────────────────────────────────────────────────────────────────────────────────────


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
