"""Where one can drive: roads, fields, bridges; and where one can walk.

Land and water are judged on the polygons themselves, not on the cells: a step between two cells is left out if the
straight line between their centres meets water. So a river narrower than a cell parts the land without a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from geo.gates import Gates
from geo.network import MOVES, Bools, Labels, Network, Route, Singles, Spread, clear
from geo.raster import Edges, Floats, Frame, Ints, inside, runs, touched

SHORE_M = 1.0
"""What digitising may be off by: a way may run along a shore, and waters this near each other are joined."""
BRIDGE_HALF_WIDTH_M = 15.0
JUNCTION_CELLS = 0.25
"""Ways that pass each other this near meet, though they share no vertex."""
BANK_M = 400.0
"""How far from the bank a crew that came by vehicle still answers for what is on the water, where no boat can come."""


@dataclass(frozen=True, slots=True)
class Road:
    """A way in metres. Where `bridge` is true it crosses water."""

    line: LineString
    kind: str
    bridge: bool


@dataclass(frozen=True, slots=True)
class Footing:
    """Where one can walk: the dry centres, which come first in the network of `Land`."""

    cell: Ints
    """Of each dry centre."""
    xy: Floats
    steps: tuple[Ints, Ints]
    """Pairs of neighbouring dry centres between which one can walk."""
    closed: BaseGeometry
    """Water without bridges, and all that is outside the district."""


@dataclass(frozen=True, slots=True)
class Land:
    """Driving. The place that stands for a cell: a way in it if there is one, else its centre, else the near shore."""

    frame: Frame
    network: Network
    part: Labels
    """Of each place of the network: those connected bear one number."""
    place: Ints
    """For each cell; -1: none (water farther than a cell from land, or outside the district)."""
    beyond_m: Floats
    """Metres from that place to the cell's centre where the place is across the shore; otherwise 0."""
    off_kmh: float
    """The speed off the network: that of fields."""
    gates: Gates

    def berth(self, xy: Floats) -> tuple[int, float]:
        """Where a vehicle with its base at `xy` starts: a place, or -1, and the metres to it."""
        return self.start(xy)

    def start(self, xy: Floats) -> tuple[int, float]:
        """Where a vehicle at `xy` starts: a place, or -1, and the metres to it."""
        cell = self.frame.cell(float(xy[0]), float(xy[1]))
        return (int(self.place[cell]), float(self.beyond_m[cell])) if cell >= 0 else (-1, 0.0)

    def spread(self, starts: Ints, offs_m: Floats) -> Spread:
        """From each start (a place, and the metres to it) to every cell."""
        seconds = np.full((starts.size, self.frame.count), np.inf, dtype=np.float32)
        metres = seconds.copy()
        ways = self.network.solve(starts)
        cells = np.flatnonzero(self.place >= 0)
        if cells.size:
            more = self.beyond_m[cells] + offs_m[:, None]
            seconds[:, cells] = ways.seconds[:, self.place[cells]] + more / (self.off_kmh / 3.6)
            metres[:, cells] = ways.metres[:, self.place[cells]] + more
        return Spread(seconds, metres, ways.seconds.T.astype(np.float32, order="C"))

    def routes(self, starts: Ints, cell: int, marks: Singles) -> list[Route | None]:
        """The way from each start (a place, or -1) to a cell; `marks`: those of `spread`."""
        end, more = int(self.place[cell]), float(self.beyond_m[cell])
        out: list[Route | None] = [None] * starts.size
        if end < 0:
            return out
        joined = np.flatnonzero(np.where(starts >= 0, self.part[starts], -1) == self.part[end])
        wanted = starts[joined]
        seconds, metres = (found.tolist() for found in self.gates.reached(end, wanted))
        more_s = more / (self.off_kmh / 3.6)
        for at, (number, start) in enumerate(zip(joined.tolist(), wanted.tolist(), strict=True)):
            corners = partial(self._corners, start, end, marks)
            out[number] = Route(seconds[at] + more_s, metres[at] + more, corners)
        return out

    def _corners(self, start: int, end: int, marks: Singles) -> Floats:
        """The places that the way leads over."""
        from geo.search import quickest  # noqa: PLC0415  (numba: only for who asks for one way)

        # Every step is as quick in either direction.
        (found,) = quickest(self.network, marks, len(self.network.xy), end, [start])
        return self.network.corners(found[1] if found else np.zeros(0, dtype=np.int64))

    def left_to_boats(self, sailed: Bools) -> Land:
        """The same, but of the cells that a boat reaches only those on the very shore."""
        far = sailed & (self.beyond_m > 1.5 * self.frame.size_x)
        return replace(self, place=np.where(far, -1, self.place), beyond_m=np.where(far, 0.0, self.beyond_m))


