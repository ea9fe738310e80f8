"""Tasks: what is to be done on an incident, who did each step, and what was left out and why.

A run card opens them: things to do with their checklists, agencies to ask, words to say. `follow_cards` is a reaction
to the journal: it brings an incident's tasks to what its card asks for at its alarm level, once per key however often
it runs; what a former card asked for and nobody touched is closed with the reason. People add their own besides.

An incident's row carries the counts, so that its whole face shows them; only this file writes them. Tasks are seen by
whoever sees the incident whole. What a task says stands in its row and never in the journal, as with notes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.catalogue import Catalogue, catalogue
from incidents.incident import OVER, Incident, access_incident, tell
from incidents.run_cards import CardLevel, RunCard, run_card
from realtime.access import VIGIA, Actor, Permission, require
from realtime.database import Base, new_id, now
from realtime.errors import AlreadyExists, IllegalMove, NotFound
from realtime.journal import Entry
from realtime.lifecycle import move


class TaskKind(StrEnum):
    """Something to do, an agency to ask, or words to say."""

    TASK = "task"
    AGENCY = "agency"
    MESSAGE = "message"


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    DONE = "done"
    NOT_NEEDED = "not_needed"


T = TaskState
MOVES: dict[TaskState, frozenset[TaskState]] = {
    T.OPEN: frozenset({T.DONE, T.NOT_NEEDED}),
    T.DONE: frozenset({T.OPEN}),
    T.NOT_NEEDED: frozenset({T.OPEN}),
}

RECLASSIFIED = "reclassified"  # why a card's task is not needed: codes, which screens put into words
LOWERED = "lowered"


class IncidentTask(Base):
    """One task of an incident. `key` is what it is on its card; a task that somebody added has its id for one.

    `checklist`: `[{"text", "done_at", "done_by"}]`. `closed_by_card`: not needed because no card asks for it any more.
    """

    __tablename__ = "incident_tasks"
    __table_args__ = (
        UniqueConstraint("incident_id", "key"),
        CheckConstraint("level BETWEEN 1 AND 9", name="level"),
        Index(
            "ix_incident_tasks_due_at",
            "due_at",
            postgresql_where=text("state = 'open' AND overdue_at IS NULL AND due_at IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id"))
    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[TaskKind] = mapped_column(Text)
    level: Mapped[int | None] = mapped_column(SmallInteger)
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("run_card_editions.id"))
    place: Mapped[int] = mapped_column(SmallInteger, default=0)
    text: Mapped[str] = mapped_column(Text, default="")
    agency: Mapped[str | None] = mapped_column(Text)
    count: Mapped[int] = mapped_column(SmallInteger, default=1)
    said_to: Mapped[str | None] = mapped_column(Text)
    checklist: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    state: Mapped[TaskState] = mapped_column(Text)
    state_at: Mapped[dt.datetime]
    state_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    closed_by_card: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[dt.datetime]
    opened_by: Mapped[str] = mapped_column(Text)
    due_at: Mapped[dt.datetime | None]
    overdue_at: Mapped[dt.datetime | None]

    @property
    def touched(self) -> bool:
        """Whether anybody began it."""
        return self.state != T.OPEN or any(step["done_at"] for step in self.checklist)


# ── Who may see: whoever sees the incident whole ──────────────────────────────────────────────────


async def tasks_of(session: AsyncSession, actor: Actor, incident_id: UUID) -> list[dict[str, Any]]:
    """An incident's tasks in the order in which they are to be done, level by level. Raises `NotFound`."""
    incident = await access_incident(session, actor, incident_id)
    words = await catalogue(session)
    return [task_document(one, words) for one in await _all_of(session, incident)]


def task_document(task: IncidentTask, words: Catalogue) -> dict[str, Any]:
    """A task as the API shows it; an agency with its name and its telephone as the catalogue knows them now."""
    agency = None
    if task.agency is not None:
        known = words.agencies.get(task.agency, {"code": task.agency, "name": task.agency, "phone": ""})
        agency = known | {"count": task.count}
    return {
        "id": str(task.id),
        "incident_id": str(task.incident_id),
        "kind": task.kind,
        "level": task.level,
        "text": task.text,
        "agency": agency,
        "to": task.said_to,
        "checklist": [{"number": number, **step} for number, step in enumerate(task.checklist)],
        "state": task.state,
        "state_at": task.state_at.isoformat(),
        "state_by": task.state_by,
        "reason": task.reason,
        "opened_at": task.opened_at.isoformat(),
        "opened_by": task.opened_by,
        "due_at": task.due_at.isoformat() if task.due_at else None,
    }


# ── The way in ────────────────────────────────────────────────────────────────────────────────────


