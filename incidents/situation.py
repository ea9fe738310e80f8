"""The situation: what whom to send depends on, at one moment, as one reader may know it.

Read once, in a few queries, for now or for any past moment; what is asked of it (`incidents/recommendation.py`,
`incidents/standing.py`) touches no database. Of the past it holds what the desk knew then: what was told later counts
from when it was told, and what cannot be known any more is named in `unknown`, not guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import shapely
from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.coverage import People, people_of
from geo.drives import Drive, drive_of
from geo.places import Point
from geo.travel import Travel, travel
from geo.zones import Zone
from incidents.assignments import OVER, Assignment, AssignmentStatus
from incidents.coverage_targets import coverage_targets
from incidents.dispatch_policy import Policy, dispatch_policy
from incidents.incident import Incident, visible_whole_to
from incidents.rewind import places_at, rewound, since
from realtime.access import Actor
from realtime.database import now
from resources.gaps import Gap
from resources.organizations import Organization, OrganizationKind
from resources.positions import UnitPosition
from resources.readiness import readiness_of
from resources.tracks import KEPT
from resources.units import Duty, Unit

ON_THE_WAY = frozenset({AssignmentStatus.ASSIGNED, AssignmentStatus.ACKNOWLEDGED, AssignmentStatus.EN_ROUTE})


@dataclass(frozen=True, slots=True)
class Job:
    """What a unit is on. `code` and `priority` are None where the reader may not know."""

    incident_id: UUID
    code: str | None
    priority: int | None
    status: str
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit, as far as it matters. `capabilities` with their amounts (None: it has it, nobody said how much).

    `ours`: it is the municipality's to send; of others we can only ask. `territories`: the jurisdictions to which its
    organization is bound; empty: everywhere.
    """

    id: UUID
    call_sign: str
    kind: str
    organization_id: UUID
    organization: str
    ours: bool
    capabilities: Mapping[str, float | None]
    place: Point | None
    position_age: float | None
    duty: str
    jobs: tuple[Job, ...] = ()
    gaps: tuple[Gap, ...] = ()
    territories: frozenset[str] = frozenset()

    def drive(self, *, urgent: bool) -> Drive:
        """How it drives."""
        return drive_of(self.kind, urgent)

    @property
    def blocked(self) -> tuple[Gap, ...]:
        """The gaps with which it is not sent."""
        return tuple(gap for gap in self.gaps if gap.blocks)

    def job_on(self, incident_id: UUID | None) -> Job | None:
        """What it does on that incident, if it is on it."""
        return next((job for job in self.jobs if job.incident_id == incident_id), None)

    def free(self, policy: Policy) -> bool:
        """Whether it could be sent now and from a place that is known: what coverage counts."""
        return (
            self.ours
            and self.duty == Duty.ON_DUTY
            and not self.jobs
            and not self.blocked
            and self.place is not None
            and (self.position_age or 0.0) <= policy.age_lost_s
            and self.kind not in policy.remote_kinds
        )


@dataclass(frozen=True, slots=True)
class Target:
    """How fast a capability (or a kind of unit) should be, for what share of the people, in the city or in a zone."""

    id: UUID
    capability: str | None
    kind: str | None
    minutes: float
    minimum: float
    zone: str | None = None
    shape: shapely.MultiPolygon | None = None

    def counts(self, unit: Candidate) -> bool:
        """Whether such a unit helps to meet it."""
        return self.capability in unit.capabilities if self.capability else self.kind == unit.kind


@dataclass(frozen=True)
class Situation:
    """Everything at one moment. `unknown` names what could not be rebuilt of a past one."""

    at: dt.datetime
    units: tuple[Candidate, ...]
    travel: Travel
    people: People | None = None
    targets: tuple[Target, ...] = ()
    policy: Policy = field(default_factory=Policy)
    unknown: tuple[str, ...] = ()


# ── Reading it ────────────────────────────────────────────────────────────────────────────────────


async def situation(session: AsyncSession, actor: Actor, at: dt.datetime | None = None, *, timezone: str) -> Situation:
    """The situation as `actor` may know it: now, or at a past moment. `timezone` is the city's.

    What he may see of an incident is judged by his present rights.
    """
    if at is None:
        return await _now(session, actor, timezone)
    return await _then(session, actor, at, timezone)


async def _now(session: AsyncSession, actor: Actor, timezone: str) -> Situation:
    at = now()
    rows = [row for row in await _units(session) if row.Unit.retired_at is None]
    places = {
        one.unit_id: (Point(one.lon, one.lat), one.fixed_at)
        for one in await session.scalars(select(UnitPosition).execution_options(populate_existing=True))
    }
    jobs: dict[UUID, list[Job]] = {}
    for assignment, incident, seen in await _sent(session, actor, Assignment.released_at.is_(None)):
        job = _job(assignment, incident, str(assignment.status), assignment.since, incident.priority, seen=seen)
        jobs.setdefault(assignment.unit_id, []).append(job)
    duties = {row.Unit.id: str(row.Unit.duty) for row in rows}
    roads = await travel(session, at, timezone=timezone)
    return await _put_together(session, at, rows, places, duties, jobs, roads)


