"""From a log to the acts that replay it: each with its hour, its place in line, and the ids it will always have.

The acts stand in one order, by the log's clock, in which every call's and every unit's own acts are in order too;
whoever does them in that order, waiting only for the acts that share a lane, never waits in a circle.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from incidents.assignments import MOVES, AssignmentStatus
from web.replay.log import Answer, Call, Ending, Log, Position

ALWAYS = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # the hour in the id of things that are not events
CELL = 0.01  # degrees: a report looks for its like within 225 m, so it is enough to hold a cell and its neighbours


def id_of(source: str, kind: str, key: str, at: dt.datetime = ALWAYS) -> UUID:
    """The UUIDv7 of something in a log: its hour, and a digest instead of chance.

    It says nothing of the file or the run: the same call is the same incident however often it is replayed.
    """
    chance = int.from_bytes(hashlib.sha256(f"{source}\0{kind}\0{key}".encode()).digest()[:10])
    stamp = int(at.timestamp() * 1000)
    return UUID(int=stamp << 80 | 7 << 76 | (chance >> 62 & 0xFFF) << 64 | 2 << 62 | chance & (1 << 62) - 1)


class Kind(StrEnum):
    """What is done."""

    REPORT = "report"
    TRIAGE = "triage"
    ASSIGN = "assign"
    STATUS = "status"
    CLOSE = "close"


@dataclass(slots=True, eq=False)
class Sending:
    """A unit's answer to a call, as it will be done: its steps made possible, its end made certain."""

    answer: Answer
    id: UUID
    unit_id: UUID
    start: dt.datetime
    moves: list[tuple[AssignmentStatus, dt.datetime]]  # what happened, by the log
    hours: list[dt.datetime]  # when each is done: never before the one before it
    sent_on: bool = False


@dataclass(slots=True, eq=False)
class Story:
    """One call as it will be replayed."""

    call: Call
    report_id: UUID
    incident_id: UUID
    position: Position | None
    place: str
    ending: Ending
    code: str
    sendings: list[Sending]
    ended_at: dt.datetime
    hour: dt.datetime  # when its end is done


@dataclass(slots=True, eq=False)
class Act:
    """One request that changes something. `hour` is when it is done, `occurred_at` when it happened."""

    kind: Kind
    story: Story
    hour: dt.datetime
    occurred_at: dt.datetime
    sending: Sending | None = None
    status: AssignmentStatus | None = None
    lanes: tuple[object, ...] = ()
    order: tuple[dt.datetime, int, int, int] = field(default=(ALWAYS, 0, 0, 0))


def tell_stories(log: Log) -> list[Story]:
    """Every call of the log as it will be replayed, whatever part of it is; what cannot be is noted as trouble."""
    stories = [_story(log, call) for call in log.calls]
    by_unit: dict[str, list[tuple[int, Story, Sending]]] = defaultdict(list)
    for number, story in enumerate(stories):
        for sending in story.sendings:
            by_unit[sending.answer.unit.key].append((number, story, sending))
    for line in by_unit.values():
        line.sort(key=lambda one: (one[2].start, one[0], one[2].answer.line))
        for (_, _, earlier), (_, _, later) in itertools.pairwise(line):
            _give_up(log, earlier, later)
    for story in stories:
        _finish(story)
    return stories


def _story(log: Log, call: Call) -> Story:
    ending, code = call.ending, call.code
    answers = call.answers
    if call.position is None and ending is not Ending.DISMISS:
        log.trouble(call.line, "no place: dismissed for lack of data", call.key)
        ending, code = Ending.DISMISS, "insufficient"
    story = Story(
        call=call,
        report_id=id_of(log.source, "report", call.key, call.received_at),
        incident_id=id_of(log.source, "incident", call.key, call.received_at),
        position=call.position,
        place=call.place,
        ending=ending,
        code=code,
        sendings=[],
        ended_at=call.received_at,
        hour=call.received_at,
    )
    last = max((at for answer in answers for at in _times(answer)), default=call.received_at)
    story.sendings = [_sending(log, story, answer, max(last, call.entered_at)) for answer in answers]
    return story


def _times(answer: Answer) -> list[dt.datetime]:
    return [answer.sent_at, *(at for _, at in answer.moves), *([answer.free_at] if answer.free_at else [])]


