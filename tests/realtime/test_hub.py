"""The hub tells each feed what its keys open, once framed for all who see the same, and waits for none of them."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from sqlalchemy import text
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from coordination.sharing import share_incident, withdraw_incident
from realtime import hub as hub_module
from realtime.access import Actor, Face
from realtime.bus import Bus
from realtime.catch_up import Cursor, stamp
from realtime.database import Sessions, now, transaction
from realtime.frames import text_frame
from realtime.hub import ROOM, Feed, Hub, told
from realtime.journal import Line
from realtime.relay import new_epoch, run_relay
from resources.positions import Claim, PositionLane, judged, positions_now
from resources.sign_in import still_signed_in
from resources.units import Duty, set_duty
from tests.builders import City, an_assignment, an_incident
from tests.realtime.conftest import Screen, fresh, numbered, until
from web.boards import BOARDS
from web.launcher.redis import PrivateRedis


class Wire:
    """A transport that keeps what is written to it, and can be told not to let it out."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.waiting = 0
        self.stuck = False

    def write(self, data: bytes) -> None:
        """Take it."""
        self.written.append(data)
        if self.stuck:
            self.waiting += len(data)

    def get_write_buffer_size(self) -> int:
        """What has not gone out."""
        return self.waiting


class Listener:
    """A feed of somebody's, on a wire, and the screen at its end."""

    def __init__(self, actor: Actor, token_hash: bytes = b"") -> None:
        self.wire = Wire()
        self.codes: list[int] = []
        self.feed = Feed(actor, token_hash, self.wire, self.codes.append)

    @property
    def screen(self) -> Screen:
        """What it shows by now."""
        screen = Screen(connection=None)  # type: ignore[arg-type]
        client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
        client.receive_data(b"".join(self.wire.written))
        for frame in client.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode is Opcode.TEXT:
                screen.apply(json.loads(bytes(frame.data)))
        return screen


