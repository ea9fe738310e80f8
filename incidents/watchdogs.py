"""Watchdogs: the clocks behind the alarms. They live in the database and survive restarts.

Rules are data with versions: what is watched, for whom, after how many seconds, and who is called then. A clock is a
job that says only "look at this incident then"; the look reads how things stand, under the incident's lock, by the
rules of that moment. So nothing fires for what was done meanwhile, a changed rule counts for what is under way, a late
worker fires late rather than never, and a look that runs twice finds its alarm raised already.

What no clock can foretell (a unit that stands still, a position that stops coming, a battery) is looked for by
`look_around`, set by set, every few seconds.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Text, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from incidents.alarms import (
    Alarm,
    AlarmKind,
    AlarmState,
    Severity,
    Step,
    Why,
    clear_alarm,
    escalate_alarm,
    open_alarms,
    raise_alarm,
    recipient,
    return_alarm,
    show_alarm_to,
)
from incidents.assignments import Assignment, AssignmentStatus, live_assignments
from incidents.catalogue import catalogue
from incidents.incident import OVER, Incident, IncidentState, access_incident, tell
from incidents.sos import Sos
from realtime.access import VIGIA, Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import AlreadyExists, Malformed, NotAllowed, NotFound, VersionMismatch
from realtime.jobs import Job, defer
from realtime.journal import Entry
from realtime.registers import READERS, Register, turn_page
from resources.units import Unit, UnitKind

DEFAULT = Path(__file__).with_name("watchdogs.json")

K, A = AlarmKind, AssignmentStatus
WITH_THRESHOLD = frozenset({K.NOT_MOVING, K.BATTERY_LOW})  # metres; a fraction of a full battery
ON_UNITS = frozenset({K.NOT_MOVING, K.POSITION_LOST, K.BATTERY_LOW})  # looked for; the others have clocks
STATUSES = frozenset({A.ACKNOWLEDGED, A.EN_ROUTE, A.ON_SCENE, A.TRANSPORTING, A.AT_DESTINATION})  # to be stuck in
LONGEST = 24 * 3600  # seconds
MOST_RULES = 200


class BadRule(Malformed):
    """That is not a rule for an alarm: {reason}."""


# ── Rules ─────────────────────────────────────────────────────────────────────────────────────────


class WatchdogVersion(Base):
    """One version of the rules, whole. The highest number is in force; without any, what ships with Vigía."""

    __tablename__ = "watchdog_versions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    change: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    made_by: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is watched, where (None: everywhere), after how many seconds, and who is called in which order.

    `threshold` is in metres for `not_moving` and a part of 1 for `battery_low`. `escalate_after` seconds without an
    answer the next step is called; `repeat_after` seconds after an answer it is raised again if it is still so.
    """

    key: str
    kind: AlarmKind
    seconds: int
    escalate_after: int
    severity: Severity = Severity.MEDIUM
    steps: tuple[Step, ...] = (Step.DESK, Step.SUPERVISOR)
    priority: int | None = None
    unit_kind: UnitKind | None = None
    status: AssignmentStatus | None = None
    threshold: float | None = None
    repeat_after: int | None = None
    enabled: bool = True

    @property
    def weight(self) -> int:
        """The more a rule says about where it holds, the more it weighs; a kind of unit more than a priority."""
        return 4 * (self.unit_kind is not None) + 2 * (self.priority is not None) + (self.status is not None)

    def holds(self, priority: int | None, unit_kind: str | None, status: str | None) -> bool:
        """Whether it is for such a case."""
        pairs = ((self.priority, priority), (self.unit_kind, unit_kind), (self.status, status))
        return all(mine is None or mine == given for mine, given in pairs)


@dataclass(frozen=True)
class Rules:
    """One version, ready to be asked."""

    version: int
    rules: tuple[Rule, ...]
    made_at: dt.datetime | None = None
    made_by: str = ""

    @cached_property
    def by_key(self) -> Mapping[str, Rule]:
        """The rules by key."""
        return {rule.key: rule for rule in self.rules}

    def rule(
        self,
        kind: AlarmKind,
        *,
        priority: int | None = None,
        unit_kind: str | None = None,
        status: str | None = None,
    ) -> Rule | None:
        """The rule for a case: the one that says most about it. None when there is none, or when it is off."""
        fitting = [rule for rule in self.rules if rule.kind == kind and rule.holds(priority, unit_kind, status)]
        best = max(fitting, key=lambda rule: rule.weight, default=None)
        return best if best is not None and best.enabled else None

    def as_document(self) -> dict[str, Any]:
        """What the API shows."""
        made_at = self.made_at.isoformat() if self.made_at else None
        rules = [asdict(rule) for rule in self.rules]
        return {"version": self.version, "made_at": made_at, "made_by": self.made_by, "rules": rules}


