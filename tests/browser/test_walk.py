"""The walk: a neighbour's report becomes a unit on the spot, and everybody sees each step without touching a key."""

from __future__ import annotations

import asyncio
import re
from uuid import UUID

from playwright.async_api import Page, expect

from realtime.database import new_id
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import button, card, choose_type, live, never_reloaded, row, worst
from tests.builders import City

pytestmark = BROWSER

TYPE = "Siniestro vial con lesionados"
OURS = re.compile(f"{TYPE}.*junto al vivero")  # others of the type, closed a moment ago, are still in the queue


async def tell(phone: Page, words: str) -> str:
    """A neighbour reports, on an old telephone with scripts off. The code to follow it."""
    await phone.get_by_text("Otra cosa").click()
    await phone.get_by_label("Calle y altura").fill("Mitre y Rioja, junto al vivero")
    await phone.locator("#words").fill(words)
    await shot(phone, "1-avisar")
    await phone.locator("#send").click()
    await expect(phone.get_by_role("heading", name="Recibido")).to_be_visible()
    code = await phone.locator(".code").first.inner_text()
    assert re.fullmatch(r"[0-9A-Z]{3}-[0-9A-Z]{3}", code)
    await shot(phone, "2-seguimiento")
    return code


async def say_from_the_street(visitors: Visitors, unit_id: UUID, *screens: Page) -> None:
    """The crew of M1 says how far it is; each screen shows it."""
    crew, dispatcher = await visitors.desk("crew m1"), await visitors.desk("dispatcher")
    unit = await dispatcher.feature(f"unit:{unit_id}")
    assert unit is not None
    assignment = unit["properties"]["assignment_id"]
    for status, said in (("acknowledged", "Acusado"), ("en_route", "En camino"), ("on_scene", "En el lugar")):
        await crew.post(f"/assignments/{assignment}/status", {"status": status})
        for page in screens:
            await expect(card(page).locator(".assignments")).to_contain_text(said)


async def test_from_the_report_to_the_end(visitors: Visitors, city: City) -> None:
    desk = await visitors.arrive("/consola", "dispatcher")
    other = await visitors.arrive("/consola", "supervisor", theme="light")
    wall = await visitors.arrive("/pared", "wall", size=(1280, 720))
    for page in (desk, other, wall):
        await live(page)

    words = "Chocaron una moto y un auto, hay un herido"
    phone = await visitors.arrive("/avisar", javascript=False, size=(360, 740))
    code = await tell(phone, words)

    # It is in everybody's queue; the dispatcher takes it.
    await expect(row(other, re.compile(words))).to_be_visible()
    await row(desk, re.compile(words)).click()
    await button(card(desk), "Aceptar").click()
    await choose_type(card(desk), "lesionados")
    await button(card(desk), "Usar el centro del mapa").click()
    await expect(card(desk).get_by_text("Punto marcado")).to_be_visible()
    await shot(desk, "3-clasificar")
    await button(card(desk), "Crear incidente").click()
    await expect(card(desk).get_by_role("heading", name=TYPE)).to_be_visible()
    await expect(row(other, OURS)).to_contain_text("sin móvil")
    await expect(row(other, re.compile(words))).to_have_count(0)
    await expect(worst(wall)).to_contain_text(TYPE)
    await expect(worst(wall)).to_contain_text("sin acusar")

    # M1 goes.
    await card(desk).get_by_role("button", name=re.compile(r"\bM1\b")).click()
    await expect(card(desk).get_by_text(re.compile("Enviado")).first).to_be_visible()
    await row(other, OURS).click()
    await expect(card(other).get_by_role("heading", name="Móviles asignados")).to_be_visible()
    await expect(card(other)).to_contain_text("M1")
    await shot(desk, "4-despachado")

    # Its crew says so from the street.
    await say_from_the_street(visitors, city.units["M1"], desk, other)
    await expect(worst(wall).get_by_role("img", name="En el lugar")).to_be_visible()
    await expect(worst(wall)).not_to_contain_text("sin acusar")
    await shot(wall, "5-pared-en-el-lugar")
    await shot(other, "6-otra-consola-en-el-lugar")

    # A note, and the end.
    await card(desk).get_by_role("textbox", name="Escribí una nota").fill("Trasladado al HECA, calle liberada.")
    await button(card(desk), "Agregar").click()
    await expect(card(other).get_by_text("Trasladado al HECA")).to_be_visible()
    await button(card(desk), "Cerrar").click()
    await card(desk).get_by_role("button", name="Resuelto").click()
    for page in (desk, other):
        await expect(card(page).locator(".state-chip").first).to_have_text("Cerrado")
        await expect(row(page, OURS)).to_contain_text("Cerrado")
    await expect(worst(wall)).not_to_contain_text(TYPE)
    await shot(other, "7-cerrado")
    unit = await (await visitors.desk("dispatcher")).feature(f"unit:{city.units['M1']}")
    assert unit is not None
    assert unit["properties"]["status"] == "available"
    await never_reloaded(desk, other, wall)

    # And the neighbour reads how it ended.
    while True:  # the worker brings his page up in a moment, and the page itself asks again after half a minute only
        await phone.goto(f"/s/{code}")
        if "Resuelto" in await phone.locator(".now").inner_text():
            break
        await asyncio.sleep(1)
    await shot(phone, "8-seguimiento-final")


async def test_a_unit_moves_on_the_map(visitors: Visitors, city: City) -> None:
    """The table behind Alt+M says what the map shows: where each unit is, by what is near."""
    dispatcher = await visitors.desk("dispatcher")
    west = {"type": "Point", "coordinates": [city.west.x, city.west.y]}
    body = {"id": str(new_id()), "type_code": "MET-01", "location": west, "place": "Plaza del Oeste"}
    await dispatcher.post("/incidents", body)
    page = await visitors.arrive("/consola", "dispatcher")
    await live(page)
    await page.keyboard.press("Alt+m")
    unit = page.get_by_role("row", name=re.compile(r"^M2\b"))
    now = await dispatcher.get("/snapshot")
    for metres in (260, 140):  # a longer leap in so short a time would be taken for an error of GPS
        fix = {
            "unit_id": str(city.units["M2"]),
            "location": {"type": "Point", "coordinates": [city.west.x, city.west.y + metres / 111_195]},
            "fixed_at": now["server_time"].replace("Z", "+00:00"),
        }
        sent = await dispatcher.post("/positions", {"positions": [fix]})
        assert sent["accepted"] == 1
        await expect(unit).to_contain_text(f"a {metres} m de Plaza del Oeste")
        now = await dispatcher.get("/snapshot")
    await never_reloaded(page)
