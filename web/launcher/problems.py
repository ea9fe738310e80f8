"""What can go wrong for an operator: one sentence and one exit code each."""

from __future__ import annotations

from enum import IntEnum

from web.launcher.messages import text


class Exit(IntEnum):
    """What the shell is told. Kept stable: scripts and service managers read it."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    NOT_READY = 4
    DOWNLOAD_FAILED = 10
    PROCESS_FAILED = 11
    MACHINE_LACKS = 12
    BUSY = 13
    INTERRUPTED = 130


class Problem(Exception):
    """Stops the command with a sentence for the person at the terminal, never with a traceback."""

    def __init__(self, key: str, code: Exit, **values: object) -> None:
        super().__init__(text(key, **values))
        self.code = code
