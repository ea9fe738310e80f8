"""Nothing gets in that is not a place: the catalogue of bad geometry, and what is let through."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.places import (
    BadGeometry,
    CoordinatesRefused,
    CrsRefused,
    GeometryEmpty,
    GeometryTooLarge,
    GeometryTooSmall,
    GeometryTypeRefused,
    NotGeometry,
    NullIsland,
    OutsideTheWorld,
    OverTheEdge,
    RingNotClosed,
    ShapeInvalid,
    ShapeTooWide,
    check_shape,
    geojson,
    metres,
    parse_box,
    parse_geometry,
    parse_point,
    point,
)

AREAS = {"Polygon", "MultiPolygon"}
SQUARE = [[-71.0, -30.0], [-70.9, -30.0], [-70.9, -29.9], [-71.0, -29.9], [-71.0, -30.0]]


def as_point(coordinates: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": coordinates}


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (as_point([None, 1]), CoordinatesRefused),
        (as_point(["1", "2"]), CoordinatesRefused),
        (as_point([True, 1]), CoordinatesRefused),
        (as_point([math.nan, 1]), CoordinatesRefused),
        (as_point([math.inf, 1]), CoordinatesRefused),
        (as_point([1]), CoordinatesRefused),
        (as_point([1, 2, 3, 4, 5]), CoordinatesRefused),
        (as_point([1, 2, "3"]), CoordinatesRefused),
        (as_point([1, 2, 1e9]), CoordinatesRefused),
        (as_point([[1, 2]]), CoordinatesRefused),
        (as_point({"lon": 1, "lat": 2}), CoordinatesRefused),
        (as_point("1,2"), CoordinatesRefused),
        (as_point(None), CoordinatesRefused),
        (as_point([]), GeometryEmpty),
        (as_point([-34, -158]), OutsideTheWorld),
        (as_point([1e308, 1]), OutsideTheWorld),
        (as_point([10**400, 1]), OutsideTheWorld),
        (as_point([180.0001, 1]), OutsideTheWorld),
        (as_point([0, 0]), NullIsland),
        (as_point([-0.0, 1e-9]), NullIsland),
        ({"type": "point", "coordinates": [1, 2]}, GeometryTypeRefused),
        ({"type": ["Point"], "coordinates": [1, 2]}, GeometryTypeRefused),
        ({"type": "Polygon", "coordinates": [SQUARE]}, GeometryTypeRefused),
        ({"type": "Feature", "geometry": as_point([1, 2]), "properties": {}}, GeometryTypeRefused),
        ({"type": "GeometryCollection", "geometries": []}, GeometryTypeRefused),
        ({"coordinates": [1, 2]}, GeometryTypeRefused),
        ({"type": "Point"}, NotGeometry),
        (as_point([1, 2]) | {"crs": {"type": "name", "properties": {"name": "EPSG:3857"}}}, CrsRefused),
        (as_point([1, 2]) | {"role": "administrator"}, NotGeometry),
        ([1, 2], NotGeometry),
        (None, NotGeometry),
        ("POINT(1 2)", NotGeometry),
    ],
)
def test_what_is_no_point_is_refused_with_its_reason(raw: Any, refusal: type[BadGeometry]) -> None:
    with pytest.raises(refusal) as caught:
        parse_geometry(raw)
    assert caught.value.message.format_map(caught.value.facts)


@pytest.mark.parametrize(
    ("coordinates", "refusal"),
    [
        ([], GeometryEmpty),
        ([[]], GeometryEmpty),
        ([SQUARE[:3]], RingNotClosed),
        ([SQUARE[:-1]], RingNotClosed),
        ([[SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]], ShapeInvalid),  # a bow tie
        ([SQUARE, [[x + 1, y] for x, y in SQUARE]], ShapeInvalid),  # a hole outside
        ([SQUARE, SQUARE], ShapeInvalid),
        ([[*SQUARE[:2], [-70.5, -30.0], [-70.9, -30.0], *SQUARE[2:]]], ShapeInvalid),  # a spike
        ([[[-71, -30], [-71 + 2e-7, -30], [-71, -30 + 2e-7], [-71, -30]]], GeometryTooSmall),
        ([SQUARE * 500], GeometryTooLarge),
        (SQUARE, CoordinatesRefused),
    ],
)
def test_what_is_no_area_is_refused_with_its_reason(coordinates: Any, refusal: type[BadGeometry]) -> None:
    with pytest.raises(refusal):
        parse_geometry({"type": "Polygon", "coordinates": coordinates}, AREAS)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'"x"',
        b'{"type": "Point", "coordinates": [1, 2], "coordinates": [3, 4]}',
        b'{"type": "Point", "coordinates": [1e999, 0]}',
        b'{"type": "Point", "coordinates": [NaN, 1]}',
        b'{"type": "Point", "coordinates": [' + b"9" * 5000 + b", 1]}",
        b'{"type": "Point", "coordinates": [1, 2], "x": "\xff"}',
        '{"type": "Point", "coordinates": [1, 2]}'.encode("utf-16"),
        b"[" * 60_000,
        b'{"type": "GeometryCollection", "geometries": [' * 1300,
        b'{"type": "Polygon", "coordinates": [[' + b"[1,2]," * 20_000 + b"[1,2]]]}",
    ],
)
def test_bytes_that_hold_no_place_are_refused_in_no_time(raw: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(BadGeometry):
        parse_geometry(raw)
    assert time.perf_counter() - started < 0.5


def test_too_many_bytes_are_said_to_be_too_large() -> None:
    with pytest.raises(GeometryTooLarge) as caught:
        parse_geometry(b" " * 70_000)
    assert caught.value.status == 413


def test_the_dearest_shape_within_the_limit_is_judged_in_milliseconds() -> None:
    """A star whose every side crosses every other is the worst that 2,000 vertices can be."""
    turns = [2 * math.pi * (i * 999 % 1999) / 1999 for i in range(1999)]
    star = [[round(-71 + math.cos(t) / 10, 7), round(-30 + math.sin(t) / 10, 7)] for t in turns]
    started = time.perf_counter()
    with pytest.raises(ShapeInvalid):
        parse_geometry({"type": "Polygon", "coordinates": [[*star, star[0]]]}, AREAS)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("coordinates", "refusal"),
    [
        ([[[179, -17], [-179, -17], [-179, -16], [179, -16], [179, -17]]], OverTheEdge),  # over the antimeridian
        ([[[-60, -89], [-59, -89], [-59, -90], [-60, -89]]], OverTheEdge),
        ([[[-179, -84], [179, -84], [179, 84], [-179, 84], [-179, -84]]], OverTheEdge),
        ([[[-74, -55], [-53, -55], [-53, -22], [-74, -22], [-74, -55]]], ShapeTooWide),
        ([[[-60, -33], [-59.9, -33], [-59.9, -32.9], [-60, -32.9], [-60, -33]]], ShapeTooWide),  # 100 km²
    ],
)
def test_what_nobody_means_is_refused_with_its_reason(coordinates: Any, refusal: type[BadGeometry]) -> None:
    with pytest.raises(refusal) as caught:
        parse_geometry({"type": "Polygon", "coordinates": coordinates}, AREAS, max_square_metres=50e6)
    assert caught.value.message.format_map(caught.value.facts)


def test_a_bomb_is_refused_before_anything_is_built_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """61: 400,000 vertices never reach GEOS, in bytes or in an open file."""

    def built(*_: object) -> None:
        raise AssertionError("it was built")

    for name in ("Polygon", "MultiPolygon", "LineString"):
        monkeypatch.setattr(shapely, name, built)
    ring = [*([SQUARE[0], SQUARE[1]] * 200_000), SQUARE[0]]
    with pytest.raises(GeometryTooLarge):
        parse_geometry({"type": "Polygon", "coordinates": [ring]}, AREAS)
    with pytest.raises(GeometryTooLarge):
        parse_geometry(json.dumps({"type": "Polygon", "coordinates": [ring]}).encode(), AREAS)


@pytest.mark.parametrize(
    "raw", ["", "1,2,3", "1,2,3,x", "nan,0,1,1", "0,0,inf,1", "2,0,1,1", "0,2,1,1", "181,0,182,1", "1" * 200]
)
def test_what_is_no_box_is_refused(raw: str) -> None:
    with pytest.raises(BadGeometry):
        parse_box(raw)


def test_a_place_that_is_none_is_written_out_as_unknown() -> None:
    """It came in past the door and the wall: one NaN would make the whole answer unreadable."""
    with np.errstate(invalid="ignore"):
        nowhere, broken = shapely.from_wkt("POINT (NaN 1)"), shapely.from_wkt("LINESTRING (1 1, NaN 2, 3 3)")
    for spoilt in (nowhere, broken, shapely.Point()):
        assert geojson(spoilt) is None
    for spoilt in (broken, shapely.box(-200, 1, 2, 3), shapely.Polygon()):
        with pytest.raises(BadGeometry):
            check_shape(spoilt)


def test_places_come_in_rounded_flat_and_in_one_piece() -> None:
    place = parse_point(b'{"type": "Point", "coordinates": [-71.25000000001, -29.92, 35.5]}')
    assert (place.x, place.y, place.has_z) == (-71.25, -29.92, False)
    assert parse_point(as_point([180, -90])) == shapely.Point(180, -90)
    assert parse_point(as_point([-71, -0.0])) == shapely.Point(-71, 0)
    area = parse_geometry({"type": "Polygon", "coordinates": [SQUARE], "bbox": [0, 0, 1, 1]}, AREAS)
    assert geojson(area) == {"type": "Polygon", "coordinates": [SQUARE]}
    assert geojson(point(-71.25, -29.92)) == as_point([-71.25, -29.92])
    assert geojson(None) is None


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert metres(point(-71, -30), point(-71, -29)) == pytest.approx(111_195, rel=0.001)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)


@given(kind=st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "x"]), coordinates=json_values)
def test_whatever_comes_is_a_place_or_a_refusal(kind: str, coordinates: Any) -> None:
    raw = {"type": kind, "coordinates": coordinates}
    for form in (raw, json.dumps(raw).encode("utf-8", "surrogatepass")):
        try:
            shape = parse_geometry(form, {"Point", "LineString", "Polygon", "MultiPolygon"})
        except BadGeometry:
            continue
        assert shape.is_valid
        assert not shape.is_empty
