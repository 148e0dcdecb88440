"""Pixels in which several borders meet, as the locator keeps them: `Pixels.crossings` and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.borders import Borders, distinct
from geo.orientation import FILTER, TINY
from geo.pixels import ACROSS, CROWDED, LEFT, MOST_ZONES, WIDEST, Floats, Int32s, Int64s
from geo.raster import Frame, Ints, ascending, runs
from geo.sets import Sets

_PLACES: Final = ((0.5, 0.5), (0.3, 0.6), (0.7, 0.35), (0.15, 0.2), (0.85, 0.8), (0.4, 0.1), (0.62, 0.9), (0.05, 0.75))
"""Where in its pixel a reference is tried, moved by a little that is different in each pixel."""


@dataclass(frozen=True, slots=True)
class Crossings:
    """The parts of `Pixels` of the same names."""

    crossings: Int32s
    references: Floats
    local: Int32s
    toggles: Int64s
    layouts: Int32s
    tables: Int32s


@dataclass(frozen=True, slots=True)
class Meetings:
    """What `Crossings` are made of, for some of the pixels in which borders meet; what is not told there:

    `count` is how many edges each has, or `CROWDED`; `local` has one more for each pixel. Pixel p's zones of layer l
    are the bits from `shift[p, l]` on, and `rows[which[p, l]]`: the layer, how many they are, the set of those that
    cover all of the pixel, and each as the set of it alone.
    """

    count: Int32s
    references: Floats
    local: Int32s
    toggles: Int64s
    shift: Int32s
    which: Int32s
    rows: Ints


@dataclass(frozen=True, slots=True)
class Local:
    """The edges in each of some pixels: `edge[first[m]:first[m] + count[m]]`; `base[l]` is the set, in layer l, of the
    zones that cover all of the pixel."""

    cell: Ints
    first: Ints
    count: Ints
    edge: Ints
    base: Sequence[Ints]


def meetings(
    frame: Frame,
    borders: Borders,
    own: Ints,
    local: Local,
    shapes: NDArray[np.object_],
    zones_of: Ints,
) -> Meetings:
    """Those of some pixels. Edge e of `borders` is given as `own[e]`.

    `zones_of[l]` is the number of the first zone of layer l; `shapes` must be prepared.
    """
    pixels, layers = local.cell.size, len(local.base)
    pixel, zone, start = _zones(borders, local, len(shapes))
    layer = np.searchsorted(zones_of[1:], zone, side="right")
    width = np.zeros((pixels, layers), dtype=np.int64)
    np.add.at(width, (pixel, layer), 1)
    references, found = _references(frame, borders, local)
    crowded = (width > WIDEST).any(axis=1) | (width.sum(axis=1) > MOST_ZONES) | ~found
    width[crowded] = 0

    keep = ~crowded[pixel]
    bit = np.int64(1) << (np.arange(zone.size) - start[pixel])[keep].clip(0, MOST_ZONES)
    pixel, zone, layer = pixel[keep], zone[keep], layer[keep]
    held = _held(shapes, zone, references[pixel])
    within = np.zeros(pixels, dtype=np.int64)
    np.bitwise_or.at(within, pixel[held], bit[held])

    edges = np.where(crowded, 0, local.count)
    m, at = runs(local.first, edges)
    edge = local.edge[at]
    toggles = _toggles(borders, m, edge, pixel, zone, bit, len(shapes))
    ends, there = borders.ends[edge], references[m]
    toggles[(ends[:, 0] > there[:, 0]) != (ends[:, 2] > there[:, 0])] |= ACROSS
    toggles[_determinant(ends, there)[0] > 0] |= LEFT
    first = np.cumsum(edges) - edges
    shift, rows = _rows(local.base, width, pixel, layer, zone - zones_of[layer])
    row, which = distinct(rows.view(np.uint64))
    return Meetings(
        count=np.where(crowded, CROWDED, local.count).astype(np.int32),
        references=references[:, 0],
        local=np.insert(own[edge], first, 0).astype(np.int32),
        toggles=np.insert(toggles, first, within),
        shift=shift.astype(np.int32),
        which=which.reshape(pixels, layers).astype(np.int32),
        rows=rows[row],
    )


def crossings(parts: Sequence[Meetings], sets: Sequence[Sets]) -> Crossings:
    """All pixels in which borders meet. To `sets` those of several zones that may occur are added."""
    rows = np.concatenate([part.rows for part in parts])
    row, number = distinct(rows.view(np.uint64))
    kept = rows[row]
    before = np.cumsum([0, *(len(part.rows) for part in parts)])
    which = np.concatenate([number[part.which + begin] for part, begin in zip(parts, before[:-1], strict=True)])
    offset, size, tables = _tables(kept, sets)
    shift = np.concatenate([part.shift for part in parts])
    layouts = np.stack([shift, (size - 1)[which], offset[which]], axis=2).reshape(len(which), 3 * len(sets))
    kind, layout = distinct(layouts.view(np.uint64))
    count = np.concatenate([part.count for part in parts])
    first = np.cumsum(1 + np.maximum(count, 0)) - np.maximum(count, 0)
    return Crossings(
        crossings=np.stack([first, count, layout], axis=1).astype(np.int32),
        references=np.concatenate([part.references for part in parts]),
        local=np.concatenate([part.local for part in parts]),
        toggles=np.concatenate([part.toggles for part in parts]),
        layouts=layouts[kind].reshape(kind.size, len(sets), 3).astype(np.int32),
        tables=tables,
    )


def _zones(borders: Borders, local: Local, zones: int) -> tuple[Ints, Ints, Ints]:
    """(pixel, zone) for each zone with an edge in the pixel, ascending, each once; and where each pixel begins."""
    m = np.repeat(np.arange(local.cell.size), local.count)
    which, owner = runs(borders.start[local.edge], np.diff(borders.start)[local.edge])
    pair = ascending(m[which] * max(zones, 1) + borders.zone[owner])
    pixel, zone = np.divmod(pair, max(zones, 1))
    return pixel, zone, np.searchsorted(pixel, np.arange(local.cell.size))


def _references(frame: Frame, borders: Borders, local: Local) -> tuple[Floats, NDArray[np.bool_]]:
    """A position in each pixel that certainly lies on no line of its edges; and whether one was found."""
    row, column = np.divmod(local.cell, frame.columns)
    shift = ((local.cell * 2654435761) % 1024) / 1024 * 0.04
    references = np.zeros((local.cell.size, 2))
    missing = np.arange(local.cell.size)
    for across, up in _PLACES:
        references[missing, 0] = frame.west + (column[missing] + across + shift[missing]) * frame.size_x
        references[missing, 1] = frame.south + (row[missing] + up - shift[missing]) * frame.size_y
        m, at = runs(local.first[missing], local.count[missing])
        found, doubt = _determinant(borders.ends[local.edge[at]], references[missing][m])
        unsure = np.zeros(missing.size, dtype=bool)
        unsure[m[np.abs(found) <= 16 * doubt]] = True
        missing = missing[unsure]
    good = np.ones(local.cell.size, dtype=bool)
    good[missing] = False
    return references, good


def _determinant(ends: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Positive where a position lies left of its edge; and how far that may be wrong."""
    left = (ends[:, 2] - ends[:, 0]) * (at[:, 1] - ends[:, 1])
    right = (ends[:, 3] - ends[:, 1]) * (at[:, 0] - ends[:, 0])
    return left - right, FILTER * (np.abs(left) + np.abs(right)) + TINY


