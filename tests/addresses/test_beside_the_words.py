"""What was said of a place is kept as said; what it was taken to mean stands beside it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from incidents.reports import Report
from realtime.database import Sessions, new_id, transaction
from tests.addresses.rosario import corner
from tests.addresses.test_city import lay
from tests.conftest import Client, SignIn
from tests.web.test_portal import form_id

THERE = corner("Moreno", "Rioja")
POINT = {"type": "Point", "coordinates": [THERE.x, THERE.y]}
MATCH = {"label": "Moreno y Rioja", "kind": "corner", "precision": "exact", "lon": THERE.x, "lat": THERE.y}
SAID = "  ahi en moreno y rioja, donde el kiosco "


async def test_words_and_match_travel_side_by_side(signed_in: SignIn) -> None:
    async with signed_in("dispatcher") as client:
        report = {"id": str(new_id()), "words": "humo", "channel": "phone", "place": SAID, "place_match": MATCH}
        assert (await client.post("/api/v1/reports", json=report | {"location": POINT})).status_code == 201
        told = (await client.get(f"/api/v1/reports/{report['id']}")).json()["properties"]
        assert (told["place"], told["place_match"]) == (SAID.strip(), MATCH)

        accepted = {"incident_id": str(new_id()), "type_code": "INC-01"}
        incident = (await client.post(f"/api/v1/reports/{report['id']}/accept", json=accepted)).json()["properties"]
        assert (incident["place"], incident["place_match"]) == (SAID.strip(), MATCH), "it goes with the report's point"

        elsewhere = {"type": "Point", "coordinates": [THERE.x + 0.01, THERE.y]}
        path = f"/api/v1/incidents/{accepted['incident_id']}/relocate"
        moved = (await client.post(path, json={"location": elsewhere})).json()["properties"]
        assert (moved["place"], moved["place_match"]) == (SAID.strip(), None), "it is no longer where the words lead"
        back = (await client.post(path, json={"location": POINT, "place_match": MATCH})).json()["properties"]
        assert back["place_match"] == MATCH

        opened = {"id": str(new_id()), "type_code": "INC-01", "location": POINT, "place": SAID, "place_match": MATCH}
        assert (await client.post("/api/v1/incidents", json=opened)).json()["properties"]["place_match"] == MATCH


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": ""},
        {"label": "x" * 201},
        {"label": "a\x00b"},
        {"kind": "guess"},
        {"precision": "perfect"},
        {"lon": 999},
        {"lat": "NaN"},
        {"lon": 0, "lat": 0},
        {"more": 1},
    ],
)
async def test_a_match_that_is_none_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    body = {"id": str(new_id()), "words": "humo", "place": SAID, "place_match": MATCH | wrong}
    answer = await client.post("/api/v1/reports", json=body)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    ("place", "label", "located"),
    [
        ("Moreno y Rioja", "Moreno y Rioja", True),
        ("san martin 1150, frente al kiosco", "Avenida San Martín 1150", True),
        ("san martin 1150, Funes", None, False),
        ("san martin 1150", "Avenida San Martín 1150", True),
        ("Italia 1234", "Italia 1234", False),
        ("San Martín", None, False),
        ("donde siempre", None, False),
    ],
)
async def test_the_form_without_javascript_looks_the_words_up(
    sessions: Sessions, client: Client, place: str, label: str | None, located: bool
) -> None:
    async with transaction(sessions) as session:
        await lay(session)
    typed = {"id": await form_id(client), "type": "MET-01", "place": place, "words": "Cayó un árbol"}
    answer = await client.post("/avisar", data=typed)
    assert answer.status_code == 303, answer.text
    async with sessions() as session:
        report = (await session.scalars(select(Report))).one()
    assert report.place == place, "the words are never replaced"
    if label is not None:
        assert report.place_match is not None
        assert report.place_match["label"] == label
    assert (report.shape is not None) == located, "a point only from a match that is sure and says where"


async def test_a_point_that_was_chosen_keeps_its_match_and_one_from_the_phone_is_never_moved(
    sessions: Sessions, client: Client
) -> None:
    async with transaction(sessions) as session:
        await lay(session)
    for lon, has_match in ((THERE.x, True), (THERE.x + 0.004, False)):
        typed = {"id": await form_id(client), "type": "MET-01", "place": "Moreno y Rioja", "lon": lon, "lat": THERE.y}
        assert (await client.post("/avisar", data=typed)).status_code == 303
        async with sessions() as session:
            report = (await session.scalars(select(Report).order_by(Report.id.desc()).limit(1))).one()
        assert report.shape is not None
        assert report.shape.x == pytest.approx(lon, abs=1e-6)
        assert (report.place_match is not None) == has_match
