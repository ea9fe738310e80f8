"""The engines that our router is measured against, each beside us on this machine: pgRouting and Valhalla."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from geo.drives import Drive
from geo.ground import Ground, seconds_of
from geo.network import Floats, Link, StreetNetwork
from geo.streets import Access, length_of
from web.valhalla import Valhalla, ValhallaAway

EVERYWHERE = Drive(enters=frozenset(Access), ends_in=frozenset())  # one-ways are the only law both know
PACKAGE = "pyvalhalla==3.9.1"
LOOPBACK = "127.0.0.1"


# ── pgRouting ─────────────────────────────────────────────────────────────────────────────────────


class PgRouting:
    """pgRouting on a table of the same links: seconds from their length on the globe and their speed."""

    EDGES = "SELECT id, source, target, cost, reverse_cost FROM edges"
    TURNED = "SELECT id, source, target, reverse_cost AS cost, cost AS reverse_cost FROM edges"

    def __init__(self, connection: psycopg.Connection[Any], links: Sequence[Link]) -> None:
        self._connection = connection
        self.pid = connection.info.backend_pid
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS edges")
            cursor.execute(
                "CREATE TEMP TABLE edges (id int, source int8, target int8, cost float8, reverse_cost float8)"
            )
            with cursor.copy("COPY edges FROM STDIN") as copy:
                for n, link in enumerate(links):
                    kmh = min(link.speed_kmh, 10.0) if link.access == Access.FOOT else link.speed_kmh
                    cost = max(length_of(link.shape) / max(kmh, 1.0) * 3.6, 0.001)
                    copy.write_row((n, link.a_node, link.b_node, cost, -1.0 if link.oneway else cost))
            cursor.execute("ANALYZE edges")

    def costs(self, sources: Sequence[int], targets: Sequence[int]) -> dict[tuple[int, int], float]:
        """Seconds for each pair that a way leads between."""
        rows = self._connection.execute(
            "SELECT start_vid, end_vid, agg_cost FROM pgr_dijkstraCost(%s, %s::int8[], %s::int8[])",
            (self.EDGES, list(sources), list(targets)),
        )
        return {(start, end): seconds for start, end, seconds in rows}

    def pair_costs(self, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], float]:
        """Seconds for these pairs only, in one call."""
        with self._connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE IF NOT EXISTS pairs (source int8, target int8)")
            cursor.execute("TRUNCATE pairs")
            cursor.executemany("INSERT INTO pairs VALUES (%s, %s)", [(int(start), int(end)) for start, end in pairs])
        rows = self._connection.execute(
            "SELECT start_vid, end_vid, agg_cost FROM pgr_dijkstraCost(%s, 'SELECT source, target FROM pairs')",
            (self.EDGES,),
        )
        return {(start, end): seconds for start, end, seconds in rows}

    def to_one(self, sources: Sequence[int], target: int) -> int:
        """Many to one the way that suits it best: one to many on the turned graph. How many are reached."""
        rows = self._connection.execute(
            "SELECT end_vid, agg_cost FROM pgr_dijkstraCost(%s, %s::int8, %s::int8[])",
            (self.TURNED, target, list(sources)),
        )
        return len(rows.fetchall())

    def reach(self, source: int, seconds: float) -> int:
        """How many nodes it reaches in time."""
        rows = self._connection.execute(
            "SELECT count(*) FROM pgr_drivingDistance(%s, %s::int8, %s::float8)", (self.EDGES, source, seconds)
        )
        return int(rows.fetchall()[0][0])


@dataclass(frozen=True)
class Agreement:
    """How our times and pgRouting's compare over pairs of nodes."""

    pairs: int
    both_reach: int
    neither_reaches: int
    only_ours: tuple[tuple[int, int], ...]
    only_theirs: tuple[tuple[int, int], ...]
    differences: Floats  # relative, of those that both reach
    apart: tuple[tuple[int, int, float, float], ...]  # start, end, ours, theirs: more than a tenth


