"""From a telephone's request to the map: who may, what is kept, what is dropped, and that all of it is counted."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from incidents.incident import Incident
from incidents.sos import Sos
from realtime.bus import Bus
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.journal import Entry
from resources.devices import (
    DeviceBook,
    DeviceCount,
    DeviceKind,
    DeviceRevoked,
    DeviceSign,
    DeviceToken,
    KnownDevice,
    Pairing,
    UnknownDevice,
    add_device,
    device_of,
    make_token,
    pair_device,
    quality_of,
    revoke_device,
)
from resources.positions import Claim, PositionLane, UnitPosition, positions_now
from resources.trackers import NOBODY
from resources.tracks import Doubt, position_history
from resources.units import Duty, set_duty
from tests.api.desks import machinery_of
from tests.builders import City
from tests.conftest import Client

HERE = (-60.65, -32.95)
DEGREE_M = 93_400.0  # of longitude, there
SECOND = dt.timedelta(seconds=1)


async def a_device(
    sessions: Sessions, city: City, *, unit: str | None = "M1", kind: DeviceKind = DeviceKind.OSMAND
) -> tuple[UUID, str]:
    """A telephone that goes with a unit, and its token."""
    actor = city.actor("supervisor")
    async with transaction(sessions) as session:
        device = await add_device(
            session, actor, new_id(), name="Tel 7", kind=kind, unit_id=city.units[unit] if unit else None
        )
        _, token = await make_token(session, actor, device.id)
    return device.id, token


def known(device_id: UUID, city: City, *, unit: str | None = "M1", duty: Duty = Duty.ON_DUTY) -> KnownDevice:
    """The same as a process knows it."""
    return KnownDevice(device_id, "Tel 7", DeviceKind.OSMAND, city.units[unit] if unit else None, duty)


def claim(*, east_m: float = 0.0, at: dt.datetime | None = None, **more: Any) -> Claim:
    """A place, so many metres east of `HERE`."""
    return Claim(NOBODY, HERE[0] + east_m / DEGREE_M, HERE[1], at or now(), **more)


async def counts(sessions: Sessions, device_id: UUID) -> dict[str, int]:
    """What was counted of a device, whatever the day."""
    async with reading(sessions) as session:
        rows = await session.scalars(select(DeviceCount).where(DeviceCount.device_id == device_id))
        return {row.what: row.count for row in rows}


async def history(sessions: Sessions, unit_id: UUID) -> list[Any]:
    """All that is kept of a unit, in the order of its times."""
    query = position_history.select().where(position_history.c.unit_id == unit_id).order_by("fixed_at")
    async with reading(sessions) as session:
        return list(await session.execute(query))


@pytest.fixture
async def lane(sessions: Sessions, bus: Bus) -> AsyncIterator[PositionLane]:
    """A lane that writes when it is told to."""
    lane = PositionLane(sessions, bus, timezone="America/Argentina/Buenos_Aires")
    yield lane
    await lane.flush()


@pytest.fixture
async def bus(redis_url: str) -> AsyncIterator[Bus]:
    """A bus that nobody listens to."""
    bus = Bus(redis_url, name="avl")
    yield bus
    await bus.close()


# ── What the lane makes of it ─────────────────────────────────────────────────────────────────────


async def test_each_fate_is_counted_by_device_and_day(lane: PositionLane, sessions: Sessions, city: City) -> None:
    device_id, _ = await a_device(sessions, city)
    device, at = known(device_id, city), now() - dt.timedelta(minutes=10)
    first = claim(at=at, battery=0.5)
    lane.hear(device, [first], now())
    lane.hear(device, [first, first], now())  # what was not answered is sent again: two duplicates
    lane.hear(device, [claim(at=at + 5 * SECOND, east_m=6)], now())  # trembles
    lane.hear(device, [claim(at=at + 10 * SECOND, east_m=50_000)], now())  # leaps
    lane.hear(device, [claim(at=at - 60 * SECOND, east_m=-40)], now())  # late
    lane.hear(device, [claim(at=at + 15 * SECOND, east_m=300, accuracy_m=900)], now())  # a mast
    lane.hear(device, [claim(at=now() + dt.timedelta(hours=3), east_m=400)], now())  # its clock
    lane.hear(device, [claim(at=now(), speed_kmh=-5), claim(at=dt.datetime(1970, 1, 2, tzinfo=dt.UTC))], now())
    await lane.flush()
    await lane.write_tally()
    told = await counts(sessions, device_id)
    assert told == {
        "accepted": 6,
        "duplicate": 2,
        "jitter": 1,
        "teleport": 1,
        "late": 1,
        "coarse": 1,
        "clock": 1,
        "refused.speed_kmh": 1,
        "refused.fixed_at": 1,
    }
    assert len(await history(sessions, city.units["M1"])) == told["accepted"]
    lane.hear(device, [claim(at=now(), east_m=410)], now())
    await lane.flush()
    await lane.write_tally()
    assert (await counts(sessions, device_id))["accepted"] == 7
    async with reading(sessions) as session:
        said = await quality_of(session, city.actor("supervisor"), device_id)
        assert [one["call_sign"] for one in said["pairings"]] == ["M1"]
        assert sum(day["counts"].get("accepted", 0) for day in said["days"]) == 7
        sign = await session.get_one(DeviceSign, device_id)
        assert sign.battery == pytest.approx(0.5)
        assert (await session.get_one(UnitPosition, city.units["M1"])).battery == pytest.approx(0.5)


async def test_a_unit_that_stands_does_not_dance_and_stays_fresh(
    lane: PositionLane, sessions: Sessions, city: City
) -> None:
    device_id, _ = await a_device(sessions, city)
    device, at = known(device_id, city), now() - dt.timedelta(minutes=10)
    places = [0, 4, -5, 7, -6, 3]
    for turn, east in enumerate(places):
        lane.hear(device, [claim(at=at + turn * 10 * SECOND, east_m=east, speed_kmh=0.4)], now())
        await lane.flush()
    async with reading(sessions) as session:
        [marker] = await positions_now(session, [city.units["M1"]])
    assert marker[1] == pytest.approx(HERE[0], abs=1e-7)
    assert marker[5] == int((at + 50 * SECOND).timestamp() * 1000)  # its age is that of the last fix
    raw = await history(sessions, city.units["M1"])
    assert [round((row.lon - HERE[0]) * DEGREE_M) for row in raw] == places  # as they came
    assert [bool(row.doubt & Doubt.JITTER) for row in raw] == [False, True, True, True, True, True]
    lane.hear(device, [claim(at=at + 60 * SECOND, east_m=5, speed_kmh=20)], now())  # it drives off
    await lane.flush()
    async with reading(sessions) as session:
        [marker] = await positions_now(session, [city.units["M1"]])
    assert (marker[1] - HERE[0]) * DEGREE_M == pytest.approx(5, abs=0.2)


async def test_slow_steps_in_one_direction_are_a_walk_and_not_a_tremble(
    lane: PositionLane, sessions: Sessions, city: City
) -> None:
    device_id, _ = await a_device(sessions, city)
    device, at = known(device_id, city), now() - dt.timedelta(minutes=10)
    for turn in range(30):
        lane.hear(device, [claim(at=at + turn * 3 * SECOND, east_m=3 * turn)], now())
    await lane.flush()
    async with reading(sessions) as session:
        [marker] = await positions_now(session, [city.units["M1"]])
    assert (marker[1] - HERE[0]) * DEGREE_M == pytest.approx(87, abs=8)


async def test_what_waited_in_a_telephone_comes_late_and_in_any_order_and_is_kept_in_its_own(
    lane: PositionLane, sessions: Sessions, city: City
) -> None:
    device_id, _ = await a_device(sessions, city)
    device, at = known(device_id, city), now() - dt.timedelta(hours=1)
    waited = [claim(at=at + n * 30 * SECOND, east_m=200 * n, speed_kmh=24) for n in range(10)]
    lane.hear(device, [claim(at=now(), east_m=3000, speed_kmh=24)], now())
    lane.hear(device, waited[::-1], now())
    lane.hear(device, waited, now())  # and again
    await lane.flush()
    await lane.write_tally()
    rows = await history(sessions, city.units["M1"])
    assert [round((row.lon - HERE[0]) * DEGREE_M) for row in rows] == [*(200 * n for n in range(10)), 3000]
    told = await counts(sessions, device_id)
    assert (told["late"], told["duplicate"], told["accepted"]) == (10, 10, 11)
    async with reading(sessions) as session:
        [marker] = await positions_now(session, [city.units["M1"]])
    assert (marker[1] - HERE[0]) * DEGREE_M == pytest.approx(3000, abs=1)


async def test_a_slow_clock_is_told_and_not_put_right(lane: PositionLane, sessions: Sessions, city: City) -> None:
    device_id, _ = await a_device(sessions, city)
    device, since = known(device_id, city), now() - dt.timedelta(hours=1)
    for turn in range(20):
        at = since + turn * 10 * SECOND
        delay = dt.timedelta(minutes=40) if turn in {7, 8, 9} else dt.timedelta(seconds=95, milliseconds=turn * 10)
        lane.hear(device, [claim(at=at - delay, east_m=20 * turn, speed_kmh=8)], at)
    await lane.write_tally()
    async with reading(sessions) as session:
        sign = await session.get_one(DeviceSign, device_id)
    assert sign.skew_s == pytest.approx(95.1, abs=0.2)  # three that waited do not change it


async def test_nothing_is_kept_of_a_unit_out_of_service_or_of_a_device_without_one(
    lane: PositionLane, sessions: Sessions, city: City
) -> None:
    device_id, _ = await a_device(sessions, city, unit=None)
    assert lane.hear(known(device_id, city, duty=Duty.OUT_OF_SERVICE), [claim()], now()) == []
    assert lane.hear(known(device_id, city, unit=None), [claim(), claim(east_m=9)], now()) == []
    await lane.flush()
    await lane.write_tally()
    assert await history(sessions, city.units["M1"]) == []
    assert await counts(sessions, device_id) == {"off_duty": 1, "unpaired": 2}


async def test_counts_that_could_not_be_written_are_written_later(
    lane: PositionLane, sessions: Sessions, city: City
) -> None:
    device_id, _ = await a_device(sessions, city)
    lane.hear(known(device_id, city), [claim()], now())
    async with transaction(sessions) as session:
        await session.execute(DeviceCount.__table__.select())
        raw = (await session.connection()).exec_driver_sql
        await raw("LOCK TABLE device_counts IN ACCESS EXCLUSIVE MODE")
        await lane.write_tally()
    assert await counts(sessions, device_id) == {}
    await lane.write_tally()
    assert await counts(sessions, device_id) == {"accepted": 1}


# ── Tokens ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_token_is_told_once_kept_as_a_hash_and_its_former_goes_on_for_a_day(
    sessions: Sessions, city: City
) -> None:
    device_id, first = await a_device(sessions, city)
    actor = city.actor("supervisor")
    async with transaction(sessions) as session:
        _, second = await make_token(session, actor, device_id)
    async with reading(sessions) as session:
        kept = (await session.scalars(select(DeviceToken))).all()
        assert {one.ends_at is None for one in kept} == {True, False}
        assert all(first.encode() not in one.hash and second.encode() not in one.hash for one in kept)
        assert await device_of(session, first) is not None
        assert await device_of(session, second) is not None
    async with transaction(sessions) as session:
        _, third = await make_token(session, actor, device_id)
    async with reading(sessions) as session:
        alive = [token for token in (first, second, third) if await device_of(session, token)]
    assert alive == [second, third]


async def test_a_revoked_token_stops_and_its_device_leaves_its_unit(
    sessions: Sessions, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    device_id, token = await a_device(sessions, city)
    book = DeviceBook(sessions)
    assert (await book.of(token)).unit_id == city.units["M1"]
    actor = city.actor("supervisor")
    async with transaction(sessions) as session:
        await revoke_device(session, actor, device_id)
    monkeypatch.setattr("resources.devices.BELIEVED", 0.0)  # two seconds later
    with pytest.raises(UnknownDevice):
        await book.of(token)
    async with transaction(sessions) as session:
        with pytest.raises(DeviceRevoked):
            await make_token(session, actor, device_id)
        with pytest.raises(DeviceRevoked):
            await pair_device(session, actor, device_id, unit_id=city.units["M2"])
        pairings = (await session.scalars(select(Pairing))).all()
    assert [one.until is not None for one in pairings] == [True]


async def test_a_device_goes_with_one_unit_at_a_time_and_what_was_stays(sessions: Sessions, city: City) -> None:
    device_id, token = await a_device(sessions, city)
    actor = city.actor("administrator")
    for unit_id in (city.units["M2"], None, city.units["M1"]):
        async with transaction(sessions) as session:
            await pair_device(session, actor, device_id, unit_id=unit_id)
    async with reading(sessions) as session:
        went = (await session.scalars(select(Pairing).order_by(Pairing.since))).all()
        found = await device_of(session, token)
    assert [one.unit_id for one in went] == [city.units[name] for name in ("M1", "M2", "M1")]
    assert [one.until is None for one in went] == [False, False, True]
    assert found is not None
    assert found.unit_id == city.units["M1"]


# ── Over HTTP ─────────────────────────────────────────────────────────────────────────────────────


def basic(token: str) -> dict[str, str]:
    """The token as a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"m1:{token}".encode()).decode()}


