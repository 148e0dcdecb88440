"""The quickest ways from one place to many by `geo.gates`, compiled. Importing this module imports numba."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from geo.gates import Access, Graph, Scratch
from geo.heap import compiled, drop, fresh, grown, push
from geo.network import Labels
from geo.raster import Floats, Ints

SLACK_S: Final = 1e-9
"""Far more than adding up loses: of two ways that are as quick none is lost."""

_compiled = compiled("access", "gates", "heap")


class Asked(NamedTuple):
    """The entries of all goals, in a chain for each gate that `Scratch.wanted` begins."""

    goal: Ints
    entry: Ints
    follows: Ints
    """The next at this gate, or -1."""
    least: Floats
    """Of each goal the seconds of its nearest entry; infinite: it has none."""


@_compiled
def _asked(access: Access, goals: Ints, wanted: Labels) -> Asked:
    total = 0
    for goal in goals:
        total += access.entry_first[goal + 1] - access.entry_first[goal]
    asked = Asked(
        np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64), np.full(goals.size, np.inf)
    )
    count = 0
    for number in range(goals.size):
        for entry in range(access.entry_first[goals[number]], access.entry_first[goals[number] + 1]):
            gate = access.entry_gate[entry]
            asked.goal[count], asked.entry[count], asked.follows[count] = number, entry, wanted[gate]
            wanted[gate] = count
            asked.least[number] = min(asked.least[number], access.entry_s[entry])
            count += 1
    return asked


@_compiled
def _arrive(access: Access, asked: Asked, scratch: Scratch, gate: int, seconds: Floats, metres: Floats) -> bool:
    """Note the ways by a gate to the goals that have it for an entry; whether one of them is the quickest yet."""
    better = False
    at = scratch.wanted[gate]
    while at >= 0:
        number, entry = asked.goal[at], asked.entry[at]
        there = scratch.gate_s[gate] + access.entry_s[entry]
        if there < seconds[number]:
            seconds[number], metres[number] = there, scratch.gate_m[gate] + access.entry_m[entry]
            better = True
        at = asked.follows[at]
    return better


@_compiled
def _last(asked: Asked, seconds: Floats) -> float:
    """No gate that is reached later than this leads sooner to any goal."""
    last = 0.0
    for number in range(seconds.size):
        if asked.least[number] < np.inf:
            last = max(last, seconds[number] - asked.least[number])
    return last


@_compiled
def _by_road(access: Access, root: int, asked: Asked, scratch: Scratch, seconds: Floats, metres: Floats) -> int:
    """The ways that touch a road. How many gates were seen."""
    gate_s, gate_m = scratch.gate_s, scratch.gate_m
    keys, sofar, heap = fresh()
    size, count = 0, 0
    last = _last(asked, seconds)
    # The first round is from the root to its entries, every other one from a gate to the next.
    here, reached, begun = root, 0.0, 0.0
    first, to, each_s, each_m = access.entry_first, access.entry_gate, access.entry_s, access.entry_m
    while reached < last:
        for step in range(first[here], first[here + 1]):
            onward, there = to[step], reached + each_s[step]
            if there < gate_s[onward]:
                if gate_s[onward] == np.inf:
                    scratch.gates_seen[count] = onward
                    count += 1
                gate_s[onward], gate_m[onward] = there, begun + each_m[step]
                if size == keys.size:
                    keys, sofar, heap = grown(keys, sofar, heap)
                size = push(keys, sofar, heap, size, there, there, onward)
        while size and sofar[0] > gate_s[heap[0]]:
            size = drop(keys, sofar, heap, size)
        if not size:
            break
        here, reached = heap[0], sofar[0]
        size, begun = drop(keys, sofar, heap, size), gate_m[here]
        first, to, each_s, each_m = access.step_first, access.step_to, access.step_s, access.step_m
        if _arrive(access, asked, scratch, here, seconds, metres):
            last = _last(asked, seconds)
    return count


@_compiled
def _off(xy: Floats, a: int, b: int) -> float:
    return float(np.hypot(xy[a, 0] - xy[b, 0], xy[a, 1] - xy[b, 1]))


@_compiled
def _left(xy: Floats, field_ms: float, place: int, sooner: float, goals: Ints, seconds: Floats) -> float:
    """At least so long it is over fields to a goal that is not reached sooner by what is known; infinite: to none."""
    least = np.inf
    for number in range(goals.size):
        left = _off(xy, place, goals[number]) / field_ms
        if sooner + left <= seconds[number] + SLACK_S:
            least = min(least, left)
    return least


@_compiled
def _spared(access: Access, scratch: Scratch, place: int) -> bool:
    """Whether a road brings one sooner to a place than the fields did."""
    for entry in range(access.entry_first[place], access.entry_first[place + 1]):
        by_road = scratch.gate_s[access.entry_gate[entry]] + access.entry_s[entry]
        if by_road < scratch.place_s[place] - SLACK_S:
            return True
    return False


@_compiled
def _note(scratch: Scratch, place: int, goals: Ints, seconds: Floats, metres: Floats) -> None:
    """Note the way over fields to the goals at a place."""
    for number in range(goals.size):
        if goals[number] == place and scratch.place_s[place] < seconds[number]:
            seconds[number], metres[number] = scratch.place_s[place], scratch.place_m[place]


@_compiled
def _over_fields(
    graph: Graph,
    access: Access,
    field_ms: float,
    root: int,
    goals: Ints,
    scratch: Scratch,
    seconds: Floats,
    metres: Floats,
) -> int:
    """The ways over fields alone where they are quicker. How many places were seen.

    A* by the straight line, over places that no road reaches sooner.
    """
    xy, place_s, place_m = graph.xy, scratch.place_s, scratch.place_m
    # To and from a gate every way is known: it is an entry.
    if access.gate[root] >= 0 or _left(xy, field_ms, root, 0.0, goals, seconds) == np.inf:
        return 0
    keys, sofar, heap = fresh()
    size, count = push(keys, sofar, heap, 0, 0.0, 0.0, root), 1
    place_s[root], place_m[root], scratch.places_seen[0] = 0.0, 0.0, root
    while size:
        place, reached = heap[0], sofar[0]
        size = drop(keys, sofar, heap, size)
        if reached > place_s[place] or _spared(access, scratch, place):
            continue
        _note(scratch, place, goals, seconds, metres)
        for step in range(graph.indptr[place], graph.indptr[place + 1]):
            onward, there = graph.indices[step], reached + graph.data[step]
            if there >= place_s[onward] or access.gate[onward] >= 0:
                continue
            left = _left(xy, field_ms, onward, there, goals, seconds)
            if left == np.inf:
                continue
            if place_s[onward] == np.inf:
                scratch.places_seen[count] = onward
                count += 1
            place_s[onward], place_m[onward] = there, place_m[place] + _off(xy, place, onward)
            if size == keys.size:
                keys, sofar, heap = grown(keys, sofar, heap)
            size = push(keys, sofar, heap, size, there + left, there, onward)
    return count


@_compiled
def reached(
    graph: Graph, access: Access, field_ms: float, root: int, goals: Ints, scratch: Scratch
) -> tuple[Floats, Floats]:
    """Seconds and metres between `root` and each of `goals`, infinite where there is no way."""
    seconds, metres = np.full(goals.size, np.inf), np.full(goals.size, np.inf)
    asked = _asked(access, goals, scratch.wanted)
    gates = _by_road(access, root, asked, scratch, seconds, metres)
    places = _over_fields(graph, access, field_ms, root, goals, scratch, seconds, metres)
    for at in range(gates):
        scratch.gate_s[scratch.gates_seen[at]] = np.inf
    for at in range(places):
        scratch.place_s[scratch.places_seen[at]] = np.inf
    for entry in asked.entry:
        scratch.wanted[access.entry_gate[entry]] = -1
    return seconds, metres
