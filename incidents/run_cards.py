"""Run cards: for a type of incident and a priority, who goes, whom we ask, what is done; level upon level.

Levels are additive: the second alarm asks for what its level lists *besides* the first's.

A card is a row of editions. One is in force from the moment it names until a newer one's moment comes, unless it is
withdrawn; then the one before is in force again. Nothing is deleted and nothing is dated into the past, so
`run_card(…, at=…)` answers for any moment what held then. `run_cards.json` beside this file is what a new city
starts from; those first editions have always been in force.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, SmallInteger, Text, or_, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.catalogue import Catalogue, catalogue
from realtime.access import Actor, Permission, require
from realtime.database import Base, new_id, now
from realtime.errors import AlreadyExists, Malformed, NotAllowed, NotFound, Refusal
from realtime.registers import READERS, Register, turn_page
from resources.capabilities import UnknownCapability, capabilities

DEFAULT = Path(__file__).with_name("run_cards.json")
MOST_LEVELS = 9
MOST_STEPS = 20  # of a checklist
MOST_MINUTES = 7 * 24 * 60  # to do something in


class NeedKind(StrEnum):
    """How much a need weighs: asked for always, gladly added, or held ready."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    RESERVE = "reserve"


class MessageTo(StrEnum):
    """Who is to hear a card's message."""

    CREW = "crew"
    DESK = "desk"
    CALLER = "caller"
    VECINAL = "vecinal"


@dataclass(frozen=True, slots=True)
class Need:
    """So many units with a capability; `at_least` is a least amount in the capability's measure (litres, tonnes)."""

    capability: str
    count: int = 1
    kind: NeedKind = NeedKind.REQUIRED
    at_least: float | None = None


@dataclass(frozen=True, slots=True)
class AgencyAsk:
    """An outside agency to be asked: they decide. `agency` is a code of the catalogue (POL, AMB, BOM …)."""

    agency: str
    count: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class CardTask:
    """Something to be done, with the steps of its checklist. `within_minutes` counts from when the level was raised."""

    key: str
    text: str
    within_minutes: int | None = None
    checklist: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardMessage:
    """Something to be said, and to whom: `crew`, `desk`, `caller`, `vecinal`."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class CardLevel:
    """What one alarm level adds."""

    needs: tuple[Need, ...] = ()
    agencies: tuple[AgencyAsk, ...] = ()
    tasks: tuple[CardTask, ...] = ()
    messages: tuple[CardMessage, ...] = ()

    def __bool__(self) -> bool:
        """Whether it adds anything."""
        return bool(self.needs or self.agencies or self.tasks or self.messages)


@dataclass(frozen=True, slots=True)
class RunCard:
    """One edition of a run card. `priority` None: for every priority that has no card of its own."""

    id: UUID | None
    type_code: str
    priority: int | None
    edition: int
    valid_from: dt.datetime | None
    levels: tuple[CardLevel, ...]

    def needs(self, level: int) -> list[Need]:
        """What is needed up to an alarm level (1 is the first): levels add up."""
        return [need for one in self.levels[:level] for need in one.needs]


# ── What a card says, as data ─────────────────────────────────────────────────────────────────────


def levels_of(content: Mapping[str, Any]) -> tuple[CardLevel, ...]:
    """The levels that stored content tells. The content was checked when it came in."""
    return tuple(
        CardLevel(
            needs=tuple(Need(**one | {"kind": NeedKind(one["kind"])}) for one in level.get("needs", ())),
            agencies=tuple(AgencyAsk(**one) for one in level.get("agencies", ())),
            tasks=tuple(
                CardTask(**one | {"checklist": tuple(one.get("checklist", ()))}) for one in level.get("tasks", ())
            ),
            messages=tuple(CardMessage(**one) for one in level.get("messages", ())),
        )
        for level in content["levels"]
    )


def content_of(levels: Iterable[CardLevel]) -> dict[str, Any]:
    """Levels as they are stored and shown: every field said, tuples as lists."""
    return {"levels": [json.loads(json.dumps(asdict(level))) for level in levels]}


def default_cards() -> list[tuple[str, int | None, dict[str, Any]]]:
    """The cards that ship with Vigía: type, priority, content."""
    cards = json.loads(DEFAULT.read_text(encoding="utf-8"))["cards"]
    return [(card["type_code"], card["priority"], content_of(levels_of(card))) for card in cards]


class LevelAddsNothing(Malformed):
    """Level {level} adds nothing: leave it out or say what it adds."""


class TwiceInOneCard(Malformed):
    """“{key}” stands twice: a task's key once in a card, an agency once in a level."""


