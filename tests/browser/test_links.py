"""Two incidents are merged with the keyboard and come apart again; a storm is commanded from its board."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import button, card, live, row
from tests.builders import City

pytestmark = MAPLESS


async def opened(visitors: Visitors, city: City, place: str, east: float = 0.0) -> dict[str, Any]:
    """An incident with one report of its own."""
    desk = await visitors.desk("dispatcher")
    at = {"type": "Point", "coordinates": [city.west.x + east, city.west.y]}
    report = {"id": str(new_id()), "channel": "phone", "words": f"aviso de {place}", "location": at}
    await desk.post("/reports", report)
    body = {"incident_id": str(new_id()), "type_code": "MET-01", "place": place}
    made = await desk.post(f"/reports/{report['id']}/accept", body)
    properties: dict[str, Any] = made["properties"]
    return properties


async def send(visitors: Visitors, incident: dict[str, Any], unit_id: str) -> None:
    desk = await visitors.desk("dispatcher")
    units = [{"id": str(new_id()), "unit_id": unit_id}]
    await desk.post(f"/incidents/{incident['id']}/assignments", {"id": str(new_id()), "units": units})


def chips(page: Page) -> Any:
    """How the incident of the card hangs together with others."""
    return card(page).locator(".bond-chips li")


@pytest.mark.parametrize(("size", "theme"), [((1600, 900), "dark"), ((360, 740), "light")])
async def test_a_duplicate_is_merged_with_the_keyboard_and_taken_back(
    visitors: Visitors, city: City, size: tuple[int, int], theme: Any
) -> None:
    street = f"Salta {size[0]}"
    kept, gone = await opened(visitors, city, f"{street}0"), await opened(visitors, city, f"{street}5", 0.001)
    page = await visitors.arrive("/consola", "dispatcher", size=size, theme=theme)
    name = f"links-{size[0]}-{theme}"
    await live(page)
    await row(page, re.compile(gone["place"])).click()
    await page.keyboard.press("v")
    await card(page).get_by_text("Fusionar en", exact=True).click()
    await expect(card(page).get_by_role("radio", name="Fusionar en")).to_be_checked()
    near = card(page).locator(".near li").filter(has_text=kept["code"])
    await expect(near).to_contain_text("mismo tipo")
    await shot(page, f"{name}-1-elegir")
    await near.get_by_role("button").click()

    await expect(card(page)).to_contain_text(kept["code"])
    await expect(chips(page)).to_contain_text(f"Incluye a {gone['code']}")
    await expect(card(page)).to_contain_text("2 avisos")
    await expect(card(page).locator(".entry", has_text=gone["code"]).first).to_be_visible()
    await shot(page, f"{name}-2-fusionado")
    await chips(page).get_by_role("button", name="Deshacer").click()
    await expect(page.get_by_text("Vínculo deshecho.")).to_be_visible()
    await expect(chips(page)).to_have_count(0)
    desk = await visitors.desk("dispatcher")
    [line] = (await desk.get(f"/incidents/{gone['id']}/lineage"))["lineage"]
    assert (line["kind"], line["undone"]["by"]) == ("merged", "dispatcher")
    assert (await desk.feature(f"incident:{gone['id']}") or {})["properties"]["reports"] == 1


async def test_reports_are_split_off_and_others_linked(visitors: Visitors, city: City) -> None:
    one, other = await opened(visitors, city, "Córdoba 900"), await opened(visitors, city, "Córdoba 950", 0.001)
    desk = await visitors.desk("dispatcher")
    extra = {"id": str(new_id()), "channel": "phone", "words": "acá es un cable", "location": None}
    await desk.post("/reports", {name: word for name, word in extra.items() if word})
    await desk.post(f"/reports/{extra['id']}/join", {"incident_id": one["id"]})
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await row(page, re.compile(one["place"])).click()
    await button(card(page), "Separar avisos…").click()
    await card(page).get_by_text("acá es un cable").last.click()
    await shot(page, "links-split-1")
    await button(card(page), "Separar 1").click()
    await expect(chips(page)).to_contain_text(f"Separado de {one['code']}")
    await chips(page).get_by_role("button", name=re.compile("Separado de")).click()
    await page.keyboard.press("v")
    await card(page).get_by_label("Código").fill(other["code"][-6:])
    await expect(card(page).locator(".near li")).to_have_count(1)
    await card(page).locator(".near li").get_by_role("button").click()
    await expect(chips(page).filter(has_text=f"Relacionado con {other['code']}")).to_be_visible()
    await shot(page, "links-split-2")


async def divide(visitors: Visitors, board: Locator, first: Any, second: Any, secret: Any) -> None:
    """Two sectors with an incident each, and a protected incident of which the board of most says nothing."""
    desk, trained = await visitors.desk("dispatcher"), await visitors.desk("trained")
    [major] = (await desk.get("/majors"))["features"]
    path = f"/majors/{major['properties']['id']}"
    await trained.post(f"{path}/incidents", {"id": str(new_id()), "incident_ids": [secret["id"]]})
    for sector, colour, incident in (("Norte", "orange", first), ("Ribera", "sky", second)):
        sector_id = str(new_id())
        await board.get_by_label("Sector nuevo").fill(sector)
        await button(board, "Agregar").first.click() if sector == "Norte" else await desk.post(
            f"{path}/sectors", {"id": sector_id, "name": sector, "colour": colour, "lead": "Rita Paz"}
        )
        await expect(board.get_by_role("heading", name=sector, exact=True)).to_be_visible()
        [found] = [s for s in (await desk.get(path))["properties"]["sectors"] if s["name"] == sector]
        await desk.post(f"{path}/incidents/{incident['id']}/sector", {"sector_id": found["id"]})


@pytest.mark.parametrize(("size", "theme"), [((1600, 900), "dark"), ((360, 740), "light")])
async def test_a_storm_is_commanded_from_its_board(
    visitors: Visitors, city: City, size: tuple[int, int], theme: Any
) -> None:
    first, second = await opened(visitors, city, "Mitre 300"), await opened(visitors, city, "Urquiza 40", 0.004)
    desk, trained = await visitors.desk("dispatcher"), await visitors.desk("trained")
    for major in (await trained.get("/majors"))["features"]:
        await trained.post(f"/majors/{major['properties']['id']}/close", {"outcome": "pasó", "with_open": True})
    secret = {
        "id": str(new_id()),
        "type_code": "SEG-07",
        "location": {"type": "Point", "coordinates": [-60.66, -32.95]},
    }
    await trained.post("/incidents", secret)
    page = await visitors.arrive("/consola", "dispatcher", size=size, theme=theme)
    await live(page)
    await page.get_by_role("button", name=re.compile("Abrir menú")).click()
    await page.get_by_role("menuitem", name="Incidentes mayores").click()
    board = page.get_by_role("dialog")
    await board.get_by_label("Nombre").fill("Temporal norte")
    await button(board, "Declarar").click()
    await expect(board.get_by_role("heading", name="Temporal norte")).to_be_visible()
    await button(board, "Sumar incidentes").click()
    await page.get_by_role("menuitem", name=re.compile("Sumar los 2")).click()
    await expect(board).to_contain_text(first["code"])

    await divide(visitors, board, first, second, secret)
    await send(visitors, first, str(city.units["M1"]))
    await send(visitors, second, str(city.units["M2"]))
    norte = board.locator(".major-sector").filter(has_text="Norte")
    await expect(norte).to_contain_text("M1")
    await board.get_by_role("listitem").filter(has_text="Comandante del incidente").get_by_role("button").click()
    await board.get_by_label("Quién").fill("Inés Duarte")
    await button(board, "Pasar el puesto").click()
    await expect(board.locator(".major-posts")).to_contain_text("Inés Duarte")
    await expect(board.locator(".major-gaps")).to_contain_text("Sector Norte sin jefe")
    await expect(board.locator(".major-gaps")).not_to_contain_text("comandante")
    await board.get_by_label("Escribí en la bitácora").fill("Sin energía al norte de la avenida")
    await page.keyboard.press("Enter")
    await expect(board.locator(".major-log .entry-note")).to_contain_text("Sin energía")
    await board.get_by_label("Qué hay que lograr").fill("Abrir la avenida")
    await page.keyboard.press("Enter")
    await expect(board.locator(".major-objectives")).to_contain_text("Abrir la avenida")
    hidden = (await trained.get(f"/incidents/{secret['id']}"))["properties"]["code"]
    assert hidden not in await board.inner_text()
    await shot(page, f"major-{size[0]}-{theme}")
    await page.keyboard.press("Escape")
    strip = page.get_by_role("navigation", name="Incidentes mayores")
    await expect(strip).to_contain_text("Temporal norte")
    await expect(strip).to_contain_text("2 incidentes")
    await shot(page, f"major-strip-{size[0]}-{theme}")
    [major] = (await desk.get("/majors"))["features"]
    await trained.post(f"/majors/{major['properties']['id']}/close", {"outcome": "pasó", "with_open": True})
    await expect(strip).to_have_count(0)
