"""Prepare the demo city: streets, zones, institutions, units, people. Everything once; a second run only fills gaps."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import shapely
from sqlalchemy import select

from geo.city import City, present_city
from geo.layers import MapArea, edition_of, lay_areas
from geo.network import StreetNetwork
from geo.places import Point, point
from geo.streets import STREETS, Street, lay_streets, place_words
from geo.travel import network_of
from geo.zones import ZONES, Zone, ZoneKind, lay_zones
from incidents.catalogue import CatalogueVersion, default_content, publish_catalogue
from incidents.coverage_targets import CoverageTarget, set_target
from incidents.run_cards import lay_default_cards
from realtime.access import VIGIA, Role
from realtime.database import Sessions, now, reading, transaction
from resources.capabilities import default_capabilities, publish_capabilities
from resources.devices import Device, DeviceCount, DeviceSign, add_device, revoke_device
from resources.organizations import Organization, OrganizationKind, add_organization
from resources.people import Person, add_person
from resources.sign_in import set_password
from resources.units import Skills, Station, Unit, add_unit
from web.demo.control import start_simulation
from web.demo.coquimbo import ATTRIBUTION, CensusZone, land, network_database, read_streets, read_zones
from web.demo.fleet import (
    AGENCIES,
    AMBULANCES,
    FLEET,
    MUNICIPALITY,
    PHONES,
    TELEPHONES,
    BaseStation,
    PlannedUnit,
)
from web.demo.goods import give_kit, lay_places
from web.demo.names import FIRST_NAMES, LAST_NAMES, RURAL, SIMULATED, barrio_names, readable_password
from web.demo.staff import staff_the_city
from web.demo.storm_front import declare_storm

ACCOUNTS = "demo-accounts.json"  # for people: printed by `vigia up`
CREWS = "demo-simulator.json"  # for the simulator: its desk and the forty crews
DEMO_CITY, DEMO_SOURCE = "La Serena–Coquimbo", "demo"
EARTH = "earth"
VECINALES = 8

# Ids come from names, so that a run that was cut short finds what it had made.
NAMESPACE = UUID("019e0000-0000-7000-8000-00000000c0c0")


@dataclass(frozen=True, slots=True)
class Account:
    """A way in: who, with what, and what one can do there."""

    username: str
    password: str
    name: str
    role: str
    what: str


@dataclass(frozen=True, slots=True)
class PlannedPerson:
    """Somebody who shall have an account."""

    username: str
    name: str
    role: Role
    organization: str
    what: str
    unit: str | None = None
    clearance: int = 0


def id_of(kind: str, name: str) -> UUID:
    """The id of a thing of the demo, from its name."""
    return uuid5(NAMESPACE, f"{kind}:{name}")


Say = Callable[[str], None]

# What the city wants covered: a capability, within minutes, for a share of its people.
TARGETS = (("GUM", 8.0, 0.85), ("TRA", 10.0, 0.8), ("PC", 15.0, 0.7))


async def prepare_demo(
    sessions: Sessions, network_zip: Path, data_dir: Path, *, say: Say = lambda _: None
) -> list[Account]:
    """Make the demo city whatever state it is in, and give the accounts that people can use. About ten seconds."""
    async with reading(sessions) as session:
        has_streets, has_zones = await edition_of(session, STREETS), await edition_of(session, ZONES)
        has_earth = await edition_of(session, EARTH)
    if not (has_streets and has_zones and has_earth):
        say("Calles y barrios de La Serena–Coquimbo")
        with network_database(network_zip) as database:
            streets, census = read_streets(database), read_zones(database)
        await _lay_city(sessions, streets, census, skip_streets=bool(has_streets))
    async with transaction(sessions) as session:
        if await present_city(session) is None:
            session.add(City(id=1, name=DEMO_CITY, source=DEMO_SOURCE, made_at=now()))
    say("Instituciones, bases y 40 móviles")
    await _found_institutions(sessions)
    await _station_units(sessions)
    await _give_devices(sessions)
    async with transaction(sessions) as session:
        await declare_storm(session, id_of)
    await _set_targets(sessions)
    say("Personas y claves")
    people = [*_staff(), *_simulator_people()]
    accounts = await _give_accounts(sessions, people, data_dir)
    say("Turnos y guardias")
    await staff_the_city(sessions, id_of)
    async with transaction(sessions) as session:
        await start_simulation(session, VIGIA)
    return accounts


async def _lay_city(
    sessions: Sessions, streets: Sequence[Street], census: Sequence[CensusZone], *, skip_streets: bool
) -> None:
    if not skip_streets:
        async with transaction(sessions) as session:
            await lay_streets(session, streets, ATTRIBUTION)
    barrios = [
        _zone(ZoneKind.BARRIO, name, zone.shape, zone.population)
        for zone, name in zip(census, barrio_names(census, streets), strict=True)
    ]
    whole = _multi(shapely.unary_union([zone.shape for zone in census]))
    city = _zone(ZoneKind.JURISDICTION, DEMO_CITY, whole, sum(zone.population for zone in census))
    # All thinking before the transaction: PostgreSQL ends one that does nothing for ten seconds.
    laid, ground = [city, *barrios, *_vecinales(barrios)], land(list(census))
    async with transaction(sessions) as session:
        await lay_zones(session, laid)
        await lay_areas(session, EARTH, [MapArea(layer=EARTH, kind=EARTH, shape=ground)], ATTRIBUTION)


def _zone(kind: ZoneKind, name: str, shape: shapely.MultiPolygon, population: int | None) -> Zone:
    return Zone(id=id_of(kind, name), kind=kind, name=name, shape=shape, population=population)


def _multi(shape: Any) -> shapely.MultiPolygon:
    return shape if isinstance(shape, shapely.MultiPolygon) else shapely.MultiPolygon([shape])


def _vecinales(barrios: Sequence[Zone]) -> list[Zone]:
    """The territories of neighbourhood organizations: the most populous barrios, each with one beside it."""
    named = [barrio for barrio in barrios if not barrio.name.startswith(RURAL)]
    free = sorted(named, key=lambda barrio: -(barrio.population or 0))
    found: list[Zone] = []
    while free and len(found) < VECINALES:
        chief = free.pop(0)
        beside = next((barrio for barrio in free if barrio.shape.touches(chief.shape)), None)
        parts = [chief] if beside is None else [chief, beside]
        free = [barrio for barrio in free if not barrio.shape.intersects(chief.shape) and barrio is not beside]
        shape = _multi(shapely.unary_union([part.shape for part in parts]))
        population = sum(part.population or 0 for part in parts)
        found.append(_zone(ZoneKind.VECINAL, f"Vecinal {chief.name}", shape, population))
    return found


# --- institutions and units -----------------------------------------------------------------------------


async def _found_institutions(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        # Only where there is none: a city edits its catalogue.
        if await session.scalar(select(CatalogueVersion.number).limit(1)) is None:
            await publish_catalogue(session, VIGIA, default_content())
        await lay_default_cards(session, VIGIA)
        await publish_capabilities(session, VIGIA, default_capabilities())
        known = set(await session.scalars(select(Organization.id)))
        vecinales = (await session.scalars(select(Zone).where(Zone.kind == ZoneKind.VECINAL))).all()
        planned: list[tuple[str, OrganizationKind, list[UUID]]] = [
            (MUNICIPALITY, OrganizationKind.MUNICIPALITY, []),
            *((name, OrganizationKind.AGENCY, []) for name in AGENCIES),
            *((zone.name, OrganizationKind.NEIGHBOURHOOD, [zone.id]) for zone in vecinales),
        ]
        for name, kind, zone_ids in planned:
            if id_of("organization", name) not in known:
                await add_organization(
                    session,
                    VIGIA,
                    id_of("organization", name),
                    name=name,
                    kind=kind,
                    zone_ids=zone_ids,
                    phones=PHONES if kind is OrganizationKind.MUNICIPALITY else (),
                )


async def _set_targets(sessions: Sessions) -> None:
    """What the demo's city wants covered: tight enough that a busy hour falls short of it now and then."""
    async with transaction(sessions) as session:
        for code, minutes, minimum in TARGETS:
            target_id = id_of("coverage target", code)
            if await session.get(CoverageTarget, target_id) is None:
                await set_target(session, VIGIA, target_id, capability=code, minutes=minutes, minimum=minimum)


