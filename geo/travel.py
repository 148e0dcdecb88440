"""How long and how far from a base, or from where a unit stands, to any point: by vehicle or by boat.

The district is laid out in cells (about 100 m) in its metric CRS; a cell is the resolution of every answer. A vehicle
keeps to roads at their speed and crosses fields slowly; water stops it but for bridges. To a point on water it gets
where land is within a cell; on waters that no boat reaches (ponds in a polder), where the bank is within
`driving.BANK_M`. A boat keeps to the waters that are connected with its own; to a point on land its crew walks from the
nearest shore, up to a limit. Off the roads a way runs along sixteen directions, and so are up to 2.8 % too long.

The answers of all bases for every cell are worked out once, so a look-up is a gather. From anywhere else, and for a
line to draw, a search runs back from the point, led by those answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from geo.driving import Land, Road, land
from geo.metres import into
from geo.network import Route, Singles
from geo.raster import Floats, Frame, Ints
from geo.sailing import Water, sailing
from geo.terrain import Terrain
from geo.valhalla import Engine, Roads, over_roads

STRAIGHT_M = 2.0
"""A drawn line leaves out what bends it less."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A way to a point."""

    seconds: float
    metres: float
    mode: str
    """`vehicle` or `boat`."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a point, to be drawn."""

    leg: Leg
    lonlat: Floats
    """(n, 2), from where the unit is to the point."""


@dataclass(frozen=True, slots=True)
class Legs:
    """Ways from every base to many points: (bases, points); infinite where there is none."""

    bases: tuple[str, ...]
    seconds: Singles
    metres: Singles


@dataclass(frozen=True, slots=True)
class Mode:
    """How one goes, and the answers of all bases for every cell."""

    reach: Land | Water | Roads
    berths: Ints
    """The place at which each base's units begin, or -1."""
    seconds: Singles
    metres: Singles
    marks: Singles
    """Of `Spread`."""


