"""For everybody: axe in every state and theme, twice as large, without motion, with a system's own colours."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from realtime.database import new_id
from tests.browser.accessible import Found, a_report, a_working_night, overflow, sound, violations
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import card, live
from tests.builders import City

pytestmark = MAPLESS


async def pressed(page: Page, *strokes: str) -> None:
    """One after the other."""
    for stroke in strokes:
        await page.keyboard.press(stroke)


async def opened(page: Page, words: str) -> None:
    """A row of the queue, and its card."""
    await page.get_by_role("region", name="Cola de trabajo").get_by_role("button", name=re.compile(words)).first.click()


async def test_axe_finds_nothing_in_any_state_of_the_console(visitors: Visitors, city: City) -> None:
    found = Found()
    page = await visitors.arrive("/consola", "supervisor", size=(1600, 900))
    await live(page)
    await sound(page, "empty", found)
    await a_working_night(visitors, city)
    await a_report(visitors)
    await opened(page, "Catamarca 200")
    await expect(card(page).get_by_text("llegó el fiscal")).to_be_visible()
    await sound(page, "incident", found)

    async def form(name: str, *strokes: str) -> None:
        await pressed(page, *strokes)
        await sound(page, name, found)
        await page.keyboard.press("Escape")

    await form("close", "c")
    await form("priority", "p")
    await card(page).get_by_role("button", name="Corregir el resumen").click()
    await form("summary")
    await card(page).get_by_role("button", name="Pasar a…").click()
    await form("handler")
    await card(page).get_by_role("button", name=re.compile("Vincular o fusionar")).click()
    await form("link")
    for name, words in (("report", "Corrientes 50"), ("alarm", "Catamarca 100")):
        await opened(page, words)
        await sound(page, name, found)
    await page.get_by_role("button", name=re.compile("M1")).first.click()
    await sound(page, "unit", found)
    assert found == {}, found.told()


async def test_axe_finds_nothing_in_what_lies_over_the_console(visitors: Visitors, city: City) -> None:
    found = Found()
    await a_working_night(visitors, city)
    page = await visitors.arrive("/consola", "supervisor", size=(1600, 900))
    await live(page)
    sheets: dict[str, Callable[[], Awaitable[None]]] = {
        "keys": lambda: pressed(page, "?"),
        "search": lambda: pressed(page, "Control+k"),
        "handover": lambda: pressed(page, "g", "r"),
        "walls": lambda: pressed(page, "g", "w"),
        "storm": lambda: pressed(page, "g", "s"),
        "closure": lambda: pressed(page, "b"),
    }
    for name, show in sheets.items():
        await show()
        await sound(page, name, found)
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
    for item, name in (
        ("Preferencias", "preferences"),
        ("Informe semanal de alarmas", "alarm-report"),
        ("Incidentes mayores", "majors"),
    ):
        await page.get_by_role("button", name=re.compile("Abrir menú")).click()
        await page.get_by_role("menuitem", name=item).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await expect(page.get_by_role("menu")).to_have_count(0)
        await sound(page, name, found)
        await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Ver toda la bitácora").click()
    await expect(page.get_by_role("dialog", name="Bitácora de radio")).to_be_visible()
    await sound(page, "radio-book", found)
    await page.keyboard.press("Escape")

    await pressed(page, "F4")
    await expect(page.get_by_role("region", name="Supervisión")).to_be_visible()
    await sound(page, "supervision", found)
    await pressed(page, "F3")
    await pressed(page, "g", "p")
    await sound(page, "past-chooser", found)
    await page.get_by_role("button", name="La última hora").click()
    await expect(page.get_by_text("PASADO").first).to_be_visible()
    await sound(page, "past", found)
    assert found == {}, found.told()


async def test_axe_finds_nothing_while_a_call_is_taken(visitors: Visitors, city: City, streets: None) -> None:
    found = Found()
    await a_working_night(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await page.keyboard.press("n")
    await sound(page, "call-empty", found)
    await page.keyboard.type("choque oroño y rioja, 2 heridos !1 >m2")
    await expect(page.locator(".command-chips")).to_contain_text("Rioja")
    await sound(page, "command", found)
    await page.keyboard.press("Tab")
    await expect(card(page).get_by_text("Móviles recomendados")).to_be_visible()
    await sound(page, "call", found)
    await card(page).get_by_label("Teléfono").fill("341 555 0000")
    await sound(page, "caller", found)
    assert found == {}, found.told()


async def test_axe_finds_nothing_when_the_line_or_the_session_is_gone(visitors: Visitors, city: City) -> None:
    found = Found()
    await a_working_night(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900), apart=True)
    await page.clock.install()
    await page.reload()
    await live(page)
    visitors.served.kill("feed")
    await page.context.set_offline(True)
    await page.clock.run_for(15_000)
    await expect(page.get_by_text(re.compile("Datos de hace"))).to_be_visible()
    await sound(page, "late", found)
    await page.clock.run_for(30_000)
    await expect(page.get_by_text("SIN CONEXIÓN").first).to_be_visible()
    await sound(page, "offline", found)
    assert found == {}, found.told()


# What is written on a wall beyond the tile that it belongs to.
OVERRUN = """[...document.querySelectorAll(".wall-board > dl, .wall-crisis > *")]
  .filter(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1).map(({ textContent }) => textContent)"""


async def test_axe_finds_nothing_on_the_wall_nor_at_the_door(visitors: Visitors, city: City) -> None:
    found = Found()
    made = await a_working_night(visitors, city)
    boss = await visitors.desk("supervisor")
    wall = await boss.post("/walls", {"id": str(new_id()), "name": "Pared sur"})
    token = (await boss.post(f"/walls/{wall['id']}/link", {}))["token"]
    page = await visitors.arrive(f"/pared/situacion?token={token}", size=(1920, 1080))
    await live(page)
    await expect(page.get_by_text("Catamarca 100").first).to_be_visible()
    await sound(page, "wall-situation", found, dark_only=True)
    for view, region in (("board", "Tablero"), ("crisis", "Crisis")):
        await boss.post(
            f"/walls/{wall['id']}/show",
            {"view": view, "about": f"incident:{made['p1']['id']}" if view == "crisis" else None},
        )
        await expect(page.get_by_role("region", name=region)).to_be_visible()
        assert await page.evaluate(OVERRUN) == [], f"what does not fit in the {view} view"
        await sound(page, f"wall-{view}", found, dark_only=True)
    await boss.post(f"/walls/{wall['id']}/revoke", {})
    door = await visitors.arrive("/ingresar", size=(1366, 768))
    await expect(door.get_by_role("button", name="Ingresar")).to_be_visible()
    await sound(door, "sign-in", found)
    await door.get_by_role("button", name="Ingresar").click()
    await expect(door.get_by_text("Escribí tu usuario.")).to_be_visible()
    await sound(door, "sign-in-refused", found)
    assert found == {}, found.told()


@pytest.mark.parametrize(("size", "says"), [((800, 450), "200 %"), ((320, 640), "320 px")])
async def test_twice_as_large_and_on_the_narrowest_screen(
    visitors: Visitors, city: City, size: tuple[int, int], says: str
) -> None:
    await a_working_night(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=size)
    await live(page)
    wrong = {"queue": await overflow(page)}
    await opened(page, "Catamarca 200")
    await expect(card(page).get_by_role("heading", level=2)).to_be_visible()
    wrong["card"] = await overflow(page)
    await page.get_by_role("button", name="Móviles", exact=True).click()
    wrong["units"] = await overflow(page)
    await page.get_by_role("button", name="Cola", exact=True).click()
    await page.get_by_role("button", name=re.compile("^Nuevo")).click()
    await expect(card(page).get_by_label("Lugar", exact=True)).to_be_visible()
    wrong["call"] = await overflow(page)
    await shot(page, f"zoom-{size[0]}")
    assert {where: what for where, what in wrong.items() if what} == {}, says


# Of what is going on, what it is going on with.
MOVING = """document.getAnimations()
  .filter(({ playState }) => playState === "running")
  .map(({ effect }) => String(effect.target?.className))"""
# Each priority's mark: what it says, and whether its shape can be seen.
MARKS = """() => [...document.querySelectorAll(".priority-mark")].filter((one) => one.checkVisibility()).map((mark) => {
  const { fill } = getComputedStyle(mark.querySelector("path, polygon, circle, rect"));
  const ground = getComputedStyle(document.body).backgroundColor;
  return { says: mark.getAttribute("aria-label"), number: mark.textContent.trim(), seen: fill !== ground };
})"""


async def test_nothing_moves_for_who_wants_no_motion(visitors: Visitors, city: City) -> None:
    await a_working_night(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await expect(page.get_by_text("Catamarca 100").first).to_be_visible()
    assert await page.evaluate(MOVING) == []
    await page.emulate_media(reduced_motion="no-preference")
    assert await page.evaluate(MOVING) != [], "a P1 that nobody has moves for everybody else"


async def test_a_systems_own_colours_leave_shapes_and_numbers(visitors: Visitors, city: City) -> None:
    await a_working_night(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await page.emulate_media(forced_colors="active", reduced_motion="reduce")
    await opened(page, "Catamarca 100")
    assert await violations(page) == []
    marks = await page.evaluate(MARKS)
    assert marks
    assert all(mark["says"] and mark["number"] and mark["seen"] for mark in marks), marks
    await page.keyboard.press("Tab")
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    await shot(page, "forced-colours")
