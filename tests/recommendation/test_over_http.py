"""Whom to send, over HTTP, on streets in the database."""

from __future__ import annotations

import pytest

from incidents.coverage_targets import set_target
from incidents.incident import Incident
from realtime.database import Sessions, new_id, now, transaction
from resources.units import Duty, set_duty
from tests.builders import City, an_assignment, an_incident
from tests.conftest import SignIn
from tests.recommendation.conftest import lay_town
from tests.travel.towns import spot


@pytest.fixture
async def incident(sessions: Sessions, city: City) -> Incident:
    """A crash two blocks from M2, and a target that M1 and M2 meet between them."""
    async with transaction(sessions) as session:
        await lay_town(session, city)
        await set_duty(session, city.actor("trained"), city.units["T1"], duty=Duty.BREAK)
        await set_target(session, city.actor("supervisor"), new_id(), capability="GUM", minutes=0.5, minimum=0.2)
        return await an_incident(session, city.actor("trained"), type_code="SEG-04", place=spot(3, 3))


async def test_an_incident_is_told_whom_to_send_and_why(signed_in: SignIn, incident: Incident) -> None:
    async with signed_in("dispatcher") as dispatcher:
        answer = await dispatcher.get(f"/api/v1/incidents/{incident.id}/recommendation")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        (need,) = [one for one in told["needs"] if one["capability"] == "GUM" and one["kind"] == "required"]
        assert [pick["call_sign"] for pick in need["picks"]] == ["M2", "M1"]
        first = need["picks"][0]
        assert first["how"] == "road"
        assert first["reasons"][0]["code"] == "eta"
        assert sum(reason["seconds"] for reason in first["reasons"]) == pytest.approx(first["score"], abs=0.1)
        assert first["leaves"]["for"] == "GUM"
        assert first["leaves"]["people"] > 0
        assert first["leaves"]["square_km"] is not None
        assert {zone["name"] for zone in first["leaves"]["zones"]} <= {"Poniente", "Levante"}
        assert [ask["call_sign"] for ask in need["to_ask"]] == ["P1"]
        lost = (await dispatcher.get("/api/v1/recommendation/lost", params={"unit_id": first["unit_id"]})).json()
        assert lost["features"][0]["properties"]["people"] == first["leaves"]["people"]
        assert lost["features"][0]["geometry"]["type"] == "MultiPolygon"
        second = await dispatcher.get(f"/api/v1/incidents/{incident.id}/recommendation", params={"level": 2})
        assert second.json()["level"] == 2


async def test_before_it_exists_and_of_the_past(
    signed_in: SignIn, incident: Incident, sessions: Sessions, city: City
) -> None:
    async with signed_in("dispatcher") as dispatcher:
        where = {"type_code": "SEG-04", "lon": spot(3, 3).x, "lat": spot(3, 3).y}
        before = (await dispatcher.get("/api/v1/recommendation", params=where)).json()
        assert before["incident_id"] is None
        assert before["needs"][0]["picks"][0]["call_sign"] == "M2"
        moment = now().isoformat()
        async with transaction(sessions) as session:
            await an_assignment(session, city.actor("trained"), incident, city.units["M2"])
        path = f"/api/v1/incidents/{incident.id}/recommendation"
        here = (await dispatcher.get(path)).json()
        past = (await dispatcher.get(path, params={"at": moment})).json()
        need, then = here["needs"][0], past["needs"][0]
        assert [unit["call_sign"] for unit in need["going"]] == ["M2"]
        assert [pick["call_sign"] for pick in then["picks"]] == ["M2", "M1"]
        assert (past["past"], here["past"]) == (True, False)
        future = await dispatcher.get(path, params={"at": "2090-01-01T00:00:00Z"})
        assert (future.status_code, future.json()["code"]) == (422, "NotPast")
        early = await dispatcher.get(path, params={"at": "2020-01-01T00:00:00Z"})
        assert (early.status_code, early.json()["code"]) == (422, "NotYetThere")


async def test_all_that_compete_are_answered_together(
    signed_in: SignIn, incident: Incident, sessions: Sessions, city: City
) -> None:
    async with transaction(sessions) as session:
        await an_incident(session, city.actor("trained"), type_code="SEG-07", place=spot(6, 6))
    async with signed_in("dispatcher") as dispatcher:
        told = (await dispatcher.get("/api/v1/recommendations")).json()
        assert [one["incident_code"] for one in told["recommendations"]] == [incident.code], "the other is hidden"
    async with signed_in("trained") as trained:
        both = (await trained.get("/api/v1/recommendations")).json()["recommendations"]
        assert [one["type_code"] for one in both] == ["SEG-07", "SEG-04"], "the graver first"
        sent = [
            pick["call_sign"]
            for one in both
            for need in one["needs"]
            for pick in need["picks"]
            if need["kind"] == "required"
        ]
        assert len(sent) == len(set(sent))
        lesser = both[1]
        assert lesser["short"] >= 1
        assert lesser["trades"][0]["to"] == both[0]["incident_code"]


async def test_how_the_city_stands(signed_in: SignIn, incident: Incident) -> None:
    async with signed_in("supervisor") as supervisor:
        (target,) = (await supervisor.get("/api/v1/coverage/now")).json()["targets"]
        assert 0 < target["share"] < 1
        assert (target["met"], target["units"]) == (True, ["M1", "M2"])
        assert {zone["name"] for zone in target["beyond"]} == {"Poniente", "Levante"}
        assert target["of_people"] == 12_000
        made = {"id": str(new_id()), "kind": "patrol", "minutes": 5, "minimum": 0.9, "replaces": target["id"]}
        assert (await supervisor.post("/api/v1/coverage/targets", json=made)).status_code == 201
        listed = (await supervisor.get("/api/v1/coverage/targets")).json()["targets"]
        assert [one["kind"] for one in listed] == ["patrol"]
        both = made | {"id": str(new_id()), "capability": "GUM"}
        assert (await supervisor.post("/api/v1/coverage/targets", json=both)).json()["code"] == "OneOrTheOther"
        weighed = await supervisor.post("/api/v1/dispatch-policy", json={"values": {"last_s": -3}})
        assert (weighed.status_code, weighed.json()["code"]) == (422, "BadPolicy")
