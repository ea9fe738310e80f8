"""A neighbour is answered and answers back: the words that the desk chose, a fact, and "it was not solved"."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Page, expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import Hands, button, card, live, row
from tests.builders import City

pytestmark = MAPLESS

WEST = {"type": "Point", "coordinates": [-60.66, -32.95]}
PLACE = "Balcarce al fondo, junto al tanque"


async def read(phone: Page, code: str, words: str) -> None:
    """Until the page of the code says so; the worker brings it up in a moment."""
    while True:
        await phone.goto(f"/s/{code}")
        if words in await phone.locator("main").inner_text():
            return
        await asyncio.sleep(1)


async def test_the_answer_is_chosen_read_and_not_the_last_word(visitors: Visitors, city: City) -> None:
    desk = await visitors.desk("dispatcher")
    told = {"id": str(new_id()), "channel": "web", "words": "gotea el tanque", "place": PLACE, "location": WEST}
    report = await desk.post("/reports", told)
    code = report["tracking_code"]
    incident = str(new_id())
    await desk.post(f"/reports/{report['id']}/accept", {"incident_id": incident, "type_code": "MET-01"})

    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900), theme="light")
    await live(page)
    await row(page, re.compile(PLACE)).click()
    phone = await visitors.arrive(f"/s/{code}", javascript=False, size=(360, 740), theme="light")
    await read(phone, code, "En manos de")
    await shot(phone, "answer-1-waiting")

    # A fact, from the street: the desk reads it in the story.
    await phone.get_by_role("link", name="Agregar un dato").click()
    await phone.get_by_label("¿Qué querés agregar?").fill("ahora corre por la vereda")
    await shot(phone, "answer-2-fact")
    await phone.get_by_role("button", name="Enviar").click()
    await expect(phone.get_by_role("status")).to_have_text("Agregado. La sala ya lo tiene.")
    await expect(card(page).locator(".entry-fact")).to_have_text("ahora corre por la vereda")

    # Closing says what he will read; somebody writes better words.
    hands = Hands(page)
    await hands.click(button(card(page), "Cerrar"))
    await expect(card(page).locator(".choice-answer").first).to_have_text("Fuimos y quedó resuelto.")
    await shot(page, "answer-3-closing")
    await hands.click(card(page).get_by_label("Respuesta a quien avisó"))
    await hands.type("Se cambió el flotante del tanque.")
    await expect(card(page).locator(".choice-answer")).to_have_count(0)
    await hands.click(card(page).get_by_role("button", name="Resuelto"))
    assert hands.actions == 4
    await expect(card(page).get_by_text("A quien avisó: «Se cambió el flotante del tanque.»")).to_be_visible()
    await read(phone, code, "Se cambió el flotante del tanque.")
    await shot(phone, "answer-4-answered")

    # It was not solved: one press and a word, and it waits on the board again.
    await phone.get_by_role("link", name="No se resolvió").click()
    await phone.get_by_label("¿Qué sigue mal?").fill("gotea igual")
    await shot(phone, "answer-5-unsolved")
    await phone.get_by_role("button", name="Abrirlo de nuevo").click()
    await expect(phone.get_by_role("status")).to_have_text("Está abierto de nuevo. La sala ya lo tiene.")
    await expect(card(page).locator(".state-chip").first).to_have_text("En espera")
    await expect(card(page).get_by_text("Reabierto: quien avisó dice que no se resolvió")).to_be_visible()
    await expect(card(page).locator(".entry-fact").first).to_have_text("gotea igual")
    await shot(page, "answer-6-reopened")

    # And his name goes when he wants.
    await phone.get_by_role("link", name="Borrar mis datos").click()
    await shot(phone, "answer-7-data")
    await phone.get_by_role("button", name="Borrar mi nombre y mi teléfono").click()
    await expect(phone.get_by_role("status")).to_contain_text("ya no están en el aviso")
    await desk.post(f"/incidents/{incident}/close", {"disposition": "resolved"})


async def test_a_waiting_report_shows_what_was_added_and_what_a_dismissal_says(visitors: Visitors, city: City) -> None:
    desk = await visitors.desk("dispatcher")
    words = f"algo raro {new_id()}"
    told = {"id": str(new_id()), "channel": "web", "words": words, "place": PLACE, "location": WEST}
    code = (await desk.post("/reports", told))["tracking_code"]
    phone = await visitors.arrive(f"/s/{code}/dato", javascript=False, size=(360, 740), theme="dark")
    await phone.get_by_label("¿Qué querés agregar?").fill("ya se fue")
    await phone.get_by_role("button", name="Enviar").click()
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900), theme="dark")
    await live(page)
    await row(page, re.compile(words)).click()
    await expect(card(page).get_by_role("list", name="Lo que agregó después")).to_contain_text("ya se fue")
    await page.keyboard.press("x")
    await expect(card(page).locator(".choice-answer").first).to_be_visible()
    await shot(page, "answer-dismissing")
    await card(page).get_by_role("button", name="Ya estaba resuelto").click()
    await read(phone, code, "Ya estaba resuelto cuando lo miramos.")
    await shot(phone, "answer-dismissed")


async def test_who_reports_what_is_known_counts_himself_in_with_one_press(visitors: Visitors, city: City) -> None:
    desk = await visitors.desk("dispatcher")
    incident = str(new_id())
    known = {"id": incident, "type_code": "MET-01", "location": WEST, "place": PLACE, "summary": "rama caída"}
    await desk.post("/incidents", known)
    told = {"id": str(new_id()), "channel": "web", "words": "una rama caída", "type_hint": "MET-01", "location": WEST}
    code = (await desk.post("/reports", told))["tracking_code"]
    phone = await visitors.arrive(f"/s/{code}?nuevo=1", javascript=False, size=(360, 740), theme="light")
    await expect(phone.get_by_role("heading", name="Recibido")).to_be_visible()
    await expect(phone.get_by_role("heading", name="¿Es esto?")).to_be_visible()
    await phone.get_by_role("heading", name="¿Es esto?").scroll_into_view_if_needed()
    await shot(phone, "answer-same")
    await phone.get_by_role("button", name="Me sumo: Árbol o poste caído").first.click()
    await expect(phone.get_by_role("status")).to_contain_text("Sumado")
    inside = (await desk.get(f"/incidents/{incident}/reports"))["features"]
    assert told["id"] in {one["properties"]["id"] for one in inside}
    await desk.post(f"/incidents/{incident}/close", {"disposition": "resolved"})
