"""The open score of duplicates: a sum that anybody can add up, and better than a circle on a real log."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.likeness import Likeness, likeness
from loadtests.bench_duplicates import MINUTES, RADII, at_precision, fixed, mark, marks_of, ours, told_already, told_in
from loadtests.bench_duplicates import main as bench
from tests.conftest import real
from web.replay.cdmx_c5 import NEEDED

WINDOW = {"metres": 150, "seconds": 900}
APART = st.floats(0, 2_000)
AGE = st.floats(-100_000, 100_000)


def beside(metres: float, seconds: float, **more: object) -> Likeness:
    """Two tellings of one type, so far apart."""
    return likeness(**({"metres": metres, "seconds": seconds, "window": WINDOW, "type_is": "same"} | more))  # type: ignore[arg-type]


@given(APART, AGE)
def test_the_parts_add_up_to_the_chance(metres: float, seconds: float) -> None:
    found = beside(metres, seconds, words=["humo"], share=0.5, same_caller=True)
    points = sum(part.points or 0 for part in found.parts.values())
    assert math.isclose(found.chance, 1 / (1 + math.exp(-points)))
    assert 0 <= found.chance <= 1


@given(APART, st.floats(0, 500), AGE, st.floats(0, 50_000))
def test_farther_and_later_are_never_likelier(metres: float, more: float, seconds: float, longer: float) -> None:
    assert beside(metres + more, seconds).chance <= beside(metres, seconds).chance
    assert beside(metres, abs(seconds) + longer).chance <= beside(metres, abs(seconds)).chance
    assert beside(metres, -seconds).chance == beside(metres, seconds).chance


def test_what_is_not_known_gives_no_points_and_what_speaks_against_takes_some() -> None:
    parts = beside(40, 60, type_is=None).parts
    assert {name for name, part in parts.items() if part.points is None} == {"type", "words", "caller"}
    same, kin, other = (beside(40, 60, type_is=one).chance for one in ("same", "family", "other"))
    assert same > kin > other
    assert (
        beside(40, 60, words=[], share=0).chance
        < beside(40, 60).chance
        < beside(40, 60, words=["humo"], share=1).chance
    )
    assert beside(40, 60, same_caller=True).chance > beside(40, 60).chance
    assert beside(40, 60, channel="radio").chance < beside(40, 60).chance
    assert beside(40, 60, still_open=False).chance < beside(40, 60).chance


def test_distance_and_time_are_counted_in_the_windows_of_the_type() -> None:
    tree = likeness(metres=80, seconds=21_600, window={"metres": 80, "seconds": 21_600}, type_is="same")
    assert tree.chance == beside(150, 900).chance > 0.5
    assert beside(150, 21_600).chance < 0.3


def test_several_that_may_be_it_are_surer_than_each() -> None:
    assert told_already([]) == 0
    assert told_already([0.5, 0.5]) == 0.75


def test_a_log_is_read_judged_drawn_and_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Forty crashes far apart, each told twice within minutes at one corner: the second word is the duplicate."""
    rows = [",".join(NEEDED)]
    for n in range(40):
        for minute, code in ((0, "A"), (5, "D")):
            at, over = f"2026-01-{n % 28 + 1:02} {n % 12 + 1:02}:{minute:02}:00", "2026-02-28 00:00:00"
            where = f"{19.2 + n / 100:.4f},{-99.2:.4f}"
            kind = "accidente-choque sin lesionados,LLAMADA DEL 911"
            rows.append(f"F{n}-{minute},{at},{over},{kind},{code},TLALPAN,{where}")
    log, curve = tmp_path / "log.csv", tmp_path / "curve.svg"
    log.write_text("\n".join(rows), encoding="utf-8")
    told = told_in(log)
    assert (len(told.calls), int(told.duplicate.sum()), len(told.later)) == (80, 40, 40)
    assert (set(told.seconds.tolist()), set(told.still_open.tolist())) == ({300.0}, {True})
    assert ((ours(told) > 0.5) == told.duplicate).all()
    assert (fixed(told, 50, 10) == told.duplicate).all()
    assert not fixed(told, 50, 4).any()
    perfect = mark(told.duplicate, told.duplicate, "")
    assert (perfect.precision, perfect.recall, perfect.f1) == (1, 1, 1)

    assert bench([str(log), "--curve", str(curve)]) == 0
    assert "80 reports with a place" in capsys.readouterr().out
    assert curve.read_text(encoding="utf-8").startswith("<svg")
    assert bench([str(log), "--fit"]) == 0
    assert re.search(r"^START = -?\d", capsys.readouterr().out)


def test_it_finds_more_than_the_best_circle_of_a_real_log() -> None:
    """Of what came after the part that the points were fitted to, the circle being chosen on that very part."""
    told = told_in(real("cdmx_c5_mx/dev_before_2020-08.csv"))
    rest = np.arange(len(told.calls)) >= len(told.calls) * 0.6
    duplicate, scores = told.duplicate[rest], marks_of(ours(told)[rest], told.duplicate[rest])
    circles = [mark(fixed(told, metres, minutes)[rest], duplicate, "") for metres in RADII for minutes in MINUTES]
    for precision, more in ((0.85, 1.02), (0.90, 1.08), (0.92, 1.2)):
        circle, score = at_precision(circles, precision), at_precision(scores, precision)
        assert circle is not None
        assert score is not None
        assert score.recall > more * circle.recall, precision
    assert max(one.f1 for one in scores) > max(one.f1 for one in circles)
