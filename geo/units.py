"""Where the units are now: their last known positions in R-trees, in metres of the district's metric CRS.

One tree for each group of units that are asked for together (of one team, by one mode), so that the many of other teams
are not waded through; who of a group is wanted (free, on shift) is asked of each in turn, the nearest first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rtree.index import Index, Property

from geo.metres import into

# Small leaves: a moving unit is taken out and put in again, and both look through a leaf. With the library's own 100 a
# move takes ten times as long.
_TREE: Final[Mapping[str, Any]] = {
    "dimension": 2,
    "leaf_capacity": 16,
    "index_capacity": 8,
    "near_minimum_overlap_factor": 4,
}
SLACK_M: Final = 200.0
"""A unit stands in the tree with so much room on each side; while it stays in it, the tree is left alone."""
_ROUNDING_M: Final = 1e-3
"""Far more than doubles lose in a distance within a district."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A unit's last known position (WGS 84 degrees) and when it was there."""

    code: str
    lon: float
    lat: float
    at: datetime


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    x: float
    y: float
    middle: tuple[float, float]
    """Of the box in the tree."""
    fix: Fix
    group: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        x, y = self.middle
        return x - SLACK_M, y - SLACK_M, x + SLACK_M, y + SLACK_M

    def boxed(self, x: float, y: float) -> bool:
        return abs(x - self.middle[0]) <= SLACK_M and abs(y - self.middle[1]) <= SLACK_M

    def off(self, x: float, y: float) -> float:
        return math.hypot(self.x - x, self.y - y)

    def box_off(self, x: float, y: float) -> float:
        """At least so far it is, by its box alone."""
        east, north = abs(x - self.middle[0]) - SLACK_M, abs(y - self.middle[1]) - SLACK_M
        # By max() it took four times as long, for each unit that a query looks at.
        return math.hypot(east if east > 0.0 else 0.0, north if north > 0.0 else 0.0)  # noqa: FURB136


def placeable(metric_crs: str, lon: float, lat: float) -> bool:
    """Whether a position (WGS 84 degrees) has a place in a metric CRS: far from where that is for, it may have none."""
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        return False
    x, y = into(metric_crs).transform(lon, lat)
    return math.isfinite(x) and math.isfinite(y)


class _Tree:
    """An R-tree whose members count themselves; the library's own count is wrong after removals."""

    def __init__(self) -> None:
        self.index = Index(properties=Property(**_TREE))
        self.size = 0

    def put(self, entry: _Entry) -> None:
        self.index.insert(entry.number, entry.box)
        self.size += 1

    def take(self, entry: _Entry) -> None:
        self.index.delete(entry.number, entry.box)
        self.size -= 1


class Units:
    """Live positions of units. Can be rebuilt from the database at any time; not for several threads at once."""

    def __init__(self, metric_crs: str) -> None:
        """`metric_crs`: the district's, in which distances are measured."""
        self._to_metres = into(metric_crs)
        self._trees: dict[str, _Tree] = {}
        self._entries: dict[str, _Entry] = {}
        self._codes: dict[int, str] = {}
        self._next = 0

    def __len__(self) -> int:
        """Number of units whose position is known."""
        return len(self._entries)

    def get(self, code: str) -> Fix | None:
        """The last known position of a unit."""
        entry = self._entries.get(code)
        return None if entry is None else entry.fix

    def move(self, code: str, lon: float, lat: float, at: datetime, group: str = "") -> bool:
        """Note where a unit was at a time; False, and nothing changes, if a later position is known.

        Positions come late and out of order where there is little signal. `group` is what `near` may be asked for.
        ValueError for a position that is none.
        """
        x, y = self._metres(lon, lat)
        known = self._entries.get(code)
        if known is not None and at < known.fix.at:
            return False
        fix = Fix(code, lon, lat, at)
        if known is not None and known.group == group and known.boxed(x, y):
            self._entries[code] = _Entry(known.number, x, y, known.middle, fix, group)
            return True
        self.remove(code)
        entry = _Entry(self._next, x, y, (x, y), fix, group)
        self._next += 1
        self._trees.setdefault(group, _Tree()).put(entry)
        self._entries[code] = entry
        self._codes[entry.number] = code
        return True

    def remove(self, code: str) -> bool:
        """Forget a unit; False if it was not known."""
        entry = self._entries.pop(code, None)
        if entry is None:
            return False
        del self._codes[entry.number]
        self._trees[entry.group].take(entry)
        return True

    def expire(self, before: datetime) -> list[str]:
        """Forget every unit not heard of since `before`; their codes, ascending."""
        old = sorted(code for code, entry in self._entries.items() if entry.fix.at < before)
        for code in old:
            self.remove(code)
        return old

    def near(
        self,
        lon: float,
        lat: float,
        k: int,
        accept: Callable[[str], bool] = lambda _: True,
        groups: Iterable[str] | None = None,
    ) -> list[tuple[str, float]]:
        """The `k` nearest units that `accept` takes, with their metres; nearest first, of equals the lowest code.

        Straight lines on the metric plane. `groups`: only of these; None: of all. Raises ValueError for a position
        that is none.
        """
        x, y = self._metres(lon, lat)
        found: list[tuple[str, float]] = []
        for group in self._trees if groups is None else dict.fromkeys(groups):
            if tree := self._trees.get(group):
                found += self._nearest(tree, x, y, k, accept)
        return sorted(found, key=lambda one: (one[1], one[0]))[:k]

    def _nearest(
        self, tree: _Tree, x: float, y: float, k: int, accept: Callable[[str], bool]
    ) -> list[tuple[str, float]]:
        """The `k` nearest of one tree, and perhaps more.

        The tree knows boxes only, nearest first. Once the k-th taken is nearer than the last box, nobody beyond can be.
        """
        asked = max(3 * k, 8)
        while k > 0 and tree.size:
            # The tree counts all that are as far as the last one in, so nobody who ties is left out.
            found = [self._entries[self._codes[number]] for number in tree.index.nearest((x, y, x, y), asked)]
            taken = sorted((entry.off(x, y), entry.fix.code) for entry in found if accept(entry.fix.code))
            reach = max(entry.box_off(x, y) for entry in found) - _ROUNDING_M
            if len(found) >= tree.size or (len(taken) >= k and taken[k - 1][0] <= reach):
                return [(code, metres) for metres, code in taken]
            asked *= 3
        return []

    def _metres(self, lon: float, lat: float) -> tuple[float, float]:
        x, y = self._to_metres.transform(lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else (math.inf, math.inf)
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"no position in the district's coordinates: {lon}, {lat}")
        return x, y
