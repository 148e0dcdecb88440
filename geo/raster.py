"""Polygons and lines onto a grid of cells, in numpy: which cells a boundary touches, which cell centres lie inside.

`touched` errs on the side of touching: a cell that it leaves out is at least a thousandth of a cell away from every
boundary, so every point of it lies to the same side. That is what makes an exact locator on top of it possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MARGIN = 1e-3
"""Cells. Far above rounding (1e-9 of a cell), far below what would cost anything."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A grid of `rows` x `columns` cells of `size_x` x `size_y` units; cell 0 is the south-west corner, row by row."""

    west: float
    south: float
    size_x: float
    size_y: float
    columns: int
    rows: int

    @classmethod
    def around(cls, bounds: Sequence[float], size: float) -> Frame:
        """Square cells over `bounds` (west, south, east, north) and a ring of empty cells around them."""
        west, south, east, north = bounds
        columns, rows = int((east - west) // size) + 4, int((north - south) // size) + 4
        return cls(west - size, south - size, size, size, columns, rows)

    @property
    def count(self) -> int:
        """Number of cells."""
        return self.rows * self.columns

    def cells(self, x: Floats, y: Floats) -> Ints:
        """Number of the cell that holds each position; -1 outside, and for what is no number."""
        with np.errstate(invalid="ignore", over="ignore"):
            across, up = (x - self.west) / self.size_x, (y - self.south) / self.size_y
            held = (across >= 0) & (across < self.columns) & (up >= 0) & (up < self.rows)
            cells: Ints = up.astype(np.int64) * self.columns + across.astype(np.int64)
        cells[~held] = -1
        return cells

    def cell(self, x: float, y: float) -> int:
        """`cells` for one position."""
        across, up = (x - self.west) / self.size_x, (y - self.south) / self.size_y
        if not (0 <= across < self.columns and 0 <= up < self.rows):
            return -1
        return int(up) * self.columns + int(across)

    def centres(self) -> Floats:
        """Middle of each cell, shape (count, 2)."""
        x = self.west + (np.arange(self.columns) + 0.5) * self.size_x
        y = self.south + (np.arange(self.rows) + 0.5) * self.size_y
        return np.stack([np.tile(x, self.rows), np.repeat(y, self.columns)], axis=1)


@dataclass(frozen=True, slots=True)
class Edges:
    """The straight pieces of many shapes: from (ax, ay) to (bx, by), each the `owner`-th shape's."""

    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    owner: Ints

    @classmethod
    def of(cls, shapes: Sequence[BaseGeometry]) -> Edges:
        """Every edge of every ring or line; the owner is the shape's place in `shapes`."""
        parts, part_of = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
        polygonal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
        rings, ring_of = shapely.get_rings(parts[polygonal], return_index=True)
        lines = np.concatenate([rings, parts[~polygonal]])
        owners = np.concatenate([part_of[polygonal][ring_of], part_of[~polygonal]])
        xy, line_of = shapely.get_coordinates(lines, return_index=True)
        same = line_of[1:] == line_of[:-1]
        a, b = xy[:-1][same], xy[1:][same]
        owner = owners[line_of[1:][same]].astype(np.int64)
        return cls(a[:, 0], a[:, 1], b[:, 0], b[:, 1], owner)

    def on(self, frame: Frame) -> Edges:
        """The same in units of cells, each running upwards."""
        ax, bx = (self.ax - frame.west) / frame.size_x, (self.bx - frame.west) / frame.size_x
        ay, by = (self.ay - frame.south) / frame.size_y, (self.by - frame.south) / frame.size_y
        down = by < ay
        return Edges(
            np.where(down, bx, ax),
            np.where(down, by, ay),
            np.where(down, ax, bx),
            np.where(down, ay, by),
            self.owner,
        )


def runs(starts: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """Write out the runs `start, start + 1, …`: (which run, value) for each of their members."""
    which = np.repeat(np.arange(starts.size), lengths)
    ends = np.cumsum(lengths)
    values = np.arange(which.size) - np.repeat(ends - lengths, lengths) + starts[which]
    return which, values


def ascending(keys: Ints) -> Ints:
    """The different keys in ascending order. By sorting: many times the speed of `np.unique` on integers."""
    ordered = np.sort(keys)
    first = np.ones(ordered.size, dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    different: Ints = ordered[first]
    return different


def touched(frame: Frame, edges: Edges) -> tuple[Ints, Ints]:
    """(owner, cell) of every cell that an edge enters or comes within `MARGIN` of; ascending, each once."""
    edge, cell = crossed(frame, edges)
    key = ascending(edges.owner[edge] * frame.count + cell)
    return key // frame.count, key % frame.count


def crossed(frame: Frame, edges: Edges) -> tuple[Ints, Ints]:
    """(edge, cell) of every cell that an edge enters or comes within `MARGIN` of; by edge, each once."""
    e = edges.on(frame)
    low = np.maximum(np.floor(e.ay - MARGIN), 0).astype(np.int64)
    high = np.minimum(np.floor(e.by + MARGIN), frame.rows - 1).astype(np.int64)
    edge, row = runs(low, np.maximum(high - low + 1, 0))
    rise = (e.by - e.ay)[edge]
    level = rise == 0
    safe = np.where(level, 1.0, rise)
    # A piece of the edge a little longer than what lies in this row: where the edge is so flat that dividing by its
    # rise is inexact, that piece is all of it.
    start = np.where(level, 0.0, np.clip((row - MARGIN - e.ay[edge]) / safe, 0.0, 1.0))
    end = np.where(level, 1.0, np.clip((row + 1 + MARGIN - e.ay[edge]) / safe, 0.0, 1.0))
    run = (e.bx - e.ax)[edge]
    x0, x1 = e.ax[edge] + start * run, e.ax[edge] + end * run
    left = np.maximum(np.floor(np.minimum(x0, x1) - MARGIN), 0).astype(np.int64)
    right = np.minimum(np.floor(np.maximum(x0, x1) + MARGIN), frame.columns - 1).astype(np.int64)
    piece, column = runs(left, np.maximum(right - left + 1, 0))
    return edge[piece], row[piece] * frame.columns + column


def inside(frame: Frame, edges: Edges) -> tuple[Ints, Ints, Ints]:
    """Cells whose centre lies inside, as runs along a row: (owner, first cell, number of cells), ascending.

    By crossings of each row's middle line, so `edges` must be closed rings. For a cell that `touched` leaves out, the
    centre speaks for the whole cell; for the others it is a matter of rounding.
    """
    e = edges.on(frame)
    low = np.maximum(np.ceil(e.ay - 0.5), 0).astype(np.int64)
    high = np.minimum(np.ceil(e.by - 0.5), frame.rows).astype(np.int64)
    edge, row = runs(low, np.maximum(high - low, 0))
    t = (row + 0.5 - e.ay[edge]) / (e.by - e.ay)[edge]
    x = e.ax[edge] + t * (e.bx - e.ax)[edge]
    column = np.clip(np.ceil(x - 0.5), 0, frame.columns).astype(np.int64)
    wide = frame.columns + 1
    key = np.sort((e.owner[edge] * frame.rows + row) * wide + column)
    first, past = key[0::2], key[1::2]
    filled = past > first
    first, past = first[filled], past[filled]
    line = first // wide
    return line // frame.rows, line % frame.rows * frame.columns + first % wide, past - first
