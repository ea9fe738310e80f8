"""A small checkout of its own: the real launcher, stand-ins for everything it would fetch or run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


class Checkout:
    """Runs `./vigia` there. Servers come from wherever the running launcher or the machine has them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "web").mkdir(parents=True)
        shutil.copytree(ROOT / "web" / "launcher", root / "web" / "launcher")
        database = Path("web", "deploy", "database")
        shutil.copytree(ROOT / database, root / database)
        shutil.copy(ROOT / "web" / "__init__.py", root / "web" / "__init__.py")
        shutil.copy(ROOT / "pyproject.toml", root / "pyproject.toml")
        shutil.copy(ROOT / "vigia", root / "vigia")
        shutil.copy(ROOT / "tests" / "launcher" / "standin.py", root / "web" / "cli.py")
        (root / "requirements.lock").write_text("# nothing\n")
        (root / "requirements-dev.lock").write_text("# nothing\n")
        self.pretend_synchronized()
        network = root / "var" / "downloads" / "coquimbo.zip"
        network.parent.mkdir(parents=True)
        network.write_bytes(b"streets")

    def pretend_synchronized(self) -> None:
        """As the launcher leaves it after installing the lock."""
        venv.create(self.root / ".venv", with_pip=False)
        lock = self.root / "requirements.lock"
        digest = hashlib.sha256()
        content = lock.read_bytes()
        digest.update(f"{lock.name}\0{len(content)}\0".encode() + content)
        stamp = {"lock": lock.name, "fingerprint": digest.hexdigest()}
        (self.root / ".venv" / ".vigia-synchronized").write_text(json.dumps(stamp))

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("VIGIA_") or name.startswith(("VIGIA_POSTGRES_", "VIGIA_REDIS_BIN"))
        }
        return inherited | {"VIGIA_PYTHON": sys.executable} | more

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "vigia"), *words],
            env=self.environment(**env),
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def vigia(self, *words: str, **env: str) -> tuple[int, str]:
        """Exit code and everything it said."""
        process = self.start(*words, **env)
        said, _ = process.communicate(timeout=100)
        return process.returncode, said

    def status(self, *words: str) -> dict[str, Any]:
        _, said = self.vigia("status", "--json", *words)
        found: dict[str, Any] = json.loads(said)
        return found

    def processes(self, *words: str) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.status(*words).get("processes", [])}

    @property
    def data(self) -> Path:
        return self.root / "var"


def alive(pid: int) -> bool:
    """Neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(so: Callable[[], Any], seconds: float = 30) -> Any:
    """What `so` gives, once it gives something true."""
    deadline = time.monotonic() + seconds
    while not (found := so()):
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.1)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