async def check_card(session: AsyncSession, type_code: str, levels: Sequence[CardLevel]) -> None:
    """What any card must hold. Raises `UnknownCode`, `UnknownCapability`, `LevelAddsNothing` and `TwiceInOneCard`."""
    words = await catalogue(session)
    words.type(type_code)
    check_levels(levels, words)
    codes = list(dict.fromkeys(need.capability for level in levels for need in level.needs))
    known = await capabilities(session, codes)
    for code in codes:
        if code not in known:
            raise UnknownCapability(code=code)


def check_levels(levels: Sequence[CardLevel], words: Catalogue) -> None:
    """What can be said of a card without the capabilities there are."""
    for number, level in enumerate(levels, start=1):
        if number > 1 and not level:
            raise LevelAddsNothing(level=number)
        for ask in level.agencies:
            words.check_agency(ask.agency)
        _once_each(ask.agency for ask in level.agencies)
    _once_each(task.key for level in levels for task in level.tasks)


def _once_each(keys: Iterable[str]) -> None:
    for key, times in Counter(keys).items():
        if times > 1:
            raise TwiceInOneCard(key=key)


def difference(before: Sequence[CardLevel], after: Sequence[CardLevel]) -> list[dict[str, Any]]:
    """What changed from one edition to another: `[{"level", "part", "key", "before", "after"}]`, None: not there."""
    changes: list[dict[str, Any]] = []
    for number in range(1, max(len(before), len(after)) + 1):
        old, new = (_parts(levels[number - 1] if number <= len(levels) else CardLevel()) for levels in (before, after))
        for part, key in [*old, *(place for place in new if place not in old)]:
            was, now_is = old.get((part, key)), new.get((part, key))
            if was != now_is:
                changes.append({"level": number, "part": part, "key": key, "before": was, "after": now_is})
    return changes


