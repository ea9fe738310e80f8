"""Land and sea: OpenStreetMap draws only the line between them, with the land on its left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import shapely
from shapely.geometry.base import BaseGeometry
from shapely.ops import linemerge, polygonize, unary_union

Box: TypeAlias = tuple[float, float, float, float]  # west, south, east, north

SMALLEST = 1e-4  # degrees; a city of one straight street has ground too
BEYOND = 0.35  # degrees; farther than a screen shows around a city
A_STEP = 1e-6  # degrees to either side of the line, about ten centimetres
NEAR_THE_EDGE = 0.05  # of the box's shorter side; a shore that ends farther inside is incomplete
ENOUGH = 0.8  # so much of a shore must say the same before it is believed


def land(box: Box, coast: Sequence[shapely.LineString]) -> shapely.MultiPolygon:
    """The ground of a city whose data fill `box`, and some way beyond it.

    Where the lines do not part the box into land and sea (a file cut short, a line drawn backwards), it is all land.
    """
    west, south, east, north = box
    box = (west, south, max(east, west + SMALLEST), max(north, south + SMALLEST))
    frame = shapely.box(*box)
    shores = _lines_of(unary_union(list(coast)).intersection(frame))
    inside = _dry(frame, shores, coast) if shores else frame
    if inside is None or inside.is_empty:
        inside = frame
    return _multi(unary_union([inside, *_outwards(inside, box)]))


def _dry(
    frame: shapely.Polygon, shores: list[shapely.LineString], coast: Sequence[shapely.LineString]
) -> BaseGeometry | None:
    """The faces of the box that lie to the left of the shore; None where that cannot be told."""
    merged = _lines_of(linemerge(shores)) if len(shores) > 1 else shores
    reaching = [_to_the_edge(line, frame) for line in merged]
    faces = list(polygonize(unary_union([frame.exterior, *reaching])))
    index = shapely.STRtree(faces)
    left, right = [0.0] * len(faces), [0.0] * len(faces)
    for length, one, other in _sides([line for line in coast if line.intersects(frame)]):
        for side, place in ((left, one), (right, other)):
            for face in index.query(place, predicate="within"):
                side[face] += length
    dry = []
    for face, on_left, on_right in zip(faces, left, right, strict=True):
        if on_left + on_right == 0 or max(on_left, on_right) < ENOUGH * (on_left + on_right):
            return None
        if on_left > on_right:
            dry.append(face)
    return unary_union(dry) if dry else None


def _to_the_edge(line: shapely.LineString, frame: shapely.Polygon) -> shapely.LineString:
    """An extract is cut at nodes, so that the shore ends a little before the box does."""
    if line.is_ring:
        return line
    west, south, east, north = frame.bounds
    near = NEAR_THE_EDGE * min(east - west, north - south)
    coords = list(line.coords)
    for end, place in ((0, coords[0]), (len(coords), coords[-1])):
        gap = frame.exterior.distance(shapely.Point(place))
        if 0 < gap < near:
            edge = frame.exterior.interpolate(frame.exterior.project(shapely.Point(place)))
            coords.insert(end + (len(coords) - end if end else 0), (edge.x, edge.y))
    return shapely.LineString(coords)


def _sides(coast: Sequence[shapely.LineString]) -> Iterator[tuple[float, shapely.Point, shapely.Point]]:
    """For each stretch of shore its length, a place left of it and a place right of it."""
    for line in coast:
        for (west, south), (east, north) in pairwise(line.coords):
            length = ((east - west) ** 2 + (north - south) ** 2) ** 0.5
            if length:
                x, y = (west + east) / 2, (south + north) / 2
                dx, dy = -(north - south) / length * A_STEP, (east - west) / length * A_STEP
                yield length, shapely.Point(x + dx, y + dy), shapely.Point(x - dx, y - dy)


def _outwards(inside: BaseGeometry, box: Box) -> Iterator[BaseGeometry]:
    """Where land reaches the edge of the box it goes on, and so does the sea."""
    west, south, east, north = box
    edges = (
        (shapely.LineString([(west, south), (west, north)]), (-BEYOND, 0.0)),
        (shapely.LineString([(east, south), (east, north)]), (BEYOND, 0.0)),
        (shapely.LineString([(west, south), (east, south)]), (0.0, -BEYOND)),
        (shapely.LineString([(west, north), (east, north)]), (0.0, BEYOND)),
    )
    for edge, (dx, dy) in edges:
        for stretch in _lines_of(inside.intersection(edge)):
            (x0, y0), (x1, y1) = stretch.coords[0], stretch.coords[-1]
            yield shapely.box(min(x0, x0 + dx), min(y0, y0 + dy), max(x1, x1 + dx), max(y1, y1 + dy))
    for x, y, dx, dy in ((west, south, -1, -1), (west, north, -1, 1), (east, south, 1, -1), (east, north, 1, 1)):
        if inside.intersects(shapely.Point(x, y)):
            ends = sorted((x, x + dx * BEYOND)), sorted((y, y + dy * BEYOND))
            yield shapely.box(ends[0][0], ends[1][0], ends[0][1], ends[1][1])


def _lines_of(shape: BaseGeometry) -> list[shapely.LineString]:
    return [part for part in shapely.get_parts(shape).tolist() if isinstance(part, shapely.LineString) and part.length]


def _multi(shape: BaseGeometry) -> shapely.MultiPolygon:
    parts = [part for part in shapely.get_parts(shape).tolist() if isinstance(part, shapely.Polygon)]
    return shapely.MultiPolygon(parts)
