"""The demo's storm: one major incident over the urban part of the city, with two sectors and its command."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

from shapely import MultiPoint, Point, box
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.places import Position, parse_geometry
from incidents.majors import (
    Major,
    MajorKind,
    MajorRole,
    SectorColour,
    add_sector,
    give_post,
    open_major,
    set_objective,
)
from realtime.access import VIGIA
from realtime.database import now
from resources.units import Unit
from web.demo.world import Act, Properties, World, demo_id

COMMAND = {
    MajorRole.COMMAND: ("Rita Cortés Paz", "Emergencias comunales"),
    MajorRole.SAFETY: ("Bruno Tapia Leiva", "Bomberos"),
    MajorRole.LIAISON: ("Elena Araya Soto", "Municipalidad"),
    MajorRole.OPERATIONS: ("Julio Vega Rojas", "Emergencias comunales"),
}
AREAS = frozenset({"Polygon", "MultiPolygon"})
ABOUT = ("MET-",)  # the types that a storm brings


async def declare_storm(session: AsyncSession, id_of: Callable[[str, str], UUID]) -> None:
    """Open it once, around where units stand; closed by somebody it stays closed."""
    major_id = id_of("major", "temporal")
    places = [place for place in await session.scalars(select(Unit.base_place)) if place is not None]
    if not places or await session.get(Major, major_id) is not None:
        return
    west, south, east, north = MultiPoint(places).buffer(0.01).bounds
    middle = (south + north) / 2
    await open_major(
        session,
        VIGIA,
        major_id,
        name="Temporal en la costa",
        kind=MajorKind.STORM,
        level=2,
        summary="Viento y lluvia desde la madrugada: árboles, cables y anegamientos.",
        perimeter=box(west, south, east, north),
    )
    for name, colour, lead, (low, high) in (
        ("Norte", SectorColour.ORANGE, "Pedro Ibáñez Mora", (middle, north)),
        ("Sur", SectorColour.SKY, "", (south, middle)),
    ):
        await add_sector(
            *(session, VIGIA, major_id),
            sector_id=id_of("sector", name),
            name=name,
            colour=colour,
            lead=lead,
            shape=box(west, low, east, high),
        )
    for role, (holder, organization) in COMMAND.items():
        await give_post(
            *(session, VIGIA, major_id),
            role=role,
            post_id=id_of("post", role),
            holder=holder,
            organization=organization,
        )
    at = now()
    await set_objective(
        *(session, VIGIA, major_id),
        objective_id=id_of("objective", "avenidas"),
        text="Avenidas principales transitables en los dos sectores",
        period_from=at,
        period_until=at + dt.timedelta(hours=6),
    )


def storms_share(world: World, who: str, rng: random.Random) -> Act | None:
    """The next incident of a storm's types inside its perimeter that is not under its command yet."""
    taken = {one["incident_id"] for one in _properties(world, "member:")}
    for major, shape in _majors(world):
        area = parse_geometry(shape, AREAS)
        for incident, place in world.incidents():
            theirs = str(incident["type_code"]).startswith(ABOUT) and incident["id"] not in taken
            if theirs and not world.awaits(incident["subject"]) and area.covers(Point(_at(place))):
                body = {"id": str(demo_id(rng)), "incident_ids": [incident["id"]], "reason": "temporal"}
                return Act(who, f"/majors/{major['id']}/incidents", body, incident["subject"])
    return None


def _at(place: Position) -> tuple[float, float]:
    longitude, latitude = place
    return longitude, latitude


def _properties(world: World, kind: str) -> list[Properties]:
    return [feature["properties"] for subject, feature in world.features.items() if subject.startswith(kind)]


def _majors(world: World) -> list[tuple[Properties, dict[str, Any]]]:
    storms = [feature for subject, feature in world.features.items() if subject.startswith("major:")]
    return [
        (feature["properties"], feature["geometry"])
        for feature in storms
        if feature["geometry"] and feature["properties"]["kind"] == MajorKind.STORM
    ]
