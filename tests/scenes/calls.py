"""Scenes of calls, callers, duplicates and premise warnings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.callers import flag_caller, flag_number, lift_flag, look_at_caller
from incidents.calls import Call, Outcome, take_call
from incidents.duplicates import Telling, score_duplicates
from incidents.premises import PremiseKind, lift_warning, write_warning
from incidents.reports import Contact
from incidents.triage import accept_report, dismiss_report, join_report
from incidents.undo import Undo, offered, undo
from realtime.access import Actor
from realtime.database import new_id, now
from tests.builders import City, a_report, an_incident
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]
PHONE = "341 555 0000"


def _opening(city: City, type_code: str) -> Call:
    answers = {"people_inside": "yes"} if type_code == "INC-01" else {"aggressor_there": "yes"}
    return Call(
        words="sale humo",
        place="Mitre 800",
        location=city.west,
        contact=Contact("Ana", PHONE),
        type_code=type_code,
        answers=answers,
        incident_id=new_id(),
        do_not_call_back=True,
    )


def _opens(name: str, type_code: str) -> None:
    @scene(take_call, name)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        call = _opening(city, type_code)
        return lambda: take_call(session, actor, new_id(), call, outcome=Outcome.OPENED)


_opens("that opens", "INC-01")
_opens("that opens a protected one", "SEG-07")


def _joins(name: str, type_code: str) -> None:
    @scene(take_call, name)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        incident = await an_incident(session, actor, type_code=type_code)
        call = Call(words="también lo veo", incident_id=incident.id, type_code="INC-01", answers={"flames": "black"})
        return lambda: take_call(session, actor, new_id(), call, outcome=Outcome.JOINED)


_joins("that joins", "MET-01")
_joins("that joins a protected one", "SEG-07")


@scene(take_call, "that is deflected")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    call = Call(words="un bache", channel="147")
    return lambda: take_call(session, actor, new_id(), call, outcome=Outcome.DEFLECTED)


@scene(take_call, "that is silent")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: take_call(session, actor, new_id(), Call(contact=Contact(None, PHONE)), outcome=Outcome.SILENT)


@scene(accept_report, "with answers")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    report = await a_report(session, actor)
    answers = {"people_inside": "yes", "flames": "out"}
    words: dict[str, Any] = {"incident_id": new_id(), "type_code": "INC-01", "answers": answers}
    return lambda: accept_report(session, actor, report.id, **words)


def _taken_back(name: str, type_code: str) -> None:
    @scene(undo, f"of joining {name}")
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        incident = await an_incident(session, actor, type_code=type_code)
        report = await a_report(session, city.actor("vecinal oeste"))
        await join_report(session, actor, report.id, incident_id=incident.id)
        return await _undoing(session, actor)


_taken_back("a public one", "MET-01")
_taken_back("a protected one", "SEG-07")


@scene(undo, "of dismissing")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    report = await a_report(session, city.actor("police"))
    await dismiss_report(session, actor, report.id, reason="not_emergency", channel="147")
    return await _undoing(session, actor)


async def _undoing(session: AsyncSession, actor: Actor) -> Act:
    offer = offered(session)
    assert offer is not None
    kept = await session.get_one(Undo, offer["id"])
    return lambda: undo(session, actor, kept.id)


@scene(look_at_caller)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await a_report(session, actor)
    return lambda: look_at_caller(session, actor, PHONE)


@scene(flag_caller)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: flag_caller(session, actor, new_id(), phone=PHONE, why="lo pidió")


@scene(flag_number)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: flag_number(session, actor, new_id(), "+543415550000", why="lo pidió")


@scene(lift_flag)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    flag = await flag_caller(session, actor, new_id(), phone=PHONE, why="lo pidió")
    return lambda: lift_flag(session, actor, flag.id, why="ya no")


@scene(score_duplicates, "of the same caller")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor, type_code="MET-01")
    report = await a_report(session, actor)
    await join_report(session, actor, report.id, incident_id=incident.id)
    telling = Telling(city.west, now(), "MET-01", "un árbol", PHONE)
    return lambda: score_duplicates(session, actor, telling)


@scene(write_warning)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    words: dict[str, Any] = {"kind": PremiseKind.WEAPONS, "words": "hay un arma", "location": city.west}
    return lambda: write_warning(session, actor, new_id(), **words)


@scene(lift_warning)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    zone = city.zones["Oeste"]
    warning = await write_warning(session, actor, new_id(), kind=PremiseKind.DOG, words="perros", zone_id=zone)
    return lambda: lift_warning(session, actor, warning.id, why="se mudaron")
