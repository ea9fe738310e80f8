"""The shift board: what is missing is named, somebody is placed with the keyboard; and clocking in on a telephone."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from realtime.database import connect, new_id, now, reading, sessions_of
from resources.attendance import ClockPoint
from tests.browser.conftest import MAPLESS, Desk, Visitors, shot
from tests.browser.screens import live
from tests.builders import City

pytestmark = MAPLESS
HOUR = dt.timedelta(hours=1)
PIN = "2580"


async def hire(boss: Desk, city: City, name: str, role: str) -> dict[str, Any]:
    """Somebody of the staff, with a PIN."""
    body = {
        "id": str(new_id()),
        "file_number": f"L{str(new_id())[-6:]}",
        "name": name,
        "role": role,
        "organization_id": str(city.organizations["municipality"]),
        "phone": "341 555 7788",
    }
    member: dict[str, Any] = await boss.post("/staff", body)
    await boss.post(f"/staff/{member['id']}/credentials", {"id": str(new_id()), "kind": "licencia"})
    return member


@pytest.fixture
async def shift(visitors: Visitors, city: City) -> dict[str, Any]:
    """A running shift of M1 that needs a driver and two agents, and one agent who is there."""
    boss = await visitors.desk("supervisor")
    seats = [{"role": "chofer", "min": 1, "max": 1}, {"role": "agente", "min": 2, "max": 2}]
    at = now()
    body = {
        "id": str(new_id()),
        "name": f"Operativo {str(new_id())[-4:]}",
        "unit_id": str(city.units["M1"]),
        "starts_at": (at - HOUR).isoformat(),
        "ends_at": (at + 5 * HOUR).isoformat(),
        "seats": seats,
    }
    slot: dict[str, Any] = await boss.post("/shifts", body)
    return slot


async def clear(visitors: Visitors, slot: dict[str, Any]) -> None:
    """Take everybody out and cancel it: the installation is shared."""
    boss = await visitors.desk("supervisor")
    day = slot["starts_at"][:10]
    after = (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()
    before = (dt.date.fromisoformat(day) - dt.timedelta(days=1)).isoformat()
    for one in (await boss.get(f"/shifts?first={before}&last={after}"))["slots"]:
        if one["id"] == slot["id"]:
            for person in one["people"]:
                await boss.post(f"/placements/{person['id']}/remove", {"reason": ""})
    await boss.post(f"/shifts/{slot['id']}/cancel", {})


async def printed(visitors: Visitors, point_id: str) -> str:
    """What a telephone reads from the printed code."""
    engine = connect(visitors.served.environment["VIGIA_DATABASE_URL"], pool=1)
    async with reading(sessions_of(engine)) as session:
        token = (await session.get_one(ClockPoint, UUID(point_id))).token
    await engine.dispose()
    return token


def panel(page: Page) -> Any:
    """The sheet of one shift."""
    return page.get_by_role("complementary", name="Turno")


async def test_a_hole_is_named_and_filled_with_the_keyboard(
    visitors: Visitors, city: City, shift: dict[str, Any]
) -> None:
    boss = await visitors.desk("supervisor")
    mark = str(new_id())[-5:]
    driver = await hire(boss, city, f"Ana Chofer {mark}", "chofer")
    await hire(boss, city, f"Eva Agente {mark}", "agente")
    page = await visitors.arrive("/turnos", "supervisor", size=(1600, 900))
    await live(page)
    slot = page.locator(".slot[aria-label*='M1'][aria-label*='Falta 1 chofer, Faltan 2: agente']").first
    await expect(slot).to_have_attribute("data-hole", "true")
    await expect(slot.get_by_text("Falta 1 chofer")).to_be_visible()
    await expect(page.get_by_text(re.compile(r"turnos? con huecos"))).to_be_visible()
    duty = page.get_by_role("region", name="De servicio ahora")
    await expect(duty.get_by_text("Dotación incompleta: 0/1 chofer")).to_be_visible()
    await shot(page, "turnos-1-semana")

    # Enter on the shift, a few letters, Enter.
    await slot.focus()
    await page.keyboard.press("Enter")
    await expect(panel(page).get_by_label("Agregar chofer")).to_be_focused()
    await page.keyboard.type(f"ana chofer {mark}")
    await expect(panel(page).locator(".candidates-list li")).to_have_count(1)
    await shot(page, "turnos-2-ubicar")
    await page.keyboard.press("Enter")
    await expect(panel(page).locator(".panel-people").get_by_text(f"Ana Chofer {mark}")).to_be_visible()
    await expect(panel(page).get_by_text("1/1 chofer")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(panel(page)).to_have_count(0)
    filled = page.locator(f".slot[aria-label*='Ana Chofer {mark}']").first
    await expect(filled.get_by_text("Faltan 2: agente")).to_be_visible()
    await expect(filled.get_by_text("Falta 1 chofer")).to_have_count(0)

    # Another shift right after it goes against the rest: it says so, and asks why.
    later = {
        "id": str(new_id()),
        "name": "Refuerzo",
        "unit_id": str(city.units["M2"]),
        "starts_at": shift["ends_at"],
        "ends_at": (dt.datetime.fromisoformat(shift["ends_at"]) + 4 * HOUR).isoformat(),
        "seats": [{"role": "chofer", "min": 1, "max": 1}],
    }
    await boss.post("/shifts", later)
    await page.locator(".slot[data-where='M2']").first.click()  # it came over the feed
    row = panel(page).locator(".candidates-list li").filter(has_text=f"Ana Chofer {mark}")
    await expect(row.get_by_text("Descansaría 0 h de 12 h")).to_be_visible()
    await row.get_by_role("button").first.click()
    await row.get_by_label("Motivo").fill("no hay otro chofer")
    await shot(page, "turnos-3-motivo")
    await row.get_by_role("button", name="Ubicar igual").click()
    await expect(panel(page).get_by_text("Con motivo: no hay otro chofer")).to_be_visible()

    await page.get_by_text("Día", exact=True).click()
    await expect(page.locator(".timeline-now").first).to_be_attached()
    await shot(page, "turnos-4-dia")
    watching = await visitors.arrive("/turnos?ver=personal", "dispatcher", theme="light")
    await expect(watching.get_by_text(f"Ana Chofer {mark}")).to_be_visible()
    await expect(watching.get_by_text(driver["file_number"])).to_have_count(0)
    await shot(watching, "turnos-5-personal-despacho")
    await clear(visitors, later)
    await clear(visitors, shift)


async def test_somebody_clocks_in_on_a_telephone(visitors: Visitors, city: City, shift: dict[str, Any]) -> None:
    boss = await visitors.desk("supervisor")
    member = await hire(boss, city, "Luz Sosa", "agente")
    await boss.post(f"/staff/{member['id']}/pin", {"pin": PIN})
    await boss.post(f"/shifts/{shift['id']}/placements", {"id": str(new_id()), "member_id": member["id"]})
    page = await visitors.arrive("/turnos", "supervisor", size=(1600, 900), theme="light")
    await page.get_by_role("button", name="Códigos QR").click()
    sheet = page.get_by_role("dialog", name="Códigos QR")
    await sheet.get_by_label("Móvil").click()
    await page.get_by_role("option", name="M1", exact=True).click()
    await sheet.get_by_role("button", name="Crear código").click()
    code = sheet.get_by_alt_text("Código de M1")
    await expect(code).to_be_visible()
    assert await code.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    await shot(page, "turnos-6-codigos")

    phone = await visitors.arrive("/fichar", size=(360, 740))
    await expect(phone.get_by_role("alert")).to_have_text(re.compile("Escaneá el código"))
    (point,) = [one for one in (await boss.get("/attendance/points"))["points"] if one["where"] == "M1"]
    await phone.goto(f"/fichar#{await printed(visitors, point['id'])}")
    await phone.reload()
    await expect(phone.get_by_role("heading", name="Fichar en M1")).to_be_visible()
    await phone.get_by_label("Legajo").fill(member["file_number"])
    for digit in "9999":
        await phone.get_by_role("button", name=digit, exact=True).click()
    await phone.get_by_role("button", name="Fichar").click()
    await expect(phone.get_by_role("alert")).to_have_text("El código, el legajo o el PIN no es correcto.")
    await shot(phone, "fichar-1-mal")
    for digit in PIN:
        await phone.get_by_role("button", name=digit, exact=True).click()
    await phone.get_by_role("button", name="Fichar").click()
    await expect(phone.get_by_role("status")).to_have_text(re.compile(r"Entraste a M1 como agente, \d\d:\d\d"))
    await shot(phone, "fichar-2-entraste")
    assert await phone.evaluate("document.documentElement.scrollWidth <= 360")
    await page.keyboard.press("Escape")
    duty = page.get_by_role("region", name="De servicio ahora")
    await expect(duty.get_by_text(re.compile(r"Luz Sosa \(agente, \d\d:\d\d\)"))).to_be_visible()
    await shot(page, "turnos-7-de-servicio")
    await boss.post(f"/attendance/{member['id']}/out", {"reason": "prueba"})
    await clear(visitors, shift)


async def test_who_is_woken_and_when_nobody_is(visitors: Visitors, city: City) -> None:
    boss = await visitors.desk("government")
    member = await hire(boss, city, f"Autoridad {str(new_id())[-5:]}", "autoridad")
    at = now()
    duty = {
        "id": str(new_id()),
        "member_id": member["id"],
        "title": "Secretaria de Gobierno",
        "rank": 1,
        "starts_at": (at - HOUR).isoformat(),
        "ends_at": (at + 24 * HOUR).isoformat(),
    }
    await boss.post("/on-call", duty)
    page = await visitors.arrive("/turnos?ver=guardia", "government", size=(1600, 900))
    order = page.get_by_role("region", name="A quién llamar ahora")
    await expect(order.get_by_text(member["name"])).to_be_visible()
    await expect(order.get_by_role("link", name="341 555 7788")).to_be_visible()
    await expect(page.get_by_text(re.compile("Sin guardia:"))).to_be_visible()
    await shot(page, "turnos-8-guardia")
    await page.get_by_role("button", name=f"Sacar a {member['name']} de la guardia").click()
    await expect(order.get_by_text(member["name"])).to_have_count(0)
    files = await visitors.arrive("/turnos?ver=personal", "government", size=(1600, 900))
    await files.get_by_label("Nombre, legajo o rol").fill(member["file_number"])
    await files.get_by_role("button", name=member["name"]).click()
    await expect(files.get_by_role("dialog").get_by_label("Teléfono")).to_have_value("341 555 7788")
    await shot(files, "turnos-9-legajo")
