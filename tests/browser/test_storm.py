"""A storm at the desk: thirty reports become a few lines, the urgent stay on top, and a crew goes round by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from realtime.database import new_id, now
from tests.browser.conftest import BROWSER, Desk, Visitors, shot
from tests.browser.screens import button, card, live, queue, worst
from tests.browser.streets import corner, lay_chessboard
from tests.builders import City
from tests.served import Served, cloned
from web.launcher import front_end

pytestmark = BROWSER

SMALL, URGENT = "SIN-04", "INC-01"
SMALL_NAME = "Semáforo apagado"


@pytest.fixture(scope="module")
def served(
    maintenance_url: str, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """An installation of this module's own: a storm is the whole city's."""
    if (problem := front_end.build_failure()) is not None:
        pytest.fail(f"the front end was not built: {problem}")
    with cloned(maintenance_url, template) as database_url:
        lay_chessboard(database_url)
        with Served(tmp_path_factory.mktemp("storm"), database_url, redis_url) as running:
            yield running


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    """Nobody has a session in this module's city yet."""
    return {}


def point(at: tuple[float, float]) -> dict[str, Any]:
    """A place as the API takes it."""
    return {"type": "Point", "coordinates": list(at)}


async def pour(desk: Desk, places: Sequence[tuple[float, float]], each: int) -> None:
    """Many reports of the same from a few places, seconds after one another."""
    for n in range(each):
        for m, place in enumerate(places):
            body = {
                "id": str(new_id()),
                "words": f"Semáforo caído en la esquina {m + 1}, llamado {n + 1}",
                "channel": "phone",
                "type_hint": SMALL,
                "location": point((place[0] + n * 0.0001, place[1])),
            }
            await desk.post("/reports", body)


async def small_ones(desk: Desk, places: Sequence[tuple[float, float]]) -> None:
    """Incidents that can wait, far enough from each other to be stops of their own."""
    for n, place in enumerate(places):
        body = {"id": str(new_id()), "type_code": SMALL, "place": f"Parada {n + 1}", "location": point(place)}
        await desk.post("/incidents", body)


async def works_crews(boss: Desk, city: City) -> None:
    """Two crews that can do what the small ones take, beside the city's patrols; the second time they are there."""
    there = {one["properties"]["call_sign"] for one in (await boss.get("/units"))["features"]}
    for n, call_sign in enumerate(("R1", "R2")):
        if call_sign not in there:
            unit = {"id": str(new_id()), "call_sign": call_sign, "kind": "works", "capabilities": ["TRA", "OP"]}
            station = {"base": "Obrador", "base_location": point(corner(4 + n * 6, 2))}
            await boss.post("/units", {**unit, **station, "organization_id": str(city.organizations["municipality"])})
    units = (await boss.get("/units"))["features"]
    fixes = [
        {"unit_id": one["properties"]["id"], "location": point(corner(n * 2, n)), "fixed_at": now().isoformat()}
        for n, one in enumerate(units)
    ]
    await boss.post("/positions", {"positions": fixes})


def strip(page: Page) -> Locator:
    """The storm's line above the map."""
    return page.get_by_role("region", name="Modo tormenta")


def reports(page: Page) -> Locator:
    """The rows of what came in."""
    return queue(page).locator(".queue-reports .row")


def incidents(page: Page) -> Locator:
    """The rows of what is open."""
    return queue(page).locator(".queue-incidents .row:not(.row-gone)")


