"""The first account: one code, one city, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from realtime.database import Sessions, reading, transaction
from resources.organizations import Organization, OrganizationKind, municipality
from resources.people import Person
from tests.conftest import Client, browser_of
from web.prepare import FIRST_ACCOUNT_CODE, prepare
from web.settings import Settings

PASSWORD = "una frase bien larga"
HTML = {"Accept": "text/html"}


@pytest.fixture
async def code(app: FastAPI, settings: Settings, sessions: Sessions) -> str:
    """The one-time code of an installation in which nobody has an account."""
    async with transaction(sessions) as session:
        await session.execute(text("TRUNCATE people, organizations CASCADE"))
    await prepare(settings.model_copy(update={"demo": False}))
    place = settings.data / FIRST_ACCOUNT_CODE
    assert place.stat().st_mode & 0o077 == 0, "only its owner may read it"
    return place.read_text()


@pytest.fixture
async def stranger(app: FastAPI, code: str) -> AsyncIterator[Client]:
    """Somebody at the door of that installation."""
    async with browser_of(app) as client:
        yield client


def form(right: str, **other: str) -> dict[str, str]:
    """The form, filled well."""
    return {
        "code": right,
        "city": "Municipalidad de Rafaela",
        "name": "Marta Gómez",
        "username": "marta",
        "password": PASSWORD,
        "again": PASSWORD,
        **other,
    }


async def people(sessions: Sessions) -> list[Person]:
    """Every account."""
    async with reading(sessions) as session:
        return list(await session.scalars(select(Person)))


async def test_the_code_makes_the_city_and_its_first_supervisor_and_goes(
    stranger: Client, code: str, sessions: Sessions, settings: Settings
) -> None:
    assert (await stranger.get("/")).headers["location"] == "/bienvenida"
    assert (await stranger.get("/bienvenida")).status_code == 200
    answer = await stranger.post("/bienvenida", data=form(f" {code}\n"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/ingresar")
    (person,) = await people(sessions)
    assert (person.username, person.name, person.role, person.clearance) == ("marta", "Marta Gómez", "supervisor", 3)
    async with reading(sessions) as session:
        city = await municipality(session)
        assert city is not None
        assert (city.name, city.kind) == ("Municipalidad de Rafaela", OrganizationKind.MUNICIPALITY)
        assert ["911", "Emergencias"] in city.phones
    assert not (settings.data / FIRST_ACCOUNT_CODE).exists()
    entered = await stranger.post("/api/v1/session", json={"username": "Marta", "password": PASSWORD})
    assert entered.status_code == 200
    assert "people.manage" in entered.json()["permissions"]
    assert "Municipalidad de Rafaela" in (await stranger.get("/")).text


async def test_afterwards_it_is_impossible(stranger: Client, code: str, sessions: Sessions, settings: Settings) -> None:
    await stranger.post("/bienvenida", data=form(code))
    assert (await stranger.get("/bienvenida")).headers["location"] == "/ingresar"
    (settings.data / FIRST_ACCOUNT_CODE).write_text(code)  # even had the file come back
    answer = await stranger.post("/bienvenida", data=form(code, username="otra"), headers=HTML)
    assert answer.status_code == 409
    assert "Ya existe la primera cuenta" in answer.text
    assert len(await people(sessions)) == 1


async def test_many_at_once_make_one(stranger: Client, code: str, sessions: Sessions) -> None:
    answers = await asyncio.gather(
        *(stranger.post("/bienvenida", data=form(code, username=f"persona{number}")) for number in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [303, *[409] * 5]
    assert len(await people(sessions)) == 1
    async with reading(sessions) as session:
        assert len(list(await session.scalars(select(Organization)))) == 1


MISTAKES: list[tuple[dict[str, str], str]] = [
    ({"code": "nada"}, "Ese no es el código."),
    ({"code": ""}, "Ese no es el código."),
    ({"code": "ñ\u0301🙂"}, "Ese no es el código."),
    ({"city": " "}, "Falta completar esto."),
    ({"username": "x" * 201}, "Es demasiado largo."),
    ({"username": "a\0b"}, "No van caracteres de control."),
    ({"password": "corta", "again": "corta"}, "La contraseña lleva entre 12 y 1.024 caracteres."),
    ({"password": "x" * 1025, "again": "x" * 1025}, "Es demasiado largo."),
    ({"again": "otra frase bien larga"}, "Las dos contraseñas no coinciden."),
]


async def test_mistakes_make_nobody_and_keep_what_is_no_secret(
    stranger: Client, code: str, sessions: Sessions, settings: Settings
) -> None:
    for wrong, message in MISTAKES:
        answer = await stranger.post("/bienvenida", data=form(code, **wrong))
        assert answer.status_code == 422, wrong
        assert message in answer.text, wrong
        assert "Marta Gómez" in answer.text
        assert PASSWORD not in answer.text
        assert code not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert await people(sessions) == []
    assert (settings.data / FIRST_ACCOUNT_CODE).exists()


async def test_guessing_the_code_is_slow_and_a_full_house_is_no_way_in(
    stranger: Client, code: str, sessions: Sessions
) -> None:
    for _ in range(10):
        assert (await stranger.post("/bienvenida", data=form("nada"))).status_code == 422
    answer = await stranger.post("/bienvenida", data=form(code))
    assert answer.status_code == 429
    assert "Demasiados intentos" in answer.text
    assert await people(sessions) == []


async def test_without_the_file_no_code_is_right(stranger: Client, code: str, settings: Settings) -> None:
    (settings.data / FIRST_ACCOUNT_CODE).unlink()
    for tried in (code, "", "None"):
        assert (await stranger.post("/bienvenida", data=form(tried))).status_code == 422
    (settings.data / FIRST_ACCOUNT_CODE).write_text("")
    assert (await stranger.post("/bienvenida", data=form(""))).status_code == 422


async def test_another_page_cannot_post_it(stranger: Client, code: str, sessions: Sessions) -> None:
    foreign = {"Origin": "https://evil.example", **HTML}
    assert (await stranger.post("/bienvenida", data=form(code), headers=foreign)).status_code == 403
    assert await people(sessions) == []


def test_the_code_is_only_made_where_nobody_is(settings: Settings, tmp_path: Path) -> None:
    asyncio.run(prepare(settings.model_copy(update={"demo": False})))
    assert not (settings.data / FIRST_ACCOUNT_CODE).exists(), "the test city has people"
