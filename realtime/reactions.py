"""Reactions: what upper floors do after a fact, in order, at their own cursor.

The cursor moves in the transaction of the effect, so each fact has its effect once; a reaction must still bear to
run twice on the same fact, because restoring a backup may take the cursor back.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy import BigInteger, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.database import Base, Sessions, transaction
from realtime.journal import Entry

log = structlog.get_logger()

Reaction = Callable[[AsyncSession, Entry], Awaitable[None]]
Chore = Callable[[AsyncSession], Awaitable[None]]

BATCH = 100  # entries per transaction: long enough to be cheap, short enough to hold no lock for long


class ReactionCursor(Base):
    """How far a reaction has come."""

    __tablename__ = "reaction_cursors"

    name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)


async def react(sessions: Sessions, name: str, reaction: Reaction) -> int:
    """Let `reaction` see the next entries; how many there were. Several workers take turns on the cursor's row."""
    async with transaction(sessions) as session:
        await session.execute(insert(ReactionCursor).values(name=name, seq=0).on_conflict_do_nothing())
        cursor = await session.get_one(ReactionCursor, name, with_for_update=True)
        query = select(Entry).where(Entry.seq > cursor.seq).order_by(Entry.seq).limit(BATCH)
        entries = (await session.scalars(query)).all()
        for entry in entries:
            await reaction(session, entry)
            cursor.seq = entry.seq or cursor.seq
        return len(entries)


# Asked without a lock, for all at once: a quiet night writes nothing.
_BEHIND = text("""
    SELECT name FROM unnest(CAST(:names AS text[])) AS name LEFT JOIN reaction_cursors USING (name)
    WHERE coalesce(reaction_cursors.seq, 0) < (SELECT max(seq) FROM journal)
""")


async def run_reactions(sessions: Sessions, reactions: Mapping[str, Reaction], *, every: float = 0.5) -> None:
    """Follow the journal for ever, `every` seconds when there is nothing to do."""
    called = {name: asyncio.Event() for name in reactions}

    async def look() -> None:
        while True:
            try:
                async with sessions() as session:
                    behind = (await session.scalars(_BEHIND, {"names": list(reactions)})).all()
            except (SQLAlchemyError, OSError):
                log.exception("reactions cannot look; they will try again")
                behind = []
            for name in behind:
                called[name].set()
            await asyncio.sleep(every)

    async def follow(name: str, reaction: Reaction) -> None:
        while True:
            await called[name].wait()
            called[name].clear()
            try:
                while await react(sessions, name, reaction) == BATCH:
                    pass
            except (SQLAlchemyError, OSError):
                log.exception("reaction failed; it will be tried again", reaction=name)

    await asyncio.gather(look(), *(follow(name, reaction) for name, reaction in reactions.items()))


async def run_chores(sessions: Sessions, chores: Mapping[str, tuple[dt.timedelta, Chore]]) -> None:
    """Do each chore at its interval, one transaction each, for ever."""

    async def repeat(name: str, every: dt.timedelta, chore: Chore) -> None:
        while True:
            try:
                async with transaction(sessions) as session:
                    await chore(session)
            except (SQLAlchemyError, OSError):
                log.exception("chore failed; it will be tried again", chore=name)
            await asyncio.sleep(every.total_seconds())

    await asyncio.gather(*(repeat(name, every, chore) for name, (every, chore) in chores.items()))
