"""When the feed dies the screen says so, and when it is back the screen is true again, without a reload."""

from __future__ import annotations

import re
import time

from playwright.async_api import expect

from realtime.database import new_id
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import live, never_reloaded, row, worst
from tests.builders import City
from tests.served import Served

pytestmark = BROWSER

SAYS_SO_WITHIN = 10.0  # seconds
TRUE_AGAIN_WITHIN = 15.0


async def test_the_feed_process_is_killed_and_comes_back(visitors: Visitors, served: Served, city: City) -> None:
    desk = await visitors.arrive("/consola", "dispatcher")
    wall = await visitors.arrive("/pared", "wall", size=(1280, 720))
    dispatcher = await visitors.desk("dispatcher")
    place = {"type": "Point", "coordinates": [city.east.x, city.east.y]}

    async def open_incident(type_code: str, words: str) -> str:
        body = {"id": str(new_id()), "type_code": type_code, "location": place, "place": words}
        made = await dispatcher.post("/incidents", body)
        return str(made["properties"]["id"])

    for page in (desk, wall):
        await live(page)
    before = await open_incident("MET-01", "Antes del corte 12")
    await expect(row(desk, re.compile("Antes del corte"))).to_be_visible()
    await expect(worst(wall).get_by_text("Antes del corte 12")).to_be_visible()

    # Killed the moment after something was heard: the screen has no excuse but its own clock.
    served.kill("feed")
    cut = time.monotonic()
    strip = desk.get_by_role("alert").filter(has_text=re.compile("Datos de hace|SIN CONEXIÓN"))
    await expect(strip).to_be_visible()
    said = time.monotonic() - cut
    await expect(wall.get_by_text(re.compile("DEMORADO|SIN CONEXIÓN"))).to_be_visible()
    await shot(desk, "9-sin-feed")
    await shot(wall, "9-pared-sin-feed")

    # Life goes on behind the dead screens.
    await dispatcher.post(f"/incidents/{before}/close", {"disposition": "resolved"})
    await open_incident("MET-02", "Durante el corte 34")
    await expect(row(desk, re.compile("Durante el corte"))).to_have_count(0)

    served.start("feed")
    served.ready()
    back = time.monotonic()
    await expect(row(desk, re.compile("Durante el corte"))).to_be_visible()
    again = time.monotonic() - back
    await expect(row(desk, re.compile("Antes del corte"))).to_contain_text("Cerrado")
    await expect(worst(wall)).to_contain_text("Durante el corte 34")
    await expect(worst(wall)).not_to_contain_text("Antes del corte 12")
    await expect(strip).to_have_count(0)
    await live(desk)
    await never_reloaded(desk, wall)
    assert said <= SAYS_SO_WITHIN, f"the screen said so after {said:.1f} s"
    assert again <= TRUE_AGAIN_WITHIN, f"the screen was true again after {again:.1f} s"
