"""Whom to send, over HTTP: for an incident, for one that does not exist yet, and for all that compete for units.

Only for those who dispatch. What an actor may not know of an incident is not in the situation that answers him, so no
reason can tell it. Weighing is done beside the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import shapely
from fastapi import APIRouter, Query

from geo.places import geojson, point, square_metres
from incidents.catalogue import catalogue
from incidents.dispatch_policy import dispatch_policy, publish_policy
from incidents.questions import Question, question, question_at, question_before, questions
from incidents.recommendation import (
    NeedAnswer,
    Option,
    Pick,
    Reason,
    Recommendation,
    Trade,
    recommend,
    recommend_together,
)
from incidents.situation import Candidate, Situation, situation
from incidents.standing import UnitLoss, coverings
from realtime.access import Permission, require
from realtime.database import now
from realtime.errors import Malformed
from resources.units import access_unit
from web.bodies import Body, When
from web.context import CurrentActor, Machines, Session

router = APIRouter(tags=["recommendation"])

Level = Annotated[int, Query(ge=1, le=9)]
Degrees = Annotated[float, Query(allow_inf_nan=False)]
COMPETING = 12  # calls that are weighed with one that somebody looks at


class NotPast(Malformed):
    """That moment has not passed yet: leave `at` out to ask about now."""


@router.get("/incidents/{incident_id}/recommendation")
async def get_recommendation(
    incident_id: UUID,
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    *,
    level: Level | None = None,
    at: When | None = None,
) -> dict[str, Any]:
    """Whom to send to an incident, up to its alarm level or to `level`; weighed together with what else is short.

    With `at` what it would have been at a past moment, by itself and by what was known then.
    """
    require(actor, Permission.UNIT_DISPATCH)
    zone = machines.settings.timezone
    if at is not None:
        if at > now():
            raise NotPast
        asked = await question_at(session, actor, incident_id, at, level)
        then = await situation(session, actor, at, timezone=zone)
        return await asyncio.to_thread(_answered_alone, then, asked, {}, past=True)
    asked = await question(session, actor, incident_id, level)
    others, codes = await questions(session, actor)
    here = await situation(session, actor, timezone=zone)
    return await asyncio.to_thread(_answered_among, here, asked, others, codes)


@router.get("/recommendation")
async def get_recommendation_before(
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    *,
    type_code: Annotated[str, Query(max_length=40)],
    lon: Degrees,
    lat: Degrees,
    priority: Annotated[int, Query(ge=1, le=4)] | None = None,
) -> dict[str, Any]:
    """Whom to send to what has not been opened yet. Without a priority: the type's own."""
    require(actor, Permission.UNIT_DISPATCH)
    words = await catalogue(session)
    kind = words.type(type_code)
    asked = await question_before(
        session, type_code=type_code, priority=priority or kind.priority, place=point(lon, lat)
    )
    here = await situation(session, actor, timezone=machines.settings.timezone)
    return await asyncio.to_thread(_answered_alone, here, asked, {})


@router.get("/recommendations")
async def get_recommendations(session: Session, actor: CurrentActor, machines: Machines) -> dict[str, Any]:
    """Whom to send where, for all open incidents together that still want somebody they must have."""
    require(actor, Permission.UNIT_DISPATCH)
    asked, codes = await questions(session, actor)
    here = await situation(session, actor, timezone=machines.settings.timezone)
    return await asyncio.to_thread(_all_answered, here, asked, codes)


@router.get("/recommendation/lost")
async def get_lost(session: Session, actor: CurrentActor, machines: Machines, *, unit_id: UUID) -> dict[str, Any]:
    """The ground that nobody reaches within its target any more if a free unit goes: a feature for each target."""
    require(actor, Permission.UNIT_DISPATCH)
    unit = await access_unit(session, actor, unit_id)
    here = await situation(session, actor, timezone=machines.settings.timezone)
    features = await asyncio.to_thread(_lost, here, unit.id)
    return {"type": "FeatureCollection", "at": here.at.isoformat(), "call_sign": unit.call_sign, "features": features}


def _lost(here: Situation, unit_id: UUID) -> list[dict[str, Any]]:
    found = []
    for one in coverings(here):
        loss = one.loss(unit_id)
        if loss is not None and loss.lost.street_km > 0:
            ground = loss.area()
            found.append({"type": "Feature", "geometry": geojson(ground), "properties": _leaves(loss, ground)})
    return found


# ── The policy by which it weighs ─────────────────────────────────────────────────────────────────


class PolicyBody(Body):
    """What counts how much from now on; what is not named stays as it is."""

    values: dict[str, Any]


