"""Storm mode: over a load line, low-priority incidents are gathered into circuits; the urgent keep their times.

What changes in a storm: what came in about the same thing stands as one line with a counter (`incidents/clusters.py`);
low priorities are given to crews as circuits (`incidents/circuits.py`), with a reserve that is kept for the urgent; the
room and the wall say that it is so. Nothing is thrown away, and the urgent are dispatched as ever.

The load line is policy. With `automatic` the worker begins and ends storms by it; a supervisor always can.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Index, Text, false, func, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.assignments import Assignment
from incidents.clusters import Cluster, Spotted, clusters_of
from incidents.incident import Incident, IncidentState
from incidents.reports import Report, ReportStatus
from incidents.reports import visible_to as report_visible_to
from incidents.triage import accept_report, join_report
from realtime.access import (
    OPERATIONS,
    VIGIA,
    Actor,
    Audience,
    Face,
    Faces,
    Permission,
    Role,
    Sensitivity,
    face_for,
    require,
)
from realtime.database import Base, new_id, now
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal
from realtime.journal import Told, record
from realtime.registers import Register, turn_page
from resources.organizations import Organization, OrganizationKind
from resources.units import Duty, Unit

NOT_STARTED = (IncidentState.RECEIVED, IncidentState.CLASSIFIED, IncidentState.WAITING)
SEEN_BY_CREWS = Sensitivity.OPERATIONAL  # what is more secret is dispatched by hand, storm or not
MOST_AT_ONCE = 300  # reports in one cluster that are accepted together


class StormAlready(Refusal):
    """There is a storm already, since {since}."""

    status = 409


class NoStorm(Refusal):
    """There is no storm to end."""

    status = 409


class BadStormPolicy(Malformed):
    """The storm policy has no such value: {field}."""


class NothingToAccept(Malformed):
    """A cluster has at least one report."""


# ── Policy ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StormPolicy:
    """When it is a storm, and what then is done. Shares are 0…1; the first edition of a city."""

    automatic: bool = True
    window_minutes: float = 10.0  # the load is looked at over so long
    reports_line: int = 40  # so many reports in it are a storm …
    waiting_line: float = 3.0  # … or so many low-priority incidents that wait, for each free unit of ours
    waiting_least: int = 12  # … but not fewer than this
    calm_share: float = 0.5  # of both lines; below it for `calm_minutes` the storm is over
    calm_minutes: float = 15.0
    priorities: tuple[int, ...] = (3, 4)  # what is gathered into circuits
    cluster_metres: float = 300.0
    cluster_minutes: float = 15.0
    stops_most: int = 8  # of one circuit
    circuit_minutes: float = 180.0  # how long one may take, work included
    service_minutes: float = 15.0  # at each stop
    reserve_share: float = 0.45  # of the units of a capability that are on duty: so many stay free for the urgent
    zone_share: float = 0.4  # no neighbourhood gets more of the stops of a plan while others wait
    longest_wait_minutes: float = 120.0  # what has waited so long comes before all others

    def content(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return asdict(self) | {"priorities": list(self.priorities)}


_COUNTS = {"reports_line": (1, 10_000), "waiting_least": (1, 10_000), "stops_most": (1, 30)}
_SHARES = frozenset({"calm_share", "reserve_share", "zone_share"})
_BETWEEN = {
    "window_minutes": (1, 120),
    "waiting_line": (0.1, 1000),
    "calm_minutes": (1, 720),
    "cluster_metres": (20, 2000),
    "cluster_minutes": (1, 360),
    "circuit_minutes": (15, 720),
    "service_minutes": (1, 240),
    "longest_wait_minutes": (10, 2880),
}


def storm_policy_from(content: Mapping[str, Any]) -> StormPolicy:
    """A policy from what was stored or sent; what is not said is the default. Raises `BadStormPolicy`."""
    known = {one.name for one in fields(StormPolicy)}
    for name, value in content.items():
        if name not in known or not _fits(name, value):
            raise BadStormPolicy(field=name)
    values = dict(content)
    if "priorities" in values:
        values["priorities"] = tuple(sorted(set(values["priorities"])))
    return StormPolicy(**values)


def _fits(name: str, value: Any) -> bool:
    if name == "automatic":
        return isinstance(value, bool)
    if name == "priorities":  # the urgent are never gathered
        return isinstance(value, list | tuple) and len(value) > 0 and all(one in {3, 4} for one in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if name in _SHARES:
        return 0 <= value <= 1
    low, high = _COUNTS.get(name) or _BETWEEN[name]
    return low <= value <= high and (name not in _COUNTS or isinstance(value, int))


class StormPolicyEdition(Base):
    """One edition, whole. The highest number is in force."""

    __tablename__ = "storm_policies"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    made_by: Mapped[str] = mapped_column(Text)


async def storm_policy(session: AsyncSession) -> tuple[int, StormPolicy]:
    """The number and the policy in force; 0 and our defaults before there was one."""
    row = (
        await session.scalars(select(StormPolicyEdition).order_by(StormPolicyEdition.number.desc()).limit(1))
    ).first()
    return (row.number, storm_policy_from(row.content)) if row else (0, StormPolicy())


async def publish_storm_policy(
    session: AsyncSession, actor: Actor, content: Mapping[str, Any]
) -> tuple[int, StormPolicy]:
    """Put an edition in force; what it does not say is as in the one before. Raises `BadStormPolicy`."""
    require(actor, Permission.POLICY_EDIT)
    number, before = await storm_policy(session)
    policy = storm_policy_from(before.content() | dict(content))
    if policy == before:
        return number, before
    changed = [name for name, value in policy.content().items() if value != before.content()[name]]
    edition = StormPolicyEdition(number=number + 1, content=policy.content(), made_at=now(), made_by=actor.name)
    session.add(edition)
    detail = {"number": number + 1, "fields": changed}
    await turn_page(session, actor, Register.STORM_POLICY, "storm.ruled", detail=detail)
    return number + 1, policy


# ── The storm ─────────────────────────────────────────────────────────────────────────────────────


class Storm(Told, Base):
    """One storm. `why` says what the load was when it began; `calm_since` when it fell below the line again."""

    __tablename__ = "storms"
    __table_args__ = (Index("one_storm", text("(ended_at IS NULL)"), unique=True, postgresql_where="ended_at IS NULL"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    began_at: Mapped[dt.datetime]
    began_by: Mapped[str] = mapped_column(Text)
    automatic: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    why: Mapped[dict[str, Any]]
    calm_since: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[str | None] = mapped_column(Text)

    @property
    def subject(self) -> str:
        """`storm:<id>`."""
        return f"storm:{self.id}"


EVERYBODY_INSIDE: Audience = frozenset({"ops:0", "government:0", "crew:0"})
ON_WALLS: Audience = frozenset({"wall:0"})  # anybody may read a wall: it names nobody


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Everybody who works for the city knows that there is a storm; others do not need to."""
    inside = OPERATIONS | {Role.GOVERNMENT, Role.WALL, Role.CREW, Role.SYSTEM}
    return true() if actor.role in inside else false()


