"""The public pages, over HTTP and without any script."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from html import unescape
from uuid import UUID, uuid4

import httpx2
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import func, make_url, select, text

from incidents.assignments import AssignmentStatus
from incidents.closing import close_incident, refer_incident
from incidents.dispatch import report_status
from incidents.follow_up import follow_for_reporters
from incidents.reports import Report
from incidents.tracking import Step, Tracking
from incidents.triage import accept_report, dismiss_report
from realtime.access import Actor
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.journal import Entry
from tests.builders import WEST, City, an_assignment
from tests.conftest import Client
from web.pages import portal, tracking
from web.pages.tracking import road_of

HTML = {"Accept": "text/html,application/xhtml+xml"}
ON_THE_SQUARE = {"type": "MET-01", "place": "Mitre y Rioja", "words": "Cayó un árbol & tapa la calle"}


async def form_id(client: Client) -> str:
    """The id that the server gave to a fresh form."""
    page = await client.get("/avisar")
    assert page.status_code == 200
    return re.search(r'name="id" value="([^"]+)"', page.text)[1]  # type: ignore[index]


async def reported(client: Client, **fields: str) -> str:
    """The code of a report made through the form."""
    answer = await client.post("/avisar", data={"id": await form_id(client), **ON_THE_SQUARE, **fields})
    assert answer.status_code == 303, answer.text
    return re.fullmatch(r"/s/(...-...)\?nuevo=1", answer.headers["location"])[1]  # type: ignore[index]


async def reports(sessions: Sessions) -> list[Report]:
    """Every report there is."""
    async with reading(sessions) as session:
        return list(await session.scalars(select(Report)))


# ── The front page ────────────────────────────────────────────────────────────────────────────────


async def test_the_front_page_has_two_buttons_and_the_numbers(client: Client) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    for part in ('href="/avisar"', 'href="/s"', 'href="/ingresar"', 'href="tel:911"', "Municipality", 'lang="es-AR"'):
        assert part in page.text
    assert "set-cookie" not in page.headers


async def test_pages_are_light(client: Client) -> None:
    code = await reported(client)
    for path, kilobytes in (("/", 15), ("/avisar", 40), ("/s", 15), (f"/s/{code}", 15), (f"/s/{code}?nuevo=1", 15)):
        assert len((await client.get(path)).content) <= kilobytes * 1000, path
    assert len((await client.get("/publico/report.js")).content) <= 5000


async def test_pages_ask_nothing_of_anybody_else(client: Client) -> None:
    for path in ("/", "/avisar", "/s", f"/s/{await reported(client)}?nuevo=1"):
        page = (await client.get(path)).text
        loaded = re.findall(r'<(?:script|img|link|iframe)[^>]*(?:src|href)="([^"]+)"', page)
        assert all(address.startswith(("/", "data:")) for address in loaded), loaded
        assert "<script>" not in page, "the content security policy would refuse it"


# ── Reporting ─────────────────────────────────────────────────────────────────────────────────────


async def test_the_form_offers_only_what_the_public_may_choose(client: Client) -> None:
    page = (await client.get("/avisar")).text
    assert 'value="MET-01"' in page
    assert 'value="other"' in page
    assert "SEG-07" not in page, "gender violence is never a tile"
    assert re.search(r'value="INC-01" class="p1"', page), "a life-threatening type brings the call card"


async def test_a_report_through_the_form_is_kept_as_told(client: Client, sessions: Sessions) -> None:
    code = await reported(client, name="Ana Gómez", phone="341 555-0000", lon="-60.66", lat="-32.95", accuracy="15")
    (report,) = await reports(sessions)
    assert (report.tracking_code, report.words, report.place) == (code, ON_THE_SQUARE["words"], "Mitre y Rioja")
    assert (report.type_hint, report.channel, report.zone) == ("MET-01", "web", "Oeste")
    assert (report.contact_name, report.contact_phone) == ("Ana Gómez", "341 555-0000")
    assert report.shape is not None
    assert (report.shape.x, report.shape.y) == (WEST.x, WEST.y)


async def test_a_tile_and_a_place_are_enough(client: Client, sessions: Sessions) -> None:
    await reported(client, words="")
    (report,) = await reports(sessions)
    assert (report.words, report.contact_name) == ("Árbol o poste caído", None)


async def test_sending_twice_makes_one_report(client: Client, sessions: Sessions) -> None:
    form = {"id": await form_id(client), **ON_THE_SQUARE}
    answers = await asyncio.gather(*(client.post("/avisar", data=form) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(await reports(sessions)) == 1


async def test_going_back_and_changing_it_makes_a_second_report_only_when_meant(
    client: Client, sessions: Sessions
) -> None:
    form = {"id": await form_id(client), **ON_THE_SQUARE}
    await client.post("/avisar", data=form)
    answer = await client.post("/avisar", data=form | {"words": "Son dos árboles"})
    assert answer.status_code == 409
    assert "Ya tenemos tu primer aviso" in answer.text
    assert "Son dos árboles" in answer.text
    fresh = re.search(r'name="id" value="([^"]+)"', answer.text)[1]  # type: ignore[index]
    assert fresh != form["id"]
    assert (await client.post("/avisar", data=form | {"id": fresh, "words": "Son dos"})).status_code == 303
    assert len(await reports(sessions)) == 2


MISTAKES: list[tuple[dict[str, str], str, str]] = [
    ({"type": "", "words": ""}, "type", "Elegí qué pasa, o contalo con tus palabras."),
    ({"type": "other", "words": " \n "}, "words", "Contanos qué pasa."),
    ({"type": "no such", "words": ""}, "type", "Elegí qué pasa, o contalo con tus palabras."),
    ({"place": "  "}, "place", "Decinos dónde es."),
    ({"place": "x" * 201}, "place", "Es demasiado largo."),
    ({"words": "x" * 2001}, "words", "Es demasiado largo."),
    ({"words": "hola\0"}, "words", "No van caracteres de control."),
    ({"name": "x" * 201}, "name", "Es demasiado largo."),
    ({"phone": "<script>"}, "phone", "Tiene caracteres que acá no van."),
    ({"phone": "1" * 200}, "phone", "Es demasiado largo."),
    ({"lon": "nan", "lat": "1"}, "place", "No pudimos usar esa ubicación."),
    ({"lon": "1e400", "lat": "1"}, "place", "No pudimos usar esa ubicación."),
    ({"lon": "acá", "lat": ""}, "place", "No pudimos usar esa ubicación."),
    ({"lon": "-32.95", "lat": "-60.66"}, "place", "Ese lugar está fuera de Municipality."),
    ({"lon": "-58.38", "lat": "-34.60"}, "place", "Ese lugar está fuera de Municipality."),
    ({"lon": "0", "lat": "0"}, "place", "No pudimos usar esa ubicación."),
]


async def test_mistakes_stand_beside_their_field_and_nothing_is_lost(client: Client, sessions: Sessions) -> None:
    for fields, field, message in MISTAKES:
        form = {"id": await form_id(client), **ON_THE_SQUARE, "name": "Ana “la del kiosco”", **fields}
        answer = await client.post("/avisar", data=form)
        page = unescape(answer.text)
        assert answer.status_code == 422, fields
        assert re.search(rf'id="{field}-error".*?{re.escape(message)}', page, re.DOTALL), (fields, "beside the field")
        assert re.search(r'id="summary".*?' + re.escape(message), page, re.DOTALL), (fields, "in the summary")
        assert page.count("<title>Error:") == 1
        for name in ("place", "words", "name", "phone"):
            assert form.get(name, "").replace("\0", "").strip() in page, (fields, "kept as typed")
        assert form["id"] in page, "the same id: sending again is still the same report"
    assert await reports(sessions) == []


async def test_just_beyond_the_border_is_still_worth_knowing(client: Client, sessions: Sessions) -> None:
    await reported(client, lon="-60.55", lat="-32.95")
    (report,) = await reports(sessions)
    assert report.zone is None


async def test_a_form_without_its_id_gets_a_new_one(client: Client, sessions: Sessions) -> None:
    for bad in ("", "x" * 10_000, str(uuid4())):
        answer = await client.post("/avisar", data={**ON_THE_SQUARE, "id": bad})
        assert answer.status_code == 422
        fresh = re.search(r'name="id" value="([^"]+)"', answer.text)[1]  # type: ignore[index]
        assert UUID(fresh).version == 7
        assert (await client.post("/avisar", data={**ON_THE_SQUARE, "id": fresh})).status_code == 303
    assert len(await reports(sessions)) == 3


FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
NONSENSE = [
    (b"", FORM),
    (b"%ff%fe=%00&words=%ED%A0%80", FORM),
    (b'{"words": "hola"}', "application/json"),
    (b"--x\r\nnonsense", PARTS),
    (b"", "multipart/form-data"),
    (b'--x\r\nContent-Disposition: form-data; name="words"; filename="a.php"\r\n\r\nhola\r\n--x--\r\n', PARTS),
    (b"a=1&" * 5_000, FORM),
    (b"words=" + b"x" * 100_000, FORM),
]


async def test_nothing_that_is_sent_breaks_it(client: Client, sessions: Sessions) -> None:
    for body, kind in NONSENSE:
        answer = await client.post("/avisar", content=body, headers=HTML | {"Content-Type": kind})
        assert answer.status_code in {400, 413, 422}, body[:40]
        assert "<!doctype html>" in answer.text
    assert await reports(sessions) == []


async def test_what_people_write_is_shown_and_never_run(client: Client) -> None:
    nasty = '"><img src=x onerror=alert(1)>{{7331*7331}}'
    answer = await client.post(
        "/avisar", data={"id": await form_id(client), "words": nasty, "place": nasty, "phone": nasty}
    )
    assert answer.status_code == 422
    assert "<img" not in answer.text
    assert "53743561" not in answer.text
    assert nasty in unescape(answer.text)


async def test_too_many_reports_are_told_so_with_everything_kept(app: FastAPI, client: Client) -> None:
    machinery = app.state.machinery
    limited = machinery.settings.model_copy(update={"public_reports_per_hour": 2})
    app.state.machinery = dataclasses.replace(machinery, settings=limited)
    await reported(client)
    await reported(client)
    answer = await client.post("/avisar", data={"id": await form_id(client), **ON_THE_SQUARE})
    assert answer.status_code == 429
    assert "Llegaron muchos avisos desde tu conexión" in answer.text
    assert "Mitre y Rioja" in answer.text
    assert 'href="tel:911"' in answer.text


async def test_when_the_database_is_away_the_form_comes_back_as_typed(
    client: Client, maintenance_url: str, database_url: str
) -> None:
    form = {"id": await form_id(client), **ON_THE_SQUARE}
    name = make_url(database_url).database
    address = make_url(maintenance_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        answer = await client.post("/avisar", data=form)
        elsewhere = await client.get("/", headers=HTML)
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    assert answer.status_code == 503
    assert "No pudimos guardarlo" in answer.text
    assert unescape(answer.text).count(ON_THE_SQUARE["words"]) == 1
    assert form["id"] in answer.text
    assert (elsewhere.status_code, elsewhere.headers["retry-after"]) == (503, "2")
    assert 'href="tel:107"' in elsewhere.text, "the numbers are there without a database"
    assert (await client.post("/avisar", data=form)).status_code == 303


async def test_a_city_that_has_not_begun_takes_no_reports(client: Client, sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await session.execute(text("UPDATE organizations SET kind = 'agency'"))
    assert (await client.get("/")).headers["location"] == "/bienvenida"
    for answer in (await client.get("/avisar", headers=HTML), await client.post("/avisar", data={}, headers=HTML)):
        assert answer.status_code == 503
        assert 'href="tel:911"' in answer.text


# ── Following ─────────────────────────────────────────────────────────────────────────────────────


async def follow(sessions: Sessions) -> None:
    """Let the reaction see the whole journal."""
    async with transaction(sessions) as session:
        for entry in list(await session.scalars(select(Entry).order_by(Entry.id))):
            await follow_for_reporters(session, entry)


def now_on(page: str) -> str:
    """What the page says of how things stand."""
    return " ".join(re.search(r'class="now".*?<strong>(.*?)</strong>', page, re.DOTALL)[1].split())  # type: ignore[index]


async def test_a_report_is_followed_from_received_to_its_outcome(
    client: Client, sessions: Sessions, city: City
) -> None:
    code = await reported(client, lon="-60.66", lat="-32.95", phone="341 555-0000", name="Ana Gómez")
    dispatcher = city.actor("dispatcher")
    (report,) = await reports(sessions)
    sent = await client.get(f"/s/{code}?nuevo=1")
    for part in ("Recibido", code, "https://wa.me/?text=", "<svg", f"vigia.test%2Fs%2F{code}"):
        assert part in sent.text
    assert now_on((await client.get(f"/s/{code.lower().replace('-', ' ')}")).text) == "Recibido"

    async with transaction(sessions) as session:
        incident = await accept_report(session, dispatcher, report.id, incident_id=new_id(), type_code="MET-01")
    await follow(sessions)
    assert now_on((await client.get(f"/s/{code}")).text) == "En manos de Municipality"

    async with transaction(sessions) as session:
        assignment = await an_assignment(session, dispatcher, incident, city.units["M1"])
    await follow(sessions)
    assert now_on((await client.get(f"/s/{code}")).text) == "En camino: Guardia Urbana"

    for status in (AssignmentStatus.ACKNOWLEDGED, AssignmentStatus.EN_ROUTE, AssignmentStatus.ON_SCENE):
        async with transaction(sessions) as session:
            await report_status(session, dispatcher, assignment.id, status=status)
    await follow(sessions)
    assert now_on((await client.get(f"/s/{code}")).text) == "En el lugar: Guardia Urbana"

    async with transaction(sessions) as session:
        await close_incident(session, dispatcher, incident.id, disposition="resolved")
    await follow(sessions)
    page = (await client.get(f"/s/{code}")).text
    assert now_on(page) == "Terminó: Resuelto"
    assert "Árbol o poste caído · Oeste" in page
    assert "http-equiv" not in page, "nothing more will come"
    told = re.sub(r"<svg.*?</svg>|<style>.*?</style>|<link[^>]*>", "", page, flags=re.DOTALL)
    for secret in ("Ana", "341", "M1", "-60.6", "Mitre", "dispatcher", str(report.id)):
        assert secret not in told


async def test_a_dismissed_report_says_why(client: Client, sessions: Sessions, city: City) -> None:
    code = await reported(client)
    (report,) = await reports(sessions)
    async with transaction(sessions) as session:
        await dismiss_report(session, city.actor("dispatcher"), report.id, reason="outside", note="es de Funes")
    await follow(sessions)
    page = (await client.get(f"/s/{code}")).text
    assert now_on(page) == "Cerrado sin ir al lugar"
    assert "Motivo: Fuera de la jurisdicción." in page
    assert "Funes" not in page, "notes are for the staff"


async def test_a_referred_report_says_that_somebody_else_has_it(client: Client, sessions: Sessions, city: City) -> None:
    code = await reported(client, lon="-60.66", lat="-32.95")
    (report,) = await reports(sessions)
    dispatcher: Actor = city.actor("dispatcher")
    async with transaction(sessions) as session:
        incident = await accept_report(session, dispatcher, report.id, incident_id=new_id(), type_code="MET-01")
        await refer_incident(session, dispatcher, incident.id, reason="es de la provincia")
    await follow(sessions)
    assert now_on((await client.get(f"/s/{code}")).text) == "Pasado a quien corresponde"


async def test_a_sensitive_incident_names_no_type(client: Client, sessions: Sessions, city: City) -> None:
    code = await reported(client, lon="-60.66", lat="-32.95")
    (report,) = await reports(sessions)
    async with transaction(sessions) as session:
        await accept_report(session, city.actor("trained"), report.id, incident_id=new_id(), type_code="SEG-07")
    await follow(sessions)
    page = (await client.get(f"/s/{code}")).text
    assert "violencia" not in page.lower()
    assert "Oeste" in page


async def test_the_page_is_private_and_refreshes_itself(client: Client) -> None:
    code = await reported(client)
    page = await client.get(f"/s/{code}")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    again = unescape(re.search(r'http-equiv="refresh" content="30;url=([^"]+)"', page.text)[1])  # type: ignore[index]
    assert (await client.get(again)).status_code == 200


async def test_a_page_that_refreshes_itself_never_runs_into_the_limit(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "LOOKUPS", 3)
    code = await reported(client)
    page = await client.get(f"/s/{code}?nuevo=1")
    again = unescape(re.search(r'http-equiv="refresh" content="30;url=([^"]+)"', page.text)[1])  # type: ignore[index]
    assert all([(await client.get(again)).status_code == 200 for _ in range(6)])
    assert (await client.get("/s/ZZZ-ZZZ")).status_code == 404
    assert (await client.get("/s/ZZZ-ZZY")).status_code == 404
    for guess in ("ZZZ-ZZX", code, f"{code}?v=0123456789abcdef"):  # over the limit, right and wrong look the same
        refused = await client.get(f"/s/{guess}")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert "Se probaron demasiados códigos" in refused.text
        assert 'href="tel:911"' in refused.text
    assert (await client.get(again)).status_code == 200


async def test_an_unknown_code_gets_a_friendly_page(client: Client) -> None:
    for code in ("ZZZ-ZZZ", "nada", "x" * 4000, "%00", "%ff", "<script>", "🙂🙂🙂"):
        page = await client.get(f"/s/{code}", headers=HTML)
        assert page.status_code == 404, code
        assert "No encontramos ese código" in page.text
        assert "<script>" not in page.text
    assert (await client.get("/s/..%2f..%2fetc", headers=HTML)).status_code == 404


async def test_a_code_is_understood_as_people_type_it(client: Client) -> None:
    code = await reported(client)
    typed = f" {code.lower().replace('-', '')} "
    answer = await client.get("/s", params={"codigo": typed})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/s/{code}")
    short = await client.get("/s", params={"codigo": "7K3"})
    assert short.status_code == 422
    assert "El código no está completo" in short.text
    assert (await client.get("/s", params={"codigo": " "})).status_code == 200


def test_the_road_shows_steps_that_were_skipped_or_taken_back() -> None:
    at = now().isoformat()

    def road(*steps: Step) -> list[tuple[str, str]]:
        stops = road_of([{"step": step.value, "at": at} for step in steps])
        return [(stop.step.value, "ahead" if stop.ahead else "now" if stop.present else "past") for stop in stops]

    assert road(Step.RECEIVED, Step.LOOKED_AT, Step.ON_THE_WAY, Step.LOOKED_AT) == [
        ("received", "past"),
        ("looked_at", "now"),
        ("on_the_way", "ahead"),
        ("there", "ahead"),
        ("done", "ahead"),
    ]
    assert road(Step.RECEIVED, Step.LOOKED_AT, Step.DONE) == [
        ("received", "past"),
        ("looked_at", "past"),
        ("done", "now"),
    ]
    assert road(Step.RECEIVED, Step.THERE)[1] == ("looked_at", "past")
    assert road(Step.RECEIVED, Step.DISMISSED) == [("received", "past"), ("dismissed", "now")]


async def test_tracking_reads_only_its_own_table(client: Client, sessions: Sessions) -> None:
    code = await reported(client)
    async with transaction(sessions) as session:
        await session.execute(text("UPDATE reports SET words = 'secreto', zone = 'secreta'"))
        assert await session.scalar(select(func.count()).select_from(Tracking)) == 1
    assert "secret" not in (await client.get(f"/s/{code}")).text


# ── When something goes wrong ─────────────────────────────────────────────────────────────────────


async def test_browsers_get_pages_and_programs_get_documents(client: Client) -> None:
    page = await client.get("/no-existe", headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Esa página no existe" in page.text
    assert 'href="tel:911"' in page.text
    for path, accept in (("/no-existe", "application/json"), ("/api/v1/no-existe", "text/html")):
        answer = await client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert (await client.get("/publico/portal.css", headers=HTML)).status_code == 404
    assert (await client.delete("/avisar", headers=HTML)).status_code == 405


async def test_a_bug_is_a_page_with_a_code_for_support(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(portal, "city_now", broken)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://vigia.test") as client:
        page = await client.get("/", headers=HTML)
    assert page.status_code == 500
    assert "secret" not in page.text
    assert re.search(r"código [0-9a-f]{8}", page.text)
    assert 'href="tel:911"' in page.text
