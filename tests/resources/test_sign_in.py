"""How long somebody stays signed in."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.database import now
from resources.sign_in import SignIn, actor_of, hash_of, still_signed_in, sweep_sign_ins
from tests.builders import City

TOKEN = "a token of this test"


async def _signed_in_since(session: AsyncSession, person: str, ago: dt.timedelta, idle: dt.timedelta) -> None:
    city = City()
    session.add(SignIn(token_hash=hash_of(TOKEN), person_id=city.people[person][0], user_agent=""))
    await session.flush()
    await session.execute(update(SignIn).values(created_at=now() - ago, last_seen_at=now() - idle))


@pytest.mark.parametrize(
    ("person", "hours", "idle_hours", "lives"),
    [
        ("dispatcher", 1, 0, True),
        ("dispatcher", 25, 0, False),  # a day at the longest
        ("dispatcher", 13, 13, False),  # a shift without a sign of life
        ("wall", 25, 0, True),  # nobody signs a wall in again each morning
        ("wall", 24 * 31, 0, False),
        ("wall", 25, 13, False),
    ],
)
async def test_a_session_lasts_as_long_as_its_kind(
    session: AsyncSession, person: str, hours: int, idle_hours: int, lives: bool
) -> None:
    await _signed_in_since(session, person, dt.timedelta(hours=hours), dt.timedelta(hours=idle_hours))
    await sweep_sign_ins(session)
    found = await actor_of(session, TOKEN)
    assert (found is not None) is lives
    again = await still_signed_in(session, [hash_of(TOKEN)])
    assert again == ({hash_of(TOKEN): City().actor(person)} if lives else {})
