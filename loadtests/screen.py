"""One screen: applies its feed exactly as the browser does, and writes down what it was told and when.

What it can judge alone it judges at once: order. Whether something is missing, or was meant for somebody else, only
the journal can tell: `reckoning` does, from the windows kept here. Nothing here knows of locust, so tests may.
"""

from __future__ import annotations

from typing import Any

from loadtests.feed_prints import print_of
from loadtests.ledger import Account, Ledger

Feature = dict[str, Any]


class Screen:
    """What a browser holds: features, versions, positions and a cursor. `windows` is what it was told."""

    def __init__(self, account: Account, ledger: Ledger) -> None:
        self.account = account
        self.ledger = ledger
        self.features: dict[str, Feature] = {}
        self.versions: dict[str, int] = {}
        self.positions: dict[str, list[Any]] = {}
        self.cursor: dict[str, Any] | None = None
        self.reached = -1  # the highest number known to be complete
        self.windows: list[dict[str, Any]] = []
        self.resumptions: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.seen: dict[tuple[str, int], int] | None = None  # prints by version, while the end is compared
        self.compared_at = -1  # the number of the snapshot it is compared with
        self._told: dict[str, int] = {}

    # ── Exactly the browser ───────────────────────────────────────────────────────────────────────

    def apply(self, line: dict[str, Any]) -> None:
        """The protocol in three lines, as web/ui/src/lib/board.ts has it."""
        subject, version, feature = line["subject"], line["version"], line["feature"]
        if self.versions.get(subject, -1) > version:
            return
        self.versions[subject] = version
        if feature is None:
            self.features.pop(subject, None)
        else:
            self.features[subject] = feature
        if self.seen is not None:
            self.seen[subject, version] = print_of(feature)

    def move(self, units: list[list[Any]]) -> None:
        """Latest wins."""
        for row in units:
            held = self.positions.get(row[0])
            if held is None or held[5] <= row[5]:
                self.positions[row[0]] = row

    def take(self, frame: dict[str, Any], at: float) -> None:
        """One message, whatever it is."""
        match frame["type"]:
            case "line":
                self._take_line(frame, at)
            case "positions":
                self._time_fixes(frame["units"], at)
                self.move(frame["units"])
            case "heartbeat":
                self.reached = max(self.reached, frame["seq"])
                if self.cursor is not None:
                    self.cursor["seq"] = max(self.cursor["seq"], frame["seq"])
                self._window_reaches(frame["seq"])
            case "snapshot" | "resumed":
                self._catch_up(frame)

    # ── Judging ───────────────────────────────────────────────────────────────────────────────────

    def _take_line(self, line: dict[str, Any], at: float) -> None:
        seq, subject, version = line["seq"], line["subject"], line["version"]
        if seq <= self.reached:
            self.faults.append(f"seq {seq} after {self.reached}")
        # A snapshot may already show what a line tells a moment later; two lines may not stand the wrong way round.
        if self._told.get(subject, -1) >= version:
            self.faults.append(f"{subject} version {version} after {self._told[subject]}")
        self._told[subject] = version
        self.reached = max(self.reached, seq)
        self._window_reaches(seq)
        self.windows[-1]["lines"].append([seq, subject, version, print_of(line["feature"]), at])
        self.ledger.lines += 1
        self.apply(line)

    def _window_reaches(self, seq: int) -> None:
        self.windows[-1]["upto"] = max(self.windows[-1]["upto"], seq)

    def _catch_up(self, frame: dict[str, Any]) -> None:
        seq, since = frame["seq"], self.cursor
        same_history = since is not None and since["epoch"] == frame["epoch"]
        if same_history and seq < self.reached:
            self.faults.append(f"{frame['type']} at {seq} after {self.reached}")
        if frame["type"] == "snapshot":
            self.features = {one["properties"]["subject"]: one for one in frame["features"]}
            self.versions = {name: one["properties"]["version"] for name, one in self.features.items()}
            self.positions = {row[0]: row for row in frame["positions"]}
            if self.seen is not None:
                self.seen.update({(name, self.versions[name]): print_of(one) for name, one in self.features.items()})
        else:
            assert since is not None  # noqa: S101  nobody resumes without a cursor
            if not same_history:
                self.faults.append("resumed in another epoch")
            told = {line["subject"]: line["version"] for line in frame["lines"]}
            if len(told) != len(frame["lines"]):
                self.faults.append("a subject twice in one resumption")
            self.resumptions.append({"since": since["seq"], "upto": seq, "told": told})
            for line in frame["lines"]:
                self.apply(line)
            self.move(frame["positions"])
        self.cursor = {"epoch": frame["epoch"], "seq": seq}
        self.reached = seq
        self._told = {}
        self.windows.append({"after": seq, "upto": seq, "lines": []})

    def _time_fixes(self, units: list[list[Any]], at: float) -> None:
        for row in units:
            sent = self.ledger.fixes.get((row[0], row[5]))
            if sent is not None:
                self.ledger.fix_delays.append(at - sent)

    def differs_from(self, snapshot: dict[str, Any]) -> list[str]:
        """Where this screen shows, or showed on its way here, something else than the snapshot."""
        wrong = []
        there = {one["properties"]["subject"]: one for one in snapshot["features"]}
        for subject, feature in there.items():
            version = feature["properties"]["version"]
            held = (self.seen or {}).get((subject, version))
            if held is None:
                wrong.append(f"{subject} version {version} is not on the screen")
            elif held != print_of(feature):
                wrong.append(f"{subject} version {version} looks different")
        # What the snapshot lacks and the screen still holds must have come after it.
        wrong += [f"{name} should have gone" for name in self.features if name not in there and not self._is_new(name)]
        for row in snapshot["positions"]:
            held_row = self.positions.get(row[0])
            if held_row is None or held_row[5] < row[5] or (held_row[5] == row[5] and held_row != row):
                wrong.append(f"position of {row[0]}")
        return wrong

    def _is_new(self, subject: str) -> bool:
        lines = self.windows[-1]["lines"] if self.windows else []
        return any(line[1] == subject and line[0] > self.compared_at for line in lines)

    def begin_comparison(self) -> None:
        """From now on remember how every version looked."""
        self.seen = {(name, self.versions[name]): print_of(one) for name, one in self.features.items()}

    def account_of_itself(self, differences: list[str] | None) -> dict[str, Any]:
        """For the reckoning; `differences` None: it could not compare."""
        return {
            "username": self.account.username,
            "windows": self.windows,
            "resumptions": self.resumptions,
            "faults": self.faults,
            "differences": differences,
        }
