"""`down`: ask the supervisor to stop, wait, and make sure nothing is left."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from web.launcher import state
from web.launcher.layout import Instance
from web.launcher.locks import is_locked
from web.launcher.problems import Exit, Problem
from web.launcher.progress import Step, say

_PATIENCE = 90.0


def down(instance: Instance) -> int:
    """Fine also when nothing was running: what was asked for is so."""
    found = state.running(instance)
    if found is None:
        left = state.sweep(instance)
        instance.state_file.unlink(missing_ok=True)
        say("down.swept" if left else "down.nothing", data=instance.data)
        return Exit.FINE
    with Step("down.stopping") as step:
        _signal(found.supervisor, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while is_locked(instance.lock_file):
            step.tick()
            if time.monotonic() > deadline:
                _signal(found.supervisor, signal.SIGKILL)
                state.sweep(instance)
            if time.monotonic() > deadline + 10:
                raise Problem("down.stuck", Exit.PROCESS_FAILED, pid=found.supervisor)
            time.sleep(0.05)
    return Exit.FINE


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
