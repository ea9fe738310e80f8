"""Alarms over HTTP: answering and shelving them, check-ins, the rules behind them and how they fare."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from incidents.alarm_report import alarm_report
from incidents.alarms import (
    AlarmKind,
    Severity,
    Step,
    access_alarm,
    answer_alarm,
    board,
    features_of,
    recipient,
    shelve_alarm,
)
from incidents.assignments import AssignmentStatus, assignment_document
from incidents.check_ins import check_in, check_in_everybody
from incidents.watchdogs import (
    LONGEST,
    Rule,
    add_rule,
    amend_rule,
    read_rules_as,
    remove_rule,
    rule_history,
    watchdog_rules,
)
from realtime.access import Permission, require
from realtime.database import now
from resources.units import UnitKind
from web.bodies import Body, Code, Priority, Short, When, Words
from web.context import CurrentActor, Expected, Session

router = APIRouter(tags=["alarms"])

Seconds = Annotated[int, Field(strict=True, ge=0, le=LONGEST)]


class Minutes(IntEnum):
    """How long an alarm may be put aside."""

    FIVE = 5
    FIFTEEN = 15
    SIXTY = 60


class AnswerBody(Body):
    """Who answers says what is being done, if there is time."""

    note: Short = ""


class ShelveBody(Body):
    """For how long, and why."""

    minutes: Minutes
    reason: Annotated[Words, Field(max_length=200)]


class CheckInBody(Body):
    """When it was heard, where that is not now."""

    occurred_at: When | None = None


class RuleBody(Body):
    """A rule: what is watched, where, after how long, and who is called."""

    key: Code
    kind: AlarmKind
    seconds: Seconds
    escalate_after: Seconds
    severity: Severity = Severity.MEDIUM
    steps: Annotated[list[Step], Field(min_length=1, max_length=6)]
    priority: Priority | None = None
    unit_kind: UnitKind | None = None
    status: AssignmentStatus | None = None
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = None
    repeat_after: Seconds | None = None
    enabled: bool = True


class AmendBody(Body):
    """What changes in a rule; the rest stays."""

    seconds: Seconds | None = None
    escalate_after: Seconds | None = None
    severity: Severity | None = None
    steps: Annotated[list[Step], Field(min_length=1, max_length=6)] | None = None
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = None
    repeat_after: Seconds | None = None
    enabled: bool | None = None


@router.get("/alarms")
async def get_alarms(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The alarms that are not cleared, as the feed tells them."""
    return {"type": "FeatureCollection", "features": await board(session, actor)}


@router.get("/alarms/report")
async def get_report(
    session: Session, actor: CurrentActor, weeks: Annotated[int, Query(ge=1, le=26)] = 1
) -> dict[str, Any]:
    """How the alarms of the last weeks fared, rule by rule."""
    require(actor, Permission.POLICY_EDIT)
    return await alarm_report(session, actor, weeks=weeks)


@router.get("/alarms/{alarm_id}/whom")
async def get_whom(alarm_id: UUID, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Whom the alarm is with, and the telephone of whoever is on call at its step: for those who answer alarms."""
    require(actor, Permission.ALARM_ANSWER)
    alarm = await access_alarm(session, actor, alarm_id)
    whom = await recipient(session, Step(alarm.step), now())
    on_call = whom.on_call if whom else None
    return {
        "step": alarm.step,
        "name": on_call.name if on_call else None,
        "title": on_call.title if on_call else None,
        "phone": on_call.phone if on_call else None,
    }


@router.post("/alarms/{alarm_id}/answer")
async def post_answer(
    alarm_id: UUID, body: AnswerBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Have it in hand."""
    alarm = await answer_alarm(session, actor, alarm_id, note=body.note, expected=expected)
    return features_of(actor, [alarm])[0]


@router.post("/alarms/{alarm_id}/shelve")
async def post_shelve(
    alarm_id: UUID, body: ShelveBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Put it aside for a while."""
    alarm = await shelve_alarm(
        session, actor, alarm_id, minutes=int(body.minutes), reason=body.reason, expected=expected
    )
    return features_of(actor, [alarm])[0]


@router.post("/assignments/{assignment_id}/check-in")
async def post_check_in(
    assignment_id: UUID, body: CheckInBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """All is well with a unit on scene."""
    return assignment_document(await check_in(session, actor, assignment_id, occurred_at=body.occurred_at))


@router.post("/incidents/{incident_id}/check-in")
async def post_check_in_everybody(
    incident_id: UUID, body: CheckInBody, session: Session, actor: CurrentActor
) -> dict[str, Any]:
    """All is well with every unit on scene."""
    there = await check_in_everybody(session, actor, incident_id, occurred_at=body.occurred_at)
    return {"assignments": [assignment_document(one) for one in there]}


@router.get("/watchdogs")
async def get_rules(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The rules in force."""
    read_rules_as(actor)
    return (await watchdog_rules(session)).as_document()


@router.get("/watchdogs/history")
async def get_history(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What changed in the rules, newest first."""
    read_rules_as(actor)
    return {"changes": await rule_history(session)}


@router.post("/watchdogs", status_code=201)
async def post_rule(body: RuleBody, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """Watch something more."""
    rule = Rule(**body.model_dump() | {"steps": tuple(body.steps)})
    return (await add_rule(session, actor, rule, expected=expected)).as_document()


@router.post("/watchdogs/{key}")
async def post_amend(
    key: Code, body: AmendBody, session: Session, actor: CurrentActor, expected: Expected
) -> dict[str, Any]:
    """Change a rule. `repeat_after: null` is said by naming it; what is not named stays."""
    said = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in said.items() if value is not None or name == "repeat_after"}
    if "steps" in changes:
        changes["steps"] = tuple(changes["steps"])
    return (await amend_rule(session, actor, key, expected=expected, **changes)).as_document()


@router.post("/watchdogs/{key}/remove")
async def post_remove(key: Code, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """Watch it no longer."""
    return (await remove_rule(session, actor, key, expected=expected)).as_document()
