"""Walls: screens of the room that nobody sits at. A link opens one, a console steers it, it says that it lives.

A wall is an account of its own (role `wall`) without a password: its session is like any other, so the hub's watch over
sessions ends it within two seconds. What opens that session is a token, told once and kept as a hash. What the wall
shall show is a live row that only operations and that wall see; what it says of itself (`heard`) is no fact and is
only written over, except that a wall fell silent or came back, which the room is told.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely.geometry import Point
from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, LargeBinary, Text, delete, false, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import geojson, point
from realtime.access import (
    OPERATIONS,
    VIGIA,
    Actor,
    Audience,
    Face,
    Faces,
    Permission,
    Role,
    face_for,
    require,
    screen_key,
)
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal
from realtime.journal import Told, record
from resources.organizations import Organization, municipality
from resources.people import Person, actor_for
from resources.sign_in import SignedIn, SignIn, hash_of

SILENT = dt.timedelta(seconds=30)  # without a sign of life it is dark, or its page is
NO_PASSWORD = "!"  # noqa: S105  no hash: nobody signs in with a password as a wall


class WallView(StrEnum):
    """What a wall can show."""

    SITUATION = "situation"
    BOARD = "board"
    CRISIS = "crisis"
    ROTATION = "rotation"


class WrongWallToken(Refusal):
    """This wall's link is wrong or no longer valid: ask a supervisor for a new one."""

    status = 401


class NotOnThisWall(Refusal):
    """This wall may not show that view."""

    status = 409


class CrisisNeedsSubject(Malformed):
    """Choose what the crisis view is about first."""


class NoViews(Malformed):
    """A wall shows one view at least."""


