"""A supervisor looks at where a unit was this morning, and keeps the telephones that say it."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import re

import httpx2
import pytest
from playwright.async_api import Page, expect

from realtime.database import connect, new_id, now, sessions_of, transaction
from resources.tracks import Doubt, Fix, write_history
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import card, live
from tests.builders import City
from tests.served import Served

pytestmark = BROWSER

BUENOS_AIRES = dt.timezone(-dt.timedelta(hours=3))
HERE = (-60.655, -32.955)


def a_morning(began: dt.datetime) -> list[Fix]:
    """Half an hour of driving round the west, a stop, a silence and a leap, with what GPS does to it."""
    unit, fixes = City.units["M1"], []
    for n in range(0, 1500, 5):
        turn = n / 1500 * 2 * math.pi
        at, speed = began + dt.timedelta(seconds=n), 28 + 14 * math.sin(5 * turn)
        if 600 <= n < 900:
            turn, speed = 600 / 1500 * 2 * math.pi, 0.0
        place = HERE[0] + 0.01 * math.cos(turn), HERE[1] + 0.007 * math.sin(turn)
        if not 1000 <= n < 1300:  # five minutes without a word
            heading = (-math.degrees(turn)) % 360
            fixes.append(Fix(unit, *place, at, at, heading, speed, 6.0))
    leap = began + dt.timedelta(seconds=402)
    return [*fixes, Fix(unit, HERE[0] + 0.02, HERE[1] + 0.01, leap, leap, None, None, None, Doubt.IMPLAUSIBLE)]


@pytest.fixture(scope="module", autouse=True)
async def morning(served: Served) -> None:
    """That day's morning, as M1 drove it."""
    engine = connect(served.environment["VIGIA_DATABASE_URL"], pool=1)
    async with transaction(sessions_of(engine)) as session:
        await write_history(session, a_morning(that_day() + dt.timedelta(hours=9)))
    await engine.dispose()


def that_day() -> dt.datetime:
    """When it began in the city: two days ago, so that no midnight lets another test's driving into it."""
    return (now().astimezone(BUENOS_AIRES) - dt.timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)


async def at_the_track(visitors: Visitors, **how: object) -> Page:
    """M1's day, from the console."""
    day = that_day().date().isoformat()
    path = f"/recursos?ver=recorrido&movil={City.units['M1']}&dia={day}"
    page = await visitors.arrive(path, "supervisor", **how)  # type: ignore[arg-type]
    await expect(page.get_by_text("PASADO", exact=True)).to_be_visible()
    await expect(page.locator(".track-surface[data-drawn]")).to_be_visible()
    return page


async def test_a_morning_is_played_again(visitors: Visitors) -> None:
    page = await at_the_track(visitors, size=(1600, 900))
    time, words = page.locator(".track-time"), page.locator(".track-words")
    await expect(time).to_have_text("09:00:00")
    await page.keyboard.press("ArrowRight")
    await expect(time).to_have_text("09:00:10")
    await expect(words).to_have_text(re.compile(r"^\d+ km/h"))
    await page.keyboard.press("ArrowLeft")
    await expect(time).to_have_text("09:00:00")
    await page.get_by_text("×60").click()
    await page.get_by_role("button", name="Reproducir").click()
    await expect(time).not_to_have_text("09:00:00")
    await page.get_by_role("button", name="Pausar").click()
    await page.get_by_role("button", name=re.compile("parado 4 min")).click()
    await expect(words).to_have_text(re.compile("^parado desde hace"))
    slider = page.get_by_role("slider", name="Momento del día")
    await slider.focus()
    for _ in range(7):
        await page.keyboard.press("Shift+ArrowRight")
    await expect(words).to_have_text(re.compile("^sin datos desde las 09:16"))
    await expect(page.get_by_text("1 posición que no creímos")).to_be_visible()
    await shot(page, "track-desktop-dark")
    await page.keyboard.press("End")
    await expect(words).to_have_text(re.compile("^sin datos|dato de"))
    supervisor = await visitors.desk("supervisor")
    seen = await supervisor.post(
        f"/units/{City.units['M1']}/track",
        {"since": that_day().isoformat(), "until": (that_day() + dt.timedelta(days=1)).isoformat()},
    )
    assert len(seen["stops"]) == 1


