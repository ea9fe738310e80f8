"""Sessions: opaque, in PostgreSQL, ended at once everywhere when they or their person end.

The cookie carries 256 random bits; the table keeps only their hash.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, LargeBinary, Text, and_, case, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Role
from realtime.database import Base, Sessions, now
from realtime.errors import Refusal
from resources.organizations import Organization
from resources.people import Person, access_person, actor_for, check_password, hashed

IDLE = dt.timedelta(hours=12)  # a shift
ABSOLUTE = dt.timedelta(hours=24)
ON_THE_WALL = dt.timedelta(days=30)  # nobody sits at a wall screen to sign in again, and it may only look
UNPLUGGED = dt.timedelta(days=60)  # a screen that was not switched on for so long is somewhere else
SEEN_EVERY = dt.timedelta(minutes=5)  # how stale `last_seen_at` may be: a write per request would be waste


class WrongPassword(Refusal):
    """The username or the password is wrong."""

    status = 401


class SignIn(Base):
    """One session of one person."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_seen_at: Mapped[dt.datetime] = mapped_column(default=now)
    user_agent: Mapped[str] = mapped_column(Text, default="")
    standing: Mapped[bool] = mapped_column(default=False)  # a wall's: it lasts until somebody ends it


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A living session."""

    token_hash: bytes
    actor: Actor
    person: Person
    organization: Organization
    last_seen_at: dt.datetime
    standing: bool = False


def hash_of(token: str) -> bytes:
    """What the table keeps of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def sign_in(
    sessions: Sessions, session: AsyncSession, *, username: str, password: str, user_agent: str = ""
) -> tuple[str, SignedIn]:
    """Check the password, apart, and open a session: its token (told once) and who it is."""
    checked = await check_password(sessions, username, password)
    person = checked and await session.get(Person, checked.id)
    if person is None or checked is None or _changed_since(checked, person):
        raise WrongPassword
    organization = await session.get_one(Organization, person.organization_id)
    token = secrets.token_urlsafe(32)
    row = SignIn(token_hash=hash_of(token), person_id=person.id, user_agent=user_agent[:200])
    session.add(row)
    await session.flush()
    return token, SignedIn(row.token_hash, actor_for(person, organization), person, organization, row.last_seen_at)


def _changed_since(checked: Person, person: Person) -> bool:
    return person.disabled_at is not None or person.password_hash != checked.password_hash


async def sign_out(session: AsyncSession, token_hash: bytes) -> None:
    """End a session."""
    await session.execute(delete(SignIn).where(SignIn.token_hash == token_hash))


async def set_password(session: AsyncSession, actor: Actor, person_id: UUID, *, password: str) -> None:
    """Give an account a new password; whoever was signed in with the old one is out."""
    person = await access_person(session, actor, person_id, lock=True)
    person.password_hash = await hashed(password)
    await session.execute(delete(SignIn).where(SignIn.person_id == person.id))


async def actor_of(session: AsyncSession, token: str) -> SignedIn | None:
    """Who holds this token; None when there is no living session behind it."""
    query = (
        select(SignIn.token_hash, SignIn.last_seen_at, SignIn.standing, Person, Organization)
        .join(Person, Person.id == SignIn.person_id)
        .join(Organization, Organization.id == Person.organization_id)
        .where(*_living([hash_of(token)]))
        .execution_options(populate_existing=True)
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    person, organization = row.Person, row.Organization
    return SignedIn(
        row.token_hash, actor_for(person, organization), person, organization, row.last_seen_at, row.standing
    )


async def still_signed_in(session: AsyncSession, token_hashes: Collection[bytes]) -> dict[bytes, Actor]:
    """Of these sessions, those that still live, each with what its person may know now.

    Asked each second about every open feed, so it reads columns and builds no rows.
    """
    query = (
        select(
            SignIn.token_hash,
            *(Person.name, Person.role, Person.id, Person.organization_id, Person.unit_id, Person.clearance),
            Organization.zone_ids,
        )
        .join(Person, Person.id == SignIn.person_id)
        .join(Organization, Organization.id == Person.organization_id)
        .where(*_living(token_hashes))
    )
    return {
        token_hash: Actor(name, Role(role), id_, organization_id, unit_id, frozenset(zone_ids), clearance)
        for token_hash, name, role, id_, organization_id, unit_id, clearance, zone_ids in await session.execute(query)
    }


def _living(token_hashes: Collection[bytes]) -> tuple[ColumnElement[bool], ...]:
    """What is asked of a session joined to its person."""
    age = case((Person.role == Role.WALL, ON_THE_WALL), else_=ABSOLUTE)
    return (
        SignIn.token_hash.in_(token_hashes),
        or_(SignIn.standing, and_(SignIn.last_seen_at > now() - IDLE, SignIn.created_at + age > now())),
        Person.disabled_at.is_(None),
    )


def is_stale(found: SignedIn) -> bool:
    """Whether it is time to note that this session is in use."""
    return found.last_seen_at < now() - SEEN_EVERY


async def keep_alive(session: AsyncSession, token_hashes: Collection[bytes]) -> None:
    """Note that these sessions are in use."""
    stale = SignIn.last_seen_at < now() - SEEN_EVERY
    await session.execute(update(SignIn).where(SignIn.token_hash.in_(token_hashes), stale).values(last_seen_at=now()))


async def sweep_sign_ins(session: AsyncSession) -> None:
    """Forget sessions that ended by themselves."""
    over = (SignIn.last_seen_at < now() - IDLE) | (SignIn.created_at < now() - ON_THE_WALL)
    forgotten = SignIn.last_seen_at < now() - UNPLUGGED
    await session.execute(delete(SignIn).where(case((SignIn.standing, forgotten), else_=over)))
