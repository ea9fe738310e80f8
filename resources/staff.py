"""Staff: the people who crew the units, with their file number, role and credentials. Not everybody has an account.

Expiry is judged when it is read: a credential is in force from `valid_from` until `valid_until` unless it was withdrawn
before, so any past moment can be asked too. The rules for rest and hours are data with editions, like the roles.
These are personal data: who may read what stands at `Seen`, and the journal holds ids only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import OPERATIONS, Actor, Permission, Role, require
from realtime.database import Base, Sessions, new_id, now, reading
from realtime.errors import AlreadyExists, Malformed, NotAllowed, NotFound, VersionMismatch
from realtime.lifecycle import move
from realtime.registers import Register, turn_page
from resources import people
from resources.organizations import access_organization
from resources.people import Person


class StaffStatus(StrEnum):
    """Whether somebody works here."""

    ACTIVE = "active"
    LEAVE = "leave"
    LEFT = "left"


S = StaffStatus
MOVES: dict[StaffStatus, frozenset[StaffStatus]] = {
    S.ACTIVE: frozenset({S.LEAVE, S.LEFT}),
    S.LEAVE: frozenset({S.ACTIVE, S.LEAVE, S.LEFT}),
    S.LEFT: frozenset({S.ACTIVE}),  # some come back
}


class UnknownRole(Malformed):
    """There is no role {role} in the staff's rules."""


class UnknownCredential(Malformed):
    """There is no credential {kind} in the staff's rules."""


class BadPin(Malformed):
    """A PIN has 4 to 8 digits, not all alike and not in a row."""


class EndsBeforeItBegins(Malformed):
    """It would end before it begins."""


class RulesRefused(Malformed):
    """Each code stands once, and a role asks only for credentials that are listed."""


