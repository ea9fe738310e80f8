"""Two people change one incident: what only one of them touched is merged, a field that both touched is asked about.

Whoever changes a field may say what it said when they began (`was`). Where it says something else by now, and not what
they want either, nothing is changed and they are told what it says, since when and by whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.errors import Refusal
from realtime.journal import Entry

if TYPE_CHECKING:
    from incidents.incident import Incident

# The entries that change what people edit; taking an act back changes it too.
_EDITS = (
    "incident.reclassified",
    "incident.answered",
    "incident.relocated",
    "incident.summarised",
    "incident.handled",
    "incident.undone",
)


class ChangedMeanwhile(Refusal):
    """{by} changed it while you were at it ({at})."""

    status = 409


async def expect(session: AsyncSession, incident: Incident, was: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """A locked incident's fields say what they `was` or what is `wanted`. Raises `ChangedMeanwhile` with what they say.

    `location` is `[lon, lat]`; what `was` does not name is not looked at.
    """
    now = {name: _field(incident, name) for name in was}
    theirs = {name: value for name, value in now.items() if value not in (was[name], wanted.get(name))}
    if not theirs:
        return
    query = select(Entry).where(Entry.incident_id == incident.id, Entry.kind.in_(_EDITS))
    last = (await session.scalars(query.order_by(Entry.id.desc()).limit(1))).first()
    raise ChangedMeanwhile(
        by=last.actor_name if last else "Vigía",
        at=last.occurred_at if last else incident.opened_at,
        fields={name: str(value) if isinstance(value, UUID) else value for name, value in theirs.items()},
    )


def _field(incident: Incident, name: str) -> Any:
    return [incident.shape.x, incident.shape.y] if name == "location" else getattr(incident, name)
