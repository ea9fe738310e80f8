"""Turn restrictions: from relations between ways and nodes to sequences of links."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from geo.osm.streets import Links
from geo.osm.words import Tags
from geo.refused import Refused
from geo.streets import Street, TurnRestriction

Member: TypeAlias = tuple[str, int, str]  # n, w or r; its number; its role

SIGNS = frozenset(
    {
        *("no_left_turn", "no_right_turn", "no_straight_on", "no_u_turn", "no_entry", "no_exit"),
        *("only_left_turn", "only_right_turn", "only_straight_on", "only_u_turn"),
    }
)
_OUR_TRAFFIC = ("restriction", "restriction:motorcar", "restriction:motor_vehicle", "restriction:vehicle")

CONDITIONAL = "a sign that holds at certain hours only; not enforced"
OTHERS = "a sign for {traffic} only"
UNKNOWN_SIGN = "an unknown sign: {sign}"
MEMBERS = "it does not say from where, over what and to where"
NOT_IN_FILE = "way {way} is not in the file, or no street"
APART = "way {way} does not meet the crossing"
AMBIGUOUS = "way {way} runs through the crossing, so it is unclear from which side"
NO_CHAIN = "its ways in the middle do not lead from the first to the last"
AGAINST = "it speaks of driving against a one-way street"
WHYS = (CONDITIONAL, OTHERS, UNKNOWN_SIGN, MEMBERS, NOT_IN_FILE, APART, AMBIGUOUS, NO_CHAIN, AGAINST)


@dataclass(frozen=True, slots=True)
class Relation:
    """A restriction as the file has it."""

    id: int
    tags: Mapping[str, str]
    members: Sequence[Member]

    def ids(self, kind: str, role: str) -> list[int]:
        """The numbers of the members in a role."""
        return [number for what, number, part in self.members if (what, part) == (kind, role)]


class _Unfit(Exception):
    """A restriction that cannot be told in links."""

    def __init__(self, why: str, **facts: object) -> None:
        super().__init__(why)
        self.why, self.facts = why, facts


def is_restriction(tags: Tags) -> bool:
    """Whether a relation is about turning."""
    return re.match(r"restriction(:|$)", tags.get("type", "")) is not None


def via_nodes(relations: Iterable[Relation]) -> set[int]:
    """The crossings that restrictions speak of: streets are cut there."""
    return {node for relation in relations for node in relation.ids("n", "via")}


def restrictions(relations: Sequence[Relation], links: Links) -> tuple[list[TurnRestriction], list[Refused]]:
    """The restrictions in terms of links, and those that cannot be used."""
    laid: list[TurnRestriction] = []
    refused: list[Refused] = []
    for relation in relations:
        try:
            laid += _Reading(relation, links).read()
        except _Unfit as unfit:
            sign = next((word for key, word in relation.tags.items() if key.startswith("restriction")), None)
            refused.append(Refused("relation", str(relation.id), sign, unfit.why, unfit.facts))
    return laid, refused


def _sign(tags: Tags) -> str:
    """The word on the sign. Raises where it is not for us, or not always there."""
    sign = next((tags[key] for key in _OUR_TRAFFIC if key in tags), None)
    if sign is None:
        kind = tags.get("type", "").partition(":")[2]
        if kind in {"motorcar", "motor_vehicle", "vehicle"}:
            sign = tags.get("restriction")
    if any(key in tags for key in ("day_on", "day_off", "hour_on", "hour_off")):
        raise _Unfit(CONDITIONAL)
    if sign is None:
        if any(key.endswith(":conditional") for key in tags):
            raise _Unfit(CONDITIONAL)
        others = sorted(key.partition(":")[2] for key in tags if key.startswith("restriction:"))
        if others:
            raise _Unfit(OTHERS, traffic=", ".join(others))
    if sign not in SIGNS:
        raise _Unfit(UNKNOWN_SIGN, sign=(sign or "–")[:40])
    return sign


class _Reading:
    """One restriction, being understood."""

    def __init__(self, relation: Relation, links: Links) -> None:
        self.relation, self.links = relation, links
        self.sign = _sign(relation.tags)
        self.only = self.sign.startswith("only_")

    def read(self) -> list[TurnRestriction]:
        relation = self.relation
        sources, targets = relation.ids("w", "from"), relation.ids("w", "to")
        nodes, ways = relation.ids("n", "via"), relation.ids("w", "via")
        many_from = self.sign == "no_entry" and len(sources) > 1
        many_to = self.sign == "no_exit" and len(targets) > 1
        if not sources or not targets or bool(nodes) == bool(ways) or len(nodes) > 1:
            raise _Unfit(MEMBERS)
        if (len(sources) > 1 and not many_from) or (len(targets) > 1 and not many_to):
            raise _Unfit(MEMBERS)
        for way in [*sources, *ways, *targets]:
            if way not in self.links.of_way:
                raise _Unfit(NOT_IN_FILE, way=way)
        read = self._over_node if nodes else self._over_ways
        found = [one for source in sources for target in targets for one in read(source, target, nodes, ways)]
        if not found:
            raise _Unfit(AGAINST)
        return found

    def _over_node(self, source: int, target: int, nodes: list[int], _: list[int]) -> list[TurnRestriction]:
        (via,) = nodes
        comes = self._from(source, via)
        goes = self._to(target, via, comes)
        return [self._laid([_far(comes, via), via, _far(link, via)], [source, target]) for link in goes]

    def _from(self, way: int, via: int) -> Street:
        at = [link for link in self._links(way) if via in (link.a_node, link.b_node)]
        if not at:
            raise _Unfit(APART, way=way)
        can = [link for link in at if not link.oneway or link.b_node == via]
        if len(can) > 1:
            raise _Unfit(AMBIGUOUS, way=way)
        if not can:
            raise _Unfit(AGAINST)
        return can[0]

    def _to(self, way: int, via: int, comes: Street) -> list[Street]:
        at = [link for link in self._links(way) if via in (link.a_node, link.b_node)]
        if not at:
            raise _Unfit(APART, way=way)
        can = [link for link in at if not link.oneway or link.a_node == via]
        if len(can) < 2:
            return can
        if self.sign.endswith("_u_turn"):
            return [comes] if comes in can else can
        can = [link for link in can if link is not comes]
        wanted = next((angle for word, angle in _ANGLES.items() if word in self.sign), None)
        if wanted is None:
            return can
        return [min(can, key=lambda link: abs(_turned(_angle(comes, link, via) - wanted)))]

    def _over_ways(self, source: int, target: int, _: list[int], ways: list[int]) -> list[TurnRestriction]:
        starts, ends = self._ends(source, leaving=False), self._ends(target, leaving=True)
        chain = self._chain(ways, set(starts), set(ends))
        first, last = chain[0][0], chain[-1][1]
        nodes = [first, *(end for _, end, _ in chain)]
        return [
            self._laid(
                [_far(starts[first], first), *nodes, _far(ends[last], last)],
                [source, *(way for *_, way in chain), target],
            )
        ]

    def _ends(self, way: int, *, leaving: bool) -> dict[int, Street]:
        """The nodes at which one may leave a way (or enter it), with the link there."""
        found: dict[int, Street] = {}
        for link in self._links(way):
            for node in (link.a_node, link.b_node):
                if not link.oneway or node == (link.a_node if leaving else link.b_node):
                    found.setdefault(node, link)
        return found

    def _chain(self, ways: list[int], starts: set[int], ends: set[int]) -> list[tuple[int, int, int]]:
        """The shortest way over links of all `ways` from one of `starts` to one of `ends`: (from, to, way) each."""
        out: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for way in ways:
            for link in self._links(way):
                out[link.a_node].append((link.b_node, way))
                if not link.oneway:
                    out[link.b_node].append((link.a_node, way))
        queue: list[list[tuple[int, int, int]]] = [
            [(node, to, way)] for node in sorted(starts & out.keys()) for to, way in out[node]
        ]
        for path in queue:  # grows while it is walked: breadth first
            if len(queue) > 2000:
                break
            last = path[-1][1]
            if last in ends and {way for *_, way in path} == set(ways):
                return path
            been = {path[0][0], *(to for _, to, _ in path)}
            queue += [[*path, (last, to, way)] for to, way in out[last] if to not in been]
        raise _Unfit(NO_CHAIN)

    def _links(self, way: int) -> list[Street]:
        return [self.links.streets[index] for index in self.links.of_way[way]]

    def _laid(self, nodes: list[int], ways: list[int]) -> TurnRestriction:
        excepted = [word.strip() for word in self.relation.tags.get("except", "").split(";") if word.strip()]
        return TurnRestriction(osm_id=self.relation.id, only=self.only, nodes=nodes, ways=ways, excepted=excepted)


_ANGLES = {"left": 90.0, "right": -90.0, "straight": 0.0}  # degrees, to the left


def _far(link: Street, node: int) -> int:
    return link.a_node if link.b_node == node else link.b_node


def _angle(comes: Street, goes: Street, via: int) -> float:
    """How far one turns to the left, in degrees."""
    before = list(comes.shape.coords) if comes.b_node == via else list(comes.shape.coords)[::-1]
    after = list(goes.shape.coords) if goes.a_node == via else list(goes.shape.coords)[::-1]
    return _turned(_heading(after[0], after[1]) - _heading(before[-2], before[-1]))


def _heading(one: Sequence[float], other: Sequence[float]) -> float:
    squeeze = math.cos(math.radians(one[1]))
    return math.degrees(math.atan2(other[1] - one[1], (other[0] - one[0]) * squeeze))


def _turned(angle: float) -> float:
    return (angle + 180) % 360 - 180