async def test_telephones_report_in_every_way_there_is(
    client: Client, app: FastAPI, sessions: Sessions, city: City
) -> None:
    device_id, token = await a_device(sessions, city)
    lane, at = machinery_of(app).positions, int(now().timestamp())
    where = f"lat={HERE[1]}&lon={HERE[0]}"
    query = await client.get(f"/avl/osmand?id={token}&{where}&timestamp={at - 50}&speed=20&batt=80")
    form = await client.post("/avl/osmand", data={"id": token, "lat": "-32.951", "lon": "-60.65", "timestamp": at - 40})
    path = await client.get(f"/avl/osmand/{token}?{where}&timestamp={at - 30}")
    coords = {"latitude": -32.95, "longitude": -60.65, "speed": 10, "accuracy": 5}
    document = {"device_id": token, "location": {"timestamp": (at - 20) * 1000, "coords": coords}}
    json = await client.post("/avl/osmand", json=document)
    place = {"_type": "location", "lat": HERE[1], "lon": HERE[0], "tst": at - 10, "vel": 36, "batt": 70}
    tracks = await client.post("/avl/owntracks", json=place, headers=basic(token))
    several = [place | {"tst": at - 5}, {"_type": "lwt", "tst": at}]
    in_path = await client.post(f"/avl/owntracks/{token}", json=several)
    fix = {"location": {"type": "Point", "coordinates": HERE}, "fixed_at": now().isoformat(), "battery": 0.6}
    bearer = {"Authorization": f"Bearer {token}"}
    own = await client.post("/avl/positions", json={"positions": [fix]}, headers=bearer)
    assert [one.json() for one in (query, form, path, json, own)] == [{"accepted": 1}] * 5
    assert (tracks.json(), in_path.json()) == ([], [])
    await lane.flush()
    await lane.write_tally()
    rows = await history(sessions, city.units["M1"])
    assert [row.speed_kmh for row in rows] == [pytest.approx(37.04), None, None, 36, 36, 36, None]
    assert await counts(sessions, device_id) == {"accepted": 7}
    async with reading(sessions) as session:
        assert (await session.get_one(UnitPosition, city.units["M1"])).battery == pytest.approx(0.6)


