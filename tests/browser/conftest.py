"""A Chromium, an installation that really runs, and visitors whose every step is watched.

Whatever a test does, its pages may not ask anybody but us, open a dialog, break the content policy or throw.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal
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
    async_playwright,
    expect,
)

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

expect.set_options(timeout=SLOW)


@pytest.fixture(scope="session")
def served(
    maintenance_url: str, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One installation for all browser tests of a worker; each test brings its own incidents."""
    if (problem := front_end.build_failure()) is not None:
        pytest.fail(f"the front end was not built: {problem}")
    with (
        cloned(maintenance_url, template) as database_url,
        Served(tmp_path_factory.mktemp("served"), database_url, redis_url) as running,
    ):
        yield running


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


class Visitors:
    """Opens pages for people and notes whatever no page may do."""

    def __init__(self, browser: Browser, served: Served, tokens: dict[str, str]) -> None:
        self.browser, self.served = browser, served
        self.wrongs: list[str] = []
        self._tokens = tokens
        self._contexts: list[BrowserContext] = []
        self._http = httpx2.AsyncClient(base_url=f"{served.address}/api/v1", timeout=30)

    async def arrive(
        self,
        path: str,
        who: str | None = None,
        *,
        javascript: bool = True,
        size: tuple[int, int] = (1366, 768),
        theme: Literal["dark", "light"] = "dark",
    ) -> Page:
        """A new browser at `path`, signed in as somebody of the city."""
        context = await self.browser.new_context(
            base_url=self.served.address,
            java_script_enabled=javascript,
            viewport={"width": size[0], "height": size[1]},
            locale="es-AR",
            color_scheme=theme,
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        context.on("request", self._look_at_request)
        context.on("console", self._look_at_console)
        context.on("dialog", self._look_at_dialog)
        context.on("weberror", lambda error: self.wrongs.append(f"threw: {error.error}"))
        if who is not None:
            host = urlsplit(self.served.address).hostname or ""
            await context.add_cookies(
                [{"name": "vigia", "value": await self._token(who), "domain": host, "path": "/", "httpOnly": True}]
            )
        page = await context.new_page()
        page.set_default_timeout(SLOW)
        await page.goto(path)
        if javascript and who is not None:  # whoever has not signed in is led elsewhere at this moment
            await page.evaluate("window.neverReloaded = true")
        return page

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
        for context in self._contexts:
            await context.close()
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

    async def _look_at_dialog(self, dialog: Dialog) -> None:
        self.wrongs.append(f"dialog: {dialog.message}")
        await dialog.dismiss()


@pytest.fixture(scope="session")
def tokens() -> dict[str, str]:
    """Sessions by name: a password is hashed slowly on purpose, so everybody signs in once."""
    return {}


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Browser:
    """The one that the test is for."""
    mapless = request.node.get_closest_marker("mapless") is not None
    found: Browser = request.getfixturevalue("mapless_chromium" if mapless else "chromium")
    return found


@pytest.fixture
async def visitors(browser: Browser, served: Served, tokens: dict[str, str]) -> AsyncIterator[Visitors]:
    """People with browsers; at the end nothing forbidden may have happened in any of them."""
    served.start()  # whatever an earlier test left dead
    served.ready()
    people = Visitors(browser, served, tokens)
    await people.clear_desks()
    yield people
    await people.leave()
    assert people.wrongs == []


async def shot(page: Page, name: str) -> None:
    """A screenshot, when somebody wants to look."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png")  # makes the directory
