"""How often the same somebody may try: sign-ins, codes, reports. PostgreSQL counts, so restarts forget nothing.

An attempt is written in its own transaction before the thing is tried: refusing the request must not forget it.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.database import Base, Sessions, now, transaction
from realtime.errors import TooMany

LONGEST = dt.timedelta(hours=1)


class Attempt(Base):
    """One try. Who tried is kept only as a hash."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_who_at", "who", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    who: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime] = mapped_column(default=now)


def _who(what: str, who: str) -> bytes:
    return hashlib.sha256(f"{what}:{who}".encode("utf-8", "replace")).digest()


_TURN = text("SELECT pg_advisory_xact_lock(:who)")


async def attempt(
    sessions: Sessions, what: str, who: str, *, limit: int, within: dt.timedelta, in_turn: bool = False
) -> None:
    """Count a try of `what` by `who`. Raises `TooMany` over `limit` tries in `within`.

    Tries at once may all count before any of them is written down; `in_turn` makes them wait for each other,
    which is for passwords, not for a whole command centre behind one address.
    """
    async with transaction(sessions) as session:
        if in_turn:
            await session.execute(_TURN, {"who": int.from_bytes(_who(what, who)[:8], "big", signed=True)})
        mine, since = Attempt.who == _who(what, who), now() - within
        tries, oldest = (
            await session.execute(select(func.count(), func.min(Attempt.at)).where(mine, Attempt.at > since))
        ).one()
        if tries < limit:
            session.add(Attempt(who=_who(what, who), at=now()))
            return
    raise TooMany(seconds=max(1, int((oldest - since).total_seconds()) + 1))


async def forgive(session: AsyncSession, what: str, who: str) -> None:
    """It was the right one after all: its tries do not count."""
    await session.execute(delete(Attempt).where(Attempt.who == _who(what, who)))


async def sweep_attempts(session: AsyncSession) -> None:
    """Forget tries that no longer count for anything."""
    await session.execute(delete(Attempt).where(Attempt.at < now() - LONGEST))
