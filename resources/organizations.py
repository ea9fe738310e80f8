"""Organizations: the municipality, provincial agencies, neighbourhood organizations (*vecinales*)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Text, Uuid, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import NotFound


class OrganizationKind(StrEnum):
    """What sort of organization it is."""

    MUNICIPALITY = "municipality"
    AGENCY = "agency"
    NEIGHBOURHOOD = "neighbourhood"


class Organization(Base):
    """One organization. `phones` are the numbers that the public pages show, as `[[number, name], …]`."""

    __tablename__ = "organizations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[OrganizationKind] = mapped_column(Text)
    zone_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)
    phones: Mapped[list[list[str]]] = mapped_column(JSONB, default=list)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


async def access_organization(session: AsyncSession, organization_id: UUID) -> Organization:
    """An organization by id; that they exist is no secret to those who are signed in."""
    organization = await session.get(Organization, organization_id)
    if organization is None:
        raise NotFound
    return organization


async def add_organization(
    session: AsyncSession,
    actor: Actor,
    organization_id: UUID,
    *,
    name: str,
    kind: OrganizationKind,
    zone_ids: Sequence[UUID] = (),
    phones: Sequence[Sequence[str]] = (),
) -> Organization:
    """Register an organization."""
    require(actor, Permission.PEOPLE_MANAGE)
    organization = Organization(
        id=organization_id, name=name, kind=kind, zone_ids=list(zone_ids), phones=[list(phone) for phone in phones]
    )
    session.add(organization)
    await session.flush()
    return organization


async def all_organizations(session: AsyncSession) -> Sequence[Organization]:
    """Every organization, by name."""
    return (await session.scalars(select(Organization).order_by(Organization.name))).all()


async def municipality(session: AsyncSession) -> Organization | None:
    """The municipality that runs this installation; None before it was set up."""
    query = (
        select(Organization).where(Organization.kind == OrganizationKind.MUNICIPALITY).order_by(Organization.created_at)
    )
    return (await session.scalars(query.limit(1))).first()
