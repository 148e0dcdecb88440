"""Where one can sail, and how far a crew walks from its boat.

A boat passes from one cell into the next only where the face between them lies in water, so it follows a river much
narrower than a cell; and a place is one water in one cell, so two waters with a dyke between stay two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry

from geo.driving import SHORE_M, Land
from geo.network import Network, Ways, clear, lines, matrix
from geo.raster import Edges, Floats, Frame, Ints, inside, runs, touched

WALK_LIMIT_M = 1500.0
"""No crew walks farther from its boat."""
BERTH_M = 300.0
"""A boat lies on the largest water this near its base; failing that on the nearest within `WALK_LIMIT_M`."""
ASHORE_CELLS = 1.5
"""A crew lands where a dry centre is this near."""


@dataclass(frozen=True, slots=True)
class Water:
    """Sailing, and walking from the boat. The places on water come first in the network, then dry centres."""

    frame: Frame
    network: Network
    """With steps ashore, and none back on board."""
    afloat: Network
    """The places on water alone."""
    cell: Ints
    """Of each place of the network."""
    part: NDArray[np.int32]
    """Of each place on water: those connected for a boat bear one number."""
    landing: Ints
    """Of each place of the network, the place on water nearest on foot; itself on water."""
    landing_m: Floats
    """The metres of that walk."""
    foot_kmh: float

    def berth(self, xy: Floats) -> tuple[int, float]:
        """Where the boats of a base at `xy` lie: a place, or -1, and the metres that the crew walks to it."""
        metres = self._off(xy)
        near = np.flatnonzero(metres <= BERTH_M)
        if near.size:
            size = np.bincount(self.part)[self.part[near]]
            near = near[size == size.max()]
            return int(near[np.argmin(metres[near])]), float(metres[near].min())
        return self.start(xy)

    def start(self, xy: Floats) -> tuple[int, float]:
        """Where a boat reported at `xy` is: the nearest place, or -1 beyond the walking limit, and the metres to it."""
        metres = self._off(xy)
        if not metres.size or not metres.min() <= WALK_LIMIT_M:
            return -1, 0.0
        return int(np.argmin(metres)), float(metres.min())

    def _off(self, xy: Floats) -> Floats:
        metres: Floats = np.hypot(*(self.afloat.xy - xy).T)
        metres[self.cell[: metres.size] == self.frame.cells(xy[:1], xy[1:])[0]] = 0.0
        return metres

    def spread(self, starts: Ints, offs_m: Floats) -> tuple[Floats, Floats]:
        """Seconds and metres from each start (a place, and the walk to it) to every cell: (starts, cells)."""
        ways = self.network.solve(starts)
        seconds, metres = self._on_foot_at_most(ways, ways.seconds[:, self.landing], ways.metres[:, self.landing])
        out_s = np.full((starts.size, self.frame.count), np.inf)
        out_m = out_s.copy()
        # A cell may have several places; take them turn by turn, one of each cell at a time.
        order = np.argsort(self.cell, kind="stable")
        turn = np.arange(order.size) - np.searchsorted(self.cell[order], self.cell[order])
        for number in range(int(turn.max(initial=-1)) + 1):
            place = order[turn == number]
            cell = self.cell[place]
            sooner = seconds[:, place] < out_s[:, cell]
            out_s[:, cell] = np.where(sooner, seconds[:, place], out_s[:, cell])
            out_m[:, cell] = np.where(sooner, metres[:, place], out_m[:, cell])
        return out_s + offs_m[:, None] / (self.foot_kmh / 3.6), out_m + offs_m[:, None]

    def _on_foot_at_most(self, ways: Ways, landed_s: Floats, landed_m: Floats) -> tuple[Floats, Floats]:
        """The quickest ways, but where they lead too far on foot, the way by the nearest landing."""
        short = ways.walked_m <= WALK_LIMIT_M
        seconds = np.where(short, ways.seconds, landed_s + self.landing_m / (self.foot_kmh / 3.6))
        return seconds, np.where(short, ways.metres, landed_m + self.landing_m)

    def gather(self, cell: int) -> tuple[Floats, Floats]:
        """Seconds and metres to one cell from every place on water."""
        afloat = len(self.afloat.xy)
        best_s, best_m = np.full(afloat, np.inf), np.full(afloat, np.inf)
        back = self.network.reversed()
        for place in np.flatnonzero(self.cell == cell).tolist():
            ways = back.solve(np.array([place]))
            landed = self.afloat.solve(self.landing[place : place + 1])
            walk = float(self.landing_m[place])
            short = ways.walked_m[0, :afloat] <= WALK_LIMIT_M
            seconds = np.where(short, ways.seconds[0, :afloat], landed.seconds[0] + walk / (self.foot_kmh / 3.6))
            metres = np.where(short, ways.metres[0, :afloat], landed.metres[0] + walk)
            best_m = np.where(seconds < best_s, metres, best_m)
            best_s = np.minimum(seconds, best_s)
        return best_s, best_m


def sailing(frame: Frame, water: BaseGeometry, ground: Land, boat_kmh: float, foot_kmh: float) -> Water:
    """The network of a boat and its crew; `water` in metres."""
    bodies = shapely.get_parts(water.buffer(SHORE_M, quad_segs=2))
    shapely.prepare(bodies)
    edges = Edges.of(bodies.tolist())
    afloat, key = _afloat(frame, bodies, edges, boat_kmh)
    size = key.size
    dry = np.flatnonzero(ground.centre >= 0)
    from_place, to_centre, ashore_m = _shores(frame, edges, key, ground, dry)
    a, b = ground.steps
    land_xy = ground.network.xy[: dry.size]
    walk_m = np.hypot(*(land_xy[a] - land_xy[b]).T)
    starts = np.concatenate([a + size, b + size, from_place])
    ends = np.concatenate([b + size, a + size, to_centre + size])
    metres = np.concatenate([walk_m, walk_m, ashore_m])
    landing, landing_m = np.arange(size + dry.size), np.zeros(size + dry.size)
    if size:
        landing_m, _, landing = dijkstra(
            matrix(size + dry.size, starts, ends, metres),
            indices=np.arange(size),
            min_only=True,
            return_predecessors=True,
            limit=WALK_LIMIT_M,
        )
    kept = np.flatnonzero(np.isfinite(landing_m) if size else np.zeros(dry.size, dtype=bool))
    new = np.full(size + dry.size, -1)
    new[kept] = np.arange(kept.size)
    ashore = (new[starts] >= 0) & (new[ends] >= 0)
    sea = afloat.seconds.tocoo()
    graph = matrix(
        kept.size,
        np.concatenate([sea.row, new[starts[ashore]]]),
        np.concatenate([sea.col, new[ends[ashore]]]),
        np.concatenate([sea.data, metres[ashore] / (foot_kmh / 3.6)]),
    )
    cell = np.concatenate([key % frame.count, dry])[kept]
    network = Network(np.concatenate([afloat.xy, land_xy])[kept], graph, np.arange(kept.size) >= size)
    landed = landing[kept].astype(np.int64)
    return Water(frame, network, afloat, cell, afloat.parts(), landed, landing_m[kept], foot_kmh)


def _afloat(frame: Frame, bodies: NDArray[np.object_], edges: Edges, kmh: float) -> tuple[Network, Ints]:
    """The places on water and the steps between; the key of each: body times the number of cells, plus cell."""
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
        passable[asked] = shapely.intersects(bodies[body[here[asked]]], lines(near, far))
        return here[passable], there[passable]

    east, north = np.full(key.size, -1), np.full(key.size, -1)
    here, there = through(1, (0, 1))
    east[here] = there
    here, there = through(frame.columns, (1, 0))
    north[here] = there
    starts, ends = _with_diagonals(east, north)
    return Network.of(frame.centres()[cell], starts, ends, np.full(starts.size, kmh)), key


def _with_diagonals(east: Ints, north: Ints) -> tuple[Ints, Ints]:
    """Steps between places, given those east and north of each (-1: none).

    A diagonal only where two faces lead on; a knight's move only through the very faces that its straight line crosses.
    """
    places = np.arange(east.size)
    west, south = np.full(east.size, -1), np.full(east.size, -1)
    west[east[east >= 0]] = places[east >= 0]
    south[north[north >= 0]] = places[north >= 0]

    def then(first: Ints, *more: Ints) -> Ints:
        for second in more:
            first = np.where(first >= 0, second[first], -1)
        return first

    starts, ends = [], []
    for onward in (
        east,
        north,
        *(then(*faces) for side in (east, west) for faces in ((side, north), (north, side))),
        *(then(*faces) for side in (east, west) for faces in ((side, north, side), (north, side, north))),
    ):
        starts.append(places[onward >= 0])
        ends.append(onward[onward >= 0])
    return np.concatenate(starts), np.concatenate(ends)


def _shores(frame: Frame, edges: Edges, key: Ints, ground: Land, dry: Ints) -> tuple[Ints, Ints, Floats]:
    """Steps ashore: from a place on water to a dry centre near by, straight over land: (place, centre, metres)."""
    none = np.zeros(0, dtype=np.int64)
    if not edges.ax.size or not dry.size:
        return none, none, np.zeros(0)
    banks = lines(np.stack([edges.ax, edges.ay], axis=1), np.stack([edges.bx, edges.by], axis=1))
    xy = ground.network.xy[: dry.size]
    centre, bank = shapely.STRtree(banks).query(
        shapely.points(xy), predicate="dwithin", distance=ASHORE_CELLS * frame.size_x
    )
    metres = shapely.distance(shapely.points(xy[centre]), banks[bank])
    body = edges.owner[bank]
    order = np.lexsort((metres, body, centre))
    centre, bank, body, metres = centre[order], bank[order], body[order], metres[order]
    nearest = (np.diff(centre, prepend=-1) != 0) | (np.diff(body, prepend=-1) != 0)
    centre, bank, body, metres = centre[nearest], bank[nearest], body[nearest], metres[nearest]
    there = shapely.get_coordinates(shapely.shortest_line(banks[bank], shapely.points(xy[centre])))[0::2]
    cell = frame.cells(there[:, 0], there[:, 1])
    place = np.minimum(np.searchsorted(key, body * frame.count + cell), key.size - 1)
    good = (key[place] == body * frame.count + cell) & clear(ground.closed, there, xy[centre])
    return place[good], centre[good], np.maximum(metres[good], 1e-3)
