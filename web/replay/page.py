"""What a replay prints: what it read, how far it is, and the account at the end."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from web.replay.log import Call, Log, Trouble
from web.replay.reconcile import Account
from web.replay.words import Say

SHOWN = 12  # rows of one trouble, or differences, before the rest is only counted


class Page:
    """The terminal, in the operators' language."""

    def __init__(self, console: Console, say: Say) -> None:
        """Prints to `console`."""
        self.console, self.say = console, say

    def line(self, text: str, style: str | None = None) -> None:
        """One sentence."""
        self.console.print(escape(text), style=style, highlight=False, soft_wrap=True)

    def read(self, file: str, log: Log, played: list[Call]) -> None:
        """What the file holds."""
        told = {"file": file, "rows": log.rows, "calls": len(log.calls), "units": len(log.units)}
        since, until = (_clock(log, call.received_at) for call in (log.calls[0], log.calls[-1]))
        text = "{file}: {rows} rows, {calls} calls, {units} units, {since} – {until} ({zone})"
        self.line(self.say(text, **told, since=since, until=until, zone=log.zone.key), "bold")
        if len(played) < len(log.calls):
            rows = sum(call.rows for call in played)
            self.line(self.say("Only the first {calls} calls ({rows} rows).", calls=len(played), rows=rows))

    def troubles(self, troubles: list[Trouble]) -> None:
        """Every row that is not as it should be, by what is wrong with it."""
        if not troubles:
            return
        table = Table(title=self.say("Rows that are not as they should be"), title_justify="left")
        table.add_column(self.say("line"), justify="right")
        table.add_column(self.say("what"))
        table.add_column("")
        table.add_column(self.say("value"), overflow="fold")
        kinds = Counter((trouble.what, trouble.left_out) for trouble in troubles)
        for what, left_out in kinds:
            same = [one for one in troubles if (one.what, one.left_out) == (what, left_out)]
            kept = self.say("left out" if left_out else "kept")
            for trouble in same[:SHOWN]:
                table.add_row(str(trouble.line), self.say(what), kept, escape(trouble.value))
            if len(same) > SHOWN:
                more = self.say("… and {more} more like these.", more=len(same) - SHOWN)
                table.add_row("", self.say(what), kept, more)
        self.console.print(table)

    def account(self, account: Account) -> None:
        """What was read, what became of it, and whether it balances."""
        rows = Table(title=self.say("What was read"), title_justify="left", show_header=False)
        rows.add_column()
        rows.add_column(justify="right")
        for what, count in account.rows.items():
            rows.add_row(self.say(what), str(count))
        self.console.print(rows)
        self.console.print(self._tallies(account))
        if account.refusals:
            refused = Table(title=self.say("Refused, by reason"), title_justify="left", show_header=False)
            for (what, reason), count in account.refusals.most_common():
                refused.add_row(self.say(what), escape(self.say(reason)), str(count))
            self.console.print(refused)
        if account.balanced:
            text = "Reconciled: everything read is accounted for, and the database holds exactly that."
            return self.line(self.say(text), "bold green")
        off = len(account.differences) or sum(tally.difference for tally in account.tallies)
        self.line(self.say("NOT reconciled: {count} differences.", count=off), "bold red")
        return self._differences(account)

    def _tallies(self, account: Account) -> Table:
        table = Table(title=self.say("What became of it"), title_justify="left")
        table.add_column("")
        columns = ("asked", "made now", "there before", "refused", "in the database", "in the API", "difference")
        for name in columns:
            table.add_column(self.say(name), justify="right")
        for tally in account.tallies:
            counts = (tally.asked, tally.made, tally.found, tally.refused)
            held = ("", "") if tally.what == "rows" else (str(tally.in_database), _maybe(tally.in_api))
            off = tally.difference
            style = "red" if off else None
            table.add_row(self.say(tally.what), *(str(one) for one in counts), *held, str(off), style=style)
        return table

    def _differences(self, account: Account) -> None:
        table = Table()
        for name in ("what", "value", "expected", "found"):
            table.add_column(self.say(name), overflow="fold")
        for one in itertools.islice(account.differences, SHOWN):
            table.add_row(self.say(one.what), escape(one.which), escape(one.expected), escape(one.found))
        self.console.print(table)
        if (more := len(account.differences) - SHOWN) > 0:
            self.line(self.say("… and {more} more like these.", more=more))


def _maybe(count: int | None) -> str:
    return "" if count is None else str(count)


def _clock(log: Log, at: dt.datetime) -> str:
    return at.astimezone(log.zone).strftime("%Y-%m-%d %H:%M")
