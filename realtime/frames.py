"""WebSocket text frames, built once and written to many: RFC 6455 §5.2, server to client, unmasked, uncompressed.

A library frames each message anew for each client; that, not the kernel, is what a fan-out in Python spends
its time on. A frame made here goes as it is to every transport of an audience.
"""

from __future__ import annotations

import struct
from typing import Any

import orjson

PING = b"\x89\x00"  # a control frame without payload: browsers answer it by themselves


def text_frame(payload: bytes) -> bytes:
    """`payload` (UTF-8) as one unfragmented text frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 0x10000:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def json_frame(message: Any) -> bytes:
    """`message` as JSON in one text frame. NaN and the infinities become null: a frame always parses."""
    return text_frame(orjson.dumps(message, option=orjson.OPT_UTC_Z))
