"""The neighbours' portal: tell us something. Everything works without JavaScript; `tracking.py` says what became of it.

A report goes through the same body, verb, limit and idempotency as `POST /api/v1/reports`; whoever signed in at a
desk is a neighbour here like anybody else, so no page reads a cookie.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from geo.addresses import Match, find_place, is_clear, pins_down
from geo.city import extent
from geo.places import Point, metres
from incidents.catalogue import Catalogue, IncidentType, catalogue
from incidents.reports import Contact, receive_report
from realtime.access import ANYBODY
from realtime.database import new_id, reading, transaction
from realtime.errors import AlreadyExists, KeyReused, Malformed, NotFound, Refusal, TooMany
from realtime.idempotency import answer_once
from web.api.reports import ReportBody, limit_reports
from web.context import Machinery, Machines, Session
from web.pages.paper import asset, city_now, known_city, page, say, showable
from web.problems import FIELD_MESSAGES, NOT_VALID

router = APIRouter(include_in_schema=False)

FORM = ("id", "type", "place", "lon", "lat", "accuracy", "words", "name", "phone")
OTHER = "other"
NEARBY = 0.2  # degrees, about 20 km: what happens just beyond the border is still worth knowing
TO_UNDERSTAND = 3.0  # seconds that a report may wait for its words to be looked up
CHOSEN = 30.0  # metres; a point so near to a match came from choosing it

FORM_MESSAGES = {
    "type": "Choose what is happening, or tell it in your words.",
    "words": "Tell us what is happening.",
    "place": "Tell us where it is.",
    "location": "We could not use that location. Write where it is.",
    "outside": "That place is outside {city}. Write where it is, or call the numbers above.",
    "again": "Check it and send it again.",
    "changed": "We already have your first report. Send again to make another one.",
    "crowded": "Many reports came from your connection. If it is urgent, call. Otherwise try again in {minutes} min.",
    "busy": "We could not save it. Nothing you wrote was lost: send it again.",
}


class NotYetOpen(Refusal):
    """This city has not begun yet. If lives are at risk, call."""

    status = 503


# ── The front page ────────────────────────────────────────────────────────────────────────────────


@router.get("/")
async def get_home(request: Request, session: Session) -> Response:
    """Two buttons and the numbers to call."""
    if await city_now(request, session) is None:
        return RedirectResponse("/bienvenida", 303)
    return page(request, "home.html")


@router.get("/publico/{name}")
async def get_asset(name: str) -> Response:
    """The one script; pages work without it."""
    if name != "report.js":
        raise NotFound
    return Response(
        asset(name)[0], media_type="text/javascript", headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )


# ── Reporting ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Group:
    """Types that stand together under one tile."""

    name: str
    types: list[IncidentType]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the form is made of; remembered, so that a report can be kept as typed while the database is away."""

    groups: list[Group]
    bounds: list[float] | None

    @property
    def types(self) -> dict[str, IncidentType]:
        """Every type that the public may choose, by code."""
        return {kind.code: kind for group in self.groups for kind in group.types}


@dataclass(slots=True)
class Wrong:
    """What is wrong with a form: a message for each field, and for the whole of it under `form`."""

    status: int = 422
    fields: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


async def desk_now(request: Request, session: AsyncSession) -> Desk:
    """The form's parts as things stand. Raises `NotYetOpen` before there is anybody to read reports."""
    if await city_now(request, session) is None:
        raise NotYetOpen
    desk = Desk(_groups(await catalogue(session)), await extent(session))
    request.app.state.desk = desk
    return desk


def _groups(words: Catalogue) -> list[Group]:
    names = {group["code"]: group["name"] for group in words.content["groups"]}
    public = [kind for kind in words.types.values() if kind.public]
    order = {code: place for place, code in enumerate(names)}
    public.sort(key=lambda kind: order.get(kind.group, len(order)))
    return [Group(names.get(code, code), list(types)) for code, types in groupby(public, key=lambda kind: kind.group)]


@router.get("/avisar")
async def get_report_form(request: Request, session: Session) -> Response:
    """The empty form; its id makes sure that sending twice makes one report."""
    desk = await desk_now(request, session)
    return _form(request, desk, dict.fromkeys(FORM, "") | {"id": str(new_id())})


@router.post("/avisar")
async def post_report_form(request: Request, machines: Machines) -> Response:
    """Receive a report; whatever goes wrong, the form comes back as it was typed."""
    typed = await _typed(request)
    try:
        async with reading(machines.sessions) as session:
            desk = await desk_now(request, session)
    except (DBAPIError, PoolTimeout):
        if (remembered := getattr(request.app.state, "desk", None)) is None:
            raise
        return _form(request, remembered, typed, Wrong(503, {"form": FORM_MESSAGES["busy"]}))
    body, wrong = _read(desk, typed, known_city(request).name)
    if body is None:
        return _form(request, desk, typed, wrong)
    try:
        code = await _receive(request, machines, body, typed)
    except TooMany as refusal:
        facts = {"minutes": math.ceil(refusal.facts["seconds"] / 60)}
        return _form(request, desk, typed, Wrong(429, {"form": FORM_MESSAGES["crowded"]}, facts))
    except (KeyReused, AlreadyExists):
        fresh = typed | {"id": str(new_id())}
        return _form(request, desk, fresh, Wrong(409, {"form": FORM_MESSAGES["changed"]}))
    except (DBAPIError, PoolTimeout):
        return _form(request, desk, typed, Wrong(503, {"form": FORM_MESSAGES["busy"]}))
    return RedirectResponse(f"/s/{code}?nuevo=1", 303)


