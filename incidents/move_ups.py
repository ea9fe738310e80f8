"""Move-ups: who could stand elsewhere so that the city is covered again. Vigía proposes, a person confirms.

When a target is under its minimum, the best move is sought: of the free units that count for it, to a base or to the
middle of where most people are beyond reach. A confirmed move-up is a place to stand by at and no assignment: the unit
stays free, and counts as if it stood there already. It ends when it arrives, is sent somewhere, or is called off.

It does not flap: a proposal stands until the share is a margin above the minimum, there is one for each target, and
after a refusal its target is left alone for a while.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from shapely import Point
from sqlalchemy import ColumnElement, ForeignKey, Index, Text, false, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import Shape, geojson, metres, shape_checks
from incidents.coverage_targets import coverage_targets
from incidents.situation import Candidate, Situation, situation
from incidents.standing import Covering, Share, coverings, heads
from realtime.access import (
    OPERATIONS,
    VIGIA,
    Actor,
    Audience,
    Face,
    Faces,
    Permission,
    Role,
    face_for,
    require,
    unit_key,
)
from realtime.database import Base, new_id, now
from realtime.errors import NotFound, Refusal, VersionMismatch
from realtime.journal import Told, record
from realtime.lifecycle import move
from resources.facilities import Facility, FacilityKind
from resources.positions import UnitPosition
from resources.units import Duty, Unit, access_unit

THERE = 200.0  # metres from its place at which a unit has arrived …
FRESH = dt.timedelta(minutes=3)  # … by a position no older than this
STANDS_FOR = dt.timedelta(minutes=15)  # a proposal that nobody answers; then it is sought anew
PLACES, UNITS = 10, 8  # that are tried for one target
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(7316016)")


class UnitNotFree(Refusal):
    """{call_sign} is not free any more."""

    status = 409


class MoveUpState(StrEnum):
    """Where a move-up stands."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    ENDED = "ended"


class Ending(StrEnum):
    """Why one has ended."""

    ARRIVED = "arrived"
    DISPATCHED = "dispatched"
    CALLED_OFF = "called_off"
    COVERED = "covered"
    UNIT_GONE = "unit_gone"
    OUTDATED = "outdated"


S = MoveUpState
MOVES = {
    S.PROPOSED: frozenset({S.CONFIRMED, S.REFUSED, S.ENDED}),
    S.CONFIRMED: frozenset({S.ENDED}),
}


