"""The documents around the data: what there is, by which standards, and where each thing is found."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from morecantile import TileMatrixSet
from morecantile import tms as tile_matrix_sets

from web.opendata.layers import MAX_ZOOM, Layer, Shelf
from web.opendata.questions import WGS84

JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA_JSON = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
TILE = "application/vnd.mapbox-vector-tile"
GRID = "WebMercatorQuad"
_OGC = "http://www.opengis.net/spec"
_REL = "http://www.opengis.net/def/rel/ogc/1.0"

CONFORMS = [
    *(f"{_OGC}/ogcapi-common-1/1.0/conf/{one}" for one in ("core", "landing-page", "json", "oas30")),
    f"{_OGC}/ogcapi-common-2/1.0/conf/collections",
    *(f"{_OGC}/ogcapi-features-1/1.0/conf/{one}" for one in ("core", "oas30", "geojson")),
    *(f"{_OGC}/ogcapi-features-3/1.0/conf/{one}" for one in ("queryables", "queryables-query-parameters")),
    *(f"{_OGC}/ogcapi-features-3/1.0/conf/{one}" for one in ("filter", "features-filter")),
    *(f"{_OGC}/cql2/1.0/conf/{one}" for one in ("cql2-text", "cql2-json", "basic-cql2")),
    *(f"{_OGC}/cql2/1.0/conf/{one}" for one in ("advanced-comparison-operators", "case-insensitive-comparison")),
    *(f"{_OGC}/cql2/1.0/conf/{one}" for one in ("basic-spatial-functions", "spatial-functions")),
    *(f"{_OGC}/ogcapi-tiles-1/1.0/conf/{one}" for one in ("core", "tileset", "tilesets-list", "mvt", "oas30")),
]
_TYPES = {"integer": "integer", "bigint": "integer", "smallint": "integer", "float8": "number", "boolean": "boolean"}


class Papers:
    """Documents with the address that they were asked at."""

    def __init__(self, base: str, shelf: Shelf) -> None:
        """`base` ends without a slash."""
        self.base = base
        self.shelf = shelf

    @property
    def title(self) -> str:
        """Whose data these are."""
        return f"Datos abiertos de {self.shelf.city}" if self.shelf.city else "Datos abiertos de la ciudad"

    def landing(self) -> dict[str, Any]:
        """The way in."""
        return {
            "title": self.title,
            "description": "Calles, zonas y mapa base, sin datos de personas: OGC API – Features y teselas.",
            "attribution": self.shelf.credits,
            "links": [
                self._link("", "self", JSON, "Este documento"),
                self._link("/api", "service-desc", OPENAPI, "La interfaz, para programas"),
                self._link("/ayuda", "service-doc", "text/html", "Cómo se usa"),
                self._link("/conformance", "conformance", JSON, "Normas que cumple"),
                self._link("/collections", "data", JSON, "Capas"),
                self._link("/tileMatrixSets", f"{_REL}/tiling-schemes", JSON, "Grillas de teselas"),
            ],
        }

    def collections(self) -> dict[str, Any]:
        """All layers."""
        return {
            "links": [self._link("/collections", "self", JSON, "Capas")],
            "collections": [self.collection(layer) for layer in self.shelf.layers.values()],
        }

    def collection(self, layer: Layer) -> dict[str, Any]:
        """One layer."""
        here = f"/collections/{layer.id}"
        paper: dict[str, Any] = {
            "id": layer.id,
            "title": layer.title,
            "description": layer.description,
            "attribution": self.shelf.credits,
            "itemType": "feature",
            "crs": [WGS84],
            "storageCrs": WGS84,
            "links": [
                self._link(here, "self", JSON, layer.title),
                self._link(f"{here}/items", "items", GEOJSON, f"{layer.title}: los elementos"),
                self._link(f"{here}/queryables", f"{_REL}/queryables", SCHEMA_JSON, "Por qué se puede filtrar"),
                self._link(f"{here}/queryables", "queryables", SCHEMA_JSON, "Por qué se puede filtrar"),
                self._link(f"{here}/tiles", f"{_REL}/tilesets-vector", JSON, "Teselas vectoriales"),
                self._link(f"{here}/tiles/{GRID}/tilejson.json", "describedby", JSON, "TileJSON"),
            ],
        }
        if layer.box is not None:
            paper["extent"] = {"spatial": {"bbox": [list(layer.box)], "crs": WGS84}}
        return paper

    def queryables(self, layer: Layer) -> dict[str, Any]:
        """What filters may speak of, as JSON Schema."""
        properties: dict[str, Any] = {}
        for column in layer.properties:
            if column.is_geometry:
                kind = "any" if layer.shape == "Geometry" else layer.shape.lower()
                properties[column.name] = {"title": "Forma", "format": f"geometry-{kind}"}
                properties[column.name]["x-ogc-role"] = "primary-geometry"
                continue
            properties[column.name] = {
                "title": column.description or column.name,
                "type": _TYPES.get(column.type, "string"),
            }
            if column.is_datetime:
                properties[column.name]["format"] = "date-time"
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"{self.base}/collections/{layer.id}/queryables",
            "type": "object",
            "title": layer.title,
            "description": layer.description,
            "properties": properties,
            "additionalProperties": False,
        }

    def items(self, layer: Layer, found: dict[str, Any], said: list[tuple[str, str]]) -> dict[str, Any]:
        """A page of features, with the ways to the next and the one before."""
        here = f"/collections/{layer.id}/items"
        links = [
            self._link(here, "self", GEOJSON, "Esta página", said),
            self._link(f"/collections/{layer.id}", "collection", JSON, layer.title),
        ]
        for key, title in (("next", "Página siguiente"), ("prev", "Página anterior")):
            if found[key] is not None:
                other = [pair for pair in said if pair[0] != "offset"]
                links.append(self._link(here, key, GEOJSON, title, [*other, ("offset", str(found[key]))]))
        return {
            "type": "FeatureCollection",
            "timeStamp": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "numberMatched": found["matched"],
            "numberReturned": len(found["items"]),
            "links": links,
            "features": found["items"],
        }

    def item(self, layer: Layer, feature: dict[str, Any]) -> dict[str, Any]:
        """One feature."""
        here = f"/collections/{layer.id}"
        links = [
            self._link(f"{here}/items/{feature['id']}", "self", GEOJSON, layer.title),
            self._link(here, "collection", JSON, layer.title),
        ]
        return {**feature, "links": links}

    # ── Tiles ─────────────────────────────────────────────────────────────────────────────────────

    def tile_grids(self) -> dict[str, Any]:
        """The one grid."""
        link = self._link(f"/tileMatrixSets/{GRID}", "self", JSON, GRID)
        return {"tileMatrixSets": [{"id": GRID, "title": "Web Mercator", "uri": grid().uri, "links": [link]}]}

    def tilesets(self, layer: Layer) -> dict[str, Any]:
        """The ways a layer is cut into tiles: one."""
        here = f"/collections/{layer.id}/tiles"
        return {"links": [self._link(here, "self", JSON, layer.title)], "tilesets": [self.tileset(layer)]}

    def tileset(self, layer: Layer) -> dict[str, Any]:
        """How a layer is cut."""
        here = f"/collections/{layer.id}/tiles/{GRID}"
        template = self._link(f"{here}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", "item", TILE, "Las teselas")
        return {
            "title": layer.title,
            "dataType": "vector",
            "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
            "tileMatrixSetURI": str(grid().uri),
            "attribution": self.shelf.credits,
            "links": [
                self._link(here, "self", JSON, layer.title),
                self._link(f"/tileMatrixSets/{GRID}", f"{_REL}/tiling-scheme", JSON, GRID),
                self._link(f"{here}/tilejson.json", "describedby", JSON, "TileJSON"),
                {**template, "templated": True},
            ],
        }

    def tilejson(self, layer: Layer) -> dict[str, Any]:
        """TileJSON 3: what MapLibre and QGIS want to know of the tiles."""
        columns = [column for column in layer.properties if not column.is_geometry]
        paper: dict[str, Any] = {
            "tilejson": "3.0.0",
            "name": layer.title,
            "description": layer.description,
            "attribution": self.shelf.credits,
            "scheme": "xyz",
            "tiles": [f"{self.base}/teselas/{layer.id}/{{z}}/{{x}}/{{y}}.pbf"],
            "minzoom": layer.min_zoom,
            "maxzoom": MAX_ZOOM,
            "vector_layers": [
                {
                    "id": layer.id,
                    "description": layer.title,
                    "minzoom": layer.min_zoom,
                    "maxzoom": MAX_ZOOM,
                    "fields": {column.name: column.description or column.name for column in columns},
                }
            ],
        }
        if layer.box is not None:
            paper["bounds"] = list(layer.box)
        return paper

    def _link(
        self, path: str, rel: str, kind: str, title: str, query: list[tuple[str, str]] | None = None
    ) -> dict[str, Any]:
        asked = f"?{urlencode(query)}" if query else ""
        return {"href": f"{self.base}{path or '/'}{asked}", "rel": rel, "type": kind, "title": title}


def grid() -> TileMatrixSet:
    """How the world is cut into tiles."""
    return tile_matrix_sets.get(GRID)
