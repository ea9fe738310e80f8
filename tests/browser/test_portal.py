"""The neighbours' portal in a real Chromium, on a telephone, mostly without JavaScript."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from sqlalchemy import select

from incidents.follow_up import follow_for_reporters
from incidents.reports import Report
from incidents.triage import accept_report, dismiss_report
from realtime.database import Sessions, new_id, reading, transaction
from realtime.journal import Entry
from tests.builders import City

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}
CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const shown = walker.currentNode.data.trim() && node.checkVisibility();
    if (!shown || node.closest("svg, .skip, style, script")) continue;
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([walker.currentNode.data.trim().slice(0, 40), ratio]);
  }
  return found;
}"""
# What a person who does not see meets: names for everything, one h1, landmarks, unique ids, targets one can hit.
SHAPE = """() => {
  const named = (node) => node.getAttribute("aria-label") || node.labels?.length || node.textContent.trim();
  const shown = [...document.querySelectorAll("a, button, input:not([type=hidden]), textarea, summary")]
    .filter((node) => node.checkVisibility() && !node.closest(".skip"));
  const box = (node) => (node.closest("label") ?? node).getBoundingClientRect();
  const inLine = (node) => node.tagName === "A" && getComputedStyle(node).display === "inline";
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  const told = ["aria-describedby", "aria-labelledby"].flatMap((name) =>
    [...document.querySelectorAll(`[${name}]`)].flatMap((node) => node.getAttribute(name).split(" ").filter(Boolean)));
  return {
    nameless: shown.filter((node) => !named(node)).map((node) => node.outerHTML.slice(0, 80)),
    small: shown.filter((node) => !inLine(node) && box(node).height < 44).map((node) => node.outerHTML.slice(0, 80)),
    headings: document.querySelectorAll("h1").length,
    landmarks: ["header", "main", "footer"].filter((name) => document.querySelectorAll(name).length !== 1),
    twice: ids.filter((id, place) => ids.indexOf(id) !== place),
    nowhere: told.filter((id) => !document.getElementById(id)),
    language: document.documentElement.lang,
    wide: document.documentElement.scrollWidth > innerWidth,
  };
}"""
WELL = {
    "nameless": [],
    "small": [],
    "headings": 1,
    "landmarks": [],
    "twice": [],
    "nowhere": [],
    "language": "es-AR",
    "wide": False,
}


@pytest.fixture
async def site(app: FastAPI) -> AsyncIterator[str]:
    """The address of the application, on a real socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", ws="none", log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://localhost:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
    listener.close()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A browser."""
    program = os.environ.get("VIGIA_CHROMIUM") or shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def telephone(chromium: Browser, site: str, **more: Any) -> BrowserContext:
    """A telephone of 360×740 in Spanish; without JavaScript unless asked."""
    options = {"viewport": PHONE, "locale": "es-AR", "java_script_enabled": False, "base_url": site, **more}
    return await chromium.new_context(**options)


async def sound(context: BrowserContext, *paths: str) -> None:
    """Every path, by day and by night, can be read, reached and named."""
    page = await context.new_page()
    for path in paths:
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await page.goto(path)
            assert await page.evaluate(SHAPE) == WELL, path
            assert await page.evaluate(CONTRAST) == [], (path, scheme)
    await page.close()


async def the_report(sessions: Sessions) -> Report:
    """The only report there is."""
    async with reading(sessions) as session:
        return (await session.scalars(select(Report))).one()


async def follow(sessions: Sessions) -> None:
    """Let the reaction see the journal."""
    async with transaction(sessions) as session:
        for entry in list(await session.scalars(select(Entry).order_by(Entry.id))):
            await follow_for_reporters(session, entry)


