"""Passage: what fixes tell about a fence, and what their jitter must not."""

from __future__ import annotations

import datetime as dt
import math
import random
from itertools import pairwise

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.passage import Direction, Ground, Passage, Sight, Standing, What, look
from geo.places import METRES_PER_DEGREE

START = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
LONG_AGO = START - dt.timedelta(days=30)
LON, LAT = -60.65, -32.95
WIDE, TALL = METRES_PER_DEGREE * math.cos(math.radians(LAT)), METRES_PER_DEGREE


def at(x: float, y: float) -> tuple[float, float]:
    """Degrees of a place so many metres east and north of the middle."""
    return LON + x / WIDE, LAT + y / TALL


def square(half: float) -> shapely.Polygon:
    return shapely.Polygon([at(-half, -half), at(half, -half), at(half, half), at(-half, half)])


def sight(x: float, y: float, second: float, accuracy: float | None = 10) -> Sight:
    return Sight(*at(x, y), START + dt.timedelta(seconds=second), accuracy)


BLOCK = Ground(square(200))
AVENUE = Ground(shapely.LineString([at(0, -500), at(0, 500)]))  # drawn northwards: its left is the west


def told(
    ground: Ground, sights: list[Sight], *, dwell: float | None = None, watched_since: dt.datetime = LONG_AGO
) -> list[Passage]:
    """All that a run of fixes tells, the first of them after the last of another life far away."""
    standing, before, found = Standing(), None, []
    for one in sights:
        found += look(
            ground,
            standing,
            one,
            before,
            watched_since=watched_since,
            dwell=dt.timedelta(seconds=dwell) if dwell else None,
        )
        if before is None or one.at > before.at:
            before = one
    return found


def whats(passages: list[Passage]) -> list[What]:
    return [passage.what for passage in passages]


def through(speed: float, every: float, *, half: float = 400, y: float = 0, accuracy: float = 10) -> list[Sight]:
    """A drive from west to east."""
    steps = int(2 * half / (speed * every))
    return [sight(-half + n * speed * every, y, n * every, accuracy) for n in range(steps + 2)]


# ── Areas ─────────────────────────────────────────────────────────────────────────────────────────


@given(
    speed=st.floats(5, 30),
    every=st.sampled_from([1.0, 2.0, 5.0, 10.0]),
    y=st.floats(-150, 150),
    accuracy=st.floats(3, 40),
    seed=st.integers(0, 2**32),
)
def test_a_clean_pass_is_one_entry_and_one_exit(
    speed: float, every: float, y: float, accuracy: float, seed: int
) -> None:
    noise = random.Random(seed)
    wander = accuracy / 3
    sights = [
        Sight(
            one.lon + noise.uniform(-wander, wander) / WIDE,
            one.lat + noise.uniform(-wander, wander) / TALL,
            one.at,
            one.accuracy_m,
        )
        for one in through(speed, every, y=y, accuracy=accuracy)
    ]
    assert whats(told(BLOCK, sights)) == [What.ENTERED, What.EXITED]


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=2, max_size=300), st.floats(8, 60))
def test_a_van_parked_at_the_border_enters_at_most_once_whatever_its_fixes_say(
    jitter: list[tuple[float, float]], accuracy: float
) -> None:
    """Any run of errors up to half of what the device admits: no luck is needed."""
    sights = [sight(200 + x * accuracy / 2, y * accuracy / 2, second, accuracy) for second, (x, y) in enumerate(jitter)]
    assert whats(told(BLOCK, sights)) in ([], [What.ENTERED])


@pytest.mark.parametrize("seed", range(20))
def test_a_van_parked_at_the_border_for_a_night_enters_at_most_once(seed: int) -> None:
    """Errors as devices have them: normal, two thirds within what they admit, and now and then far beyond."""
    noise = random.Random(seed)
    sights = [sight(200 + noise.gauss(0, 5), noise.gauss(0, 5), second * 5, 12) for second in range(5000)]
    assert whats(told(BLOCK, sights)) in ([], [What.ENTERED])


