"""The quickest ways to a place, compiled. Importing this module imports numba: only who asks for a way does.

A* (Hart, Nilsson, Raphael 1968), led by landmarks (Goldberg, Harrelson 2005): what is left of a way is at least the
difference of how far its two ends are from any base. The answers of the bases are there already, so a search looks at
few places besides those that the ways lead over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from geo.network import Labels, Network, Singles
from geo.raster import Floats, Ints

LANDMARKS: Final = 4
"""So many bases lead: those that say most of the two ends."""
SLACK_S: Final = 0.02
"""What single precision may be off by, so that a landmark never says too much."""


def quickest(
    network: Network, marks: Singles, both_ways: int, root: int, goals: Sequence[int]
) -> list[tuple[float, Ints] | None]:
    """Seconds from `root` to each of `goals`, and the places from there back to `root`; None where there is no way.

    network: with the steps turned round where they are not the same both ways, for the ways run to `root`;
    marks: seconds to every place from some places, (places, any number); both_ways: to the first so many places the
    way back is as quick.
    """
    wanted = np.array(goals, dtype=np.int64)
    from_goals = marks[wanted].astype(np.float64)
    with np.errstate(invalid="ignore"):
        said = np.abs(from_goals - marks[root])
    said[~np.isfinite(said)] = -1.0
    rows = np.argsort(-said, axis=1)[:, :LANDMARKS]
    at_goals = np.take_along_axis(from_goals, rows, axis=1)
    at_goals[np.take_along_axis(said, rows, axis=1) < 0.0] = np.inf
    graph = network.seconds
    arrays = (_frozen(array) for array in (graph.indptr, graph.indices, graph.data, marks))
    seconds, before = _search(*arrays, rows, at_goals, both_ways, root, wanted)
    found = zip(seconds.tolist(), goals, strict=True)
    return [(one, back(before, goal)) if np.isfinite(one) else None for one, goal in found]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Whether an array is mapped or was just made, the same compiled function takes it."""
    view = array.view()
    view.flags.writeable = False
    return view


def _compiled(function: Any) -> Any:
    """`function` by numba, kept in its cache where there is a folder for it that can be written."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no such folder
        return numba.njit(nogil=True)(function)


@_compiled
def _left(marks: Singles, rows: Ints, at_goal: Floats, both_ways: int, place: int) -> float:
    """At least so many seconds are left between a place and the goal."""
    most = 0.0
    for number in range(rows.size):
        known = at_goal[number]
        more = marks[place, rows[number]] - known
        if place < both_ways:
            more = abs(more)
        # Infinite or no number where that base does not reach both.
        if known < np.inf and most < more - SLACK_S < np.inf:
            most = more - SLACK_S
    return most


@_compiled
def _sink(keys: Floats, sofar: Floats, places: Ints, size: int, at: int) -> None:
    """Let what is at `at` sink to where it belongs in a binary heap of (key, seconds so far, place)."""
    key, reached, place = keys[at], sofar[at], places[at]
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at], sofar[at], places[at] = keys[child], sofar[child], places[child]
        at = child
    keys[at], sofar[at], places[at] = key, reached, place


@_compiled
def _rise(keys: Floats, sofar: Floats, places: Ints, at: int) -> None:
    """Let what is at `at` rise to where it belongs."""
    key, reached, place = keys[at], sofar[at], places[at]
    while at > 0 and keys[(at - 1) // 2] > key:
        up = (at - 1) // 2
        keys[at], sofar[at], places[at] = keys[up], sofar[up], places[up]
        at = up
    keys[at], sofar[at], places[at] = key, reached, place


@_compiled
def _search(
    indptr: Labels,
    indices: Labels,
    data: Floats,
    marks: Singles,
    rows: Ints,
    at_goals: Floats,
    both_ways: int,
    root: int,
    goals: Ints,
) -> tuple[Floats, Labels]:
    """Seconds to each goal and the tree, which the search for one goal leaves to the next."""
    dist = np.full(indptr.size - 1, np.inf)
    before = np.full(indptr.size - 1, -1, np.int32)
    keys, sofar, places = np.empty(1024), np.empty(1024), np.empty(1024, np.int64)
    sofar[0], places[0], size = 0.0, root, 1
    dist[root] = 0.0
    for number in range(goals.size):
        goal, led, known = goals[number], rows[number], at_goals[number]
        kept = 0
        for at in range(size):
            if sofar[at] <= dist[places[at]]:
                sofar[kept], places[kept] = sofar[at], places[at]
                keys[kept] = sofar[at] + _left(marks, led, known, both_ways, places[at])
                kept += 1
        size = kept
        for at in range(size // 2 - 1, -1, -1):
            _sink(keys, sofar, places, size, at)
        while size and keys[0] < dist[goal]:
            place, reached = places[0], sofar[0]
            size -= 1
            keys[0], sofar[0], places[0] = keys[size], sofar[size], places[size]
            _sink(keys, sofar, places, size, 0)
            if reached > dist[place]:
                continue
            for step in range(indptr[place], indptr[place + 1]):
                onward = indices[step]
                there = reached + data[step]
                if there >= dist[onward]:
                    continue
                dist[onward] = there
                before[onward] = place
                if size == keys.size:
                    keys = np.concatenate((keys, np.empty(size)))
                    sofar = np.concatenate((sofar, np.empty(size)))
                    places = np.concatenate((places, np.empty(size, np.int64)))
                keys[size] = there + _left(marks, led, known, both_ways, onward)
                sofar[size], places[size] = there, onward
                _rise(keys, sofar, places, size)
                size += 1
    return dist[goals], before


@_compiled
def back(before: Labels, place: int) -> Ints:
    """The places from `place` back to the root of a tree of predecessors (negative before it), both included."""
    count = 1
    at = place
    while before[at] >= 0:
        at = before[at]
        count += 1
    out = np.empty(count, np.int64)
    at = place
    for number in range(count):
        out[number] = at
        at = before[at]
    return out
