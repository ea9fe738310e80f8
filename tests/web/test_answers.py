"""Whoever reports is answered, and may add a fact, say that it was not solved, and take his name out."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from incidents.answers import AnswerNeeded, count_answers
from incidents.assignments import AssignmentStatus
from incidents.catalogue import catalogue, default_content, publish_catalogue
from incidents.closing import cancel_incident, close_incident, refer_incident
from incidents.dispatch import report_status
from incidents.incident import Incident
from incidents.reports import Report
from incidents.timeline import timeline
from incidents.tracking import Tracking
from incidents.triage import accept_report, dismiss_report, join_report
from incidents.undo import offered, undo
from realtime.access import Actor
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.errors import NotFound
from realtime.journal import Entry
from tests.builders import City, a_report, an_assignment, an_incident
from tests.conftest import Client
from tests.web.test_portal import follow, now_on, reported, reports
from web.pages import tracking

HERE = {"lon": "-60.66", "lat": "-32.95"}


async def accepted(sessions: Sessions, actor: Actor, type_code: str = "MET-01") -> Incident:
    """The last report as an incident."""
    report = (await reports(sessions))[-1]
    async with transaction(sessions) as session:
        return await accept_report(session, actor, report.id, incident_id=new_id(), type_code=type_code)


async def page_of(client: Client, sessions: Sessions, code: str) -> str:
    """What the reporter reads once the worker has been by."""
    await follow(sessions)
    return (await client.get(f"/s/{code}")).text


async def act(client: Client, code: str, name: str, **fields: str) -> Any:
    """Send one of the small forms as a browser does."""
    form = await client.get(f"/s/{code}/{name}")
    assert form.status_code == 200
    assert "http-equiv" not in form.text, "a page where somebody types must not go away"
    key = re.search(r'name="id" value="([^"]+)"', form.text)[1]  # type: ignore[index]
    return await client.post(f"/s/{code}/{name}", data={"id": key, **fields})


# ── The answer ────────────────────────────────────────────────────────────────────────────────────


async def test_every_ending_of_the_catalogue_answers_in_words_and_a_citys_own_goes_first(
    sessions: Sessions, city: City
) -> None:
    async with transaction(sessions) as session:
        words = await catalogue(session)
        for part in ("dispositions", "dismissals"):
            assert all(words.answer(item["code"]) for item in words.content[part])
        content = default_content()
        content["dispositions"] = [{"code": "resolved", "name": "Resuelto", "answer": "Listo, vecino."}]
        content["dismissals"] = [{"code": "hoax", "name": "Broma"}]
        own = await publish_catalogue(session, city.actor("administrator"), content)
        assert own.answer("resolved") == "Listo, vecino."
        assert own.answer("hoax") == words.answer("hoax"), "what a city does not say, we do"
        assert own.as_document()["dismissals"][0]["answer"] == words.answer("hoax")
        assert own.answer("nothing") is own.answer(None) is None


async def test_the_reporter_reads_the_endings_own_answer_or_what_somebody_wrote(
    client: Client, sessions: Sessions, city: City
) -> None:
    dispatcher = city.actor("dispatcher")
    codes = [await reported(client, **HERE) for _ in range(3)]
    incident = await accepted(sessions, dispatcher)
    first, second, _ = await reports(sessions)
    async with transaction(sessions) as session:
        for report in (first, second):
            await join_report(session, dispatcher, report.id, incident_id=incident.id)
    assert "quedó resuelto" not in await page_of(client, sessions, codes[0])
    async with transaction(sessions) as session:
        await close_incident(
            session,
            dispatcher,
            incident.id,
            disposition="resolved",
            answer="Se retiró el árbol y la calle está libre.",
            answers={second.id: "Su rama también se retiró."},
        )
        (closed,) = [
            one for one in await timeline(session, dispatcher, incident.id) if one["kind"] == "incident.closed"
        ]
    assert closed["detail"]["answer"] == "Se retiró el árbol y la calle está libre."
    told = {
        report.tracking_code: await page_of(client, sessions, report.tracking_code)
        for report in await reports(sessions)
    }
    assert "Su rama también se retiró." in told[second.tracking_code]
    assert "la calle está libre" not in told[second.tracking_code]
    assert "la calle está libre" in told[first.tracking_code]
    assert now_on(told[first.tracking_code]) == "Terminó: Resuelto"


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda s, a, i: close_incident(s, a, i, disposition="unfounded"), "no encontramos lo que contaste"),
        (lambda s, a, i: cancel_incident(s, a, i, reason="ya no"), "Dejó de hacer falta"),
        (lambda s, a, i: cancel_incident(s, a, i, reason="ya no", answer="Lo sacó el dueño."), "Lo sacó el dueño."),
        (lambda s, a, i: refer_incident(s, a, i, reason="es de la EPE"), "Le toca a otro organismo"),
        (lambda s, a, i: refer_incident(s, a, i, reason="es de la EPE", answer="Va la EPE."), "Va la EPE."),
    ],
)
async def test_whatever_the_end_there_is_an_answer(
    client: Client, sessions: Sessions, city: City, end: Any, words: str
) -> None:
    code = await reported(client, **HERE)
    incident = await accepted(sessions, city.actor("dispatcher"))
    async with transaction(sessions) as session:
        await end(session, city.actor("dispatcher"), incident.id)
    page = await page_of(client, sessions, code)
    assert words in page
    assert "ya no" not in page, "reasons are for the staff"
    assert "EPE" not in page or "EPE" in words


async def test_a_dismissal_answers_too(client: Client, sessions: Sessions, city: City) -> None:
    first, second = await reported(client), await reported(client)
    one, other = await reports(sessions)
    async with transaction(sessions) as session:
        await dismiss_report(session, city.actor("dispatcher"), one.id, reason="insufficient")
        await dismiss_report(session, city.actor("dispatcher"), other.id, reason="hoax", answer="No era gracioso.")
    assert "Nos faltaron datos" in await page_of(client, sessions, first)
    assert "No era gracioso." in await page_of(client, sessions, second)


async def test_an_ending_without_words_needs_some_where_somebody_reported(
    client: Client, sessions: Sessions, city: City
) -> None:
    dispatcher = city.actor("dispatcher")
    await reported(client, **HERE)
    async with transaction(sessions) as session:
        content = default_content()
        content["dispositions"].append({"code": "by_hand", "name": "A mano"})
        await publish_catalogue(session, city.actor("administrator"), content)
    incident = await accepted(sessions, dispatcher)
    with pytest.raises(AnswerNeeded):
        async with transaction(sessions) as session:
            await close_incident(session, dispatcher, incident.id, disposition="by_hand")
    with pytest.raises(NotFound):
        async with transaction(sessions) as session:
            await close_incident(session, dispatcher, incident.id, disposition="resolved", answers={new_id(): "x"})
    async with transaction(sessions) as session:
        closed = await close_incident(session, dispatcher, incident.id, disposition="by_hand", answer="Listo.")
    assert closed.answer == "Listo."


async def test_what_is_protected_is_answered_only_in_words_that_somebody_chose(
    client: Client, sessions: Sessions, city: City
) -> None:
    trained = city.actor("trained")
    code = await reported(client, **HERE)
    incident = await accepted(sessions, trained, "SEG-07")
    async with transaction(sessions) as session:
        await an_assignment(session, trained, incident, city.units["M1"])
    page = await page_of(client, sessions, code)
    assert "Guardia Urbana" not in page
    async with transaction(sessions) as session:
        await close_incident(session, trained, incident.id, disposition="resolved")
    assert "Fuimos" not in await page_of(client, sessions, code)


async def test_taking_the_end_back_takes_the_answer_back(client: Client, sessions: Sessions, city: City) -> None:
    dispatcher = city.actor("dispatcher")
    code = await reported(client, **HERE)
    incident = await accepted(sessions, dispatcher)
    (report,) = await reports(sessions)
    async with transaction(sessions) as session:
        await close_incident(
            session, dispatcher, incident.id, disposition="resolved", answer="Listo.", answers={report.id: "Tuyo."}
        )
        back = offered(session)
    assert "Tuyo." in await page_of(client, sessions, code)
    assert back is not None
    async with transaction(sessions) as session:
        await undo(session, dispatcher, back["id"])
        kinds = {one["kind"] for one in await timeline(session, dispatcher, incident.id)}
    assert "report.left" not in kinds, "the report stays where it is"
    page = await page_of(client, sessions, code)
    assert "Tuyo." not in page
    assert "Listo." not in page
    async with transaction(sessions) as session:
        await close_incident(session, dispatcher, incident.id, disposition="resolved")
    assert "quedó resuelto" in await page_of(client, sessions, code)


async def test_how_soon_reporters_know_is_counted(client: Client, sessions: Sessions, city: City) -> None:
    dispatcher = city.actor("dispatcher")
    read, _ = await reported(client, **HERE), await reported(client, **HERE)
    for report in await reports(sessions):
        async with transaction(sessions) as session:
            await dismiss_report(session, dispatcher, report.id, reason="outside")
    since, until = now() - dt.timedelta(hours=1), now() + dt.timedelta(hours=1)

    async def counted() -> dict[str, Any]:
        async with reading(sessions) as session:
            return await count_answers(session, dispatcher, since=since, until=until)

    assert (await counted())["ended"] == 0, "nobody was told yet"
    await follow(sessions)
    assert (await counted()) | {"answer": None} == {
        "ended": 2,
        "answered": 2,
        "read": 0,
        "answer": None,
        "seen": {"p50": None, "p90": None},
    }
    await client.get(f"/s/{read}")
    await client.get(f"/s/{read}")
    after = await counted()
    assert after["read"] == 1
    assert after["seen"]["p50"] >= after["answer"]["p50"] >= 0


# ── Whose it is, and by when ──────────────────────────────────────────────────────────────────────


async def test_the_page_says_whose_hands_it_is_in_and_what_was_promised(
    client: Client, sessions: Sessions, city: City
) -> None:
    dispatcher = city.actor("dispatcher")
    code = await reported(client, **HERE)
    incident = await accepted(sessions, dispatcher, "SIN-01")
    assert "Tiene que llegar alguien antes de las" in await page_of(client, sessions, code)
    async with transaction(sessions) as session:
        assignment = await an_assignment(session, dispatcher, incident, city.units["M1"])
    page = await page_of(client, sessions, code)
    assert now_on(page) == "En camino: Guardia Urbana"
    async with transaction(sessions) as session:
        await session.execute(update(Tracking).values(promised_at=now() - dt.timedelta(minutes=5)))
    late = (await client.get(f"/s/{code}")).text
    assert "Pasó la hora prometida" in late
    assert "Tiene que llegar" not in late
    for status in (AssignmentStatus.ACKNOWLEDGED, AssignmentStatus.EN_ROUTE, AssignmentStatus.ON_SCENE):
        async with transaction(sessions) as session:
            await report_status(session, dispatcher, assignment.id, status=status)
    there = await page_of(client, sessions, code)
    assert now_on(there) == "En el lugar: Guardia Urbana"
    assert "prometida" not in there


# ── What a reporter may still do ──────────────────────────────────────────────────────────────────


async def test_a_fact_is_read_where_the_report_is(client: Client, sessions: Sessions, city: City) -> None:
    dispatcher = city.actor("dispatcher")
    code = await reported(client, **HERE)
    assert "Agregar un dato" in await page_of(client, sessions, code)
    answer = await act(client, code, "dato", words="  también cayó un cable\r\nque chispea ")
    assert answer.status_code == 303
    assert "Agregado" in (await client.get(answer.headers["location"])).text
    (report,) = await reports(sessions)
    assert [fact["words"] for fact in report.facts] == ["también cayó un cable\nque chispea"]
    incident = await accepted(sessions, dispatcher)
    await act(client, code, "dato", words="ya no chispea")
    async with transaction(sessions) as session:
        lines = await timeline(session, dispatcher, incident.id)
        assert [line["fact"] for line in lines if line["kind"] == "report.fact_added"] == ["ya no chispea"]
        entries = (await session.scalars(select(Entry.detail).where(Entry.kind.startswith("report.fact")))).all()
    assert "chispea" not in str(entries), "words are in the report's row, where they can be erased"


async def test_the_same_form_sent_twice_adds_one_fact_and_mistakes_come_back_as_typed(
    client: Client, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await reported(client)
    key = str(new_id())
    for _ in range(2):
        answer = await client.post(f"/s/{code}/dato", data={"id": key, "words": "un cable"})
        assert answer.status_code == 303
    assert len((await reports(sessions))[0].facts) == 1
    empty = await act(client, code, "dato", words="  ")
    assert (empty.status_code, "Escribí lo que querés agregar." in empty.text) == (422, True)
    long = await act(client, code, "dato", words="x" * 501)
    assert (long.status_code, "x" * 501 in long.text) == (422, True)
    changed = await client.post(f"/s/{code}/dato", data={"id": key, "words": "otra cosa"})
    assert (changed.status_code, "otra cosa" in changed.text) == (503, True)
    odd = await client.post(f"/s/{code}/dato", data={"id": "no", "words": "con id propio\x00"})
    assert odd.status_code == 303
    assert (await client.get(f"/s/{code}/otra")).status_code == 404
    assert (await client.post("/s/ZZZ-ZZZ/dato", data={"words": "x"})).status_code == 404
    monkeypatch.setattr(tracking, "ACTS", 1)
    assert (await act(client, code, "dato", words="uno más")).status_code == 429


async def test_facts_come_to_an_end(client: Client, sessions: Sessions) -> None:
    code = await reported(client)
    async with transaction(sessions) as session:
        await session.execute(update(Report).values(facts=[{"at": now().isoformat(), "words": "x"}] * 12))
    full = await act(client, code, "dato", words="y")
    assert (full.status_code, "Ya agregaste 12 datos" in full.text) == (409, True)


async def test_what_was_not_solved_opens_again_with_everybody(client: Client, sessions: Sessions, city: City) -> None:
    dispatcher = city.actor("dispatcher")
    code = await reported(client, **HERE)
    assert (await act(client, code, "no-se-resolvio")).status_code == 409, "it is not over"
    incident = await accepted(sessions, dispatcher)
    async with transaction(sessions) as session:
        other = await a_report(session, dispatcher)
        await join_report(session, dispatcher, other.id, incident_id=incident.id)
        await close_incident(session, dispatcher, incident.id, disposition="resolved")
    assert "No se resolvió" in await page_of(client, sessions, code)
    answer = await act(client, code, "no-se-resolvio", words="sigue la rama")
    assert answer.status_code == 303
    page = await page_of(client, sessions, code)
    assert now_on(page) == "En manos de Municipality"
    assert "quedó resuelto" not in page
    assert now_on(await page_of(client, sessions, other.tracking_code)) == "En manos de Municipality"
    async with transaction(sessions) as session:
        again = await session.get_one(Incident, incident.id)
        assert (again.state, again.on_board, again.disposition) == ("waiting", True, None)
        lines = await timeline(session, dispatcher, incident.id)
        assert [line["fact"] for line in lines if "fact" in line] == ["sigue la rama"]
        reopened = next(line for line in lines if line["kind"] == "incident.reopened")
        assert reopened["detail"] == {"from": "closed", "to": "waiting", "reason": "", "unsolved": True}
        assert reopened["actor"]["name"] == "Vigía"
        await close_incident(session, dispatcher, incident.id, disposition="resolved")
        await session.execute(update(Tracking).values(reopened=2))
    stopped = await act(client, code, "no-se-resolvio")
    assert (stopped.status_code, "Ya se abrió de nuevo 2 veces" in stopped.text) == (409, True)


async def test_a_dismissed_report_waits_again_but_not_for_ever(client: Client, sessions: Sessions, city: City) -> None:
    code = await reported(client)
    (report,) = await reports(sessions)
    async with transaction(sessions) as session:
        await dismiss_report(session, city.actor("dispatcher"), report.id, reason="already_resolved")
    await follow(sessions)
    assert (await act(client, code, "no-se-resolvio", words="no, sigue")).status_code == 303
    (report,) = await reports(sessions)
    assert (report.status, report.dismissal, report.facts[0]["words"]) == ("received", None, "no, sigue")
    assert now_on(await page_of(client, sessions, code)) == "Recibido"
    async with transaction(sessions) as session:
        await dismiss_report(session, city.actor("dispatcher"), report.id, reason="already_resolved")
    await follow(sessions)
    async with transaction(sessions) as session:
        await session.execute(update(Tracking).values(ended_at=now() - dt.timedelta(days=8)))
    late = await act(client, code, "no-se-resolvio")
    assert (late.status_code, "hace más de 7 días" in late.text) == (409, True)
    assert "no-se-resolvio" not in (await client.get(f"/s/{code}")).text


async def test_what_is_somebody_elses_is_not_opened_again(client: Client, sessions: Sessions, city: City) -> None:
    code = await reported(client)
    (report,) = await reports(sessions)
    async with transaction(sessions) as session:
        await dismiss_report(session, city.actor("dispatcher"), report.id, reason="not_emergency", channel="147")
    assert "no-se-resolvio" not in await page_of(client, sessions, code)
    assert (await act(client, code, "no-se-resolvio")).status_code == 409


async def test_a_name_and_a_telephone_are_taken_out_for_good(client: Client, sessions: Sessions, city: City) -> None:
    code = await reported(client, name="Ana Gómez", phone="341 555-0000")
    page = await act(client, code, "mis-datos")
    assert page.status_code == 303
    assert "ya no están en el aviso" in (await client.get(page.headers["location"])).text
    (report,) = await reports(sessions)
    assert (report.contact_name, report.contact_phone, report.contact_number) == (None, None, None)
    assert (await act(client, code, "mis-datos")).status_code == 303, "twice does no harm"
    assert "Borrar mis datos" not in (await client.get(f"/s/{code}")).text
    async with reading(sessions) as session:
        for table, column in await session.execute(text_columns()):
            query = f"""SELECT count(*) FROM {table} WHERE CAST("{column}" AS text) ~ 'Gómez|555-?0000'"""  # noqa: S608
            assert await session.scalar(text(query)) == 0, (table, column)
        told = select(func.count()).where(Entry.kind == "contact.erased")
        assert await session.scalar(told) == 1


async def test_the_database_away_loses_nothing_that_was_typed(
    app: FastAPI, client: Client, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await reported(client)

    async def fails(*_: object, **__: object) -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(tracking, "add_fact", fails)
    away = await act(client, code, "dato", words="sigue saliendo humo")
    assert (away.status_code, "sigue saliendo humo" in away.text) == (503, True)


def text_columns() -> Any:
    """Every column that may hold words."""
    return text(
        "SELECT table_name, column_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name"
        " WHERE table_schema = 'public' AND schemaname = 'public' AND table_name <> 'spatial_ref_sys'"
        " AND data_type IN ('text', 'jsonb', 'ARRAY', 'character varying')"
    )


# ── Is it this one? ───────────────────────────────────────────────────────────────────────────────


async def test_whoever_reports_what_is_known_counts_himself_in(client: Client, sessions: Sessions, city: City) -> None:
    dispatcher, trained = city.actor("dispatcher"), city.actor("trained")
    async with transaction(sessions) as session:
        incident = await an_incident(session, dispatcher, type_code="MET-01", summary="un árbol tapa la calle")
        secret = await an_incident(session, trained, type_code="SEG-07", summary="un árbol tapa la calle")
        far = await an_incident(session, dispatcher, type_code="MET-01", place=city.east)
    code = await reported(client, **HERE)
    assert (await reports(sessions))[0].status == "received", "it is kept before anything is asked"
    fresh = (await client.get(f"/s/{code}?nuevo=1")).text
    assert "¿Es esto?" in fresh
    assert "1 aviso, a 0 m" in fresh
    assert str(secret.id) not in fresh
    assert str(far.id) not in fresh
    assert "¿Es esto?" not in (await client.get(f"/s/{code}")).text

    for stranger in (str(secret.id), str(far.id), str(new_id()), "no"):
        refused = await client.post(f"/s/{code}/me-sumo", data={"id": str(new_id()), "words": stranger})
        assert refused.status_code == 404
    key = str(new_id())
    for _ in range(2):
        answer = await client.post(f"/s/{code}/me-sumo", data={"id": key, "words": str(incident.id)})
        assert answer.status_code == 303
    assert "Sumado" in (await client.get(answer.headers["location"])).text
    (report,) = await reports(sessions)
    assert (report.status, report.incident_id) == ("joined", incident.id)
    async with transaction(sessions) as session:
        assert (await session.get_one(Incident, incident.id)).reports == 1
        told = [line["actor"]["name"] for line in await timeline(session, dispatcher, incident.id)]
        assert told[-1] == "vecino"
    assert now_on(await page_of(client, sessions, code)) == "En manos de Municipality"
    assert (await client.get(f"/s/{code}/me-sumo")).status_code == 404


async def test_nothing_is_asked_without_a_place_or_once_somebody_has_it(
    client: Client, sessions: Sessions, city: City
) -> None:
    dispatcher = city.actor("dispatcher")
    async with transaction(sessions) as session:
        await an_incident(session, dispatcher, type_code="MET-01", summary="un árbol tapa la calle")
    nowhere, here = await reported(client), await reported(client, **HERE)
    assert "¿Es esto?" not in (await client.get(f"/s/{nowhere}?nuevo=1")).text
    await accepted(sessions, dispatcher)
    assert "¿Es esto?" not in (await client.get(f"/s/{here}?nuevo=1")).text
