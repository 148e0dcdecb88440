"""The locator for many points, compiled. Importing this module imports numba: only who asks for many points does.

`BATCH` points at a time, in steps short enough that the processor has many of them under way at once: each step reads
one array for all points, so that none waits for the memory alone. First all blocks, then all pixels, all palettes, all
records, all edges; then they are resolved. One thread; it holds no lock, so that several threads may each do a part (no
threads of numba's own, which not every server bears).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np

from geo.kept import sources
from geo.orientation import FILTER, TINY
from geo.pixels import ACROSS, CROWDED, LEFT, SHIFT, Floats, Int8s, Int32s, Int64s, Pixels

BATCH: Final = 1024
LAST: Final = (1 << SHIFT) - 1
EDITION: Final = sources("kernel", "orientation", "pixels")[:16]
"""Of all that the compiled code was made from. numba looks at this file only, and would run old code with new arrays;
so this is part of each function's name, and thereby of its file's in numba's cache."""
_UNDECIDED: Final = 2
_ZONES: Final = LEFT - 1
_SPLITTER: Final = 134217729.0  # 2 ** 27 + 1

Compiled = TypeVar("Compiled", bound=Callable[..., Any])


def _compiled(function: Compiled) -> Compiled:
    """`function` by numba, kept in its cache where there is a folder for it that can be written."""
    function.__qualname__ = f"{function.__qualname__}_{EDITION}"
    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no such folder
        made = numba.njit(nogil=True)(function)
    return cast("Compiled", made)


@_compiled
def _tail(a: float, b: float) -> float:
    """What rounding took from a - b (Knuth's TwoDiff)."""
    found = a - b
    virtual = a - found
    around = found + virtual
    return (a - around) + (virtual - b)


