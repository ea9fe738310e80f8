"""The radio log: who said what over the air, written down by a desk within a breath, and never deleted.

What a unit says while it works on an incident belongs to that incident unless its writer says otherwise: so a word
about a protected one is not left open to all by forgetting to tie it. The rows are in `radio_lines.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment
from incidents.incident import Incident, access_incident, visible_whole_to
from incidents.moments import moment
from incidents.radio_lines import RadioLine, tell, visible_to
from incidents.undo import remember, watch
from realtime.access import VIGIA, Actor, Permission, require
from realtime.database import now
from realtime.errors import AlreadyExists, NotFound, Refusal
from realtime.looking import bare, holds
from resources.units import access_unit

ON_AIR = dt.timedelta(hours=1)  # how long a line stays on the boards
AT_ONCE = 300


class LineAlreadyStruck(Refusal):
    """That line was already struck."""

    status = 409


async def log_radio(
    session: AsyncSession,
    actor: Actor,
    line_id: UUID,
    *,
    text: str,
    unit_id: UUID | None = None,
    incident_id: UUID | None = None,
    tie: bool = True,
    occurred_at: dt.datetime | None = None,
) -> RadioLine:
    """Write a line down. Undone, it is struck.

    Without `incident_id` it is tied to what the unit is working on, if the actor sees that whole and `tie` is so.
    Raises `NotFound` for a unit or incident that the actor does not see (whole), `AlreadyExists`, `InTheFuture`.
    """
    require(actor, Permission.RADIO_LOG)
    before = watch(session)
    said_at = moment(occurred_at)
    if incident_id is None and unit_id is not None and tie:
        incident_id = await _works_on(session, actor, unit_id)
    incident = await access_incident(session, actor, incident_id, lock=True) if incident_id else None
    unit = await access_unit(session, actor, unit_id) if unit_id else None
    if await session.get(RadioLine, line_id) is not None:
        raise AlreadyExists
    line = RadioLine(
        id=line_id,
        unit_id=unit.id if unit else None,
        call_sign=unit.call_sign if unit else None,
        incident_id=incident.id if incident else None,
        incident_code=incident.code if incident else None,
        sensitivity=incident.sensitivity if incident else 0,
        text=text,
        said_at=said_at,
        logged_at=now(),
        logged_by=actor.name,
        logged_by_id=actor.id,
        on_air=True,
        version=0,
        told_to=[],
    )
    session.add(line)
    await tell(session, actor, "radio.logged", line, occurred_at=said_at)
    await remember(session, actor, "radio.logged", before, permission=Permission.RADIO_LOG, incident_id=incident_id)
    return line


async def strike_radio(session: AsyncSession, actor: Actor, line_id: UUID, *, reason: str) -> RadioLine:
    """Cross a line out: by whoever wrote it, or by who may strike notes. Its text stays. Raises `LineAlreadyStruck`."""
    require(actor, Permission.RADIO_LOG)
    found = await _seen(session, actor, line_id)
    if found.logged_by_id != actor.id:
        require(actor, Permission.NOTE_STRIKE)
    if found.incident_id is not None:
        await access_incident(session, actor, found.incident_id, lock=True)
    line = await session.get_one(RadioLine, line_id, with_for_update={"key_share": True}, populate_existing=True)
    if line.struck_at is not None:
        raise LineAlreadyStruck
    line.struck_at, line.struck_by, line.struck_reason = now(), actor.name, reason
    await tell(session, actor, "radio.struck", line, detail={"reason": reason})
    return line


async def radio_log(
    session: AsyncSession,
    actor: Actor,
    *,
    limit: int,
    unit_id: UUID | None = None,
    incident_id: UUID | None = None,
    words: str = "",
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    before: UUID | None = None,
) -> Sequence[RadioLine]:
    """Lines that the actor may see, the last written first; `before` is the last line of the former page.

    `words` must all be in the text, the call sign, the incident's code or its writer's name; accents do not count.
    Raises `NotFound` where there is no such `before` for them.
    """
    require(actor, Permission.RADIO_LOG)
    columns = RadioLine.text, RadioLine.call_sign, RadioLine.incident_code, RadioLine.logged_by
    query = select(RadioLine).where(visible_to(actor), *(holds(word, *columns) for word in bare(words).split()))
    if unit_id is not None:
        query = query.where(RadioLine.unit_id == unit_id)
    if incident_id is not None:
        query = query.where(RadioLine.incident_id == incident_id)
    if since is not None:
        query = query.where(RadioLine.logged_at >= since)
    if until is not None:
        query = query.where(RadioLine.logged_at < until)
    if before is not None:
        last = await _seen(session, actor, before)
        query = query.where(tuple_(RadioLine.logged_at, RadioLine.id) < (last.logged_at, last.id))
    return (await session.scalars(query.order_by(RadioLine.logged_at.desc(), RadioLine.id.desc()).limit(limit))).all()


async def _seen(session: AsyncSession, actor: Actor, line_id: UUID) -> RadioLine:
    found = (await session.scalars(select(RadioLine).where(RadioLine.id == line_id, visible_to(actor)))).first()
    if found is None:
        raise NotFound
    return found


async def take_off_air(session: AsyncSession) -> None:
    """Lines of more than an hour ago leave the boards; they stay in the book."""
    query = (
        select(RadioLine)
        .where(RadioLine.on_air, RadioLine.logged_at < now() - ON_AIR)
        .order_by(RadioLine.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    for line in (await session.scalars(query)).all():
        line.on_air = False
        await tell(session, VIGIA, "radio.off_air", line, on_timeline=False)


async def _works_on(session: AsyncSession, actor: Actor, unit_id: UUID) -> UUID | None:
    """What the unit is working on, if the actor sees it whole."""
    query = (
        select(Assignment.incident_id)
        .join(Incident, Incident.id == Assignment.incident_id)
        .where(
            Assignment.unit_id == unit_id,
            Assignment.released_at.is_(None),
            Assignment.exclusive,
            visible_whole_to(actor),
        )
    )
    return (await session.scalars(query)).first()
