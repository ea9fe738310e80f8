"""Traccar Client and OsmAnd: a query string, or JSON as the newer application sends it.

Query: `id` (or `deviceid`), `lat` and `lon` in degrees or `location=lat,lon` (latitude first), `timestamp` in seconds,
milliseconds or ISO, `speed` in **knots**, `bearing` or `heading` in degrees, `accuracy` or `hacc` in metres (`hdop`
where there is none: OsmAnd writes metres there, and a true HDOP is about as many), `batt` 0…100, `alarm`, `valid`.
JSON: `device_id` and `location` (one, or several that waited) with `coords.speed` in **m/s**, `coords.accuracy` in
metres, `battery.level` 0…1, `timestamp` in ISO, `mock`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from resources.positions import Claim
from resources.trackers import (
    KNOT_KMH,
    MS_KMH,
    NOBODY,
    BadMessage,
    Message,
    known,
    moment,
    number,
    place,
    share,
    word,
)

MOST = 500  # places in one message
BEST_M = 5.0  # no telephone knows better, whatever its HDOP says


def identity(parameters: Mapping[str, str]) -> str | None:
    """Who a query says that it is."""
    return parameters.get("id") or parameters.get("deviceid") or None


def identity_in(document: object) -> str | None:
    """Who a JSON document says that it is."""
    found = document.get("device_id") if isinstance(document, dict) else None
    return found if isinstance(found, str) and found else None


def decode_query(parameters: Mapping[str, str], received_at: dt.datetime) -> Message:
    """A query's parameters. Without coordinates it is a sign of life. Raises `BadMessage`."""
    battery = share(parameters.get("batt"), "batt")
    said = Message((), battery, word(parameters.get("alarm")), word(parameters.get("event")))
    lat, lon = parameters.get("lat"), parameters.get("lon")
    if location := parameters.get("location"):
        lat, comma, lon = location.partition(",")
        if not comma:
            raise BadMessage(reason="location")
    if (not lat and not lon) or parameters.get("valid", "").lower() in {"0", "false"}:
        return said
    x, y = place(number(lon, "lon"), number(lat, "lat"))
    speed = known(parameters.get("speed"), "speed")
    accuracy = known(parameters.get("accuracy") or parameters.get("hacc"), "accuracy")
    if not accuracy and (hdop := known(parameters.get("hdop"), "hdop")):
        accuracy = max(hdop, BEST_M)
    claim = Claim(
        NOBODY,
        x,
        y,
        moment(parameters.get("timestamp"), "timestamp", received_at),
        known(parameters.get("bearing") or parameters.get("heading"), "bearing"),
        None if speed is None else speed * KNOT_KMH,
        accuracy or None,
        parameters.get("mock", "").lower() in {"1", "true"},
        battery,
    )
    return Message((claim,), battery, said.alarm, said.event)


def decode_json(document: object, received_at: dt.datetime) -> Message:
    """A JSON document. Raises `BadMessage`."""
    if not isinstance(document, dict):
        raise BadMessage(reason="not an object")
    located = document.get("location")
    places = located if isinstance(located, list) else [located]
    if not 1 <= len(places) <= MOST:
        raise BadMessage(reason="location")
    told = [_located(one, received_at) for one in places]
    batteries = [one.battery for one in told if one.battery is not None]
    alarms = [alarm for one in [*told, Message(alarm=word(document.get("alarm")))] if (alarm := one.alarm)]
    return Message(
        tuple(claim for one in told for claim in one.claims),
        batteries[-1] if batteries else None,
        "sos" if "sos" in alarms else alarms[-1] if alarms else None,
        told[-1].event,
    )


def _located(raw: object, received_at: dt.datetime) -> Message:
    if not isinstance(raw, dict):
        raise BadMessage(reason="location")
    coords = _part(raw, "coords")
    level = known(_part(raw, "battery").get("level"), "battery.level")
    if level is not None and level > 1:
        raise BadMessage(reason="battery.level")
    alarm = word(raw.get("alarm")) or word(_part(raw, "extras").get("alarm"))
    event = word(raw.get("event"))
    if not coords:
        return Message((), level, alarm, event)
    x, y = place(number(coords.get("longitude"), "longitude"), number(coords.get("latitude"), "latitude"))
    speed = known(coords.get("speed"), "speed")
    claim = Claim(
        NOBODY,
        x,
        y,
        moment(raw.get("timestamp"), "timestamp", received_at),
        known(coords.get("heading"), "heading"),
        None if speed is None else speed * MS_KMH,
        known(coords.get("accuracy"), "accuracy") or None,
        raw.get("mock") is True,
        level,
    )
    return Message((claim,), level, alarm, event)


def _part(raw: dict[str, Any], name: str) -> dict[str, Any]:
    found = raw.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadMessage(reason=name)
    return found
