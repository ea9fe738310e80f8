"""`./vigia bench routing`: our router beside pgRouting and Valhalla, on a real city and on a synthetic one.

All in one run on one machine, and printed as ratios, because this machine's seconds are not that one's. pgRouting is
asked the way that suits it (one to many on the turned graph), Valhalla with its quicker matrix algorithm. A rival that
cannot be had here is said and left out.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
import psycopg
from shapely import Point
from sqlalchemy import make_url

from geo.drives import Drive
from geo.network import Link, StreetNetwork, Turn
from geo.osm.reading import read_osm
from geo.streets import USUAL_SPEED
from geo.travel import Travel
from loadtests.routing_rivals import (
    EVERYWHERE,
    Agreement,
    CannotBeHad,
    PgRouting,
    compare,
    fetch_valhalla,
    random_pairs,
    valhalla_beside,
)
from web.launcher.layout import ROOT, TOOLS
from web.launcher.postgres import PrivatePostgres, add_routing, find_or_fetch
from web.valhalla import Valhalla

PORTO_ALEGRE = ROOT.parent / "shared" / "data" / "osm_porto_alegre_br" / "poa_osm.pbf"
BLOCKS, BLOCK = 300, 100.0  # the synthetic city: blocks to a side, and metres
SOUTH, WEST = -32.95, -60.65
AIM = 10.0
PAIRS = 1000
SEED = 20261125
MINUTES = (3.0, 5.0, 8.0)


@dataclass
class Figures:
    """Milliseconds of each question, by who answered."""

    by: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)

    def measure(
        self, who: str, pid: int, what: str, questions: Sequence[Question], ask: Callable[[Question], object]
    ) -> None:
        """The median over some questions, and the CPU time of each in the process that answers.

        The first is asked once more before, to warm up.
        """
        took, spent = [], 0.0
        for n, question in enumerate([questions[0], *questions]):
            if n == 1:
                spent = cpu_milliseconds(pid)
            began = time.perf_counter()
            ask(question)
            if n:
                took.append(time.perf_counter() - began)
        cpu = (cpu_milliseconds(pid) - spent) / len(took)
        self.by.setdefault(what, {})[who] = statistics.median(took) * 1000, cpu

    def show(self) -> float:
        """Print the table; the worst ratio of CPU time for 200 → 1 to any rival."""
        heads = ("Vigía", "pgRouting", "Valhalla")
        print(f"  {'p50 ms / CPU ms each':<23}" + "".join(f"{head:>17}" for head in heads) + "     × ours, p50 / CPU")
        worst = math.inf
        for what, found in self.by.items():
            cells = [f"{'{:.1f} / {:.1f}'.format(*found[who]):>17}" if who in found else f"{'–':>17}" for who in heads]
            ours, ratios = found["Vigía"], []
            for who in heads[1:]:
                if who in found:
                    wall, cpu = (theirs / mine for theirs, mine in zip(found[who], ours, strict=True))
                    ratios.append(f"{who} {wall:.1f} / {cpu:.1f}")
                    worst = min(worst, cpu) if what.startswith("200") else worst
            print(f"  {what:<23}{''.join(cells)}     {'   '.join(ratios)}", flush=True)
        return worst


def cpu_milliseconds(pid: int) -> float:
    """What all threads of a process have had of the processors: a neighbour on the machine does not count."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        spent += int((task / "schedstat").read_text().split()[0])
    return spent / 1e6


