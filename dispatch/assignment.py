"""Which unit goes to which waiting case, all at once (统筹派遣): linear sum assignment, held against one by one. Pure.

The costs are `docs/assignment.md`'s. The solver is SciPy's `linear_sum_assignment` (exact; a modified Jonker-Volgenant
algorithm).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dispatch.model import Weights
from dispatch.routing import Candidate, hindrance, rank
from geo.travel import Leg

MOST_WAITED_S: Final = 86_400.0
"""What a case has waited counts up to a day: one that came out of a long suspension must not outweigh all others."""
MOST_LOAD: Final = 2.0
"""A team's load counts up to twice what it should have."""
_EQUAL: Final = 1e-9
"""Sums of costs that differ by less than this share of them are the same."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits for a unit, with all that could go or could not."""

    case: str
    seq: int
    """The step that it stands at."""
    urgency: int
    waited_s: float
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A unit for a case."""

    case: str
    unit: str
    leg: Leg
    cost: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What a plan comes to, over some of the cases."""

    cases: int
    served: int
    total_s: float
    """On the way, of those served."""
    median_s: float | None
    """None: nobody is served."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who goes where, the most urgent first and of equals who waits longest; and who goes on waiting."""

    pairs: tuple[Pair, ...]
    left: tuple[str, ...]
    cost: float
    """Weighted seconds: see `docs/assignment.md`."""
    tally: Tally
    by_urgency: Mapping[int, Tally]


@dataclass(frozen=True, slots=True)
class Why:
    """Why a case is given this unit, or none."""

    code: str
    """`nearest`; `needed_elsewhere`: a nearer one is given to `case`; `spared`: a nearer one's team has more to do;
    of a case that is left `all_needed` (who could go is given to others) or `no_unit` (nobody can: `hindered`)."""
    unit: str | None = None
    """The nearest that could go, where another is sent."""
    eta_s: float | None = None
    case: str | None = None
    hindered: Mapping[str, int] = field(default_factory=dict)
    """How many of its candidates may not go, by why."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The best plan, held against what comes of serving one case after another."""

    plan: Plan
    one_by_one: Plan
    as_good: bool
    """One by one is as good: then it is the plan."""
    why: Mapping[str, Why]


def propose(waiting: Iterable[Waiting], busy: Collection[str], load: Mapping[str, float], weights: Weights) -> Proposal:
    """The plan for all who wait, whatever order they come in.

    busy: units that are on a case; load: team code -> its open cases as a share of what it should have at most (teams
    without such a limit are not there). Each case is given one unit at most, each unit one case at most, and only
    where `routing.hindrance` says nothing against it. No such pair is left with both of them free.
    """
    known = {one.case: one for one in waiting}
    cases = sorted(known.values(), key=_turn)
    costs = _Costs.of(cases, busy, load, weights)
    single = _plan(cases, _one_by_one(cases, busy), costs)
    best = _plan(cases, _all_at_once(cases, costs), costs)
    as_good = single.cost <= best.cost * (1 + _EQUAL)
    plan = single if as_good else best
    return Proposal(plan, single, as_good, _reasons(cases, plan, busy))


def worth_waiting(proposal: Proposal, weights: Weights, wait_s: float, beyond: int) -> bool:
    """Whether the plan saves more than it costs that the cases which it serves wait so many seconds for it.

    beyond: those of this urgency do not wait. Both are weighted seconds.
    """
    waits = sum(
        weights.urgency.get(level, 1.0) * tally.served
        for level, tally in proposal.plan.by_urgency.items()
        if level > beyond
    )
    return not proposal.as_good and proposal.one_by_one.cost - proposal.plan.cost > wait_s * waits


def token(version: str, waiting: Iterable[Waiting], busy: Collection[str], load: Mapping[str, float]) -> str:
    """A digest of what a plan rests on: the edition, the cases at their steps, who may go and how long that takes."""
    rests_on = [
        version,
        sorted(
            [
                one.case,
                one.seq,
                sorted([c.unit.code, round(c.leg.seconds)] for c in one.candidates if c.leg and not hindrance(c, busy)),
            ]
            for one in waiting
        ),
        sorted([team, round(share, 4)] for team, share in load.items()),
    ]
    return hashlib.sha256(json.dumps(rests_on, ensure_ascii=False).encode()).hexdigest()[:32]


def _turn(one: Waiting) -> tuple[int, float, str]:
    """In this order cases are served one by one."""
    return (one.urgency, -one.waited_s, one.case)


