"""Files with geography in them, from anybody: GeoJSON, GML, KML, Shapefile, GeoPackage, CSV → places on Earth.

GDAL reads what is not read here by hand, from a private copy, and fetches nothing. Every geometry then goes through
the door (`geo.places`): what it refuses is left out by name, and nothing is repaired.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import lzma
import math
import re
import shutil
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
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

from geo.encodings import decoded, guess_single_byte, mended, visible
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
NO_PERMISSION = "the file may not be read: {file}"
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
    *(
        NO_FILE,
        NO_PERMISSION,
        UNKNOWN_FORMAT,
        EMPTY_FILE,
        FILE_TOO_LARGE,
        TOO_MANY_FEATURES,
        NOT_THAT,
        CUT,
        DOCTYPE,
        WRONG_ENCODING,
    ),
    *(BAD_ARCHIVE, ARCHIVE_PATH, ARCHIVE_BOMB, NOTHING_INSIDE, SEVERAL_INSIDE, SEVERAL_LAYERS, NO_LAYER),
    *(NO_GEOMETRY, NO_COLUMNS, UNKNOWN_CRS, BAD_CRS),
)
# Why one thing of a file is refused, where the door has not said it.
WITHOUT_PLACE = "it has no place"
UNREADABLE_SHAPE = "its shape cannot be read"
NO_NUMBERS = "its coordinates are no numbers"
FEATURE_WHYS = (WITHOUT_PLACE, UNREADABLE_SHAPE, NO_NUMBERS)


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
        try:
            opened = _open(path, Path(place))
        except PermissionError as error:
            raise UnreadableFile(NO_PERMISSION, file=str(path)) from error
        except OSError as error:
            raise UnreadableFile(NO_FILE, file=str(path)) from error
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
    except _FROM_ARCHIVES as error:
        raise UnreadableFile(BAD_ARCHIVE, error=str(error)[:120]) from error
    return _Opened(place / f"map{ending}", ending)


_FROM_ARCHIVES = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError),
    *(zlib.error, lzma.LZMAError, struct.error),
)


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
        encoding = wishes.encoding or getattr(error, "encoding", "Unicode")
        raise UnreadableFile(WRONG_ENCODING, encoding=encoding) from error


def _read_geojson(opened: _Opened, wishes: Wishes) -> _Raw:
    text, encoding = _text(opened, wishes)
    document = _json_of(text)
    shapes, fields = [], []
    for feature in _features_of(document):
        whole = feature if isinstance(feature, dict) else {}
        properties = whole.get("properties")
        shapes.append(whole.get("geometry"))
        said = _fields(properties) if isinstance(properties, dict) else {}
        if isinstance(whole.get("id"), str | int):
            said.setdefault("id", str(whole["id"]))
        fields.append(said)
    return _Raw(shapes, fields, _named_crs(document.get("crs")) if isinstance(document, dict) else None, encoding)


def _json_of(text: str) -> Any:
    """One document, or the list of those that stand one on each line (newline-delimited GeoJSON)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.replace("\x1e", "\n").splitlines() if line.strip()]
        try:
            if len(lines) > 1:
                return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            pass
        raise UnreadableFile(NOT_THAT, error=str(error)[:120]) from error


def _features_of(document: Any) -> list[Any]:
    """The features of a document, of a list of documents, or of bare geometries."""
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        found: list[Any] = document["features"]
        return found
    if kind == "Feature":
        return [document]
    if kind == "GeometryCollection" and isinstance(document.get("geometries"), list):
        return [{"type": "Feature", "geometry": shape} for shape in document["geometries"]]
    if isinstance(kind, str) and "coordinates" in document:
        return [{"type": "Feature", "geometry": document}]
    if isinstance(document, list) and all(isinstance(one, dict) and "type" in one for one in document):
        return [feature for one in document for feature in _features_of(one)]
    raise UnreadableFile(NOT_THAT, error=f"type: {str(kind)[:40]}")


