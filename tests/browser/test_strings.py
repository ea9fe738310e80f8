"""What people write is shown as they wrote it, everywhere, and never runs."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import button, card, live, queue, row, worst
from tests.builders import City, a_sending

pytestmark = MAPLESS

NASTY = """'"--></script></style><img src=x onerror=alert(1)>{{7*7}}${1}"""
SHORT = "<b onclick=alert(1)>"  # a call sign has twenty characters


def nasty(what: str) -> str:
    """Recognisable by its beginning."""
    return f"{what} {NASTY}"


async def nothing_came_alive(*pages: Page) -> None:
    """The words made no elements."""
    for page in pages:
        assert await page.locator("img[src=x], b[onclick]").count() == 0


async def test_strings_are_only_strings(visitors: Visitors, city: City) -> None:
    dispatcher, supervisor = await visitors.desk("dispatcher"), await visitors.desk("supervisor")
    stranger = await visitors.stranger()
    place = {"type": "Point", "coordinates": [city.west.x, city.west.y]}
    unit = {"id": str(new_id()), "call_sign": SHORT, "kind": "patrol", "base": nasty("base")}
    await supervisor.post("/units", unit | {"organization_id": str(city.organizations["municipality"])})
    fix = {"unit_id": unit["id"], "location": place, "fixed_at": (await supervisor.get("/snapshot"))["server_time"]}
    await supervisor.post("/positions", {"positions": [fix]})
    report = {"id": str(new_id()), "words": nasty("palabras"), "place": nasty("lugar"), "location": place}
    told = await stranger.post("/reports", report | {"contact": {"name": nasty("nombre"), "phone": "341 555 0000"}})
    body = {"id": str(new_id()), "type_code": "INC-02", "location": place}
    incident = (await dispatcher.post("/incidents", body | {"place": nasty("sitio"), "summary": nasty("resumen")}))[
        "properties"
    ]
    path = f"/incidents/{incident['id']}"
    notes = [{"id": str(new_id()), "text": nasty(word)} for word in ("nota", "tachada")]
    for note in notes:
        await dispatcher.post(f"{path}/notes", note)
    await dispatcher.post(f"{path}/notes/{notes[1]['id']}/strike", {"reason": nasty("motivo")})
    await dispatcher.post(f"{path}/assignments", a_sending(unit["id"]))

    desk = await visitors.arrive("/consola", "dispatcher")
    wall = await visitors.arrive("/pared", "wall", size=(1280, 720))
    phone = await visitors.arrive(f"/s/{told['tracking_code']}", size=(360, 740))
    await live(desk)
    await row(desk, re.compile("palabras")).click()
    for words in ("palabras", "lugar"):
        await expect(queue(desk).get_by_text(nasty(words))).to_be_visible()
        await expect(card(desk).get_by_text(nasty(words))).to_be_visible()
    await button(card(desk), "Ver quién avisó").click()
    await expect(card(desk).get_by_text(nasty("nombre"))).to_be_visible()
    await row(desk, re.compile("sitio")).click()
    for words in ("sitio", "resumen", "nota", "tachada", "motivo"):
        await expect(card(desk).get_by_text(nasty(words)).first).to_be_visible()
    await expect(card(desk).get_by_text(SHORT).first).to_be_visible()
    await shot(desk, "12-cadenas")
    await expect(worst(wall)).to_contain_text(nasty("sitio"))
    await expect(worst(wall)).to_contain_text("sin acusar")
    await desk.keyboard.press("Alt+m")
    await expect(desk.get_by_role("cell", name=nasty("sitio")).first).to_be_visible()
    await expect(desk.get_by_role("cell", name=SHORT).first).to_be_visible()
    await desk.keyboard.press("Alt+m")
    await nothing_came_alive(desk, wall, phone)

    # A form that comes back keeps what was typed, and only as text.
    await phone.goto("/avisar")
    await phone.locator("#words").fill(nasty("vuelve"))
    await phone.locator("#name").fill(nasty("quien"))
    await phone.locator("#send").click()
    await expect(phone.locator("#words")).to_have_value(nasty("vuelve"))
    await expect(phone.locator("#name")).to_have_value(nasty("quien"))
    await nothing_came_alive(phone)
    await dispatcher.post(f"{path}/close", {"disposition": "resolved", "note": nasty("cierre")})
    await dispatcher.post(f"/reports/{report['id']}/dismiss", {"reason": "hoax", "note": nasty("descarte")})
    await expect(card(desk).get_by_text(nasty("cierre")).first).to_be_visible()
    await nothing_came_alive(desk, wall)
    await supervisor.post(f"/units/{unit['id']}/duty", {"duty": "out_of_service"})
