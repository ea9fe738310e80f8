"""The messages of Traccar's own tests (Apache-2.0), each with what Traccar expects of it.

`verifyPosition`: one place. `verifyAttribute`: a place with something beside it. `verifyNotNull`: understood, with
masts and networks for a place that we do not look up: a sign of life. `verifyNull`: of nobody. `-v` prints the table.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from resources.trackers import Message, osmand, owntracks
from tests.conftest import SHARED_DATA

FILE = SHARED_DATA / "standards" / "avl" / "traccar_vectors.jsonl"
PROTOCOLS = ("osmand-query", "osmand-json", "owntracks-http")
NOW = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)


def vectors() -> list[dict[str, Any]]:
    """Those that we speak, in the order of the file."""
    if not FILE.exists():
        return []
    lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return [one for one in lines if one["protocol"] in PROTOCOLS]


VECTORS = vectors()


def decoded(vector: dict[str, Any]) -> Message | None:
    """As the endpoint does it: who it is, then what it said; None when it is nobody."""
    if vector["protocol"] == "owntracks-http":
        return owntracks.decode(vector["body"], NOW)
    if vector["protocol"] == "osmand-json":
        return osmand.decode_json(vector["body"], NOW) if osmand.identity_in(vector["body"]) else None
    query = dict(reversed(parse_qsl(urlsplit(vector["request"].split()[1]).query)))
    return osmand.decode_query(query, NOW) if osmand.identity(query) else None


@pytest.mark.skipif(not VECTORS, reason=f"{FILE} is not on this machine")
def test_there_are_all_of_them() -> None:
    assert len(VECTORS) == 21


@pytest.mark.parametrize(
    "vector", VECTORS, ids=[f"{n}-{one['protocol']}-{one['expect']}" for n, one in enumerate(VECTORS)]
)
def test_a_vector_is_taken_as_its_makers_take_it(vector: dict[str, Any]) -> None:
    message = decoded(vector)
    match vector["expect"]:
        case "verifyNull":
            assert message is None
        case "verifyNotNull":
            assert message is not None
            assert message.claims == ()
        case "verifyPosition" | "verifyAttribute":
            assert message is not None
            [claim] = message.claims
            assert claim.fixed_at.tzinfo is not None
            assert claim.fixed_at <= NOW
            assert claim.heading is None or 0 <= claim.heading <= 360
            assert claim.speed_kmh is None or claim.speed_kmh >= 0
        case other:
            pytest.fail(f"nobody says what {other} means")


def of(protocol: str, place: int) -> Message:
    """One of them, by its place among those of its protocol."""
    message = decoded([one for one in VECTORS if one["protocol"] == protocol][place])
    assert message is not None
    return message


@pytest.mark.skipif(not VECTORS, reason=f"{FILE} is not on this machine")
def test_what_they_say_is_what_we_understand() -> None:
    """Numbers by hand, from what the formats say of their units."""
    taxi = of("osmand-query", 10).claims[0]
    assert (round(taxi.lat, 6), round(taxi.lon, 6)) == (40.723295, -74.006141)
    assert taxi.speed_kmh == pytest.approx(40 * 1.852)  # knots
    assert taxi.heading == pytest.approx(7.19889788244)
    assert taxi.fixed_at == dt.datetime(2017, 9, 7, 5, 56, 50, tzinfo=dt.UTC)
    assert of("osmand-query", 3).claims[0].fixed_at == dt.datetime(2015, 9, 12, 14, 38, 6, 579000, dt.UTC)
    assert of("osmand-query", 4).claims[0].fixed_at == dt.datetime(2014, 6, 4, 9, 10, 11, tzinfo=dt.UTC)
    assert of("osmand-query", 7).claims[0].fixed_at == NOW
    assert of("osmand-query", 7).claims[0].accuracy_m is None  # hacc=0 knows nothing
    assert of("osmand-query", 8).battery == pytest.approx(0.87)
    assert (of("osmand-query", 9).claims[0].lon, of("osmand-query", 9).claims[0].lat) == (30.0, 60.0)
    jakarta = of("osmand-json", 3)
    assert jakarta.claims[0].speed_kmh == pytest.approx(18.67 * 3.6)  # m/s
    assert (jakarta.battery, jakarta.event) == (0.79, "motionchange")
    unknown = of("osmand-json", 2)
    assert unknown.battery is None
    assert unknown.claims[0].mock
    assert (unknown.claims[0].speed_kmh, unknown.claims[0].heading) == (None, None)
    assert of("osmand-json", 0).battery == 1.0
    paris = of("owntracks-http", 2)
    assert (paris.claims[0].speed_kmh, paris.claims[0].heading, paris.claims[0].accuracy_m) == (61, 271, 5)  # km/h
    assert paris.battery == pytest.approx(0.67)
    assert paris.claims[0].fixed_at == dt.datetime(2017, 6, 13, 10, 21, 56, tzinfo=dt.UTC)
