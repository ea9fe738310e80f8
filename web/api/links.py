"""Links between incidents over HTTP: linking, merging, splitting, taking back, and what became of what."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from incidents.bonds import LinkKind, shown
from incidents.incident import access_incident
from incidents.links import incident_by_code, lineage, link_incidents, links_of, near_incidents
from incidents.merging import merge_incidents, reports_inside, split_incident, take_back
from web.bodies import Body, Code, Location, NewId, Priority, Short, Text, When
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(tags=["links"])

Chosen = Annotated[tuple[UUID, ...], Field(max_length=200)]


class Said(StrEnum):
    """What the other incident is to this one."""

    PARENT = "parent"
    CHILD = "child"
    RELATED = "related"
    DUPLICATE = "duplicate"


class LinkBody(Body):
    """With which incident it hangs together, and how."""

    id: NewId
    other_id: UUID
    kind: Said
    reason: Short = ""
    occurred_at: When | None = None


class MergeBody(Body):
    """Into which incident it goes; `id` is the link's."""

    id: NewId
    into_id: UUID
    reason: Short = ""
    occurred_at: When | None = None


class SplitBody(Body):
    """What goes into the new incident, whose id is `incident_id`; `id` is the link's."""

    id: NewId
    incident_id: NewId
    report_ids: Chosen = ()
    assignment_ids: Chosen = ()
    type_code: Code | None = None
    priority: Priority | None = None
    location: Location | None = None
    place: Short | None = None
    summary: Text | None = None
    reason: Short = ""
    occurred_at: When | None = None


class BackBody(Body):
    """Why it is taken back."""

    reason: Short = ""
    occurred_at: When | None = None


@router.get("/incidents/{incident_id}/links")
async def get_links(incident_id: UUID, session: Session, actor: CurrentActor, undone: bool = False) -> dict[str, Any]:
    """Its links as far as you see the other incident whole, and into which it was merged."""
    incident = await access_incident(session, actor, incident_id)
    found = await links_of(session, actor, [incident.id], undone=undone)
    into = [one for one in found if one.kind == LinkKind.MERGED and one.from_id == incident.id and not one.undone_at]
    return {"links": [shown(one) for one in found], "merged_into": str(into[0].to_id) if into else None}


@router.get("/incidents/{incident_id}/lineage")
async def get_lineage(incident_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What became of what: merges and splits, taken back or not, in order."""
    return {"lineage": await lineage(session, actor, incident_id)}


@router.get("/incidents/{incident_id}/near")
async def get_near(
    incident_id: UUID,
    session: Session,
    actor: CurrentActor,
    code: Annotated[str, Query(max_length=20)] = "",
) -> dict[str, Any]:
    """Open incidents near it in place and time, or those whose code ends so: what one may mean to link it with."""
    found = incident_by_code(session, actor, incident_id, code) if code else near_incidents(session, actor, incident_id)
    return {"incidents": await found}


@router.get("/incidents/{incident_id}/reports")
async def get_reports(incident_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The reports that lie in it, as told."""
    return {"features": await reports_inside(session, actor, incident_id)}


@router.post("/incidents/{incident_id}/links", status_code=201)
async def post_link(
    incident_id: UUID, body: LinkBody, session: Session, actor: CurrentActor, expected: Expected, once: OnceOnly
) -> dict[str, Any]:
    """Link it with another."""

    async def do() -> dict[str, Any]:
        family = {Said.PARENT, Said.CHILD}
        made = await link_incidents(
            session,
            actor,
            incident_id,
            link_id=body.id,
            other_id=body.other_id,
            kind=LinkKind.PARENT if body.kind in family else LinkKind(body.kind.value),
            other_is_parent=body.kind is Said.PARENT,
            reason=body.reason,
            occurred_at=body.occurred_at,
            expected=expected,
        )
        return shown(made)

    return await once(body.id, do)


@router.post("/incidents/{incident_id}/merge", status_code=201)
async def post_merge(
    incident_id: UUID, body: MergeBody, session: Session, actor: CurrentActor, expected: Expected, once: OnceOnly
) -> dict[str, Any]:
    """Merge it into another: its reports and units go there."""

    async def do() -> dict[str, Any]:
        made = await merge_incidents(
            session,
            actor,
            incident_id,
            link_id=body.id,
            into_id=body.into_id,
            reason=body.reason,
            occurred_at=body.occurred_at,
            expected=expected,
        )
        return shown(made)

    return await once(body.id, do)


@router.post("/incidents/{incident_id}/split", status_code=201)
async def post_split(
    incident_id: UUID, body: SplitBody, session: Session, actor: CurrentActor, expected: Expected, once: OnceOnly
) -> dict[str, Any]:
    """Make some of its reports and units a new incident."""

    async def do() -> dict[str, Any]:
        made = await split_incident(
            session,
            actor,
            incident_id,
            link_id=body.id,
            fresh_id=body.incident_id,
            report_ids=body.report_ids,
            assignment_ids=body.assignment_ids,
            type_code=body.type_code,
            priority=body.priority,
            location=body.location,
            place=body.place,
            summary=body.summary,
            reason=body.reason,
            occurred_at=body.occurred_at,
            expected=expected,
        )
        return shown(made)

    return await once(body.id, do)


@router.post("/links/{link_id}/undo")
async def post_undo(link_id: UUID, body: BackBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Take a link, a merge or a split back; `left` names what could not be put back, and why."""
    link, left = await take_back(session, actor, link_id, reason=body.reason, occurred_at=body.occurred_at)
    return {"link": shown(link), "left": [one.shown() for one in left]}