def faces_of(storm: Storm) -> Faces:
    """A storm shows itself while it lasts."""
    if storm.ended_at is not None:
        return ()
    properties = {
        "subject": storm.subject,
        "id": str(storm.id),
        "version": storm.version,
        "began_at": storm.began_at.isoformat(),
        "began_by": storm.began_by,
        "automatic": storm.automatic,
        "reason": storm.reason,
    }
    nameless = properties | {"began_by": "", "reason": ""}
    return (
        Face(ON_WALLS, {"type": "Feature", "geometry": None, "properties": nameless}),
        Face(EVERYBODY_INSIDE, {"type": "Feature", "geometry": None, "properties": properties}),
    )


async def storm_now(session: AsyncSession, *, lock: bool = False) -> Storm | None:
    """The storm that there is, if any."""
    query = select(Storm).where(Storm.ended_at.is_(None))
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await session.scalars(query)).first()


async def begin_storm(session: AsyncSession, actor: Actor, storm_id: UUID, *, reason: str = "") -> Storm:
    """Say that it is a storm. Raises `StormAlready`."""
    require(actor, Permission.STORM_CONTROL)
    await session.execute(_ONE_STORM)
    there = await storm_now(session)
    if there is not None:
        raise StormAlready(since=there.began_at)
    if await session.get(Storm, storm_id) is not None:
        raise AlreadyExists
    _, policy = await storm_policy(session)
    storm = Storm(
        id=storm_id,
        began_at=now(),
        began_by=actor.name,
        automatic=actor.role is Role.SYSTEM,
        reason=reason,
        why=(await load_now(session, policy)).shown(),
        version=0,
        told_to=[],
    )
    session.add(storm)
    await _tell(session, actor, "storm.began", storm, {"automatic": storm.automatic, "load": storm.why})
    return storm


async def end_storm(session: AsyncSession, actor: Actor, *, reason: str = "") -> Storm:
    """Say that it is over; circuits go on until they are done. Raises `NoStorm`."""
    require(actor, Permission.STORM_CONTROL)
    storm = await storm_now(session, lock=True)
    if storm is None:
        raise NoStorm
    storm.ended_at, storm.ended_by = now(), actor.name
    await _tell(session, actor, "storm.ended", storm, {"automatic": actor.role is Role.SYSTEM, "reason": reason})
    return storm


_ONE_STORM = text("SELECT pg_advisory_xact_lock(7316019)")


async def _tell(session: AsyncSession, actor: Actor, kind: str, storm: Storm, detail: dict[str, Any]) -> None:
    storm.version += 1
    await record(session, actor, kind, storm, faces_of(storm), detail=detail)


# ── The load ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to do: reports in the window, low-priority incidents that nobody is on, free units of ours."""

    reports: int
    waiting: int
    free: int
    over: bool
    calm: bool

    def shown(self) -> dict[str, Any]:
        """As the API and the journal tell it."""
        return asdict(self)


