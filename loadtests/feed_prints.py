"""One number for a whole feature, so that a line can be compared long after it passed."""

from __future__ import annotations

import zlib
from typing import Any

import orjson


def print_of(feature: dict[str, Any] | None) -> int:
    """Equal for equal features, whatever the order of their names."""
    return zlib.crc32(orjson.dumps(feature, option=orjson.OPT_SORT_KEYS))
