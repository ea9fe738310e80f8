"""A unit does not acknowledge: the desk is told, answers, puts aside; a crew on scene checks in; a rule is changed."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import Any

from playwright.async_api import Locator, Page, expect

from realtime.database import new_id, now
from tests.browser.conftest import MAPLESS, THEMES, Visitors, shot
from tests.browser.screens import button, card, live, never_reloaded, row
from tests.builders import City, a_sending

pytestmark = MAPLESS


def strip(page: Page) -> Locator:
    """The alarms above the map."""
    return page.get_by_role("region", name="Alarmas")


async def late(
    visitors: Visitors, city: City, *, call_sign: str = "M1", seconds: int = 61, type_code: str = "INC-01"
) -> dict[str, Any]:
    """An incident whose unit was sent so long ago and has not said a word."""
    dispatcher = await visitors.desk("dispatcher")
    ago = (now() - dt.timedelta(seconds=seconds)).isoformat()
    body = {
        "id": str(new_id()),
        "type_code": type_code,
        "place": f"Humo {new_id()}",
        "location": {"type": "Point", "coordinates": [city.west.x, city.west.y]},
        "occurred_at": ago,
    }
    made: dict[str, Any] = (await dispatcher.post("/incidents", body))["properties"]
    sending = a_sending(city.units[call_sign]) | {"occurred_at": ago}
    await dispatcher.post(f"/incidents/{made['id']}/assignments", sending)
    return made | {"assignment_id": sending["id"]}


async def test_an_alarm_comes_is_answered_and_goes_with_its_cause(visitors: Visitors, city: City) -> None:
    page, other = [await visitors.arrive("/consola", who) for who in ("dispatcher", "supervisor")]
    await asyncio.gather(live(page), live(other))
    incident = await late(visitors, city)
    line = strip(page).get_by_role("listitem").filter(has_text="M1 no acusó")
    await expect(line).to_contain_text(incident["code"])
    await expect(strip(other).get_by_text(re.compile("M1 no acusó"))).to_be_visible()
    await shot(page, "alarm")
    await page.keyboard.press("a")
    await expect(page.get_by_role("button", name="1 atendida")).to_be_visible()
    await other.get_by_role("button", name="1 atendida").click()
    await expect(strip(other).get_by_text("La tiene dispatcher")).to_be_visible()
    crew = await visitors.desk("crew m1")
    await crew.post(f"/assignments/{incident['assignment_id']}/status", {"status": "en_route"})
    await expect(strip(page)).to_have_count(0)
    await expect(strip(other)).to_have_count(0)
    await never_reloaded(page, other)


async def test_an_alarm_is_put_aside_with_a_reason(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola", "dispatcher")
    await live(page)
    await late(visitors, city, call_sign="M2")
    line = strip(page).get_by_role("listitem").filter(has_text="M2 no acusó")
    await line.get_by_role("button", name="Estacionar").click()
    await page.get_by_role("menuitem", name="15 min").click()
    reason = page.get_by_label("¿Por qué 15 minutos?")
    await reason.fill("está en el túnel")
    await reason.press("Enter")
    await button(page, "1 estacionada").click()
    await expect(strip(page).get_by_text(re.compile("Vuelve a las .* está en el túnel"))).to_be_visible()
    await shot(page, "alarm-shelved")


async def test_an_alarm_about_a_protected_incident_says_nothing_to_the_untrained(
    visitors: Visitors, city: City
) -> None:
    page, trained = [await visitors.arrive("/consola", who) for who in ("dispatcher", "trained")]
    await asyncio.gather(live(page), live(trained))
    desk = await visitors.desk("trained")
    ago = (now() - dt.timedelta(seconds=200)).isoformat()
    body = {
        "id": str(new_id()),
        "type_code": "SEG-07",
        "place": "Salta 1500",
        "location": {"type": "Point", "coordinates": [city.west.x, city.west.y]},
        "occurred_at": ago,
    }
    await desk.post("/incidents", body)
    await expect(strip(trained).get_by_text(re.compile("Nadie va"))).to_be_visible()
    await expect(strip(page)).to_have_count(0)


async def test_a_crew_on_scene_checks_in(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola", "dispatcher")
    await live(page)
    incident = await late(visitors, city, seconds=5)
    desk = await visitors.desk("dispatcher")
    there = {"status": "on_scene", "occurred_at": (now() - dt.timedelta(seconds=1500)).isoformat()}
    await desk.post(f"/assignments/{incident['assignment_id']}/status", there)
    await expect(strip(page).get_by_text(re.compile("M1 no da novedad"))).to_be_visible()
    await row(page, re.compile(re.escape(incident["place"]))).click()
    await expect(card(page).get_by_text(re.compile("debía darla"))).to_be_visible()
    await shot(page, "check-in")
    await page.keyboard.press("e")
    await expect(card(page).get_by_text(re.compile("toca en"))).to_be_visible()
    await expect(strip(page)).to_have_count(0)


async def test_a_supervisor_changes_a_rule_and_it_counts_at_once(visitors: Visitors, city: City) -> None:
    await late(visitors, city, seconds=1, call_sign="T1")
    page = await visitors.arrive("/tarjetas?ver=vigilancia", "supervisor", size=(1600, 900))
    rules = page.get_by_role("region", name="Qué se vigila")
    line = rules.get_by_role("listitem").filter(has_text="Si nadie acusa en").filter(has_text="Prioridad 1")
    await button(line, "Cambiar").click()
    seconds = line.get_by_label("Después de (segundos)")
    await seconds.fill("5")
    await shot(page, "watchdogs")
    await button(line, "Guardar").click()
    await expect(line).to_contain_text("Si nadie acusa en 5 s")
    await expect(rules).to_contain_text("Versión")
    console = await visitors.arrive("/consola", "dispatcher")
    await expect(strip(console).get_by_text(re.compile("T1 no acusó"))).to_be_visible()
    desk = await visitors.desk("supervisor")
    await desk.post("/watchdogs/unacknowledged-p1", {"seconds": 60})


async def test_how_it_looks(visitors: Visitors, city: City) -> None:
    """On a desk and on a telephone, dark and light: nothing is wider than its screen."""
    for call_sign in ("M1", "M2"):
        await late(visitors, city, call_sign=call_sign, seconds=130)
    await late(visitors, city, call_sign="T1", seconds=2000, type_code="INC-02")
    sizes = {"desk": (1600, 900), "phone": (360, 740)}
    for name, path in {"console": "/consola", "rules": "/tarjetas?ver=vigilancia"}.items():
        for size, pixels in sizes.items():
            for theme in THEMES:
                page = await visitors.arrive(
                    path, "supervisor", size=pixels, theme="dark" if theme == "dark" else "light"
                )
                await live(page)
                if (name, size) == ("console", "phone"):
                    await page.locator(".strip-fold").click()  # one line, until somebody opens it
                there = strip(page) if name == "console" else page.get_by_role("region", name="Qué se vigila")
                await expect(there.get_by_role("listitem").first).to_be_visible()
                await shot(page, f"alarms-{name}-{size}-{theme}")
                wide = await page.evaluate(
                    "document.documentElement.scrollWidth > document.documentElement.clientWidth"
                )
                assert not wide, (name, size)
