"""Ways cut into links, what their tags mean, and signs that forbid turning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from geo.osm.reading import NODES_MISSING, OsmCity
from geo.osm.turns import AMBIGUOUS, APART, CONDITIONAL, MEMBERS, NO_CHAIN, NOT_IN_FILE, OTHERS, UNKNOWN_SIGN
from geo.osm.words import doors_of, parse_speed, street_access, street_kind
from geo.places import haversine
from geo.streets import Access, StreetKind
from tests.city.conftest import Drawing, link, links

Read = Callable[[Drawing], OsmCity]


def whys(city: OsmCity) -> list[str]:
    return [one.why for one in city.refused]


def test_a_way_is_cut_where_others_meet_it(drawing: Drawing, read: Read) -> None:
    for number in range(1, 6):
        drawing.node(number, number, 1)
    drawing.node(9, 3, 0)
    drawing.street(10, [1, 2, 3, 4, 5], "Rioja")
    drawing.street(20, [9, 3], "Mitre")
    city = read(drawing)
    assert links(city, 10) == [(1, 3), (3, 5)]
    assert [len(street.shape.coords) for street in city.streets] == [3, 3, 2]
    assert links(city, 20) == [(9, 3)]


def test_a_way_that_crosses_itself_is_cut_there(drawing: Drawing, read: Read) -> None:
    for number, column, row in ((1, 0, 1), (2, 1, 1), (3, 2, 1), (4, 2, 0), (5, 1, 0)):
        drawing.node(number, column, row)
    drawing.street(10, [1, 2, 3, 4, 5, 2], "Rulo")
    assert links(read(drawing), 10) == [(1, 2), (2, 2)]


def test_a_way_against_its_direction_is_turned_round(drawing: Drawing, read: Read) -> None:
    drawing.node(1, 0, 0)
    drawing.node(2, 1, 0)
    drawing.street(10, [1, 2], "Salta", oneway="-1")
    found = link(read(drawing), 10)
    assert (found.a_node, found.b_node, found.oneway) == (2, 1, True)
    assert found.shape.coords[0] == pytest.approx((-60.659, -32.96))


@pytest.mark.parametrize(
    ("tags", "oneway"),
    [
        ({"oneway": "yes"}, True),
        ({"oneway": "no", "junction": "roundabout"}, False),
        ({"junction": "roundabout"}, True),
        ({"junction": "circular"}, True),
        ({"highway": "motorway"}, True),
        ({"highway": "motorway_link"}, False),
        ({"oneway": "yes", "oneway__bicycle": "no"}, True),
        ({"oneway": "yes", "oneway__motor_vehicle": "no"}, False),
        ({}, False),
    ],
)
def test_directions(drawing: Drawing, read: Read, tags: dict[str, str], oneway: bool) -> None:
    drawing.node(1, 0, 0)
    drawing.node(2, 1, 0)
    drawing.street(10, [1, 2], **tags)
    assert link(read(drawing), 10).oneway is oneway


@pytest.mark.parametrize(
    ("word", "speed"),
    [
        ("50", 50.0),
        ("50 km/h", 50.0),
        ("30 mph", 48.3),
        ("50;40", 40.0),
        ("AR:urban", 40.0),
        ("AR:rural", 110.0),
        ("DE:zone:30", 30.0),
        ("FR:urban", 50.0),
        ("none", 130.0),
        ("walk", 6.0),
        ("rápido", None),
        ("0", None),
        ("9999", None),
        ("", None),
    ],
)
def test_speed_limits(word: str, speed: float | None) -> None:
    assert parse_speed(word) == speed


@pytest.mark.parametrize(
    ("tags", "kind", "access"),
    [
        ({"highway": "primary_link"}, StreetKind.PRIMARY, Access.ALL),
        ({"highway": "service", "access": "private"}, StreetKind.SERVICE, Access.PRIVATE),
        ({"highway": "service", "access": "private", "motor_vehicle": "yes"}, StreetKind.SERVICE, Access.ALL),
        ({"highway": "service", "service": "emergency_access"}, StreetKind.SERVICE, Access.EMERGENCY),
        ({"highway": "residential", "motor_vehicle": "destination"}, StreetKind.RESIDENTIAL, Access.DESTINATION),
        ({"highway": "service", "access": "no", "bus": "yes"}, StreetKind.SERVICE, Access.BUS),
        ({"highway": "residential", "motor_vehicle": "no"}, StreetKind.RESIDENTIAL, Access.FOOT),
        ({"highway": "pedestrian"}, StreetKind.FOOTWAY, Access.FOOT),
        ({"highway": "pedestrian", "access": "yes"}, StreetKind.FOOTWAY, Access.FOOT),
        ({"highway": "footway", "name": "Paseo del Siglo"}, StreetKind.FOOTWAY, Access.FOOT),
        ({"highway": "road"}, StreetKind.UNCLASSIFIED, Access.ALL),
    ],
)
def test_classes_and_access(tags: dict[str, str], kind: StreetKind, access: Access) -> None:
    assert street_kind(tags) is kind
    assert street_access(tags, kind) is access


@pytest.mark.parametrize(
    "highway", ["steps", "corridor", "construction", "proposed", "abandoned", "platform", "footway"]
)
def test_what_is_no_street(highway: str) -> None:
    assert street_kind({"highway": highway, "construction": "primary"}) is None


def test_a_square_for_walking_is_an_area_and_no_street(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    drawing.way(30, [4, 2, 6, 8, 4], highway="pedestrian", area="yes", name="Plaza")
    city = read(drawing)
    assert links(city, 30) == []
    assert [(area.layer, area.kind) for area in city.areas if area.name == "Plaza"] == [("landuse", "pedestrian")]


def test_names_and_other_names(drawing: Drawing, read: Read) -> None:
    drawing.node(1, 0, 0)
    drawing.node(2, 1, 0)
    drawing.street(10, [1, 2], "Bulevar  Oroño", old_name="Bv. Santafesino;Boulevard", alt_name="Oroño", ref="RP 21")
    drawing.street(11, [1, 2], "GuarujÃ¡")
    drawing.street(12, [1, 2], "SÃO LUIZ")
    city = read(drawing)
    street = link(city, 10)
    assert street.alt_names == ("Oroño", "Bv. Santafesino", "Boulevard", "RP 21")
    assert [link(city, way).name for way in (10, 11, 12)] == ["Bulevar Oroño", "Guarujá", "SÃO LUIZ"]
    assert city.mended == 1


def test_missing_nodes_leave_what_is_there_and_no_short_cut(drawing: Drawing, read: Read) -> None:
    for number in (1, 2, 5, 6):
        drawing.node(number, number, 0)
    drawing.street(10, [1, 2, 3, 4, 5, 6], "Salta")
    city = read(drawing)
    assert links(city, 10) == [(1, 2), (5, 6)]
    (refused,) = city.refused
    assert (refused.why, refused.kept, refused.facts) == (NODES_MISSING, True, {"missing": 2, "nodes": 6})


def test_a_barrier_shuts_a_metre_of_street_and_no_more(drawing: Drawing, read: Read) -> None:
    for number in (1, 2, 3):
        drawing.node(number, number, 0, **({"barrier": "bollard"} if number == 2 else {}))
    drawing.street(10, [1, 2, 3], "Cortada")
    city = read(drawing)
    assert links(city, 10) == [(1, 2), (-2, 3), (2, -2)]
    gate = city.streets[2]
    assert gate.access is Access.FOOT
    assert haversine(*gate.shape.coords[0], *gate.shape.coords[-1]) == pytest.approx(1.5, rel=0.02)
    assert {street.access for street in city.streets[:2]} == {Access.ALL}


@pytest.mark.parametrize(
    "tags", [{"barrier": "gate"}, {"barrier": "bollard", "access": "yes"}, {"barrier": "toll_booth"}]
)
def test_what_lets_everybody_pass_shuts_nothing(drawing: Drawing, read: Read, tags: dict[str, str]) -> None:
    for number in (1, 2, 3):
        drawing.node(number, number, 0, **(tags if number == 2 else {}))
    drawing.street(10, [1, 2, 3])
    assert links(read(drawing), 10) == [(1, 3)]


# ── Turning ───────────────────────────────────────────────────────────────────────────────────────


def test_a_sign_at_a_crossing(drawing: Drawing, read: Read) -> None:
    drawing.cross().turn(1, 10, [("node", 5)], 21, "no_left_turn", **{"except": "bus;emergency"})
    (turn,) = read(drawing).turns
    assert (turn.only, turn.nodes, turn.ways, turn.excepted) == (False, [4, 5, 8], [10, 21], ["bus", "emergency"])


def test_the_only_way_on(drawing: Drawing, read: Read) -> None:
    drawing.cross().turn(1, 20, [("node", 5)], 21, "only_straight_on")
    (turn,) = read(drawing).turns
    assert (turn.only, turn.nodes, turn.ways) == (True, [2, 5, 8], [20, 21])


def test_a_way_that_goes_through_is_cut_and_its_side_found(drawing: Drawing, read: Read) -> None:
    for number, column, row in ((4, 0, 1), (5, 1, 1), (6, 2, 1), (2, 1, 0), (8, 1, 2)):
        drawing.node(number, column, row)
    drawing.street(10, [4, 5], "Rioja")
    drawing.street(20, [2, 5, 8], "Mitre")
    drawing.turn(1, 10, [("node", 5)], 20, "no_left_turn")
    drawing.turn(2, 10, [("node", 5)], 20, "no_right_turn")
    drawing.turn(3, 20, [("node", 5)], 10, "no_left_turn")
    city = read(drawing)
    assert links(city, 20) == [(2, 5), (5, 8)]
    assert [(turn.osm_id, turn.nodes) for turn in city.turns] == [(1, [4, 5, 8]), (2, [4, 5, 2])]
    assert whys(city) == [AMBIGUOUS]


def test_no_turning_round(drawing: Drawing, read: Read) -> None:
    drawing.cross().turn(1, 10, [("node", 5)], 10, "no_u_turn")
    (turn,) = read(drawing).turns
    assert (turn.nodes, turn.ways) == ([4, 5, 4], [10, 10])


def test_over_ways_that_are_themselves_cut(drawing: Drawing, read: Read) -> None:
    for number, column, row in ((1, 0, 0), (2, 1, 0), (3, 1, 1), (4, 1, 2), (5, 0, 2), (6, 2, 1)):
        drawing.node(number, column, row)
    drawing.street(10, [1, 2], "Ida", oneway="yes")
    drawing.street(20, [2, 3, 4], "Cruce")
    drawing.street(30, [4, 5], "Vuelta", oneway="yes")
    drawing.street(40, [3, 6], "Otra")
    drawing.turn(1, 10, [("way", 20)], 30, "no_u_turn")
    (turn,) = read(drawing).turns
    assert (turn.nodes, turn.ways) == ([1, 2, 3, 4, 5], [10, 20, 20, 30])


def test_over_several_ways(drawing: Drawing, read: Read) -> None:
    for number, column, row in ((1, 0, 0), (2, 1, 0), (3, 2, 0), (4, 3, 0), (5, 4, 0)):
        drawing.node(number, column, row)
    for way, (one, other) in zip((10, 20, 21, 30), ((1, 2), (2, 3), (3, 4), (4, 5)), strict=True):
        drawing.street(way, [one, other])
    drawing.turn(1, 10, [("way", 20), ("way", 21)], 30, "only_straight_on")
    (turn,) = read(drawing).turns
    assert (turn.only, turn.nodes, turn.ways) == (True, [1, 2, 3, 4, 5], [10, 20, 21, 30])


def test_no_entry_from_several_sides(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    members = [("way", 10, "from"), ("way", 20, "from"), ("node", 5, "via"), ("way", 21, "to")]
    drawing.relation(1, members, type="restriction", restriction="no_entry")
    assert [turn.nodes for turn in read(drawing).turns] == [[4, 5, 8], [2, 5, 8]]


def test_a_sign_for_cars_counts_and_one_for_lorries_does_not(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    members = [("way", 10, "from"), ("node", 5, "via"), ("way", 21, "to")]
    drawing.relation(1, members, type="restriction", restriction__motorcar="no_left_turn")
    drawing.relation(2, members, type="restriction", restriction__hgv="no_left_turn")
    drawing.relation(3, members, type="restriction", restriction__conditional="no_left_turn @ (Mo-Fr 07:00-09:00)")
    drawing.relation(4, members, type="restriction:motorcar", restriction="no_left_turn")
    city = read(drawing)
    assert [turn.osm_id for turn in city.turns] == [1, 4]
    assert whys(city) == [OTHERS, CONDITIONAL]


def test_broken_signs_are_left_out_by_name(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    drawing.node(70, 9, 9)
    drawing.node(71, 9, 8)
    drawing.street(70, [70, 71])
    drawing.turn(1, 10, [("node", 5)], 99, "no_left_turn")
    drawing.turn(2, 10, [("node", 5)], 70, "no_left_turn")
    drawing.turn(3, 10, [], 21, "no_left_turn")
    drawing.turn(4, 10, [("node", 5)], 21, "no_flying")
    drawing.turn(5, 10, [("way", 70)], 21, "no_left_turn")
    city = read(drawing)
    assert city.turns == []
    assert whys(city) == [NOT_IN_FILE, APART, MEMBERS, UNKNOWN_SIGN, NO_CHAIN]
    assert [one.which for one in city.refused] == ["1", "2", "3", "4", "5"]


# ── Doors ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "doors"),
    [
        ("1234", [(1234, None)]),
        ("12-16", [(12, None), (14, None), (16, None)]),
        ("12;14", [(12, None), (14, None)]),
        ("12, 15", [(12, None), (15, None)]),
        ("12 bis", [(12, "bis")]),
        ("12A", [(12, "A")]),
        ("12/b", [(12, "B")]),
        ("10-9000", [(10, None), (9000, None)]),
        ("s/n", []),
        ("km 5", []),
    ],
)
def test_house_numbers(word: str, doors: list[tuple[int, str | None]]) -> None:
    assert doors_of(word) == doors


def test_doors_of_nodes_buildings_streets_relations_and_between(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    drawing.node(50, 0.1, 1.1, addr__street="Rioja", addr__housenumber="100")
    drawing.node(51, 0.9, 1.1, addr__street="Rioja", addr__housenumber="108")
    drawing.way(60, [50, 51], addr__interpolation="even")
    for number, column, row in ((52, 0.2, 0.2), (53, 0.3, 0.2), (54, 0.3, 0.3), (55, 0.2, 0.3)):
        drawing.node(number, column, row)
    drawing.way(61, [52, 53, 54, 55, 52], building="yes", addr__housenumber="33")
    drawing.relation(1, [("way", 20, "street"), ("way", 61, "house")], type="associatedStreet", name="Mitre")
    drawing.node(56, 0.5, 0.5, addr__housenumber="7")
    city = read(drawing)
    doors = sorted((door.street, door.number) for door in city.doors)
    assert doors == [("Mitre", 33), *(("Rioja", number) for number in (100, 102, 104, 106, 108))]
    middle = next(door for door in city.doors if door.number == 104)
    assert (middle.shape.x, middle.shape.y) == pytest.approx((-60.6595, -32.9589))
    assert [one.which for one in city.refused] == ["56"]
