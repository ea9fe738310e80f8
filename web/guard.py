"""The first thing a request meets: size, type and shape of its body, before anybody parses it for real.

FastAPI reads JSON of any size, lets the last of two equal keys win, takes NaN for a number and falls over its own
recursion limit; none of that gets past here. Also the security headers that every answer carries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime.errors import Malformed, Refusal
from web.headers import ALWAYS
from web.problems import problem

MAX_BODY = 64 * 1024  # bytes; a report has 2,000 characters
MAX_TRACKED = 256 * 1024  # what a telephone tells that was without a network for a shift
TABLE = 1024 * 1024  # two thousand rows of a spreadsheet
LARGER = {
    "/api/v1/positions": 256 * 1024,  # 500 fixes
    "/api/v1/zones/import": 1024 * 1024,  # a city of zones
    "/api/v1/photos": 12 * 1024 * 1024 + 4096,  # one photo and what is said around it
    "/api/v1/staff/import": TABLE,
    "/api/v1/units/import": TABLE,
}
JSON = "application/json"
OTHER_TYPES = {  # where a body is no JSON, and whoever reads it checks it
    "/api/v1/photos": "multipart/form-data",
    "/api/v1/staff/import": "text/csv",
    "/api/v1/units/import": "text/csv",
}
MAX_DEPTH = 20


class BodyTooLarge(Refusal):
    """The request is larger than {limit} bytes."""

    status = 413


class NotJson(Refusal):
    """The body must be JSON (Content-Type: application/json)."""

    status = 415


class NotThatType(Refusal):
    """The body must be {type}."""

    status = 415


class BrokenJson(Malformed):
    """The body is not valid JSON: {reason}."""

    status = 400


class Guard:
    """ASGI middleware: refuses hopeless bodies and dresses every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(("/api/", "/avl/")):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            return await self.app(scope, receive, dressed)
        try:
            body = await _body(scope, receive)
        except Refusal as refusal:
            return await problem(Request(scope), refusal)(scope, receive, dressed)
        return await self.app(scope, _replay(body, receive), dressed)


async def _body(scope: Scope, receive: Receive) -> bytes:
    tracked = scope["path"].startswith("/avl/")
    headers, limit = Headers(scope=scope), LARGER.get(scope["path"], MAX_TRACKED if tracked else MAX_BODY)
    announced = headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit() and len(announced) < 16) or int(announced) > limit:
        raise BodyTooLarge(limit=limit)
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > limit:
            raise BodyTooLarge(limit=limit)
    body = b"".join(parts)
    if scope["path"].startswith("/api/") and body:
        kind, _, parameters = headers.get("content-type", "").partition(";")
        wanted = OTHER_TYPES.get(scope["path"], JSON)
        if wanted != JSON:
            if kind.strip().lower() != wanted:
                raise NotThatType(type=wanted)
            return body
        if kind.strip().lower() != JSON or "utf-16" in parameters.lower() or "utf-32" in parameters.lower():
            raise NotJson
        check_json(body)
    return body


def check_json(body: bytes) -> None:
    """Raise `BrokenJson` for what strict JSON is not: other encodings, NaN, keys twice, endless nesting."""
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except RecursionError:
        raise BrokenJson(reason="too deep") from None
    except UnicodeDecodeError:
        raise BrokenJson(reason="not UTF-8") from None
    except ValueError as error:
        raise BrokenJson(reason=str(error).split(":")[0][:80]) from None
    if _depth(document) > MAX_DEPTH:
        raise BrokenJson(reason="too deep")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not numbers")


def _depth(document: Any) -> int:
    level, floor = 0, [document]
    while floor := [child for item in floor for child in _children(item)]:
        level += 1
    return level


def _children(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _replay(body: bytes, receive: Receive) -> Receive:
    served = False

    async def again() -> Message:
        nonlocal served
        if served:
            return await receive()
        served = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
