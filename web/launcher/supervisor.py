"""Keeps an instance alive: starts its processes in order, restarts the dead, stops all of them at the end.

One thread, one loop. The kernel ties every child to this process (processes.py), the lock file shows that we
live (locks.py), and the state file tells others what runs (state.py).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from web.launcher import state
from web.launcher.messages import text
from web.launcher.problems import Exit, Problem
from web.launcher.processes import signal_group, size_of, start, tail

_TICK = 0.1
_LOG_LIMIT = 20_000_000
_LOGS_KEPT = 3
_SETTLED = 60.0  # a process that lived this long starts again at once if it dies
_LONGEST_PAUSE = 30.0
_PROBE_EVERY = 5.0
_HUNG_AFTER = 60.0


@dataclass(frozen=True)
class Program:
    """How to run one process and how to part with it."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path
    identity: Sequence[str] = ()  # the words that make it somebody else
    farewell: str = "KILL"  # what the kernel sends it if we die
    stop_with: signal.Signals = signal.SIGTERM
    patience: float = 10.0
    before: Callable[[], None] = lambda: None
    answers: Callable[[], bool] | None = None


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    born: str = ""
    restarts: int = 0
    pause: float = 0.5
    due: float = 0.0
    answered: float = field(default_factory=time.monotonic)


class Stopped(Exception):
    """Somebody asked us to stop."""


class Supervisor:
    """`tell` gets one line per event, for the terminal and the log; `publish` writes the state file."""

    def __init__(self, tell: Callable[[str], None], publish: Callable[[list[state.ProcessState]], None]) -> None:
        self._tell = tell
        self._publish = publish
        self._children: list[_Child] = []
        self._asked_to_stop = False
        self._last_probe = 0.0

    def obey_signals(self) -> None:
        """INT, TERM and HUP mean: stop in good order."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self._asked_to_stop = True

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)

    def add(self, program: Program) -> None:
        """Start it now and keep it running from now on."""
        child = _Child(program)
        self._children.append(child)
        self._start(child)
        self._report()

    def run_once(self, program: Program, *, problem: str) -> None:
        """Run it to its end while looking after the others; its failure is the operator's problem."""
        since = size_of(program.log)
        process = start(program.command, log=program.log, env=program.env, cwd=program.cwd)
        try:
            self.wait(lambda: process.poll() is not None, lambda: None)
        except BaseException:
            signal_group(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            signal_group(process, signal.SIGKILL)
            raise
        if process.returncode != 0:
            why = tail(program.log, 8, since)
            raise Problem(problem, Exit.PROCESS_FAILED, why=why, log=program.log)

    def wait(self, until: Callable[[], bool], gave_up: Callable[[], object], seconds: float = 3600) -> None:
        """Look after the children until something is so."""
        deadline = time.monotonic() + seconds
        while not until():
            self.tick()
            if time.monotonic() > deadline:
                gave_up()
                return
            time.sleep(_TICK)

    def run(self) -> None:
        """Look after the children until asked to stop."""
        with contextlib.suppress(Stopped):
            self.wait(lambda: False, lambda: None, seconds=float("inf"))

    def tick(self) -> None:
        """One round: who died, whose turn it is, who hangs, whose log is too long."""
        if self._asked_to_stop:
            raise Stopped
        now = time.monotonic()
        changed = False
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._mourn(child, now)
                changed = True
            elif child.process is None and now >= child.due:
                self._start(child)
                child.restarts += 1
                changed = True
        if now - self._last_probe > _PROBE_EVERY:
            self._last_probe = now
            self._probe(now)
            for log in {child.program.log for child in self._children}:
                rotate(log)
        if changed:
            self._report()

    def stop_all(self) -> None:
        """The application first, all at once; then the servers it stood on, last started first."""
        self._asked_to_stop = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        servers = [child for child in self._children if child.program.answers]
        others = [child for child in self._children if not child.program.answers]
        for group in [others, *[[server] for server in reversed(servers)]]:
            for name in _stop_together(group):
                self._tell(text("supervisor.killed", name=name))
        self._report()

    def _start(self, child: _Child) -> None:
        program = child.program
        try:
            program.before()
        except Problem as problem:  # try again later, as with a process that dies at once
            self._tell(str(problem))
            child.due = time.monotonic() + child.pause
            child.pause = min(child.pause * 2, _LONGEST_PAUSE)
            return
        child.process = start(
            program.command,
            log=program.log,
            env=program.env,
            cwd=program.cwd,
            farewell=program.farewell,
            identity=program.identity,
        )
        child.since = time.time()
        child.answered = time.monotonic()
        child.born = state.born(child.process.pid)

    def _mourn(self, child: _Child, now: float) -> None:
        lived = time.time() - child.since
        child.pause = 0.5 if lived > _SETTLED else min(child.pause * 2, _LONGEST_PAUSE)
        code = child.process.returncode if child.process else None
        child.process = None
        child.due = now + (0 if lived > _SETTLED else child.pause)
        reason = signal.Signals(-code).name if code is not None and code < 0 else f"código {code}"
        self._tell(text("supervisor.died", name=child.program.name, reason=reason, pause=f"{child.due - now:.1f}"))

    def _probe(self, now: float) -> None:
        """A server may live and not answer. Give it time, then start it anew."""
        for child in self._children:
            if child.process is None or child.program.answers is None:
                continue
            if child.program.answers():
                child.answered = now
            elif now - child.answered > _HUNG_AFTER:
                self._tell(text("supervisor.hung", name=child.program.name, seconds=int(now - child.answered)))
                signal_group(child.process, signal.SIGKILL)
                child.answered = now

    def _report(self) -> None:
        self._publish(
            [
                state.ProcessState(
                    name=child.program.name,
                    pid=child.process.pid if child.process else None,
                    born=child.born,
                    since=child.since,
                    restarts=child.restarts,
                    running=child.process is not None,
                )
                for child in self._children
            ]
        )


def _stop_together(children: list[_Child]) -> list[str]:
    """Ask all, wait for all; the names of those that had to be killed."""
    alive = [(child, child.process) for child in children if child.process and child.process.poll() is None]
    for child, process in alive:
        process.send_signal(child.program.stop_with)
        process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + max((child.program.patience for child, _ in alive), default=0)
    stubborn: list[str] = []
    for child, process in alive:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        if process.poll() is None:
            stubborn.append(child.program.name)
        _kill_group(process.pid)
        process.wait()
    for child in children:
        child.process = None
    return stubborn


def _kill_group(group: int) -> None:
    """The child if it would not go, and what it started and left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def rotate(log: Path, limit: int = _LOG_LIMIT) -> None:
    """Copy a long log aside and empty it; writers append, so they go on at its new beginning."""
    if size_of(log) < limit:
        return
    for number in range(_LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copy2(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
