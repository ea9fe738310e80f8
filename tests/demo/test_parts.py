"""The parts of the simulator, each alone, on a town of four streets and a clock of our own."""

from __future__ import annotations

import datetime as dt
import random
from itertools import pairwise
from typing import Any

import shapely

from geo.network import Link, StreetNetwork
from geo.places import Position, haversine
from incidents.catalogue import default_content
from incidents.run_cards import AgencyAsk, CardLevel, Need, NeedKind, content_of, default_cards
from web.demo.coquimbo import CensusZone
from web.demo.crews import STEP, Crew, Crews
from web.demo.desk import LEFT_SECONDS, STALE_SECONDS, Desk, kinds_of, whom
from web.demo.fleet import FLEET, MUNICIPALITY, PlannedUnit
from web.demo.neighbours import MOST_OPEN, Neighbours
from web.demo.radio import said_over_the_air
from web.demo.stories import NOTHING, STORIES, told_of
from web.demo.world import Act, World, demo_id, ours

SIDE = 0.01  # about a kilometre
A, B, C, D = (-71.25, -29.9), (-71.25 + SIDE, -29.9), (-71.25 + SIDE, -29.9 + SIDE), (-71.25, -29.9 + SIDE)
NIGHT = 3


def town() -> StreetNetwork:
    corners = [("Rioja", A, B), ("Jujuy", B, C), ("Mitre", C, D), ("Salta", D, A)]
    return StreetNetwork(
        [
            Link(number, (number + 1) % 4, shapely.LineString([one, two]), "residential", name, False, 40)
            for number, (name, one, two) in enumerate(corners)
        ]
    )


