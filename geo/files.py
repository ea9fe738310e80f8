"""Files with geography in them, from anybody: GeoJSON, GML, KML, Shapefile, GeoPackage, CSV → places on Earth.

GDAL reads what is not read here by hand, from a private copy, and fetches nothing. Every geometry then goes through
the door (`geo.places`): what it refuses is left out by name, and nothing is repaired.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
import re
import shutil
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias
from xml.parsers import expat

import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from geo.encodings import decoded, guess_single_byte, mended
from geo.places import BadGeometry, parse_geometry
from geo.refused import Refused, UnreadableFile

Fields: TypeAlias = dict[str, str]

ENDINGS = (".geojson", ".json", ".gml", ".kml", ".kmz", ".zip", ".gpkg", ".csv", ".shp")
MAX_FILE = 256 * 1024 * 1024  # bytes, packed or not
MAX_UNPACKED = 512 * 1024 * 1024
MAX_RATIO = 200  # an honest shapefile packs 3 to 20 times, a bomb 1000 times
MAX_MEMBERS = 2000
MAX_FEATURES = 200_000
MAX_VERTICES = 100_000  # of one feature; the coast of a province has fewer

NAME_FIELDS = (
    *("name", "nombre", "barrio", "distrito", "vecinal", "zona", "denominacion", "denominaci", "titulo", "title"),
    *("departamento", "provincia", "localidad", "nam", "fna", "nombre_geografico", "etiqueta", "label", "sector"),
)

# Why a whole file is refused.
NO_FILE = "there is no such file: {file}"
UNKNOWN_FORMAT = "files that end in {ending} cannot be read; what can: {endings}"
EMPTY_FILE = "the file is empty"
FILE_TOO_LARGE = "the file is larger than {limit} MB"
TOO_MANY_FEATURES = "the file holds more than {limit} things"
NOT_THAT = "the file does not hold what its name says: {error}"
CUT = "the file is cut: it holds {size} of {said} bytes"
DOCTYPE = "the file declares a document type (DOCTYPE), which map files have no use for"
WRONG_ENCODING = "the file is not in {encoding}"
BAD_ARCHIVE = "the archive is damaged: {error}"
ARCHIVE_PATH = "the archive wants to write outside its folder: {member}"
ARCHIVE_BOMB = "the archive unpacks to more than {limit} MB, or to more than {ratio} times its size"
NOTHING_INSIDE = "the archive holds no map file"
SEVERAL_INSIDE = "the archive holds several map files: {members}. Give them one by one"
SEVERAL_LAYERS = "the file holds several layers: {layers}. Choose one with --layer"
NO_LAYER = "the file holds no layer “{layer}”; it holds: {layers}"
NO_GEOMETRY = "the file holds no places"
NO_COLUMNS = "the table has no columns for longitude and latitude (lon, lat), nor one with WKT"
UNKNOWN_CRS = (
    "the coordinates are not degrees, and the file does not say in which projection they are. "
    "Say it with --crs (in Argentina often one of {candidates})"
)
BAD_CRS = "the projection {crs} is not known"
WHYS = (
    *(NO_FILE, UNKNOWN_FORMAT, EMPTY_FILE, FILE_TOO_LARGE, TOO_MANY_FEATURES, NOT_THAT, CUT, DOCTYPE, WRONG_ENCODING),
    *(BAD_ARCHIVE, ARCHIVE_PATH, ARCHIVE_BOMB, NOTHING_INSIDE, SEVERAL_INSIDE, SEVERAL_LAYERS, NO_LAYER),
    *(NO_GEOMETRY, NO_COLUMNS, UNKNOWN_CRS, BAD_CRS),
)
# Why one thing of a file is refused, where the door has not said it.
WITHOUT_PLACE = "it has no place"
UNREADABLE_SHAPE = "its shape cannot be read"
FEATURE_WHYS = (WITHOUT_PLACE, UNREADABLE_SHAPE)


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing of a file: its number in it (from 1), where it is (WGS 84), and its fields as texts."""

    number: int
    shape: BaseGeometry
    fields: Fields


@dataclass(slots=True)
class MapFile:
    """What a file holds, and what of it was refused."""

    features: list[Feature]
    refused: list[Refused]
    names: list[str]  # of the fields, in the file's order
    crs: str  # as an EPSG code where it has one
    crs_told: bool  # whether the file, or the operator, said it
    encoding: str
    mended: int  # texts that had gone through a wrong encoding
    swapped: bool = False  # latitude stood first
    name_field: str | None = None  # the one told, or the likeliest


