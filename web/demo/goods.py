"""What the demo municipality keeps: bases, hospitals with beds, shelters, hydrants, cameras, vehicles, kit and stock.

Everything once, by ids that come from names; a second run only fills gaps and leaves what people changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import Point, Position
from realtime.access import VIGIA
from realtime.database import now
from resources.equipment import Equipment, EquipmentState, StockItem, add_equipment, add_stock
from resources.facilities import BY_HAND, Capacity, Facility, FacilityKind, lay_facilities, set_capacity
from resources.units import UnitKind
from resources.vehicles import Vehicle, add_vehicle, post_vehicle
from web.demo.fleet import AMBULANCES, FLEET, HOSPITAL_NORTH, HOSPITAL_SOUTH, MONITORING, YARD, BaseStation, PlannedUnit

IdOf = Callable[[str, str], UUID]
Place = Callable[[BaseStation], Point]
Words = Callable[[Point], str]

SHELTER_NORTH = BaseStation("Refugio Club Deportivo Norte (demo)", (-71.2440, -29.8800))
SHELTER_CENTRE = BaseStation("Refugio Escuela Central (demo)", (-71.2530, -29.9065))
SHELTER_SOUTH = BaseStation("Refugio Polideportivo Sur (demo)", (-71.3290, -29.9800))
HYDRANTS: tuple[tuple[Position, int], ...] = (
    ((-71.2510, -29.9010), 1000),
    ((-71.2480, -29.9075), 800),
    ((-71.2400, -29.8760), 600),
    ((-71.3360, -29.9560), 1200),
    ((-71.3280, -29.9850), 500),
)
CAMERAS: tuple[Position, ...] = ((-71.2525, -29.9035), (-71.2470, -29.9050), (-71.3370, -29.9550), (-71.2830, -29.9450))
BEDS: Mapping[str, Mapping[str, tuple[int, int]]] = {  # (total, free)
    HOSPITAL_NORTH.name: {"guardia": (18, 6), "UTI": (14, 2), "pediatría": (20, 9), "quemados": (4, 1)},
    HOSPITAL_SOUTH.name: {"guardia": (12, 5), "UTI": (8, 3), "pediatría": (10, 4)},
    SHELTER_NORTH.name: {"plazas": (120, 120)},
    SHELTER_CENTRE.name: {"plazas": (200, 186)},
    SHELTER_SOUTH.name: {"plazas": (150, 150)},
}
STOCK: tuple[tuple[str, str, str, int, int], ...] = (  # where, what, counted in, how much, at least
    (YARD.name, "Frazadas", "unidades", 140, 200),  # runs low
    (YARD.name, "Bolsas de arena", "unidades", 1200, 500),
    (YARD.name, "Combustible", "litros", 900, 400),
    (YARD.name, "Vallas", "unidades", 60, 40),
    (SHELTER_CENTRE.name, "Colchones", "unidades", 180, 100),
    (SHELTER_CENTRE.name, "Agua en bidones", "bidones", 75, 60),
)
KIT: Mapping[UnitKind, tuple[tuple[str, int], ...]] = {
    UnitKind.PATROL: (("Matafuego ABC 5 kg", 1), ("DEA", 1), ("Botiquín", 1)),
    UnitKind.TRAFFIC: (("Conos", 20), ("Vallas plegables", 4)),
    UnitKind.CIVIL_PROTECTION: (("Motobomba 1000 l/min", 1), ("Equipo de comunicaciones", 2)),
    UnitKind.WORKS: (("Motosierra", 1), ("Eslingas", 4)),
    UnitKind.TREES: (("Motosierra", 2), ("Arnés", 2)),
    UnitKind.AMBULANCE: (("DEA", 1), ("Tubo de oxígeno", 2), ("Camilla", 1)),
    UnitKind.FIRE: (("Equipo autónomo", 4), ("Línea de 38 mm", 6)),
}
MODELS: Mapping[UnitKind, tuple[str, str]] = {
    UnitKind.MOTORCYCLE: ("Honda", "XR 250"),
    UnitKind.CIVIL_PROTECTION: ("Toyota", "Hilux"),
    UnitKind.WORKS: ("Ford", "Cargo 1723"),
    UnitKind.LIGHTING: ("Iveco", "Daily"),
    UnitKind.TREES: ("Iveco", "Daily"),
    UnitKind.AMBULANCE: ("Mercedes-Benz", "Sprinter"),
    UnitKind.FIRE: ("Scania", "P 320"),
}
EXPIRES_SOON = "M12"  # one to be seen to; none has run out, or it could not be sent


def _stations() -> list[tuple[BaseStation, FacilityKind, str | None]]:
    """Each place once: what it is, and whose."""
    hospitals = {HOSPITAL_NORTH.name, HOSPITAL_SOUTH.name}
    shelters = (SHELTER_NORTH, SHELTER_CENTRE, SHELTER_SOUTH)
    bases = {unit.base.name: unit.base for unit in FLEET} | {MONITORING.name: MONITORING, YARD.name: YARD}
    found: list[tuple[BaseStation, FacilityKind, str | None]] = [
        (base, FacilityKind.HOSPITAL, AMBULANCES) if name in hospitals else (base, FacilityKind.BASE, None)
        for name, base in bases.items()
    ]
    return [*found, *((shelter, FacilityKind.SHELTER, None) for shelter in shelters)]


async def lay_places(session: AsyncSession, id_of: IdOf, place: Place, words: Words) -> None:
    """Bases, hospitals with beds, shelters with places, hydrants, cameras."""
    known = set(await session.scalars(select(Facility.id)))
    missing = [
        _facility(id_of, base.name, kind, where, words(where), id_of("organization", owner) if owner else None)
        for base, kind, owner in _stations()
        if id_of("facility", base.name) not in known
        for where in (place(base),)
    ]
    for number, (near, flow) in enumerate(HYDRANTS, 1):
        name = f"Hidrante {number} (demo)"
        if id_of("facility", name) not in known:
            where = place(BaseStation(name, near))
            hydrant = _facility(id_of, name, FacilityKind.HYDRANT, where, words(where), None)
            hydrant.flow_l_min = flow
            if number == len(HYDRANTS):
                hydrant.out_of_service_since, hydrant.out_of_service_reason = now(), "Válvula trabada (demo)"
            missing.append(hydrant)
    for number, near in enumerate(CAMERAS, 1):
        name = f"Cámara {number} (demo)"
        if id_of("facility", name) not in known:
            where = place(BaseStation(name, near))
            missing.append(_facility(id_of, name, FacilityKind.CAMERA, where, words(where), None))
    if missing:
        await lay_facilities(session, VIGIA, missing)
    counted = set(await session.scalars(select(Capacity.facility_id)))
    for name, kinds in BEDS.items():
        facility_id = id_of("facility", name)
        if facility_id in counted or facility_id in known:
            continue
        for kind, (total, free) in kinds.items():
            await set_capacity(session, VIGIA, facility_id, kind, total=total, free=free)


def _facility(id_of: IdOf, name: str, kind: FacilityKind, where: Point, address: str, owner: UUID | None) -> Facility:
    id_ = id_of("facility", name)
    return Facility(
        id=id_,
        kind=kind,
        name=name,
        address=address,
        shape=where,
        organization_id=owner,
        source=BY_HAND,
        source_key=str(id_),
        attributes={},
        note="",
        version=1,
    )


async def give_kit(session: AsyncSession, id_of: IdOf) -> None:
    """A vehicle and equipment for each unit, and what is in store."""
    vehicles = set(await session.scalars(select(Vehicle.id)))
    pieces = set(await session.scalars(select(Equipment.id)))
    today = now().date()
    for number, unit in enumerate(FLEET):
        unit_id = id_of("unit", unit.call_sign)
        if unit.kind is not UnitKind.MONITORING and id_of("vehicle", unit.call_sign) not in vehicles:
            vehicle_id = id_of("vehicle", unit.call_sign)
            make, model = MODELS.get(unit.kind, ("Chevrolet", "S10"))
            await add_vehicle(
                session,
                VIGIA,
                vehicle_id,
                plate=f"AD{100 + number}ZZ",
                make=make,
                model=model,
                year=2018 + number % 6,
                inspection_until=_inspection(unit, today, number),
                insurance_until=today + dt.timedelta(days=200 + number),
            )
            await post_vehicle(session, VIGIA, vehicle_id, unit_id=unit_id)
        for name, quantity in KIT.get(unit.kind, ()):
            piece_id = id_of("equipment", f"{unit.call_sign} {name}")
            if piece_id in pieces:
                continue
            state = EquipmentState.IN_REPAIR if (unit.call_sign, name) == ("PC 3", KIT[unit.kind][0][0]) else None
            await add_equipment(
                session,
                VIGIA,
                piece_id,
                unit_id=unit_id,
                name=name,
                quantity=quantity,
                state=state or EquipmentState.WORKING,
                valid_until=today + dt.timedelta(days=90 + 5 * number) if name in {"DEA", "Botiquín"} else None,
            )
    kept = set(await session.scalars(select(StockItem.id)))
    for where, item, counted_in, quantity, minimum in STOCK:
        item_id = id_of("stock", f"{where} {item}")
        if item_id not in kept:
            await add_stock(
                session,
                VIGIA,
                item_id,
                facility_id=id_of("facility", where),
                item=item,
                unit=counted_in,
                quantity=Decimal(quantity),
                minimum=Decimal(minimum),
            )


def _inspection(unit: PlannedUnit, today: dt.date, number: int) -> dt.date:
    days = 12 if unit.call_sign == EXPIRES_SOON else 120 + 7 * number
    return today + dt.timedelta(days=days)
