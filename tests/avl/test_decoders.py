"""What decoders make of anything at all: a message in our own units, or a refusal that names the field."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.positions import BadFix, judged
from resources.trackers import BadMessage, Message, osmand, owntracks

NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
HERE = {"lat": "-32.95", "lon": "-60.65"}
OFTEN = settings(max_examples=150, deadline=None, database=None, derandomize=True)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=12)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
NAMES = ["lat", "lon", "location", "timestamp", "speed", "bearing", "heading", "accuracy", "hacc", "hdop", "batt"]
NAMES += ["alarm", "valid", "event", "mock", "id"]
COORDS = ["latitude", "longitude", "speed", "heading", "accuracy"]
numberish = st.sampled_from(
    ["", "1", "-1", "1e3", "1_0", "NaN", "inf", "１", "0x1", "60,0", " 5 ", "9" * 50, "2020-01-01"]
)


def sound(message: Message) -> None:
    """Whatever a decoder lets through can be judged: a fix, or a refusal."""
    assert message.battery is None or 0 <= message.battery <= 1
    for claim in message.claims:
        assert claim.fixed_at.tzinfo is not None
        try:
            judged(claim, NOW)
        except BadFix:
            continue


@OFTEN
@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=20) | numberish))
def test_any_query_is_understood_or_refused(parameters: dict[str, str]) -> None:
    with contextlib.suppress(BadMessage):
        sound(osmand.decode_query(parameters, NOW))


@OFTEN
@given(
    values
    | st.fixed_dictionaries(
        {
            "location": st.fixed_dictionaries(
                {"coords": st.dictionaries(st.sampled_from(COORDS), scalars), "timestamp": scalars, "battery": values}
            )
        }
    )
)
def test_any_json_is_understood_or_refused(document: Any) -> None:
    for decode in (osmand.decode_json, owntracks.decode):
        with contextlib.suppress(BadMessage):
            sound(decode(document, NOW))


@OFTEN
@given(st.dictionaries(st.sampled_from(["lat", "lon", "tst", "vel", "cog", "acc", "batt", "t"]), scalars))
def test_any_location_is_understood_or_refused(fields: dict[str, Any]) -> None:
    with contextlib.suppress(BadMessage):
        sound(owntracks.decode(fields | {"_type": "location"}, NOW))


@given(st.floats(min_value=0, max_value=150))
def test_each_format_has_its_own_unit_of_speed(kmh: float) -> None:
    query = osmand.decode_query(HERE | {"speed": f"{kmh / 1.852:.9f}"}, NOW)
    coords = {"latitude": -32.95, "longitude": -60.65, "speed": kmh / 3.6}
    document = osmand.decode_json({"location": {"coords": coords}}, NOW)
    tracks = owntracks.decode({"_type": "location", "lat": -32.95, "lon": -60.65, "vel": kmh}, NOW)
    for message in (query, document, tracks):
        assert message.claims[0].speed_kmh == pytest.approx(kmh, abs=1e-6)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("1795694400", NOW),
        ("1795694400000", NOW),
        ("1795694400.5", NOW + dt.timedelta(seconds=0.5)),
        ("2026-11-26T12:00:00Z", NOW),
        ("2026-11-26T09:00:00-03:00", NOW),
        ("2026-11-26T15:00:00 03:00", NOW),  # the + of the offset was not escaped
        ("2026-11-26 12:00:00", NOW),
        ("2026-11-26T12:00:00.000", NOW),
        ("", NOW),
    ],
)
def test_times_in_every_way_of_writing(told: str, meant: dt.datetime) -> None:
    [claim] = osmand.decode_query(HERE | {"timestamp": told}, NOW).claims
    assert claim.fixed_at == meant


@pytest.mark.parametrize("told", ["ayer", "12:00", "-5", "1e300", "2025-13-01T00:00:00", "2025-11-26", "9" * 30, "nan"])
def test_what_is_no_time_is_refused(told: str) -> None:
    with pytest.raises(BadMessage):
        osmand.decode_query(HERE | {"timestamp": told}, NOW)


@pytest.mark.parametrize(
    ("told", "meant"), [("87", 0.87), ("87.0", 0.87), ("100", 1.0), ("1", 0.01), ("0.5", 0.5), ("0", 0.0), ("-1", None)]
)
def test_batteries_in_hundredths_and_in_parts(told: str, meant: float | None) -> None:
    message = osmand.decode_query(HERE | {"batt": told}, NOW)
    assert message.battery == (None if meant is None else pytest.approx(meant))
    assert message.claims[0].battery == message.battery
    assert (
        owntracks.decode({"_type": "location", "lat": 1, "lon": 1, "batt": float(told)}, NOW).battery == message.battery
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"lat": "91"}, {"lon": "181"}, {"lat": "nan"}, {"lat": "0", "lon": "0"}, {"lat": ""}, {"speed": "rápido"},
        {"location": "60"}, {"location": "1,2,3"}, {"location": "a,b"}, {"batt": "101"}, {"hdop": "x"},
        {"accuracy": "∞"},
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BadMessage):
        osmand.decode_query(HERE | wrong, NOW)


def test_what_waited_comes_together_and_an_alarm_is_never_lost() -> None:
    waited = [
        {"coords": {"latitude": -32.95, "longitude": -60.65}, "timestamp": f"2026-11-26T11:0{minute}:00Z"}
        for minute in range(5)
    ]
    waited[1] |= {"alarm": "sos"}
    waited[2] |= {"extras": {"alarm": "lowBattery"}}
    message = osmand.decode_json({"device_id": "x", "location": waited}, NOW)
    assert [claim.fixed_at.minute for claim in message.claims] == [0, 1, 2, 3, 4]
    assert message.alarm == "sos"
    assert osmand.decode_query({"alarm": "sos"}, NOW) == Message(alarm="sos")


@pytest.mark.parametrize("kind", ["lwt", "waypoint", "waypoints", "transition", "card", "cmd", "status", "encrypted"])
def test_messages_of_owntracks_that_are_no_place_are_no_fault(kind: str) -> None:
    assert owntracks.decode({"_type": kind, "lat": "wrong"}, NOW) == Message()


def test_a_list_of_owntracks_messages() -> None:
    place = {"_type": "location", "lat": -32.95, "lon": -60.65, "batt": 50}
    message = owntracks.decode([place | {"tst": 1795694400}, {"_type": "lwt"}, place | {"tst": 1795694460}], NOW)
    assert len(message.claims) == 2
    assert message.battery == 0.5


def test_the_order_of_coordinates_is_of_the_format() -> None:
    """`location=` says the latitude first, GeoJSON the longitude."""
    [claim] = osmand.decode_query({"location": "-32.95,-60.65"}, NOW).claims
    assert (claim.lat, claim.lon) == (-32.95, -60.65)