@dataclass(frozen=True, slots=True)
class _Costs:
    """Of each allowed pair, and of leaving a case."""

    pairs: Mapping[tuple[str, str], float]
    legs: Mapping[tuple[str, str], Leg]
    left: Mapping[str, float]

    @classmethod
    def of(cls, cases: Sequence[Waiting], busy: Collection[str], load: Mapping[str, float], weights: Weights) -> _Costs:
        legs, seconds = dict[tuple[str, str], Leg](), dict[tuple[str, str], float]()
        for one in cases:
            for candidate in one.candidates:
                if candidate.leg is not None and not hindrance(candidate, busy):
                    pair = (one.case, candidate.unit.code)
                    legs[pair] = candidate.leg
                    share = min(load.get(candidate.unit.team, 0.0), MOST_LOAD)
                    seconds[pair] = candidate.leg.seconds + weights.load_s * share
        # Above all of them, so that nobody waits for whom somebody free could go.
        least = max(weights.left_s, max(seconds.values(), default=0.0) + 1.0)
        weight = {one.case: weights.urgency.get(one.urgency, 1.0) for one in cases}
        left = {one.case: weight[one.case] * (least + min(one.waited_s, MOST_WAITED_S)) for one in cases}
        return cls({pair: weight[pair[0]] * cost for pair, cost in seconds.items()}, legs, left)


def _one_by_one(cases: Sequence[Waiting], busy: Collection[str]) -> dict[str, str]:
    """What is done without a plan: one after the other, each is given the nearest that is still free."""
    taken, sent = set(busy), dict[str, str]()
    for one in cases:
        first = next(iter(rank(one.candidates, taken)), None)
        if first is not None and first.chosen:
            sent[one.case] = first.unit
            taken.add(first.unit)
    return sent


def _all_at_once(cases: Sequence[Waiting], costs: _Costs) -> dict[str, str]:
    """What is saved by serving a case, against leaving it, made as much as can be.

    Every allowed pair saves something; one that is not allowed saves nothing, and is no pair wherever the solver puts
    one. So there is always a solution, of any number of cases and units.
    """
    units = sorted({unit for _, unit in costs.pairs})
    rows, columns = {one.case: n for n, one in enumerate(cases)}, {unit: n for n, unit in enumerate(units)}
    saved: NDArray[np.float64] = np.zeros((len(rows), len(columns)))
    for (case, unit), cost in costs.pairs.items():
        saved[rows[case], columns[unit]] = costs.left[case] - cost
    chosen = zip(*linear_sum_assignment(saved, maximize=True), strict=True)
    return {cases[row].case: units[column] for row, column in chosen if saved[row, column] > 0}


def _plan(cases: Sequence[Waiting], sent: Mapping[str, str], costs: _Costs) -> Plan:
    pairs = tuple(
        Pair(one.case, unit, costs.legs[one.case, unit], costs.pairs[one.case, unit])
        for one in cases
        if (unit := sent.get(one.case))
    )
    left = tuple(one.case for one in cases if one.case not in sent)
    urgency = {one.case: one.urgency for one in cases}
    return Plan(
        pairs=pairs,
        left=left,
        cost=sum(pair.cost for pair in pairs) + sum(costs.left[case] for case in left),
        tally=_tally(len(cases), pairs),
        by_urgency={
            level: _tally(count, [pair for pair in pairs if urgency[pair.case] == level])
            for level, count in sorted(Counter(urgency.values()).items())
        },
    )


def _tally(cases: int, pairs: Sequence[Pair]) -> Tally:
    seconds = [pair.leg.seconds for pair in pairs]
    return Tally(cases, len(pairs), sum(seconds), median(seconds) if seconds else None)


def _reasons(cases: Sequence[Waiting], plan: Plan, busy: Collection[str]) -> dict[str, Why]:
    sent = {pair.case: pair.unit for pair in plan.pairs}
    goes_to = {unit: case for case, unit in sent.items()}
    found = {}
    for one in cases:
        first, unit = next(iter(rank(one.candidates, busy)), None), sent.get(one.case)
        nearest = first.unit if first is not None and first.chosen else None
        if first is None or nearest is None:
            hindered = Counter(hindrance(candidate, busy) for candidate in one.candidates)
            found[one.case] = Why("no_unit", hindered=dict(sorted(hindered.items())))
        elif unit == nearest:
            found[one.case] = Why("nearest")
        elif unit is None:
            found[one.case] = Why("all_needed", nearest, first.eta_s, goes_to.get(nearest))
        else:
            code = "needed_elsewhere" if nearest in goes_to else "spared"
            found[one.case] = Why(code, nearest, first.eta_s, goes_to.get(nearest))
    return found
