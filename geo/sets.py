"""Sets of zones of one layer, numbered, so that a point's answer in a layer is one integer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Sets:
    """The sets of zones met in one layer: 0 is the empty one, n + 1 the zone n alone, then those of several.

    Where zones exclude each other (`alone`), the union of two is the lower of the two, and there are no others.
    """

    def __init__(self, zones: int, *, alone: bool, several: Sequence[tuple[int, ...]] = ()) -> None:
        self.zones, self.alone = zones, alone
        self._several: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        for members in several:
            self.number(members)

    def __len__(self) -> int:
        return 1 + self.zones + len(self._several)

    @property
    def several(self) -> tuple[tuple[int, ...], ...]:
        """The members of the sets of more than one zone, in the order of their numbers."""
        return tuple(self._several)

    def members(self, number: int) -> tuple[int, ...]:
        """The zones of a set, ascending."""
        if number > self.zones:
            return self._several[number - 1 - self.zones]
        return (number - 1,) if number else ()

    def all(self) -> tuple[tuple[int, ...], ...]:
        """The members of every set, in the order of their numbers."""
        return ((), *((zone,) for zone in range(self.zones)), *self._several)

    def number(self, zones: Sequence[int]) -> int:
        """The number of the set of `zones` (ascending); of the lowest alone where they exclude each other."""
        if len(zones) < 2 or self.alone:
            return zones[0] + 1 if zones else 0
        members = tuple(zones)
        found = self._numbers.get(members)
        if found is None:
            found = self._numbers[members] = len(self)
            self._several.append(members)
        return found

    def join(self, a: Ints, b: Ints) -> Ints:
        """The union of set `a` and set `b`, elementwise."""
        if self.alone:
            low = np.minimum(a, b)
            return np.where(low == 0, np.maximum(a, b), low)
        joined = np.where(a == 0, b, a)
        both = np.flatnonzero((a != b) & (a != 0) & (b != 0))
        if both.size:
            wide = len(self)
            pairs, which = np.unique(a[both] * wide + b[both], return_inverse=True)
            members: Callable[[int], tuple[int, ...]] = self.members
            new = [self.number(sorted({*members(pair // wide), *members(pair % wide)})) for pair in pairs.tolist()]
            joined[both] = np.array(new, dtype=np.int64)[which]
        return joined

    def gather(self, place: Ints, zone: Ints, places: int) -> Ints:
        """For each of so many places the set of its zones; (place, zone) pairs, each once."""
        found = np.zeros(places, dtype=np.int64)
        if self.alone:
            most = np.int64(self.zones + 1)
            found[:] = most
            np.minimum.at(found, place, zone + 1)
            found[found == most] = 0
            return found
        order = np.lexsort((zone, place))
        place, zone = place[order], zone[order]
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        rank = np.arange(place.size) - np.repeat(starts, np.diff(np.append(starts, place.size)))
        for depth in range(int(rank.max(initial=-1)) + 1):
            here = rank == depth
            found[place[here]] = self.join(found[place[here]], zone[here] + 1)
        return found
