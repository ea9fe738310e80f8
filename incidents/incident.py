"""Incidents: what is happening, who may know it, and the moves it can make.

`dispatched`, `en_route` and `on_scene` are never typed by hand: `derived_state` reads them off the assignments.
Locks are always taken in the order incident, then unit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Index,
    SmallInteger,
    Text,
    Uuid,
    and_,
    exists,
    false,
    or_,
    select,
    text,
    true,
)
from sqlalchemy import (
    Sequence as DatabaseSequence,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import Shape, geojson, metres_to, near, shape_checks
from geo.zones import whose
from incidents import bonds, radio_lines
from incidents.assignments import (
    STAMPS,
    Assignment,
    AssignmentStatus,
    live_assignments,
    shown,
    shown_to_onlookers,
)
from incidents.catalogue import Catalogue, catalogue
from incidents.meanwhile import expect
from incidents.moments import moment
from incidents.undo import Reversible, Undoing, refuse_undo, remember, reversible, watch
from realtime.access import (
    GRANTS,
    OPERATIONS,
    Actor,
    Audience,
    Face,
    Faces,
    Permission,
    Role,
    Sensitivity,
    face_for,
    organization_key,
    require,
    unit_key,
    zone_key,
)
from realtime.database import Base
from realtime.errors import AlreadyExists, NotFound, VersionMismatch
from realtime.journal import Entry, Told, record
from realtime.lifecycle import move


class IncidentState(StrEnum):
    """Where an incident stands."""

    RECEIVED = "received"
    CLASSIFIED = "classified"
    WAITING = "waiting"
    DISPATCHED = "dispatched"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    UNDER_CONTROL = "under_control"
    FINISHED = "finished"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REFERRED = "referred"
    MERGED = "merged"


S = IncidentState
OVER = frozenset({S.CLOSED, S.CANCELLED, S.REFERRED, S.MERGED})
_OPEN = frozenset(S) - OVER
BY_HAND = OVER | {S.UNDER_CONTROL, S.FINISHED}  # what somebody said, and no assignment unsays
_ENDINGS = frozenset({S.CLOSED, S.CANCELLED, S.REFERRED})

# What a person may do. From being over there is one way back: reopening, to `waiting`.
MOVES: dict[IncidentState, frozenset[IncidentState]] = {
    S.RECEIVED: frozenset({S.CLASSIFIED, S.WAITING}) | _ENDINGS,
    S.CLASSIFIED: frozenset({S.WAITING, S.FINISHED}) | _ENDINGS,
    S.WAITING: frozenset({S.CLASSIFIED, S.FINISHED}) | _ENDINGS,
    S.DISPATCHED: _ENDINGS,
    S.EN_ROUTE: _ENDINGS,
    S.ON_SCENE: frozenset({S.UNDER_CONTROL, S.FINISHED}) | _ENDINGS,
    S.UNDER_CONTROL: frozenset({S.FINISHED}) | _ENDINGS,
    S.FINISHED: _ENDINGS,
    S.CLOSED: frozenset({S.WAITING}),
    S.CANCELLED: frozenset({S.WAITING}),
    S.REFERRED: frozenset({S.WAITING}),
}
# Merging (`incidents/merging.py`) leads to `merged` from wherever it was open, and taking it back leads there again.

HEARD = "heard"  # the stamp of when a desk said that it noticed (`heard.py`)

code_numbers = DatabaseSequence("incident_numbers", metadata=Base.metadata)


class Incident(Told, Base):
    """One incident. `on_board` ends ten minutes after it is over; `stamps` are the first of each T0–T17.

    `least_sensitivity` is that of what was merged into it: below it nobody classifies it.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint("priority BETWEEN 1 AND 4", name="priority"),
        CheckConstraint("sensitivity BETWEEN 0 AND 3", name="sensitivity"),
        CheckConstraint("alarm_level BETWEEN 1 AND 9", name="alarm_level"),
        Index("ix_incidents_shape", "shape", postgresql_using="gist"),
        Index("ix_incidents_on_board", "id", postgresql_where="on_board"),
        Index("ix_incidents_opened_at", "opened_at"),
        *shape_checks("shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    type_code: Mapped[str] = mapped_column(Text)
    catalogue_version: Mapped[int]
    priority: Mapped[int] = mapped_column(SmallInteger)
    sensitivity: Mapped[int] = mapped_column(SmallInteger)
    alarm_level: Mapped[int] = mapped_column(SmallInteger, default=1, server_default=text("1"))
    least_sensitivity: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    state: Mapped[IncidentState] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(Text, default="")
    place_match: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    shape: Mapped[Point] = mapped_column(Shape("POINT"))
    zone: Mapped[str | None] = mapped_column(Text)
    zone_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)
    jurisdiction: Mapped[str | None] = mapped_column(Text)
    outside: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    desk: Mapped[str | None] = mapped_column(Text)
    handler_id: Mapped[UUID | None]  # handling.py; no foreign key, as the journal's actors have none
    handler: Mapped[str | None] = mapped_column(Text)
    shared_with: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)
    reports: Mapped[int] = mapped_column(default=0)
    tasks: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))  # tasks.py counts them
    stamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    opened_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    disposition: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)  # to its reporters, where it is another than the disposition's
    on_board: Mapped[bool] = mapped_column(default=True)

    @property
    def subject(self) -> str:
        """`incident:<id>`."""
        return f"incident:{self.id}"


