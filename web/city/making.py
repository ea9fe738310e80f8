"""`./vigia city new`: a city from one OpenStreetMap file, all of it or nothing."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from pathlib import Path

import shapely
from rich.console import Console
from shapely.affinity import scale
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from geo.city import City, present_city
from geo.encodings import visible
from geo.files import Wishes, read_map_file
from geo.landmarks import Landmark
from geo.numbering import AddressPoint
from geo.osm.laying import Laid, lay_city
from geo.osm.reading import OsmCity, read_osm
from geo.places import METRES_PER_DEGREE
from geo.refused import Refused, UnreadableFile
from geo.streets import StreetLink
from geo.zones import Zone
from realtime.access import VIGIA
from realtime.database import connect, reading, sessions_of, transaction
from web.city.page import Page
from web.city.words import spoken
from web.prepare import note_whose_city
from web.settings import Settings

FINE, NOTHING, REFUSED = 0, 1, 2
MARGIN = 2000.0  # metres beyond the city's limits that streets are kept: crews drive round by the next town
PATIENT = "-c lock_timeout=20000 -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
POLYGONS = frozenset({"Polygon", "MultiPolygon"})
LONGEST_NAME = 120
NO_CITY_NAME = "a city has a name, of at most {limit} letters"
NO_POLYGON = "the boundary file holds no polygon that can be used"
FAR = 0.25  # so much of the streets beyond the limits is worth a word
LEFT_OUT = "imports"  # folder in the data directory


def page_for(settings: Settings, console: Console | None = None) -> Page:
    """The terminal of this command."""
    console = console or Console(soft_wrap=False, width=None if sys.stdout.isatty() else 120)
    return Page(console, spoken(settings.language))


async def make_city(
    settings: Settings,
    name: str,
    osm: Path,
    *,
    boundary: Path | None = None,
    replace: bool = False,
    console: Console | None = None,
) -> int:
    """Make the city of this installation; 0 when it is there, 1 when the file is no good, 2 when it was not wanted."""
    page = page_for(settings, console)
    name = " ".join(visible(name).split())
    if not 0 < len(name) <= LONGEST_NAME:
        page.line(NO_CITY_NAME, "bold red", limit=LONGEST_NAME)
        return REFUSED
    engine = connect(settings.database, pool=2, limits=PATIENT)
    sessions = sessions_of(engine)
    began = time.monotonic()
    try:
        async with reading(sessions) as session:
            there = await _there(session)
        if there and not replace:
            _tell_what_there_is(page, there)
            return REFUSED
        limits, refused = _limits(page, boundary)
        city = await _read(page, osm, limits)
        if limits is None and name in city.boundaries:
            limits = city.boundaries[name]
        with page.progress("Laying the city"):
            async with transaction(sessions) as session:
                laid = await lay_city(session, VIGIA, city, name=name, file=osm.name, limits=limits)
        await note_whose_city(sessions, settings)
        _tell(page, settings, city, laid, refused)
        _tell_limits(page, name, city, limits, given=boundary is not None)
        page.line("{name} is there, in {seconds} s.", "bold green", name=name, seconds=round(time.monotonic() - began))
        if there:
            page.line("If Vigía is running with the demo's simulator, restart it: ./vigia down, ./vigia up.")
    except UnreadableFile as unreadable:
        page.line(unreadable.why, "bold red", **unreadable.facts)
        page.line("Nothing was changed.")
        return NOTHING
    except SQLAlchemyError as error:
        page.line("The database did not take it: {error}", "bold red", error=str(error.__cause__ or error)[:300])
        page.line("Nothing was changed.")
        return NOTHING
    else:
        return FINE
    finally:
        await engine.dispose()


async def _there(session: AsyncSession) -> list[tuple[str, int | str]]:
    """What would be replaced; nothing in an empty installation."""
    city: City | None = await present_city(session)
    links = await session.scalar(select(func.count()).select_from(StreetLink)) or 0
    if city is None and not links:
        return []
    rows: list[tuple[str, int | str]] = [("city", city.name if city else "–"), ("street links", links)]
    for what, table in (("landmarks", Landmark), ("house numbers", AddressPoint), ("zones", Zone)):
        rows.append((what, await session.scalar(select(func.count()).select_from(table)) or 0))
    return rows


def _tell_what_there_is(page: Page, there: list[tuple[str, int | str]]) -> None:
    page.line("This installation has a city already. To put another in its place, repeat with --replace.", "bold red")
    page.table("What there is", there)
    page.line("Streets, base map, landmarks and house numbers would be replaced; zones, facilities and closures stay.")


def _limits(page: Page, boundary: Path | None) -> tuple[shapely.MultiPolygon | None, list[Refused]]:
    """The city's limits from a file: all polygons in it, as one."""
    if boundary is None:
        return None, []
    found = read_map_file(boundary, POLYGONS, Wishes())
    if not found.features:
        page.left_out(found.refused)
        raise UnreadableFile(NO_POLYGON)
    whole = shapely.unary_union([feature.shape for feature in found.features])
    parts = [part for part in shapely.get_parts(whole).tolist() if isinstance(part, shapely.Polygon)]
    return shapely.MultiPolygon(parts), found.refused


def around(limits: BaseGeometry, metres: float = MARGIN) -> BaseGeometry:
    """The limits and so many metres beyond them."""
    _, south, _, north = limits.bounds
    squeeze = max(0.05, math.cos(math.radians((south + north) / 2)))
    flat = scale(limits, xfact=squeeze, origin=(0, 0)).buffer(metres / METRES_PER_DEGREE)
    return scale(flat, xfact=1 / squeeze, origin=(0, 0))


async def _read(page: Page, osm: Path, limits: shapely.MultiPolygon | None) -> OsmCity:
    with page.progress("Reading {file}", file=osm.name) as tell:
        return await asyncio.to_thread(read_osm, osm, within=around(limits) if limits else None, tell=tell)


def _tell(page: Page, settings: Settings, city: OsmCity, laid: Laid, refused: list[Refused]) -> None:
    page.table(
        "What there is now",
        [
            ("street links", laid.links),
            ("of them with a name", laid.named_links),
            ("kilometres", laid.kilometres),
            ("turn restrictions", laid.turn_restrictions),
            ("landmarks", laid.landmarks),
            ("house numbers", laid.house_numbers),
            *((layer, count) for layer, count in laid.areas.items() if layer != "earth"),
        ],
    )
    if city.mended:
        page.line("{count} names had been through a wrong encoding and were put right.", count=city.mended)
    if city.nameless:
        page.line("{count} landmarks have no name and are only drawn.", count=city.nameless)
    page.left_out([*refused, *city.refused], settings.data / LEFT_OUT)


def _tell_limits(page: Page, name: str, city: OsmCity, limits: shapely.MultiPolygon | None, *, given: bool) -> None:
    if limits is None:
        text = (
            "The file has no administrative boundary named “{name}”: there is no zone of jurisdiction. Say --boundary."
        )
        page.line(text, "yellow", name=name)
        return
    of_file = "The zone of jurisdiction is the administrative boundary “{name}” of the file."
    page.line("The zone of jurisdiction is the one of --boundary." if given else of_file, name=name)
    if not given:
        margin = around(limits)
        shapely.prepare(margin)
        outside = sum(not margin.intersects(street.shape) for street in city.streets)
        if outside > FAR * len(city.streets):
            text = "{percent} % of the streets lie beyond it; with --boundary they are left out."
            page.line(text, "yellow", percent=round(100 * outside / len(city.streets)))