async def _station_units(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        known = set(await session.scalars(select(Unit.id)))
        missing = [unit for unit in FLEET if id_of("unit", unit.call_sign) not in known]
        network = await network_of(session)
        assert network is not None  # noqa: S101  (laid just before)
        await lay_places(session, id_of, partial(on_the_street, network), lambda place: words_at(network, place))
        for unit in missing:
            place = on_the_street(network, unit.base)
            await add_unit(
                session,
                VIGIA,
                id_of("unit", unit.call_sign),
                call_sign=unit.call_sign,
                kind=unit.kind,
                organization_id=id_of("organization", unit.organization),
                skills=Skills(unit.capabilities, unit.amounts),
                station=Station(
                    f"{unit.base.name}, {words_at(network, place)}", place, id_of("facility", unit.base.name)
                ),
            )
        await give_kit(session, id_of)


async def _give_devices(sessions: Sessions) -> None:
    """Some telephones with a week behind them: good ones, a slow clock, a bad GPS, one that was lost."""
    async with transaction(sessions) as session:
        if await session.scalar(select(Device.id).limit(1)):
            return
        at = now()
        for plan in TELEPHONES:
            device_id = id_of("device", plan.name)
            unit_id = id_of("unit", plan.unit) if plan.unit else None
            await add_device(session, VIGIA, device_id, name=plan.name, kind=plan.kind, unit_id=unit_id, note=plan.note)
            session.add(
                DeviceSign(device_id=device_id, seen_at=at - plan.silent, battery=plan.battery, skew_s=plan.skew_s)
            )
            for days_ago in range(7):
                day = (at - dt.timedelta(days=days_ago)).date()
                for what, count in plan.day.items():
                    times = max(1, int(count * (0.8 + 0.05 * days_ago)))
                    session.add(DeviceCount(device_id=device_id, day=day, what=what, count=times))
            if plan.revoked:
                await revoke_device(session, VIGIA, device_id)


def on_the_street(network: StreetNetwork, base: BaseStation) -> Point:
    """The spot on a street where a base's units stand."""
    return point(*network.snap(point(*base.near), 2000, connected=True).place)


def words_at(network: StreetNetwork, place: Point) -> str:
    """The street words for a point, from the network in memory."""
    return place_words(network.links_near(place, 300), place, None).place


# --- people ---------------------------------------------------------------------------------------------


def _staff() -> list[PlannedPerson]:
    """One account for each role, for people to try."""
    sees = "ve y actúa según su función"
    return [
        PlannedPerson("despacho", "Marta Gómez", Role.DISPATCHER, MUNICIPALITY, "Despacho: cola, mapa, envía móviles"),
        PlannedPerson(
            "recepcion", "Laura Benítez", Role.CALL_TAKER, MUNICIPALITY, "Recepción: toma y clasifica avisos"
        ),
        PlannedPerson(
            "supervision",
            "Hugo Ferreyra",
            Role.SUPERVISOR,
            MUNICIPALITY,
            "Supervisión: todo, también lo reservado; personas y móviles",
            clearance=3,
        ),
        PlannedPerson("movil", "Diego Acosta", Role.CREW, MUNICIPALITY, "Dotación del móvil M14", unit="M14"),
        PlannedPerson("vecinal", "Rosa Medina", Role.NEIGHBOURHOOD, "", f"Comisión vecinal: {sees}, en su zona"),
        PlannedPerson("sies", "Pablo Ojeda", Role.AGENCY, AMBULANCES, "Organismo provincial: lo que se le comparte"),
        PlannedPerson("gobierno", "Elena Sánchez", Role.GOVERNMENT, MUNICIPALITY, "Gabinete: la situación, sin operar"),
        PlannedPerson("pantalla", "Sala de situación", Role.WALL, MUNICIPALITY, "Pantalla mural, sin datos reservados"),
        PlannedPerson("admin", "Carina Romero", Role.ADMINISTRATOR, MUNICIPALITY, "Cuentas, móviles y catálogo"),
    ]


def _simulator_people() -> list[PlannedPerson]:
    """Those whom the simulator plays: a desk, the position gateway, and a crew for each unit."""
    names = random.Random(40)
    crews = [
        PlannedPerson(
            crew_username(unit.call_sign),
            f"{names.choice(FIRST_NAMES)} {names.choice(LAST_NAMES)} ({SIMULATED})",
            Role.CREW,
            unit.organization,
            f"Dotación de {unit.call_sign}",
            unit=unit.call_sign,
        )
        for unit in FLEET
    ]
    return [
        PlannedPerson(
            "sim-recepcion", f"Recepción ({SIMULATED})", Role.CALL_TAKER, MUNICIPALITY, "Toma avisos", clearance=3
        ),
        PlannedPerson(
            "sim-despacho", f"Despacho ({SIMULATED})", Role.DISPATCHER, MUNICIPALITY, "Despacha", clearance=3
        ),
        PlannedPerson("sim-gps", f"GPS de los móviles ({SIMULATED})", Role.DISPATCHER, MUNICIPALITY, "Posiciones"),
        *crews,
    ]


def crew_username(call_sign: str) -> str:
    """The account of the simulated crew of a unit."""
    return "dotacion-" + call_sign.lower().replace(" ", "").replace("í", "i")


async def _give_accounts(sessions: Sessions, people: Sequence[PlannedPerson], data_dir: Path) -> list[Account]:
    """Passwords are made here, on this machine, and written down before anybody has them."""
    kept = {account.username: account for name in (ACCOUNTS, CREWS) for account in read_accounts(data_dir / name)}
    accounts = {
        person.username: kept.get(person.username)
        or Account(person.username, _password_for(person), person.name, person.role.value, person.what)
        for person in people
    }
    staff = [accounts[person.username] for person in people if SIMULATED not in person.name]
    write_accounts(data_dir / ACCOUNTS, staff)
    write_accounts(data_dir / CREWS, [accounts[person.username] for person in people if SIMULATED in person.name])
    async with reading(sessions) as session:
        known = set(await session.scalars(select(Person.id)))
        vecinales = select(Organization.name).where(Organization.kind == OrganizationKind.NEIGHBOURHOOD)
        first_vecinal = (await session.scalars(vecinales.order_by(Organization.name))).first()

    cores = asyncio.Semaphore(2)  # hashing a password takes its time and 64 MB on purpose

    async def give(person: PlannedPerson) -> None:
        person_id, password = id_of("person", person.username), accounts[person.username].password
        lost = person.username not in kept  # the file is gone, and with it the only copy of an old password
        if person_id in known and not lost:
            return
        async with cores, transaction(sessions) as session:
            if person_id in known:
                await set_password(session, VIGIA, person_id, password=password)
                return
            await add_person(
                session,
                VIGIA,
                person_id,
                username=person.username,
                password=password,
                name=person.name,
                role=person.role,
                organization_id=id_of("organization", person.organization or first_vecinal or MUNICIPALITY),
                unit_id=id_of("unit", person.unit) if person.unit else None,
                clearance=person.clearance,
            )

    await asyncio.gather(*(give(person) for person in people))
    return staff


def _password_for(person: PlannedPerson) -> str:
    """People get words they can type; programs get what nobody could guess."""
    return secrets.token_urlsafe(24) if SIMULATED in person.name else readable_password()


def read_accounts(path: Path) -> list[Account]:
    """The accounts written down in a file; none when there is no such file."""
    return [Account(**row) for row in json.loads(path.read_text("utf-8"))] if path.exists() else []


def write_accounts(path: Path, accounts: Sequence[Account]) -> None:
    """Write accounts down for the owner's eyes only; all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump([asdict(account) for account in accounts], file, ensure_ascii=False, indent=1)
    draft.replace(path)


def unit_plan() -> dict[UUID, PlannedUnit]:
    """The demo's units by id."""
    return {id_of("unit", unit.call_sign): unit for unit in FLEET}
