"""51–69 for lines and areas: whatever is drawn that is none is refused at every route that takes a shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from realtime.database import new_id
from tests.bad_input.conftest import Victim, is_a_refusal, strictly

BLOCK = [[-60.66, -32.95], [-60.65, -32.95], [-60.65, -32.94], [-60.66, -32.94], [-60.66, -32.95]]
ELSEWHERE = [[x + 1, y] for x, y in BLOCK]
SMALL = [[-60.657, -32.947], [-60.653, -32.947], [-60.653, -32.943], [-60.657, -32.947]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def swapped(ring: list[list[float]], at: int, value: Any) -> list[Any]:
    return [*ring[:at], value, *ring[at + 1 :]]


# By its number in the catalogue: what is sent as a shape, and which answers are right.
SHAPES: dict[str, tuple[Any, set[int]]] = {
    "51 null in the middle": (polygon(swapped(BLOCK, 2, [None, 1])), {422}),
    "52 in quotes": (polygon(swapped(BLOCK, 2, ["-60.65", "-32.94"])), {422}),
    "53 polygon": (polygon(BLOCK) | {"type": "polygon"}, {422}),
    "54 1e999": ('{"type": "Polygon", "coordinates": [[[1e999, 0], [1, 2], [3, 4], [1e999, 0]]]}', {400, 422}),
    "54 NaN": ('{"type": "Polygon", "coordinates": [[[NaN, 0], [1, 2], [3, 4], [NaN, 0]]]}', {400, 422}),
    "55 no rings": (polygon(), {422}),
    "55 an empty ring": (polygon([]), {422}),
    "55 an empty hole": (polygon(BLOCK, []), {422}),
    "56 five numbers": (polygon(swapped(BLOCK, 2, [1, 2, 3, 4, 5])), {422}),
    "57 another reference system": (polygon(BLOCK) | {"crs": {"properties": {"name": "EPSG:3857"}}}, {422}),
    "58 a feature": ({"type": "Feature", "geometry": polygon(BLOCK), "properties": {}}, {422}),
    "58 words": ("POLYGON((1 1, 2 1, 2 2, 1 1))", {422}),
    "59 a bow tie": (polygon([BLOCK[0], BLOCK[2], BLOCK[1], BLOCK[3], BLOCK[0]]), {422}),
    "60 two positions": (polygon([BLOCK[0], BLOCK[1]]), {422}),
    "60 three positions": (polygon([BLOCK[0], BLOCK[1], BLOCK[0]]), {422}),
    "60 not closed": (polygon(BLOCK[:-1]), {422}),
    "61 400,000 vertices": (polygon([*([BLOCK[0], BLOCK[1]] * 200_000), BLOCK[0]]), {413}),
    "61 2,001 vertices": (polygon([*([[-60.6, -32.9], [-60.5, -32.8]] * 1001), [-60.6, -32.9]]), {413}),
    "62 collections in collections": ('{"type": "GeometryCollection", "geometries": [' * 3000, {400, 413}),
    "62 an array in arrays": ('{"type": "Polygon", "coordinates": ' + "[" * 900 + "]" * 900 + "}", {400, 422}),
    "63 an empty collection": ({"type": "GeometryCollection", "geometries": []}, {422}),
    "63 a collection of areas": ({"type": "GeometryCollection", "geometries": [polygon(BLOCK)]}, {422}),
    "64 the planet": (polygon([[-179, -84], [179, -84], [179, 84], [-179, 84], [-179, -84]]), {422}),
    "64 the country": (polygon([[-74, -55], [-53, -55], [-53, -22], [-74, -22], [-74, -55]]), {422}),
    "65 over the antimeridian": (polygon([[179, -17], [-179, -17], [-179, -16], [179, -16], [179, -17]]), {422}),
    "65 beyond the antimeridian": (polygon([[179, -17], [181, -17], [181, -16], [179, -16], [179, -17]]), {422}),
    "65 over the pole": (polygon([[-60, -89], [-59, -89], [-59, -90], [-60, -90], [-60, -89]]), {422}),
    "66 a hole outside": (polygon(BLOCK, ELSEWHERE), {422}),
    "66 a ring twice": (polygon(BLOCK, BLOCK), {422}),
    "66 a hole twice": (polygon(BLOCK, SMALL, SMALL), {422}),
    "66 a spike": (polygon([*BLOCK[:2], [-60.6, -32.9], *BLOCK[1:]]), {422}),
    "67 a sliver": (polygon([[-60.66, -32.95], [-60.65, -32.95], [-60.655, -32.95 + 1e-12], [-60.66, -32.95]]), {422}),
    "67 a doorstep": (polygon([[-60, -32], [-60 + 2e-6, -32], [-60, -32 + 2e-6], [-60, -32]]), {422}),
    "68 four hundred digits": (
        f'{{"type": "Polygon", "coordinates": [[[-60.{"6" * 400}, {"3" * 400}], [1, 2]]]}}',
        {422},
    ),
}
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "zones": ("supervisor", {"kind": "barrio", "name": "Centro"}),
    "fences": ("supervisor", {"name": "Centro"}),
    "closures": ("trained", {"kind": "works", "reason": "caño roto"}),
}


@pytest.mark.parametrize("route", ROUTES)
async def test_a_shape_that_is_none_is_refused_and_leaves_nothing(victim: Victim, route: str) -> None:
    who, body = ROUTES[route]
    before = await victim.rows()
    for number, (shape, right) in SHAPES.items():
        written = shape if isinstance(shape, str) and shape.startswith("{") else json.dumps(shape)
        content = json.dumps(body | {"id": str(new_id())})[:-1] + f', "shape": {written}}}'
        answer = await victim.clients[who].post(
            route, content=content.encode(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in right, f"{number}: {answer.status_code} {answer.text[:300]}"
        is_a_refusal(answer)
    assert await victim.rows() == before
    await victim.is_well()


async def test_59_where_it_crosses_itself_is_said(victim: Victim) -> None:
    bow = polygon([BLOCK[0], BLOCK[2], BLOCK[1], BLOCK[3], BLOCK[0]])
    answer = await victim.clients["supervisor"].post(
        "zones", json={"id": str(new_id()), "kind": "barrio", "name": "Moño", "shape": bow}
    )
    assert "-60.655 -32.945" in answer.json()["title"]


async def test_69_the_whole_world_is_asked_for_and_answered(victim: Victim) -> None:
    """A box is a filter and no promise: as much as there is, and never more than the city's own zones."""
    answer = await victim.clients["neighbour"].get("zones?bbox=-180,-90,180,90")
    assert answer.status_code == 200
    assert len(strictly(answer.content)["features"]) <= len(
        strictly((await victim.clients["wall"].get("zones")).content)["features"]
    )


@pytest.mark.parametrize(
    "place", ["lon=nan&lat=-32", "lon=-60&lat=inf", "lon=0&lat=0", "lon=200&lat=1", "lon=1", "lon=x&lat=y"]
)
@pytest.mark.parametrize("route", ["places/whose", "places/describe", "travel/etas"])
async def test_bare_numbers_go_through_the_same_door(victim: Victim, route: str, place: str) -> None:
    answer = await victim.clients["trained"].get(f"{route}?{place}")
    assert answer.status_code == 422, answer.text
    is_a_refusal(answer)
