"""The simulated desk: it takes reports, sends units and closes incidents, and keeps its hands off what people do.

It leaves some reports and some incidents for whoever is learning, for a while: the city must not fill up when
nobody is there.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geo.places import Position, haversine
from web.demo.radio import said_over_the_air
from web.demo.stories import Told, by_code, told_of
from web.demo.storm_front import storms_share
from web.demo.world import Act, Properties, World, demo_id, ours

RECEPTION, DISPATCH = "sim-recepcion", "sim-despacho"

LEFT_SHARE = 0.25  # of reports and of incidents that are no matter of life: left to people …
MOST_LEFT = 2  # … but never more than so many of each at a time
LEFT_SECONDS = (240.0, 420.0)  # and not for ever
STRANGER_SECONDS = 720.0  # how long a person's own incident stays untouched before the desk helps out
TOUCHED_SECONDS = 180.0  # how long the desk stays away from what a person has just worked on
WIDE = 200.0  # metres within which the same sort of event is taken for the same event
STALE_SECONDS = 3600.0  # an incident for which nobody could be sent for so long is told so and closed
RUSH_SECONDS = 45.0  # the first seconds of a run, in which everybody is quick: see Neighbours.open_the_day

ANSWER_SECONDS = (12.0, 40.0)  # after which the desk answers an alarm …
LEARNER_SECONDS = 180.0  # … or one about what a person has opened: alarms are for learning too
ANSWERS = ("Los llamo por radio.", "Ya hablé con la dotación.", "Mando a otro si no contestan.")

MOST_UNITS = {1: 4, 2: 2, 3: 2, 4: 1}


def whom(level: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom a card's first level calls: the agencies that it asks (here they have units), then what it needs."""
    asked = [ask["agency"] for ask in level["agencies"] for _ in range(ask["count"])]
    needs = [need for need in level["needs"] if need["kind"] != "reserve"]
    wanted = [need["capability"] for need in needs for _ in range(need["count"])]
    return (*asked, *wanted)


@dataclass(frozen=True, slots=True)
class Kind:
    """What the desk knows of an incident type."""

    priority: int
    card: tuple[str, ...]


def kinds_of(catalogue: Mapping[str, Any], cards: Sequence[Mapping[str, Any]]) -> dict[str, Kind]:
    """The types of the catalogue with their cards in force, as the desk needs them."""
    first = {
        card["type_code"]: whom(card["in_force"]["levels"][0])
        for card in cards
        if card["priority"] is None and card["in_force"]
    }
    return {one["code"]: Kind(one["priority"], first.get(one["code"], ())) for one in catalogue["types"]}


@dataclass
class Case:
    """What the desk has in mind about one report or incident."""

    due: float  # not before
    since: float
    left: bool = False
    wanted: list[str] | None = None  # whom to send still; None until somebody thought about it
    close_at: float | None = None
    controlled: bool = False


