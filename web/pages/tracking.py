"""What became of a report, and what its reporter may still do: add a fact, say it was not solved, take his name out.

The code is the key and stands in the address; nothing else of a person does. The page refreshes itself, so what is
typed has pages of its own, which stay as they are. Everything works without JavaScript.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote
from uuid import UUID

import segno
from fastapi import APIRouter, Request
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from incidents.catalogue import Catalogue, catalogue
from incidents.reporter import REOPENED_WITHIN, add_fact, erase_contact, join_own, may_reopen, same_as, say_unsolved
from incidents.tracking import OVER, Step, Tracking, note_seen, tidy_code, tracked
from realtime.access import ANYBODY
from realtime.database import new_id, now, reading, transaction
from realtime.errors import KeyReused, NotFound, Refusal, TooMany
from realtime.idempotency import answer_once
from web.context import Machinery, Machines, Session
from web.pages.paper import PRIVATE, city_now, page, say, showable
from web.throttle import attempt

router = APIRouter(include_in_schema=False)

LOOKUPS = 120  # first looks at a code, per address and hour; a page that refreshes itself does not count
ACTS = 20  # that one code may be used for in an hour
REFRESH = 30  # seconds
LONGEST = 500  # characters of a fact
FACT_MESSAGES = {
    "words": "Write what you want to add.",
    "long": "It is too long: {count} characters at most.",
    "busy": "We could not save it. Nothing you wrote was lost: send it again.",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One step on the page: reached (`at`, where the hour is known), the present one, or still ahead."""

    step: Step
    at: dt.datetime | None
    present: bool
    ahead: bool


ROAD = (Step.RECEIVED, Step.LOOKED_AT, Step.ON_THE_WAY, Step.THERE, Step.DONE)


def road_of(steps: list[dict[str, str]]) -> list[Stop]:
    """The whole road of a report, from the steps that it took; a step that was taken back lies ahead again."""
    reached = {Step(item["step"]): dt.datetime.fromisoformat(item["at"]) for item in steps}
    present = Step(steps[-1]["step"])
    if present in OVER:
        walked = [step for step in ROAD if step in reached and step is not present]
        return [Stop(step, reached.get(step), step is present, ahead=False) for step in (*walked, present)]
    here = ROAD.index(present)
    return [
        Stop(step, reached.get(step) if place <= here else None, place == here, place > here)
        for place, step in enumerate(ROAD)
    ]


@router.get("/s")
async def get_code_form(request: Request, session: Session, codigo: str = "") -> Response:
    """Where a code is typed."""
    await city_now(request, session)
    if not codigo.strip():
        return page(request, "code.html", headers=PRIVATE, typed="", wrong="")
    if not (code := tidy_code(codigo)):
        return _no_such_code(request, codigo, "shape", 422)
    return RedirectResponse(f"/s/{code}", 303, headers=PRIVATE)


@router.get("/s/{code}")
async def get_tracking(
    request: Request, code: str, machines: Machines, nuevo: str = "", v: str = "", hecho: str = ""
) -> Response:
    """What became of a report. Guessing is limited by address; `v` proves that this page was already found."""
    found = await _followed(request, machines, code, v)
    if isinstance(found, Response):
        return found
    followed, words = found
    if followed.answered_at is not None and followed.read_at is None:
        async with transaction(machines.sessions) as session:
            await note_seen(session, followed)
    likely = []
    if nuevo:
        async with reading(machines.sessions) as session:
            likely = await same_as(session, code)
    road = road_of(followed.steps)
    here = next(stop for stop in road if stop.present)
    again = f"/s/{followed.code}?v={_proof(followed)}" + ("&nuevo=1" if nuevo else "")
    address = _public_address(request, machines) + f"/s/{followed.code}"
    late = followed.promised_at is not None and followed.promised_at < now()
    return page(
        request,
        "tracking.html",
        headers=PRIVATE,
        followed=followed,
        road=road,
        here=here,
        over=here.step in OVER,
        outcome=_outcomes(words).get(followed.outcome or ""),
        channel=words.channels.get(followed.deflected_to or ""),
        late=late,
        unsolved=here.step in MAY_REOPEN and may_reopen(followed),
        days=REOPENED_WITHIN.days,
        done=hecho if hecho in set(Act) else "",
        proof=_proof(followed),
        likely=likely,
        key=str(new_id()),
        fresh=bool(nuevo),
        again=again,
        refresh=REFRESH,
        address=address,
        share=quote(address, safe=""),
        square=_square(address) if nuevo else "",
    )


async def _followed(
    request: Request, machines: Machinery, code: str, proof: str
) -> tuple[Tracking, Catalogue] | Response:
    """The page behind a code, or what is shown in its place."""
    followed: Tracking | None = None
    async with reading(machines.sessions) as session:
        await city_now(request, session)
        if tidy_code(code):
            try:
                followed = await tracked(session, code)
            except NotFound:
                followed = None
        words = await catalogue(session)
    if followed is None or proof != _proof(followed):
        address = request.client.host if request.client else "?"
        try:
            await attempt(machines.sessions, "tracking", address, limit=LOOKUPS, within=dt.timedelta(hours=1))
        except TooMany as refusal:
            return _slow(request, refusal)
    if followed is None:
        return _no_such_code(request, code, "unknown", 404)
    return followed, words


