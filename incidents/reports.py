"""Reports: what somebody told us, kept as told. N reports make one incident; none is ever thrown away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from shapely import Point
from sqlalchemy import ColumnElement, ForeignKey, Index, Text, Uuid, exists, false, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import Shape, geojson, shape_checks
from geo.zones import NOWHERE, whose
from incidents.catalogue import catalogue
from incidents.incident import Incident, visible_whole_to
from incidents.incident import tell as tell_of_incident
from incidents.moments import moment
from incidents.telephone import normal_phone
from incidents.tracking import new_tracking_code, start_tracking
from incidents.undo import Reversible, Undoing, reversible
from realtime.access import (
    OPERATIONS,
    Actor,
    Audience,
    Face,
    Faces,
    Permission,
    Role,
    face_for,
    organization_key,
    require,
)
from realtime.database import Base, now
from realtime.errors import AlreadyExists, NotAllowed, NotFound, Refusal, VersionMismatch
from realtime.journal import Told, record


class Channel(StrEnum):
    """How it reached us."""

    PHONE = "phone"
    WEB = "web"
    RADIO = "radio"
    CAMERA = "camera"
    PANIC_BUTTON = "panic_button"
    AGENCY = "agency"
    APP = "app"


OPEN_CHANNELS = frozenset({Channel.WEB, Channel.APP})  # anybody may report through these


class ReportStatus(StrEnum):
    """What became of it."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    JOINED = "joined"
    DISMISSED = "dismissed"


class AlreadyHandled(Refusal):
    """Somebody already handled that report: it was {status}."""

    status = 409


class Report(Told, Base):
    """One report. `words`, `place` and the contact stay as told; the contact is erasable and never on a feed.

    `place_match` is what `place` was taken to mean (`geo.addresses.Match.kept`), beside the words and never for them.
    """

    __tablename__ = "reports"
    __table_args__ = (
        Index("ix_reports_waiting", "id", postgresql_where="status = 'received'"),
        Index("ix_reports_contact_number", "contact_number", postgresql_where="contact_number IS NOT NULL"),
        *shape_checks("shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tracking_code: Mapped[str] = mapped_column(Text, unique=True)
    channel: Mapped[Channel] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text, default="")
    place_match: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    shape: Mapped[Point | None] = mapped_column(Shape("POINT"))
    zone: Mapped[str | None] = mapped_column(Text)
    zone_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)
    jurisdiction: Mapped[str | None] = mapped_column(Text)
    outside: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    desk: Mapped[str | None] = mapped_column(Text)
    type_hint: Mapped[str | None] = mapped_column(Text)
    contact_name: Mapped[str | None] = mapped_column(Text)
    contact_phone: Mapped[str | None] = mapped_column(Text)
    contact_number: Mapped[str | None] = mapped_column(Text)  # the same telephone in its one spelling
    status: Mapped[ReportStatus] = mapped_column(Text, default=ReportStatus.RECEIVED)
    dismissal: Mapped[str | None] = mapped_column(Text)
    deflected_to: Mapped[str | None] = mapped_column(Text)  # a channel of the catalogue, where it is somebody else's
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"))
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    occurred_at: Mapped[dt.datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)  # to whoever told it, where it is another than the incident's
    facts: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))  # told afterwards: reporter.py
    erased_at: Mapped[dt.datetime | None]  # the contact, as its owner asked

    @property
    def subject(self) -> str:
        """`report:<id>`."""
        return f"report:{self.id}"

    @property
    def told_at(self) -> dt.datetime:
        """When it was told: when we received it, or earlier, where it was written down late."""
        return self.occurred_at or self.received_at


@dataclass(frozen=True, slots=True)
class Contact:
    """How to call the reporter back."""

    name: str | None = None
    phone: str | None = None


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


