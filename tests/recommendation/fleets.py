"""Small fleets in small towns, for what can be checked by trying everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import shapely
from hypothesis import strategies as st

from geo.barriers import Barrier
from geo.coverage import Neighbourhood, People
from geo.network import StreetNetwork
from geo.travel import Travel
from incidents.dispatch_policy import Policy
from incidents.move_ups import MoveUp, MoveUpState
from incidents.recommendation import Call
from incidents.run_cards import CardLevel, Need, RunCard
from incidents.situation import Candidate, Job, Situation, Target
from realtime.database import new_id, now
from resources.gaps import Gap
from tests.builders import City
from tests.travel.towns import area, grid, line, spot

AT = dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC)
SIDE = 12
TOWN = StreetNetwork(grid(SIDE, SIDE))
PEOPLE = People(
    TOWN,
    [
        Neighbourhood("Oeste", area((0, 0), (6, 0), (6, SIDE), (0, SIDE)), 10_000),
        Neighbourhood("Este", area((6, 0), (SIDE, 0), (SIDE, SIDE), (6, SIDE)), 5_000),
    ],
)
MUNI, POLICE = UUID(int=1), UUID(int=2)
GATE = Gap("short_crew", {"has": 1, "needs": 2})


def unit(name: str, x: float | None, y: float = 0.0, **given: Any) -> Candidate:
    """A patrol of ours, `x` and `y` blocks from the corner of the town, unless said otherwise."""
    made: dict[str, Any] = {
        "id": UUID(int=1000 + int("".join(c for c in name if c.isdigit()))),
        "call_sign": name,
        "kind": "patrol",
        "organization_id": MUNI,
        "organization": "Municipalidad",
        "ours": True,
        "capabilities": {"GUM": None},
        "place": None if x is None else spot(x, y),
        "position_age": None if x is None else 5.0,
        "duty": "on_duty",
    }
    return Candidate(**(made | given))


def job(number: int, priority: int | None = 3, status: str = "en_route") -> Job:
    """What a unit is on; without a priority the reader may not know."""
    return Job(UUID(int=9000 + number), f"2026-{number:06d}" if priority else None, priority, status, AT)


def card(*needs: Need, more: Sequence[Need] = ()) -> RunCard:
    """A run card of one level, or of two."""
    levels = (CardLevel(tuple(needs)), CardLevel(tuple(more))) if more else (CardLevel(tuple(needs)),)
    return RunCard(None, "SIN-01", None, 1, None, levels)


def call(x: float, y: float, priority: int = 1, number: int = 1, jurisdiction: str | None = None) -> Call:
    """Something that happens at a place in the town."""
    return Call(spot(x, y), priority, "SIN-01", UUID(int=9000 + number), jurisdiction)


def town(
    *units: Candidate,
    closed: Sequence[shapely.Geometry] = (),
    targets: Sequence[Target] = (),
    policy: Policy | None = None,
    network: StreetNetwork = TOWN,
) -> Situation:
    """The town with these units, at night."""
    barriers = [Barrier(f"closure {n}", shape) for n, shape in enumerate(closed)]
    people = PEOPLE if network is TOWN else None
    return Situation(AT, units, Travel(network, barriers), people, tuple(targets), policy or Policy())


TARGET = Target(UUID(int=77), "GUM", None, 40 / 60, 0.9)


def wall(x: float) -> shapely.LineString:
    """A closure across the whole town, between two columns."""
    return line((x + 0.5, -1), (x + 0.5, SIDE + 1))


@st.composite
def fleets(draw: st.DrawFn, most: int = 6) -> list[Candidate]:
    """Some units in every condition in which a unit can be."""
    found = []
    for n in range(draw(st.integers(1, most))):
        capabilities = draw(st.sets(st.sampled_from(["GUM", "TRA", "DEA"]), min_size=1))
        placed = draw(st.integers(0, 9)) > 0
        found.append(
            unit(
                f"M{n + 1}",
                draw(st.integers(0, SIDE * 2)) / 2 if placed else None,
                float(draw(st.integers(0, SIDE))),
                kind=draw(st.sampled_from(["patrol", "works", "motorcycle"])),
                capabilities=dict.fromkeys(sorted(capabilities)),
                position_age=draw(st.sampled_from([5.0, 90.0, 900.0, 9000.0])) if placed else None,
                duty=draw(st.sampled_from(["on_duty", "on_duty", "on_duty", "break", "out_of_service"])),
                ours=draw(st.integers(0, 5)) > 0,
                jobs=draw(
                    st.sampled_from(
                        [(), (), (), (job(1),), (job(2, 4),), (job(3, 1),), (job(4, 4, "on_scene"),), (job(5, None),)]
                    )
                ),
                gaps=draw(st.sampled_from([(), (), (), (GATE,), (Gap("service_due", {}, blocks=False),)])),
            )
        )
    return found


@st.composite
def needs(draw: st.DrawFn) -> list[Need]:
    """What a card may ask for."""
    return [
        Need(draw(st.sampled_from(["GUM", "TRA"])), draw(st.integers(1, 2))) for _ in range(draw(st.integers(1, 2)))
    ]


def a_move_up(city: City, target_id: UUID, call_sign: str = "M2") -> MoveUp:
    """A move-up to the east that was just proposed."""
    return MoveUp(
        id=new_id(),
        unit_id=city.units[call_sign],
        call_sign=call_sign,
        target_id=target_id,
        wanted={"for": "GUM", "minutes": 8.0, "minimum": 0.9, "zone": None},
        place=city.east,
        place_name="Base Este",
        state=MoveUpState.PROPOSED,
        share_before=0.5,
        share_after=0.95,
        gain_people=4000,
        gain_km=12.5,
        leaves_people=300,
        leaves_km=0.8,
        seconds=240.0,
        proposed_at=now(),
        reason="",
        version=0,
        told_to=[],
    )
