"""`create_app(settings)`: the one place where the web process is put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from sqlalchemy import text
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from realtime.bus import Bus
from realtime.database import connect, sessions_of
from resources.positions import PositionLane
from web import problems
from web.api import (
    addresses,
    assignments,
    catalogue,
    closures,
    facilities,
    fences,
    incidents,
    live,
    people,
    places,
    positions,
    reports,
    session,
    simulation,
    travel,
    units,
    zones,
)
from web.boards import BOARDS
from web.context import Machinery, Session
from web.data_door import data_door
from web.data_door import router as data_door_router
from web.geocoders import geocoder_of
from web.guard import Guard
from web.pages import portal, welcome
from web.settings import Settings
from web.valhalla import Valhalla

VERSION = "0.1.0"
STATIC = Path(__file__).with_name("static")
APIS = (
    *(session, catalogue, reports, incidents, assignments, units, positions, people),
    *(places, addresses, zones, facilities, fences, closures, travel),
    *(live, simulation),
)
SCREENS = ("/ingresar", "/consola", "/pared")


def create_app(settings: Settings) -> FastAPI:
    """The application; it opens its connections when it starts and closes them when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine, apart = connect(settings.database, pool=15), connect(settings.database, pool=3)
        sessions = sessions_of(engine)
        bus = Bus(settings.redis_url, name=settings.redis_name)
        lane = PositionLane(sessions, bus)
        geocoder = geocoder_of(settings)
        valhalla = Valhalla(settings.valhalla_url) if settings.valhalla_url else None
        app.state.machinery = Machinery(
            settings, engine, sessions, bus, BOARDS, lane, sessions_of(apart), geocoder, valhalla
        )
        try:
            async with lane.running(), data_door(settings) as app.state.data_door:
                yield
        finally:
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
    api = APIRouter(prefix="/api/v1")
    for module in APIS:
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(health)
    app.include_router(screens())
    app.include_router(data_door_router)
    app.include_router(portal.router)
    app.include_router(welcome.router)
    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False), name="static")
    problems.install(app)
    app.add_middleware(Guard)
    return app


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

    for path in SCREENS:
        router.add_api_route(path, screen, methods=["GET"])

    @router.get("/favicon.ico")
    async def favicon() -> Response:
        return RedirectResponse("/static/favicon.svg", 308)

    return router
