"""What every request has: one transaction, and who is asking.

Safe methods get a read-only transaction in which everything is seen at one instant; the others get one that
commits when the endpoint is done, before the answer leaves (`scope="function"`), so a 2xx is a promise kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from geo.addresses import Geocoder
from realtime.access import ANYBODY, Actor
from realtime.bus import Bus
from realtime.catch_up import Boards
from realtime.database import Sessions, reading, transaction
from realtime.errors import Malformed, NotAllowed, NotSignedIn
from realtime.idempotency import answer_once
from resources.devices import DeviceBook
from resources.positions import PositionLane
from resources.sign_in import SignedIn, actor_of, is_stale, keep_alive
from web.origin import is_ours
from web.settings import Settings
from web.valhalla import Valhalla

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ForeignOrigin(NotSignedIn):
    """That request came from a page that is not ours."""

    status = 403


class BadVersion(Malformed):
    """If-Match must be the version that you read, in quotes."""


@dataclass(frozen=True, slots=True)
class Machinery:
    """What the process holds open; `request.app.state.machinery`."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    bus: Bus
    boards: Boards
    positions: PositionLane
    devices: DeviceBook
    aside: Sessions | None = None  # a few connections apart: whoever counts an attempt may hold another already
    geocoder: Geocoder | None = None  # another finder of places, where the installation names one
    valhalla: Valhalla | None = None  # a second opinion on travel times, where there is one


def machinery(request: Request) -> Machinery:
    """The process's machinery."""
    found: Machinery = request.app.state.machinery
    return found


Machines = Annotated[Machinery, Depends(machinery)]


async def open_session(request: Request, machines: Machines) -> AsyncIterator[AsyncSession]:
    """The request's one transaction."""
    begin = reading if request.method in SAFE else transaction
    async with begin(machines.sessions) as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session, scope="function")]


def cookie_name(settings: Settings) -> str:
    """`__Host-` binds the cookie to this host and to TLS; browsers refuse that name on plain http."""
    return "__Host-vigia" if settings.secure_cookies else "vigia"


def token_of(request: Request, settings: Settings) -> str | None:
    """The session's token: a machine's Bearer header, or the browser's cookie, if the request is from our pages."""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("Bearer "):
        return authorization.removeprefix("Bearer ").strip()
    token = request.cookies.get(cookie_name(settings))
    if token and request.method not in SAFE and not is_ours(settings, request.headers):
        raise ForeignOrigin
    return token


# What a wall that a link opened may ask: what it draws, and to say that it lives. All else is refused, whoever reads
# the link's session out of the browser.
WALL_MAY = frozenset(
    {
        *("GET /session", "GET /snapshot", "GET /events", "GET /tiles/{z}/{x}/{y}.mvt"),
        *("GET /walls/own/crisis", "GET /walls/own/numbers", "POST /walls/own/heard"),
    }
)


async def signed_in_or_not(request: Request, session: Session, machines: Machines) -> SignedIn | None:
    """Who is asking, when it is somebody with a living session."""
    token = token_of(request, machines.settings)
    found = await actor_of(session, token) if token else None
    if found is not None and found.standing and not _wall_may(request):
        raise NotAllowed(permission="wall")
    if found is not None and request.method not in SAFE and is_stale(found):
        await keep_alive(session, [found.token_hash])
    return found


def _wall_may(request: Request) -> bool:
    path = str(getattr(request.scope.get("route"), "path", "")).removeprefix("/api/v1")
    return f"{request.method} {path}" in WALL_MAY


MaybeSignedIn = Annotated[SignedIn | None, Depends(signed_in_or_not)]


async def signed_in(found: MaybeSignedIn) -> SignedIn:
    """Who is asking. Raises `NotSignedIn`."""
    if found is None:
        raise NotSignedIn
    return found


async def current_actor(found: Annotated[SignedIn, Depends(signed_in)]) -> Actor:
    """The actor of somebody who signed in."""
    return found.actor


async def anybody(found: MaybeSignedIn) -> Actor:
    """The actor of whoever asks; a neighbour when nobody signed in."""
    return found.actor if found else ANYBODY


Signed = Annotated[SignedIn, Depends(signed_in)]
CurrentActor = Annotated[Actor, Depends(current_actor)]
Anybody = Annotated[Actor, Depends(anybody)]


async def expected_version(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """The version that the client believes in: `If-Match: "7"`."""
    if if_match is None:
        return None
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise BadVersion
    return int(digits)


Expected = Annotated[int | None, Depends(expected_version)]

Doing = Callable[[], Awaitable[dict[str, Any]]]


class Once:
    """Does a creation once per client-made id: `await once(body.id, do)`."""

    def __init__(self, request: Request, session: Session, actor: Anybody) -> None:
        """Bound to one request."""
        self.request, self.session, self.actor = request, session, actor

    async def __call__(self, key: UUID, do: Doing) -> dict[str, Any]:
        """Do it, or answer as the first time. Raises `KeyReused`."""
        asked = {"path": self.request.url.path, "body": await self.request.json()}
        return await answer_once(self.session, self.actor, key, asked, do)


OnceOnly = Annotated[Once, Depends()]