@pytest.fixture(autouse=True)
def nobody_signs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listeners on wires have no session; the look at sessions has its tests in test_feed."""
    monkeypatch.setattr(hub_module, "RECHECK", 3600.0)
    monkeypatch.setattr(hub_module, "HEARTBEAT", 0.2)


async def listen(hub: Hub, actor: Actor, since: Cursor | None = None) -> Listener:
    """Join."""
    listener = Listener(actor)
    await hub.join(listener.feed, since)
    return listener


async def move(sessions: Sessions, city: City, unit: str, duty: Duty = Duty.BREAK) -> None:
    """Some fact."""
    async with transaction(sessions) as session:
        await set_duty(session, city.actor("dispatcher"), city.units[unit], duty=duty)


def subject(city: City, unit: str) -> str:
    """The name of a unit."""
    return f"unit:{city.units[unit]}"


# ── What is told ──────────────────────────────────────────────────────────────────────────────────


def test_a_line_shows_the_first_face_that_opens_a_drop_to_those_who_knew_and_nothing_to_the_rest() -> None:
    whole, bare = {"properties": {"whole": True}}, {"properties": {"whole": False}}
    faces = (Face(frozenset({"ops:2"}), whole), Face(frozenset({"ops:0", "org:1"}), bare))
    line = Line(7, "incident:x", 3, faces, frozenset({"ops:0", "org:2"}))

    def shown(*keys: str) -> object:
        message = told(line, frozenset(keys))
        return "nothing" if message is None else message["feature"]

    assert shown("ops:0", "ops:1", "ops:2") is whole
    assert shown("ops:0") is bare
    assert shown("org:1") is bare  # new to it
    assert shown("org:2") is None  # it knew: a drop
    assert shown("org:3") == "nothing"
    assert shown() == "nothing"


async def test_all_who_see_the_same_get_the_same_bytes(hub: Hub, sessions: Sessions, city: City) -> None:
    listeners = [await listen(hub, city.actor(name)) for name in ("dispatcher", "dispatcher", "call_taker", "police")]
    await move(sessions, city, "P1")
    await until(lambda: all(listener.screen.count("line") == 1 for listener in listeners))
    lines = [next(frame for frame in listener.wire.written if b'"line"' in frame) for listener in listeners]
    assert len({id(line) for line in lines[:3]}) == 1  # not only equal: the same
    assert len(set(lines)) == 1


async def test_a_drop_is_told_only_to_those_who_could_know(hub: Hub, sessions: Sessions, city: City) -> None:
    police, ambulances, dispatcher = [
        await listen(hub, city.actor(name)) for name in ("police", "ambulances", "dispatcher")
    ]
    async with transaction(sessions) as session:
        incident = await an_incident(session, city.actor("dispatcher"), type_code="SIN-01")
        await share_incident(
            session, city.actor("dispatcher"), incident.id, organization_id=city.organizations["police"]
        )
    await until(lambda: incident.subject in police.screen.state)
    async with transaction(sessions) as session:
        await withdraw_incident(
            session, city.actor("dispatcher"), incident.id, organization_id=city.organizations["police"]
        )
    await until(lambda: incident.subject not in police.screen.state)
    assert [m["feature"] for m in police.screen.messages if m["type"] == "line"][-1] is None
    await until(lambda: dispatcher.screen.seq == police.screen.seq)
    assert incident.subject in dispatcher.screen.state
    assert ambulances.screen.count("line") == 0


async def test_snapshot_and_lines_make_a_fresh_snapshot(hub: Hub, sessions: Sessions, city: City) -> None:
    everybody = {name: await listen(hub, actor) for name, actor in city.everybody.items() if name != "neighbour"}
    dispatcher = city.actor("dispatcher")
    async with transaction(sessions) as session:
        incident = await an_incident(session, dispatcher)
    async with transaction(sessions) as session:
        await an_assignment(session, dispatcher, incident, city.units["M1"])
    async with transaction(sessions) as session:
        secret = await an_incident(session, city.actor("trained"), type_code="SEG-07")
    await move(sessions, city, "M2")
    seq = await numbered(sessions)
    await until(lambda: everybody["dispatcher"].screen.seq >= seq)
    for name, listener in everybody.items():
        assert listener.screen.state == await fresh(sessions, city.actor(name)), name
    assert secret.subject in everybody["trained"].screen.state


# ── Joining ───────────────────────────────────────────────────────────────────────────────────────


async def test_no_fact_falls_between_the_snapshot_and_the_lines(hub: Hub, sessions: Sessions, city: City) -> None:
    busy = asyncio.Event()

    async def work() -> None:
        turn = 0
        while not busy.is_set():
            turn += 1
            await move(sessions, city, "M1", Duty.BREAK if turn % 2 else Duty.ON_DUTY)

    working = asyncio.create_task(work())
    listeners = []
    for _ in range(40):
        listeners.append(await listen(hub, city.actor("dispatcher")))
        await asyncio.sleep(0.02)
    busy.set()
    await working
    seq = await numbered(sessions)
    truth = await fresh(sessions, city.actor("dispatcher"))
    for listener in listeners:
        await until(lambda listener=listener: listener.screen.seq >= seq)  # type: ignore[misc]
        seqs = [message["seq"] for message in listener.screen.messages if message["type"] == "line"]
        assert seqs == list(range(listener.screen.messages[0]["seq"] + 1, seq + 1))  # all, once, in order
        assert listener.screen.state == truth


async def test_those_with_equal_keys_share_a_snapshot(hub: Hub, city: City) -> None:
    listeners = await asyncio.gather(*(listen(hub, city.actor("dispatcher")) for _ in range(50)))
    catch_ups = {listener.wire.written[0].rpartition(b'{"type":"heartbeat"')[0] for listener in listeners}
    assert len(catch_ups) == 1


async def test_a_heartbeat_counts_what_was_told(hub: Hub, sessions: Sessions, city: City) -> None:
    """Each group's own lines, so that a client knows when one never came."""
    police, dispatcher = await listen(hub, city.actor("police")), await listen(hub, city.actor("dispatcher"))
    await move(sessions, city, "M1")
    await move(sessions, city, "P1")
    await numbered(sessions)
    await until(lambda: dispatcher.screen.count("line") == 2)
    for listener in (police, dispatcher):
        signs = [message for message in listener.screen.messages if message["type"] == "heartbeat"]
        again = await listen(hub, listener.feed.actor)
        [sign] = [message for message in again.screen.messages if message["type"] == "heartbeat"]
        assert sign["told"] - signs[0]["base"] == listener.screen.count("line")
        hub.leave(again.feed)