async def no_wider(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def finish_stop(desk: Desk, unit: str) -> None:
    """The crew does what it was sent to and is free again."""
    feature = await desk.feature(f"unit:{unit}")
    assert feature is not None
    assignment = feature["properties"]["assignment_id"]
    for status in ("acknowledged", "en_route", "on_scene", "released"):
        await desk.post(f"/assignments/{assignment}/status", {"status": status})


async def test_a_storm_from_the_first_offer_to_the_second_stop(visitors: Visitors, city: City) -> None:
    desk, boss = await visitors.desk("dispatcher"), await visitors.desk("supervisor")
    await boss.post("/storm/policy", {"policy": {"automatic": False, "reports_line": 20, "reserve_share": 0}})
    await works_crews(boss, city)
    page = await visitors.arrive("/consola", "supervisor", size=(1600, 900))
    wall = await visitors.arrive("/pared", "wall", size=(1600, 900))
    await live(page)
    await expect(strip(page)).to_have_count(0)

    await pour(desk, [corner(1, 1), corner(5, 5), corner(10, 3)], 10)
    urgent = {"id": str(new_id()), "type_code": URGENT, "place": "Casa en llamas", "location": point(corner(6, 6))}
    await desk.post("/incidents", urgent)
    fire = {"words": "Sale fuego de un techo", "type_hint": URGENT, "location": point(corner(2, 2)), "channel": "phone"}
    await desk.post("/reports", {"id": str(new_id()), **fire})
    await expect(reports(page).first).to_have_attribute("aria-setsize", "31")  # only those in sight are there

    # The load is over the line and nothing begins by itself: it is offered; two keys and a reason begin it.
    await expect(page.get_by_text("Hay mucha carga: 31 avisos en 10 min")).to_be_visible()
    await shot(page, "storm-1-oferta")
    await page.keyboard.press("g")
    await page.keyboard.press("s")
    await page.get_by_role("textbox", name="Entrar en modo tormenta").fill("Temporal con viento")
    await page.keyboard.press("Enter")
    await expect(strip(page)).to_contain_text(re.compile(r"TORMENTA desde \d\d:\d\d"))
    await expect(strip(page)).to_contain_text("31 avisos en 10 min")
    await expect(strip(page)).to_contain_text("5 móviles libres")
    await expect(wall.locator(".wall-storm")).to_contain_text("TORMENTA")
    await expect(worst(wall)).to_contain_text("Casa en llamas")

    # Thirty-one reports are four lines, and what may be a P1 is the first of them, alone.
    await expect(reports(page)).to_have_count(4)
    await expect(reports(page).first).to_contain_text("Sale fuego de un techo")
    await expect(reports(page).nth(1)).to_contain_text(re.compile(SMALL_NAME + r".*10 avisos", re.DOTALL))
    await shot(page, "storm-2-agrupado")
    await strip(page).get_by_role("button", name="Ver todo").click()
    await expect(reports(page).first).to_have_attribute("aria-setsize", "31")  # only those in sight are there
    await strip(page).get_by_role("button", name="Ver agrupado").click()
    await expect(reports(page)).to_have_count(4)

    await accept_by_keyboard(page, desk)
    circuit = await go_round(page, desk)
    await finish_stop(desk, circuit["unit_id"])
    going = card(page).get_by_role("article", name=f"Circuito de {circuit['call_sign']}")
    await expect(going).to_contain_text("Circuito 2/")
    await expect(going.locator("li").nth(0)).to_contain_text("hecha")
    await expect(going.locator("li").nth(1)).to_contain_text("en eso desde")
    chip = page.locator(".unit-chip").filter(has_text=circuit["call_sign"])
    await expect(chip).to_contain_text(re.compile(r"circuito 2/\d"))
    await shot(page, "storm-6-segunda-parada")

    await leave_out_and_call_off(page, going)
    await shot(wall, "storm-7-pared")
    await strip(page).get_by_role("button", name="Terminar").click()
    await page.get_by_role("textbox", name="Terminar la tormenta").fill("Pasó el frente")
    await page.keyboard.press("Enter")
    await expect(strip(page)).to_have_count(0)
    await expect(wall.locator(".wall-storm")).to_have_count(0)


async def leave_out_and_call_off(page: Page, going: Locator) -> None:
    """A stop is left out, the rest called off: each with its reason; the urgent stays on top all the while."""
    await going.get_by_role("button", name=re.compile("^Saltear")).first.click()
    await going.get_by_label(re.compile("^Saltear .*por qué")).fill("Lo hizo un vecino")
    await page.keyboard.press("Enter")
    await expect(going.locator("li").nth(2)).to_contain_text("salteada: Lo hizo un vecino")
    await expect(incidents(page).first).to_contain_text("Casa en llamas")
    await going.get_by_role("button", name="Cancelar circuito").click()
    await going.get_by_label(re.compile("^Cancelar el circuito")).fill("Fin del turno")
    await page.keyboard.press("Enter")
    await expect(going).to_have_count(0)


async def accept_by_keyboard(page: Page, desk: Desk) -> None:
    """Down to the second line, one report taken out, the nine others accepted: all with keys."""
    await page.mouse.move(900, 500)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    sheet = card(page)
    await expect(sheet.get_by_role("heading", name=re.compile(SMALL_NAME))).to_be_visible()
    await expect(button(sheet, "Aceptar los 10 como un incidente")).to_be_visible()
    odd = sheet.get_by_role("checkbox", name="Incluir: Semáforo caído en la esquina 1, llamado 10")
    await odd.focus()
    await page.keyboard.press("Space")
    await expect(button(sheet, "Aceptar los 9 como un incidente")).to_be_visible()
    await shot(page, "storm-3-grupo")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text(re.compile(r"9 avisos son ahora \S+"))).to_be_visible()
    await expect(sheet).to_contain_text("9 avisos")
    await expect(reports(page)).to_have_count(4)  # the fire, the one that was taken out, two clusters
    made = [
        one["properties"]
        for one in (await desk.get("/snapshot"))["features"]
        if one["properties"]["subject"].startswith("incident:") and one["properties"]["type_code"] == SMALL
    ]
    assert [one["reports"] for one in made] == [9]


