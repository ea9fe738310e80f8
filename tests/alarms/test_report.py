"""How alarms fare: noisy rules first, what nobody answered, how long the desk was flooded; and whom to call."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarm_report import alarm_report, floods
from incidents.alarms import Alarm, Step, answer_alarm, shelve_alarm
from realtime.database import Sessions, new_id, now, transaction
from resources.on_call import OnCall
from tests.builders import City
from tests.conftest import SignIn
from tests.scenes.alarms import an_alarm

API = "/api/v1"
START = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def _at(*minutes: float) -> list[dt.datetime]:
    return [START + dt.timedelta(minutes=minute) for minute in minutes]


def test_a_flood_is_more_than_ten_in_ten_minutes_until_fewer_than_five_are() -> None:
    assert list(floods(_at(*range(10)))) == []
    steady = _at(*[one / 2 for one in range(11)])  # the eleventh at minute 5
    assert list(floods(steady)) == [(START + dt.timedelta(minutes=5), START + dt.timedelta(minutes=13))]
    apart = [*steady, *_at(120)]
    assert next(iter(floods(apart)))[0] == START + dt.timedelta(minutes=5)
    assert len(list(floods(apart))) == 1
    assert list(floods([])) == []


async def test_the_report_counts_by_rule_and_only_what_its_reader_may_know(session: AsyncSession, city: City) -> None:
    desk, boss = city.actor("dispatcher"), city.actor("supervisor")
    first = await an_alarm(session, city)
    await answer_alarm(session, desk, first.id)
    second = await session.get_one(Alarm, first.id)
    assert second.answered_by == "dispatcher"
    await session.execute(update(Alarm).values(assignment_id=None))
    from_report = await alarm_report(session, boss)
    assert (from_report["raised"], from_report["unanswered_percent"], from_report["flood_minutes"]) == (1, 0, 0)
    assert from_report["rules"][0]["answered_after_seconds"] == 0
    past = now() - dt.timedelta(days=8)
    await session.execute(update(Alarm).values(raised_at=past, answered_at=past + dt.timedelta(seconds=90)))
    assert (await alarm_report(session, boss))["raised"] == 0
    assert (await alarm_report(session, boss, weeks=2))["rules"][0]["answered_after_seconds"] == 90
    await session.execute(update(Alarm).values(sensitivity=3))
    assert (await alarm_report(session, boss, weeks=2))["raised"] == 1
    assert (await alarm_report(session, city.actor("administrator"), weeks=2))["raised"] == 0


async def test_a_shelved_alarm_is_counted_as_shelved(session: AsyncSession, city: City) -> None:
    alarm = await an_alarm(session, city)
    await shelve_alarm(session, city.actor("dispatcher"), alarm.id, minutes=5, reason="túnel")
    (row,) = (await alarm_report(session, city.actor("supervisor")))["rules"]
    assert (row["shelved"], row["unanswered_percent"], row["per_day"]) == (1, 100, 0.1)


async def test_the_telephone_of_who_is_on_call_is_for_those_who_answer(
    sessions: Sessions, city: City, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def order(_session: AsyncSession, _at: dt.datetime) -> list[OnCall]:
        return [OnCall(new_id(), "Marta Ruiz", "Directora", "341 555 0001", 1)]

    monkeypatch.setattr("incidents.alarms.on_call_order", order)
    async with transaction(sessions) as session:
        alarm = await an_alarm(session, city)
        await session.execute(update(Alarm).where(Alarm.id == alarm.id).values(step=Step.ON_CALL_1))
    async with signed_in("dispatcher") as dispatcher, signed_in("call_taker") as taker:
        told = (await dispatcher.get(f"{API}/alarms/{alarm.id}/whom")).json()
        assert told == {"step": "on_call_1", "name": "Marta Ruiz", "title": "Directora", "phone": "341 555 0001"}
        assert (await taker.get(f"{API}/alarms/{alarm.id}/whom")).status_code == 403
        assert len((await taker.get(f"{API}/alarms")).json()["features"]) == 1
        assert "341 555 0001" not in (await taker.get(f"{API}/alarms")).text


async def test_bad_input_is_told_so(sessions: Sessions, city: City, signed_in: SignIn) -> None:
    async with transaction(sessions) as session:
        alarm = await an_alarm(session, city)
    async with signed_in("dispatcher") as desk, signed_in("supervisor") as boss:
        for body in ({"minutes": 7, "reason": "x"}, {"minutes": 5, "reason": " "}, {"minutes": 5}):
            assert (await desk.post(f"{API}/alarms/{alarm.id}/shelve", json=body)).status_code == 422
        changing: list[dict[str, Any]] = [
            {"seconds": -1},
            {"steps": []},
            {"steps": ["nobody"]},
            {"threshold": 5},
            {"repeat_after": 1},
        ]
        for change in changing:
            assert (await boss.post(f"{API}/watchdogs/unacknowledged-p1", json=change)).status_code == 422, change
        assert (await boss.post(f"{API}/watchdogs/nothing", json={"seconds": 60})).status_code == 404
        stale = await boss.post(f"{API}/watchdogs/unacknowledged-p1", json={"seconds": 61}, headers={"If-Match": '"9"'})
        assert stale.status_code == 412
        rule = {
            "key": "a",
            "kind": "unacknowledged",
            "seconds": 90,
            "escalate_after": 60,
            "steps": ["desk"],
            "priority": 3,
        }
        made = await boss.post(f"{API}/watchdogs", json=rule, headers={"If-Match": '"0"'})
        assert made.status_code == 201, made.text
        assert (await boss.post(f"{API}/watchdogs", json=rule)).status_code == 409
        changes = (await boss.get(f"{API}/watchdogs/history")).json()["changes"]
        assert [(one["made_by"], one["change"]["key"]) for one in changes] == [("supervisor", "a")]
        assert (await boss.post(f"{API}/watchdogs/a/remove", json={})).json()["version"] == 2
