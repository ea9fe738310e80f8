"""Closures: where nobody gets through, since when, until when, and who may pass all the same.

Everybody with an account sees every closure, so its reason speaks of the street ("caño roto") and never of a person.
Whether a closure is in force is judged when it is read: nothing has to happen for one to begin or to end, and the
worker only tidies the boards afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely.geometry.base import BaseGeometry
from sqlalchemy import CheckConstraint, ColumnElement, Index, Text, and_, false, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.city import extent
from geo.layers import mark_layer
from geo.places import Shape, geojson, haversine, shape_checks
from realtime.access import SIGNED_IN, VIGIA, Actor, Audience, Face, Faces, Permission, Role, face_for, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotFound, VersionMismatch
from realtime.journal import Told, record
from realtime.lifecycle import move

CLOSURES = "closures"  # the name of this layer in `map_layers`
SHAPES = frozenset({"Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})

LOOK_BACK = dt.timedelta(days=30)  # closed since then, and nobody had told us
LOOK_AHEAD = dt.timedelta(days=366)  # works are announced within the year
LONGEST = dt.timedelta(days=5 * 366)  # longer than this is another street map
SIDES = 2  # no side of a closure is longer than so many of the city's: four times its area
SMALLEST_CITY = 20_000.0  # metres; a village, or a city without streets yet, still floods with its fields


class ValidityRefused(Malformed):
    """A closure ends after it begins, and not before now."""


class ValidityAbsurd(Malformed):
    """A closure begins within a year of today and lasts five years at most; leave its end open instead."""


class LargerThanTheCity(Malformed):
    """The closure is {kilometres} km long or wide, far more than the city. Draw only what is closed."""


class ClosureKind(StrEnum):
    """Why nobody gets through. All of them bar traffic; they differ in words and in how they are drawn."""

    CLOSED = "closed"
    FLOODED = "flooded"
    WORKS = "works"
    EVENT = "event"
    OBSTACLE = "obstacle"


class ClosureState(StrEnum):
    """What a closure is at a given moment; no column holds it."""

    PLANNED = "planned"
    IN_FORCE = "in_force"
    LIFTED = "lifted"
    EXPIRED = "expired"


S = ClosureState
MOVES = {
    S.PLANNED: frozenset({S.IN_FORCE, S.LIFTED}),
    S.IN_FORCE: frozenset({S.IN_FORCE, S.LIFTED, S.EXPIRED}),
    S.EXPIRED: frozenset({S.EXPIRED}),
}


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when. No beginning: it stays, or is now; no end: until somebody lifts it."""

    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None


