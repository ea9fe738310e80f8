"""What a running supervisor tells others about itself: one small file, always whole."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from web.launcher.layout import Instance, write_whole
from web.launcher.locks import is_locked


@dataclass
class ProcessState:
    """One supervised process. `born` is the kernel's own start time: a pid alone may be reused."""

    name: str
    pid: int | None
    born: str
    since: float
    restarts: int
    running: bool


@dataclass
class State:
    """Everything `status`, `down` and the next `up` need to know."""

    supervisor: int
    since: float
    phase: str
    address: str
    version: str
    demo: bool
    database_url: str
    redis_url: str
    port: int
    database_socket: str
    redis_socket: str
    processes: list[ProcessState] = field(default_factory=list)


def write(instance: Instance, state: State) -> None:
    write_whole(instance.state_file, json.dumps(asdict(state), indent=1))


def read(instance: Instance) -> State | None:
    """The last supervisor's word, whether or not it still lives."""
    try:
        found = json.loads(instance.state_file.read_text())
        processes = [ProcessState(**one) for one in found.pop("processes")]
        return State(**found, processes=processes)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def running(instance: Instance) -> State | None:
    """The state of a supervisor that lives: it holds the lock for as long as it does."""
    return read(instance) if is_locked(instance.lock_file) else None


def born(pid: int) -> str:
    """When the kernel started that process; empty when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def sweep(instance: Instance, patience: float = 10) -> int:
    """End what a killed supervisor left behind; the kernel normally already has. How many were left."""
    state = read(instance)
    if state is None:
        return 0
    left = [one for one in state.processes if one.pid and one.born and born(one.pid) == one.born]
    found = len(left)
    deadline = time.monotonic() + patience
    insist = time.monotonic() + patience / 2
    while left and time.monotonic() < deadline:
        if time.monotonic() > insist:
            for one in left:
                with contextlib.suppress(OSError):
                    os.kill(one.pid or 0, signal.SIGKILL)
        time.sleep(0.1)
        left = [one for one in left if one.pid and born(one.pid) == one.born]
    return found
