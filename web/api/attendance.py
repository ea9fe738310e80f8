"""Attendance over HTTP: the codes to clock in with, clocking without an account, marks by hand, hours."""

from __future__ import annotations

import datetime as dt
import io
from typing import Annotated, Any
from uuid import UUID

import segno
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from incidents.hours import Hours, everybodys_hours, hours_of
from realtime.errors import NotFound
from resources.attendance import (
    ClockPoint,
    NotRecognized,
    Stint,
    all_points,
    clock,
    correct_end,
    end_point,
    make_point,
    mark_in,
    mark_out,
    point_of,
    renew_point,
    stay_on,
)
from resources.crews import call_signs
from resources.staff import check_pin, rules_at
from resources.units import Unit
from web.bodies import Body, Code, Name, NewId, Short, When
from web.city_days import Day, begins, clock_of, ends
from web.context import Anybody, CurrentActor, Machines, OnceOnly, Session
from web.rows import csv_file
from web.throttle import attempt, forgive

router = APIRouter(prefix="/attendance", tags=["attendance"])

PAYROLL = (
    *("legajo", "nombre", "rol", "desde", "hasta"),
    *("horas", "en_incidentes", "planificadas", "extra", "observaciones"),
)
WINDOW = dt.timedelta(minutes=15)
PER_FILE = 5  # wrong PINs; a right one forgives them
PER_ADDRESS = 100  # a base clocks in from one address

Token = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")]


class ClockBody(Body):
    """The code of the vehicle or place, one's file number and PIN. The id makes a second tap do nothing more."""

    id: NewId
    code: Token
    file_number: Annotated[str, Field(min_length=1, max_length=40)]
    pin: Annotated[str, Field(min_length=1, max_length=8)]


class PointBody(Body):
    """Where the code is to hang: in a unit or at a place."""

    id: NewId
    unit_id: UUID | None = None
    place: Short = ""


class MarkInBody(Body):
    """Who is there, on which unit or at which place, and why somebody else says so."""

    id: NewId
    member_id: UUID
    unit_id: UUID | None = None
    place: Short = ""
    role: Code | None = None
    reason: Name


class MarkOutBody(Body):
    """Why, and when if it was before now."""

    reason: Name
    at: When | None = None


class StayBody(Body):
    """Until when, and why."""

    until: When
    reason: Name


class EndBody(Body):
    """When it really ended, and how that is known."""

    ended_at: When
    reason: Name


