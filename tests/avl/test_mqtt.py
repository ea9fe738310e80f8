"""Telephones on MQTT, before a real broker: what is taken, what is counted, and that a broker that goes comes back."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from realtime.bus import Bus
from realtime.database import Sessions, now
from resources.devices import DeviceBook, DeviceKind
from resources.positions import PositionLane
from tests.avl.test_ingest import HERE, a_device, counts, history
from tests.builders import City
from tests.realtime.conftest import until
from web import mqtt
from web.deploy import healthy
from web.launcher.mosquitto import PrivateMosquitto
from web.launcher.problems import Problem
from web.mqtt import Listener, listen
from web.pulse import Pulse
from web.settings import Settings


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMosquitto]:
    """A broker of this module's own."""
    try:
        server = PrivateMosquitto(tmp_path_factory.mktemp("mqtt"))
    except Problem as problem:
        pytest.skip(f"no mosquitto here and none to be had: {problem}")
    with server:
        yield server


@pytest.fixture
async def lane(sessions: Sessions, redis_url: str) -> AsyncIterator[PositionLane]:
    """A lane that writes when it is told to."""
    bus = Bus(redis_url, name="mqtt")
    yield PositionLane(sessions, bus)
    await bus.close()


def place(seconds_ago: int = 0, east: float = 0.0) -> str:
    """A location as OwnTracks tells it."""
    told = {"_type": "location", "lat": HERE[1], "lon": HERE[0] + east, "tst": int(now().timestamp()) - seconds_ago}
    return json.dumps(told | {"vel": 30, "batt": 55})


async def while_listening(settings: Settings, listener: Listener, act: Callable[[], Awaitable[Any]]) -> None:
    """Do something while somebody listens."""
    listening = asyncio.create_task(listen(settings, listener))
    try:
        await act()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def said(broker: PrivateMosquitto, *messages: tuple[str, Any]) -> None:
    """Publish these, each acknowledged by the broker."""
    async with aiomqtt.Client("127.0.0.1", broker.port) as telephone:
        for topic, payload in messages:
            await telephone.publish(topic, payload, qos=1)


@pytest.mark.parametrize("share", [None, "vigia"])
async def test_what_telephones_say_is_taken_or_counted(
    broker: PrivateMosquitto, lane: PositionLane, sessions: Sessions, city: City, share: str | None
) -> None:
    device_id, token = await a_device(sessions, city, kind=DeviceKind.OWNTRACKS)
    listener = Listener(DeviceBook(sessions), lane)
    same = place(10)

    async def talk() -> None:
        while not listener.seen["taken"]:  # until it has subscribed
            await said(broker, (f"owntracks/{token}/phone", '{"_type": "lwt", "tst": 1}'))
            await asyncio.sleep(0.05)
        before = listener.seen["taken"]
        await said(
            broker,
            (f"owntracks/{token}/phone", place(20)),
            (f"owntracks/vigia/{token}", same),
            (f"owntracks/{token}/phone", same),  # QoS 1 may bring it twice
            (f"owntracks/{token}/phone", b"\xff\xfe not json"),
            (f"owntracks/{token}/phone", '{"_type": "location", "lat": 95, "lon": 0}'),
            (f"owntracks/{token}/phone", "[" * 5000),
            (f"owntracks/{token}/phone", b""),
            ("owntracks/somebody/else", place()),
            (f"owntracks/{token}/phone", place(0, east=0.001)),
        )
        await until(lambda: listener.seen["taken"] >= before + 4)

    await while_listening(Settings(mqtt_url=broker.url, mqtt_share=share), listener, talk)
    await lane.flush()
    await lane.write_tally()
    assert len(await history(sessions, city.units["M1"])) == 3
    assert (listener.seen["bad"], listener.seen["unknown"]) == (3, 1)
    assert await counts(sessions, device_id) == {"accepted": 3, "duplicate": 1, "refused.message": 3}


async def test_a_broker_that_goes_comes_back(
    broker: PrivateMosquitto, lane: PositionLane, sessions: Sessions, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "FIRST_WAIT", 0.05)
    _, token = await a_device(sessions, city, kind=DeviceKind.OWNTRACKS)
    listener = Listener(DeviceBook(sessions), lane)

    async def heard(times: int) -> None:
        async with asyncio.timeout(40):
            while listener.seen["taken"] < times:
                await said(broker, (f"owntracks/{token}/phone", place()))
                await asyncio.sleep(0.1)

    async def talk() -> None:
        await heard(1)
        broker.stop()
        await asyncio.sleep(0.3)
        broker.start()
        await heard(listener.seen["taken"] + 1)

    await while_listening(Settings(mqtt_url=broker.url), listener, talk)


async def test_the_health_check_tells_whether_a_broker_is_followed(
    broker: PrivateMosquitto, lane: PositionLane, sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "EVERY", 0.05)
    settings = Settings(mqtt_url=broker.url, data=tmp_path)
    listener, pulse = Listener(DeviceBook(sessions), lane), Pulse(settings, "mqtt")
    beating = asyncio.create_task(mqtt.beat(listener, pulse))

    async def follow() -> None:
        assert not healthy.mqtt(settings), "nobody follows yet"
        await until(lambda: healthy.mqtt(settings))
        assert listener.following

    await while_listening(settings, listener, follow)
    assert not listener.following
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    long_ago = now().timestamp() - 3600
    os.utime(pulse.file, (long_ago, long_ago))
    assert not healthy.mqtt(settings), "it followed once and does no more"
