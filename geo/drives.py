"""Who drives: which streets a unit may take, how fast, and what it may do that others may not."""

from __future__ import annotations

from dataclasses import dataclass

from geo.streets import Access, StreetKind


@dataclass(frozen=True, slots=True)
class Drive:
    """A way of driving.

    `pace` times every speed. `enters` may be driven through, `ends_in` only where the drive begins or ends.
    `against_oneway` goes against the sign, at a share of the street's speed and with seconds lost for each link.
    `lights` passes forbidden turns; `traffic` are the words by which signs except it. `passes` is its unit kind, for
    closures that let some pass. `held_up` is how much of the hour's congestion it feels: 1 all of it.
    """

    pace: float = 1.0
    enters: frozenset[str] = frozenset({Access.ALL})
    ends_in: frozenset[str] = frozenset({Access.DESTINATION, Access.PRIVATE})
    against_oneway: bool = False
    lights: bool = False
    traffic: frozenset[str] = frozenset({"motor_vehicle"})
    passes: str = ""
    held_up: float = 1.0


AGAINST_PACE = 0.4  # of the street's speed, against its one-way sign …
AGAINST_SECONDS = 5.0  # … and what it takes to turn into it with everybody coming towards one
NEVER_AGAINST = frozenset({StreetKind.MOTORWAY.value, StreetKind.TRUNK.value})
AMONG_PEOPLE_KMH = 10.0  # in pedestrian streets

# Unit kinds that drive with lights and siren when the call is urgent, and how much faster than traffic that is.
WITH_LIGHTS: dict[str, float] = {
    "ambulance": 1.15,
    "fire": 1.05,
    "police": 1.2,
    "patrol": 1.2,
    "motorcycle": 1.25,
    "traffic": 1.15,
    "civil_protection": 1.1,
}
SLOWER: dict[str, float] = {"works": 0.85, "lighting": 0.85, "trees": 0.8, "fire": 0.9}  # lorries, without lights
_EMERGENCY = frozenset({"emergency", "motor_vehicle"})


def drive_of(unit_kind: str, urgent: bool = True) -> Drive:
    """How a unit of this kind drives: with lights and siren where it has them and the call is urgent."""
    if urgent and unit_kind in WITH_LIGHTS:
        return Drive(
            pace=WITH_LIGHTS[unit_kind],
            enters=frozenset(Access),
            ends_in=frozenset(),
            against_oneway=True,
            lights=True,
            traffic=_EMERGENCY,
            passes=unit_kind,
            held_up=0.5,
        )
    municipal = frozenset({Access.ALL.value, Access.BUS.value, Access.EMERGENCY.value})
    return Drive(
        pace=SLOWER.get(unit_kind, 1.0),
        enters=municipal,
        ends_in=frozenset({Access.DESTINATION, Access.PRIVATE, Access.FOOT}),
        traffic=_EMERGENCY if unit_kind in WITH_LIGHTS else frozenset({"motor_vehicle"}),
        passes=unit_kind,
    )