def within(frame: Frame, shape: BaseGeometry) -> Bools:
    """Cells that a shape covers or touches."""
    edges = Edges.of([shape])
    held = _centre_in(frame, edges)
    held[touched(frame, edges)[1]] = True
    return held


def land(
    frame: Frame, district: BaseGeometry, water: BaseGeometry, roads: Sequence[Road], kmh: Mapping[str, float]
) -> tuple[Land, Footing]:
    """The network of a vehicle, and where its crew can walk. All shapes in metres.

    `kmh` by kind of road, and `field` off the roads.
    """
    causeways = shapely.union_all([road.line for road in roads if road.bridge]).buffer(BRIDGE_HALF_WIDTH_M)
    barrier = water.buffer(-SHORE_M).difference(causeways)
    # Off the roads nobody leaves the district: else one would walk around the end of each river that flows out of it.
    outside = shapely.box(*district.buffer(2 * frame.size_x).bounds).difference(district)
    closed = outside.union(water).buffer(-SHORE_M).difference(causeways.intersection(district))
    shapely.prepare([barrier, closed])
    edges = Edges.of([closed])
    inner = within(frame, district)
    dry = np.flatnonzero(inner & ~_centre_in(frame, edges))
    centre = np.full(frame.count, -1)
    centre[dry] = np.arange(dry.size)
    middles = frame.centres()
    shore = np.zeros(frame.count, dtype=bool)
    shore[touched(frame, edges)[1]] = True

    a, b, near = _neighbours(frame, dry, centre, shore)
    asked = np.flatnonzero(near)
    walkable = np.ones(a.size, dtype=bool)
    walkable[asked] = clear(closed, middles[a[asked]], middles[b[asked]])
    a, b = centre[a[walkable]], centre[b[walkable]]

    crossing, way_a, way_b, way_kmh, place_kmh = _ways(frame, roads, kmh)
    xy = np.concatenate([middles[dry], crossing])
    drivable = clear(barrier, crossing[way_a], crossing[way_b])
    joint_a, joint_b, joint_kmh = _joints(frame, xy, dry.size, place_kmh, kmh["field"], barrier)
    network = Network.of(
        xy,
        np.concatenate([a, way_a[drivable] + dry.size, joint_a]),
        np.concatenate([b, way_b[drivable] + dry.size, joint_b]),
        np.concatenate([np.full(a.size, kmh["field"]), way_kmh[drivable], joint_kmh]),
    )
    place, beyond = _standing(frame, inner, centre, xy, dry.size, barrier)
    footing = Footing(dry, middles[dry], (a, b), closed)
    gates = Gates.of(network, kmh["field"] / 3.6)
    return Land(frame, network, network.parts(), place, beyond, kmh["field"], gates), footing


def _centre_in(frame: Frame, edges: Edges) -> Bools:
    _, first, length = inside(frame, edges)
    held = np.zeros(frame.count, dtype=bool)
    held[runs(first, length)[1]] = True
    return held


def _neighbours(frame: Frame, dry: Ints, centre: Ints, shore: Bools) -> tuple[Ints, Ints, Bools]:
    """Pairs of dry cells a move apart, each once; and whether a cell that the move passes through has a shore in it."""
    a, b, near = [], [], []
    for east, north in MOVES:
        step = north * frame.columns + east
        held = dry[centre[dry + step] >= 0]
        passed = shore[held] | shore[held + step]
        for between in crossed(frame, east, north):
            passed = passed | shore[held + between]
        a.append(held)
        b.append(held + step)
        near.append(passed)
    return np.concatenate(a), np.concatenate(b), np.concatenate(near)


