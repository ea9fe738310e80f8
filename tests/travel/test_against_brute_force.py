"""Random towns against an algorithm too simple to be wrong: every way of driving, tried out arc by arc."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo.drives import AGAINST_PACE, AGAINST_SECONDS, Drive
from geo.ground import PACK
from geo.network import Link, StreetNetwork, Turn
from geo.travel import Travel
from tests.travel.towns import at, grid, node, spot, street

SIDE = 3
CORNERS = [(x, y) for x in range(SIDE) for y in range(SIDE)]
NEXT = [((x, y), other) for x, y in CORNERS for other in ((x + 1, y), (x, y + 1)) if other in CORNERS]


@dataclass(frozen=True)
class Arc:
    """One direction of one link."""

    tail: int
    head: int
    way: int | None
    seconds: float
    against: bool


def arcs_of(links: list[Link]) -> list[Arc]:
    found = []
    for link in links:
        metres = sum(math.dist(one, other) for one, other in zip(_flat(link), _flat(link)[1:], strict=False))
        seconds = metres / link.speed_kmh * 3.6
        found.append(Arc(link.a_node, link.b_node, link.osm_id, seconds, against=False))
        slow = seconds / AGAINST_PACE + AGAINST_SECONDS if link.oneway else seconds
        found.append(Arc(link.b_node, link.a_node, link.osm_id, slow, link.oneway))
    return found


def _flat(link: Link) -> list[tuple[float, float]]:
    x0, y0 = at(0, 0)
    x1, y1 = at(1, 1)
    return [((x - x0) / (x1 - x0) * 100, (y - y0) / (y1 - y0) * 100) for x, y in link.shape.coords]


def broken(path: tuple[Arc, ...], turns: list[Turn]) -> bool:
    """Whether the last arc of a path breaks a sign, read as the sign says it."""
    for turn in turns:
        steps = list(zip(turn.nodes, turn.nodes[1:], turn.ways, strict=False))

        def follows(arc: Arc, step: tuple[int, int, int]) -> bool:
            return (arc.tail, arc.head, arc.way) == step and not arc.against

        if not turn.only:
            last = path[-len(steps) :]
            if len(last) == len(steps) and all(follows(*pair) for pair in zip(last, steps, strict=True)):
                return True
            continue
        for gone in range(1, len(steps)):  # so far along the sign, and then not on
            last = path[-gone - 1 : -1]
            if len(last) == gone and all(follows(*pair) for pair in zip(last, steps[:gone], strict=True)):
                same_way = [one for one in turns if one.only and one.nodes[: gone + 1] == turn.nodes[: gone + 1]]
                allowed = [list(zip(one.nodes, one.nodes[1:], one.ways, strict=False)) for one in same_way]
                allowed = [one for one in allowed if one[:gone] == steps[:gone] and len(one) > gone]
                if not any(follows(path[-1], one[gone]) for one in allowed):
                    return True
    return False


def quickest(arcs: list[Arc], turns: list[Turn], start: int, *, against: bool) -> dict[int, float]:
    """Bellman and Ford over the last three arcs of a path: as much as any sign of ours looks back."""
    best: dict[tuple[Arc, ...], float] = {(): 0.0}
    answer = {start: 0.0}
    changed = True
    while changed:
        changed = False
        for path, spent in list(best.items()):
            here = path[-1].head if path else start
            for arc in arcs:
                if arc.tail != here or (arc.against and not against) or broken((*path, arc), turns):
                    continue
                longer, total = (*path, arc)[-3:], spent + arc.seconds
                if total < best.get(longer, math.inf) - 1e-9:
                    best[longer] = total
                    changed = True
                    answer[arc.head] = min(answer.get(arc.head, math.inf), total)
    return answer


@st.composite
def towns(draw: st.DrawFn) -> tuple[list[Link], list[Turn]]:
    """A few links between nine corners, parallel ones and loops among them, and signs at some of their crossings."""
    links = []
    for number, (one, other) in enumerate(draw(st.lists(st.sampled_from(NEXT), min_size=6, max_size=14))):
        ends = (one, other) if draw(st.booleans()) else (other, one)
        bend = draw(st.sampled_from([0.0, 0.3]))
        middle = ((ends[0][0] + ends[1][0]) / 2 + bend, (ends[0][1] + ends[1][1]) / 2 + bend)
        shape = shapely.LineString([at(*ends[0]), at(*middle), at(*ends[1])])
        speed, oneway = draw(st.sampled_from([18.0, 36.0, 54.0])), draw(st.booleans())
        way = draw(st.sampled_from([number, 1, 2]))
        links.append(Link(node(*ends[0]), node(*ends[1]), shape, "residential", None, oneway, speed, "all", way))
    turns = []
    arcs = [arc for arc in arcs_of(links) if not arc.against]
    for _ in range(draw(st.integers(0, 8))):
        path = [draw(st.sampled_from(arcs))]
        for _ in range(draw(st.integers(1, 2))):
            onward = [arc for arc in arcs if arc.tail == path[-1].head]
            if onward:
                path.append(draw(st.sampled_from(onward)))
        if len(path) > 1:
            nodes = (path[0].tail, *(arc.head for arc in path))
            turns.append(Turn(draw(st.booleans()), nodes, tuple(arc.way or 0 for arc in path)))
    return links, turns


@given(towns(), st.sampled_from(CORNERS), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_quicker_and_no_slower_than_trying_everything(
    town: tuple[list[Link], list[Turn]], start: tuple[int, int], against: bool
) -> None:
    links, turns = town
    arcs = arcs_of(links)
    assume(node(*start) in {arc.tail for arc in arcs})
    network = StreetNetwork(links, turns)
    drive = Drive(against_oneway=against)
    ground = Travel(network).ground(drive)
    numbers = {}
    for n, link in enumerate(links):
        numbers[link.a_node], numbers[link.b_node] = int(network.a[n]), int(network.b[n])
    ((there,), _) = ground.search([{numbers[node(*start)]: 0.0}], back=False)
    truth = quickest(arcs, turns, node(*start), against=against)
    ours = {corner: float(there[number]) for corner, number in numbers.items()}
    for arc, head in enumerate(network.arcs.heads.tolist()):  # and the nodes that remember how one came to a corner
        link = links[int(network.arcs.link[arc])]
        corner = link.a_node if network.arcs.backward[arc] else link.b_node
        ours[corner] = min(ours[corner], float(there[head]))
    for corner, weight in ours.items():
        assert weight / PACK / 1000 == pytest.approx(truth.get(corner, math.inf), abs=0.05, rel=0.003)


PLACES = st.tuples(st.floats(-0.2, 2.2), st.floats(-0.2, 2.2))


@given(towns(), st.lists(PLACES, min_size=1, max_size=6), st.lists(PLACES, min_size=1, max_size=3), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_way_of_asking_gives_the_same_answer(
    town: tuple[list[Link], list[Turn]],
    origins: list[tuple[float, float]],
    destinations: list[tuple[float, float]],
    against: bool,
) -> None:
    """One search back, a table, and a route: the three must agree, whatever the streets."""
    asked = Travel(StreetNetwork(*town))
    starts, ends = ([spot(*place) for place in places] for places in (origins, destinations))
    drive = Drive(pace=1.5, against_oneway=against)
    seconds, metres = asked.matrix(starts, ends, drive)
    turned = Travel(asked.network).matrix(starts[:1], ends, drive)[0]
    assert turned[0].tolist() == pytest.approx(seconds[0].tolist(), abs=0.2)
    for column, end in enumerate(ends):
        for row, eta in enumerate(asked.etas([(start, drive) for start in starts], end)):
            assert (eta.how == "road") == math.isfinite(seconds[row, column])
            if eta.how == "road":
                assert eta.seconds == pytest.approx(seconds[row, column], abs=0.2)
                assert eta.metres == pytest.approx(metres[row, column], abs=1)
                route = asked.route(starts[row], end, drive)
                assert route.seconds + route.walk_seconds == pytest.approx(eta.seconds, abs=0.3)
                assert route.snap_metres == pytest.approx(eta.snap_metres, abs=0.2)


def test_of_streets_that_lie_on_each_other_every_way_of_asking_takes_the_same() -> None:
    """Two ways with one line, drawn in opposite directions, at different speeds: the first of them counts, always."""
    slow, quick = street((0, 0), (1, 0), (2, 0), kmh=18), street((2, 0), (1, 0), (0, 0), kmh=72)
    for links in ([slow, quick, *grid(2, 2)], [quick, slow, *grid(2, 2)]):
        asked, drive = Travel(StreetNetwork(links)), Drive()
        for start in (spot(0.3, 0.0), spot(0.3, -0.05), spot(0.3, -0.3)):
            for end in (spot(2, 1.5), spot(1.7, -0.17)):
                seconds, metres = asked.matrix([start], [end], drive)
                [eta] = asked.etas([(start, drive)], end)
                assert (eta.seconds, eta.metres) == pytest.approx((seconds[0, 0], metres[0, 0]), abs=0.2)
                assert asked.route(start, end, drive).seconds == pytest.approx(eta.seconds, abs=0.3)
