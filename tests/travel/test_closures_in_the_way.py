"""What a closure does to a drive: a line, a point, an area; who may pass; what is left of a closed street."""

from __future__ import annotations

import pytest
import shapely

from geo.barriers import Barrier, closed_by
from geo.drives import Drive, drive_of
from geo.ground import FRONTAGE, WALK
from geo.network import Link, StreetNetwork
from geo.travel import NoWay, Travel
from tests.travel.towns import area, grid, line, spot, street

ORDINARY = Drive()
TOWN = StreetNetwork(grid(4, 3))


def with_barriers(
    *shapes: shapely.Geometry, town: StreetNetwork = TOWN, passable_by: frozenset[str] = frozenset()
) -> Travel:
    return Travel(town, [Barrier(f"b{n}", shape, passable_by) for n, shape in enumerate(shapes)])


def closed(shape: shapely.Geometry, town: StreetNetwork = TOWN) -> set[tuple[str | None, float, float]]:
    """The closed stretches: street, and from where to where in metres."""
    return {
        (town.names[one.link], round(one.begins * town.metres[one.link]), round(one.ends * town.metres[one.link]))
        for one in closed_by(town, shape)
    }


# ── Which streets a shape closes ──────────────────────────────────────────────────────────────────


def test_a_line_closes_what_it_runs_along_and_not_what_it_meets_at_the_corners() -> None:
    assert closed(line((1, 1), (2, 1))) == {("Calle 1", 0, 100)}
    assert closed(line((1.1, 1.04), (1.9, 0.97))) == {("Calle 1", 10, 90)}, "drawn by hand"
    assert len(closed(line((0, 1), (3, 1)))) == 1, "three blocks are one street …"
    assert len(closed_by(TOWN, line((0, 1), (3, 1)))) == 3, "… and three links"
    assert closed(line((1.3, 1), (1.5, 1))) == {("Calle 1", 30, 50)}


def test_a_line_closes_what_it_crosses_away_from_the_corners() -> None:
    assert closed(line((1.5, 0.8), (1.5, 1.2))) == {("Calle 1", 45, 55)}
    assert closed(line((1.5, -0.2), (1.5, 3.2))) == {(f"Calle {n}", 45, 55) for n in range(4)}
    assert closed(line((1.3, 1.3), (1.7, 1.7))) == set(), "inside of a block there is no street"
    assert closed(line((0.7, 0.7), (1.3, 1.3))) == set(), "over a corner, along nothing"


def test_a_point_closes_the_street_it_is_on() -> None:
    assert closed(spot(1.5, 1.05)) == {("Calle 1", 45, 55)}
    assert closed(spot(1.5, 1.4)) == set(), "nobody knows which street is meant"


def test_an_area_closes_all_that_touches_it() -> None:
    flood = closed(area((0.8, 0.8), (1.2, 0.8), (1.2, 1.2), (0.8, 1.2)))
    assert flood == {("Calle 1", 80, 100), ("Calle 1", 0, 20), ("Avenida 1", 80, 100), ("Avenida 1", 0, 20)}
    whole = closed_by(TOWN, area((-1, -1), (9, -1), (9, 9), (-1, 9)))
    assert {(one.begins, one.ends) for one in whole} == {(0.0, 1.0)}
    assert len(whole) == len(TOWN)


def test_shapes_of_many_parts_close_what_each_part_would() -> None:
    parts = [line((1, 1), (2, 1)), line((2, 2), (3, 2))]
    assert closed(shapely.MultiLineString(parts)) == {("Calle 1", 0, 100), ("Calle 2", 0, 100)}
    squares = [
        area((0.9, 0.4), (1.1, 0.4), (1.1, 0.6), (0.9, 0.6)),
        area((2.9, 0.4), (3.1, 0.4), (3.1, 0.6), (2.9, 0.6)),
    ]
    assert closed(shapely.MultiPolygon(squares)) == {("Avenida 1", 40, 60), ("Avenida 3", 40, 60)}


# ── What that does to a drive ─────────────────────────────────────────────────────────────────────


def test_a_closed_block_is_driven_round_and_open_again_when_it_is_lifted() -> None:
    start, end = spot(0.5, 1), spot(2.5, 1)
    closing = with_barriers(line((1, 1), (2, 1)))
    assert with_barriers().etas([(start, ORDINARY)], end)[0].seconds == pytest.approx(20, abs=0.2)
    assert closing.etas([(start, ORDINARY)], end)[0].seconds == pytest.approx(40, abs=0.3)
    assert "Calle 1" in closing.route(start, end, ORDINARY).streets
    assert closing.route(start, end, ORDINARY).seconds == pytest.approx(40, abs=0.3)
    assert with_barriers().etas([(start, ORDINARY)], end)[0].seconds == pytest.approx(20, abs=0.2)


