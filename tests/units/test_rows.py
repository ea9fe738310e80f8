"""Units from a spreadsheet: as files really come, what is wrong with which row, and nothing half done."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.database import Sessions, reading
from realtime.errors import Refusal
from resources.units import Unit
from tests.builders import City
from tests.conftest import Client, SignIn
from tests.scenes.units import a_facility, a_vehicle
from web.rows import (
    ColumnMissing,
    ColumnTwice,
    NoRows,
    NotATable,
    Sheet,
    TooManyRows,
    read_rows,
    written_rows,
)
from web.unit_rows import COLUMNS, HEADER, apply_units, plan_units, unit_rows

HEAD = "Móvil;Tipo;Organismo;Capacidades;Base;Zona;Notas;Patente;Marca;Modelo;Año;VTV;Seguro"
GOOD = (
    "M21;patrulla;Municipality;GUM + MOTOBOMBA=600;Base Norte;Oeste;sin radio;"
    "AB 123 CD;Toyota;Hilux;2021;31/12/2027;2028-01-31"
)


def sheet_of(text: str, encoding: str = "utf-8") -> Sheet:
    """A file as it was understood."""
    return read_rows(text.encode(encoding), COLUMNS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "cp850", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
async def test_files_as_they_really_come(session: AsyncSession, city: City, encoding: str, separator: str) -> None:
    text = f"{HEAD}\r\n{GOOD}\r\n".replace(";", separator)
    sheet = sheet_of(text, encoding)
    (one,) = await plan_units(session, city.actor("supervisor"), sheet)
    assert (sheet.errors, one.call_sign, one.what) == ([], "M21", "add")
    await apply_units(session, city.actor("supervisor"), [one])
    unit = (await session.scalars(select(Unit).where(Unit.call_sign == "M21"))).one()
    assert (unit.kind, unit.capabilities, unit.amounts) == ("patrol", ["GUM", "MOTOBOMBA"], {"MOTOBOMBA": 600.0})
    assert (unit.base, unit.home_zone, unit.notes) == ("Base Norte", "Oeste", "sin radio")


async def test_headers_in_english_in_another_order_and_with_strangers() -> None:
    sheet = sheet_of('NOTES,Color,call_sign\n"a, b\nc",rojo,Z1\n\n,,\nx,y,Z2\n')
    assert [(row.line, row["call_sign"], row["notes"]) for row in sheet.rows] == [(2, "Z1", "a, b\nc"), (6, "Z2", "x")]
    assert sheet.ignored == ["Color"]


async def test_what_comes_out_goes_in_again_and_changes_nothing(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await a_vehicle(session, city, plate="AD456EF")
    base = await a_facility(session, city)
    await apply_units(session, boss, await plan_units(session, boss, sheet_of(f"{HEAD}\n{GOOD}\n")))
    at_base = sheet_of(f"móvil;base;notas\nM1;{base.name};=1+1\n")
    await apply_units(session, boss, await plan_units(session, boss, at_base))
    raw = written_rows(HEADER, await unit_rows(session, boss))
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b";'=1+1;" in raw
    sheet = read_rows(raw, COLUMNS)
    planned = await plan_units(session, boss, sheet)
    assert sheet.errors == []
    assert {one.what for one in planned} == {"same"}, [one.document() for one in planned if one.what != "same"]
    assert {one.call_sign for one in planned} == {"M1", "M2", "T1", "P1", "M21"}


async def test_a_row_changes_a_unit_by_its_call_sign(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await a_vehicle(session, city, unit="M1")
    sheet = sheet_of("móvil;tipo;patente;vtv;notas\nm1;moto;;01/02/2027;\nM2;;AB123CD;;ahora la tiene M2\n")
    planned = await plan_units(session, boss, sheet)
    assert [one.document()["changes"] for one in planned] == [
        [
            {"field": "kind", "was": "patrulla", "becomes": "moto"},
            {"field": "inspection_until", "was": "", "becomes": "01/02/2027"},
        ],
        [
            {"field": "notes", "was": "", "becomes": "ahora la tiene M2"},
            {"field": "plate", "was": "", "becomes": "AB123CD"},
        ],
    ]
    await apply_units(session, boss, planned)
    again = await plan_units(session, boss, sheet_of("móvil;patente;vtv\nM2;ab-123-cd;1/2/2027\n"))
    assert [one.what for one in again] == ["same"]


WRONG = [
    (";patrulla;;;;;;;;;;;", "Móvil", "CellMissing"),
    ("M30;nave espacial;;;;;;;;;;;", "Tipo", "WordUnknown"),
    ("M30;;Club Atlético;;;;;;;;;;", "Organismo", "WordUnknown"),
    ("M30;;;GUM+RAYO LÁSER;;;;;;;;;", "Capacidades", "WordUnknown"),
    ("M30;;;GUM=3;;;;;;;;;", "Capacidades", "AmountRefused"),
    ("M30;;;MOTOBOMBA=mucho;;;;;;;;;", "Capacidades", "AmountRefused"),
    ("M30;;;MOTOBOMBA=0;;;;;;;;;", "Capacidades", "AmountRefused"),
    ("M30;;;;;Atlantis;;;;;;;", "Zona", "WordUnknown"),
    ("M30;;;;;;;A?;;;;;", "Patente", "PlateRefused"),
    ("M30;;;;;;;;;;;31/12/2027;", "Patente", "PlateNeeded"),
    ("M30;;;;;;;AC999AA;;;1492;;", "Año", "NumberRefused"),
    ("M30;;;;;;;AC999AA;;;2021;30/02/2027;", "VTV", "DateRefused"),
    ("M30;;;;;;;AC999AA;;;2021;;12/31/2027", "Seguro", "DateRefused"),
    ("M30;;;;;;;AC999AA;;;²⁰²¹;;", "Año", "NumberRefused"),
    (f"{'M' * 21};;;;;;;;;;;;", "Móvil", "CellTooLong"),
    (f"M30;;;;;;{'x' * 2001};;;;;;", "Notas", "CellTooLong"),
    ("M30;;;;;;;;;;;;;de más", "", "CellsTooMany"),
]


@pytest.mark.parametrize(("row", "column", "code"), WRONG)
async def test_each_wrong_row_says_where_and_why(
    session: AsyncSession, city: City, row: str, column: str, code: str
) -> None:
    sheet = sheet_of(f"{HEAD}\n{GOOD}\n{row}\n")
    planned = await plan_units(session, city.actor("supervisor"), sheet)
    assert [(error.line, error.column, error.why.code) for error in sheet.errors] == [(3, column, code)]
    assert [one.call_sign for one in planned] == ["M21"]


async def test_twice_in_one_file_is_wrong(session: AsyncSession, city: City) -> None:
    sheet = sheet_of("móvil;patente\nM30;AA111AA\nm30;AA222AA\nM31;aa111aa\n")
    await plan_units(session, city.actor("supervisor"), sheet)
    assert [(error.line, error.column, error.why.facts["line"]) for error in sheet.errors] == [
        (3, "móvil", 2),
        (4, "patente", 2),
    ]


HOSTILE: dict[str, tuple[bytes, type[Refusal]]] = {
    "nothing": (b"", NotATable),
    "spaces": (b"  \n\n  ", NotATable),
    "an Excel file": (b"PK\x03\x04" + bytes(100), NotATable),
    "an old Excel file": (b"\xd0\xcf\x11\xe0" + bytes(100), NotATable),
    "a PDF": (b"%PDF-1.7 \n1 0 obj", NotATable),
    "NULs": (b"m\xc3\xb3vil;tipo\nM\x0030;x\n", NotATable),
    "half a UTF-16": ("móvil;tipo\nM1;x\n".encode("utf-16")[:-1], NotATable),
    "only a header": ("móvil;tipo\n".encode(), NoRows),
    "no column of ours": (b"a;b\n1;2\n", ColumnMissing),
    "JSON": (b'{"a": [1, 2]}\n{}\n', ColumnMissing),
    "HTML": (b"<html><script>alert(1)</script>\n<b>\n", ColumnMissing),
    "the same column twice": ("móvil;Movil\nM1;M2\n".encode(), ColumnTwice),
    "too many rows": (b"call_sign\n" + b"".join(b"X%d\n" % n for n in range(2001)), TooManyRows),
}
HOSTILE["a quote that never ends"] = ('móvil;notas\nM1;"sin fin\n'.encode(), NotATable)
HOSTILE["a cell of a megabyte"] = (b"call_sign\n" + b"x" * 900_000 + b"\n", NotATable)
HOSTILE["text after a quote"] = ('móvil;notas\nM1;"a"b\n'.encode(), NotATable)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_whole(what: str) -> None:
    raw, refusal = HOSTILE[what]
    with pytest.raises(refusal):
        read_rows(raw, COLUMNS)


def test_what_nobody_sees_is_not_read() -> None:
    sheet = sheet_of("móvil;notas\nM\u200b1\u202e;a\u0007b\n")
    assert (sheet.rows[0]["call_sign"], sheet.rows[0]["notes"]) == ("M1", "ab")


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_nothing_that_goes_out_is_run_by_a_spreadsheet(cell: str) -> None:
    raw = written_rows(["a"], [[cell]])
    assert raw.decode("utf-8-sig").splitlines()[1].lstrip('"').startswith("'")


# ── Over HTTP ─────────────────────────────────────────────────────────────────────────────────────


async def send(client: Client, text: str, **query: Any) -> tuple[int, dict[str, Any]]:
    """Send a file; the answer."""
    answer = await client.post(
        "/api/v1/units/import", params=query, content=text.encode(), headers={"Content-Type": "text/csv"}
    )
    return answer.status_code, answer.json()


async def count(sessions: Sessions) -> int:
    """How many units there are."""
    async with reading(sessions) as session:
        return await session.scalar(select(func.count()).select_from(Unit)) or 0


async def test_seen_first_then_all_or_the_good_ones(signed_in: SignIn, sessions: Sessions, city: City) -> None:
    rows = [f"N{n};patrulla;GUM" for n in range(23)]
    text = "\n".join(["móvil;tipo;capacidades", *rows, "N98;tanque;GUM", ";moto;"])
    before = await count(sessions)
    async with signed_in("administrator") as admin, signed_in("dispatcher") as desk:
        status, seen = await send(admin, text)
        assert (status, seen["applied"], seen["counts"]) == (200, False, {"add": 23, "change": 0, "same": 0, "bad": 2})
        assert [(one["line"], one["column"]) for one in seen["errors"]] == [(25, "tipo"), (26, "móvil")]
        assert seen["errors"][0]["message"].startswith("“tanque” no se conoce. Se conocen: patrulla, ")
        status, said = await send(admin, text, apply="all")
        assert (status, said["code"], await count(sessions)) == (422, "RowsAreWrong", before)
        status, said = await send(admin, text, apply="good", rows=24)
        assert (status, said["code"], await count(sessions)) == (409, "RowsChanged", before)
        assert (await send(desk, text, apply="good"))[0] == 403
        status, done = await send(admin, text, apply="good", rows=23)
        assert (status, done["applied"], await count(sessions)) == (200, True, before + 23)
        status, again = await send(admin, text, apply="good", rows=23)
        assert (again["counts"]["same"], await count(sessions)) == (23, before + 23)
        exported = await admin.get("/api/v1/units/export")
        assert exported.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in exported.headers["content-disposition"]
        assert exported.content.decode("utf-8-sig").count("\r\n") == before + 24
        as_json = await admin.post("/api/v1/units/import", json={"x": 1})
        assert (as_json.status_code, as_json.json()["code"]) == (415, "NotThatType")
        huge = await admin.post(
            "/api/v1/units/import", content=b"x" * (1024 * 1024 + 1), headers={"Content-Type": "text/csv"}
        )
        assert huge.status_code == 413
