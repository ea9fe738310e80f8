"""Addresses: what somebody says of a place, found on the map; and a point on the map, said in words.

`find_place` takes the words as they come: *calle altura*, *esquina*, *entre calles*, a landmark, a quarter, figures
or a Plus Code, with abbreviations, old names and errors. Every reading of the words that finds something gives a
match; they are ranked, each says how exactly it is known, and two that are as good as each other are both shown.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import Any, Protocol, TypeAlias

import numpy as np
import pluscodes
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.city import City
from geo.landmarks import LANDMARKS, Landmark
from geo.layers import MapArea, edition_of
from geo.numbering import NUMBERING
from geo.places import METRES_PER_DEGREE, BadGeometry, Point, geojson, metres, near, point
from geo.street_index import NAMING, Area, Door, Found, Named, Piece, Spot, StreetIndex, pieces_of
from geo.street_names import KINDS, LITTLE, fold, words_of
from geo.streets import LOOK_AROUND, STREETS, StreetLink, and_before, place_words
from geo.zones import ZONES, ZoneKind, zones, zones_at

MAX_WORDS = 200  # characters
AREAS = "places"  # the layer of the base map that holds the names of quarters
SURROUNDINGS = 50_000.0  # metres beyond the city's edge; what lies farther is another city's
A_BLOCK_APART = 1500.0  # metres; the two corners of "entre" are of one block, or of a long one
SURE = 0.8
CLEARLY_BETTER = 0.07
SAME_PLACE = 120.0  # metres; two readings that lead to one spot are no doubt about it
PAGE = 20_000  # links read at a time, so that no query outlives its limit


class Kind(StrEnum):
    """What was understood."""

    ADDRESS = "address"
    CORNER = "corner"
    BETWEEN = "between"
    LANDMARK = "landmark"
    ZONE = "zone"
    STREET = "street"
    COORDINATES = "coordinates"
    PLUS_CODE = "plus_code"


class Precision(StrEnum):
    """How exactly the place is known."""

    EXACT = "exact"
    INTERPOLATED = "interpolated"
    BLOCK = "block"
    STREET = "street"
    ZONE = "zone"


@dataclass(frozen=True, slots=True)
class Match:
    """A place that somebody may mean. `score` is 1 for what cannot be read otherwise; `words` is what was said."""

    label: str
    kind: Kind
    precision: Precision
    place: Point
    score: float
    words: str
    street: str | None = None
    number: int | None = None
    corner: str | None = None
    zone: str | None = None

    def kept(self) -> dict[str, Any]:
        """As it is stored beside the words of a report or an incident."""
        return {
            "label": self.label[:MAX_WORDS],
            "kind": self.kind.value,
            "precision": self.precision.value,
            "lon": self.place.x,
            "lat": self.place.y,
        }


Bounds: TypeAlias = tuple[float, float, float, float]  # west, south, east, north, degrees


class Geocoder(Protocol):
    """Another finder of places, asked only when this one is unsure. It never raises: no answer is no matches."""

    async def find(self, words: str, around: Bounds, limit: int) -> list[Match]: ...


def is_clear(matches: Sequence[Match]) -> bool:
    """Whether the first match is what was meant: it is good, and nothing elsewhere is nearly as good."""
    if not matches or matches[0].score < SURE:
        return False
    first = matches[0]
    rivals = (other for other in matches[1:] if other.score > first.score - CLEARLY_BETTER)
    return all(metres(first.place, other.place) <= SAME_PLACE for other in rivals)


def is_sure(matches: Sequence[Match]) -> bool:
    """Whether the first match may be taken without asking: it is clear, and a number that was said is known."""
    unknown = matches and matches[0].kind is Kind.ADDRESS and matches[0].precision is Precision.STREET
    return is_clear(matches) and not unknown


def pins_down(match: Match) -> bool:
    """Whether a match says where, and not just on which street or in which quarter."""
    return match.precision in {Precision.EXACT, Precision.INTERPOLATED}


async def find_place(session: AsyncSession, words: str, *, near: Point | None = None, limit: int = 8) -> list[Match]:
    """The places that `words` may mean, best first; `near` (the map's middle, a caller's antenna) breaks ties."""
    index = await address_index(session)
    return find_in(index, words, near=near, limit=limit)


async def find_further(
    session: AsyncSession, geocoder: Geocoder | None, words: str, *, near: Point | None = None, limit: int = 8
) -> list[Match]:
    """`find_place`, and where it is not sure also what another finder says that lies in the city's surroundings."""
    index = await address_index(session)
    own = find_in(index, words, near=near, limit=limit)
    said = words.strip()
    if geocoder is None or index.empty or is_sure(own) or not said or len(said) > MAX_WORDS:
        return own
    west, south, east, north = index.bounds
    tall = SURROUNDINGS / METRES_PER_DEGREE
    wide = tall / max(0.1, math.cos(math.radians((south + north) / 2)))
    around = (west - wide, south - tall, east + wide, north + tall)
    theirs = [
        match
        for match in await geocoder.find(said, around, limit)
        if around[0] <= match.place.x <= around[2] and around[1] <= match.place.y <= around[3]
        if all(metres(match.place, known.place) > SAME_PLACE or known.precision != match.precision for known in own)
    ]
    return sorted([*own, *theirs], key=lambda match: -match.score)[:limit]