def _sending(log: Log, story: Story, answer: Answer, call_over: dt.datetime) -> Sending:
    """An answer whose steps follow each other as an assignment's may; it always ends."""
    call, key = story.call, f"{story.call.key} {answer.unit.key}"
    free_at = answer.free_at
    if free_at is None:
        log.trouble(answer.line, "no time of release: released when the call ends", key)
        free_at = call_over
    start = max(call.received_at, call.entered_at, answer.sent_at)
    sending = Sending(
        answer=answer,
        id=id_of(log.source, "assignment", key, answer.sent_at),
        unit_id=id_of(log.source, "unit", answer.unit.key),
        start=start,
        moves=[],
        hours=[],
    )
    status, hour = AssignmentStatus.ASSIGNED, start
    for wanted, at in [*answer.moves, (AssignmentStatus.RELEASED, free_at)]:
        if wanted not in MOVES[status]:
            log.trouble(answer.line, "a step that cannot follow the one before it", f"{key}: {status} → {wanted}")
            continue
        status, hour = wanted, max(hour, at)
        sending.moves.append((wanted, at))
        sending.hours.append(hour)
    return sending


def _give_up(log: Log, earlier: Sending, later: Sending) -> None:
    """A unit is on one call at a time: sent on before it was free, it is free from then."""
    if earlier.hours[-1] <= later.start:
        return
    line, unit = earlier.answer.line, earlier.answer.unit.key
    log.trouble(line, "sent elsewhere before it was free: released then", unit)
    kept = [hour <= later.start for hour in earlier.hours[:-1]]
    for (status, at), stays in zip(earlier.moves, kept, strict=False):
        if not stays:
            log.trouble(line, "a step after the unit was sent elsewhere", f"{unit}: {status} {at.isoformat()}")
    stay = sum(kept)  # hours never go back: those that stay stand first
    earlier.moves = [*earlier.moves[:stay], (AssignmentStatus.RELEASED, later.answer.sent_at)]
    earlier.hours = [*earlier.hours[:stay], later.start]
    earlier.sent_on = True


def _finish(story: Story) -> None:
    """A call ends when the log says so, else with the last that is known of its units."""
    known = [at for sending in story.sendings for _, at in sending.moves]
    hours = [sending.hours[-1] for sending in story.sendings]
    call = story.call
    story.ended_at = call.ended_at or max([*known, call.entered_at])
    story.hour = max([*hours, story.ended_at, call.received_at, call.entered_at])


def acts_of(stories: Sequence[Story]) -> list[Act]:
    """Everything that is to be done, in order."""
    acts = [act for number, story in enumerate(stories) for act in _acts(number, story)]
    acts.sort(key=lambda act: act.order)
    return acts


def _acts(number: int, story: Story) -> list[Act]:
    call, mine = story.call, ("call", story.call.key)
    triaged = max(call.received_at, call.entered_at)
    triaged_at = call.entered_at
    if story.ending is Ending.DISMISS and story.position is not None:
        triaged, triaged_at = story.hour, story.ended_at  # only when it ended was it known to be nothing
    around = _cells(story.position, beside=story.ending is Ending.DUPLICATE)
    acts = [
        Act(Kind.REPORT, story, call.received_at, call.received_at, lanes=(mine,)),
        Act(Kind.TRIAGE, story, triaged, triaged_at, lanes=(mine, *around)),
    ]
    if story.ending is not Ending.DISMISS:
        acts.append(Act(Kind.CLOSE, story, story.hour, story.ended_at, lanes=(mine, *_cells(story.position))))
    for place, act in enumerate(acts):
        act.order = (act.hour, 2 if act.kind is Kind.CLOSE else 1, number, place)
    for place, sending in enumerate(story.sendings, 1):
        acts += _acts_of(number, story, sending, place * 100)
    return acts


def _acts_of(number: int, story: Story, sending: Sending, place: int) -> list[Act]:
    """What a unit does later than its sending goes before what begins in the same second: it must be free first."""
    lanes = (("call", story.call.key), ("unit", sending.unit_id))
    start = sending.start
    acts = [Act(Kind.ASSIGN, story, start, sending.answer.sent_at, sending, None, lanes, (start, 1, number, place))]
    for step, ((status, at), hour) in enumerate(zip(sending.moves, sending.hours, strict=True), 1):
        order = (hour, 0 if hour > start else 1, number, place + step)
        acts.append(Act(Kind.STATUS, story, hour, at, sending, status, lanes, order))
    return acts


def _cells(position: Position | None, *, beside: bool = False) -> Collection[tuple[str, int, int]]:
    """The squares of the map that an act looks at or changes, so that looking finds what came before and no more."""
    if position is None:
        return ()
    x, y = int(position[0] // CELL), int(position[1] // CELL)
    reach = (-1, 0, 1) if beside else (0,)
    return [("cell", x + dx, y + dy) for dx in reach for dy in reach]
