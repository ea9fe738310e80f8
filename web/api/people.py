"""Organizations and accounts over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from realtime.access import Role
from resources.organizations import Organization, OrganizationKind, add_organization, all_organizations
from resources.people import Person, add_person, all_people, disable_person
from resources.sign_in import set_password
from web.bodies import Body, Code, Name, NewId, Password, Phone, Short
from web.context import CurrentActor, OnceOnly, Session

router = APIRouter(tags=["people"])


class OrganizationBody(Body):
    """A new organization."""

    id: NewId
    name: Name
    kind: OrganizationKind
    zone_ids: Annotated[tuple[UUID, ...], Field(max_length=200)] = ()
    phones: Annotated[tuple[tuple[Phone, Short], ...], Field(max_length=20)] = ()


class PersonBody(Body):
    """A new account."""

    id: NewId
    username: Code
    password: Password
    name: Name
    role: Role
    organization_id: UUID
    unit_id: UUID | None = None
    clearance: Annotated[int, Field(strict=True, ge=0, le=3)] = 0


class PasswordBody(Body):
    """A new password."""

    password: Password


@router.get("/organizations")
async def get_organizations(session: Session, _: CurrentActor) -> dict[str, Any]:
    """Every organization."""
    return {"organizations": [organization_document(one) for one in await all_organizations(session)]}


@router.post("/organizations", status_code=201)
async def post_organization(
    body: OrganizationBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Register an organization."""

    async def do() -> dict[str, Any]:
        made = await add_organization(
            session, actor, body.id, name=body.name, kind=body.kind, zone_ids=body.zone_ids, phones=body.phones
        )
        return organization_document(made)

    return await once(body.id, do)


@router.get("/people")
async def get_people(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Every account; for those who manage them."""
    return {"people": [person_document(one) for one in await all_people(session, actor)]}


@router.post("/people", status_code=201)
async def post_person(body: PersonBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Give somebody an account."""

    async def do() -> dict[str, Any]:
        made = await add_person(
            session,
            actor,
            body.id,
            username=body.username,
            password=body.password,
            name=body.name,
            role=body.role,
            organization_id=body.organization_id,
            unit_id=body.unit_id,
            clearance=body.clearance,
        )
        return person_document(made)

    return await once(body.id, do)


@router.post("/people/{person_id}/disable")
async def post_disable(person_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Close an account; its sessions and feeds end within two seconds."""
    return person_document(await disable_person(session, actor, person_id))


@router.post("/people/{person_id}/password", status_code=204)
async def post_password(person_id: UUID, body: PasswordBody, session: Session, actor: CurrentActor) -> None:
    """Give an account a new password; whoever used the old one is out."""
    await set_password(session, actor, person_id, password=body.password)


def organization_document(organization: Organization) -> dict[str, Any]:
    """An organization as the API answers it."""
    return {
        "id": str(organization.id),
        "name": organization.name,
        "kind": organization.kind,
        "zone_ids": [str(zone_id) for zone_id in organization.zone_ids],
        "phones": organization.phones,
    }


def person_document(person: Person) -> dict[str, Any]:
    """An account as the API answers it; never its password."""
    return {
        "id": str(person.id),
        "username": person.username,
        "name": person.name,
        "role": person.role,
        "organization_id": str(person.organization_id),
        "unit_id": str(person.unit_id) if person.unit_id else None,
        "clearance": person.clearance,
        "disabled": person.disabled_at is not None,
    }
