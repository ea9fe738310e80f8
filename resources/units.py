"""Units: what can be sent. Whether a unit is busy is its assignment's business, one floor up.

The row carries a copy of the live assignment (`engage`) so that a unit can be shown and found without asking
above; only the incidents floor writes it, in the transaction that changes the assignment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypedDict, Unpack
from uuid import UUID

from shapely import Point
from sqlalchemy import ColumnElement, ForeignKey, Index, Text, and_, false, func, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import Shape, shape_checks
from geo.zones import access_zone
from realtime.access import (
    NOBODY,
    OPERATIONS,
    Actor,
    Audience,
    Face,
    Faces,
    Permission,
    Role,
    face_for,
    organization_key,
    require,
    unit_key,
)
from realtime.database import Base, now
from realtime.errors import AlreadyExists, NotAllowed, NotFound, Refusal, VersionMismatch
from realtime.journal import Told, record
from resources.capabilities import check_capabilities
from resources.facilities import access_facility
from resources.organizations import Organization, access_organization


class StillSent(Refusal):
    """{call_sign} is on an incident: it can be retired when it is free."""

    status = 409


class CallSignTaken(AlreadyExists):
    """Another unit is called {call_sign}."""


class Duty(StrEnum):
    """Whether its people are there to be sent."""

    ON_DUTY = "on_duty"
    BREAK = "break"
    OUT_OF_SERVICE = "out_of_service"


class UnitKind(StrEnum):
    """What sort of unit it is; decides its drawing, not what it can do (that is `capabilities`)."""

    PATROL = "patrol"
    MOTORCYCLE = "motorcycle"
    TRAFFIC = "traffic"
    CIVIL_PROTECTION = "civil_protection"
    WORKS = "works"
    LIGHTING = "lighting"
    TREES = "trees"
    CONTROL = "control"
    SOCIAL = "social"
    ZOONOSIS = "zoonosis"
    MONITORING = "monitoring"
    AMBULANCE = "ambulance"
    FIRE = "fire"
    POLICE = "police"


class Unit(Told, Base):
    """One unit. `engaged_*` copy its live assignment; `engaged_status` None means that it has none.

    `amounts` say how much of a capability it has, in that capability's measure. `base` and `home_zone` are words;
    `base_id` and `home_zone_id` name the facility and the zone where there are such. A retired unit is on no board.
    """

    __tablename__ = "units"
    __table_args__ = (
        Index("uq_units_call_sign", text("lower(call_sign)"), unique=True, postgresql_where=text("retired_at IS NULL")),
        *shape_checks("base_place"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_sign: Mapped[str] = mapped_column(Text)
    kind: Mapped[UnitKind] = mapped_column(Text)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    amounts: Mapped[dict[str, float]] = mapped_column(JSONB, default=dict, server_default="{}")
    base: Mapped[str] = mapped_column(Text, default="")
    base_place: Mapped[Point | None] = mapped_column(Shape("POINT"))
    base_id: Mapped[UUID | None] = mapped_column(ForeignKey("facilities.id"))
    home_zone: Mapped[str] = mapped_column(Text, default="", server_default="")
    home_zone_id: Mapped[UUID | None] = mapped_column(ForeignKey("zones.id"))
    notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    retired_at: Mapped[dt.datetime | None]
    duty: Mapped[Duty] = mapped_column(Text, default=Duty.ON_DUTY)
    duty_since: Mapped[dt.datetime] = mapped_column(default=now)
    engaged_status: Mapped[str | None] = mapped_column(Text)
    engaged_since: Mapped[dt.datetime | None]
    assignment_id: Mapped[UUID | None]
    incident_id: Mapped[UUID | None]
    incident_code: Mapped[str | None] = mapped_column(Text)

    @property
    def subject(self) -> str:
        """`unit:<id>`."""
        return f"unit:{self.id}"

    @property
    def status(self) -> str:
        """What the unit is doing: its assignment's status, else its duty, else available."""
        if self.engaged_status is not None:
            return self.engaged_status
        return "available" if self.duty == Duty.ON_DUTY else self.duty


