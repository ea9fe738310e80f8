"""Scenes of what a reporter does with his code: each changes what is on boards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.closing import close_incident
from incidents.reporter import add_fact, erase_contact, join_own, say_unsolved
from incidents.reports import Report
from incidents.triage import dismiss_report, join_report
from realtime.access import Actor
from tests.builders import City, a_report, an_incident
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


async def _inside(session: AsyncSession, actor: Actor, type_code: str, *, closed: bool) -> Report:
    """A report that lies in an incident of that type."""
    incident = await an_incident(session, actor, type_code=type_code)
    report = await a_report(session, actor)
    await join_report(session, actor, report.id, incident_id=incident.id)
    if closed:
        await close_incident(session, actor, incident.id, disposition="resolved", answer="Listo.")
    return report


def _of(type_code: str) -> None:
    kind = "of a protected one" if type_code == "SEG-07" else "of an incident"

    @scene(add_fact, kind)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        report = await _inside(session, actor, type_code, closed=False)
        return lambda: add_fact(session, report.tracking_code, words="sigue")

    @scene(say_unsolved, kind)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        report = await _inside(session, actor, type_code, closed=True)
        return lambda: say_unsolved(session, report.tracking_code, words="sigue")


_of("MET-01")
_of("SEG-07")


@scene(add_fact, "of a waiting report")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    report = await a_report(session, actor)
    return lambda: add_fact(session, report.tracking_code, words="sigue")


@scene(say_unsolved, "of a dismissed report")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    report = await a_report(session, actor)
    await dismiss_report(session, actor, report.id, reason="insufficient")
    return lambda: say_unsolved(session, report.tracking_code)


@scene(join_own)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    incident = await an_incident(session, actor, type_code="MET-01")
    report = await a_report(session, actor)
    return lambda: join_own(session, report.tracking_code, incident.id)


@scene(erase_contact)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    report = await a_report(session, actor)
    return lambda: erase_contact(session, report.tracking_code)
