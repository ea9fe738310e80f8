"""Dispatch: units are sent, report how far they are, are moved about and released. A unit is sent once.

The unit's row is locked before anybody looks whether it is free, and a partial unique index stands behind that lock;
the loser learns who has the unit, and may ask to *release* it from what it does or to *add* this behind it.

Locks: all incidents that an act concerns in the order of their ids, then the units in the order of theirs. When a unit
is let go, the oldest job that waits behind leads in the same act, so that job's incident is one of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import (
    BEFORE_ARRIVAL,
    CARRYING,
    MOVES,
    MOVES_WAITING,
    OVER,
    STAMPS,
    Assignment,
    AssignmentStatus,
    assignment_document,
    live_assignments,
    live_jobs,
)
from incidents.catalogue import catalogue
from incidents.incident import MOVES as INCIDENT_MOVES
from incidents.incident import OVER as INCIDENT_OVER
from incidents.incident import (
    Incident,
    IncidentState,
    access_incident,
    features,
    find_stamps_anew,
    handle_first,
    lock_incidents,
    set_state,
    stamp,
    stamp_status,
    tell,
    visible_whole_to,
)
from incidents.moments import moment
from incidents.undo import Reversible, Undoing, refuse_undo, remember, reversible, watch
from realtime.access import Actor, Permission, Role, require
from realtime.errors import AlreadyExists, IllegalMove, Malformed, NotAllowed, NotFound, Refusal
from realtime.lifecycle import move
from resources import units
from resources.gaps import Gap
from resources.readiness import readiness_of
from resources.units import Duty, Engagement, Unit, access_unit, engage, set_duty

MOST = 30  # units in one act


class OnBusy(StrEnum):
    """What is to be done when a unit has something to do already."""

    REFUSE = "refuse"
    RELEASE = "release"
    ADD = "add"


class UnitAlreadyAssigned(Refusal):
    """{call_sign} is already on {incident_code}, sent by {by} at {since}."""

    status = 409


class UnitNotOnDuty(Refusal):
    """{call_sign} cannot be sent: it is {duty}."""

    status = 409


class UnitNotReady(Refusal):
    """{call_sign} is not fit to be sent: it lacks what the city asks for."""

    status = 409


class IncidentOver(Refusal):
    """{incident_code} is over ({state}): reopen it first."""

    status = 409


class AlreadyOnIt(Refusal):
    """{call_sign} has {incident_code} already."""

    status = 409


class GraverWork(Refusal):
    """{call_sign} is on {incident_code}, which is as grave or graver: say why you take it away."""

    status = 409


class HiddenWork(Refusal):
    """{call_sign} is on an incident that you may not see: somebody who may has to release it."""

    status = 409


class UnitCarrying(Refusal):
    """{call_sign} is carrying somebody: it can only be added to."""

    status = 409


class NotLeading(Refusal):
    """{call_sign} has something else to do first, on {incident_code}."""

    status = 409


class NotOnTheWay(Refusal):
    """{call_sign} is not on its way there: it is {status}."""

    status = 409


class SameUnitTwice(Malformed):
    """A unit is named twice."""


class ReasonNeeded(Malformed):
    """Say why."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One unit of a sending.

    `need`: for what of the run card. `override_reason`: why in spite of its gaps, or why it leaves something as grave.
    """

    assignment_id: UUID
    unit_id: UUID
    on_busy: OnBusy = OnBusy.REFUSE
    override_reason: str = ""
    need: str | None = None


# ── Sending ───────────────────────────────────────────────────────────────────────────────────────


async def dispatch_units(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    sendings: Sequence[Sending],
    *,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> list[Assignment]:
    """Send units to an incident: all of them or none.

    Raises `UnitAlreadyAssigned` with every unit that is busy and what it does, `UnitNotOnDuty`, `UnitNotReady` with the
    gaps, `GraverWork`, `HiddenWork`, `UnitCarrying`, `AlreadyOnIt`, `IncidentOver`, `SameUnitTwice`.
    """
    require(actor, Permission.UNIT_DISPATCH)
    at = moment(occurred_at)
    before = watch(session)
    incident, others = await _hold_for_sending(session, actor, incident_id, sendings, expected=expected)
    made = await _send(session, actor, incident, sendings, at, held=others)
    await remember(
        session, actor, "assignment.made", before, permission=Permission.UNIT_DISPATCH, incident_id=incident.id
    )
    return made


async def swap_units(
    session: AsyncSession,
    actor: Actor,
    assignment_id: UUID,
    sending: Sending,
    *,
    reason: str = "",
    occurred_at: dt.datetime | None = None,
) -> Assignment:
    """Another unit takes over an assignment: the first is let go and the second sent, in one act. Raises as sending."""
    require(actor, Permission.UNIT_DISPATCH)
    at = moment(occurred_at)
    before = watch(session)
    found = await _find(session, actor, assignment_id)
    incident, others = await _hold_for_sending(session, actor, found.incident_id, [sending], letting_go=[found.unit_id])
    units = await _lock_units(session, {sending.unit_id, found.unit_id})
    old = await _still_live(session, found.id, incident)
    [made] = await _send(session, actor, incident, [sending], at, held=others, replaces=old.id)
    detail = {"replaced_by": str(made.id), "taken_over_by": made.call_sign}
    await _end(session, actor, incident, old, at=at, reason=reason, detail=detail)
    await _settle(session, actor, units[old.unit_id], at)
    await remember(
        session, actor, "assignment.swapped", before, permission=Permission.UNIT_DISPATCH, incident_id=incident.id
    )
    return made


async def reassign(
    session: AsyncSession,
    actor: Actor,
    assignment_id: UUID,
    *,
    new_assignment_id: UUID,
    incident_id: UUID,
    reason: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Assignment:
    """Turn a unit to another incident without letting it stand: who is driving drives on, and says that it heard.

    `expected` is the version of the incident it goes to. Raises `GraverWork` where it leaves something as grave without
    a reason, `UnitCarrying`, `AlreadyOnIt`, `IncidentOver`.
    """
    require(actor, Permission.UNIT_DISPATCH)
    at = moment(occurred_at)
    before = watch(session)
    found = await _find(session, actor, assignment_id)
    await access_incident(session, actor, incident_id)
    await lock_incidents(session, {found.incident_id, incident_id})
    left = await access_incident(session, actor, found.incident_id, lock=True)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    _must_be_open(incident)
    unit = (await _lock_units(session, [found.unit_id]))[found.unit_id]
    old = await _still_live(session, found.id, left)
    jobs = (await live_jobs(session, [unit.id]))[unit.id]
    if any(job.incident_id == incident.id for job in jobs):
        raise AlreadyOnIt(call_sign=unit.call_sign, incident_code=incident.code)
    if old.exclusive:
        _may_be_taken(old, left, incident, reason)
    if await session.get(Assignment, new_assignment_id) is not None:
        raise AlreadyExists
    status = old.status if old.status in BEFORE_ARRIVAL - {AssignmentStatus.ACKNOWLEDGED} else AssignmentStatus.ASSIGNED
    detail = {"replaced_by": str(new_assignment_id), "went_to": incident.code}
    await _end(session, actor, left, old, at=at, reason=reason, detail=detail)
    grave = old.exclusive and left.priority <= incident.priority
    made = await _make(
        *(session, actor, incident, unit, Sending(new_assignment_id, unit.id), at),
        status=AssignmentStatus(status),
        exclusive=old.exclusive,
        replaces=old.id,
        override=_override(actor, reason) if grave else None,
        detail={"came_from": left.code},
    )
    await _settle(session, actor, unit, at)
    await remember(
        session, actor, "assignment.reassigned", before, permission=Permission.UNIT_DISPATCH, incident_id=incident.id
    )
    return made


async def jobs_of(session: AsyncSession, actor: Actor, unit_id: UUID) -> list[dict[str, Any]]:
    """What a unit is on, the leading assignment first, each with its incident as far as the actor sees it."""
    unit = await access_unit(session, actor, unit_id)
    jobs = (await live_jobs(session, [unit.id]))[unit.id]
    on = {one.id: one for one in await session.scalars(select(Incident).where(Incident.id.in_(_of(jobs))))}
    shown = {one["properties"]["id"]: one for one in await features(session, actor, list(on.values()))}
    whole = set(await session.scalars(select(Incident.id).where(Incident.id.in_(on), visible_whole_to(actor))))
    return [
        {
            **(assignment_document(job) if job.incident_id in whole else _bare_document(job)),
            "incident": shown.get(str(job.incident_id)),
        }
        for job in jobs
        if str(job.incident_id) in shown
    ]


def _of(jobs: Iterable[Assignment]) -> set[UUID]:
    return {job.incident_id for job in jobs}


def _bare_document(job: Assignment) -> dict[str, Any]:
    """An assignment of an incident that is not seen whole: that it is there."""
    kept = ("id", "unit_id", "call_sign", "incident_id", "status", "since", "exclusive")
    document = assignment_document(job)
    return {name: document[name] for name in kept}


# ── How far it is ─────────────────────────────────────────────────────────────────────────────────


async def report_status(
    session: AsyncSession,
    actor: Actor,
    assignment_id: UUID,
    *,
    status: AssignmentStatus,
    occurred_at: dt.datetime | None = None,
    reason: str = "",
) -> Assignment:
    """Say how far one assignment is: by its crew, or by the dispatcher who heard it on the radio.

    Saying again what already is changes nothing: a telephone with bad signal repeats itself. Whoever is driving and was
    turned to this incident may still say that it heard (`acknowledged`). Raises `NotLeading` for what waits behind
    something else, `ReasonNeeded` for a refusal without one.
    """
    require(actor, Permission.ASSIGNMENT_REPORT)
    found = await session.get(Assignment, assignment_id)
    if found is None or (actor.role is Role.CREW and found.unit_id != actor.unit_id):
        raise NotFound
    if actor.role is Role.CREW and found.status == status:
        return found  # released, it no longer sees the incident, but it may still be told so again
    if status is AssignmentStatus.REFUSED and not reason:
        raise ReasonNeeded
    at = moment(occurred_at)
    before = watch(session)
    letting_go = [found.unit_id] if status in OVER else []
    incident = await _hold_home(session, actor, found, letting_go)
    unit = (await _lock_units(session, [found.unit_id]))[found.unit_id]
    assignment = await session.get_one(Assignment, assignment_id, populate_existing=True)
    if assignment.status == status:
        return assignment
    heard = (AssignmentStatus.EN_ROUTE, AssignmentStatus.ACKNOWLEDGED)
    if assignment.acknowledge_by is not None and (assignment.status, status) == heard:
        assignment.acknowledge_by = None
        assignment.stamps = assignment.stamps | {"T7": at.isoformat()}
        stamp(incident, "T7", at)
        await tell(session, actor, "assignment.heard", incident, detail=_named(assignment), occurred_at=at)
    else:
        await _advance(session, actor, incident, assignment, status, at=at, reason=reason)
        await _settle(session, actor, unit, at)
    await remember(
        session, actor, "assignment.status", before, permission=Permission.ASSIGNMENT_REPORT, incident_id=incident.id
    )
    return assignment


async def report_duty(session: AsyncSession, actor: Actor, unit_id: UUID, *, duty: Duty, reason: str = "") -> Unit:
    """Say whether a unit can be sent, so that it can be taken back: `set_duty` knows nothing of undoing."""
    permission = Permission.UNIT_DISPATCH if actor.may(Permission.UNIT_DISPATCH) else Permission.ASSIGNMENT_REPORT
    before = watch(session)
    unit = await set_duty(session, actor, unit_id, duty=duty, reason=reason)
    await remember(session, actor, "unit.duty", before, permission=permission)
    return unit


async def stage(
    session: AsyncSession,
    actor: Actor,
    assignment_id: UUID,
    *,
    name: str,
    place: Point,
    occurred_at: dt.datetime | None = None,
) -> Assignment:
    """Let a unit wait at a place on its way until it is told to go on. Raises `NotOnTheWay`, `NotLeading`."""
    require(actor, Permission.UNIT_DISPATCH)
    at = moment(occurred_at)
    before = watch(session)
    incident, assignment = await _hold_assignment(session, actor, assignment_id)
    await _must_lead(session, assignment)
    if assignment.status not in BEFORE_ARRIVAL:
        raise NotOnTheWay(call_sign=assignment.call_sign, status=assignment.status)
    assignment.staging = {"name": name, "lon": place.x, "lat": place.y, "since": at.isoformat()}
    detail = _named(assignment) | {"staging": assignment.staging}
    await tell(session, actor, "assignment.staged", incident, detail=detail, occurred_at=at)
    await remember(
        session, actor, "assignment.staged", before, permission=Permission.UNIT_DISPATCH, incident_id=incident.id
    )
    return assignment


async def advance(
    session: AsyncSession, actor: Actor, assignment_id: UUID, *, occurred_at: dt.datetime | None = None
) -> Assignment:
    """Let a unit that waits at a staging area go on. Saying it again changes nothing."""
    require(actor, Permission.UNIT_DISPATCH)
    at = moment(occurred_at)
    before = watch(session)
    incident, assignment = await _hold_assignment(session, actor, assignment_id)
    if assignment.released_at is not None:
        raise NotOnTheWay(call_sign=assignment.call_sign, status=assignment.status)
    if assignment.staging is None:
        return assignment
    detail = _named(assignment) | {"from": assignment.staging["name"]}
    assignment.staging = None
    await tell(session, actor, "assignment.advanced", incident, detail=detail, occurred_at=at)
    await remember(
        session, actor, "assignment.advanced", before, permission=Permission.UNIT_DISPATCH, incident_id=incident.id
    )
    return assignment


# ── Letting go ────────────────────────────────────────────────────────────────────────────────────


async def stand_down(
    session: AsyncSession,
    actor: Actor,
    assignment_id: UUID,
    *,
    reason: str,
    occurred_at: dt.datetime | None = None,
) -> Assignment:
    """Call a unit back from an incident. Saying it again changes nothing."""
    require(actor, Permission.UNIT_DISPATCH)
    at = moment(occurred_at)
    before = watch(session)
    found = await _find(session, actor, assignment_id)
    incident = await _hold_home(session, actor, found, [found.unit_id])
    unit = (await _lock_units(session, [found.unit_id]))[found.unit_id]
    assignment = await session.get_one(Assignment, assignment_id, populate_existing=True)
    if assignment.released_at is not None:
        return assignment
    await _end(session, actor, incident, assignment, at=at, reason=reason)
    await _settle(session, actor, unit, at)
    await remember(
        session, actor, "assignment.stood_down", before, permission=Permission.UNIT_DISPATCH, incident_id=incident.id
    )
    return assignment


async def stand_down_all(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    reason: str,
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Incident:
    """Call every unit back from an incident, which stays open."""
    require(actor, Permission.UNIT_DISPATCH)
    at = moment(occurred_at)
    before = watch(session)
    incident = await hold_to_end(session, actor, incident_id, expected=expected)
    await _release_all(session, actor, incident, at=at, reason=reason)
    await remember(
        session, actor, "assignment.stood_down", before, permission=Permission.UNIT_DISPATCH, incident_id=incident.id
    )
    return incident


async def hold_to_end(
    session: AsyncSession, actor: Actor, incident_id: UUID, *, expected: int | None = None
) -> Incident:
    """Lock an incident that is about to let its units go, with everything that follows them."""
    await access_incident(session, actor, incident_id)
    sent = (await live_assignments(session, [incident_id]))[incident_id]
    return await _hold(session, actor, incident_id, [one.unit_id for one in sent], expected=expected)


async def end_incident(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    wanted: IncidentState,
    detail: dict[str, Any],
    at: dt.datetime,
) -> None:
    """End an incident that was locked by `hold_to_end`: its units are free, or have what waited behind it."""
    move(IncidentState(incident.state), wanted, INCIDENT_MOVES)  # refuse before anybody is released
    await _release_all(session, actor, incident, at=at, reason=wanted.value)
    incident.closed_at = at
    stamp(incident, "T16", at, last=True)
    await set_state(session, actor, incident, wanted, at=at, kind="incident.closed", detail=detail)


async def _release_all(
    session: AsyncSession, actor: Actor, incident: Incident, *, at: dt.datetime, reason: str
) -> None:
    sent = (await live_assignments(session, [incident.id]))[incident.id]
    units = await _lock_units(session, [one.unit_id for one in sent])
    for assignment in sent:
        await _end(session, actor, incident, assignment, at=at, reason=reason)
        await _settle(session, actor, units[assignment.unit_id], at)


async def move_assignments(
    session: AsyncSession,
    actor: Actor,
    origin: Incident,
    to: Incident,
    wanted: Collection[UUID] | None,
    *,
    at: dt.datetime,
) -> tuple[list[Assignment], list[Assignment]]:
    """Move live assignments (those `wanted`) between two locked incidents, as they are; what moved, and what ended.

    A unit is on an incident once: of one that is sent to both the assignment that leads stays, and the other ends.
    """
    live = await live_assignments(session, [origin.id, to.id], lock=True)
    leaving = [one for one in live[origin.id] if wanted is None or one.id in wanted]
    there = {one.unit_id: one for one in live[to.id]}
    units = await _lock_units(session, [one.unit_id for one in leaving])
    moved, ended = [], []
    for one in leaving:
        double = there.get(one.unit_id)
        if double is not None:
            spare, of = (double, to) if one.exclusive else (one, origin)
            await _end(session, actor, of, spare, at=at, reason="merged")
            ended.append(spare)
            if spare is one:
                continue
        one.incident_id = to.id
        moved.append(one)
        unit = units[one.unit_id]
        if unit.assignment_id == one.id:
            await engage(session, actor, unit, Engagement(one.id, to.id, to.code, one.status, one.since), at=at)
    await session.flush()
    return moved, ended


# ── The way to what is locked ─────────────────────────────────────────────────────────────────────


async def _find(session: AsyncSession, actor: Actor, assignment_id: UUID) -> Assignment:
    """An assignment of an incident that the actor sees whole."""
    found = await session.get(Assignment, assignment_id, populate_existing=True)
    if found is None:
        raise NotFound
    await access_incident(session, actor, found.incident_id)
    return found


async def _hold(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    letting_go: Collection[UUID] = (),
    *,
    expected: int | None = None,
    besides: Iterable[UUID] = (),
) -> Incident:
    """Lock an incident, in order with those whose turn comes when these units are let go, and with those `besides`."""
    await access_incident(session, actor, incident_id)
    jobs = await live_jobs(session, letting_go) if letting_go else {}
    waiting = {job.incident_id for some in jobs.values() for job in some if not job.exclusive}
    await lock_incidents(session, {incident_id, *waiting, *besides})
    return await access_incident(session, actor, incident_id, lock=True, expected=expected)


async def _hold_home(
    session: AsyncSession, actor: Actor, found: Assignment, letting_go: Collection[UUID] = ()
) -> Incident:
    """Lock the incident in which an assignment lies, as `_hold` does; a merge may move it while we wait for that."""
    while True:
        incident_id = found.incident_id
        try:
            await _hold(session, actor, incident_id, letting_go)
        except NotFound:  # a crew no longer sees what its assignment has left
            await session.refresh(found)
            if found.incident_id == incident_id:
                raise
            continue
        await session.refresh(found)
        if found.incident_id == incident_id:
            return await session.get_one(Incident, incident_id)


async def _hold_for_sending(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    sendings: Sequence[Sending],
    *,
    expected: int | None = None,
    letting_go: Collection[UUID] = (),
) -> tuple[Incident, frozenset[UUID]]:
    """Lock the incident that units are sent to, and those that they are taken from. Who is late is told before that."""
    wanted = [sending.unit_id for sending in sendings]
    if len(set(wanted)) < len(wanted):
        raise SameUnitTwice
    incident = await access_incident(session, actor, incident_id)
    _must_be_open(incident)
    jobs = await live_jobs(session, wanted)
    await _refuse_the_busy(session, actor, sendings, jobs)
    others = frozenset(
        job.incident_id
        for sending in sendings
        if sending.on_busy is OnBusy.RELEASE
        for job in jobs[sending.unit_id][:1]
    )
    incident = await _hold(session, actor, incident_id, letting_go, expected=expected, besides=others)
    _must_be_open(incident)
    return incident, others


async def _hold_assignment(session: AsyncSession, actor: Actor, assignment_id: UUID) -> tuple[Incident, Assignment]:
    found = await _find(session, actor, assignment_id)
    incident = await _hold_home(session, actor, found)
    return incident, await session.get_one(Assignment, assignment_id, populate_existing=True)


async def _still_live(session: AsyncSession, assignment_id: UUID, incident: Incident) -> Assignment:
    """An assignment whose incident and unit are locked. Raises `IllegalMove` when it has ended, or was moved away."""
    assignment = await session.get_one(Assignment, assignment_id, populate_existing=True)
    if assignment.incident_id != incident.id:
        raise IncidentOver(incident_code=incident.code, state=incident.state)
    if assignment.released_at is not None:
        raise IllegalMove(current=assignment.status, wanted=AssignmentStatus.RELEASED.value)
    return assignment


async def _lock_units(session: AsyncSession, unit_ids: Collection[UUID]) -> dict[UUID, Unit]:
    """Lock units in the order of their ids, whoever may see them: an incident's units follow it. Raises `NotFound`."""
    query = select(Unit).where(Unit.id.in_(unit_ids)).order_by(Unit.id).with_for_update(key_share=True)
    found = {unit.id: unit for unit in await session.scalars(query.execution_options(populate_existing=True))}
    if found.keys() != set(unit_ids):
        raise NotFound
    return found


