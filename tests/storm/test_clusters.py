"""What belongs together."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from geo.places import metres
from incidents.clusters import Spotted, clusters_of
from tests.travel.towns import spot

NOON = dt.datetime(2026, 11, 26, 15, tzinfo=dt.UTC)


def seen(n: int, kind: str | None, x: float, y: float, minute: float = 0) -> Spotted[int]:
    """Something at so many blocks and minutes."""
    return Spotted(n, kind, spot(x, y), NOON + dt.timedelta(minutes=minute))


def test_of_one_type_near_in_place_and_time() -> None:
    things = [
        seen(1, "MET-01", 0, 0),
        seen(2, "MET-01", 2, 0, 10),
        seen(3, "MET-01", 9, 0, 10),  # another street
        seen(4, "MET-03", 1, 0, 5),  # something else
        seen(5, "MET-01", 1, 0, 40),  # later
        seen(6, None, 1, 0, 1),  # nobody said what
    ]
    found = clusters_of(things, within=300, seconds=900)
    assert [[one.thing for one in cluster.members] for cluster in found] == [[1, 2], [6], [4], [3], [5]]


def test_a_chain_does_not_become_the_whole_street() -> None:
    found = clusters_of([seen(n, "MET-03", 2 * n, 0, n) for n in range(10)], within=300, seconds=9000)
    assert max(len(cluster.members) for cluster in found) == 2


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", None]), st.integers(0, 30), st.integers(0, 30), st.integers(0, 120)),
        max_size=60,
    )
)
def test_each_is_in_one_and_none_reaches_too_far(raw: list[tuple[str | None, int, int, int]]) -> None:
    things = [seen(n, *one) for n, one in enumerate(raw)]
    found = clusters_of(things, within=300, seconds=900)
    assert sorted(one.thing for cluster in found for one in cluster.members) == list(range(len(raw)))
    for cluster in found:
        for one in cluster.members:
            assert one.kind == cluster.kind
            assert metres(one.place, cluster.first.place) <= 300
            assert 0 <= (one.at - cluster.first.at).total_seconds() <= 900
