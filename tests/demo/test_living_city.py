"""The demo as a newcomer finds it: prepared, alive within a minute, obedient to people, and still standing later."""

from __future__ import annotations

import asyncio
import stat
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import exists, func, select

from geo.city import present_city
from geo.places import haversine
from geo.streets import StreetLink
from geo.zones import Zone
from incidents.assignments import Assignment, AssignmentStatus
from incidents.incident import Incident, IncidentState
from realtime.bus import Bus
from realtime.database import connect, new_id, reading, sessions_of, transaction
from realtime.journal import Entry
from realtime.relay import run_relay
from resources.organizations import Organization
from resources.people import Person
from resources.units import Unit
from tests.conftest import _administer, _database
from web.app import create_app
from web.demo.city import ACCOUNTS, CREWS, Account, prepare_demo, read_accounts
from web.demo.client import Client
from web.demo.control import Simulation as Switch
from web.demo.neighbours import MOST_OPEN
from web.demo.simulation import Simulation, Town, town_from
from web.demo.world import OVER
from web.settings import Settings

pytestmark = pytest.mark.timeout(400)  # the city lives through more than an hour here
THINGS = (StreetLink, Zone, Organization, Unit, Person, Switch)


@dataclass
class Demo:
    """A prepared demo city."""

    url: str
    data: Path
    town: Town
    accounts: list[Account]

    def password(self, username: str) -> str:
        every = [*self.accounts, *read_accounts(self.data / CREWS)]
        return next(account.password for account in every if account.username == username)


