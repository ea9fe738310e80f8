"""Who may look at past hours."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.ext.asyncio import AsyncSession

from realtime.past import past_begins
from tests.api.matrix import STAFF, row
from tests.builders import City

_INTERVAL = {"from": "when the past began", "to": "a minute later"}

ROWS = {
    "POST /replay": row(STAFF, **_INTERVAL),
    "POST /replay/positions": row(STAFF, **_INTERVAL),
}


async def stage(session: AsyncSession, city: City) -> dict[str, str]:
    """An interval that can be looked at."""
    begins = await past_begins(session)
    return {
        "when the past began": begins.isoformat(),
        "a minute later": (begins + dt.timedelta(minutes=1)).isoformat(),
    }