async def test_without_a_token_nobody_is_heard(client: Client) -> None:
    where = f"lat={HERE[1]}&lon={HERE[0]}"
    place = {"_type": "location", "lat": HERE[1], "lon": HERE[0]}
    answers = [
        await client.get(f"/avl/osmand?{where}"),
        await client.get(f"/avl/osmand?id=123456&{where}"),
        await client.get(f"/avl/osmand/{'x' * 500}?{where}"),
        await client.post("/avl/osmand", json={"device_id": 5, "location": {}}),
        await client.post("/avl/owntracks", json=place),
        await client.post("/avl/owntracks", json=place, headers=basic("nobody")),
        await client.post("/avl/owntracks", json=place, headers={"Authorization": "Basic ***"}),
        await client.post("/avl/positions", json={"positions": []}, headers={"Authorization": "Bearer x"}),
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(401, "UnknownDevice")}


async def test_what_is_wrong_is_said_and_counted(client: Client, app: FastAPI, sessions: Sessions, city: City) -> None:
    device_id, token = await a_device(sessions, city)
    old, good = int((now() - dt.timedelta(days=30)).timestamp()), int(now().timestamp())
    fix = {"location": {"type": "Point", "coordinates": HERE}, "fixed_at": now().isoformat()}
    bearer = {"Authorization": f"Bearer {token}"}
    answers = [
        await client.get(f"/avl/osmand?id={token}&lat=95&lon=0"),
        await client.get(f"/avl/osmand?id={token}&lat=5&lon=5&timestamp={old}"),
        await client.get(f"/avl/osmand?id={token}&lat=5&lon=5&bearing=720"),
        await client.post(f"/avl/owntracks/{token}", json={"_type": "location", "lat": "norte", "lon": 5}),
        await client.post(f"/avl/owntracks/{token}", json=[[]]),
        await client.post("/avl/positions", json={"positions": [fix | {"unit_id": str(NOBODY)}]}, headers=bearer),
        await client.post("/avl/positions", json={"positions": [fix | {"role": "x"}]}, headers=bearer),
    ]
    assert [one.status_code for one in answers] == [422] * 7
    assert all(one.json()["title"] and "{" not in one.json()["title"] for one in answers)
    many = [fix] * 501
    assert (await client.post("/avl/positions", json={"positions": many}, headers=bearer)).status_code == 413
    broken = await client.post(f"/avl/owntracks/{token}", content=b'{"_type": NaN}')
    assert broken.status_code == 400
    alive = await client.get(f"/avl/osmand?id={token}&batt=30&cell=257,02,16,2224&timestamp={good}")
    assert alive.json() == {"accepted": 0}
    await machinery_of(app).positions.write_tally()
    assert await counts(sessions, device_id) == {"refused.message": 5, "refused.fixed_at": 1, "refused.heading": 1}
    async with reading(sessions) as session:
        assert (await session.get_one(DeviceSign, device_id)).battery == pytest.approx(0.3)


