"""Schematic roads: ways along the borders of the grid cells, which in the polders are the dykes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree
from shapely import LineString
from shapely.geometry.base import BaseGeometry

WATER_COST = 12.0
BORDER_COST = 6.0


def roads(
    cells: Sequence[BaseGeometry],
    water: BaseGeometry,
    district: BaseGeometry,
    stands: Sequence[BaseGeometry],
    places: Sequence[BaseGeometry],
    degrees: Callable[[BaseGeometry], BaseGeometry],
) -> list[tuple[dict[str, object], BaseGeometry]]:
    """Main roads between the stands that lie next to each other, minor ones from every community to the nearest main.

    Metres in, degrees out. Pieces over water are features of their own, with `bridge` true.
    """
    segments = {tuple(sorted(pair)) for cell in cells for part in shapely.get_parts(cell) for pair in _segments(part)}
    ordered = sorted(segments)
    where = {p: i for i, p in enumerate(sorted({p for pair in ordered for p in pair}))}
    xy = np.array(list(where))
    ends = np.array([[where[a], where[b]] for a, b in ordered])
    middle = shapely.points(xy[ends].mean(axis=1))
    shapely.prepare(water)
    rim = district.boundary.buffer(60)
    shapely.prepare(rim)
    cost = np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T)
    cost = (
        cost
        * np.where(shapely.contains(water, middle), WATER_COST, 1)
        * np.where(shapely.contains(rim, middle), BORDER_COST, 1)
    )
    graph = coo_matrix((cost, (ends[:, 0], ends[:, 1])), shape=(len(xy), len(xy))).tocsr()

    seats = sorted({int(cKDTree(xy).query((s.x, s.y))[1]) for s in stands})
    dist, before = dijkstra(graph, directed=False, indices=seats, return_predecessors=True)
    main: set[tuple[int, int]] = set()
    for i, j in combinations(range(len(seats)), 2):
        direct = dist[i, seats[j]]
        if all(max(dist[i, seats[k]], dist[j, seats[k]]) > 0.92 * direct for k in range(len(seats)) if k not in (i, j)):
            main |= _way(before[i], seats[i], seats[j])
    on_main = sorted({p for pair in main for p in pair})
    _, back, _ = dijkstra(graph, directed=False, indices=on_main, return_predecessors=True, min_only=True)
    minor: set[tuple[int, int]] = set()
    for place in places:
        dry = place.difference(water)
        if dry.area < 0.15 * place.area:
            continue  # a community of the lake
        heart = dry.representative_point()
        at = int(cKDTree(xy).query((heart.x, heart.y))[1])
        while back[at] >= 0:
            minor.add((min(at, int(back[at])), max(at, int(back[at]))))
            at = int(back[at])
    out: list[tuple[dict[str, object], BaseGeometry]] = []
    for name, edges in (("main", main), ("minor", minor - main)):
        merged = shapely.line_merge(shapely.multilinestrings([xy[list(e)] for e in sorted(edges)]))
        for line in sorted(shapely.get_parts(merged), key=lambda p: (p.bounds, p.length)):
            smooth = _smooth(line)
            for bridge, part in ((False, smooth.difference(water)), (True, smooth.intersection(water))):
                pieces = shapely.get_parts(shapely.line_merge(part))
                out += [
                    ({"class": name, "bridge": bridge}, degrees(p))
                    for p in pieces
                    if isinstance(p, LineString) and p.length > 0
                ]
    return out


def _segments(part: BaseGeometry) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    points = [(round(x, 2), round(y, 2)) for x, y in shapely.get_coordinates(part.exterior)]
    return [(a, b) for a, b in pairwise(points) if a != b]


def _way(before: np.ndarray, start: int, end: int) -> set[tuple[int, int]]:
    out: set[tuple[int, int]] = set()
    while end != start:
        out.add((min(end, int(before[end])), max(end, int(before[end]))))
        end = int(before[end])
    return out


def _smooth(line: LineString) -> LineString:
    """Corners cut once where both sides are long enough to bear it; ends stay."""
    points = np.asarray(line.simplify(12).coords)
    if len(points) < 3:
        return LineString(points)
    out = [points[0]]
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        before, after = (a - b), (c - b)
        out.append(b + before * min(0.5, 55 / max(float(np.hypot(*before)), 1e-9)))
        out.append(b + after * min(0.5, 55 / max(float(np.hypot(*after)), 1e-9)))
    out.append(points[-1])
    return LineString(np.asarray(out))