def test_who_may_pass_passes() -> None:
    closing = with_barriers(line((1, 1), (2, 1)), passable_by=frozenset({"works"}))
    works, social = (drive_of(kind, urgent=False) for kind in ("works", "social"))
    seconds = [eta.seconds for eta in closing.etas([(spot(0.5, 1), works), (spot(0.5, 1), social)], spot(2.5, 1))]
    assert seconds == [pytest.approx(20 / 0.85, abs=0.3), pytest.approx(40, abs=0.3)]


def test_a_closed_street_is_a_street_up_to_the_barrier() -> None:
    """Calle 0 is closed between 1.45 and 1.55: its houses are reached from their own side."""
    closing = with_barriers(spot(1.5, 0))
    west, east = (closing.etas([(spot(0, 0), ORDINARY)], spot(x, 0))[0] for x in (1.4, 1.6))
    assert west.seconds == pytest.approx(14, abs=0.1)
    assert east.seconds == pytest.approx(44, abs=0.3)
    assert west.why is east.why is None
    assert closing.route(spot(0, 0), spot(1.6, 0), ORDINARY).seconds == pytest.approx(44, abs=0.3)
    over = closing.etas([(spot(1.4, 0), ORDINARY)], spot(1.6, 0))[0]
    assert over.seconds == pytest.approx(4 + 10 + 10 + 10 + 4, abs=0.3), "back, and round the block"


def test_a_place_inside_of_a_flood_is_reached_on_foot_from_its_edge() -> None:
    flood = with_barriers(area((0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5)))
    eta = flood.etas([(spot(1, 0), ORDINARY)], spot(1, 0.9))[0]
    assert (eta.how, eta.why) == ("road", "ends_at_closure")
    assert eta.snap_metres == pytest.approx(40, abs=1)
    assert eta.seconds == pytest.approx(5 + (40 - FRONTAGE) / WALK, abs=0.3)
    route = flood.route(spot(1, 0), spot(1, 0.9), ORDINARY)
    assert route.why == "ends_at_closure"
    assert route.snap_metres == pytest.approx(40, abs=1)
    assert route.seconds + route.walk_seconds == pytest.approx(eta.seconds, abs=0.1)


def test_a_unit_caught_in_a_flood_starts_from_its_edge() -> None:
    flood = with_barriers(area((0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5)))
    eta = flood.etas([(spot(1, 0.9), ORDINARY)], spot(1, 0))[0]
    assert (eta.how, eta.why) == ("road", "ends_at_closure")


BRIDGE = [
    *grid(1, 1),
    street((1, 0), (5, 0), name="Puente"),
    *(
        Link(
            one.a_node + 5,
            one.b_node + 5,
            shapely.transform(
                one.shape, lambda p: p + shapely.get_coordinates(spot(5, 0))[0] - shapely.get_coordinates(spot(0, 0))[0]
            ),
            one.kind,
            one.name,
            False,
            36,
        )
        for one in grid(1, 1)
    ),
]


def test_when_the_only_bridge_is_closed_that_is_why() -> None:
    town = StreetNetwork(BRIDGE)
    closing = with_barriers(spot(3, 0), town=town)
    here, there = closing.etas([(spot(0, 0), ORDINARY), (spot(6, 0), ORDINARY)], spot(5, 1))
    assert (here.how, here.why) == ("unreachable", "closed")
    assert there.how == "road"
    assert there.seconds == pytest.approx(20, abs=0.2)
    with pytest.raises(NoWay) as none:
        closing.route(spot(0, 0), spot(5, 1), ORDINARY)
    assert none.value.why == "closed"
    assert with_barriers(town=town).etas([(spot(0, 0), ORDINARY)], spot(5, 1))[0].seconds == pytest.approx(60, abs=0.3)


def test_when_the_quicker_of_parallel_streets_is_closed_the_other_is_taken() -> None:
    links = [
        street((0, 0), (1, 0), name="Llegada"),
        street((1, 0), (2, 0), name="Rápida"),
        street((1, 0), (1, 1), (2, 1), (2, 0), name="Lenta"),
        street((2, 0), (3, 0), name="Salida"),
    ]
    closing = with_barriers(spot(1.5, 0), town=StreetNetwork(links))
    route = closing.route(spot(0, 0), spot(3, 0), ORDINARY)
    assert route.streets == ("Llegada", "Lenta", "Salida")
    assert closing.etas([(spot(0, 0), ORDINARY)], spot(3, 0))[0].seconds == pytest.approx(50, abs=0.3)
