"""Reading an OpenStreetMap file: what is in it, checked before anything of it is believed.

Two passes by pyosmium: relations first, then everything, with the locations of nodes in memory. A file that is cut,
not what its name says, or holds history is refused as a whole; a thing in it that is broken is left out by name.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid5

import osmium
import osmium.geom
import shapely
from shapely.geometry.base import BaseGeometry

from geo.encodings import decoded, guess_single_byte, mended, visible
from geo.landmarks import Landmark
from geo.layers import MapArea
from geo.numbering import AddressPoint
from geo.osm.coast import Box, land
from geo.osm.streets import Links, Way, cut
from geo.osm.turns import Relation, is_restriction, restrictions, via_nodes
from geo.osm.words import (
    BOUNDARIES,
    PLACES,
    WATERWAYS,
    Door,
    Tags,
    barrier_access,
    bridge_name,
    building_height,
    doors_of,
    drawn_road,
    landmark_kind,
    landuse_kind,
    name_of,
    other_names,
    population_of,
    street_access,
    street_direction,
    street_kind,
    street_speed,
    street_structure,
    water_kind,
)
from geo.places import METRES_PER_DEGREE, Position
from geo.refused import Refused, UnreadableFile
from geo.streets import Access, Street, StreetKind, TurnRestriction

SOURCE = "osm"
ATTRIBUTION = "© OpenStreetMap contributors (ODbL)"
NAMESPACE = UUID("019e0000-0000-7000-8000-00000000005e")  # landmarks keep their ids when a file is read again
SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
LONGEST_BLOCK = 2000  # house numbers between two known ones
MAX_THINGS = 60_000_000  # nodes, ways and relations; a province has fewer, and a country does not fit in memory
TELL_EVERY = 50_000

# Why a whole file is refused.
NO_FILE = "there is no such file: {file}"
NO_PERMISSION = "the file may not be read: {file}"
NOT_OSM = "the name of an OpenStreetMap file ends in {endings}"
EMPTY_FILE = "the file is empty"
CUT = "the file is cut or damaged, or is not OpenStreetMap: {error}"
DOCTYPE = "the file declares a document type (DOCTYPE); OpenStreetMap files have none"
HISTORY = "the file holds history: several versions of things, or deleted ones"
CHANGES = "the file holds changes, not a map"
TWICE = "{what} {which} stands in the file twice"
UNSAVED = "{what} {which} has a negative number: it was drawn but never uploaded"
TOO_LARGE = "the file holds more than {limit} things: cut out your city first"
NO_STREETS = "there is no street in the file"
NONE_INSIDE = "no street of the file lies within the boundary or near it"
BOTH_SIDES = "its streets lie on both sides of the 180th meridian, over which no map here reaches"
# Why a thing is left out, or a part of it.
NODES_MISSING = "{missing} of its {nodes} nodes are not in the file"
NODES_MISSING_ALL = "fewer than two of its nodes are in the file"
SPEED = "a speed limit that cannot be understood: {word}"
WAYS_MISSING = "{missing} of the ways of its outline are not in the file, or not whole"
OUTLINE = "its outline is not closed, or crosses itself"
REVERSIBLE = "its direction changes with the hour; taken as open both ways"
NO_NUMBER = "a house number that cannot be understood: {word}"
NO_STREET = "a house number without a street"
NO_ENDS = "fewer than two of its house numbers are known"
WHYS = (
    *(NO_FILE, NO_PERMISSION, NOT_OSM, EMPTY_FILE, CUT, DOCTYPE, HISTORY, CHANGES, TWICE, UNSAVED, TOO_LARGE),
    *(NO_STREETS, NONE_INSIDE, BOTH_SIDES),
    *(NODES_MISSING, NODES_MISSING_ALL, SPEED, WAYS_MISSING, OUTLINE, REVERSIBLE, NO_NUMBER, NO_STREET, NO_ENDS),
)

Tell = Callable[[int], None]


@dataclass(slots=True)
class OsmCity:
    """What a file gives a city."""

    streets: list[Street]
    turns: list[TurnRestriction]
    areas: list[MapArea]
    landmarks: list[Landmark]
    doors: list[AddressPoint]
    boundaries: dict[str, shapely.MultiPolygon]  # administrative ones by name
    refused: list[Refused]
    mended: int  # names that had been encoded twice
    nameless: int  # landmarks without a name


def read_osm(path: Path, *, within: BaseGeometry | None = None, tell: Tell = lambda _: None) -> OsmCity:
    """Read a whole file; raises `UnreadableFile`. `within` is where things have to be to be taken (WGS 84).

    `tell` is told now and then how many nodes, ways and relations have been read.
    """
    try:
        with TemporaryDirectory(prefix="vigia-osm-") as place:
            return _read_any(path, Path(place), within, tell)
    except PermissionError as error:
        raise UnreadableFile(NO_PERMISSION, file=str(path)) from error
    except _FROM_PYOSMIUM as error:
        if "twice in input" in str(error):
            raise UnreadableFile(HISTORY) from error
        raise UnreadableFile(CUT, error=str(error)[:200]) from error


_FROM_PYOSMIUM = (RuntimeError, ValueError, OSError, EOFError, zlib.error, osmium.InvalidLocationError)


def _read_any(path: Path, place: Path, within: BaseGeometry | None, tell: Tell) -> OsmCity:
    ending = _check(path)
    named = place / f"map{ending}"  # pyosmium believes names
    named.symlink_to(path.absolute())
    try:
        return _read(named, place, within, tell)
    except _FROM_PYOSMIUM:
        again = None if ending == ".osm.pbf" else _recoded(named, place)
        if again is None:
            raise
    return _read(again, place, within, tell)


def _read(path: Path, place: Path, within: BaseGeometry | None, tell: Tell) -> OsmCity:
    try:
        return _Reading(path, within, tell).read()
    except _OutOfOrder:
        _check_visible(path)
    ordered = place / "ordered.osm.pbf"
    _order(path, ordered)
    return _Reading(ordered, within, tell).read()


class _OutOfOrder(Exception):
    """Ways stand before their nodes."""


def _check(path: Path) -> str:
    """What kind of file it is, as an ending. Raises where it is none that holds a map."""
    try:
        there = path.is_file()
    except OSError as error:
        raise UnreadableFile(NO_FILE, file=str(path)) from error
    if not there:
        raise UnreadableFile(NO_FILE, file=str(path))
    if not path.name.lower().endswith(SUFFIXES):
        raise UnreadableFile(NOT_OSM, endings=", ".join(SUFFIXES))
    if path.stat().st_size == 0:
        raise UnreadableFile(EMPTY_FILE)
    ending = _ending(path)
    if ending != ".osm.pbf":
        with _unpacked(path, ending) as file:
            head = file.read(HEAD)
            if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                head = head.decode("utf-16", "ignore").encode()
            if b"<!DOCTYPE" in head.upper() or b"<!ENTITY" in head.upper():
                raise UnreadableFile(DOCTYPE)
            if b"<osmChange" in head:
                raise UnreadableFile(CHANGES)
            if re.search(rb"<osm[^>]*JOSM", head):
                _check_deleted(file, head)
    return ending


HEAD = 1 << 20  # a document type stands before everything else


def _check_deleted(file: BinaryIO, piece: bytes) -> None:
    """JOSM keeps in its files what was deleted, and says so in a word that pyosmium does not know."""
    while piece:
        if re.search(rb"\saction=['\"]delete['\"]", piece):
            raise UnreadableFile(HISTORY)
        more = file.read(HEAD)
        piece = piece[-40:] + more if more else b""


def _ending(path: Path) -> str:
    """By what the file begins with, whatever it is called."""
    with path.open("rb") as file:
        head = file.read(64)
    if b"OSMHeader" in head:
        return ".osm.pbf"
    if head.startswith(b"\x1f\x8b"):
        return ".osm.gz"
    if head.startswith(b"BZh"):
        return ".osm.bz2"
    return ".osm.pbf" if path.name.lower().endswith(".pbf") and b"<" not in head else ".osm"


def _unpacked(path: Path, ending: str) -> BinaryIO:
    if ending == ".osm.gz":
        return cast("BinaryIO", gzip.open(path))
    return cast("BinaryIO", bz2.open(path)) if ending == ".osm.bz2" else path.open("rb")


_CLAIM = re.compile(rb"^\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9_.:-]+)")
_KNOWN_TO_EXPAT = frozenset({"utf-8", "utf-8-sig", "utf-16", "iso8859-1", "ascii"})
RECODED = 512 * 1024 * 1024  # bytes; what is larger was not written by hand


def _recoded(path: Path, place: Path) -> Path | None:
    """A copy in UTF-8 of XML that is in an encoding which its parser does not know or which it does not say."""
    with _unpacked(path, "".join(path.suffixes)) as file:
        raw = file.read(RECODED)
        if file.read(1):
            return None
    claim = _CLAIM.match(raw[:400])
    try:
        claimed = codecs.lookup(claim[1].decode()).name if claim else "utf-8"
        text, encoding = decoded(raw) if claimed == "utf-8" else (raw.decode(claimed), claimed)
    except (LookupError, UnicodeError):
        encoding = guess_single_byte(raw)
        text = raw.decode(encoding, "replace")
    if encoding in _KNOWN_TO_EXPAT and not text[:1].isspace():
        return None
    copy = place / "recoded.osm"
    copy.write_text(re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff")).lstrip(), "utf-8")
    return copy


def _check_visible(path: Path) -> None:
    """Putting things in order loses which of them were deleted."""
    things: Any = osmium.FileProcessor(str(path))
    if not all(thing.visible for thing in things):
        raise UnreadableFile(HISTORY)


def _order(path: Path, target: Path) -> None:
    """A copy with nodes first, then ways, then relations, as most files have them."""
    reader: Any = osmium.MergeInputReader()
    reader.add_file(str(path))
    with osmium.SimpleWriter(str(target)) as writer:
        reader.apply(writer, idx="", simplify=False)


@dataclass(slots=True)
class _Plan:
    """What the first pass finds: the relations."""

    turns: list[Relation] = field(default_factory=list)
    admin_ways: dict[int, str] = field(default_factory=dict)  # the lowest level that a way bounds
    outlines: dict[int, tuple[Tags, list[int]]] = field(default_factory=dict)  # the ways of each area
    houses: dict[tuple[str, int], str] = field(default_factory=dict)  # their street


class _Reading:
    """One file, being read."""

    def __init__(self, path: Path, within: BaseGeometry | None, tell: Tell) -> None:
        self.path, self.tell = str(path), tell
        self.within = within
        if within is not None:
            shapely.prepare(within)
        self.wkb = osmium.geom.WKBFactory()
        self.plan = _Plan()
        self.ways: list[Way] = []
        self.barriers: dict[int, Access] = {}
        self.areas: list[MapArea] = []
        self.landmarks: dict[str, Landmark] = {}
        self.doors: list[AddressPoint] = []
        self.door_of_node: dict[int, tuple[str | None, int]] = {}
        self.interpolations: list[tuple[int, Tags, list[tuple[int, Position]]]] = []
        self.coast: list[shapely.LineString] = []
        self.boundaries: dict[str, shapely.MultiPolygon] = {}
        self.refused: list[Refused] = []
        self.mended = self.nameless = self.count = 0
        self.missing: set[int] = set()
        self.assembled: set[int] = set()
        self.last = ("n", 0)
        self.bounds = [180.0, 90.0, -180.0, -90.0]

    def read(self) -> OsmCity:
        self._first_pass()
        processor: Any = osmium.FileProcessor(self.path).with_areas()
        if processor.header.has_multiple_object_versions:
            raise UnreadableFile(HISTORY)
        for thing in processor:
            if thing.is_area():
                self._area(thing)
                continue
            self._check(thing)
            if thing.is_node():
                self._node(thing)
            elif thing.is_way():
                self._way(thing)
        self.tell(self.count)
        if not self.ways:
            raise UnreadableFile(NO_STREETS)
        self._never_assembled()
        self._interpolate()
        links = cut(self.ways, self.barriers, via_nodes(self.plan.turns))
        turns, unfit = restrictions(self.plan.turns, links)
        self.refused += unfit
        if self.bounds[2] - self.bounds[0] > 180:
            raise UnreadableFile(BOTH_SIDES)
        self._ground(processor.header)
        streets, turns = self._kept(links, turns)
        return OsmCity(
            streets,
            turns,
            self.areas,
            _once(self.landmarks),
            self.doors,
            self.boundaries,
            self.refused,
            self.mended,
            self.nameless,
        )

    # --- passes -----------------------------------------------------------------------------------------

    def _first_pass(self) -> None:
        relations: Any = osmium.FileProcessor(self.path, osmium.osm.RELATION)
        for relation in relations:
            tags = _tags(relation)
            members = [(member.type, member.ref, member.role) for member in relation.members]
            if is_restriction(tags):
                self.plan.turns.append(Relation(relation.id, tags, members))
            elif tags.get("type") in {"multipolygon", "boundary"}:
                ways = [number for kind, number, _ in members if kind == "w"]
                self.plan.outlines[relation.id] = tags, ways
                self.missing.update(ways)
                level = tags.get("admin_level", "")
                if tags.get("boundary") == "administrative" and level in BOUNDARIES:
                    for way in ways:
                        self.plan.admin_ways[way] = min(level, self.plan.admin_ways.get(way, level))
            elif tags.get("type") == "associatedStreet" and (street := name_of(tags)):
                houses = {(kind, number): street for kind, number, role in members if role in {"house", "address"}}
                self.plan.houses.update(houses)

    def _check(self, thing: Any) -> None:
        """Each thing once, in order, uploaded and still there."""
        kind = thing.type_str()
        what = {"n": "node", "w": "way", "r": "relation"}[kind]
        if thing.id < 0:
            raise UnreadableFile(UNSAVED, what=what, which=thing.id)
        if not thing.visible:
            raise UnreadableFile(HISTORY)
        if kind == self.last[0]:
            if thing.id == self.last[1]:
                raise UnreadableFile(TWICE, what=what, which=thing.id)
            if thing.id < self.last[1]:
                raise _OutOfOrder
        elif "nwr".index(kind) < "nwr".find(self.last[0]):
            raise _OutOfOrder
        self.last = (kind, thing.id)
        self.count += 1
        if self.count % TELL_EVERY == 0:
            self.tell(self.count)
            if self.count > MAX_THINGS:
                raise UnreadableFile(TOO_LARGE, limit=MAX_THINGS)

    # --- nodes ------------------------------------------------------------------------------------------

    def _node(self, node: Any) -> None:
        if not len(node.tags):
            return
        place = _place(node.location)
        if place is None:
            return
        tags = _tags(node)
        if (access := barrier_access(tags)) is not None:
            self.barriers[node.id] = access
        point = shapely.Point(place)
        if not self._inside(point):
            return
        name = self._name(tags)
        if name and tags.get("place") in PLACES:
            detail = tags["place"]
            self._put("places", PLACES[detail], point, detail=detail, name=name, rank=population_of(tags))
        self._landmark(f"n{node.id}", tags, point)
        doors = self._doors("node", node.id, tags, point)
        if doors:
            self.door_of_node[node.id] = (self._street_of("n", node.id, tags), doors[0][0])

    # --- ways -------------------------------------------------------------------------------------------

    def _way(self, way: Any) -> None:
        if way.id in self.missing and all(_place(node.location) for node in way.nodes):
            self.missing.discard(way.id)
        level = self.plan.admin_ways.get(way.id)
        if not len(way.tags) and level is None:
            return
        tags = _tags(way)
        kind = street_kind(tags)
        waterway = tags.get("waterway") in WATERWAYS and tags.get("area") != "yes"
        coast = tags.get("natural") == "coastline"
        drawn = drawn_road(tags) if kind is None else None
        if kind is None and not (waterway or coast or level or drawn):
            if "addr:interpolation" in tags:
                self.interpolations += [(way.id, tags, run) for run in _runs(way.nodes)[0]]
            elif not way.is_closed() and way.id not in self.plan.admin_ways and _wants_area(tags):
                self._refuse("way", way.id, name_of(tags), OUTLINE)
            return
        runs, missing = _runs(way.nodes)
        if missing:
            facts = {"missing": missing, "nodes": len(way.nodes)}
            self._refuse(
                "way", way.id, name_of(tags), NODES_MISSING if runs else NODES_MISSING_ALL, kept=bool(runs), **facts
            )
        if kind is not None and runs:
            self._street(way.id, tags, kind, runs)
        for run in runs:
            line = shapely.LineString([place for _, place in run])
            if line.length == 0:
                continue
            if coast:
                self.coast.append(line)
            if self._inside(line):
                self._line(tags, line, level, drawn, waterway)

    def _line(
        self,
        tags: Tags,
        line: shapely.LineString,
        level: str | None,
        drawn: tuple[str, str] | None,
        waterway: bool,
    ) -> None:
        if level:
            self._put("boundaries", BOUNDARIES[level], line, detail=level, name=self._name(tags))
        if drawn:
            self._put("roads", drawn[0], line, detail=drawn[1], name=self._name(tags))
        if waterway and tags.get("tunnel", "no") == "no":
            self._put("water", tags["waterway"], line, name=self._name(tags))

    def _street(self, way_id: int, tags: Tags, kind: StreetKind, runs: list[list[tuple[int, Position]]]) -> None:
        speed, unclear = street_speed(tags)
        name = self._name(tags)
        if unclear:
            self._refuse("way", way_id, name, SPEED, kept=True, word=unclear[:40])
        if tags.get("oneway") in {"reversible", "alternating"}:
            self._refuse("way", way_id, name, REVERSIBLE, kept=True)
        others = other_names(tags, ref=True)
        if name is None and others:
            name, others = others[0], others[1:]  # a route known by its number only
        self.ways.append(
            Way(
                id=way_id,
                runs=runs,
                kind=kind,
                access=street_access(tags, kind),
                direction=street_direction(tags),
                speed_kmh=speed,
                name=name,
                alt_names=others,
                ramp=tags["highway"].endswith("_link"),
                structure=street_structure(tags),
            )
        )
        for run in runs:
            for _, (x, y) in run:
                self._stretch(x, y)
        if bridge := bridge_name(tags):
            middle = shapely.LineString([place for _, place in runs[0]]).interpolate(0.5, normalized=True)
            if self._inside(middle):
                self._put_landmark(f"w{way_id}", "bridge", bridge, (), None, middle)

    def _stretch(self, x: float, y: float) -> None:
        box = self.bounds
        box[0], box[1], box[2], box[3] = min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)

    # --- areas ------------------------------------------------------------------------------------------

    def _area(self, area: Any) -> None:
        if not len(area.tags):
            return
        tags = _tags(area)
        letter, number = ("w" if area.from_way() else "r"), area.orig_id()
        if letter == "r":
            self.assembled.add(number)
        administrative = tags.get("boundary") == "administrative"
        landuse, water = landuse_kind(tags), water_kind(tags)
        if letter == "w" and "highway" in tags and tags.get("area") != "yes":
            landuse = None  # a street that ends where it began
        building = tags.get("building", tags.get("building:part", "no")) != "no"
        wanted = landuse or water or building or administrative or "addr:housenumber" in tags or landmark_kind(tags)
        if not wanted:
            return
        shape = self._shape(area)
        if shape is None:
            self._broken(letter, number, tags)
            return
        if administrative and (name := name_of(tags)):
            self._boundary(name, tags, shape)
        if not self._inside(shape):
            return
        if not administrative:
            self._draw(tags, shape, landuse, water, building=building)
        middle = shape.representative_point()
        self._landmark(f"{letter}{number}", tags, middle)
        self._doors("way" if letter == "w" else "relation", number, tags, middle)

    def _draw(
        self,
        tags: Tags,
        shape: BaseGeometry,
        landuse: str | None,
        water: tuple[str, str | None] | None,
        *,
        building: bool,
    ) -> None:
        name = self._name(tags)
        if building:
            part = "building_part" if "building" not in tags else "building"
            self._put("buildings", part, shape, name=name, rank=building_height(tags))
        elif water:
            self._put("water", water[0], shape, detail=water[1], name=name)
        elif landuse:
            self._put("landuse", landuse, shape, name=name)

    def _boundary(self, name: str, tags: Tags, shape: shapely.MultiPolygon) -> None:
        """Of several of one name the lowest in rank: the city and not its province."""
        for one in (name, *other_names(tags)):
            known = self.boundaries.get(one)
            if known is None or shape.area < known.area:
                self.boundaries[one] = shape

    def _shape(self, area: Any) -> shapely.MultiPolygon | None:
        try:
            shape = shapely.from_wkb(self.wkb.create_multipolygon(area))
        except RuntimeError:  # the assembler could not make sense of its ways
            return None
        return shape if isinstance(shape, shapely.MultiPolygon) and shape.area > 0 else None

    def _broken(self, letter: str, number: int, tags: Tags) -> None:
        _, ways = self.plan.outlines.get(number, ({}, [])) if letter == "r" else ({}, [])
        missing = len(self.missing.intersection(ways))
        what = "way" if letter == "w" else "relation"
        if missing:
            self._refuse(what, number, name_of(tags), WAYS_MISSING, missing=missing)
        else:
            self._refuse(what, number, name_of(tags), OUTLINE)

    def _never_assembled(self) -> None:
        """Areas of which not even all the ways are in the file: pyosmium does not try them."""
        for number, (tags, _) in self.plan.outlines.items():
            wanted = (
                landuse_kind(tags) or water_kind(tags) or "building" in tags or tags.get("admin_level") in BOUNDARIES
            )
            if number not in self.assembled and wanted:
                self._broken("r", number, tags)

    def _ground(self, header: Any) -> None:
        """The land under everything, as far as the file reaches."""
        box: Box = (self.bounds[0], self.bounds[1], self.bounds[2], self.bounds[3])
        if self.within is not None:
            west, south, east, north = self.within.bounds
            box = (max(box[0], west), max(box[1], south), min(box[2], east), min(box[3], north))
        elif self.coast and (stated := _stated_box(header)):
            box = stated
        self._put("earth", "earth", land(box, self.coast))

    # --- landmarks and doors ----------------------------------------------------------------------------

    def _landmark(self, key: str, tags: Tags, point: shapely.Point) -> None:
        kind = landmark_kind(tags)
        if kind is None:
            return
        name = name_of(tags)
        if name is None:
            self.nameless += 1
            return
        address = " ".join(part for part in (tags.get("addr:street"), tags.get("addr:housenumber")) if part)
        self._put_landmark(key, kind, name, other_names(tags), mended(address) or None, point)

    def _put_landmark(
        self, key: str, kind: str, name: str, others: tuple[str, ...], address: str | None, point: shapely.Point
    ) -> None:
        self.landmarks[key] = Landmark(
            id=uuid5(NAMESPACE, key),
            source=SOURCE,
            kind=kind,
            name=name,
            alt_names=list(others),
            address=address,
            shape=point,
        )

    def _doors(self, what: str, number: int, tags: Tags, point: shapely.Point) -> list[Door]:
        word = tags.get("addr:housenumber")
        if word is None:
            return []
        doors = doors_of(word)
        street = self._street_of(what[0], number, tags)
        if not doors:
            self._refuse(what, number, street, NO_NUMBER, word=word[:40])
        elif street is None:
            self._refuse(what, number, word[:40], NO_STREET)
        else:
            for door, suffix in doors:
                self._door(number, street, door, suffix, point)
        return doors

    def _street_of(self, letter: str, number: int, tags: Tags) -> str | None:
        named = tags.get("addr:street") or tags.get("addr:place") or self.plan.houses.get((letter, number))
        return mended(" ".join(visible(named).split())) or None if named else None

    def _door(self, osm_id: int, street: str, number: int, suffix: str | None, point: shapely.Point) -> None:
        self.doors.append(AddressPoint(osm_id=osm_id, street=street, number=number, suffix=suffix, shape=point))

    def _interpolate(self) -> None:
        """Doors along a line of which only the ends, and perhaps some between, are known."""
        for way_id, tags, nodes in self.interpolations:
            known = [
                (index, *self.door_of_node[node]) for index, (node, _) in enumerate(nodes) if node in self.door_of_node
            ]
            street = self._street_of("w", way_id, tags) or next((one[1] for one in known if one[1]), None)
            if len(known) < 2 or street is None:
                self._refuse("way", way_id, street, NO_ENDS if len(known) < 2 else NO_STREET)
                continue
            for (start, _, first), (end, _, last) in pairwise(known):
                line = shapely.LineString([place for _, place in nodes[start : end + 1]])
                self._fill(way_id, street, tags["addr:interpolation"], first, last, line)

    def _fill(self, way_id: int, street: str, rule: str, first: int, last: int, line: shapely.LineString) -> None:
        if first > last:
            first, last, line = last, first, line.reverse()
        step = int(rule) if rule.isdigit() and int(rule) else 1 if rule == "all" else 2
        if step <= last - first <= LONGEST_BLOCK:
            for number in range(first + step, last, step):
                place = line.interpolate((number - first) / (last - first), normalized=True)
                self._door(way_id, street, number, None, place)

    # --- what is kept -----------------------------------------------------------------------------------

    def _kept(self, links: Links, turns: list[TurnRestriction]) -> tuple[list[Street], list[TurnRestriction]]:
        """The streets inside, and the restrictions whose links all are."""
        streets = [street for street in links.streets if self._inside(street.shape)]
        if len(streets) == len(links.streets):
            return streets, turns
        if not streets:
            raise UnreadableFile(NONE_INSIDE)
        pairs: dict[int, set[int]] = defaultdict(set)
        for street in streets:
            pairs[street.osm_id or 0] |= {street.a_node, street.b_node}
        return streets, [turn for turn in turns if _whole(turn, pairs)]

    def _inside(self, shape: BaseGeometry) -> bool:
        return self.within is None or bool(self.within.intersects(shape))

    def _put(
        self,
        layer: str,
        kind: str,
        shape: BaseGeometry,
        *,
        detail: str | None = None,
        name: str | None = None,
        rank: int | None = None,
    ) -> None:
        if isinstance(shape, shapely.MultiPolygon) and len(shape.geoms) == 1:
            shape = shape.geoms[0]
        if self.within is not None and shape.geom_type.endswith("Polygon") and not self.within.contains(shape):
            shape = _clipped(shape, self.within.bounds)
            if shape is None:
                return
        self.areas.append(MapArea(layer=layer, kind=kind, kind_detail=detail, name=name, rank=rank, shape=shape))

    def _name(self, tags: Tags) -> str | None:
        name = name_of(tags)
        if name is not None and name != " ".join(tags.get("name", name).split()):
            self.mended += "name" in tags
        return name

    def _refuse(self, what: str, number: int, name: str | None, why: str, *, kept: bool = False, **facts: Any) -> None:
        self.refused.append(Refused(what, str(number), name, why, facts, kept))


# --- small things ---------------------------------------------------------------------------------------


def _tags(thing: Any) -> dict[str, str]:
    return {tag.k: tag.v for tag in thing.tags}


def _place(location: Any) -> Position | None:
    if not location.valid() or (location.x == 0 and location.y == 0):
        return None
    return location.lon, location.lat


def _runs(nodes: Any) -> tuple[list[list[tuple[int, Position]]], int]:
    """The parts of a way whose nodes are known, and how many are not."""
    runs: list[list[tuple[int, Position]]] = [[]]
    missing = 0
    for node in nodes:
        place = _place(node.location)
        if place is None:
            missing += 1
            if runs[-1]:
                runs.append([])
        elif not runs[-1] or runs[-1][-1][0] != node.ref:
            runs[-1].append((node.ref, place))
    return [run for run in runs if len(run) > 1], missing


def _wants_area(tags: Tags) -> bool:
    return tags.get("building", "no") != "no" or "landuse" in tags or tags.get("leisure") == "park"


def _stated_box(header: Any) -> Box | None:
    box = header.box()
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return (low.lon, low.lat, high.lon, high.lat) if low.lon < high.lon and low.lat < high.lat else None


def _clipped(shape: BaseGeometry, box: Box) -> BaseGeometry | None:
    clipped = shapely.clip_by_rect(shape, *box)
    parts = [part for part in shapely.get_parts(clipped).tolist() if isinstance(part, shapely.Polygon) and part.area]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _whole(turn: TurnRestriction, nodes_of_way: Mapping[int, set[int]]) -> bool:
    steps = zip(turn.ways, turn.nodes, turn.nodes[1:], strict=False)
    return all({one, other} <= nodes_of_way.get(way, set()) for way, one, other in steps)


def _once(landmarks: Mapping[str, Landmark]) -> list[Landmark]:
    """A hospital is often drawn twice, as a point and as its grounds: the grounds count."""
    found: dict[tuple[str, str], list[Landmark]] = defaultdict(list)
    for key in sorted(landmarks, key=lambda key: "rwn".index(key[0])):
        one = landmarks[key]
        twins = found[one.kind, one.name.casefold()]
        if all(one.shape.distance(twin.shape) * METRES_PER_DEGREE > TWIN_METRES for twin in twins):
            twins.append(one)
    return [one for twins in found.values() for one in twins]


TWIN_METRES = 150.0
