"""Is it the same as another? What is open is weighed by `incidents.likeness`, each part shown; a person decides."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import METRES_PER_DEGREE
from geo.places import metres as metres_between
from incidents.bonds import Link
from incidents.catalogue import Catalogue, IncidentType, catalogue
from incidents.incident import OVER, Incident, nearby, visible_whole_to
from incidents.likeness import Likeness, likeness
from incidents.reports import Report, ReportStatus, access_report, tell
from incidents.reports import visible_to as report_visible_to
from incidents.telephone import normal_phone
from realtime.access import VIGIA, Actor, Permission, Sensitivity, require
from realtime.database import now
from realtime.journal import Entry

WIDEST_METRES, WIDEST_AGE = 1500, dt.timedelta(hours=48)  # within them each type's own window decides
SHOWN, LIKELY = 0.15, 0.5  # of the chance: worth a look, and worth marking
MOST, MOST_ASKED = 8, 3
SEEN_AGAIN = dt.timedelta(minutes=10)  # typing on, one look at a caller is not ten
SHORTEST_WORD = 4
SILENT_WORDS = frozenset(
    re.findall(
        r"\w+",
        "para pero como esta este esto hace hacia desde sobre entre donde cuando porque unos unas muchos mucha mucho"
        " tiene estan estoy esquina calle casa hola buenas senora senor persona personas gente aviso llama llamo",
    )
)


def alike(one: str, other: str) -> tuple[list[str] | None, float]:
    """The words that both use, as the first says them, and their share of the fewer words; None where one is silent."""
    said, told = _words(one), {stem for _, stem in _words(other)}
    mine = {stem for _, stem in said}
    if not mine or not told:
        return None, 0.0
    both = mine & told
    common = list({stem: word for word, stem in reversed(said) if stem in both}.values())[::-1]
    return common, len(both) / min(len(mine), len(told))


def _words(text: str) -> list[tuple[str, str]]:
    """The words that carry something, each with its stem: no accents, no plural, no gender."""
    plain = unicodedata.normalize("NFD", text.lower())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    found = re.findall(r"[a-z0-9]+", plain)
    weighty = [word for word in found if len(word) >= SHORTEST_WORD and word not in SILENT_WORDS]
    return [(word, re.sub(r"(?<=.{3})(es|os|as|s|a|o|e)$", "", word)) for word in weighty]


# ── Among what is open ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Telling:
    """What somebody tells, as far as it is known."""

    place: Point
    at: dt.datetime
    type_code: str | None = None
    words: str = ""
    phone: str | None = None
    channel: str = "phone"


async def score_duplicates(session: AsyncSession, actor: Actor, telling: Telling) -> list[dict[str, Any]]:
    """Open incidents that a call may be telling of, the likeliest first. Who called before is a recorded look."""
    require(actor, Permission.REPORT_TRIAGE)
    words = await catalogue(session)
    if telling.type_code is not None:
        words.type(telling.type_code)
    return await _scored(session, actor, telling, normal_phone(telling.phone, words.area_code))


async def similar_incidents(session: AsyncSession, actor: Actor, report_id: UUID) -> list[dict[str, Any]]:
    """Open incidents that a report may be telling of, the likeliest first, by the same score.

    `seconds` is how long before the report was told the incident was opened (negative: after).
    """
    require(actor, Permission.REPORT_TRIAGE)
    report = await access_report(session, actor, report_id)
    if report.shape is None:
        return []
    telling = Telling(report.shape, report.told_at, report.type_hint, report.words, channel=report.channel)
    return await _scored(session, actor, telling, None)


async def public_duplicates(session: AsyncSession, telling: Telling) -> list[dict[str, Any]]:
    """What a neighbour may be asked about before reporting: likely the same, and of a type that is no secret.

    `[{"incident_id", "type_name", "metres" (to the next ten), "reports", "since"}]`, the likeliest first, 3 at most. It
    says nothing that whoever stands there does not see.
    """
    found = []
    for one in await _scored(session, VIGIA, telling, None):
        incident = await session.get_one(Incident, UUID(one["incident_id"]))
        kind = (await catalogue(session, incident.catalogue_version)).type(incident.type_code)
        if one["likely"] and kind.public and incident.sensitivity <= Sensitivity.OPERATIONAL:
            metres = math.ceil(one["metres"] / 10) * 10
            told = {"incident_id": one["incident_id"], "type_name": kind.name, "metres": metres}
            found.append(told | {"reports": max(1, incident.reports), "since": incident.opened_at})
    return found[:MOST_ASKED]


async def _scored(session: AsyncSession, actor: Actor, telling: Telling, number: str | None) -> list[dict[str, Any]]:
    since, until = telling.at - WIDEST_AGE, telling.at + WIDEST_AGE
    found = await nearby(session, actor, telling.place, metres=WIDEST_METRES, since=since, until=until, limit=50)
    told = await _reports_of(session, actor, [incident.id for incident, _ in found])
    present = await catalogue(session)
    likely = []
    for incident, metres in found:
        reports = told.get(incident.id, [])
        callers = [one for one in reports if number is not None and one.contact_number == number]
        kind = (await catalogue(session, incident.catalogue_version)).type(incident.type_code)
        weighed = _weigh(present, telling, incident, kind, reports, metres, same_caller=bool(callers))
        if callers or weighed.chance >= SHOWN:
            likely.append((weighed, _shown(telling, incident, kind, weighed, metres), callers))
    likely.sort(key=lambda one: (-one[0].chance, one[1]["metres"], one[1]["code"]))
    for _, _, callers in likely[:MOST]:
        for report in callers:
            await _seen(session, actor, report)
    return [shown for _, shown, _ in likely[:MOST]]


def _weigh(
    present: Catalogue,
    telling: Telling,
    incident: Incident,
    kind: IncidentType,
    reports: Sequence[Report],
    metres: float,
    *,
    same_caller: bool = False,
) -> Likeness:
    common, share = _likest(telling.words, [incident.summary, *(one.words for one in reports)])
    return likeness(
        metres=metres,
        seconds=(telling.at - incident.opened_at).total_seconds(),
        window=kind.duplicate,
        type_is=_type_is(present, telling.type_code, kind),
        channel=telling.channel,
        words=common,
        share=share,
        same_caller=same_caller,
    )


def _shown(
    telling: Telling, incident: Incident, kind: IncidentType, weighed: Likeness, metres: float
) -> dict[str, Any]:
    return {
        "incident_id": str(incident.id),
        "code": incident.code,
        "type_code": incident.type_code,
        "type_name": kind.name,
        "place": incident.place,
        "state": incident.state,
        "priority": incident.priority,
        "reports": incident.reports,
        "metres": round(metres),
        "seconds": round((telling.at - incident.opened_at).total_seconds()),
        "score": round(weighed.chance, 2),
        "likely": weighed.chance >= LIKELY,
        "parts": {name: part.shown() for name, part in weighed.parts.items()},
    }


def _likest(words: str, told: Iterable[str]) -> tuple[list[str] | None, float]:
    """The telling of an incident whose words are nearest to these."""
    best: tuple[list[str] | None, float] = (None, 0.0)
    for each in told:
        common, share = alike(words, each)
        if common is not None and (best[0] is None or share > best[1]):
            best = common, share
    return best


def _type_is(words: Catalogue, type_code: str | None, kind: IncidentType) -> str | None:
    if type_code is None or type_code not in words.types:
        return None
    if type_code == kind.code:
        return "same"
    return "family" if words.type(type_code).group == kind.group else "other"


async def _reports_of(session: AsyncSession, actor: Actor, ids: Sequence[UUID]) -> dict[UUID, list[Report]]:
    query = select(Report).where(Report.incident_id.in_(ids), report_visible_to(actor)).order_by(Report.id)
    told: dict[UUID, list[Report]] = {}
    for report in await session.scalars(query):
        if report.incident_id is not None:
            told.setdefault(report.incident_id, []).append(report)
    return told


async def _seen(session: AsyncSession, actor: Actor, report: Report) -> None:
    """To say that it is the same caller is to say who called: a look, written down once in a while of typing."""
    recent = select(Entry.id).where(
        Entry.incident_id == report.incident_id,
        Entry.kind == "contact.seen",
        Entry.subject == report.subject,
        or_(Entry.actor_id == actor.id, Entry.actor_id.is_(None)),
        Entry.recorded_at > now() - SEEN_AGAIN,
    )
    if await session.scalar(recent.limit(1)) is None:
        report = await access_report(session, actor, report.id, lock=True)
        await tell(session, actor, "contact.seen", report, incident_id=report.incident_id)


# ── What nobody has tied together yet ─────────────────────────────────────────────────────────────

MOST_READ = 500  # of each kind, the newest
MOST_PAIRS = 12
TALL = WIDEST_METRES / METRES_PER_DEGREE * 1.01  # degrees of latitude


@dataclass(frozen=True, slots=True)
class _Loose:
    """A waiting report or an open incident, as it may be telling of another incident."""

    subject: str
    code: str | None
    telling: Telling
    place: str


async def unlinked_duplicates(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """Waiting reports and open incidents that look like an open one and are tied to none: `total` and the likeliest.

    Of two incidents the newer is compared with the older; a link of any kind, whatever it says, is somebody's answer.
    """
    require(actor, Permission.REPORT_TRIAGE)
    since = now() - WIDEST_AGE
    incidents = await _newest_open(session, actor, since)
    told = await _reports_of(session, actor, [incident.id for incident in incidents])
    loose = [
        _Loose(one.subject, one.code, Telling(one.shape, one.opened_at, one.type_code, one.summary), one.place)
        for one in incidents
    ] + await _waiting_reports(session, actor, since)
    linked = await _linked(session, [incident.id for incident in incidents])
    present = await catalogue(session)
    likest: dict[str, tuple[float, dict[str, Any]]] = {}
    for one, incident, metres in _pairs(loose, incidents):
        if frozenset({one.subject, incident.subject}) in linked:
            continue
        kind = (await catalogue(session, incident.catalogue_version)).type(incident.type_code)
        weighed = _weigh(present, one.telling, incident, kind, told.get(incident.id, []), metres)
        if weighed.chance >= LIKELY and weighed.chance > likest.get(one.subject, (0.0, {}))[0]:
            beside = _shown(one.telling, incident, kind, weighed, metres)
            shown = {"subject": one.subject, "code": one.code, "place": one.place, "words": one.telling.words}
            likest[one.subject] = (weighed.chance, {**shown, "like": beside})
    pairs = sorted(likest.items(), key=lambda each: (-each[1][0], each[0]))
    return {"total": len(pairs), "pairs": [shown for _, (_, shown) in pairs[:MOST_PAIRS]]}


async def _newest_open(session: AsyncSession, actor: Actor, since: dt.datetime) -> Sequence[Incident]:
    query = (
        select(Incident)
        .where(visible_whole_to(actor), Incident.state.not_in(OVER), Incident.opened_at > since)
        .order_by(Incident.opened_at.desc(), Incident.id)
        .limit(MOST_READ)
    )
    return (await session.scalars(query)).all()


async def _waiting_reports(session: AsyncSession, actor: Actor, since: dt.datetime) -> list[_Loose]:
    query = (
        select(Report)
        .where(report_visible_to(actor), Report.status == ReportStatus.RECEIVED, Report.received_at > since)
        .order_by(Report.received_at.desc(), Report.id)
        .limit(MOST_READ)
    )
    return [
        _Loose(
            one.subject, None, Telling(one.shape, one.told_at, one.type_hint, one.words, channel=one.channel), one.place
        )
        for one in await session.scalars(query)
        if one.shape is not None
    ]


async def _linked(session: AsyncSession, ids: Sequence[UUID]) -> set[frozenset[str]]:
    query = select(Link.from_id, Link.to_id).where(
        Link.undone_at.is_(None), or_(Link.from_id.in_(ids), Link.to_id.in_(ids))
    )
    return {frozenset({f"incident:{one}", f"incident:{other}"}) for one, other in await session.execute(query)}


def _pairs(loose: Sequence[_Loose], incidents: Sequence[Incident]) -> Iterator[tuple[_Loose, Incident, float]]:
    """Each thing with each incident near it, but not with itself nor with a newer one, and how many metres apart."""
    by_latitude = sorted(incidents, key=lambda incident: incident.shape.y)
    latitudes = [incident.shape.y for incident in by_latitude]
    for one in loose:
        place = one.telling.place
        for incident in by_latitude[bisect_left(latitudes, place.y - TALL) : bisect_right(latitudes, place.y + TALL)]:
            newer = one.code is not None and (incident.opened_at, incident.code) >= (one.telling.at, one.code)
            if not newer and (apart := metres_between(place, incident.shape)) <= WIDEST_METRES:
                yield one, incident, apart
