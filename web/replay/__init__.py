"""Real dispatch logs, replayed through the public API and reconciled with the database.

A replay may stop anywhere and be run again: its ids come from the log, so what an earlier run did is found and
left as it is, and the rest is done.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from geo.travel import network_of
from realtime.access import Permission
from realtime.database import connect, reading, sessions_of
from web.replay import cdmx_c5, sf_fire
from web.replay.books import Books, Ids, read_books
from web.replay.client import PATIENCE, Account, Client, Refused, ServerAway, account_for
from web.replay.log import Log, NotThatLog
from web.replay.onto_city import Laying, box_of
from web.replay.page import Page
from web.replay.plan import Act, Story, acts_of, id_of, tell_stories
from web.replay.reconcile import account_for as account_of
from web.replay.reconcile import compare, expected_of, look_through_lists
from web.replay.run import Fleet, Run
from web.replay.words import spoken
from web.settings import Settings

SOURCES: Mapping[str, Callable[[Path], Log]] = {"sf-fire": sf_fire.read, "cdmx-c5": cdmx_c5.read}
FINE, DIFFERENT, HOPELESS, INTERRUPTED = 0, 1, 2, 130
NEEDED = (
    Permission.REPORT_TRIAGE,
    Permission.INCIDENT_CLOSE,
    Permission.UNIT_DISPATCH,
    Permission.UNIT_MANAGE,
    Permission.PEOPLE_MANAGE,
)
READING = "-c statement_timeout=60000 -c default_transaction_read_only=on"  # the books are only looked at
TIMEOUT = 30.0  # seconds; a busy server answers 503 long before


class Hopeless(Exception):
    """The replay cannot begin, or go on; says why."""


@dataclass(slots=True)
class Desk:
    """What a replay works with."""

    settings: Settings
    page: Page
    client: Client
    engine: AsyncEngine
    me: UUID


async def replay(
    settings: Settings,
    file: Path,
    *,
    source: str,
    speed: float = 0,
    limit: int | None = None,
    onto_city: bool = False,
    http: httpx2.AsyncClient | None = None,
    account: Account | None = None,
    console: Console | None = None,
) -> int:
    """Replay the log at `file` into the running city; 0 when everything reconciles, 1 when not, 2 when it cannot be.

    It speaks HTTP to `settings.address` unless it is given another way there.
    """
    console = console or Console(soft_wrap=False, width=None if sys.stdout.isatty() else 120)
    page = Page(console, spoken(settings.language))
    http = http or httpx2.AsyncClient(base_url=settings.address, timeout=TIMEOUT)
    engine = connect(settings.database, pool=1, limits=READING)
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101  (this is a coroutine)
    loop.add_signal_handler(signal.SIGTERM, task.cancel)  # as Ctrl-C does: the simulation must not stay paused
    try:
        log = _read(page, file, source)
        desk, city = await _sign_in(settings, page, http, engine, account or account_for(settings.data))
        return await _replay(desk, city, file, log, speed=speed, limit=limit, onto_city=onto_city)
    except Hopeless as hopeless:
        page.line(str(hopeless), "bold red")
        return HOPELESS
    except ServerAway:
        text = "{address} did not answer for {seconds} s. Run the same command again: it continues where it stopped."
        page.line(page.say(text, address=settings.address, seconds=int(PATIENCE)), "bold red")
        return DIFFERENT
    except asyncio.CancelledError:
        page.line(page.say("Interrupted. Run the same command again: it continues where it stopped."), "bold red")
        return INTERRUPTED
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        await engine.dispose()
        await http.aclose()


def _read(page: Page, file: Path, source: str) -> Log:
    if source not in SOURCES:
        text = "There is no replay of “{source}”; there is: {known}."
        raise Hopeless(page.say(text, source=source, known=", ".join(SOURCES)))
    try:
        log = SOURCES[source](file)
    except NotThatLog as other:
        text = "{file} does not look like {source}: it has no column {columns}."
        raise Hopeless(page.say(text, file=file.name, source=source, columns=", ".join(other.columns))) from None
    if not log.calls:
        page.troubles(log.troubles)
        raise Hopeless(page.say("{file} holds no call that can be replayed.", file=file.name))
    return log


async def _sign_in(
    settings: Settings, page: Page, http: httpx2.AsyncClient, engine: AsyncEngine, account: Account | None
) -> tuple[Desk, dict[str, Any]]:
    """The desk, and the city that the session document tells of."""
    if account is None:
        text = "No account to sign in with: set VIGIA_REPLAY_USERNAME and VIGIA_REPLAY_PASSWORD."
        raise Hopeless(page.say(text))
    client = Client(http, account, away=lambda: page.line(page.say("The server is away; waiting."), "yellow"))
    try:
        document = await client.enter()
    except Refused as refused:
        text = "{address} refused to let us in: {reason}"
        raise Hopeless(page.say(text, address=settings.address, reason=refused.title)) from None
    missing = [permission.value for permission in NEEDED if permission not in document["permissions"]]
    if missing:
        text = "The account {username} may not {missing}: a supervisor's may."
        raise Hopeless(page.say(text, username=account.username, missing=", ".join(missing)))
    return Desk(settings, page, client, engine, UUID(document["person"]["id"])), document["city"]


async def _replay(
    desk: Desk, city: dict[str, Any], file: Path, log: Log, *, speed: float, limit: int | None, onto_city: bool
) -> int:
    page = desk.page
    stories = tell_stories(log)  # all of them: whether a unit is free does not depend on the limit
    played = stories[:limit]
    page.read(file.name, log, [story.call for story in played])
    page.troubles(sorted(log.troubles, key=lambda trouble: trouble.line))
    if onto_city:
        await _lay(desk, city, log, played)
    else:
        page.line(page.say("Places stay where the log has them."))
    ids = _ids(played)
    before = await _books(desk, ids)
    _tell_before(page, before)
    with _progress(page, acts := acts_of(played)) as progress:
        run = Run(desk.client, acts, before, speed=speed, progress=progress)
        async with _quiet(desk):
            await _perform(desk, log, run)
    return await _account(desk, log, played, run, before, ids)


# ── Before ────────────────────────────────────────────────────────────────────────────────────────


async def _lay(desk: Desk, city: dict[str, Any], log: Log, played: list[Story]) -> None:
    """Lay the places over the city; by the whole log's box, so that a limit does not move anything."""
    page, box = desk.page, box_of([call.position for call in log.calls if call.position])
    if not city.get("bounds"):
        raise Hopeless(page.say("This city has no map to lay the log on."))
    if box is None:
        return
    west, south, east, north = city["bounds"]
    async with reading(sessions_of(desk.engine)) as session:
        streets = await network_of(session)
    laying = Laying(box, (west, south, east, north), streets)
    for story in played:
        if story.position is not None:
            story.position, story.place = laying.place(story.position)
    names = ("width_a", "height_a", "width_b", "height_b")
    told = page.say(
        "The log's {width_a} × {height_a} km are laid over this city's {width_b} × {height_b} km",
        **dict(zip(names, laying.sizes(), strict=True)),
    )
    snapped = ", and every place moved to the nearest street ({metres} m on average)."
    if laying.moved:
        page.line(told + page.say(snapped, metres=round(sum(laying.moved) / len(laying.moved))))
    else:
        page.line(told + page.say(", without streets to move them to."))


