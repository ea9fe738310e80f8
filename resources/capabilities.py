"""Capabilities: what a unit can do, by code and not by name, and what it takes to do it.

A run card asks for a capability and never for a call sign, so that any unit that can will do. Codes stay for good: a
capability that is no longer used is retired, and units that have it keep it until somebody takes it off.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Text, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotFound, VersionMismatch
from realtime.registers import Register, turn_page

DEFAULT = Path(__file__).with_name("capabilities.json")
LARGEST_AMOUNT = 1_000_000.0


class UnknownCapability(Malformed):
    """There is no capability “{code}”."""


class NoAmount(Malformed):
    """An amount needs a capability of the unit that is measured, and a number above 0: not so for “{code}”."""


class Capability(Base):
    """One thing that units can do. `measure` is the unit of its amounts (`l`, `t`, `personas`), None where it is
    had or not. `crew` is what its crew needs: `[{"role", "count", "credential" | null}]`."""

    __tablename__ = "capabilities"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    measure: Mapped[str | None] = mapped_column(Text)
    crew: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    retired_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


async def access_capability(
    session: AsyncSession, code: str, *, lock: bool = False, expected: int | None = None
) -> Capability:
    """One by its code; that it exists is no secret. Raises `NotFound` and `VersionMismatch`."""
    query = select(Capability).where(Capability.code == code)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = (await session.scalars(query)).first()
    if found is None:
        raise NotFound
    if expected is not None and expected != found.version:
        raise VersionMismatch(expected=expected, current=found.version)
    return found


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def add_capability(
    session: AsyncSession,
    actor: Actor,
    code: str,
    *,
    name: str,
    description: str = "",
    measure: str | None = None,
    crew: Sequence[Mapping[str, Any]] = (),
) -> Capability:
    """Make a new one. A code that differs only in its case is the same. Raises `AlreadyExists`."""
    require(actor, Permission.UNIT_MANAGE)
    if code.casefold() in {known.casefold() for known in await session.scalars(select(Capability.code))}:
        raise AlreadyExists
    made = Capability(
        code=code, name=name, description=description, measure=measure, crew=[dict(need) for need in crew], version=1
    )
    session.add(made)
    await turn_page(session, actor, Register.CAPABILITIES, "capability.added", detail={"code": code})
    return made


async def amend_capability(
    session: AsyncSession,
    actor: Actor,
    code: str,
    *,
    name: str | None = None,
    description: str | None = None,
    measure: str | None = None,
    crew: Sequence[Mapping[str, Any]] | None = None,
    expected: int | None = None,
) -> Capability:
    """Change what is said; the rest stays. `measure` "" takes the measure away."""
    require(actor, Permission.UNIT_MANAGE)
    capability = await access_capability(session, code, lock=True, expected=expected)
    capability.name = name or capability.name
    capability.description = capability.description if description is None else description
    capability.measure = capability.measure if measure is None else (measure or None)
    capability.crew = capability.crew if crew is None else [dict(need) for need in crew]
    capability.version += 1
    said = {"name": name, "description": description, "measure": measure, "crew": crew}
    fields = [field for field, value in said.items() if value is not None]
    await turn_page(
        session, actor, Register.CAPABILITIES, "capability.amended", detail={"code": code, "fields": fields}
    )
    return capability


async def retire_capability(
    session: AsyncSession, actor: Actor, code: str, *, retired: bool = True, expected: int | None = None
) -> Capability:
    """No unit gets it any more; those that have it keep it. `retired=False` brings it back."""
    require(actor, Permission.UNIT_MANAGE)
    capability = await access_capability(session, code, lock=True, expected=expected)
    capability.retired_at = (capability.retired_at or now()) if retired else None
    capability.version += 1
    kind = "capability.retired" if retired else "capability.restored"
    await turn_page(session, actor, Register.CAPABILITIES, kind, detail={"code": code})
    return capability


async def publish_capabilities(session: AsyncSession, actor: Actor, content: Sequence[Mapping[str, Any]]) -> int:
    """Add those that are not there; what the city made of the others stays. Returns how many were added."""
    require(actor, Permission.UNIT_MANAGE)
    known = {code.casefold() for code in await session.scalars(select(Capability.code))}
    missing = [dict(one) for one in content if one["code"].casefold() not in known]
    session.add_all([Capability(**one, version=1) for one in missing])
    if missing:
        codes = [one["code"] for one in missing]
        await turn_page(session, actor, Register.CAPABILITIES, "capability.added", detail={"codes": codes})
    return len(missing)


def default_capabilities() -> list[dict[str, Any]]:
    """Those that ship with Vigía: the agencies of its run cards, and their kit."""
    content: list[dict[str, Any]] = json.loads(DEFAULT.read_text(encoding="utf-8"))
    return content


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def capabilities(session: AsyncSession, codes: Collection[str] | None = None) -> dict[str, Capability]:
    """By code, retired ones too: all of them, or these."""
    query = select(Capability).order_by(Capability.code)
    if codes is not None:
        query = query.where(Capability.code.in_(codes))
    return {one.code: one for one in await session.scalars(query)}


async def check_capabilities(
    session: AsyncSession, codes: Sequence[str], amounts: Mapping[str, float], *, had: Collection[str] = ()
) -> tuple[list[str], dict[str, float]]:
    """What a unit may say of itself: each code once and in its order, each amount with a measure.

    `had` are those it has already, which may be retired. Raises `UnknownCapability` and `NoAmount`.
    """
    known = await capabilities(session, codes)
    kept = list(dict.fromkeys(codes))
    for code in kept:
        if code not in known or (known[code].retired_at is not None and code not in had):
            raise UnknownCapability(code=code)
    for code, amount in amounts.items():
        measured = code in known and known[code].measure is not None
        if not measured or not (math.isfinite(amount) and 0 < amount <= LARGEST_AMOUNT):
            raise NoAmount(code=code)
    return kept, {code: float(amounts[code]) for code in kept if code in amounts}
