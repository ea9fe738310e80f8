"""A list of staff as a spreadsheet has it: file number, name, role, and perhaps one credential per line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from resources.staff import StaffRow, StaffRules
from web.city_days import begins, ends
from web.rows import Column, DateRefused, Row, RowTwice, Sheet, WordUnknown, folded

COLUMNS = (
    Column("file_number", ("legajo", "número de legajo"), needed=True),
    Column("name", ("nombre", "apellido y nombre", "nombre y apellido"), needed=True),
    Column("role", ("rol", "función", "puesto"), needed=True),
    Column("phone", ("teléfono", "celular")),
    Column("notes", ("notas", "observaciones")),
    Column("credential", ("credencial", "tipo de credencial")),
    Column("credential_number", ("número", "número de credencial")),
    Column("valid_from", ("desde", "otorgada")),
    Column("valid_to", ("vence", "vencimiento", "hasta")),
)


def staff_rows(sheet: Sheet, rules: StaffRules, clock: ZoneInfo) -> dict[int, StaffRow]:
    """The lines of a sheet that can be understood, by their number; what is wrong with the others stands in it."""
    roles = _codes((role.code, role.name) for role in rules.roles)
    papers = _codes((kind.code, kind.name) for kind in rules.credentials)
    found: dict[int, StaffRow] = {}
    seen: dict[str, int] = {}
    for row in sheet.rows:
        number = row["file_number"]
        if number in seen:
            sheet.wrong(row, "file_number", RowTwice(value=number, line=seen[number]))
        seen.setdefault(number, row.line)
        from_day, to_day = _day(sheet, row, "valid_from"), _day(sheet, row, "valid_to")
        made = StaffRow(
            file_number=number,
            name=row["name"],
            role=_known(sheet, row, "role", roles),
            phone=row["phone"][:40],
            notes=row["notes"],
            credential=_known(sheet, row, "credential", papers),
            credential_number=row["credential_number"][:200],
            valid_from=begins(from_day, clock) if from_day else None,
            valid_until=ends(to_day, clock) if to_day else None,
        )
        if row.line not in sheet.bad_lines:
            found[row.line] = made
    return found


def _codes(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {folded(word): code for code, name in pairs for word in (code, name)}


def _known(sheet: Sheet, row: Row, name: str, codes: dict[str, str]) -> str:
    word = row[name]
    if word and folded(word) not in codes:
        sheet.wrong(row, name, WordUnknown(value=word[:60], known=", ".join(sorted(set(codes.values())))))
    return codes.get(folded(word), "") if word else ""


def _day(sheet: Sheet, row: Row, name: str) -> dt.date | None:
    word = row[name]
    if not word:
        return None
    for shape in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            day = dt.datetime.strptime(word, shape).date()  # noqa: DTZ007  (a day has no zone)
        except ValueError:
            continue
        if 1990 <= day.year <= 2100:
            return day
    sheet.wrong(row, name, DateRefused(value=word[:60]))
    return None
