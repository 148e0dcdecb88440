"""How long and how far from a base, or from where a unit stands, to any point: by vehicle or by boat.

The district is laid out in cells (about 100 m) in its metric CRS; a cell is the resolution of every answer. A vehicle
keeps to roads at their speed and crosses fields slowly; water stops it but for bridges. To a point on water it gets
where land is within a cell. A boat keeps to the waters that are connected with its own; to a point on land its crew
walks from the nearest shore, up to a limit. Off the roads a way runs along the eight directions of the cells, so it
is measured up to 8 % too long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from shapely import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.network import Land, Network, Road, Water, land, sailing
from geo.raster import Floats, Frame, Ints

WALK_LIMIT_M = 1500.0
"""No crew walks farther from its boat."""
BERTH_M = 300.0
"""A boat lies on the largest water this near its base; failing that on the nearest within `WALK_LIMIT_M`."""

Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Leg:
    """A way to a point."""

    seconds: float
    metres: float
    mode: str
    """`vehicle` or `boat`."""


@dataclass(frozen=True, slots=True)
class Legs:
    """Ways from every base to many points: (bases, points); infinite where there is none."""

    bases: tuple[str, ...]
    seconds: Singles
    metres: Singles


@dataclass(frozen=True, slots=True)
class _Standing:
    """For each cell the place of a network that stands for it (-1: none) and the walk or drive from there."""

    place: Ints
    metres: Floats
    kmh: float

    def spread(self, seconds: Floats, metres: Floats) -> tuple[Singles, Singles]:
        """Per cell what `seconds` and `metres` say per place, with the rest of the way."""
        none = self.place < 0
        more_s = np.where(none, np.inf, self.metres / (self.kmh / 3.6))
        more_m = np.where(none, np.inf, self.metres)
        place = np.where(none, 0, self.place)
        return (seconds[:, place] + more_s).astype(np.float32), (metres[:, place] + more_m).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Mode:
    """A network, how its places stand for cells (one way for each connected water), and the bases' answers per cell."""

    network: Network
    standings: tuple[_Standing, ...]
    seconds: Singles
    metres: Singles


