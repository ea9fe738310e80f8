"""How a process without a port shows that it is at its work: a file as young as the last time it was."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from web.settings import Settings

EVERY = 10.0  # seconds between two signs


class Pulse:
    """The sign of one kind of process on this machine (or in this container, which has a name of its own)."""

    def __init__(self, settings: Settings, process: str) -> None:
        """Beats nothing yet."""
        self.file: Path = settings.data / f"{process}-{socket.gethostname()}.pulse"

    def beat(self) -> None:
        """At work, now."""
        self.file.touch()

    def stop(self) -> None:
        """Ended in good order."""
        self.file.unlink(missing_ok=True)

    def beats(self) -> bool:
        """Whether it was at work a moment ago."""
        try:
            return time.time() - self.file.stat().st_mtime < 4 * EVERY
        except OSError:
            return False
