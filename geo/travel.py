"""How long and how far from a base, or from where a unit stands, to any point: by vehicle or by boat.

The district is laid out in cells (about 100 m) in its metric CRS; a cell is the resolution of every answer. A vehicle
keeps to roads at their speed and crosses fields slowly; water stops it but for bridges. To a point on water it gets
where land is within a cell; on waters that no boat reaches (ponds in a polder), where the bank is within
`driving.BANK_M`. A boat keeps to the waters that are connected with its own; to a point on land its crew walks from the
nearest shore, up to a limit. Off the roads a way runs along the eight directions of the cells, so it is measured up to
8 % too long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer
from shapely import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.driving import Road, land
from geo.raster import Floats, Frame, Ints
from geo.sailing import sailing

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


class _Reach(Protocol):
    """What driving and sailing both can tell."""

    def berth(self, xy: Floats) -> tuple[int, float]: ...
    def start(self, xy: Floats) -> tuple[int, float]: ...
    def spread(self, starts: Ints, offs_m: Floats) -> tuple[Floats, Floats]: ...
    def gather(self, cell: int) -> tuple[Floats, Floats]: ...


@dataclass(frozen=True, slots=True)
class _Mode:
    """A network and the answers of all bases for every cell."""

    reach: _Reach
    foot_kmh: float
    """The speed of what a unit does before it is on its network."""
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
        sail = sailing(frame, wet, drive, speeds_kmh["boat"], speeds_kmh["foot"])
        stands = np.stack([x, y], axis=1)
        boat = _solved(sail, stands, speeds_kmh["foot"])
        ashore = drive.left_to_boats(np.asarray(np.isfinite(boat.seconds).any(axis=0)))
        modes = {"vehicle": _solved(ashore, stands, speeds_kmh["field"]), "boat": boat}
        return cls(frame, to_metres, codes, MappingProxyType(modes))

    def leg(self, base: str, mode: str, lon: float, lat: float) -> Leg | None:
        """The way from a base (code) to a point; None where there is none. KeyError for an unknown base or mode."""
        found = self._modes[mode]
        row = self._rows[base]
        cell = int(self.cells(lon, lat)[0])
        return None if cell < 0 else _leg(found.seconds[row, cell], found.metres[row, cell], mode)

    def legs_to(self, wanted: Sequence[tuple[str, str]], lon: float, lat: float) -> list[Leg | None]:
        """`leg` for each (base, mode) of a report's candidates, the point looked up once."""
        cell = self._frame.cell(*self._to_metres.transform(lon, lat))
        if cell < 0:
            return [None] * len(wanted)
        found = ((self._modes[mode], self._rows[base], mode) for base, mode in wanted)
        return [_leg(at.seconds[row, cell], at.metres[row, cell], mode) for at, row, mode in found]

    def legs_from_bases(self, mode: str, lon: float, lat: float) -> Mapping[str, Leg | None]:
        """`leg` from every base."""
        one = self.many(mode, [lon], [lat])
        return {
            base: _leg(seconds, metres, mode)
            for base, seconds, metres in zip(self.bases, one.seconds[:, 0], one.metres[:, 0], strict=True)
        }

    def many(self, mode: str, lon: ArrayLike, lat: ArrayLike) -> Legs:
        """`leg` from every base to many points: two arrays of one length."""
        found, cells = self._modes[mode], self.cells(lon, lat)
        # Cell -1, outside, is the last one: of the ring around the district, where nothing is reached.
        return Legs(self.bases, found.seconds[:, cells], found.metres[:, cells])

    def legs(
        self, mode: str, starts: Mapping[str, tuple[float, float]], lon: float, lat: float
    ) -> dict[str, Leg | None]:
        """The way to a point from each of `starts` (longitude, latitude): one search, some tens of milliseconds."""
        found = self._modes[mode]
        target = int(self.cells(lon, lat)[0])
        if target < 0:
            return dict.fromkeys(starts)
        seconds, metres = found.reach.gather(target)
        out = {}
        for code, (start_lon, start_lat) in starts.items():
            place, off = found.reach.start(np.array(self._to_metres.transform(start_lon, start_lat)))
            out[code] = (
                _leg(seconds[place] + off / (found.foot_kmh / 3.6), metres[place] + off, mode) if place >= 0 else None
            )
        return out

    def surface(self, mode: str) -> Legs:
        """The ways from every base to every cell, numbered as by `cells`: what `leg` answers from."""
        found = self._modes[mode]
        return Legs(self.bases, found.seconds, found.metres)

    def cells(self, lon: ArrayLike, lat: ArrayLike) -> Ints:
        """The cell that holds each position; -1 outside."""
        x, y = np.atleast_1d(np.asarray(lon, dtype=np.float64)), np.atleast_1d(np.asarray(lat, dtype=np.float64))
        return self._frame.cells(*self._to_metres.transform(x, y))


def _leg(seconds: float, metres: float, mode: str) -> Leg | None:
    return Leg(float(seconds), float(metres), mode) if np.isfinite(seconds) else None


def _solved(reach: _Reach, stands: Floats, foot_kmh: float) -> _Mode:
    berths = [reach.berth(xy) for xy in stands]
    starts = np.array([place for place, _ in berths], dtype=np.int64)
    seconds, metres = reach.spread(starts, np.array([off for _, off in berths], dtype=np.float64))
    return _Mode(reach, foot_kmh, seconds.astype(np.float32), metres.astype(np.float32))