def _parts(level: CardLevel) -> dict[tuple[str, str], dict[str, Any]]:
    """Everything in a level by what it is called; what stands there twice has a number."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    named: list[tuple[str, str, Any]] = [
        *(("needs", need.capability, need) for need in level.needs),
        *(("agencies", ask.agency, ask) for ask in level.agencies),
        *(("tasks", task.key, task) for task in level.tasks),
        *(("messages", message.to, message) for message in level.messages),
    ]
    for part, name, thing in named:
        times = sum(place[0] == part and place[1].split("#")[0] == name for place in found)
        found[part, f"{name}#{times + 1}" if times else name] = json.loads(json.dumps(asdict(thing)))
    return found


# ── Table ─────────────────────────────────────────────────────────────────────────────────────────


class RunCardEdition(Base):
    """One edition of a card. `valid_from` None: it has always been in force."""

    __tablename__ = "run_card_editions"
    __table_args__ = (
        CheckConstraint("priority BETWEEN 1 AND 4", name="priority"),
        CheckConstraint("number > 0", name="number"),
        Index(
            "uq_run_card_editions_number",
            "type_code",
            "priority",
            "number",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type_code: Mapped[str] = mapped_column(Text)
    priority: Mapped[int | None] = mapped_column(SmallInteger)
    number: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_from: Mapped[UUID | None] = mapped_column(ForeignKey("run_card_editions.id"))
    valid_from: Mapped[dt.datetime | None]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    made_by: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)

    @property
    def levels(self) -> tuple[CardLevel, ...]:
        """What it says."""
        return levels_of(self.content)

    def as_card(self) -> RunCard:
        """This edition as a card."""
        return RunCard(self.id, self.type_code, self.priority, self.number, self.valid_from, self.levels)


def in_force_at(editions: Iterable[RunCardEdition], at: dt.datetime) -> RunCardEdition | None:
    """The edition, of one type's and one priority's, that holds at a moment: of those not withdrawn the last."""
    standing = [
        one
        for one in editions
        if (one.valid_from is None or one.valid_from <= at) and (one.withdrawn_at is None or one.withdrawn_at > at)
    ]
    return max(standing, key=_came, default=None)


def _came(edition: RunCardEdition) -> tuple[float, int]:
    since = edition.valid_from.timestamp() if edition.valid_from else float("-inf")
    return since, edition.number


# ── Who may see: the desk, the government and who edits them. What it says of an incident is in its tasks ──


def may_read_cards(actor: Actor) -> None:
    """Raises `NotAllowed` for those who have nothing to do with run cards."""
    if actor.keys.isdisjoint(READERS):
        raise NotAllowed(permission=Permission.RUN_CARD_EDIT.value)


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def run_card(
    session: AsyncSession, type_code: str, priority: int, at: dt.datetime | None = None
) -> RunCard | None:
    """The card in force at a moment (now, unless said): the one for this priority, else the type's; None without."""
    at = at or now()
    query = select(RunCardEdition).where(
        RunCardEdition.type_code == type_code,
        or_(RunCardEdition.priority == priority, RunCardEdition.priority.is_(None)),
        *_holds_at(at),
    )
    found = (await session.scalars(query)).all()
    own = in_force_at((one for one in found if one.priority is not None), at)
    card = own or in_force_at((one for one in found if one.priority is None), at)
    return card.as_card() if card else None


def _holds_at(at: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        or_(RunCardEdition.valid_from.is_(None), RunCardEdition.valid_from <= at),
        or_(RunCardEdition.withdrawn_at.is_(None), RunCardEdition.withdrawn_at > at),
    )


async def editions_of(session: AsyncSession, type_code: str, priority: int | None) -> Sequence[RunCardEdition]:
    """Every edition of one card, oldest first."""
    query = select(RunCardEdition).where(
        RunCardEdition.type_code == type_code, RunCardEdition.priority.is_not_distinct_from(priority)
    )
    return (await session.scalars(query.order_by(RunCardEdition.number))).all()


async def every_card(session: AsyncSession) -> dict[tuple[str, int | None], list[RunCardEdition]]:
    """All editions there are, by type and priority, oldest first."""
    cards: dict[tuple[str, int | None], list[RunCardEdition]] = {}
    for one in await session.scalars(select(RunCardEdition).order_by(RunCardEdition.number)):
        cards.setdefault((one.type_code, one.priority), []).append(one)
    return cards


class Standing(StrEnum):
    """What an edition is at a moment."""

    IN_FORCE = "in_force"
    COMING = "coming"
    PAST = "past"
    WITHDRAWN = "withdrawn"


def standing_of(edition: RunCardEdition, editions: Iterable[RunCardEdition], at: dt.datetime) -> Standing:
    """What an edition is among its card's at a moment."""
    if edition.withdrawn_at is not None and edition.withdrawn_at <= at:
        return Standing.WITHDRAWN
    if edition.valid_from is not None and edition.valid_from > at:
        return Standing.COMING
    return Standing.IN_FORCE if in_force_at(editions, at) is edition else Standing.PAST


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


class CardEditedMeanwhile(Refusal):
    """{by} published edition {number} of this card meanwhile: you had seen {seen}."""

    status = 409


class InThePast(Malformed):
    """A card cannot be dated into the past."""


class AlreadyWithdrawn(Refusal):
    """That edition was withdrawn already, by {by}."""

    status = 409


