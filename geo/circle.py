"""A position is a circle: which kinds of place it meets, and how much of it lies in each.

A kind of place is a combination of zones, one set for each layer that is asked about. The boundaries of those layers
cut the circle into faces; each face is asked of the locator by a point inside it, so that the two never disagree.

The circle is round in the district's metric CRS, drawn as a polygon of 64 corners with the circle's own area: it
strays from the circle by at most 0.08 % of the radius, and a straight boundary moves a share by less than 0.0001.
Shares are areas on the plane of degrees, which is stretched evenly over a circle: true to 0.0003 up to a radius of
1 km, to 0.003 up to 10 km.

Most circles meet no boundary. That is settled by a look-up: for each pixel of the district a distance, in metres,
that its nearest boundary is at least away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from geo.grid import Cover, Metric, Zone
from geo.locate import Locator

CORNERS: Final = 64
_STEP: Final = 2 * math.pi / CORNERS
_REACH: Final = math.sqrt(_STEP / math.sin(_STEP))
"""Radius of the corners of a polygon that has the area of a circle of radius 1."""
_RING: Final = _REACH * np.column_stack([np.cos(np.arange(CORNERS) * _STEP), np.sin(np.arange(CORNERS) * _STEP)])
POINT_M: Final = 0.01
"""A circle smaller than this is its middle."""
_SAMPLE_PX: Final = 0.25
_SLACK_PX: Final = math.sqrt(2) + _SAMPLE_PX / 2
"""From a place to the middle of its pixel, from a boundary to its nearest sample, and on to the middle of its pixel."""
_BETWEEN: Final = 0.999
"""The scale of a metric CRS between two places where it was measured, a few kilometres apart."""

_INSIDE_M: Final = 1.0
_METRES_PER_DEGREE: Final = 111_195.0
"""Of a great circle on a sphere of 6371 km."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """What of a circle lies in one kind of place."""

    place: Mapping[str, tuple[Zone, ...]]
    """The zones that hold it, for each layer asked about, lowest code first."""
    share: float
    """Of the circle's area inside the district."""
    lon: float
    lat: float
    """A point of it (WGS 84 degrees): of a circle that no boundary meets its middle."""
    face: Polygon | None
    """Its largest piece (degrees); None: all of the circle, however small."""

    def middle(self) -> tuple[float, float, float]:
        """A point well inside its largest piece (degrees), and the metres that no boundary comes nearer than there.

        The metres are on a sphere, and a fifth too few. Half a millisecond at most.
        """
        if self.face is None:
            return self.lon, self.lat, 0.0
        plane = np.array([math.cos(math.radians(self.lat)), 1.0])
        flat = shapely.transform(self.face, lambda xy: (xy - (self.lon, self.lat)) * plane)
        west, south, east, north = shapely.bounds(flat).tolist()
        spoke = shapely.maximum_inscribed_circle(flat, tolerance=max(east - west, north - south) / 12)
        middle = shapely.get_coordinates(spoke)[0]
        lon, lat = (middle / plane + (self.lon, self.lat)).tolist()
        if not shapely.intersects_xy(self.face, lon, lat):
            return self.lon, self.lat, 0.0
        return lon, lat, 0.8 * _METRES_PER_DEGREE * float(shapely.length(spoke))

    def nearest(self, lon: float, lat: float) -> tuple[float, float]:
        """The point of its largest piece that is nearest to a position (degrees), up to a metre inside it."""
        if self.face is None:
            return self.lon, self.lat
        middle_lon, middle_lat, clear_m = self.middle()
        plane = np.array([math.cos(math.radians(self.lat)), 1.0])
        flat = shapely.transform(self.face, lambda xy: (xy - (self.lon, self.lat)) * plane)
        inside = shapely.buffer(flat, -min(_INSIDE_M, clear_m / 2) / _METRES_PER_DEGREE)
        away = shapely.shortest_line(inside, shapely.Point((np.array([lon, lat]) - (self.lon, self.lat)) * plane))
        if away is None or shapely.is_empty(away):
            return middle_lon, middle_lat
        near_lon, near_lat = (shapely.get_coordinates(away)[0] / plane + (self.lon, self.lat)).tolist()
        if not shapely.intersects_xy(self.face, near_lon, near_lat):
            return middle_lon, middle_lat
        return near_lon, near_lat


