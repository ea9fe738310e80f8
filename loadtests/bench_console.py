"""`./vigia bench console`: from an event to a pixel, beside a console as many are written.

Every figure is of one run on one machine, maps drawn in software: the ratios are what lasts. `vigia` is our console;
`throttled` and `unthrottled` are `web/ui/rival`, React state for every marker with and without holding messages back.
"""

from __future__ import annotations

import argparse
import asyncio
import mimetypes
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    Response,
    Route,
    ViewportSize,
    async_playwright,
)
from playwright.async_api import TimeoutError as Late

from loadtests.console_city import Fleet, fleet_at, installation
from web.launcher.chromium import known_chromium
from web.launcher.layout import UI
from web.launcher.node import node

PROBE = Path(__file__).with_name("console_probe.js")
SIZE: ViewportSize = {"width": 1600, "height": 900}
SOFTWARE_GL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
# A page that we hand over ourselves comes from nowhere, and from there the loopback's feed is out of bounds.
FROM_NOWHERE = "--disable-features=LocalNetworkAccessChecks"
GIVE_UP = 40.0  # seconds for one event to become a pixel
DESK, COMMAND = "despacho", "supervision"  # whose console is measured, and who moves the fleet
AIM_P95, AIM_BYTES = 400.0, 750_000
CONSOLES = {"vigia": "/consola", "throttled": "/rival/index.html", "unthrottled": "/rival/index.html?throttle=no"}


@dataclass
class Seen:
    """What one console did."""

    latencies: list[float] = field(default_factory=list)  # ms, from telling a position to its pixel
    frames: list[float] = field(default_factory=list)  # ms between two
    heap: list[float] = field(default_factory=list)  # MB after a collection


