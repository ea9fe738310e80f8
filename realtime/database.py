"""The session and the one place that commits.

One request, command or reaction is one transaction. Verbs take the session and never commit; need an id
from the database? `flush()`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from uuid_utils.compat import uuid7

Sessions = async_sessionmaker[AsyncSession]


class Base(DeclarativeBase):
    """Every table. Times are aware UTC; dicts and lists are jsonb."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads it from the class)
        dt.datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def now() -> dt.datetime:
    """The present instant, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def new_id() -> UUID:
    """A UUIDv7: sorts by the time it was made."""
    return uuid7()


# Nothing may hang a dispatcher: a query has 3 s, a lock 2 s (F04, F20), an idle transaction 10 s.
LIMITS = "-c statement_timeout=3000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"


def connect(url: str, *, pool: int = 10, limits: str = LIMITS) -> AsyncEngine:
    """An engine for `url` (postgresql+psycopg://…) with `pool` connections and bounded waits, in seconds."""
    return create_async_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=2,  # better a clear 503 than a queue nobody sees
        pool_pre_ping=True,  # after a database restart every pooled connection is dead
        pool_recycle=1800,
        connect_args={"connect_timeout": 2, "options": limits, "tcp_user_timeout": 5000},
    )


def sessions_of(engine: AsyncEngine) -> Sessions:
    """The maker of sessions for `engine`; rows stay readable after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def transaction(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """The only way to change anything: commits when the block ends, rolls back when it raises."""
    async with sessions() as session, session.begin():
        yield session


@asynccontextmanager
async def reading(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A read-only transaction in which every query sees the same instant (REPEATABLE READ)."""
    async with sessions() as session, session.begin():
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        yield session