async def test_a_neighbour_reports_and_follows_without_javascript(
    chromium: Browser, site: str, sessions: Sessions, city: City
) -> None:
    page = await (await telephone(chromium, site)).new_page()
    await page.goto("/")
    await page.get_by_role("link", name="Avisar algo").click()

    await page.get_by_role("button", name="Enviar aviso").click()
    await expect(page.get_by_role("alert")).to_contain_text("Todavía no se envió")
    await expect(page.get_by_role("alert")).to_be_focused()

    await page.get_by_text("Incendios, gas y materiales peligrosos").click()
    await expect(page.get_by_role("heading", name="Llamá primero")).to_be_hidden()
    await page.get_by_label("Incendio de vivienda").check()
    await expect(page.get_by_role("heading", name="Llamá primero")).to_be_in_viewport()
    await expect(page.get_by_role("link", name="911")).to_be_in_viewport()
    await page.get_by_text("Clima y vía pública").click()
    await page.get_by_label("Árbol o poste caído").check()
    await expect(page.get_by_role("heading", name="Llamá primero")).to_be_hidden()
    await page.get_by_label("Calle y altura").fill("Mitre 1200")
    await page.get_by_label("Tu teléfono").fill("no tengo")
    await page.get_by_role("button", name="Enviar aviso").click()

    await expect(page.get_by_role("alert")).to_contain_text("Tu teléfono: Tiene caracteres que acá no van.")
    await expect(page.get_by_label("Árbol o poste caído")).to_be_checked()
    await expect(page.get_by_label("Árbol o poste caído")).to_be_visible()
    await expect(page.get_by_label("Calle y altura")).to_have_value("Mitre 1200")
    await page.get_by_label("Tu teléfono").fill("")
    await page.get_by_role("button", name="Enviar aviso").click()

    await expect(page.get_by_role("heading", name="Recibido")).to_be_visible()
    report = await the_report(sessions)
    await expect(page.locator(".code")).to_have_text(report.tracking_code)
    await expect(page.get_by_role("img", name="Código QR")).to_be_visible()
    assert re.search(r"/s/...-...\?nuevo=1$", page.url)

    async with transaction(sessions) as session:
        await dismiss_report(session, city.actor("dispatcher"), report.id, reason="already_resolved")
    await follow(sessions)
    await page.goto("/")
    await page.get_by_role("link", name="Ver mi aviso").click()
    await page.get_by_label("Tu código").fill(report.tracking_code.lower().replace("-", " "))
    await page.get_by_role("button", name="Ver mi aviso").click()
    await expect(page.get_by_text("Motivo: Ya estaba resuelto.")).to_be_visible()


