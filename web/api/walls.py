"""Walls over HTTP: the supervisor's book of them, the console's hand on them, and what a wall may ask itself."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import Field

from incidents.crisis import crisis, hour_beside_hour
from realtime.access import Actor, Role
from realtime.errors import NotFound, Refusal
from resources.sign_in import actor_of
from resources.walls import (
    Wall,
    WallView,
    access_wall,
    all_walls,
    amend_wall,
    brighten_wall,
    calibrate_wall,
    centre_wall,
    hear_wall,
    make_wall,
    open_wall,
    reload_wall,
    renew_wall,
    revoke_wall,
    show_on_wall,
    wall_document,
)
from web.api.session import PER_ADDRESS, WINDOW, session_document
from web.bodies import Body, Location, Name, NewId
from web.context import CurrentActor, Machines, OnceOnly, Session, cookie_name, token_of
from web.throttle import attempt

router = APIRouter(tags=["walls"])

KEPT = 400 * 24 * 3600  # seconds, the longest that browsers allow: a wall that lost its power comes back by itself


class SomebodyIsHere(Refusal):
    """Somebody is signed in with this browser: sign out first, or open the wall in another one."""

    status = 409


class NotForWalls(Refusal):
    """That is too sensitive for a wall, or it is gone."""

    status = 409


Views = Annotated[tuple[WallView, ...], Field(min_length=1, max_length=4)]


class MakeBody(Body):
    """A wall."""

    id: NewId
    name: Name
    views: Views = tuple(WallView)


class AmendBody(Body):
    """What changes; what is not said stays."""

    name: Name | None = None
    views: Views | None = None


class OpenBody(Body):
    """The token of a wall's link."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class ShowBody(Body):
    """A view, and what the crisis view is about."""

    view: WallView
    about: Annotated[str, Field(max_length=60)] | None = None


class CentreBody(Body):
    """Where the map looks; the whole city without a place."""

    location: Location | None = None
    zoom: Annotated[float, Field(ge=3, le=20)] | None = None


class BrightnessBody(Body):
    """0.2 to 1; null follows the hour."""

    brightness: Annotated[float, Field(ge=0.2, le=1)] | None = None


class CalibrationBody(Body):
    """The panel's diagonal in inches, the farthest seat in metres, and whether the ruler is shown."""

    ruler: bool = False
    inches: Annotated[float, Field(ge=10, le=300)] | None = None
    metres: Annotated[float, Field(ge=0.5, le=40)] | None = None


class HeardBody(Body):
    """What a wall says of itself. Heap in megabytes where its browser tells, the age of its last frame in seconds."""

    view: WallView
    width: Annotated[int, Field(ge=0, le=20_000)]
    height: Annotated[int, Field(ge=0, le=20_000)]
    page: Annotated[str, Field(max_length=60)]
    heap_mb: Annotated[float, Field(ge=0, le=1e6)] | None = None
    frame_age_s: Annotated[float, Field(ge=0, le=1e6)] | None = None
    up_s: Annotated[float, Field(ge=0, le=1e9)]
    frozen: bool = False


# ── Its link ──────────────────────────────────────────────────────────────────────────────────────


