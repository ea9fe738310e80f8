"""What must hold of any closures on any streets, on those of Monaco: thousands of answers held against each other."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import shapely

from geo.barriers import Barrier
from geo.drives import Drive, drive_of
from geo.network import Link, StreetNetwork, Turn
from geo.osm.reading import read_osm
from geo.places import Point
from geo.travel import NoWay, Travel
from tests.conftest import real

DRIVES = (Drive(), drive_of("ambulance"), drive_of("ambulance", False), drive_of("police"))


@cache
def monaco() -> tuple[StreetNetwork, list[shapely.LineString]]:
    city = read_osm(real("osm_small/monaco.osm.pbf"))
    links = [
        Link(
            *(one.a_node, one.b_node, one.shape, one.kind, one.name, one.oneway),
            one.speed_kmh or 30.0,
            one.access,
            one.osm_id,
        )
        for one in city.streets
    ]
    turns = [Turn(one.only, tuple(one.nodes), tuple(one.ways), frozenset(one.excepted or ())) for one in city.turns]
    return StreetNetwork(links, turns), [one.shape for one in city.streets]


def somewhere(dice: random.Random, lines: list[shapely.LineString]) -> Point:
    return Point(*dice.choice(lines).interpolate(dice.random(), normalized=True).coords[0])


def closure(dice: random.Random, lines: list[shapely.LineString], name: str) -> Barrier:
    """A point, a street, a line across, an area, or a corner."""
    at, size = somewhere(dice, lines), dice.choice([0.0001, 0.0005, 0.002, 0.008])
    shape = dice.choice(
        [
            at,
            dice.choice(lines),
            shapely.LineString([(at.x - size, at.y - size), (at.x + size, at.y + size * dice.random())]),
            shapely.box(at.x - size, at.y - size, at.x + size, at.y + size),
            shapely.Point(dice.choice(lines).coords[0]).buffer(size),
        ]
    )
    return Barrier(name, shape, frozenset(dice.choice([(), ("ambulance",)])))


def test_one_more_closure_makes_nobody_arrive_sooner_by_road() -> None:
    network, lines = monaco()
    dice, asked = random.Random(7), 0
    for trial in range(60):
        barriers = [closure(dice, lines, f"{trial}:{n}") for n in range(dice.randrange(1, 6))]
        drive, to = dice.choice(DRIVES), somewhere(dice, lines)
        if trial % 7 == 0:
            to = Point(barriers[0].shape.representative_point())
        origins = [(somewhere(dice, lines), drive) for _ in range(12)]
        before, after = (Travel(network, those).etas(origins, to) for those in (barriers[1:], barriers))
        for fewer, more in zip(before, after, strict=True):
            if more.why == "ends_at_closure":
                continue  # who stops at a barrier and walks may be there before who drives round to the door
            assert not (fewer.how == "unreachable" and more.how == "road")
            if fewer.seconds is not None and more.seconds is not None:
                asked += 1
                assert more.seconds >= fewer.seconds - 0.1
    assert asked > 300


def test_etas_matrix_and_route_say_the_same() -> None:
    network, lines = monaco()
    dice, found = random.Random(8), 0
    barriers = [closure(dice, lines, str(n)) for n in range(8)]
    for travel in (Travel(network), Travel(network, barriers)):
        for drive in DRIVES:
            pairs = [(somewhere(dice, lines), somewhere(dice, lines)) for _ in range(15)]
            seconds, _ = travel.matrix([start for start, _ in pairs], [end for _, end in pairs], drive)
            for n, (start, end) in enumerate(pairs):
                (eta,) = travel.etas([(start, drive)], end)
                try:
                    route = travel.route(start, end, drive)
                except NoWay:
                    assert eta.how == "unreachable"
                    assert np.isinf(seconds[n, n])
                    continue
                found += 1
                assert eta.seconds is not None
                assert abs(eta.seconds - seconds[n, n]) < 0.15
                assert abs(eta.seconds - route.seconds - route.walk_seconds) < 0.15
    assert found > 60
