"""What looks like something open and is tied to nothing: said to who watches over the room, until somebody answers."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.bonds import LinkKind
from incidents.duplicates import unlinked_duplicates
from incidents.links import link_incidents, unlink_incidents
from incidents.triage import join_report
from realtime.access import Actor
from realtime.database import new_id
from tests.builders import City, a_report, an_incident


async def pairs(session: AsyncSession, actor: Actor) -> set[tuple[str, str]]:
    """Who looks like whom."""
    told: dict[str, Any] = await unlinked_duplicates(session, actor)
    assert told["total"] == len(told["pairs"])
    return {(one["subject"], one["like"]["incident_id"]) for one in told["pairs"]}


async def test_a_waiting_report_beside_an_incident_until_it_joins(session: AsyncSession, city: City) -> None:
    desk = city.actor("supervisor")
    incident = await an_incident(session, desk, type_code="INC-01", summary="humo negro en el galpón")
    near = await a_report(session, desk, words="sale humo negro del galpón")
    await a_report(session, desk, words="sale humo negro del galpón", place=city.east)
    await a_report(session, desk, words="sale humo negro del galpón", place=None)
    assert await pairs(session, desk) == {(near.subject, str(incident.id))}
    await join_report(session, desk, near.id, incident_id=incident.id)
    assert await pairs(session, desk) == set()


async def test_the_newer_of_two_incidents_until_somebody_says_what_they_are(session: AsyncSession, city: City) -> None:
    desk = city.actor("supervisor")
    older = await an_incident(session, desk)
    newer = await an_incident(session, desk)
    await an_incident(session, desk, type_code="MET-01", summary="se cayó un árbol")  # another matter, same corner
    await an_incident(session, desk, place=city.east)
    assert await pairs(session, desk) == {(newer.subject, str(older.id))}
    link = await link_incidents(session, desk, newer.id, link_id=new_id(), other_id=older.id, kind=LinkKind.RELATED)
    assert await pairs(session, desk) == set()
    await unlink_incidents(session, desk, link.id)
    assert await pairs(session, desk) == {(newer.subject, str(older.id))}


async def test_what_is_protected_is_in_no_pair_and_no_number(session: AsyncSession, city: City) -> None:
    trained, desk = city.actor("trained"), city.actor("dispatcher")
    protected = await an_incident(session, trained, type_code="SEG-07", summary="gritos de una mujer")
    report = await a_report(session, desk, words="gritos de una mujer")
    assert await pairs(session, trained) == {(report.subject, str(protected.id))}
    assert await pairs(session, desk) == set()
