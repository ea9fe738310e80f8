"""Sounds over HTTP: that a grave incident was noticed, what each seat let hear, and whose sound was not tried."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from incidents.heard import hear_incident
from incidents.incident import feature
from incidents.soundings import Earcon, Told, keep_soundings, sound_tests
from web.bodies import Body, NewId, When
from web.context import CurrentActor, Session

router = APIRouter(tags=["alarms"])

HEX = "[0-9a-f]"
Subject = Annotated[
    str, StringConstraints(pattern=rf"^((incident|alarm|sos):{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}})?$")
]


class SoundingBody(Body):
    """One sound, or one that was kept silent."""

    id: NewId
    earcon: Earcon
    at: When
    about: Subject = ""
    sounded: bool = True


class SoundingsBody(Body):
    """What happened at a seat since it last told."""

    soundings: Annotated[list[SoundingBody], Field(max_length=200)]


@router.post("/incidents/{incident_id}/heard")
async def post_heard(incident_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """It was noticed: every seat falls silent about it."""
    return await feature(session, actor, await hear_incident(session, actor, incident_id))


@router.post("/soundings")
async def post_soundings(body: SoundingsBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Keep what a seat tells, each once."""
    told = [Told(one.id, one.earcon, _moment(one.at), one.about, one.sounded) for one in body.soundings]
    return {"kept": await keep_soundings(session, actor, told)}


def _moment(at: dt.datetime | None) -> dt.datetime:
    return at or dt.datetime.now(dt.UTC)


@router.get("/soundings/tests")
async def get_tests(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Who sits at a desk now, and whether its sound was tried this shift."""
    return {"seats": await sound_tests(session, actor)}
