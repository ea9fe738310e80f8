"""The journal read alone: what assignments, units and incidents are by its facts. Test code: nobody else needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment
from incidents.incident import Incident
from realtime.journal import Entry
from resources.units import Unit

GONE = {"closed", "cancelled", "referred"}
SAID = GONE | {"under_control", "finished"}
ENDS = {"released", "refused", "cancelled"}


@dataclass
class Page:
    """An assignment in the books."""

    incident_id: str
    unit_id: str
    status: str
    exclusive: bool
    live: bool
    unheard: bool
    staging: str | None
    order: int = field(default=0, compare=False)
    led: bool = field(default=False, compare=False)


@dataclass
class Books:
    """What is so, by whichever way one got to know it."""

    assignments: dict[str, Page] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    units: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    @classmethod
    async def of(cls, session: AsyncSession, *, since: int) -> Books:
        """By the tables; the incidents that the journal tells of after `since`."""
        books = cls()
        for row in await session.scalars(select(Assignment)):
            books.assignments[str(row.id)] = Page(
                str(row.incident_id),
                str(row.unit_id),
                row.status,
                row.exclusive,
                row.released_at is None,
                row.acknowledge_by is not None,
                row.staging["name"] if row.staging else None,
            )
        told = select(Entry.incident_id).where(Entry.id > since)
        for incident in await session.scalars(select(Incident).where(Incident.id.in_(told))):
            books.states[str(incident.id)] = incident.state
        for unit in await session.scalars(select(Unit)):
            books.units[str(unit.id)] = unit.status, str(unit.assignment_id) if unit.assignment_id else None
        return books


def replayed(entries: Iterable[Entry], unit_ids: Iterable[UUID]) -> Books:
    """By the facts, in their order."""
    books, duties = Books(), {str(unit_id): "on_duty" for unit_id in unit_ids}
    for entry in entries:
        _read(books, duties, entry)
    for unit_id, duty in duties.items():
        leading = [(key, page) for key, page in books.assignments.items() if page.unit_id == unit_id and page.live]
        leading = [one for one in leading if one[1].exclusive]
        assert len(leading) <= 1, "by its books a unit was sent twice"
        books.units[unit_id] = ("available" if duty == "on_duty" else duty), None
        for key, page in leading:
            books.units[unit_id] = page.status, key
    return books


def _read(books: Books, duties: dict[str, str], entry: Entry) -> None:
    detail, incident_id = entry.detail, str(entry.incident_id)
    if entry.kind.startswith("assignment."):
        _about_an_assignment(books, entry, detail, incident_id)
    elif entry.kind == "incident.opened":
        books.states[incident_id] = "classified"
    elif entry.kind in {"incident.state", "incident.closed", "incident.reopened"}:
        books.states[incident_id] = detail["to"]
    elif entry.kind == "incident.undone":
        books.states[incident_id] = detail["state"]
    elif entry.kind in {"unit.duty", "unit.undone"}:
        duties[entry.subject.partition(":")[2]] = detail["duty"]
    if entry.kind.startswith("incident.") or entry.kind.startswith("assignment."):
        _derive(books, incident_id)


def _about_an_assignment(books: Books, entry: Entry, detail: dict[str, Any], incident_id: str) -> None:
    key = detail["assignment_id"]
    if entry.kind == "assignment.made":
        unheard = detail["acknowledge_by"] is not None
        books.assignments[key] = Page(
            *(incident_id, detail["unit_id"], detail["status"], detail["exclusive"], True, unheard, None),
            order=len(books.assignments),
            led=detail["exclusive"],
        )
        return
    page = books.assignments[key]
    if entry.kind == "assignment.status":
        assert page.status == detail["from"], "a step from where it was not"
        page.status, page.live, page.unheard = detail["to"], detail["to"] not in ENDS, False
        if detail["to"] not in {"assigned", "acknowledged", "en_route"}:
            page.staging = None
    elif entry.kind == "assignment.heard":
        page.unheard = False
    elif entry.kind == "assignment.promoted":
        page.exclusive, page.led, page.unheard = True, True, detail["acknowledge_by"] is not None
    elif entry.kind == "assignment.staged":
        page.staging = detail["staging"]["name"]
    elif entry.kind == "assignment.advanced":
        page.staging = None
    elif entry.kind == "assignment.undone":
        assert page.status == detail["from"]
        page.status, page.exclusive = detail["to"], detail["exclusive"]
        page.live, page.unheard = detail["to"] not in ENDS, detail["acknowledge_by"] is not None
        page.staging = detail["staging"]["name"] if detail["staging"] else None
        page.led = detail["led"]
        if detail["state"] is not None:
            books.states[incident_id] = detail["state"]
    else:
        raise AssertionError(f"nobody can read {entry.kind}")


def _derive(books: Books, incident_id: str) -> None:
    if books.states[incident_id] in SAID:
        return
    pages = [page for page in books.assignments.values() if page.incident_id == incident_id]
    live = [page for page in pages if page.live]
    reached = {page.status for page in live if page.exclusive}
    if reached & {"on_scene", "transporting", "at_destination"}:
        books.states[incident_id] = "on_scene"
    elif "en_route" in reached:
        books.states[incident_id] = "en_route"
    elif reached:
        books.states[incident_id] = "dispatched"
    elif live or any(page.led for page in pages):
        books.states[incident_id] = "waiting"