async def test_the_tracking_page_moves_by_itself_without_javascript(
    chromium: Browser, site: str, sessions: Sessions, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.tracking.REFRESH", 1)
    page = await (await telephone(chromium, site)).new_page()
    await page.goto("/avisar")
    await page.get_by_label("Otra cosa").check()
    await page.get_by_label("¿Qué ves?").fill("Hay un olor raro")
    await page.get_by_label("Calle y altura").fill("Mitre y Rioja")
    await page.get_by_role("button", name="Enviar aviso").click()
    await expect(page.locator(".now strong")).to_have_text("Recibido")
    report = await the_report(sessions)
    async with transaction(sessions) as session:
        await accept_report(
            session,
            city.actor("dispatcher"),
            report.id,
            incident_id=new_id(),
            type_code="INC-04",
            location=city.west,
        )
    await follow(sessions)
    await expect(page.locator(".now strong")).to_contain_text("En manos de", timeout=10_000)


@pytest.mark.parametrize("width", [360, 320, 1280])
async def test_every_page_can_be_read_reached_and_named(
    chromium: Browser, site: str, sessions: Sessions, width: int
) -> None:
    context = await telephone(chromium, site, java_script_enabled=True, viewport={"width": width, "height": 740})
    page = await context.new_page()
    await page.goto("/avisar")
    await page.get_by_label("Otra cosa").check()
    await page.get_by_label("¿Qué ves?").fill("Hay un olor raro")
    await page.get_by_label("Calle y altura").fill("Mitre y Rioja")
    await page.get_by_role("button", name="Enviar aviso").click()
    await expect(page.get_by_role("heading", name="Recibido")).to_be_visible()
    code = (await the_report(sessions)).tracking_code
    await sound(
        context,
        "/",
        "/avisar",
        "/s",
        "/s/ZZZ-ZZZ",
        f"/s/{code}",
        f"/s/{code}?nuevo=1",
        f"/s/{code}/dato",
        f"/s/{code}/no-se-resolvio",
        f"/s/{code}/mis-datos",
        "/no-existe",
    )


async def test_errors_can_be_read_and_named_too(chromium: Browser, site: str) -> None:
    page = await (await telephone(chromium, site, java_script_enabled=True)).new_page()
    await page.goto("/avisar")
    await page.get_by_label("Tu nombre").fill("Ana")
    await page.get_by_role("button", name="Enviar aviso").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    assert await page.evaluate(SHAPE) == WELL
    assert await page.evaluate(CONTRAST) == []
    await page.get_by_role("alert").get_by_role("link", name="Decinos dónde es").click()
    assert await page.evaluate("document.activeElement.id") == "place"


async def test_keys_alone_are_enough(chromium: Browser, site: str, sessions: Sessions) -> None:
    page = await (await telephone(chromium, site)).new_page()
    await page.goto("/avisar")
    await page.get_by_text("Clima y vía pública").focus()
    await page.locator("summary", has_text="Clima y vía pública").press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await expect(page.get_by_label("Árbol o poste caído")).to_be_checked()
    await page.get_by_label("Calle y altura").focus()
    await page.keyboard.type("Mitre 1200")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Recibido")).to_be_visible()
    assert (await the_report(sessions)).type_hint == "MET-01"


async def test_it_is_here_takes_the_place_from_the_telephone(chromium: Browser, site: str, sessions: Sessions) -> None:
    here = {"latitude": -32.95, "longitude": -60.66, "accuracy": 15}
    context = await telephone(chromium, site, java_script_enabled=True, geolocation=here, permissions=["geolocation"])
    page = await context.new_page()
    await page.goto("/avisar")
    await page.get_by_role("button", name="Es acá").click()
    await expect(page.get_by_text("Usamos la ubicación de tu teléfono (±15 m).")).to_be_visible()
    await page.get_by_text("Clima y vía pública").click()
    await page.get_by_label("Árbol o poste caído").check()
    await page.get_by_role("button", name="Enviar aviso").click()
    await expect(page.get_by_role("heading", name="Recibido")).to_be_visible()
    report = await the_report(sessions)
    assert report.shape is not None
    assert (round(report.shape.x, 4), round(report.shape.y, 4)) == (-60.66, -32.95)


async def test_a_refused_location_is_no_obstacle(chromium: Browser, site: str) -> None:
    page = await (await telephone(chromium, site, java_script_enabled=True, permissions=[])).new_page()
    await page.goto("/avisar")
    await page.evaluate("() => { navigator.geolocation.getCurrentPosition = (_, refused) => refused({code: 1}); }")
    await page.get_by_role("button", name="Es acá").click()
    await expect(page.get_by_text("No pudimos ubicarte. Escribí dónde es.")).to_be_visible()
    await expect(page.get_by_label("Calle y altura")).to_be_focused()


async def test_a_draft_survives_and_is_sent_once_there_is_a_signal(
    chromium: Browser, site: str, sessions: Sessions
) -> None:
    context = await telephone(chromium, site, java_script_enabled=True)
    page = await context.new_page()
    await page.goto("/avisar")
    await page.get_by_text("Clima y vía pública").click()
    await page.get_by_label("Árbol o poste caído").check()
    await page.get_by_label("Calle y altura").fill("Mitre 1200")
    await page.get_by_label("Tu teléfono").fill("341 555")
    await page.goto("/")
    await page.goto("/avisar")
    await expect(page.get_by_label("Calle y altura")).to_have_value("Mitre 1200")
    await expect(page.get_by_label("Árbol o poste caído")).to_be_checked()
    await expect(page.get_by_label("Tu teléfono")).to_have_value("")  # a shared telephone remembers no contact
    await context.set_offline(True)
    await page.get_by_role("button", name="Enviar aviso").click()
    await expect(page.get_by_text("Sin señal. Guardado en este teléfono.")).to_be_visible()
    await context.set_offline(False)
    await expect(page.get_by_role("heading", name="Recibido")).to_be_visible()
    assert (await the_report(sessions)).place == "Mitre 1200"
    await page.goto("/avisar")
    await expect(page.get_by_label("Calle y altura")).to_have_value("")


async def test_a_wide_letter_breaks_nothing(chromium: Browser, site: str) -> None:
    """200 % zoom of a 640-pixel window, and letters twice as large on a telephone."""
    context = await telephone(chromium, site, java_script_enabled=True, viewport={"width": 320, "height": 370})
    page = await context.new_page()
    for path in ("/", "/avisar", "/s"):
        await page.goto(path)
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
        await page.add_style_tag(content="html { font-size: 200% }")
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
