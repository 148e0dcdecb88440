"""Zones laid out in pixels band by band: the same arrays in one band or in many, for a fraction of the memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon

from geo.borders import distinct
from geo.grid import Cover, Layer
from geo.locate import Locator
from geo.painting import paint
from geo.pixels import Pixels
from geo.sets import Sets
from tests.made import district_layers, layer
from tests.points import of_every_kind

WHOLE = 1 << 40


def laid_out(layers: dict[str, Layer], long_side: int, at_once: int) -> tuple[Pixels, list[Sets]]:
    shapes = np.array([zone.geometry for one in layers.values() for zone in one.zones], dtype=object)
    of_layer = np.cumsum([0, *(len(one.zones) for one in layers.values())])
    sets = [Sets(len(one.zones), alone=one.cover is not Cover.OVERLAP) for one in layers.values()]
    return paint(shapes, of_layer, sets, long_side, at_once=at_once), sets


@pytest.mark.parametrize("at_once", [1, 1000, 20_000])
def test_bands_leave_no_trace(at_once: int) -> None:
    layers = {name: one for name, one in district_layers(cells=80).items() if one.cover is not Cover.OVERLAP}
    whole, _ = laid_out(layers, 600, WHOLE)
    banded, _ = laid_out(layers, 600, at_once)
    for name, part in whole._asdict().items():
        np.testing.assert_array_equal(getattr(banded, name), part, err_msg=name, strict=True)


corner = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda xy: (118 + xy[0] / 8, 31 + xy[1] / 8))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(corner, min_size=3, max_size=6, unique=True), min_size=1, max_size=5),
    st.integers(1, 300),
    st.integers(1, 3000),
    st.integers(0, 2**32 - 1),
)
def test_zones_that_overlap_are_the_same_in_bands(
    rings: list[list[tuple[float, float]]], long_side: int, at_once: int, seed: int
) -> None:
    """Sets of several zones may be numbered in another order; what is in them may not be another."""
    shapes: list[Polygon | MultiPolygon] = [shape for shape in map(Polygon, rings) if shape.is_valid]
    layers = {"over": layer("over", shapes, Cover.OVERLAP), "alone": layer("alone", shapes, Cover.DISJOINT)}
    points = of_every_kind(np.random.default_rng(seed), shapes or [shapely.box(118, 31, 119, 32)], 200)
    said = []
    for made in (laid_out(layers, long_side, WHOLE), laid_out(layers, long_side, at_once)):
        hits = Locator(layers, _made=made).at_many(points[:, 0], points[:, 1])
        said.append([[each.sets[number] for number in each.index.tolist()] for each in hits.values()])
    assert said[0] == said[1]


def test_painting_takes_no_more_than_a_few_bands_and_what_is_kept() -> None:
    layers = {"grid": district_layers()["grid"]}
    peaks = []
    for at_once in (1 << 12, WHOLE):
        tracemalloc.start()
        kept = laid_out(layers, 2048, at_once)[0].nbytes
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 6 * kept < peaks[1] / 2


def test_different_rows_are_told_apart_though_they_mix_to_one_value() -> None:
    first = np.random.default_rng(3).integers(0, 2**63, 500, dtype=np.uint64)
    mixed = first * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    rows = np.column_stack([first, mixed ^ np.uint64(12345)])  # all of one mixed value
    for some in (rows, np.concatenate([rows, rows[::-1], rows[:7]]), rows[:0], np.ones((9, 2), dtype=np.uint64)):
        place, which = distinct(some)
        np.testing.assert_array_equal(some[place][which], some)
        assert len({tuple(row) for row in some.tolist()}) == place.size
        assert (np.diff(place) > 0).all(), "in order of appearance"
