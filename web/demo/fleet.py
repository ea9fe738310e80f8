"""What the demo municipality has: bases on real streets, forty units, and the institutions beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from geo.places import Position
from resources.devices import DeviceKind
from resources.units import UnitKind

MUNICIPALITY = "Municipalidad de La Serena–Coquimbo (demo)"
POLICE, AMBULANCES, FIREFIGHTERS, CIVIL_PROTECTION = (
    "Policía de la Provincia – 911 (demo)",
    "SIES – Emergencias sanitarias 107 (demo)",
    "Bomberos Voluntarios – 100 (demo)",
    "Protección Civil de la Provincia – 103 (demo)",
)
AGENCIES = (POLICE, AMBULANCES, FIREFIGHTERS, CIVIL_PROTECTION)
PHONES = (
    ("911", "Policía y emergencias"),
    ("107", "Ambulancias (SIES)"),
    ("100", "Bomberos"),
    ("103", "Protección Civil"),
    ("147", "Atención municipal"),
)


@dataclass(frozen=True, slots=True)
class BaseStation:
    """Where units stand when nobody needs them; the place is moved to the nearest street."""

    name: str
    near: Position


CENTRO = BaseStation("Base Centro", (-71.2519, -29.9027))
COMPANIAS = BaseStation("Base Las Compañías", (-71.2390, -29.8740))
ANTENA = BaseStation("Base La Antena", (-71.2215, -29.9165))
PENUELAS = BaseStation("Base Peñuelas", (-71.2830, -29.9460))
PUERTO = BaseStation("Base Puerto", (-71.3375, -29.9545))
SUR = BaseStation("Base Sur", (-71.3270, -29.9860))
YARD = BaseStation("Corralón municipal", (-71.2560, -29.9430))
MONITORING = BaseStation("Centro de Monitoreo", (-71.2490, -29.9060))
HOSPITAL_NORTH = BaseStation("Hospital La Serena", (-71.2466, -29.9085))
HOSPITAL_SOUTH = BaseStation("Hospital Coquimbo", (-71.3335, -29.9605))
HOSPITALS = (HOSPITAL_NORTH, HOSPITAL_SOUTH)


AMOUNTS = {
    "CAMION": 5,
    "CISTERNA": 5000,
    "GRUA": 3,
    "HIDROELEVADOR": 12,
    "MOTOBOMBA": 1000,
    "PERIMETRO": 100,
    "TRASLADO": 1,
}


@dataclass(frozen=True, slots=True)
class PlannedUnit:
    """A unit of the demo. `patrols`: it drives around while it is free."""

    call_sign: str
    kind: UnitKind
    base: BaseStation
    capabilities: tuple[str, ...]
    organization: str = MUNICIPALITY

    @property
    def amounts(self) -> dict[str, float]:
        """How much of what it can do, where that is measured."""
        return {code: AMOUNTS[code] for code in self.capabilities if code in AMOUNTS}

    @property
    def patrols(self) -> bool:
        """Whether it drives around while it is free; the others wait at their base."""
        return self.kind in {UnitKind.PATROL, UnitKind.MOTORCYCLE, UnitKind.TRAFFIC, UnitKind.POLICE}


def _units(
    prefix: str,
    kind: UnitKind,
    capabilities: tuple[str, ...],
    *bases: BaseStation,
    start: int = 1,
    organization: str = MUNICIPALITY,
) -> list[PlannedUnit]:
    return [
        PlannedUnit(f"{prefix}{number}", kind, base, capabilities, organization)
        for number, base in enumerate(bases, start)
    ]


# The first capability is the code that run cards call the unit by; the rest is what its kit adds.
FLEET: tuple[PlannedUnit, ...] = (
    *_units("M1", UnitKind.PATROL, ("GUM", "DEA"), CENTRO, COMPANIAS, ANTENA, PENUELAS, PUERTO, SUR, CENTRO, PUERTO),
    *_units("Moto ", UnitKind.MOTORCYCLE, ("GUM",), CENTRO, COMPANIAS, PENUELAS, PUERTO),
    *_units("T2", UnitKind.TRAFFIC, ("TRA", "PERIMETRO"), CENTRO, ANTENA, PENUELAS, PUERTO, COMPANIAS, SUR),
    *_units("PC ", UnitKind.CIVIL_PROTECTION, ("PC", "MOTOBOMBA", "PERIMETRO"), CENTRO, PUERTO, YARD),
    *_units("Obras ", UnitKind.WORKS, ("OP", "CAMION", "GRUA", "MOTOBOMBA"), YARD, YARD, SUR),
    *_units("Alumbrado ", UnitKind.LIGHTING, ("ALU", "OP", "HIDROELEVADOR"), YARD),
    *_units("Arbolado ", UnitKind.TREES, ("ARB", "MOTOSIERRA"), YARD, PUERTO),
    *_units("Control ", UnitKind.CONTROL, ("CTL",), CENTRO, PUERTO),
    *_units("Social ", UnitKind.SOCIAL, ("DS", "GEN", "NIÑ"), CENTRO, PUERTO),
    *_units("Zoonosis ", UnitKind.ZOONOSIS, ("ZOO",), YARD),
    *_units("Monitoreo ", UnitKind.MONITORING, ("MON", "CAMARAS"), MONITORING),
    *_units(
        "SIES ",
        UnitKind.AMBULANCE,
        ("AMB", "TRASLADO"),
        HOSPITAL_NORTH,
        HOSPITAL_NORTH,
        HOSPITAL_SOUTH,
        COMPANIAS,
        organization=AMBULANCES,
    ),
    *_units("Bomberos ", UnitKind.FIRE, ("BOM", "CISTERNA"), CENTRO, PUERTO, organization=FIREFIGHTERS),
    *_units("Policía ", UnitKind.POLICE, ("POL",), ANTENA, start=301, organization=POLICE),
)


# ── Telephones ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Telephone:
    """A device of the demo, with what became of a usual day of it."""

    name: str
    kind: DeviceKind
    unit: str | None
    day: dict[str, int]
    note: str = ""
    battery: float | None = None
    skew_s: float = 0.8
    silent: dt.timedelta = dt.timedelta(minutes=2)
    revoked: bool = False


TELEPHONES = (
    Telephone(
        "Teléfono guardia 1", DeviceKind.OSMAND, "M14", {"accepted": 5200, "jitter": 610, "late": 12}, battery=0.82
    ),
    Telephone(
        "Teléfono guardia 2",
        DeviceKind.OWNTRACKS,
        "M12",
        {"accepted": 4100, "jitter": 380, "late": 240, "duplicate": 195},
        "se queda sin señal en Peñuelas",
        battery=0.37,
    ),
    Telephone(
        "Rastreador móvil M11",
        DeviceKind.API,
        "M11",
        {"accepted": 8600, "jitter": 900, "teleport": 310, "coarse": 850},
        "antena floja: pedido a taller",
    ),
    Telephone(
        "Teléfono de reserva",
        DeviceKind.OSMAND,
        None,
        {"unpaired": 40, "refused.message": 6},
        battery=0.12,
        skew_s=412.0,
        silent=dt.timedelta(hours=7),
    ),
    Telephone(
        "Teléfono perdido",
        DeviceKind.OWNTRACKS,
        None,
        {"accepted": 900, "clock": 30},
        "denunciado",
        silent=dt.timedelta(days=2),
        revoked=True,
    ),
)
