"""How the desk is arranged: three layouts, the foot, the map in a window of its own, and a queue that holds a storm."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from typing import Any

from playwright.async_api import Error, Locator, Page, WebSocketRoute, expect

from realtime.database import new_id, now
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import card, live, queue, row
from tests.builders import City

pytestmark = MAPLESS


def parts(page: Page) -> Locator:
    """What stands beside each other."""
    return page.locator(".desk-cell")


def line(page: Page, name: str) -> Locator:
    """The line between two parts, which is pulled to make one wider."""
    return page.get_by_role("separator", name=name)


async def layout_is(page: Page, name: str) -> None:
    """That layout's button says so."""
    await expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")


async def width(of: Locator) -> float:
    """How wide it is, in pixels."""
    box = await of.bounding_box()
    assert box is not None
    return box["width"]


async def test_layouts_by_key_and_by_mouse(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await layout_is(page, "Despacho")
    await expect(parts(page)).to_have_count(3)
    await page.evaluate("document.querySelector('.map-pane').dataset.mine = 'yes'")

    # The same parts in other places: nothing in them begins anew.
    await page.keyboard.press("F2")
    await layout_is(page, "Toma")
    assert await width(card(page)) > await width(page.locator(".map-pane"))
    await page.get_by_role("button", name="Supervisión", exact=True).click()
    await layout_is(page, "Supervisión")
    await expect(parts(page)).to_have_count(4)
    await page.keyboard.press("F3")
    await expect(page.locator(".map-pane")).to_have_attribute("data-mine", "yes")
    await shot(page, "layout-dispatch")

    # Wider by the keyboard; still so after a reload; a button undoes it.
    before = await width(queue(page))
    await line(page, "Ancho entre cola y mapa").focus()
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    wider = await width(queue(page))
    assert wider > before + 20
    await page.reload()
    await live(page)
    await layout_is(page, "Despacho")
    assert abs(await width(queue(page)) - wider) < 3
    await page.get_by_role("button", name="Volver a los anchos de fábrica").click()
    assert abs(await width(queue(page)) - before) < 3

    # The foot goes and comes; U brings it back and goes to the first unit.
    await page.keyboard.press("F8")
    await expect(page.get_by_role("contentinfo", name="Móviles")).to_have_count(0)
    await page.keyboard.press("u")
    await expect(page.locator(".unit-chip").first).to_be_focused()


async def test_the_map_in_a_window_of_its_own(visitors: Visitors, city: City) -> None:
    dispatcher = await visitors.desk("dispatcher")
    at = {"type": "Point", "coordinates": [city.west.x, city.west.y]}
    body = {"id": str(new_id()), "type_code": "INC-01", "location": at, "place": "Salta 1"}
    made = await dispatcher.post("/incidents", body)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    async with page.expect_popup() as popup:
        await page.keyboard.press("F9")
    apart = await popup.value
    await live(apart)
    await apart.keyboard.press("Alt+m")  # where the map can be drawn, its table
    await expect(page.locator(".map-pane")).to_have_count(0)
    await row(page, re.compile("Incendio de vivienda Salta 1")).click()
    await expect(apart.locator("tr[aria-current=true]")).to_contain_text(made["properties"]["code"])
    await page.keyboard.press("Escape")
    await expect(apart.locator("tr[aria-current=true]")).to_have_count(0)
    await apart.locator("tr", has_text=made["properties"]["code"]).get_by_role("button").first.click()
    await expect(card(page)).to_contain_text(made["properties"]["code"])
    with contextlib.suppress(Error):  # the window may be gone before the click is said to be done
        await apart.get_by_role("button", name=re.compile("Devolver el mapa")).click()
    await expect(page.locator(".map-pane")).to_have_count(1)


class Storm:
    """A feed to which a test adds what it likes; all else comes from the server as always."""

    def __init__(self) -> None:
        self._sockets: list[WebSocketRoute] = []

    async def __call__(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        self._sockets.append(socket)
        del server  # both ways, unchanged

    def tell(self, features: list[dict[str, Any]]) -> None:
        """These are on the board from now on."""
        for one in features:
            properties = one["properties"]
            line = {"type": "line", "subject": properties["subject"], "version": properties["version"], "feature": one}
            for socket in self._sockets:
                socket.send(json.dumps(line))


BARE: dict[str, Any] = {
    "masked": False,
    "type_code": "MET-01",
    "type_name": "Árbol caído",
    "sensitivity": 0,
    "alarm_level": 1,
    "state": "new",
    "summary": "",
    "place_match": None,
    "zone": None,
    "jurisdiction": None,
    "outside": False,
    "desk": None,
    "reports": 1,
    "tasks": None,
    "assignments": [],
    "stamps": {},
    "closed_at": None,
    "due_at": None,
    "disposition": None,
    "shared_with": [],
}


def an_open_one(at: City, number: int, *, priority: int = 3, version: int = 1) -> dict[str, Any]:
    """An incident as the feed tells it; the higher its number, the later it was opened."""
    opened = now() - dt.timedelta(minutes=30) + dt.timedelta(milliseconds=number)
    subject_id = f"0190{number:04d}-0000-7000-8000-{number:012d}"
    its = {"subject": f"incident:{subject_id}", "id": subject_id, "version": version, "code": f"T-{number}"}
    properties = BARE | its | {"priority": priority, "place": f"Calle {number}", "opened_at": opened.isoformat()}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [at.west.x, at.west.y]},
        "properties": properties,
    }