def _rule_from(stored: Mapping[str, Any]) -> Rule:
    priority, unit_kind, status = (stored.get(name) for name in ("priority", "unit_kind", "status"))
    return Rule(
        key=stored["key"],
        kind=AlarmKind(stored["kind"]),
        seconds=stored["seconds"],
        escalate_after=stored["escalate_after"],
        severity=Severity(stored["severity"]),
        steps=tuple(Step(step) for step in stored["steps"]),
        priority=priority,
        unit_kind=UnitKind(unit_kind) if unit_kind else None,
        status=AssignmentStatus(status) if status else None,
        threshold=stored.get("threshold"),
        repeat_after=stored.get("repeat_after"),
        enabled=stored.get("enabled", True),
    )


def _rules_from(content: Mapping[str, Any], number: int, made_at: dt.datetime | None, made_by: str) -> Rules:
    return Rules(number, tuple(_rule_from(stored) for stored in content["rules"]), made_at, made_by)


DEFAULT_RULES = _rules_from(json.loads(DEFAULT.read_text(encoding="utf-8")), 0, None, "")
_read: dict[int, tuple[dt.datetime, Rules]] = {}  # a version never changes once it exists


async def watchdog_rules(session: AsyncSession) -> Rules:
    """The rules in force."""
    query = select(WatchdogVersion.number, WatchdogVersion.made_at).order_by(WatchdogVersion.number.desc()).limit(1)
    newest = (await session.execute(query)).first()
    if newest is None:
        return DEFAULT_RULES
    kept = _read.get(newest.number)
    if kept is None or kept[0] != newest.made_at:  # another database of this process, or one that was restored
        row = await session.get_one(WatchdogVersion, newest.number, populate_existing=True)
        kept = row.made_at, _rules_from(row.content, row.number, row.made_at, row.made_by)
        _read[newest.number] = kept
    return kept[1]


def read_rules_as(actor: Actor) -> None:
    """Raises `NotAllowed` for those whom the rules do not concern."""
    if READERS.isdisjoint(actor.keys):
        raise NotAllowed(permission=Permission.POLICY_EDIT.value)


async def add_rule(session: AsyncSession, actor: Actor, rule: Rule, *, expected: int | None = None) -> Rules:
    """Watch something more. Raises `AlreadyExists` where the key is taken, `BadRule`, `VersionMismatch`."""
    require(actor, Permission.POLICY_EDIT)
    rules = await _lock_rules(session, expected)
    if rule.key in rules.by_key:
        raise AlreadyExists
    return await _publish(
        session, actor, "watchdog.added", rules, (*rules.rules, _checked(rule)), {"key": rule.key, "to": asdict(rule)}
    )


async def amend_rule(
    session: AsyncSession, actor: Actor, key: str, *, expected: int | None = None, **changes: Any
) -> Rules:
    """Change what is said of a rule (the fields of `Rule` but its key and kind); it counts for what is under way.

    Raises `NotFound`, `BadRule`, `VersionMismatch`.
    """
    require(actor, Permission.POLICY_EDIT)
    rules = await _lock_rules(session, expected)
    before = rules.by_key.get(key)
    if before is None:
        raise NotFound
    after = _checked(replace(before, **changes))
    if after == before:
        return rules
    kept = tuple(after if rule.key == key else rule for rule in rules.rules)
    old, new = asdict(before), asdict(after)
    change = {
        "key": key,
        "from": {name: old[name] for name in old if old[name] != new[name]},
        "to": {name: new[name] for name in old if old[name] != new[name]},
    }
    return await _publish(session, actor, "watchdog.changed", rules, kept, change)


