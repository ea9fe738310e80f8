"""The project's Python environment: `.venv`, made exactly from a lock file with hashes."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

from web.launcher import wheels
from web.launcher.layout import CACHE, PYTHON, ROOT, SETUP_LOG, VENV, file_fingerprint, write_whole
from web.launcher.problems import Exit, Problem
from web.launcher.processes import answer_of, work
from web.launcher.progress import Step, say

RUNTIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"  # everything in RUNTIME, and the tools of developers

_STAMP = VENV / ".vigia-synchronized"
_UNFINISHED = VENV / ".vigia-unfinished"


def ensure(*, development: bool) -> None:
    """Bring `.venv` to what the lock says; nothing happens when it is there already."""
    if current(development=development):
        return
    if _UNFINISHED.exists() or not _is_an_environment():  # cut short in the middle, or not what it seems
        _remove()
        with Step("python.venv") as step:
            work(
                [sys.executable, "-m", "venv", "--without-pip", str(VENV)],
                step,
                problem="python.venv_failed",
                code=Exit.MACHINE_LACKS,
            )
    lock = DEVELOPMENT if development or _stamp().get("lock") == DEVELOPMENT.name else RUNTIME
    _UNFINISHED.touch()
    _synchronize(lock)
    write_whole(_STAMP, json.dumps({"lock": lock.name, "fingerprint": file_fingerprint(lock)}), 0o644)
    _UNFINISHED.unlink()


def current(*, development: bool) -> bool:
    """Whether `.venv` holds what the lock says, by the stamp of the last run."""
    if _UNFINISHED.exists() or not PYTHON.exists():
        return False
    stamp = _stamp()
    for lock in (DEVELOPMENT,) if development else (DEVELOPMENT, RUNTIME):
        if stamp.get("lock") == lock.name and stamp.get("fingerprint") == file_fingerprint(lock):
            return True
    return False


def _is_an_environment() -> bool:
    """Whether `.venv` is an environment of its own. Never take it for one by its interpreter alone: a link to
    another Python would have that Python's packages replaced by ours."""
    told = answer_of([str(PYTHON), "-c", "import sys; print(sys.prefix, sys.base_prefix, sep=chr(10))"])
    if told is None:
        return False
    prefix, base = told.splitlines()
    return prefix != base and Path(prefix).resolve() == VENV.resolve()


def _remove() -> None:
    if VENV.is_symlink():
        VENV.unlink()
    else:
        shutil.rmtree(VENV, ignore_errors=True)


def _stamp() -> dict[str, str]:
    try:
        found = json.loads(_STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _synchronize(lock: Path) -> None:
    if not _is_an_environment():
        raise Problem("python.venv_failed", Exit.MACHINE_LACKS, why=PYTHON, log=SETUP_LOG)
    uv = _uv()
    try:
        if uv is None:
            _with_pip(lock)
        else:
            _with_uv(uv, lock)
    except Problem:
        if uv is None:
            raise
        say("python.uv_failed")  # an index or certificate that only pip is set up for
        _with_pip(lock)


def _uv() -> Path | None:
    try:
        return wheels.tool("uv") / "bin" / "uv"
    except Problem as problem:
        if problem.code is Exit.DOWNLOAD_FAILED and shutil.which("uv"):
            return Path(str(shutil.which("uv")))
        raise


def _with_uv(uv: Path, lock: Path) -> None:
    with Step("python.sync", lock=lock.name) as step:
        work(
            [str(uv), "pip", "sync", "--require-hashes", "--python", str(PYTHON), str(lock)],
            step,
            problem="download.failed",
            code=Exit.DOWNLOAD_FAILED,
            env=os.environ | _uv_environment(),
        )


def _with_pip(lock: Path) -> None:
    command = [*wheels.pip(), "--python", str(PYTHON), "install", "--require-hashes", "--no-deps"]
    with Step("python.sync", lock=lock.name) as step:
        work(
            [*command, "--only-binary", ":all:", "-r", str(lock)],
            step,
            problem="download.failed",
            code=Exit.DOWNLOAD_FAILED,
            env=wheels.pip_environment() | {"PIP_REQUIRE_VIRTUALENV": "1"},
        )


def _uv_environment() -> dict[str, str]:
    settings = {
        "UV_CACHE_DIR": str(CACHE / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "VIRTUAL_ENV": str(VENV),
    }
    told = answer_of([*wheels.pip(), "config", "list"]) or ""
    index = re.search(r"^(?:global|user|site|:env:)\.index-url='(.+)'$", told, re.MULTILINE)
    if index and "UV_DEFAULT_INDEX" not in os.environ:
        settings["UV_DEFAULT_INDEX"] = index[1]
    return settings
