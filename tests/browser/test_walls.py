"""The wall: a link opens it, a console steers it, a P1 holds it still, a dead feed is seen, and its end is said."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import live, worst
from tests.builders import City
from tests.served import Served

pytestmark = MAPLESS


async def test_a_wall_from_its_link_to_its_end(visitors: Visitors, served: Served, city: City) -> None:
    boss = await visitors.desk("supervisor")
    made = await boss.post("/walls", {"id": str(new_id()), "name": "Pared norte"})
    token = (await boss.post(f"/walls/{made['id']}/link", {}))["token"]
    place = {"type": "Point", "coordinates": [city.east.x, city.east.y]}

    wall = await visitors.arrive(f"/pared/situacion?token={token}", size=(1920, 1080))
    await live(wall)
    assert wall.url.endswith("/pared/situacion")
    assert token not in await wall.evaluate("JSON.stringify([localStorage, sessionStorage, document.referrer])")
    await shot(wall, "pared-1-situacion-vacia")

    body = {"id": str(new_id()), "type_code": "MET-01", "location": place, "place": "Plaza 79"}
    quiet = await boss.post("/incidents", body)
    console = await visitors.arrive("/consola", "supervisor", size=(1600, 900))
    await live(console)
    await (
        console.get_by_role("region", name="Cola de trabajo").get_by_role("button", name=re.compile("Plaza 79")).click()
    )
    await console.keyboard.press("g")
    await console.keyboard.press("w")
    sheet = console.get_by_role("dialog", name="Paredes").get_by_role("listitem", name="Pared norte")
    await expect(sheet.get_by_text("viva")).to_be_visible()
    await sheet.get_by_role("button", name="Mostrar en crisis lo elegido").click()
    await expect(wall.get_by_role("region", name="Crisis")).to_contain_text(quiet["properties"]["code"])
    await shot(console, "pared-2-consola")
    await shot(wall, "pared-3-crisis")
    await sheet.get_by_text("Tablero", exact=True).click()
    await expect(wall.get_by_role("region", name="Tablero")).to_contain_text("Móviles libres")
    await shot(wall, "pared-4-tablero")
    await sheet.get_by_text("Rotación", exact=True).click()
    await expect(wall.locator(".wall")).not_to_have_attribute("data-frozen", "true")

    fire = {"id": str(new_id()), "type_code": "INC-01", "priority": 1, "location": place, "place": "Casa 91"}
    await boss.post("/incidents", fire)
    await expect(wall.get_by_text("Fija hasta que alguien acuse")).to_be_visible()
    await expect(worst(wall)).to_contain_text("Casa 91")
    await shot(wall, "pared-5-fija")

    for process in ("feed", "serve"):
        served.kill(process)
    await expect(wall.get_by_text("DEMORADO. Datos de hace")).to_be_visible()
    await shot(wall, "pared-6-muerta")
    served.start()
    served.ready()
    await live(wall)

    await boss.post(f"/walls/{made['id']}/revoke", {})
    await expect(wall.get_by_text("Esta pared ya no tiene permiso.")).to_be_visible()
    await wall.reload()
    await expect(wall.get_by_text("Pedí otro enlace")).to_be_visible()


@pytest.mark.parametrize("token", ["no-es-ninguno"])
async def test_a_wrong_link_says_what_to_do(visitors: Visitors, token: str) -> None:
    wall = await visitors.arrive(f"/pared/tablero?token={token}", size=(1920, 1080))
    await expect(wall.get_by_text("Este enlace no vale.")).to_be_visible()
    assert "token" not in wall.url
