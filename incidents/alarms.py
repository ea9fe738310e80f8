"""Alarms: what somebody must look at now, raised once, escalated along those on call until somebody answers.

An alarm has a cause: something (`about`) that has been so since a moment. The database lets each cause have one alarm
and each kind one open alarm about the same thing, however many workers look at it. It clears by itself when its cause
is gone; a person answers it (somebody has it in hand) or shelves it (it comes back by itself).

An alarm about an incident is as secret as its incident: those who may not know the incident hear nothing of it.
The clocks behind all this are in `watchdogs.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, SmallInteger, Text, false, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.incident import Incident
from realtime.access import (
    OPERATIONS,
    VIGIA,
    Actor,
    Audience,
    Face,
    Faces,
    Permission,
    Role,
    Sensitivity,
    face_for,
    require,
    unit_key,
)
from realtime.database import Base, new_id, now
from realtime.errors import NotFound, VersionMismatch
from realtime.journal import Told, record
from realtime.lifecycle import move
from resources.on_call import OnCall, on_call_order
from resources.units import Unit


class AlarmKind(StrEnum):
    """What is wrong."""

    BATTERY_LOW = "battery_low"
    CHECK_IN_DUE = "check_in_due"
    NOT_MOVING = "not_moving"
    PAST_PROMISED = "past_promised"
    POSITION_LOST = "position_lost"
    SOS_UNANSWERED = "sos_unanswered"
    STUCK = "stuck"
    UNACKNOWLEDGED = "unacknowledged"
    UNATTENDED = "unattended"


class Severity(StrEnum):
    """How loud an alarm is."""

    HIGH = "high"
    MEDIUM = "medium"


class AlarmState(StrEnum):
    """Where an alarm stands."""

    RAISED = "raised"
    ANSWERED = "answered"
    SHELVED = "shelved"
    CLEARED = "cleared"


class Why(StrEnum):
    """Why an alarm was cleared."""

    CAUSE_GONE = "cause_gone"
    RULE_OFF = "rule_off"


class Step(StrEnum):
    """Who is called: the desk, then the supervisor, then those on call in their order."""

    DESK = "desk"
    SUPERVISOR = "supervisor"
    ON_CALL_1 = "on_call_1"
    ON_CALL_2 = "on_call_2"
    ON_CALL_3 = "on_call_3"
    ON_CALL_4 = "on_call_4"


S = AlarmState
MOVES: dict[AlarmState, frozenset[AlarmState]] = {
    S.RAISED: frozenset({S.ANSWERED, S.SHELVED, S.CLEARED}),
    S.SHELVED: frozenset({S.RAISED, S.ANSWERED, S.CLEARED}),
    S.ANSWERED: frozenset({S.RAISED, S.CLEARED}),  # raised again where its rule says that an answer is not for ever
    S.CLEARED: frozenset({S.RAISED}),  # only when its rule had been switched off and is on again
}

SHELF_MINUTES = (5, 15, 60)
_ROLES = {Step.DESK: frozenset({Role.DISPATCHER, Role.SUPERVISOR}), Step.SUPERVISOR: frozenset({Role.SUPERVISOR})}


class Alarm(Told, Base):
    """One alarm. `about` is a subject; `since` is when its cause began; `state_since` drives escalation and return.

    `facts` hold codes, call signs and measures; `whom` is the name and title of who is on call at its step.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        Index("one_alarm_per_cause", "kind", "about", "since", unique=True),
        Index("one_open_alarm", "kind", "about", unique=True, postgresql_where="state <> 'cleared'"),
        Index("ix_alarms_open_incident_id", "incident_id", postgresql_where="state <> 'cleared'"),
        Index("ix_alarms_raised_at", "raised_at"),
        CheckConstraint("sensitivity BETWEEN 0 AND 3", name="sensitivity"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[AlarmKind] = mapped_column(Text)
    severity: Mapped[Severity] = mapped_column(Text)
    state: Mapped[AlarmState] = mapped_column(Text)
    state_since: Mapped[dt.datetime]
    about: Mapped[str] = mapped_column(Text)
    since: Mapped[dt.datetime]
    raised_at: Mapped[dt.datetime]
    rule: Mapped[str | None] = mapped_column(Text)
    sensitivity: Mapped[int] = mapped_column(SmallInteger)
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incidents.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    assignment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assignments.id"))
    incident_code: Mapped[str | None] = mapped_column(Text)
    call_sign: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    level: Mapped[int] = mapped_column(SmallInteger, default=0)
    step: Mapped[Step] = mapped_column(Text)
    whom: Mapped[str] = mapped_column(Text, default="")
    whom_id: Mapped[UUID | None]
    escalated_at: Mapped[dt.datetime | None]
    answered_at: Mapped[dt.datetime | None]
    answered_by: Mapped[str | None] = mapped_column(Text)
    answer_note: Mapped[str] = mapped_column(Text, default="")
    shelved_until: Mapped[dt.datetime | None]
    shelved_by: Mapped[str | None] = mapped_column(Text)
    shelve_reason: Mapped[str] = mapped_column(Text, default="")
    cleared_at: Mapped[dt.datetime | None]
    cleared_why: Mapped[Why | None] = mapped_column(Text)

    @property
    def subject(self) -> str:
        """`alarm:<id>`."""
        return f"alarm:{self.id}"


# ── Who may see: for one row, and for a query ─────────────────────────────────────────────────────


def audience_of(alarm: Alarm) -> Audience:
    """Operations, as far as they may know the incident."""
    return frozenset({f"ops:{alarm.sensitivity}"})


def crew_of(alarm: Alarm) -> Audience:
    """A crew is told that its own check-in is due; the rest is the desk's business."""
    mine = alarm.kind == AlarmKind.CHECK_IN_DUE and alarm.unit_id is not None
    return frozenset({unit_key(alarm.unit_id)} if mine and alarm.unit_id else ())


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query: the alarms of which `actor` sees some face."""
    if actor.role is Role.CREW and actor.unit_id:
        return (Alarm.kind == AlarmKind.CHECK_IN_DUE) & (Alarm.unit_id == actor.unit_id)
    return visible_whole_to(actor)


def visible_whole_to(actor: Actor) -> ColumnElement[bool]:
    """The alarms that `actor` sees whole."""
    if actor.role is Role.SYSTEM:
        return true()
    return Alarm.sensitivity <= actor.reach if actor.role in OPERATIONS else false()


def faces_of(alarm: Alarm) -> Faces:
    """How an alarm shows itself: whole, or to a crew without who has it; cleared it leaves every board."""
    if alarm.state == S.CLEARED:
        return ()
    bare = {
        "subject": alarm.subject,
        "id": str(alarm.id),
        "version": alarm.version,
        "kind": alarm.kind,
        "severity": alarm.severity,
        "state": alarm.state,
        "about": alarm.about,
        "since": alarm.since.isoformat(),
        "raised_at": alarm.raised_at.isoformat(),
        "incident_id": _text(alarm.incident_id),
        "incident_code": alarm.incident_code,
        "unit_id": _text(alarm.unit_id),
        "call_sign": alarm.call_sign,
        "assignment_id": _text(alarm.assignment_id),
        "facts": alarm.facts,
    }
    whole = bare | {
        "level": alarm.level,
        "step": alarm.step,
        "whom": alarm.whom,
        "escalated_at": _time(alarm.escalated_at),
        "answered_at": _time(alarm.answered_at),
        "answered_by": alarm.answered_by,
        "answer_note": alarm.answer_note,
        "shelved_until": _time(alarm.shelved_until),
        "shelved_by": alarm.shelved_by,
        "shelve_reason": alarm.shelve_reason,
    }
    return tuple(
        Face(audience, {"type": "Feature", "geometry": None, "properties": properties})
        for audience, properties in ((audience_of(alarm), whole), (crew_of(alarm), bare))
        if audience
    )


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


async def access_alarm(
    session: AsyncSession, actor: Actor, alarm_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Alarm:
    """The only way to an alarm: it must exist and the actor must see it whole.

    Raises `NotFound` (absent and hidden look the same) and `VersionMismatch`.
    """
    query = select(Alarm).where(Alarm.id == alarm_id, visible_whole_to(actor))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    alarm = (await session.scalars(query)).first()
    if alarm is None:
        raise NotFound
    if expected is not None and expected != alarm.version:
        raise VersionMismatch(expected=expected, current=alarm.version)
    return alarm


# ── Whom to tell ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom an alarm is with now: everybody of these roles who may know it, or one authority on call."""

    step: Step
    roles: frozenset[Role] = frozenset()
    on_call: OnCall | None = None


async def to_be_told(session: AsyncSession, alarm: Alarm, at: dt.datetime | None = None) -> Recipient | None:
    """Who should be told of an alarm now: what a delivery (e-mail, push, a call) asks. None once it is over."""
    if alarm.state in {S.CLEARED, S.SHELVED, S.ANSWERED}:
        return None
    return await recipient(session, Step(alarm.step), at or now())


async def recipient(session: AsyncSession, step: Step, at: dt.datetime) -> Recipient | None:
    """Who stands at a step at a moment; None when nobody is on call with that rank."""
    if step in _ROLES:
        return Recipient(step, _ROLES[step])
    rank = int(step.removeprefix("on_call_"))
    order = await on_call_order(session, at)
    return Recipient(step, on_call=order[rank - 1]) if len(order) >= rank else None


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def raise_alarm(
    session: AsyncSession,
    kind: AlarmKind,
    *,
    about: str,
    since: dt.datetime,
    incident_id: UUID | None = None,
    unit_id: UUID | None = None,
    assignment_id: UUID | None = None,
    facts: dict[str, Any] | None = None,
    severity: Severity = Severity.HIGH,
    step: Step = Step.DESK,
    rule: str | None = None,
) -> Alarm | None:
    """Raise an alarm of `kind` about a subject that is so `since` a moment; None where that cause has had its alarm.

    Once per (kind, about, since), and one open alarm per (kind, about): the database sees to it, whoever asks at the
    same time. It is as secret as its incident.
    """
    await session.flush()
    incident = await session.get(Incident, incident_id) if incident_id else None
    unit = await session.get(Unit, unit_id) if unit_id else None
    at = now()
    made = (
        insert(Alarm)
        .values(
            id=new_id(),
            kind=kind,
            severity=severity,
            state=S.RAISED,
            state_since=at,
            about=about,
            since=since,
            raised_at=at,
            rule=rule,
            sensitivity=incident.sensitivity if incident else Sensitivity.PUBLIC,
            incident_id=incident_id,
            unit_id=unit_id,
            assignment_id=assignment_id,
            incident_code=incident.code if incident else None,
            call_sign=unit.call_sign if unit else None,
            facts=facts or {},
            level=0,
            step=step,
            whom="",
            answer_note="",
            shelve_reason="",
            version=0,
            told_to=[],
        )
        .on_conflict_do_nothing()
        .returning(Alarm.id)
    )
    alarm_id = await session.scalar(made)
    if alarm_id is not None:
        alarm = await session.get_one(Alarm, alarm_id)
        await _tell(session, VIGIA, "alarm.raised", alarm)
        return alarm
    return await _raise_again(session, kind, about, since, step)


async def _raise_again(
    session: AsyncSession, kind: AlarmKind, about: str, since: dt.datetime, step: Step
) -> Alarm | None:
    """An alarm that went because its rule was switched off comes back with the rule."""
    query = (
        select(Alarm)
        .where(Alarm.kind == kind, Alarm.about == about, Alarm.since == since, Alarm.cleared_why == Why.RULE_OFF)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    alarm = (await session.scalars(query)).first()
    if alarm is None:
        return None
    _begin_again(alarm, step)
    alarm.cleared_at = alarm.cleared_why = None
    await _tell(session, VIGIA, "alarm.raised", alarm)
    return alarm


async def answer_alarm(
    session: AsyncSession, actor: Actor, alarm_id: UUID, *, note: str = "", expected: int | None = None
) -> Alarm:
    """Have it in hand: it stops escalating and stays listed until its cause is gone. Raises `IllegalMove`."""
    require(actor, Permission.ALARM_ANSWER)
    alarm = await access_alarm(session, actor, alarm_id, lock=True, expected=expected)
    _set(alarm, S.ANSWERED)
    alarm.answered_at, alarm.answered_by, alarm.answer_note = now(), actor.name, note
    alarm.shelved_until = None
    await _tell(session, actor, "alarm.answered", alarm)
    return alarm


async def shelve_alarm(
    session: AsyncSession, actor: Actor, alarm_id: UUID, *, minutes: int, reason: str, expected: int | None = None
) -> Alarm:
    """Put an alarm aside for 5, 15 or 60 minutes, saying why; it comes back by itself. Raises `IllegalMove`."""
    require(actor, Permission.ALARM_ANSWER)
    alarm = await access_alarm(session, actor, alarm_id, lock=True, expected=expected)
    _set(alarm, S.SHELVED)
    alarm.shelved_until = now() + dt.timedelta(minutes=minutes)
    alarm.shelved_by, alarm.shelve_reason = actor.name, reason
    await _tell(session, actor, "alarm.shelved", alarm)
    return alarm


async def return_alarm(session: AsyncSession, alarm: Alarm, step: Step) -> None:
    """A locked alarm that was shelved, or answered without effect, is raised again from its first step."""
    _begin_again(alarm, step)
    alarm.shelved_until = None
    await _tell(session, VIGIA, "alarm.returned", alarm)


async def escalate_alarm(session: AsyncSession, alarm: Alarm, level: int, whom: Recipient) -> None:
    """A locked alarm that nobody answered goes to the next step."""
    alarm.level, alarm.step = level, whom.step
    alarm.whom = f"{whom.on_call.name}, {whom.on_call.title}".strip(", ") if whom.on_call else ""
    alarm.whom_id = whom.on_call.staff_id if whom.on_call else None
    alarm.escalated_at = alarm.state_since = now()
    await _tell(session, VIGIA, "alarm.escalated", alarm)


async def clear_alarm(session: AsyncSession, alarm: Alarm, why: Why) -> None:
    """A locked alarm whose cause is gone leaves every board; it stays in the books."""
    _set(alarm, S.CLEARED)
    alarm.cleared_at, alarm.cleared_why = now(), why
    await _tell(session, VIGIA, "alarm.cleared", alarm, why=why.value)


async def show_alarm_to(session: AsyncSession, alarm: Alarm, incident: Incident) -> None:
    """A locked alarm goes with an incident: as secret as that has become, or another's since its unit is."""
    alarm.incident_id, alarm.incident_code, alarm.sensitivity = incident.id, incident.code, incident.sensitivity
    await _tell(session, VIGIA, "alarm.retold", alarm)


def _set(alarm: Alarm, wanted: AlarmState) -> None:
    alarm.state = move(AlarmState(alarm.state), wanted, MOVES)
    alarm.state_since = now()


def _begin_again(alarm: Alarm, step: Step) -> None:
    _set(alarm, S.RAISED)
    alarm.level, alarm.step, alarm.whom, alarm.whom_id, alarm.escalated_at = 0, step, "", None, None


async def _tell(session: AsyncSession, actor: Actor, kind: str, alarm: Alarm, **more: str) -> None:
    alarm.version += 1
    detail = {
        "alarm": alarm.kind,
        "alarm_id": str(alarm.id),
        "call_sign": alarm.call_sign,
        "step": alarm.step,
        "level": alarm.level,
        "state": alarm.state,
    }
    await record(session, actor, kind, alarm, faces_of(alarm), incident_id=alarm.incident_id, detail=detail | more)


async def open_alarms(
    session: AsyncSession,
    *,
    incident_id: UUID | None = None,
    kinds: Collection[AlarmKind] = (),
) -> Sequence[Alarm]:
    """Alarms that are not cleared, locked, oldest first: of an incident, of some kinds."""
    query = select(Alarm).where(Alarm.state != S.CLEARED)
    if incident_id is not None:
        query = query.where(Alarm.incident_id == incident_id)
    if kinds:
        query = query.where(or_(*(Alarm.kind == kind for kind in kinds)))
    query = query.order_by(Alarm.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await session.scalars(query)).all()


# ── Board ─────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the alarms that are not cleared and that `actor` sees (of `ids`, when given)."""
    query = select(Alarm).where(Alarm.state != S.CLEARED, visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Alarm.id.in_(ids))
    return features_of(actor, (await session.scalars(query.order_by(Alarm.id))).all())


def features_of(actor: Actor, alarms: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Each alarm's feature as `actor` sees it."""
    faces = [face_for(actor.keys, faces_of(alarm)) for alarm in alarms]
    return [face for face in faces if face is not None]
