"""Who is at which incident at this moment: seats say so while they are there, and nobody remembers it afterwards.

Nothing hangs on it: a seat that fell silent is gone after `GONE_AFTER`, and the table may be lost at any time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ForeignKey, Text, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.incident import Incident, access_incident, visible_whole_to
from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from resources.people import Person

GONE_AFTER = dt.timedelta(seconds=15)  # three times what a seat takes to say it again


class Presence(Base):
    """One window of one person; `editing` is the field that they are changing there, "" for none."""

    __tablename__ = "presence"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012  (SQLAlchemy's own way)

    seat: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    incident_id: Mapped[UUID | None] = mapped_column(index=True)
    editing: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[dt.datetime]


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody else who is there."""

    person_id: UUID
    name: str
    editing: str


async def be_present(
    session: AsyncSession, actor: Actor, seat: UUID, *, incident_id: UUID | None, editing: str = ""
) -> list[Present]:
    """A window says at which incident it is; who else is there. Raises `NotFound` as `access_incident` does."""
    require(actor, Permission.INCIDENT_UPDATE)
    if incident_id is not None:
        await access_incident(session, actor, incident_id)
    at = now()
    row = {"person_id": actor.id, "incident_id": incident_id, "editing": editing, "seen_at": at}
    said = (
        insert(Presence)
        .values(seat=seat, **row)
        .on_conflict_do_update(index_elements=[Presence.seat], set_=row, where=Presence.person_id == actor.id)
    )
    await session.execute(said)
    await session.execute(delete(Presence).where(Presence.seen_at < at - 4 * GONE_AFTER))
    if incident_id is None:
        return []
    query = (
        select(Presence.person_id, Person.name, Presence.editing)
        .join(Person, Person.id == Presence.person_id)
        .join(Incident, Incident.id == Presence.incident_id)
        .where(
            Presence.incident_id == incident_id,
            Presence.person_id != actor.id,
            Presence.seen_at > at - GONE_AFTER,
            visible_whole_to(actor),
        )
        .order_by(Person.name, Presence.editing.desc())
    )
    there: dict[UUID, Present] = {}
    for person_id, name, what in await session.execute(query):
        there.setdefault(person_id, Present(person_id, name, what))
    return list(there.values())
