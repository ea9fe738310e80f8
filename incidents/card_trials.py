"""Trials: what a run card that is not signed yet would have changed last month.

For each incident of its type the situation of the moment it was opened is rebuilt, and asked twice whom to send: with
the card in force then and with the draft, up to the alarm level that the incident reached. A trial is a row that a job
fills a few incidents at a time, so it survives restarts and holds nobody up; it is kept with the edition that comes of
it.

It is worked with the present rights of whoever asked: incidents that he may not see whole are neither shown nor
counted, and a trial itself is only shown to those who may know incidents of its type.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, Text, Uuid, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import Point
from incidents.catalogue import catalogue
from incidents.incident import Incident, visible_whole_to
from incidents.recommendation import Call, Recommendation, recommend
from incidents.run_cards import (
    CardLevel,
    NeedKind,
    RunCard,
    RunCardEdition,
    check_card,
    content_of,
    every_card,
    in_force_at,
    levels_of,
    run_card,
)
from incidents.situation import Situation, situation
from realtime.access import VIGIA, Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotFound
from realtime.jobs import defer
from realtime.registers import Register, turn_page
from resources.organizations import Organization
from resources.people import Person, actor_for

MOST_DAYS = 60
MOST_INCIDENTS = 300  # more are sampled evenly
JOB = "run card trial"
BUDGET = 1.2  # seconds of work per job: none may take 3


class TrialState(StrEnum):
    """How far a trial is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class NothingToTryOn(Malformed):
    """There was no incident of that type in the last {days} days: nothing to try the card on."""


class OtherDraft(Malformed):
    """That trial was of another draft: try this one."""


