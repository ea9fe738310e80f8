"""Units: what can be sent. Whether a unit is busy is its assignment's business, one floor up.

The row carries a copy of the live assignment (`engage`) so that a unit can be shown and found without asking
above; only the incidents floor writes it, in the transaction that changes the assignment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import ColumnElement, ForeignKey, Text, false, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import Shape, shape_checks
from realtime.access import (
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
from realtime.errors import AlreadyExists, NotAllowed, NotFound
from realtime.journal import Told, record
from resources.organizations import Organization, access_organization


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
    """One unit. `engaged_*` copy its live assignment; `engaged_status` None means that it has none."""

    __tablename__ = "units"
    __table_args__ = shape_checks("base_place")

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_sign: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[UnitKind] = mapped_column(Text)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    base: Mapped[str] = mapped_column(Text, default="")
    base_place: Mapped[Point | None] = mapped_column(Shape("POINT"))
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
class Engagement:
    """The live assignment of a unit, as the unit shows it."""

    assignment_id: UUID
    incident_id: UUID
    incident_code: str
    status: str
    since: dt.datetime


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


def audience_of(unit: Unit) -> Audience:
    """Those who see all of a unit: operations, its own crew, its own agency."""
    return frozenset({"ops:0", unit_key(unit.id), organization_key(unit.organization_id)})


ONLOOKERS: Audience = frozenset({"government:0", "wall:0"})  # they see where it is and what it does, not for whom


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query: the units that `actor` sees, whole or bare."""
    if actor.role in OPERATIONS | {Role.GOVERNMENT, Role.WALL}:
        return true()
    mine: list[ColumnElement[bool]] = []
    if actor.role is Role.CREW and actor.unit_id:
        mine.append(Unit.id == actor.unit_id)
    if actor.role in {Role.AGENCY, Role.NEIGHBOURHOOD} and actor.organization_id:
        mine.append(Unit.organization_id == actor.organization_id)
    return or_(*mine) if mine else false()


def faces_of(unit: Unit, organization_name: str) -> Faces:
    """How a unit shows itself: whole, or without the incident that it serves."""
    whole = {
        "subject": unit.subject,
        "id": str(unit.id),
        "version": unit.version,
        "call_sign": unit.call_sign,
        "kind": unit.kind,
        "organization": organization_name,
        "organization_id": str(unit.organization_id),
        "capabilities": unit.capabilities,
        "status": unit.status,
        "status_since": (unit.engaged_since or unit.duty_since).isoformat(),
        "assignment_id": _text(unit.assignment_id),
        "incident_id": _text(unit.incident_id),
        "incident_code": unit.incident_code,
        "base": unit.base,
    }
    bare = whole | {"assignment_id": None, "incident_id": None, "incident_code": None}
    return (Face(audience_of(unit), _feature(whole)), Face(ONLOOKERS, _feature(bare)))


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)


def _feature(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": None, "properties": properties}


async def access_unit(session: AsyncSession, actor: Actor, unit_id: UUID, *, lock: bool = False) -> Unit:
    """The only way to a unit: it must exist and be visible to the actor."""
    query = select(Unit).where(Unit.id == unit_id, visible_to(actor) if actor.role is not Role.SYSTEM else true())
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    unit = (await session.scalars(query)).first()
    if unit is None:
        raise NotFound
    return unit


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def add_unit(
    session: AsyncSession,
    actor: Actor,
    unit_id: UUID,
    *,
    call_sign: str,
    kind: UnitKind,
    organization_id: UUID,
    capabilities: Sequence[str] = (),
    base: str = "",
    base_place: Point | None = None,
) -> Unit:
    """Register a unit."""
    require(actor, Permission.UNIT_MANAGE)
    await access_organization(session, organization_id)
    if await session.scalar(select(Unit.id).where((Unit.call_sign == call_sign) | (Unit.id == unit_id))):
        raise AlreadyExists
    unit = Unit(
        id=unit_id,
        call_sign=call_sign,
        kind=kind,
        organization_id=organization_id,
        capabilities=list(capabilities),
        base=base,
        base_place=base_place,
        duty=Duty.ON_DUTY,
        duty_since=now(),
        version=0,
        told_to=[],
    )
    session.add(unit)
    await tell(session, actor, "unit.added", unit)
    return unit


async def set_duty(session: AsyncSession, actor: Actor, unit_id: UUID, *, duty: Duty, reason: str = "") -> Unit:
    """Say whether a unit can be sent. A crew may say it of its own."""
    if not (actor.role is Role.CREW and actor.unit_id == unit_id) and not actor.may(Permission.UNIT_DISPATCH):
        raise NotAllowed(permission=Permission.UNIT_DISPATCH.value)
    unit = await access_unit(session, actor, unit_id, lock=True)
    unit.duty, unit.duty_since = duty, now()
    await tell(session, actor, "unit.duty", unit, detail={"duty": duty.value, "reason": reason})
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
