"""A Chromium for the browser tests: the machine's, else the distribution's package unpacked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from web.launcher import debian
from web.launcher.layout import CACHE, TOOLS, write_whole

_HOME = TOOLS / "chromium"
_WRAPPER = _HOME / "vigia-chromium"
_WISH = debian.Wish(
    "chromium",
    ("chromium", "fonts-dejavu-core"),
    without=r"libgtk.*|xdg-.*|x11-utils|.*-icon-theme.*|libgl1-mesa-dri|libllvm.*",
)


def chromium() -> Path:
    """The program tests should start; fetched when there is none."""
    found = known_chromium()
    if found:
        return found
    debian.unpack(_WISH, _HOME, key="chromium.fetch")
    _write_wrapper()
    return _WRAPPER


def known_chromium() -> Path | None:
    """Named by VIGIA_CHROMIUM, the machine's own, or one unpacked earlier; nothing is downloaded."""
    named = os.environ.get("VIGIA_CHROMIUM")
    if named:
        return Path(named)
    for name in ("chromium", "google-chrome-stable", "google-chrome"):
        found = shutil.which(name)
        if found and not Path(found).resolve().is_relative_to("/snap"):
            return Path(found)
    if not _HOME.is_dir():
        return None
    if not _WRAPPER.exists():
        _write_wrapper()
    return _WRAPPER


def _write_wrapper() -> None:
    """Its libraries, fonts and certificates lie in the unpacked tree; a bare machine may lack /dev/shm."""
    libraries = ":".join(str(place) for place in debian.library_directories(_HOME))
    fonts = _HOME / "vigia-fonts.conf"
    write_whole(
        fonts,
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{_HOME}/usr/share/fonts</dir><dir>/usr/share/fonts</dir>"
        f"<cachedir>{CACHE}/fontconfig</cachedir></fontconfig>\n",
        0o644,
    )
    write_whole(
        _WRAPPER,
        "#!/bin/sh\n"
        f"export LD_LIBRARY_PATH='{libraries}'\n"
        f"export FONTCONFIG_FILE='{fonts}'\n"
        f"exec '{_HOME}/usr/lib/chromium/chromium' --no-sandbox --disable-dev-shm-usage \"$@\"\n",
        0o755,
    )
