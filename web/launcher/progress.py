"""Shows that something is happening: one line for every step that takes time."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from web.launcher.messages import text

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_HEARTBEAT = 15.0


def say(key: str, **values: object) -> None:
    """One line to the person at the terminal."""
    print(text(key, **values), flush=True)


class Step:
    """`with Step("front_end.build") as step:` draws a line that lives on a terminal, and few lines in a log."""

    def __init__(self, key: str, **values: object) -> None:
        self._title = text(key, **values)
        self._note = ""
        self._started = time.monotonic()
        self._drawn = self._started
        self._frame = 0
        self._live = sys.stdout.isatty()

    def __enter__(self) -> Step:
        if self._live:
            self._draw()
        else:
            print(f"→ {self._title}…", flush=True)
        return self

    def note(self, words: str) -> None:
        """A word on how far it is, such as «45 de 56 MB»."""
        self._note = words

    def tick(self) -> None:
        """Called often while waiting; draws only as often as is useful."""
        now = time.monotonic()
        if now - self._drawn < (0.1 if self._live else _HEARTBEAT):
            return
        self._drawn = now
        if self._live:
            self._draw()
        else:
            print(f"  … {self._title} ({self._facts()})", flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mark = "✓" if kind is None else "✗"
        line = f"{mark} {self._title} ({self._facts()})"
        print(f"\r\033[K{line}" if self._live else line, flush=True)

    def _facts(self) -> str:
        seconds = f"{time.monotonic() - self._started:.1f} s"
        return f"{self._note}, {seconds}" if self._note else seconds

    def _draw(self) -> None:
        self._frame += 1
        spin = _SPINNER[self._frame % len(_SPINNER)]
        print(f"\r\033[K{spin} {self._title} ({self._facts()})", end="", flush=True)
