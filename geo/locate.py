"""Which zones hold a point: exact, for one point or a million, one rule for shared edges.

A zone holds a point that lies in it or on its boundary (`ST_Covers`, shapely's `covers`/`intersects`), on the stored
coordinates, with no tolerance. In a layer whose zones share nothing but edges (partition, disjoint) the point belongs
to the zone with the lowest code among those that hold it; in an overlapping layer to all of them.

How: the district is laid out in small pixels. A pixel that no boundary of any layer touches has one answer for all
of it, kept once. In the others the zones whose boundary passes are asked exactly (GEOS), the rest is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geo.grid import Cover, Layer, Zone
from geo.raster import Edges, Floats, Frame, Ints, inside, runs, touched

_GEOD = Geod(ellps="WGS84")
_METRES_PER_DEGREE = 111_195.0
"""Of a great circle on a sphere of 6371 km; only for comparing distances, never handed out."""
_SNAP_INSIDE_M = 0.1
"""A snapped point lies this far within the boundary, so that no rounding puts it out again."""
_CHUNK = 1 << 17


@dataclass(frozen=True, slots=True)
class Hits:
    """What a layer says of many points: point i lies in the zones numbered `sets[index[i]]`.

    `sets` are ascending numbers into `Layer.zones` (so ascending codes), `sets[0]` is empty; `index` is int32.
    """

    sets: tuple[tuple[int, ...], ...]
    index: NDArray[np.int32]


class _Sets:
    """The sets of zones met so far in one layer, numbered; 0 is the empty one."""

    def __init__(self, layer: Layer) -> None:
        self.alone = layer.cover is not Cover.OVERLAP
        singles = [(zone,) for zone in range(len(layer.zones))]
        self.members: list[tuple[int, ...]] = [(), *singles]
        self.numbers = {zones: number for number, zones in enumerate(self.members)}

    def copy(self) -> _Sets:
        twin = object.__new__(_Sets)
        twin.alone, twin.members, twin.numbers = self.alone, self.members.copy(), self.numbers.copy()
        return twin

    def joined(self, number: int, zone: int) -> int:
        """The set `number` and `zone`; where zones exclude each other, the lower of the two."""
        have = self.members[number]
        if zone in have:
            return number
        both = tuple(sorted((*have, zone)))
        if self.alone:
            both = both[:1]
        found = self.numbers.get(both)
        if found is None:
            found = self.numbers[both] = len(self.members)
            self.members.append(both)
        return found

    def join(self, index: NDArray[np.int32], zone: int) -> NDArray[np.int32]:
        """`joined` for each of `index`."""
        if not index.any():
            return np.full_like(index, self.joined(0, zone))
        kinds, which = np.unique(index, return_inverse=True)
        return np.array([self.joined(int(kind), zone) for kind in kinds], dtype=np.int32)[which]


class Locator:
    """Answers where a point lies. Its answers never change after it is made, and threads may share it."""

    def __init__(self, layers: Mapping[str, Layer], *, long_side: int = 2048) -> None:
        """Lay out `layers` in pixels, `long_side` of them along the longer side of their bounds.

        Takes about a second for a district of a thousand zones. Zones must be valid polygons (EPSG:4326).
        """
        self.layers: Mapping[str, Layer] = MappingProxyType({layer.name: layer for layer in layers.values()})
        self._zones = [(layer, zone) for layer in self.layers.values() for zone in layer.zones]
        self._shapes = np.array([zone.geometry for _, zone in self._zones], dtype=object)
        self._sets = [_Sets(layer) for layer in self.layers.values()]
        self._first = np.cumsum([0, *(len(layer.zones) for layer in self.layers.values())])
        _prepare(self._shapes)
        bounds = shapely.total_bounds(self._shapes).tolist() if self._zones else [0.0] * 4
        size = max(max(bounds[2] - bounds[0], bounds[3] - bounds[1]) / long_side, 1e-9)
        self._frame = Frame.around(bounds, size)
        middle = math.radians((bounds[1] + bounds[3]) / 2)
        # Degrees to a plane in metres: straight stays straight, and within a district distances are true to 0.5 %.
        self._stretch = np.array([math.cos(middle), 1.0]) * _METRES_PER_DEGREE
        self._flat: NDArray[np.object_] = shapely.transform(self._shapes, lambda xy: xy * self._stretch)
        self._within: dict[tuple[str, str], BaseGeometry] = {}  # made when first asked for; twice does no harm
        self._paint()
        self._answers: list[Mapping[str, tuple[Zone, ...]]] = [self._answer(kind) for kind in self._kinds.T.tolist()]

    def _paint(self) -> None:
        """Fill the pixels.

        `_pixels` holds, for each pixel, the number of its kind (a column of `_kinds`: for each layer the set that
        covers all of it), or, where boundaries pass, the complement of a place in `_base` (the kind, without the
        zones whose boundary passes) and `_start`/`_asked` (those zones, by number over all layers).
        """
        frame, pairs = self._frame, []
        kind = np.zeros(frame.count, dtype=np.int64)
        self._kinds = np.zeros((len(self._sets), 1), dtype=np.int32)
        for number, layer in enumerate(self.layers.values()):
            shapes = [zone.geometry for zone in layer.zones]
            plane, owner, cell = _plane(frame, shapes, self._sets[number])
            kept, kind = _numbered(kind * len(self._sets[number].members) + plane)
            before, here = np.divmod(kept, len(self._sets[number].members))
            self._kinds = self._kinds[:, before]
            self._kinds[number] = here
            pairs.append(cell * len(self._zones) + owner + self._first[number])
        pair = np.sort(np.concatenate(pairs)) if pairs else np.zeros(0, dtype=np.int64)
        edge_cell, asked = np.divmod(pair, max(len(self._zones), 1))
        cells, start = np.unique(edge_cell, return_index=True)
        self._asked = asked
        self._start = np.append(start, asked.size)
        self._base = kind[cells].astype(np.int32)
        self._pixels = kind.astype(np.int32)
        self._pixels[cells] = ~np.arange(cells.size, dtype=np.int32)

    def _answer(self, kind: list[int]) -> Mapping[str, tuple[Zone, ...]]:
        return MappingProxyType(
            {
                name: tuple(layer.zones[zone] for zone in sets.members[number])
                for (name, layer), sets, number in zip(self.layers.items(), self._sets, kind, strict=True)
            }
        )

    def at(self, lon: float, lat: float) -> Mapping[str, tuple[Zone, ...]]:
        """The zones that hold a point, for each layer, lowest code first; empty where there is none.

        At most one zone in a partition or disjoint layer. A position that is no number lies nowhere.
        """
        frame = self._frame
        across, up = (lon - frame.west) / frame.size_x, (lat - frame.south) / frame.size_y
        cell = -1
        if 0 <= across < frame.columns and 0 <= up < frame.rows:
            cell = int(up) * frame.columns + int(across)
        kind: int = self._pixels.item(cell)  # the last pixel, -1, is of the empty ring around
        if kind >= 0:
            return self._answers[kind]
        place = ~kind
        asked = self._asked[self._start[place] : self._start[place + 1]]
        held = asked[shapely.intersects_xy(self._shapes[asked], lon, lat)]
        rest: int = self._base.item(place)
        answer = self._answers[rest]
        if not held.size:
            return answer
        found = dict(answer)
        for zone_number in held.tolist():
            layer, zone = self._zones[zone_number]
            all_held = sorted((*found[layer.name], zone), key=_code)
            found[layer.name] = tuple(all_held if layer.cover is Cover.OVERLAP else all_held[:1])
        return MappingProxyType(found)

    def at_many(self, lon: ArrayLike, lat: ArrayLike) -> Mapping[str, Hits]:
        """What `at` says, for two arrays of positions of one length; for others it raises ValueError."""
        x, y = np.ascontiguousarray(lon, dtype=np.float64), np.ascontiguousarray(lat, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(f"positions must be two arrays of one length, not {x.shape} and {y.shape}")
        index = np.empty((len(self._sets), x.size), dtype=np.int32)
        sets = [one if one.alone else one.copy() for one in self._sets]
        for first in range(0, x.size, _CHUNK):
            part = slice(first, first + _CHUNK)
            self._locate(x[part], y[part], sets, index[:, part])
        return MappingProxyType(
            {name: Hits(tuple(s.members), row) for name, s, row in zip(self.layers, sets, index, strict=True)}
        )

    def _locate(self, x: Floats, y: Floats, sets: list[_Sets], index: NDArray[np.int32]) -> None:
        kind = self._pixels[self._frame.cells(x, y)]
        near = np.flatnonzero(kind < 0)
        place = ~kind[near]
        kind[near] = self._base[place]
        np.take(self._kinds, kind, axis=1, out=index)
        which, at = runs(self._start[place], self._start[place + 1] - self._start[place])
        zone, point = self._asked[at], near[which]
        # One zone after the other, so that each zone's own index stays in the processor's cache.
        order = np.argsort(zone, kind="stable")
        zone, point = zone[order], point[order]
        held = shapely.intersects_xy(self._shapes[zone], x[point], y[point])
        zone, point = zone[held], point[held]
        bounds = np.searchsorted(zone, self._first)
        for number, one in enumerate(sets):
            part = slice(bounds[number], bounds[number + 1])
            _add(index[number], point[part], zone[part] - self._first[number], one)

    def nearest(self, layer: str, lon: float, lat: float) -> tuple[Zone, float]:
        """The zone of `layer` nearest to a point, and the metres to it (on the ellipsoid); 0 if the point lies in it.

        Which one is nearest is judged on a plane that is true to 0.5 % within a district; of equals the lowest code.
        Raises KeyError for a layer that is not there or empty, ValueError for a position that is none.
        """
        _check(lon, lat)
        zones = self.layers[layer].zones
        if not zones:
            raise KeyError(layer)
        held = self.at(lon, lat)[layer]
        if held:
            return held[0], 0.0
        number = list(self.layers).index(layer)
        flat = self._flat[self._first[number] : self._first[number + 1]]
        here = shapely.Point(lon * self._stretch[0], lat * self._stretch[1])
        best = int(np.argmin(shapely.distance(flat, here)))
        _, _, metres = self._reach(flat[best], lon, lat)
        return zones[best], metres

    def snap(self, lon: float, lat: float, layer: str = "district") -> tuple[float, float, float]:
        """The point of `layer` nearest to a point outside, 10 cm within its boundary, and the metres between.

        A point that lies in the layer comes back as it is, with 0. Raises as `nearest`.
        """
        zone, _ = self.nearest(layer, lon, lat)
        if self.at(lon, lat)[layer]:
            return lon, lat, 0.0
        within = self._within.get((layer, zone.code))
        if within is None:
            flat = shapely.transform(zone.geometry, lambda xy: xy * self._stretch)
            within = shapely.buffer(flat, -_SNAP_INSIDE_M)
            within = shapely.point_on_surface(flat) if within.is_empty else within
            self._within[layer, zone.code] = within
        return self._reach(within, lon, lat)

    def _reach(self, flat: BaseGeometry, lon: float, lat: float) -> tuple[float, float, float]:
        """The nearest point of `flat`, a shape on the plane, in degrees, and the metres to it on the ellipsoid."""
        here = shapely.Point(lon * self._stretch[0], lat * self._stretch[1])
        there = shapely.get_coordinates(shapely.shortest_line(here, flat))[-1] / self._stretch
        x, y = float(there[0]), float(there[1])
        _, _, metres = _GEOD.inv(lon, lat, x, y)
        return x, y, float(metres)


def _plane(
    frame: Frame, shapes: list[shapely.Polygon | shapely.MultiPolygon], sets: _Sets
) -> tuple[NDArray[np.int32], Ints, Ints]:
    """For each pixel the set of zones that cover it whole; and (zone, pixel) wherever a boundary passes."""
    plane = np.zeros(frame.count, dtype=np.int32)
    edges = Edges.of(shapes)
    owner, cell = touched(frame, edges)
    filled, first, length = inside(frame, edges)
    numbers = np.arange(len(shapes) + 1)
    edge_bounds, fill_bounds = np.searchsorted(owner, numbers), np.searchsorted(filled, numbers)
    for zone in range(len(shapes)):
        passed = cell[edge_bounds[zone] : edge_bounds[zone + 1]]
        part = slice(fill_bounds[zone], fill_bounds[zone + 1])
        _, whole = runs(first[part], length[part])
        kept = plane[passed]
        plane[whole] = sets.join(plane[whole], zone)
        plane[passed] = kept
    return plane, owner, cell


def _add(index: NDArray[np.int32], point: Ints, zone: Ints, sets: _Sets) -> None:
    """Add (point, zone) hits, ascending by zone, to `index` in place."""
    if sets.alone:
        # Sets of one zone are numbered zone + 1; the empty set must lose against all of them.
        none = np.iinfo(np.int32).max
        here = np.where(index[point] == 0, none, index[point])
        index[point] = here
        np.minimum.at(index, point, (zone + 1).astype(np.int32))
        return
    steps = np.append(np.flatnonzero(np.diff(zone, prepend=-1)), zone.size)
    for start, end in pairwise(steps.tolist()):
        here = point[start:end]
        index[here] = sets.join(index[here], int(zone[start]))


def _numbered(keys: Ints) -> tuple[Ints, Ints]:
    """The different keys, ascending, and for each key its number among them: without a sort where they are dense."""
    most = int(keys.max(initial=0)) + 1
    if most > 4 * keys.size:
        kept, number = np.unique(keys, return_inverse=True)
        return kept, number
    used = np.zeros(most, dtype=bool)
    used[keys] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[keys]


def _code(zone: Zone) -> str:
    return zone.code


def _prepare(shapes: NDArray[np.object_]) -> None:
    """Build GEOS's own index of each shape now: it would be built at the first question, not safely among threads."""
    shapely.prepare(shapes)
    if shapes.size:
        xy, shape = shapely.get_coordinates(shapes, return_index=True)
        corners = xy[np.searchsorted(shape, np.arange(shapes.size))]
        shapely.intersects_xy(shapes, corners[:, 0], corners[:, 1])


def _check(lon: float, lat: float) -> None:
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise ValueError(f"no position on earth: {lon}, {lat}")
