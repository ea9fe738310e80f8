"""GDAL's own programs (ogrinfo, ogr2ogr), with which the tests read our open data as a cadastre office would."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from web.launcher import debian
from web.launcher.layout import TOOLS, write_whole
from web.launcher.problems import Problem
from web.launcher.progress import say

_HOME = TOOLS / "gdal"
_PROGRAMS = ("ogrinfo", "ogr2ogr")
_WISH = debian.Wish(
    "gdal", ("gdal-bin",), without=r"python3.*|libgl1.*|libllvm.*|mysql-common|odbcinst|unixodbc-common"
)


def ensure() -> None:
    """Fetch them where there are none. Only tests want them, so a machine without them is told and goes on."""
    if directory() is not None:
        return
    try:
        debian.unpack(_WISH, _HOME, key="gdal.fetch")
    except Problem as problem:
        say("gdal.absent", why=str(problem).splitlines()[0])
        return
    _write_wrappers()


def directory() -> Path | None:
    """Where they are: named by VIGIA_GDAL_BIN, the machine's own, or unpacked earlier; nothing is downloaded."""
    named = os.environ.get("VIGIA_GDAL_BIN")
    if named:
        return Path(named)
    found = shutil.which("ogrinfo")
    if found and shutil.which("ogr2ogr"):
        return Path(found).parent
    if not (_HOME / "usr" / "bin" / "ogrinfo").exists():
        return None
    _write_wrappers()  # always: the checkout may have been moved since
    return _HOME / "vigia"


def _write_wrappers() -> None:
    """Their libraries and tables lie in the unpacked tree."""
    places = [*debian.library_directories(_HOME), *sorted({file.parent for file in (_HOME / "usr/lib").glob("*.so*")})]
    libraries = ":".join(str(place) for place in places)
    for name in _PROGRAMS:
        write_whole(
            _HOME / "vigia" / name,
            "#!/bin/sh\n"
            f"export LD_LIBRARY_PATH='{libraries}'\n"
            f"export GDAL_DATA='{_HOME}/usr/share/gdal' PROJ_LIB='{_HOME}/usr/share/proj'\n"
            f"export PROJ_DATA='{_HOME}/usr/share/proj'\n"
            f"exec '{_HOME}/usr/bin/{name}' \"$@\"\n",
            0o755,
        )
