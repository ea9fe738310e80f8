"""Units, staff and facilities found by a few letters, each for whoever may see it."""

from __future__ import annotations

import re

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import geojson
from realtime.access import Actor
from realtime.database import now
from realtime.looking import EACH, Found, holds_all
from resources import facilities, units
from resources.attendance import Stint, there_at
from resources.facilities import Facility
from resources.organizations import Organization
from resources.staff import Member, Seen, StaffStatus, seen_by
from resources.units import Unit


async def search_units(session: AsyncSession, actor: Actor, words: tuple[str, ...]) -> list[Found]:
    """Units in service by call sign, with or without what stands between its letters, or by whose they are."""
    tight = re.sub(r"[^\w]|_", "", "".join(words))
    sign = func.regexp_replace(func.lower(Unit.call_sign), "[^[:alnum:]]", "", "g")
    query = (
        select(Unit, Organization.name)
        .join(Organization, Organization.id == Unit.organization_id)
        .where(
            units.visible_to(actor),
            or_(sign.contains(tight, autoescape=True), holds_all(words, Unit.call_sign, Organization.name)),
        )
        .order_by(sign != tight, ~sign.startswith(tight, autoescape=True), func.length(sign), Unit.call_sign)
        .limit(EACH)
    )
    return [
        Found("unit", unit.id, unit.call_sign, organization, facts={"status": unit.status, "kind": unit.kind})
        for unit, organization in await session.execute(query)
    ]


async def search_staff(session: AsyncSession, actor: Actor, words: tuple[str, ...]) -> list[Found]:
    """Whoever works here, by name, for those who see names; `unit_id` is the unit they are on now."""
    if seen_by(actor) < Seen.NAMES:
        return []
    there = select(Stint).where(there_at(now())).subquery()
    query = (
        select(Member, there.c.unit_id)
        .outerjoin(there, there.c.member_id == Member.id)
        .where(Member.status != StaffStatus.LEFT, holds_all(words, Member.name))
        .order_by(Member.name, Member.id)
        .limit(EACH)
    )
    return [
        Found("person", member.id, member.name, facts={"role": member.role, "unit_id": str(unit) if unit else None})
        for member, unit in await session.execute(query)
    ]


async def search_facilities(session: AsyncSession, actor: Actor, words: tuple[str, ...]) -> list[Found]:
    """Open facilities by name and address, those whose name says it first."""
    query = (
        select(Facility)
        .where(
            Facility.closed_at.is_(None),
            facilities.visible_to(actor),
            holds_all(words, Facility.name, Facility.address),
        )
        .order_by(~holds_all(words, Facility.name), func.length(Facility.name), Facility.name, Facility.id)
        .limit(EACH)
    )
    return [
        Found("facility", one.id, one.name, one.address or "", geojson(one.shape), {"kind": one.kind})
        for one in await session.scalars(query)
    ]
