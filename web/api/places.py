"""Places over HTTP: zones, a point in words, and the base map. Public: nothing here is about anybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from geo.places import point
from geo.streets import describe_place
from geo.tiles import Tiles, exists, map_edition
from geo.zones import ZoneKind, zone_feature, zones
from realtime.errors import NotFound
from web.context import Session

router = APIRouter(tags=["places"])
tiles = Tiles()  # one for the process: an edition's name is unique, so even two cities would not mix

# A browser may draw an old map for a minute, and while it asks whether there is a newer one.
KEEP = "public, max-age=60, stale-while-revalidate=86400"


@router.get("/zones")
async def get_zones(session: Session, kind: ZoneKind | None = None) -> dict[str, Any]:
    """The zones in force as a GeoJSON FeatureCollection."""
    return {
        "type": "FeatureCollection",
        "features": [zone_feature(zone) for zone in await zones(session, kind)],
    }


@router.get("/places/describe")
async def get_place_words(session: Session, lon: float, lat: float) -> dict[str, str | None]:
    """A point in words: its street, corner and zone, and one phrase for all of it."""
    words = await describe_place(session, point(lon, lat))
    return {"street": words.street, "corner": words.corner, "zone": words.zone, "place": words.place}


@router.get("/tiles/{z}/{x}/{y}.mvt", responses={200: {"content": {"application/vnd.mapbox-vector-tile": {}}}})
async def get_tile(
    session: Session,
    *,
    z: int,
    x: int,
    y: int,
    if_none_match: Annotated[str | None, Header()] = None,
    accept_encoding: Annotated[str, Header()] = "",
) -> Response:
    """A base-map tile; 304 while the map is what the client has."""
    if not exists(z, x, y):
        raise NotFound
    edition = await map_edition(session)
    # Weak: compressed and plain are the same map in different bytes.
    headers = {"ETag": f'W/"{edition}"', "Cache-Control": KEEP, "Vary": "Accept-Encoding"}
    if if_none_match and headers["ETag"].removeprefix("W/") in if_none_match:
        return Response(status_code=304, headers=headers)
    tile = await tiles.tile(session, edition, z, x, y)
    body = tile.plain
    if "gzip" in accept_encoding:
        body, headers["Content-Encoding"] = tile.gzipped, "gzip"
    return Response(body, media_type="application/vnd.mapbox-vector-tile", headers=headers)
