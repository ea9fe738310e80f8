"""Zones: the named areas a city thinks in. A point in a zone decides whose it is.

A zone counts while it is valid; expiry is judged when it is read, never by a job at night. Nothing that a zone was
is lost: `zone_versions` keeps each former name, shape and desk with the time for which it stood.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypedDict, Unpack
from uuid import UUID

import shapely
import structlog
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    and_,
    case,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.layers import edition_of, mark_layer
from geo.places import Point, Shape, geojson, in_sql, is_finite, shape_checks, sound
from realtime.access import SIGNED_IN, VIGIA, Actor, Audience, Face, Faces, Permission, face_for, require
from realtime.database import Base, new_id, now
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal, VersionMismatch
from realtime.journal import Told, record

log = structlog.get_logger()

ZONES = "zones"  # the name of this layer in `map_layers`
THE_ONE = UUID("019e0000-0000-7000-8000-000000000002")  # a city has one set of zones
LARGEST = 50_000e6  # square metres; the largest municipalities have a third of it
FAR_CORNERS = 200_000  # vertices: real boundaries have far more than anything a person draws


class ZoneKind(StrEnum):
    """What a zone is for. Barrio and vecinal keep their names: no English word is the same thing."""

    BARRIO = "barrio"
    DISTRICT = "district"
    VECINAL = "vecinal"
    JURISDICTION = "jurisdiction"
    GRID = "grid"
    FLOOD = "flood"
    RISK = "risk"


class ZoneEnded(Refusal):
    """That zone has ended: it can be looked at, not changed."""

    status = 409


class EndsBeforeItBegins(Malformed):
    """It would end before it begins."""


class Zone(Base):
    """One area of one kind. Areas of a kind may touch or overlap; the smallest one names a place.

    `desk` is who answers for what happens there. `source_key` is what the file that it came from calls it, so that
    the next edition of that file finds it again. `since` is when it became what it is; None: as long as anybody knows.
    """

    __tablename__ = "zones"
    __table_args__ = (
        Index("ix_zones_shape", "shape", postgresql_using="gist"),
        Index("ix_zones_kind", "kind"),
        Index("ix_zones_kind_source_key", "kind", "source_key", unique=True),
        *shape_checks("shape", vertices=FAR_CORNERS),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    shape: Mapped[shapely.MultiPolygon] = mapped_column(Shape("MULTIPOLYGON"))
    population: Mapped[int | None]
    desk: Mapped[str | None]
    source_key: Mapped[str | None]
    valid_from: Mapped[dt.datetime | None]
    valid_until: Mapped[dt.datetime | None]
    since: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class ZoneVersion(Base):
    """What a zone was until it was changed. Its validity is the zone's own: that is corrected, not superseded."""

    __tablename__ = "zone_versions"
    __table_args__ = (
        Index("ix_zone_versions_shape", "shape", postgresql_using="gist"),
        *shape_checks("shape", vertices=FAR_CORNERS),
    )

    zone_id: Mapped[UUID] = mapped_column(ForeignKey("zones.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    shape: Mapped[shapely.MultiPolygon] = mapped_column(Shape("MULTIPOLYGON"))
    population: Mapped[int | None]
    desk: Mapped[str | None]
    since: Mapped[dt.datetime | None]
    until: Mapped[dt.datetime]
    changed_by: Mapped[str]


class ZoneMap(Told, Base):
    """The one live row that stands for all zones on feeds: whoever draws them reads them again when it changes."""

    __tablename__ = "zone_maps"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    edition: Mapped[str]
    changed: Mapped[dict[str, Any]]

    @property
    def subject(self) -> str:
        """`zones:<id>`."""
        return f"zones:{self.id}"


class Amendment(TypedDict, total=False):
    """What may be changed about a zone; what is not said stays."""

    name: str
    shape: shapely.MultiPolygon
    desk: str | None
    population: int | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None


KEPT = ("name", "shape", "population", "desk")  # of which every former value is kept
KEPT_WHEN_SILENT = frozenset(
    {"desk", "population", "source_key", "valid_from"}
)  # what a file leaves out it does not take away
LAID = ("kind", "name", "shape", "population", "desk", "source_key", "valid_from", "valid_until")


def multipolygon(shape: BaseGeometry) -> shapely.MultiPolygon:
    """The shape as zones are stored; a lone polygon becomes a multipolygon of one."""
    if isinstance(shape, shapely.Polygon):
        return shapely.MultiPolygon([shape])
    assert isinstance(shape, shapely.MultiPolygon)  # noqa: S101  (callers parse with these two allowed)
    return shape


# --- who may see ----------------------------------------------------------------------------------------

WATCHERS: Audience = frozenset({SIGNED_IN})  # where a barrio ends hides nothing about anybody


def faces_of(zone_map: ZoneMap) -> Faces:
    """That the zones are another edition now, and which of them was changed last."""
    properties = {
        "subject": zone_map.subject,
        "id": str(zone_map.id),
        "version": zone_map.version,
        "edition": zone_map.edition,
        "changed": zone_map.changed,
    }
    return (Face(WATCHERS, {"type": "Feature", "geometry": None, "properties": properties}),)


async def access_zone(session: AsyncSession, zone_id: UUID, *, lock: bool = False, expected: int | None = None) -> Zone:
    """A zone, ended ones too: everybody may look at them. Raises `NotFound` and `VersionMismatch`."""
    query = select(Zone).where(Zone.id == zone_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    zone = (await session.scalars(query)).first()
    if zone is None:
        raise NotFound
    if expected is not None and expected != zone.version:
        raise VersionMismatch(expected=expected, current=zone.version)
    return zone


# --- verbs ----------------------------------------------------------------------------------------------


async def draw_zone(
    session: AsyncSession,
    actor: Actor,
    zone_id: UUID,
    *,
    kind: ZoneKind,
    name: str,
    shape: BaseGeometry,
    desk: str | None = None,
    population: int | None = None,
    valid_from: dt.datetime | None = None,
    valid_until: dt.datetime | None = None,
) -> Zone:
    """Put a new zone on the map; it counts from now on, or from when it is said to."""
    require(actor, Permission.ZONE_EDIT)
    if await session.scalar(select(Zone.id).where(Zone.id == zone_id)):
        raise AlreadyExists
    zone = Zone(
        id=zone_id,
        kind=kind,
        name=name,
        shape=multipolygon(shape),
        desk=desk or None,
        population=population,
        valid_from=valid_from or now(),
        valid_until=valid_until,
        version=1,
    )
    _check_validity(zone)
    session.add(zone)
    await _tell(session, actor, "zone.drawn", _said_of(zone))
    return zone


async def amend_zone(
    session: AsyncSession, actor: Actor, zone_id: UUID, *, expected: int | None = None, **to: Unpack[Amendment]
) -> Zone:
    """Change a zone; what it was stays in its history. Raises `ZoneEnded`."""
    require(actor, Permission.ZONE_EDIT)
    zone = await access_zone(session, zone_id, lock=True, expected=expected)
    if zone.valid_until is not None and zone.valid_until <= now() and "valid_until" not in to:
        raise ZoneEnded
    _change(session, zone, dict(to), actor.name, now())
    _check_validity(zone)
    await _tell(session, actor, "zone.amended", _said_of(zone) | {"fields": sorted(to)})
    return zone


async def end_zone(session: AsyncSession, actor: Actor, zone_id: UUID, *, expected: int | None = None) -> Zone:
    """The zone counts no more from now on; what lay in it once still does. Raises `ZoneEnded`."""
    require(actor, Permission.ZONE_EDIT)
    zone = await access_zone(session, zone_id, lock=True, expected=expected)
    at = now()
    if zone.valid_until is not None and zone.valid_until <= at:
        raise ZoneEnded
    if zone.valid_from is not None and zone.valid_from > at:
        zone.valid_from = at  # it never began
    _change(session, zone, {"valid_until": at}, actor.name, at)
    await _tell(session, actor, "zone.ended", _said_of(zone))
    return zone


@dataclass(slots=True)
class Difference:
    """What laying zones changed, by their names. `renamed` are pairs of the old name and the new."""

    added: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)
    amended: list[str] = field(default_factory=list)  # population, desk or validity
    ended: list[str] = field(default_factory=list)
    unchanged: int = 0
    before: int = 0  # how many of these kinds were in force
    after: int = 0

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.renamed or self.reshaped or self.amended or self.ended)


async def import_zones(
    session: AsyncSession, actor: Actor, zones: Iterable[Zone], *, replacing: Collection[str] = ()
) -> Difference:
    """`lay_zones_over` by a person."""
    require(actor, Permission.ZONE_EDIT)
    return await lay_zones_over(session, zones, by=actor, replacing=replacing)


async def lay_zones(session: AsyncSession, zones: Iterable[Zone]) -> int:
    """`lay_zones_over` for whom the number is enough. Returns how many zones were given."""
    given = list(zones)
    await lay_zones_over(session, given)
    return len(given)


async def lay_zones_over(
    session: AsyncSession,
    zones: Iterable[Zone],
    *,
    by: Actor = VIGIA,
    replacing: Collection[str] = (),
) -> Difference:
    """Put many zones on the map at once and say what that changed.

    A zone is the one that is there when it has its id, or its kind and `source_key`: it keeps its id, its history,
    and what the new one does not say. Of the kinds in `replacing`, those that came from a file (that have a source
    key) and are not among `zones` end; what people drew stays. Zones must have come through the door.
    """
    # A district of flood zones takes longer to lay than a request may last.
    await session.execute(text("SET LOCAL statement_timeout = '60s'"))
    difference, at = Difference(), now()
    laid = list(zones)
    kinds = {zone.kind for zone in laid} | set(replacing)
    there = await session.scalars(
        select(Zone)
        .where(or_(Zone.kind.in_(kinds), Zone.id.in_([zone.id for zone in laid])))
        .order_by(Zone.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    by_id = {zone.id: zone for zone in there}
    by_key: dict[tuple[str, str | None], Zone] = {
        (zone.kind, zone.source_key): zone for zone in by_id.values() if zone.source_key is not None
    }
    in_force = {zone.id for zone in by_id.values() if zone.kind in kinds and _in_force(zone, at)}
    difference.before, kept = len(in_force), set()
    for new in laid:
        old = by_id.get(new.id) or by_key.get((new.kind, new.source_key))
        if old is None:
            fresh = Zone(id=new.id or new_id(), version=1, **{name: getattr(new, name) for name in LAID})
            session.add(fresh)
            by_id[fresh.id] = fresh
            if fresh.source_key is not None:
                by_key[fresh.kind, fresh.source_key] = fresh
            difference.added.append(fresh.name)
            kept.add(fresh.id)
            continue
        kept.add(old.id)
        _lay_one(session, old, new, by.name, at, difference)
    for old in by_id.values():
        if old.kind in replacing and old.source_key and old.id not in kept and _in_force(old, at):
            _change(session, old, {"valid_until": at}, by.name, at)
            difference.ended.append(old.name)
    difference.after = sum(zone.kind in kinds and _in_force(zone, at) for zone in by_id.values())
    if difference or not laid:
        counts = {name: len(getattr(difference, name)) for name in ("added", "renamed", "reshaped", "amended", "ended")}
        await _tell(session, by, "zones.laid", counts)
    return difference


def _lay_one(session: AsyncSession, old: Zone, new: Zone, by: str, at: dt.datetime, difference: Difference) -> None:
    to: dict[str, Any] = {}
    for name in LAID:
        value, before = getattr(new, name), getattr(old, name)
        if name == "shape":
            if not shapely.equals_exact(before, value, 0.0, normalize=True):
                to[name] = value
        elif value != before and not (value is None and name in KEPT_WHEN_SILENT):
            to[name] = value
    if not to:
        difference.unchanged += 1
        return
    if "name" in to:
        difference.renamed.append((old.name, new.name))
    if "shape" in to:
        difference.reshaped.append(new.name)
    if not to.keys() & {"name", "shape"}:
        difference.amended.append(new.name)
    _change(session, old, to, by, at)


def _change(session: AsyncSession, zone: Zone, to: dict[str, Any], by: str, at: dt.datetime) -> None:
    """Keep what a locked zone was and make it the next version of itself."""
    if any(name in to and to[name] is not getattr(zone, name) for name in KEPT):
        former = {name: getattr(zone, name) for name in KEPT}
        session.add(
            ZoneVersion(zone_id=zone.id, version=zone.version, **former, since=zone.since, until=at, changed_by=by)
        )
        zone.since = at
    for name, value in to.items():
        setattr(zone, name, value)
    zone.version += 1


def _check_validity(zone: Zone) -> None:
    if zone.valid_from is not None and zone.valid_until is not None and zone.valid_until <= zone.valid_from:
        raise EndsBeforeItBegins


def _in_force(zone: Zone, at: dt.datetime) -> bool:
    return (zone.valid_from is None or zone.valid_from <= at) and (zone.valid_until is None or zone.valid_until > at)


def _said_of(zone: Zone) -> dict[str, Any]:
    words = {"id": str(zone.id), "kind": str(zone.kind), "name": zone.name, "desk": zone.desk}
    return words | {"version": zone.version}


async def _tell(session: AsyncSession, actor: Actor, kind: str, changed: dict[str, Any]) -> None:
    await session.flush()
    await mark_layer(session, ZONES)
    edition = await edition_of(session, ZONES)
    query = select(ZoneMap).where(ZoneMap.id == THE_ONE).with_for_update(key_share=True)
    zone_map = (await session.scalars(query.execution_options(populate_existing=True))).first()
    if zone_map is None:
        zone_map = ZoneMap(id=THE_ONE, version=0, told_to=[])
        session.add(zone_map)
    zone_map.version += 1
    zone_map.edition, zone_map.changed = edition, changed
    await record(session, actor, kind, zone_map, faces_of(zone_map), detail=changed)


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The feature that stands for all zones."""
    query = select(ZoneMap).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(ZoneMap.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(one)) for one in await session.scalars(query)]
    return [face for face in faces if face is not None]


# --- reading --------------------------------------------------------------------------------------------


def _valid(at: dt.datetime) -> ColumnElement[bool]:
    return and_(
        or_(Zone.valid_from.is_(None), Zone.valid_from <= at),
        or_(Zone.valid_until.is_(None), Zone.valid_until > at),
    )


def _holds(table: type[Zone] | type[ZoneVersion], place: Point) -> ColumnElement[bool]:
    """True of a zone that holds the place. A row that is no shape holds nothing, instead of ending the query."""
    here = in_sql(place)
    whole: ColumnElement[bool] = literal_column(sound(f"{table.__tablename__}.shape"))
    return and_(table.shape.op("&&")(here), case((whole, func.ST_Covers(table.shape, here)), else_=false()))


async def zones_at(
    session: AsyncSession, place: Point, kind: str | None = None, *, at: dt.datetime | None = None
) -> Sequence[Zone]:
    """The zones that hold a point now, or as they were `at` a time; smallest first. On the border it is in both."""
    moment = at or now()
    query = select(Zone).where(_holds(Zone, place), _valid(moment)).order_by(func.ST_Area(Zone.shape), Zone.id)
    if kind is not None:
        query = query.where(Zone.kind == kind)
    if at is None:
        return (await session.scalars(query)).all()
    present = (await session.scalars(query.where(or_(Zone.since.is_(None), Zone.since <= at)))).all()
    former = await _former(session, at, _holds(ZoneVersion, place), kind)
    return sorted([*present, *former], key=lambda zone: (zone.shape.area, zone.id))


async def _former(session: AsyncSession, at: dt.datetime, which: ColumnElement[bool], kind: str | None) -> list[Zone]:
    """Zones that have changed since, as they were then. They are no rows of the session."""
    query = (
        select(ZoneVersion, Zone)
        .join(Zone, Zone.id == ZoneVersion.zone_id)
        .where(which, _valid(at), or_(ZoneVersion.since.is_(None), ZoneVersion.since <= at), ZoneVersion.until > at)
    )
    if kind is not None:
        query = query.where(Zone.kind == kind)
    return [
        Zone(
            id=zone.id,
            kind=zone.kind,
            source_key=zone.source_key,
            valid_from=zone.valid_from,
            valid_until=zone.valid_until,
            version=was.version,
            since=was.since,
            **{name: getattr(was, name) for name in KEPT},
        )
        for was, zone in (await session.execute(query)).all()
    ]


async def zone_at(session: AsyncSession, place: Point, kind: str = ZoneKind.BARRIO) -> Zone | None:
    """The smallest zone of a kind that holds a point now."""
    return next(iter(await zones_at(session, place, kind)), None)


async def zones(
    session: AsyncSession,
    kind: str | None = None,
    *,
    at: dt.datetime | None = None,
    within: BaseGeometry | None = None,
) -> Sequence[Zone]:
    """All zones in force now or `at` a time, of one kind or of every kind, that reach into the box of `within`."""
    moment = at or now()
    query = select(Zone).where(_valid(moment)).order_by(Zone.kind, Zone.name, Zone.id)
    if kind is not None:
        query = query.where(Zone.kind == kind)
    if within is not None:
        query = query.where(Zone.shape.op("&&")(in_sql(within)))
    if at is None:
        return [zone for zone in await session.scalars(query) if _is_whole(zone)]
    present = (await session.scalars(query.where(or_(Zone.since.is_(None), Zone.since <= at)))).all()
    reach = ZoneVersion.shape.op("&&")(in_sql(within)) if within is not None else ZoneVersion.version > 0
    former = await _former(session, at, reach, kind)
    found = [zone for zone in (*present, *former) if _is_whole(zone)]
    return sorted(found, key=lambda zone: (zone.kind, zone.name, zone.id))


def _is_whole(zone: Zone) -> bool:
    """One row that is no shape (it came in past the door and the wall) must not cost all the others."""
    whole = is_finite(zone.shape) and not zone.shape.is_empty
    if not whole:
        log.error("zones.not_a_shape", zone=str(zone.id))
    return whole


async def history(session: AsyncSession, zone_id: UUID) -> Sequence[ZoneVersion]:
    """What a zone was before, newest first."""
    query = select(ZoneVersion).where(ZoneVersion.zone_id == zone_id).order_by(ZoneVersion.version.desc())
    return (await session.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Whose a place is. `outside`: the city says where it ends, and this is beyond it."""

    jurisdiction: str | None
    barrio: str | None
    district: str | None
    vecinal: str | None
    desk: str | None
    outside: bool
    zones: Sequence[Zone]

    @property
    def name(self) -> str | None:
        """What people call it: the barrio, else the next best; a flood zone names a place only where nothing does."""
        return self.barrio or self.vecinal or self.district or (self.zones[0].name if self.zones else None)


NOWHERE = Whereabouts(None, None, None, None, None, outside=False, zones=())


async def whose(session: AsyncSession, place: Point, *, at: dt.datetime | None = None) -> Whereabouts:
    """Jurisdiction, neighbourhood and responsible desk of a place, now or as it was `at` a time.

    Of zones of a kind that overlap the smallest counts, and the smallest zone of any kind that has a desk says which.
    """
    found = await zones_at(session, place, at=at)
    names: dict[str, str] = {}
    for zone in found:
        names.setdefault(zone.kind, zone.name)
    desk = next((zone.desk for zone in found if zone.desk), None)
    bounded = ZoneKind.JURISDICTION not in names and await session.scalar(
        select(exists().where(Zone.kind == ZoneKind.JURISDICTION, _valid(at or now())))
    )
    return Whereabouts(
        jurisdiction=names.get(ZoneKind.JURISDICTION),
        barrio=names.get(ZoneKind.BARRIO),
        district=names.get(ZoneKind.DISTRICT),
        vecinal=names.get(ZoneKind.VECINAL),
        desk=desk,
        outside=bool(bounded),
        zones=found,
    )


def zone_feature(zone: Zone) -> dict[str, Any]:
    """A zone as maps take it."""
    return {
        "type": "Feature",
        "id": str(zone.id),
        "geometry": geojson(zone.shape),
        "properties": {
            "id": str(zone.id),
            "kind": zone.kind,
            "name": zone.name,
            "population": zone.population,
            "desk": zone.desk,
            "source_key": zone.source_key,
            "valid_from": zone.valid_from.isoformat() if zone.valid_from else None,
            "valid_until": zone.valid_until.isoformat() if zone.valid_until else None,
            "version": zone.version,
        },
    }
