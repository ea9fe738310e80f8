"""Who could stand elsewhere: what is proposed, by whom it is decided, and how it ends."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.coverage_targets import CoverageTarget, TargetEnded, end_target, set_target
from incidents.dispatch_policy import BadPolicy, Policy, dispatch_policy, policy_from, publish_policy
from incidents.move_ups import (
    STANDS_FOR,
    Ending,
    MoveUp,
    MoveUpState,
    UnitNotFree,
    best_move,
    call_off_move_up,
    confirm_move_up,
    propose_move_ups,
    refuse_move_up,
    tend_move_ups,
)
from incidents.situation import Target
from incidents.standing import Covering
from realtime.access import VIGIA
from realtime.database import new_id, now
from realtime.errors import IllegalMove
from resources.units import Duty, set_duty
from tests.builders import City, an_assignment, an_incident
from tests.recommendation.conftest import ZONE, place
from tests.recommendation.fleets import SIDE, TOWN, card, town, unit
from tests.travel.towns import grid, spot

FAR = Policy(move_up_least=0.01)
BASES = [("Base Este", spot(11, 6)), ("Base Sur", spot(2, 0))]


# ── The best move, in a small town ────────────────────────────────────────────────────────────────


def test_one_of_two_beside_each_other_goes_where_nobody_is() -> None:
    target = Target(UUID(int=5), "GUM", None, 45 / 60, 0.8)
    crowded = town(unit("M1", 2, 6), unit("M2", 2, 6), targets=[target], policy=FAR)
    found = best_move(crowded, Covering(crowded, target), BASES)
    assert found is not None
    assert found.name in {"Base Este", "Este"}
    assert found.after.share > found.before.share
    moved = [unit("M1", 2, 6), unit("M2", found.place.x, 0, place=found.place)]
    tried = Covering(town(*moved, targets=[target]), target).share()
    assert found.after.share == pytest.approx(tried.share), "what is promised is what it gives"
    assert found.leaves_people == 0
    assert found.seconds == pytest.approx(90, abs=20)


def test_nobody_moves_for_nothing_nor_by_breaking_another_target() -> None:
    target, other = Target(UUID(int=5), "GUM", None, 45 / 60, 0.8), Target(UUID(int=6), "DEA", None, 45 / 60, 0.1)
    alone = town(unit("M1", 6, 6), targets=[target], policy=Policy(move_up_least=0.2))
    assert best_move(alone, Covering(alone, target), [("Aquí", spot(6, 7))]) is None
    held = [
        unit("M1", 2, 6, capabilities={"GUM": None, "DEA": None}),
        unit("M2", 2, 6, capabilities={"GUM": None, "DEA": None}),
    ]
    both = town(*held, targets=[target, other], policy=FAR)
    assert best_move(both, Covering(both, target), BASES) is not None, "the other one still holds it"
    only = [held[0], unit("M2", 2, 6)]
    one = town(*only, targets=[target, other], policy=FAR)
    found = best_move(one, Covering(one, target), BASES)
    assert found is not None
    assert found.unit.call_sign == "M2", "M1 alone has what the other target asks for"
    assert best_move(one, Covering(one, target), BASES, {only[1].id}) is None
    nobody = town(targets=[target])
    assert best_move(nobody, Covering(nobody, target), BASES) is None
    assert len(TOWN) == len(grid(SIDE, SIDE))
    assert card().levels


# ── From the worker's round to its end ────────────────────────────────────────────────────────────


@pytest.fixture
async def target(town: AsyncSession, city: City) -> CoverageTarget:
    """Nearly everybody within half a minute of a unit with GUM: M1 and M2 stand together in the west."""
    await publish_policy(town, city.actor("supervisor"), {"move_up_least": 0.01})
    return await set_target(town, city.actor("supervisor"), new_id(), capability="GUM", minutes=0.5, minimum=0.95)


async def live(session: AsyncSession) -> list[MoveUp]:
    query = select(MoveUp).where(MoveUp.ended_at.is_(None)).execution_options(populate_existing=True)
    return list(await session.scalars(query))


async def proposed(session: AsyncSession) -> MoveUp:
    await propose_move_ups(session, timezone=ZONE)
    (one,) = await live(session)
    return one


async def test_it_is_proposed_once_confirmed_and_ends_on_arrival(
    town: AsyncSession, city: City, target: CoverageTarget
) -> None:
    one = await proposed(town)
    assert (one.state, one.target_id) == (MoveUpState.PROPOSED, target.id)
    assert one.share_after > one.share_before
    assert one.gain_people is not None
    assert one.gain_people > 0
    await propose_move_ups(town, timezone=ZONE)
    assert [other.id for other in await live(town)] == [one.id], "one for each target"
    await confirm_move_up(town, city.actor("dispatcher"), one.id, expected=one.version)
    await propose_move_ups(town, timezone=ZONE)
    assert [other.id for other in await live(town)] == [one.id], "it counts as if it stood there"
    await tend_move_ups(town)
    assert one.state == MoveUpState.CONFIRMED
    await place(town, city, one.call_sign, *_blocks(one), age=1)
    await tend_move_ups(town)
    assert (one.state, one.ending) == (MoveUpState.ENDED, Ending.ARRIVED)


def _blocks(one: MoveUp) -> tuple[float, float]:
    origin, step = spot(0, 0), spot(1, 1)
    return (one.place.x - origin.x) / (step.x - origin.x), (one.place.y - origin.y) / (step.y - origin.y)


async def test_after_a_refusal_nobody_is_pestered_for_a_while(
    town: AsyncSession, city: City, target: CoverageTarget
) -> None:
    one = await proposed(town)
    await refuse_move_up(town, city.actor("dispatcher"), one.id, reason="cambio de turno")
    await propose_move_ups(town, timezone=ZONE)
    assert await live(town) == []
    one.ended_at = now() - dt.timedelta(minutes=31)
    await town.flush()
    await propose_move_ups(town, timezone=ZONE)
    assert len(await live(town)) == 1
    with pytest.raises(IllegalMove):
        await confirm_move_up(town, city.actor("dispatcher"), one.id)


async def test_it_ends_when_the_unit_is_sent_or_gone_or_nobody_answers(
    town: AsyncSession, city: City, target: CoverageTarget
) -> None:
    one = await proposed(town)
    await confirm_move_up(town, city.actor("dispatcher"), one.id)
    await an_assignment(town, city.actor("trained"), await an_incident(town, city.actor("trained")), one.unit_id)
    await tend_move_ups(town)
    assert one.ending == Ending.DISPATCHED
    (other,) = [await proposed(town)] if await _again(town) else [None]
    if other is not None:
        await set_duty(town, VIGIA, other.unit_id, duty=Duty.BREAK)
        with pytest.raises(UnitNotFree):
            await confirm_move_up(town, city.actor("dispatcher"), other.id)
        await tend_move_ups(town)
        assert other.ending == Ending.UNIT_GONE


async def _again(session: AsyncSession) -> bool:
    await propose_move_ups(session, timezone=ZONE)
    return bool(await live(session))


async def test_a_proposal_grows_old_or_is_not_needed_any_more(
    town: AsyncSession, city: City, target: CoverageTarget
) -> None:
    one = await proposed(town)
    one.proposed_at = now() - STANDS_FOR - dt.timedelta(seconds=1)
    await town.flush()
    await tend_move_ups(town)
    assert one.ending == Ending.OUTDATED
    again = await proposed(town)
    await end_target(town, city.actor("supervisor"), target.id)
    easy = await set_target(town, city.actor("supervisor"), new_id(), capability="GUM", minutes=10, minimum=0.5)
    again.target_id = easy.id
    await town.flush()
    await propose_move_ups(town, timezone=ZONE)
    assert again.ending == Ending.COVERED
    with pytest.raises(TargetEnded):
        await end_target(town, city.actor("supervisor"), target.id)


async def test_calling_it_off_leaves_the_target_alone_too(
    town: AsyncSession, city: City, target: CoverageTarget
) -> None:
    one = await proposed(town)
    await confirm_move_up(town, city.actor("dispatcher"), one.id)
    await call_off_move_up(town, city.actor("dispatcher"), one.id, reason="llueve")
    assert one.ending == Ending.CALLED_OFF
    await propose_move_ups(town, timezone=ZONE)
    assert await live(town) == []


# ── The policy ────────────────────────────────────────────────────────────────────────────────────


async def test_the_policy_has_editions_and_a_past(town: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    assert await dispatch_policy(town) == (0, Policy())
    await publish_policy(town, boss, {"last_s": 90, "coverage_s": {"1": 1, "2": 2, "3": 3, "4": 4}})
    moment = now()
    await publish_policy(town, boss, {"preempt_up_to": 0})
    number, policy = await dispatch_policy(town)
    assert (number, policy.last_s, policy.preempt_up_to, policy.coverage_s["4"]) == (2, 90.0, 0, 4.0)
    assert (await dispatch_policy(town, moment))[1].preempt_up_to == 2
    assert await publish_policy(town, boss, {"last_s": 90}) == (2, policy), "the same again is no new edition"


@pytest.mark.parametrize(
    "content",
    [
        {"lasts": 1},
        {"last_s": -1},
        {"last_s": "1"},
        {"last_s": float("nan")},
        {"weights": {"1": 1}},
        {"preempt_gap": 1.5},
        {"remote_kinds": "x"},
    ],
)
def test_a_policy_is_numbers_that_can_be(content: dict[str, Any]) -> None:
    with pytest.raises(BadPolicy):
        policy_from(content)
