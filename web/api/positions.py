"""Positions over HTTP: many at once, each judged by itself, so that one bad fix does not cost the other 499."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import Field, ValidationError

from realtime.database import now
from realtime.errors import Malformed, Refusal, TooMany
from resources.positions import Claim, judged, may_send
from resources.tracks import Fix, track
from resources.units import access_unit
from web.bodies import Body, Location, When
from web.context import CurrentActor, Machines, Session
from web.language import language_for, said

router = APIRouter(tags=["units"])

MOST = 500  # fixes in one request
LONGEST_TRACK = dt.timedelta(days=7)


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
    """Where a unit has been; the last hour when nothing else is asked."""
    unit = await access_unit(session, actor, unit_id)
    until = until or now()
    since = max(since or until - dt.timedelta(hours=1), until - LONGEST_TRACK)
    return {"points": await track(session, unit.id, since, until)}
