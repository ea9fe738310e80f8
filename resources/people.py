"""People who have an account: what they do here, for whom, and with which unit."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from pwdlib import PasswordHash
from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, Role, require
from realtime.database import Base, Sessions, now, reading
from realtime.errors import AlreadyExists, Malformed, NotAllowed, NotFound
from resources.organizations import Organization, access_organization

HASHER = PasswordHash.recommended()  # argon2id
# A hash takes a tenth of a second and 64 MB: a morning shift that signs in at once must not stop the dispatchers.
HASHING = ThreadPoolExecutor(max_workers=2, thread_name_prefix="hashing")

# Whom a role may work for would be a table; one rule is enough: nobody gives a right that he does not have himself.
ACCOUNT_ROLES = frozenset(Role) - {Role.NEIGHBOUR, Role.SYSTEM}


class WeakPassword(Malformed):
    """The password must have between 12 and 1,024 characters."""


class Person(Base):
    """One account. `username` is compared without regard to case."""

    __tablename__ = "people"
    __table_args__ = (
        Index("uq_people_username", text("lower(username)"), unique=True),
        CheckConstraint("clearance BETWEEN 0 AND 3", name="clearance"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(Text)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    clearance: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    disabled_at: Mapped[dt.datetime | None]


def actor_for(person: Person, organization: Organization) -> Actor:
    """The actor that a person is, right now."""
    return Actor(
        name=person.name,
        role=Role(person.role),
        id=person.id,
        organization_id=person.organization_id,
        unit_id=person.unit_id,
        zone_ids=frozenset(organization.zone_ids),
        clearance=person.clearance,
    )


async def hashed(password: str) -> str:
    """The password's argon2id hash, made off the event loop. Raises `WeakPassword` outside 12 to 1,024 characters."""
    if not 12 <= len(password) <= 1024:
        raise WeakPassword
    return await digest(password)


async def digest(secret: str) -> str:
    """The argon2id hash of a password or a PIN, made off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(HASHING, HASHER.hash, secret)


async def matches(secret: str, against: str | None) -> bool:
    """Whether a hash is this secret's; it takes as long when there is no hash at all."""
    return await asyncio.get_running_loop().run_in_executor(HASHING, _verified, secret, against)


async def add_person(
    session: AsyncSession,
    actor: Actor,
    person_id: UUID,
    *,
    username: str,
    password: str,
    name: str,
    role: Role,
    organization_id: UUID,
    unit_id: UUID | None = None,
    clearance: int = 0,
) -> Person:
    """Give somebody an account."""
    require(actor, Permission.PEOPLE_MANAGE)
    if role not in ACCOUNT_ROLES:
        raise NotAllowed(permission=role.value)
    await access_organization(session, organization_id)
    if await _by_username(session, username):
        raise AlreadyExists
    person = Person(
        id=person_id,
        username=username.strip(),
        name=name,
        password_hash=await hashed(password),
        role=role,
        organization_id=organization_id,
        unit_id=unit_id,
        clearance=clearance,
    )
    session.add(person)
    await session.flush()
    return person


async def access_person(session: AsyncSession, actor: Actor, person_id: UUID, *, lock: bool = False) -> Person:
    """The way to somebody else's account: only for those who manage people."""
    require(actor, Permission.PEOPLE_MANAGE)
    person = await session.get(Person, person_id, with_for_update={"key_share": True} if lock else None)
    if person is None:
        raise NotFound
    return person


async def disable_person(session: AsyncSession, actor: Actor, person_id: UUID) -> Person:
    """Close an account: open sessions and feeds end within two seconds."""
    person = await access_person(session, actor, person_id, lock=True)
    person.disabled_at = person.disabled_at or now()
    return person


async def all_people(session: AsyncSession, actor: Actor) -> Sequence[Person]:
    """Every account, by name."""
    require(actor, Permission.PEOPLE_MANAGE)
    return (await session.scalars(select(Person).order_by(Person.name))).all()


async def anybody_there(session: AsyncSession) -> bool:
    """Whether any account exists: an installation without one still waits for its first."""
    return (await session.scalar(select(Person.id).limit(1))) is not None


async def _by_username(session: AsyncSession, username: str) -> Person | None:
    query = select(Person).where(func.lower(Person.username) == username.strip().lower())
    return (await session.scalars(query)).first()


async def check_password(sessions: Sessions, username: str, password: str) -> Person | None:
    """The person whose username and password these are; None otherwise, in the same time either way.

    No connection is held while the hash is made: there are few, and dispatchers wait for them.
    """
    async with reading(sessions) as session:
        person = await _by_username(session, username)
    known = person is not None and person.disabled_at is None
    against = person.password_hash if person is not None else None
    right = await matches(password, against)
    return person if known and right else None


def _verified(password: str, against: str | None) -> bool:
    verified = HASHER.verify(password[:1024], against or _nobodys_hash())
    return verified and against is not None and 0 < len(password) <= 1024


@functools.cache
def _nobodys_hash() -> str:
    return HASHER.hash("nobody has this password")
