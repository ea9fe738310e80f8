"""Real files of OpenStreetMap, and files that are no good."""

from __future__ import annotations

import bz2
import gzip
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import osmium
import pytest
import shapely

from geo.osm.reading import (
    BOTH_SIDES,
    CHANGES,
    CUT,
    DOCTYPE,
    EMPTY_FILE,
    HISTORY,
    NO_FILE,
    NO_STREETS,
    NOT_OSM,
    OUTLINE,
    TWICE,
    UNSAVED,
    OsmCity,
    read_osm,
)
from geo.refused import UnreadableFile
from tests.city.conftest import Drawing, links
from tests.conftest import real

Read = Callable[[Drawing], OsmCity]


# ── Real ones; what their SOURCE.md says of them ──────────────────────────────────────────────────


def test_monaco() -> None:
    city = read_osm(real("osm_small/monaco.osm.pbf"))
    assert len({turn.osm_id for turn in city.turns}) == 27
    assert Counter(one.kind for one in city.landmarks)["hospital"] >= 2
    assert {"Monaco", "La Turbie"} & city.boundaries.keys()
    layers = Counter(area.layer for area in city.areas)
    assert layers["buildings"] > 20_000
    assert all(street.a_node and street.shape.is_simple is not None for street in city.streets)
    assert len({street.osm_id for street in city.streets}) >= 1764
    (earth,) = (area.shape for area in city.areas if area.layer == "earth")
    assert earth.contains(shapely.Point(7.4217, 43.7314))  # the palace square
    assert not earth.intersects(shapely.Point(7.44, 43.72))  # the sea


def test_andorra_and_liechtenstein() -> None:
    andorra = read_osm(real("osm_small/andorra.osm.pbf"))
    assert "Andorra la Vella" in andorra.boundaries
    assert len(andorra.streets) > 2000
    liechtenstein = read_osm(real("osm_small/liechtenstein.osm.pbf"))
    assert len(liechtenstein.doors) >= 1000
    assert len(liechtenstein.turns) + sum(one.what == "relation" for one in liechtenstein.refused) >= 3


def test_porto_alegre() -> None:
    told: list[int] = []
    city = read_osm(real("osm_porto_alegre_br/poa_osm.pbf"), tell=told.append)
    assert told[-1] == 43264 + 16032 + 23
    ways = {street.osm_id for street in city.streets}
    assert len(ways) > 11_900
    assert len(city.streets) > 20_000


def test_campo_grande_is_read_through_gzip() -> None:
    city = read_osm(real("osm_campo_grande_br/campo-grande.osm.gz"))
    assert len({street.osm_id for street in city.streets}) > 3900
    assert sum(one.what == "way" and one.kept for one in city.refused) == 155  # cut at the edge of the extract


def test_only_what_is_inside_and_around() -> None:
    west, south, east, north = 9.50, 47.12, 9.54, 47.16  # Vaduz
    limits = shapely.box(west, south, east, north)
    city = read_osm(real("osm_small/liechtenstein.osm.pbf"), within=limits)
    assert 300 < len(city.streets) < 3000
    assert all(street.shape.intersects(limits) for street in city.streets)
    assert all(landmark.shape.within(limits) for landmark in city.landmarks)
    for area in city.areas:
        if area.layer not in {"earth", "boundaries", "water"}:
            assert area.shape.intersects(limits)


# ── No good ───────────────────────────────────────────────────────────────────────────────────────


def why_not(file: Path) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read_osm(file)
    return refused.value.why


