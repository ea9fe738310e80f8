"""Whom to send: for each need of a run card the best units by road, with the reasons, and what is lost if they go.

`recommend` and `recommend_together` are functions of a `Situation` and touch no database: asked in a thread, they serve
the desk, the what-if and the bench alike, and the same question has the same answer.

How it weighs. A unit's score for a need is its travel time in seconds plus, in the open, seconds for what is no travel
time: the age of its position, taking it off another call, taking the last one with some other capability, gaps that
only warn, and the people whom nobody reaches in time any more. The seconds are policy (`incidents/dispatch_policy.py`).
Units are then given to needs so that as many as possible are met and the sum of scores is least (Hungarian method):
required needs first, preferred ones with whom those leave, and the reserve last. One unit meets one need, whatever it
can do: a crew that holds the perimeter does not direct traffic. A unit that is going already meets a need for nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo.places import Point
from geo.travel import Eta
from incidents.run_cards import AgencyAsk, Need, NeedKind, RunCard
from incidents.situation import ON_THE_WAY, Candidate, Job, Situation
from incidents.standing import Covering, UnitLoss, coverings, heads, worst_loss
from resources.units import Duty

UNMET = 1e6  # seconds; leaving a need unmet is dearer than any way to meet it …
NEVER = 1e12  # … and what may not be is dearer still
STAGES = (NeedKind.REQUIRED, NeedKind.PREFERRED, NeedKind.RESERVE)
HERE = Eta(0.0, 0.0, "road")


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody is sent to. `incident_id` None: it does not exist yet. `jurisdiction`: the place's, where known."""

    place: Point
    priority: int
    type_code: str
    incident_id: UUID | None = None
    jurisdiction: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that counts, in a code with its facts; `seconds` is what it adds to the score."""

    code: str
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """A unit that could meet a need. The reasons' seconds add up to the score."""

    unit: Candidate
    eta: Eta
    reasons: tuple[Reason, ...]
    loss: UnitLoss | None = None
    leaves: Job | None = None  # the call from which it would be taken

    @property
    def score(self) -> float:
        """Seconds, all counted."""
        return sum(reason.seconds for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A unit that has the capability and does not come into question, and why."""

    unit: Candidate
    reason: Reason
    eta: Eta | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """A unit given to a need, and why it and not another."""

    option: Option
    why: Reason


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A need that nobody meets: `count` units are missing, and why."""

    count: int
    why: str  # nobody_has, all_busy, all_gated, all_off_duty, none_reachable, none_placed, none_enough, all_used, none
    facts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NeedAnswer:
    """For one need: who goes already, who is proposed, who else could, and who does not come into question.

    `others` hold for each a reason why it was not chosen; `to_ask` are units of other organizations, nearest first.
    """

    need: Need
    going: tuple[Candidate, ...]
    picks: tuple[Pick, ...]
    others: tuple[Pick, ...]
    ruled_out: tuple[Ruled, ...]
    to_ask: tuple[Option, ...]
    shortfall: Shortfall | None

    @property
    def ticked(self) -> bool:
        """Whether it is proposed to send them: what is only held ready is named, not sent."""
        return self.need.kind is not NeedKind.RESERVE


@dataclass(frozen=True, slots=True)
class Trade:
    """A unit that would have come here alone goes elsewhere, because that is better on the whole.

    `saved_there` is None where nobody else could have gone there; `later_here` None where nobody comes instead.
    """

    unit: Candidate
    to: UUID | None
    instead: Candidate | None
    saved_there: float | None
    later_here: float | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer for one call, need by need."""

    at: dt.datetime
    call: Call
    card: RunCard | None
    level: int
    needs: tuple[NeedAnswer, ...]
    agencies: tuple[AgencyAsk, ...]
    unknown: tuple[str, ...] = ()
    trades: tuple[Trade, ...] = ()

    @property
    def picks(self) -> list[Pick]:
        """All that is proposed to be sent."""
        return [pick for answer in self.needs if answer.ticked for pick in answer.picks]

    @property
    def short(self) -> int:
        """How many required units are missing."""
        return sum(
            answer.shortfall.count
            for answer in self.needs
            if answer.shortfall is not None and answer.need.kind is NeedKind.REQUIRED
        )


def recommend(situation: Situation, call: Call, card: RunCard | None, level: int = 1) -> Recommendation:
    """Whom to send to one call, up to an alarm level of its run card."""
    return _solve(situation, [_prepared(situation, call, card, level, coverings(situation))])[0]


def recommend_together(situation: Situation, calls: Sequence[tuple[Call, RunCard | None, int]]) -> list[Recommendation]:
    """Whom to send where when several calls want the same units: the least sum of scores, weighed by priority.

    Each answer tells its trades: the units that it would have had alone.
    """
    covered = coverings(situation)
    prepared = [_prepared(situation, call, card, level, covered) for call, card, level in calls]
    together = _solve(situation, prepared)
    alone = [_solve(situation, [one])[0] for one in prepared] if len(prepared) > 1 else together
    return [
        replace(answer, trades=tuple(_trades(n, prepared, together, alone[n]))) for n, answer in enumerate(together)
    ]


# ── What each unit is worth to each need ──────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Prepared:
    """A call with, for each need, who is going already, who could go, and who could not."""

    call: Call
    card: RunCard | None
    level: int
    needs: list[Need]
    going: list[dict[UUID, Candidate]]
    options: list[dict[UUID, Option]]
    ruled: list[list[Ruled]]
    to_ask: list[list[Option]]


def _prepared(
    situation: Situation, call: Call, card: RunCard | None, level: int, covered: Sequence[Covering]
) -> _Prepared:
    needs = card.needs(level) if card else []
    found = _Prepared(call, card, level, needs, [], [], [], [])
    wanted = {need.capability for need in needs}
    units = sorted(
        (unit for unit in situation.units if not wanted.isdisjoint(unit.capabilities)),
        key=lambda unit: (unit.call_sign, unit.id),
    )
    urgent = call.priority <= situation.policy.lights_up_to
    driving = [unit for unit in units if unit.kind not in situation.policy.remote_kinds]
    origins = [(unit.place, unit.drive(urgent=urgent)) for unit in driving]
    etas = {unit.id: HERE for unit in units}
    etas |= {unit.id: eta for unit, eta in zip(driving, situation.travel.etas(origins, call.place), strict=True)}
    free = Counter(
        capability for unit in situation.units if _at_hand(unit, situation) for capability in unit.capabilities
    )
    losses: dict[UUID, UnitLoss | None] = {}
    for need in needs:
        going: dict[UUID, Candidate] = {}
        options: dict[UUID, Option] = {}
        ruled: list[Ruled] = []
        to_ask: list[Option] = []
        for unit in units:
            if need.capability not in unit.capabilities:
                continue
            eta = etas[unit.id]
            refused = next(_refusals(situation, call, need, unit, eta), None)
            if unit.job_on(call.incident_id) is not None and (refused is None or refused.code != "missing_amount"):
                going[unit.id] = unit
            elif refused is None:
                if unit.id not in losses:
                    keeps = unit.jobs or unit.kind in situation.policy.remote_kinds
                    losses[unit.id] = None if keeps else worst_loss(unit.id, covered, situation.policy.people_per_km)
                options[unit.id] = _option(situation, call, need, unit, eta, losses[unit.id], free)
            elif refused.code == "other_organization":
                if eta.seconds is not None:
                    to_ask.append(Option(unit, eta, (Reason("eta", eta.seconds),)))
            else:
                ruled.append(Ruled(unit, refused, eta))
        found.going.append(going)
        found.options.append(options)
        found.ruled.append(ruled)
        found.to_ask.append(sorted(to_ask, key=_order))
    return found


def _at_hand(unit: Candidate, situation: Situation) -> bool:
    return unit.free(situation.policy) or (
        unit.ours and unit.kind in situation.policy.remote_kinds and unit.duty == Duty.ON_DUTY and not unit.jobs
    )


def _refusals(situation: Situation, call: Call, need: Need, unit: Candidate, eta: Eta) -> Iterator[Reason]:
    """Why a unit that has the capability does not come into question; the first is the one that is told."""
    policy = situation.policy
    amount = unit.capabilities[need.capability]
    if need.at_least is not None and (amount is None or amount < need.at_least):
        yield Reason("missing_amount", facts={"has": amount, "needs": need.at_least})
    if not unit.ours:
        yield Reason("other_organization", facts={"organization": unit.organization})
    if unit.territories and call.jurisdiction is not None and call.jurisdiction not in unit.territories:
        yield Reason("other_jurisdiction", facts={"jurisdictions": sorted(unit.territories)})
    if unit.duty != Duty.ON_DUTY:
        yield Reason("off_duty", facts={"duty": str(unit.duty)})
    if unit.jobs and not _may_be_taken(situation, call, unit):
        job = unit.jobs[0]
        yield Reason("busy_with", facts={"code": job.code, "priority": job.priority, "status": str(job.status)})
    if unit.blocked:
        yield Reason("gated", facts={"gaps": [gap.shown() for gap in unit.blocked]})
    if unit.kind in policy.remote_kinds:
        return
    if unit.place is None:
        yield Reason("no_position")
    elif (unit.position_age or 0.0) > policy.age_lost_s:
        yield Reason("stale_position", facts={"age": unit.position_age})
    elif eta.seconds is None:
        yield Reason("unreachable_closed" if eta.why == "closed" else "unreachable")


def _may_be_taken(situation: Situation, call: Call, unit: Candidate) -> bool:
    """Whether policy lets this call take a unit from all that it is on: never from a scene, nor from the unknown."""
    policy = situation.policy
    return call.priority <= policy.preempt_up_to and all(
        job.priority is not None and job.priority >= call.priority + policy.preempt_gap and job.status in ON_THE_WAY
        for job in unit.jobs
    )


def _option(
    situation: Situation,
    call: Call,
    need: Need,
    unit: Candidate,
    eta: Eta,
    loss: UnitLoss | None,
    free: Mapping[str, int],
) -> Option:
    policy = situation.policy
    remote = unit.kind in policy.remote_kinds
    reasons = [Reason("remote" if remote else "eta", eta.seconds or 0.0, {"how": eta.how})]
    age = unit.position_age or 0.0
    if age > policy.age_free_s and not remote:
        cost = min((age - policy.age_free_s) / 60 * policy.age_per_minute_s, policy.age_most_s)
        reasons.append(Reason("old_position", round(cost, 1), {"age": age}))
    if unit.jobs:
        job = unit.jobs[0]
        facts = {"code": job.code, "priority": job.priority, "status": str(job.status)}
        reasons.append(Reason("taken_from", policy.preempt_s, facts))
    else:
        last = sorted(one for one in unit.capabilities if one != need.capability and free[one] == 1)
        if last:
            reasons.append(Reason("last_with", policy.last_s, {"capabilities": last}))
    reasons += [Reason("warning", policy.warning_s, gap.shown()) for gap in unit.gaps if not gap.blocks]
    if loss is not None:
        people = heads(loss.lost, policy.people_per_km)
        cost = min(people / 1000 * policy.coverage_s[str(call.priority)], policy.coverage_most_s)
        reasons.append(Reason("coverage", round(cost, 1), {"people": loss.lost.people}))
    return Option(unit, eta, tuple(reasons), loss, unit.jobs[0] if unit.jobs else None)


def _order(option: Option) -> tuple[float, str, UUID]:
    return option.score, option.unit.call_sign, option.unit.id


# ── Who goes where ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Slot:
    """One unit that is wanted."""

    call: int
    need: int
    weight: float


def _solve(situation: Situation, prepared: Sequence[_Prepared]) -> list[Recommendation]:
    """The units for all needs of all calls, stage by stage."""
    given: dict[tuple[int, int], list[UUID]] = {}
    used: set[UUID] = set()
    for stage in STAGES:
        slots = [
            _Slot(n, m, situation.policy.weights[str(one.call.priority)])
            for n, one in enumerate(prepared)
            for m, need in enumerate(one.needs)
            if need.kind is stage
            for _ in range(need.count)
        ]
        for slot, unit_id in _matched(prepared, slots, used):
            given.setdefault((slot.call, slot.need), []).append(unit_id)
        used.update(unit_id for some in given.values() for unit_id in some)
    return [_told(situation, n, one, given, used) for n, one in enumerate(prepared)]


def _matched(prepared: Sequence[_Prepared], slots: Sequence[_Slot], used: set[UUID]) -> list[tuple[_Slot, UUID]]:
    """The cheapest way to meet as many of the slots as can be, the weightiest first."""
    costs: list[dict[UUID, float]] = []
    for slot in slots:
        one = prepared[slot.call]
        row = {unit_id: option.score * slot.weight for unit_id, option in one.options[slot.need].items()}
        row |= dict.fromkeys(one.going[slot.need], 0.0)
        costs.append({unit_id: cost for unit_id, cost in row.items() if unit_id not in used})
    columns = sorted({unit_id for row in costs for unit_id in row})
    if not columns:
        return []
    place = {unit_id: n for n, unit_id in enumerate(columns)}
    table = np.full((len(slots), len(columns) + len(slots)), NEVER)
    for n, (slot, row) in enumerate(zip(slots, costs, strict=True)):
        table[n, len(columns) + n] = UNMET * slot.weight
        for unit_id, cost in row.items():
            table[n, place[unit_id]] = cost
    rows, chosen = linear_sum_assignment(table)
    return [
        (slots[n], columns[column])
        for n, column in zip(rows.tolist(), chosen.tolist(), strict=True)
        if column < len(columns)
    ]


# ── Saying it ─────────────────────────────────────────────────────────────────────────────────────


def _told(
    situation: Situation, n: int, one: _Prepared, given: Mapping[tuple[int, int], list[UUID]], used: set[UUID]
) -> Recommendation:
    answers = []
    for m, need in enumerate(one.needs):
        mine = given.get((n, m), [])
        going = tuple(one.going[m][unit_id] for unit_id in mine if unit_id in one.going[m])
        options = sorted(one.options[m].values(), key=_order)
        chosen = [option for option in options if option.unit.id in mine]
        rest = [option for option in options if option.unit.id not in mine]
        missing = need.count - len(mine)
        answers.append(
            NeedAnswer(
                need,
                tuple(sorted(going, key=lambda unit: unit.call_sign)),
                tuple(Pick(option, _why(option, options, one.ruled[m], used)) for option in chosen),
                tuple(Pick(option, _why_not(option, chosen, used)) for option in rest),
                tuple(one.ruled[m]),
                tuple(one.to_ask[m]),
                _shortfall(missing, rest, one.ruled[m], used) if missing > 0 else None,
            )
        )
    agencies = tuple(ask for level in one.card.levels[: one.level] for ask in level.agencies) if one.card else ()
    return Recommendation(situation.at, one.call, one.card, one.level, tuple(answers), agencies, situation.unknown)


def _why(option: Option, options: Sequence[Option], ruled: Sequence[Ruled], used: set[UUID]) -> Reason:
    """Why this one: nobody else, the quickest, or what it has before those who are quicker."""
    if len(options) == 1:
        return Reason("only_one")
    took = option.eta.seconds or 0.0
    quicker = [other for other in options if (other.eta.seconds or 0.0) < took]
    busy = [
        one
        for one in ruled
        if one.reason.code == "busy_with" and one.eta and one.eta.seconds is not None and one.eta.seconds < took
    ]
    unused = [other for other in quicker if other.unit.id not in used]
    if not unused:
        if quicker:
            first = quicker[0]
            return Reason("next_after_those_sent", facts={"unit": first.unit.call_sign})
        if busy:
            return Reason("further_but_free", facts={"unit": busy[0].unit.call_sign})
        return Reason("fastest")
    nearest = min(unused, key=lambda other: other.eta.seconds or 0.0)
    facts = {"unit": nearest.unit.call_sign, "seconds": round(took - (nearest.eta.seconds or 0.0), 1)}
    return Reason(_WHY.get(_dearest(nearest, option), "lower_score"), facts=facts)


# What the quicker one costs more of, and what therefore speaks for the chosen one.
_WHY = {
    "coverage": "keeps_coverage",
    "taken_from": "further_but_free",
    "old_position": "fresher_position",
    "last_with": "keeps_last",
    "warning": "nothing_missing",
}


def _why_not(option: Option, chosen: Sequence[Option], used: set[UUID]) -> Reason:
    """Why another was chosen: it is used elsewhere, it is slower, or what it costs besides."""
    if option.unit.id in used:
        return Reason("used_elsewhere")
    if not chosen:
        return Reason("not_needed")
    last = max(chosen, key=_order)
    behind = (option.eta.seconds or 0.0) - (last.eta.seconds or 0.0)
    facts = {"unit": last.unit.call_sign, "seconds": round(abs(behind), 1)}
    if behind >= 0:
        return Reason("slower", facts=facts)
    dearest = _dearest(option, last)
    return Reason(f"costs_{dearest}", facts=facts | {"costs": round(_cost(option, dearest) - _cost(last, dearest), 1)})


def _dearest(one: Option, other: Option) -> str:
    """What one costs most of beyond the other, besides time."""
    codes = sorted({reason.code for reason in one.reasons} - {"eta", "remote"})
    return max(codes, key=lambda code: _cost(one, code) - _cost(other, code), default="eta")


def _cost(option: Option, code: str) -> float:
    return sum(reason.seconds for reason in option.reasons if reason.code == code)


_ALL = {
    "busy_with": "all_busy",
    "gated": "all_gated",
    "off_duty": "all_off_duty",
    "unreachable": "none_reachable",
    "unreachable_closed": "none_reachable",
    "no_position": "none_placed",
    "stale_position": "none_placed",
    "missing_amount": "none_enough",
    "other_jurisdiction": "none_here",
}


def _shortfall(missing: int, rest: Sequence[Option], ruled: Sequence[Ruled], used: set[UUID]) -> Shortfall:
    """Why nobody meets a need: the one reason that all share, or the most frequent."""
    why = Counter(_ALL[one.reason.code] for one in ruled)
    if elsewhere := sum(option.unit.id in used for option in rest):
        why["all_used"] += elsewhere
    if not why:
        return Shortfall(missing, "nobody_has")
    return Shortfall(missing, min(why, key=lambda code: (-why[code], code)), dict(sorted(why.items())))


def _trades(
    n: int, prepared: Sequence[_Prepared], together: Sequence[Recommendation], alone: Recommendation
) -> list[Trade]:
    """What the call would have had by itself and has not, because another wants it more."""
    users = {
        pick.option.unit.id: (m, answer, pick.option)
        for m, other in enumerate(together)
        for answer in other.needs
        for pick in answer.picks
    }
    found = []
    for mine, wanted in zip(together[n].needs, alone.needs, strict=True):
        have = {pick.option.unit.id for pick in mine.picks}
        instead = [pick.option for pick in mine.picks if pick.option.unit.id not in _units(wanted)]
        for pick in wanted.picks:
            unit = pick.option.unit
            if unit.id in have or unit.id not in users or users[unit.id][0] == n:
                continue
            m, answer, there = users[unit.id]
            spare = [other.option.eta.seconds or 0.0 for other in answer.others if other.option.unit.id not in users]
            comes = instead.pop(0) if instead else None
            found.append(
                Trade(
                    unit,
                    prepared[m].call.incident_id,
                    comes.unit if comes else None,
                    round(min(spare) - (there.eta.seconds or 0.0), 1) if spare else None,
                    round((comes.eta.seconds or 0.0) - (pick.option.eta.seconds or 0.0), 1) if comes else None,
                )
            )
    return found


def _units(answer: NeedAnswer) -> set[UUID]:
    return {pick.option.unit.id for pick in answer.picks}
