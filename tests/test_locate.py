"""The locator against shapely, on points made to break it; nearest zones; snapping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Geod
from shapely import Polygon

from dispatch.district import load
from geo.grid import Cover, Layer
from geo.locate import Hits, Locator
from tests.made import district_layers, layer
from tests.points import ODD, of_every_kind, uniform

DISTRICTS = sorted(Path(__file__).parents[1].joinpath("data/grids").iterdir())


@pytest.fixture(scope="module")
def layers() -> dict[str, Layer]:
    return district_layers()


@pytest.fixture(scope="module")
def locator(layers: dict[str, Layer]) -> Locator:
    return Locator(layers)


def truth(one: Layer, points: NDArray[np.float64]) -> list[tuple[int, ...]]:
    """The zones of each point by shapely's own tree and predicate."""
    found: list[list[int]] = [[] for _ in points]
    if one.zones:
        tree = shapely.STRtree([zone.geometry for zone in one.zones])
        for point, zone in tree.query(shapely.points(points), predicate="intersects").T.tolist():
            found[point].append(zone)
    return [tuple(sorted(zones)[: None if one.cover is Cover.OVERLAP else 1]) for zones in found]


def said(hits: Hits) -> list[tuple[int, ...]]:
    return [hits.sets[number] for number in hits.index.tolist()]


def test_agrees_with_shapely_on_every_kind_of_point(layers: dict[str, Layer], locator: Locator) -> None:
    rng = np.random.default_rng(7)
    shapes = [zone.geometry for one in layers.values() for zone in one.zones]
    points = of_every_kind(rng, shapes, 120_000)
    assert len(points) >= 120_000
    many = locator.at_many(points[:, 0], points[:, 1])
    assert list(many) == list(layers)
    shared = 0
    for name, one in layers.items():
        expected, got = truth(one, points), said(many[name])
        wrong = [i for i in range(len(points)) if expected[i] != got[i]]
        assert not wrong, f"{name}: {len(wrong)} differ, first {points[wrong[0]].tolist()}"
        shared += sum(map(bool, expected))
    assert shared > 200_000, "most points should hit something"
    single = [locator.at(x, y) for x, y in points[:20_000].tolist()]
    for name, one in layers.items():
        assert [tuple(zone.code for zone in each[name]) for each in single] == [
            tuple(one.zones[number].code for number in numbers) for numbers in said(many[name])[:20_000]
        ]


@pytest.mark.parametrize("long_side", [1, 2, 7, 100])
def test_pixels_of_any_size_give_the_same_answer(layers: dict[str, Layer], locator: Locator, long_side: int) -> None:
    points = of_every_kind(np.random.default_rng(8), [zone.geometry for zone in layers["joint"].zones], 3_000)
    coarse = Locator(layers, long_side=long_side).at_many(points[:, 0], points[:, 1])
    fine = locator.at_many(points[:, 0], points[:, 1])
    for name in layers:
        assert said(coarse[name]) == said(fine[name])


@pytest.mark.parametrize("folder", DISTRICTS, ids=lambda folder: folder.name)
def test_real_districts_agree_with_shapely(folder: Path) -> None:
    layers = load(folder).layers
    locator = Locator(layers)
    zones = [zone for one in layers.values() for zone in one.zones]
    points = of_every_kind(np.random.default_rng(11), [zone.geometry for zone in zones], 100_000)
    points = points[np.argsort(points[:, 0])]
    places = shapely.points(points)
    many = locator.at_many(points[:, 0], points[:, 1])
    for name, one in layers.items():
        pairs = []
        for number, zone in enumerate(one.zones):
            west, _, east, _ = zone.geometry.bounds
            near = np.arange(np.searchsorted(points[:, 0], west), np.searchsorted(points[:, 0], east, side="right"))
            held = near[shapely.intersects(zone.geometry, places[near])]
            pairs.append(np.stack([held, np.full(held.size, number)], axis=1))
        expected = np.concatenate(pairs)
        expected = expected[np.lexsort((expected[:, 1], expected[:, 0]))]
        if one.cover is not Cover.OVERLAP:
            expected = expected[np.diff(expected[:, 0], prepend=-1) != 0]
        hits = many[name]
        length = np.array([len(numbers) for numbers in hits.sets])[hits.index]
        got = np.array([number for index in hits.index[length > 0].tolist() for number in hits.sets[index]])
        np.testing.assert_array_equal(np.repeat(np.arange(len(points)), length), expected[:, 0], err_msg=name)
        np.testing.assert_array_equal(got, expected[:, 1], err_msg=name)


def test_hits_are_fit_for_gathering(layers: dict[str, Layer], locator: Locator) -> None:
    for hits in locator.at_many(np.array([118.95, 0.0]), np.array([31.4, 0.0])).values():
        assert hits.index.dtype == np.int32
        assert hits.sets[0] == ()
        assert hits.index[1] == 0
        assert all(list(numbers) == sorted(set(numbers)) for numbers in hits.sets)
    assert locator.at_many(np.zeros(0), np.zeros(0))["grid"].index.size == 0


def test_positions_that_are_none_lie_nowhere(locator: Locator) -> None:
    many = locator.at_many(ODD[:, 0], ODD[:, 1])
    assert all(not hits.index.any() for hits in many.values())
    for x, y in ODD.tolist():
        assert not any(locator.at(x, y).values())


