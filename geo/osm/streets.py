"""Ways cut into links: at every crossing, at their ends, where a sign restricts turning, and at barriers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import shapely
from shapely.ops import substring

from geo.places import Position, haversine
from geo.streets import Access, Street

LONGEST_PIECE = 2000  # nodes; as many as a way of OpenStreetMap has at most
GATE_METRES = 1.5  # how long a street is shut by a barrier; shorter than any vehicle


@dataclass(frozen=True, slots=True)
class Way:
    """A way that is a street, with the nodes that the file has; `runs` are its parts where some are missing."""

    id: int
    runs: Sequence[Sequence[tuple[int, Position]]]
    kind: str
    access: Access
    direction: int  # 1 along, -1 against, 0 both
    speed_kmh: float | None
    name: str | None
    alt_names: tuple[str, ...]
    ramp: bool
    structure: str | None


@dataclass(slots=True)
class Links:
    """The links, and which of them belong to a way or meet at a node."""

    streets: list[Street] = field(default_factory=list)
    of_way: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, street: Street) -> None:
        """One more link."""
        assert street.osm_id is not None  # noqa: S101  (every way has an id)
        self.of_way[street.osm_id].append(len(self.streets))
        self.streets.append(street)


def cut(ways: Iterable[Way], barriers: Mapping[int, Access], also_at: Collection[int] = ()) -> Links:
    """Links between crossings. `barriers` are nodes that not everybody passes, `also_at` nodes to cut at anyway."""
    ways = list(ways)
    uses = Counter(node for way in ways for run in way.runs for node, _ in run)
    links = Links()
    for way in ways:
        for run in way.runs:
            for piece in _pieces(run, lambda node: uses[node] > 1 or node in barriers or node in also_at):
                _add_link(links, way, piece)
    _shut(links, barriers)
    return links


def _pieces(
    run: Sequence[tuple[int, Position]], ends_at: Callable[[int], bool]
) -> Iterator[list[tuple[int, Position]]]:
    piece = [run[0]]
    for step in run[1:]:
        piece.append(step)
        if ends_at(step[0]) or len(piece) == LONGEST_PIECE:
            yield piece
            piece = [step]
    if len(piece) > 1:
        yield piece


def _add_link(links: Links, way: Way, piece: list[tuple[int, Position]]) -> None:
    line = [place for place, after in pairwise([*(place for _, place in piece), None]) if place != after]
    if len(line) < 2:
        return
    a_node, b_node = piece[0][0], piece[-1][0]
    if way.direction < 0:
        a_node, b_node, line = b_node, a_node, line[::-1]
    links.add(
        Street(
            a_node=a_node,
            b_node=b_node,
            shape=shapely.LineString(line),
            kind=way.kind,
            name=way.name,
            osm_id=way.id,
            oneway=way.direction != 0,
            speed_kmh=way.speed_kmh,
            access=way.access,
            alt_names=way.alt_names,
            ramp=way.ramp,
            structure=way.structure,
        )
    )


# --- barriers -------------------------------------------------------------------------------------------


def _shut(links: Links, barriers: Mapping[int, Access]) -> None:
    """Make a metre of street at each barrier that only those may enter who pass it.

    A node cannot be shut, a link can: where exactly two links meet at a barrier, the second gives up its first
    metre, and begins at a node of its own, the barrier's number with a minus.
    """
    meeting: dict[int, list[int]] = defaultdict(list)
    for index, street in enumerate(links.streets):
        for node in {street.a_node, street.b_node}:
            if node in barriers:
                meeting[node].append(index)
    for node, found in meeting.items():
        if len(found) == 2:
            _gate(links, found[1], node, barriers[node])


def _gate(links: Links, index: int, node: int, access: Access) -> None:
    street = links.streets[index]
    at_start = street.a_node == node
    if street.a_node == street.b_node:
        return
    length = sum(haversine(*one, *other) for one, other in pairwise(street.shape.coords))
    share = min(0.5, GATE_METRES / length) if length else 0.5
    share = share if at_start else 1 - share
    first = substring(street.shape, 0, share, normalized=True)
    second = substring(street.shape, share, 1, normalized=True)
    if not (isinstance(first, shapely.LineString) and isinstance(second, shapely.LineString)):
        return
    gate, rest = (first, second) if at_start else (second, first)
    if at_start:
        links.streets[index] = replace(street, shape=rest, a_node=-node)
    else:
        links.streets[index] = replace(street, shape=rest, b_node=-node)
    a_node, b_node = (node, -node) if at_start else (-node, node)
    links.add(replace(street, shape=gate, a_node=a_node, b_node=b_node, access=access))
