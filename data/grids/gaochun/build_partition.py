"""How the sample district is divided: power diagrams, balanced seeds, meandering borders, one common set of vertices.

Everything here is metric (EPSG:4549) until `planar_faces`, which brings all borders to degrees on a grid of 1e-7 and
nodes them once, so that zones of every layer share their vertices exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

Points = NDArray[np.float64]
SNAP_M = 0.01
"""Metric borders are noded on this grid before they are polygonized."""


def meander(line: LineString, rng: np.random.Generator, rough: float, step: float = 90.0) -> LineString:
    """The line with a smooth wave laid over each straight piece; every vertex given stays where it is."""
    out = [np.asarray(line.coords[0])]
    for a, b in pairwise(np.asarray(line.coords)):
        along = b - a
        length = float(np.hypot(*along))
        n = max(2, round(length / step))
        t = np.linspace(0.0, 1.0, n + 1)[1:]
        wave = sum(rng.normal() / k**1.3 * np.sin(k * np.pi * t) for k in range(1, 6)) * rough
        wave[-1] = 0.0
        out.extend(a + along * t[:, None] + np.array([-along[1], along[0]]) * wave[:, None])
    return LineString(np.asarray(out))


def power_cells(sites: Points, weights: NDArray[np.float64], box: Polygon) -> list[BaseGeometry]:
    """The power diagram of the sites: cell i is where |x - s_i|^2 - w_i is least (Aurenhammer 1987), cut to the box."""
    far = 1e6
    cells: list[BaseGeometry] = []
    for i, site in enumerate(sites):
        cell: BaseGeometry = box
        for j, other in enumerate(sites):
            if i == j:
                continue
            d = other - site
            dist = float(np.hypot(*d))
            u, v = d / dist, np.array([-d[1], d[0]]) / dist
            edge = site + u * (dist * dist + weights[i] - weights[j]) / (2 * dist)
            half = Polygon([edge + far * v, edge - far * v, edge - far * v - far * u, edge + far * v - far * u])
            cell = cell.intersection(half)
        cells.append(cell)
    return cells


def power_cells_of_area(sites: Points, areas_m2: NDArray[np.float64], region: Polygon) -> list[BaseGeometry]:
    """The power diagram whose cells have these areas inside the region (damped correction of the weights)."""
    box = shapely.box(*region.buffer(5000).bounds)
    weights = np.zeros(len(sites))
    for _ in range(120):
        cells = power_cells(sites, weights, box)
        got = np.array([cell.intersection(region).area for cell in cells])
        if np.abs(got - areas_m2).max() < 2e4:
            break
        weights += 0.35 * (areas_m2 - got)
    return cells


def seeds(
    region: BaseGeometry, n: int, density: Callable[[Points], NDArray[np.float64]], rng: np.random.Generator
) -> Points:
    """n seeds spread over the region so that each serves about the same weight (Lloyd's iteration on a sample)."""
    west, south, east, north = region.bounds
    step = max(25.0, float(np.sqrt(region.area / (120 * n))))
    xs, ys = np.meshgrid(np.arange(west, east, step), np.arange(south, north, step))
    sample = np.column_stack([xs.ravel(), ys.ravel()])
    sample = sample[shapely.contains_xy(region, sample[:, 0], sample[:, 1])]
    weight = density(sample)
    at = sample[rng.choice(len(sample), n, replace=False, p=weight / weight.sum())]
    for _ in range(40):
        nearest = cKDTree(at).query(sample)[1]
        total = np.bincount(nearest, weight, n)
        moved = np.column_stack(
            [np.bincount(nearest, weight * sample[:, k], n) / np.maximum(total, 1e-9) for k in (0, 1)]
        )
        at = np.where(total[:, None] > 0, moved, at)
    return np.asarray(at)


def borders_between(at: Points, region: Polygon) -> list[LineString]:
    """The straight Voronoi borders of the seeds, cut to the region."""
    if len(at) < 2:
        return []
    edges = shapely.voronoi_polygons(shapely.multipoints(at), extend_to=region.buffer(3000), only_edges=True)
    return lines_of(edges.intersection(region))


def lines_of(geometry: BaseGeometry) -> list[LineString]:
    """Every line in it, in an order that depends on the geometry alone."""
    merged = shapely.line_merge(geometry)
    parts = [p for p in shapely.get_parts(merged) if isinstance(p, LineString) and p.length > 0]
    return sorted(parts, key=lambda p: p.bounds)


def divide(region: Polygon, borders: Sequence[LineString], n: int) -> list[Polygon]:
    """The pieces that the borders cut the region into; the smallest go to their longest neighbour until n are left."""
    noded = shapely.union_all([region.boundary, *borders], grid_size=SNAP_M)
    pieces = [p for p in shapely.get_parts(shapely.polygonize([noded])) if region.contains(p.representative_point())]
    while len(pieces) > n:
        small = min(range(len(pieces)), key=lambda i: pieces[i].area)
        piece = pieces.pop(small)
        shared = [piece.boundary.intersection(other.boundary).length for other in pieces]
        host = int(np.argmax(shared))
        pieces[host] = shapely.union_all([pieces[host], piece], grid_size=SNAP_M)
    return pieces


def planar_faces(borders: Sequence[BaseGeometry]) -> list[Polygon]:
    """All borders (degrees) noded together on the 1e-7 grid, and the faces between them."""
    noded = shapely.union_all(list(borders), grid_size=1e-7)
    return list(shapely.get_parts(shapely.polygonize([noded])))


def gather(faces: Sequence[Polygon], owners: Sequence[int], n: int) -> list[BaseGeometry]:
    """The faces of each owner 0..n-1 dissolved into one zone; faces of owner -1 belong to none."""
    groups: list[list[Polygon]] = [[] for _ in range(n)]
    for face, owner in zip(faces, owners, strict=True):
        if owner >= 0:
            groups[owner].append(face)
    return [_polygons(shapely.coverage_union_all(group)) for group in groups]


def _polygons(geometry: BaseGeometry) -> BaseGeometry:
    """The polygon or multipolygon in it (a union of parts that lie apart comes as a collection)."""
    parts = [p for p in shapely.get_parts(geometry) if isinstance(p, Polygon)]
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def chaikin(points: Sequence[tuple[float, float]], closed: bool, rounds: int = 3) -> Points:
    """Chaikin's corner cutting: a smooth curve from a few corners."""
    p = np.asarray(points, dtype=float)
    for _ in range(rounds):
        a, b = (p, np.roll(p, -1, axis=0)) if closed else (p[:-1], p[1:])
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        p = cut if closed else np.vstack([p[:1], cut, p[-1:]])
    return p
