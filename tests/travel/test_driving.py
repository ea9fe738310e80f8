"""Driving by the rules: one-ways, forbidden turns, gates, parallel streets, islands; each town is checked by hand."""

from __future__ import annotations

import math

import pytest

from geo.drives import AGAINST_PACE, AGAINST_SECONDS, Drive, drive_of
from geo.ground import FRONTAGE, WALK
from geo.network import Link, NoStreetNear, StreetNetwork, Turn
from geo.places import Point
from geo.travel import Eta, NoWay, Travel
from tests.travel.towns import grid, line, node, spot, street

ORDINARY = Drive()
LIGHTS = Drive(
    enters=frozenset({"all", "destination", "private", "bus", "emergency", "foot"}),
    ends_in=frozenset(),
    against_oneway=True,
    lights=True,
    traffic=frozenset({"emergency"}),
)


def travel_in(links: list[Link], *turns: Turn) -> Travel:
    return Travel(StreetNetwork(links, turns))


def eta(town: Travel, start: Point, end: Point, drive: Drive = ORDINARY) -> Eta:
    (found,) = town.etas([(start, drive)], end)
    return found


def told_alike(town: Travel, start: Point, end: Point, drive: Drive = ORDINARY) -> float:
    """Seconds, after asking in each way there is."""
    found = eta(town, start, end, drive)
    assert found.how == "road"
    assert found.seconds is not None
    route = town.route(start, end, drive)
    assert route.seconds + route.walk_seconds == pytest.approx(found.seconds, abs=0.06)
    assert route.metres == pytest.approx(found.metres, abs=1)
    assert sum(step.metres for step in route.steps) == pytest.approx(route.metres, abs=0.1)
    seconds, metres = town.matrix([start], [end], drive)
    assert (seconds[0, 0], metres[0, 0]) == (found.seconds, found.metres)
    return found.seconds


# ── Time and distance ─────────────────────────────────────────────────────────────────────────────


def test_three_blocks_are_thirty_seconds() -> None:
    town = travel_in(grid(3, 3))
    assert told_alike(town, spot(0, 0), spot(3, 0)) == pytest.approx(30, abs=0.2)
    assert told_alike(town, spot(0, 0), spot(3, 2)) == pytest.approx(50, abs=0.3)
    assert told_alike(town, spot(0.5, 0), spot(1.5, 0)) == pytest.approx(10, abs=0.1)
    assert told_alike(town, spot(0, 0), spot(3, 0), Drive(pace=2)) == pytest.approx(15, abs=0.1)


def test_many_units_get_what_each_would_get_alone() -> None:
    town = travel_in(grid(4, 4))
    asked = [(spot(x, y), drive) for x in range(5) for y in range(5) for drive in (ORDINARY, Drive(pace=0.5), LIGHTS)]
    together = town.etas(asked, spot(2.3, 1))
    assert together == [town.etas([one], spot(2.3, 1))[0] for one in asked]
    assert len({one.seconds for one in together}) > 20


def test_congestion_slows_and_lights_feel_less_of_it() -> None:
    jammed = Travel(StreetNetwork(grid(3, 3)), flow={"residential": 0.5})
    assert told_alike(jammed, spot(0, 0), spot(3, 0)) == pytest.approx(60, abs=0.3)
    assert told_alike(jammed, spot(0, 0), spot(3, 0), Drive(held_up=0.5)) == pytest.approx(40, abs=0.3)


# ── One-ways ──────────────────────────────────────────────────────────────────────────────────────

RING = [
    street((0, 0), (1, 0), name="Rioja", oneway=True),
    street((1, 0), (1, 1), name="Jujuy"),
    street((1, 1), (0, 1), name="Mitre"),
    street((0, 1), (0, 0), name="Salta"),
]


def test_against_a_one_way_street_only_with_lights_and_at_a_price() -> None:
    town = travel_in(RING)
    assert told_alike(town, spot(1, 0), spot(0, 0)) == pytest.approx(30, abs=0.2)
    price = 10 / AGAINST_PACE + AGAINST_SECONDS
    assert price == 30
    at_a_price = Drive(against_oneway=True)
    assert told_alike(town, spot(0.8, 0), spot(0.2, 0), at_a_price) == pytest.approx(0.6 * price, abs=0.2)
    (step,) = town.route(spot(0.8, 0), spot(0.2, 0), at_a_price).steps
    assert (step.street, step.against) == ("Rioja", True)
    assert not any(step.against for step in town.route(spot(0.2, 0), spot(0.8, 0), at_a_price).steps)


def test_nobody_drives_against_the_traffic_of_a_motorway() -> None:
    motorway = [street((0, 0), (1, 0), name="Rioja", oneway=True, kind="motorway"), *RING[1:]]
    assert told_alike(travel_in(motorway), spot(0.9, 0), spot(0.1, 0), LIGHTS) > 30