def _slow(request: Request, refusal: TooMany) -> Response:
    seconds = refusal.facts["seconds"]
    headers = PRIVATE | {"Retry-After": str(seconds)}
    return page(request, "slow.html", 429, headers, minutes=math.ceil(seconds / 60))


def _outcomes(words: Catalogue) -> dict[str, str]:
    return {item["code"]: item["name"] for part in ("dispositions", "dismissals") for item in words.content[part]}


def _proof(followed: Tracking) -> str:
    """Made from what only this page's row knows, so that it cannot be guessed either."""
    return hashlib.sha256(f"{followed.code}:{followed.report_id}".encode()).hexdigest()[:16]


def _public_address(request: Request, machines: Machinery) -> str:
    origins = machines.settings.public_origins
    return (origins[0] if origins else str(request.base_url)).rstrip("/")


def _square(address: str) -> Markup:
    """The address as a QR code; black on white in the dark as well, because cameras want it so."""
    drawing = segno.make(address, error="m", micro=False)
    return Markup(  # noqa: S704 (segno's own drawing of our own address)
        drawing.svg_inline(border=3, dark="#0B1018", light="#FFFFFF", omitsize=True, svgclass=None, lineclass=None)
    )


def _no_such_code(request: Request, typed: str, wrong: str, status: int) -> Response:
    return page(request, "code.html", status, PRIVATE, typed=showable(typed)[:20], wrong=wrong)


# ── What a reporter may still do ──────────────────────────────────────────────────────────────────


class Act(StrEnum):
    """What there is to do with a code, as the address says it."""

    FACT = "dato"
    UNSOLVED = "no-se-resolvio"
    ERASE = "mis-datos"
    SAME = "me-sumo"


MAY_REOPEN = frozenset({Step.DONE, Step.DISMISSED})


@router.get("/s/{code}/{act}")
async def get_act(request: Request, code: str, act: str, machines: Machines, v: str = "") -> Response:
    """The form of one act, on a page that stays as it is while somebody types."""
    wanted = _act(act)
    found = await _followed(request, machines, code, v)
    if isinstance(found, Response):
        return found
    if wanted is Act.SAME:  # it is asked on the page of the report alone
        raise NotFound
    return _act_page(request, found[0], wanted, str(new_id()), "")


@router.post("/s/{code}/{act}")
async def post_act(request: Request, code: str, act: str, machines: Machines) -> Response:
    """Do it; whatever goes wrong, the form comes back as it was typed."""
    wanted = _act(act)
    form = await request.form(max_files=0, max_fields=8)
    typed = {name: value if isinstance(value := form.get(name), str) else "" for name in ("id", "words", "v")}
    words = typed["words"].replace("\r\n", "\n").replace("\x00", "").strip()
    found = await _followed(request, machines, code, typed["v"])
    if isinstance(found, Response):
        return found
    followed = found[0]
    key = _key(typed["id"])
    wrong, status = _checked(request, wanted, words), 422
    if not wrong:
        try:
            await attempt(machines.sessions, "reporter", followed.code, limit=ACTS, within=dt.timedelta(hours=1))
            async with transaction(machines.sessions) as session:
                asked = {"path": request.url.path, "words": words}
                await answer_once(session, ANYBODY, key, asked, _doing(session, followed.code, wanted, words))
        except TooMany as refusal:
            return _slow(request, refusal)
        except (KeyReused, DBAPIError, PoolTimeout) as failure:  # of a form that was sent and changed: once more
            key = new_id() if isinstance(failure, KeyReused) else key
            wrong, status = say(request, FACT_MESSAGES["busy"]), 503
        except Refusal as refusal:
            if wanted is Act.SAME:  # it has no form to come back to
                raise
            wrong, status = say(request, refusal.message, **refusal.facts), refusal.status
    if wrong:
        return _act_page(request, followed, wanted, str(key), words, wrong, status)
    return RedirectResponse(f"/s/{followed.code}?v={_proof(followed)}&hecho={wanted}", 303, headers=PRIVATE)


def _act(name: str) -> Act:
    """Raises `NotFound`: it is no page of ours."""
    try:
        return Act(name)
    except ValueError:
        raise NotFound from None


def _checked(request: Request, act: Act, words: str) -> str:
    """What is wrong with what was typed, if anything is."""
    if act is Act.FACT and not words:
        return say(request, FACT_MESSAGES["words"])
    return say(request, FACT_MESSAGES["long"], count=LONGEST) if len(words) > LONGEST else ""


def _doing(session: AsyncSession, code: str, act: Act, words: str) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def do() -> dict[str, Any]:
        if act is Act.SAME:
            await join_own(session, code, _key(words))
        elif act is Act.FACT:
            await add_fact(session, code, words=words)
        elif act is Act.UNSOLVED:
            await say_unsolved(session, code, words=words)
        else:
            await erase_contact(session, code)
        return {}

    return do


def _key(typed: str) -> UUID:
    """The form's own id; a new one for whoever made the form himself."""
    try:
        key = UUID(typed)
    except ValueError:
        return new_id()
    return key if key.version == 7 else new_id()


def _act_page(
    request: Request, followed: Tracking, act: Act, key: str, words: str, wrong: str = "", status: int = 200
) -> Response:
    return page(
        request,
        "tracking_act.html",
        status,
        PRIVATE,
        followed=followed,
        act=act.value,
        key=key,
        words=words,
        wrong=wrong,
        proof=_proof(followed),
        days=REOPENED_WITHIN.days,
        longest=LONGEST,
    )
