"""How it was: the present, taken back step by step by what the journal has recorded since.

A past moment is what the desk knew then: an entry counts from when it was recorded, not from when it is said to have
happened. Entries tell from what they changed; where one does not, what it changed is unknown, and named.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import Point, parse_point
from incidents.assignments import STAMPS, Assignment, AssignmentStatus
from realtime.journal import Entry
from resources.tracks import Doubt

# What was changed since and is kept without its former value: then it is not known any more.
_LOST = {
    "unit.": "units",
    "capability.": "units",
    "equipment.": "units",
    "closure.amended": "closures",
    "layer.imported": "streets",
    "speeds.switched": "speeds",
    "zone.": "zones",
    "zones.": "zones",
}
_WEIGHS = frozenset({"call_sign", "kind", "organization_id", "skills"})  # of what may be amended about a unit
_OURS = ("unit.", "assignment.", "incident.", "closure.", *_LOST)


@dataclass
class Rewound:
    """What was otherwise at a moment. Whatever is not in here was as it is now."""

    there: dict[UUID, bool] = field(default_factory=dict)  # units that were added, retired or reinstated since
    duties: dict[UUID, str] = field(default_factory=dict)  # by unit
    unsent: set[UUID] = field(default_factory=set)  # assignments that were made since
    statuses: dict[UUID, str] = field(default_factory=dict)  # by assignment
    waiting: set[UUID] = field(default_factory=set)  # assignments that have come to lead since
    incidents: dict[UUID, dict[str, Any]] = field(default_factory=dict)  # type, priority, place, alarm_level
    undrawn: set[str] = field(default_factory=set)  # closures that were drawn since, whenever they are said to begin
    unknown: set[str] = field(default_factory=set)


async def rewound(session: AsyncSession, at: dt.datetime) -> Rewound:
    """What the journal has recorded after a moment, taken back from the newest to the oldest."""
    query = (
        select(Entry.kind, Entry.subject, Entry.incident_id, Entry.detail)
        .where(Entry.recorded_at > at, or_(*(Entry.kind.startswith(kind) for kind in _OURS)))
        .order_by(Entry.id.desc())
    )
    found = Rewound()
    for kind, subject, incident_id, detail in await session.execute(query):
        _take_back(found, kind, subject, incident_id, detail)
    return found


def _take_back(found: Rewound, kind: str, subject: str, incident_id: UUID | None, detail: dict[str, Any]) -> None:
    id_ = subject.partition(":")[2]
    match kind.partition(".")[0]:
        case "unit":
            _unit_back(found, kind, UUID(id_), detail)
        case "assignment":
            _assignment_back(found, kind, detail)
        case "incident" if incident_id:
            _incident_back(found, kind, incident_id, detail)
        case _ if kind == "closure.drawn":
            found.undrawn.add(id_)
        case _:
            found.unknown.update(what for lost, what in _LOST.items() if kind.startswith(lost))


def _unit_back(found: Rewound, kind: str, unit_id: UUID, detail: dict[str, Any]) -> None:
    match kind:
        case "unit.added" | "unit.reinstated":
            found.there[unit_id] = False
        case "unit.status":
            pass  # the copy of an assignment's, which says it itself
        case "unit.amended" if _WEIGHS.isdisjoint(detail["fields"]):
            pass
        case "unit.duty" | "unit.undone" | "unit.retired" if "from" in detail:
            found.duties[unit_id] = detail["from"]
            if kind == "unit.retired":
                found.there[unit_id] = True
        case _:
            found.unknown.add("units")


def _assignment_back(found: Rewound, kind: str, detail: dict[str, Any]) -> None:
    assignment_id = UUID(detail["assignment_id"])
    match kind:
        case "assignment.made":
            found.unsent.add(assignment_id)
        case "assignment.status" | "assignment.undone":
            found.statuses[assignment_id] = detail["from"]
        case "assignment.promoted":
            found.waiting.add(assignment_id)


def _incident_back(found: Rewound, kind: str, incident_id: UUID, detail: dict[str, Any]) -> None:
    was = found.incidents.setdefault(incident_id, {})
    match kind:
        case "incident.reclassified":
            was |= detail["from"]
        case "incident.relocated":
            was["place"] = parse_point(detail["from"])
        case "incident.alarm_raised" | "incident.alarm_lowered":
            was["alarm_level"] = detail["from"]


def since(assignment: Assignment, status: str, *, waiting: bool) -> dt.datetime:
    """Since when an assignment had a status that it has left; one that led later was given before it was notified."""
    stamp = assignment.stamps.get(STAMPS.get(AssignmentStatus(status), "" if waiting else "T6"))
    return dt.datetime.fromisoformat(stamp) if stamp else assignment.made_at


# For each unit the newest fix that had reached us by then and moved the marker.
_STOOD = text("""
    SELECT unit.id AS unit_id, fix.lon, fix.lat, fix.fixed_at
    FROM unnest(CAST(:units AS uuid[])) AS unit (id)
    CROSS JOIN LATERAL (
        SELECT lon, lat, fixed_at FROM position_history
        WHERE unit_id = unit.id AND fixed_at <= :at AND received_at <= :at AND doubt & :doubts = 0
        ORDER BY fixed_at DESC LIMIT 1
    ) AS fix
""")


async def places_at(
    session: AsyncSession, unit_ids: list[UUID], at: dt.datetime
) -> dict[UUID, tuple[Point, dt.datetime]]:
    """Where each unit was last seen before a moment, and when."""
    doubts = int(Doubt.IMPLAUSIBLE | Doubt.LATE)
    rows = await session.execute(_STOOD, {"units": unit_ids, "at": at, "doubts": doubts})
    return {row.unit_id: (Point(row.lon, row.lat), row.fixed_at) for row in rows}
