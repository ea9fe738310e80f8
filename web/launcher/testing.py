"""`test`: throw-away servers, a browser, a built front end; then pytest, then the front end's own tests."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from web.launcher import chromium, environment, front_end, gdal
from web.launcher.demo_network import known_demo_network
from web.launcher.layout import PYTHON, ROOT, UI, Instance
from web.launcher.locks import try_lock
from web.launcher.node import node
from web.launcher.postgres import Binaries, PrivatePostgres
from web.launcher.processes import tied_to_us
from web.launcher.progress import Step, say
from web.launcher.redis import PrivateRedis
from web.launcher.up import prepare

_RUNS_AT_ONCE = 32
# A file at a time on each of two processes: most tests wait for a server more than they compute.
_EVERYTHING = ("-n", "2", "--dist", "loadfile", "--durations", "15")


def test(instance: Instance, arguments: Sequence[str]) -> int:
    """The worst exit code of what ran. The front end's tests run when no pytest arguments narrow the run."""
    instance.make()
    prepare(development=True, demo=True, browser=True, build=False)
    unbuilt = front_end.build_failure()
    with servers(instance) as env:
        code = foreground([str(PYTHON), "-m", "pytest", *(arguments or _EVERYTHING)], env, ROOT)
    if unbuilt:  # the other tests were worth running all the same
        print(f"vigia: {unbuilt}", file=sys.stderr)
        return code or unbuilt.code
    if not arguments and front_end.exists():
        say("test.front_end")
        code = foreground([*node().npm, "test"], node().env, UI) or code
    return code


@contextlib.contextmanager
def servers(instance: Instance) -> Iterator[dict[str, str]]:
    """A PostgreSQL and a Redis of this run's own, and the environment that leads to them."""
    with _place(instance) as place:
        database = PrivatePostgres(place / "postgres", durable=False)
        redis = PrivateRedis(place / "redis")
        try:
            with Step("test.servers"):
                database.start()
                redis.start()
            yield (
                environment.clean(os.environ)
                | binaries_environment(database.binaries, redis.binary)
                | {
                    "VIGIA_TEST_DATABASE_URL": database.url,
                    "VIGIA_TEST_REDIS_URL": redis.url,
                    "VIGIA_CHROMIUM": str(chromium.known_chromium() or ""),
                    "VIGIA_GDAL_BIN": str(gdal.directory() or ""),
                    "VIGIA_DEMO_NETWORK": str(known_demo_network() or ""),
                    # Playwright's own Node wants libraries that a bare machine lacks
                    "PLAYWRIGHT_NODEJS_PATH": str(node().binary),
                }
            )
        finally:
            redis.stop()
            database.destroy()


def binaries_environment(postgres: Binaries, redis: Path) -> dict[str, str]:
    """For programs that start servers of their own: fault tests and benchmarks."""
    return {
        "VIGIA_POSTGRES_BIN": str(postgres.directory),
        "VIGIA_POSTGRES_ENV": json.dumps(dict(postgres.env)),
        "VIGIA_REDIS_BIN": str(redis),
    }


def foreground(command: Sequence[str], env: dict[str, str], cwd: Path) -> int:
    """Run with the terminal handed over. Ctrl-C reaches it directly; we wait for what it has to say."""
    process = subprocess.Popen(tied_to_us(command, "TERM"), env=env, cwd=cwd)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminated = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, terminated)
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _place(instance: Instance) -> Iterator[Path]:
    """A directory no other test run uses now; what a killed run left there goes first."""
    base = instance.data / "test"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in range(1, _RUNS_AT_ONCE):
        lock = try_lock(base / f"{number}.lock")
        if lock is None:
            continue
        place = base / str(number)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)
            os.close(lock)
        return
    raise RuntimeError(f"more than {_RUNS_AT_ONCE} test runs at once below {base}")