class Circles:
    """Answers what circles meet. Never changes after it is made; threads may share it."""

    def __init__(self, locator: Locator, metric: Metric, layers: Sequence[str], *, long_side: int = 2048) -> None:
        """For the `district` of `locator` and the named layers (those it does not have are left out).

        `long_side`: pixels along the longer side of the layers' bounds. Takes about a third of a second.
        """
        self._locator, self._metric = locator, metric
        self._layers = tuple(name for name in dict.fromkeys(("district", *layers)) if name in locator.layers)
        self._covering = [name for name in self._layers if locator.layers[name].cover is Cover.PARTITION]
        shapes = [zone.geometry for name in self._layers for zone in locator.layers[name].zones]
        edges = _edges(shapes)
        self._lines = np.asarray(shapely.linestrings(edges), dtype=object)
        self._tree = shapely.STRtree(self._lines)
        self._lay_out(edges, long_side)
        # On the plane of the district's middle, in metres: for telling what is near.
        self._starts = edges[:, 0] * self._metres
        self._ways = edges[:, 1] * self._metres - self._starts
        self._squares = (self._ways * self._ways).sum(axis=1)

    def _lay_out(self, edges: Floats, long_side: int) -> None:
        west, south, east, north = shapely.total_bounds(self._lines).tolist()
        self._metres = np.linalg.norm(self._scale((west + east) / 2, (south + north) / 2), axis=0)
        wide, high = self._metres.tolist()
        pixel_m = max((east - west) * wide, (north - south) * high) / long_side
        self._west, self._south = west, south
        self._across, self._up = wide / pixel_m, high / pixel_m
        self._columns = int((east - west) * self._across) + 1
        rows = int((north - south) * self._up) + 1
        line = (edges - (west, south)) * (self._across, self._up)
        samples = shapely.get_coordinates(shapely.segmentize(shapely.linestrings(line), _SAMPLE_PX)).astype(np.int64)
        empty = np.ones((rows, self._columns), dtype=bool)
        empty[samples[:, 1], samples[:, 0]] = False
        # A metre on the plane of the middle is at least so much elsewhere.
        plane = np.diag([1 / wide, 1 / high])
        corners = [(x, y) for x in np.linspace(west, east, 5) for y in np.linspace(south, north, 5)]
        scale = _BETWEEN * min(np.linalg.svd(self._scale(x, y) @ plane)[1].min() for x, y in corners)
        self._wider = 1.01 * _REACH / scale
        far = (distance_transform_edt(empty) - _SLACK_PX) * (pixel_m * scale / _REACH)
        self._rows, self._far = rows, np.floor(np.clip(far, 0, 60_000)).astype(np.uint16).ravel()

    def _scale(self, lon: float, lat: float) -> Floats:
        """Metres east and north (rows) for a degree of longitude and of latitude (columns) at a place."""
        small = 1e-4
        here, east, north = self._metric.points(np.array([[lon, lat], [lon + small, lat], [lon, lat + small]]))
        return np.column_stack([east - here, north - here]) / small

    def clear(self, lon: float, lat: float, radius_m: float) -> bool:
        """True: no boundary meets the circle (in half a microsecond). False: one may."""
        column, row = (lon - self._west) * self._across, (lat - self._south) * self._up
        if not (0 <= column < self._columns and 0 <= row < self._rows):
            return False
        far: int = self._far.item(int(row) * self._columns + int(column))
        return radius_m < far

    def parts(self, lon: float, lat: float, radius_m: float) -> tuple[Part, ...]:
        """The kinds of place in a circle (WGS 84 degrees, metres), largest share first.

        Their shares sum to 1; gaps between the zones of a partition have none. Nothing of the circle in the district:
        none. A circle under `POINT_M` is its middle.
        """
        if radius_m < POINT_M or self.clear(lon, lat, radius_m):
            return self._whole(lon, lat)
        met = self._near(lon, lat, radius_m)
        if not met.size:
            return self._whole(lon, lat)
        ring = _RING @ (np.linalg.inv(self._scale(lon, lat)).T * radius_m) + (lon, lat)
        return self._cut(Polygon(ring), self._lines[met])

    def _near(self, lon: float, lat: float, radius_m: float) -> NDArray[np.int64]:
        """Edges that may meet the circle: all that do, and some that pass it by."""
        wide, high = (self._wider * radius_m / self._metres).tolist()
        found = self._tree.query(shapely.box(lon - wide, lat - high, lon + wide, lat + high))
        if not found.size:
            return found
        start, way = self._starts[found] - (lon * self._metres[0], lat * self._metres[1]), self._ways[found]
        along = np.clip(-(start * way).sum(axis=1) / self._squares[found], 0, 1)
        away = start + along[:, None] * way
        near: NDArray[np.int64] = found[(away * away).sum(axis=1) < (self._wider * radius_m) ** 2]
        return near

    def _whole(self, lon: float, lat: float) -> tuple[Part, ...]:
        place = self._place(lon, lat)
        return (Part(place, 1.0, lon, lat, None),) if self._counts(place) else ()

    def _cut(self, circle: Polygon, edges: NDArray[np.object_]) -> tuple[Part, ...]:
        lines = shapely.union_all([shapely.boundary(circle), *edges])
        shapely.prepare(circle)
        faces = shapely.get_parts(shapely.polygonize([lines]))
        at = shapely.get_coordinates(shapely.point_on_surface(faces))
        inside = shapely.intersects_xy(circle, at[:, 0], at[:, 1])
        areas = shapely.area(faces).tolist()
        kinds: dict[tuple[tuple[str, ...], ...], list[int]] = {}
        places = {face: self._place(*at[face].tolist()) for face in np.flatnonzero(inside).tolist()}
        for face, place in places.items():
            if self._counts(place):
                kinds.setdefault(tuple(tuple(z.code for z in held) for held in place.values()), []).append(face)
        total = sum(areas[face] for those in kinds.values() for face in those)
        parts = []
        for _, those in sorted(kinds.items()):
            first = max(those, key=areas.__getitem__)
            share = sum(areas[face] for face in those) / total
            inside_lon, inside_lat = at[first].tolist()
            parts.append(Part(places[first], share, inside_lon, inside_lat, faces[first]))
        return tuple(sorted(parts, key=lambda part: -part.share))

    def _counts(self, place: Mapping[str, tuple[Zone, ...]]) -> bool:
        """Whether it lies in the district, and in no gap between two zones too thin to be a finding."""
        return all(place[name] for name in self._covering)

    def _place(self, lon: float, lat: float) -> Mapping[str, tuple[Zone, ...]]:
        found = self._locator.at(lon, lat)
        return {name: found[name] for name in self._layers}


def _edges(shapes: Sequence[BaseGeometry]) -> Floats:
    """Every edge of the polygons once, whichever way and however often it is drawn: n by 2 points by (lon, lat)."""
    rings = shapely.get_rings(shapely.get_parts(np.array(shapes, dtype=object)))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    follows = np.flatnonzero(ring[1:] == ring[:-1])
    ends = np.hstack([xy[follows], xy[follows + 1]])
    turned = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[turned] = ends[turned][:, [2, 3, 0, 1]]
    once: Floats = np.unique(ends, axis=0)
    kept: Floats = once[(once[:, :2] != once[:, 2:]).any(axis=1)]
    return kept.reshape(-1, 2, 2)
