"""A line that loses, doubles, swaps and breaks for 5, 20 and 90 seconds: in the end the screen is as the server."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, Route, WebSocketRoute, expect

from incidents.incident import OVER
from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Desk, Visitors, shot
from tests.builders import City

pytestmark = MAPLESS

LOST, DOUBLED, LATE = 0.25, 0.1, 0.25  # shares of the lines
ROWS = """[...document.querySelectorAll("[id^=row-incident], [id^=row-report]")]
  .filter((row) => !row.closest(".row-gone")).map(({ id }) => id)"""


class BadLine:
    """Between a page and its feed. Heartbeats and snapshots come through while it holds, lines as luck will have it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.broken = False
        self.bad = True
        self.lost = 0
        self._open: list[WebSocketRoute] = []

    async def feed(self, page: WebSocketRoute) -> None:
        """A page calls."""
        if self.broken:
            await page.close()
            return
        server = page.connect_to_server()
        self._open.append(page)
        held: list[str | bytes] = []

        def carry(message: str | bytes) -> None:
            if not self.bad or json.loads(message)["type"] != "line":
                page.send(message)
                return
            luck = self.chance.random()
            if luck < LOST:
                self.lost += 1
                return
            if luck < LOST + LATE:
                held.append(message)  # behind the next one
                return
            page.send(message)
            if luck < LOST + LATE + DOUBLED:
                page.send(message)
            while held:
                page.send(held.pop())

        server.on_message(carry)

    async def ask(self, route: Route) -> None:
        """A page asks by itself, where it has no feed."""
        await (route.abort() if self.broken else route.continue_())

    async def cut(self) -> None:
        """Nothing comes through any more."""
        self.broken = True
        open_, self._open = self._open, []
        for each in open_:
            await each.close()


class Night:
    """Somebody at work meanwhile: things come, change and go."""

    def __init__(self, desk: Desk, place: dict[str, Any]) -> None:
        self.desk, self.place = desk, place
        self.incidents: list[str] = []
        self.reports: list[str] = []
        self.made: set[str] = set()  # all that there ever was, by its row

    async def turn(self, number: int) -> None:
        """Two come, one changes, one is over, one is dismissed; so few that nobody calls it a storm."""
        report = {"id": str(new_id()), "words": f"humo {number}", "channel": "phone", "location": self.place}
        self.reports.append((await self.desk.post("/reports", report))["id"])
        self.made.add(f"row-report-{self.reports[-1]}")
        body = {"id": str(new_id()), "type_code": "MET-01", "location": self.place, "place": f"Lamadrid {number}00"}
        self.incidents.append((await self.desk.post("/incidents", body))["properties"]["id"])
        self.made.add(f"row-incident-{self.incidents[-1]}")
        await self.desk.post(f"/incidents/{self.incidents[-1]}/reclassify", {"priority": 2 + number % 3})
        if len(self.reports) > 2:
            await self.desk.post(f"/reports/{self.reports.pop(0)}/dismiss", {"reason": "hoax"})
        if len(self.incidents) > 3:
            await self.desk.post(f"/incidents/{self.incidents.pop(0)}/close", {"disposition": "no_action"})


async def at_the_server(night: Night) -> set[str]:
    """Rows that there are to be seen of what this night made."""
    found = set()
    for feature in (await night.desk.get("/snapshot"))["features"]:
        kind, _, id_ = feature["properties"]["subject"].partition(":")
        if kind == "report" or (kind == "incident" and feature["properties"]["state"] not in OVER):
            found.add(f"row-{kind}-{id_}")
    return found & night.made


async def until(page: Page, so: Callable[[], Awaitable[bool]], what: str) -> None:
    """Let the page's time pass until it is so; after `run_for` it does not pass by itself."""
    for _ in range(300):
        if await so():
            return
        await page.clock.run_for(1_000)
        await asyncio.sleep(0.2)  # the network takes its own time
    raise AssertionError(what)


async def agrees(page: Page, night: Night, when: str) -> None:
    """The screen shows what the server has."""
    wanted = await at_the_server(night)

    async def same() -> bool:
        return set(await page.evaluate(ROWS)) & night.made == wanted

    await until(page, same, f"{when} the screen is not as the server")


@pytest.mark.parametrize("seed", [1])
async def test_the_screen_ends_as_the_server_whatever_the_line_did(visitors: Visitors, city: City, seed: int) -> None:
    desk = await visitors.desk("dispatcher")
    night = Night(desk, {"type": "Point", "coordinates": [city.west.x, city.west.y]})
    line = BadLine(seed)
    page = await visitors.arrive("/ingresar", size=(1600, 2400), apart=True)
    await page.context.add_cookies([await visitors.cookie("dispatcher")])
    await page.clock.install()
    await page.route_web_socket(re.compile("/feed"), line.feed)
    await page.route(re.compile("/api/v1/(snapshot|events)"), line.ask)
    await page.goto("/consola")
    await expect(page.get_by_text(re.compile("En vivo"))).to_be_visible()
    await page.evaluate("window.neverReloaded = true")

    for number in range(5):
        await night.turn(number)
    await agrees(page, night, "after a line that loses and swaps")
    assert line.lost > 0, "the line was good"
    for number, seconds in enumerate((5, 20, 90)):
        await line.cut()
        for turn in range(2):
            await night.turn(10 * (number + 1) + turn)
        await page.clock.run_for(1000 * seconds)
        if seconds > 10:
            await expect(page.get_by_text(re.compile("Datos de hace|SIN CONEXIÓN")).first).to_be_visible()
        await shot(page, f"bad-line-{seconds}")
        line.broken = False
        await agrees(page, night, f"after {seconds} s")
        await until(
            page, page.get_by_text(re.compile("En vivo · ")).is_visible, f"after {seconds} s it does not say live"
        )
    assert await page.evaluate("window.neverReloaded") is True
