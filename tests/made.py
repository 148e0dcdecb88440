"""A made district: a lumpy outline, cells that share every vertex with their neighbours, waters, overlapping areas."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from geo.grid import Cover, Layer, Zone

WEST, SOUTH, EAST, NORTH = 118.7, 31.2, 119.2, 31.6


def layer(name: str, shapes: list[Polygon | MultiPolygon], cover: Cover) -> Layer:
    """A layer of `shapes`, coded in their order."""
    zones = tuple(
        Zone(name, f"{number:04d}", f"{name}-{number}", f"{name} {number}", "", None, shape, 0.0)
        for number, shape in enumerate(shapes)
    )
    return Layer(name, name, name, cover, None, False, "made for tests", zones)


def outline(rng: np.random.Generator, corners: int = 400) -> Polygon:
    """A star-shaped outline with a ragged edge."""
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = 0.8 + 0.15 * np.sin(3 * turn) + rng.uniform(0, 0.05, corners)
    x = (WEST + EAST) / 2 + (EAST - WEST) / 2 * reach * np.cos(turn)
    y = (SOUTH + NORTH) / 2 + (NORTH - SOUTH) / 2 * reach * np.sin(turn)
    return shapely.make_valid(Polygon(np.stack([x, y], axis=1)))


def partition(rng: np.random.Generator, district: Polygon, cells: int) -> list[Polygon | MultiPolygon]:
    """Cells that cover `district`: faces of one arrangement of lines, so neighbours share their vertices exactly."""
    seeds = shapely.multipoints(rng.uniform((WEST, SOUTH), (EAST, NORTH), (cells, 2)))
    walls = shapely.voronoi_polygons(seeds, only_edges=True, extend_to=district)
    lines = shapely.union_all([district.boundary, shapely.intersection(walls, district)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    return [face for face in faces if district.contains(face.representative_point())]


def waters(rng: np.random.Generator, district: Polygon) -> list[Polygon | MultiPolygon]:
    """A lake with an island, a crooked narrow river of two banks, ponds: disjoint, some touching at an edge."""
    lake = Polygon(_ring(118.9, 31.35, 0.05, 60), [_ring(118.9, 31.35, 0.01, 20)])
    x = np.linspace(WEST, EAST, 60)
    middle = np.stack([x, 31.45 + 0.02 * np.sin(40 * x) + rng.uniform(-0.003, 0.003, 60)], axis=1)
    river = shapely.LineString(middle).buffer(0.0004, cap_style="flat").difference(lake)
    ponds = shapely.buffer(shapely.points(rng.uniform((118.8, 31.25), (119.1, 31.3), (30, 2))), 0.002, quad_segs=2)
    pond = shapely.union_all(ponds).difference(shapely.union_all([lake, river]))
    return [shape.intersection(district) for shape in (lake, river, pond)]


def district_layers(seed: int = 1, cells: int = 300) -> dict[str, Layer]:
    """All layers of the made district, as a loader would give them."""
    rng = np.random.default_rng(seed)
    whole = outline(rng)
    grid = partition(rng, whole, cells)
    towns = shapely.get_parts(shapely.union_all(grid[: cells // 3])).tolist()
    areas = [_star(rng) for _ in range(12)]
    return {
        "district": layer("district", [whole], Cover.PARTITION),
        "township": layer("township", grid[::-1][: cells // 10], Cover.DISJOINT),
        "grid": layer("grid", grid, Cover.PARTITION),
        "merged": layer("merged", towns, Cover.DISJOINT),
        "water": layer("water", waters(rng, whole), Cover.DISJOINT),
        "joint": layer("joint", [*areas, areas[0], grid[0], grid[1]], Cover.OVERLAP),
        "empty": layer("empty", [], Cover.DISJOINT),
    }


def _ring(x: float, y: float, size: float, corners: int) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + size * np.cos(turn), y + size * np.sin(turn)], axis=1)


def _star(rng: np.random.Generator) -> Polygon:
    spikes = _ring(0, 0, 1, 40) * rng.uniform(0.02, 0.08, (40, 1))
    hole = _ring(0, 0, 0.015, 9)
    return shapely.transform(Polygon(spikes, [hole]), lambda xy: xy + rng.uniform((118.85, 31.3), (119.05, 31.5)))
