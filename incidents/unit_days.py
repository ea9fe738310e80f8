"""What a unit was sent to in a span of time, for whoever looks at its day again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment
from incidents.incident import Incident, visible_whole_to
from realtime.access import Actor

MOST = 200


class Sent(NamedTuple):
    """One assignment, with the code of its incident."""

    assignment: Assignment
    code: str


async def assignments_between(
    session: AsyncSession, actor: Actor, unit_id: UUID, *, since: dt.datetime, until: dt.datetime
) -> Sequence[Sent]:
    """The assignments of a unit that lived between two moments, oldest first: of incidents that `actor` sees whole."""
    query = (
        select(Assignment, Incident.code)
        .join(Incident, Incident.id == Assignment.incident_id)
        .where(
            Assignment.unit_id == unit_id,
            Assignment.made_at < until,
            or_(Assignment.released_at.is_(None), Assignment.released_at > since),
            visible_whole_to(actor),
        )
        .order_by(Assignment.made_at, Assignment.id)
        .limit(MOST)
    )
    return [Sent(assignment, code) for assignment, code in await session.execute(query)]
