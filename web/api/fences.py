"""Geofences over HTTP. For operations only: a fence says where the city looks, a visit where a crew was."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from geo.fences import (
    Watch,
    access_fence,
    amend_fence,
    draw_fence,
    end_fence,
    feature_of,
    fences,
    visit_feature,
    visits,
)
from realtime.database import now
from resources.units import UnitKind
from web.bodies import Body, Code, FenceShape, Name, NewId, Priority, When
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(prefix="/fences", tags=["fences"])

LONGEST = dt.timedelta(days=31)  # of visits in one answer

TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Annotated[int, Field(strict=True, ge=1, le=7)]


class UnitsBody(Body):
    """Which units; none named means all."""

    kinds: Annotated[tuple[UnitKind, ...], Field(max_length=20)] = ()


class IncidentsBody(Body):
    """Which incidents: types or groups of them, and priorities from 1 down to `least_priority`."""

    types: Annotated[tuple[Code, ...], Field(max_length=60)] = ()
    least_priority: Priority | None = None


class HoursBody(Body):
    """A time of day, local; over midnight when it ends before it begins."""

    days: Annotated[tuple[Weekday, ...], Field(max_length=7)] = (1, 2, 3, 4, 5, 6, 7)
    begins: Annotated[TimeOfDay, Field(alias="from")]
    until: TimeOfDay


class WatchBody(Body):
    """What a fence listens for."""

    units: UnitsBody | None = UnitsBody()
    incidents: IncidentsBody | None = None
    dwell_seconds: Annotated[int, Field(strict=True, ge=10, le=86_400)] | None = None
    hours: Annotated[tuple[HoursBody, ...], Field(max_length=14)] = ()

    def watch(self) -> Watch:
        """As the verbs take it."""
        return Watch(
            units=self.units is not None,
            unit_kinds=[kind.value for kind in self.units.kinds] if self.units else (),
            incidents=self.incidents is not None,
            incident_types=self.incidents.types if self.incidents else (),
            least_priority=self.incidents.least_priority if self.incidents else None,
            dwell_seconds=self.dwell_seconds,
            hours=[{"days": list(one.days), "from": one.begins, "until": one.until} for one in self.hours],
        )


class FenceBody(WatchBody):
    """A new fence: a shape of its own, or a zone."""

    id: NewId
    name: Name
    shape: FenceShape | None = None
    zone_id: UUID | None = None
    valid_from: When | None = None
    valid_until: When | None = None


class NameBody(Body):
    """What it is called."""

    name: Name


class PlaceBody(Body):
    """Where it is: one of the two."""

    shape: FenceShape | None = None
    zone_id: UUID | None = None


class ValidityBody(Body):
    """Until when it counts; null for always."""

    valid_until: When | None


@router.post("", status_code=201)
async def post_fence(body: FenceBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Draw a fence."""

    async def do() -> dict[str, Any]:
        fence = await draw_fence(
            session,
            actor,
            body.id,
            name=body.name,
            watch=body.watch(),
            shape=body.shape,
            zone_id=body.zone_id,
            valid_from=body.valid_from,
            valid_until=body.valid_until,
        )
        return feature_of(fence)

    return await once(body.id, do)


@router.get("")
async def get_fences(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The fences that have not ended, as far as the actor sees any."""
    return {"type": "FeatureCollection", "features": [feature_of(fence) for fence in await fences(session, actor)]}


@router.get("/{fence_id}")
async def get_fence(fence_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """A fence, also when it has ended."""
    return feature_of(await access_fence(session, actor, fence_id))


@router.get("/{fence_id}/visits")
async def get_visits(
    fence_id: UUID,
    session: Session,
    actor: CurrentActor,
    *,
    unit: UUID | None = None,
    since: Annotated[When | None, Query(alias="from")] = None,
    until: Annotated[When | None, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """Who was there, newest first; the last day when nothing else is asked."""
    until = until or now()
    since = max(since or until - dt.timedelta(days=1), until - LONGEST)
    found = await visits(session, actor, fence_id, unit_id=unit, since=since, until=until, limit=limit)
    return {"visits": [visit_feature(visit)["properties"] for visit in found]}


@router.post("/{fence_id}/name")
async def post_name(
    fence_id: UUID, body: NameBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another name."""
    return feature_of(await amend_fence(session, actor, fence_id, expected=expected, name=body.name))


@router.post("/{fence_id}/place")
async def post_place(
    fence_id: UUID, body: PlaceBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another shape or zone; the visits that are going on end."""
    amended = await amend_fence(session, actor, fence_id, expected=expected, shape=body.shape, zone_id=body.zone_id)
    return feature_of(amended)


@router.post("/{fence_id}/watch")
async def post_watch(
    fence_id: UUID, body: WatchBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Something else to listen for; the visits that are going on end."""
    return feature_of(await amend_fence(session, actor, fence_id, expected=expected, watch=body.watch()))


@router.post("/{fence_id}/validity")
async def post_validity(
    fence_id: UUID, body: ValidityBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Until when it counts."""
    return feature_of(await amend_fence(session, actor, fence_id, expected=expected, valid_until=body.valid_until))


@router.post("/{fence_id}/end")
async def post_end(fence_id: UUID, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """Nobody listens there any more."""
    return feature_of(await end_fence(session, actor, fence_id, expected=expected))