@dataclass
class Desk:
    """Decides what the desk does next. Times are seconds of the simulation's own clock."""

    rng: random.Random
    kinds: Mapping[str, Kind]
    told_at: Mapping[str, Position]
    started: float = 0.0
    _cases: dict[str, Case] = field(default_factory=dict)
    _skills: set[str] = field(default_factory=set)
    _heard: dict[str, float] = field(default_factory=dict)  # when each alarm was first seen
    _seen: dict[str, str] = field(default_factory=dict)  # the status in which each unit was last seen

    def acts(self, now: float, world: World, where: Mapping[str, Position]) -> list[Act]:
        """What is due; `where` are the positions of the units."""
        reports, incidents = world.reports(), world.incidents()
        self._forget({f"report:{one['id']}" for one, _ in reports} | {f"incident:{one['id']}" for one, _ in incidents})
        acts = [
            act
            for report, place in reports
            if not world.awaits(report["subject"]) and (act := self._triage(now, world, report, place))
        ]
        units = world.units()
        self._skills = {code for unit in units.values() for code in unit["capabilities"]}
        free = {
            id_: unit
            for id_, unit in units.items()
            if unit["status"] == "available" and id_ in where and not world.awaits(f"unit:{id_}")
        }
        # The gravest first, then the oldest: they have first pick of the units.
        for incident, place in sorted(incidents, key=lambda one: (one[0]["priority"], one[0]["opened_at"])):
            if not world.awaits(incident["subject"]):
                acts += self._work(now, incident, place, free, where)
        acts += self._answers(now, world)
        acts += said_over_the_air(world, DISPATCH, self._seen)
        if (share := storms_share(world, DISPATCH, self.rng)) is not None:
            acts.append(share)
        for act in acts:
            world.asked(act.about)
            for sending in act.body.get("units", ()):
                world.asked(f"unit:{sending['unit_id']}")
        return acts

    def _answers(self, now: float, world: World) -> list[Act]:
        """Answer the alarms that have waited for a while."""
        raised = {alarm["subject"]: alarm for alarm in world.alarms()}
        self._heard = {subject: self._heard.get(subject, now) for subject in raised}
        acts = []
        for subject, alarm in raised.items():
            dice = random.Random(subject)
            strange = alarm["incident_id"] is not None and not ours(alarm["incident_id"])
            patience = LEARNER_SECONDS if strange else dice.uniform(*ANSWER_SECONDS)
            if now - self._heard[subject] >= patience and not world.awaits(subject):
                acts.append(Act(DISPATCH, f"/alarms/{alarm['id']}/answer", {"note": dice.choice(ANSWERS)}, subject))
        return acts

    def hands_off(self, now: float, act: Act) -> None:
        """A person is at it: stay away for a while."""
        if case := self._cases.get(f"incident:{act.hands_off}"):
            case.due = max(case.due, now + TOUCHED_SECONDS)

    def _forget(self, there: set[str]) -> None:
        self._cases = {subject: case for subject, case in self._cases.items() if subject in there}

    def _rush(self, now: float) -> float:
        return 0.15 if now - self.started < RUSH_SECONDS else 1.0

    def _left_now(self, kind: str) -> int:
        return sum(case.left for subject, case in self._cases.items() if subject.startswith(kind))

    def _leave(self, case: Case, kind: str, now: float) -> None:
        """Perhaps leave this one to people for a while."""
        if self._left_now(kind) < MOST_LEFT and self.rng.random() < LEFT_SHARE:
            case.left = True
            case.due = now + self.rng.uniform(*LEFT_SECONDS)

    # --- reports ----------------------------------------------------------------------------------------

    def _triage(self, now: float, world: World, report: Properties, place: Position | None) -> Act | None:
        told = told_of(report["words"])
        if told is None:
            return None  # a person wrote it: people decide
        case = self._cases.get(report["subject"])
        if case is None:
            case = self._cases[report["subject"]] = self._first_hearing(now, told)
        looked_at = report["version"] > 1 and now - case.since < TOUCHED_SECONDS  # somebody asked who called
        if looked_at or now < case.due:
            return None
        verb, body = self._decide(world, told, place or self.told_at.get(report["id"]))
        return Act(RECEPTION, f"/reports/{report['id']}/{verb}", body, report["subject"])

    def _first_hearing(self, now: float, told: Told) -> Case:
        grave = told[0] == "story" and self.kinds[told[1]].priority == 1
        delay = self.rng.uniform(6, 18) if grave else self.rng.uniform(10, 45)
        case = Case(due=now + delay * self._rush(now), since=now)
        if not grave and now - self.started >= RUSH_SECONDS:
            self._leave(case, "report:", now)
        return case

    def _decide(self, world: World, told: Told, place: Position | None) -> tuple[str, dict[str, Any]]:
        if told[0] == "nothing":
            return "dismiss", {"reason": told[1]}
        if place is None:
            return "dismiss", {"reason": "insufficient"}
        same = self._same(world, told[1], place)
        if same is not None:
            return "join", {"incident_id": same}
        there = {"type": "Point", "coordinates": list(place)}
        return "accept", {"incident_id": str(demo_id(self.rng)), "type_code": told[1], "location": there}

    def _same(self, world: World, code: str, place: Position) -> str | None:
        for incident, there in world.incidents():
            if incident["type_code"] == code and haversine(*place, *there) <= WIDE:
                return str(incident["id"])
        return None

    # --- incidents --------------------------------------------------------------------------------------

    def _work(
        self,
        now: float,
        incident: Properties,
        place: Position,
        free: dict[str, Properties],
        where: Mapping[str, Position],
    ) -> Sequence[Act]:
        case = self._cases.get(incident["subject"])
        if case is None:
            case = self._cases[incident["subject"]] = self._first_look(now, incident)
        if case.left and incident["assignments"]:  # a person took it
            case.left, case.wanted = False, []
        if now < case.due:
            return ()
        if "T9" in incident["stamps"]:
            return self._after_arrival(now, incident, case)
        if case.wanted is None:
            sent = "T5" in incident["stamps"]  # it was worked on before this run
            case.wanted = [] if sent else list(self._card(incident))
        if not incident["assignments"] and not case.wanted:  # refused, or taken away
            case.wanted = list(self._card(incident))[:1]
        if not incident["assignments"] and now - case.since > STALE_SECONDS:
            return [self._close(incident, "no_action")]
        return self._send(now, incident, place, case, free, where)

    def _first_look(self, now: float, incident: Properties) -> Case:
        if not ours(incident["id"]):
            return Case(due=now + STRANGER_SECONDS, since=now)
        case = Case(due=now + self.rng.uniform(10, 40) * self._rush(now), since=now)
        if incident["priority"] > 1 and not incident["assignments"] and now - self.started >= RUSH_SECONDS:
            self._leave(case, "incident:", now)
        return case

    def _card(self, incident: Properties) -> Sequence[str]:
        card = self.kinds[incident["type_code"]].card if incident["type_code"] in self.kinds else ()
        # The monitoring room has cameras, not wheels; it is not sent.
        wheels = [code for code in card if code != "MON"] or ["GUM"]
        return wheels[: MOST_UNITS[incident["priority"]]]

    def _send(
        self,
        now: float,
        incident: Properties,
        place: Position,
        case: Case,
        free: dict[str, Properties],
        where: Mapping[str, Position],
    ) -> Sequence[Act]:
        wanted = case.wanted or []
        for code in list(wanted):
            able = [id_ for id_, unit in free.items() if code in unit["capabilities"]]
            if not able:
                if code not in self._skills:
                    wanted.remove(code)  # the power company has no unit here
                continue
            nearest = min(able, key=lambda id_: haversine(*where[id_], *place))
            wanted.remove(code)
            del free[nearest]
            case.due = now + self.rng.uniform(4, 15) * self._rush(now)
            id_ = str(demo_id(self.rng))
            return [self._act(incident, "/assignments", {"id": id_, "units": [{"id": id_, "unit_id": nearest}]})]
        case.due = now + 5
        return ()

    def _after_arrival(self, now: float, incident: Properties, case: Case) -> Sequence[Act]:
        if incident["assignments"]:
            case.close_at = None
            working = any(one["status"] == "on_scene" for one in incident["assignments"])
            if incident["type_code"].startswith("INC") and working and not case.controlled:
                case.controlled = True
                case.due = now + self.rng.uniform(150, 360)
                return ()
            if case.controlled and incident["state"] == "on_scene":
                return [self._act(incident, "/under-control", {})]
            return ()
        if case.close_at is None:
            patience = (20, 90) if ours(incident["id"]) else (300, 600)
            case.close_at = now + self.rng.uniform(*patience)
        if now < case.close_at:
            return ()
        story = by_code().get(incident["type_code"])
        return [self._close(incident, self.rng.choice(story.endings if story else ("resolved",)))]

    def _close(self, incident: Properties, disposition: str) -> Act:
        return self._act(incident, "/close", {"disposition": disposition})

    def _act(self, incident: Properties, verb: str, body: dict[str, Any]) -> Act:
        return Act(
            DISPATCH, f"/incidents/{incident['id']}{verb}", body, incident["subject"], hands_off=str(incident["id"])
        )
