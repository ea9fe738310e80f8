"""A street is closed with the mouse, and every screen knows: the maps show it, and the way there takes longer."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, Response, expect

from realtime.database import new_id, now
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.ground import Ground
from tests.browser.screens import button, card, live, row
from tests.browser.streets import lay_chessboard
from tests.builders import City
from tests.served import Served, cloned
from web.launcher import front_end

pytestmark = BROWSER


@pytest.fixture(scope="module")
def served(
    maintenance_url: str, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """An installation of this module's own: its city has streets."""
    if (problem := front_end.build_failure()) is not None:
        pytest.fail(f"the front end was not built: {problem}")
    with cloned(maintenance_url, template) as database_url:
        lay_chessboard(database_url)
        with Served(tmp_path_factory.mktemp("streets"), database_url, redis_url) as running:
            yield running


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    """Nobody has a session in this module's city yet."""
    return {}


AMBER = (255, 194, 71)  # --cut
YELLOW = (255, 221, 0)  # --focus
ACROSS = [(-60.642, -32.9675), (-60.642, -32.9365)]  # every way from east to west but the northernmost


async def a_scene(visitors: Visitors, city: City) -> dict[str, Any]:
    """An incident in the west, a patrol in the east, another a little farther on this side."""
    dispatcher = await visitors.desk("dispatcher")
    body = {
        "id": str(new_id()),
        "type_code": "SIN-02",
        "place": f"Choque {new_id()}",
        "location": {"type": "Point", "coordinates": [city.west.x, city.west.y]},
    }
    made = await dispatcher.post("/incidents", body)
    await stand(visitors, city, "M1", (-60.62, -32.95))
    await stand(visitors, city, "M2", (-60.668, -32.938))
    incident: dict[str, Any] = made["properties"]
    return incident


async def stand(visitors: Visitors, city: City, call_sign: str, place: tuple[float, float]) -> None:
    """Say where a unit is, now."""
    fix = {
        "unit_id": str(city.units[call_sign]),
        "location": {"type": "Point", "coordinates": list(place)},
        "fixed_at": now().isoformat(),
    }
    told = await (await visitors.desk("dispatcher")).post("/positions", {"positions": [fix]})
    assert told["accepted"] == 1


def minutes_of(page: Page, call_sign: str) -> Any:
    """What the dispatch list says about how far a unit is."""
    return card(page).locator(".candidates li").filter(has_text=call_sign).locator(".candidate-far")


async def bounds_of(visitors: Visitors) -> tuple[float, float, float, float]:
    """What maps of this city show when they open."""
    session = await (await visitors.desk("dispatcher")).get("/session")
    west, south, east, north = session["city"]["bounds"]
    return west, south, east, north


