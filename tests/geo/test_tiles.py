"""What is in a tile: the words that the style asks for, less from afar, and nothing that spoils the rest."""

from __future__ import annotations

import json
import math
from typing import Any

import mapbox_vector_tile
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.landmarks import Landmark, lay_landmarks
from geo.layers import MapArea, lay_areas
from geo.numbering import AddressPoint, lay_address_points
from geo.streets import Street, Structure, lay_streets
from geo.tiles import GROUND, LAYERS, MAX_ZOOM, ROADS, cut_tile, tiles_over
from geo.zones import Zone, ZoneKind, lay_zones
from realtime.database import new_id
from tests.conftest import Client
from tests.geo.test_map import A_LINK
from web.launcher.layout import ROOT

# What the front end's style filters on and draws with; style.test.ts holds it to @protomaps/basemaps itself.
WORDS: dict[str, dict[str, list[str]]] = json.loads((ROOT / "web/ui/src/lib/map/words.json").read_text())
WEST, SOUTH = -60.6635, -32.9605
HERE = (-60.6600, -32.9570)
TYPES = {"String": str, "Number": int, "Boolean": bool}


def box(west: float, south: float, size: float) -> shapely.Polygon:
    return shapely.box(WEST + west, SOUTH + south, WEST + west + size, SOUTH + south + size)


def line(*positions: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(WEST + east, SOUTH + north) for east, north in positions])


def area(layer: str, kind: str, shape: shapely.Geometry, **more: Any) -> MapArea:
    return MapArea(**({"layer": layer, "kind": kind, "shape": shape} | more))


AREAS = [
    area("landuse", "park", box(0.001, 0.001, 0.002), name="Plaza"),
    area("landuse", "residential", box(0.0, 0.0, 0.006)),
    area("water", "river", box(0.0, 0.004, 0.004), name="Laguna"),
    area("water", "river", line((0.0, 0.0), (0.006, 0.006)), name="Arroyo"),
    area("water", "ditch", line((0.0, 0.001), (0.006, 0.001))),
    area("buildings", "building", box(0.002, 0.002, 0.0005), rank=12),
    area("boundaries", "locality", box(-0.01, -0.01, 0.016), kind_detail="8"),
    area("places", "locality", shapely.Point(HERE), kind_detail="city", name="Rosario", rank=1_000_000),
    area("places", "neighbourhood", shapely.Point(HERE[0], HERE[1] - 0.001), kind_detail="suburb", name="Centro"),
    area("places", "island", shapely.Point(HERE[0] + 0.001, HERE[1]), name="Isla"),
    area("roads", "rail", line((0.0, 0.003), (0.006, 0.003)), kind_detail="rail"),
    area("roads", "path", line((0.0, 0.0035), (0.006, 0.0035)), kind_detail="footway"),
]
STREETS = [
    Street(1, 2, line((0.005, 0.0), (0.001, 0.0)), "motorway", "Circunvalación", oneway=True),
    Street(2, 3, line((0.001, 0.0), (0.0, 0.002)), "motorway", oneway=True, ramp=True),
    Street(3, 4, line((0.0, 0.002), (0.005, 0.002)), "primary", "Pellegrini", structure=Structure.BRIDGE),
    Street(5, 6, line((0.0, 0.005), (0.005, 0.005)), "tertiary", "Túnel Celedonio", structure=Structure.TUNNEL),
    Street(6, 7, line((0.005, 0.005), (0.005, 0.001)), "residential", "Salta"),
    Street(7, 8, line((0.005, 0.001), (0.001, 0.001)), "raceway"),
]


async def lay(session: AsyncSession) -> None:
    """A little of everything."""
    await lay_streets(session, STREETS, "©")
    for layer in {each.layer for each in AREAS}:
        copies = [
            MapArea(layer=a.layer, kind=a.kind, kind_detail=a.kind_detail, name=a.name, rank=a.rank, shape=a.shape)
            for a in AREAS
            if a.layer == layer
        ]
        await lay_areas(session, layer, copies, "©")
    marks = [("hospital", "HECA"), ("school", "Normal 2"), ("bakery", "La Nuria")]
    await lay_landmarks(
        session,
        "test",
        [
            Landmark(id=new_id(), source="test", kind=kind, name=name, alt_names=[], shape=shapely.Point(HERE))
            for kind, name in marks
        ],
    )
    door = AddressPoint(street="Salta", number=1234, suffix="B", shape=shapely.Point(HERE))
    await lay_address_points(session, [door], "©")
    await session.flush()


