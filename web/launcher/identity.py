"""As whom PostgreSQL runs: it refuses to be root, and wants its user to have a name.

An ordinary user runs it as himself. Root runs it in a user namespace, where it is somebody else and its files
stay root's; where namespaces are not allowed (a chroot, some containers), under the account `postgres` or
`nobody`, with everything it must reach below /var/lib because a home directory may be closed to it.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from web.launcher.layout import ROOT, fingerprint
from web.launcher.processes import answer_of

_ESTATES = Path("/var/lib")


@dataclass(frozen=True)
class Identity:
    """The words before the command, and who must own its files (None: whoever we are)."""

    kind: str
    prefix: tuple[str, ...]
    owner: tuple[int, int] | None = None

    def place(self, directory: Path) -> Path:
        """`directory`, or one in its stead that the server can reach."""
        if self.owner is None or _open_to_all(directory):
            return directory
        return _estate() / fingerprint(str(directory.resolve()))

    def own(self, path: Path) -> None:
        """Make the directory, private to the server."""
        path.mkdir(parents=True, exist_ok=True)
        if self.owner:
            os.chown(path, *self.owner)
        path.chmod(0o700)

    def reachable(self, tree: Path) -> Path:
        """The unpacked programs where the server can read them: copied once when they lie below a closed home."""
        if self.owner is None or _open_to_all(tree):
            return tree
        copy = _estate() / f"{tree.name}-{fingerprint(str(tree.stat().st_mtime_ns))}"
        if not copy.is_dir():
            partial = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copytree(tree, partial, symlinks=True)
            partial.rename(copy)
        return copy


@functools.cache
def server_identity() -> Identity:
    """Who PostgreSQL will be on this machine."""
    account = _account()
    if os.getuid() != 0 and _has_name(os.getuid()):
        return Identity("self", ())
    namespace = ("unshare", "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}", "--")
    if answer_of([*namespace, "true"]) is not None:
        return Identity("namespace", namespace)
    if os.getuid() != 0:
        return Identity("self", ())
    drop = ("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--")
    return Identity("account", drop, (account.pw_uid, account.pw_gid))


def _account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return pwd.getpwuid(os.getuid())


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _estate() -> Path:
    estate = _ESTATES / f"vigia-{fingerprint(str(ROOT))}"
    estate.mkdir(mode=0o711, parents=True, exist_ok=True)
    estate.chmod(0o711)
    return estate


def _open_to_all(path: Path) -> bool:
    """Whether anybody may pass through every directory above."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents if parent.exists())
