"""The simulator: neighbours, a desk and forty crews, living through the public API of a city that is not real.

A process of its own. It knows nothing that a dispatcher could not see, and its state is the server's: killed and
started again, it goes on from what the feed says.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import structlog

from geo.network import Link, StreetNetwork
from geo.places import Position
from geo.routes import Fix
from geo.streets import USUAL_SPEED, Street, tidy_name
from realtime.database import new_id
from web.demo.city import CREWS, crew_username, on_the_street, read_accounts, unit_plan
from web.demo.client import Client, Refused
from web.demo.coquimbo import CensusZone, network_database, read_streets, read_zones
from web.demo.crews import Crews, crews_from
from web.demo.desk import DISPATCH, TOUCHED_SECONDS, Desk, kinds_of
from web.demo.names import SIMULATED
from web.demo.neighbours import Neighbours
from web.demo.world import Act, World
from web.settings import Settings

log = structlog.get_logger()

GPS = "sim-gps"
TICK = 0.5  # real seconds
LOOK_EVERY = 1.0  # real seconds between two looks at what has changed
FIX_EVERY = 2.0  # real seconds between two positions of a unit that moves …
PARKED_EVERY = 15.0  # … and of one that stands
ATTEND_EVERY = 60.0  # real seconds between two looks at who has a shift
SHIFT_CHANGE = "cambio de turno (simulado)"
LONGEST_TICK = 2.0  # while the server was away, the city stood still
FEW = 4  # open incidents; with fewer than these the day is opened with a few more


@dataclass(frozen=True)
class Town:
    """What never changes while it runs."""

    network: StreetNetwork
    zones: list[CensusZone]


def town_from(source: Path) -> Town:
    """The streets and zones, from the same file that the demo city was made of."""
    with network_database(source) as database:
        return Town(StreetNetwork([link_of(street) for street in read_streets(database)]), read_zones(database))


def link_of(street: Street) -> Link:
    """A street as the network takes it."""
    speed = street.speed_kmh or USUAL_SPEED.get(street.kind, 30.0)
    name = tidy_name(street.name)
    return Link(
        street.a_node,
        street.b_node,
        street.shape,
        street.kind,
        name,
        street.oneway,
        speed,
        street.access,
        street.osm_id,
    )


class Simulation:
    """Runs the demo through a client. `clock` tells real seconds; tests bring their own."""

    def __init__(
        self,
        client: Client,
        town: Town,
        *,
        seed: int | None = None,
        timezone: str = "America/Argentina/Buenos_Aires",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked before `begin`."""
        self._client = client
        self._town = town
        self._seed = seed
        self._timezone = ZoneInfo(timezone)
        self._clock = clock
        self.world = World(clock=clock)
        self.now = 0.0  # seconds of the simulation's own clock
        self._real = self._looked = self._fixed = self._parked = self._attended = clock()

    def _rng(self, what: str) -> random.Random:
        """One stream of chance for each part, so that a change in one does not shuffle the others."""
        return random.Random(None if self._seed is None else f"{self._seed}:{what}")

    async def begin(self) -> None:
        """Look around, and set everybody where they are."""
        snapshot = await self._client.get(DISPATCH, "/snapshot")
        self.world.replace(snapshot)
        catalogue = await self._client.get(DISPATCH, "/catalogue")
        cards = (await self._client.get(DISPATCH, "/run-cards"))["cards"]
        self.neighbours = Neighbours(self._rng("neighbours"), self._town.network, self._town.zones)
        self.desk = Desk(self._rng("desk"), kinds_of(catalogue, cards), self.neighbours.told_at, started=self.now)
        plan = {str(id_): unit for id_, unit in unit_plan().items() if str(id_) in self.world.units()}
        bases = {unit.base: on_the_street(self._town.network, unit.base) for unit in plan.values()}
        homes: dict[str, Position] = {id_: (bases[unit.base].x, bases[unit.base].y) for id_, unit in plan.items()}
        seen: dict[str, Position] = {str(one[0]): (one[1], one[2]) for one in snapshot["positions"]}
        accounts = {id_: crew_username(unit.call_sign) for id_, unit in plan.items()}
        self.crews = Crews(
            self._rng("crews"), self._town.network, crews_from(plan, homes, seen, accounts), started=self.now
        )
        self._real = self._clock()
        await self._tell_positions(all_of_them=True)
        if len(self.world.incidents()) < FEW:
            self.neighbours.open_the_day(self.now, list(homes.values()))

    async def tick(self) -> None:
        """One step: the clock goes on, everybody does what is due, and we look at what came of it."""
        real = self._clock()
        self.now += min(real - self._real, LONGEST_TICK) * self.world.pace
        self._real = real
        if self.world.pace:
            hour = dt.datetime.now(self._timezone).hour
            acts = self.neighbours.acts(self.now, self.world, hour)
            acts += self.desk.acts(self.now, self.world, self.crews.where(self.now))
            acts += self.crews.acts(self.now, self.world)
            await asyncio.gather(*(self._do(group) for group in _in_order(acts)))
        if real - self._fixed >= FIX_EVERY:
            self._fixed = real
            if all_of_them := real - self._parked >= PARKED_EVERY:
                self._parked = real
            await self._tell_positions(all_of_them=all_of_them)
        if real - self._attended >= ATTEND_EVERY:
            self._attended = real
            await self._attend()
        if real - self._looked >= LOOK_EVERY:
            self._looked = real
            await self.look()

    async def _attend(self) -> None:
        """Whoever has a shift now comes, and whoever's shift is over goes: real hours, whatever the pace."""
        try:
            duty = await self._client.get(DISPATCH, "/shifts/now")
            for one in duty["absent"]:
                here = {"unit_id": one["unit_id"]} if one["unit_id"] else {"place": one["place"]}
                came = {"id": str(new_id()), "member_id": one["member_id"], "reason": SHIFT_CHANGE} | here
                await self._client.post(DISPATCH, "/attendance/in", came)
            for unit in duty["units"]:
                for one in unit["people"]:
                    if dt.datetime.fromisoformat(one["due_at"]) <= dt.datetime.fromisoformat(duty["at"]):
                        gone = f"/attendance/{one['member_id']}/out"
                        await self._client.post(DISPATCH, gone, {"reason": SHIFT_CHANGE})
        except (Refused, httpx2.TransportError) as error:  # the next ones come in a minute
            log.info("attendance not taken", reason=str(error))

    async def look(self) -> None:
        """See what has changed."""
        try:
            events = await self._client.get(DISPATCH, "/events", epoch=self.world.epoch, after=self.world.seq)
            self.world.follow(events)
        except Refused as refused:
            if refused.status != 410:
                raise
            self.world.replace(await self._client.get(DISPATCH, "/snapshot"))

    async def _do(self, acts: Sequence[Act]) -> None:
        for act in acts:
            try:
                if act.hands_off and await self._touched(act.hands_off):
                    self.desk.hands_off(self.now, act)
                else:
                    await self._client.do(act)
            except Refused as refused:  # somebody was quicker, or knew better: the next look shows what is so
                log.info("refused", path=act.path, status=refused.status, code=refused.code)

    async def _touched(self, incident_id: str) -> bool:
        """Whether a person did something with an incident in the last minutes."""
        story = await self._client.get(DISPATCH, f"/incidents/{incident_id}/timeline")
        since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=TOUCHED_SECONDS)
        return any(
            entry["actor"]["role"] != "system"
            and SIMULATED not in entry["actor"]["name"]
            and dt.datetime.fromisoformat(entry["recorded_at"]) > since
            for entry in story["entries"]
        )

    async def _tell_positions(self, *, all_of_them: bool) -> None:
        fixes = self.crews.fixes(self.now, time.time(), self.world.pace, all_of_them=all_of_them)
        if fixes:
            try:
                await self._client.post(GPS, "/positions", {"positions": [_claim(*fix) for fix in fixes[:500]]})
            except (Refused, httpx2.TransportError) as error:  # the next ones come in two seconds
                log.info("positions not taken", reason=str(error))

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            started = self._clock()
            try:
                await self.tick()
            except Refused as refused:
                log.warning("refused a look", status=refused.status, code=refused.code)
                await asyncio.sleep(5)
            await asyncio.sleep(max(0.0, TICK - (self._clock() - started)))


