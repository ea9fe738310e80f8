"""Search over HTTP: anything by a few letters, as far as the asker may see it. What was asked is never logged."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from realtime.looking import Found, words_of
from web.bodies import Short
from web.context import CurrentActor, Session
from web.sources import SOURCES

router = APIRouter(tags=["search"])


@router.get("/search")
async def get_found(session: Session, actor: CurrentActor, *, q: Short) -> dict[str, Any]:
    """What `q` may mean, by kinds, six of each at the most; nothing for fewer than two letters.

    Addresses are looked for with `GET /places/search`, which answers while they are typed.
    """
    words = words_of(q)
    found = [one for source in SOURCES for one in await source(session, actor, words)] if words else []
    return {"found": [found_document(one) for one in found]}


def found_document(found: Found) -> dict[str, Any]:
    """An answer as it travels."""
    return {
        "kind": found.kind,
        "id": str(found.id),
        "title": found.title,
        "detail": found.detail,
        "location": found.location,
        "facts": found.facts,
    }