# ── Codes ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/points")
async def get_points(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The codes there are, for who prints them."""
    found = await all_points(session, actor)
    signs = await call_signs(session, [one.unit_id for one in found])
    return {"points": [_point(one) | {"where": signs.get(one.unit_id, one.place)} for one in found]}


@router.post("/points", status_code=201)
async def post_point(body: PointBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """A code for a unit or a place."""

    async def do() -> dict[str, Any]:
        return _point(await make_point(session, actor, body.id, unit_id=body.unit_id, place=body.place))

    return await once(body.id, do)


@router.post("/points/{point_id}/renew")
async def post_renew(point_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What was printed before no longer works."""
    return _point(await renew_point(session, actor, point_id))


@router.post("/points/{point_id}/end")
async def post_end_point(point_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Nobody clocks in there any more."""
    return _point(await end_point(session, actor, point_id))


@router.get("/points/{point_id}/qr.svg", response_model=None)
async def get_qr(
    point_id: UUID, request: Request, session: Session, actor: CurrentActor, machines: Machines
) -> Response:
    """The code to print: the address of the page to clock in on, with the proof in it."""
    point = next((one for one in await all_points(session, actor) if one.id == point_id), None)
    if point is None:
        raise NotFound
    origins = machines.settings.public_origins
    base = origins[0] if origins else str(request.base_url).rstrip("/")
    drawn = io.BytesIO()
    # The code stands behind the # so that it reaches no log of a proxy.
    segno.make(f"{base}/fichar#{point.token}", error="m").save(drawn, kind="svg", scale=6, border=3, light="#fff")
    headers = {"Cache-Control": "private, no-store"}
    return Response(drawn.getvalue(), media_type="image/svg+xml", headers=headers)


def _point(point: ClockPoint) -> dict[str, Any]:
    return {"id": str(point.id), "unit_id": str(point.unit_id) if point.unit_id else None, "place": point.place}


# ── Clocking ──────────────────────────────────────────────────────────────────────────────────────


@router.get("/where")
async def get_where(session: Session, code: Annotated[Token, Query()]) -> dict[str, Any]:
    """Which unit or place a code is of, so that the page can say it before anybody types."""
    point = await point_of(session, code)
    if point is None:
        raise NotFound
    unit = await session.get(Unit, point.unit_id) if point.unit_id else None
    return {"where": unit.call_sign if unit else point.place, "unit": unit is not None}


@router.post("/clock")
async def post_clock(
    body: ClockBody, request: Request, session: Session, actor: Anybody, machines: Machines
) -> dict[str, Any]:
    """Clock in, out, or over from another unit, by a code, a file number and a PIN. Only the server's clock counts.

    What was wrong is not said, and it takes as long either way.
    """
    _ = actor  # a cookie is not needed; one that comes must come from our own pages
    address = request.client.host if request.client else "?"
    who = body.file_number.strip().casefold()
    await attempt(machines.sessions, "pin", who, limit=PER_FILE, within=WINDOW, in_turn=True)
    await attempt(machines.sessions, "clock", address, limit=PER_ADDRESS, within=WINDOW)
    member_id = await check_pin(machines.sessions, body.file_number, body.pin)
    point = await point_of(session, body.code)
    if member_id is None or point is None:
        raise NotRecognized
    done = await clock(session, member_id, point, key=body.id)
    await forgive(session, "pin", who)
    await forgive(session, "clock", address)
    role = (await rules_at(session)).role(done.stint.role)
    return {"what": done.what, "where": done.where, "unit": point.unit_id is not None} | {
        "role": role.name if role else done.stint.role,
        "at": done.at,
        "due_at": done.stint.due_at,
    }


@router.post("/in", status_code=201)
async def post_in(body: MarkInBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Say that somebody is there."""

    async def do() -> dict[str, Any]:
        stint = await mark_in(
            session,
            actor,
            body.id,
            member_id=body.member_id,
            unit_id=body.unit_id,
            place=body.place,
            role=body.role,
            reason=body.reason,
        )
        return _stint(stint)

    return await once(body.id, do)


@router.post("/{member_id}/out")
async def post_out(member_id: UUID, body: MarkOutBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Say that somebody left."""
    return _stint(await mark_out(session, actor, member_id, reason=body.reason, at=body.at))


@router.post("/{member_id}/stay")
async def post_stay(member_id: UUID, body: StayBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Somebody stays beyond the end of the shift."""
    return _stint(await stay_on(session, actor, member_id, until=body.until, reason=body.reason))


@router.post("/stints/{stint_id}/end")
async def post_end(stint_id: UUID, body: EndBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Put right when somebody left."""
    return _stint(await correct_end(session, actor, stint_id, ended_at=body.ended_at, reason=body.reason))


def _stint(stint: Stint) -> dict[str, Any]:
    return {
        "id": str(stint.id),
        "member_id": str(stint.member_id),
        "unit_id": str(stint.unit_id) if stint.unit_id else None,
        "place": stint.place,
        "role": stint.role,
        "started_at": stint.started_at.isoformat(),
        "started_how": stint.started_how,
        "due_at": stint.due_at.isoformat(),
        "ended_at": stint.ended_at.isoformat() if stint.ended_at else None,
        "ended_how": stint.ended_how,
        "forgotten": stint.forgotten,
        "marked_by": stint.marked_by,
        "reason": stint.reason,
    }


# ── Hours ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/hours")
async def get_hours(session: Session, actor: CurrentActor, machines: Machines, first: Day, last: Day) -> dict[str, Any]:
    """Everybody's hours on some days, both included: on duty, committed, planned, overtime, in seconds; anomalies."""
    days = clock_of(machines)
    found = await everybodys_hours(session, actor, begins(first, days), ends(last, days))
    return {"first": first, "last": last, "members": [_hours(one) for one in found]}


@router.get("/hours.csv", response_model=None)
async def get_hours_csv(session: Session, actor: CurrentActor, machines: Machines, first: Day, last: Day) -> Response:
    """The same for payroll: one line per person, hours with a decimal comma, as spreadsheets here read them."""
    days = clock_of(machines)
    found = await everybodys_hours(session, actor, begins(first, days), ends(last, days))
    rows = []
    for one in found:
        figures = (one.on_duty, one.committed, one.planned, one.overtime)
        odd = ", ".join(f"{oddity.code} {oddity.at.astimezone(days):%d/%m %H:%M}" for oddity in one.anomalies)
        hours = [f"{figure.total_seconds() / 3600:.2f}".replace(".", ",") for figure in figures]
        rows.append([one.member.file_number, one.member.name, one.member.role, first, last, *hours, odd])
    return csv_file(f"horas-{first}-{last}.csv", PAYROLL, rows)


@router.get("/{member_id}/hours")
async def get_member_hours(
    member_id: UUID, session: Session, actor: CurrentActor, machines: Machines, first: Day, last: Day
) -> dict[str, Any]:
    """Somebody's hours on some days, with each time they were there: for who runs the staff, and one's own."""
    days = clock_of(machines)
    found = await hours_of(session, actor, member_id, begins(first, days), ends(last, days))
    return _hours(found) | {"stints": [_stint(one) for one in found.stints]}


def _hours(hours: Hours) -> dict[str, Any]:
    return {
        "member_id": str(hours.member.id),
        "name": hours.member.name,
        "on_duty": int(hours.on_duty.total_seconds()),
        "committed": int(hours.committed.total_seconds()),
        "planned": int(hours.planned.total_seconds()),
        "overtime": int(hours.overtime.total_seconds()),
        "anomalies": [{"code": one.code, "at": one.at} for one in hours.anomalies],
    }
