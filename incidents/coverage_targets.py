"""Coverage targets: how fast a capability should be, in the city or in one zone, and for how many of its people.

Whether one is met is judged when somebody looks (`incidents/standing.py`). A target is never rewritten: a new one takes
its place and the former stays in the books, so that a past moment is judged by what was wanted then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.zones import Zone
from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal
from realtime.registers import Register, turn_page

LONGEST = 60.0  # minutes


class TargetEnded(Refusal):
    """That coverage target has ended: set a new one."""

    status = 409


class OneOrTheOther(Malformed):
    """A coverage target is for a capability or for a kind of unit: say one of them."""


class CoverageTarget(Base):
    """One target. `minimum` is a share of the people (0…1) whom some free unit should reach within `minutes`."""

    __tablename__ = "coverage_targets"
    __table_args__ = (
        CheckConstraint("(capability IS NULL) <> (kind IS NULL)", name="one_or_the_other"),
        CheckConstraint("minutes > 0 AND minutes <= 60", name="minutes"),
        CheckConstraint("minimum BETWEEN 0 AND 1", name="minimum"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    capability: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    minutes: Mapped[float]
    minimum: Mapped[float]
    zone_id: Mapped[UUID | None] = mapped_column(ForeignKey("zones.id"))
    made_at: Mapped[dt.datetime]
    made_by: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[str | None] = mapped_column(Text)


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def set_target(
    session: AsyncSession,
    actor: Actor,
    target_id: UUID,
    *,
    capability: str | None = None,
    kind: str | None = None,
    minutes: float,
    minimum: float,
    zone_id: UUID | None = None,
    replaces: UUID | None = None,
) -> CoverageTarget:
    """Set a target, in the place of another one where `replaces` says so.

    `minutes` 0…60, `minimum` a share 0…1. Raises `OneOrTheOther`, `NotFound` (no such zone), `TargetEnded`.
    """
    require(actor, Permission.POLICY_EDIT)
    if (capability is None) == (kind is None):
        raise OneOrTheOther
    if await session.get(CoverageTarget, target_id) is not None:
        raise AlreadyExists
    if zone_id is not None and await session.get(Zone, zone_id) is None:
        raise NotFound
    if replaces is not None:
        await _end(session, actor, replaces)
    target = CoverageTarget(
        id=target_id,
        capability=capability,
        kind=kind,
        minutes=minutes,
        minimum=minimum,
        zone_id=zone_id,
        made_at=now(),
        made_by=actor.name,
    )
    session.add(target)
    detail = {"target_id": str(target_id), "for": capability or kind, "minutes": minutes, "minimum": minimum}
    if replaces is not None:
        detail["replaces"] = str(replaces)
    await turn_page(session, actor, Register.COVERAGE_TARGETS, "coverage.set", detail=detail)
    return target


async def end_target(session: AsyncSession, actor: Actor, target_id: UUID) -> CoverageTarget:
    """It is no longer wanted. Raises `TargetEnded`."""
    require(actor, Permission.POLICY_EDIT)
    target = await _end(session, actor, target_id)
    await turn_page(session, actor, Register.COVERAGE_TARGETS, "coverage.ended", detail={"target_id": str(target_id)})
    return target


async def _end(session: AsyncSession, actor: Actor, target_id: UUID) -> CoverageTarget:
    target = await session.get(CoverageTarget, target_id, with_for_update={"key_share": True}, populate_existing=True)
    if target is None:
        raise NotFound
    if target.ended_at is not None:
        raise TargetEnded
    target.ended_at, target.ended_by = now(), actor.name
    return target


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def coverage_targets(
    session: AsyncSession, at: dt.datetime | None = None
) -> Sequence[tuple[CoverageTarget, Zone | None]]:
    """The targets in force at a moment (now, unless said) with their zones, oldest first."""
    query = select(CoverageTarget, Zone).outerjoin(Zone, Zone.id == CoverageTarget.zone_id)
    if at is None:
        query = query.where(CoverageTarget.ended_at.is_(None))
    else:
        standing = or_(CoverageTarget.ended_at.is_(None), CoverageTarget.ended_at > at)
        query = query.where(CoverageTarget.made_at <= at, standing)
    rows = await session.execute(query.order_by(CoverageTarget.made_at, CoverageTarget.id))
    return [(target, zone) for target, zone in rows]
