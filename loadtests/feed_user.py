"""Screens under load: they fall off the line now and then, come back with their cursor, and at the end compare what
they show with a fresh snapshot.
"""

from __future__ import annotations

import contextlib
import random
import socket
import time
from typing import Any, ClassVar

import gevent
import orjson
from locust import task
from locust.contrib.fasthttp import FastHttpUser
from locust.exception import StopUser
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from loadtests.ledger import Ledger
from loadtests.screen import Screen

HEARD_WITHIN = 12.0  # seconds: two heartbeats and some
STAYS = (4.0, 20.0)  # seconds until the line drops
AWAY = (0.05, 3.0)
SETTLE = 20.0


class OutOfTouch(Exception):
    """The server has been silent for too long."""


class FeedUser(FastHttpUser):
    """Somebody who looks at a screen."""

    abstract = True
    roles: ClassVar[tuple[str, ...]] = ()
    ledger: ClassVar[Ledger]
    _turn: ClassVar[int] = 0
    connection_timeout = network_timeout = 20.0

    def on_start(self) -> None:
        """Take a seat: accounts in turn."""
        accounts = self.ledger.plan.of_role(*self.roles)
        self.screen = Screen(accounts[type(self)._turn % len(accounts)], self.ledger)
        type(self)._turn += 1
        self.ledger.at_work["screens"] += 1
        self.differences: list[str] | None = None
        self._last_heard = time.monotonic()

    def on_stop(self) -> None:
        """Tell what it saw."""
        self.ledger.feeds.append(self.screen.account_of_itself(self.differences))
        self.ledger.at_work["screens"] -= 1

    @task
    def look(self) -> None:
        """One connection, from the hello to the end of the line."""
        if random.random() < 0.1:
            self.screen.cursor = None  # somebody pressed reload
        line: ClientConnection | None = None
        try:
            line = self._call()
            self._watch(line)
        except (OSError, WebSocketException, OutOfTouch, TimeoutError) as failure:
            self._say("pantalla: se cortó", 0, None if isinstance(failure, ConnectionClosed) else repr(failure))
            gevent.sleep(0.5)
        finally:
            if line is not None:
                self._hang_up(line)
        if self.ledger.phase in {"settling", "over"} and self.differences is not None:
            raise StopUser
        if self.ledger.phase == "over":
            raise StopUser
        gevent.sleep(random.uniform(*AWAY) if self.ledger.phase == "working" else 0.05)

    def _call(self) -> ClientConnection:
        began = time.perf_counter()
        line = connect(
            self.ledger.plan.address.replace("http", "ws", 1) + "/feed",
            additional_headers={"Authorization": f"Bearer {self.screen.account.token}"},
            compression=None,
            max_size=None,
            max_queue=None,
            open_timeout=15,
            close_timeout=2,
            ping_interval=None,
            proxy=None,
        )
        try:
            line.send(orjson.dumps({"type": "hello", "resume": self.screen.cursor}).decode())
            frame, at = self._hear(line, 15)
            self.screen.take(frame, at)
        except BaseException:
            line.close_socket()
            raise
        self._say(f"pantalla: {_CAUGHT[frame['type']]}", (time.perf_counter() - began) * 1000, None)
        return line

    def _watch(self, line: ClientConnection) -> None:
        until = time.monotonic() + random.uniform(*STAYS)
        while self.ledger.phase not in {"settling", "over"}:
            if self.ledger.phase == "working" and time.monotonic() > until:
                return
            try:
                self.screen.take(*self._hear(line, 1.0))
            except TimeoutError:
                if time.monotonic() - self._last_heard > HEARD_WITHIN:
                    raise OutOfTouch("nothing heard, not even a heartbeat") from None
        if self.ledger.phase == "settling":
            self._compare(line)

    def _hear(self, line: ClientConnection, seconds: float) -> tuple[dict[str, Any], float]:
        message = line.recv(timeout=seconds)
        at = time.time()
        self._last_heard = time.monotonic()
        frame: dict[str, Any] = orjson.loads(message)
        return frame, at

    def _compare(self, line: ClientConnection) -> None:
        """Against a fresh snapshot of the same account, while the world may go on turning."""
        screen = self.screen
        screen.begin_comparison()
        headers = {"Authorization": f"Bearer {screen.account.token}"}
        with self.client.get(
            "/api/v1/snapshot", name="pantalla: snapshot por REST", headers=headers, catch_response=True
        ) as response:
            if response.status_code != 200:
                response.failure(f"{response.status_code}")
                return
            snapshot = orjson.loads(response.content)
            response.success()
        screen.compared_at = snapshot["seq"]
        until = time.monotonic() + SETTLE
        while time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                screen.take(*self._hear(line, 0.5))
            if screen.reached >= snapshot["seq"]:
                self.differences = screen.differs_from(snapshot)
                if not self.differences:
                    return

    def _hang_up(self, line: ClientConnection) -> None:
        if random.random() < 0.5:
            with contextlib.suppress(OSError):
                line.socket.shutdown(socket.SHUT_RDWR)  # the train went into a tunnel
            line.close_socket()
        else:
            with contextlib.suppress(OSError, WebSocketException):
                line.close()

    def _say(self, name: str, milliseconds: float, failure: str | None) -> None:
        self.ledger.heard(name, milliseconds, failure)


_CAUGHT = {"snapshot": "abrir (snapshot)", "resumed": "retomar"}
