"""The borders of many zones as straight edges, each kept once however many zones and layers share it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.raster import Edges, Floats, Ints


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
        zone = part_of[ring_of[ring]].astype(np.int64)
        left = left_of_ring[ring] ^ down
        first, which = distinct(ends.view(np.uint64))
        order = np.argsort(which, kind="stable")
        start = np.append(np.flatnonzero(np.diff(which[order], prepend=-1)), order.size)
        return cls(np.ascontiguousarray(ends[first]), start, zone[order], left[order])

    def edges(self) -> Edges:
        """The same for rasterising; the owner of each edge is its own number."""
        ax, ay, bx, by = np.ascontiguousarray(self.ends.T)
        return Edges(ax, ay, bx, by, np.arange(len(self.ends)))

    def by_zone(self) -> Edges:
        """Every edge once for each zone that it belongs to; the owner is the zone."""
        ax, ay, bx, by = np.ascontiguousarray(np.repeat(self.ends, np.diff(self.start), axis=0).T)
        return Edges(ax, ay, bx, by, self.zone)


def distinct(rows: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """The different rows: (place of the first of each, number of each row's kind), numbered in order of appearance."""
    mixed = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    _, first, which = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(rows[first[which]], rows):  # two different rows have one mixed value: compare them whole
        _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    return first[order].astype(np.int64), rank[which.reshape(-1)]
