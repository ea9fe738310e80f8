"""A Chromium, an installation that really runs, and visitors whose every step is watched.

Whatever a test does, its pages may not ask anybody but us, open a dialog, break the content policy or throw.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    WebError,
    async_playwright,
    expect,
)

from geo.numbering import lay_address_points
from geo.streets import lay_streets
from geo.zones import Zone, lay_zones, multipolygon
from incidents.storm import publish_storm_policy
from realtime.access import VIGIA
from realtime.database import connect, new_id, sessions_of, transaction
from tests.addresses.rosario import CENTRO, ESTE, rows
from tests.builders import City
from tests.served import Served, cloned
from web.launcher import front_end
from web.launcher.chromium import known_chromium

SHOTS = os.environ.get("VIGIA_SHOTS")  # a directory for screenshots, when somebody wants to look
EXPECTED_NOISE = ("Failed to load resource", "WebSocket connection to")  # refusals and dropped links are no faults
SLOW = 30_000  # milliseconds: two cores draw maps in software, beside other tests
BROWSER = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(200),
]  # the first one starts all
# What a screen does beside its map is tried where there is none: drawing maps in software is half of a test's time,
# and whoever's PC cannot draw them works like this. Screenshots are taken with maps.
MAPLESS = BROWSER if SHOTS else [*BROWSER, pytest.mark.mapless]
# Nothing is wider by night: only whoever looks needs both.
THEMES = ("dark", "light") if SHOTS else ("dark",)

expect.set_options(timeout=SLOW)


@pytest.fixture(scope="session")
def served(
    maintenance_url: str, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One installation for all browser tests of a worker; each test brings its own incidents."""
    if (problem := front_end.build_failure()) is not None:
        pytest.fail(f"the front end was not built: {problem}")
    with cloned(maintenance_url, template) as database_url:
        asyncio.run(_fair_weather(database_url))
        with Served(tmp_path_factory.mktemp("served"), database_url, redis_url) as running:
            yield running


async def _fair_weather(database_url: str) -> None:
    """What a hundred tests report within minutes is no storm of the city that they share."""
    engine = connect(database_url, pool=1)
    async with transaction(sessions_of(engine)) as session:
        await publish_storm_policy(session, VIGIA, {"automatic": False})
    await engine.dispose()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser. `./vigia test` always knows one; a bare pytest may run where there is none."""
    async with _chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
async def mapless_chromium() -> AsyncIterator[Browser]:
    """A browser on a PC that cannot draw maps."""
    async with _chromium("--disable-3d-apis") as browser:
        yield browser


@asynccontextmanager
async def _chromium(*more: str) -> AsyncIterator[Browser]:
    found = known_chromium()
    if found is None:
        pytest.skip("no Chromium here: ./vigia test brings one")
    async with async_playwright() as driver:
        arguments = [*(["--no-sandbox"] if os.getuid() == 0 else []), *more]
        browser = await driver.chromium.launch(executable_path=str(found), args=arguments)
        yield browser
        await browser.close()


class Desk:
    """Somebody at the REST API: what a test wants done without a screen."""

    def __init__(self, http: httpx2.AsyncClient, headers: dict[str, str]) -> None:
        self._http, self._headers = http, headers

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Do something; it must be granted."""
        answer = await self._http.post(path, json=body, headers=self._headers)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str) -> Any:
        """Read something."""
        answer = await self._http.get(path, headers=self._headers)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def feature(self, subject: str) -> dict[str, Any] | None:
        """One feature of the snapshot."""
        features = (await self.get("/snapshot"))["features"]
        return next((one for one in features if one["properties"]["subject"] == subject), None)


class Look(NamedTuple):
    """What a browser is opened for."""

    address: str
    javascript: bool
    size: tuple[int, int]
    theme: Literal["dark", "light"]


