"""Pixels in which a border bends: two edges that meet, the same zones on either side of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.borders import Borders
from geo.orientation import FILTER, TINY
from geo.raster import MARGIN, Floats, Frame, Ints


@dataclass(frozen=True, slots=True)
class Bends:
    """Each of some pixels `at` (places among those asked for) is parted by a wedge of two edges.

    A position lies within the wedge where it lies to the left of both edges; of one that is given as its complement,
    to the right. `inner` and `outer` give, for each layer, the set of zones whose border this is on either side.
    """

    at: Ints
    edges: Ints
    """(bends, 2)."""
    inner: list[Ints]
    outer: list[Ints]


def bends(frame: Frame, borders: Borders, cell: Ints, pair: Ints, left: Sequence[Ints], right: Sequence[Ints]) -> Bends:
    """Those of the pixels `cell`, each with two edges `pair`, in which a border bends.

    Both edges end well outside the pixel but where they meet, which is in it: what is in the pixel of either is what
    is in it of the half-line from there. `left` and `right` are the sets on either side of each edge, for each layer.
    """
    ends = borders.ends[pair].reshape(-1, 2, 2, 2)  # pixel, edge, end, coordinate
    meets = (ends[:, 0, :, None] == ends[:, 1, None, :]).all(axis=-1)  # pixel, end of one, end of other
    at = np.flatnonzero(meets.reshape(-1, 4).sum(axis=1) == 1)
    one, other = np.divmod(meets.reshape(-1, 4)[at].argmax(axis=1), 2)
    rows = np.arange(at.size)
    ends, pair, cell = ends[at], pair[at], cell[at]
    corner, a, b = ends[rows, 0, one], ends[rows, 0, 1 - one], ends[rows, 1, 1 - other]
    good = _within(frame, cell, corner, MARGIN) & ~_within(frame, cell, a, 2 * MARGIN)
    good &= ~_within(frame, cell, b, 2 * MARGIN)
    # Along the border, from a to the corner to b: does each edge run this way, and does the border turn left?
    along = np.stack([one == 1, other == 0], axis=1)
    first, second = (corner[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]), (corner[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    turn = first - second
    good &= np.abs(turn) > 16 * (FILTER * (np.abs(first) + np.abs(second)) + TINY)
    is_left = turn > 0
    inner, outer = [], []
    for on_left, on_right in zip(left, right, strict=True):
        lefts = np.where(along, on_left[pair], on_right[pair])
        rights = np.where(along, on_right[pair], on_left[pair])
        good &= (lefts[:, 0] == lefts[:, 1]) & (rights[:, 0] == rights[:, 1])
        inner.append(np.where(is_left, lefts[:, 0], rights[:, 0]))
        outer.append(np.where(is_left, rights[:, 0], lefts[:, 0]))
    edges = np.where(along == is_left[:, None], pair, ~pair)
    return Bends(at[good], edges[good], [each[good] for each in inner], [each[good] for each in outer])


def _within(frame: Frame, cell: Ints, xy: Floats, margin: float) -> NDArray[np.bool_]:
    """Whether each position lies in its cell or within `margin` (of a cell) of it."""
    row, column = np.divmod(cell, frame.columns)
    across, up = (xy[:, 0] - frame.west) / frame.size_x - column, (xy[:, 1] - frame.south) / frame.size_y - row
    near: NDArray[np.bool_] = (across > -margin) & (across < 1 + margin) & (up > -margin) & (up < 1 + margin)
    return near
