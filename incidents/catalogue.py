"""The catalogue: incident types, priorities, targets, dispositions. Data with versions, never `if`s in code.

`santa_fe.json` beside this file is the default that a new city starts from; the database holds every version that
was ever in force, and an incident remembers which one it was classified by.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.type_questions import TypeQuestion, check_channels, check_questions, read_questions
from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import Malformed

SOS = "SOS-01"
DEFAULT = Path(__file__).with_name("santa_fe.json")


class UnknownCode(Malformed):
    """The catalogue has no {what} “{code}”."""


class CatalogueVersion(Base):
    """One version of the catalogue, whole. The highest number is in force."""

    __tablename__ = "catalogue_versions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    made_by: Mapped[str]


@dataclass(frozen=True)
class IncidentType:
    """One type of incident. Seconds and metres; `sensitivity` 0–3."""

    code: str
    name: str
    group: str
    priority: int
    sensitivity: int
    icon: str
    duplicate: dict[str, int]
    public: bool
    apco: str


@dataclass(frozen=True)
class Catalogue:
    """One version, ready to be asked."""

    version: int
    content: dict[str, Any]

    @cached_property
    def types(self) -> dict[str, IncidentType]:
        """The types by code."""
        return {item["code"]: IncidentType(**item) for item in self.content["types"]}

    def type(self, code: str) -> IncidentType:
        """The type with this code. Raises `UnknownCode`."""
        if code not in self.types:
            raise UnknownCode(what="type", code=code)
        return self.types[code]

    def response_seconds(self, priority: int) -> int | None:
        """The promise for a priority: from opening to the first unit on scene; None means by appointment."""
        seconds: int | None = self._priorities[priority]["response_seconds"]
        return seconds

    def acknowledge_seconds(self, priority: int) -> int | None:
        """How long a crew may take to say that it heard; None where the city promises nothing."""
        seconds: int | None = self._priorities[priority].get("acknowledge_seconds")
        return seconds

    def processing_seconds(self, priority: int) -> int:
        """How soon an incident of a priority is to be handed to somebody."""
        seconds: int = self._priorities[priority]["processing_seconds"]
        return seconds

    @cached_property
    def agencies(self) -> dict[str, dict[str, Any]]:
        """The outside agencies by code: `{"code", "name", "phone"}`."""
        return {item["code"]: item for item in self.content.get("agencies", ())}

    @cached_property
    def questions(self) -> tuple[TypeQuestion, ...]:
        """What is asked of whoever calls, in order; each says of which types."""
        return read_questions(self.content)

    @cached_property
    def channels(self) -> dict[str, dict[str, Any]]:
        """Whom to call with what is no emergency of ours, by code: `{"code", "name", "phone", "say", "types"}`."""
        return {item["code"]: item for item in self.content.get("channels", ())}

    @property
    def area_code(self) -> str:
        """The telephone area of the city, for numbers that are said without it; empty where there is none."""
        area: str = self.content.get("area_code", "")
        return area

    @property
    def sos_type(self) -> str:
        """The type of an SOS: its own, or in a city that has none the first of the gravest that is no secret."""
        if SOS in self.types:
            return SOS
        grave = min(self.types.values(), key=lambda kind: (kind.sensitivity > 1, kind.priority, kind.public))
        return grave.code

    def disposition_or_none(self, code: str) -> str | None:
        """`code` if it is a disposition, else None."""
        return code if code in {item["code"] for item in self.content["dispositions"]} else None

    def check_disposition(self, code: str) -> str:
        """`code` if it is a disposition. Raises `UnknownCode`."""
        return self._check("dispositions", "disposition", code)

    def check_dismissal(self, code: str) -> str:
        """`code` if it is a reason to dismiss a report. Raises `UnknownCode`."""
        return self._check("dismissals", "dismissal", code)

    def answer(self, code: str | None) -> str | None:
        """What a disposition or a dismissal says to whoever reported; ours, where the city's own catalogue has none."""
        for content in (self.content, _ours()):
            for item in (*content["dispositions"], *content["dismissals"]):
                if item["code"] == code and item.get("answer"):
                    answer: str = item["answer"]
                    return answer
        return None

    def check_agency(self, code: str) -> str:
        """`code` if it is an outside agency. Raises `UnknownCode`."""
        if code not in self.agencies:
            raise UnknownCode(what="agency", code=code)
        return code

    def check_channel(self, code: str) -> str:
        """`code` if it is a channel for what is no emergency. Raises `UnknownCode`."""
        if code not in self.channels:
            raise UnknownCode(what="channel", code=code)
        return code

    def check_priority(self, level: int) -> int:
        """`level` if it is a priority. Raises `UnknownCode`."""
        if level not in self._priorities:
            raise UnknownCode(what="priority", code=level)
        return level

    @cached_property
    def _priorities(self) -> dict[int, dict[str, Any]]:
        return {item["level"]: item for item in self.content["priorities"]}

    def _check(self, part: str, what: str, code: str) -> str:
        if code not in {item["code"] for item in self.content[part]}:
            raise UnknownCode(what=what, code=code)
        return code

    def as_document(self) -> dict[str, Any]:
        """What the API shows: the content, its version, and each type's promise spelled out."""
        types = [item | {"response_seconds": self.response_seconds(item["priority"])} for item in self.content["types"]]
        answered = {
            part: [item | {"answer": self.answer(item["code"])} for item in self.content[part]]
            for part in ("dispositions", "dismissals")
        }
        return {"version": self.version, **self.content, **answered, "types": types}


_read: dict[int, Catalogue] = {}  # a version never changes once it exists


async def catalogue(session: AsyncSession, version: int | None = None) -> Catalogue:
    """The catalogue in force, or the one of `version`."""
    if version is None:
        newest = select(CatalogueVersion.number).order_by(CatalogueVersion.number.desc()).limit(1)
        version = (await session.scalars(newest)).one()
    if version not in _read:
        row = await session.get_one(CatalogueVersion, version)
        _read[version] = Catalogue(version, row.content)
    return _read[version]


async def publish_catalogue(session: AsyncSession, actor: Actor, content: dict[str, Any]) -> Catalogue:
    """Put a new version in force; the same content as now is not a new version. Raises `BadCatalogue`."""
    require(actor, Permission.CATALOGUE_EDIT)
    check_questions(content)
    check_channels(content)
    newest = (await session.scalars(select(CatalogueVersion).order_by(CatalogueVersion.number.desc()).limit(1))).first()
    if newest is not None and newest.content == content:
        return await catalogue(session, newest.number)
    fresh = CatalogueVersion(number=(newest.number if newest else 0) + 1, content=content, made_by=actor.name)
    session.add(fresh)
    await session.flush()
    return Catalogue(fresh.number, content)


@cache
def _ours() -> dict[str, Any]:
    return default_content()


def default_content() -> dict[str, Any]:
    """The catalogue that ships with Vigía."""
    content: dict[str, Any] = json.loads(DEFAULT.read_text(encoding="utf-8"))
    return content
