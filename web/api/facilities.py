"""Facilities over HTTP: where help comes from, and where it goes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from resources.facilities import FacilityKind, facilities, facility_feature
from web.context import CurrentActor, Session

router = APIRouter(tags=["facilities"])


@router.get("/facilities")
async def get_facilities(session: Session, actor: CurrentActor, kind: FacilityKind | None = None) -> dict[str, Any]:
    """The open facilities as a GeoJSON FeatureCollection."""
    found = await facilities(session, actor, kind)
    return {"type": "FeatureCollection", "features": [facility_feature(facility) for facility in found]}
