"""What a person likes at whatever seat: volume, keys, theme. It follows the person and is nobody else's business."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.database import Base, now


class Preferences(Base):
    """One person's, whole; `content` is what the screens said (`web/api/preferences.py` knows its shape)."""

    __tablename__ = "preferences"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[dict[str, Any]]
    changed_at: Mapped[dt.datetime] = mapped_column(default=now)


async def preferences_of(session: AsyncSession, person_id: UUID) -> Preferences | None:
    """What somebody likes; None before anything was said."""
    return await session.get(Preferences, person_id)


async def keep_preferences(session: AsyncSession, person_id: UUID, content: dict[str, Any]) -> None:
    """From now on like this. The last word counts: it is one person."""
    kept = insert(Preferences).values(person_id=person_id, content=content, changed_at=now())
    said = {"content": kept.excluded.content, "changed_at": kept.excluded.changed_at}
    await session.execute(kept.on_conflict_do_update(index_elements=[Preferences.person_id], set_=said))
