"""What a person finds on the screens, by the names that a screen reader would say."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.conftest import SLOW


def queue(page: Page) -> Locator:
    """The list on the left."""
    return page.get_by_role("region", name="Cola de trabajo")


def card(page: Page) -> Locator:
    """The sheet on the right."""
    return page.get_by_role("complementary", name="Ficha")


def row(page: Page, words: str | re.Pattern[str]) -> Locator:
    """One row of the queue."""
    return queue(page).get_by_role("button", name=words)


def button(where: Page | Locator, name: str) -> Locator:
    """A button by its name, with or without its key behind it."""
    return where.get_by_role("button", name=re.compile(rf"^{re.escape(name)}( (\S|Ctrl ↵|Esc))?$"))


def worst(page: Page) -> Locator:
    """The wall's list."""
    return page.get_by_role("region", name="Prioridad 1 y 2")


async def live(page: Page) -> None:
    """The screen says that it is live."""
    await expect(page.get_by_text(re.compile("En vivo"))).to_be_visible()


async def choose_type(where: Locator, letters: str) -> None:
    """Type a few letters, take the first."""
    field = where.get_by_role("combobox", name="Tipo").or_(where.get_by_label("Tipo", exact=True)).first
    await field.click()
    await field.fill(letters)
    await field.press("Enter")


async def never_reloaded(*pages: Page) -> None:
    """What they show came over the feed."""
    for page in pages:
        assert await page.evaluate("window.neverReloaded") is True


class Hands:
    """Keyboard and mouse, counted: a text is one action, a stroke is one, a click is one."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions = page, 0

    async def press(self, keys: str) -> None:
        """One stroke."""
        self.actions += 1
        await self.page.keyboard.press(keys)

    async def type(self, text: str) -> None:
        """One text."""
        self.actions += 1
        await self.page.keyboard.type(text)

    async def click(self, where: Locator) -> None:
        """One click."""
        self.actions += 1
        await where.click()


class Held:
    """Requests of a page that wait on a slow network."""

    def __init__(self) -> None:
        self._asked, self._go_on = asyncio.Event(), asyncio.Event()

    async def asked(self) -> None:
        """Until the page has asked."""
        async with asyncio.timeout(SLOW / 1000):
            await self._asked.wait()

    def go_on(self) -> None:
        """The network answers again."""
        self._go_on.set()

    async def __call__(self, route: Route) -> None:
        self._asked.set()
        await self._go_on.wait()
        await route.continue_()


async def held(page: Page, path: str) -> Held:
    """What the page asks of `path` waits until `go_on()`."""
    requests = Held()
    await page.route(path, requests)
    return requests


PLAYED = "performance.getEntriesByName('vigia:sound').map(({detail}) => detail.earcon)"


async def played(page: Page, earcon: str) -> None:
    """Until it has sounded in this window. Asked again and again: our pages let nobody evaluate within them."""
    async with asyncio.timeout(SLOW / 1000):
        while earcon not in await page.evaluate(PLAYED):  # noqa: ASYNC110  (what to wait for is in the browser)
            await asyncio.sleep(0.1)
