"""Ways by gates against networkx, on made networks; and on the sample district against scipy."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from geo.driving import Land
from geo.entries import explored
from geo.gates import Gates
from geo.network import Network
from tests.sample import ground

FIELD_MS = 1.4
SIDE = 7
place = st.integers(0, SIDE * SIDE - 1)


def made(
    roads: list[tuple[int, int, float]], gaps: set[tuple[int, int]], bent: list[tuple[float, float]]
) -> tuple[Network, nx.Graph]:
    """A square of places with fields between neighbours but for the gaps, and roads between any two."""
    xy = np.array([(100.0 * (n % SIDE), 100.0 * (n // SIDE)) for n in range(SIDE * SIDE)]) + np.resize(
        bent, (SIDE**2, 2)
    )
    steps = [
        (a, a + dx + SIDE * dy, FIELD_MS)
        for a in range(SIDE * SIDE)
        for dx, dy in ((1, 0), (0, 1), (1, 1), (-1, 1), (2, 1), (1, 2))
        if 0 <= a % SIDE + dx < SIDE and a // SIDE + dy < SIDE and (a, a + dx + SIDE * dy) not in gaps
    ]
    steps += [(a, b, ms) for a, b, ms in roads if a != b]
    a, b, ms = (np.array(one) for one in zip(*steps, strict=True))
    network = Network.of(xy, a, b, ms * 3.6)
    slow = nx.Graph()
    slow.add_nodes_from(range(SIDE * SIDE))
    found = network.seconds.tocoo()
    for one, other, seconds in zip(found.row.tolist(), found.col.tolist(), found.data.tolist(), strict=True):
        slow.add_edge(one, other, weight=seconds, metres=math.dist(xy[one], xy[other]))
    return network, slow


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(place, place, st.sampled_from([0.9, 1.4, 2.0, 8.0, 14.0])), max_size=25),
    st.sets(st.tuples(place, place), max_size=40),
    st.lists(st.tuples(st.floats(-40, 40), st.floats(-40, 40)), min_size=1, max_size=50),
    place,
    st.lists(place, min_size=1, max_size=6),
    st.booleans(),
)
def test_every_way_is_the_quickest(
    roads: list[tuple[int, int, float]],
    gaps: set[tuple[int, int]],
    bent: list[tuple[float, float]],
    root: int,
    goals: list[int],
    parted: bool,
) -> None:
    if parted:  # by a river without a bridge, but for what roads there are
        gaps = {(a, b) for a in range(SIDE**2) for b in range(SIDE**2) if a // SIDE <= 2 < b // SIDE}
    network, slow = made(roads, gaps, bent)
    gates = Gates.of(network, FIELD_MS)
    expected, ways = nx.single_source_dijkstra(slow, root)
    before, _ = nx.dijkstra_predecessor_and_distance(slow, root)
    for _ in range(2):  # what a question leaves behind does not change the next answer
        seconds, metres = gates.reached(root, np.array(goals))
        for goal, took, far in zip(goals, seconds.tolist(), metres.tolist(), strict=True):
            if goal not in expected:
                assert math.isinf(took)
                assert math.isinf(far)
                continue
            assert took == pytest.approx(expected[goal], abs=1e-6)
            assert far >= math.dist(network.xy[root], network.xy[goal]) - 1e-6
            if all(len(before[one]) == 1 for one in ways[goal][1:]):  # no other way is as quick
                assert far == pytest.approx(nx.path_weight(slow, ways[goal], "metres"), rel=1e-4, abs=1e-3)


def driving() -> Land:
    reach = ground().travel.modes["vehicle"].reach
    assert isinstance(reach, Land)
    return reach


def test_on_the_district_it_says_what_a_full_search_says() -> None:
    reach = driving()
    xy, rng = reach.network.xy, np.random.default_rng(7)
    held = np.unique(reach.place[reach.place >= 0])
    for root in rng.choice(held, 12).tolist():
        nearest = held[np.argsort(np.hypot(*(xy[held] - xy[root]).T))[:60]]
        goals = np.concatenate([nearest, nearest[:3], rng.choice(held, 40)])
        full = dijkstra(reach.network.seconds, indices=root)[goals]
        seconds, metres = reach.gates.reached(root, goals)
        np.testing.assert_allclose(seconds, full, atol=1e-6)
        joined = np.isfinite(full)
        assert (metres[joined] >= np.hypot(*(xy[goals[joined]] - xy[root]).T) - 1e-6).all()


def test_the_drawn_way_is_the_way_that_is_told() -> None:
    """One comes from the gates, the other from a search over all places."""
    travel, rng = ground().travel, np.random.default_rng(8)
    reach = driving()
    cells = rng.choice(np.flatnonzero(reach.place >= 0), 30)
    x, y = reach.frame.centres()[cells].T
    lon, lat = travel._to_metres.transform(x, y, direction="INVERSE")
    for a, b in zip(range(15), range(15, 30), strict=True):
        way = travel.way("vehicle", (lon[a], lat[a]), lon[b], lat[b])
        leg = travel.legs("vehicle", {"u": (lon[a], lat[a])}, lon[b], lat[b])["u"]
        assert (way is None) == (leg is None)
        if way is not None:
            assert way.leg == leg
            east, north = travel._to_metres.transform(*way.lonlat.T)
            drawn = np.hypot(np.diff(east), np.diff(north)).sum()
            assert drawn == pytest.approx(way.leg.metres, abs=300), "but for its two ends and what bends little"


def test_several_threads_may_ask_at_once() -> None:
    reach = driving()
    held = np.unique(reach.place[reach.place >= 0])
    rng = np.random.default_rng(9)
    asked = [(int(rng.choice(held)), rng.choice(held, 10)) for _ in range(60)]
    alone = [reach.gates.reached(*one)[0] for one in asked]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: reach.gates.reached(*one)[0], asked * 4))
    np.testing.assert_array_equal(together, alone * 4)


def test_where_there_is_no_room_more_is_made() -> None:
    network, _ = made([(0, 8, 10.0), (8, 40, 10.0), (40, 44, 10.0), (44, 6, 10.0), (6, 20, 10.0)], set(), [(0.0, 0.0)])
    gates = Gates.of(network, FIELD_MS)
    places = np.flatnonzero(gates.access.gate >= 0)
    graph, _ = gates._given
    near = np.zeros(len(network.xy), np.int32), np.full(len(network.xy), np.inf)
    little, much = (
        explored(graph, FIELD_MS, gates.access.gate, places, np.arange(places.size), *near, room=room)
        for room in (1, 64)
    )
    assert len(much[0][0]) > len(network.xy), "or the room was enough"
    for few, many in zip((*little[0], *little[1]), (*much[0], *much[1]), strict=True):
        np.testing.assert_array_equal(few, many)


def test_without_roads_there_are_no_gates() -> None:
    network, slow = made([], set(), [(0.0, 0.0)])
    gates = Gates.of(network, FIELD_MS)
    assert (gates.access.gate == -1).all()
    seconds, _ = gates.reached(3, np.arange(SIDE * SIDE))
    expected = nx.single_source_dijkstra_path_length(slow, 3)
    np.testing.assert_allclose(seconds, [expected[goal] for goal in range(SIDE * SIDE)], atol=1e-6)
