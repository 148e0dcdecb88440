"""Layers laid over each other: every combination of zones that occurs, and where.

All boundaries together part the plane into faces; all points of one face lie in the same zones. On a boundary the
zones of all faces around hold the point, because zones are closed sets; the locator's rule (in a layer whose zones
share nothing but edges, the lowest code) says which of them counts. So a combination may occur on a line, or at a
corner, that no face has. Crossing points of boundaries are rounded to the nearest double (about 1e-14 degrees).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from geo.grid import Cover, Layer, Metric

Held = tuple[tuple[int, ...], ...]
"""For each layer the numbers (into `Layer.zones`, ascending) of the zones that count at a place."""

_INSIDE = -1
"""Stands for the district among the numbers of zones."""
_TRIES = 64
"""Pieces of boundary on which a point is looked for that a double can name."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A combination of zones that occurs in the district."""

    held: Held
    faces: tuple[Polygon, ...]
    """Where (EPSG:4326), largest first; none where it occurs only on lines or at corners."""
    at: tuple[float, float]
    """A point (longitude, latitude) with this combination, inside its largest face where it has one."""
    exact: bool
    """False: it occurs on a line only, and no point of it was found that doubles can name; `at` is the nearest."""


def overlay(layers: Sequence[Layer], district: BaseGeometry | None) -> list[Spot]:
    """Every combination that occurs in `district` (None: wherever a zone of the first layer is), faces first.

    Zones must be valid polygons (EPSG:4326). Some tens of milliseconds for 10,000 vertices.
    """
    return _Arrangement(layers, district).spots()


def areas_m2(spots: Sequence[Spot], metric: Metric) -> list[float]:
    """Of each spot's faces together, in the metric CRS."""
    faces = [face for spot in spots for face in spot.faces]
    owner = np.array([number for number, spot in enumerate(spots) for _ in spot.faces], dtype=np.int64)
    weights = metric.areas_m2(faces) if faces else np.zeros(0)
    total: list[float] = np.bincount(owner, weights, minlength=len(spots)).tolist()
    return total


class _Arrangement:
    def __init__(self, layers: Sequence[Layer], district: BaseGeometry | None) -> None:
        self._alone = [layer.cover is not Cover.OVERLAP for layer in layers]
        self._owner = [(n, z) for n, layer in enumerate(layers) for z in range(len(layer.zones))]
        shapes: list[BaseGeometry] = [
            layer.zones[z].geometry for n, layer in enumerate(layers) for z in range(len(layer.zones))
        ]
        if district is None:
            shapes += [zone.geometry for zone in layers[0].zones]
            self._owner += [(_INSIDE, _INSIDE)] * len(layers[0].zones)
        else:
            shapes.append(district)
            self._owner.append((_INSIDE, _INSIDE))
        self._shapes: NDArray[np.object_] = np.array(shapes, dtype=object)
        self._tree = STRtree(shapes)
        lines = shapely.union_all(shapely.boundary(self._shapes))
        self._faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
        inner = shapely.point_on_surface(self._faces)
        sets: list[set[int]] = [set() for _ in self._faces]
        for shape, face in STRtree(inner).query(self._shapes, predicate="intersects").T.tolist():
            sets[face].add(shape)
        self._inner: list[tuple[float, float]] = [(x, y) for x, y in shapely.get_coordinates(inner).tolist()]
        self._sets = [frozenset(one) for one in sets]

    def spots(self) -> list[Spot]:
        """Those with faces by falling area, then those on lines and corners."""
        found: dict[Held, list[int]] = {}
        areas = shapely.area(self._faces)
        for face in np.argsort(-areas, kind="stable").tolist():
            held = self._counted(self._sets[face])
            if held is not None:
                found.setdefault(held, []).append(face)
        spots = [
            Spot(held, tuple(self._faces[face] for face in faces), self._inner[faces[0]], exact=True)
            for held, faces in found.items()
        ]
        known = set(found)
        for held, at, exact in self._thin(known):
            known.add(held)
            spots.append(Spot(held, (), at, exact))
        return spots

    def _counted(self, shapes: Iterable[int]) -> Held | None:
        """What counts where these shapes hold a point; None outside the district."""
        held: list[list[int]] = [[] for _ in self._alone]
        inside = False
        for shape in sorted(shapes):
            layer, zone = self._owner[shape]
            if layer == _INSIDE:
                inside = True
            elif not (held[layer] and self._alone[layer]):
                held[layer].append(zone)
        return tuple(tuple(zones) for zones in held) if inside else None

    def _counts(self, point: complex, held: Held) -> bool:
        """Whether the shapes that hold a point, asked one by one, say the same."""
        at = shapely.Point(point.real, point.imag)
        return self._counted(self._tree.query(at, predicate="intersects").tolist()) == held

    def _thin(self, known: Set[Held]) -> Iterator[tuple[Held, tuple[float, float], bool]]:
        """What counts at corners and edges between unlike faces, if not known: (held, a point, whether it has it).

        A corner where three boundaries cross counts only if doubles can name it; an edge always does.
        """
        numbers = {one: number for number, one in enumerate(dict.fromkeys(self._sets))}
        unlike = list(numbers)
        kind = np.array([numbers[one] for one in self._sets], dtype=np.int64)
        rings, face = shapely.get_rings(self._faces, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        corners, corner = np.unique(xy[:, 0] + 1j * xy[:, 1], return_inverse=True)
        kinds = kind[face[ring]]
        around = np.unique(corner * len(unlike) + kinds)
        at, which = np.divmod(around, len(unlike))
        first = np.flatnonzero(np.diff(at, prepend=-1))
        met: dict[tuple[int, ...], list[complex]] = {}
        for start, those in zip(first.tolist(), np.split(which, first[1:]), strict=True):
            if those.size > 1:
                met.setdefault(tuple(those.tolist()), []).append(complex(corners[at[start]]))
        for group, points in met.items():
            held = self._counted(frozenset().union(*(unlike[number] for number in group)))
            if held is None or held in known:
                continue
            point = next((p for p in points[:_TRIES] if self._counts(p, held)), None)
            if point is not None:
                yield held, (point.real, point.imag), True
        yield from self._edges(known, unlike, corners, corner, kinds, ring)

    def _edges(
        self,
        known: Set[Held],
        unlike: Sequence[frozenset[int]],
        corners: NDArray[np.complex128],
        corner: NDArray[np.int64],
        kinds: NDArray[np.int64],
        ring: NDArray[np.int64],
    ) -> Iterator[tuple[Held, tuple[float, float], bool]]:
        same = ring[1:] == ring[:-1]
        a, b, side = corner[:-1][same], corner[1:][same], kinds[:-1][same]
        order = np.lexsort((np.maximum(a, b), np.minimum(a, b)))
        low, high, side = np.minimum(a, b)[order], np.maximum(a, b)[order], side[order]
        twin = np.flatnonzero((low[1:] == low[:-1]) & (high[1:] == high[:-1]) & (side[1:] != side[:-1]))
        met: dict[tuple[int, int], list[int]] = {}
        for edge in twin.tolist():
            met.setdefault((int(side[edge]), int(side[edge + 1])), []).append(edge)
        for (left, right), edges in met.items():
            held = self._counted(unlike[left] | unlike[right])
            if held is None or held in known:
                continue
            ends = ((corners[low[edge]], corners[high[edge]]) for edge in edges[:_TRIES])
            tries = [complex(p + (q - p) * share) for p, q in ends for share in (0.5, 0.25, 0.75)]
            good = next((t for t in tries if self._counts(t, held)), None)
            point = tries[0] if good is None else good
            yield held, (point.real, point.imag), good is not None
