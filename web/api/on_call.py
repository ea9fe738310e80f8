"""Who is on call, over HTTP."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from realtime.database import now
from resources.on_call import OnCallDuty, on_call_order, put_on_call, rota_between, rota_gaps, take_off_call
from resources.staff import Seen, require_sight
from web.bodies import Body, Name, NewId, Short, When
from web.context import CurrentActor, OnceOnly, Session

router = APIRouter(prefix="/on-call", tags=["on call"])

AHEAD = dt.timedelta(days=28)


class DutyBody(Body):
    """Somebody's time on call; rank 1 is woken first."""

    id: NewId
    member_id: UUID
    title: Name
    rank: Annotated[int, Field(strict=True, ge=1, le=20)]
    starts_at: When
    ends_at: When


class TakeOffBody(Body):
    """Why."""

    reason: Short = ""


@router.get("")
async def get_on_call(session: Session, actor: CurrentActor, at: When | None = None) -> dict[str, Any]:
    """Who is woken, in order, with their telephones; the rota of the four weeks from then; when nobody is on call."""
    require_sight(actor, Seen.NAMES)
    since = at or now()
    until = since + AHEAD
    rota = await rota_between(session, actor, since, until)
    gaps = rota_gaps([(duty.starts_at, duty.end) for duty, _ in rota], since, until)
    return {
        "at": since,
        "order": [asdict(one) for one in await on_call_order(session, since)],
        "rota": [_shown(duty) | {"name": member.name} for duty, member in rota],
        "gaps": [asdict(gap) for gap in gaps],
    }


@router.post("", status_code=201)
async def post_duty(body: DutyBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Put somebody on call."""

    async def do() -> dict[str, Any]:
        duty = await put_on_call(
            session,
            actor,
            body.id,
            member_id=body.member_id,
            title=body.title,
            rank=body.rank,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
        )
        return _shown(duty)

    return await once(body.id, do)


@router.post("/{duty_id}/take-off")
async def post_take_off(duty_id: UUID, body: TakeOffBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """From now on they are not on call."""
    return _shown(await take_off_call(session, actor, duty_id, reason=body.reason))


def _shown(duty: OnCallDuty) -> dict[str, Any]:
    return {
        "id": str(duty.id),
        "member_id": str(duty.member_id),
        "title": duty.title,
        "rank": duty.rank,
        "starts_at": duty.starts_at.isoformat(),
        "ends_at": duty.end.isoformat(),
    }
