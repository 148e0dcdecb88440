"""Working out the entries of all places (`geo.gates`), compiled. Importing this module imports numba."""

from __future__ import annotations

from typing import Final

import numpy as np

from geo.gates import Graph
from geo.heap import compiled, drop, push
from geo.network import Labels
from geo.raster import Floats, Ints

NEAR: Final = 2.0
"""A road is followed when fields could be crossed to twice as far: what leads farther off helps nobody yet."""
SLACK_S: Final = 1e-9
"""Far more than adding up loses: of two ways that are as quick none is lost."""

Rows = tuple[Labels, Labels, Floats, Floats]
"""From, to, seconds, metres."""
Lists = tuple[Labels, Labels, Labels, Floats, Floats]
"""From, to, the one before in the list of the same 'from' (or -1), seconds, metres."""
_compiled = compiled("entries", "gates", "heap")


@_compiled
def _sooner(seconds: Floats, places: Ints, reached: float, last: int, to: Labels, to_s: Floats, before: Labels) -> bool:
    """Whether one gets to a place sooner by road and over fields, by what is in its list, which ends at `last`."""
    while last >= 0:
        if seconds[places[to[last]]] + to_s[last] < reached:
            return True
        last = before[last]
    return False


@_compiled
def _off(xy: Floats, a: int, b: int) -> float:
    return float(np.sqrt((xy[a, 0] - xy[b, 0]) ** 2 + (xy[a, 1] - xy[b, 1]) ** 2))


def explored(
    graph: Graph, field_ms: float, gate: Labels, places: Ints, order: Ints, near: Labels, near_s: Floats, room: int = 8
) -> tuple[Rows, Rows]:
    """(place, gate, ...) of every entry but a gate's own, (gate, gate, ...) of every step over fields between two.

    places: of the gates; order: in which they are gone through; near: the gate nearest to each place, and the seconds;
    room: for so many entries a place it begins with room.
    """
    while True:
        size = room * gate.size
        row, to, before, over, over_to, over_before, seen = np.empty((7, size), np.int32)
        to_s, to_m, over_s, over_m, keys, sofar = np.empty((6, size))
        lists = (row, to, before, to_s, to_m), (over, over_to, over_before, over_s, over_m)
        heap = keys, sofar, np.empty(size, np.int64)
        many, steps = _explored(graph, field_ms, gate, places, order, near, near_s, *lists, heap, seen)
        if many >= 0:
            entries = row[:many], to[:many], to_s[:many], to_m[:many]
            return entries, (over[:steps], over_to[:steps], over_s[:steps], over_m[:steps])
        room *= 2


@_compiled
def _explored(  # noqa: C901, PLR0912, PLR0915  (in parts, with all these arrays passed, it takes twice as long)
    graph: Graph,
    field_ms: float,
    gate: Labels,
    places: Ints,
    order: Ints,
    near: Labels,
    near_s: Floats,
    entries: Lists,
    ways: Lists,
    queue: tuple[Floats, Floats, Ints],
    listed: Labels,
) -> tuple[int, int]:
    """How many entries and steps were written; -1 where there was no room for all.

    From each gate over fields only, and by road to see which of those fields a road reaches sooner: beyond them no
    quickest way leads over fields alone. What was found from the gates before says how far a place is from its roads.
    An entry too many does no harm, and each of them is a way. All but the first row of what is given is written to.
    """
    indptr, indices, data, xy = graph
    (row, to, before, to_s, to_m), (over, over_to, over_before, over_s, over_m) = entries, ways
    keys, sofar, heap = queue
    last, over_last = np.full(gate.size, -1, np.int32), np.full(places.size, -1, np.int32)
    many, steps = 0, 0
    seconds, metres, alone = np.full(gate.size, np.inf), np.zeros(gate.size), np.zeros(gate.size, np.bool_)
    far = NEAR * field_ms
    for own in order:
        root = places[own]
        seconds[root], metres[root], alone[root], listed[0], seen = 0.0, 0.0, True, root, 1
        size = push(keys, sofar, heap, 0, 0.0, 0.0, root)
        left = 1  # to go on from that were reached over fields alone
        while size and left:
            place, reached = heap[0], sofar[0]
            size = drop(keys, sofar, heap, size)
            if reached > seconds[place]:
                continue
            here, limit, over_fields = gate[place], reached - SLACK_S, alone[place]
            if over_fields:
                left -= 1
                alone[place] = False
            if here < 0:
                if seconds[places[near[place]]] + near_s[place] < limit or _sooner(
                    seconds, places, limit, last[place], to, to_s, before
                ):
                    continue
                if many == row.size:
                    return -1, -1
                row[many], to[many], before[many], last[place] = place, own, last[place], many
                to_s[many], to_m[many] = reached, metres[place]
                many += 1
            elif over_fields and place != root:
                if steps + 2 > over.size:
                    return -1, -1
                over[steps], over_to[steps], over_before[steps], over_last[own] = own, here, over_last[own], steps
                over[steps + 1], over_to[steps + 1], over_before[steps + 1] = here, own, over_last[here]
                over_last[here] = steps + 1
                over_s[steps : steps + 2], over_m[steps : steps + 2] = reached, metres[place]
                steps += 2
            # From a gate, but for the first, by road or over such a step only.
            at = over_last[here] if here >= 0 else -1
            while at >= 0:
                onward, there = places[over_to[at]], reached + over_s[at]
                if there < seconds[onward]:
                    if seconds[onward] == np.inf:
                        listed[seen] = onward
                        seen += 1
                    elif alone[onward]:
                        left -= 1
                    seconds[onward], metres[onward], alone[onward] = there, metres[place] + over_m[at], False
                    if size == keys.size:
                        return -1, -1
                    size = push(keys, sofar, heap, size, max(there, _off(xy, root, onward) / far), there, onward)
                at = over_before[at]
            for step in range(indptr[place], indptr[place + 1]):
                onward, there = indices[step], reached + data[step]
                road = here >= 0 and gate[onward] >= 0
                if there >= seconds[onward] or (here >= 0 and not road and place != root):
                    continue
                if seconds[onward] == np.inf:
                    listed[seen] = onward
                    seen += 1
                elif alone[onward]:
                    left -= 1
                left += not road
                seconds[onward], metres[onward], alone[onward] = (
                    there,
                    metres[place] + _off(xy, place, onward),
                    not road,
                )
                if size == keys.size:
                    return -1, -1
                key = max(there, _off(xy, root, onward) / far) if road else there
                size = push(keys, sofar, heap, size, key, there, onward)
        for at in range(seen):
            seconds[listed[at]] = np.inf
    return many, steps
