"""What a feed is told when it arrives: everything it may see, or what became of the things that changed meanwhile.

Never the old lines themselves: rights may have changed since they were written. What changed is told as it is
now, under present rights, or as a drop. A cursor is good only for the keys it was made with: somebody who lost
rights while away must forget things that did not change at all, so it travels with a digest of the keys.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import Actor
from realtime.database import now
from realtime.journal import Head, head

Feature = dict[str, Any]
Board = Callable[[AsyncSession, Actor, Collection[UUID] | None], Awaitable[list[Feature]]]
Boards = Mapping[str, Board]  # by kind of subject: "incident", "unit", …
Positions = Callable[[AsyncSession, Collection[UUID] | None], Awaitable[list[list[Any]]]]

TOO_FAR = 5_000  # lines behind: reading that many subjects costs more than a snapshot

# Whoever holds a key of a face or of `told_before` may hold something of that subject on the screen.
_CHANGED = text("""
    SELECT subject, max(version) AS version
    FROM journal
    WHERE seq > :after AND seq <= :upto
      AND (told_before && :keys OR EXISTS (SELECT FROM jsonb_array_elements(faces) AS face WHERE face -> 0 ?| :keys))
    GROUP BY subject ORDER BY max(seq)
""")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a client says that it has come: the `epoch` that it was given, and a number."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Caught:
    """A snapshot or a resumption, ready to be sent, and which units' positions its reader may follow from here."""

    message: dict[str, Any]
    at: Head
    units: frozenset[str]


def stamp(epoch: UUID, actor: Actor) -> str:
    """The `epoch` that clients see: opaque, and another one when history or their keys changed."""
    digest = hashlib.sha256("\n".join(sorted(actor.keys)).encode()).hexdigest()
    return f"{epoch}.{digest[:12]}"


async def snapshot(session: AsyncSession, actor: Actor, boards: Boards, positions: Positions) -> Caught:
    """All that `actor` may see, at one instant: call it inside `reading`."""
    at = await head(session)
    features = [feature for board in boards.values() for feature in await board(session, actor, None)]
    message = {"type": "snapshot", **await _common(session, actor, at, positions, units := _units(features))}
    return Caught(message | {"features": features}, at, units)


async def changes(
    session: AsyncSession, actor: Actor, boards: Boards, positions: Positions, since: Cursor
) -> Caught | None:
    """What changed for `actor` since then, one line per subject; None when only a snapshot will do."""
    at = await head(session)
    if since.epoch != stamp(at.epoch, actor) or not max(0, at.seq - TOO_FAR) <= since.seq <= at.seq:
        return None
    known = {"after": since.seq, "upto": at.seq, "keys": sorted(actor.keys)}
    changed = (await session.execute(_CHANGED, known)).all()
    wanted: dict[str, list[UUID]] = defaultdict(list)
    for row in changed:
        kind, _, id_ = row.subject.partition(":")
        wanted[kind].append(UUID(id_))
    current = {
        feature["properties"]["subject"]: feature
        for kind, ids in wanted.items()
        if kind in boards
        for feature in await boards[kind](session, actor, ids)
    }
    lines = [_line(at.seq, row.subject, row.version, current.get(row.subject)) for row in changed]
    units = _units(await boards["unit"](session, actor, None)) if "unit" in boards else frozenset()
    message = {"type": "resumed", **await _common(session, actor, at, positions, units)}
    return Caught(message | {"lines": lines}, at, units)


async def _common(
    session: AsyncSession, actor: Actor, at: Head, positions: Positions, units: frozenset[str]
) -> dict[str, Any]:
    return {
        "epoch": stamp(at.epoch, actor),
        "seq": at.seq,
        "server_time": now(),
        "positions": await positions(session, [UUID(unit) for unit in units]) if units else [],
    }


def _line(seq: int, subject: str, version: int, feature: Feature | None) -> dict[str, Any]:
    if feature is not None:
        version = feature["properties"]["version"]
    return {"type": "line", "seq": seq, "subject": subject, "version": version, "feature": feature}


def _units(features: Collection[Feature]) -> frozenset[str]:
    subjects = (feature["properties"]["subject"] for feature in features)
    return frozenset(subject[5:] for subject in subjects if subject.startswith("unit:"))
