"""Callers: who called before from a number, what came of it, and whether that number may be called back.

A caller is no row: he is the reports that hold his number, so he is known exactly as long as their contacts are kept.
Every look is recorded; the number itself stands in no journal and on no feed.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.catalogue import catalogue
from incidents.incident import Incident, visible_whole_to
from incidents.reports import Report, visible_to
from incidents.telephone import normal_phone
from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import Malformed, NotFound, Refusal
from realtime.registers import Register, turn_page

SHOWN = 12  # former calls
AGAIN = dt.timedelta(hours=1)  # silent calls within it are said
ORPHANED = dt.timedelta(days=1)  # a flag of a number that no report holds is kept so long: its call is being taken
FLAGS_SHOWN = 5


class NoNumber(Malformed):
    """That is no telephone number."""


class AlreadyFlagged(Refusal):
    """That number is not to be called back already."""

    status = 409


class AlreadyLifted(Refusal):
    """That was lifted already."""

    status = 409


class CallerFlag(Base):
    """“No devolver llamado”: not to be called back from when until when, by whom and why. Never deleted while kept."""

    __tablename__ = "caller_flags"
    __table_args__ = (
        Index("ix_caller_flags_number", "number"),
        Index("one_live_flag_per_number", "number", unique=True, postgresql_where="lifted_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    set_at: Mapped[dt.datetime] = mapped_column(default=now)
    set_by: Mapped[str] = mapped_column(Text)
    lifted_at: Mapped[dt.datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(Text)
    lifted_why: Mapped[str | None] = mapped_column(Text)

    def shown(self) -> dict[str, Any]:
        """As answers carry it."""
        return {
            "id": str(self.id),
            "why": self.why,
            "at": self.set_at.isoformat(),
            "by": self.set_by,
            "lifted": {"at": self.lifted_at.isoformat(), "by": self.lifted_by, "why": self.lifted_why}
            if self.lifted_at
            else None,
        }


async def look_at_caller(session: AsyncSession, actor: Actor, phone: str) -> dict[str, Any]:
    """What is known of whoever calls from a number; the look is recorded. Raises `NoNumber`.

    Calls whose incident the actor may not see whole are not there, nor in the counts.
    """
    require(actor, Permission.REPORT_TRIAGE)
    number = await _number(session, phone)
    mine = (Report.contact_number == number, visible_to(actor))
    seen = (await session.scalars(select(Report).where(*mine).order_by(Report.received_at.desc()).limit(SHOWN))).all()
    flags = (
        await session.scalars(
            select(CallerFlag).where(CallerFlag.number == number).order_by(CallerFlag.set_at.desc()).limit(FLAGS_SHOWN)
        )
    ).all()
    silent = (*mine, Report.dismissal == "silent")
    told = {
        "number": number,
        "name": next((report.contact_name for report in seen if report.contact_name), None),
        "calls": await _calls(session, actor, seen),
        "total": await _count(session, *mine),
        "pranks": await _count(session, *mine, Report.dismissal == "hoax"),
        "silent": await _count(session, *silent),
        "silent_last_hour": await _count(session, *silent, Report.received_at > now() - AGAIN),
        "flag": next((flag.shown() for flag in flags if flag.lifted_at is None), None),
        "flags": [flag.shown() for flag in flags],
    }
    detail = {"reports": [str(report.id) for report in seen], "flags": [str(flag.id) for flag in flags]}
    await turn_page(session, actor, Register.CALLERS, "caller.seen", detail=detail)
    return told


async def flag_caller(session: AsyncSession, actor: Actor, flag_id: UUID, *, phone: str, why: str) -> CallerFlag:
    """Say that a number is not to be called back. Raises `NoNumber`, `AlreadyFlagged`."""
    require(actor, Permission.REPORT_TRIAGE)
    number = await _number(session, phone)
    if not await flag_number(session, actor, flag_id, number, why=why):
        raise AlreadyFlagged
    return await session.get_one(CallerFlag, flag_id)


async def flag_number(session: AsyncSession, actor: Actor, flag_id: UUID, number: str, *, why: str = "") -> bool:
    """The same of a number in its one spelling; whether it was not so already."""
    require(actor, Permission.REPORT_TRIAGE)
    made = insert(CallerFlag).values(id=flag_id, number=number, why=why, set_at=now(), set_by=actor.name)
    fresh = await session.scalar(made.on_conflict_do_nothing().returning(CallerFlag.id))
    if fresh is None:
        return False
    await turn_page(session, actor, Register.CALLERS, "caller.flagged", detail={"flag_id": str(flag_id)})
    return True


async def lift_flag(session: AsyncSession, actor: Actor, flag_id: UUID, *, why: str = "") -> CallerFlag:
    """Say that a number may be called back again. Raises `AlreadyLifted`."""
    require(actor, Permission.REPORT_TRIAGE)
    flag = await session.get(CallerFlag, flag_id, with_for_update=True, populate_existing=True)
    if flag is None:
        raise NotFound
    if flag.lifted_at is not None:
        raise AlreadyLifted
    flag.lifted_at, flag.lifted_by, flag.lifted_why = now(), actor.name, why
    await turn_page(session, actor, Register.CALLERS, "caller.unflagged", detail={"flag_id": str(flag.id)})
    return flag


async def sweep_callers(session: AsyncSession) -> None:
    """Forget the flags of numbers that no report holds any more: a caller is kept no longer than his contacts."""
    held = select(Report.id).where(Report.contact_number == CallerFlag.number).exists()
    await session.execute(delete(CallerFlag).where(~held, CallerFlag.set_at < now() - ORPHANED))


async def _number(session: AsyncSession, phone: str) -> str:
    number = normal_phone(phone, (await catalogue(session)).area_code)
    if number is None:
        raise NoNumber
    return number


async def _count(session: AsyncSession, *which: Any) -> int:
    return await session.scalar(select(func.count()).select_from(Report).where(*which)) or 0


async def _calls(session: AsyncSession, actor: Actor, reports: Any) -> list[dict[str, Any]]:
    ids = {report.incident_id for report in reports if report.incident_id is not None}
    query = select(Incident).where(Incident.id.in_(ids), visible_whole_to(actor))
    incidents = {incident.id: incident for incident in await session.scalars(query)}
    found = []
    for report in reports:
        incident = incidents.get(report.incident_id)
        found.append(
            {
                "report_id": str(report.id),
                "at": report.told_at.isoformat(),
                "place": report.place,
                "words": report.words,
                "status": report.status,
                "dismissal": report.dismissal,
                "deflected_to": report.deflected_to,
                "incident": {
                    "id": str(incident.id),
                    "code": incident.code,
                    "type_name": (await catalogue(session, incident.catalogue_version)).type(incident.type_code).name,
                    "state": incident.state,
                }
                if incident is not None
                else None,
            }
        )
    return found
