"""The feed without a WebSocket: everything at one instant, and what changed since."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response

from realtime.catch_up import Cursor, changes, snapshot
from realtime.errors import Refusal
from resources.positions import positions_now
from web.context import CurrentActor, Machines, Session

router = APIRouter(tags=["live"])


class SnapshotNeeded(Refusal):
    """Too much has changed since: take a snapshot."""

    status = 410


@router.get("/snapshot", response_model=None)
async def get_snapshot(session: Session, actor: CurrentActor, machines: Machines) -> Response:
    """All that you may see, at one instant."""
    return _answer((await snapshot(session, actor, machines.boards, positions_now)).message)


@router.get("/events", response_model=None, responses={410: {"description": "SnapshotNeeded"}})
async def get_events(
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    *,
    epoch: Annotated[str, Query(max_length=100)],
    after: Annotated[int, Query(ge=0, lt=1 << 63)],
) -> Response:
    """What changed since, one line per subject, as it is now: for networks where WebSockets do not pass."""
    caught = await changes(session, actor, machines.boards, positions_now, Cursor(epoch, after))
    if caught is None:
        raise SnapshotNeeded
    return _answer(caught.message)


def _answer(message: dict[str, Any]) -> Response:
    content = {name: value for name, value in message.items() if name != "type"}
    return Response(orjson.dumps(content, option=orjson.OPT_UTC_Z), media_type="application/json")
