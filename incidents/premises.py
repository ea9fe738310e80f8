"""Premise warnings: what whoever goes to a place must know before: a dog, weapons, gas, a step, an oxygen tube.

A warning lies around a point or over a zone, is as secret as whoever wrote it said, and ends by itself: whether it
still holds is judged when it is read.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, SmallInteger, Text, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import Shape, geojson, metres_to, near, shape_checks
from geo.zones import Zone, zones_at
from incidents.incident import access_incident
from realtime.access import OPERATIONS, Actor, Permission, Role, Sensitivity, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotAllowed, NotFound, Refusal
from realtime.registers import Register, turn_page

LARGEST_RADIUS = 2000  # metres; what is larger is a zone


class PremiseKind(StrEnum):
    """What it warns of."""

    DOG = "dog"
    WEAPONS = "weapons"
    VIOLENCE = "violence"
    HAZARD = "hazard"
    ACCESS = "access"
    DISABILITY = "disability"
    MEDICAL = "medical"
    OTHER = "other"


class PointOrZone(Malformed):
    """A warning is about a point with its radius or about a zone: name one of them."""


class EndsBefore(Malformed):
    """It would have ended already: name a time to come, or none."""


class BeyondYou(Malformed):
    """You cannot write a warning that you could not read."""


class WarningLifted(Refusal):
    """That warning was lifted already."""

    status = 409


class PremiseWarning(Base):
    """One warning. `radius` is metres around `shape`; lifted it stays in the books."""

    __tablename__ = "premise_warnings"
    __table_args__ = (
        CheckConstraint("sensitivity BETWEEN 0 AND 3", name="sensitivity"),
        CheckConstraint("(shape IS NULL) <> (zone_id IS NULL)", name="point_or_zone"),
        Index("ix_premise_warnings_shape", "shape", postgresql_using="gist"),
        Index("ix_premise_warnings_zone_id", "zone_id"),
        *shape_checks("shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[PremiseKind] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text)
    shape: Mapped[Point | None] = mapped_column(Shape("POINT"))
    radius: Mapped[int]
    zone_id: Mapped[UUID | None] = mapped_column(ForeignKey("zones.id"))
    sensitivity: Mapped[int] = mapped_column(SmallInteger)
    until: Mapped[dt.datetime | None]
    written_at: Mapped[dt.datetime] = mapped_column(default=now)
    written_by: Mapped[str] = mapped_column(Text)
    lifted_at: Mapped[dt.datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(Text)
    lifted_why: Mapped[str | None] = mapped_column(Text)

    def shown(self, metres: float | None = None) -> dict[str, Any]:
        """As answers carry it; `metres` is how far away it lies, where it is about a point."""
        return {
            "id": str(self.id),
            "kind": self.kind,
            "words": self.words,
            "place": self.place,
            "location": geojson(self.shape) if self.shape else None,
            "radius": self.radius if self.shape else None,
            "zone_id": str(self.zone_id) if self.zone_id else None,
            "sensitivity": self.sensitivity,
            "until": self.until.isoformat() if self.until else None,
            "written_at": self.written_at.isoformat(),
            "written_by": self.written_by,
            "metres": None if metres is None else round(metres),
            "lifted": {"at": self.lifted_at.isoformat(), "by": self.lifted_by, "why": self.lifted_why}
            if self.lifted_at
            else None,
        }


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The warnings that `actor` may read: operations as far as they reach, a crew what everybody at the desks knows."""
    reach = actor.reach if actor.role in OPERATIONS else Sensitivity.OPERATIONAL if actor.role is Role.CREW else -1
    return PremiseWarning.sensitivity <= (Sensitivity.PROTECTED if actor.role is Role.SYSTEM else reach)


def _holds(moment: dt.datetime) -> ColumnElement[bool]:
    return and_(PremiseWarning.lifted_at.is_(None), or_(PremiseWarning.until.is_(None), PremiseWarning.until > moment))


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def write_warning(
    session: AsyncSession,
    actor: Actor,
    warning_id: UUID,
    *,
    kind: PremiseKind,
    words: str,
    place: str = "",
    location: Point | None = None,
    radius: int = 30,
    zone_id: UUID | None = None,
    sensitivity: int = Sensitivity.OPERATIONAL,
    until: dt.datetime | None = None,
) -> PremiseWarning:
    """Warn of a place. Raises `PointOrZone`, `EndsBefore`, `BeyondYou`, `NotFound` (the zone)."""
    require(actor, Permission.REPORT_TRIAGE)
    if (location is None) == (zone_id is None):
        raise PointOrZone
    if until is not None and until <= now():
        raise EndsBefore
    if sensitivity > actor.reach and actor.role is not Role.SYSTEM:
        raise BeyondYou
    if await session.get(PremiseWarning, warning_id) is not None:
        raise AlreadyExists
    if zone_id is not None and await session.get(Zone, zone_id) is None:
        raise NotFound
    warning = PremiseWarning(
        id=warning_id,
        kind=kind,
        words=words,
        place=place,
        shape=location,
        radius=radius if location is not None else 0,
        zone_id=zone_id,
        sensitivity=sensitivity,
        until=until,
        written_at=now(),
        written_by=actor.name,
    )
    session.add(warning)
    await turn_page(session, actor, Register.PREMISES, "premise.warned", detail={"warning_id": str(warning.id)})
    return warning


async def lift_warning(session: AsyncSession, actor: Actor, warning_id: UUID, *, why: str = "") -> PremiseWarning:
    """Say that a warning no longer holds. Raises `WarningLifted`."""
    require(actor, Permission.REPORT_TRIAGE)
    query = select(PremiseWarning).where(PremiseWarning.id == warning_id, visible_to(actor)).with_for_update()
    warning = (await session.scalars(query.execution_options(populate_existing=True))).first()
    if warning is None:
        raise NotFound
    if warning.lifted_at is not None:
        raise WarningLifted
    warning.lifted_at, warning.lifted_by, warning.lifted_why = now(), actor.name, why
    await turn_page(session, actor, Register.PREMISES, "premise.lifted", detail={"warning_id": str(warning.id)})
    return warning


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def warnings_at(session: AsyncSession, actor: Actor, place: Point) -> list[dict[str, Any]]:
    """What holds at a place now and the actor may read: those around points first, the nearest first."""
    if actor.role not in OPERATIONS | {Role.SYSTEM}:
        raise NotAllowed(permission=Permission.REPORT_TRIAGE.value)
    return await _at(session, actor, place)


async def warnings_of(session: AsyncSession, actor: Actor, incident_id: UUID) -> list[dict[str, Any]]:
    """What holds where an incident is, for those who see it whole and may read it: the crew that goes there too."""
    incident = await access_incident(session, actor, incident_id)
    return await _at(session, actor, incident.shape)


async def _at(session: AsyncSession, actor: Actor, place: Point) -> list[dict[str, Any]]:
    mine = (visible_to(actor), _holds(now()))
    away = metres_to(PremiseWarning.shape, place)
    around = (
        select(PremiseWarning, away)
        .where(*mine, near(PremiseWarning.shape, place, LARGEST_RADIUS), away <= PremiseWarning.radius)
        .order_by(away, PremiseWarning.id)
    )
    found = [warning.shown(float(metres)) for warning, metres in await session.execute(around)]
    zones = [zone.id for zone in await zones_at(session, place)]
    over = select(PremiseWarning).where(*mine, PremiseWarning.zone_id.in_(zones)).order_by(PremiseWarning.id)
    return [*found, *(warning.shown() for warning in await session.scalars(over))]