# ── What is asked before anybody goes ─────────────────────────────────────────────────────────────


def _must_be_open(incident: Incident) -> None:
    if incident.state in INCIDENT_OVER | {IncidentState.FINISHED}:
        raise IncidentOver(incident_code=incident.code, state=incident.state)


async def _must_lead(session: AsyncSession, assignment: Assignment) -> None:
    """Whoever has something else to do first neither drives nor waits for this."""
    if assignment.released_at is not None or assignment.exclusive:
        return
    [leading, *_] = (await live_jobs(session, [assignment.unit_id]))[assignment.unit_id]
    code = await session.scalar(select(Incident.code).where(Incident.id == leading.incident_id))
    raise NotLeading(call_sign=assignment.call_sign, incident_code=code)


def _may_be_taken(job: Assignment, from_: Incident, to: Incident, reason: str) -> None:
    """Whether a unit may be taken from what it does: with words where that is as grave, never with somebody aboard."""
    if job.status in CARRYING:
        raise UnitCarrying(call_sign=job.call_sign)
    if from_.priority <= to.priority and not reason:
        raise GraverWork(call_sign=job.call_sign, incident_code=from_.code, priority=from_.priority)


async def _refuse_the_busy(
    session: AsyncSession, actor: Actor, sendings: Sequence[Sending], jobs: dict[UUID, list[Assignment]]
) -> None:
    """Say of every busy unit what it does, unless it was said what to do then."""
    await _refuse(
        session,
        actor,
        {one.unit_id: jobs[one.unit_id] for one in sendings if one.on_busy is OnBusy.REFUSE and jobs[one.unit_id]},
    )


