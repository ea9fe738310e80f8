"""Speeds by class of street and hour: what is usual, and what units' journeys have taught.

What is learned is a factor upon what would have been expected of the same unit on the same streets at that hour, so
it corrects our own table and does not repeat it. It is not used until somebody switches it on.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.streets import StreetKind
from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.journal import Told, record

Flow: TypeAlias = Mapping[str, float]  # by class of street, a share of its speed

KEPT = dt.timedelta(days=90)  # older journeys tell of other traffic
ENOUGH = 5  # journeys of a class and hour; fewer say more of the journeys than of the street
LEAST, MOST = 0.3, 1.8  # a factor beyond these is an error, not traffic
THE_ONE = 1


class JourneySpeed(Base):
    """What one journey tells of one class of street in one hour of the city's day.

    `expected_seconds` is what the same metres would have taken by our own table.
    """

    __tablename__ = "journey_speeds"
    __table_args__ = (
        Index("ix_journey_speeds_driven_at", "driven_at"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("metres > 0 AND seconds > 0 AND expected_seconds > 0", name="positive"),
    )

    journey_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    metres: Mapped[float]
    seconds: Mapped[float]
    expected_seconds: Mapped[float]
    driven_at: Mapped[dt.datetime]


class ReadJourney(Base):
    """A journey that has been read, whatever it taught: it is not read again."""

    __tablename__ = "read_journeys"

    journey_id: Mapped[UUID] = mapped_column(primary_key=True)
    read_at: Mapped[dt.datetime]


class SpeedLearning(Told, Base):
    """Whether what was learned is used; off where there is no row. It is on nobody's board."""

    __tablename__ = "speed_learning"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    in_use: Mapped[bool]
    changed_at: Mapped[dt.datetime]
    changed_by: Mapped[str] = mapped_column(Text)

    @property
    def subject(self) -> str:
        """`speeds:1`."""
        return f"speeds:{self.id}"


@dataclass(frozen=True, slots=True)
class LearnedSpeed:
    """What all journeys together tell of a class of street in an hour."""

    kind: str
    hour: int
    samples: int
    kmh: float  # median of the journeys
    expected_kmh: float  # likewise, by our own table
    factor: float

    @property
    def enough(self) -> bool:
        """Whether there are journeys enough to go by."""
        return self.samples >= ENOUGH


# Of a working day, by hour: how much of the free speed is left on avenues, and how much on the streets between them.
# Two peaks and the night, as in the city's traffic counts; what units really drive corrects it (`learned`).
_AVENUES = (
    *(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.95, 0.75, 0.65, 0.75, 0.8, 0.78),
    *(0.72, 0.75, 0.82, 0.8, 0.75, 0.65, 0.62, 0.7, 0.82, 0.9, 0.95, 1.0),
)
_STREETS = (
    *(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.97, 0.88, 0.82, 0.86, 0.88, 0.87),
    *(0.84, 0.87, 0.9, 0.9, 0.87, 0.82, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0),
)
_MAIN = frozenset({StreetKind.MOTORWAY, StreetKind.TRUNK, StreetKind.PRIMARY, StreetKind.SECONDARY})
_DRIVEN = tuple(kind for kind in StreetKind if kind not in {StreetKind.TRACK, StreetKind.FOOTWAY, StreetKind.SERVICE})
WEEKEND = 0.5  # of a working day's congestion


def usual_flow(at: dt.datetime) -> dict[str, float]:
    """The usual flow at a moment of the city's own time."""
    felt = WEEKEND if at.weekday() >= 5 else 1.0
    hour = {True: _AVENUES[at.hour], False: _STREETS[at.hour]}
    return {kind.value: round(1 - (1 - hour[kind in _MAIN]) * felt, 3) for kind in _DRIVEN}


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def use_learned_speeds(session: AsyncSession, actor: Actor, *, in_use: bool) -> SpeedLearning:
    """Let travel times go by what was learned, or not."""
    require(actor, Permission.CATALOGUE_EDIT)
    switch = await session.get(SpeedLearning, THE_ONE, with_for_update={"key_share": True}, populate_existing=True)
    if switch is None:
        switch = SpeedLearning(id=THE_ONE, in_use=False, version=0, told_to=[])
        session.add(switch)
    switch.in_use, switch.changed_at, switch.changed_by = in_use, now(), actor.name
    switch.version += 1
    await record(session, actor, "speeds.switched", switch, (), detail={"in_use": in_use})
    return switch


async def learning(session: AsyncSession) -> SpeedLearning | None:
    """The switch; None where nobody has touched it, and then it is off."""
    return await session.get(SpeedLearning, THE_ONE)


# ── Read ──────────────────────────────────────────────────────────────────────────────────────────


async def learned_speeds(session: AsyncSession) -> list[LearnedSpeed]:
    """What the journeys of the last months tell, by class and hour."""
    query = select(JourneySpeed).where(JourneySpeed.driven_at > now() - KEPT)
    by_class: dict[tuple[str, int], list[JourneySpeed]] = defaultdict(list)
    for one in await session.scalars(query):
        by_class[one.kind, one.hour].append(one)
    return [_summed(kind, hour, some) for (kind, hour), some in sorted(by_class.items())]


def _summed(kind: str, hour: int, some: Sequence[JourneySpeed]) -> LearnedSpeed:
    factor = statistics.median(one.expected_seconds / one.seconds for one in some)
    return LearnedSpeed(
        kind,
        hour,
        len(some),
        round(statistics.median(one.metres / one.seconds for one in some) * 3.6, 1),
        round(statistics.median(one.metres / one.expected_seconds for one in some) * 3.6, 1),
        round(min(max(factor, LEAST), MOST), 3),
    )


async def learned_flow(session: AsyncSession, at: dt.datetime, *, in_use: bool | None = None) -> dict[str, float]:
    """The factors for an hour of the city's own time; none unless they are `in_use` (the switch, unless said)."""
    if in_use is None:
        switch = await learning(session)
        in_use = switch is not None and switch.in_use
    if not in_use:
        return {}
    return {one.kind: one.factor for one in await learned_speeds(session) if one.hour == at.hour and one.enough}
