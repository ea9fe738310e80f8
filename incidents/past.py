"""Past hours: the board as it was at a moment and what changed after it, for whoever looks now.

Two rights must agree: what was told to somebody with these keys then, and what may be known to this person now. So what
became secret since is secret in the past too, and what was erased does not come back. Each look is recorded.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.incident import Incident, visible_whole_to
from incidents.majors import Major
from incidents.majors import visible_to as majors_visible_to
from incidents.reports import Report
from incidents.reports import visible_to as reports_visible_to
from realtime.access import Actor, Permission, face_for, require
from realtime.database import now
from realtime.errors import Malformed, Refusal
from realtime.past import PastLine, past_begins, past_board, past_lines
from realtime.registers import Register, turn_page
from resources.tracks import KEPT, Passing, passings

LONGEST = dt.timedelta(hours=24)
LONGEST_POSITIONS = dt.timedelta(minutes=15)  # of one answer: 500 units are 30,000 places
PAGE = 2_000  # lines of one answer

# These tell of an incident no more than everybody in operations may know: that there is one, and its code.
_TELL_NO_MORE = frozenset({"unit", "sos"})
_IDS = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

Feature = dict[str, Any]


class NotYet(Malformed):
    """The past ends now: choose an hour that has begun."""


class BadInterval(Malformed):
    """A past hour begins before it ends, and lasts at most {hours} hours."""


class BadStretch(Malformed):
    """Past positions are asked for by stretches of at most {minutes} minutes."""


class BeforeThePast(Refusal):
    """What was before {since} is not kept any more."""

    status = 410


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A thing from a moment on, as the actor may see it; without a feature it left his board."""

    subject: str
    version: int
    at: dt.datetime
    feature: Feature | None


@dataclass(frozen=True, slots=True)
class Past:
    """An interval. `board` is how it began; `lines` are all that changed after that and until `complete_to`.

    `tracks_since` is the first moment of which positions are kept, `begins_at` the first that can be looked at.
    """

    since: dt.datetime
    until: dt.datetime
    complete_to: dt.datetime
    begins_at: dt.datetime
    tracks_since: dt.datetime
    board: list[Feature] | None
    lines: list[ShownLine]