async def _refuse(session: AsyncSession, actor: Actor, busy: dict[UUID, list[Assignment]]) -> None:
    if not busy:
        return
    leading = [jobs[0] for jobs in busy.values()]
    ids = {job.incident_id for job in leading}
    incidents = {one.id: one for one in await session.scalars(select(Incident).where(Incident.id.in_(ids)))}
    seen = set(await session.scalars(select(Incident.id).where(Incident.id.in_(ids), visible_whole_to(actor))))
    words = {id_: await catalogue(session, one.catalogue_version) for id_, one in incidents.items()}
    documents = []
    for job in leading:
        on = incidents[job.incident_id]
        document = {
            "unit_id": str(job.unit_id),
            "call_sign": job.call_sign,
            "status": job.status,
            "status_since": job.since.isoformat(),
            "since": job.made_at.isoformat(),
            "by": job.made_by,
            "incident_id": str(on.id),
            "incident_code": on.code,
            "type_name": None,
            "priority": None,
            "place": None,
            "waiting": len(busy[job.unit_id]) - 1,
        }
        if on.id in seen:
            name = words[on.id].type(on.type_code).name
            document |= {"type_name": name, "priority": on.priority, "place": on.place}
        documents.append(document)
    first = leading[0]
    raise UnitAlreadyAssigned(
        call_sign=first.call_sign,
        incident_code=incidents[first.incident_id].code,
        since=first.made_at,
        by=first.made_by,
        units=documents,
    )


