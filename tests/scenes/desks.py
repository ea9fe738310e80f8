"""Scenes of the radio log, of handing over and of two hands on one incident."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.handling import hand_incident
from incidents.handover import hand_over, receive_handover
from incidents.incident import reclassify
from incidents.radio_lines import RadioLine
from incidents.radio_log import ON_AIR, log_radio, strike_radio, take_off_air
from incidents.summary import summarise
from incidents.undo import Undo, offered, undo
from realtime.access import Actor
from realtime.database import new_id, now
from tests.builders import City, an_assignment, an_incident
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]
SECRET = "SEG-07"


async def a_line(
    session: AsyncSession, actor: Actor, city: City, *, type_code: str | None = None, words: str = "llegando al lugar"
) -> RadioLine:
    """What M1 says: about an incident of that type, or about none."""
    incident = await an_incident(session, actor, type_code=type_code) if type_code else None
    return await log_radio(
        session,
        actor,
        new_id(),
        text=words,
        unit_id=city.units["M1"],
        incident_id=incident.id if incident else None,
        tie=False,
    )


def _logged(name: str, type_code: str | None) -> None:
    @scene(log_radio, name)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        incident = await an_incident(session, actor, type_code=type_code or SECRET)
        if type_code is not None:
            await an_assignment(session, actor, incident, city.units["M1"])
        return lambda: log_radio(session, actor, new_id(), text="llegando", unit_id=city.units["M1"])


_logged("about nothing", None)
_logged("of a unit at work", "MET-01")
_logged("of a unit at a protected one", SECRET)


@scene(strike_radio)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    line = await a_line(session, actor, city, type_code=SECRET)
    return lambda: strike_radio(session, actor, line.id, reason="era otro móvil")


@scene(undo, "of a radio line")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await a_line(session, actor, city, type_code="MET-01")
    offer = offered(session)
    assert offer is not None
    kept = await session.get_one(Undo, offer["id"])
    return lambda: undo(session, actor, kept.id)


def _turned(name: str, was: str, becomes: str) -> None:
    @scene(reclassify, name)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        line = await a_line(session, actor, city, type_code=was)
        assert line.incident_id is not None
        incident_id = line.incident_id
        return lambda: reclassify(session, actor, incident_id, type_code=becomes)


_turned("with a radio line, to a protected one", "MET-01", SECRET)
_turned("with a radio line, to an open one", SECRET, "MET-01")


@scene(take_off_air)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await a_line(session, actor, city, type_code="MET-01")
    await a_line(session, actor, city)
    await session.execute(update(RadioLine).values(logged_at=now() - 2 * ON_AIR))
    return lambda: take_off_air(session)


@scene(summarise)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor, type_code="MET-01")
    return lambda: summarise(session, actor, incident.id, summary="tres autos", was="dos autos")


@scene(undo, "of a summary")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor, type_code="MET-01")
    await summarise(session, actor, incident.id, summary="tres autos")
    offer = offered(session)
    assert offer is not None
    kept = await session.get_one(Undo, offer["id"])
    return lambda: undo(session, actor, kept.id)


@scene(hand_incident, "that is protected")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor, type_code=SECRET)
    supervisor = city.people["supervisor"][0]
    return lambda: hand_incident(session, actor, incident.id, to=supervisor)


@scene(hand_over, "with what one handles")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await an_incident(session, actor, type_code="MET-01")
    await an_incident(session, actor, type_code=SECRET)
    return lambda: hand_over(session, actor, new_id(), to=city.people["dispatcher"][0], pass_on=True)


@scene(receive_handover)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    page = await hand_over(session, city.actor("supervisor"), new_id(), to=city.people["trained"][0])
    return lambda: receive_handover(session, city.actor("trained"), page.id)
