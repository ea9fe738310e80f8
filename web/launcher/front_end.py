"""The front end, built from `web/ui` into `web/static`: once, and again when its sources change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from web.launcher.layout import PREPARATION_LOCK, ROOT, STATIC, UI, file_fingerprint, fingerprint, write_whole
from web.launcher.locks import waiting_for
from web.launcher.node import node
from web.launcher.problems import Exit, Problem
from web.launcher.processes import work
from web.launcher.progress import Step, say

_BUILT = STATIC / ".built-from"
_INSTALLED = UI / "node_modules" / ".installed-from"
_NOT_SOURCES = {"node_modules", "dist", "coverage", "test-results", "playwright-report", ".vite"}


def exists() -> bool:
    """Whether this checkout has a front end to build."""
    return (UI / "package.json").exists()


def ensure_built() -> None:
    """Build what is served, when the sources are not those of the last build. Needs Node only then."""
    if not exists():
        say("front_end.absent")
        return
    if os.environ.get("VIGIA_SKIP_FRONT_END") == "1":
        say("front_end.skipped")
        return
    sources = _sources_fingerprint()
    if _read(_BUILT) == sources:
        return
    ensure_packages()
    _BUILT.unlink(missing_ok=True)
    with Step("front_end.build") as step:
        work(
            [*node().npm, "run", "build"],
            step,
            problem="front_end.failed",
            code=Exit.FAILED,
            lines=25,
            env=node().env,
            cwd=UI,
        )
    write_whole(_BUILT, sources, 0o644)


def ensure_packages() -> None:
    """`npm ci`, when the lock is not the one installed last."""
    lock = fingerprint(file_fingerprint(UI / "package-lock.json"), node().version)
    if _read(_INSTALLED) == lock:
        return
    with Step("front_end.packages") as step:
        work(
            [*node().npm, "ci", "--no-audit", "--no-fund"],
            step,
            problem="download.failed",
            code=Exit.DOWNLOAD_FAILED,
            env=node().env,
            cwd=UI,
        )
    write_whole(_INSTALLED, lock, 0o644)


def build_failure() -> Problem | None:
    """For those who want to go on and report at the end: what stood in the way of a build, if anything."""
    try:
        with waiting_for(PREPARATION_LOCK):
            ensure_built()
            if exists():
                ensure_packages()
    except Problem as problem:
        return problem
    return None


def current() -> bool:
    """Whether what is served was built from the sources as they are."""
    return exists() and _read(_BUILT) == _sources_fingerprint()


def _sources_fingerprint() -> str:
    files = sorted([*_files(UI), *(ROOT / "web" / "locale").rglob("*.json")])
    return fingerprint(*(f"{file.relative_to(ROOT)} {file_fingerprint(file)}" for file in files))


def _files(directory: Path) -> Iterator[Path]:
    for place, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if name not in _NOT_SOURCES]
        yield from (Path(place, name) for name in names if not name.endswith(".tsbuildinfo"))


def _read(stamp: Path) -> str:
    return stamp.read_text() if stamp.exists() else ""
