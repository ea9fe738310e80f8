"""Starting programs so that none outlives us, and waiting for them without going silent."""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from web.launcher.layout import ROOT, SETUP_LOG
from web.launcher.problems import Exit, Problem
from web.launcher.progress import Step

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@functools.cache
def _setpriv() -> str | None:
    return shutil.which("setpriv", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")


def tied_to_us(argv: Sequence[str], farewell: str = "KILL") -> list[str]:
    """The command, asking the kernel to send `farewell` when the thread that started it dies.

    Only the main thread may start such a command: the kernel watches the thread, not the process. The shell
    looks whether we died before the kernel was asked.
    """
    setpriv = _setpriv()
    if setpriv is None:
        return list(argv)
    still_ours = 'test "$PPID" = "$0" || exit 1; exec "$@"'
    return [setpriv, "--pdeathsig", farewell, "--", "/bin/sh", "-c", still_ours, str(os.getpid()), *argv]


def start(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path = ROOT,
    farewell: str = "KILL",
    private: bool = True,
    identity: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Start in a process group of its own, writing at the end of `log`.

    Files it makes are `private` to their owner; `identity` are the words that make it somebody else.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as sink:
        return subprocess.Popen(
            [*identity, *tied_to_us(argv, farewell)],  # changing who one is would undo the tie
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            process_group=0,
            umask=0o077 if private else -1,
        )


class Running(Protocol):
    """A started program, whoever is its parent."""

    @property
    def pid(self) -> int:
        """Its number, and that of its group."""

    def poll(self) -> int | None:
        """None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended, or `subprocess.TimeoutExpired`."""

    def send_signal(self, number: int, /) -> None:
        """To it alone."""


def signal_group(process: Running, number: int) -> None:
    """Signal the child and whatever it started."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        process.send_signal(number)


def end(process: Running, first: signal.Signals, patience: float) -> None:
    """Ask, wait, then insist."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            signal_group(process, signal.SIGKILL)
            process.wait(10)


def tail(log: Path, lines: int = 12, since: int = 0) -> str:
    """The last lines of a log: what a failed program had to say."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since, size - 8192))
            found = _COLOURS.sub("", file.read().decode(errors="replace")).splitlines()
    except OSError:
        return ""
    return "\n".join([line for line in found if line.strip()][-lines:])


def size_of(log: Path) -> int:
    """How long a log is now."""
    return log.stat().st_size if log.exists() else 0


def work(
    argv: Sequence[str],
    step: Step,
    *,
    problem: str,
    code: Exit,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    watch: Callable[[], str] | None = None,
    log: Path = SETUP_LOG,
    lines: int = 6,
) -> None:
    """Run one preparation command to its end; its words go to the log, and into the problem if it fails."""
    since = size_of(log)
    process = start(argv, log=log, env=os.environ if env is None else env, cwd=cwd, private=False)
    try:
        while process.poll() is None:
            if watch:
                step.note(watch())
            step.tick()
            time.sleep(0.05)
    except BaseException:
        signal_group(process, signal.SIGKILL)
        process.wait()
        raise
    if watch:
        step.note(watch())
    if process.returncode != 0:
        raise Problem(problem, code, why=tail(log, lines, since).strip() or argv[0], log=log)


def answer_of(argv: Sequence[str], env: Mapping[str, str] | None = None, seconds: float = 60) -> str | None:
    """What a short command prints, or None when it fails."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=None if env is None else dict(env),
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
