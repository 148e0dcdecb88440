"""What the tests of the analyst's files share: a small district of squares, and cases in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import MultiPolygon, Polygon, box, transform, union_all

from dispatch.district import District, load
from geo.grid import Cover, Layer, Zone
from web.tally import CaseRows, Selection

SAMPLE = Path(__file__).parent.parent / "data" / "grids" / "gaochun"
METRIC = "EPSG:4549"
SIDE_M = 1000.0
COLUMNS, ROWS = 12, 8
CHINA = timezone(timedelta(hours=8))

_degrees = Transformer.from_crs(METRIC, "EPSG:4326", always_xy=True)
_X0, _Y0 = Transformer.from_crs("EPSG:4326", METRIC, always_xy=True).transform(118.85, 31.25)


@cache
def small_district() -> District:
    """12 x 8 squares of 1 km, the left half in one township, the right half in another; a lake across both.

    Everything but the layers is the sample district's.
    """
    cells = [_square(k % COLUMNS, k // COLUMNS) for k in range(COLUMNS * ROWS)]
    halves = [[c for k, c in enumerate(cells) if (k % COLUMNS < COLUMNS // 2) == left] for left in (True, False)]
    towns = [
        _zone("township", f"90000{k}", f"{'东西'[k]}镇", f"Town {k}", union_all(half), None)
        for k, half in enumerate(halves)
    ]
    grid = [
        _zone("grid", f"G{k:03d}", f"第{k}网格", f"Grid {k}", cell, f"90000{int(k % COLUMNS >= COLUMNS // 2)}")
        for k, cell in enumerate(cells)
    ]
    lake = _zone("water", "W1", "东湖", "East Lake", _box(4.5, 2.5, 7.5, 4.5), None)
    whole = _zone("district", "900", "试验区", "Trial District", union_all(cells), None)
    layers = {
        "district": _layer("district", "区", "District", Cover.PARTITION, None, True, (whole,)),
        "township": _layer("township", "街道（镇）", "Townships", Cover.PARTITION, None, False, tuple(towns)),
        "grid": _layer("grid", "综合网格", "Grids", Cover.PARTITION, "township", False, tuple(grid)),
        "water": _layer("water", "水域", "Waters", Cover.DISJOINT, None, True, (lake,)),
    }
    sample = load(SAMPLE)
    return replace(
        sample,
        code="900",
        name="试验区",
        name_en="Trial District",
        version="900@test",
        metric_crs=METRIC,
        layers=layers,
    )


def renamed(district: District, name: str) -> District:
    """The district with this name on its first grid."""
    grid = district.layers["grid"]
    first = replace(grid.zones[0], name=name, name_en=name)
    return replace(district, layers={**district.layers, "grid": replace(grid, zones=(first, *grid.zones[1:]))})


def cases_at(
    lon: NDArray[np.float64], lat: NDArray[np.float64], district: District, grid: list[str] | None = None
) -> CaseRows:
    """Cases at these places, all of one matter and team; without a recorded grid unless given."""
    n = len(lon)
    return CaseRows(
        case=np.array([f"C{k:06d}" for k in range(n)], dtype=np.str_),
        lon=np.asarray(lon, dtype=np.float64),
        lat=np.asarray(lat, dtype=np.float64),
        matter=np.array([next(iter(district.matters))] * n, dtype=np.str_),
        team=np.array([next(iter(district.teams))] * n, dtype=np.str_),
        state=np.array(["closed"] * n, dtype=np.str_),
        received_at=np.array(["2026-11-03T01:02:03"] * n, dtype="datetime64[us]"),
        grid=np.array(grid if grid is not None else [""] * n, dtype=np.str_),
    )


def some_cases(district: District, n: int, seed: int = 5) -> CaseRows:
    """`n` cases, half of them thrown close together in the west, the rest anywhere in the district's bounds."""
    rng = np.random.default_rng(seed)
    x = np.where(np.arange(n) % 2, rng.uniform(0, COLUMNS, n), np.clip(rng.normal(2.5, 0.5, n), 0, 5))
    y = np.where(np.arange(n) % 2, rng.uniform(0, ROWS, n), np.clip(rng.normal(2.5, 0.5, n), 0, 5))
    lon, lat = _degrees.transform(_X0 + x * SIDE_M, _Y0 + y * SIDE_M)
    cell = [f"G{int(cy) * COLUMNS + int(cx):03d}" for cx, cy in zip(x, y, strict=True)]
    return cases_at(np.asarray(lon), np.asarray(lat), district, cell)


def place(column: float, row: float) -> tuple[float, float]:
    """Longitude and latitude of a place, in squares from the lower left."""
    lon, lat = _degrees.transform(_X0 + column * SIDE_M, _Y0 + row * SIDE_M)
    return float(lon), float(lat)


def november(**chosen: object) -> Selection:
    """All of November 2026 in the district's time."""
    base = Selection(
        since=datetime(2026, 11, 1, tzinfo=CHINA),
        until=datetime(2026, 12, 1, tzinfo=CHINA),
        made_at=datetime(2026, 12, 1, 1, tzinfo=UTC),
    )
    return replace(base, **chosen)  # type: ignore[arg-type]


def _square(column: int, row: int) -> Polygon:
    return _box(column, row, column + 1, row + 1)


def _box(west: float, south: float, east: float, north: float) -> Polygon:
    metres = box(_X0 + west * SIDE_M, _Y0 + south * SIDE_M, _X0 + east * SIDE_M, _Y0 + north * SIDE_M)
    return transform(metres, lambda at: np.column_stack(_degrees.transform(at[:, 0], at[:, 1])))


def _zone(layer: str, code: str, name: str, name_en: str, shape: Polygon | MultiPolygon, parent: str | None) -> Zone:
    metric = Transformer.from_crs("EPSG:4326", METRIC, always_xy=True)
    area = transform(shape, lambda at: np.column_stack(metric.transform(at[:, 0], at[:, 1]))).area
    return Zone(layer, code, name, name_en, "", parent, shape, area / 1e6)


def _layer(
    name: str, label: str, label_en: str, cover: Cover, parent: str | None, real: bool, zones: tuple[Zone, ...]
) -> Layer:
    return Layer(name, label, label_en, cover, parent, real, "试验 / trial", zones)
