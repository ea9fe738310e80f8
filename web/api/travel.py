"""Travel times over HTTP: who is how far from a place now, the way there, and how far one gets.

Signed in, anybody may ask about streets; of units only those that he sees. Searching is done beside the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from sqlalchemy import select

from geo.coverage import Cover, Loss, people_of
from geo.drives import Drive, drive_of
from geo.network import NoStreetNear
from geo.places import DECIMALS, Point, geojson, point, square_metres
from geo.routes import Route
from geo.speeds import ENOUGH, learned_flow, learned_speeds, learning, use_learned_speeds
from geo.travel import Eta, NoWay, Travel, travel
from realtime.database import now
from realtime.errors import Malformed, Refusal
from resources.positions import UnitPosition
from resources.units import Duty, Unit, UnitKind, access_unit, visible_to
from web.bodies import Body
from web.context import CurrentActor, Machines, Session
from web.valhalla import Valhalla, ValhallaAway

router = APIRouter(prefix="/travel", tags=["travel"])


class NoStreetThere(Refusal):
    """There is no street near that place."""

    status = 404


class NoWayThere(Refusal):
    """No way leads there."""

    status = 404


class NoOpenWayThere(Refusal):
    """The closures in force leave no way there."""

    status = 404


class BadMinutes(Malformed):
    """Say up to {times} numbers of minutes, each above 0 and at most {most}, with commas between them."""


class NotFreeThere(Refusal):
    """One of those units is not free, or nobody knows where it is."""

    status = 409


MOST_MINUTES, MOST_TIMES = 60, 6
Minutes = Annotated[str, Query(max_length=60)]
Degrees = Annotated[float, Query(allow_inf_nan=False)]


@router.get("/etas")
async def get_etas(
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    *,
    lon: Degrees,
    lat: Degrees,
    urgent: bool = True,
    compare: bool = False,
) -> dict[str, Any]:
    """How long each unit that the actor sees would take to a place, quickest first; those that cannot come last.

    With `compare` each has what Valhalla says beside it, `valhalla_s`: null where it knows no way or is away.
    """
    place, at = point(lon, lat), now()
    query = (
        select(Unit.id, Unit.call_sign, Unit.kind, UnitPosition.lon, UnitPosition.lat, UnitPosition.fixed_at)
        .outerjoin(UnitPosition, UnitPosition.unit_id == Unit.id)
        .where(visible_to(actor))
        .order_by(Unit.call_sign)
    )
    units = (await session.execute(query)).all()
    asked = await travel(session, at, timezone=machines.settings.timezone)
    origins = [(None if unit.lon is None else Point(unit.lon, unit.lat), drive_of(unit.kind, urgent)) for unit in units]
    etas = await asyncio.to_thread(asked.etas, origins, place)
    told = [
        {
            "unit_id": str(unit.id),
            "call_sign": unit.call_sign,
            **_told(eta),
            "position_age_s": _age(unit.fixed_at, at),
        }
        for unit, eta in zip(units, etas, strict=True)
    ]
    if compare:
        opinions = await asyncio.to_thread(_second_opinion, machines.valhalla, origins, place)
        told = [one | {"valhalla_s": seconds} for one, seconds in zip(told, opinions, strict=True)]
    far = float("inf")
    told.sort(key=lambda one: far if one["seconds"] is None else one["seconds"])
    return {"at": at.isoformat(), "closures": len(asked.barriers), "etas": told}


def _second_opinion(
    valhalla: Valhalla | None, origins: Sequence[tuple[Point | None, Drive]], to: Point
) -> list[float | None]:
    if valhalla is not None:
        with contextlib.suppress(ValhallaAway):
            return [eta.seconds for eta in valhalla.etas(origins, to)]
    return [None] * len(origins)


def _told(eta: Eta) -> dict[str, Any]:
    return {
        "seconds": eta.seconds,
        "metres": eta.metres,
        "how": eta.how,
        "why": eta.why,
        "snap_m": eta.snap_metres,
    }


def _age(fixed_at: dt.datetime | None, at: dt.datetime) -> float | None:
    """Seconds since a unit was where its ETA begins."""
    return None if fixed_at is None else round(max(0.0, (at - fixed_at).total_seconds()), 1)


@router.get("/route")
async def get_route(
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    *,
    from_lon: Degrees,
    from_lat: Degrees,
    to_lon: Degrees,
    to_lat: Degrees,
    unit_id: UUID | None = None,
    kind: UnitKind | None = None,
    urgent: bool = True,
) -> dict[str, Any]:
    """The quickest way between two places, street by street, for a unit, a kind of unit, or ordinary traffic."""
    if unit_id is not None:
        kind = UnitKind((await access_unit(session, actor, unit_id)).kind)
    drive = _drive(kind, urgent)
    at = now()
    asked = await travel(session, at, timezone=machines.settings.timezone)
    route = await asyncio.to_thread(_route, asked, point(from_lon, from_lat), point(to_lon, to_lat), drive)
    return {
        "at": at.isoformat(),
        "closures": len(asked.barriers),
        "seconds": round(route.seconds + route.walk_seconds, 1),
        "metres": round(route.metres, 1),
        "snap_m": round(route.snap_metres, 1),
        "why": route.why,
        "geometry": {"type": "LineString", "coordinates": [_rounded(position) for position in route.line]},
        "steps": [
            {
                "turn": step.turn,
                "street": step.street,
                "metres": round(step.metres, 1),
                "seconds": round(step.seconds, 1),
                "place": _rounded(step.place),
                "against_oneway": step.against,
            }
            for step in route.steps
        ],
    }


def _route(asked: Travel, start: Point, end: Point, drive: Drive) -> Route:
    try:
        return asked.route(start, end, drive)
    except NoStreetNear:
        raise NoStreetThere from None
    except NoWay as none:
        raise (NoOpenWayThere if none.why == "closed" else NoWayThere) from None


def _drive(kind: UnitKind | None, urgent: bool) -> Drive:
    """For a kind of unit, or ordinary traffic."""
    return drive_of(kind, urgent) if kind else Drive()


@router.get("/isochrones")
async def get_isochrones(
    session: Session,
    _: CurrentActor,
    machines: Machines,
    *,
    lon: Degrees,
    lat: Degrees,
    minutes: Minutes = "3,5,8",
    kind: UnitKind | None = None,
    urgent: bool = True,
) -> dict[str, Any]:
    """How far one gets from a place within some minutes: a FeatureCollection of multipolygons, the smallest first."""
    within = _minutes(minutes)
    at = now()
    asked = await travel(session, at, timezone=machines.settings.timezone)
    try:
        found = await asyncio.to_thread(asked.isochrones, point(lon, lat), within, _drive(kind, urgent))
    except NoStreetNear:
        raise NoStreetThere from None
    features = [
        {
            "type": "Feature",
            "geometry": geojson(area),
            "properties": {
                "minutes": one,
                "square_km": round(square_metres(area) / 1e6, 3) if not area.is_empty else 0.0,
            },
        }
        for one, area in found
    ]
    return {"type": "FeatureCollection", "at": at.isoformat(), "closures": len(asked.barriers), "features": features}


def _minutes(words: str) -> list[float]:
    try:
        found = sorted({float(word) for word in words.split(",")})
    except ValueError:
        raise BadMinutes(most=MOST_MINUTES, times=MOST_TIMES) from None
    if not found or len(found) > MOST_TIMES or not all(0 < one <= MOST_MINUTES for one in found):
        raise BadMinutes(most=MOST_MINUTES, times=MOST_TIMES)
    return found


@router.get("/coverage")
async def get_coverage(
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    *,
    minutes: Annotated[float, Query(gt=0, le=60, allow_inf_nan=False)] = 8.0,
    kind: UnitKind | None = None,
    leaving: Annotated[list[UUID], Query(max_length=100)] = [],  # noqa: B006  (a query parameter, never changed)
    urgent: bool = True,
) -> dict[str, Any]:
    """What the free units that the actor sees reach in time, and what nobody would reach if some of them left."""
    at = now()
    query = (
        select(Unit.id, Unit.call_sign, Unit.kind, UnitPosition.lon, UnitPosition.lat)
        .join(UnitPosition, UnitPosition.unit_id == Unit.id)
        .where(visible_to(actor), Unit.duty == Duty.ON_DUTY, Unit.engaged_status.is_(None))
        .order_by(Unit.call_sign)
    )
    units = (await session.execute(query.where(Unit.kind == kind) if kind else query)).all()
    away = {n for n, unit in enumerate(units) if unit.id in leaving}
    if len(away) != len(set(leaving)):
        raise NotFreeThere
    asked = await travel(session, at, timezone=machines.settings.timezone)
    if asked.network is None:
        raise NoStreetThere
    people = await people_of(session, asked.network)
    origins = [(Point(unit.lon, unit.lat), drive_of(unit.kind, urgent)) for unit in units]
    cover = await asyncio.to_thread(asked.coverage, origins, minutes * 60, people)
    told: dict[str, Any] = {
        "at": at.isoformat(),
        "closures": len(asked.barriers),
        "minutes": minutes,
        "units": [unit.call_sign for unit in units],
        "covered": _area(cover),
        "lost": None,
    }
    if leaving:
        loss = await asyncio.to_thread(asked.lost_coverage, origins, minutes * 60, away, people)
        zones = [{"name": name, "people": count} for name, count in loss.zones]
        told["lost"] = _area(loss) | {"zones": zones}
    return told


class SpeedsBody(Body):
    """Whether learned speeds are used."""

    in_use: bool


@router.get("/speeds")
async def get_speeds(session: Session, _: CurrentActor, machines: Machines) -> dict[str, Any]:
    """What journeys have taught about speeds by class of street and hour, and what using it would change now."""
    switch, found = await learning(session), await learned_speeds(session)
    at = now()
    local = at.astimezone(ZoneInfo(machines.settings.timezone))
    plain = await travel(session, at, timezone=machines.settings.timezone)
    usual = replace(plain, learned={}, barriers=())
    learned = replace(usual, learned=await learned_flow(session, local, in_use=True))
    ratios = await asyncio.to_thread(learned.compared, usual, drive_of(UnitKind.PATROL)) if learned.learned else []
    return {
        "in_use": switch is not None and switch.in_use,
        "changed_at": switch.changed_at.isoformat() if switch else None,
        "changed_by": switch.changed_by if switch else None,
        "enough": ENOUGH,
        "speeds": [
            {
                "kind": one.kind,
                "hour": one.hour,
                "samples": one.samples,
                "kmh": one.kmh,
                "expected_kmh": one.expected_kmh,
                "factor": one.factor,
                "enough": one.enough,
            }
            for one in found
        ],
        "effect": {
            "hour": local.hour,
            "trips": len(ratios),
            "median_change": round(statistics.median(ratios) - 1, 4) if ratios else None,
        },
    }


@router.post("/speeds")
async def post_speeds(body: SpeedsBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Let travel times go by what was learned, or not."""
    switch = await use_learned_speeds(session, actor, in_use=body.in_use)
    return {"in_use": switch.in_use, "changed_at": switch.changed_at.isoformat(), "changed_by": switch.changed_by}


def _area(found: Cover | Loss) -> dict[str, Any]:
    return {
        "square_km": round(found.square_km, 3),
        "street_km": round(found.street_km, 3),
        "people": found.people,
        "geometry": geojson(found.area),
    }


def _rounded(position: tuple[float, float]) -> list[float]:
    return [round(position[0], DECIMALS), round(position[1], DECIMALS)]
