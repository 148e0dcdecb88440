"""The locator for some points at once, in numpy: slower than `geo.kernel` by far, but there at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geo.orientation import FILTER, TINY
from geo.pixels import BLOCK, Floats, Int32s, Int64s, Pixels


def gather(
    pixels: Pixels, lon: Floats, lat: Floats, found: Int32s, one_by_one: Callable[[float, float], tuple[int, ...]]
) -> None:
    """Write into `found` (layers, points) the set that each position lies in; `one_by_one` answers what is rare."""
    with np.errstate(invalid="ignore", over="ignore"):
        right, up = (lon - pixels.west) / pixels.size, (lat - pixels.south) / pixels.size
    held = (right >= 0) & (right < pixels.columns) & (up >= 0) & (up < pixels.rows)
    column, row = np.where(held, right, 0.0).astype(np.int64), np.where(held, up, 0.0).astype(np.int64)
    block = row // BLOCK * (pixels.columns // BLOCK) + column // BLOCK
    kind = pixels.coarse[np.where(held, block, -1)]
    near = np.flatnonzero(kind < 0)
    head = ~kind[near].astype(np.int64)
    code = pixels.pool[(head * BLOCK + row[near] % BLOCK) * BLOCK + column[near] % BLOCK].astype(np.int64)
    kind[near] = pixels.palette[pixels.heads[head] + code]
    near = near[kind[near] < 0]
    number = ~kind[near]
    rare = number >= len(pixels.records)
    one, record = near[~rare], pixels.records[number[~rare]]
    side, unsure = _sides(pixels, record[:, 0], lon[one], lat[one])
    kind[one] = record[np.arange(one.size), 2 + side]
    kind[near[rare]] = 0
    found[:] = pixels.kinds[kind].T
    for point in [*near[rare].tolist(), *one[unsure].tolist()]:
        found[:, point] = one_by_one(float(lon[point]), float(lat[point]))


def _sides(pixels: Pixels, edge: Int32s, x: Floats, y: Floats) -> tuple[Int64s, NDArray[np.bool_]]:
    """Side of each position by its edge; and where floats cannot tell."""
    ax, ay, bx, by = pixels.edges[edge].T
    left, right = (bx - ax) * (y - ay), (by - ay) * (x - ax)
    unsure = np.abs(left - right) <= FILTER * (np.abs(left) + np.abs(right)) + TINY
    return np.sign(left - right).astype(np.int64), unsure
