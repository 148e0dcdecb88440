"""What a query for the nearest units takes while many move: by ruler; and all of it, ranked by time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median, quantiles
from typing import Final

import numpy as np

from dispatch.bench.crowd import EVERY_S, Moving
from dispatch.bench.points import inside
from dispatch.fleet import Fleet, Position
from dispatch.ground import Ground
from dispatch.model import UnitVerdict
from dispatch.routing import rank

SPREAD: Final = 24
"""So many units, anywhere in the district, are ranked for the sparse case."""


def nearest(ground: Ground, fleet: Fleet, asked: int = 2000) -> dict[str, float]:
    """Microseconds of a query for a team's nearest free units, of the same ranked by time, and of taking a move in.

    Of the processor, where nothing else is said: whoever else is at work here does not count. `ground`: `crowded`.
    """
    moving, now = Moving.of(ground), datetime.now(UTC)
    rng = np.random.default_rng(13)
    lon, lat = inside(ground, asked, seed=14)
    teams = [unit.team for unit in ground.district.units.values()]
    busy = frozenset(code for code, dice in zip(moving.codes, rng.random(len(moving.codes)), strict=True) if dice < 0.3)
    began, moves = time.thread_time(), 0
    for number in range(5):
        given = [
            Position(code, x, y, now + number * timedelta(seconds=EVERY_S))
            for code, x, y in zip(moving.codes, moving.lon.tolist(), moving.lat.tolist(), strict=True)
        ]
        fleet.learn(fleet.sift(given).known, now)
        moving.step(slice(None))
        moves += len(given)
    each = (time.thread_time() - began) / moves
    ground.travel.warm()
    by_ruler, ranked, by_clock = [], [], []
    for x, y in zip(lon.tolist(), lat.tolist(), strict=True):
        team = teams[int(rng.integers(len(teams)))]
        by_ruler.append(_took(partial(fleet.nearest, team, x, y, busy))[0])
        took, clock = _took(partial(_ranked, ground, fleet, team, x, y, now, busy))
        ranked.append(took)
        by_clock.append(clock)
    figures = {"near": by_ruler, "ranked": ranked, "ranked_clock": by_clock}
    for mode in ("vehicle", "boat"):
        figures[f"spread_{SPREAD}_{mode}"] = _spread(ground, mode, min(asked, 200))
    told = {"move_us": round(each * 1e6, 1)}
    for name, took_s in figures.items():
        told[f"{name}_median_us"] = round(median(took_s) * 1e6, 1)
        told[f"{name}_p99_us"] = round(quantiles(took_s, n=100)[98] * 1e6, 1)
    return told


def _ranked(
    ground: Ground, fleet: Fleet, team: str, lon: float, lat: float, now: datetime, busy: frozenset[str]
) -> tuple[UnitVerdict, ...]:
    """All that a report asks: the nearest that are free and on shift, judged by their time from where they are."""
    return rank(ground.candidates(team, lon, lat, fleet, now, busy), busy)


def _spread(ground: Ground, mode: str, asked: int) -> list[float]:
    """Seconds to say how long each of `SPREAD` units takes that stand anywhere in the district where one can be."""
    lon, lat = inside(ground, 20 * asked, seed=15)
    there = np.flatnonzero(np.isfinite(ground.travel.many(mode, lon, lat).seconds).any(axis=0))
    rng, took = np.random.default_rng(16), []
    for point in there[:asked].tolist():
        some = rng.choice(there, SPREAD).tolist()
        starts = {str(number): (float(lon[one]), float(lat[one])) for number, one in enumerate(some)}
        took.append(_took(partial(ground.travel.legs, mode, starts, float(lon[point]), float(lat[point])))[0])
    return took


def _took(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor, and by the clock."""
    begin, clock = time.thread_time(), time.perf_counter()
    work()
    return time.thread_time() - begin, time.perf_counter() - clock
