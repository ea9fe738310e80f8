"""The words of the matrix: who may call a route with which body. The rows are in `stage.py` and in `rows/`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.builders import City

STAFF = frozenset({"call_taker", "dispatcher", "trained", "supervisor"})
DESK = STAFF - {"call_taker"}
BOSSES = frozenset({"supervisor"})
MANAGERS = frozenset({"supervisor", "administrator"})
NOBODY = "nobody"  # who did not sign in
PEOPLE = frozenset(City.people)
EVERYBODY = PEOPLE | {NOBODY}

A_BLOCK = {
    "type": "Polygon",
    "coordinates": [[[-60.66, -32.95], [-60.65, -32.95], [-60.65, -32.94], [-60.66, -32.94], [-60.66, -32.95]]],
}
HERE_AND_NOW = {"type": "Point", "coordinates": [-60.66, -32.95]}


@dataclass(frozen=True)
class Row:
    """Who may call a route with which body; whom it is hidden from; everybody else is refused.

    Names in braces in the path and the query are things on the stage; `NEW` in a body is a fresh id.
    """

    done: frozenset[str]
    hidden: frozenset[str] = frozenset()
    body: dict[str, Any] | None = None
    query: str = ""
    status: int = 200
    on: dict[str, str] = field(default_factory=dict)  # which of several things on the stage, where not the first
    content: tuple[str, bytes] | None = None  # a body that is no JSON: its type and its bytes


def row(done: frozenset[str], status: int = 200, /, *hidden: str, query: str = "", on: str = "", **body: Any) -> Row:
    """A row, in as few words as possible."""
    where = {"incident_id": on} if on else {}
    return Row(done, frozenset(hidden), body or None, query, status, where)


NEW = "a new id"
SHARED = STAFF | {"crew m1", "police"}  # who sees all of the incident on the stage and may write on it
UNAWARE = ("crew m2", "ambulances", "vecinal oeste", "vecinal este", "administrator")
REPORTERS = EVERYBODY - {"wall", "administrator"}
OWN_UNIT = STAFF | {"crew m1", "government", "wall", "administrator"}
OTHERS_UNIT = ("crew m2", "police", "ambulances", "vecinal oeste", "vecinal este")
WATCHERS = STAFF | {"government", "wall"}
NOT_WATCHERS = tuple(PEOPLE - WATCHERS)
