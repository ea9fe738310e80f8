"""A few people of the staff, and where they are: what the tests of this folder stand on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import VIGIA, Actor
from realtime.database import new_id, now
from resources.attendance import How, Stint
from resources.shifts import Placement, Seat, ShiftSlot
from resources.staff import DEFAULT_RULES, Credential, Member, RulesEdition, add_credential, add_member, set_rules
from tests.builders import City

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
HERE = ZoneInfo("America/Argentina/Buenos_Aires")
_numbers = count(1)

# Whoever drives needs a licence.
WITH_LICENCES = replace(
    DEFAULT_RULES,
    roles=tuple(
        replace(role, credentials=("licencia",)) if role.code == "chofer" else role for role in DEFAULT_RULES.roles
    ),
)


async def a_member(
    session: AsyncSession, city: City, *, role: str = "chofer", name: str = "Ana Ruiz", person: str | None = None
) -> Member:
    """Somebody of the municipality's staff."""
    return await add_member(
        session,
        VIGIA,
        new_id(),
        file_number=f"L{next(_numbers)}",
        name=name,
        role=role,
        organization_id=city.organizations["municipality"],
        person_id=city.people[person][0] if person else None,
        phone="341 555 1234",
    )


async def licences_count(session: AsyncSession, *, since: dt.datetime | None = None) -> None:
    """From now on (or since some time) drivers need a licence."""
    rules = await set_rules(session, VIGIA, WITH_LICENCES)
    if since is not None:
        (await session.get_one(RulesEdition, rules.number)).made_at = since
        await session.flush()


async def a_licence(
    session: AsyncSession, member: Member, *, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> Credential:
    """A driving licence."""
    return await add_credential(
        session,
        VIGIA,
        new_id(),
        member_id=member.id,
        kind="licencia",
        valid_from=since or now() - 365 * DAY,
        valid_until=until,
    )


async def a_slot(
    session: AsyncSession,
    unit_id: UUID | None,
    start: dt.datetime,
    end: dt.datetime,
    seats: Collection[Seat] = (Seat("chofer", 1, 2),),
) -> ShiftSlot:
    """A shift, also one of the past, which no verb would plan."""
    slot = ShiftSlot(
        id=new_id(),
        name="Turno",
        unit_id=unit_id,
        place="" if unit_id else "Base",
        starts_at=start,
        ends_at=end,
        seats=[seat.shown() for seat in seats],
        made_at=start - DAY,
    )
    session.add(slot)
    await session.flush()
    return slot


async def a_placement(session: AsyncSession, slot: ShiftSlot, member: Member, *, reason: str = "") -> Placement:
    """Somebody in a shift, also one of the past."""
    placement = Placement(
        id=new_id(),
        slot_id=slot.id,
        member_id=member.id,
        role=member.role,
        reason=reason,
        placed_at=slot.starts_at - HOUR,
        placed_by="x",
        removed_for="",
    )
    session.add(placement)
    await session.flush()
    return placement


async def a_stint(
    session: AsyncSession,
    member: Member,
    unit_id: UUID,
    start: dt.datetime,
    end: dt.datetime | None = None,
    *,
    slot: ShiftSlot | None = None,
    due: dt.datetime | None = None,
) -> Stint:
    """Somebody was there."""
    due = due or (slot.ends_at if slot else (end or start + 12 * HOUR))
    stint = Stint(
        id=new_id(),
        member_id=member.id,
        unit_id=unit_id,
        place="",
        role=member.role,
        slot_id=slot.id if slot else None,
        started_at=start,
        started_how=How.QR,
        due_at=due,
        ends_by=max(due + dt.timedelta(minutes=30), end or due),
        ended_at=end,
        ended_how=How.QR if end else None,
        marked_by="",
        reason="",
    )
    session.add(stint)
    await session.flush()
    return stint


def boss(city: City) -> Actor:
    """Who runs the staff here."""
    return city.actor("supervisor")