class Travel:
    """Travel times of one district. Never changes after it is made."""

    def __init__(
        self, frame: Frame, metric_crs: str, bases: Mapping[str, tuple[float, float]], modes: Mapping[str, Mode]
    ) -> None:
        self.frame, self.metric_crs, self.modes = frame, metric_crs, MappingProxyType(dict(modes))
        self.positions = MappingProxyType(dict(sorted(bases.items())))
        """Of the bases: longitude, latitude."""
        self._to_metres = into(metric_crs)
        self._rows = {code: row for row, code in enumerate(self.positions)}
        self.bases = tuple(self.positions)
        """Codes of the bases, ascending: the rows of `Legs`."""

    @classmethod
    def build(cls, terrain: Terrain, engine: Engine | None = None) -> Travel:
        """Lay out the cells and solve every base by both modes; two seconds for 100,000 cells and 25 bases.

        With an `engine` vehicles go over its roads instead of those of the terrain. Raises KeyError for a class of
        road without a speed.
        """
        to_metres = into(terrain.metric_crs)

        def in_metres(xy: Floats) -> Floats:
            return np.stack(to_metres.transform(xy[:, 0], xy[:, 1]), axis=1)

        def metric(shapes: Sequence[BaseGeometry]) -> NDArray[np.object_]:
            return np.asarray(shapely.transform(np.array(shapes, dtype=np.object_), in_metres), dtype=np.object_)

        speeds = terrain.speeds_kmh
        ground = metric([terrain.district])[0]
        wet = shapely.union_all(metric(terrain.water)).intersection(ground)
        lines = metric([line for line, _, _ in terrain.roads])
        ways = [Road(line, kind, bridge) for line, (_, kind, bridge) in zip(lines, terrain.roads, strict=True)]
        frame = Frame.around(ground.bounds, terrain.cell_m)
        stands = in_metres(np.array([terrain.bases[code] for code in sorted(terrain.bases)]).reshape(-1, 2))
        drive: Land | Roads
        drive, footing = fields, _ = land(frame, ground, wet, [] if engine else ways, speeds)
        if engine:
            drive = over_roads(fields, footing, engine, to_metres)
        boat = _solved(sailing(frame, wet, footing, speeds["boat"], speeds["foot"]), stands)
        ashore = drive.left_to_boats(np.asarray(np.isfinite(boat.seconds).any(axis=0)))
        return cls(frame, terrain.metric_crs, terrain.bases, {"vehicle": _solved(ashore, stands), "boat": boat})

    # --- from the bases -------------------------------------------------------------------------------------------

    def legs_to(self, wanted: Sequence[tuple[str, str]], lon: float, lat: float) -> list[Leg | None]:
        """The way to a point for each (base, mode) of a report's candidates; None where there is none.

        Raises KeyError for an unknown base or mode.
        """
        found = [(self.modes[mode], self._rows[base], mode) for base, mode in wanted]
        cell = self.frame.cell(*self._to_metres.transform(lon, lat))
        if cell < 0:
            return [None] * len(wanted)
        return [_leg(at.seconds.item(row, cell), at.metres.item(row, cell), mode) for at, row, mode in found]

    def many(self, mode: str, lon: ArrayLike, lat: ArrayLike) -> Legs:
        """The ways from every base to many points: two arrays of one length."""
        found, cells = self.modes[mode], self.cells(lon, lat)
        # Cell -1, outside, is the last one: of the ring around the district, where nothing is reached.
        return Legs(self.bases, found.seconds[:, cells], found.metres[:, cells])

    def surface(self, mode: str) -> Legs:
        """The ways from every base to every cell, numbered as by `cells`: what `legs_to` answers from."""
        found = self.modes[mode]
        return Legs(self.bases, found.seconds, found.metres)

    def cells(self, lon: ArrayLike, lat: ArrayLike) -> Ints:
        """The cell that holds each position; -1 outside."""
        x, y = np.atleast_1d(np.asarray(lon, dtype=np.float64)), np.atleast_1d(np.asarray(lat, dtype=np.float64))
        return self.frame.cells(*self._to_metres.transform(x, y))

    # --- from anywhere --------------------------------------------------------------------------------------------

    def legs(
        self, mode: str, starts: Mapping[str, tuple[float, float]], lon: float, lat: float
    ) -> dict[str, Leg | None]:
        """The way to a point from each of `starts` (longitude, latitude): ten near it in a quarter of a millisecond."""
        return {code: found and found[0] for code, found in self._found(mode, starts, lon, lat).items()}

    def way(self, mode: str, start: tuple[float, float], lon: float, lat: float) -> Way | None:
        """The way from where a unit is (longitude, latitude) to a point, to be drawn; None where there is none."""
        return self._drawn(start, (lon, lat), self._found(mode, {"": start}, lon, lat)[""])

    def way_from_base(self, base: str, mode: str, lon: float, lat: float) -> Way | None:
        """The way that `legs_to` speaks of: a boat's begins at its berth."""
        start = self.positions[base]
        return self._drawn(start, (lon, lat), self._found(mode, {"": start}, lon, lat, at_base=True)[""])

    def warm(self) -> None:
        """Load the compiled search, or compile it for the first time: else the first who asks for a way waits."""
        for code in self.bases[:1]:
            lon, lat = self.positions[code]
            for mode in self.modes:
                self.way(mode, (lon, lat), lon, lat)

    def _found(
        self, mode: str, starts: Mapping[str, tuple[float, float]], lon: float, lat: float, *, at_base: bool = False
    ) -> dict[str, tuple[Leg, Route] | None]:
        reach = self.modes[mode].reach
        target = self.frame.cell(*self._to_metres.transform(lon, lat))
        if target < 0 or not starts:
            return dict.fromkeys(starts)
        stands = np.stack(self._to_metres.transform(*np.array(list(starts.values()), dtype=np.float64).T), axis=1)
        begins = [reach.berth(xy) if at_base else reach.start(xy) for xy in stands]
        places = np.array([place for place, _ in begins], dtype=np.int64)
        routes = reach.routes(places, target, self.modes[mode].marks)
        out: dict[str, tuple[Leg, Route] | None] = {}
        for code, (_, off_m), route in zip(starts, begins, routes, strict=True):
            seconds_off = off_m / (reach.off_kmh / 3.6)
            out[code] = (Leg(route.seconds + seconds_off, route.metres + off_m, mode), route) if route else None
        return out

    def _drawn(
        self, start: tuple[float, float], end: tuple[float, float], found: tuple[Leg, Route] | None
    ) -> Way | None:
        if found is None:
            return None
        leg, route = found
        ends = np.stack(self._to_metres.transform(*np.array([start, end]).T), axis=1)
        line = shapely.LineString(np.concatenate([ends[:1], route.corners(), ends[1:]])).simplify(STRAIGHT_M)
        corners = shapely.get_coordinates(line)
        lon, lat = self._to_metres.transform(corners[:, 0], corners[:, 1], direction="INVERSE")
        return Way(leg, np.stack([lon, lat], axis=1))


def _leg(seconds: float, metres: float, mode: str) -> Leg | None:
    return Leg(float(seconds), float(metres), mode) if math.isfinite(seconds) else None


def _solved(reach: Land | Water | Roads, stands: Floats) -> Mode:
    berths = [reach.berth(xy) for xy in stands]
    starts = np.array([place for place, _ in berths], dtype=np.int64)
    found = reach.spread(starts, np.array([off for _, off in berths], dtype=np.float64))
    return Mode(reach, starts, found.seconds, found.metres, found.marks)
