"""From calls to acts: every unit on one call at a time, everything in an order that nobody waits in a circle for."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from incidents.assignments import MOVES
from incidents.assignments import AssignmentStatus as A
from tests.replay.logs import SMALL_CDMX, SMALL_SF, cdmx_file, sf_file, sf_row
from web.replay import cdmx_c5, sf_fire
from web.replay.log import Ending, Log
from web.replay.plan import Act, Kind, Story, acts_of, id_of, tell_stories


def stories_of(log: Log) -> dict[str, Story]:
    return {story.call.key: story for story in tell_stories(log)}


def test_a_unit_sent_on_before_it_was_free_is_released_then(tmp_path: Path) -> None:
    log = sf_fire.read(sf_file(tmp_path, SMALL_SF))
    engine, _ = stories_of(log)["163664036"].sendings
    assert engine.sent_on
    sent_on = dt.datetime(2017, 1, 1, 8, 2, tzinfo=dt.UTC)
    assert [status for status, _ in engine.moves] == [A.EN_ROUTE, A.ON_SCENE, A.RELEASED]
    assert engine.moves[-1] == (A.RELEASED, sent_on)
    assert "sent elsewhere before it was free: released then" in [one.what for one in log.troubles]


def test_times_that_run_backwards_are_kept_and_their_steps_stay_in_order(tmp_path: Path) -> None:
    _, medic = stories_of(sf_fire.read(sf_file(tmp_path, SMALL_SF)))["163664036"].sendings
    moved = dict(medic.moves)
    assert moved[A.AT_DESTINATION] < moved[A.TRANSPORTING]
    assert medic.hours == sorted(medic.hours)


def test_a_unit_that_never_became_free_is_released_with_its_call(tmp_path: Path) -> None:
    log = sf_fire.read(sf_file(tmp_path, SMALL_SF))
    story = stories_of(log)["170010001"]
    assert story.sendings[1].moves == [(A.RELEASED, dt.datetime(2017, 1, 1, 8, 9, tzinfo=dt.UTC))]
    assert story.ended_at == dt.datetime(2017, 1, 1, 8, 9, tzinfo=dt.UTC)


def test_a_call_without_a_place_is_dismissed(tmp_path: Path) -> None:
    story = stories_of(cdmx_c5.read(cdmx_file(tmp_path, SMALL_CDMX)))["C5/6"]
    assert (story.ending, story.code) == (Ending.DISMISS, "insufficient")


def test_ids_are_of_the_log_and_look_like_ours() -> None:
    at = dt.datetime(2017, 1, 1, 8, tzinfo=dt.UTC)
    one, same, other = (id_of("sf-fire", "incident", key, at) for key in ("1", "1", "2"))
    assert one == same != other
    assert (one.version, one.variant) == (7, RFC_4122)
    assert one.int >> 80 == int(at.timestamp() * 1000)
    assert one < id_of("sf-fire", "incident", "0", at + dt.timedelta(milliseconds=1))


minutes = st.integers(0, 12)
answers = st.tuples(
    st.integers(1, 4),
    st.sampled_from(["A", "B", "C"]),
    st.lists(st.one_of(st.none(), minutes), min_size=8, max_size=8),
)


def _rows(drawn: list[tuple[int, str, list[int | None]]]) -> list[dict[str, str]]:
    rows = []
    for call, unit, times in drawn:
        clock = ["" if at is None else f"01/01/2017 12:{at:02d}:00 AM" for at in times]
        columns = {column.replace(" ", "_"): at for column, at in zip(sf_fire.TIMES, clock, strict=True)}
        rows.append(sf_row(Call_Number=str(call), Unit_ID=unit, **columns))
    return rows


@given(st.lists(answers, max_size=12))
def test_whatever_the_log_says_the_acts_can_be_done_in_their_order(
    drawn: list[tuple[int, str, list[int | None]]],
) -> None:
    with TemporaryDirectory() as directory:
        log = sf_fire.read(sf_file(Path(directory), _rows(drawn)))
    acts = acts_of(tell_stories(log))
    assert [act.hour for act in acts] == sorted(act.hour for act in acts)
    on: dict[object, Act] = {}  # the unit's live assignment
    state: dict[object, A] = {}
    told: dict[str, list[Kind]] = defaultdict(list)
    for act in acts:
        told[act.story.call.key].append(act.kind)
        if act.sending is None:
            continue
        if act.kind is Kind.ASSIGN:
            assert act.sending.unit_id not in on, "a unit is on one call at a time"
            on[act.sending.unit_id], state[act.sending] = act, A.ASSIGNED
            continue
        assert act.status in MOVES[state[act.sending]]
        state[act.sending] = act.status
        if act.status is A.RELEASED:
            assert on.pop(act.sending.unit_id).sending is act.sending
    assert not on, "everybody is free at the end"
    for kinds in told.values():
        assert kinds[:2] == [Kind.REPORT, Kind.TRIAGE]
        assert kinds.index(Kind.CLOSE) == len(kinds) - 1
