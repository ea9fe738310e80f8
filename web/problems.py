"""Refusals as problem+json (RFC 9457) in the reader's language. Only refusals are shown; the rest is a bug."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from psycopg.errors import ForeignKeyViolation, IdleInTransactionSessionTimeout, UniqueViolation
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from realtime.errors import AlreadyExists, Malformed, NotFound, Refusal
from web.headers import ALWAYS
from web.language import language_for, said
from web.pages.paper import refusal_page, wants_page

log = structlog.get_logger()


class Busy(Refusal):
    """Vigía is busy. Nothing was lost: try again in {seconds} seconds."""

    status = 503


class MethodNotAllowed(Refusal):
    """That cannot be done there."""

    status = 405


class Broken(Refusal):
    """Something broke on our side. What you wrote was not saved; tell support the code {code}."""

    status = 500


# What pydantic calls things, in words that a person can act on. The keys are its error types.
FIELD_MESSAGES = {
    "missing": "This is missing.",
    "extra_forbidden": "This field is not known here.",
    "string_too_long": "This is too long.",
    "string_type": "This must be text.",
    "string_pattern_mismatch": "This has characters that are not allowed here.",
    "string_unicode": "This is not valid text.",
    "uuid_parsing": "This is not an id.",
    "uuid_type": "This is not an id.",
    "uuid_version": "The id must be a UUIDv7 that you made.",
    "enum": "This is not one of the possible values.",
    "literal_error": "This is not one of the possible values.",
    "timezone_aware": "The time needs its offset, for example -03:00.",
    "datetime_parsing": "This is not a time.",
    "datetime_from_date_parsing": "This is not a time.",
    "datetime_type": "This is not a time.",
    "date_parsing": "This is not a day.",
    "date_from_datetime_parsing": "This is not a day.",
    "date_from_datetime_inexact": "This is not a day.",
    "decimal_max_places": "This has too many decimals.",
    "decimal_max_digits": "This is too large.",
    "implausible_time": "That time is not plausible.",
    "control_characters": "Control characters are not allowed.",
    "finite_number": "This must be a finite number.",
    "greater_than_equal": "This is too small.",
    "less_than_equal": "This is too large.",
    "too_long": "These are too many.",
}
_TOO_SLOW = IdleInTransactionSessionTimeout  # we were so busy that PostgreSQL gave the transaction up
NOT_VALID = "This is not valid."


def problem(request: Request, refusal: Refusal, errors: list[dict[str, str]] | None = None) -> Response:
    """A refusal as it travels: a page for people at a browser, a document for programs."""
    if wants_page(request):
        return refusal_page(request, refusal)
    language = language_for(request.headers.get("accept-language"))
    application = request.scope.get("app")
    machinery = getattr(getattr(application, "state", None), "machinery", None)
    timezone = machinery.settings.timezone if machinery else "America/Argentina/Buenos_Aires"
    body: dict[str, Any] = {
        "type": f"/problems/{refusal.code}",
        "title": said(language, refusal.message, refusal.facts, timezone=timezone),
        "status": refusal.status,
        "code": refusal.code,
        "facts": {name: _plain(fact) for name, fact in refusal.facts.items()},
    }
    if errors is not None:
        body["errors"] = [
            {"field": error["field"], "message": said(language, error["message"], {}, timezone=timezone)}
            for error in errors
        ]
    headers = {"Content-Language": language.replace("_", "-"), "Vary": "Accept-Language"}
    if "seconds" in refusal.facts:
        headers["Retry-After"] = str(refusal.facts["seconds"])
    return JSONResponse(body, refusal.status, headers, media_type="application/problem+json")


def _path(request: Request) -> str:
    """What was asked for, without the token that a tracker has in its address."""
    path = request.url.path
    return "/".join(path.split("/")[:3]) if path.startswith("/avl/") else path


def _plain(fact: Any) -> Any:
    if isinstance(fact, dt.datetime):
        return fact.isoformat()
    if isinstance(fact, (list, tuple)):
        return [_plain(one) for one in fact]
    if isinstance(fact, dict):
        return {str(name): _plain(one) for name, one in fact.items()}
    return fact if isinstance(fact, (str, int, float, bool, type(None))) else str(fact)


def install(app: FastAPI) -> None:
    """Make every refusal of `app` a problem document."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        return problem(request, refusal)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        code = secrets.token_hex(4)
        log.error("broken", code=code, path=_path(request), error=type(error).__name__)
        answer = problem(request, Broken(code=code))  # Starlette logs the error itself and goes on
        answer.headers.update(ALWAYS)  # this one is made outside of the Guard
        return answer

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        errors = [  # never the input itself: it may hold NaN, secrets or megabytes
            {
                "field": ".".join(str(part) for part in one["loc"][1:])[:200] or str(one["loc"][0]),
                "message": FIELD_MESSAGES.get(one["type"], NOT_VALID),
            }
            for one in error.errors()[:20]
        ]
        return problem(request, Malformed(reason=", ".join(one["field"] for one in errors)), errors)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        known = {404: NotFound(), 405: MethodNotAllowed()}
        return problem(request, known.get(error.status_code, Malformed(reason=str(error.detail))))

    @app.exception_handler(DBAPIError)
    async def database(request: Request, error: DBAPIError) -> Response:
        if isinstance(error.orig, ForeignKeyViolation):
            return problem(request, NotFound())
        if isinstance(error.orig, UniqueViolation):
            return problem(request, AlreadyExists())
        if isinstance(error, (DataError, IntegrityError)):
            return problem(request, Malformed(reason="a value is out of range"))
        if isinstance(error, (OperationalError, InterfaceError)) or isinstance(error.orig, _TOO_SLOW):
            log.warning("database busy or away", path=_path(request), error=str(error.orig)[:200])
            return problem(request, Busy(seconds=2))
        raise error

    @app.exception_handler(PoolTimeout)
    async def crowded(request: Request, _: PoolTimeout) -> Response:
        return problem(request, Busy(seconds=2))