async def test_a_closure_drawn_in_the_browser_changes_an_eta(visitors: Visitors, city: City) -> None:
    incident = await a_scene(visitors, city)
    watching = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    drawing = await visitors.arrive("/consola", "supervisor", size=(1600, 900))
    wall = await in_daylight(await visitors.arrive("/pared", "wall", size=(1600, 900)))
    bounds = await bounds_of(visitors)
    for page in (watching, drawing):
        await live(page)
        await expect(page.locator(".maplibregl-canvas")).to_be_visible()
    on_watching, on_drawing = await Ground.of(watching, bounds), await Ground.of(drawing, bounds)
    on_wall = await Ground.of(wall, bounds, padding=40)

    await row(watching, re.compile(incident["place"])).click()
    await button(watching, "Ver toda la ciudad").click()
    m1 = minutes_of(watching, "M1")
    await expect(m1).to_have_text(re.compile(r"^\d+ min"))
    await expect(card(watching).get_by_text("por calle", exact=True)).to_be_visible()
    before = await m1.inner_text()
    middle = ((ACROSS[0][0] + ACROSS[1][0]) / 2, (ACROSS[0][1] + ACROSS[1][1]) / 2)
    near = (middle[0], middle[1] + 0.006)  # beside the sign, on the line itself
    assert await on_wall.pixels_near(wall, near, AMBER) == 0
    await shot(watching, "closures-1-antes")

    # The other one draws with the mouse.
    await draw_line(drawing, on_drawing, ACROSS)
    await card(drawing).get_by_label("Motivo").fill("Caño roto en toda la calzada")
    await card(drawing).get_by_text("Todas las de emergencia").click()  # nobody passes
    await shot(drawing, "closures-3-formulario")

    answered: list[float] = []

    def hear(answer: Response) -> None:
        if answer.url.endswith("/api/v1/closures") and answer.status == 201:
            answered.append(time.perf_counter())

    drawing.on("response", hear)
    await button(card(drawing), "Cortar").click()
    await watching.wait_for_function(
        """([unit, before]) => [...document.querySelectorAll(".candidates li")].some((item) =>
            item.textContent.includes(unit) && /\\d+ min/.test(item.textContent)
            && item.querySelector(".candidate-far").innerText !== before)""",
        arg=["M1", before],
        polling=10,
    )
    changed = time.perf_counter()
    after = await m1.inner_text()
    took = (changed - answered[0]) * 1000
    print(f"\nfrom the 201 to the changed text: {took:.0f} ms ({before!r} → {after!r})")  # noqa: T201
    assert minutes(after) > minutes(before) + 2
    await expect(card(watching).get_by_text("por calle · 1 corte")).to_be_visible()
    await expect(drawing.get_by_text("Cortado: Caño roto en toda la calzada")).to_be_visible()
    for page, ground in ((watching, on_watching), (drawing, on_drawing), (wall, on_wall)):
        await until_drawn(page, ground, near)
    await shot(watching, "closures-4-despues")
    await shot(wall, "closures-5-pared")

    # The one who draws sees its card, and lifts it with the keyboard: held for a second.
    await expect(card(drawing).get_by_role("heading", name="Calle cortada")).to_be_visible()
    await shot(drawing, "closures-6-ficha")
    lift = card(drawing).get_by_role("button", name=re.compile("Levantar el corte"))
    await lift.focus()
    await drawing.keyboard.down("Enter")
    await expect(drawing.get_by_text("Levantado: Caño roto en toda la calzada")).to_be_visible()
    await drawing.keyboard.up("Enter")
    await expect(m1).to_have_text(re.compile(rf"^{minutes(before)} min"))
    await expect(card(watching).get_by_text("por calle", exact=True)).to_be_visible()
    for page, ground in ((watching, on_watching), (wall, on_wall)):
        await until_drawn(page, ground, near, gone=True)


async def draw_line(page: Page, ground: Ground, places: list[tuple[float, float]]) -> None:
    """B, a click at every turn, and Enter."""
    await page.keyboard.press("b")
    await expect(card(page).get_by_role("heading", name="Cortar calle")).to_be_visible()
    await expect(page.get_by_text("Clic donde empieza el corte")).to_be_visible()
    for place in places:
        await page.mouse.move(*ground.at(*place), steps=4)
        await page.mouse.click(*ground.at(*place))
        await expect(page.get_by_text("Enter termina")).to_be_visible()
    await page.mouse.move(*ground.at(-60.636, -32.94), steps=3)
    await shot(page, "closures-2-dibujando")
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text(f"Calle marcada, {len(places)} puntos")).to_be_visible()


async def close_by_hand(visitors: Visitors, kind: str, reason: str, shape: dict[str, Any], **more: Any) -> str:
    """A closure without a screen."""
    body = {"id": str(new_id()), "kind": kind, "reason": reason, "shape": shape} | more
    made = await (await visitors.desk("dispatcher")).post("/closures", body)
    return str(made["properties"]["id"])


async def lift_all(visitors: Visitors) -> None:
    """Open every street."""
    dispatcher = await visitors.desk("dispatcher")
    for closure in (await dispatcher.get("/closures"))["features"]:
        await dispatcher.post(f"/closures/{closure['properties']['id']}/lift", {})


