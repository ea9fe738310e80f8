"""Circuits: many small stops in a good order for one crew, and no neighbourhood left for last.

A circuit is a list, not a reservation: only the stop at hand is an assignment, made and moved by the dispatch machine
like any other. Between two stops the unit is free, so whoever is more urgent takes it, and the circuit waits until it
is free again. It also waits while going on would leave fewer units free than the reserve for the urgent. A stop that
somebody else has answered meanwhile, or that is over, is passed over and says why.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, SmallInteger, Text, false, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.assignments import STAMPS, Assignment, AssignmentStatus
from incidents.catalogue import catalogue
from incidents.closing import finish_incident
from incidents.dispatch import Sending, dispatch_units
from incidents.incident import Incident, access_incident, lock_incidents
from incidents.rounds import Crew, Plan, Stop, plan_rounds
from incidents.run_cards import NeedKind, run_card
from incidents.situation import Candidate, Situation, situation
from incidents.standing import coverings, heads, worst_loss
from incidents.storm import NOT_STARTED, SEEN_BY_CREWS, StormPolicy, storm_policy, waiting_incidents
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
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal
from realtime.journal import Entry, Told, record
from realtime.lifecycle import move
from resources.organizations import Organization, OrganizationKind
from resources.units import Duty, Unit, access_unit

RESERVE = "reserve"  # why a stop that is pending waits: the unit is kept for the urgent
PROMISED = 24 * 3600.0  # seconds; by when at the latest, of what has no promise of its own


class CircuitState(StrEnum):
    """How far a circuit is."""

    GIVEN = "given"
    DONE = "done"
    CALLED_OFF = "called_off"


MOVES: dict[CircuitState, frozenset[CircuitState]] = {
    CircuitState.GIVEN: frozenset({CircuitState.DONE, CircuitState.CALLED_OFF}),
}


class StopState(StrEnum):
    """How far a stop is. `skipped` has a reason: over, somebody else's, too secret, or somebody's word."""

    PENDING = "pending"
    AT_HAND = "at_hand"
    DONE = "done"
    SKIPPED = "skipped"


STOP_MOVES: dict[StopState, frozenset[StopState]] = {
    StopState.PENDING: frozenset({StopState.AT_HAND, StopState.SKIPPED}),
    StopState.AT_HAND: frozenset({StopState.PENDING, StopState.DONE, StopState.SKIPPED}),
}


class UnitGoesRound(Refusal):
    """{call_sign} has a circuit already."""

    status = 409


class NotForCircuits(Refusal):
    """{code} is not for a circuit: it is urgent, answered, over or too secret."""

    status = 409


class InAnotherCircuit(Refusal):
    """{code} is in another unit's circuit already."""

    status = 409


class CircuitOver(Refusal):
    """That circuit is over."""

    status = 409


class TooManyStops(Malformed):
    """A circuit has from 1 to {most} stops, each once."""


