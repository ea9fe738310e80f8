"""Positions over HTTP: many at once, each judged by itself, so that one bad fix does not cost the other 499."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import Field, ValidationError

from incidents.unit_days import assignments_between
from realtime.database import now
from realtime.errors import Malformed, Refusal, TooMany
from resources.positions import Claim, judged, may_send
from resources.tracks import Fix, look_at_track, milliseconds, track
from resources.units import access_unit
from web.bodies import Body, Location, When
from web.context import CurrentActor, Machines, Session
from web.language import language_for, said

router = APIRouter(tags=["units"])

MOST = 500  # fixes in one request
JUST_NOW = dt.timedelta(hours=2)  # what whoever dispatches needs, and no more, without its being recorded


class TooManyPositions(Refusal):
    """At most {limit} positions at once."""

    status = 413


class BadPosition(Malformed):
    """Not understood: {reason}."""


Number = Annotated[float | None, Field(strict=True, allow_inf_nan=False)]


class PositionBody(Body):
    """One fix, as a device tells it."""

    unit_id: UUID
    location: Location
    fixed_at: When
    heading: Number = None
    speed_kmh: Number = None
    accuracy_m: Number = None
    battery: Number = None
    mock: bool = False

    def claim(self) -> Claim:
        """What it says, as the lane takes it."""
        return Claim(
            self.unit_id,
            self.location.x,
            self.location.y,
            self.fixed_at,
            self.heading,
            self.speed_kmh,
            self.accuracy_m,
            self.mock,
            self.battery,
        )


class PositionsBody(Body):
    """A batch. Each fix is validated on its own, below."""

    positions: list[dict[str, Any]]


@router.post("/positions")
async def post_positions(
    body: PositionsBody,
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    accept_language: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Say where units are. A refused fix does not keep the others out."""
    if len(body.positions) > MOST:
        raise TooManyPositions(limit=MOST)
    received_at = now()
    language = language_for(accept_language)
    refused: list[dict[str, Any]] = []
    claims: dict[int, Claim] = {}
    fixes: list[Fix] = []

    def refuse(index: int, refusal: Refusal) -> None:
        message = said(language, refusal.message, refusal.facts, timezone=machines.settings.timezone)
        refused.append({"index": index, "code": refusal.code, "message": message})

    for index, raw in enumerate(body.positions):
        try:
            claims[index] = _claim(raw)
        except Refusal as refusal:
            refuse(index, refusal)
    allowed = await may_send(session, actor, {claim.unit_id for claim in claims.values()})
    for index, claim in claims.items():
        try:
            if (why_not := allowed[claim.unit_id]) is not None:
                raise why_not
            fixes.append(judged(claim, received_at))
        except Refusal as refusal:
            refuse(index, refusal)
    if not machines.positions.room_for(actor, len(fixes)):
        raise TooMany(seconds=1)
    machines.positions.put(sorted(fixes, key=lambda fix: fix.fixed_at))
    return {"accepted": len(fixes), "refused": sorted(refused, key=lambda one: one["index"])}


def _claim(raw: dict[str, Any]) -> Claim:
    try:
        return PositionBody.model_validate(raw).claim()
    except ValidationError as error:
        raise BadPosition(reason=bad_fields(error)) from None


def bad_fields(error: ValidationError) -> str:
    """The fields that were not understood, for a message."""
    fields = {str(part["loc"][0]) if part["loc"] else "?" for part in error.errors(include_input=False)}
    return ", ".join(sorted(fields))[:100]


@router.get("/units/{unit_id}/track")
async def get_track(
    session: Session, actor: CurrentActor, unit_id: UUID, *, since: When | None = None, until: When | None = None
) -> dict[str, Any]:
    """Where a unit has just been: the last hour, or what is asked of the last two. What was before is a POST."""
    unit = await access_unit(session, actor, unit_id)
    until = until or now()
    since = max(since or until - dt.timedelta(hours=1), now() - JUST_NOW)
    return {"points": await track(session, unit.id, since, until)}


class WindowBody(Body):
    """From when until when."""

    since: When
    until: When


@router.post("/units/{unit_id}/track")
async def post_track(body: WindowBody, session: Session, actor: CurrentActor, unit_id: UUID) -> dict[str, Any]:
    """Where a unit was on a day, to be looked at again. A POST, because each look is recorded."""
    seen = await look_at_track(session, actor, unit_id, since=body.since, until=body.until)
    sent = await assignments_between(session, actor, unit_id, since=body.since, until=body.until)
    return {
        "since": body.since.isoformat(),
        "until": min(body.until, now()).isoformat(),
        "points": [_point(fix) for fix in seen.points],
        "doubtful": [[fix.lon, fix.lat, milliseconds(fix.fixed_at), int(fix.doubt)] for fix in seen.doubtful],
        "gaps": [[milliseconds(one), milliseconds(other)] for one, other in seen.gaps],
        "stops": [
            {"lon": stop.lon, "lat": stop.lat, "since": milliseconds(stop.since), "until": milliseconds(stop.until)}
            for stop in seen.stops
        ],
        "metres": round(seen.metres),
        "assignments": [
            {
                "id": str(one.assignment.id),
                "incident_id": str(one.assignment.incident_id),
                "incident_code": one.code,
                "since": milliseconds(one.assignment.made_at),
                "until": milliseconds(one.assignment.released_at) if one.assignment.released_at else None,
            }
            for one in sent
        ],
    }


def _point(fix: Fix) -> list[Any]:
    heading = None if fix.heading is None else round(fix.heading)
    speed = None if fix.speed_kmh is None else round(fix.speed_kmh, 1)
    return [round(fix.lon, 6), round(fix.lat, 6), heading, speed, milliseconds(fix.fixed_at), int(fix.doubt)]
