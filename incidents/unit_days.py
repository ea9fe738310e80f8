"""What a unit was sent to in a span of time, for whoever looks at its day again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

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
    one = aliased(Assignment)  # another than the one by which a crew sees its incident
    query = (
        select(one, Incident.code)
        .join(Incident, Incident.id == one.incident_id)
        .where(
            one.unit_id == unit_id,
            one.made_at < until,
            or_(one.released_at.is_(None), one.released_at > since),
            visible_whole_to(actor),
        )
        .order_by(one.made_at, one.id)
        .limit(MOST)
    )
    return [Sent(assignment, code) for assignment, code in await session.execute(query)]