def crossed(frame: Frame, east: int, north: int) -> tuple[int, ...]:
    """How far on the cells are that a move passes through between its ends: two on a knight's move, else none.

    On the diagonal it passes through a corner, and whatever lies there touches the cells at its ends.
    """
    if abs(east) == 2:
        return (east // 2, east // 2 + north * frame.columns)
    return (frame.columns, frame.columns + east) if north == 2 else ()


def _ways(frame: Frame, roads: Sequence[Road], kmh: Mapping[str, float]) -> tuple[Floats, Ints, Ints, Floats, Floats]:
    """Roads cut to pieces of a cell: places, pieces from and to, km/h of each piece, of each place the fastest."""
    lines = shapely.segmentize(np.array([road.line for road in roads], dtype=object), frame.size_x)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    places, number = np.unique(np.round(xy, 2), axis=0, return_inverse=True)
    speed = np.array([kmh[road.kind] for road in roads], dtype=np.float64)
    same = line[1:] == line[:-1]
    a, b, piece_kmh = number[:-1][same], number[1:][same], speed[line[1:][same]]
    place_kmh = np.zeros(len(places))
    np.maximum.at(place_kmh, a, piece_kmh)
    np.maximum.at(place_kmh, b, piece_kmh)
    return places, a, b, piece_kmh, place_kmh


def _joints(
    frame: Frame, xy: Floats, first_way: int, way_kmh: Floats, field_kmh: float, barrier: BaseGeometry
) -> tuple[Ints, Ints, Floats]:
    """Steps from ways to the dry centres around, and between ways that pass each other; with their km/h."""
    ways = xy[first_way:]
    if not len(ways):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    a, b, kmh = [], [], []
    if first_way:
        _, near = cKDTree(xy[:first_way]).query(ways, k=4, distance_upper_bound=1.5 * frame.size_x)
        way, choice = np.nonzero(near < first_way)
        a.append(way + first_way)
        b.append(near[way, choice])
        kmh.append(np.full(way.size, field_kmh))
    close = cKDTree(ways).query_pairs(JUNCTION_CELLS * frame.size_x, output_type="ndarray").reshape(-1, 2)
    a.append(close[:, 0] + first_way)
    b.append(close[:, 1] + first_way)
    kmh.append(np.minimum(way_kmh[close[:, 0]], way_kmh[close[:, 1]]))
    start, end, speed = np.concatenate(a), np.concatenate(b), np.concatenate(kmh)
    direct = clear(barrier, xy[start], xy[end])
    return start[direct], end[direct], speed[direct]


def _standing(
    frame: Frame, inner: Bools, centre: Ints, xy: Floats, first_way: int, barrier: BaseGeometry
) -> tuple[Ints, Floats]:
    """`Land.place` and `Land.beyond_m`."""
    middles = frame.centres()
    place, beyond = centre.copy(), np.zeros(frame.count)
    cell = frame.cells(xy[first_way:, 0], xy[first_way:, 1])
    way = np.flatnonzero((cell >= 0) & inner[cell])
    seen = clear(barrier, middles[cell[way]], xy[first_way + way]) | (centre[cell[way]] < 0)
    way = way[seen]
    off = np.hypot(*(xy[first_way + way] - middles[cell[way]]).T)
    way = way[np.lexsort((off, cell[way]))]
    cells, first = np.unique(cell[way], return_index=True)
    place[cells] = first_way + way[first]

    wet = np.flatnonzero(inner & (place < 0))
    held = np.flatnonzero(place >= 0)
    if held.size and wet.size:
        off, near = cKDTree(xy[place[held]]).query(middles[wet], distance_upper_bound=BANK_M)
        reached = np.isfinite(off)
        place[wet[reached]] = place[held[near[reached]]]
        beyond[wet[reached]] = off[reached]
    return place, beyond