async def test_time_alone_takes_a_closure_off_the_map_and_out_of_the_eta(visitors: Visitors, city: City) -> None:
    incident = await a_scene(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    ground = await Ground.of(page, await bounds_of(visitors))
    await live(page)
    await row(page, re.compile(incident["place"])).click()
    await button(page, "Ver toda la ciudad").click()
    await expect(card(page).get_by_text("por calle", exact=True)).to_be_visible()
    free = minutes(await minutes_of(page, "M1").inner_text())
    line = {"type": "LineString", "coordinates": [list(place) for place in ACROSS]}
    until = (now() + dt.timedelta(seconds=25)).isoformat()
    await close_by_hand(visitors, "works", "Se termina enseguida", line, valid_until=until)
    near = (ACROSS[0][0], -32.946)
    await until_drawn(page, ground, near)
    await expect(minutes_of(page, "M1")).not_to_have_text(re.compile(rf"^{free} min"))
    await expect(minutes_of(page, "M1")).to_have_text(re.compile(rf"^{free} min"), timeout=60_000)
    await until_drawn(page, ground, near, gone=True)


async def test_what_is_drawn_is_not_lost_by_a_slip_and_a_point_needs_no_mouse(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await expect(page.locator(".maplibregl-canvas")).to_be_visible()
    ground = await Ground.of(page, await bounds_of(visitors))
    await page.keyboard.press("b")
    await expect(page.get_by_text("Clic donde empieza el corte")).to_be_visible()
    for place in ((-60.65, -32.96), (-60.65, -32.945), (-60.64, -32.945)):
        await page.mouse.move(*ground.at(*place), steps=4)
        await page.mouse.click(*ground.at(*place))
        await page.wait_for_timeout(150)
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("Hay 3 puntos sin terminar")).to_be_visible()
    await shot(page, "closures-7-pregunta")
    await page.keyboard.press("Backspace")  # goes on instead
    await expect(page.get_by_text("Enter termina · ⌫")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("Hay 2 puntos sin terminar")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("Clic donde empieza el corte")).to_be_visible()
    await button(card(page), "En el centro del mapa").press("Enter")
    await expect(card(page).get_by_text("Esquina marcada")).to_be_visible()
    await expect(card(page).get_by_label("Motivo")).to_be_focused()
    await page.keyboard.type("Árbol caído")
    await page.keyboard.press("Escape")  # the draft stays
    await expect(card(page).get_by_role("heading", name="Cortar calle")).to_have_count(0)
    await page.keyboard.press("b")
    await expect(card(page).get_by_label("Motivo")).to_have_value("Árbol caído")
    await card(page).get_by_label("Motivo").press("Control+Enter")
    await expect(card(page).get_by_role("heading", name="Calle cortada")).to_be_visible()
    (made,) = (await (await visitors.desk("dispatcher")).get("/closures"))["features"]
    assert made["geometry"]["type"] == "Polygon"  # the whole crossing, not one of its streets
    await button(card(page), "+1 h").click()
    await expect(page.get_by_text(re.compile("^Corte desde las"))).to_be_visible()
    await lift_all(visitors)
    await expect(card(page).get_by_text("El corte se levantó o venció.")).to_be_visible()


async def test_a_stroke_outlives_another_look_and_a_reload_and_needs_two_corners(
    visitors: Visitors, city: City
) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await expect(page.locator(".maplibregl-canvas")).to_be_visible()
    ground = await Ground.of(page, await bounds_of(visitors))
    places = [(-60.65, -32.96), (-60.65, -32.945), (-60.64, -32.945)]
    await page.keyboard.press("b")
    await expect(page.get_by_text("Clic donde empieza el corte")).to_be_visible()
    for number, place in enumerate(places):
        await page.mouse.move(*ground.at(*place), steps=4)
        await page.mouse.click(*ground.at(*place))
        await page.wait_for_timeout(150)
        if number == 0:
            await page.keyboard.press("Enter")  # a street has two ends
            await page.wait_for_timeout(300)
            await expect(page.get_by_text("Enter termina")).to_be_visible()
    await page.get_by_role("button", name="Mapa en grises").click()
    await until_drawn(page, ground, places[1], YELLOW)
    await page.wait_for_timeout(700)  # drafts are put away twice a second
    await page.reload()
    await live(page)
    await page.keyboard.press("b")
    await expect(page.get_by_text("Enter termina")).to_be_visible()
    await until_drawn(page, ground, places[1], YELLOW)
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text("Calle marcada, 3 puntos")).to_be_visible()


async def test_an_area_is_drawn_and_sent_without_a_mouse(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await expect(page.locator(".maplibregl-canvas")).to_be_visible()
    await page.keyboard.press("b")
    await expect(page.get_by_text("Clic donde empieza el corte")).to_be_visible()
    await card(page).get_by_role("radio", name="Zona").press("Space")
    await expect(page.get_by_text("flechas y Espacio")).to_be_visible()
    for arrow in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        await expect(page.locator(".maplibregl-canvas")).to_be_focused()
        await page.keyboard.press(arrow)
        await page.wait_for_timeout(600)  # the map glides
        await page.keyboard.press("Space")
    await expect(page.get_by_text("Enter termina")).to_be_visible()
    await shot(page, "closures-10-teclado")
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text("Zona marcada")).to_be_visible()
    await page.keyboard.type("Arroyo desbordado")
    await card(page).get_by_role("radio", name="Anegada").press("Space")
    await card(page).get_by_role("checkbox", name="Bomberos").press("Space")
    await expect(card(page).get_by_role("checkbox", name="Bomberos")).to_be_checked()
    await page.keyboard.press("Control+Enter")
    await expect(card(page).get_by_role("heading", name="Anegada")).to_be_visible()
    (made,) = (await (await visitors.desk("dispatcher")).get("/closures"))["features"]
    assert made["geometry"]["type"] == "Polygon"
    assert made["properties"]["passable_by"] == ["fire"]
    await lift_all(visitors)


