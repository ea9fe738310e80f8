"""A small city for tests: two zones side by side, every kind of organization, unit and person.

Ids and names never change, so a test can say `city.units["M1"]` of any copy of the template.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from shapely import LineString, MultiPolygon, Point, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy.ext.asyncio import AsyncSession

from geo.closures import Closure, ClosureKind, Validity, draw_closure
from geo.fences import Fence, Watch, draw_fence
from geo.zones import Zone, ZoneKind, lay_zones, multipolygon
from incidents.assignments import Assignment
from incidents.catalogue import default_content, publish_catalogue
from incidents.dispatch import Sending, dispatch_units
from incidents.incident import Incident, open_incident
from incidents.reports import Channel, Contact, Report, receive_report
from incidents.run_cards import lay_default_cards
from realtime.access import ANYBODY, VIGIA, Actor, Role
from realtime.database import connect, new_id, sessions_of, transaction
from resources.capabilities import default_capabilities, publish_capabilities
from resources.organizations import OrganizationKind, add_organization
from resources.people import add_person
from resources.tracks import tend_history
from resources.units import Skills, Station, UnitKind, add_unit
from web.migrate import upgrade

PASSWORD = "una clave de prueba"
WEST, EAST = Point(-60.66, -32.95), Point(-60.62, -32.95)  # one place in each zone


def _id(number: int) -> UUID:
    return UUID(f"01900000-0000-7000-8000-{number:012d}")


class City:
    """What every template holds, by name."""

    password = PASSWORD
    west, east = WEST, EAST
    zones: ClassVar[dict[str, UUID]] = {"Oeste": _id(1), "Este": _id(2)}
    organizations: ClassVar[dict[str, UUID]] = {
        "municipality": _id(10),
        "police": _id(11),
        "ambulances": _id(12),
        "vecinal oeste": _id(13),
        "vecinal este": _id(14),
    }
    units: ClassVar[dict[str, UUID]] = {"M1": _id(21), "M2": _id(22), "T1": _id(23), "P1": _id(24)}
    people: ClassVar[dict[str, tuple[UUID, Role, str, str | None, int]]] = {
        "call_taker": (_id(31), Role.CALL_TAKER, "municipality", None, 0),
        "dispatcher": (_id(32), Role.DISPATCHER, "municipality", None, 0),
        "trained": (_id(33), Role.DISPATCHER, "municipality", None, 3),
        "supervisor": (_id(34), Role.SUPERVISOR, "municipality", None, 3),
        "crew m1": (_id(35), Role.CREW, "municipality", "M1", 0),
        "crew m2": (_id(36), Role.CREW, "municipality", "M2", 0),
        "police": (_id(37), Role.AGENCY, "police", None, 0),
        "ambulances": (_id(38), Role.AGENCY, "ambulances", None, 0),
        "vecinal oeste": (_id(39), Role.NEIGHBOURHOOD, "vecinal oeste", None, 0),
        "vecinal este": (_id(40), Role.NEIGHBOURHOOD, "vecinal este", None, 0),
        "government": (_id(41), Role.GOVERNMENT, "municipality", None, 0),
        "wall": (_id(42), Role.WALL, "municipality", None, 0),
        "administrator": (_id(43), Role.ADMINISTRATOR, "municipality", None, 0),
    }

    def actor(self, name: str) -> Actor:
        """Somebody of the city, as the actor that a session would give."""
        person_id, role, organization, unit, clearance = self.people[name]
        zones = {"vecinal oeste": {self.zones["Oeste"]}, "vecinal este": {self.zones["Este"]}}
        return Actor(
            name=name,
            role=role,
            id=person_id,
            organization_id=self.organizations[organization],
            unit_id=self.units[unit] if unit else None,
            zone_ids=frozenset(zones.get(organization, ())),
            clearance=clearance,
        )

    @property
    def everybody(self) -> dict[str, Actor]:
        """Every kind of actor, strangers included."""
        return {name: self.actor(name) for name in self.people} | {"neighbour": ANYBODY}


def furnish(database_url: str) -> None:
    """Bring an empty database to this version and lay the city into it."""
    upgrade(database_url)

    async def lay() -> None:
        engine = connect(database_url, pool=1)
        async with transaction(sessions_of(engine)) as session:
            await publish_catalogue(session, VIGIA, default_content())
            await lay_default_cards(session, VIGIA)
            await publish_capabilities(session, VIGIA, default_capabilities())
            await tend_history(session)
            await build_city(session)
        await engine.dispose()

    asyncio.run(lay())


async def build_city(session: AsyncSession) -> None:
    """Lay the city into an empty database, through the verbs."""
    city = City()
    shapes = {"Oeste": box(-60.68, -32.97, -60.64, -32.93), "Este": box(-60.64, -32.97, -60.60, -32.93)}
    await lay_zones(
        session,
        [
            Zone(id=zone_id, kind=ZoneKind.VECINAL, name=name, shape=MultiPolygon([shapes[name]]), version=1)
            for name, zone_id in city.zones.items()
        ],
    )
    kinds = {"municipality": OrganizationKind.MUNICIPALITY}
    for name, organization_id in city.organizations.items():
        vecinal = name.startswith("vecinal")
        await add_organization(
            session,
            VIGIA,
            organization_id,
            name=name.capitalize(),
            kind=kinds.get(name, OrganizationKind.NEIGHBOURHOOD if vecinal else OrganizationKind.AGENCY),
            zone_ids=[city.zones[name.removeprefix("vecinal ").capitalize()]] if vecinal else (),
            phones=[("911", "Policía"), ("107", "Ambulancias")] if name == "municipality" else (),
        )
    for call_sign, unit_id in city.units.items():
        await add_unit(
            session,
            VIGIA,
            unit_id,
            call_sign=call_sign,
            kind=UnitKind.POLICE if call_sign == "P1" else UnitKind.PATROL,
            organization_id=city.organizations["police" if call_sign == "P1" else "municipality"],
            skills=Skills(["GUM"]),
            station=Station("Base Oeste", WEST),
        )
    for name, (person_id, role, organization, unit, clearance) in city.people.items():
        await add_person(
            session,
            VIGIA,
            person_id,
            username=name,
            password=PASSWORD,
            name=name,
            role=role,
            organization_id=city.organizations[organization],
            unit_id=city.units[unit] if unit else None,
            clearance=clearance,
        )


async def a_report(
    session: AsyncSession, actor: Actor, *, words: str = "humo negro", place: Point | None = WEST
) -> Report:
    """A report by telephone (or through the web, from a stranger)."""
    channel = Channel.WEB if actor.role is Role.NEIGHBOUR else Channel.PHONE
    contact = Contact("Ana", "341 555 0000")
    return await receive_report(
        session, actor, new_id(), words=words, channel=channel, place="Mitre y Rioja", location=place, contact=contact
    )


async def an_incident(
    session: AsyncSession, actor: Actor, *, type_code: str = "SIN-01", place: Point = WEST, summary: str = "dos autos"
) -> Incident:
    """An incident opened by hand."""
    return await open_incident(
        session, actor, new_id(), type_code=type_code, location=place, place="Mitre y Rioja", summary=summary
    )


async def an_assignment(session: AsyncSession, actor: Actor, incident: Incident, unit_id: UUID) -> Assignment:
    """A unit sent to an incident."""
    return (await dispatch_units(session, actor, incident.id, [Sending(new_id(), unit_id)]))[0]


def a_sending(unit_id: UUID | str, id_: UUID | str | None = None, **more: Any) -> dict[str, Any]:
    """The body that sends one unit."""
    key = str(id_ or new_id())
    return {"id": key, "units": [{"id": key, "unit_id": str(unit_id), **more}]}


ACROSS = LineString([(-60.641, -32.955), (-60.641, -32.945)])  # across every way from west to east


async def a_closure(
    session: AsyncSession,
    actor: Actor,
    *,
    shape: BaseGeometry = ACROSS,
    passable_by: Collection[str] = (),
    validity: Validity = Validity(),
) -> Closure:
    """A burst pipe, since now and until somebody lifts it."""
    return await draw_closure(
        session,
        actor,
        new_id(),
        kind=ClosureKind.WORKS,
        reason="caño roto",
        shape=shape,
        passable_by=passable_by,
        validity=validity,
    )


def a_zone(
    name: str,
    shape: BaseGeometry | None = None,
    *,
    kind: ZoneKind = ZoneKind.BARRIO,
    source_key: str | None = None,
    desk: str | None = None,
) -> Zone:
    """A zone on its way into the database: a block of the west, or what is given."""
    shape = multipolygon(shape or box(-60.67, -32.96, -60.65, -32.94))
    return Zone(id=new_id(), kind=kind, name=name, shape=shape, source_key=source_key, desk=desk)


async def a_fence(
    session: AsyncSession,
    actor: Actor,
    *,
    name: str = "Terminal",
    shape: BaseGeometry | None = None,
    zone_id: UUID | None = None,
    watch: Watch = Watch(),
) -> Fence:
    """A fence around the block of the west, or what is given, watching all units unless said otherwise."""
    if zone_id is None and shape is None:
        shape = box(-60.662, -32.952, -60.658, -32.948)
    return await draw_fence(session, actor, new_id(), name=name, watch=watch, shape=shape, zone_id=zone_id)