class Clock:
    """Real seconds, as a test has them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def feature(subject: str, place: Position | None = None, **properties: Any) -> dict[str, Any]:
    id_ = subject.partition(":")[2]
    shape = {"type": "Point", "coordinates": list(place)} if place else None
    return {"geometry": shape, "properties": {"subject": subject, "id": id_, "version": 1} | properties}


def an_incident(id_: str, place: Position = C, **properties: Any) -> dict[str, Any]:
    ordinary = {"masked": False, "state": "classified", "type_code": "SIN-02", "priority": 3, "stamps": {}}
    ordinary |= {"assignments": [], "opened_at": "2026-11-22T12:00:00Z"}
    return feature(f"incident:{id_}", place, **(ordinary | properties))


def a_unit(id_: str, *capabilities: str, **properties: Any) -> dict[str, Any]:
    free = {"status": "available", "assignment_id": None, "incident_id": None}
    return feature(f"unit:{id_}", None, capabilities=list(capabilities), **(free | properties))


def world_of(clock: Clock, *features: dict[str, Any]) -> World:
    world = World(clock=clock)
    world.replace({"epoch": "e", "seq": 1, "features": features})
    return world


def mine() -> str:
    return str(demo_id(random.Random(1)))


CARDS = [{"type_code": code, "priority": priority, "in_force": content} for code, priority, content in default_cards()]


def desk(seed: int = 1) -> Desk:
    return Desk(random.Random(seed), kinds_of(default_content(), CARDS), {}, started=-1000)


# --- the world ------------------------------------------------------------------------------------------


def test_the_world_follows_lines_as_every_client_does() -> None:
    world = world_of(Clock(), an_incident("1"), a_unit("u", "TRA"))
    world.follow({"seq": 9, "lines": [{"subject": "incident:1", "feature": None}]})
    assert (world.incidents(), world.seq, list(world.units())) == ([], 9, ["u"])


def test_what_was_asked_is_not_asked_again_before_the_answer_can_be_here() -> None:
    clock = Clock()
    world = world_of(clock)
    world.asked("report:1")
    assert world.awaits("report:1")
    clock.now += 10
    assert not world.awaits("report:1")


def test_ids_are_version_seven_and_carry_our_mark() -> None:
    made = [demo_id(random.Random(number)) for number in range(50)]
    assert {id_.version for id_ in made} == {7}
    assert all(ours(str(id_)) for id_ in made)
    assert len(set(made)) == 50


def test_a_paused_simulation_and_none_at_all_stand_still() -> None:
    assert world_of(Clock()).pace == 0
    assert world_of(Clock(), feature("simulation:1", running=False, speed=3.0)).pace == 0
    assert world_of(Clock(), feature("simulation:1", running=True, speed=3.0)).pace == 3


# --- stories and cards ----------------------------------------------------------------------------------


def test_every_story_is_in_the_catalogue_and_known_again_by_its_words() -> None:
    codes = {one["code"] for one in default_content()["types"]}
    reasons = {one["code"] for one in default_content()["dismissals"]}
    endings = {one["code"] for one in default_content()["dispositions"]}
    for story in STORIES:
        assert story.code in codes
        assert set(story.endings) <= endings
        for words in story.told:
            assert told_of(words.format(place="Mitre e Italia")) == ("story", story.code)
    assert set(NOTHING) <= reasons
    assert told_of("Se me quema la casa, vengan") is None


def test_run_cards_are_read() -> None:
    level = CardLevel(
        needs=(Need("TRA", 2), Need("GUM", kind=NeedKind.PREFERRED), Need("GRUA", kind=NeedKind.RESERVE)),
        agencies=(AgencyAsk("POL"),),
    )
    assert whom(content_of([level])["levels"][0]) == ("POL", "TRA", "TRA", "GUM")
    assert whom(content_of([CardLevel()])["levels"][0]) == ()
    assert kinds_of(default_content(), [])["SIN-01"].card == (), "a type without a card calls nobody"


def test_the_fleet_is_forty_units_with_names_of_their_own() -> None:
    assert len(FLEET) == 40
    assert len({unit.call_sign for unit in FLEET}) == 40


# --- neighbours -----------------------------------------------------------------------------------------


def neighbours(seed: int) -> Neighbours:
    zone = CensusZone(1, 1000, shapely.MultiPolygon([shapely.box(A[0] - 1, A[1] - 1, C[0] + 1, C[1] + 1)]))
    return Neighbours(random.Random(seed), town(), [zone])


def a_day(seed: int) -> list[dict[str, Any]]:
    calls, world = neighbours(seed), world_of(Clock())
    return [act.body for second in range(0, 7200, 5) for act in calls.acts(float(second), world, 20)]


def test_the_same_seed_is_the_same_day() -> None:
    def told(day: list[dict[str, Any]]) -> list[tuple[str, str]]:
        return [(report["words"], report["channel"]) for report in day]

    assert told(a_day(4)) == told(a_day(4)) != told(a_day(5))


def test_two_evening_hours_bring_a_believable_number_and_mix() -> None:
    day = a_day(4)
    assert 120 < len(day) < 350
    known = [told_of(report["words"]) for report in day]
    assert all(known)
    nothing = sum(one is not None and one[0] == "nothing" for one in known)
    assert 0.04 < nothing / len(day) < 0.25
    assert len(set(known)) > 15
    assert {report["channel"] for report in day} >= {"phone", "web", "app", "radio"}
    assert 0 < sum("location" not in report for report in day) < len(day) / 3


def test_a_city_with_its_hands_full_gets_no_more() -> None:
    full = world_of(Clock(), *(an_incident(f"{number}") for number in range(MOST_OPEN)))
    calls = neighbours(4)
    assert [act for second in range(0, 7200, 5) for act in calls.acts(float(second), full, 20)] == []


# --- the desk -------------------------------------------------------------------------------------------


def a_report(id_: str, words: str, place: Position | None = A, **properties: Any) -> dict[str, Any]:
    return feature(f"report:{id_}", place, words=words, status="received", **properties)


def decisions(one: Desk, clock: Clock, world: World, seconds: int, where: dict[str, Position]) -> list[tuple[int, Act]]:
    found = []
    for second in range(seconds):
        clock.now += 1
        found += [(second, act) for act in one.acts(float(second), world, where)]
    return found


CRASH = STORIES[0].told[0].format(place="Rioja y Jujuy")


def test_a_report_is_accepted_after_a_human_while() -> None:
    clock = Clock()
    second, act = decisions(desk(), clock, world_of(clock, a_report("r", CRASH)), 60, {})[0]
    assert 5 <= second <= 20
    assert act.path == "/reports/r/accept"
    assert act.body["type_code"] == "SIN-01"
    assert act.body["location"]["coordinates"] == list(A)


def test_the_same_event_told_twice_is_joined() -> None:
    clock = Clock()
    world = world_of(clock, a_report("r", CRASH), an_incident("i", A, type_code="SIN-01"))
    triage = [act for _, act in decisions(desk(), clock, world, 60, {}) if act.path.startswith("/reports")]
    assert (triage[0].path, triage[0].body) == ("/reports/r/join", {"incident_id": "i"})


def test_a_joke_is_dismissed_and_a_place_nobody_knows_too() -> None:
    clock = Clock()
    joke = NOTHING["hoax"][0].format(place="Mitre")
    world = world_of(clock, a_report("j", joke), a_report("r", CRASH, place=None))
    reasons = {act.path: act.body.get("reason") for _, act in decisions(desk(2), clock, world, 500, {})}
    assert reasons == {"/reports/j/dismiss": "hoax", "/reports/r/dismiss": "insufficient"}


def test_what_a_person_wrote_is_left_to_people() -> None:
    clock = Clock()
    world = world_of(clock, a_report("r", "hay un olor raro en la escuela"))
    assert decisions(desk(), clock, world, 7200, {}) == []


def test_the_nearest_unit_that_can_is_sent_and_only_once() -> None:
    clock = Clock()
    world = world_of(clock, an_incident(mine(), C), a_unit("far", "TRA"), a_unit("near", "TRA"), a_unit("other", "ZOO"))
    sent = decisions(desk(), clock, world, 60, {"far": A, "near": B, "other": C})
    assert [one["unit_id"] for one in sent[0][1].body["units"]] == ["near"]
    assert sent[0][1].hands_off is not None
    assert len(sent) <= 1 or sent[1][0] - sent[0][0] > 4


def test_some_work_is_left_for_whoever_is_learning_but_not_for_ever() -> None:
    when = []
    for seed in range(30):
        clock = Clock()
        world = world_of(clock, an_incident(mine()), a_unit("u", "TRA"))
        when.append(decisions(desk(seed), clock, world, 600, {"u": A})[0][0])
    left = [second for second in when if second >= LEFT_SECONDS[0]]
    assert 2 <= len(left) <= 15
    assert max(when) <= LEFT_SECONDS[1] + 5


def test_a_persons_own_incident_is_not_touched() -> None:
    clock = Clock()
    world = world_of(clock, an_incident("0192-a-person"), a_unit("u", "TRA"))
    assert decisions(desk(), clock, world, 700, {"u": A}) == []


def test_a_thing_done_is_closed_and_a_thing_nobody_can_do_too() -> None:
    clock = Clock()
    world = world_of(clock, an_incident(mine(), stamps={"T5": "…", "T9": "…"}, state="waiting"))
    second, act = decisions(desk(), clock, world, 300, {})[0]
    assert act.path.endswith("/close")
    assert second >= 20
    clock, world = Clock(), World()
    world = world_of(clock, an_incident(mine(), type_code="ANI-01"))
    second, act = decisions(desk(), clock, world, int(STALE_SECONDS) + 400, {})[-1]
    assert act.path.endswith("/close")
    assert abs(second - STALE_SECONDS) < 400


# --- crews ----------------------------------------------------------------------------------------------


def a_crew(**unit: Any) -> tuple[Crews, Clock, World]:
    clock = Clock()
    planned = PlannedUnit("M11", FLEET[0].kind, FLEET[0].base, ("GUM",), MUNICIPALITY)
    crews = Crews(random.Random(3), town(), [Crew("u", planned, "dotacion-m11", A, A)], started=-1000)
    world = world_of(clock, an_incident("i", C, type_code="SIN-02"), a_unit("u", "GUM", **unit))
    return crews, clock, world


def live(crews: Crews, clock: Clock, world: World, seconds: int, start: int = 0) -> list[tuple[int, str]]:
    """Let time pass; what the crew reports becomes so."""
    story = []
    for second in range(start, start + seconds):
        clock.now += 1
        for act in crews.acts(float(second), world):
            if "status" in act.body:
                story.append((second, act.body["status"]))
                properties = world.features["unit:u"]["properties"]
                over = act.body["status"] in {"released", "refused"}
                properties["status"] = "available" if over else act.body["status"]
                properties["assignment_id"] = None if over else properties["assignment_id"]
    return story


def test_a_crew_answers_drives_works_and_is_free_again() -> None:
    crews, clock, world = a_crew(status="assigned", assignment_id="a", incident_id="i")
    story = live(crews, clock, world, 2400)
    assert [status for _, status in story] == ["acknowledged", "en_route", "on_scene", "released"]
    times = [second for second, _ in story]
    assert 10 <= times[0] <= 61
    assert 10 <= times[1] - times[0] <= 90
    assert 120 <= times[2] - times[1] <= 400, "two kilometres of street take their time"
    assert 300 <= times[3] - times[2] <= 1000


def test_a_crew_that_is_called_off_stops_where_it_is() -> None:
    crews, clock, world = a_crew(status="assigned", assignment_id="a", incident_id="i")
    live(crews, clock, world, 250)
    assert crews.crews["u"].status == "en_route"
    there = crews.where(250.0)["u"]
    world.features["unit:u"]["properties"] |= {"status": "available", "assignment_id": None, "incident_id": None}
    live(crews, clock, world, 5, start=250)
    assert haversine(*there, *crews.where(255.0)["u"]) < 80
    assert crews.crews["u"].assignment is None


def test_a_crew_follows_an_incident_that_moves() -> None:
    crews, clock, world = a_crew(status="en_route", assignment_id="a", incident_id="i")
    live(crews, clock, world, 30)
    assert crews.crews["u"].bound_for == C
    world.features["incident:i"]["geometry"]["coordinates"] = list(D)
    live(crews, clock, world, 2, start=30)
    assert crews.crews["u"].bound_for == D


def test_a_crew_under_way_goes_round_what_is_closed_meanwhile() -> None:
    crews, clock, world = a_crew(status="en_route", assignment_id="a", incident_id="i")
    live(crews, clock, world, 10)
    straight = crews.crews["u"].route
    assert straight is not None
    here = crews.where(10.0)["u"]
    ahead = shapely.LineString(straight.line).interpolate(0.75, normalized=True)
    barrier = [round(ahead.x, 6), round(ahead.y, 6)]
    said = {"id": "c", "version": 1, "passable_by": [], "valid_from": "2020-01-01T00:00:00+00:00", "valid_until": None}
    properties = {"subject": "closure:c", **said}
    world.features["closure:c"] = {"geometry": {"type": "Point", "coordinates": barrier}, "properties": properties}
    live(crews, clock, world, 1, start=10)
    round_it = crews.crews["u"].route
    assert round_it is not None
    assert round_it is not straight
    assert shapely.LineString(round_it.line).distance(shapely.Point(barrier)) > 1e-4
    assert haversine(*here, *crews.where(10.0)["u"]) < 40, "it turns where it is"
    properties["valid_until"] = "2020-01-02T00:00:00+00:00"
    live(crews, clock, world, 1, start=11)
    assert crews.crews["u"].route is not round_it, "opened again"


def test_when_a_person_presses_the_buttons_the_crew_keeps_its_hands_off_them() -> None:
    crews, clock, world = a_crew(status="assigned", assignment_id="a", incident_id="i")
    live(crews, clock, world, 2)
    world.features["unit:u"]["properties"]["status"] = "on_scene"
    assert live(crews, clock, world, 200, start=2) == []


def test_fixes_never_leap_even_at_twenty_times_the_pace() -> None:
    crews, clock, world = a_crew(status="en_route", assignment_id="a", incident_id="i")
    crews.acts(0.0, world)
    crews.fixes(0.0, 1000.0, 20, all_of_them=True)
    fixes = [fix for step in range(1, 4) for fix in crews.fixes(step * 40.0, 1000.0 + 2 * step, 20, all_of_them=False)]
    assert len(fixes) > 6
    pairs = list(pairwise(fixes))
    assert all(one[1] < two[1] for one, two in pairs), "each later than the one before"
    leaps = [haversine(one.longitude, one.latitude, two.longitude, two.latitude) for (_, _, one), (_, _, two) in pairs]
    assert max(leaps) < STEP + 20
    assert clock() > 0


# ── Alarms ────────────────────────────────────────────────────────────────────────────────────────


def test_the_desk_answers_an_alarm_after_a_while_and_leaves_peoples_own_for_longer() -> None:
    world = World(clock=Clock())
    own, strange = str(demo_id(random.Random(1))), "01900000-0000-7000-8000-000000000001"
    for name, incident_id, state in (("a", own, "raised"), ("b", strange, "raised"), ("c", own, "answered")):
        one = feature(f"alarm:{name}", incident_id=incident_id, state=state)
        world.features[one["properties"]["subject"]] = one
    desk = Desk(random.Random(1), kinds_of(default_content(), CARDS), {}, started=-1000)
    assert desk.acts(0, world, {}) == []
    assert [act.path for act in desk.acts(60, world, {})] == ["/alarms/a/answer"]
    assert desk.acts(61, world, {}) == [], "it was asked a moment ago"
    del world.features["alarm:a"]
    assert [act.path for act in desk.acts(200, world, {})] == ["/alarms/b/answer"]


def test_few_crews_forget_and_most_check_in_before_they_must() -> None:
    planned = next(unit for unit in FLEET if unit.patrols)
    crews = Crews(random.Random(3), town(), [Crew("u", planned, "dotacion-m11", A, A)], started=-1000)
    forgot = checked = 0
    for number in range(400):
        world = World(clock=Clock())
        due = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30)).isoformat()
        mine = {"id": f"s{number}", "status": "assigned", "check_in_due_at": due}
        world.features["incident:i"] = an_incident("i", type_code="INC-01", priority=1, assignments=[mine])
        busy = a_unit("u", status="assigned", assignment_id=mine["id"], incident_id="i")
        world.features["unit:u"] = busy
        assert crews.acts(0, world) == []
        forgot += crews.crews["u"].due > 60
        busy["properties"]["status"] = "on_scene"
        checked += [act.path for act in crews.acts(1, world)] == [f"/assignments/s{number}/check-in"]
    assert 5 < forgot < 50
    assert 350 < checked < 400


def test_some_of_what_crews_do_is_said_over_the_air_and_written_down_once() -> None:
    seen: dict[str, str] = {}
    units = [a_unit(str(number), status="assigned", assignment_id=f"s{number}") for number in range(40)]
    assert said_over_the_air(world_of(Clock(), *units), "sim", seen) == []
    there = [a_unit(str(number), status="on_scene", assignment_id=f"s{number}") for number in range(40)]
    lines = said_over_the_air(world_of(Clock(), *there), "sim", seen)
    assert 5 < len(lines) < 25
    assert all(line.path == "/radio-log" and line.body["text"] for line in lines)
    assert said_over_the_air(world_of(Clock(), *there), "sim", seen) == []
