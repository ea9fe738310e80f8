"""Positions from trackers, in the formats that telephones speak, at short addresses outside of `/api/v1`.

Outside, because somebody types the address into a telephone, and because the formats are others': they do not change
with our versions. A device shows its token and nothing else: in the path, as `id`, or as a password. Tokens are in no
log: the web process keeps none of requests, and `web/problems.py` leaves them out of what it says of a fault.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from pydantic import ValidationError
from shapely import Point

from geo.places import point
from incidents.sos import raise_sos
from realtime.database import now, transaction
from realtime.errors import Refusal
from resources.devices import KnownDevice, UnknownDevice, tell_alarm
from resources.positions import Claim
from resources.trackers import NOBODY, BadMessage, Message, osmand, owntracks
from web.api.positions import MOST, PositionBody, TooManyPositions, bad_fields
from web.context import Machinery, Machines
from web.guard import check_json

router = APIRouter(prefix="/avl", include_in_schema=False)

MOST_PARAMETERS = 100
SOS = "sos"


@router.get("/osmand")
@router.post("/osmand")
@router.get("/osmand/{token}")
@router.post("/osmand/{token}")
async def from_osmand(request: Request, machines: Machines, token: str = "") -> dict[str, Any]:
    """Traccar Client and OsmAnd: parameters in the address or in a form, or JSON."""
    body = await request.body() if request.method == "POST" else b""
    if body.lstrip()[:1] in {b"{", b"["}:
        document = _json(body)
        device = await _who(machines, token or osmand.identity_in(document))
        return await _taken(machines, device, lambda: osmand.decode_json(document, now()))
    parameters = _parameters(request.scope["query_string"], body)
    device = await _who(machines, token or osmand.identity(parameters))
    return await _taken(machines, device, lambda: osmand.decode_query(parameters, now()))


@router.post("/owntracks")
@router.post("/owntracks/{token}")
async def from_owntracks(request: Request, machines: Machines, token: str = "") -> list[Any]:
    """OwnTracks. The answer is an empty list: we have nothing to tell a telephone."""
    document = _json(await request.body())
    device = await _who(machines, token or _password(request))
    await _taken(machines, device, lambda: owntracks.decode(document, now()))
    return []


@router.post("/positions")
async def from_gateway(request: Request, machines: Machines) -> dict[str, Any]:
    """Our own batches, from a device: as `POST /api/v1/positions`, without the unit, with the token as Bearer."""
    document = _json(await request.body())
    authorization = request.headers.get("authorization", "")
    device = await _who(machines, authorization.removeprefix("Bearer ") if authorization[:7] == "Bearer " else None)
    return await _taken(machines, device, lambda: _own(document))


async def _who(machines: Machinery, token: str | None) -> KnownDevice:
    if not token or len(token) > 200:
        raise UnknownDevice
    return await machines.devices.of(token.strip())


async def _taken(machines: Machinery, device: KnownDevice, decode: Callable[[], Message]) -> dict[str, Any]:
    received_at = now()
    try:
        message = decode()
    except BadMessage:
        machines.positions.misheard(device, received_at)
        raise
    if message.alarm == SOS and device.unit_id is not None and machines.devices.is_new_alarm(device.id):
        newest = max(message.claims, key=lambda claim: claim.fixed_at, default=None)
        async with transaction(machines.sessions) as session:
            await raise_sos(session, device.actor, device.unit_id, place=_place(newest))
            await tell_alarm(session, device, SOS)
        machines.devices.alarm_told(device.id)
    refused = machines.positions.hear(device, message.claims, received_at, battery=message.battery)
    if refused and len(refused) == len(message.claims):
        raise refused[0]
    return {"accepted": len(message.claims) - len(refused)}


def _place(claim: Claim | None) -> Point | None:
    """Where a device says it is, if that can be; what cannot is refused with the positions, not with the call."""
    if claim is None or not (math.isfinite(claim.lon) and math.isfinite(claim.lat)):
        return None
    return point(claim.lon, claim.lat) if abs(claim.lon) <= 180 and abs(claim.lat) <= 90 else None


def _json(body: bytes) -> Any:
    check_json(body)
    return json.loads(body)


def _parameters(query: bytes, form: bytes) -> Mapping[str, str]:
    """The first of each name, as telephones mean it. Raises `BadMessage`."""
    try:
        found = [
            pair
            for part in (query, form)
            for pair in parse_qsl(part.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
        ]
    except ValueError:
        raise BadMessage(reason="parameters") from None
    return dict(reversed(found))


def _password(request: Request) -> str | None:
    """The token as the password of HTTP Basic, whatever the name."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(rest, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return password


def _own(document: object) -> Message:
    positions = document.get("positions") if isinstance(document, dict) else None
    if not isinstance(positions, list):
        raise BadMessage(reason="positions")
    if len(positions) > MOST:
        raise TooManyPositions(limit=MOST)
    claims = []
    for raw in positions:
        if not isinstance(raw, dict) or "unit_id" in raw:
            raise BadMessage(reason="unit_id" if isinstance(raw, dict) else "positions")
        try:
            told = PositionBody.model_validate(raw | {"unit_id": NOBODY})
        except (ValidationError, Refusal) as error:
            reason = bad_fields(error) if isinstance(error, ValidationError) else "location"
            raise BadMessage(reason=reason) from None
        claims.append(told.claim())
    return Message(tuple(claims))