@_compiled
def _product_tail(a: float, b: float, product: float) -> float:
    """What rounding took from a * b (Dekker's TwoProduct; Veltkamp's split)."""
    c = _SPLITTER * a
    a_high = c - (c - a)
    a_low = a - a_high
    c = _SPLITTER * b
    b_high = c - (c - b)
    b_low = b - b_high
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@_compiled
def _settled(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> int:
    """The second step of `geo.orientation`: 1, 0, -1, or `_UNDECIDED`."""
    if _tail(bx, ax) != 0.0 or _tail(by, ay) != 0.0 or _tail(x, ax) != 0.0 or _tail(y, ay) != 0.0:
        return _UNDECIDED
    run, rise, east, north = bx - ax, by - ay, x - ax, y - ay
    left, right = run * north, rise * east
    if (abs(left) < TINY and run != 0.0 and north != 0.0) or (abs(right) < TINY and rise != 0.0 and east != 0.0):
        return _UNDECIDED
    if left != right:
        return 1 if left > right else -1
    left, right = _product_tail(run, north, left), _product_tail(rise, east, right)
    if left != right:
        return 1 if left > right else -1
    return 0


@_compiled
def side(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> int:
    """`geo.orientation.side` by its first two steps; `_UNDECIDED` (2) where only the third can tell."""
    left, right = (bx - ax) * (y - ay), (by - ay) * (x - ax)
    found, doubt = left - right, FILTER * (abs(left) + abs(right)) + TINY
    if found > doubt:
        return 1
    if found < -doubt:
        return -1
    return _settled(ax, ay, bx, by, x, y)


@_compiled
def _blocks(px: Pixels, lon: Floats, lat: Floats, block: Int32s, spot: Int32s) -> None:
    """The block of each position, and its pixel's place in it; outside, and for what is no number, the last block."""
    west, south, size, columns, rows = px.west, px.south, px.size, px.columns, px.rows
    across, outside = columns >> SHIFT, px.coarse.size - 1
    for i in range(lon.size):
        right, up = (lon[i] - west) / size, (lat[i] - south) / size
        held = (right >= 0.0) & (right < columns) & (up >= 0.0) & (up < rows)
        column, row = np.int32(right if held else 0.0), np.int32(up if held else 0.0)
        block[i] = (row >> SHIFT) * across + (column >> SHIFT) if held else outside
        spot[i] = ((row & LAST) << SHIFT) | (column & LAST)


@_compiled
def _look_up(px: Pixels, block: Int32s, spot: Int32s, kind: Int32s, point: Int32s, head: Int32s, code: Int32s) -> int:
    """The kind of each position; where it is negative it is a record's, and the position's number in `point`.

    Returns how many those are. `head` and `code` are for working in.
    """
    coarse, pool, heads, palette = px.coarse, px.pool, px.heads, px.palette
    for i in range(block.size):
        kind[i] = coarse[np.uint32(block[i])]
    near = 0
    for i in range(block.size):
        point[near] = i
        near += kind[i] < 0
    for j in range(near):
        head[j] = ~kind[point[j]]
    for j in range(near):
        code[j] = heads[np.uint32(head[j])]
    for j in range(near):
        code[j] += pool[(np.uint32(head[j]) << np.uint32(2 * SHIFT)) + np.uint32(spot[point[j]])]
    for j in range(near):
        kind[point[j]] = palette[np.uint32(code[j])]
    records = 0
    for j in range(near):
        point[records] = point[j]
        records += kind[point[j]] < 0
    return records


@_compiled
def _ones(
    px: Pixels, record: Int32s, point: Int32s, x: Floats, y: Floats, kind: Int32s, sides: Int8s, edge: Int32s
) -> int:
    """The kinds of positions in pixels of one edge. Returns how many are undecided; they come first in `point`.

    `edge` is for working in.
    """
    edges, records = px.edges, px.records
    for j in range(record.size):
        edge[j] = records[np.uint32(record[j]), 0]
    touched = 0.0
    for j in range(record.size):
        touched += edges[np.uint32(edge[j]), 3]
    for j in range(record.size):
        e, i = np.uint32(edge[j]), point[j]
        ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        left, right = (bx - ax) * (y[i] - ay), (by - ay) * (x[i] - ax)
        found, doubt = left - right, FILTER * (abs(left) + abs(right)) + TINY
        sides[j] = np.int8(found > doubt) - np.int8(found < -doubt)
    undecided = int(touched == np.inf)  # never; so that the pass is not left out
    for j in range(record.size):
        i, at = point[j], int(sides[j])
        if at == 0:
            e = np.uint32(edge[j])
            at = _settled(edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3], x[i], y[i])
            if at == _UNDECIDED:
                point[undecided] = i
                undecided += 1
                at = 0
        kind[i] = records[record[j], 2 + at]
    return undecided


@_compiled
def _bends(px: Pixels, number: Int32s, point: Int32s, x: Floats, y: Floats, kind: Int32s, states: Int8s) -> int:
    """The kinds of positions in pixels of two edges that meet.

    Returns how many may lie on an edge; they come first in `point`, and in `number` as those of `crossings`.
    """
    edges, bends = px.edges, px.bends
    for j in range(number.size):
        i = point[j]
        one, other = bends[number[j], 0], bends[number[j], 1]
        e = np.uint32(one if one >= 0 else ~one)
        left, right = (
            (edges[e, 2] - edges[e, 0]) * (y[i] - edges[e, 1]),
            (edges[e, 3] - edges[e, 1]) * (x[i] - edges[e, 0]),
        )
        first = left - right if one >= 0 else right - left
        doubt = FILTER * (abs(left) + abs(right)) + TINY
        e = np.uint32(other if other >= 0 else ~other)
        left, right = (
            (edges[e, 2] - edges[e, 0]) * (y[i] - edges[e, 1]),
            (edges[e, 3] - edges[e, 1]) * (x[i] - edges[e, 0]),
        )
        second = left - right if other >= 0 else right - left
        other_doubt = FILTER * (abs(left) + abs(right)) + TINY
        within = (first > doubt) & (second > other_doubt)
        without = (first < -doubt) | (second < -other_doubt)
        states[j] = np.int8(within) + np.int8(2) * np.int8(without)
    unsure = 0
    for j in range(number.size):
        i, state, row = point[j], states[j], number[j]
        kind[i] = bends[row, 2 if state == 1 else 3]
        point[unsure], number[unsure] = i, bends[row, 4]
        unsure += state == 0
    return unsure


@_compiled
def _touched(px: Pixels, number: Int32s) -> float:
    """Read all that pixels of many edges need, one kind after the other, so that it is near when it is used."""
    crossings, toggles, local, edges = px.crossings, px.toggles, px.local, px.edges
    touched = 0.0
    for j in range(number.size):
        touched += px.references[number[j]] + crossings[number[j], 0]
    for j in range(number.size):
        touched += toggles[crossings[number[j], 0]] + px.layouts[crossings[number[j], 2], 0, 0]
    for j in range(number.size):
        first = crossings[number[j], 0]
        for at in range(first, first + crossings[number[j], 1]):
            touched += edges[local[at], 3]
    return touched


@_compiled
def _many(px: Pixels, number: Int32s, point: Int32s, x: Floats, y: Floats, bits: Int64s) -> None:
    """Write into `bits` the zones with a border in each pixel of many that hold its position; -1 where undecided."""
    crossings, references, local = px.crossings, px.references, px.local
    toggles, edges = px.toggles, px.edges
    touched = _touched(px, number)
    for j in range(number.size):
        first, count = crossings[number[j], 0], crossings[number[j], 1]
        px_x, px_y, middle = x[point[j]], y[point[j]], references[number[j]]
        held, on, unsure = toggles[first - 1], np.int64(0), count == CROWDED
        for at in range(first, first + count):
            edge, toggle = local[at], toggles[at]
            ax, ay, bx, by = edges[edge, 0], edges[edge, 1], edges[edge, 2], edges[edge, 3]
            level = (ay <= px_y) & (px_y < by)  # the walk straight across meets the edge's line between its ends
            across = (toggle & ACROSS) != 0
            if level or px_y == by:
                here = side(ax, ay, bx, by, px_x, px_y)
                unsure |= here == _UNDECIDED
                if here == 0 and min(ax, bx) <= px_x <= max(ax, bx):
                    on |= toggle & _ZONES
                if level:
                    corner = _corner(ax, ay, bx, by, middle, px_y)
                    unsure |= corner == _UNDECIDED
                    held ^= (toggle & _ZONES) * ((here != corner) ^ (across and (corner > 0) != ((toggle & LEFT) != 0)))
            if across and not level:
                corner = _corner(ax, ay, bx, by, middle, px_y)
                unsure |= corner == _UNDECIDED
                held ^= (toggle & _ZONES) * ((corner > 0) != ((toggle & LEFT) != 0))
        bits[j] = -1 if unsure else held | on
    if touched == np.inf:  # never; so that the passes are not left out
        bits[0] = -1


@_compiled
def _corner(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> int:
    """The side of the walk's corner; the walk is taken to run by a little above, and by far less to the right of it."""
    at = side(ax, ay, bx, by, x, y)
    if at == 0:
        return 1 if bx > ax else -1
    return at


@_compiled
def _tell(px: Pixels, number: Int32s, point: Int32s, bits: Int64s, found: Int32s, start: int) -> int:
    """The sets of positions in pixels of many edges. Returns how many are undecided; they come first in `point`."""
    crossings, layouts, tables = px.crossings, px.layouts, px.tables
    undecided = 0
    for j in range(number.size):
        i = point[j]
        point[undecided] = i
        if bits[j] < 0:
            undecided += 1
            continue
        layout = crossings[number[j], 2]
        for layer in range(found.shape[0]):
            shift, mask, offset = layouts[layout, layer, 0], layouts[layout, layer, 1], layouts[layout, layer, 2]
            found[layer, start + i] = tables[offset + ((bits[j] >> shift) & mask)]
    return undecided


@_compiled
def locate(px: Pixels, lon: Floats, lat: Floats, begin: int, end: int, found: Int32s, undecided: Int64s) -> int:
    """Write into `found` (layers, points) the sets that the positions from `begin` to `end` lie in; none for a NaN.

    Returns how many of them need `geo.orientation.holds`; their numbers are written from `undecided[begin]` on.
    """
    kinds, singles, wedges = px.kinds, len(px.records), len(px.bends)
    block, spot, kind = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32), np.empty(BATCH, np.int32)
    point, record, sides = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32), np.empty(BATCH, np.int8)
    bend, near = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32)
    at, many, bits = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32), np.empty(BATCH, np.int64)
    head, code = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32)
    left, alone = begin, found.shape[0] == 1
    for start in range(begin, end, BATCH):
        stop = min(start + BATCH, end)
        x, y, size = lon[start:stop], lat[start:stop], stop - start
        if alone:  # a kind is its set: it is written where it belongs
            kind = found[0, start:stop]
        _blocks(px, x, y, block, spot)
        records = _look_up(px, block[:size], spot, kind, point, head, code)
        ones, bent, manys = 0, 0, 0
        for j in range(records):
            i = point[j]
            number = ~kind[i]
            many[manys], at[manys] = number - singles - wedges, i
            bend[bent], near[bent] = number - singles, i
            record[ones], point[ones] = number, i
            manys += number >= singles + wedges
            bent += (number >= singles) & (number < singles + wedges)
            ones += number < singles
            kind[i] = 0
        bent = _bends(px, bend[:bent], near, x, y, kind, sides)
        for j in range(bent):
            many[manys + j], at[manys + j] = bend[j], near[j]
        manys += bent
        open_ones = _ones(px, record[:ones], point, x, y, kind, sides, code)
        for j in range(open_ones):
            undecided[left + j] = start + point[j]
        left += open_ones
        for layer in range(0 if alone else found.shape[0]):
            out = found[layer, start:stop]
            for i in range(size):
                out[i] = kinds[np.uint32(kind[i]), layer]
        _many(px, many[:manys], at, x, y, bits)
        open_ones = _tell(px, many[:manys], at, bits, found, start)
        for j in range(open_ones):
            undecided[left + j] = start + at[j]
        left += open_ones
    return left - begin
