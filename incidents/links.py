"""Links between incidents: parent and child, related, duplicate; made by hand, undone with a reason, never deleted.

The rows and who may see them are in `bonds.py`; merging and splitting, which move things, in `merging.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import metres as metres_between
from incidents.assignments import live_assignments
from incidents.bonds import EIDO, SAID, UNLINK, Link, LinkKind, shown, tell, visible_to
from incidents.catalogue import catalogue
from incidents.incident import Incident, access_incident, audience_of, nearby, visible_whole_to
from incidents.moments import moment
from realtime.access import Actor, Permission, require
from realtime.database import now
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal, VersionMismatch

FAMILIES = 0x56494749  # the advisory lock under which parents are made: a ring of four is seen from no two of its rows
DEEPEST = 8  # generations; an incident with great-great-grandchildren is a major incident
NEAR_METRES, NEAR_AGE = 1500.0, dt.timedelta(hours=12)


class LinkToItself(Malformed):
    """An incident is not linked to itself."""


class AlreadyLinked(Refusal):
    """{one} and {other} are linked already: undo that link first."""

    status = 409


class HasAParent(Refusal):
    """{incident_code} has a parent already: {parent_code}."""

    status = 409


class ParentOfItself(Refusal):
    """{incident_code} would come to be above itself."""

    status = 409


class TooDeep(Refusal):
    """Parents and children go {deepest} deep at most: open a major incident."""

    status = 409


class AlreadyUndone(Refusal):
    """That link was undone already."""

    status = 409


class MoreThanALink(Refusal):
    """A merge or a split is taken back, not unlinked."""

    status = 409


# ── The way in ────────────────────────────────────────────────────────────────────────────────────


async def access_both(
    session: AsyncSession, actor: Actor, one_id: UUID, other_id: UUID, *, expected: int | None = None
) -> tuple[Incident, Incident]:
    """Two incidents that the actor sees whole, both locked, in the order of their ids; `expected` is of the first."""
    if one_id == other_id:
        raise LinkToItself
    found = {id_: await access_incident(session, actor, id_, lock=True) for id_ in sorted((one_id, other_id))}
    if expected is not None and expected != found[one_id].version:
        raise VersionMismatch(expected=expected, current=found[one_id].version)
    return found[one_id], found[other_id]


async def access_link(session: AsyncSession, actor: Actor, link_id: UUID, *, lock: bool = False) -> Link:
    """The only way to a link: it must exist and the actor see both of its ends whole. Lock the incidents first."""
    query = select(Link).where(Link.id == link_id, visible_to(actor))
    if lock:
        query = query.with_for_update(key_share=True)
    link = (await session.scalars(query.execution_options(populate_existing=True))).first()
    if link is None:
        raise NotFound
    return link


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def link_incidents(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    link_id: UUID,
    other_id: UUID,
    kind: LinkKind,
    other_is_parent: bool = False,
    reason: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Link:
    """Say how two incidents hang together. For `parent` the first is the parent, unless `other_is_parent`.

    Raises `LinkToItself`, `AlreadyLinked`, `HasAParent`, `ParentOfItself`, `TooDeep`.
    """
    require(actor, Permission.INCIDENT_UPDATE)
    at = moment(occurred_at)
    one, other = await access_both(session, actor, incident_id, other_id, expected=expected)
    if kind not in SAID:
        raise MoreThanALink
    if await session.scalar(select(Link.id).where(Link.id == link_id)):
        raise AlreadyExists
    ids = (one.id, other.id)
    held = select(Link.id).where(
        Link.undone_at.is_(None), Link.kind.in_(SAID), Link.from_id.in_(ids), Link.to_id.in_(ids)
    )
    if await session.scalar(held.limit(1)):
        raise AlreadyLinked(one=one.code, other=other.code)
    if kind is LinkKind.PARENT:
        if other_is_parent:
            one, other = other, one
        await _check_family(session, actor, one, other)
    return await make_link(session, actor, link_id, kind, one, other, reason=reason, at=at, on=(one.id, other.id))


async def unlink_incidents(
    session: AsyncSession, actor: Actor, link_id: UUID, *, reason: str = "", occurred_at: dt.datetime | None = None
) -> Link:
    """Undo a link that somebody made by hand. Raises `AlreadyUndone`, `MoreThanALink`."""
    require(actor, Permission.INCIDENT_UPDATE)
    at = moment(occurred_at)
    known = await access_link(session, actor, link_id)
    await access_both(session, actor, known.from_id, known.to_id)
    link = await access_link(session, actor, link_id, lock=True)
    if link.kind not in SAID:
        raise MoreThanALink
    await undo_link(session, actor, link, reason=reason, at=at, on=(link.from_id, link.to_id))
    return link


async def make_link(
    session: AsyncSession,
    actor: Actor,
    link_id: UUID,
    kind: LinkKind,
    one: Incident,
    other: Incident,
    *,
    reason: str,
    at: dt.datetime,
    on: Sequence[UUID | None],
    moved: dict[str, Any] | None = None,
) -> Link:
    """Write down a link between two locked incidents."""
    await session.flush()
    assigned = await live_assignments(session, [one.id, other.id])
    from_eido, to_eido = EIDO[kind]
    link = Link(
        id=link_id,
        kind=kind,
        from_id=one.id,
        to_id=other.id,
        from_code=one.code,
        to_code=other.code,
        from_eido=from_eido,
        to_eido=to_eido,
        reason=reason,
        made_at=at,
        made_by=actor.name,
        moved=moved or {},
        from_audience=sorted(audience_of(one, assigned[one.id])),
        to_audience=sorted(audience_of(other, assigned[other.id])),
        from_on_board=one.on_board,
        to_on_board=other.on_board,
        version=0,
        told_to=[],
    )
    session.add(link)
    await tell(session, actor, "link.made", link, on=on, detail={"eido": [from_eido, to_eido]}, occurred_at=at)
    return link


async def undo_link(
    session: AsyncSession, actor: Actor, link: Link, *, reason: str, at: dt.datetime, on: Sequence[UUID | None]
) -> None:
    """A locked link no longer holds; it stays in the books. Raises `AlreadyUndone`."""
    if link.undone_at is not None:
        raise AlreadyUndone
    link.undone_at, link.undone_by, link.undone_reason = at, actor.name, reason
    await tell(session, actor, "link.undone", link, on=on, detail={"eido": [UNLINK, UNLINK]}, occurred_at=at)


async def _check_family(session: AsyncSession, actor: Actor, parent: Incident, child: Incident) -> None:
    await session.execute(text("SELECT pg_advisory_xact_lock(:families)"), {"families": FAMILIES})
    above = await _parent_of(session, child.id)
    if above is not None:
        seen = await session.scalar(select(Link.from_code).where(Link.id == above.id, visible_to(actor)))
        raise HasAParent(incident_code=child.code, parent_code=seen or "—")
    generations, of = 1, parent.id
    while (link := await _parent_of(session, of)) is not None:
        generations, of = generations + 1, link.from_id
        if of == child.id:
            raise ParentOfItself(incident_code=child.code)
        if generations >= DEEPEST:
            raise TooDeep(deepest=DEEPEST)


async def _parent_of(session: AsyncSession, incident_id: UUID) -> Link | None:
    query = select(Link).where(Link.to_id == incident_id, Link.kind == LinkKind.PARENT, Link.undone_at.is_(None))
    return (await session.scalars(query.execution_options(populate_existing=True))).first()


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def links_of(
    session: AsyncSession, actor: Actor, incident_ids: Sequence[UUID], *, undone: bool = False
) -> Sequence[Link]:
    """The links of these incidents of which the actor sees both ends whole, oldest first; undone ones when asked."""
    whole = select(Incident.id).where(visible_whole_to(actor))
    query = (
        select(Link)
        .where(
            or_(Link.from_id.in_(incident_ids), Link.to_id.in_(incident_ids)),
            Link.from_id.in_(whole),
            Link.to_id.in_(whole),
        )
        .order_by(Link.made_at, Link.id)
        .execution_options(populate_existing=True)
    )
    if not undone:
        query = query.where(Link.undone_at.is_(None))
    return (await session.scalars(query)).all()


async def merged_into(session: AsyncSession, actor: Actor, incident_id: UUID) -> list[Link]:
    """What was merged into an incident, and into that, as far as the actor sees it whole; the nearest first."""
    found: list[Link] = []
    level = [incident_id]
    while level:
        came = [
            link
            for link in await links_of(session, actor, level)
            if link.kind == LinkKind.MERGED and link.to_id in level and link not in found
        ]
        found += came
        level = [link.from_id for link in came]
    return found


async def lineage(session: AsyncSession, actor: Actor, incident_id: UUID) -> list[dict[str, Any]]:
    """What became of what: every merge and split from which this incident comes or which came of it, in order.

    Undone ones are told too, with when and why. What the actor may not see whole is left out, and what lies behind it.
    """
    incident = await access_incident(session, actor, incident_id)
    known, level = {incident.id}, [incident.id]
    found: dict[UUID, Link] = {}
    while level:
        came = {
            link.id: link
            for link in await links_of(session, actor, level, undone=True)
            if link.kind in {LinkKind.MERGED, LinkKind.SPLIT}
        }
        found |= came
        ends = {end for link in came.values() for end in (link.from_id, link.to_id)}
        level = sorted(ends - known)
        known |= ends
    return [shown(link) for link in sorted(found.values(), key=lambda one: (one.made_at, one.id))]


async def near_incidents(session: AsyncSession, actor: Actor, incident_id: UUID) -> list[dict[str, Any]]:
    """Open incidents near this one in place and time, nearest first: what somebody may mean to link or merge.

    Metres in a straight line, seconds from this one's opening to theirs (negative: theirs was before).
    """
    incident = await access_incident(session, actor, incident_id)
    since, until = incident.opened_at - NEAR_AGE, now() + NEAR_AGE
    found = await nearby(session, actor, incident.shape, metres=NEAR_METRES, since=since, until=until, limit=12)
    return [await _beside(session, incident, one, metres) for one, metres in found if one.id != incident.id]


async def incident_by_code(session: AsyncSession, actor: Actor, incident_id: UUID, code: str) -> list[dict[str, Any]]:
    """The incident of that code, or whose number ends so, as `near_incidents` tells of it; open ones first."""
    incident = await access_incident(session, actor, incident_id)
    ending = code.strip().lstrip("#").replace("%", "").replace("_", "")
    query = (
        select(Incident)
        .where(visible_whole_to(actor), Incident.code.like(f"%{ending}"), Incident.id != incident.id)
        .order_by(Incident.closed_at.is_not(None), Incident.opened_at.desc())
        .limit(8)
    )
    found = (await session.scalars(query)).all() if ending else []
    return [await _beside(session, incident, one, metres_between(incident.shape, one.shape)) for one in found]


async def _beside(session: AsyncSession, incident: Incident, one: Incident, metres: float) -> dict[str, Any]:
    kind = (await catalogue(session, one.catalogue_version)).type(one.type_code)
    return {
        "incident_id": str(one.id),
        "code": one.code,
        "type_code": one.type_code,
        "type_name": kind.name,
        "same_type": one.type_code == incident.type_code,
        "place": one.place,
        "state": one.state,
        "reports": one.reports,
        "metres": round(metres),
        "seconds": round((one.opened_at - incident.opened_at).total_seconds()),
    }
