"""Undo: what was done a moment ago is taken back, if nothing has happened to it since.

A reversible verb watches its session (`watch`) and leaves a remembrance (`remember`) of exactly the fields that it
changed, as they were before and after. Taking back restores those fields, each if it still says what the act made it
say; a note or another unit that came in between does not stand in the way. What was made is not deleted: an assignment
is cancelled, a note struck. The time stamps of the first and the state that follows from assignments are found anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakSet

from shapely import Point
from sqlalchemy import ForeignKey, Text, Uuid, delete, event, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstanceState, Mapped, Session, UOWTransaction, mapped_column

from geo.places import Shape, is_finite
from realtime.access import Actor, Permission, Role, require
from realtime.database import Base, new_id, now
from realtime.errors import NotFound, Refusal
from realtime.journal import Entry

OFFERED_FOR = dt.timedelta(seconds=10)
ON_THE_WAY = dt.timedelta(seconds=2)  # a press at the last moment still has to travel
KEPT = dt.timedelta(hours=1)
_WATCHES, _OFFERED = "vigia.watches", "vigia.undo"


class UndoOver(Refusal):
    """It is too late to undo that: the ten seconds are over."""

    status = 409


class ChangedSince(Refusal):
    """That cannot be undone any more: {by} has changed {what} since then ({at})."""

    status = 409


class Undo(Base):
    """What an act changed, until when it may be taken back, and whether it was."""

    __tablename__ = "undos"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor_id: Mapped[UUID] = mapped_column(Uuid())
    act: Mapped[str] = mapped_column(Text)
    permission: Mapped[str] = mapped_column(Text)
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incidents.id"))
    changes: Mapped[list[Any]]
    made_at: Mapped[dt.datetime] = mapped_column(index=True)
    until: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]

    def shown(self) -> dict[str, Any]:
        """As answers carry it."""
        return {"id": str(self.id), "until": self.until.isoformat()}


# ── What can be taken back ────────────────────────────────────────────────────────────────────────

Locking = Callable[[AsyncSession, Collection[UUID]], Awaitable[dict[UUID, Any]]]
PutBack = Callable[[AsyncSession, Actor, "Undoing", Sequence[Any]], Awaitable[None]]
Checking = Callable[[AsyncSession, "Undoing", dict[UUID, Any]], Awaitable[None]]
Following = Callable[["Undoing", Any, str, Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Reversible:
    """A table whose rows can be put back.

    `put_back` gets its locked rows, their fields restored but nothing told; rows that the act made it has to take away
    itself. `unseen` fields follow from others or are nobody's to restore; locks are taken in the order of `rank`.
    `follows(undoing, row, name, was, made)` puts a field back by itself and says so: one that others change rightly.
    """

    model: type[Any]
    rank: int
    lock: Locking
    put_back: PutBack
    unseen: frozenset[str] = frozenset()
    follows: Following | None = None
    check: Checking | None = None  # of the locked rows, before anything is put back: what no field of theirs tells

    @property
    def name(self) -> str:
        """Its table's."""
        return str(self.model.__tablename__)

    def fields(self, row: Any) -> dict[str, Any]:
        """All fields of a row that count, plainly."""
        return {column.key: _plain(getattr(row, column.key)) for column in self.columns}

    @property
    def columns(self) -> list[Any]:
        """The columns that count."""
        left_out = self.unseen | {"id", "version", "told_to"}
        return [column for column in inspect(self.model).columns if column.key not in left_out]


REVERSIBLE: dict[type[Any], Reversible] = {}


def reversible(one: Reversible) -> None:
    """Let a table's rows be put back. Said once, where the table's verbs are."""
    REVERSIBLE[one.model] = one


