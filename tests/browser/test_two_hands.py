"""Two dispatchers on one incident, and one shift that is handed to the next: nothing is overwritten unseen."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import Hands, button, card, live, never_reloaded
from tests.builders import City

pytestmark = MAPLESS

PLACE = {"type": "Point", "coordinates": [-60.66, -32.95]}


async def opened(visitors: Visitors, words: str, who: str = "dispatcher", **more: Any) -> dict[str, Any]:
    """An incident, by somebody without a screen."""
    desk = await visitors.desk(who)
    body = {"id": str(new_id()), "type_code": "SIN-01", "location": PLACE, "place": words, "summary": "dos autos"}
    found: dict[str, Any] = (await desk.post("/incidents", body | more))["properties"]
    return found


async def read(visitors: Visitors, incident: dict[str, Any]) -> dict[str, Any]:
    """As it is now."""
    found: dict[str, Any] = (await (await visitors.desk("trained")).get(f"/incidents/{incident['id']}"))["properties"]
    return found


async def look_at(page: Page, words: str) -> None:
    """Open its card from the queue."""
    await live(page)
    await page.get_by_role("region", name="Cola de trabajo").get_by_role("button", name=re.compile(words)).click()
    await expect(card(page).get_by_role("heading", level=2)).to_be_visible()


async def test_two_dispatchers_on_one_incident(visitors: Visitors) -> None:
    incident = await opened(visitors, "Güemes 2100")
    one = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    other = await visitors.arrive("/consola", "supervisor", size=(1600, 900), theme="light")
    await look_at(one, "Güemes 2100")
    await look_at(other, "Güemes 2100")

    # Each knows that the other is there, and who handles it.
    await expect(card(one).get_by_text("supervisor está en esta ficha")).to_be_visible()
    await expect(card(other).get_by_text("dispatcher está en esta ficha")).to_be_visible()
    await expect(card(one).get_by_text("Lo llevás vos")).to_be_visible()
    await expect(card(other).get_by_text("Lo lleva dispatcher")).to_be_visible()

    # Different fields: while one chooses another type, the other changes the priority. Both stand.
    await one.keyboard.press("p")
    await card(one).get_by_label("Tipo", exact=True).first.fill("semáforo")
    await one.keyboard.press("Enter")
    await expect(card(other).get_by_text("dispatcher está reclasificando")).to_be_visible()
    desk = await visitors.desk("supervisor")
    await desk.post(f"/incidents/{incident['id']}/summary", {"summary": "dos autos y una moto"})
    await button(card(one), "Guardar tipo").click()
    await expect(one.get_by_text(f"{incident['code']} reclasificado.")).to_be_visible()
    now = await read(visitors, incident)
    assert now["type_code"] != "SIN-01"
    assert now["summary"] == "dos autos y una moto"

    # The same field: the second sees both, with who and when, and one click decides.
    for page, words in ((other, "chocaron tres"), (one, "chocaron cuatro")):
        await card(page).get_by_role("button", name="Corregir el resumen").click()
        await page.get_by_role("textbox", name="Corregir el resumen").fill(words)
    await other.get_by_role("textbox", name="Corregir el resumen").press("Enter")
    await expect(card(one).locator(".summary")).to_have_text("chocaron tres")
    await one.get_by_role("textbox", name="Corregir el resumen").press("Enter")
    both = card(one).get_by_role("alert").filter(has_text=re.compile(r"supervisor lo cambió a las \d\d:\d\d:\d\d"))
    await expect(both).to_contain_text("chocaron tres")
    await expect(both).to_contain_text("chocaron cuatro")
    await shot(one, "two-versions")
    await both.get_by_role("button", name="Guardar lo mío").click()
    await expect(card(other).locator(".summary")).to_have_text("chocaron cuatro")
    await expect(card(other).get_by_text("Decía: «chocaron tres»")).to_be_visible()

    # It is taken with one click, and the first one knows.
    hands = Hands(other)
    await hands.click(card(other).get_by_role("button", name="Tomar"))
    await expect(card(one).locator(".handler-name")).to_have_text("Lo lleva supervisor")
    assert hands.actions == 1
    await card(one).get_by_role("button", name="Pasar a…").click()
    await shot(one, "handler-choice")
    await card(one).locator(".choices").get_by_role("button", name=re.compile("trained")).click()
    await expect(card(other).locator(".handler-name")).to_have_text("Lo lleva trained")

    # Who leaves the card is not there any more.
    await other.keyboard.press("Escape")
    await expect(card(one).get_by_text("supervisor está en esta ficha")).to_have_count(0)
    await never_reloaded(one, other)


async def test_what_was_begun_survives_and_knows_what_it_began_from(visitors: Visitors) -> None:
    incident = await opened(visitors, "Viamonte 930")
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await look_at(page, "Viamonte 930")
    await card(page).get_by_role("button", name="Corregir el resumen").click()
    field = page.get_by_role("textbox", name="Corregir el resumen")
    await field.fill("un camión volcado")
    await page.keyboard.press("Escape")
    desk = await visitors.desk("supervisor")
    await desk.post(f"/incidents/{incident['id']}/summary", {"summary": "un colectivo volcado"})
    await expect(card(page).locator(".summary")).to_have_text("un colectivo volcado")
    await page.reload()
    await look_at(page, "Viamonte 930")
    await card(page).get_by_role("button", name="Corregir el resumen").click()
    await expect(field).to_have_value("un camión volcado")
    await field.press("Enter")
    await expect(card(page).get_by_text("supervisor lo cambió a las")).to_be_visible()
    await button(card(page), "Dejar lo de ahora").click()
    await expect(card(page).locator(".summary")).to_have_text("un colectivo volcado")
    assert (await read(visitors, incident))["summary"] == "un colectivo volcado"


async def test_the_shift_is_handed_over_by_keyboard(visitors: Visitors, city: City) -> None:
    mine = await opened(visitors, "Ayacucho 1500")
    others = await opened(visitors, "Laprida 700", who="supervisor")
    comes = await visitors.arrive("/consola", "trained", size=(1600, 900), theme="light")
    leaves = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(comes)
    await live(leaves)

    hands = Hands(leaves)
    await hands.press("g")
    await hands.press("r")
    sheet = leaves.get_by_role("dialog", name="Cambio de guardia")
    await expect(sheet.get_by_role("button", name=re.compile("Ayacucho 1500"))).to_be_visible()
    await expect(sheet.get_by_role("button", name=re.compile("Laprida 700"))).to_be_visible()
    await expect(sheet.get_by_role("combobox", name="Recibe")).to_be_focused()
    await hands.type("trained")
    await hands.press("Enter")
    await shot(leaves, "handover")
    await hands.press("Control+Enter")
    await expect(
        leaves.get_by_text(re.compile(r"Guardia entregada a trained a las \d\d:\d\d, con 1 incidente"))
    ).to_be_visible()
    assert hands.actions == 5

    strip = comes.get_by_role("status").filter(has_text="dispatcher te entregó la guardia")
    await expect(strip).to_contain_text("2 incidentes abiertos")
    await shot(comes, "handover-strip")
    await strip.get_by_role("button", name="Ver y recibir").click()
    sheet = comes.get_by_role("dialog", name="Cambio de guardia")
    await shot(comes, "handover-receive")
    await button(sheet, "Recibí la guardia").click()
    await expect(comes.get_by_text("Recibiste la guardia de dispatcher.")).to_be_visible()
    await expect(strip).to_have_count(0)
    assert (await read(visitors, mine))["handler"]["name"] == "trained"
    assert (await read(visitors, others))["handler"]["name"] == "supervisor"
    [page, *_] = (await (await visitors.desk("dispatcher")).get("/handovers"))["handovers"]
    assert page["received_at"] is not None
    await never_reloaded(comes, leaves)
