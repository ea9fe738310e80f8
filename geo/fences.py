"""Geofences: lines and areas that somebody wants to hear about, and the visits that things pay them.

Who watches is operations and nobody else: a fence says where the city looks, and a visit says where a crew was.
Whether a fence counts is judged when it is read. What happens at one is found by `geo/passage.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict, Unpack
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from shapely.geometry.base import BaseGeometry
from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, SmallInteger, Text, false, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.layers import mark_layer
from geo.passage import Passage, What
from geo.places import Shape, geojson, is_finite, shape_checks
from geo.zones import Zone, access_zone
from realtime.access import OPERATIONS, VIGIA, Actor, Audience, Face, Faces, Permission, Role, face_for, require
from realtime.database import Base, new_id, now
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal, VersionMismatch
from realtime.journal import Told, record

log = structlog.get_logger()

FENCES = "fences"  # the name of this layer in `map_layers`
LARGEST = 5_000e6  # square metres; more than a city is no fence
MOST_VERTICES = 500  # they are on every operator's board
ON_BOARD = dt.timedelta(minutes=10)  # how long a visit that is over stays where people look
KEPT = dt.timedelta(days=30)  # as long as tracks: a visit says where a crew was


class FenceEnded(Refusal):
    """That fence has ended."""

    status = 409


class FenceNeedsPlace(Malformed):
    """A fence has a shape of its own or is a zone: one of the two."""


class FenceWatchesNothing(Malformed):
    """A fence watches units, incidents, or both; a line watches only units."""


class FenceHoursRefused(Malformed):
    """Hours are weekdays 1 (Monday) to 7 with two different times of day."""


class Ending(StrEnum):
    """How a visit ended."""

    LEFT = "left"
    LOST = "lost"  # nothing was heard of it any more
    UNWATCHED = "unwatched"  # the fence ended, changed, or is out of its hours


class Fence(Told, Base):
    """One fence. Empty `unit_kinds` and `incident_types` mean all; `least_priority` 2 means priorities 1 and 2.

    `hours` are local times of day in which it counts, `[{"days": [1, 5], "from": "22:00", "until": "06:00"}]`; none
    means always. `watched_since` is when it became what it is: what was seen before says nothing about it.
    """

    __tablename__ = "fences"
    __table_args__ = (
        CheckConstraint("(shape IS NULL) <> (zone_id IS NULL)", name="one_place"),
        CheckConstraint("watches_units OR watches_incidents", name="watches"),
        CheckConstraint("dwell_seconds > 0", name="dwell_seconds"),
        CheckConstraint("least_priority BETWEEN 1 AND 4", name="least_priority"),
        *shape_checks("shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    shape: Mapped[BaseGeometry | None] = mapped_column(Shape("GEOMETRY"))
    zone_id: Mapped[UUID | None] = mapped_column(ForeignKey("zones.id"))
    watches_units: Mapped[bool]
    unit_kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    watches_incidents: Mapped[bool]
    incident_types: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    least_priority: Mapped[int | None] = mapped_column(SmallInteger)
    dwell_seconds: Mapped[int | None]
    hours: Mapped[list[Any]] = mapped_column(default=list)
    valid_from: Mapped[dt.datetime]
    valid_until: Mapped[dt.datetime | None]
    watched_since: Mapped[dt.datetime]
    drawn_by: Mapped[str] = mapped_column(Text)
    on_board: Mapped[bool] = mapped_column(default=True)

    @property
    def subject(self) -> str:
        """`fence:<id>`."""
        return f"fence:{self.id}"

    def counts(self, at: dt.datetime, timezone: ZoneInfo) -> bool:
        """Whether it is valid at a moment and in its hours."""
        if self.valid_from > at or (self.valid_until is not None and self.valid_until <= at):
            return False
        return not self.hours or any(_in_hours(one, at.astimezone(timezone)) for one in self.hours)


class FenceVisit(Told, Base):
    """A stay of a unit or an incident in a fence, or one passage over a line (then both times are the same).

    `who` is its call sign or code. `sensitivity` is the incident's: where it is may be known only with it.
    """

    __tablename__ = "fence_visits"
    __table_args__ = (
        CheckConstraint("(unit_id IS NULL) <> (incident_id IS NULL)", name="one_visitor"),
        CheckConstraint("exited_at >= entered_at", name="exited_at"),
        Index("ix_fence_visits_fence_id_entered_at", "fence_id", "entered_at"),
        Index("ix_fence_visits_entered_at", "entered_at"),
        Index("ix_fence_visits_on_board", "id", postgresql_where="on_board"),
        # Whatever the watchers do, nothing is inside the same fence twice at once.
        Index("ix_fence_visits_unit", "unit_id", "fence_id", unique=True, postgresql_where="exited_at IS NULL"),
        Index("ix_fence_visits_incident", "incident_id", "fence_id", unique=True, postgresql_where="exited_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fence_id: Mapped[UUID] = mapped_column(ForeignKey("fences.id"))
    fence: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[UUID | None]
    incident_id: Mapped[UUID | None]
    sensitivity: Mapped[int] = mapped_column(SmallInteger, default=0)
    entered_at: Mapped[dt.datetime]
    dwelled_at: Mapped[dt.datetime | None]
    exited_at: Mapped[dt.datetime | None]
    ending: Mapped[str | None] = mapped_column(Text)
    direction: Mapped[str | None] = mapped_column(Text)
    already_there: Mapped[bool] = mapped_column(default=False)
    unseen_seconds: Mapped[int | None]
    on_board: Mapped[bool] = mapped_column(default=True)

    @property
    def subject(self) -> str:
        """`visit:<id>`."""
        return f"visit:{self.id}"


@dataclass(frozen=True, slots=True)
class Watch:
    """What a fence listens for."""

    units: bool = True
    unit_kinds: Collection[str] = ()
    incidents: bool = False
    incident_types: Collection[str] = ()
    least_priority: int | None = None
    dwell_seconds: int | None = None
    hours: Sequence[Mapping[str, Any]] = ()


class FenceAmendment(TypedDict, total=False):
    """What may be changed about a fence; what is not said stays."""

    name: str
    shape: BaseGeometry | None
    zone_id: UUID | None
    watch: Watch
    valid_until: dt.datetime | None


def _in_hours(hours: Mapping[str, Any], local: dt.datetime) -> bool:
    start, end = dt.time.fromisoformat(hours["from"]), dt.time.fromisoformat(hours["until"])
    time, today = local.time(), local.isoweekday()
    if start < end:
        return today in hours["days"] and start <= time < end
    yesterday = (local - dt.timedelta(days=1)).isoweekday()  # over midnight the day is the one on which it begins
    return (today in hours["days"] and time >= start) or (yesterday in hours["days"] and time < end)


# --- who may see ----------------------------------------------------------------------------------------

WATCHERS: Audience = frozenset({"ops:0"})


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Fences are seen by operations."""
    return true() if actor.role in OPERATIONS | {Role.SYSTEM} else false()


