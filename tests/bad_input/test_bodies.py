"""Every body of the API, spoiled in every way that a generator can think of: refused in words, or taken."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api.desks import desk
from tests.api.stage import MATRIX, Stage
from tests.bad_input.conftest import is_a_refusal, strictly
from tests.builders import City

WITH_BODY = [route for route, row in MATRIX.items() if row.body is not None]


class Raw(str):
    """JSON as it stands, also where it is none."""


def written(value: Any) -> str:
    """JSON with whatever cannot be: `Raw` parts as they stand, keys twice where a dict is a list of pairs."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{written(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def point(coordinates: object, **more: object) -> dict[str, object]:
    """Something like a place."""
    return {"type": "Point", "coordinates": coordinates} | more


IDS = [*City.units.values(), *City.organizations.values(), *City.zones.values(), City.people["wall"][0], uuid4()]
ODD: list[Any] = [
    *(Raw(number) for number in ("NaN", "-Infinity", "1e400", "-1e-400", "9" * 300, "-0", "0.1e1", "1E5")),
    *(0, -1, 1, 4, 5, 1.5, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, 1.7e9, 1e18, 1e308),
    *(True, False, None, [], {}, [None], [[]], {"": ""}, {"type": "Point"}, "", " ", "\n", "0", "null"),
    *("\u0000", "a\u0000b", "\ud800", "a\udc00", "\u202e", "\ufeff", "\u0301" * 2500, "é" * 2000, "x" * 5000, "\x7f"),
    *("2026-02-30T00:00:00Z", "2026-11-22T12:00:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"),
    *("2026-11-22T12:00:00+99:00", "2026-11-22T12:00:00Z", "0000-00-00T00:00:00Z", "12:00", "2026-11-22", "P1D"),
    *(str(id_) for id_ in IDS),
    *("0" * 32, "00000000-0000-0000-0000-000000000000", "urn:uuid:" + str(uuid4()), "{" + str(uuid4()) + "}"),
    *(
        "supervisor",
        "administrator",
        "system",
        "neighbour",
        "available",
        "released",
        "SEG-07",
        "closed",
        "phone",
        "web",
    ),
    *(point([0, 0]), point([-60.66, -32.95]), point([-60.66]), point([None, 1]), point(["1", "2"]), point([True, 1])),
    *(point([Raw("NaN"), 1]), point([Raw("1e400"), 1]), point([181, 91]), point([-60.66, -32.95, 1e6])),
    *(point([-60.66, -32.95], bbox="\ud800"), point([-60.66, -32.95], crs={}), point({}), point("x")),
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
    [[[[[[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]]]]]],
    Raw("[" * 19 + "]" * 19),
    Raw('{"a": 1, "a": 2}'),
    Raw("undefined"),
    Raw("'x'"),
]

anything = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=40),
    st.integers(),
    st.floats(),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=8),
    st.dictionaries(st.text(max_size=8), st.integers(), max_size=4),
)


def fields_of(app: FastAPI, route: str) -> list[str]:
    """The names that the body of a route may hold, as its own documentation says."""
    method, _, path = route.partition(" /")
    operation = app.openapi()["paths"][f"/api/v1/{path}"][method.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    for part in [schema, *schema.get("anyOf", [])]:
        if "$ref" in part:
            named = app.openapi()["components"]["schemas"][part["$ref"].rpartition("/")[2]]
            return sorted(named["properties"])
    raise AssertionError(f"{route} takes a body that it does not describe")


@st.composite
def spoiled(draw: st.DrawFn, fields: list[str], whole: dict[str, Any]) -> str:
    """A body that is right but for a few fields: one taken out, one replaced, one too many."""
    body: Any = dict(whole)
    for _ in range(draw(st.integers(1, 3))):
        match draw(st.sampled_from(["replace", "replace", "replace", "replace", "leave out", "add", "wrap"])):
            case "replace":
                body[draw(st.sampled_from(fields))] = draw(anything)
            case "leave out":
                body.pop(draw(st.sampled_from(fields)), None)
            case "add":
                body[draw(st.text(max_size=12) | st.sampled_from(["id", "version", "role", "\ud800", "\x00"]))] = draw(
                    anything
                )
            case "wrap":
                return written(draw(st.sampled_from([[body], {"body": body}, None, "x", [], json.dumps(whole)])))
    return written(body)


def most(examples: int) -> settings:
    """The same examples each time, so that a red suite is red for everybody."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("route", WITH_BODY)
@most(20)
@given(data=st.data())
async def test_a_spoiled_body_is_refused_in_words_or_taken(stage: Stage, route: str, data: st.DataObject) -> None:
    row = MATRIX[route]
    method, _, path = route.partition(" /")
    whole = stage.dress(row.body)
    assert whole is not None
    content = data.draw(spoiled(fields_of(stage.app, route), whole))
    who = "trained" if "trained" in row.done else "supervisor"
    if route == "POST /session":
        content = content.replace("dispatcher", "nadie")  # and no hash is made for a body that is right
    async with desk(stage.app, stage.tokens[who]) as client:
        answer = await client.request(
            method, stage.fill(path, row.on), content=content.encode(), headers={"Content-Type": "application/json"}
        )
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        is_a_refusal(answer)
    elif answer.content:
        strictly(answer.content)


@pytest.mark.parametrize("priority", [0, 5, -1, 99999999999, 10**30, 1.0, "1", True, [], {}])
async def test_there_are_four_priorities(stage: Stage, priority: Any) -> None:
    """13, 19."""
    async with desk(stage.app, stage.tokens["trained"]) as client:
        for path in ("incidents", f"incidents/{stage.ids['incident_id']}/reclassify"):
            route = MATRIX["POST /incidents" if path == "incidents" else "POST /incidents/{incident_id}/reclassify"]
            answer = await client.post(path, json=(stage.dress(route.body) or {}) | {"priority": priority})
            assert answer.status_code == 422
            is_a_refusal(answer)