async def test_a_feed_that_was_away_is_told_what_changed_as_it_is_now(hub: Hub, sessions: Sessions, city: City) -> None:
    before = await listen(hub, city.actor("police"))
    cursor = Cursor(before.screen.epoch, before.screen.seq)
    hub.leave(before.feed)
    for duty in (Duty.BREAK, Duty.OUT_OF_SERVICE, Duty.BREAK):
        await move(sessions, city, "P1", duty)
    await move(sessions, city, "M1")  # not its own: it shall hear nothing of it
    async with transaction(sessions) as session:
        incident = await an_incident(session, city.actor("dispatcher"))
        await share_incident(
            session, city.actor("dispatcher"), incident.id, organization_id=city.organizations["police"]
        )
    async with transaction(sessions) as session:
        await withdraw_incident(
            session, city.actor("dispatcher"), incident.id, organization_id=city.organizations["police"]
        )
    await numbered(sessions)
    after = await listen(hub, city.actor("police"), cursor)
    [resumed, sign] = after.screen.messages
    assert resumed["type"] == "resumed"
    assert (sign["type"], sign["told"]) == ("heartbeat", sign["base"])
    lines = {line["subject"]: line["feature"] for line in resumed["lines"]}
    assert lines.keys() == {subject(city, "P1"), incident.subject}
    assert lines[subject(city, "P1")]["properties"]["status"] == "break"
    assert lines[incident.subject] is None
    returned = before.screen
    returned.apply(resumed)
    assert returned.state == await fresh(sessions, city.actor("police"))