class CardTrial(Base):
    """One trial. `incident_ids` are the sample, oldest first; `total` is how many there were to choose from."""

    __tablename__ = "run_card_trials"
    __table_args__ = (CheckConstraint("days BETWEEN 1 AND 60", name="days"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type_code: Mapped[str] = mapped_column(Text)
    priority: Mapped[int | None] = mapped_column(SmallInteger)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    edition_id: Mapped[UUID | None] = mapped_column(ForeignKey("run_card_editions.id"), index=True)
    days: Mapped[int] = mapped_column(SmallInteger)
    until: Mapped[dt.datetime]
    asked_by: Mapped[str] = mapped_column(Text)
    asked_by_id: Mapped[UUID | None]
    incident_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    total: Mapped[int]
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    state: Mapped[TrialState] = mapped_column(Text)
    finished_at: Mapped[dt.datetime | None]


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def ask_trial(
    session: AsyncSession,
    actor: Actor,
    trial_id: UUID,
    *,
    type_code: str,
    priority: int | None,
    levels: Sequence[CardLevel],
    days: int = 30,
) -> CardTrial:
    """Have a draft tried against the incidents of its type in the last `days` (1–60), at most 300 of them.

    A draft for every priority is tried on those whose priority has no card of its own. Raises `NothingToTryOn`, what
    `check_card` raises, and `NotFound` for a type of which the actor may know no incidents.
    """
    require(actor, Permission.RUN_CARD_EDIT)
    require(actor, Permission.UNIT_DISPATCH)
    if await session.get(CardTrial, trial_id) is not None:
        raise AlreadyExists
    await _may_know(session, actor, type_code)
    await check_card(session, type_code, levels)
    until = now()
    query = select(Incident.id).where(
        Incident.type_code == type_code,
        Incident.opened_at.between(until - dt.timedelta(days=days), until),
        visible_whole_to(actor),
    )
    if priority is None:
        books = (await every_card(session)).items()
        own = [of for (code, of), book in books if code == type_code and of and in_force_at(book, until)]
        query = query.where(Incident.priority.not_in(own))
    else:
        query = query.where(Incident.priority == priority)
    found = list(await session.scalars(query.order_by(Incident.opened_at, Incident.id)))
    if not found:
        raise NothingToTryOn(days=days)
    trial = CardTrial(
        id=trial_id,
        type_code=type_code,
        priority=priority,
        content=content_of(levels),
        days=days,
        until=until,
        asked_by=actor.name,
        asked_by_id=actor.id,
        incident_ids=evenly(found, MOST_INCIDENTS),
        total=len(found),
        rows=[],
        state=TrialState.RUNNING,
    )
    session.add(trial)
    await session.flush()
    await defer(session, JOB, at=until, key=f"trial:{trial_id}", trial_id=str(trial_id))
    await turn_page(session, actor, Register.RUN_CARDS, "run_card.trial_asked", detail={"trial_id": str(trial_id)})
    return trial


async def access_trial(session: AsyncSession, actor: Actor, trial_id: UUID) -> CardTrial:
    """A trial, for those who edit cards and may know incidents of its type. Raises `NotFound`."""
    require(actor, Permission.RUN_CARD_EDIT)
    require(actor, Permission.UNIT_DISPATCH)
    trial = await session.get(CardTrial, trial_id)
    if trial is None:
        raise NotFound
    await _may_know(session, actor, trial.type_code)
    return trial


async def keep_with(session: AsyncSession, trial: CardTrial, edition: RunCardEdition) -> None:
    """Keep a trial with the edition that came of it. Raises `OtherDraft` when it was of another."""
    same = (trial.type_code, trial.priority, trial.content) == (edition.type_code, edition.priority, edition.content)
    if not same or trial.edition_id is not None:
        raise OtherDraft
    trial.edition_id = edition.id
    await session.flush()


async def trials_of(session: AsyncSession, actor: Actor, editions: Sequence[RunCardEdition]) -> dict[UUID, CardTrial]:
    """By edition, the trial that was made before it; none of a type of which the actor may know no incidents."""
    query = select(CardTrial).where(CardTrial.edition_id.in_([one.id for one in editions]))
    words = await catalogue(session)
    return {
        trial.edition_id: trial
        for trial in await session.scalars(query)
        if trial.edition_id is not None and words.type(trial.type_code).sensitivity <= actor.reach
    }


async def rows_seen(session: AsyncSession, actor: Actor, trial: CardTrial) -> list[dict[str, Any]]:
    """A trial's rows, without those of incidents that have become more secret than the actor may know."""
    query = select(Incident.id).where(Incident.id.in_(trial.incident_ids), visible_whole_to(actor))
    seen = {str(id_) for id_ in await session.scalars(query)}
    return [row for row in trial.rows if row["incident_id"] in seen]


async def _may_know(session: AsyncSession, actor: Actor, type_code: str) -> None:
    if (await catalogue(session)).type(type_code).sensitivity > actor.reach:
        raise NotFound


def evenly(things: Sequence[UUID], most: int) -> list[UUID]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(things) <= most:
        return list(things)
    return [things[round(place * (len(things) - 1) / (most - 1))] for place in range(most)]


# ── The job ───────────────────────────────────────────────────────────────────────────────────────


async def carry_on_trial(session: AsyncSession, *, trial_id: str, timezone: str) -> None:
    """The job: some more incidents of a trial, then the rest in a job of its own. What is done is not done again."""
    trial = await session.get(CardTrial, UUID(trial_id), with_for_update=True, populate_existing=True)
    if trial is None or trial.state != TrialState.RUNNING:
        return
    actor = await _asker(session, trial)
    if actor is None:
        trial.state, trial.finished_at = TrialState.FAILED, now()
        await turn_page(session, VIGIA, Register.RUN_CARDS, "run_card.tried", detail={"trial_id": trial_id})
        return
    rows, began = list(trial.rows), time.monotonic()
    draft = levels_of(trial.content)
    for incident_id in trial.incident_ids[len(rows) :]:
        rows.append(await _tried_on(session, actor, trial, draft, incident_id, timezone))
        if time.monotonic() - began > BUDGET:
            break
    trial.rows = rows
    if len(rows) < len(trial.incident_ids):
        await defer(session, JOB, at=now(), key=f"trial:{trial_id}", trial_id=trial_id)
        return
    trial.summary, trial.state, trial.finished_at = summed_up(rows), TrialState.DONE, now()
    await turn_page(session, VIGIA, Register.RUN_CARDS, "run_card.tried", detail={"trial_id": trial_id})


async def _asker(session: AsyncSession, trial: CardTrial) -> Actor | None:
    """Whoever asked, with the rights of now; None when he is gone or may not any more."""
    person = await session.get(Person, trial.asked_by_id) if trial.asked_by_id else None
    if person is None or person.disabled_at is not None:
        return None
    actor = actor_for(person, await session.get_one(Organization, person.organization_id))
    return actor if actor.may(Permission.RUN_CARD_EDIT) and actor.may(Permission.UNIT_DISPATCH) else None


async def _tried_on(
    session: AsyncSession,
    actor: Actor,
    trial: CardTrial,
    draft: tuple[CardLevel, ...],
    incident_id: UUID,
    timezone: str,
) -> dict[str, Any]:
    query = select(Incident).where(Incident.id == incident_id, visible_whole_to(actor))
    incident = (await session.scalars(query)).first()
    if incident is None:  # hidden since it was chosen
        return {"incident_id": str(incident_id), "before": None, "after": None}
    at = incident.opened_at
    then = await run_card(session, trial.type_code, incident.priority, at)
    drafted = RunCard(None, trial.type_code, trial.priority, 0, None, draft)
    here = await situation(session, actor, at=at, timezone=timezone)
    call = Call(incident.shape, incident.priority, trial.type_code, None, incident.jurisdiction)
    before, after = await asyncio.to_thread(_asked_twice, here, call, then, drafted, incident.alarm_level)
    return {
        "incident_id": str(incident.id),
        "code": incident.code,
        "at": at.isoformat(),
        "level": incident.alarm_level,
        "edition": then.edition if then else None,
        "before": before.document(),
        "after": after.document(),
        "unknown": list(here.unknown),
    }


def _asked_twice(
    here: Situation, call: Call, then: RunCard | None, draft: RunCard, level: int
) -> tuple[Outcome, Outcome]:
    return outcome(recommend(here, call, then, level)), outcome(recommend(here, call, draft, level))


# ── What comes of a card ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who would go, when the first and the last of the required are there, and what is short or left uncovered.

    Seconds; None where nobody goes or somebody required is missing. `people` and `street_km`: what each unit's leaving
    takes beyond its worst target, added up; None where nobody counted.
    """

    units: tuple[str, ...]
    first: float | None
    last: float | None
    short: int
    people: int | None
    street_km: float

    def document(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {
            "units": list(self.units),
            "first": self.first,
            "last": self.last,
            "short": self.short,
            "people": self.people,
            "street_km": self.street_km,
        }


def outcome(answer: Recommendation) -> Outcome:
    """What a recommendation comes to."""
    required = [
        pick.option.eta.seconds
        for need in answer.needs
        if need.need.kind is NeedKind.REQUIRED
        for pick in need.picks
        if pick.option.eta.seconds is not None
    ]
    every = [pick.option.eta.seconds for pick in answer.picks if pick.option.eta.seconds is not None]
    losses = [pick.option.loss.lost for pick in answer.picks if pick.option.loss is not None]
    counted = [lost.people for lost in losses if lost.people is not None]
    return Outcome(
        units=tuple(sorted(pick.option.unit.call_sign for pick in answer.picks)),
        first=round(min(every), 1) if every else None,
        last=round(max(required), 1) if required and not answer.short else None,
        short=answer.short,
        people=sum(counted) if len(counted) == len(losses) else None,
        street_km=round(sum(lost.street_km for lost in losses), 2),
    )


def summed_up(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Totals both ways over the incidents that could be tried: P50 and P90 with how many they rest on."""
    tried = [row for row in rows if row["before"] is not None]
    gone: dict[str, int] = {}
    come: dict[str, int] = {}
    changed = 0
    for row in tried:
        before, after = set(row["before"]["units"]), set(row["after"]["units"])
        changed += before != after
        for unit in before - after:
            gone[unit] = gone.get(unit, 0) + 1
        for unit in after - before:
            come[unit] = come.get(unit, 0) + 1
    return {
        "incidents": len(tried),
        "changed": changed,
        "added": sum(come.values()),
        "removed": sum(gone.values()),
        "most_added": _most(come),
        "most_removed": _most(gone),
        "before": _totals([row["before"] for row in tried]),
        "after": _totals([row["after"] for row in tried]),
    }


def _most(counts: Mapping[str, int]) -> list[list[Any]]:
    return [[unit, times] for unit, times in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:8]]


def _totals(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    people = [one["people"] for one in outcomes]
    return {
        "units": sum(len(one["units"]) for one in outcomes),
        "first": _percentiles([one["first"] for one in outcomes if one["first"] is not None]),
        "last": _percentiles([one["last"] for one in outcomes if one["last"] is not None]),
        "short": sum(one["short"] for one in outcomes),
        "short_incidents": sum(one["short"] > 0 for one in outcomes),
        "people": None if any(one is None for one in people) else sum(people),
        "street_km": round(sum(one["street_km"] for one in outcomes), 2),
    }


def _percentiles(seconds: Sequence[float]) -> dict[str, Any] | None:
    if not seconds:
        return None
    p50, p90 = np.percentile(np.asarray(seconds), [50, 90])
    return {"p50": round(float(p50), 1), "p90": round(float(p90), 1), "n": len(seconds)}


# ── Before anything has happened ──────────────────────────────────────────────────────────────────


async def preview(
    session: AsyncSession,
    actor: Actor,
    *,
    type_code: str,
    priority: int,
    levels: Sequence[CardLevel],
    level: int,
    place: Point,
    timezone: str,
) -> tuple[Recommendation, Recommendation | None]:
    """Who would go if it happened there now: by a draft, and by the card in force (None without one)."""
    await check_card(session, type_code, levels)
    here = await situation(session, actor, timezone=timezone)
    call = Call(place, priority, type_code)
    held = await run_card(session, type_code, priority)
    drafted = RunCard(None, type_code, priority, 0, None, tuple(levels))

    def ask() -> tuple[Recommendation, Recommendation | None]:
        return recommend(here, call, drafted, level), recommend(here, call, held, level) if held else None

    return await asyncio.to_thread(ask)
