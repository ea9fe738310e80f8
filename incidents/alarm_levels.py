"""Alarm levels: an incident that outgrew its first card is raised to the next level; a mistake is lowered again.

What a level brings (who goes, whom we ask, what is done) is the run card's business; here only the number moves.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.dispatch import IncidentOver
from incidents.incident import OVER, Incident, access_incident, tell
from incidents.moments import moment
from realtime.access import Actor, Permission, require
from realtime.errors import Refusal


class AlarmLevelStands(Refusal):
    """{incident_code} is at alarm level {current} already."""

    status = 409


async def raise_alarm_level(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    level: int,
    reason: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """Raise an incident to a level (2–9), higher than the one it is at. Raises `AlarmLevelStands`, `IncidentOver`."""
    require(actor, Permission.INCIDENT_UPDATE)
    incident = await _open(session, actor, incident_id, expected)
    if level <= incident.alarm_level:
        raise AlarmLevelStands(incident_code=incident.code, current=incident.alarm_level)
    at, detail = moment(occurred_at), _put(incident, level, reason)
    await tell(session, actor, "incident.alarm_raised", incident, detail=detail, occurred_at=at)
    return incident


async def lower_alarm_level(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    level: int,
    reason: str,
    expected: int | None = None,
) -> Incident:
    """Lower an incident to a level (1–8) below the one it is at, saying why. Raises as raising does."""
    require(actor, Permission.INCIDENT_UPDATE)
    incident = await _open(session, actor, incident_id, expected)
    if level >= incident.alarm_level:
        raise AlarmLevelStands(incident_code=incident.code, current=incident.alarm_level)
    await tell(session, actor, "incident.alarm_lowered", incident, detail=_put(incident, level, reason))
    return incident


async def _open(session: AsyncSession, actor: Actor, incident_id: UUID, expected: int | None) -> Incident:
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    if incident.state in OVER:
        raise IncidentOver(incident_code=incident.code, state=incident.state)
    return incident


def _put(incident: Incident, level: int, reason: str) -> dict[str, Any]:
    detail = {"from": incident.alarm_level, "to": level} | ({"reason": reason} if reason else {})
    incident.alarm_level = level
    return detail