async def _access_task(
    session: AsyncSession, actor: Actor, incident_id: UUID, task_id: UUID
) -> tuple[Incident, IncidentTask]:
    """A task to be changed: its incident is locked, then it. Raises `NotFound`."""
    incident = await access_incident(session, actor, incident_id, lock=True)
    task = await session.get(IncidentTask, task_id, with_for_update=True, populate_existing=True)
    if task is None or task.incident_id != incident.id:
        raise NotFound
    return incident, task


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def add_task(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    task_id: UUID,
    *,
    text: str,
    checklist: Sequence[str] = (),
    within_minutes: int | None = None,
) -> IncidentTask:
    """Something to be done that no card knew of."""
    require(actor, Permission.INCIDENT_UPDATE)
    incident = await access_incident(session, actor, incident_id, lock=True)
    if await session.get(IncidentTask, task_id) is not None:
        raise AlreadyExists
    at = now()
    task = IncidentTask(
        id=task_id,
        incident_id=incident.id,
        key=str(task_id),
        kind=TaskKind.TASK,
        place=1000,
        text=text,
        checklist=_steps(checklist),
        state=T.OPEN,
        state_at=at,
        state_by=actor.name,
        opened_at=at,
        opened_by=actor.name,
        due_at=_due(at, within_minutes),
    )
    session.add(task)
    await _count(session, incident)
    await tell(session, actor, "task.added", incident, detail={"task_id": str(task_id)})
    return task


async def tick_step(
    session: AsyncSession, actor: Actor, incident_id: UUID, task_id: UUID, *, step: int, done: bool = True
) -> IncidentTask:
    """Tick a step of a checklist, or take the tick back. With its last step a task is done; without it, open again.

    Raises `NotFound` for a step that is not there and `IllegalMove` on a task that is not needed. Twice is once.
    """
    require(actor, Permission.INCIDENT_UPDATE)
    incident, task = await _access_task(session, actor, incident_id, task_id)
    if not 0 <= step < len(task.checklist):
        raise NotFound
    if task.state == T.NOT_NEEDED:
        raise IllegalMove(current=task.state, wanted=T.DONE.value)
    if (task.checklist[step]["done_at"] is not None) is done:
        return task
    at = now()
    ticked = {"done_at": at.isoformat(), "done_by": actor.name} if done else {"done_at": None, "done_by": None}
    task.checklist = [one | ticked if number == step else one for number, one in enumerate(task.checklist)]
    whole = all(one["done_at"] for one in task.checklist)
    if whole is not (task.state == T.DONE):
        _move(task, actor, T.DONE if whole else T.OPEN, at)
    await _count(session, incident)
    detail = {"task_id": str(task.id), "step": step, "state": task.state}
    if done:
        await tell(session, actor, "task.ticked", incident, detail=detail)
    else:
        await tell(session, actor, "task.unticked", incident, detail=detail)
    return task


async def complete_task(session: AsyncSession, actor: Actor, incident_id: UUID, task_id: UUID) -> IncidentTask:
    """It is done, whatever was ticked. Raises `IllegalMove`."""
    require(actor, Permission.INCIDENT_UPDATE)
    incident, task = await _access_task(session, actor, incident_id, task_id)
    _move(task, actor, T.DONE, now())
    await _count(session, incident)
    await tell(session, actor, "task.done", incident, detail={"task_id": str(task.id)})
    return task


async def drop_task(
    session: AsyncSession, actor: Actor, incident_id: UUID, task_id: UUID, *, reason: str
) -> IncidentTask:
    """It is not needed here, and why. Raises `IllegalMove`."""
    require(actor, Permission.INCIDENT_UPDATE)
    incident, task = await _access_task(session, actor, incident_id, task_id)
    _move(task, actor, T.NOT_NEEDED, now(), reason)
    await _count(session, incident)
    await tell(session, actor, "task.not_needed", incident, detail={"task_id": str(task.id), "reason": reason})
    return task


async def reopen_task(session: AsyncSession, actor: Actor, incident_id: UUID, task_id: UUID) -> IncidentTask:
    """It is still to be done: the way back from done and from not needed. What was ticked stays ticked."""
    require(actor, Permission.INCIDENT_UPDATE)
    incident, task = await _access_task(session, actor, incident_id, task_id)
    _move(task, actor, T.OPEN, now())
    await _count(session, incident)
    await tell(session, actor, "task.reopened", incident, detail={"task_id": str(task.id)})
    return task


def _move(task: IncidentTask, actor: Actor, wanted: TaskState, at: dt.datetime, reason: str = "") -> None:
    task.state = move(TaskState(task.state), wanted, MOVES)
    task.state_at, task.state_by, task.reason, task.closed_by_card = at, actor.name, reason, False


# ── What a card opens: a reaction to the journal ──────────────────────────────────────────────────

OPENERS = frozenset(
    {
        "incident.opened",
        "incident.reclassified",
        "incident.reopened",
        "incident.alarm_raised",
        "incident.alarm_lowered",
    }
)