# ── Who may see: for one row, and for a query. A test asks both about every actor ─────────────────


def audience_of(incident: Incident, assigned: Sequence[Assignment]) -> Audience:
    """Those who see all of an incident: by sensitivity, by being sent to it, or because it was shared."""
    keys = {f"ops:{incident.sensitivity}", f"government:{incident.sensitivity}"}
    keys.update(unit_key(one.unit_id) for one in assigned)
    keys.update(organization_key(organization_id) for organization_id in incident.shared_with)
    return frozenset(keys)


def onlookers_of(incident: Incident) -> Audience:
    """Those who see it without its story: the wall, crews in general, the neighbours' organizations of its zones."""
    keys = {f"wall:{incident.sensitivity}", f"crew:{incident.sensitivity}"}
    if incident.sensitivity == Sensitivity.PUBLIC:
        keys.update(zone_key(zone_id) for zone_id in incident.zone_ids)
    return frozenset(keys)


MASKED: Audience = frozenset({"ops:0", "government:0"})  # they know that something is under way, not what


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The incidents of which `actor` sees some face."""
    if actor.role in OPERATIONS | {Role.GOVERNMENT, Role.SYSTEM}:
        return true()
    return or_(visible_whole_to(actor), _looked_on_by(actor))


def visible_whole_to(actor: Actor) -> ColumnElement[bool]:
    """The incidents that `actor` sees whole."""
    if actor.role is Role.SYSTEM:
        return true()
    mine: list[ColumnElement[bool]] = []
    if actor.role in OPERATIONS | {Role.GOVERNMENT}:
        mine.append(Incident.sensitivity <= actor.reach)
    if actor.role is Role.CREW and actor.unit_id:
        mine.append(
            exists().where(
                Assignment.incident_id == Incident.id,
                Assignment.unit_id == actor.unit_id,
                Assignment.released_at.is_(None),
            )
        )
    if actor.role in {Role.AGENCY, Role.NEIGHBOURHOOD} and actor.organization_id:
        mine.append(Incident.shared_with.contains([actor.organization_id]))
    return or_(*mine) if mine else false()


def _looked_on_by(actor: Actor) -> ColumnElement[bool]:
    if actor.role in {Role.WALL, Role.CREW}:
        return Incident.sensitivity <= actor.reach
    if actor.role is Role.NEIGHBOURHOOD and actor.zone_ids:
        return and_(Incident.sensitivity == Sensitivity.PUBLIC, Incident.zone_ids.overlap(list(actor.zone_ids)))
    return false()


def due_at(incident: Incident, words: Catalogue) -> dt.datetime | None:
    """By when somebody was promised there; None once somebody is, once it is over, and where nothing is promised."""
    if incident.state in OVER or "T9" in incident.stamps:
        return None
    promise = words.response_seconds(incident.priority)
    return incident.opened_at + dt.timedelta(seconds=promise) if promise else None


def faces_of(incident: Incident, assigned: Sequence[Assignment], words: Catalogue) -> Faces:
    """How an incident shows itself, from the fullest to the barest."""
    due = due_at(incident, words)
    whole = {
        "subject": incident.subject,
        "id": str(incident.id),
        "version": incident.version,
        "code": incident.code,
        "masked": False,
        "type_code": incident.type_code,
        "type_name": words.type(incident.type_code).name,
        "priority": incident.priority,
        "sensitivity": incident.sensitivity,
        "alarm_level": incident.alarm_level,
        "state": incident.state,
        "summary": incident.summary,
        "place": incident.place,
        "place_match": incident.place_match,
        "zone": incident.zone,
        "jurisdiction": incident.jurisdiction,
        "outside": incident.outside,
        "desk": incident.desk,
        "handler": {"id": str(incident.handler_id), "name": incident.handler} if incident.handler_id else None,
        "reports": incident.reports,
        "tasks": {"open": 0, "done": 0, "overdue": 0} | incident.tasks,
        "assignments": shown(assigned),
        "stamps": incident.stamps,
        "opened_at": incident.opened_at.isoformat(),
        "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
        "due_at": due.isoformat() if due else None,
        "disposition": incident.disposition,
        "shared_with": [str(organization_id) for organization_id in incident.shared_with],
    }
    bare = {
        "summary": "",
        "handler": None,
        "shared_with": [],
        "tasks": None,
        "assignments": shown_to_onlookers(assigned),
    }
    masked = {name: whole[name] for name in ("subject", "id", "version", "code", "state", "opened_at")}
    return (
        Face(audience_of(incident, assigned), _feature(incident.shape, whole)),
        Face(onlookers_of(incident), _feature(incident.shape, whole | bare)),
        Face(MASKED, _feature(None, masked | {"masked": True})),
    )


def _feature(shape: Point | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geojson(shape) if shape else None, "properties": properties}


# ── The way in ────────────────────────────────────────────────────────────────────────────────────


async def access_incident(
    session: AsyncSession, actor: Actor, incident_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Incident:
    """The only way to an incident: it must exist and the actor must see it whole.

    `lock` takes the row for this transaction; `expected` is the version that the actor believes in.
    Raises `NotFound` (absent and hidden look the same) and `VersionMismatch`.
    """
    query = select(Incident).where(Incident.id == incident_id, visible_whole_to(actor))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    incident = (await session.scalars(query)).first()
    if incident is None:
        raise NotFound
    if expected is not None and expected != incident.version:
        raise VersionMismatch(expected=expected, current=incident.version)
    return incident


async def lock_incidents(
    session: AsyncSession, incident_ids: Collection[UUID], *, wait: bool = True
) -> dict[UUID, Incident]:
    """Take the rows of several incidents in the order of their ids, whoever may see them: for what follows from an act.

    `wait=False` is for one that is out of order: it fails (503) where it would have to wait, so nobody waits in a ring.
    """
    query = (
        select(Incident)
        .where(Incident.id.in_(incident_ids))
        .order_by(Incident.id)
        .with_for_update(key_share=True, nowait=not wait)
        .execution_options(populate_existing=True)
    )
    return {incident.id: incident for incident in await session.scalars(query)}


async def seen_incident(session: AsyncSession, actor: Actor, incident_id: UUID) -> Incident:
    """An incident of which the actor sees some face, to be shown and nothing else."""
    incident = (await session.scalars(select(Incident).where(Incident.id == incident_id, visible_to(actor)))).first()
    if incident is None:
        raise NotFound
    return incident


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def open_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    type_code: str,
    location: Point,
    place: str = "",
    place_match: dict[str, Any] | None = None,
    summary: str = "",
    priority: int | None = None,
    received_at: dt.datetime | None = None,
    reports: int = 0,
    least_sensitivity: int = 0,
    occurred_at: dt.datetime | None = None,
) -> Incident:
    """Open an incident, classified by the catalogue in force. `received_at` is when somebody first told of it."""
    require(actor, Permission.INCIDENT_OPEN)
    at = moment(occurred_at)
    if await session.scalar(select(Incident.id).where(Incident.id == incident_id)):
        raise AlreadyExists
    words = await catalogue(session)
    kind = words.type(type_code)
    incident = Incident(
        id=incident_id,
        code=f"{at.year}-{await session.scalar(code_numbers):06d}",
        type_code=type_code,
        catalogue_version=words.version,
        priority=words.check_priority(priority or kind.priority),
        sensitivity=max(kind.sensitivity, least_sensitivity),
        least_sensitivity=least_sensitivity,
        alarm_level=1,
        state=S.CLASSIFIED,
        summary=summary,
        place=place,
        place_match=place_match,
        shape=location,
        tasks={},
        stamps={"T0": (received_at or at).isoformat(), "T3": at.isoformat(), "T4": at.isoformat()},
        opened_at=at,
        shared_with=[],
        reports=reports,
        on_board=True,
        version=0,
        told_to=[],
    )
    await _locate(session, incident, location)
    handle_first(actor, incident)
    session.add(incident)
    detail = {"type": type_code, "priority": incident.priority}
    await tell(session, actor, "incident.opened", incident, detail=detail, occurred_at=at)
    return incident


async def reclassify(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    type_code: str | None = None,
    priority: int | None = None,
    was: Mapping[str, Any] | None = None,
    expected: int | None = None,
) -> Incident:
    """Say that it is of another type (with its priority, where none is said) or priority; its sensitivity follows it.

    `was`: what the fields that change said when the actor began. Raises `ChangedMeanwhile`.
    """
    require(actor, Permission.INCIDENT_UPDATE)
    watching = watch(session)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    await expect(session, incident, was or {}, {"type_code": type_code, "priority": priority})
    words = await catalogue(session, incident.catalogue_version if type_code is None else None)
    was_priority, before = incident.priority, {"type": incident.type_code, "priority": incident.priority}
    kind = words.type(type_code or incident.type_code)
    if type_code is not None:
        incident.type_code, incident.catalogue_version = type_code, words.version
    if priority is not None or type_code is not None:
        incident.priority = words.check_priority(priority or kind.priority)
    if incident.priority < was_priority:  # graver than what was noticed
        incident.stamps = {name: at for name, at in incident.stamps.items() if name != HEARD}
    incident.sensitivity = max(kind.sensitivity, incident.least_sensitivity)
    detail = {"from": before, "to": {"type": incident.type_code, "priority": incident.priority}}
    await tell(session, actor, "incident.reclassified", incident, detail=detail)
    act, permission = "incident.reclassified", Permission.INCIDENT_UPDATE
    await remember(session, actor, act, watching, permission=permission, incident_id=incident.id)
    return incident


async def relocate(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    location: Point,
    place: str | None = None,
    place_match: dict[str, Any] | None = None,
    was: Mapping[str, Any] | None = None,
    expected: int | None = None,
) -> Incident:
    """Say that it is somewhere else. What the old words were taken to mean is gone with the old place.

    `was`: as in `reclassify`, of `place` and `location` (`[lon, lat]`).
    """
    require(actor, Permission.INCIDENT_UPDATE)
    before = watch(session)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    await expect(session, incident, was or {}, {"place": place, "location": [location.x, location.y]})
    detail = {"from": geojson(incident.shape), "to": geojson(location)}
    incident.shape = location
    incident.place = incident.place if place is None else place
    incident.place_match = place_match
    await _locate(session, incident, location)
    await tell(session, actor, "incident.relocated", incident, detail=detail)
    act, permission = "incident.relocated", Permission.INCIDENT_UPDATE
    await remember(session, actor, act, before, permission=permission, incident_id=incident.id)
    return incident


def handle_first(actor: Actor, incident: Incident) -> None:
    """The first dispatcher who acts on it handles it (`handling.py`)."""
    if incident.handler_id is None and actor.id is not None and Permission.UNIT_DISPATCH in GRANTS[actor.role]:
        incident.handler_id, incident.handler = actor.id, actor.name


async def set_state(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    wanted: IncidentState,
    *,
    at: dt.datetime,
    kind: str = "incident.state",
    detail: dict[str, Any] | None = None,
) -> None:
    """Move a locked incident by hand. Raises `IllegalMove`."""
    before = incident.state
    incident.state = move(IncidentState(incident.state), wanted, MOVES)
    if wanted is S.UNDER_CONTROL:
        stamp(incident, "T11", at)
    moved = {"from": before, "to": wanted.value} | (detail or {})
    await tell(session, actor, kind, incident, detail=moved, occurred_at=at)


async def take_off_board(session: AsyncSession, actor: Actor, incident: Incident) -> None:
    """A locked incident that is over leaves everybody's board; it stays in the books."""
    incident.on_board = False
    await tell(session, actor, "incident.archived", incident)


