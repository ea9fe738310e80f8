"""Incidents over HTTP: opening, telling, moving, sending, closing, sharing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.ext.asyncio import AsyncSession

from coordination.sharing import share_incident, withdraw_incident
from incidents.assignments import assignment_document
from incidents.closing import (
    cancel_incident,
    close_incident,
    control_incident,
    finish_incident,
    hold_incident,
    refer_incident,
    reopen_incident,
)
from incidents.dispatch import MOST, OnBusy, Sending, dispatch_units, stand_down_all
from incidents.handling import hand_incident, possible_handlers
from incidents.incident import (
    Incident,
    feature,
    features,
    listed,
    open_incident,
    reclassify,
    relocate,
    seen_incident,
    worked_on,
)
from incidents.summary import summarise
from incidents.timeline import add_note, strike_note, timeline
from incidents.undo import offered
from realtime.access import Actor
from web.bodies import Answer, Body, Code, Location, Name, NewId, PlaceMatch, Priority, Short, Text, When, Words, kept
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(prefix="/incidents", tags=["incidents"])


class OpenBody(Body):
    """A new incident."""

    id: NewId
    type_code: Code
    location: Location
    place: Short = ""
    place_match: PlaceMatch | None = None
    summary: Text = ""
    priority: Priority | None = None
    occurred_at: When | None = None


class WasBody(Body):
    """What the fields said when one began to change them; those that are not named are not looked at."""

    type_code: Code | None = None
    priority: Priority | None = None
    place: Short | None = None
    location: Location | None = None

    def fields(self) -> dict[str, Any]:
        """As the verbs want it."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        if self.location is not None:
            named["location"] = [self.location.x, self.location.y]
        return named


class ReclassifyBody(Body):
    """What it is after all: what is not said stays; another type brings its own priority where none is said."""

    type_code: Code | None = None
    priority: Priority | None = None
    was: WasBody = WasBody()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.type_code is None and self.priority is None:
            raise PydanticCustomError("missing", "Say another type, another priority or both.")
        return self


class RelocateBody(Body):
    """Where it is after all."""

    location: Location
    place: Short | None = None
    place_match: PlaceMatch | None = None
    was: WasBody = WasBody()


class SummaryBody(Body):
    """What it is in a few words; `was`: what they were when one began."""

    summary: Text
    was: Text | None = None


class HandlerBody(Body):
    """Who handles it from now on; `was`: who did when one decided."""

    person_id: UUID
    was: UUID | None = None


class NoteBody(Body):
    """A note."""

    id: NewId
    text: Words
    occurred_at: When | None = None


class StrikeBody(Body):
    """Why a note is crossed out."""

    reason: Name


class MomentBody(Body):
    """When it happened, where that is not now."""

    occurred_at: When | None = None


class ReasonBody(Body):
    """Why."""

    reason: Name
    occurred_at: When | None = None


class MaybeReasonBody(Body):
    """Why, if there is something to say."""

    reason: Short = ""
    occurred_at: When | None = None


class CancelBody(Body):
    """Why nobody is needed, and what whoever reported it is told."""

    reason: Name
    answer: Answer = ""
    occurred_at: When | None = None


class CloseBody(Body):
    """How it ended."""

    disposition: Code
    note: Text = ""
    answer: Answer = ""
    answers: Annotated[dict[UUID, Answer], Field(max_length=200)] = Field(default_factory=dict)
    occurred_at: When | None = None


class ReferBody(Body):
    """Whose it is."""

    reason: Name
    organization_id: UUID | None = None
    answer: Answer = ""
    occurred_at: When | None = None


class PartnerBody(Body):
    """With whom."""

    organization_id: UUID


class SendingBody(Body):
    """One unit that goes. `override`: why in spite of its gaps, or why it is taken from something as grave."""

    id: NewId
    unit_id: UUID
    on_busy: OnBusy = OnBusy.REFUSE
    override: Short = ""
    need: Code | None = None

    def sending(self) -> Sending:
        """As the verb wants it."""
        return Sending(self.id, self.unit_id, self.on_busy, self.override, self.need)


class DispatchBody(Body):
    """Which units go: all or none."""

    id: NewId
    units: Annotated[list[SendingBody], Field(min_length=1, max_length=MOST)]
    occurred_at: When | None = None


