"""Calls over HTTP: taking one, who calls, and whether it is the same as another."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from incidents.answers import count_answers
from incidents.callers import flag_caller, lift_flag, look_at_caller
from incidents.calls import Call, Outcome, count_calls, take_call
from incidents.duplicates import Telling, score_duplicates, unlinked_duplicates
from incidents.incident import feature
from incidents.reports import Contact
from incidents.undo import offered
from realtime.database import now
from realtime.errors import Malformed
from web.api.reports import ContactBody
from web.bodies import Body, Code, Location, NewId, Phone, PlaceMatch, Priority, Short, Text, When, kept
from web.context import CurrentActor, OnceOnly, Session

router = APIRouter(tags=["calls"])

Answers = Annotated[dict[Code, Code], Field(max_length=40)]
LONGEST = dt.timedelta(days=400)


class BadSpan(Malformed):
    """That span cannot be counted: its end comes after its beginning, and at most 400 days after."""


class CallBody(Body):
    """A call that was taken: what was told, and what came of it. `id` is the report's."""

    id: NewId
    outcome: Outcome
    words: Text = ""
    place: Short = ""
    place_match: PlaceMatch | None = None
    location: Location | None = None
    caller: ContactBody | None = None
    type_code: Code | None = None
    priority: Priority | None = None
    answers: Answers = Field(default_factory=dict)
    incident_id: UUID | None = None
    channel: Code | None = None
    do_not_call_back: bool = False
    occurred_at: When | None = None

    def call(self) -> Call:
        """As the verb wants it."""
        return Call(
            words=self.words,
            place=self.place,
            place_match=kept(self.place_match),
            location=self.location,
            contact=Contact(self.caller.name, self.caller.phone) if self.caller else None,
            type_code=self.type_code,
            priority=self.priority,
            answers=self.answers,
            incident_id=self.incident_id,
            channel=self.channel,
            do_not_call_back=self.do_not_call_back,
            occurred_at=self.occurred_at,
        )


class LookBody(Body):
    """Whose telephone."""

    phone: Phone


class FlagBody(Body):
    """Which number is not to be called back, and why."""

    id: NewId
    phone: Phone
    why: Short = ""


class WhyBody(Body):
    """Why, if there is something to say."""

    why: Short = ""


class ScoreBody(Body):
    """What is known of a call so far."""

    location: Location
    type_code: Code | None = None
    words: Text = ""
    phone: Phone | None = None


@router.post("/calls", status_code=201)
async def post_call(body: CallBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Write down a call that was taken, with what came of it, all or nothing."""

    async def do() -> dict[str, Any]:
        report, incident = await take_call(session, actor, body.id, body.call(), outcome=body.outcome)
        return {
            "report": {"id": str(report.id), "tracking_code": report.tracking_code, "status": report.status},
            "incident": await feature(session, actor, incident) if incident is not None else None,
            "undo": offered(session) if body.outcome is not Outcome.OPENED else None,
        }

    return await once(body.id, do)


def _span(since: dt.datetime | None, until: dt.datetime | None) -> tuple[dt.datetime, dt.datetime]:
    end = until or now()
    start = since or end - dt.timedelta(days=1)
    if not start < end <= start + LONGEST:
        raise BadSpan
    return start, end


@router.get("/calls/counts")
async def get_counts(
    session: Session, actor: CurrentActor, since: When | None = None, until: When | None = None
) -> dict[str, Any]:
    """How many calls came and what became of them; the last day where nothing is said."""
    start, end = _span(since, until)
    counted = await count_calls(session, actor, since=start, until=end)
    return {"since": start.isoformat(), "until": end.isoformat(), **counted}


@router.get("/answers/counts")
async def get_answer_counts(
    session: Session, actor: CurrentActor, since: When | None = None, until: When | None = None
) -> dict[str, Any]:
    """How many of the reports that ended were answered and read, and how soon; the last day where nothing is said."""
    start, end = _span(since, until)
    counted = await count_answers(session, actor, since=start, until=end)
    return {"since": start.isoformat(), "until": end.isoformat(), **counted}


@router.post("/callers/look")
async def post_caller_look(body: LookBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Who called before from a number. A POST, because every look is recorded."""
    return await look_at_caller(session, actor, body.phone)


@router.post("/callers/flags", status_code=201)
async def post_flag(body: FlagBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Not to be called back."""

    async def do() -> dict[str, Any]:
        return (await flag_caller(session, actor, body.id, phone=body.phone, why=body.why)).shown()

    return await once(body.id, do)


@router.post("/callers/flags/{flag_id}/lift")
async def post_flag_lift(flag_id: UUID, body: WhyBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """To be called back again."""
    return (await lift_flag(session, actor, flag_id, why=body.why)).shown()


@router.post("/duplicates/score")
async def post_score(body: ScoreBody, session: Session, actor: CurrentActor) -> list[dict[str, Any]]:
    """Open incidents that a call may be telling of, each with its score in the open."""
    telling = Telling(body.location, now(), body.type_code, body.words, body.phone)
    return await score_duplicates(session, actor, telling)


@router.get("/duplicates/unlinked")
async def get_unlinked(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Waiting reports and open incidents that look like an open incident that they are not tied to."""
    return await unlinked_duplicates(session, actor)
