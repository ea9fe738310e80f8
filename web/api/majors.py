"""Major incidents over HTTP: opening and closing, their incidents, sectors, posts, objectives, log and resources."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from incidents.bonds import MajorMember
from incidents.major_log import MOST, log_of, strike_entry, write_entry
from incidents.majors import (
    MOST_AT_ONCE,
    Major,
    MajorKind,
    MajorRole,
    SectorColour,
    access_major,
    add_incidents,
    add_sector,
    amend_major,
    amend_sector,
    close_major,
    end_sector,
    feature,
    give_post,
    leave_post,
    listed,
    mark_objective,
    members,
    open_major,
    place_incident,
    posts,
    proposed,
    remove_incident,
    reopen_major,
    resource_board,
    set_objective,
    set_perimeter,
)
from realtime.database import now
from web.bodies import Body, Code, MajorArea, Name, NewId, Short, Text, When, Words
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(prefix="/majors", tags=["major incidents"])

Level = Annotated[int, Field(strict=True, ge=1, le=3)]
Secrecy = Annotated[int, Field(strict=True, ge=0, le=3)]


class Which(StrEnum):
    """Which major incidents a list holds."""

    OPEN = "open"
    CLOSED = "closed"


class MajorBody(Body):
    """A new major incident."""

    id: NewId
    name: Name
    kind: MajorKind
    level: Level = 1
    sensitivity: Secrecy = 1
    summary: Text = ""
    place: Short = ""
    perimeter: MajorArea | None = None
    occurred_at: When | None = None


class NameBody(Body):
    """Another name."""

    name: Name


class LevelBody(Body):
    """Another level: 1 local, 2 all the city, 3 beyond it."""

    level: Level


class SummaryBody(Body):
    """How it stands, in a few words."""

    summary: Text


class PlaceBody(Body):
    """Where, in words."""

    place: Short


class PerimeterBody(Body):
    """Its perimeter; null: none."""

    perimeter: MajorArea | None


class CloseBody(Body):
    """How it ended; `with_open` when incidents of it go on by themselves."""

    outcome: Name
    with_open: bool = False
    occurred_at: When | None = None


class ReasonBody(Body):
    """Why."""

    reason: Name
    occurred_at: When | None = None


class AddBody(Body):
    """Which incidents come under its command."""

    id: NewId
    incident_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]
    sector_id: UUID | None = None
    reason: Short = ""
    occurred_at: When | None = None


class PutBody(Body):
    """Into which sector; null: none."""

    sector_id: UUID | None


class SectorBody(Body):
    """A new sector."""

    id: NewId
    name: Name
    colour: SectorColour
    lead: Short = ""
    shape: MajorArea | None = None


class SectorNameBody(Body):
    """Another name of a sector."""

    name: Name


class ColourBody(Body):
    """Another colour."""

    colour: SectorColour


class LeadBody(Body):
    """Who leads it; empty: nobody."""

    lead: Short


class ShapeBody(Body):
    """Its area."""

    shape: MajorArea


class PostBody(Body):
    """Who takes a post: an account's person, or somebody by name and organization."""

    id: NewId
    role: MajorRole
    person_id: UUID | None = None
    holder: Short = ""
    organization: Short = ""
    occurred_at: When | None = None


class LeaveBody(Body):
    """Which post nobody holds from then on."""

    role: MajorRole
    occurred_at: When | None = None


class ObjectiveBody(Body):
    """What is to be reached, from when until when."""

    id: NewId
    text: Words
    period_from: When
    period_until: When


class MarkBody(Body):
    """Whether it is reached, or given up."""

    reached: bool
    dropped: bool = False
    occurred_at: When | None = None


class EntryBody(Body):
    """An entry of the log; about an incident, or beside a line of its timeline, where one is named."""

    id: NewId
    text: Words
    incident_id: UUID | None = None
    quotes: Annotated[int, Field(strict=True, ge=1, le=2**62)] | None = None
    occurred_at: When | None = None


class StrikeBody(Body):
    """Why an entry is crossed out."""

    reason: Name