def test_a_place_a_step_behind_on_a_one_way_street_is_here() -> None:
    town = travel_in(RING)
    assert told_alike(town, spot(0.5, 0), spot(0.4, 0)) == pytest.approx(1, abs=0.1)
    assert told_alike(town, spot(0.5, 0), spot(0.3, 0)) == pytest.approx(38, abs=0.3)


# ── Turns ─────────────────────────────────────────────────────────────────────────────────────────

# From (0,1) east along Calle 1, left at (1,1) up Avenida 1.
NO_LEFT = Turn(False, (node(0, 1), node(1, 1), node(1, 2)), (1001, 2001))


def test_a_forbidden_turn_is_driven_round() -> None:
    free, signed = travel_in(grid(2, 2)), travel_in(grid(2, 2), NO_LEFT)
    assert told_alike(free, spot(0, 1), spot(1, 2)) == pytest.approx(20, abs=0.2)
    assert told_alike(signed, spot(0.5, 1), spot(1, 1.5)) > told_alike(free, spot(0.5, 1), spot(1, 1.5)) + 10
    assert told_alike(signed, spot(1.5, 1), spot(1, 1.5)) == pytest.approx(10, abs=0.1), "from the other side one may"
    assert told_alike(signed, spot(0.5, 1), spot(1, 0.5)) == pytest.approx(10, abs=0.1), "and the other way too"


def test_lights_and_the_excepted_pass_a_forbidden_turn() -> None:
    direct = pytest.approx(10, abs=0.1)
    assert told_alike(travel_in(grid(2, 2), NO_LEFT), spot(0.5, 1), spot(1, 1.5), LIGHTS) == direct
    excepting = Turn(False, NO_LEFT.nodes, NO_LEFT.ways, frozenset({"emergency", "psv"}))
    ambulance_at_ease = Drive(traffic=frozenset({"emergency"}))
    assert told_alike(travel_in(grid(2, 2), excepting), spot(0.5, 1), spot(1, 1.5), ambulance_at_ease) == direct
    assert told_alike(travel_in(grid(2, 2), excepting), spot(0.5, 1), spot(1, 1.5)) > 20
    both = travel_in(grid(2, 2), excepting, NO_LEFT)
    assert told_alike(both, spot(0.5, 1), spot(1, 1.5), ambulance_at_ease) > 20, "the other sign excepts nobody"


def test_the_only_way_on_is_the_only_way_on() -> None:
    straight_on = Turn(True, (node(0, 1), node(1, 1), node(2, 1)), (1001, 1001))
    town = travel_in(grid(2, 2), straight_on)
    assert told_alike(town, spot(0.5, 1), spot(1.5, 1)) == pytest.approx(10, abs=0.1)
    for side in (spot(1, 1.5), spot(1, 0.5)):
        assert told_alike(town, spot(0.5, 1), side) > 20
        assert told_alike(town, spot(1.5, 1), side) == pytest.approx(10, abs=0.1)
    also_right = Turn(True, (node(0, 1), node(1, 1), node(1, 0)), (1001, 2001))
    two_ways = travel_in(grid(2, 2), straight_on, also_right)
    assert told_alike(two_ways, spot(0.5, 1), spot(1, 0.5)) == pytest.approx(10, abs=0.1)
    assert told_alike(two_ways, spot(0.5, 1), spot(1, 1.5)) > 20


def test_a_way_round_may_be_forbidden_over_two_crossings() -> None:
    """No turning back over the link in the middle: coming by it otherwise, and leaving it otherwise, is allowed."""
    u_turn = Turn(False, (node(0, 1), node(1, 1), node(1, 2), node(0, 2)), (1001, 2001, 1002))
    town = travel_in(grid(2, 2), u_turn)
    assert told_alike(town, spot(0.5, 1), spot(0.5, 2)) == pytest.approx(20, abs=0.2), "round the other side"
    assert town.route(spot(0.6, 1), spot(0.6, 2), ORDINARY).streets == ("Calle 1", "Avenida 0", "Calle 2")
    free = travel_in(grid(2, 2))
    assert free.route(spot(0.6, 1), spot(0.6, 2), ORDINARY).streets == ("Calle 1", "Avenida 1", "Calle 2")
    assert told_alike(town, spot(0.5, 1), spot(1, 1.5)) == pytest.approx(10, abs=0.1)
    assert told_alike(town, spot(0.5, 1), spot(1.5, 2)) == pytest.approx(20, abs=0.2)
    assert told_alike(town, spot(1, 0.5), spot(0.5, 2)) == pytest.approx(20, abs=0.2)
    assert told_alike(town, spot(1.5, 1), spot(0.6, 2)) == pytest.approx(19, abs=0.2)


