"""Trackers: the wire formats of the telephones and devices that cities have, as pure functions.

Each decoder takes what came and gives a `Message`: claims in our own units (WGS 84, km/h, metres, degrees from north,
aware UTC) and what else it said. What is unknown by the format's own word (−1, an accuracy of 0) is None; what cannot
be understood raises `BadMessage`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from uuid import UUID

from geo.places import BadGeometry, point
from realtime.errors import Malformed
from resources.positions import Claim

KNOT_KMH = 1.852
MS_KMH = 3.6
NOBODY = UUID(int=0)  # a decoder does not know for which unit a device speaks
SECONDS_UNTIL = 1e11  # the year 5138 in seconds, 1973 in milliseconds
MILLISECONDS_UNTIL = 4.2e12  # the year 2103
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$")  # a + that was not escaped in a query arrives as a space


class BadMessage(Malformed):
    """The tracker's message was not understood: {reason}."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a device said. `claims` may be empty: it only gave a sign of life. `battery` is 0…1."""

    claims: tuple[Claim, ...] = ()
    battery: float | None = None
    alarm: str | None = None  # "sos", "lowBattery" … as the format names it
    event: str | None = None  # why it told: "motionchange", "ping" …


def number(raw: object, name: str) -> float | None:
    """A finite number, or None where nothing was said. Raises `BadMessage` naming the field."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, str) and len(raw) <= 40 and _NUMBER.fullmatch(raw.strip()):
        raw = float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float) or abs(raw) > 1e15 or not math.isfinite(raw):
        raise BadMessage(reason=name)
    return float(raw)


def known(raw: object, name: str) -> float | None:
    """The same for what is never negative: below zero it is unknown."""
    value = number(raw, name)
    return None if value is None or value < 0 else value


def moment(raw: object, name: str, otherwise: dt.datetime) -> dt.datetime:
    """A time in seconds or milliseconds since 1970 or in ISO 8601, `T` or space, UTC where it does not say."""
    if raw is None or raw == "":
        return otherwise
    if isinstance(raw, str) and not _NUMBER.fullmatch(raw.strip()):
        return _written(raw.strip(), name)
    value = number(raw, name)
    if value is None or not 0 <= value < MILLISECONDS_UNTIL:
        raise BadMessage(reason=name)
    return dt.datetime.fromtimestamp(value if value < SECONDS_UNTIL else value / 1000, dt.UTC)


def _written(raw: str, name: str) -> dt.datetime:
    if len(raw) > 40 or ":" not in raw:
        raise BadMessage(reason=name)
    try:
        told = dt.datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", raw))
        return told.replace(tzinfo=dt.UTC) if told.tzinfo is None else told.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise BadMessage(reason=name) from None


def share(raw: object, name: str) -> float | None:
    """What is left in a battery, 0…1: told as 0…100 or as a fraction below 1 (1 is one per cent); below 0 unknown."""
    value = known(raw, name)
    if value is None:
        return None
    if value > 100:
        raise BadMessage(reason=name)
    return value if value < 1 else value / 100


def place(lon: float | None, lat: float | None) -> tuple[float, float]:
    """A place through the one door. Raises `BadMessage`."""
    try:
        if lon is None or lat is None:
            raise BadMessage(reason="location")
        found = point(lon, lat)
    except BadGeometry:
        raise BadMessage(reason="location") from None
    return found.x, found.y


def word(raw: object) -> str | None:
    """A short word of the format; None where it is none."""
    return raw if isinstance(raw, str) and 0 < len(raw) <= 40 and raw.isprintable() else None
