"""When things happened, where that is not now: heard late on the radio, or written down from paper after a blackout."""

from __future__ import annotations

import datetime as dt

from realtime.database import now
from realtime.errors import Malformed

CLOCK_SKEW = dt.timedelta(minutes=2)  # how far ahead of us a crew's telephone may be before we say so


class InTheFuture(Malformed):
    """That time has not come yet."""


def moment(occurred_at: dt.datetime | None) -> dt.datetime:
    """When something that is told now happened: now, unless another time was named. Raises `InTheFuture`.

    The journal keeps both: `occurred_at` is this, `recorded_at` is when we were told.
    """
    if occurred_at is None:
        return now()
    if occurred_at > now() + CLOCK_SKEW:
        raise InTheFuture
    return occurred_at
