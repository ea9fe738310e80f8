"""`create_open_data(settings)`: the application that answers at `/datos`, and the process that it is.

It knows the role for open data and no other way into the database. While it is away, nobody else misses anything.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from morecantile import Tile
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tipg.errors import NotFound as EngineNotFound

from realtime.errors import NotFound, Refusal
from web.headers import ALWAYS
from web.opendata.layers import MAX_ZOOM, Layer, Shelf, Shelves
from web.opendata.papers import CONFORMS, GEOJSON, GRID, JSON, OPENAPI, SCHEMA_JSON, TILE, Papers, grid
from web.opendata.questions import AT_ONCE, ITEMS, MOST_AT_ONCE, asked, question
from web.opendata.questions import TILE as TILE_PARAMETERS
from web.opendata.role import open_pool, refuse_power
from web.pages.paper import City, page
from web.problems import Broken, Busy, MethodNotAllowed, problem
from web.settings import Settings

log = structlog.get_logger()

PLACE = "/datos"
CROWD = 48  # requests at once; the rest is asked to come back
READ = ("GET", "HEAD", "OPTIONS")
ANYWHERE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Link, ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Accept-Language, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
_OUR_LOAD = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
# Classes of SQLSTATE: connections, sign-in, no such database, resources, shutdowns …
_DATABASE_AWAY = {"08", "28", "3D", "53", "57"}
_QUESTIONS_FAULT = {"22", "42", "54", "XX"}  # … and values, types and names, limits, shapes


class TooMuchWork(Refusal):
    """That takes too long. Ask for a smaller area, or with a simpler filter."""

    status = 503


class DoesNotFit(Refusal):
    """The filter compares what cannot be compared, or has a value or a shape that is not valid."""


def create_open_data(settings: Settings) -> FastAPI:
    """The application; it opens its connections when it starts and closes them when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = await open_pool(settings)
        app.state.settings, app.state.pool, app.state.shelves = settings, pool, Shelves(pool)
        try:
            yield
        finally:
            pool.terminate()

    app = FastAPI(
        title="Datos abiertos",
        description="OGC API – Features y teselas vectoriales sobre lo que no es de nadie en particular.",
        version="1.0.0",
        servers=[{"url": PLACE}],
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.openapi_version = "3.0.3"
    app.include_router(router)
    _refuse_in_good_form(app)
    app.add_middleware(Counter)
    return app


# ── What there is ─────────────────────────────────────────────────────────────────────────────────

router = APIRouter()


@router.get("/health", include_in_schema=False)
async def alive(request: Request) -> Response:
    """The process answers, and the database answers it."""
    async with request.app.state.pool.acquire(timeout=5) as connection:
        await connection.fetchval("SELECT 1")
    return _json({"status": "alive"})


@router.get("/", summary="La entrada")
async def landing(request: Request) -> Response:
    """Where everything is; a page of help for people at a browser."""
    said = asked(request)
    if "f" not in said and "text/html" in request.headers.get("accept", ""):
        return await _help(request)
    return _json((await _papers(request)).landing(), vary=True)


@router.get("/ayuda", summary="Cómo se usa")
async def manual(request: Request) -> Response:
    """A page for people."""
    asked(request)
    return await _help(request)


@router.get("/api", include_in_schema=False)
async def interface(request: Request) -> Response:
    """OpenAPI 3.0."""
    asked(request)
    return _json(request.app.openapi(), OPENAPI)


@router.get("/conformance", summary="Normas que cumple")
async def conformance(request: Request) -> Response:
    """The standards that are kept."""
    asked(request)
    return _json({"conformsTo": CONFORMS})


@router.get("/collections", summary="Las capas")
async def collections(request: Request) -> Response:
    """All layers."""
    asked(request)
    return _json((await _papers(request)).collections())


@router.get("/collections/{layer}", summary="Una capa")
async def collection(request: Request, layer: str) -> Response:
    """One layer."""
    asked(request)
    papers = await _papers(request)
    return _json(papers.collection(_known(papers.shelf, layer)))


@router.get("/collections/{layer}/queryables", summary="Por qué se puede filtrar")
async def queryables(request: Request, layer: str) -> Response:
    """What filters may speak of."""
    asked(request)
    papers = await _papers(request)
    return _json(papers.queryables(_known(papers.shelf, layer)), SCHEMA_JSON)


# ── Features ──────────────────────────────────────────────────────────────────────────────────────


def _parameter(name: str, what: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": what, "schema": {"type": kind, **more}}


_FILTERS = [
    _parameter("datetime", "Momento o intervalo (RFC 3339; «..» deja abierto un extremo)"),
    _parameter("filter", "Filtro CQL2"),
    _parameter("filter-lang", "Lenguaje del filtro", enum=["cql2-text", "cql2-json"], default="cql2-text"),
    _parameter("properties", "Propiedades que se quieren, separadas por comas"),
]
_PAGES = [
    {
        **_parameter("bbox", "Oeste, sur, este, norte (grados)", "array", items={"type": "number"}),
        "style": "form",
        "explode": False,
    },
    _parameter("limit", "Cuántos por página", "integer", minimum=1, maximum=MOST_AT_ONCE, default=AT_ONCE),
    _parameter("offset", "Cuántos se saltean", "integer", minimum=0, default=0),
    _parameter("sortby", "Propiedades por las que se ordena; con «-» adelante, de mayor a menor"),
]


@router.get("/collections/{layer}/items", summary="Los elementos", openapi_extra={"parameters": _PAGES + _FILTERS})
async def items(request: Request, layer: str) -> Response:
    """A page of features, as GeoJSON."""
    papers = await _papers(request)
    asked_layer = _known(papers.shelf, layer)
    asks = question(request, asked_layer, ITEMS)
    async with request.app.state.pool.acquire(timeout=5) as connection:
        found = await asked_layer.features(
            connection,
            bbox_filter=asks.bbox,
            datetime_filter=asks.interval,
            properties_filter=asks.equals,
            cql_filter=asks.filter,
            properties=asks.properties,
            sortby=asks.sortby,
            limit=asks.limit,
            offset=asks.offset,
        )
    return _json(papers.items(asked_layer, dict(found), request.query_params.multi_items()), GEOJSON)


@router.get("/collections/{layer}/items/{item}", summary="Un elemento")
async def item(request: Request, layer: str, item: str) -> Response:
    """One feature."""
    asked(request)
    papers = await _papers(request)
    asked_layer = _known(papers.shelf, layer)
    whole = asked_layer.id_column.type != "text"
    if len(item) > 60 or not item.isprintable() or (whole and not re.fullmatch(r"[0-9]{1,18}", item)):
        raise NotFound
    async with request.app.state.pool.acquire(timeout=5) as connection:
        found = await asked_layer.features(connection, ids_filter=[item], limit=1)
    if not found["items"]:
        raise NotFound
    return _json(papers.item(asked_layer, dict(found["items"][0])), GEOJSON)


# ── Tiles ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/tileMatrixSets", summary="Grillas de teselas")
async def tile_grids(request: Request) -> Response:
    """The one grid."""
    asked(request)
    return _json((await _papers(request)).tile_grids())


@router.get(f"/tileMatrixSets/{GRID}", summary="La grilla")
async def tile_grid(request: Request) -> Response:
    """Its definition."""
    asked(request)
    return _json(grid().model_dump(mode="json", exclude_none=True))


@router.get("/collections/{layer}/tiles", summary="Juegos de teselas de una capa")
async def tilesets(request: Request, layer: str) -> Response:
    """The ways a layer is cut into tiles."""
    asked(request)
    papers = await _papers(request)
    return _json(papers.tilesets(_known(papers.shelf, layer)))


@router.get(f"/collections/{{layer}}/tiles/{GRID}", summary="Un juego de teselas")
async def tileset(request: Request, layer: str) -> Response:
    """How a layer is cut."""
    asked(request)
    papers = await _papers(request)
    return _json(papers.tileset(_known(papers.shelf, layer)))


@router.get(f"/collections/{{layer}}/tiles/{GRID}/tilejson.json", summary="TileJSON")
async def tilejson(request: Request, layer: str) -> Response:
    """What map libraries want to know."""
    asked(request)
    papers = await _papers(request)
    return _json(papers.tilejson(_known(papers.shelf, layer)))


@router.get(
    f"/collections/{{layer}}/tiles/{GRID}/{{zoom}}/{{row}}/{{column}}",
    summary="Una tesela",
    openapi_extra={"parameters": _FILTERS},
)
async def tile(request: Request, layer: str, zoom: str, row: str, column: str) -> Response:
    """A vector tile, in the order of OGC."""
    return await _tile(request, layer, zoom, column, row)


@router.get("/teselas/{layer}/{zoom}/{column}/{row}.pbf", summary="Una tesela, como la nombran los mapas")
async def tile_by_name(request: Request, layer: str, zoom: str, column: str, row: str) -> Response:
    """A vector tile, in the order of everybody else."""
    return await _tile(request, layer, zoom, column, row)


async def _tile(request: Request, layer: str, zoom: str, column: str, row: str) -> Response:
    asked_layer = _known((await _papers(request)).shelf, layer)
    asks = question(request, asked_layer, TILE_PARAMETERS)
    numbers = [int(word) if word.isascii() and word.isdigit() and len(word) < 8 else -1 for word in (zoom, column, row)]
    z, x, y = numbers
    if not 0 <= z <= MAX_ZOOM or not (0 <= x < 2**z and 0 <= y < 2**z):
        raise NotFound
    drawing = b""
    if z >= asked_layer.min_zoom:
        async with request.app.state.pool.acquire(timeout=5) as connection:
            drawing = await asked_layer.get_tile(
                connection,
                tms=grid(),
                tile=Tile(x, y, z),
                datetime_filter=asks.interval,
                properties_filter=asks.equals,
                cql_filter=asks.filter,
                properties=asks.properties,
            )
    edition = f'"{hashlib.sha256(drawing).hexdigest()[:20]}"'
    headers = {"Cache-Control": "public, max-age=60", "ETag": edition}
    known = [word.strip().removeprefix("W/") for word in request.headers.get("if-none-match", "").split(",")]
    if edition in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(drawing, media_type=TILE, headers=headers)


# ── Answers ───────────────────────────────────────────────────────────────────────────────────────


def _json(document: Any, kind: str = JSON, *, vary: bool = False) -> Response:
    headers = {"Cache-Control": "public, max-age=30"}
    if vary:
        headers["Vary"] = "Accept"
    return Response(orjson.dumps(document), headers=headers, media_type=kind)


async def _papers(request: Request) -> Papers:
    settings: Settings = request.app.state.settings
    here = settings.public_origins[0].rstrip("/") + PLACE if settings.public_origins else str(request.base_url)
    return Papers(here.rstrip("/"), await request.app.state.shelves.now())


def _known(shelf: Shelf, name: str) -> Layer:
    if name not in shelf.layers:
        raise NotFound
    return shelf.layers[name]


async def _help(request: Request) -> Response:
    papers = await _papers(request)
    request.app.state.city = City(papers.shelf.city or "")
    layers = papers.shelf.layers
    layer = "calles" if "calles" in layers else next(iter(layers), "calles")
    examples = {
        "address": f"{papers.base}/",
        "file": f"ogr2ogr {layer}.gpkg OAPIF:{papers.base} {layer}",
        "tiles": f"{papers.base}/collections/{layer}/tiles/{GRID}/tilejson.json",
    }
    headers = {"Cache-Control": "public, max-age=30", "Vary": "Accept, Accept-Language"}
    return page(request, "opendata.html", headers=headers, papers=papers, layers=layers, examples=examples)


def _refuse_in_good_form(app: FastAPI) -> None:
    """Problem documents for all that goes wrong; what the question is to blame for is never a 500."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        return problem(request, refusal)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        return problem(request, MethodNotAllowed() if error.status_code == 405 else NotFound())

    @app.exception_handler(EngineNotFound)
    async def nothing(request: Request, _: EngineNotFound) -> Response:
        return problem(request, NotFound())

    @app.exception_handler(asyncpg.PostgresError)
    async def postgres(request: Request, error: asyncpg.PostgresError) -> Response:
        if isinstance(error, _OUR_LOAD):
            return problem(request, TooMuchWork())
        kind = str(error.sqlstate)[:2]
        if kind in _DATABASE_AWAY:
            return await away(request, error)
        if kind in _QUESTIONS_FAULT and not isinstance(error, asyncpg.InsufficientPrivilegeError):
            return problem(request, DoesNotFit())
        return await broken(request, error)

    async def away(request: Request, error: Exception) -> Response:
        log.warning("opendata.database_away", error=type(error).__name__)
        return problem(request, Busy(seconds=2))

    for kind in (asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError, OSError):
        app.add_exception_handler(kind, away)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        code = secrets.token_hex(4)
        log.error("broken", code=code, path=request.url.path, error=type(error).__name__)
        answer = problem(request, Broken(code=code))
        answer.headers.update(ALWAYS | ANYWHERE)  # this one is made outside of the Counter
        return answer


class Counter:
    """ASGI middleware at the door: only reading, not too many at once, and every answer dressed."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps `app`."""
        self.app = app
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        method, bare = scope["method"], scope["method"] == "HEAD"

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**ALWAYS, **ANYWHERE}.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            elif bare:
                message = {**message, "body": b""}
            await send(message)

        if method == "OPTIONS":
            return await Response(status_code=204, headers=PREFLIGHT)(scope, receive, dressed)
        if method not in READ:
            refused = problem(Request(scope), MethodNotAllowed())
            refused.headers["Allow"] = ", ".join(READ)
            return await refused(scope, receive, dressed)
        if self.inside >= CROWD:
            return await problem(Request(scope), Busy(seconds=2))(scope, receive, dressed)
        path = f"{PLACE}/" if scope["path"] == PLACE else scope["path"]
        self.inside += 1
        try:
            return await self.app({**scope, "method": "GET", "path": path, "root_path": PLACE}, receive, dressed)
        finally:
            self.inside -= 1


def run_open_data(settings: Settings) -> None:
    """The process. Raises `TooPowerful` before it listens, when its role may more than it should."""
    asyncio.run(refuse_power(settings))
    unix = settings.open_address.startswith("unix:")
    host, _, port = settings.open_address.rpartition(":")
    where: dict[str, Any] = (
        {"uds": settings.open_address.removeprefix("unix:")} if unix else {"host": host.strip("[]"), "port": int(port)}
    )
    uvicorn.run(
        create_open_data(settings),
        **where,
        loop="uvloop",
        http="httptools",
        ws="none",
        proxy_headers=True,
        forwarded_allow_ips="*" if unix else settings.trusted_proxies,  # nobody but the web process reaches the socket
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
