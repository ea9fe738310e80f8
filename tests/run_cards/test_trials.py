"""Trials: a draft against what really happened, a few incidents at a time, with the rights of who asked."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

import incidents.card_trials
from geo.places import Point
from incidents.card_trials import (
    MOST_INCIDENTS,
    CardTrial,
    NothingToTryOn,
    OtherDraft,
    TrialState,
    access_trial,
    ask_trial,
    carry_on_trial,
    evenly,
    keep_with,
    preview,
    rows_seen,
    summed_up,
    trials_of,
)
from incidents.incident import Incident, reclassify
from incidents.run_cards import CardLevel, Need, NeedKind, publish_edition
from realtime.access import Actor
from realtime.database import new_id, now
from realtime.errors import NotAllowed, NotFound
from resources.people import Person
from resources.positions import UnitPosition
from resources.tracks import position_history
from resources.units import Unit
from tests.builders import City, an_incident

ZONE = "America/Argentina/Buenos_Aires"
TWO = [CardLevel(needs=(Need("GUM", 2),))]
ONE = [CardLevel(needs=(Need("GUM"),))]


async def on_duty(session: AsyncSession, city: City) -> None:
    """M1 and M2 stand near the west, and were there all the time."""
    for name, lon in (("M1", -60.661), ("M2", -60.668)):
        before = now() - dt.timedelta(seconds=30)
        seen = {"unit_id": city.units[name], "lon": lon, "lat": -32.95, "fixed_at": before, "received_at": before}
        await session.execute(insert(position_history).values(doubt=0, **seen))
        session.add(
            UnitPosition(unit_id=city.units[name], lon=lon, lat=-32.95, fixed_at=now(), received_at=now(), heading=None)
        )
    await session.execute(update(Unit).values(duty="on_duty"))
    await session.flush()


async def history(session: AsyncSession, actor: Actor, many: int, type_code: str = "SEG-05") -> list[Incident]:
    return [await an_incident(session, actor, type_code=type_code) for _ in range(many)]


async def tried(session: AsyncSession, trial: CardTrial, turns: int = 50) -> CardTrial:
    for _ in range(turns):
        await carry_on_trial(session, trial_id=str(trial.id), timezone=ZONE)
        if trial.state != TrialState.RUNNING:
            break
    return trial


async def ask(session: AsyncSession, actor: Actor, levels: list[CardLevel] = TWO, **words: Any) -> CardTrial:
    type_code = words.pop("type_code", "SEG-05")
    return await ask_trial(session, actor, new_id(), type_code=type_code, priority=None, levels=levels, **words)


async def test_a_draft_is_tried_on_what_happened(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await on_duty(session, city)
    await publish_edition(session, boss, new_id(), type_code="SEG-05", priority=None, levels=ONE, seen=1)
    await history(session, boss, 3)
    trial = await tried(session, await ask(session, boss))
    assert trial.state == TrialState.DONE
    assert trial.summary is not None
    assert (trial.summary["incidents"], trial.summary["changed"]) == (3, 3)
    assert (trial.summary["added"], trial.summary["removed"]) == (3, 0)
    assert trial.summary["most_added"][0][1] == 3
    assert trial.summary["before"]["first"] == trial.summary["after"]["first"]
    assert trial.summary["after"]["last"]["p50"] > trial.summary["before"]["last"]["p50"], "the second is farther"
    assert trial.summary["before"]["short"] == trial.summary["after"]["short"] == 0
    row = (await rows_seen(session, boss, trial))[0]
    assert (len(row["before"]["units"]), len(row["after"]["units"]), row["edition"]) == (1, 2, 2)


async def test_what_is_short_is_said(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await on_duty(session, city)
    await history(session, boss, 1)
    trial = await tried(session, await ask(session, boss, [CardLevel(needs=(Need("ZOO"), Need("GUM")))]))
    assert trial.summary is not None
    assert (trial.summary["after"]["short"], trial.summary["after"]["short_incidents"]) == (1, 1)
    assert trial.summary["after"]["last"] is None, "not all of them came"


async def test_a_worker_that_dies_leaves_the_rest_to_another(
    session: AsyncSession, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = city.actor("supervisor")
    await on_duty(session, city)
    happened = await history(session, boss, 3)
    monkeypatch.setattr(incidents.card_trials, "BUDGET", 0.0)
    trial = await ask(session, boss)
    await carry_on_trial(session, trial_id=str(trial.id), timezone=ZONE)
    assert (trial.state, len(trial.rows)) == (TrialState.RUNNING, 1)
    await tried(session, trial)
    assert trial.state == TrialState.DONE
    assert [row["incident_id"] for row in trial.rows] == [str(one.id) for one in happened]
    kept = list(trial.rows)
    await carry_on_trial(session, trial_id=str(trial.id), timezone=ZONE)
    assert trial.rows == kept, "what is done is not done again"


async def test_what_the_asker_may_not_see_is_neither_shown_nor_counted(session: AsyncSession, city: City) -> None:
    boss, trained = city.actor("supervisor"), city.actor("trained")
    await on_duty(session, city)
    protected = await history(session, trained, 2, "SEG-07")
    other = (await history(session, trained, 1))[0]
    low = Actor(name="jefe", role=boss.role, id=boss.id, organization_id=boss.organization_id, clearance=0)
    with pytest.raises(NotFound):
        await ask(session, low, type_code="SEG-07")
    whole = await tried(session, await ask(session, boss, type_code="SEG-07"))
    assert whole.total == len(protected)
    with pytest.raises(NotFound):
        await access_trial(session, low, whole.id)
    plain = await ask(session, low)
    assert plain.incident_ids == [other.id]
    await tried(session, plain)
    await reclassify(session, trained, other.id, type_code="SEG-07")
    assert await rows_seen(session, low, plain) == [], "and what became secret since leaves the rows"
    assert len(await rows_seen(session, boss, plain)) == 1


async def test_only_who_may_both_edit_and_dispatch(session: AsyncSession, city: City) -> None:
    await history(session, city.actor("trained"), 1)
    for name in ("administrator", "dispatcher", "government"):
        with pytest.raises(NotAllowed):
            await ask(session, city.actor(name))
    with pytest.raises(NothingToTryOn):
        await ask(session, city.actor("supervisor"), type_code="AGU-01")


async def test_who_lost_the_right_gets_no_answer(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await history(session, boss, 1)
    trial = await ask(session, boss)
    await session.execute(update(Person).where(Person.id == boss.id).values(disabled_at=now()))
    await carry_on_trial(session, trial_id=str(trial.id), timezone=ZONE)
    assert (trial.state, trial.rows) == (TrialState.FAILED, [])


async def test_a_trial_is_kept_with_its_edition(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await history(session, boss, 1)
    trial = await tried(session, await ask(session, boss))

    async def publish(levels: list[CardLevel], seen: int) -> Any:
        return await publish_edition(
            session, boss, new_id(), type_code="SEG-05", priority=None, levels=levels, seen=seen
        )

    with pytest.raises(OtherDraft):
        await keep_with(session, trial, await publish(ONE, 1))
    edition = await publish(TWO, 2)
    await keep_with(session, trial, edition)
    assert (await trials_of(session, boss, [edition]))[edition.id] is trial
    assert await trials_of(session, city.actor("administrator"), [edition]) == {}


async def test_a_priority_with_a_card_of_its_own_is_left_out(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await history(session, boss, 2)
    await publish_edition(session, boss, new_id(), type_code="SEG-05", priority=1, levels=ONE, seen=0)
    grave = (await history(session, boss, 1))[0]
    await reclassify(session, boss, grave.id, type_code="SEG-05", priority=1)
    assert (await ask(session, boss)).total == 2
    own = await ask_trial(session, boss, new_id(), type_code="SEG-05", priority=1, levels=TWO)
    assert own.incident_ids == [grave.id]


async def test_old_incidents_are_not_asked(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    first, second = await history(session, boss, 2)
    old = now() - dt.timedelta(days=40)
    await session.execute(update(Incident).where(Incident.id == first.id).values(opened_at=old))
    assert (await ask(session, boss, days=30)).incident_ids == [second.id]
    assert (await ask(session, boss, days=60)).total == 2


async def test_a_preview_says_who_would_go_now(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await on_duty(session, city)
    levels = [*ONE, CardLevel(needs=(Need("GUM", kind=NeedKind.PREFERRED),))]
    place = Point(-60.66, -32.95)

    async def at(level: int) -> list[str]:
        drafted, held = await preview(
            session, boss, type_code="SEG-05", priority=3, levels=levels, level=level, place=place, timezone=ZONE
        )
        assert held is not None
        return sorted(pick.option.unit.call_sign for pick in drafted.picks)

    assert len(await at(1)) == 1
    assert await at(2) == ["M1", "M2"]
    assert (await session.scalars(select(CardTrial))).all() == []


@given(st.integers(1, 2000), st.integers(2, MOST_INCIDENTS))
def test_a_sample_is_even(many: int, most: int) -> None:
    things = [UUID(int=number) for number in range(many)]
    chosen = evenly(things, most)
    assert len(chosen) == min(many, most) == len(set(chosen))
    assert (chosen[0], chosen[-1]) == (things[0], things[-1])
    gaps = {b.int - a.int for a, b in itertools.pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_totals_of_nothing_are_blank_and_not_zero() -> None:
    summary = summed_up([{"incident_id": "x", "before": None, "after": None}])
    assert (summary["incidents"], summary["before"]["first"], summary["after"]["last"]) == (0, None, None)