async def follow_cards(session: AsyncSession, entry: Entry) -> None:
    """The reaction: bring an incident's tasks to what its card asks for at its alarm level. Twice does no harm."""
    if entry.kind not in OPENERS or entry.incident_id is None:
        return
    incident = await session.get(
        Incident, entry.incident_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if incident is None or incident.state in OVER:
        return
    card = await run_card(session, incident.type_code, incident.priority, entry.recorded_at)
    words = await catalogue(session)
    wanted = _asked_by(card, incident, words, entry.recorded_at) if card else {}
    held = {task.key: task for task in await _all_of(session, incident)}
    opened = 0
    for key, fresh in wanted.items():
        task = held.get(key)
        if task is None:
            session.add(fresh)
            opened += 1
        elif task.closed_by_card:
            _move(task, VIGIA, T.OPEN, entry.recorded_at)
            task.due_at, task.overdue_at = fresh.due_at, None
            opened += 1
    closed = 0
    for key, task in held.items():
        if task.card_id is not None and key not in wanted and not task.touched:
            lowered = entry.kind == "incident.alarm_lowered"
            _move(task, VIGIA, T.NOT_NEEDED, entry.recorded_at, LOWERED if lowered else RECLASSIFIED)
            task.closed_by_card = True
            closed += 1
    if not opened and not closed:
        return
    await _count(session, incident)
    detail = {
        "opened": opened,
        "closed": closed,
        "level": incident.alarm_level,
        "edition": card.edition if card else None,
    }
    await tell(session, VIGIA, "task.opened", incident, detail=detail)


def _asked_by(card: RunCard, incident: Incident, words: Catalogue, at: dt.datetime) -> dict[str, IncidentTask]:
    """The tasks of a card up to the incident's level, by key, not yet in the session."""
    asked: dict[str, IncidentTask] = {}
    seconds = words.processing_seconds(incident.priority)
    for number, level in enumerate(card.levels[: incident.alarm_level], start=1):
        for fresh in _asked_by_level(level, f"{card.type_code}:{number}", at, at + dt.timedelta(seconds=seconds)):
            fresh.incident_id, fresh.card_id, fresh.level, fresh.place = incident.id, card.id, number, len(asked)
            asked[fresh.key] = fresh
    return asked


def _asked_by_level(level: CardLevel, prefix: str, at: dt.datetime, ask_until: dt.datetime) -> list[IncidentTask]:
    def fresh(key: str, kind: TaskKind, **fields: Any) -> IncidentTask:
        by = VIGIA.name
        return IncidentTask(
            id=new_id(),
            key=f"{prefix}:{key}",
            kind=kind,
            state=T.OPEN,
            state_at=at,
            state_by=by,
            opened_at=at,
            opened_by=by,
            reason="",
            closed_by_card=False,
            **{"checklist": [], "count": 1} | fields,
        )

    asks = [
        fresh(
            f"agency:{ask.agency}", TaskKind.AGENCY, agency=ask.agency, count=ask.count, text=ask.note, due_at=ask_until
        )
        for ask in level.agencies
    ]
    says = [
        fresh(f"message:{number}", TaskKind.MESSAGE, said_to=message.to, text=message.text)
        for number, message in enumerate(level.messages)
    ]
    does = [
        fresh(
            task.key,
            TaskKind.TASK,
            text=task.text,
            checklist=_steps(task.checklist),
            due_at=_due(at, task.within_minutes),
        )
        for task in level.tasks
    ]
    return [*asks, *says, *does]


# ── What runs late: a chore ───────────────────────────────────────────────────────────────────────


async def mark_overdue(session: AsyncSession) -> int:
    """Tell of the tasks whose time has run out on incidents that are still open; how many. Each is told once."""
    at = now()
    late = (
        select(IncidentTask.incident_id)
        .where(IncidentTask.state == T.OPEN, IncidentTask.overdue_at.is_(None), IncidentTask.due_at <= at)
        .distinct()
    )
    query = (
        select(Incident)
        .where(Incident.id.in_(late), Incident.on_board, Incident.state.not_in(OVER))
        .order_by(Incident.id)
        .limit(100)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    marked = 0
    for incident in await session.scalars(query):
        tasks = [
            task
            for task in await _all_of(session, incident)
            if task.state == T.OPEN and task.overdue_at is None and task.due_at is not None and task.due_at <= at
        ]
        for task in tasks:
            task.overdue_at = at
        marked += len(tasks)
        await _count(session, incident)
        await tell(session, VIGIA, "task.overdue", incident, detail={"task_ids": [str(task.id) for task in tasks]})
    return marked


# ── Helpers ───────────────────────────────────────────────────────────────────────────────────────


async def _all_of(session: AsyncSession, incident: Incident) -> Sequence[IncidentTask]:
    query = (
        select(IncidentTask)
        .where(IncidentTask.incident_id == incident.id)
        .order_by(IncidentTask.level.nulls_last(), IncidentTask.place, IncidentTask.id)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).all()


async def _count(session: AsyncSession, incident: Incident) -> None:
    """Bring the counts on a locked incident's row to how its tasks stand."""
    await session.flush()
    tasks = await _all_of(session, incident)
    incident.tasks = {
        "open": sum(task.state == T.OPEN for task in tasks),
        "done": sum(task.state == T.DONE for task in tasks),
        "overdue": sum(task.state == T.OPEN and task.overdue_at is not None for task in tasks),
    }


def _steps(words: Sequence[str]) -> list[dict[str, Any]]:
    return [{"text": word, "done_at": None, "done_by": None} for word in words]


def _due(at: dt.datetime, minutes: int | None) -> dt.datetime | None:
    return at + dt.timedelta(minutes=minutes) if minutes is not None else None
