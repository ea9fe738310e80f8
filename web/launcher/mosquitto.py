"""Mosquitto: a real broker for as long as a test lasts, to see whether telephones on MQTT are heard."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from web.launcher import debian
from web.launcher.layout import TOOLS
from web.launcher.problems import Exit, Problem
from web.launcher.processes import end, start, tail

_HOME = TOOLS / "mosquitto"
_WISH = debian.Wish("mosquitto", ("mosquitto",))


def find_or_fetch() -> Path:
    """The machine's own, or the distribution's unpacked. Raises `Problem` where there is neither."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found:
        return Path(found)
    binary = _HOME / "usr" / "sbin" / "mosquitto"
    if not binary.exists():
        debian.unpack(_WISH, _HOME, key="mosquitto.fetch")
    return binary


class PrivateMosquitto:
    """A broker on a port of this machine that takes everybody. `stop` and `start` as often as a test likes."""

    def __init__(self, directory: Path) -> None:
        """Its configuration and its log go into `directory`."""
        self.binary = find_or_fetch()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._log, self._configuration = directory / "mosquitto.log", directory / "mosquitto.conf"
        self._configuration.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        env = dict(os.environ)
        if _HOME in self.binary.parents:
            env["LD_LIBRARY_PATH"] = ":".join(str(place) for place in debian.library_directories(_HOME))
        command = [str(self.binary), "-c", str(self._configuration)]
        self._process = start(command, log=self._log, env=env, cwd=self._configuration.parent)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise Problem("up.server_dead", Exit.PROCESS_FAILED, name="mosquitto", log=tail(self._log, 5))

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            end(self._process, signal.SIGTERM, 5)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