class Seats:
    """Browsers that earlier visitors left, cleared of everything but what was downloaded.

    A browser that never met our pages compiles two megabytes of JavaScript first: most of what a short test costs.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[Look, list[BrowserContext]] = {}

    async def take(self, look: Look) -> BrowserContext:
        """Somebody's, cleared, or a new one."""
        if free := self._free.get(look):
            return free.pop()
        return await self._browser.new_context(
            base_url=look.address,
            java_script_enabled=look.javascript,
            viewport={"width": look.size[0], "height": look.size[1]},
            locale="es-AR",
            color_scheme=look.theme,
            reduced_motion="reduce",
        )

    async def give_back(self, context: BrowserContext, look: Look) -> None:
        """Clear it for the next; where time is not the machine's, it cannot be."""
        page, *others = context.pages or [await context.new_page()]
        for other in others:
            await other.close()
        if look.javascript and not await page.evaluate("String(Date).includes('[native code]')"):
            await context.close()
            return
        await context.set_offline(False)
        await context.unroute_all()
        await context.clear_permissions()
        await context.clear_cookies()
        await page.goto("about:blank")
        cleaner = await context.new_cdp_session(page)
        await cleaner.send("Storage.clearDataForOrigin", {"origin": look.address, "storageTypes": "all"})
        await page.close()
        self._free.setdefault(look, []).append(context)


class Visitors:
    """Opens pages for people and notes whatever no page may do."""

    def __init__(self, seats: Seats, served: Served, tokens: dict[str, str]) -> None:
        self.served = served
        self.wrongs: list[str] = []
        self._seats = seats
        self._tokens = tokens
        self._taken: dict[BrowserContext, Look | None] = {}  # None: nobody gets it afterwards
        self._watches: dict[str, Callable[..., Any]] = {
            "request": self._look_at_request,
            "console": self._look_at_console,
            "dialog": self._look_at_dialog,
            "weberror": self._look_at_error,
        }
        # Shorter than the server keeps a connection: never send on one that it is about to close.
        limits = httpx2.Limits(keepalive_expiry=2)
        self._http = httpx2.AsyncClient(base_url=f"{served.address}/api/v1", timeout=30, limits=limits)

    async def arrive(
        self,
        path: str,
        who: str | None = None,
        *,
        javascript: bool = True,
        size: tuple[int, int] = (1366, 768),
        theme: Literal["dark", "light"] = "dark",
        apart: bool = False,
    ) -> Page:
        """A cleared browser at `path`, signed in as somebody of the city; `apart`, nobody gets it afterwards."""
        look = Look(self.served.address, javascript, size, theme)
        context = await self._seats.take(look)
        self._taken[context] = None if apart else look
        for event, watch in self._watches.items():
            context.on(event, watch)  # type: ignore[call-overload]
        if who is not None:
            await context.add_cookies([await self.cookie(who)])
        page = await context.new_page()
        page.set_default_timeout(SLOW)
        await page.goto(path)
        if javascript and who is not None:  # whoever has not signed in is led elsewhere at this moment
            await page.evaluate("window.neverReloaded = true")
        return page

    async def cookie(self, who: str) -> Any:
        """What the browser of somebody who has signed in holds."""
        host = urlsplit(self.served.address).hostname or ""
        return {"name": "vigia", "value": await self._token(who), "domain": host, "path": "/", "httpOnly": True}

    async def desk(self, who: str) -> Desk:
        """The same person without a screen."""
        return Desk(self._http, {"Authorization": f"Bearer {await self._token(who)}"})

    async def stranger(self) -> Desk:
        """Somebody who never signed in."""
        return Desk(self._http, {})

    async def clear_desks(self) -> None:
        """Nothing is open and nobody waits; what is over stays on boards for a while."""
        supervisor = await self.desk("trained")
        for feature in (await supervisor.get("/snapshot"))["features"]:
            if feature["properties"]["subject"].startswith("sos:"):
                await supervisor.post(f"/sos/{feature['properties']['id']}/false-alarm", {"reason": "prueba"})
        for feature in (await supervisor.get("/snapshot"))["features"]:
            properties = feature["properties"]
            if properties["subject"].startswith("incident:") and properties["closed_at"] is None:
                await supervisor.post(f"/incidents/{properties['id']}/close", {"disposition": "no_action"})
            elif properties["subject"].startswith("report:"):
                await supervisor.post(f"/reports/{properties['id']}/dismiss", {"reason": "hoax"})

    async def leave(self) -> None:
        """Close everything."""
        for context, look in self._taken.items():
            for event, watch in self._watches.items():
                context.remove_listener(event, watch)
            await (context.close() if look is None else self._seats.give_back(context, look))
        await self._http.aclose()

    async def _token(self, who: str) -> str:
        if who not in self._tokens:
            body = {"username": who, "password": City.password}
            answer = await self._http.post("/session", json=body, headers={"X-Vigia-Token": "1"})
            assert answer.status_code == 200, answer.text
            self._tokens[who] = answer.json()["token"]
        return self._tokens[who]

    def _look_at_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and f"{parts.scheme}://{parts.netloc}" != self.served.address:
            self.wrongs.append(f"left the origin: {request.url}")

    def _look_at_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED_NOISE):
            self.wrongs.append(f"console: {message.text}")

    def _look_at_error(self, error: WebError) -> None:
        # What the browser says to itself when a window opens under remote control; where we open one, it is caught.
        if "The provided callback is no longer runnable" not in str(error.error):
            self.wrongs.append(f"threw: {error.error}")

    async def _look_at_dialog(self, dialog: Dialog) -> None:
        self.wrongs.append(f"dialog: {dialog.message}")
        await dialog.dismiss()