async def remove_rule(session: AsyncSession, actor: Actor, key: str, *, expected: int | None = None) -> Rules:
    """Watch it no longer; a more general rule holds then, where there is one. Raises `NotFound`, `VersionMismatch`."""
    require(actor, Permission.POLICY_EDIT)
    rules = await _lock_rules(session, expected)
    if key not in rules.by_key:
        raise NotFound
    kept = tuple(rule for rule in rules.rules if rule.key != key)
    change = {"key": key, "from": asdict(rules.by_key[key])}
    return await _publish(session, actor, "watchdog.removed", rules, kept, change)


async def rule_history(session: AsyncSession, *, limit: int = 50) -> list[dict[str, Any]]:
    """What changed in the rules, when and by whom; newest first."""
    query = select(WatchdogVersion).order_by(WatchdogVersion.number.desc()).limit(limit)
    return [
        {
            "version": one.number,
            "made_at": one.made_at.isoformat(),
            "made_by": one.made_by,
            "change": one.change,
        }
        for one in await session.scalars(query)
    ]


def _checked(rule: Rule) -> Rule:
    """Raises `BadRule`."""
    if (rule.threshold is not None) != (rule.kind in WITH_THRESHOLD):
        raise BadRule(reason="threshold")
    if rule.kind == K.BATTERY_LOW and not 0 < (rule.threshold or 0) < 0.95:
        raise BadRule(reason="threshold")
    if rule.kind == K.NOT_MOVING and not 10 <= (rule.threshold or 0) <= 2000:
        raise BadRule(reason="threshold")
    if (rule.status is not None) != (rule.kind == K.STUCK) or (rule.status is not None and rule.status not in STATUSES):
        raise BadRule(reason="status")
    if not rule.steps or len(set(rule.steps)) != len(rule.steps):
        raise BadRule(reason="steps")
    least = {K.PAST_PROMISED: 0, K.BATTERY_LOW: 0}.get(rule.kind, 5)
    if not least <= rule.seconds <= LONGEST:
        raise BadRule(reason="seconds")
    if not 10 <= rule.escalate_after <= LONGEST:
        raise BadRule(reason="escalate_after")
    if rule.repeat_after is not None and not 60 <= rule.repeat_after <= LONGEST:
        raise BadRule(reason="repeat_after")
    if rule.unit_kind is not None and rule.kind in {K.UNATTENDED, K.PAST_PROMISED, K.SOS_UNANSWERED}:
        raise BadRule(reason="unit_kind")
    return rule


async def _lock_rules(session: AsyncSession, expected: int | None) -> Rules:
    await session.execute(text("SELECT pg_advisory_xact_lock(7316017)"))
    rules = await watchdog_rules(session)
    if expected is not None and expected != rules.version:
        raise VersionMismatch(expected=expected, current=rules.version)
    return rules


async def _publish(
    session: AsyncSession, actor: Actor, kind: str, before: Rules, rules: Sequence[Rule], change: dict[str, Any]
) -> Rules:
    if len(rules) > MOST_RULES:
        raise BadRule(reason="too many")
    content = {"rules": [asdict(rule) for rule in rules]}
    row = WatchdogVersion(number=before.version + 1, content=content, change=change, made_at=now(), made_by=actor.name)
    session.add(row)
    await turn_page(session, actor, Register.WATCHDOGS, kind, detail=change | {"version": row.number})
    return Rules(row.number, tuple(rules), row.made_at, row.made_by)


# ── What is so since when ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that has been so since a moment, and is to be an alarm from `due` on."""

    rule: Rule
    about: str
    since: dt.datetime
    due: dt.datetime
    incident_id: UUID | None = None
    unit_id: UUID | None = None
    assignment_id: UUID | None = None
    facts: dict[str, Any] | None = None

    @property
    def key(self) -> tuple[AlarmKind, str, dt.datetime]:
        """What the database lets happen once."""
        return self.rule.kind, self.about, self.since


UNATTENDED_IN = frozenset({IncidentState.RECEIVED, IncidentState.CLASSIFIED, IncidentState.WAITING})
PROMISED_IN = UNATTENDED_IN | {IncidentState.DISPATCHED, IncidentState.EN_ROUTE}


