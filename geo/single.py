"""The locator for one point: a closure over the frozen arrays, in plain Python, without numpy's cost a call.

A memory view gives its items as plain numbers in some 30 ns; an array would take three times that and give its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from geo.orientation import side
from geo.pixels import ACROSS, BLOCK, CROWDED, LEFT, SHIFT, Pixels

A = TypeVar("A")

Sets = tuple[int, ...]
"""The number of the set in each layer."""


def single(
    pixels: Pixels, of_sets: Callable[[Sets], A], settle: Callable[[float, float], Sets]
) -> Callable[[float, float], A]:
    """The function that answers `of_sets` of the sets that hold a position (degrees); of the empty ones outside.

    `of_sets` is asked once for each combination; `settle` where the arrays cannot tell.
    """
    west, south, size = pixels.west, pixels.south, pixels.size
    shift, twice, last = SHIFT, 2 * SHIFT, BLOCK - 1
    columns, rows, across = pixels.columns, pixels.rows, pixels.columns >> SHIFT
    coarse, pool, palette = pixels.coarse.data, pixels.pool.data, pixels.palette.data
    heads, records, ones = pixels.heads.data, pixels.records.reshape(-1).data, len(pixels.records)
    edges = pixels.edges.reshape(-1).data
    bends, bent = pixels.bends.reshape(-1).data, len(pixels.bends)
    of_many = _many(pixels)
    answers: list[A | None] = [None] * len(pixels.kinds)
    others: dict[Sets, A] = {}

    def learnt(kind: int) -> A:
        answer = answers[kind] = of_sets(tuple(pixels.kinds[kind].tolist()))
        return answer

    empty = learnt(0)

    def rarely(number: int, lon: float, lat: float) -> A:
        sets = of_many(bends[5 * number + 4] if number < bent else number - bent, lon, lat)
        if sets is None:
            sets = settle(lon, lat)
        found = others.get(sets)
        if found is None:
            found = others[sets] = of_sets(sets)
        return found

    def at(lon: float, lat: float) -> A:
        right, up = (lon - west) / size, (lat - south) / size
        if not (0.0 <= right < columns and 0.0 <= up < rows):
            return empty
        column, row = int(right), int(up)
        kind = coarse[(row >> shift) * across + (column >> shift)]
        if kind < 0:
            kind = palette[heads[~kind] + pool[~kind << twice | (row & last) << shift | column & last]]
            if kind < 0:
                if ~kind >= ones:
                    return rarely(~kind - ones, lon, lat)
                record = 4 * ~kind
                edge = 4 * records[record]
                kind = records[
                    record + 2 + side(edges[edge], edges[edge + 1], edges[edge + 2], edges[edge + 3], lon, lat)
                ]
        found = answers[kind]
        return learnt(kind) if found is None else found

    return at


def _many(pixels: Pixels) -> Callable[[int, float, float], Sets | None]:
    """The function that resolves a position in a pixel of many edges, as `geo.kernel` does; None in a crowded one."""
    crossings, references = pixels.crossings.reshape(-1).data, pixels.references.data
    local, toggles = pixels.local.data, pixels.toggles.data
    edges, tables = pixels.edges.reshape(-1).data, pixels.tables.data
    layers = pixels.kinds.shape[1]
    layouts = pixels.layouts.reshape(-1).data

    def resolve(number: int, x: float, y: float) -> Sets | None:
        first, count, layout = crossings[3 * number], crossings[3 * number + 1], crossings[3 * number + 2]
        if count == CROWDED:
            return None
        held, on, middle = toggles[first - 1], 0, references[number]
        for at in range(first, first + count):
            toggle, edge = toggles[at], 4 * local[at]
            ax, ay, bx, by = edges[edge], edges[edge + 1], edges[edge + 2], edges[edge + 3]
            level, here = ay <= y < by, 0
            if level or y == by:
                here = side(ax, ay, bx, by, x, y)
                if here == 0 and (ax <= x <= bx or bx <= x <= ax):
                    on |= toggle
            if level or toggle & ACROSS:
                corner = side(ax, ay, bx, by, middle, y) or (1 if bx > ax else -1)
                turns = level and here != corner
                if toggle & ACROSS and (corner > 0) != (toggle & LEFT > 0):
                    turns = not turns
                if turns:
                    held ^= toggle
        held |= on
        start = 3 * layers * layout
        return tuple(
            tables[layouts[at + 2] + (held >> layouts[at] & layouts[at + 1])]
            for at in range(start, start + 3 * layers, 3)
        )

    return resolve
