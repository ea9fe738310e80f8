"""Storm mode and circuits over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from incidents import circuits, storm
from incidents.catalogue import catalogue
from incidents.circuits import call_off_circuit, done_by_zone, give_circuit, plan_circuits, skip_stop
from incidents.clusters import Cluster
from incidents.incident import Incident
from incidents.reports import Report
from incidents.storm import (
    MOST_AT_ONCE,
    accept_cluster,
    begin_storm,
    end_storm,
    incident_clusters,
    load_now,
    publish_storm_policy,
    report_clusters,
    storm_now,
    storm_policy,
)
from realtime.access import Permission, require
from realtime.database import now
from web.bodies import Body, Code, Name, NewId, Priority, Short
from web.context import CurrentActor, Machines, OnceOnly, Session

router = APIRouter(tags=["storm"])

LOOKED_BACK = dt.timedelta(hours=12)  # what was done since counts for the fairness that is shown


class BeginBody(Body):
    """A storm."""

    id: NewId
    reason: Short = ""


class EndBody(Body):
    """Its end."""

    reason: Short = ""


class PolicyBody(Body):
    """What changes of the policy; what is not said stays."""

    policy: dict[Code, Any]


class AcceptBody(Body):
    """Reports that tell of the same, and the incident that they become."""

    id: NewId
    incident_id: NewId
    type_code: Code
    priority: Priority | None = None
    report_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]


class CircuitBody(Body):
    """A unit and its stops in order."""

    id: NewId
    unit_id: UUID
    incident_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=30)]


class SkipBody(Body):
    """A stop that is left out, and why."""

    incident_id: UUID
    reason: Name


class CallOffBody(Body):
    """Why a circuit ends early."""

    reason: Name


@router.get("/storm")
async def get_storm(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Whether there is a storm, the load beside the line, and how each neighbourhood fares. For the desks."""
    require(actor, Permission.INCIDENT_UPDATE)
    number, policy = await storm_policy(session)
    there = await storm_now(session)
    waiting = await storm.waiting_incidents(session, policy)
    done = await done_by_zone(session, now() - LOOKED_BACK)
    zones: dict[str, dict[str, Any]] = {}
    for one in waiting:
        row = zones.setdefault(one.zone or "", {"waiting": 0, "longest_wait_minutes": 0.0})
        row["waiting"] += 1
        minutes = (now() - one.opened_at).total_seconds() / 60
        row["longest_wait_minutes"] = max(row["longest_wait_minutes"], round(minutes, 1))
    for zone in done:
        zones.setdefault(zone, {"waiting": 0, "longest_wait_minutes": 0.0})
    return {
        "storm": {"id": str(there.id), "began_at": there.began_at.isoformat(), "began_by": there.began_by}
        if there
        else None,
        "load": (await load_now(session, policy)).shown(),
        "policy": {"number": number, **policy.content()},
        "zones": [
            {"zone": zone or None, **row, "done": done.get(zone, 0)}
            for zone, row in sorted(zones.items(), key=lambda one: (-one[1]["waiting"], one[0]))
        ],
    }