async def test_a_queue_of_fifteen_hundred(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/ingresar", "dispatcher", size=(1600, 900))
    storm = Storm()
    await page.route_web_socket(re.compile("/feed"), storm)
    await page.goto("/consola")
    await live(page)
    storm.tell([an_open_one(city, number) for number in range(1_500)])
    count = queue(page).locator(".queue-incidents .queue-head .count")
    await expect(count).to_have_text("1500")
    rows = queue(page).locator(".queue-incidents .row")
    assert await rows.count() < 40

    # J and K reach the last one, and its row is there.
    chosen = queue(page).locator(".queue-incidents .row-selected")
    await page.keyboard.press("k")
    size = int(await chosen.get_attribute("aria-setsize") or 0)
    assert size >= 1_500
    await expect(chosen).to_have_attribute("aria-posinset", str(size))
    await expect(chosen).to_be_in_viewport()
    assert await rows.count() < 45
    await page.keyboard.press("k")
    await page.keyboard.press("k")
    await page.keyboard.press("j")
    await expect(chosen).to_have_attribute("aria-posinset", str(size - 1))

    # Under the pointer nothing moves; what came waits behind its count, a P1 too, and takes nobody's focus.
    await queue(page).locator(".queue-incidents .rows").evaluate("rows => rows.scrollTo(0, 0)")
    await expect(rows.first).to_contain_text("Calle 0")
    await rows.first.hover()
    storm.tell([an_open_one(city, 2_000, priority=1), an_open_one(city, 2_001), an_open_one(city, 2_002)])
    await expect(queue(page).get_by_role("button", name="3 nuevos ↑")).to_be_visible()
    await expect(rows.first).to_contain_text("Calle 0")
    assert await page.evaluate("document.activeElement === document.body")
    await shot(page, "layout-1500")
    await page.mouse.move(1_000, 40)
    await expect(queue(page).get_by_role("button", name="3 nuevos ↑")).to_have_count(0)
    await expect(rows.first).to_contain_text("Calle 2000")

    # Under the keyboard's focus neither. Shift+N goes to the P1 that nobody has.
    await page.keyboard.press("Tab")
    await queue(page).locator(".queue-incidents .row button").first.focus()
    storm.tell([an_open_one(city, 2_003, priority=1)])
    await expect(queue(page).get_by_role("button", name="1 nuevo ↑")).to_be_visible()
    await expect(queue(page).locator(".queue-incidents .row button").first).to_be_focused()
    await page.keyboard.press("Shift+N")
    await expect(card(page)).to_contain_text("T-2000")
    await page.keyboard.press("Shift+N")
    await expect(card(page)).to_contain_text("T-2003")

    # Mías: nothing of this was hers.
    await page.locator("body").press("Escape")
    await queue(page).get_by_text("Mías", exact=True).click()
    await expect(rows).to_have_count(0)