async def causes_of(session: AsyncSession, incident: Incident, rules: Rules) -> list[Cause]:
    """Everything about an incident that has a clock, as things stand."""
    if incident.state in OVER:
        return []
    assigned = (await live_assignments(session, [incident.id]))[incident.id]
    kinds = await _kinds_of(session, {one.unit_id for one in assigned})
    found = [
        *await _unattended(session, incident, assigned, rules),
        *await _past_promised(session, incident, rules),
        *await _sos_unanswered(session, incident, rules),
    ]
    for one in assigned:
        if one.exclusive:  # what waits behind another has no clock yet
            found += _causes_of_assignment(one, incident, kinds.get(one.unit_id), rules)
    return found


async def _kinds_of(session: AsyncSession, unit_ids: Collection[UUID]) -> dict[UUID, str]:
    rows = await session.execute(select(Unit.id, Unit.kind).where(Unit.id.in_(unit_ids)))
    return {row.id: row.kind for row in rows}


async def _unattended(
    session: AsyncSession, incident: Incident, assigned: Sequence[Assignment], rules: Rules
) -> list[Cause]:
    rule = rules.rule(K.UNATTENDED, priority=incident.priority)
    if rule is None or assigned or incident.state not in UNATTENDED_IN:
        return []
    left = await session.scalar(select(func.max(Assignment.released_at)).where(Assignment.incident_id == incident.id))
    since = max(incident.opened_at, left) if left else incident.opened_at
    facts = {"priority": incident.priority, "seconds": rule.seconds}
    return [Cause(rule, incident.subject, since, _after(since, rule), incident.id, facts=facts)]


async def _past_promised(session: AsyncSession, incident: Incident, rules: Rules) -> list[Cause]:
    rule = rules.rule(K.PAST_PROMISED, priority=incident.priority)
    if rule is None or "T9" in incident.stamps or incident.state not in PROMISED_IN:
        return []
    promise = (await catalogue(session, incident.catalogue_version)).response_seconds(incident.priority)
    if not promise:
        return []
    since = incident.opened_at + dt.timedelta(seconds=promise)
    facts = {"priority": incident.priority, "promised": promise}
    return [Cause(rule, incident.subject, since, _after(since, rule), incident.id, facts=facts)]


async def _sos_unanswered(session: AsyncSession, incident: Incident, rules: Rules) -> list[Cause]:
    rule = rules.rule(K.SOS_UNANSWERED, priority=incident.priority)
    if rule is None:
        return []
    query = select(Sos).where(Sos.incident_id == incident.id, Sos.ended_at.is_(None), Sos.answered_at.is_(None))
    facts = {"priority": incident.priority, "seconds": rule.seconds}
    return [
        Cause(rule, one.subject, one.raised_at, _after(one.raised_at, rule), incident.id, one.unit_id, facts=facts)
        for one in await session.scalars(query.execution_options(populate_existing=True))
    ]


def _causes_of_assignment(one: Assignment, incident: Incident, unit_kind: str | None, rules: Rules) -> Iterable[Cause]:
    since = {K.UNACKNOWLEDGED: one.since, K.STUCK: one.since, K.CHECK_IN_DUE: _checked_since(one)}
    kinds = {A.ASSIGNED: (K.UNACKNOWLEDGED,), A.ON_SCENE: (K.STUCK, K.CHECK_IN_DUE)}
    if one.staging is not None and one.status != A.ASSIGNED:
        return  # it waits where it was told to
    for kind in kinds.get(AssignmentStatus(one.status), (K.STUCK,)):
        rule = rules.rule(
            kind,
            priority=incident.priority,
            unit_kind=unit_kind,
            status=one.status if kind is K.STUCK else None,
        )
        if rule is not None:
            facts = {"status": one.status, "priority": incident.priority, "seconds": rule.seconds}
            yield Cause(
                rule,
                f"assignment:{one.id}",
                since[kind],
                _after(since[kind], rule),
                incident.id,
                one.unit_id,
                one.id,
                facts,
            )


def _checked_since(one: Assignment) -> dt.datetime:
    return max(one.since, one.checked_in_at) if one.checked_in_at else one.since


def _after(since: dt.datetime, rule: Rule) -> dt.datetime:
    return since + dt.timedelta(seconds=rule.seconds)


async def check_in_due(session: AsyncSession, incident: Incident, assignment: Assignment) -> dt.datetime | None:
    """By when an assignment's crew must say that all is well; None where no rule asks it."""
    unit = await session.get_one(Unit, assignment.unit_id)
    return _check_in_due(assignment, incident.priority, unit.kind, await watchdog_rules(session))


