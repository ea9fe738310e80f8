"""Zones over HTTP: reading is public, because nothing here is about anybody; drawing is for those who may."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, Literal
from uuid import UUID

import shapely
from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geo.places import parse_box, point
from geo.zones import (
    Amendment,
    Zone,
    ZoneKind,
    access_zone,
    amend_zone,
    draw_zone,
    end_zone,
    history,
    import_zones,
    multipolygon,
    whose,
    zone_feature,
    zones,
)
from realtime.access import Permission, require
from realtime.database import new_id
from realtime.errors import Malformed, Refusal
from web.bodies import Body, Name, NewId, Short, When, ZoneArea
from web.context import CurrentActor, Expected, Machines, OnceOnly, Session
from web.language import language_for, said

router = APIRouter(tags=["zones"])

MOST = 500  # zones in one import
MOST_VERTICES = 40_000  # in all of them; each is held to what one shape may have
KEEP = "public, no-cache"  # a browser may keep them, and asks each time whether they are still the ones

Population = Annotated[int, Field(strict=True, ge=0, le=100_000_000)]


class TooManyZones(Refusal):
    """At most {limit} {what} at once: bring a larger file in with `./vigia city import`."""

    status = 413


class NotAZone(Malformed):
    """A zone is a GeoJSON feature with a geometry, a name and a kind; not understood: {reason}."""


class ZoneBody(Body):
    """A new zone."""

    id: NewId
    kind: ZoneKind
    name: Name
    shape: ZoneArea
    desk: Short = ""
    population: Population | None = None
    valid_from: When | None = None
    valid_until: When | None = None


class NameBody(Body):
    """What it is called."""

    name: Name


class ShapeBody(Body):
    """Where it is."""

    shape: ZoneArea


class DeskBody(Body):
    """Who answers for it; empty for nobody in particular."""

    desk: Short


class PopulationBody(Body):
    """How many people live there."""

    population: Population | None


class ValidityBody(Body):
    """From when and until when it counts; null for always."""

    valid_from: When | None
    valid_until: When | None


class ZoneProperties(BaseModel):
    """What we read of a feature's properties; files from elsewhere have many more."""

    model_config = ConfigDict(extra="ignore")

    name: Name
    kind: ZoneKind | None = None
    desk: Short | None = None
    population: Population | None = None
    source_key: Short | None = None
    valid_from: When | None = None
    valid_until: When | None = None


class ZoneFeature(BaseModel):
    """One feature of a file. Its id is a zone's own, or what the file calls it."""

    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)

    type: Literal["Feature"]
    id: UUID | Short | int | None = None
    geometry: ZoneArea
    properties: ZoneProperties


class ImportBody(Body):
    """A GeoJSON FeatureCollection. Its features are judged one by one, below."""

    id: NewId
    type: Literal["FeatureCollection"]
    kind: ZoneKind | None = None
    features: list[dict[str, Any]]
    replace: bool = False
    even_if_some_are_refused: bool = False


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


