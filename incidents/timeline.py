"""The timeline: one incident's story, read from the journal, with the notes people left.

A note is struck, never deleted: its text stays in the book, crossed out, with who did it and why. Texts live in
their own table so that a person's data can be erased from them without touching the journal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Select, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.bonds import shown
from incidents.incident import Incident, access_incident, tell
from incidents.links import links_of, merged_into
from incidents.radio_lines import RadioLine
from incidents.radio_lines import shown as shown_radio
from incidents.reports import Report
from incidents.reports import visible_to as report_visible_to
from incidents.undo import Reversible, Undoing, remember, reversible, watch
from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, NotFound, Refusal
from realtime.journal import Entry


class AlreadyStruck(Refusal):
    """That note was already struck."""

    status = 409


class Note(Base):
    """A note on an incident, as written."""

    __tablename__ = "notes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id"), index=True)
    text: Mapped[str | None] = mapped_column(Text)  # None once erased by law
    written_at: Mapped[dt.datetime] = mapped_column(default=now)
    written_by: Mapped[str] = mapped_column(Text)
    struck_at: Mapped[dt.datetime | None]
    struck_by: Mapped[str | None] = mapped_column(Text)
    struck_reason: Mapped[str | None] = mapped_column(Text)


async def add_note(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    note_id: UUID,
    text: str,
    occurred_at: dt.datetime | None = None,
) -> Note:
    """Write a note. Undone, it is struck."""
    require(actor, Permission.NOTE_ADD)
    before = watch(session)
    incident = await access_incident(session, actor, incident_id, lock=True)
    note = await write_note(session, actor, incident, note_id=note_id, text=text, occurred_at=occurred_at)
    await remember(session, actor, "note.added", before, permission=Permission.NOTE_ADD, incident_id=incident.id)
    return note


async def write_note(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    *,
    note_id: UUID,
    text: str,
    occurred_at: dt.datetime | None = None,
) -> Note:
    """Write a note on a locked incident."""
    if await session.get(Note, note_id) is not None:
        raise AlreadyExists
    note = Note(id=note_id, incident_id=incident.id, text=text, written_at=now(), written_by=actor.name)
    session.add(note)
    await tell(session, actor, "note.added", incident, detail={"note_id": str(note.id)}, occurred_at=occurred_at)
    return note


async def strike_note(session: AsyncSession, actor: Actor, incident_id: UUID, *, note_id: UUID, reason: str) -> Note:
    """Cross a note out: it was wrong. Its text stays."""
    require(actor, Permission.NOTE_STRIKE)
    incident = await access_incident(session, actor, incident_id, lock=True)
    note = await session.get(Note, note_id, with_for_update=True, populate_existing=True)
    if note is None or note.incident_id != incident.id:
        raise NotFound
    if note.struck_at is not None:
        raise AlreadyStruck
    note.struck_at, note.struck_by, note.struck_reason = now(), actor.name, reason
    await tell(session, actor, "note.struck", incident, detail={"note_id": str(note.id), "reason": reason})
    return note


async def _lock_notes(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Note]:
    query = select(Note).where(Note.id.in_(ids)).order_by(Note.id).with_for_update()
    return {note.id: note for note in await session.scalars(query.execution_options(populate_existing=True))}


async def _put_back(session: AsyncSession, actor: Actor, undoing: Undoing, notes: Sequence[Note]) -> None:
    """A note that is taken back is struck: its text stays in the book."""
    for note in notes:
        incident = await session.get_one(Incident, note.incident_id)
        note.struck_at, note.struck_by, note.struck_reason = undoing.at, actor.name, ""
        detail = undoing.detail | {"note_id": str(note.id), "reason": ""}
        await tell(session, actor, "note.struck", incident, detail=detail, occurred_at=undoing.at)


reversible(Reversible(Note, 1, _lock_notes, _put_back, frozenset({"text"})))


async def timeline(session: AsyncSession, actor: Actor, incident_id: UUID) -> list[dict[str, Any]]:
    """Every entry of an incident and of those merged into it, oldest first, each with its note, link or radio line.

    Of another incident it tells as far as the actor sees that one whole: a line about a link to one that he does not
    see is not there.
    """
    incident = await access_incident(session, actor, incident_id)
    merged = {link.from_id: link for link in await merged_into(session, actor, incident.id)}
    ids = [incident.id, *merged]
    links = {str(link.id): link for link in await links_of(session, actor, ids, undone=True)}
    notes = {str(note.id): note for note in await session.scalars(select(Note).where(Note.incident_id.in_(ids)))}
    radio = {str(one.id): one for one in await session.scalars(select(RadioLine).where(RadioLine.incident_id.in_(ids)))}
    told = {str(one.id): one for one in await session.scalars(_reports_in(actor, ids))}
    entries = await session.scalars(select(Entry).where(Entry.incident_id.in_(ids)).order_by(Entry.id))
    lines = []
    for entry in entries:
        link = links.get(entry.detail.get("link_id", ""))
        if link is None and entry.subject.startswith("link:"):
            continue
        line = _shown(entry, notes.get(entry.detail.get("note_id", "")))
        if link is not None:
            line["link"] = shown(link)
        fact = _fact(told.get(entry.detail.get("report_id", "")), entry.detail.get("fact"))
        if fact is not None:
            line["fact"] = fact
        said = radio.get(entry.detail.get("radio_id", ""))
        if said is not None:
            line["radio"] = shown_radio(said)
        if entry.incident_id in merged:
            line["incident"] = {"id": str(entry.incident_id), "code": merged[entry.incident_id].from_code}
        lines.append(line)
    return lines


def _reports_in(actor: Actor, ids: Collection[UUID]) -> Select[Report]:
    return select(Report).where(Report.incident_id.in_(ids), report_visible_to(actor))


def _fact(report: Report | None, number: int | None) -> str | None:
    """What a reporter added, for those who may read reports."""
    return None if report is None or number is None else report.facts[number]["words"]


def _shown(entry: Entry, note: Note | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "id": entry.id,
        "at": entry.occurred_at.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
        "kind": entry.kind,
        "actor": {"name": entry.actor_name, "role": entry.actor_role},
        "detail": entry.detail,
    }
    if note is not None:
        struck = (
            {"at": note.struck_at.isoformat(), "by": note.struck_by, "reason": note.struck_reason}
            if note.struck_at
            else None
        )
        line["note"] = {"id": str(note.id), "text": note.text, "struck": struck}
    return line
