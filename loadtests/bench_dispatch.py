"""`./vigia bench dispatch`: a real log's calls over a real network, answered by one policy after the other.

All policies meet the same city (`dispatch_world.py`); seeds change where the bases are, which share of the calls come
and how lucky drives are. Printed as ratios with their spread over the seeds, because it is the comparison that counts.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
import shapely
from scipy.cluster.vq import kmeans2
from shapely import Point

from geo.barriers import Barrier
from geo.coverage import Neighbourhood, People
from geo.network import Link, StreetNetwork
from geo.osm.reading import read_osm
from geo.places import point
from geo.streets import USUAL_SPEED
from geo.travel import Travel
from incidents.assignments import AssignmentStatus
from incidents.situation import Target
from loadtests.dispatch_hindsight import CALLS, UNITS, regret, windows
from loadtests.dispatch_policies import BY_LINE, BY_ROAD, Ours
from loadtests.dispatch_world import Need, Outcome, Policy, SimCall, SimUnit, Streets, World, simulate
from web.launcher.layout import ROOT
from web.replay.log import Answer
from web.replay.onto_city import Laying, box_of
from web.replay.sf_fire import read

DATA = ROOT.parent / "shared" / "data"
LOG = DATA / "sf_fire_calls_us" / "dev_2016-12-31_to_2017-01-02.csv"
CITY = DATA / "osm_porto_alegre_br" / "poa_osm.pbf"
PEOPLE = DATA / "osm_porto_alegre_br" / "poa_hexgrid.csv"
BASES, UTILISATION = 24, 0.46
TARGET_SECONDS = 240.0
WINDOWS = 20
MINIMUM = 0.9
DISTRICTS = 40
KINDS = {"AMB": "ambulance", "BOM": "fire"}
LONGEST = 4 * 3600.0  # seconds: a unit that the log forgot to release


def network_of(osm: Path) -> StreetNetwork:
    """The streets of an extract of OSM."""
    return StreetNetwork(
        [
            Link(
                *(one.a_node, one.b_node, one.shape, one.kind, one.name, one.oneway),
                one.speed_kmh or USUAL_SPEED.get(one.kind, 30.0),
                *(one.access, one.osm_id),
            )
            for one in read_osm(osm).streets
        ]
    )


def people_of(streets: Streets, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Where people live: nodes and how many around each; of the streets alike where no file says."""
    if not file.exists():
        nodes, counts = np.unique(streets.network.a, return_counts=True)
        some = np.random.default_rng(0).choice(len(nodes), min(800, len(nodes)), replace=False)
        return nodes[some], counts[some].astype(float)
    found: Counter[int] = Counter()
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if float(row["population"]) > 0:
                found[streets.node(Point(float(row["lon"]), float(row["lat"])))] += int(float(row["population"]))
    return np.array(list(found)), np.array(list(found.values()), dtype=float)


def busy_seconds(answer: Answer) -> float | None:
    """How long a unit was busy from when it was on scene; None of one that never arrived."""
    scene = dict(answer.moves).get(AssignmentStatus.ON_SCENE)
    if scene is None or answer.free_at is None:
        return None
    return min(max((answer.free_at - scene).total_seconds(), 60.0), LONGEST)


def lay_calls(file: Path, network: StreetNetwork) -> list[SimCall]:
    """The log's calls that somebody answered on scene, laid onto the network."""
    log = read(file)
    box = box_of([call.position for call in log.calls if call.position])
    west, south, east, north = np.concatenate(
        [np.array(network.round(*corner)) for corner in _corners(network)]
    ).tolist()
    assert box is not None  # noqa: S101  (a log without places is refused before)
    laying = Laying(box, (west, south, east, north), network)
    start = min(call.received_at for call in log.calls)
    found: list[SimCall] = []
    needs = 0
    for call in log.calls:
        if call.position is None:
            continue
        wanted: list[tuple[str, float, bool]] = []
        for answer in call.answers:
            capability, seconds = answer.unit.capabilities[0], busy_seconds(answer)
            if capability in KINDS and seconds is not None:
                wanted.append((capability, seconds, AssignmentStatus.TRANSPORTING in dict(answer.moves)))
        if not wanted:
            continue
        number = len(found)
        (lon, lat), _ = laying.place(call.position)
        made = tuple(Need(needs + n, number, *one) for n, one in enumerate(wanted))
        needs += len(made)
        at = (call.received_at - start).total_seconds()
        found.append(SimCall(number, at, point(lon, lat), call.priority or 3, call.type_code, made))
    return found


