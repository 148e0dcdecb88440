"""Zones of several layers onto pixels: builds `geo.pixels.Pixels`. Numpy and GEOS, no compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.bends import bends
from geo.borders import Borders, distinct
from geo.crossings import Local, cross
from geo.pixels import BLOCK, SHIFT, Bytes, Int32s, Pixels, frozen
from geo.raster import MARGIN, Frame, Ints, ascending, crossed, inside, runs
from geo.sets import Sets

_NONE: Final = -1
_MORE: Final = -2
_SMALLEST: Final = 1e-9
"""Degrees; a smaller pixel would come near the last bits of a longitude."""


def paint(shapes: NDArray[np.object_], zones_of: Ints, sets: Sequence[Sets], long_side: int) -> Pixels:
    """Lay out `shapes` (valid polygons, degrees) in pixels, `long_side` of them along the longer side of their bounds.

    `zones_of[l]` is the number of the first zone of layer l, and ends with the number of all; `sets` are the layers'
    own, to which the sets of several zones that may occur are added.
    """
    frame = _frame(shapes, long_side)
    borders = Borders.of(shapes)
    edge, cell = crossed(frame, borders.edges())
    cell, edge = _sorted(cell, edge)
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    cells, count = cell[first], np.diff(np.append(first, cell.size))

    places, is_touched = _places(frame, cells)
    base = _base(frame, borders, places, is_touched, Local(cells, first, count, edge, []), zones_of, sets)
    touched = np.flatnonzero(is_touched)
    single = _single(frame, borders, cells, count, edge[first])
    one, many = np.flatnonzero(single), np.flatnonzero(~single)
    left, right = (_owners(borders, borders.left == side, zones_of, sets) for side in (True, False))
    the_edge = edge[first[one]]
    ones = []
    for layer, own in enumerate(sets):
        under = base[layer][touched[one]]
        on_left = own.join(under, left[layer][the_edge])
        on_right = own.join(under, right[layer][the_edge])
        ones.append(np.concatenate([on_right, own.join(on_left, on_right), on_left]))

    _, at = runs(first[many], count[many])
    begin = np.cumsum(count[many]) - count[many]
    local = Local(cells[many], begin, count[many], edge[at], [row[touched[many]] for row in base])
    shapely.prepare(shapes)
    crossings = cross(frame, borders, local, shapes, zones_of, sets)
    shapely.destroy_prepared(shapes)

    two = np.flatnonzero(count[many] == 2)
    pair = edge[first[many[two]][:, None] + np.arange(2)]
    bent = bends(frame, borders, cells[many[two]], pair, left, right)
    beneath = [row[touched[many[two[bent.at]]]] for row in base]
    wedges = [
        np.concatenate([own.join(row, inner), own.join(row, outer)])
        for own, row, inner, outer in zip(sets, beneath, bent.inner, bent.outer, strict=True)
    ]

    whole = np.flatnonzero(~is_touched)
    vectors = [np.concatenate([[0], row[whole], *new]) for row, *new in zip(base, ones, wedges, strict=True)]
    kinds, kind = _kinds(vectors, [len(own) for own in sets], 1 + whole.size + 3 * one.size + 2 * bent.at.size)
    _, of_whole, of_ones, of_bends = np.split(kind, np.cumsum([1, whole.size, 3 * one.size]))
    records = np.column_stack([the_edge, of_ones.reshape(3, -1).T])
    record, which = distinct(records.view(np.uint64))
    answer = np.empty(places.size, dtype=np.int64)
    answer[whole] = of_whole
    answer[touched[one]] = ~which
    answer[touched[many]] = ~(record.size + bent.at.size + np.arange(many.size))
    answer[touched[many[two[bent.at]]]] = ~(record.size + np.arange(bent.at.size))
    coarse, heads, palette, pool = _two_levels(frame, places, answer, cells)
    return frozen(
        Pixels(
            west=frame.west,
            south=frame.south,
            size=frame.size_x,
            columns=frame.columns,
            rows=frame.rows,
            coarse=coarse,
            pool=pool,
            heads=heads,
            palette=palette,
            kinds=kinds,
            records=records[record].astype(np.int32),
            bends=np.column_stack([bent.edges, of_bends.reshape(2, -1).T, two[bent.at]]).astype(np.int32),
            edges=borders.ends,
            crossings=crossings.crossings,
            references=crossings.references,
            local=crossings.local,
            toggles=crossings.toggles,
            layouts=crossings.layouts,
            tables=crossings.tables,
        )
    )


def _sorted(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Pairs of numbers, none negative, in order: as one number each, which sorts far faster than one by the other."""
    bits = int(second.max(initial=0)).bit_length()
    both = np.sort(first << bits | second)
    return both >> bits, both & (1 << bits) - 1


