"""Zones of several layers onto pixels: builds `geo.pixels.Pixels`. Numpy and GEOS, no compiled code.

Band by band (`geo.band`), each of about as many touched pixels, then joined (`geo.joining`): painting a nation takes
little more memory than the nation and what is kept of it. How many bands there are changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.band import Band, Touching, Zones, painted
from geo.borders import Borders
from geo.joining import joined
from geo.pixels import BLOCK, Pixels
from geo.raster import Edges, Frame, Ints, crossed
from geo.sets import Sets

_AT_ONCE: Final = 1 << 18
"""Pairs of an edge and a pixel that it touches. With so many, painting takes some tens of megabytes."""
_SMALLEST: Final = 1e-9
"""Degrees; a smaller pixel would come near the last bits of a longitude."""


def paint(
    shapes: NDArray[np.object_], of_layer: Ints, sets: Sequence[Sets], long_side: int, *, at_once: int = _AT_ONCE
) -> Pixels:
    """Lay out `shapes` (valid polygons, degrees) in pixels, `long_side` of them along the longer side of their bounds.

    `of_layer[l]` is the number of the first zone of layer l, and ends with the number of all; `sets` are the layers'
    own, to which the sets of several zones that may occur are added. A band has about `at_once` pairs of an edge and
    a pixel that it touches.
    """
    frame = _frame(shapes, long_side)
    borders = Borders.of(shapes)
    zones = Zones(shapes, of_layer, sets)
    tops = shapely.bounds(shapes)[:, 3] if shapes.size else np.zeros(0)
    bands: list[Band] = []
    shapely.prepare(shapes)
    below = -np.inf
    for touching in _bands(frame, borders, at_once):
        bands.append(painted(frame, borders, touching, zones))
        # What GEOS made ready of a zone is as large as the zone, so it goes as soon as no band will ask of it.
        top = frame.south + (touching.first + touching.rows) * frame.size_y
        shapely.destroy_prepared(shapes[(below <= tops) & (tops < top)])
        below = top
    return joined(frame, bands, borders, sets)


def _frame(shapes: NDArray[np.object_], long_side: int) -> Frame:
    """Pixels over all shapes in whole blocks, two more all around: the outermost are certainly touched by nothing."""
    west, south, east, north = shapely.total_bounds(shapes).tolist() if shapes.size else [0.0] * 4
    size = max(max(east - west, north - south) / long_side, _SMALLEST)
    columns, rows = (-(-(int(side // size) + 5) // BLOCK) * BLOCK for side in (east - west, north - south))
    return Frame(west - 2 * size, south - 2 * size, size, size, columns, rows)


def _bands(frame: Frame, borders: Borders, at_once: int) -> Iterator[Touching]:
    """All rows of the frame, in rows of blocks: as many at a time as have about `at_once` pairs."""
    bits = len(borders.ends).bit_length()
    pairs = _pairs(frame, borders, bits, at_once)
    rows = np.arange(0, frame.rows, BLOCK)
    before = np.searchsorted(pairs, rows * frame.columns << bits)
    begins = np.flatnonzero(np.diff(before // at_once, prepend=-1))
    ends = [*zip(rows[begins].tolist(), before[begins].tolist(), strict=True), (frame.rows, pairs.size)]
    for (row, begin), (next_row, end) in pairwise(ends):
        some = pairs[begin:end]
        yield Touching(row, next_row - row, some >> bits, some & (1 << bits) - 1)


def _pairs(frame: Frame, borders: Borders, bits: int, at_once: int) -> Ints:
    """Cell and edge of every cell that an edge touches, the edge in the lowest `bits`, in order.

    As one number each, which sorts far faster than one by the other.
    """
    reach = np.abs(borders.ends[:, 2:] - borders.ends[:, :2]).sum(axis=1) / frame.size_x + 2
    begins = np.flatnonzero(np.diff(np.cumsum(reach) // at_once, prepend=-1))
    found = []
    for begin, end in pairwise([*begins.tolist(), len(reach)]):
        ax, ay, bx, by = np.ascontiguousarray(borders.ends[begin:end].T)
        edge, cell = crossed(frame, Edges(ax, ay, bx, by, np.zeros(0, dtype=np.int64)))
        found.append(cell << bits | edge + begin)
    pairs = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    pairs.sort()
    return pairs
