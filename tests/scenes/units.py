"""Units and what belongs to them, facilities, stock, photos: for every verb a stage and the act."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import Actor
from realtime.database import new_id
from resources.capabilities import (
    add_capability,
    amend_capability,
    publish_capabilities,
    retire_capability,
)
from resources.equipment import (
    Equipment,
    MoveKind,
    StockItem,
    add_equipment,
    add_stock,
    amend_equipment,
    amend_stock,
    move_equipment,
    move_stock,
    remove_equipment,
    remove_stock,
)
from resources.facilities import (
    Facility,
    FacilityKind,
    add_facility,
    amend_facility,
    change_capacity,
    close_facility,
    drop_capacity,
    set_capacity,
)
from resources.photos import Photo, add_photo, delete_photo
from resources.units import Skills, Station, UnitKind, add_unit, amend_unit, reinstate_unit, retire_unit
from resources.vehicles import Vehicle, add_vehicle, amend_vehicle, post_vehicle, retire_vehicle
from tests.builders import City
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


def a_picture(width: int = 8, height: int = 6, kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a small picture, red on the left and blue on the right."""
    image = Image.new("RGB", (width, height), (200, 20, 20))
    image.paste((20, 20, 200), (width // 2, 0, width, height))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


async def a_facility(
    session: AsyncSession, city: City, *, kind: FacilityKind = FacilityKind.HOSPITAL, owner: str | None = None
) -> Facility:
    """A facility in the west, put there by hand."""
    return await add_facility(
        session,
        city.actor("supervisor"),
        new_id(),
        kind=kind,
        name="Hospital Oeste",
        place=city.west,
        organization_id=city.organizations[owner] if owner else None,
    )


async def a_piece(session: AsyncSession, city: City, unit_id: UUID | None = None) -> Equipment:
    """A defibrillator on M1, or on what is given."""
    unit = unit_id or city.units["M1"]
    return await add_equipment(session, city.actor("supervisor"), new_id(), unit_id=unit, name="DEA", serial="A-17")


async def a_vehicle(session: AsyncSession, city: City, *, plate: str = "AB123CD", unit: str | None = "M1") -> Vehicle:
    """A pick-up of M1."""
    boss = city.actor("supervisor")
    vehicle = await add_vehicle(session, boss, new_id(), plate=plate, make="Toyota", model="Hilux", year=2021)
    if unit is not None:
        await post_vehicle(session, boss, vehicle.id, unit_id=city.units[unit])
    return vehicle


async def a_stock(session: AsyncSession, city: City, facility: Facility | None = None) -> StockItem:
    """Blankets, ten of which twenty should be there."""
    where = facility or await a_facility(session, city, kind=FacilityKind.SHELTER)
    return await add_stock(
        session,
        city.actor("supervisor"),
        new_id(),
        facility_id=where.id,
        item="Frazadas",
        unit="unidades",
        quantity=Decimal(10),
        minimum=Decimal(20),
    )


async def a_photo(session: AsyncSession, city: City, subject: str | None = None) -> Photo:
    """A photo of M1, or of what is given."""
    whose = subject or f"unit:{city.units['M1']}"
    return await add_photo(session, city.actor("supervisor"), new_id(), subject=whose, raw=a_picture())


# ── Units ─────────────────────────────────────────────────────────────────────────────────────────


@scene(add_unit, "with a home zone and notes")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: add_unit(
        session,
        city.actor("supervisor"),
        new_id(),
        call_sign="Z1",
        kind=UnitKind.WORKS,
        organization_id=city.organizations["municipality"],
        skills=Skills(["OP", "MOTOBOMBA"], {"MOTOBOMBA": 600}),
        station=Station("Corralón", city.west),
        home_zone_id=city.zones["Oeste"],
        notes="llave en guardia",
    )


@scene(amend_unit, "its notes")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: amend_unit(session, city.actor("supervisor"), city.units["M1"], notes="sin radio")


@scene(amend_unit, "to another organization")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    police = city.organizations["police"]
    return lambda: amend_unit(session, city.actor("supervisor"), city.units["M1"], organization_id=police)


@scene(amend_unit, "its base, home zone and capabilities")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    base = await a_facility(session, city, kind=FacilityKind.BASE)
    return lambda: amend_unit(
        session,
        city.actor("administrator"),
        city.units["M1"],
        station=Station(facility_id=base.id),
        home_zone_id=city.zones["Este"],
        skills=Skills(["GUM", "DEA"]),
    )


@scene(retire_unit)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: retire_unit(session, city.actor("supervisor"), city.units["M2"])


@scene(reinstate_unit)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await retire_unit(session, city.actor("supervisor"), city.units["M2"])
    return lambda: reinstate_unit(session, city.actor("supervisor"), city.units["M2"])


# ── Capabilities ──────────────────────────────────────────────────────────────────────────────────


@scene(add_capability)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: add_capability(session, city.actor("supervisor"), "dron", name="Dron")


@scene(amend_capability)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: amend_capability(session, city.actor("supervisor"), "DEA", name="Desfibrilador externo")


@scene(retire_capability)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: retire_capability(session, city.actor("supervisor"), "DEA")


@scene(publish_capabilities)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    new: dict[str, Any] = {"code": "dron", "name": "Dron", "description": "", "measure": None, "crew": []}
    return lambda: publish_capabilities(session, city.actor("supervisor"), [new])


# ── Vehicles and equipment ────────────────────────────────────────────────────────────────────────


@scene(add_vehicle)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: add_vehicle(session, city.actor("supervisor"), new_id(), plate="AB123CD")


@scene(amend_vehicle)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    vehicle = await a_vehicle(session, city)
    return lambda: amend_vehicle(session, city.actor("supervisor"), vehicle.id, notes="pinchada")


@scene(post_vehicle)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    vehicle = await a_vehicle(session, city)
    return lambda: post_vehicle(session, city.actor("supervisor"), vehicle.id, unit_id=city.units["M2"])


@scene(retire_vehicle)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    vehicle = await a_vehicle(session, city)
    return lambda: retire_vehicle(session, city.actor("supervisor"), vehicle.id)


@scene(add_equipment)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: a_piece(session, city)


@scene(amend_equipment)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    piece = await a_piece(session, city)
    return lambda: amend_equipment(session, city.actor("supervisor"), piece.id, quantity=2)


@scene(move_equipment)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    piece = await a_piece(session, city)
    return lambda: move_equipment(session, city.actor("supervisor"), piece.id, unit_id=city.units["M2"])


@scene(remove_equipment)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    piece = await a_piece(session, city)
    return lambda: remove_equipment(session, city.actor("supervisor"), piece.id)


# ── Facilities and stock ──────────────────────────────────────────────────────────────────────────


@scene(add_facility)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: a_facility(session, city)


@scene(amend_facility)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    facility = await a_facility(session, city)
    return lambda: amend_facility(session, actor, facility.id, name="Hospital Nuevo", out_of_service="sin luz")


@scene(close_facility)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    facility = await a_facility(session, city)
    return lambda: close_facility(session, actor, facility.id)


@scene(set_capacity)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    facility = await a_facility(session, city)
    return lambda: set_capacity(session, actor, facility.id, "UTI", total=10, free=3)


@scene(set_capacity, "by the agency that owns it")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    facility = await a_facility(session, city, owner="ambulances")
    return lambda: set_capacity(session, city.actor("ambulances"), facility.id, "UTI", total=10, free=3)


@scene(change_capacity)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    facility = await a_facility(session, city)
    await set_capacity(session, actor, facility.id, "UTI", total=10, free=3)
    return lambda: change_capacity(session, actor, facility.id, "UTI", by=-1)


@scene(drop_capacity)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    facility = await a_facility(session, city)
    await set_capacity(session, actor, facility.id, "UTI", total=10, free=3)
    return lambda: drop_capacity(session, actor, facility.id, "UTI")


@scene(add_stock)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    facility = await a_facility(session, city)
    return lambda: a_stock(session, city, facility)


@scene(move_stock)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    item = await a_stock(session, city)
    return lambda: move_stock(
        session, actor, item.id, move_id=new_id(), kind=MoveKind.OUT, quantity=Decimal(3), reason="evacuación"
    )


@scene(amend_stock)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    item = await a_stock(session, city)
    return lambda: amend_stock(session, actor, item.id, minimum=Decimal(5))


@scene(remove_stock)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    item = await a_stock(session, city)
    return lambda: remove_stock(session, actor, item.id)


# ── Photos ────────────────────────────────────────────────────────────────────────────────────────


@scene(add_photo)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: a_photo(session, city)


@scene(delete_photo)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    photo = await a_photo(session, city)
    return lambda: delete_photo(session, city.actor("supervisor"), photo.id)