def _ids(played: list[Story]) -> Ids:
    sendings = [sending for story in played for sending in story.sendings]
    return Ids(
        reports=[story.report_id for story in played],
        incidents=[story.incident_id for story in played],
        assignments=[sending.id for sending in sendings],
        units=sorted({sending.unit_id for sending in sendings}),
    )


async def _books(desk: Desk, ids: Ids) -> Books:
    async with reading(sessions_of(desk.engine)) as session:
        return await read_books(session, ids)


def _tell_before(page: Page, before: Books) -> None:
    if not before.reports:
        return
    text = (
        "Already in this city from an earlier run: {reports} reports, {incidents} incidents, "
        "{assignments} assignments, {statuses} statuses; they are not made again."
    )
    counts = {name: len(getattr(before, name)) for name in ("reports", "incidents", "assignments")}
    page.line(page.say(text, **counts, statuses=sum(before.statuses.values())))


# ── Doing it ──────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def _quiet(desk: Desk) -> AsyncIterator[None]:
    """The demo's own people stay out of it: else they would answer the log's calls."""
    try:
        running = (await desk.client.get("/simulation"))["properties"]["running"]
    except Refused:
        running = False  # a city without one
    if not running:
        yield
        return
    await desk.client.post("/simulation", {"running": False})
    desk.page.line(desk.page.say("The simulation is paused meanwhile."))
    there = True
    try:
        yield
    except ServerAway:
        there = False
        raise
    finally:
        if there:
            await desk.client.post("/simulation", {"running": True})
            desk.page.line(desk.page.say("The simulation goes on."))


