"""Places, the seconds between neighbouring ones, and the quickest ways over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from shapely.geometry.base import BaseGeometry

from geo.raster import Floats, Ints

Bools = NDArray[np.bool_]
Singles = NDArray[np.float32]
Labels = NDArray[np.int32]
Trees = NDArray[np.int32]

MOVES: Final = ((1, 0), (0, 1), (1, 1), (-1, 1), (2, 1), (1, 2), (-1, 2), (-2, 1))
"""The steps of one half of the plane, in cells (east, north): with those back, 16 directions.

Measured over them a way on open ground is at most 2.8 % longer than straight, 1.4 % at the average; over the eight
directions of the edges and corners alone it would be 8.2 % and 5.5 %.
"""


@dataclass(frozen=True, slots=True)
class Ways:
    """The quickest ways from each source to every place, (sources, places). Where there is none: infinite."""

    seconds: Floats
    metres: Floats
    walked_m: Floats
    """Of the metres those on foot."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way, with what lies beyond its last place."""

    seconds: float
    metres: float
    corners: Callable[[], Floats]
    """The places it leads over, (n, 2) metres: worked out only for who draws it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The ways from each base: to every cell (bases, cells), infinite where there is none; and what leads a search."""

    seconds: Singles
    metres: Singles
    marks: Singles
    """Seconds to every place of the network from where each base's units begin, (places, bases)."""


@dataclass(frozen=True, slots=True)
class Network:
    """Places (`xy`, metres) and the seconds of the steps between them, which are straight lines."""

    xy: Floats
    seconds: csr_array
    on_foot: Bools
    """Places that one is at on foot: a step from or to one of them is walked."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All it consists of, by name."""
        graph = self.seconds
        steps = {"data": graph.data, "indices": graph.indices, "indptr": graph.indptr}
        return {"xy": self.xy, "on_foot": self.on_foot, **steps}

    def corners(self, places: Ints) -> Floats:
        """Where these places are, (n, 2) metres."""
        return self.xy[places]

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]]) -> Network:
        """What `arrays` gave, none of them copied."""
        xy = arrays["xy"]
        graph = csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(len(xy), len(xy)))
        return cls(xy, graph, arrays["on_foot"])

    @classmethod
    def of(cls, xy: Floats, a: Ints, b: Ints, kmh: Floats) -> Network:
        """Steps both ways between `a` and `b`, of two places the quickest."""
        low, high = np.minimum(a, b), np.maximum(a, b)
        # The solver takes 0 for 'no step', so every step takes some time.
        seconds = np.maximum(np.hypot(*(xy[a] - xy[b]).T) / (kmh / 3.6), 1e-6)
        order = np.lexsort((seconds, high, low))
        low, high, seconds = low[order], high[order], seconds[order]
        keep = ((np.diff(low, prepend=-1) != 0) | (np.diff(high, prepend=-1) != 0)) & (low != high)
        low, high, seconds = low[keep], high[keep], seconds[keep]
        graph = matrix(len(xy), np.append(low, high), np.append(high, low), np.tile(seconds, 2))
        return cls(xy, graph, np.zeros(len(xy), dtype=bool))

    def reversed(self) -> Network:
        """The same with every step turned round."""
        return Network(self.xy, self.seconds.T.tocsr(), self.on_foot)

    def solve(self, sources: Ints) -> Ways:
        """The quickest ways from each of `sources`; -1 is a source from which nothing is reached."""
        shape = (sources.size, len(self.xy))
        ways = Ways(np.full(shape, np.inf), np.full(shape, np.inf), np.full(shape, np.inf))
        known, which = np.unique(sources[sources >= 0], return_inverse=True)
        if known.size:
            seconds, before = dijkstra(self.seconds, indices=known, return_predecessors=True)
            rows = np.flatnonzero(sources >= 0)
            ways.seconds[rows] = seconds[which]
            for number, tree in enumerate(before):
                metres, walked = self._lengths(int(known[number]), tree)
                ways.metres[rows[which == number]] = metres
                ways.walked_m[rows[which == number]] = walked
        return ways

    def _lengths(self, source: int, before: Trees) -> tuple[Floats, Floats]:
        """Metres, and those on foot, along a tree of predecessors, by doubling: each round looks twice as far back."""
        reached = before >= 0
        reached[source] = True
        back = np.where(before >= 0, before, np.arange(before.size))
        metres = np.hypot(*(self.xy - self.xy[back]).T)
        walked = np.where(self.on_foot | self.on_foot[back], metres, 0.0)
        some_walk = bool(self.on_foot.any())
        while not np.array_equal(back, farther := back[back]):
            metres += metres[back]
            if some_walk:
                walked += walked[back]
            back = farther
        return np.where(reached, metres, np.inf), np.where(reached, walked, np.inf)

    def along(self, places: Ints) -> tuple[float, float]:
        """Metres, and those on foot, of the way over `places`."""
        a, b = places[:-1], places[1:]
        metres = np.hypot(*(self.xy[a] - self.xy[b]).T)
        return float(metres.sum()), float(metres[self.on_foot[a] | self.on_foot[b]].sum())

    def parts(self) -> Labels:
        """The number of the connected part that each place is of."""
        if not len(self.xy):
            return np.zeros(0, dtype=np.int32)
        labels: Labels = connected_components(self.seconds, directed=False)[1]
        return labels


def matrix(size: int, starts: Ints, ends: Ints, weights: Floats) -> csr_array:
    """Steps as scipy's graph functions want them, their indices 32 bits wide: else each search copies them first."""
    steps = (starts.astype(np.int32), ends.astype(np.int32))
    return csr_array(coo_array((weights, steps), shape=(size, size)))


def lines(a: Floats, b: Floats) -> NDArray[np.object_]:
    """Straight lines from each of `a` to each of `b`, both (n, 2)."""
    return np.asarray(shapely.linestrings(np.stack([a, b], axis=1)), dtype=np.object_)


def clear(barrier: BaseGeometry, a: Floats, b: Floats) -> Bools:
    """Whether one gets straight from each of `a` to each of `b`, not meeting `barrier`."""
    return ~np.asarray(shapely.intersects(barrier, lines(a, b)), dtype=bool)
