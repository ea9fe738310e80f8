"""Handing over: who leaves a seat tells who comes what stands open, and both names stay in the book.

The page is frozen when it is handed over. Who reads it later reads of it what they may see by then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.alarms import Alarm, AlarmState
from incidents.alarms import visible_whole_to as alarm_seen_by
from incidents.catalogue import catalogue
from incidents.handling import reach_of
from incidents.incident import OVER, Incident, due_at, lock_incidents, tell, visible_whole_to
from incidents.reports import Report, ReportStatus
from incidents.reports import visible_to as report_seen_by
from realtime.access import OPERATIONS, Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal
from realtime.registers import Register, turn_page
from resources.people import Person

SHOWN = 100  # incidents of a page, the gravest first; in a storm nobody reads more, and every console would fetch them


class NotToYourself(Malformed):
    """A shift is handed over to somebody else."""


class NotAtADesk(Refusal):
    """That person does not work at a desk."""

    status = 409


class AlreadyReceived(Refusal):
    """It was received already, at {at}."""

    status = 409


class Handover(Base):
    """One page: from whom to whom, what was open then (`content`), and when the other one said that they have it."""

    __tablename__ = "handovers"
    __table_args__ = (Index("ix_handovers_made_at", "made_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    made_by: Mapped[str] = mapped_column(Text)
    to_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    to: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]]
    received_at: Mapped[dt.datetime | None]


async def desk_people(session: AsyncSession, actor: Actor) -> Sequence[Person]:
    """Whom a shift can be handed to: those who work at the desks, by name."""
    require(actor, Permission.SHIFT_HAND_OVER)
    query = select(Person).where(Person.role.in_(OPERATIONS), Person.disabled_at.is_(None), Person.id != actor.id)
    return (await session.scalars(query.order_by(Person.name, Person.id))).all()


async def hand_over(
    session: AsyncSession, actor: Actor, handover_id: UUID, *, to: UUID, note: str = "", pass_on: bool = False
) -> Handover:
    """Hand the shift over. `pass_on`: the incidents that the actor handles go too, those that the other may see.

    Raises `NotToYourself`, `NotAtADesk`.
    """
    require(actor, Permission.SHIFT_HAND_OVER)
    if await session.get(Handover, handover_id) is not None:
        raise AlreadyExists
    if to == actor.id:
        raise NotToYourself
    person = await session.get(Person, to)
    if person is None or person.disabled_at is not None or person.role not in OPERATIONS:
        raise NotAtADesk
    passed = await _pass_on(session, actor, person) if pass_on else []
    handover = Handover(
        id=handover_id,
        made_at=now(),
        made_by_id=actor.id,
        made_by=actor.name,
        to_id=person.id,
        to=person.name,
        note=note,
        content=await standing(session, actor) | {"passed": passed},
        received_at=None,
    )
    session.add(handover)
    detail = {"handover_id": str(handover.id), "incidents": len(passed)}
    await turn_page(session, actor, Register.HANDOVERS, "handover.made", detail=detail)
    return handover


async def receive_handover(session: AsyncSession, actor: Actor, handover_id: UUID) -> Handover:
    """Say that one has it: only who it was handed to. Raises `AlreadyReceived`."""
    require(actor, Permission.SHIFT_HAND_OVER)
    handover = await session.get(Handover, handover_id, with_for_update=True, populate_existing=True)
    if handover is None or handover.to_id != actor.id:
        raise NotFound
    if handover.received_at is not None:
        raise AlreadyReceived(at=handover.received_at)
    handover.received_at = now()
    detail = {"handover_id": str(handover.id)}
    await turn_page(session, actor, Register.HANDOVERS, "handover.received", detail=detail)
    return handover


async def handovers(
    session: AsyncSession, actor: Actor, *, limit: int, before: UUID | None = None
) -> list[dict[str, Any]]:
    """The book, the last page first, each as the actor may read it now. `before`: the last page already read."""
    require(actor, Permission.SHIFT_HAND_OVER)
    query = select(Handover).order_by(Handover.made_at.desc(), Handover.id.desc()).limit(limit)
    if before is not None:
        last = await session.get(Handover, before)
        if last is None:
            raise NotFound
        query = query.where(tuple_(Handover.made_at, Handover.id) < (last.made_at, last.id))
    found = (await session.scalars(query)).all()
    rows = [row for one in found for part in ("incidents", "alarms") for row in one.content[part]]
    ids = {UUID(row["incident_id"]) for row in rows if row["incident_id"]}
    seen = set(await session.scalars(select(Incident.id).where(Incident.id.in_(ids), visible_whole_to(actor))))
    return [_shown(one, seen) for one in found]


async def standing(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """What stands open at this moment, of what the actor may see whole: the gravest and oldest first."""
    at = now()
    query = select(Incident).where(visible_whole_to(actor), Incident.state.not_in(OVER))
    incidents = []
    for one in (await session.scalars(query.order_by(Incident.priority, Incident.opened_at, Incident.id))).all():
        words = await catalogue(session, one.catalogue_version)
        due = due_at(one, words)
        incidents.append(
            {
                "incident_id": str(one.id),
                "code": one.code,
                "type_name": words.type(one.type_code).name,
                "priority": one.priority,
                "state": one.state,
                "place": one.place,
                "summary": one.summary,
                "handler": one.handler,
                "opened_at": one.opened_at.isoformat(),
                "due_at": due.isoformat() if due else None,
                "overdue": due is not None and due < at,
                "tasks": one.tasks.get("open", 0),
            }
        )
    shelved = select(Alarm).where(Alarm.state == AlarmState.SHELVED, alarm_seen_by(actor)).order_by(Alarm.shelved_until)
    waiting = select(func.count()).where(Report.status == ReportStatus.RECEIVED, report_seen_by(actor))
    return {
        "incidents": incidents,
        "alarms": [
            {
                "incident_id": str(one.incident_id) if one.incident_id else None,
                "code": one.incident_code,
                "kind": one.kind,
                "call_sign": one.call_sign,
                "until": one.shelved_until.isoformat() if one.shelved_until else None,
                "by": one.shelved_by,
                "reason": one.shelve_reason,
            }
            for one in await session.scalars(shelved)
        ],
        "reports": await session.scalar(waiting) or 0,
    }


async def _pass_on(session: AsyncSession, actor: Actor, person: Person) -> list[str]:
    mine = select(Incident.id).where(Incident.handler_id == actor.id, Incident.state.not_in(OVER))
    passed = []
    for incident in (await lock_incidents(session, list(await session.scalars(mine)))).values():
        if incident.handler_id != actor.id or reach_of(person) < incident.sensitivity:
            continue
        incident.handler_id, incident.handler = person.id, person.name
        await tell(session, actor, "incident.handled", incident, detail={"from": actor.name, "to": person.name})
        passed.append(incident.code)
    return passed


def _shown(one: Handover, seen: set[UUID]) -> dict[str, Any]:
    def kept(part: str) -> list[dict[str, Any]]:
        return [row for row in one.content[part] if not row["incident_id"] or UUID(row["incident_id"]) in seen]

    open_ = kept("incidents")
    codes = {row["code"] for row in open_}
    return {
        "id": str(one.id),
        "made_at": one.made_at,
        "made_by": {"id": str(one.made_by_id), "name": one.made_by},
        "to": {"id": str(one.to_id), "name": one.to},
        "note": one.note,
        "received_at": one.received_at,
        "content": one.content
        | {
            "incidents": open_[:SHOWN],
            "open": len(open_),
            "overdue": sum(row["overdue"] for row in open_),
            "alarms": kept("alarms"),
            "passed": [code for code in one.content["passed"] if code in codes],
        },
    }