@dataclass
class Undoing:
    """One taking back while it is done: its remembrance, when, and which rows the act had made."""

    undo: Undo
    at: dt.datetime
    made: set[UUID] = field(default_factory=set)
    before: dict[UUID, dict[str, Any]] = field(default_factory=dict)  # the fields of each row that are put back
    after: dict[UUID, dict[str, Any]] = field(default_factory=dict)  # all fields of each row, as they were found

    def touches(self, table: str) -> bool:
        """Whether the act changed rows of that table."""
        return any(one["table"] == table for one in self.undo.changes)

    @property
    def detail(self) -> dict[str, Any]:
        """What the timeline says of it."""
        return {"act": self.undo.act, "undo_id": str(self.undo.id), "done_at": self.undo.made_at.isoformat()}


# ── Remembering ───────────────────────────────────────────────────────────────────────────────────


class Watch:
    """What has changed since the watch began: for each row its fields as they were, and the rows that are new."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.changed: dict[Any, dict[str, Any]] = {}
        self.made: list[Any] = []

    def look(self, dirty: Iterable[Any], new: Iterable[Any]) -> None:
        """Keep what the next flush will overwrite."""
        self.made += [row for row in new if type(row) in REVERSIBLE]
        for row in dirty:
            if type(row) not in REVERSIBLE or row in self.made:
                continue
            state: InstanceState[Any] = inspect(row)
            was = self.changed.setdefault(row, {})
            for name, value in state.committed_state.items():
                was.setdefault(name, _plain(value))

    def changes(self) -> list[dict[str, Any]]:
        """Each row with the fields that are not what they were."""
        told: list[dict[str, Any]] = []
        for row in self.made:
            kind = REVERSIBLE[type(row)]
            told.append({"table": kind.name, "id": str(row.id), "before": None, "after": kind.fields(row)})
        for row, was in self.changed.items():
            kind = REVERSIBLE[type(row)]
            after = {name: value for name, value in kind.fields(row).items() if name in was and value != was[name]}
            before = {name: was[name] for name in after}
            told.append({"table": kind.name, "id": str(row.id), "before": before, "after": after})
        return told


@event.listens_for(Session, "before_flush")
def _keep(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    for watching in session.info.get(_WATCHES, ()):
        watching.look(session.dirty, session.new)


def watch(session: AsyncSession) -> Watch:
    """Begin to look what changes: the first line of a reversible verb, before it touches anything."""
    watching = Watch()
    session.info.setdefault(_WATCHES, WeakSet()).add(watching)
    return watching


async def remember(
    session: AsyncSession,
    actor: Actor,
    act: str,
    before: Watch,
    *,
    permission: Permission,
    incident_id: UUID | None = None,
) -> Undo | None:
    """Keep what an act changed, so that it can be taken back for ten seconds: the last line of a reversible verb.

    `permission` is the act's own: who lost it meanwhile takes nothing back. None when nothing has changed, and for
    Vigía's own acts.
    """
    await session.flush()
    session.info[_WATCHES].discard(before)
    changes = before.changes()
    session.info[_OFFERED] = None
    if actor.id is None or not any(one["before"] is None or one["after"] for one in changes):
        return None
    at = now()
    undo = Undo(
        id=new_id(),
        actor_id=actor.id,
        act=act,
        permission=permission.value,
        incident_id=incident_id,
        changes=changes,
        made_at=at,
        until=at + OFFERED_FOR,
    )
    session.add(undo)
    await session.flush()
    session.info[_OFFERED] = undo
    return undo


def offered(session: AsyncSession) -> dict[str, Any] | None:
    """The way back from what this request has just done (`{"id", "until"}`), where there is one."""
    undo: Undo | None = session.info.get(_OFFERED)
    return undo.shown() if undo else None


async def sweep_undos(session: AsyncSession) -> None:
    """Forget what nobody can take back any more."""
    await session.execute(delete(Undo).where(Undo.made_at < now() - KEPT))


# ── Taking back ───────────────────────────────────────────────────────────────────────────────────


async def undo(session: AsyncSession, actor: Actor, undo_id: UUID) -> Undo:
    """Take back what was done: by whoever did it, or by a supervisor. Twice is once.

    Raises `UndoOver` after the ten seconds, and `ChangedSince`, which says what has happened to it.
    """
    found = (
        await session.scalars(
            select(Undo).where(Undo.id == undo_id).with_for_update().execution_options(populate_existing=True)
        )
    ).first()
    if found is None or (found.actor_id != actor.id and actor.role is not Role.SUPERVISOR):
        raise NotFound
    require(actor, Permission(found.permission))
    if found.used_at is not None:
        return found
    undoing = Undoing(found, now())
    if undoing.at > found.until + ON_THE_WAY:
        raise UndoOver
    kinds = sorted(REVERSIBLE.values(), key=lambda kind: kind.rank)
    rows: dict[str, dict[UUID, Any]] = {}
    for kind in kinds:
        ids = {UUID(one["id"]) for one in found.changes if one["table"] == kind.name}
        rows[kind.name] = await kind.lock(session, ids) if ids else {}
        if kind.check is not None and rows[kind.name]:
            await kind.check(session, undoing, rows[kind.name])
    for kind in kinds:
        for change in found.changes:
            if change["table"] == kind.name:
                row = rows[kind.name][UUID(change["id"])]
                await _restore(session, undoing, kind, row, change)
    for kind in reversed(kinds):  # assignments first: what an incident is follows from them
        if rows[kind.name]:
            await kind.put_back(session, actor, undoing, list(rows[kind.name].values()))
    found.used_at = undoing.at
    return found


async def _restore(session: AsyncSession, undoing: Undoing, kind: Reversible, row: Any, change: dict[str, Any]) -> None:
    """Put a row's fields back, each if it still is what the act made it."""
    undoing.after[row.id] = kind.fields(row)
    if change["before"] is None:
        undoing.made.add(row.id)
        if undoing.after[row.id] != change["after"]:
            await refuse_undo(session, undoing, row)
        return
    put_back = undoing.before.setdefault(row.id, {})
    columns = {column.key: column for column in kind.columns}
    for name, was in change["before"].items():
        is_now, made = undoing.after[row.id][name], change["after"][name]
        if name == "stamps":
            put_back[name] = was
            row.stamps = _earlier_stamps(row.stamps, was, made)
            continue
        if kind.follows is not None and kind.follows(undoing, row, name, was, made):
            continue
        if is_now != made:
            await refuse_undo(session, undoing, row)
        put_back[name] = was
        setattr(row, name, _value(columns[name], was))


