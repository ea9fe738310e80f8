"""The streets of the city in memory, by name: where each runs, what it crosses and which of its doors are known.

Links of one name that hang together, or nearly, are one street; two streets of one name in two quarters are two.
An index is made once from an edition of the layers and never changes. Everything inside is in flat metres around
the city's middle.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import KDTree
from shapely.geometry.base import BaseGeometry

from geo.name_index import NameIndex
from geo.places import METRES_PER_DEGREE, Point
from geo.street_names import LITTLE, words_of
from geo.streets import StreetKind

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Spot: TypeAlias = tuple[float, float]  # flat metres

A_GAP = 400.0  # metres; pieces of one name nearer than this are one street with a hole in it
ONE_CROSSING = 80.0  # metres; the up to four crossings of two dual carriageways are one corner
NEARLY_CROSSING = 60.0  # metres; a roundabout or a missing link between two streets does not make them strangers
DOOR_TO_STREET = 400.0  # metres; a door farther from the street of its name belongs to another one
AT_THE_DOOR = 15.0  # metres
TO_GO_ON = 300.0  # metres past the last known door that its numbers are carried on
BY_ANOTHER_NAME = 0.97  # of the likeness, where the name is an old or a second one
KEPT_LINES = 1024
RANKS = {kind.value: rank for rank, kind in enumerate(StreetKind)}


@dataclass(frozen=True, slots=True)
class Piece:
    """A named link on its way into the index."""

    id: int
    name: str
    alt_names: Sequence[str]
    kind: str
    a_node: int
    b_node: int
    shape: shapely.LineString  # degrees


@dataclass(frozen=True, slots=True)
class Door:
    """A known number on its way into the index."""

    street: str
    number: int
    suffix: str | None
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Area:
    """A zone with its shape, or a quarter that the map knows as a mere point."""

    name: str
    kind: str
    shape: BaseGeometry  # degrees


@dataclass(frozen=True, slots=True)
class Named:
    """A landmark."""

    name: str
    alt_names: Sequence[str]
    kind: str
    address: str | None
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Found:
    """Where a number is on its street, and how that is known: `exact`, `interpolated`, `block` or `street`."""

    spot: Spot
    precision: str
    number: int | None = None
    suffix: str | None = None


@dataclass(slots=True)
class StreetLine:
    """One street, measured: each of its ends of links and doors lies so many metres along it.

    Both carriageways of an avenue share the measure, because it grows from one end of the street to the other.
    """

    lines: list[shapely.LineString]
    ends: list[tuple[float, float]]  # metres along the street at the beginning and the end of each line
    numbers: Ints
    along: Floats
    sides: NDArray[np.int8]  # of the street's own direction: -1 left, 1 right
    spots: Floats
    suffixes: list[str | None]
    shape: shapely.MultiLineString = field(init=False)

    def __post_init__(self) -> None:
        """Put the lines together."""
        self.shape = shapely.MultiLineString(self.lines)

    def measure(self, spot: Spot) -> tuple[float, int, Spot]:
        """Metres along the street of its point nearest to `spot`, the side `spot` is on, and that point."""
        here = shapely.Point(spot)
        nearest = int(np.argmin(shapely.distance(self.lines, here)))
        line, (start, end) = self.lines[nearest], self.ends[nearest]
        share = float(line.project(here, normalized=True)) if line.length else 0.0
        on = line.interpolate(share, normalized=True)
        ahead = line.interpolate(min(1.0, share + 0.01), normalized=True)
        behind = line.interpolate(max(0.0, share - 0.01), normalized=True)
        turn = (ahead.x - behind.x) * (spot[1] - on.y) - (ahead.y - behind.y) * (spot[0] - on.x)
        side = (-1 if turn > 0 else 1) * (1 if end >= start else -1)
        return start + (end - start) * share, side, (on.x, on.y)

    def spot_at(self, along: float, beside: Spot) -> Spot:
        """The point of the street so many metres along it; of two carriageways the one nearer to `beside`."""
        best, least = beside, math.inf
        for line, (start, end) in zip(self.lines, self.ends, strict=True):
            low, high = min(start, end), max(start, end)
            off = max(low - along, along - high, 0.0)
            share = 0.0 if start == end else min(1.0, max(0.0, (along - start) / (end - start)))
            on = line.interpolate(share, normalized=True)
            how = off * 10 + math.hypot(on.x - beside[0], on.y - beside[1]) * 0.1
            if how < least:
                best, least = (on.x, on.y), how
        return best

    def nearest_to(self, spot: Spot) -> Spot:
        """The street's point nearest to a spot."""
        on = shapely.shortest_line(self.shape, shapely.Point(spot)).coords[0]
        return on[0], on[1]

    def find(self, number: int, suffix: str | None) -> list[Found]:
        """Where a number is; more than one where the street counts from one more than once. Empty when unknown."""
        if not len(self.numbers):
            return []
        same = [int(i) for i in np.flatnonzero(self.numbers == number)]
        if suffix:
            same = [i for i in same if self.suffixes[i] == suffix] or same
        else:
            same = [i for i in same if not self.suffixes[i]] or same
        if same:
            found: list[Found] = []
            for i in same:
                spot = (float(self.spots[i, 0]), float(self.spots[i, 1]))
                if all(math.dist(spot, other.spot) > 60 for other in found):
                    found.append(Found(spot, "exact", number, self.suffixes[i]))
            return found
        parity = np.flatnonzero(self.numbers % 2 == number % 2)
        every = np.arange(len(self.numbers))
        for doors in (parity, every):
            if between := self._between(number, doors):
                return between
        return self._beyond(number, every)

    def _between(self, number: int, doors: Ints) -> list[Found]:
        """Among doors on both sides of the number: in proportion to the nearest pair that can be one block's."""
        lower = doors[self.numbers[doors] < number]
        upper = doors[self.numbers[doors] > number]
        if not len(lower) or not len(upper):
            return []
        lower = lower[np.argsort(-self.numbers[lower], kind="stable")][:16]
        upper = upper[np.argsort(self.numbers[upper], kind="stable")][:16]
        apart = np.abs(self.along[lower][:, None] - self.along[upper][None, :])
        count = self.numbers[upper][None, :] - self.numbers[lower][:, None]
        likely = apart <= 25.0 * count + 100.0
        cost = np.where(likely, apart + 2.0 * count, np.inf)
        found: list[Found] = []
        least = float(cost.min())
        for at in np.argsort(cost, axis=None, kind="stable")[:8]:
            low, high = np.unravel_index(int(at), cost.shape)
            if not math.isfinite(float(cost[low, high])) or float(cost[low, high]) > 1.5 * least + 20:
                break
            one, other = int(lower[low]), int(upper[high])
            share = (number - self.numbers[one]) / (self.numbers[other] - self.numbers[one])
            along = float(self.along[one] + (self.along[other] - self.along[one]) * share)
            beside = self.spots[one] + (self.spots[other] - self.spots[one]) * share
            spot = self.spot_at(along, (float(beside[0]), float(beside[1])))
            if all(math.dist(spot, known.spot) > 300 for known in found):
                found.append(Found(spot, "interpolated" if apart[low, high] <= 400 else "block", number))
        return found

    def _beyond(self, number: int, doors: Ints) -> list[Found]:
        """Past the last known door, a few blocks at most; with one door alone, its own block."""
        nearest = int(doors[np.argmin(np.abs(self.numbers[doors] - number))])
        away = int(number - self.numbers[nearest])
        spot = (float(self.spots[nearest, 0]), float(self.spots[nearest, 1]))
        rate = self._rate(nearest)
        if rate is None:
            return [Found(self.nearest_to(spot), "block", number)] if abs(away) <= 100 else []
        if abs(away * rate) > TO_GO_ON:
            return []
        lows, highs = min(map(min, self.ends)), max(map(max, self.ends))
        along = float(self.along[nearest]) + away * rate
        if not lows - 50 <= along <= highs + 50:
            return []
        return [Found(self.spot_at(min(max(along, lows), highs), spot), "block", number)]

    def _rate(self, nearest: int) -> float | None:
        """Metres along the street for each number, signed, judged by the doors around one; None when unknown."""
        count = (self.numbers - self.numbers[nearest]).astype(float)
        ahead = self.along - self.along[nearest]
        use = (np.abs(count) >= 10) & (np.abs(count) <= 1500) & (np.abs(ahead) > 5)
        if not use.any():
            return None
        rate = float(np.median(ahead[use] / count[use]))
        return rate if 0.05 <= abs(rate) <= 25 else None

    def number_at(self, spot: Spot) -> Found | None:
        """The number of a spot beside the street, by its doors."""
        if not len(self.numbers):
            return None
        away = np.hypot(self.spots[:, 0] - spot[0], self.spots[:, 1] - spot[1])
        nearest = int(np.argmin(away))
        if away[nearest] <= AT_THE_DOOR:
            return Found(spot, "exact", int(self.numbers[nearest]), self.suffixes[nearest])
        along, side, on = self.measure(spot)
        mine = np.flatnonzero(self.sides == side)
        for doors in (mine, np.arange(len(self.numbers))):
            behind = doors[self.along[doors] <= along]
            ahead = doors[self.along[doors] >= along]
            if len(behind) and len(ahead):
                one = int(behind[np.argmax(self.along[behind])])
                other = int(ahead[np.argmin(self.along[ahead])])
                apart = float(self.along[other] - self.along[one])
                count = int(self.numbers[other] - self.numbers[one])
                if apart > 600 or apart > 25.0 * abs(count) + 100.0:
                    continue
                share = (along - float(self.along[one])) / apart if apart else 0.0
                number = round(float(self.numbers[one]) + count * share)
                parity = int(self.numbers[one]) % 2
                if len(doors) == len(mine) and int(self.numbers[other]) % 2 == parity and number % 2 != parity:
                    number += 1 if count > 0 else -1
                return Found(on, "interpolated" if apart <= 400 else "block", max(1, number))
        rate = self._rate(nearest)
        ahead_of = along - float(self.along[nearest])
        if rate is None or abs(ahead_of) > TO_GO_ON:
            return None
        number = int(self.numbers[nearest]) + round(ahead_of / rate)
        return Found(on, "block", number) if number > 0 else None