async def _perform(desk: Desk, log: Log, run: Run) -> None:
    page, begun = desk.page, time.monotonic()
    fleet = await _fleet(desk, log, run)
    if fleet is not None:
        await run.station(fleet)
    await run.perform()
    if fleet is not None and await run.send_home(fleet):
        page.line(page.say("The units of the log are out of service now, so that nobody sends them."))
    seconds = max(time.monotonic() - begun, 0.001)
    text = "{minutes}:{seconds} for {acts} acts, {rate} per second; asked again {again} times."
    clock = {"minutes": int(seconds // 60), "seconds": f"{int(seconds % 60):02d}"}
    page.line(page.say(text, **clock, acts=len(run.acts), rate=round(len(run.acts) / seconds), again=desk.client.again))


async def _fleet(desk: Desk, log: Log, run: Run) -> Fleet | None:
    """The log's units that are played, under an organization of the log's own."""
    units = {act.sending.unit_id: act.sending.answer.unit for act in run.acts if act.sending is not None}
    if not units:
        return None
    there = (await desk.client.get("/organizations"))["organizations"]
    organization_id = next((UUID(one["id"]) for one in there if one["name"] == log.owner), None)
    if organization_id is None:
        organization_id = id_of(log.source, "organization", log.owner)
        body = {"id": str(organization_id), "name": log.owner, "kind": "agency"}
        await desk.client.post("/organizations", body)
    return Fleet(organization_id, units, {}, log.prefix)


@contextmanager
def _progress(page: Page, acts: list[Act]) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; a line for every tenth of the way in a file."""
    if not page.console.is_terminal:
        begun, tenths = time.monotonic(), iter(range(len(acts) // 10 or 1, len(acts) + 1, len(acts) // 10 or 1))
        goal = [next(tenths, None)]

        def tell(done: int) -> None:
            if goal[0] is not None and done >= goal[0]:
                rate = round(done / max(time.monotonic() - begun, 0.001))
                page.line(page.say("{done} of {total} acts ({rate}/s)", done=done, total=len(acts), rate=rate))
                goal[0] = next(tenths, None)

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=page.console) as bar:
        task = bar.add_task(page.say("Replaying"), total=len(acts))
        yield lambda done: bar.update(task, completed=done)


# ── After ─────────────────────────────────────────────────────────────────────────────────────────


async def _account(desk: Desk, log: Log, played: list[Story], run: Run, before: Books, ids: Ids) -> int:
    after = await _books(desk, ids)
    there = expected_of(run)
    seen, missing = await look_through_lists(desk.client, there, ids.units)
    account = account_of(log, [story.call for story in played], run, there, after, seen)
    account.differences += [*compare(there, before, after, desk.me), *missing]
    sent_on = sum(sending.sent_on for story in played for sending in story.sendings)
    if sent_on:
        text = "{count} units were sent on before they were free; they were released at that moment."
        desk.page.line(desk.page.say(text, count=sent_on))
    desk.page.account(account)
    return FINE if account.balanced else DIFFERENT
