"""Handing the shift over, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from incidents.handover import Handover, desk_people, hand_over, handovers, receive_handover
from web.bodies import Body, NewId, Text
from web.context import CurrentActor, OnceOnly, Session

router = APIRouter(prefix="/handovers", tags=["handovers"])


class HandoverBody(Body):
    """To whom, what there is to say, and whether the incidents that one handles go too."""

    id: NewId
    to_id: UUID
    note: Text = ""
    pass_on: bool = False


@router.post("", status_code=201)
async def post_handover(body: HandoverBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Hand over; `passed` are the codes of the incidents that went too."""

    async def do() -> dict[str, Any]:
        made = await hand_over(session, actor, body.id, to=body.to_id, note=body.note, pass_on=body.pass_on)
        return _signed(made) | {"passed": made.content["passed"]}

    return await once(body.id, do)


@router.get("")
async def get_handovers(
    session: Session,
    actor: CurrentActor,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> dict[str, Any]:
    """The book, the last page first; `next` is the `before` of those that come after."""
    found = await handovers(session, actor, limit=limit, before=before)
    return {"handovers": found, "next": found[-1]["id"] if len(found) == limit else None}


@router.get("/people")
async def get_desk_people(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """To whom."""
    people = await desk_people(session, actor)
    return {"people": [{"id": str(person.id), "name": person.name, "role": person.role} for person in people]}


@router.post("/{handover_id}/receive")
async def post_receive(handover_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Say that one has it."""
    return _signed(await receive_handover(session, actor, handover_id))


def _signed(handover: Handover) -> dict[str, Any]:
    return {
        "id": str(handover.id),
        "made_at": handover.made_at.isoformat(),
        "made_by": handover.made_by,
        "to": handover.to,
        "received_at": handover.received_at.isoformat() if handover.received_at else None,
    }
