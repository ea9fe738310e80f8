"""Merging and splitting: reports and units go from one incident to another, and can come back.

Whoever reported stays subscribed: a report goes on telling of the incident in which it lies, and its tracking page
follows (`follow_up.py`). Assignments move as they are, statuses and stamps untouched. Notes stay where they were
written; the survivor's timeline shows them too. Locks: both incidents in the order of their ids, then reports, units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import STAMPS, Assignment, live_assignments
from incidents.bonds import Link, LinkKind, MajorMember, tell_of_member
from incidents.dispatch import IncidentOver, move_assignments
from incidents.incident import OVER, Incident, IncidentState, access_incident, open_incident, stamp, tell
from incidents.links import AlreadyUndone, access_both, access_link, make_link, undo_link, unlink_incidents
from incidents.majors import access_major
from incidents.moments import moment
from incidents.reports import Report, ReportStatus, feature_of
from incidents.reports import tell as tell_of_report
from incidents.reports import visible_to as reports_visible_to
from realtime.access import VIGIA, Actor, Permission, require
from realtime.database import new_id
from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal

BY_UNITS = frozenset({IncidentState.DISPATCHED, IncidentState.EN_ROUTE, IncidentState.ON_SCENE})


class NothingToSplit(Malformed):
    """Choose at least one report or one unit that goes into the new incident."""


class SurvivorMerged(Refusal):
    """{incident_code} was merged itself meanwhile: take that back first."""

    status = 409


class WhyLeft(StrEnum):
    """Why something is not put back when a merge is taken back."""

    REPORT_MOVED_ON = "report_moved_on"  # it was split off, or merged farther, since
    UNIT_RELEASED = "unit_released"  # what it was sent to is over
    SENSITIVITY_KEPT = "sensitivity_kept"  # something was done since, and it may speak of the other


@dataclass(frozen=True, slots=True)
class Left:
    """Something that could not be put back: a report, an assignment, or the sensitivity of the survivor."""

    why: WhyLeft
    id: UUID

    def shown(self) -> dict[str, str]:
        """As the API answers it."""
        return {"why": self.why.value, "id": str(self.id)}


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def merge_incidents(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    link_id: UUID,
    into_id: UUID,
    reason: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Link:
    """Merge a duplicate into the incident that stays: its reports and units go there, and it leaves the queue.

    The survivor is as sensitive as the more sensitive of both. Raises `IncidentOver`, `LinkToItself`.
    """
    require(actor, Permission.INCIDENT_CLOSE)
    at = moment(occurred_at)
    gone, kept = await access_both(session, actor, incident_id, into_id, expected=expected)
    _must_be_open(gone)
    _must_be_open(kept, finished=False)
    if await session.scalar(select(Link.id).where(Link.id == link_id)):
        raise AlreadyExists
    moved = {
        "state": gone.state,
        "kept_state": kept.state,
        "type_code": kept.type_code,
        "sensitivity": kept.sensitivity,
        "least_sensitivity": kept.least_sensitivity,
    }
    kept.least_sensitivity = max(kept.least_sensitivity, gone.sensitivity, gone.least_sensitivity)
    kept.sensitivity = max(kept.sensitivity, kept.least_sensitivity)
    reports = await _reports_of(session, gone.id)
    moved["reports"] = {str(report.id): report.status for report in reports}
    assignments, ended = await move_assignments(session, actor, gone, kept, None, at=at)
    stamped = _bring_stamps(kept, assignments)
    moved["assignments"] = [str(one.id) for one in assignments]
    moved["ended"] = [str(one.id) for one in ended]
    if "T0" in gone.stamps and gone.stamps["T0"] < kept.stamps.get("T0", gone.stamps["T0"]):
        stamped["T0"] = [kept.stamps["T0"], gone.stamps["T0"]]  # somebody told of it before we knew that it was this
        kept.stamps = kept.stamps | {"T0": gone.stamps["T0"]}
    moved["stamps"] = stamped
    moved["member"] = await _move_place(session, actor, gone, kept, at=at)
    gone.reports -= len(reports)
    kept.reports += len(reports)
    before, gone.state, gone.closed_at = gone.state, IncidentState.MERGED, at
    stamp(gone, "T16", at, last=True)
    told = {"link_id": str(link_id), "reports": len(reports), "call_signs": [one.call_sign for one in assignments]}
    await tell(session, actor, "incident.absorbed", kept, detail=told | {"reason": reason}, occurred_at=at)
    over = {"from": before, "to": IncidentState.MERGED.value, "reason": reason}
    await tell(session, actor, "incident.merged", gone, detail=told | over, occurred_at=at)
    await _move_reports(session, actor, reports, kept, ReportStatus.JOINED, at=at)
    moved["version"] = kept.version
    return await make_link(
        session, actor, link_id, LinkKind.MERGED, gone, kept, reason=reason, at=at, on=(None,), moved=moved
    )


async def unmerge_incident(
    session: AsyncSession, actor: Actor, link_id: UUID, *, reason: str = "", occurred_at: dt.datetime | None = None
) -> tuple[Link, list[Left]]:
    """Take a merge back: the duplicate is open again with its reports and those of its units that are still on it.

    What has happened since stays where it happened, and is named in the answer. Raises `AlreadyUndone`,
    `SurvivorMerged`.
    """
    require(actor, Permission.INCIDENT_CLOSE)
    at = moment(occurred_at)
    known = await access_link(session, actor, link_id)
    gone, kept = await access_both(session, actor, known.from_id, known.to_id)
    link = await access_link(session, actor, link_id, lock=True)
    if link.kind != LinkKind.MERGED:
        raise NotFound
    if link.undone_at is not None:
        raise AlreadyUndone
    if kept.state == IncidentState.MERGED:
        raise SurvivorMerged(incident_code=kept.code)
    moved = link.moved
    left: list[Left] = []
    untouched = kept.version == moved["version"]
    came = await _reports(session, [UUID(one) for one in moved["reports"]])
    reports = [one for one in came if one.incident_id == kept.id]
    left += [Left(WhyLeft.REPORT_MOVED_ON, one.id) for one in came if one.incident_id != kept.id]
    wanted = {UUID(one) for one in moved["assignments"]}
    assignments, _ = await move_assignments(session, actor, kept, gone, wanted, at=at)
    stayed = (wanted - {one.id for one in assignments}) | {UUID(one) for one in moved["ended"]}
    left += [Left(WhyLeft.UNIT_RELEASED, one) for one in sorted(stayed)]
    _unstamp(kept, moved["stamps"])
    if kept.state in BY_UNITS:  # derived afresh from the units that it has; without any it is as it was
        kept.state = _state_before(moved["kept_state"])
    if untouched:
        kept.sensitivity, kept.least_sensitivity = moved["sensitivity"], moved["least_sensitivity"]
    else:
        kept.least_sensitivity = await _least_without(session, kept, link)
        if kept.sensitivity > max(moved["sensitivity"], kept.least_sensitivity):
            left.append(Left(WhyLeft.SENSITIVITY_KEPT, kept.id))
    kept.reports -= len(reports)
    gone.reports += len(reports)
    gone.stamps = {name: value for name, value in gone.stamps.items() if name != "T16"}
    gone.closed_at, gone.on_board = None, True
    gone.state = _state_before(moved["state"])
    await _move_place_back(session, actor, gone, kept, moved["member"], at=at)
    told = {
        "link_id": str(link.id),
        "reports": len(reports),
        "call_signs": [one.call_sign for one in assignments],
        "left": len(left),
        "reason": reason,
    }
    await tell(session, actor, "incident.unmerged", gone, detail=told, occurred_at=at)
    await tell(session, actor, "incident.unmerged", kept, detail=told, occurred_at=at)
    for report in reports:
        status = ReportStatus(moved["reports"][str(report.id)])
        await _move_reports(session, actor, [report], gone, status, at=at)
    await undo_link(session, actor, link, reason=reason, at=at, on=(None,))
    return link, left


async def split_incident(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    *,
    link_id: UUID,
    fresh_id: UUID,
    report_ids: Collection[UUID] = (),
    assignment_ids: Collection[UUID] = (),
    type_code: str | None = None,
    priority: int | None = None,
    location: Point | None = None,
    place: str | None = None,
    summary: str | None = None,
    reason: str = "",
    occurred_at: dt.datetime | None = None,
    expected: int | None = None,
) -> Link:
    """Make chosen reports and units of an incident a new incident; reporters follow their report.

    Of another type it is as sensitive as that type, but never less than what was merged into the first. Raises
    `NothingToSplit`, `IncidentOver`, `NotFound` for a report or an assignment that is not this incident's.
    """
    require(actor, Permission.INCIDENT_CLOSE)
    at = moment(occurred_at)
    incident = await access_incident(session, actor, incident_id, lock=True, expected=expected)
    _must_be_open(incident)
    if not report_ids and not assignment_ids:
        raise NothingToSplit
    if await session.scalar(select(Link.id).where(Link.id == link_id)):
        raise AlreadyExists
    reports = await _reports(session, report_ids)
    live = (await live_assignments(session, [incident.id], lock=True))[incident.id]
    chosen = set(assignment_ids)
    if {one.id for one in reports} != set(report_ids) or any(one.incident_id != incident.id for one in reports):
        raise NotFound
    if not chosen <= {one.id for one in live}:
        raise NotFound
    same = type_code is None or type_code == incident.type_code
    first = reports[0] if reports else None
    where = location or (first.shape if first else None)
    words = place if place is not None else first.place if first and where is first.shape else incident.place
    fresh = await open_incident(
        session,
        actor,
        fresh_id,
        type_code=type_code or incident.type_code,
        priority=priority or (incident.priority if same else None),
        location=where or incident.shape,
        place=words,
        place_match=first.place_match if first and where is first.shape and place is None else None,
        summary=summary if summary is not None else first.words if first else incident.summary,
        received_at=min((report.told_at for report in reports), default=None),
        reports=len(reports),
        least_sensitivity=incident.sensitivity if same else incident.least_sensitivity,
        occurred_at=at,
    )
    assignments, _ = await move_assignments(session, actor, incident, fresh, chosen, at=at)
    stamped = _bring_stamps(fresh, assignments)
    incident.reports -= len(reports)
    told = {"link_id": str(link_id), "reports": len(reports), "call_signs": [one.call_sign for one in assignments]}
    await tell(session, actor, "incident.split", incident, detail=told | {"reason": reason}, occurred_at=at)
    await tell(session, actor, "incident.split", fresh, detail=told | {"reason": reason}, occurred_at=at)
    for report in reports:
        await _move_reports(session, actor, [report], fresh, ReportStatus(report.status), at=at)
    moved = {
        "reports": {str(report.id): report.status for report in reports},
        "assignments": [str(one.id) for one in assignments],
        "stamps": stamped,
        "least_sensitivity": fresh.least_sensitivity,
    }
    return await make_link(
        session, actor, link_id, LinkKind.SPLIT, incident, fresh, reason=reason, at=at, on=(None,), moved=moved
    )


async def take_back(
    session: AsyncSession, actor: Actor, link_id: UUID, *, reason: str = "", occurred_at: dt.datetime | None = None
) -> tuple[Link, list[Left]]:
    """Undo whatever a link is: unlink, unmerge, or merge what was split into where it came from."""
    require(actor, Permission.INCIDENT_UPDATE)
    link = await access_link(session, actor, link_id)
    if link.kind == LinkKind.MERGED:
        return await unmerge_incident(session, actor, link_id, reason=reason, occurred_at=occurred_at)
    if link.kind == LinkKind.SPLIT:
        require(actor, Permission.INCIDENT_CLOSE)
        at = moment(occurred_at)
        await access_both(session, actor, link.to_id, link.from_id)
        link = await access_link(session, actor, link_id, lock=True)
        if link.undone_at is not None:
            raise AlreadyUndone
        merge_id = new_id()
        await merge_incidents(
            session, actor, link.to_id, link_id=merge_id, into_id=link.from_id, reason=reason, occurred_at=occurred_at
        )
        await undo_link(session, actor, link, reason=reason, at=at, on=(None,))
        return link, []
    return await unlink_incidents(session, actor, link_id, reason=reason, occurred_at=occurred_at), []


async def reports_inside(session: AsyncSession, actor: Actor, incident_id: UUID) -> list[dict[str, Any]]:
    """The reports that lie in an incident, as far as the actor sees them, in the order in which they were told."""
    incident = await access_incident(session, actor, incident_id)
    query = select(Report).where(Report.incident_id == incident.id, reports_visible_to(actor))
    found = (await session.scalars(query.execution_options(populate_existing=True))).all()
    return [feature_of(report) for report in sorted(found, key=lambda one: (one.told_at, one.id))]


# ── What moves ────────────────────────────────────────────────────────────────────────────────────


def _must_be_open(incident: Incident, *, finished: bool = True) -> None:
    if incident.state in OVER or (incident.state == IncidentState.FINISHED and not finished):
        raise IncidentOver(incident_code=incident.code, state=incident.state)


def _state_before(state: str) -> IncidentState:
    """What a person had said stands again; what assignments gave is derived afresh from those that are back."""
    by_hand = {
        IncidentState.RECEIVED,
        IncidentState.CLASSIFIED,
        IncidentState.UNDER_CONTROL,
        IncidentState.FINISHED,
    }
    return IncidentState(state) if state in by_hand else IncidentState.WAITING


async def _reports_of(session: AsyncSession, incident_id: UUID) -> Sequence[Report]:
    ids = (await session.scalars(select(Report.id).where(Report.incident_id == incident_id))).all()
    return await _reports(session, ids)


async def _reports(session: AsyncSession, report_ids: Collection[UUID]) -> Sequence[Report]:
    query = (
        select(Report)
        .where(Report.id.in_(report_ids))
        .order_by(Report.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).all()


async def _move_reports(
    session: AsyncSession,
    actor: Actor,
    reports: Sequence[Report],
    to: Incident,
    status: ReportStatus,
    *,
    at: dt.datetime,
) -> None:
    for report in reports:
        report.incident_id, report.status = to.id, status
        detail = {"incident_id": str(to.id)}
        await tell_of_report(session, actor, "report.joined_to", report, detail=detail, occurred_at=at)


def _bring_stamps(to: Incident, assignments: Sequence[Assignment]) -> dict[str, list[str | None]]:
    """The first of each stamp counts, also of those that came; which of `to`'s were what before, and are what now."""
    stamped: dict[str, list[str | None]] = {}
    for assignment in assignments:
        for name in {"T5", "T6", *STAMPS.values()} & assignment.stamps.keys():
            held = to.stamps.get(name)
            if held is None or assignment.stamps[name] < held:
                stamped.setdefault(name, [held, None])[1] = assignment.stamps[name]
                to.stamps = to.stamps | {name: assignment.stamps[name]}
    return stamped


