"""Real clients read it as it really runs, through the web process: GDAL's ogrinfo and ogr2ogr, and OWSLib."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from morecantile import tms as tile_matrix_sets
from owslib.ogcapi.features import Features

from tests.opendata.conftest import features
from tests.served import Served, eventually
from web.opendata.service import PLACE

Ogr = Callable[..., str]


@pytest.fixture(scope="session")
def address(served: Served) -> str:
    """Where people find open data."""
    return f"{served.address}{PLACE}"


# ── GDAL ──────────────────────────────────────────────────────────────────────────────────────────


def test_ogrinfo_lists_the_layers(ogr: Ogr, address: str) -> None:
    said = ogr("ogrinfo", "-ro", f"OAPIF:{address}")
    for layer in ("calles", "zonas", "cortes", "lugares", "agua", "cursos_de_agua", "suelo"):
        assert f": {layer} " in said or f": {layer}\n" in said, said


def test_ogrinfo_tells_the_fields_and_the_extent_of_a_layer(ogr: Ogr, address: str) -> None:
    said = ogr("ogrinfo", "-ro", "-so", f"OAPIF:{address}", "calles")
    assert "Geometry: Line String" in said
    assert "Feature Count: 251" in said
    assert "Extent: (-60.660000, -32.950000)" in said
    for field in ("nombre: String", "mano_unica: Integer(Boolean)", "velocidad_kmh: Real", "osm_id: Integer"):
        assert field in said, said


def test_ogrinfo_filters_on_the_server(ogr: Ogr, address: str) -> None:
    where = "clase='primary' AND velocidad_kmh>10"
    said = ogr("ogrinfo", "-ro", "-q", "-where", where, f"OAPIF:{address}", "calles")
    assert said.count("OGRFeature") == 1
    assert "nombre (String) = Avenida Pellegrini" in said


def test_ogr2ogr_takes_all_pages_and_cuts_by_a_box(ogr: Ogr, address: str) -> None:
    everything = ogr("ogr2ogr", "-f", "GeoJSON", "-oo", "PAGE_SIZE=40", "/vsistdout/", f"OAPIF:{address}", "calles")
    assert len({feature["properties"]["nombre"] for feature in features(everything)}) == 251
    box = ("-spat", "-60.6601", "-32.9501", "-60.6499", "-32.9499")
    cut = ogr("ogr2ogr", "-f", "GeoJSON", *box, "/vsistdout/", f"OAPIF:{address}", "calles")
    assert [feature["properties"]["nombre"] for feature in features(cut)] == ["Avenida Pellegrini"]


def test_ogr2ogr_makes_a_geopackage_of_every_layer(ogr: Ogr, address: str, tmp_path: Path) -> None:
    file = tmp_path / "ciudad.gpkg"
    ogr("ogr2ogr", "-f", "GPKG", str(file), f"OAPIF:{address}")
    said = ogr("ogrinfo", "-ro", "-so", "-al", str(file))
    for layer in ("calles", "zonas", "cortes", "lugares", "agua", "cursos_de_agua", "suelo"):
        assert f"Layer name: {layer}" in said


def test_ogrinfo_reads_a_tile(ogr: Ogr, address: str) -> None:
    square = tile_matrix_sets.get("WebMercatorQuad").tile(-60.655, -32.95, 15)
    tile = f"{address}/teselas/calles/{square.z}/{square.x}/{square.y}.pbf"
    said = ogr("ogrinfo", "-ro", "-al", f"MVT:{tile}")
    assert "Layer name: calles" in said
    assert "Avenida Pellegrini" in said


# ── OWSLib ────────────────────────────────────────────────────────────────────────────────────────


def test_owslib_finds_its_way(address: str) -> None:
    client = Features(f"{address}/")
    assert client.links
    conformance = client.conformance()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in conformance
    assert not [one for one in conformance if one.endswith("/html")]
    assert {"calles", "zonas"} <= set(client.feature_collections())
    assert client.collection("calles")["title"] == "Calles"
    assert client.api()["openapi"].startswith("3.0")
    properties = client.collection_queryables("calles")["properties"]
    assert properties["velocidad_kmh"] == {"title": "Velocidad habitual, km/h", "type": "number"}


def test_owslib_asks_with_a_box_a_filter_and_pages(address: str) -> None:
    client = Features(f"{address}/")
    box = client.collection_items("calles", bbox=[-60.6601, -32.9501, -60.6499, -32.9499])
    assert box["numberMatched"] == 1
    text = client.collection_items("calles", filter="nombre LIKE 'Calle 1%' AND mano_unica = false", limit=5)
    assert (text["numberMatched"], text["numberReturned"]) == (110, 5)
    tree = {"op": "=", "args": [{"property": "nombre"}, "Calle 30"]}
    by_tree = client.collection_items("calles", filter=json.dumps(tree), **{"filter-lang": "cql2-json"})
    assert by_tree["features"][0]["properties"]["nombre"] == "Calle 30"
    second = client.collection_items("calles", limit=200, offset=200)
    assert second["numberReturned"] == 51
    one = second["features"][0]
    assert client.collection_item("calles", one["id"])["geometry"] == one["geometry"]
    during = client.collection_items("zonas", datetime_="2026-01-01T00:00:00Z/..")
    assert {zone["properties"]["nombre"] for zone in during["features"]} == {"Oeste", "Este"}


# ── Through the one port ──────────────────────────────────────────────────────────────────────────


def test_the_front_door_hands_over_what_is_asked_and_keeps_who_asks(address: str) -> None:
    answer = httpx2.get(f"{address}?x=1", headers={"Cookie": "session=secret"})
    assert answer.status_code == 400
    landing = httpx2.get(f"{address}?f=json").json()
    assert landing["links"][0]["href"] == f"{address}/"
    tile = httpx2.get(f"{address}/teselas/calles/15/0/0.pbf")
    assert (tile.status_code, tile.content) == (200, b"")
    again = httpx2.get(tile.url, headers={"If-None-Match": tile.headers["etag"]})
    assert again.status_code == 304
    assert httpx2.head(f"{address}/collections").status_code == 200
    assert httpx2.options(f"{address}/collections").headers["access-control-allow-origin"] == "*"
    assert httpx2.post(f"{address}/collections").status_code == 405
    assert httpx2.get(f"{address}/..%2fapi/v1/units").status_code == 404
    assert httpx2.get(f"{address}/%2e%2e/people").status_code == 404


def test_while_it_is_away_nothing_else_is_missing_and_then_it_is_back(served: Served, address: str) -> None:
    served.kill("opendata")
    answer = httpx2.get(f"{address}/collections")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert httpx2.get(f"{served.address}/ready").status_code == 200
    served.start("opendata")
    eventually(lambda: httpx2.get(f"{address}/collections").status_code == 200, 60, served.last_words)