# --- reading the words ----------------------------------------------------------------------------------

AND = frozenset({"y", "e", "&", "esq", "esquina", "con", "casi", "x", "and", "com", "c", "cruce", "u"})
LEADING = frozenset(
    ["esquina", "esq", "interseccion", "cruce", "en", "frente", "cerca", "de", "a", "la", "calle", "sobre", "entre"]
)
BEFORE_NUMBER = frozenset(["al", "altura", "alt", "n", "nro", "num", "numero", "no", "a", "la", "del", "km"])
IN_THE_BUILDING = frozenset(
    """piso depto dpto dto departamento pb pa ro do to er planta baja timbre casa torre block bloque lote manzana mz mza
    lt of oficina local interno int fondo apto apartamento ap bis sala conjunto cj bloco monoblock escalera esc ph cp
    """.split()  # noqa: SIM905
)
TELLING = frozenset(
    """frente al a en cerca donde detras atras junto lado arriba abajo sobre entre esquina esq casi pasando antes casa
    porton puerta rejas reja kiosco negocio local edificio mano altura con hay es esta por""".split()  # noqa: SIM905
)
COUNTRY = frozenset(["argentina", "brasil", "brazil", "cp"])
NUMBERED_WAYS = frozenset(KINDS) - BEFORE_NUMBER  # "Calle 1200" is no height
WITH_LETTER = re.compile(r"^(\d{1,5})([a-h]|bis)$")
ORDINAL = re.compile(r"^\d{1,2}(?:ro|do|to|er|vo|mo|no|o|a)$")
BITS = re.compile(r"[&/+]|,|;|[^\W_]+(?:['’´`][^\W_]+)*", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand the words."""

    streets: tuple[tuple[str, ...], ...]  # one, two at a corner, three for a street between two
    number: int | None = None
    suffix: str | None = None
    doubt: float = 1.0  # what is left of the score for words that had to be explained away
    shape: Kind = Kind.STREET


def _bits(words: str) -> list[str]:
    """Folded words, with "&" for every sign of a crossing and "," where a comma stood."""
    plain = re.sub(r"(?<=\d)\.(?=\d{3}\b)", "", fold(words))
    plain = re.sub(r"\be/\s*", " entre ", plain)
    plain = re.sub(r"\bc/\s*", " con ", plain)
    plain = re.sub(r"\bs/n\b", " ", plain)
    plain = re.sub(r"\bb[oº°]\.?\s", " barrio ", plain)
    plain = re.sub(r"\bbrio\.?\s", " barrio ", plain)
    plain = re.sub(r"\b([ner])\.?\s?([pnu])\.", r"\1\2 ", plain)
    return [
        "&" if mark in "&/+" else "," if mark in ",;" else re.sub(r"['’´`]", "", mark) for mark in BITS.findall(plain)
    ]


def _number_of(bit: str) -> tuple[int, str | None] | None:
    if bit.isascii() and bit.isdigit() and len(bit) <= 6:
        return int(bit), None
    if found := WITH_LETTER.match(bit):
        return int(found[1]), found[2]
    return None


def _readings(bits: list[str]) -> Iterator[Reading]:
    """Every way to understand the words of a street, a height, a corner or a block."""
    yield from _as_between(bits)
    yield from _as_corner(bits)
    for street, number, suffix, doubt in _with_number(bits):
        yield Reading((words_of(street),), number, suffix, doubt, Kind.ADDRESS)
    if bits:
        yield Reading((words_of([bit for bit in bits if bit != "&"]),))


def _with_number(bits: list[str]) -> Iterator[tuple[list[str], int, str | None, float]]:
    """Each figure that may be the height, what is then the street, and how much was left unexplained."""
    for at, bit in enumerate(bits):
        if (found := _number_of(bit)) is None:
            continue
        number, suffix = found
        before, after = bits[:at], bits[at + 1 :]
        if not before:
            if after and not (after[0] in LITTLE and len(after) == 2):  # "9 de Julio" is no ninth door of Julio
                street = after[1:] if after[0] in LITTLE and len(after) > 2 else after
                yield street, number, suffix, 0.93
            continue
        while len(before) > 1 and before[-1] in BEFORE_NUMBER:
            before = before[:-1]
        if after[:1] == ["bis"] or (after and re.fullmatch(r"[a-h]", after[0])):
            suffix, after = after[0], after[1:]
        doubt = 1.0
        for word in after:
            known = (
                word in IN_THE_BUILDING or word in TELLING or ORDINAL.match(word) or len(word) <= 2 or word in LITTLE
            )
            doubt *= 0.96 if word.isdigit() else 0.99 if known or after[0] in TELLING else 0.78
        yield before, number, suffix, doubt


def _as_corner(bits: list[str]) -> Iterator[Reading]:
    """Each place where the words may be cut in two streets."""
    start = 0
    while start < len(bits) - 1 and bits[start] in LEADING:
        start += 1
    for begin in {0, start}:
        for at in range(begin + 1, len(bits)):
            if bits[at] not in AND:
                continue
            end = at + 1
            while end < len(bits) and (bits[end] in AND or (bits[end] in LITTLE and bits[at] in {"esq", "esquina"})):
                end += 1
            if at > begin and bits[at - 1] in AND:
                continue
            one, other = bits[begin:at], bits[end:]
            while len(one) > 1 and one[-1] in {"casi", "esquina", "esq"}:
                one = one[:-1]
            if one:
                first, number = _without_number(one)
                second, _ = _without_number(other)
                yield Reading((words_of(first), words_of(second)), number, shape=Kind.CORNER)


def _without_number(bits: list[str]) -> tuple[list[str], int | None]:
    """ "Mitre al 1200" at a corner is Mitre."""
    if len(bits) > 1 and (found := _number_of(bits[-1])) and found[0] >= 10 and bits[-2] not in NUMBERED_WAYS:
        bits = bits[:-1]
        while len(bits) > 1 and bits[-1] in BEFORE_NUMBER:
            bits = bits[:-1]
        return bits, found[0]
    return bits, None


def _as_between(bits: list[str]) -> Iterator[Reading]:
    for at, bit in enumerate(bits):
        if bit != "entre" or at == 0:
            continue
        street, number = _without_number(bits[:at])
        rest = bits[at + 1 :]
        for cut, word in enumerate(rest):
            if word in AND and 0 < cut < len(rest) - 1:
                yield Reading(
                    (words_of(street), words_of(rest[:cut]), words_of(rest[cut + 1 :])), number, shape=Kind.BETWEEN
                )
        if rest and not any(word in AND for word in rest[1:]):
            yield Reading((words_of(street), words_of(rest)), number, doubt=0.9, shape=Kind.CORNER)


# --- figures and codes ----------------------------------------------------------------------------------

NUMBER = r"([-+]?\d{1,3}(?:[.,]\d+)?)"
PLAIN = re.compile(rf"^\(?\s*{NUMBER}\s*(?:[,;]\s*|\s+){NUMBER}\s*\)?$")
IN_A_LINK = re.compile(
    r"(?:@|[?&/](?:q|ll|query|center|destination|sll|mlat)=|geo:|loc:)(-?\d{1,2}\.\d+)(?:,|%2C|&mlon=)\+?(-?\d{1,3}\.\d+)"
)
PART = (
    r"(\d{1,3}(?:[.,]\d+)?)\s*[°º]\s*(?:(\d{1,2}(?:[.,]\d+)?)\s*['’′]\s*)?(?:(\d{1,2}(?:[.,]\d+)?)\s*(?:[\"”″]|'')\s*)?"
)
IN_DEGREES = re.compile(rf"^{PART}([NS])[\s,;]*{PART}([EOW])$", re.IGNORECASE)
DEGREES_SIGNED = re.compile(rf"^([-+]?){PART}[\s,;]+([-+]?){PART}$")
HEMISPHERES = re.compile(rf"^{NUMBER}\s*([NS])[\s,;]+{NUMBER}\s*([EOW])$", re.IGNORECASE)
CODE = re.compile(r"(?:^|\s)([23456789CFGHJMPQRVWX]{2,8}\+[23456789CFGHJMPQRVWX]{0,4})(?=$|[\s,])", re.IGNORECASE)


def _figures(words: str) -> tuple[float, float] | None:
    """Latitude and longitude, in any of the ways people write them down."""
    said = " ".join(words.replace("−", "-").split())
    if found := IN_A_LINK.search(said):
        return float(found[1]), float(found[2])
    if found := IN_DEGREES.match(said):
        lat, lon = _degrees(*found.group(1, 2, 3)), _degrees(*found.group(5, 6, 7))
        return (-lat if found[4] in "Ss" else lat), (-lon if found[8] in "oOwW" else lon)
    if found := HEMISPHERES.match(said):
        lat, lon = _decimal(found[1]), _decimal(found[3])
        return (-abs(lat) if found[2] in "Ss" else lat), (-abs(lon) if found[4] in "oOwW" else lon)
    if found := DEGREES_SIGNED.match(said):
        lat, lon = _degrees(*found.group(2, 3, 4)), _degrees(*found.group(6, 7, 8))
        return (-lat if found[1] == "-" else lat), (-lon if found[5] == "-" else lon)
    if found := PLAIN.match(said):
        one, other = found[1], found[2]
        if any(mark in one for mark in ".,") and any(mark in other for mark in ".,"):
            return _decimal(one), _decimal(other)
    return None


def _decimal(figures: str) -> float:
    return float(figures.replace(",", "."))


def _degrees(whole: str, minutes: str | None, seconds: str | None) -> float:
    return _decimal(whole) + _decimal(minutes or "0") / 60 + _decimal(seconds or "0") / 3600


# --- finding --------------------------------------------------------------------------------------------


def find_in(index: StreetIndex, words: str, *, near: Point | None = None, limit: int = 8) -> list[Match]:
    """`find_place` in an index that is already there."""
    said = words.strip()
    if not said or len(said) > MAX_WORDS or limit < 1:
        return []
    return _Search(index, said, near).matches(limit)


@dataclass(slots=True)
class _Search:
    """One question: what was looked up for one reading serves the next."""

    index: StreetIndex
    said: str
    near: Point | None
    _here: Spot = field(init=False)
    _streets: dict[tuple[tuple[str, ...], bool], list[tuple[int, float]]] = field(init=False, default_factory=dict)
    _found: list[tuple[Match, Spot]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._here = self.index.flat(self.near.x, self.near.y) if self.near else (0.0, 0.0)

    def matches(self, limit: int) -> list[Match]:
        if (figures := _figures(self.said)) and (found := self._coordinates(*figures)):
            return found
        if (code := CODE.search(self.said)) and (found := self._plus_code(code[1].upper())):
            return found
        for bits, doubt, filters in self._cuts():
            before = len(self._found)
            for reading in _readings(bits):
                self._read(replace(reading, doubt=reading.doubt * doubt))
            self._places(bits, doubt)
            if filters:
                self._found[before:] = [self._filtered(one, filters) for one in self._found[before:]]
        return self._ranked(limit)

    # --- what stands behind the address -----------------------------------------------------------------

    def _cuts(self) -> Iterator[tuple[list[str], float, list[Area]]]:
        """The words without the town or the quarter behind them, each with what that leaves of the score."""
        bits = _bits(self.said)
        parts = [list(part) for comma, part in groupby(bits, lambda bit: bit == ",") if not comma]
        if not parts:
            return
        whole = [bit for part in parts for bit in part]
        yield whole, 1.0 if len(parts) == 1 else 0.98, []
        if len(parts) > 1:
            doubt, filters = 1.0, []
            head, tail = parts[0], parts[1:]
            if len(tail[0]) == 1 and _number_of(tail[0][0]):  # "Mitre, 1234"
                head, tail = head + tail[0], tail[1:]
            for part in tail:
                area = self._area_named(part[1:] if part[0] == "barrio" else part)
                if area:
                    filters.append(area)
                elif not self._is_town(part):  # perhaps another town: found here, but never for sure
                    doubt *= 0.95 if part[0] in TELLING or part[0] in IN_THE_BUILDING else 0.78
            yield head, doubt, filters
            if len(parts) == 2 and len(parts[1]) <= 2:  # "Fierro, Martín"
                yield parts[1] + parts[0], 0.97, []
        elif "barrio" in bits[1:]:
            at = bits.index("barrio", 1)
            if area := self._area_named(bits[at + 1 :]):
                yield bits[:at], 1.0, [area]
        else:
            yield from self._without_tail(bits)

    def _without_tail(self, bits: list[str]) -> Iterator[tuple[list[str], float, list[Area]]]:
        """A town or a quarter behind the address, without a comma."""
        for size in (3, 2, 1):
            head, tail = bits[:-size], bits[-size:]
            first = tail[0] if head else "0"
            if (
                head[-1:]
                and head[-1] not in AND
                and not first.isdigit()
                and first not in LITTLE
                and self._is_town(tail)
            ):
                yield head, 0.99, []
                return
        for size in (3, 2, 1):
            head, tail = bits[:-size], bits[-size:]
            if len(head) > 1 and any(_number_of(bit) for bit in head[1:]) and not _number_of(tail[0]):
                area = self._area_named(tail)
                if area:
                    yield head, 0.98, [area]
                    return

    def _is_town(self, part: Sequence[str]) -> bool:
        said = set(words_of(list(part))) - LITTLE
        return not all(word.isdigit() for word in said) and all(
            word in self.index.city or word in COUNTRY or (word.isdigit() and len(word) >= 4) for word in said
        )

    def _area_named(self, part: Sequence[str]) -> Area | None:
        found = self.index.areas_like(words_of(list(part)), typing=False, limit=1)
        return found[0][0] if found and found[0][1] >= 0.85 else None

    def _filtered(self, one: tuple[Match, Spot], filters: Sequence[Area]) -> tuple[Match, Spot]:
        match, spot = one
        away = max(float(area.shape.distance(match.place)) for area in filters) * 100_000  # metres, roughly
        reach = 2500 if any(area.shape.geom_type == "Point" for area in filters) else 300
        return (match if away <= reach else replace(match, score=match.score * 0.6)), spot

    # --- streets ----------------------------------------------------------------------------------------

    def _like(self, words: tuple[str, ...], *, last: bool) -> list[tuple[int, float]]:
        key = (words, last)
        if key not in self._streets:
            self._streets[key] = self.index.streets_like(words, typing=last) if words else []
        return self._streets[key]

    def _read(self, reading: Reading) -> None:
        if reading.shape is Kind.CORNER:
            self._corner(reading)
        elif reading.shape is Kind.BETWEEN:
            self._between(reading)
        elif reading.shape is Kind.ADDRESS and reading.number is not None:
            self._address(reading, reading.number)
        else:
            self._street(reading)

    def _address(self, reading: Reading, number: int) -> None:
        for street, like in self._like(reading.streets[0], last=False)[:14]:
            name = self.index.street_names[street]
            found = self.index.line(street).find(number, reading.suffix) if self.index.doors_of(street) else []
            if not found:
                score = like * reading.doubt * (0.72 if self.index.doors_of(street) else 0.82)
                self._keep(
                    f"{name} {number}", Kind.ADDRESS, Precision.STREET, self._middle(street), score, name, number=number
                )
            for one in found:
                worth = {"exact": 1.0, "interpolated": 0.99}.get(one.precision, 0.94)
                label = f"{name} {number}" + (f" {one.suffix}" if one.suffix and one.suffix == reading.suffix else "")
                score = like * reading.doubt * worth
                self._keep(label, Kind.ADDRESS, Precision(one.precision), one.spot, score, name, number=number)

    def _street(self, reading: Reading) -> None:
        for street, like in self._like(reading.streets[0], last=True)[:10]:
            name = self.index.street_names[street]
            score = like * reading.doubt * 0.97
            self._keep(name, Kind.STREET, Precision.STREET, self._middle(street), score, name)

    def _middle(self, street: int) -> Spot:
        return self.index.spot_near(street, self._here)

    def _corner(self, reading: Reading) -> None:
        ones = self._like(reading.streets[0], last=False)
        others = self._like(reading.streets[1], last=True)
        if not reading.streets[1]:
            self._any_corner(ones)
            return
        if not ones or not others:
            return
        crossing = self.index.cross(np.array([s for s, _ in ones]), np.array([s for s, _ in others]))
        likes = np.sqrt(np.outer([like for _, like in ones], [like for _, like in others]))
        pairs = [
            (float(likes[i, j]), ones[i][0], others[j][0]) for i, j in np.argwhere(crossing) if ones[i] != others[j]
        ]
        pairs.sort(key=lambda pair: -pair[0])
        best = pairs[0][0] if pairs else 0.0
        for like, one, other in self._strangers(ones[:4], others[:4], best):
            self._keep_corners(one, other, like * reading.doubt * 0.95)
        for like, one, other in pairs[:10]:
            self._keep_corners(one, other, like * reading.doubt)
        best = max((match.score for match, _ in self._found if match.kind is Kind.CORNER), default=0.0)
        for street, like in (*ones[:2], *others[:2]):  # two streets that are well known, and do not meet
            if best < 0.7 and like >= 0.8:
                name = self.index.street_names[street]
                score = 0.72 * like * reading.doubt
                self._keep(name, Kind.STREET, Precision.STREET, self._middle(street), score, name)

    def _strangers(
        self, ones: list[tuple[int, float]], others: list[tuple[int, float]], best: float
    ) -> Iterator[tuple[float, int, int]]:
        """Streets whose names fit better than those of any true crossing: perhaps they come near each other."""
        for one, like in ones:
            for other, alike in others:
                both = math.sqrt(like * alike)
                if one != other and both > best + 0.02 and both > 0.7:
                    yield both, one, other

    def _keep_corners(self, one: int, other: int, score: float) -> None:
        name, crossed = self.index.street_names[one], self.index.street_names[other]
        for corner in self.index.corners(one, other):
            label = f"{name} {and_before(crossed)} {crossed}"
            precision = Precision.EXACT if corner.exact else Precision.INTERPOLATED
            self._keep(label, Kind.CORNER, precision, corner.spot, score, name, corner=crossed)

    def _any_corner(self, ones: list[tuple[int, float]]) -> None:
        """ "Mitre y": what crosses it, the nearest first, while the rest is being typed."""
        for one, like in ones[:2]:
            if like < 0.8:
                continue
            crossed = [(other, self.index.corners(one, int(other))) for other in self.index.crossed_by(one)[:200]]
            near = sorted(
                ((math.dist(corners[0].spot, self._here), int(other)) for other, corners in crossed if corners)
            )
            for away, other in near[:6]:
                self._keep_corners(one, other, like * 0.7 - min(0.05, away / 1e6))

    def _between(self, reading: Reading) -> None:
        streets, ones, others = (self._like(words, last=at == 2)[:12] for at, words in enumerate(reading.streets))
        for street, like in streets:
            sides = []
            for crossing in (ones, others):
                if not crossing:
                    return
                ids = np.array([s for s, _ in crossing])
                crosses = self.index.cross(np.array([street]), ids)[0]
                sides.append([(s, alike) for (s, alike), true in zip(crossing, crosses, strict=True) if true][:4])
            if not sides[1]:
                sides[1] = [(s, a * 0.95) for s, a in others[:2] if a > 0.8 and self.index.corners(street, s)]
            if not sides[0]:
                sides[0] = [(s, a * 0.95) for s, a in ones[:2] if a > 0.8 and self.index.corners(street, s)]
            for one, alike in sides[0]:
                for other, as_alike in sides[1]:
                    if one != other:
                        score = (like * alike * as_alike) ** (1 / 3) * reading.doubt
                        self._keep_between(street, one, other, reading, score)

    def _keep_between(self, street: int, one: int, other: int, reading: Reading, score: float) -> None:
        apart, a, b = min(
            (math.dist(a.spot, b.spot), a.spot, b.spot)
            for a in self.index.corners(street, one)
            for b in self.index.corners(street, other)
        )
        if apart > A_BLOCK_APART:
            return
        line = self.index.line(street)
        middle = line.nearest_to(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
        precision = Precision.BLOCK if apart <= 250 else Precision.STREET
        name, first, last = (self.index.street_names[s] for s in (street, one, other))
        if reading.number is not None and self.index.doors_of(street):
            for found in line.find(reading.number, reading.suffix):
                if math.dist(found.spot, middle) <= apart and found.precision != "block":
                    middle, precision = found.spot, Precision(found.precision)
        label = f"{name}{f' {reading.number}' if reading.number else ''} entre {first} {and_before(last)} {last}"
        self._keep(label, Kind.BETWEEN, precision, middle, score, name, number=reading.number, corner=first)

    # --- what is no street ------------------------------------------------------------------------------

    def _places(self, bits: list[str], doubt: float) -> None:
        words = words_of([bit for bit in bits if bit != "&"])
        for landmark, like in self.index.landmarks_like(words):
            spot = self.index.flat(landmark.longitude, landmark.latitude)
            label = f"{landmark.name}, {landmark.address}" if landmark.address else landmark.name
            self._keep(label, Kind.LANDMARK, Precision.EXACT, spot, like * doubt * 0.99, None)
        quarter = words_of(bits[1:]) if bits[:1] == ["barrio"] and len(bits) > 1 else words
        for area, like in self.index.areas_like(quarter):
            inside = area.shape.representative_point()
            spot = self.index.flat(inside.x, inside.y)
            score = like * doubt * (0.99 if quarter is not words else 0.96)
            self._keep(area.name, Kind.ZONE, Precision.ZONE, spot, score, None, zone=area.name)

    def _coordinates(self, latitude: float, longitude: float) -> list[Match]:
        """The figures as they are; where that is far away, with the signs or the order that people get wrong."""
        ways = [(latitude, longitude, 1.0), (longitude, latitude, 0.9)]
        ways += [(-abs(a), -abs(b), 0.85 * worth) for a, b, worth in ways]
        for lat, lon, score in ways:
            try:
                place = point(lon, lat)
            except BadGeometry:
                continue
            if self._around(place):
                label = f"{place.y:.5f}, {place.x:.5f}"
                zone = self.index.zone_of(self.index.flat(place.x, place.y))
                return [Match(label, Kind.COORDINATES, Precision.EXACT, place, score, self.said, zone=zone)]
        return []

    def _plus_code(self, code: str) -> list[Match]:
        """A code in full, or one that was shortened near the city."""
        centre = self.near if self.near and self._around(self.near) else self.index.round((0.0, 0.0))
        try:
            area = pluscodes.decode(pluscodes.Transformer().lenghten(code, (centre.y, centre.x)))
            middle = area.center()
            place = point(middle.lon, middle.lat)
        except (ValueError, IndexError, BadGeometry):
            return []
        if not self._around(place):
            return []
        zone = self.index.zone_of(self.index.flat(place.x, place.y))
        return [Match(code, Kind.PLUS_CODE, Precision.EXACT, place, 1.0, self.said, zone=zone)]

    def _around(self, place: Point) -> bool:
        if self.index.empty:
            return True
        west, south, east, north = self.index.bounds
        x0, y0 = self.index.flat(west, south)
        x1, y1 = self.index.flat(east, north)
        x, y = self.index.flat(place.x, place.y)
        return x0 - SURROUNDINGS <= x <= x1 + SURROUNDINGS and y0 - SURROUNDINGS <= y <= y1 + SURROUNDINGS

    # --- ranking ----------------------------------------------------------------------------------------

    def _keep(
        self,
        label: str,
        kind: Kind,
        precision: Precision,
        spot: Spot,
        score: float,
        street: str | None,
        *,
        number: int | None = None,
        corner: str | None = None,
        zone: str | None = None,
    ) -> None:
        place = self.index.round(spot)
        match = Match(label, kind, precision, place, score, self.said, street, number, corner, zone)
        self._found.append((match, spot))

    def _ranked(self, limit: int) -> list[Match]:
        def worth(one: tuple[Match, Spot]) -> float:
            match, spot = one
            away = math.dist(spot, self._here)
            return match.score + (0.03 if self.near else 0.004) * math.exp(-away / 3000)

        self._found.sort(key=worth, reverse=True)
        kept: list[tuple[Match, Spot]] = []
        for match, spot in self._found:
            same = (k for k, s in kept if (k.label == match.label and math.dist(s, spot) < SAME_PLACE))
            covered = (
                k for k, s in kept if match.kind is Kind.STREET and k.street == match.street and k.score >= match.score
            )
            if next(same, None) is None and next(covered, None) is None:
                kept.append((match, spot))
            if len(kept) >= limit:
                break
        named = [replace(m, zone=m.zone or self.index.zone_of(s), score=round(min(1.0, m.score), 3)) for m, s in kept]
        return self._told_apart(named)

    def _told_apart(self, matches: list[Match]) -> list[Match]:
        """Labels that are the same in two places say where each is."""
        labels = [match.label for match in matches]
        return [
            replace(match, label=f"{match.label} ({match.zone})")
            if labels.count(match.label) > 1 and match.zone
            else match
            for match in matches
        ]


# --- the index of this process ---------------------------------------------------------------------------

_indexes: dict[str, StreetIndex] = {}  # the one of the present edition
_building = asyncio.Lock()


async def address_index(session: AsyncSession) -> StreetIndex:
    """The index of the city as it is; after a change of its layers the first who asks waits for the new one."""
    edition = await edition_of(session, STREETS, NUMBERING, LANDMARKS, ZONES, AREAS)
    if edition not in _indexes:
        async with _building:
            if edition not in _indexes:
                index = await load_index(session)
                _indexes.clear()
                _indexes[edition] = index
    return _indexes[edition]


async def load_index(session: AsyncSession) -> StreetIndex:
    """Read everything that has a name and put it in order, beside the event loop."""
    city = await session.scalar(select(City.name))
    doors = [Door(*row) for row in await session.execute(text(DOORS))]
    landmarks = [
        Named(one.name, one.alt_names, one.kind, one.address, one.shape.x, one.shape.y)
        for one in await session.scalars(select(Landmark).order_by(Landmark.id))
        if geojson(one.shape) is not None  # it says in the log which row is no place
    ]
    areas = [Area(zone.name, zone.kind, zone.shape) for zone in await zones(session) if zone.kind in NAMED_ZONES]
    quarters = select(MapArea).where(MapArea.layer == AREAS, MapArea.name.is_not(None)).order_by(MapArea.id)
    areas += [Area(one.name or "", one.kind_detail or one.kind, one.shape) for one in await session.scalars(quarters)]
    pieces: list[Piece] = []
    after = -1
    while rows := (await session.execute(text(LINKS), {"after": after, "page": PAGE})).all():
        after = rows[-1][0]
        pieces += await asyncio.to_thread(pieces_of, rows)
    return await asyncio.to_thread(StreetIndex, pieces, doors, landmarks, areas, city)


NAMED_ZONES = NAMING | {ZoneKind.JURISDICTION}
LINKS = """
    SELECT id, name, alt_names, kind, a_node, b_node, ST_AsBinary(shape) FROM street_links
    WHERE id > :after AND (name IS NOT NULL OR alt_names <> '{}')
      AND ST_Length(shape) < 'Infinity'  -- a row that is no shape must not cost the others
    ORDER BY id LIMIT :page
"""
DOORS = "SELECT street, number, suffix, ST_X(shape), ST_Y(shape) FROM address_points ORDER BY id"


# --- a point in words -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlaceDescription:
    """A point as a dispatcher reads it out. `precision` is that of the number: exact, interpolated, block or street."""

    street: str | None
    number: int | None
    precision: Precision | None
    corner: str | None
    zone: str | None
    vecinal: str | None
    district: str | None
    jurisdiction: str | None
    zones: list[str]
    place: str
    address: str


async def describe_place(session: AsyncSession, place: Point) -> PlaceDescription:
    """Street and height, corner and zones of a point, and one phrase for all of it: "Mitre e Italia"."""
    around = await zones_at(session, place)
    by_kind: dict[str, str] = {}
    for zone in around:
        by_kind.setdefault(zone.kind, zone.name)
    query = select(StreetLink).where(near(StreetLink.shape, place, LOOK_AROUND), StreetLink.name.is_not(None))
    links = (await session.scalars(query)).all()
    words = place_words(links, place, by_kind.get(ZoneKind.BARRIO))
    height = None
    if words.street is not None:
        index = await address_index(session)
        mine = min((link for link in links if link.name == words.street), key=lambda link: link.shape.distance(place))
        height = _height(index, mine.id, place)
    precision = None if words.street is None else Precision(height.precision) if height else Precision.STREET
    return PlaceDescription(
        street=words.street,
        number=height.number if height else None,
        precision=precision,
        corner=words.corner,
        zone=words.zone,
        vecinal=by_kind.get(ZoneKind.VECINAL),
        district=by_kind.get(ZoneKind.DISTRICT),
        jurisdiction=by_kind.get(ZoneKind.JURISDICTION),
        zones=[zone.name for zone in around],
        place=words.place,
        address=f"{words.street} {height.number}" if height else words.place,
    )


def _height(index: StreetIndex, link: int, place: Point) -> Found | None:
    street = index.street_of_link(link)
    return None if street is None else index.line(street).number_at(index.flat(place.x, place.y))