# ── What follows from what ────────────────────────────────────────────────────────────────────────


def derived_state(incident: Incident, assigned: Sequence[Assignment]) -> IncidentState:
    """The state that the live assignments give; what a person said stands once the incident is under control.

    A unit that has something else to do first is not on its way: with nobody but such, the incident waits.
    """
    state = IncidentState(incident.state)
    if state in BY_HAND:
        return state
    if not assigned:
        return S.WAITING if "T5" in incident.stamps else state
    reached = {AssignmentStatus(one.status) for one in assigned if one.exclusive}
    if not reached:
        return S.WAITING
    if reached & {AssignmentStatus.ON_SCENE, AssignmentStatus.TRANSPORTING, AssignmentStatus.AT_DESTINATION}:
        return S.ON_SCENE
    return S.EN_ROUTE if AssignmentStatus.EN_ROUTE in reached else S.DISPATCHED


def stamp(incident: Incident, name: str, at: dt.datetime, *, last: bool = False) -> None:
    """Keep the first of a time stamp (or the last, where that is its meaning)."""
    if last or name not in incident.stamps:
        incident.stamps = incident.stamps | {name: at.isoformat()}


def stamp_status(incident: Incident, status: AssignmentStatus, at: dt.datetime) -> None:
    """The stamp that an assignment's status writes on its incident."""
    if status in STAMPS:
        stamp(incident, STAMPS[status], at)


