"""What docs/api.md promises: an answer comes after the commit, features are whole, sessions end, refusals speak."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.catalogue import _read, catalogue, default_content, publish_catalogue
from incidents.closing import close_incident
from incidents.duplicates import similar_incidents
from incidents.incident import board
from realtime.access import GRANTS
from realtime.database import new_id, now, reading, transaction
from resources.sign_in import SignIn, hash_of
from tests.api.desks import HERE, app_on, badges, copy_of, desk, machinery_of, persistently
from tests.api.stage import MATRIX
from tests.builders import PASSWORD, City, a_report, a_sending, an_incident
from tests.conftest import Client, browser_of
from web.app import create_app
from web.settings import Settings

API = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
PLACE = {"type": "Point", "coordinates": [-60.66, -32.95]}
ALWAYS = {"subject", "id", "version"}


@pytest.fixture(scope="module")
def database(maintenance_url: str, template: str) -> Iterator[str]:
    """This module's copy of the city."""
    with copy_of(maintenance_url, template) as url:
        yield url


@pytest.fixture(scope="module")
async def town(database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """The application, without a Redis: nothing on the way from a report to a unit may need one."""
    async with app_on(database, None, tmp_path_factory.mktemp("town")) as app:
        yield app


@pytest.fixture(scope="module")
async def people(town: FastAPI) -> AsyncIterator[dict[str, Client]]:
    """Everybody of the city, at their desks."""
    async with AsyncExitStack() as desks:
        tokens = await badges(machinery_of(town).sessions)
        yield {who: await desks.enter_async_context(desk(town, token)) for who, token in tokens.items()}


# ── A 2xx is a promise ────────────────────────────────────────────────────────────────────────────


async def test_the_answer_leaves_after_the_commit(town: FastAPI, database: str) -> None:
    """FastAPI would answer first and commit afterwards; somebody else must find the report when the answer starts."""
    report_id, found = new_id(), []
    url = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    body = json.dumps({"id": str(report_id), "words": "humo"}).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            with psycopg.connect(url) as somebody_else:
                row = somebody_else.execute("SELECT 1 FROM reports WHERE id = %s", (report_id,)).fetchone()
            found.append((message["status"], row))

    headers = [(b"host", b"vigia.test"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/reports",
        "raw_path": b"/api/v1/reports",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("vigia.test", 80),
    }
    await town(scope, receive, send)
    assert found == [(201, (1,))]


async def test_safe_requests_cannot_write(town: FastAPI) -> None:
    async with reading(machinery_of(town).sessions) as session:
        with pytest.raises(SQLAlchemyError, match="read-only"):
            await session.execute(text("UPDATE units SET base = 'x'"))


# ── From the report to the end, as the documents tell it ──────────────────────────────────────────


def documented(kind: str) -> set[str]:
    """The properties that docs/api.md gives a feature."""
    paragraph = re.search(rf"^\*\*{kind}\*\*: (.*?)(?=^\*\*|\n\n)", API, re.MULTILINE | re.DOTALL)
    assert paragraph is not None
    plain = paragraph[1].split("A **masked**")[0]
    outside = re.sub(r"\(.*?\)(?=,|\.| \(|\n|$)", "", plain, flags=re.DOTALL)
    return set(re.findall(r"`(\w+)`", outside)) - {"geometry"}


async def test_a_report_becomes_a_unit_on_scene_without_redis(people: dict[str, Client]) -> None:
    desk_, crew = people["dispatcher"], people["crew m1"]
    report = {"id": str(new_id()), "words": "humo negro", "channel": "phone", "location": PLACE, "place": "Mitre 100"}
    told = await people["call_taker"].post("reports", json=report)
    assert told.status_code == 201
    assert re.fullmatch(r"[2-9A-HJKMNP-Z]{3}-[2-9A-HJKMNP-Z]{3}", told.json()["tracking_code"])
    waiting = (await desk_.get(f"reports/{report['id']}")).json()
    assert documented("report") <= waiting["properties"].keys()

    accepted = await desk_.post(
        f"reports/{report['id']}/accept", json={"incident_id": str(new_id()), "type_code": "INC-01"}
    )
    assert accepted.status_code == 201
    incident = accepted.json()["properties"]
    assert incident.keys() - {"id", "subject", "version"} == documented("incident")
    assert re.fullmatch(r"\d{4}-\d{6}", incident["code"])
    assert (incident["state"], incident["summary"], incident["reports"]) == ("classified", "humo negro", 1)
    assert dt.datetime.fromisoformat(incident["due_at"]) > now()

    here = f"incidents/{incident['id']}"
    sent = await desk_.post(f"{here}/assignments", json=a_sending(City.units["M1"]))
    [assignment] = sent.json()["assignments"]
    assert assignment["status"] == "assigned"
    for status in ("acknowledged", "en_route", "on_scene"):
        moved = await crew.post(f"assignments/{assignment['id']}/status", json={"status": status})
        assert moved.json()["status"] == status
        unit = (await desk_.get(f"units/{City.units['M1']}")).json()["properties"]
        assert unit["status"] == status
        assert unit.keys() - ALWAYS == documented("unit")
    there = (await desk_.get(here)).json()["properties"]
    assert (there["state"], there["due_at"]) == ("on_scene", None)
    assert {"T0", "T3", "T5", "T7", "T8", "T9"} <= there["stamps"].keys()

    closed = await desk_.post(f"{here}/close", json={"disposition": "resolved", "note": "apagado"})
    assert closed.json()["properties"]["state"] == "closed"
    assert (await desk_.get(f"units/{City.units['M1']}")).json()["properties"]["status"] == "available"
    story = (await desk_.get(f"{here}/timeline")).json()["entries"]
    assert [entry["kind"] for entry in story] == [
        *("incident.opened", "assignment.made", "assignment.status", "assignment.status", "assignment.status"),
        *("note.added", "assignment.status", "incident.closed"),
    ]
    assert [entry["note"]["text"] for entry in story if "note" in entry] == ["apagado"]
    assert all(entry["actor"]["name"] in {"dispatcher", "crew m1"} for entry in story)


async def test_a_list_is_read_page_by_page(people: dict[str, Client]) -> None:
    opened = {
        (
            await people["trained"].post(
                "incidents", json={"id": str(new_id()), "type_code": "SIN-01", "location": PLACE}
            )
        ).json()["properties"]["id"]
        for _ in range(5)
    }
    found: list[str] = []
    before = ""
    for _ in range(20):
        page = (await people["trained"].get(f"incidents?state=open&limit=2{before}")).json()
        found += [one["properties"]["id"] for one in page["features"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert opened <= set(found)
    assert len(found) == len(set(found))


async def test_a_type_that_the_city_gives_up_still_names_the_incidents_that_have_it(
    session: AsyncSession, city: City
) -> None:
    """A catalogue is edited while the city works; what was classified by the old one stays what it is."""
    trained = city.actor("trained")
    incident, report = await an_incident(session, trained), await a_report(session, trained)
    fewer = default_content()
    fewer["types"] = [one for one in fewer["types"] if one["code"] != "SIN-01"]
    for question in fewer["questions"]:  # which are not asked of what there is no more
        question["types"] = [one for one in question["types"] if one != "SIN-01"]
        question["answers"] = [
            {**one, "type": None} if one.get("type") == "SIN-01" else one for one in question["answers"]
        ]
    try:
        edited = await publish_catalogue(session, city.actor("supervisor"), fewer)
        assert "SIN-01" not in (await catalogue(session)).types
        assert [one["type_name"] for one in await similar_incidents(session, trained, report.id)] == [
            "Siniestro vial con lesionados"
        ]
        shown = [one for one in await board(session, trained) if one["properties"]["id"] == str(incident.id)]
        assert shown[0]["properties"]["type_name"] == "Siniestro vial con lesionados"
        await close_incident(session, trained, incident.id, disposition="resolved")
    finally:
        _read.pop(edited.version, None)  # it is rolled back, and another city may make that number anew


# ── Sessions ──────────────────────────────────────────────────────────────────────────────────────


async def test_signing_in_gives_the_session_document_and_a_cookie_that_no_script_reads(town: FastAPI) -> None:
    async with browser_of(town) as browser:
        credentials = {"username": "Supervisor", "password": PASSWORD}  # whatever the case
        answer = await browser.post("/api/v1/session", json=credentials)
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "token" not in answer.json()
        document = (await browser.get("/api/v1/session")).json()
        assert document["person"]["role"] == "supervisor"
        assert document["permissions"] == sorted(GRANTS[City().actor("supervisor").role])
        assert document["city"]["bounds"] is None or len(document["city"]["bounds"]) == 4
        assert document.keys() == {"person", "permissions", "city", "demo", "feed", "server_time"}

        again = await browser.post("/api/v1/session", json=credentials)
        assert again.headers["set-cookie"].split(";")[0] != cookie.split(";")[0], "a session is never taken up again"

        assert (await browser.delete("/api/v1/session")).status_code == 204
        browser.cookies.set("vigia", again.headers["set-cookie"].split(";")[0].partition("=")[2])
        assert (await browser.get("/api/v1/session")).status_code == 401


async def test_a_machine_gets_its_token_only_when_it_asks(town: FastAPI) -> None:
    credentials = {"username": "dispatcher", "password": PASSWORD}
    async with desk(town) as client:
        answer = await client.post("session", json=credentials, headers={"X-Vigia-Token": "1"})
        assert "set-cookie" not in answer.headers
        token = answer.json()["token"]
    async with desk(town, token) as client:
        assert (await client.get("session")).status_code == 200
    async with reading(machinery_of(town).sessions) as session:
        kept = await session.get_one(SignIn, hash_of(token))
        assert token.encode() not in kept.token_hash, "the table keeps what opens nothing"


async def test_behind_tls_the_cookie_is_bound_to_the_host(
    database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    app = create_app(Settings(database_url=database, data=tmp_path_factory.mktemp("tls"), secure_cookies=True))
    async with app.router.lifespan_context(app), browser_of(app) as browser:
        answer = await browser.post("/api/v1/session", json={"username": "wall", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-vigia=")
    assert "Secure" in cookie.split("; ")


async def test_sessions_end_by_themselves(town: FastAPI) -> None:
    sessions = machinery_of(town).sessions
    for who, seen, made, living in (
        ("dispatcher", dt.timedelta(hours=11), dt.timedelta(hours=23), True),
        ("dispatcher", dt.timedelta(hours=13), dt.timedelta(hours=13), False),
        ("dispatcher", dt.timedelta(0), dt.timedelta(hours=25), False),
        ("wall", dt.timedelta(0), dt.timedelta(days=29), True),
        ("wall", dt.timedelta(0), dt.timedelta(days=31), False),
        ("wall", dt.timedelta(hours=13), dt.timedelta(hours=14), False),
    ):
        token = (await badges(sessions, [who]))[who]
        async with transaction(sessions) as session:
            row = await session.get_one(SignIn, hash_of(token))
            row.last_seen_at, row.created_at = now() - seen, now() - made
        async with desk(town, token) as client:
            assert (await client.get("session")).status_code == (200 if living else 401), (who, seen, made)


async def test_who_is_disabled_or_gets_another_password_is_out(town: FastAPI, people: dict[str, Client]) -> None:
    tokens = await badges(machinery_of(town).sessions, ["vecinal este", "ambulances"])
    ids = {who: City.people[who][0] for who in tokens}
    await people["supervisor"].post(f"people/{ids['vecinal este']}/disable")
    await people["administrator"].post(f"people/{ids['ambulances']}/password", json={"password": "otra clave nueva"})
    for who, token in tokens.items():
        async with desk(town, token) as client:
            assert (await client.get("session")).status_code == 401
            assert (await client.post("session", json={"username": who, "password": PASSWORD})).status_code == 401
    async with desk(town) as client:
        again = {"username": "ambulances", "password": "otra clave nueva"}
        assert (await persistently(client, "session", again)).status_code == 200


# ── Refusals, headers, and days on which nothing works ────────────────────────────────────────────


async def test_a_refusal_speaks_the_language_of_who_reads_it(town: FastAPI) -> None:
    async with desk(town) as client:
        for header, language, words in (
            ("", "es-AR", "Primero"),
            ("es-ES,en", "es-AR", "Primero"),
            ("en-GB", "en", "You must sign in first."),
            ("tlh", "es-AR", "Primero"),
        ):
            answer = await client.get("session", headers={"Accept-Language": header})
            assert answer.headers["content-language"] == language
            assert words.lower() in answer.json()["title"].lower()
            assert answer.json()["type"] == "/problems/NotSignedIn"


async def test_every_answer_carries_its_armour(town: FastAPI, people: dict[str, Client]) -> None:
    async with desk(town) as client:
        answers = [await client.get(path) for path in ("session", "catalogue", "nothing", f"{HERE}/", f"{HERE}/health")]
        answers.append(await client.post("reports", content=b"{", headers={"Content-Type": "application/json"}))
    answers.append(await people["dispatcher"].get("snapshot"))
    for answer in answers:
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        if "/api/" in str(answer.request.url):
            assert answer.headers["cache-control"] == "no-store"


async def test_a_bug_says_nothing_of_itself(town: FastAPI, people: dict[str, Client]) -> None:
    async def falls(*_: object) -> None:
        raise RuntimeError("clave secreta de adentro")

    boards = machinery_of(town).boards
    kept = dict(boards)
    boards["unit"] = falls  # type: ignore[index]
    try:
        transport = people["dispatcher"]._transport
        transport.raise_app_exceptions = False  # type: ignore[attr-defined]
        answer = await people["dispatcher"].get("snapshot")
        transport.raise_app_exceptions = True  # type: ignore[attr-defined]
    finally:
        boards["unit"] = kept["unit"]  # type: ignore[index]
    assert answer.status_code == 500
    assert "secreta" not in answer.text
    assert answer.json()["code"] == "Broken"
    assert re.fullmatch(r"[0-9a-f]{8}", answer.json()["facts"]["code"])


async def test_without_its_database_every_question_is_told_to_come_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    nowhere = Settings(database_url="postgresql+psycopg://x@/x?host=/nowhere", data=tmp_path_factory.mktemp("away"))
    app = create_app(nowhere)
    async with app.router.lifespan_context(app), desk(app, "somebody") as client:
        assert (await client.get(f"{HERE}/health")).status_code == 200
        assert (await client.get(f"{HERE}/ready")).status_code == 503
        for route, row in MATRIX.items():
            method, _, path = route.partition(" /")
            if route in {"GET /openapi.json", "POST /session"} or path.startswith(("tiles", "city.pmtiles")):
                continue
            where = re.sub(r"\{\w+\}", str(new_id()), path + row.query)
            kind, content = row.content or ("", None)
            body = {name: str(new_id()) if name.endswith("id") else word for name, word in (row.body or {}).items()}
            sent: dict[str, Any] = {"json": body if row.body else None}
            if content is not None:
                sent = {"content": content, "headers": {"Content-Type": kind}}
            answer = await client.request(method, where, **sent)
            assert answer.status_code == 503, f"{route}: {answer.text}"
            assert answer.headers["retry-after"] == "2"
            assert answer.json()["code"] == "Busy"
        credentials = {"username": "dispatcher", "password": PASSWORD}
        assert (await client.post("session", json=credentials)).status_code == 503
        assert (await client.get("tiles/12/1357/2443.mvt")).status_code == 503


async def test_the_documentation_can_be_kept_at_home(database: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    app = create_app(Settings(database_url=database, data=tmp_path_factory.mktemp("quiet"), documentation=False))
    async with app.router.lifespan_context(app), desk(app) as client:
        assert (await client.get("openapi.json")).status_code == 404
        assert (await client.get(f"{HERE}/docs")).status_code == 404
