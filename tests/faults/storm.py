"""A storm: people who report and retry as telephones do, and a screen that follows the feed through everything."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

import httpx2
import orjson
import psycopg
from sqlalchemy import make_url
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from realtime.database import new_id
from tests.builders import City

PLACE = {"type": "Point", "coordinates": [City.west.x, City.west.y]}
RETRY = 0.1  # seconds between tries of the same thing with the same id


def token_of(address: str, username: str) -> str:
    """Sign in as a machine does."""
    answer = httpx2.post(
        f"{address}/api/v1/session",
        json={"username": username, "password": City.password},
        headers={"X-Vigia-Token": "1"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


@dataclass
class Reporters:
    """Threads that report without pause; what was acknowledged, and every answer that was not a success."""

    address: str
    token: str
    count: int = 4
    acknowledged: list[UUID] = field(default_factory=list)
    tries: int = 0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._report) for _ in range(self.count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, more: int, seconds: float) -> None:
        """Until so many more were acknowledged."""
        wanted, deadline = len(self.acknowledged) + more, time.monotonic() + seconds
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, f"no {more} reports in {seconds:.0f} s: {self.failures[-3:]}"
            time.sleep(0.05)

    def _report(self) -> None:
        with httpx2.Client(base_url=self.address, timeout=10) as client:
            client.headers["Authorization"] = f"Bearer {self.token}"
            while not self._stop.is_set():
                self._one(client, new_id())

    def _one(self, client: httpx2.Client, report_id: UUID) -> None:
        body = {"id": str(report_id), "words": "humo negro", "channel": "phone", "location": PLACE}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.tries += 1
            try:
                answer = client.post("/api/v1/reports", json=body)
            except httpx2.TransportError as lost:
                self.failures.append(repr(lost))
            else:
                if answer.status_code == 201:
                    assert answer.json()["id"] == str(report_id)
                    self.acknowledged.append(report_id)
                    return
                assert answer.status_code == 503, answer.text  # busy is allowed, anything else is a bug
                self.failures.append(answer.text)
            time.sleep(RETRY)
        raise AssertionError(f"gave up: {self.failures[-3:]}")


@dataclass
class Screen:
    """A console's board, kept by the three lines of docs/api.md, that comes back whenever it is thrown out."""

    address: str
    token: str
    board: dict[str, dict[str, Any]] = field(default_factory=dict)
    repeated: int = 0
    lines: int = 0
    connections: int = 0
    heartbeats: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._shows = threading.Event()
        self._cursor: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> Self:
        """Once the board is on it: a snapshot may hold what lines tell afterwards, so what follows begins later."""
        self._thread.start()
        assert self._shows.wait(30), "no snapshot"
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def becomes_true(self, seconds: float) -> None:
        """Until the board is what a fresh snapshot says, without a reload."""
        deadline = time.monotonic() + seconds
        while True:
            fresh = self._fresh()
            if fresh is not None and fresh == self.board:
                return
            if time.monotonic() > deadline:
                missing, extra = (fresh or {}).keys() - self.board.keys(), self.board.keys() - (fresh or {}).keys()
                raise AssertionError(f"the screen is not true: {len(missing)} missing, {len(extra)} too many")
            time.sleep(0.3)

    def _fresh(self) -> dict[str, dict[str, Any]] | None:
        with contextlib.suppress(httpx2.TransportError):
            answer = httpx2.get(
                f"{self.address}/api/v1/snapshot", headers={"Authorization": f"Bearer {self.token}"}, timeout=20
            )
            if answer.status_code == 200:
                return {feature["properties"]["subject"]: feature for feature in answer.json()["features"]}
        return None

    def _follow(self) -> None:
        url = self.address.replace("http://", "ws://") + "/feed"
        headers = {"Authorization": f"Bearer {self.token}"}
        while not self._stop.is_set():
            with (
                contextlib.suppress(WebSocketException, OSError, TimeoutError, EOFError),
                connect(url, additional_headers=headers, max_size=None, open_timeout=5, close_timeout=1) as feed,
            ):
                self.connections += 1
                self._listen(feed)
            time.sleep(0.2)

    def _listen(self, feed: ClientConnection) -> None:
        feed.send(orjson.dumps({"type": "hello", "resume": self._cursor}).decode())
        heard = time.monotonic()
        while not self._stop.is_set() and time.monotonic() - heard < 15:  # two heartbeats and grace
            with contextlib.suppress(TimeoutError):
                self._take(orjson.loads(feed.recv(timeout=0.5)))
                heard = time.monotonic()

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "heartbeat":
                self.heartbeats += 1
            case "snapshot":
                self.board = {feature["properties"]["subject"]: feature for feature in message["features"]}
                self._shows.set()
            case "resumed":
                for line in message["lines"]:
                    self._apply(line)
            case "line":
                self.lines += 1
                self.repeated += self._cursor is not None and message["seq"] <= self._cursor["seq"]
                self._apply(message)
        if "epoch" in message:
            self._cursor = {"epoch": message["epoch"], "seq": message["seq"]}
        elif "seq" in message and self._cursor is not None:
            self._cursor["seq"] = message["seq"]

    def _apply(self, line: dict[str, Any]) -> None:
        known = self.board.get(line["subject"])
        if known is not None and known["properties"]["version"] > line["version"]:
            return
        if line["feature"] is None:
            self.board.pop(line["subject"], None)
        else:
            self.board[line["subject"]] = line["feature"]


def in_the_books(database_url: str, ids: list[UUID]) -> None:
    """Every acknowledged report is there, once, numbered once, and the numbers have no gap."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        there = connection.execute("SELECT id FROM reports").fetchall()
        told = connection.execute("SELECT subject, count(*), count(seq) FROM journal GROUP BY subject").fetchall()
        numbers = connection.execute("SELECT count(seq), count(DISTINCT seq), max(seq) FROM journal").fetchone()
    assert len(set(ids)) == len(ids)
    assert set(ids) <= {row[0] for row in there}, "an acknowledged report is lost"
    facts = {subject: (entries, numbered) for subject, entries, numbered in told}
    assert all(facts[f"report:{report_id}"] == (1, 1) for report_id in ids), "an effect was doubled or never numbered"
    assert numbers is not None
    assert numbers[0] == numbers[1] == numbers[2], "the numbers have a gap or a double"
