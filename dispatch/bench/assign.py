"""All at once against one by one, on made streams: what is gained, and what the whole question takes.

Made: so many units (the district's own, over and over, anywhere in it) and so many cases (anywhere, of any matter, of
the team that the decision table names there), which have waited twenty minutes at the mean. `crowded`: more wait than
there are units; `roomy`: fewer. Timed is all that a worker does for `GET /api/assignment` but reading: the ways of all
candidates from where they are, the plan, one by one beside it, the reasons and the token. In seconds of a processor,
after a small stream that loads what is compiled.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from statistics import fmean, median
from typing import Any, Final

import numpy as np

from dispatch.assignment import Plan, Proposal, Waiting, propose, token
from dispatch.bench import Result, Tell
from dispatch.bench.crowd import Moving, crowded, write_units
from dispatch.bench.points import inside, matters
from dispatch.district import load
from dispatch.fleet import Fleet, Position
from dispatch.ground import Ground
from dispatch.model import Mode, Unit, Weights
from dispatch.routing import Candidate
from geo.travel import Leg

CASES: Final = 200
UNITS: Final = 100
ROOMY: Final = 0.3
"""Of the cases, in the streams where fewer wait than there are units."""
BAR_S: Final = 1.0
MEAN_WAIT_S: Final = 1200.0
STALE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Round:
    proposal: Proposal
    took_s: float


def run(ground: Ground, district: Path, tell: Tell, cases: int = CASES, units: int = UNITS, rounds: int = 20) -> Result:
    """Measure; one bar: the longest of the crowded rounds."""
    with tempfile.TemporaryDirectory() as folder:
        many = copytree(district, Path(folder) / district.name)
        write_units(ground, many, units)
        crowd = crowded(ground, load(many))
    fleet = _spread(crowd)
    crowd.travel.warm()
    _measured(crowd, fleet, 20, rounds)
    figures: dict[str, Any] = {"cases": cases, "units": units, "rounds": rounds, "bar_s": BAR_S}
    figures["made"] = "units and cases are made (示意): seeds 0 to rounds - 1"
    longest = 0.0
    for name, count in (("crowded", cases), ("roomy", max(2, round(cases * ROOMY)))):
        tell(f"{name}: {rounds} x {count} cases, {units} units")
        found = [_measured(crowd, fleet, count, seed) for seed in range(rounds)]
        figures |= {f"{name}_{key}": value for key, value in _figures(found, count).items()}
        if name == "crowded":
            longest = max(one.took_s for one in found)
    tell("every unit may go to every case")
    figures["every_pair_s"] = round(_every_pair(cases, units), 3)
    return Result("bench assign", max(longest, figures["every_pair_s"]) < BAR_S, figures)


def _spread(crowd: Ground) -> Fleet:
    """Units anywhere, each known to be there."""
    fleet, moving, now = Fleet(crowd.district, STALE), Moving.of(crowd), datetime.now(UTC)
    places = zip(moving.codes, moving.lon.tolist(), moving.lat.tolist(), strict=True)
    fleet.learn(fleet.sift([Position(code, lon, lat, now) for code, lon, lat in places]).known, now)
    return fleet


def _measured(ground: Ground, fleet: Fleet, count: int, seed: int) -> _Round:
    """One made stream, planned for."""
    rng = np.random.default_rng(seed)
    lon, lat = inside(ground, count, seed)
    codes = list(ground.district.matters)
    chosen = [codes[number] for number in matters(ground, count, seed)]
    waited = rng.exponential(MEAN_WAIT_S, count).tolist()
    teams = [
        ground.table.decide(ground.locator.at(x, y), matter).team
        for x, y, matter in zip(lon.tolist(), lat.tolist(), chosen, strict=True)
    ]
    load_of = {team: float(rng.uniform(0, 1.2)) for team in ground.district.teams}
    weights, now = ground.district.settings.weights, datetime.now(UTC)
    began = time.process_time()
    waiting = [
        Waiting(
            f"C{n:04d}",
            1,
            ground.district.matters[chosen[n]].urgency,
            waited[n],
            tuple(ground.candidates(teams[n], float(lon[n]), float(lat[n]), fleet, now)),
        )
        for n in range(count)
    ]
    proposal = propose(waiting, (), load_of, weights)
    token(ground.district.version, waiting, (), load_of)
    return _Round(proposal, time.process_time() - began)


def _figures(found: Sequence[_Round], count: int) -> dict[str, Any]:
    together, single = [one.proposal.plan for one in found], [one.proposal.one_by_one for one in found]
    saved = [1 - a.cost / b.cost for a, b in zip(together, single, strict=True)]
    return {
        "cases": count,
        "took_median_s": round(median(one.took_s for one in found), 3),
        "took_max_s": round(max(one.took_s for one in found), 3),
        "cost_saved_median": round(median(saved), 4),
        "cost_saved_max": round(max(saved), 4),
        "as_good_one_by_one": sum(one.proposal.as_good for one in found),
        **_held_against("served_mean", [fmean(p.tally.served for p in plans) for plans in (together, single)]),
        **_held_against("travel_median_s", [_typical(plans) for plans in (together, single)]),
        **_held_against("minutes_per_served", [_per_served(plans) for plans in (together, single)]),
        **_held_against("urgent_median_s", [_typical(plans, 1) for plans in (together, single)]),
    }


def _held_against(name: str, values: Sequence[float]) -> dict[str, float]:
    together, single = values
    return {name: round(together, 1), f"{name}_one_by_one": round(single, 1)}


def _typical(plans: Sequence[Plan], urgency: int | None = None) -> float:
    """The median, over the plans, of the median way of those served (of one urgency)."""
    tallies = [plan.tally if urgency is None else plan.by_urgency.get(urgency) for plan in plans]
    return median(one.median_s for one in tallies if one is not None and one.median_s is not None)


def _per_served(plans: Sequence[Plan]) -> float:
    """Minutes on the way of one that is served."""
    return sum(p.tally.total_s for p in plans) / 60 / max(1, sum(p.tally.served for p in plans))


def _every_pair(cases: int, units: int) -> float:
    """Seconds of a processor for a plan where nothing is forbidden: the most there is to solve."""
    rng = np.random.default_rng(0)
    seconds = rng.uniform(60, 3600, (cases, units)).tolist()
    made = [Unit(f"U{n:03d}", "", "", "T", Mode.VEHICLE, "B", 2) for n in range(units)]
    waiting = [
        Waiting(
            f"C{n:04d}",
            1,
            n % 3 + 1,
            float(rng.exponential(MEAN_WAIT_S)),
            tuple(Candidate(unit, Leg(s, s * 10, "vehicle")) for unit, s in zip(made, seconds[n], strict=True)),
        )
        for n in range(cases)
    ]
    began = time.process_time()
    propose(waiting, (), {}, Weights())
    return time.process_time() - began
