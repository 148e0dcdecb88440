"""On which side of a line a point lies, and whether a polygon holds it: exactly, never by an epsilon.

The sign of `(b - a) x (p - a)` is found in three steps, each asked only where the one before cannot tell.

1. In floats. The rounding error of the determinant is at most `FILTER` times the sum of its two products' sizes
   (J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates, 1997, bound
   ccwerrboundA: (3 + 16e)e with e = 2^-53), as long as nothing underflows; `TINY` is added for what may.
2. In pairs of doubles. Where all four differences are exact (each difference's rounding error is itself a double and
   can be computed; it is 0 whenever the coordinates are near each other and not near 0), the determinant is the
   difference of two products, each of which is *exactly* a sum of two doubles p + e with p the rounded product, if it
   is not so small that e underflows. Rounding is monotonic, so the larger p belongs to the larger product, and where
   both p are equal the larger e does. Nothing was rounded: the sign is exact.
3. In rational numbers (`fractions`), which cannot be wrong; for the rest: coordinates on either side of 0, or so small
   that products vanish.

The compiled kernel does 1 and 2 and leaves 3 to this module.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.raster import Floats, runs

FILTER: Final = 3.3306690738754716e-16
"""(3 + 16e)e, e = 2^-53."""
TINY: Final = 1e-290
"""A product smaller than this may have lost its tail to underflow (2^-1074 needs a product of 2^-968 or more)."""


def side(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> int:
    """1 where (x, y) lies left of the line from a to b, -1 right of it, 0 on it. Exact for all finite positions."""
    left, right = (bx - ax) * (y - ay), (by - ay) * (x - ax)
    found, doubt = left - right, FILTER * (abs(left) + abs(right)) + TINY
    if found > doubt:
        return 1
    if found < -doubt:
        return -1
    return exact_side(ax, ay, bx, by, x, y)


def exact_side(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> int:
    """`side` in rational numbers."""
    from_x, from_y = Fraction(ax), Fraction(ay)
    left = (Fraction(bx) - from_x) * (Fraction(y) - from_y)
    right = (Fraction(by) - from_y) * (Fraction(x) - from_x)
    return (left > right) - (left < right)


def holds(shape: BaseGeometry, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Whether a valid polygon or multipolygon holds each finite position, its boundary included. Exact.

    By crossings of the half-line to the left of the position.
    """
    rings = shapely.get_rings(shapely.get_parts(shape))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    a, b = xy[:-1][same], xy[1:][same]
    order = np.argsort(y, kind="stable")
    low = np.searchsorted(y[order], np.minimum(a[:, 1], b[:, 1]), side="left")
    high = np.searchsorted(y[order], np.maximum(a[:, 1], b[:, 1]), side="right")
    edge, at = runs(low, high - low)
    point = order[at]
    (ax, ay), (bx, by), px, py = a[edge].T, b[edge].T, x[point], y[point]
    left, right = (bx - ax) * (py - ay), (by - ay) * (px - ax)
    sides = np.sign(left - right)
    unsure = np.flatnonzero(np.abs(left - right) <= FILTER * (np.abs(left) + np.abs(right)) + TINY)
    rows = zip(*(column[unsure].tolist() for column in (ax, ay, bx, by, px, py)), strict=True)
    sides[unsure] = [exact_side(*row) for row in rows]
    crosses = ((ay > py) != (by > py)) & ((sides < 0) == (by > ay))
    held: NDArray[np.bool_] = np.bincount(point[crosses], minlength=x.size) % 2 == 1
    held[point[(sides == 0) & (np.minimum(ax, bx) <= px) & (px <= np.maximum(ax, bx))]] = True
    return held
