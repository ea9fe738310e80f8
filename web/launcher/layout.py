"""Where things are: the checkout, what every instance shares, and one instance's own data."""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from web.launcher.problems import Exit, Problem

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = ROOT / "var"
TOOLS = SHARED / "tools"
DOWNLOADS = SHARED / "downloads"
CACHE = SHARED / "cache"
SETUP_LOG = SHARED / "log" / "setup.log"
PREPARATION_LOCK = SHARED / "preparation.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UI = ROOT / "web" / "ui"
STATIC = ROOT / "web" / "static"

LONGEST_SOCKET_PATH = 107  # bytes in sockaddr_un, less the closing zero


@dataclass(frozen=True)
class Instance:
    """One running Vigía: everything it writes lies below `data`."""

    data: Path

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def log(self) -> Path:
        return self.data / "log"

    @property
    def state_file(self) -> Path:
        return self.run / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.run / "vigia.lock"

    @property
    def accounts_file(self) -> Path:
        return self.data / "demo-accounts.json"

    @property
    def first_account_file(self) -> Path:
        return self.data / "first-account-code"

    @property
    def own_city_file(self) -> Path:
        return self.data / "own-city"

    @property
    def words(self) -> str:
        """How a command names it; nothing for the one that is meant anyway."""
        return "" if self.data == SHARED else f" --data {self.data}"

    def make(self) -> None:
        """The directories, readable by nobody else: they hold people's data."""
        try:
            for directory in (self.data, self.run, self.log):
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.run.chmod(0o700)
            self.log.chmod(0o700)
        except OSError as error:
            raise Problem("data.unwritable", Exit.MACHINE_LACKS, data=self.data, why=error.strerror) from error

    def socket(self, name: str) -> Path:
        """A Unix socket of this instance, in a short directory when the data lie too deep."""
        return short_directory(self.run, name) / name


def short_directory(wanted: Path, longest_name: str) -> Path:
    """`wanted`, or a private directory with a short name when its sockets would not fit in an address."""
    if len(os.fsencode(wanted / longest_name)) <= LONGEST_SOCKET_PATH:
        return wanted
    short = Path(tempfile.gettempdir()) / f"vigia-{os.getuid()}-{fingerprint(str(wanted))}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if found.st_uid != os.getuid() or short.is_symlink():
        raise Problem("sockets.stranger", Exit.MACHINE_LACKS, path=short)
    short.chmod(0o700)
    return short


def fingerprint(*words: str) -> str:
    """A short name for long words."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:10]


def file_fingerprint(*files: Path) -> str:
    """A name for these files' contents."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def write_whole(path: Path, content: str, mode: int = 0o600) -> None:
    """Write so that a reader sees the old content or the new, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def version() -> str:
    """The project's version, as its own file says."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
