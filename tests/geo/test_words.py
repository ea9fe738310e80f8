"""A place as a dispatcher reads it out."""

from __future__ import annotations

import pytest
import shapely

from geo.places import Point, point
from geo.streets import StreetLink, and_before, place_words, tidy_name


def link(name: str | None, a: int, b: int, *line: tuple[float, float]) -> StreetLink:
    return StreetLink(name=name, a_node=a, b_node=b, shape=shapely.LineString(line))


# Mitre runs east along three corners, 100 m apart; Salta, Italia and Jujuy cross it.
CORNERS = [(-60.650, -32.950), (-60.649, -32.950), (-60.648, -32.950)]
BLOCK = [
    link("Mitre", 1, 2, CORNERS[0], CORNERS[1]),
    link("Mitre", 2, 3, CORNERS[1], CORNERS[2]),
    link("Salta", 1, 4, CORNERS[0], (-60.650, -32.949)),
    link("Italia", 2, 5, CORNERS[1], (-60.649, -32.949)),
    link("Jujuy", 3, 6, CORNERS[2], (-60.648, -32.949)),
    link(None, 2, 7, CORNERS[1], (-60.649, -32.951)),
]


@pytest.mark.parametrize(
    ("place", "words", "corner"),
    [
        (point(-60.64902, -32.95003), "Mitre e Italia", "Italia"),
        (point(-60.64945, -32.95003), "Mitre entre Italia y Salta", "Italia"),
        (point(-60.64862, -32.95003), "Mitre entre Italia y Jujuy", "Italia"),
        (point(-60.64750, -32.95003), "Mitre cerca de Jujuy", "Jujuy"),
    ],
)
def test_a_corner_a_block_and_beyond(place: Point, words: str, corner: str) -> None:
    described = place_words(BLOCK, place, "Centro")
    assert (described.street, described.corner, described.zone, described.place) == ("Mitre", corner, "Centro", words)


def test_far_from_any_street_it_is_the_zone_and_never_a_wrong_street() -> None:
    assert place_words(BLOCK, point(-60.7, -33.0), "Isla").place == "Isla (-33.00000, -60.70000)"
    assert place_words([], point(-60.7, -33.0), None).place == "-33.00000, -60.70000"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Italia", "e"),
        ("Íntimo", "e"),
        ("Hipólito Yrigoyen", "e"),
        ("Salta", "y"),
        ("Hierro", "y"),
        ("Yapeyú", "y"),
        ("Iota", "y"),
    ],
)
def test_y_becomes_e_before_its_own_sound(name: str, word: str) -> None:
    assert and_before(name) == word


def test_names_are_tidied() -> None:
    assert tidy_name("  Av.  Colón ") == "Av. Colón"
    assert tidy_name("  ") is None
    assert tidy_name(None) is None
