"""Two dispatchers, one unit: one sends it, the other reads who did."""

from __future__ import annotations

import re

from playwright.async_api import expect

from realtime.database import new_id
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import Hands, card, held, live, row
from tests.builders import City

pytestmark = MAPLESS


async def test_the_loser_reads_who_holds_the_unit(visitors: Visitors, city: City) -> None:
    dispatcher = await visitors.desk("dispatcher")
    codes = []
    for words, place in (("Rivales uno", city.west), ("Rivales dos", city.east)):
        location = {"type": "Point", "coordinates": [place.x, place.y]}
        body = {"id": str(new_id()), "type_code": "SIN-02", "place": words, "location": location}
        made = await dispatcher.post("/incidents", body)
        codes.append(made["properties"]["code"])
    winner = await visitors.arrive("/consola", "dispatcher")
    loser = await visitors.arrive("/consola", "supervisor")
    for page, words in ((winner, "Rivales uno"), (loser, "Rivales dos")):
        await live(page)
        await row(page, re.compile(words)).click()
        await expect(card(page).get_by_role("button", name=re.compile(r"\bM2\b"))).to_be_enabled()

    # Both press at the same moment; the network of one is slower.
    sending = await held(loser, "**/assignments")
    await card(loser).get_by_role("button", name=re.compile(r"\bM2\b")).click()
    await sending.asked()
    hands = Hands(winner)
    await hands.click(card(winner).get_by_role("button", name=re.compile(r"\bM2\b")))
    await expect(card(winner).get_by_role("heading", name="Móviles asignados")).to_be_visible()
    assert hands.actions == 1
    sending.go_on()
    question = loser.get_by_role("dialog", name="M2 está ocupado")
    await expect(question).to_contain_text(codes[0])
    await expect(question).to_contain_text("lo envió dispatcher")
    await shot(loser, "11-liberar-o-sumar")
    await loser.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    refusal = card(loser).get_by_role("alert").filter(has_text="M2")
    await expect(refusal).to_contain_text(f"M2 ya está en {codes[0]}")
    await expect(refusal).to_contain_text("dispatcher")
    await shot(loser, "11-el-que-pierde")
    await expect(card(loser).get_by_role("heading", name="Móviles asignados")).to_have_count(0)
