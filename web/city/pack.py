"""A city's base map as one PMTiles file: for field phones, that must draw it without a network."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncSession

from geo.tiles import MAX_ZOOM, compressed, cut_tile, map_edition, map_words, tiles_over, vector_layers
from realtime.database import connect, reading, sessions_of
from web.language import translations
from web.settings import Settings

PACK = "city.pmtiles"
# A whole country may take minutes, all of it seen at one instant.
PATIENT = "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000"

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Packed:
    """What a pack holds: addresses of tiles, those that differ from each other, and bytes."""

    tiles: int
    different: int
    size: int


class NothingToPack(Exception):
    """There is no city in the database yet."""


async def make_pack(settings: Settings, file: Path | None = None, max_zoom: int = MAX_ZOOM) -> Packed:
    """Cut every tile of the city into the pack that this installation keeps, and copy it to `file`.

    The pack that is there is served until the new one is whole. Raises `NothingToPack`.
    """
    engine = connect(settings.database, pool=1, limits=PATIENT)
    say = translations(settings.language).gettext
    console = Console()
    try:
        async with reading(sessions_of(engine)) as session:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
                task = bar.add_task(say("Cutting the map"), total=None)
                packed = await write_pack(
                    session,
                    kept := settings.data / PACK,
                    max_zoom,
                    lambda done, total: bar.update(task, completed=done, total=total),
                )
    finally:
        await engine.dispose()
    if file is not None:
        with contextlib.suppress(shutil.SameFileError):
            shutil.copyfile(kept, file)
    text = say("{tiles} tiles, {different} different, {size} KB: {file}")
    words = {"tiles": packed.tiles, "different": packed.different, "size": round(packed.size / 1024)}
    console.print(text.format(**words, file=file or kept), highlight=False, soft_wrap=True)
    return packed


async def write_pack(
    session: AsyncSession, file: Path, max_zoom: int = MAX_ZOOM, told: Told = lambda _done, _total: None
) -> Packed:
    """Write the pack whole or not at all; `told` hears how many tiles are done of how many. Raises `NothingToPack`."""
    about = await map_words(session)
    if about is None:
        raise NothingToPack
    places = sorted(tiles_over(about["bounds"], max_zoom), key=lambda place: zxy_to_tileid(*place))
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with aside.open("wb") as out:
            writer: Any = Writer(out)  # type: ignore[no-untyped-call]
            async for done, place, tile in _cut(session, places):
                if tile:
                    writer.write_tile(zxy_to_tileid(*place), compressed(tile))
                told(done, len(places))
            if not writer.addressed_tiles:
                raise NothingToPack
            writer.finalize(_header(about), await _metadata(session, about))
            packed = Packed(writer.addressed_tiles, len(writer.hash_to_offset), out.tell())
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
    return packed


async def _cut(
    session: AsyncSession, places: list[tuple[int, int, int]]
) -> AsyncIterator[tuple[int, tuple[int, int, int], bytes]]:
    for done, place in enumerate(places, 1):
        yield done, place, await cut_tile(session, *place)


def _header(about: dict[str, Any]) -> dict[str, Any]:
    longitude, latitude, zoom = about["center"]
    corners = ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7", "center_lon_e7", "center_lat_e7")
    degrees = (*about["bounds"], longitude, latitude)
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "center_zoom": zoom,
        **{corner: round(value * 1e7) for corner, value in zip(corners, degrees, strict=True)},
    }


async def _metadata(session: AsyncSession, about: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: about[name] for name in ("name", "attribution")},
        "type": "baselayer",
        "version": await map_edition(session),
        "vector_layers": vector_layers(),
    }
