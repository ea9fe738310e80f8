"""What may be done with storms and circuits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.assignments import AssignmentStatus
from incidents.circuits import Circuit, call_off_circuit, give_circuit, go_on, skip_stop
from incidents.dispatch import report_status
from incidents.incident import Incident, reclassify
from incidents.storm import accept_cluster, begin_storm, end_storm, publish_storm_policy
from realtime.access import Actor
from realtime.database import new_id
from resources.units import board as board_of_units
from tests.builders import WEST, City, a_report, an_incident
from tests.scenes import scene

Act = Callable[[], Awaitable[Any]]


async def small_ones(session: AsyncSession, city: City, count: int = 3) -> list[Incident]:
    """Trees that have fallen and can wait."""
    actor = city.actor("trained")
    return [await an_incident(session, actor, type_code="SIN-04", place=WEST) for _ in range(count)]


async def a_circuit(session: AsyncSession, city: City, unit_id: UUID | None = None) -> tuple[Circuit, list[Incident]]:
    """T1, or another unit, goes round three of them."""
    stops = await small_ones(session, city)
    circuit = await give_circuit(
        session,
        city.actor("trained"),
        new_id(),
        unit_id=unit_id or city.units["T1"],
        incident_ids=[one.id for one in stops],
    )
    return circuit, stops


async def leading(session: AsyncSession, city: City, unit: str = "T1") -> Any:
    """The assignment that a unit is on."""
    [feature] = await board_of_units(session, city.actor("trained"), [city.units[unit]])
    return feature["properties"]["assignment_id"]


@scene(begin_storm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: begin_storm(session, city.actor("supervisor"), new_id(), reason="temporal")


@scene(end_storm)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    await begin_storm(session, city.actor("supervisor"), new_id())
    return lambda: end_storm(session, city.actor("supervisor"))


@scene(publish_storm_policy)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    return lambda: publish_storm_policy(session, city.actor("supervisor"), {"reports_line": 60})


@scene(accept_cluster)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    reports = [await a_report(session, city.actor("vecinal oeste")), await a_report(session, actor)]
    ids = [one.id for one in reports]
    return lambda: accept_cluster(session, actor, ids, incident_id=new_id(), type_code="MET-01")


@scene(give_circuit)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    ids = [one.id for one in await small_ones(session, city)]
    return lambda: give_circuit(session, actor, new_id(), unit_id=city.units["M1"], incident_ids=ids)


@scene(skip_stop)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    circuit, stops = await a_circuit(session, city)
    return lambda: skip_stop(session, actor, circuit.id, incident_id=stops[1].id, reason="lo hizo un vecino")


@scene(call_off_circuit)
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    circuit, _ = await a_circuit(session, city)
    return lambda: call_off_circuit(session, actor, circuit.id, reason="fin del turno")


@scene(go_on, "to the next stop")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    circuit, _ = await a_circuit(session, city)
    await report_status(session, actor, await leading(session, city), status=AssignmentStatus.ON_SCENE)
    await report_status(session, actor, await leading(session, city), status=AssignmentStatus.RELEASED)
    return lambda: go_on(session, circuit.id)


@scene(go_on, "past a stop that became secret")
async def _(session: AsyncSession, actor: Actor, city: City) -> Act:
    circuit, stops = await a_circuit(session, city)
    await reclassify(session, actor, stops[2].id, type_code="SEG-07")
    return lambda: go_on(session, circuit.id, retell=True)
