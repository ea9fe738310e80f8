"""What open data answers: layers, pages, tiles, and a refusal with a 4xx for whatever it does not understand."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import httpx2
import mapbox_vector_tile
import pytest
from jsonschema import Draft202012Validator
from morecantile import tms as tile_matrix_sets
from sqlalchemy import make_url

from tests.opendata.conftest import CREDIT, furnish_map, make_role
from web.headers import ALWAYS
from web.opendata.service import create_open_data
from web.settings import Settings

Reader = httpx2.AsyncClient
GRID = tile_matrix_sets.get("WebMercatorQuad")


async def get(reader: Reader, path: str, **parameters: str | int) -> Any:
    answer = await reader.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_way_in_leads_to_everything(reader: Reader) -> None:
    landing = await get(reader, "/")
    links = {link["rel"]: link["href"] for link in landing["links"]}
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= links.keys()
    for link in landing["links"]:
        answer = await reader.get(link["href"])
        assert answer.status_code == 200, link
        assert answer.headers["content-type"].startswith(link["type"].partition(";")[0])
    assert landing["attribution"] == CREDIT


async def test_every_link_of_every_layer_leads_somewhere(reader: Reader) -> None:
    for layer in (await get(reader, "/collections"))["collections"]:
        assert layer == await get(reader, f"/collections/{layer['id']}")
        for link in layer["links"]:
            answer = await reader.get(link["href"])
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].startswith(link["type"]), link


async def test_layers_are_told_in_spanish_with_their_extent(reader: Reader) -> None:
    layers = {layer["id"]: layer for layer in (await get(reader, "/collections"))["collections"]}
    assert set(layers) >= {"calles", "zonas", "cortes", "lugares", "agua", "cursos_de_agua", "suelo"}
    assert layers["cursos_de_agua"]["title"] == "Cursos de agua"
    assert "dibujado en el sentido en que se circula" in layers["calles"]["description"]
    west, south, east, north = layers["calles"]["extent"]["spatial"]["bbox"][0]
    assert (west, south, north) == (-60.66, -32.95, -32.93)
    assert east == pytest.approx(-60.6341)


async def test_no_layer_tells_of_anybody(reader: Reader) -> None:
    spoken = set()
    for layer in (await get(reader, "/collections"))["collections"]:
        spoken |= (await get(reader, f"/collections/{layer['id']}/queryables"))["properties"].keys()
    allowed = {"id", "geom", "nombre", "otros_nombres", "clase", "detalle", "acceso", "mano_unica", "velocidad_kmh"}
    allowed |= {"largo_m", "osm_id", "poblacion", "desde", "hasta", "responsable", "direccion"}
    assert spoken <= allowed


async def test_a_page_leads_to_the_next_and_nothing_is_lost_between(reader: Reader) -> None:
    found: list[int] = []
    address: str | None = "/collections/calles/items?limit=100&clase=residential"
    pages = 0
    while address:
        page = (await reader.get(address)).json()
        pages += 1
        assert page["numberMatched"] == 250
        assert page["numberReturned"] == len(page["features"]) <= 100
        found += [feature["id"] for feature in page["features"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert (pages, len(found), len(set(found))) == (3, 250, 250)


async def test_the_time_stamp_is_now(reader: Reader) -> None:
    page = await get(reader, "/collections/calles/items", limit=1)
    told = dt.datetime.fromisoformat(page["timeStamp"])
    assert abs((dt.datetime.now(dt.UTC) - told).total_seconds()) < 60


async def test_one_feature_by_its_id(reader: Reader) -> None:
    for layer in ("calles", "zonas"):
        first = (await get(reader, f"/collections/{layer}/items", limit=1))["features"][0]
        one = await get(reader, f"/collections/{layer}/items/{first['id']}")
        assert one["properties"] == first["properties"]
        assert one["geometry"] == first["geometry"]


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"bbox": "-60.6601,-32.9501,-60.6499,-32.9499"}, {"Avenida Pellegrini"}),
        ({"bbox": "-60.6601,-32.9501,0,-60.6499,-32.9499,9"}, {"Avenida Pellegrini"}),
        ({"bbox": "0,0,1,1"}, set()),
        ({"filter": "clase = 'primary'"}, {"Avenida Pellegrini"}),
        ({"filter": "casei(nombre) LIKE casei('avenida%') AND mano_unica = true"}, {"Avenida Pellegrini"}),
        ({"filter": "osm_id IN (77, 78)"}, {"Avenida Pellegrini"}),
        ({"filter": "osm_id IS NOT NULL"}, {"Avenida Pellegrini"}),
        ({"filter": "NOT (nombre LIKE 'Calle%')"}, {"Avenida Pellegrini"}),
        ({"filter": "S_INTERSECTS(geom, POINT(-60.655 -32.95))"}, {"Avenida Pellegrini"}),
        ({"filter": "S_INTERSECTS(geom, BBOX(-60.66,-32.951,-60.65,-32.949))"}, {"Avenida Pellegrini"}),
        (
            {"filter": "nombre = 'Calle 12' OR nombre = 'Calle 13'", "bbox": "-60.65875,-33,-60.658,-32"},
            {"Calle 13"},
        ),
        ({"filter": '{"op":"=","args":[{"property":"nombre"},"Calle 15"]}', "filter-lang": "cql2-json"}, {"Calle 15"}),
        ({"nombre": "Calle 16"}, {"Calle 16"}),
        ({"mano_unica": "true"}, {"Avenida Pellegrini"}),
        ({"filter": "velocidad_kmh BETWEEN 55 AND 65"}, {"Avenida Pellegrini"}),
        ({"datetime": "2026-01-01T00:00:00Z", "clase": "primary"}, {"Avenida Pellegrini"}),
        ({"sortby": "-nombre", "limit": 1}, {"Calle 99"}),
    ],
)
async def test_what_is_asked_for_is_found(reader: Reader, parameters: dict[str, str | int], names: set[str]) -> None:
    page = await get(reader, "/collections/calles/items", **parameters)
    assert {feature["properties"]["nombre"] for feature in page["features"]} == names


async def test_only_the_properties_that_are_wanted(reader: Reader) -> None:
    page = await get(reader, "/collections/calles/items", limit=1, properties="nombre,clase")
    assert page["features"][0]["properties"].keys() == {"nombre", "clase"}
    page = await get(reader, "/collections/calles/items", limit=1, properties="")
    assert page["features"][0]["properties"] == {}


async def test_more_than_a_page_holds_is_a_full_page(reader: Reader) -> None:
    page = await get(reader, "/collections/calles/items", limit=123456)
    assert page["numberReturned"] == 251


async def test_properties_are_what_the_queryables_say(reader: Reader) -> None:
    for layer in (await get(reader, "/collections"))["collections"]:
        schema = await get(reader, f"/collections/{layer['id']}/queryables")
        Draft202012Validator.check_schema(schema)
        for feature in (await get(reader, f"/collections/{layer['id']}/items", limit=50))["features"]:
            told = {name: value for name, value in feature["properties"].items() if value is not None}
            Draft202012Validator(schema).validate(told)


async def test_the_interface_is_openapi_3_0_and_names_the_limits(reader: Reader) -> None:
    answer = await reader.get("/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    interface = answer.json()
    assert interface["openapi"].startswith("3.0")
    limit = next(
        one for one in interface["paths"]["/collections/{layer}/items"]["get"]["parameters"] if one["name"] == "limit"
    )
    assert limit["schema"]["maximum"] == 10_000
    assert "422" not in interface["paths"]["/"]["get"]["responses"]


# ── Tiles ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_tile_holds_the_streets_of_its_square(reader: Reader) -> None:
    paper = await get(reader, "/collections/calles/tiles/WebMercatorQuad/tilejson.json")
    assert paper["tilejson"] == "3.0.0"
    assert paper["attribution"] == CREDIT
    square = GRID.tile(-60.655, -32.95, 15)
    answer = await reader.get(paper["tiles"][0].format(z=square.z, x=square.x, y=square.y))
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    drawn = mapbox_vector_tile.decode(answer.content)
    assert list(drawn) == [paper["vector_layers"][0]["id"]] == ["calles"]
    assert "Avenida Pellegrini" in {feature["properties"]["nombre"] for feature in drawn["calles"]["features"]}
    fields = paper["vector_layers"][0]["fields"]
    assert all(feature["properties"].keys() <= fields.keys() for feature in drawn["calles"]["features"])

    by_ogc = await reader.get(f"/collections/calles/tiles/WebMercatorQuad/{square.z}/{square.y}/{square.x}")
    assert mapbox_vector_tile.decode(by_ogc.content) == drawn
    again = await reader.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_tile_can_be_filtered(reader: Reader) -> None:
    square = GRID.tile(-60.655, -32.94, 13)
    path = f"/teselas/calles/{square.z}/{square.x}/{square.y}.pbf"
    drawn = mapbox_vector_tile.decode((await reader.get(path, params={"filter": "nombre = 'Calle 20'"})).content)
    assert [feature["properties"]["nombre"] for feature in drawn["calles"]["features"]] == ["Calle 20"]


@pytest.mark.parametrize("path", ["15/1/x", "99/0/0", "1/2/0", "1/0/-1", "1/0/1e3", "3/99999999999999/0"])
async def test_a_tile_that_cannot_be_is_not_found(reader: Reader, path: str) -> None:
    assert (await reader.get(f"/teselas/calles/{path}.pbf")).status_code == 404


# ── Refusals ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=٣", "offset=-1", "offset=99999999"),
        *("bbox=1,2,3", "bbox=a,b,c,d", "bbox=1,2,nan,4", "bbox=10,0,-10,1", "bbox=0,0,1,91", "bbox=1,2,3,inf"),
        *("datetime=ayer", "datetime=2026-01-01", "datetime=../..", "datetime=/", "datetime=2026-01-01T00:00:00"),
        *("datetime=2026-02-01T00:00:00Z/2026-01-01T00:00:00Z", "datetime=a/b/c"),
        *(
            "unknown=1",
            "LIMIT=1",
            "limit=1&limit=2",
            "f=html",
            "f=csv",
            "crs=http://www.opengis.net/def/crs/EPSG/0/22185",
        ),
        *("sortby=password", "sortby=nombre;drop", "properties=password", "id=abc", "nombre=%00", "nombre=a%0Ab"),
        *("filter-lang=sql&filter=1", "geom=x", "mano_unica=quizás", "osm_id=1e999", "osm_id=99999999999999999999"),
    ],
)
async def test_what_is_not_understood_is_a_400(reader: Reader, query: str) -> None:
    answer = await reader.get(f"/collections/calles/items?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "es-AR"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/collections/people",
        "/collections/reports/items",
        "/collections/open_data.calles",
        "/collections/calles/items/x",
        "/collections/calles/items/99999999999999999999",
        "/collections/creditos",
        "/nothing",
        "/collections/zonas/items/'--",
        "/collections/calles/tiles/WorldCRS84Quad",
        "/docs",
        "/openapi.json",
    ],
)
async def test_what_there_is_not_is_a_404(reader: Reader, path: str) -> None:
    assert (await reader.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/", "/conformance", "/collections", "/collections/calles", "/api", "/ayuda"])
async def test_no_document_takes_a_parameter_that_it_does_not_know(reader: Reader, path: str) -> None:
    assert (await reader.get(path, params={"x": "1"})).status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_there_is_nothing_to_write(reader: Reader, method: str) -> None:
    answer = await reader.request(method, "/collections/calles/items", json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_every_answer_is_dressed_and_open_to_any_page(reader: Reader) -> None:
    for path in ("/", "/ayuda", "/collections/calles/items?limit=1", "/collections/nothing", "/?x=1"):
        answer = await reader.get(path, headers={"Origin": "https://mapa.example.org"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers
        for name in ALWAYS:
            assert name in answer.headers, (path, name)
    preflight = await reader.options("/collections", headers={"Access-Control-Request-Method": "GET"})
    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (204, "GET, HEAD, OPTIONS")


async def test_a_head_is_a_get_without_its_body(reader: Reader) -> None:
    answer = await reader.head("/collections/calles/items?limit=1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/geo+json"


async def test_people_get_a_page_that_needs_nothing_from_elsewhere(reader: Reader) -> None:
    answer = await reader.get("/", headers={"Accept": "text/html,*/*"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "ogr2ogr" in answer.text
    loaded = re.findall(r"(?:src|href)=\"(https?://[^\"]+)", answer.text) + re.findall(r"url\((.+?)\)", answer.text)
    assert [one for one in loaded if not one.startswith("http://ciudad.test/datos/")] == []
    assert "<script" not in answer.text
    assert "Layers" not in answer.text


async def test_a_city_that_is_laid_later_appears_without_a_restart(maintenance_url: str, database_url: str) -> None:
    """It starts on an empty city; what is drawn is there in the next answer, a closure too."""
    application = create_open_data(Settings(open_database_url=make_role(maintenance_url, database_url)))
    async with application.router.lifespan_context(application):
        transport = httpx2.ASGITransport(app=application, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://ciudad.test/datos") as client:
            layers = (await get(client, "/collections"))["collections"]
            assert {layer["id"] for layer in layers if "extent" in layer} == {"zonas"}
            for layer in ("calles", "cortes"):
                assert (await get(client, f"/collections/{layer}/items"))["features"] == []
            await furnish_map(database_url)
            for layer, many in (("calles", 251), ("cortes", 1)):
                assert (await get(client, f"/collections/{layer}/items"))["numberMatched"] == many


async def test_without_a_database_it_says_come_back(as_anybody: str) -> None:
    nowhere = make_url(as_anybody).set(database="nothing_of_that_name").render_as_string(hide_password=False)
    application = create_open_data(Settings(open_database_url=nowhere))
    async with application.router.lifespan_context(application):
        transport = httpx2.ASGITransport(app=application, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://ciudad.test/datos") as client:
            answer = await client.get("/collections")
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert (await client.get("/health")).status_code == 503
