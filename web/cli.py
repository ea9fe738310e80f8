"""The programs of Vigía: `python -m web.cli serve | feed | relay | worker | opendata | migrate | prepare | …`.

`./vigia` runs them on one machine; docker-compose runs each as its own container. Each imports what it needs and no
more: the whole of Vigía takes seconds to import, and a relay that has died should be back before anybody looks.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Coroutine
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import structlog
import typer
import uvloop

from web.settings import Settings

programs = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)


city = typer.Typer(no_args_is_help=True, help="A real city from open data.")
programs.add_typer(city, name="city")


def logs() -> None:
    """JSON lines on stderr, one per event, with an ISO time; nothing personal goes in them."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


def collect_rarely() -> None:
    """Importing makes a million objects that all stay: looking through them again and again is a third of its time."""
    gc.set_threshold(50_000, 20, 100)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run one process's work on uvloop."""
    uvloop.run(work)


@programs.command()
def serve() -> None:
    """The web process: API and pages; hands `/feed` to the feed process where no proxy does."""
    import uvicorn

    from web.app import create_app
    from web.front_door import FrontDoor

    settings = Settings()
    uvicorn.run(
        create_app(settings, at_hand=True),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws=FrontDoor.towards(settings),
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )


@programs.command()
def feed() -> None:
    """The feed process: the WebSocket gateway."""
    from web.boards import BOARDS
    from web.feed import run_feed

    run(run_feed(Settings(), BOARDS))


@programs.command()
def relay() -> None:
    """The relay process: numbers the journal; one of all that run leads."""
    from realtime.relay import serve

    settings = Settings()
    run(serve(settings.database, settings.redis_url, name=settings.redis_name))


@programs.command()
def worker() -> None:
    """The worker process: reactions and chores."""
    from web.worker import run_worker

    run(run_worker(Settings()))


@programs.command()
def mqtt() -> None:
    """The MQTT process: telephones with OwnTracks behind a broker (`VIGIA_MQTT_URL`)."""
    from web.mqtt import run_mqtt

    run(run_mqtt(Settings()))


@programs.command()
def opendata() -> None:
    """The open data process: OGC API – Features and tiles, as a role that reads nothing else."""
    from web.opendata.role import TooPowerful
    from web.opendata.service import run_open_data

    try:
        run_open_data(Settings())
    except TooPowerful as too_powerful:
        print(f"VIGIA_OPEN_DATABASE_URL: {too_powerful}. See docs/operacion.md.", file=sys.stderr)
        raise typer.Exit(1) from None


@programs.command()
def migrate() -> None:
    """Bring the database to this version."""
    from web.migrate import upgrade

    upgrade(Settings().database)


@programs.command()
def prepare() -> None:
    """Load the catalogue, and the demo city where there is to be one; else make the code of the first account."""
    from web.prepare import prepare as prepare_installation

    run(prepare_installation(Settings()))


@programs.command()
def simulate() -> None:
    """The demo's simulator: reports, dispatchers and crews, through the public API like anybody else."""
    from web.demo.simulation import run_simulation

    run(run_simulation(Settings()))


@programs.command()
def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The dispatch log, CSV.")],
    source: Annotated[str, typer.Option(help="sf-fire or cdmx-c5")],
    speed: Annotated[float, typer.Option(min=0, help="Times the pace of life; 0 is as fast as it goes.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many calls.")] = None,
    onto_city: Annotated[bool, typer.Option("--onto-city", help="Lay the log's places over this city.")] = False,
) -> None:
    """Replay a real dispatch log through the public API, and reconcile it with the database."""
    from web.replay import replay as replay_log

    raise typer.Exit(
        asyncio.run(replay_log(Settings(), file, source=source, speed=speed, limit=limit, onto_city=onto_city))
    )


@city.command("new")
def city_new(
    name: Annotated[str, typer.Argument(help="The city's name, as its boundary in the file has it.")],
    osm: Annotated[Path, typer.Option(help="OpenStreetMap: .osm.pbf, .osm, .osm.gz or .osm.bz2")],
    boundary: Annotated[Path | None, typer.Option(help="The city's limits; what lies far outside is left out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In the place of the city that is there.")] = False,
) -> None:
    """Make this installation's city from one OpenStreetMap file."""
    from web.city.making import make_city

    raise typer.Exit(asyncio.run(make_city(Settings(), name, osm, boundary=boundary, replace=replace)))


class Imported(StrEnum):
    """What can be imported."""

    ZONES = "zones"
    FACILITIES = "facilities"
    CLOSURES = "closures"
    HAZARDS = "hazards"


@city.command("import")
def city_import(
    what: Imported,
    file: Annotated[Path, typer.Argument(help="GeoJSON, GML, KML, KMZ, Shapefile (.zip), GeoPackage or CSV.")],
    kind: Annotated[str, typer.Option("--as", help="barrio, flood, hospital, works …")],
    *,
    name_field: Annotated[str | None, typer.Option(help="The field with the names.")] = None,
    key_field: Annotated[str | None, typer.Option(help="A field whose values stay when the file comes again.")] = None,
    address_field: Annotated[str | None, typer.Option(help="The field with the addresses of facilities.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Where the file says it wrong: latin-1, cp850 …")] = None,
    crs: Annotated[str | None, typer.Option(help="Where the file does not say it: EPSG:22185 …")] = None,
    layer: Annotated[str | None, typer.Option(help="Of a file with several.")] = None,
    source: Annotated[str | None, typer.Option(help="The name of these data, where one kind has several.")] = None,
    until: Annotated[datetime | None, typer.Option(help="When closures end, as the clock here shows it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="What the file no longer has stays.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Even if most of what there is goes.")] = False,
) -> None:
    """Put a file's zones, facilities, closures or hazards on the map; a newer edition of it updates them."""
    from geo.files import Wishes
    from web.city.importing import Order, import_file

    settings = Settings()
    order = Order(
        what=what.value,
        file=file,
        kind=kind,
        wishes=Wishes(encoding=encoding, crs=crs, layer=layer, name_field=name_field),
        key_field=key_field,
        address_field=address_field,
        source=source,
        until=until.replace(tzinfo=ZoneInfo(settings.timezone)) if until else None,
        dry_run=dry_run,
        keep=keep,
        replace=replace,
    )
    raise typer.Exit(asyncio.run(import_file(settings, order)))


@city.command("show")
def city_show() -> None:
    """What this installation has: its city, layers, counts, and which files they came from."""
    from web.city.showing import show_city

    raise typer.Exit(asyncio.run(show_city(Settings())))


@city.command("pack")
def city_pack(
    file: Annotated[Path | None, typer.Argument(dir_okay=False, help="Where to put a copy.")] = None,
    max_zoom: Annotated[int | None, typer.Option(min=0, help="How deep; all the way if not said.")] = None,
) -> None:
    """Make the base map's PMTiles pack, which the web process then serves to field phones."""
    from geo.tiles import MAX_ZOOM
    from web.city.pack import NothingToPack, make_pack
    from web.language import said

    if max_zoom is not None and max_zoom > MAX_ZOOM:
        raise typer.BadParameter(f"{max_zoom} > {MAX_ZOOM}", param_hint="--max-zoom")
    settings = Settings()
    try:
        asyncio.run(make_pack(settings, file, MAX_ZOOM if max_zoom is None else max_zoom))
    except (NothingToPack, OSError) as problem:
        reason = said(settings.language, "There is no city yet.", {}, timezone=settings.timezone)
        typer.echo(reason if isinstance(problem, NothingToPack) else str(problem), err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    collect_rarely()
    logs()
    programs()