WATER = (74, 168, 255)  # --cut-water
ROUTE = (217, 163, 255)  # --route in the dark


async def test_each_kind_has_its_drawing_and_the_way_there_is_shown(visitors: Visitors, city: City) -> None:
    incident = await a_scene(visitors, city)

    def line(*places: tuple[float, float]) -> dict[str, Any]:
        return {"type": "LineString", "coordinates": [list(place) for place in places]}

    def area(west: float, south: float, east: float, north: float) -> dict[str, Any]:
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return {"type": "Polygon", "coordinates": [ring]}

    await close_by_hand(visitors, "closed", "Choque múltiple", line((-60.644, -32.954), (-60.644, -32.946)))
    await close_by_hand(visitors, "flooded", "Bajo anegado", area(-60.639, -32.963, -60.629, -32.955))
    await close_by_hand(visitors, "works", "Bacheo", line((-60.636, -32.942), (-60.628, -32.942), (-60.628, -32.938)))
    await close_by_hand(visitors, "event", "Feria", area(-60.657, -32.945, -60.649, -32.939), passable_by=["ambulance"])
    obstacle = {"type": "Point", "coordinates": [-60.652, -32.958]}
    await close_by_hand(visitors, "obstacle", "Árbol caído", obstacle)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    ground = await Ground.of(page, await bounds_of(visitors))
    await live(page)
    await row(page, re.compile(incident["place"])).click()
    await button(page, "Ver toda la ciudad").click()
    await expect(card(page).get_by_text("por calle · 5 cortes")).to_be_visible()
    await until_drawn(page, ground, (-60.636, -32.961), WATER)
    await until_drawn(page, ground, (-60.655, -32.9405), AMBER)
    await card(page).locator(".candidates li").filter(has_text="M1").hover()
    await until_drawn(page, ground, (-60.622, -32.95), ROUTE)
    await shot(page, "closures-8-oscuro")
    await page.get_by_role("button", name="Ver como lista").click()
    await expect(page.get_by_role("table", name="Cortes").get_by_text("Feria")).to_be_visible()
    await shot(page, "closures-9-lista")

    light = await visitors.arrive("/consola", "supervisor", size=(1600, 900), theme="light")
    await live(light)
    in_light = await Ground.of(light, await bounds_of(visitors))
    await until_drawn(light, in_light, (-60.636, -32.961), WATER)
    await light.mouse.click(*in_light.at(-60.634, -32.9565))
    await expect(card(light).get_by_role("heading", name="Anegada")).to_be_visible()
    await shot(light, "closures-8-claro")
    await light.keyboard.press("b")
    await shot(light, "closures-3-claro")

    small = await visitors.arrive("/consola", "trained", size=(360, 740))
    await small.get_by_role("button", name="Mapa", exact=True).click()
    await small.wait_for_timeout(1500)
    await shot(small, "closures-8-chico")
    await small.get_by_role("button", name="Cortar calle").click()
    await shot(small, "closures-3-chico")
    await lift_all(visitors)


async def in_daylight(wall: Page) -> Page:
    """A wall is darker at night; colours are looked for as by day."""
    await wall.add_style_tag(content=".wall { filter: none !important }")
    return wall


def minutes(text: str) -> int:
    """The number in front of "min"."""
    found = re.match(r"(\d+) min", text)
    assert found is not None, text
    return int(found[1])


async def until_drawn(
    page: Page,
    ground: Ground,
    place: tuple[float, float],
    colour: tuple[int, int, int] = AMBER,
    *,
    gone: bool = False,
) -> None:
    """Until something of a colour is on the map at a place, or is there no more."""
    for _ in range(150):
        count = await ground.pixels_near(page, place, colour)
        if (count == 0) if gone else (count > 20):
            return
        await page.wait_for_timeout(100)
    raise AssertionError(f"{count} pixels of {colour} at {place}")