class Travel:
    """Travel times of one district. Never changes after it is made."""

    def __init__(
        self, frame: Frame, to_metres: Transformer, bases: tuple[str, ...], modes: Mapping[str, _Mode]
    ) -> None:
        self._frame, self._to_metres, self._modes = frame, to_metres, modes
        self._rows = {code: row for row, code in enumerate(bases)}
        self.bases = bases
        """Codes of the bases, ascending: the rows of `Legs`."""

    @classmethod
    def build(
        cls,
        district: Polygon | MultiPolygon,
        water: Sequence[Polygon | MultiPolygon],
        roads: Sequence[tuple[LineString, str, bool]],
        bases: Mapping[str, tuple[float, float]],
        metric_crs: str,
        cell_m: float,
        speeds_kmh: Mapping[str, float],
    ) -> Travel:
        """Lay out the cells and solve every base by both modes; some seconds for 100,000 cells and 25 bases.

        `district`, `water`, the lines of `roads` (line, class, whether a bridge) and `bases` (longitude, latitude) are
        in EPSG:4326; `speeds_kmh` has `field`, `boat`, `foot` and every class of road. Raises KeyError for a class
        without a speed, ValueError for a speed or a cell that is not positive.
        """
        if not all(speed > 0 for speed in (*speeds_kmh.values(), cell_m)):
            raise ValueError(f"speeds and cell size must be positive: {dict(speeds_kmh)}, {cell_m}")
        to_metres = Transformer.from_crs("EPSG:4326", metric_crs, always_xy=True)

        def in_metres(xy: Floats) -> Floats:
            return np.stack(to_metres.transform(xy[:, 0], xy[:, 1]), axis=1)

        def metric(shapes: Sequence[BaseGeometry]) -> NDArray[np.object_]:
            return np.asarray(shapely.transform(np.array(shapes, dtype=np.object_), in_metres), dtype=np.object_)

        ground = metric([district])[0]
        wet = shapely.union_all(metric(water)).intersection(ground)
        lines = metric([line for line, _, _ in roads])
        ways = [Road(line, kind, bridge) for line, (_, kind, bridge) in zip(lines, roads, strict=True)]
        frame = Frame.around(ground.bounds, cell_m)
        codes = tuple(sorted(bases))
        x, y = to_metres.transform(*np.array([bases[code] for code in codes], dtype=np.float64).reshape(-1, 2).T)
        drive = land(frame, ground, wet, ways, speeds_kmh)
        sail = sailing(frame, wet, speeds_kmh["boat"])
        modes = {
            "vehicle": _vehicles(drive, frame.cells(x, y), speeds_kmh["field"]),
            "boat": _boats(frame, drive, sail, np.stack([x, y], axis=1), speeds_kmh["foot"]),
        }
        return cls(frame, to_metres, codes, MappingProxyType(modes))

    def leg(self, base: str, mode: str, lon: float, lat: float) -> Leg | None:
        """The way from a base (code) to a point; None where there is none. KeyError for an unknown base or mode."""
        found = self._modes[mode]
        row = self._rows[base]
        cell = int(self._cells(lon, lat)[0])
        return None if cell < 0 else _leg(found.seconds[row, cell], found.metres[row, cell], mode)

    def legs_from_bases(self, mode: str, lon: float, lat: float) -> Mapping[str, Leg | None]:
        """`leg` from every base."""
        one = self.many(mode, [lon], [lat])
        return {
            base: _leg(seconds, metres, mode)
            for base, seconds, metres in zip(self.bases, one.seconds[:, 0], one.metres[:, 0], strict=True)
        }

    def many(self, mode: str, lon: ArrayLike, lat: ArrayLike) -> Legs:
        """`leg` from every base to many points: two arrays of one length."""
        found, cells = self._modes[mode], self._cells(lon, lat)
        # Cell -1, outside, is the last one: of the ring around the district, where nothing is reached.
        return Legs(self.bases, found.seconds[:, cells], found.metres[:, cells])

    def legs(
        self, mode: str, starts: Mapping[str, tuple[float, float]], lon: float, lat: float
    ) -> dict[str, Leg | None]:
        """The way to a point from each of `starts` (longitude, latitude): one search, some tens of milliseconds."""
        found = self._modes[mode]
        target = int(self._cells(lon, lat)[0])
        where = np.array(list(starts.values()), dtype=np.float64).reshape(-1, 2)
        cells = self._cells(where[:, 0], where[:, 1])
        best = np.full((2, cells.size), np.inf)
        for standing in found.standings:
            place = int(standing.place[target])
            if place < 0:
                continue
            # Every step is as quick in either direction, so the ways to the point are the ways from it.
            seconds, metres = standing.spread(*found.network.solve(np.array([place])))
            more_m = standing.metres[target]
            new = np.stack([seconds[0, cells] + more_m / (standing.kmh / 3.6), metres[0, cells] + more_m])
            best = np.where(new[0] < best[0], new, best)
        return {code: _leg(best[0, i], best[1, i], mode) for i, code in enumerate(starts)}

    def _cells(self, lon: ArrayLike, lat: ArrayLike) -> Ints:
        x, y = np.atleast_1d(np.asarray(lon, dtype=np.float64)), np.atleast_1d(np.asarray(lat, dtype=np.float64))
        return self._frame.cells(*self._to_metres.transform(x, y))


def _leg(seconds: float, metres: float, mode: str) -> Leg | None:
    return Leg(float(seconds), float(metres), mode) if np.isfinite(seconds) else None


def _solve(network: Network, sources: Ints) -> tuple[Floats, Floats]:
    """`Network.solve`, where a source may be -1: nothing is reached from there."""
    seconds = np.full((sources.size, max(len(network.xy), 1)), np.inf)
    metres = seconds.copy()
    known, row = np.unique(sources[sources >= 0], return_inverse=True)
    if known.size:
        some_s, some_m = network.solve(known)
        seconds[sources >= 0], metres[sources >= 0] = some_s[row], some_m[row]
    return seconds, metres


def _vehicles(drive: Land, base_cells: Ints, field_kmh: float) -> _Mode:
    standing = _Standing(drive.place, drive.beyond_m, field_kmh)
    sources = np.where(base_cells >= 0, drive.place[base_cells], -1)
    return _Mode(drive.network, (standing,), *standing.spread(*_solve(drive.network, sources)))


