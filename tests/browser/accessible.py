"""What a screen must be for everybody: axe finds nothing, in both themes, and nothing runs out of the window."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from playwright.async_api import Page

from realtime.database import new_id
from tests.browser.conftest import Visitors, shot
from tests.builders import City, a_sending
from web.launcher.layout import UI

THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A map is drawn on a canvas that axe cannot read; its list says the same (Alt M).
RUN = """async (tags) => {
  const { violations } = await window.axe.run(
    { exclude: [".maplibregl-canvas"] },
    { runOnly: tags, resultTypes: ["violations"] },
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) =>
    `${id}: ${[...any, ...all, ...none].map(({ message }) => message).join("; ")}: ${html.slice(0, 200)}`));
}"""
PLACE = {"type": "Point", "coordinates": [-60.66, -32.95]}


@cache
def axe() -> str:
    """The library, as it is to be said in a page."""
    return (UI / "node_modules/axe-core/axe.min.js").read_text()


async def violations(page: Page) -> list[str]:
    """What axe finds wrong in a page as it stands."""
    if not await page.evaluate("typeof window.axe === 'object'"):
        await page.evaluate(axe())
    found: list[str] = await page.evaluate(RUN, WCAG)
    return found


class Found(dict[str, list[str]]):
    """Violations by where they were seen first and again."""

    def note(self, state: str, wrong: list[str]) -> None:
        """Something is wrong in a state."""
        for each in wrong:
            self.setdefault(each, []).append(state)

    def told(self) -> str:
        """A line each, and where first."""
        return "\n".join(f"{what} ({states[0]})" for what, states in self.items())


async def sound(page: Page, state: str, found: Found, *, dark_only: bool = False) -> None:
    """Look at a state in both themes; what is wrong is noted with its name."""
    for theme in ("dark",) if dark_only else THEMES:
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found.note(f"{state}, {theme}", await violations(page))
        await shot(page, f"axe-{state}-{theme}")


# What makes the page wider than its window, and words of buttons and headings that are cut without a sign.
OVERFLOW = """() => {
  const { scrollWidth } = document.scrollingElement;
  const wide = scrollWidth > innerWidth ? [`page: ${scrollWidth} > ${innerWidth}`] : [];
  const cut = [...document.querySelectorAll("button, a, label, h1, h2, h3, th")].filter((each) => {
    const style = getComputedStyle(each);
    if (!each.checkVisibility({ visibilityProperty: true }) || style.textOverflow === "ellipsis") return false;
    if (each.clientWidth > 1 && style.overflowX !== "visible" && each.scrollWidth > each.clientWidth + 1) return true;
    const { width, right } = each.getBoundingClientRect();
    return width > 0 && right > innerWidth + 1 && !each.closest("[data-scroll], .mantine-ScrollArea-root");
  });
  return [...wide, ...cut.map((each) => `${each.tagName} ${each.className}: ${each.textContent.trim().slice(0, 60)}`)];
}"""


async def overflow(page: Page) -> list[str]:
    """What does not fit in the window."""
    wrong: list[str] = await page.evaluate(OVERFLOW)
    return wrong


async def a_working_night(visitors: Visitors, city: City) -> dict[str, Any]:
    """Incidents of all priorities, a unit that was sent, words over the radio."""
    desk = await visitors.desk("supervisor")
    made: dict[str, Any] = {}
    for level, type_code in ((1, "SIN-01"), (2, "INC-01"), (3, "MET-01"), (4, "SRV-01")):
        body = {"id": str(new_id()), "type_code": type_code, "location": PLACE, "place": f"Catamarca {level}00"}
        more = {"priority": level, "summary": "hay gente en la calle"}
        made[f"p{level}"] = (await desk.post("/incidents", body | more))["properties"]
    await desk.post(f"/units/{city.units['M1']}/duty", {"duty": "on_duty"})
    await desk.post(f"/incidents/{made['p2']['id']}/assignments", a_sending(city.units["M1"]))
    await desk.post(f"/incidents/{made['p2']['id']}/notes", {"id": str(new_id()), "text": "llegó el fiscal"})
    await desk.post("/radio-log", {"id": str(new_id()), "text": "llegando", "unit_id": str(city.units["M1"])})
    return made


async def a_report(visitors: Visitors) -> None:
    """One waits. Few of them: forty in ten minutes are a storm, for every test of the installation."""
    desk = await visitors.desk("supervisor")
    report = {
        "id": str(new_id()),
        "words": "humo negro",
        "channel": "phone",
        "location": PLACE,
        "place": "Corrientes 50",
    }
    await desk.post("/reports", report)