def compare(
    network: StreetNetwork, links: Sequence[Link], theirs: PgRouting, pairs: Sequence[tuple[int, int]]
) -> Agreement:
    """Ours and theirs over the same pairs of nodes, without turn restrictions: times and reachability."""
    place = {}
    for n, link in enumerate(links):
        place[link.a_node], place[link.b_node] = int(network.a[n]), int(network.b[n])
    ground = Ground(network, EVERYWHERE, {}, {})
    told = theirs.pair_costs(pairs)
    only_ours, only_theirs, apart, differences, neither = [], [], [], [], 0
    by_end: dict[int, list[int]] = {}
    for start, end in pairs:
        by_end.setdefault(end, []).append(start)
    for end, starts in by_end.items():
        ((reach,), _) = ground.search([{place[end]: 0.0}], back=True)
        for start in starts:
            ours = float(seconds_of(reach[place[start]]))
            if start == end:
                continue
            reached, known = np.isfinite(ours), (start, end) in told
            if reached and known:
                other = told[start, end]
                difference = abs(ours - other) / max(other, 1.0)
                differences.append(difference)
                if difference > 0.1:
                    apart.append((start, end, ours, other))
            elif reached:
                only_ours.append((start, end))
            elif known:
                only_theirs.append((start, end))
            else:
                neither += 1
    return Agreement(
        len(pairs), len(differences), neither, tuple(only_ours), tuple(only_theirs), np.array(differences), tuple(apart)
    )


def random_pairs(links: Sequence[Link], count: int, seed: int) -> list[tuple[int, int]]:
    """Pairs of different nodes, any part of the network to any other."""
    rng = np.random.default_rng(seed)
    nodes = sorted({node for link in links for node in (link.a_node, link.b_node)})
    chosen = rng.choice(len(nodes), (count * 2, 2))
    pairs = {(nodes[a], nodes[b]) for a, b in chosen if a != b}
    return sorted(pairs)[:: max(1, len(pairs) // count)][:count]


# ── Valhalla ──────────────────────────────────────────────────────────────────────────────────────


class CannotBeHad(Exception):
    """Why a rival is not there."""


def fetch_valhalla(tools: Path) -> Path:
    """Its programs, unpacked from the wheel of another Python: only the C++ of it is run."""
    place = tools / "valhalla"
    if not (place / "valhalla" / "bin" / "valhalla_service").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(place)]
        command += ["--python-version", "3.12", "--abi", "abi3", "--platform", "manylinux_2_28_x86_64"]
        done = subprocess.run([*command, "--only-binary=:all:", PACKAGE], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotBeHad(done.stderr.strip()[-200:] or "pip")
    return place / "valhalla"


@contextlib.contextmanager
def valhalla_beside(programs: Path, osm: Path, work: Path, port: int) -> Iterator[tuple[Valhalla, int, float]]:
    """A Valhalla on tiles of its own: the service, its process' number and the seconds that its tiles took."""
    work.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [sys.executable, str(programs / "valhalla_build_config.py")], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise CannotBeHad(made.stderr[-200:])
    config = json.loads(made.stdout)
    config["mjolnir"].update({"tile_dir": str(work / "tiles"), "concurrency": 2, "logging": {"type": ""}})
    for unused in ("tile_extract", "traffic_extract", "admin", "timezone", "landmarks", "transit_dir"):
        config["mjolnir"].pop(unused, None)
    config["httpd"]["service"].update({"listen": f"tcp://{LOOPBACK}:{port}"})
    for name, socket in (("loki", "loki"), ("thor", "thor"), ("odin", "odin")):
        config[name]["service"]["proxy"] = f"ipc://{work}/{socket}"
    config["httpd"]["service"].update({"loopback": f"ipc://{work}/loopback", "interrupt": f"ipc://{work}/interrupt"})
    config["thor"]["source_to_target_algorithm"] = "timedistancematrix"
    limits = {"max_matrix_distance": 4e5, "max_matrix_location_pairs": 100_000, "max_locations": 1000}
    config["service_limits"]["auto"].update(limits)
    file = work / "valhalla.json"
    file.write_text(json.dumps(config))
    began = time.monotonic()
    built = subprocess.run(
        [str(programs / "bin" / "valhalla_build_tiles"), "-c", str(file), str(osm)],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise CannotBeHad((built.stdout + built.stderr)[-300:])
    took = time.monotonic() - began
    with (work / "service.log").open("wb") as log:
        service = subprocess.Popen([str(programs / "bin" / "valhalla_service"), str(file), "1"], stdout=log, stderr=log)
    router = Valhalla(f"http://{LOOPBACK}:{port}", patience=120)
    try:
        _wait_for(service, router, work)
        yield router, service.pid, took
    finally:
        router.close()
        service.kill()  # asked politely it waits for connections that nobody holds any more
        service.wait(10)


def _wait_for(service: subprocess.Popen[bytes], router: Valhalla, work: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and service.poll() is None:
        with contextlib.suppress(ValhallaAway):
            router.status()
            return
        time.sleep(0.1)
    raise CannotBeHad((work / "service.log").read_text(errors="replace")[-300:])