def _check_in_due(one: Assignment, priority: int, unit_kind: str, rules: Rules) -> dt.datetime | None:
    if one.status != A.ON_SCENE or one.released_at is not None:
        return None
    rule = rules.rule(K.CHECK_IN_DUE, priority=priority, unit_kind=unit_kind)
    return _after(_checked_since(one), rule) if rule else None


# ── Jobs ──────────────────────────────────────────────────────────────────────────────────────────

LOOK, TEND, LOOK_AT_ALL = "watchdogs.look", "watchdogs.tend", "watchdogs.look_at_all"
CHUNK = 100  # incidents that one job sends looks to


async def look(session: AsyncSession, incident_id: str) -> None:
    """The job: look at an incident, clear what is gone, raise what is due, come back for what will be."""
    try:
        incident = await access_incident(session, VIGIA, UUID(incident_id), lock=True)
    except NotFound:
        return
    rules = await watchdog_rules(session)
    causes = await causes_of(session, incident, rules)
    await _bring_up(session, incident, causes, rules)
    for cause in causes:
        if cause.due <= now():
            await _raise(session, cause)
        else:
            await _look_later(session, incident.id, cause.due)
    await _show_clocks(session, incident, rules)


async def _raise(session: AsyncSession, cause: Cause) -> None:
    await raise_alarm(
        session,
        cause.rule.kind,
        about=cause.about,
        since=cause.since,
        incident_id=cause.incident_id,
        unit_id=cause.unit_id,
        assignment_id=cause.assignment_id,
        facts=cause.facts,
        severity=cause.rule.severity,
        step=cause.rule.steps[0],
        rule=cause.rule.key,
    )


async def _bring_up(session: AsyncSession, incident: Incident, causes: Sequence[Cause], rules: Rules) -> None:
    """Clear this incident's alarms whose cause is gone, and let none be less secret than the incident."""
    standing = {cause.key for cause in causes}
    live = {one.id: one for one in (await live_assignments(session, [incident.id]))[incident.id]}
    for alarm in await open_alarms(session, incident_id=incident.id):
        if (went_to := await _went_to(session, alarm, live)) is not None:
            await show_alarm_to(session, alarm, went_to)
            continue
        if alarm.sensitivity != incident.sensitivity:
            await show_alarm_to(session, alarm, incident)
        if alarm.kind in ON_UNITS:
            one = live.get(alarm.assignment_id) if alarm.assignment_id else None
            moved_on = alarm.kind == K.NOT_MOVING and one is not None and one.status != A.EN_ROUTE
            if alarm.kind != K.BATTERY_LOW and (one is None or moved_on):
                await clear_alarm(session, alarm, Why.CAUSE_GONE)
        elif (alarm.kind, alarm.about, alarm.since) not in standing:
            await clear_alarm(session, alarm, await _why(session, alarm, incident, rules))


async def _went_to(session: AsyncSession, alarm: Alarm, live: Mapping[UUID, Assignment]) -> Incident | None:
    """The incident to which an alarm's assignment was moved (by a merge or a split); None where it stays."""
    if alarm.assignment_id is None or alarm.assignment_id in live:
        return None
    one = await session.get_one(Assignment, alarm.assignment_id, populate_existing=True)
    if one.released_at is not None or one.incident_id == alarm.incident_id:
        return None
    return await session.get_one(Incident, one.incident_id, populate_existing=True)


async def _why(session: AsyncSession, alarm: Alarm, incident: Incident, rules: Rules) -> Why:
    """Whether it is gone, or only not watched any more: then it comes back with the rule."""
    watched = Rules(rules.version, tuple(replace(rule, enabled=True) for rule in rules.rules))
    rule = watched.by_key.get(alarm.rule or "")
    if rule is None or rules.by_key[rule.key].enabled:
        return Why.CAUSE_GONE
    still = {cause.key for cause in await causes_of(session, incident, watched)}
    return Why.RULE_OFF if (alarm.kind, alarm.about, alarm.since) in still else Why.CAUSE_GONE


