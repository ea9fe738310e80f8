"""Words, places and ids from outside: the types that request bodies are made of."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import shapely
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from shapely.geometry.base import BaseGeometry

from geo import fences, zones
from geo.addresses import Kind, Precision
from geo.places import parse_geometry, parse_point, point
from incidents import majors

EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class Body(BaseModel):
    """A request body: what it does not name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _clean(text: str) -> str:
    """Composed, trimmed, without what databases and screens choke on; line breaks stay."""
    if any(unicodedata.category(symbol) in {"Cs", "Cc"} and symbol not in "\n\t\r" for symbol in text):
        raise PydanticCustomError("control_characters", "Control characters are not allowed.")
    return unicodedata.normalize("NFC", text).strip()


def _filled(text: str) -> str:
    if not text:
        raise PydanticCustomError("missing", "This is missing.")
    return text


def _uuid7(value: UUID) -> UUID:
    if value.version != 7:
        raise PydanticCustomError("uuid_version", "The id must be a UUIDv7 that you made.")
    return value


def _place(raw: Any) -> shapely.Point:
    return raw if isinstance(raw, shapely.Point) else parse_point(raw)


def _zone_area(raw: Any) -> BaseGeometry:
    if isinstance(raw, BaseGeometry):
        return raw
    return parse_geometry(raw, {"Polygon", "MultiPolygon"}, max_square_metres=zones.LARGEST)


def _fence_shape(raw: Any) -> BaseGeometry:
    if isinstance(raw, BaseGeometry):
        return raw
    kinds = {"Polygon", "MultiPolygon", "LineString", "MultiLineString"}
    return parse_geometry(raw, kinds, max_vertices=fences.MOST_VERTICES, max_square_metres=fences.LARGEST)


def _major_area(raw: Any) -> BaseGeometry:
    if isinstance(raw, BaseGeometry):
        return raw
    kinds = {"Polygon", "MultiPolygon"}
    return parse_geometry(raw, kinds, max_vertices=majors.MOST_VERTICES, max_square_metres=majors.LARGEST)


def _written_out(value: Any) -> Any:
    """Seconds or milliseconds since 1970 have no offset, and which of the two they are would be a guess."""
    if isinstance(value, dt.datetime) or (isinstance(value, str) and ":" in value):
        return value
    raise PydanticCustomError("datetime_type", "This is not a time.")


def _when(value: dt.datetime) -> dt.datetime:
    if value < EARLIEST or value.year > 2100:
        raise PydanticCustomError("implausible_time", "That time is not plausible.")
    return value


def _a_day(value: Any) -> Any:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str) and len(value) == 10:
        return value
    raise PydanticCustomError("date_parsing", "This is not a day.")


def _plausible_day(value: dt.date) -> dt.date:
    if not 2000 <= value.year <= 2100:
        raise PydanticCustomError("implausible_time", "That time is not plausible.")
    return value


def _a_number(value: Any) -> Any:
    """A number and nothing that only can be read as one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("finite_number", "This must be a finite number.")
    return Decimal(str(value)) if isinstance(value, float) else value


# Limits count before cleaning, so that a million zero-width marks are refused, not trimmed.
Text = Annotated[str, Field(max_length=2000), AfterValidator(_clean)]
Words = Annotated[Text, AfterValidator(_filled)]
Short = Annotated[str, Field(max_length=200), AfterValidator(_clean)]
Answer = Annotated[str, Field(max_length=600), AfterValidator(_clean)]  # to whoever reported
Name = Annotated[Short, AfterValidator(_filled)]
Phone = Annotated[str, Field(max_length=40, pattern=r"^[0-9+() .\-]*$")]
Code = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_\-]+$")]
Capability = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-zÁÉÍÓÚÜÑáéíóúüñ0-9_\-]+$")]
Password = Annotated[str, Field(max_length=1024), AfterValidator(_clean)]
NewId = Annotated[UUID, AfterValidator(_uuid7)]
When = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_when)]
Priority = Annotated[int, Field(strict=True, ge=1, le=4)]
Day = Annotated[dt.date, BeforeValidator(_a_day), AfterValidator(_plausible_day)]
Quantity = Annotated[Decimal, BeforeValidator(_a_number), Field(ge=0, le=1_000_000, max_digits=9, decimal_places=2)]
Location = Annotated[
    shapely.Point,
    PlainValidator(_place),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "type": {"const": "Point"},
                "coordinates": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            },
            "required": ["type", "coordinates"],
            "description": "A GeoJSON point, WGS 84, longitude first",
        }
    ),
]
ZoneArea = Annotated[
    BaseGeometry,
    PlainValidator(_zone_area),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"type": {"enum": ["Polygon", "MultiPolygon"]}, "coordinates": {"type": "array"}},
            "required": ["type", "coordinates"],
            "description": "A GeoJSON polygon or multipolygon, WGS 84, longitude first",
        }
    ),
]
FenceShape = Annotated[
    BaseGeometry,
    PlainValidator(_fence_shape),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "type": {"enum": ["Polygon", "MultiPolygon", "LineString", "MultiLineString"]},
                "coordinates": {"type": "array"},
            },
            "required": ["type", "coordinates"],
            "description": "A GeoJSON area or line, WGS 84, longitude first",
        }
    ),
]


MajorArea = Annotated[
    BaseGeometry,
    PlainValidator(_major_area),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"type": {"enum": ["Polygon", "MultiPolygon"]}, "coordinates": {"type": "array"}},
            "required": ["type", "coordinates"],
            "description": "A GeoJSON polygon or multipolygon of 500 vertices at most, WGS 84, longitude first",
        }
    ),
]


class PlaceMatch(Body):
    """What the words for a place were taken to mean: a match of `GET /places/search`, kept beside the words."""

    label: Name
    kind: Kind
    precision: Precision
    lon: float
    lat: float

    def kept(self) -> dict[str, Any]:
        """As it is stored, its position through the one door. Raises `BadGeometry`."""
        place = point(self.lon, self.lat)
        return {**self.model_dump(mode="json"), "lon": place.x, "lat": place.y}


def kept(match: PlaceMatch | None) -> dict[str, Any] | None:
    """A match as it is stored; nothing where there is none."""
    return match.kept() if match else None
