"""Whatever Vigía says to people, it says in Spanish; templates hold words only through the catalogue."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2.ext import babel_extract

from geo.closures import ClosureState
from incidents.assignments import AssignmentStatus
from incidents.incident import IncidentState
from incidents.reports import ReportStatus
from realtime.errors import Refusal
from resources.units import Duty
from web.language import DEFAULT, language_for, said, translations
from web.pages.paper import TEMPLATES
from web.pages.portal import FORM_MESSAGES
from web.pages.welcome import WELCOME_MESSAGES
from web.problems import FIELD_MESSAGES, NOT_VALID

FLOORS = ("realtime", "geo", "resources", "incidents", "coordination", "web")
NOT_OURS = ("web.launcher", "web.migrations")  # the launcher runs without the application and has its own words
PAGES = sorted(TEMPLATES.glob("*.html"))
ALIKE = {"Error:", "bytes"}  # the same word in both languages
FACTS = {
    *(member.value for kind in (IncidentState, AssignmentStatus, ReportStatus, Duty, ClosureState) for member in kind),
    *("type", "priority", "disposition", "dismissal"),
    *(
        "bytes",
        "vertices",
        "features",
        "too deep",
        "not UTF-8",
        "a key stands twice",
        "NaN and Infinity are not numbers",
    ),
    *("a value is out of range", "location", "fixed_at", "heading", "speed_kmh"),
}


def every_refusal() -> list[type[Refusal]]:
    """Each class of refusal of every floor."""
    for floor in FLOORS:
        for module in pkgutil.walk_packages(importlib.import_module(floor).__path__, f"{floor}."):
            if not module.name.startswith(NOT_OURS):
                importlib.import_module(module.name)
    return sorted(_below(Refusal), key=lambda refusal: (refusal.__module__, refusal.__name__))


def _below(refusal: type[Refusal]) -> set[type[Refusal]]:
    return {kind for child in refusal.__subclasses__() for kind in ({child} | _below(child))}


def messages_of(template: Path) -> Iterator[str]:
    """The English texts of a template, plurals included."""
    with template.open("rb") as file:
        options = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
        for _, _, message, _ in babel_extract(file, ("_", "gettext", "ngettext"), [], options):
            yield from (text for text in (message if isinstance(message, tuple) else (message,)) if text)


def spanish(text: str) -> str:
    """What the catalogue has for a text; the text itself when it has nothing."""
    catalogue = translations(DEFAULT)
    singular = catalogue.gettext(text)
    return singular if singular != text else catalogue.ngettext(*_plural_of(text), 2)


def _plural_of(text: str) -> tuple[str, str]:
    for template in PAGES:
        with template.open("rb") as file:
            for _, _, message, _ in babel_extract(file, ("_", "gettext", "ngettext"), [], {"trimmed": "true"}):
                if isinstance(message, tuple) and text in message and message[0] and message[1]:
                    return message[0], message[1]
    return text, text


def placeholders(text: str) -> set[str]:
    """What a text leaves open."""
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", text))


@pytest.mark.parametrize("refusal", every_refusal(), ids=lambda refusal: refusal.__name__)
def test_every_refusal_speaks_spanish(refusal: type[Refusal]) -> None:
    message = refusal().message
    assert message, "a refusal's docstring is what people read"
    assert spanish(message) != message
    assert placeholders(spanish(message)) == placeholders(message)


@pytest.mark.parametrize(
    "message", sorted({*FIELD_MESSAGES.values(), NOT_VALID, *FORM_MESSAGES.values(), *WELCOME_MESSAGES.values()})
)
def test_every_field_message_speaks_spanish(message: str) -> None:
    assert spanish(message) != message
    assert placeholders(spanish(message)) <= placeholders(message)


@pytest.mark.parametrize("fact", sorted(FACTS - ALIKE))
def test_facts_are_said_in_spanish(fact: str) -> None:
    assert spanish(fact) != fact


@pytest.mark.parametrize("template", PAGES, ids=lambda template: template.stem)
def test_every_text_of_a_template_has_its_spanish(template: Path) -> None:
    for message in set(messages_of(template)) - ALIKE:
        assert spanish(message) != message, message
        assert placeholders(spanish(message)) == placeholders(message), message


@pytest.mark.parametrize("template", PAGES, ids=lambda template: template.stem)
def test_templates_hold_no_words_of_their_own(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    source = re.sub(r"\{% trans .*?\{% endtrans %\}", "", source, flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", source, flags=re.DOTALL)
    read_aloud = re.findall(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"', text)
    shown = re.sub(r'<[^>]*>|[\w-]+="[^"]*"?', " ", text) + " ".join(read_aloud)
    assert not re.search(r"[^\W\d_]{2,}", shown), shown.split()


def test_the_catalogue_addresses_people_as_vos() -> None:
    for _, text in _pairs():
        assert not re.search(
            r"\b(usted|ustedes|tú|tienes|puedes|debes|haz|ingrese|introduzca|por favor)\b", text.lower()
        )


def test_nothing_in_the_catalogue_is_left_empty() -> None:
    assert all(text.strip() for _, text in _pairs())


def _pairs() -> list[tuple[str, str]]:
    source = (TEMPLATES.parent / "locale" / DEFAULT / "LC_MESSAGES" / "vigia.po").read_text(encoding="utf-8")
    return re.findall(r'^msgid "(.+)"\n(?:msgid_plural .+\n)?msgstr(?:\[0\])? "(.*)"$', source, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "es_AR"),
        ("", "es_AR"),
        ("es", "es_AR"),
        ("en-US,en;q=0.9", "en"),
        ("fr", "es_AR"),
        ("pt,es;q=0.5", "es_AR"),
    ],
)
def test_the_language_is_spanish_when_in_doubt(header: str | None, language: str) -> None:
    assert language_for(header) == language


def test_a_fact_is_said_in_the_language_of_its_message() -> None:
    facts = {"current": IncidentState.EN_ROUTE.value, "wanted": IncidentState.CLOSED.value}
    text = said(DEFAULT, "It cannot go from {current} to {wanted}.", facts, timezone="America/Argentina/Buenos_Aires")
    assert text == "No puede pasar de «en camino» a «cerrado»."