@router.post("/session/wall")
async def post_session_wall(
    body: OpenBody,
    request: Request,
    response: Response,
    session: Session,
    machines: Machines,
    x_vigia_token: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Open a wall with the token of its link. Sets the cookie; a machine that asks for it gets the token."""
    address = request.client.host if request.client else "?"
    await attempt(machines.sessions, "wall", address, limit=PER_ADDRESS, within=WINDOW)
    held = token_of(request, machines.settings)
    there = await actor_of(session, held) if held and "authorization" not in request.headers else None
    if there is not None and there.actor.role is not Role.WALL:
        raise SomebodyIsHere
    token, found = await open_wall(session, body.token, user_agent=request.headers.get("user-agent", ""))
    document = await session_document(session, found, machines)
    if x_vigia_token:
        return document | {"token": token}
    response.set_cookie(
        cookie_name(machines.settings),
        token,
        max_age=KEPT,
        httponly=True,
        samesite="lax",
        secure=machines.settings.secure_cookies,
        path="/",
    )
    return document


# ── The book of walls ─────────────────────────────────────────────────────────────────────────────


@router.get("/walls")
async def get_walls(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Every wall, with what it last said of itself."""
    return {"walls": await all_walls(session, actor)}


@router.post("/walls", status_code=201)
async def post_wall(body: MakeBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """A wall, without a link yet."""

    async def do() -> dict[str, Any]:
        return wall_document(await make_wall(session, actor, body.id, name=body.name, views=body.views))

    return await once(body.id, do)


@router.post("/walls/{wall_id}/link")
async def post_link(wall_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """A new link, told once; the former is void."""
    token, wall = await renew_wall(session, actor, wall_id)
    return wall_document(wall) | {"token": token}


@router.post("/walls/{wall_id}/revoke")
async def post_revoke(wall_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """No link any more."""
    return wall_document(await revoke_wall(session, actor, wall_id))


@router.post("/walls/{wall_id}/amend")
async def post_amend(wall_id: UUID, body: AmendBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Another name or other views."""
    return wall_document(await amend_wall(session, actor, wall_id, name=body.name, views=body.views))


# ── The hand on it ────────────────────────────────────────────────────────────────────────────────


@router.post("/walls/{wall_id}/show")
async def post_show(wall_id: UUID, body: ShowBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Show a view."""
    wall = await show_on_wall(session, actor, wall_id, view=body.view, about=body.about)
    if body.about is not None:
        try:
            await crisis(session, _eyes_of(wall), body.about)
        except NotFound:
            raise NotForWalls from None
    return wall_document(wall)


@router.post("/walls/{wall_id}/centre")
async def post_centre(wall_id: UUID, body: CentreBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Look there with the map."""
    return wall_document(await centre_wall(session, actor, wall_id, centre=body.location, zoom=body.zoom))


@router.post("/walls/{wall_id}/brightness")
async def post_brightness(wall_id: UUID, body: BrightnessBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Brighter or darker."""
    return wall_document(await brighten_wall(session, actor, wall_id, brightness=body.brightness))


@router.post("/walls/{wall_id}/reload")
async def post_reload(wall_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Load its page anew."""
    return wall_document(await reload_wall(session, actor, wall_id))


@router.post("/walls/{wall_id}/calibrate")
async def post_calibrate(wall_id: UUID, body: CalibrationBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """How large its letters must be."""
    wall = await calibrate_wall(session, actor, wall_id, ruler=body.ruler, inches=body.inches, metres=body.metres)
    return wall_document(wall)


# ── What a wall asks ──────────────────────────────────────────────────────────────────────────────


@router.get("/walls/own/crisis")
async def get_crisis(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What the crisis view of the wall that asks is about; `crisis` is null where there is nothing that it may show."""
    wall = await access_wall(session, actor, _own(actor))
    if wall.about is None:
        return {"crisis": None}
    try:
        return {"crisis": await crisis(session, _eyes_of(wall), wall.about)}
    except NotFound:
        return {"crisis": None}


@router.get("/walls/own/numbers")
async def get_numbers(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The city's numbers beside those of an hour ago, as far as a wall may count."""
    wall = await access_wall(session, actor, _own(actor))
    return await hour_beside_hour(session, _eyes_of(wall))


@router.post("/walls/own/heard")
async def post_heard(body: HeardBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The wall that asks lives."""
    wall = await hear_wall(session, _own(actor), body.model_dump(mode="json"))
    return {"heard_at": wall.heard_at}


def _own(actor: Actor) -> UUID:
    if actor.role is not Role.WALL or actor.id is None:
        raise NotFound
    return actor.id


def _eyes_of(wall: Wall) -> Actor:
    return Actor(name=wall.name, role=Role.WALL, id=wall.id)