async def test_another_day_says_that_nothing_was_told(visitors: Visitors) -> None:
    page = await at_the_track(visitors)
    await page.get_by_role("button", name="Día anterior").click()
    await expect(page.get_by_text(re.compile("^M1 no informó su posición el"))).to_be_visible()
    await page.get_by_role("button", name="Día siguiente").click()
    await expect(page.locator(".track-time")).to_have_text("09:00:00")


async def test_the_console_leads_to_it(visitors: Visitors) -> None:
    page = await visitors.arrive(f"/consola?unit={City.units['M1']}", "supervisor", size=(1600, 900))
    await live(page)
    await page.get_by_role("button", name=re.compile(r"^M1\b|\bM1\b")).first.click()
    await expect(card(page).get_by_role("link", name="Recorrido")).to_have_attribute(
        "href", f"/recursos?ver=recorrido&movil={City.units['M1']}"
    )


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_it_fits_a_telephone(visitors: Visitors, theme: str) -> None:
    page = await at_the_track(visitors, size=(360, 740), theme=theme)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await shot(page, f"track-phone-{theme}")


async def test_a_telephone_is_registered_reports_and_is_revoked(visitors: Visitors) -> None:
    page = await visitors.arrive("/recursos?ver=dispositivos", "supervisor", size=(1600, 900))
    await page.get_by_role("button", name="Nuevo dispositivo").click()
    await page.get_by_label("Nombre").fill("Guardia 3")
    await page.get_by_role("combobox", name="Va con el móvil").fill("M2")
    await page.get_by_role("option", name="M2").click()
    await page.get_by_role("button", name="Registrar y obtener la clave").click()
    pairing = page.get_by_role("dialog", name="Configurar Guardia 3")
    await expect(pairing.get_by_role("img", name=re.compile("Código QR"))).to_be_visible()
    token = await pairing.locator("dd").nth(1).inner_text()
    await shot(page, "devices-pairing")
    where = f"{visitors.served.address}/avl/osmand"
    async with httpx2.AsyncClient() as telephone:
        for n in range(4):
            at = int(now().timestamp()) - 8 + 2 * n
            told: dict[str, str | float] = {
                "id": token,
                "lat": -32.95,
                "lon": -60.65 + n / 1000,
                "timestamp": at,
                "speed": 20,
                "batt": 41,
            }
            assert (await telephone.get(where, params=told)).json() == {"accepted": 1}
        assert (await telephone.get(where, params={"id": token, "lat": 99, "lon": 0})).status_code == 422
    await pairing.get_by_role("button", name="Ya la configuré").click()
    row = page.get_by_role("button", name=re.compile("Guardia 3"))
    await expect(row).to_contain_text("41 %")
    await expect(row).to_contain_text("80 % útil de 5")
    await shot(page, "devices-desktop-dark")
    await row.click()
    sheet = page.get_by_role("dialog", name="Guardia 3")
    await expect(sheet.get_by_text(re.compile("rechazadas por mal formadas: 1"))).to_be_visible()
    await shot(page, "devices-one")
    revoke = sheet.get_by_role("button", name=re.compile("Dar de baja"))
    await revoke.scroll_into_view_if_needed()
    await revoke.hover()
    await page.mouse.down()
    await expect(page.get_by_text("Guardia 3 fue dado de baja: su clave ya no vale.")).to_be_visible()
    await page.mouse.up()
    async with httpx2.AsyncClient() as telephone:
        for _ in range(60):
            answer = await telephone.get(where, params={"id": token, "lat": -32.95, "lon": -60.65})
            if answer.status_code == 401:
                break
            await asyncio.sleep(0.1)
        assert answer.status_code == 401


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_the_devices_fit_a_telephone(visitors: Visitors, theme: str) -> None:
    supervisor = await visitors.desk("supervisor")
    for kind in ("osmand", "owntracks", "api"):
        made = {"id": str(new_id()), "name": f"Teléfono {kind}", "kind": kind, "unit_id": str(City.units["T1"])}
        await supervisor.post("/devices", made)
    page = await visitors.arrive("/recursos?ver=dispositivos", "supervisor", size=(360, 740), theme=theme)  # type: ignore[arg-type]
    await expect(page.get_by_role("button", name=re.compile("Teléfono api")).first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await shot(page, f"devices-phone-{theme}")
