"""Dispatch on the screen, by keyboard: liberar o sumar, ten seconds to take it back, and a crew in danger."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import card, held, live, row
from tests.builders import City, a_sending

pytestmark = MAPLESS


async def two_at_desks(visitors: Visitors, city: City, *types: str) -> tuple[list[Page], list[str]]:
    """The dispatcher and the supervisor, each before an incident of their own; the pages and the codes."""
    dispatcher = await visitors.desk("dispatcher")
    pages, codes = [], []
    corner = f"Esquina {str(new_id())[-6:]} de"
    for who, type_code, place in zip(("dispatcher", "supervisor"), types, (city.west, city.east), strict=True):
        words = f"{corner} {who}"
        location = {"type": "Point", "coordinates": [place.x, place.y]}
        body = {"id": str(new_id()), "type_code": type_code, "place": words, "location": location}
        codes.append((await dispatcher.post("/incidents", body))["properties"]["code"])
    for who in ("dispatcher", "supervisor"):
        page = await visitors.arrive("/consola", who)
        await live(page)
        await row(page, re.compile(f"{corner} {who}")).click()
        await expect(card(page).get_by_role("button", name=re.compile(r"\bM2\b"))).to_be_enabled()
        pages.append(page)
    return pages, codes


async def both_send(first: Page, second: Page) -> None:
    """Both press M2; the second one's network is slower, so that the first has it."""
    sending = await held(second, "**/assignments")
    await card(second).get_by_role("button", name=re.compile(r"\bM2\b")).click()
    await sending.asked()
    await card(first).get_by_role("button", name=re.compile(r"\bM2\b")).click()
    await expect(card(first).locator(".assignments")).to_contain_text("M2")
    sending.go_on()
    await expect(second.get_by_role("dialog", name="M2 está ocupado")).to_be_visible()


async def test_a_busy_unit_gets_it_behind_what_it_does_and_goes_on_with_it(visitors: Visitors, city: City) -> None:
    (one, other), codes = await two_at_desks(visitors, city, "SIN-02", "SIN-02")
    await both_send(one, other)
    await other.keyboard.press("2")
    mine = card(other).locator(".assignments")
    await expect(mine).to_contain_text("M2")
    await expect(mine).to_contain_text(f"después: sigue en {codes[0]}")
    await shot(other, "12-despues")

    # The first closes: M2 goes on with the other's. Ctrl+Z: it was too early, and everything is as it was.
    await one.locator("body").press("c")
    await expect(card(one).get_by_role("heading", name="¿Cómo terminó?")).to_be_visible()
    await one.keyboard.press("1")
    await expect(card(one).locator(".state-chip").first).to_have_text("Cerrado")
    await expect(mine).to_contain_text("Enviado")
    await expect(mine).to_contain_text("acusa en")
    await shot(one, "13-cerrado-con-deshacer")
    await one.keyboard.press("Control+z")
    await expect(one.get_by_role("status").filter(has_text="Deshecho.")).to_be_visible()
    await expect(card(one).locator(".state-chip").first).to_have_text("Despachado")
    await expect(card(one).locator(".assignments")).to_contain_text("M2")
    await expect(mine).to_contain_text(f"después: sigue en {codes[0]}")


async def test_a_busy_unit_is_released_for_something_graver(visitors: Visitors, city: City) -> None:
    (one, other), codes = await two_at_desks(visitors, city, "SIN-02", "SIN-01")
    await both_send(one, other)
    await other.keyboard.press("1")
    await expect(card(other).locator(".assignments")).to_contain_text("Enviado")
    await expect(card(one).locator(".assignments")).to_have_count(0)
    await expect(card(one).locator(".timeline")).to_contain_text("M2: liberado")
    # And back: the first has its unit again.
    await other.keyboard.press("Control+z")
    await expect(card(one).locator(".assignments")).to_contain_text("M2")
    await expect(card(other).locator(".assignments")).to_have_count(0)
    await expect(card(other).locator(".timeline")).to_contain_text("Deshecho: M2")
    assert codes[0] != codes[1]


async def test_what_is_as_grave_needs_a_reason(visitors: Visitors, city: City) -> None:
    (one, other), _ = await two_at_desks(visitors, city, "SIN-02", "SIN-02")
    await both_send(one, other)
    await other.keyboard.press("1")
    why = other.get_by_role("dialog", name="Está en algo igual de grave o más")
    await expect(why.get_by_role("textbox")).to_be_focused()
    await other.keyboard.type("hay un herido")
    await other.keyboard.press("Enter")
    await expect(card(other).locator(".assignments")).to_contain_text("salió por excepción")
    await expect(card(one).locator(".timeline")).to_contain_text("hay un herido")


