"""`doctor`: what was found, what is missing, and what to do about it. Changes and downloads nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable

from web.launcher import (
    chromium,
    debian,
    environment,
    front_end,
    gdal,
    identity,
    node,
    postgres,
    python_env,
    redis,
    state,
    wheels,
)
from web.launcher.demo_network import known_demo_network
from web.launcher.layout import CACHE, ROOT, SHARED, Instance, version
from web.launcher.messages import text
from web.launcher.problems import Exit
from web.launcher.progress import say

Finding = tuple[str, str, str]  # mark, name, words

_GOOD, _LATER, _BAD = "✓", "·", "✗"
_SPACE_WANTED = 3_000_000_000


def doctor(instance: Instance) -> int:
    """Non-zero only when something stands in the way that `up` cannot fetch by itself."""
    say("doctor.title", version=version(), root=ROOT, data=instance.data)
    findings = [find() if find is not _instance else _instance(instance) for find in _CHECKS]
    for mark, name, words in findings:
        print(f"  {mark} {name:<12} {words}")
    bad = [name for mark, name, _ in findings if mark == _BAD]
    say("doctor.bad" if bad else "doctor.good", names=", ".join(bad))
    return Exit.MACHINE_LACKS if bad else Exit.FINE


def _python() -> Finding:
    return _GOOD, "python", f"{platform.python_version()} ({sys.executable})"


def _system() -> Finding:
    words = f"{platform.system()} {platform.machine()}, uid {os.getuid()}"
    if platform.system() != "Linux":
        return _LATER, "sistema", f"{words}; {text('doctor.other_system')}"
    return _GOOD, "sistema", f"{words}; {text('doctor.identity.' + identity.server_identity().kind)}"


def _apt() -> Finding:
    if debian.available():
        return _GOOD, "paquetes", text("doctor.apt")
    ours = postgres.find() is not None
    return (_GOOD if ours else _BAD), "paquetes", text("doctor.no_apt")


def _space() -> Finding:
    nearest = next(path for path in (SHARED, *SHARED.parents) if path.exists())
    free = shutil.disk_usage(nearest).free
    enough = free > _SPACE_WANTED
    key = "doctor.space" if enough else "doctor.no_space"
    return (_GOOD if enough else _BAD), "disco", text(key, free=f"{free / 1e9:.1f}", wanted=3)


def _writable() -> Finding:
    nearest = next(path for path in (SHARED, *SHARED.parents) if path.exists())
    if os.access(nearest, os.W_OK):
        return _GOOD, "escritura", str(SHARED)
    return _BAD, "escritura", text("doctor.unwritable", path=nearest)


def _postgres() -> Finding:
    if environment.external_database():
        return _GOOD, "postgres", text("doctor.external", name="VIGIA_DATABASE_URL")
    found = postgres.find()
    if found:
        return _GOOD, "postgres", f"{found.directory} ({text('doctor.origin.' + _origin(found.origin))})"
    return _fetchable("postgres", debian.available())


def _origin(origin: str) -> str:
    return origin if origin in {"system", "unpacked"} else "named"


def _redis() -> Finding:
    if environment.external_redis():
        return _GOOD, "redis", text("doctor.external", name="VIGIA_REDIS_URL")
    found = redis.find()
    return (_GOOD, "redis", str(found)) if found else _fetchable("redis", True)


def _venv() -> Finding:
    if python_env.current(development=True):
        return _GOOD, ".venv", text("doctor.venv_full")
    if python_env.current(development=False):
        return _GOOD, ".venv", text("doctor.venv_runtime")
    return _fetchable(".venv", True)


def _node() -> Finding:
    if front_end.current():
        return _GOOD, "pantallas", text("doctor.front_end_current")
    found = node.known_node()
    if found:
        return _GOOD, "node", found.version
    return _fetchable("node", True)


def _chromium() -> Finding:
    found = chromium.known_chromium()
    return (_GOOD, "chromium", str(found)) if found else _fetchable("chromium", debian.available())


def _gdal() -> Finding:
    found = gdal.directory()
    if found:
        return _GOOD, "gdal", str(found)
    return _LATER, "gdal", text("doctor.fetchable" if debian.available() else "doctor.no_gdal")


def _demo() -> Finding:
    found = known_demo_network()
    return (_GOOD, "demo", str(found)) if found else _fetchable("demo", True)


def _tools() -> Finding:
    found = wheels.fetched("uv")
    return (_GOOD, "uv", str(found)) if found else _fetchable("uv", True)


def _cache() -> Finding:
    return _GOOD, "caché", text("doctor.cache", path=CACHE) if CACHE.exists() else text("doctor.cache_empty")


def _instance(instance: Instance) -> Finding:
    found = state.running(instance)
    if found is None:
        return _LATER, "instancia", text("doctor.not_running")
    return _GOOD, "instancia", text("doctor.running", address=found.address, pid=found.supervisor)


def _fetchable(name: str, possible: bool) -> Finding:
    return (_LATER, name, text("doctor.fetchable")) if possible else (_BAD, name, text("doctor.missing"))


_CHECKS: tuple[Callable[..., Finding], ...] = (
    _python,
    _system,
    _space,
    _writable,
    _apt,
    _postgres,
    _redis,
    _tools,
    _venv,
    _node,
    _chromium,
    _gdal,
    _demo,
    _cache,
    _instance,
)
