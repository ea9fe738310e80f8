"""When the line drops the screen says so; when it is back the screen is true again, without a reload."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from playwright.async_api import expect
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import close_incident
from incidents.incident import open_incident as open_incident_there
from realtime.database import connect, new_id, sessions_of, transaction
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import card, live, never_reloaded, played, row, worst
from tests.builders import City
from tests.served import Served

pytestmark = BROWSER

SAYS_SO_WITHIN = 10.0  # seconds
TRUE_AGAIN_WITHIN = 15.0


@asynccontextmanager
async def behind_the_screens(served: Served) -> AsyncIterator[AsyncSession]:
    """A transaction of some other process, while the front is away."""
    engine = connect(served.environment["VIGIA_DATABASE_URL"], pool=1)
    async with transaction(sessions_of(engine)) as session:
        yield session
    await engine.dispose()


async def test_the_line_drops_and_comes_back(visitors: Visitors, served: Served, city: City) -> None:
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
    await row(desk, re.compile("Antes del corte")).click()
    await expect(worst(wall).get_by_text("Antes del corte 12")).to_be_visible()

    await desk.get_by_role("button", name="Probar sonido").click()  # this seat sounds

    # The gateway alone: the screens ask by themselves, and say so.
    served.kill("feed")
    cut = time.monotonic()
    await expect(desk.get_by_text("por consulta")).to_be_visible()
    asked = time.monotonic() - cut
    await open_incident("MET-03", "Sin feed 23")
    await expect(row(desk, re.compile("Sin feed 23"))).to_be_visible()

    # The whole front: nothing can be heard any more.
    served.kill("serve")
    cut = time.monotonic()
    strip = desk.get_by_role("alert").filter(has_text=re.compile("Datos de hace|SIN CONEXIÓN"))
    await expect(strip).to_be_visible()
    said = time.monotonic() - cut
    await expect(wall.get_by_text(re.compile("DEMORADO|SIN CONEXIÓN"))).to_be_visible()
    await played(desk, "lost")
    await shot(desk, "9-sin-conexion")
    await shot(wall, "9-pared-sin-conexion")

    # Life goes on behind the dead screens.
    during = "Durante el corte 34"
    async with behind_the_screens(served) as session:
        await close_incident(session, city.actor("dispatcher"), UUID(before), disposition="resolved")
        await open_incident_there(
            session, city.actor("dispatcher"), new_id(), type_code="MET-02", location=city.east, place=during
        )
        await open_incident_there(
            session,
            city.actor("dispatcher"),
            new_id(),
            type_code="INC-01",
            location=city.east,
            place="Fuego 56",
            priority=1,
        )
    await expect(row(desk, re.compile(during))).to_have_count(0)

    served.start()
    served.ready()
    back = time.monotonic()
    await expect(row(desk, re.compile(during))).to_be_visible()
    again = time.monotonic() - back
    await expect(card(desk).get_by_text("Cerrado", exact=True).first).to_be_visible()
    await expect(worst(wall)).to_contain_text(during)
    await expect(worst(wall)).not_to_contain_text("Antes del corte 12")
    await expect(strip).to_have_count(0)
    await live(desk)
    await never_reloaded(desk, wall)
    await played(desk, "p1")  # the P1 that nobody here could hear
    await played(desk, "back")
    assert asked <= SAYS_SO_WITHIN, f"the screen said that it asks by itself after {asked:.1f} s"
    assert said <= SAYS_SO_WITHIN, f"the screen said that it hears nothing after {said:.1f} s"
    assert again <= TRUE_AGAIN_WITHIN, f"the screen was true again after {again:.1f} s"


async def test_on_a_telephone_nothing_of_the_console_is_cut(visitors: Visitors) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(360, 740))
    await live(page)
    for part in (page.get_by_text(re.compile("En vivo")), page.get_by_role("button", name="Móviles", exact=True)):
        box = await part.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 360
    # A plain word while all is well; whatever frames other chips does not frame this one.
    state = page.locator(".link-chip")
    assert await state.evaluate("each => getComputedStyle(each).borderTopWidth") == "0px"