def _held(shapes: NDArray[np.object_], zone: Ints, at: Floats) -> NDArray[np.bool_]:
    """Whether each zone holds its position; asked zone by zone, so that one zone's index stays in the cache."""
    order = np.argsort(zone, kind="stable")
    held = np.empty(zone.size, dtype=bool)
    held[order] = shapely.intersects_xy(shapes[zone[order]], at[order, 0], at[order, 1])
    return held


def _toggles(borders: Borders, m: Ints, edge: Ints, pixel: Ints, zone: Ints, bit: Int64s, zones: int) -> Int64s:
    """For each edge in a pixel, the bits of the zones that it is a border of."""
    which, owner = runs(borders.start[edge], np.diff(borders.start)[edge])
    known = pixel * zones + zone
    place = np.searchsorted(known, m[which] * zones + borders.zone[owner])
    toggles = np.zeros(edge.size, dtype=np.int64)
    np.bitwise_or.at(toggles, which, bit[place])
    return toggles


def _rows(base: Sequence[Ints], width: Ints, pixel: Ints, layer: Ints, zone: Ints) -> tuple[Ints, Ints]:
    """For each pixel and layer where its bits begin, and what `Meetings.rows` says of it."""
    pixels, layers = width.shape
    rows = np.zeros((pixels, layers, 3 + WIDEST), dtype=np.int64)
    rows[:, :, 0] = np.arange(layers)
    rows[:, :, 1] = width
    rows[:, :, 2] = np.stack(list(base), axis=1) if layers else 0
    shift = np.cumsum(width, axis=1) - width
    rank = np.arange(pixel.size) - (np.cumsum(width.sum(axis=1)) - width.sum(axis=1))[pixel] - shift[pixel, layer]
    rows[pixel, layer, 3 + rank] = zone + 1
    return shift, rows.reshape(pixels * layers, 3 + WIDEST)


def _tables(rows: Ints, sets: Sequence[Sets]) -> tuple[Ints, Ints, Int32s]:
    """The tables of all rows in one, and of each row where its own begins and how long it is."""
    size = np.int64(1) << rows[:, 1]
    offset = np.cumsum(size) - size
    tables = np.zeros(int(size.sum()), dtype=np.int32)
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    steps = np.flatnonzero(np.diff(rows[order, 0] * (WIDEST + 1) + rows[order, 1], prepend=-1))
    for begin, end in pairwise([*steps.tolist(), order.size]):
        some = order[begin:end]
        table = _table(rows[some], sets[int(rows[some[0], 0])])
        tables[offset[some][:, None] + np.arange(table.shape[1])] = table
    return offset, size, tables


def _table(rows: Ints, sets: Sets) -> Ints:
    """For rows of one layer and one width, the set for each combination of their zones; shape (rows, 2 ** width)."""
    width = int(rows[0, 1])
    table = np.zeros((len(rows), 1 << width), dtype=np.int64)
    table[:, 0] = rows[:, 2]
    for bits in range(1, 1 << width):
        last = bits.bit_length() - 1
        table[:, bits] = sets.join(table[:, bits ^ (1 << last)], rows[:, 3 + last])
    return table
