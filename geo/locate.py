"""Which zones hold a point: exact, for one point or millions, one rule for shared edges.

A zone holds a point that lies in it or on its boundary (`ST_Covers`, shapely's `covers`/`intersects`), on the stored
coordinates, with no tolerance. In a layer whose zones share nothing but edges (partition, disjoint) the point belongs
to the zone with the lowest code among those that hold it; in an overlapping layer to all of them.

How: all layers are laid out once in small pixels (`geo.pixels`, built in `geo.painting`). A pixel that no boundary
touches has one answer for all of it. In one that a single straight edge crosses, the side of that edge decides; in any
other the crossings between the point and a reference in the pixel. Which side is found exactly (`geo.orientation`).
One point is answered by a closure (`geo.single`), some by numpy (`geo.gather`), many by compiled code (`geo.kernel`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geo import kept
from geo.gather import gather
from geo.grid import Cover, Layer, Zone
from geo.orientation import holds
from geo.painting import paint
from geo.pixels import Pixels
from geo.raster import Floats
from geo.sets import Sets
from geo.single import single

_GEOD = Geod(ellps="WGS84")
_METRES_PER_DEGREE = 111_195.0
"""Of a great circle on a sphere of 6371 km; only for comparing distances, never handed out."""
_SNAP_INSIDE_M = 0.1
"""A snapped point lies this far within the boundary, so that no rounding puts it out again."""
_COMPILED_FROM: Final = 1 << 17
"""After so many points in all, the compiled kernel is loaded (half a second; some seconds the first time ever)."""
_FEW: Final = 32
"""So many points are sooner asked one by one."""
_CHUNK: Final = 1 << 16
_NAME: Final = "locator-{}.bin"
FILES_LEFT: Final = 4
"""Of other zones: so that two editions served in turn do not drive each other out."""
_MAKERS: Final = (
    *("band", "bends", "borders", "crossings", "joining", "locate", "orientation", "painting", "pixels", "raster"),
    "sets",
)
"""The modules whose change may change what is kept."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a layer says of many points: point i lies in the zones numbered `sets[index[i]]`.

    `sets` are ascending numbers into `Layer.zones` (so ascending codes), `sets[0]` is empty; `index` is int32.
    """

    sets: tuple[tuple[int, ...], ...]
    index: NDArray[np.int32]


class Locator:
    """Answers where a point lies. Its answers never change after it is made, and threads may share it."""

    def __init__(
        self, layers: Mapping[str, Layer], *, long_side: int = 8192, _made: tuple[Pixels, list[Sets]] | None = None
    ) -> None:
        """Lay out `layers` in pixels, `long_side` of them along the longer side of their bounds.

        Takes about a second for a district of a thousand zones. Zones must be valid polygons (EPSG:4326).
        """
        if _made is None:
            sets = _sets_of(layers)
            shapes, zones_of = _all_zones(layers)
            _made = paint(shapes, zones_of, sets, long_side), sets
        pixels, self._sets = _made
        self.layers: Mapping[str, Layer] = MappingProxyType({layer.name: layer for layer in layers.values()})
        self.pixels = pixels
        self._asked = 0
        self._lock = threading.Lock()
        self._known: dict[Any, Any] = {}  # made when first asked for; twice does no harm
        self.at: Callable[[float, float], Mapping[str, tuple[Zone, ...]]] = single(
            pixels, self._zones_of_sets, self._settle_one
        )
        """The zones that hold a point, for each layer, lowest code first; empty where there is none.

        At most one zone in a partition or disjoint layer. A position that is no number lies nowhere.
        """
        self._numbers = single(pixels, tuple, self._settle_one)
        middle = pixels.south + pixels.rows / 2 * pixels.size
        # Degrees to a plane in metres: straight stays straight, and within a district distances are true to 0.5 %.
        self._stretch = np.array([math.cos(math.radians(middle)), 1.0]) * _METRES_PER_DEGREE

    @classmethod
    def open(cls, layers: Mapping[str, Layer], path: Path) -> Locator:
        """What `save` saved, mapped into memory and shared with every process that opens it; in milliseconds.

        Raises `geo.kept.Stale` where it was not made from exactly these zones, OSError where it is not there.
        """
        return cls._opened(layers, path, digest(layers))

    @classmethod
    def cached(cls, layers: Mapping[str, Layer], folder: Path) -> Locator:
        """Open what an earlier call kept in `folder` for these zones; else build it and keep it, if that can be.

        Only then are older ones cleared away but `FILES_LEFT`.
        """
        of = digest(layers)
        path = folder / _NAME.format(of[:16])
        with contextlib.suppress(kept.Stale, OSError):
            return cls._opened(layers, path, of)
        made = cls(layers)
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            made._keep(path, of)
            kept.clear(folder, _NAME.format("*"), FILES_LEFT)
        return made

    def save(self, path: Path) -> None:
        """Save for `open`. Raises OSError; an existing file is replaced at once and as a whole."""
        self._keep(path, digest(self.layers))

    @classmethod
    def _opened(cls, layers: Mapping[str, Layer], path: Path, of: str) -> Locator:
        values, arrays = kept.read(path, of)
        parts: dict[str, Any] = {**values["numbers"], **arrays}
        pixels = Pixels(**parts)
        return cls(layers, _made=(pixels, _sets_of(layers, values["several"])))

    def _keep(self, path: Path, of: str) -> None:
        arrays = {name: part for name, part in self.pixels._asdict().items() if isinstance(part, np.ndarray)}
        numbers = {name: part for name, part in self.pixels._asdict().items() if name not in arrays}
        kept.keep(path, of, {"numbers": numbers, "several": [each.several for each in self._sets]}, arrays)

    def _zones_of_sets(self, numbers: tuple[int, ...]) -> Mapping[str, tuple[Zone, ...]]:
        return MappingProxyType(
            {
                name: tuple(layer.zones[zone] for zone in sets.members(number))
                for (name, layer), sets, number in zip(self.layers.items(), self._sets, numbers, strict=True)
            }
        )

    def at_many(self, lon: ArrayLike, lat: ArrayLike, *, threads: int = 1) -> Mapping[str, Hits]:
        """What `at` says, for two arrays of positions of one length; for others it raises ValueError.

        With more than one of `threads`, each does a part of them.
        """
        x, y = np.ascontiguousarray(lon, dtype=np.float64), np.ascontiguousarray(lat, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(f"positions must be two arrays of one length, not {x.shape} and {y.shape}")
        self._asked += x.size
        index = np.empty((len(self._sets), x.size), dtype=np.int32)
        if x.size <= _FEW:
            for point, (one_x, one_y) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
                index[:, point] = self._numbers(one_x, one_y)
        elif self._asked < _COMPILED_FROM or not self._sets:
            for first in range(0, x.size, _CHUNK):
                part = slice(first, first + _CHUNK)
                gather(self.pixels, x[part], y[part], index[:, part], self._numbers)
        else:
            self._compiled(x, y, index, threads)
        return MappingProxyType(
            {name: Hits(self._members(n), row) for n, (name, row) in enumerate(zip(self.layers, index, strict=True))}
        )

    def _compiled(self, x: Floats, y: Floats, index: NDArray[np.int32], threads: int) -> None:
        from geo.kernel import locate  # noqa: PLC0415  (numba: only for those who ask for many points)

        x, y = x.view(), y.view()  # one kind of array, so one compiled kernel, whatever the caller's are
        x.flags.writeable = y.flags.writeable = False
        undecided = np.empty(x.size, dtype=np.int64)

        def work(begin: int) -> NDArray[np.int64]:
            left: int = locate(self.pixels, x, y, begin, min(begin + step, x.size), index, undecided)
            return undecided[begin : begin + left]

        # More parts than threads: where a processor has other things to do, the others take more of them.
        step = x.size if threads < 2 else max(-(-x.size // (4 * threads)), _CHUNK)
        if x.size > step:
            with ThreadPoolExecutor(threads) as pool:
                left = np.concatenate(list(pool.map(work, range(0, x.size, step))))
        else:
            left = work(0)
        if left.size:
            index[:, left] = self._settle(x[left], y[left])

    def _members(self, layer: int) -> tuple[tuple[int, ...], ...]:
        known: tuple[tuple[int, ...], ...] = self._known.get(("sets", layer), ())
        if len(known) < len(self._sets[layer]):
            known = self._known["sets", layer] = self._sets[layer].all()
        return known

    def _settle_one(self, lon: float, lat: float) -> tuple[int, ...]:
        return tuple(self._settle(np.array([lon]), np.array([lat]))[:, 0].tolist())

    def _settle(self, x: Floats, y: Floats) -> NDArray[np.int64]:
        """The sets (layers, points) of finite positions by asking every zone near, in exact arithmetic."""
        shapes, zones_of = _all_zones(self.layers)
        tree = self._known.get("tree")
        if tree is None:
            tree = self._known["tree"] = shapely.STRtree(shapes)
        point, zone = tree.query(shapely.points(x, y))
        order = np.argsort(zone, kind="stable")
        point, zone = point[order], zone[order]
        starts = np.append(np.flatnonzero(np.diff(zone, prepend=-1)), zone.size)
        held = np.zeros(zone.size, dtype=bool)
        for start, end in pairwise(starts.tolist()):
            here = point[start:end]
            held[start:end] = holds(shapes[zone[start]], x[here], y[here])
        point, zone = point[held], zone[held]
        found = np.zeros((len(self._sets), x.size), dtype=np.int64)
        with self._lock:  # sets may be met that were not known
            for layer, sets in enumerate(self._sets):
                mine = (zone >= zones_of[layer]) & (zone < zones_of[layer + 1])
                found[layer] = sets.gather(point[mine], zone[mine] - zones_of[layer], x.size)
        return found

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
        flat = self._flat(layer)
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
        within = self._known.get(("within", layer, zone.code))
        if within is None:
            flat = shapely.transform(zone.geometry, lambda xy: xy * self._stretch)
            within = shapely.buffer(flat, -_SNAP_INSIDE_M)
            within = shapely.point_on_surface(flat) if within.is_empty else within
            self._known["within", layer, zone.code] = within
        return self._reach(within, lon, lat)

    def _flat(self, layer: str) -> NDArray[np.object_]:
        """The shapes of a layer on the plane."""
        flat: NDArray[np.object_] | None = self._known.get(("flat", layer))
        if flat is None:
            shapes = np.array([zone.geometry for zone in self.layers[layer].zones], dtype=object)
            flat = self._known["flat", layer] = shapely.transform(shapes, lambda xy: xy * self._stretch)
        return flat

    def _reach(self, flat: BaseGeometry, lon: float, lat: float) -> tuple[float, float, float]:
        """The nearest point of `flat`, a shape on the plane, in degrees, and the metres to it on the ellipsoid."""
        here = shapely.Point(lon * self._stretch[0], lat * self._stretch[1])
        there = shapely.get_coordinates(shapely.shortest_line(here, flat))[-1] / self._stretch
        x, y = float(there[0]), float(there[1])
        _, _, metres = _GEOD.inv(lon, lat, x, y)
        return x, y, float(metres)


def digest(layers: Mapping[str, Layer]) -> str:
    """SHA-256, in hexadecimal, of all that an answer depends on: layers, codes in order, every coordinate.

    And of the code that lays them out, with the libraries beneath: what another edition of it kept is refused.
    """
    beneath = [kept.sources(*_MAKERS), np.__version__, shapely.geos_version_string]
    total = hashlib.sha256(json.dumps(["locator", *beneath]).encode())
    for layer in layers.values():
        codes = [zone.code for zone in layer.zones]
        total.update(json.dumps([layer.name, layer.cover, codes], ensure_ascii=False).encode())
        if layer.zones:
            shapes = np.array([zone.geometry for zone in layer.zones], dtype=object)
            _, xy, offsets = shapely.to_ragged_array(shapes, include_z=False)
            total.update(np.ascontiguousarray(xy, dtype="<f8").data)
            for one in offsets:
                total.update(f"{len(one)}".encode())
                total.update(np.ascontiguousarray(one, dtype="<i8").data)
    return total.hexdigest()


def _sets_of(layers: Mapping[str, Layer], several: Sequence[Sequence[Sequence[int]]] = ()) -> list[Sets]:
    """The sets of each layer, with those of several zones that are known."""
    known = several or [()] * len(layers)
    return [
        Sets(len(layer.zones), alone=layer.cover is not Cover.OVERLAP, several=[tuple(one) for one in of_layer])
        for layer, of_layer in zip(layers.values(), known, strict=True)
    ]


def _all_zones(layers: Mapping[str, Layer]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The shapes of all layers, and the number of each layer's first; at the end, how many they are."""
    shapes = np.array([zone.geometry for layer in layers.values() for zone in layer.zones], dtype=object)
    return shapes, np.cumsum([0, *(len(layer.zones) for layer in layers.values())])


def _check(lon: float, lat: float) -> None:
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise ValueError(f"no position on earth: {lon}, {lat}")