async def _locate(session: AsyncSession, incident: Incident, location: Point) -> None:
    found = await whose(session, location)
    incident.zone_ids = [zone.id for zone in found.zones]
    incident.zone = found.name
    incident.jurisdiction, incident.outside, incident.desk = found.jurisdiction, found.outside, found.desk


async def tell(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    incident: Incident,
    *,
    detail: dict[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record a fact about a locked incident, with its state derived afresh."""
    await session.flush()
    assigned = (await live_assignments(session, [incident.id]))[incident.id]
    incident.state = derived_state(incident, assigned)
    incident.version += 1
    faces: Faces = ()
    if incident.on_board:
        faces = faces_of(incident, assigned, await catalogue(session, incident.catalogue_version))
    await record(session, actor, kind, incident, faces, incident_id=incident.id, occurred_at=occurred_at, detail=detail)
    known_to = audience_of(incident, assigned)
    await bonds.follow(session, incident.id, known_to, sensitivity=incident.sensitivity, on_board=incident.on_board)
    await radio_lines.follow(session, incident.id, sensitivity=incident.sensitivity)


# ── Taken back ────────────────────────────────────────────────────────────────────────────────────

LAST_COUNTS = frozenset({"T14"})  # the stamps of which the last counts, not the first


def _follows(undoing: Undoing, incident: Incident, name: str, was: Any, made: Any) -> bool:
    """A state that followed from assignments follows from them again; what somebody said since stands.

    Reports are counted: others may have come in between.
    """
    if name == "reports":
        incident.reports += was - made
        return True
    if name != "state" or not undoing.touches(Assignment.__tablename__) or {was, made} & BY_HAND:
        return False
    if incident.state not in BY_HAND:
        incident.state = IncidentState(was)
    return True


async def find_stamps_anew(session: AsyncSession, undoing: Undoing, incident: Incident) -> None:
    """What was the first unit's stamp before it was taken back is the next one's now."""
    restored = undoing.before.get(incident.id, {})
    stamps = dict(incident.stamps)
    for one in await session.scalars(select(Assignment).where(Assignment.incident_id == incident.id)):
        for name, at in one.stamps.items():
            if "stamps" in restored and name not in restored["stamps"]:
                better = max if name in LAST_COUNTS else min
                stamps[name] = better(stamps.get(name, at), at)
    incident.stamps = stamps


async def _put_back(session: AsyncSession, actor: Actor, undoing: Undoing, incidents: Sequence[Incident]) -> None:
    for incident in incidents:
        restored = undoing.before.get(incident.id, {}).keys() - {"stamps"}
        if incident.state in OVER and (await live_assignments(session, [incident.id]))[incident.id]:
            await refuse_undo(session, undoing, incident)  # it was open meanwhile, and somebody is on it
        if restored:
            detail = undoing.detail | {"fields": sorted(restored), "state": incident.state}
            await tell(session, actor, "incident.undone", incident, detail=detail, occurred_at=undoing.at)


reversible(Reversible(Incident, 0, lock_incidents, _put_back, frozenset({"on_board"}), _follows))


# ── Boards ────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the incidents on the board that `actor` sees (of `ids`, when given)."""
    query = select(Incident).where(Incident.on_board, visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Incident.id.in_(ids))
    return await features(session, actor, (await session.scalars(query)).all())


async def features(session: AsyncSession, actor: Actor, incidents: Sequence[Incident]) -> list[dict[str, Any]]:
    """Each incident's feature as `actor` sees it."""
    assigned = await live_assignments(session, [incident.id for incident in incidents])
    shown_now = []
    for incident in incidents:
        words = await catalogue(session, incident.catalogue_version)
        face = face_for(actor.keys, faces_of(incident, assigned[incident.id], words))
        if face is not None:
            shown_now.append(face)
    return shown_now


async def feature(session: AsyncSession, actor: Actor, incident: Incident) -> dict[str, Any]:
    """One incident's feature as `actor` sees it. Raises `NotFound` when he sees no face of it."""
    found = await features(session, actor, [incident])
    if not found:
        raise NotFound
    return found[0]


async def listed(
    session: AsyncSession, actor: Actor, *, over: bool, limit: int, before: UUID | None = None
) -> Sequence[Incident]:
    """Incidents that the actor sees some face of, newest first; ids follow time: `before` is a cursor."""
    query = select(Incident).where(visible_to(actor), Incident.state.in_(OVER if over else _OPEN))
    if before is not None:
        query = query.where(Incident.id < before)
    return (await session.scalars(query.order_by(Incident.id.desc()).limit(limit))).all()


async def worked_on(session: AsyncSession, actor: Actor) -> Sequence[UUID]:
    """Open incidents that the actor sees whole and in whose story he did something; having looked is not doing."""
    did = select(Entry.id).where(
        Entry.incident_id == Incident.id, Entry.actor_id == actor.id, Entry.kind.not_like("%.seen")
    )
    query = select(Incident.id).where(visible_whole_to(actor), Incident.state.in_(_OPEN), did.exists())
    return (await session.scalars(query.order_by(Incident.id))).all()


async def nearby(
    session: AsyncSession,
    actor: Actor,
    location: Point,
    *,
    metres: float,
    since: dt.datetime,
    until: dt.datetime,
    limit: int = 10,
) -> Sequence[tuple[Incident, float]]:
    """Open incidents within `metres` of `location` that the actor sees whole, opened in that time; nearest first."""
    away = metres_to(Incident.shape, location)
    query = (
        select(Incident, away)
        .where(
            visible_whole_to(actor),
            Incident.state.in_(_OPEN),
            Incident.opened_at.between(since, until),
            near(Incident.shape, location, metres),
        )
        .order_by(away)
        .limit(limit)
    )
    return [(incident, float(distance)) for incident, distance in await session.execute(query)]
