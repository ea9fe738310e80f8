"""A dispatch log as we understand it: calls, the units that answered them, and what was wrong with its rows.

One physical line is one row: an open quote spoils its own line and no other.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from incidents.assignments import AssignmentStatus
from incidents.reports import Channel
from resources.units import UnitKind
from web.bodies import EARLIEST

NOTHING = frozenset(
    {"", "nan", "null", "none", "n/a", "na", "nat", "-", "#n/a"}
)  # how tables write that they do not know
Position = tuple[float, float]
Row = Mapping[str, str]
Stamps = dict[str, dt.datetime]


class NotThatLog(Exception):
    """The file is not of that source: these columns are missing."""

    def __init__(self, columns: Sequence[str]) -> None:
        """`columns` as the source names them."""
        super().__init__(", ".join(columns))
        self.columns = tuple(columns)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong with a line. `left_out`: nothing of it is kept; else it is kept as far as it goes."""

    line: int
    what: str
    value: str = ""
    left_out: bool = False


class Ending(StrEnum):
    """How a call ends: its incident is closed, it is a duplicate of another, or nothing follows from it."""

    CLOSE = "close"
    DUPLICATE = "duplicate"
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True)
class LoggedUnit:
    """A unit of the log."""

    key: str
    kind: UnitKind
    capabilities: tuple[str, ...]


@dataclass(slots=True)
class Answer:
    """One unit's answer to one call: a row."""

    line: int
    unit: LoggedUnit
    sent_at: dt.datetime
    moves: list[tuple[AssignmentStatus, dt.datetime]]
    free_at: dt.datetime | None


@dataclass(slots=True)
class Call:
    """One call, with the units that answered it. `code` is the disposition or the dismissal."""

    key: str
    line: int
    received_at: dt.datetime
    entered_at: dt.datetime
    words: str
    place: str
    position: Position | None
    channel: Channel
    type_code: str
    priority: int | None
    ending: Ending
    code: str
    ended_at: dt.datetime | None
    answers: list[Answer] = field(default_factory=list)
    rows: int = 0


@dataclass(slots=True)
class Log:
    """A whole log. Every row is left out, or stands behind an answer, or behind a call alone."""

    source: str
    zone: ZoneInfo
    owner: str
    prefix: str
    rows: int = 0
    left_out: int = 0
    calls: list[Call] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def units(self) -> dict[str, LoggedUnit]:
        """Every unit that answered a call, by its name in the log."""
        return {answer.unit.key: answer.unit for call in self.calls for answer in call.answers}

    def trouble(self, line: int, what: str, value: str = "", *, left_out: bool = False) -> None:
        """Note that something is wrong with a line."""
        self.troubles.append(Trouble(line, what, value[:80], left_out))
        self.left_out += left_out


Reader = Callable[[Log, int, Row], None]


# ── Lines and fields ──────────────────────────────────────────────────────────────────────────────


def rows_of(log: Log, file: Path, needed: Sequence[str]) -> Iterator[tuple[int, Row]]:
    """The rows by line number, columns named in one spelling. Raises `NotThatLog`."""
    lines = _lines(log, file)
    _, head = next(lines, (0, ""))
    columns = [tidy(name) for name in _fields(head)]
    missing = [name for name in needed if tidy(name) not in columns]
    if missing:
        raise NotThatLog(missing)
    for number, line in lines:
        if not line.strip():
            continue
        log.rows += 1
        fields = _fields(line)
        if len(fields) != len(columns):
            log.trouble(number, "not as many fields as columns", f"{len(fields)} ≠ {len(columns)}", left_out=True)
            continue
        yield number, dict(zip(columns, (_plain(one) for one in fields), strict=True))


def _lines(log: Log, file: Path) -> Iterator[tuple[int, str]]:
    raw = file.read_bytes()
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raw = raw.decode("utf-16", "replace").encode()
    raw = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for number, line in enumerate(raw.split(b"\n"), 1):
        try:
            yield number, line.decode()
        except UnicodeDecodeError:
            log.trouble(number, "not UTF-8: read as Windows-1252")
            yield number, line.decode("cp1252", "replace")


