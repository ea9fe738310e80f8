"""Who acts, what a role may do, and who may know: `Actor`, `require`, keys and faces.

Need-to-know is one idea: an actor holds *keys* ("ops:2", "unit:…", "org:…"), an audience is the set of keys
that opens it, and any one key is enough. The same sets decide REST answers, live lines and snapshots, and feeds
whose actors hold equal keys share one encoded frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from realtime.errors import NotAllowed, NotSignedIn

Audience = frozenset[str]
NOBODY: Audience = frozenset()
SIGNED_IN = "signed-in"  # the key of everybody who has an account: what it opens hides nothing about anybody


class Role(StrEnum):
    """What a person does here. `NEIGHBOUR` is anybody, signed in or not; `SYSTEM` is Vigía itself."""

    CALL_TAKER = "call_taker"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    CREW = "crew"
    NEIGHBOURHOOD = "neighbourhood"
    AGENCY = "agency"
    GOVERNMENT = "government"
    WALL = "wall"
    ADMINISTRATOR = "administrator"
    NEIGHBOUR = "neighbour"
    SYSTEM = "system"


class Permission(StrEnum):
    """One kind of act. Kept in alphabetical order."""

    ALARM_ANSWER = "alarm.answer"
    ASSIGNMENT_REPORT = "assignment.report"
    ATTENDANCE_MARK = "attendance.mark"
    CATALOGUE_EDIT = "catalogue.edit"
    CLOSURE_DRAW = "closure.draw"
    DEVICE_MANAGE = "device.manage"
    FACILITY_UPDATE = "facility.update"
    FENCE_DRAW = "fence.draw"
    GATE_OVERRIDE = "gate.override"
    INCIDENT_CLOSE = "incident.close"
    INCIDENT_OPEN = "incident.open"
    INCIDENT_SHARE = "incident.share"
    INCIDENT_UPDATE = "incident.update"
    MAJOR_RUN = "major.run"
    NOTE_ADD = "note.add"
    NOTE_STRIKE = "note.strike"
    PAST_LOOK = "past.look"
    PEOPLE_MANAGE = "people.manage"
    POLICY_EDIT = "policy.edit"
    POSITION_SEND = "position.send"
    RADIO_LOG = "radio.log"
    REPORT_MAKE = "report.make"
    REPORT_TRIAGE = "report.triage"
    RUN_CARD_EDIT = "run_card.edit"
    SHIFT_HAND_OVER = "shift.hand_over"
    SHIFT_MANAGE = "shift.manage"
    SIMULATION_CONTROL = "simulation.control"
    SOS_RAISE = "sos.raise"
    STAFF_MANAGE = "staff.manage"
    STORM_CONTROL = "storm.control"
    UNIT_DISPATCH = "unit.dispatch"
    UNIT_MANAGE = "unit.manage"
    WALL_MANAGE = "wall.manage"
    WALL_STEER = "wall.steer"
    ZONE_EDIT = "zone.edit"


P = Permission
_CALL_TAKER = frozenset(
    {
        P.INCIDENT_OPEN,
        P.INCIDENT_UPDATE,
        P.NOTE_ADD,
        P.PAST_LOOK,
        P.RADIO_LOG,
        P.REPORT_MAKE,
        P.REPORT_TRIAGE,
        P.SHIFT_HAND_OVER,
    }
)
_DISPATCHER = _CALL_TAKER | {
    P.ALARM_ANSWER,
    P.ASSIGNMENT_REPORT,
    P.ATTENDANCE_MARK,
    P.CLOSURE_DRAW,
    P.FACILITY_UPDATE,
    P.FENCE_DRAW,
    P.INCIDENT_CLOSE,
    P.INCIDENT_SHARE,
    P.MAJOR_RUN,
    P.NOTE_STRIKE,
    P.POSITION_SEND,
    P.SIMULATION_CONTROL,
    P.SOS_RAISE,
    P.UNIT_DISPATCH,
    P.WALL_STEER,
}
_DIRECTION = frozenset({P.SHIFT_MANAGE, P.STAFF_MANAGE})  # who runs the city's people
_SETTINGS = frozenset({P.CATALOGUE_EDIT, P.DEVICE_MANAGE, P.POLICY_EDIT, P.RUN_CARD_EDIT, P.UNIT_MANAGE, P.ZONE_EDIT})

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.CALL_TAKER: _CALL_TAKER,
    Role.DISPATCHER: _DISPATCHER,
    Role.SUPERVISOR: _DISPATCHER
    | _DIRECTION
    | _SETTINGS
    | {P.GATE_OVERRIDE, P.PEOPLE_MANAGE, P.STORM_CONTROL, P.WALL_MANAGE},
    Role.CREW: frozenset({P.ASSIGNMENT_REPORT, P.NOTE_ADD, P.POSITION_SEND, P.REPORT_MAKE, P.SOS_RAISE}),
    Role.NEIGHBOURHOOD: frozenset({P.REPORT_MAKE}),
    Role.AGENCY: frozenset({P.NOTE_ADD, P.REPORT_MAKE}),
    Role.GOVERNMENT: _DIRECTION | {P.REPORT_MAKE},
    Role.WALL: frozenset(),
    Role.ADMINISTRATOR: _DIRECTION | _SETTINGS | {P.FACILITY_UPDATE, P.PEOPLE_MANAGE},
    Role.NEIGHBOUR: frozenset({P.REPORT_MAKE}),
    Role.SYSTEM: frozenset(Permission),
}

OPERATIONS = frozenset({Role.CALL_TAKER, Role.DISPATCHER, Role.SUPERVISOR})


class Sensitivity:
    """How far an incident may be known; the numbers are stored."""

    PUBLIC, OPERATIONAL, RESERVED, PROTECTED = range(4)


# The highest sensitivity a role sees whole by its role alone; clearance 3 lifts operations to PROTECTED.
_REACH = {
    Role.CALL_TAKER: Sensitivity.RESERVED,
    Role.DISPATCHER: Sensitivity.RESERVED,
    Role.SUPERVISOR: Sensitivity.RESERVED,
    Role.GOVERNMENT: Sensitivity.RESERVED,
    Role.WALL: Sensitivity.OPERATIONAL,
    Role.CREW: Sensitivity.PUBLIC,
}


@dataclass(frozen=True)
class Actor:
    """Somebody who does or sees things. Built from a session for each request; never cached beyond 2 s."""

    name: str
    role: Role
    id: UUID | None = None
    organization_id: UUID | None = None
    unit_id: UUID | None = None
    zone_ids: frozenset[UUID] = field(default_factory=frozenset)
    clearance: int = 0

    @property
    def reach(self) -> int:
        """The highest sensitivity this actor sees whole by role and clearance; -1 for none."""
        reach = _REACH.get(self.role, -1)
        return Sensitivity.PROTECTED if self.role in OPERATIONS and self.clearance >= reach + 1 else reach

    @cached_property
    def keys(self) -> frozenset[str]:
        """What opens audiences. Actors with equal keys see exactly the same."""
        kind = "ops" if self.role in OPERATIONS else self.role.value
        keys = {f"{kind}:{level}" for level in range(self.reach + 1)}
        if self.role is not Role.NEIGHBOUR:
            keys.add(SIGNED_IN)
        if self.role is Role.ADMINISTRATOR:
            keys.add(self.role.value)
        if self.role in {Role.AGENCY, Role.NEIGHBOURHOOD} and self.organization_id:
            keys.add(organization_key(self.organization_id))
        if self.role is Role.NEIGHBOURHOOD:
            keys.update(zone_key(zone) for zone in self.zone_ids)
        if self.role is Role.CREW and self.unit_id:
            keys.add(unit_key(self.unit_id))
        if self.role is Role.WALL and self.id:
            keys.add(screen_key(self.id))
        return frozenset(keys)

    def may(self, permission: Permission) -> bool:
        """Whether the role grants `permission` at all; what it may touch is the verb's business."""
        return permission in GRANTS[self.role]


