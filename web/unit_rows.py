"""Units as rows of a spreadsheet: what a file would do, what is wrong with it, doing it, and the way out.

A row is a unit by its call sign: new, changed, or as it was. A column that the file does not have, and a cell that is
empty, change nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.zones import Zone, ZoneKind
from realtime.access import Actor, Permission, require
from realtime.database import new_id, now
from realtime.errors import Malformed, Refusal
from resources.capabilities import LARGEST_AMOUNT, Capability, capabilities
from resources.facilities import Facility, FacilityKind
from resources.organizations import Organization, OrganizationKind, all_organizations
from resources.units import Amendment, Skills, Station, Unit, UnitKind, add_unit, amend_unit, visible_to
from resources.vehicles import Papers, Vehicle, add_vehicle, all_vehicles, amend_vehicle, post_vehicle
from web.rows import (
    CellMissing,
    CellTooLong,
    Column,
    DateRefused,
    NumberRefused,
    Row,
    RowTwice,
    Sheet,
    WordUnknown,
    folded,
)

COLUMNS = (
    Column("call_sign", ("móvil", "indicativo", "identificador", "unidad"), needed=True),
    Column("kind", ("tipo", "clase")),
    Column("organization", ("organismo", "institución", "área", "organización")),
    Column("capabilities", ("capacidades",)),
    Column("base", ("base", "base operativa")),
    Column("home_zone", ("zona", "zona asignada", "barrio")),
    Column("notes", ("notas", "observaciones")),
    Column("plate", ("patente", "dominio", "matrícula")),
    Column("make", ("marca",)),
    Column("model", ("modelo",)),
    Column("year", ("año", "anio")),
    Column("inspection_until", ("vtv", "vto vtv", "vencimiento vtv", "rto")),
    Column("insurance_until", ("seguro", "vto seguro", "vencimiento seguro")),
)
# How files call the kinds of units, besides their names in the code.
KINDS: Mapping[UnitKind, tuple[str, ...]] = {
    UnitKind.PATROL: ("patrulla", "patrullero", "móvil", "guardia urbana"),
    UnitKind.MOTORCYCLE: ("moto", "motocicleta"),
    UnitKind.TRAFFIC: ("tránsito",),
    UnitKind.CIVIL_PROTECTION: ("protección civil", "defensa civil"),
    UnitKind.WORKS: ("obras", "obras y servicios", "servicios públicos"),
    UnitKind.LIGHTING: ("alumbrado",),
    UnitKind.TREES: ("arbolado",),
    UnitKind.CONTROL: ("control urbano", "control", "inspección"),
    UnitKind.SOCIAL: ("desarrollo social", "social"),
    UnitKind.ZOONOSIS: ("zoonosis",),
    UnitKind.MONITORING: ("monitoreo", "cámaras"),
    UnitKind.AMBULANCE: ("ambulancia",),
    UnitKind.FIRE: ("bomberos", "autobomba"),
    UnitKind.POLICE: ("policía",),
}
LONGEST = {"call_sign": 20, "base": 200, "make": 60, "model": 60}
HEADER = (
    *("Móvil", "Tipo", "Organismo", "Capacidades", "Base", "Zona", "Notas", "Patente", "Marca", "Modelo", "Año"),
    *("VTV", "Seguro"),
)
_PLATE = re.compile(r"^[A-Z0-9]{3,12}$")


class PlateRefused(Malformed):
    """“{value}” is not a plate: 3 to 12 letters and digits."""


class PlateNeeded(Malformed):
    """A vehicle is told by its plate: give one."""


class AmountRefused(Malformed):
    """“{value}”: an amount is a number above 0, and only of what is measured."""


class OfSeveral(Malformed):
    """Several are called “{value}”."""


@dataclass(slots=True)
class Planned:
    """What a row would do. `changes` are `(field, was, becomes)` in words."""

    row: Row
    call_sign: str
    unit: Unit | None
    to: Amendment
    plate: str = ""
    papers: Papers = field(default_factory=lambda: Papers())  # noqa: PLW0108  a TypedDict is no factory
    vehicle: Vehicle | None = None
    moves_vehicle: bool = False
    changes: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def what(self) -> str:
        """`add`, `change` or `same`."""
        return "add" if self.unit is None else "change" if self.changes else "same"

    def document(self) -> dict[str, Any]:
        """As the API shows it."""
        changes = [{"field": name, "was": was, "becomes": becomes} for name, was, becomes in self.changes]
        return {"line": self.row.line, "call_sign": self.call_sign, "what": self.what, "changes": changes}


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows speak of, as it is now."""

    units: Mapping[str, Unit]
    organizations: Mapping[str, Organization]
    municipality: Organization | None
    capabilities: Mapping[str, Capability]
    zones: Mapping[str, list[tuple[str, UUID, str]]]
    bases: Mapping[str, list[tuple[UUID, str]]]
    vehicles: Mapping[str, tuple[Vehicle, UUID | None]]

    def vehicle_of(self, unit: Unit | None) -> Vehicle | None:
        """The vehicle that a unit has now."""
        return next((one for one, unit_id in self.vehicles.values() if unit and unit_id == unit.id), None)


