"""A place by what the caller says: typed, chosen by keyboard, kept beside the words; on the neighbours' form too."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from realtime.database import new_id
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import card, live, row

pytestmark = BROWSER


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_a_corner_by_keyboard_and_the_words_stay(visitors: Visitors, streets: None, theme: str) -> None:
    page = await visitors.arrive(
        "/consola", "dispatcher", size=(1600, 900), theme="dark" if theme == "dark" else "light"
    )
    await live(page)
    await page.keyboard.press("n")
    await expect(page.get_by_role("combobox", name="Línea de comando")).to_be_focused()
    await page.keyboard.press("Tab")
    field = card(page).get_by_label("Lugar", exact=True)
    await expect(field).to_be_focused()
    options = page.get_by_role("listbox", name="Lugares posibles").get_by_role("option")

    # One street of a name in each of two quarters: nothing is chosen for anybody.
    await page.keyboard.type("san martin")
    await expect(options.nth(1)).to_be_visible()
    await expect(card(page).get_by_text("Puede ser más de un lugar")).to_be_visible()
    assert await options.locator("xpath=self::*[@aria-selected='true']").count() == 0
    await shot(page, f"40-lugar-ambiguo-{theme}")
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text("Falta el punto")).to_be_visible()

    # Esc closes the list and not the form; more words make it sure; Enter marks it.
    await page.keyboard.press("Escape")
    await expect(options.first).to_be_hidden()
    await expect(field).to_be_focused()
    await page.keyboard.type(" y rioga")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await expect(options.first).to_contain_text("Avenida San Martín y Rioja")
    await expect(options.first).to_contain_text("exacta")
    await shot(page, f"41-lugar-seguro-{theme}")
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text("Punto marcado")).to_be_visible()
    await expect(card(page).locator(".match-line")).to_contain_text("En el mapa: Avenida San Martín y Rioja")
    await expect(field).to_have_value("san martin y rioga")
    await shot(page, f"42-lugar-elegido-{theme}")
    await page.keyboard.type("cables")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")
    await expect(card(page).get_by_role("heading", name="Cables caídos")).to_be_visible()
    await expect(card(page)).to_contain_text("san martin y rioga")
    await expect(card(page).locator(".match-line")).to_contain_text("Avenida San Martín y Rioja")
    await shot(page, f"43-lugar-en-la-ficha-{theme}")
    desk = await visitors.desk("dispatcher")
    feature = next(
        one
        for one in (await desk.get("/snapshot"))["features"]
        if one["properties"].get("place") == "san martin y rioga"
    )
    assert feature["properties"]["place_match"]["precision"] == "exact"
    assert feature["geometry"]["coordinates"] == pytest.approx([-60.65679, -32.96], abs=1e-4)


async def test_a_report_in_words_becomes_a_choice_by_number(visitors: Visitors, streets: None) -> None:
    stranger = await visitors.stranger()
    words = f"Perro suelto {new_id()}"
    body = {"id": str(new_id()), "words": words, "place": "sanmartin y sanjuan", "type_hint": "ANI-01"}
    await stranger.post("/reports", body)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await row(page, re.compile(re.escape(words))).click()
    await page.keyboard.press("a")
    options = page.get_by_role("listbox", name="Lugares posibles").get_by_role("option")
    await expect(options.first).to_contain_text("Avenida San Martín y San Juan")
    await page.keyboard.press("Alt+1")
    await expect(card(page).get_by_text("Punto marcado")).to_be_visible()
    await shot(page, "44-aviso-con-lugar")
    await page.keyboard.press("Control+Enter")
    await expect(card(page).get_by_role("heading", name="Animal suelto / mordedura")).to_be_visible()
    await expect(card(page)).to_contain_text("sanmartin y sanjuan")


async def test_the_neighbours_form_offers_places_and_keeps_the_words(visitors: Visitors, streets: None) -> None:
    page = await visitors.arrive("/avisar", size=(360, 740))
    place = page.get_by_label("Calle y altura, o esquina")
    await place.fill("moreno y riojja")
    option = page.get_by_role("button", name="Moreno y Rioja")
    await expect(option).to_be_visible()
    await option.scroll_into_view_if_needed()
    await shot(page, "45-vecino-lugares")
    await option.click()
    await expect(page.locator("#match")).to_have_text("En el mapa: Moreno y Rioja")
    await expect(place).to_have_value("moreno y riojja")
    await shot(page, "46-vecino-elegido")
    words = f"Cayó un árbol {new_id()}"
    await page.get_by_label("¿Qué ves?").fill(words)
    await page.get_by_label("Otra cosa").check(force=True)
    await page.get_by_role("button", name="Enviar aviso").click()
    await expect(page).to_have_url(re.compile(r"/s/"))
    desk = await visitors.desk("dispatcher")
    report = next(one for one in (await desk.get("/snapshot"))["features"] if one["properties"].get("words") == words)
    assert report["properties"]["place"] == "moreno y riojja"
    assert report["properties"]["place_match"]["label"] == "Moreno y Rioja"
    assert report["geometry"]["coordinates"] == pytest.approx([-60.65572, -32.96], abs=1e-4)
