"""Where one can drive, walk and sail: graphs over a grid of cells, built from polygons and lines in metres.

Land and water are judged on the polygons themselves, not on the cells: a step between two cells is left out if the
straight line between their centres meets water, and a boat passes from one cell into the next only where the face
between them lies in water. So a river narrower than a cell parts the land without a gap, and still carries a boat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from geo.raster import Edges, Floats, Frame, Ints, inside, runs, touched

SHORE_M = 1.0
"""What digitising may be off by: a way may run along a shore, and waters this near each other are joined."""
BRIDGE_HALF_WIDTH_M = 15.0
JUNCTION_CELLS = 0.25
"""Ways that pass each other this near meet, though they share no vertex."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Road:
    """A way in metres. Where `bridge` is true it crosses water."""

    line: LineString
    kind: str
    bridge: bool


@dataclass(frozen=True, slots=True)
class Network:
    """Places (`xy`, metres) and the seconds between neighbours; both ways alike. Steps are straight lines."""

    xy: Floats
    seconds: csr_array

    def solve(self, sources: Ints) -> tuple[Floats, Floats]:
        """Seconds and metres of the quickest way from each source to every place, (sources, places); inf: none."""
        if not len(sources) or not len(self.xy):
            nothing = np.full((len(sources), len(self.xy)), np.inf)
            return nothing, nothing.copy()
        seconds, before = dijkstra(self.seconds, indices=sources, return_predecessors=True)
        return seconds, self._lengths(sources, before)

    def _lengths(self, sources: Ints, before: NDArray[np.int32]) -> Floats:
        """Metres along the trees of predecessors, by doubling: each round looks twice as far back."""
        out = np.full(before.shape, np.inf)
        for row, (source, tree) in enumerate(zip(sources.tolist(), before, strict=True)):
            reached = tree >= 0
            reached[source] = True
            back = np.where(tree >= 0, tree, np.arange(tree.size))
            metres = np.hypot(*(self.xy - self.xy[back]).T)
            while not np.array_equal(back, farther := back[back]):
                metres += metres[back]
                back = farther
            out[row, reached] = (metres + metres[back])[reached]
        return out

    def parts(self) -> NDArray[np.int32]:
        """The number of the connected part that each place is of."""
        if not len(self.xy):
            return np.zeros(0, dtype=np.int32)
        labels: NDArray[np.int32] = connected_components(self.seconds, directed=False)[1]
        return labels


@dataclass(frozen=True, slots=True)
class Land:
    """Driving. The place that stands for a cell: a way in it if there is one, else its centre, else the near shore."""

    network: Network
    place: Ints
    """For each cell; -1: none (water farther than a cell from land, or outside the district)."""
    beyond_m: Floats
    """Metres from that place to the cell's centre where the place is across the shore; otherwise 0."""
    centre: Ints
    """For each cell the place at its dry centre, or -1. These come first in the network."""
    steps: tuple[Ints, Ints]
    """Pairs of neighbouring dry centres between which one can walk."""


@dataclass(frozen=True, slots=True)
class Water:
    """Sailing. A place is one water in one cell: two waters in a cell with a dyke between are two places."""

    network: Network
    cell: Ints
    """Of each place."""
    part: NDArray[np.int32]
    """Waters connected for a boat bear one number."""


def within(frame: Frame, shape: BaseGeometry) -> Bools:
    """Cells that a shape covers or touches."""
    held = np.zeros(frame.count, dtype=bool)
    edges = Edges.of([shape])
    held[touched(frame, edges)[1]] = True
    return held | _centre_in(frame, edges)


def land(
    frame: Frame, district: BaseGeometry, water: BaseGeometry, roads: Sequence[Road], kmh: Mapping[str, float]
) -> Land:
    """The network of a vehicle; `kmh` by kind of road, and `field` off the roads."""
    bridges = shapely.union_all([road.line for road in roads if road.bridge])
    causeways = bridges.buffer(BRIDGE_HALF_WIDTH_M)
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

    a, b = _neighbours(frame, dry, centre)
    asked = np.flatnonzero(shore[a] | shore[b])
    clear = np.ones(a.size, dtype=bool)
    clear[asked] = _clear(closed, middles[a[asked]], middles[b[asked]])
    a, b = centre[a[clear]], centre[b[clear]]

    crossing, way_a, way_b, way_kmh, node_kmh = _ways(frame, roads, kmh)
    xy = np.concatenate([middles[dry], crossing])
    open_way = _clear(barrier, crossing[way_a], crossing[way_b])
    joint_a, joint_b, joint_kmh = _joints(frame, xy, dry.size, node_kmh, kmh["field"], barrier)
    starts = [a, way_a[open_way] + dry.size, joint_a]
    ends = [b, way_b[open_way] + dry.size, joint_b]
    speeds = [np.full(a.size, kmh["field"]), way_kmh[open_way], joint_kmh]
    network = _network(xy, np.concatenate(starts), np.concatenate(ends), np.concatenate(speeds))
    place, beyond = _standing(frame, inner, centre, xy, dry.size, barrier)
    return Land(network, place, beyond, centre, (a, b))