async def publish_edition(
    session: AsyncSession,
    actor: Actor,
    edition_id: UUID,
    *,
    type_code: str,
    priority: int | None,
    levels: Sequence[CardLevel],
    seen: int,
    made_from: UUID | None = None,
    valid_from: dt.datetime | None = None,
    note: str = "",
) -> RunCardEdition:
    """Put a card's next edition in force, from now or from a later moment.

    `seen` is the number of the newest edition that its author has looked at (0 without one): what came meanwhile is
    refused with `CardEditedMeanwhile`, so that nobody's change is lost unread. `made_from` is the one it was made from.
    Raises also `InThePast` and what `check_card` raises.
    """
    require(actor, Permission.RUN_CARD_EDIT)
    if await session.get(RunCardEdition, edition_id) is not None:
        raise AlreadyExists
    at = now()
    if valid_from is not None and valid_from < at - dt.timedelta(minutes=1):
        raise InThePast
    await check_card(session, type_code, levels)
    editions = await editions_of(session, type_code, priority)
    newest = editions[-1] if editions else None
    if newest is not None and newest.number != seen:
        raise CardEditedMeanwhile(by=newest.made_by, number=newest.number, seen=seen, edition_id=str(newest.id))
    if made_from is not None and made_from not in {one.id for one in editions}:
        raise NotFound
    row = {
        "id": edition_id,
        "type_code": type_code,
        "priority": priority,
        "number": (newest.number if newest else 0) + 1,
        "content": content_of(levels),
        "made_from": made_from,
        "valid_from": max(valid_from or at, at),
        "made_at": at,
        "made_by": actor.name,
        "note": note,
    }
    # Two who publish at the same moment: the second waits here and finds that his number is taken.
    laid = await session.scalar(
        insert(RunCardEdition).values(row).on_conflict_do_nothing().returning(RunCardEdition.id)
    )
    if laid is None:
        other = (await session.scalars(_latest(type_code, priority))).one()
        raise CardEditedMeanwhile(by=other.made_by, number=other.number, seen=seen, edition_id=str(other.id))
    detail = {"edition_id": str(edition_id), "type": type_code, "priority": priority, "number": row["number"]}
    await turn_page(session, actor, Register.RUN_CARDS, "run_card.published", detail=detail)
    return await session.get_one(RunCardEdition, edition_id)


async def withdraw_edition(session: AsyncSession, actor: Actor, edition_id: UUID, *, reason: str) -> RunCardEdition:
    """Take an edition back: from now on the one before is in force again. It stays in the book, with the reason."""
    require(actor, Permission.RUN_CARD_EDIT)
    edition = await session.get(RunCardEdition, edition_id, with_for_update=True, populate_existing=True)
    if edition is None:
        raise NotFound
    if edition.withdrawn_at is not None:
        raise AlreadyWithdrawn(by=edition.withdrawn_by)
    edition.withdrawn_at, edition.withdrawn_by, edition.withdrawn_reason = now(), actor.name, reason
    detail = {"edition_id": str(edition.id), "type": edition.type_code, "priority": edition.priority}
    await turn_page(session, actor, Register.RUN_CARDS, "run_card.withdrawn", detail=detail)
    return edition


async def lay_default_cards(session: AsyncSession, actor: Actor) -> int:
    """Give every type that never had a card the one that ships with Vigía; how many. What a city edited stays."""
    require(actor, Permission.RUN_CARD_EDIT)
    words = await catalogue(session)
    known = {(code, priority) for code, priority in await session.execute(select(*_CARD))}
    missing = [
        RunCardEdition(
            id=new_id(), type_code=code, priority=priority, number=1, content=content, made_by=actor.name, note=""
        )
        for code, priority, content in default_cards()
        if code in words.types and (code, priority) not in known
    ]
    session.add_all(missing)
    await session.flush()
    return len(missing)


_CARD = (RunCardEdition.type_code, RunCardEdition.priority)


def _latest(type_code: str, priority: int | None) -> Any:
    return (
        select(RunCardEdition)
        .where(RunCardEdition.type_code == type_code, RunCardEdition.priority.is_not_distinct_from(priority))
        .order_by(RunCardEdition.number.desc())
        .limit(1)
    )
