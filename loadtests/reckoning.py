"""Afterwards: what every screen should have been told, from the journal, against what it was told.

The journal holds each fact with its number, its faces and whom it was told before; a screen's keys say which of
them concern it. Nothing is sampled: each line of each screen is looked for, and each that came is asked why.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from loadtests.feed_prints import print_of
from loadtests.ledger import Plan
from realtime.database import connect, reading, sessions_of
from realtime.hub import told
from realtime.journal import Line, faces_from
from resources.sign_in import hash_of, still_signed_in

TABLES = {"report": "reports", "incident": "incidents", "assignment": "assignments", "note": "notes"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A numbered entry of the journal, and when it was written."""

    line: Line
    recorded_at: float
    kind: str
    detail: dict[str, Any]


@dataclass
class Reckoning:
    """What came out."""

    delivered: int = 0
    expected: int = 0
    resumed: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)  # not for that screen, or not what it should look like
    different: list[str] = field(default_factory=list)  # the end of a screen is not a fresh snapshot
    missing: list[str] = field(default_factory=list)  # acknowledged, and not there
    promised: Counter[str] = field(default_factory=Counter)
    from_answer: list[float] = field(default_factory=list)  # seconds
    from_journal: list[float] = field(default_factory=list)
    unnumbered: int = 0

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        lines = self.lost or self.duplicated or self.disordered or self.foreign
        return not (lines or self.different or self.missing or self.unnumbered)


async def reckon(database_url: str, plan: Plan, seen: dict[str, Any], since: int) -> Reckoning:
    """Against the database, which is the only truth. `since` is how far the journal was when the crowd came."""
    found = Reckoning()
    engine = connect(database_url, pool=1)
    try:
        async with reading(sessions_of(engine)) as session:
            keys = await _keys(session, plan)
            facts = await _facts(session, since)
            found.missing = await _missing(session, seen["acts"], found)
            found.unnumbered = await session.scalar(text("SELECT count(*) FROM journal WHERE seq IS NULL")) or 0
    finally:
        await engine.dispose()
    arrivals: defaultdict[int, list[float]] = defaultdict(list)
    for feed in seen["feeds"]:
        _judge(found, feed, facts, keys[feed["username"]], arrivals)
    _time(found, seen["acts"], facts, arrivals)
    return found


async def _keys(session: AsyncSession, plan: Plan) -> dict[str, frozenset[str]]:
    actors = await still_signed_in(session, [hash_of(account.token) for account in plan.accounts])
    return {account.username: actors[hash_of(account.token)].keys for account in plan.accounts}


async def _facts(session: AsyncSession, since: int) -> list[Fact]:
    rows = await session.execute(
        text("""
            SELECT seq, subject, version, faces, told_before, recorded_at, kind, detail
            FROM journal WHERE seq > :since ORDER BY seq
        """),
        {"since": since},
    )
    return [
        Fact(
            Line(row.seq, row.subject, row.version, faces_from(row.faces), frozenset(row.told_before)),
            row.recorded_at.timestamp(),
            row.kind,
            row.detail,
        )
        for row in rows
    ]


async def _missing(session: AsyncSession, acts: Sequence[dict[str, Any]], found: Reckoning) -> list[str]:
    missing = []
    for what, table in TABLES.items():
        ids = {UUID(act["id"]) for act in acts if act["what"] == what}
        found.promised[what] = len(ids)
        there = await session.scalars(text(f"SELECT id FROM {table} WHERE id = ANY(:ids)"), {"ids": list(ids)})  # noqa: S608  our own names
        missing += [f"{what} {id_}" for id_ in ids - set(there)]
    return missing


def _judge(
    found: Reckoning,
    feed: dict[str, Any],
    facts: list[Fact],
    keys: frozenset[str],
    arrivals: defaultdict[int, list[float]],
) -> None:
    who = feed["username"]
    mine = {fact.line.seq: message for fact in facts if (message := told(fact.line, keys)) is not None}
    recorded = {fact.line.seq: fact.recorded_at for fact in facts}
    counted: Counter[int] = Counter()
    for window in feed["windows"]:
        got = {seq for seq, *_ in window["lines"]}
        due = {seq for seq in mine if window["after"] < seq <= window["upto"]}
        found.expected += len(due)
        found.lost += [f"{who}: {seq} {mine[seq]['subject']}" for seq in sorted(due - got)]
        for seq, subject, version, look, at in window["lines"]:
            counted[seq] += 1
            arrivals[seq].append(at)
            message = mine.get(seq)
            if message is None or (message["subject"], message["version"]) != (subject, version):
                found.foreign.append(f"{who}: {seq} {subject}")
            elif print_of(message["feature"]) != look:
                found.foreign.append(f"{who}: {seq} {subject} with another face")
            if seq in recorded:
                found.from_journal.append(at - recorded[seq])
        found.delivered += len(window["lines"])
    found.duplicated += [f"{who}: {seq} ×{times}" for seq, times in counted.items() if times > 1]
    found.disordered += [f"{who}: {fault}" for fault in feed["faults"]]
    for one in feed["resumptions"]:
        found.resumed += len(one["told"])
        changed = {message["subject"] for seq, message in mine.items() if one["since"] < seq <= one["upto"]}
        span = f"({one['since']}, {one['upto']}]"
        found.lost += [f"{who}: {subject} when it came back {span}" for subject in sorted(changed - one["told"].keys())]
        found.foreign += [f"{who}: {subject} when it came back {span}" for subject in one["told"].keys() - changed]
    if feed["differences"] is None:
        found.different.append(f"{who}: could not compare")
    elif feed["differences"]:
        found.different += [f"{who}: {one}" for one in feed["differences"]]


def _time(
    found: Reckoning, acts: list[dict[str, Any]], facts: list[Fact], arrivals: defaultdict[int, list[float]]
) -> None:
    """From each answer to each screen that was on the line."""
    by_line = {(fact.line.subject, fact.line.version): fact.line.seq for fact in facts}
    by_note = {fact.detail["note_id"]: fact.line.seq for fact in facts if fact.kind == "note.added"}
    by_assignment = {
        (fact.detail["assignment_id"], fact.detail.get("to", "assigned")): fact.line.seq
        for fact in facts
        if fact.kind in {"assignment.made", "assignment.status"}
    }
    for act in acts:
        match act["what"]:
            case "report":
                seq = by_line.get((f"report:{act['id']}", 1))
            case "note":
                seq = by_note.get(act["id"])
            case "assignment" | "status":
                seq = by_assignment.get((act["id"], act.get("status", "assigned")))
            case _:
                seq = by_line.get((act["line"][0], act["line"][1]))
        if seq is None:
            found.missing.append(f"{act['what']} {act['id']}: no entry in the journal")
        else:
            found.from_answer += [at - act["at"] for at in arrivals[seq]]
