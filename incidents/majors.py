"""Major incidents: one command over many incidents, with sectors, roles, objectives and a log of its own.

Its incidents stay incidents: they are worked as ever. Which ones belong to it is told apart, one live row each
(`bonds.MajorMember`), as secret as the incident; so the major incident itself names nobody that it should not.
Roles are never overwritten: who was in command at 14:30 is asked of the book. The log is in `major_log.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy import Sequence as DatabaseSequence
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import Shape, geojson, in_sql, shape_checks
from incidents.assignments import live_assignments
from incidents.bonds import MajorMember, members_visible_to, tell_of_member
from incidents.catalogue import catalogue
from incidents.incident import OVER as INCIDENT_OVER
from incidents.incident import Incident, IncidentState, access_incident, visible_whole_to
from incidents.moments import moment
from realtime.access import (
    OPERATIONS,
    Actor,
    Audience,
    Face,
    Faces,
    Permission,
    Role,
    Sensitivity,
    face_for,
    require,
)
from realtime.database import Base, new_id
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal, VersionMismatch
from realtime.journal import Told, record
from resources.people import Person
from resources.readiness import readiness_of
from resources.units import Unit

LARGEST = 5_000e6  # square metres: more than a city and its fields is another province's
MOST_VERTICES = 500  # it is on every operator's board
MOST_SECTORS = 24
MOST_AT_ONCE = 200  # incidents that are added in one act


class MajorKind(StrEnum):
    """What sort of event it is."""

    STORM = "storm"
    FLOOD = "flood"
    FIRE = "fire"
    HAZARDOUS = "hazardous"
    COLLAPSE = "collapse"
    TRANSPORT = "transport"
    CROWD = "crowd"
    OUTAGE = "outage"
    OTHER = "other"


class MajorRole(StrEnum):
    """The posts of the incident command system (SCI)."""

    COMMAND = "command"
    SAFETY = "safety"
    LIAISON = "liaison"
    INFORMATION = "information"
    OPERATIONS = "operations"
    PLANNING = "planning"
    LOGISTICS = "logistics"
    ADMINISTRATION = "administration"


class SectorColour(StrEnum):
    """How a sector is drawn: the six colours that everybody tells apart."""

    ORANGE = "orange"
    SKY = "sky"
    GREEN = "green"
    YELLOW = "yellow"
    BLUE = "blue"
    PINK = "pink"


class MajorClosed(Refusal):
    """{code} is closed: reopen it first."""

    status = 409


class MajorOpen(Refusal):
    """{code} is open already."""

    status = 409


class StillOpenInside(Refusal):
    """{count} of its incidents are still open ({codes}): close it with them, or not yet."""

    status = 409


class InAnotherMajor(Refusal):
    """{incident_code} belongs to another open major incident."""

    status = 409


class NotAMember(Refusal):
    """{incident_code} does not belong to it."""

    status = 409


class TooManySectors(Refusal):
    """A major incident has {most} sectors at most."""

    status = 409


class HolderNeeded(Malformed):
    """Say who holds the post: an account, or a name."""


class PeriodRefused(Malformed):
    """A period ends after it begins."""


code_numbers = DatabaseSequence("major_numbers", metadata=Base.metadata)


class Major(Told, Base):
    """One major incident. `shape` is its perimeter, where one was drawn; `level` 1 local, 2 all the city, 3 beyond."""

    __tablename__ = "majors"
    __table_args__ = (
        CheckConstraint("level BETWEEN 1 AND 3", name="level"),
        CheckConstraint("sensitivity BETWEEN 0 AND 3", name="sensitivity"),
        CheckConstraint("GeometryType(shape) IN ('POLYGON', 'MULTIPOLYGON')", name="shape_type"),
        Index("ix_majors_open", "id", postgresql_where=text("closed_at IS NULL")),
        *shape_checks("shape", vertices=MOST_VERTICES),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[MajorKind] = mapped_column(Text)
    level: Mapped[int] = mapped_column(SmallInteger)
    sensitivity: Mapped[int] = mapped_column(SmallInteger, default=Sensitivity.OPERATIONAL)
    summary: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(Text, default="")
    shape: Mapped[BaseGeometry | None] = mapped_column(Shape("GEOMETRY"))
    opened_at: Mapped[dt.datetime]
    opened_by: Mapped[str] = mapped_column(Text)
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)

    @property
    def subject(self) -> str:
        """`major:<id>`."""
        return f"major:{self.id}"


class MajorSector(Base):
    """A sector or division of a major incident, and who leads it."""

    __tablename__ = "major_sectors"
    __table_args__ = (
        CheckConstraint("GeometryType(shape) IN ('POLYGON', 'MULTIPOLYGON')", name="shape_type"),
        *shape_checks("shape", vertices=MOST_VERTICES),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    major_id: Mapped[UUID] = mapped_column(ForeignKey("majors.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    colour: Mapped[SectorColour] = mapped_column(Text)
    lead: Mapped[str] = mapped_column(Text, default="")
    shape: Mapped[BaseGeometry | None] = mapped_column(Shape("GEOMETRY"))
    made_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class MajorPost(Base):
    """Who held a role from when until when: an account's person, or somebody by name and organization."""

    __tablename__ = "major_posts"
    __table_args__ = (
        Index("ix_major_posts_major_id", "major_id", "role", "since"),
        Index("one_holder_per_post", "major_id", "role", unique=True, postgresql_where=text("until IS NULL")),
        CheckConstraint("until >= since", name="until"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    major_id: Mapped[UUID] = mapped_column(ForeignKey("majors.id"))
    role: Mapped[MajorRole] = mapped_column(Text)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    holder: Mapped[str] = mapped_column(Text)
    organization: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[dt.datetime]
    until: Mapped[dt.datetime | None]
    given_by: Mapped[str] = mapped_column(Text)


class MajorObjective(Base):
    """What is to be reached in an operational period."""

    __tablename__ = "major_objectives"
    __table_args__ = (CheckConstraint("period_until > period_from", name="period"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    major_id: Mapped[UUID] = mapped_column(ForeignKey("majors.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    period_from: Mapped[dt.datetime]
    period_until: Mapped[dt.datetime]
    set_by: Mapped[str] = mapped_column(Text)
    reached_at: Mapped[dt.datetime | None]
    reached_by: Mapped[str | None] = mapped_column(Text)
    dropped_at: Mapped[dt.datetime | None]


# ── Who may see: for one row, and for a query ─────────────────────────────────────────────────────


def audience_of(major: Major) -> Audience:
    """Operations and government, as far as its sensitivity lets them."""
    return frozenset({f"ops:{major.sensitivity}", f"government:{major.sensitivity}"})


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query."""
    if actor.role is Role.SYSTEM:
        return true()
    if actor.role in OPERATIONS | {Role.GOVERNMENT}:
        return Major.sensitivity <= actor.reach
    return false()


def faces_of(
    major: Major, sectors: Sequence[MajorSector], posts: Sequence[MajorPost], objectives: Sequence[MajorObjective]
) -> Faces:
    """How a major incident shows itself while it is open; which incidents are its own is told apart."""
    return (Face(audience_of(major), _feature(major, sectors, posts, objectives)),) if major.closed_at is None else ()


def _feature(
    major: Major, sectors: Sequence[MajorSector], posts: Sequence[MajorPost], objectives: Sequence[MajorObjective]
) -> dict[str, Any]:
    properties = {
        "subject": major.subject,
        "id": str(major.id),
        "version": major.version,
        "code": major.code,
        "name": major.name,
        "kind": major.kind,
        "level": major.level,
        "sensitivity": major.sensitivity,
        "summary": major.summary,
        "place": major.place,
        "opened_at": major.opened_at.isoformat(),
        "opened_by": major.opened_by,
        "closed_at": major.closed_at.isoformat() if major.closed_at else None,
        "outcome": major.outcome,
        "sectors": [
            {
                "id": str(one.id),
                "name": one.name,
                "colour": one.colour,
                "lead": one.lead,
                "shape": geojson(one.shape) if one.shape else None,
            }
            for one in sectors
        ],
        "posts": [shown_post(one) for one in posts],
        "objectives": [
            {
                "id": str(one.id),
                "text": one.text,
                "from": one.period_from.isoformat(),
                "until": one.period_until.isoformat(),
                "reached_at": one.reached_at.isoformat() if one.reached_at else None,
                "reached_by": one.reached_by,
            }
            for one in objectives
        ],
    }
    return {"type": "Feature", "geometry": geojson(major.shape) if major.shape else None, "properties": properties}


def shown_post(post: MajorPost) -> dict[str, Any]:
    """Who holds, or held, a role."""
    return {
        "id": str(post.id),
        "role": post.role,
        "holder": post.holder,
        "organization": post.organization,
        "person_id": str(post.person_id) if post.person_id else None,
        "since": post.since.isoformat(),
        "until": post.until.isoformat() if post.until else None,
        "given_by": post.given_by,
    }


async def access_major(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    lock: bool = False,
    expected: int | None = None,
    closed: bool = True,
) -> Major:
    """The only way to a major incident: it must exist and be visible; where `closed` ones will not do, open too.

    Raises `NotFound`, `VersionMismatch`, `MajorClosed`. Lock the incidents first.
    """
    query = select(Major).where(Major.id == major_id, visible_to(actor))
    if lock:
        query = query.with_for_update(key_share=True)
    major = (await session.scalars(query.execution_options(populate_existing=True))).first()
    if major is None:
        raise NotFound
    if expected is not None and expected != major.version:
        raise VersionMismatch(expected=expected, current=major.version)
    if not closed and major.closed_at is not None:
        raise MajorClosed(code=major.code)
    return major


# ── Opening, amending, closing ────────────────────────────────────────────────────────────────────


async def open_major(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    name: str,
    kind: MajorKind,
    level: int = 1,
    sensitivity: int = Sensitivity.OPERATIONAL,
    summary: str = "",
    place: str = "",
    perimeter: BaseGeometry | None = None,
    occurred_at: dt.datetime | None = None,
) -> Major:
    """Declare a major incident; nobody holds its posts yet. Above one's own clearance nobody opens one."""
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    if await session.scalar(select(Major.id).where(Major.id == major_id)):
        raise AlreadyExists
    major = Major(
        id=major_id,
        code=f"MI-{at.year}-{await session.scalar(code_numbers):04d}",
        name=name,
        kind=kind,
        level=level,
        sensitivity=min(sensitivity, actor.reach) if actor.role is not Role.SYSTEM else sensitivity,
        summary=summary,
        place=place,
        shape=perimeter,
        opened_at=at,
        opened_by=actor.name,
        version=0,
        told_to=[],
    )
    session.add(major)
    await tell(session, actor, "major.opened", major, detail={"kind": kind.value, "level": level}, occurred_at=at)
    return major


async def amend_major(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    name: str | None = None,
    level: int | None = None,
    summary: str | None = None,
    place: str | None = None,
    expected: int | None = None,
) -> Major:
    """Change what is said; the rest stays. Raises `MajorClosed`."""
    require(actor, Permission.MAJOR_RUN)
    major = await access_major(session, actor, major_id, lock=True, expected=expected, closed=False)
    detail: dict[str, Any] = {
        "fields": [
            field for field, said in (("name", name), ("summary", summary), ("place", place)) if said is not None
        ]
    }
    if level is not None:
        detail |= {"fields": [*detail["fields"], "level"], "level": [major.level, level]}
        major.level = level
    major.name = major.name if name is None else name
    major.summary = major.summary if summary is None else summary
    major.place = major.place if place is None else place
    await tell(session, actor, "major.amended", major, detail=detail)
    return major


async def set_perimeter(
    session: AsyncSession, actor: Actor, major_id: UUID, *, shape: BaseGeometry | None, expected: int | None = None
) -> Major:
    """Draw its perimeter, or take it away. Which incidents belong to it does not change by that."""
    require(actor, Permission.MAJOR_RUN)
    major = await access_major(session, actor, major_id, lock=True, expected=expected, closed=False)
    major.shape = shape
    await tell(session, actor, "major.amended", major, detail={"fields": ["perimeter"]})
    return major


async def close_major(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    outcome: str,
    with_open: bool = False,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Major:
    """It is over: its incidents go on by themselves, its posts end. Raises `StillOpenInside` unless `with_open`."""
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    major = await access_major(session, actor, major_id, lock=True, expected=expected, closed=False)
    open_inside = await _open_inside(session, actor, major)
    if open_inside and not with_open:
        codes = ", ".join(one.code for one in open_inside[:5]) + ("…" if len(open_inside) > 5 else "")
        raise StillOpenInside(count=len(open_inside), codes=codes)
    for post in await _posts(session, major.id):
        post.until = max(at, post.since)
    for member in await _members(session, major.id, lock=True):
        member.on_board = False
        await tell_of_member(session, actor, "major.member_retold", member, on_timeline=False)
    major.closed_at, major.closed_by, major.outcome = at, actor.name, outcome
    await tell(session, actor, "major.closed", major, detail={"left_open": len(open_inside)}, occurred_at=at)
    return major


async def reopen_major(
    session: AsyncSession, actor: Actor, major_id: UUID, *, reason: str, occurred_at: dt.datetime | None = None
) -> Major:
    """It was not over. Its incidents are its own again, but for those that another one has taken meanwhile."""
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    known = await access_major(session, actor, major_id)
    ids = sorted(member.incident_id for member in await _members(session, known.id))
    await session.execute(
        select(Incident.id).where(Incident.id.in_(ids)).order_by(Incident.id).with_for_update(key_share=True)
    )
    major = await access_major(session, actor, major_id, lock=True)
    if major.closed_at is None:
        raise MajorOpen(code=major.code)
    major.closed_at = major.closed_by = major.outcome = None
    for member in await _members(session, major.id, lock=True):
        if await session.scalar(_taken(member.incident_id, major.id)):
            member.removed_at, member.removed_by, member.removed_reason = at, actor.name, "elsewhere"
        else:
            member.on_board = True
        await tell_of_member(session, actor, "major.member_retold", member, on_timeline=False)
    await tell(session, actor, "major.reopened", major, detail={"reason": reason}, occurred_at=at)
    return major


# ── Its incidents ─────────────────────────────────────────────────────────────────────────────────


async def add_incidents(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    incident_ids: Collection[UUID],
    sector_id: UUID | None = None,
    reason: str = "",
    occurred_at: dt.datetime | None = None,
) -> list[MajorMember]:
    """Put incidents under its command; where no sector is named, that whose area holds the incident, if one does.

    Those that are its own already stay as they are. Raises `InAnotherMajor`, `NotFound`.
    """
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    chosen = [await access_incident(session, actor, id_, lock=True) for id_ in sorted(set(incident_ids))]
    major = await access_major(session, actor, major_id, lock=True, closed=False)
    sectors = await _sectors(session, major.id)
    if sector_id is not None and sector_id not in {one.id for one in sectors}:
        raise NotFound
    held = {member.incident_id for member in await _members(session, major.id)}
    added = []
    for incident in chosen:
        if incident.id in held:
            continue
        if incident.state == IncidentState.MERGED:
            raise NotAMember(incident_code=incident.code)
        if await session.scalar(_taken(incident.id, major.id)):
            raise InAnotherMajor(incident_code=incident.code)
        holding = [one.id for one in sectors if one.shape is not None and one.shape.covers(incident.shape)]
        member = MajorMember(
            id=new_id(),
            major_id=major.id,
            incident_id=incident.id,
            incident_code=incident.code,
            sector_id=sector_id or (holding[0] if len(holding) == 1 else None),
            sensitivity=incident.sensitivity,
            on_board=True,
            added_at=at,
            added_by=actor.name,
            added_reason=reason,
            version=0,
            told_to=[],
        )
        session.add(member)
        await tell_of_member(session, actor, "major.incident_added", member, detail={"reason": reason}, occurred_at=at)
        added.append(member)
    return added


async def remove_incident(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    incident_id: UUID,
    reason: str,
    occurred_at: dt.datetime | None = None,
) -> MajorMember:
    """Take an incident out from under its command; the book keeps that it was. Raises `NotAMember`."""
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    member = await _member(session, actor, major_id, incident_id)
    member.removed_at, member.removed_by, member.removed_reason = at, actor.name, reason
    await tell_of_member(session, actor, "major.incident_removed", member, detail={"reason": reason}, occurred_at=at)
    return member


async def place_incident(
    session: AsyncSession, actor: Actor, major_id: UUID, *, incident_id: UUID, sector_id: UUID | None
) -> MajorMember:
    """Put one of its incidents, and the units on it, into a sector, or into none. Raises `NotAMember`."""
    require(actor, Permission.MAJOR_RUN)
    member = await _member(session, actor, major_id, incident_id)
    if sector_id is not None and sector_id not in {one.id for one in await _sectors(session, major_id)}:
        raise NotFound
    member.sector_id = sector_id
    detail = {"sector_id": str(sector_id) if sector_id else None}
    await tell_of_member(session, actor, "major.incident_placed", member, detail=detail)
    return member


# ── Sectors, posts, objectives ────────────────────────────────────────────────────────────────────


async def add_sector(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    sector_id: UUID,
    name: str,
    colour: SectorColour,
    lead: str = "",
    shape: BaseGeometry | None = None,
) -> Major:
    """Divide it further. Raises `TooManySectors`."""
    require(actor, Permission.MAJOR_RUN)
    major = await access_major(session, actor, major_id, lock=True, closed=False)
    if await session.get(MajorSector, sector_id) is not None:
        raise AlreadyExists
    if len(await _sectors(session, major.id)) >= MOST_SECTORS:
        raise TooManySectors(most=MOST_SECTORS)
    at = moment(None)
    session.add(
        MajorSector(id=sector_id, major_id=major.id, name=name, colour=colour, lead=lead, shape=shape, made_at=at)
    )
    await tell(session, actor, "major.sector_added", major, detail={"sector_id": str(sector_id)}, occurred_at=at)
    return major


async def amend_sector(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    sector_id: UUID,
    name: str | None = None,
    colour: SectorColour | None = None,
    lead: str | None = None,
    shape: BaseGeometry | None = None,
) -> Major:
    """Change what is said of a sector; the rest stays."""
    require(actor, Permission.MAJOR_RUN)
    major, sector = await _sector(session, actor, major_id, sector_id)
    said = {"name": name, "colour": colour, "lead": lead, "shape": shape}
    for field, value in said.items():
        if value is not None:
            setattr(sector, field, value)
    fields = [field for field, value in said.items() if value is not None]
    await tell(session, actor, "major.sector_amended", major, detail={"sector_id": str(sector_id), "fields": fields})
    return major


async def end_sector(session: AsyncSession, actor: Actor, major_id: UUID, *, sector_id: UUID) -> Major:
    """Give a sector up; its incidents are in none from now on."""
    require(actor, Permission.MAJOR_RUN)
    major, sector = await _sector(session, actor, major_id, sector_id)
    sector.ended_at = moment(None)
    for member in await _members(session, major.id, lock=True):
        if member.sector_id == sector.id:
            member.sector_id = None
            await tell_of_member(session, actor, "major.member_retold", member, on_timeline=False)
    await tell(session, actor, "major.sector_ended", major, detail={"sector_id": str(sector_id)})
    return major


async def give_post(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    role: MajorRole,
    post_id: UUID,
    person_id: UUID | None = None,
    holder: str = "",
    organization: str = "",
    occurred_at: dt.datetime | None = None,
) -> Major:
    """Hand a post to somebody, from a moment on: whoever held it did so until then. Raises `HolderNeeded`."""
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    major = await access_major(session, actor, major_id, lock=True, closed=False)
    if await session.get(MajorPost, post_id) is not None:
        raise AlreadyExists
    if person_id is not None:
        person = await session.get(Person, person_id)
        if person is None:
            raise NotFound
        holder = person.name
    if not holder:
        raise HolderNeeded
    await _end_post(session, major, role, at)
    session.add(
        MajorPost(
            id=post_id,
            major_id=major.id,
            role=role,
            person_id=person_id,
            holder=holder,
            organization=organization,
            since=at,
            given_by=actor.name,
        )
    )
    detail = {"role": role.value, "post_id": str(post_id)}
    await tell(session, actor, "major.post_given", major, detail=detail, occurred_at=at)
    return major


async def leave_post(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    role: MajorRole,
    occurred_at: dt.datetime | None = None,
) -> Major:
    """Nobody holds a post any longer."""
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    major = await access_major(session, actor, major_id, lock=True, closed=False)
    if not await _end_post(session, major, role, at):
        raise NotFound
    await tell(session, actor, "major.post_left", major, detail={"role": role.value}, occurred_at=at)
    return major


async def set_objective(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    objective_id: UUID,
    text: str,
    period_from: dt.datetime,
    period_until: dt.datetime,
) -> Major:
    """Set an objective for an operational period. Raises `PeriodRefused`."""
    require(actor, Permission.MAJOR_RUN)
    major = await access_major(session, actor, major_id, lock=True, closed=False)
    if period_until <= period_from:
        raise PeriodRefused
    if await session.get(MajorObjective, objective_id) is not None:
        raise AlreadyExists
    session.add(
        MajorObjective(
            id=objective_id,
            major_id=major.id,
            text=text,
            period_from=period_from,
            period_until=period_until,
            set_by=actor.name,
        )
    )
    await tell(session, actor, "major.objective_set", major, detail={"objective_id": str(objective_id)})
    return major


async def mark_objective(
    session: AsyncSession,
    actor: Actor,
    major_id: UUID,
    *,
    objective_id: UUID,
    reached: bool,
    dropped: bool = False,
    occurred_at: dt.datetime | None = None,
) -> Major:
    """Say that an objective is reached, or is not after all, or is given up."""
    require(actor, Permission.MAJOR_RUN)
    at = moment(occurred_at)
    major = await access_major(session, actor, major_id, lock=True, closed=False)
    objective = await session.get(MajorObjective, objective_id, populate_existing=True)
    if objective is None or objective.major_id != major.id or objective.dropped_at is not None:
        raise NotFound
    objective.reached_at, objective.reached_by = (at, actor.name) if reached else (None, None)
    if dropped:
        objective.dropped_at = at
    detail = {"objective_id": str(objective_id), "reached": reached, "dropped": dropped}
    await tell(session, actor, "major.objective_marked", major, detail=detail, occurred_at=at)
    return major


# ── Telling ───────────────────────────────────────────────────────────────────────────────────────


async def tell(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    major: Major,
    *,
    detail: dict[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record a fact about a locked major incident. It stands in its own story: the entry bears its id as such."""
    await session.flush()
    major.version += 1
    faces = faces_of(major, *(await _parts(session, [major.id]))[major.id])
    await record(session, actor, kind, major, faces, incident_id=major.id, detail=detail, occurred_at=occurred_at)


Parts = tuple[list[MajorSector], list[MajorPost], list[MajorObjective]]


async def _parts(session: AsyncSession, major_ids: Collection[UUID]) -> dict[UUID, Parts]:
    parts: dict[UUID, Parts] = {id_: ([], [], []) for id_ in major_ids}
    sectors = select(MajorSector).where(MajorSector.major_id.in_(major_ids), MajorSector.ended_at.is_(None))
    for sector in await session.scalars(sectors.order_by(MajorSector.made_at, MajorSector.id)):
        parts[sector.major_id][0].append(sector)
    posts = select(MajorPost).where(MajorPost.major_id.in_(major_ids), MajorPost.until.is_(None))
    order = list(MajorRole)
    for post in sorted(await session.scalars(posts), key=lambda one: order.index(MajorRole(one.role))):
        parts[post.major_id][1].append(post)
    objectives = select(MajorObjective).where(
        MajorObjective.major_id.in_(major_ids), MajorObjective.dropped_at.is_(None)
    )
    for objective in await session.scalars(objectives.order_by(MajorObjective.period_from, MajorObjective.id)):
        parts[objective.major_id][2].append(objective)
    return parts


async def _sectors(session: AsyncSession, major_id: UUID) -> list[MajorSector]:
    return (await _parts(session, [major_id]))[major_id][0]


async def _posts(session: AsyncSession, major_id: UUID) -> list[MajorPost]:
    return (await _parts(session, [major_id]))[major_id][1]


async def _members(session: AsyncSession, major_id: UUID, *, lock: bool = False) -> Sequence[MajorMember]:
    query = (
        select(MajorMember)
        .where(MajorMember.major_id == major_id, MajorMember.removed_at.is_(None))
        .order_by(MajorMember.id)
        .execution_options(populate_existing=True)
    )
    if lock:
        query = query.with_for_update(key_share=True)
    return (await session.scalars(query)).all()


async def _member(session: AsyncSession, actor: Actor, major_id: UUID, incident_id: UUID) -> MajorMember:
    incident = await access_incident(session, actor, incident_id, lock=True)
    major = await access_major(session, actor, major_id, lock=True, closed=False)
    found = [one for one in await _members(session, major.id, lock=True) if one.incident_id == incident.id]
    if not found:
        raise NotAMember(incident_code=incident.code)
    return found[0]


async def _sector(session: AsyncSession, actor: Actor, major_id: UUID, sector_id: UUID) -> tuple[Major, MajorSector]:
    major = await access_major(session, actor, major_id, lock=True, closed=False)
    found = [one for one in await _sectors(session, major.id) if one.id == sector_id]
    if not found:
        raise NotFound
    return major, found[0]


async def _end_post(session: AsyncSession, major: Major, role: MajorRole, at: dt.datetime) -> bool:
    held = [post for post in await _posts(session, major.id) if post.role == role]
    for post in held:
        post.until = max(at, post.since)
    await session.flush()
    return bool(held)


def _taken(incident_id: UUID, but: UUID) -> Any:
    return (
        select(MajorMember.id)
        .where(
            MajorMember.incident_id == incident_id,
            MajorMember.removed_at.is_(None),
            MajorMember.on_board,
            MajorMember.major_id != but,
        )
        .limit(1)
    )


async def _open_inside(session: AsyncSession, actor: Actor, major: Major) -> Sequence[Incident]:
    query = (
        select(Incident)
        .join(MajorMember, and_(MajorMember.incident_id == Incident.id, MajorMember.major_id == major.id))
        .where(MajorMember.removed_at.is_(None), Incident.state.not_in(INCIDENT_OVER), visible_whole_to(actor))
        .order_by(Incident.code)
    )
    return (await session.scalars(query)).all()


# ── Board and reading ─────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the open major incidents that `actor` sees (of `ids`, when given)."""
    query = select(Major).where(Major.closed_at.is_(None), visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Major.id.in_(ids))
    majors = (await session.scalars(query.order_by(Major.id))).all()
    parts = await _parts(session, [major.id for major in majors])
    faces = [face_for(actor.keys, faces_of(major, *parts[major.id])) for major in majors]
    return [face for face in faces if face is not None]


async def feature(session: AsyncSession, major: Major) -> dict[str, Any]:
    """One major incident, also when it is closed, for somebody who came to it by `access_major`."""
    return _feature(major, *(await _parts(session, [major.id]))[major.id])


async def listed(session: AsyncSession, actor: Actor, *, closed: bool, limit: int) -> list[dict[str, Any]]:
    """Major incidents that the actor sees, newest first."""
    is_closed = Major.closed_at.is_not(None) if closed else Major.closed_at.is_(None)
    query = select(Major).where(is_closed, visible_to(actor)).order_by(Major.opened_at.desc()).limit(limit)
    majors = (await session.scalars(query)).all()
    parts = await _parts(session, [major.id for major in majors])
    return [_feature(major, *parts[major.id]) for major in majors]


async def members(session: AsyncSession, actor: Actor, major_id: UUID) -> list[dict[str, Any]]:
    """Which incidents are, or were, its own, as far as the actor sees each whole; in the order they were added."""
    major = await access_major(session, actor, major_id)
    query = (
        select(MajorMember, Incident)
        .join(Incident, Incident.id == MajorMember.incident_id)
        .where(MajorMember.major_id == major.id, visible_whole_to(actor))
        .order_by(MajorMember.added_at, MajorMember.id)
    )
    found = []
    for member, incident in await session.execute(query):
        kind = (await catalogue(session, incident.catalogue_version)).type(incident.type_code)
        found.append(
            {
                "incident_id": str(incident.id),
                "code": incident.code,
                "type_name": kind.name,
                "priority": incident.priority,
                "state": incident.state,
                "place": incident.place,
                "sector_id": str(member.sector_id) if member.sector_id else None,
                "added": {"at": member.added_at.isoformat(), "by": member.added_by, "reason": member.added_reason},
                "removed": {
                    "at": member.removed_at.isoformat(),
                    "by": member.removed_by,
                    "reason": member.removed_reason,
                }
                if member.removed_at
                else None,
            }
        )
    return found


async def posts(
    session: AsyncSession, actor: Actor, major_id: UUID, *, at: dt.datetime | None = None
) -> list[dict[str, Any]]:
    """Who held which post: everybody ever, or those who did at a moment."""
    major = await access_major(session, actor, major_id)
    query = select(MajorPost).where(MajorPost.major_id == major.id).order_by(MajorPost.since, MajorPost.id)
    if at is not None:
        query = query.where(MajorPost.since <= at, or_(MajorPost.until.is_(None), MajorPost.until > at))
    return [shown_post(post) for post in await session.scalars(query)]


async def proposed(
    session: AsyncSession, actor: Actor, major_id: UUID, *, types: Collection[str] = (), limit: int = MOST_AT_ONCE
) -> list[dict[str, Any]]:
    """Open incidents within its perimeter, of these types (codes or groups of them), that are in no major incident.

    Without a perimeter, all of the city's. Only what the actor sees whole.
    """
    major = await access_major(session, actor, major_id)
    taken = exists().where(
        MajorMember.incident_id == Incident.id, MajorMember.removed_at.is_(None), MajorMember.on_board
    )
    query = (
        select(Incident)
        .where(Incident.state.not_in(INCIDENT_OVER), visible_whole_to(actor), ~taken)
        .order_by(Incident.priority, Incident.opened_at)
        .limit(limit)
    )
    if major.shape is not None:
        query = query.where(func.ST_Covers(in_sql(major.shape), Incident.shape))
    if types:
        query = query.where(
            or_(*(or_(Incident.type_code == one, Incident.type_code.startswith(f"{one}-")) for one in types))
        )
    found = []
    for incident in (await session.scalars(query)).all():
        kind = (await catalogue(session, incident.catalogue_version)).type(incident.type_code)
        found.append(
            {
                "incident_id": str(incident.id),
                "code": incident.code,
                "type_code": incident.type_code,
                "type_name": kind.name,
                "priority": incident.priority,
                "state": incident.state,
                "place": incident.place,
                "opened_at": incident.opened_at.isoformat(),
            }
        )
    return found


async def resource_board(session: AsyncSession, actor: Actor, major_id: UUID, at: dt.datetime) -> dict[str, Any]:
    """All units on its incidents, by sector, and what is missing: as far as the actor sees each incident whole.

    `checked_in` is when a unit arrived (T9). `gaps` are incidents with nobody, sectors without a lead, no commander;
    each unit brings those of its crew and its papers.
    """
    major = await access_major(session, actor, major_id)
    query = (
        select(Incident, MajorMember.sector_id)
        .join(MajorMember, MajorMember.incident_id == Incident.id)
        .where(MajorMember.major_id == major.id, MajorMember.removed_at.is_(None), visible_whole_to(actor))
        .where(members_visible_to(actor), Incident.state.not_in(INCIDENT_OVER))
    )
    rows = (await session.execute(query.order_by(Incident.priority, Incident.opened_at))).all()
    assigned = await live_assignments(session, [incident.id for incident, _ in rows])
    ids = {one.unit_id for found in assigned.values() for one in found}
    units = {unit.id: unit for unit in await session.scalars(select(Unit).where(Unit.id.in_(ids)))}
    ready = await readiness_of(session, ids, at)
    lines = [
        {
            "assignment_id": str(one.id),
            "unit_id": str(one.unit_id),
            "call_sign": one.call_sign,
            "kind": units[one.unit_id].kind,
            "incident_id": str(incident.id),
            "incident_code": incident.code,
            "sector_id": str(sector_id) if sector_id else None,
            "status": one.status,
            "since": one.since.isoformat(),
            "checked_in": one.stamps.get("T9"),
            "staging": one.staging,
            "gaps": [gap.shown() for gap in ready.get(one.unit_id, ())],
        }
        for incident, sector_id in rows
        for one in assigned[incident.id]
    ]
    sectors, held, _ = (await _parts(session, [major.id]))[major.id]
    gaps = [
        {"what": "nobody_there", "incident_id": str(incident.id), "code": incident.code}
        for incident, _ in rows
        if not assigned[incident.id]
    ]
    gaps += [{"what": "no_lead", "sector_id": str(one.id), "code": one.name} for one in sectors if not one.lead]
    if MajorRole.COMMAND not in {post.role for post in held}:
        gaps.append({"what": "no_commander"})
    return {"at": at.isoformat(), "units": lines, "gaps": gaps}