@router.post("/storm", status_code=201)
async def post_storm(body: BeginBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Say that it is a storm."""

    async def do() -> dict[str, Any]:
        begun = await begin_storm(session, actor, body.id, reason=body.reason)
        return {"id": str(begun.id), "began_at": begun.began_at.isoformat()}

    return await once(body.id, do)


@router.post("/storm/end")
async def post_storm_end(body: EndBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Say that it is over."""
    ended = await end_storm(session, actor, reason=body.reason)
    return {"id": str(ended.id), "ended_at": ended.ended_at.isoformat() if ended.ended_at else None}


@router.post("/storm/policy")
async def post_storm_policy(body: PolicyBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Put an edition of the policy in force."""
    number, policy = await publish_storm_policy(session, actor, body.policy)
    return {"number": number, **policy.content()}


@router.get("/storm/clusters")
async def get_storm_clusters(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """What came in about the same thing, as one line each: reports that wait for triage, and incidents."""
    _, policy = await storm_policy(session)
    reports = await report_clusters(session, actor, policy)
    incidents = await incident_clusters(session, policy)
    words = await catalogue(session)

    def head(cluster: Cluster[Any], place: str, zone: str | None) -> dict[str, Any]:
        first = cluster.first
        return {
            "type_code": cluster.kind,
            "type_name": words.types[cluster.kind].name if cluster.kind in words.types else None,
            "count": len(cluster.members),
            "place": place,
            "zone": zone,
            "at": [first.place.x, first.place.y],
            "since": first.at.isoformat(),
            "until": cluster.members[-1].at.isoformat(),
        }

    def of_reports(cluster: Cluster[Report]) -> dict[str, Any]:
        first = cluster.first.thing
        ids = [str(one.thing.id) for one in cluster.members]
        return {**head(cluster, first.place, first.zone), "report_ids": ids[:MOST_AT_ONCE], "words": first.words}

    def of_incidents(cluster: Cluster[Incident]) -> dict[str, Any]:
        first = cluster.first.thing
        return {
            **head(cluster, first.place, first.zone),
            "incident_ids": [str(one.thing.id) for one in cluster.members],
        }

    return {"reports": [of_reports(one) for one in reports], "incidents": [of_incidents(one) for one in incidents]}


@router.post("/storm/clusters/accept", status_code=201)
async def post_cluster(body: AcceptBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Make one incident of reports that tell of the same."""

    async def do() -> dict[str, Any]:
        incident = await accept_cluster(
            session,
            actor,
            body.report_ids,
            incident_id=body.incident_id,
            type_code=body.type_code,
            priority=body.priority,
        )
        return {"incident_id": str(incident.id), "code": incident.code, "reports": incident.reports}

    return await once(body.id, do)


@router.get("/storm/plan")
async def get_storm_plan(session: Session, actor: CurrentActor, machines: Machines) -> dict[str, Any]:
    """Circuits for what waits now: a proposal; nothing is sent before somebody gives them."""
    plan, incidents = await plan_circuits(session, actor, timezone=machines.settings.timezone)
    words = await catalogue(session)

    def shown(incident_id: UUID) -> dict[str, Any]:
        one = incidents[incident_id]
        return {
            "incident_id": str(one.id),
            "code": one.code,
            "type_name": words.types[one.type_code].name if one.type_code in words.types else one.type_code,
            "priority": one.priority,
            "place": one.place,
            "zone": one.zone,
            "at": [one.shape.x, one.shape.y],
            "opened_at": one.opened_at.isoformat(),
        }

    return {
        "at": now().isoformat(),
        "circuits": [
            {
                "unit_id": str(circuit.crew.unit_id),
                "call_sign": circuit.crew.call_sign,
                "kind": circuit.crew.kind,
                "seconds": circuit.seconds,
                "metres": circuit.metres,
                "stops": [
                    {
                        **shown(stop.stop.incident_id),
                        "arrives_seconds": stop.arrives,
                        "drive_seconds": stop.drive_seconds,
                    }
                    for stop in circuit.stops
                ],
            }
            for circuit in plan.circuits
        ],
        "left_out": [{**shown(stop.incident_id), "why": why} for stop, why in plan.left_out],
        "zones": [
            {
                "zone": one.zone or None,
                "waiting": one.waiting,
                "planned": one.planned,
                "limit": one.limit,
                "longest_wait_minutes": round(one.longest_wait / 60, 1),
            }
            for one in plan.zones
        ],
    }


@router.get("/circuits")
async def get_circuits(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The circuits that are under way, as the actor sees them."""
    return {"features": await circuits.board(session, actor)}


@router.post("/circuits", status_code=201)
async def post_circuit(body: CircuitBody, session: Session, actor: CurrentActor, once: OnceOnly) -> dict[str, Any]:
    """Give a unit its stops in order."""

    async def do() -> dict[str, Any]:
        given = await give_circuit(session, actor, body.id, unit_id=body.unit_id, incident_ids=body.incident_ids)
        return {"id": str(given.id), "version": given.version}

    return await once(body.id, do)


@router.post("/circuits/{circuit_id}/skip")
async def post_skip(circuit_id: UUID, body: SkipBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Leave out a stop that nobody has set out to."""
    circuit = await skip_stop(session, actor, circuit_id, incident_id=body.incident_id, reason=body.reason)
    return {"id": str(circuit.id), "version": circuit.version}


@router.post("/circuits/{circuit_id}/call-off")
async def post_call_off(circuit_id: UUID, body: CallOffBody, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """End a circuit early."""
    circuit = await call_off_circuit(session, actor, circuit_id, reason=body.reason)
    return {"id": str(circuit.id), "state": circuit.state}