class MoveUp(Told, Base):
    """One move-up: `unit_id` to `place`, for a target. Shares 0…1, `seconds` to get there, people and km of street."""

    __tablename__ = "move_ups"
    __table_args__ = (
        Index("one_live_move_up_per_unit", "unit_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_move_ups_target_id_ended_at", "target_id", "ended_at"),
        *shape_checks("place"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    call_sign: Mapped[str] = mapped_column(Text)
    target_id: Mapped[UUID] = mapped_column(ForeignKey("coverage_targets.id"))
    wanted: Mapped[dict[str, Any]]  # what the target asks for, as it is shown
    place: Mapped[Point] = mapped_column(Shape("POINT"))
    place_name: Mapped[str] = mapped_column(Text)
    state: Mapped[MoveUpState] = mapped_column(Text)
    share_before: Mapped[float]
    share_after: Mapped[float]
    gain_people: Mapped[int | None]
    gain_km: Mapped[float]
    leaves_people: Mapped[int | None]
    leaves_km: Mapped[float]
    seconds: Mapped[float]
    proposed_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    ended_at: Mapped[dt.datetime | None]
    ending: Mapped[str | None] = mapped_column(Text)

    @property
    def subject(self) -> str:
        """`move_up:<id>`."""
        return f"move_up:{self.id}"


# ── Who may see: operations; and, once it is confirmed, the crew that drives there ────────────────


def audience_of(one: MoveUp) -> Audience:
    """Those who see it."""
    return frozenset({"ops:0"} | ({unit_key(one.unit_id)} if one.state == S.CONFIRMED else set()))


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query."""
    if actor.role in OPERATIONS | {Role.SYSTEM}:
        return true()
    if actor.role is Role.CREW and actor.unit_id:
        return (MoveUp.unit_id == actor.unit_id) & (MoveUp.state == S.CONFIRMED)
    return false()


def faces_of(one: MoveUp) -> Faces:
    """How it shows itself: whole, while it lives."""
    if one.ended_at is not None:
        return ()
    properties = {
        "subject": one.subject,
        "id": str(one.id),
        "version": one.version,
        "state": one.state,
        "unit_id": str(one.unit_id),
        "call_sign": one.call_sign,
        "place": one.place_name,
        "target": one.wanted,
        "share_before": one.share_before,
        "share_after": one.share_after,
        "gain_people": one.gain_people,
        "gain_km": one.gain_km,
        "leaves_people": one.leaves_people,
        "leaves_km": one.leaves_km,
        "seconds": one.seconds,
        "proposed_at": one.proposed_at.isoformat(),
        "decided_at": one.decided_at.isoformat() if one.decided_at else None,
        "decided_by": one.decided_by,
    }
    return (Face(audience_of(one), {"type": "Feature", "geometry": geojson(one.place), "properties": properties}),)


async def access_move_up(
    session: AsyncSession, actor: Actor, move_up_id: UUID, *, lock: bool = False, expected: int | None = None
) -> MoveUp:
    """The only way to a move-up. Raises `NotFound` and `VersionMismatch`."""
    query = select(MoveUp).where(MoveUp.id == move_up_id, visible_to(actor))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = (await session.scalars(query)).first()
    if found is None:
        raise NotFound
    if expected is not None and expected != found.version:
        raise VersionMismatch(expected=expected, current=found.version)
    return found


# ── Verbs: locks in the order move-up, unit ───────────────────────────────────────────────────────


async def confirm_move_up(
    session: AsyncSession, actor: Actor, move_up_id: UUID, *, expected: int | None = None
) -> MoveUp:
    """Let the unit go and stand there; it stays free. Raises `UnitNotFree`, `IllegalMove`."""
    require(actor, Permission.UNIT_DISPATCH)
    one = await access_move_up(session, actor, move_up_id, lock=True, expected=expected)
    one.state = move(MoveUpState(one.state), S.CONFIRMED, MOVES)
    unit = await access_unit(session, actor, one.unit_id, lock=True)
    if not _free(unit):
        raise UnitNotFree(call_sign=unit.call_sign)
    one.decided_at, one.decided_by = now(), actor.name
    await tell(session, actor, "move_up.confirmed", one, {"unit_id": str(one.unit_id), "call_sign": one.call_sign})
    return one


async def refuse_move_up(
    session: AsyncSession, actor: Actor, move_up_id: UUID, *, reason: str, expected: int | None = None
) -> MoveUp:
    """Not this one; its target is left alone for a while. Raises `IllegalMove`."""
    require(actor, Permission.UNIT_DISPATCH)
    one = await access_move_up(session, actor, move_up_id, lock=True, expected=expected)
    one.state = move(MoveUpState(one.state), S.REFUSED, MOVES)
    one.decided_at, one.decided_by, one.reason, one.ended_at = now(), actor.name, reason, now()
    await tell(session, actor, "move_up.refused", one, {"unit_id": str(one.unit_id), "reason": reason})
    return one


async def call_off_move_up(
    session: AsyncSession, actor: Actor, move_up_id: UUID, *, reason: str = "", expected: int | None = None
) -> MoveUp:
    """It need not go on. Its target is left alone for a while. Raises `IllegalMove`."""
    require(actor, Permission.UNIT_DISPATCH)
    one = await access_move_up(session, actor, move_up_id, lock=True, expected=expected)
    one.reason = reason
    await _end(session, actor, one, Ending.CALLED_OFF)
    return one


async def _end(session: AsyncSession, actor: Actor, one: MoveUp, ending: Ending) -> None:
    one.state = move(MoveUpState(one.state), S.ENDED, MOVES)
    one.ended_at, one.ending = now(), ending
    await tell(session, actor, "move_up.ended", one, {"unit_id": str(one.unit_id), "ending": ending.value})


async def tell(session: AsyncSession, actor: Actor, kind: str, one: MoveUp, detail: dict[str, Any]) -> None:
    """Record a fact about a locked move-up."""
    one.version += 1
    await record(session, actor, kind, one, faces_of(one), detail=detail)


def _free(unit: Unit) -> bool:
    return unit.duty == Duty.ON_DUTY and unit.engaged_status is None


# ── What the worker does ──────────────────────────────────────────────────────────────────────────


async def tend_move_ups(session: AsyncSession) -> None:
    """End those whose unit has arrived, was sent somewhere or went off duty, and proposals that nobody answered."""
    query = (
        select(MoveUp)
        .where(MoveUp.ended_at.is_(None))
        .order_by(MoveUp.id)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    for one in (await session.scalars(query)).all():
        unit = await session.get_one(Unit, one.unit_id, populate_existing=True)
        seen = await session.get(UnitPosition, one.unit_id, populate_existing=True)
        fresh = seen is not None and seen.fixed_at > now() - FRESH
        if unit.engaged_status is not None:
            await _end(session, VIGIA, one, Ending.DISPATCHED)
        elif unit.duty != Duty.ON_DUTY:
            await _end(session, VIGIA, one, Ending.UNIT_GONE)
        elif one.state == S.CONFIRMED and seen and fresh and metres(Point(seen.lon, seen.lat), one.place) <= THERE:
            await _end(session, VIGIA, one, Ending.ARRIVED)
        elif one.state == S.PROPOSED and one.proposed_at < now() - STANDS_FOR:
            await _end(session, VIGIA, one, Ending.OUTDATED)


async def propose_move_ups(session: AsyncSession, *, timezone: str) -> None:
    """Look how the city stands and propose what would bring a target back over its minimum. One worker at a time."""
    if not await coverage_targets(session) or not await session.scalar(_ONE_AT_A_TIME):
        return
    here = await situation(session, VIGIA, timezone=timezone)
    live = (await session.scalars(select(MoveUp).where(MoveUp.ended_at.is_(None)).order_by(MoveUp.id))).all()
    here = standing_by(here, {one.unit_id: one.place for one in live if one.state == S.CONFIRMED})
    spots = await _spots(session)
    open_for = {one.target_id: one for one in live}
    quiet = await _refused_since(session, here.at - dt.timedelta(minutes=here.policy.move_up_again_minutes))
    taken = {one.unit_id for one in live}
    judged = await asyncio.to_thread(_judged, here)
    for covering, share in judged:
        target = covering.target
        held = open_for.get(target.id)
        if held is not None:
            if held.state == S.PROPOSED and share.share >= min(1.0, target.minimum + here.policy.move_up_margin):
                await _end(session, VIGIA, await access_move_up(session, VIGIA, held.id, lock=True), Ending.COVERED)
            continue
        if share.share >= target.minimum or target.id in quiet:
            continue
        best = await asyncio.to_thread(best_move, here, covering, spots, taken)
        if best is not None:
            taken.add(best.unit.id)
            await _propose(session, best)


def _judged(here: Situation) -> list[tuple[Covering, Share]]:
    return [(one, one.share()) for one in coverings(here)]


def standing_by(here: Situation, places: dict[UUID, Point]) -> Situation:
    """The same with some units where they are going to stand."""
    units = tuple(replace(unit, place=places[unit.id]) if unit.id in places else unit for unit in here.units)
    return replace(here, units=units)


async def _spots(session: AsyncSession) -> list[tuple[str, Point]]:
    """Where units can wait: the bases that units name, and those that the city's files do."""
    named = {unit.base: unit.base_place for unit in await session.scalars(select(Unit).order_by(Unit.call_sign))}
    found = {name: place for name, place in named.items() if name and place is not None}
    query = select(Facility).where(Facility.kind == FacilityKind.BASE, Facility.closed_at.is_(None))
    for facility in await session.scalars(query.order_by(Facility.name)):
        found.setdefault(facility.name, facility.shape)
    return sorted(found.items())


async def _refused_since(session: AsyncSession, moment: dt.datetime) -> set[UUID]:
    """The targets to be left alone: somebody said no, or called one off."""
    query = select(MoveUp.target_id).where(
        MoveUp.ended_at > moment,
        (MoveUp.state == S.REFUSED) | (MoveUp.ending == Ending.CALLED_OFF),
    )
    return set(await session.scalars(query))


async def _propose(session: AsyncSession, best: Proposal) -> None:
    unit = await access_unit(session, VIGIA, best.unit.id, lock=True)
    if not _free(unit):
        return
    target = best.covering.target
    one = MoveUp(
        id=new_id(),
        unit_id=unit.id,
        call_sign=unit.call_sign,
        target_id=target.id,
        wanted={
            "for": target.capability or target.kind,
            "minutes": target.minutes,
            "minimum": target.minimum,
            "zone": target.zone,
        },
        place=best.place,
        place_name=best.name,
        state=S.PROPOSED,
        share_before=round(best.before.share, 4),
        share_after=round(best.after.share, 4),
        gain_people=None
        if best.before.people is None or best.after.people is None
        else best.after.people - best.before.people,
        gain_km=round(best.after.street_km - best.before.street_km, 2),
        leaves_people=best.leaves_people,
        leaves_km=round(best.leaves_km, 2),
        seconds=best.seconds,
        proposed_at=now(),
        reason="",
        version=0,
        told_to=[],
    )
    session.add(one)
    detail = {"unit_id": str(unit.id), "call_sign": unit.call_sign, "place": best.name, "target_id": str(target.id)}
    await tell(session, VIGIA, "move_up.proposed", one, detail)


# ── The best move: pure, asked in a thread ────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Proposal:
    """A unit that could stand elsewhere: the share before and after, how long it drives, and what it leaves."""

    covering: Covering
    unit: Candidate
    name: str
    place: Point
    before: Share
    after: Share
    seconds: float
    leaves_people: int | None
    leaves_km: float


def best_move(
    here: Situation, covering: Covering, spots: Sequence[tuple[str, Point]], taken: Collection[UUID] = ()
) -> Proposal | None:
    """The move that brings most of the people of a target back within its minutes; of about equal ones the quickest.

    Tried are the units that leave least, to the bases and to the middles of the neighbourhoods that miss most. None
    where nothing gives enough, or only by breaking another target.
    """
    policy, before = here.policy, covering.share()
    units = [unit for unit in covering.units if unit.id not in taken]
    units.sort(key=lambda unit: (_leaves(covering, unit, policy.people_per_km), unit.call_sign))
    others = [one for one in coverings(here) if one.target.id != covering.target.id]
    places = [*spots, *_middles(covering)]
    worth: list[tuple[float, int]] = []
    for n, (_, place) in enumerate(places):
        alone = covering.losses_of([(place, units[0])]).metres if units else np.zeros(0)
        if len(alone):
            worth.append((_share_with(covering, alone).share, n))
    found: list[Proposal] = []
    for _, n in sorted(worth, key=lambda one: (-one[0], one[1]))[:PLACES]:
        name, place = places[n]
        etas = here.travel.etas([(unit.place, unit.drive(urgent=False)) for unit in units[:UNITS]], place)
        for unit, eta in zip(units[:UNITS], etas, strict=True):
            if eta.seconds is None or not 60 <= eta.seconds <= policy.move_up_most_minutes * 60:
                continue
            moved = covering.losses_of(
                [(place if one.id == unit.id else one.place, one) for one in covering.units if one.place is not None]
            )
            after = covering.share(moved)
            if after.share < before.share + policy.move_up_least or _breaks(unit, others):
                continue
            loss = covering.loss(unit.id)
            leaves = loss.lost if loss else None
            found.append(
                Proposal(
                    *(covering, unit, name, place, before, after, eta.seconds),
                    leaves.people if leaves else None,
                    leaves.street_km if leaves else 0.0,
                )
            )
    if not found:
        return None
    most = max(one.after.share - one.before.share for one in found)
    good = [one for one in found if one.after.share - one.before.share >= 0.9 * most]
    return min(good, key=lambda one: (one.seconds, one.unit.call_sign, one.name))


def _leaves(covering: Covering, unit: Candidate, people_per_km: float) -> float:
    loss = covering.loss(unit.id)
    return heads(loss.lost, people_per_km) if loss else 0.0


def _share_with(covering: Covering, alone: np.ndarray[Any, Any]) -> Share:
    """About how much would be reached with somebody more at a place."""
    return covering.share_of(np.maximum(covering.losses.metres, alone))


def _breaks(unit: Candidate, others: Sequence[Covering]) -> bool:
    """Whether its going brings another target under its minimum, or one that is under it farther down."""
    for one in others:
        loss = one.loss(unit.id)
        if loss is None or loss.lost.street_km <= 0:
            continue
        share = one.share()
        gone = (loss.lost.people or 0) / share.of_people if share.of_people else 0.0
        if share.share - gone < one.target.minimum:
            return True
    return False


def _middles(covering: Covering, most: int = 4) -> list[tuple[str, Point]]:
    """The middles of the neighbourhoods where most people are beyond reach."""
    people = covering.people
    network = people.network
    beyond = np.where(network.main, network.metres, 0.0) - covering.losses.metres
    if covering.within is not None:
        beyond = np.where(covering.within, beyond, 0.0)
    living = people.along(np.maximum(beyond, 0.0))
    if living is None:
        return []
    zone, _ = people.by_link
    found = []
    for name, _count in living[1][:most]:
        number = next(n for n, one in enumerate(people.places) if one.name == name)
        links = np.flatnonzero((zone == number) & (beyond > 0) & network.main)
        if not len(links):
            continue
        middles = shapely.line_interpolate_point(network.lines[links], 0.5, normalized=True)
        centre = shapely.Point(shapely.get_coordinates(middles).mean(axis=0))
        nearest = middles[shapely.distance(middles, centre).argmin()]
        found.append((name, Point(*network.round(nearest.x, nearest.y))))
    return found


# ── Board ─────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the move-ups that live and that `actor` sees (of `ids`, when given)."""
    query = select(MoveUp).where(MoveUp.ended_at.is_(None), visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(MoveUp.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(one)) for one in await session.scalars(query.order_by(MoveUp.id))]
    return [face for face in faces if face is not None]
