"""Rings that cross themselves: made valid, and where they cross, so that nothing is mended unseen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.arrangement import Shapes

REACH_DEG = 1e-8
"""A millimetre around the crossing edges still belongs to the crossing."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A polygon made valid."""

    shape: Polygon | MultiPolygon | None
    """None: nothing of it has an area."""
    problem: str
    """GEOS's words, e.g. `Self-intersection[118.9 31.3]`."""
    crossing: BaseGeometry
    """Hulls of the edges that cross: what lies in them cannot be told from the drawing. Empty where none do."""


def mend(shape: BaseGeometry) -> Mended | None:
    """None where the polygon is valid; else what is left of it. Of a bow-tie both wings are kept."""
    if shape.is_valid:
        return None
    made = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    parts = [
        part for part in shapely.get_parts(made, return_index=False) if isinstance(part, Polygon) and part.area > 0
    ]
    whole = parts[0] if len(parts) == 1 else MultiPolygon(parts) if parts else None
    return Mended(whole, shapely.is_valid_reason(shape), crossings(shape))


def crossings(shape: BaseGeometry) -> BaseGeometry:
    """The hulls of all pairs of edges of the rings that cross (not those that only follow each other)."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    edges = np.concatenate([_edges(ring) for ring in rings])
    first, second = shapely.STRtree(edges).query(edges, predicate="crosses")
    once = first < second
    pairs = [shapely.MultiLineString([edges[a], edges[b]]) for a, b in zip(first[once], second[once], strict=True)]
    hulls = [shapely.convex_hull(pair).buffer(REACH_DEG) for pair in pairs]
    return shapely.union_all(hulls) if hulls else shapely.GeometryCollection()


def _edges(ring: BaseGeometry) -> Shapes:
    xy = shapely.get_coordinates(ring)
    return np.asarray(shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1)), dtype=object)