@router.get("/zones")
async def get_zones(
    session: Session,
    *,
    kind: ZoneKind | None = None,
    at: When | None = None,
    bbox: str | None = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The zones in force, now or at a time, as a GeoJSON FeatureCollection; 304 while they are the same."""
    found = await zones(session, kind, at=at, within=parse_box(bbox) if bbox else None)
    digest = hashlib.sha256("\n".join(f"{zone.id} {zone.version}" for zone in found).encode()).hexdigest()[:20]
    headers = {"ETag": f'W/"{digest}"', "Cache-Control": KEEP}
    if if_none_match and digest in if_none_match:
        return Response(status_code=304, headers=headers)
    document = {"type": "FeatureCollection", "features": [zone_feature(zone) for zone in found]}
    return JSONResponse(document, headers=headers)


@router.get("/zones/{zone_id}")
async def get_zone(zone_id: UUID, session: Session) -> dict[str, Any]:
    """A zone, and what it was called and whose it was before."""
    zone = await access_zone(session, zone_id)
    former = [
        {
            "version": was.version,
            "name": was.name,
            "desk": was.desk,
            "population": was.population,
            "since": was.since.isoformat() if was.since else None,
            "until": was.until.isoformat(),
            "changed_by": was.changed_by,
        }
        for was in await history(session, zone_id)
    ]
    return zone_feature(zone) | {"history": former}


@router.get("/places/whose")
async def get_whose(session: Session, lon: float, lat: float, at: When | None = None) -> dict[str, Any]:
    """Whose a place is: jurisdiction, neighbourhood, responsible desk, and every zone it lies in, smallest first."""
    found = await whose(session, point(lon, lat), at=at)
    return {
        "jurisdiction": found.jurisdiction,
        "outside": found.outside,
        "barrio": found.barrio,
        "district": found.district,
        "vecinal": found.vecinal,
        "desk": found.desk,
        "zones": [{"id": str(zone.id), "kind": zone.kind, "name": zone.name} for zone in found.zones],
    }


# ── Drawing ───────────────────────────────────────────────────────────────────────────────────────


@router.post("/zones", status_code=201)
async def post_zone(body: ZoneBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Draw a zone."""

    async def do() -> dict[str, Any]:
        zone = await draw_zone(
            session,
            actor,
            body.id,
            kind=body.kind,
            name=body.name,
            shape=body.shape,
            desk=body.desk,
            population=body.population,
            valid_from=body.valid_from,
            valid_until=body.valid_until,
        )
        return zone_feature(zone)

    return await once(body.id, do)


async def _amended(
    session: Session, actor: CurrentActor, zone_id: UUID, expected: int | None, to: Amendment
) -> dict[str, Any]:
    return zone_feature(await amend_zone(session, actor, zone_id, expected=expected, **to))


@router.post("/zones/{zone_id}/name")
async def post_name(
    zone_id: UUID, body: NameBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another name; the old one stays in its history."""
    return await _amended(session, actor, zone_id, expected, {"name": body.name})


@router.post("/zones/{zone_id}/shape")
async def post_shape(
    zone_id: UUID, body: ShapeBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another shape; the old one stays in its history."""
    return await _amended(session, actor, zone_id, expected, {"shape": multipolygon(body.shape)})


@router.post("/zones/{zone_id}/desk")
async def post_desk(
    zone_id: UUID, body: DeskBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Who answers for it."""
    return await _amended(session, actor, zone_id, expected, {"desk": body.desk or None})


@router.post("/zones/{zone_id}/population")
async def post_population(
    zone_id: UUID, body: PopulationBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """How many people live there."""
    return await _amended(session, actor, zone_id, expected, {"population": body.population})


@router.post("/zones/{zone_id}/validity")
async def post_validity(
    zone_id: UUID, body: ValidityBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """From when and until when it counts."""
    to: Amendment = {"valid_from": body.valid_from, "valid_until": body.valid_until}
    return await _amended(session, actor, zone_id, expected, to)


@router.post("/zones/{zone_id}/end")
async def post_end(zone_id: UUID, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """It counts no more."""
    return zone_feature(await end_zone(session, actor, zone_id, expected=expected))


# ── Many at once ──────────────────────────────────────────────────────────────────────────────────


@router.post("/zones/import")
async def post_import(
    body: ImportBody,
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    once: OnceOnly,
    accept_language: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Lay the zones of a GeoJSON FeatureCollection. If one is refused none is laid, unless the body says otherwise."""
    require(actor, Permission.ZONE_EDIT)
    if len(body.features) > MOST:
        raise TooManyZones(limit=MOST, what="features")

    async def do() -> dict[str, Any]:
        good, bad = await asyncio.to_thread(_judged, body)  # a thousand shapes are long in being judged
        refused = [
            {
                "index": index,
                "code": refusal.code,
                "message": said(
                    language_for(accept_language), refusal.message, refusal.facts, timezone=machines.settings.timezone
                ),
            }
            for index, refusal in bad
        ]
        if refused and not body.even_if_some_are_refused:
            return {"laid": 0, "refused": refused, "difference": None}
        kinds = {zone.kind for zone in good} if body.replace else frozenset[str]()
        difference = await import_zones(session, actor, good, replacing=kinds)
        return {
            "laid": len(good),
            "refused": refused,
            "difference": {
                "added": difference.added,
                "renamed": [{"from": old, "to": new} for old, new in difference.renamed],
                "reshaped": difference.reshaped,
                "amended": difference.amended,
                "ended": difference.ended,
                "unchanged": difference.unchanged,
                "before": difference.before,
                "after": difference.after,
            },
        }

    return await once(body.id, do)


def _judged(body: ImportBody) -> tuple[list[Zone], list[tuple[int, Refusal]]]:
    """The zones of a body, and what was refused of it and why."""
    good: list[Zone] = []
    bad: list[tuple[int, Refusal]] = []
    left = MOST_VERTICES
    for index, raw in enumerate(body.features):
        try:
            zone = _zone_of(raw, body.kind)
        except Refusal as refusal:
            bad.append((index, refusal))
            continue
        left -= int(shapely.get_num_coordinates(zone.shape))
        if left < 0:
            raise TooManyZones(limit=MOST_VERTICES, what="vertices")
        good.append(zone)
    return good, bad


def _zone_of(raw: dict[str, Any], kind: ZoneKind | None) -> Zone:
    try:
        feature = ZoneFeature.model_validate(raw)
    except ValidationError as error:
        fields = {".".join(str(step) for step in part["loc"]) for part in error.errors(include_input=False)}
        raise NotAZone(reason=", ".join(sorted(fields))[:100]) from None
    properties = feature.properties
    kind = properties.kind or kind
    if kind is None:
        raise NotAZone(reason="kind")
    return Zone(
        id=feature.id if isinstance(feature.id, UUID) else new_id(),
        kind=kind,
        name=properties.name,
        shape=multipolygon(feature.geometry),
        desk=properties.desk or None,
        population=properties.population,
        source_key=properties.source_key or (str(feature.id) if isinstance(feature.id, str | int) else None),
        valid_from=properties.valid_from,
        valid_until=properties.valid_until,
    )
