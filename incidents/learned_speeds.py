"""Learning speeds from journeys: how fast a unit really went from setting out to being on scene."""

from __future__ import annotations

import asyncio
import datetime as dt
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from geo.drives import drive_of
from geo.speeds import KEPT, JourneySpeed, ReadJourney, usual_flow
from geo.tracks import Sighting, driven
from geo.travel import network_of
from incidents.assignments import Assignment
from incidents.incident import Incident
from realtime.database import now
from resources.tracks import KEPT as TRACKS_KEPT
from resources.tracks import track
from resources.units import Unit

AT_ONCE = 100  # journeys in one transaction
URGENT = 2  # the gravest priority and the next are driven with lights
SETTLED = dt.timedelta(minutes=5)  # after arrival: telephones without signal send late
LONGEST = dt.timedelta(hours=2)  # on the way for longer than this, nobody was driving


async def learn_speeds(session: AsyncSession, *, timezone: str) -> int:
    """Read the journeys that have ended since the last time; how many there were. Reading again changes nothing."""
    await session.execute(delete(JourneySpeed).where(JourneySpeed.driven_at < now() - KEPT))
    journeys = await _journeys(session)
    if not journeys:
        return 0
    network = await network_of(session)
    for assignment, kind, priority in journeys:
        began, ended = (dt.datetime.fromisoformat(assignment.stamps[stamp]) for stamp in ("T8", "T9"))
        fixes = [
            Sighting(lon, lat, at / 1000)
            for lon, lat, _, _, at in await track(session, assignment.unit_id, began, ended)
        ]
        local = began.astimezone(ZoneInfo(timezone))
        if network is not None and began < ended <= began + LONGEST:
            drive = drive_of(kind, urgent=priority <= URGENT)
            for one in await asyncio.to_thread(driven, network, fixes, drive, usual_flow(local)):
                put = insert(JourneySpeed).values(
                    journey_id=assignment.id,
                    kind=one.kind,
                    hour=local.hour,
                    metres=one.metres,
                    seconds=one.seconds,
                    expected_seconds=one.expected_seconds,
                    driven_at=began,
                )
                await session.execute(put.on_conflict_do_nothing())
        put_read = insert(ReadJourney).values(journey_id=assignment.id, read_at=now())
        await session.execute(put_read.on_conflict_do_nothing())
    return len(journeys)


async def _journeys(session: AsyncSession) -> list[tuple[Assignment, str, int]]:
    """Journeys that have ended and were not read, oldest first, while their tracks are kept."""
    query = (
        select(Assignment, Unit.kind, Incident.priority)
        .join(Unit, Unit.id == Assignment.unit_id)
        .join(Incident, Incident.id == Assignment.incident_id)
        .where(
            Assignment.made_at > now() - TRACKS_KEPT,
            Assignment.since < now() - SETTLED,
            Assignment.stamps.has_key("T8"),
            Assignment.stamps.has_key("T9"),
            ~select(ReadJourney).where(ReadJourney.journey_id == Assignment.id).exists(),
        )
        .order_by(Assignment.made_at, Assignment.id)
        .limit(AT_ONCE)
        .with_for_update(of=Assignment, skip_locked=True, key_share=True)
    )
    return [(assignment, kind, priority) for assignment, kind, priority in await session.execute(query)]