async def look_at_past(
    session: AsyncSession,
    actor: Actor,
    *,
    since: dt.datetime,
    until: dt.datetime,
    board: bool = True,
    limit: int = PAGE,
) -> Past:
    """The board at `since`, unless not asked for, and the lines after it and up to `until`, or to `complete_to`.

    Whoever wants more asks again from `complete_to`, without the board.
    Raises `NotYet`, `BadInterval`, `BeforeThePast`.
    """
    require(actor, Permission.PAST_LOOK)
    if not since < until <= since + LONGEST:
        raise BadInterval(hours=LONGEST // dt.timedelta(hours=1))
    until, begins = await _interval(session, since, until)
    features = None
    if board:
        first = await _shown(session, actor, await past_board(session, since))
        features = [line.feature for line in first if line.feature is not None]
    lines, complete_to = await past_lines(session, since, until, limit=limit)
    shown = await _shown(session, actor, lines)
    await _remember(session, actor, since, until)
    return Past(since, until, complete_to, begins, now() - KEPT, features, shown)


async def look_at_past_positions(
    session: AsyncSession, actor: Actor, *, since: dt.datetime, until: dt.datetime
) -> dict[UUID, list[Passing]]:
    """Where units were: each one's last place before `since`, then one for each 15 seconds. Units are operations' own.

    Raises as `look_at_past` does; beyond the days for which tracks are kept there is nothing.
    """
    require(actor, Permission.PAST_LOOK)
    if not since < until <= since + LONGEST_POSITIONS:
        raise BadStretch(minutes=LONGEST_POSITIONS // dt.timedelta(minutes=1))
    until, _ = await _interval(session, since, until)
    await _remember(session, actor, since, until)
    return await passings(session, since, until)


async def _interval(session: AsyncSession, since: dt.datetime, until: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The end that an interval can have by now, and since when the past is known."""
    present = now()
    if since >= present:
        raise NotYet
    begins = await past_begins(session)
    if since < begins:
        raise BeforeThePast(since=begins.isoformat())
    return min(until, present), begins


async def _remember(session: AsyncSession, actor: Actor, since: dt.datetime, until: dt.datetime) -> None:
    """Who looked at which hour: a past board is full of people's days."""
    detail = {"since": since.isoformat(), "until": until.isoformat()}
    await turn_page(session, actor, Register.PAST, "past.seen", detail=detail)


# ── What may be seen of it now ────────────────────────────────────────────────────────────────────


async def _shown(session: AsyncSession, actor: Actor, lines: Sequence[PastLine]) -> list[ShownLine]:
    features = [face_for(actor.keys, line.faces) for line in lines]
    told = [set(_IDS.findall(orjson.dumps(feature))) if feature else set() for feature in features]
    mentioned = {UUID(id_.decode()) for ids in told for id_ in ids}
    known = await _incidents(session, actor, mentioned)
    hidden = {str(id_).encode() for id_, words in known.items() if words is None}
    reports = await _reports(session, actor, {line.id for line in lines if line.kind == "report"})
    majors = await _majors(session, actor, {line.id for line in lines if line.kind == "major"})
    shown = []
    for line, feature, ids in zip(lines, features, told, strict=True):
        seen = feature
        match line.kind:
            case _ if feature is None:
                pass
            case "incident":
                seen = _incident_seen(actor, line, feature, known)
            case "report":
                seen = _with_words(feature, "words", reports[line.id]) if line.id in reports else None
            case "major":
                seen = feature if line.id in majors else None
            case "circuit":
                seen = _circuit_seen(feature, hidden)
            case kind if kind not in _TELL_NO_MORE and ids & hidden:
                seen = None
        shown.append(ShownLine(line.subject, line.version, line.at, seen))
    return shown


async def _incidents(session: AsyncSession, actor: Actor, ids: set[UUID]) -> dict[UUID, str | None]:
    """Of those ids that are incidents' the words that they have now, or None where the actor may not see it whole."""
    there = set(await session.scalars(select(Incident.id).where(Incident.id.in_(ids))))
    query = select(Incident.id, Incident.summary).where(Incident.id.in_(there), visible_whole_to(actor))
    return dict.fromkeys(there) | {row.id: row.summary for row in await session.execute(query)}


async def _reports(session: AsyncSession, actor: Actor, ids: set[UUID]) -> dict[UUID, str]:
    query = select(Report.id, Report.words).where(Report.id.in_(ids), reports_visible_to(actor))
    return {row.id: row.words for row in await session.execute(query)}


async def _majors(session: AsyncSession, actor: Actor, ids: set[UUID]) -> set[UUID]:
    return set(await session.scalars(select(Major.id).where(Major.id.in_(ids), majors_visible_to(actor))))


def _incident_seen(actor: Actor, line: PastLine, feature: Feature, known: dict[UUID, str | None]) -> Feature | None:
    """As it was; masked, where it is masked now; not at all, where it is no more."""
    if line.id not in known:
        return None
    words = known[line.id]
    if words is not None:
        return feature if feature["properties"].get("masked") else _with_words(feature, "summary", words)
    return face_for(actor.keys, [face for face in line.faces if face.feature["properties"]["masked"]])


def _with_words(feature: Feature, name: str, present: str) -> Feature:
    """What somebody said, unless it was erased since."""
    return feature if present else feature | {"properties": feature["properties"] | {name: ""}}


def _circuit_seen(feature: Feature, hidden: set[bytes]) -> Feature:
    """Of a stop that became secret only that there was one."""
    secret = ("incident_id", "code", "type_name", "place", "at")
    stops = [
        {key: stop[key] for key in ("state", "reason", "since")} | dict.fromkeys(secret)
        if str(stop["incident_id"]).encode() in hidden
        else stop
        for stop in feature["properties"]["stops"]
    ]
    return feature | {"properties": feature["properties"] | {"stops": stops}}
