"""How the city stands covered: for each target who reaches it now, and what is lost with each unit that leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from uuid import UUID

import numpy as np
import shapely

from geo.coverage import Losses, Lost, People
from geo.network import Flags, Floats, StreetNetwork
from geo.places import Point
from incidents.situation import Candidate, Situation, Target


@dataclass(frozen=True, slots=True)
class UnitLoss:
    """What is beyond a target's minutes if a unit leaves."""

    target: Target
    lost: Lost
    area: Callable[[], shapely.MultiPolygon] = field(compare=False, repr=False)  # the ground; dearer than the figures


@dataclass(frozen=True, slots=True)
class Share:
    """How much is reached in time; `share` by people where they are counted (`people`), else by length of street."""

    share: float
    people: int | None
    of_people: int | None
    street_km: float


class Covering:
    """One target, and the free units that meet it. Asked in a thread."""

    def __init__(self, situation: Situation, target: Target) -> None:
        self.target = target
        self.units: tuple[Candidate, ...] = tuple(
            unit for unit in situation.units if target.counts(unit) and unit.free(situation.policy)
        )
        self._situation = situation
        self._numbers: Mapping[UUID, int] = {unit.id: n for n, unit in enumerate(self.units)}

    @property
    def people(self) -> People:
        """Who lives where."""
        network = self._situation.travel.network
        assert network is not None  # noqa: S101  (targets without streets are not asked)
        return self._situation.people or People(network, [])

    @cached_property
    def within(self) -> Flags | None:
        """Which links belong to the target's zone; None: all."""
        return None if self.target.shape is None else self.people.inside(self.target.shape)

    @cached_property
    def losses(self) -> Losses:
        """Who holds what."""
        return self.losses_of([(unit.place, unit) for unit in self.units if unit.place is not None])

    def losses_of(self, units: Sequence[tuple[Point, Candidate]]) -> Losses:
        """The same for units at other places."""
        origins = [(place, unit.drive(urgent=True)) for place, unit in units]
        return self._situation.travel.losses(origins, self.target.minutes * 60, self.people)

    def loss(self, unit_id: UUID) -> UnitLoss | None:
        """What is lost if this unit leaves; None where it does not count here."""
        number = self._numbers.get(unit_id)
        if number is None:
            return None
        return UnitLoss(self.target, self.losses.of(number, self.within), partial(self.losses.area, number))

    def share(self, losses: Losses | None = None) -> Share:
        """How much of the city, or of the zone, is reached in time."""
        return self.share_of((losses or self.losses).metres)

    def share_of(self, metres: Floats) -> Share:
        """The share that so many metres of each link are."""
        return share_of(metres, self.people, self.within)

    def by_zone(self) -> list[tuple[str, int, int]]:
        """For each neighbourhood how many of its people are reached, and of how many; most beyond reach first."""
        network = self.people.network
        every, reached = np.where(network.main, network.metres, 0.0), self.losses.metres
        if self.within is not None:
            every, reached = np.where(self.within, every, 0.0), np.where(self.within, reached, 0.0)
        everyone, some = self.people.along(every), self.people.along(reached)
        if everyone is None or some is None:
            return []
        found = dict(some[1])
        told = [(name, min(found.get(name, 0), count), count) for name, count in everyone[1]]
        return sorted(told, key=lambda one: (one[1] - one[2], one[0]))


def share_of(metres: Floats, people: People, within: Flags | None) -> Share:
    """The share that so many metres of each link are, of all of them or of some."""
    network: StreetNetwork = people.network
    every = np.where(network.main, network.metres, 0.0)
    if within is not None:
        metres, every = np.where(within, metres, 0.0), np.where(within, every, 0.0)
    reached, everyone = people.along(metres), people.along(every)
    street_km = float(metres.sum()) / 1000
    if reached is not None and everyone is not None and everyone[0] > 0:
        return Share(min(1.0, reached[0] / everyone[0]), reached[0], everyone[0], street_km)
    total = float(every.sum())
    return Share(min(1.0, float(np.minimum(metres, every).sum()) / total) if total else 1.0, None, None, street_km)


def coverings(situation: Situation) -> list[Covering]:
    """Each target; none where there are no streets to go by."""
    if situation.travel.network is None:
        return []
    return [Covering(situation, target) for target in situation.targets]


def worst_loss(unit_id: UUID, covered: Sequence[Covering], people_per_km: float) -> UnitLoss | None:
    """The target that loses most people when a unit leaves."""
    found = [loss for one in covered if (loss := one.loss(unit_id)) is not None and loss.lost.street_km > 0]
    return max(found, key=lambda loss: heads(loss.lost, people_per_km), default=None)


def heads(lost: Lost, people_per_km: float) -> float:
    """People beyond target; reckoned from the streets where nobody has counted."""
    return float(lost.people) if lost.people is not None else lost.street_km * people_per_km
