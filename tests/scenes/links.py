"""Scenes of links, merges and splits, and of what happens to incidents that hang together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from coordination.sharing import share_incident
from incidents.assignments import AssignmentStatus
from incidents.bonds import Link, LinkKind
from incidents.closing import close_incident
from incidents.dispatch import dispatch_units, report_status
from incidents.incident import Incident, reclassify, take_off_board
from incidents.links import link_incidents, unlink_incidents
from incidents.merging import merge_incidents, split_incident, take_back, unmerge_incident
from incidents.triage import join_report
from realtime.access import Actor
from realtime.database import new_id
from tests.builders import City, a_report, an_assignment, an_incident
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


async def _two(
    session: AsyncSession, actor: Actor, one: str = "MET-01", other: str = "MET-01"
) -> tuple[Incident, Incident]:
    return await an_incident(session, actor, type_code=one), await an_incident(session, actor, type_code=other)


async def linked(
    session: AsyncSession, actor: Actor, one: str = "MET-01", other: str = "MET-01", kind: LinkKind = LinkKind.RELATED
) -> tuple[Link, Incident, Incident]:
    """Two incidents with a link between them."""
    first, second = await _two(session, actor, one, other)
    link = await link_incidents(session, actor, first.id, link_id=new_id(), other_id=second.id, kind=kind)
    return link, first, second


@scene(link_incidents)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    first, second = await _two(session, actor)
    words: dict[str, Any] = {"link_id": new_id(), "other_id": second.id, "kind": LinkKind.PARENT, "reason": "frente"}
    return lambda: link_incidents(session, actor, first.id, **words)


@scene(link_incidents, "with a protected one")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    first, second = await _two(session, actor, "MET-01", "SEG-07")
    return lambda: link_incidents(session, actor, first.id, link_id=new_id(), other_id=second.id, kind=LinkKind.RELATED)


@scene(unlink_incidents)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    link, _, _ = await linked(session, actor)
    return lambda: unlink_incidents(session, actor, link.id, reason="no era")


@scene(reclassify, "one end of a link, to protected")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, _, second = await linked(session, actor)
    return lambda: reclassify(session, actor, second.id, type_code="SEG-07")


@scene(reclassify, "one end of a link, to public")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first, _ = await linked(session, actor, "SEG-07", "MET-01")
    return lambda: reclassify(session, actor, first.id, type_code="MET-01")


@scene(share_incident, "both ends of a link")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first, second = await linked(session, actor)
    police = city.organizations["police"]
    await share_incident(session, actor, first.id, organization_id=police)
    return lambda: share_incident(session, actor, second.id, organization_id=police)


@scene(dispatch_units, "to one end of a link")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first, _ = await linked(session, actor)
    return lambda: an_assignment(session, actor, first, city.units["M1"])


@scene(take_off_board, "both ends of a link")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    _, first, second = await linked(session, actor)
    for one in (first, second):
        await close_incident(session, actor, one.id, disposition="resolved")
    await take_off_board(session, actor, first)
    return lambda: take_off_board(session, actor, second)


async def _merging(session: AsyncSession, actor: Actor, city: City, one: str, other: str) -> tuple[Incident, Incident]:
    gone, kept = await _two(session, actor, one, other)
    for incident in (gone, kept):
        report = await a_report(session, city.actor("vecinal oeste"))
        await join_report(session, actor, report.id, incident_id=incident.id)
    sent = await an_assignment(session, actor, gone, city.units["M1"])
    await report_status(session, actor, sent.id, status=AssignmentStatus.ON_SCENE)
    return gone, kept


def _merges(name: str, one: str, other: str) -> None:
    @scene(merge_incidents, name)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        gone, kept = await _merging(session, actor, city, one, other)
        return lambda: merge_incidents(session, actor, gone.id, link_id=new_id(), into_id=kept.id, reason="el mismo")

    @scene(unmerge_incident, name)
    async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
        gone, kept = await _merging(session, actor, city, one, other)
        link = await merge_incidents(session, actor, gone.id, link_id=new_id(), into_id=kept.id)
        return lambda: unmerge_incident(session, actor, link.id, reason="no era")


_merges("two public ones", "MET-01", "MET-01")
_merges("a protected one into a public one", "SEG-07", "MET-01")
_merges("a public one into a protected one", "MET-01", "SEG-07")


async def _split(session: AsyncSession, actor: Actor, city: City, type_code: str | None) -> Act:
    gone, _ = await _merging(session, actor, city, "MET-01", "MET-01")
    report = await a_report(session, actor, place=city.east)
    await join_report(session, actor, report.id, incident_id=gone.id)
    return lambda: split_incident(
        session,
        actor,
        gone.id,
        link_id=new_id(),
        fresh_id=new_id(),
        report_ids=[report.id],
        type_code=type_code,
        reason="era otro",
    )


@scene(split_incident)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return await _split(session, actor, city, None)


@scene(split_incident, "into a protected one")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return await _split(session, actor, city, "SEG-07")


@scene(take_back, "a split")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    split = await _split(session, actor, city, None)
    link = await split()
    return lambda: take_back(session, actor, link.id, reason="era el mismo")