class Closure(Told, Base):
    """One closure. `passable_by` are kinds of units that get through; `on_board` ends when it is lifted or swept.

    `source_key` names what it was in the file that it came from: `source/key`.
    """

    __tablename__ = "closures"
    __table_args__ = (
        Index("ix_closures_on_board", "valid_until", postgresql_where="on_board"),
        Index("ix_closures_valid_from", "valid_from"),
        CheckConstraint("valid_until > valid_from", name="validity"),
        CheckConstraint(
            "GeometryType(shape) IN ('POINT', 'LINESTRING', 'MULTILINESTRING', 'POLYGON', 'MULTIPOLYGON')",
            name="shape_type",
        ),
        *shape_checks("shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[ClosureKind] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    shape: Mapped[BaseGeometry] = mapped_column(Shape("GEOMETRY"))
    passable_by: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    valid_from: Mapped[dt.datetime]
    valid_until: Mapped[dt.datetime | None]
    lifted_at: Mapped[dt.datetime | None]
    drawn_by: Mapped[str] = mapped_column(Text)
    source_key: Mapped[str | None] = mapped_column(Text)
    on_board: Mapped[bool] = mapped_column(default=True)

    @property
    def subject(self) -> str:
        """`closure:<id>`."""
        return f"closure:{self.id}"

    def state(self, at: dt.datetime) -> ClosureState:
        """What it is at a moment."""
        if self.lifted_at is not None and self.lifted_at <= at:
            return S.LIFTED
        if self.valid_until is not None and self.valid_until <= at:
            return S.EXPIRED
        return S.IN_FORCE if self.valid_from <= at else S.PLANNED


# ── Who may see: for one row, and for a query ─────────────────────────────────────────────────────

AUDIENCE: Audience = frozenset({SIGNED_IN})
ON_WALLS: Audience = frozenset({"wall:0"})  # anybody may read a wall: it names nobody


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query: everybody with an account."""
    return true() if not AUDIENCE.isdisjoint(actor.keys) or actor.role is Role.SYSTEM else false()


def faces_of(closure: Closure) -> Faces:
    """How a closure shows itself: whole, or not at all."""
    properties = {
        "subject": closure.subject,
        "id": str(closure.id),
        "version": closure.version,
        "kind": closure.kind,
        "reason": closure.reason,
        "passable_by": closure.passable_by,
        "valid_from": closure.valid_from.isoformat(),
        "valid_until": closure.valid_until.isoformat() if closure.valid_until else None,
        "lifted_at": closure.lifted_at.isoformat() if closure.lifted_at else None,
        "drawn_by": closure.drawn_by,
    }

    def feature(**other: Any) -> dict[str, Any]:
        return {"type": "Feature", "geometry": geojson(closure.shape), "properties": properties | other}

    return (Face(ON_WALLS, feature(drawn_by="")), Face(AUDIENCE, feature()))


async def access_closure(
    session: AsyncSession, actor: Actor, closure_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Closure:
    """The only way to a closure: it must exist and be visible to the actor.

    Raises `NotFound` and, when it is not at the version that the actor believes in, `VersionMismatch`.
    """
    query = select(Closure).where(Closure.id == closure_id, visible_to(actor))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    closure = (await session.scalars(query)).first()
    if closure is None:
        raise NotFound
    if expected is not None and expected != closure.version:
        raise VersionMismatch(expected=expected, current=closure.version)
    return closure


# ── Judged when read ──────────────────────────────────────────────────────────────────────────────


async def closures_in_force(session: AsyncSession, at: dt.datetime | None = None) -> Sequence[Closure]:
    """What bars the way at a moment (now, unless one is named), oldest first.

    Of a moment that is past it says what we know now: amendments have changed the row.
    """
    at = at or now()
    query = (
        select(Closure)
        .where(
            Closure.valid_from <= at,
            or_(Closure.valid_until.is_(None), Closure.valid_until > at),
            or_(Closure.lifted_at.is_(None), Closure.lifted_at > at),
        )
        .order_by(Closure.id)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).all()


def _not_over(at: dt.datetime) -> ColumnElement[bool]:
    return and_(Closure.on_board, or_(Closure.valid_until.is_(None), Closure.valid_until > at))


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def draw_closure(
    session: AsyncSession,
    actor: Actor,
    closure_id: UUID,
    *,
    kind: ClosureKind,
    reason: str,
    shape: BaseGeometry,
    passable_by: Collection[str] = (),
    validity: Validity = Validity(),
    source_key: str | None = None,
) -> Closure:
    """Close what the shape covers or crosses. Raises `ValidityRefused`, `ValidityAbsurd`, `LargerThanTheCity`."""
    require(actor, Permission.CLOSURE_DRAW)
    if await session.scalar(select(Closure.id).where(Closure.id == closure_id)):
        raise AlreadyExists
    at = now()
    valid_from, valid_until = _check_validity(validity, validity.valid_from or at, at)
    await _check_size(session, shape)
    closure = Closure(
        id=closure_id,
        kind=kind,
        reason=reason,
        shape=shape,
        passable_by=sorted(set(passable_by)),
        valid_from=valid_from,
        valid_until=valid_until,
        drawn_by=actor.name,
        source_key=source_key,
        on_board=True,
        version=0,
        told_to=[],
    )
    session.add(closure)
    await tell(session, actor, "closure.drawn", closure, detail={"kind": kind.value} | _written(closure))
    return closure


async def amend_closure(
    session: AsyncSession,
    actor: Actor,
    closure_id: UUID,
    *,
    kind: ClosureKind | None = None,
    reason: str | None = None,
    validity: Validity | None = None,
    passable_by: Collection[str] | None = None,
    shape: BaseGeometry | None = None,
    expected: int | None = None,
) -> Closure:
    """Change what is said; the rest stays. One that is over stays over: raises `IllegalMove`."""
    require(actor, Permission.CLOSURE_DRAW)
    closure = await access_closure(session, actor, closure_id, lock=True, expected=expected)
    at = now()
    move(closure.state(at), S.IN_FORCE, MOVES)
    if shape is not None:
        await _check_size(session, shape)
        closure.shape = shape
    if validity is not None:
        closure.valid_from, closure.valid_until = _check_validity(
            validity, validity.valid_from or closure.valid_from, at, was=closure.valid_from
        )
    closure.kind = kind or closure.kind
    closure.reason = closure.reason if reason is None else reason
    closure.passable_by = closure.passable_by if passable_by is None else sorted(set(passable_by))
    said = {"kind": kind, "reason": reason, "validity": validity, "passable_by": passable_by, "shape": shape}
    fields = [name for name, value in said.items() if value is not None]
    await tell(session, actor, "closure.amended", closure, detail={"fields": fields} | _written(closure))
    return closure


async def lift_closure(
    session: AsyncSession, actor: Actor, closure_id: UUID, *, expected: int | None = None
) -> Closure:
    """Open the way again. What is lifted or has run out cannot be lifted: raises `IllegalMove`."""
    require(actor, Permission.CLOSURE_DRAW)
    closure = await access_closure(session, actor, closure_id, lock=True, expected=expected)
    at = now()
    move(closure.state(at), S.LIFTED, MOVES)
    closure.lifted_at, closure.on_board = at, False
    await tell(session, actor, "closure.lifted", closure, detail={"kind": closure.kind}, occurred_at=at)
    return closure


async def sweep_closures(session: AsyncSession) -> None:
    """Take what has run out off the boards. The ways are open since then; this only tells it."""
    run_out = (
        select(Closure)
        .where(Closure.on_board, Closure.valid_until <= now())
        .order_by(Closure.id)
        .limit(300)
        .with_for_update(skip_locked=True, key_share=True)
    )
    for closure in await session.scalars(run_out):
        await expire_closure(session, VIGIA, closure)


async def expire_closure(session: AsyncSession, actor: Actor, closure: Closure) -> None:
    """A locked closure that has run out leaves everybody's board; it stays in the books."""
    move(closure.state(now()), S.EXPIRED, MOVES)
    closure.on_board = False
    await tell(
        session, actor, "closure.expired", closure, detail={"kind": closure.kind}, occurred_at=closure.valid_until
    )


async def tell(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    closure: Closure,
    *,
    detail: dict[str, Any],
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record a fact about a closure, and that the layer has changed. Of the reason only the row knows."""
    closure.version += 1
    faces = faces_of(closure) if closure.on_board else ()
    await record(session, actor, kind, closure, faces, detail=detail, occurred_at=occurred_at)
    await mark_layer(session, CLOSURES)  # last, because everybody who draws waits here for each other


def _check_validity(
    validity: Validity, begins: dt.datetime, at: dt.datetime, *, was: dt.datetime | None = None
) -> tuple[dt.datetime, dt.datetime | None]:
    """`was` is a beginning that has been accepted before: it may have grown old meanwhile."""
    ends = validity.valid_until
    if begins != was and not at - LOOK_BACK <= begins <= at + LOOK_AHEAD:
        raise ValidityAbsurd
    if ends is not None and ends <= max(begins, at):
        raise ValidityRefused
    if ends is not None and ends > max(begins, at) + LONGEST:
        raise ValidityAbsurd
    return begins, ends


async def _check_size(session: AsyncSession, shape: BaseGeometry) -> None:
    """No closure is much larger than its city: it would be a slip, and every search would pay for it."""
    frame = await extent(session)
    limit = max(SMALLEST_CITY, *_sides(*frame)) if frame else SMALLEST_CITY
    longest = max(_sides(*shape.bounds))
    if longest > SIDES * limit:
        raise LargerThanTheCity(kilometres=round(longest / 1000))


def _sides(west: float, south: float, east: float, north: float) -> tuple[float, float]:
    """Metres across and up."""
    middle = (south + north) / 2
    return haversine(west, middle, east, middle), haversine(west, south, west, north)


def _written(closure: Closure) -> dict[str, Any]:
    return {"valid_until": closure.valid_until.isoformat() if closure.valid_until else None}


# ── Board ─────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the closures that are in force or to come (of `ids`, when given)."""
    query = select(Closure).where(_not_over(now()), visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Closure.id.in_(ids))
    return features_of(actor, (await session.scalars(query.order_by(Closure.id))).all())


def features_of(actor: Actor, closures: Sequence[Closure]) -> list[dict[str, Any]]:
    """Each closure's feature as `actor` sees it."""
    faces = [face_for(actor.keys, faces_of(closure)) for closure in closures]
    return [face for face in faces if face is not None]
