"""Facilities over HTTP: where help comes from, where it goes, and how much room there is."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from realtime.access import Actor
from resources.facilities import (
    MOST_PLACES,
    Facility,
    FacilityKind,
    access_kept,
    add_facility,
    amend_facility,
    capacities_of,
    capacity_document,
    change_capacity,
    close_facility,
    drop_capacity,
    facilities,
    facility_feature,
    set_capacity,
)
from resources.photos import photo_document, photos_of
from web.bodies import Body, Location, Name, NewId, Short, Text
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(prefix="/facilities", tags=["facilities"])

Flow = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Places = Annotated[int, Field(strict=True, ge=0, le=MOST_PLACES)]
CapacityKind = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-zÁÉÍÓÚÜÑáéíóúüñ0-9 _\-]+$"), Path()]


class FacilityBody(Body):
    """A new facility."""

    id: NewId
    kind: FacilityKind
    name: Name
    location: Location
    address: Short = ""
    organization_id: UUID | None = None
    note: Text = ""
    flow_l_min: Flow | None = None


class FacilityChange(Body):
    """What is other than it was said; what is left out stays."""

    kind: FacilityKind | None = None
    name: Name | None = None
    address: Short | None = None
    location: Location | None = None
    organization_id: UUID | None = None
    note: Text | None = None
    flow_l_min: Flow | None = None


class ServiceBody(Body):
    """Why it does not work; null: it works."""

    out_of_service: Name | None


class CapacityBody(Body):
    """How much room of a kind there is, counted now; `total` null: nobody has told."""

    total: Places | None
    free: Places
    note: Short = ""


class ByBody(Body):
    """How many more are free; below 0: fewer."""

    by: Annotated[int, Field(strict=True, ge=-1000, le=1000)]


@router.get("")
async def get_facilities(session: Session, actor: CurrentActor, kind: FacilityKind | None = None) -> dict[str, Any]:
    """The open facilities as a GeoJSON FeatureCollection."""
    found = await facilities(session, actor, kind)
    room = await capacities_of(session, actor, [facility.id for facility in found])
    features = [facility_feature(actor, facility, room.get(facility.id, ())) for facility in found]
    return {"type": "FeatureCollection", "features": features}


@router.get("/{facility_id}")
async def get_facility(facility_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """One facility, with its photos."""
    facility = await access_kept(session, actor, facility_id)
    photos = [photo_document(photo) for photo in await photos_of(session, f"facility:{facility_id}")]
    return await _shown(session, actor, facility) | {"photos": photos}


@router.post("", status_code=201)
async def post_facility(body: FacilityBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Put a facility on the map."""

    async def do() -> dict[str, Any]:
        made = await add_facility(
            session,
            actor,
            body.id,
            kind=body.kind,
            name=body.name,
            place=body.location,
            address=body.address or None,
            organization_id=body.organization_id,
            note=body.note,
            flow_l_min=body.flow_l_min,
        )
        return await _shown(session, actor, made)

    return await once(body.id, do)


@router.post("/{facility_id}")
async def post_change(
    facility_id: UUID, body: FacilityChange, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Change what is said of a facility; a null organization or flow takes it away."""
    said: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    said = {
        ("place" if name == "location" else name): value
        for name, value in said.items()
        if value is not None or name in {"organization_id", "flow_l_min"}
    }
    if "address" in said:
        said["address"] = said["address"] or None
    return await _shown(session, actor, await amend_facility(session, actor, facility_id, expected=expected, **said))


@router.post("/{facility_id}/service")
async def post_service(
    facility_id: UUID, body: ServiceBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It does not work, or works again."""
    amended = await amend_facility(session, actor, facility_id, expected=expected, out_of_service=body.out_of_service)
    return await _shown(session, actor, amended)


@router.post("/{facility_id}/close")
async def post_close(facility_id: UUID, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """It is no more."""
    return await _shown(session, actor, await close_facility(session, actor, facility_id, expected=expected))


@router.post("/{facility_id}/capacities/{capacity}")
async def post_capacity(
    facility_id: UUID, capacity: CapacityKind, body: CapacityBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Tell how much room there is."""
    told = await set_capacity(session, actor, facility_id, capacity, total=body.total, free=body.free, note=body.note)
    return capacity_document(told)


@router.post("/{facility_id}/capacities/{capacity}/change")
async def post_capacity_change(
    facility_id: UUID, capacity: CapacityKind, body: ByBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """So many more are free."""
    return capacity_document(await change_capacity(session, actor, facility_id, capacity, by=body.by))


@router.post("/{facility_id}/capacities/{capacity}/drop", status_code=204)
async def post_capacity_drop(facility_id: UUID, capacity: CapacityKind, session: Session, actor: CurrentActor) -> None:
    """There is no room of this kind."""
    await drop_capacity(session, actor, facility_id, capacity)


async def _shown(session: Session, actor: Actor, facility: Facility) -> dict[str, Any]:
    room = await capacities_of(session, actor, [facility.id])
    return facility_feature(actor, facility, room.get(facility.id, ()))