@dataclass(frozen=True, slots=True)
class Skills:
    """What a unit can do, most telling first, and how much of it."""

    codes: Sequence[str] = ()
    amounts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Station:
    """Where a unit stands when nobody needs it: a facility, whose name and place are taken, or words and a place."""

    words: str = ""
    place: Point | None = None
    facility_id: UUID | None = None


class Amendment(TypedDict, total=False):
    """What may be changed of a unit."""

    call_sign: str
    kind: UnitKind
    organization_id: UUID
    skills: Skills
    station: Station
    home_zone_id: UUID | None
    notes: str


@dataclass(frozen=True, slots=True)
class Engagement:
    """The live assignment of a unit, as the unit shows it."""

    assignment_id: UUID
    incident_id: UUID
    incident_code: str
    status: str
    since: dt.datetime


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


def audience_of(unit: Unit) -> Audience:
    """Those who see all of a unit: operations, its own crew, its own agency. Of a retired one nobody is told."""
    if unit.retired_at is not None:
        return NOBODY
    return frozenset({"ops:0", unit_key(unit.id), organization_key(unit.organization_id)})


KEEPERS: Audience = frozenset({"administrator"})  # they keep its papers, and do not see for whom it is out
ONLOOKERS: Audience = frozenset({"government:0", "wall:0"})  # they see where it is and what it does, not for whom


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query: the units in service that `actor` sees, whole or bare."""
    return and_(Unit.retired_at.is_(None), _among_those_of(actor))


def _among_those_of(actor: Actor) -> ColumnElement[bool]:
    if actor.role in OPERATIONS | {Role.GOVERNMENT, Role.WALL, Role.ADMINISTRATOR, Role.SYSTEM}:
        return true()
    mine: list[ColumnElement[bool]] = []
    if actor.role is Role.CREW and actor.unit_id:
        mine.append(Unit.id == actor.unit_id)
    if actor.role in {Role.AGENCY, Role.NEIGHBOURHOOD} and actor.organization_id:
        mine.append(Unit.organization_id == actor.organization_id)
    return or_(*mine) if mine else false()


def faces_of(unit: Unit, organization_name: str) -> Faces:
    """How a unit shows itself: whole; without the incident that it serves; without its notes either."""
    if unit.retired_at is not None:
        return ()
    whole = {
        "subject": unit.subject,
        "id": str(unit.id),
        "version": unit.version,
        "call_sign": unit.call_sign,
        "kind": unit.kind,
        "organization": organization_name,
        "organization_id": str(unit.organization_id),
        "capabilities": unit.capabilities,
        "amounts": unit.amounts,
        "status": unit.status,
        "status_since": (unit.engaged_since or unit.duty_since).isoformat(),
        "assignment_id": _text(unit.assignment_id),
        "incident_id": _text(unit.incident_id),
        "incident_code": unit.incident_code,
        "base": unit.base,
        "base_id": _text(unit.base_id),
        "home_zone": unit.home_zone,
        "home_zone_id": _text(unit.home_zone_id),
        "notes": unit.notes,
    }
    kept = whole | {"assignment_id": None, "incident_id": None, "incident_code": None}
    bare = kept | {"notes": None}
    return (
        Face(audience_of(unit), _feature(whole)),
        Face(KEEPERS, _feature(kept)),
        Face(ONLOOKERS, _feature(bare)),
    )


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)


def _feature(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": None, "properties": properties}


async def access_unit(
    session: AsyncSession, actor: Actor, unit_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Unit:
    """The only way to a unit: it must be in service and visible to the actor. Raises `VersionMismatch`."""
    return await _access(session, visible_to(actor), unit_id, lock=lock, expected=expected)


async def _access(
    session: AsyncSession, which: ColumnElement[bool], unit_id: UUID, *, lock: bool, expected: int | None
) -> Unit:
    query = select(Unit).where(Unit.id == unit_id, which)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    unit = (await session.scalars(query)).first()
    if unit is None:
        raise NotFound
    if expected is not None and expected != unit.version:
        raise VersionMismatch(expected=expected, current=unit.version)
    return unit


async def access_sheet(session: AsyncSession, actor: Actor, unit_id: UUID) -> Unit:
    """A unit for those who may read its papers, equipment and photos: not the wall, which anybody may read."""
    if actor.role is Role.WALL:
        raise NotFound
    return await access_unit(session, actor, unit_id)


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def add_unit(
    session: AsyncSession,
    actor: Actor,
    unit_id: UUID,
    *,
    call_sign: str,
    kind: UnitKind,
    organization_id: UUID,
    skills: Skills = Skills(),
    station: Station = Station(),
    home_zone_id: UUID | None = None,
    notes: str = "",
) -> Unit:
    """Register a unit. Raises `CallSignTaken`, `UnknownCapability`, `NoAmount`."""
    require(actor, Permission.UNIT_MANAGE)
    if await session.scalar(select(Unit.id).where(Unit.id == unit_id)):
        raise AlreadyExists
    unit = Unit(
        id=unit_id,
        kind=kind,
        capabilities=[],
        notes=notes,
        duty=Duty.ON_DUTY,
        duty_since=now(),
        version=0,
        told_to=[],
    )
    to: Amendment = {"call_sign": call_sign, "organization_id": organization_id, "skills": skills, "station": station}
    await _change(session, unit, {**to, "home_zone_id": home_zone_id})
    session.add(unit)
    await tell(session, actor, "unit.added", unit)
    return unit


async def amend_unit(
    session: AsyncSession, actor: Actor, unit_id: UUID, *, expected: int | None = None, **to: Unpack[Amendment]
) -> Unit:
    """Change what is said of a unit; the rest stays. Raises what `add_unit` raises, and `VersionMismatch`."""
    require(actor, Permission.UNIT_MANAGE)
    unit = await access_unit(session, actor, unit_id, lock=True, expected=expected)
    was: dict[str, Any] = {"call_sign": unit.call_sign, "kind": unit.kind, "skills": list(unit.capabilities)}
    await _change(session, unit, to)
    before = {name: value for name, value in was.items() if name in to}
    await tell(session, actor, "unit.amended", unit, detail={"fields": sorted(to), "was": before})
    return unit


async def _change(session: AsyncSession, unit: Unit, to: Amendment) -> None:
    if "call_sign" in to:
        await _check_call_sign(session, to["call_sign"], unit.id)
        unit.call_sign = to["call_sign"]
    if "kind" in to:
        unit.kind = to["kind"]
    if "organization_id" in to:
        unit.organization_id = (await access_organization(session, to["organization_id"])).id
    if "skills" in to:
        skills = to["skills"]
        unit.capabilities, unit.amounts = await check_capabilities(
            session, skills.codes, skills.amounts, had=unit.capabilities
        )
    if "station" in to:
        await _settle(session, unit, to["station"])
    if "home_zone_id" in to:
        zone = await access_zone(session, to["home_zone_id"]) if to["home_zone_id"] else None
        unit.home_zone_id, unit.home_zone = (zone.id, zone.name) if zone else (None, "")
    if "notes" in to:
        unit.notes = to["notes"]


async def _check_call_sign(session: AsyncSession, call_sign: str, unit_id: UUID) -> None:
    taken = select(Unit.id).where(
        func.lower(Unit.call_sign) == func.lower(call_sign), Unit.retired_at.is_(None), Unit.id != unit_id
    )
    if await session.scalar(taken):
        raise CallSignTaken(call_sign=call_sign)


async def _settle(session: AsyncSession, unit: Unit, station: Station) -> None:
    unit.base, unit.base_place, unit.base_id = station.words, station.place, None
    if station.facility_id is not None:
        facility = await access_facility(session, station.facility_id)
        unit.base_id, unit.base_place = facility.id, facility.shape
        unit.base = station.words or facility.name


async def retire_unit(session: AsyncSession, actor: Actor, unit_id: UUID, *, expected: int | None = None) -> Unit:
    """Take a unit off the boards for good; its past stays, its call sign is free. Raises `StillSent`."""
    require(actor, Permission.UNIT_MANAGE)
    unit = await access_unit(session, actor, unit_id, lock=True, expected=expected)
    if unit.engaged_status is not None:
        raise StillSent(call_sign=unit.call_sign)
    was = str(unit.duty)
    unit.retired_at = unit.duty_since = now()
    unit.duty = Duty.OUT_OF_SERVICE  # whoever waits for its lock to send it finds it so
    await tell(session, actor, "unit.retired", unit, detail={"from": was})
    return unit


async def reinstate_unit(session: AsyncSession, actor: Actor, unit_id: UUID) -> Unit:
    """Bring a retired unit back, out of service until somebody says otherwise. Raises `CallSignTaken`."""
    require(actor, Permission.UNIT_MANAGE)
    unit = await _access(session, Unit.retired_at.is_not(None), unit_id, lock=True, expected=None)
    await _check_call_sign(session, unit.call_sign, unit.id)
    unit.retired_at, unit.duty_since = None, now()
    await tell(session, actor, "unit.reinstated", unit)
    return unit


async def set_duty(session: AsyncSession, actor: Actor, unit_id: UUID, *, duty: Duty, reason: str = "") -> Unit:
    """Say whether a unit can be sent. A crew may say it of its own."""
    if not (actor.role is Role.CREW and actor.unit_id == unit_id) and not actor.may(Permission.UNIT_DISPATCH):
        raise NotAllowed(permission=Permission.UNIT_DISPATCH.value)
    unit = await access_unit(session, actor, unit_id, lock=True)
    detail = {"from": str(unit.duty), "duty": duty.value, "reason": reason}
    unit.duty, unit.duty_since = duty, now()
    await tell(session, actor, "unit.duty", unit, detail=detail)
    return unit


async def engage(
    session: AsyncSession,
    actor: Actor,
    unit: Unit,
    engagement: Engagement | None,
    *,
    at: dt.datetime,
    since: dt.datetime | None = None,
) -> None:
    """Copy the leading assignment onto its (locked) unit; None when it was released. It happened `at`.

    `since` is since when it has been free, where that is not `at`: it was never really sent.
    """
    unit.engaged_status = engagement.status if engagement else None
    unit.engaged_since = engagement.since if engagement else None
    unit.assignment_id = engagement.assignment_id if engagement else None
    unit.incident_id = engagement.incident_id if engagement else None
    unit.incident_code = engagement.incident_code if engagement else None
    if engagement is None:
        unit.duty_since = since or at
    await tell(session, actor, "unit.status", unit, detail={"status": unit.status}, occurred_at=at)


async def tell(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    unit: Unit,
    *,
    detail: dict[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record a fact about a unit."""
    unit.version += 1
    organization = await session.get_one(Organization, unit.organization_id)
    await record(session, actor, kind, unit, faces_of(unit, organization.name), detail=detail, occurred_at=occurred_at)


async def retired_units(session: AsyncSession, actor: Actor) -> Sequence[Unit]:
    """Those that are no more, the last first; for those who may bring them back."""
    if not actor.may(Permission.UNIT_MANAGE):
        return []
    query = select(Unit).where(Unit.retired_at.is_not(None)).order_by(Unit.retired_at.desc(), Unit.id).limit(500)
    return (await session.scalars(query)).all()


# ── Board ─────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the units that `actor` sees (of `ids`, when given)."""
    query = (
        select(Unit, Organization.name)
        .join(Organization, Organization.id == Unit.organization_id)
        .where(visible_to(actor))
        .execution_options(populate_existing=True)
    )
    if ids is not None:
        query = query.where(Unit.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(unit, name)) for unit, name in await session.execute(query)]
    return [face for face in faces if face is not None]