class Wall(Told, Base):
    """One wall; its id is its account's. Without `token_hash` it is revoked.

    `subject` is what the crisis view is about. `lon`, `lat` and `zoom` are null while the map shows the whole city;
    `brightness` (0.2 to 1) while it follows the hour. `reloads` counts: a wall that reads a higher number than it began
    with loads its page anew. `inches` is the panel's diagonal and `metres` how far the farthest seat is.
    """

    __tablename__ = "walls"
    __table_args__ = (
        CheckConstraint("inches BETWEEN 10 AND 300", name="inches"),
        CheckConstraint("metres BETWEEN 0.5 AND 40", name="metres"),
        CheckConstraint("brightness BETWEEN 0.2 AND 1", name="brightness"),
        CheckConstraint("zoom BETWEEN 3 AND 20", name="zoom"),
        CheckConstraint("lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90", name="centre"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    views: Mapped[list[str]] = mapped_column(ARRAY(Text))
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    token_at: Mapped[dt.datetime | None]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    made_by: Mapped[str] = mapped_column(Text)
    view: Mapped[WallView] = mapped_column(Text)
    about: Mapped[str | None] = mapped_column(Text)
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    zoom: Mapped[float | None]
    brightness: Mapped[float | None]
    reloads: Mapped[int] = mapped_column(default=0)
    inches: Mapped[float] = mapped_column(default=55.0)
    metres: Mapped[float] = mapped_column(default=5.0)
    ruler: Mapped[bool] = mapped_column(default=False)
    heard_at: Mapped[dt.datetime | None]
    heard: Mapped[dict[str, Any]] = mapped_column(default=dict)
    silent: Mapped[bool] = mapped_column(default=False)

    @property
    def centre(self) -> Point | None:
        """Where the map looks, if not at the whole city."""
        return None if self.lon is None or self.lat is None else point(self.lon, self.lat)

    @property
    def subject(self) -> str:
        """`wall:<id>`."""
        return f"wall:{self.id}"


def audience_of(wall: Wall) -> Audience:
    """The room, and the wall itself."""
    return frozenset({"ops:0", screen_key(wall.id)})


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same for queries."""
    if actor.role in OPERATIONS | {Role.SYSTEM}:
        return true()
    return Wall.id == actor.id if actor.role is Role.WALL else false()


def faces_of(wall: Wall) -> Faces:
    """What it shall show, and whether it lives."""
    properties = {
        "subject": wall.subject,
        "id": str(wall.id),
        "version": wall.version,
        "name": wall.name,
        "views": wall.views,
        "view": wall.view,
        "about": wall.about,
        "zoom": wall.zoom,
        "brightness": wall.brightness,
        "reloads": wall.reloads,
        "inches": wall.inches,
        "metres": wall.metres,
        "ruler": wall.ruler,
        "revoked": wall.token_hash is None,
        "silent": wall.silent,
    }
    geometry = geojson(wall.centre) if wall.centre else None
    return (Face(audience_of(wall), {"type": "Feature", "geometry": geometry, "properties": properties}),)


async def access_wall(session: AsyncSession, actor: Actor, wall_id: UUID, *, lock: bool = False) -> Wall:
    """The only way to a wall. Raises `NotFound`."""
    query = select(Wall).where(Wall.id == wall_id, visible_to(actor))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    wall = (await session.scalars(query)).first()
    if wall is None:
        raise NotFound
    return wall


# ── Tokens ────────────────────────────────────────────────────────────────────────────────────────


async def make_wall(
    session: AsyncSession, actor: Actor, wall_id: UUID, *, name: str, views: Sequence[WallView] = tuple(WallView)
) -> Wall:
    """A wall without a link yet: `renew_wall` gives it one. Raises `AlreadyExists`, `NoViews`."""
    require(actor, Permission.WALL_MANAGE)
    city = await municipality(session)
    if city is None:
        raise NotFound
    if await session.get(Person, wall_id) is not None:
        raise AlreadyExists
    person = Person(
        id=wall_id,
        username=f"pared-{wall_id.hex}",
        name=name,
        password_hash=NO_PASSWORD,
        role=Role.WALL,
        organization_id=city.id,
        clearance=0,
    )
    session.add(person)
    await session.flush()
    allowed = _in_order(views)
    wall = Wall(
        id=wall_id,
        name=name,
        views=allowed,
        made_by=actor.name,
        view=WallView(allowed[0]),
        reloads=0,
        inches=55.0,
        metres=5.0,
        ruler=False,
        silent=False,
        heard={},
        version=0,
        told_to=[],
    )
    session.add(wall)
    await _tell(session, actor, "wall.made", wall, {"views": allowed})
    return wall


async def renew_wall(session: AsyncSession, actor: Actor, wall_id: UUID) -> tuple[str, Wall]:
    """A new token, told here and nowhere else. The former is void, and whoever came in with it is out."""
    require(actor, Permission.WALL_MANAGE)
    wall = await access_wall(session, actor, wall_id, lock=True)
    token = secrets.token_urlsafe(32)
    wall.token_hash, wall.token_at = hash_of(token), now()
    await _end_sessions(session, wall)
    await _tell(session, actor, "wall.renewed", wall)
    return token, wall


async def revoke_wall(session: AsyncSession, actor: Actor, wall_id: UUID) -> Wall:
    """Its link is void and its screen is out within two seconds."""
    require(actor, Permission.WALL_MANAGE)
    wall = await access_wall(session, actor, wall_id, lock=True)
    if wall.token_hash is not None:
        wall.token_hash = wall.token_at = wall.heard_at = None
        wall.silent = False
        await _end_sessions(session, wall)
        await _tell(session, actor, "wall.revoked", wall)
    return wall


async def amend_wall(
    session: AsyncSession,
    actor: Actor,
    wall_id: UUID,
    *,
    name: str | None = None,
    views: Sequence[WallView] | None = None,
) -> Wall:
    """Another name, or other views that it may show."""
    require(actor, Permission.WALL_MANAGE)
    wall = await access_wall(session, actor, wall_id, lock=True)
    if name is not None:
        wall.name = name
        (await session.get_one(Person, wall.id)).name = name
    if views is not None:
        wall.views = _in_order(views)
        if wall.view not in wall.views:
            wall.view = WallView(wall.views[0])
    await _tell(session, actor, "wall.amended", wall)
    return wall


async def open_wall(session: AsyncSession, token: str, *, user_agent: str = "") -> tuple[str, SignedIn]:
    """A session for whoever shows the token: its own token, and who it is. Raises `WrongWallToken`."""
    wall = (await session.scalars(select(Wall).where(Wall.token_hash == hash_of(token)))).first()
    person = await session.get(Person, wall.id) if wall is not None else None
    if person is None or person.disabled_at is not None:
        raise WrongWallToken
    organization = await session.get_one(Organization, person.organization_id)
    opened = secrets.token_urlsafe(32)
    row = SignIn(token_hash=hash_of(opened), person_id=person.id, user_agent=user_agent[:200], standing=True)
    session.add(row)
    await session.flush()
    return opened, SignedIn(
        row.token_hash, actor_for(person, organization), person, organization, row.last_seen_at, standing=True
    )


async def _end_sessions(session: AsyncSession, wall: Wall) -> None:
    await session.execute(delete(SignIn).where(SignIn.person_id == wall.id))


def _in_order(views: Sequence[WallView]) -> list[str]:
    allowed = [view.value for view in WallView if view in views]
    if not allowed:
        raise NoViews
    return allowed


# ── Steering ──────────────────────────────────────────────────────────────────────────────────────


async def show_on_wall(
    session: AsyncSession, actor: Actor, wall_id: UUID, *, view: WallView, about: str | None = None
) -> Wall:
    """Show a view; the crisis view is about `incident:<id>` or `major:<id>`, its last one where none is named.

    Whether the wall may know of it is for the caller to ask: this floor knows no incidents.
    """
    require(actor, Permission.WALL_STEER)
    wall = await access_wall(session, actor, wall_id, lock=True)
    if view not in wall.views:
        raise NotOnThisWall
    if view is WallView.CRISIS and not (about or wall.about):
        raise CrisisNeedsSubject
    wall.view = view
    wall.about = about or wall.about
    wall.ruler = False
    await _tell(session, actor, "wall.shown", wall, {"view": view.value, "about": wall.about})
    return wall


async def centre_wall(
    session: AsyncSession, actor: Actor, wall_id: UUID, *, centre: Point | None, zoom: float | None = None
) -> Wall:
    """Look there with the map, or at the whole city again."""
    require(actor, Permission.WALL_STEER)
    wall = await access_wall(session, actor, wall_id, lock=True)
    wall.lon, wall.lat = (centre.x, centre.y) if centre is not None else (None, None)
    wall.zoom = zoom if centre is not None else None
    await _tell(session, actor, "wall.centred", wall)
    return wall


async def brighten_wall(session: AsyncSession, actor: Actor, wall_id: UUID, *, brightness: float | None) -> Wall:
    """Brightness from 0.2 to 1, or None to follow the hour."""
    require(actor, Permission.WALL_STEER)
    wall = await access_wall(session, actor, wall_id, lock=True)
    wall.brightness = brightness
    await _tell(session, actor, "wall.brightened", wall)
    return wall


async def reload_wall(session: AsyncSession, actor: Actor, wall_id: UUID) -> Wall:
    """Load its page anew."""
    require(actor, Permission.WALL_STEER)
    wall = await access_wall(session, actor, wall_id, lock=True)
    wall.reloads += 1
    await _tell(session, actor, "wall.reloaded", wall)
    return wall


async def calibrate_wall(
    session: AsyncSession,
    actor: Actor,
    wall_id: UUID,
    *,
    ruler: bool,
    inches: float | None = None,
    metres: float | None = None,
) -> Wall:
    """The panel's diagonal in inches, the farthest seat in metres; `ruler` shows the line that is measured."""
    require(actor, Permission.WALL_STEER)
    wall = await access_wall(session, actor, wall_id, lock=True)
    wall.ruler = ruler
    wall.inches = wall.inches if inches is None else inches
    wall.metres = wall.metres if metres is None else metres
    await _tell(session, actor, "wall.calibrated", wall, {"inches": wall.inches, "metres": wall.metres})
    return wall


async def _tell(
    session: AsyncSession, actor: Actor, kind: str, wall: Wall, detail: Mapping[str, Any] | None = None
) -> None:
    wall.version += 1
    await record(session, actor, kind, wall, faces_of(wall), detail=dict(detail or {}))


# ── Signs of life ─────────────────────────────────────────────────────────────────────────────────


async def hear_wall(session: AsyncSession, wall_id: UUID, said: Mapping[str, Any]) -> Wall:
    """A wall says that it lives, and how. Only a wall that was silent is news."""
    wall = await access_wall(session, VIGIA, wall_id, lock=True)
    wall.heard_at, wall.heard = now(), dict(said)
    if wall.silent:
        wall.silent = False
        await _tell(session, VIGIA, "wall.back", wall)
    return wall


async def watch_walls(session: AsyncSession) -> None:
    """Tell the room of walls that have not been heard for `SILENT`."""
    quiet = select(Wall).where(~Wall.silent, Wall.token_hash.is_not(None), Wall.heard_at < now() - SILENT)
    for wall in await session.scalars(quiet.order_by(Wall.id).with_for_update(skip_locked=True, key_share=True)):
        wall.silent = True
        await _tell(session, VIGIA, "wall.silent", wall)


# ── What is shown ─────────────────────────────────────────────────────────────────────────────────


async def all_walls(session: AsyncSession, actor: Actor) -> list[dict[str, Any]]:
    """Every wall with what it last said of itself, by name."""
    require(actor, Permission.WALL_STEER)
    walls = await session.scalars(select(Wall).where(visible_to(actor)).order_by(Wall.name, Wall.id))
    return [wall_document(wall) for wall in walls]


def wall_document(wall: Wall) -> dict[str, Any]:
    """A wall as the API answers it."""
    [face] = faces_of(wall)
    properties: dict[str, Any] = face.feature["properties"]
    return properties | {
        "centre": [wall.lon, wall.lat] if wall.centre else None,
        "heard_at": wall.heard_at.isoformat() if wall.heard_at else None,
        "heard": wall.heard,
        "token_at": wall.token_at.isoformat() if wall.token_at else None,
        "made_by": wall.made_by,
    }


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The walls (of these ids, when given) as `actor` sees them."""
    query = select(Wall).where(visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Wall.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(one)) for one in await session.scalars(query.order_by(Wall.id))]
    return [face for face in faces if face is not None]
