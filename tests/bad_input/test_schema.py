"""What the API says of itself, taken at its word and against it: schemathesis makes requests of the OpenAPI document.

In process, a few requests of each kind for each operation, by a supervisor, who may do nearly everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.python.asgi import shutdown_lifespans

from realtime.database import connect, sessions_of, transaction
from tests.api.desks import badges, copy_of
from tests.api.stage import MATRIX
from tests.bad_input.conftest import strictly
from tests.builders import City, a_report, an_assignment, an_incident
from web.app import create_app
from web.settings import Settings

EXAMPLES = 6
OURSELVES = ("/session", "/people/{person_id}/disable", "/people/{person_id}/password")


class Town(NamedTuple):
    """A database with something in it, a supervisor's token, and the ids of what there is."""

    database_url: str
    token: str
    ids: dict[str, str]


@pytest.fixture(scope="module")
def town(maintenance_url: str, template: str) -> Iterator[Town]:
    """A database with something in it, a supervisor's token, and the ids of what there is."""

    async def furnish(url: str) -> Town:
        engine, city = connect(url, pool=2), City()
        sessions = sessions_of(engine)
        async with transaction(sessions) as session:
            incident = await an_incident(session, city.actor("trained"))
            sent = await an_assignment(session, city.actor("trained"), incident, city.units["M1"])
            report = await a_report(session, city.actor("police"))
        token = (await badges(sessions, ["supervisor"]))["supervisor"]
        await engine.dispose()
        there = {
            "incident_id": incident.id,
            "assignment_id": sent.id,
            "report_id": report.id,
            "unit_id": city.units["M1"],
        }
        return Town(url, token, {name: str(id_) for name, id_ in there.items()})

    with copy_of(maintenance_url, template) as url:
        yield asyncio.run(furnish(url))


@pytest.fixture(scope="module")
def document(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The OpenAPI document of the running application."""
    app = create_app(Settings(database_url=town.database_url, data=tmp_path_factory.mktemp("schema"), demo=True))
    config = SchemathesisConfig.from_dict({"generation": {"max-examples": EXAMPLES, "allow-x00": True}})
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, config=config)
    shutdown_lifespans()


ROUTES = [route for route in MATRIX if route.partition(" ")[2] not in OURSELVES and route != "GET /openapi.json"]


# Where there is nothing to say, nothing can be said wrong.
WORDLESS = {
    "GET /incidents/mine",
    "GET /handovers/people",
    "GET /duplicates/unlinked",
    "GET /walls",
    "GET /walls/own/crisis",
    "GET /walls/own/numbers",
    "GET /catalogue",
    "GET /units",
    "GET /units/retired",
    "GET /units/export",
    "GET /capabilities",
    "GET /vehicles",
    "GET /storm",
    "GET /storm/clusters",
    "GET /storm/plan",
    "GET /circuits",
    "GET /organizations",
    "GET /people",
    "GET /devices",
    "GET /snapshot",
    "GET /simulation",
    "GET /alarms",
    "GET /preferences",
    "GET /soundings/tests",
    "GET /watchdogs",
    "GET /watchdogs/history",
    "GET /staff",
    "POST /staff/import",
    "GET /staff/rules",
    "GET /shift-templates",
    "GET /crew-minimums",
    "GET /swaps",
    "GET /attendance/points",
    "GET /travel/speeds",
    "GET /recommendations",
    "GET /dispatch-policy",
    "GET /coverage/targets",
    "GET /coverage/now",
    "GET /fences",
    "GET /run-cards",
    "GET /tiles.json",
    "GET /city.pmtiles",
}
MODES = [(route, mode) for route in ROUTES for mode in GenerationMode if mode.is_positive or route not in WORDLESS]


@pytest.fixture(scope="module")
def cases(document: Any) -> Callable[[str, GenerationMode], st.SearchStrategy[Any]]:
    """What requests of a route are drawn from; thought out once, not once for each request."""

    @cache
    def of(route: str, mode: GenerationMode) -> st.SearchStrategy[Any]:
        method, _, path = route.partition(" ")
        strategy: st.SearchStrategy[Any] = document[f"/api/v1{path}"][method].as_strategy(generation_mode=mode)
        return strategy

    return of


@pytest.mark.parametrize(("route", "mode"), MODES, ids=[f"{route} {mode.value}" for route, mode in MODES])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # as found: shrinking an example of a whole request takes minutes
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_request_of_the_document_breaks_us(
    cases: Callable[[str, GenerationMode], st.SearchStrategy[Any]],
    town: Town,
    route: str,
    mode: GenerationMode,
    data: st.DataObject,
) -> None:
    case = data.draw(cases(route, mode))
    for name in case.path_parameters.keys() & town.ids.keys():
        if data.draw(st.booleans()):
            case.path_parameters[name] = town.ids[name]
    answer = case.call(headers={"Authorization": f"Bearer {town.token}"})
    assert answer.status_code < 500, answer.text
    if "json" in (answer.headers.get("content-type") or [""])[0]:
        strictly(answer.content)
