"""SOS: a crew in danger. The highest alarm there is; it opens an incident where the unit is.

While one is live, pressing again changes nothing. It does not touch what the unit is doing. Somebody answers it, which
the crew sees; it ends with its incident, or as a false alarm by the word of somebody else than the unit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import ForeignKey, Index, Text, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.addresses import describe_place
from geo.city import extent
from geo.places import Shape, geojson, shape_checks
from incidents.catalogue import catalogue
from incidents.dispatch import end_incident, hold_to_end
from incidents.incident import OVER as INCIDENT_OVER
from incidents.incident import Incident, IncidentState, access_incident, open_incident
from incidents.undo import Reversible, Undoing, refuse_undo, remember, reversible, watch
from realtime.access import VIGIA, Actor, Face, Faces, Permission, Role, face_for, require, unit_key
from realtime.database import Base, new_id, now
from realtime.errors import NotAllowed, NotFound, Refusal
from realtime.journal import Told, record
from resources.positions import UnitPosition
from resources.units import Unit, access_unit

DISPOSITION = "false_alarm"  # of the catalogue, where it has it


class SosStatus(StrEnum):
    """How far it is."""

    RAISED = "raised"
    ANSWERED = "answered"
    FALSE_ALARM = "false_alarm"
    ENDED = "ended"


class Located(StrEnum):
    """How its place is known."""

    TOLD = "told"  # the device said it with the call
    POSITION = "position"  # where the unit was last seen
    BASE = "base"
    CITY = "city"  # nobody knows: the middle of the city


class SosAnswered(Refusal):
    """{by} has answered {call_sign} already ({since})."""

    status = 409


class SosOver(Refusal):
    """That SOS of {call_sign} is over."""

    status = 409


class SosUnanswered(Refusal):
    """Nobody has answered the SOS of {call_sign} yet: answer it first."""

    status = 409


class NoPlaceAtAll(Refusal):
    """The SOS has no place: {call_sign} has neither position nor base, and the city was not drawn yet."""

    status = 409


class Sos(Told, Base):
    """One SOS. It is live until `ended_at`; a unit has at most one live one."""

    __tablename__ = "sos"
    __table_args__ = (
        Index("one_live_sos_per_unit", "unit_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        *shape_checks("shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    call_sign: Mapped[str] = mapped_column(Text)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id"), index=True)
    incident_code: Mapped[str] = mapped_column(Text)
    status: Mapped[SosStatus] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(Text, default="")
    shape: Mapped[Point] = mapped_column(Shape("POINT"))
    located: Mapped[Located] = mapped_column(Text)
    fixed_at: Mapped[dt.datetime | None]
    raised_at: Mapped[dt.datetime] = mapped_column(default=now)
    raised_by: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[dt.datetime | None]
    answered_by: Mapped[str | None] = mapped_column(Text)
    answered_by_id: Mapped[UUID | None]
    ended_at: Mapped[dt.datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")

    @property
    def subject(self) -> str:
        """`sos:<id>`."""
        return f"sos:{self.id}"


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


def faces_of(sos: Sos) -> Faces:
    """The whole room and the unit itself see all of it; the wall, without words and names. Over, nobody does."""
    if sos.ended_at is not None:
        return ()
    whole = {
        "subject": sos.subject,
        "id": str(sos.id),
        "version": sos.version,
        "unit_id": str(sos.unit_id),
        "call_sign": sos.call_sign,
        "incident_id": str(sos.incident_id),
        "incident_code": sos.incident_code,
        "status": sos.status,
        "message": sos.message,
        "place": sos.place,
        "located": sos.located,
        "fixed_at": sos.fixed_at.isoformat() if sos.fixed_at else None,
        "raised_at": sos.raised_at.isoformat(),
        "raised_by": sos.raised_by,
        "answered_at": sos.answered_at.isoformat() if sos.answered_at else None,
        "answered_by": sos.answered_by,
    }
    return (
        Face(frozenset({"ops:0", unit_key(sos.unit_id)}), _feature(sos, whole)),
        Face(frozenset({"wall:0"}), _feature(sos, whole | {"message": "", "raised_by": "", "answered_by": None})),
    )


def _feature(sos: Sos, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geojson(sos.shape), "properties": properties}


async def _hold_sos(session: AsyncSession, actor: Actor, sos_id: UUID) -> Sos:
    """An SOS whose incident the actor sees whole, over or not; both are locked. Raises `NotFound`."""
    found = await session.get(Sos, sos_id)
    if found is None:
        raise NotFound
    await access_incident(session, actor, found.incident_id, lock=True)
    return await session.get_one(Sos, sos_id, with_for_update={"key_share": True}, populate_existing=True)


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def raise_sos(
    session: AsyncSession, actor: Actor, unit_id: UUID, *, place: Point | None = None, message: str = ""
) -> Sos:
    """A crew is in danger: by the crew, or by the dispatcher who heard it. `place` is what its device says, if it does.

    While one is live, it is the answer. Raises `NoPlaceAtAll` where not even the city has a place.
    """
    require(actor, Permission.SOS_RAISE)
    if actor.role is Role.CREW and actor.unit_id != unit_id:
        raise NotFound
    unit = await access_unit(session, actor, unit_id, lock=True)
    live = (await session.scalars(select(Sos).where(Sos.unit_id == unit.id, Sos.ended_at.is_(None)))).first()
    if live is not None:
        return live
    at = now()
    where, located, fixed_at = await _place_of(session, unit, place, at)
    words = (await describe_place(session, where)).place if located is not Located.CITY else ""
    summary = f"SOS {unit.call_sign}: {message}" if message else f"SOS {unit.call_sign}"
    incident = await open_incident(
        session,
        VIGIA,
        new_id(),
        type_code=(await catalogue(session)).sos_type,
        location=where,
        place=words,
        summary=summary,
        priority=1,
        occurred_at=at,
    )
    sos = Sos(
        id=new_id(),
        unit_id=unit.id,
        call_sign=unit.call_sign,
        incident_id=incident.id,
        incident_code=incident.code,
        status=SosStatus.RAISED,
        message=message,
        place=words,
        shape=where,
        located=located,
        fixed_at=fixed_at,
        raised_at=at,
        raised_by=actor.name,
        version=0,
        told_to=[],
    )
    session.add(sos)
    await _tell(session, actor, "sos.raised", sos, located=located.value)
    return sos


async def answer_sos(session: AsyncSession, actor: Actor, sos_id: UUID) -> Sos:
    """Take it: the crew sees by whom. Raises `SosAnswered`, which says by whom, and `SosOver`."""
    require(actor, Permission.ALARM_ANSWER)
    sos = await _hold_sos(session, actor, sos_id)
    if sos.ended_at is not None:
        raise SosOver(call_sign=sos.call_sign)
    if sos.answered_at is not None:
        if sos.answered_by_id != actor.id:
            raise SosAnswered(call_sign=sos.call_sign, by=sos.answered_by, since=sos.answered_at)
        return sos
    sos.status, sos.answered_at, sos.answered_by, sos.answered_by_id = SosStatus.ANSWERED, now(), actor.name, actor.id
    await _tell(session, actor, "sos.answered", sos)
    return sos


async def false_alarm(session: AsyncSession, actor: Actor, sos_id: UUID, *, reason: str) -> Sos:
    """Nobody is in danger, says somebody else than the unit; its incident is closed. Raises `SosOver`."""
    require(actor, Permission.ALARM_ANSWER)
    found = await session.get(Sos, sos_id)
    if found is None:
        raise NotFound
    if actor.unit_id == found.unit_id:
        raise NotAllowed(permission=Permission.ALARM_ANSWER.value)
    before = watch(session)
    incident = await hold_to_end(session, actor, found.incident_id)
    sos = await _hold_sos(session, actor, sos_id)
    if sos.ended_at is not None:
        raise SosOver(call_sign=sos.call_sign)
    at = now()
    if sos.answered_at is None:
        sos.answered_at, sos.answered_by, sos.answered_by_id = at, actor.name, actor.id
    sos.status, sos.reason, sos.ended_at = SosStatus.FALSE_ALARM, reason, at
    await _tell(session, actor, "sos.false_alarm", sos, reason=reason)
    if incident.state not in INCIDENT_OVER:
        incident.disposition = (await catalogue(session)).disposition_or_none(DISPOSITION)
        await end_incident(session, actor, incident, IncidentState.CLOSED, {"disposition": incident.disposition}, at)
    await remember(
        session, actor, "sos.false_alarm", before, permission=Permission.ALARM_ANSWER, incident_id=incident.id
    )
    return sos


async def end_sos(session: AsyncSession, actor: Actor, incident: Incident, at: dt.datetime) -> None:
    """The incident (locked) ends, and an SOS with it. Raises `SosUnanswered`: it cannot be missed."""
    query = select(Sos).where(Sos.incident_id == incident.id, Sos.ended_at.is_(None)).with_for_update(key_share=True)
    for sos in await session.scalars(query.execution_options(populate_existing=True)):
        if sos.answered_at is None:
            raise SosUnanswered(call_sign=sos.call_sign)
        sos.status, sos.ended_at = SosStatus.ENDED, at
        await _tell(session, actor, "sos.ended", sos)


# ── What follows ──────────────────────────────────────────────────────────────────────────────────


async def _place_of(
    session: AsyncSession, unit: Unit, place: Point | None, at: dt.datetime
) -> tuple[Point, Located, dt.datetime | None]:
    """The best place that is known, how, and since when."""
    if place is not None:
        return place, Located.TOLD, at
    seen = await session.get(UnitPosition, unit.id, populate_existing=True)
    if seen is not None:
        return Point(seen.lon, seen.lat), Located.POSITION, seen.fixed_at
    if unit.base_place is not None:
        return unit.base_place, Located.BASE, None
    bounds = await extent(session)
    if bounds is None:
        raise NoPlaceAtAll(call_sign=unit.call_sign)
    return Point((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2), Located.CITY, None


async def _tell(session: AsyncSession, actor: Actor, kind: str, sos: Sos, **detail: Any) -> None:
    sos.version += 1
    said = {"sos_id": str(sos.id), "unit_id": str(sos.unit_id), "call_sign": sos.call_sign, **detail}
    await record(session, actor, kind, sos, faces_of(sos), incident_id=sos.incident_id, detail=said)


async def _lock(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Sos]:
    query = select(Sos).where(Sos.id.in_(ids)).order_by(Sos.id).with_for_update(key_share=True)
    return {sos.id: sos for sos in await session.scalars(query.execution_options(populate_existing=True))}


async def _put_back(session: AsyncSession, actor: Actor, undoing: Undoing, raised: Sequence[Sos]) -> None:
    for sos in raised:
        await _tell(session, actor, "sos.undone", sos, **undoing.detail)


async def _no_other(session: AsyncSession, undoing: Undoing, ended: dict[UUID, Sos]) -> None:
    """A unit that has called again meanwhile has one live SOS, and not the former besides."""
    units = [sos.unit_id for sos in ended.values()]
    query = select(Sos).where(Sos.unit_id.in_(units), Sos.ended_at.is_(None), Sos.id.not_in(ended))
    for other in await session.scalars(query):
        await refuse_undo(session, undoing, other)


reversible(Reversible(Sos, 2, _lock, _put_back, check=_no_other))


# ── Board ─────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The live SOS that `actor` sees (of `ids`, when given)."""
    query = select(Sos).where(Sos.ended_at.is_(None)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Sos.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(sos)) for sos in await session.scalars(query)]
    return [face for face in faces if face is not None]


def shown(actor: Actor, sos: Sos) -> dict[str, Any]:
    """An SOS as the API answers it to whoever acted on it."""
    seen = face_for(actor.keys, faces_of(sos))
    return seen or {"type": "Feature", "geometry": None, "properties": {"id": str(sos.id), "status": sos.status}}