def _in_order(acts: Sequence[Act]) -> list[list[Act]]:
    """Acts that may go out side by side; those of one person keep their order."""
    by_person: dict[str, list[Act]] = {}
    for act in acts:
        by_person.setdefault(act.who, []).append(act)
    return list(by_person.values())


def _claim(unit_id: str, at: float, fix: Fix) -> dict[str, Any]:
    return {
        "unit_id": unit_id,
        "location": {"type": "Point", "coordinates": [fix.longitude, fix.latitude]},
        "fixed_at": dt.datetime.fromtimestamp(at, dt.UTC).isoformat(),
        "heading": fix.heading,
        "speed_kmh": fix.speed_kmh,
        "accuracy_m": 5,
    }


async def run_simulation(settings: Settings) -> None:
    """The `simulate` process."""
    if settings.demo_network is None:
        raise SystemExit("VIGIA_DEMO_NETWORK names no street network: there is no demo to simulate.")
    accounts = read_accounts(settings.data / CREWS)
    if not accounts:
        raise SystemExit(f"{settings.data / CREWS} is not there: prepare the demo first.")
    town = town_from(settings.demo_network)
    passwords = {account.username: account.password for account in accounts}
    timeout = httpx2.Timeout(10, connect=2)
    async with httpx2.AsyncClient(base_url=f"{settings.address}/api/v1", timeout=timeout) as http:
        simulation = Simulation(Client(http, passwords), town, seed=settings.demo_seed, timezone=settings.timezone)
        while True:
            try:
                await simulation.begin()
                break
            except Refused as refused:  # the city is being prepared, or its accounts were made anew
                log.warning("cannot begin", status=refused.status, code=refused.code)
                await asyncio.sleep(5)
        log.info("simulating", units=len(simulation.crews.crews))
        await simulation.run()
