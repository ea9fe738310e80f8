"""Tables that people keep in a spreadsheet, in and out: CSV as it really comes, and CSV that no spreadsheet runs.

    sheet = read_rows(raw, [Column("call_sign", ("móvil", "indicativo"), needed=True), …])
    for row in sheet.rows: row["call_sign"]

The separator is `;`, `,` or a tab, whichever knows more of the header; the encoding is guessed (`geo/encodings.py`);
the header may be in Spanish or English, in any case, with or without accents. What is wrong with a row is told with its
line, its column and a sentence; what is wrong with the whole file is a refusal.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from geo.encodings import decoded, visible
from realtime.errors import Malformed, Refusal
from web.language import language_for, said

MOST_BYTES = 1024 * 1024
MOST_ROWS = 2000
MOST_IN_A_CELL = 2000
MOST_BEFORE_IT_IS_NO_TABLE = 100_000  # characters in one cell
SEPARATORS = (";", ",", "\t")
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")
_QUOTED_FORMULA = re.compile(r"^'(?=[=+\-@])")


class NotATable(Malformed):
    """That is not a CSV file: save the sheet as “CSV (UTF-8)”."""

    status = 415


class NoRows(Malformed):
    """The file has a header and nothing below it."""


class TooManyRows(Malformed):
    """The file has more than {limit} rows: divide it."""

    status = 413


class ColumnMissing(Malformed):
    """The file has no column “{column}”."""


class ColumnTwice(Malformed):
    """The file has the column “{column}” twice."""


class RowsAreWrong(Malformed):
    """Nothing was written: {count} rows have errors."""


class RowsChanged(Refusal):
    """Meanwhile {count} rows are right and no longer {expected}: look at them again."""

    status = 409


# What is wrong with one row. They are never raised to the client alone; each is a line of the answer.


class CellMissing(Malformed):
    """This is needed and empty."""


class CellTooLong(Malformed):
    """This is longer than {limit} characters."""


class CellsTooMany(Malformed):
    """This row has more cells than the header: is there a separator inside a text without quotes?"""


class RowTwice(Malformed):
    """“{value}” stands in line {line} already."""


class WordUnknown(Malformed):
    """“{value}” is not known here. Known are: {known}."""


class NumberRefused(Malformed):
    """“{value}” is not a number from {least} to {most}."""


class DateRefused(Malformed):
    """“{value}” is not a date: write 31/12/2027 or 2027-12-31."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is understood: its name in the code, and what else headers call it."""

    name: str
    called: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a cell; `column` is as the file's header has it, empty when it is the whole row."""

    line: int
    column: str
    why: Refusal


@dataclass(slots=True)
class Row:
    """One row: its first line in the file (the header is line 1), and its cells by the column's name."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


@dataclass(slots=True)
class Sheet:
    """A file as it was understood. `headers` are the file's own words for the columns that it has."""

    rows: list[Row]
    headers: dict[str, str]
    width: int
    ignored: list[str] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def wrong(self, row: Row, name: str, why: Refusal) -> None:
        """Note that a cell of a row is wrong."""
        self.errors.append(RowError(row.line, self.headers.get(name, ""), why))

    @property
    def bad_lines(self) -> set[int]:
        """The lines of rows that have an error."""
        return {error.line for error in self.errors}