async def _show_clocks(session: AsyncSession, incident: Incident, rules: Rules) -> None:
    """Let the assignments say by when they must be acknowledged or check in, by the rules as they are now."""
    assigned = (await live_assignments(session, [incident.id], lock=True))[incident.id]
    kinds = await _kinds_of(session, {one.unit_id for one in assigned})
    changed = False
    for one in assigned:
        due = _check_in_due(one, incident.priority, kinds[one.unit_id], rules)
        rule = rules.rule(K.UNACKNOWLEDGED, priority=incident.priority, unit_kind=kinds[one.unit_id])
        by = _after(one.since, rule) if rule and one.acknowledge_by else one.acknowledge_by
        changed = changed or (one.check_in_due_at, one.acknowledge_by) != (due, by)
        one.check_in_due_at, one.acknowledge_by = due, by
    if changed:
        await tell(session, VIGIA, "watchdog.set", incident)


async def tend(session: AsyncSession, alarm_id: str) -> None:
    """The job: look at an alarm; call the next on its list, bring it back from the shelf, or ask again."""
    alarm = await session.get(Alarm, UUID(alarm_id), with_for_update={"key_share": True}, populate_existing=True)
    if alarm is None:
        return
    rules = await watchdog_rules(session)
    at = _when(alarm, rules)
    if at is None:
        return
    if at > now():
        await _tend_later(session, alarm, at)
    elif alarm.state == AlarmState.RAISED:
        await _escalate(session, alarm, rules)
    else:
        rule = _rule_of(alarm, rules)
        await return_alarm(session, alarm, rule.steps[0] if rule else Step.DESK)


async def _escalate(session: AsyncSession, alarm: Alarm, rules: Rules) -> None:
    rule = _rule_of(alarm, rules)
    for level, step in enumerate(rule.steps if rule else ()):
        if level > alarm.level and (whom := await recipient(session, step, now())) is not None:
            await escalate_alarm(session, alarm, level, whom)
            return


def _rule_of(alarm: Alarm, rules: Rules) -> Rule | None:
    if alarm.rule is not None:
        return rules.by_key.get(alarm.rule)
    return rules.rule(AlarmKind(alarm.kind))


def _when(alarm: Alarm, rules: Rules) -> dt.datetime | None:
    """When an alarm is to be looked at next, if ever."""
    rule = _rule_of(alarm, rules)
    if alarm.state == AlarmState.SHELVED:
        return alarm.shelved_until
    if rule is None:
        return None
    if alarm.state == AlarmState.RAISED and alarm.level + 1 < len(rule.steps):
        return alarm.state_since + dt.timedelta(seconds=rule.escalate_after)
    if alarm.state == AlarmState.ANSWERED and rule.repeat_after is not None:
        return alarm.state_since + dt.timedelta(seconds=rule.repeat_after)
    return None


async def look_at_all(session: AsyncSession, after: str) -> None:
    """The job: have every open incident and alarm looked at, some at a time: the rules have changed."""
    open_ones = select(Incident.id).where(Incident.state.not_in(OVER), Incident.id > UUID(after))
    incident_ids = (await session.scalars(open_ones.order_by(Incident.id).limit(CHUNK))).all()
    alarms = select(Alarm.id).where(Alarm.state != AlarmState.CLEARED, Alarm.id > UUID(after))
    alarm_ids = (await session.scalars(alarms.order_by(Alarm.id).limit(CHUNK))).all()
    if len(incident_ids) == CHUNK or len(alarm_ids) == CHUNK:
        ends = [ids[-1] for ids in (incident_ids, alarm_ids) if len(ids) == CHUNK]
        limit = min(ends)
        incident_ids = [one for one in incident_ids if one <= limit]
        alarm_ids = [one for one in alarm_ids if one <= limit]
        await defer(session, LOOK_AT_ALL, at=now(), key=f"all:{limit}", after=str(limit))
    for incident_id in incident_ids:
        await _look_now(session, incident_id)
    for alarm_id in alarm_ids:
        await defer(session, TEND, at=now(), key=f"tend:{alarm_id}:now", alarm_id=str(alarm_id))


async def _look_now(session: AsyncSession, incident_id: UUID) -> None:
    await defer(session, LOOK, at=now(), key=f"look:{incident_id}:now", incident_id=str(incident_id))


async def _look_later(session: AsyncSession, incident_id: UUID, at: dt.datetime) -> None:
    await defer(session, LOOK, at=at, key=f"look:{incident_id}:{at.timestamp():.3f}", incident_id=str(incident_id))


