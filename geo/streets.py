"""Streets: one row for each piece between two crossings, and places told in the words of the street.

A one-way piece is stored in the direction it may be driven.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Protocol

import shapely
from sqlalchemy import BigInteger, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.copying import copy_rows
from geo.layers import mark_layer
from geo.places import Point, Shape, haversine, metres, shape_checks
from realtime.database import Base

STREETS = "streets"  # the name of this layer in `map_layers`


class StreetKind(StrEnum):
    """OpenStreetMap's classes of roads for motor vehicles, from the fastest to the slowest."""

    MOTORWAY = "motorway"
    TRUNK = "trunk"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"
    UNCLASSIFIED = "unclassified"
    RESIDENTIAL = "residential"
    LIVING_STREET = "living_street"
    SERVICE = "service"
    TRACK = "track"
    FOOTWAY = "footway"


# What traffic does where no sign says otherwise, km/h.
USUAL_SPEED: dict[str, float] = {
    StreetKind.MOTORWAY: 100,
    StreetKind.TRUNK: 80,
    StreetKind.PRIMARY: 60,
    StreetKind.SECONDARY: 50,
    StreetKind.TERTIARY: 40,
    StreetKind.UNCLASSIFIED: 40,
    StreetKind.RESIDENTIAL: 35,
    StreetKind.LIVING_STREET: 20,
    StreetKind.SERVICE: 15,
    StreetKind.TRACK: 15,
    StreetKind.FOOTWAY: 5,
}


class Access(StrEnum):
    """Who may drive there, as the sign says. Units on an urgent call may more: `geo/travel.py`."""

    ALL = "all"
    DESTINATION = "destination"  # only who has business there
    PRIVATE = "private"
    BUS = "bus"
    EMERGENCY = "emergency"
    FOOT = "foot"


class Structure(StrEnum):
    """What carries a street where it does not lie on the ground."""

    BRIDGE = "bridge"
    TUNNEL = "tunnel"


class StreetLink(Base):
    """A piece of street from one node to the next. Links that meet share a node number.

    `alt_names` are the other names people use: the old one, the short one, the number of a route. A `ramp` leads from
    one street to another of the same class (OSM: `motorway_link` and its like); `structure` only matters to drawing.
    """

    __tablename__ = "street_links"
    __table_args__ = (
        Index("ix_street_links_shape", "shape", postgresql_using="gist"),
        Index("ix_street_links_name", "name"),
        *shape_checks("shape", vertices=20_000),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    osm_id: Mapped[int | None] = mapped_column(BigInteger)
    name: Mapped[str | None]
    alt_names: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    kind: Mapped[str]
    access: Mapped[str] = mapped_column(default=Access.ALL)
    ramp: Mapped[bool] = mapped_column(default=False)
    structure: Mapped[str | None]
    oneway: Mapped[bool]
    speed_kmh: Mapped[float]
    length_m: Mapped[float]
    a_node: Mapped[int] = mapped_column(BigInteger)
    b_node: Mapped[int] = mapped_column(BigInteger)
    shape: Mapped[shapely.LineString] = mapped_column(Shape("LINESTRING"))


class TurnRestriction(Base):
    """A way over a crossing that a sign forbids, or that it makes the only one.

    `nodes` are the link ends passed: from the far end of the link one comes by, over the crossing (or the crossings
    at both ends of the links between, where the sign speaks of a way round), to the far end of the link one leaves by.
    `ways` are the OSM ways of the links between them, one fewer than nodes. `only` makes every other way out
    forbidden to who came by the first link. `excepted` names the kinds of traffic that the sign lets pass (OSM words).
    """

    __tablename__ = "turn_restrictions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    osm_id: Mapped[int | None] = mapped_column(BigInteger)
    only: Mapped[bool]
    nodes: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    ways: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    excepted: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)


@dataclass(frozen=True, slots=True)
class Street:
    """A link on its way into the database."""

    a_node: int
    b_node: int
    shape: shapely.LineString
    kind: str
    name: str | None = None
    osm_id: int | None = None
    oneway: bool = False
    speed_kmh: float | None = None
    access: str = Access.ALL
    alt_names: tuple[str, ...] = ()
    ramp: bool = False
    structure: str | None = None


