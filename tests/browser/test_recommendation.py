"""Whom to send, by keyboard alone: read why, untick, send the rest in one act; what it leaves, and who is missing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect
from shapely import box

from geo.zones import Zone, ZoneKind, lay_zones, multipolygon
from incidents.coverage_targets import set_target
from incidents.move_ups import tell
from realtime.access import VIGIA
from realtime.database import connect, new_id, now, sessions_of, transaction
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import card, held, live, row
from tests.browser.streets import lay_chessboard
from tests.builders import City
from tests.recommendation.fleets import a_move_up
from tests.served import Served, cloned
from web.launcher import front_end

pytestmark = MAPLESS


@pytest.fixture(scope="module")
def served(
    maintenance_url: str, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """An installation of this module's own: streets, two barrios with people, and a target that two patrols meet."""
    if (problem := front_end.build_failure()) is not None:
        pytest.fail(f"the front end was not built: {problem}")

    async def furnish(url: str) -> None:
        engine, city = connect(url, pool=1), City()
        async with transaction(sessions_of(engine)) as session:
            for name, west, east, people in (
                ("Las Compañías", -60.67, -60.64, 12400),
                ("Centro", -60.64, -60.60, 9000),
            ):
                shape = multipolygon(box(west, -32.97, east, -32.93))
                await lay_zones(
                    session,
                    [Zone(id=new_id(), kind=ZoneKind.BARRIO, name=name, shape=shape, population=people, version=1)],
                )
            boss = city.actor("supervisor")
            target = await set_target(session, boss, new_id(), capability="GUM", minutes=2, minimum=0.9)
            one = a_move_up(city, target.id, "T1")
            session.add(one)
            await tell(session, VIGIA, "move_up.proposed", one, {})
        await engine.dispose()

    with cloned(maintenance_url, template) as database_url:
        lay_chessboard(database_url)
        asyncio.run(furnish(database_url))
        with Served(tmp_path_factory.mktemp("recommendation"), database_url, redis_url) as running:
            yield running


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    """Nobody has a session in this module's city yet."""
    return {}


async def scene(visitors: Visitors, city: City, type_code: str = "SEG-04") -> dict[str, Any]:
    """A fight in the west that wants two of the Guardia Urbana; M1 is near, M2 farther, T1 in the east."""
    dispatcher = await visitors.desk("dispatcher")
    places = {"M1": (-60.656, -32.95), "M2": (-60.644, -32.95), "T1": (-60.62, -32.942)}
    fixes = [
        {
            "unit_id": str(city.units[name]),
            "location": {"type": "Point", "coordinates": list(place)},
            "fixed_at": now().isoformat(),
        }
        for name, place in places.items()
    ]
    await dispatcher.post("/positions", {"positions": fixes})
    body = {
        "id": str(new_id()),
        "type_code": type_code,
        "place": f"Riña {new_id()}",
        "location": {"type": "Point", "coordinates": [city.west.x, city.west.y]},
    }
    made: dict[str, Any] = (await dispatcher.post("/incidents", body))["properties"]
    return made


