"""Run cards: the default set is whole, and at any moment one edition holds."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.catalogue import Catalogue, UnknownCode, default_content
from incidents.run_cards import (
    AgencyAsk,
    AlreadyWithdrawn,
    CardEditedMeanwhile,
    CardLevel,
    CardTask,
    InThePast,
    LevelAddsNothing,
    MessageTo,
    Need,
    RunCardEdition,
    Standing,
    TwiceInOneCard,
    check_levels,
    content_of,
    default_cards,
    editions_of,
    in_force_at,
    lay_default_cards,
    levels_of,
    publish_edition,
    run_card,
    standing_of,
    withdraw_edition,
)
from realtime.access import VIGIA
from realtime.database import new_id, now
from realtime.errors import NotAllowed
from resources.capabilities import UnknownCapability, default_capabilities
from tests.builders import City
from tests.scenes.cards import an_edition

HOUR = dt.timedelta(hours=1)
DAY = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def test_every_type_has_a_card_and_every_card_says_something() -> None:
    words = Catalogue(0, default_content())
    cards = {code: levels_of(content) for code, priority, content in default_cards() if priority is None}
    assert set(cards) == set(words.types)
    assert len(cards) == 43
    known = {one["code"] for one in default_capabilities()}
    for code, levels in cards.items():
        check_levels(levels, words)
        assert {need.capability for level in levels for need in level.needs} <= known
        assert levels[0], code
        assert levels[0].tasks, f"{code}: nobody is told what to do"
        for level in levels:
            assert all(message.to in set(MessageTo) for message in level.messages)
            for task in level.tasks:
                assert task.text[0].isupper(), task.text
                assert not task.text.endswith("."), task.text
                assert task.within_minutes is None or 1 <= task.within_minutes <= 2880
    # Somebody goes, or is asked, wherever it is not a matter of the desk alone.
    alone = {code for code, levels in cards.items() if not levels[0].needs and not levels[0].agencies}
    assert alone == {"SRV-01", "ADM-01"}


def test_content_comes_back_as_it_went() -> None:
    for _, _, content in default_cards():
        assert content_of(levels_of(content)) == content


moments = st.integers(0, 20).map(lambda hours: DAY + hours * HOUR)
editions = st.lists(st.tuples(st.one_of(st.none(), moments), st.one_of(st.none(), moments)), min_size=0, max_size=6)


@given(editions, moments)
def test_one_edition_holds_at_any_moment(
    told: list[tuple[dt.datetime | None, dt.datetime | None]], at: dt.datetime
) -> None:
    """The one that came last among those that had come and were not withdrawn; what is withdrawn later held then."""
    book = [
        RunCardEdition(id=new_id(), number=number, valid_from=since, withdrawn_at=until)
        for number, (since, until) in enumerate(told, start=1)
    ]
    held = in_force_at(book, at)
    standing = [
        one
        for one in book
        if (one.valid_from or DAY - HOUR) <= at and not (one.withdrawn_at is not None and one.withdrawn_at <= at)
    ]
    if not standing:
        assert held is None
        return
    assert held is not None
    assert held in standing
    for other in standing:
        assert (other.valid_from or DAY - HOUR, other.number) <= (held.valid_from or DAY - HOUR, held.number)
    assert [one for one in book if standing_of(one, book, at) is Standing.IN_FORCE] == [held]


async def test_the_defaults_are_laid_once(session: AsyncSession, city: City) -> None:
    card = await run_card(session, "INC-01", 1)
    assert card is not None
    assert card.edition == 1
    assert card.valid_from is None
    assert [need.capability for need in card.needs(1)][:2] == ["PC", "TRA"]
    assert len(card.needs(2)) > len(card.needs(1)), "levels add up"
    assert await run_card(session, "INC-01", 1, dt.datetime(2019, 1, 1, tzinfo=dt.UTC)) == card
    await withdraw_edition(session, city.actor("supervisor"), UUID(str(card.id)), reason="se hace otra")
    assert await lay_default_cards(session, VIGIA) == 0, "what a city withdrew does not come back by itself"
    assert await run_card(session, "INC-01", 1) is None
    assert await run_card(session, "no-such", 1) is None


async def test_a_priority_may_have_a_card_of_its_own(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    own = await publish_edition(
        session, boss, new_id(), type_code="MET-01", priority=3, levels=[CardLevel(needs=(Need("ARB"),))], seen=0
    )
    assert (await run_card(session, "MET-01", 3)) == own.as_card()
    general = await run_card(session, "MET-01", 2)
    assert general is not None
    assert general.priority is None
    await withdraw_edition(session, boss, own.id, reason="alcanza la general")
    assert await run_card(session, "MET-01", 3) == general


async def test_dated_and_taken_back(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    tomorrow = now() + dt.timedelta(days=1)
    before = await run_card(session, "SIN-02", 3)
    coming = await publish_edition(
        session,
        boss,
        new_id(),
        type_code="SIN-02",
        priority=None,
        levels=[CardLevel(needs=(Need("GUM", 2),))],
        seen=1,
        valid_from=tomorrow,
        note="desde mañana",
    )
    assert await run_card(session, "SIN-02", 3) == before
    assert await run_card(session, "SIN-02", 3, tomorrow) == coming.as_card()
    book = await editions_of(session, "SIN-02", None)
    assert [standing_of(one, book, now()) for one in book] == [Standing.IN_FORCE, Standing.COMING]
    await withdraw_edition(session, boss, coming.id, reason="no hay gente")
    assert await run_card(session, "SIN-02", 3, tomorrow) == before
    with pytest.raises(AlreadyWithdrawn):
        await withdraw_edition(session, boss, coming.id, reason="otra vez")
    assert len(await editions_of(session, "SIN-02", None)) == 2, "nothing is deleted"
    with pytest.raises(InThePast):
        await publish_edition(
            session,
            boss,
            new_id(),
            type_code="SIN-02",
            priority=None,
            levels=[CardLevel(needs=(Need("GUM"),))],
            seen=2,
            valid_from=now() - HOUR,
        )


async def test_the_past_stays_as_it_was(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    first = await run_card(session, "SIN-02", 3)
    second = await an_edition(session, boss)
    assert second.valid_from is not None
    assert await run_card(session, "SIN-02", 3, second.valid_from - HOUR) == first
    await withdraw_edition(session, boss, second.id, reason="mejor la de antes")
    assert await run_card(session, "SIN-02", 3, second.valid_from) == second.as_card()
    assert await run_card(session, "SIN-02", 3) == first


async def test_nobodys_change_is_lost_unread(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await an_edition(session, boss)
    with pytest.raises(CardEditedMeanwhile) as refused:
        await publish_edition(
            session,
            city.actor("administrator"),
            new_id(),
            type_code="SIN-02",
            priority=None,
            levels=[CardLevel(needs=(Need("TRA", 2),))],
            seen=1,
        )
    assert refused.value.facts["number"] == 2
    assert refused.value.facts["by"] == "supervisor"


async def test_what_a_card_may_not_hold(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")

    async def put(*levels: CardLevel, type_code: str = "SIN-02") -> None:
        await publish_edition(session, boss, new_id(), type_code=type_code, priority=None, levels=levels, seen=1)

    with pytest.raises(UnknownCode):
        await put(CardLevel(agencies=(AgencyAsk("FBI"),)))
    with pytest.raises(UnknownCapability):
        await put(CardLevel(needs=(Need("SUBMARINO"),)))
    with pytest.raises(UnknownCode):
        await put(CardLevel(), type_code="XXX-99")
    with pytest.raises(LevelAddsNothing):
        await put(CardLevel(needs=(Need("TRA"),)), CardLevel())
    twice = CardTask("a", "Mirá")
    with pytest.raises(TwiceInOneCard):
        await put(CardLevel(tasks=(twice,)), CardLevel(tasks=(twice,)))
    with pytest.raises(NotAllowed):
        await an_edition(session, city.actor("dispatcher"))
    assert len((await session.scalars(select(RunCardEdition).where(RunCardEdition.type_code == "SIN-02"))).all()) == 1
