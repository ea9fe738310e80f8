"""Reports and triage over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from incidents.duplicates import similar_incidents
from incidents.incident import feature as feature_of_incident
from incidents.reports import Channel, Contact, access_report, feature_of, receive_report, see_contact
from incidents.triage import accept_report, dismiss_report, join_report
from incidents.undo import offered
from realtime.access import Actor, Role
from web.bodies import Answer, Body, Code, Location, NewId, Phone, PlaceMatch, Priority, Short, Text, When, Words, kept
from web.context import Anybody, CurrentActor, Expected, Machinery, Machines, OnceOnly, Session
from web.throttle import attempt

router = APIRouter(prefix="/reports", tags=["reports"])


class ContactBody(Body):
    """How to call back, if the reporter wants."""

    name: Short | None = None
    phone: Phone | None = None


class ReportBody(Body):
    """What somebody tells."""

    id: NewId
    words: Words
    channel: Channel = Channel.WEB
    place: Short = ""
    place_match: PlaceMatch | None = None
    location: Location | None = None
    type_hint: Code | None = None
    contact: ContactBody | None = None
    occurred_at: When | None = None


class AcceptBody(Body):
    """The incident that a report becomes."""

    incident_id: NewId
    type_code: Code
    priority: Priority | None = None
    location: Location | None = None
    place: Short | None = None
    place_match: PlaceMatch | None = None
    summary: Text | None = None
    answers: Annotated[dict[Code, Code], Field(max_length=40)] = Field(default_factory=dict)
    occurred_at: When | None = None


class JoinBody(Body):
    """The incident that a report tells of."""

    incident_id: UUID
    occurred_at: When | None = None


class DismissBody(Body):
    """Why nothing follows."""

    reason: Code
    note: Text = ""
    channel: Code | None = None
    answer: Answer = ""
    occurred_at: When | None = None


@router.post("", status_code=201)
async def post_report(
    body: ReportBody, request: Request, session: Session, actor: Anybody, machines: Machines, once: OnceOnly
) -> dict[str, Any]:
    """Receive a report; the code in the answer follows it."""
    await limit_reports(machines, actor, request)

    async def do() -> dict[str, Any]:
        contact = Contact(body.contact.name, body.contact.phone) if body.contact else None
        report = await receive_report(
            session,
            actor,
            body.id,
            words=body.words,
            channel=body.channel,
            place=body.place,
            place_match=kept(body.place_match),
            location=body.location,
            type_hint=body.type_hint,
            contact=contact,
            occurred_at=body.occurred_at,
        )
        return {"id": str(report.id), "tracking_code": report.tracking_code}

    return await once(body.id, do)


async def limit_reports(machines: Machinery, actor: Actor, request: Request) -> None:
    """Strangers may report so often from one address; staff as often as they must."""
    if actor.role is Role.NEIGHBOUR:
        address = request.client.host if request.client else "?"
        limit = machines.settings.public_reports_per_hour
        sessions = machines.aside or machines.sessions
        await attempt(sessions, "report", address, limit=limit, within=dt.timedelta(hours=1))


@router.get("/{report_id}")
async def get_report(report_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """A report as told."""
    return feature_of(await access_report(session, actor, report_id))


@router.post("/{report_id}/contact")
async def post_contact_look(report_id: UUID, session: Session, actor: CurrentActor) -> dict[str, str | None]:
    """Look at who reported. A POST, because every look is recorded."""
    contact = await see_contact(session, actor, report_id)
    return {"name": contact.name, "phone": contact.phone}


@router.get("/{report_id}/similar")
async def get_similar(report_id: UUID, session: Session, actor: CurrentActor) -> list[dict[str, Any]]:
    """Open incidents that the report may be telling of."""
    return await similar_incidents(session, actor, report_id)


@router.post("/{report_id}/accept", status_code=201)
async def post_accept(
    report_id: UUID, body: AcceptBody, session: Session, actor: CurrentActor, expected: Expected, once: OnceOnly
) -> dict[str, Any]:
    """Open an incident out of a report."""

    async def do() -> dict[str, Any]:
        incident = await accept_report(
            session,
            actor,
            report_id,
            incident_id=body.incident_id,
            type_code=body.type_code,
            priority=body.priority,
            location=body.location,
            place=body.place,
            place_match=kept(body.place_match),
            summary=body.summary,
            answers=body.answers,
            occurred_at=body.occurred_at,
            expected=expected,
        )
        return await feature_of_incident(session, actor, incident)

    return await once(body.incident_id, do)


@router.post("/{report_id}/join")
async def post_join(
    report_id: UUID, body: JoinBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Join a report to an incident that is already known."""
    report = await join_report(
        session, actor, report_id, incident_id=body.incident_id, occurred_at=body.occurred_at, expected=expected
    )
    return feature_of(report) | {"undo": offered(session)}


@router.post("/{report_id}/dismiss")
async def post_dismiss(
    report_id: UUID, body: DismissBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Dismiss a report with a reason."""
    report = await dismiss_report(
        session,
        actor,
        report_id,
        reason=body.reason,
        note=body.note,
        channel=body.channel,
        answer=body.answer,
        occurred_at=body.occurred_at,
        expected=expected,
    )
    return feature_of(report) | {"undo": offered(session)}
