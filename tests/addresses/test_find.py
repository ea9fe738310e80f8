"""What people say of a place, and where it is found."""

from __future__ import annotations

import pluscodes
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.addresses import Kind, Match, Precision, find_in, is_sure
from geo.places import metres
from geo.street_index import StreetIndex
from tests.addresses.rosario import BLOCK_LAT, SOUTH, corner, index

CITY = index()
SAN_MARTIN = "Avenida San Martín"


def best(words: str) -> Match:
    found = find_in(CITY, words)
    assert found, words
    return found[0]


def at_height(number: int) -> shapely.Point:
    there = corner(SAN_MARTIN, "Rioja")
    return shapely.Point(there.x, SOUTH + (number - 1000) / 100 * BLOCK_LAT)


@pytest.mark.parametrize(
    ("words", "up", "across"),
    [
        ("Mitre y Rioja", "Bartolomé Mitre", "Rioja"),
        ("Rioja e Italia", "Italia", "Rioja"),
        ("italia y rioja", "Italia", "Rioja"),
        ("Mitre esq. Rioja", "Bartolomé Mitre", "Rioja"),
        ("esquina de Mitre y Rioja", "Bartolomé Mitre", "Rioja"),
        ("Mitre esquina Rioja", "Bartolomé Mitre", "Rioja"),
        ("Mitre/Rioja", "Bartolomé Mitre", "Rioja"),
        ("Mitre & Rioja", "Bartolomé Mitre", "Rioja"),
        ("Mitre con Rioja", "Bartolomé Mitre", "Rioja"),
        ("Mitre casi Rioja", "Bartolomé Mitre", "Rioja"),
        ("MITRE Y RIOJA", "Bartolomé Mitre", "Rioja"),
        ("mitre bartolome y rioja", "Bartolomé Mitre", "Rioja"),
        ("Mitre y Roija", "Bartolomé Mitre", "Rioja"),
        ("Mitrre y Rioga", "Bartolomé Mitre", "Rioja"),
        ("Mitre y Rio", "Bartolomé Mitre", "Rioja"),
        ("Mitre y Rioja, Rosario", "Bartolomé Mitre", "Rioja"),
        ("Mitre y Rioja Rosario", "Bartolomé Mitre", "Rioja"),
        ("Mitre y Rioja, Centro", "Bartolomé Mitre", "Rioja"),
        ("Mitre al 1200 y Rioja", "Bartolomé Mitre", "Rioja"),
        ("9 de julio y moreno", "Moreno", "9 de Julio"),
        ("nueve de julio y moreno", "Moreno", "9 de Julio"),
        ("27 de Febrero e Italia", "Italia", "27 de Febrero"),
        ("veintisiete de febrero y calle 5", "Calle 5", "27 de Febrero"),
        ("primero de mayo y Moreno", "Moreno", "1º de Mayo"),
        ("1ro. de Mayo y Moreno", "Moreno", "1º de Mayo"),
        ("Bv. Oroño y Salta", "Bulevar Oroño", "Salta"),
        ("orono y salta", "Bulevar Oroño", "Salta"),
        ("Bvar. Oronio y Salta", "Bulevar Oroño", "Salta"),
        ("Bulevar Santafesino y Ayacucho", "Bulevar Oroño", "Salta"),
        ("Gral. Paz y Gral. San Martín", SAN_MARTIN, "General Paz"),
        ("sanmartin y gral paz", SAN_MARTIN, "General Paz"),
        ("Fierro, Martín y Salta", "Martín Fierro", "Salta"),
        ("Martin Fierro y Salta", "Martín Fierro", "Salta"),
        ("Fierro Martín y Salta", "Martín Fierro", "Salta"),
        ("Moreno y Hierro", "Moreno", "Hierro"),
    ],
)
def test_corners(words: str, up: str, across: str) -> None:
    match = best(words)
    assert (match.kind, match.precision) == (Kind.CORNER, Precision.EXACT), match
    assert metres(match.place, corner(up, across)) < 15
    assert is_sure(find_in(CITY, words))
    assert match.words == words


