"""The real network file, where this machine has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def network_file() -> Path:
    """AequilibraE's Coquimbo network; `./vigia test` fetches it."""
    source = Path(os.environ.get("VIGIA_DEMO_NETWORK") or "nowhere")
    if not source.is_file():
        pytest.skip("VIGIA_DEMO_NETWORK names no file")
    return source
