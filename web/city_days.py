"""Days of the city: dates as people write them, and the instants that are meant by them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from web.context import Machinery


def _plausible(day: dt.date) -> dt.date:
    if not 1990 <= day.year <= 2100:
        raise PydanticCustomError("implausible_time", "That time is not plausible.")
    return day


Day = Annotated[dt.date, AfterValidator(_plausible)]


def clock_of(machines: Machinery) -> ZoneInfo:
    """The city's clock."""
    return ZoneInfo(machines.settings.timezone)


def begins(day: dt.date, clock: ZoneInfo) -> dt.datetime:
    """The instant at which a day of the city begins."""
    return dt.datetime.combine(day, dt.time(), clock).astimezone(dt.UTC)


def ends(day: dt.date, clock: ZoneInfo) -> dt.datetime:
    """The instant at which a day of the city is over: what is valid until a day is valid on it."""
    return begins(day + dt.timedelta(days=1), clock)


def last_day(until: dt.datetime | None, clock: ZoneInfo) -> str | None:
    """The last day on which something holds that ends at an instant."""
    return None if until is None else (until - dt.timedelta(microseconds=1)).astimezone(clock).date().isoformat()