def sailing(frame: Frame, water: BaseGeometry, kmh: float) -> Water:
    """The network of a boat."""
    bodies = shapely.get_parts(water.buffer(SHORE_M, quad_segs=2))
    shapely.prepare(bodies)
    edges = Edges.of(bodies.tolist())
    body, cell = touched(frame, edges)
    shallow = body * frame.count + cell
    owner, first, length = inside(frame, edges)
    run, filled = runs(first, length)
    key = np.unique(np.concatenate([shallow, owner[run] * frame.count + filled]))
    deep = ~np.isin(key, shallow, assume_unique=True)
    body, cell = np.divmod(key, frame.count)

    def through(step: int, corner: tuple[int, int]) -> tuple[Ints, Ints]:
        """Places from which, and into which, a boat passes the face towards `step` cells on."""
        onward = np.searchsorted(key, key + step)
        onward[onward == key.size] = 0
        here = np.flatnonzero(key[onward] == key + step)
        there = onward[here]
        asked = np.flatnonzero(~(deep[here] & deep[there]))
        column, row = cell[here[asked]] % frame.columns, cell[here[asked]] // frame.columns
        far = np.stack([frame.west + (column + 1) * frame.size_x, frame.south + (row + 1) * frame.size_y], axis=1)
        near = far - np.array(corner) * (frame.size_x, frame.size_y)
        passable = np.ones(here.size, dtype=bool)
        passable[asked] = shapely.intersects(bodies[body[here[asked]]], _lines(near, far))
        return here[passable], there[passable]

    east, north = np.full(key.size, -1), np.full(key.size, -1)
    here, there = through(1, (0, 1))
    east[here] = there
    here, there = through(frame.columns, (1, 0))
    north[here] = there
    starts, ends = _with_diagonals(east, north)
    network = _network(frame.centres()[cell], starts, ends, np.full(starts.size, kmh))
    return Water(network, cell, network.parts())


def _with_diagonals(east: Ints, north: Ints) -> tuple[Ints, Ints]:
    """Steps between places, given those east and north of each (-1: none); a diagonal only where two faces lead on."""
    places = np.arange(east.size)
    west, south = np.full(east.size, -1), np.full(east.size, -1)
    west[east[east >= 0]] = places[east >= 0]
    south[north[north >= 0]] = places[north >= 0]

    def then(first: Ints, second: Ints) -> Ints:
        return np.where(first >= 0, second[first], -1)

    starts, ends = [], []
    for onward in (east, north, then(east, north), then(north, east), then(west, north), then(north, west)):
        starts.append(places[onward >= 0])
        ends.append(onward[onward >= 0])
    return np.concatenate(starts), np.concatenate(ends)


def _centre_in(frame: Frame, edges: Edges) -> Bools:
    _, first, length = inside(frame, edges)
    held = np.zeros(frame.count, dtype=bool)
    held[runs(first, length)[1]] = True
    return held


def _lines(a: Floats, b: Floats) -> NDArray[np.object_]:
    return np.asarray(shapely.linestrings(np.stack([a, b], axis=1)), dtype=np.object_)


def _clear(barrier: BaseGeometry, a: Floats, b: Floats) -> Bools:
    """Whether one gets straight from each of `a` to each of `b`."""
    return ~np.asarray(shapely.intersects(barrier, _lines(a, b)), dtype=bool)


def _neighbours(frame: Frame, dry: Ints, centre: Ints) -> tuple[Ints, Ints]:
    """Pairs of dry cells that share an edge or a corner, each once."""
    pairs = [
        (dry[held], dry[held] + step)
        for step in (1, frame.columns, frame.columns + 1, frame.columns - 1)
        for held in [centre[dry + step] >= 0]
    ]
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


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
    clear = _clear(barrier, xy[start], xy[end])
    return start[clear], end[clear], speed[clear]


def _standing(
    frame: Frame, inner: Bools, centre: Ints, xy: Floats, first_way: int, barrier: BaseGeometry
) -> tuple[Ints, Floats]:
    """`Land.place` and `Land.beyond_m`."""
    middles = frame.centres()
    place, beyond = centre.copy(), np.zeros(frame.count)
    cell = frame.cells(xy[first_way:, 0], xy[first_way:, 1])
    way = np.flatnonzero((cell >= 0) & inner[cell])
    seen = _clear(barrier, middles[cell[way]], xy[first_way + way]) | (centre[cell[way]] < 0)
    way = way[seen]
    off = np.hypot(*(xy[first_way + way] - middles[cell[way]]).T)
    way = way[np.lexsort((off, cell[way]))]
    cells, first = np.unique(cell[way], return_index=True)
    place[cells] = first_way + way[first]

    wet = np.flatnonzero(inner & (place < 0))
    least = np.full(wet.size, 1.5 * frame.size_x)
    shore = np.full(wet.size, -1)
    up = frame.columns
    for step in (1, -1, up, -up, up + 1, up - 1, 1 - up, -1 - up):
        other = place[wet + step]
        off = np.where(other >= 0, np.hypot(*(xy[other] - middles[wet]).T), np.inf) if len(xy) else np.inf
        shore = np.where(off < least, other, shore)
        least = np.minimum(off, least)
    place[wet] = shore
    beyond[wet] = np.where(shore >= 0, least, 0.0)
    return place, beyond


def _network(xy: Floats, a: Ints, b: Ints, kmh: Floats) -> Network:
    """Of steps between two places the quickest; a step takes some time, for the solver takes 0 for 'no step'."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    seconds = np.maximum(np.hypot(*(xy[a] - xy[b]).T) / (kmh / 3.6), 1e-6)
    order = np.lexsort((seconds, high, low))
    low, high, seconds = low[order], high[order], seconds[order]
    new = (np.diff(low, prepend=-1) != 0) | (np.diff(high, prepend=-1) != 0)
    keep = new & (low != high)
    low, high, seconds = low[keep], high[keep], seconds[keep]
    both = np.concatenate([low, high]), np.concatenate([high, low])
    return Network(xy, csr_array(coo_array((np.tile(seconds, 2), both), shape=(len(xy), len(xy)))))
