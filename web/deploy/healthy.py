"""`python -m web.deploy.healthy web | feed | relay | worker | mqtt | opendata`: at work? The exit code tells.

It asks for the effect, not for a sign of life: a process that runs and gets nothing done is not healthy.
"""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable

import psycopg

from web.pulse import Pulse
from web.settings import Settings

_RELAY = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'vigia-relay')
       AND NOT EXISTS (SELECT FROM journal WHERE seq IS NULL AND recorded_at < clock_timestamp() - interval '15 s')
"""
_WORKER = """
    SELECT NOT EXISTS (
        SELECT FROM journal
        WHERE seq > (SELECT min(seq) FROM reaction_cursors) AND recorded_at < clock_timestamp() - interval '2 min'
    )
"""


def web(settings: Settings) -> bool:
    """It says itself that it is ready."""
    return _http_status("127.0.0.1", settings.port, "/ready") == 200


def feed(settings: Settings) -> bool:
    """It answers at all: a plain request is turned away with «upgrade required»."""
    port = int(settings.feed_address.rpartition(":")[2])
    return _http_status("127.0.0.1", port, "/feed") is not None


def relay(settings: Settings) -> bool:
    """Some relay is there, and what was committed gets its number."""
    return _so(settings, _RELAY)


def worker(settings: Settings) -> bool:
    """Reactions are not far behind the journal."""
    return _so(settings, _WORKER)


def mqtt(settings: Settings) -> bool:
    """It follows a broker, and did so a moment ago."""
    return Pulse(settings, "mqtt").beats()


def opendata(settings: Settings) -> bool:
    """It answers, and the database answers it."""
    port = int(settings.open_address.rpartition(":")[2])
    return _http_status("127.0.0.1", port, "/health") == 200


CHECKS: dict[str, Callable[[Settings], bool]] = {
    "web": web,
    "feed": feed,
    "relay": relay,
    "worker": worker,
    "mqtt": mqtt,
    "opendata": opendata,
}


def _http_status(host: str, port: int, path: str) -> int | None:
    line = http.client.HTTPConnection(host, port, timeout=3)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        line.close()


def _so(settings: Settings, question: str) -> bool:
    url = settings.database.replace("postgresql+psycopg:", "postgresql:", 1)
    try:
        with psycopg.connect(url, connect_timeout=3, options="-c statement_timeout=3000") as connection:
            row = connection.execute(question.encode()).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


if __name__ == "__main__":
    sys.exit(0 if CHECKS[sys.argv[1]](Settings()) else 1)