def part(values: Sequence[float], share: float) -> float:
    """So large a share of the values stayed below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Room:
    """A browser in which somebody of the city is signed in."""

    def __init__(self, browser: Browser, address: str, rival: Path, account: dict[str, str]) -> None:
        self.browser, self.address, self.rival, self.account = browser, address, rival, account

    async def sit_down(self) -> BrowserContext:
        """A fresh browser, nothing cached."""
        context = await self.browser.new_context(base_url=self.address, viewport=SIZE, locale="es-AR", bypass_csp=True)
        await context.add_init_script(path=PROBE)
        await context.route("**/rival/**", self._serve_rival)
        entry = {"username": self.account["username"], "password": self.account["password"]}
        answer = await context.request.post("/api/v1/session", data=entry, headers={"Origin": self.address})
        if not answer.ok:
            raise RuntimeError(f"sign-in: {answer.status}")
        return context

    async def _serve_rival(self, route: Route) -> None:
        name = route.request.url.split("/rival/", 1)[1].split("?")[0]
        place = self.rival / name
        kind = "text/javascript" if place.suffix in {".js", ".mjs"} else mimetypes.guess_type(name)[0]
        await route.fulfill(path=place, content_type=kind)


async def settled(page: Page) -> None:
    """The map has drawn, and shows units."""
    await page.wait_for_selector(".maplibregl-canvas", timeout=60_000)
    await page.evaluate("vigiaProbe.arm()")
    await page.wait_for_function("vigiaProbe.drawn", timeout=60_000)
    await asyncio.sleep(5)  # tiles come in


async def collect(devtools: CDPSession) -> float:
    """Megabytes of heap that a collection leaves."""
    await devtools.send("HeapProfiler.collectGarbage")
    used: dict[str, float] = await devtools.send("Runtime.getHeapUsage")
    return used["usedSize"] / 1e6


async def event_to_pixel(page: Page, fleet: Fleet, seconds: float, seen: Seen) -> None:
    """Move the probe again and again; note how long its pixels took."""
    await fleet.put_probe(aside=False)  # wherever the console before left it: what does not move is never seen
    await asyncio.sleep(2)
    until, aside = time.monotonic() + seconds, False
    while time.monotonic() < until:
        await page.evaluate("vigiaProbe.arm()")
        await page.wait_for_function("vigiaProbe.ready()", timeout=GIVE_UP * 1000)
        await asyncio.sleep(random.uniform(0, 0.3))
        aside = not aside
        said = await fleet.put_probe(aside=aside)
        try:
            await page.wait_for_function("vigiaProbe.changedAt !== null", timeout=GIVE_UP * 1000, polling=100)
        except Late:
            seen.latencies.append(GIVE_UP * 1000)
            continue
        seen.latencies.append(await page.evaluate("vigiaProbe.changedAt") - said)
        await asyncio.sleep(random.uniform(0.5, 1.0))
    await page.evaluate("vigiaProbe.disarm()")


async def measure(room: Room, fleet: Fleet, path: str, seconds: float, seen: Seen) -> None:
    """One console, one round."""
    context = await room.sit_down()
    try:
        page = await context.new_page()
        await page.goto(path)
        await settled(page)
        await event_to_pixel(page, fleet, seconds, seen)
        await page.evaluate("vigiaProbe.timeFrames(true)")
        await asyncio.sleep(seconds / 2)
        seen.frames += await page.evaluate("vigiaProbe.frames")
        seen.heap.append(await collect(await context.new_cdp_session(page)))
    finally:
        await context.close()


async def rows(room: Room, fleet: Fleet, count: int) -> list[float]:
    """Milliseconds from telling a new P1 to its row on the screen."""
    context = await room.sit_down()
    took = []
    try:
        page = await context.new_page()
        await page.goto("/consola")
        await settled(page)
        for _ in range(count):
            said = time.time() * 1000
            incident = await fleet.open_incident(fleet.middle, priority=1)
            shown = await page.evaluate("id => vigiaProbe.element(id)", f"row-incident-{incident}")
            took.append(shown - said)
            await fleet.close_incident(incident)
            await asyncio.sleep(random.uniform(0.3, 0.6))
    finally:
        await context.close()
    return took


@dataclass
class Visit:
    """A first visit: milliseconds until one can work, and the bytes of the screen itself."""

    usable: float
    came: int


async def first_visit(room: Room) -> Visit:
    """Nothing cached: until the queue has rows, the map has drawn and a key is answered."""
    context = await room.sit_down()
    try:
        page = await context.new_page()
        responses: list[Response] = []

        def note(response: Response) -> None:
            responses.append(response)

        page.on("response", note)
        began = time.monotonic()
        await page.goto("/consola", wait_until="commit")
        await page.wait_for_selector("[id^=row-]", timeout=60_000)
        await page.evaluate("vigiaProbe.arm()")
        await page.wait_for_function("vigiaProbe.drawn", timeout=60_000)
        await page.keyboard.press("j")
        await page.wait_for_selector("[id^=row-][aria-current=true]", timeout=60_000)
        usable = (time.monotonic() - began) * 1000
        await asyncio.sleep(1)
        came = 0
        for response in responses:
            if (
                "/static/" in response.url or response.url == f"{room.address}/consola"
            ):  # not what changes with the city
                sizes = await response.request.sizes()
                came += sizes["responseBodySize"] + sizes["responseHeadersSize"]
        return Visit(usable, came)
    finally:
        await context.close()


async def storm(room: Room, fleet: Fleet, minutes: float) -> list[tuple[float, float, int]]:
    """One console through a storm: (minute, MB after a collection, elements), each minute."""
    context = await room.sit_down()
    found = []
    open_: list[str] = []
    try:
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        await page.goto("/consola")
        await settled(page)
        began = time.monotonic()
        next_look = 0.0
        while (at := (time.monotonic() - began) / 60) <= minutes:
            if at >= next_look:
                elements = await page.evaluate("document.querySelectorAll('*').length")
                found.append((at, await collect(devtools), elements))
                next_look += 1.0
            open_.append(await fleet.open_incident(fleet.anywhere()))
            if len(open_) > 60:
                await fleet.close_incident(open_.pop(0))
            await asyncio.sleep(1.0)
    finally:
        await context.close()
    return found


def build_rival(into: Path) -> None:
    """Build the stand-in."""
    vite = UI / "node_modules" / "vite" / "bin" / "vite.js"
    wishes = ["--config", "rival/vite.config.ts", "--outDir", str(into), "--emptyOutDir"]
    subprocess.run(
        [str(node().binary), str(vite), "build", *wishes],
        check=True,
        cwd=UI,
        env=node().env | {"NODE_ENV": "production"},
        stdout=subprocess.DEVNULL,
        timeout=300,
    )


async def bench_console(wishes: argparse.Namespace) -> int:
    """Print all of it; 0 when the aims are met."""
    found = known_chromium()
    if found is None:
        print("no Chromium here: ./vigia test brings one", file=sys.stderr)
        return 2
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(node().binary)
    with tempfile.TemporaryDirectory() as built, installation() as (address, accounts):
        build_rival(Path(built))
        async with async_playwright() as driver, fleet_at(address, accounts[COMMAND]) as fleet:
            arguments = [*SOFTWARE_GL, FROM_NOWHERE, *(["--no-sandbox"] if os.getuid() == 0 else [])]
            browser = await driver.chromium.launch(executable_path=str(found), args=arguments)
            room = Room(browser, address, Path(built), accounts[DESK])
            await fleet.fill(wishes.units, wishes.incidents)
            return await _tell(room, fleet, wishes)


async def _tell(room: Room, fleet: Fleet, wishes: argparse.Namespace) -> int:
    print(
        f"{wishes.units} units, {wishes.messages} fixes a second, {wishes.incidents} open incidents,"
        f" {wishes.rounds} rounds of {wishes.seconds:g} s; maps in software, {os.cpu_count()} cores\n",
        flush=True,
    )
    seen = {name: Seen() for name in CONSOLES}
    async with fleet.moving(wishes.messages):
        began, before = time.monotonic(), fleet.sent
        for _ in range(wishes.rounds):
            for name, path in CONSOLES.items():
                await measure(room, fleet, path, wishes.seconds, seen[name])
        rate = (fleet.sent - before) / (time.monotonic() - began)
        took = await rows(room, fleet, wishes.rows)
    _tell_pixels(seen, rate)
    p50, p95 = part(took, 0.5), part(took, 0.95)
    print(f"\nevent → row of the queue (a new P1): p50 {p50:.0f} ms, p95 {p95:.0f} ms, n {len(took)}")
    visits = [await first_visit(room) for _ in range(wishes.visits)]
    usable, came = statistics.median(visit.usable for visit in visits), visits[-1].came
    print(
        f"\nfirst visit, nothing cached: usable after {usable:.0f} ms (median of {len(visits)}), {came / 1000:.0f} kB",
        flush=True,
    )
    async with fleet.moving(wishes.messages):
        minutes = await storm(room, fleet, wishes.storm)
    print(
        f"\nmemory of the console through {wishes.storm:g} minutes of storm:"
        f" an incident a second, {wishes.messages} fixes a second\n  minute   heap MB   elements"
    )
    for at, heap, elements in minutes:
        if round(at) % max(1, round(wishes.storm / 6)) == 0:
            print(f"  {at:>6.0f} {heap:>9.1f} {elements:>10}")
    met = part(seen["vigia"].latencies, 0.95) <= AIM_P95 and came <= AIM_BYTES
    verdict = "met" if met else "NOT MET"
    print(f"\naims: p95 ≤ {AIM_P95:.0f} ms on the map, ≤ {AIM_BYTES / 1000:.0f} kB on a first visit: {verdict}")
    return 0 if met else 1


def _tell_pixels(seen: dict[str, Seen], rate: float) -> None:
    print(f"event → pixel of the map, from the request that tells it; {rate:.0f} fixes a second came")
    heads = ("console", "n", "p50 ms", "p95 ms", "× ours", "frame p50", "p95", "p99", "> 50 ms", "heap MB")
    print("  {:<12} {:>4} {:>7} {:>7} {:>7} {:>10} {:>6} {:>6} {:>8} {:>8}".format(*heads))
    ours = part(seen["vigia"].latencies, 0.95)
    for name, one in seen.items():
        late = sum(frame > 50 for frame in one.frames) / max(1, len(one.frames))
        p50, p95 = part(one.latencies, 0.5), part(one.latencies, 0.95)
        frames = [part(one.frames, share) for share in (0.5, 0.95, 0.99)]
        print(
            f"  {name:<12} {len(one.latencies):>4} {p50:>7.0f} {p95:>7.0f} {p95 / ours:>7.2f}"
            f" {frames[0]:>10.1f} {frames[1]:>6.1f} {frames[2]:>6.1f} {late:>8.1%} {statistics.median(one.heap):>8.1f}"
        )


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="vigia bench console", description=__doc__)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--messages", type=int, default=200, help="fixes a second")
    parser.add_argument("--incidents", type=int, default=120, help="open ones")
    parser.add_argument("--rounds", type=int, default=3, help="of each console, interleaved")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each round")
    parser.add_argument("--rows", type=int, default=30, help="new P1s that are timed to their row")
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--storm", type=float, default=30.0, help="minutes")
    return asyncio.run(bench_console(parser.parse_args(arguments)))