def synthetic(path: Path, blocks: int = BLOCKS) -> None:
    """A city of square blocks: one-way streets by turns, an avenue each 10, a river with bridges each 12."""
    north = BLOCK / 111_195
    east = north / math.cos(math.radians(SOUTH))
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for y in range(blocks + 1):
            for x in range(blocks + 1):
                place = (WEST + x * east, SOUTH + y * north)
                writer.add_node(osmium.osm.mutable.Node(id=_node(x, y, blocks), location=place, version=1))
        way = 0
        for row in range(blocks + 1):
            for name, nodes in (
                (f"Calle {row}", [(x, row) for x in range(blocks + 1)]),
                (f"Avenida {row}", [(row, y) for y in range(blocks + 1)]),
            ):
                avenue = row % 10 == 0
                for piece in _banks(nodes, bridge=row % 12 == 0, river=blocks // 2 if name[0] == "A" else None):
                    ids = [_node(x, y, blocks) for x, y in piece]
                    tags = {"highway": "secondary" if avenue else "residential", "name": name}
                    if not avenue:
                        tags["oneway"] = "yes"
                        ids = ids[::-1] if row % 2 else ids
                    way += 1
                    writer.add_way(osmium.osm.mutable.Way(id=way, nodes=ids, tags=tags, version=1))


def _node(x: int, y: int, blocks: int) -> int:
    return y * (blocks + 1) + x + 1


def _banks(nodes: list[tuple[int, int]], *, bridge: bool, river: int | None) -> list[list[tuple[int, int]]]:
    """A street in one piece, or in two where it ends at the river."""
    if river is None or bridge:
        return [nodes]
    return [[one for one in nodes if one[1] <= river], [one for one in nodes if one[1] > river]]


def resident(pid: int) -> float:
    """Megabytes of memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return math.nan


def bench_city(name: str, osm: Path, connection: psycopg.Connection[object] | None, work: Path, rounds: int) -> float:
    """One city: the table of times, memory, and how far the answers agree. The worst ratio of 200 → 1."""
    print(f"\n{name}")
    city = read_osm(osm)
    links = [
        Link(
            *(one.a_node, one.b_node, one.shape, one.kind, one.name, one.oneway),
            one.speed_kmh or USUAL_SPEED.get(one.kind, 30.0),
            one.access,
            one.osm_id,
        )
        for one in city.streets
    ]
    turns = [Turn(one.only, tuple(one.nodes), tuple(one.ways), frozenset(one.excepted or ())) for one in city.turns]
    del city
    gc.collect()
    before, began = resident(os.getpid()), time.perf_counter()
    network = StreetNetwork(links, turns)
    ours = Travel(network)
    took = time.perf_counter() - began
    ours.etas([(network_spot(network, 0), EVERYWHERE)], network_spot(network, 1))
    print(
        f"  {network.nodes:,} nodes, {len(network):,} links, {len(network.arcs.heads):,} arcs, {len(turns)} turn"
        f" restrictions; built in {took:.1f} s, {resident(os.getpid()) - before:.0f} MB with one set of weights"
    )
    rng = np.random.default_rng(SEED)
    driven = np.flatnonzero(network.main)
    asks = [Question(network, rng, driven) for _ in range(rounds)]
    figures = Figures()
    _measure_ours(figures, ours, asks)
    if connection is not None:
        _measure_pgrouting(figures, PgRouting(connection, links), asks)
    try:
        port = 18002 + os.getpid() % 1000
        with valhalla_beside(fetch_valhalla(TOOLS), osm, work / name.partition(" ")[0], port) as (service, pid, tiles):
            _measure_valhalla(figures, service, pid, asks)
            print(f"  Valhalla: tiles built in {tiles:.1f} s, {resident(pid):.0f} MB after the questions")
    except CannotBeHad as why:
        print(f"  Valhalla cannot be had here: {why}")
    worst = figures.show()
    if connection is not None:
        plain = StreetNetwork(links)
        pairs = random_pairs(links, PAIRS, SEED)
        _show(compare(plain, links, PgRouting(connection, links), pairs))
    return worst


def network_spot(network: StreetNetwork, link: int) -> Point:
    """The middle of a link, in degrees."""
    return Point(network.rounded(network.lines[link].interpolate(0.5, normalized=True)))


class Question:
    """The same question to everybody: to places for ours and Valhalla, to the nodes beside them for pgRouting."""

    def __init__(self, network: StreetNetwork, rng: np.random.Generator, driven: np.ndarray) -> None:
        chosen = rng.choice(driven, 221)
        self.places = [network_spot(network, int(link)) for link in chosen]
        self.nodes = [network.link(int(link)).b_node for link in chosen]

        units: list[tuple[Point | None, Drive]] = [(place, EVERYWHERE) for place in self.places[1:201]]
        self.many = {count: units[:count] for count in (50, 200)}


def _measure_ours(figures: Figures, ours: Travel, asks: Sequence[Question]) -> None:
    who, pid = "Vigía", os.getpid()
    figures.measure(who, pid, "50 → 1", asks, lambda q: ours.etas(q.many[50], q.places[0]))
    figures.measure(who, pid, "200 → 1", asks, lambda q: ours.etas(q.many[200], q.places[0]))
    figures.measure(who, pid, "20 × 200", asks[:5], lambda q: ours.matrix(q.places[:20], q.places[20:220], EVERYWHERE))
    figures.measure(who, pid, "one route", asks, lambda q: ours.route(q.places[0], q.places[1], EVERYWHERE))
    figures.measure(
        who, pid, "isochrones 3, 5, 8 min", asks, lambda q: ours.isochrones(q.places[0], MINUTES, EVERYWHERE)
    )


def _measure_pgrouting(figures: Figures, theirs: PgRouting, asks: Sequence[Question]) -> None:
    who, pid, few = "pgRouting", theirs.pid, asks[:5]
    figures.measure(who, pid, "50 → 1", few, lambda q: theirs.to_one(q.nodes[1:51], q.nodes[0]))
    figures.measure(who, pid, "200 → 1", few, lambda q: theirs.to_one(q.nodes[1:201], q.nodes[0]))
    figures.measure(who, pid, "20 × 200", few[:3], lambda q: theirs.costs(q.nodes[:20], q.nodes[20:220]))
    figures.measure(who, pid, "one route", few, lambda q: theirs.costs(q.nodes[:1], q.nodes[1:2]))
    figures.measure(
        who, pid, "isochrones 3, 5, 8 min", few, lambda q: [theirs.reach(q.nodes[0], one * 60) for one in MINUTES]
    )


def _measure_valhalla(figures: Figures, theirs: Valhalla, pid: int, asks: Sequence[Question]) -> None:
    who, few = "Valhalla", asks[:7]
    figures.measure(who, pid, "50 → 1", few, lambda q: theirs.etas(q.many[50], q.places[0]))
    figures.measure(who, pid, "200 → 1", few, lambda q: theirs.etas(q.many[200], q.places[0]))
    figures.measure(who, pid, "20 × 200", few[:2], lambda q: theirs.matrix(q.places[:20], q.places[20:220], EVERYWHERE))
    figures.measure(who, pid, "one route", few, lambda q: theirs.route(q.places[0], q.places[1], EVERYWHERE))
    figures.measure(who, pid, "isochrones 3, 5, 8 min", few, lambda q: theirs.isochrones(q.places[0], MINUTES))


def _show(found: Agreement) -> None:
    """How far ours and pgRouting's answers agree."""
    share = found.differences
    print(
        f"  {found.pairs:,} random pairs against pgRouting (no turn restrictions): {found.both_reach} reached by both,"
        f" {found.neither_reaches} by neither, {len(found.only_ours)} by ours alone,"
        f" {len(found.only_theirs)} by theirs alone"
    )
    if len(share):
        print(
            f"  difference of times: median {np.median(share):.3%}, p95 {np.quantile(share, 0.95):.3%},"
            f" most {share.max():.3%}; more than 10 %: {len(found.apart)}"
        )
    for start, end, ours, theirs in found.apart[:20]:
        print(f"    {start} → {end}: {ours:.1f} s, pgRouting {theirs:.1f} s")


def bench_routing(osm: Path | None, blocks: int, rounds: int) -> int:
    """Both cities. 0 when the aim is met against every rival that was there."""
    ratios = []
    with tempfile.TemporaryDirectory(prefix="vigia-routing-") as place, ExitStack() as stack:
        work = Path(place)
        binaries = find_or_fetch()
        connection: psycopg.Connection[object] | None = None
        if add_routing(binaries):
            server = stack.enter_context(PrivatePostgres(work / "pg", durable=False, binaries=binaries))
            url = make_url(server.url).set(drivername="postgresql").render_as_string(hide_password=False)
            connection = stack.enter_context(psycopg.connect(url, autocommit=True))
            connection.execute("CREATE EXTENSION pgrouting CASCADE")
            (version,) = connection.execute("SELECT pgr_version()").fetchone() or ("?",)
            print(f"pgRouting {version}")
        else:
            print("pgRouting cannot be had here: this PostgreSQL is the machine's own, or not Debian's")
        real = osm or PORTO_ALEGRE
        if real.exists():
            ratios.append(bench_city(real.stem, real, connection, work, rounds))
        else:
            print(f"{real} is not here: say --osm FILE for a real city")
        made = work / "synthetic.osm.pbf"
        synthetic(made, blocks)
        ratios.append(bench_city(f"synthetic {blocks} × {blocks} blocks", made, connection, work, rounds))
    worst = min(ratios, default=math.inf)
    if math.isinf(worst):
        print("\nnobody to compare with")
        return 0
    said = "met" if worst >= AIM else "NOT MET"
    print(f"\naim: 200 → 1 for at most 1/{AIM:g} of the CPU time of either, in both cities: {said} ({worst:.1f} ×)")
    return 0 if worst >= AIM else 1


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="vigia bench routing", description=__doc__)
    parser.add_argument("--osm", type=Path, help="a real city instead of Porto Alegre")
    parser.add_argument("--blocks", type=int, default=BLOCKS, help="to a side of the synthetic city")
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args(arguments)
    return bench_routing(chosen.osm, chosen.blocks, chosen.rounds)
