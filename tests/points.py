"""Positions that a locator gets wrong if it can: on vertices, on shared edges, a hair beside them, anywhere at all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def uniform(rng: np.random.Generator, shapes: Iterable[shapely.Geometry], count: int) -> Floats:
    """`count` positions over the bounds of `shapes` and a tenth around them; shape (count, 2), degrees."""
    west, south, east, north = shapely.total_bounds(np.array(list(shapes), dtype=object))
    wide, high = (east - west) / 10, (north - south) / 10
    return rng.uniform((west - wide, south - high), (east + wide, north + high), (count, 2))


def vertices(shapes: Iterable[shapely.Geometry]) -> Floats:
    """Every vertex of every ring, each once."""
    return np.unique(shapely.get_coordinates(np.array(list(shapes), dtype=object)), axis=0)


def on_edges(rng: np.random.Generator, shapes: Iterable[shapely.Geometry], count: int) -> Floats:
    """Positions on edges, as near as doubles come: their middles, and random places along them."""
    a, b = _edges(shapes)
    pick = rng.integers(0, len(a), count)
    t = np.where(rng.random(count) < 0.3, 0.5, rng.random(count))[:, None]
    return a[pick] + t * (b - a)[pick]


def near_edges(rng: np.random.Generator, shapes: Iterable[shapely.Geometry], count: int) -> Floats:
    """Positions beside edges and vertices, off by 1e-3 to 1e-14 degrees in any direction, or by a few last bits."""
    shapes = list(shapes)
    corners = vertices(shapes)
    centre = np.concatenate(
        [on_edges(rng, shapes, count - count // 3), corners[rng.integers(0, len(corners), count // 3)]]
    )
    off, turn = 10.0 ** rng.uniform(-14, -3, count), rng.uniform(0, 2 * np.pi, count)
    moved = centre + np.stack([off * np.cos(turn), off * np.sin(turn)], axis=1)
    bits = rng.random(count) < 0.1
    steps = rng.integers(-3, 4, (count, 2)) * np.spacing(centre)
    moved[bits] = (centre + steps)[bits]
    return moved


def of_every_kind(rng: np.random.Generator, shapes: Iterable[shapely.Geometry], count: int) -> Floats:
    """About `count` positions, at least: a third of each kind, and all vertices; shuffled. Shape (n, 2), degrees."""
    shapes = list(shapes)
    third = -(-count // 3)
    some = [uniform(rng, shapes, third), on_edges(rng, shapes, third), near_edges(rng, shapes, third), vertices(shapes)]
    return rng.permutation(np.concatenate(some))


ODD = np.array(
    [
        (np.nan, np.nan),
        (np.nan, 31.3),
        (118.9, np.nan),
        (np.inf, 31.3),
        (118.9, -np.inf),
        (1e300, 1e300),
        (-1e300, 31.3),
        (1.7e308, -1.7e308),
        (0.0, 0.0),
        (-0.0, -0.0),
        (5e-324, 5e-324),
        (31.3, 118.9),
        (-118.9, 31.3),
        (360.0 + 118.9, 31.3),
    ]
)
"""Positions that are none, or that a mistake makes: all outside China."""


def _edges(shapes: Iterable[shapely.Geometry]) -> tuple[Floats, Floats]:
    rings = shapely.get_rings(shapely.get_parts(np.array(list(shapes), dtype=object)))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return xy[:-1][same], xy[1:][same]
