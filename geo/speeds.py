"""Speeds by class of street and hour: what is usual."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from geo.streets import StreetKind

Flow: TypeAlias = Mapping[str, float]  # by class of street, the share of its free speed that traffic has now

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


async def flow_at(session: AsyncSession, at: dt.datetime) -> dict[str, float]:
    """The flow at a moment of the city's own time."""
    return usual_flow(at)