def tile_over(longitude: float, latitude: float, z: int) -> tuple[int, int, int]:
    return next(tile for tile in tiles_over((longitude, latitude, longitude, latitude), z) if tile[0] == z)


async def decoded(session: AsyncSession, z: int, place: tuple[float, float] = HERE) -> dict[str, list[dict[str, Any]]]:
    """The features of each layer, properties and geometry."""
    found = mapbox_vector_tile.decode(await cut_tile(session, *tile_over(*place, z)))
    return {name: layer["features"] for name, layer in found.items()}


def named(features: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["properties"]["name"]: each["properties"] for each in features if "name" in each["properties"]}


async def test_a_tile_says_what_the_style_asks_for(session: AsyncSession) -> None:
    await lay(session)
    tile = await decoded(session, MAX_ZOOM)
    assert set(tile) == {layer.name for layer in LAYERS} == set(WORDS)
    for layer in LAYERS:
        assert set(WORDS[layer.name]["attributes"]) <= set(layer.fields), layer.name
        for feature in tile[layer.name]:
            properties = feature["properties"]
            assert set(properties) <= set(layer.fields)
            for name, value in properties.items():
                assert type(value) is TYPES[layer.fields[name]], (layer.name, name, value)
            if kinds := {*WORDS[layer.name]["kinds"], *({"earth"} if layer.name == "earth" else ())}:
                assert properties["kind"] in kinds, layer.name
    assert sorted(GROUND) == WORDS["landuse"]["kinds"]
    assert {kind for _, kind, _ in ROADS} < set(WORDS["roads"]["kinds"])


async def test_roads_in_the_words_of_the_style(session: AsyncSession) -> None:
    await lay(session)
    roads = (await decoded(session, MAX_ZOOM))["roads"]
    by_name = named(roads)
    ring = by_name["Circunvalación"]
    assert (ring["kind"], ring["kind_detail"], ring["min_zoom"], ring["oneway"]) == ("highway", "motorway", 0, "yes")
    assert by_name["Pellegrini"]["is_bridge"] is True
    assert by_name["Túnel Celedonio"]["is_tunnel"] is True
    details = {each["properties"]["kind_detail"]: each["properties"] for each in roads}
    assert details["raceway"]["kind"] == "other"
    assert details["rail"]["kind"] == "rail"
    assert details["footway"]["kind"] == "path"
    ramps = [each["properties"] for each in roads if "is_link" in each["properties"]]
    assert [ramp["kind_detail"] for ramp in ramps] == ["motorway"]
    assert [each["properties"]["min_zoom"] for each in roads] == sorted(
        (each["properties"]["min_zoom"] for each in roads), reverse=True
    ), "the large ones are drawn last"


async def test_arrows_run_as_the_street_does(session: AsyncSession) -> None:
    half, end = (0.003, 0.0), (0.005, 0.0)
    await lay_streets(
        session,
        [
            Street(2, 3, line(half, (0.001, 0.0)), "residential", "Salta", oneway=True),
            Street(1, 2, line(end, half), "residential", "Salta", oneway=True),
        ],
        "©",
    )
    (road,) = (await decoded(session, MAX_ZOOM))["roads"]
    assert road["geometry"]["type"] == "LineString"
    eastings = [x for x, _ in road["geometry"]["coordinates"]]
    assert eastings == sorted(eastings, reverse=True), "joined to one line from east to west"
    assert road["properties"]["oneway"] == "yes"
    (afar,) = (await decoded(session, 14))["roads"]
    assert "oneway" not in afar["properties"]


