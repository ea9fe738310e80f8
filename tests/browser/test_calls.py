"""A call is taken: questions say how grave it is, a key links it to what is known, what is not ours goes elsewhere."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import button, card, choose_type, live, row
from tests.builders import City

pytestmark = MAPLESS
PHONE = "341 555 7788"


def here(city: City, east: float = 0.0) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [city.west.x + east, city.west.y]}


async def place_it(page: Page, words: str) -> None:
    """The place by name: the middle of a neighbourhood, where there are no streets."""
    await card(page).get_by_label("Lugar", exact=True).fill(words)
    await card(page).get_by_role("option").first.click()
    await expect(card(page).locator(".point-line")).to_contain_text("Es el medio de la zona")


async def test_a_ringing_call_is_asked_linked_with_one_key_and_undone(visitors: Visitors, city: City) -> None:
    desk = await visitors.desk("dispatcher")
    fire = {"id": str(new_id()), "type_code": "INC-01", "location": here(city, 0.0009), "summary": "mucho humo negro"}
    code = (await desk.post("/incidents", fire | {"place": "Mitre 800"}))["properties"]["code"]
    for outcome in ("prank", "silent"):
        await desk.post("/calls", {"id": str(new_id()), "outcome": outcome, "caller": {"phone": PHONE}})
    dog = {"id": str(new_id()), "kind": "dog", "words": "ovejero suelto", "location": here(city), "radius": 60}
    await desk.post("/premises", dog)

    page = await visitors.arrive(f"/consola?llamado={PHONE}", "dispatcher", size=(1600, 900))
    await live(page)
    assert "llamado" not in page.url
    await expect(card(page).get_by_label("Teléfono")).to_have_value(PHONE)
    await expect(card(page).locator(".caller-counts")).to_contain_text("2 llamados antes")
    await expect(card(page).locator(".caller-counts")).to_contain_text("1 broma")
    await place_it(page, "Oeste")
    await expect(card(page).locator(".premise")).to_contain_text("ovejero suelto")

    # The type, a digit for each question: what sets the priority is said.
    await choose_type(card(page), "pastizal")
    await expect(card(page).locator(".why-priority")).to_contain_text("P2: por el tipo")
    await card(page).get_by_label("Nota").fill("se ve humo negro del baldío")
    await page.keyboard.press("Alt+4")  # it is out, which alone would make it a P3
    await page.keyboard.press("Alt+1")  # it may reach houses
    await expect(card(page).locator(".why-priority")).to_contain_text("P1: puede alcanzar casas")

    # Esc, a reload: nothing is lost.
    await page.keyboard.press("Escape")
    await page.reload()
    await live(page)
    await page.keyboard.press("n")
    await expect(card(page).get_by_label("Nota")).to_have_value("se ve humo negro del baldío")
    await expect(card(page).locator(".why-priority")).to_contain_text("P1: puede alcanzar casas")
    likely = card(page).locator(".duplicate").first
    await expect(likely).to_contain_text(code)
    await expect(likely.locator("summary")).to_contain_text("tipo parecido · «humo negro»")
    await shot(page, "llamado-1-1600-dark")
    await likely.locator("summary").click()
    await expect(likely.get_by_role("row", name=re.compile("Palabras"))).to_be_visible()

    # One key joins; Ctrl+Z takes it back, and the report waits in the queue.
    await page.evaluate("document.activeElement?.blur()")
    await page.keyboard.press("v")
    await expect(card(page)).to_contain_text("1 aviso")
    await expect(card(page).locator(".entries")).to_contain_text("¿Puede pasar a casas u otra cosa? Sí, está cerca")
    await shot(page, "llamado-1b-vinculado")
    await page.keyboard.press("Control+z")
    await expect(row(page, re.compile("se ve humo negro"))).to_be_visible()
    await expect(card(page)).not_to_contain_text("1 aviso")


async def test_what_is_not_ours_is_deflected_and_silence_is_registered(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola", "call_taker", size=(360, 740), theme="light")
    await live(page)
    await page.goto(f"/consola?llamado={PHONE}")
    await live(page)
    await choose_type(card(page), "luz")
    await page.keyboard.press("Alt+x")
    channels = card(page).locator(".channels li")
    await expect(channels.first).to_contain_text("Atención al vecino")
    await shot(page, "llamado-2-360-light")
    await channels.first.get_by_role("button").click()
    await expect(page.get_by_text("Derivado a Atención al vecino.")).to_be_visible()
    desk = await visitors.desk("call_taker")
    assert (await desk.get("/calls/counts"))["channels"]["147"] == 1

    await page.goto(f"/consola?llamado={PHONE}")
    await live(page)
    await page.keyboard.press("Alt+z")
    await button(card(page), "Lo pidió").click()
    await expect(card(page).locator(".caller-flag")).to_contain_text("Lo pidió")
    await page.keyboard.press("Alt+q")
    await expect(card(page).locator(".silent-protocol")).to_contain_text("NO devuelvas el llamado: Lo pidió")
    await shot(page, "llamado-3-360-light")
    await page.keyboard.press("Alt+q")
    await expect(page.get_by_text("Llamada muda registrada.")).to_be_visible()
