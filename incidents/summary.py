"""The summary: an incident in a few words. Who corrects it loses nothing: what it said before stays in the story."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.incident import Incident, access_incident, tell
from incidents.meanwhile import expect
from incidents.timeline import Note
from incidents.undo import remember, watch
from realtime.access import Actor, Permission, require
from realtime.database import new_id, now


async def summarise(
    session: AsyncSession, actor: Actor, incident_id: UUID, *, summary: str, was: str | None = None
) -> Incident:
    """Say it in other words. `was`: what it said when the actor began. Raises `ChangedMeanwhile`.

    The former words are kept as a note does: whoever's they are can have them erased.
    """
    require(actor, Permission.INCIDENT_UPDATE)
    before = watch(session)
    incident = await access_incident(session, actor, incident_id, lock=True)
    if was is not None:
        await expect(session, incident, {"summary": was}, {"summary": summary})
    if summary == incident.summary:
        return incident
    detail = {}
    if incident.summary:
        said = Note(
            id=new_id(), incident_id=incident.id, text=incident.summary, written_at=now(), written_by=actor.name
        )
        session.add(said)
        detail = {"note_id": str(said.id)}
    incident.summary = summary
    await tell(session, actor, "incident.summarised", incident, detail=detail)
    act, permission = "incident.summarised", Permission.INCIDENT_UPDATE
    await remember(session, actor, act, before, permission=permission, incident_id=incident.id)
    return incident