async def test_a_telephone_off_duty_is_thanked_and_forgotten(
    client: Client, app: FastAPI, sessions: Sessions, city: City
) -> None:
    device_id, token = await a_device(sessions, city)
    async with transaction(sessions) as session:
        await set_duty(session, city.actor("dispatcher"), city.units["M1"], duty=Duty.OUT_OF_SERVICE)
    answer = await client.get(f"/avl/osmand?id={token}&lat={HERE[1]}&lon={HERE[0]}")
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1})
    await machinery_of(app).positions.flush()
    await machinery_of(app).positions.write_tally()
    assert await history(sessions, city.units["M1"]) == []
    assert await counts(sessions, device_id) == {"off_duty": 1}


async def test_no_bytes_break_us(client: Client, sessions: Sessions, city: City) -> None:
    """Whatever a telephone, or somebody with its token, sends: an answer below 500."""
    _, token = await a_device(sessions, city)
    tried: list[tuple[str, bytes]] = []

    @settings(max_examples=120, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from([f"/avl/osmand/{token}", f"/avl/owntracks/{token}", "/avl/osmand?id=%FF", "/avl/positions"]),
        st.binary(max_size=80)
        | st.text(max_size=60).map(str.encode)
        | st.sampled_from(
            [
                b"[" * 3000,
                b'{"location":' * 500,
                b"{}",
                b"[]",
                b"null",
                b'{"_type":"location","lat":1e999}',
                b"\xff\xfe",
            ]
        ),
    )
    def collect(path: str, body: bytes) -> None:
        tried.append((path, body))

    collect()
    bearer = {"Authorization": f"Bearer {token}"}
    for path, body in tried:
        answer = await client.post(path, content=body, headers=bearer)
        assert answer.status_code < 500, (path, body)
        assert token not in answer.text


