"""`/bienvenida`: the first account of a new installation, made with the one-time code that its operator has."""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
from pathlib import Path

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from geo.city import present_city
from realtime.access import VIGIA, Role
from realtime.database import new_id, transaction
from realtime.errors import Refusal, TooMany
from resources.organizations import OrganizationKind, add_organization, municipality
from resources.people import WeakPassword, add_person, anybody_there
from web.bodies import Body, Name, Password
from web.context import ForeignOrigin, Machinery, Machines, Session
from web.origin import is_ours
from web.pages.paper import PRIVATE, page, say
from web.prepare import FIRST_ACCOUNT_CODE
from web.problems import FIELD_MESSAGES, NOT_VALID
from web.throttle import attempt

router = APIRouter(include_in_schema=False)

FORM = ("code", "city", "name", "username", "password", "again")
SECRET = frozenset({"code", "password", "again"})  # never sent back
WINDOW, TRIES, ALL_TRIES = dt.timedelta(minutes=15), 10, 100
LOCK = 0x56494749  # "VIGI": one first account at a time
HEADERS = PRIVATE | {"Referrer-Policy": "same-origin"}  # with no-referrer, browsers hide the origin of the POST too

# What every city of the country answers to; it edits them later.
PHONES = (("911", "Emergencias"), ("100", "Bomberos"), ("107", "Ambulancias"), ("103", "Defensa Civil"))

WELCOME_MESSAGES = {
    "code": "That is not the code. Copy it from the installation.",
    "again": "The two passwords are not the same.",
    "crowded": "Too many tries. Wait {minutes} min.",
}


class AlreadyBegun(Refusal):
    """This installation already has its first account. Sign in."""

    status = 409


class FirstAccount(Body):
    """The city and whoever will run it."""

    city: Name
    name: Name
    username: Name
    password: Password


@router.get("/bienvenida")
async def get_welcome(request: Request, session: Session) -> Response:
    """The form, as long as nobody has an account."""
    if await anybody_there(session):
        return RedirectResponse("/ingresar", 303)
    city = await present_city(session)
    return _form(request, dict.fromkeys(FORM, "") | {"city": city.name if city else ""})


@router.post("/bienvenida")
async def post_welcome(request: Request, machines: Machines) -> Response:
    """Make the city and its first supervisor; only once, whatever arrives at the same time."""
    if not is_ours(machines.settings, request.headers):
        raise ForeignOrigin
    form = await request.form(max_files=0, max_fields=len(FORM) + 5)
    typed = {name: value if isinstance(value := form.get(name), str) else "" for name in FORM}
    if refused := await _limit(request, machines):
        minutes = max(1, round(refused.facts["seconds"] / 60))
        return _form(request, typed, {"form": say(request, WELCOME_MESSAGES["crowded"], minutes=minutes)}, 429)
    place = machines.settings.data / FIRST_ACCOUNT_CODE
    try:
        body, wrong = _read(typed)
        async with transaction(machines.sessions) as session:
            await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            if await anybody_there(session):
                raise AlreadyBegun
            if not await _is_the_code(place, typed["code"]):
                wrong = {"code": WELCOME_MESSAGES["code"]} | wrong
            if wrong or body is None:
                return _form(request, typed, {part: say(request, message) for part, message in wrong.items()}, 422)
            await _begin(session, body)
    except WeakPassword as refusal:
        return _form(request, typed, {"password": say(request, refusal.message)}, 422)
    await asyncio.to_thread(place.unlink, missing_ok=True)  # should this not happen, the next start does it
    return RedirectResponse("/ingresar", 303)


async def _limit(request: Request, machines: Machinery) -> TooMany | None:
    address = request.client.host if request.client else "?"
    try:
        await attempt(machines.sessions, "first account", address, limit=TRIES, within=WINDOW)
        await attempt(machines.sessions, "first account", "anywhere", limit=ALL_TRIES, within=WINDOW)
    except TooMany as refusal:
        return refusal
    return None


def _read(typed: dict[str, str]) -> tuple[FirstAccount | None, dict[str, str]]:
    wrong: dict[str, str] = {}
    body = None
    try:
        body = FirstAccount.model_validate({name: typed[name] for name in FirstAccount.model_fields})
    except ValidationError as error:
        for one in error.errors():
            wrong[str(one["loc"][0])] = FIELD_MESSAGES.get(one["type"], NOT_VALID)
    if "password" not in wrong and not 12 <= len(typed["password"].strip()) <= 1024:
        wrong["password"] = WeakPassword().message
    if typed["again"] != typed["password"]:
        wrong["again"] = WELCOME_MESSAGES["again"]
    return body, wrong


async def _is_the_code(place: Path, typed: str) -> bool:
    try:
        code = (await asyncio.to_thread(place.read_bytes)).strip()
    except FileNotFoundError:
        return False
    return bool(code) and hmac.compare_digest(code, typed.strip().encode())


async def _begin(session: AsyncSession, body: FirstAccount) -> None:
    city = await municipality(session) or await add_organization(
        session, VIGIA, new_id(), name=body.city, kind=OrganizationKind.MUNICIPALITY, phones=PHONES
    )
    await add_person(
        session,
        VIGIA,
        new_id(),
        username=body.username,
        password=body.password,
        name=body.name,
        role=Role.SUPERVISOR,
        organization_id=city.id,
        clearance=3,
    )


def _form(request: Request, typed: dict[str, str], errors: dict[str, str] | None = None, status: int = 200) -> Response:
    shown = {name: "" if name in SECRET else value for name, value in typed.items()}
    return page(request, "welcome.html", status, HEADERS, typed=shown, errors=errors or {})
