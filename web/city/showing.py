"""`./vigia city show`: what the installation has."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.city import extent, present_city
from geo.imports import latest_imports
from geo.landmarks import Landmark
from geo.layers import MapArea, MapLayer
from geo.numbering import AddressPoint
from geo.streets import StreetLink, TurnRestriction
from geo.zones import zones
from realtime.database import connect, reading, sessions_of
from web.city.making import FINE, NOTHING, PATIENT, page_for
from web.city.page import Page
from web.settings import Settings


async def show_city(settings: Settings, console: Console | None = None) -> int:
    """Print it; 1 when there is no city yet."""
    page = page_for(settings, console)
    engine = connect(settings.database, pool=1, limits=PATIENT)
    try:
        async with reading(sessions_of(engine)) as session:
            return await _show(page, session, ZoneInfo(settings.timezone))
    finally:
        await engine.dispose()


async def _show(page: Page, session: AsyncSession, zone: ZoneInfo) -> int:
    city, frame = await present_city(session), await extent(session)
    if city is None:
        page.line("There is no city yet.")
        return NOTHING
    made = city.made_at.astimezone(zone).strftime("%d/%m/%Y %H:%M")
    page.line("{name}, from {source}, {made}", "bold", name=city.name, source=city.source, made=made)
    if frame:
        page.line(
            "From {west}, {south} to {east}, {north}",
            **dict(zip(("west", "south", "east", "north"), frame, strict=True)),
        )
    page.table("What there is", await _counts(session))
    layers = Table(title=page.say("Layers"), title_justify="left")
    for name in ("layer", "edition", "since", "credit"):
        layers.add_column(page.say(name), overflow="fold")
    for layer in await session.scalars(select(MapLayer).order_by(MapLayer.name)):
        since = layer.changed_at.astimezone(zone).strftime("%d/%m/%Y %H:%M")
        layers.add_row(page.say(layer.name), layer.edition, since, escape(layer.attribution or ""))
    page.console.print(layers)
    imports = Table(title=page.say("Imported files"), title_justify="left")
    for name in ("layer", "kind", "source", "file", "since"):
        imports.add_column(page.say(name), overflow="fold")
    for one in await latest_imports(session):
        since = one.made_at.astimezone(zone).strftime("%d/%m/%Y %H:%M")
        imports.add_row(page.say(one.layer), page.say(one.kind), escape(one.source), escape(one.file), since)
    if imports.row_count:
        page.console.print(imports)
    return FINE


async def _counts(session: AsyncSession) -> list[tuple[str, int]]:
    async def count(table: type) -> int:
        return await session.scalar(select(func.count()).select_from(table)) or 0

    rows = [
        ("street links", await count(StreetLink)),
        ("turn restrictions", await count(TurnRestriction)),
        ("house numbers", await count(AddressPoint)),
        ("landmarks", await count(Landmark)),
    ]
    by_layer = select(MapArea.layer, func.count()).group_by(MapArea.layer).order_by(MapArea.layer)
    rows += [(layer, number) for layer, number in await session.execute(by_layer)]
    in_force: dict[str, int] = {}
    for zone in await zones(session):
        in_force[zone.kind] = in_force.get(zone.kind, 0) + 1
    return [*rows, *((f"zone:{kind}", number) for kind, number in sorted(in_force.items()))]