def visit_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Visits too; one of an incident that is masked to an actor would say where it is."""
    if actor.role is Role.SYSTEM:
        return true()
    return FenceVisit.sensitivity <= actor.reach if actor.role in OPERATIONS else false()


def faces_of(fence: Fence) -> Faces:
    """A fence shows itself to operations; what has ended leaves the board."""
    if not fence.on_board:
        return ()
    return (Face(WATCHERS, feature_of(fence)),)


def feature_of(fence: Fence) -> dict[str, Any]:
    """The fence as its watchers see it. `geometry` is null for one that is a zone."""
    return {
        "type": "Feature",
        "geometry": geojson(fence.shape),
        "properties": {
            "subject": fence.subject,
            "id": str(fence.id),
            "version": fence.version,
            "name": fence.name,
            "zone_id": str(fence.zone_id) if fence.zone_id else None,
            "units": {"kinds": fence.unit_kinds} if fence.watches_units else None,
            "incidents": {"types": fence.incident_types, "least_priority": fence.least_priority}
            if fence.watches_incidents
            else None,
            "dwell_seconds": fence.dwell_seconds,
            "hours": fence.hours,
            "valid_from": fence.valid_from.isoformat(),
            "valid_until": fence.valid_until.isoformat() if fence.valid_until else None,
            "drawn_by": fence.drawn_by,
        },
    }


def faces_of_visit(visit: FenceVisit) -> Faces:
    """A visit shows itself to those in operations who may know where its visitor is."""
    if not visit.on_board:
        return ()
    return (Face(frozenset({f"ops:{visit.sensitivity}"}), visit_feature(visit)),)


def visit_feature(visit: FenceVisit) -> dict[str, Any]:
    """The visit as its watchers see it."""

    def written(moment: dt.datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "type": "Feature",
        "geometry": None,
        "properties": {
            "subject": visit.subject,
            "id": str(visit.id),
            "version": visit.version,
            "fence_id": str(visit.fence_id),
            "fence": visit.fence,
            "who": visit.who,
            "unit_id": str(visit.unit_id) if visit.unit_id else None,
            "incident_id": str(visit.incident_id) if visit.incident_id else None,
            "entered_at": written(visit.entered_at),
            "dwelled_at": written(visit.dwelled_at),
            "exited_at": written(visit.exited_at),
            "ending": visit.ending,
            "direction": visit.direction,
            "already_there": visit.already_there,
            "unseen_seconds": visit.unseen_seconds,
        },
    }


async def access_fence(
    session: AsyncSession, actor: Actor, fence_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Fence:
    """The only way to a fence. Raises `NotFound` (absent and hidden look the same) and `VersionMismatch`."""
    query = select(Fence).where(Fence.id == fence_id, visible_to(actor))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    fence = (await session.scalars(query)).first()
    if fence is None:
        raise NotFound
    if expected is not None and expected != fence.version:
        raise VersionMismatch(expected=expected, current=fence.version)
    return fence


# --- verbs ----------------------------------------------------------------------------------------------


async def draw_fence(
    session: AsyncSession,
    actor: Actor,
    fence_id: UUID,
    *,
    name: str,
    watch: Watch,
    shape: BaseGeometry | None = None,
    zone_id: UUID | None = None,
    valid_from: dt.datetime | None = None,
    valid_until: dt.datetime | None = None,
) -> Fence:
    """Begin to watch a place: a shape, or a zone wherever that is."""
    require(actor, Permission.FENCE_DRAW)
    if await session.scalar(select(Fence.id).where(Fence.id == fence_id)):
        raise AlreadyExists
    fence = Fence(
        id=fence_id,
        name=name,
        valid_from=valid_from or now(),
        valid_until=valid_until,
        watched_since=now(),
        drawn_by=actor.name,
        on_board=True,
        version=0,
        told_to=[],
    )
    await _place(session, fence, shape, zone_id)
    _set_watch(fence, watch)
    _check_watch(fence)
    if valid_until is not None and valid_until <= max(fence.valid_from, now()):
        raise FenceEnded
    session.add(fence)
    await _tell(session, actor, "fence.drawn", fence)
    return fence


async def amend_fence(
    session: AsyncSession, actor: Actor, fence_id: UUID, *, expected: int | None = None, **to: Unpack[FenceAmendment]
) -> Fence:
    """Change a fence. Another place or watch ends the visits that are going on; who is still there enters anew."""
    require(actor, Permission.FENCE_DRAW)
    fence = await _standing_fence(session, actor, fence_id, expected)
    if "name" in to:
        fence.name = to["name"]
    if "valid_until" in to:
        fence.valid_until = to["valid_until"]
        if fence.valid_until is not None and fence.valid_until <= max(fence.valid_from, now()):
            raise FenceEnded
    if "shape" in to or "zone_id" in to:
        await _place(session, fence, to.get("shape"), to.get("zone_id"))
    if "watch" in to:
        _set_watch(fence, to["watch"])
    _check_watch(fence)
    if to.keys() & {"shape", "zone_id", "watch"}:
        fence.watched_since = now()
        await _end_visits(session, actor, fence)
    await _tell(session, actor, "fence.amended", fence)
    return fence


async def end_fence(session: AsyncSession, actor: Actor, fence_id: UUID, *, expected: int | None = None) -> Fence:
    """Stop watching a place; what happened there stays in the books. Raises `FenceEnded`."""
    require(actor, Permission.FENCE_DRAW)
    fence = await _standing_fence(session, actor, fence_id, expected)
    fence.valid_until, fence.on_board = now(), False
    await _end_visits(session, actor, fence)
    await _tell(session, actor, "fence.ended", fence)
    return fence


async def tidy_fences(session: AsyncSession) -> None:
    """Take fences whose time is up off the boards; they have not counted since, because that is judged when read."""
    query = (
        select(Fence)
        .where(Fence.on_board, Fence.valid_until <= now())
        .order_by(Fence.id)
        .limit(100)
        .with_for_update(skip_locked=True, key_share=True)
    )
    for fence in await session.scalars(query):
        fence.on_board = False
        await _end_visits(session, VIGIA, fence)
        await _tell(session, VIGIA, "fence.ended", fence)


async def _standing_fence(session: AsyncSession, actor: Actor, fence_id: UUID, expected: int | None) -> Fence:
    fence = await access_fence(session, actor, fence_id, lock=True, expected=expected)
    if fence.valid_until is not None and fence.valid_until <= now():
        raise FenceEnded
    return fence


async def _place(session: AsyncSession, fence: Fence, shape: BaseGeometry | None, zone_id: UUID | None) -> None:
    if (shape is None) == (zone_id is None):
        raise FenceNeedsPlace
    if zone_id is not None:
        await access_zone(session, zone_id)
    fence.shape, fence.zone_id = shape, zone_id


def _set_watch(fence: Fence, watch: Watch) -> None:
    hours = [dict(one) for one in watch.hours]
    for one in hours:
        days = one["days"]
        if not days or not set(days) <= set(range(1, 8)) or one["from"] == one["until"]:
            raise FenceHoursRefused
    fence.watches_units, fence.unit_kinds = watch.units, sorted(watch.unit_kinds)
    fence.watches_incidents, fence.incident_types = watch.incidents, sorted(watch.incident_types)
    fence.least_priority, fence.dwell_seconds, fence.hours = watch.least_priority, watch.dwell_seconds, hours


def _check_watch(fence: Fence) -> None:
    line = fence.shape is not None and fence.shape.geom_type.endswith("LineString")
    if not (fence.watches_units or fence.watches_incidents) or (line and fence.watches_incidents):
        raise FenceWatchesNothing


async def _end_visits(session: AsyncSession, actor: Actor, fence: Fence) -> None:
    query = (
        select(FenceVisit)
        .where(FenceVisit.fence_id == fence.id, FenceVisit.exited_at.is_(None))
        .order_by(FenceVisit.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for visit in await session.scalars(query):
        await close_visit(session, actor, visit, now(), Ending.UNWATCHED)


async def _tell(session: AsyncSession, actor: Actor, kind: str, fence: Fence) -> None:
    fence.version += 1
    await session.flush()
    await mark_layer(session, FENCES)
    await record(session, actor, kind, fence, faces_of(fence))


# --- visits: what the watchers write --------------------------------------------------------------------


async def open_visit(
    session: AsyncSession,
    fence: Fence,
    passage: Passage,
    *,
    who: str,
    unit_id: UUID | None = None,
    incident_id: UUID | None = None,
    sensitivity: int = 0,
) -> FenceVisit:
    """Write down that something came into a fence, or went over its line."""
    crossed = passage.what is What.CROSSED
    visit = FenceVisit(
        id=new_id(),
        fence_id=fence.id,
        fence=fence.name,
        who=who,
        unit_id=unit_id,
        incident_id=incident_id,
        sensitivity=sensitivity,
        entered_at=passage.at,
        exited_at=passage.at if crossed else None,
        direction=passage.direction.value if passage.direction else None,
        already_there=passage.already_there,
        unseen_seconds=round(passage.unseen.total_seconds()) if passage.unseen else None,
        on_board=True,
        version=0,
        told_to=[],
    )
    session.add(visit)
    if crossed:
        await _tell_of_visit(session, VIGIA, "fence.crossed", visit, passage.at)
    else:
        await _tell_of_visit(session, VIGIA, "fence.entered", visit, passage.at)
    return visit


async def mark_dwell(session: AsyncSession, visit: FenceVisit, at: dt.datetime) -> None:
    """Write down that a locked visit has become long."""
    visit.dwelled_at = at
    await _tell_of_visit(session, VIGIA, "fence.dwelled", visit, at)


async def close_visit(
    session: AsyncSession,
    actor: Actor,
    visit: FenceVisit,
    at: dt.datetime,
    ending: Ending,
    *,
    unseen: int | None = None,
) -> None:
    """Write down that a locked visit is over."""
    visit.exited_at, visit.ending = max(at, visit.entered_at), ending.value
    visit.unseen_seconds = unseen if unseen is not None else visit.unseen_seconds
    await _tell_of_visit(session, actor, "fence.exited", visit, at)


async def show_visit_to(session: AsyncSession, visit: FenceVisit, sensitivity: int) -> None:
    """The incident of a locked visit is to be known by others now, and so is where it is."""
    visit.sensitivity = sensitivity
    await _tell_of_visit(session, VIGIA, "fence.retold", visit, now())


async def _tell_of_visit(session: AsyncSession, actor: Actor, kind: str, visit: FenceVisit, at: dt.datetime) -> None:
    visit.version += 1
    detail = {"fence_id": str(visit.fence_id), "fence": visit.fence, "ending": visit.ending}
    incident = visit.incident_id
    await record(
        session, actor, kind, visit, faces_of_visit(visit), incident_id=incident, occurred_at=at, detail=detail
    )


async def tidy_visits(session: AsyncSession) -> None:
    """Take visits that are over off the board, and forget those past keeping: they say where crews were."""
    query = (
        select(FenceVisit)
        .where(FenceVisit.on_board, FenceVisit.exited_at < now() - ON_BOARD)
        .order_by(FenceVisit.id)
        .limit(300)
        .with_for_update(skip_locked=True, key_share=True)
    )
    for visit in await session.scalars(query):
        visit.on_board = False
        await _tell_of_visit(session, VIGIA, "fence.archived", visit, now())
    old = (
        select(FenceVisit)
        .where(~FenceVisit.on_board, FenceVisit.unit_id.is_not(None), FenceVisit.entered_at < now() - KEPT)
        .limit(1000)
        .with_for_update(skip_locked=True)
    )
    for visit in await session.scalars(old):
        await session.delete(visit)


# --- reading --------------------------------------------------------------------------------------------


async def fences(session: AsyncSession, actor: Actor) -> Sequence[Fence]:
    """The fences that have not ended, as far as the actor sees any."""
    not_over = or_(Fence.valid_until.is_(None), Fence.valid_until > now())
    query = select(Fence).where(visible_to(actor), not_over).order_by(Fence.name, Fence.id)
    return (await session.scalars(query)).all()


async def fences_with_places(session: AsyncSession) -> list[tuple[Fence, BaseGeometry]]:
    """The fences that have not ended, each with the shape of its own or that of its zone, while that counts."""
    at = now()
    query = (
        select(Fence, Zone)
        .outerjoin(Zone, Zone.id == Fence.zone_id)
        .where(or_(Fence.valid_until.is_(None), Fence.valid_until > at))
        .order_by(Fence.id)
    )
    found = []
    for fence, zone in (await session.execute(query)).all():
        ended = zone is not None and zone.valid_until is not None and zone.valid_until <= at
        place = fence.shape if zone is None else zone.shape
        if place is None or ended:
            continue
        if place.is_empty or not is_finite(place):  # it came in past the door and the wall; the others still count
            log.error("fences.not_a_shape", fence=str(fence.id))
            continue
        found.append((fence, place))
    return found


async def visits(
    session: AsyncSession,
    actor: Actor,
    fence_id: UUID,
    *,
    unit_id: UUID | None = None,
    since: dt.datetime,
    until: dt.datetime,
    limit: int,
) -> Sequence[FenceVisit]:
    """The visits to a fence that were going on between two moments, newest first."""
    fence = await access_fence(session, actor, fence_id)
    query = select(FenceVisit).where(
        FenceVisit.fence_id == fence.id,
        visit_visible_to(actor),
        FenceVisit.entered_at < until,
        or_(FenceVisit.exited_at.is_(None), FenceVisit.exited_at >= since),
    )
    if unit_id is not None:
        query = query.where(FenceVisit.unit_id == unit_id)
    return (await session.scalars(query.order_by(FenceVisit.entered_at.desc(), FenceVisit.id).limit(limit))).all()


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the fences that `actor` sees (of `ids`, when given)."""
    query = select(Fence).where(Fence.on_board, visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Fence.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(one)) for one in await session.scalars(query)]
    return [face for face in faces if face is not None]


async def board_of_visits(
    session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None
) -> list[dict[str, Any]]:
    """The features of the visits on the board that `actor` sees (of `ids`, when given)."""
    query = (
        select(FenceVisit).where(FenceVisit.on_board, visit_visible_to(actor)).execution_options(populate_existing=True)
    )
    if ids is not None:
        query = query.where(FenceVisit.id.in_(ids))
    faces = [face_for(actor.keys, faces_of_visit(one)) for one in await session.scalars(query)]
    return [face for face in faces if face is not None]