def test_the_only_way_round_leads_over_both_crossings() -> None:
    way_round = Turn(True, (node(0, 1), node(1, 1), node(1, 2), node(2, 2)), (1001, 2001, 1002))
    town = travel_in(grid(2, 2), way_round)
    assert told_alike(town, spot(0.5, 1), spot(1.5, 2)) == pytest.approx(20, abs=0.2)
    assert told_alike(town, spot(0.5, 1), spot(1.5, 1)) > 20
    assert told_alike(town, spot(0.7, 1), spot(0.7, 2)) == pytest.approx(24, abs=0.2)


def test_a_restriction_whose_streets_are_gone_says_nothing() -> None:
    elsewhere = Turn(False, (node(0, 1), 987654321, node(1, 2)), (1001, 2001))
    another_way = Turn(False, NO_LEFT.nodes, (1001, 5))
    town = travel_in(grid(2, 2), elsewhere, another_way)
    assert told_alike(town, spot(0.5, 1), spot(1, 1.5)) == pytest.approx(10, abs=0.1)


# ── Gates and people ──────────────────────────────────────────────────────────────────────────────

# A private street is the short cut from (1,0) to (1,1); the public way leads round by (2,0) and (2,1).
SHORT_CUT = [
    street((0, 0), (1, 0), name="Rioja"),
    street((1, 0), (1, 1), name="Pasaje", access="private"),
    street((1, 0), (2, 0), name="Rioja"),
    street((2, 0), (2, 1), name="Jujuy"),
    street((2, 1), (1, 1), name="Mitre"),
    street((1, 1), (0, 1), name="Mitre"),
]


def test_nobody_drives_through_a_gate_but_everybody_may_end_behind_it() -> None:
    town = travel_in(SHORT_CUT)
    assert told_alike(town, spot(0.5, 0), spot(0.5, 1)) == pytest.approx(40, abs=0.3)
    assert told_alike(town, spot(0.5, 0), spot(1, 0.4)) == pytest.approx(9, abs=0.1)
    assert told_alike(town, spot(1, 0.4), spot(0.5, 1)) == pytest.approx(11, abs=0.1)
    assert told_alike(town, spot(1, 0.4), spot(1, 0.6)) == pytest.approx(2, abs=0.1)
    assert told_alike(town, spot(0.5, 0), spot(0.5, 1), LIGHTS) == pytest.approx(20, abs=0.2)


def test_who_stands_behind_a_gate_opens_it_for_nobody_else() -> None:
    town = travel_in(SHORT_CUT)
    inside, outside = town.etas([(spot(1, 0.4), ORDINARY), (spot(0.5, 0), ORDINARY)], spot(0.5, 1))
    assert inside.seconds == pytest.approx(11, abs=0.1)
    assert outside.seconds == pytest.approx(40, abs=0.3)


def test_a_pedestrian_street_is_walked_to_or_driven_slowly_with_lights() -> None:
    links = [link for link in SHORT_CUT if link.name != "Pasaje"]
    links.append(street((1, 0), (1, 1), name="Peatonal", access="foot"))
    town = travel_in(links)
    there = eta(town, spot(0.5, 0), spot(1, 0.45))
    assert there.snap_metres == pytest.approx(45, abs=1)
    assert there.seconds == pytest.approx(5 + (45 - FRONTAGE) / WALK, abs=0.3)
    through = travel_in([link for link in links if link.name != "Jujuy"])
    assert told_alike(through, spot(0.5, 0), spot(0.5, 1), LIGHTS) == pytest.approx(5 + 36 + 5, abs=0.5)
    assert eta(through, spot(0.5, 0), spot(0.5, 1)).why == "on_foot"


def test_kinds_of_units_drive_in_their_own_way() -> None:
    ambulance, lorry = drive_of("ambulance"), drive_of("works")
    assert ambulance.lights
    assert ambulance.against_oneway
    assert not lorry.lights
    assert not drive_of("ambulance", urgent=False).against_oneway
    town = travel_in(RING)
    assert told_alike(town, spot(0.9, 0), spot(0.1, 0), ambulance) < told_alike(town, spot(0.9, 0), spot(0.1, 0), lorry)


# ── Odd streets ───────────────────────────────────────────────────────────────────────────────────


def test_of_parallel_streets_the_quicker_is_taken_and_the_other_when_it_is_closed() -> None:
    links = [street((0, 0), (1, 0), name="Llegada")]
    links += [street((1, 0), (2, 0), name="Rápida", kmh=72), street((1, 0), (1, 1), (2, 1), (2, 0), name="Lenta")]
    links += [street((2, 0), (3, 0), name="Salida")]
    for order in (links, links[::-1]):
        assert travel_in(order).route(spot(0, 0), spot(3, 0), ORDINARY).streets == ("Llegada", "Rápida", "Salida")


