"""Past hours over HTTP. A look is a POST, because it is recorded."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from incidents.past import look_at_past, look_at_past_positions
from resources.tracks import Passing, milliseconds
from web.bodies import Body, When
from web.context import CurrentActor, Session

router = APIRouter(tags=["replay"])


class IntervalBody(Body):
    """From one moment to a later one."""

    since: When = Field(alias="from")
    until: When = Field(alias="to")


class PastBody(IntervalBody):
    """An interval, and whether the board that it began with is wanted."""

    board: bool = True


@router.post("/replay")
async def see_past(body: PastBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The board as it was at `from` and what changed after it, at most 24 hours.

    `lines` are `[ms, subject, version, feature or null]` with the moment at which each was recorded, in milliseconds
    since 1970, and complete up to `complete_to`; ask again from there with `board: false`. `tracks_since` is the first
    moment of which positions are kept.
    """
    past = await look_at_past(session, actor, since=body.since, until=body.until, board=body.board)
    return {
        "from": past.since,
        "to": past.until,
        "complete_to": past.complete_to,
        "begins_at": past.begins_at,
        "tracks_since": past.tracks_since,
        "features": past.board,
        "lines": [[milliseconds(line.at), line.subject, line.version, line.feature] for line in past.lines],
    }


@router.post("/replay/positions")
async def see_past_positions(body: IntervalBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Where units were, at most 15 minutes: by unit `[ms, lon, lat, heading, speed in km/h, ms of the fix]`.

    The first is the last place that was known at `from`, then one for each 15 seconds, in order of time.
    """
    found = await look_at_past_positions(session, actor, since=body.since, until=body.until)
    return {"positions": {str(unit_id): [_place(one) for one in places] for unit_id, places in found.items()}}


def _place(one: Passing) -> list[Any]:
    seen, fixed = milliseconds(one.seen_at), milliseconds(one.fixed_at)
    return [seen, one.lon, one.lat, one.heading, one.speed_kmh, fixed]
