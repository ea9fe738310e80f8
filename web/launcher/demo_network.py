"""The street network of the demo municipality, taken out of a package that carries it.

La Serena and Coquimbo: streets by OpenStreetMap contributors (ODbL), prepared by the AequilibraE project.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from web.launcher import wheels
from web.launcher.layout import DOWNLOADS

_INSIDE = "aequilibrae/reference_files/coquimbo.zip"
_NETWORK = DOWNLOADS / "coquimbo.zip"


def demo_network() -> Path:
    """The file; fetched when it is not there yet. Only the one wheel, without its dependencies."""
    if not _NETWORK.exists():
        wheel = wheels.download("aequilibrae", python="3.11", platform="manylinux_2_28_x86_64")
        partial = _NETWORK.with_suffix(".partial")
        with zipfile.ZipFile(wheel) as archive, archive.open(_INSIDE) as source, partial.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        partial.rename(_NETWORK)
        shutil.rmtree(wheel.parent)
    return _NETWORK


def known_demo_network() -> Path | None:
    """The file if an earlier run left it."""
    return _NETWORK if _NETWORK.exists() else None