class Which(StrEnum):
    """Which incidents a list holds."""

    OPEN = "open"
    CLOSED = "closed"


async def _with_undo(session: AsyncSession, actor: Actor, incident: Incident) -> dict[str, Any]:
    """An incident as the actor sees it now, and the way back from what he has just done to it."""
    return await feature(session, actor, incident) | {"undo": offered(session)}


@router.post("", status_code=201)
async def post_incident(body: OpenBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Open an incident by hand."""

    async def do() -> dict[str, Any]:
        incident = await open_incident(
            session,
            actor,
            body.id,
            type_code=body.type_code,
            location=body.location,
            place=body.place,
            place_match=kept(body.place_match),
            summary=body.summary,
            priority=body.priority,
            occurred_at=body.occurred_at,
        )
        return await feature(session, actor, incident)

    return await once(body.id, do)


@router.get("")
async def get_incidents(
    session: Session,
    actor: CurrentActor,
    state: Which = Which.OPEN,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: UUID | None = None,
) -> dict[str, Any]:
    """Open or closed incidents, newest first; `next` is the `before` of the following page."""
    found = await listed(session, actor, over=state is Which.CLOSED, limit=limit, before=before)
    following = str(found[-1].id) if len(found) == limit else None
    return {"features": await features(session, actor, found), "next": following}


@router.get("/mine")
async def get_mine(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Ids of the open incidents in whose story the actor did something."""
    return {"incident_ids": [str(incident_id) for incident_id in await worked_on(session, actor)]}


@router.get("/{incident_id}")
async def get_incident(incident_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """An incident as the actor sees it."""
    return await feature(session, actor, await seen_incident(session, actor, incident_id))


@router.get("/{incident_id}/timeline")
async def get_timeline(incident_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The incident's story, oldest first."""
    return {"entries": await timeline(session, actor, incident_id)}


@router.post("/{incident_id}/notes", status_code=201)
async def post_note(
    incident_id: UUID, body: NoteBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Write a note."""

    async def do() -> dict[str, Any]:
        note = await add_note(
            session, actor, incident_id, note_id=body.id, text=body.text, occurred_at=body.occurred_at
        )
        return {"id": str(note.id), "incident_id": str(incident_id), "undo": offered(session)}

    return await once(body.id, do)


@router.post("/{incident_id}/notes/{note_id}/strike")
async def post_strike(
    incident_id: UUID, note_id: UUID, body: StrikeBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Cross a note out."""
    note = await strike_note(session, actor, incident_id, note_id=note_id, reason=body.reason)
    return {"id": str(note.id), "incident_id": str(incident_id)}


@router.post("/{incident_id}/reclassify")
async def post_reclassify(
    incident_id: UUID, body: ReclassifyBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another type or priority."""
    changed = await reclassify(
        session,
        actor,
        incident_id,
        type_code=body.type_code,
        priority=body.priority,
        was=body.was.fields(),
        expected=expected,
    )
    return await _with_undo(session, actor, changed)


@router.post("/{incident_id}/relocate")
async def post_relocate(
    incident_id: UUID, body: RelocateBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another place."""
    changed = await relocate(
        session,
        actor,
        incident_id,
        location=body.location,
        place=body.place,
        place_match=kept(body.place_match),
        was=body.was.fields(),
        expected=expected,
    )
    return await _with_undo(session, actor, changed)


@router.post("/{incident_id}/summary")
async def post_summary(incident_id: UUID, body: SummaryBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Say it in other words; the former ones stay in the story."""
    changed = await summarise(session, actor, incident_id, summary=body.summary, was=body.was)
    return await _with_undo(session, actor, changed)


@router.get("/{incident_id}/handlers")
async def get_handlers(incident_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Who could handle it."""
    people = await possible_handlers(session, actor, incident_id)
    return {"people": [{"id": str(person.id), "name": person.name} for person in people]}


@router.post("/{incident_id}/handler")
async def post_handler(incident_id: UUID, body: HandlerBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Take it, or give it to somebody."""
    changed = await hand_incident(session, actor, incident_id, to=body.person_id, was=body.was)
    return await _with_undo(session, actor, changed)


@router.post("/{incident_id}/hold")
async def post_hold(
    incident_id: UUID, body: MaybeReasonBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It waits."""
    held = await hold_incident(
        session, actor, incident_id, reason=body.reason, occurred_at=body.occurred_at, expected=expected
    )
    return await _with_undo(session, actor, held)


@router.post("/{incident_id}/under-control")
async def post_under_control(
    incident_id: UUID, session: Session, actor: CurrentActor, expected: Expected, body: MomentBody | None = None
) -> dict[str, Any]:
    """It is under control."""
    at = body.occurred_at if body else None
    controlled = await control_incident(session, actor, incident_id, occurred_at=at, expected=expected)
    return await _with_undo(session, actor, controlled)


@router.post("/{incident_id}/finish")
async def post_finish(
    incident_id: UUID, session: Session, actor: CurrentActor, expected: Expected, body: MomentBody | None = None
) -> dict[str, Any]:
    """The work is done."""
    at = body.occurred_at if body else None
    finished = await finish_incident(session, actor, incident_id, occurred_at=at, expected=expected)
    return await _with_undo(session, actor, finished)


@router.post("/{incident_id}/close")
async def post_close(
    incident_id: UUID, body: CloseBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Close it with a disposition; its units are released."""
    closed = await close_incident(
        session,
        actor,
        incident_id,
        disposition=body.disposition,
        note=body.note,
        answer=body.answer,
        answers=body.answers,
        occurred_at=body.occurred_at,
        expected=expected,
    )
    return await _with_undo(session, actor, closed)


@router.post("/{incident_id}/cancel")
async def post_cancel(
    incident_id: UUID, body: CancelBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Nobody is needed after all."""
    cancelled = await cancel_incident(
        session,
        actor,
        incident_id,
        reason=body.reason,
        answer=body.answer,
        occurred_at=body.occurred_at,
        expected=expected,
    )
    return await _with_undo(session, actor, cancelled)


@router.post("/{incident_id}/refer")
async def post_refer(
    incident_id: UUID, body: ReferBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It is somebody else's."""
    referred = await refer_incident(
        session,
        actor,
        incident_id,
        reason=body.reason,
        organization_id=body.organization_id,
        answer=body.answer,
        occurred_at=body.occurred_at,
        expected=expected,
    )
    return await _with_undo(session, actor, referred)


@router.post("/{incident_id}/reopen")
async def post_reopen(
    incident_id: UUID, body: ReasonBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It was not over."""
    reopened = await reopen_incident(
        session, actor, incident_id, reason=body.reason, occurred_at=body.occurred_at, expected=expected
    )
    return await _with_undo(session, actor, reopened)


@router.post("/{incident_id}/share")
async def post_share(
    incident_id: UUID, body: PartnerBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Let a partner organization see it."""
    shared = await share_incident(session, actor, incident_id, organization_id=body.organization_id, expected=expected)
    return await feature(session, actor, shared)


@router.post("/{incident_id}/unshare")
async def post_unshare(
    incident_id: UUID, body: PartnerBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Stop sharing it."""
    withdrawn = await withdraw_incident(
        session, actor, incident_id, organization_id=body.organization_id, expected=expected
    )
    return await feature(session, actor, withdrawn)


@router.post("/{incident_id}/stand-down")
async def post_stand_down(
    incident_id: UUID, body: ReasonBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Call all of its units back."""
    stood = await stand_down_all(
        session, actor, incident_id, reason=body.reason, occurred_at=body.occurred_at, expected=expected
    )
    return await _with_undo(session, actor, stood)


@router.post("/{incident_id}/assignments", status_code=201)
async def post_assignments(
    incident_id: UUID, body: DispatchBody, session: Session, actor: CurrentActor, expected: Expected, once: OnceOnly
) -> dict[str, Any]:
    """Send units, all or none."""

    async def do() -> dict[str, Any]:
        sendings = [one.sending() for one in body.units]
        made = await dispatch_units(
            session, actor, incident_id, sendings, occurred_at=body.occurred_at, expected=expected
        )
        return {"assignments": [assignment_document(one) for one in made], "undo": offered(session)}

    return await once(body.id, do)
