"""A supervisor keeps the zones of the city: renames one, moves a limit, draws one, sees what a colleague changed."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.ground import Ground
from tests.browser.screens import button, card, live
from tests.builders import City
from tests.served import Served, cloned
from web.launcher import front_end

pytestmark = BROWSER

BOUNDS = (-60.68, -32.97, -60.60, -32.93)  # both zones of the test city


@pytest.fixture(scope="module")
def served(
    maintenance_url: str, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """An installation of this module's own: its zones change."""
    if (problem := front_end.build_failure()) is not None:
        pytest.fail(f"the front end was not built: {problem}")
    with (
        cloned(maintenance_url, template) as database_url,
        Served(tmp_path_factory.mktemp("zones"), database_url, redis_url) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    """Nobody has a session in this module's city yet."""
    return {}


async def at_the_zones(visitors: Visitors, who: str = "supervisor") -> tuple[Page, Ground]:
    """A console with the zones on its map."""
    page = await visitors.arrive("/consola", who, size=(1600, 900))
    await live(page)
    await page.keyboard.press("F3")  # the map has room
    await expect(page.locator(".maplibregl-canvas")).to_be_visible()
    ground = await Ground.of(page, BOUNDS)
    await page.get_by_role("button", name="Zonas").click()
    await expect(card(page).get_by_role("button", name=re.compile("^Oeste"))).to_be_visible()
    return page, ground


async def zone(visitors: Visitors, name: str) -> dict[str, Any]:
    """A zone of the city as the server has it, by its name."""
    found = (await (await visitors.desk("supervisor")).get("/zones"))["features"]
    one: dict[str, Any] = next(each for each in found if each["properties"]["name"] == name)
    return one


async def test_a_zone_is_chosen_on_the_map_renamed_and_given_a_desk(visitors: Visitors, city: City) -> None:
    page, ground = await at_the_zones(visitors)
    await shot(page, "closures-zonas-1")
    heading = card(page).get_by_role("heading", name="Oeste", exact=True)
    for _ in range(10):  # until the zones are painted there is nothing to click on
        await page.mouse.click(*ground.at(-60.65, -32.94))
        with contextlib.suppress(PlaywrightTimeout):
            await heading.wait_for(timeout=3000)
            break
    await expect(heading).to_be_visible()
    await card(page).get_by_label("Mesa responsable").fill("Mesa Norte")
    await card(page).get_by_label("Mesa responsable").press("Enter")
    await expect(card(page).locator(".card-place")).to_have_text("Mesa Norte")
    await shot(page, "closures-zonas-2-ficha")
    assert (await zone(visitors, "Oeste"))["properties"]["desk"] == "Mesa Norte"


async def test_a_limit_is_moved_with_the_mouse(visitors: Visitors, city: City) -> None:
    page, ground = await at_the_zones(visitors)
    before = await zone(visitors, "Este")
    await card(page).get_by_role("button", name=re.compile("^Este")).click()
    await button(card(page), "Mover límites").click()
    await expect(card(page).get_by_text("Arrastrá los puntos")).to_be_visible()
    await expect(button(card(page), "Guardar límites")).to_be_disabled()
    await page.mouse.move(*ground.at(-60.60, -32.97))  # the other corner of the east lies under the tools
    await page.mouse.down()
    await page.mouse.move(*ground.at(-60.605, -32.965), steps=12)
    await page.mouse.up()
    await shot(page, "closures-zonas-3-limites")
    await button(card(page), "Guardar límites").click()
    await expect(page.get_by_text("Guardado: Este")).to_be_visible()
    after = await zone(visitors, "Este")
    assert after["properties"]["version"] == before["properties"]["version"] + 1
    assert _box(after) == (-60.64, -32.97, -60.6, -32.93)
    moved = [corner for corner in after["geometry"]["coordinates"][0][0] if corner not in _corners(before)]
    assert len({tuple(corner) for corner in moved}) == 1
    assert moved[0] == pytest.approx([-60.605, -32.965], abs=0.001)


async def test_of_two_who_rename_a_zone_the_second_sees_both_names(visitors: Visitors, city: City) -> None:
    page, _ = await at_the_zones(visitors)
    await card(page).get_by_role("button", name=re.compile("^Oeste")).click()
    await card(page).get_by_label("Nombre").fill("Oeste Viejo")
    there = await zone(visitors, "Oeste")
    await (await visitors.desk("administrator")).post(f"/zones/{there['id']}/name", {"name": "Oeste Nuevo"})
    await card(page).get_by_label("Nombre").press("Enter")
    both = card(page).get_by_role("alert").filter(has_text="Alguien lo cambió")
    await expect(both).to_contain_text("Oeste Nuevo")
    await expect(both).to_contain_text("Oeste Viejo")
    await shot(page, "closures-zonas-4-dos-versiones")
    assert (await zone(visitors, "Oeste Nuevo"))["id"] == there["id"]
    await button(card(page), "Guardar lo mío").click()
    await expect(card(page).get_by_role("heading", name="Oeste Viejo")).to_be_visible()
    assert (await zone(visitors, "Oeste Viejo"))["id"] == there["id"]


async def test_a_zone_is_drawn_and_one_comes_from_a_file(visitors: Visitors, city: City, tmp_path: Path) -> None:
    page, ground = await at_the_zones(visitors)
    await button(card(page), "Zona nueva").click()
    await expect(page.get_by_text("Clic en un borde de la zona")).to_be_visible()
    for corner in ((-60.67, -32.96), (-60.65, -32.96), (-60.65, -32.945), (-60.61, -32.945)):
        await page.mouse.move(*ground.at(*corner), steps=3)
        await page.mouse.click(*ground.at(*corner))
        await page.wait_for_timeout(120)
    await page.keyboard.press("Backspace")  # the last one was a slip
    await page.mouse.move(*ground.at(-60.66, -32.947), steps=3)
    await shot(page, "closures-zonas-5-dibujando")
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text("puntos marcados")).to_be_visible()
    await (
        card(page)
        .get_by_role("combobox", name="Tipo de zona")
        .or_(card(page).get_by_label("Tipo de zona"))
        .first.click()
    )
    await page.get_by_role("option", name="Inundable").click()
    await card(page).get_by_label("Nombre").fill("Bajo del arroyo")
    await button(card(page), "Crear zona").click()
    await expect(card(page).get_by_role("heading", name="Bajo del arroyo")).to_be_visible()
    await shot(page, "closures-zonas-6-creada")
    drawn = await zone(visitors, "Bajo del arroyo")
    assert drawn["properties"]["kind"] == "flood"
    assert _box(drawn)[2] < -60.64

    file = tmp_path / "zona.geojson"
    ring = [[-60.63, -32.95], [-60.62, -32.95], [-60.62, -32.94], [-60.63, -32.95]]
    area = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    file.write_text(json.dumps(area))
    await page.keyboard.press("Escape")
    await button(card(page), "Zona nueva").click()
    broken = tmp_path / "rota.geojson"
    broken.write_text('{"type": "Feature", "geometry"')
    await card(page).get_by_label("Subir GeoJSON").set_input_files(broken)
    await expect(card(page).get_by_text("no tiene polígonos")).to_be_visible()
    await card(page).get_by_label("Subir GeoJSON").set_input_files(file)
    await card(page).get_by_label("Nombre").fill("De archivo")
    await button(card(page), "Crear zona").click()
    await expect(card(page).get_by_role("heading", name="De archivo")).to_be_visible()
    assert (await zone(visitors, "De archivo"))["geometry"]["coordinates"] == [[ring]]


async def test_whoever_may_not_keep_zones_has_no_tool_for_them(visitors: Visitors) -> None:
    page = await visitors.arrive("/consola", "dispatcher")
    await live(page)
    await expect(page.get_by_role("button", name="Cortar calle")).to_be_visible()
    await expect(page.get_by_role("button", name="Zonas")).to_have_count(0)


def _corners(zone: dict[str, Any]) -> list[list[float]]:
    return [corner for polygon in zone["geometry"]["coordinates"] for ring in polygon for corner in ring]


def _box(zone: dict[str, Any]) -> tuple[float, float, float, float]:
    corners = _corners(zone)
    lons, lats = [lon for lon, _ in corners], [lat for _, lat in corners]
    return min(lons), min(lats), max(lons), max(lats)
