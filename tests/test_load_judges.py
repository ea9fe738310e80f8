"""The load test's own judges: a checker that cannot find anything wrong would always be content."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from loadtests.ledger import Account, Ledger, Plan
from loadtests.reckoning import Fact, Reckoning, _judge
from loadtests.screen import Screen
from realtime.access import Face
from realtime.journal import Line

KEYS = frozenset({"ops:0"})


def feature(name: str, version: int) -> dict[str, Any]:
    return {"type": "Feature", "geometry": None, "properties": {"subject": name, "version": version}}


def line(seq: int, name: str, version: int) -> dict[str, Any]:
    return {"type": "line", "seq": seq, "subject": name, "version": version, "feature": feature(name, version)}


def snapshot(seq: int, *features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "snapshot", "epoch": "e", "seq": seq, "features": list(features), "positions": []}


def fact(seq: int, name: str, version: int, *keys: str) -> Fact:
    faces = (Face(frozenset(keys or KEYS), feature(name, version)),)
    return Fact(Line(seq, name, version, faces, frozenset()), 0.0, "kind", {})


JOURNAL = [fact(11, "unit:a", 1), fact(12, "unit:b", 1), fact(13, "unit:c", 1, "government:0"), fact(14, "unit:a", 2)]
ALL = [line(11, "unit:a", 1), line(12, "unit:b", 1), line(14, "unit:a", 2)]


@pytest.fixture
def screen() -> Screen:
    plan = Plan("http://127.0.0.1", 1, 1, {}, [], [], [], None)
    made = Screen(Account("despacho", "dispatcher", "token"), Ledger(plan))
    made.take(snapshot(10), 0.0)
    return made


def reckoned(screen: Screen, *frames: dict[str, Any]) -> Reckoning:
    for frame in frames:
        screen.take(frame, 1.0)
    found = Reckoning()
    _judge(found, screen.account_of_itself([]), JOURNAL, KEYS, defaultdict(list))
    return found


def test_a_whole_feed_is_good(screen: Screen) -> None:
    found = reckoned(screen, *ALL)
    assert found.good
    assert (found.delivered, found.expected) == (3, 3)


def test_a_missing_line_is_lost(screen: Screen) -> None:
    assert reckoned(screen, ALL[0], ALL[2]).lost == ["despacho: 12 unit:b"]


def test_a_heartbeat_that_claims_too_much_loses_what_it_claims(screen: Screen) -> None:
    heartbeat = {"type": "heartbeat", "seq": 14, "server_time": "", "bus": True}
    assert reckoned(screen, *ALL[:2], heartbeat).lost == ["despacho: 14 unit:a"]


def test_a_line_told_twice_is_duplicated_and_out_of_order(screen: Screen) -> None:
    found = reckoned(screen, *ALL, ALL[2])
    assert found.duplicated == ["despacho: 14 ×2"]
    assert found.disordered


def test_lines_the_wrong_way_round_are_out_of_order(screen: Screen) -> None:
    found = reckoned(screen, ALL[2], ALL[1], ALL[0])
    assert not found.lost
    assert len(found.disordered) == 3  # two numbers, and one version


def test_a_line_for_somebody_else_is_foreign(screen: Screen) -> None:
    assert reckoned(screen, *ALL[:2], line(13, "unit:c", 1), ALL[2]).foreign == ["despacho: 13 unit:c"]


def test_another_face_is_foreign(screen: Screen) -> None:
    other = ALL[0] | {"feature": feature("unit:a", 1) | {"geometry": "elsewhere"}}
    assert reckoned(screen, other, *ALL[1:]).foreign == ["despacho: 11 unit:a with another face"]


def test_a_resumption_that_forgets_something_loses_it(screen: Screen) -> None:
    resumed = {"type": "resumed", "epoch": "e", "seq": 14, "lines": [line(14, "unit:a", 2)], "positions": []}
    assert reckoned(screen, resumed).lost == ["despacho: unit:b when it came back (10, 14]"]


def test_the_end_is_compared_with_a_snapshot(screen: Screen) -> None:
    screen.begin_comparison()
    screen.compared_at = 14
    for frame in ALL:
        screen.take(frame, 1.0)
    here = [feature("unit:a", 2), feature("unit:b", 1)]
    assert screen.differs_from(snapshot(14, *here)) == []
    assert screen.differs_from(snapshot(14, feature("unit:a", 2))) == ["unit:b should have gone"]
    assert screen.differs_from(snapshot(14, *here, feature("unit:d", 1))) == ["unit:d version 1 is not on the screen"]
