"""What making and importing print: how far it is, what there is now, what was left out and why."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from geo.refused import Refused
from realtime.database import now
from web.city.words import Say

SHOWN = 8  # of one reason, before the rest is only counted


class Page:
    """The terminal, in the operators' language."""

    def __init__(self, console: Console, say: Say) -> None:
        """Prints to `console`."""
        self.console, self.say = console, say

    def line(self, text: str, style: str | None = None, /, **facts: Any) -> None:
        """One sentence of the catalogue."""
        self.console.print(escape(self.say(text, **facts)), style=style, highlight=False, soft_wrap=True)

    def table(self, title: str, rows: Sequence[tuple[str, Any]]) -> None:
        """Words and numbers."""
        table = Table(title=self.say(title), title_justify="left", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for what, count in rows:
            table.add_row(escape(self.say(what)), escape(_thousands(count) if isinstance(count, int) else str(count)))
        self.console.print(table)

    @contextmanager
    def progress(self, text: str, **facts: Any) -> Iterator[Callable[[int], None]]:
        """A bar on a terminal, a line in a file; give it how much is done."""
        words = self.say(text, **facts)
        if not self.console.is_terminal:
            self.console.print(f"{words}…", highlight=False)
            yield lambda _: None
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"))
        with Progress(*columns, TimeElapsedColumn(), console=self.console, transient=True) as bar:
            task = bar.add_task(words, total=None, done="")
            yield lambda done: bar.update(task, completed=done, done=_thousands(done))

    def left_out(self, refused: Sequence[Refused], folder: Path | None = None) -> None:
        """What is not used and why, by reason; when it is long, all of it in a file."""
        if not refused:
            return
        table = Table(title=self.say("Left out, and kept in spite of something"), title_justify="left")
        for name in ("what", "number", "name", "why"):
            table.add_column(self.say(name), overflow="fold")
        long = False
        for why, kept in dict.fromkeys((one.why, one.kept) for one in refused):
            same = [one for one in refused if (one.why, one.kept) == (why, kept)]
            for one in same[:SHOWN]:
                reason = self.reason(one)
                table.add_row(self.say(one.what), one.which, escape(one.name or "–"), escape(reason))
            if len(same) > SHOWN:
                long = True
                table.add_row("", "", "", self.say("… and {more} more like these.", more=_thousands(len(same) - SHOWN)))
        self.console.print(table)
        if long and folder is not None:
            self.line("All of them: {file}", file=self._write(refused, folder))

    def reason(self, one: Refused) -> str:
        """Why it is left out, in the operators' language."""
        reason = self.say(one.why, **{name: self.say(str(fact)) for name, fact in one.facts.items()})
        return self.say("kept: {reason}", reason=reason) if one.kept else reason

    def _write(self, refused: Sequence[Refused], folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{now():%Y%m%d-%H%M%S}.csv"
        with file.open("w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow([self.say(name) for name in ("what", "number", "name", "why")])
            writer.writerows([self.say(one.what), one.which, one.name or "", self.reason(one)] for one in refused)
        return file


def _thousands(count: int) -> str:
    return f"{count:,}".replace(",", ".")
