"""The quickest ways to a place, compiled. Importing this module imports numba: only who asks for a way does.

A* (Hart, Nilsson, Raphael 1968), led by landmarks (Goldberg, Harrelson 2005): what is left of a way is at least the
difference of how far its two ends are from any base. The answers of the bases are there already, so a search looks at
few places besides those that the ways lead over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.heap import compiled, drop, fresh, grown, push, sink
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
    indptr, indices, data, led = (_frozen(array) for array in (graph.indptr, graph.indices, graph.data, marks))
    seconds, before = _search(indptr, indices, data, led, rows, at_goals, both_ways, root, wanted)
    found = zip(seconds.tolist(), goals, strict=True)
    return [(one, back(before, goal)) if np.isfinite(one) else None for one, goal in found]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Whether an array is mapped or was just made, the same compiled function takes it."""
    view = array.view()
    view.flags.writeable = False
    return view


_compiled = compiled("search", "heap")


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
    keys, sofar, heap = fresh()
    sofar[0], heap[0], size = 0.0, root, 1
    dist[root] = 0.0
    for number in range(goals.size):
        goal, led, known = goals[number], rows[number], at_goals[number]
        kept = 0
        for at in range(size):
            place, reached = heap[at], sofar[at]
            if reached <= dist[place]:
                sofar[kept], heap[kept] = reached, place
                keys[kept] = reached + _left(marks, led, known, both_ways, place)
                kept += 1
        size = kept
        for at in range(size // 2 - 1, -1, -1):
            sink(keys, sofar, heap, size, at)
        while size and keys[0] < dist[goal]:
            place, reached = heap[0], sofar[0]
            size = drop(keys, sofar, heap, size)
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
                    keys, sofar, heap = grown(keys, sofar, heap)
                key = there + _left(marks, led, known, both_ways, onward)
                size = push(keys, sofar, heap, size, key, there, onward)
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


@_compiled
def ashore(indptr: Labels, indices: Labels, data: Floats, afloat: int, end: int, limit_s: float) -> Ints:
    """The places on water (the first `afloat`) from which one walks to `end` within a limit.

    The steps are given turned round. No walk leads over water.
    """
    dist = np.full(indptr.size - 1, np.inf)
    keys, sofar, heap = fresh()
    dist[end] = 0.0
    size = push(keys, sofar, heap, 0, 0.0, 0.0, end)
    found, count = np.empty(64, np.int64), 0
    while size:
        place, reached = heap[0], sofar[0]
        size = drop(keys, sofar, heap, size)
        if reached > dist[place]:
            continue
        if place < afloat:
            if count == found.size:
                found = np.concatenate((found, np.empty(count, np.int64)))
            found[count] = place
            count += 1
            continue
        for step in range(indptr[place], indptr[place + 1]):
            onward = indices[step]
            there = reached + data[step]
            if there < dist[onward] and there <= limit_s:
                dist[onward] = there
                if size == keys.size:
                    keys, sofar, heap = grown(keys, sofar, heap)
                size = push(keys, sofar, heap, size, there, there, onward)
    return found[:count]
