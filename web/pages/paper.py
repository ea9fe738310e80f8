"""What every public page is made of: templates, the city's name and numbers, hours as the clock on the wall shows them.

Pages speak the city's language, as its catalogue does; they weigh little, and the style is inline, because on a bad
network the second request is what takes long.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import HTMLResponse

from realtime.database import now
from realtime.errors import Refusal
from resources.organizations import municipality
from web.language import DEFAULT, said, translations

TEMPLATES = Path(__file__).parents[1] / "templates"
ASSETS = Path(__file__).with_name("assets")
TIMEZONE = "America/Argentina/Buenos_Aires"
NATIONAL_PHONES = (("911", "Emergencias"),)  # true everywhere in the country, for when nothing else is known
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


@dataclass(frozen=True, slots=True)
class City:
    """What stands at the head and the foot of every page."""

    name: str = ""
    phones: tuple[tuple[str, str], ...] = NATIONAL_PHONES


async def city_now(request: Request, session: AsyncSession) -> City | None:
    """The city of this installation, remembered for pages that must be shown without a database."""
    found = await municipality(session)
    if found is None:
        return None
    phones = tuple((number, name) for number, name in found.phones)
    request.app.state.city = City(found.name, phones or NATIONAL_PHONES)
    return known_city(request)


def known_city(request: Request) -> City:
    """The city as last seen by this process; a bare one before that."""
    return getattr(request.app.state, "city", None) or City()


def page(
    request: Request, template: str, status: int = 200, headers: dict[str, str] | None = None, **words: Any
) -> HTMLResponse:
    """`template` as an answer, in the city's language."""
    language, timezone = _settings_of(request)
    body = _templates(language, timezone).get_template(template).render(city=known_city(request), **words)
    return HTMLResponse(body, status, {"Content-Language": language.replace("_", "-"), **(headers or {})})


def say(request: Request, text: str, **facts: Any) -> str:
    """One message in the city's language."""
    language, timezone = _settings_of(request)
    return said(language, text, facts, timezone=timezone)


def showable(value: str) -> str:
    """As typed, but for characters that HTML has no way to hold."""
    return "".join(symbol for symbol in value if symbol in "\n\t" or ord(symbol) >= 32)


def wants_page(request: Request) -> bool:
    """Whether a person at a browser asks, not a program."""
    return not request.url.path.startswith(("/api/", "/avl/")) and "text/html" in request.headers.get("accept", "")


def refusal_page(request: Request, refusal: Refusal) -> HTMLResponse:
    """A refusal as a page, with the numbers to call. Needs no database."""
    message = say(request, refusal.message, **refusal.facts)
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if "seconds" in refusal.facts:
        headers["Retry-After"] = str(refusal.facts["seconds"])
    return page(request, "refusal.html", refusal.status, headers, level=refusal.status, message=message)


@cache
def asset(name: str) -> tuple[str, str]:
    """A file of `assets` and its edition, by which browsers may keep it for ever."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    return text, hashlib.sha256(text.encode()).hexdigest()[:10]


@cache
def _icons() -> dict[str, str]:
    icons: dict[str, str] = json.loads(asset("icons.json")[0])  # Tabler 3.51, MIT
    return icons


def icon(name: str, classes: str = "") -> Markup:
    """A pictogram, drawn inline; it is never the only sign of what it means."""
    drawing = _icons().get(name, _icons()["alert"])
    return Markup(
        '<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>'
    ).format(classes, drawing)


@cache
def style(name: str) -> Markup:
    """A style sheet of `assets`, for inside the page: comments and needless space go."""
    text = re.sub(r"/\*.*?\*/", "", asset(name)[0], flags=re.DOTALL)
    return Markup(re.sub(r"\s*([{};,>])\s*", r"\1", " ".join(text.split())))  # noqa: S704 (our own file)


@cache
def _templates(language: str, timezone: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    zone = ZoneInfo(timezone)

    def clock(at: dt.datetime, form: str = "") -> str:
        """The hour; with its day when that is not today."""
        local = at.astimezone(zone)
        today = local.date() == now().astimezone(zone).date()
        return format_datetime(local, form or ("HH:mm" if today else "EEE d MMM, HH:mm"), locale=language)

    environment.filters["clock"] = clock
    environment.globals.update(
        icon=icon, style=style, now=now, lang=language.replace("_", "-"), script_edition=asset("report.js")[1]
    )
    return environment


def _settings_of(request: Request) -> tuple[str, str]:
    machinery = getattr(request.scope["app"].state, "machinery", None)
    return (machinery.settings.language, machinery.settings.timezone) if machinery else (DEFAULT, TIMEZONE)