async def _must_be_free(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    sending: Sending,
    unit: Unit,
    jobs: Sequence[Assignment],
    held: Collection[UUID],
) -> Incident | None:
    """Whether a (locked) unit may be sent. The incident that it is taken from, which is one of those `held`."""
    if any(job.incident_id == incident.id for job in jobs):
        raise AlreadyOnIt(call_sign=unit.call_sign, incident_code=incident.code)
    if unit.duty != Duty.ON_DUTY:
        raise UnitNotOnDuty(call_sign=unit.call_sign, duty=unit.duty)
    if not jobs or sending.on_busy is OnBusy.ADD:
        return None
    if jobs[0].incident_id not in held:  # by now it does something else than what was asked about
        await _refuse(session, actor, {unit.id: list(jobs)})
    seen = select(Incident).where(Incident.id == jobs[0].incident_id, visible_whole_to(actor))
    from_ = (await session.scalars(seen)).first()
    if from_ is None:
        raise HiddenWork(call_sign=unit.call_sign)
    _may_be_taken(jobs[0], from_, incident, sending.override_reason)
    return from_


async def _gaps_passed(
    session: AsyncSession, actor: Actor, sendings: Sequence[Sending], units: dict[UUID, Unit], at: dt.datetime
) -> dict[UUID, tuple[Gap, ...]]:
    """The blocking gaps that somebody who may passes with a reason. Raises `UnitNotReady`, `NotAllowed`."""
    gaps = await readiness_of(session, units.keys(), at)
    blocked = {
        one.unit_id: found
        for one in sendings
        if (found := tuple(gap for gap in gaps.get(one.unit_id, ()) if gap.blocks))
    }
    unsaid = [one.unit_id for one in sendings if one.unit_id in blocked and not one.override_reason]
    if unsaid:
        documents = [
            {
                "unit_id": str(unit_id),
                "call_sign": units[unit_id].call_sign,
                "gaps": [gap.shown() for gap in blocked[unit_id]],
            }
            for unit_id in unsaid
        ]
        raise UnitNotReady(call_sign=units[unsaid[0]].call_sign, units=documents)
    if blocked and not actor.may(Permission.GATE_OVERRIDE):
        raise NotAllowed(permission=Permission.GATE_OVERRIDE.value)
    return blocked


