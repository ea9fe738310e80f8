"""The desk of resources: a unit is made and described, a spreadsheet falls in with its mistakes, beds are counted."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import live
from tests.builders import City
from tests.scenes.units import a_picture

pytestmark = MAPLESS

PHONE = (360, 740)


def sheet(page: Page, name: str) -> Locator:
    """The sheet beside the list."""
    return page.get_by_role("complementary", name=name)


def fresh(prefix: str) -> str:
    """A name that no other test has used in this installation."""
    return f"{prefix}{str(new_id())[-5:]}"


async def no_wider_than_its_screen(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def test_a_unit_is_made_and_described_field_by_field(visitors: Visitors, city: City) -> None:
    call_sign = fresh("Z")
    page = await visitors.arrive("/recursos", "supervisor", size=(1600, 900))
    watching = await visitors.arrive("/recursos", "dispatcher", size=(1600, 900))
    await live(page)
    await page.get_by_role("button", name="Nuevo móvil").click()
    dialog = page.get_by_role("dialog", name="Nuevo móvil")
    await dialog.get_by_label("Móvil").fill(call_sign)
    await dialog.get_by_role("button", name="Agregar").click()
    card = sheet(page, call_sign)
    await expect(card).to_be_visible()
    await expect(watching.get_by_role("button", name=re.compile(call_sign))).to_be_visible()  # nobody reloaded

    await card.get_by_role("button", name="Cambiar capacidades").click()
    field = card.get_by_role("textbox", name="Capacidades").or_(card.get_by_role("combobox", name="Capacidades")).first
    await field.click()
    await field.press_sequentially("MOTOB")
    await page.get_by_role("option", name=re.compile("MOTOBOMBA")).click()
    await card.get_by_label(re.compile("MOTOBOMBA: cuánto")).fill("600")
    await card.get_by_role("button", name="Guardar").click()
    await expect(card.get_by_text("MOTOBOMBA 600 l/min")).to_be_visible()

    await card.get_by_role("button", name="Cambiar notas").click()
    await card.get_by_role("textbox", name="Notas").fill("Llave en guardia")
    await card.get_by_role("button", name="Guardar").click()
    await expect(card.get_by_text("Llave en guardia")).to_be_visible()

    await card.get_by_role("button", name="Cargar vehículo").click()
    await card.get_by_label("Patente").fill(fresh("ab").upper())
    await card.get_by_label("VTV hasta").fill("2026-01-31")
    await card.get_by_role("button", name="Guardar").click()
    await expect(card.get_by_text("VTV vencida el 31/01/2026")).to_be_visible()

    await card.get_by_role("textbox", name="Qué lleva").fill("Matafuego")
    await card.get_by_role("button", name="Agregar", exact=True).click()
    await expect(card.get_by_role("cell", name=re.compile("^Matafuego"))).to_be_visible()

    async with page.expect_file_chooser() as choosing:
        await card.get_by_role("button", name="Agregar foto").click()
    await (await choosing.value).set_files({"name": "m.jpg", "mimeType": "image/jpeg", "buffer": a_picture(640, 480)})
    await expect(card.get_by_role("button", name="Foto 1")).to_be_visible()
    await shot(page, "resources-unit")

    seen = sheet(watching, call_sign)
    await watching.get_by_role("button", name=re.compile(call_sign)).click()
    await expect(seen.get_by_text("Llave en guardia")).to_be_visible()
    await expect(seen.get_by_role("button", name="Cambiar notas")).to_have_count(0)
    assert visitors.wrongs == []


async def test_a_spreadsheet_says_what_is_wrong_and_brings_the_rest(visitors: Visitors, city: City) -> None:
    mark = fresh("N")
    rows = [f"{mark}{n};patrulla;GUM" for n in range(23)]
    text = "\n".join(["Móvil;Tipo;Capacidades", *rows, f"{mark}98;tanque;GUM", f"{mark}99;moto;LÁSER"])
    page = await visitors.arrive("/recursos?ver=moviles", "administrator", size=(1600, 900), theme="light")
    await live(page)
    await page.get_by_role("button", name="Importar CSV").click()
    dialog = page.get_by_role("dialog", name="Importar móviles de una planilla")
    async with page.expect_file_chooser() as choosing:
        await dialog.get_by_role("button", name="Elegir archivo").click()
    file: Any = {"name": "moviles.csv", "mimeType": "text/csv", "buffer": text.encode("latin-1")}
    await (await choosing.value).set_files(file)
    await expect(dialog.get_by_text("2 con errores")).to_be_visible()
    wrong = dialog.get_by_role("table", name="Filas con errores")
    await expect(wrong.get_by_role("row", name=re.compile("^25 Tipo “tanque” no se conoce"))).to_be_visible()
    await expect(wrong.get_by_role("row", name=re.compile("^26 Capacidades “LÁSER” no se conoce"))).to_be_visible()
    await shot(page, "resources-import")
    await dialog.get_by_role("button", name="Importar las 23 buenas").click()
    await expect(page.get_by_text("23 móviles importados.")).to_be_visible()
    await page.get_by_role("textbox", name=re.compile("Filtrar")).fill(mark)
    await expect(page.get_by_text("23 móviles", exact=True)).to_be_visible()
    await shot(page, "resources-units-light")
    assert visitors.wrongs == []


async def test_beds_are_counted_by_two_and_neither_reloads(visitors: Visitors, city: City) -> None:
    name = fresh("Hospital ")
    desk = await visitors.desk("supervisor")
    body = {"id": str(new_id()), "kind": "hospital", "name": name, "address": "Mitre 1"}
    made = await desk.post("/facilities", body | {"location": {"type": "Point", "coordinates": [-60.66, -32.95]}})
    page = await visitors.arrive("/recursos?ver=instalaciones", "dispatcher", size=(1600, 900))
    phone = await visitors.arrive("/recursos?ver=instalaciones", "supervisor", size=PHONE, theme="light")
    for one in (page, phone):
        await live(one)
        await one.get_by_role("button", name=name).click()
    card, small = sheet(page, name), sheet(phone, name)
    await card.get_by_role("textbox", name="De qué").fill("UTI")
    await card.get_by_label("Libres", exact=True).fill("3")
    await card.get_by_label("Total", exact=True).fill("10")
    await card.get_by_role("button", name="Informar").click()
    await expect(card.get_by_text("de 10", exact=True)).to_be_visible()
    await small.get_by_role("button", name="UTI: una menos").click()
    count = card.locator(".capacity-count strong")
    await expect(count).to_have_text("2")
    await card.get_by_role("button", name="UTI: una menos").click()
    await expect(small.locator(".capacity-count strong")).to_have_text("1")
    await no_wider_than_its_screen(phone)
    await shot(page, "resources-facilities")
    await shot(phone, "resources-facilities-phone")

    await desk.post(
        "/stock",
        {"id": str(new_id()), "facility_id": made["id"], "item": "Frazadas", "unit": "unidades", "quantity": 4}
        | {"minimum": 20},
    )
    await phone.goto("/recursos?ver=existencias")
    await phone.get_by_role("button", name="Frazadas").first.click()
    goods = sheet(phone, "Frazadas")
    await goods.get_by_label(re.compile("Cuánto")).fill("3")
    await goods.get_by_label("Por qué").fill("evacuación")
    await goods.get_by_role("button", name="Registrar salida").click()
    await expect(goods.get_by_text("1 unidades", exact=False).first).to_be_visible()
    await no_wider_than_its_screen(phone)
    await shot(phone, "resources-stock-phone")
    await page.goto("/recursos?ver=existencias")
    await expect(page.get_by_text("Poco").first).to_be_visible()
    await shot(page, "resources-stock")
    await page.goto("/recursos?ver=capacidades")
    await expect(page.get_by_text("MOTOBOMBA", exact=True)).to_be_visible()
    await shot(page, "resources-capabilities")
    assert visitors.wrongs == []