def _earlier_stamps(is_now: dict[str, Any], was: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Time stamps without those that the act wrote; what others wrote since stays."""
    stamps = dict(is_now)
    for name, at in made.items():
        if at != was.get(name) and stamps.get(name) == at:
            stamps.pop(name)
            if name in was:
                stamps[name] = was[name]
    return stamps


async def refuse_undo(session: AsyncSession, undoing: Undoing, row: Any) -> None:
    """Say who has changed a row since, and when. Raises `ChangedSince`."""
    subject = row.subject if hasattr(row, "subject") else f"incident:{row.incident_id}"
    query = (
        select(Entry)
        .where(Entry.subject == subject, Entry.recorded_at > undoing.undo.made_at)
        .order_by(Entry.id.desc())
        .limit(1)
    )
    last = (await session.scalars(query)).first()
    what = getattr(row, "call_sign", None) or getattr(row, "code", None) or subject
    raise ChangedSince(
        what=what,
        by=last.actor_name if last else "",
        at=last.occurred_at if last else undoing.at,
        kind=last.kind if last else None,
    )


# ── Values as they lie in a remembrance ───────────────────────────────────────────────────────────


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Point):
        return [value.x, value.y] if not value.is_empty and is_finite(value) else None  # a spoilt one is no place
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _value(column: Any, plain: Any) -> Any:
    if plain is None:
        return None
    if isinstance(column.type, Shape):
        return Point(plain)
    kind = column.type.python_type
    if kind is dt.datetime:
        return dt.datetime.fromisoformat(plain)
    if kind is UUID:
        return UUID(plain)
    if kind is list and isinstance(getattr(column.type, "item_type", None), Uuid):
        return [UUID(one) for one in plain]
    return plain