async def _tend_later(session: AsyncSession, alarm: Alarm, at: dt.datetime) -> None:
    await defer(session, TEND, at=at, key=f"tend:{alarm.id}:{at.timestamp():.3f}", alarm_id=str(alarm.id))


JOBS: dict[str, Job] = {LOOK: look, TEND: tend, LOOK_AT_ALL: look_at_all}


# ── The reaction ──────────────────────────────────────────────────────────────────────────────────

QUIET = frozenset({"note.added", "note.struck", "contact.seen", "watchdog.set", "incident.shared", "incident.unshared"})
NIL = UUID(int=0)


async def start_clocks(session: AsyncSession, entry: Entry) -> None:
    """The reaction: whatever happens to an incident, an alarm or the rules has them looked at. Twice does no harm."""
    kind, _, id_ = entry.subject.partition(":")
    if kind == "incident" and entry.kind not in QUIET:
        await _look_now(session, UUID(id_))
    elif kind == "sos":
        sos = await session.get(Sos, UUID(id_), populate_existing=True)
        if sos is not None:
            await _look_now(session, sos.incident_id)
    elif kind == "alarm":
        alarm = await session.get(Alarm, UUID(id_), populate_existing=True)
        if alarm is None:
            return
        if entry.kind in {"alarm.raised", "alarm.retold"} and alarm.incident_id is not None:
            await _look_now(session, alarm.incident_id)  # its cause may have gone while it was raised
        at = _when(alarm, await watchdog_rules(session))
        if at is not None:
            await _tend_later(session, alarm, at)
    elif kind == "register" and entry.kind.startswith("watchdog."):
        await defer(session, LOOK_AT_ALL, at=now(), key="all", after=str(NIL))


# ── Looking around ────────────────────────────────────────────────────────────────────────────────

MOST = 500  # alarms of one look
BACK = dt.timedelta(hours=2)  # how far back a standing unit's track is read
FULL_AGAIN = 0.05  # a battery is well again so far above its threshold: at the threshold it would flicker
BATTERY_KNOWN = dt.timedelta(minutes=30)

_UNITS = text("""
    SELECT unit.id AS unit_id, unit.kind AS unit_kind, unit.duty, unit.call_sign,
           one.id AS assignment_id, one.status, one.staging IS NOT NULL AS staged,
           one.since AS status_since, one.incident_id,
           incident.priority, here.fixed_at, here.received_at, here.battery,
           ST_DistanceSphere(incident.shape, ST_SetSRID(ST_MakePoint(here.lon, here.lat), 4326)) AS metres_away
    FROM units AS unit
    JOIN unit_positions AS here ON here.unit_id = unit.id
    LEFT JOIN assignments AS one ON one.unit_id = unit.id AND one.released_at IS NULL AND one.exclusive
    LEFT JOIN incidents AS incident ON incident.id = one.incident_id
    WHERE one.id IS NOT NULL OR unit.duty = 'on_duty'
    ORDER BY unit.id
""")
_STANDING = text("""
    SELECT elsewhere.unit_id, elsewhere.moved_at,
           (SELECT min(was.fixed_at) FROM position_history AS was
            WHERE was.unit_id = elsewhere.unit_id AND was.fixed_at > elsewhere.moved_at
              AND was.received_at >= :received) AS stands_since
    FROM (
        SELECT asked.unit_id, max(was.fixed_at) AS moved_at
        FROM unnest(CAST(:unit_id AS uuid[]), CAST(:since AS timestamptz[]), CAST(:metres AS float8[]))
             AS asked (unit_id, since, metres)
        JOIN unit_positions AS here ON here.unit_id = asked.unit_id
        JOIN position_history AS was
          ON was.unit_id = asked.unit_id AND was.fixed_at >= asked.since AND was.received_at >= :received
         AND was.doubt & 1 = 0
         AND sqrt(power((was.lon - here.lon) * cos(radians(here.lat)) * 111320, 2)
                  + power((was.lat - here.lat) * 110574, 2)) > asked.metres
        GROUP BY asked.unit_id
    ) AS elsewhere
""")


