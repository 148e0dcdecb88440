"""Where one can sail, and how far a crew walks from its boat.

A boat passes from one cell into the next only where the face between them lies in water, so it follows a river much
narrower than a cell; and a place is one water in one cell, so two waters with a dyke between stay two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry

from geo.driving import SHORE_M, Footing
from geo.network import Labels, Network, Route, Singles, Spread, Ways, clear, lines, matrix
from geo.raster import Edges, Floats, Frame, Ints, inside, runs, touched

Numbers = TypeVar("Numbers", float, Floats)

WALK_LIMIT_M = 1500.0
"""No crew walks farther from its boat."""
WALKED_AT_MOST_M = WALK_LIMIT_M + 0.001
"""A millimetre more: over cells a walk often comes to the very limit, and one sum is rounded otherwise than another."""
BERTH_M = 300.0
"""A boat lies on the largest water this near its base; failing that on the nearest within `WALK_LIMIT_M`."""
ASHORE_CELLS = 1.5
"""A crew lands where a dry centre is this near."""


@dataclass(frozen=True)
class Water:
    """Sailing, and walking from the boat. The places on water come first in the network, then dry centres."""

    frame: Frame
    network: Network
    """With steps ashore, and none back on board."""
    back: Network
    """The same with every step turned round."""
    cell: Ints
    """Of each place of the network."""
    part: Labels
    """Of each place on water: those connected for a boat bear one number."""
    kmh: float
    """Afloat."""
    off_kmh: float
    """The speed off the network: on foot."""

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
        x, y = float(xy[0]), float(xy[1])
        cell, frame = self.frame.cell(x, y), self.frame
        if cell >= 0 and self._first[cell] >= 0:
            return int(self._first[cell]), 0.0
        if not (np.isfinite(x) and np.isfinite(y)):
            return -1, 0.0
        (west, east), (south, north) = (
            (max(0, int((at - start - WALK_LIMIT_M) // size)), max(0, int((at - start + WALK_LIMIT_M) // size) + 1))
            for at, start, size in ((x, frame.west, frame.size_x), (y, frame.south, frame.size_y))
        )
        # All places on water of one cell lie in its middle.
        near = self._first.reshape(frame.rows, frame.columns)[south:north, west:east]
        near = near[near >= 0]
        off_x, off_y = self.network.xy[near, 0] - x, self.network.xy[near, 1] - y
        metres = np.sqrt(off_x * off_x + off_y * off_y)
        least = metres.min(initial=np.inf)
        return (int(near[metres == least].min()), float(least)) if least <= WALK_LIMIT_M else (-1, 0.0)

    @cached_property
    def _first(self) -> Ints:
        """Of each cell the first place on water in it, or -1."""
        first = np.full(self.frame.count, -1)
        size = self.part.size
        first[self.cell[:size][::-1]] = np.arange(size)[::-1]
        return first

    def _off(self, xy: Floats) -> Floats:
        east, north = (self.network.xy[: self.part.size] - xy).T
        metres: Floats = np.sqrt(east * east + north * north)
        metres[self.cell[: metres.size] == self.frame.cells(xy[:1], xy[1:])[0]] = 0.0
        return metres

    def spread(self, starts: Ints, offs_m: Floats) -> Spread:
        """From each start (a place, and the walk to it) to every cell."""
        out_s = np.full((starts.size, self.frame.count), np.inf, dtype=np.float32)
        out_m = out_s.copy()
        ways = self.network.solve(starts)
        marks = ways.seconds.T.astype(np.float32, order="C")
        if not self.cell.size:
            return Spread(out_s, out_m, marks)
        seconds, metres = self._on_foot_at_most(starts, ways)
        seconds += offs_m[:, None] / (self.off_kmh / 3.6)
        metres += offs_m[:, None]
        # Of a cell's places the one that is reached soonest, for each start.
        order = np.argsort(self.cell, kind="stable")
        cells, first = np.unique(self.cell[order], return_index=True)
        turns = np.diff(np.append(first, order.size))
        for row in range(starts.size):
            soonest = order[first].copy()
            for turn in range(1, int(turns.max())):
                more = np.flatnonzero(turns > turn)
                rival = order[first[more] + turn]
                better = seconds[row, rival] < seconds[row, soonest[more]]
                soonest[more[better]] = rival[better]
            out_s[row, cells] = seconds[row, soonest]
            out_m[row, cells] = metres[row, soonest]
        return Spread(out_s, out_m, marks)

    def _on_foot_at_most(self, starts: Ints, ways: Ways) -> tuple[Floats, Floats]:
        """The quickest ways, but where they lead too far on foot, the way by the landing that is nearest on foot."""
        seconds, metres = ways.seconds, ways.metres
        parts = np.where(starts >= 0, self.part[starts], -1)
        for part in np.unique(parts[parts >= 0]).tolist():
            walk_s, _, landing = self._walks(part)
            on_foot = np.flatnonzero(np.isfinite(walk_s))
            landed, walk_s = landing[on_foot], walk_s[on_foot]
            for row in np.flatnonzero(parts == part).tolist():
                far = self._on_foot_s(seconds[row], metres[row], ways.walked_m[row]) > self._limit_s
                far_s, far_m = np.full(far.size, np.inf), np.full(far.size, np.inf)
                far_s[on_foot] = seconds[row, landed] + walk_s
                far_m[on_foot] = metres[row, landed] + walk_s * (self.off_kmh / 3.6)
                seconds[row] = np.where(far, far_s, seconds[row])
                metres[row] = np.where(far, far_m, metres[row])
        return seconds, metres

    def _on_foot_s(self, seconds: Numbers, metres: Numbers, walked_m: Numbers) -> Numbers:
        """What of a way's seconds is walked; no number where there is no way.

        Not from the metres walked: those begin in the middle of the cell that one lands from, the walk at its bank.
        """
        with np.errstate(invalid="ignore"):
            return seconds - (metres - walked_m) / (self.kmh / 3.6)

    @property
    def _limit_s(self) -> float:
        return WALKED_AT_MOST_M / (self.off_kmh / 3.6)

    def _walks(self, part: int) -> tuple[Floats, Labels, Labels]:
        """Ashore from a part, within the limit: seconds on foot, the place before, the nearest landing, of each place.

        No step leads back on board, so only walks count; on the part's own water they are 0.
        """
        seconds, before, landing = dijkstra(
            self.network.seconds,
            indices=np.flatnonzero(self.part == part),
            min_only=True,
            return_predecessors=True,
            limit=self._limit_s,
        )
        return seconds, before, landing

    def routes(self, starts: Ints, cell: int, marks: Singles) -> list[Route | None]:
        """The way from each start (a place on water, or -1) to a cell; `marks`: those of `spread`."""
        out: list[Route | None] = [None] * starts.size
        for end in np.flatnonzero(self.cell == cell).tolist():
            for number, found in self._routes(starts, end, marks):
                best = out[number]
                if best is None or found.seconds < best.seconds:
                    out[number] = found
        return out

    def _routes(self, starts: Ints, end: int, marks: Singles) -> Iterator[tuple[int, Route]]:
        """(which start, its way) to a place, of those that have one."""
        from geo.search import ashore, quickest  # noqa: PLC0415  (numba: only for who asks for a way)

        graph, afloat = self.back.seconds, self.part.size
        landings = (
            [end] if end < afloat else ashore(graph.indptr, graph.indices, graph.data, afloat, end, self._limit_s)
        )
        joined = set(self.part[landings].tolist())
        parts = np.where(starts >= 0, self.part[starts], -1)
        for part in np.unique(parts[parts >= 0]).tolist():
            numbers = np.flatnonzero(parts == part).tolist()
            if part not in joined:
                continue
            ways = quickest(self.back, marks, self.part.size, end, starts[numbers].tolist())
            far = []
            for number, found in zip(numbers, ways, strict=True):
                if found is None:
                    continue
                seconds, places = found
                metres, walked = self.back.along(places)
                if self._on_foot_s(seconds, metres, walked) <= self._limit_s:
                    yield number, Route(seconds, metres, partial(self.network.corners, places))
                else:
                    far.append(number)
            if far:
                yield from self._by_the_nearest_landing(part, starts, far, end, marks)

    def _by_the_nearest_landing(
        self, part: int, starts: Ints, numbers: Sequence[int], end: int, marks: Singles
    ) -> Iterator[tuple[int, Route]]:
        """As `_routes`, for starts of one part, with the shortest walk."""
        from geo.search import back, quickest  # noqa: PLC0415

        walk_s, walk, landing = self._walks(part)
        if not np.isfinite(walk_s[end]):
            return
        on_foot, on_foot_s = back(walk, end)[-2::-1], float(walk_s[end])
        wanted = starts[list(numbers)].tolist()
        sailed = quickest(self.back, marks, self.part.size, int(landing[end]), wanted)
        for number, found in zip(numbers, sailed, strict=True):
            if found is not None:
                seconds, places = found
                metres = self.back.along(places)[0] + on_foot_s * (self.off_kmh / 3.6)
                corners = partial(self.network.corners, np.concatenate([places, on_foot]))
                yield number, Route(seconds + on_foot_s, metres, corners)


def sailing(frame: Frame, water: BaseGeometry, ground: Footing, boat_kmh: float, foot_kmh: float) -> Water:
    """The network of a boat and its crew; `water` in metres."""
    bodies = shapely.get_parts(water.buffer(SHORE_M, quad_segs=2))
    shapely.prepare(bodies)
    edges = Edges.of(bodies.tolist())
    afloat, key = _afloat(frame, bodies, edges, boat_kmh)
    size, dry = key.size, ground.cell
    from_place, to_centre, ashore_m = _shores(frame, edges, key, ground)
    a, b = ground.steps
    walk_m = np.hypot(*(ground.xy[a] - ground.xy[b]).T)
    starts = np.concatenate([a + size, b + size, from_place])
    ends = np.concatenate([b + size, a + size, to_centre + size])
    metres = np.concatenate([walk_m, walk_m, ashore_m])
    on_foot_m = np.full(size + dry.size, np.inf)
    if size:
        on_foot = matrix(size + dry.size, starts, ends, metres)
        on_foot_m = dijkstra(on_foot, indices=np.arange(size), min_only=True, limit=WALKED_AT_MOST_M)
    kept = np.flatnonzero(np.isfinite(on_foot_m))
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
    network = Network(np.concatenate([afloat.xy, ground.xy])[kept], graph, np.arange(kept.size) >= size)
    return Water(
        frame=frame,
        network=network,
        back=network.reversed(),
        cell=np.concatenate([key % frame.count, dry])[kept],
        part=afloat.parts(),
        kmh=boat_kmh,
        off_kmh=foot_kmh,
    )


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


def _shores(frame: Frame, edges: Edges, key: Ints, ground: Footing) -> tuple[Ints, Ints, Floats]:
    """Steps ashore: from a place on water to a dry centre near by, straight over land: (place, centre, metres)."""
    none = np.zeros(0, dtype=np.int64)
    if not edges.ax.size or not ground.cell.size:
        return none, none, np.zeros(0)
    banks = lines(np.stack([edges.ax, edges.ay], axis=1), np.stack([edges.bx, edges.by], axis=1))
    xy = ground.xy
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