async def test_a_token_is_in_no_log(
    client: Client,
    app: FastAPI,
    sessions: Sessions,
    city: City,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, token = await a_device(sessions, city)

    async def broken(_: str) -> KnownDevice:
        raise RuntimeError("boom")

    monkeypatch.setattr(machinery_of(app).devices, "of", broken)
    with pytest.raises(RuntimeError):
        await client.get(f"/avl/osmand/{token}?lat=1&lon=1")
    said = capsys.readouterr()
    assert "/avl/osmand" in said.out + said.err
    assert token not in said.out + said.err


async def test_a_call_for_help_is_an_sos_once(client: Client, sessions: Sessions, city: City) -> None:
    device_id, token = await a_device(sessions, city)
    for _ in range(3):
        answer = await client.get(f"/avl/osmand?id={token}&lat={HERE[1]}&lon={HERE[0]}&alarm=sos")
        assert answer.status_code == 200
    async with reading(sessions) as session:
        told = (await session.scalars(select(Entry).where(Entry.kind == "device.alarm"))).all()
        [sos] = (await session.scalars(select(Sos))).all()
        incident = await session.get_one(Incident, sos.incident_id)
    assert [(one.actor_name, one.detail["unit_id"]) for one in told] == [("Tel 7", str(city.units["M1"]))]
    assert told[0].detail["device_id"] == str(device_id)
    assert (sos.unit_id, sos.ended_at, incident.priority) == (city.units["M1"], None, 1)
    assert (incident.shape.x, incident.shape.y) == pytest.approx(HERE)
