"""The faces that the borders of one or more layers cut the plane into, and which faces lie beside which.

All borders are noded together on one grid (snap rounding: Hobby 1999, as GEOS OverlayNG does it), so that zones put
together from faces share every vertex. Coordinates are degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.grid import Metric

GRID_DEG = 1e-9
"""Borders are noded on this grid: a tenth of a millimetre."""

Shapes = NDArray[Any]
"""A one-dimensional array of polygons."""
Indexes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Sides:
    """Every segment of the faces' rings once: its end points (numbers) and the faces beside it (-1: none)."""

    start: Indexes
    end: Indexes
    one: Indexes
    other: Indexes
    points: NDArray[np.float64]
    """Longitude, latitude of every end point by its number."""


def as_shapes(geometries: Sequence[BaseGeometry] | Shapes) -> Shapes:
    """Geometries as an array, whatever their number."""
    out = np.empty(len(geometries), dtype=object)
    out[:] = geometries
    return out


def faces(lines: Sequence[BaseGeometry] | Shapes) -> Shapes:
    """The bounded faces between all these lines, noded on the grid."""
    noded = shapely.union_all(as_shapes(lines), grid_size=GRID_DEG)
    return as_shapes(shapely.get_parts(shapely.polygonize([noded])))


def sides(shapes: Shapes) -> Sides:
    """Which faces meet at which segments; faces must share their vertices."""
    rings, of_ring = shapely.get_rings(shapes, return_index=True)
    xy, of_point = shapely.get_coordinates(rings, return_index=True)
    points, number = np.unique(xy[:, 0] + 1j * xy[:, 1], return_inverse=True)
    goes_on = of_point[1:] == of_point[:-1]
    a, b = number[:-1][goes_on], number[1:][goes_on]
    face = of_ring[of_point[:-1][goes_on]]
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((face, high, low))
    low, high, face = low[order], high[order], face[order]
    first = np.ones(low.size, dtype=np.bool_)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    at = np.flatnonzero(first)
    second = at + 1
    paired = (second < low.size) & ~first[np.minimum(second, low.size - 1)]
    other = np.where(paired, face[np.minimum(second, low.size - 1)], -1)
    return Sides(low[at], high[at], face[at], other, np.column_stack([points.real, points.imag]))


def claims(shapes: Shapes, zones: Shapes) -> tuple[Indexes, Indexes]:
    """Pairs (face, zone): the zone holds a point inside the face."""
    inside = np.where(shapely.get_num_coordinates(shapes) == 4, shapely.centroid(shapes), _inner(shapes))
    zone, face = shapely.STRtree(inside).query(zones, predicate="intersects")
    order = np.lexsort((zone, face))
    return face[order], zone[order]


def _inner(shapes: Shapes) -> Shapes:
    return np.asarray(shapely.point_on_surface(shapes), dtype=object)


def groups(nodes: int, first: Indexes, second: Indexes) -> list[Indexes]:
    """The connected parts of a graph, each as its nodes in ascending order."""
    graph = coo_array((np.ones(first.size, dtype=np.int8), (first, second)), shape=(nodes, nodes))
    count, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    cuts = np.searchsorted(label[order], np.arange(1, count))
    return list(np.split(order, cuts)) if nodes else []


def joined(shapes: Shapes) -> Polygon | MultiPolygon:
    """Faces as one zone: every vertex of theirs on its border is kept."""
    if len(shapes) == 1:
        only: Polygon = shapes[0]
        return only
    parts = [part for part in shapely.get_parts(shapely.coverage_union_all(shapes)) if isinstance(part, Polygon)]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def are_narrow(shapes: Sequence[BaseGeometry] | Shapes, metric: Metric, width_m: float) -> NDArray[np.bool_]:
    """Of each polygon, whether no circle of that diameter (metres) fits in."""

    def near_nought(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metres from the first point: digits that a false easting takes are missed in a buffer."""
        at = metric.points(xy)
        return np.asarray(at - at[:1])

    cores = shapely.buffer(shapely.transform(as_shapes(shapes), near_nought), -width_m / 2)
    return np.asarray(shapely.is_empty(cores), dtype=np.bool_)