async def test_from_afar_there_is_less(session: AsyncSession) -> None:
    await lay(session)
    near, block, quarter, city, region = [await decoded(session, z) for z in (15, 14, 13, 11, 8)]
    assert "buildings" in block
    assert "buildings" not in quarter
    assert {each["properties"]["kind"] for each in near["buildings"]} == {"building", "address"}
    assert {each["properties"]["kind"] for each in block["buildings"]} == {"building"}
    (door,) = [each["properties"] for each in near["buildings"] if each["properties"]["kind"] == "address"]
    assert door["addr_housenumber"] == "1234B"
    zooms = {name: mark["min_zoom"] for name, mark in named(near["pois"]).items()}
    assert zooms == {"HECA": 12, "Normal 2": 15, "La Nuria": 17}, "the deepest tile is stretched; the style asks"
    assert set(named(quarter["pois"])) == {"HECA"}
    assert "pois" not in city
    kinds = [{each["properties"]["kind"] for each in tile["roads"]} for tile in (near, block, city, region)]
    assert kinds == [
        {"highway", "major_road", "minor_road", "other", "rail", "path"},
        {"highway", "major_road", "minor_road", "other", "rail", "path"},
        {"highway", "major_road", "rail"},
        {"highway", "major_road"},
    ]
    assert set(named(region["places"])) == {"Rosario"}
    assert set(named(quarter["places"])) == {"Rosario", "Centro"}
    assert "landuse" not in region, "a park of one pixel is none"


async def test_a_place_has_its_rank(session: AsyncSession) -> None:
    await lay(session)
    tile = await decoded(session, 13)
    places = named(tile["places"])
    assert (places["Rosario"]["population"], places["Rosario"]["population_rank"]) == (1_000_000, 11)
    assert "population" not in places["Centro"]
    assert places["Rosario"]["sort_key"] < places["Centro"]["sort_key"], "drawn first where there is little room"
    assert named(tile["earth"])["Isla"]["kind"] == "island"
    (limit,) = tile["boundaries"]
    assert limit["properties"] == {"kind": "locality", "kind_detail": 8}
    assert limit["geometry"]["type"].endswith("LineString")


async def test_zones_lend_their_names_only_where_the_map_has_none(session: AsyncSession) -> None:
    shape = shapely.MultiPolygon([box(0.0, 0.0, 0.006)])
    await lay_zones(
        session,
        [
            Zone(id=new_id(), kind=ZoneKind.BARRIO, name="Pichincha", shape=shape, population=900),
            Zone(id=new_id(), kind=ZoneKind.JURISDICTION, name="Ciudad", shape=shape),
        ],
    )
    tile = await decoded(session, 13)
    kinds = {name: place["kind"] for name, place in named(tile["places"]).items()}
    assert kinds == {"Pichincha": "neighbourhood", "Ciudad": "locality"}
    assert [limit["properties"] for limit in tile["boundaries"]] == [{"kind": "locality", "kind_detail": 8}]
    await lay(session)
    assert set(named((await decoded(session, 13))["places"])) == {"Rosario", "Centro"}


async def test_a_sheet_of_water_is_named_once(session: AsyncSession) -> None:
    lake = area("water", "lake", shapely.box(WEST - 0.02, SOUTH - 0.02, WEST + 0.02, SOUTH + 0.02), name="Laguna")
    await lay_areas(session, "water", [lake], "©")
    await session.flush()
    names = shapes = 0
    for tile in tiles_over((WEST - 0.02, SOUTH - 0.02, WEST + 0.02, SOUTH + 0.02), 13):
        if tile[0] == 13:
            water = mapbox_vector_tile.decode(await cut_tile(session, *tile))["water"]["features"]
            names += len(named(water))
            shapes += sum(each["geometry"]["type"] == "Polygon" for each in water)
    assert names == 1
    assert shapes > 1


