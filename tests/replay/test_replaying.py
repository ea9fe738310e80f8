"""Replaying logs into a real city, over HTTP, with a server that is sometimes away: everything is accounted for."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from rich.console import Console
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import Assignment
from incidents.incident import Incident
from incidents.reports import Report, ReportStatus
from realtime.database import Sessions, reading, transaction
from realtime.journal import Entry
from resources.units import Unit
from tests.builders import PASSWORD, City
from tests.conftest import SHARED_DATA
from tests.replay.logs import SMALL_CDMX, SMALL_SF, cdmx_file, sf_file
from web.replay import DIFFERENT, FINE, HOPELESS, replay
from web.replay.client import Account
from web.settings import Settings

Hook = Callable[[httpx2.Request, int], Awaitable[httpx2.Response | Exception | None]]


class Troubled(httpx2.AsyncBaseTransport):
    """The way to the application, with a hook before each request and faults after it."""

    def __init__(self, app: FastAPI, before: Hook | None = None, after: Hook | None = None) -> None:
        self._app, self._before, self._after = httpx2.ASGITransport(app=app), before, after
        self.asked = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        number = self.asked
        if self._before and (fault := await self._before(request, number)):
            return _given(fault)
        response = await self._app.handle_async_request(request)
        if self._after and (fault := await self._after(request, number)):
            return _given(fault)
        return response


def _given(fault: httpx2.Response | Exception) -> httpx2.Response:
    if isinstance(fault, Exception):
        raise fault
    return fault


class Replayer:
    """Replays into the test's city and keeps what was printed."""

    def __init__(self, app: FastAPI, settings: Settings, city: City) -> None:
        self._app, self._settings = app, settings
        self._account = Account("supervisor", city.password)
        self.printed = ""

    async def __call__(
        self,
        file: Path,
        source: str,
        *,
        limit: int | None = None,
        onto_city: bool = False,
        speed: float = 0,
        before: Hook | None = None,
        after: Hook | None = None,
    ) -> int:
        http = httpx2.AsyncClient(transport=Troubled(self._app, before, after), base_url="http://vigia.test")
        page = io.StringIO()
        code = await replay(
            self._settings,
            file,
            source=source,
            speed=speed,
            limit=limit,
            onto_city=onto_city,
            http=http,
            account=self._account,
            console=Console(file=page, width=160),
        )
        self.printed = page.getvalue()
        return code


