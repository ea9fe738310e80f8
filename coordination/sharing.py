"""Sharing: which partner organizations may follow an incident. What they were shown is on its timeline."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.incident import Incident, access_incident, tell
from realtime.access import Actor, Permission, require
from realtime.errors import Refusal
from resources.organizations import OrganizationKind, access_organization


class NotAPartner(Refusal):
    """{name} already sees what it may: incidents are shared with agencies and neighbourhood organizations."""

    status = 409


async def share_incident(
    session: AsyncSession, actor: Actor, incident_id: UUID, *, organization_id: UUID, expected: int | None = None
) -> Incident:
    """Let an organization see all of an incident from now on."""
    require(actor, Permission.INCIDENT_SHARE)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    partner = await access_organization(session, organization_id)
    if partner.kind == OrganizationKind.MUNICIPALITY:
        raise NotAPartner(name=partner.name)
    if organization_id not in incident.shared_with:
        incident.shared_with = [*incident.shared_with, organization_id]
        detail = {"organization_id": str(organization_id), "organization": partner.name}
        await tell(session, actor, "incident.shared", incident, detail=detail)
    return incident


async def withdraw_incident(
    session: AsyncSession, actor: Actor, incident_id: UUID, *, organization_id: UUID, expected: int | None = None
) -> Incident:
    """Stop sharing: it leaves the organization's board at once."""
    require(actor, Permission.INCIDENT_SHARE)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    partner = await access_organization(session, organization_id)
    if organization_id in incident.shared_with:
        incident.shared_with = [one for one in incident.shared_with if one != organization_id]
        detail = {"organization_id": str(organization_id), "organization": partner.name}
        await tell(session, actor, "incident.unshared", incident, detail=detail)
    return incident
