"""Map files of every sort, clean and dirty, through the one door."""

from __future__ import annotations

import io
import json
import random
import socket
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from geo.encodings import decoded, mended
from geo.files import (
    ARCHIVE_BOMB,
    ARCHIVE_PATH,
    BAD_ARCHIVE,
    BAD_CRS,
    CUT,
    DOCTYPE,
    EMPTY_FILE,
    NO_COLUMNS,
    NO_FILE,
    NO_LAYER,
    NO_NUMBERS,
    NOT_THAT,
    NOTHING_INSIDE,
    SEVERAL_INSIDE,
    SEVERAL_LAYERS,
    UNKNOWN_CRS,
    UNKNOWN_FORMAT,
    UNREADABLE_SHAPE,
    WITHOUT_PLACE,
    WRONG_ENCODING,
    MapFile,
    Wishes,
    read_map_file,
)
from geo.places import CoordinatesRefused, GeometryEmpty, GeometryTypeRefused, OutsideTheWorld, ShapeInvalid
from geo.refused import UnreadableFile
from tests.conftest import real

ANY = frozenset({"Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})
POLYGONS = frozenset({"Polygon", "MultiPolygon"})
SQUARE = [[-60.70, -32.95], [-60.69, -32.95], [-60.69, -32.94], [-60.70, -32.94], [-60.70, -32.95]]
POSGAR = Transformer.from_crs("EPSG:4326", "EPSG:22185", always_xy=True)
NEAR = (-60.80, -33.05, -60.60, -32.85)


def collection(*features: tuple[Any, dict[str, Any]], **more: Any) -> str:
    made = [{"type": "Feature", "geometry": geometry, "properties": fields} for geometry, fields in features]
    return json.dumps({"type": "FeatureCollection", "features": made, **more}, ensure_ascii=False)


def polygon(coordinates: Any = None) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [coordinates or SQUARE]}


def written(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def why_not(path: Path, wishes: Wishes = Wishes()) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as refused:
        read_map_file(path, ANY, wishes)
    return refused.value


def whys(found: MapFile) -> list[str]:
    return [one.why for one in found.refused]


def close_to_the_square(shape: Any) -> bool:
    return bool(shapely.box(-60.70, -32.95, -60.69, -32.94).symmetric_difference(shape).area < 1e-8)


def gml(name: str, positions: str, srs: str = "EPSG:4326", version: int = 2, encoding: str = "UTF-8") -> str:
    if version == 2:
        ring = f"<gml:LinearRing><gml:coordinates>{positions}</gml:coordinates></gml:LinearRing>"
        ring = f"<gml:outerBoundaryIs>{ring}</gml:outerBoundaryIs>"
        ns = "http://www.opengis.net/gml"
    else:
        ring = f"<gml:exterior><gml:LinearRing><gml:posList>{positions}</gml:posList></gml:LinearRing></gml:exterior>"
        ns = "http://www.opengis.net/gml/3.2"
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        f'<w:FeatureCollection xmlns:w="http://www.opengis.net/wfs" xmlns:gml="{ns}" xmlns:m="http://m/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="http://m/ http://127.0.0.1:9/schema.xsd">'
        f'<gml:featureMember><m:barrios gml:id="b.1"><m:geom><gml:Polygon gml:id="p" srsName="{srs}">{ring}'
        f"</gml:Polygon></m:geom><m:BARRIO>{name}</m:BARRIO></m:barrios></gml:featureMember></w:FeatureCollection>"
    )


LON_LAT = " ".join(f"{lon},{lat}" for lon, lat in SQUARE)
LAT_LON = " ".join(f"{lat} {lon}" for lon, lat in SQUARE)


# ── Real ones ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "count", "encoding", "crs_told"),
    [
        ("rosario_geo_ar/barrios.gml", 53, "cp1252", True),
        ("rosario_geo_ar/distritos_descentralizados.gml", 6, "utf-8", True),
        ("rosario_geo_ar/geo_vecinales.gml", 88, "utf-8", True),
        ("rosario_geo_ar/zonas_inundables_saladillo.gml", 87, "utf-8", True),
        ("rosario_geo_ar/autopistas.gml", 43, "utf-8", True),
        ("rosario_geo_ar/recorridos-stup.gml", 98, "utf-8", True),
        ("admin_ar/departamentos-santa_fe.json", 19, "utf-8", False),
        ("admin_ar/provincias_simplified.geojson", 24, "utf-8", True),
    ],
)
def test_real_files(name: str, count: int, encoding: str, crs_told: bool) -> None:
    file = real(name)
    beside = sorted(one.name for one in file.parent.iterdir())
    found = read_map_file(file, ANY)
    assert (len(found.features), found.refused, found.encoding, found.crs_told) == (count, [], encoding, crs_told)
    assert found.crs == "EPSG:4326"
    assert sorted(one.name for one in file.parent.iterdir()) == beside