def _unstamp(incident: Incident, stamped: dict[str, list[str | None]]) -> None:
    """Take back the stamps that a merge brought, where they still stand."""
    stamps = dict(incident.stamps)
    for name, (before, brought) in stamped.items():
        if stamps.get(name) != brought:
            continue
        if before is None:
            del stamps[name]
        else:
            stamps[name] = before
    incident.stamps = stamps


async def _least_without(session: AsyncSession, incident: Incident, taken_back: Link) -> int:
    """The least sensitivity that what else was merged into an incident, or it was split from, demands."""
    query = (
        select(Link, Incident.sensitivity, Incident.least_sensitivity)
        .join(Incident, Incident.id == Link.from_id)
        .where(Link.to_id == incident.id, Link.undone_at.is_(None), Link.id != taken_back.id)
    )
    least = 0
    for link, sensitivity, demanded in await session.execute(query):
        if link.kind == LinkKind.MERGED:
            least = max(least, sensitivity, demanded)
        elif link.kind == LinkKind.SPLIT:
            least = max(least, link.moved["least_sensitivity"])
    return least


async def _live_place(session: AsyncSession, incident_id: UUID, *, lock: bool = False) -> MajorMember | None:
    query = select(MajorMember).where(
        MajorMember.incident_id == incident_id, MajorMember.removed_at.is_(None), MajorMember.on_board
    )
    if lock:
        query = query.with_for_update(key_share=True)
    return (await session.scalars(query.execution_options(populate_existing=True))).first()