async def plan_units(session: AsyncSession, actor: Actor, sheet: Sheet) -> list[Planned]:
    """What the rows would do; those that are wrong are in `sheet.errors` and not among them."""
    require(actor, Permission.UNIT_MANAGE)
    known = await _known(session, actor)
    seen: dict[str, dict[str, int]] = {"call_sign": {}, "plate": {}}
    planned = [_plan(sheet, row, known, seen) for row in sheet.rows]
    return [one for one in planned if one is not None and one.row.line not in sheet.bad_lines]


async def apply_units(session: AsyncSession, actor: Actor, planned: Sequence[Planned]) -> None:
    """Do it, one verb after the other, in the caller's transaction."""
    require(actor, Permission.UNIT_MANAGE)
    for one in planned:
        if one.unit is None:
            made = await add_unit(session, actor, new_id(), **_as_new(one))
            unit_id = made.id
        else:
            unit_id = one.unit.id
            if one.to:
                await amend_unit(session, actor, unit_id, **one.to)
        vehicle_id = one.vehicle.id if one.vehicle else None
        if vehicle_id is None and one.plate:
            vehicle_id = (await add_vehicle(session, actor, new_id(), **one.papers)).id
        elif vehicle_id is not None and one.papers:
            await amend_vehicle(session, actor, vehicle_id, **one.papers)
        if vehicle_id is not None and one.moves_vehicle:
            await post_vehicle(session, actor, vehicle_id, unit_id=unit_id)


def _as_new(one: Planned) -> dict[str, Any]:
    return {"kind": UnitKind.PATROL} | dict(one.to)


async def _known(session: AsyncSession, actor: Actor) -> Known:
    at = now()
    in_force = select(Zone.kind, Zone.id, Zone.name).where(
        Zone.valid_until.is_(None) | (Zone.valid_until > at), Zone.valid_from.is_(None) | (Zone.valid_from <= at)
    )
    zones: dict[str, list[tuple[str, UUID, str]]] = {}
    for kind, id_, name in await session.execute(in_force):
        zones.setdefault(folded(name), []).append((kind, id_, name))
    stands = select(Facility.id, Facility.name).where(
        Facility.closed_at.is_(None), Facility.kind.not_in([FacilityKind.CAMERA, FacilityKind.HYDRANT])
    )
    bases: dict[str, list[tuple[UUID, str]]] = {}
    for id_, name in await session.execute(stands):
        bases.setdefault(folded(name), []).append((id_, name))
    organizations = await all_organizations(session)
    own = [one for one in organizations if one.kind == OrganizationKind.MUNICIPALITY]
    units = await session.scalars(select(Unit).where(visible_to(actor)))
    return Known(
        units={unit.call_sign.lower(): unit for unit in units},
        organizations={folded(one.name): one for one in organizations},
        municipality=min(own, key=lambda one: one.created_at, default=None),
        capabilities={folded(code): one for code, one in (await capabilities(session)).items()},
        zones=zones,
        bases=bases,
        vehicles={folded(one.plate): (one, unit_id) for one, unit_id in await all_vehicles(session, actor)},
    )


def _plan(sheet: Sheet, row: Row, known: Known, seen: dict[str, dict[str, int]]) -> Planned | None:
    call_sign = " ".join(row["call_sign"].split())
    if not call_sign:
        return None  # said already
    for name, limit in LONGEST.items():
        if len(row[name]) > limit:
            sheet.wrong(row, name, CellTooLong(limit=limit))
    if first := seen["call_sign"].get(call_sign.lower()):
        sheet.wrong(row, "call_sign", RowTwice(value=call_sign, line=first))
    seen["call_sign"].setdefault(call_sign.lower(), row.line)
    one = Planned(row, call_sign, known.units.get(call_sign.lower()), {})
    if one.unit is None:
        one.to["call_sign"] = call_sign
        if known.municipality is not None:
            one.to["organization_id"] = known.municipality.id
        elif not row["organization"]:
            sheet.wrong(row, "organization", CellMissing())
    for name, read in READERS.items():
        if row[name]:
            try:
                read(one, row[name], known)
            except Refusal as why:
                sheet.wrong(row, name, why)
    _plan_vehicle(sheet, one, known, seen["plate"])
    return one


