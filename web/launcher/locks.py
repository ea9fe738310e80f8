"""Locks that die with their holder, so a killed launcher never leaves one behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from web.launcher.progress import say


def try_lock(path: Path) -> int | None:
    """An exclusive lock's file descriptor, or None when somebody holds it. Closing it, or dying, frees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_locked(path: Path) -> bool:
    """Whether somebody holds it now; leaves no file behind."""
    if not path.exists():
        return False
    handle = try_lock(path)
    if handle is None:
        return True
    os.close(handle)
    return False


@contextlib.contextmanager
def waiting_for(path: Path) -> Iterator[None]:
    """Hold the lock; say once when another launcher is at the same work, then wait for it."""
    handle = try_lock(path)
    if handle is None:
        say("lock.waiting")
        while (handle := try_lock(path)) is None:
            time.sleep(0.3)
    try:
        yield
    finally:
        os.close(handle)
