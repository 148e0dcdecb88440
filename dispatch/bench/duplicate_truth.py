"""What is found in a made stream against what is true: precision, recall, and the fit of the weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dispatch.bench.duplicate_stream import START, Made, MadeReport
from dispatch.duplicates import (
    Known,
    Sameness,
    Sighting,
    degrees_around,
    evidence,
    look_through,
    numbers_of,
    rank,
    words_of,
)

Floats = NDArray[np.float64]
CELL_DEG: Final = 0.005


@dataclass(frozen=True, slots=True)
class Asked:
    """One report of the stream, and what stands open when it comes."""

    sighting: Sighting
    thing: int
    is_repeat: bool
    """An open case of the same thing is there."""
    known: tuple[Known, ...]
    """All that is open near it; the case is the number of the thing."""


@dataclass(frozen=True, slots=True)
class Point:
    """Of the curve: offered is what scores at least `score`, the best of each report alone."""

    score: float
    precision: float
    recall: float


def sighting_of(report: MadeReport, names: Mapping[str, str]) -> Sighting:
    """As the program would see it."""
    return Sighting(
        lon=report.lon,
        lat=report.lat,
        accuracy_m=report.accuracy_m,
        seen_at=report.seen_at,
        matter=report.matter,
        words=words_of(report.text, names[report.matter]),
        numbers=numbers_of(report.text),
        photos=frozenset(report.photos),
    )


def replayed(made: Made, names: Mapping[str, str], sameness: Sameness, most: int) -> Iterator[Asked]:
    """The first `most` reports after the start, each with what is open near it.

    Those before were joined rightly: a thing has one case, which all its reports belong to.
    """
    ends = {thing.number: thing.ends for thing in made.things}
    cells: dict[tuple[int, int], list[Known]] = defaultdict(list)
    there: set[int] = set()
    for report in made.reports:
        if ends[report.thing] <= START:
            continue
        sighting = sighting_of(report, names)
        if report.seen_at >= START:
            if most == 0:
                return
            most -= 1
            near = tuple(
                one
                for cell in _cells(sighting, sameness)
                for one in cells.get(cell, ())
                if ends[int(one.case)] > report.seen_at
            )
            yield Asked(sighting, report.thing, report.thing in there, near)
        cells[_cell(sighting.lon, sighting.lat)].append(Known(str(report.thing), sighting))
        there.add(report.thing)


def curve(asked: Iterable[Asked], sameness: Sameness, scores: Sequence[float]) -> list[Point]:
    """Precision and recall of the likeliest case of each report, at each of the scores.

    Right is the case of the very thing. Recall is of the reports whose thing has an open case: those that are offered
    a wrong one are missed, too.
    """
    best: list[float] = []
    right: list[bool] = []
    repeats = 0
    for one in asked:
        repeats += one.is_repeat
        found = rank(one.sighting, one.known, sameness, 0.0)
        if found:
            best.append(found[0].score)
            right.append(int(found[0].case) == one.thing)
    score, is_right = np.array(best), np.array(right)
    points: list[Point] = []
    for least in scores:
        offered = score >= least
        hits = int((offered & is_right).sum())
        points.append(Point(least, hits / max(1, int(offered.sum())), hits / max(1, repeats)))
    return points


def fit(asked: Iterable[Asked], sameness: Sameness) -> Floats:
    """Weights of `duplicates.FEATURES`: a logistic regression on each report against each case near it."""
    rows: list[tuple[float, ...]] = []
    truths: list[bool] = []
    for one in asked:
        cases: dict[str, list[Sighting]] = defaultdict(list)
        for known in one.known:
            cases[known.case].append(known.sighting)
        for case, sightings in cases.items():
            if told := evidence(one.sighting, sightings, sameness):
                rows.append(tuple(told.features.values()))
                truths.append(int(case) == one.thing)
    return _logistic(np.array(rows), np.array(truths, dtype=np.float64))


RIDGE: Final = 1e-2
STEPS: Final = 50


def _logistic(x: Floats, y: Floats) -> Floats:
    """By Newton's method, with a little ridge so that what hardly occurs has a weight, too."""
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (y - p) - RIDGE * weights
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(x.shape[1]), slope)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-6:
            break
    return weights


def _cell(lon: float, lat: float) -> tuple[int, int]:
    return int(lon // CELL_DEG), int(lat // CELL_DEG)


def _cells(sighting: Sighting, sameness: Sameness) -> Iterator[tuple[int, int]]:
    far_m = look_through(sighting, sameness).radius_m
    east, north = degrees_around(sighting.lat, far_m)
    (left, low), (right, high) = (
        _cell(sighting.lon - east, sighting.lat - north),
        _cell(sighting.lon + east, sighting.lat + north),
    )
    return ((x, y) for x in range(left, right + 1) for y in range(low, high + 1))