def _frame(shapes: NDArray[np.object_], long_side: int) -> Frame:
    """Pixels over all shapes in whole blocks, two more all around: the outermost are certainly touched by nothing."""
    west, south, east, north = shapely.total_bounds(shapes).tolist() if shapes.size else [0.0] * 4
    size = max(max(east - west, north - south) / long_side, _SMALLEST)
    columns, rows = (-(-(int(side // size) + 5) // BLOCK) * BLOCK for side in (east - west, north - south))
    return Frame(west - 2 * size, south - 2 * size, size, size, columns, rows)


def _places(frame: Frame, cells: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Touched cells, the cell after each row of them, and the first of each row; ascending; and which are touched.

    Between one of these and the next nothing changes: each speaks for all cells up to the next.
    """
    after = (cells + 1)[np.diff(cells, append=-1) != 1]
    starts = np.arange(frame.rows) * frame.columns
    both = np.sort(np.concatenate([2 * cells, 2 * after + 1, 2 * starts + 1]))
    return both >> 1, both & 1 == 0


@dataclass(frozen=True, slots=True)
class _Bordering:
    """Which zones have an edge in which place. Most places have one edge, of two zones at most: those are a look-up."""

    one: Ints
    other: Ints
    """Of each place the zones of its one edge; `_NONE` where it has no edge, `_MORE` where it has more of either."""
    more: Ints
    """For the places with more, place * zones + zone, ascending."""
    zones: int

    @classmethod
    def of(cls, borders: Borders, touched: Ints, places: int, local: Local, zones: int) -> _Bordering:
        """`touched` are the places of the cells of `local`."""
        span = np.diff(borders.start)
        edge = local.edge[local.first]
        few = (local.count == 1) & (span[edge] <= 2)
        one, other = np.full((2, places), _NONE, dtype=np.int64)
        one[touched] = np.where(few, borders.zone[borders.start[edge]], _MORE)
        other[touched] = np.where(few, borders.zone[borders.start[edge + 1] - 1], _MORE)
        which, at = runs(local.first[~few], local.count[~few])
        place, edge = touched[~few][which], local.edge[at]
        which, owner = runs(borders.start[edge], span[edge])
        return cls(one, other, ascending(place[which] * zones + borders.zone[owner]), zones)

    def holds(self, place: Ints, zone: Ints) -> NDArray[np.bool_]:
        """Whether each zone has an edge in its place."""
        one = self.one[place]
        found: NDArray[np.bool_] = (zone == one) | (zone == self.other[place])
        more = np.flatnonzero(one == _MORE)
        key = place[more] * self.zones + zone[more]
        at = np.searchsorted(self.more, key)
        found[more] = self.more[np.minimum(at, self.more.size - 1)] == key
        return found


def _base(
    frame: Frame,
    borders: Borders,
    places: Ints,
    is_touched: NDArray[np.bool_],
    local: Local,
    zones_of: Ints,
    sets: Sequence[Sets],
) -> list[Ints]:
    """For each layer and place the set of zones that cover the whole cell and have no edge in it."""
    bordering = _Bordering.of(borders, np.flatnonzero(is_touched), places.size, local, int(zones_of[-1]))
    zone, begin, length = inside(frame, borders.by_zone())
    order = np.argsort(begin)  # what is asked in order is found in the processor's cache
    low, high = np.empty_like(begin), np.empty_like(begin)
    low[order] = np.searchsorted(places, begin[order])
    high[order] = np.searchsorted(places, (begin + length)[order])
    bounds = np.searchsorted(zone, zones_of)
    base = []
    for layer, each in enumerate(sets):
        part = slice(bounds[layer], bounds[layer + 1])
        run, place = runs(low[part], (high - low)[part])
        which_zone = zone[part][run]
        free = ~bordering.holds(place, which_zone)
        base.append(each.gather(place[free], which_zone[free] - zones_of[layer], places.size))
    return base


def _owners(borders: Borders, chosen: NDArray[np.bool_], zones_of: Ints, sets: Sequence[Sets]) -> list[Ints]:
    """For each layer and edge the set of its chosen zones."""
    edge = np.repeat(np.arange(len(borders.ends)), np.diff(borders.start))
    found = []
    for layer, each in enumerate(sets):
        low, high = zones_of[layer], zones_of[layer + 1]
        some = chosen & (borders.zone >= low) & (borders.zone < high)
        found.append(each.gather(edge[some], borders.zone[some] - low, len(borders.ends)))
    return found


def _single(frame: Frame, borders: Borders, cells: Ints, count: Ints, edge: Ints) -> NDArray[np.bool_]:
    """Whether a cell has one edge, that ends well outside of it: so that its line is all there is within."""
    row, column = np.divmod(cells, frame.columns)
    single: NDArray[np.bool_] = count == 1
    for x, y in ((0, 1), (2, 3)):
        across = (borders.ends[edge, x] - frame.west) / frame.size_x - column
        up = (borders.ends[edge, y] - frame.south) / frame.size_y - row
        near = 2 * MARGIN
        single &= ~((across > -near) & (across < 1 + near) & (up > -near) & (up < 1 + near))
    return single


def _kinds(vectors: Sequence[Ints], sizes: Sequence[int], count: int) -> tuple[Int32s, Ints]:
    """The different answers, shape (kinds, layers), in ascending order, and the number of each; the empty one is 0.

    Of one layer, all its sets, so that an answer's number is its set's.
    """
    if len(vectors) == 1:
        return np.arange(sizes[0], dtype=np.int32)[:, None], vectors[0]
    number = np.zeros(count, dtype=np.int64)
    kinds = np.zeros((1, 0), dtype=np.int64)
    for vector, size in zip(vectors, sizes, strict=True):
        kept, number = _numbered(number * size + vector)
        before, here = np.divmod(kept, size)
        kinds = np.column_stack([kinds[before], here])
    return np.ascontiguousarray(kinds, dtype=np.int32), number


def _numbered(keys: Ints) -> tuple[Ints, Ints]:
    """The different keys, ascending, and for each key its number among them: without a sort where they are dense."""
    most = int(keys.max(initial=0)) + 1
    if most > 4 * keys.size:
        kept, number = np.unique(keys, return_inverse=True)
        return kept, number
    used = np.zeros(most, dtype=bool)
    used[keys] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[keys]


def _two_levels(frame: Frame, places: Ints, answer: Ints, cells: Ints) -> tuple[Int32s, Int32s, Int32s, Bytes]:
    """`coarse`, `heads`, `palette`, `pool`."""
    across, up = frame.columns // BLOCK, frame.rows // BLOCK
    corner = (np.arange(up) * BLOCK * frame.columns)[:, None] + np.arange(across) * BLOCK
    coarse = np.append(answer[np.searchsorted(places, corner.reshape(-1), side="right") - 1], 0)
    row, column = np.divmod(cells, frame.columns)
    blocks = ascending(row // BLOCK * across + column // BLOCK)
    rank = np.full(across * up, -1, dtype=np.int64)
    rank[blocks] = np.arange(blocks.size)
    coarse[blocks] = ~np.arange(blocks.size)

    # Stretches of cells with one answer, within a row of a block; by block, so in the order of the pool.
    block_row, block_column = np.divmod(blocks, across)
    begins = ((block_row[:, None] * BLOCK + np.arange(BLOCK)) * frame.columns + block_column[:, None] * BLOCK).ravel()
    row, column = np.divmod(places, frame.columns)
    within = rank[row // BLOCK * across + column // BLOCK]
    use = (within >= 0) & (column % BLOCK > 0)
    value = np.concatenate([answer[np.searchsorted(places, begins, side="right") - 1], answer[use]])
    spot = np.concatenate(
        [np.arange(begins.size) * BLOCK, (within[use] * BLOCK + row[use] % BLOCK) * BLOCK + column[use] % BLOCK]
    )
    low = int(value.min(initial=0))
    spot, value = _sorted(spot, value - low)
    length = np.diff(np.append(spot, blocks.size * BLOCK * BLOCK))
    bits = int(value.max(initial=0)).bit_length()
    keys = spot >> 2 * SHIFT << bits | value
    pairs = ascending(keys)
    heads = np.searchsorted(pairs, np.arange(blocks.size) << bits)
    code = np.searchsorted(pairs, keys) - heads[spot >> 2 * SHIFT]
    pool = np.repeat(code.astype(np.uint8), length)
    return coarse.astype(np.int32), heads.astype(np.int32), ((pairs & (1 << bits) - 1) + low).astype(np.int32), pool