class Circuit(Told, Base):
    """One crew's round."""

    __tablename__ = "circuits"
    __table_args__ = (Index("one_circuit_per_unit", "unit_id", unique=True, postgresql_where="state = 'given'"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    call_sign: Mapped[str] = mapped_column(Text)
    state: Mapped[CircuitState] = mapped_column(Text)
    given_at: Mapped[dt.datetime]
    given_by: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[dt.datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")

    @property
    def subject(self) -> str:
        """`circuit:<id>`."""
        return f"circuit:{self.id}"


class CircuitStop(Base):
    """One stop of a circuit, at its place in the order."""

    __tablename__ = "circuit_stops"
    __table_args__ = (
        Index(
            "one_circuit_per_incident", "incident_id", unique=True, postgresql_where="state IN ('pending', 'at_hand')"
        ),
    )

    circuit_id: Mapped[UUID] = mapped_column(ForeignKey("circuits.id"), primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id"), index=True)
    state: Mapped[StopState] = mapped_column(Text)
    assignment_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[dt.datetime] = mapped_column(default=now)


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


def audience_of(circuit: Circuit) -> Audience:
    """Operations, and the crew that goes round."""
    return frozenset({"ops:0", unit_key(circuit.unit_id)})


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query."""
    if actor.role in OPERATIONS | {Role.SYSTEM}:
        return true()
    return Circuit.unit_id == actor.unit_id if actor.role is Role.CREW and actor.unit_id else false()


def faces_of(circuit: Circuit, stops: Sequence[tuple[CircuitStop, Incident, str]]) -> Faces:
    """A circuit shows itself, with its stops in order, until it is over; of a secret stop only that there is one."""
    if circuit.state != CircuitState.GIVEN:
        return ()
    properties = {
        "subject": circuit.subject,
        "id": str(circuit.id),
        "version": circuit.version,
        "unit_id": str(circuit.unit_id),
        "call_sign": circuit.call_sign,
        "given_at": circuit.given_at.isoformat(),
        "given_by": circuit.given_by,
        "stops": [_stop_shown(*one) for one in stops],
    }
    return (Face(audience_of(circuit), {"type": "Feature", "geometry": None, "properties": properties}),)


def _stop_shown(stop: CircuitStop, incident: Incident, type_name: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"state": stop.state, "reason": stop.reason, "since": stop.since.isoformat()}
    if incident.sensitivity > SEEN_BY_CREWS:
        return shown | {"incident_id": None, "code": None, "type_name": None, "place": None, "at": None}
    return shown | {
        "incident_id": str(incident.id),
        "code": incident.code,
        "type_name": type_name,
        "place": incident.place,
        "zone": incident.zone,
        "at": [incident.shape.x, incident.shape.y],
    }


async def access_circuit(session: AsyncSession, actor: Actor, circuit_id: UUID, *, lock: bool = False) -> Circuit:
    """The only way to a circuit: it must exist and be visible to the actor."""
    query = select(Circuit).where(Circuit.id == circuit_id, visible_to(actor))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    circuit = (await session.scalars(query)).first()
    if circuit is None:
        raise NotFound
    return circuit


# ── Planning ──────────────────────────────────────────────────────────────────────────────────────


async def plan_circuits(session: AsyncSession, actor: Actor, *, timezone: str) -> tuple[Plan, dict[UUID, Incident]]:
    """Circuits for what waits now, and the incidents by id. Nothing is changed: a person gives them."""
    require(actor, Permission.UNIT_DISPATCH)
    _, policy = await storm_policy(session)
    taken = set(
        await session.scalars(
            select(CircuitStop.incident_id).where(CircuitStop.state.in_((StopState.PENDING, StopState.AT_HAND)))
        )
    )
    going = set(await session.scalars(select(Circuit.unit_id).where(Circuit.state == CircuitState.GIVEN)))
    incidents = {one.id: one for one in await waiting_incidents(session, policy) if one.id not in taken}
    here = await situation(session, actor, timezone=timezone)
    stops = [stop for one in incidents.values() if (stop := await _stop_of(session, one, here.at)) is not None]
    wanted = {stop.capability for stop in stops}
    plan = await asyncio.to_thread(lambda: plan_rounds(here.travel, _crews(here, wanted, going, policy), stops, policy))
    return plan, incidents


async def _stop_of(session: AsyncSession, incident: Incident, at: dt.datetime) -> Stop | None:
    """An incident as a stop: what it takes is the first thing that its run card requires; None without one."""
    card = await run_card(session, incident.type_code, incident.priority)
    needs = card.needs(1) if card else []
    required = [need for need in needs if need.kind is NeedKind.REQUIRED]
    if not required:
        return None
    promise = (await catalogue(session, incident.catalogue_version)).response_seconds(incident.priority)
    waited = (at - incident.opened_at).total_seconds()
    return Stop(
        incident.id,
        incident.shape,
        incident.zone or "",
        incident.priority,
        required[0].capability,
        max(0.0, waited),
        max(0.0, (promise or PROMISED) - waited),
    )


def _crews(here: Situation, wanted: set[str], going: Collection[UUID], policy: StormPolicy) -> list[Crew]:
    """The free units that may go round: of each capability a reserve stays, those whose leaving would cost most."""
    free = [unit for unit in here.units if unit.free(here.policy) and unit.id not in going]
    useful = [unit for unit in free if not wanted.isdisjoint(unit.capabilities)]
    covered = coverings(here)

    def dear(unit: Candidate) -> float:
        loss = worst_loss(unit.id, covered, here.policy.people_per_km)
        return heads(loss.lost, here.policy.people_per_km) if loss else 0.0

    costs = {unit.id: dear(unit) for unit in useful}
    held = Counter(one for unit in free for one in unit.capabilities)
    on_duty = Counter(
        one for unit in here.units if unit.ours and unit.duty == Duty.ON_DUTY for one in unit.capabilities
    )
    kept = {one: reserve_of(count, policy) for one, count in on_duty.items()}
    crews = []
    for unit in sorted(useful, key=lambda unit: (costs[unit.id], unit.call_sign)):
        mine = [one for one in unit.capabilities if one in wanted]
        if all(held[one] > kept[one] for one in mine) and unit.place is not None:
            for one in unit.capabilities:
                held[one] -= 1
            crews.append(Crew(unit.id, unit.call_sign, unit.kind, unit.place, frozenset(unit.capabilities)))
    return crews


def reserve_of(on_duty: int, policy: StormPolicy) -> int:
    """How many of so many units that can do a thing stay free for the urgent; never all of them."""
    return min(math.ceil(policy.reserve_share * on_duty), max(0, on_duty - 1))


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def give_circuit(
    session: AsyncSession, actor: Actor, circuit_id: UUID, *, unit_id: UUID, incident_ids: Sequence[UUID]
) -> Circuit:
    """Give a unit its stops in order; it is sent to the first at once.

    Raises `UnitGoesRound`, `NotForCircuits`, `InAnotherCircuit`, `TooManyStops`, and as dispatching does.
    """
    require(actor, Permission.UNIT_DISPATCH)
    _, policy = await storm_policy(session)
    if not 1 <= len(incident_ids) <= policy.stops_most or len(set(incident_ids)) != len(incident_ids):
        raise TooManyStops(most=policy.stops_most)
    if await session.get(Circuit, circuit_id) is not None:
        raise AlreadyExists
    for incident_id in incident_ids:
        await access_incident(session, actor, incident_id)
    await lock_incidents(session, set(incident_ids))
    unit = await access_unit(session, actor, unit_id)
    await _check_stops(session, actor, incident_ids, policy)
    if await _given_to(session, unit_id) is not None:
        raise UnitGoesRound(call_sign=unit.call_sign)
    circuit = Circuit(
        id=circuit_id,
        unit_id=unit.id,
        call_sign=unit.call_sign,
        state=CircuitState.GIVEN,
        given_at=now(),
        given_by=actor.name,
        version=0,
        told_to=[],
    )
    session.add(circuit)
    await session.flush()
    stops = [
        CircuitStop(circuit_id=circuit.id, place=n, incident_id=incident_id, state=StopState.PENDING)
        for n, incident_id in enumerate(incident_ids)
    ]
    session.add_all(stops)
    await session.flush()
    await _send_to(session, actor, circuit, stops[0])
    detail = {"unit_id": str(unit_id), "stops": [str(one) for one in incident_ids]}
    await _tell(session, actor, "circuit.given", circuit, detail)
    return circuit


async def _check_stops(session: AsyncSession, actor: Actor, incident_ids: Sequence[UUID], policy: StormPolicy) -> None:
    elsewhere = set(
        await session.scalars(
            select(CircuitStop.incident_id).where(
                CircuitStop.incident_id.in_(incident_ids),
                CircuitStop.state.in_((StopState.PENDING, StopState.AT_HAND)),
            )
        )
    )
    busy = set(
        await session.scalars(
            select(Assignment.incident_id).where(
                Assignment.incident_id.in_(incident_ids), Assignment.released_at.is_(None)
            )
        )
    )
    for incident_id in incident_ids:
        incident = await access_incident(session, actor, incident_id)
        if (
            incident.priority not in policy.priorities
            or incident.sensitivity > SEEN_BY_CREWS
            or incident.state not in NOT_STARTED
            or incident_id in busy
        ):
            raise NotForCircuits(code=incident.code)
        if incident_id in elsewhere:
            raise InAnotherCircuit(code=incident.code)


async def skip_stop(
    session: AsyncSession, actor: Actor, circuit_id: UUID, *, incident_id: UUID, reason: str
) -> Circuit:
    """Leave a stop out that nobody has set out to: it waits for another answer."""
    require(actor, Permission.UNIT_DISPATCH)
    circuit = await _going(session, actor, circuit_id)
    stops = {stop.incident_id: stop for stop in await _stops(session, circuit.id)}
    stop = stops.get(incident_id)
    if stop is None or stop.state != StopState.PENDING:
        raise NotFound
    _move(stop, StopState.SKIPPED, reason)
    await _tell(session, actor, "circuit.skipped", circuit, {"incident_id": str(incident_id), "reason": reason})
    return circuit


async def call_off_circuit(session: AsyncSession, actor: Actor, circuit_id: UUID, *, reason: str) -> Circuit:
    """End a circuit; the stop at hand stays the unit's, the others wait for another answer."""
    require(actor, Permission.UNIT_DISPATCH)
    circuit = await _going(session, actor, circuit_id)
    for stop in await _stops(session, circuit.id):
        if stop.state == StopState.PENDING:
            _move(stop, StopState.SKIPPED, "called_off")
        elif stop.state == StopState.AT_HAND:
            _move(stop, StopState.DONE)
    await _end(session, actor, circuit, CircuitState.CALLED_OFF, reason)
    return circuit


async def _going(session: AsyncSession, actor: Actor, circuit_id: UUID) -> Circuit:
    circuit = await access_circuit(session, actor, circuit_id, lock=True)
    if circuit.state != CircuitState.GIVEN:
        raise CircuitOver
    return circuit


async def _end(session: AsyncSession, actor: Actor, circuit: Circuit, state: CircuitState, reason: str = "") -> None:
    circuit.state = move(CircuitState(circuit.state), state, MOVES)
    circuit.ended_at, circuit.reason = now(), reason
    await _tell(session, actor, f"circuit.{state.value}", circuit, {"reason": reason})


def _move(stop: CircuitStop, state: StopState, reason: str = "") -> None:
    stop.state = move(StopState(stop.state), state, STOP_MOVES)
    stop.reason, stop.since = reason, now()


async def _send_to(session: AsyncSession, actor: Actor, circuit: Circuit, stop: CircuitStop) -> None:
    sending = Sending(new_id(), circuit.unit_id)
    [assignment] = await dispatch_units(session, actor, stop.incident_id, [sending])
    stop.assignment_id = assignment.id
    _move(stop, StopState.AT_HAND)


# ── Going on ──────────────────────────────────────────────────────────────────────────────────────


async def follow_circuits(session: AsyncSession, entry: Entry) -> None:
    """After a unit is let go, or an incident changes: stops are ticked off and the unit is sent to the next."""
    kind = entry.kind.partition(".")[0]
    if kind == "unit":
        mine = await _given_to(session, UUID(entry.subject.partition(":")[2]))
        found = {mine.id} if mine else set()
        found |= await _standing(session)  # for the reserve: one more that is free may let them go on
    elif kind == "incident" and entry.incident_id is not None:
        query = select(CircuitStop.circuit_id).where(
            CircuitStop.incident_id == entry.incident_id,
            CircuitStop.state.in_((StopState.PENDING, StopState.AT_HAND)),
        )
        found = set(await session.scalars(query))
    else:
        return
    for circuit_id in sorted(found):
        await go_on(session, circuit_id, retell=entry.kind in {"incident.reclassified", "incident.relocated"})


async def _standing(session: AsyncSession) -> set[UUID]:
    """The circuits that are under way and of which no stop is at hand."""
    at_hand = select(CircuitStop.circuit_id).where(
        CircuitStop.circuit_id == Circuit.id, CircuitStop.state == StopState.AT_HAND
    )
    query = select(Circuit.id).where(Circuit.state == CircuitState.GIVEN, ~at_hand.exists())
    return set(await session.scalars(query))


async def go_on(session: AsyncSession, circuit_id: UUID, *, retell: bool = False) -> None:
    """Bring a circuit up to date with the truth, and send the unit on. `retell`: a stop looks different."""
    stops = await _stops(session, circuit_id)
    await lock_incidents(session, {stop.incident_id for stop in stops})
    query = select(Circuit).where(Circuit.id == circuit_id).with_for_update(key_share=True)
    circuit = (await session.scalars(query.execution_options(populate_existing=True))).one()
    if circuit.state != CircuitState.GIVEN:
        return
    stops = await _stops(session, circuit_id)
    changed = [retell]
    changed += [await _look_at(session, stop) for stop in stops]
    if not any(stop.state == StopState.AT_HAND for stop in stops):
        changed.append(await _next(session, circuit, stops))
    if all(stop.state in {StopState.DONE, StopState.SKIPPED} for stop in stops):
        await _end(session, VIGIA, circuit, CircuitState.DONE)
    elif any(changed):
        await _tell(session, VIGIA, "circuit.went_on", circuit, {})


async def _look_at(session: AsyncSession, stop: CircuitStop) -> bool:
    """What has become of a stop; whether anything did."""
    incident = await session.get_one(Incident, stop.incident_id, populate_existing=True)
    if stop.state == StopState.AT_HAND:
        assignment = await session.get(Assignment, stop.assignment_id, populate_existing=True)
        if assignment is not None and assignment.released_at is None:
            return False
        if assignment is not None and STAMPS[AssignmentStatus.ON_SCENE] in assignment.stamps:
            _move(stop, StopState.DONE)
            if incident.state in NOT_STARTED:  # the crew has done it: the desk only has to close it
                await finish_incident(session, VIGIA, incident.id)
        elif incident.state in NOT_STARTED:  # taken away for something more urgent: it goes on waiting here
            _move(stop, StopState.PENDING)
        else:
            _move(stop, StopState.SKIPPED, "answered")
        return True
    if stop.state == StopState.PENDING:
        if incident.sensitivity > SEEN_BY_CREWS:
            _move(stop, StopState.SKIPPED, "reserved")
        elif incident.state not in NOT_STARTED:
            _move(stop, StopState.SKIPPED, "answered")
    return stop.state == StopState.SKIPPED and stop.reason in {"reserved", "answered"}


async def _next(session: AsyncSession, circuit: Circuit, stops: Sequence[CircuitStop]) -> bool:
    """Send the unit to its next stop, if it is free to go. Whether it was sent."""
    pending = [stop for stop in stops if stop.state == StopState.PENDING]
    unit = await session.get_one(Unit, circuit.unit_id, populate_existing=True)
    if not pending or unit.engaged_status is not None or unit.duty != Duty.ON_DUTY:
        return False
    if await _needed_for_the_urgent(session, unit, pending[0]):
        told = pending[0].reason == RESERVE
        pending[0].reason = RESERVE
        return not told
    try:
        async with session.begin_nested():
            await _send_to(session, VIGIA, circuit, pending[0])
    except Refusal:  # somebody was quicker, or the unit lacks something now: it is looked at again when that changes
        await session.refresh(pending[0])
        return False
    return True


async def _needed_for_the_urgent(session: AsyncSession, unit: Unit, stop: CircuitStop) -> bool:
    """Whether going on would leave too few free units that can do what this stop takes."""
    incident = await session.get_one(Incident, stop.incident_id)
    found = await _stop_of(session, incident, now())
    if found is None or found.capability not in unit.capabilities:
        return False
    query = (
        select(Unit.engaged_status)
        .join(Organization, Organization.id == Unit.organization_id)
        .where(
            Organization.kind == OrganizationKind.MUNICIPALITY,
            Unit.duty == Duty.ON_DUTY,
            Unit.capabilities.contains([found.capability]),
        )
    )
    on_duty = (await session.scalars(query)).all()
    free = sum(status is None for status in on_duty)
    _, policy = await storm_policy(session)
    return free - 1 < reserve_of(len(on_duty), policy)


async def _given_to(session: AsyncSession, unit_id: UUID) -> Circuit | None:
    query = select(Circuit).where(Circuit.unit_id == unit_id, Circuit.state == CircuitState.GIVEN)
    return (await session.scalars(query)).first()


async def _stops(session: AsyncSession, circuit_id: UUID) -> Sequence[CircuitStop]:
    query = select(CircuitStop).where(CircuitStop.circuit_id == circuit_id).order_by(CircuitStop.place)
    return (await session.scalars(query.execution_options(populate_existing=True))).all()


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def _with_incidents(
    session: AsyncSession, circuits: Sequence[Circuit]
) -> dict[UUID, list[tuple[CircuitStop, Incident, str]]]:
    query = (
        select(CircuitStop, Incident)
        .join(Incident, Incident.id == CircuitStop.incident_id)
        .where(CircuitStop.circuit_id.in_([one.id for one in circuits]))
        .order_by(CircuitStop.circuit_id, CircuitStop.place)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[tuple[CircuitStop, Incident, str]]] = {one.id: [] for one in circuits}
    for stop, incident in await session.execute(query):
        words = await catalogue(session, incident.catalogue_version)
        found[stop.circuit_id].append((stop, incident, words.type(incident.type_code).name))
    return found


async def _tell(session: AsyncSession, actor: Actor, kind: str, circuit: Circuit, detail: dict[str, Any]) -> None:
    """Record a fact about a locked circuit."""
    await session.flush()
    circuit.version += 1
    stops = (await _with_incidents(session, [circuit]))[circuit.id]
    detail = {"circuit_id": str(circuit.id), "call_sign": circuit.call_sign} | detail
    await record(session, actor, kind, circuit, faces_of(circuit, stops), detail=detail)


async def done_by_zone(session: AsyncSession, since: dt.datetime) -> dict[str, int]:
    """How many stops of circuits were done in each neighbourhood since a moment: the visible side of fairness."""
    query = (
        select(Incident.zone)
        .join(CircuitStop, CircuitStop.incident_id == Incident.id)
        .where(
            CircuitStop.state == StopState.DONE,
            CircuitStop.since >= since,
            Incident.sensitivity <= SEEN_BY_CREWS,
        )
    )
    return Counter(zone or "" for zone in await session.scalars(query))


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the circuits that are under way, as `actor` sees them (of `ids`, when given)."""
    query = select(Circuit).where(Circuit.state == CircuitState.GIVEN, visible_to(actor))
    if ids is not None:
        query = query.where(Circuit.id.in_(ids))
    circuits = (await session.scalars(query.execution_options(populate_existing=True))).all()
    stops = await _with_incidents(session, circuits)
    faces = [face_for(actor.keys, faces_of(one, stops[one.id])) for one in circuits]
    return [face for face in faces if face is not None]
