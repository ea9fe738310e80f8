"""The base map as people see it: drawn and named by what this installation serves alone, light, dark and in gray."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from geo.layers import mark_layer
from geo.streets import STREETS
from realtime.database import connect, sessions_of, transaction
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import button, live
from tests.geo.test_tiles import lay
from tests.served import Served

pytestmark = BROWSER

# Of a picture: how many pixels are that close to each wanted colour, and how many have any colour at all.
COUNT = """async ([picture, wanted]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const style = getComputedStyle(document.documentElement);
  const colours = wanted.map((name) => {
    const hex = style.getPropertyValue(name).trim();
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  });
  const near = wanted.map(() => 0);
  let coloured = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
    if (Math.max(r, g, b) - Math.min(r, g, b) > 6) coloured += 1;
    colours.forEach(([x, y, z], n) => {
      const blurred = /label|poi/.test(wanted[n]) ? 90 : 12;  // letters are thin
      if (Math.abs(r - x) + Math.abs(g - y) + Math.abs(b - z) < blurred) near[n] += 1;
    });
  }
  return { near: Object.fromEntries(wanted.map((name, n) => [name, near[n]])), coloured: coloured / (data.length / 4) };
}"""
GROUND = ("--map-earth", "--map-green", "--map-water", "--map-building")


@dataclass
class Seen:
    """What is on the map."""

    near: dict[str, int]
    coloured: float


async def seen(page: Page, *wanted: str) -> Seen:
    """Count pixels of the map, away from its buttons."""
    box = await page.locator(".maplibregl-canvas").bounding_box()
    assert box is not None
    clip = {"x": box["x"], "y": box["y"] + 40, "width": box["width"] - 80, "height": box["height"] - 90}
    picture = base64.b64encode(await page.screenshot(clip=clip)).decode()  # type: ignore[arg-type]
    return Seen(**await page.evaluate(COUNT, [picture, list(wanted)]))


@pytest.fixture
async def mapped(served: Served) -> AsyncIterator[None]:
    """A little of everything under the city, for one test."""
    engine = connect(served.environment["VIGIA_DATABASE_URL"], pool=1)
    async with transaction(sessions_of(engine)) as session:
        await lay(session)
    yield
    async with transaction(sessions_of(engine)) as session:
        for table in ("street_links", "map_areas", "landmarks", "address_points", "map_layers"):
            await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608
    await engine.dispose()


async def drawn(page: Page, *wanted: str) -> Seen:
    """The map once each of these colours is on it, and no more comes."""
    found = Seen({}, 0)
    for _ in range(30):
        before, found = found, await seen(page, *wanted)
        if all(found.near.values()) and found == before:
            return found
        await page.wait_for_timeout(500)
    await shot(page, "49-no-se-dibuja")
    raise AssertionError(f"not drawn: {found}")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_map_is_drawn_and_named_by_us_alone(
    visitors: Visitors, served: Served, mapped: None, theme: Literal["light", "dark"]
) -> None:
    page = await visitors.arrive("/consola", "dispatcher", theme=theme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await live(page)
    found = await drawn(page, *GROUND, "--map-label", "--map-poi")
    await shot(page, f"40-mapa-{theme}")

    assert any("/api/v1/tiles/" in url for url in asked)
    paths = [urlsplit(url).path for url in asked if url.startswith(served.address)]
    assert not [path for path in paths if "glyph" in path or "sprite" in path or path.endswith(".pbf")]
    # That nobody else was asked and no policy broken is what `visitors` watches on every page.

    await unname(served)
    page = await visitors.arrive("/consola", "dispatcher", theme=theme)
    await live(page)
    nameless = await drawn(page, *GROUND, "--map-label", "--map-poi")
    assert found.near["--map-label"] > nameless.near["--map-label"], "street names are written"


async def unname(served: Served) -> None:
    """No street has a name any more."""
    engine = connect(served.environment["VIGIA_DATABASE_URL"], pool=1)
    async with transaction(sessions_of(engine)) as session:
        await session.execute(text("UPDATE street_links SET name = NULL"))
        await mark_layer(session, STREETS)
    await engine.dispose()


async def test_in_gray_only_what_lives_has_colour_and_it_is_remembered(visitors: Visitors, mapped: None) -> None:
    page = await visitors.arrive("/consola", "dispatcher", theme="light")
    await live(page)
    assert (await drawn(page, *GROUND)).coloured > 0.2
    tool = button(page, "Mapa en grises")
    await tool.focus()
    await page.keyboard.press("Enter")
    await expect(button(page, "Mapa en colores")).to_be_focused()
    for _ in range(60):
        gray = await seen(page)
        if gray.coloured < 0.01:
            break
        await page.wait_for_timeout(500)
    assert gray.coloured < 0.01
    await shot(page, "41-mapa-gris")
    await page.reload()
    await live(page)
    await expect(button(page, "Mapa en colores")).to_be_visible()
    await button(page, "Mapa en colores").click()
    assert (await drawn(page, *GROUND)).coloured > 0.2
