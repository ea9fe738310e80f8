"""Rounds in a town that can be checked by hand: who goes where, in which order, and that nobody is left for last."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.drives import drive_of
from geo.network import StreetNetwork
from geo.travel import Travel
from incidents.rounds import Crew, Plan, Stop, plan_rounds
from incidents.storm import StormPolicy
from realtime.database import new_id
from tests.travel.towns import grid, spot

TOWN = Travel(StreetNetwork(grid(8, 8)))
POLICY = StormPolicy(service_minutes=5, zone_share=1.0, stops_most=8)


def a_stop(
    x: float, y: float, *, zone: str = "Centro", priority: int = 4, what: str = "OP", waited: float = 600
) -> Stop:
    """Something small at so many blocks from the corner."""
    return Stop(new_id(), spot(x, y), zone, priority, what, waited, 86_400 - waited)


def a_crew(name: str, x: float, y: float, *can: str) -> Crew:
    """Somebody with a lorry."""
    return Crew(new_id(), name, "works", spot(x, y), frozenset(can or ("OP",)))


def order(plan: Plan) -> dict[str, list[Stop]]:
    """The stops of each crew in order."""
    return {one.crew.call_sign: [stop.stop for stop in one.stops] for one in plan.circuits}


def test_one_crew_takes_the_shortest_way_round() -> None:
    places = [(6, 1), (1, 1), (6, 5), (3, 1), (6, 3)]
    stops = [a_stop(*place) for place in places]
    [circuit] = plan_rounds(TOWN, [a_crew("C1", 0, 1)], stops, POLICY).circuits
    seconds, _ = TOWN.matrix(
        [spot(0, 1), *(one.place for one in stops)], [one.place for one in stops], drive_of("works", False)
    )
    best = min(
        sum(seconds[a, b] for a, b in zip((0, *(n + 1 for n in way)), way, strict=False))
        for way in permutations(range(5))
    )
    driven = sum(one.drive_seconds for one in circuit.stops)
    assert driven == pytest.approx(best, abs=1)
    assert circuit.seconds == pytest.approx(driven + 5 * 300, abs=1)


def test_two_crews_share_the_town_as_well_as_trying_everything_does() -> None:
    stops = [a_stop(*place) for place in [(0, 0), (1, 0), (8, 8), (7, 8), (8, 7)]]
    crews = [a_crew("C1", 2, 0), a_crew("C2", 6, 8)]
    plan = plan_rounds(TOWN, crews, stops, POLICY)
    assert {name: set(some) for name, some in order(plan).items()} == {"C1": set(stops[:2]), "C2": set(stops[2:])}
    seconds, _ = TOWN.matrix(
        [*(one.place for one in crews), *(one.place for one in stops)],
        [one.place for one in stops],
        drive_of("works", False),
    )

    def cost(whose: tuple[int, ...]) -> float:
        total = 0.0
        for crew in range(2):
            mine = [n for n in range(5) if whose[n] == crew]
            ways = [(crew, *(n + 2 for n in way)) for way in permutations(mine)]
            total += min(sum(seconds[a, b - 2] for a, b in pairwise(way)) for way in ways)
        return total

    best = min(cost(whose) for whose in product(range(2), repeat=5))
    assert sum(stop.drive_seconds for one in plan.circuits for stop in one.stops) == pytest.approx(best, abs=1)


def test_who_cannot_do_it_is_not_sent_and_what_nobody_can_do_is_named() -> None:
    trees, lamp, boat = a_stop(1, 1, what="ARB"), a_stop(2, 2, what="ALU"), a_stop(3, 3, what="PNA")
    plan = plan_rounds(TOWN, [a_crew("A1", 0, 0, "ARB"), a_crew("L1", 8, 8, "ALU")], [trees, lamp, boat], POLICY)
    assert order(plan) == {"A1": [trees], "L1": [lamp]}
    assert plan.left_out == ((boat, "no_crew"),)


def test_no_neighbourhood_gets_more_than_its_share_while_others_wait() -> None:
    near = [a_stop(x, 0, zone="Rico", waited=1200) for x in range(1, 7)]
    far = [a_stop(x, 8, zone="Lejos") for x in range(3, 7)]
    crew, policy = [a_crew("C1", 0, 0)], replace(POLICY, stops_most=5, zone_share=0.4)
    greedy = plan_rounds(TOWN, crew, [*near, *far], replace(policy, zone_share=1.0))
    assert Counter(one.stop.zone for one in greedy.circuits[0].stops) == {"Rico": 5}
    fair = plan_rounds(TOWN, crew, [*near, *far], policy)
    assert Counter(one.stop.zone for one in fair.circuits[0].stops) == {"Rico": 3, "Lejos": 2}
    assert {one.zone: (one.waiting, one.planned, one.limit) for one in fair.zones} == {
        "Rico": (6, 3, 3),
        "Lejos": (4, 2, 3),
    }


def test_what_has_waited_too_long_comes_however_far_it_is() -> None:
    near = [a_stop(x, 0) for x in range(1, 6)]
    old = a_stop(8, 8, waited=3 * 3600)
    [circuit] = plan_rounds(TOWN, [a_crew("C1", 0, 0)], [*near, old], replace(POLICY, stops_most=3)).circuits
    assert old in [one.stop for one in circuit.stops]


def test_nothing_and_nobody() -> None:
    assert plan_rounds(TOWN, [], [], POLICY) == Plan((), (), ())
    stop = a_stop(1, 1)
    assert plan_rounds(TOWN, [], [stop], POLICY).left_out == ((stop, "no_crew"),)


SOMEWHERE = st.tuples(st.integers(0, 8), st.integers(0, 8))
CAN = st.sampled_from(["OP", "ARB", "ALU"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(SOMEWHERE, CAN, st.sampled_from(["A", "B", "C"]), st.integers(0, 10_000)), max_size=14),
    st.lists(st.tuples(SOMEWHERE, st.sets(CAN, min_size=1)), max_size=4),
    st.integers(1, 6),
    st.floats(0.2, 1.0),
)
def test_whatever_waits_is_in_one_circuit_or_named(
    wanted: list[tuple[tuple[int, int], str, str, int]],
    crews: list[tuple[tuple[int, int], set[str]]],
    most: int,
    share: float,
) -> None:
    stops = [a_stop(x, y, what=what, zone=zone, waited=waited) for (x, y), what, zone, waited in wanted]
    able = [a_crew(f"C{n}", x, y, *can) for n, ((x, y), can) in enumerate(crews)]
    policy = replace(POLICY, stops_most=most, zone_share=share, longest_wait_minutes=100.0)
    plan = plan_rounds(TOWN, able, stops, policy)
    planned = [one.stop for circuit in plan.circuits for one in circuit.stops]
    assert Counter(one.incident_id for one in [*planned, *(stop for stop, _ in plan.left_out)]) == Counter(
        one.incident_id for one in stops
    )
    for circuit in plan.circuits:
        assert 1 <= len(circuit.stops) <= most
        assert all(one.stop.capability in circuit.crew.capabilities for one in circuit.stops)
        assert circuit.seconds - 300 <= policy.circuit_minutes * 60
        assert [one.arrives for one in circuit.stops] == sorted(one.arrives for one in circuit.stops)
    for zone in plan.zones:
        assert zone.planned <= zone.limit
