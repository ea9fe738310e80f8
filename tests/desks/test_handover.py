"""The shift is handed over: what stood open then, two names, and nobody reads what they may not see."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import close_incident
from incidents.handover import (
    AlreadyReceived,
    NotAtADesk,
    NotToYourself,
    desk_people,
    hand_over,
    handovers,
    receive_handover,
)
from incidents.incident import Incident
from realtime.database import new_id
from realtime.errors import AlreadyExists, NotFound
from tests.builders import City, a_report, an_incident


async def test_a_page_says_what_stood_open(session: AsyncSession, city: City) -> None:
    leaves, comes = city.actor("dispatcher"), city.actor("supervisor")
    first = await an_incident(session, leaves, type_code="MET-01")
    over = await an_incident(session, leaves)
    await close_incident(session, leaves, over.id, disposition="resolved")
    await a_report(session, leaves)
    page = await hand_over(session, leaves, new_id(), to=comes.id or new_id(), note="ojo con el puente")

    await close_incident(session, comes, first.id, disposition="resolved")
    [read] = await handovers(session, comes, limit=5)
    assert [row["code"] for row in read["content"]["incidents"]] == [first.code], "as it was, whatever became of it"
    assert (read["content"]["open"], read["content"]["overdue"]) == (1, 0)
    assert (read["content"]["reports"], read["note"]) == (1, "ojo con el puente")
    assert (read["made_by"]["name"], read["to"]["name"], read["received_at"]) == ("dispatcher", "supervisor", None)

    await receive_handover(session, comes, page.id)
    [read] = await handovers(session, leaves, limit=5)
    assert read["received_at"] is not None
    with pytest.raises(AlreadyReceived):
        await receive_handover(session, comes, page.id)
    with pytest.raises(AlreadyExists):
        await hand_over(session, leaves, page.id, to=comes.id or new_id())


async def test_what_one_handles_goes_too_where_the_other_may_see_it(session: AsyncSession, city: City) -> None:
    leaves, comes = city.actor("trained"), city.actor("dispatcher")
    plain = await an_incident(session, leaves)
    protected = await an_incident(session, leaves, type_code="SEG-07")
    others = await an_incident(session, city.actor("supervisor"))
    page = await hand_over(session, leaves, new_id(), to=comes.id or new_id(), pass_on=True)
    assert page.content["passed"] == [plain.code]
    handlers = {one: (await session.get_one(Incident, one)).handler for one in (plain.id, protected.id, others.id)}
    assert list(handlers.values()) == ["dispatcher", "trained", "supervisor"]


async def test_the_page_hides_what_its_reader_may_not_see(session: AsyncSession, city: City) -> None:
    leaves, comes = city.actor("trained"), city.actor("dispatcher")
    protected = await an_incident(session, leaves, type_code="SEG-07")
    plain = await an_incident(session, leaves)
    await hand_over(session, leaves, new_id(), to=comes.id or new_id())
    codes = {
        name: {
            row["code"]
            for page in await handovers(session, city.actor(name), limit=5)
            for row in page["content"]["incidents"]
        }
        for name in ("trained", "dispatcher", "supervisor")
    }
    assert codes == {
        "trained": {plain.code, protected.code},
        "dispatcher": {plain.code},
        "supervisor": {plain.code, protected.code},
    }


async def test_to_whom(session: AsyncSession, city: City) -> None:
    leaves = city.actor("dispatcher")
    assert {person.name for person in await desk_people(session, leaves)} == {"call_taker", "trained", "supervisor"}
    with pytest.raises(NotToYourself):
        await hand_over(session, leaves, new_id(), to=leaves.id or new_id())
    with pytest.raises(NotAtADesk):
        await hand_over(session, leaves, new_id(), to=city.people["crew m1"][0])
    page = await hand_over(session, leaves, new_id(), to=city.people["trained"][0])
    with pytest.raises(NotFound):
        await receive_handover(session, city.actor("supervisor"), page.id)


async def test_the_book_is_read_page_by_page(session: AsyncSession, city: City) -> None:
    leaves = city.actor("dispatcher")
    made = [(await hand_over(session, leaves, new_id(), to=city.people["trained"][0])).id for _ in range(5)]
    read, before = [], None
    while pages := await handovers(session, leaves, limit=2, before=before):
        read += [page["id"] for page in pages]
        before = made[4 - len(read) + 1]
    assert read == [str(each) for each in reversed(made)]
    with pytest.raises(NotFound):
        await handovers(session, leaves, limit=2, before=new_id())