async def test_a_crew_in_danger_is_over_everything_until_it_is_over(visitors: Visitors, city: City) -> None:
    pages = [await visitors.arrive("/consola", who) for who in ("dispatcher", "supervisor")]
    wall = await visitors.arrive("/pared", "wall", size=(1600, 900))
    for page in pages:
        await live(page)
    one, other = pages
    await other.get_by_text("Vencidas", exact=True).click()
    await other.mouse.move(700, 500)  # under a hand the queue stands still
    crew = await visitors.desk("crew m1")
    called = await crew.post(f"/units/{city.units['M1']}/sos", {"message": "nos tiran piedras"})
    again = await crew.post(f"/units/{city.units['M1']}/sos", {"message": "nos tiran piedras"})
    assert again["properties"]["id"] == called["properties"]["id"]
    code = called["properties"]["incident_code"]
    for page in pages:
        banner = page.get_by_role("alert").filter(has_text="SOS M1")
        await expect(banner).to_contain_text("nos tiran piedras")
        await expect(banner).to_contain_text("es su base")
        await expect(page).to_have_title("SOS M1 · Vigía")
        await expect(row(page, re.compile("Móvil en peligro"))).to_be_visible()  # whatever the filter
    await expect(wall.get_by_role("alert")).to_contain_text("NADIE RESPONDIÓ")
    await expect(wall.get_by_role("alert")).not_to_contain_text("piedras")
    await shot(one, "14-sos")
    await shot(wall, "14-sos-pared")

    # Nobody closes it unanswered; who takes it is told to all.
    answer = one.get_by_role("button", name="Lo tomo")
    await answer.focus()
    await one.keyboard.press("Enter")
    await expect(card(one).get_by_role("heading", name="Móvil en peligro")).to_be_visible()
    for page in pages:
        await expect(page.get_by_role("alert").filter(has_text="SOS M1")).to_contain_text("Responde dispatcher")
    await expect(wall.get_by_role("alert").filter(has_text="SOS M1")).to_contain_text(
        "Atendido a las"
    )  # by nobody's name
    seen = await crew.feature(called["properties"]["subject"])
    assert seen is not None
    assert seen["properties"]["answered_by"] == "dispatcher"
    await shot(other, "15-sos-respondido")

    # It was a false alarm, says somebody else than the unit; and no, it was not.
    await other.get_by_role("button", name="Falsa alarma").click()
    await expect(other.get_by_label("¿Cómo sabés que está bien?")).to_be_focused()
    await other.keyboard.type("hablé con ellos")
    await other.keyboard.press("Enter")
    for page in (*pages, wall):
        await expect(page.get_by_role("alert").filter(has_text="SOS M1")).to_have_count(0)
    await other.locator("body").press("Control+z")
    for page in (*pages, wall):
        await expect(page.get_by_role("alert").filter(has_text="SOS M1")).to_be_visible()
    assert code


async def test_a_unit_waits_on_its_way_goes_on_and_is_swapped(visitors: Visitors, city: City) -> None:
    dispatcher = await visitors.desk("dispatcher")
    location = {"type": "Point", "coordinates": [city.west.x, city.west.y]}
    body = {"id": str(new_id()), "type_code": "SIN-02", "place": "Esquina sola", "location": location}
    incident = (await dispatcher.post("/incidents", body))["properties"]
    await dispatcher.post(f"/incidents/{incident['id']}/assignments", a_sending(city.units["M1"]))
    page = await visitors.arrive("/consola", "dispatcher")
    await live(page)
    await row(page, re.compile("Esquina sola")).click()
    mine = card(page).locator(".assignments")
    await expect(mine).to_contain_text("acusa en")

    others = card(page).get_by_role("button", name="Otros estados de M1")
    await others.click()
    await page.get_by_role("menuitem", name="Que espere en…").click()
    await page.get_by_label("¿Dónde espera?").fill("Plaza")
    await page.keyboard.press("Enter")
    await expect(mine).to_contain_text("espera en Plaza")
    await shot(page, "16-espera")
    await card(page).get_by_role("button", name="Que siga").click()
    await expect(mine).not_to_contain_text("espera en Plaza")

    await others.click()
    await page.get_by_role("menuitem", name="Cambiar por otro móvil").click()
    who = page.get_by_role("combobox", name="¿Quién va en lugar de M1?").or_(
        page.get_by_label("¿Quién va en lugar de M1?")
    )
    await who.first.click()
    await page.get_by_role("option", name=re.compile("^T1")).click()
    await card(page).get_by_role("button", name="Cambiar por otro móvil").click()
    await expect(mine).to_contain_text("T1")
    await expect(mine).not_to_contain_text("M1")
    await expect(card(page).locator(".timeline")).to_contain_text("M1: liberado")
