"""One port for everything in `./vigia up`: the web process hands `/datos` to the open data process.

The reverse proxy does it in production. What identifies somebody here (cookies, authorization) stays here.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import structlog
from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from web.problems import Busy
from web.settings import Settings

log = structlog.get_logger()

AT_ONCE = 32
PATIENCE = httpx2.Timeout(15, connect=3, pool=3)  # seconds
_PASSED_ON = ("accept", "accept-language", "host", "if-none-match", "origin", "user-agent")
_OURS_TO_SAY = {"connection", "date", "keep-alive", "server", "transfer-encoding"}

router = APIRouter(include_in_schema=False)


@asynccontextmanager
async def data_door(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """The way to the open data process. Opens nothing before it is used."""
    address, limits = settings.open_address, httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=4)
    socket = address.removeprefix("unix:") if address.startswith("unix:") else None
    # Plain HTTP on this machine: no certificates are read, which would take longer than all the rest of a start.
    transport = httpx2.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), uds=socket, limits=limits)
    base = "http://opendata" if socket else f"http://{address}"
    async with httpx2.AsyncClient(transport=transport, base_url=base, timeout=PATIENCE) as client:
        yield client


@router.api_route("/datos", methods=["GET", "HEAD", "OPTIONS"])
@router.api_route("/datos/{path:path}", methods=["GET", "HEAD", "OPTIONS"])
async def hand_over(request: Request, path: str = "") -> Response:  # noqa: ARG001
    """Whatever the open data process says. Raises `Busy` while it is away."""
    client: httpx2.AsyncClient = request.app.state.data_door
    headers = {name: value for name in _PASSED_ON if (value := request.headers.get(name)) is not None}
    headers |= {
        "x-forwarded-proto": request.url.scheme,
        "x-forwarded-for": request.client.host if request.client else "",
    }
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    target = httpx2.URL(str(client.base_url).rstrip("/")).copy_with(raw_path=raw + _query(request))
    try:
        answer = await client.send(client.build_request(request.method, target, headers=headers), stream=True)
    except httpx2.TransportError as failure:
        log.warning("data_door.away", reason=repr(failure))
        raise Busy(seconds=5) from None
    kept = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in _OURS_TO_SAY]
    streamed = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
    streamed.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in kept]
    return streamed


def _query(request: Request) -> bytes:
    query: Any = request.scope.get("query_string", b"")
    return b"?" + query if query else b""
