"""Registers: books that are read with GET and only tell the feed that they changed.

The staff, the shifts, the run cards: too large for a snapshot and changed a few times a day. Each register is one live
row with its edition; whoever shows it reads it again when that rises. The journal keeps what changed, and by whom.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Audience, Face, Faces, face_for
from realtime.database import Base, now
from realtime.journal import Told, record

NAMES = UUID("5f0c0f6e-6a53-4d0a-9d0a-2f6f1f2f7f11")  # the namespace of the registers' ids


class Register(StrEnum):
    """The books there are."""

    CALLERS = "callers"
    CAPABILITIES = "capabilities"
    COVERAGE_TARGETS = "coverage_targets"
    DEVICES = "devices"
    EQUIPMENT = "equipment"
    FACILITIES = "facilities"
    HANDOVERS = "handovers"
    ON_CALL = "on_call"
    PAST = "past"
    PREMISES = "premises"
    RUN_CARDS = "run_cards"
    SHIFTS = "shifts"
    STAFF = "staff"
    STORM_POLICY = "storm_policy"
    WATCHDOGS = "watchdogs"


# Who is told that a register changed; what they may read of it is each GET's business.
READERS: Audience = frozenset({"ops:0", "government:0", "administrator"})


class RegisterRow(Told, Base):
    """One register's edition."""

    __tablename__ = "registers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[Register] = mapped_column(Text, unique=True)
    changed_at: Mapped[dt.datetime] = mapped_column(default=now)
    changed_by: Mapped[str] = mapped_column(Text, default="")

    @property
    def subject(self) -> str:
        """`register:<id>`."""
        return f"register:{self.id}"


def faces_of(row: RegisterRow) -> Faces:
    """How a register shows itself: that it changed, when, and by whom."""
    properties = {
        "subject": row.subject,
        "id": str(row.id),
        "version": row.version,
        "name": row.name,
        "changed_at": row.changed_at.isoformat(),
        "changed_by": row.changed_by,
    }
    return (Face(READERS, {"type": "Feature", "geometry": None, "properties": properties}),)


async def turn_page(
    session: AsyncSession,
    actor: Actor,
    name: Register,
    kind: str,
    *,
    detail: dict[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record that `actor` did `kind` to something in a register. Last act of the verb: it locks the register's row.

    `detail` holds no personal data: ids and codes, never names.
    """
    id_ = uuid5(NAMES, name)
    await session.flush()
    there = insert(RegisterRow).values(id=id_, name=name, changed_at=now(), changed_by="", version=0, told_to=[])
    await session.execute(there.on_conflict_do_nothing())
    query = select(RegisterRow).where(RegisterRow.id == id_).with_for_update(key_share=True)
    row = (await session.scalars(query.execution_options(populate_existing=True))).one()
    row.version += 1
    row.changed_at, row.changed_by = now(), actor.name
    await record(session, actor, kind, row, faces_of(row), detail=detail, occurred_at=occurred_at)


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The registers that `actor` is told about (of `ids`, when given)."""
    query = select(RegisterRow).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(RegisterRow.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(row)) for row in await session.scalars(query)]
    return [face for face in faces if face is not None]