def test_loops_dead_ends_and_links_without_length() -> None:
    links = grid(1, 1)
    links += [street((1, 1), (2, 1), (2, 2), (1, 2), (1, 1), name="Rulo"), street((0, 0), (0, -1), name="Cortada")]
    links += [street((0, 0), (0, 0), name="Nada")]
    town = travel_in(links)
    assert told_alike(town, spot(1, 1), spot(2, 2)) == pytest.approx(20, abs=0.2)
    assert told_alike(town, spot(2, 1.2), spot(1.2, 2)) == pytest.approx(16, abs=0.2), "along the loop"
    assert told_alike(town, spot(1.1, 1), spot(1, 1.1)) == pytest.approx(2, abs=0.1), "or over its crossing"
    assert told_alike(town, spot(0, -1), spot(1, 0)) == pytest.approx(20, abs=0.2)
    assert told_alike(town, spot(0, -0.5), spot(0, -0.5)) == 0


def test_an_island_is_unreachable_and_a_spot_beside_the_town_is_walked_to() -> None:
    island = [street((20, 20), (21, 20), name="Isla")]
    town = travel_in(grid(3, 3) + island)
    assert eta(town, spot(1, 1), spot(20.5, 20)) == Eta(None, None, "unreachable", None, "no_way")
    with pytest.raises(NoWay):
        town.route(spot(1, 1), spot(20.5, 20), ORDINARY)
    beside = eta(town, spot(0, 0), spot(3, 5))
    assert beside.how == "road"
    assert beside.snap_metres == pytest.approx(200, abs=1)
    assert beside.seconds == pytest.approx(60 + (200 - FRONTAGE) / WALK, abs=1)
    assert told_alike(town, spot(0, 0), spot(3, 5)) == beside.seconds


def test_a_car_park_of_its_own_is_left_on_foot() -> None:
    """Mapped without its exit: a unit in it is not stuck, as the street is thirty metres away."""
    car_park = [Link(901, 902, line((0.2, -0.7), (0.8, -0.7)), "service", None, False, 15)]
    town = travel_in(grid(3, 3) + car_park)
    out = eta(town, spot(0.5, -0.7), spot(3, 0))
    assert out.how == "road"
    assert out.why == "on_foot"
    assert out.snap_metres == pytest.approx(70, abs=1)
    assert out.seconds == pytest.approx(25 + (70 - FRONTAGE) / WALK, abs=0.5)
    assert told_alike(town, spot(0.3, -0.7), spot(0.7, -0.7)) == pytest.approx(40 / (15 / 3.6), abs=0.2)


def test_a_line_as_the_crow_flies_is_called_one() -> None:
    nowhere = Travel(None).etas([(spot(0, 0), ORDINARY), (None, ORDINARY)], spot(3, 0))
    assert (nowhere[0].how, nowhere[0].why) == ("straight_line", "no_streets")
    assert nowhere[0].metres == pytest.approx(300, abs=2)
    assert nowhere[1].how == "no_position"
    town = travel_in(grid(3, 3))
    far = town.etas([(spot(0, 0), ORDINARY), (spot(90, 0), ORDINARY)], spot(3, 0))
    assert [one.how for one in far] == ["road", "straight_line"]
    assert town.etas([(spot(0, 0), ORDINARY)], spot(90, 0))[0].why == "no_street_near"
    with pytest.raises(NoStreetNear):
        town.route(spot(0, 0), spot(90, 0), ORDINARY)
    seconds, _ = town.matrix([spot(90, 0)], [spot(0, 0)], ORDINARY)
    assert math.isinf(seconds[0, 0]), "a table of roads holds no guesses"


# ── In words ──────────────────────────────────────────────────────────────────────────────────────


def test_a_drive_is_told_street_by_street() -> None:
    route = travel_in(grid(3, 3)).route(spot(0.5, 0), spot(3, 2.5), ORDINARY)
    told = [(step.turn, step.street) for step in route.steps]
    assert told[0] == ("start", "Calle 0")
    assert told[-1][1] == "Avenida 3"
    assert {turn for turn, _ in told[1:]} <= {"left", "right"}
    back = travel_in(grid(3, 3)).route(spot(3, 2.5), spot(2.5, 3), ORDINARY)
    assert [(step.turn, step.street) for step in back.steps] == [("start", "Avenida 3"), ("left", "Calle 3")]
    dead_end = travel_in([*RING, street((0, 1), (-1, 1), name="Cortada"), street((0, 0), (0, 0), name="Nada")])
    assert dead_end.route(spot(0.5, 1), spot(0, 0.5), ORDINARY).steps[-1].turn == "left"
