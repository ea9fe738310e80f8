"""A private PostgreSQL with PostGIS: found or fetched, created, started, asked, stopped.

Tests start their own, throw-away ones:

    with PrivatePostgres(directory, durable=False) as pg:
        connect(pg.url)
        pg.kill()       # -9, as a power cut would
        pg.start()      # and it recovers

Start and stop from the main thread: the server is tied to the thread that started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from web.launcher import debian, pgwire
from web.launcher.identity import server_identity
from web.launcher.layout import ROOT, TOOLS, short_directory, write_whole
from web.launcher.problems import Exit, Problem
from web.launcher.processes import answer_of, signal_group, size_of, start, tail

_SOCKET = ".s.PGSQL.5432"
_UNPACKED = TOOLS / "postgresql"
_EXTENSIONS_WANTED = ("postgis",)
_OPEN_DATA_ROLE = ROOT / "web" / "deploy" / "database" / "open_data.sql"

DURABLE: Mapping[str, str] = {
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "wal_compression": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
}
THROW_AWAY: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "autovacuum_naptime": "5min",
}
_ALWAYS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
    "log_min_duration_statement": "2s",
    "idle_in_transaction_session_timeout": "60s",
    "random_page_cost": "1.1",
}


@dataclass(frozen=True)
class Binaries:
    """Where the programs are and what they need around them."""

    directory: Path
    env: Mapping[str, str] = field(default_factory=dict)
    origin: str = "system"

    def environment(self) -> dict[str, str]:
        """Our environment and theirs, with nothing in it that would turn a server somewhere else."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return ours | {"LC_ALL": "C.UTF-8"} | dict(self.env)


def find(major: str = "") -> Binaries | None:
    """Programs that know PostGIS: named by the environment, the machine's, or unpacked earlier."""
    named = os.environ.get("VIGIA_POSTGRES_BIN")
    if named:
        return Binaries(Path(named), json.loads(os.environ.get("VIGIA_POSTGRES_ENV", "{}")), "VIGIA_POSTGRES_BIN")
    for directory in _system_directories():
        if _has_postgis(directory) and (not major or _major(directory) == major):
            return Binaries(directory)
    unpacked = _unpacked_binaries()
    if unpacked and (not major or _major(unpacked.directory) == major):
        return unpacked
    return None


def find_or_fetch(major: str = "") -> Binaries:
    """As `find`; when there are none, the distribution's packages, of the version the data were made with."""
    found = find(major)
    if found:
        return found
    packages = _packages(major)
    debian.unpack(_wish(packages), _UNPACKED, key="postgres.fetch")
    _finish_unpacking(_UNPACKED)
    made = _unpacked_binaries()
    if made is None or _lacks_libraries(made):
        shutil.rmtree(_UNPACKED, ignore_errors=True)
        debian.unpack(debian.Wish("postgresql, entero", packages), _UNPACKED, key="postgres.fetch")
        _finish_unpacking(_UNPACKED)
        made = _unpacked_binaries()
    if made is None:
        raise Problem("postgres.absent", Exit.MACHINE_LACKS)
    return made


def add_routing(binaries: Binaries) -> bool:
    """Put pgRouting beside PostGIS where it can be had: only to compare our router with it. True when it is there."""
    control = "usr/share/postgresql/{major}/extension/pgrouting.control"
    major = _major(binaries.directory)
    tree = binaries.directory.parents[4]
    if (tree / control.format(major=major)).exists():
        return True
    if tree != _UNPACKED or not debian.available():
        return False  # the machine's own PostgreSQL is the machine's business
    beside = _UNPACKED.with_name("pgrouting")
    package = f"postgresql-{major}-pgrouting"
    try:
        debian.unpack(
            debian.Wish("pgrouting", (package,), without=r"(?!postgresql-\d+-pgrouting).*"),
            beside,
            key="pgrouting.fetch",
        )
    except Problem:
        return False
    shutil.copytree(beside / "usr" / "lib" / "postgresql", tree / "usr" / "lib" / "postgresql", dirs_exist_ok=True)
    shutil.copytree(beside / "usr" / "share" / "postgresql", tree / "usr" / "share" / "postgresql", dirs_exist_ok=True)
    return (tree / control.format(major=major)).exists()


