"""Run cards on screen: changed by keyboard, tried on what happened, taken back; and the tasks that they open."""

from __future__ import annotations

import re
from typing import Literal

from playwright.async_api import Locator, Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import card, live

pytestmark = MAPLESS

HERE = {"type": "Point", "coordinates": [-60.66, -32.95]}


def level(page: Page, number: int) -> Locator:
    """One alarm level of the card that is open."""
    return page.locator("fieldset.level").nth(number - 1)


async def opened(visitors: Visitors, *, type_code: str) -> str:
    """An incident on everybody's board."""
    desk = await visitors.desk("trained")
    body = {"id": str(new_id()), "type_code": type_code, "location": HERE, "place": "Mitre y Rioja"}
    return str((await desk.post("/incidents", body))["properties"]["id"])


async def test_a_card_is_changed_tried_published_and_taken_back(visitors: Visitors) -> None:
    for _ in range(2):
        await opened(visitors, type_code="SIN-02")
    page = await visitors.arrive("/tarjetas", "supervisor", size=(1600, 900))
    await expect(page.get_by_role("navigation", name="Tipos de incidente")).to_contain_text("Incendio de vivienda")
    await expect(page.get_by_text("Elegí un tipo para ver su tarjeta.")).to_be_visible()

    # By keyboard alone: the type, one more unit, why, and it holds.
    await page.keyboard.press("/")
    await page.keyboard.type("SIN-02")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Siniestro vial sin lesionados")).to_be_visible()
    count = level(page, 1).get_by_label("Cuántos").first
    await count.focus()
    await page.keyboard.press("ArrowUp")
    await expect(count).to_have_value("2")
    await page.get_by_label("Por qué cambia").fill("los siniestros traban la avenida")
    await expect(page.locator(".card-publish .changes")).to_contain_text("Tránsito ×2")
    await shot(page, "60-tarjeta-cambiada")

    # A reload loses nothing.
    await page.reload()
    await expect(level(page, 1).get_by_label("Cuántos").first).to_have_value("2")

    # Tried on what happened before it is signed.
    await page.get_by_role("button", name="Probar", exact=True).click()
    await expect(page.locator(".card-trial")).to_contain_text(
        re.compile(r"Probada contra \d+ incidentes? de los últimos 30")
    )
    await expect(page.locator(".trial-table")).to_contain_text("Primero en llegar")
    await shot(page, "61-tarjeta-probada")

    await page.get_by_label("Por qué cambia").press("Control+Enter")
    await expect(page.get_by_text("Rige la edición 2 desde")).to_be_visible()
    history = page.locator(".card-history")
    await expect(history).to_contain_text(re.compile(r"Probada contra \d+ incidentes? de 30 días, por supervisor"))
    await expect(history).to_contain_text("los siniestros traban la avenida")

    # And taken back: the one before holds again.
    await history.get_by_role("button", name="Deshacer").first.click()
    await history.get_by_label("¿Por qué se deshace?").fill("no alcanza el personal")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Rige la edición 1, la de origen.")).to_be_visible()
    await expect(history).to_contain_text("no alcanza el personal")
    await expect(level(page, 1).get_by_label("Cuántos").first).to_have_value("1")


async def test_two_who_edit_the_same_card_see_each_other(visitors: Visitors) -> None:
    page = await visitors.arrive("/tarjetas?ver=tarjetas&tarjeta=CON-03", "supervisor", size=(1600, 900))
    await level(page, 1).get_by_label("Cuántos").first.fill("2")
    await expect(page.locator(".card-publish .changes")).to_contain_text("×2")
    other = await visitors.desk("administrator")
    held = (await other.get("/run-cards/CON-03"))["editions"][0]
    levels = [{"needs": [{"capability": "CTL", "count": 3}]}]
    await other.post(
        "/run-cards", {"id": str(new_id()), "type_code": "CON-03", "levels": levels, "seen": held["number"]}
    )
    await page.get_by_role("button", name=re.compile("Publicar la edición")).click()
    await expect(page.get_by_role("alert")).to_contain_text("publicó mientras tanto")
    await expect(page.locator(".card-conflict")).to_contain_text("×3")
    await shot(page, "62-tarjeta-de-dos")
    await page.get_by_role("button", name="Seguir con lo mío").click()
    await page.get_by_role("button", name=re.compile("Publicar la edición")).click()
    await expect(page.get_by_text(f"Rige la edición {held['number'] + 2} desde")).to_be_visible()
    assert (await other.get("/run-cards/CON-03"))["editions"][0]["levels"][0]["needs"][0]["count"] == 2


async def test_tasks_are_ticked_and_the_alarm_is_raised(visitors: Visitors) -> None:
    incident = await opened(visitors, type_code="INC-01")
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await page.get_by_role("button", name=re.compile("Incendio de vivienda")).first.click()
    tasks = card(page).locator(".tasks")
    await expect(tasks).to_contain_text("Averiguá si queda gente adentro")
    await expect(tasks).to_contain_text("Pedí Bomberos")
    await expect(tasks.get_by_role("link", name="100")).to_have_attribute("href", "tel:100")
    await tasks.scroll_into_view_if_needed()
    await shot(page, "63-tareas")

    # Q goes to the first; the space bar ticks it, the arrow goes on.
    await page.keyboard.press("q")
    await page.keyboard.press("Space")
    await expect(page.get_by_text(re.compile("^Hecho: Pedí Bomberos"))).to_be_visible()
    desk = await visitors.desk("trained")
    counts = (await desk.get(f"/incidents/{incident}"))["properties"]["tasks"]
    assert counts["done"] == 1

    await tasks.get_by_role("button", name="Subir a 2.ª alarma").click()
    await expect(tasks).to_contain_text("Abrí un refugio")
    await expect(tasks.locator(".alarm-level")).to_contain_text("2.ª alarma")
    await tasks.scroll_into_view_if_needed()
    await shot(page, "64-segunda-alarma")

    # What is not needed says why.
    await tasks.get_by_role("button", name=re.compile("^No hace falta: Abrí un refugio")).click()
    await tasks.get_by_label("¿Por qué no hace falta?").fill("los alojan los vecinos")
    await page.keyboard.press("Enter")
    await tasks.get_by_role("button", name=re.compile("^Ver .* terminada")).click()
    await expect(tasks).to_contain_text("No hizo falta: los alojan los vecinos")


async def test_on_a_telephone_and_in_the_light(visitors: Visitors) -> None:
    await opened(visitors, type_code="INC-01")
    looks: list[tuple[Literal["dark", "light"], tuple[int, int]]]
    looks = [("light", (1600, 900)), ("light", (360, 740)), ("dark", (360, 740))]
    for theme, size in looks:
        page = await visitors.arrive("/tarjetas", "supervisor", size=size, theme=theme)
        await expect(page.get_by_role("navigation", name="Tipos de incidente")).to_be_visible()
        await shot(page, f"65-tarjetas-{theme}-{size[0]}")
        await page.get_by_role("button", name=re.compile("Incendio de vivienda")).click()
        await expect(level(page, 1)).to_be_visible()
        await shot(page, f"66-tarjeta-{theme}-{size[0]}")
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{theme} {size}: sideways by {wide}"
