"""Vigía as it really runs: web, feed, relay and worker as processes of their own, on a database of their own.

    with cloned(maintenance_url, template) as database_url:
        with Served(directory, database_url, redis_url) as served:
            served.kill("feed")     # -9
            served.start("feed")
            served.address          # http://127.0.0.1:…

Start and stop from the main thread: the processes are tied to it, so that none outlives a killed test run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx2
import psycopg
from sqlalchemy import make_url

from tests.nursery import Child, Nursery
from web.launcher.layout import short_directory
from web.launcher.processes import end, signal_group, tail

_nursery = Nursery()

PROGRAMS = ("relay", "feed", "worker", "serve")
READY_WITHIN = 180.0  # seconds: two cores may be busy with other tests


@contextlib.contextmanager
def cloned(maintenance_url: str, template: str) -> Iterator[str]:
    """The address of a copy of `template` that is gone afterwards."""
    name = f"served_{uuid4().hex[:12]}"
    _administer(maintenance_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield make_url(maintenance_url).set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(maintenance_url, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(maintenance_url: str, statement: str) -> None:
    url = make_url(maintenance_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def eventually(said: Callable[[], bool], seconds: float, what: Callable[[], str]) -> float:
    """Wait until it is so; how long that took. `what` explains the failure."""
    began = time.monotonic()
    while not said():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what()}")
        time.sleep(0.05)
    return time.monotonic() - began


class Served:
    """The processes of one installation. `environment` adds settings (`VIGIA_…`) to all of them."""

    def __init__(
        self,
        directory: Path,
        database_url: str,
        redis_url: str | None,
        *,
        environment: Mapping[str, str] | None = None,
        programs: tuple[str, ...] = PROGRAMS,
    ) -> None:
        self.directory = directory
        self.programs = programs
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        data = directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        ours = {name: value for name, value in os.environ.items() if not name.startswith("VIGIA_")}
        self.environment = ours | {
            "VIGIA_DATABASE_URL": database_url,
            "VIGIA_HOST": "127.0.0.1",
            "VIGIA_PORT": str(self.port),
            "VIGIA_FEED_ADDRESS": f"unix:{short_directory(directory, 'feed.sock') / 'feed.sock'}",
            "VIGIA_DATA": str(data),
            "VIGIA_PUBLIC_REPORTS_PER_HOUR": "100000",
            "PYTHONUNBUFFERED": "1",
            **({"VIGIA_REDIS_URL": redis_url} if redis_url else {}),
            **(environment or {}),
        }
        self._running: dict[str, Child] = {}

    def log(self, program: str) -> Path:
        """What it has to say."""
        return self.directory / f"{program}.log"

    def pid(self, program: str) -> int:
        """Of a running one."""
        return self._running[program].pid

    def alive(self, program: str) -> bool:
        """Whether it still runs."""
        process = self._running.get(program)
        return process is not None and process.poll() is None

    def start(self, *programs: str) -> None:
        """Start these, or all. Does not wait: see `ready`."""
        for program in programs or self.programs:
            if not self.alive(program):
                self._running[program] = _nursery.fork(program, log=self.log(program), env=self.environment)

    def ready(self, seconds: float = READY_WITHIN) -> float:
        """Wait until the web process answers and the feed lets people in; how long that took."""
        return eventually(self._is_ready, seconds, lambda: f"ready\n{self.last_words()}")

    def stop(self, *programs: str) -> None:
        """In good order, as a supervisor would."""
        for program in programs or tuple(self._running):
            if process := self._running.pop(program, None):
                end(process, signal.SIGTERM, 10)

    def kill(self, *programs: str) -> None:
        """-9, these or all."""
        for program in programs or tuple(self._running):
            if process := self._running.pop(program, None):
                signal_group(process, signal.SIGKILL)
                process.wait(10)

    def pause(self, program: str) -> None:
        """Hang it."""
        signal_group(self._running[program], signal.SIGSTOP)

    def resume(self, program: str) -> None:
        """Let it go on."""
        signal_group(self._running[program], signal.SIGCONT)

    def last_words(self) -> str:
        """The ends of all logs, for a message that explains a failure."""
        return "\n".join(f"── {program}\n{tail(self.log(program), 5)}" for program in self.programs)

    def __enter__(self) -> Self:
        self.start()
        try:
            self.ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _is_ready(self) -> bool:
        dead = [program for program, process in self._running.items() if process.poll() is not None]
        assert not dead, f"died by itself: {', '.join(dead)}\n{self.last_words()}"
        return self._answers() and self._feeds()

    def _answers(self) -> bool:
        if "serve" not in self.programs:
            return True
        try:
            return httpx2.get(f"{self.address}/ready", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    def _feeds(self) -> bool:
        """Whether anybody listens behind the feed's address."""
        if "feed" not in self.programs:
            return True
        address = self.environment["VIGIA_FEED_ADDRESS"]
        path = address.removeprefix("unix:")
        with socket.socket(socket.AF_UNIX if address.startswith("unix:") else socket.AF_INET) as probe:
            host, _, port = path.rpartition(":")
            try:
                probe.connect(path if address.startswith("unix:") else (host, int(port)))
            except OSError:
                return False
            return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