class Member(Base):
    """One person of the staff. `person_id` is the account, where there is one."""

    __tablename__ = "staff_members"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_number: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), unique=True)
    phone: Mapped[str] = mapped_column(Text, default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    pin_hash: Mapped[str | None] = mapped_column(Text)
    status: Mapped[StaffStatus] = mapped_column(Text, default=StaffStatus.ACTIVE)
    status_since: Mapped[dt.datetime] = mapped_column(default=now)
    status_until: Mapped[dt.datetime | None]
    added_at: Mapped[dt.datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)

    def standing(self, at: dt.datetime) -> StaffStatus:
        """What they were at a moment: a leave begins and ends by itself."""
        if at < self.status_since:
            return S.ACTIVE
        if self.status == S.LEAVE and self.status_until is not None and self.status_until <= at:
            return S.ACTIVE
        return StaffStatus(self.status)


class Credential(Base):
    """A paper that somebody holds. Another one of the same kind renews it; the old one stays, with its dates."""

    __tablename__ = "staff_credentials"
    __table_args__ = (Index("ix_staff_credentials_member_id_kind", "member_id", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text, default="")
    valid_from: Mapped[dt.datetime]
    valid_until: Mapped[dt.datetime | None]
    added_at: Mapped[dt.datetime] = mapped_column(default=now)
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_for: Mapped[str] = mapped_column(Text, default="")

    def in_force(self, at: dt.datetime) -> bool:
        """Whether it counted at a moment."""
        ends = [end for end in (self.valid_until, self.withdrawn_at) if end is not None]
        return self.valid_from <= at and all(at < end for end in ends)


# ── The rules ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JobRole:
    """What somebody does on a unit, and the credentials without which they may not."""

    code: str
    name: str
    credentials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialKind:
    """A kind of paper."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class StaffRules:
    """The city's rules: roles, kinds of credentials, and how much one may work. Hours and minutes are whole."""

    roles: tuple[JobRole, ...] = ()
    credentials: tuple[CredentialKind, ...] = ()
    rest_hours: int = 12  # between two shifts
    week_hours: int = 48  # in any seven days
    grace_minutes: int = 30  # after the end of a shift, before a forgotten clock-out is ended
    unplanned_hours: int = 12  # how long somebody counts as there who came without being placed
    number: int = 0  # the edition; 0 is what Vigía comes with

    def role(self, code: str) -> JobRole | None:
        """The role of a code."""
        return next((role for role in self.roles if role.code == code), None)

    @property
    def rest(self) -> dt.timedelta:
        """Between two shifts."""
        return dt.timedelta(hours=self.rest_hours)

    @property
    def week(self) -> dt.timedelta:
        """In any seven days."""
        return dt.timedelta(hours=self.week_hours)

    @property
    def grace(self) -> dt.timedelta:
        """After the end of a shift."""
        return dt.timedelta(minutes=self.grace_minutes)

    def content(self) -> dict[str, Any]:
        """As it is stored and told."""
        return {name: value for name, value in asdict(self).items() if name != "number"}


# No credentials are asked for until the city says so: nothing is guessed.
DEFAULT_RULES = StaffRules(
    roles=tuple(
        JobRole(code, name)
        for code, name in (
            ("chofer", "Chofer"),
            ("agente", "Agente"),
            ("inspector", "Inspector"),
            ("paramedico", "Paramédico"),
            ("enfermero", "Enfermero"),
            ("medico", "Médico"),
            ("bombero", "Bombero"),
            ("operador", "Operador"),
            ("tecnico", "Técnico"),
            ("jefe", "Jefe de turno"),
            ("autoridad", "Autoridad"),
        )
    ),
    credentials=tuple(
        CredentialKind(code, name)
        for code, name in (
            ("licencia", "Licencia de conducir"),
            ("matricula", "Matrícula de salud"),
            ("rcp", "RCP y DEA"),
            ("rescate", "Rescate"),
            ("equipo_pesado", "Equipo pesado"),
            ("apto_medico", "Apto médico"),
        )
    ),
)


class RulesEdition(Base):
    """One edition of the rules. The last one made before a moment is the one that held at it."""

    __tablename__ = "staff_rules"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    made_by: Mapped[str] = mapped_column(Text)


async def rules_at(session: AsyncSession, at: dt.datetime | None = None) -> StaffRules:
    """The rules that hold, or held at a moment."""
    query = select(RulesEdition).order_by(RulesEdition.number.desc()).limit(1)
    if at is not None:
        query = query.where(RulesEdition.made_at <= at)
    edition = (await session.scalars(query)).first()
    return DEFAULT_RULES if edition is None else _rules_from(edition)


def _rules_from(edition: RulesEdition) -> StaffRules:
    content = edition.content
    return StaffRules(
        roles=tuple(JobRole(one["code"], one["name"], tuple(one["credentials"])) for one in content["roles"]),
        credentials=tuple(CredentialKind(**one) for one in content["credentials"]),
        rest_hours=content["rest_hours"],
        week_hours=content["week_hours"],
        grace_minutes=content["grace_minutes"],
        unplanned_hours=content["unplanned_hours"],
        number=edition.number,
    )


async def set_rules(
    session: AsyncSession, actor: Actor, rules: StaffRules, *, expected: int | None = None
) -> StaffRules:
    """A new edition of the rules. Raises `RulesRefused`, and `VersionMismatch` when another was made meanwhile."""
    require(actor, Permission.STAFF_MANAGE)
    kinds = [one.code for one in rules.credentials]
    roles = [one.code for one in rules.roles]
    asked = {kind for role in rules.roles for kind in role.credentials}
    if len(set(kinds)) < len(kinds) or len(set(roles)) < len(roles) or not asked <= set(kinds):
        raise RulesRefused
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('staff_rules'))"))
    current = (await rules_at(session)).number
    if expected is not None and expected != current:
        raise VersionMismatch(expected=expected, current=current)
    edition = RulesEdition(number=current + 1, content=rules.content(), made_at=now(), made_by=actor.name)
    session.add(edition)
    await turn_page(session, actor, Register.STAFF, "staff.rules", detail={"number": edition.number})
    return _rules_from(edition)


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


class Seen(IntEnum):
    """How much of the staff somebody sees."""

    NOTHING = 0
    OWN_UNIT = 1  # a crew: who is on its unit, by name and role
    NAMES = 2  # the room: names, roles, whether on duty
    ALL = 3  # who runs the staff: phones, credentials, notes, hours


def seen_by(actor: Actor) -> Seen:
    """How much of the staff `actor` sees."""
    if actor.may(Permission.STAFF_MANAGE):
        return Seen.ALL
    if actor.role in OPERATIONS:
        return Seen.NAMES
    return Seen.OWN_UNIT if actor.role is Role.CREW and actor.unit_id else Seen.NOTHING


def require_sight(actor: Actor, least: Seen) -> Seen:
    """How much `actor` sees, which must be `least` at the least. Raises `NotAllowed`."""
    seen = seen_by(actor)
    if seen < least:
        raise NotAllowed(permission=Permission.STAFF_MANAGE.value)
    return seen


async def access_member(
    session: AsyncSession, actor: Actor, member_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Member:
    """The way to somebody's file: for who runs the staff, and to one's own. Raises `NotFound`, `VersionMismatch`."""
    query = select(Member).where(Member.id == member_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    member = (await session.scalars(query)).first()
    own = member is not None and actor.id is not None and member.person_id == actor.id
    if not own and not actor.may(Permission.STAFF_MANAGE):
        raise NotAllowed(permission=Permission.STAFF_MANAGE.value)
    if member is None:
        raise NotFound
    if expected is not None and expected != member.version:
        raise VersionMismatch(expected=expected, current=member.version)
    return member


async def member_of(session: AsyncSession, actor: Actor) -> Member | None:
    """The file of whoever asks, if they are on the staff."""
    if actor.id is None:
        return None
    return (await session.scalars(select(Member).where(Member.person_id == actor.id))).first()


async def lock_members(session: AsyncSession, member_ids: Collection[UUID]) -> dict[UUID, Member]:
    """Lock people, always in the same order, so that two who plan at once wait for each other. Raises `NotFound`."""
    query = select(Member).where(Member.id.in_(member_ids)).order_by(Member.id)
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = {member.id: member for member in await session.scalars(query)}
    if len(found) < len(set(member_ids)):
        raise NotFound
    return found


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def add_member(
    session: AsyncSession,
    actor: Actor,
    member_id: UUID,
    *,
    file_number: str,
    name: str,
    role: str,
    organization_id: UUID,
    person_id: UUID | None = None,
    phone: str = "",
    notes: str = "",
) -> Member:
    """Take somebody on. Raises `UnknownRole`, and `AlreadyExists` when the file number or the account is taken."""
    require(actor, Permission.STAFF_MANAGE)
    await access_organization(session, organization_id)
    await _check_role(session, role)
    await _check_free(session, file_number=file_number, person_id=person_id)
    member = _new_member(member_id, file_number, name, role, organization_id, phone, notes)
    member.person_id = person_id
    session.add(member)
    await turn_page(session, actor, Register.STAFF, "staff.added", detail={"member_id": str(member_id)})
    return member


def _new_member(
    member_id: UUID, file_number: str, name: str, role: str, organization_id: UUID, phone: str, notes: str
) -> Member:
    return Member(
        id=member_id,
        file_number=file_number.strip(),
        name=name,
        role=role,
        organization_id=organization_id,
        phone=phone,
        notes=notes,
        status=StaffStatus.ACTIVE,
        status_since=now(),
        added_at=now(),
        version=1,
    )


async def _check_role(session: AsyncSession, role: str) -> None:
    if (await rules_at(session)).role(role) is None:
        raise UnknownRole(role=role)


async def _check_free(session: AsyncSession, *, file_number: str | None, person_id: UUID | None) -> None:
    if file_number is not None and await _by_file_number(session, file_number):
        raise AlreadyExists
    if person_id is not None:
        if await session.get(Person, person_id) is None:
            raise NotFound
        if await session.scalar(select(Member.id).where(Member.person_id == person_id)):
            raise AlreadyExists


async def _by_file_number(session: AsyncSession, file_number: str) -> Member | None:
    return (await session.scalars(select(Member).where(Member.file_number == file_number.strip()))).first()


async def amend_member(
    session: AsyncSession,
    actor: Actor,
    member_id: UUID,
    *,
    name: str | None = None,
    role: str | None = None,
    phone: str | None = None,
    notes: str | None = None,
    person_id: UUID | None = None,
    expected: int | None = None,
) -> Member:
    """Change what is said; the rest stays. Raises `UnknownRole`, `AlreadyExists` for an account that is taken."""
    require(actor, Permission.STAFF_MANAGE)
    member = await access_member(session, actor, member_id, lock=True, expected=expected)
    if role is not None:
        await _check_role(session, role)
    if person_id is not None and person_id != member.person_id:
        await _check_free(session, file_number=None, person_id=person_id)
    said = {"name": name, "role": role, "phone": phone, "notes": notes, "person_id": person_id}
    fields = [name for name, value in said.items() if value is not None]
    for name_ in fields:
        setattr(member, name_, said[name_])
    member.version += 1
    await turn_page(
        session, actor, Register.STAFF, "staff.amended", detail={"member_id": str(member_id), "fields": fields}
    )
    return member


async def set_standing(
    session: AsyncSession,
    actor: Actor,
    member_id: UUID,
    *,
    status: StaffStatus,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    expected: int | None = None,
) -> Member:
    """Somebody goes on leave, comes back, or leaves. Raises `IllegalMove`, `EndsBeforeItBegins`."""
    require(actor, Permission.STAFF_MANAGE)
    member = await access_member(session, actor, member_id, lock=True, expected=expected)
    move(StaffStatus(member.status), status, MOVES)
    since = since or now()
    if until is not None and until <= since:
        raise EndsBeforeItBegins
    member.status, member.status_since = status, since
    member.status_until = until if status == S.LEAVE else None
    member.version += 1
    detail = {"member_id": str(member_id), "status": status.value}
    await turn_page(session, actor, Register.STAFF, "staff.status", detail=detail)
    return member


async def add_credential(
    session: AsyncSession,
    actor: Actor,
    credential_id: UUID,
    *,
    member_id: UUID,
    kind: str,
    number: str = "",
    valid_from: dt.datetime | None = None,
    valid_until: dt.datetime | None = None,
) -> Credential:
    """Somebody holds a paper, or has renewed it. Raises `UnknownCredential`, `EndsBeforeItBegins`."""
    require(actor, Permission.STAFF_MANAGE)
    member = await access_member(session, actor, member_id, lock=True)
    if kind not in {one.code for one in (await rules_at(session)).credentials}:
        raise UnknownCredential(kind=kind)
    valid_from = valid_from or now()
    if valid_until is not None and valid_until <= valid_from:
        raise EndsBeforeItBegins
    if await session.get(Credential, credential_id) is not None:
        raise AlreadyExists
    credential = Credential(
        id=credential_id,
        member_id=member.id,
        kind=kind,
        number=number,
        valid_from=valid_from,
        valid_until=valid_until,
        added_at=now(),
    )
    session.add(credential)
    detail = {"member_id": str(member_id), "credential_id": str(credential_id), "kind": kind}
    await turn_page(session, actor, Register.STAFF, "credential.added", detail=detail)
    return credential


async def withdraw_credential(session: AsyncSession, actor: Actor, credential_id: UUID, *, reason: str) -> Credential:
    """It no longer counts, from now on. Once withdrawn it stays so."""
    require(actor, Permission.STAFF_MANAGE)
    query = select(Credential).where(Credential.id == credential_id).with_for_update(key_share=True)
    credential = (await session.scalars(query.execution_options(populate_existing=True))).first()
    if credential is None:
        raise NotFound
    if credential.withdrawn_at is None:
        credential.withdrawn_at, credential.withdrawn_for = now(), reason
        detail = {"member_id": str(credential.member_id), "credential_id": str(credential_id), "kind": credential.kind}
        await turn_page(session, actor, Register.STAFF, "credential.withdrawn", detail=detail)
    return credential


async def set_pin(session: AsyncSession, actor: Actor, member_id: UUID, *, pin: str) -> Member:
    """Give somebody the PIN with which they clock in. Raises `BadPin`."""
    require(actor, Permission.STAFF_MANAGE)
    if not _good_pin(pin):
        raise BadPin
    pin_hash = await people.digest(pin)  # before the row is locked: it takes its time
    member = await access_member(session, actor, member_id, lock=True)
    member.pin_hash = pin_hash
    member.version += 1
    await turn_page(session, actor, Register.STAFF, "staff.pin", detail={"member_id": str(member_id)})
    return member


def _good_pin(pin: str) -> bool:
    if not (4 <= len(pin) <= 8 and pin.isascii() and pin.isdigit()):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    return steps not in ({0}, {1}, {-1})


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One line of a list of staff."""

    file_number: str
    name: str
    role: str
    phone: str = ""
    notes: str = ""
    credential: str = ""
    credential_number: str = ""
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None


@dataclass(slots=True)
class StaffImport:
    """What became of a list: how many were new, changed, the same, and which lines were left out and why."""

    added: int = 0
    amended: int = 0
    same: int = 0
    refused: list[tuple[int, Malformed]] = field(default_factory=list)


async def import_staff(
    session: AsyncSession, actor: Actor, rows: Mapping[int, StaffRow], *, organization_id: UUID
) -> StaffImport:
    """Bring in a list, by line number. File numbers tell who is known; a line that is wrong is left out alone."""
    require(actor, Permission.STAFF_MANAGE)
    await access_organization(session, organization_id)
    rules, done = await rules_at(session), StaffImport()
    numbers = [row.file_number.strip() for row in rows.values()]
    query = select(Member).where(Member.file_number.in_(numbers)).order_by(Member.id)
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    known = {member.file_number: member for member in await session.scalars(query)}
    touched: list[str] = []
    for line, row in rows.items():
        if trouble := _trouble_of(rules, row):
            done.refused.append((line, trouble))
            continue
        member = known.get(row.file_number.strip())
        if new := member is None:
            member = _new_member(new_id(), row.file_number, row.name, row.role, organization_id, row.phone, row.notes)
            session.add(member)
            await session.flush()
            known[member.file_number] = member
        assert member is not None  # noqa: S101  (made above where it was not)
        said = {"name": row.name, "role": row.role, "phone": row.phone, "notes": row.notes}
        fresh = {name: value for name, value in said.items() if value and value != getattr(member, name)}
        for name, value in fresh.items():
            setattr(member, name, value)
        held = bool(row.credential) and await _hold(session, member.id, row)
        changed = bool(fresh) or held
        member.version += changed and not new
        done.added += new
        done.amended += changed and not new
        done.same += not changed and not new
        if changed or new:
            touched.append(str(member.id))
    if touched:
        await turn_page(session, actor, Register.STAFF, "staff.imported", detail={"member_ids": touched})
    return done


def _trouble_of(rules: StaffRules, row: StaffRow) -> Malformed | None:
    if rules.role(row.role) is None:
        return UnknownRole(role=row.role)
    if row.credential and row.credential not in {one.code for one in rules.credentials}:
        return UnknownCredential(kind=row.credential)
    if row.valid_until is not None and row.valid_until <= (row.valid_from or now()) and row.valid_from is not None:
        return EndsBeforeItBegins()
    return None


async def _hold(session: AsyncSession, member_id: UUID, row: StaffRow) -> bool:
    """Note a line's credential; whether it is news."""
    query = select(Credential).where(
        Credential.member_id == member_id, Credential.kind == row.credential, Credential.withdrawn_at.is_(None)
    )
    held = (await session.scalars(query)).all()
    if any(one.valid_until == row.valid_until and one.number == row.credential_number for one in held):
        return False
    # A paper that has run out is worth knowing too: it began some time before it ended.
    began = row.valid_from or min(now(), (row.valid_until or now()) - dt.timedelta(days=1))
    session.add(
        Credential(
            id=new_id(),
            member_id=member_id,
            kind=row.credential,
            number=row.credential_number,
            valid_from=began,
            valid_until=row.valid_until,
            added_at=now(),
        )
    )
    await session.flush()
    return True


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def all_members(session: AsyncSession, actor: Actor) -> Sequence[Member]:
    """Everybody, by name, for whoever sees names at least."""
    require_sight(actor, Seen.NAMES)
    return (await session.scalars(select(Member).order_by(Member.name, Member.id))).all()


async def members_by_id(session: AsyncSession, member_ids: Collection[UUID]) -> dict[UUID, Member]:
    """People by id."""
    query = select(Member).where(Member.id.in_(member_ids))
    return {member.id: member for member in await session.scalars(query)}


async def credentials_of(session: AsyncSession, member_ids: Collection[UUID]) -> dict[UUID, list[Credential]]:
    """Each one's credentials, those that end last first; people without any are in it too."""
    found: dict[UUID, list[Credential]] = {member_id: [] for member_id in member_ids}
    query = select(Credential).where(Credential.member_id.in_(member_ids))
    query = query.order_by(Credential.kind, Credential.valid_until.desc().nulls_first(), Credential.id)
    for credential in await session.scalars(query):
        found[credential.member_id].append(credential)
    return found


@dataclass(frozen=True, slots=True)
class Paper:
    """How it stood with one kind of credential at a moment: `until` when it ran out, or will; None if nobody said."""

    kind: str
    valid: bool
    held: bool
    until: dt.datetime | None


def paper_at(credentials: Sequence[Credential], kind: str, at: dt.datetime) -> Paper:
    """How it stood with one kind at a moment."""
    mine = [one for one in credentials if one.kind == kind and one.valid_from <= at]
    good = [one for one in mine if one.in_force(at)]
    if good:
        ends = [one.valid_until for one in good]
        return Paper(kind, True, True, None if None in ends else max(end for end in ends if end))
    over = [min(end for end in (one.valid_until, one.withdrawn_at) if end) for one in mine]
    return Paper(kind, False, bool(mine), max(over, default=None))


async def check_pin(sessions: Sessions, file_number: str, pin: str) -> UUID | None:
    """Whose file number and PIN these are; None otherwise, in the same time either way.

    No connection is held while the hash is made.
    """
    async with reading(sessions) as session:
        member = await _by_file_number(session, file_number)
        working = member is not None and member.standing(now()) != S.LEFT
    against = member.pin_hash if member is not None else None
    right = await people.matches(pin, against)
    return member.id if member is not None and working and right else None
