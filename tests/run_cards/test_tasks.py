"""Tasks: a card opens them once, whatever happens to the worker; people do them, and take back what was a mistake."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarm_levels import AlarmLevelStands, lower_alarm_level, raise_alarm_level
from incidents.closing import cancel_incident, reopen_incident
from incidents.dispatch import IncidentOver
from incidents.incident import Incident, feature, reclassify
from incidents.run_cards import default_cards
from incidents.tasks import (
    LOWERED,
    RECLASSIFIED,
    IncidentTask,
    TaskKind,
    TaskState,
    complete_task,
    drop_task,
    follow_cards,
    mark_overdue,
    reopen_task,
    tasks_of,
    tick_step,
)
from incidents.timeline import timeline
from realtime.access import VIGIA
from realtime.database import Sessions, now, transaction
from realtime.errors import IllegalMove, NotFound
from realtime.journal import Entry
from realtime.reactions import ReactionCursor, react
from tests.builders import City, an_incident
from tests.scenes.cards import a_task, an_opening, last_entry

CARDS = {code: content["levels"] for code, _, content in default_cards()}


def asked(type_code: str, level: int) -> int:
    """How many tasks a card opens up to a level."""
    parts = ("agencies", "messages", "tasks")
    return sum(len(one[part]) for one in CARDS[type_code][:level] for part in parts)


async def shown(session: AsyncSession, incident_id: Any) -> list[dict[str, Any]]:
    return await tasks_of(session, VIGIA, incident_id)


async def test_a_card_opens_its_tasks_once(session: AsyncSession, city: City) -> None:
    entry = await an_opening(session, city.actor("dispatcher"))
    await follow_cards(session, entry)
    assert entry.incident_id is not None
    first = await shown(session, entry.incident_id)
    assert len(first) == asked("SIN-01", 1)
    assert {task["kind"] for task in first} == set(TaskKind)
    ambulances = next(task for task in first if task["kind"] == TaskKind.AGENCY)
    assert ambulances["agency"] == {"code": "AMB", "name": "Ambulancias (SIES)", "phone": "107", "count": 1}
    assert ambulances["due_at"] is not None, "somebody is to be asked within the time of the priority"
    told = await session.scalar(select(Entry.id).order_by(Entry.id.desc()).limit(1))
    await follow_cards(session, entry)
    assert await shown(session, entry.incident_id) == first
    assert await session.scalar(select(Entry.id).order_by(Entry.id.desc()).limit(1)) == told, (
        "and nothing is said twice"
    )
    incident = await session.get_one(Incident, entry.incident_id)
    assert incident.tasks == {"open": len(first), "done": 0, "overdue": 0}


async def test_restarts_open_nothing_twice(sessions: Sessions, city: City) -> None:
    """The cursor taken back to the beginning, as after restoring a backup."""
    async with transaction(sessions) as session:
        incident = await an_incident(session, city.actor("dispatcher"), type_code="INC-01")
        await raise_alarm_level(session, city.actor("dispatcher"), incident.id, level=2)
        await session.execute(update(Entry).values(seq=Entry.id))
    while await react(sessions, "card tasks", follow_cards):
        pass
    async with transaction(sessions) as session:
        before = await shown(session, incident.id)
        assert len(before) == asked("INC-01", 2)
        task = next(one for one in before if one["kind"] == TaskKind.TASK)
        await complete_task(session, VIGIA, incident.id, _uuid(task["id"]))
        await session.execute(update(ReactionCursor).values(seq=0))
        await session.execute(update(Entry).where(Entry.seq.is_(None)).values(seq=Entry.id))
        mark = len((await session.scalars(select(Entry))).all())
    while await react(sessions, "card tasks", follow_cards):
        pass
    async with transaction(sessions) as session:
        after = await shown(session, incident.id)
        assert [one["id"] for one in after] == [one["id"] for one in before]
        assert sum(one["state"] == TaskState.DONE for one in after) == 1
        assert len((await session.scalars(select(Entry))).all()) == mark


async def test_a_level_adds_and_a_mistake_takes_back_what_nobody_touched(session: AsyncSession, city: City) -> None:
    desk = city.actor("dispatcher")
    entry = await an_opening(session, desk, type_code="INC-01")
    assert entry.incident_id is not None
    await follow_cards(session, entry)
    await raise_alarm_level(session, desk, entry.incident_id, level=2, reason="se pasó a la casa de al lado")
    await follow_cards(session, await last_entry(session, entry.incident_id))
    second = [task for task in await shown(session, entry.incident_id) if task["level"] == 2]
    assert len(second) == asked("INC-01", 2) - asked("INC-01", 1)
    begun = next(task for task in second if task["checklist"])
    await tick_step(session, desk, entry.incident_id, _uuid(begun["id"]), step=0)
    await lower_alarm_level(session, desk, entry.incident_id, level=1, reason="fue un error")
    await follow_cards(session, await last_entry(session, entry.incident_id))
    left = {task["id"]: task for task in await shown(session, entry.incident_id) if task["level"] == 2}
    assert left[begun["id"]]["state"] == TaskState.OPEN, "what somebody has begun stays"
    others = [task for id_, task in left.items() if id_ != begun["id"]]
    assert {(task["state"], task["reason"]) for task in others} == {(TaskState.NOT_NEEDED, LOWERED)}
    await raise_alarm_level(session, desk, entry.incident_id, level=2)
    await follow_cards(session, await last_entry(session, entry.incident_id))
    again = [task for task in await shown(session, entry.incident_id) if task["level"] == 2]
    assert {task["state"] for task in again} == {TaskState.OPEN}
    with pytest.raises(AlarmLevelStands):
        await raise_alarm_level(session, desk, entry.incident_id, level=2)


async def test_another_type_has_another_card(session: AsyncSession, city: City) -> None:
    desk = city.actor("dispatcher")
    entry = await an_opening(session, desk)
    assert entry.incident_id is not None
    await follow_cards(session, entry)
    done = (await shown(session, entry.incident_id))[0]
    await complete_task(session, desk, entry.incident_id, _uuid(done["id"]))
    refused = (await shown(session, entry.incident_id))[1]
    await drop_task(session, desk, entry.incident_id, _uuid(refused["id"]), reason="ya vino solo")
    await reclassify(session, desk, entry.incident_id, type_code="INC-02")
    await follow_cards(session, await last_entry(session, entry.incident_id))
    tasks = await shown(session, entry.incident_id)
    assert sum(task["state"] == TaskState.OPEN for task in tasks) == asked("INC-02", 1)
    assert sum(task["reason"] == RECLASSIFIED for task in tasks) == asked("SIN-01", 1) - 2
    await reclassify(session, desk, entry.incident_id, type_code="SIN-01")
    await follow_cards(session, await last_entry(session, entry.incident_id))
    back = {task["id"]: task for task in await shown(session, entry.incident_id)}
    assert back[done["id"]]["state"] == TaskState.DONE
    assert back[refused["id"]]["reason"] == "ya vino solo", "what a person said stands"
    assert sum(task["state"] == TaskState.OPEN for task in back.values()) == asked("SIN-01", 1) - 2


async def test_what_is_over_asks_for_nothing(session: AsyncSession, city: City) -> None:
    desk = city.actor("dispatcher")
    entry = await an_opening(session, desk)
    assert entry.incident_id is not None
    await cancel_incident(session, desk, entry.incident_id, reason="error")
    await follow_cards(session, entry)
    assert await shown(session, entry.incident_id) == []
    with pytest.raises(IncidentOver):
        await raise_alarm_level(session, desk, entry.incident_id, level=2)
    await reopen_incident(session, desk, entry.incident_id, reason="volvió")
    await follow_cards(session, await last_entry(session, entry.incident_id))
    assert len(await shown(session, entry.incident_id)) == asked("SIN-01", 1)


async def test_steps_are_ticked_and_unticked(session: AsyncSession, city: City) -> None:
    desk = city.actor("dispatcher")
    task = await a_task(session, desk)
    for step in (0, 1, 1):
        ticked = await tick_step(session, desk, task.incident_id, task.id, step=step)
    assert ticked.state == TaskState.DONE, "the last step is the task"
    assert {step["done_by"] for step in ticked.checklist} == {"dispatcher"}
    incident = await session.get_one(Incident, task.incident_id)
    assert incident.tasks == {"open": 0, "done": 1, "overdue": 0}
    open_again = await tick_step(session, desk, task.incident_id, task.id, step=0, done=False)
    assert (open_again.state, open_again.checklist[0]["done_at"]) == (TaskState.OPEN, None)
    with pytest.raises(NotFound):
        await tick_step(session, desk, task.incident_id, task.id, step=2)
    await drop_task(session, desk, task.incident_id, task.id, reason="no hace falta")
    with pytest.raises(IllegalMove):
        await tick_step(session, desk, task.incident_id, task.id, step=0)
    with pytest.raises(IllegalMove):
        await complete_task(session, desk, task.incident_id, task.id)
    await reopen_task(session, desk, task.incident_id, task.id)
    kinds = [line["kind"] for line in await timeline(session, desk, task.incident_id)]
    assert [kind for kind in kinds if kind.startswith("task.")] == [
        *("task.added", "task.ticked", "task.ticked", "task.unticked", "task.not_needed", "task.reopened"),
    ]


async def test_lateness_is_told_once_and_only_while_it_matters(session: AsyncSession, city: City) -> None:
    desk = city.actor("dispatcher")
    entry, over = await an_opening(session, desk), await an_opening(session, desk)
    for one in (entry, over):
        await follow_cards(session, one)
    assert entry.incident_id is not None
    assert over.incident_id is not None
    await cancel_incident(session, desk, over.incident_id, reason="error")
    late = select(IncidentTask.id).where(IncidentTask.kind == TaskKind.AGENCY)
    await session.execute(
        update(IncidentTask).where(IncidentTask.id.in_(late)).values(due_at=now() - dt.timedelta(seconds=1))
    )
    assert await mark_overdue(session) == 2
    assert await mark_overdue(session) == 0
    incident = await session.get_one(Incident, entry.incident_id)
    assert incident.tasks["overdue"] == 2
    task = next(one for one in await shown(session, incident.id) if one["kind"] == TaskKind.AGENCY)
    await complete_task(session, desk, incident.id, _uuid(task["id"]))
    assert incident.tasks["overdue"] == 1


async def test_tasks_are_seen_by_who_sees_the_incident_whole(session: AsyncSession, city: City) -> None:
    entry = await an_opening(session, city.actor("trained"), type_code="SEG-07")
    await follow_cards(session, entry)
    assert entry.incident_id is not None
    assert len(await tasks_of(session, city.actor("trained"), entry.incident_id)) == asked("SEG-07", 1)
    for name in ("dispatcher", "government", "wall", "crew m1", "vecinal oeste", "police", "administrator"):
        with pytest.raises(NotFound):
            await tasks_of(session, city.actor(name), entry.incident_id)
    public = await an_opening(session, city.actor("dispatcher"), type_code="MET-01")
    await follow_cards(session, public)
    assert public.incident_id is not None
    incident = await session.get_one(Incident, public.incident_id)
    wall = await feature(session, city.actor("wall"), incident)
    assert wall["properties"]["tasks"] is None


def _uuid(text: str) -> UUID:
    return UUID(text)