async def go_round(page: Page, desk: Desk) -> dict[str, Any]:
    """Circuits are asked for, one is changed and given; its properties as the board has them."""
    await small_ones(desk, [corner(3, 2), corner(5, 3), corner(7, 1), corner(9, 4), corner(11, 2)])
    await page.keyboard.press("g")
    await page.keyboard.press("s")
    sheet = card(page)
    await expect(sheet.get_by_role("heading", name="Circuitos")).to_be_visible()
    await sheet.get_by_role("button", name="Proponer circuitos").click()
    proposed = sheet.get_by_role("region", name="Propuesta").get_by_role("article")
    await expect(proposed.first).to_be_visible()
    await expect(sheet).to_contain_text("Ningún barrio recibe más del 40 % de las paradas mientras otros esperan")
    longest = proposed.filter(has=page.locator("li:nth-child(3)")).first
    name = await longest.get_attribute("aria-label") or ""
    chosen = sheet.get_by_role("region", name="Propuesta").get_by_role("article", name=name)
    first, second = chosen.locator("li").nth(0), chosen.locator("li").nth(1)
    place = await second.locator("small").inner_text()
    await shot(page, "storm-4-propuesta")
    await second.get_by_role("button", name=re.compile("^Subir")).click()
    await expect(first.locator("small")).to_have_text(place)
    await expect(chosen).to_contain_text("orden cambiado")
    await chosen.get_by_role("button", name="Dar").click()
    await expect(chosen).to_have_count(0)
    going = sheet.get_by_role("region", name="En marcha").get_by_role("article", name=name)
    await expect(going).to_contain_text("Circuito 1/")
    await expect(going.locator("li").first).to_contain_text(place)
    await shot(page, "storm-5-en-marcha")
    circuits = (await desk.get("/circuits"))["features"]
    assert [one["properties"]["stops"][0]["state"] for one in circuits] == ["at_hand"]
    given: dict[str, Any] = circuits[0]["properties"]
    return given


async def test_on_a_telephone_and_by_day(visitors: Visitors, city: City) -> None:
    desk, boss = await visitors.desk("dispatcher"), await visitors.desk("supervisor")
    await works_crews(boss, city)
    await pour(desk, [corner(1, 1), corner(5, 5)], 4)
    await small_ones(desk, [corner(3, 2), corner(5, 3), corner(7, 1)])
    await boss.post("/storm", {"id": str(new_id()), "reason": "Temporal con viento"})
    phone = await visitors.arrive("/consola", "supervisor", size=(360, 740), theme="light")
    await expect(strip(phone)).to_contain_text("TORMENTA desde")
    await expect(reports(phone)).to_have_count(2)
    await no_wider(phone)
    await shot(phone, "storm-8-telefono")
    await reports(phone).first.get_by_role("button").click()
    await expect(button(card(phone), "Aceptar los 4 como un incidente")).to_be_visible()
    await no_wider(phone)
    await shot(phone, "storm-9-telefono-grupo")
    await strip(phone).get_by_role("button", name=re.compile("^Circuitos")).click()
    await card(phone).get_by_role("button", name="Proponer circuitos").click()
    await expect(card(phone).get_by_role("article").first).to_be_visible()
    await no_wider(phone)
    await shot(phone, "storm-10-telefono-circuitos")
    light = await visitors.arrive("/consola", "dispatcher", size=(1600, 900), theme="light")
    await expect(strip(light)).to_contain_text("TORMENTA desde")
    await expect(strip(light).get_by_role("button", name="Terminar")).to_have_count(0)  # not the dispatcher's
    await strip(light).get_by_role("button", name=re.compile("^Circuitos")).click()
    await card(light).get_by_role("button", name="Proponer circuitos").click()
    await expect(card(light).get_by_role("article").first).to_be_visible()
    await shot(light, "storm-11-de-dia")
    await boss.post("/storm/end", {"reason": "pasó"})


async def test_the_policy_is_read_as_sentences_and_changed_in_them(visitors: Visitors) -> None:
    boss = await visitors.desk("supervisor")
    page = await visitors.arrive("/tarjetas?ver=tormenta", "supervisor", size=(1600, 900))
    rules = page.get_by_role("form", name="Reglas de la tormenta")
    line = rules.get_by_label("Avisos que hacen una tormenta")
    await expect(line).to_be_visible()
    before = (await boss.get("/storm"))["policy"]["number"]
    save = rules.get_by_role("button", name=f"Guardar edición {before + 1}")
    await expect(save).to_be_disabled()
    await line.fill("55")
    await rules.get_by_label("Paradas de un barrio, en por ciento").fill("30")
    await shot(page, "storm-12-reglas")
    await save.click()
    await expect(page.get_by_text(f"Edición {before + 1} en vigencia")).to_be_visible()
    await expect(rules).to_contain_text(f"Edición {before + 1}, de ")
    policy = (await boss.get("/storm"))["policy"]
    assert (policy["number"], policy["reports_line"], policy["zone_share"]) == (before + 1, 55, 0.3)

    reader = await visitors.arrive("/tarjetas?ver=tormenta", "dispatcher", size=(360, 740), theme="light")
    read = reader.get_by_role("form", name="Reglas de la tormenta")
    await expect(read).to_contain_text("Ningún barrio recibe más del 30 % de las paradas")
    await expect(read.get_by_role("spinbutton").or_(read.get_by_role("textbox"))).to_have_count(0)
    await no_wider(reader)
    await shot(reader, "storm-13-reglas-telefono")