@given(
    st.lists(
        st.tuples(st.floats(-600, 600), st.floats(-600, 600), st.floats(0.1, 900), st.floats(1, 200)), max_size=120
    )
)
def test_entries_and_exits_take_turns_and_time_never_runs_back(
    steps: list[tuple[float, float, float, float]],
) -> None:
    second, sights = 0.0, []
    for x, y, later, accuracy in steps:
        second += later
        sights.append(sight(x, y, second, accuracy))
    passages = told(BLOCK, sights, dwell=60)
    stays = [passage.what for passage in passages if passage.what is not What.DWELLED]
    assert stays == [What.ENTERED, What.EXITED] * (len(stays) // 2) + [What.ENTERED] * (len(stays) % 2)
    inside = dwelled = False
    for passage in passages:
        if passage.what is What.DWELLED:
            assert inside
            assert not dwelled, "once in a visit"
        dwelled = passage.what is What.DWELLED
        inside = passage.what is not What.EXITED
    moments = [passage.at for passage in passages if passage.what is not What.DWELLED]
    assert moments == sorted(moments)


@given(st.permutations(list(range(12))), st.integers(0, 2**32))
def test_what_comes_out_of_order_or_twice_tells_nothing(order: list[int], seed: int) -> None:
    clean = through(15, 5)
    stale = random.Random(seed)
    mixed: list[Sight] = []
    for one in clean:
        mixed.append(one)
        mixed += [mixed[stale.randrange(len(mixed))] for _ in order[:3]]
    assert whats(told(BLOCK, mixed)) == whats(told(BLOCK, clean)) == [What.ENTERED, What.EXITED]


def test_a_stay_is_told_once_when_it_becomes_long_and_again_in_the_next_visit() -> None:
    stay = [sight(-400, 0, 0), *(sight(0, 0, 10 + n * 10) for n in range(30))]
    away = [sight(-400, 0, 400), sight(-400, 0, 410)]
    again = [sight(0, 0, 500 + n * 10) for n in range(30)]
    passages = told(BLOCK, [*stay, *away, *again], dwell=120)
    assert whats(passages) == [What.ENTERED, What.DWELLED, What.EXITED, What.ENTERED, What.DWELLED]
    assert passages[1].at == START + dt.timedelta(seconds=130), "when it was long, not when we heard"


def test_a_fix_that_may_be_anywhere_neither_enters_nor_leaves() -> None:
    assert told(BLOCK, [sight(-400, 0, 0), sight(150, 0, 10, 95), sight(160, 0, 20, 95), sight(150, 0, 30, 95)]) == []
    stay = [sight(-400, 0, 0), sight(0, 0, 10), sight(260, 0, 20, 95), sight(0, 0, 30)]
    assert whats(told(BLOCK, stay)) == [What.ENTERED]


def test_just_outside_for_a_minute_is_outside() -> None:
    parked = [sight(-400, 0, 0), sight(0, 0, 10), *(sight(212, 0, 20 + n, 15) for n in range(90))]
    passages = told(BLOCK, parked)
    assert whats(passages) == [What.ENTERED, What.EXITED]
    assert passages[1].at == START + dt.timedelta(seconds=20), "since it was first seen there"


def test_a_fence_as_small_as_the_error_is_still_entered() -> None:
    gate = Ground(square(12))
    stop = [sight(-100, 0, 0), sight(-50, 0, 1), *(sight(0, 0, 2 + n) for n in range(4)), sight(60, 0, 10)]
    assert whats(told(gate, stop)) == [What.ENTERED, What.EXITED]


def test_after_a_long_silence_it_is_said_that_nobody_saw_it_come() -> None:
    silent = [sight(-400, 0, 0), sight(0, 0, 1800), sight(0, 0, 1810), sight(400, 0, 9000)]
    entered, exited = told(BLOCK, silent)
    assert (entered.unseen, exited.unseen) == (dt.timedelta(seconds=1800), dt.timedelta(seconds=7190))
    assert not entered.already_there
    soon = told(BLOCK, [sight(-400, 0, 0), sight(0, 0, 20)])
    assert soon[0].unseen is None


def test_what_is_inside_when_the_fence_is_drawn_was_already_there() -> None:
    drawn = START + dt.timedelta(seconds=5)
    parked = [sight(0, 0, n) for n in range(10)]
    (entered,) = told(BLOCK, parked, watched_since=drawn)
    assert entered.already_there
    assert entered.at == drawn
    (first,) = told(BLOCK, parked)
    assert first.already_there, "the first that is ever heard of it"


def test_a_hole_is_outside() -> None:
    ring = Ground(square(300).difference(square(150)))
    ways = [sight(-500, 0, 0), sight(-225, 0, 10), sight(0, 0, 20), sight(225, 0, 30), sight(500, 0, 40)]
    assert whats(told(ring, ways)) == [What.ENTERED, What.EXITED] * 2


def test_a_boundary_of_thousands_of_vertices_is_simplified_by_less_than_gps_can_tell() -> None:
    circle = shapely.Polygon(
        [at(200 * math.cos(a / 5000 * math.tau), 200 * math.sin(a / 5000 * math.tau)) for a in range(5000)]
    )
    ground = Ground(circle)
    for x in (150, 190, 199, 201, 210, 250):
        assert ground.depth(sight(x, 0, 0)) == pytest.approx(200 - x, abs=2.5)


# ── Lines ─────────────────────────────────────────────────────────────────────────────────────────


@given(
    jitter=st.lists(st.tuples(st.floats(-6, 6), st.floats(-6, 6)), max_size=60),
    eastward=st.booleans(),
    y=st.floats(-400, 400),
)
def test_a_line_is_crossed_once_with_its_direction_however_long_one_waits_on_it(
    jitter: list[tuple[float, float]], eastward: bool, y: float
) -> None:
    sign = 1 if eastward else -1
    waiting = [sight(x, y + wander, 20 + n) for n, (x, wander) in enumerate(jitter)]
    sights = [
        sight(-60 * sign, y, 0),
        sight(-30 * sign, y, 5),
        *waiting,
        sight(30 * sign, y, 100),
        sight(60 * sign, y, 105),
    ]
    (crossed,) = told(AVENUE, sights)
    assert crossed.what is What.CROSSED
    assert crossed.direction is (Direction.LEFT_TO_RIGHT if eastward else Direction.RIGHT_TO_LEFT)


@given(st.lists(st.tuples(st.floats(-6, 6), st.floats(-300, 300)), max_size=60))
def test_who_turns_round_on_the_line_has_not_crossed_it(jitter: list[tuple[float, float]]) -> None:
    sights = [sight(-60, 0, 0), *(sight(x, y, 1 + n) for n, (x, y) in enumerate(jitter)), sight(-60, 0, 200)]
    assert told(AVENUE, sights) == []


@given(
    st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=2, max_size=40),
    st.lists(st.integers(-200, 200), min_size=2, max_size=8, unique=True),
)
def test_over_a_line_that_divides_the_city_one_side_follows_the_other(
    places: list[tuple[float, float]], bends: list[int]
) -> None:
    """Whatever the way and whatever the line, crossings there and back take turns."""
    ys = [-5000, *sorted(bends), 5000]
    line = Ground(shapely.LineString([at(((n * 37) % 11 - 5) * 8, y) for n, y in enumerate(ys)]))
    sights = [sight(x, y, 10 * n, 8) for n, (x, y) in enumerate(places)]
    directions = [passage.direction for passage in told(line, sights)]
    assert all(one is not two for one, two in pairwise(directions))


def test_through_the_very_corner_of_a_line_is_once() -> None:
    bent = Ground(shapely.LineString([at(0, -100), at(0, 0), at(0, 100)]))
    assert len(told(bent, [sight(-50, 0, 0), sight(50, 0, 10)])) == 1
    assert len(told(bent, [sight(-50, 0, 0), sight(0, 0, 5), sight(50, 0, 10)])) == 1


def test_around_the_end_of_a_line_is_not_over_it() -> None:
    assert told(AVENUE, [sight(-60, 450, 0), sight(-60, 600, 10), sight(60, 600, 20), sight(60, 450, 30)]) == []
