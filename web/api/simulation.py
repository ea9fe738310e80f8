"""The demo's switch over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from web.bodies import Body
from web.context import CurrentActor, Session
from web.demo.control import access_simulation, control_simulation, feature_of

router = APIRouter(tags=["demo"])


class Switch(Body):
    """What to change; what is left out stays."""

    running: Annotated[bool, Field(strict=True)] | None = None
    speed: Annotated[float, Field(strict=True, ge=1, le=20, allow_inf_nan=False)] | None = None


@router.get("/simulation")
async def get_simulation(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Whether the demo runs, and how fast."""
    return feature_of(await access_simulation(session, actor))


@router.post("/simulation")
async def post_simulation(session: Session, actor: CurrentActor, body: Switch) -> dict[str, Any]:
    """Pause the demo, let it go on, or change its pace."""
    return feature_of(await control_simulation(session, actor, running=body.running, speed=body.speed))