class PrivatePostgres:
    """One cluster of our own, reached over a Unix socket that only its owner may open."""

    def __init__(
        self,
        directory: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        binaries: Binaries | None = None,
    ) -> None:
        self.identity = server_identity()
        self._asked_for = directory
        self.place = self.identity.place(directory)
        self.cluster = self.place / "cluster"
        self.sockets = short_directory(self.place / "run", _SOCKET)
        self.log = directory / "postgres.log"
        self._durable = durable
        self._settings = dict(_ALWAYS) | dict(DURABLE if durable else THROW_AWAY) | dict(settings or {})
        found = binaries or find_or_fetch(self._major_of_data())
        self.binaries = self._reachable(found)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.sockets / _SOCKET

    @property
    def url(self) -> str:
        """For whoever may do everything: the superuser, in the maintenance database."""
        return self.database_url("postgres", "postgres")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def database_url(self, database: str, user: str) -> str:
        """As SQLAlchemy wants it."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.sockets}"

    def create(self) -> None:
        """Make the cluster if it is not there; it appears only when it is whole."""
        self._asked_for.mkdir(parents=True, exist_ok=True)
        self.identity.own(self.place)
        self.identity.own(self.sockets)
        if self.place != self._asked_for:
            write_whole(self._asked_for / "cluster-is-in", f"{self.place}\n")
        if self.cluster.exists():
            return
        partial = self.place / "cluster.partial"
        shutil.rmtree(partial, ignore_errors=True)
        self.identity.own(partial)
        command = [str(self.binaries.directory / "initdb"), "-D", str(partial), "-U", "postgres"]
        command += ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        command += ["--data-checksums"] if self._durable else ["--no-sync"]
        made = subprocess.run(
            [*self.identity.prefix, *command],
            env=self.binaries.environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise Problem("postgres.initdb", Exit.PROCESS_FAILED, why=made.stderr.strip()[-400:], log=self.log)
        partial.rename(self.cluster)

    def command(self) -> list[str]:
        """What to start: the server itself, in the foreground."""
        settings = self._settings | {"unix_socket_directories": str(self.sockets)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binaries.directory / "postgres"), "-D", str(self.cluster), *words]

    def environment(self) -> dict[str, str]:
        return self.binaries.environment()

    def start(self, patience: float = 60) -> Self:
        """Create it if needed, start it, wait until it answers."""
        self.create()
        deadline = time.monotonic() + patience
        while True:
            self.clear_stale_lock(max(1.0, deadline - time.monotonic()))
            since = size_of(self.log)
            self._process = self._launch()
            while self._process.poll() is None:
                if self.ready(2):
                    return self
                if time.monotonic() > deadline:
                    self.kill()
                    break
                time.sleep(0.02)
            words = tail(self.log, 6, since)
            if "lock file" not in words or time.monotonic() > deadline:
                raise Problem("postgres.start", Exit.PROCESS_FAILED, why=words, log=self.log)
            time.sleep(0.2)  # a killed server not yet reaped still counts as running

    def stop(self, patience: float = 30) -> None:
        """A clean, quick stop."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """-9 to the server and every one of its processes, as a power cut would."""
        if self._process is not None:
            signal_group(self._process, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Hang it, as an overloaded machine would."""
        if self._process:
            signal_group(self._process, signal.SIGSTOP)

    def resume(self) -> None:
        if self._process:
            signal_group(self._process, signal.SIGCONT)

    def ready(self, seconds: float = 5) -> bool:
        """Whether it answers a question, not merely whether it listens."""
        try:
            self.ask("select 1", seconds=seconds)
        except (OSError, pgwire.Refused):
            return False
        return True

    def ask(self, sql: str, database: str = "postgres", seconds: float = 60) -> list[pgwire.Row]:
        """As the superuser."""
        return pgwire.query(self.socket, database, sql, seconds=seconds)

    def ensure_database(self, name: str) -> None:
        """A role and a database of that name, with PostGIS in it."""
        if not self.ask(f"select from pg_roles where rolname = {pgwire.literal(name)}"):
            self.ask(f'create role "{name}" login')
        if not self.ask(f"select from pg_database where datname = {pgwire.literal(name)}"):
            self.ask(f'create database "{name}" owner "{name}"')
        for extension in _EXTENSIONS_WANTED:
            self.ask(f"create extension if not exists {extension}", name)
            self.ask(f"alter extension {extension} update", name)

    def ensure_open_data_role(self, database: str) -> str:
        """The role that reads the open data of a database and nothing else; its address."""
        self.ask(_OPEN_DATA_ROLE.read_text(encoding="utf-8"), database)
        return self.database_url(database, "vigia_open")

    def destroy(self) -> None:
        """Stop it and leave nothing of it."""
        self.kill()
        for directory in {self.cluster, self.sockets, self.place if self.place != self._asked_for else self.cluster}:
            shutil.rmtree(directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def clear_stale_lock(self, patience: float = 10) -> None:
        """A killed server leaves its lock file. While the dead one is not reaped, PostgreSQL thinks it alive;
        once no process works in the cluster any more, the file says nothing and goes."""
        lock = self.cluster / "postmaster.pid"
        deadline = time.monotonic() + patience
        while lock.exists():
            try:
                holder = int(lock.read_text().split("\n", 1)[0])
            except (OSError, ValueError):
                return
            if not Path(f"/proc/{holder}").exists():
                return  # PostgreSQL sees for itself that nobody is there
            if not _at_work_in(self.cluster):
                lock.unlink(missing_ok=True)
                return
            if time.monotonic() > deadline:
                raise Problem("postgres.occupied", Exit.PROCESS_FAILED, pid=holder, path=self.cluster)
            time.sleep(0.1)

    def _launch(self) -> subprocess.Popen[bytes]:
        return start(
            self.command(),
            log=self.log,
            env=self.environment(),
            cwd=Path("/"),
            farewell="INT",
            identity=self.identity.prefix,
        )

    def _major_of_data(self) -> str:
        version = self.cluster / "PG_VERSION"
        return version.read_text().strip() if version.exists() else ""

    def _reachable(self, found: Binaries) -> Binaries:
        if not found.directory.is_relative_to(_UNPACKED):
            return found
        tree = self.identity.reachable(_UNPACKED)
        moved = {name: value.replace(str(_UNPACKED), str(tree)) for name, value in found.env.items()}
        return Binaries(tree / found.directory.relative_to(_UNPACKED), moved, found.origin)


def _at_work_in(cluster: Path) -> bool:
    """Whether any living process has the cluster as its directory, as every PostgreSQL process has."""
    wanted = cluster.resolve()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # gone, a zombie, or not ours to look at
            if (entry / "cwd").resolve(strict=True) == wanted:
                return True
    return False


def _system_directories() -> list[Path]:
    debian_ones = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    elsewhere = [
        Path(base) / f"postgresql@{major}" / "bin"
        for base in ("/opt/homebrew/opt", "/usr/local/opt")
        for major in (18, 17, 16, 15)
    ]
    on_path = shutil.which("postgres")
    return [
        directory
        for directory in [*debian_ones, *([Path(on_path).parent] if on_path else []), *elsewhere]
        if (directory / "postgres").exists() and (directory / "initdb").exists()
    ]


def _has_postgis(directory: Path) -> bool:
    share = Path("/usr/share/postgresql") / directory.parent.name
    if not share.is_dir():
        share = Path((answer_of([str(directory / "pg_config"), "--sharedir"]) or "/nowhere").strip())
    return (share / "extension" / "postgis.control").exists()


def _major(directory: Path) -> str:
    env = None
    if directory.is_relative_to(_UNPACKED):
        env = {**os.environ, **_unpacked_environment(_UNPACKED)}
    told = answer_of([str(directory / "postgres"), "--version"], env=env) or ""
    found = re.search(r"(\d+)(?:\.|\s|$)", told)
    return found[1] if found else ""


def _packages(major: str) -> tuple[str, ...]:
    """The newest PostgreSQL the distribution has PostGIS for, or the wanted one."""
    offered = [re.fullmatch(r"postgresql-(\d+)-postgis-3", name) for name in debian.package_names("postgresql-")]
    versions = sorted((int(found[1]) for found in offered if found), reverse=True)
    if major:
        versions = [version for version in versions if str(version) == major]
    if not versions:
        raise Problem(
            "postgres.no_package" if major else "debian.no_package",
            Exit.DOWNLOAD_FAILED,
            major=major,
            wanted="postgresql-NN-postgis-3",
        )
    return (f"postgresql-{versions[0]}", f"postgresql-{versions[0]}-postgis-3")


def _wish(packages: tuple[str, ...]) -> debian.Wish:
    """Less what only rasters, 3-D bodies, just-in-time compilation and the distribution's cluster tools need."""
    return debian.Wish("postgresql", packages, without=r"libgdal.*|libsfcgal.*|libllvm.*|postgresql-(client-)?common")


def _finish_unpacking(tree: Path) -> None:
    """What the packages' own scripts would have done: the extension's name without its version."""
    for control in tree.glob("usr/share/postgresql/*/extension/*-3.control"):
        plain = control.with_name(control.name.replace("-3.control", ".control"))
        if not plain.exists():
            plain.symlink_to(control.name)


def _unpacked_environment(tree: Path) -> dict[str, str]:
    libraries = ":".join(str(place) for place in debian.library_directories(tree))
    proj = str(tree / "usr" / "share" / "proj")
    return {"LD_LIBRARY_PATH": libraries, "PROJ_LIB": proj, "PROJ_DATA": proj}


def _unpacked_binaries() -> Binaries | None:
    found = sorted(_UNPACKED.glob("usr/lib/postgresql/*/bin"))
    if not found:
        return None
    _finish_unpacking(_UNPACKED)
    return Binaries(found[-1], _unpacked_environment(_UNPACKED), "unpacked")


def _lacks_libraries(binaries: Binaries) -> bool:
    programs = [binaries.directory / "postgres", binaries.directory / "initdb"]
    modules = sorted((binaries.directory.parent / "lib").glob("postgis-3.so"))
    env = binaries.environment()
    return any(debian.missing_libraries(file, env) for file in [*programs, *modules])


def supported_machine() -> bool:
    """Whether the distribution's packages can be unpacked here at all."""
    return platform.system() == "Linux" and debian.available()
