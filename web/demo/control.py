"""The switch of the simulation: running or paused, and how fast. It is a fact like any other, live on every console."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Audience, Face, Faces, Permission, face_for, require
from realtime.database import Base
from realtime.errors import Malformed, NotFound
from realtime.journal import Told, record

THE_ONE = UUID("019e0000-0000-7000-8000-000000000001")  # a city has one simulation, or none
SLOWEST, FASTEST = 1.0, 20.0
ONLOOKERS: Audience = frozenset({"ops:0", "government:0", "wall:0"})


class SpeedRefused(Malformed):
    """The simulation runs at 1 to 20 times the pace of life."""


class Simulation(Told, Base):
    """The one simulation of a demo city."""

    __tablename__ = "simulations"
    __table_args__ = (CheckConstraint("speed BETWEEN 1 AND 20", name="speed"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    running: Mapped[bool]
    speed: Mapped[float]

    @property
    def subject(self) -> str:
        """`simulation:<id>`."""
        return f"simulation:{self.id}"


def feature_of(simulation: Simulation) -> dict[str, Any]:
    """The switch as screens see it."""
    return {
        "type": "Feature",
        "geometry": None,
        "properties": {
            "subject": simulation.subject,
            "id": str(simulation.id),
            "version": simulation.version,
            "running": simulation.running,
            "speed": simulation.speed,
        },
    }


def faces_of(simulation: Simulation) -> Faces:
    """Whoever watches the city may know that it is not the real one."""
    return (Face(ONLOOKERS, feature_of(simulation)),)


async def access_simulation(session: AsyncSession, actor: Actor, *, lock: bool = False) -> Simulation:
    """The simulation, for those who see it; a city without one has none."""
    query = select(Simulation).where(Simulation.id == THE_ONE)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    simulation = (await session.scalars(query)).first()
    if simulation is None or not (ONLOOKERS & actor.keys or actor.may(Permission.SIMULATION_CONTROL)):
        raise NotFound
    return simulation


async def start_simulation(session: AsyncSession, actor: Actor) -> None:
    """Give the city its simulation, running; one that is there stays as it is."""
    require(actor, Permission.SIMULATION_CONTROL)
    if await session.get(Simulation, THE_ONE) is None:
        simulation = Simulation(id=THE_ONE, running=True, speed=SLOWEST, version=0, told_to=[])
        session.add(simulation)
        await _tell(session, actor, "simulation.started", simulation)


async def control_simulation(
    session: AsyncSession, actor: Actor, *, running: bool | None = None, speed: float | None = None
) -> Simulation:
    """Pause it, let it go on, or change its pace; what is not said stays."""
    require(actor, Permission.SIMULATION_CONTROL)
    if speed is not None and not SLOWEST <= speed <= FASTEST:
        raise SpeedRefused
    simulation = await access_simulation(session, actor, lock=True)
    simulation.running = simulation.running if running is None else running
    simulation.speed = simulation.speed if speed is None else speed
    await _tell(session, actor, "simulation.controlled", simulation)
    return simulation


async def _tell(session: AsyncSession, actor: Actor, kind: str, simulation: Simulation) -> None:
    simulation.version += 1
    detail = {"running": simulation.running, "speed": simulation.speed}
    await record(session, actor, kind, simulation, faces_of(simulation), detail=detail)


async def board(session: AsyncSession, actor: Actor, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """The simulation's feature, for those who see it."""
    query = select(Simulation).execution_options(populate_existing=True)
    if ids is not None:
        query = query.where(Simulation.id.in_(ids))
    faces = [face_for(actor.keys, faces_of(one)) for one in await session.scalars(query)]
    return [face for face in faces if face is not None]
