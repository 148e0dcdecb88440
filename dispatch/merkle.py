"""Merkle trees as RFC 6962 (section 2.1) builds them: SHA-256, leaves and nodes told apart by their first byte.

The tree over n leaves splits at the largest power of two below n. Paired level by level, where the last of an odd
number goes up as it is, the same tree comes out: so it is kept here, and a changed leaf costs one path.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()
"""The root over nothing."""
SIZE: Final = 32
"""Bytes of a hash."""


def leaf_hash(content: bytes) -> bytes:
    """Of what stands in a leaf, 32 bytes."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of two hashes below it, 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Over leaf hashes in their order."""
    level = b"".join(leaves)
    while len(level) > SIZE:
        level = _above(level)
    return bytes(level) or EMPTY


def _above(level: bytes | bytearray) -> bytes:
    """The whole level over another; `node_hash` of each pair, without its call."""
    whole = len(level) // (2 * SIZE) * (2 * SIZE)
    pairs = [sha256(b"\x01" + level[at : at + 2 * SIZE]).digest() for at in range(0, whole, 2 * SIZE)]
    return b"".join(pairs) + level[whole:]


class Tree:
    """Leaves by key, in the order of the keys, with every level kept: for roots after changes, and for proofs."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._levels: list[bytearray] = [bytearray()]
        """A hash after the other; the first are the leaves."""

    def __len__(self) -> int:
        return len(self._keys)

    def update(self, leaves: Iterable[tuple[str, bytes]]) -> bytes:
        """Put leaf hashes in, new ones or in place of those of their keys; the root after that."""
        given = dict(leaves)
        changed = {place for key in given if (place := self.place(key)) is not None}
        for place in changed:
            _put(self._levels[0], place, given[self._keys[place]])
        if added := sorted(given.keys() - {self._keys[place] for place in changed}):
            # What comes before the first new one stays where it is; new ones come last in nearly every case.
            first = bisect_left(self._keys, added[0])
            moved = {key: _at(self._levels[0], first + n) for n, key in enumerate(self._keys[first:])}
            moved |= {key: given[key] for key in added}
            self._keys[first:] = sorted(moved)
            self._levels[0][first * SIZE :] = b"".join(moved[key] for key in self._keys[first:])
            changed |= set(range(first, len(self._keys)))
        self._rise(changed)
        return _at(self._levels[-1], 0) if self._keys else EMPTY

    def place(self, key: str) -> int | None:
        """Where a key's leaf stands, from 0; None when there is none."""
        place = bisect_left(self._keys, key)
        return place if place < len(self._keys) and self._keys[place] == key else None

    def path(self, place: int) -> list[bytes]:
        """The audit path of the leaf at `place`, from below (RFC 6962, section 2.1.1)."""
        path = []
        for level in self._levels[:-1]:
            if (beside := place ^ 1) < len(level) // SIZE:
                path.append(_at(level, beside))
            place //= 2
        return path

    def _rise(self, changed: set[int]) -> None:
        """Work out again what stands above the leaves at these places."""
        height = 0
        while (count := len(self._levels[height]) // SIZE) > 1:
            below = self._levels[height]
            if height + 1 == len(self._levels):
                self._levels.append(bytearray())
                changed = set(range(count))  # of a level that was not there nothing is known
            above = self._levels[height + 1]
            above.extend(bytes(SIZE * ((count + 1) // 2) - len(above)))
            whole = 2 * len(changed) > count  # sooner than one by one
            changed = {place // 2 for place in changed}
            if whole:
                above[:] = _above(below)
            else:
                for place in changed:
                    left = _at(below, 2 * place)
                    alone = 2 * place + 1 == count
                    _put(above, place, left if alone else node_hash(left, _at(below, 2 * place + 1)))
            height += 1


def root_of_path(leaf: bytes, place: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf and its audit path lead to (RFC 9162, section 2.1.3.2); None when they cannot belong."""
    if not 0 <= place < size:
        return None
    here, last, top = place, size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if here % 2 or here == last:
            top = node_hash(beside, top)
            while here % 2 == 0 and here:
                here, last = here // 2, last // 2
        else:
            top = node_hash(top, beside)
        here, last = here // 2, last // 2
    return top if last == 0 else None


def _at(level: bytearray, place: int) -> bytes:
    return bytes(level[SIZE * place : SIZE * place + SIZE])


def _put(level: bytearray, place: int, value: bytes) -> None:
    level[SIZE * place : SIZE * place + SIZE] = value
