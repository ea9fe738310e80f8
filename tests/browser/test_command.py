"""The command line and search: a call in three actions, by keyboard alone, by mouse alone; what is typed stays."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import Hands, button, card, live
from tests.builders import City

pytestmark = MAPLESS


def line(page: Page) -> Locator:
    """Where commands are typed."""
    return page.get_by_role("combobox", name="Línea de comando")


def chips(page: Page) -> Locator:
    """What was understood."""
    return page.get_by_role("list", name="Lo que se entendió").get_by_role("listitem")


def choices(page: Page) -> Locator:
    """The numbered list."""
    return page.locator(".command-list").get_by_role("option")


async def opened(visitors: Visitors, code: str) -> dict[str, Any]:
    """The incident of a code, as another desk sees it."""
    desk = await visitors.desk("dispatcher")
    features = (await desk.get("/snapshot"))["features"]
    found: dict[str, Any] = next(one["properties"] for one in features if one["properties"].get("code") == code)
    return found


async def the_code(page: Page) -> str:
    """Of the incident in the card."""
    told = card(page).get_by_text(re.compile(r"\d{4}-\d{6}")).first
    await expect(told).to_be_visible()
    return str(re.findall(r"\d{4}-\d{6}", await told.inner_text())[0])


async def free(visitors: Visitors, city: City) -> None:
    """Nobody has anything to do and everybody is somewhere."""
    desk = await visitors.desk("supervisor")
    for unit_id in city.units.values():
        await desk.post(f"/units/{unit_id}/duty", {"duty": "on_duty"})


async def test_a_call_in_three_actions_and_what_follows_by_keyboard(
    visitors: Visitors, city: City, streets: None
) -> None:
    await free(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900), theme="dark")
    await live(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hands = Hands(page)

    # N, the words, Ctrl+Enter: the incident is there, with its place, and its units know.
    await hands.press("n")
    await expect(line(page)).to_be_focused()
    await hands.type("choque oroño y rioja, 2 heridos !1 >m2")
    await hands.press("Control+Enter")
    receipt = page.locator(".command-receipt")
    await expect(receipt).to_contain_text(re.compile(r"Enviado \d\d:\d\d:\d\d"))
    await expect(receipt).to_contain_text("M2 sin acuse")
    assert hands.actions == 3
    code = await the_code(page)
    made = await opened(visitors, code)
    assert (made["type_code"], made["priority"], made["place"]) == ("SIN-01", 1, "oroño y rioja")
    assert made["place_match"]["precision"] == "exact"
    assert "2 heridos" in made["summary"]
    assert "M2" in {one["call_sign"] for one in made["assignments"]}
    await expect(line(page)).to_have_value("")
    # The place is in the caller's words; nobody asked what the map would call it.
    assert [url for url in asked if "/places/describe" in url] == []
    await shot(page, "command-sent")
    await heard(page, visitors, code)
    await looked(page, code)


async def heard(page: Page, visitors: Visitors, code: str) -> None:
    """What follows, one line each."""
    receipt = page.locator(".command-receipt")
    # What the radio says of it, one line each; the receipt follows, and each act can be taken back.
    await line(page).focus()
    await page.keyboard.type("e m 2 acuse")
    await page.keyboard.press("Enter")
    await expect(receipt).to_contain_text(re.compile(r"M2 acusado \d\d:\d\d:\d\d"))
    await page.keyboard.type("e m2 lugra")
    await expect(chips(page).filter(has_text="En el lugar")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("M2: En el lugar", exact=True)).to_be_visible()
    await page.keyboard.type(f"d t1 #{int(code.split('-')[1])}")
    await page.keyboard.press("Enter")
    await expect(receipt).to_contain_text("T1 sin acuse")
    await page.keyboard.type("p 2")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"{code} ahora es prioridad 2.")).to_be_visible()
    await page.keyboard.press("Escape")
    hands = Hands(page)
    await hands.press("Control+z")
    await expect(page.get_by_text("Deshecho.")).to_be_visible()
    assert hands.actions == 1
    assert (await opened(visitors, code))["priority"] == 1

    # What it does not know it says; nothing is done, and the words stay.
    await line(page).focus()
    for words, why in (
        ("d x99", "«x99» no es ningún móvil"),
        ("e m2", "Falta el estado"),
        ("p 9", "va de 1 a 4"),
        ("zz m2", "«zz» no es un comando"),
    ):
        await line(page).fill(words)
        await page.keyboard.press("Enter")
        await expect(page.locator(".command-why")).to_contain_text(why)
        await expect(line(page)).to_have_value(words)


async def looked(page: Page, code: str) -> None:
    """Search, over the line; then it is closed."""
    await page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Buscar")
    await expect(dialog.get_by_role("combobox")).to_be_focused()
    await page.keyboard.type("rioj")
    found = dialog.get_by_role("option")
    await expect(found.filter(has_text=code)).to_be_visible()
    await expect(found.filter(has_text="Rioja").first.locator("mark").first).to_be_visible()
    await shot(page, "search-keyboard")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(line(page)).to_have_value("zz m2")

    await line(page).fill("c falsa alarma, no había nadie")
    await page.keyboard.press("Enter")
    await expect(card(page).locator(".state-chip").first).to_have_text("Cerrado")


async def test_an_ambiguous_call_is_chosen_by_number_and_nothing_is_lost(
    visitors: Visitors, city: City, streets: None
) -> None:
    await free(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900), theme="light")
    await live(page)
    words = "n choqe san martin, dos autos"
    hands = Hands(page)
    await hands.press("n")
    await hands.type(words.removeprefix("n "))
    await expect(choices(page).first).to_contain_text("Siniestro vial")
    await shot(page, "command-type-light")

    # Neither key sends anything while it is not clear, and each says why; a digit in the text is a digit.
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".command-why")).to_contain_text("más de un tipo")
    await hands.press("2")
    await expect(chips(page).filter(has_text="Siniestro vial sin lesionados")).to_be_visible()
    await expect(choices(page).filter(has_text="San Martín").first).to_be_visible()
    await shot(page, "command-place-light")

    # Esc, a reload and signing out leave it as it was.
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.evaluate("window.neverReloaded = true")
    await page.reload()
    await live(page)
    await expect(line(page)).to_have_value(words)
    await page.keyboard.press("n")
    await expect(chips(page).filter(has_text="Siniestro vial sin lesionados")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.locator(".command-why")).to_contain_text("más de un lugar")
    await hands.press("ArrowDown")
    await expect(choices(page).first).to_have_attribute("aria-selected", "true")
    await hands.press("Enter")
    await expect(chips(page).filter(has_text="San Martín")).to_be_visible()
    assert hands.actions == 5  # the last Enter creates: six

    # More words: the place is asked again, and a height is no choice.
    await line(page).fill("n choque sin heridos av san martin 1205, dos autos")
    await expect(chips(page).filter(has_text="1205")).to_contain_text("exacta")
    await page.keyboard.press("Enter")
    code = await the_code(page)
    made = await opened(visitors, code)
    assert (made["type_code"], made["place"], made["assignments"]) == ("SIN-02", "av san martin 1205", [])

    # Nowhere: said, and kept.
    await page.keyboard.press("n")
    await page.keyboard.type("incendio vivienda xyzzy plugh")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".command-why")).to_contain_text("No se encontró")
    await expect(line(page)).to_have_value("n incendio vivienda xyzzy plugh")


@pytest.mark.parametrize(("size", "theme"), [((360, 740), "light"), ((1600, 900), "dark")])
async def test_by_mouse_alone(visitors: Visitors, city: City, streets: None, size: tuple[int, int], theme: Any) -> None:
    await free(visitors, city)
    desk = await visitors.desk("dispatcher")
    body = {"id": str(new_id()), "type_code": "MET-01", "place": f"Pasaje Ratón {size[0]}"}
    at = {"type": "Point", "coordinates": [city.west.x, city.west.y]}
    code = (await desk.post("/incidents", body | {"location": at}))["properties"]["code"]
    page = await visitors.arrive("/consola", "dispatcher", size=size, theme=theme)
    await live(page)

    # The menu lists all eight with an example and writes the beginning.
    await page.get_by_role("button", name="Comandos").click()
    items = page.get_by_role("menuitem")
    await expect(items).to_have_count(9)
    await shot(page, f"command-menu-{size[0]}-{theme}")
    await items.filter(has_text="Incidente nuevo").click()
    await expect(line(page)).to_be_focused()
    await expect(line(page)).to_have_value("n ")
    await line(page).fill("n arbol caido rioja y moreno")
    await expect(chips(page).filter(has_text="Árbol o poste caído")).to_be_visible()
    await expect(chips(page).filter(has_text="exacta")).to_be_visible()
    await shot(page, f"command-new-{size[0]}-{theme}")
    await button(page.locator(".command-buttons"), "Crear").click()
    await expect(card(page).get_by_role("heading", name="Árbol o poste caído")).to_be_visible()

    # Search with the mouse: what it finds opens.
    await page.get_by_role("button", name="Comandos").click()
    await page.get_by_role("menuitem", name=re.compile("^Buscar")).click()
    await page.get_by_role("dialog", name="Buscar").get_by_role("combobox").fill(f"raton {size[0]}")
    await shot(page, f"search-{size[0]}-{theme}")
    await page.get_by_role("option").filter(has_text=code).click()
    await expect(card(page)).to_contain_text(code)
