"""A band of pixel rows painted by itself, so that what it takes to do so does not grow with the whole.

All numbers in it (of kinds, records, bends, crossings) are the band's own; `geo.joining` makes them those of all bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.bends import bends
from geo.borders import Borders, distinct
from geo.crossings import Local, Meetings, meetings
from geo.pixels import Int32s
from geo.raster import MARGIN, Frame, Ints, ascending, inside, runs
from geo.sets import Sets

_NONE: Final = -1
_MORE: Final = -2


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones of all layers: their shapes, prepared; the number of each layer's first, and of all; their sets."""

    shapes: NDArray[np.object_]
    of_layer: Ints
    sets: Sequence[Sets]


@dataclass(frozen=True, slots=True)
class Touching:
    """The edges that touch the cells of `rows` rows from row `first` of a frame: `edge[i]` touches `cell[i]`.

    By cell (numbers in the frame), then by edge (numbers in `borders`).
    """

    first: int
    rows: int
    cell: Ints
    edge: Ints


@dataclass(frozen=True, slots=True)
class Band:
    """`answer[i]` is that of all cells from `places[i]` (counted from the band's first) until the next place.

    A kind; or the complement of a number, first those of `records`, then of `bends`, then of `meetings`. These three
    and `kinds` are as in `geo.pixels`, only that edges alone have the numbers that they have in the whole.
    """

    rows: int
    places: Int32s
    answer: Int32s
    kinds: Int32s
    records: Int32s
    bends: Int32s
    meetings: Meetings


def painted(frame: Frame, borders: Borders, touching: Touching, zones: Zones) -> Band:
    """Paint some rows of `frame`. To the sets of `zones` those of several zones that are met are added."""
    own = ascending(touching.edge)
    borders, edge = borders.part(own), np.searchsorted(own, touching.edge)
    begin = touching.first * frame.columns
    first = np.flatnonzero(np.diff(touching.cell, prepend=-1))
    cells, count = touching.cell[first], np.diff(np.append(first, touching.cell.size))
    here = Frame(
        frame.west,
        frame.south + touching.first * frame.size_y,
        frame.size_x,
        frame.size_y,
        frame.columns,
        touching.rows,
    )
    places, is_touched = _places(here, cells - begin)
    base = _base(here, borders, places, is_touched, Local(cells, first, count, edge, []), zones)
    touched = np.flatnonzero(is_touched)
    single = _single(frame, borders, cells, count, edge[first])
    one, many = np.flatnonzero(single), np.flatnonzero(~single)
    left, right = (_owners(borders, borders.left == side, zones) for side in (True, False))
    the_edge = edge[first[one]]
    ones = []
    for layer, sets in enumerate(zones.sets):
        under = base[layer][touched[one]]
        on_left = sets.join(under, left[layer][the_edge])
        on_right = sets.join(under, right[layer][the_edge])
        ones.append(np.concatenate([on_right, sets.join(on_left, on_right), on_left]))

    _, at = runs(first[many], count[many])
    from_here = np.cumsum(count[many]) - count[many]
    local = Local(cells[many], from_here, count[many], edge[at], [row[touched[many]] for row in base])
    met = meetings(frame, borders, own, local, zones.shapes, zones.of_layer)

    two = np.flatnonzero(count[many] == 2)
    pair = edge[first[many[two]][:, None] + np.arange(2)]
    bent = bends(frame, borders, cells[many[two]], pair, left, right)
    beneath = [row[touched[many[two[bent.at]]]] for row in base]
    wedges = [
        np.concatenate([sets.join(row, inner), sets.join(row, outer)])
        for sets, row, inner, outer in zip(zones.sets, beneath, bent.inner, bent.outer, strict=True)
    ]

    whole = np.flatnonzero(~is_touched)
    vectors = [np.concatenate([[0], row[whole], *new]) for row, *new in zip(base, ones, wedges, strict=True)]
    sizes = [len(sets) for sets in zones.sets]
    kinds, kind = numbered(vectors, sizes, 1 + whole.size + 3 * one.size + 2 * bent.at.size)
    _, of_whole, of_ones, of_bends = np.split(kind, np.cumsum([1, whole.size, 3 * one.size]))
    records = np.column_stack([own[the_edge], of_ones.reshape(3, -1).T])
    record, which = distinct(records.view(np.uint64))
    answer = np.empty(places.size, dtype=np.int32)
    answer[whole] = of_whole
    answer[touched[one]] = ~which
    answer[touched[many]] = ~(record.size + bent.at.size + np.arange(many.size))
    answer[touched[many[two[bent.at]]]] = ~(record.size + np.arange(bent.at.size))
    the_edges = np.where(bent.edges < 0, ~own[~bent.edges], own[bent.edges])
    return Band(
        rows=touching.rows,
        places=places.astype(np.int32),
        answer=answer,
        kinds=kinds,
        records=records[record].astype(np.int32),
        bends=np.column_stack([the_edges, of_bends.reshape(2, -1).T, two[bent.at]]).astype(np.int32),
        meetings=met,
    )


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
    frame: Frame, borders: Borders, places: Ints, is_touched: NDArray[np.bool_], local: Local, zones: Zones
) -> list[Ints]:
    """For each layer and place the set of zones that cover the whole cell and have no edge in it."""
    bordering = _Bordering.of(borders, np.flatnonzero(is_touched), places.size, local, len(zones.shapes))
    zone, begin, length = inside(frame, borders.by_zone())
    order = np.argsort(begin)  # what is asked in order is found in the processor's cache
    low, high = np.empty_like(begin), np.empty_like(begin)
    low[order] = np.searchsorted(places, begin[order])
    high[order] = np.searchsorted(places, (begin + length)[order])
    bounds = np.searchsorted(zone, zones.of_layer)
    base = []
    for layer, sets in enumerate(zones.sets):
        part = slice(bounds[layer], bounds[layer + 1])
        run, place = runs(low[part], (high - low)[part])
        which_zone = zone[part][run]
        free = ~bordering.holds(place, which_zone)
        base.append(sets.gather(place[free], which_zone[free] - zones.of_layer[layer], places.size))
    return base