def _kind(one: Planned, words: str, _: Known) -> None:
    found = _KIND_OF.get(folded(words))
    if found is None:
        raise WordUnknown(value=words[:60], known=", ".join(names[0] for names in KINDS.values()))
    if one.unit is None or one.unit.kind != found:
        one.to["kind"] = found
        one.changes.append(("kind", KINDS[UnitKind(one.unit.kind)][0] if one.unit else "", KINDS[found][0]))


_KIND_OF = {folded(word): kind for kind, words in KINDS.items() for word in (kind.value, *words)}


def _organization(one: Planned, words: str, known: Known) -> None:
    found = known.organizations.get(folded(words))
    if found is None:
        names = ", ".join(sorted(each.name for each in known.organizations.values())[:12])
        raise WordUnknown(value=words[:60], known=names)
    if one.unit is None or one.unit.organization_id != found.id:
        was = next(
            (each.name for each in known.organizations.values() if one.unit and each.id == one.unit.organization_id), ""
        )
        one.to["organization_id"] = found.id
        one.changes.append(("organization", was, found.name))


def _skills(one: Planned, words: str, known: Known) -> None:
    codes, amounts = [], {}
    for part in filter(None, (piece.strip() for piece in re.split(r"[;,|+/\n]", words))):
        name, _, amount = (piece.strip() for piece in re.sub(r"[:×]", "=", part, count=1).partition("="))
        capability = known.capabilities.get(folded(name))
        had = one.unit is not None and capability is not None and capability.code in one.unit.capabilities
        if capability is None or (capability.retired_at is not None and not had):
            there = [each.code for each in known.capabilities.values() if each.retired_at is None]
            raise WordUnknown(value=name[:60], known=", ".join(there))
        codes.append(capability.code)
        if amount:
            number = _number(amount)
            if capability.measure is None or number is None or not 0 < number <= LARGEST_AMOUNT:
                raise AmountRefused(value=part[:60])
            amounts[capability.code] = number
    codes = list(dict.fromkeys(codes))
    if one.unit is None or (codes, amounts) != (one.unit.capabilities, one.unit.amounts):
        was = _said(one.unit.capabilities, one.unit.amounts) if one.unit else ""
        one.to["skills"] = Skills(codes, amounts)
        one.changes.append(("capabilities", was, _said(codes, amounts)))


def _number(words: str) -> float | None:
    """A number with a decimal point or comma, whatever its measure after it."""
    found = re.fullmatch(r"(\d{1,9})(?:[.,](\d{1,3}))?\s*[A-Za-z/²³]{0,10}", words)
    return float(f"{found[1]}.{found[2] or 0}") if found else None


def _said(codes: Sequence[str], amounts: Mapping[str, float]) -> str:
    return " + ".join(f"{code}={amounts[code]:g}" if code in amounts else code for code in codes)


def _base(one: Planned, words: str, known: Known) -> None:
    found = known.bases.get(folded(words), [])
    if len(found) > 1:
        raise OfSeveral(value=words[:60])
    if one.unit is None or one.unit.base != words:
        # A base in words alone keeps the place that the unit's base had.
        place = one.unit.base_place if one.unit else None
        one.to["station"] = Station(words, None, found[0][0]) if found else Station(words, place)
        one.changes.append(("base", one.unit.base if one.unit else "", words))


ZONE_ORDER = (ZoneKind.BARRIO, ZoneKind.DISTRICT, ZoneKind.VECINAL, ZoneKind.GRID, ZoneKind.JURISDICTION)


def _zone(one: Planned, words: str, known: Known) -> None:
    among = known.zones.get(folded(words), [])
    found = next((those for kind in ZONE_ORDER if (those := [each for each in among if each[0] == kind])), [])
    if not found:
        raise WordUnknown(value=words[:60], known=", ".join(sorted({zone[0][2] for zone in known.zones.values()})[:12]))
    if len(found) > 1:
        raise OfSeveral(value=words[:60])
    _, id_, name = found[0]
    if one.unit is None or one.unit.home_zone_id != id_:
        one.to["home_zone_id"] = id_
        one.changes.append(("home_zone", one.unit.home_zone if one.unit else "", name))


