"""PostgreSQL, Redis and the application are killed and hung while people report; see `storm.py`."""

from __future__ import annotations

import time

import pytest

from tests.faults.conftest import Installation
from tests.faults.storm import Reporters, Screen, in_the_books

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


def _settled(installation: Installation, screen: Screen, reporters: Reporters) -> None:
    installation.served.ready()
    screen.becomes_true(60)
    assert screen.repeated == 0, "a line was told twice on one connection"
    in_the_books(installation.database_url, reporters.acknowledged)


def test_postgres_is_killed_under_load_and_every_acknowledged_report_is_there(installation: Installation) -> None:
    with installation.screen() as screen:
        with installation.reporters() as reporters:
            for _ in range(3):
                reporters.wait_for(15, 60)
                installation.postgres.kill()
                time.sleep(0.3)
                installation.postgres.start()
            reporters.wait_for(15, 60)
        _settled(installation, screen, reporters)
    assert reporters.failures, "the kills were felt, or this test shows nothing"


def test_the_application_is_killed_under_load_and_every_acknowledged_report_is_there(
    installation: Installation,
) -> None:
    with installation.screen() as screen:
        with installation.reporters() as reporters:
            for victims in (("serve",), ("serve", "feed"), ("relay", "worker"), ("serve", "feed", "relay", "worker")):
                reporters.wait_for(15, 90)
                installation.served.kill(*victims)
                installation.served.start(*victims)
            reporters.wait_for(15, 90)
        _settled(installation, screen, reporters)
    assert reporters.failures
    assert screen.connections > 1


def test_redis_is_gone_for_twenty_seconds_and_only_latency_suffers(installation: Installation) -> None:
    with installation.screen() as screen, installation.reporters() as reporters:
        reporters.wait_for(10, 60)
        installation.redis.pause()  # hung: the worse of the two
        reporters.wait_for(5, 60)
        time.sleep(10)
        lines = screen.lines
        installation.redis.kill()  # and then away, with all it held
        reporters.wait_for(5, 60)
        time.sleep(10)
        assert screen.lines > lines, "the screen stood still without Redis"
        installation.redis.start()
        reporters.wait_for(10, 60)
    assert reporters.failures == [], "a write failed because Redis was away"
    with installation.screen() as screen:
        _settled(installation, screen, reporters)


def test_the_relay_is_killed_again_and_again_and_numbers_stay_whole(installation: Installation) -> None:
    with installation.screen() as screen:
        with installation.reporters() as reporters:
            for _ in range(8):
                reporters.wait_for(5, 60)
                installation.served.kill("relay")
                installation.served.start("relay")
        _settled(installation, screen, reporters)
    assert reporters.failures == [], "a write failed because the relay was away"


def test_a_map_that_cannot_be_true_says_so(installation: Installation) -> None:
    """With PostgreSQL away no heartbeat may claim that all is well: the screen hears nothing and calls itself old."""
    with installation.screen() as screen:
        screen.becomes_true(60)
        installation.postgres.kill()
        try:
            time.sleep(12)  # the hub's patience is 10 s; it must have stopped its heartbeats by then
            before = screen.heartbeats
            time.sleep(7)  # longer than the time between two
            assert screen.heartbeats == before
        finally:
            installation.postgres.start()
        installation.served.ready()
        screen.becomes_true(60)
