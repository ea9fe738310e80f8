"""Scenes of dispatch and undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment, AssignmentStatus
from incidents.closing import close_incident, finish_incident
from incidents.dispatch import (
    OnBusy,
    Sending,
    advance,
    dispatch_units,
    reassign,
    report_duty,
    report_status,
    stage,
    stand_down,
    stand_down_all,
    swap_units,
)
from incidents.incident import Incident, reclassify, relocate
from incidents.sos import answer_sos, false_alarm, raise_sos
from incidents.timeline import add_note
from incidents.undo import offered, undo
from realtime.access import Actor
from realtime.database import new_id
from resources.units import Duty
from tests.builders import City, an_assignment, an_incident
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


async def _sent(
    session: AsyncSession, actor: Actor, city: City, type_code: str = "MET-01", call_sign: str = "M1"
) -> tuple[Incident, Assignment]:
    incident = await an_incident(session, actor, type_code=type_code)
    return incident, await an_assignment(session, actor, incident, city.units[call_sign])


def _offer(session: AsyncSession) -> UUID:
    offer = offered(session)
    assert offer is not None
    return UUID(offer["id"])


@scene(dispatch_units, "of many, one released, one added")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await _sent(session, actor, city)
    await _sent(session, actor, city, "SEG-07", "M2")
    incident = await an_incident(session, actor, type_code="SIN-01")
    sendings = [
        Sending(new_id(), city.units["M1"], OnBusy.RELEASE),
        Sending(new_id(), city.units["M2"], OnBusy.ADD),
        Sending(new_id(), city.units["T1"], need="TRA"),
    ]
    return lambda: dispatch_units(session, actor, incident.id, sendings)


@scene(report_status, "and what waited leads")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city, "SEG-07")
    waiting = await an_incident(session, actor, type_code="MET-01")
    await dispatch_units(session, actor, waiting.id, [Sending(new_id(), city.units["M1"], OnBusy.ADD)])
    return lambda: report_status(session, city.actor("crew m1"), first.id, status=AssignmentStatus.RELEASED)


@scene(close_incident, "and what waited leads")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident, _ = await _sent(session, actor, city)
    waiting = await an_incident(session, actor, type_code="SEG-07")
    await dispatch_units(session, actor, waiting.id, [Sending(new_id(), city.units["M1"], OnBusy.ADD)])
    return lambda: close_incident(session, actor, incident.id, disposition="resolved")


@scene(swap_units)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city)
    return lambda: swap_units(session, actor, first.id, Sending(new_id(), city.units["M2"]), reason="más cerca")


@scene(reassign, "from a public to a protected incident")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city)
    await report_status(session, actor, first.id, status=AssignmentStatus.EN_ROUTE)
    other = await an_incident(session, actor, type_code="SEG-07")
    words: dict[str, Any] = {"new_assignment_id": new_id(), "incident_id": other.id, "reason": "más grave"}
    return lambda: reassign(session, actor, first.id, **words)


@scene(stage)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city)
    return lambda: stage(session, actor, first.id, name="Plaza", place=city.east)


@scene(advance)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city)
    await stage(session, actor, first.id, name="Plaza", place=city.east)
    return lambda: advance(session, actor, first.id)


@scene(stand_down)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city)
    return lambda: stand_down(session, actor, first.id, reason="no hace falta")


@scene(stand_down_all)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident, _ = await _sent(session, actor, city)
    await an_assignment(session, actor, incident, city.units["M2"])
    return lambda: stand_down_all(session, actor, incident.id, reason="no hace falta")


@scene(report_duty)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: report_duty(session, city.actor("crew m1"), city.units["M1"], duty=Duty.BREAK)


# ── Undo ──────────────────────────────────────────────────────────────────────────────────────────


@scene(undo, "of a sending of two, one taken from elsewhere")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await _sent(session, actor, city)
    incident = await an_incident(session, actor, type_code="SEG-07")
    sendings = [Sending(new_id(), city.units["M1"], OnBusy.RELEASE), Sending(new_id(), city.units["M2"])]
    await dispatch_units(session, actor, incident.id, sendings)
    offer = _offer(session)
    return lambda: undo(session, actor, offer)


@scene(undo, "of a status that let what waited lead")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city)
    waiting = await an_incident(session, actor, type_code="SEG-07")
    await dispatch_units(session, actor, waiting.id, [Sending(new_id(), city.units["M1"], OnBusy.ADD)])
    crew = city.actor("crew m1")
    await report_status(session, crew, first.id, status=AssignmentStatus.RELEASED)
    offer = _offer(session)
    return lambda: undo(session, crew, offer)


@scene(undo, "of a closing with two units")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident, _ = await _sent(session, actor, city)
    await an_assignment(session, actor, incident, city.units["M2"])
    await close_incident(session, actor, incident.id, disposition="resolved", note="sin novedad")
    offer = _offer(session)
    return lambda: undo(session, actor, offer)


@scene(undo, "of a reassignment")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city)
    other = await an_incident(session, actor, type_code="SEG-07")
    words: dict[str, Any] = {"new_assignment_id": new_id(), "incident_id": other.id, "reason": "más grave"}
    await reassign(session, actor, first.id, **words)
    offer = _offer(session)
    return lambda: undo(session, actor, offer)


@scene(undo, "of a swap")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first = await _sent(session, actor, city)
    await swap_units(session, actor, first.id, Sending(new_id(), city.units["M2"]))
    offer = _offer(session)
    return lambda: undo(session, actor, offer)


@scene(undo, "of a reclassification to public")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident, _ = await _sent(session, actor, city, "SEG-07")
    await reclassify(session, actor, incident.id, type_code="MET-01")
    offer = _offer(session)
    return lambda: undo(session, actor, offer)


@scene(undo, "of a relocation into another zone")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor, type_code="MET-01", place=city.west)
    await relocate(session, actor, incident.id, location=city.east, place="Salta 100")
    offer = _offer(session)
    return lambda: undo(session, actor, offer)


@scene(undo, "of finishing")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident, sent = await _sent(session, actor, city)
    await report_status(session, actor, sent.id, status=AssignmentStatus.ON_SCENE)
    await finish_incident(session, actor, incident.id)
    offer = _offer(session)
    return lambda: undo(session, actor, offer)


@scene(undo, "of a duty")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    crew = city.actor("crew m1")
    await report_duty(session, crew, city.units["M1"], duty=Duty.BREAK)
    offer = _offer(session)
    return lambda: undo(session, crew, offer)


@scene(undo, "of a note")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident, _ = await _sent(session, actor, city)
    await add_note(session, actor, incident.id, note_id=new_id(), text="llegó el fiscal")
    offer = _offer(session)
    return lambda: undo(session, actor, offer)


# ── SOS ───────────────────────────────────────────────────────────────────────────────────────────


@scene(raise_sos, "by its crew")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: raise_sos(session, city.actor("crew m1"), city.units["M1"], message="nos tiran piedras")


@scene(answer_sos)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    sos = await raise_sos(session, city.actor("crew m1"), city.units["M1"])
    return lambda: answer_sos(session, city.actor("dispatcher"), sos.id)


@scene(false_alarm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    sos = await raise_sos(session, city.actor("crew m1"), city.units["M1"])
    return lambda: false_alarm(session, actor, sos.id, reason="se apretó solo")


@scene(close_incident, "of an SOS")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    sos = await raise_sos(session, city.actor("crew m1"), city.units["M1"])
    await answer_sos(session, actor, sos.id)
    return lambda: close_incident(session, actor, sos.incident_id, disposition="resolved")


@scene(undo, "of a false alarm")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    sos = await raise_sos(session, city.actor("crew m1"), city.units["M1"])
    await false_alarm(session, actor, sos.id, reason="se apretó solo")
    offer = _offer(session)
    return lambda: undo(session, actor, offer)
