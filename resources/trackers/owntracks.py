"""OwnTracks: JSON messages, over HTTP or MQTT. Only those of `_type` "location" say where somebody is.

`lat` and `lon` in degrees, `tst` in seconds since 1970, `vel` in **km/h**, `cog` in degrees, `acc` in metres, `batt`
0…100, `t` why it told. A last will, a way point, a passage of a region, a card, a command and what is encrypted are no
position and no fault.
"""

from __future__ import annotations

import datetime as dt

from resources.positions import Claim
from resources.trackers import NOBODY, BadMessage, Message, known, moment, number, place, share, word

MOST = 500  # messages at once


def decode(document: object, received_at: dt.datetime) -> Message:
    """One message, or a list of them as a telephone sends after it was without a network. Raises `BadMessage`."""
    if isinstance(document, list):
        if len(document) > MOST:
            raise BadMessage(reason="too many at once")
        told = [_one(each, received_at) for each in document]
        batteries = [one.battery for one in told if one.battery is not None]
        events = [one.event for one in told if one.event]
        claims = tuple(claim for one in told for claim in one.claims)
        return Message(claims, batteries[-1] if batteries else None, event=events[-1] if events else None)
    return _one(document, received_at)


def _one(document: object, received_at: dt.datetime) -> Message:
    if not isinstance(document, dict):
        raise BadMessage(reason="not an object")
    kind = document.get("_type")
    if not isinstance(kind, str):
        raise BadMessage(reason="_type")
    if kind != "location":
        return Message()
    x, y = place(number(document.get("lon"), "lon"), number(document.get("lat"), "lat"))
    battery = share(document.get("batt"), "batt")
    claim = Claim(
        NOBODY,
        x,
        y,
        moment(document.get("tst"), "tst", received_at),
        known(document.get("cog"), "cog"),
        known(document.get("vel"), "vel"),
        known(document.get("acc"), "acc") or None,
        battery=battery,
    )
    return Message((claim,), battery, event=word(document.get("t")))
