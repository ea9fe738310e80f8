"""Looking for a thing by a few letters: what each source of answers is asked, and what it answers.

Sources are listed in `web/sources.py`; each stands beside the others of its floor and keeps its concept's own rule of
who may see what, so that nothing is found, named or counted for whom it is hidden from.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from realtime.access import Actor

LEAST = 2  # letters: with fewer everything is found
MOST_WORDS = 6
EACH = 6  # of one kind: all kinds together fit on a screen

_ACCENTED, _BARE = "áàâäãéèêëíìîïóòôöõúùûüñç", "aaaaaeeeeiiiiooooouuuunc"


@dataclass(frozen=True)
class Found:
    """One answer: `title` is what it is called, `detail` tells it from others, `location` is a GeoJSON point in
    longitude and latitude (WGS 84) or None, `facts` are the few that its kind is drawn with."""

    kind: str
    id: UUID
    title: str
    detail: str = ""
    location: dict[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


Source = Callable[[AsyncSession, Actor, tuple[str, ...]], Awaitable[list[Found]]]


def bare(text: str) -> str:
    """Lower case, without accents: how words are compared here."""
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(symbol for symbol in plain if not unicodedata.combining(symbol))


def words_of(query: str) -> tuple[str, ...]:
    """The words of a query, bare; none when there are too few letters to look for."""
    words = tuple(word for word in bare(query).split() if any(symbol.isalnum() for symbol in word))[:MOST_WORDS]
    return words if sum(map(len, words)) >= LEAST else ()


def holds(word: str, *columns: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """Whether one of the columns has these letters in it, whatever their case or accents."""
    return or_(
        *(func.translate(func.lower(column), _ACCENTED, _BARE).contains(word, autoescape=True) for column in columns)
    )


def holds_all(
    words: tuple[str, ...], *columns: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
) -> ColumnElement[bool]:
    """Whether every word is somewhere in the columns."""
    return and_(*(holds(word, *columns) for word in words))
