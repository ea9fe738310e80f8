"""Holding what was asked and done against what the database and the API's lists hold: the rest must be zero."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from incidents.assignments import OVER, STAMPS, AssignmentStatus
from incidents.incident import IncidentState
from incidents.reports import ReportStatus
from web.replay.books import Books
from web.replay.client import Client
from web.replay.log import Call, Log
from web.replay.plan import Act, Kind, Story
from web.replay.run import Fate, Outcome, Run

PAGE = 200
Stamps = dict[str, dt.datetime]
Statuses = Counter[tuple[UUID, AssignmentStatus, dt.datetime]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it should be."""

    what: str
    which: str
    expected: str = ""
    found: str = ""


@dataclass(slots=True)
class Tally:
    """One line of the account: `difference` is what was done less what the database holds."""

    what: str
    asked: int = 0
    made: int = 0
    found: int = 0
    refused: int = 0
    in_database: int = 0
    in_api: int | None = None

    def count(self, fate: Fate, times: int = 1) -> None:
        """Enter what became of something that was asked."""
        if fate.outcome is Outcome.NOT_NEEDED:
            return
        self.asked += times
        self.made += times * (fate.outcome is Outcome.MADE)
        self.found += times * (fate.outcome is Outcome.FOUND)
        self.refused += times * (fate.outcome is Outcome.REFUSED)

    @property
    def difference(self) -> int:
        """Zero when it balances, in the database and in the API."""
        done = self.made + self.found
        off = abs(done - self.in_database)
        return off if self.in_api is None else max(off, abs(done - self.in_api))


