"""Lines of the radio log: what was said over the air. One tied to an incident is as secret as that incident.

Each line keeps its incident's sensitivity, and `follow` brings it up to date in the transaction that changes the
incident. The last hour's lines are live; older ones are read from the book. The verbs are in `radio_log.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, SmallInteger, Text, false, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.undo import Reversible, Undoing, reversible
from realtime.access import OPERATIONS, VIGIA, Actor, Audience, Face, Faces, Role, face_for
from realtime.database import Base, now
from realtime.journal import Told, record


class RadioLine(Told, Base):
    """One line, as written. `said_at` is when it was heard, `logged_at` when it was written down.

    Struck it stays in the book, crossed out. `on_air` is whether it is still on people's boards.
    """

    __tablename__ = "radio_lines"
    __table_args__ = (
        CheckConstraint("sensitivity BETWEEN 0 AND 3", name="sensitivity"),
        Index("ix_radio_lines_logged_at", "logged_at", "id"),
        Index("ix_radio_lines_unit_id", "unit_id", "logged_at"),
        Index("ix_radio_lines_incident_id", "incident_id", postgresql_where=text("incident_id IS NOT NULL")),
        Index("ix_radio_lines_on_air", "id", postgresql_where=text("on_air")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    call_sign: Mapped[str | None] = mapped_column(Text)
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incidents.id"))
    incident_code: Mapped[str | None] = mapped_column(Text)
    sensitivity: Mapped[int] = mapped_column(SmallInteger, default=0)
    text: Mapped[str] = mapped_column(Text)
    said_at: Mapped[dt.datetime]
    logged_at: Mapped[dt.datetime] = mapped_column(default=now)
    logged_by: Mapped[str] = mapped_column(Text)
    logged_by_id: Mapped[UUID | None]
    struck_at: Mapped[dt.datetime | None]
    struck_by: Mapped[str | None] = mapped_column(Text)
    struck_reason: Mapped[str | None] = mapped_column(Text)
    on_air: Mapped[bool] = mapped_column(default=True)

    @property
    def subject(self) -> str:
        """`radio:<id>`."""
        return f"radio:{self.id}"


# ── Who may see: for one row, and for a query. A test asks both about every actor ─────────────────


def audience_of(line: RadioLine) -> Audience:
    """Operations, as far as they may know its incident; without one, all of them."""
    return frozenset({f"ops:{line.sensitivity}"})


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query."""
    if actor.role is Role.SYSTEM:
        return true()
    return RadioLine.sensitivity <= actor.reach if actor.role in OPERATIONS else false()


def faces_of(line: RadioLine) -> Faces:
    """How a line shows itself: whole, or not at all."""
    if not line.on_air:
        return ()
    return (Face(audience_of(line), {"type": "Feature", "geometry": None, "properties": shown(line)}),)


def shown(line: RadioLine) -> dict[str, Any]:
    """A line as those see it who may. `said_at` is when it was heard."""
    return {
        "subject": line.subject,
        "id": str(line.id),
        "version": line.version,
        "said_at": line.said_at.isoformat(),
        "logged_at": line.logged_at.isoformat(),
        "unit_id": str(line.unit_id) if line.unit_id else None,
        "call_sign": line.call_sign,
        "incident_id": str(line.incident_id) if line.incident_id else None,
        "incident_code": line.incident_code,
        "text": line.text,
        "by": line.logged_by,
        "by_id": str(line.logged_by_id) if line.logged_by_id else None,
        "struck": {"at": line.struck_at.isoformat(), "by": line.struck_by, "reason": line.struck_reason}
        if line.struck_at
        else None,
    }


# ── Telling ───────────────────────────────────────────────────────────────────────────────────────


async def tell(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    line: RadioLine,
    *,
    on_timeline: bool = True,
    detail: dict[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record a fact about a locked line; it stands in its incident's timeline without being told twice."""
    line.version += 1
    on = line.incident_id if on_timeline else None
    known = {"radio_id": str(line.id), "call_sign": line.call_sign} | (detail or {})
    await record(session, actor, kind, line, faces_of(line), incident_id=on, detail=known, occurred_at=occurred_at)


async def follow(session: AsyncSession, incident_id: UUID, *, sensitivity: int) -> None:
    """Tell the lines of a locked incident again, when others may know it from now on."""
    query = (
        select(RadioLine)
        .where(RadioLine.incident_id == incident_id, RadioLine.sensitivity != sensitivity)
        .order_by(RadioLine.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for line in (await session.scalars(query)).all():
        line.sensitivity = sensitivity
        if line.on_air:
            await tell(session, VIGIA, "radio.retold", line, on_timeline=False)


# ── Taken back ────────────────────────────────────────────────────────────────────────────────────


async def _lock(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, RadioLine]:
    query = select(RadioLine).where(RadioLine.id.in_(ids)).order_by(RadioLine.id).with_for_update(key_share=True)
    return {line.id: line for line in await session.scalars(query.execution_options(populate_existing=True))}


async def _put_back(session: AsyncSession, actor: Actor, undoing: Undoing, lines: Sequence[RadioLine]) -> None:
    """A line that is taken back is struck: its text stays in the book."""
    for line in lines:
        line.struck_at, line.struck_by, line.struck_reason = undoing.at, actor.name, ""
        await tell(session, actor, "radio.struck", line, detail=undoing.detail | {"reason": ""}, occurred_at=undoing.at)


reversible(Reversible(RadioLine, 4, _lock, _put_back, frozenset({"on_air", "sensitivity"})))


# ── Board ─────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the last hour's lines that `actor` sees (of `ids`, when given)."""
    query = select(RadioLine).where(RadioLine.on_air, visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(RadioLine.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(line)) for line in await session.scalars(query)]
    return [face for face in faces if face is not None]