@router.get("/dispatch-policy")
async def get_policy(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The policy in force and its edition; 0: nobody has changed what we propose."""
    if not actor.may(Permission.POLICY_EDIT):
        require(actor, Permission.UNIT_DISPATCH)
    number, policy = await dispatch_policy(session)
    return {"number": number, "values": policy.content()}


@router.post("/dispatch-policy")
async def post_policy(body: PolicyBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Weigh otherwise from now on. Past moments keep the policy that was in force then."""
    number, policy = await publish_policy(session, actor, body.values)
    return {"number": number, "values": policy.content()}


# ── Answering ─────────────────────────────────────────────────────────────────────────────────────


def _answered_alone(
    here: Situation, asked: Question, codes: Mapping[UUID, str], *, past: bool = False
) -> dict[str, Any]:
    return shown(recommend(here, *asked), here, codes, past=past)


def _answered_among(
    here: Situation, asked: Question, others: list[Question], codes: Mapping[UUID, str]
) -> dict[str, Any]:
    """One call among those that are short of somebody."""
    mine = asked[0].incident_id
    rivals = [one for one in others if one[0].incident_id != mine and _wants(here, one)][:COMPETING]
    return shown(recommend_together(here, [asked, *rivals])[0], here, codes)


def _all_answered(here: Situation, asked: list[Question], codes: Mapping[UUID, str]) -> dict[str, Any]:
    short = [one for one in asked if _wants(here, one)]
    answers = [shown(answer, here, codes) for answer in recommend_together(here, short)]
    return {"at": here.at.isoformat(), "asked": len(asked), "recommendations": answers}


def _wants(here: Situation, asked: Question) -> bool:
    """Whether fewer units are on it than its card requires: at a glance, without asking for travel times."""
    call, card, level = asked
    there = [unit for unit in here.units if unit.job_on(call.incident_id) is not None]
    needs = [need for need in (card.needs(level) if card else ()) if need.kind == "required"]
    return any(sum(need.capability in unit.capabilities for unit in there) < need.count for need in needs) or sum(
        need.count for need in needs
    ) > len(there)


def shown(answer: Recommendation, here: Situation, codes: Mapping[UUID, str], *, past: bool = False) -> dict[str, Any]:
    """A recommendation as the API tells it."""
    call, card = answer.call, answer.card
    return {
        "at": answer.at.isoformat(),
        "past": past,
        "incident_id": str(call.incident_id) if call.incident_id else None,
        "incident_code": codes.get(call.incident_id) if call.incident_id else None,
        "type_code": call.type_code,
        "priority": call.priority,
        "location": geojson(call.place),
        "card": {"priority": card.priority, "edition": card.edition, "levels": len(card.levels)} if card else None,
        "level": answer.level,
        "closures": len(here.travel.barriers),
        "needs": [_need(one) for one in answer.needs],
        "agencies": [{"agency": ask.agency, "count": ask.count, "note": ask.note} for ask in answer.agencies],
        "short": answer.short,
        "trades": [_trade(trade, codes) for trade in answer.trades],
        "unknown": list(answer.unknown),
    }


def _need(answer: NeedAnswer) -> dict[str, Any]:
    need, short = answer.need, answer.shortfall
    return {
        "capability": need.capability,
        "count": need.count,
        "kind": need.kind.value,
        "at_least": need.at_least,
        "ticked": answer.ticked,
        "going": [_unit(unit) for unit in answer.going],
        "picks": [_pick(pick, ground=True) for pick in answer.picks],
        "others": [_pick(pick) for pick in answer.others],
        "ruled_out": [
            _unit(one.unit) | {"why": _reason(one.reason), "seconds": one.eta.seconds if one.eta else None}
            for one in answer.ruled_out
        ],
        "to_ask": [_option(option) for option in answer.to_ask],
        "shortfall": {"count": short.count, "why": short.why, "facts": dict(short.facts)} if short else None,
    }


def _unit(unit: Candidate) -> dict[str, Any]:
    return {
        "unit_id": str(unit.id),
        "call_sign": unit.call_sign,
        "kind": unit.kind,
        "organization": unit.organization,
        "position_age_s": unit.position_age,
    }


def _pick(pick: Pick, *, ground: bool = False) -> dict[str, Any]:
    return _option(pick.option, ground=ground) | {"why": _reason(pick.why)}


def _option(option: Option, *, ground: bool = False) -> dict[str, Any]:
    """The ground that is lost is reckoned for those that are proposed only; of the others the figures are told."""
    loss = option.loss
    return _unit(option.unit) | {
        "seconds": option.eta.seconds,
        "metres": option.eta.metres,
        "how": option.eta.how,
        "score": round(option.score, 1),
        "reasons": [_reason(reason) for reason in option.reasons],
        "leaves": _leaves(loss, loss.area() if ground else None) if loss else None,
        "taken_from": option.leaves.code if option.leaves else None,
        "warnings": [gap.shown() for gap in option.unit.gaps if not gap.blocks],
    }


def _leaves(loss: UnitLoss, ground: shapely.MultiPolygon | None) -> dict[str, Any]:
    """What is beyond target if a unit goes."""
    target, lost = loss.target, loss.lost
    return {
        "for": target.capability or target.kind,
        "minutes": target.minutes,
        "zone": target.zone,
        "people": lost.people,
        "street_km": round(lost.street_km, 2),
        "square_km": None if ground is None else 0.0 if ground.is_empty else round(square_metres(ground) / 1e6, 2),
        "zones": [{"name": name, "people": count} for name, count in lost.zones[:5]],
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "seconds": reason.seconds, "facts": dict(reason.facts)}


def _trade(trade: Trade, codes: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "call_sign": trade.unit.call_sign,
        "to": codes.get(trade.to) if trade.to else None,
        "instead": trade.instead.call_sign if trade.instead else None,
        "saved_there": trade.saved_there,
        "later_here": trade.later_here,
    }