def test_dos_letters_in_a_real_file() -> None:
    found = read_map_file(real("admin_ar/departamentos-santa_fe.json"), ANY)
    assert found.features[0].fields["cabecera"] == "CAÑADA DE GOMEZ"
    assert found.mended == 1


# ── Letters ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("CA¥ADA DE GOMEZ", "CAÑADA DE GOMEZ"),
        ("MartÃ\xadn FierrÃ³", "Martín Fierró"),
        ("¡Hola!", "¡Hola!"),
        ("Piñero", "Piñero"),
        ("SÃO PAULO", "SÃO PAULO"),
        ("100 £", "100 £"),
    ],
)
def test_names_are_put_right_where_that_is_certain(wrong: str, right: str) -> None:
    assert mended(wrong) == right


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "cp850", "utf-16"])
def test_encodings_are_found(encoding: str) -> None:
    text = "Cañada de Gómez, Ludueña, Echesortu, Fisherton, Álvarez, Oroño"
    assert decoded(text.encode(encoding))[0] == text


@pytest.mark.parametrize(
    ("claimed", "real_one"), [("ISO-8859-1", "cp1252"), ("ISO-8859-1", "utf-8"), ("UTF-8", "cp1252")]
)
@pytest.mark.parametrize("kind", ["gml", "kml"])
def test_xml_that_says_its_encoding_wrong(tmp_path: Path, kind: str, claimed: str, real_one: str) -> None:
    if kind == "gml":
        text = gml("Ludueña Norte", LON_LAT, encoding=claimed)
    else:
        place = "<Placemark><name>Ludueña Norte</name><Point><coordinates>-60.7,-32.9</coordinates></Point></Placemark>"
        text = f'<?xml version="1.0" encoding="{claimed}"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{place}</Document></kml>'
    (feature,) = read_map_file(written(tmp_path / f"map.{kind}", text, real_one), ANY).features
    assert "Ludueña Norte" in feature.fields.values()


def test_an_encoding_that_is_told(tmp_path: Path) -> None:
    text = "nombre;lon;lat\nCañada;-60,7;-32,9\n"
    file = written(tmp_path / "map.csv", text, "cp850")
    assert read_map_file(file, ANY, Wishes(encoding="cp850")).features[0].fields["nombre"] == "Cañada"
    assert why_not(file, Wishes(encoding="utf-8")).why == WRONG_ENCODING
    assert why_not(file, Wishes(encoding="klingon")).why == WRONG_ENCODING


# ── Projections and axes ──────────────────────────────────────────────────────────────────────────


def test_gml_with_latitude_first(tmp_path: Path) -> None:
    urn = gml("Centro", LAT_LON, "urn:ogc:def:crs:EPSG::4326", version=3)
    (feature,) = read_map_file(written(tmp_path / "map.gml", urn), POLYGONS).features
    assert close_to_the_square(feature.shape)


def test_gml_in_posgar_with_the_northing_first(tmp_path: Path) -> None:
    flat = [POSGAR.transform(lon, lat) for lon, lat in SQUARE]
    positions = " ".join(f"{north:.3f} {east:.3f}" for east, north in flat)
    file = written(tmp_path / "map.gml", gml("Centro", positions, "urn:ogc:def:crs:EPSG::22185", version=3))
    found = read_map_file(file, POLYGONS)
    assert (found.crs, found.crs_told) == ("EPSG:22185", True)
    assert close_to_the_square(found.features[0].shape)


