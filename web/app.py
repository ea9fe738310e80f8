"""`create_app(settings)`: the one place where the web process is put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from geo.addresses import address_index
from geo.travel import network_of
from realtime.bus import Bus
from realtime.database import Sessions, connect, reading, sessions_of
from resources.devices import DeviceBook
from resources.positions import PositionLane
from web import problems
from web.api import (
    addresses,
    alarms,
    assignments,
    attendance,
    avl,
    calls,
    capabilities,
    catalogue,
    closures,
    coverage,
    devices,
    equipment,
    facilities,
    fences,
    handovers,
    incidents,
    links,
    live,
    majors,
    on_call,
    people,
    photos,
    places,
    positions,
    preferences,
    premises,
    presence,
    radio_log,
    recommendation,
    replay,
    reports,
    run_cards,
    search,
    session,
    shifts,
    simulation,
    sos,
    soundings,
    staff,
    storm,
    tasks,
    travel,
    undo,
    units,
    walls,
    zones,
)
from web.boards import BOARDS
from web.built_files import BuiltFiles
from web.context import Machinery, Session
from web.data_door import data_door
from web.data_door import router as data_door_router
from web.geocoders import geocoder_of
from web.guard import Guard
from web.pages import portal, tracking, welcome
from web.settings import Settings
from web.valhalla import Valhalla

log = structlog.get_logger()

VERSION = "0.1.0"
STATIC = Path(__file__).with_name("static")
APIS = (
    *(session, preferences, catalogue, reports, calls, premises, presence),
    *(incidents, assignments, links, majors, tasks, undo, sos, radio_log, handovers),
    *(run_cards, recommendation, coverage, alarms, soundings, storm, walls),
    *(units, capabilities, equipment, photos, staff, shifts, attendance, on_call, people),
    *(positions, devices, search, replay),
    *(places, addresses, zones, facilities, fences, closures, travel),
    *(live, simulation),
)
SCREENS = (
    "/ingresar",
    "/consola",
    "/consola/mapa",
    "/pared",
    "/pared/{view}",
    "/recursos",
    "/turnos",
    "/tarjetas",
    "/fichar",
)


LOOK_EVERY = 2.0  # seconds between two looks whether the city has become another


async def keep_at_hand(sessions: Sessions) -> None:
    """Have the city's network and address index ready, so that nobody waits for them after a start or an import."""
    while True:
        try:
            async with reading(sessions) as session:
                await network_of(session)
                await address_index(session)
        except (SQLAlchemyError, OSError):  # whoever needs them will say so; the next look may find them
            log.info("the city is not at hand yet")
        await asyncio.sleep(LOOK_EVERY)


def create_app(settings: Settings, *, at_hand: bool = False) -> FastAPI:
    """The application; it opens its connections when it starts and closes them when it stops.

    `at_hand` is for a process that lives: it prepares for questions before they come.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine, apart = connect(settings.database, pool=15), connect(settings.database, pool=3)
        sessions = sessions_of(engine)
        bus = Bus(settings.redis_url, name=settings.redis_name)
        lane = PositionLane(sessions, bus, timezone=settings.timezone)
        geocoder = geocoder_of(settings)
        valhalla = Valhalla(settings.valhalla_url) if settings.valhalla_url else None
        app.state.machinery = Machinery(
            *(settings, engine, sessions, bus, BOARDS, lane, DeviceBook(sessions)),
            *(sessions_of(apart), geocoder, valhalla),
        )
        ahead = asyncio.create_task(keep_at_hand(app.state.machinery.aside)) if at_hand else None
        try:
            async with lane.running(), data_door(settings) as app.state.data_door:
                yield
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
            if geocoder:
                await geocoder.close()
            if valhalla:
                valhalla.close()
            await bus.close()
            await engine.dispose()
            await apart.dispose()

    app = FastAPI(
        title="Vigía",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json" if settings.documentation else None,
    )
    app.router.routes.extend(routes().routes)
    app.mount("/static", BuiltFiles(directory=STATIC, check_dir=False), name="static")
    problems.install(app)
    app.add_middleware(Guard)
    return app


@cache
def routes() -> APIRouter:
    """Every route. What they take is worked out once in a process, however many applications it makes."""
    every = APIRouter()
    api = APIRouter(prefix="/api/v1")
    for module in APIS:
        api.include_router(module.router)
    for router in (
        api,
        avl.router,
        health,
        screens(),
        data_door_router,
        portal.router,
        tracking.router,
        welcome.router,
    ):
        every.include_router(router)
    return every


health = APIRouter(include_in_schema=False)


@health.get("/health")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive", "version": VERSION}


@health.get("/ready")
async def ready(session: Session) -> dict[str, str]:
    """The process can do its work: the database answers and is of our version."""
    edition = await session.scalar(text("SELECT version_num FROM alembic_version"))
    return {"status": "ready", "version": VERSION, "database": str(edition)}


def screens() -> APIRouter:
    """The single-page screens: one document, which the front end fills by its address."""
    router = APIRouter(include_in_schema=False)

    async def screen() -> Response:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    async def wall() -> Response:
        # The address holds the wall's token until the page takes it away: no request of the page may repeat it.
        return FileResponse(
            STATIC / "index.html", headers={"Cache-Control": "no-cache", "Referrer-Policy": "no-referrer"}
        )

    for path in SCREENS:
        router.add_api_route(path, wall if path.startswith("/pared") else screen, methods=["GET"])

    @router.get("/favicon.ico")
    async def favicon() -> Response:
        return RedirectResponse("/static/vigia.svg", 308)

    return router