@pytest.fixture
def replayer(app: FastAPI, settings: Settings, city: City) -> Replayer:
    return Replayer(app, settings, city)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that are real, but short."""
    sleep = asyncio.sleep
    monkeypatch.setattr("web.replay.client.asyncio.sleep", lambda seconds: sleep(seconds / 50))


async def counted(session: AsyncSession) -> tuple[int, int, int]:
    """Reports, incidents and assignments in the whole city."""
    return tuple([await session.scalar(select(func.count()).select_from(one)) or 0 for one in TABLES])  # type: ignore[return-value]


TABLES = (Report, Incident, Assignment)


# ── What it makes ─────────────────────────────────────────────────────────────────────────────────


async def test_a_fire_log_becomes_incidents_with_their_real_times(
    replayer: Replayer, sessions: Sessions, tmp_path: Path
) -> None:
    assert await replayer(sf_file(tmp_path, SMALL_SF), "sf-fire") == FINE, replayer.printed
    assert "Conciliado" in replayer.printed
    async with reading(sessions) as session:
        assert await counted(session) == (2, 2, 4)
        medical = (await session.scalars(select(Incident).where(Incident.type_code == "SAN-01"))).one()
        assert (medical.state, medical.disposition, medical.code[:4]) == ("closed", "transported", "2017")
        assert medical.stamps == {
            "T0": "2017-01-01T07:52:01+00:00",
            "T3": "2017-01-01T07:55:04+00:00",
            "T4": "2017-01-01T07:55:04+00:00",
            "T5": "2017-01-01T07:55:20+00:00",
            "T6": "2017-01-01T07:55:20+00:00",
            "T8": "2017-01-01T07:55:34+00:00",
            "T9": "2017-01-01T08:00:32+00:00",
            "T12": "2017-01-01T08:25:07+00:00",
            "T13": "2017-01-01T08:24:13+00:00",
            "T14": "2017-01-01T09:12:11+00:00",
            "T16": "2017-01-01T09:12:11+00:00",
        }
        units = {
            unit.call_sign: unit for unit in await session.scalars(select(Unit).where(Unit.call_sign.like("SF %")))
        }
        assert units.keys() == {"SF E38", "SF AM30", "SF B04"}
        assert {unit.status for unit in units.values()} == {"out_of_service"}
        story = await session.execute(
            select(Entry.kind, Entry.occurred_at).where(Entry.incident_id == medical.id).order_by(Entry.id)
        )
        assert all(at.year < 2018 for _, at in story)


async def test_duplicates_join_what_is_open_beside_them(replayer: Replayer, sessions: Sessions, tmp_path: Path) -> None:
    assert await replayer(cdmx_file(tmp_path, SMALL_CDMX), "cdmx-c5") == FINE, replayer.printed
    async with reading(sessions) as session:
        reports = list(await session.scalars(select(Report).order_by(Report.occurred_at)))
        became = [(report.status, report.dismissal, report.channel) for report in reports]
        first = reports[0].incident_id
        assert became == [
            (ReportStatus.ACCEPTED, None, "phone"),
            (ReportStatus.JOINED, None, "phone"),
            (ReportStatus.DISMISSED, "hoax", "phone"),
            (ReportStatus.DISMISSED, "insufficient", "phone"),
            (ReportStatus.JOINED, None, "panic_button"),
            (ReportStatus.ACCEPTED, None, "phone"),  # a minute after the incident was closed: nothing to join
        ]
        assert {reports[1].incident_id, reports[4].incident_id} == {first}
        assert (await session.get_one(Incident, first)).reports == 3
        assert (await session.get_one(Incident, reports[5].incident_id)).disposition == "duplicate"


async def test_the_log_is_laid_over_the_city(replayer: Replayer, sessions: Sessions, tmp_path: Path) -> None:
    assert await replayer(sf_file(tmp_path, SMALL_SF), "sf-fire", onto_city=True) == FINE, replayer.printed
    async with reading(sessions) as session:
        for incident in await session.scalars(select(Incident)):
            assert incident.zone in {"Oeste", "Este"}


async def test_the_logs_clock_sets_the_pace(replayer: Replayer, tmp_path: Path) -> None:
    begun = asyncio.get_running_loop().time()
    assert await replayer(cdmx_file(tmp_path, SMALL_CDMX[:2]), "cdmx-c5", speed=1000) == FINE
    assert asyncio.get_running_loop().time() - begun > 1.4  # 24 minutes and 26 seconds


# ── Again, and after interruptions ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("rows", "source"), [(SMALL_SF, "sf-fire"), (SMALL_CDMX, "cdmx-c5")])
async def test_the_same_file_again_makes_nothing_again(
    replayer: Replayer, sessions: Sessions, tmp_path: Path, rows: tuple[dict[str, str], ...], source: str
) -> None:
    file = (sf_file if source == "sf-fire" else cdmx_file)(tmp_path, rows)
    assert await replayer(file, source) == FINE
    async with reading(sessions) as session:
        once = await counted(session), await session.scalar(select(func.max(Entry.id)))
    assert await replayer(file, source) == FINE, replayer.printed
    assert "reproducción anterior" in replayer.printed
    async with reading(sessions) as session:
        assert (await counted(session), await session.scalar(select(func.max(Entry.id)))) == once


async def test_a_replay_that_broke_off_goes_on_where_it_stopped(
    replayer: Replayer, sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.replay.client.Client.__init__.__kwdefaults__", {"patience": 0.0})

    async def away(_: httpx2.Request, number: int) -> Exception | None:
        return httpx2.ConnectError("gone") if number > 20 else None

    file = sf_file(tmp_path, SMALL_SF)
    assert await replayer(file, "sf-fire", before=away) == DIFFERENT
    assert "no respondió" in replayer.printed
    async with reading(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(Report)) == 2
    assert await replayer(file, "sf-fire") == FINE, replayer.printed
    async with reading(sessions) as session:
        assert await counted(session) == (2, 2, 4)


async def test_more_of_the_log_adds_to_less_of_it(replayer: Replayer, sessions: Sessions, tmp_path: Path) -> None:
    file = sf_file(tmp_path, SMALL_SF)
    assert await replayer(file, "sf-fire", limit=1) == FINE, replayer.printed
    assert "Solo las primeras 1 llamadas (2 filas)." in replayer.printed
    assert await replayer(file, "sf-fire") == FINE, replayer.printed
    async with reading(sessions) as session:
        assert await counted(session) == (2, 2, 4)


# ── A server with a bad day ───────────────────────────────────────────────────────────────────────


def _busy(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(503, headers={"Retry-After": "0"}, request=request)


def _too_many(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(429, headers={"Retry-After": "1"}, request=request)


def _cut(_: httpx2.Request) -> Exception:
    return httpx2.ReadError("cut")


def _slow(_: httpx2.Request) -> Exception:
    return httpx2.ReadTimeout("slow")


FAULTS = (_busy, _cut, _slow, _too_many)


async def trouble_every_third_time(request: httpx2.Request, number: int) -> httpx2.Response | Exception | None:
    return FAULTS[number // 3 % len(FAULTS)](request) if number % 3 == 0 else None


@pytest.mark.parametrize("done", [False, True], ids=["before it is done", "after it was done"])
@pytest.mark.parametrize(("rows", "source"), [(SMALL_SF, "sf-fire"), (SMALL_CDMX, "cdmx-c5")])
@pytest.mark.usefixtures("patient")
async def test_a_server_with_a_bad_day_changes_nothing(
    replayer: Replayer, tmp_path: Path, *, done: bool, rows: tuple[dict[str, str], ...], source: str
) -> None:
    file = (sf_file if source == "sf-fire" else cdmx_file)(tmp_path, rows)
    hooks: dict[str, Hook] = {"after" if done else "before": trouble_every_third_time}
    assert await replayer(file, source, **hooks) == FINE, replayer.printed  # type: ignore[arg-type]
    assert "se volvió a pedir 0 veces" not in replayer.printed


async def test_a_session_that_ends_is_begun_again(replayer: Replayer, sessions: Sessions, tmp_path: Path) -> None:
    async def sign_everybody_out(_: httpx2.Request, number: int) -> None:
        if number == 15:
            async with transaction(sessions) as session:
                await session.execute(text("DELETE FROM sign_ins"))

    assert await replayer(sf_file(tmp_path, SMALL_SF), "sf-fire", before=sign_everybody_out) == FINE, replayer.printed


async def test_what_the_server_refuses_is_counted_with_its_reason(
    replayer: Replayer, sessions: Sessions, tmp_path: Path
) -> None:
    async def no_chiefs(request: httpx2.Request, _: int) -> httpx2.Response | None:
        if request.url.path == "/api/v1/units" and request.method == "POST":
            body = json.loads(request.content)
            if body["call_sign"] == "SF B04":
                problem = {"code": "AlreadyExists", "title": "Eso ya existe.", "status": 409}
                return httpx2.Response(409, json=problem, request=request)
        return None

    assert await replayer(sf_file(tmp_path, SMALL_SF), "sf-fire", before=no_chiefs) == FINE, replayer.printed
    assert "AlreadyExists: Eso ya existe." in replayer.printed
    assert "su móvil fue rechazado" in replayer.printed
    async with reading(sessions) as session:
        assert await counted(session) == (2, 2, 3)


# ── It would be noticed ───────────────────────────────────────────────────────────────────────────

PLANTED = {
    "an assignment vanishes": "DELETE FROM assignments WHERE ctid = (SELECT max(ctid) FROM assignments)",
    "another disposition": "UPDATE incidents SET disposition = 'mediated' WHERE disposition = 'transported'",
    "another hour": "UPDATE assignments SET released_at = released_at + interval '1 second'",
    "another stamp": 'UPDATE incidents SET stamps = stamps || \'{"T9": "2017-01-01T08:00:33+00:00"}\'',
    "an incident is open again": "UPDATE incidents SET state = 'waiting' WHERE disposition = 'transported'",
    "a report waits": "UPDATE reports SET status = 'received'",
    "a fact vanishes": "DELETE FROM journal WHERE id = (SELECT max(id) FROM journal WHERE kind = 'assignment.status')",
    "a fact stands twice": (
        "INSERT INTO journal (kind, subject, version, incident_id, actor_id, actor_name, actor_role, occurred_at,"
        " detail, faces, told_before) SELECT kind, subject, version, incident_id, actor_id, actor_name, actor_role,"
        " occurred_at, detail, faces, told_before FROM journal WHERE kind = 'incident.closed' LIMIT 1"
    ),
    "somebody else's report": (
        "UPDATE reports SET incident_id = (SELECT id FROM incidents LIMIT 1) WHERE tracking_code = 'AAA-AAA'"
    ),
    "a unit vanishes": "UPDATE units SET id = gen_random_uuid() WHERE call_sign = 'SF AM30'",
}


@pytest.mark.parametrize("statement", PLANTED.values(), ids=PLANTED.keys())
async def test_a_difference_is_found(replayer: Replayer, sessions: Sessions, tmp_path: Path, statement: str) -> None:
    planted = False

    async def plant(request: httpx2.Request, _: int) -> None:
        """When all is done, and before it is looked at: as the last unit goes home."""
        nonlocal planted
        if request.url.path.endswith("/duty") and not planted:
            planted = True
            async with transaction(sessions) as session:
                await session.execute(text("SET session_replication_role = replica"))  # no foreign keys for a moment
                await session.execute(text(_STRANGER))
                await session.execute(text(statement))
                await session.execute(text("SET session_replication_role = origin"))

    assert await replayer(sf_file(tmp_path, SMALL_SF), "sf-fire", limit=1, before=plant) == DIFFERENT
    assert planted
    assert "NO concilia" in replayer.printed


_STRANGER = """
INSERT INTO reports (id, tracking_code, channel, words, place, zone_ids, status, received_at, version, told_to)
VALUES (gen_random_uuid(), 'AAA-AAA', 'web', 'otra cosa', '', '{}', 'received', now(), 1, '{}')
"""


# ── What cannot be replayed ───────────────────────────────────────────────────────────────────────


async def test_what_cannot_be_replayed_is_said_in_a_sentence(
    replayer: Replayer, settings: Settings, tmp_path: Path
) -> None:
    assert await replayer(sf_file(tmp_path, SMALL_SF), "rosario") == HOPELESS
    assert "No sé reproducir «rosario»" in replayer.printed
    assert await replayer(sf_file(tmp_path, SMALL_SF), "cdmx-c5") == HOPELESS
    assert "no parece ser de cdmx-c5" in replayer.printed
    assert await replayer(sf_file(tmp_path, []), "sf-fire") == HOPELESS
    assert "ninguna llamada" in replayer.printed


@pytest.mark.parametrize(("account", "says"), [(("crew m1", PASSWORD), "permiso"), (("supervisor", "x"), "entrar")])
async def test_not_everybody_may(
    app: FastAPI, settings: Settings, tmp_path: Path, account: tuple[str, str], says: str
) -> None:
    page = io.StringIO()
    code = await replay(
        settings,
        sf_file(tmp_path, SMALL_SF),
        source="sf-fire",
        http=httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://vigia.test"),
        account=Account(*account),
        console=Console(file=page, width=160),
    )
    assert code == HOPELESS
    assert says in page.getvalue()


# ── The real ones ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("folder", "source", "calls"), [("sf_fire_calls_us", "sf-fire", 10), ("cdmx_c5_mx", "cdmx-c5", 40)]
)
@pytest.mark.timeout(300)
async def test_a_real_log_reconciles(replayer: Replayer, folder: str, source: str, calls: int) -> None:
    files = sorted((SHARED_DATA / folder).glob("*.csv"))
    if not files:
        pytest.skip(f"{SHARED_DATA / folder} is not here: real logs are not part of the repository")
    assert await replayer(files[0], source, limit=calls, onto_city=True) == FINE, replayer.printed