def test_an_avenue_of_two_carriageways_has_one_corner() -> None:
    corners = [match for match in find_in(CITY, "Oroño y Salta") if match.kind is Kind.CORNER and match.score > 0.8]
    assert len(corners) == 1
    assert corners[0].label == "Bulevar Oroño y Salta"


def test_streets_that_do_not_meet_are_no_corner_but_what_was_said_is_there() -> None:
    found = find_in(CITY, "Mitre e Italia")
    assert not is_sure(found)
    assert {"Bartolomé Mitre", "Italia"} <= {match.street for match in found if match.kind is Kind.STREET}
    assert best("Av. Gral. José de San Martín y Paz").street == SAN_MARTIN, "more of a name than the map has"


def test_streets_that_nearly_meet_are_a_corner_that_says_so() -> None:
    match = best("Pasaje Mitre y Las Heras")
    assert (match.kind, match.precision) == (Kind.CORNER, Precision.INTERPOLATED)


@pytest.mark.parametrize(
    ("words", "number", "precision"),
    [
        ("San Martín 1090", 1090, "exact"),
        ("san martin n° 1090", 1090, "exact"),
        ("San Martin al 1090", 1090, "exact"),
        ("1090 San Martín", 1090, "exact"),
        ("Av. San Martín 1.090", 1090, "exact"),
        ("San Martín 1151 bis", 1151, "exact"),
        ("san martin 1090 3ro B", 1090, "exact"),
        ("San Martín 1090 piso 3 dpto 4", 1090, "exact"),
        ("SAN MARTIN 1090, ROSARIO", 1090, "exact"),
        ("San Martín, 1090", 1090, "exact"),
        ("San Martín 1090, barrio Centro", 1090, "exact"),
        ("San Martín 1090 Centro", 1090, "exact"),
        ("snamartin 1090", 1090, "exact"),
        ("San Marrtín 1090", 1090, "exact"),
        ("San Martín 1150", 1150, "interpolated"),
        ("San Martín 1250", 1250, "interpolated"),
        ("San Martín al 1300", 1300, "interpolated"),
        ("San Martín 1600", 1600, "block"),
    ],
)
def test_heights(words: str, number: int, precision: str) -> None:
    match = best(words)
    assert (match.kind, match.precision, match.number) == (Kind.ADDRESS, precision, number), match
    assert metres(match.place, at_height(number)) < 25
    assert match.street == SAN_MARTIN
    assert is_sure(find_in(CITY, words))


def test_a_height_that_nothing_is_known_of_is_a_street_and_says_so() -> None:
    for words in ("Italia 1234", "San Martín 9999", "9 de Julio 1234", "Calle 5 1234"):
        match = best(words)
        assert match.precision is Precision.STREET, words
        assert not is_sure(find_in(CITY, words)), "of the number nothing is known"
        assert match.kind is Kind.ADDRESS
        assert match.street in {"Italia", SAN_MARTIN, "San Martín", "9 de Julio", "Calle 5"}


@pytest.mark.parametrize(
    "words",
    [
        "Oroño entre Salta y Jujuy",
        "Oroño e/ Salta y Jujuy",
        "Bv Oroño 1200 entre Jujuy y Salta",
        "oronio entre salta y jujui",
        "Bulevar Oroño entre Salta y Jujuy, Rosario",
    ],
)
def test_between_two_streets(words: str) -> None:
    match = best(words)
    assert (match.kind, match.precision) == (Kind.BETWEEN, Precision.BLOCK)
    middle = shapely.LineString([corner("Bulevar Oroño", "Salta"), corner("Bulevar Oroño", "Jujuy")]).centroid
    assert metres(match.place, middle) < 40


def test_between_two_streets_with_a_known_height() -> None:
    match = best("San Martín 1150 entre San Juan y 9 de Julio")
    assert (match.kind, match.precision, match.number) == (Kind.BETWEEN, Precision.INTERPOLATED, 1150)
    assert metres(match.place, at_height(1150)) < 25


