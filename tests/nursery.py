"""The programs of Vigía, imported once and forked as often as tests start them.

Importing one costs seconds of a core, a test run starts more than a hundred, and what a test wants to know begins
after that. How `./vigia up` starts them is tried in `tests/launcher`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from web.cli import collect_rarely, logs, programs
from web.launcher.layout import ROOT
from web.launcher.processes import tied_to_us

_PR_SET_PDEATHSIG = 1
# What the commands of web/cli.py import when they run.
_PROGRAMS = (
    "realtime.relay",
    "web.app",
    "web.boards",
    "web.feed",
    "web.front_door",
    "web.opendata.service",
    "web.worker",
)


class Child:
    """A process that the nursery forked, to be watched and signalled like one of our own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs; how it ended, only its parent knows."""
        return 0 if select.select([self._fd], [], [], 0)[0] else None

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended, or TimeoutExpired."""
        if not select.select([self._fd], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return 0

    def send_signal(self, number: int) -> None:
        """To this one and no other that got its number."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._fd, number)

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.close(self._fd)


class Nursery:
    """Forks programs of this checkout. Started by the main thread at the first wish; ends with it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def fork(self, program: str, *, log: Path, env: Mapping[str, str]) -> Child:
        """`python -m web.cli PROGRAM` with exactly this environment, in a process group of its own."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                tied_to_us([sys.executable, "-m", "tests.nursery"]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
        wish, answer = self._process.stdin, self._process.stdout
        assert wish is not None
        assert answer is not None
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        wish.write(json.dumps({"program": program, "log": str(log), "env": dict(env)}) + "\n")
        wish.flush()
        return Child(int(answer.readline()))


def _be(program: str, log: str, env: Mapping[str, str], parent: int) -> NoReturn:
    """What the child does instead of returning: be that program."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.setpgid(0, 0)
    os.umask(0o077)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    for stream in (1, 2):
        os.dup2(sink, stream)
    os.environ.clear()
    os.environ.update(env)
    code = 1
    try:
        gc.enable()
        collect_rarely()
        logs()
        programs([program], standalone_mode=False)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tend() -> None:
    """Import everything, then fork whatever is asked for, a line each, until nobody asks any more."""
    for module in _PROGRAMS:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for children
    gc.collect()
    gc.freeze()
    ours = os.getpid()
    for line in sys.stdin:
        wish = json.loads(line)
        child = os.fork()
        if child == 0:
            _be(wish["program"], wish["log"], wish["env"], ours)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    gc.disable()
    _tend()