def _owners(borders: Borders, chosen: NDArray[np.bool_], zones: Zones) -> list[Ints]:
    """For each layer and edge the set of its chosen zones."""
    edge = np.repeat(np.arange(len(borders.ends)), np.diff(borders.start))
    found = []
    for layer, sets in enumerate(zones.sets):
        low, high = zones.of_layer[layer], zones.of_layer[layer + 1]
        some = chosen & (borders.zone >= low) & (borders.zone < high)
        found.append(sets.gather(edge[some], borders.zone[some] - low, len(borders.ends)))
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


def numbered(vectors: Sequence[Ints], sizes: Sequence[int], count: int) -> tuple[Int32s, Ints]:
    """The different answers, shape (kinds, layers), in ascending order, and the number of each; the empty one is 0.

    Of one layer, all its sets, so that an answer's number is its set's.
    """
    if len(vectors) == 1:
        return np.arange(sizes[0], dtype=np.int32)[:, None], vectors[0]
    number = np.zeros(count, dtype=np.int64)
    kinds = np.zeros((1, 0), dtype=np.int64)
    for vector, size in zip(vectors, sizes, strict=True):
        kept, number = _different(number * size + vector)
        before, here = np.divmod(kept, size)
        kinds = np.column_stack([kinds[before], here])
    return np.ascontiguousarray(kinds, dtype=np.int32), number


def _different(keys: Ints) -> tuple[Ints, Ints]:
    """The different keys, ascending, and for each key its number among them: without a sort where they are dense."""
    most = int(keys.max(initial=0)) + 1
    if most > 4 * keys.size:
        kept, number = np.unique(keys, return_inverse=True)
        return kept, number
    used = np.zeros(most, dtype=bool)
    used[keys] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[keys]
