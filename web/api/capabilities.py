"""Capabilities over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from resources import capabilities as books
from resources.capabilities import (
    add_capability,
    amend_capability,
    retire_capability,
)
from web.bodies import Body, Code, Name, NewId, Short, Text
from web.bodies import Capability as CapabilityCode
from web.context import CurrentActor, Expected, OnceOnly, Session

router = APIRouter(prefix="/capabilities", tags=["capabilities"])

InPath = Annotated[CapabilityCode, Path()]


class CrewNeed(Body):
    """So many of a role, with a credential or without."""

    role: Code
    count: Annotated[int, Field(strict=True, ge=1, le=50)] = 1
    credential: Code | None = None


Crew = Annotated[tuple[CrewNeed, ...], Field(max_length=20)]
Measure = Annotated[Short, Field(max_length=20)]


class CapabilityBody(Body):
    """A new capability. `id` is the key of this request; the code names it for good."""

    id: NewId
    code: CapabilityCode
    name: Name
    description: Text = ""
    measure: Measure | None = None
    crew: Crew = ()


class CapabilityName(Body):
    """What it is called after all."""

    name: Name


class CapabilityDescription(Body):
    """What it is, in other words."""

    description: Text


class CapabilityMeasure(Body):
    """What its amounts are counted in; null: it is had or not."""

    measure: Measure | None


class CapabilityCrew(Body):
    """What it takes."""

    crew: Crew


@router.get("")
async def get_capabilities(session: Session, _: CurrentActor) -> dict[str, Any]:
    """Every capability, retired ones too."""
    return {"capabilities": [_document(one) for one in (await books.capabilities(session)).values()]}


@router.post("", status_code=201)
async def post_capability(
    body: CapabilityBody, session: Session, actor: CurrentActor, once: OnceOnly
) -> dict[str, Any]:
    """Make a new one."""

    async def do() -> dict[str, Any]:
        made = await add_capability(
            session,
            actor,
            body.code,
            name=body.name,
            description=body.description,
            measure=body.measure or None,
            crew=[need.model_dump() for need in body.crew],
        )
        return _document(made)

    return await once(body.id, do)


@router.post("/{capability_code}/name")
async def post_name(
    capability_code: InPath, body: CapabilityName, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another name."""
    return _document(await amend_capability(session, actor, capability_code, name=body.name, expected=expected))


@router.post("/{capability_code}/description")
async def post_description(
    capability_code: InPath, body: CapabilityDescription, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another description."""
    return _document(
        await amend_capability(session, actor, capability_code, description=body.description, expected=expected)
    )


@router.post("/{capability_code}/measure")
async def post_measure(
    capability_code: InPath, body: CapabilityMeasure, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Another measure, or none."""
    return _document(
        await amend_capability(session, actor, capability_code, measure=body.measure or "", expected=expected)
    )


@router.post("/{capability_code}/crew")
async def post_crew(
    capability_code: InPath, body: CapabilityCrew, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """It takes another crew."""
    crew = [need.model_dump() for need in body.crew]
    return _document(await amend_capability(session, actor, capability_code, crew=crew, expected=expected))


@router.post("/{capability_code}/retire")
async def post_retire(
    capability_code: InPath, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """No unit gets it any more."""
    return _document(await retire_capability(session, actor, capability_code, expected=expected))


@router.post("/{capability_code}/restore")
async def post_restore(
    capability_code: InPath, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Units may get it again."""
    return _document(await retire_capability(session, actor, capability_code, retired=False, expected=expected))


def _document(capability: books.Capability) -> dict[str, Any]:
    return {
        "code": capability.code,
        "name": capability.name,
        "description": capability.description,
        "measure": capability.measure,
        "crew": capability.crew,
        "retired_at": capability.retired_at.isoformat() if capability.retired_at else None,
        "version": capability.version,
    }
