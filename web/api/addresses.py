"""Finding a place by what somebody says of it, at desks and on the neighbours' form. What was asked is never logged."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from geo.addresses import Match, find_further, is_sure
from geo.places import geojson, point
from realtime.access import Role
from web.bodies import Short
from web.context import Anybody, Machines, Session
from web.throttle import attempt

router = APIRouter(tags=["places"])

LOOKUPS = 600  # from one address in ten minutes: several neighbours behind one, each typing
WITHIN = dt.timedelta(minutes=10)


@router.get("/places/search")
async def get_matches(
    request: Request,
    session: Session,
    actor: Anybody,
    machines: Machines,
    *,
    q: Short,
    lon: float | None = None,
    lat: float | None = None,
    limit: Annotated[int, Query(ge=1, le=20)] = 8,
    more: bool = False,
) -> dict[str, Any]:
    """The places that `q` may mean, best first, also while it is being typed.

    `more` also asks the installation's other finder, where there is one and our own index is unsure: it may take a
    second. `lon`, `lat` (the map's middle) break ties; `sure` says that the first may be taken without asking.
    """
    if actor.role is Role.NEIGHBOUR:
        address = request.client.host if request.client else "?"
        await attempt(machines.aside or machines.sessions, "search", address, limit=LOOKUPS, within=WITHIN)
    near = point(lon, lat) if lon is not None and lat is not None else None
    geocoder = machines.geocoder if more else None
    matches = await find_further(session, geocoder, q, near=near, limit=limit)
    sure = is_sure(matches)
    return {
        "sure": sure,
        "more": machines.geocoder is not None and not more and not sure,
        "matches": [match_document(match) for match in matches],
    }


def match_document(match: Match) -> dict[str, Any]:
    """A match as it travels; the words are the asker's own and stay with him."""
    return {
        "label": match.label,
        "kind": match.kind,
        "precision": match.precision,
        "location": geojson(match.place),
        "score": match.score,
        "street": match.street,
        "number": match.number,
        "corner": match.corner,
        "zone": match.zone,
    }
