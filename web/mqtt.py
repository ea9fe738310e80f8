"""OwnTracks over MQTT: an optional process that follows a broker and puts what telephones say into the lane.

It runs where `mqtt_url` is set and nothing waits for it. A device is known by its token, which stands in the topic:
`owntracks/<token>/<any name>` (or the other way round); the broker sees to it that nobody writes under another's. A
message that comes twice (QoS 1) is dropped as a duplicate, a bad one is counted, and a broker that is away is tried
again after a while that grows to a minute, with some chance in it, so that not all processes come back at once.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import structlog
from sqlalchemy.exc import SQLAlchemyError

from realtime.bus import Bus
from realtime.database import connect, now, sessions_of
from realtime.errors import Refusal
from resources.devices import DeviceBook, KnownDevice, UnknownDevice
from resources.positions import PositionLane
from resources.trackers import BadMessage, owntracks
from web.guard import MAX_TRACKED, check_json
from web.pulse import EVERY, Pulse
from web.settings import Settings

log = structlog.get_logger()

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
TELL_EVERY = 60.0  # seconds between two lines in the log
WAITING = 10_000  # messages that may wait here; a broker keeps what is more (QoS 1)


class Listener:
    """Takes what comes from a broker. `seen` counts what became of it; `following` says whether a broker is there."""

    def __init__(self, book: DeviceBook, lane: PositionLane) -> None:
        """Writes into `lane` what the devices of `book` say."""
        self._book, self._lane = book, lane
        self.seen: Counter[str] = Counter()
        self.following = False

    async def take(self, topic: str, payload: Any) -> None:
        """One message. Whatever it holds, it does no harm: it is taken or counted."""
        device = await self._sender(topic)
        if device is None:
            self.seen["unknown"] += 1
            return
        received_at = now()
        try:
            raw = payload if isinstance(payload, bytes) else b""
            if not raw:
                return  # an empty retained message only clears what was retained
            if len(raw) > MAX_TRACKED:
                raise BadMessage(reason="too large")
            check_json(raw)
            message = owntracks.decode(json.loads(raw), received_at)
        except Refusal:
            self._lane.misheard(device, received_at)
            self.seen["bad"] += 1
            return
        try:
            self._lane.hear(device, message.claims, received_at, battery=message.battery)
            self.seen["taken"] += 1
        except Refusal:  # a flood, counted there
            self.seen["flood"] += 1

    async def _sender(self, topic: str) -> KnownDevice | None:
        """Whose token stands in the topic, in its last part or the one before it."""
        for part in reversed(topic.split("/")[-2:]):
            try:
                return await self._book.of(part)
            except UnknownDevice:
                continue
        return None


async def listen(settings: Settings, listener: Listener) -> None:
    """Follow the broker for ever, whatever becomes of it."""
    wait = FIRST_WAIT
    while True:
        try:
            async with _client(settings) as client:
                topic = settings.mqtt_topic
                await client.subscribe(f"$share/{settings.mqtt_share}/{topic}" if settings.mqtt_share else topic, qos=1)
                log.info("mqtt.connected", broker=_broker(settings))
                wait, listener.following = FIRST_WAIT, True
                async for message in client.messages:
                    try:
                        await listener.take(str(message.topic), message.payload)
                    except (SQLAlchemyError, OSError) as failure:  # the database is away, not the broker
                        listener.seen["lost"] += 1
                        log.warning("mqtt.lost", reason=str(failure)[:200])
        except aiomqtt.MqttError as failure:
            log.warning("mqtt.away", broker=_broker(settings), reason=str(failure)[:200], again_in=round(wait, 1))
        finally:
            listener.following = False
        await asyncio.sleep(wait * random.uniform(0.7, 1.3))
        wait = min(LONGEST_WAIT, 2 * wait)


def _client(settings: Settings) -> aiomqtt.Client:
    where = urlsplit(settings.mqtt_url or "")
    secure = where.scheme == "mqtts"
    return aiomqtt.Client(
        where.hostname or "127.0.0.1",
        where.port or (8883 if secure else 1883),
        username=settings.mqtt_username or None,
        password=settings.mqtt_password,
        protocol=aiomqtt.ProtocolVersion.V5 if settings.mqtt_share else aiomqtt.ProtocolVersion.V311,
        tls_params=aiomqtt.TLSParameters() if secure else None,
        max_queued_incoming_messages=WAITING,
        timeout=10,
    )


def _broker(settings: Settings) -> str:
    where = urlsplit(settings.mqtt_url or "")
    return f"{where.hostname}:{where.port or ''}".rstrip(":")


async def _tell(listener: Listener) -> None:
    """Say now and then what became of what came."""
    while True:
        await asyncio.sleep(TELL_EVERY)
        if listener.seen:
            seen, listener.seen = listener.seen, Counter()
            log.info("mqtt.seen", **seen)


async def beat(listener: Listener, pulse: Pulse) -> None:
    """Show from outside that a broker is followed (`web/deploy/healthy.py` looks)."""
    while True:
        if listener.following:
            pulse.beat()
        await asyncio.sleep(EVERY)


async def run_mqtt(settings: Settings) -> None:
    """The `mqtt` process: until SIGTERM or SIGINT."""
    if settings.mqtt_url is None:
        raise SystemExit("VIGIA_MQTT_URL names no broker: there is nothing to listen to.")
    engine = connect(settings.database, pool=4)
    sessions, bus = sessions_of(engine), Bus(settings.redis_url, name=settings.redis_name)
    lane = PositionLane(sessions, bus, timezone=settings.timezone)
    listener, pulse = Listener(DeviceBook(sessions), lane), Pulse(settings, "mqtt")
    try:
        async with lane.running():
            work = asyncio.gather(listen(settings, listener), _tell(listener), beat(listener, pulse))
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, work.cancel)
            try:
                await work
            except asyncio.CancelledError:
                log.info("mqtt.stopped", **listener.seen)
    finally:
        pulse.stop()
        await bus.close()
        await engine.dispose()
