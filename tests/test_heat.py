"""`geo.heat` against slow, obvious models, and against chance itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import box, transform

from geo.grid import Cover, Layer, Zone
from geo.heat import NOWHERE, Counts, counts, density, hot_spots, neighbours

METRIC = "EPSG:4549"
BOUNDS = (118.7, 31.1, 119.2, 31.5)
TO_METRIC = Transformer.from_crs("EPSG:4326", METRIC, always_xy=True)
TO_DEGREES = Transformer.from_crs(METRIC, "EPSG:4326", always_xy=True)


def degrees(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack(TO_DEGREES.transform(corners[:, 0], corners[:, 1]))


def chequer(columns: int, rows: int, metres: float = 800.0, gap: float = 0.0) -> Layer:
    """A layer of squares of `metres`, `gap` metres apart."""
    x0, y0 = TO_METRIC.transform(118.85, 31.2)
    zones = []
    for k in range(columns * rows):
        x, y = x0 + (k % columns) * metres, y0 + (k // columns) * metres
        square = transform(box(x, y, x + metres - gap, y + metres - gap).segmentize(100), degrees)
        zones.append(Zone("grid", f"{k:04d}", f"网格{k}", f"Grid {k}", "", None, square, (metres - gap) ** 2 / 1e6))
    return Layer("grid", "网格", "Grid", Cover.DISJOINT, None, False, "test", tuple(zones))


# --- counts ------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-1, 8), max_size=60))
def test_counts_equal_counting_one_by_one(index: list[int]) -> None:
    found = counts(chequer(3, 3), np.array(index, dtype=np.int64))
    assert found.count.tolist() == [index.count(k) for k in range(9)]
    assert found.nowhere == index.count(NOWHERE)
    assert found.total + found.nowhere == len(index)
    assert math.isclose(found.share.sum(), 1.0 if found.total else 0.0)
    assert np.allclose(found.per_km2 * found.area_km2, found.count)


@pytest.mark.parametrize("wrong", [-2, 9])
def test_counts_refuse_a_zone_that_is_not_there(wrong: int) -> None:
    with pytest.raises(ValueError, match="grid"):
        counts(chequer(3, 3), np.array([0, wrong]))


# --- density -----------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.floats(118.7, 119.2), st.floats(31.1, 31.5)), max_size=50),
    st.sampled_from([(200.0, 500.0), (300.0, 900.0), (500.0, 500.0)]),
)
def test_density_integrates_to_the_number_of_points(
    points: list[tuple[float, float]], scale: tuple[float, float]
) -> None:
    lon, lat = np.array(points).reshape(-1, 2).T
    surface = density(lon, lat, BOUNDS, METRIC, cell_m=scale[0], bandwidth_m=scale[1])
    mass = surface.density.sum() * (surface.cell_m / 1000) ** 2
    assert surface.points == len(points)
    assert mass == pytest.approx(len(points), rel=1e-3, abs=1e-9)
    assert (surface.density >= 0).all()


def test_density_equals_the_sum_of_kernels() -> None:
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(118.85, 118.95, 40), rng.uniform(31.25, 31.35, 40)
    surface = density(lon, lat, BOUNDS, METRIC, cell_m=50.0, bandwidth_m=500.0)
    rows, columns = surface.density.shape
    x, y = TO_METRIC.transform(lon, lat)
    checked = 0
    for _ in range(4000):
        row, column = rng.integers(rows), rng.integers(columns)
        cx, cy = surface.west + (column + 0.5) * 50, surface.south + (row + 0.5) * 50
        direct = (np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 500.0**2)) / (2 * math.pi * 0.5**2)).sum()
        assert surface.density[row, column] == pytest.approx(direct, rel=0.02, abs=1e-3)
        checked += direct > 0.1
    assert checked > 50


def test_density_lies_where_the_point_lies() -> None:
    surface = density(np.array([118.8]), np.array([31.4]), BOUNDS, METRIC, cell_m=100.0, bandwidth_m=500.0)
    row, column = np.unravel_index(surface.density.argmax(), surface.density.shape)
    x, y = TO_METRIC.transform(118.8, 31.4)
    assert abs(surface.west + (column + 0.5) * 100 - x) <= 100
    assert abs(surface.south + (row + 0.5) * 100 - y) <= 100


def test_density_leaves_out_what_lies_outside() -> None:
    surface = density(np.array([118.8, 130.0]), np.array([31.4, 10.0]), BOUNDS, METRIC, cell_m=200.0, bandwidth_m=500.0)
    assert surface.points == 1


@pytest.mark.parametrize(
    ("cell", "bandwidth"), [(0.0, 500.0), (-1.0, 500.0), (2000.0, 500.0), (1.0, 500.0), (math.nan, 1.0)]
)
def test_density_refuses_scales_that_cannot_be(cell: float, bandwidth: float) -> None:
    with pytest.raises(ValueError, match="cell"):
        density(np.zeros(0), np.zeros(0), BOUNDS, METRIC, cell_m=cell, bandwidth_m=bandwidth)


# --- hot spots ---------------------------------------------------------------------------------------------------


def slow_hot_spots(found: Counts, near: list[set[int]]) -> tuple[list[float], list[float]]:
    """Gi* and Benjamini-Hochberg exactly as the papers write them, one number at a time."""
    n, total, land = len(found.count), int(found.count.sum()), float(found.area_km2.sum())
    x = [float(c / a) for c, a in zip(found.count, found.area_km2, strict=True)]
    mean = sum(x) / n
    s = math.sqrt(sum(v * v for v in x) / n - mean**2)
    z, raw = [], []
    for i in range(n):
        w = [float(found.area_km2[j]) if j in near[i] else 0.0 for j in range(n)]
        above = sum(w[j] * x[j] for j in range(n)) - mean * sum(w)
        z.append(above / (s * math.sqrt((n * sum(v * v for v in w) - sum(w) ** 2) / (n - 1))))
        k, q = sum(int(found.count[j]) for j in near[i]), sum(w) / land
        chance = [math.comb(total, m) * q**m * (1 - q) ** (total - m) for m in range(total + 1)]
        raw.append(min(1.0, 2 * min(sum(chance[k:]), sum(chance[: k + 1]))))
    order = sorted(range(n), key=raw.__getitem__)
    adjusted, least = [0.0] * n, 1.0
    for rank in range(n, 0, -1):
        i = order[rank - 1]
        least = min(least, raw[i] * n / rank)
        adjusted[i] = least
    return z, adjusted


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=20, max_size=20), st.lists(st.floats(0.2, 3.0), min_size=20, max_size=20))
def test_hot_spots_equal_the_slow_model(count: list[int], area: list[float]) -> None:
    found = Counts(np.array(count, dtype=np.int64), np.array(area), 0)
    if found.per_km2.std() < 1e-6:
        return
    columns = 5
    near = [
        {j for j in range(20) if abs(i % columns - j % columns) <= 1 and abs(i // columns - j // columns) <= 1}
        for i in range(20)
    ]
    matrix = neighbours(chequer(columns, 4), METRIC)
    assert [set(matrix[[i], :].nonzero()[1].tolist()) for i in range(20)] == near
    result = hot_spots(found, matrix)
    z, p = slow_hot_spots(found, near)
    assert result.z == pytest.approx(z, rel=1e-6, abs=1e-6)
    assert result.p == pytest.approx(p, rel=1e-6, abs=1e-9)
    assert (result.hot == ((result.p <= 0.05) & (result.z >= 1.959964))).all()
    assert (result.cold == ((result.p <= 0.05) & (result.z <= -1.959964))).all()
    assert not (result.hot & result.cold).any()


def test_neighbours_bridge_a_drawing_gap_but_not_a_river() -> None:
    assert neighbours(chequer(2, 1, gap=0.5), METRIC).nnz == 4
    assert neighbours(chequer(2, 1, gap=30.0), METRIC).nnz == 2


def test_a_real_hot_spot_is_found_and_its_surroundings_are_not() -> None:
    layer = chequer(20, 20)
    rng = np.random.default_rng(3)
    count = rng.poisson(1.0, 400)
    middle = [k for k in range(400) if abs(k % 20 - 10) <= 1 and abs(k // 20 - 10) <= 1]
    count[middle] += 12
    result = hot_spots(Counts(count, np.full(400, 0.64), 0), neighbours(layer, METRIC))
    assert result.hot[middle].all()
    far = [k for k in range(400) if abs(k % 20 - 10) > 3 or abs(k // 20 - 10) > 3]
    assert result.hot[far].sum() == 0


@pytest.mark.parametrize("cases", [30, 200, 1000])
def test_chance_alone_makes_no_hot_spots(cases: int) -> None:
    """Of 60 months of pure chance, zones of very unequal size, hardly one may show a hot or cold spot."""
    layer = chequer(20, 20)
    near = neighbours(layer, METRIC)
    rng = np.random.default_rng(cases)
    area = np.exp(rng.normal(0.0, 0.6, 400))
    alarms = 0
    for _ in range(60):
        found = Counts(rng.multinomial(cases, area / area.sum()).astype(np.int64), area, 0)
        result = hot_spots(found, near)
        alarms += bool(result.hot.any() or result.cold.any())
    assert alarms <= 6


@pytest.mark.parametrize("count", [[0] * 9, [4] * 9])
def test_no_cases_or_all_alike_is_no_hot_spot(count: list[int]) -> None:
    result = hot_spots(Counts(np.array(count), np.ones(9), 0), neighbours(chequer(3, 3), METRIC))
    assert not result.hot.any()
    assert not result.cold.any()
    assert np.isfinite(result.z).all()
    assert (result.p == 1.0).all()


def test_one_zone_alone_is_no_hot_spot() -> None:
    result = hot_spots(Counts(np.array([50]), np.ones(1), 0), neighbours(chequer(1, 1), METRIC))
    assert result.z.tolist() == [0.0]
    assert not result.hot.any()
