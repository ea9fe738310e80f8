"""Getting in, not getting in, and losing the session in the middle of work."""

from __future__ import annotations

import re

import httpx2
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import Hands, button, live, never_reloaded
from tests.builders import City
from tests.served import Served

pytestmark = MAPLESS


async def enter(page: Page, username: str, password: str) -> None:
    """Fill the form and send it."""
    await page.get_by_label("Usuario").fill(username)
    await page.get_by_label("Contraseña", exact=True).fill(password)
    await button(page, "Ingresar").click()


async def test_wrong_words_say_so_and_right_ones_let_in(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola")
    await expect(page.get_by_label("Usuario")).to_be_visible()
    await button(page, "Ingresar").click()
    await expect(page.get_by_text("Escribí tu usuario.")).to_be_visible()
    await enter(page, "call_taker", "no es esta")
    await expect(page.get_by_role("alert")).to_contain_text("contraseña")
    await expect(page.get_by_label("Usuario")).to_have_value("call_taker")
    await shot(page, "13-clave-equivocada")
    await enter(page, "call_taker", city.password)
    await live(page)
    assert page.url.endswith("/consola")


async def test_too_many_tries_say_how_long_to_wait(visitors: Visitors, served: Served) -> None:
    async with httpx2.AsyncClient(base_url=served.address, timeout=60) as http:
        for _ in range(10):
            answer = await http.post("/api/v1/session", json={"username": "nobody here", "password": "x"})
            assert answer.status_code == 401
    page = await visitors.arrive("/ingresar")
    await enter(page, "nobody here", "x")
    await expect(page.get_by_role("alert")).to_contain_text("Demasiados intentos")


async def test_a_session_that_ends_asks_again_over_the_screen(visitors: Visitors, served: Served, city: City) -> None:
    page = await visitors.arrive("/ingresar")
    await enter(page, "supervisor", city.password)
    await live(page)
    await page.evaluate("window.neverReloaded = true")
    await page.keyboard.press("n")
    await page.get_by_label("Lugar", exact=True).fill("Lo que estaba escribiendo")
    cookies = {one["name"]: one["value"] for one in await page.context.cookies()}
    headers = {"Authorization": f"Bearer {cookies['vigia']}"}
    async with httpx2.AsyncClient(base_url=served.address, headers=headers) as http:
        assert (await http.delete("/api/v1/session")).status_code == 204
    dialog = page.get_by_role("dialog", name="Sesión vencida")
    await expect(dialog).to_be_visible()
    await shot(page, "14-sesion-vencida")
    await dialog.get_by_label("Contraseña", exact=True).fill(city.password)
    await button(dialog, "Ingresar").click()
    await expect(dialog).to_have_count(0)
    await live(page)
    await expect(page.get_by_label("Lugar", exact=True)).to_have_value("Lo que estaba escribiendo")
    await never_reloaded(page)

    # Esc closes a question and keeps its answer; whoever signs in afterwards on this PC does not see any of it.
    await page.keyboard.press("Escape")
    why = page.get_by_label("Entrar en modo tormenta: ¿por qué?")
    await storm_asked(page)
    await why.fill("Granizo en el sur")
    await why.press("Escape")
    await expect(why).to_have_count(0)
    await storm_asked(page)
    await expect(why).to_have_value("Granizo en el sur")
    await change_seats(page, "trained", city.password)
    await page.keyboard.press("n")
    await expect(page.get_by_label("Lugar", exact=True)).to_have_value("")
    await change_seats(page, "supervisor", city.password)
    await storm_asked(page)
    await expect(why).to_have_value("Granizo en el sur")
    await page.keyboard.press("Escape")
    hands = Hands(page)
    await hands.press("n")
    await expect(page.get_by_label("Lugar", exact=True)).to_have_value("Lo que estaba escribiendo")
    assert hands.actions == 1


async def storm_asked(page: Page) -> None:
    """The question of the storm, from the desk."""
    await page.evaluate("document.activeElement?.blur()")
    await page.keyboard.press("g")
    await page.keyboard.press("s")


async def change_seats(page: Page, username: str, password: str) -> None:
    """One leaves by the menu, another enters on the same PC."""
    await page.get_by_role("button", name=re.compile("Abrir menú")).click()
    await page.get_by_role("menuitem", name="Salir").click()
    await enter(page, username, password)
    await live(page)


async def test_a_newer_console_is_offered_and_taken_with_what_is_being_written(visitors: Visitors) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900), apart=True)
    await page.clock.install()
    await page.reload()
    await expect(page.get_by_text(re.compile("En vivo"))).to_be_visible()
    served = await (await page.request.get("/consola")).text()

    async def newer(route: Route) -> None:
        await route.fulfill(
            content_type="text/html", body=re.sub(r"assets/index-[\w-]+\.js", "assets/index-Newer.js", served)
        )

    chip = page.get_by_role("button", name="Versión nueva")
    await page.clock.run_for(6 * 60_000)
    await expect(chip).to_have_count(0)
    await page.keyboard.press("n")
    await page.get_by_label("Lugar", exact=True).fill("Tucumán 1400")
    await page.route("**/consola", newer)
    await page.clock.run_for(6 * 60_000)
    await expect(chip).to_be_visible()
    await expect(page.get_by_label("Lugar", exact=True)).to_have_value("Tucumán 1400")
    await shot(page, "new-edition")
    await page.unroute("**/consola")
    await chip.click()
    await expect(page.get_by_text(re.compile("En vivo"))).to_be_visible()
    await page.keyboard.press("n")
    await expect(page.get_by_label("Lugar", exact=True)).to_have_value("Tucumán 1400")
