"""What could have been, had everybody known what was to come: every way to answer a few calls with a few units, tried.

A whole day cannot be tried so; windows of it can. Each window is a small world of its own (a handful of calls in a row
that want the same, fewer units than calls), in which drives take as long as expected. The optimum is the least sum of
response times over all orders and choices, waiting for a busy unit included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadtests.dispatch_world import Need, Policy, SimUnit, World, simulate

CALLS, UNITS = 5, 3


@dataclass(frozen=True, slots=True)
class Window:
    """A small world and the least sum of response times in it."""

    world: World
    least_seconds: float


def windows(world: World, count: int, seed: int) -> list[Window]:
    """So many windows, from anywhere in the log, of the capability that most calls want."""
    rng = np.random.default_rng(seed)
    capability = "AMB"
    wanted = [need for call in world.calls for need in call.needs[:1] if need.capability == capability]
    able = [unit for unit in world.fleet if unit.capability == capability]
    found = []
    for _ in range(count):
        start = int(rng.integers(len(wanted) - CALLS))
        fleet = [replace(able[int(n)], number=k) for k, n in enumerate(rng.choice(len(able), UNITS, replace=False))]
        small = _small_world(world, wanted[start : start + CALLS], fleet)
        found.append(Window(small, _least(small)))
    return found


def _small_world(world: World, needs: Sequence[Need], fleet: Sequence[SimUnit]) -> World:
    calls = []
    for number, need in enumerate(needs):
        call = world.calls[need.call]
        calls.append(replace(call, number=number, needs=(replace(need, number=number, call=number),)))
    return replace(world, calls=calls, fleet=fleet, luck=0.0)


def regret(window: Window, policy: Policy) -> float:
    """How many times the least sum of response times a policy took."""
    outcome = simulate(window.world, policy, measure=False)
    return sum(outcome.arrivals.values()) / window.least_seconds


def _least(world: World) -> float:
    """By trying everything that may still be better than the best so far."""
    needs = [call.needs[0] for call in world.calls]
    best = float("inf")

    def go_on(left: tuple[Need, ...], units: list[SimUnit], spent: float) -> None:
        nonlocal best
        if not left:
            best = min(best, spent)
            return
        ways = []
        for need in left:
            call_at = world.calls[need.call].at
            for n, unit in enumerate(units):
                at = max(call_at, unit.free_at)
                ways.append((at - call_at + world.eta(unit, need, at), need, n))
        for seconds, need, n in sorted(ways, key=lambda way: way[0]):
            if spent + seconds >= best:
                break
            call = world.calls[need.call]
            sent = world.after(units[n], need, call.at + seconds)
            after = [sent if k == n else unit for k, unit in enumerate(units)]
            go_on(tuple(one for one in left if one is not need), after, spent + seconds)

    go_on(tuple(needs), [replace(unit) for unit in world.fleet], 0.0)
    return best
