"""What sounds: tried at a shift's start, a P1 while somebody types, sixty alarms at once; and what a person likes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import expect

from incidents.alarms import AlarmKind, Why, clear_alarm, open_alarms, raise_alarm
from realtime.database import connect, new_id, now, sessions_of, transaction
from tests.browser.conftest import MAPLESS, THEMES, Desk, Visitors, shot
from tests.browser.screens import PLAYED, button, card, live, never_reloaded, played
from tests.builders import City
from tests.served import Served

pytestmark = MAPLESS

# Chromium without a head lets everything sound; people's browsers let nothing before a gesture.
STRICT = """
  const Lax = window.AudioContext;
  window.AudioContext = class extends Lax {
    #free = false;
    get state() { return this.#free ? super.state : "suspended"; }
    async resume() {
      this.#free ||= navigator.userActivation.isActive;
      await super.resume();
      this.onstatechange?.();
    }
  };
"""


async def a_p1(desk: Desk, city: City, place: str) -> dict[str, Any]:
    """A fire that nobody goes to yet."""
    body = {
        "id": str(new_id()),
        "type_code": "INC-01",
        "priority": 1,
        "place": place,
        "location": {"type": "Point", "coordinates": [city.west.x, city.west.y]},
    }
    made: dict[str, Any] = (await desk.post("/incidents", body))["properties"]
    return made


async def test_a_p1_comes_while_somebody_types(visitors: Visitors, city: City) -> None:
    """The sound is tried; a P1 sounds, the focus stays in the field, and one key says that it was noticed."""
    page, boss = [await visitors.arrive("/consola", who, apart=True) for who in ("dispatcher", "supervisor")]
    await page.context.add_init_script(STRICT)
    await page.goto("/consola")
    await asyncio.gather(live(page), live(boss))
    await expect(button(page, "SONIDO BLOQUEADO — tocá acá")).to_be_visible()  # no browser sounds before a gesture
    await shot(page, "sound-blocked")
    await button(page, "SONIDO BLOQUEADO — tocá acá").click()
    await button(page, "Probar sonido").click()
    await played(page, "test")
    await expect(page.get_by_role("region", name="Sonido")).to_contain_text("¿Lo escuchaste?")
    await shot(page, "sound-test")
    await button(page, "Sí").click()
    await expect(page.get_by_role("region", name="Sonido")).to_have_count(0)

    await page.keyboard.press("n")
    field = card(page).get_by_label("Lugar", exact=True)
    await field.click()
    await field.press_sequentially("Mitre y Rio")
    fire = await a_p1(await visitors.desk("dispatcher"), city, "Brasas 120")
    new = page.get_by_role("region", name="Alarmas").get_by_role("listitem").filter(has_text="P1 sin acusar")
    await expect(new).to_contain_text(fire["code"])
    await played(page, "p1")
    await expect(page).to_have_title("(1) P1 sin acusar · Vigía")
    await page.keyboard.type("ja")  # goes where the hands were
    await expect(field).to_be_focused()
    await expect(field).to_have_value("Mitre y Rioja")
    await shot(page, "sound-p1")

    actions = 0
    await page.keyboard.press("Alt+a")
    actions += 1
    await expect(new).to_have_count(0)
    await expect(boss.get_by_text("P1 sin acusar: ")).to_have_count(0)
    assert actions == 1
    await expect(field).to_have_value("Mitre y Rioja")
    heard = await (await visitors.desk("supervisor")).get(f"/incidents/{fire['id']}/timeline")
    assert [one["actor"]["name"] for one in heard["entries"] if one["kind"] == "incident.heard"] == ["dispatcher"]

    # Out of the field and with no card in front, the plain letter does it.
    await page.keyboard.press("Escape")
    other = await a_p1(await visitors.desk("dispatcher"), city, "Brasas 90")
    await expect(new).to_contain_text(other["code"])
    await page.keyboard.press("a")
    await expect(new).to_have_count(0)
    await never_reloaded(boss)


async def test_sixty_alarms_make_ten_sounds_at_most_and_a_p1_sounds(
    visitors: Visitors, served: Served, city: City
) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    async with flooded(served, city):
        strip = page.get_by_role("region", name="Alarmas")
        await expect(strip).to_contain_text("Avalancha: 60 en 10 min. Suenan P1 y SOS.")
        await expect(strip.get_by_text("Sin acusar · 60")).to_be_visible()  # each is listed behind its line
        await shot(page, "sound-flood")
        fire = await a_p1(await visitors.desk("dispatcher"), city, "Brasas 130")
        await played(page, "p1")
        sounds = await page.evaluate(PLAYED)
        assert len([one for one in sounds if one not in {"p1", "sos"}]) <= 10
        await page.keyboard.press("s")
        await expect(page.get_by_label("¿Por qué 15 minutos?")).to_be_focused()
        await shot(page, "sound-shelve")
        await page.get_by_text("60 min", exact=True).click()
        await page.get_by_label("¿Por qué 60 minutos?").fill("tormenta")
        await page.get_by_label("¿Por qué 60 minutos?").press("Enter")
        await expect(button(page, "1 estacionada")).to_be_visible()
        await expect(strip).to_contain_text(fire["code"])  # a P1 cannot be put away


@asynccontextmanager
async def flooded(served: Served, city: City) -> AsyncIterator[None]:
    """Sixty units of lower priority that have not acknowledged."""
    engine = connect(served.environment["VIGIA_DATABASE_URL"], pool=1)
    units = [city.units[call_sign] for call_sign in ("M1", "M2", "T1")]
    async with transaction(sessions_of(engine)) as session:
        for n in range(60):
            words: dict[str, Any] = {"since": now(), "unit_id": units[n % 3], "facts": {"priority": 2}}
            await raise_alarm(session, AlarmKind.UNACKNOWLEDGED, about=f"assignment:{new_id()}", **words)
    try:
        yield
    finally:
        async with transaction(sessions_of(engine)) as session:
            for alarm in await open_alarms(session, kinds=[AlarmKind.UNACKNOWLEDGED]):
                await clear_alarm(session, alarm, Why.CAUSE_GONE)
        await engine.dispose()


async def test_what_a_person_likes_follows_to_another_seat(visitors: Visitors) -> None:
    """A letter is given to another act, refused where it is taken; the report says week by week how alarms fared."""
    page = await visitors.arrive("/consola", "trained", size=(1600, 900))
    await live(page)
    await page.get_by_role("button", name=re.compile("Abrir menú")).click()
    await page.get_by_role("menuitem", name="Preferencias").click()
    likes = page.get_by_role("dialog", name="Preferencias")
    letter = likes.get_by_label("ir a los móviles")
    await letter.press_sequentially("j")
    await expect(likes.get_by_role("alert")).to_contain_text("La J ya se usa")
    await expect(letter).to_have_value("U")
    async with page.expect_response("**/preferences"):
        await letter.press_sequentially("i")
    await expect(letter).to_have_value("I")
    await shot(page, "preferences")
    await page.keyboard.press("Escape")
    await expect(likes).to_have_count(0)
    other = await visitors.arrive("/consola", "trained")
    await live(other)
    await other.get_by_role("button", name=re.compile("Abrir menú")).click()
    await other.get_by_role("menuitem", name="Atajos de teclado").click()
    sheet = other.get_by_role("dialog", name="Atajos de teclado")
    await expect(sheet.locator("div", has_text="ir a los móviles").last).to_contain_text("I")
    await (await visitors.desk("trained")).post("/preferences", {})

    boss = await visitors.arrive("/consola", "supervisor", size=(1600, 900))
    await boss.get_by_role("button", name=re.compile("Abrir menú")).click()
    await boss.get_by_role("menuitem", name="Informe semanal de alarmas").click()
    report = boss.get_by_role("dialog", name="Informe semanal de alarmas")
    await expect(report.get_by_role("table").first.get_by_role("row")).to_have_count(5)  # a head and four weeks
    await expect(report).to_contain_text("Prueba de sonido de este turno")
    async with boss.expect_download() as download:
        await report.get_by_role("link", name="Bajar CSV").click()
    assert (await download.value).suggested_filename == "alarmas-por-semana.csv"
    await shot(boss, "alarm-report")


async def test_how_it_looks(visitors: Visitors, city: City) -> None:
    """On a desk and on a telephone, dark and light: nothing is wider than its screen."""
    fire = await a_p1(await visitors.desk("dispatcher"), city, "Brasas 140")
    for size, pixels in {"desk": (1600, 900), "phone": (360, 740)}.items():
        for theme in THEMES:
            page = await visitors.arrive(
                "/consola", "supervisor", size=pixels, theme="dark" if theme == "dark" else "light"
            )
            await expect(page.get_by_role("region", name="Alarmas")).to_contain_text(fire["code"])
            await shot(page, f"sounds-console-{size}-{theme}")
            await page.get_by_role("button", name=re.compile("Abrir menú")).click()
            for name in ("Preferencias", "Informe semanal de alarmas"):
                await page.get_by_role("menuitem", name=name).click()
                await expect(page.get_by_role("dialog", name=name)).to_be_visible()
                if name != "Preferencias":
                    await expect(page.get_by_role("dialog", name=name).get_by_role("table").first).to_be_visible()
                await shot(page, f"sounds-{name.split()[0].lower()}-{size}-{theme}")
                wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
                assert not wide, (name, size)
                await page.keyboard.press("Escape")
                if name == "Preferencias":
                    await page.get_by_role("button", name=re.compile("Abrir menú")).click()
