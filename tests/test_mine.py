"""Whose an incident is in the queue's filter: whoever did something in its story."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import close_incident
from incidents.incident import worked_on
from incidents.timeline import add_note
from realtime.database import new_id
from tests.builders import City, an_incident


async def test_mine_are_those_i_did_something_in(session: AsyncSession, city: City) -> None:
    dispatcher, supervisor, police = (city.actor(name) for name in ("dispatcher", "supervisor", "police"))
    opened, noted, others = [await an_incident(session, one) for one in (dispatcher, supervisor, supervisor)]
    await add_note(session, dispatcher, noted.id, note_id=new_id(), text="voy yo")
    assert set(await worked_on(session, dispatcher)) == {opened.id, noted.id}
    assert set(await worked_on(session, supervisor)) == {noted.id, others.id}
    assert list(await worked_on(session, police)) == []

    # What is over is nobody's work any more.
    await close_incident(session, supervisor, opened.id, disposition="no_action")
    assert list(await worked_on(session, dispatcher)) == [noted.id]
