"""What may be asked: every parameter by name, within limits, and a filter that speaks only of what is shown.

A filter in CQL2 becomes SQL, and the language lets any name and any function through; so it is looked at piece by piece
first. Behind it stands a role that could not read anything else.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cql2 import Expr
from cql2 import ParseError as CqlParseError
from starlette.requests import Request

from geo.places import BadGeometry, geojson, parse_geometry
from realtime.errors import Refusal
from web.opendata.layers import SHAPE, Layer

MOST_AT_ONCE = 10_000
AT_ONCE = 100
FARTHEST = 1_000_000  # how many features may be skipped
LONGEST_QUESTION = 8_000  # characters
LONGEST_FILTER = 6_000
DEEPEST = 24  # parentheses, functions and NOTs within each other
MOST_PIECES = 2_000  # comparisons, names, values and numbers

WGS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_ONLY_WGS84 = {"crs", "bbox-crs", "filter-crs"}
_FILTERS = {"filter", "filter-lang", "filter-crs", "datetime", "properties"}
ITEMS = _FILTERS | _ONLY_WGS84 | {"f", "bbox", "limit", "offset", "sortby"}
TILE = _FILTERS | {"f"}
FORMATS = {"json", "geojson", "mvt"}

_COMPARE = {"=", "<>", "<", ">", "<=", ">=", "between", "in", "like", "isNull"}
_LOGIC = {"and", "or", "not"}
_SPACE = {f"s_{word}" for word in ("intersects", "within", "contains", "disjoint", "equals", "touches", "overlaps")}
_SPACE |= {"s_crosses"}
OPERATORS = _COMPARE | _LOGIC | _SPACE | {"casei"}
_SHAPES = {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"}
_MOMENTS = {"timestamp", "date"}


class UnknownParameter(Refusal):
    """There is no parameter {name} here. There are: {known}."""


class ParameterTwice(Refusal):
    """The parameter {name} stands twice."""


class ParameterNotUnderstood(Refusal):
    """The parameter {name} is not understood: {value}."""


class QuestionTooLong(Refusal):
    """The address is longer than {limit} characters, or has characters that are not allowed."""


class FilterTooLarge(Refusal):
    """The filter is too large: {limit} characters, {deepest} levels and {pieces} pieces are allowed."""


class FilterNotUnderstood(Refusal):
    """The filter is not valid CQL2."""


class UnknownProperty(Refusal):
    """There is no property {name} here. There are: {known}."""


class NotInFilters(Refusal):
    """{name} cannot be used in a filter. These can: {known}."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for in a layer, understood."""

    bbox: list[float] | None = None
    interval: list[str] | None = None
    filter: Expr | None = None
    equals: list[tuple[str, str]] = field(default_factory=list)
    properties: list[str] | None = None
    sortby: str | None = None
    limit: int = AT_ONCE
    offset: int = 0


def asked(request: Request, known: Iterable[str] = ("f",)) -> dict[str, str]:
    """The parameters of a request, each once and each known. Raises a 400 for any other."""
    query = request.url.query
    pairs = request.query_params.multi_items()
    if len(query) > LONGEST_QUESTION or any(not word.isprintable() for pair in pairs for word in pair):
        raise QuestionTooLong(limit=LONGEST_QUESTION)
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise UnknownParameter(name=name[:60], known=", ".join(sorted(known)))
        if name in found:
            raise ParameterTwice(name=name)
        found[name] = value
    if found.get("f", "json") not in FORMATS:
        raise ParameterNotUnderstood(name="f", value=found["f"][:60])
    for name in _ONLY_WGS84 & found.keys():
        if found[name] not in {WGS84, f"<{WGS84}>", f"[{WGS84}]"}:
            raise ParameterNotUnderstood(name=name, value=found[name][:60])
    return found


def question(request: Request, layer: Layer, parameters: set[str]) -> Question:
    """What is asked of a layer. Raises a 400 for what is not understood."""
    columns = {column.name for column in layer.properties if column.name != SHAPE}
    said = asked(request, parameters | columns)
    return Question(
        bbox=_bbox(said["bbox"]) if said.get("bbox") else None,
        interval=_interval(said["datetime"]) if said.get("datetime") else None,
        filter=parse_filter(said["filter"], said.get("filter-lang"), columns) if said.get("filter") else None,
        equals=[(name, said[name]) for name in sorted(columns & said.keys())],
        properties=_names(said["properties"], columns) if "properties" in said else None,
        sortby=_sort(said["sortby"], columns) if said.get("sortby") else None,
        limit=min(_whole(said, "limit", AT_ONCE, least=1), MOST_AT_ONCE),
        offset=_whole(said, "offset", 0, most=FARTHEST),
    )


def _whole(said: Mapping[str, str], name: str, usual: int, *, least: int = 0, most: int | None = None) -> int:
    words = said.get(name)
    if words is None:
        return usual
    number = int(words) if re.fullmatch(r"[0-9]{1,9}", words) else -1
    if number < least or (most is not None and number > most):
        raise ParameterNotUnderstood(name=name, value=words[:60])
    return number


