"""Tracking: what a reporter may know of what became of his report, ready before he asks.

The public page reads only this table: it holds steps and areas, never people, units or exact places. Receiving a
report writes the first step, so that its code works from the first second; `follow_up.py` writes the rest.
"""

from __future__ import annotations

import datetime as dt
import secrets
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.database import Base, now
from realtime.errors import NotFound

# No 0/O, 1/I/L; 31 symbols, 6 of them: 887 million codes, and looking them up is rate-limited.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class Step(StrEnum):
    """The five steps, and the two ways out, that a reporter is shown."""

    RECEIVED = "received"
    LOOKED_AT = "looked_at"
    ON_THE_WAY = "on_the_way"
    THERE = "there"
    DONE = "done"
    REFERRED = "referred"
    DISMISSED = "dismissed"


OVER = frozenset({Step.DONE, Step.REFERRED, Step.DISMISSED})


class Tracking(Base):
    """What one code shows: `steps` is `[{step, at}]` in the order they were reached; the last one is now."""

    __tablename__ = "tracking"
    __table_args__ = (Index("ix_tracking_ended_at", "ended_at", postgresql_where="ended_at IS NOT NULL"),)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    report_id: Mapped[UUID] = mapped_column(ForeignKey("reports.id"), unique=True)
    steps: Mapped[list[Any]]
    outcome: Mapped[str | None] = mapped_column(Text)  # a disposition or dismissal code of the catalogue
    deflected_to: Mapped[str | None] = mapped_column(Text)  # a channel of the catalogue
    subject: Mapped[str | None] = mapped_column(Text)  # the type's name, where it may be public
    zone: Mapped[str | None] = mapped_column(Text)
    area: Mapped[str | None] = mapped_column(Text)  # an office, never a person
    promised_at: Mapped[dt.datetime | None]  # by when somebody is to be there
    answer: Mapped[str | None] = mapped_column(Text)  # how it ended, in words for whoever reported it
    ended_at: Mapped[
        dt.datetime | None
    ]  # when it was over; `answered_at`: when this page said so; `read_at`: first seen
    answered_at: Mapped[dt.datetime | None]
    read_at: Mapped[dt.datetime | None]
    erased: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    reopened: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    updated_at: Mapped[dt.datetime]


def new_tracking_code() -> str:
    """`7K3-9QF`: unguessable enough behind a rate limit, and easy to say on the telephone."""
    symbols = "".join(secrets.choice(CODE_ALPHABET) for _ in range(6))
    return f"{symbols[:3]}-{symbols[3:]}"


def start_tracking(session: AsyncSession, code: str, report_id: UUID, *, at: dt.datetime, zone: str | None) -> None:
    """Give a report that was just received its page."""
    first = [reached(Step.RECEIVED, at)]
    session.add(Tracking(code=code, report_id=report_id, steps=first, zone=zone, updated_at=at))


def reached(step: Step, at: dt.datetime) -> dict[str, str]:
    """A step and when it was reached, as the page keeps it."""
    return {"step": step.value, "at": at.isoformat()}


def tidy_code(typed: str) -> str:
    """A code as people type it (` 7k3 9qf`) in its one spelling; codes hold no I, O, 0, 1 or L to confuse."""
    symbols = "".join(symbol for symbol in typed.upper() if symbol in CODE_ALPHABET)
    return f"{symbols[:3]}-{symbols[3:]}" if len(symbols) == 6 else ""


async def note_seen(session: AsyncSession, page: Tracking) -> None:
    """An answer was looked at for the first time: that is when its reporter knows."""
    first = update(Tracking).where(
        Tracking.code == page.code, Tracking.answered_at.is_not(None), Tracking.read_at.is_(None)
    )
    await session.execute(first.values(read_at=now()))


async def tracked(session: AsyncSession, typed: str) -> Tracking:
    """The page behind a code. Raises `NotFound`; the caller limits how often anybody may ask."""
    found = await session.get(Tracking, tidy_code(typed), populate_existing=True)
    if found is None:
        raise NotFound
    return found
