"""OpenStreetMap files made by hand, and the real ones where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from geo.osm.reading import OsmCity, read_osm
from geo.streets import Street

WEST, SOUTH, STEP = -60.66, -32.96, 0.001  # a grid of blocks of about a hundred metres, in Rosario


@dataclass
class Drawing:
    """A map being drawn: nodes by column and row, ways over them, relations between those."""

    nodes: dict[int, tuple[float, float, dict[str, str]]] = field(default_factory=dict)
    ways: dict[int, tuple[list[int], dict[str, str]]] = field(default_factory=dict)
    relations: dict[int, tuple[list[tuple[str, int, str]], dict[str, str]]] = field(default_factory=dict)

    def node(self, number: int, column: float, row: float, **tags: str) -> int:
        self.nodes[number] = (WEST + column * STEP, SOUTH + row * STEP, _tags(tags))
        return number

    def way(self, number: int, nodes: Sequence[int], **tags: str) -> int:
        self.ways[number] = (list(nodes), _tags(tags))
        return number

    def street(
        self, number: int, nodes: Sequence[int], name: str = "", highway: str = "residential", **tags: str
    ) -> int:
        named = {"name": name} if name else {}
        return self.way(number, nodes, highway=highway, **named, **tags)

    def relation(self, number: int, members: Sequence[tuple[str, int, str]], **tags: str) -> int:
        self.relations[number] = (list(members), _tags(tags))
        return number

    def turn(
        self, number: int, source: int, via: Sequence[tuple[str, int]], target: int, sign: str, **tags: str
    ) -> int:
        over = [(kind, which, "via") for kind, which in via]
        members = [("way", source, "from"), *over, ("way", target, "to")]
        return self.relation(number, members, type="restriction", restriction=sign, **tags)

    def xml(self) -> str:
        lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
        for number, (lon, lat, tags) in self.nodes.items():
            lines.append(f"<node id='{number}' lat='{lat:.7f}' lon='{lon:.7f}'>{_written(tags)}</node>")
        for number, (nodes, tags) in self.ways.items():
            refs = "".join(f"<nd ref='{node}'/>" for node in nodes)
            lines.append(f"<way id='{number}'>{refs}{_written(tags)}</way>")
        for number, (members, tags) in self.relations.items():
            refs = "".join(f"<member type='{kind}' ref='{ref}' role='{role}'/>" for kind, ref, role in members)
            lines.append(f"<relation id='{number}'>{refs}{_written(tags)}</relation>")
        return "\n".join([*lines, "</osm>"])

    def cross(self) -> Drawing:
        """Two streets that cross at node 5: way 10 runs east over 4-5-6, way 20 north over 2-5-8."""
        for number, column, row in ((4, 0, 1), (5, 1, 1), (6, 2, 1), (2, 1, 0), (8, 1, 2)):
            self.node(number, column, row)
        self.street(10, [4, 5], "Rioja")
        self.street(11, [5, 6], "Rioja")
        self.street(20, [2, 5], "Mitre")
        self.street(21, [5, 8], "Mitre")
        return self


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.replace("__", ":"): value for key, value in tags.items()}


def _written(tags: Mapping[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())


@pytest.fixture
def drawing() -> Drawing:
    return Drawing()


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Drawing], OsmCity]:
    """What a drawing is read as."""

    def reading(drawing: Drawing) -> OsmCity:
        file = tmp_path / "map.osm"
        file.write_text(drawing.xml(), "utf-8")
        return read_osm(file)

    return reading


def links(city: OsmCity, way: int) -> list[tuple[int, int]]:
    """The links of a way, by their ends."""
    return [(street.a_node, street.b_node) for street in city.streets if street.osm_id == way]


def link(city: OsmCity, way: int) -> Street:
    """The only link of a way."""
    (found,) = (street for street in city.streets if street.osm_id == way)
    return found
