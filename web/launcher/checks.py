"""`check`: everything a machine can say about the code without running it. All of it, not only the first."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from web.launcher import environment, front_end, node
from web.launcher.layout import ROOT, UI, VENV, Instance
from web.launcher.progress import say
from web.launcher.testing import foreground
from web.launcher.up import prepare

LOCKS = ("requirements.lock", "requirements-dev.lock", "web/launcher/tools.lock", "web/ui/package-lock.json")
_HOST = re.compile(r"https?://|git\+|file:|--(?:extra-)?index-url|--find-links|/opt/")
_RESOLVED = re.compile(r"\"(resolved|version)\": \"(https?:|git|file:)")  # npm also lists where to send donations


def check(instance: Instance) -> int:
    instance.make()
    prepare_tools()
    failed = [name for name, passes in _all() if not _passes(name, passes)]
    if failed:
        say("check.failed", names=", ".join(failed))
        return 1
    say("check.passed")
    return 0


def prepare_tools() -> None:
    prepare(development=True, demo=False, build=False)


def locks_naming_hosts(root: Path = ROOT) -> list[str]:
    """Where a lock file would send the reader to a particular host: file and line."""
    found = []
    for name in LOCKS:
        file = root / name
        lines = file.read_text().splitlines() if file.exists() else []
        for number, line in enumerate(lines, 1):
            pattern = _RESOLVED if name.endswith(".json") else _HOST
            if not line.lstrip().startswith("#") and pattern.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    return found


def _all() -> list[tuple[str, Callable[[], bool]]]:
    steps: list[tuple[str, Callable[[], bool]]] = [
        ("ruff format", lambda: _tool("ruff", "format", "--check", ".")),
        ("ruff check", lambda: _tool("ruff", "check", ".")),
        ("mypy", lambda: _tool("mypy")),
        ("import-linter", lambda: _tool("lint-imports")),
        ("locks", _locks),
    ]
    if front_end.exists():
        steps.append(("front end", _front_end))
    return steps


def _passes(name: str, step: Callable[[], bool]) -> bool:
    say("check.step", name=name)
    passed = step()
    say("check.step_passed" if passed else "check.step_failed", name=name)
    return passed


def _tool(name: str, *arguments: str) -> bool:
    env = environment.clean(os.environ) | {"PYTHONPATH": str(ROOT)}
    return foreground([str(VENV / "bin" / "python"), *_words(name), *arguments], env, ROOT) == 0


def _words(name: str) -> list[str]:
    """As modules or scripts of `.venv`, whatever the PATH says."""
    return ["-m", name] if name in {"ruff", "mypy"} else [str(VENV / "bin" / name)]


def _locks() -> bool:
    found = locks_naming_hosts()
    for line in found:
        print(f"  {line}")
    return not found


def _front_end() -> bool:
    front_end.ensure_packages()
    found = node.node()
    return foreground([*found.npm, "run", "check"], found.env, UI) == 0
