"""Who decides in `./vigia bench dispatch`: what most programs do, what better ones do, and what we do."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from shapely import Point

from geo.coverage import People
from incidents.move_ups import best_move, standing_by
from incidents.recommendation import Call, recommend, recommend_together
from incidents.run_cards import CardLevel, RunCard
from incidents.run_cards import Need as CardNeed
from incidents.situation import Candidate, Job, Situation, Target
from incidents.standing import coverings
from loadtests.dispatch_world import Need, Sent, SimUnit, World, as_the_crow_flies
from resources.units import Duty

AT_ONCE = 12  # calls that are weighed against each other; the others are less urgent or younger, and wait
EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOBODY = UUID(int=0)
BUSY = Job(UUID(int=2**100), None, None, "on_scene", EPOCH)

Cost = Callable[[World, SimUnit, Need, float], float]


@dataclass(frozen=True)
class Nearest:
    """One need after the other, the most urgent first: the free unit that is nearest by some measure."""

    name: str
    cost: Cost

    def choose(self, world: World, at: float, waiting: Sequence[Need], units: Sequence[SimUnit]) -> list[Sent]:
        """The most urgent first, then the oldest."""
        free = [unit for unit in units if unit.is_free(at)]
        sent: list[Sent] = []
        for need in sorted(waiting, key=lambda one: (world.calls[one.call].priority, one.number)):
            able = [unit for unit in free if unit.capability == need.capability]
            if able:
                best = min(able, key=lambda unit: (self.cost(world, unit, need, at), unit.number))
                free.remove(best)
                sent.append((need, best))
        return sent

    def reposition(self, world: World, at: float, units: Sequence[SimUnit]) -> list[tuple[SimUnit, int]]:
        """Everybody waits at his base."""
        _ = world, at, units
        return []


BY_LINE = Nearest("nearest by straight line", as_the_crow_flies)
BY_ROAD = Nearest("nearest by ETA", lambda world, unit, need, at: world.eta(unit, need, at))


@dataclass(frozen=True)
class Ours:
    """What the desk would do that takes every recommendation and confirms every move-up, both as the product has them.

    `people` and `targets` are the city's; `spots` are where units may stand by. The unit's place is fresh, its crew is
    whole: what differs from the others is only the choice.
    """

    people: People
    targets: tuple[Target, ...]
    spots: Sequence[tuple[str, Point]]
    moves: bool = True

    @property
    def name(self) -> str:
        """With or without move-ups."""
        return "ours" if self.moves else "ours without move-ups"

    def choose(self, world: World, at: float, waiting: Sequence[Need], units: Sequence[SimUnit]) -> list[Sent]:
        """All that wait are answered together."""
        free = {unit.capability for unit in units if unit.is_free(at)}
        by_call: dict[int, list[Need]] = {}
        for need in waiting:
            if need.capability in free:
                by_call.setdefault(need.call, []).append(need)
        first = sorted(by_call, key=lambda call: (world.calls[call].priority, call))[:AT_ONCE]
        calls = [(_call(world, call), _card(by_call[call]), 1) for call in first]
        if not calls:
            return []
        here = self._situation(world, at, units)
        answers = recommend_together(here, calls) if len(calls) > 1 else [recommend(here, *calls[0])]
        sent: list[Sent] = []
        for call, answer in zip(first, answers, strict=True):
            left = list(by_call[call])
            for pick in answer.picks:
                unit = units[pick.option.unit.id.int]
                need = next(one for one in left if one.capability == unit.capability)
                left.remove(need)
                sent.append((need, unit))
        return sent

    def reposition(self, world: World, at: float, units: Sequence[SimUnit]) -> list[tuple[SimUnit, int]]:
        """At most one unit for each target that is under its minimum."""
        if not self.moves:
            return []
        here = self._situation(world, at, units)
        standing = {
            UUID(int=unit.number): world.streets.points[unit.home]
            for unit in units
            if unit.is_free(at) and unit.home != unit.base
        }
        here = standing_by(here, standing)
        found = []
        for covering in coverings(here):
            if covering.share().share < covering.target.minimum:
                best = best_move(here, covering, self.spots, set(standing))
                if best is not None:
                    found.append((units[best.unit.id.int], world.streets.node(best.place)))
        return found

    def _situation(self, world: World, at: float, units: Sequence[SimUnit]) -> Situation:
        candidates = tuple(
            Candidate(
                *(UUID(int=unit.number), unit.call_sign, unit.kind, NOBODY, "", True),
                {unit.capability: None},
                world.streets.points[world.where(unit, at)] if unit.is_free(at) else None,
                0.0,
                Duty.ON_DUTY,
                () if unit.is_free(at) else (BUSY,),
            )
            for unit in units
        )
        return Situation(EPOCH + dt.timedelta(seconds=at), candidates, world.streets.travel, self.people, self.targets)


def _call(world: World, number: int) -> Call:
    call = world.calls[number]
    return Call(world.streets.points[world.node_of_call[number]], call.priority, call.type_code, UUID(int=number))


def _card(needs: Sequence[Need]) -> RunCard:
    counts = Counter(need.capability for need in needs)
    level = CardLevel(tuple(CardNeed(capability, count) for capability, count in sorted(counts.items())))
    return RunCard(None, "", None, 0, None, (level,))
