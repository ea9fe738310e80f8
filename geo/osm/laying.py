"""Laying a city that was read from OpenStreetMap: streets, base map, landmarks, doors and its limits, or nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import asdict, dataclass
from uuid import uuid5

import shapely
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.city import City
from geo.imports import record_import
from geo.landmarks import lay_landmarks
from geo.layers import MapArea, lay_areas
from geo.numbering import lay_address_points
from geo.osm.reading import ATTRIBUTION, NAMESPACE, SOURCE, OsmCity
from geo.streets import STREETS, lay_streets, length_of
from geo.zones import Zone, ZoneKind, lay_zones
from realtime.access import Actor, Permission, require
from realtime.database import now

AREA_LAYERS = ("earth", "landuse", "water", "buildings", "places", "boundaries", "roads")


@dataclass(frozen=True, slots=True)
class Laid:
    """How much there is of everything."""

    links: int
    named_links: int
    kilometres: int
    turn_restrictions: int
    landmarks: int
    house_numbers: int
    areas: dict[str, int]


async def lay_city(
    session: AsyncSession,
    actor: Actor,
    city: OsmCity,
    *,
    name: str,
    file: str,
    limits: shapely.MultiPolygon | None,
) -> Laid:
    """Replace the city by one that was read; `limits` is its jurisdiction, where it is known.

    What came from elsewhere (zones, facilities, closures) stays as it is.
    """
    require(actor, Permission.ZONE_EDIT)
    # A city of 100,000 links takes longer to lay than a request may last.
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    await lay_streets(session, city.streets, ATTRIBUTION, city.turns)
    by_layer: dict[str, list[MapArea]] = defaultdict(list)
    for area in city.areas:
        by_layer[area.layer].append(area)
    for layer in AREA_LAYERS:
        await lay_areas(session, layer, by_layer[layer], ATTRIBUTION)
    await lay_landmarks(session, SOURCE, city.landmarks, ATTRIBUTION)
    await lay_address_points(session, city.doors, ATTRIBUTION)
    if limits is not None:
        await lay_zones(session, [jurisdiction(name, limits)])
    await session.execute(delete(City))
    session.add(City(id=1, name=name, source=file, made_at=now()))
    laid = await asyncio.to_thread(_counted, city, {layer: len(by_layer[layer]) for layer in AREA_LAYERS})
    await record_import(
        session, actor, layer=STREETS, kind="city", source=SOURCE, file=file, counts={"name": name, **asdict(laid)}
    )
    return laid


def jurisdiction(name: str, limits: shapely.MultiPolygon) -> Zone:
    """The zone of the whole city; the same city keeps its id."""
    return Zone(
        id=uuid5(NAMESPACE, f"jurisdiction:{name.casefold()}"),
        kind=ZoneKind.JURISDICTION,
        name=name,
        shape=limits,
    )


def _counted(city: OsmCity, areas: dict[str, int]) -> Laid:
    return Laid(
        links=len(city.streets),
        named_links=sum(street.name is not None for street in city.streets),
        kilometres=round(sum(length_of(street.shape) for street in city.streets) / 1000),
        turn_restrictions=len(city.turns),
        landmarks=len(city.landmarks),
        house_numbers=len(city.doors),
        areas=areas,
    )
