"""Run cards over HTTP: reading them, putting the next edition in force, taking one back."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from incidents.card_trials import (
    MOST_DAYS,
    CardTrial,
    access_trial,
    ask_trial,
    keep_with,
    outcome,
    preview,
    rows_seen,
    trials_of,
)
from incidents.catalogue import catalogue
from incidents.recommendation import Recommendation
from incidents.run_cards import (
    MOST_LEVELS,
    MOST_MINUTES,
    MOST_STEPS,
    AgencyAsk,
    CardLevel,
    CardMessage,
    CardTask,
    MessageTo,
    Need,
    NeedKind,
    RunCardEdition,
    difference,
    editions_of,
    every_card,
    in_force_at,
    may_read_cards,
    publish_edition,
    run_card,
    standing_of,
    withdraw_edition,
)
from realtime.access import Permission, require
from realtime.database import now
from realtime.errors import NotFound
from web.bodies import Body, Capability, Code, Location, Name, NewId, Priority, Short, When
from web.context import CurrentActor, Machines, OnceOnly, Session

router = APIRouter(prefix="/run-cards", tags=["run cards"])

Count = Annotated[int, Field(strict=True, ge=1, le=20)]
PriorityAsked = Annotated[int, Query(ge=1, le=4)]
Agency = Annotated[str, Field(max_length=20, pattern=r"^[A-ZÑ0-9_\-]+$")]


class NeedBody(Body):
    """So many units with a capability."""

    capability: Capability
    count: Count = 1
    kind: NeedKind = NeedKind.REQUIRED
    at_least: Annotated[float, Field(strict=True, gt=0, le=1_000_000, allow_inf_nan=False)] | None = None


class AgencyBody(Body):
    """An outside agency to be asked."""

    agency: Agency
    count: Count = 1
    note: Short = ""


class CardTaskBody(Body):
    """Something to be done."""

    key: Code
    text: Name
    within_minutes: Annotated[int, Field(strict=True, ge=1, le=MOST_MINUTES)] | None = None
    checklist: Annotated[tuple[Name, ...], Field(max_length=MOST_STEPS)] = ()


class MessageBody(Body):
    """Something to be said."""

    to: MessageTo
    text: Name


class LevelBody(Body):
    """What one alarm level adds."""

    needs: Annotated[tuple[NeedBody, ...], Field(max_length=20)] = ()
    agencies: Annotated[tuple[AgencyBody, ...], Field(max_length=20)] = ()
    tasks: Annotated[tuple[CardTaskBody, ...], Field(max_length=20)] = ()
    messages: Annotated[tuple[MessageBody, ...], Field(max_length=20)] = ()

    def as_level(self) -> CardLevel:
        """The level that this says."""
        return CardLevel(
            needs=tuple(Need(one.capability, one.count, one.kind, one.at_least) for one in self.needs),
            agencies=tuple(AgencyAsk(one.agency, one.count, one.note) for one in self.agencies),
            tasks=tuple(CardTask(one.key, one.text, one.within_minutes, one.checklist) for one in self.tasks),
            messages=tuple(CardMessage(one.to, one.text) for one in self.messages),
        )


Levels = Annotated[tuple[LevelBody, ...], Field(min_length=1, max_length=MOST_LEVELS)]


class EditionBody(Body):
    """A card's next edition. `seen`: the number of the newest that its author has looked at, 0 without one."""

    id: NewId
    type_code: Code
    priority: Priority | None = None
    levels: Levels
    seen: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    made_from: UUID | None = None
    valid_from: When | None = None
    note: Short = ""
    trial_id: UUID | None = None


class TrialBody(Body):
    """A draft to be tried on the last days."""

    id: NewId
    type_code: Code
    priority: Priority | None = None
    levels: Levels
    days: Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS)] = 30


class PreviewBody(Body):
    """A draft, and something that happens now. `level`: up to which alarm level it is asked."""

    type_code: Code
    priority: Priority
    levels: Levels
    level: Annotated[int, Field(strict=True, ge=1, le=MOST_LEVELS)] = 1
    location: Location


class WithdrawBody(Body):
    """Why it is taken back."""

    reason: Name


def edition_document(edition: RunCardEdition, book: list[RunCardEdition]) -> dict[str, Any]:
    """An edition as the API shows it, among its card's editions."""
    withdrawn = None
    if edition.withdrawn_at is not None:
        withdrawn = {
            "at": edition.withdrawn_at.isoformat(),
            "by": edition.withdrawn_by,
            "reason": edition.withdrawn_reason,
        }
    return {
        "id": str(edition.id),
        "type_code": edition.type_code,
        "priority": edition.priority,
        "number": edition.number,
        "standing": standing_of(edition, book, now()),
        "levels": edition.content["levels"],
        "made_from": str(edition.made_from) if edition.made_from else None,
        "valid_from": edition.valid_from.isoformat() if edition.valid_from else None,
        "made_at": edition.made_at.isoformat(),
        "made_by": edition.made_by,
        "note": edition.note,
        "withdrawn": withdrawn,
    }