@pytest.mark.parametrize("cut", [1, 3, 10, 100, 1000, 300_000, 565_385])
def test_a_cut_pbf(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "cut.osm.pbf"
    file.write_bytes(real("osm_small/andorra.osm.pbf").read_bytes()[:cut])
    assert why_not(file) == CUT


def test_a_damaged_pbf(tmp_path: Path) -> None:
    raw = bytearray(real("osm_small/andorra.osm.pbf").read_bytes())
    raw[200_000:200_400] = bytes(400)
    file = tmp_path / "damaged.osm.pbf"
    file.write_bytes(raw)
    assert why_not(file) == CUT


@pytest.mark.parametrize("cut", [200_000, 515_081])
def test_a_cut_gzip(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "cut.osm.gz"
    file.write_bytes(real("osm_campo_grande_br/campo-grande.osm.gz").read_bytes()[:cut])
    assert why_not(file) == CUT


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("text.osm.pbf", b"hola, esto no es un mapa", CUT),
        ("text.osm", b"hola, esto no es un mapa", CUT),
        ("page.osm", b"<html><body>Not found</body></html>", CUT),
        ("map.shp", b"x", NOT_OSM),
        ("empty.osm", b"", EMPTY_FILE),
        ("nothing.osm", b"<osm version='0.6'/>", NO_STREETS),
        ("changes.osm", b"<osmChange version='0.6'><create/></osmChange>", CHANGES),
        ("cut.osm", b"<osm version='0.6'><node id='1' lat='-32' lon='-60'/><node id", CUT),
        ("plain.osm.gz", b"<osm version='0.6'/>", NO_STREETS),
        ("plain.osm.bz2", b"<osm version='0.6'/>", NO_STREETS),
        ("number.osm", b"<osm version='0.6'><node id='1' lat='treinta' lon='-60'/></osm>", CUT),
        (
            "laughs.osm",
            b"<?xml version='1.0'?><!DOCTYPE osm [<!ENTITY a 'ja'><!ENTITY b '&a;&a;&a;&a;'>]><osm version='0.6'/>",
            DOCTYPE,
        ),
    ],
)
def test_files_that_are_no_city(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert why_not(file) == why


def test_laughs_in_a_gzip(tmp_path: Path) -> None:
    file = tmp_path / "laughs.osm.gz"
    file.write_bytes(gzip.compress(b"<!DOCTYPE osm [<!ENTITY a 'ja'>]><osm version='0.6'/>"))
    assert why_not(file) == DOCTYPE
    assert why_not(tmp_path / "gone.osm") == NO_FILE


def test_history_and_what_was_never_uploaded(tmp_path: Path, drawing: Drawing) -> None:
    file = tmp_path / "map.osm"
    good = drawing.cross().xml()
    file.write_text(good.replace("<node id='8'", "<node id='8' visible='false'"))
    assert why_not(file) == HISTORY
    file.write_text(good.replace("</osm>", "<way id='21'><nd ref='5'/></way></osm>"))
    assert why_not(file) == HISTORY
    file.write_text(good.replace("<way id='10'", "<node id='8' lat='-32.95' lon='-60.65'/><way id='10'"))
    assert why_not(file) == TWICE
    file.write_text(good.replace("'8'", "'-8'"))
    assert why_not(file) == UNSAVED


def test_ways_before_their_nodes_are_put_in_order(tmp_path: Path, drawing: Drawing) -> None:
    lines = drawing.cross().xml().splitlines()
    nodes, ways = lines[2:7], lines[7:11]
    file = tmp_path / "map.osm"
    file.write_text("\n".join([*lines[:2], *ways, *nodes[::-1], "</osm>"]))
    city = read_osm(file)
    assert links(city, 10) == [(4, 5)]
    assert len(city.streets) == 4


def test_nothing_is_written_beside_the_file(tmp_path: Path, drawing: Drawing) -> None:
    file = tmp_path / "map.osm"
    file.write_text(drawing.cross().xml())
    read_osm(file)
    assert os.listdir(tmp_path) == ["map.osm"]


# ── Areas ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_lake_with_an_island_and_a_park_that_crosses_itself(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    for number, (column, row) in enumerate([(3, 3), (6, 3), (6, 6), (3, 6), (4, 4), (5, 4), (5, 5), (4, 5)], 30):
        drawing.node(number, column, row)
    drawing.way(40, [30, 31, 32, 33, 30])
    drawing.way(41, [34, 35, 36, 37, 34])
    members = [("way", 40, "outer"), ("way", 41, "inner")]
    drawing.relation(1, members, type="multipolygon", natural="water", water="lake", name="Laguna")
    drawing.way(42, [30, 31, 33, 32, 30], leisure="park", name="Moño")
    drawing.relation(
        2, [("way", 40, "outer"), ("way", 99, "outer")], type="multipolygon", landuse="forest", name="Roto"
    )
    drawing.way(43, [30, 31, 32], building="yes", name="Abierto")
    city = read(drawing)
    (lake,) = (area for area in city.areas if area.name == "Laguna")
    assert (lake.layer, lake.kind, lake.kind_detail, len(lake.shape.interiors)) == ("water", "water", "lake", 1)
    assert {(one.name, one.why) for one in city.refused if one.why == OUTLINE} == {
        ("Moño", OUTLINE),
        ("Abierto", OUTLINE),
    }
    assert [one.facts for one in city.refused if one.name == "Roto"] == [{"missing": 1}]


def test_buildings_places_rivers_and_boundaries(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    for number, (column, row) in enumerate([(3, 3), (6, 3), (6, 6), (3, 6)], 30):
        drawing.node(number, column, row)
    drawing.way(40, [30, 31, 32, 33, 30], building="yes", building__levels="10", name="Torre")
    drawing.node(50, 1, 1, place="suburb", name="Pichincha", population="12.345")
    drawing.way(41, [30, 32], waterway="stream", name="Ludueña")
    drawing.relation(
        1, [("way", 40, "outer")], type="boundary", boundary="administrative", admin_level="8", name="Rosario"
    )
    city = read(drawing)
    assert "Rosario" in city.boundaries
    found = {
        (area.layer, area.kind, area.kind_detail, area.name, area.rank, area.shape.geom_type) for area in city.areas
    }
    assert {
        ("buildings", "building", None, "Torre", 30, "Polygon"),
        ("places", "neighbourhood", "suburb", "Pichincha", 12345, "Point"),
        ("water", "stream", None, "Ludueña", None, "LineString"),
        ("boundaries", "locality", "8", "Torre", None, "LineString"),
    } <= found


def test_the_sea_is_on_the_right_of_the_coast(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    drawing.node(30, 1.5, -1)
    drawing.node(31, 1.5, 3)
    drawing.way(40, [30, 31], natural="coastline")  # northward: land on the left, in the west
    (earth,) = (area.shape for area in read(drawing).areas if area.layer == "earth")
    assert earth.contains(shapely.Point(-60.6595, -32.959))
    assert not earth.intersects(shapely.Point(-60.6583, -32.959))
    drawing.ways[40] = ([31, 30], drawing.ways[40][1])
    (earth,) = (area.shape for area in read(drawing).areas if area.layer == "earth")
    assert not earth.intersects(shapely.Point(-60.6595, -32.959))


def test_a_coast_that_ends_in_the_city_leaves_land_everywhere(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    drawing.node(30, 1.5, 0.5)
    drawing.node(31, 1.5, 1.5)
    drawing.way(40, [30, 31], natural="coastline")
    (earth,) = (area.shape for area in read(drawing).areas if area.layer == "earth")
    assert earth.contains(shapely.Point(-60.6583, -32.959))


def test_landmarks_with_other_names_once(drawing: Drawing, read: Read) -> None:
    drawing.cross()
    for number, (column, row) in enumerate([(3, 3), (4, 3), (4, 4), (3, 4)], 30):
        drawing.node(number, column, row)
    drawing.way(40, [30, 31, 32, 33, 30], amenity="hospital", name="Hospital Clemente Álvarez", short_name="HECA")
    drawing.node(50, 3.5, 3.5, amenity="hospital", name="Hospital Clemente Álvarez")
    drawing.node(51, 3.5, 3.5, amenity="school")
    drawing.street(12, [6, 30], "Puente Molino", bridge="yes")
    city = read(drawing)
    assert {(one.kind, one.name, tuple(one.alt_names)) for one in city.landmarks} == {
        ("hospital", "Hospital Clemente Álvarez", ("HECA",)),
        ("bridge", "Puente Molino", ()),
    }
    assert city.nameless == 1


# ── Names, letters and endings that lie ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("claimed", ["ISO-8859-1", "windows-1252", "UTF-8", "cp850", "UTF-16", "nonsense"])
def test_letters_whatever_the_file_claims(tmp_path: Path, drawing: Drawing, claimed: str) -> None:
    text = drawing.cross().xml().replace("UTF-8", claimed).replace("Rioja", "Ludueña")
    encoding = {"UTF-8": "latin-1", "nonsense": "latin-1"}.get(claimed, claimed)
    file = tmp_path / "map.osm"
    file.write_bytes(b"\n" * (encoding != "UTF-16") + text.encode(encoding))
    assert {street.name for street in read_osm(file).streets} == {"Ludueña", "Mitre"}


@pytest.mark.parametrize("name", ["map.osm.pbf", "map.osm", "map.osm.gz", "map.OSM.BZ2"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"])
def test_files_are_known_by_what_is_in_them(
    tmp_path: Path, drawing: Drawing, name: str, pack: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / name
    file.write_bytes(pack(drawing.cross().xml().encode()))
    assert len(read_osm(file).streets) == 4


def test_a_pbf_by_any_name(tmp_path: Path, drawing: Drawing) -> None:
    (tmp_path / "plain.osm").write_text(drawing.cross().xml(), "utf-8")
    with osmium.SimpleWriter(str(tmp_path / "map.osm.pbf")) as writer:
        for thing in osmium.FileProcessor(str(tmp_path / "plain.osm")):
            writer.add(thing)
    for name in ("map.OSM.PBF", "map.osm.gz", "map.osm.bz2"):
        (tmp_path / name).write_bytes((tmp_path / "map.osm.pbf").read_bytes())
        assert len(read_osm(tmp_path / name).streets) == 4


def test_cut_anywhere(tmp_path: Path, drawing: Drawing) -> None:
    whole = drawing.cross().xml().encode()
    for end in range(1, len(whole) - 1, 7):
        file = tmp_path / "cut.osm"
        file.write_bytes(whole[:end])
        with pytest.raises(UnreadableFile):
            read_osm(file)


def test_what_was_deleted_in_josm(tmp_path: Path, drawing: Drawing) -> None:
    text = drawing.cross().xml().replace("version='0.6'", "version='0.6' generator='JOSM'")
    file = tmp_path / "map.osm"
    file.write_text(text, "utf-8")
    assert len(read_osm(file).streets) == 4
    file.write_text(text.replace("<way id='11'", "<way id='11' action='delete'"), "utf-8")
    with pytest.raises(UnreadableFile) as refused:
        read_osm(file)
    assert refused.value.why == HISTORY


def test_names_without_signs_that_nobody_sees(drawing: Drawing, read: Read) -> None:
    drawing.cross().street(10, [4, 5], "\u202eRio\u200bja")
    drawing.street(11, [5, 6], "\u200b")
    assert {street.name for street in read(drawing).streets} == {"Rioja", "Mitre", None}


def test_no_city_lies_on_both_sides_of_the_date_line(drawing: Drawing, read: Read) -> None:
    drawing.nodes = {1: (179.99, -16.0, {}), 2: (-179.99, -16.0, {})}
    drawing.street(1, [1, 2], "Wainiu")
    with pytest.raises(UnreadableFile) as refused:
        read(drawing)
    assert refused.value.why == BOTH_SIDES


def test_a_name_that_no_disk_holds(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_osm(tmp_path / f"{'a' * 300}.osm")
    assert refused.value.why == NO_FILE


def test_a_way_without_end_is_cut_where_a_link_would_be_too_long(drawing: Drawing, read: Read) -> None:
    nodes = [drawing.node(number, number / 1000, 0) for number in range(1, 5002)]
    drawing.street(1, nodes, "Ruta")
    city = read(drawing)
    assert links(city, 1) == [(1, 2000), (2000, 3999), (3999, 5001)]