async def _typed(request: Request) -> dict[str, str]:
    """The form's fields as text, with the line ends that people count."""
    form = await request.form(max_files=0, max_fields=len(FORM) + 5)
    values = {name: form.get(name) for name in FORM}
    return {name: value.replace("\r\n", "\n") if isinstance(value, str) else "" for name, value in values.items()}


def _read(desk: Desk, typed: dict[str, str], city: str) -> tuple[ReportBody | None, Wrong]:
    wrong = Wrong(facts={"city": city})
    kind = desk.types.get(typed["type"])
    told = typed["words"].strip()
    if kind is None and not told:
        part = "words" if typed["type"] == OTHER else "type"
        wrong.fields[part] = FORM_MESSAGES[part]
    location = None
    if typed["lon"] or typed["lat"]:
        location = _location(typed["lon"], typed["lat"])
        if location is None or _outside(desk, location):
            wrong.fields["place"] = FORM_MESSAGES["outside" if location else "location"]
            typed |= {"lon": "", "lat": "", "accuracy": ""}
    elif not typed["place"].strip():
        wrong.fields["place"] = FORM_MESSAGES["place"]
    body = None
    try:
        body = ReportBody.model_validate(
            {
                "id": typed["id"],
                "words": typed["words"] if told else (kind.name if kind else "-"),
                "place": typed["place"],
                "location": {"type": "Point", "coordinates": location} if location else None,
                "type_hint": kind.code if kind else None,
                "contact": {"name": typed["name"] or None, "phone": typed["phone"].strip() or None},
            }
        )
    except ValidationError as error:
        for one in error.errors():
            part = str(one["loc"][-1])
            if part == "id":  # somebody made this form himself, or it is older than this version
                typed["id"], part = str(new_id()), "form"
            message = FORM_MESSAGES["again"] if part == "form" else FIELD_MESSAGES.get(one["type"], NOT_VALID)
            wrong.fields.setdefault(part, message)
    except Malformed:
        wrong.fields["place"] = FORM_MESSAGES["location"]
        typed |= {"lon": "", "lat": "", "accuracy": ""}
    return (None if wrong.fields else body), wrong


def _location(lon: str, lat: str) -> list[float] | None:
    try:
        place = [float(lon), float(lat)]
    except ValueError:
        return None
    return place if all(math.isfinite(number) for number in place) else None


def _outside(desk: Desk, place: list[float]) -> bool:
    if desk.bounds is None:
        return False
    west, south, east, north = desk.bounds
    inside = west - NEARBY <= place[0] <= east + NEARBY and south - NEARBY <= place[1] <= north + NEARBY
    return not inside


async def _receive(request: Request, machines: Machinery, body: ReportBody, typed: dict[str, str]) -> str:
    await limit_reports(machines, ANYBODY, request)
    match, location = await _understood(machines, body)
    contact = Contact(body.contact.name, body.contact.phone) if body.contact else None
    async with transaction(machines.sessions) as session:

        async def do() -> dict[str, Any]:
            report = await receive_report(
                session,
                ANYBODY,
                body.id,
                words=body.words,
                place=body.place,
                place_match=match.kept() if match else None,
                location=location,
                type_hint=body.type_hint,
                contact=contact,
            )
            return {"id": str(report.id), "tracking_code": report.tracking_code}

        asked = {"path": request.url.path, "body": typed}
        answer = await answer_once(session, ANYBODY, body.id, asked, do)
    return str(answer["tracking_code"])


async def _understood(machines: Machinery, body: ReportBody) -> tuple[Match | None, Point | None]:
    """What the words for the place mean, and where that is; the words stay as they are, and nothing waits for it.

    A point that the phone gave is never moved. Without one, only a match that is sure and says where gives it.
    """
    if not body.place:
        return None, body.location
    try:
        async with asyncio.timeout(TO_UNDERSTAND), reading(machines.sessions) as session:
            matches = await find_place(session, body.place, near=body.location)
    except (DBAPIError, PoolTimeout, TimeoutError):
        return None, body.location
    if body.location is not None:
        here = body.location
        return next((match for match in matches if metres(match.place, here) <= CHOSEN), None), here
    if not is_clear(matches):
        return None, None
    return matches[0], matches[0].place if pins_down(matches[0]) else None


def _form(request: Request, desk: Desk, typed: dict[str, str], wrong: Wrong | None = None) -> Response:
    wrong = wrong or Wrong(200)
    shown = {name: showable(value) for name, value in typed.items()}
    errors = {part: say(request, message, **wrong.facts) for part, message in wrong.fields.items()}
    return page(request, "report.html", wrong.status, groups=desk.groups, typed=shown, errors=errors, other=OTHER)