@dataclass(slots=True)
class Account:
    """The whole account of a replay."""

    rows: dict[str, int] = field(default_factory=dict)
    tallies: list[Tally] = field(default_factory=list)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether everything is accounted for."""
        return not self.differences and not any(tally.difference for tally in self.tallies)


# ── What must be there ────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Expected:
    """What the books must hold, by what was acknowledged; field by field, as they name them."""

    reports: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    incidents: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    assignments: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    statuses: Statuses = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)


def expected_of(run: Run) -> Expected:
    """What was acknowledged, told again by the rules of the stamps: the first of each counts, of T14 the last."""
    there = Expected()
    for act in run.acts:
        fate = run.fates.get(act)
        if fate is not None and fate.done:
            _BOOKED[act.kind](there, run, act, fate)
    for triage in run.triages.values():
        if triage.status is ReportStatus.JOINED and triage.incident_id in there.incidents:
            there.incidents[triage.incident_id]["reports"] += 1
    return there


def _tell(there: Expected, fate: Fate, *kinds: str) -> None:
    if fate.outcome is Outcome.MADE:
        there.told.update(kinds)


def _report(there: Expected, _: Run, act: Act, fate: Fate) -> None:
    there.reports[act.story.report_id] = {
        "status": ReportStatus.RECEIVED,
        "incident_id": None,
        "dismissal": None,
        "channel": act.story.call.channel,
        "occurred_at": act.occurred_at,
    }
    _tell(there, fate, "report.received")


def _triage(there: Expected, run: Run, act: Act, fate: Fate) -> None:
    story = act.story
    triage = run.triages[story.call.key]
    report = there.reports[story.report_id]
    report["status"], report["incident_id"] = triage.status, triage.incident_id
    if triage.status is ReportStatus.DISMISSED:
        report["dismissal"] = story.code
        return _tell(there, fate, "report.dismissed")
    if triage.status is ReportStatus.JOINED:
        return _tell(there, fate, "report.joined_to", "report.joined")
    first: Stamps = {"T0": story.call.received_at, "T3": act.occurred_at, "T4": act.occurred_at}
    there.incidents[story.incident_id] = {
        "type_code": story.call.type_code,
        "opened_at": act.occurred_at,
        "reports": 1,
        "stamps": first,
    }
    return _tell(there, fate, "report.accepted", "incident.opened")


def _assign(there: Expected, _: Run, act: Act, fate: Fate) -> None:
    assert act.sending is not None  # noqa: S101
    stamps = there.incidents[act.story.incident_id]["stamps"]
    for name in ("T5", "T6"):
        stamps.setdefault(name, act.occurred_at)
    there.assignments[act.sending.id] = {
        "incident_id": act.story.incident_id,
        "unit_id": act.sending.unit_id,
        "status": AssignmentStatus.ASSIGNED,
        "made_at": act.occurred_at,
        "released_at": None,
        "stamps": {"T5": act.occurred_at, "T6": act.occurred_at},
    }
    _tell(there, fate, "assignment.made")


def _status(there: Expected, _: Run, act: Act, fate: Fate) -> None:
    assert act.sending is not None  # noqa: S101
    assert act.status is not None  # noqa: S101
    _reach(there, act.story, act.sending.id, act.status, act.occurred_at)
    _tell(there, fate, "assignment.status")


def _reach(there: Expected, story: Story, id_: UUID, status: AssignmentStatus, at: dt.datetime) -> None:
    assignment, stamps = there.assignments[id_], there.incidents[story.incident_id]["stamps"]
    assignment["status"] = status
    there.statuses[id_, status, at] += 1
    if status in STAMPS:
        assignment["stamps"][STAMPS[status]] = at
        stamps.setdefault(STAMPS[status], at)
    if status in OVER:
        assignment["released_at"] = assignment["stamps"]["T14"] = stamps["T14"] = at


def _close(there: Expected, _: Run, act: Act, fate: Fate) -> None:
    story, at = act.story, act.occurred_at
    for sending in story.sendings:  # closing releases whoever is still there
        assignment = there.assignments.get(sending.id)
        if assignment is not None and assignment["released_at"] is None:
            _reach(there, story, sending.id, AssignmentStatus.RELEASED, at)
            _tell(there, fate, "assignment.status")
    incident = there.incidents[story.incident_id]
    incident |= {"state": IncidentState.CLOSED, "disposition": story.code, "closed_at": at}
    incident["stamps"]["T16"] = at
    _tell(there, fate, "incident.closed")


_BOOKED = {
    Kind.REPORT: _report,
    Kind.TRIAGE: _triage,
    Kind.ASSIGN: _assign,
    Kind.STATUS: _status,
    Kind.CLOSE: _close,
}


# ── Holding it against what is there ──────────────────────────────────────────────────────────────


def compare(there: Expected, before: Books, after: Books, me: UUID) -> list[Difference]:
    """Everything that is missing, other than it should be, or too much."""
    found = [
        *_rows("report", there.reports, after.reports),
        *_rows("incident", there.incidents, after.incidents),
        *_rows("assignment", there.assignments, after.assignments),
        *_counts("assignment.status", there.statuses, after.statuses),
    ]
    now_told = after.told - before.told
    mine = Counter({kind: count for (actor, kind), count in now_told.items() if actor == me})
    others = {kind: count for (actor, kind), count in now_told.items() if actor != me}
    found += _counts("journal", there.told, mine)
    found += [Difference("nobody of this run made it", kind, "0", str(count)) for kind, count in others.items()]
    return found


def _rows(kind: str, wanted: Mapping[UUID, dict[str, Any]], held: Mapping[UUID, Any]) -> Iterable[Difference]:
    for id_, fields in wanted.items():
        row = held.get(id_)
        if row is None:
            yield Difference("missing in the database", f"{kind} {id_}")
            continue
        for name, value in fields.items():
            there = getattr(row, name)
            if name == "stamps":
                there = {stamp: dt.datetime.fromisoformat(at) for stamp, at in there.items()}
            if there != value:
                yield Difference(f"{kind}.{name}", str(id_), _shown(value), _shown(there))
    for id_ in held.keys() - wanted.keys():
        yield Difference("nobody of this run made it", f"{kind} {id_}")


def _counts(what: str, wanted: Counter[Any], held: Counter[Any]) -> Iterable[Difference]:
    for key in wanted.keys() | held.keys():
        if wanted[key] != held[key]:
            yield Difference(what, _shown(key), str(wanted[key]), str(held[key]))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(one)}" for name, one in sorted(value.items()))
    if isinstance(value, tuple):
        return " ".join(_shown(one) for one in value)
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


async def look_through_lists(
    client: Client, there: Expected, units: Iterable[UUID]
) -> tuple[Counter[str], list[Difference]]:
    """The same question to the API's own lists: each incident once, closed as it should be; nothing still waiting."""
    seen: Counter[str] = Counter()
    found: list[Difference] = []
    listed: Counter[UUID] = Counter()
    for state in ("closed", "open"):
        async for feature in _listed(client, there.incidents, state):
            told = feature["properties"]
            id_ = UUID(told["id"])
            wanted = there.incidents.get(id_)
            if wanted is None:
                continue
            listed[id_] += 1
            found += [
                Difference(f"incident.{name}", str(id_), str(wanted[name]), str(told.get(name)))
                for name in ("state", "disposition")
                if name in wanted and told.get(name) != wanted[name]
            ]
            seen["incidents"] += 1
            seen["closed"] += told["state"] == IncidentState.CLOSED
    found += [Difference("missing in the API's lists", f"incident {id_}") for id_ in there.incidents.keys() - listed]
    found += [Difference("twice in the API's lists", f"incident {id_}") for id_, n in listed.items() if n > 1]
    known = {UUID(one["properties"]["id"]) for one in (await client.get("/units"))["features"]}
    seen["units"] = sum(unit_id in known for unit_id in units)
    on_board = {feature["properties"]["subject"] for feature in (await client.get("/snapshot"))["features"]}
    found += [
        Difference("still waiting", f"report {id_}")
        for id_, report in there.reports.items()
        if f"report:{id_}" in on_board and report["status"] is not ReportStatus.RECEIVED
    ]
    return seen, found