def _corners(network: StreetNetwork) -> tuple[tuple[float, float], tuple[float, float]]:
    # The middle 96 % of the streets: the box of everything reaches into hills and water.
    ends = np.array([network.lines[n].coords[0] for n in range(len(network))])
    low, high = np.quantile(ends, (0.02, 0.98), axis=0)
    return (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))


def make_world(streets: Streets, every: Sequence[SimCall], people: tuple[np.ndarray, np.ndarray], seed: int) -> World:
    """One seed's city: nine tenths of the calls, bases where people and calls are, as many units as keep busy so."""
    rng = np.random.default_rng(seed)
    kept = [call for call in every if rng.random() < 0.9]
    calls, needs = [], 0
    for number, call in enumerate(kept):
        made = tuple(
            Need(needs + n, number, need.capability, need.busy_seconds, need.transports)
            for n, need in enumerate(call.needs)
        )
        needs += len(made)
        calls.append(SimCall(number, call.at, call.place, call.priority, call.type_code, made))
    spots = streets.spots[people[0]]
    drawn = spots[rng.choice(len(spots), 4000, p=people[1] / people[1].sum())]
    centres, _ = kmeans2(drawn, BASES, minit="++", rng=rng)
    bases = [streets.node(Point(streets.network.round(*centre))) for centre in centres]
    hours = max(call.at for call in calls) / 3600
    fleet: list[SimUnit] = []
    for capability, kind in KINDS.items():
        busy = sum(need.busy_seconds + 420 for call in calls for need in call.needs if need.capability == capability)
        count = max(4, round(busy / 3600 / hours / UTILISATION))
        for n in range(count):
            base = bases[n % len(bases)]
            fleet.append(SimUnit(len(fleet), f"{capability}{n + 1}", kind, capability, base, base))
    hospitals = [streets.node(Point(streets.network.round(*spots[n]))) for n in rng.choice(len(spots), 4)]
    return World(streets, calls, fleet, hospitals, people, TARGET_SECONDS, seed)


# ── Figures ───────────────────────────────────────────────────────────────────────────────────────


def figures(outcome: Outcome) -> dict[str, float]:
    """What is compared of an outcome: seconds, shares and hours."""
    found: dict[str, float] = {}
    for words, first in (("first", True), ("all", False)):
        every, urgent = outcome.responses(first=first), outcome.responses(first=first, priority=1)
        found[f"{words} mean"], found[f"{words} P90"] = float(every.mean()), float(np.quantile(every, 0.9))
        found[f"P1 {words} mean"], found[f"P1 {words} P90"] = float(urgent.mean()), float(np.quantile(urgent, 0.9))
    found["coverage"] = float(np.mean(outcome.coverage))
    found["unit hours"], found["driven hours"] = outcome.unit_hours, outcome.driven_hours
    return found


def show(results: dict[str, list[dict[str, float]]], against: str) -> None:
    """The table: each policy's median over the seeds, and its ratio to one of them, with the spread of the ratio."""
    names = list(next(iter(results.values()))[0])
    print(f"\n  {'':<24}" + "".join(f"{name:>15}" for name in names))
    for policy, found in results.items():
        print(
            f"  {policy:<24}" + "".join(f"{_said(name, np.median([one[name] for one in found])):>15}" for name in names)
        )
    print(f"\n  as a ratio to {against}, mean ± standard deviation over the seeds")
    for policy, found in results.items():
        if policy != against:
            cells = []
            for name in names:
                ratios = [one[name] / other[name] for one, other in zip(found, results[against], strict=True)]
                cells.append(f"{np.mean(ratios):.3f} ± {np.std(ratios):.3f}")
            print(f"  {policy:<24}" + "".join(f"{cell:>15}" for cell in cells))


def _said(name: str, value: float) -> str:
    if name == "coverage":
        return f"{value:.1%}"
    return f"{value:.1f} h" if name.endswith("hours") else f"{value / 60:.2f} min"


def flooded(network: StreetNetwork, areas: int) -> list[Barrier]:
    """Flooded areas of 120 to 220 m around streets of the city, the same for every seed."""
    rng = np.random.default_rng(20261126)
    links = rng.choice(np.flatnonzero(network.main), areas)
    middles = shapely.line_interpolate_point(network.lines[links], 0.5, normalized=True)
    shapes = network.rounded(shapely.buffer(middles, rng.uniform(120, 220, areas)))
    return [Barrier(f"flood {n}", shape, frozenset()) for n, shape in enumerate(shapes)]