def test_two_streets_of_one_name_are_both_shown_and_told_apart() -> None:
    found = find_in(CITY, "San Martín")
    assert {match.zone for match in found[:2]} == {"Centro", "Villa del Este"}
    assert not is_sure(found)
    assert best("San Martín, Villa del Este").zone == "Villa del Este"
    assert best("San Martín barrio Centro").zone == "Centro"
    assert best("San Martín 151").zone == "Villa del Este", "the one that has such a number"
    both = find_in(CITY, "Mitre")
    assert [match.street for match in both[:2]] == ["Pasaje Mitre", "Bartolomé Mitre"]
    assert not is_sure(both)


def test_near_breaks_ties_and_nothing_else() -> None:
    east = shapely.Point(-60.617, -32.958)
    assert find_in(CITY, "San Martín", near=east)[0].zone == "Villa del Este"
    assert find_in(CITY, "Moreno y Rioja", near=east)[0].zone == "Centro"


@pytest.mark.parametrize(
    "words", ["HECA", "heca", "hospital clemente alvarez", "Hospital de Emergencias", "Clemente Alvares"]
)
def test_landmarks(words: str) -> None:
    match = best(words)
    assert (match.kind, match.precision) == (Kind.LANDMARK, Precision.EXACT)
    assert match.label == "Hospital de Emergencias Clemente Álvarez, Pellegrini 3205"


def test_quarters() -> None:
    for words in ("barrio Centro", "Centro", "Villa del Este", "villa del este"):
        assert (best(words).kind, best(words).precision) == (Kind.ZONE, Precision.ZONE)


@pytest.mark.parametrize(
    "words",
    [
        "-32.95, -60.66",
        "-32.95 -60.66",
        "-32,95 -60,66",
        "(-32.95; -60.66)",
        "32°57'S 60°39'36\"W",
        "32° 57' 0\" S, 60° 39' 36\" O",
        "32.95 S 60.66 W",
        "−32.95, −60.66",
        "https://www.google.com/maps/@-32.95,-60.66,17z",
        "https://maps.google.com/?q=-32.95,-60.66",
        "https://www.openstreetmap.org/?mlat=-32.95&mlon=-60.66",
        "geo:-32.95,-60.66",
        "32.95, 60.66",
        "-60.66, -32.95",
    ],
)
def test_coordinates_in_many_forms(words: str) -> None:
    found = find_in(CITY, words)
    assert len(found) == 1
    assert found[0].kind is Kind.COORDINATES
    assert metres(found[0].place, shapely.Point(-60.66, -32.95)) < 20


def test_plus_codes_whole_and_short() -> None:
    code = pluscodes.encode(-32.9477, -60.6576)
    whole, short = best(code), best(f"{code[4:]} Rosario")
    assert whole.kind is short.kind is Kind.PLUS_CODE
    assert metres(whole.place, short.place) < 1
    assert metres(whole.place, shapely.Point(-60.6576, -32.9477)) < 30
    assert find_in(CITY, "8FVC9G8F+6X") == [], "that is in Zürich"


@pytest.mark.parametrize(
    "words", ["48.85, 2.35", "", "   ", "zzzzqqq", "x" * 201, "&", "y", ",", "entre", "1234", "((("]
)
def test_what_means_nothing_here_finds_nothing_for_sure(words: str) -> None:
    assert not is_sure(find_in(CITY, words))


def test_typing_letter_by_letter_finds_it_early() -> None:
    words = "Martín Fierro"
    for upto in range(3, len(words) + 1):
        assert any(match.street == "Martín Fierro" for match in find_in(CITY, words[:upto])), words[:upto]


PARTS = st.sampled_from(
    [
        "Mitre",
        "San Martín",
        "y",
        "e",
        "entre",
        "esq.",
        "1234",
        "9",
        "de",
        "Julio",
        ",",
        "/",
        "barrio",
        "Centro",
        "e/",
        "&",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PARTS, max_size=9).map(" ".join)))
def test_no_words_break_it_or_lead_out_of_the_city(words: str) -> None:
    for match in find_in(CITY, words):
        assert 0 < match.score <= 1
        assert metres(match.place, shapely.Point(-60.64, -32.955)) < 60_000
        assert match.label
    assert find_in(StreetIndex([]), words) == [] or "." in words or "," in words or "°" in words
