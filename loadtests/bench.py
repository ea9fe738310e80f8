"""`./vigia bench feed`: what a delivery costs the gateway, beside the physical limit and what most people write.

Everything is a ratio within one run, because this machine's seconds are not that one's. Servers are processes of
their own, on the first core; the clients are one more, on the others; all of it on the loopback and bounded in time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

from loadtests import bench_addresses, bench_console, bench_dispatch, bench_duplicates, bench_routing, bench_storm
from loadtests.bench_servers import SERVERS

HELLO = b'{"type":"hello","resume":null}'
ROUNDS = 5  # of each, interleaved: a neighbour on the machine then disturbs all alike
SECONDS = 2.0  # of each measurement
DELIVERIES = 20_000  # a second, whatever the number of feeds
AT_ONCE = 40  # connections in the making
AIM_LIMIT, AIM_NAIVE = 1.25, 1 / 3
OTHERS: dict[str, Callable[[Sequence[str]], int]] = {
    "routing": bench_routing.main,
    "addresses": bench_addresses.main,
    "dispatch": bench_dispatch.main,
    "storm": bench_storm.main,
    "console": bench_console.main,
    "duplicates": bench_duplicates.main,
}


@dataclass
class Result:
    """One measurement of one server."""

    deliveries: int
    cpu: float
    instructions: int | None
    latencies: list[float] = field(default_factory=list)

    @property
    def per_cpu_second(self) -> float:
        """Deliveries."""
        return self.deliveries / self.cpu

    def latency(self, share: float) -> float:
        """Milliseconds that so large a share of the deliveries stayed below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6 if ordered else float("nan")


class Tally:
    """What all clients of one measurement have got."""

    def __init__(self) -> None:
        self.deliveries = 0
        self.latencies: list[float] = []


class Client(asyncio.Protocol):
    """One feed's other end: as cheap as it can be, so that the server is what is measured."""

    def __init__(self, tally: Tally, *, timed: bool) -> None:
        self.tally = tally
        self.timed = timed
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(
            b"GET /feed HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Authorization: Bearer bench\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        """Count lines; note how old the newest is."""
        if self.ready.done():
            self.tally.deliveries += data.count(b'"type":"line"')
            if self.timed and (at := data.rfind(b'"sent":')) >= 0:
                sent = data[at + 7 : at + 27].partition(b",")[0]
                if sent.isdigit():
                    self.tally.latencies.append(time.monotonic_ns() - int(sent))
            return
        before, self.head = self.head, self.head + data
        if b"\r\n\r\n" in self.head and b"\r\n\r\n" not in before:
            self.transport.write(bytes((0x81, 0x80 | len(HELLO), 0, 0, 0, 0)) + HELLO)  # masked with zeros
        if b"snapshot" in self.head:
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Too early, if nobody was waiting for it."""
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError(self.head[:80].decode("latin1")))


async def measure(server: str, feeds: int, seconds: float) -> Result:
    """Start a server, connect so many feeds, let it publish, stop it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.bench_servers", server, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    clients: list[Client] = []
    tally = Tally()
    try:
        async with asyncio.timeout(60 + 4 * seconds):
            port = int(await process.stdout.readline())
            loop = asyncio.get_running_loop()
            for start in range(0, feeds, AT_ONCE):
                batch = [Client(tally, timed=n % 10 == 0) for n in range(start, min(start + AT_ONCE, feeds))]
                for client in batch:
                    await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
                await asyncio.gather(*(client.ready for client in batch))
                clients += batch
            count = max(4, round(seconds * DELIVERIES / feeds))
            counter = counting(process.pid)
            process.stdin.write(f"go {count} {feeds / DELIVERIES}\n".encode())
            report = json.loads(await process.stdout.readline())
            instructions = counted(counter)
            await asyncio.sleep(0.2)
            if tally.deliveries != count * feeds:
                print(f"  {server}: {tally.deliveries} of {count * feeds} arrived", file=sys.stderr)
            return Result(tally.deliveries, report["cpu"], instructions, tally.latencies)
    finally:
        for client in clients:
            client.transport.close()
        process.stdin.close()
        process.kill()
        await process.wait()


def counting(pid: int) -> subprocess.Popen[str] | None:
    """A counter of the instructions of a process, kernel included, where the machine has one."""
    perf = shutil.which("perf")
    if perf is None:
        return None
    command = [perf, "stat", "-x,", "-e", "instructions", "-p", str(pid)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def counted(counter: subprocess.Popen[str] | None) -> int | None:
    """What it has counted; None where the machine does not let it."""
    if counter is None:
        return None
    counter.send_signal(2)
    _, said = counter.communicate()
    figure = said.strip().split(",")[0]
    return int(figure) if figure.isdigit() else None


def paired(costs: list[float], others: list[float]) -> float:
    """How many times the cost, taken round by round: what disturbed one of a round disturbed the other."""
    return statistics.median(cost / other for cost, other in zip(costs, others, strict=True))


async def bench_feed(numbers: list[int], rounds: int, seconds: float) -> int:
    """Print the table; 0 when the aims are met for every number of feeds."""
    met = True
    print(f"{DELIVERIES:,} deliveries a second, {rounds} rounds of {seconds:g} s, medians; of this machine only\n")
    heads = (
        "feeds",
        "server",
        "deliveries/CPU-s",
        "µs CPU each",
        "× limit",
        "× naive",
        "instr each",
        "p50 ms",
        "p99 ms",
    )
    print("{:>6} {:<7} {:>17} {:>12} {:>8} {:>8} {:>11} {:>8} {:>8}".format(*heads))
    for feeds in numbers:
        found: dict[str, list[Result]] = {server: [] for server in SERVERS}
        for _ in range(rounds):
            for server, results in found.items():
                results.append(await measure(server, feeds, seconds))
        cost = {name: [1e6 / one.per_cpu_second for one in results] for name, results in found.items()}
        ratio = {(one, other): paired(cost[one], cost[other]) for one in cost for other in ("limit", "naive")}
        for server, results in found.items():
            instructions = [one.instructions / one.deliveries for one in results if one.instructions is not None]
            each = f"{statistics.median(instructions):,.0f}" if instructions else "unreadable"
            p50, p99 = (statistics.median(one.latency(share) for one in results) for share in (0.5, 0.99))
            median = statistics.median(cost[server])
            print(
                f"{feeds:>6} {server:<7} {1e6 / median:>17,.0f} {median:>12.2f}"
                f" {ratio[server, 'limit']:>8.2f} {ratio[server, 'naive']:>8.2f}"
                f" {each:>11} {p50:>8.1f} {p99:>8.1f}",
                flush=True,
            )
        met = met and ratio["vigia", "limit"] <= AIM_LIMIT and ratio["vigia", "naive"] <= AIM_NAIVE
    print(f"\naim: vigia ≤ {AIM_LIMIT} × limit and ≤ {AIM_NAIVE:.2f} × naive: {'met' if met else 'NOT MET'}")
    return 0 if met else 1


def main() -> int:
    """The command line."""
    if (other := OTHERS.get(sys.argv[1] if len(sys.argv) > 1 else "")) is not None:
        return other(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="vigia bench", description=__doc__)
    parser.add_argument("what", choices=["feed", *OTHERS])
    parser.add_argument("--feeds", type=int, nargs="+", default=[200, 1000, 3000])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    chosen = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[1:] or cores)
    return uvloop.run(bench_feed(chosen.feeds, chosen.rounds, chosen.seconds))


if __name__ == "__main__":
    sys.exit(main())