def _notes(one: Planned, words: str, _: Known) -> None:
    if one.unit is None or one.unit.notes != words:
        one.to["notes"] = words
        one.changes.append(("notes", one.unit.notes if one.unit else "", words))


READERS = {
    "kind": _kind,
    "organization": _organization,
    "capabilities": _skills,
    "base": _base,
    "home_zone": _zone,
    "notes": _notes,
}

# ── Vehicles ──────────────────────────────────────────────────────────────────────────────────────


def _plan_vehicle(sheet: Sheet, one: Planned, known: Known, seen: dict[str, int]) -> None:
    row, plate = one.row, re.sub(r"[\s.\-]", "", one.row["plate"]).upper()
    if plate and not _PLATE.match(plate):
        sheet.wrong(row, "plate", PlateRefused(value=row["plate"][:20]))
        return
    has = known.vehicle_of(one.unit)
    posted: UUID | None = None
    if plate:
        if first := seen.get(plate):
            sheet.wrong(row, "plate", RowTwice(value=plate, line=first))
        seen.setdefault(plate, row.line)
        one.vehicle, posted = known.vehicles.get(folded(plate), (None, None))
        one.moves_vehicle = one.vehicle is None or one.unit is None or posted != one.unit.id
    else:
        one.vehicle = has
    said: Papers = {}
    for name, read in (("make", _words), ("model", _words), ("year", _year), *((paper, _day) for paper in DAYS)):
        if row[name]:
            try:
                said[name] = read(row[name])  # type: ignore[literal-required]
            except Refusal as why:
                sheet.wrong(row, name, why)
    if said and not plate and one.vehicle is None:
        sheet.wrong(row, "plate" if "plate" in sheet.headers else next(iter(said)), PlateNeeded())
        return
    if one.vehicle is not None:
        said = {name: value for name, value in said.items() if getattr(one.vehicle, name) != value}  # type: ignore[assignment]
    elif plate:
        said["plate"] = plate
    one.plate, one.papers = plate, said
    one.changes += [("plate", has.plate if has else "", plate)] if one.moves_vehicle else []
    for name, value in said.items():
        was = getattr(one.vehicle, name) if one.vehicle else None
        one.changes += [] if name == "plate" else [(name, _text(was), _text(value))]


DAYS = ("inspection_until", "insurance_until")


def _words(words: str) -> str:
    return words


def _year(words: str) -> int:
    if not re.fullmatch(r"\d{4}", words, re.ASCII) or not 1900 <= int(words) <= 2100:
        raise NumberRefused(value=words[:20], least=1900, most=2100)
    return int(words)


def _day(words: str) -> dt.date:
    found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", words, re.ASCII)
    parts = found.groups() if found else None
    if parts is None and (found := re.fullmatch(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})", words, re.ASCII)):
        parts = found.groups()[::-1]
    try:
        day = dt.date(*map(int, parts)) if parts else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2100:
        raise DateRefused(value=words[:20])
    return day


def _text(value: Any) -> str:
    return value.strftime("%d/%m/%Y") if isinstance(value, dt.date) else "" if value is None else str(value)


# ── Out ───────────────────────────────────────────────────────────────────────────────────────────


async def unit_rows(session: AsyncSession, actor: Actor) -> Iterator[Sequence[Any]]:
    """Every unit as a row under `HEADER`, which the same import reads again."""
    require(actor, Permission.UNIT_MANAGE)
    has = {unit_id: vehicle for vehicle, unit_id in await all_vehicles(session, actor)}
    query = select(Unit, Organization.name).join(Organization, Organization.id == Unit.organization_id)
    found = (await session.execute(query.where(visible_to(actor)).order_by(Unit.call_sign))).all()

    def rows() -> Iterator[Sequence[Any]]:
        for unit, organization in found:
            vehicle = has.get(unit.id)
            papers = (
                [
                    vehicle.plate,
                    vehicle.make,
                    vehicle.model,
                    vehicle.year,
                    *(_text(getattr(vehicle, day)) for day in DAYS),
                ]
                if vehicle
                else [""] * 6
            )
            skills = _said(unit.capabilities, unit.amounts)
            words = [unit.call_sign, KINDS[UnitKind(unit.kind)][0], organization, skills, unit.base, unit.home_zone]
            yield [*words, unit.notes, *papers]

    return rows()