def folded(word: str) -> str:
    """A word without case, accents and signs: how headers and names are compared."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


def read_rows(raw: bytes, columns: Sequence[Column], *, most: int = MOST_ROWS) -> Sheet:
    """Read a CSV file. Raises `NotATable`, `NoRows`, `TooManyRows`, `ColumnMissing`, `ColumnTwice`."""
    text = _text(raw)
    known = {folded(word): column for column in columns for word in (column.name, *column.called)}
    separator = max(SEPARATORS, key=lambda one: _recognised(text, one, known))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    sheet, places = None, dict[int, Column]()
    try:
        begins = 1
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if any(len(cell) > MOST_BEFORE_IT_IS_NO_TABLE for cell in cells):  # Python's own limit is the process's
                raise NotATable
            cells = [_cell(cell) for cell in cells]  # noqa: PLW2901
            if not any(cells):
                continue
            if sheet is None:
                sheet, places = _header(cells, known, columns)
                continue
            if len(sheet.rows) == most:
                raise TooManyRows(limit=most)
            sheet.rows.append(_row(sheet, line, cells, places, columns))
    except csv.Error:
        raise NotATable from None
    if sheet is None:
        raise NotATable
    if not sheet.rows:
        raise NoRows
    return sheet


def _text(raw: bytes) -> str:
    if not raw.strip() or raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"{\\rtf")):
        raise NotATable  # nothing, or a spreadsheet's own format
    try:
        text, _ = decoded(raw)
    except (UnicodeError, LookupError):
        raise NotATable from None
    if "\x00" in text:
        raise NotATable
    return text


def _recognised(text: str, separator: str, known: dict[str, Column]) -> int:
    first = next((line for line in text.splitlines() if line.strip()), "")
    try:
        cells = next(csv.reader([first], delimiter=separator), [])
    except csv.Error:
        return 0
    return sum(folded(cell) in known for cell in cells)


def _cell(cell: str) -> str:
    return _QUOTED_FORMULA.sub("", unicodedata.normalize("NFC", visible(cell)).strip())


def _header(cells: list[str], known: dict[str, Column], columns: Sequence[Column]) -> tuple[Sheet, dict[int, Column]]:
    places: dict[int, Column] = {}
    sheet = Sheet([], {}, len(cells))
    for place, cell in enumerate(cells):
        column = known.get(folded(cell))
        if column is None:
            sheet.ignored += [cell[:60]] if cell else []
            continue
        if column.name in sheet.headers:
            raise ColumnTwice(column=cell[:60])
        places[place] = column
        sheet.headers[column.name] = cell[:60]
    for column in columns:
        if column.needed and column.name not in sheet.headers:
            raise ColumnMissing(column=column.called[0] if column.called else column.name)
    return sheet, places


def _row(sheet: Sheet, line: int, cells: list[str], places: dict[int, Column], columns: Sequence[Column]) -> Row:
    row = Row(line, {column.name: cells[place] for place, column in places.items() if place < len(cells)})
    if any(cells[sheet.width :]):
        sheet.errors.append(RowError(line, "", CellsTooMany()))
    for column in columns:
        if len(row[column.name]) > MOST_IN_A_CELL:
            sheet.wrong(row, column.name, CellTooLong(limit=MOST_IN_A_CELL))
        elif column.needed and not row[column.name]:
            sheet.wrong(row, column.name, CellMissing())
    return row


def errors_document(request: Request, errors: Iterable[RowError], timezone: str) -> list[dict[str, Any]]:
    """What is wrong with which rows, in the reader's language: `{"line", "column", "code", "message"}`."""
    language = language_for(request.headers.get("accept-language"))
    return [
        {
            "line": error.line,
            "column": error.column,
            "code": error.why.code,
            "message": said(language, error.why.message, error.why.facts, timezone=timezone),
        }
        for error in sorted(errors, key=lambda one: one.line)
    ]


def check_accepted(sheet: Sheet, *, only_good: bool, expected: int | None) -> None:
    """Whether a file may be applied as its reader decided. Raises `RowsAreWrong`, `RowsChanged`."""
    bad = sheet.bad_lines
    if bad and not only_good:
        raise RowsAreWrong(count=len(bad))
    right = len(sheet.rows) - len(bad)
    if expected is not None and expected != right:
        raise RowsChanged(count=right, expected=expected)


def written_rows(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV for a spreadsheet: UTF-8 with its mark, `;`, and nothing in it that a spreadsheet would run."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_RUN_BY_SPREADSHEETS) else text


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A table as a file to be kept."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written_rows(header, rows), headers=headers, media_type="text/csv; charset=utf-8")