POISON = {
    "a NaN among good vertices": "ST_MakeLine(ARRAY[ST_MakePoint({w}, {s}), ST_MakePoint('NaN', {s}), {end}])",
    "half of it a NaN": "ST_MakeLine(ARRAY[ST_MakePoint({w}, {s}), ST_MakePoint({w}, 'NaN'), {end}])",
    "a bow tie": "ST_MakePolygon(ST_MakeLine(ARRAY[ST_MakePoint({w}, {s}), {end}, ST_MakePoint({w}, {s} + 0.005),"
    " ST_MakePoint({w} + 0.005, {s}), ST_MakePoint({w}, {s})]))",
    "to the poles": "ST_MakeEnvelope(-180, -90, 180, 90)",
    "curved": "'CURVEPOLYGON(CIRCULARSTRING({w} {s}, -60.65 -32.95, {w} {s}))'::geometry",
    "of no area": "ST_MakePolygon(ST_MakeLine(ARRAY[ST_MakePoint({w}, {s}), {end}, {end}, ST_MakePoint({w}, {s})]))",
    "a heap": "ST_Collect(ST_MakePoint({w}, {s}), ST_MakeEnvelope({w}, {s}, -60.65, -32.95))",
}


async def _without_the_wall(session: AsyncSession, table: str) -> None:
    """Rows can be older than the check that would refuse them."""
    await session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_shape_finite"))


@pytest.mark.parametrize("layer", ["earth", "landuse", "water", "buildings", "boundaries", "places", "roads"])
@pytest.mark.parametrize("poison", POISON)
async def test_one_bad_shape_does_not_spoil_a_tile(session: AsyncSession, poison: str, layer: str) -> None:
    await lay(session)
    shape = POISON[poison].format(w=WEST, s=SOUTH, end=f"ST_MakePoint({WEST} + 0.005, {SOUTH} + 0.005)")
    await _without_the_wall(session, "map_areas")
    into = "INSERT INTO map_areas (layer, kind, name, shape) VALUES (:layer, 'park', 'malo',"
    await session.execute(text(f"{into} ST_SetSRID({shape}, 4326))"), {"layer": layer})
    for z in (0, 5, 13, 14, 15):
        tile = await decoded(session, z)
        for features in tile.values():
            for feature in features:
                numbers = shapely.get_coordinates(shapely.geometry.shape(feature["geometry"]))
                assert all(math.isfinite(number) for number in numbers.ravel())
    assert "Pellegrini" in named(tile["roads"])


async def test_a_street_with_a_nan_is_left_out_alone(session: AsyncSession) -> None:
    await lay(session)
    before = len((await decoded(session, 15))["roads"])
    shape = POISON["a NaN among good vertices"].format(w=WEST, s=SOUTH, end=f"ST_MakePoint({WEST}, {SOUTH} + 0.005)")
    await _without_the_wall(session, "street_links")
    await session.execute(text(f"{A_LINK} ST_SetSRID({shape}, 4326))"))
    assert len((await decoded(session, 15))["roads"]) == before


def test_the_tiles_over_a_frame() -> None:
    assert list(tiles_over((-180, -85, 180, 85), 1)) == [(0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)]
    assert len(list(tiles_over((*HERE, *HERE)))) == MAX_ZOOM + 1
    assert tile_over(*HERE, 12) == (12, 1357, 2445)


async def test_what_the_map_is(client: Client) -> None:
    about = (await client.get("/api/v1/tiles.json")).json()
    assert about["tilejson"] == "3.0.0"
    assert (about["minzoom"], about["maxzoom"], about["scheme"]) == (0, MAX_ZOOM, "xyz")
    west, south, east, north = about["bounds"]
    assert west < about["center"][0] < east
    assert south < about["center"][1] < north
    assert {layer["id"]: set(layer["fields"]) for layer in about["vector_layers"]} == {
        layer.name: set(layer.fields) for layer in LAYERS
    }
    (address,) = about["tiles"]
    assert address.startswith("http://")
    tile = address.format(z=12, x=1357, y=2443)
    found = await client.get(tile)
    assert found.status_code == 200
    assert "immutable" in found.headers["cache-control"], "an address that names its edition never shows another"
    again = await client.get(tile, headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    old = await client.get(tile.split("?")[0], params={"edition": "an-old-one"})
    assert old.content == found.content
    assert "immutable" not in old.headers["cache-control"]
