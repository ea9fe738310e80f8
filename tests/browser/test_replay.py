"""A past hour on the console: it is what the desk knew then, nothing can be done in it, the present is heard."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, SHOTS, Visitors, shot
from tests.browser.screens import button, card, live, never_reloaded, row
from tests.builders import City, a_sending

pytestmark = MAPLESS
SCREENS: list[tuple[tuple[int, int], str]] = [((1600, 900), "dark"), ((1600, 900), "light"), ((360, 740), "dark")]


def band(page: Page) -> Locator:
    """What says over the whole width that this is the past."""
    return page.get_by_role("region", name="Repetición")


async def opened(visitors: Visitors, city: City, place: str, type_code: str) -> dict[str, Any]:
    """An incident at a place."""
    desk = await visitors.desk("dispatcher")
    at = {"type": "Point", "coordinates": [city.west.x, city.west.y]}
    body = {"id": str(new_id()), "type_code": type_code, "place": place, "location": at}
    properties: dict[str, Any] = (await desk.post("/incidents", body))["properties"]
    return properties


async def nothing_acts(page: Page) -> None:
    """The buttons rest and say why, keys are refused, nothing can be written."""
    close = card(page).get_by_role("button", name=re.compile("^Cerrar$"))
    await expect(close).to_be_disabled()
    await expect(close).to_have_attribute("title", re.compile("Estás mirando el pasado"))
    await expect(note(page)).to_have_count(0)
    await page.locator("body").press("c")
    await expect(page.locator(".toasts")).to_contain_text("Estás mirando el pasado")


async def from_change_to_change(page: Page, until: Locator) -> None:
    """Press H until something is there."""
    where = band(page).get_by_role("slider", name="Momento")
    for _ in range(20):
        if await until.count():
            return
        before = await where.get_attribute("value") or ""
        await page.keyboard.press("h")
        await expect(where).not_to_have_attribute("value", before)
    raise AssertionError("it never came")


async def quicker(page: Page) -> None:
    """As quick as it gets."""
    speed = band(page).get_by_role("combobox", name="Velocidad")
    await speed.click()
    await speed.press("Escape")  # puts the list away, not the past
    await expect(page.get_by_role("option", name="64×")).to_have_count(0)
    await speed.click()
    await page.get_by_role("option", name="64×").click()


async def what_happened(visitors: Visitors, city: City, where: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """An incident; a unit for it, another incident, a note and a word over the air, all of it later."""
    desk = await visitors.desk("dispatcher")
    one = await opened(visitors, city, f"Salta {where}", "MET-01")
    await asyncio.sleep(1.1)  # the screen's second is a whole one
    await desk.post(f"/incidents/{one['id']}/assignments", a_sending(city.units["M2"]))
    later = await opened(visitors, city, f"Jujuy {where}", "MET-01")
    await desk.post(f"/incidents/{one['id']}/notes", {"id": str(new_id()), "text": "lo dijo la radio"})
    said = f"llegando a {one['place']}"
    await desk.post("/radio-log", {"id": str(new_id()), "unit_id": str(city.units["M2"]), "text": said})
    return one, later, said


def note(page: Page) -> Locator:
    """Where one writes into the story."""
    return card(page).locator(".new-note textarea")


@pytest.mark.parametrize(("size", "theme"), SCREENS if SHOTS else SCREENS[:1])
async def test_a_past_hour_is_looked_at_and_left_again(
    visitors: Visitors, city: City, size: tuple[int, int], theme: Any
) -> None:
    name = f"replay-{size[0]}-{theme}"
    one, later, said = await what_happened(visitors, city, f"{size[0]} {theme}")
    page = await visitors.arrive("/consola", "dispatcher", size=size, theme=theme)
    await live(page)
    await row(page, re.compile(one["place"])).click()
    unit, told = card(page).locator(".assignments").get_by_text("M2"), card(page).get_by_text("lo dijo la radio")
    await expect(unit).to_be_visible()
    await note(page).fill("me llamaron de")
    radio = page.locator(".radio-log").get_by_text(said)
    await expect(radio).to_have_count(1)

    # One press on the oldest line of the story: the unit, the other incident and the note were not yet known.
    await card(page).locator(".entry").last.get_by_role("button", name=re.compile("Ver este momento")).click()
    await expect(band(page)).to_contain_text("PASADO")
    await expect(card(page)).to_contain_text(one["place"])
    await expect(unit.or_(told).or_(row(page, re.compile(later["place"])))).to_have_count(0)
    await expect(radio.or_(page.get_by_text(re.compile("En vivo")))).to_have_count(0)
    await shot(page, f"{name}-1")
    await nothing_acts(page)

    await from_change_to_change(page, unit)
    await page.keyboard.press(",")
    await expect(unit).to_have_count(0)
    await button(band(page), "Reproducir").click()
    await quicker(page)
    await expect(told).to_be_visible()
    await expect(radio).to_have_count(1)
    await shot(page, f"{name}-2")

    # Meanwhile a P1 comes in the present: it is said here, and what is shown stays the past.
    grave = await opened(visitors, city, f"Tucumán {size[0]} {theme}", "INC-01")
    await expect(band(page).get_by_role("alert")).to_contain_text(f"AHORA: P1 sin acusar, {grave['type_name']}")
    await expect(row(page, re.compile(grave["place"]))).to_have_count(0)
    await shot(page, f"{name}-3")

    # Esc: the present, with what was selected and what was being written.
    await page.keyboard.press("Escape")
    await expect(band(page)).to_have_count(0)
    await expect(page.locator(".toast")).to_have_count(0)
    await live(page)
    await expect(unit).to_be_visible()
    await expect(note(page)).to_have_value("me llamaron de")

    # An hour is chosen by its name, and what cannot wait is one press away.
    await page.get_by_role("button", name="Mirar una hora pasada").click()
    await shot(page, f"{name}-4")
    await button(page, "La última hora").click()
    await expect(band(page)).to_be_visible()
    await shot(page, f"{name}-5")
    await band(page).get_by_role("button", name="Volver y atender").first.click()
    await expect(band(page)).to_have_count(0)
    await expect(card(page)).to_contain_text(grave["place"])
    await never_reloaded(page)