@pytest.fixture(scope="module")
def demo_url(maintenance_url: str, template: str) -> Iterator[str]:
    """A database for the demo, which the tests here share."""
    name = f"demo_{uuid4().hex[:12]}"
    _administer(maintenance_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield _database(maintenance_url, name)
    _administer(maintenance_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def demo(demo_url: str, network_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    data = tmp_path_factory.mktemp("data")
    engine = connect(demo_url, pool=4)
    accounts = await prepare_demo(sessions_of(engine), network_file, data)
    await engine.dispose()
    return Demo(demo_url, data, town_from(network_file), accounts)


class Clock:
    """Real seconds, as a test has them: each tick is as long as the simulator lets one be."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def open_city(demo: Demo) -> AsyncIterator[httpx2.AsyncClient]:
    """The web application and a relay on the demo's database."""
    app = create_app(Settings(database_url=demo.url, data=demo.data, demo=True))
    stop = asyncio.Event()
    bus = Bus(None)
    async with app.router.lifespan_context(app):
        relay = asyncio.create_task(run_relay(demo.url, bus, stop))
        transport = httpx2.ASGITransport(app=app)
        try:
            async with httpx2.AsyncClient(transport=transport, base_url="http://vigia.test/api/v1") as http:
                yield http
        finally:
            stop.set()
            await relay
            await bus.close()


async def simulation_of(demo: Demo, http: httpx2.AsyncClient, clock: Clock, seed: int = 5) -> Simulation:
    passwords = {account.username: account.password for account in read_accounts(demo.data / CREWS)}
    simulation = Simulation(Client(http, passwords), demo.town, seed=seed, clock=clock)
    await simulation.begin()
    return simulation


async def live(demo: Demo, simulation: Simulation, clock: Clock, ticks: int) -> None:
    """Let time pass; before each look the relay has told of everything, however busy the machine is."""
    engine = connect(demo.url, pool=1)
    for _ in range(ticks):
        clock.now += 2.0
        await simulation.tick()
        waiting = True
        while waiting:
            async with reading(sessions_of(engine)) as session:
                waiting = bool(await session.scalar(select(exists().where(Entry.seq.is_(None)))))
            await asyncio.sleep(0.01)
    await engine.dispose()


async def signed_in(demo: Demo, http: httpx2.AsyncClient, username: str) -> dict[str, str]:
    """Headers of somebody who signed in."""
    body = {"username": username, "password": demo.password(username)}
    answer = await http.post("/session", json=body, headers={"X-Vigia-Token": "1"})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def places_of_units(http: httpx2.AsyncClient, headers: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Where each unit is, lon/lat."""
    positions = (await http.get("/snapshot", headers=headers)).json()["positions"]
    return {unit: (lon, lat) for unit, lon, lat, *_ in positions}


async def count(demo: Demo) -> list[int]:
    engine = connect(demo.url, pool=1)
    async with reading(sessions_of(engine)) as session:
        found = [await session.scalar(select(func.count()).select_from(thing)) or 0 for thing in THINGS]
    await engine.dispose()
    return found


async def test_the_demo_knows_that_it_is_one(demo: Demo) -> None:
    engine = connect(demo.url, pool=1)
    async with reading(sessions_of(engine)) as session:
        city = await present_city(session)
    await engine.dispose()
    assert city is not None
    assert (city.name, city.source) == ("La Serena–Coquimbo", "demo")


async def test_the_city_is_prepared_once_and_repaired_after_loss(demo: Demo, network_file: Path) -> None:
    before = await count(demo)
    assert before[0] == 19_846
    assert before[3] == 40 + 4
    for name in (ACCOUNTS, CREWS):
        assert stat.S_IMODE((demo.data / name).stat().st_mode) == 0o600
    assert {account.role for account in demo.accounts} == {
        *("call_taker", "dispatcher", "supervisor", "crew", "neighbourhood"),
        *("agency", "government", "wall", "administrator"),
    }
    engine = connect(demo.url, pool=4)
    assert await prepare_demo(sessions_of(engine), network_file, demo.data) == demo.accounts
    assert await count(demo) == before
    lost = [account for account in demo.accounts if account.username != "despacho"]
    (demo.data / ACCOUNTS).write_text("[]")
    demo.accounts = await prepare_demo(sessions_of(engine), network_file, demo.data)
    await engine.dispose()
    assert await count(demo) == before
    assert not {account.password for account in lost} & {account.password for account in demo.accounts}
    async with open_city(demo) as http:
        assert await signed_in(demo, http, "despacho")


async def test_a_city_at_work_within_a_minute_and_not_drowned_later(demo: Demo) -> None:
    clock = Clock()
    async with open_city(demo) as http:
        dispatcher = await signed_in(demo, http, "despacho")
        simulation = await simulation_of(demo, http, clock)
        await live(demo, simulation, clock, 5)
        were = await places_of_units(http, dispatcher)
        await live(demo, simulation, clock, 20)  # fifty seconds in all, at the pace of life
        states = Counter(incident["state"] for incident, _ in simulation.world.incidents())
        assert sum(states.values()) >= 5, states
        assert states["en_route"] + states["on_scene"] >= 2, states
        are = await places_of_units(http, dispatcher)
        went = {unit: haversine(*were[unit], *are[unit]) for unit in were.keys() & are.keys()}
        assert len([unit for unit, metres in went.items() if metres > 15]) >= 8, "units move"  # GPS trembles by 2

        # The newcomer sends a unit by hand: its crew obeys like any other.
        mine, sent = str(new_id()), str(new_id())
        place = {"type": "Point", "coordinates": [-71.2519, -29.9027]}
        body: dict[str, Any] = {"id": mine, "type_code": "SEG-04", "location": place}
        assert (await http.post("/incidents", json=body, headers=dispatcher)).status_code == 201
        free = next(
            unit
            for unit in simulation.world.units().values()
            if unit["status"] == "available" and "GUM" in unit["capabilities"] and unit["id"] in simulation.crews.crews
        )
        body = {"id": sent, "units": [{"id": sent, "unit_id": free["id"]}]}
        answer = await http.post(f"/incidents/{mine}/assignments", json=body, headers=dispatcher)
        assert answer.status_code == 201, answer.text

        switch = await http.post("/simulation", json={"speed": 20}, headers=dispatcher)
        assert switch.json()["properties"]["speed"] == 20
        assert (await http.post("/simulation", json={"speed": 21}, headers=dispatcher)).status_code == 422
        await live(demo, simulation, clock, 70)  # three quarters of an hour of the city's life
        assert simulation.now > 2500
        open_now = len(simulation.world.incidents()) + len(simulation.world.reports())
        assert open_now <= MOST_OPEN
        story = (await http.get(f"/incidents/{mine}/timeline", headers=dispatcher)).json()["entries"]
        reached = [entry["detail"]["to"] for entry in story if entry["kind"] == "assignment.status"]
        assert reached[:3] == ["acknowledged", "en_route", "on_scene"]
        assert not [
            entry for entry in story if entry["kind"] == "assignment.made" and "simulado" in entry["actor"]["name"]
        ]

        # Paused, nothing happens.
        await http.post("/simulation", json={"running": False}, headers=dispatcher)
        await live(demo, simulation, clock, 3)
        before, at = await facts(demo), simulation.now
        await live(demo, simulation, clock, 10)
        assert (await facts(demo), simulation.now) == (before, at)
        await http.post("/simulation", json={"running": True, "speed": 1}, headers=dispatcher)
    await the_books_are_in_order(demo)


async def test_a_simulator_that_was_killed_goes_on_from_what_the_server_says(demo: Demo) -> None:
    clock = Clock()
    async with open_city(demo) as http:
        dispatcher = await signed_in(demo, http, "despacho")
        first = await simulation_of(demo, http, clock, seed=6)
        await live(demo, first, clock, 20)
        where = first.crews.where(first.now)
        second = await simulation_of(demo, http, clock, seed=7)
        again = second.crews.where(second.now)
        moved = [unit for unit in where if abs(where[unit][0] - again[unit][0]) > 0.01]
        assert len(moved) <= 4, "crews stand where they were last seen"
        await http.post("/simulation", json={"speed": 20}, headers=dispatcher)
        busy = {id_ for id_, unit in second.world.units().items() if unit["assignment_id"]}
        done = {second.world.units()[id_]["assignment_id"] for id_ in busy}
        for _ in range(12):  # ten minutes of the city's life each: the longest works, and the way to the hospital
            await live(demo, second, clock, 15)
            left = {unit["assignment_id"] for unit in second.world.units().values()} & done
            if not left:
                break
        assert not left, "what had been begun was finished"
        await http.post("/simulation", json={"speed": 1}, headers=dispatcher)


async def test_the_switch_is_for_those_who_may(demo: Demo) -> None:
    async with open_city(demo) as http:
        for username, status in (("vecinal", 403), ("movil", 403), ("gobierno", 403), ("supervision", 200)):
            headers = await signed_in(demo, http, username)
            assert (await http.post("/simulation", json={}, headers=headers)).status_code == status
        assert (await http.get("/simulation", headers=await signed_in(demo, http, "pantalla"))).status_code == 200
        assert (await http.get("/simulation", headers=await signed_in(demo, http, "vecinal"))).status_code == 404
        assert (await http.get("/simulation")).status_code == 401


async def facts(demo: Demo) -> int:
    engine = connect(demo.url, pool=1)
    async with reading(sessions_of(engine)) as session:
        found = await session.scalar(select(func.count()).select_from(Entry))
    await engine.dispose()
    return found or 0


async def the_books_are_in_order(demo: Demo) -> None:
    """Everything went through the verbs, so: one live assignment to a unit, closed incidents with nobody on them."""
    engine = connect(demo.url, pool=1)
    async with transaction(sessions_of(engine)) as session:
        live_ones = (await session.scalars(select(Assignment).where(Assignment.released_at.is_(None)))).all()
        assert len({one.unit_id for one in live_ones}) == len(live_ones)
        closed = select(Incident).where(Incident.state.in_([IncidentState(state) for state in OVER]))
        incidents = (await session.scalars(closed)).all()
        assert len(incidents) >= 5
        assert {one.incident_id for one in live_ones}.isdisjoint({incident.id for incident in incidents})
        assert {incident.disposition for incident in incidents} - {None}
        ended = Counter(await session.scalars(select(Assignment.status)))
        assert ended[AssignmentStatus.RELEASED] >= 5
    await engine.dispose()
