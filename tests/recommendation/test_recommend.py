"""What must hold of any recommendation, in small towns against trying everything."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.drives import drive_of
from geo.places import Point
from incidents.dispatch_policy import Policy
from incidents.recommendation import UNMET, Option, Recommendation, recommend, recommend_together
from incidents.run_cards import Need, NeedKind
from incidents.situation import Candidate, Target
from incidents.standing import Covering
from resources.gaps import Gap
from tests.recommendation.fleets import GATE, PEOPLE, SIDE, TARGET, call, card, fleets, job, needs, town, unit, wall
from tests.travel.towns import spot

GUM, TRA = Need("GUM"), Need("TRA")
COUNTRY = settings(max_examples=60, deadline=None)


def names(answer: Recommendation) -> list[list[str]]:
    return [[pick.option.unit.call_sign for pick in need.picks] for need in answer.needs]


def reason_of(answer: Recommendation, call_sign: str, need: int = 0) -> str:
    """Why a unit was chosen, was not, or does not come into question."""
    one = answer.needs[need]
    for pick in (*one.picks, *one.others):
        if pick.option.unit.call_sign == call_sign:
            return pick.why.code
    return next(ruled.reason.code for ruled in one.ruled_out if ruled.unit.call_sign == call_sign)


# ── One call ──────────────────────────────────────────────────────────────────────────────────────


def test_the_nearest_by_road_goes_and_not_the_nearest_on_the_map() -> None:
    beside, round_the_corner = unit("M1", 5, 6), unit("M2", 9, 6)
    free = recommend(town(beside, round_the_corner), call(6, 6), card(GUM))
    assert names(free) == [["M1"]]
    assert reason_of(free, "M1") == "fastest"
    assert reason_of(free, "M2") == "slower"
    barred = recommend(town(beside, round_the_corner, closed=[wall(5)]), call(6, 6), card(GUM))
    assert names(barred) == [["M2"]], "closing a street changes the choice"
    assert reason_of(barred, "M1") == "unreachable_closed"
    assert reason_of(barred, "M2") == "only_one"


def test_one_unit_meets_one_need_whatever_it_can_do() -> None:
    both = unit("M1", 6, 6, capabilities={"GUM": None, "TRA": None})
    answer = recommend(town(both), call(6, 5), card(GUM, TRA))
    assert sorted(len(one) for one in names(answer)) == [0, 1]
    assert answer.short == 1
    short = next(one.shortfall for one in answer.needs if one.shortfall)
    assert (short.count, short.why) == (1, "all_used")


def test_a_unit_that_can_do_both_is_left_for_what_only_it_can_do() -> None:
    both, plain = unit("M1", 6, 6, capabilities={"GUM": None, "TRA": None}), unit("M2", 0, 0)
    answer = recommend(town(both, plain), call(6, 5), card(GUM, TRA))
    assert names(answer) == [["M2"], ["M1"]]
    assert reason_of(answer, "M1", 0) == "used_elsewhere"
    assert reason_of(answer, "M2", 0) == "next_after_those_sent"


def test_required_needs_come_first_and_the_reserve_is_not_ticked() -> None:
    one, two = unit("M1", 6, 6), unit("M2", 9, 6)
    wanted = card(Need("GUM", kind=NeedKind.RESERVE), Need("GUM", kind=NeedKind.PREFERRED), GUM)
    answer = recommend(town(one, two), call(6, 5), wanted)
    assert names(answer) == [[], ["M2"], ["M1"]]
    assert answer.short == 0, "only what is required is missed"
    assert [need.ticked for need in answer.needs] == [False, True, True]
    assert [pick.option.unit.call_sign for pick in answer.picks] == ["M2", "M1"]


def test_levels_add_up() -> None:
    answer = recommend(
        town(unit("M1", 6, 6), unit("T2", 6, 7, capabilities={"TRA": None})), call(6, 5), card(GUM, more=[TRA]), 2
    )
    assert names(answer) == [["M1"], ["T2"]]
    assert names(recommend(town(unit("M1", 6, 6)), call(6, 5), card(GUM, more=[TRA]), 1)) == [["M1"]]


def test_who_goes_already_counts_and_is_not_sent_again() -> None:
    there = unit("M1", 12, 12, jobs=(job(1, 1, "on_scene"),))
    answer = recommend(town(there, unit("M2", 6, 6)), call(6, 5, number=1), card(GUM))
    assert names(answer) == [[]]
    assert [one.call_sign for one in answer.needs[0].going] == ["M1"]
    assert answer.needs[0].shortfall is None
    assert reason_of(answer, "M2") == "not_needed"


def test_no_card_asks_for_nobody() -> None:
    assert recommend(town(unit("M1", 6, 6)), call(6, 5), None).needs == ()


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("off_duty", {"duty": "break"}),
        ("gated", {"gaps": (GATE,)}),
        ("busy_with", {"jobs": (job(2, 1),)}),
        ("busy_with", {"jobs": (job(2, None),)}),
        ("busy_with", {"jobs": (job(2, 4, "on_scene"),)}),
        ("no_position", {"place": None, "position_age": None}),
        ("stale_position", {"position_age": 3601.0}),
        ("missing_amount", {"capabilities": {"GUM": 400.0}}),
        ("other_jurisdiction", {"territories": frozenset({"Norte"})}),
    ],
)
def test_who_does_not_come_into_question_is_said(code: str, given: dict[str, object]) -> None:
    nearest, farther = (
        unit("M1", 6, 6, **{"capabilities": {"GUM": 5000.0}, **given}),
        unit("M2", 9, 9, capabilities={"GUM": 2000.0}),
    )
    answer = recommend(
        town(nearest, farther), call(6, 5, number=7, jurisdiction="Sur"), card(Need("GUM", at_least=1000.0))
    )
    assert names(answer) == [["M2"]]
    assert reason_of(answer, "M1") == code
    alone = recommend(town(nearest), call(6, 5, number=7, jurisdiction="Sur"), card(Need("GUM", at_least=1000.0)))
    shortfall = alone.needs[0].shortfall
    assert shortfall is not None
    assert shortfall.count == 1
    assert shortfall.why.startswith(("all_", "none_"))
    assert recommend(town(), call(6, 5), card(GUM)).needs[0].shortfall.why == "nobody_has"  # type: ignore[union-attr]


def test_units_of_others_are_asked_and_never_sent() -> None:
    theirs, farther = unit("P1", 6, 6, ours=False, organization="Policía"), unit("P2", 1, 1, ours=False)
    answer = recommend(town(farther, theirs), call(6, 5), card(GUM))
    assert names(answer) == [[]]
    assert [option.unit.call_sign for option in answer.needs[0].to_ask] == ["P1", "P2"]
    assert answer.short == 1


def test_a_unit_may_be_taken_from_a_lower_call_for_its_price() -> None:
    busy, free = unit("M1", 6, 6, jobs=(job(2, 4),)), unit("M2", 9, 6)
    answer = recommend(town(busy, free), call(6, 5), card(GUM))
    assert names(answer) == [["M2"]]
    assert reason_of(answer, "M2") == "further_but_free"
    assert reason_of(answer, "M1") == "costs_taken_from"
    alone = recommend(town(busy), call(6, 5), card(GUM)).needs[0].picks[0].option
    assert alone.leaves == busy.jobs[0]
    cheap = recommend(town(busy, free, policy=Policy(preempt_s=1)), call(6, 5), card(GUM))
    assert names(cheap) == [["M1"]]
    never = recommend(town(busy, free, policy=Policy(preempt_s=1, preempt_up_to=0)), call(6, 5), card(GUM))
    assert names(never) == [["M2"]]


def test_an_old_position_and_the_last_of_a_kind_cost_seconds_that_are_told() -> None:
    old, fresh = unit("M1", 6, 6, position_age=180.0), unit("M2", 7, 6)
    answer = recommend(town(old, fresh), call(6, 5), card(GUM))
    assert names(answer) == [["M2"]]
    assert reason_of(answer, "M2") == "fresher_position"
    rare = unit("M1", 6, 6, capabilities={"GUM": None, "DEA": None})
    assert reason_of(recommend(town(rare, fresh), call(6, 5), card(GUM)), "M2") == "keeps_last"
    warned = unit("M1", 6, 6, gaps=(Gap("service_due", {}, blocks=False),))
    assert reason_of(recommend(town(warned, fresh), call(6, 5), card(GUM)), "M2") == "nothing_missing"


def test_cameras_serve_from_where_they_are() -> None:
    room = unit("MON1", None, kind="monitoring", capabilities={"MON": None})
    answer = recommend(town(room), call(6, 5), card(Need("MON")))
    option = answer.needs[0].picks[0].option
    assert [(reason.code, reason.seconds) for reason in option.reasons] == [("remote", 0.0)]


def test_a_farther_one_goes_where_the_nearest_would_leave_people_alone() -> None:
    """West is held by one unit, east by two; a coexistence call in the middle takes one of the two."""
    west, east, beside = unit("M1", 4, 6), unit("M2", 9, 6), unit("M3", 9, 7)
    place = town(west, east, beside, targets=[TARGET], policy=Policy(coverage_s={str(n): 30.0 for n in (1, 2, 3, 4)}))
    answer = recommend(place, call(6, 6, 4), card(GUM))
    assert names(answer) == [["M2"]]
    assert reason_of(answer, "M2") == "keeps_coverage"
    assert reason_of(answer, "M1") == "costs_coverage"
    first = next(pick.option for pick in answer.needs[0].others if pick.option.unit.call_sign == "M1")
    assert first.loss is not None
    assert first.loss.lost.zones[0][0] == "Oeste"


# ── Any fleet, any call ───────────────────────────────────────────────────────────────────────────

places = st.tuples(st.integers(0, SIDE), st.integers(0, SIDE))


def score(answer: Recommendation) -> float:
    """What the whole answer costs."""
    return sum(pick.option.score for pick in answer.picks) + UNMET * answer.short


@COUNTRY
@given(fleets(), needs(), places, st.booleans())
def test_nobody_is_sent_who_may_not(fleet: list[Candidate], wanted: list[Need], at: tuple[int, int], cut: bool) -> None:
    place = town(*fleet, closed=[wall(5)] if cut else [], targets=[TARGET])
    answer = recommend(place, call(*at, number=1), card(*wanted))
    sent = [pick.option for pick in answer.picks]
    assert len({option.unit.id for option in sent}) == len(sent), "one unit, one need"
    for option in sent:
        assert option.unit.ours
        assert option.unit.duty == "on_duty"
        assert not option.unit.blocked
        assert option.eta.seconds is not None
        assert all(one.priority and one.priority >= 3 and one.status == "en_route" for one in option.unit.jobs)
        assert option.unit.job_on(UUID(int=9001)) is None
    for need in answer.needs:
        assert all(need.need.capability in pick.option.unit.capabilities for pick in (*need.picks, *need.others))
        missing = need.shortfall.count if need.shortfall else 0
        assert len(need.picks) + len(need.going) + missing == need.need.count
    assert answer == recommend(place, call(*at, number=1), card(*wanted)), "the same question has the same answer"


@COUNTRY
@given(fleets(), needs(), places)
def test_what_is_said_adds_up(fleet: list[Candidate], wanted: list[Need], at: tuple[int, int]) -> None:
    place = town(*fleet, targets=[TARGET])
    for need in recommend(place, call(*at), card(*wanted)).needs:
        for pick in (*need.picks, *need.others):
            option = pick.option
            assert option.score == pytest.approx(sum(reason.seconds for reason in option.reasons))
            assert option.reasons[0].seconds == option.eta.seconds
            assert all(reason.seconds >= 0 for reason in option.reasons)


@COUNTRY
@given(fleets(5), needs(), places)
def test_no_other_sending_is_cheaper(fleet: list[Candidate], wanted: list[Need], at: tuple[int, int]) -> None:
    """Against trying every way to give units to needs."""
    place = town(*fleet, targets=[TARGET])
    answer = recommend(place, call(*at, number=1), card(*wanted))
    slots: list[dict[UUID, float]] = []
    for need in answer.needs:
        costs = {pick.option.unit.id: pick.option.score for pick in (*need.picks, *need.others)}
        free = {one.id: 0.0 for one in fleet if one.job_on(UUID(int=9001)) and need.need.capability in one.capabilities}
        slots += [costs | free] * need.need.count
    everybody: list[UUID | None] = [*(one.id for one in fleet), *([None] * len(slots))]
    cheapest = min(
        sum(UNMET if one is None else slot.get(one, 1e12) for one, slot in zip(some, slots, strict=True))
        for some in set(itertools.permutations(everybody, len(slots)))
    )
    assert score(answer) == pytest.approx(cheapest)


@COUNTRY
@given(fleets(4), needs(), places, places)
def test_one_unit_more_never_makes_it_worse(
    fleet: list[Candidate], wanted: list[Need], at: tuple[int, int], stands: tuple[int, int]
) -> None:
    more = unit("M99", *map(float, stands), capabilities={"GUM": None, "TRA": None})
    before, after = (recommend(town(*some), call(*at), card(*wanted)) for some in (fleet, [*fleet, more]))
    # With one more, nobody is the last with anything any more; nothing else may change but for the better.
    assert score(after) <= score(before) + 1e-6


@COUNTRY
@given(fleets(), st.sampled_from([0.3, 0.7, 1.5]), st.booleans())
def test_what_a_unit_leaves_is_what_trying_it_says(fleet: list[Candidate], minutes: float, cut: bool) -> None:
    target = Target(UUID(int=78), "GUM", None, minutes, 0.9)
    place = town(*fleet, closed=[wall(5)] if cut else [], targets=[target])
    covering = Covering(place, target)
    origins = [(one.place or Point(), drive_of(one.kind)) for one in covering.units]
    for n, one in enumerate(covering.units):
        said = covering.loss(one.id)
        tried = place.travel.lost_coverage(origins, minutes * 60, [n], PEOPLE)
        assert said is not None
        assert said.lost.street_km == pytest.approx(tried.street_km, abs=1e-6)
        assert (said.lost.people, said.lost.zones) == (tried.people, tried.zones)
    if covering.units:
        cover = place.travel.coverage(origins, minutes * 60, PEOPLE)
        assert covering.share().street_km == pytest.approx(cover.street_km)
        assert covering.share().people == cover.people


# ── Several calls ─────────────────────────────────────────────────────────────────────────────────


def test_two_calls_want_the_same_unit_and_the_trade_is_told() -> None:
    """M3 is nearest to both; there nobody else is near, here M7 is close behind."""
    middle, near_here = unit("M3", 6, 6), unit("M7", 4, 4)
    here, there = call(5, 5, 1, 1), call(12, 12, 1, 2)
    first, second = recommend_together(town(middle, near_here), [(here, card(GUM), 1), (there, card(GUM), 1)])
    assert names(first) == [["M7"]]
    assert names(second) == [["M3"]]
    assert not second.trades
    (trade,) = recommend_together(town(middle, near_here), [(call(6, 5, 1, 1), card(GUM), 1), (there, card(GUM), 1)])[
        0
    ].trades
    assert trade.unit.call_sign == "M3"
    assert trade.instead is not None
    assert trade.instead.call_sign == "M7"
    assert trade.to == there.incident_id
    assert trade.later_here == pytest.approx(20 / 1.2, abs=1)


def test_first_come_is_not_first_served_and_the_graver_weighs_more() -> None:
    only = unit("M1", 6, 6)
    lesser, graver = call(6, 5, 3, 1), call(12, 12, 1, 2)
    first, second = recommend_together(town(only), [(lesser, card(GUM), 1), (graver, card(GUM), 1)])
    assert names(first) == [[]]
    assert names(second) == [["M1"]]
    assert first.needs[0].shortfall is not None
    assert first.needs[0].shortfall.why == "all_used"
    assert [(trade.unit.call_sign, trade.instead, trade.saved_there) for trade in first.trades] == [("M1", None, None)]


@COUNTRY
@given(fleets(5), st.lists(st.tuples(places, st.integers(1, 4)), min_size=2, max_size=3))
def test_together_is_never_dearer_than_one_after_the_other(
    fleet: list[Candidate], wanted: list[tuple[tuple[int, int], int]]
) -> None:
    place = town(*fleet)
    calls = [(call(*at, priority, number=100 + n), card(GUM), 1) for n, (at, priority) in enumerate(wanted)]
    weights = [place.policy.weights[str(one.priority)] for one, _, _ in calls]
    together = recommend_together(place, calls)
    sent = [pick.option.unit.id for answer in together for pick in answer.picks]
    assert len(sent) == len(set(sent)), "a unit is sent once"
    best = sum(weight * score(answer) for weight, answer in zip(weights, together, strict=True))

    def option(answer: Recommendation, unit_id: UUID) -> Option | None:
        need = answer.needs[0]
        return next((one.option for one in (*need.picks, *need.others) if one.option.unit.id == unit_id), None)

    for order in itertools.permutations(range(len(calls))):
        taken: set[UUID] = set()
        total = 0.0
        for n in order:
            options = [one for unit_ in fleet if unit_.id not in taken and (one := option(together[n], unit_.id))]
            first = min(options, key=lambda one: one.score, default=None)
            total += weights[n] * (first.score if first else UNMET)
            taken |= {first.unit.id} if first else set()
        assert best <= total + 1e-6


def test_the_whole_town_is_where_everybody_lives() -> None:
    covering = Covering(town(unit("M1", 6, 6)), Target(UUID(int=1), "GUM", None, 60.0, 0.9))
    assert (covering.share().share, covering.share().people) == (1.0, 15_000)
    nobody = Covering(town(), TARGET)
    assert nobody.share().share == 0.0
    half = PEOPLE.places[0].shape
    zone = Covering(town(unit("M1", 12, 12)), Target(UUID(int=1), "GUM", None, 0.2, 0.9, "Oeste", half))
    assert zone.share().share == 0.0
    assert zone.share().of_people == 10_000
    assert spot(1, 1).within(half)