async def _then(session: AsyncSession, actor: Actor, at: dt.datetime, timezone: str) -> Situation:
    """The present without what was recorded since."""
    past = await rewound(session, at)
    rows = [row for row in await _units(session) if past.there.get(row.Unit.id, row.Unit.retired_at is None)]
    places = await places_at(session, [row.Unit.id for row in rows], at)
    if at < now() - KEPT:
        past.unknown.add("positions")
    jobs: dict[UUID, list[Job]] = {}
    moved = or_(Assignment.released_at.is_(None), Assignment.id.in_(past.statuses))
    for assignment, incident, seen in await _sent(session, actor, moved):
        status = past.statuses.get(assignment.id, str(assignment.status))
        if assignment.id in past.unsent or status in OVER:
            continue
        waiting = assignment.id in past.waiting
        stood = status == assignment.status and not waiting
        priority = past.incidents.get(incident.id, {}).get("priority", incident.priority)
        begun = assignment.since if stood else since(assignment, status, waiting=waiting)
        jobs.setdefault(assignment.unit_id, []).append(_job(assignment, incident, status, begun, priority, seen=seen))
    duties = {row.Unit.id: past.duties.get(row.Unit.id, str(row.Unit.duty)) for row in rows}
    roads = await travel(session, at, timezone=timezone)
    known = [one for one in roads.barriers if one.id.partition(":")[0] not in past.undrawn]
    roads = replace(roads, barriers=known)
    return await _put_together(session, at, rows, places, duties, jobs, roads, unknown=sorted(past.unknown))


async def _units(session: AsyncSession) -> Sequence[Row[Unit, Organization]]:
    query = (
        select(Unit, Organization)
        .join(Organization, Organization.id == Unit.organization_id)
        .order_by(Unit.call_sign, Unit.id)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).all()


async def _sent(
    session: AsyncSession, actor: Actor, which: ColumnElement[bool]
) -> Sequence[Row[Assignment, Incident, bool]]:
    """Assignments with their incidents, and whether the actor sees each whole."""
    query = (
        select(Assignment, Incident, visible_whole_to(actor))
        .join(Incident, Incident.id == Assignment.incident_id)
        .where(which)
        .order_by(Assignment.made_at, Assignment.id)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).all()


def _job(
    assignment: Assignment, incident: Incident, status: str, begun: dt.datetime, priority: int, *, seen: bool
) -> Job:
    return Job(assignment.incident_id, incident.code if seen else None, priority if seen else None, status, begun)


async def _put_together(
    session: AsyncSession,
    at: dt.datetime,
    rows: Sequence[Row[Unit, Organization]],
    places: Mapping[UUID, tuple[Point, dt.datetime]],
    duties: Mapping[UUID, str],
    jobs: Mapping[UUID, list[Job]],
    roads: Travel,
    *,
    unknown: Sequence[str] = (),
) -> Situation:
    """What is the same of now and of a past moment: readiness, targets and policy answer for any time."""
    gaps = await readiness_of(session, [row.Unit.id for row in rows], at)
    names = await _zone_names(session, {zone_id for row in rows for zone_id in row.Organization.zone_ids})
    people = await people_of(session, roads.network) if roads.network is not None else None
    _, policy = await dispatch_policy(session, at)
    targets = tuple(
        Target(
            target.id,
            target.capability,
            target.kind,
            target.minutes,
            target.minimum,
            zone.name if zone else None,
            zone.shape if zone else None,
        )
        for target, zone in await coverage_targets(session, at)
    )

    def candidate(unit: Unit, organization: Organization) -> Candidate:
        place, fixed_at = places.get(unit.id, (None, None))
        return Candidate(
            unit.id,
            unit.call_sign,
            str(unit.kind),
            organization.id,
            organization.name,
            organization.kind == OrganizationKind.MUNICIPALITY,
            _capabilities(unit),
            place,
            None if fixed_at is None else round(max(0.0, (at - fixed_at).total_seconds()), 1),
            duties[unit.id],
            tuple(sorted(jobs.get(unit.id, ()), key=_most_urgent)),
            gaps.get(unit.id, ()),
            frozenset(names[zone_id] for zone_id in organization.zone_ids if zone_id in names),
        )

    units = tuple(candidate(row.Unit, row.Organization) for row in rows)
    return Situation(at, units, roads, people, targets, policy, tuple(unknown))


def _capabilities(unit: Unit) -> dict[str, float | None]:
    return {code: unit.amounts.get(code) for code in unit.capabilities}


def _most_urgent(job: Job) -> tuple[int, dt.datetime, UUID]:
    """What the reader may not know comes first: it may be anything."""
    return job.priority or 0, job.since, job.incident_id


async def _zone_names(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    rows = await session.execute(select(Zone.id, Zone.name).where(Zone.id.in_(ids)))
    return {row.id: row.name for row in rows}
