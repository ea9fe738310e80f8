"""The crews of the demo city: they answer, drive along real streets, work and go back, whoever sent them."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from geo.barriers import Barrier
from geo.drives import Drive
from geo.network import NoStreetNear, StreetNetwork
from geo.places import Position, haversine, point
from geo.routes import Fix, Route
from geo.travel import NoWay, Travel
from web.demo.fleet import HOSPITALS, PlannedUnit
from web.demo.stories import by_code
from web.demo.world import Act, Properties, World, demo_id, ours

SIREN, HURRY, PATROL = 1.15, 0.75, 0.45  # times the free-flow speed: P1, other sendings, looking around
PATROL_DEGREES = 0.014  # about 1.5 km around the base
THERE = 60.0  # metres from the incident at which a crew has arrived
MOVED = 60.0  # metres by which an incident must move before a crew turns round
STEP = 110.0  # metres between two fixes at most: beyond 150 the server doubts a jump, also at twenty times the pace
MOST_STEPS = 10
PERSON_SECONDS = 240.0  # how long a crew leaves the buttons alone after a person pressed one for it
REFUSE_SHARE = 0.015  # a flat tyre, a prisoner on board; never what a person sends
NOTE_SHARE = 0.6
FORGET_SHARE = 0.05  # of sendings: the radio was busy, the buttons were forgotten; the desk's alarm says so
FORGETS = {"assigned": (75.0, 150.0), "acknowledged": (130.0, 240.0), "en_route": (420.0, 700.0)}
CHECK_IN_BEFORE = 60.0  # seconds before it is due at which a crew says that it is well
RUSH_SECONDS = 60.0

DRIVING = frozenset({"en_route", "transporting"})
NEXT = {
    "assigned": "acknowledged",
    "acknowledged": "en_route",
    "en_route": "on_scene",
    "transporting": "at_destination",
}


@dataclass
class Crew:
    """One unit and the people in it."""

    id: str
    unit: PlannedUnit
    account: str
    place: Position
    home: Position
    heading: float = 0.0
    route: Route | None = None
    left_at: float = 0.0
    bound_for: Position | None = None
    drive: Drive = field(default_factory=Drive)  # how it drives there
    assignment: str | None = None
    status: str = "available"
    due: float = 0.0
    said: set[str] = field(default_factory=set)  # the statuses that this crew reported itself
    known: bool = False  # whether it was looked at since the simulator started
    told_until: float = 0.0  # how far along the clock its positions were sent

    def fix(self, now: float) -> Fix:
        """Where it is."""
        if self.route is None:
            return Fix(self.place[0], self.place[1], self.heading, 0.0)
        return self.route.at(now - self.left_at)

    def arrived(self, now: float) -> bool:
        """Whether the drive is over, or there was none."""
        return self.route is None or now - self.left_at >= self.route.seconds

    def stop(self, now: float) -> None:
        """Stand where it is."""
        here = self.fix(now)
        self.place, self.heading, self.route, self.bound_for = (here.longitude, here.latitude), here.heading, None, None


class Crews:
    """All crews. Times are seconds of the simulation's own clock."""

    def __init__(self, rng: random.Random, network: StreetNetwork, crews: list[Crew], started: float = 0.0) -> None:
        """Crews start where they stand."""
        self._rng = rng
        self._travel = Travel(network)
        self._started = started
        self.crews = {crew.id: crew for crew in crews}
        for crew in crews:
            crew.due = started + rng.uniform(0, 60 if crew.unit.patrols else 600)

    def where(self, now: float) -> dict[str, Position]:
        """The position of every unit."""
        return {id_: ((fix := crew.fix(now)).longitude, fix.latitude) for id_, crew in self.crews.items()}

    def acts(self, now: float, world: World) -> list[Act]:
        """What crews report now; they drive on besides."""
        self._heed(now, world.closures(dt.datetime.now(dt.UTC)))
        acts = []
        units = world.units()
        for crew in self.crews.values():
            unit = units.get(crew.id)
            if unit is not None:
                self._notice(now, crew, unit, world)
                crew.known = True
                if not world.awaits(f"assignment:{crew.assignment}"):
                    acts += self._step(now, crew, unit, world)
        for act in acts:
            world.asked(act.about)
        return acts

    def _notice(self, now: float, crew: Crew, unit: Properties, world: World) -> None:
        """What has changed since the last look: sent, called off, or a status that somebody else pressed."""
        if unit["assignment_id"] != crew.assignment:
            crew.assignment, crew.said = unit["assignment_id"], set()
            crew.stop(now)
            crew.status = ""
        if unit["status"] == crew.status:
            return
        crew.status = unit["status"]
        incident = world.incident(unit["incident_id"])
        crew.due = now + (self._forgets(crew, incident) or self._pause(now, crew, incident))
        by_person = crew.assignment is not None and crew.status not in {"assigned", *crew.said}
        if by_person and crew.known:
            crew.due = max(crew.due, now + PERSON_SECONDS)
        if crew.status not in DRIVING:
            crew.stop(now)
        if crew.status == "transporting":
            hospital = min((one.near for one in HOSPITALS), key=lambda near: _metres(near, crew.place))
            self._drive(now, crew, hospital, SIREN)

    def _pause(self, now: float, crew: Crew, incident: tuple[Properties, Position] | None) -> float:
        """How long people take for the next step, by where they are in it."""
        grave = incident is not None and incident[0]["priority"] == 1
        rush = 0.25 if now - self._started < RUSH_SECONDS else 1.0
        match crew.status:
            case "assigned":
                return self._rng.uniform(10, 30 if grave else 60) * rush
            case "acknowledged":
                return self._rng.uniform(10, 35 if grave else 75) * rush
            case "on_scene":
                story = by_code().get(incident[0]["type_code"]) if incident else None
                return 60 * self._rng.uniform(*(story.minutes if story else (6, 15)))
            case "at_destination":
                return 60 * self._rng.uniform(4, 10)
            case "available":
                return self._rng.uniform(15, 90)
        return 0.0

    def _forgets(self, crew: Crew, incident: tuple[Properties, Position] | None) -> float:
        """How long a crew does not think of its buttons; 0 for most, and always the same for the same sending."""
        dice = random.Random(f"{crew.assignment}:{crew.status}")
        grave = incident is not None and incident[0]["priority"] == 1  # elsewhere no alarm would come of it
        forgets = grave and crew.status in FORGETS and dice.random() < FORGET_SHARE
        return dice.uniform(*FORGETS[crew.status]) if forgets else 0.0

    def _checks_in(self, crew: Crew, incident: tuple[Properties, Position] | None) -> list[Act]:
        """On scene it says that it is well, a while before it must; one in twenty waits to be asked."""
        mine = [one for one in incident[0]["assignments"] if one["id"] == crew.assignment] if incident else []
        due_at = mine[0].get("check_in_due_at") if mine else None
        if due_at is None or random.Random(f"{crew.assignment}:{due_at}").random() < FORGET_SHARE:
            return []
        left = (dt.datetime.fromisoformat(due_at) - dt.datetime.now(dt.UTC)).total_seconds()
        if left > CHECK_IN_BEFORE:
            return []
        return [Act(crew.account, f"/assignments/{crew.assignment}/check-in", {}, f"assignment:{crew.assignment}")]

    def _step(self, now: float, crew: Crew, unit: Properties, world: World) -> list[Act]:
        incident = world.incident(unit["incident_id"])
        acts: list[Act] = []
        if crew.status == "available":
            self._roam(now, crew)
        elif crew.status == "en_route":
            acts = self._approach(now, crew, *incident) if incident else []
        elif crew.status == "on_scene" and now < crew.due:
            acts = self._checks_in(crew, incident)
        elif now >= crew.due and (crew.status != "transporting" or crew.arrived(now)):
            match crew.status:
                case "assigned" if self._refuses(crew):
                    acts = [self._report(crew, "refused", "Cubierta pinchada, quedamos parados unos minutos.")]
                case "assigned" | "acknowledged" | "transporting":
                    acts = [self._report(crew, NEXT[crew.status])]
                case "on_scene":
                    acts = self._leave_scene(crew, incident)
                case "at_destination":
                    acts = [self._report(crew, "released")]
        return acts

    def _refuses(self, crew: Crew) -> bool:
        return bool(crew.assignment and ours(crew.assignment)) and self._rng.random() < REFUSE_SHARE

    def _approach(self, now: float, crew: Crew, incident: Properties, place: Position) -> list[Act]:
        if crew.bound_for is None or _metres(crew.bound_for, place) > MOVED:
            self._drive(now, crew, place, SIREN if incident["priority"] == 1 else HURRY)
        if not crew.arrived(now) or now < crew.due:
            return []
        acts = [self._report(crew, "on_scene")]
        story = by_code().get(incident["type_code"])
        if story and story.found and self._rng.random() < NOTE_SHARE:
            body = {"id": str(demo_id(self._rng)), "text": f"{crew.unit.call_sign}: {self._rng.choice(story.found)}"}
            acts.append(Act(crew.account, f"/incidents/{incident['id']}/notes", body, f"assignment:{crew.assignment}"))
        return acts

    def _leave_scene(self, crew: Crew, incident: tuple[Properties, Position] | None) -> list[Act]:
        story = by_code().get(incident[0]["type_code"]) if incident else None
        takes = "TRASLADO" in crew.unit.capabilities and story is not None and self._rng.random() < story.transport
        return [self._report(crew, "transporting" if takes else "released")]

    def _report(self, crew: Crew, status: str, reason: str = "") -> Act:
        crew.said.add(status)
        body: dict[str, Any] = {"status": status} | ({"reason": reason} if reason else {})
        return Act(crew.account, f"/assignments/{crew.assignment}/status", body, f"assignment:{crew.assignment}")

    # --- driving ----------------------------------------------------------------------------------------

    def _roam(self, now: float, crew: Crew) -> None:
        """Free: patrols look around their base, the others go home."""
        if crew.route is not None and crew.arrived(now):
            crew.stop(now)
            crew.due = now + self._rng.uniform(20, 150)
        elif crew.route is None and now >= crew.due:
            crew.due = now + self._rng.uniform(60, 300)
            if crew.unit.patrols:
                spread = PATROL_DEGREES
                goal = (
                    crew.home[0] + self._rng.uniform(-spread, spread),
                    crew.home[1] + self._rng.uniform(-spread, spread),
                )
                self._drive(now, crew, goal, PATROL)
            elif _metres(crew.place, crew.home) > THERE:
                self._drive(now, crew, crew.home, HURRY)

    def _drive(self, now: float, crew: Crew, goal: Position, pace: float) -> None:
        """Set out. Where no street leads, it stays; on arrival it is there all the same."""
        crew.stop(now)
        crew.bound_for = goal
        crew.drive = Drive(pace=pace * self._rng.uniform(0.9, 1.05), passes=crew.unit.kind)
        self._set_out(now, crew)

    def _set_out(self, now: float, crew: Crew) -> None:
        """From where it is to where it is bound for, if there is a way."""
        assert crew.bound_for is not None  # noqa: S101  (said by both callers)
        here = crew.fix(now)
        try:
            start = point(here.longitude, here.latitude)
            crew.route = self._travel.route(start, point(*crew.bound_for), crew.drive, within=1500)
            crew.place, crew.left_at = (here.longitude, here.latitude), now
        except (NoStreetNear, NoWay):
            return

    def _heed(self, now: float, closures: list[Barrier]) -> None:
        """When a street is closed or opened, whoever is under way looks for the way again; without one it goes on."""
        if [one.id for one in closures] == [one.id for one in self._travel.barriers]:
            return
        self._travel = replace(self._travel, barriers=closures)
        for crew in self.crews.values():
            if crew.bound_for is not None and not crew.arrived(now):
                self._set_out(now, crew)

    # --- positions --------------------------------------------------------------------------------------

    def fixes(self, now: float, real_now: float, pace: float, *, all_of_them: bool) -> list[tuple[str, float, Fix]]:
        """`(unit, time of the fix, fix)` since the last call: of those that move, or of all."""
        found = []
        for crew in self.crews.values():
            since, crew.told_until = max(crew.told_until, crew.left_at), now
            if crew.route is None:
                if all_of_them:
                    found.append((crew.id, real_now, self._shaken(crew.fix(now))))
                continue
            was, is_ = crew.fix(since), crew.fix(now)
            went = haversine(was.longitude, was.latitude, is_.longitude, is_.latitude)
            steps = min(max(1, math.ceil(went / STEP)), MOST_STEPS)
            for step in range(1, steps + 1):
                at = since + (now - since) * step / steps
                found.append((crew.id, real_now - (now - at) / max(pace, 1.0), self._shaken(crew.fix(at))))
        return found

    def _shaken(self, fix: Fix) -> Fix:
        """GPS is off by a few metres."""
        off = 2e-5
        return Fix(
            round(fix.longitude + self._rng.gauss(0, off), 6),
            round(fix.latitude + self._rng.gauss(0, off), 6),
            round(fix.heading, 1),
            round(fix.speed_kmh, 1),
        )


def _metres(one: Position, other: Position) -> float:
    return haversine(one[0], one[1], other[0], other[1])


def crews_from(
    plan: Mapping[str, PlannedUnit],
    homes: Mapping[str, Position],
    seen: Mapping[str, Position],
    accounts: Mapping[str, str],
) -> list[Crew]:
    """A crew for each planned unit: where it was last seen, else at its base."""
    return [
        Crew(id_, unit, accounts[id_], seen.get(id_, homes[id_]), homes[id_])
        for id_, unit in plan.items()
        if id_ in homes
    ]
