"""Speeds learned from journeys: read once, needed in number, off until switched on."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.drives import Drive, drive_of
from geo.network import StreetNetwork
from geo.speeds import ENOUGH, JourneySpeed, ReadJourney, learned_flow, learned_speeds, use_learned_speeds, usual_flow
from geo.streets import lay_streets
from geo.tracks import Sighting, driven
from geo.travel import travel
from incidents.assignments import AssignmentStatus
from incidents.dispatch import report_status
from incidents.learned_speeds import learn_speeds
from realtime.database import now
from resources.tracks import Doubt, Fix, tend_history, write_history
from tests.builders import City, an_assignment, an_incident
from tests.travel.test_over_http import STREETS
from tests.travel.towns import at, grid, spot, street

ZONE = "America/Argentina/Buenos_Aires"


def along(*corners: tuple[float, float], kmh: float, every: float = 5.0) -> list[Sighting]:
    """A drive in straight lines, with a fix every few seconds."""
    fixes, clock = [], 0.0
    metres = [((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 * 100 for (x0, y0), (x1, y1) in itertools.pairwise(corners)]
    for ((x0, y0), (x1, y1)), length in zip(itertools.pairwise(corners), metres, strict=True):
        steps = max(1, round(length / (kmh / 3.6 * every)))
        for n in range(steps):
            fixes.append(Sighting(*at(x0 + (x1 - x0) * n / steps, y0 + (y1 - y0) * n / steps), clock))
            clock += length / (kmh / 3.6) / steps
    return [*fixes, Sighting(*at(*corners[-1]), clock)]


# ── From a track ──────────────────────────────────────────────────────────────────────────────────


def test_a_track_tells_how_fast_each_class_was() -> None:
    town = StreetNetwork([*grid(10, 0), street((10, 0), (20, 0), name="Bulevar", kind="primary", kmh=72)])
    slow, fast = along((0, 0), (9.9, 0), kmh=18), along((10.1, 0), (20, 0), kmh=60)
    after = slow[-1].seconds + 5
    told = driven(town, [*slow, *(Sighting(one.lon, one.lat, one.seconds + after) for one in fast)], Drive(), {})
    by_kind = {one.kind: one for one in told}
    assert by_kind["residential"].metres / by_kind["residential"].seconds * 3.6 == pytest.approx(18, rel=0.02)
    assert by_kind["residential"].seconds / by_kind["residential"].expected_seconds == pytest.approx(2, rel=0.02)
    assert by_kind["primary"].metres / by_kind["primary"].seconds * 3.6 == pytest.approx(60, rel=0.02)
    assert by_kind["primary"].seconds / by_kind["primary"].expected_seconds == pytest.approx(1.2, rel=0.02)


def test_a_red_light_is_part_of_the_drive_and_silence_is_not() -> None:
    town = StreetNetwork(grid(10, 0))
    before, after = along((0, 0), (4, 0), kmh=36), along((4, 0), (9, 0), kmh=36)
    waits = [Sighting(*at(4, 0), 40 + wait) for wait in range(5, 45, 5)]
    stopped = [*before, *waits, *(Sighting(one.lon, one.lat, one.seconds + 85) for one in after)]
    (told,) = driven(town, stopped, Drive(), {})
    assert told.seconds == pytest.approx(90 + 45, abs=6)
    silent = [*before, *(Sighting(one.lon, one.lat, one.seconds + 400) for one in after)]
    (told,) = driven(town, silent, Drive(), {})
    assert told.seconds == pytest.approx(90, abs=12)


def test_what_is_expected_is_what_the_unit_and_the_hour_would_do() -> None:
    town = StreetNetwork(grid(10, 0))
    (told,) = driven(town, along((0, 0), (9, 0), kmh=36), Drive(pace=2, held_up=0.5), {"residential": 0.5})
    assert told.seconds / told.expected_seconds == pytest.approx(36 / (36 / 1.5 * 2) * 2 * 1.0, rel=0.3)
    assert told.expected_seconds == pytest.approx(told.metres / (10 * 2 * 0.75), rel=0.01)


def test_nothing_is_learned_off_the_streets_or_from_too_little() -> None:
    town = StreetNetwork(grid(10, 0))
    assert driven(town, along((0, 5), (9, 5), kmh=36), Drive(), {}) == []
    assert driven(town, along((0, 0), (1, 0), kmh=36), Drive(), {}) == []
    assert driven(town, along((0, 0), (9, 0), kmh=400), Drive(), {}) == []
    assert driven(town, [], Drive(), {}) == []


# ── From journeys ─────────────────────────────────────────────────────────────────────────────────


def two_hours_ago() -> dt.datetime:
    """Early in an hour of the clock, so that half of it lies in that hour: no two journeys of a unit overlap."""
    return (now() - dt.timedelta(hours=2)).replace(minute=5, second=0)


async def _a_journey(session: AsyncSession, city: City, kmh: float, began: dt.datetime) -> None:
    """M1 goes four blocks along Calle 1 and is released."""
    dispatcher = city.actor("trained")
    incident = await an_incident(session, dispatcher, place=spot(4, 1))
    sent = await an_assignment(session, dispatcher, incident, city.units["M1"])
    fixes = along((0, 1), (4, 1), kmh=kmh, every=3)
    ended = began + dt.timedelta(seconds=fixes[-1].seconds)
    sent.stamps = sent.stamps | {"T8": began.isoformat(), "T9": ended.isoformat()}
    await report_status(session, dispatcher, sent.id, status=AssignmentStatus.RELEASED)
    sent.since = ended
    await session.flush()
    history = []
    for one in fixes:
        fixed = began + dt.timedelta(seconds=one.seconds)
        history.append(Fix(city.units["M1"], one.lon, one.lat, fixed, fixed, None, None, None, Doubt(0)))
    await write_history(session, history)


async def test_journeys_are_read_once_and_used_when_there_are_enough_and_somebody_says_so(
    session: AsyncSession, city: City
) -> None:
    await tend_history(session)
    await lay_streets(session, STREETS, "© somebody")
    then = two_hours_ago()
    for n in range(ENOUGH):
        await _a_journey(session, city, kmh=20 + n, began=then + dt.timedelta(minutes=5 * n))
        assert await learn_speeds(session, timezone=ZONE) == 1
        assert await learn_speeds(session, timezone=ZONE) == 0, "each journey is read once"
    assert await session.scalar(select(func.count()).select_from(JourneySpeed)) == ENOUGH
    assert await session.scalar(select(func.count()).select_from(ReadJourney)) == ENOUGH
    (one,) = await learned_speeds(session)
    assert (one.kind, one.samples, one.enough) == ("residential", ENOUGH, True)
    assert one.kmh == pytest.approx(22, abs=1)
    hour = then.astimezone(ZoneInfo(ZONE))
    patrol = drive_of("patrol")
    share = 1 - (1 - usual_flow(hour)["residential"]) * patrol.held_up
    assert one.factor == pytest.approx(22 / (36 * share * patrol.pace), rel=0.05)

    assert await learned_flow(session, hour) == {}, "off until somebody says so"
    plain = (await travel(session, then, timezone=ZONE)).etas([(spot(0, 0), patrol)], spot(4, 0))[0]
    await use_learned_speeds(session, city.actor("supervisor"), in_use=True)
    assert await learned_flow(session, hour) == {"residential": one.factor}
    learned = (await travel(session, then, timezone=ZONE)).etas([(spot(0, 0), patrol)], spot(4, 0))[0]
    assert learned.seconds == pytest.approx((plain.seconds or 0) / one.factor, rel=0.01)
    await use_learned_speeds(session, city.actor("supervisor"), in_use=False)
    assert await learned_flow(session, hour) == {}


async def test_a_few_journeys_are_not_enough(session: AsyncSession, city: City) -> None:
    await tend_history(session)
    await lay_streets(session, STREETS, "© somebody")
    then = two_hours_ago()
    for n in range(ENOUGH - 1):
        await _a_journey(session, city, kmh=20, began=then + dt.timedelta(minutes=5 * n))
    assert await learn_speeds(session, timezone=ZONE) == ENOUGH - 1
    hour = then.astimezone(ZoneInfo(ZONE))
    assert await learned_flow(session, hour, in_use=True) == {}
