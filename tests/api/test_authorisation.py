"""The authorisation matrix: every route of the application × everybody of the city. An unlisted route fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.api.desks import HERE, desk
from tests.api.matrix import EVERYBODY, NOBODY, PEOPLE
from tests.api.stage import MATRIX, Stage, staged
from tests.conftest import browser_of

# Everything else that the application answers to. None of it asks who is there; each has its own tests.
PAGES = {
    *("GET /health", "GET /ready"),
    *(
        "GET /",
        "GET /avisar",
        "POST /avisar",
        "GET /s",
        "GET /s/{code}",
        "GET /s/{code}/{act}",
        "POST /s/{code}/{act}",
        "GET /publico/{name}",
    ),
    *("GET /bienvenida", "POST /bienvenida"),
    *("GET /datos", "OPTIONS /datos", "GET /datos/{path:path}", "OPTIONS /datos/{path:path}"),
    *("GET /avl/osmand", "POST /avl/osmand", "GET /avl/osmand/{token}", "POST /avl/osmand/{token}"),
    *("POST /avl/owntracks", "POST /avl/owntracks/{token}", "POST /avl/positions"),
    *("GET /recursos", "GET /turnos", "GET /tarjetas", "GET /fichar"),
    *("GET /ingresar", "GET /consola", "GET /consola/mapa", "GET /pared", "GET /pared/{view}"),
    *("GET /favicon.ico", "MOUNT /static"),
}


def routes_of(app: FastAPI) -> Iterator[str]:
    """`METHOD /path` of everything that the application answers to."""
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or {"MOUNT"}) - {"HEAD"}):
            yield f"{method} {route.path}"


@pytest.fixture(scope="module")
async def stage(
    maintenance_url: str, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """The stage that all requests are made on."""
    async with staged(maintenance_url, template, redis_url, tmp_path_factory.mktemp("stage")) as stage:
        yield stage


def test_every_route_is_in_the_matrix(stage: Stage) -> None:
    routes = set(routes_of(stage.app))
    assert {one.replace(" /api/v1/", " /") for one in routes if " /api/v1/" in one} == MATRIX.keys()
    assert {one for one in routes if " /api/v1/" not in one} == PAGES


def test_every_row_speaks_of_people_there_are() -> None:
    for name, one in MATRIX.items():
        assert one.done <= EVERYBODY, name
        assert one.hidden <= PEOPLE - one.done, name


@pytest.mark.parametrize("route", MATRIX)
async def test_whoever_may_is_answered_and_nobody_else(stage: Stage, route: str) -> None:
    one = MATRIX[route]
    method, _, path = route.partition(" /")
    found, wanted = {}, {}
    who_asks = sorted(EVERYBODY) if route != "POST /session" else ["dispatcher", NOBODY]  # a password costs 0.1 s
    for who in who_asks:
        async with desk(stage.app, stage.tokens.get(who)) as client:
            answer = await client.request(method, stage.fill(path + one.query, one.on), **stage.sent(one))
        found[who] = answer.status_code
        wanted[who] = one.status if who in one.done else 401 if who == NOBODY else 404 if who in one.hidden else 403
        if answer.status_code >= 400 and answer.status_code != one.status:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
    assert found == wanted


@pytest.mark.parametrize("route", [one for one in MATRIX if not one.startswith("GET ") and one != "POST /session"])
async def test_nobody_is_made_to_act_by_a_foreign_page(stage: Stage, route: str) -> None:
    one = MATRIX[route]
    method, _, path = route.partition(" /")
    who = min(one.done - {NOBODY})
    for headers in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        async with browser_of(stage.app) as browser:
            del browser.headers["Origin"]
            browser.cookies.set("vigia", stage.tokens[who])
            sent = stage.sent(one)
            sent["headers"] = sent.get("headers", {}) | headers
            where = stage.fill(path + one.query, one.on)
            answer = await browser.request(method, f"{HERE}/api/v1/{where}", **sent)
        assert (answer.status_code, answer.json()["code"]) == (403, "ForeignOrigin"), headers


@pytest.mark.parametrize(
    "token", ["", "x", "0190ffff00004000800000000000ffff", "é", "a" * 5000, "../../etc/passwd", "\x7f"]
)
async def test_a_token_that_never_was_signs_nobody_in(stage: Stage, token: str) -> None:
    async with desk(stage.app) as client:
        for headers in ({"Authorization": f"Bearer {token}".encode()}, {"Cookie": f"vigia={token}".encode()}):
            answer = await client.get("session", headers=headers)  # type: ignore[arg-type]
            assert answer.status_code == 401
