"""Creations happen once: the id that the client made is the key, the answer is kept seven days.

Claiming the key, the work and keeping the answer are one transaction: either all happened or none did.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor
from realtime.database import Base, now
from realtime.errors import KeyReused

KEPT = dt.timedelta(days=7)  # telephones come back after days, not hours
NOBODY = UUID(int=0)


class KeptAnswer(Base):
    """The answer that a principal got for a key."""

    __tablename__ = "kept_answers"

    principal: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[UUID] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, Any] | None]
    made_at: Mapped[dt.datetime] = mapped_column(default=now, index=True)


async def answer_once(
    session: AsyncSession,
    actor: Actor,
    key: UUID,
    request: dict[str, Any],
    do: Callable[[], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    """Do it, or give the answer of the first time. Raises `KeyReused` when the same key asks for something else.

    Two at once: the second waits at the key until the first has committed, then reads its answer.
    """
    principal = actor.id or NOBODY
    # The slow encoder, because it takes whatever a body may hold: integers beyond 64 bits, halves of surrogates.
    digest = hashlib.sha256(json.dumps(request, sort_keys=True, separators=(",", ":")).encode()).digest()
    claim = insert(KeptAnswer).values(principal=principal, key=key, request_hash=digest, made_at=now())
    mine = KeptAnswer.principal == principal, KeptAnswer.key == key
    if (await session.execute(claim.on_conflict_do_nothing().returning(KeptAnswer.key))).first() is None:
        kept = (await session.execute(select(KeptAnswer.request_hash, KeptAnswer.answer).where(*mine))).one()
        if kept.request_hash != digest:
            raise KeyReused
        answer: dict[str, Any] = kept.answer
        return answer
    fresh = await do()
    await session.execute(update(KeptAnswer).where(*mine).values(answer=fresh))
    return fresh


async def sweep_answers(session: AsyncSession) -> None:
    """Forget answers older than seven days."""
    await session.execute(delete(KeptAnswer).where(KeptAnswer.made_at < now() - KEPT))
