"""Bonds: what hangs on incidents and is as secret as they are: links between two, and places in major incidents.

Each row keeps the keys of the incidents at its ends, and `follow` brings them up to date in the transaction that
changes an incident: a link is known to those who see both ends whole, and to nobody else, not even as a number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, SmallInteger, Text, and_, false, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import OPERATIONS, VIGIA, Actor, Audience, Face, Faces, Role, face_for
from realtime.database import Base
from realtime.journal import Told, record


class LinkKind(StrEnum):
    """How two incidents hang together: `from` is the parent, the duplicate that was merged, or what was split."""

    PARENT = "parent"
    RELATED = "related"
    DUPLICATE = "duplicate"
    MERGED = "merged"
    SPLIT = "split"


SAID = frozenset({LinkKind.PARENT, LinkKind.RELATED, LinkKind.DUPLICATE})  # a person says so, and nothing moves

# EIDO's codes, as each end's document carries them: what the other is to it, or what became of it.
EIDO: dict[LinkKind, tuple[str, str]] = {
    LinkKind.PARENT: ("CHILD", "PARENT"),
    LinkKind.RELATED: ("RELATED", "RELATED"),
    LinkKind.DUPLICATE: ("RELATED", "RELATED"),
    LinkKind.MERGED: ("REPLACED", "REPLACING"),
    LinkKind.SPLIT: ("SPLIT", "SPLIT"),
}
UNLINK = "UNLINK"  # what both ends carry once a link is undone


class Link(Told, Base):
    """One link. Undone it stays in the books; `moved` is what a merge or split took along, so that it can go back."""

    __tablename__ = "incident_links"
    __table_args__ = (
        Index("ix_incident_links_from_id", "from_id"),
        Index("ix_incident_links_to_id", "to_id"),
        Index(
            "one_live_parent_per_incident",
            "to_id",
            unique=True,
            postgresql_where=text("kind = 'parent' AND undone_at IS NULL"),
        ),
        Index(
            "one_live_merge_per_incident",
            "from_id",
            unique=True,
            postgresql_where=text("kind = 'merged' AND undone_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[LinkKind] = mapped_column(Text)
    from_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id"))
    to_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id"))
    from_code: Mapped[str] = mapped_column(Text)
    to_code: Mapped[str] = mapped_column(Text)
    from_eido: Mapped[str] = mapped_column(Text)
    to_eido: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    made_at: Mapped[dt.datetime]
    made_by: Mapped[str] = mapped_column(Text)
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str | None] = mapped_column(Text)
    undone_reason: Mapped[str | None] = mapped_column(Text)
    moved: Mapped[dict[str, Any]] = mapped_column(default=dict)
    from_audience: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    to_audience: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    audience: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    from_on_board: Mapped[bool] = mapped_column(default=True)
    to_on_board: Mapped[bool] = mapped_column(default=True)

    @property
    def subject(self) -> str:
        """`link:<id>`."""
        return f"link:{self.id}"

    @property
    def on_board(self) -> bool:
        """Shown while it holds and either end is where people look."""
        return self.undone_at is None and (self.from_on_board or self.to_on_board)

    def other(self, incident_id: UUID) -> UUID:
        """The incident at the other end."""
        return self.to_id if incident_id == self.from_id else self.from_id


class MajorMember(Told, Base):
    """An incident's place in a major incident, from when until when. `on_board` while the major incident is open."""

    __tablename__ = "major_members"
    __table_args__ = (
        Index("ix_major_members_incident_id", "incident_id"),
        Index(
            "one_live_place_per_incident",
            "incident_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL AND on_board"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    major_id: Mapped[UUID] = mapped_column(ForeignKey("majors.id"), index=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id"))
    incident_code: Mapped[str] = mapped_column(Text)
    sector_id: Mapped[UUID | None] = mapped_column(ForeignKey("major_sectors.id"))
    sensitivity: Mapped[int] = mapped_column(SmallInteger)
    on_board: Mapped[bool] = mapped_column(default=True)
    added_at: Mapped[dt.datetime]
    added_by: Mapped[str] = mapped_column(Text)
    added_reason: Mapped[str] = mapped_column(Text, default="")
    removed_at: Mapped[dt.datetime | None]
    removed_by: Mapped[str | None] = mapped_column(Text)
    removed_reason: Mapped[str | None] = mapped_column(Text)

    @property
    def subject(self) -> str:
        """`member:<id>`."""
        return f"member:{self.id}"


# ── Who may see: for one row, and for a query. A test asks both about every actor ─────────────────

_BY_LEVEL = ("ops", "government")  # who holds a key for each level up to his own


def shared_audience(one: Collection[str], other: Collection[str]) -> Audience:
    """Those who hold a key of each: levels are nested, so the higher one counts; other keys must be in both."""
    both = {key for key in one if key in other and key.partition(":")[0] not in _BY_LEVEL}
    for kind in _BY_LEVEL:
        levels = [[int(key.partition(":")[2]) for key in keys if key.startswith(f"{kind}:")] for keys in (one, other)]
        if all(levels):
            both.add(f"{kind}:{max(min(levels[0]), min(levels[1]))}")
    return frozenset(both)


def audience_of(link: Link) -> Audience:
    """Those who see both incidents whole."""
    return shared_audience(link.from_audience, link.to_audience)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query: the links of which `actor` sees both ends whole."""
    return true() if actor.role is Role.SYSTEM else Link.audience.overlap(sorted(actor.keys))


def faces_of(link: Link) -> Faces:
    """How a link shows itself: whole, or not at all."""
    return (Face(audience_of(link), _feature(shown(link))),) if link.on_board else ()


def shown(link: Link) -> dict[str, Any]:
    """A link as those see it who may: both ends, `from` first, each with the code that its EIDO document carries."""
    undone = link.undone_at is not None
    return {
        "subject": link.subject,
        "id": str(link.id),
        "version": link.version,
        "kind": link.kind,
        "from": {"id": str(link.from_id), "code": link.from_code, "eido": UNLINK if undone else link.from_eido},
        "to": {"id": str(link.to_id), "code": link.to_code, "eido": UNLINK if undone else link.to_eido},
        "reason": link.reason,
        "made_at": link.made_at.isoformat(),
        "made_by": link.made_by,
        "undone": {"at": link.undone_at.isoformat(), "by": link.undone_by, "reason": link.undone_reason}
        if link.undone_at
        else None,
    }


def members_visible_to(actor: Actor) -> ColumnElement[bool]:
    """The places in major incidents that `actor` sees: operations and government, as far as they see the incident."""
    if actor.role is Role.SYSTEM:
        return true()
    if actor.role in OPERATIONS | {Role.GOVERNMENT}:
        return MajorMember.sensitivity <= actor.reach
    return false()


def faces_of_member(member: MajorMember) -> Faces:
    """How an incident's place in a major incident shows itself: whole, or not at all."""
    if not member.on_board or member.removed_at is not None:
        return ()
    audience = frozenset(f"{kind}:{member.sensitivity}" for kind in _BY_LEVEL)
    properties = {
        "subject": member.subject,
        "id": str(member.id),
        "version": member.version,
        "major_id": str(member.major_id),
        "incident_id": str(member.incident_id),
        "code": member.incident_code,
        "sector_id": str(member.sector_id) if member.sector_id else None,
        "added_at": member.added_at.isoformat(),
        "added_by": member.added_by,
    }
    return (Face(audience, _feature(properties)),)


def _feature(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": None, "properties": properties}


# ── Telling ───────────────────────────────────────────────────────────────────────────────────────


async def tell(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    link: Link,
    *,
    on: Sequence[UUID | None] = (None,),
    detail: dict[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record a fact about a locked link, once for each incident `on` whose timeline it stands."""
    link.audience = sorted(audience_of(link))
    for incident_id in on:
        link.version += 1
        faces = faces_of(link)
        known = {"link_id": str(link.id), "link": link.kind} | (detail or {})
        await record(session, actor, kind, link, faces, incident_id=incident_id, detail=known, occurred_at=occurred_at)


async def tell_of_member(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    member: MajorMember,
    *,
    on_timeline: bool = True,
    detail: dict[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record a fact about a locked place in a major incident."""
    member.version += 1
    on = member.incident_id if on_timeline else None
    known = {"major_id": str(member.major_id)} | (detail or {})
    faces = faces_of_member(member)
    await record(session, actor, kind, member, faces, incident_id=on, detail=known, occurred_at=occurred_at)


async def follow(
    session: AsyncSession, incident_id: UUID, audience: Audience, *, sensitivity: int, on_board: bool
) -> None:
    """Tell again what hangs on a locked incident, when others may know it from now on, or it left the board."""
    keys = sorted(audience)
    links = (
        select(Link)
        .where(
            Link.undone_at.is_(None),
            or_(
                and_(Link.from_id == incident_id, or_(Link.from_audience != keys, Link.from_on_board != on_board)),
                and_(Link.to_id == incident_id, or_(Link.to_audience != keys, Link.to_on_board != on_board)),
            ),
        )
        .order_by(Link.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for link in (await session.scalars(links)).all():
        if link.from_id == incident_id:
            link.from_audience, link.from_on_board = keys, on_board
        else:
            link.to_audience, link.to_on_board = keys, on_board
        await tell(session, VIGIA, "link.retold", link)
    members = (
        select(MajorMember)
        .where(
            MajorMember.incident_id == incident_id,
            MajorMember.removed_at.is_(None),
            MajorMember.sensitivity != sensitivity,
        )
        .order_by(MajorMember.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for member in (await session.scalars(members)).all():
        member.sensitivity = sensitivity
        await tell_of_member(session, VIGIA, "major.member_retold", member, on_timeline=False)


# ── Boards ────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the links that hold and that `actor` sees (of `ids`, when given)."""
    query = (
        select(Link)
        .where(Link.undone_at.is_(None), or_(Link.from_on_board, Link.to_on_board), visible_to(actor))
        .execution_options(populate_existing=True)
    )
    if ids is not None:
        query = query.where(Link.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(link)) for link in await session.scalars(query)]
    return [face for face in faces if face is not None]


async def board_of_members(
    session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None
) -> list[dict[str, Any]]:
    """The features of the places in open major incidents that `actor` sees (of `ids`, when given)."""
    query = (
        select(MajorMember)
        .where(MajorMember.on_board, MajorMember.removed_at.is_(None), members_visible_to(actor))
        .execution_options(populate_existing=True)
    )
    if ids is not None:
        query = query.where(MajorMember.id.in_(ids))
    faces = [face_for(actor.keys, faces_of_member(member)) for member in await session.scalars(query)]
    return [face for face in faces if face is not None]