# ── What happens ──────────────────────────────────────────────────────────────────────────────────


async def _send(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    sendings: Sequence[Sending],
    at: dt.datetime,
    *,
    held: Collection[UUID],
    replaces: UUID | None = None,
) -> list[Assignment]:
    """Send units to a locked incident, those that are busy from the locked incidents `held`."""
    units = await _lock_units(session, [one.unit_id for one in sendings])
    jobs = await live_jobs(session, units)
    await _refuse_the_busy(session, actor, sendings, jobs)
    taken_from = {
        one.unit_id: await _must_be_free(session, actor, incident, one, units[one.unit_id], jobs[one.unit_id], held)
        for one in sendings
    }
    passed = await _gaps_passed(session, actor, sendings, units, at)
    ids = [one.assignment_id for one in sendings]
    if len(set(ids)) < len(ids) or await session.scalar(select(Assignment.id).where(Assignment.id.in_(ids)).limit(1)):
        raise AlreadyExists
    made = []
    for sending in sendings:
        unit, from_ = units[sending.unit_id], taken_from[sending.unit_id]
        detail: dict[str, Any] = {}
        if from_ is not None:
            went = {"went_to": incident.code, "replaced_by": str(sending.assignment_id)}
            leading = jobs[unit.id][0]
            await _end(session, actor, from_, leading, at=at, reason=sending.override_reason, detail=went)
            detail["came_from"] = from_.code
        exclusive = from_ is not None or not jobs[unit.id]
        gaps = passed.get(unit.id, ())
        grave = from_ is not None and from_.priority <= incident.priority
        made.append(
            await _make(
                *(session, actor, incident, unit, sending, at),
                exclusive=exclusive,
                replaces=replaces or (jobs[unit.id][0].id if from_ is not None else None),
                override=_override(actor, sending.override_reason, gaps) if gaps or grave else None,
                detail=detail,
            )
        )
        await _settle(session, actor, unit, at)
    return made


