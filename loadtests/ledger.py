"""What the crowd shares while it is at work: what is left to do, and what the server has promised so far.

Whatever got a 2xx is written down here with the moment of the answer; `reckoning` asks for all of it at the end.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signed in before the crowd came."""

    username: str
    role: str
    token: str
    unit_id: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is to do; it travels to the crowd's own process as JSON."""

    address: str
    seconds: float
    most_requests: int
    users: dict[str, int]
    accounts: list[Account]
    units: list[str]
    places: list[Place]
    partner: str | None

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Plan:
        """From the JSON of `dataclasses.asdict`."""
        accounts = [Account(**one) for one in raw["accounts"]]
        places = [(one[0], one[1]) for one in raw["places"]]
        return cls(**(raw | {"accounts": accounts, "places": places}))

    def of_role(self, *roles: str) -> list[Account]:
        """The accounts of these roles, in the order of the roles."""
        return [account for role in roles for account in self.accounts if account.role == role]


@dataclass(slots=True)
class Job:
    """A live assignment: what the crew does next, and for which incident."""

    id: str
    incident: str
    status: str = "assigned"


@dataclass
class Ledger:
    """One per crowd. Everything in it runs on one thread; greenlets change only where they ask the network."""

    plan: Plan
    phase: str = "working"  # then "closing": no new work, then "settling": feeds compare, then "over"
    acts: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, float, str | None]] = field(default_factory=list)
    waiting: deque[tuple[str, Place]] = field(default_factory=deque)  # reports that nobody has looked at
    out_of_sight: list[str] = field(default_factory=list)  # incidents that whoever opened them may not see any more
    free: list[str] = field(default_factory=list)  # units
    jobs: dict[str, Job] = field(default_factory=dict)  # by unit
    crewed: set[str] = field(default_factory=set)  # units whose crew is one of the users
    fixes: dict[tuple[str, int], float] = field(default_factory=dict)
    fix_delays: list[float] = field(default_factory=list)
    feeds: list[dict[str, Any]] = field(default_factory=list)
    lines: int = 0
    at_work: Counter[str] = field(default_factory=Counter)

    def promised(self, what: str, id_: str, **about: Any) -> None:
        """The server said 2xx: from now on it must be there, and its line must come."""
        self.acts.append({"what": what, "id": id_, "at": time.time()} | about)

    def heard(self, name: str, milliseconds: float, failure: str | None) -> None:
        """An answer came, or none did."""
        self.requests.append((name, milliseconds, failure))
        if len(self.requests) >= self.plan.most_requests and self.phase == "working":
            self.phase = "closing"

    def release(self, unit: str) -> None:
        """A unit is free again."""
        if self.jobs.pop(unit, None) is not None:
            self.free.append(unit)