def _fields(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a field larger than the reader takes: not a row of ours
        return []


def _plain(text: str) -> str:
    """Without what the API would refuse; empty where the table says that it does not know."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(symbol) in {"Cc", "Cs"} else symbol for symbol in text)
    seen = text.strip()
    return "" if seen.casefold() in NOTHING else seen


@cache
def tidy(text: str) -> str:
    """One spelling for names that people type: no accents, no case, single spaces."""
    bare = unicodedata.normalize("NFKD", text)
    return " ".join("".join(symbol for symbol in bare if not unicodedata.combining(symbol)).casefold().split())


def number_in(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def position_in(
    log: Log, line: int, longitude: str, latitude: str, region: tuple[float, float, float, float]
) -> Position | None:
    """A place within the log's region (west, south, east, north), or None and a trouble."""
    lon, lat = number_in(longitude), number_in(latitude)
    if lon is None or lat is None:
        log.trouble(line, "no place", f"{longitude} {latitude}".strip())
        return None
    if not (region[0] <= lon <= region[2] and region[1] <= lat <= region[3]):
        log.trouble(line, "a place outside the log's region", f"{lon} {lat}")
        return None
    return lon, lat


# ── Times ─────────────────────────────────────────────────────────────────────────────────────────


def stamps_in(log: Log, line: int, row: Row, columns: Sequence[str], pattern: str) -> Stamps:
    """The row's times by column, in UTC; `columns` in the order in which things should happen.

    The log writes its local clock without a zone. Where an hour happened twice, the reading that keeps the row's
    times in order counts, then the one that keeps them close together, then the first.
    """
    readings: dict[str, tuple[dt.datetime, ...]] = {}
    for column in columns:
        text = row[tidy(column)]
        if not text:
            continue
        local = _clock(text, pattern)
        if local is None:
            log.trouble(line, "time not understood", f"{column}: {text}")
            continue
        found = instants(local, log.zone)
        if found[0] < EARLIEST or found[0] > dt.datetime.now(dt.UTC):
            log.trouble(line, "implausible time", f"{column}: {text}")
            continue
        if len(found) == 1 and local.tzinfo is None and found[0].astimezone(log.zone).replace(tzinfo=None) != local:
            log.trouble(line, "an hour that the clocks skipped", f"{column}: {text}")
        readings[column] = found
    if any(len(found) > 1 for found in readings.values()):
        log.trouble(
            line, "an hour that happened twice", ", ".join(c for c, found in readings.items() if len(found) > 1)
        )
    chosen = min(itertools.product(*readings.values()), key=_disorder)
    stamps = dict(zip(readings, chosen, strict=True))
    for (earlier, first), (later, second) in itertools.pairwise(stamps.items()):
        if second < first:
            log.trouble(line, "times out of order, kept as they are", f"{earlier} > {later}")
    return stamps


def _disorder(times: Sequence[dt.datetime]) -> tuple[int, dt.timedelta]:
    backwards = sum(second < first for first, second in itertools.pairwise(times))
    return backwards, max(times) - min(times) if times else dt.timedelta()


def _clock(text: str, pattern: str) -> dt.datetime | None:
    """A time as the log writes it, or as ISO 8601 has it."""
    try:
        return dt.datetime.strptime(text, pattern)  # noqa: DTZ007  (the zone comes next)
    except ValueError:
        pass
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def instants(clock: dt.datetime, zone: ZoneInfo) -> tuple[dt.datetime, ...]:
    """What a wall clock may have meant: one instant, or two where the hour happened twice; earliest first."""
    if clock.tzinfo is not None:
        return (clock.astimezone(dt.UTC),)
    found = {clock.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1)}
    if len(found) == 2 and min(found).astimezone(zone).replace(tzinfo=None) != clock:
        return (max(found),)  # skipped by the clocks: read as if they had not been moved yet
    return tuple(sorted(found))
