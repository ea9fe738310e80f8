"""Who may say that it was noticed, tell of a seat's sounds, see whose was not tried; what one likes is one's own."""

from __future__ import annotations

from tests.api.matrix import DESK, MANAGERS, PEOPLE, STAFF, row

ROWS = {
    "POST /incidents/{incident_id}/heard": row(DESK),
    "POST /soundings": row(
        STAFF,
        soundings=[{"id": "0190ffff-0000-7000-8000-00000000ffff", "earcon": "test", "at": "2026-11-20T12:00:00Z"}],
    ),
    "GET /soundings/tests": row(MANAGERS),
    "GET /preferences": row(PEOPLE),
    "POST /preferences": row(PEOPLE, volume=60, keys={"a": "q"}),
}