def _named_crs(crs: Any) -> str | None:
    """The `crs` of GeoJSON before 2016, and of the draft before that (`code`)."""
    said = crs.get("properties") if isinstance(crs, dict) else None
    if not isinstance(said, dict):
        return None
    name = said.get("name")
    if not isinstance(name, str):
        return f"EPSG:{said['code']}" if isinstance(said.get("code"), int) else None
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
        text = " ".join(visible(str(whole)).split())[:500]
        if text:
            found[visible(str(name))] = text
    return found


_LONGITUDE = ("lon", "lng", "long", "longitud", "longitude", "x", "point_x", "coord_x")
_LATITUDE = ("lat", "latitud", "latitude", "y", "point_y", "coord_y")
_WKT = ("wkt", "geom", "the_geom", "geometry", "geometria", "shape")


def _read_csv(opened: _Opened, wishes: Wishes) -> _Raw:
    text, encoding = _text(opened, wishes)
    text = re.sub(r"^sep=.\r?\n", "", text, flags=re.IGNORECASE)  # a spreadsheet's note to itself
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
    lon, lat = _column(columns, _LONGITUDE), _column(columns, _LATITUDE)
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


def _column(columns: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    """The column of one of the names, or the only one that has it as a word of its own: lat_wgs84, stop_lon."""
    exact = next((columns[name] for name in wanted if name in columns), None)
    near = [column for name, column in columns.items() if set(re.split(r"[^a-z]+", name)) & set(wanted)]
    return exact or (near[0] if len(near) == 1 else None)


def _point_of(lon: str | None, lat: str | None) -> Any:
    words = [(word or "").strip(" \t°") for word in (lon, lat)]
    if not all(words):
        return None
    numbers = [_number(word) for word in words]
    return NO_NUMBERS if None in numbers else {"type": "Point", "coordinates": numbers}


def _number(text: str) -> float | None:
    """With a decimal point or comma; what stands before it may be parted into thousands by the other."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point:
        text = text.replace(".", "").replace(",", ".") if text.count(",") == 1 else text.replace(",", "")
    elif text.count(".") > 1:
        text = text.replace(".", "")
    else:
        text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        return None


def _from_wkt(text: str) -> Any:
    if not text.strip():
        return None
    try:
        if re.fullmatch(r"\s*0[01][0-9A-Fa-f]{8,}\s*", text):  # as PostGIS writes it
            return shapely.from_wkb(text.strip())
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
    with opened.path.open("rb") as file:
        said = 2 * int.from_bytes(file.read(28)[24:28], "big")
    if opened.path.stat().st_size < said:  # GDAL reads what there is and says nothing
        raise UnreadableFile(CUT, size=opened.path.stat().st_size, said=said)
    encoding = wishes.encoding or _encoding_of_table(opened.path)
    return _read_gdal(opened, wishes, encoding or "utf-8", {}, encoding=encoding)


def _encoding_of_table(path: Path) -> str | None:
    """What the code page file says, where that fits the table; else what fits it. None without a table."""
    table, page = path.with_suffix(".dbf"), path.with_suffix(".cpg")
    if not table.exists():
        return None
    raw = table.read_bytes()
    if page.exists() and (said := _code_page(page.read_text("ascii", "ignore"))):
        try:
            raw[32:].decode(said)
        except UnicodeDecodeError:
            pass
        else:
            return said
    try:
        raw[32:].decode("utf-8")
    except UnicodeDecodeError:
        return guess_single_byte(_letters(raw))
    return "utf-8"


def _code_page(said: str) -> str | None:
    """Python's name of what stands in a `.cpg`: UTF-8, ISO-8859-1, 88591, 1252, ANSI 1252, LDID/87."""
    word = said.strip().lower().removeprefix("ansi").removeprefix("oem").strip()
    if latin := re.fullmatch(r"(?:iso)?[-_ ]?8859[-_ ]?(\d{1,2})", word):
        word = f"iso8859-{latin[1]}"
    elif word.isdigit():
        word = "utf-8" if word == "65001" else f"cp{word}"
    try:
        return codecs.lookup(word).name if word else None
    except (LookupError, ValueError):
        return None


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
    "SHAPE_RESTORE_SHX": "YES",  # an index, made again in the private copy
    "CPL_LOG": "/dev/null",
}