@pytest.mark.parametrize("cursor", ["another epoch", "the future", "too far", "other keys"])
async def test_a_cursor_that_cannot_be_resumed_gets_a_snapshot(
    hub: Hub, sessions: Sessions, city: City, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = (await listen(hub, city.actor("dispatcher"))).screen
    since = {
        "another epoch": Cursor("x", here.seq),
        "the future": Cursor(here.epoch, here.seq + 1_000_000),
        "too far": Cursor(here.epoch, here.seq),
        "other keys": Cursor(stamp(UUID(here.epoch.partition(".")[0]), city.actor("trained")), here.seq),
    }[cursor]
    if cursor == "too far":
        monkeypatch.setattr("realtime.catch_up.TOO_FAR", 1)
        for _ in range(2):
            await move(sessions, city, "M1")
        await numbered(sessions)
    back = await listen(hub, city.actor("dispatcher"), since)
    assert back.screen.messages[0]["type"] == "snapshot"


async def test_a_new_epoch_gives_everybody_a_snapshot(hub: Hub, sessions: Sessions, city: City) -> None:
    listeners = [await listen(hub, city.actor(name)) for name in ("dispatcher", "police", "wall")]
    async with transaction(sessions) as session:
        await new_epoch(session)
    await until(lambda: all(listener.screen.count("snapshot") == 2 for listener in listeners))
    await move(sessions, city, "P1")
    await until(lambda: all(listener.screen.count("line") == 1 for listener in listeners))


# ── Nobody waits ──────────────────────────────────────────────────────────────────────────────────


async def test_the_slow_are_dropped_and_the_others_are_not(hub: Hub, sessions: Sessions, city: City) -> None:
    slow, quick = await listen(hub, city.actor("dispatcher")), await listen(hub, city.actor("dispatcher"))
    slow.wire.stuck, slow.wire.waiting = True, ROOM + len(slow.wire.written[0])
    await move(sessions, city, "M1")
    await until(lambda: quick.screen.count("line") == 1)
    assert slow.codes == [4008]
    written = len(slow.wire.written)
    await move(sessions, city, "M2")
    await until(lambda: quick.screen.count("line") == 2)
    assert (len(slow.wire.written), quick.codes, len(hub.feeds)) == (written, [], 1)


async def test_a_city_larger_than_the_room_is_not_too_slow_for_its_own_snapshot(
    hub: Hub, sessions: Sessions, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "ROOM", 100_000)
    monkeypatch.setattr(hub_module, "json_frame", lambda message: json_frame_of(message, 300_000))
    listener = Listener(city.actor("dispatcher"))
    listener.wire.stuck = True
    await hub.join(listener.feed, None)
    assert listener.codes == []
    assert listener.wire.waiting > 300_000
    listener.wire.waiting = 0  # it read all of it …
    for _ in range(4):  # … and then no more
        await move(sessions, city, "M1")
    await until(lambda: listener.codes == [4008])


def json_frame_of(message: object, size: int) -> bytes:
    """A frame of at least so many bytes: snapshots large, lines of a third of it."""
    padding = size if isinstance(message, dict) and message["type"] == "snapshot" else size // 6
    return text_frame(json.dumps({**message, "padding": "x" * padding}, default=str).encode())  # type: ignore[dict-item]


# ── Positions ─────────────────────────────────────────────────────────────────────────────────────


async def test_positions_reach_those_who_see_the_unit(hub: Hub, bus: Bus, sessions: Sessions, city: City) -> None:
    dispatcher, police, crew = [await listen(hub, city.actor(name)) for name in ("dispatcher", "police", "crew m1")]
    async with PositionLane(sessions, bus).running() as lane:
        lane.put([judged(Claim(city.units[name], -60.65, -32.95, now()), now()) for name in ("M1", "M2", "P1")])
        await until(lambda: len(dispatcher.screen.places) == 3)
    await until(lambda: police.screen.places and crew.screen.places)
    assert police.screen.places.keys() == {str(city.units["P1"])}
    assert crew.screen.places.keys() == {str(city.units["M1"])}
    late = await listen(hub, city.actor("police"))
    assert late.screen.places.keys() == {str(city.units["P1"])}


async def test_a_line_that_takes_a_unit_away_takes_its_positions_away(
    hub: Hub, bus: Bus, sessions: Sessions, city: City
) -> None:
    police = await listen(hub, city.actor("police"))
    async with transaction(sessions) as session:  # a unit changes hands
        await session.execute(
            text("UPDATE units SET organization_id = :to WHERE id = :id"),
            {"to": city.organizations["ambulances"], "id": city.units["P1"]},
        )
    await move(sessions, city, "P1")
    await until(lambda: subject(city, "P1") not in police.screen.state)
    await bus.publish_positions([[str(city.units["P1"]), -60.0, -32.0, None, None, 1]])
    dispatcher = await listen(hub, city.actor("dispatcher"))
    await bus.publish_positions([[str(city.units["P1"]), -60.1, -32.0, None, None, 2]])
    await until(lambda: dispatcher.screen.places)
    assert not police.screen.places


async def test_of_many_fixes_within_a_tick_the_latest_is_told_and_an_older_never(
    hub: Hub, bus: Bus, city: City
) -> None:
    dispatcher, unit = await listen(hub, city.actor("dispatcher")), str(city.units["M1"])
    for stamp_ in (10, 30, 20):
        await bus.publish_positions([[unit, -60.0, -32.0, None, None, stamp_]])
    await until(lambda: unit in dispatcher.screen.places and dispatcher.screen.places[unit][5] == 30)
    await bus.publish_positions([[unit, -60.0, -32.0, None, None, 40]])
    await until(lambda: dispatcher.screen.places[unit][5] == 40)
    assert 20 not in [row[5] for m in dispatcher.screen.messages if m["type"] == "positions" for row in m["units"]]


async def test_positions_wait_for_nobody_and_are_made_up_for(
    hub: Hub, bus: Bus, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await listen(hub, city.actor("dispatcher"))
    listener.wire.waiting = hub_module.TICK_ROOM + 1
    await bus.publish_positions([[str(city.units["M1"]), -60.0, -32.0, None, None, 1]])
    await asyncio.sleep(0.5)
    assert not listener.screen.places
    listener.wire.waiting = 0
    await bus.publish_positions([[str(city.units["M2"]), -60.0, -32.0, None, None, 1]])
    await until(lambda: listener.screen.places.keys() == {str(city.units["M1"]), str(city.units["M2"])})


# ── Without Redis, without the database ───────────────────────────────────────────────────────────


async def test_without_redis_lines_and_positions_come_by_looking(
    sessions: Sessions, database_url: str, city: City
) -> None:
    stop, bus = asyncio.Event(), Bus(None)
    relay = asyncio.create_task(run_relay(database_url, bus, stop))
    hub = Hub(sessions, bus, BOARDS, positions_now, still_signed_in)
    await numbered(sessions)
    async with hub.running(), PositionLane(sessions, bus).running() as lane:
        listener = await listen(hub, city.actor("dispatcher"))
        await move(sessions, city, "M1")
        lane.put([judged(Claim(city.units["M1"], -60.65, -32.95, now()), now())])
        await until(lambda: listener.screen.count("line") == 1 and listener.screen.places)
        await until(lambda: listener.screen.count("heartbeat"))
        assert not any(message["bus"] for message in listener.screen.messages if message["type"] == "heartbeat")
    stop.set()
    await relay


@pytest.mark.faults
async def test_redis_may_hang_die_and_come_back_empty_under_writes(
    sessions: Sessions, database_url: str, city: City, own_redis: PrivateRedis
) -> None:
    stop, bus, relays_bus = asyncio.Event(), Bus(own_redis.url), Bus(own_redis.url)
    relay = asyncio.create_task(run_relay(database_url, relays_bus, stop))
    await numbered(sessions)
    hub = Hub(sessions, bus, BOARDS, positions_now, still_signed_in)
    async with hub.running():
        listener = await listen(hub, city.actor("dispatcher"))

        async def told_of_all() -> None:
            for turn in range(6):
                await move(sessions, city, "M1", Duty.BREAK if turn % 2 else Duty.ON_DUTY)
            seq = await numbered(sessions)
            await until(lambda: listener.screen.seq >= seq)
            lines = [message["seq"] for message in listener.screen.messages if message["type"] == "line"]
            assert lines == list(range(listener.screen.messages[0]["seq"] + 1, seq + 1))

        await told_of_all()
        own_redis.pause()
        await told_of_all()
        await until(lambda: not bus.alive)
        own_redis.resume()
        await told_of_all()
        own_redis.kill()
        await told_of_all()
        own_redis.start()
        await until(lambda: bus.alive)
        await told_of_all()
    stop.set()
    await relay
    await bus.close()
    await relays_bus.close()


async def test_a_heartbeat_is_not_given_when_nobody_can_vouch_for_it(
    hub: Hub, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await listen(hub, city.actor("dispatcher"))
    await until(lambda: listener.screen.count("heartbeat"))
    monkeypatch.setattr(hub_module, "UNVERIFIED", -1.0)  # as if the last look were too long ago
    heard = listener.screen.count("heartbeat")
    await asyncio.sleep(0.7)
    assert listener.screen.count("heartbeat") == heard
    monkeypatch.setattr(hub_module, "UNVERIFIED", 10.0)
    await until(lambda: listener.screen.count("heartbeat") > heard)


async def test_who_gives_no_sign_of_life_is_gone(hub: Hub, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    listener, other = await listen(hub, city.actor("dispatcher")), await listen(hub, city.actor("dispatcher"))
    listener.feed.heard -= 60
    await until(lambda: listener.codes)
    assert other.codes == []