ANYBODY = Actor(name="vecino", role=Role.NEIGHBOUR)
VIGIA = Actor(name="Vigía", role=Role.SYSTEM)


def require(actor: Actor, permission: Permission) -> None:
    """The first line of every verb. Raises `NotAllowed`, or `NotSignedIn` where signing in might help."""
    if not actor.may(permission):
        raise NotSignedIn if actor.role is Role.NEIGHBOUR else NotAllowed(permission=permission.value)


def organization_key(organization_id: UUID) -> str:
    """The key held by an agency's or a neighbourhood organization's people."""
    return f"org:{organization_id}"


def unit_key(unit_id: UUID) -> str:
    """The key held by the crew of one unit."""
    return f"unit:{unit_id}"


def screen_key(wall_id: UUID) -> str:
    """The key held by one wall."""
    return f"screen:{wall_id}"


def zone_key(zone_id: UUID) -> str:
    """The key held by the neighbourhood organizations of one zone."""
    return f"zone:{zone_id}"


@dataclass(frozen=True, slots=True)
class Face:
    """One way a thing shows itself: to those who hold a key of `audience`, it is `feature`."""

    audience: Audience
    feature: dict[str, Any]


Faces = tuple[Face, ...]


def face_for(keys: frozenset[str], faces: Iterable[Face]) -> dict[str, Any] | None:
    """The first face that opens to `keys`, or None: faces stand from the fullest to the barest."""
    return next((face.feature for face in faces if not face.audience.isdisjoint(keys)), None)


def everyone_in(faces: Iterable[Face]) -> Audience:
    """All keys that open any of the faces."""
    return NOBODY.union(*(face.audience for face in faces))
