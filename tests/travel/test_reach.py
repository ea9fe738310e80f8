"""How far one gets, what the units cover, and what is lost when one leaves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely

from geo.barriers import Barrier
from geo.coverage import Neighbourhood, People
from geo.drives import Drive
from geo.isochrones import CELL
from geo.network import NoStreetNear, StreetNetwork
from geo.places import METRES_PER_DEGREE, square_metres
from geo.travel import Travel
from tests.travel.towns import area, grid, line, spot, street

ORDINARY = Drive()
TOWN = StreetNetwork(grid(20, 20))
HALF = [
    Neighbourhood("Oeste", area((0, 0), (10, 0), (10, 20), (0, 20)), 10_000),
    Neighbourhood("Este", area((10, 0), (20, 0), (20, 20), (10, 20)), 5_000),
]


def test_an_isochrone_is_a_diamond_on_a_grid() -> None:
    """One minute is 600 m along the streets: 2 · 600² m², and a rim."""
    ((minutes, shape),) = Travel(TOWN).isochrones(spot(10, 10), [1], ORDINARY)
    assert minutes == 1
    assert shape.is_valid
    assert shape.geom_type == "MultiPolygon"
    assert 0.72e6 * 0.9 < square_metres(shape) < 0.72e6 * 1.35
    assert shape.contains(spot(15.9, 10))
    assert shape.contains(spot(13, 12.9))
    assert not shape.contains(spot(16.9, 10))
    assert not shape.contains(spot(14.5, 14.5)), "600 m as the crow flies is farther by street"


def test_longer_isochrones_hold_the_shorter_and_stop_where_the_town_does() -> None:
    shapes = [shape for _, shape in Travel(TOWN).isochrones(spot(10, 10), [0.5, 1, 2, 30], ORDINARY)]
    for shorter, longer in pairwise(shapes):
        assert longer.buffer(CELL / METRES_PER_DEGREE).contains(shorter), "an outline is true to a cell"
    assert square_metres(shapes[-1]) == pytest.approx(2.06e3**2, rel=0.03)


def test_an_isochrone_follows_the_streets_and_not_the_air() -> None:
    """A long street around a hill: the hill is not reached, so it is a hole."""
    ring = [street((0, 0), (10, 0), name="Sur"), street((10, 0), (10, 10), name="Este")]
    ring += [street((10, 10), (0, 10), name="Norte"), street((0, 10), (0, 0), name="Oeste")]
    ((_, shape),) = Travel(StreetNetwork(ring)).isochrones(spot(5, 0), [5], ORDINARY)
    assert shape.is_valid
    assert not shape.contains(spot(5, 5))
    assert sum(len(part.interiors) for part in shape.geoms) == 1
    assert square_metres(shape) < 0.5e6


def test_a_closure_cuts_an_isochrone() -> None:
    wall = Barrier("wall", line((10.5, -1), (10.5, 21)))
    ((_, shape),) = Travel(TOWN, [wall]).isochrones(spot(10, 10), [1], ORDINARY)
    assert shape.contains(spot(8, 10))
    assert not shape.contains(spot(12, 10))


def test_there_is_no_isochrone_without_a_street() -> None:
    with pytest.raises(NoStreetNear):
        Travel(TOWN).isochrones(spot(90, 90), [5], ORDINARY)
    with pytest.raises(NoStreetNear):
        Travel(None).isochrones(spot(0, 0), [5], ORDINARY)


def test_setting_out_counts_what_lies_ahead_on_the_same_street() -> None:
    long_street = StreetNetwork([street((0, 0), (10, 0), name="Ruta", oneway=True)])
    cover = Travel(long_street).coverage([(spot(2, 0), ORDINARY)], 30, People(long_street, []))
    assert cover.street_km == pytest.approx(0.3, abs=0.01)
    assert cover.people is None


def test_people_live_along_the_streets_of_their_zone() -> None:
    people = People(TOWN, HALF)
    everyone = people.along(TOWN.metres)
    assert everyone == (15_000, (("Oeste", 10_000), ("Este", 5_000)))
    assert people.along(np.zeros(len(TOWN))) == (0, ())


def test_what_is_lost_when_a_unit_leaves() -> None:
    west, east, beside = ((spot(x, 10), ORDINARY) for x in (5, 15, 15.2))
    people, town = People(TOWN, HALF), Travel(TOWN)
    both = town.coverage([west, east], 40, people)
    alone = town.coverage([west], 40, people)
    loss = town.lost_coverage([west, east], 40, [1], people)
    assert loss.street_km == pytest.approx(both.street_km - alone.street_km)
    assert (both.people or 0) - (alone.people or 0) == pytest.approx(loss.people, abs=1)
    assert loss.square_km == pytest.approx(both.square_km - alone.square_km, rel=0.1)
    assert [name for name, _ in loss.zones] == ["Este"]
    assert loss.area.contains(spot(15, 10))
    assert not loss.area.contains(spot(5, 10))
    nothing = town.lost_coverage([west, east, beside], 40, [2], people)
    assert nothing.people == pytest.approx(0, abs=60)
    assert nothing.square_km < 0.05
    everything = town.lost_coverage([west], 40, [0], people)
    assert everything.people == alone.people
    assert shapely.is_valid(everything.area)