def bench_dispatch(log: Path, osm: Path, people_file: Path, seeds: int, floods: int, hours: float) -> int:
    """Run every policy over every seed, on dry streets and on flooded ones, and print what came of it."""
    began = time.perf_counter()
    network = network_of(osm)
    every = [call for call in lay_calls(log, network) if call.at < hours * 3600]
    needs = Counter(need.capability for call in every for need in call.needs)
    print(
        f"{log.name} onto {osm.name}: {len(every):,} calls that {sum(needs.values()):,} units answered"
        f" ({', '.join(f'{count:,} {name}' for name, count in needs.items())}); {network.nodes:,} nodes"
    )
    for words, barriers in (("dry streets", []), (f"{floods} flooded areas", flooded(network, floods))):
        streets = Streets(Travel(network, barriers))
        people = people_of(streets, people_file)
        print(f"\n{words}; {people[1].sum():,.0f} people, target {TARGET_SECONDS / 60:g} min", flush=True)
        worlds = [make_world(streets, every, people, seed) for seed in range(seeds)]
        compare(worlds, [BY_LINE, BY_ROAD, *ours(streets, worlds[0], people)])
    print(f"\n{time.perf_counter() - began:.0f} s in all")
    return 0


def ours(streets: Streets, world: World, people: tuple[np.ndarray, np.ndarray]) -> list[Policy]:
    """Our way, with and without move-ups: the targets of the bench, and the places that units may stand by at."""
    nodes, counts = people
    _, district = kmeans2(streets.spots[nodes], DISTRICTS, minit="++", rng=np.random.default_rng(0))
    around = [
        Neighbourhood(
            f"district {n + 1}",
            shapely.union_all([streets.points[node].buffer(0.0018) for node in nodes[district == n]]),
            int(counts[district == n].sum()),
        )
        for n in range(DISTRICTS)
        if (district == n).any()
    ]
    targets = tuple(
        Target(UUID(int=n), capability, None, TARGET_SECONDS / 60, MINIMUM) for n, capability in enumerate(KINDS)
    )
    bases = sorted({unit.base for unit in world.fleet})
    spots = [(f"base {node}", streets.points[node]) for node in bases]
    everybody = People(streets.network, around)
    return [Ours(everybody, targets, spots, moves=moves) for moves in (False, True)]


def compare(worlds: Sequence[World], policies: Sequence[Policy]) -> None:
    """All policies in all worlds, and the tables."""
    results: dict[str, list[dict[str, float]]] = {policy.name: [] for policy in policies}
    regrets: dict[str, list[float]] = {policy.name: [] for policy in policies}
    for world in worlds:
        count = Counter(unit.capability for unit in world.fleet)
        fleet = ", ".join(f"{many} {name}" for name, many in count.items())
        print(f"  seed {world.seed}: {len(world.calls):,} calls; units: {fleet}", flush=True)
        for policy in policies:
            start = time.perf_counter()
            results[policy.name].append(figures(simulate(world, policy)))
            print(f"    {policy.name:<24} {time.perf_counter() - start:6.1f} s", flush=True)
        for window in windows(world, WINDOWS, world.seed):
            for policy in policies:
                regrets[policy.name].append(regret(window, policy))
    show(results, policies[0].name)
    print(f"\n  {len(worlds) * WINDOWS} windows of {CALLS} calls and {UNITS} units: response times, times the optimum")
    for name, found in regrets.items():
        best = np.mean(np.array(found) < 1.0001)
        print(f"  {name:<24} mean {np.mean(found):.3f}, P90 {np.quantile(found, 0.9):.3f}, optimal in {best:.0%}")


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="vigia bench dispatch", description=__doc__)
    parser.add_argument("log", nargs="?", type=Path, default=LOG, help="a log of the San Francisco Fire Department")
    parser.add_argument("--onto-city", type=Path, default=CITY, help="an extract of OSM with the streets")
    parser.add_argument("--people", type=Path, default=PEOPLE, help="CSV of lon, lat, population")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--hours", type=float, default=12.0, help="of the log, from its beginning")
    parser.add_argument("--floods", type=int, default=30, help="flooded areas of the second scenario")
    chosen = parser.parse_args(arguments)
    for file in (chosen.log, chosen.onto_city):
        if not file.exists():
            print(f"{file} is not here", file=sys.stderr)
            return 2
    return bench_dispatch(chosen.log, chosen.onto_city, chosen.people, chosen.seeds, chosen.floods, chosen.hours)
