"""The compiled search against networkx, on made networks; and on the sample district against scipy."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from geo.network import Network, matrix
from geo.search import quickest
from tests.sample import ground

PLACES = 14
place = st.integers(0, PLACES - 1)
steps = st.dictionaries(st.tuples(place, place), st.floats(0.01, 1000), max_size=60)


def network(seconds: dict[tuple[int, int], float]) -> Network:
    known = [(a, b, s) for (a, b), s in seconds.items() if a != b]
    starts, ends, weights = (np.array(one) for one in zip(*known, strict=True)) if known else (np.zeros(0, int),) * 3
    graph = matrix(PLACES, starts, ends, weights.astype(np.float64))
    return Network(np.zeros((PLACES, 2)), graph, np.zeros(PLACES, dtype=bool))


@settings(deadline=None, max_examples=150)
@given(steps, st.lists(place, max_size=3), place, st.lists(place, min_size=1, max_size=4), st.booleans())
def test_every_way_is_the_quickest(
    seconds: dict[tuple[int, int], float], bases: list[int], root: int, goals: list[int], both_ways: bool
) -> None:
    if both_ways:
        seconds = {(a, b): s for (c, d), s in sorted(seconds.items()) for a, b in ((c, d), (d, c))}
    onward = network(seconds)
    slow = nx.DiGraph([(a, b, {"weight": s}) for (a, b), s in seconds.items() if a != b])
    slow.add_nodes_from(range(PLACES))
    marks = np.full((len(bases), PLACES), np.inf, dtype=np.float32)
    for row, base in enumerate(bases):
        for there, found in nx.single_source_dijkstra_path_length(slow, base).items():
            marks[row, there] = found
    found_ways = quickest(onward.reversed(), marks.T.copy(), PLACES if both_ways else 0, root, goals)
    to_root = nx.single_source_dijkstra_path_length(slow.reverse(), root)
    for goal, found in zip(goals, found_ways, strict=True):
        if goal not in to_root:
            assert found is None
            continue
        assert found is not None
        took, places = found
        assert took == pytest.approx(to_root[goal], abs=1e-6)
        assert (places[0], places[-1]) == (goal, root)
        along = sum(slow.edges[a, b]["weight"] for a, b in itertools.pairwise(places.tolist()))
        assert along == pytest.approx(took, abs=1e-6)


def test_on_the_district_it_says_what_a_full_search_says() -> None:
    mode = ground().travel.modes["vehicle"]
    onward = mode.reach.network  # type: ignore[union-attr]
    rng = np.random.default_rng(7)
    count = len(onward.xy)
    for root in rng.integers(0, count, 4).tolist():
        goals = rng.integers(0, count, 6).tolist()
        full = dijkstra(onward.seconds, indices=root)
        for goal, found in zip(goals, quickest(onward, mode.marks, count, root, goals), strict=True):
            assert (found is None) == np.isinf(full[goal])
            assert found is None or found[0] == pytest.approx(full[goal], abs=1e-6)