@router.get("")
async def get_run_cards(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Each card with the edition in force and those to come; `missing` are the types that have none now."""
    may_read_cards(actor)
    at = now()
    words = await catalogue(session)
    cards = []
    for (type_code, priority), book in sorted((await every_card(session)).items(), key=lambda card: str(card[0])):
        held = in_force_at(book, at)
        coming = [one for one in book if one.withdrawn_at is None and one.valid_from and one.valid_from > at]
        if held is None and not coming and priority is not None:
            continue
        cards.append(
            {
                "type_code": type_code,
                "priority": priority,
                "newest": book[-1].number,
                "in_force": edition_document(held, book) if held else None,
                "coming": [edition_document(one, book) for one in coming],
            }
        )
    covered = {card["type_code"] for card in cards if card["priority"] is None and card["in_force"]}
    return {"at": at, "cards": cards, "missing": [code for code in words.types if code not in covered]}


@router.get("/in-force")
async def get_card_in_force(
    session: Session, actor: CurrentActor, type_code: Code, priority: PriorityAsked, at: When | None = None
) -> dict[str, Any]:
    """The card for a type and a priority, now or at another moment: `{"card": edition | null}`."""
    may_read_cards(actor)
    card = await run_card(session, type_code, priority, at)
    if card is None or card.id is None:
        return {"card": None}
    book = list(await editions_of(session, card.type_code, card.priority))
    return {"card": edition_document(next(one for one in book if one.id == card.id), book)}


@router.get("/{type_code}")
async def get_run_card(
    type_code: Code, session: Session, actor: CurrentActor, priority: PriorityAsked | None = None
) -> dict[str, Any]:
    """A card's editions, newest first, each with what it changed of the one it was made from (or the one before)."""
    may_read_cards(actor)
    (await catalogue(session)).type(type_code)
    book = list(await editions_of(session, type_code, priority))
    if not book and priority is not None:
        raise NotFound
    by_id = {one.id: one for one in book}
    trials = await trials_of(session, actor, book)
    shown = []
    for place, edition in enumerate(book):
        former = by_id.get(edition.made_from) if edition.made_from else None
        former = former or (book[place - 1] if place else None)
        changes = difference(former.levels, edition.levels) if former else None
        trial = trials.get(edition.id)
        tried = {"id": str(trial.id), **_sample(trial), "summary": trial.summary} if trial else None
        shown.append(edition_document(edition, book) | {"changes": changes, "trial": tried})
    return {"type_code": type_code, "priority": priority, "editions": shown[::-1]}


@router.get("/trials/{trial_id}")
async def get_trial(trial_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """How far a trial is, what comes of it, and incident by incident."""
    trial = await access_trial(session, actor, trial_id)
    return _trial_document(trial) | {"rows": await rows_seen(session, actor, trial)}


@router.post("/trials", status_code=201)
async def post_trial(body: TrialBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Have a draft tried against the incidents of its type in the last days."""

    async def do() -> dict[str, Any]:
        trial = await ask_trial(
            session,
            actor,
            body.id,
            type_code=body.type_code,
            priority=body.priority,
            levels=[level.as_level() for level in body.levels],
            days=body.days,
        )
        return _trial_document(trial)

    return await once(body.id, do)


@router.post("/preview")
async def post_preview(body: PreviewBody, session: Session, actor: CurrentActor, machines: Machines) -> dict[str, Any]:
    """Who would go if it happened there now: by the draft, and by the card in force."""
    require(actor, Permission.RUN_CARD_EDIT)
    require(actor, Permission.UNIT_DISPATCH)
    drafted, held = await preview(
        session,
        actor,
        type_code=body.type_code,
        priority=body.priority,
        levels=[level.as_level() for level in body.levels],
        level=body.level,
        place=body.location,
        timezone=machines.settings.timezone,
    )
    return {"at": now(), "draft": _answer(drafted), "in_force": _answer(held) if held else None}


@router.post("", status_code=201)
async def post_edition(body: EditionBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Put the next edition of a card in force, from now or from a later moment."""

    async def do() -> dict[str, Any]:
        edition = await publish_edition(
            session,
            actor,
            body.id,
            type_code=body.type_code,
            priority=body.priority,
            levels=[level.as_level() for level in body.levels],
            seen=body.seen,
            made_from=body.made_from,
            valid_from=body.valid_from,
            note=body.note,
        )
        if body.trial_id is not None:
            await keep_with(session, await access_trial(session, actor, body.trial_id), edition)
        return await _shown(session, edition)

    return await once(body.id, do)


@router.post("/editions/{edition_id}/withdraw")
async def post_withdraw(edition_id: UUID, body: WithdrawBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Take an edition back: the one before is in force again."""
    return await _shown(session, await withdraw_edition(session, actor, edition_id, reason=body.reason))


async def _shown(session: Session, edition: RunCardEdition) -> dict[str, Any]:
    book = list(await editions_of(session, edition.type_code, edition.priority))
    return edition_document(edition, book)


def _sample(trial: CardTrial) -> dict[str, Any]:
    return {
        "days": trial.days,
        "until": trial.until.isoformat(),
        "asked_by": trial.asked_by,
        "incidents": len(trial.incident_ids),
        "total": trial.total,
    }


def _trial_document(trial: CardTrial) -> dict[str, Any]:
    return {
        "id": str(trial.id),
        "type_code": trial.type_code,
        "priority": trial.priority,
        "edition_id": str(trial.edition_id) if trial.edition_id else None,
        **_sample(trial),
        "state": trial.state,
        "done": len(trial.rows),
        "finished_at": trial.finished_at.isoformat() if trial.finished_at else None,
        "summary": trial.summary,
    }


def _answer(answer: Recommendation) -> dict[str, Any]:
    needs = [
        {
            "capability": one.need.capability,
            "count": one.need.count,
            "kind": one.need.kind,
            "units": [
                {
                    "unit_id": str(pick.option.unit.id),
                    "call_sign": pick.option.unit.call_sign,
                    "seconds": pick.option.eta.seconds,
                    "how": pick.option.eta.how,
                }
                for pick in one.picks
            ],
            "short": {"count": one.shortfall.count, "why": one.shortfall.why} if one.shortfall else None,
        }
        for one in answer.needs
    ]
    return {"needs": needs, **outcome(answer).document()}