def audience_of(report: Report) -> Audience:
    """Those who triage, whatever it is about, and the organization that made it."""
    keys = {"ops:0"}
    if report.organization_id:
        keys.add(organization_key(report.organization_id))
    return frozenset(keys)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The same rule for a query. Of an incident that is masked to an actor, what it was told in is hidden too."""
    if actor.role is Role.SYSTEM:
        return true()
    if actor.role in OPERATIONS:
        whole = exists().where(Incident.id == Report.incident_id, visible_whole_to(actor))
        return or_(Report.incident_id.is_(None), whole)
    if actor.role in {Role.AGENCY, Role.NEIGHBOURHOOD} and actor.organization_id:
        return Report.organization_id == actor.organization_id
    return false()


def faces_of(report: Report) -> Faces:
    """A report shows itself while it waits; handled, it leaves the board."""
    if report.status != ReportStatus.RECEIVED:
        return ()
    return (Face(audience_of(report), feature_of(report)),)


def feature_of(report: Report) -> dict[str, Any]:
    """The report as its audience sees it: everything but the contact."""
    return {
        "type": "Feature",
        "geometry": geojson(report.shape) if report.shape else None,
        "properties": {
            "subject": report.subject,
            "id": str(report.id),
            "version": report.version,
            "channel": report.channel,
            "words": report.words,
            "place": report.place,
            "place_match": report.place_match,
            "zone": report.zone,
            "jurisdiction": report.jurisdiction,
            "outside": report.outside,
            "desk": report.desk,
            "type_hint": report.type_hint,
            "status": report.status,
            "dismissal": report.dismissal,
            "deflected_to": report.deflected_to,
            "incident_id": str(report.incident_id) if report.incident_id else None,
            "received_at": report.received_at.isoformat(),
            "facts": report.facts,
            "has_contact": bool(report.contact_name or report.contact_phone),
        },
    }


async def access_report(
    session: AsyncSession, actor: Actor, report_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Report:
    """The only way to a report: it must exist and be visible to the actor."""
    if lock:  # first the lock, then the look: whoever waited for it sees what the other made of the report
        await session.execute(select(Report.id).where(Report.id == report_id).with_for_update(key_share=True))
    query = select(Report).where(Report.id == report_id, visible_to(actor))
    if lock:
        query = query.execution_options(populate_existing=True)
    report = (await session.scalars(query)).first()
    if report is None:
        raise NotFound
    if expected is not None and expected != report.version:
        raise VersionMismatch(expected=expected, current=report.version)
    return report


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def receive_report(
    session: AsyncSession,
    actor: Actor,
    report_id: UUID,
    *,
    words: str,
    channel: Channel = Channel.WEB,
    place: str = "",
    place_match: dict[str, Any] | None = None,
    location: Point | None = None,
    type_hint: str | None = None,
    contact: Contact | None = None,
    occurred_at: dt.datetime | None = None,
) -> Report:
    """Write down what somebody tells. Anybody may, through the web; other channels are the staff's."""
    require(actor, Permission.REPORT_MAKE)
    at = moment(occurred_at)
    if channel not in OPEN_CHANNELS and actor.role is Role.NEIGHBOUR:
        raise NotAllowed(permission=Permission.REPORT_MAKE.value)
    known = await catalogue(session)
    if type_hint is not None:
        known.type(type_hint)
    if await session.scalar(select(Report.id).where(Report.id == report_id)):
        raise AlreadyExists
    found = await whose(session, location) if location else NOWHERE
    contact = contact or Contact()
    report = Report(
        id=report_id,
        tracking_code=await _free_code(session),
        channel=channel,
        words=words,
        place=place,
        place_match=place_match,
        shape=location,
        zone=found.name,
        zone_ids=[zone.id for zone in found.zones],
        jurisdiction=found.jurisdiction,
        outside=found.outside,
        desk=found.desk,
        type_hint=type_hint,
        contact_name=contact.name,
        contact_phone=contact.phone,
        contact_number=normal_phone(contact.phone, known.area_code),
        status=ReportStatus.RECEIVED,
        organization_id=actor.organization_id if actor.role in {Role.AGENCY, Role.NEIGHBOURHOOD} else None,
        received_at=now(),
        occurred_at=occurred_at,
        facts=[],
        version=0,
        told_to=[],
    )
    session.add(report)
    await tell(session, actor, "report.received", report, detail={"channel": channel.value}, occurred_at=at)
    start_tracking(session, report.tracking_code, report.id, at=at, zone=report.zone)
    return report


async def _free_code(session: AsyncSession) -> str:
    while True:  # a collision is one in millions, and only ever a second draw
        code = new_tracking_code()
        if await session.scalar(select(Report.id).where(Report.tracking_code == code)) is None:
            return code


async def see_contact(session: AsyncSession, actor: Actor, report_id: UUID) -> Contact:
    """Look at who reported; every look is written down."""
    require(actor, Permission.REPORT_TRIAGE)
    report = await access_report(session, actor, report_id, lock=True)
    await tell(session, actor, "contact.seen", report, incident_id=report.incident_id)
    return Contact(report.contact_name, report.contact_phone)


async def tell(
    session: AsyncSession,
    actor: Actor,
    kind: str,
    report: Report,
    *,
    incident_id: UUID | None = None,
    detail: dict[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
) -> None:
    """Record a fact about a report."""
    report.version += 1
    await record(
        session,
        actor,
        kind,
        report,
        faces_of(report),
        incident_id=incident_id,
        detail=detail,
        occurred_at=occurred_at,
    )


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The features of the reports that wait for somebody, as `actor` sees them (of `ids`, when given)."""
    query = (
        select(Report)
        .where(Report.status == ReportStatus.RECEIVED, visible_to(actor))
        .execution_options(populate_existing=True)
    )
    if ids is not None:
        query = query.where(Report.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(report)) for report in await session.scalars(query)]
    return [face for face in faces if face is not None]


# ── Taken back ────────────────────────────────────────────────────────────────────────────────────


async def _lock(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Report]:
    query = select(Report).where(Report.id.in_(ids)).order_by(Report.id).with_for_update(key_share=True)
    return {report.id: report for report in await session.scalars(query.execution_options(populate_existing=True))}


async def _put_back(session: AsyncSession, actor: Actor, undoing: Undoing, reports: Sequence[Report]) -> None:
    """A report that was joined or dismissed by mistake waits for somebody again."""
    for report in reports:
        left = undoing.after[report.id]["incident_id"]
        await tell(session, actor, "report.undone", report, detail=undoing.detail, occurred_at=undoing.at)
        if left is not None:
            incident = await session.get_one(Incident, UUID(left))
            detail = undoing.detail | {"report_id": str(report.id)}
            await tell_of_incident(session, actor, "report.left", incident, detail=detail, occurred_at=undoing.at)


_TOLD = frozenset({"words", "place", "place_match", "contact_name", "contact_phone", "contact_number"})
reversible(Reversible(Report, 3, _lock, _put_back, _TOLD))
