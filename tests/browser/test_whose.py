"""A report says on its card whose the place is, and when it is beyond the city."""

from __future__ import annotations

import re

from playwright.async_api import expect
from shapely import box

from geo.places import geojson
from realtime.database import new_id
from tests.browser.conftest import BROWSER, Visitors, shot
from tests.browser.screens import card, live, row

pytestmark = BROWSER


async def test_the_card_says_whose_a_place_is(visitors: Visitors) -> None:
    supervisor = await visitors.desk("supervisor")
    limit = geojson(box(-60.8, -33.1, -60.5, -32.8))
    zone = {"id": str(new_id()), "kind": "jurisdiction", "name": "Rosario", "desk": "Distrito Oeste", "shape": limit}
    await supervisor.post("/zones", zone)
    try:
        await _the_card_says_it(visitors)
    finally:  # the city of the other tests has no limit
        await supervisor.post(f"/zones/{zone['id']}/end", {})


async def _the_card_says_it(visitors: Visitors) -> None:
    caller = await visitors.stranger()
    for words, at in (("humo negro", [-60.66, -32.95]), ("árbol caído", [-61.5, -33.5])):
        location = {"type": "Point", "coordinates": at}
        await caller.post("/reports", {"id": str(new_id()), "words": words, "place": "Ruta 9", "location": location})
    page = await visitors.arrive("/consola", "dispatcher", size=(1600, 900))
    await live(page)
    await row(page, re.compile("humo negro")).click()
    await expect(card(page).get_by_text("Responde Distrito Oeste")).to_be_visible()
    await shot(page, "whose-inside")
    await row(page, re.compile("árbol caído")).click()
    await expect(card(page).get_by_text("Fuera de la ciudad")).to_be_visible()
    await shot(page, "whose-outside")