def flat_square() -> list[list[float]]:
    return [list(POSGAR.transform(lon, lat)) for lon, lat in SQUARE]


def test_metres_without_a_projection_are_not_guessed(tmp_path: Path) -> None:
    file = written(tmp_path / "map.geojson", collection((polygon(flat_square()), {"nombre": "Centro"})))
    refused = why_not(file)
    assert refused.why == UNKNOWN_CRS
    assert "EPSG:22185" in refused.facts["candidates"]
    (feature,) = read_map_file(file, ANY, Wishes(crs="EPSG:22185")).features
    assert close_to_the_square(feature.shape)
    assert why_not(file, Wishes(crs="EPSG:1")).why == BAD_CRS


def test_geojson_of_the_old_sort_says_its_projection(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::22185"}}
    file = written(tmp_path / "map.geojson", collection((polygon(flat_square()), {}), crs=crs))
    found = read_map_file(file, ANY)
    assert (found.crs, found.crs_told) == ("EPSG:22185", True)
    assert close_to_the_square(found.features[0].shape)


def test_latitude_before_longitude_is_seen_by_where_the_city_is(tmp_path: Path) -> None:
    swapped = [[lat, lon] for lon, lat in SQUARE]
    file = written(tmp_path / "map.geojson", collection((polygon(swapped), {})))
    found = read_map_file(file, ANY, Wishes(near=NEAR))
    assert found.swapped
    assert close_to_the_square(found.features[0].shape)
    assert not read_map_file(file, ANY).swapped


# ── Formats ───────────────────────────────────────────────────────────────────────────────────────


def shapefile(folder: Path, *, crs: str | None, encoding: str = "utf-8", prj: bool = True) -> Path:
    """A zipped shapefile with one barrio, in POSGAR 94 belt 5."""
    folder.mkdir()
    shape = shapely.Polygon(flat_square())
    pyogrio.raw.write(
        str(folder / "barrios.shp"),
        np.array([shapely.to_wkb(shape)], dtype=object),
        [np.array(["Ludueña"], dtype=object)],
        ["BARRIO"],
        geometry_type="Polygon",
        crs=crs,
        encoding=encoding,
    )
    target = folder.parent / "barrios.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in folder.iterdir():
            if prj or part.suffix not in {".prj", ".cpg"}:
                archive.write(part, f"datos/{part.name}")
    return target


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp850"])
def test_a_zipped_shapefile_in_posgar(tmp_path: Path, encoding: str) -> None:
    found = read_map_file(shapefile(tmp_path / "with", crs="EPSG:22185", encoding=encoding), ANY)
    assert found.crs == "EPSG:22185"
    assert found.features[0].fields == {"BARRIO": "Ludueña"}
    assert close_to_the_square(found.features[0].shape)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("encoding", ["cp1252", "cp850"])
def test_a_shapefile_that_says_nothing(tmp_path: Path, encoding: str) -> None:
    file = shapefile(tmp_path / "without", crs=None, encoding=encoding, prj=False)
    assert why_not(file).why == UNKNOWN_CRS
    (feature,) = read_map_file(file, ANY, Wishes(crs="EPSG:22185")).features
    assert feature.fields == {"BARRIO": "Ludueña"}
    assert close_to_the_square(feature.shape)


def test_a_geopackage_and_its_layers(tmp_path: Path) -> None:
    file = tmp_path / "map.gpkg"
    for layer, name in (("barrios", "Centro"), ("distritos", "Norte")):
        pyogrio.raw.write(
            str(file),
            np.array([shapely.to_wkb(shapely.Polygon(SQUARE))], dtype=object),
            [np.array([name], dtype=object)],
            ["nombre"],
            geometry_type="Polygon",
            crs="EPSG:4326",
            layer=layer,
            append=file.exists(),
        )
    assert why_not(file).why == SEVERAL_LAYERS
    assert why_not(file, Wishes(layer="ríos")).why == NO_LAYER
    (feature,) = read_map_file(file, ANY, Wishes(layer="distritos")).features
    assert feature.fields["nombre"] == "Norte"


def test_cut_archives_and_databases(tmp_path: Path) -> None:
    source = shapefile(tmp_path / "with", crs="EPSG:22185")
    cut = tmp_path / "cut.zip"
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(cut, "w") as archive:
        for member in whole.namelist():
            content = whole.read(member)
            archive.writestr(member, content[:-20] if member.endswith(".shp") else content)
    assert why_not(cut).why == CUT
    package = tmp_path / "map.gpkg"
    shapes = np.array([shapely.to_wkb(shapely.Polygon(SQUARE))], dtype=object)
    pyogrio.raw.write(str(package), shapes, [], [], geometry_type="Polygon", crs="EPSG:4326", layer="barrios")
    package.write_bytes(package.read_bytes()[:-5000])
    assert why_not(package).why == CUT


def test_kml_and_kmz(tmp_path: Path) -> None:
    ring = " ".join(f"{lon},{lat},0" for lon, lat in SQUARE)
    ring = f"<outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs>"
    place = f"<Placemark><name>Centro</name><Polygon>{ring}</Polygon></Placemark>"
    text = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{place}</Document></kml>'
    file = written(tmp_path / "map.kml", text)
    with zipfile.ZipFile(tmp_path / "map.kmz", "w") as archive:
        archive.write(file, "doc.kml")
    for name in ("map.kml", "map.kmz"):
        (feature,) = read_map_file(tmp_path / name, ANY).features
        assert close_to_the_square(feature.shape)
        assert feature.fields["Name"] == "Centro"


def test_tables(tmp_path: Path) -> None:
    text = "Nombre;Longitud;Latitud\nHospital Centenario;-60,6665;-32,9381\nSin lugar;;\nRaro;x;y\n"
    found = read_map_file(written(tmp_path / "map.csv", text, "cp1252"), ANY)
    assert [(one.fields["Nombre"], one.shape.x) for one in found.features] == [("Hospital Centenario", -60.6665)]
    assert whys(found) == [WITHOUT_PLACE, NO_NUMBERS]
    assert [one.which for one in found.refused] == ["2", "3"]
    wkt = shapely.Polygon(SQUARE).wkt
    found = read_map_file(written(tmp_path / "wkt.csv", f'nombre,wkt\nCentro,"{wkt}"\nRoto,"POLYGON(("\n'), ANY)
    assert close_to_the_square(found.features[0].shape)
    assert whys(found) == [UNREADABLE_SHAPE]
    assert why_not(written(tmp_path / "none.csv", "nombre,calle\nA,B\n")).why == NO_COLUMNS


# ── Refused, one by one ───────────────────────────────────────────────────────────────────────────


def test_each_bad_thing_is_refused_by_name_and_the_rest_is_kept(tmp_path: Path) -> None:
    bow = [[-60.7 + x / 100, -32.9 + y / 100] for x, y in ((0, 0), (1, 1), (1, 0), (0, 1), (0, 0))]
    text = collection(
        (polygon(), {"nombre": "Bien"}),
        (None, {"nombre": "Sin forma"}),
        ({"type": "Polygon", "coordinates": []}, {"nombre": "Vacío"}),
        (polygon(bow), {"nombre": "Moño"}),
        ({"type": "Point", "coordinates": [-60.7, -32.9]}, {"nombre": "Punto"}),
        (polygon([["-60.7", "-32.9"]] * 4), {"nombre": "Textos"}),
        ({"type": "Polygon", "coordinates": [[[-60.7, -132.9]] * 4]}, {"nombre": "Lejos"}),
        ({"type": "GeometryCollection", "geometries": []}, {"nombre": "Bolsa"}),
    )
    found = read_map_file(written(tmp_path / "map.geojson", text), POLYGONS)
    assert [one.fields["nombre"] for one in found.features] == ["Bien"]
    assert [(one.which, one.name) for one in found.refused][:2] == [("2", "Sin forma"), ("3", "Vacío")]
    reasons = (
        GeometryEmpty,
        ShapeInvalid,
        GeometryTypeRefused,
        CoordinatesRefused,
        OutsideTheWorld,
        GeometryTypeRefused,
    )
    assert whys(found) == [WITHOUT_PLACE, *(reason().message for reason in reasons)]


def test_an_empty_gml_geometry(tmp_path: Path) -> None:
    end = "</w:FeatureCollection>"
    empty = '<gml:featureMember><m:barrios gml:id="b.2"><m:BARRIO>Sin forma</m:BARRIO></m:barrios></gml:featureMember>'
    both = gml("Centro", LON_LAT).replace(end, empty + end)
    found = read_map_file(written(tmp_path / "map.gml", both), POLYGONS)
    assert (len(found.features), whys(found)) == (1, [WITHOUT_PLACE])


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """Neither a schema nor a linked map nor what a link in the geometry points to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        there = f"http://127.0.0.1:{server.getsockname()[1]}"
        text = gml("Centro", LON_LAT).replace("http://127.0.0.1:9", there)
        link = f'<m:other xmlns:x="http://www.w3.org/1999/xlink" x:href="{there}/more.gml#p"/>'
        text = text.replace("<m:BARRIO>", f"{link}<m:BARRIO>")
        assert len(read_map_file(written(tmp_path / "map.gml", text), POLYGONS).features) == 1
        place = "<Placemark><name>A</name><Point><coordinates>-60.7,-32.9</coordinates></Point></Placemark>"
        more = f"<NetworkLink><Link><href>{there}/more.kml</href></Link></NetworkLink>"
        kml = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{place}{more}</Document></kml>'
        assert len(read_map_file(written(tmp_path / "map.kml", kml), ANY).features) == 1
        with pytest.raises(TimeoutError):
            server.accept()


# ── Refused as a whole ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("map.doc", b"x", UNKNOWN_FORMAT),
        ("map.geojson", b"", EMPTY_FILE),
        ("map.geojson", b"{", NOT_THAT),
        ("map.geojson", b'{"type": "Topology"}', NOT_THAT),
        ("map.geojson", b"[" * 100_000, NOT_THAT),
        ("map.gpkg", b"hola", NOT_THAT),
        ("map.gml", b"<html/>", NOT_THAT),
        ("map.kml", b"<OGRVRTDataSource/>", NOT_THAT),
        ("map.zip", b"PK nada", BAD_ARCHIVE),
        ("map.gml", gml("x", LON_LAT)[:-40].encode(), NOT_THAT),
        (
            "laughs.gml",
            b'<!DOCTYPE x [<!ENTITY a "ja">]><x xmlns:gml="http://www.opengis.net/gml">&a;</x>',
            DOCTYPE,
        ),
        ("entity.kml", b'<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml>&x;</kml>', DOCTYPE),
    ],
)
def test_files_that_are_no_map(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    assert why_not(written(tmp_path / name, content)).why == why


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("DOT", "."), content)
    return path


def test_archives_that_mean_harm(tmp_path: Path) -> None:
    file = tmp_path / "map.zip"
    assert why_not(zipped(file, DOTDOT__mapDOTgeojson=b"{}")).why == ARCHIVE_PATH
    assert why_not(zipped(file, __etc__mapDOTgeojson=b"{}")).why == ARCHIVE_PATH
    assert why_not(zipped(file, mapDOTgeojson=b" " * 60_000_000)).why == ARCHIVE_BOMB
    assert why_not(zipped(file, leerDOTtxt=b"hola")).why == NOTHING_INSIDE
    assert why_not(zipped(file, aDOTkml=b"<kml/>", bDOTkml=b"<kml/>")).why == SEVERAL_INSIDE
    whole = io.BytesIO(zipped(file, mapDOTgeojson=collection((polygon(), {})).encode()).read_bytes()).getvalue()
    assert why_not(written(file, whole[:-40])).why == BAD_ARCHIVE


# ── What others write, and what becomes of it on the way ──────────────────────────────────────────


def saved(folder: Path, names: list[str], shapes: list[Any]) -> None:
    wkb = np.array([shapely.to_wkb(shape) for shape in shapes], dtype=object)
    fields = [np.array(names, dtype=object)]
    pyogrio.raw.write(
        str(folder / "b.shp"), wkb, fields, ["nombre"], crs="EPSG:4326", geometry_type="Polygon", encoding="ISO-8859-1"
    )


def packed(folder: Path, without: str = "") -> Path:
    with zipfile.ZipFile(folder / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.glob("b.*")):
            if part.suffix not in {".zip", without}:
                archive.write(part, f"capa ñ/{part.name}")
    return folder / "b.zip"


@pytest.mark.parametrize("page", ["88591", "ISO-8859-1", "1252", "ANSI 1252", "UTF-8", "nonsense", ""])
def test_code_pages_as_programs_write_them_right_and_wrong(tmp_path: Path, page: str) -> None:
    saved(tmp_path, ["Ludueña"], [shapely.Polygon(SQUARE)])
    (tmp_path / "b.cpg").write_text(page)
    assert read_map_file(packed(tmp_path), ANY).features[0].fields["nombre"] == "Ludueña"


def test_a_shapefile_without_its_index(tmp_path: Path) -> None:
    saved(tmp_path, ["Ludueña"], [shapely.Polygon(SQUARE)])
    assert len(read_map_file(packed(tmp_path, without=".shx"), ANY).features) == 1


@pytest.mark.parametrize("near", [NEAR, None], ids=["by the city", "by the projection's own area"])
@pytest.mark.parametrize("crs", ["EPSG:22185", "EPSG:5347", "EPSG:22182"])
def test_northing_before_easting_is_seen(
    tmp_path: Path, crs: str, near: tuple[float, float, float, float] | None
) -> None:
    flat = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    if crs == "EPSG:22182" and near is None:
        near = NEAR  # Rosario lies outside its second zone
    backwards = [list(flat.transform(x, y))[::-1] for x, y in SQUARE]
    name = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{crs.replace(':', '::')}"}}
    file = written(tmp_path / "b.geojson", collection((polygon(backwards), {"nombre": "A"}), crs=name))
    found = read_map_file(file, ANY, Wishes(near=near))
    assert found.swapped
    assert found.features[0].shape.distance(shapely.Polygon(SQUARE)) < 1e-6
    assert found.features[0].shape.area == pytest.approx(shapely.Polygon(SQUARE).area, rel=1e-6)


def test_damaged_archives_never_raise_anything_else(tmp_path: Path) -> None:
    saved(tmp_path, ["Ludueña", "Ñandú"], [shapely.Polygon(SQUARE)] * 2)
    whole = packed(tmp_path).read_bytes()
    damaged = 0
    for seed in range(120):
        dice = random.Random(seed)
        spoilt = bytearray(whole)
        for _ in range(6):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        try:
            read_map_file(written(tmp_path / "x.zip", bytes(spoilt)), ANY)
        except UnreadableFile:
            damaged += 1
    assert damaged > 60


@pytest.mark.parametrize(
    "content",
    [
        collection((polygon(), {"nombre": "A"})).replace(
            '"FeatureCollection"', '"FeatureCollection", "crs": {"properties": null}'
        ),
        '{"type": "Point", "coordinates": [1e999, 3]}',
        '{"type": "Point", "coordinates": [1' + "0" * 400 + ", 3]}",
        '{"type": "Polygon", "coordinates": null}',
    ],
)
def test_odd_numbers_and_members_are_no_accident(tmp_path: Path, content: str) -> None:
    found = read_map_file(written(tmp_path / "x.geojson", content), ANY)
    assert len(found.features) + len(found.refused) == 1


def test_collections_that_are_none(tmp_path: Path) -> None:
    one, other = collection((polygon(), {"nombre": "A"})), collection((polygon(), {"nombre": "B"}))
    features = [json.loads(text)["features"][0] for text in (one, other)]
    lines = "\n".join(json.dumps(feature) for feature in features)
    shapes = json.dumps({"type": "GeometryCollection", "geometries": [polygon(), polygon()]})
    for content in (lines, "\x1e" + lines.replace("\n", "\n\x1e"), json.dumps(features), shapes):
        assert len(read_map_file(written(tmp_path / "x.geojson", content), ANY).features) == 2


def test_names_hold_nothing_that_nobody_sees(tmp_path: Path) -> None:
    name = "A\x00b\ud800\u202ec\u200b d"
    text = json.dumps({"type": "Feature", "geometry": polygon(), "properties": {"nombre": name}})
    (feature,) = read_map_file(written(tmp_path / "x.geojson", text), ANY).features
    assert feature.fields["nombre"] == "Abc d"


def test_utf16_without_a_mark_and_cut(tmp_path: Path) -> None:
    text = collection((polygon(), {"nombre": "Ludueña"}))
    file = written(tmp_path / "x.geojson", text.encode("utf-16-le"))
    assert read_map_file(file, ANY).features[0].fields["nombre"] == "Ludueña"
    assert why_not(written(tmp_path / "y.geojson", text.encode("utf-16")[:-1])).why == WRONG_ENCODING


def test_folders_of_a_kml_are_one_file(tmp_path: Path) -> None:
    def folder(name: str, inside: str) -> str:
        return f"<Folder><name>{name}</name>{inside}</Folder>"

    ring = " ".join(f"{x},{y},0" for x, y in SQUARE)
    outline = f"<outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs>"
    area = f"<Polygon>{outline}</Polygon>"
    one, other = (f"<Placemark><name>{name}</name>{area}</Placemark>" for name in "AB")
    inside = folder("Norte", one) + folder("Sur", folder("Bajo", other))
    text = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{inside}</Document></kml>'
    found = read_map_file(written(tmp_path / "x.kml", text), ANY)
    assert sorted(feature.fields[found.name_field or ""] for feature in found.features) == ["A", "B"]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("nombre;lat_wgs84;lon_wgs84", "A;-32,95;-60,66"),
        ("nombre;stop_lat;stop_lon", "A;-32.95;-60.66"),
        ("nombre;y_coord;x_coord", "A; -32,95° ; -60,66° "),
        ("sep=;\nnombre;Latitud;Longitud", "A;-32,95;-60,66"),
    ],
)
def test_columns_as_people_name_them(tmp_path: Path, head: str, row: str) -> None:
    (feature,) = read_map_file(written(tmp_path / "x.csv", f"{head}\n{row}\n"), ANY).features
    assert feature.shape.equals(shapely.Point(-60.66, -32.95))


def test_numbers_with_thousands_and_numbers_that_are_none(tmp_path: Path) -> None:
    x, y = POSGAR.transform(-60.66, -32.95)
    told = f"{x:,.2f}".replace(",", "_").replace(".", ",").replace("_", "."), f"{y:,.2f}"
    text = f"nombre;x;y\nA;{told[0]};{told[1]}\nB;al lado;del río\nC;;\n"
    found = read_map_file(written(tmp_path / "x.csv", text), ANY, Wishes(crs="EPSG:22185"))
    assert found.features[0].shape.distance(shapely.Point(-60.66, -32.95)) < 1e-6
    assert [one.why for one in found.refused] == [NO_NUMBERS, WITHOUT_PLACE]


def test_a_projection_that_is_none(tmp_path: Path) -> None:
    file = written(tmp_path / "x.geojson", collection((polygon(), {})))
    assert why_not(file, Wishes(crs="EPSG:4978")).why == BAD_CRS  # metres from the middle of the Earth
    assert why_not(file, Wishes(crs="EPSG:5773")).why == BAD_CRS  # heights


def test_names_of_files_that_no_disk_holds(tmp_path: Path) -> None:
    assert why_not(tmp_path / f"{'a' * 300}.geojson").why == NO_FILE
