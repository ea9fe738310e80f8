"""Heard: somebody at a desk says that a grave incident was noticed, and every seat falls silent about it.

It is one more of an incident's stamps (`heard`), so that it travels with the incident and stands in its story. It is
not for ever: an incident that became graver, that lost its last unit or that was opened again is new to everybody.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.dispatch import IncidentOver
from incidents.incident import HEARD, OVER, Incident, access_incident, stamp, tell
from realtime.access import Actor, Permission, require
from realtime.database import now


async def hear_incident(session: AsyncSession, actor: Actor, incident_id: UUID) -> Incident:
    """Say that it was noticed. Who comes second changes nothing. Raises `IncidentOver`."""
    require(actor, Permission.ALARM_ANSWER)
    incident = await access_incident(session, actor, incident_id, lock=True)
    if incident.state in OVER:
        raise IncidentOver(incident_code=incident.code, state=incident.state)
    if not is_heard(incident):
        stamp(incident, HEARD, now(), last=True)
        await tell(session, actor, "incident.heard", incident)
    return incident


def is_heard(incident: Incident) -> bool:
    """Whether somebody noticed it since it was last new: since its last unit left, since it was over."""
    if HEARD not in incident.stamps:
        return False
    at, *news = (
        dt.datetime.fromisoformat(incident.stamps[name]) for name in (HEARD, "T14", "T16") if name in incident.stamps
    )
    return all(at > new for new in news)