def _boats(frame: Frame, drive: Land, sail: Water, bases: Floats, foot_kmh: float) -> _Mode:
    berths = [_berth(frame, sail, base) for base in bases]
    sources = np.array([berth for berth, _ in berths], dtype=np.int64)
    walks = np.array([walk for _, walk in berths])
    at_sea_s, at_sea_m = _solve(sail.network, sources)
    seconds = np.full((len(bases), frame.count), np.inf, dtype=np.float32)
    metres = seconds.copy()
    standings = []
    for part in np.unique(sail.part[sources[sources >= 0]]).tolist():
        standing = _landings(frame, drive, sail, part, foot_kmh)
        standings.append(standing)
        rows = np.flatnonzero((sources >= 0) & (sail.part[sources] == part))
        seconds[rows], metres[rows] = standing.spread(
            at_sea_s[rows] + (walks[rows] / (foot_kmh / 3.6))[:, None], at_sea_m[rows] + walks[rows][:, None]
        )
    return _Mode(sail.network, tuple(standings), seconds, metres)


def _berth(frame: Frame, sail: Water, base: Floats) -> tuple[int, float]:
    """Where the boats of a base lie: a place of `sail` (-1: nowhere) and the metres that the crew walks to it."""
    if not sail.cell.size:
        return -1, 0.0
    metres = np.hypot(*(sail.network.xy - base).T)
    metres[sail.cell == frame.cells(base[:1], base[1:])] = 0.0
    near = np.flatnonzero(metres <= BERTH_M)
    if near.size:
        size = np.bincount(sail.part)[sail.part[near]]
        near = near[size == size.max()]
    else:
        near = np.flatnonzero(metres <= WALK_LIMIT_M)
    if not near.size:
        return -1, 0.0
    berth = int(near[np.argmin(metres[near])])
    return berth, float(metres[berth])


def _landings(frame: Frame, drive: Land, sail: Water, part: int, foot_kmh: float) -> _Standing:
    """For each cell, the nearest place where a boat on the water `part` can put ashore, and the walk from there."""
    places = np.flatnonzero(sail.part == part)
    cells = sail.cell[places]
    nearest = np.full(frame.count, -1)
    walk = np.zeros(frame.count)
    dry = np.flatnonzero(drive.centre >= 0)
    if dry.size:
        starts, ends, steps = _ashore(frame, drive, cells)
        a, b = drive.steps
        xy = drive.network.xy
        between = np.hypot(*(xy[a] - xy[b]).T)
        rows, columns = np.concatenate([a, b, dry.size + starts]), np.concatenate([b, a, ends])
        total = dry.size + places.size
        graph = csr_array(coo_array((np.concatenate([between, between, steps]), (rows, columns)), shape=(total, total)))
        sources = np.arange(dry.size, total)
        metres, _, source = dijkstra(
            graph, indices=sources, min_only=True, return_predecessors=True, limit=WALK_LIMIT_M
        )
        reached = np.flatnonzero(np.isfinite(metres[: dry.size]))
        nearest[dry[reached]] = places[source[reached] - dry.size]
        walk[dry[reached]] = metres[reached]
    nearest[cells] = places
    walk[cells] = 0.0
    return _Standing(nearest, walk, foot_kmh)


def _ashore(frame: Frame, drive: Land, cells: Ints) -> tuple[Ints, Ints, Floats]:
    """Steps from water to dry centres: in the same cell half a cell, else to those around; (from, to, metres)."""
    starts, ends, metres = [], [], []
    size, up = frame.size_x, frame.columns
    own = drive.centre[cells]
    here = np.flatnonzero(own >= 0)
    starts.append(here)
    ends.append(own[here])
    metres.append(np.full(here.size, size / 2))
    wet = np.flatnonzero(own < 0)
    for step in (1, -1, up, -up, up + 1, up - 1, 1 - up, -1 - up):
        other = drive.centre[cells[wet] + step]
        there = np.flatnonzero(other >= 0)
        starts.append(wet[there])
        ends.append(other[there])
        metres.append(np.full(there.size, size if step in (1, -1, up, -up) else size * 2**0.5))
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(metres)
