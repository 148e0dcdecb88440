"""Can the responsible team get there: from its units' bases, by their modes, to every part of every kind of place.

A net of points, half a travel cell apart, is laid over the district. A part of a kind that holds none of them is
narrower than a cell, which is the least that a travel surface can tell apart; a kind that holds none at all is asked
at one point of each of its pieces. A team gets to a kind if each of its points is at most `within_m`, a cell's
diagonal, from a point that one of the team's units reaches; what is farther off is out of reach, and said with its
area and the worst point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.spatial import cKDTree

from dispatch.model import Unit
from dispatch.place_kinds import PlaceKinds
from geo.locate import Locator
from geo.travel import Travel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ROWS = 1 << 17
"""Points asked at a time."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a team gets to one kind of place."""

    share: float
    """Of the kind's points that some unit reaches, 0 to 1."""
    modes: tuple[str, ...]
    """By which modes, somewhere in it."""
    out_km2: float
    """What is farther than `within_m` from all that the team reaches, by the points."""
    farthest: tuple[float, float] | None
    """The point (longitude, latitude) that is farthest from all that it reaches; None where all is near enough."""
    off_m: float
    """How far that is; infinite if it reaches nothing at all."""

    @property
    def good(self) -> bool:
        """Whether a unit gets there."""
        return self.farthest is None


class Net:
    """The points, each with its kind of place and what each base reaches. Made once for a district."""

    def __init__(
        self, places: PlaceKinds, locator: Locator, travel: Travel, units: Sequence[Unit], crs: str, cell_m: float
    ) -> None:
        """`units` are those whose ways count; `crs` is the district's metric one."""
        self.within_m = cell_m * math.sqrt(2)
        self._to_metres = Transformer.from_crs(4326, crs, always_xy=True)
        self._back = Transformer.from_crs(crs, 4326, always_xy=True)
        self._ways = sorted({(unit.mode.value, unit.base) for unit in units})
        self._numbers = {held: number for number, kind in enumerate(places.kinds) for held in kind.held}
        self._places = places
        self._trees: dict[bytes, tuple[Bools, cKDTree | None]] = {}
        found = [self._asked(locator, travel, lonlat) for lonlat in self._net(locator, cell_m / 2)]
        missed = set(range(len(places.kinds))).difference(*(kind.tolist() for _, kind, _ in found))
        found.append(self._asked(locator, travel, self._singles(sorted(missed))))
        self.lonlat: Floats = np.concatenate([lonlat for lonlat, _, _ in found])
        self.kind: NDArray[np.int64] = np.concatenate([kind for _, kind, _ in found])
        self.reached: Bools = np.concatenate([reached for _, _, reached in found], axis=1)
        """(ways, points)."""
        x, y = self._to_metres.transform(self.lonlat[:, 0], self.lonlat[:, 1])
        self._xy: Floats = np.column_stack([x, y])

    def _net(self, locator: Locator, mesh_m: float) -> Iterator[Floats]:
        whole = locator.layers["district"].zones[0].geometry
        west, south, east, north = shapely.transform(
            whole, lambda xy: np.column_stack(self._to_metres.transform(xy[:, 0], xy[:, 1]))
        ).bounds
        across = np.arange(west + mesh_m / 2, east, mesh_m)
        rows = max(_ROWS // max(across.size, 1), 1)
        up = np.arange(south + mesh_m / 2, north, mesh_m)
        for first in range(0, up.size, rows):
            x, y = (axis.ravel() for axis in np.meshgrid(across, up[first : first + rows]))
            yield np.column_stack(self._back.transform(x, y))

    def _singles(self, kinds: Sequence[int]) -> Floats:
        """A point in each piece of these kinds, or the one point known of a kind without area."""
        missed = [self._places.kinds[kind] for kind in kinds]
        inner = shapely.get_coordinates(shapely.point_on_surface([face for kind in missed for face in kind.faces]))
        known = np.array([kind.at for kind in missed if not kind.faces], dtype=np.float64).reshape(-1, 2)
        return np.concatenate([inner.reshape(-1, 2), known])

    def _asked(self, locator: Locator, travel: Travel, lonlat: Floats) -> tuple[Floats, NDArray[np.int64], Bools]:
        """Those of the points that are of a kind, with it, and which of the ways lead there."""
        hits = locator.at_many(lonlat[:, 0], lonlat[:, 1])
        inside = np.flatnonzero(hits["district"].index > 0)
        indices = np.stack([hits[name].index[inside] for name in self._places.layers])
        met, which = np.unique(indices, axis=1, return_inverse=True)
        sets = [hits[name].sets for name in self._places.layers]
        numbers = [
            self._numbers.get(tuple(one[i] for one, i in zip(sets, column, strict=True)), -1)
            for column in met.T.tolist()
        ]
        kind = np.array(numbers, dtype=np.int64)[which.reshape(-1)]
        known = kind >= 0
        kept = inside[known]
        lon, lat = lonlat[kept, 0], lonlat[kept, 1]
        ways = {mode: travel.many(mode, lon, lat) for mode in sorted({mode for mode, _ in self._ways})}
        reached = np.zeros((len(self._ways), kept.size), dtype=bool)
        for row, (mode, base) in enumerate(self._ways):
            reached[row] = np.isfinite(ways[mode].seconds[ways[mode].bases.index(base)])
        return lonlat[kept], kind[known], reached

    def reach(self, units: Sequence[Unit], kind: int) -> Reach:
        """How a team with these units gets to the kind of this number."""
        rows = sorted({self._ways.index((unit.mode.value, unit.base)) for unit in units})
        there, tree = self._of(rows)
        here = np.flatnonzero(self.kind == kind)
        modes = sorted({self._ways[row][0] for row in rows if self.reached[row, here].any()})
        missed = here[~there[here]]
        share = 1 - missed.size / here.size
        if not missed.size:
            return Reach(share, tuple(modes), 0.0, None, 0.0)
        off = tree.query(self._xy[missed])[0] if tree is not None else np.full(missed.size, np.inf)
        far = off > self.within_m
        if not far.any():
            return Reach(share, tuple(modes), 0.0, None, float(off.max()))
        worst = missed[int(np.argmax(off))]
        out_km2 = float(far.sum()) / here.size * self._places.kinds[kind].area_km2
        lon, lat = self.lonlat[worst].tolist()
        return Reach(share, tuple(modes), out_km2, (lon, lat), float(off.max()))

    def _of(self, rows: Sequence[int]) -> tuple[Bools, cKDTree | None]:
        """Where any of these ways lead, and a tree of those points; teams that get to the same places share it."""
        there: Bools = np.asarray(self.reached[list(rows)].any(axis=0))
        key = np.packbits(there).tobytes()
        if key not in self._trees:
            self._trees[key] = (there, cKDTree(self._xy[there]) if there.any() else None)
        return self._trees[key]