def _read_gdal(
    opened: _Opened, wishes: Wishes, told: str, options: Mapping[str, str], *, encoding: str | None = None
) -> _Raw:
    pyogrio.set_gdal_config_options(_CONFIG)
    found = _Raw([], [], None, told)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's opinion of what it reads all the same
            _read_layers(found, opened, wishes, encoding, options)
    except (DataSourceError, DataLayerError, ValueError, RuntimeError, UnicodeError, LookupError) as error:
        text = str(error).replace(f"{opened.path.parent}/", "")
        raise UnreadableFile(NOT_THAT, error=text[:160]) from error
    return found


def _read_layers(
    found: _Raw, opened: _Opened, wishes: Wishes, encoding: str | None, options: Mapping[str, str]
) -> None:
    path = str(opened.path)
    for layer in _layers(path, wishes, together=opened.ending == ".kml"):
        meta, fids, shapes, columns = pyogrio.raw.read(
            path, layer=layer, encoding=encoding, return_fids=True, **options
        )
        names = [str(name) for name in meta["fields"]]
        fields = [_fields(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
        if shapes is not None:
            found.fields += fields or [{} for _ in range(len(fids))]
            found.shapes += [_from_wkb(shape) for shape in shapes]
            found.crs = found.crs or meta["crs"] or None


def _layers(path: str, wishes: Wishes, *, together: bool) -> list[str]:
    """The layers to read: the one that was wished, the only one, or all (`together`: folders of a KML)."""
    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if wishes.layer is not None and wishes.layer not in layers:
        raise UnreadableFile(NO_LAYER, layer=wishes.layer, layers=", ".join(layers) or "–")
    if not layers:
        raise UnreadableFile(NO_GEOMETRY)
    if wishes.layer is not None:
        return [wishes.layer]
    if len(layers) > 1 and not together:
        raise UnreadableFile(SEVERAL_LAYERS, layers=", ".join(layers[:20]))
    return layers


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
    known, told = _projection(raw, wishes)
    turn = _turning(known)
    names = list(dict.fromkeys(name for row in raw.fields for name in row))
    found = MapFile([], [], names, _called(known), told, raw.encoding, 0)
    found.name_field = wishes.name_field or field_of(found.names, NAME_FIELDS)
    documents = [_document(shape) for shape in raw.shapes]
    found.swapped = _stand_swapped(documents, _where(known, turn, wishes), turn)
    if found.swapped:
        documents = [_with_positions(document, _exchanged) for document in documents]
    if turn is not None:
        documents = [_with_positions(document, partial(_turned, turn)) for document in documents]
    for number, (document, row) in enumerate(zip(documents, raw.fields, strict=True), 1):
        fields = {name: mended(value) for name, value in row.items()}
        found.mended += sum(fields[name] != value for name, value in row.items())
        name = fields.get(found.name_field or "")
        if document is None or isinstance(document, str):
            found.refused.append(Refused("feature", str(number), name, document or WITHOUT_PLACE))
            continue
        try:
            shape = parse_geometry(document, allowed, max_vertices=MAX_VERTICES)
        except BadGeometry as bad:
            found.refused.append(Refused("feature", str(number), name, bad.message, bad.facts))
            continue
        found.features.append(Feature(number, shape, fields))
    return found


def _document(shape: Any) -> Any:
    """A shape as GeoJSON. None or a reason where there is no shape."""
    if isinstance(shape, BaseGeometry):
        if shape.is_empty:
            return {"type": shape.geom_type, "coordinates": []}
        return dict(shapely.geometry.mapping(shape))
    return shape


def _with_positions(document: Any, change: Callable[[Sequence[Any]], list[Any]]) -> Any:
    """A document with each of its positions changed; what has none stays as it is."""

    def changed(numbers: Any) -> Any:
        if not isinstance(numbers, list | tuple):
            raise TypeError
        if numbers and isinstance(numbers[0], int | float):
            return change(numbers)
        return [changed(each) for each in numbers]

    if not isinstance(document, dict) or "coordinates" not in document:
        return document
    try:
        return {**document, "coordinates": changed(document["coordinates"])}
    except (ProjError, TypeError, ValueError, IndexError, OverflowError, RecursionError):
        return UNREADABLE_SHAPE


def _exchanged(position: Sequence[Any]) -> list[Any]:
    return [position[1], position[0], *position[2:]]


def _turned(turn: Transformer, position: Sequence[Any]) -> list[Any]:
    return list(turn.transform(position[0], position[1], errcheck=True))


def _projection(raw: _Raw, wishes: Wishes) -> tuple[CRS, bool]:
    """In which projection the file is, and whether that was told. Raises where it would be a guess."""
    said = wishes.crs or raw.crs
    try:
        known = CRS.from_user_input(said) if said else None
    except CRSError as error:
        raise UnreadableFile(BAD_CRS, crs=str(said)[:80]) from error
    if known is not None and not (known.is_geographic or known.is_projected):
        raise UnreadableFile(BAD_CRS, crs=str(said)[:80])
    degrees = known is None or known.is_geographic
    if degrees and not _like_degrees(raw.shapes):
        raise UnreadableFile(UNKNOWN_CRS, candidates=", ".join(_candidates(raw.shapes)))
    return known or CRS.from_epsg(4326), known is not None


def _called(known: CRS) -> str:
    """`EPSG:22185`, or the projection's own name where it has no code."""
    code = known.to_epsg()
    return f"EPSG:{code}" if code else ":".join(known.to_authority() or (known.name,))


def _turning(known: CRS) -> Transformer | None:
    """The way from a projection to WGS 84; None where there is nothing to do."""
    if _called(known) in {"EPSG:4326", "EPSG:4979", "OGC:CRS84"}:
        return None
    return Transformer.from_crs(known, "EPSG:4326", always_xy=True)


def _where(known: CRS, turn: Transformer | None, wishes: Wishes) -> tuple[float, float, float, float] | None:
    """Where the file ought to lie: by the city, or else where its projection is meant for."""
    if wishes.near is not None or turn is None or known.area_of_use is None:
        return wishes.near
    return known.area_of_use.bounds


def _positions(numbers: Any) -> Iterator[tuple[float, float]]:
    """The positions of a GeoJSON document, as far as it has any."""
    if not isinstance(numbers, list | tuple) or not numbers:
        return
    if isinstance(numbers[0], int | float):
        if len(numbers) > 1 and isinstance(numbers[1], int | float) and all(abs(one) < 1e12 for one in numbers[:2]):
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


def _stand_swapped(
    documents: Iterable[Any], near: tuple[float, float, float, float] | None, turn: Transformer | None
) -> bool:
    """Whether every position is far from where it ought to be, and there with its two numbers exchanged."""
    if near is None:
        return False
    place: Callable[[float, float], tuple[float, float]] = turn.transform if turn else lambda x, y: (x, y)
    found = _first_positions(documents)
    return bool(found) and all(not _by(near, *place(x, y)) and _by(near, *place(y, x)) for x, y in found)


def _by(near: tuple[float, float, float, float], x: float, y: float, margin: float = 2.0) -> bool:
    west, south, east, north = near
    return west - margin <= x <= east + margin and south - margin <= y <= north + margin