@pytest.fixture(scope="session")
def tokens() -> dict[str, str]:
    """Sessions by name: a password is hashed slowly on purpose, so everybody signs in once."""
    return {}


@pytest.fixture(scope="session")
def mapped_seats(chromium: Browser) -> Seats:
    """Where maps can be drawn."""
    return Seats(chromium)


@pytest.fixture(scope="session")
def mapless_seats(mapless_chromium: Browser) -> Seats:
    """Where they cannot."""
    return Seats(mapless_chromium)


@pytest.fixture
def seats(request: pytest.FixtureRequest) -> Seats:
    """Those that the test is for."""
    mapless = request.node.get_closest_marker("mapless") is not None
    found: Seats = request.getfixturevalue("mapless_seats" if mapless else "mapped_seats")
    return found


@pytest.fixture
async def visitors(seats: Seats, served: Served, tokens: dict[str, str]) -> AsyncIterator[Visitors]:
    """People with browsers; at the end nothing forbidden may have happened in any of them."""
    served.start()  # whatever an earlier test left dead
    served.ready()
    people = Visitors(seats, served, tokens)
    await people.clear_desks()
    yield people
    await people.leave()
    assert people.wrongs == []


@pytest.fixture
async def streets(served: Served) -> AsyncIterator[None]:
    """The small city of `tests/addresses`, while this lasts."""
    engine = connect(served.environment["VIGIA_DATABASE_URL"], pool=1)
    sessions = sessions_of(engine)
    async with transaction(sessions) as session:
        laid, doors = rows()
        await lay_streets(session, laid, "© tests")
        await lay_address_points(session, doors, "© tests")
        quarters = [
            Zone(id=new_id(), kind="barrio", name=one.name, shape=multipolygon(one.shape), population=None)
            for one in (CENTRO, ESTE)
        ]
        await lay_zones(session, quarters)
    yield
    async with transaction(sessions) as session:
        await lay_streets(session, [], "© tests")
        await lay_address_points(session, [], "© tests")
        for zone in quarters:
            await session.delete(await session.get_one(Zone, zone.id))
    await engine.dispose()


async def shot(page: Page, name: str) -> None:
    """A screenshot, when somebody wants to look."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png")  # makes the directory
