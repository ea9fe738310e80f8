"""The policy by which units are weighed: seconds for what is no travel time, so that both can be compared.

Every edition stays, so that a past recommendation can be made again as it was; the highest number is in force.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import Malformed
from realtime.registers import Register, turn_page

PRIORITIES = ("1", "2", "3", "4")


class BadPolicy(Malformed):
    """The dispatch policy has no such value: {field}."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts how much. `…_s` are seconds, added to a travel time; the first edition of a city."""

    lights_up_to: int = 2  # priorities that drive with lights and siren
    age_free_s: float = 60.0  # a position so old is as good as new …
    age_per_minute_s: float = 20.0  # … and each minute more counts so much,
    age_most_s: float = 180.0  # but never more than this;
    age_lost_s: float = 3600.0  # older than this nobody knows where the unit is
    last_s: float = 60.0  # for taking along the last free unit with a capability that is not what is needed here
    warning_s: float = 30.0  # for each gap that only warns
    preempt_up_to: int = 2  # priorities that may take a unit from another call …
    preempt_gap: int = 2  # … which is so many priorities lower …
    preempt_s: float = 180.0  # … for this much; never one that is on scene
    coverage_s: Mapping[str, float] = field(default_factory=lambda: {"1": 2.0, "2": 5.0, "3": 15.0, "4": 30.0})
    coverage_most_s: float = 300.0  # `coverage_s`: for each 1,000 people beyond target, by priority; but never more
    people_per_km: float = 100.0  # who lives along a kilometre of street where nobody has counted
    weights: Mapping[str, float] = field(default_factory=lambda: {"1": 8.0, "2": 4.0, "3": 2.0, "4": 1.0})
    remote_kinds: tuple[str, ...] = ("monitoring",)  # kinds of units that serve from where they are
    move_up_margin: float = 0.02  # a share this much above the minimum ends the search for a move-up
    move_up_least: float = 0.02  # what a move-up must give, as a share
    move_up_most_minutes: float = 20.0  # and how far it may be
    move_up_again_minutes: float = 30.0  # after a refusal

    def content(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return asdict(self) | {"remote_kinds": list(self.remote_kinds)}


def policy_from(content: Mapping[str, Any]) -> Policy:
    """A policy from what was stored or sent; what is not said is the default. Raises `BadPolicy`."""
    known = {one.name: one for one in fields(Policy)}
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name not in known:
            raise BadPolicy(field=name)
        if name in {"coverage_s", "weights"}:
            if not isinstance(value, Mapping) or set(value) != set(PRIORITIES) or not all(map(_amount, value.values())):
                raise BadPolicy(field=name)
            values[name] = {level: float(value[level]) for level in PRIORITIES}
        elif name == "remote_kinds":
            if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
                raise BadPolicy(field=name)
            values[name] = tuple(value)
        elif name in {"lights_up_to", "preempt_up_to", "preempt_gap"}:
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 4:
                raise BadPolicy(field=name)
            values[name] = value
        elif not _amount(value):
            raise BadPolicy(field=name)
        else:
            values[name] = float(value)
    return Policy(**values)


def _amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e6


class DispatchPolicy(Base):
    """One edition, whole."""

    __tablename__ = "dispatch_policies"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    made_by: Mapped[str]


async def dispatch_policy(session: AsyncSession, at: dt.datetime | None = None) -> tuple[int, Policy]:
    """The number and the policy in force at a moment (now, unless said); 0 and our defaults before there was one."""
    query = select(DispatchPolicy).order_by(DispatchPolicy.number.desc()).limit(1)
    if at is not None:
        query = query.where(DispatchPolicy.made_at <= at)
    row = (await session.scalars(query)).first()
    return (row.number, policy_from(row.content)) if row else (0, Policy())


async def publish_policy(session: AsyncSession, actor: Actor, content: Mapping[str, Any]) -> tuple[int, Policy]:
    """Put an edition in force; what it does not say is as in the one before. Raises `BadPolicy`."""
    require(actor, Permission.POLICY_EDIT)
    number, before = await dispatch_policy(session)
    policy = policy_from(before.content() | dict(content))
    if number and policy == before:
        return number, before
    changed = [name for name, value in policy.content().items() if value != before.content()[name]]
    session.add(DispatchPolicy(number=number + 1, content=policy.content(), made_at=now(), made_by=actor.name))
    await turn_page(
        session, actor, Register.COVERAGE_TARGETS, "coverage.weighed", detail={"number": number + 1, "fields": changed}
    )
    return number + 1, policy