@dataclass(frozen=True, slots=True)
class Corner:
    """Where two streets meet; `exact` when they share a crossing, not merely come near each other."""

    spot: Spot
    exact: bool


class StreetIndex:
    """Names, streets, crossings, doors, landmarks and zones of one edition of the city."""

    def __init__(
        self,
        pieces: Sequence[Piece],
        doors: Sequence[Door] = (),
        landmarks: Sequence[Named] = (),
        areas: Sequence[Area] = (),
        city: str | None = None,
    ) -> None:
        """A city of 100,000 links takes a few seconds: never on the event loop."""
        self.city = frozenset(words_of(city)) if city else frozenset()
        self._set_middle(pieces, doors, landmarks, areas)
        self._lay_pieces(pieces)
        self._name_streets(pieces)
        self._cross()
        self._hang_doors(doors)
        self._name_places(landmarks, areas)
        self._lines: OrderedDict[int, StreetLine] = OrderedDict()

    # --- flat metres ------------------------------------------------------------------------------------

    def _set_middle(
        self, pieces: Sequence[Piece], doors: Sequence[Door], landmarks: Sequence[Named], areas: Sequence[Area]
    ) -> None:
        self._shapes = np.array([piece.shape for piece in pieces], dtype=object)
        everything: list[Floats] = [
            shapely.get_coordinates(self._shapes) if len(pieces) else np.zeros((0, 2)),
            np.array([(door.longitude, door.latitude) for door in doors], dtype=float).reshape(-1, 2),
            np.array([(one.longitude, one.latitude) for one in landmarks], dtype=float).reshape(-1, 2),
            np.array([one.shape.representative_point().coords[0][:2] for one in areas], dtype=float).reshape(-1, 2),
        ]
        known = next((some for some in everything if len(some)), np.zeros((1, 2)))
        low, high = np.percentile(known, [2, 98], axis=0)
        self._x0, self._y0 = ((low + high) / 2).tolist()
        self._squeeze = math.cos(math.radians(self._y0))
        known = np.concatenate([some for some in everything if len(some)] or [np.zeros((1, 2))])
        self.bounds: tuple[float, float, float, float] = (*known.min(axis=0).tolist(), *known.max(axis=0).tolist())
        self.empty = not any(len(some) for some in everything)

    def flat(self, longitude: float, latitude: float) -> Spot:
        """Degrees to flat metres."""
        return (
            (longitude - self._x0) * METRES_PER_DEGREE * self._squeeze,
            (latitude - self._y0) * METRES_PER_DEGREE,
        )

    def round(self, spot: Spot) -> Point:
        """Flat metres to a point in degrees."""
        x = spot[0] / METRES_PER_DEGREE / self._squeeze + self._x0
        return shapely.Point(round(x, 7), round(spot[1] / METRES_PER_DEGREE + self._y0, 7))

    def _flatten(self, degrees: Floats) -> Floats:
        return np.column_stack(
            [
                (degrees[:, 0] - self._x0) * METRES_PER_DEGREE * self._squeeze,
                (degrees[:, 1] - self._y0) * METRES_PER_DEGREE,
            ]
        )

    # --- building ---------------------------------------------------------------------------------------

    def _lay_pieces(self, pieces: Sequence[Piece]) -> None:
        """Keep the links as plain arrays: flat positions one after another, and where each link's begin."""
        count = len(pieces)
        self.link_ids: Ints = np.array([piece.id for piece in pieces], dtype=np.int64)
        self._ranks = np.array([RANKS.get(piece.kind, 9) for piece in pieces], dtype=np.int8)
        nodes = np.array([(piece.a_node, piece.b_node) for piece in pieces], dtype=np.int64).reshape(-1, 2)
        _, compressed = np.unique(nodes, return_inverse=True)
        self._ends = compressed.reshape(-1, 2).astype(np.int32)
        degrees = shapely.get_coordinates(self._shapes) if count else np.zeros((0, 2))
        self._positions = self._flatten(degrees)
        sizes = shapely.get_num_coordinates(self._shapes) if count else np.zeros(0, dtype=np.int64)
        self._begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        nodes_count = int(self._ends.max()) + 1 if count else 0
        self._node_spots = np.zeros((nodes_count, 2))
        if count:
            self._node_spots[self._ends[:, 0]] = self._positions[self._begins[:-1]]
            self._node_spots[self._ends[:, 1]] = self._positions[self._begins[1:] - 1]
        del self._shapes

    def _name_streets(self, pieces: Sequence[Piece]) -> None:
        """Links of one name that hang together, or nearly, become one street."""
        keys: dict[tuple[str, ...], int] = {}
        of_name: dict[str, int] = {}
        words: dict[str, tuple[str, ...]] = {}
        for piece in pieces:
            for name in (piece.name, *piece.alt_names):
                if name not in of_name:
                    words[name] = words_of(name)
                    of_name[name] = keys.setdefault(_key(words[name]), len(keys))
        key_of_link = np.array([of_name[piece.name] for piece in pieces], dtype=np.int64)
        self._street_of_link = self._hang_together(key_of_link)
        count = int(self._street_of_link.max()) + 1 if len(pieces) else 0
        order = np.argsort(self._street_of_link, kind="stable")
        self._links_by_street = order.astype(np.int32)
        self._street_begins = np.searchsorted(self._street_of_link[order], np.arange(count + 1))
        written: list[dict[str, int]] = [{} for _ in range(count)]
        names: dict[tuple[str, ...], set[int]] = {}
        for link, piece in enumerate(pieces):
            street = int(self._street_of_link[link])
            written[street][piece.name] = written[street].get(piece.name, 0) + 1
            for name in piece.alt_names:
                names.setdefault(words[name], set()).add(street)
        self.street_names = [max(sorted(ways), key=lambda name: ways[name]) for ways in written]
        for street, ways in enumerate(written):
            for name in ways:
                names.setdefault(words[name], set()).add(street)
        self.street_ranks = np.full(count, 9, dtype=np.int8)
        np.minimum.at(self.street_ranks, self._street_of_link, self._ranks)
        self._names = names
        self._own_keys = [_key(words[name]) for name in self.street_names]

    def _hang_together(self, key_of_link: Ints) -> NDArray[np.int32]:
        """A number for each street; links of a street share it."""
        if not len(key_of_link):
            return np.zeros(0, dtype=np.int32)
        nodes = len(self._node_spots)
        ends = np.concatenate([key_of_link * nodes + self._ends[:, 0], key_of_link * nodes + self._ends[:, 1]])
        vertices, at = np.unique(ends, return_inverse=True)
        one, other = at[: len(key_of_link)], at[len(key_of_link) :]
        _, parts = _components(len(vertices), one, other)
        keys = vertices // nodes
        parts_of_key = np.bincount(np.unique(np.column_stack([keys, parts]), axis=0)[:, 0])
        scattered = np.flatnonzero(parts_of_key[keys] > 1)
        if len(scattered):
            spots = self._node_spots[vertices[scattered] % nodes]
            # A third dimension keeps streets of different names out of each other's reach.
            far_apart = np.column_stack([spots, keys[scattered] * 10 * A_GAP])
            near = KDTree(far_apart).query_pairs(A_GAP, output_type="ndarray")
            _, parts = _components(
                len(vertices),
                np.concatenate([one, scattered[near[:, 0]]]),
                np.concatenate([other, scattered[near[:, 1]]]),
            )
        return parts[one].astype(np.int32)

    def _cross(self) -> None:
        """Which streets share a crossing, as a sorted list of pairs."""
        streets = len(self.street_names)
        at = np.unique(
            np.column_stack(
                [np.concatenate([self._ends[:, 0], self._ends[:, 1]]), np.tile(self._street_of_link, 2)]
            ).astype(np.int64),
            axis=0,
        )
        self._node_of_pair, self._street_of_pair = at[:, 0].astype(np.int32), at[:, 1].astype(np.int32)
        pairs: list[Ints] = []
        step = 1
        while True:  # a crossing of n streets has its streets next to each other
            same = np.flatnonzero(self._node_of_pair[:-step] == self._node_of_pair[step:]) if len(at) > step else at[:0]
            if not len(same):
                break
            low, high = self._street_of_pair[same].astype(np.int64), self._street_of_pair[np.add(same, step)]
            pairs += [low * streets + high, high.astype(np.int64) * streets + low]
            step += 1
        self._crossings: Ints = np.unique(np.concatenate(pairs)) if pairs else np.zeros(0, dtype=np.int64)
        order = np.argsort(self._street_of_pair, kind="stable")
        self._nodes_by_street = self._node_of_pair[order]
        self._node_begins = np.searchsorted(self._street_of_pair[order], np.arange(streets + 1))
        del self._node_of_pair, self._street_of_pair

    def _hang_doors(self, doors: Sequence[Door]) -> None:
        """Give each door to the street of its name that is nearest to it; doors of no known street make their own."""
        names = list(self._names)
        self._finder = NameIndex(names)
        self._streets_of_name = [sorted(self._names[name]) for name in names]
        self._keys_of_name = [_key(name) for name in names]
        by_key: dict[tuple[str, ...], set[int]] = {}
        for name, streets in self._names.items():
            by_key.setdefault(_key(name), set()).update(streets)
        spots = self._flatten(np.array([(d.longitude, d.latitude) for d in doors], dtype=float).reshape(-1, 2))
        by_text: dict[str, list[int]] = {}
        for i, door in enumerate(doors):
            by_text.setdefault(door.street, []).append(i)
        street_of_door = np.full(len(doors), -1, dtype=np.int32)
        for text, mine in by_text.items():
            words = words_of(text)
            alike = sorted(by_key.get(_key(words), ())) or self._streets_nearly_called(words)
            if alike:
                points = shapely.points(spots[mine])
                away = np.array([shapely.distance(self._shape_of(street), points) for street in alike])
                best = away.argmin(axis=0)
                close = away.min(axis=0) <= DOOR_TO_STREET
                street_of_door[mine] = np.where(close, np.array(alike)[best], -1)
        self._doors_without_street(doors, street_of_door)
        order = np.argsort(street_of_door, kind="stable")
        self._door_numbers = np.array([doors[i].number for i in order], dtype=np.int64)
        self._door_spots = spots[order]
        self._door_suffixes = [_suffix(doors[i].suffix) for i in order]
        self._door_begins = np.searchsorted(street_of_door[order], np.arange(len(self.street_names) + 1))

    def _streets_nearly_called(self, words: tuple[str, ...]) -> list[int]:
        found = self._finder.find(words, typing=False, limit=4)
        return sorted({s for like in found if like.score >= 0.85 for s in self._streets_of_name[like.name]})

    def _doors_without_street(self, doors: Sequence[Door], street_of_door: NDArray[np.int32]) -> None:
        """A village counts its houses without streets: its name is then the street."""
        lost: dict[tuple[str, ...], int] = {}
        for i in np.flatnonzero(street_of_door < 0).tolist():
            words = words_of(doors[i].street)
            if not words:
                continue
            if words not in lost:
                lost[words] = len(self.street_names)
                self.street_names.append(doors[i].street)
                self._own_keys.append(_key(words))
                self._names.setdefault(words, set()).add(lost[words])
            street_of_door[i] = lost[words]
        if lost:
            self.street_ranks = np.concatenate([self.street_ranks, np.full(len(lost), 9, dtype=np.int8)])
            for begins in ("_street_begins", "_node_begins"):
                old = getattr(self, begins)
                setattr(self, begins, np.concatenate([old, np.full(len(lost), old[-1])]))
            names = list(self._names)
            self._finder = NameIndex(names)
            self._streets_of_name = [sorted(self._names[name]) for name in names]
            self._keys_of_name = [_key(name) for name in names]
            count = len(self.street_names)
            low, high = np.divmod(self._crossings, count - len(lost))
            self._crossings = low * count + high

    def _name_places(self, landmarks: Sequence[Named], areas: Sequence[Area]) -> None:
        self.landmarks = list(landmarks)
        self.areas = list(areas)
        self._landmark_names = [(i, words_of(n)) for i, one in enumerate(landmarks) for n in (one.name, *one.alt_names)]
        self._landmark_names = [(i, words) for i, words in self._landmark_names if words]
        self._landmark_finder = NameIndex([words for _, words in self._landmark_names])
        self._area_names = [(i, words) for i, one in enumerate(areas) if (words := words_of(one.name))]
        self._area_finder = NameIndex([words for _, words in self._area_names])
        shaped = [i for i, one in enumerate(areas) if one.shape.area > 0]
        self._shaped_areas = shaped
        self._area_tree = shapely.STRtree([areas[i].shape for i in shaped])
        points = [i for i, one in enumerate(areas) if one.shape.geom_type == "Point"]
        self._quarters = points
        self._quarter_tree = (
            KDTree(self._flatten(np.array([areas[i].shape.coords[0][:2] for i in points]))) if points else None
        )

    # --- asking -----------------------------------------------------------------------------------------

    def streets_like(self, words: Sequence[str], *, typing: bool = True, limit: int = 40) -> list[tuple[int, float]]:
        """Streets by name, each with its likeness (0..1), best first."""
        best: dict[int, float] = {}
        for like in self._finder.find(words, typing=typing, limit=limit):
            for street in self._streets_of_name[like.name]:
                own = self._own_keys[street] == self._keys_of_name[like.name]
                best[street] = max(best.get(street, 0.0), like.score * (1.0 if own else BY_ANOTHER_NAME))
        return sorted(best.items(), key=lambda one: (-one[1], int(self.street_ranks[one[0]]), one[0]))

    def landmarks_like(self, words: Sequence[str], *, limit: int = 10) -> list[tuple[Named, float]]:
        """Landmarks by any of their names."""
        best: dict[int, float] = {}
        for like in self._landmark_finder.find(words, limit=limit):
            one = self._landmark_names[like.name][0]
            best[one] = max(best.get(one, 0.0), like.score)
        return [(self.landmarks[one], score) for one, score in best.items()]

    def areas_like(self, words: Sequence[str], *, typing: bool = True, limit: int = 10) -> list[tuple[Area, float]]:
        """Zones and quarters by name."""
        found = self._area_finder.find(words, typing=typing, limit=limit)
        return [(self.areas[self._area_names[like.name][0]], like.score) for like in found]

    def zone_of(self, spot: Spot) -> str | None:
        """The quarter that a spot is said to be in: the smallest barrio that holds it, or the nearest named quarter."""
        place = self.round(spot)
        inside = [self.areas[self._shaped_areas[i]] for i in self._area_tree.query(place, predicate="intersects")]
        for kind in ("barrio", "vecinal", "district", None):
            named = [one for one in inside if kind in (one.kind, None) and one.kind in NAMING]
            if named:
                smallest: Area = min(named, key=lambda one: float(one.shape.area))
                return smallest.name
        if self._quarter_tree is not None:
            away, at = self._quarter_tree.query(spot)
            if away <= 1500:
                return self.areas[self._quarters[int(at)]].name
        return None

    def crossed_by(self, street: int) -> Ints:
        """The streets that share a crossing with one."""
        count = len(self.street_names)
        low, high = np.searchsorted(self._crossings, [street * count, (street + 1) * count])
        return self._crossings[low:high] - street * count

    def cross(self, streets: Ints, others: Ints) -> NDArray[np.bool_]:
        """For every pair of the two lists, whether they share a crossing."""
        wanted = streets[:, None].astype(np.int64) * len(self.street_names) + others[None, :]
        if not len(self._crossings):
            return np.zeros(wanted.shape, dtype=bool)
        at = np.minimum(np.searchsorted(self._crossings, wanted), len(self._crossings) - 1)
        return np.asarray(self._crossings[at] == wanted)

    def corners(self, street: int, other: int) -> list[Corner]:
        """Where two streets meet: one corner however many carriageways cross there. Empty when they do not."""
        shared = np.intersect1d(self._nodes_of(street), self._nodes_of(other))
        if not len(shared):
            return self._near_corner(street, other)
        spots = self._node_spots[shared]
        if len(spots) == 1:
            return [Corner((float(spots[0, 0]), float(spots[0, 1])), exact=True)]
        near = KDTree(spots).query_pairs(ONE_CROSSING, output_type="ndarray")
        count, parts = _components(len(spots), near[:, 0], near[:, 1])
        middles = [spots[parts == part].mean(axis=0) for part in range(count)]
        return [Corner((float(x), float(y)), exact=True) for x, y in middles]

    def _near_corner(self, street: int, other: int) -> list[Corner]:
        mine, its = self._shape_of(street), self._shape_of(other)
        if mine.is_empty or its.is_empty or not shapely.dwithin(mine, its, NEARLY_CROSSING):
            return []
        (x0, y0), (x1, y1) = shapely.shortest_line(mine, its).coords
        return [Corner(((x0 + x1) / 2, (y0 + y1) / 2), exact=False)]

    def street_of_link(self, link: int) -> int | None:
        """The street that a link of the table belongs to, by the link's id."""
        at = np.flatnonzero(self.link_ids == link)
        return int(self._street_of_link[at[0]]) if len(at) else None

    def line(self, street: int) -> StreetLine:
        """A street, measured."""
        known = self._lines.get(street)
        if known is None:
            known = self._lines[street] = self._measured(street)
            while len(self._lines) > KEPT_LINES:
                self._lines.popitem(last=False)
        return known

    def spot_near(self, street: int, spot: Spot) -> Spot:
        """The crossing or end of a street that is nearest to a spot; its first door where it has no links."""
        spots = self._node_spots[self._nodes_of(street)]
        if not len(spots):
            spots = self._door_spots[self._door_begins[street] : self._door_begins[street + 1]]
        x, y = spots[np.argmin(np.hypot(spots[:, 0] - spot[0], spots[:, 1] - spot[1]))]
        return float(x), float(y)

    def doors_of(self, street: int) -> int:
        """How many of a street's doors are known."""
        return int(self._door_begins[street + 1] - self._door_begins[street])

    def _links_of(self, street: int) -> NDArray[np.int32]:
        return self._links_by_street[self._street_begins[street] : self._street_begins[street + 1]]

    def _nodes_of(self, street: int) -> NDArray[np.int32]:
        return self._nodes_by_street[self._node_begins[street] : self._node_begins[street + 1]]

    def _line_of(self, link: int) -> shapely.LineString:
        return shapely.LineString(self._positions[self._begins[link] : self._begins[link + 1]])

    def _shape_of(self, street: int) -> shapely.MultiLineString:
        return shapely.MultiLineString([self._line_of(int(link)) for link in self._links_of(street)])

    def _measured(self, street: int) -> StreetLine:
        links = self._links_of(street)
        lines = [self._line_of(int(link)) for link in links]
        begin, end = int(self._door_begins[street]), int(self._door_begins[street + 1])
        spots, numbers = self._door_spots[begin:end], self._door_numbers[begin:end]
        line = StreetLine(
            lines=lines or [shapely.LineString(np.repeat(spots[:1], 2, axis=0))],
            ends=self._lengthwise(links, lines) if lines else [(0.0, 0.0)],
            numbers=numbers,
            along=np.zeros(len(numbers)),
            sides=np.zeros(len(numbers), dtype=np.int8),
            spots=spots,
            suffixes=self._door_suffixes[begin:end],
        )
        for i, (x, y) in enumerate(spots.tolist()):
            line.along[i], line.sides[i], _ = line.measure((x, y))
        return line

    def _lengthwise(self, links: NDArray[np.int32], lines: list[shapely.LineString]) -> list[tuple[float, float]]:
        """How far from the street's first end each link begins and ends, over its links and across its holes."""
        nodes, at = np.unique(self._ends[links], return_inverse=True)
        at = at.reshape(-1, 2)
        one, other = at[:, 0], at[:, 1]
        lengths = np.maximum([line.length for line in lines], 0.01)
        spots = self._node_spots[nodes]
        count, parts = _components(len(nodes), one, other)
        if count > 1:
            near = KDTree(spots).query_pairs(A_GAP, output_type="ndarray")
            near = near[parts[near[:, 0]] != parts[near[:, 1]]]
            holes = np.hypot(*(spots[near[:, 0]] - spots[near[:, 1]]).T)
            one, other = np.concatenate([one, near[:, 0]]), np.concatenate([other, near[:, 1]])
            lengths = np.concatenate([lengths, np.maximum(holes, 0.01)])
        order = np.argsort(lengths, kind="stable")
        pairs = np.column_stack([np.minimum(one, other), np.maximum(one, other)])[order]
        _, first = np.unique(pairs, axis=0, return_index=True)  # of parallel links the shortest
        pairs, lengths = pairs[first], lengths[order][first]
        loops = pairs[:, 0] == pairs[:, 1]
        graph = coo_array((lengths[~loops], pairs[~loops].T), shape=(len(nodes), len(nodes))).tocsr()
        anywhere = dijkstra(graph, directed=False, indices=0)
        far = int(np.argmax(np.where(np.isfinite(anywhere), anywhere, -1)))
        metres = dijkstra(graph, directed=False, indices=far)
        metres = np.where(np.isfinite(metres), metres, 0.0)
        return [(float(metres[a]), float(metres[b])) for a, b in at]


NAMING = frozenset({"barrio", "vecinal", "district", "neighbourhood", "suburb", "quarter"})


def _key(words: tuple[str, ...]) -> tuple[str, ...]:
    """What two ways of writing one street's name have in common."""
    return tuple(word for word in words if word not in LITTLE) or words


def _suffix(text: str | None) -> str | None:
    return text.strip().lower() or None if text else None


def _components(count: int, one: NDArray[Any], other: NDArray[Any]) -> tuple[int, NDArray[Any]]:
    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(count, count))
    parts: tuple[int, NDArray[Any]] = connected_components(graph, directed=False)
    return parts


def pieces_of(rows: Iterable[Sequence[Any]]) -> list[Piece]:
    """Rows of the table (id, name, alt_names, kind, a_node, b_node, WKB) as pieces; a link without a name is none."""
    rows = [row for row in rows if row[1] or row[2]]
    shapes = shapely.from_wkb([bytes(row[6]) for row in rows])
    return [
        Piece(row[0], row[1] or row[2][0], row[2] if row[1] else row[2][1:], row[3], row[4], row[5], shape)
        for row, shape in zip(rows, shapes, strict=True)
    ]