async def _listed(client: Client, ours: Mapping[UUID, Any], state: str) -> Any:
    """The lists run from new to old and ids follow time: begin after our newest, stop before our oldest."""
    if not ours:
        return
    before: str | None = str(UUID(int=max(ours).int + 1))
    oldest = min(ours)
    while before is not None and UUID(before) > oldest:
        page = await client.get("/incidents", state=state, limit=PAGE, before=before)
        for feature in page["features"]:
            yield feature
        before = page["next"]


# ── The account ───────────────────────────────────────────────────────────────────────────────────


def account_for(
    log: Log, played: Sequence[Call], run: Run, there: Expected, after: Books, seen: Counter[str]
) -> Account:
    """What was read, what became of it, and what the database holds of it."""
    account = Account()
    by_act = {(act.story.call.key, act.kind, act.sending.id if act.sending else None): act for act in run.acts}
    _account_rows(account, log, played, run, by_act)
    units = Tally("units", in_database=len(after.units), in_api=seen["units"])
    for fate in run.units.values():
        units.count(fate)
    tallies = {kind: Tally(what) for kind, what in _LINES.items()}
    for act in run.acts:
        fate = run.fates.get(act, _UNDONE)
        for kind in _lines_of(run, act):
            tallies[kind].count(fate)
        if fate.outcome is Outcome.REFUSED:
            account.refusals[_LINES[_lines_of(run, act)[0]], fate.reason] += 1
    for fate in run.units.values():
        if fate.outcome is Outcome.REFUSED:
            account.refusals["units", fate.reason] += 1
    held = Counter(after.reports[id_].status for id_ in there.reports.keys() & after.reports.keys())
    tallies["report"].in_database = sum(held.values())
    for kind, status in _BY_STATUS.items():
        tallies[kind].in_database = held[status]
    tallies["close"].in_database = sum(row.state == IncidentState.CLOSED for row in after.incidents.values())
    tallies["close"].in_api = seen["closed"]
    tallies["assign"].in_database = len(after.assignments)
    tallies["status"].in_database = sum(after.statuses.values())
    account.tallies += [units, *tallies.values()]
    return account


_UNDONE = Fate(Outcome.REFUSED, "not tried")
_LINES = {
    "report": "reports",
    "accept": "reports that opened an incident",
    "join": "reports joined to one",
    "dismiss": "reports dismissed",
    "close": "incidents closed",
    "assign": "assignments",
    "status": "statuses",
}
_BY_STATUS = {"accept": ReportStatus.ACCEPTED, "join": ReportStatus.JOINED, "dismiss": ReportStatus.DISMISSED}
_BY_TRIAGE = {status: kind for kind, status in _BY_STATUS.items()}


def _lines_of(run: Run, act: Act) -> list[str]:
    if act.kind is not Kind.TRIAGE:
        return [act.kind.value]
    triage = run.triages.get(act.story.call.key)
    return [_BY_TRIAGE[triage.status] if triage else "accept"]


def _account_rows(account: Account, log: Log, played: Sequence[Call], run: Run, by_act: Mapping[Any, Act]) -> None:
    """Every row is left out, beyond the limit, an answer that was made or refused, or a call that was."""
    rows = Tally("rows")
    for call in played:
        told = run.fates.get(by_act[call.key, Kind.REPORT, None], _UNDONE)
        rows.count(told, call.rows - len(call.answers))
    for act in run.acts:
        if act.kind is Kind.ASSIGN:
            rows.count(run.fates.get(act, _UNDONE))
    kept = sum(call.rows for call in played)
    beyond = sum(call.rows for call in log.calls) - kept
    answers = sum(len(call.answers) for call in played)
    rest = log.rows - log.left_out - beyond - rows.made - rows.found - rows.refused
    account.rows = {
        "rows in the file": log.rows,
        "left out": log.left_out,
        "beyond --limit": beyond,
        "became a unit's answer to a call": answers,
        "became only a call": kept - answers,
        "calls": len(played),
    }
    account.tallies.append(rows)
    rows.in_database = rows.made + rows.found
    if rest:
        account.differences.append(Difference("rows without account", str(rest), "0", str(rest)))
