"""In other words: the English catalogue, and one whose words are all longer and all marked."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.accessible import a_working_night, overflow
from tests.browser.conftest import MAPLESS, Visitors, shot
from tests.browser.screens import card
from tests.builders import City
from web.launcher.layout import UI

pytestmark = MAPLESS


def pseudo(words: Any) -> Any:
    """Every text two fifths longer, in brackets."""
    if isinstance(words, dict):
        return {key: pseudo(each) for key, each in words.items()}
    return f"⟦{words}{'~' * round(0.4 * len(words))}⟧" if words.strip() else words


async def in_pseudo(visitors: Visitors, who: str, size: tuple[int, int]) -> Page:
    """A console whose second catalogue is the marked one."""
    await (await visitors.desk(who)).post("/preferences", {"language": "en"})
    page = await visitors.arrive("/ingresar", size=size, apart=True)
    words = pseudo(json.loads((UI / "src/locale/es-AR.json").read_text()))
    module = f"export default {json.dumps(words)};"

    async def answer(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body=module)

    await page.route("**/static/assets/en-*.js", answer)
    await page.context.add_cookies([await visitors.cookie(who)])
    await page.goto("/consola")
    await expect(page.get_by_text("⟦En vivo")).to_be_visible()
    return page


# Letters on the screen that came from no catalogue: not in brackets, and no data, time, number, key or product.
DATA = ", ".join(
    (
        *("kbd", "code", "time", "input", "textarea", "[lang]", ".product", ".top-person", ".row", ".unit-pill"),
        *(".card-head", ".entry", ".summary", ".radio-row", ".stamps", ".handler", ".company", ".facts dd"),
        *(".choices", ".assignments", ".candidate", ".tasks", ".run-card"),
    )
)
UNMARKED = """(data) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { data: said, parentElement } = walker.currentNode;
    if (!/\\p{L}{3,}/u.test(said) || /[⟦⟧~]/.test(parentElement.textContent)) continue;
    if (parentElement.checkVisibility() && !parentElement.closest(data)) found.push(said.trim());
  }
  return found;
}"""


@pytest.mark.parametrize("size", [(1600, 900), (360, 740)])
async def test_longer_words_fit_and_every_word_is_from_the_catalogue(
    visitors: Visitors, city: City, size: tuple[int, int]
) -> None:
    await a_working_night(visitors, city)
    page = await in_pseudo(visitors, "supervisor", size)
    narrow = size[0] < 960
    wrong = {"queue": await overflow(page), "words": await page.evaluate(UNMARKED, DATA)}
    await page.get_by_text("Catamarca 200").first.click()
    await expect(page.get_by_role("complementary").get_by_role("heading", level=2)).to_be_visible()
    wrong["card"] = await overflow(page)
    await shot(page, f"pseudo-card-{size[0]}")
    if not narrow:
        for name, strokes in {"keys": "?", "handover": "gr", "preferences": ""}.items():
            for stroke in strokes:
                await page.keyboard.press(stroke)
            if not strokes:
                await page.locator(".top-person").click()
                await page.get_by_role("menuitem").filter(has_text="⟦Preferencias").click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            wrong[name] = [*await overflow(page), *await page.evaluate(UNMARKED, DATA)]
            await shot(page, f"pseudo-{name}")
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_have_count(0)
    await (await visitors.desk("supervisor")).post("/preferences", {})
    assert {where: what for where, what in wrong.items() if what} == {}


async def test_the_console_in_english_and_back_with_what_was_being_written(
    visitors: Visitors, city: City, streets: None
) -> None:
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900), apart=True)
    await expect(page.get_by_text(re.compile("En vivo"))).to_be_visible()
    await page.keyboard.press("n")
    await expect(card(page).get_by_label("Lugar", exact=True)).to_be_visible()
    await card(page).get_by_label("Lugar", exact=True).focus()
    await page.keyboard.type("Rioja 1250")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=re.compile("Abrir menú")).click()
    await page.get_by_role("menuitem", name="Preferencias").click()
    await page.get_by_role("radiogroup", name="Idioma").get_by_text("English").click()

    await expect(page.get_by_text(re.compile("^Live"))).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "en"
    assert await overflow(page) == []
    await shot(page, "english")
    # The draft came along, the flow is the same, and the server answers in English too.
    await page.keyboard.press("n")
    await page.keyboard.press("Tab")
    sheet = page.get_by_role("complementary", name="Card")
    place = sheet.get_by_label("Place", exact=True)
    await expect(place).to_have_value("Rioja 1250")
    await expect(sheet.get_by_role("button", name=re.compile("^Create and dispatch"))).to_be_visible()
    await shot(page, "english-call")
    field = sheet.get_by_role("combobox", name="Type")
    await field.click()
    await field.fill("tree")
    await field.press("Enter")
    await expect(field).not_to_have_value("tree")
    answer = await page.evaluate(
        "fetch('/api/v1/incidents/00000000-0000-7000-8000-000000000000',"
        " {headers: {'Accept-Language': document.documentElement.lang}}).then((found) => found.json())"
    )
    assert answer["title"] == "There is no such thing, or you may not see it."

    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=re.compile("Open menu")).click()
    await page.get_by_role("menuitem", name="Preferences").click()
    await page.get_by_role("radiogroup", name="Language").get_by_text("Español").click()
    await expect(page.get_by_text(re.compile("En vivo"))).to_be_visible()
    assert (await (await visitors.desk("dispatcher")).get("/preferences"))["language"] == "es-AR"
