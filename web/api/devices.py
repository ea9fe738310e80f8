"""Devices over HTTP: registered, paired, given a token that is told once, revoked."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import segno
from fastapi import APIRouter, Query, Request

from resources.devices import (
    Device,
    DeviceKind,
    add_device,
    all_devices,
    all_unit_names,
    amend_device,
    device_document,
    make_token,
    pair_device,
    quality_of,
    revoke_device,
)
from web.bodies import Body, Name, NewId, Text
from web.context import CurrentActor, Expected, Machines, OnceOnly, Session
from web.settings import Settings

router = APIRouter(tags=["devices"])


class DeviceBody(Body):
    """A new device."""

    id: NewId
    name: Name
    kind: DeviceKind
    unit_id: UUID | None = None
    note: Text = ""


class NameBody(Body):
    """A device's name."""

    name: Name


class NoteBody(Body):
    """What there is to say of a device."""

    note: Text


class UnitBody(Body):
    """For which unit it speaks; null: for none."""

    unit_id: UUID | None


@router.get("/devices")
async def get_devices(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Every device, with its last sign and what became of what it said in a week."""
    return {"devices": await all_devices(session, actor), "units": await all_unit_names(session, actor)}


@router.post("/devices", status_code=201)
async def post_device(body: DeviceBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Register a device. Ask for its token next."""

    async def do() -> dict[str, Any]:
        made = await add_device(
            session, actor, body.id, name=body.name, kind=body.kind, unit_id=body.unit_id, note=body.note
        )
        return device_document(made)

    return await once(body.id, do)


@router.get("/devices/{device_id}/quality")
async def get_quality(
    session: Session, actor: CurrentActor, device_id: UUID, days: Annotated[int, Query(ge=1, le=400)] = 14
) -> dict[str, Any]:
    """What became of what a device said, day by day, and with which units it went."""
    return await quality_of(session, actor, device_id, days=days)


@router.post("/devices/{device_id}/name")
async def post_name(
    body: NameBody, session: Session, actor: CurrentActor, device_id: UUID, expected: Expected
) -> dict[str, Any]:
    """Give it another name."""
    return device_document(await amend_device(session, actor, device_id, name=body.name, expected=expected))


@router.post("/devices/{device_id}/note")
async def post_note(
    body: NoteBody, session: Session, actor: CurrentActor, device_id: UUID, expected: Expected
) -> dict[str, Any]:
    """Write down something about it."""
    return device_document(await amend_device(session, actor, device_id, note=body.note, expected=expected))


@router.post("/devices/{device_id}/unit")
async def post_unit(
    body: UnitBody, session: Session, actor: CurrentActor, device_id: UUID, expected: Expected
) -> dict[str, Any]:
    """Let it speak for a unit from now on, or for none."""
    return device_document(await pair_device(session, actor, device_id, unit_id=body.unit_id, expected=expected))


@router.post("/devices/{device_id}/token")
async def post_token(
    request: Request, session: Session, actor: CurrentActor, machines: Machines, device_id: UUID
) -> dict[str, Any]:
    """A new token, told this once; the former goes on for a day."""
    device, token = await make_token(session, actor, device_id)
    origins = machines.settings.public_origins
    home = (origins[0] if origins else str(request.base_url)).rstrip("/")
    return device_document(device) | {"token": token} | pairing(machines.settings, device, token, home)


@router.post("/devices/{device_id}/revoke")
async def post_revoke(session: Session, actor: CurrentActor, device_id: UUID, expected: Expected) -> dict[str, Any]:
    """It is lost or out of use: its tokens end."""
    return device_document(await revoke_device(session, actor, device_id, expected=expected))


def pairing(settings: Settings, device: Device, token: str, home: str) -> dict[str, Any]:
    """What to put into the application on the telephone: its addresses, the scanned one as a QR code too (SVG).

    Traccar Client takes the server and the device's id apart: the id is the token. OwnTracks takes an address that
    holds the token.
    """
    if device.kind == DeviceKind.OSMAND:
        facts = {"server": f"{home}/avl/osmand", "identifier": token}
        scan = f"{home}/avl/osmand?id={token}"
    elif device.kind == DeviceKind.OWNTRACKS:
        scan = f"{home}/avl/owntracks/{token}"
        facts = {"server": scan, "identifier": ""}
        if settings.mqtt_url:
            broker = urlsplit(settings.mqtt_url)
            facts |= {"broker": f"{broker.hostname}:{broker.port or 1883}", "topic": f"owntracks/{token}/phone"}
    else:
        scan = f"{home}/avl/positions"
        facts = {"server": scan, "identifier": token}
    drawing = segno.make(scan, error="m", micro=False)
    svg = drawing.svg_inline(border=3, dark="#0B1018", light="#FFFFFF", omitsize=True, svgclass=None, lineclass=None)
    return facts | {"url": scan, "qr": svg}
