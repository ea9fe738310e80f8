"""The language of an answer: English texts are the keys, `web/locale` holds what people read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, negotiate_locale
from babel.dates import format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALES = Path(__file__).with_name("locale")
DEFAULT = "es_AR"


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language, read from its .po; English needs none."""
    source = LOCALES / language / "LC_MESSAGES" / "vigia.po"
    if not source.exists():
        return NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def spoken() -> tuple[str, ...]:
    """The languages that there is a catalogue for, and English."""
    return (*sorted(path.name for path in LOCALES.iterdir() if path.is_dir()), "en")


def language_for(accept_language: str | None) -> str:
    """The best language for an Accept-Language header; the city's own when in doubt."""
    wanted = [part.partition(";")[0].strip().replace("-", "_") for part in (accept_language or "").split(",")[:8]]
    if any(want.lower().startswith("es") for want in wanted):
        return DEFAULT
    return negotiate_locale([want for want in wanted if want.replace("_", "").isalnum()], spoken()) or DEFAULT


def said(language: str, text: str, facts: Mapping[str, Any], *, timezone: str) -> str:
    """`text` in `language`, with its placeholders filled; times as the clock on the wall shows them."""
    catalogue = translations(language)

    def spoken_fact(fact: Any) -> str:
        if isinstance(fact, dt.datetime):
            locale = Locale.parse(language)
            return format_time(fact, "HH:mm", tzinfo=ZoneInfo(timezone), locale=locale)
        return catalogue.gettext(fact) if isinstance(fact, str) and fact else str(fact)

    try:
        return catalogue.gettext(text).format_map({name: spoken_fact(fact) for name, fact in facts.items()})
    except (KeyError, IndexError, ValueError):
        return catalogue.gettext(text)