@router.post("", status_code=201)
async def post_major(body: MajorBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Declare a major incident."""

    async def do() -> dict[str, Any]:
        opened = await open_major(
            session,
            actor,
            body.id,
            name=body.name,
            kind=body.kind,
            level=body.level,
            sensitivity=body.sensitivity,
            summary=body.summary,
            place=body.place,
            perimeter=body.perimeter,
            occurred_at=body.occurred_at,
        )
        return await feature(session, opened)

    return await once(body.id, do)


@router.get("")
async def get_majors(
    session: Session,
    actor: CurrentActor,
    state: Which = Which.OPEN,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Major incidents, newest first."""
    return {"features": await listed(session, actor, closed=state is Which.CLOSED, limit=limit)}


@router.get("/{major_id}")
async def get_major(major_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """One, also when it is closed."""
    return await feature(session, await access_major(session, actor, major_id))


@router.post("/{major_id}/name")
async def post_name(
    major_id: UUID, body: NameBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another name."""
    return await feature(session, await amend_major(session, actor, major_id, name=body.name, expected=expected))


@router.post("/{major_id}/level")
async def post_level(
    major_id: UUID, body: LevelBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another level."""
    return await feature(session, await amend_major(session, actor, major_id, level=body.level, expected=expected))


@router.post("/{major_id}/summary")
async def post_summary(
    major_id: UUID, body: SummaryBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """How it stands."""
    return await feature(session, await amend_major(session, actor, major_id, summary=body.summary, expected=expected))


@router.post("/{major_id}/place")
async def post_place(
    major_id: UUID, body: PlaceBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Where it is."""
    return await feature(session, await amend_major(session, actor, major_id, place=body.place, expected=expected))


@router.post("/{major_id}/perimeter")
async def post_perimeter(
    major_id: UUID, body: PerimeterBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Draw its perimeter, or take it away."""
    drawn = await set_perimeter(session, actor, major_id, shape=body.perimeter, expected=expected)
    return await feature(session, drawn)


@router.post("/{major_id}/close")
async def post_close(
    major_id: UUID, body: CloseBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It is over; refused while incidents of it are open, unless they are to go on by themselves."""
    closed = await close_major(
        session,
        actor,
        major_id,
        outcome=body.outcome,
        with_open=body.with_open,
        occurred_at=body.occurred_at,
        expected=expected,
    )
    return await feature(session, closed)


@router.post("/{major_id}/reopen")
async def post_reopen(major_id: UUID, body: ReasonBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """It was not over."""
    opened = await reopen_major(session, actor, major_id, reason=body.reason, occurred_at=body.occurred_at)
    return await feature(session, opened)


@router.get("/{major_id}/incidents")
async def get_incidents(major_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Which incidents are, or were, its own, as far as you see each whole."""
    return {"incidents": await members(session, actor, major_id)}


@router.get("/{major_id}/proposed")
async def get_proposed(
    major_id: UUID,
    session: Session,
    actor: CurrentActor,
    types: Annotated[list[Code] | None, Query(max_length=50)] = None,
) -> dict[str, Any]:
    """Open incidents within its perimeter, of these types or groups of types, that are in no major incident."""
    return {"incidents": await proposed(session, actor, major_id, types=types or ())}


@router.post("/{major_id}/incidents", status_code=201)
async def post_incidents(
    major_id: UUID, body: AddBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Put incidents under its command."""

    async def do() -> dict[str, Any]:
        added = await add_incidents(
            session,
            actor,
            major_id,
            incident_ids=body.incident_ids,
            sector_id=body.sector_id,
            reason=body.reason,
            occurred_at=body.occurred_at,
        )
        return {"added": [_place(one) for one in added]}

    return await once(body.id, do)


@router.post("/{major_id}/incidents/{incident_id}/remove")
async def post_remove(
    major_id: UUID, incident_id: UUID, body: ReasonBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Take one out from under its command."""
    removed = await remove_incident(
        session, actor, major_id, incident_id=incident_id, reason=body.reason, occurred_at=body.occurred_at
    )
    return _place(removed)


@router.post("/{major_id}/incidents/{incident_id}/sector")
async def post_put(
    major_id: UUID, incident_id: UUID, body: PutBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Put one, and the units on it, into a sector."""
    put = await place_incident(session, actor, major_id, incident_id=incident_id, sector_id=body.sector_id)
    return _place(put)


@router.post("/{major_id}/sectors", status_code=201)
async def post_sector(
    major_id: UUID, body: SectorBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Divide it further."""

    async def do() -> dict[str, Any]:
        divided = await add_sector(
            session,
            actor,
            major_id,
            sector_id=body.id,
            name=body.name,
            colour=body.colour,
            lead=body.lead,
            shape=body.shape,
        )
        return await feature(session, divided)

    return await once(body.id, do)


@router.post("/{major_id}/sectors/{sector_id}/name")
async def post_sector_name(
    major_id: UUID, sector_id: UUID, body: SectorNameBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Another name of a sector."""
    amended = await amend_sector(session, actor, major_id, sector_id=sector_id, name=body.name)
    return await feature(session, amended)


@router.post("/{major_id}/sectors/{sector_id}/colour")
async def post_sector_colour(
    major_id: UUID, sector_id: UUID, body: ColourBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Another colour of a sector."""
    amended = await amend_sector(session, actor, major_id, sector_id=sector_id, colour=body.colour)
    return await feature(session, amended)


@router.post("/{major_id}/sectors/{sector_id}/lead")
async def post_sector_lead(
    major_id: UUID, sector_id: UUID, body: LeadBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Who leads a sector."""
    return await feature(session, await amend_sector(session, actor, major_id, sector_id=sector_id, lead=body.lead))


@router.post("/{major_id}/sectors/{sector_id}/shape")
async def post_sector_shape(
    major_id: UUID, sector_id: UUID, body: ShapeBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """The area of a sector."""
    return await feature(session, await amend_sector(session, actor, major_id, sector_id=sector_id, shape=body.shape))


@router.post("/{major_id}/sectors/{sector_id}/end")
async def post_sector_end(major_id: UUID, sector_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Give a sector up."""
    return await feature(session, await end_sector(session, actor, major_id, sector_id=sector_id))


@router.get("/{major_id}/posts")
async def get_posts(major_id: UUID, session: Session, actor: CurrentActor, at: When | None = None) -> dict[str, Any]:
    """Who held which post: everybody ever, or those who did at a moment."""
    return {"posts": await posts(session, actor, major_id, at=at)}


@router.post("/{major_id}/posts", status_code=201)
async def post_post(
    major_id: UUID, body: PostBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Hand a post over."""

    async def do() -> dict[str, Any]:
        given: Major = await give_post(
            session,
            actor,
            major_id,
            role=body.role,
            post_id=body.id,
            person_id=body.person_id,
            holder=body.holder,
            organization=body.organization,
            occurred_at=body.occurred_at,
        )
        return await feature(session, given)

    return await once(body.id, do)


@router.post("/{major_id}/posts/leave")
async def post_leave(major_id: UUID, body: LeaveBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Nobody holds it any longer."""
    left = await leave_post(session, actor, major_id, role=body.role, occurred_at=body.occurred_at)
    return await feature(session, left)


@router.post("/{major_id}/objectives", status_code=201)
async def post_objective(
    major_id: UUID, body: ObjectiveBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Set an objective for a period."""

    async def do() -> dict[str, Any]:
        major = await set_objective(
            session,
            actor,
            major_id,
            objective_id=body.id,
            text=body.text,
            period_from=body.period_from,
            period_until=body.period_until,
        )
        return await feature(session, major)

    return await once(body.id, do)


@router.post("/{major_id}/objectives/{objective_id}")
async def post_mark(
    major_id: UUID, objective_id: UUID, body: MarkBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Say that an objective is reached, or not after all, or given up."""
    major = await mark_objective(
        session,
        actor,
        major_id,
        objective_id=objective_id,
        reached=body.reached,
        dropped=body.dropped,
        occurred_at=body.occurred_at,
    )
    return await feature(session, major)


@router.get("/{major_id}/log")
async def get_log(
    major_id: UUID,
    session: Session,
    actor: CurrentActor,
    before: When | None = None,
    by_hand: bool = False,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
) -> dict[str, Any]:
    """Its log, oldest first: what people wrote, what was decided, what happened on its incidents."""
    return {"lines": await log_of(session, actor, major_id, before=before, limit=limit, by_hand=by_hand)}


@router.post("/{major_id}/log", status_code=201)
async def post_entry(
    major_id: UUID, body: EntryBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Write into its log."""

    async def do() -> dict[str, Any]:
        entry = await write_entry(
            session,
            actor,
            major_id,
            entry_id=body.id,
            text=body.text,
            incident_id=body.incident_id,
            quotes=body.quotes,
            occurred_at=body.occurred_at,
        )
        return {"id": str(entry.id), "at": entry.at.isoformat()}

    return await once(body.id, do)


@router.post("/{major_id}/log/{entry_id}/strike")
async def post_strike(
    major_id: UUID, entry_id: UUID, body: StrikeBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """Cross an entry out; its text stays."""
    struck = await strike_entry(session, actor, major_id, entry_id=entry_id, reason=body.reason)
    return {"id": str(struck.id), "struck_by": struck.struck_by}


@router.get("/{major_id}/resources")
async def get_resources(major_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """All units on its incidents by sector and status, and what is missing."""
    return await resource_board(session, actor, major_id, now())


def _place(member: MajorMember) -> dict[str, Any]:
    return {
        "id": str(member.id),
        "incident_id": str(member.incident_id),
        "code": member.incident_code,
        "sector_id": str(member.sector_id) if member.sector_id else None,
        "version": member.version,
        "removed": member.removed_at is not None,
    }
