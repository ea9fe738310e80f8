"""Frames made by hand are what the library, and so every browser, reads."""

from __future__ import annotations

import math

import orjson
import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from realtime.frames import PING, json_frame, text_frame


def read(frames: bytes) -> list[Frame]:
    """What a client sees in these bytes."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.receive_data(frames)
    assert client.parser_exc is None
    return [frame for frame in client.events_received() if isinstance(frame, Frame)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_a_frame_of_any_size_is_one_text_message(size: int) -> None:
    [frame] = read(text_frame(b"a" * size))
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, b"a" * size)


def test_frames_stand_one_after_another() -> None:
    frames = read(text_frame(b"one") + PING + json_frame({"dos": "Ñandú"}))
    assert [frame.opcode for frame in frames] == [Opcode.TEXT, Opcode.PING, Opcode.TEXT]
    assert orjson.loads(frames[2].data) == {"dos": "Ñandú"}


def test_a_frame_always_parses() -> None:
    [frame] = read(json_frame({"speed": math.nan, "heading": math.inf}))
    assert orjson.loads(frame.data) == {"speed": None, "heading": None}