async def lay_streets(
    session: AsyncSession,
    streets: Iterable[Street],
    attribution: str,
    restrictions: Iterable[TurnRestriction] = (),
) -> int:
    """Replace the whole street network by COPY, all or nothing. Returns the number of links."""
    # A city of 100,000 links takes longer to lay than a request may last.
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(text("LOCK TABLE street_links IN SHARE ROW EXCLUSIVE MODE"))
    await session.execute(text("DELETE FROM street_links"))
    await session.execute(text("DELETE FROM turn_restrictions"))
    session.add_all(restrictions)
    await session.flush()
    count = await copy_rows(session, "street_links", _COLUMNS, map(_row, streets))
    await session.execute(text("ANALYZE street_links"))
    await mark_layer(session, STREETS, attribution)
    return count


_COLUMNS = (
    *("osm_id", "name", "alt_names", "kind", "access", "ramp", "structure", "oneway", "speed_kmh", "length_m"),
    *("a_node", "b_node", "shape"),
)


def _row(street: Street) -> tuple[Any, ...]:
    return (
        street.osm_id,
        tidy_name(street.name),
        list(street.alt_names),
        street.kind,
        street.access,
        street.ramp,
        street.structure,
        street.oneway,
        street.speed_kmh or USUAL_SPEED.get(street.kind, 30.0),
        length_of(street.shape),
        street.a_node,
        street.b_node,
        street.shape,
    )


def length_of(line: shapely.LineString) -> float:
    """Metres along a line."""
    return sum(haversine(*one, *other) for one, other in pairwise(line.coords))


def tidy_name(name: str | None) -> str | None:
    """A street's name as written on its corner: no stray spaces, nothing when there is nothing."""
    return " ".join(name.split()) or None if name else None


# --- a place in words -----------------------------------------------------------------------------------

AT_THE_CORNER = 25.0  # metres; wider than an avenue, shorter than half a block
ON_THE_STREET = 150.0  # farther from any street than this, naming one would mislead
LOOK_AROUND = 300.0  # two blocks: both corners of the block are in it


class Piece(Protocol):
    """As much of a street link as words need: a row of the table, or a link of the network in memory."""

    @property
    def name(self) -> str | None: ...
    @property
    def a_node(self) -> int: ...
    @property
    def b_node(self) -> int: ...
    @property
    def shape(self) -> shapely.LineString: ...


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """A place as a dispatcher reads it out."""

    street: str | None
    corner: str | None
    zone: str | None
    place: str


def place_words(links: Sequence[Piece], place: Point, zone: str | None) -> PlaceWords:
    """The words for a point among the named links around it. Without a street it is the zone, or the figures."""
    named = [link for link in links if link.name]
    nearest = min(named, key=lambda link: _metres_from(link, place), default=None)
    if nearest is None or nearest.name is None or _metres_from(nearest, place) > ON_THE_STREET:
        figures = f"{place.y:.5f}, {place.x:.5f}"
        return PlaceWords(None, None, zone, f"{zone} ({figures})" if zone else figures)
    corners = sorted(_corners(named, nearest.name), key=lambda corner: metres(corner[0], place))
    phrase, corner = _phrase(nearest.name, corners, place)
    return PlaceWords(nearest.name, corner, zone, phrase)


def _phrase(street: str, corners: list[tuple[Point, str]], place: Point) -> tuple[str, str | None]:
    """At a corner, between two, or near one."""
    if not corners:
        return street, None
    at, other = corners[0]
    if metres(at, place) <= AT_THE_CORNER:
        return f"{street} {and_before(other)} {other}", other
    for beyond, name in corners[1:]:
        across = (beyond.x - place.x) * (at.x - place.x) + (beyond.y - place.y) * (at.y - place.y)
        if across < 0 and name != other:  # on the far side of the point
            return f"{street} entre {other} {and_before(name)} {name}", other
    return f"{street} cerca de {other}", other


def _metres_from(link: Piece, place: Point) -> float:
    return metres(link.shape.interpolate(link.shape.project(place)), place)


def _corners(links: Sequence[Piece], street: str) -> list[tuple[Point, str]]:
    """Where a street meets others: the place, and the other's name."""
    on_street: dict[int, Point] = {}
    for link in links:
        if link.name == street:
            on_street[link.a_node] = shapely.Point(link.shape.coords[0])
            on_street[link.b_node] = shapely.Point(link.shape.coords[-1])
    return [
        (on_street[node], link.name)
        for link in links
        if link.name and link.name != street
        for node in (link.a_node, link.b_node)
        if node in on_street
    ]


def and_before(name: str) -> str:
    """Spanish "and": `e` before the sound of an i, `y` otherwise, also before hie- and hia- (Hierro)."""
    plain = unicodedata.normalize("NFD", name.lower()).encode("ascii", "ignore").decode()
    return "e" if re.match(r"(hi(?![aeo])|i(?![aeou]))", plain) else "y"