async def look_around(session: AsyncSession) -> None:
    """The chore: units that stand still on the way, whose position stopped coming, whose battery is low.

    One worker at a time; the others pass. What is so no longer is cleared.
    """
    if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(7316018)")):
        return
    rules = await watchdog_rules(session)
    rows = (await session.execute(_UNITS)).all()
    at = now()
    causes = [
        *await _standing(session, rows, rules, at),
        *_lost(rows, rules, at),
        *_batteries(rows, rules, at),
    ]
    standing = {(cause.rule.kind, cause.about) for cause in causes}
    nearly = _nearly_charged(rows, rules)
    for alarm in await open_alarms(session, kinds=ON_UNITS):
        if (alarm.kind, alarm.about) not in standing and (alarm.kind, alarm.about) not in nearly:
            await clear_alarm(session, alarm, Why.CAUSE_GONE)
    for cause in causes[:MOST]:
        await _raise(session, cause)


async def _standing(session: AsyncSession, rows: Sequence[Any], rules: Rules, at: dt.datetime) -> list[Cause]:
    asked = []
    for row in rows:
        rule = _rule_for(rules, K.NOT_MOVING, row)
        if rule is None or row.status != A.EN_ROUTE or row.staged:
            continue
        patience = dt.timedelta(seconds=rule.seconds)
        if row.status_since <= at - patience and row.fixed_at > at - patience:  # one that is silent is lost, not still
            asked.append((row, rule, max(row.status_since, at - BACK)))
    if not asked:
        return []
    words = {
        "unit_id": [row.unit_id for row, _, _ in asked],
        "since": [since for _, _, since in asked],
        "metres": [rule.threshold for _, rule, _ in asked],
        "received": min(since for _, _, since in asked) - dt.timedelta(hours=1),
    }
    stood = {row.unit_id: row.stands_since or at for row in await session.execute(_STANDING, words)}
    found = []
    for row, rule, since in asked:
        stands = stood.get(row.unit_id, since)
        if stands <= at - dt.timedelta(seconds=rule.seconds):
            away = round(row.metres_away)
            found.append(_on_unit(rule, row, f"assignment:{row.assignment_id}", stands, metres_away=away))
    return found


def _lost(rows: Sequence[Any], rules: Rules, at: dt.datetime) -> list[Cause]:
    found = []
    for row in rows:
        rule = _rule_for(rules, K.POSITION_LOST, row) if row.assignment_id else None
        since = max(row.received_at, row.status_since) if row.status_since else row.received_at
        if rule is not None and since <= at - dt.timedelta(seconds=rule.seconds):
            found.append(_on_unit(rule, row, f"unit:{row.unit_id}", row.received_at))
    return found


def _batteries(rows: Sequence[Any], rules: Rules, at: dt.datetime) -> list[Cause]:
    found = []
    for row in rows:
        rule = _rule_for(rules, K.BATTERY_LOW, row)
        if rule is None or row.battery is None or row.battery >= (rule.threshold or 0):
            continue
        if row.fixed_at > at - BATTERY_KNOWN:
            found.append(_on_unit(rule, row, f"unit:{row.unit_id}", row.fixed_at, percent=round(100 * row.battery)))
    return found


def _nearly_charged(rows: Sequence[Any], rules: Rules) -> set[tuple[AlarmKind, str]]:
    """Batteries that are low, or not far enough above it, however old the word of it is."""
    return {
        (K.BATTERY_LOW, f"unit:{row.unit_id}")
        for row in rows
        if row.battery is not None
        and (rule := _rule_for(rules, K.BATTERY_LOW, row)) is not None
        and row.battery < (rule.threshold or 0) + FULL_AGAIN
    }


def _rule_for(rules: Rules, kind: AlarmKind, row: Any) -> Rule | None:
    return rules.rule(kind, priority=row.priority, unit_kind=row.unit_kind)


def _on_unit(rule: Rule, row: Any, about: str, since: dt.datetime, **facts: int) -> Cause:
    about_incident = rule.kind != K.BATTERY_LOW  # a battery says nothing about what the unit was sent to
    known = {"status": row.status, "priority": row.priority} if about_incident else {}
    return Cause(
        rule,
        about,
        since,
        since,
        row.incident_id if about_incident else None,
        row.unit_id,
        row.assignment_id if about_incident else None,
        known | {"seconds": rule.seconds} | facts,
    )
