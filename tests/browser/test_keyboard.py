"""A dispatcher who never touches the mouse: N, J, A, D, 1–9, C."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from realtime.database import new_id
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import card, live, queue, row
from tests.builders import City

pytestmark = BROWSER


async def tab_to(page: Page, name: str, most: int = 12) -> None:
    """Press Tab until the thing of that name has the focus, as people do."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        focused = await page.evaluate("document.activeElement?.textContent ?? ''")
        if name in focused:
            return
    raise AssertionError(f"{most} tabs, and not at {name}")


async def end(page: Page) -> None:
    """C, then a digit, and it is closed."""
    await page.keyboard.press("c")
    await expect(card(page).get_by_role("heading", name="¿Cómo terminó?")).to_be_visible()
    await page.keyboard.press("1")
    await expect(card(page).locator(".state-chip").first).to_have_text("Cerrado")


async def test_the_whole_job_by_keyboard(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola", "dispatcher")
    await live(page)
    await expect(page.locator(".maplibregl-canvas")).to_be_visible()

    # N: a new incident, by typing alone.
    await page.keyboard.press("n")
    await expect(page.get_by_role("combobox", name="Línea de comando")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(card(page).get_by_label("Lugar", exact=True)).to_be_focused()
    await page.keyboard.type("Salta y Dorrego")
    await tab_to(page, "Usar el centro del mapa")
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text("Punto marcado")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.type("cables")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")
    await expect(card(page).get_by_role("heading", name="Cables caídos")).to_be_visible()
    await expect(row(page, re.compile("Cables caídos Salta y Dorrego"))).to_be_visible()
    await shot(page, "10-teclado-nuevo")

    # D looks for a unit; Enter sends it. A: its crew acknowledged by radio. C: closed.
    await page.keyboard.press("d")
    await expect(card(page).get_by_role("textbox", name="Buscar móvil")).to_be_focused()
    await page.keyboard.type("T1")
    await page.keyboard.press("Enter")
    await expect(card(page).locator(".assignments")).to_contain_text("T1")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.keyboard.press("a")
    await expect(card(page).locator(".assignments")).to_contain_text("Acusado")
    await end(page)

    # J and K walk the queue; A accepts a report, a digit sends the first candidate.
    words = f"Perro suelto {new_id()}"
    stranger = await visitors.stranger()
    place = {"type": "Point", "coordinates": [city.west.x, city.west.y]}
    await stranger.post("/reports", {"id": str(new_id()), "words": words, "location": place, "type_hint": "ANI-01"})
    await expect(row(page, words)).to_be_visible()
    for _ in range(100):  # what other tests closed is still in the queue
        await page.keyboard.press("k")
        if await queue(page).locator("[aria-current=true]").filter(has_text=words).count():
            break
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await expect(card(page)).to_contain_text(words)
    await page.keyboard.press("a")
    await expect(card(page).get_by_role("heading", name="Aceptar como incidente")).to_be_visible()
    await expect(card(page).get_by_text("Punto marcado")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    await expect(card(page).get_by_role("heading", name="Animal suelto / mordedura")).to_be_visible()
    # A digit is for who is listed.
    await expect(card(page).get_by_role("button", name=re.compile(r"^1 "))).to_be_enabled()
    await page.locator("body").press("1")
    await expect(card(page).get_by_role("heading", name="Móviles asignados")).to_be_visible()
    await end(page)


async def test_the_sheet_of_keys(visitors: Visitors) -> None:
    page = await visitors.arrive("/consola", "dispatcher")
    await live(page)
    await page.keyboard.press("?")
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_contain_text("llamado nuevo")
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