def test_arrays_must_be_of_one_length(locator: Locator) -> None:
    with pytest.raises(ValueError, match="one length"):
        locator.at_many(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="one length"):
        locator.at_many(np.zeros((2, 2)), np.zeros((2, 2)))


def test_shared_edges_and_corners_go_to_the_lowest_code() -> None:
    squares = [shapely.box(x, y, x + 1, y + 1) for y in (30.0, 31.0) for x in (118.0, 119.0)]
    four = Locator({"four": layer("four", squares, Cover.PARTITION), "over": layer("over", squares, Cover.OVERLAP)})
    held = {(119.0, 31.0): 0, (119.5, 31.0): 1, (119.0, 31.5): 2, (118.5, 31.0): 0, (120.0, 32.0): 3, (119.0, 30.0): 0}
    for (x, y), code in held.items():
        assert [zone.code for zone in four.at(x, y)["four"]] == [f"{code:04d}"]
    assert len(four.at(119.0, 31.0)["over"]) == 4
    assert four.at(np.nextafter(120.0, 121.0), 31.5) == {"four": (), "over": ()}


def test_no_layers_at_all() -> None:
    assert Locator({}).at(118.9, 31.3) == {}
    assert Locator({}).at_many(np.zeros(2), np.zeros(2)) == {}


coordinate = st.integers(0, 12).map(lambda n: 118.0 + n / 8)


@st.composite
def zones_with_holes(draw: st.DrawFn) -> list[Polygon]:
    """A few polygons with corners on a coarse grid, so sharing vertices, edges and parts of edges; some holed."""
    shapes = []
    for _ in range(draw(st.integers(1, 6))):
        ring = draw(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=7, unique=True))
        for shape in shapely.get_parts(shapely.make_valid(Polygon(ring))):
            if isinstance(shape, Polygon) and not shape.is_empty:
                hole = shapely.affinity.scale(shape.representative_point().buffer(0.04, quad_segs=1), 1, 0.5)
                holed = draw(st.booleans()) and shape.contains_properly(hole)
                shapes.append(shape.difference(hole) if holed else shape)
    return shapes


@settings(max_examples=60, deadline=None)
@given(zones_with_holes(), st.sampled_from(list(Cover)), st.integers(1, 64), st.integers(0, 2**32 - 1))
def test_any_zones_agree_with_shapely(shapes: list[Polygon], cover: Cover, long_side: int, seed: int) -> None:
    one = layer("any", shapes, cover)
    rng = np.random.default_rng(seed)
    points = of_every_kind(rng, shapes or [shapely.box(118, 118, 119, 119)], 300)
    locator = Locator({"any": one}, long_side=long_side)
    expected = truth(one, points)
    assert said(locator.at_many(points[:, 0], points[:, 1])["any"]) == expected
    for (x, y), numbers in zip(points.tolist(), expected, strict=True):
        assert locator.at(x, y)["any"] == tuple(one.zones[number] for number in numbers)


def test_nearest_zone_and_its_distance(layers: dict[str, Layer], locator: Locator) -> None:
    geod = Geod(ellps="WGS84")
    whole = layers["district"].zones[0].geometry
    points = uniform(np.random.default_rng(9), [whole], 150)
    outside = points[~shapely.intersects_xy(whole, points[:, 0], points[:, 1])]
    assert len(outside) > 50
    edge = shapely.segmentize(whole.boundary, 1e-4)
    for x, y in outside.tolist():
        zone, metres = locator.nearest("grid", x, y)
        corners = shapely.get_coordinates(edge)
        _, _, to_all = geod.inv(np.full(len(corners), x), np.full(len(corners), y), corners[:, 0], corners[:, 1])
        assert metres == pytest.approx(min(to_all), rel=0.01, abs=6)
        assert zone in layers["grid"].zones
    x, y = shapely.get_coordinates(whole.representative_point())[0].tolist()
    assert locator.nearest("grid", x, y) == (locator.at(x, y)["grid"][0], 0.0)


def test_snapped_points_are_inside_and_near(layers: dict[str, Layer], locator: Locator) -> None:
    whole = layers["district"].zones[0].geometry
    rng = np.random.default_rng(10)
    for x, y in np.concatenate([of_every_kind(rng, [whole], 600), [[118.0, 30.0], [0.0, 0.0]]]).tolist():
        new_x, new_y, metres = locator.snap(x, y)
        assert locator.at(new_x, new_y)["district"]
        _, to_edge = locator.nearest("district", x, y)
        if locator.at(x, y)["district"]:
            assert (new_x, new_y, metres) == (x, y, 0.0)
        else:
            assert locator.at(new_x, new_y)["grid"], "well within the district, so in its partition"
            assert 0.995 * to_edge <= metres, "the plane that it is found on is true to 0.5 %"
            assert metres <= 1.005 * to_edge + 2, "no farther than a spike's tip that is too thin to stand in"


@pytest.mark.parametrize(("x", "y"), [row for row in ODD.tolist() if not abs(row[0]) <= 180 or not abs(row[1]) <= 90])
def test_nearest_refuses_what_is_no_position(locator: Locator, x: float, y: float) -> None:
    with pytest.raises(ValueError, match="no position"):
        locator.nearest("district", x, y)
    with pytest.raises(ValueError, match="no position"):
        locator.snap(x, y)


def test_nearest_of_a_missing_or_empty_layer(locator: Locator) -> None:
    for name in ("nothing", "empty"):
        with pytest.raises(KeyError, match=name):
            locator.nearest(name, 118.9, 31.3)
