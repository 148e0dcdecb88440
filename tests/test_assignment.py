"""All at once against one by one: never worse, exactly as good as trying everything, whoever comes in what order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatch.assignment import MOST_LOAD, MOST_WAITED_S, Plan, Proposal, Waiting, propose, token, worth_waiting
from dispatch.district import check, load
from dispatch.model import Mode, Unit, Weights
from dispatch.routing import Candidate, hindrance
from geo.travel import Leg
from tests.small_district import TOML, write_small_district

T = TypeVar("T")

STANDARD = Weights()
NOBODY: frozenset[str] = frozenset()


def unit(number: int, seconds: float | None, on_shift: bool = True) -> Candidate:
    """Units of two teams, by turns."""
    made = Unit(f"U{number}", "", "", f"T{number % 2}", Mode.VEHICLE, "B", 2)
    return Candidate(made, None if seconds is None else Leg(seconds, seconds * 10, "vehicle"), on_shift=on_shift)


def waits(number: int, urgency: int, waited_s: float, *candidates: Candidate) -> Waiting:
    return Waiting(f"C{number}", number + 1, urgency, waited_s, candidates)


@st.composite
def instances(
    draw: st.DrawFn, cases: int = 5, units: int = 5
) -> tuple[list[Waiting], frozenset[str], dict[str, float]]:
    """Few seconds to choose from, so that many are equal."""
    seconds = st.none() | st.sampled_from([0.0, 60.0, 60.5, 600.0, 9_000.0]) | st.floats(0, 20_000)
    count = draw(st.integers(0, units))
    shifts = draw(st.lists(st.booleans(), min_size=count, max_size=count)) if draw(st.booleans()) else [True] * count
    made = [
        waits(
            number,
            draw(st.integers(1, 3)),
            draw(st.sampled_from([0.0, 300.0, 1e6]) | st.floats(0, 1e7)),
            *(unit(n, draw(seconds), shifts[n]) for n in range(count) if draw(st.integers(0, 3))),
        )
        for number in range(draw(st.integers(0, cases)))
    ]
    busy = frozenset(f"U{n}" for n in draw(st.sets(st.integers(0, units - 1), max_size=2)))
    return made, busy, draw(st.dictionaries(st.sampled_from(["T0", "T1"]), st.floats(0, 5)))


weights = st.builds(
    Weights,
    st.fixed_dictionaries({1: st.floats(0.5, 9), 2: st.floats(0.5, 9), 3: st.floats(0.5, 9)}),
    st.floats(1, 20_000),
    st.floats(1, 5_000),
)


def cost(
    made: list[Waiting], sent: dict[str, str], share: dict[str, float], by: Weights, busy: frozenset[str]
) -> float:
    """The formula of docs/assignment.md, read plainly."""
    ways = {
        (one.case, c.unit.code): c.leg.seconds + by.load_s * min(share.get(c.unit.team, 0), MOST_LOAD)
        for one in made
        for c in one.candidates
        if c.leg and not hindrance(c, busy)
    }
    left_s = max([by.left_s, *(way + 1 for way in ways.values())])
    total = 0.0
    for one in made:
        waited = min(one.waited_s, MOST_WAITED_S)
        spent = ways[one.case, sent[one.case]] if one.case in sent else left_s + waited
        total += by.urgency[one.urgency] * spent
    return total


def may_go(made: list[Waiting], busy: frozenset[str]) -> set[tuple[str, str]]:
    return {(one.case, c.unit.code) for one in made for c in one.candidates if not hindrance(c, busy)}


def sent(plan: Plan) -> dict[str, str]:
    return {pair.case: pair.unit for pair in plan.pairs}


def everything(made: list[Waiting], busy: frozenset[str]) -> list[dict[str, str]]:
    """Every plan there is."""
    allowed = may_go(made, busy)
    units = sorted({code for _, code in allowed}) + [""] * len(made)
    chosen = set(permutations(units, len(made)))
    plans = [{one.case: code for one, code in zip(made, row, strict=True) if code} for row in chosen]
    return [plan for plan in plans if plan.items() <= allowed]


@settings(deadline=None)
@given(instances(), weights)
def test_it_is_never_worse_and_only_sends_who_may_go(
    instance: tuple[list[Waiting], frozenset[str], dict[str, float]], by: Weights
) -> None:
    made, busy, share = instance
    found = propose(made, busy, share, by)
    allowed = may_go(made, busy)
    for plan in (found.plan, found.one_by_one):
        goes = sent(plan)
        assert len(goes) == len(plan.pairs) == len(set(goes.values())), "each case once, each unit once"
        assert goes.items() <= allowed
        assert sorted([*goes, *plan.left]) == sorted(one.case for one in made)
        assert plan.cost == pytest.approx(cost(made, goes, share, by, busy))
        assert plan.tally.served == len(goes) == sum(one.served for one in plan.by_urgency.values())
        assert plan.tally.total_s == pytest.approx(sum(one.total_s for one in plan.by_urgency.values()))
        idle = {code for _, code in allowed} - set(goes.values())
        assert not {(case, code) for case, code in allowed if case in plan.left and code in idle}
    assert found.plan.cost <= found.one_by_one.cost * (1 + 1e-9)
    assert found.as_good == (sent(found.plan) == sent(found.one_by_one))


@settings(deadline=None)
@given(instances(4, 4), weights)
@example(([waits(0, 1, 0, unit(0, 5.0)), waits(1, 1, 0, unit(0, 5.0), unit(1, 9_000.0))], NOBODY, {}), STANDARD)
def test_it_costs_what_the_best_of_all_plans_costs(
    instance: tuple[list[Waiting], frozenset[str], dict[str, float]], by: Weights
) -> None:
    made, busy, share = instance
    best = min(cost(made, goes, share, by, busy) for goes in everything(made, busy))
    assert propose(made, busy, share, by).plan.cost == pytest.approx(best)


@settings(deadline=None)
@given(instances(), st.randoms(use_true_random=False))
def test_whoever_comes_first_the_plan_is_the_same(
    instance: tuple[list[Waiting], frozenset[str], dict[str, float]], random: Random
) -> None:
    made, busy, share = instance
    shuffled = [replace(one, candidates=tuple(_shuffled(one.candidates, random))) for one in _shuffled(made, random)]
    assert propose(shuffled, busy, share, STANDARD) == propose(made, busy, share, STANDARD)
    assert token("v", shuffled, busy, share) == token("v", made, busy, share)


def _shuffled(items: Iterable[T], random: Random) -> list[T]:
    found = list(items)
    random.shuffle(found)
    return found


@settings(deadline=None)
@given(instances())
def test_one_by_one_is_what_is_done_without_a_plan(
    instance: tuple[list[Waiting], frozenset[str], dict[str, float]],
) -> None:
    """The most urgent, then who waits longest: each the nearest that is still free. Read plainly."""
    made, busy, share = instance
    free, goes = {code for _, code in may_go(made, busy)}, {}
    for one in sorted(made, key=lambda one: (one.urgency, -one.waited_s, one.case)):
        can = [c for c in one.candidates if c.leg and not hindrance(c, busy) and c.unit.code in free]
        if can:
            nearest = min(can, key=lambda c: (c.leg.seconds if c.leg else math.inf, c.unit.code))
            goes[one.case] = nearest.unit.code
            free.discard(nearest.unit.code)
    assert sent(propose(made, busy, share, STANDARD).one_by_one) == goes


def two_crossed() -> list[Waiting]:
    """The first takes the only unit that could reach the second in time."""
    return [
        waits(0, 2, 600, unit(0, 300.0), unit(1, 360.0)),
        waits(1, 2, 0, unit(0, 240.0), unit(1, 3_000.0)),
    ]


def only(found: Proposal) -> list[tuple[str, str, str]]:
    return [(pair.case, pair.unit, found.why[pair.case].code) for pair in found.plan.pairs]


def test_a_minute_of_one_saves_three_quarters_of_an_hour_of_another() -> None:
    found = propose(two_crossed(), NOBODY, {}, STANDARD)
    assert sent(found.one_by_one) == {"C0": "U0", "C1": "U1"}
    assert only(found) == [("C0", "U1", "needed_elsewhere"), ("C1", "U0", "nearest")]
    assert not found.as_good
    assert (found.one_by_one.tally.total_s, found.plan.tally.total_s) == (3300, 600)
    assert found.one_by_one.cost - found.plan.cost == 2 * 2700
    why = found.why["C0"]
    assert (why.unit, why.eta_s, why.case) == ("U0", 300, "C1")


def test_where_one_by_one_is_as_good_it_is_the_plan() -> None:
    made = [waits(0, 1, 0, unit(0, 60.0)), waits(1, 3, 0, unit(0, 30.0), unit(1, 60.0)), waits(2, 3, 0, unit(0, 9.0))]
    found = propose(made, NOBODY, {}, STANDARD)
    assert found.as_good
    assert found.plan == found.one_by_one
    assert found.plan.left == ("C2",)
    assert found.why["C2"].code == "all_needed"
    assert found.why["C2"].case == "C0"


def test_more_are_served_where_the_first_would_take_the_only_unit_of_another() -> None:
    made = [waits(0, 1, 0, unit(0, 60.0), unit(1, 600.0)), waits(1, 3, 0, unit(0, 60.0))]
    found = propose(made, NOBODY, {}, STANDARD)
    assert (found.one_by_one.tally.served, found.plan.tally.served) == (1, 2)


def test_the_more_urgent_is_served_and_then_who_waited_longer() -> None:
    one_unit = [
        waits(n, urgency, waited, unit(0, 60.0)) for n, (urgency, waited) in enumerate([(3, 0), (1, 0), (2, 9)])
    ]
    assert sent(propose(one_unit, NOBODY, {}, STANDARD).plan) == {"C1": "U0"}
    same = [waits(n, 2, waited, unit(0, 60.0)) for n, waited in enumerate([10.0, 30.0, 20.0])]
    assert sent(propose(same, NOBODY, {}, STANDARD).plan) == {"C1": "U0"}
    long = [waits(0, 3, 40_000.0, unit(0, 60.0)), waits(1, 2, 0.0, unit(0, 60.0))]
    assert sent(propose(long, NOBODY, {}, STANDARD).plan) == {"C0": "U0"}, "who waited eleven hours is not passed over"


def test_a_team_that_has_much_to_do_is_spared_a_little() -> None:
    made = [waits(0, 2, 0, unit(0, 300.0), unit(1, 400.0))]
    assert sent(propose(made, NOBODY, {}, STANDARD).plan) == {"C0": "U0"}
    found = propose(made, NOBODY, {"T0": 1.0}, STANDARD)
    assert only(found) == [("C0", "U1", "spared")]
    far = [waits(0, 2, 0, unit(0, 300.0), unit(1, 1_300.0))]
    assert sent(propose(far, NOBODY, {"T0": 9.0}, STANDARD).plan) == {"C0": "U0"}, "but never by much"


def test_a_plan_is_worth_waiting_for_by_what_it_saves() -> None:
    found = propose(two_crossed(), NOBODY, {}, STANDARD)
    assert found.one_by_one.cost - found.plan.cost == 5400
    assert worth_waiting(found, STANDARD, 1349, 1), "two cases that count twice"
    assert not worth_waiting(found, STANDARD, 1350, 1)
    assert worth_waiting(found, STANDARD, 1e9, 2), "those do not wait"
    as_good = propose([waits(0, 2, 0, unit(0, 9.0))], NOBODY, {}, STANDARD)
    assert not worth_waiting(as_good, STANDARD, 0, 3)


def test_who_may_not_go_is_said_by_why() -> None:
    made = [waits(0, 1, 0, unit(0, 60.0), unit(1, None), unit(2, 60.0, on_shift=False), unit(3, 70.0))]
    found = propose(made, frozenset({"U0", "U3"}), {}, STANDARD)
    assert found.plan.pairs == ()
    assert found.why["C0"].code == "no_unit"
    assert found.why["C0"].hindered == {"busy": 2, "off_shift": 1, "unreachable": 1}


def test_nobody_waits() -> None:
    found = propose([], NOBODY, {}, STANDARD)
    assert found.as_good
    assert (found.plan.pairs, found.plan.left, found.plan.tally.median_s) == ((), (), None)


def test_a_token_is_of_what_the_plan_rests_on() -> None:
    made = two_crossed()
    first = token("v", made, NOBODY, {})
    assert token("v", [replace(one, waited_s=one.waited_s + 9) for one in made], NOBODY, {}) == first
    others = [
        token("w", made, NOBODY, {}),
        token("v", made, frozenset({"U0"}), {}),
        token("v", made, NOBODY, {"T0": 0.5}),
        token("v", made[:1], NOBODY, {}),
        token("v", [replace(made[0], seq=9), made[1]], NOBODY, {}),
    ]
    assert len({first, *others}) == 6


# --- the district's own weights ---------------------------------------------------------------------------------------


def test_a_district_may_have_weights_of_its_own(tmp_path: Path) -> None:
    folder = write_small_district(tmp_path / "small")
    assert load(folder).settings.weights == STANDARD
    own = "\n[assignment]\nurgency = { 1 = 9 }\nleft_min = 30\nload_min = 1\n"
    (folder / "district.toml").write_text(TOML + own, "utf-8")
    assert load(folder).settings.weights == Weights({1: 9.0, 2: 2.0, 3: 1.0}, 1800, 60)


@pytest.mark.parametrize(
    "wrong", ["urgency = 3", "urgency = { 4 = 1 }", "urgency = { 1 = 0 }", "left_min = 0", "load_min = true"]
)
def test_wrong_weights_are_named(tmp_path: Path, wrong: str) -> None:
    folder = write_small_district(tmp_path / "small")
    (folder / "district.toml").write_text(f"{TOML}\n[assignment]\n{wrong}\n", "utf-8")
    (finding,) = check(folder)
    assert f"assignment.{wrong.partition(' ')[0]}" in str(finding)