async def load_now(session: AsyncSession, policy: StormPolicy) -> Load:
    """The load at this moment, beside the line."""
    since = now() - dt.timedelta(minutes=policy.window_minutes)
    reports = await session.scalar(select(func.count()).select_from(Report).where(Report.received_at >= since)) or 0
    waiting = await session.scalar(select(func.count()).select_from(Incident).where(*_unanswered(policy))) or 0
    free = await session.scalar(
        select(func.count())
        .select_from(Unit)
        .join(Organization, Organization.id == Unit.organization_id)
        .where(
            Organization.kind == OrganizationKind.MUNICIPALITY,
            Unit.duty == Duty.ON_DUTY,
            Unit.engaged_status.is_(None),
        )
    )
    free = free or 0
    line = max(policy.waiting_least, policy.waiting_line * max(free, 1))
    over = reports >= policy.reports_line or waiting >= line
    calm = reports < policy.reports_line * policy.calm_share and waiting < line * policy.calm_share
    return Load(reports, waiting, free, over, calm)


def _unanswered(policy: StormPolicy) -> tuple[ColumnElement[bool], ...]:
    live = select(Assignment.id).where(Assignment.incident_id == Incident.id, Assignment.released_at.is_(None)).exists()
    return (Incident.state.in_(NOT_STARTED), Incident.priority.in_(policy.priorities), ~live)


async def watch_load(session: AsyncSession) -> None:
    """Begin a storm when the load is over the line, end one of ours when it has been calm long enough."""
    _, policy = await storm_policy(session)
    if not policy.automatic:
        return
    load, storm = await load_now(session, policy), await storm_now(session, lock=True)
    if storm is None:
        if load.over:
            await begin_storm(session, VIGIA, new_id())
        return
    if not load.calm:
        storm.calm_since = None
    elif storm.calm_since is None:
        storm.calm_since = now()
    elif storm.automatic and storm.calm_since <= now() - dt.timedelta(minutes=policy.calm_minutes):
        await end_storm(session, VIGIA)


# ── What belongs together ─────────────────────────────────────────────────────────────────────────


async def waiting_incidents(session: AsyncSession, policy: StormPolicy, *, limit: int = 2000) -> Sequence[Incident]:
    """Low-priority incidents that nobody is on and that crews in general may know of, oldest first."""
    query = (
        select(Incident)
        .where(*_unanswered(policy), Incident.sensitivity <= SEEN_BY_CREWS)
        .order_by(Incident.opened_at, Incident.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def incident_clusters(session: AsyncSession, policy: StormPolicy) -> list[Cluster[Incident]]:
    """Waiting incidents by type, place and time."""
    spotted = [
        Spotted(one, one.type_code, one.shape, one.opened_at) for one in await waiting_incidents(session, policy)
    ]
    return clusters_of(spotted, within=policy.cluster_metres, seconds=policy.cluster_minutes * 60)


async def report_clusters(session: AsyncSession, actor: Actor, policy: StormPolicy) -> list[Cluster[Report]]:
    """Reports that wait for triage and have a place, by the type that was hinted at, place and time."""
    require(actor, Permission.REPORT_TRIAGE)
    query = (
        select(Report)
        .where(Report.status == ReportStatus.RECEIVED, Report.shape.is_not(None), report_visible_to(actor))
        .order_by(Report.received_at, Report.id)
        .limit(2000)
    )
    spotted = [
        Spotted(one, one.type_hint, one.shape, one.told_at)
        for one in await session.scalars(query)
        if one.shape is not None
    ]
    return clusters_of(spotted, within=policy.cluster_metres, seconds=policy.cluster_minutes * 60)


async def accept_cluster(
    session: AsyncSession,
    actor: Actor,
    report_ids: Sequence[UUID],
    *,
    incident_id: UUID,
    type_code: str,
    priority: int | None = None,
) -> Incident:
    """Make one incident of reports that tell of the same: the oldest opens it, the others join it.

    All or none: one that somebody handled meanwhile refuses (`AlreadyHandled`) and nothing is done.
    """
    require(actor, Permission.REPORT_TRIAGE)
    ids = list(dict.fromkeys(report_ids))
    if not ids or len(ids) > MOST_AT_ONCE:
        raise NothingToAccept
    query = (
        select(Report.id).where(Report.id.in_(ids), report_visible_to(actor)).order_by(Report.received_at, Report.id)
    )
    ordered = (await session.scalars(query)).all()
    if len(ordered) != len(ids):
        raise NotFound
    # Reports are locked before the incident that they join, and all in one order.
    await session.execute(
        select(Report.id).where(Report.id.in_(ids)).order_by(Report.id).with_for_update(key_share=True)
    )
    first, *rest = ordered
    incident = await accept_report(
        session, actor, first, incident_id=incident_id, type_code=type_code, priority=priority
    )
    for report_id in rest:
        await join_report(session, actor, report_id, incident_id=incident.id)
    return incident


# ── Board ─────────────────────────────────────────────────────────────────────────────────────────


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The storm that there is, as `actor` sees it (if it is one of `ids`, when given)."""
    query = select(Storm).where(Storm.ended_at.is_(None), visible_to(actor)).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Storm.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(one)) for one in await session.scalars(query)]
    return [face for face in faces if face is not None]