async def test_nothing_moves_under_a_hand_when_the_first_answer_comes(visitors: Visitors, city: City) -> None:
    incident = await scene(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    picks, listed = card(page).locator(".pick"), card(page).locator(".candidates button")
    asking = await held(page, "**/recommendation")
    await row(page, re.compile(incident["place"])).click()
    await asking.asked()
    await expect(card(page).get_by_text("Buscando a quién enviar…")).to_be_visible()
    assert await listed.count() == 0
    await shot(page, "recommend-0-buscando")
    # It is slow: who is free is there, and a hand is over them when the answer comes at last.
    await expect(listed.filter(has_text="M1")).to_be_enabled()
    await listed.filter(has_text="M1").hover()
    async with page.expect_response("**/recommendation"):
        asking.go_on()
    await page.wait_for_timeout(500)
    assert await picks.count() == 0
    await page.mouse.move(700, 500)
    await expect(picks).to_have_count(2)


async def test_ticked_units_go_in_one_act(visitors: Visitors, city: City) -> None:
    incident = await scene(visitors, city)
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await row(page, re.compile(incident["place"])).press("Enter")
    picks = card(page).locator(".pick")
    await expect(picks).to_have_count(2)
    await expect(picks.nth(0)).to_contain_text("M1")
    await expect(picks.nth(0)).to_contain_text("el que llega antes")
    await expect(picks.nth(0)).to_contain_text(re.compile(r"deja [\d.]+ personas"))
    await expect(picks.nth(1)).to_contain_text("el que sigue a M1")
    await expect(card(page).get_by_text("Pedir a")).to_be_visible()
    await shot(page, "recommend-1-propuesta")
    await card(page).get_by_text("¿Por qué no otro móvil?").press("Enter")
    await expect(card(page).locator(".why-not")).to_contain_text("T1")
    await expect(card(page).locator(".why-not")).to_contain_text("después que")
    await picks.nth(1).get_by_role("checkbox").press("Space")
    await expect(card(page).get_by_role("button", name=re.compile("Enviar 1 marcado"))).to_be_enabled()
    await picks.nth(1).get_by_role("checkbox").press("Space")
    await page.locator("body").press("Control+Enter")
    sent = card(page).get_by_role("region", name="Móviles asignados").or_(card(page).locator(".assignments"))
    await expect(card(page).get_by_role("heading", name="Móviles asignados")).to_be_visible()
    for unit in ("M1", "M2"):
        await expect(sent.first).to_contain_text(unit)
    await expect(card(page).locator(".need-going").first).to_contain_text("ya van")
    desk = await visitors.desk("dispatcher")
    told = await desk.get(f"/incidents/{incident['id']}/timeline")
    made = [one for one in told["entries"] if one["kind"].startswith("assignment") and one["kind"].endswith("made")]
    assert len(made) == 2
    assert {one["detail"]["need"] for one in made} == {"GUM"}

    # Another one: nobody is left but T1, and that is said.
    second = await scene(visitors, city)
    await row(page, re.compile(second["place"])).press("Enter")
    short = card(page).locator(".need-short").first
    await expect(short).to_contain_text("falta 1: están ocupados")
    await shot(page, "recommend-2-falta")


async def test_a_past_moment_is_asked_again_by_a_supervisor(visitors: Visitors, city: City) -> None:
    incident = await scene(visitors, city)
    page = await visitors.arrive("/consola", "supervisor", size=(1600, 900))
    await live(page)
    await row(page, re.compile(incident["place"])).press("Enter")
    await expect(card(page)).to_be_focused()  # the keyboard goes on where the work is
    await card(page).get_by_text("¿Qué habría mandado?").press("Enter")
    await card(page).locator(".past-moments button").first.press("Enter")
    await expect(card(page).get_by_text(re.compile("^PASADO"))).to_be_visible()
    await expect(card(page).locator(".past-answer")).to_contain_text("Guardia Urbana")
    await shot(page, "recommend-3-pasado")


async def test_a_move_up_is_confirmed_with_one_key_and_called_off(visitors: Visitors, city: City) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await expect(page.get_by_text("T1 → Base Este en 4 min")).to_be_visible()
    await shot(page, "recommend-4-reubicar")
    await page.locator("body").press("y")
    await expect(page.get_by_text("T1 se reubica en Base Este. Sigue libre.")).to_be_visible()
    await page.get_by_role("button", name="Suspender").press("Enter")
    await expect(page.get_by_text("T1 se reubica en Base Este. Sigue libre.")).to_have_count(0)


async def test_targets_are_set_and_how_the_city_stands_is_seen(visitors: Visitors) -> None:
    page = await visitors.arrive("/tarjetas?ver=cobertura", "supervisor", size=(1600, 900))
    await expect(page.get_by_text(re.compile("Guardia Urbana en 2 min"))).to_be_visible()
    await expect(page.get_by_text(re.compile("por debajo del mínimo|se cumple")).first).to_be_visible()
    await page.get_by_label("Minutos").fill("12")
    await page.get_by_label("Mínimo de personas (%)").fill("50")
    await page.get_by_role("button", name="Agregar objetivo").press("Enter")
    await expect(page.get_by_text(re.compile("en 12 min"))).to_be_visible()
    await shot(page, "recommend-5-cobertura")
    phone = await visitors.arrive("/tarjetas?ver=cobertura", "supervisor", size=(360, 740))
    await expect(phone.get_by_text(re.compile("en 12 min"))).to_be_visible()
    await shot(phone, "recommend-6-cobertura-telefono")
