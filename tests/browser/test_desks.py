"""A shift at a desk: what is said over the air is written down by one key, the shift is handed over on one screen."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, Page, expect

from geo.places import geojson
from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import button, card, live, row
from tests.builders import City, a_sending

pytestmark = MAPLESS


def log(page: Page) -> Locator:
    """The radio log at the desk's foot."""
    return page.get_by_role("region", name="Bitácora de radio")


def lines(page: Page, incident: dict[str, Any]) -> Locator:
    """What was said of that incident; others have their own."""
    return log(page).locator(".radio-row").filter(has_text=incident["code"])


async def test_the_radio_is_written_down_by_key_and_by_command_and_struck_not_deleted(
    visitors: Visitors, city: City
) -> None:
    desk = await visitors.desk("dispatcher")
    fire: dict[str, Any] = {
        "id": str(new_id()),
        "type_code": "INC-02",
        "place": "Paunero 812",
        "location": geojson(city.west),
    }
    made = (await desk.post("/incidents", fire))["properties"]
    await desk.post(f"/incidents/{made['id']}/assignments", a_sending(city.units["M1"]))
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    other = await visitors.arrive("/consola", "call_taker", size=(360, 740), theme="light")
    await live(page)

    # R, unit and words, Enter: three actions; the unit brings what it is working on.
    field = log(page).get_by_label("Qué se dijo por radio")
    await page.keyboard.press("r")
    await expect(field).to_be_focused()
    await page.keyboard.type("m1 llegando, se ve humo")
    await expect(log(page).get_by_role("button", name=f"No es de {made['code']}")).to_be_visible()
    await page.keyboard.press("Escape")  # what was written stays, over a reload too
    await page.reload()
    await live(page)
    await page.keyboard.press("r")
    await expect(field).to_have_value("llegando, se ve humo")
    await expect(log(page).get_by_role("button", name="Quitar M1")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(lines(page, made)).to_have_count(1)
    await expect(lines(page, made)).to_contain_text(made["code"])

    # The same from the command line; everybody has it at once, and it stands in the incident's story.
    for key in ("Escape", "."):
        await page.keyboard.press(key)
    await page.keyboard.type("r m1 fuego controlado")
    await page.keyboard.press("Enter")
    await expect(lines(page, made).first).to_contain_text("fuego controlado")
    await page.keyboard.press("Escape")
    await row(page, re.compile("Paunero 812")).click()
    story = card(page).locator(".entry-note")
    await expect(story).to_have_count(2)
    await expect(story.first).to_contain_text("M1 por radio: fuego controlado")
    await button(other.get_by_role("navigation", name="Partes de la pantalla"), "Móviles").click()
    await expect(lines(other, made)).to_have_count(2)
    await shot(page, "radio-1600-dark")
    await shot(other, "radio-360-light")

    # It was another unit: struck with the reason, still there; and undone by Ctrl+Z, struck as well.
    await log(page).get_by_role("button", name="Tachar: llegando, se ve humo").click()
    await log(page).get_by_label("¿Por qué se tacha?").fill("era M2")
    await page.keyboard.press("Enter")
    await expect(lines(page, made).last).to_contain_text("Tachada por dispatcher")
    await expect(story.last).to_contain_text("era M2")
    await page.keyboard.press("Control+z")
    await expect(lines(page, made).first).to_contain_text("Deshecha por dispatcher")
    await expect(lines(other, made).locator("del")).to_have_count(2)

    # The whole book, looked through.
    await log(page).get_by_role("button", name="Ver toda la bitácora").click()
    book = page.get_by_role("dialog", name="Bitácora de radio")
    await book.get_by_label("Buscar en la bitácora").fill("controlado m1")
    await expect(book.locator(".radio-row")).to_have_count(1)
    await shot(page, "radio-libro-1600-dark")
    await page.keyboard.press("Escape")
    await expect(book).to_be_hidden()
