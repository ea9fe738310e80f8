"""The distribution's own packages, unpacked into a directory, without root and without installing.

apt-get works on a state of its own, so it resolves, downloads and checks signatures as ever, and the
machine's package database is never touched.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from web.launcher.layout import SHARED, fingerprint
from web.launcher.problems import Exit, Problem
from web.launcher.processes import answer_of, work
from web.launcher.progress import Step

_APT = SHARED / "apt"
_FOUNDATION = (
    r"libc6|libgcc-s1|gcc-.*-base|perl.*|libperl.*|dpkg|tar|ucf|sensible-utils|debconf.*|cdebconf|adduser|"
    r"passwd|tzdata|locales.*|ssl-cert|systemd.*|dbus.*|init-system-helpers|lsb-base|netbase|media-types"
)


@dataclass(frozen=True)
class Wish:
    """Packages to unpack together: what is wanted, and which of their dependencies are not needed here."""

    name: str
    packages: tuple[str, ...]
    without: str = ""


def available() -> bool:
    """Whether this is a Debian-like machine."""
    return all(shutil.which(tool) for tool in ("apt-get", "apt-cache", "dpkg-deb"))


def package_names(prefix: str) -> list[str]:
    """The packages whose name begins so, by the lists fetched last (fetched now when there are none)."""
    if not _lists_present():
        _update()
    return sorted((answer_of(["apt-cache", *_options(), "pkgnames", prefix]) or "").split())


def unpack(wish: Wish, target: Path, *, key: str) -> None:
    """Fetch and unpack; `target` appears only when it is whole. `key` names the step for the reader."""
    if not available():
        raise Problem("debian.absent", Exit.MACHINE_LACKS, wanted=wish.name)
    _update()
    needed = _needed(wish)
    archives = _APT / f"debs-{fingerprint(wish.name)}"
    archives.mkdir(parents=True, exist_ok=True)
    for stale in archives.iterdir():
        if stale.name not in {package.file for package in needed}:
            stale.unlink()
    total = sum(package.size for package in needed)
    with Step(key) as step:
        work(
            ["apt-get", *_options(), "-qq", "download", *[package.name for package in needed]],
            step,
            problem="download.failed",
            code=Exit.DOWNLOAD_FAILED,
            cwd=archives,
            watch=lambda: f"{_megabytes(_size(archives))} de {_megabytes(total)} MB",
        )
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for package in needed:
            deb = archives / package.file
            if not deb.exists() or deb.stat().st_size != package.size:
                raise Problem("download.failed", Exit.DOWNLOAD_FAILED, why=f"{package.file}: incompleto", log="-")
            work(
                ["dpkg-deb", "-x", str(deb), str(partial)],
                step,
                problem="unpack.failed",
                code=Exit.MACHINE_LACKS,
            )
        _owner_can_remove(partial)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    shutil.rmtree(archives, ignore_errors=True)


def library_directories(unpacked: Path) -> list[Path]:
    """Where an unpacked tree keeps its shared libraries."""
    found: list[Path] = []
    for base in (unpacked / "usr" / "lib", unpacked / "lib"):
        for triplet in sorted(base.glob("*-linux-gnu*")):
            inside = [triplet, *sorted(child for child in triplet.iterdir() if child.is_dir())]
            found += [place for place in inside if any(place.glob("*.so*"))]
    return found


def missing_libraries(binary: Path, env: dict[str, str]) -> list[str]:
    """What the loader would not find."""
    told = answer_of(["ldd", str(binary)], env=env) or ""
    return re.findall(r"^\s*(\S+) => not found", told, re.MULTILINE)


@dataclass(frozen=True)
class _Package:
    name: str
    file: str
    size: int


def _options() -> list[str]:
    settings = {
        "Dir::State": _APT / "state",
        "Dir::State::lists": _APT / "state" / "lists",
        "Dir::State::status": _APT / "state" / "status",
        "Dir::Cache": _APT / "cache",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": 0,
        "Acquire::Retries": 2,
        "Acquire::http::Timeout": 30,
        "Acquire::https::Timeout": 30,
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _lists_present() -> bool:
    return any((_APT / "state" / "lists").glob("*_Packages*"))


def _update() -> None:
    for directory in (_APT / "state" / "lists" / "partial", _APT / "cache" / "archives" / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    (_APT / "state" / "status").touch()
    with Step("debian.lists") as step, contextlib.suppress(Problem):
        # One broken list among many does no harm; what is really missing shows when we resolve.
        work(
            ["apt-get", *_options(), "-qq", "update"],
            step,
            problem="download.failed",
            code=Exit.DOWNLOAD_FAILED,
        )


def _needed(wish: Wish) -> list[_Package]:
    """The installation apt would make, less what is part of any machine or never loaded by us."""
    resolved = _resolve(wish.packages)
    unwanted = re.compile(f"{_FOUNDATION}|{wish.without}" if wish.without else _FOUNDATION)
    seen: set[str] = set()
    ahead = list(wish.packages)
    while ahead:
        batch = sorted({n for n in ahead if n in resolved and n not in seen and not unwanted.fullmatch(n)})
        if not batch:
            break
        seen.update(batch)
        ahead = _dependencies(batch)
    return [resolved[name] for name in sorted(seen)]


def _resolve(packages: Sequence[str]) -> dict[str, _Package]:
    told = answer_of(["apt-get", *_options(), "-qq", "--print-uris", "install", *packages])
    if told is None:
        raise Problem("debian.no_package", Exit.DOWNLOAD_FAILED, wanted=" ".join(packages))
    found = {}
    for line in told.splitlines():
        _uri, file, size, *_hash = line.split()
        name = file.partition("_")[0]
        found[name] = _Package(name, file, int(size))
    return found


def _dependencies(packages: Sequence[str]) -> list[str]:
    told = answer_of(["apt-cache", *_options(), "depends", *packages]) or ""
    direct = re.findall(r"^[ |]*(?:Pre)?Depends: <?([^\s>]+)", told, re.MULTILINE)
    providers = re.findall(r"^    (\S+)$", told, re.MULTILINE)
    return direct + providers


def _owner_can_remove(tree: Path) -> None:
    """Packages may carry directories that an ordinary owner could not enter or delete again."""
    for directory in [tree, *tree.rglob("*")]:
        if directory.is_dir() and not directory.is_symlink():
            directory.chmod(directory.stat().st_mode | 0o755)


def _size(directory: Path) -> int:
    total = 0
    for file in directory.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:  # apt renames while we look
            continue
    return total


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f}"
