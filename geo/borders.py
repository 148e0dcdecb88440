"""The borders of many zones as straight edges, each kept once however many zones and layers share it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.raster import Edges, Floats, Ints, runs

_AT_ONCE: Final = 1 << 18
"""Corners or rows: what is made of so many and thrown away again takes some tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Borders:
    """Edges from a to b, each running upwards (a level one eastwards), and the zones that each is a border of.

    `ends` has shape (edges, 4): ax, ay, bx, by in degrees. Edge e belongs to the zones `zone[start[e]:start[e + 1]]`;
    the zone lies to the left of the edge where `left` says so, else to its right.
    """

    ends: Floats
    start: Ints
    zone: Ints
    left: NDArray[np.bool_]

    @classmethod
    def of(cls, shapes: NDArray[np.object_]) -> Borders:
        """The edges of valid polygons; a zone is its shape's place in `shapes`."""
        corners = np.cumsum(shapely.get_num_coordinates(shapes))
        most = int(corners[-1]) if corners.size else 0
        ends, zone, left = np.empty((most, 4)), np.empty(most, dtype=np.int64), np.empty(most, dtype=bool)
        begins = np.flatnonzero(np.diff(corners // _AT_ONCE, prepend=-1))
        count = 0
        for begin, end in pairwise([*begins.tolist(), shapes.size]):
            some_ends, some_zone, some_left = _rings(shapes[begin:end])
            some = slice(count, count := count + some_zone.size)
            ends[some], zone[some], left[some] = some_ends, some_zone + begin, some_left
        first, which = distinct(ends[:count].view(np.uint64))
        for begin in range(0, first.size, _AT_ONCE):  # to the front, where they stand: `first` ascends
            end = min(begin + _AT_ONCE, first.size)
            ends[begin:end] = ends[first[begin:end]]
        ends.resize((first.size, 4), refcheck=False)
        bits = count.bit_length()
        which <<= bits
        which |= np.arange(count)
        which.sort()  # by edge, then as they were met
        start = np.searchsorted(which, np.arange(first.size + 1) << bits)
        which &= (1 << bits) - 1
        return cls(ends, start, zone[which], left[which])

    def part(self, edges: Ints) -> Borders:
        """Some of the edges, numbered as they are given."""
        span = self.start[edges + 1] - self.start[edges]
        _, at = runs(self.start[edges], span)
        return Borders(self.ends[edges], np.append(0, np.cumsum(span)), self.zone[at], self.left[at])

    def edges(self) -> Edges:
        """The same for rasterising; the owner of each edge is its own number."""
        ax, ay, bx, by = np.ascontiguousarray(self.ends.T)
        return Edges(ax, ay, bx, by, np.arange(len(self.ends)))

    def by_zone(self) -> Edges:
        """Every edge once for each zone that it belongs to; the owner is the zone."""
        ax, ay, bx, by = np.ascontiguousarray(np.repeat(self.ends, np.diff(self.start), axis=0).T)
        return Edges(ax, ay, bx, by, self.zone)


def _rings(shapes: NDArray[np.object_]) -> tuple[Floats, Ints, NDArray[np.bool_]]:
    """Every edge of every ring: its ends in order, its shape, and whether that lies to its left."""
    parts, part_of = shapely.get_parts(shapes, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    outer = np.diff(ring_of, prepend=-1) != 0
    left_of_ring = shapely.is_ccw(rings) == outer
    # + 0.0 makes one zero of the two.
    xy, line = shapely.get_coordinates(rings, return_index=True)
    xy += 0.0
    same = (line[1:] == line[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
    a, b, ring = xy[:-1][same], xy[1:][same], line[1:][same]
    down = (b[:, 1] < a[:, 1]) | ((b[:, 1] == a[:, 1]) & (b[:, 0] < a[:, 0]))
    ends = np.where(down[:, None], np.concatenate([b, a], axis=1), np.concatenate([a, b], axis=1))
    return ends, part_of[ring_of[ring]], left_of_ring[ring] ^ down


def distinct(rows: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """The different rows: (place of the first of each, number of each row's kind), numbered in order of appearance."""
    mixed = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        mixed ^= column
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed)
    mixed = mixed[order]
    new = np.ones(len(rows), dtype=bool)
    np.not_equal(mixed[1:], mixed[:-1], out=new[1:])
    del mixed
    if _alike(rows, order, new):
        begins = np.flatnonzero(new)
        length = np.diff(np.append(begins, order.size))
        first = np.minimum.reduceat(order, begins) if begins.size else begins
        del begins
    else:  # two different rows have one mixed value: compare them whole
        _, first, kind, length = np.unique(rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(kind.reshape(-1))
    new[:] = False
    new[first] = True
    rank = (np.cumsum(new) - 1)[first]
    which = np.empty(len(rows), dtype=np.int64)
    which[order] = np.repeat(rank, length)
    return np.flatnonzero(new), which


def _alike(rows: NDArray[np.uint64], order: Ints, new: NDArray[np.bool_]) -> bool:
    """Whether rows in `order` are equal to the one before wherever that is not `new`."""
    for begin in range(1, order.size, _AT_ONCE):
        some = rows[order[begin - 1 : begin + _AT_ONCE]]
        if not ((some[1:] == some[:-1]).all(axis=1) | new[begin : begin + _AT_ONCE]).all():
            return False
    return True
