"""Places over HTTP: a point in words, and the base map. Public: nothing here is about anybody."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse

from geo.addresses import describe_place
from geo.places import point
from geo.tiles import MAX_ZOOM, Tiles, exists, map_edition, map_words, vector_layers
from realtime.errors import NotFound
from web.city.pack import PACK
from web.context import Machines, Session

router = APIRouter(tags=["places"])
tiles = Tiles()  # one for the process: an edition's name is unique, so even two cities would not mix

# A browser may draw an old map for a minute, and while it asks whether there is a newer one.
KEEP = "public, max-age=60, stale-while-revalidate=86400"
KEEP_EDITION = "public, max-age=31536000, immutable"  # an address that names its edition never shows another


class NoPack(NotFound):
    """There is no map pack of this city yet: its operator makes one with `./vigia city pack`."""


@router.get("/places/describe")
async def get_place_words(session: Session, lon: float, lat: float) -> dict[str, Any]:
    """A point in words: street, height, corner and zones, and one phrase for all of it."""
    return asdict(await describe_place(session, point(lon, lat)))


@router.get("/tiles.json")
async def get_tiles(request: Request, session: Session) -> dict[str, Any]:
    """What the base map is and where its tiles are, as TileJSON 3. Their address names the edition."""
    edition = await map_edition(session)
    there = f"{str(request.base_url).rstrip('/')}{request.url.path.removesuffix('.json')}"
    return {
        "tilejson": "3.0.0",
        **(await map_words(session) or {"name": "Vigía"}),
        "scheme": "xyz",
        "tiles": [f"{there}/{{z}}/{{x}}/{{y}}.mvt?edition={edition}"],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "vector_layers": vector_layers(),
    }


@router.get("/tiles/{z}/{x}/{y}.mvt", responses={200: {"content": {"application/vnd.mapbox-vector-tile": {}}}})
async def get_tile(
    session: Session,
    *,
    z: int,
    x: int,
    y: int,
    edition: str | None = None,
    if_none_match: Annotated[str | None, Header()] = None,
    accept_encoding: Annotated[str, Header()] = "",
) -> Response:
    """A base-map tile; 304 while the map is what the client has."""
    if not exists(z, x, y):
        raise NotFound
    present = await map_edition(session)
    # Weak: compressed and plain are the same map in different bytes.
    headers = {
        "ETag": f'W/"{present}"',
        "Cache-Control": KEEP_EDITION if present and edition == present else KEEP,
        "Vary": "Accept-Encoding",
    }
    if if_none_match and headers["ETag"].removeprefix("W/") in if_none_match:
        return Response(status_code=304, headers=headers)
    tile = await tiles.tile(session, present, z, x, y)
    body = tile.plain
    if "gzip" in accept_encoding:
        body, headers["Content-Encoding"] = tile.gzipped, "gzip"
    return Response(body, media_type="application/vnd.mapbox-vector-tile", headers=headers)


@router.get("/city.pmtiles", responses={200: {"content": {"application/vnd.pmtiles": {}}}, 206: {}, 304: {}, 416: {}})
async def get_pack(machines: Machines, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The base map as one PMTiles file for field phones, whole or by `Range`; made by `./vigia city pack`."""
    file = machines.settings.data / PACK
    try:
        found = file.stat()
    except FileNotFoundError:
        raise NoPack from None
    answer = FileResponse(file, media_type="application/vnd.pmtiles", stat_result=found)
    answer.headers["Cache-Control"] = KEEP
    if if_none_match and answer.headers["ETag"] in if_none_match:
        headers = {name: answer.headers[name] for name in ("ETag", "Cache-Control")}
        return Response(status_code=304, headers=headers)
    return answer
