"""What one lays over the map, measures and draws upon it: by key, remembered, and seen by the next desk."""

from __future__ import annotations

import re

from playwright.async_api import expect

from realtime.database import new_id
from tests.browser.accessible import Found, a_working_night, sound
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import button, live, row
from tests.builders import City

pytestmark = BROWSER


async def test_layers_are_laid_by_key_and_a_cordon_is_drawn_for_an_incident(visitors: Visitors, city: City) -> None:
    dispatcher, supervisor = await visitors.desk("dispatcher"), await visitors.desk("supervisor")
    place = {"type": "Point", "coordinates": [city.west.x, city.west.y]}
    hydrant = {"id": str(new_id()), "kind": "hydrant", "name": "Hidrante Mitre", "location": place}
    await supervisor.post("/facilities", hydrant)
    incident = (
        await dispatcher.post(
            "/incidents", {"id": str(new_id()), "type_code": "INC-02", "location": place, "place": "Cordón 7"}
        )
    )["properties"]

    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await expect(page.locator(".maplibregl-canvas")).to_be_visible()
    await row(page, re.compile("Cordón 7")).click()
    await page.keyboard.press("l")
    panel = page.get_by_role("region", name="Capas")
    await expect(panel.get_by_role("checkbox", name="Cortes")).to_be_focused()
    await panel.get_by_role("checkbox", name=re.compile(r"^Hidrante \(\d+\)")).press("Space")
    await panel.get_by_role("checkbox", name="Vecinal (2)").check()
    await button(panel, "Perímetro").click()
    for arrow in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        await expect(page.locator(".maplibregl-canvas")).to_be_focused()
        await page.keyboard.press(arrow)
        await page.wait_for_timeout(600)  # the map glides
        await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    name = f"Perímetro {incident['code']}"
    await expect(panel.get_by_role("list", name="Perímetros").get_by_text(name)).to_be_visible()
    await shot(page, "capas-oscuro")
    (fence,) = [
        one["properties"] for one in (await dispatcher.get("/fences"))["features"] if one["properties"]["name"] == name
    ]
    assert fence["valid_until"] is not None

    # What was chosen stays chosen; the cordon is everybody's.
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await page.reload()
    await live(page)
    await page.keyboard.press("l")
    await expect(panel.get_by_role("checkbox", name=re.compile("^Hidrante"))).to_be_checked()
    other = await visitors.arrive("/consola", "supervisor", size=(1366, 768), theme="light")
    await live(other)
    await button(other, "Capas").click()
    theirs = other.get_by_role("region", name="Capas")
    await expect(theirs.get_by_text(name)).to_be_visible()
    await shot(other, "capas-claro")
    await button(theirs.get_by_role("listitem").filter(has_text=name), "Quitar").click()
    await expect(panel.get_by_text(name)).to_be_hidden()


async def test_axe_finds_nothing_on_the_map_nor_in_its_layers(visitors: Visitors, city: City) -> None:
    found = Found()
    await a_working_night(visitors, city)
    page = await visitors.arrive("/consola", "supervisor", size=(1366, 768))
    await live(page)
    await expect(page.locator(".maplibregl-canvas")).to_be_visible()
    await sound(page, "map", found)
    await page.keyboard.press("l")
    await expect(page.get_by_role("button", name="Cerrar las capas")).to_be_visible()
    await sound(page, "layers", found)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Alt+m")
    await expect(page.get_by_role("table").first).to_be_visible()
    await sound(page, "map-list", found)
    assert found == {}, found.told()