@dataclass(slots=True)
class _Raw:
    """What a reader found: shapes as GeoJSON or shapely, still in the file's own coordinates."""

    shapes: list[Any]
    fields: list[Fields]
    crs: str | None
    encoding: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator says about a file because the file does not, or says it wrong."""

    encoding: str | None = None
    crs: str | None = None
    layer: str | None = None
    name_field: str | None = None
    near: tuple[float, float, float, float] | None = None  # where the city is, to see swapped coordinates


@dataclass(frozen=True, slots=True)
class _Opened:
    """A private copy of the file: its place, and what kind it is."""

    path: Path
    ending: str
    files: Sequence[Path] = field(default_factory=tuple)


def read_map_file(path: Path, allowed: Collection[str], wishes: Wishes = Wishes()) -> MapFile:
    """Everything in a file that is a place of an `allowed` type (GeoJSON words). Raises `UnreadableFile`."""
    with TemporaryDirectory(prefix="vigia-file-") as place:
        opened = _open(path, Path(place))
        raw = _READERS[opened.ending](opened, wishes)
    if not raw.shapes:
        raise UnreadableFile(NO_GEOMETRY)
    if len(raw.shapes) > MAX_FEATURES:
        raise UnreadableFile(TOO_MANY_FEATURES, limit=MAX_FEATURES)
    return _through_the_door(raw, allowed, wishes)


def field_of(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    """The first field with one of the names, whatever its case."""
    by_lower = {name.lower(): name for name in names}
    return next((by_lower[name] for name in wanted if name in by_lower), None)


# --- the copy -------------------------------------------------------------------------------------------


def _open(path: Path, place: Path) -> _Opened:
    """A copy in a folder of its own: no neighbour of the file is read, and nothing is written beside it."""
    ending = path.suffix.lower()
    if not path.is_file():
        raise UnreadableFile(NO_FILE, file=str(path))
    if ending not in ENDINGS:
        raise UnreadableFile(UNKNOWN_FORMAT, ending=ending or "…", endings=", ".join(ENDINGS))
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile(EMPTY_FILE)
    if size > MAX_FILE:
        raise UnreadableFile(FILE_TOO_LARGE, limit=MAX_FILE // 2**20)
    if ending in {".zip", ".kmz"}:
        return _unpack(path, place, size)
    if ending == ".shp":
        for part in path.parent.iterdir():
            if part.stem == path.stem and part.suffix.lower() in _SHAPEFILE and part.is_file():
                shutil.copyfile(part, place / f"map{part.suffix.lower()}")
    else:
        shutil.copyfile(path, place / f"map{ending}")
    return _Opened(place / f"map{ending}", ending)


_SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_IN_ARCHIVES = (".shp", ".geojson", ".json", ".gml", ".kml", ".gpkg", ".csv")


def _unpack(path: Path, place: Path, size: int) -> _Opened:
    """The one map file of an archive, under a name of ours; only what belongs to it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MAX_MEMBERS:
                raise UnreadableFile(ARCHIVE_BOMB, limit=MAX_UNPACKED // 2**20, ratio=MAX_RATIO)
            for member in members:
                parts = re.split(r"[/\\]", member.filename)
                if ".." in parts or member.filename.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", parts[0]):
                    raise UnreadableFile(ARCHIVE_PATH, member=member.filename[:80])
            maps = [one for one in members if Path(one.filename).suffix.lower() in _IN_ARCHIVES]
            maps = [one for one in maps if not Path(one.filename).name.startswith((".", "__MACOSX"))]
            if not maps:
                raise UnreadableFile(NOTHING_INSIDE)
            if len(maps) > 1:
                names = ", ".join(one.filename for one in maps[:10])
                raise UnreadableFile(SEVERAL_INSIDE, members=names)
            stem, ending = (
                maps[0].filename[: -len(Path(maps[0].filename).suffix)],
                Path(maps[0].filename).suffix.lower(),
            )
            budget = min(MAX_UNPACKED, max(size * MAX_RATIO, 2**20))
            for member in members:
                suffix = Path(member.filename).suffix
                if member is maps[0] or (member.filename == stem + suffix and suffix.lower() in _SHAPEFILE):
                    budget -= _extract(archive, member, place / f"map{suffix.lower()}", budget)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(BAD_ARCHIVE, error=str(error)[:120]) from error
    return _Opened(place / f"map{ending}", ending)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, budget: int) -> int:
    """Write one member, counting what really comes out: what the archive says of itself is a claim."""
    written = 0
    with archive.open(member) as source, target.open("wb") as sink:
        while piece := source.read(1 << 16):
            written += len(piece)
            if written > budget:
                raise UnreadableFile(ARCHIVE_BOMB, limit=MAX_UNPACKED // 2**20, ratio=MAX_RATIO)
            sink.write(piece)
    return written


# --- readers --------------------------------------------------------------------------------------------


def _text(opened: _Opened, wishes: Wishes) -> tuple[str, str]:
    try:
        return decoded(opened.path.read_bytes(), wishes.encoding)
    except (UnicodeError, LookupError) as error:
        raise UnreadableFile(WRONG_ENCODING, encoding=wishes.encoding) from error


def _read_geojson(opened: _Opened, wishes: Wishes) -> _Raw:
    text, encoding = _text(opened, wishes)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(NOT_THAT, error=str(error)[:120]) from error
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        features = document["features"]
    elif kind == "Feature":
        features = [document]
    elif isinstance(kind, str) and "coordinates" in document:
        features = [{"type": "Feature", "geometry": document, "properties": {}}]
    else:
        raise UnreadableFile(NOT_THAT, error=f"type: {str(kind)[:40]}")
    shapes, fields = [], []
    for feature in features:
        whole = feature if isinstance(feature, dict) else {}
        properties = whole.get("properties")
        shapes.append(whole.get("geometry"))
        said = _fields(properties) if isinstance(properties, dict) else {}
        if isinstance(whole.get("id"), str | int):
            said.setdefault("id", str(whole["id"]))
        fields.append(said)
    return _Raw(shapes, fields, _named_crs(document.get("crs")), encoding)


def _named_crs(crs: Any) -> str | None:
    """The `crs` of GeoJSON before 2016."""
    name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
    if not isinstance(name, str):
        return None
    if "CRS84" in name:
        return "EPSG:4326"
    code = re.search(r"EPSG[:/]+(?:[\d.]*[:/]+)?(\d{4,6})$", name)
    return f"EPSG:{code[1]}" if code else name


def _fields(properties: Mapping[str, Any]) -> Fields:
    """Fields as short texts; what is nested is nobody's name."""
    found: Fields = {}
    for name, value in properties.items():
        if value is None or isinstance(value, dict | list) or (isinstance(value, float) and not math.isfinite(value)):
            continue
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        text = " ".join(str(whole).split())[:500]
        if text:
            found[str(name)] = text
    return found


_LONGITUDE = ("lon", "lng", "long", "longitud", "longitude", "x", "point_x", "coord_x")
_LATITUDE = ("lat", "latitud", "latitude", "y", "point_y", "coord_y")
_WKT = ("wkt", "geom", "the_geom", "geometry", "geometria", "shape")


def _read_csv(opened: _Opened, wishes: Wishes) -> _Raw:
    text, encoding = _text(opened, wishes)
    head = text[:20_000].splitlines()
    if not head:
        raise UnreadableFile(NO_GEOMETRY)
    delimiter = max(",;\t|", key=head[0].count)
    csv.field_size_limit(64 * 2**20)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFile(NOT_THAT, error=str(error)[:120]) from error
    columns = {name.strip().lower(): name for name in (rows[0] if rows else {}) if name}
    wkt = next((columns[name] for name in _WKT if name in columns), None)
    lon = next((columns[name] for name in _LONGITUDE if name in columns), None)
    lat = next((columns[name] for name in _LATITUDE if name in columns), None)
    if rows and wkt is None and (lon is None or lat is None):
        raise UnreadableFile(NO_COLUMNS)
    place_of: Callable[[Mapping[str, Any]], Any]
    if lon and lat:
        place_of = lambda row: _point_of(row.get(lon), row.get(lat))  # noqa: E731
    else:
        place_of = lambda row: _from_wkt(str(row.get(wkt or "") or ""))  # noqa: E731
    hidden = {name for name in (wkt, lon, lat) if name}
    fields = [_fields({k: v for k, v in row.items() if k and k not in hidden and isinstance(v, str)}) for row in rows]
    return _Raw([place_of(row) for row in rows], fields, None, encoding)


def _point_of(lon: str | None, lat: str | None) -> Any:
    numbers = [_number(word or "") for word in (lon, lat)]
    return None if None in numbers else {"type": "Point", "coordinates": numbers}


def _number(word: str) -> float | None:
    text = word.strip()
    text = text.replace(",", ".") if "." not in text else text
    try:
        return float(text)
    except ValueError:
        return None


def _from_wkt(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return shapely.from_wkt(re.sub(r"^SRID=\d+;", "", text.strip(), flags=re.IGNORECASE))
    except (ShapelyError, ValueError):
        return UNREADABLE_SHAPE


_XML_HEAD = re.compile(r"^\s*<\?xml[^>]*\?>")


def _read_xml(opened: _Opened, wishes: Wishes) -> _Raw:
    """GML and KML: made UTF-8 first, whatever they claimed, so that the letters are right."""
    raw = opened.path.read_bytes()
    claimed = re.match(rb"^\s*(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9_.:-]+)", raw[:400])
    text, encoding = _text(opened, wishes)
    if wishes.encoding is None and claimed and not encoding.startswith("utf"):
        encoding = _as_claimed(claimed[1].decode(), encoding)
        text = raw.decode(encoding, "replace")
    head = text[:65536]
    if re.search(r"<!(DOCTYPE|ENTITY)", text, flags=re.IGNORECASE):
        raise UnreadableFile(DOCTYPE)
    try:
        expat.ParserCreate("utf-8").Parse(_XML_HEAD.sub("", text.lstrip("\ufeff")), True)
    except expat.ExpatError as error:
        raise UnreadableFile(NOT_THAT, error=str(error)[:120]) from error
    wanted = "opengis.net/gml" if opened.ending == ".gml" else "<kml"
    if wanted not in head and not (opened.ending == ".kml" and re.search(r"<\w+:kml", head)):
        raise UnreadableFile(NOT_THAT, error=opened.ending)
    opened.path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n' + _XML_HEAD.sub("", text.lstrip("\ufeff")), "utf-8"
    )
    options = {"DOWNLOAD_SCHEMA": "NO", "WRITE_GFS": "NO", "EXPOSE_FID": "YES"} if opened.ending == ".gml" else {}
    return _read_gdal(opened, wishes, encoding, options)


def _as_claimed(claimed: str, guess: str) -> str:
    """What the file claims, where Python knows it; of ISO-8859-1 its superset, which is what programs write."""
    try:
        name = codecs.lookup(claimed).name
    except LookupError:
        return guess
    return "cp1252" if name == "iso8859-1" else guess if name.startswith("utf") else name


def _read_shapefile(opened: _Opened, wishes: Wishes) -> _Raw:
    table = opened.path.with_suffix(".dbf")
    encoding = wishes.encoding
    with opened.path.open("rb") as file:
        said = 2 * int.from_bytes(file.read(28)[24:28], "big")
    if opened.path.stat().st_size < said:  # GDAL reads what there is and says nothing
        raise UnreadableFile(CUT, size=opened.path.stat().st_size, said=said)
    if encoding is None and table.exists() and not opened.path.with_suffix(".cpg").exists():
        raw = table.read_bytes()
        try:
            raw[32:].decode("utf-8")
            encoding = "utf-8"
        except UnicodeDecodeError:
            encoding = guess_single_byte(_letters(raw))
    elif encoding is None and opened.path.with_suffix(".cpg").exists():
        encoding = opened.path.with_suffix(".cpg").read_text("ascii", "ignore").strip() or None
    return _read_gdal(opened, wishes, encoding or "utf-8", {}, encoding=encoding)


def _letters(dbf: bytes) -> bytes:
    """The records of a table, after its header."""
    return dbf[int.from_bytes(dbf[8:10], "little") :]


def _read_geopackage(opened: _Opened, wishes: Wishes) -> _Raw:
    with opened.path.open("rb") as file:
        head = file.read(32)
    if not head.startswith(b"SQLite format 3"):
        raise UnreadableFile(NOT_THAT, error="GeoPackage")
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    said = (65536 if page == 1 else page) * pages
    if opened.path.stat().st_size < said:
        raise UnreadableFile(CUT, size=opened.path.stat().st_size, said=said)
    return _read_gdal(opened, wishes, "utf-8", {})


_CONFIG = {
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".nothing",
    "GDAL_DISABLE_READDIR_ON_OPEN": "FALSE",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_PROXY": "127.0.0.1:9",
    "SHAPE_RESTORE_SHX": "NO",
    "CPL_LOG": "/dev/null",
}


def _read_gdal(
    opened: _Opened, wishes: Wishes, told: str, options: Mapping[str, str], *, encoding: str | None = None
) -> _Raw:
    pyogrio.set_gdal_config_options(_CONFIG)
    path = str(opened.path)
    try:
        layer = _layer(path, wishes)
        meta, fids, shapes, columns = pyogrio.raw.read(
            path, layer=layer, encoding=encoding, return_fids=True, **options
        )
    except (DataSourceError, DataLayerError, ValueError, RuntimeError, UnicodeError, LookupError) as error:
        if isinstance(error, UnreadableFile):
            raise
        text = str(error).replace(path, opened.path.name)
        raise UnreadableFile(NOT_THAT, error=text[:160]) from error
    names = [str(name) for name in meta["fields"]]
    fields = [_fields(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
    fields = fields or [{} for _ in range(len(fids))]
    found = [] if shapes is None else [_from_wkb(shape) for shape in shapes]
    return _Raw(found, fields, meta["crs"] or None, told)


def _layer(path: str, wishes: Wishes) -> str | None:
    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if wishes.layer is not None and wishes.layer not in layers:
        raise UnreadableFile(NO_LAYER, layer=wishes.layer, layers=", ".join(layers) or "–")
    if not layers:
        raise UnreadableFile(NO_GEOMETRY)
    if wishes.layer is None and len(layers) > 1:
        raise UnreadableFile(SEVERAL_LAYERS, layers=", ".join(layers[:20]))
    return wishes.layer or layers[0]


def _from_wkb(raw: bytes | None) -> Any:
    if raw is None:
        return None
    try:
        return shapely.from_wkb(raw)
    except (ShapelyError, ValueError):
        return UNREADABLE_SHAPE


_READERS: Mapping[str, Callable[[_Opened, Wishes], _Raw]] = {
    ".geojson": _read_geojson,
    ".json": _read_geojson,
    ".csv": _read_csv,
    ".gml": _read_xml,
    ".kml": _read_xml,
    ".shp": _read_shapefile,
    ".gpkg": _read_geopackage,
}


# --- the door -------------------------------------------------------------------------------------------


def _through_the_door(raw: _Raw, allowed: Collection[str], wishes: Wishes) -> MapFile:
    crs, told = _projection(raw, wishes)
    turn = _turning(crs)
    found = MapFile([], [], list(dict.fromkeys(name for row in raw.fields for name in row)), crs, told, raw.encoding, 0)
    found.name_field = wishes.name_field or field_of(found.names, NAME_FIELDS)
    documents = [_document(shape, turn) for shape in raw.shapes]
    found.swapped = turn is None and _stand_swapped(documents, wishes.near)
    for number, (document, row) in enumerate(zip(documents, raw.fields, strict=True), 1):
        fields = {name: mended(value) for name, value in row.items()}
        found.mended += sum(fields[name] != value for name, value in row.items())
        name = fields.get(found.name_field or "")
        if document is None or isinstance(document, str):
            found.refused.append(Refused("feature", str(number), name, document or WITHOUT_PLACE))
            continue
        try:
            shape = parse_geometry(
                _swapped(document) if found.swapped else document, allowed, max_vertices=MAX_VERTICES
            )
        except BadGeometry as bad:
            found.refused.append(Refused("feature", str(number), name, bad.message, bad.facts))
            continue
        found.features.append(Feature(number, shape, fields))
    return found


def _document(shape: Any, turn: Transformer | None) -> Any:
    """A shape as the door takes it: GeoJSON in degrees. None or a reason where there is no shape."""
    if shape is None or isinstance(shape, str):
        return shape
    if isinstance(shape, BaseGeometry):
        if shape.is_empty:
            return {"type": shape.geom_type, "coordinates": []}
        document = dict(shapely.geometry.mapping(shape))
    else:
        document = shape
    if turn is None or not isinstance(document, dict) or "coordinates" not in document:
        return document
    try:
        return {**document, "coordinates": _turned(document["coordinates"], turn)}
    except (ProjError, TypeError, ValueError, RecursionError):
        return UNREADABLE_SHAPE


def _turned(numbers: Any, turn: Transformer) -> Any:
    if not isinstance(numbers, list | tuple):
        raise TypeError
    if numbers and isinstance(numbers[0], int | float):
        x, y = turn.transform(numbers[0], numbers[1], errcheck=True)
        return [x, y]
    return [_turned(each, turn) for each in numbers]


def _projection(raw: _Raw, wishes: Wishes) -> tuple[str, bool]:
    """In which projection the file is, and whether that was told. Raises where it would be a guess."""
    try:
        known = CRS.from_user_input(wishes.crs or raw.crs) if wishes.crs or raw.crs else None
    except CRSError as error:
        raise UnreadableFile(BAD_CRS, crs=str(wishes.crs or raw.crs)[:80]) from error
    degrees = known is None or known.is_geographic
    if degrees and not _like_degrees(raw.shapes):
        raise UnreadableFile(UNKNOWN_CRS, candidates=", ".join(_candidates(raw.shapes)))
    if known is None:
        return "EPSG:4326", False
    code = known.to_epsg()
    return (f"EPSG:{code}" if code else wishes.crs or known.to_wkt()), True


def _turning(crs: str) -> Transformer | None:
    """The way from a projection to WGS 84; None where there is nothing to do."""
    if crs in {"EPSG:4326", "EPSG:4979", "OGC:CRS84"}:
        return None
    return Transformer.from_crs(CRS.from_user_input(crs), "EPSG:4326", always_xy=True)


def _positions(numbers: Any) -> Iterator[tuple[float, float]]:
    """The positions of a GeoJSON document, as far as it has any."""
    if not isinstance(numbers, list | tuple) or not numbers:
        return
    if isinstance(numbers[0], int | float):
        if len(numbers) > 1 and isinstance(numbers[1], int | float):
            yield float(numbers[0]), float(numbers[1])
        return
    for each in numbers:
        yield from _positions(each)


def _first_positions(shapes: Iterable[Any], least: int = 500) -> list[tuple[float, float]]:
    """One position of each shape."""
    found: list[tuple[float, float]] = []
    for shape in shapes:
        if isinstance(shape, BaseGeometry):
            coordinates = [] if shape.is_empty else shapely.get_coordinates(shape)[:1].tolist()
        else:
            coordinates = shape.get("coordinates") if isinstance(shape, dict) else []
        found += list(_positions(coordinates))[:1]
        if len(found) >= least:
            break
    return found


def _like_degrees(shapes: Iterable[Any]) -> bool:
    """Whether most of the positions could be degrees; a few that could not are refused by name later."""
    found = _first_positions(shapes)
    far = sum(abs(x) > 400 or abs(y) > 400 for x, y in found)
    return far * 2 <= len(found)


# Zones of Gauss-Krüger in Argentina: easting begins with the zone's number, in millions of metres.
_GAUSS = ("EPSG:2218{zone}", "EPSG:2217{zone}", "EPSG:{inta}")


def _candidates(shapes: Iterable[Any]) -> list[str]:
    eastings = sorted(x for x, _ in _first_positions(shapes))
    zone = round(eastings[len(eastings) // 2] // 1_000_000) if eastings else 0
    if 1 <= zone <= 7:
        return [f"EPSG:2218{zone}", f"EPSG:2217{zone}", f"EPSG:{5342 + zone}", f"EPSG:2219{zone}"]
    return ["EPSG:22185", "EPSG:5347", "EPSG:32720", "EPSG:3857"]


def _stand_swapped(documents: Iterable[Any], near: tuple[float, float, float, float] | None) -> bool:
    """Whether every position is far from the city as it stands, and by it with latitude and longitude exchanged."""
    if near is None:
        return False
    found = _first_positions(documents)
    return bool(found) and all(not _by(near, x, y) and _by(near, y, x) for x, y in found)


def _by(near: tuple[float, float, float, float], x: float, y: float, margin: float = 2.0) -> bool:
    west, south, east, north = near
    return west - margin <= x <= east + margin and south - margin <= y <= north + margin


def _swapped(document: dict[str, Any]) -> dict[str, Any]:
    def swap(numbers: Any) -> Any:
        if isinstance(numbers, list | tuple) and numbers and isinstance(numbers[0], int | float):
            return [numbers[1], numbers[0], *numbers[2:]]
        return [swap(each) for each in numbers] if isinstance(numbers, list | tuple) else numbers

    return {**document, "coordinates": swap(document["coordinates"])} if "coordinates" in document else document
