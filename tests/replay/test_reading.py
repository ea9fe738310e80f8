"""Reading real logs: every row is left out with its reason or kept, and no row stops the reading."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from incidents.assignments import AssignmentStatus as A
from incidents.catalogue import default_content
from incidents.reports import Channel
from resources.units import UnitKind
from tests.replay.logs import CDMX_COLUMNS, SF_COLUMNS, cdmx_file, cdmx_row, sf_file, sf_row, text_of
from web.replay import cdmx_c5, sf_fire
from web.replay.log import Ending, Log, NotThatLog, instants

SAN_FRANCISCO, MEXICO = ZoneInfo("America/Los_Angeles"), ZoneInfo("America/Mexico_City")


def whats(log: Log) -> list[str]:
    return [trouble.what for trouble in log.troubles]


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


# ── San Francisco ─────────────────────────────────────────────────────────────────────────────────


def test_a_row_is_a_units_answer_to_a_call(tmp_path: Path) -> None:
    log = sf_fire.read(sf_file(tmp_path, [sf_row(), sf_row(Unit_ID="57", Unit_Type="MEDIC")]))
    (call,) = log.calls
    assert (call.type_code, call.priority, call.code, call.channel) == ("SAN-01", 1, "transported", Channel.PHONE)
    assert call.received_at == utc("2017-01-01T07:52:01")
    assert call.position == (-122.432957440518, 37.8051625655624)
    assert call.place == "0 Block of MARINA BLVD, Marina"
    engine, medic = call.answers
    assert (engine.unit.key, engine.unit.kind, medic.unit.kind) == ("E38", UnitKind.FIRE, UnitKind.AMBULANCE)
    assert engine.moves == [(A.EN_ROUTE, utc("2017-01-01T07:55:34")), (A.ON_SCENE, utc("2017-01-01T08:00:32"))]
    assert engine.free_at == utc("2017-01-01T08:06:02")
    assert (log.rows, log.left_out, log.troubles) == (2, 0, [])


@pytest.mark.parametrize(
    ("changes", "what", "left_out"),
    [
        ({"Call_Number": ""}, "no call number", True),
        ({"Unit_ID": ""}, "no unit: only its call is kept", False),
        ({"On_Scene_DtTm": "31/12/2016 11:59:59 PM"}, "time not understood", False),
        ({"On_Scene_DtTm": "01/01/1970 12:00:00 AM"}, "implausible time", False),
        ({"Available_DtTm": "01/01/2099 12:00:00 AM"}, "implausible time", False),
        ({"On_Scene_DtTm": "12/31/2016 11:55:00 PM"}, "times out of order, kept as they are", False),
        ({"Dispatch_DtTm": ""}, "no time of sending: the call's is taken", False),
        ({"Location": ""}, "no place", False),
        ({"Location": "(nan, nan)"}, "no place", False),
        ({"Location": "(-122.43, 37.8)"}, "a place outside the log's region", False),
        ({"Location": "(0.0, 0.0)"}, "a place outside the log's region", False),
        ({"Call_Type": "Kaiju"}, "unknown kind of call", False),
        ({"Call_Final_Disposition": "Eaten"}, "unknown ending", False),
        ({"Unit_Type": "BLIMP"}, "unknown kind of unit", False),
        ({name.replace(" ", "_"): "" for name in sf_fire.TIMES}, "no time at all", True),
    ],
)
def test_a_dirty_row_is_named_with_its_line(
    tmp_path: Path, changes: dict[str, str], what: str, *, left_out: bool
) -> None:
    log = sf_fire.read(sf_file(tmp_path, [sf_row(Call_Number="1"), sf_row(**changes)]))
    (trouble,) = [one for one in log.troubles if one.what == what]
    assert (trouble.line, trouble.left_out) == (3, left_out)
    assert (log.rows, log.left_out) == (2, int(left_out))
    assert sum(call.rows for call in log.calls) == 2 - left_out


def test_what_can_be_kept_of_a_dirty_row_is_kept(tmp_path: Path) -> None:
    row = sf_row(Response_DtTm="tomorrow", On_Scene_DtTm="12/31/2016 11:55:00 PM")
    log = sf_fire.read(sf_file(tmp_path, [row]))
    assert log.calls[0].answers[0].moves == [(A.ON_SCENE, utc("2017-01-01T07:55:00"))]


def test_the_place_comes_from_any_row_of_the_call(tmp_path: Path) -> None:
    log = sf_fire.read(sf_file(tmp_path, [sf_row(Location="NaN"), sf_row(Unit_ID="T1", Unit_Type="TRUCK")]))
    assert log.calls[0].position is not None
    assert whats(log) == ["no place"]


def test_rows_that_stand_twice_or_break_off_are_left_out(tmp_path: Path) -> None:
    lines = text_of([sf_row(), sf_row(), sf_row(Unit_ID="T1", Unit_Type="TRUCK")], SF_COLUMNS).splitlines()
    lines += ["163664036,E99", '"163664036,open quote', "", lines[1] + ",one more"]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    log = sf_fire.read(tmp_path / "log.csv")
    assert [(one.line, one.what) for one in log.troubles] == [
        (3, "repeated row"),
        (5, "not as many fields as columns"),
        (6, "not as many fields as columns"),
        (8, "not as many fields as columns"),
    ]
    assert (log.rows, log.left_out, len(log.calls[0].answers)) == (6, 4, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = text_of([sf_row(Address="Peña St")], SF_COLUMNS).replace("\n", "\r\n")
    (tmp_path / "log.csv").write_bytes(text.encode(encoding))
    log = sf_fire.read(tmp_path / "log.csv")
    assert log.calls[0].place == "Peña St, Marina"
    assert ("not UTF-8: read as Windows-1252" in whats(log)) == (encoding == "cp1252")


def test_another_file_is_not_taken_for_the_log(tmp_path: Path) -> None:
    with pytest.raises(NotThatLog):
        sf_fire.read(cdmx_file(tmp_path, [cdmx_row()]))
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(NotThatLog):
        cdmx_c5.read(tmp_path / "empty.csv")


# ── Times ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_hour_that_happened_twice_is_read_so_that_the_row_stays_in_order(tmp_path: Path) -> None:
    times = ("11/06/2016 12:50:00 AM", "11/06/2016 12:51:00 AM", "11/06/2016 12:52:00 AM", "11/06/2016 01:40:00 AM")
    again = ("11/06/2016 01:10:00 AM", "", "", "11/06/2016 02:05:00 AM")  # ten past one, after twenty to two
    changes = {column.replace(" ", "_"): at for column, at in zip(sf_fire.TIMES, times + again, strict=True)}
    log = sf_fire.read(sf_file(tmp_path, [sf_row(**changes)]))
    answer = log.calls[0].answers[0]
    assert answer.moves == [(A.EN_ROUTE, utc("2016-11-06T08:40:00")), (A.ON_SCENE, utc("2016-11-06T09:10:00"))]
    assert whats(log) == ["an hour that happened twice"]


def test_an_hour_that_the_clocks_skipped_is_read_as_if_they_had_not(tmp_path: Path) -> None:
    log = cdmx_c5.read(cdmx_file(tmp_path, [cdmx_row(creado="2020-04-05 02:30:00", cerrado="2020-04-05 04:00:00")]))
    assert log.calls[0].received_at == utc("2020-04-05T08:30:00")
    assert whats(log) == ["an hour that the clocks skipped"]


def test_mexican_summer_time_is_known(tmp_path: Path) -> None:
    rows = [cdmx_row(), cdmx_row(folio="2", creado="2020-07-08 00:56:08", cerrado="2020-07-08 02:00:00")]
    winter, summer = cdmx_c5.read(cdmx_file(tmp_path, rows)).calls
    assert winter.received_at == utc("2020-02-08T06:56:08")
    assert summer.received_at == utc("2020-07-08T05:56:08")


@given(st.datetimes(dt.datetime(2000, 1, 2), dt.datetime(2030, 1, 1)), st.sampled_from([SAN_FRANCISCO, MEXICO]))  # noqa: DTZ001
@example(dt.datetime(2016, 11, 6, 1, 30), SAN_FRANCISCO)  # noqa: DTZ001
@example(dt.datetime(2017, 3, 12, 2, 30), SAN_FRANCISCO)  # noqa: DTZ001
def test_a_wall_clock_means_the_instants_at_which_it_showed_that(clock: dt.datetime, zone: ZoneInfo) -> None:
    found = instants(clock, zone)
    assert list(found) == sorted(set(found))
    shown = {one.astimezone(zone).replace(tzinfo=None) for one in found}
    assert shown == {clock} or (len(found) == 1 and shown == {clock + dt.timedelta(hours=1)})


# ── Mexico City ───────────────────────────────────────────────────────────────────────────────────


def test_closing_codes_become_endings(tmp_path: Path) -> None:
    rows = [cdmx_row(folio=code, codigo_cierre=code) for code in "ANDFI?"]
    log = cdmx_c5.read(cdmx_file(tmp_path, rows))
    assert {call.key: (call.ending, call.code) for call in log.calls} == {
        "A": (Ending.CLOSE, "resolved"),
        "N": (Ending.CLOSE, "unfounded"),
        "D": (Ending.DUPLICATE, "duplicate"),
        "F": (Ending.DISMISS, "hoax"),
        "I": (Ending.DISMISS, "not_emergency"),
        "?": (Ending.CLOSE, "resolved"),
    }
    assert whats(log) == ["unknown ending"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"folio": " "}, "no call number"),
        ({"creado": "NaT", "cerrado": "nan"}, "no time at all"),
        ({"cerrado": "2020-02-07 00:00:00"}, "times out of order, kept as they are"),
        ({"lat": "inf"}, "no place"),
        ({"lat": "-99.1", "lon": "19.3"}, "a place outside the log's region"),
        ({"tipo_entrada": "PALOMA"}, "unknown channel"),
        ({"incidente_c4": "accidente-ovni"}, "unknown kind of call"),
    ],
)
def test_a_dirty_mexican_row_is_named(tmp_path: Path, changes: dict[str, str], what: str) -> None:
    log = cdmx_c5.read(cdmx_file(tmp_path, [cdmx_row(folio="1"), cdmx_row(**changes)]))
    assert [(one.line, one.what) for one in log.troubles] == [(3, what)]


def test_accents_and_case_do_not_matter(tmp_path: Path) -> None:
    row = cdmx_row(incidente_c4="ACCIDENTE-Vehículo  atrapado-varado", tipo_entrada="Cámara", codigo_cierre="a")
    log = cdmx_c5.read(cdmx_file(tmp_path, [row]))
    assert (log.calls[0].type_code, log.calls[0].channel, log.troubles) == ("SIN-04", Channel.CAMERA, [])


# ── Whatever comes ────────────────────────────────────────────────────────────────────────────────

wild = st.one_of(
    st.sampled_from(
        ["", "NaN", "0", "-1", "1e999", "\x00", "🚒", "(", "(1,2)", "12/31/2016 11:59:59 PM", "\ud7ff", '"']
    ),
    st.text(max_size=30),
)


@given(st.lists(st.dictionaries(st.sampled_from(SF_COLUMNS), wild, max_size=6), max_size=8), st.binary(max_size=60))
def test_whatever_the_rows_hold_each_is_accounted_for(rows: list[dict[str, str]], rubbish: bytes) -> None:
    with TemporaryDirectory() as directory:
        file = sf_file(Path(directory), [sf_row() | row for row in rows])
        file.write_bytes(file.read_bytes().replace(b"\x00", b"\xff") + rubbish)
        log = sf_fire.read(file)
    kept = sum(call.rows for call in log.calls)
    assert log.rows == log.left_out + kept
    assert log.left_out == sum(trouble.left_out for trouble in log.troubles)
    assert all(len(call.answers) <= call.rows for call in log.calls)
    assert log.calls == sorted(log.calls, key=lambda call: (call.received_at, call.key))


@given(st.lists(st.dictionaries(st.sampled_from(CDMX_COLUMNS), wild, max_size=6), max_size=8), st.binary(max_size=60))
def test_whatever_the_mexican_rows_hold_each_is_accounted_for(rows: list[dict[str, str]], rubbish: bytes) -> None:
    with TemporaryDirectory() as directory:
        file = cdmx_file(Path(directory), [cdmx_row(folio=str(n)) | row for n, row in enumerate(rows)])
        file.write_bytes(file.read_bytes() + rubbish)
        log = cdmx_c5.read(file)
    assert log.rows == log.left_out + sum(call.rows for call in log.calls)
    assert max(Counter(call.key for call in log.calls).values(), default=1) == 1


# ── The tables ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("source", [sf_fire, cdmx_c5])
def test_the_tables_speak_of_types_that_the_catalogue_has(source: object) -> None:
    types = {one["code"]: one for one in default_content()["types"]}
    used = {*source.TYPES.values(), source.OTHER_TYPE}  # type: ignore[attr-defined]
    assert used <= types.keys()
    # A supervisor without clearance sees reserved incidents at most: a protected one could not be followed.
    assert all(types[code]["sensitivity"] < 3 for code in used)


def test_the_tables_end_calls_as_the_catalogue_does() -> None:
    content = default_content()
    dispositions = {one["code"] for one in content["dispositions"]}
    dismissals = {one["code"] for one in content["dismissals"]} | {"insufficient"}
    assert {*sf_fire.DISPOSITIONS.values(), sf_fire.OTHER_DISPOSITION} <= dispositions
    for ending, code in cdmx_c5.ENDINGS.values():
        assert code in (dismissals if ending is Ending.DISMISS else dispositions)