async def _make(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    unit: Unit,
    sending: Sending,
    at: dt.datetime,
    *,
    exclusive: bool,
    status: AssignmentStatus = AssignmentStatus.ASSIGNED,
    replaces: UUID | None = None,
    override: dict[str, Any] | None,
    detail: dict[str, Any],
) -> Assignment:
    assignment = Assignment(
        id=sending.assignment_id,
        incident_id=incident.id,
        unit_id=unit.id,
        call_sign=unit.call_sign,
        status=status,
        since=at,
        made_at=at,
        made_by=actor.name,
        stamps={},
        exclusive=exclusive,
        need=sending.need,
        override=override,
        replaces=replaces,
    )
    handle_first(actor, incident)
    if exclusive:
        await _begins(session, incident, assignment, at)
    if status is AssignmentStatus.EN_ROUTE:
        assignment.stamps = assignment.stamps | {"T8": at.isoformat()}
        stamp_status(incident, status, at)
    try:
        async with session.begin_nested():
            session.add(assignment)
            await session.flush()
    except IntegrityError:  # the index caught what the lock should have
        await _refuse(session, actor, await live_jobs(session, [unit.id]))
        raise
    said = _named(assignment) | {
        "status": status.value,
        "exclusive": exclusive,
        "need": assignment.need,
        "replaces": str(replaces) if replaces else None,
        "override": assignment.override,
        "acknowledge_by": _text(assignment.acknowledge_by),
    }
    await tell(session, actor, "assignment.made", incident, detail=said | detail, occurred_at=at)
    return assignment


