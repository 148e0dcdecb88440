"""Merkle trees against RFC 6962 as it is written, and its published test vectors."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from dispatch.merkle import EMPTY, Tree, leaf_hash, root, root_of_path

RFC_LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes.fromhex("606162636465666768696a6b6c6d6e6f")
]
RFC_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""Of the reference implementation of certificate transparency."""


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


def path_by_definition(place: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) word for word."""
    if len(leaves) < 2:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if place < split:
        return [*path_by_definition(place, leaves[:split]), by_definition(leaves[split:])]
    return [*path_by_definition(place - split, leaves[split:]), by_definition(leaves[:split])]


def test_the_published_vectors() -> None:
    for count, expected in RFC_ROOTS.items():
        assert root(map(leaf_hash, RFC_LEAVES[:count])).hex() == expected
    assert root([]) == EMPTY == Tree().update([])


@given(st.integers(0, 70))
def test_the_streamed_root_is_the_definitions(count: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(count)]
    assert root(leaves) == by_definition(leaves)


@given(st.lists(st.dictionaries(st.integers(0, 60), st.integers(0, 3), max_size=25), max_size=8))
def test_a_tree_that_changes_is_one_that_is_made_anew(batches: list[dict[int, int]]) -> None:
    tree, all_of_it = Tree(), dict[str, bytes]()
    for batch in batches:
        leaves = {f"{key:03d}": leaf_hash(b"%d %d" % item) for key, item in zip(batch, batch.items(), strict=True)}
        all_of_it |= leaves
        ordered = [all_of_it[key] for key in sorted(all_of_it)]
        assert tree.update(leaves.items()) == by_definition(ordered)
        assert len(tree) == len(ordered)
        for place, key in enumerate(sorted(all_of_it)):
            assert tree.place(key) == place
            assert tree.path(place) == path_by_definition(place, ordered)
    assert tree.place("x") is None


@given(st.integers(1, 40), st.data())
def test_a_path_proves_its_leaf_and_no_other(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    tree = Tree()
    top = tree.update((f"{number:02d}", leaf) for number, leaf in enumerate(leaves))
    place = data.draw(st.integers(0, size - 1))
    path = tree.path(place)
    assert root_of_path(leaves[place], place, size, path) == top
    assert root_of_path(leaf_hash(b"else"), place, size, path) != top
    other = data.draw(st.integers(-1, size))
    if other != place:
        assert root_of_path(leaves[place], other, size, path) != top
    assert root_of_path(leaves[place], place, size, [*path, top]) != top
    if path:
        assert root_of_path(leaves[place], place, size, path[:-1]) != top
