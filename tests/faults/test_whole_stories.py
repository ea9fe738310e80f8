"""Whole stories under fire: report, incident, unit, note, close, while relays, the application and PostgreSQL die.

Every step was acknowledged once, however often it was asked for; every version of everything reached the screen.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import psycopg
import pytest
from sqlalchemy import make_url

from realtime.database import new_id
from tests.builders import City, a_sending
from tests.faults.conftest import Installation
from tests.faults.storm import PLACE, RETRY, Screen, in_the_books
from tests.served import Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ONCE_EACH = Counter(
    {
        "incident.opened": 1,
        "assignment.made": 1,
        "assignment.status": 4,  # acknowledged, en route, on scene, released by the close
        "note.added": 2,  # by hand, and the one that came with the close
        "incident.closed": 1,
    }
)
# What Vigía itself does about an incident, as soon as its worker comes to it and if it is still open then.
BY_ITSELF = {"task.opened", "watchdog.set"}


@dataclass
class StrictScreen(Screen):
    """A screen that counts: of what it sees whole, no version may be missing and none may come twice."""

    strange: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._versions: dict[str, int] = {}

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "snapshot":
                told = [feature["properties"] for feature in message["features"]]
                self._versions |= {one["subject"]: one["version"] for one in told}
            case "resumed":
                self._versions |= {line["subject"]: line["version"] for line in message["lines"]}
            case "line":
                wanted = self._versions.get(message["subject"], 0) + 1
                if message["version"] != wanted:
                    self.strange.append(f"{message['subject']}: {message['version']} for {wanted}")
                self._versions[message["subject"]] = message["version"]
        super()._take(message)


@dataclass
class Storyteller:
    """Somebody who brings incidents from their report to their end, with one unit, asking again until answered."""

    address: str
    token: str
    unit: UUID
    reports: list[UUID] = field(default_factory=list)
    incidents: list[UUID] = field(default_factory=list)
    asked_again: int = 0
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tell)

    def __enter__(self) -> Storyteller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(120)
        assert not self._thread.is_alive()
        assert self.broken == []

    def wait_for(self, more: int, seconds: float = 90) -> None:
        """Until so many more stories have come to their end."""
        wanted, deadline = len(self.incidents) + more, time.monotonic() + seconds
        while len(self.incidents) < wanted:
            assert time.monotonic() < deadline, f"{len(self.incidents)} of {wanted}: {self.broken}"
            assert self._thread.is_alive(), self.broken
            time.sleep(0.05)

    def _tell(self) -> None:
        with httpx2.Client(base_url=f"{self.address}/api/v1/", timeout=10) as client:
            client.headers["Authorization"] = f"Bearer {self.token}"
            while not self._stop.is_set():
                try:
                    self._one(client)
                except AssertionError as broken:
                    self.broken.append(str(broken))
                    return

    def _one(self, client: httpx2.Client) -> None:
        report, incident, assignment = new_id(), new_id(), new_id()
        here = f"incidents/{incident}"
        told = {"id": str(report), "words": "choque", "channel": "phone", "location": PLACE}
        first = self._ask(client, "reports", told)
        self.reports.append(report)
        self._ask(client, f"reports/{report}/accept", {"incident_id": str(incident), "type_code": "SIN-01"})
        self._ask(client, f"{here}/assignments", a_sending(self.unit, assignment))
        for status in ("acknowledged", "en_route", "on_scene"):
            self._ask(client, f"assignments/{assignment}/status", {"status": status})
        self._ask(client, f"{here}/notes", {"id": str(new_id()), "text": "todos bien"})
        self._ask(client, f"{here}/close", {"disposition": "resolved", "note": "listo"})
        assert self._ask(client, "reports", told) == first, "asked again, it is another report"
        self.incidents.append(incident)

    def _ask(self, client: httpx2.Client, path: str, body: object) -> Any:
        deadline = time.monotonic() + 90
        unsure = False
        while time.monotonic() < deadline:
            try:
                answer = client.post(path, json=body)
            except httpx2.TransportError:
                unsure = True  # it may have happened, and the answer was lost
            else:
                if answer.status_code < 300:
                    return answer.json()
                if answer.status_code == 409 and unsure and answer.json()["code"] == "IllegalMove":
                    return None  # a close has no key: that it is over already is the answer to asking again
                assert answer.status_code == 503, f"{path}: {answer.status_code} {answer.text}"
            self.asked_again += 1
            time.sleep(RETRY)
        raise AssertionError(f"{path}: no answer")


def _kinds(database_url: str, incidents: list[UUID]) -> dict[UUID, Counter[str]]:
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    kinds: dict[UUID, Counter[str]] = {incident: Counter() for incident in incidents}
    with psycopg.connect(url) as connection:
        query = "SELECT incident_id, kind, count(*) FROM journal WHERE incident_id = ANY(%s) GROUP BY 1, 2"
        for incident, kind, count in connection.execute(query, (incidents,)):
            kinds[incident][kind] = count
        double = "SELECT count(*) FROM (SELECT FROM assignments GROUP BY incident_id HAVING count(*) > 1) AS twice"
        assert connection.execute(double).fetchone() == (0,), "a unit was sent twice to one incident"
        # Numbers stand in the order of versions: a screen never sees an older state after a newer one.
        crossed = (
            "SELECT count(*) FROM (SELECT version, lag(version) OVER (PARTITION BY subject ORDER BY seq) AS before"
            " FROM journal) AS told WHERE version <> before + 1"
        )
        assert connection.execute(crossed).fetchone() == (0,)
    return kinds


def _check(installation: Installation, screen: StrictScreen, tellers: list[Storyteller]) -> None:
    screen.becomes_true(60)
    assert screen.strange == []
    assert screen.repeated == 0
    in_the_books(installation.database_url, [])
    told = [incident for teller in tellers for incident in teller.incidents]
    for incident, kinds in _kinds(installation.database_url, told).items():
        assert kinds["task.opened"] <= 1, "the run card's tasks were opened twice"
        assert Counter({kind: n for kind, n in kinds.items() if kind not in BY_ITSELF}) == ONCE_EACH, incident


@pytest.fixture
def tellers(installation: Installation) -> list[Storyteller]:
    """Three dispatchers, each with a unit."""
    address, token = installation.served.address, installation.token
    return [Storyteller(address, token, City.units[name]) for name in ("M2", "T1", "P1")]


def test_the_leading_relay_of_two_is_killed_and_no_screen_misses_or_doubles_a_line(
    installation: Installation, tellers: list[Storyteller]
) -> None:
    second = Served(
        installation.place / "second", installation.database_url, installation.redis.url, programs=("relay",)
    )
    relays = [installation.served, second]
    second.start()
    try:
        with StrictScreen(installation.served.address, installation.token) as screen:
            with tellers[0], tellers[1], tellers[2]:
                for turn in range(4):
                    seen = screen.lines
                    tellers[turn % 3].wait_for(1)
                    while screen.lines < seen + 10:  # somebody leads: with the other killed before, it is this one
                        tellers[turn % 3].wait_for(1)
                    relays[turn % 2].kill("relay")
                    relays[turn % 2].start("relay")
            _check(installation, screen, tellers)
    finally:
        second.stop()
    assert sum(teller.asked_again for teller in tellers) == 0, "a write felt that a relay died"


def test_whatever_dies_every_step_of_every_story_happens_once(
    installation: Installation, tellers: list[Storyteller]
) -> None:
    with StrictScreen(installation.served.address, installation.token) as screen:
        with tellers[0], tellers[1], tellers[2]:
            tellers[0].wait_for(2)
            installation.served.kill("serve", "relay")
            installation.served.start("serve", "relay")
            tellers[1].wait_for(2)
            installation.postgres.kill()
            time.sleep(0.2)
            installation.postgres.start()
            tellers[2].wait_for(2)
        installation.served.ready()
        _check(installation, screen, tellers)
    assert sum(teller.asked_again for teller in tellers) > 0, "the kills were felt, or this test shows nothing"