async def _move_place(
    session: AsyncSession, actor: Actor, gone: Incident, kept: Incident, *, at: dt.datetime
) -> dict[str, str] | None:
    """The survivor takes the duplicate's place in a major incident, unless it has one."""
    left = await _live_place(session, gone.id)
    if left is None:
        return None
    await access_major(session, VIGIA, left.major_id, lock=True)
    left = await _live_place(session, gone.id, lock=True)
    if left is None:
        return None  # closed while we waited for it
    left.removed_at, left.removed_by, left.removed_reason = at, actor.name, "merged"
    await tell_of_member(session, actor, "major.incident_removed", left, occurred_at=at)
    moved = {"major_id": str(left.major_id), "sector_id": str(left.sector_id) if left.sector_id else ""}
    if await _live_place(session, kept.id) is not None:
        return moved
    await _take_place(session, actor, kept, left.major_id, left.sector_id, at=at)
    return moved | {"taken": "yes"}


async def _move_place_back(
    session: AsyncSession,
    actor: Actor,
    gone: Incident,
    kept: Incident,
    moved: dict[str, str] | None,
    *,
    at: dt.datetime,
) -> None:
    if moved is None:
        return
    major_id = UUID(moved["major_id"])
    await access_major(session, VIGIA, major_id, lock=True)
    sector_id = UUID(moved["sector_id"]) if moved["sector_id"] else None
    taken = await _live_place(session, kept.id, lock=True)
    if "taken" in moved:
        if taken is None or taken.major_id != major_id:
            return  # it has left the major incident since, or that is over
        taken.removed_at, taken.removed_by, taken.removed_reason = at, actor.name, "unmerged"
        await tell_of_member(session, actor, "major.incident_removed", taken, occurred_at=at)
        await _take_place(session, actor, gone, major_id, sector_id, at=at)
    elif taken is not None and taken.major_id == major_id:
        await _take_place(session, actor, gone, major_id, sector_id, at=at)


async def _take_place(
    session: AsyncSession, actor: Actor, incident: Incident, major_id: UUID, sector_id: UUID | None, *, at: dt.datetime
) -> None:
    await session.flush()
    member = MajorMember(
        id=new_id(),
        major_id=major_id,
        incident_id=incident.id,
        incident_code=incident.code,
        sector_id=sector_id,
        sensitivity=incident.sensitivity,
        on_board=True,
        added_at=at,
        added_by=actor.name,
        added_reason="merged",
        version=0,
        told_to=[],
    )
    session.add(member)
    await tell_of_member(session, actor, "major.incident_added", member, occurred_at=at)