def _bbox(words: str) -> list[float]:
    try:
        numbers = [float(word) for word in words.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise ParameterNotUnderstood(name="bbox", value=words[:60])
    west, south, east, north = numbers
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ParameterNotUnderstood(name="bbox", value=words[:60])
    return numbers


def _interval(words: str) -> list[str]:
    """One moment, or two, either of which may be open (`..`)."""
    ends = [end or ".." for end in words.split("/")]
    moments = [_moment(end, words) for end in ends if end != ".."]
    if len(ends) > 2 or not moments or (len(moments) == 2 and moments[0] > moments[1]):
        raise ParameterNotUnderstood(name="datetime", value=words[:60])
    return ends


def _moment(end: str, words: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(end)
    except ValueError:
        moment = None
    if moment is None or not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", end) or moment.tzinfo is None:
        raise ParameterNotUnderstood(name="datetime", value=words[:60])
    return moment


def _names(words: str, columns: set[str]) -> list[str]:
    names = [name.strip() for name in words.split(",") if name.strip()]
    for name in names:
        if name not in columns and name != SHAPE:
            raise UnknownProperty(name=name[:60], known=", ".join(sorted(columns)))
    return names


def _sort(words: str, columns: set[str]) -> str:
    for name in words.split(","):
        if name.lstrip("+-").strip() not in columns:
            raise UnknownProperty(name=name[:60], known=", ".join(sorted(columns)))
    return words


# ── Filters ───────────────────────────────────────────────────────────────────────────────────────


def parse_filter(words: str, language: str | None, columns: set[str]) -> Expr:
    """A filter in CQL2, text or JSON. Raises a 400 for what is too large, not CQL2, or not about this layer."""
    if language not in {None, "cql2-text", "cql2-json"}:
        raise ParameterNotUnderstood(name="filter-lang", value=language[:60])
    if len(words) > LONGEST_FILTER or _depth(words) > DEEPEST:
        raise _too_large()
    is_json = language == "cql2-json" or (language is None and words.lstrip().startswith("{"))
    with _understanding():
        asked_for = json.loads(words) if is_json else words
        if is_json and not isinstance(asked_for, dict):
            raise FilterNotUnderstood  # a text would be taken for CQL2 text
        tree = Expr(asked_for).to_json()
    looked_at = _looked_at(tree, columns)
    with _understanding():
        understood = Expr(looked_at)
        understood.to_sql()  # which finds out what has too few arguments
    return understood


@contextmanager
def _understanding() -> Iterator[None]:
    """Some of what the parser raises has no class of its own."""
    try:
        yield
    except (ValueError, TypeError, RecursionError, OverflowError, CqlParseError):
        raise FilterNotUnderstood from None
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise FilterNotUnderstood from None


def _depth(words: str) -> int:
    """How deep brackets stand within each other, with every NOT and minus for one more: before anybody recurses."""
    level = deepest = 0
    for mark in re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"", "", words):
        level += (mark in "([{") - (mark in ")]}")
        deepest = max(deepest, level)
    return deepest + len(re.findall(r"(?i)\bnot\b", words)) + words.count("--")


def _looked_at(tree: Any, columns: set[str]) -> Any:
    pieces = 0

    def look(node: Any, level: int) -> Any:
        nonlocal pieces
        pieces += 1
        if pieces > MOST_PIECES or level > DEEPEST:
            raise _too_large()
        if isinstance(node, list):
            return [look(one, level + 1) for one in node]
        if isinstance(node, dict):
            return _looked_at_one(node, columns, lambda one: look(one, level + 1))
        if isinstance(node, float) and not math.isfinite(node):
            raise FilterNotUnderstood
        return node

    if not isinstance(tree, dict):
        raise FilterNotUnderstood  # `true`, `1`, `'x'` filter nothing
    return look(tree, 0)


def _looked_at_one(node: dict[str, Any], columns: set[str], look: Any) -> Any:
    match node:
        case {"op": str(operator), "args": list(arguments)} if len(node) == 2:
            if operator not in OPERATORS:
                raise NotInFilters(name=operator[:60], known=", ".join(sorted(OPERATORS)))
            return {"op": operator, "args": look(arguments)}
        case {"property": str(name)} if len(node) == 1:
            if name not in columns and name != SHAPE:
                raise UnknownProperty(name=name[:60], known=", ".join(sorted({*columns, SHAPE})))
            return node
        case {"type": str(), "coordinates": list(numbers)}:
            look(numbers)
            try:
                return geojson(parse_geometry(node, _SHAPES))
            except BadGeometry:
                raise FilterNotUnderstood from None
        case {"bbox": [*corners]} if len(node) == 1:  # which would become a box that lies nowhere in particular
            west, south, east, north = _bbox(",".join(str(corner) for corner in corners))
            ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
            return {"type": "Polygon", "coordinates": [ring]}
        case _ if len(node) == 1 and node.keys() <= _MOMENTS and isinstance(next(iter(node.values())), str):
            return node
    raise FilterNotUnderstood


def _too_large() -> FilterTooLarge:
    return FilterTooLarge(limit=LONGEST_FILTER, deepest=DEEPEST, pieces=MOST_PIECES)
