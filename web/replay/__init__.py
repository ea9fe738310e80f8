"""Real dispatch logs, replayed through the public API and reconciled with the database."""

from __future__ import annotations

from pathlib import Path

from web.settings import Settings


async def replay(
    settings: Settings,
    file: Path,
    *,
    source: str,
    speed: float = 0,
    limit: int | None = None,
    onto_city: bool = False,
) -> int:
    """Replay the log at `file` into the running city; the exit code (0 when everything reconciles)."""
    raise NotImplementedError