def _override(actor: Actor, reason: str, gaps: Sequence[Gap] = ()) -> dict[str, Any]:
    """What was passed over to send it. Codes only: a gap's facts tell of people."""
    return {"gaps": [gap.code for gap in gaps], "reason": reason, "by": actor.name}


async def _begins(session: AsyncSession, incident: Incident, assignment: Assignment, at: dt.datetime) -> None:
    """An assignment leads from now on: its unit is notified, and its clock runs until the crew says that it heard."""
    assignment.stamps = assignment.stamps | {"T5": at.isoformat(), "T6": at.isoformat()}
    stamp(incident, "T5", at)
    stamp(incident, "T6", at)
    if assignment.status != AssignmentStatus.ACKNOWLEDGED:
        words = await catalogue(session, incident.catalogue_version)
        seconds = words.acknowledge_seconds(incident.priority)
        assignment.acknowledge_by = at + dt.timedelta(seconds=seconds) if seconds else None


async def _end(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    assignment: Assignment,
    *,
    at: dt.datetime,
    reason: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """End a live assignment as what it was: what never led is cancelled, the rest released."""
    wanted = AssignmentStatus.RELEASED if assignment.exclusive else AssignmentStatus.CANCELLED
    await _advance(session, actor, incident, assignment, wanted, at=at, reason=reason, detail=detail)


async def _advance(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    assignment: Assignment,
    status: AssignmentStatus,
    *,
    at: dt.datetime,
    reason: str,
    detail: dict[str, Any] | None = None,
) -> None:
    before = assignment.status
    wanted = move(AssignmentStatus(before), status, MOVES)
    if not assignment.exclusive and wanted not in MOVES_WAITING:
        await _must_lead(session, assignment)
    assignment.status, assignment.since, assignment.reason = wanted, at, reason
    assignment.acknowledge_by = None
    if status in STAMPS:
        assignment.stamps = assignment.stamps | {STAMPS[status]: at.isoformat()}
    if status not in BEFORE_ARRIVAL:
        assignment.staging = None
    stamp_status(incident, status, at)
    if status in OVER:
        assignment.released_at = at
        assignment.stamps = assignment.stamps | {"T14": at.isoformat()}
        stamp(incident, "T14", at, last=True)
    said = _named(assignment) | {"from": before, "to": status.value, "reason": reason}
    await tell(session, actor, "assignment.status", incident, detail=said | (detail or {}), occurred_at=at)


async def _settle(
    session: AsyncSession, actor: Actor, unit: Unit, at: dt.datetime, *, free_since: dt.datetime | None = None
) -> None:
    """Show on a locked unit what leads now; where nothing does, the oldest that waits leads from now on."""
    await session.flush()
    jobs = (await live_jobs(session, [unit.id]))[unit.id]
    if not jobs:
        if unit.assignment_id is not None:
            await engage(session, actor, unit, None, at=at, since=free_since)
        return
    leading = jobs[0]
    if leading.exclusive:
        incident = await session.get_one(Incident, leading.incident_id)
    else:
        incident = await _lead(session, actor, leading, at)
    if (unit.assignment_id, unit.engaged_status, unit.engaged_since) != (leading.id, leading.status, leading.since):
        engagement = Engagement(leading.id, incident.id, incident.code, leading.status, leading.since)
        await engage(session, actor, unit, engagement, at=at)


async def _lead(session: AsyncSession, actor: Actor, assignment: Assignment, at: dt.datetime) -> Incident:
    """Let what waited lead. Its incident is locked; one that was added a moment ago is taken only if it is free."""
    incident = (await lock_incidents(session, [assignment.incident_id], wait=False))[assignment.incident_id]
    assignment.exclusive, assignment.since = True, at
    await _begins(session, incident, assignment, at)
    detail = _named(assignment) | {"acknowledge_by": _text(assignment.acknowledge_by)}
    await tell(session, actor, "assignment.promoted", incident, detail=detail, occurred_at=at)
    return incident


def _text(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


def _named(assignment: Assignment) -> dict[str, Any]:
    """What every fact about an assignment says of it."""
    return {
        "assignment_id": str(assignment.id),
        "unit_id": str(assignment.unit_id),
        "call_sign": assignment.call_sign,
    }


# ── Taken back ────────────────────────────────────────────────────────────────────────────────────


async def _lock_assignments(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Assignment]:
    """Their incidents and units are locked: they are among what the act changed."""
    query = select(Assignment).where(Assignment.id.in_(ids)).order_by(Assignment.made_at, Assignment.id)
    found = (await session.scalars(query.execution_options(populate_existing=True))).all()
    await lock_incidents(session, {one.incident_id for one in found})
    await _lock_units(session, {one.unit_id for one in found})
    return {one.id: one for one in found}


async def _put_back(session: AsyncSession, actor: Actor, undoing: Undoing, assignments: Sequence[Assignment]) -> None:
    """Assignments as they were before an act; what it had made is cancelled and counts for nothing."""
    with session.no_autoflush:
        was = {one.id: AssignmentStatus(undoing.after[one.id]["status"]) for one in assignments}
        for one in assignments:
            if one.id in undoing.made:
                one.status, one.since, one.released_at = AssignmentStatus.CANCELLED, undoing.at, undoing.at
                one.stamps, one.staging, one.acknowledge_by = {}, None, None
        leading = [one for one in assignments if one.exclusive and one.released_at is None]
        for one in leading:
            one.exclusive = False  # for a moment: first those that lead no more, then those that do again
    await session.flush()
    jobs = await live_jobs(session, [one.unit_id for one in leading])
    for one in leading:
        for job in jobs[one.unit_id]:
            if job.exclusive:
                await refuse_undo(session, undoing, job)
        one.exclusive = True
    await session.flush()
    incidents = {one.incident_id: await session.get_one(Incident, one.incident_id) for one in assignments}
    for incident in incidents.values():
        await find_stamps_anew(session, undoing, incident)
    for one in assignments:
        incident = incidents[one.incident_id]
        if one.released_at is None and incident.state in INCIDENT_OVER:
            await refuse_undo(session, undoing, incident)
        said = (
            undoing.detail
            | _named(one)
            | {
                "from": was[one.id].value,
                "to": one.status,
                "exclusive": one.exclusive,
                "staging": one.staging,
                "acknowledge_by": _text(one.acknowledge_by),
                "led": "T5" in one.stamps,
                "state": incident.state,
            }
        )
        await tell(session, actor, "assignment.undone", incident, detail=said, occurred_at=undoing.at)
    units = await _lock_units(session, {one.unit_id for one in assignments})
    for unit in units.values():
        await _settle(session, actor, unit, undoing.at, free_since=unit.duty_since)


async def _duty_put_back(session: AsyncSession, actor: Actor, undoing: Undoing, changed: Sequence[Unit]) -> None:
    for unit in changed:
        if "duty" in undoing.before.get(unit.id, {}):
            detail = undoing.detail | {"from": undoing.after[unit.id]["duty"], "duty": unit.duty}
            await units.tell(session, actor, "unit.undone", unit, detail=detail, occurred_at=undoing.at)


# What a unit is engaged with follows from its assignments; the rest of it no reversible act changes.
_NOT_DUTY = frozenset(column.key for column in inspect(Unit).columns) - {"duty", "duty_since"}
reversible(Reversible(Unit, 8, _lock_units, _duty_put_back, _NOT_DUTY))
reversible(Reversible(Assignment, 9, _lock_assignments, _put_back))
